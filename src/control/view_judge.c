/* SPDX-License-Identifier: Apache-2.0
 * view_judge - see view_judge.h for the contract: from the judge to the numbers. */
#include "control/view_judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/environment.h"
#include "judge/line.h"
#include "judge/quantile_band.h"

enum { BAND_ANSWERS = 5000, GROWTH_REQUESTS = 10 };
static const double BAND_ALPHA = 0.05;
/* Odds that have not doubled yet say nothing of how fast they grow. */
static const double GROWTH_ODDS = 2;
static const double CANNOT_SAY = -1;

double view_judge_odds(double odds)
{
	return odds < VIEW_ODDS_MAX ? odds : VIEW_ODDS_MAX;
}

static bool is_latency(uint32_t metric)
{
	return metric >= JUDGE_METRIC_LATENCY && metric < JUDGE_METRIC_LATENCY + JUDGE_LATENCIES;
}

/* "1.25": what a person wrote has at most two decimals that matter. */
static void put_times(struct judge_line *line, double times)
{
	uint64_t hundredths = (uint64_t)(times * 100 + 0.5);
	judge_line_count(line, hundredths / 100);
	if (hundredths % 100 == 0)
		return;
	judge_line_put(line, hundredths % 100 < 10 ? ".0" : ".");
	judge_line_count(line, hundredths % 10 == 0 ? hundredths % 100 / 10 : hundredths % 100);
}

/* What is tolerated of a metric: "1.25 times as many, or 0.02 points more", "9% slower". */
static void put_tolerance(const struct judge_metric_settings *s, bool latency, char *to,
			  size_t size)
{
	struct judge_line line = {.to = to, .size = size};
	to[0] = '\0';
	if (latency) {
		put_times(&line, (s->scale - 1) * 100);
		judge_line_put(&line, "% slower, or ");
		judge_line_time(&line, (uint64_t)s->slack_us);
	} else if (s->proportion.fewer) {
		put_times(&line, (1 - 1 / s->proportion.ratio) * 100);
		judge_line_put(&line, "% fewer");
	} else if (s->proportion.common && s->proportion.ratio <= 1) {
		judge_line_put(&line, "not more");
	} else {
		put_times(&line, s->proportion.ratio);
		judge_line_put(&line, " times as many");
		if (s->proportion.points > 0) {
			judge_line_put(&line, ", or ");
			put_times(&line, s->proportion.points * 100);
			judge_line_put(&line, " points more");
		}
	}
}

static void add_table(const struct judge_table *t, struct view_counts *to)
{
	to->new_events += t->new_events;
	to->new_requests += t->new_requests;
	to->live_events += t->live_events;
	to->live_requests += t->live_requests;
}

static void fill_metric(const struct judge *j, uint32_t metric, struct view_metric *to)
{
	const struct judge_proportion *p = &j->metrics[metric];
	const struct judge_metric_settings *settings = &j->settings.metrics[metric];
	double odds = judge_odds(j);
	*to = (struct view_metric){
		.gates = judge_gates(j, metric),
		.expected = p->past_requests > 0 ? p->expected : -1,
		.evidence = view_judge_odds(judge_proportion_worse(p)),
		.fine = settings->gates && !settings->proportion.counts
				? view_judge_odds(judge_proportion_fine(p))
				: 0,
		.share = odds > 0 ? judge_share_of_odds(j, metric) / odds : 0,
		.phi = judge_dispersion_phi(&p->dispersion),
		.edge_us =
			is_latency(metric) ? j->edges[metric - JUDGE_METRIC_LATENCY].live_us : 0};
	text_copy(to->name, sizeof to->name, settings->name);
	put_tolerance(settings, is_latency(metric), to->tolerance, sizeof to->tolerance);
	for (uint32_t s = 0; s < JUDGE_STRATA_MAX; s++)
		add_table(&j->totals[metric][s], &to->counts);
}

/* What says most against the release first. Returns the metric that `metrics[0]` is. */
static uint32_t fill_metrics(const struct judge *j, struct view_judge *v)
{
	uint32_t order[JUDGE_METRIC_COUNT];
	_Static_assert((int)VIEW_METRICS_MAX >= (int)JUDGE_METRIC_COUNT, "metrics fit");
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		uint32_t at = v->metric_count;
		if (!judge_metric_is_on(j, m))
			continue;
		for (; at > 0 && judge_share_of_odds(j, order[at - 1]) < judge_share_of_odds(j, m);
		     at--)
			order[at] = order[at - 1];
		order[at] = m;
		v->metric_count++;
	}
	for (uint32_t i = 0; i < v->metric_count; i++)
		fill_metric(j, order[i], &v->metrics[i]);
	return v->metric_count > 0 ? order[0] : JUDGE_METRIC_ERRORS;
}

static void fill_means(const struct judge *j, struct view_judge *v)
{
	double odds = judge_odds(j);
	_Static_assert((int)VIEW_MEANS_MAX >= (int)JUDGE_MEANS, "means fit");
	for (uint32_t i = 0; i < JUDGE_MEANS; i++) {
		const struct judge_mean *m = &j->means[i];
		uint32_t metric = JUDGE_METRIC_MEAN + i;
		if (!judge_metric_is_on(j, metric) || m->new_requests <= 0)
			continue;
		struct view_mean *to = &v->means[v->mean_count++];
		struct judge_line line = {.to = to->text, .size = sizeof to->text};
		text_copy(to->name, sizeof to->name, judge_metric_name(j, metric));
		judge_mean_put(&line, m);
		to->evidence = view_judge_odds(judge_mean_worse(m));
		to->share = odds > 0 ? judge_share_of_odds(j, metric) / odds : 0;
	}
}

static void fill_classes(const struct environment *e, const struct judge *j, uint32_t metric,
			 struct view_judge *v)
{
	_Static_assert((int)VIEW_CLASSES_MAX == (int)JUDGE_STRATA_MAX, "classes fit");
	if (metric >= JUDGE_METRIC_EXTRA)
		return; /* those are not counted by class */
	v->class_count = judging_class_count(e);
	for (uint32_t c = 0; c < v->class_count; c++) {
		text_copy(v->classes[c].name, sizeof v->classes[c].name, judging_class(e, c));
		add_table(&j->totals[metric][c], &v->classes[c].counts);
	}
}

static void fill_division(const struct sample_ratio *ratio, struct view_division *to)
{
	struct judge_line line = {.to = to->text, .size = sizeof to->text};
	if (!sample_ratio_known(ratio))
		return;
	to->known = true;
	to->off = sample_ratio_is_off(ratio);
	to->weight_bp = ratio->weight_bp;
	to->new_requests = ratio->new_done;
	to->requests = ratio->new_done + ratio->live_done;
	to->odds = view_judge_odds(sample_ratio_odds(ratio));
	to->phi = judge_dispersion_phi(&ratio->dispersion);
	if (to->off)
		sample_ratio_put(&line, ratio);
}

static bool is_before(const struct view_part *a, const struct view_part *b)
{
	return a->counts.new_events != b->counts.new_events
		       ? a->counts.new_events > b->counts.new_events
		       : a->counts.new_requests > b->counts.new_requests;
}

/* Those with most errors first; the list may be cut. */
static void add_instance(struct view_judge *v, const struct router_backend_numbers *b)
{
	struct view_part part = {.counts = {.new_events = b->errors, .new_requests = b->answered}};
	uint32_t at = v->instance_count;
	text_copy(part.name, sizeof part.name, b->instance);
	while (at > 0 && is_before(&part, &v->instances[at - 1]))
		at--;
	if (at == VIEW_JUDGED_MAX)
		return;
	if (v->instance_count < VIEW_JUDGED_MAX)
		v->instance_count++;
	memmove(&v->instances[at + 1], &v->instances[at],
		(v->instance_count - at - 1) * sizeof part);
	v->instances[at] = part;
}

static void fill_instances(const struct environment *e, struct view_judge *v)
{
	struct router *router = e->control->parts.router;
	struct router_backend_counters *counters = mem_new(sizeof *counters);
	struct digest id;
	struct error ignored;
	memcpy(id.bytes, e->active->candidate.id.bytes, sizeof id.bytes);
	if (router->ops->backend_counters(router, e->app, e->name, &id, counters, &ignored) == 0)
		for (uint32_t i = 0; i < counters->count; i++)
			add_instance(v, &counters->backends[i]);
	free(counters);
}

static struct view_band band_of(const struct judge_counts *counts, uint32_t quantile_bp)
{
	struct quantile_band band =
		quantile_band(counts->latency, quantile_bp, BAND_ANSWERS, BAND_ALPHA);
	return (struct view_band){.low_us = band.low_us, .high_us = band.high_us};
}

static void fill_bands(const struct counts_track *track, struct view_band *p50,
		       struct view_band *p99)
{
	struct judge_counts counts = {0};
	if (track->present)
		analysis_counts(track, &track->began, &counts);
	*p50 = band_of(&counts, 5000);
	*p99 = band_of(&counts, 9900);
}

/* With the second that is not over yet: a verdict does not wait for it. */
static void fill_ratio(const struct judge *j, struct view_judge *v)
{
	struct judge_band band = j->band;
	judge_band_second(&band, judge_dispersion_phi(&j->metrics[JUDGE_METRIC_ERRORS].dispersion));
	judge_band_read(&band, &v->ratio_low, &v->ratio, &v->ratio_high);
	v->ratio_known = band.costs[JUDGE_BAND_STEPS - 1] > 0;
}

/* How many more requests it takes from `odds`, reached with `requests`, to `goal`, if it goes on as so far. */
static double requests_until(double odds, double goal, double requests)
{
	if (odds >= goal)
		return 0;
	if (odds < GROWTH_ODDS || requests < GROWTH_REQUESTS)
		return CANNOT_SAY;
	return requests * (log(goal) / log(odds) - 1);
}

/* Until every gate has passed. */
static double requests_until_pass(const struct view_judge *v)
{
	double most = 0;
	for (uint32_t i = 0; i < v->metric_count; i++) {
		const struct view_metric *m = &v->metrics[i];
		if (!m->gates)
			continue;
		double more = requests_until(m->fine, 1 / v->beta, (double)m->counts.new_requests);
		if (more < 0)
			return CANNOT_SAY;
		most = more > most ? more : most;
	}
	return most;
}

static void estimate(const struct judge *j, const struct view_numbers *hold, struct view_judge *v)
{
	double pass = v->live_troubled || v->division.off ? CANNOT_SAY : requests_until_pass(v);
	double fail = requests_until(v->odds, 1 / v->alpha, (double)j->new_requests);
	double more = pass < 0 || (fail >= 0 && fail < pass) ? fail : pass;
	uint64_t had = hold->new_traffic.requests;
	if (more <= 0)
		return;
	v->more_requests = (uint64_t)more + 1;
	if (had >= GROWTH_REQUESTS)
		v->more_ms =
			(uint64_t)((double)v->more_requests * (double)hold->held_ms / (double)had);
}

static uint32_t progress(double fine, double beta)
{
	double part = fine > 1 ? log(fine) / log(1 / beta) : 0;
	return (uint32_t)((part < 1 ? part : 1) * SHARE_FULL_BP);
}

void view_judge_fill(const struct environment *e, const struct view_numbers *hold,
		     struct view_judge *v)
{
	const struct judge *j = judging_judge(e);
	memset(v, 0, sizeof *v);
	if (!j || !e->active || (j->new_requests == 0 && !sample_ratio_is_off(&j->division)))
		return;
	v->known = true;
	v->odds = view_judge_odds(judge_odds(j));
	v->fine = view_judge_odds(judge_fine(j));
	v->alpha = j->settings.alpha;
	v->beta = j->settings.beta;
	v->passed_bp = progress(v->fine, v->beta);
	v->live_troubled = judge_live_troubled(j);
	fill_division(&j->division, &v->division);
	uint32_t culprit = fill_metrics(j, v);
	fill_means(j, v);
	fill_ratio(j, v);
	fill_bands(&e->analysis.fresh, &v->new_p50, &v->new_p99);
	fill_bands(&e->analysis.live, &v->live_p50, &v->live_p99);
	fill_classes(e, j, culprit, v);
	fill_instances(e, v);
	estimate(j, hold, v);
}
