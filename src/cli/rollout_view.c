/* SPDX-License-Identifier: Apache-2.0
 * rollout_view - see rollout_view.h for the contract.
 *
 * A plan has many small steps; people think in shares. Each HOLD is a line, with what was measured in it; the
 * steps between are shown while they are what happens, or when they failed. */
#include "cli/rollout_view.h"

#include <stdio.h>
#include <string.h>

#include "cli/screen.h"

enum {
	BAR_CELLS = 10,
	HEAD_COLUMNS = 100,
	STEPS_MAX = 128,
	OTHER_ROWS = 5, /* head, instances, two for what to do, the cursor's */
};

static bool is(const json_t *o, const char *key, const char *value)
{
	return strcmp(json_text_of(o, key), value) == 0;
}

/* Tenths of a second from the start: a clock that runs should not change its unit. */
static const char *running_time(uint64_t ms, char to[32])
{
	if (ms >= 1000)
		return screen_duration(ms, to);
	snprintf(to, 32, "0.%us", (unsigned)ms / 100);
	return to;
}

static const char *milliseconds(uint64_t us, char to[32])
{
	snprintf(to, 32, us < 10000 ? "%.1f" : "%.0f", (double)us / 1000);
	return to;
}

/* What the evidence of a step says: the latest row of it, or NULL. */
static const json_t *evidence_of(const json_t *rollout, uint64_t step)
{
	const json_t *rows = json_object_get(rollout, "evidence");
	for (size_t i = json_array_size(rows); i-- > 0;) {
		const json_t *row = json_array_get(rows, i);
		if (json_number_of(row, "step") == step && json_object_get(row, "new"))
			return row;
	}
	return NULL;
}

/* errors 0.10% vs 0.11%   p99 210 vs 204 ms   783 requests */
static void put_numbers(const struct cli *cli, struct buf *to, const json_t *numbers, bool bad)
{
	const json_t *fresh = json_object_get(numbers, "new"),
		     *old = json_object_get(numbers, "old");
	uint64_t requests = json_number_of(fresh, "requests"),
		 others = json_number_of(old, "requests");
	char a[32], b[32];
	screen_put(cli, to, bad ? TONE_BAD : TONE_PLAIN, "errors %s",
		   screen_share(json_number_of(fresh, "errors"), requests, a));
	if (others > 0)
		screen_put(cli, to, TONE_PLAIN, " vs %s",
			   screen_share(json_number_of(old, "errors"), others, b));
	if (json_number_of(fresh, "p99_us") > 0) {
		screen_put(cli, to, TONE_PLAIN, "   p99 %s",
			   milliseconds(json_number_of(fresh, "p99_us"), a));
		if (others > 0)
			screen_put(cli, to, TONE_PLAIN, " vs %s",
				   milliseconds(json_number_of(old, "p99_us"), b));
		screen_put(cli, to, TONE_PLAIN, " ms");
	}
	screen_put(cli, to, TONE_PLAIN, "   %llu %s", (unsigned long long)requests,
		   requests == 1 ? "request" : "requests");
}

/* How far a HOLD is: its time, or the requests that it waits for, whichever is behind. */
static void put_bar(const struct cli *cli, struct buf *to, const json_t *hold)
{
	uint64_t held = json_number_of(hold, "held_ms"), least = json_number_of(hold, "for_ms"),
		 had = json_number_of(hold, "requests"),
		 want = json_number_of(hold, "at_least_requests");
	uint64_t filled = least > 0 && held < least ? held * BAR_CELLS / least : BAR_CELLS;
	uint64_t counted = want > 0 && had < want ? had * BAR_CELLS / want : BAR_CELLS;
	char bar[BAR_CELLS + 1];
	for (uint64_t i = 0; i < BAR_CELLS; i++)
		bar[i] = i < filled && i < counted ? '#' : '-';
	bar[BAR_CELLS] = '\0';
	screen_put(cli, to, TONE_BUSY, "   [%s]", bar);
	if (want > 0 && had < want)
		screen_put(cli, to, TONE_FAINT, " waits for %llu requests",
			   (unsigned long long)want);
}

static void put_hold(const struct cli *cli, struct buf *to, const json_t *rollout,
		     const json_t *step)
{
	const json_t *hold = json_object_get(rollout, "hold");
	bool active = is(step, "state", "active"), failed = is(step, "state", "failed");
	const json_t *numbers = active ? hold : evidence_of(rollout, json_number_of(step, "index"));
	uint64_t least = json_number_of(step, "for_ms"), most = json_number_of(step, "at_most_ms");
	char a[32], b[32];
	if (!numbers) {
		if (most > least && least > 0)
			screen_put(cli, to, TONE_FAINT, "%s to %s", screen_duration(least, a),
				   screen_duration(most, b));
		else
			screen_put(cli, to, TONE_FAINT, "%s%s", most > least ? "up to " : "",
				   screen_duration(most > least ? most : least, a));
		return;
	}
	screen_put(cli, to, TONE_PLAIN, "%-8s",
		   running_time(json_number_of(numbers, "held_ms"), a));
	if (json_object_get(numbers, "new"))
		put_numbers(cli, to, numbers, failed);
	if (!active)
		return;
	put_bar(cli, to, hold);
	const json_t *fresh = json_object_get(hold, "new");
	if (json_number_of(fresh, "requests") > 0)
		screen_put(cli, to, TONE_FAINT, "   %.1f%% of traffic",
			   (double)json_number_of(fresh, "share_bp") / 100);
}

/* "5%", "bake"; a step without a label is called by what it does. */
static const char *name_of(const json_t *step)
{
	const char *label = json_text_of(step, "label");
	return label[0] ? label : json_text_of(step, "op");
}

static void put_step(const struct cli *cli, struct buf *to, const json_t *rollout,
		     const json_t *step, int name_columns)
{
	const char *state = json_text_of(step, "state"), *text = json_text_of(step, "text"),
		   *op = json_text_of(step, "op");
	bool waits = strcmp(state, "waiting") == 0 || strcmp(state, "skipped") == 0;
	enum screen_tone tone = waits ? TONE_FAINT : TONE_PLAIN;
	screen_put(cli, to, screen_tone(state), "  %s ", screen_glyph(cli, state));
	screen_put(cli, to, tone, "%-*s  ", name_columns, name_of(step));
	if (strcmp(op, "hold") == 0)
		put_hold(cli, to, rollout, step);
	else if (strncmp(text, op, strlen(op)) == 0)
		screen_put(cli, to, tone, "%s", text + strlen(op) + strspn(text + strlen(op), " "));
	else
		screen_put(cli, to, tone, "%s", text);
	buf_puts(to, "\n");
}

/* A route is part of the HOLD that follows it; the last one, and one that leads back, stands for itself. */
static bool worth_a_line(const json_t *steps, size_t index)
{
	const json_t *step = json_array_get(steps, index), *next = json_array_get(steps, index + 1);
	if (is(step, "state", "active") || is(step, "state", "failed"))
		return true;
	if (is(step, "op", "hold") || is(step, "op", "gate"))
		return true;
	return is(step, "op", "route") && !is(next, "op", "hold") && !is(step, "state", "skipped");
}

static void put_head(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const char *state = json_text_of(rollout, "state"), *kind = json_text_of(rollout, "kind"),
		   *from = json_text_of(json_object_get(rollout, "old"), "tag"),
		   *arrow = screen_arrow(cli);
	unsigned width = screen_width();
	char elapsed[32];
	screen_put(cli, to, TONE_PLAIN, "%s %s %s  %s%s%s%s%s  %s  rollout %llu  ",
		   json_text_of(rollout, "app"), arrow, json_text_of(rollout, "environment"), from,
		   from[0] ? " " : "", from[0] ? arrow : "", from[0] ? " " : "",
		   json_text_of(json_object_get(rollout, "new"), "tag"),
		   strcmp(kind, "deploy") == 0 ? json_text_of(rollout, "strategy") : kind,
		   (unsigned long long)json_number_of(rollout, "number"));
	screen_put(cli, to, screen_tone(state), "%s %s", screen_glyph(cli, state), state);
	running_time(json_number_of(rollout, "elapsed_ms"), elapsed);
	unsigned used = screen_columns(to->data, to->size) + (unsigned)strlen(elapsed),
		 end = width < HEAD_COLUMNS ? width : HEAD_COLUMNS;
	screen_put(cli, to, TONE_FAINT, "%*s%s\n", used + 2 < end ? (int)(end - used) : 2, "",
		   elapsed);
}

static void put_instances(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *instances = json_object_get(rollout, "instances"),
		     *fresh = json_object_get(instances, "new"),
		     *old = json_object_get(instances, "old");
	screen_put(cli, to, TONE_PLAIN, "  instances  new %llu/%llu ready",
		   (unsigned long long)json_number_of(fresh, "ready"),
		   (unsigned long long)json_number_of(fresh, "want"));
	if (json_text_of(json_object_get(rollout, "old"), "tag")[0])
		screen_put(cli, to, TONE_PLAIN, "   old %llu/%llu serving",
			   (unsigned long long)json_number_of(old, "ready"),
			   (unsigned long long)json_number_of(old, "want"));
	screen_put(cli, to, TONE_PLAIN, "   weight %g%%\n",
		   (double)json_number_of(rollout, "weight_bp") / 100);
}

/* As many lines as fit, the one before the active one first. */
static void put_steps(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *steps = json_object_get(rollout, "steps"), *shown[STEPS_MAX];
	unsigned rows = screen_rows(), room = rows > OTHER_ROWS ? rows - OTHER_ROWS : 1;
	size_t count = 0, active = 0, first = 0;
	int name_columns = 0;
	for (size_t i = 0; i < json_array_size(steps) && count < STEPS_MAX; i++) {
		const json_t *step = json_array_get(steps, i);
		if (!worth_a_line(steps, i))
			continue;
		if ((int)strlen(name_of(step)) > name_columns)
			name_columns = (int)strlen(name_of(step));
		if (is(step, "state", "active"))
			active = count;
		shown[count++] = step;
	}
	if (count > room)
		first = active == 0 ? 0 : active - 1 + room < count ? active - 1 : count - room;
	for (size_t i = first; i < count && i < first + room; i++)
		put_step(cli, to, rollout, shown[i], name_columns);
}

void rollout_draw(const struct cli *cli, const json_t *rollout, struct buf *to)
{
	const char *environment = json_text_of(rollout, "environment");
	put_head(cli, to, rollout);
	put_steps(cli, to, rollout);
	if (json_is_true(json_object_get(rollout, "ended")))
		return;
	put_instances(cli, to, rollout);
	if (is(rollout, "state", "running"))
		screen_put(cli, to, TONE_FAINT,
			   "  Ctrl-C leaves it running. Steer it: davit promote|pause|abort %s\n",
			   environment);
	else
		screen_put(cli, to, TONE_PLAIN, "  %s\n  Next: %s\n", json_text_of(rollout, "why"),
			   json_text_of(rollout, "next"));
}
