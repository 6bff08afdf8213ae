/* SPDX-License-Identifier: Apache-2.0
 * watch - davit watch ENV|ROLLOUT: one screen, in place, until the rollout ends; without a terminal one line a
 *         change and a heartbeat a minute; with --json the events as they come. Leaves with the rollout's own
 *         exit code. Ctrl-C detaches: the rollout goes on. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum {
	HEARTBEAT_MS = 60000,
	RECONNECT_MS = 200,
	RECONNECTS_MAX = 50,
	FRAME_MAX = 64 * 1024,
	BAR_CELLS = 16
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

struct follow {
	struct cli *cli;
	const struct follow_options *options;
	json_t *last; /* the rollout as it was last seen */
	char line[512];
	uint64_t seq;
	uint64_t began_ms, spoke_ms;
	bool ended, late;
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- the screen: the steps that matter to people are the shares, and what is held at them */

static void put_traffic(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *traffic = json_object_get(rollout, "traffic"),
		     *fresh = json_object_get(traffic, "new"),
		     *old = json_object_get(traffic, "old");
	char a[32], b[32];
	uint64_t requests = json_number_of(fresh, "requests");
	screen_put(cli, to, TONE_PLAIN, "  errors %s vs %s   p99 %llu vs %llu ms   %llu requests",
		   screen_share(json_number_of(fresh, "errors"), requests, a),
		   screen_share(json_number_of(old, "errors"), json_number_of(old, "requests"), b),
		   (unsigned long long)json_number_of(fresh, "p99_us") / 1000,
		   (unsigned long long)json_number_of(old, "p99_us") / 1000,
		   (unsigned long long)requests);
}

static void put_bar(const struct cli *cli, struct buf *to, uint64_t part, uint64_t whole)
{
	char bar[BAR_CELLS + 1];
	uint64_t filled = whole > 0 ? part * BAR_CELLS / whole : 0;
	for (uint64_t i = 0; i < BAR_CELLS; i++)
		bar[i] = i < filled ? '#' : '-';
	bar[BAR_CELLS] = '\0';
	screen_put(cli, to, TONE_BUSY, "  [%s]", bar);
}

static void put_step(const struct cli *cli, struct buf *to, const json_t *rollout,
		     const json_t *step)
{
	const char *state = json_text_of(step, "state"), *op = json_text_of(step, "op");
	const json_t *hold = json_object_get(rollout, "hold");
	bool active = strcmp(state, "active") == 0;
	char a[32], b[32];
	screen_put(cli, to, screen_tone(state), "  %s ", screen_glyph(cli, state));
	screen_put(cli, to, active ? TONE_BUSY : TONE_PLAIN, "%-6s", json_text_of(step, "label"));
	screen_put(cli, to, strcmp(state, "waiting") == 0 ? TONE_FAINT : TONE_PLAIN, " %s",
		   json_text_of(step, "text"));
	if (active && strcmp(op, "hold") == 0) {
		uint64_t held = json_number_of(hold, "held_ms"),
			 least = json_number_of(hold, "for_ms");
		put_bar(cli, to, held, least);
		screen_put(cli, to, TONE_PLAIN, " %s of %s", screen_duration(held, a),
			   screen_duration(least, b));
	}
	buf_puts(to, "\n");
}

/* All holds, shares and the mark; the rest only while it is what happens now, or what failed. */
static bool worth_a_line(const json_t *step)
{
	const char *state = json_text_of(step, "state"), *op = json_text_of(step, "op");
	return strcmp(op, "hold") == 0 || strcmp(op, "gate") == 0 || strcmp(op, "mark") == 0 ||
	       strcmp(op, "route") == 0 || strcmp(state, "active") == 0 ||
	       strcmp(state, "failed") == 0;
}

static void put_screen(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *instances = json_object_get(rollout, "instances"),
		     *fresh = json_object_get(instances, "new"),
		     *old = json_object_get(instances, "old"), *step;
	const char *state = json_text_of(rollout, "state");
	char elapsed[32];
	size_t i;
	screen_put(cli, to, TONE_PLAIN, "%s → %s  ", json_text_of(rollout, "app"),
		   json_text_of(rollout, "environment"));
	const char *from = json_text_of(json_object_get(rollout, "old"), "tag");
	if (from[0])
		screen_put(cli, to, TONE_PLAIN, "%s → ", from);
	screen_put(cli, to, TONE_PLAIN, "%s  %s  rollout %llu  ",
		   json_text_of(json_object_get(rollout, "new"), "tag"),
		   json_text_of(rollout, "strategy"),
		   (unsigned long long)json_number_of(rollout, "number"));
	screen_put(cli, to, screen_tone(state), "%s %s", screen_glyph(cli, state), state);
	screen_put(cli, to, TONE_FAINT, "  %s\n",
		   screen_duration(json_number_of(rollout, "elapsed_ms"), elapsed));
	json_array_foreach(json_object_get(rollout, "steps"), i, step) if (worth_a_line(step))
		put_step(cli, to, rollout, step);
	put_traffic(cli, to, rollout);
	buf_puts(to, "\n");
	screen_put(cli, to, TONE_PLAIN,
		   "  instances  new %llu/%llu ready   old %llu/%llu serving   weight %g%%\n",
		   (unsigned long long)json_number_of(fresh, "ready"),
		   (unsigned long long)json_number_of(fresh, "want"),
		   (unsigned long long)json_number_of(old, "ready"),
		   (unsigned long long)json_number_of(old, "want"),
		   (double)json_number_of(rollout, "weight_bp") / 100);
}

/* --- without a terminal: one line a change */

static void plain_line(struct follow *f, const json_t *rollout, const char *text)
{
	const json_t *step =
		json_array_get(json_object_get(rollout, "steps"), json_number_of(rollout, "step"));
	char line[512], when[40];
	struct timespec now;
	snprintf(line, sizeof line, "rollout=%llu state=%s step=%llu/%zu weight=%g%% %s%s%s",
		 (unsigned long long)json_number_of(rollout, "number"),
		 json_text_of(rollout, "state"),
		 (unsigned long long)json_number_of(rollout, "step") + 1,
		 json_array_size(json_object_get(rollout, "steps")),
		 (double)json_number_of(rollout, "weight_bp") / 100, json_text_of(step, "op"),
		 text[0] ? ": " : "", text);
	uint64_t at = now_ms();
	if (strcmp(line, f->line) == 0 && at - f->spoke_ms < HEARTBEAT_MS)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	printf("%s %s\n",
	       text_format_time((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, when,
				sizeof when),
	       line);
	fflush(stdout);
	text_copy(f->line, sizeof f->line, line);
	f->spoke_ms = at;
}

static bool over(const json_t *rollout)
{
	return json_is_true(json_object_get(rollout, "ended")) ||
	       strcmp(json_text_of(rollout, "state"), "stuck") == 0;
}

static bool on_line(void *context, const char *text)
{
	struct follow *f = context;
	json_t *event = json_loads(text, 0, NULL), *rollout = json_object_get(event, "rollout");
	if (!rollout) {
		json_decref(event);
		return true;
	}
	f->seq = json_number_of(event, "seq");
	if (f->cli->json)
		printf("%s\n", text), fflush(stdout);
	else if (f->cli->terminal) {
		struct buf frame;
		buf_init(&frame, FRAME_MAX);
		put_screen(f->cli, &frame, rollout);
		screen_frame(&frame);
		buf_done(&frame);
	} else
		plain_line(f, rollout,
			   strcmp(json_text_of(event, "kind"), "transition") == 0
				   ? json_text_of(event, "text")
				   : "");
	json_decref(f->last);
	f->last = json_incref(rollout);
	json_decref(event);
	f->ended = over(f->last);
	if (f->options->promote)
		promote_step(f->cli, f->last);
	/* A pause that needs a person is the end of a wait where there is none. */
	if (!f->ended && !f->cli->terminal && !f->options->promote &&
	    strcmp(json_text_of(f->last, "state"), "paused") == 0)
		return false;
	return !f->ended;
}

static bool on_idle(void *context)
{
	struct follow *f = context;
	f->late = f->options->timeout_ms > 0 && now_ms() - f->began_ms > f->options->timeout_ms;
	return !interrupted && !f->late;
}

/* A server that was restarted is back in a moment; the rollout went on without us. */
static int follow_through(struct follow *f, struct client *client, const char *rollout,
			  struct error *err)
{
	char path[512], rest[64];
	int result = 0;
	for (int tries = 0; tries < RECONNECTS_MAX; tries++) {
		struct timespec pause = {0, RECONNECT_MS * 1000000L};
		snprintf(rest, sizeof rest, "/events?follow=1&since=%llu",
			 (unsigned long long)f->seq);
		client_path("/v1/rollouts/", rollout, rest, path, sizeof path);
		result = client_stream(client, path, on_line, f, err);
		bool lost = result == ERR_CLOSED || result == ERR_UNAVAILABLE ||
			    (result == 0 && !f->ended);
		if (interrupted || f->late || f->ended || !lost ||
		    (!f->last && result == ERR_UNAVAILABLE))
			break;
		if (f->last && strcmp(json_text_of(f->last, "state"), "paused") == 0 &&
		    !f->cli->terminal)
			break;
		nanosleep(&pause, NULL);
	}
	return f->last ? 0 : result;
}

static int leave_early(const struct follow *f)
{
	const char *environment = json_text_of(f->last, "environment");
	unsigned long long number = json_number_of(f->last, "number");
	if (interrupted)
		fprintf(stderr, "Detached; rollout %llu goes on. Next: davit watch %s\n", number,
			environment);
	else if (f->late)
		fprintf(stderr, "Rollout %llu is still under way. Next: davit watch %s\n", number,
			environment);
	else
		fprintf(stderr, "%s\nNext: %s\n", json_text_of(f->last, "why"),
			json_text_of(f->last, "next"));
	return interrupted ? CLI_DETACHED : CLI_STILL_RUNNING;
}

int follow_rollout(struct cli *cli, struct client *client, const char *rollout,
		   const struct follow_options *options)
{
	struct follow f = {.cli = cli, .began_ms = now_ms(), .options = options};
	struct sigaction action = {.sa_handler = on_interrupt}, before;
	struct error err;
	interrupted = 0;
	sigaction(SIGINT, &action, &before);
	client_on_idle(client, on_idle, &f);
	int result = follow_through(&f, client, rollout, &err), code;
	sigaction(SIGINT, &before, NULL);
	client_on_idle(client, NULL, NULL);
	screen_frame(NULL);
	if (result < 0)
		return cli_fail(cli, &err, "davit status");
	if (!f.ended) {
		code = leave_early(&f);
	} else {
		code = (int)json_number_of(f.last, "exit_code");
		if (!cli->json)
			print_outcome(cli, f.last);
	}
	json_decref(f.last);
	return code;
}

int verb_watch(struct cli *cli)
{
	struct client *client;
	struct error err;
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, "davit up");
	int code = follow_rollout(cli, client, cli_arg(cli, 0), &(struct follow_options){0});
	client_free(client);
	return code;
}
