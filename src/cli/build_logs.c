/* SPDX-License-Identifier: Apache-2.0
 * build_logs - davit logs build/N[/STAGE] [-f] [-n N]: what the stages of a build have written, and what they write until it
 *              has ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/build_follow.h"
#include "cli/builds.h"
#include "cli/screen.h"

enum { LINE_MAX_BYTES = 512 * 1024 };

/* What was shown of a build so far. */
struct shown {
	const struct cli *cli;
	struct client *client;
	uint64_t number, origin; /* origin: where the stage that is shown ran, or 0 */
	const char *only;        /* this stage, or "": all */
	const char *stage;       /* whose lines come */
	bool found;              /* there is a stage of that name */
	int code;                /* negative: what could not be read last, and `err` */
	struct error err;
	struct {
		char state[16];
		uint64_t attempt, next;
		bool begun;
	} stages[BUILD_STAGES_MAX];
	uint64_t tail_size, tail_count; /* 0: all lines are shown */
	char **tail;                    /* the last ones, in a ring */
};

static void print_line(void *context, const char *line)
{
	struct shown *s = context;
	if (s->cli->json) {
		json_t *o = json_pack("{s:s,s:I,s:s,s:s}", "schema", "davit.v1/build-line", "build",
				      (json_int_t)s->number, "stage", s->stage, "line", line);
		if (s->origin > 0)
			json_object_set_new(o, "from_build", json_integer((json_int_t)s->origin));
		ask_print(o);
		return;
	}
	struct buf safe;
	buf_init(&safe, LINE_MAX_BYTES);
	screen_put_foreign(&safe, line);
	printf("%s %s\n", s->stage, buf_text(&safe));
	buf_done(&safe);
}

static void keep_line(void *context, const char *line)
{
	struct shown *s = context;
	char **place = &s->tail[s->tail_count++ % s->tail_size];
	free(*place);
	*place = mem_copy_text(line);
}

static void print_tail(struct shown *s)
{
	uint64_t from = s->tail_count > s->tail_size ? s->tail_count - s->tail_size : 0;
	for (; from < s->tail_count; from++)
		print_line(s, s->tail[from % s->tail_size]);
	s->tail_count = 0;
}

/* Of a stage that was taken over it is what it wrote when it ran. */
static void show_stage(struct shown *s, size_t index, const json_t *stage)
{
	const char *state = json_text_of(stage, "state");
	uint64_t attempt = json_number_of(stage, "attempt");
	bool first = !s->stages[index].begun;
	s->stage = json_text_of(stage, "stage");
	s->origin = json_number_of(stage, "from_build");
	if (strcmp(state, "pending") == 0 || strcmp(state, "skipped") == 0 ||
	    (strcmp(state, "running") != 0 && strcmp(state, s->stages[index].state) == 0 &&
	     attempt == s->stages[index].attempt))
		return;
	if (first && s->origin > 0 && !s->cli->json)
		printf("%s (from build %llu)\n", s->stage, (unsigned long long)s->origin);
	bool tail = first && s->tail_size > 0;
	int code = build_lines(s->client, s->number, s->stage, &s->stages[index].next,
			       tail ? keep_line : print_line, s, &s->err);
	if (tail)
		print_tail(s);
	s->stages[index].begun = true;
	s->stages[index].attempt = attempt;
	if (code < 0)
		s->code = code; /* and it is asked for again */
	else
		text_copy(s->stages[index].state, sizeof s->stages[index].state, state);
}

static void show_build(void *context, const json_t *build)
{
	struct shown *s = context;
	const json_t *stage;
	size_t i;
	s->code = 0;
	json_array_foreach (json_object_get(build, "stages"), i, stage) {
		bool wanted = !s->only[0] || strcmp(s->only, json_text_of(stage, "stage")) == 0;
		s->found |= wanted;
		if (wanted && i < BUILD_STAGES_MAX)
			show_stage(s, i, stage);
	}
	fflush(stdout);
}

static int show(struct shown *s, json_t *build)
{
	int code = CLI_OK;
	json_t *ended = NULL;
	if (!cli_option(s->cli, "follow")) {
		show_build(s, build);
	} else {
		if (strcmp(json_text_of(build, "state"), "queued") == 0)
			fprintf(stderr, "Build %llu waits for its turn.\n",
				(unsigned long long)s->number);
		code = build_follow(s->cli, s->client, build, show_build, s, &ended);
		if (code != CLI_OK)
			return code;
		if (s->code < 0) /* the server was away in the last moment */
			show_build(s, ended);
		build = ended;
	}
	if (s->code < 0) {
		code = cli_fail(s->cli, &s->err, client_next(s->client));
	} else if (!s->found && s->only[0]) {
		error_set(&s->err, ERR_NOT_FOUND, "Build %llu has no stage \"%s\".",
			  (unsigned long long)s->number, s->only);
		code = cli_fail(s->cli, &s->err, "davit builds");
	}
	json_decref(build);
	return code;
}

int build_logs(const struct cli *cli, struct client *client, const char *target, uint64_t lines)
{
	char only[BUILD_STAGE_SIZE];
	json_t *build;
	int code = build_fetch(cli, client, target, &build, only);
	if (code != CLI_OK)
		return code;
	struct shown *s = mem_zero(1, sizeof *s);
	s->cli = cli;
	s->client = client;
	s->number = json_number_of(build, "number");
	s->only = only;
	s->tail_size = lines;
	s->tail = lines > 0 ? mem_zero(lines, sizeof *s->tail) : NULL;
	code = show(s, build);
	for (uint64_t i = 0; i < lines; i++)
		free(s->tail[i]);
	free(s->tail);
	free(s);
	return code;
}
