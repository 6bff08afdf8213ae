/* SPDX-License-Identifier: Apache-2.0
 * logs - davit logs ENV[/PROCESS] [-f]: what the instances write. Of builds see build_logs.c, of --grep logs_grep.c. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/builds.h"
#include "cli/screen.h"
#include "cli/target.h"
#include "cli/verbs.h"

enum { LINES_MAX = 10000, LINE_SIZE = 64 * 1024 };

/* A line of the server is INSTANCE TIME TEXT. */
static bool print_line(void *context, const char *line)
{
	const struct cli *cli = context;
	const char *time = strchr(line, ' '), *text = time ? strchr(time + 1, ' ') : NULL;
	if (cli->json && text) {
		json_t *words = json_string(text + 1);
		char escaped[LINE_SIZE];
		if (!words) /* not UTF-8 */
			words = json_string(
				text_escape(text + 1, strlen(text + 1), escaped, sizeof escaped));
		ask_print(json_pack("{s:s,s:s%,s:s%,s:o}", "schema", "davit.v1/log", "instance",
				    line, (size_t)(time - line), "time", time + 1,
				    (size_t)(text - time - 1), "text", words));
	} else if (cli->terminal) {
		/* The program's own bytes do not command this terminal. */
		struct buf safe;
		buf_init(&safe, LINE_SIZE);
		screen_put_foreign(&safe, line);
		puts(buf_text(&safe));
		buf_done(&safe);
	} else {
		puts(line);
	}
	if (cli_option(cli, "follow"))
		fflush(stdout);
	return true;
}

static int read_logs(struct cli *cli, struct client *client)
{
	char path[1024];
	struct target target;
	struct error err;
	if (target_parse(client, cli_arg(cli, 0), &target, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	client_path("/v1/environments/", target.environment, "/logs", path, sizeof path);
	client_query(path, sizeof path, "lines", cli_option(cli, "lines"));
	client_query(path, sizeof path, "follow", cli_option(cli, "follow") ? "1" : NULL);
	client_query(path, sizeof path, "process", target.process);
	client_query(path, sizeof path, "instance", cli_option(cli, "instance"));
	if (client_stream(client, path, print_line, cli, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	return CLI_OK;
}

/* What makes no sense together is said, not left out. */
static int check_options(const struct cli *cli, uint64_t *ret_lines, struct error *err)
{
	const char *lines = cli_option(cli, "lines"), *what = cli_arg(cli, 0);
	bool grep = cli_option(cli, "grep"), build = what && text_starts(what, "build/");
	*ret_lines = 0;
	if (lines && (!text_parse_u64(lines, LINES_MAX, ret_lines) || *ret_lines == 0))
		return error_set(err, ERR_INVALID,
				 "--lines takes a number from 1 to %d, not \"%s\".", LINES_MAX,
				 lines);
	if (!what && !grep)
		return error_set(err, ERR_INVALID,
				 "Whose logs? Name an environment, or a build as build/NUMBER.");
	if (!grep &&
	    (cli_option(cli, "since") || cli_option(cli, "app") || cli_option(cli, "ignore-case")))
		return error_set(err, ERR_INVALID,
				 "--since, --app and --ignore-case go with --grep.");
	if ((build || !what) && cli_option(cli, "instance"))
		return error_set(err, ERR_INVALID,
				 "--instance is one of an environment; a build has stages: "
				 "build/NUMBER/STAGE.");
	return 0;
}

int verb_logs(struct cli *cli)
{
	struct client *client;
	struct error err;
	uint64_t lines;
	if (check_options(cli, &lines, &err) < 0)
		return cli_fail(cli, &err, "davit logs --help");
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	int code = cli_option(cli, "grep") ? logs_grep(cli, client)
		   : text_starts(cli_arg(cli, 0), "build/")
			   ? build_logs(cli, client, cli_arg(cli, 0), lines)
			   : read_logs(cli, client);
	client_free(client);
	return code;
}
