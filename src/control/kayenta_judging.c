/* SPDX-License-Identifier: Apache-2.0
 * kayenta_judging - see kayenta_judging.h for the contract. */
#include "control/kayenta_judging.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "control/environment.h"
#include "judge/line.h"

enum { NEW_RELEASE, LIVE_RELEASE, RELEASES };
enum { GROUP_ERRORS = 1 << 0, GROUP_LATENCY = 1 << 1 };

static const struct metric {
	const char *name;
	uint32_t quantile_bp; /* 0: no latency */
	uint32_t groups;
} metrics[CONFIG_KAYENTA_METRICS] = {
	[CONFIG_KAYENTA_ERRORS] = {"errors", 0, GROUP_ERRORS},
	[CONFIG_KAYENTA_P50] = {"p50", 5000, GROUP_LATENCY},
	[CONFIG_KAYENTA_P90] = {"p90", 9000, GROUP_LATENCY},
	[CONFIG_KAYENTA_P99] = {"p99", 9900, GROUP_LATENCY},
};

struct kayenta_judging {
	struct config_kayenta settings;
	bool counting;     /* the new release has had a request */
	uint64_t began_ms; /* the interval under way, and the counts of then; life 0: not known */
	struct router_counters base[RELEASES];
	uint32_t next, count;
	double points[RELEASES][CONFIG_KAYENTA_METRICS][SAMPLE_MAX]; /* NAN: none */
	struct judge_result result;
};

/* --- points */

static const struct counts_track *track_of(const struct environment *e, int release)
{
	return release == NEW_RELEASE ? &e->analysis.fresh : &e->analysis.live;
}

static double latency_point(const struct judge_counts *counts, uint32_t quantile_bp)
{
	uint64_t total = histogram_total(counts->latency);
	if (total == 0)
		return NAN;
	uint32_t bucket = histogram_quantile(counts->latency, total, quantile_bp);
	return ((double)histogram_lower_us(bucket) + (double)histogram_upper_us(bucket)) / 2;
}

static double error_point(const struct judge_counts *counts)
{
	uint64_t outcomes = judge_outcomes(counts);
	return outcomes == 0 ? NAN : 100.0 * (double)judge_errors(counts) / (double)outcomes;
}

static void take_points(const struct environment *e, int release)
{
	static struct judge_counts counts;
	struct kayenta_judging *k = e->kayenta;
	const struct counts_track *track = track_of(e, release);
	memset(&counts, 0, sizeof counts);
	if (k->base[release].life != 0)
		analysis_counts(track, &k->base[release], &counts);
	for (uint32_t m = 0; m < CONFIG_KAYENTA_METRICS; m++)
		k->points[release][m][k->next] =
			metrics[m].quantile_bp > 0 ? latency_point(&counts, metrics[m].quantile_bp)
						   : error_point(&counts);
}

static void begin_interval(const struct environment *e, uint64_t now_ms)
{
	struct kayenta_judging *k = e->kayenta;
	k->began_ms = now_ms;
	for (int release = 0; release < RELEASES; release++)
		if (track_of(e, release)->present)
			k->base[release] = track_of(e, release)->now;
}

static void end_interval(const struct environment *e)
{
	struct kayenta_judging *k = e->kayenta;
	for (int release = 0; release < RELEASES; release++)
		take_points(e, release);
	k->next = (k->next + 1) % SAMPLE_MAX;
	if (k->count < SAMPLE_MAX)
		k->count++;
}

/* In how many intervals it answered. */
static uint32_t count_points(const struct kayenta_judging *k, int release)
{
	uint32_t known = 0;
	for (uint32_t i = 0; i < k->count; i++)
		known += isnan(k->points[release][CONFIG_KAYENTA_ERRORS][i]) ? 0 : 1;
	return known;
}

/* --- judgements */

struct judgement {
	struct kayenta_metric metrics[CONFIG_KAYENTA_METRICS];
	double shifts[CONFIG_KAYENTA_METRICS];
	struct kayenta_score score;
};

static void fill_series(const struct kayenta_judging *k, int release, uint32_t metric,
			struct kayenta_series *series)
{
	series->count = k->count;
	memcpy(series->points, k->points[release][metric], k->count * sizeof *series->points);
}

static void classify(const struct kayenta_judging *k, struct judgement *j)
{
	static struct kayenta_series fresh, live;
	for (uint32_t m = 0; m < CONFIG_KAYENTA_METRICS; m++) {
		fill_series(k, NEW_RELEASE, m, &fresh);
		fill_series(k, LIVE_RELEASE, m, &live);
		struct kayenta_result result =
			kayenta_classify(&k->settings.metrics[m].settings, &fresh, &live);
		j->metrics[m] = (struct kayenta_metric){.class = result.class,
							.critical = result.critical,
							.muted = k->settings.metrics[m].muted,
							.groups = metrics[m].groups};
		j->shifts[m] = result.shift;
	}
	j->score = kayenta_score(j->metrics, CONFIG_KAYENTA_METRICS, &k->settings.thresholds);
}

static void put_shift(struct judge_line *line, uint32_t metric, double shift)
{
	char text[32];
	judge_line_put(line, metrics[metric].name);
	judge_line_put(line, " by ");
	if (metrics[metric].quantile_bp > 0) {
		judge_line_time(line, (uint64_t)shift);
	} else {
		snprintf(text, sizeof text, "%.3g points", shift);
		judge_line_put(line, text);
	}
}

/* "; High: errors by 4.8 points, p99 by 120 ms" */
static void put_metrics(struct judge_line *line, const struct judgement *j,
			enum kayenta_class class, const char *title)
{
	const char *before = title;
	for (uint32_t m = 0; m < CONFIG_KAYENTA_METRICS; m++) {
		if (j->metrics[m].muted || j->metrics[m].class != class)
			continue;
		judge_line_put(line, before);
		if (class == KAYENTA_HIGH)
			put_shift(line, m, j->shifts[m]);
		else
			judge_line_put(line, metrics[m].name);
		before = ", ";
	}
}

/* "score 66.67 of 100, below 75" */
static void put_score(struct judge_line *line, const struct kayenta_judging *k,
		      const struct kayenta_score *score)
{
	const struct kayenta_thresholds *t = &k->settings.thresholds;
	char text[96];
	if (score->verdict == KAYENTA_MARGINAL)
		snprintf(text, sizeof text, "score %g of 100, between %g and %g", score->score,
			 t->marginal, t->pass);
	else
		snprintf(text, sizeof text, "score %g of 100, %s %g", score->score,
			 score->verdict == KAYENTA_FAIL ? "below" : "at least",
			 score->verdict == KAYENTA_FAIL ? t->marginal : t->pass);
	judge_line_put(line, text);
	if (score->reason == KAYENTA_BY_CRITICAL)
		judge_line_put(line, " because a critical metric did not pass");
	else if (score->reason == KAYENTA_BY_NODATA)
		judge_line_put(line, " because half of the metrics or more have no data");
}

static struct judge_line begin_sentence(struct judge_result *result)
{
	*result = (struct judge_result){0};
	return (struct judge_line){.to = result->sentence, .size = sizeof result->sentence};
}

static void tell_wait(struct kayenta_judging *k, uint32_t points)
{
	char interval[32], text[128];
	struct judge_line line = begin_sentence(&k->result);
	k->result.verdict = JUDGE_VERDICT_TOO_LITTLE;
	snprintf(text, sizeof text, "Mann-Whitney has %u of the %u points of %s that it waits for",
		 points, k->settings.points,
		 text_format_duration(k->settings.interval_ms, interval, sizeof interval));
	judge_line_put(&line, text);
}

static void tell_step(struct kayenta_judging *k)
{
	char interval[32], text[128];
	struct judge_line line = begin_sentence(&k->result);
	k->result.verdict = JUDGE_VERDICT_GO_ON;
	snprintf(text, sizeof text, "Mann-Whitney waits: the first point of this step takes %s",
		 text_format_duration(k->settings.interval_ms, interval, sizeof interval));
	judge_line_put(&line, text);
}

static void tell_judgement(struct kayenta_judging *k, const struct judgement *j, uint32_t points)
{
	static const enum judge_verdict verdicts[] = {
		[KAYENTA_FAIL] = JUDGE_VERDICT_FAIL,
		[KAYENTA_MARGINAL] = JUDGE_VERDICT_GO_ON,
		[KAYENTA_GOOD] = JUDGE_VERDICT_PASS,
	};
	char interval[32], text[96];
	struct judge_line line = begin_sentence(&k->result);
	k->result.verdict = verdicts[j->score.verdict];
	for (uint32_t m = CONFIG_KAYENTA_METRICS; m-- > 0;)
		if (!j->metrics[m].muted && j->metrics[m].class == KAYENTA_HIGH)
			text_copy(k->result.rule, sizeof k->result.rule, metrics[m].name);
	snprintf(text, sizeof text, "Mann-Whitney, %u points of %s: ", points,
		 text_format_duration(k->settings.interval_ms, interval, sizeof interval));
	judge_line_put(&line, text);
	put_score(&line, k, &j->score);
	put_metrics(&line, j, KAYENTA_HIGH, "; High: ");
	put_metrics(&line, j, KAYENTA_NODATA, "; no data: ");
}

static void judge(struct kayenta_judging *k)
{
	struct judgement judgement;
	uint32_t fresh = count_points(k, NEW_RELEASE), live = count_points(k, LIVE_RELEASE);
	uint32_t points = fresh < live ? fresh : live;
	if (points < k->settings.points) {
		tell_wait(k, points);
		return;
	}
	classify(k, &judgement);
	tell_judgement(k, &judgement, points);
}

/* --- what analysis.c calls */

void kayenta_judging_began(struct environment *e)
{
	struct config_kayenta settings;
	kayenta_judging_free(e->kayenta);
	e->kayenta = NULL;
	if (!e->active->candidate.config || !config_kayenta(e->active->candidate.config, &settings))
		return;
	e->kayenta = mem_zero(1, sizeof *e->kayenta);
	e->kayenta->settings = settings;
	tell_wait(e->kayenta, 0);
}

void kayenta_judging_tick(struct environment *e)
{
	struct kayenta_judging *k = e->kayenta;
	const struct router_counters *now = &e->analysis.fresh.now;
	uint64_t now_ms = env_now_ms(e->control->parts.env);
	if (!k || !e->analysis.fresh.present)
		return;
	if (!k->counting) {
		const struct router_counters *then = &k->base[NEW_RELEASE];
		k->counting = then->life == now->life && then->started != now->started;
		if (!k->counting)
			begin_interval(e, now_ms);
	} else if (now_ms >= k->began_ms + k->settings.interval_ms) {
		end_interval(e);
		begin_interval(e, now_ms);
		judge(k);
	}
}

void kayenta_judging_step(struct environment *e)
{
	struct kayenta_judging *k = e->kayenta;
	if (!k || !k->counting)
		return;
	begin_interval(e, env_now_ms(e->control->parts.env));
	if (k->result.verdict == JUDGE_VERDICT_PASS)
		tell_step(k);
}

bool kayenta_judging_decide(const struct environment *e, struct judge_result *ret_result)
{
	if (e->kayenta)
		*ret_result = e->kayenta->result;
	return e->kayenta != NULL;
}

void kayenta_judging_free(struct kayenta_judging *judging)
{
	free(judging);
}
