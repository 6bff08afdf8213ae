/* SPDX-License-Identifier: Apache-2.0
 * postmortem - davit postmortem ROLLOUT: the document as the server writes it, for a file, a page, or a program. */
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

/* The API's name of what --format says; NULL: there is none. */
static const char *format_of(const struct cli *cli)
{
	const char *text = cli_option(cli, "format");
	if (!text || strcmp(text, "md") == 0 || strcmp(text, "markdown") == 0)
		return "markdown";
	return strcmp(text, "html") == 0 ? "html" : NULL;
}

int verb_postmortem(struct cli *cli)
{
	const char *format = format_of(cli);
	char path[640];
	struct error err;
	json_t *answer;
	if (!format) {
		error_set(&err, ERR_INVALID, "--format takes md or html, not \"%s\".",
			  cli_option(cli, "format"));
		return cli_fail(cli, &err, "davit postmortem --help");
	}
	client_path("/v1/rollouts/", cli_arg(cli, 0), "/postmortem", path, sizeof path);
	if (!cli->json)
		client_query(path, sizeof path, "format", format);
	int code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	fputs(json_text_of(answer, "text"), stdout);
	json_decref(answer);
	return CLI_OK;
}
