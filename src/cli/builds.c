/* SPDX-License-Identifier: Apache-2.0
 * builds - davit builds: what the server builds and has built. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/build_view.h"
#include "cli/schedule_view.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { PAGE_MAX = 512 * 1024, LIMIT_MAX = 1000, SHORT_ID = 12 };

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
		build_put_state(cli, &page, json_text_of(build, "state"));
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
	build_print(&page);
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
	build_put_state(cli, &page, json_text_of(build, "state"));
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
		build_put_stage(cli, &page, stage, build_width(build));
	build_put_rollouts(cli, &page, build);
	put_untold(cli, &page, build);
	json_decref(build);
	build_print(&page);
	return CLI_OK;
}

int verb_builds(struct cli *cli)
{
	return cli_arg(cli, 0) ? show_one(cli, cli_arg(cli, 0)) : show_list(cli);
}
