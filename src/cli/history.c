/* SPDX-License-Identifier: Apache-2.0
 * history - davit history [ENV]: the rollouts that were; davit audit: everything that was done, by whom and
 *           why, and whether the log is whole; davit config ENV: what the live release runs with. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 1 << 20, HISTORY_MAX = 500, AUDIT_MAX = 1000 };

static void put_rollout(const struct cli *cli, struct buf *to, const json_t *r)
{
	const char *state = json_text_of(r, "state"),
		   *from = json_text_of(json_object_get(r, "old"), "tag");
	char when[32], took[32], versions[160];
	snprintf(versions, sizeof versions, "%s%s%s", from, from[0] ? " > " : "",
		 json_text_of(json_object_get(r, "new"), "tag"));
	screen_put(cli, to, TONE_PLAIN, "%4llu  %-16s  %-10s ",
		   (unsigned long long)json_number_of(r, "number"),
		   screen_time(json_number_of(r, "started_unix_ms"), when),
		   json_text_of(r, "environment"));
	screen_put(cli, to, screen_tone(state), "%s %-10s", screen_glyph(cli, state), state);
	screen_put(cli, to, TONE_PLAIN, " %-8s %-22s %-11s %-8s %7s", json_text_of(r, "kind"),
		   versions, json_text_of(r, "strategy"), json_text_of(r, "by"),
		   screen_duration(json_number_of(r, "elapsed_ms"), took));
	if (json_text_of(r, "reason")[0]) {
		buf_puts(to, "  ");
		screen_put_foreign(to, json_text_of(r, "reason"));
	}
	buf_puts(to, "\n");
}

int verb_history(struct cli *cli)
{
	char path[640] = "/v1/rollouts";
	json_t *answer, *row;
	struct buf text;
	size_t i;
	int code = ask_limit(cli, HISTORY_MAX);
	if (code != CLI_OK)
		return code;
	client_query(path, sizeof path, "environment", cli_arg(cli, 0));
	client_query(path, sizeof path, "limit", cli_option(cli, "limit"));
	code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	json_array_foreach (json_object_get(answer, "rollouts"), i, row)
		put_rollout(cli, &text, row);
	if (text.size == 0)
		fputs("Nothing was ever deployed. Next: davit deploy ENV PATH\n", stderr);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}

static void put_entry(const struct cli *cli, struct buf *to, const json_t *e)
{
	char when[32];
	uint64_t rollout = json_number_of(e, "rollout");
	screen_put(cli, to, TONE_FAINT, "%5llu  %-16s  ",
		   (unsigned long long)json_number_of(e, "seq"),
		   screen_time(json_number_of(e, "at_unix_ms"), when));
	screen_put(cli, to, TONE_PLAIN, "%-10s %-22s %s%s%s", json_text_of(e, "who"),
		   json_text_of(e, "action"), json_text_of(e, "app"),
		   json_text_of(e, "app")[0] ? "/" : "", json_text_of(e, "environment"));
	if (rollout > 0)
		screen_put(cli, to, TONE_PLAIN, " rollout %llu", (unsigned long long)rollout);
	for (int k = 0; k < 2; k++) {
		const char *words = json_text_of(e, k == 0 ? "reason" : "evidence");
		buf_puts(to, words[0] ? "  " : "");
		screen_put_foreign(to, words);
	}
	buf_puts(to, "\n");
}

static int verify(struct cli *cli)
{
	json_t *answer;
	struct error err;
	int code = ask_get(cli, "/v1/audit/verify", &answer);
	if (code != CLI_OK)
		return code;
	bool whole = json_is_true(json_object_get(answer, "whole"));
	if (cli->json) {
		ask_print(answer);
		return whole ? CLI_OK : CLI_UNEXPECTED;
	}
	if (whole)
		printf("The audit log is whole: %llu entries, the last one is %.16s.\n",
		       (unsigned long long)json_number_of(answer, "entries"),
		       json_text_of(answer, "head"));
	else {
		error_set(&err, ERR_CORRUPT, "%s The first entry that does not fit is %llu.",
			  json_text_of(answer, "message"),
			  (unsigned long long)json_number_of(answer, "broken"));
		code = cli_fail(cli, &err, "davit audit --json");
	}
	json_decref(answer);
	return code;
}

int verb_audit(struct cli *cli)
{
	char path[64] = "/v1/audit";
	json_t *answer;
	struct buf text;
	if (cli_option(cli, "verify"))
		return verify(cli);
	int code = ask_limit(cli, AUDIT_MAX);
	if (code != CLI_OK)
		return code;
	client_query(path, sizeof path, "limit", cli_option(cli, "limit"));
	code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	/* It comes newest first; a log is read downwards. */
	const json_t *entries = json_object_get(answer, "entries");
	for (size_t i = json_array_size(entries); i-- > 0;)
		put_entry(cli, &text, json_array_get(entries, i));
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}

int verb_config(struct cli *cli)
{
	char path[512];
	json_t *answer;
	client_path("/v1/environments/", cli_arg(cli, 0), "/config", path, sizeof path);
	int code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	json_dumpf(json_object_get(answer, "config"), stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
	return CLI_OK;
}
