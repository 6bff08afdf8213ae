/* SPDX-License-Identifier: Apache-2.0
 * watch - davit watch ENV|ROLLOUT|build/N: one screen, in place, until the rollout ends; without a terminal one line a
 *         change and a heartbeat a minute; with --json the events as they come. Leaves with the rollout's own
 *         exit code. Ctrl-C detaches: the rollout goes on. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/build_follow.h"
#include "cli/builds.h"
#include "cli/rollout_view.h"
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

/* --- without a terminal: one line a change */

static void print_line(struct follow *f, uint64_t at_unix_ms, const char *line)
{
	char when[40];
	printf("%s %s\n", text_format_time(at_unix_ms, when, sizeof when), line);
	fflush(stdout);
	f->spoke_ms = now_ms();
}

/* A change of state, in the words in which it was written down. */
static void print_transition(struct follow *f, const json_t *rollout, uint64_t seq)
{
	const json_t *row;
	char line[512];
	size_t i;
	json_array_foreach (json_object_get(rollout, "history"), i, row) {
		if (json_number_of(row, "seq") != seq)
			continue;
		snprintf(line, sizeof line, "rollout=%llu state=%s: %s",
			 (unsigned long long)json_number_of(rollout, "number"),
			 json_text_of(row, "to"), json_text_of(row, "text"));
		print_line(f, json_number_of(row, "at_unix_ms"), line);
	}
}

/* Where it is: when that changed, and once a minute. */
static void print_progress(struct follow *f, const json_t *rollout, uint64_t at_unix_ms)
{
	const json_t *steps = json_object_get(rollout, "steps"),
		     *step = json_array_get(steps, json_number_of(rollout, "step"));
	char line[512];
	if (!step)
		return;
	snprintf(line, sizeof line, "rollout=%llu state=%s step=%llu/%zu weight=%g%% %s%s%s",
		 (unsigned long long)json_number_of(rollout, "number"),
		 json_text_of(rollout, "state"),
		 (unsigned long long)json_number_of(rollout, "step") + 1, json_array_size(steps),
		 (double)json_number_of(rollout, "weight_bp") / 100, json_text_of(step, "op"),
		 json_text_of(step, "label")[0] ? " " : "", json_text_of(step, "label"));
	if (strcmp(line, f->line) == 0 && now_ms() - f->spoke_ms < HEARTBEAT_MS)
		return;
	print_line(f, at_unix_ms, line);
	text_copy(f->line, sizeof f->line, line);
}

/* --- what comes from the server */

static void show(struct follow *f, const json_t *event, const json_t *rollout, const char *text)
{
	const char *kind = json_text_of(event, "kind");
	if (f->cli->json) {
		printf("%s\n", text);
		fflush(stdout);
	} else if (f->cli->terminal) {
		struct buf frame;
		buf_init(&frame, FRAME_MAX);
		rollout_draw(f->cli, rollout, &frame);
		screen_frame(&frame);
		buf_done(&frame);
	} else if (strcmp(kind, "transition") == 0) {
		print_transition(f, rollout, json_number_of(event, "seq"));
	} else if (strcmp(kind, "progress") == 0) {
		print_progress(f, rollout, json_number_of(event, "at_unix_ms"));
	}
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
	show(f, event, rollout, text);
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

static int leave_early(const struct follow *f, const char *rollout)
{
	const char *environment = json_text_of(f->last, "environment");
	const char *name = environment[0] ? environment : rollout;
	if (interrupted)
		fprintf(stderr, "Detached; the rollout goes on. Next: davit watch %s\n", name);
	else if (f->late)
		fprintf(stderr, "The rollout is still under way. Next: davit watch %s\n", name);
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
	bool drawn = cli->terminal && !cli->json;
	if (drawn)
		screen_open();
	interrupted = 0;
	sigaction(SIGINT, &action, &before);
	client_on_idle(client, on_idle, &f);
	int result = follow_through(&f, client, rollout, &err), code;
	sigaction(SIGINT, &before, NULL);
	client_on_idle(client, NULL, NULL);
	if (drawn)
		screen_close();
	if (result < 0)
		return cli_fail(cli, &err, client_next(client));
	if (!f.ended) {
		code = leave_early(&f, rollout);
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
		return cli_fail(cli, &err, client_open_next(cli));
	const char *what = cli_arg(cli, 0);
	char stage[BUILD_STAGE_SIZE];
	uint64_t number;
	/* No environment has a name that begins with a digit. */
	int code = build_target(what, &number, stage)
			   ? build_watch(cli, client, what)
			   : follow_rollout(cli, client, what, &(struct follow_options){0});
	client_free(client);
	return code;
}
