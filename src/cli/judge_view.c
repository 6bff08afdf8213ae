/* SPDX-License-Identifier: Apache-2.0
 * judge_view - see judge_view.h for the contract. */
#include "cli/judge_view.h"

#include <stdio.h>
#include <string.h>

#include "cli/screen.h"

enum { NAME_COLUMNS = 16, NEW_COLUMNS = 22, LIVE_COLUMNS = 26, ODDS_COLUMNS = 14 };
static const double CLUSTERED = 1.5; /* from here on phi is worth a word */

/* "9 of 783 1.15%"; "-" without a request. */
static const char *counted(const json_t *o, const char *which, char to[64])
{
	char key[32], a[32], b[32], share[32];
	snprintf(key, sizeof key, "%s_events", which);
	uint64_t events = json_number_of(o, key);
	snprintf(key, sizeof key, "%s_requests", which);
	uint64_t requests = json_number_of(o, key);
	if (requests == 0)
		snprintf(to, 64, "-");
	else
		snprintf(to, 64, "%s of %s %s", screen_count(events, a), screen_count(requests, b),
			 screen_share(events, requests, share));
	return to;
}

static const char *milliseconds(uint64_t us, char to[32])
{
	snprintf(to, 32, us < 1000 ? "%.2f" : us < 10000 ? "%.1f" : "%.0f", (double)us / 1000);
	return to;
}

static void put_odds(const struct cli *cli, struct buf *to, const json_t *judge)
{
	double odds = json_real_of(judge, "odds"), fine = json_real_of(judge, "fine"),
	       fails = json_real_of(judge, "alpha"), passes = json_real_of(judge, "beta");
	const char *worse_state = odds * fails >= 1 ? "fail" : "waiting",
		   *fine_state = fine * passes >= 1 ? "pass" : "waiting";
	char a[32], b[32];
	if (fails <= 0 || passes <= 0)
		return;
	screen_put(cli, to, screen_tone(worse_state), "  %s worse  %s",
		   screen_glyph(cli, worse_state), screen_odds(odds, a));
	screen_put(cli, to, TONE_FAINT, "   (it fails at %s)\n", screen_odds(1 / fails, b));
	screen_put(cli, to, screen_tone(fine_state), "  %s fine   %s",
		   screen_glyph(cli, fine_state), screen_odds(fine, a));
	screen_put(cli, to, TONE_FAINT, "   (a step passes at %s)\n", screen_odds(1 / passes, b));
	if (json_is_true(json_object_get(judge, "live_troubled")))
		screen_put(cli, to, TONE_BUSY,
			   "  The live release is in trouble itself, and no measure: nothing "
			   "passes now.\n");
	const json_t *division = json_object_get(judge, "division");
	if (json_is_true(json_object_get(division, "off")))
		screen_put(cli, to, TONE_BUSY, "  Division: %s.\n", json_text_of(division, "text"));
}

/* "errors", "p99 > 21 ms" */
static const char *name_of(const json_t *metric, char to[64])
{
	uint64_t edge_us = json_number_of(metric, "edge_us");
	char edge[32];
	if (edge_us > 0)
		snprintf(to, 64, "%.32s > %s ms", json_text_of(metric, "name"),
			 milliseconds(edge_us, edge));
	else
		snprintf(to, 64, "%.48s", json_text_of(metric, "name"));
	return to;
}

/* "none", "0.8" */
static const char *expected_of(const json_t *metric, char to[32])
{
	static const double NONE = 0.05;
	double expected = json_real_of(metric, "expected");
	if (!json_is_number(json_object_get(metric, "expected")))
		snprintf(to, 32, "-");
	else if (expected < NONE)
		snprintf(to, 32, "none");
	else
		screen_decimal(expected, to);
	return to;
}

/* What failed, and what would have been expected of it. */
static void put_failed(const struct cli *cli, struct buf *to, const json_t *judge)
{
	const json_t *metric;
	char a[32], b[32], c[32];
	size_t i;
	json_array_foreach (json_object_get(judge, "metrics"), i, metric) {
		if (strcmp(json_text_of(metric, "name"), "errors") != 0)
			continue;
		screen_put(cli, to, TONE_PLAIN, "  %s of %s requests failed",
			   screen_count(json_number_of(metric, "new_events"), a),
			   screen_count(json_number_of(metric, "new_requests"), b));
		if (json_is_number(json_object_get(metric, "expected")))
			screen_put(cli, to, TONE_PLAIN,
				   "; at the live release's share it would have been %s",
				   expected_of(metric, c));
		buf_puts(to, ".\n");
	}
}

/* How many times as often: as far as the counts bound it. */
static void put_ratio(const struct cli *cli, struct buf *to, const json_t *judge)
{
	static const double LEAST = 0.0201, MOST = 990; /* where the band ends: no bound */
	const json_t *ratio = json_object_get(judge, "ratio");
	double low = json_real_of(ratio, "low"), high = json_real_of(ratio, "high");
	char a[32], b[32], c[32];
	bool from = low > LEAST, below = high < MOST;
	if (!json_is_object(ratio) || (!from && !below))
		return;
	screen_decimal(json_real_of(ratio, "likeliest"), a);
	screen_decimal(low, b);
	screen_decimal(high, c);
	if (from && below)
		screen_put(cli, to, TONE_PLAIN,
			   "  It fails %s times as often as the live release: %s to %s", a, b, c);
	else
		screen_put(cli, to, TONE_PLAIN,
			   "  It fails at %s %s times as often as the live release",
			   from ? "least" : "most", from ? b : c);
	screen_put(cli, to, TONE_PLAIN, " (95%%, whenever one looks).\n");
}

static bool is_known(const json_t *band)
{
	return json_integer_value(json_array_get(band, 0)) > 0 ||
	       json_is_integer(json_array_get(band, 1));
}

static void put_band(const struct cli *cli, struct buf *to, const char *name, const json_t *band)
{
	char a[32], b[32];
	const json_t *high = json_array_get(band, 1);
	uint64_t low_us = (uint64_t)json_integer_value(json_array_get(band, 0));
	if (!is_known(band))
		return;
	screen_put(cli, to, TONE_PLAIN, "%s %s", name, milliseconds(low_us, a));
	if (json_is_integer(high))
		screen_put(cli, to, TONE_PLAIN, " to %s ms",
			   milliseconds((uint64_t)json_integer_value(high), b));
	else
		screen_put(cli, to, TONE_PLAIN, " ms or more");
}

/* p50 lies within (95%): new 12 to 14 ms, live 11 to 12 ms */
static void put_latency(const struct cli *cli, struct buf *to, const json_t *judge)
{
	static const char *const quantiles[] = {"p50", "p99"};
	const json_t *latency = json_object_get(judge, "latency");
	for (size_t i = 0; i < 2; i++) {
		char fresh[32], live[32];
		snprintf(fresh, sizeof fresh, "new_%s_us", quantiles[i]);
		snprintf(live, sizeof live, "live_%s_us", quantiles[i]);
		if (!is_known(json_object_get(latency, fresh)))
			continue;
		screen_put(cli, to, TONE_PLAIN, "  %s lies within (95%%): ", quantiles[i]);
		put_band(cli, to, "new", json_object_get(latency, fresh));
		put_band(cli, to, ", live", json_object_get(latency, live));
		buf_puts(to, "\n");
	}
}

static void put_estimate(const struct cli *cli, struct buf *to, const json_t *judge)
{
	uint64_t more = json_number_of(judge, "more_requests"),
		 more_ms = json_number_of(judge, "more_ms");
	char a[32], b[32];
	if (more == 0)
		return;
	screen_put(cli, to, TONE_PLAIN, "  About %s more requests decide it",
		   screen_count(more, a));
	if (more_ms > 0)
		screen_put(cli, to, TONE_PLAIN, ", %s at this traffic",
			   screen_duration(more_ms, b));
	buf_puts(to, ".\n");
}

static void put_row(const struct cli *cli, struct buf *to, enum screen_tone tone,
		    const char *const cells[6])
{
	screen_put(cli, to, tone, "  %-*s %*s %8s %*s %*s %6s\n", NAME_COLUMNS, cells[0],
		   NEW_COLUMNS, cells[1], cells[2], LIVE_COLUMNS, cells[3], ODDS_COLUMNS, cells[4],
		   cells[5]);
}

static bool says_something(const json_t *metric)
{
	return json_number_of(metric, "new_requests") > 0 &&
	       json_number_of(metric, "new_events") + json_number_of(metric, "live_events") > 0;
}

/* What was looked at too, and never happened on either side. */
static void put_quiet(const struct cli *cli, struct buf *to, const json_t *metrics)
{
	const json_t *metric;
	const char *before = "  None of either release: ";
	char name[64];
	size_t i;
	json_array_foreach (metrics, i, metric) {
		if (json_number_of(metric, "new_requests") == 0 || says_something(metric))
			continue;
		screen_put(cli, to, TONE_FAINT, "%s%s", before, name_of(metric, name));
		before = ", ";
	}
	if (before[0] == ',')
		buf_puts(to, ".\n");
}

static void put_metrics(const struct cli *cli, struct buf *to, const json_t *judge)
{
	static const char *const heads[6] = {"metric", "new",      "expected",
					     "live",   "evidence", "share"};
	bool bad = json_real_of(judge, "odds") > 1;
	const json_t *metric;
	size_t i;
	bool headed = false;
	json_array_foreach (json_object_get(judge, "metrics"), i, metric) {
		char name[64], fresh[64], live[64], expected[32], odds[32], share[32];
		if (!says_something(metric))
			continue;
		if (!headed) {
			buf_puts(to, "\n");
			put_row(cli, to, TONE_FAINT, heads);
			headed = true;
		}
		snprintf(share, sizeof share, "%.0f%%", json_real_of(metric, "share") * 100);
		const char *const cells[6] = {name_of(metric, name),
					      counted(metric, "new", fresh),
					      expected_of(metric, expected),
					      counted(metric, "live", live),
					      screen_odds(json_real_of(metric, "evidence"), odds),
					      share};
		put_row(cli, to, bad && i == 0 ? TONE_BAD : TONE_PLAIN, cells);
	}
	put_quiet(cli, to, json_object_get(judge, "metrics"));
}

/* "cpu: 1.9 ms per request of the new release, 1.2 ms of the live one; evidence 12 : 1, share 80%" */
static void put_means(const struct cli *cli, struct buf *to, const json_t *judge)
{
	bool bad = json_real_of(judge, "odds") > 1;
	const json_t *mean;
	char odds[32];
	size_t i;
	json_array_foreach (json_object_get(judge, "means"), i, mean) {
		double share = json_real_of(mean, "share");
		screen_put(cli, to, bad && share > 0.5 ? TONE_BAD : TONE_PLAIN,
			   "  %s; evidence %s, share %.0f%%\n", json_text_of(mean, "text"),
			   screen_odds(json_real_of(mean, "evidence"), odds), share * 100);
	}
}

/* What is not held against the release, and what is done about events that come together: of the culprit. */
static void put_tolerated(const struct cli *cli, struct buf *to, const json_t *metric)
{
	const char *name = json_text_of(metric, "name"), *text = json_text_of(metric, "tolerance");
	double phi = json_real_of(metric, "phi");
	char cluster[32];
	if (text[0] && says_something(metric))
		screen_put(cli, to, TONE_FAINT, "  Tolerated of %s: %s.\n", name, text);
	if (phi >= CLUSTERED)
		screen_put(cli, to, TONE_FAINT,
			   "  They come in clusters of about %s, and each cluster counts once.\n",
			   screen_decimal(phi, cluster));
}

/* Which of several it comes from; of one, or without an event, that is no question. */
static bool worth_a_table(const json_t *parts)
{
	const json_t *part;
	size_t i, asked = 0;
	uint64_t events = 0;
	json_array_foreach (parts, i, part) {
		asked += json_number_of(part, "new_requests") > 0;
		events += json_number_of(part, "new_events");
	}
	return asked > 1 && events > 0;
}

static void put_parts(const struct cli *cli, struct buf *to, const json_t *parts, const char *what,
		      const char *by, bool live)
{
	const json_t *part;
	int columns = NAME_COLUMNS;
	size_t i;
	if (!worth_a_table(parts))
		return;
	json_array_foreach (parts, i, part)
		if ((int)strlen(json_text_of(part, "name")) > columns)
			columns = (int)strlen(json_text_of(part, "name"));
	screen_put(cli, to, TONE_FAINT, "\n  %s by %s\n", what, by);
	json_array_foreach (parts, i, part) {
		const char *name = json_text_of(part, "name");
		char fresh[64], old[64];
		if (json_number_of(part, "new_requests") == 0)
			continue;
		enum screen_tone tone =
			json_number_of(part, "new_events") > 0 ? TONE_PLAIN : TONE_FAINT;
		screen_put(cli, to, tone, "  %-*s %*s", columns, name[0] ? name : "(other)",
			   NEW_COLUMNS, counted(part, "new", fresh));
		if (live)
			screen_put(cli, to, tone, "   live %s", counted(part, "live", old));
		buf_puts(to, "\n");
	}
}

void judge_draw(const struct cli *cli, const json_t *rollout, struct buf *to)
{
	const json_t *judge = json_object_get(rollout, "judge"),
		     *culprit = json_array_get(json_object_get(judge, "metrics"), 0);
	char name[64];
	if (!json_is_object(judge))
		return;
	buf_puts(to, "\nStatistics: the odds that this release is\n");
	put_odds(cli, to, judge);
	put_failed(cli, to, judge);
	put_ratio(cli, to, judge);
	put_latency(cli, to, judge);
	put_estimate(cli, to, judge);
	put_metrics(cli, to, judge);
	put_means(cli, to, judge);
	put_tolerated(cli, to, culprit);
	put_parts(cli, to, json_object_get(judge, "classes"), name_of(culprit, name), "class",
		  true);
	put_parts(cli, to, json_object_get(judge, "instances"), "errors",
		  "instance of the new release", false);
}
