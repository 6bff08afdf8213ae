/* SPDX-License-Identifier: Apache-2.0
 * logs_grep - davit logs --grep TEXT [ENV[/PROCESS]|build/N[/STAGE]]: which lines of the logs have it. Without a target those
 *             of all builds that are kept, the newest first, or of those of one application. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/build_follow.h"
#include "cli/screen.h"
#include "cli/target.h"
#include "cli/verbs.h"

enum { PATH_SIZE = 1500, LINE_SIZE = 64 * 1024, LINES_MAX = 1000 };

static void print_match(const struct cli *cli, const json_t *match)
{
	struct buf line;
	if (cli->json) {
		json_t *o = json_deep_copy(match);
		json_object_set_new(o, "schema", json_string("davit.v1/log-match"));
		ask_print(o);
		return;
	}
	buf_init(&line, LINE_SIZE);
	if (json_object_get(match, "build"))
		buf_printf(&line, "build/%llu/%s:%llu",
			   (unsigned long long)json_number_of(match, "build"),
			   json_text_of(match, "stage"),
			   (unsigned long long)json_number_of(match, "line"));
	else
		buf_puts(&line, json_text_of(match, "instance"));
	if (json_text_of(match, "time")[0])
		buf_printf(&line, " %s", json_text_of(match, "time"));
	buf_puts(&line, " ");
	screen_put_foreign(&line, json_text_of(match, "text"));
	puts(buf_text(&line));
	buf_done(&line);
}

static int print_answer(const struct cli *cli, json_t *answer)
{
	const json_t *match, *matches = json_object_get(answer, "matches");
	const char *why = json_text_of(answer, "why");
	size_t i;
	json_array_foreach (matches, i, match)
		print_match(cli, match);
	fflush(stdout);
	if (cli->json) {
		json_object_del(answer, "matches");
		json_object_set_new(answer, "schema", json_string("davit.v1/log-search"));
		ask_print(json_incref(answer));
	} else if (why[0]) {
		fprintf(stderr,
			"%s Next: a longer text, --since, or one build narrows it; -n %d shows "
			"more.\n",
			why, LINES_MAX);
	} else if (json_array_size(matches) == 0) {
		fprintf(stderr, "No line of %llu logs has it.\n",
			(unsigned long long)json_number_of(answer, "files"));
	}
	json_decref(answer);
	return CLI_OK;
}

/* Where it is looked for; and what narrows that. */
static int find_path(const struct cli *cli, struct client *client, char to[PATH_SIZE])
{
	const char *what = cli_arg(cli, 0);
	char stage[BUILD_STAGE_SIZE] = "";
	uint64_t number;
	struct target target = {.process = ""};
	struct error err;
	if (!what) {
		snprintf(to, PATH_SIZE, "/v1/logs");
		client_query(to, PATH_SIZE, "app", cli_option(cli, "app"));
	} else if (build_target(what, &number, stage)) {
		snprintf(to, PATH_SIZE, "/v1/builds/%llu/log", (unsigned long long)number);
		client_query(to, PATH_SIZE, "stage", stage);
	} else if (target_parse(client, what, &target, &err) < 0) {
		return cli_fail(cli, &err, client_next(client));
	} else {
		client_path("/v1/environments/", target.environment, "/logs", to, PATH_SIZE);
		client_query(to, PATH_SIZE, "process", target.process);
		client_query(to, PATH_SIZE, "instance", cli_option(cli, "instance"));
	}
	client_query(to, PATH_SIZE, "since", cli_option(cli, "since"));
	client_query(to, PATH_SIZE, "limit", cli_option(cli, "lines"));
	client_query(to, PATH_SIZE, "ignore_case", cli_option(cli, "ignore-case") ? "1" : NULL);
	client_query(to, PATH_SIZE, "grep", cli_option(cli, "grep"));
	return CLI_OK;
}

int logs_grep(const struct cli *cli, struct client *client)
{
	char path[PATH_SIZE];
	json_t *answer;
	struct error err;
	const char *text = cli_option(cli, "grep");
	if (!text[0] || strlen(text) > 256 || cli_option(cli, "follow") ||
	    (cli_arg(cli, 0) && cli_option(cli, "app"))) {
		error_set(
			&err, ERR_INVALID,
			cli_option(cli, "follow")
				? "--grep looks through what is there already; leave --follow away."
			: cli_option(cli, "app")
				? "--app is for the builds of an application; name it or a target, "
				  "not both."
				: "--grep takes a text of 1 to 256 bytes.");
		return cli_fail(cli, &err, "davit logs --help");
	}
	int code = find_path(cli, client, path);
	if (code != CLI_OK)
		return code;
	if (client_get(client, path, &answer, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	return print_answer(cli, answer);
}
