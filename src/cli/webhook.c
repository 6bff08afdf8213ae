/* SPDX-License-Identifier: Apache-2.0
 * webhook - davit webhook: the repositories that the server looks at for commits to build, when it last did, and what
 *           their hosts told it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 1 << 20, PATH_SIZE = 256 };

static void put_hook(const struct cli *cli, struct buf *to, const json_t *row, const char *listen)
{
	const json_t *hook = json_object_get(row, "webhook");
	char when[32];
	if (!hook)
		return;
	screen_put(cli, to, TONE_PLAIN, "  webhook of %s", json_text_of(hook, "from"));
	if (listen[0])
		screen_put(cli, to, TONE_PLAIN, " at http://%s/hooks/%s", listen,
			   json_text_of(row, "app"));
	else
		screen_put(cli, to, TONE_BAD,
			   ", and nothing listens for it (see the server's log)");
	screen_put(cli, to, TONE_FAINT, ": %llu taken, %llu refused",
		   (unsigned long long)json_number_of(hook, "taken"),
		   (unsigned long long)json_number_of(hook, "refused"));
	if (json_number_of(hook, "taken_unix_ms") > 0)
		screen_put(cli, to, TONE_FAINT, ", the last one %s",
			   screen_time(json_number_of(hook, "taken_unix_ms"), when));
	buf_puts(to, "\n");
	if (json_text_of(hook, "refusal")[0]) {
		buf_puts(to, "  refused last: ");
		screen_put_foreign(to, json_text_of(hook, "refusal"));
		buf_puts(to, "\n");
	}
}

static void put_source(const struct cli *cli, struct buf *to, const json_t *row, const char *listen)
{
	const char *state = json_text_of(row, "state"), *note = json_text_of(row, "note");
	const char *why = json_text_of(row, "why");
	char when[32], each[32];
	enum screen_tone tone = strcmp(state, "failed") == 0 ? TONE_BAD
				: strcmp(state, "seen") == 0 ? TONE_GOOD
							     : TONE_BUSY;
	screen_put(cli, to, tone, "%s %-8s",
		   screen_glyph(cli, tone == TONE_GOOD  ? "done"
				     : tone == TONE_BAD ? "failed"
							: "running"),
		   state);
	screen_put(cli, to, TONE_PLAIN, " %s  ", json_text_of(row, "app"));
	screen_put_foreign(to, json_text_of(row, "git"));
	screen_put(cli, to, TONE_FAINT, "  each %s",
		   text_format_duration(json_number_of(row, "poll_ms"), each, sizeof each));
	if (json_number_of(row, "looked_unix_ms") > 0)
		screen_put(cli, to, TONE_FAINT, ", last %s: %llu branches and tags",
			   screen_time(json_number_of(row, "looked_unix_ms"), when),
			   (unsigned long long)json_number_of(row, "refs"));
	buf_puts(to, "\n");
	if (why[0]) {
		buf_puts(to, "  ");
		screen_put_foreign(to, why);
		buf_puts(to, "\n");
	}
	if (note[0]) {
		buf_puts(to, "  ");
		screen_put_foreign(to, note);
		buf_puts(to, "\n");
	}
	put_hook(cli, to, row, listen);
}

static int list(const struct cli *cli)
{
	json_t *answer, *row;
	struct buf text;
	size_t i;
	int code = ask_get(cli, "/v1/sources", &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	json_array_foreach (json_object_get(answer, "sources"), i, row)
		put_source(cli, &text, row, json_text_of(answer, "listen"));
	if (text.size == 0)
		fputs("No repository is looked at. Next: davit remote   (to push to this server), "
		      "or "
		      "name one in the server's file, under sources\n",
		      stderr);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}

static int look(const struct cli *cli, const char *app)
{
	char path[PATH_SIZE];
	struct error err;
	json_t *answer;
	if (!text_is_name(app)) {
		error_set(&err, ERR_INVALID, "\"%s\" is no name of an application.", app);
		return cli_fail(cli, &err, "davit webhook");
	}
	snprintf(path, sizeof path, "/v1/sources/%s/look", app);
	int code = ask_post(cli, path, NULL, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	json_decref(answer);
	printf("The repository of %s is looked at now. Next: davit webhook; davit builds\n", app);
	return CLI_OK;
}

int verb_webhook(struct cli *cli)
{
	const char *what = cli_arg(cli, 0), *app = cli_arg(cli, 1);
	struct error err;
	if ((!what || strcmp(what, "list") == 0) && !app)
		return list(cli);
	if (app && strcmp(what, "look") == 0)
		return look(cli, app);
	error_set(&err, ERR_INVALID, "davit webhook takes: list, or look APP.");
	return cli_fail(cli, &err, "davit webhook --help");
}
