/* SPDX-License-Identifier: Apache-2.0
 * dora - davit dora [ENV]: the measures of delivery, with how much stands behind each, and the rows on demand. */
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { TEXT_MAX = 1 << 20, NOTE_SIZE = 160 };

static const double HUNDRED = 100;

static void put(const struct cli *cli, struct buf *to, const char *name, const char *value)
{
	screen_put(cli, to, TONE_PLAIN, "  %-32s", name);
	screen_put(cli, to, TONE_PLAIN, "%s\n", value);
}

/* Days and hours read better than 412h. */
static const char *long_time(uint64_t ms, char to[32])
{
	uint64_t hours = ms / 3600000;
	if (hours < 48)
		return screen_duration(ms, to);
	snprintf(to, 32, "%llud %lluh", (unsigned long long)(hours / 24),
		 (unsigned long long)(hours % 24));
	return to;
}

/* "median 3m02s, p90 8m00s (7)", or that there are too few. */
static const char *spread(const json_t *s, char to[NOTE_SIZE])
{
	char p50[32], p90[32];
	unsigned long long n = json_number_of(s, "n");
	if (json_is_null(json_object_get(s, "p50_ms")))
		snprintf(to, NOTE_SIZE, "not enough data (%llu)", n);
	else
		snprintf(to, NOTE_SIZE, "median %s, p90 %s (%llu)",
			 long_time(json_number_of(s, "p50_ms"), p50),
			 long_time(json_number_of(s, "p90_ms"), p90), n);
	return to;
}

static void put_frequency(const struct cli *cli, struct buf *to, const json_t *o)
{
	char text[2 * NOTE_SIZE], gap[NOTE_SIZE], rate[48] = "not enough data for a rate";
	if (!json_is_null(json_object_get(o, "per_day")))
		snprintf(rate, sizeof rate, "%.2f a day", json_real_of(o, "per_day"));
	snprintf(text, sizeof text, "%llu deployments, %s; on %llu of %llu days; between two: %s",
		 (unsigned long long)json_number_of(o, "deployments"), rate,
		 (unsigned long long)json_number_of(o, "days_with"),
		 (unsigned long long)json_number_of(o, "days"),
		 spread(json_object_get(o, "gap"), gap));
	put(cli, to, "deployment frequency", text);
}

static void put_failures(const struct cli *cli, struct buf *to, const json_t *o)
{
	char text[NOTE_SIZE], rate[48] = "not enough data for a rate";
	if (!json_is_null(json_object_get(o, "rate")))
		snprintf(rate, sizeof rate, "%.1f%%", HUNDRED * json_real_of(o, "rate"));
	snprintf(text, sizeof text,
		 "%s: %llu of %llu that users met; %llu more were caught before anybody did", rate,
		 (unsigned long long)json_number_of(o, "failed"),
		 (unsigned long long)json_number_of(o, "exposed"),
		 (unsigned long long)json_number_of(o, "caught_before_exposure"));
	put(cli, to, "change fail rate", text);
}

static void put_recovery(const struct cli *cli, struct buf *to, const json_t *o)
{
	char text[2 * NOTE_SIZE], times[NOTE_SIZE];
	uint64_t ongoing = json_number_of(o, "ongoing");
	snprintf(text, sizeof text, "%s", spread(json_object_get(o, "recovery"), times));
	if (ongoing > 0)
		snprintf(text, sizeof text, "%s; %llu not recovered", times,
			 (unsigned long long)ongoing);
	put(cli, to, "failed deployment recovery time", text);
}

static void put_rework(const struct cli *cli, struct buf *to, const json_t *o)
{
	char text[NOTE_SIZE], rate[48] = "not enough data for a rate";
	if (!json_is_null(json_object_get(o, "rate")))
		snprintf(rate, sizeof rate, "%.1f%%", HUNDRED * json_real_of(o, "rate"));
	if (!json_is_true(json_object_get(o, "recorded")))
		snprintf(text, sizeof text,
			 "no repairs recorded; davit deploy --fixes marks one (%llu rollbacks)",
			 (unsigned long long)json_number_of(o, "rollbacks"));
	else
		snprintf(text, sizeof text, "%s: %llu of %llu; %llu rollbacks", rate,
			 (unsigned long long)json_number_of(o, "repairs"),
			 (unsigned long long)json_number_of(o, "deployments"),
			 (unsigned long long)json_number_of(o, "rollbacks"));
	put(cli, to, "rework rate", text);
}

static void put_lead(const struct cli *cli, struct buf *to, const json_t *o)
{
	char times[NOTE_SIZE], text[2 * NOTE_SIZE];
	uint64_t known = json_number_of(o, "deployments"), unknown = json_number_of(o, "unknown"),
		 cut = json_number_of(o, "cut");
	size_t used =
		(size_t)snprintf(text, sizeof text, "%s commits of %llu of %llu deployments",
				 spread(json_object_get(o, "commits"), times),
				 (unsigned long long)known, (unsigned long long)(known + unknown));
	if (cut > 0)
		snprintf(text + used, sizeof text - used, "; of %llu of them not all are read",
			 (unsigned long long)cut);
	put(cli, to, "change lead time",
	    json_is_true(json_object_get(o, "recorded"))
		    ? text
		    : "no commits known: that needs two releases that were built here");
}

/* "4 commits, the oldest 3d 2h before" */
static void put_commits(const struct cli *cli, struct buf *to, const json_t *commits)
{
	const json_t *commit;
	uint64_t oldest_ms = 0;
	char time[32];
	size_t i, n = json_array_size(commits);
	json_array_foreach (commits, i, commit)
		if (json_number_of(commit, "lead_ms") > oldest_ms)
			oldest_ms = json_number_of(commit, "lead_ms");
	if (n > 0)
		screen_put(cli, to, TONE_PLAIN, "  %zu commit%s, the oldest %s before", n,
			   n == 1 ? "" : "s", long_time(oldest_ms, time));
}

static void put_row(const struct cli *cli, struct buf *to, const json_t *r)
{
	bool failed = json_is_true(json_object_get(r, "failed")),
	     succeeded = json_is_true(json_object_get(r, "succeeded"));
	const char *state = failed ? "failed" : succeeded ? "succeeded" : "reverted";
	uint64_t by = json_number_of(r, "taken_back_by");
	char when[32], recovery[32];
	screen_put(cli, to, TONE_PLAIN, "  %4llu  %-16s  %-9s ",
		   (unsigned long long)json_number_of(r, "rollout"),
		   screen_time(json_number_of(r, "completed_unix_ms"), when),
		   json_text_of(r, "kind"));
	screen_put(cli, to, screen_tone(state), "%s %-9s", screen_glyph(cli, state), state);
	screen_put(cli, to, TONE_PLAIN, "  %-7s %-7s",
		   json_is_true(json_object_get(r, "counted")) ? "counted" : "-",
		   json_is_true(json_object_get(r, "exposed")) ? "exposed" : "-");
	if (json_is_integer(json_object_get(r, "recovery_ms")))
		screen_put(cli, to, TONE_PLAIN, "  recovered in %s",
			   long_time(json_number_of(r, "recovery_ms"), recovery));
	put_commits(cli, to, json_object_get(r, "commits"));
	if (json_is_integer(json_object_get(r, "repairs")))
		screen_put(cli, to, TONE_PLAIN, "  repairs rollout %llu",
			   (unsigned long long)json_number_of(r, "repairs"));
	if (by > 0)
		screen_put(cli, to, TONE_PLAIN, "  by rollout %llu", (unsigned long long)by);
	buf_puts(to, "\n");
}

static void put_environment(const struct cli *cli, struct buf *to, const json_t *e)
{
	const json_t *row;
	size_t i;
	screen_put(cli, to, TONE_PLAIN, "%s/%s%s\n", json_text_of(e, "app"),
		   json_text_of(e, "environment"),
		   json_is_true(json_object_get(e, "production")) ? ", production" : "");
	put_frequency(cli, to, json_object_get(e, "deployment_frequency"));
	put_lead(cli, to, json_object_get(e, "change_lead_time"));
	put_failures(cli, to, json_object_get(e, "change_fail_rate"));
	put_recovery(cli, to, json_object_get(e, "failed_deployment_recovery_time"));
	put_rework(cli, to, json_object_get(e, "rework_rate"));
	json_array_foreach (json_object_get(e, "rows"), i, row)
		put_row(cli, to, row);
}

int verb_dora(struct cli *cli)
{
	char path[640] = "/v1/dora";
	const json_t *environment;
	json_t *answer;
	struct buf text;
	size_t i;
	client_query(path, sizeof path, "environment", cli_arg(cli, 0));
	client_query(path, sizeof path, "window", cli_option(cli, "window"));
	client_query(path, sizeof path, "rows", cli_option(cli, "rows") ? "1" : NULL);
	int code = ask_get(cli, path, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	json_array_foreach (json_object_get(answer, "environments"), i, environment)
		put_environment(cli, &text, environment);
	if (text.size == 0)
		fputs("Nothing was ever deployed. Next: davit deploy ENV PATH\n", stderr);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}
