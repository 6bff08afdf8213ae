/* SPDX-License-Identifier: Apache-2.0
 * outcome - the end of a rollout in words, and `davit why`: what decided, the numbers, what serves now, what to
 *           type next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/gate_view.h"
#include "cli/judge_view.h"
#include "cli/rollout_view.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "cli/way_back_view.h"

enum { TEXT_MAX = 256 * 1024, REAL_DIGITS = 6, SAID_LINE = 1025 };

static void put_numbers(const struct cli *cli, struct buf *to, const char *name,
			const json_t *release, const json_t *traffic)
{
	char share[32];
	uint64_t requests = json_number_of(traffic, "requests"),
		 errors = json_number_of(traffic, "errors");
	const char *tag = json_text_of(release, "tag");
	if (!tag[0] || requests == 0)
		return;
	screen_put(cli, to, TONE_PLAIN,
		   "  %-4s %-10s %llu requests, %llu errors (%s), p50 %.1f ms, p99 %.1f ms\n", name,
		   tag, (unsigned long long)requests, (unsigned long long)errors,
		   screen_share(errors, requests, share),
		   (double)json_number_of(traffic, "p50_us") / 1000,
		   (double)json_number_of(traffic, "p99_us") / 1000);
}

static void put_both(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *traffic = json_object_get(rollout, "traffic");
	put_numbers(cli, to, "new", json_object_get(rollout, "new"),
		    json_object_get(traffic, "new"));
	put_numbers(cli, to, "old", json_object_get(rollout, "old"),
		    json_object_get(traffic, "old"));
}

static void put_tail(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *tail = json_object_get(rollout, "log_tail"), *line;
	size_t i;
	if (json_array_size(tail) == 0)
		return;
	buf_puts(to, "Last lines of its log:\n");
	json_array_foreach (tail, i, line) {
		buf_puts(to, "  ");
		screen_put_foreign(to, json_string_value(line));
		buf_puts(to, "\n");
	}
	(void)cli;
}

void print_outcome(const struct cli *cli, const json_t *rollout)
{
	const char *state = json_text_of(rollout, "state"),
		   *serving = json_text_of(rollout, "serving");
	struct buf text;
	char elapsed[32];
	buf_init(&text, TEXT_MAX);
	screen_put(cli, &text, screen_tone(state), "%s %s", screen_glyph(cli, state), state);
	screen_put(cli, &text, TONE_PLAIN, " after %s: %s\n",
		   screen_duration(json_number_of(rollout, "elapsed_ms"), elapsed),
		   json_text_of(rollout, "why"));
	put_both(cli, &text, rollout);
	way_back_draw(cli, rollout, &text);
	put_tail(cli, &text, rollout);
	screen_put(cli, &text, TONE_PLAIN, "Serving now: %s\n", serving[0] ? serving : "nothing");
	screen_put(cli, &text, TONE_FAINT, "Next: %s\n", json_text_of(rollout, "next"));
	fputs(buf_text(&text), stdout);
	buf_done(&text);
}

/* What a check's command said before it failed. */
static void put_said(struct buf *to, const char *said)
{
	while (*said) {
		size_t length = strcspn(said, "\n");
		char line[SAID_LINE];
		snprintf(line, sizeof line, "%.*s", (int)length, said);
		buf_puts(to, "    | ");
		screen_put_foreign(to, line);
		buf_puts(to, "\n");
		said += length + (said[length] == '\n');
	}
}

static void put_evidence(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *rows = json_object_get(rollout, "evidence"), *row;
	char when[32];
	size_t i;
	if (json_array_size(rows) > 0)
		buf_puts(to, "\nEvidence\n");
	json_array_foreach (rows, i, row) {
		const char *verdict = json_text_of(row, "verdict");
		screen_put(cli, to, TONE_FAINT, "  %s ",
			   screen_time(json_number_of(row, "at_unix_ms"), when));
		screen_put(cli, to, screen_tone(verdict), "%s %-12s", screen_glyph(cli, verdict),
			   verdict);
		screen_put(cli, to, TONE_PLAIN, " %s\n", json_text_of(row, "text"));
		put_said(to, json_text_of(row, "said"));
	}
}

static void put_history(const struct cli *cli, struct buf *to, const json_t *rollout)
{
	const json_t *rows = json_object_get(rollout, "history"), *row;
	char when[32];
	size_t i;
	buf_puts(to, "\nHistory\n");
	json_array_foreach (rows, i, row) {
		const char *state = json_text_of(row, "to");
		screen_put(cli, to, TONE_FAINT, "  %s ",
			   screen_time(json_number_of(row, "at_unix_ms"), when));
		screen_put(cli, to, screen_tone(state), "%s %-12s", screen_glyph(cli, state),
			   state);
		screen_put(cli, to, TONE_PLAIN, " %s\n", json_text_of(row, "text"));
	}
}

/* What git and its hosts say is a stranger's. */
static void put_git_tag(struct buf *to, const json_t *tag)
{
	const json_t *push = json_object_get(tag, "push");
	const char *text = json_text_of(push, "text");
	if (json_text_of(tag, "text")[0]) {
		screen_put_foreign(to, json_text_of(tag, "text"));
		buf_puts(to, "\n");
	}
	if (!json_is_object(push))
		return;
	if (strcmp(json_text_of(push, "state"), "wanted") == 0)
		buf_printf(to, "The tag %s is to be pushed on%s", json_text_of(tag, "name"),
			   text[0] ? ", and the last try failed: " : ".");
	screen_put_foreign(to, text);
	buf_puts(to, "\n");
}

static void print_why(const struct cli *cli, const json_t *rollout)
{
	const char *state = json_text_of(rollout, "state");
	struct buf text;
	buf_init(&text, TEXT_MAX);
	screen_put(cli, &text, TONE_PLAIN, "Rollout %llu of %s to %s (%s) is ",
		   (unsigned long long)json_number_of(rollout, "number"),
		   json_text_of(json_object_get(rollout, "new"), "tag"),
		   json_text_of(rollout, "environment"), json_text_of(rollout, "strategy"));
	screen_put(cli, &text, screen_tone(state), "%s %s", screen_glyph(cli, state), state);
	screen_put(cli, &text, TONE_PLAIN, ".\n%s\n", json_text_of(rollout, "why"));
	put_git_tag(&text, json_object_get(rollout, "git_tag"));
	gate_draw_brought(cli, rollout, &text);
	put_both(cli, &text, rollout);
	judge_draw(cli, rollout, &text);
	way_back_draw(cli, rollout, &text);
	put_evidence(cli, &text, rollout);
	put_history(cli, &text, rollout);
	rollout_draw_infrastructure(cli, rollout, &text);
	put_tail(cli, &text, rollout);
	screen_put(cli, &text, TONE_FAINT, "\nNext: %s\n", json_text_of(rollout, "next"));
	fputs(buf_text(&text), stdout);
	buf_done(&text);
}

int verb_why(struct cli *cli)
{
	struct client *client;
	struct error err;
	char path[512];
	json_t *rollout;
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	client_path("/v1/rollouts/", cli_arg(cli, 0), "", path, sizeof path);
	int result = client_get(client, path, &rollout, &err);
	client_free(client);
	if (result < 0)
		return cli_fail(cli, &err, "davit status");
	if (cli->json) {
		json_dumpf(rollout, stdout, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
		putchar('\n');
	} else {
		print_why(cli, rollout);
	}
	json_decref(rollout);
	return CLI_OK;
}
