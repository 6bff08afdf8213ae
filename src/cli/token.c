/* SPDX-License-Identifier: Apache-2.0
 * token - davit token: who may speak to the server from elsewhere. A token is shown once, alone on standard output, so that
 * it can go into a file or another program. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 1 << 20, PATH_SIZE = 256 };

static const char USUAL_TIME[] = "90d";

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int create(const struct cli *cli, const char *name)
{
	const char *scopes = cli_option(cli, "scope"), *reach = cli_option(cli, "for"),
		   *time = cli_option(cli, "expires");
	char when[32];
	json_t *answer;
	struct error err;
	uint64_t life_ms;
	if (!text_parse_duration(time ? time : USUAL_TIME, &life_ms)) {
		error_set(&err, ERR_INVALID, "--expires is a time such as 30d, not \"%s\".", time);
		return cli_fail(cli, &err, NULL);
	}
	int code = ask_post(cli, "/v1/tokens",
			    json_pack("{s:s, s:s, s:s, s:I}", "name", name, "scopes",
				      scopes ? scopes : "read", "reach", reach ? reach : "",
				      "expires_unix_ms", (json_int_t)(now_ms() + life_ms)),
			    &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	puts(json_text_of(answer, "token"));
	fprintf(stderr,
		"This is shown once. Give it to a program in DAVIT_TOKEN, or in a file that "
		"DAVIT_TOKEN_FILE names.\nIt is %s, may %s in %s, and ends %s. Next: davit token "
		"list\n",
		name, json_text_of(answer, "scopes"),
		json_text_of(answer, "reach")[0] ? json_text_of(answer, "reach") : "everything",
		screen_time(json_number_of(answer, "expires_unix_ms"), when));
	json_decref(answer);
	return CLI_OK;
}

static int revoke(const struct cli *cli, const char *name)
{
	char path[PATH_SIZE];
	json_t *answer;
	client_path("/v1/tokens/", name, "/revoke", path, sizeof path);
	int code = ask_post(cli, path, NULL, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	json_decref(answer);
	printf("The token %s is worth nothing from now on.\n", name);
	return CLI_OK;
}

static void put_token(const struct cli *cli, struct buf *to, const json_t *row)
{
	char when[32];
	uint64_t ends = json_number_of(row, "expires_unix_ms"),
		 used = json_number_of(row, "used_unix_ms");
	screen_put(cli, to, TONE_PLAIN, "%-20s  %s…  %s  %s", json_text_of(row, "name"),
		   json_text_of(row, "shown"), json_text_of(row, "scopes"),
		   json_text_of(row, "reach")[0] ? json_text_of(row, "reach") : "everything");
	if (ends <= now_ms())
		screen_put(cli, to, TONE_BAD, "  ended %s", screen_time(ends, when));
	else
		screen_put(cli, to, TONE_FAINT, "  ends %s", screen_time(ends, when));
	screen_put(cli, to, TONE_FAINT, "  by %s", json_text_of(row, "by"));
	if (used > 0)
		screen_put(cli, to, TONE_FAINT, ", used %s\n", screen_time(used, when));
	else
		screen_put(cli, to, TONE_FAINT, ", never used\n");
}

static int list(const struct cli *cli)
{
	json_t *answer, *row;
	struct buf text;
	size_t i;
	int code = ask_get(cli, "/v1/tokens", &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	json_array_foreach (json_object_get(answer, "tokens"), i, row)
		put_token(cli, &text, row);
	if (text.size == 0)
		fputs("There is no token. Next: davit token create ci --scope deploy\n", stderr);
	else if (!json_object_get(answer, "listen"))
		fputs("Nothing listens for them: the server's file has no \"api: { listen: … "
		      "}\".\n",
		      stderr);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}

int verb_token(struct cli *cli)
{
	const char *what = cli_arg(cli, 0), *name = cli_arg(cli, 1);
	struct error err;
	if ((!what || strcmp(what, "list") == 0) && !name)
		return list(cli);
	if (name && strcmp(what, "create") == 0)
		return create(cli, name);
	if (name && strcmp(what, "revoke") == 0)
		return revoke(cli, name);
	error_set(&err, ERR_INVALID, "davit token takes: list, create NAME, or revoke NAME.");
	return cli_fail(cli, &err, "davit token --help");
}
