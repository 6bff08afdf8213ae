/* SPDX-License-Identifier: Apache-2.0
 * build_watch - a build as it is followed: a line for each change of a stage, what the stages write, and what came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/build_follow.h"
#include "cli/build_view.h"
#include "cli/builds.h"
#include "cli/screen.h"

enum { PAGE_MAX = 512 * 1024, TAIL_LINES = 20, SHORT_ID = 12 };

/* What was seen of a build so far. */
struct watched {
	struct cli *cli;
	struct client *client;
	uint64_t number;
	bool lines;   /* of stages, too */
	bool waiting; /* it was said that it waits */
	bool started; /* it was said that it is its turn */
	unsigned width;
	const char *stage; /* whose lines are shown now */
	struct {
		char name[BUILD_STAGE_SIZE], state[16];
		uint64_t attempt, next;
	} stages[BUILD_STAGES_MAX];
};

/* Every line of the log begins with its time. */
static const char *words_of(const char *line)
{
	const char *blank = strchr(line, ' ');
	return blank ? blank + 1 : line;
}

static void show_line(void *context, const char *line)
{
	struct watched *w = context;
	struct buf page;
	buf_init(&page, PAGE_MAX);
	screen_put(w->cli, &page, TONE_FAINT, "%-*s | ", (int)w->width, w->stage);
	screen_put_foreign(&page, words_of(line));
	buf_puts(&page, "\n");
	fwrite(buf_text(&page), 1, page.size, stdout);
	buf_done(&page);
}

static void show_lines(struct watched *w, size_t index)
{
	struct error ignored; /* the build itself says more */
	w->stage = w->stages[index].name;
	(void)!build_lines(w->client, w->number, w->stage, &w->stages[index].next, show_line, w,
			   &ignored);
	fflush(stdout);
}

struct tail {
	uint64_t count;
	char *lines[TAIL_LINES]; /* the last ones, in a ring */
};

static void keep_line(void *context, const char *line)
{
	struct tail *tail = context;
	char **place = &tail->lines[tail->count++ % TAIL_LINES];
	free(*place);
	*place = mem_copy_text(words_of(line));
}

/* The end of a failed stage's log. */
static void show_tail(struct client *client, uint64_t number, const char *stage)
{
	struct tail tail = {.count = 0};
	struct error ignored;
	struct buf page;
	uint64_t next = 0;
	(void)!build_lines(client, number, stage, &next, keep_line, &tail, &ignored);
	buf_init(&page, PAGE_MAX);
	if (tail.count > 0)
		buf_printf(&page, "\nThe last lines of %s:\n", stage);
	for (uint64_t i = tail.count > TAIL_LINES ? tail.count - TAIL_LINES : 0; i < tail.count;
	     i++) {
		buf_puts(&page, "  ");
		screen_put_foreign(&page, tail.lines[i % TAIL_LINES]);
		buf_puts(&page, "\n");
	}
	for (size_t i = 0; i < TAIL_LINES; i++)
		free(tail.lines[i]);
	build_print(&page);
}

static void show_change(struct watched *w, size_t index, const json_t *stage)
{
	struct buf page;
	const char *state = json_text_of(stage, "state");
	if (w->cli->json) {
		json_t *o = json_deep_copy(stage);
		json_object_set_new(o, "schema", json_string("davit.v1/build-stage"));
		json_object_set_new(o, "build", json_integer((json_int_t)w->number));
		ask_print(o);
		fflush(stdout);
	} else if (strcmp(state, "pending") != 0) {
		if (w->lines && strcmp(state, "skipped") != 0 && strcmp(state, "taken") != 0)
			show_lines(w, index);
		buf_init(&page, PAGE_MAX);
		build_put_stage(w->cli, &page, stage, w->width);
		build_print(&page);
	}
	text_copy(w->stages[index].state, sizeof w->stages[index].state, state);
	w->stages[index].attempt = json_number_of(stage, "attempt");
}

static void show_stage(struct watched *w, size_t index, const json_t *stage)
{
	const char *name = json_text_of(stage, "stage"), *state = json_text_of(stage, "state");
	bool other = json_number_of(stage, "attempt") != w->stages[index].attempt;
	if (strcmp(w->stages[index].name, name) != 0)
		text_copy(w->stages[index].name, sizeof w->stages[index].name, name);
	if (strcmp(w->stages[index].state, state) != 0 || other)
		show_change(w, index, stage);
	else if (w->lines && strcmp(state, "running") == 0)
		show_lines(w, index);
}

static void show_news(void *context, const json_t *build)
{
	struct watched *w = context;
	const json_t *stage;
	size_t i;
	bool queued = strcmp(json_text_of(build, "state"), "queued") == 0;
	w->width = build_width(build);
	if (queued && !w->waiting && !w->cli->json)
		printf("Build %llu waits for its turn.\n", (unsigned long long)w->number);
	w->waiting = true;
	if (!queued && !w->started && !w->cli->json)
		printf("Build %llu: %s at %.*s\n", (unsigned long long)w->number,
		       json_text_of(build, "app"), SHORT_ID, json_text_of(build, "commit"));
	w->started |= !queued;
	fflush(stdout);
	json_array_foreach (json_object_get(build, "stages"), i, stage)
		if (i < BUILD_STAGES_MAX)
			show_stage(w, i, stage);
}

/* Where to go from here. */
static void put_next(struct buf *to, const json_t *build, const char *state)
{
	if (strcmp(state, "failed") == 0)
		buf_printf(to, "Nothing went out. Next: davit logs build/%llu\n",
			   (unsigned long long)json_number_of(build, "number"));
	else if (strcmp(state, "passed") == 0 && json_text_of(build, "tag")[0] &&
		 json_array_size(json_object_get(build, "rollouts")) == 0)
		buf_printf(to, "Next: davit deploy ENV %s\n", json_text_of(build, "tag"));
}

static int show_end(struct cli *cli, struct client *client, json_t *build)
{
	const char *state = json_text_of(build, "state");
	uint64_t number = json_number_of(build, "number");
	int code = strcmp(state, "passed") == 0   ? CLI_OK
		   : strcmp(state, "failed") == 0 ? CLI_PIPELINE_FAILED
						  : CLI_CANCELLED;
	const json_t *stage;
	struct buf page;
	size_t i;
	if (cli->json) {
		ask_print(build);
		return code;
	}
	json_array_foreach (json_object_get(build, "stages"), i, stage)
		if (strcmp(json_text_of(stage, "state"), "failed") == 0)
			show_tail(client, number, json_text_of(stage, "stage"));
	buf_init(&page, PAGE_MAX);
	build_put_state(cli, &page, state);
	buf_printf(&page, "  build %llu", (unsigned long long)number);
	if (json_text_of(build, "tag")[0])
		buf_printf(&page, "  release %s", json_text_of(build, "tag"));
	if (json_text_of(build, "why")[0]) {
		buf_puts(&page, "  ");
		screen_put_foreign(&page, json_text_of(build, "why"));
	}
	buf_puts(&page, "\n");
	build_put_rollouts(cli, &page, build);
	put_next(&page, build, state);
	build_print(&page);
	json_decref(build);
	return code;
}

static int watch(struct cli *cli, struct client *client, json_t *build, bool lines)
{
	struct watched *w = mem_zero(1, sizeof *w);
	w->cli = cli;
	w->client = client;
	w->number = json_number_of(build, "number");
	w->lines = lines && !cli->json;
	json_t *ended;
	int code = build_follow(cli, client, build, show_news, w, &ended);
	free(w);
	return code == CLI_OK ? show_end(cli, client, ended) : code;
}

int build_ordered(struct cli *cli, struct client *client, const char *path, json_t *body,
		  bool lines)
{
	struct error err;
	json_t *build;
	if (client_post(client, path, body, &build, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	return watch(cli, client, build, lines);
}

int build_watch(struct cli *cli, struct client *client, const char *target)
{
	char stage[BUILD_STAGE_SIZE];
	json_t *build;
	struct error err;
	int code = build_fetch(cli, client, target, &build, stage);
	if (code != CLI_OK)
		return code;
	if (!stage[0])
		return watch(cli, client, build, cli->terminal);
	json_decref(build);
	error_set(&err, ERR_INVALID,
		  "A build is watched whole; one of its stages is followed by its log.");
	char next[128];
	snprintf(next, sizeof next, "davit logs %.80s -f", target);
	return cli_fail(cli, &err, next);
}
