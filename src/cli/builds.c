/* SPDX-License-Identifier: Apache-2.0
 * builds - davit builds: what the server builds and has built; and a build as it is followed.
 *
 * Following asks four times a second: for the stages, and for what they have written since. */
#include "cli/builds.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/schedule_view.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum {
	STAGES_MAX = 32,
	PAGE_MAX = 512 * 1024,
	TAIL_LINES = 20,
	FAILURES_MAX = 120,
	LIMIT_MAX = 1000,
	SHORT_ID = 12
};

static const struct timespec PAUSE = {.tv_nsec = 250 * 1000000L};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* What was seen of a build so far. */
struct follow {
	struct cli *cli;
	struct client *client;
	uint64_t number;
	bool lines;   /* of stages, too */
	bool started; /* it was said that it is its turn */
	unsigned width;
	struct followed {
		char name[48], state[16];
		uint64_t attempt, next;
	} stages[STAGES_MAX];
};

static void print(struct buf *page)
{
	fwrite(buf_text(page), 1, page->size, stdout);
	fflush(stdout);
	buf_done(page);
}

/* "passed" is green as a passed step is, and so is what is taken from a build in which it passed. */
static const char *look_of(const char *state)
{
	return strcmp(state, "passed") == 0 || strcmp(state, "taken") == 0 ? "pass" : state;
}

static void put_state(const struct cli *cli, struct buf *to, const char *state)
{
	screen_put(cli, to, screen_tone(look_of(state)), "%s %-9s",
		   screen_glyph(cli, look_of(state)), state);
}

static void put_findings(struct buf *to, const json_t *findings)
{
	if (!findings)
		return;
	buf_printf(to, "  findings: %llu new, %llu existing, %llu fixed",
		   (unsigned long long)json_number_of(findings, "new"),
		   (unsigned long long)json_number_of(findings, "existing"),
		   (unsigned long long)json_number_of(findings, "fixed"));
	if (json_number_of(findings, "waived") > 0)
		buf_printf(to, ", %llu waived",
			   (unsigned long long)json_number_of(findings, "waived"));
	if (json_text_of(findings, "since")[0]) {
		buf_puts(to, " since ");
		screen_put_foreign(to, json_text_of(findings, "since"));
	}
}

static void put_stage(const struct cli *cli, struct buf *to, const json_t *stage, unsigned width)
{
	const char *state = json_text_of(stage, "state");
	const json_t *tests = json_object_get(stage, "tests");
	bool over = strcmp(state, "passed") == 0 || strcmp(state, "failed") == 0;
	char took[32] = "";
	if (over)
		screen_duration(json_number_of(stage, "took_ms"), took);
	put_state(cli, to, state);
	buf_printf(to, "  %-*s  %6s", (int)width, json_text_of(stage, "stage"), took);
	if (tests)
		buf_printf(to, "  %llu of %llu tests passed",
			   (unsigned long long)(json_number_of(tests, "tests") -
						json_number_of(tests, "failed") -
						json_number_of(tests, "skipped")),
			   (unsigned long long)json_number_of(tests, "tests"));
	put_findings(to, json_object_get(stage, "findings"));
	if (json_number_of(stage, "from_build") > 0)
		buf_printf(to, "  from build %llu",
			   (unsigned long long)json_number_of(stage, "from_build"));
	else if (json_number_of(stage, "attempt") > 1)
		buf_printf(to, "  attempt %llu",
			   (unsigned long long)json_number_of(stage, "attempt"));
	if (json_text_of(stage, "why")[0]) {
		buf_puts(to, "  ");
		screen_put_foreign(to, json_text_of(stage, "why"));
		if (strcmp(state, "skipped") == 0 &&
		    strcmp(json_text_of(stage, "why"), "left out") != 0)
			buf_puts(to, " failed");
	}
	while (to->size > 0 && to->data[to->size - 1] == ' ')
		to->data[--to->size] = '\0';
	buf_puts(to, "\n");
}

static unsigned width_of(const json_t *build)
{
	const json_t *stage;
	size_t i, width = 0;
	json_array_foreach (json_object_get(build, "stages"), i, stage) {
		size_t size = strlen(json_text_of(stage, "stage"));
		width = size > width ? size : width;
	}
	return (unsigned)width;
}

/* --- the lines of its stages */

static int get_lines(struct client *client, uint64_t number, const char *stage, uint64_t from,
		     json_t **ret_answer, struct error *err)
{
	char path[256];
	snprintf(path, sizeof path, "/v1/builds/%llu/log/%s?from=%llu", (unsigned long long)number,
		 stage, (unsigned long long)from);
	return client_get(client, path, ret_answer, err);
}

/* Every line of the log begins with its time. */
static const char *words_of(const char *line)
{
	const char *blank = strchr(line, ' ');
	return blank ? blank + 1 : line;
}

static void show_lines(struct follow *f, struct followed *seen)
{
	json_t *answer;
	const json_t *line;
	struct error err;
	struct buf page;
	size_t i;
	if (get_lines(f->client, f->number, seen->name, seen->next, &answer, &err) < 0)
		return; /* the build itself says more */
	buf_init(&page, PAGE_MAX);
	json_array_foreach (json_object_get(answer, "lines"), i, line) {
		screen_put(f->cli, &page, TONE_FAINT, "%-*s | ", (int)f->width, seen->name);
		screen_put_foreign(&page, words_of(json_string_value(line)));
		buf_puts(&page, "\n");
	}
	seen->next = json_number_of(answer, "next");
	json_decref(answer);
	print(&page);
}

/* The end of a failed stage's log. */
static void show_tail(struct client *client, uint64_t number, const char *stage)
{
	json_t *answer, *last = NULL;
	struct error err;
	struct buf page;
	uint64_t from = 0;
	while (get_lines(client, number, stage, from, &answer, &err) == 0) {
		bool more = json_number_of(answer, "next") > from;
		from = json_number_of(answer, "next");
		if (more || !last) {
			json_decref(last);
			last = answer;
		} else {
			json_decref(answer);
		}
		if (!more)
			break;
	}
	const json_t *lines = json_object_get(last, "lines");
	size_t count = json_array_size(lines);
	buf_init(&page, PAGE_MAX);
	if (count > 0)
		buf_printf(&page, "\nThe last lines of %s:\n", stage);
	for (size_t i = count > TAIL_LINES ? count - TAIL_LINES : 0; i < count; i++) {
		buf_puts(&page, "  ");
		screen_put_foreign(&page, words_of(json_string_value(json_array_get(lines, i))));
		buf_puts(&page, "\n");
	}
	json_decref(last);
	print(&page);
}

/* --- following */

static void show_change(struct follow *f, struct followed *seen, const json_t *stage)
{
	struct buf page;
	const char *state = json_text_of(stage, "state");
	if (f->cli->json) {
		json_t *o = json_deep_copy(stage);
		json_object_set_new(o, "schema", json_string("davit.v1/build-stage"));
		json_object_set_new(o, "build", json_integer((json_int_t)f->number));
		ask_print(o);
		fflush(stdout);
	} else if (strcmp(state, "pending") != 0) {
		if (f->lines && strcmp(state, "skipped") != 0 && strcmp(state, "taken") != 0)
			show_lines(f, seen);
		buf_init(&page, PAGE_MAX);
		put_stage(f->cli, &page, stage, f->width);
		print(&page);
	}
	text_copy(seen->state, sizeof seen->state, state);
	seen->attempt = json_number_of(stage, "attempt");
}

static void show_news(struct follow *f, const json_t *build)
{
	const json_t *stage;
	size_t i;
	f->width = width_of(build);
	if (!f->started && strcmp(json_text_of(build, "state"), "queued") != 0) {
		f->started = true;
		if (!f->cli->json)
			printf("Build %llu: %s at %.*s\n", (unsigned long long)f->number,
			       json_text_of(build, "app"), SHORT_ID, json_text_of(build, "commit"));
	}
	json_array_foreach (json_object_get(build, "stages"), i, stage) {
		struct followed *seen = &f->stages[i];
		const char *state = json_text_of(stage, "state");
		if (i >= STAGES_MAX)
			break;
		if (strcmp(seen->name, json_text_of(stage, "stage")) != 0) {
			*seen = (struct followed){.state = ""};
			text_copy(seen->name, sizeof seen->name, json_text_of(stage, "stage"));
		}
		if (json_number_of(stage, "attempt") != seen->attempt)
			seen->next = 0; /* each attempt has a log of its own */
		if (strcmp(seen->state, state) != 0 ||
		    json_number_of(stage, "attempt") != seen->attempt)
			show_change(f, seen, stage);
		else if (f->lines && strcmp(state, "running") == 0)
			show_lines(f, seen);
	}
}

static void put_rollouts(const struct cli *cli, struct buf *to, const json_t *build)
{
	const json_t *rollout;
	size_t i;
	json_array_foreach (json_object_get(build, "rollouts"), i, rollout) {
		const char *environment = json_text_of(rollout, "environment");
		if (json_number_of(rollout, "rollout") > 0)
			screen_put(cli, to, TONE_PLAIN,
				   "%s %s %s: rollout %llu. Next: davit watch %s\n",
				   json_text_of(build, "tag"), screen_arrow(cli), environment,
				   (unsigned long long)json_number_of(rollout, "rollout"),
				   environment);
		else
			screen_put(cli, to, TONE_PLAIN, "%s does not go to %s: %s\n",
				   json_text_of(build, "tag"), environment,
				   json_text_of(rollout, "why"));
	}
}

static int show_end(struct cli *cli, struct client *client, json_t *build)
{
	const char *state = json_text_of(build, "state");
	uint64_t number = json_number_of(build, "number");
	bool passed = strcmp(state, "passed") == 0, failed = strcmp(state, "failed") == 0;
	int code = passed ? CLI_OK : failed ? CLI_PIPELINE_FAILED : CLI_CANCELLED;
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
	put_state(cli, &page, state);
	buf_printf(&page, "  build %llu", (unsigned long long)number);
	if (json_text_of(build, "tag")[0])
		buf_printf(&page, "  release %s", json_text_of(build, "tag"));
	if (json_text_of(build, "why")[0]) {
		buf_puts(&page, "  ");
		screen_put_foreign(&page, json_text_of(build, "why"));
	}
	buf_puts(&page, "\n");
	put_rollouts(cli, &page, build);
	if (failed)
		buf_printf(&page, "Nothing went out. Next: davit logs build/%llu\n",
			   (unsigned long long)number);
	else if (passed && json_array_size(json_object_get(build, "rollouts")) == 0 &&
		 json_text_of(build, "tag")[0])
		buf_printf(&page, "Next: davit deploy ENV %s\n", json_text_of(build, "tag"));
	print(&page);
	json_decref(build);
	return code;
}

static int follow(struct follow *f, json_t *build)
{
	struct error err;
	char path[64];
	uint32_t failures = 0;
	snprintf(path, sizeof path, "/v1/builds/%llu", (unsigned long long)f->number);
	if (strcmp(json_text_of(build, "state"), "queued") == 0 && !f->cli->json)
		printf("Build %llu waits for its turn.\n", (unsigned long long)f->number);
	fflush(stdout);
	show_news(f, build);
	while (json_number_of(build, "ended_unix_ms") == 0) {
		json_t *news;
		nanosleep(&PAUSE, NULL);
		if (interrupted) {
			fprintf(stderr,
				"Not followed any longer; the build goes on. Next: davit builds "
				"%llu\n",
				(unsigned long long)f->number);
			json_decref(build);
			return CLI_DETACHED;
		}
		int code = client_get(f->client, path, &news, &err);
		/* A server that starts anew goes on with the build. */
		failures = code == 0 ? 0 : failures + 1;
		if (code == ERR_UNAVAILABLE && failures < FAILURES_MAX)
			continue;
		json_decref(build);
		if (code < 0)
			return cli_fail(f->cli, &err, client_next(f->client));
		build = news;
		show_news(f, build);
	}
	return show_end(f->cli, f->client, build);
}

int build_ordered(struct cli *cli, struct client *client, const char *path, json_t *body,
		  bool lines)
{
	struct sigaction action = {.sa_handler = on_interrupt}, before;
	struct error err;
	json_t *build;
	if (client_post(client, path, body, &build, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	struct follow *f = mem_zero(1, sizeof *f);
	f->cli = cli;
	f->client = client;
	f->number = json_number_of(build, "number");
	f->lines = lines && !cli->json;
	sigaction(SIGINT, &action, &before);
	int code = follow(f, build);
	sigaction(SIGINT, &before, NULL);
	free(f);
	return code;
}

/* --- davit logs build/41[/unit] */

/* Of a stage that was taken over it is what it wrote when it ran. */
static int print_log(struct cli *cli, struct client *client, uint64_t number, const json_t *about)
{
	const char *stage = json_text_of(about, "stage");
	uint64_t origin = json_number_of(about, "from_build");
	json_t *answer;
	const json_t *line;
	struct error err;
	uint64_t from = 0, before;
	size_t i;
	if (origin > 0 && !cli->json)
		printf("%s (from build %llu)\n", stage, (unsigned long long)origin);
	do {
		if (get_lines(client, number, stage, from, &answer, &err) < 0)
			return cli_fail(cli, &err, client_next(client));
		before = from;
		from = json_number_of(answer, "next");
		json_array_foreach (json_object_get(answer, "lines"), i, line) {
			if (cli->json) {
				json_t *o = json_pack("{s:s,s:I,s:s,s:s}", "schema",
						      "davit.v1/build-line", "build",
						      (json_int_t)number, "stage", stage, "line",
						      json_string_value(line));
				if (origin > 0)
					json_object_set_new(o, "from_build",
							    json_integer((json_int_t)origin));
				ask_print(o);
				continue;
			}
			struct buf safe;
			buf_init(&safe, PAGE_MAX);
			screen_put_foreign(&safe, json_string_value(line));
			printf("%s %s\n", stage, buf_text(&safe));
			buf_done(&safe);
		}
		json_decref(answer);
	} while (from > before);
	return CLI_OK;
}

int build_logs(struct cli *cli, struct client *client, const char *target)
{
	char text[64], path[96], *slash;
	uint64_t number;
	json_t *build;
	const json_t *stage;
	struct error err;
	size_t i;
	bool known = false;
	int code = CLI_OK;
	text_copy(text, sizeof text, target + sizeof "build/" - 1);
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	if (!text_parse_u64(text, UINT32_MAX, &number)) {
		error_set(&err, ERR_INVALID,
			  "The logs of a build are build/NUMBER or build/NUMBER/STAGE, not \"%s\".",
			  target);
		return cli_fail(cli, &err, "davit builds");
	}
	snprintf(path, sizeof path, "/v1/builds/%llu", (unsigned long long)number);
	if (client_get(client, path, &build, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	json_array_foreach (json_object_get(build, "stages"), i, stage) {
		const char *name = json_text_of(stage, "stage");
		if (slash && strcmp(slash, name) != 0)
			continue;
		known = true;
		if (code == CLI_OK)
			code = print_log(cli, client, number, stage);
	}
	json_decref(build);
	if (!known && slash) {
		error_set(&err, ERR_NOT_FOUND, "Build %llu has no stage \"%s\".",
			  (unsigned long long)number, slash);
		code = cli_fail(cli, &err, "davit builds");
	}
	return code;
}

/* --- davit builds */

static void put_schedules(const struct cli *cli, struct buf *to, const json_t *schedules)
{
	const json_t *schedule;
	size_t i;
	json_array_foreach (schedules, i, schedule) {
		screen_put(cli, to, TONE_PLAIN, "%s of %s: ", json_text_of(schedule, "environment"),
			   json_text_of(schedule, "app"));
		schedule_view_put(cli, to, schedule);
		buf_puts(to, "\n");
	}
}

static int show_list(struct cli *cli)
{
	char path[256] = "/v1/builds", when[32];
	json_t *answer;
	const json_t *build;
	struct buf page;
	size_t i;
	int code = ask_limit(cli, LIMIT_MAX);
	if (code != CLI_OK)
		return code;
	client_query(path, sizeof path, "limit", cli_option(cli, "limit"));
	client_query(path, sizeof path, "app", cli_option(cli, "app"));
	code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&page, 4 * PAGE_MAX);
	json_array_foreach (json_object_get(answer, "builds"), i, build) {
		buf_printf(&page, "%5llu  ", (unsigned long long)json_number_of(build, "number"));
		put_state(cli, &page, json_text_of(build, "state"));
		buf_printf(&page, "  %s  %.*s  %-16s  ",
			   screen_time(json_number_of(build, "created_unix_ms"), when), SHORT_ID,
			   json_text_of(build, "commit"), json_text_of(build, "app"));
		screen_put_foreign(&page, json_text_of(build, "ref"));
		buf_puts(&page, "  ");
		screen_put_foreign(&page, json_text_of(build, "subject"));
		buf_puts(&page, "\n");
	}
	if (page.size == 0)
		buf_puts(&page, "Nothing was built yet. Next: davit build --to ENV, or davit "
				"remote and a push\n");
	put_schedules(cli, &page, json_object_get(answer, "schedules"));
	json_decref(answer);
	print(&page);
	return CLI_OK;
}

/* What the host of the repository could not be told, and why; what it was told is there to be seen. */
static void put_untold(const struct cli *cli, struct buf *to, const json_t *build)
{
	const json_t *report;
	size_t i;
	json_array_foreach (json_object_get(build, "told"), i, report) {
		if (!json_text_of(report, "why")[0])
			continue;
		screen_put(cli, to, TONE_BAD,
			   "The host was not told that %s %s: ", json_text_of(report, "context"),
			   json_text_of(report, "state"));
		screen_put_foreign(to, json_text_of(report, "why"));
		buf_puts(to, strcmp(json_text_of(report, "outcome"), "wanted") == 0
				     ? " It is tried again.\n"
				     : "\n");
	}
}

static void put_elsewhere(struct buf *to, const json_t *external)
{
	if (!external)
		return;
	buf_puts(to, "  made as  ");
	screen_put_foreign(to, json_text_of(external, "run"));
	buf_puts(to, json_text_of(external, "url")[0] ? "  " : "");
	screen_put_foreign(to, json_text_of(external, "url"));
	buf_puts(to, "\n");
}

static int show_one(struct cli *cli, const char *text)
{
	char path[64], when[32];
	uint64_t number;
	json_t *build;
	const json_t *stage;
	struct error err;
	struct buf page;
	size_t i;
	if (!text_parse_u64(text, UINT32_MAX, &number)) {
		error_set(&err, ERR_INVALID, "A build has a number, not \"%s\".", text);
		return cli_fail(cli, &err, "davit builds");
	}
	snprintf(path, sizeof path, "/v1/builds/%llu", (unsigned long long)number);
	int code = ask_get(cli, path, &build);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(build);
		return CLI_OK;
	}
	buf_init(&page, PAGE_MAX);
	put_state(cli, &page, json_text_of(build, "state"));
	buf_printf(&page, "  build %llu of %s, %s", (unsigned long long)number,
		   json_text_of(build, "app"),
		   screen_time(json_number_of(build, "created_unix_ms"), when));
	buf_printf(&page, "\n  commit   %s  ", json_text_of(build, "commit"));
	screen_put_foreign(&page, json_text_of(build, "ref"));
	buf_puts(&page, "\n  subject  ");
	screen_put_foreign(&page, json_text_of(build, "subject"));
	buf_puts(&page, "\n  author   ");
	screen_put_foreign(&page, json_text_of(build, "author"));
	buf_printf(&page, "\n  asked by %s\n", json_text_of(build, "by"));
	put_elsewhere(&page, json_object_get(build, "external"));
	if (json_text_of(build, "why")[0]) {
		buf_puts(&page, "  why      ");
		screen_put_foreign(&page, json_text_of(build, "why"));
		buf_puts(&page, "\n");
	}
	json_array_foreach (json_object_get(build, "stages"), i, stage)
		put_stage(cli, &page, stage, width_of(build));
	put_rollouts(cli, &page, build);
	put_untold(cli, &page, build);
	json_decref(build);
	print(&page);
	return CLI_OK;
}

int verb_builds(struct cli *cli)
{
	return cli_arg(cli, 0) ? show_one(cli, cli_arg(cli, 0)) : show_list(cli);
}
