/* SPDX-License-Identifier: Apache-2.0
 * rollout_view - see rollout_view.h for the contract.
 *
 * A plan has many small steps; people think in shares. Each HOLD is a line, with what was measured in it; the
 * steps between are shown while they are what happens, or when they failed. */
#include "cli/rollout_view.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/screen.h"
#include "cli/way_back_view.h"

enum { INFRASTRUCTURE_LINE = 512 };

enum {
	BAR_CELLS = 10,
	HEAD_COLUMNS = 100,
	STEPS_MAX = 128,
	STEP_COLUMNS = 6, /* around its name */
	OTHER_ROWS = 6,   /* head, what is judged, instances, two for what to do, the cursor's */
	HARM_ODDS = 20,   /* from here on it is worth a look */
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

/* The line being written; its parts are put where they fit, for half of a number says something else. */
struct line {
	const struct cli *cli;
	struct buf *to;
	size_t began;
};

static bool put_part(const struct line *line, enum screen_tone tone, const char *text)
{
	unsigned used = screen_columns(line->to->data + line->began, line->to->size - line->began);
	if (used + strlen(text) > screen_width())
		return false;
	screen_put(line->cli, line->to, tone, "%s", text);
	return true;
}

/* errors 0.10% vs 0.11%   p99 210 vs 204 ms */
static void put_numbers(const struct line *line, const json_t *numbers, bool bad)
{
	const json_t *fresh = json_object_get(numbers, "new"),
		     *old = json_object_get(numbers, "old");
	bool others = json_number_of(old, "requests") > 0;
	char a[32], b[32], text[160];
	snprintf(text, sizeof text, "errors %s",
		 screen_share(json_number_of(fresh, "errors"), json_number_of(fresh, "requests"),
			      a));
	put_part(line, bad ? TONE_BAD : TONE_PLAIN, text);
	if (others) {
		snprintf(text, sizeof text, " vs %s",
			 screen_share(json_number_of(old, "errors"),
				      json_number_of(old, "requests"), b));
		put_part(line, TONE_PLAIN, text);
	}
	if (json_number_of(fresh, "p99_us") == 0)
		return;
	milliseconds(json_number_of(fresh, "p99_us"), a);
	milliseconds(json_number_of(old, "p99_us"), b);
	snprintf(text, sizeof text, "   p99 %s%s%s ms", a, others ? " vs " : "", others ? b : "");
	put_part(line, TONE_PLAIN, text);
}

static void put_requests(const struct line *line, const json_t *numbers)
{
	uint64_t requests = json_number_of(json_object_get(numbers, "new"), "requests");
	char count[32], text[64];
	snprintf(text, sizeof text, "   %s %s", screen_count(requests, count),
		 requests == 1 ? "request" : "requests");
	put_part(line, TONE_PLAIN, text);
}

/* What the statistics have against it; nothing where there are none. */
static void put_harm(const struct line *line, const json_t *numbers)
{
	double odds = json_real_of(numbers, "odds");
	enum screen_tone tone = odds >= HARM_ODDS ? TONE_BAD : odds > 1 ? TONE_PLAIN : TONE_FAINT;
	char text[64], number[32];
	if (odds <= 0)
		return;
	screen_odds(odds, number);
	snprintf(text, sizeof text, "   evidence of harm %s", number);
	if (put_part(line, tone, text))
		return;
	snprintf(text, sizeof text, "   harm %s", number);
	put_part(line, tone, text);
}

/* Of BAR_CELLS. */
static uint64_t cells_of(uint64_t have, uint64_t want)
{
	return have < want ? have * BAR_CELLS / want : BAR_CELLS;
}

/* How far a HOLD is: its time, the requests that it waits for, or what is to be shown of it, whichever is behind. */
static void put_bar(const struct line *line, const json_t *rollout, const json_t *hold)
{
	uint64_t had = json_number_of(hold, "requests"),
		 want = json_number_of(hold, "at_least_requests");
	uint64_t behind = cells_of(json_number_of(hold, "held_ms"), json_number_of(hold, "for_ms")),
		 counted = cells_of(had, want), passed = BAR_CELLS;
	char text[64];
	if (json_is_true(json_object_get(hold, "judged")))
		passed = cells_of(json_number_of(json_object_get(rollout, "judge"), "passed_bp"),
				  SHARE_FULL_BP);
	behind = counted < behind ? counted : behind;
	behind = passed < behind ? passed : behind;
	size_t used = (size_t)snprintf(text, sizeof text, "   [");
	for (uint64_t i = 0; i < BAR_CELLS; i++)
		text[used++] = i < behind ? '#' : '-';
	snprintf(text + used, sizeof text - used, "]");
	put_part(line, TONE_BUSY, text);
	if (had >= want)
		return;
	snprintf(text, sizeof text, " waits for %llu requests", (unsigned long long)want);
	put_part(line, TONE_FAINT, text);
}

static void put_hold(const struct line *line, const json_t *rollout, const json_t *step)
{
	const json_t *hold = json_object_get(rollout, "hold");
	bool active = is(step, "state", "active"), failed = is(step, "state", "failed");
	const json_t *numbers = active ? hold : evidence_of(rollout, json_number_of(step, "index"));
	uint64_t least = json_number_of(step, "for_ms"), most = json_number_of(step, "at_most_ms");
	char a[32], b[32];
	if (!numbers) {
		if (most > least && least > 0)
			screen_put(line->cli, line->to, TONE_FAINT, "%s to %s",
				   screen_duration(least, a), screen_duration(most, b));
		else
			screen_put(line->cli, line->to, TONE_FAINT, "%s%s",
				   most > least ? "up to " : "",
				   screen_duration(most > least ? most : least, a));
		return;
	}
	screen_put(line->cli, line->to, TONE_PLAIN, "%-8s",
		   running_time(json_number_of(numbers, "held_ms"), a));
	bool counted = json_object_get(numbers, "new") != NULL;
	if (counted)
		put_numbers(line, numbers, failed);
	if (active)
		put_bar(line, rollout, hold);
	else if (counted)
		put_requests(line, numbers);
	if (counted)
		put_harm(line, numbers);
	if (active && counted)
		put_requests(line, numbers);
}

static const json_t *errors_of(const json_t *judge)
{
	const json_t *metric;
	size_t i;
	json_array_foreach (json_object_get(judge, "metrics"), i, metric)
		if (is(metric, "name", "errors"))
			return metric;
	return NULL;
}

/* Below the active HOLD: what failed since the rollout began, and how much is still needed for a verdict. */
static void put_judged(const struct cli *cli, struct buf *to, const json_t *rollout, int columns)
{
	const json_t *judge = json_object_get(rollout, "judge"), *errors = errors_of(judge);
	const struct line line = {.cli = cli, .to = to, .began = to->size};
	uint64_t more = json_number_of(judge, "more_requests"),
		 more_ms = json_number_of(judge, "more_ms");
	char text[160], a[32], b[32];
	if (!errors)
		return;
	screen_put(cli, to, TONE_PLAIN, "%*s", columns, "");
	snprintf(text, sizeof text, "%s of %s requests failed",
		 screen_count(json_number_of(errors, "new_events"), a),
		 screen_count(json_number_of(errors, "new_requests"), b));
	put_part(&line, TONE_FAINT, text);
	if (json_is_number(json_object_get(errors, "expected"))) {
		snprintf(text, sizeof text, ", %s expected",
			 screen_decimal(json_real_of(errors, "expected"), a));
		put_part(&line, TONE_FAINT, text);
	}
	if (more > 0) {
		snprintf(text, sizeof text, "; about %s more decide it%s%s", screen_count(more, a),
			 more_ms > 0 ? ", in " : "",
			 more_ms > 0 ? screen_duration(more_ms, b) : "");
		put_part(&line, TONE_FAINT, text);
	}
	buf_puts(to, "\n");
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
	const struct line line = {.cli = cli, .to = to, .began = to->size};
	bool hold = strcmp(op, "hold") == 0;
	screen_put(cli, to, screen_tone(state), "  %s ", screen_glyph(cli, state));
	screen_put(cli, to, tone, "%-*s  ", name_columns, name_of(step));
	if (hold)
		put_hold(&line, rollout, step);
	else if (strncmp(text, op, strlen(op)) == 0)
		screen_put(cli, to, tone, "%s", text + strlen(op) + strspn(text + strlen(op), " "));
	else
		screen_put(cli, to, tone, "%s", text);
	buf_puts(to, "\n");
	if (hold && strcmp(state, "active") == 0)
		put_judged(cli, to, rollout, name_columns + STEP_COLUMNS);
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
	screen_put(cli, to, TONE_PLAIN, "   weight %g%%",
		   (double)json_number_of(rollout, "weight_bp") / 100);
	fresh = json_object_get(json_object_get(rollout, "hold"), "new");
	if (json_number_of(fresh, "requests") > 0)
		screen_put(cli, to, TONE_FAINT, "   %.1f%% of traffic",
			   (double)json_number_of(fresh, "share_bp") / 100);
	buf_puts(to, "\n");
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
	/* Of a rollback the four steps that people think in are the picture; davit why has those of its plan. */
	if (is(rollout, "kind", "rollback"))
		way_back_draw(cli, rollout, to);
	else
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

void rollout_draw_infrastructure(const struct cli *cli, const json_t *rollout, struct buf *to)
{
	const json_t *plan = json_object_get(rollout, "infrastructure");
	const char *line = json_text_of(plan, "summary");
	if (!json_is_object(plan))
		return;
	if (json_is_true(json_object_get(plan, "changes")))
		screen_put(cli, to, TONE_BUSY, "  infrastructure changes  plan %.12s\n",
			   json_text_of(plan, "digest"));
	else
		screen_put(cli, to, TONE_PLAIN, "  infrastructure does not change\n");
	while (*line) {
		size_t length = strcspn(line, "\n");
		char text[INFRASTRUCTURE_LINE];
		snprintf(text, sizeof text, "%.*s", (int)length, line);
		buf_puts(to, "    | ");
		screen_put_foreign(to, text);
		buf_puts(to, "\n");
		line += length + (line[length] == '\n');
	}
}
