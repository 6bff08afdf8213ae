/* SPDX-License-Identifier: Apache-2.0
 * plan - davit plan ENV VERSION: what a deployment would do: its steps, how long it takes, who sees it. */
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 64 * 1024 };

static void put_step(const struct cli *cli, struct buf *to, const json_t *step)
{
	uint64_t least = json_number_of(step, "for_ms"), most = json_number_of(step, "at_most_ms");
	char a[32], b[32];
	screen_put(cli, to, TONE_FAINT, "  %2llu  ",
		   (unsigned long long)json_number_of(step, "index") + 1);
	screen_put(cli, to, TONE_BUSY, "%-6s", json_text_of(step, "label"));
	screen_put(cli, to, TONE_PLAIN, " %s", json_text_of(step, "text"));
	if (strcmp(json_text_of(step, "op"), "hold") == 0 && most > least)
		screen_put(cli, to, TONE_FAINT, "   %s to %s", screen_duration(least, a),
			   screen_duration(most, b));
	buf_puts(to, "\n");
}

static void put_cost(const struct cli *cli, struct buf *to, const json_t *plan)
{
	uint64_t rate = json_number_of(plan, "requests_per_second");
	char a[32], b[32];
	screen_put(cli, to, TONE_PLAIN,
		   "Takes %s to %s, and the time that instances need to start.\n",
		   screen_duration(json_number_of(plan, "least_ms"), a),
		   screen_duration(json_number_of(plan, "most_ms"), b));
	if (rate > 0)
		screen_put(cli, to, TONE_PLAIN,
			   "About %llu requests see the new release before it is live (at %llu a "
			   "second, as now).\n",
			   (unsigned long long)json_number_of(plan, "exposed_requests"),
			   (unsigned long long)rate);
}

static void print_plan(const struct cli *cli, const json_t *plan)
{
	const char *from = json_text_of(json_object_get(plan, "old"), "tag");
	const json_t *row;
	struct buf text;
	size_t i;
	buf_init(&text, TEXT_MAX);
	screen_put(cli, &text, TONE_PLAIN, "%s %s %s  %s%s%s%s%s  %s\n", json_text_of(plan, "app"),
		   screen_arrow(cli), json_text_of(plan, "environment"), from, from[0] ? " " : "",
		   from[0] ? screen_arrow(cli) : "", from[0] ? " " : "",
		   json_text_of(json_object_get(plan, "new"), "tag"),
		   json_text_of(plan, "strategy"));
	json_array_foreach (json_object_get(plan, "steps"), i, row)
		put_step(cli, &text, row);
	put_cost(cli, &text, plan);
	json_array_foreach (json_object_get(plan, "notes"), i, row)
		screen_put(cli, &text, TONE_BUSY, "Note: %s\n", json_string_value(row));
	screen_put(cli, &text, TONE_FAINT, "Next: davit deploy %s %s\n",
		   json_text_of(plan, "environment"),
		   json_text_of(json_object_get(plan, "new"), "tag"));
	fputs(buf_text(&text), stdout);
	buf_done(&text);
}

int verb_plan(struct cli *cli)
{
	char path[1024];
	json_t *plan;
	client_path("/v1/environments/", cli_arg(cli, 0), "/plan", path, sizeof path);
	client_query(path, sizeof path, "release", cli_arg(cli, 1));
	client_query(path, sizeof path, "strategy", cli_option(cli, "strategy"));
	int code = ask_get(cli, path, &plan);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(plan);
		return CLI_OK;
	}
	print_plan(cli, plan);
	json_decref(plan);
	return CLI_OK;
}
