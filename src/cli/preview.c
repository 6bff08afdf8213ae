/* SPDX-License-Identifier: Apache-2.0
 * preview - davit preview ENV: a token by which somebody sees the new release before users do, alone on standard output. */
#include <stdio.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/screen.h"
#include "cli/verbs.h"

static const char USUAL_TIME[] = "1h";

static void explain(const json_t *answer)
{
	char when[32];
	const char *token = json_text_of(answer, "token"), *url = json_text_of(answer, "url"),
		   *link = json_text_of(answer, "link");
	fprintf(stderr,
		"Whoever has it sees %s of %s, until %s or until that is live or taken back:\n"
		"  curl -H 'X-Davit-Preview: %s' %s\n",
		json_text_of(answer, "tag"), json_text_of(answer, "environment"),
		screen_time(json_number_of(answer, "expires_unix_ms"), when), token,
		url[0] ? url : "ADDRESS");
	if (link[0])
		fprintf(stderr,
			"In a browser, by this link, which sets the cookie davit-preview:\n  %s\n",
			link);
	else
		fputs("In a browser it is the cookie davit-preview.\n", stderr);
}

int verb_preview(struct cli *cli)
{
	const char *time = cli_option(cli, "for");
	char path[512];
	uint64_t for_ms;
	json_t *answer;
	struct error err;
	if (!text_parse_duration(time ? time : USUAL_TIME, &for_ms)) {
		error_set(&err, ERR_INVALID, "--for is a time such as 30m or 2h, not \"%s\".",
			  time);
		return cli_fail(cli, &err, "davit preview --help");
	}
	client_path("/v1/environments/", cli_arg(cli, 0), "/preview", path, sizeof path);
	int code = ask_post(cli, path, json_pack("{s:I}", "for_ms", (json_int_t)for_ms), &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	puts(json_text_of(answer, "token"));
	explain(answer);
	json_decref(answer);
	return CLI_OK;
}
