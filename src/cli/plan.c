/* SPDX-License-Identifier: Apache-2.0
 * plan - davit plan ENV VERSION: what a deployment would do: its steps, how long it takes, who sees it,
 * and what of a bad release the judge would see. */
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 64 * 1024 };

static void put_step(const struct cli *cli, struct buf *to, const json_t *step)
{
	uint64_t least = json_number_of(step, "for_ms"), most = json_number_of(step, "at_most_ms");
	uint64_t expected = json_number_of(step, "expected_ms");
	char a[32], b[32];
	screen_put(cli, to, TONE_FAINT, "  %2llu  ",
		   (unsigned long long)json_number_of(step, "index") + 1);
	screen_put(cli, to, TONE_BUSY, "%-6s", json_text_of(step, "label"));
	screen_put(cli, to, TONE_PLAIN, " %s", json_text_of(step, "text"));
	if (strcmp(json_text_of(step, "op"), "hold") == 0 && most > least)
		screen_put(cli, to, TONE_FAINT, "   %s to %s", screen_duration(least, a),
			   screen_duration(most, b));
	if (expected > least)
		screen_put(cli, to, TONE_FAINT, ", about %s now", screen_duration(expected, a));
	buf_puts(to, "\n");
}

static void put_cost(const struct cli *cli, struct buf *to, const json_t *plan)
{
	double rate = json_number_value(json_object_get(plan, "requests_per_second"));
	char a[32], b[32];
	screen_put(cli, to, TONE_PLAIN,
		   "Takes %s to %s, and the time that instances need to start.\n",
		   screen_duration(json_number_of(plan, "least_ms"), a),
		   screen_duration(json_number_of(plan, "most_ms"), b));
	if (rate > 0)
		screen_put(cli, to, TONE_PLAIN,
			   "About %llu requests see the new release before it is live (at %.3g a "
			   "second, as now).\n",
			   (unsigned long long)json_number_of(plan, "exposed_requests"), rate);
}

/* --- what the judge will see */

/* "0.3%": three digits where it is little. */
static const char *errors_of(uint64_t ppm, char to[32])
{
	snprintf(to, 32, "%.*g%%", ppm < 100 ? 1 : ppm < 1000 ? 2 : 3, (double)ppm / 10000);
	return to;
}

/* Of so many rollouts that are played, all and none are not certain. */
static const char *chance_of(const json_t *row, const char *key, char to[32])
{
	double percent = (double)json_number_of(row, key) / 100;
	if (percent > 99)
		snprintf(to, 32, ">99%%");
	else if (percent < 1)
		snprintf(to, 32, "<1%%");
	else
		snprintf(to, 32, "%.0f%%", percent);
	return to;
}

static void put_supposed(const struct cli *cli, struct buf *to, const json_t *row)
{
	uint64_t slow_bp = json_number_of(row, "slow_bp");
	uint64_t after = json_number_of(row, "after_requests");
	char name[64], share[32], caught[32], held[32], requests[32] = "-";
	if (slow_bp > 0)
		snprintf(name, sizeof name, "%.3g%% slower than p99", (double)slow_bp / 100);
	else
		snprintf(name, sizeof name, "fails %s",
			 errors_of(json_number_of(row, "errors_ppm"), share));
	if (after > 0)
		snprintf(requests, sizeof requests, "%llu", (unsigned long long)after);
	screen_put(cli, to, TONE_PLAIN, "  %-20s %8s %8s %9s %9llu %9llu\n", name,
		   chance_of(row, "caught_bp", caught), chance_of(row, "held_bp", held), requests,
		   (unsigned long long)json_number_of(row, "exposed_requests"),
		   (unsigned long long)json_number_of(row, "failed_requests"));
}

static void put_good(const struct cli *cli, struct buf *to, const json_t *forecast)
{
	uint64_t ms = json_number_of(forecast, "good_ms");
	char time[32], share[32], held[32];
	errors_of(json_number_of(forecast, "live_errors_ppm"), share);
	chance_of(json_object_get(forecast, "good"), "held_bp", held);
	if (ms > 0)
		screen_put(cli, to, TONE_PLAIN,
			   "As good as the live release, which fails %s, it takes about %s (held "
			   "back: "
			   "%s).\n",
			   share, screen_duration(ms, time), held);
	else
		screen_put(
			cli, to, TONE_BUSY,
			"As good as the live release, which fails %s, it is held back all the same "
			"(%s): traffic is too little to show in time that it is fine.\n",
			share, held);
}

static void put_forecast(const struct cli *cli, struct buf *to, const json_t *forecast)
{
	const json_t *row;
	size_t i;
	uint64_t sees_ppm = json_number_of(forecast, "sees_ppm");
	char share[32], chance[32];
	if (!json_is_object(forecast))
		return;
	put_good(cli, to, forecast);
	screen_put(cli, to, TONE_FAINT, "  %-20s %8s %8s %9s %9s %9s\n", "if the new one", "caught",
		   "held", "after", "exposed", "failed");
	json_array_foreach (json_object_get(forecast, "supposed"), i, row)
		put_supposed(cli, to, row);
	if (sees_ppm > 0)
		screen_put(cli, to, TONE_PLAIN, "It sees a regression to %s with %s.\n",
			   errors_of(sees_ppm, share), chance_of(forecast, "sees_bp", chance));
	else
		screen_put(cli, to, TONE_BUSY,
			   "It sees no regression with %s: not even a release that always fails.\n",
			   chance_of(forecast, "sees_bp", chance));
}

static void put_proposal(const struct cli *cli, struct buf *to, const json_t *proposal)
{
	const json_t *supposed = json_object_get(proposal, "supposed");
	char time[32], share[32];
	if (!json_is_object(proposal))
		return;
	screen_put(cli, to, TONE_BUSY, "%s\n", json_text_of(proposal, "sentence"));
	if (!json_is_object(supposed))
		return;
	screen_put(cli, to, TONE_PLAIN,
		   "A release that fails %s is caught after about %llu requests, of which %llu "
		   "fail; a good one takes about %s. For davit.yaml (add your checks), with "
		   "strategy: proposed\n",
		   errors_of(json_number_of(proposal, "errors_ppm"), share),
		   (unsigned long long)json_number_of(supposed, "after_requests"),
		   (unsigned long long)json_number_of(supposed, "failed_requests"),
		   screen_duration(json_number_of(proposal, "good_ms"), time));
	buf_puts(to, json_text_of(proposal, "yaml"));
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
	put_forecast(cli, &text, json_object_get(plan, "forecast"));
	put_proposal(cli, &text, json_object_get(plan, "proposal"));
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
	client_query(path, sizeof path, "for", cli_option(cli, "for"));
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
