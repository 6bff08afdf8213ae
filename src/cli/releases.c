/* SPDX-License-Identifier: Apache-2.0
 * releases - davit releases [ENV]: what davit has; davit releases mark-bad|clear ENV VERSION: what must not go
 *            out again, and what may after all. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 1 << 20 };

static void put_release(const struct cli *cli, struct buf *to, const json_t *r)
{
	const json_t *bad = json_object_get(r, "bad"), *live = json_object_get(r, "live"), *row;
	char when[32], size[32];
	size_t i;
	screen_put(cli, to, TONE_PLAIN, "%-14s %.12s  %-16s  %-10s %8s  ", json_text_of(r, "tag"),
		   json_text_of(r, "release"),
		   screen_time(json_number_of(r, "created_unix_ms"), when), json_text_of(r, "by"),
		   screen_size(json_number_of(r, "size_bytes"), size));
	json_array_foreach (live, i, row)
		screen_put(cli, to, TONE_GOOD, "%s live in %s  ", screen_glyph(cli, "serving"),
			   json_string_value(row));
	json_array_foreach (bad, i, row) {
		screen_put(cli, to, TONE_BAD, "%s bad in %s", screen_glyph(cli, "failed"),
			   json_text_of(row, "environment"));
		buf_puts(to, json_text_of(row, "reason")[0] ? ": " : "");
		screen_put_foreign(to, json_text_of(row, "reason"));
		buf_puts(to, "  ");
	}
	while (to->size > 0 && to->data[to->size - 1] == ' ')
		to->data[--to->size] = '\0';
	buf_puts(to, "\n");
}

static int list(struct cli *cli)
{
	char path[512] = "/v1/releases";
	json_t *answer, *row;
	struct buf text;
	size_t i;
	client_query(path, sizeof path, "environment", cli_arg(cli, 0));
	int code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	json_array_foreach (json_object_get(answer, "releases"), i, row)
		put_release(cli, &text, row);
	if (text.size == 0)
		fputs("There is no release yet. Next: davit deploy ENV PATH\n", stderr);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}

static int mark(struct cli *cli, bool bad)
{
	const char *environment = cli_arg(cli, 1), *version = cli_arg(cli, 2),
		   *reason = cli_option(cli, "reason");
	char path[512];
	json_t *answer, *body = json_object();
	json_object_set_new(body, "environment", json_string(environment));
	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	client_path("/v1/releases/", version, bad ? "/bad" : "/clear", path, sizeof path);
	int code = ask_post(cli, path, body, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	json_decref(answer);
	if (bad)
		printf("%s is marked bad in %s: a deployment of it is refused, a rollback passes "
		       "it over. "
		       "Next: davit releases clear %s %s\n",
		       version, environment, environment, version);
	else
		printf("%s is no longer marked bad in %s. Next: davit deploy %s %s\n", version,
		       environment, environment, version);
	return CLI_OK;
}

int verb_releases(struct cli *cli)
{
	const char *what = cli_arg(cli, 0);
	bool bad = what && strcmp(what, "mark-bad") == 0,
	     clear = what && strcmp(what, "clear") == 0;
	struct error err;
	if ((bad || clear) && cli->arg_count == 3)
		return mark(cli, bad);
	if (bad || clear)
		error_set(&err, ERR_INVALID,
			  "davit releases %s needs an environment and a version.", what);
	else if (cli->arg_count > 1)
		error_set(&err, ERR_INVALID,
			  "davit releases takes one environment, or: mark-bad ENV VERSION, clear "
			  "ENV VERSION.");
	else
		return list(cli);
	return cli_fail(cli, &err, "davit releases --help");
}
