/* SPDX-License-Identifier: Apache-2.0
 * judge - see judge.h for the contract. */
#include "judge/judge.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "judge/members.h"

static const uint32_t quantiles_bp[JUDGE_LATENCIES] = {5000, 9000, 9900, 9990};
enum { FINE_ODDS = 2 };
static const double RECENT_KEPT_PER_SECOND = 0.983;   /* about a minute */
static const double USUAL_KEPT_PER_SECOND = 0.998845; /* half of it in ten minutes */
enum { RECENT_LEAST = 50, TROUBLE_TIMES = 3 };

static const double ERRORS_WEIGHT = 0.5, LATENCY_WEIGHT = 0.3, HANGS_WEIGHT = 0.1,
		    REFUSED_WEIGHT = 0.1;
/* A release is slow from the start, mostly: little is kept for slowness that comes late. */
static const double LATENCY_AT_ONCE = 0.9;

/* Of the live release's answers, how many are slower than its quantile. */
static double share_beyond(uint32_t quantile_bp)
{
	return 1 - (double)quantile_bp / HISTOGRAM_QUANTILE_FULL_BP;
}

/* As a share too: where the live release's tail is in one bucket, nothing of it is beyond the edge, and the comparison
 * has nothing to go by. Twice the half is all of them: of the median only the comparison counts. */
static double fine_share_of(uint32_t quantile_bp)
{
	double share = FINE_ODDS * share_beyond(quantile_bp);
	return share < 1 ? share : 0;
}

void judge_settings_default(struct judge_settings *s)
{
	*s = (struct judge_settings){.alpha = 0.001,
				     .beta = 0.01,
				     .trouble = 0.02,
				     .warm_requests = 200,
				     .warm_ms = 300000,
				     .phi_least = 1};
	s->metrics[JUDGE_METRIC_ERRORS] = (struct judge_metric_settings){
		.name = "errors",
		.gates = true,
		.weight = ERRORS_WEIGHT,
		.proportion = {
			.ratio = 1.25, .points = 0.0002, .fine_ratio = 3, .fine_share = 0.02}};
	s->metrics[JUDGE_METRIC_REFUSED] = (struct judge_metric_settings){
		.name = "4xx",
		.weight = REFUSED_WEIGHT,
		.proportion = {.ratio = 1.5, .points = 0.002, .fine_ratio = 3}};
	s->metrics[JUDGE_METRIC_HANGS] = (struct judge_metric_settings){
		.name = "hangs",
		.weight = HANGS_WEIGHT,
		.proportion = {.ratio = 1.25, .points = 0.0002, .fine_ratio = 3}};
	for (uint32_t i = 0; i < JUDGE_LATENCIES; i++) {
		struct judge_metric_settings *m = &s->metrics[JUDGE_METRIC_LATENCY + i];
		*m = (struct judge_metric_settings){
			.weight = LATENCY_WEIGHT / 3,
			.scale = 1.09,
			.slack_us = 5000,
			.proportion = {.common = true,
				       .ratio = 1,
				       .fine_ratio = FINE_ODDS,
				       .fine_share = fine_share_of(quantiles_bp[i]),
				       .at_once = LATENCY_AT_ONCE}};
		if (quantiles_bp[i] < 9990)
			judge_quantile_name(quantiles_bp[i], m->name);
	}
}

void judge_settings_slowest(struct judge_settings *s)
{
	uint32_t last = JUDGE_LATENCIES - 1;
	judge_quantile_name(quantiles_bp[last], s->metrics[JUDGE_METRIC_LATENCY + last].name);
}

void judge_settings_extra(struct judge_settings *s, uint32_t index, const char *name,
			  const struct judge_proportion_settings *proportion, double weight)
{
	ASSERT(index < JUDGE_EXTRAS);
	struct judge_metric_settings *m = &s->metrics[JUDGE_METRIC_EXTRA + index];
	*m = (struct judge_metric_settings){.weight = weight, .proportion = *proportion};
	text_copy(m->name, sizeof m->name, name);
}

const char *judge_metric_name(const struct judge *j, uint32_t metric)
{
	ASSERT(metric < JUDGE_METRIC_ALL);
	return metric < JUDGE_METRIC_MEAN ? j->settings.metrics[metric].name
					  : j->settings.means[metric - JUDGE_METRIC_MEAN].name;
}

bool judge_metric_is_on(const struct judge *j, uint32_t metric)
{
	return judge_metric_name(j, metric)[0] != '\0';
}

static double weight_of(const struct judge *j, uint32_t metric)
{
	if (!judge_metric_is_on(j, metric))
		return 0;
	return metric < JUDGE_METRIC_MEAN ? j->settings.metrics[metric].weight
					  : j->settings.means[metric - JUDGE_METRIC_MEAN].weight;
}

void judge_begin(struct judge *j, const struct judge_settings *settings)
{
	double sum = 0;
	memset(j, 0, sizeof *j);
	j->settings = *settings;
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		struct judge_proportion_settings proportion = settings->metrics[m].proportion;
		if (!judge_metric_is_on(j, m))
			continue;
		if (!settings->metrics[m].gates)
			proportion.fine_ratio = 0;
		judge_proportion_begin(&j->metrics[m], &proportion);
		j->metrics[m].dispersion.least = settings->phi_least;
	}
	sample_ratio_begin(&j->division);
	for (uint32_t i = 0; i < JUDGE_MEANS; i++)
		if (judge_metric_is_on(j, JUDGE_METRIC_MEAN + i))
			judge_mean_begin(&j->means[i], &settings->means[i], settings->alpha);
	for (uint32_t m = 0; m < JUDGE_METRIC_ALL; m++)
		sum += weight_of(j, m);
	for (uint32_t m = 0; m < JUDGE_METRIC_ALL; m++)
		j->weights[m] = weight_of(j, m) / sum;
}

static uint64_t errors_of(const struct judge_arm *arm)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < JUDGE_ERROR_COUNT; i++)
		sum += arm->errors[i];
	return sum;
}

/* Events of a tick cannot outnumber its requests, but counters are read one after the other. */
static struct judge_table table_of(uint64_t new_requests, uint64_t new_events,
				   uint64_t live_requests, uint64_t live_events)
{
	return (struct judge_table){
		.new_requests = new_requests > new_events ? new_requests : new_events,
		.new_events = new_events,
		.live_requests = live_requests > live_events ? live_requests : live_events,
		.live_events = live_events};
}

/* What a client repeats blindly within a second is one incident. */
static struct judge_table errors_table(const struct judge_arm *a, const struct judge_arm *b)
{
	uint64_t x = errors_of(a), y = errors_of(b);
	uint64_t new_repeated = a->repeated < x ? a->repeated : x;
	uint64_t live_repeated = b->repeated < y ? b->repeated : y;
	uint64_t n = a->requests > new_repeated ? a->requests - new_repeated : 0;
	uint64_t m = b->requests > live_repeated ? b->requests - live_repeated : 0;
	return table_of(n, x - new_repeated, m, y - live_repeated);
}

static uint64_t answers(const struct judge_arm *arm)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < arm->slot_count; i++)
		sum += arm->slots[i].count;
	return sum;
}

static bool is_warm(const struct judge *j)
{
	return j->new_requests >= j->warm_until_requests ||
	       j->time_ms - j->warm_from_ms >= j->settings.warm_ms;
}

/* The first request: at least one instance is new, whatever was said before. */
static void begin_warm(struct judge *j)
{
	j->warm_from_ms = j->time_ms;
	if (j->warm_until_requests == 0)
		j->warm_until_requests = j->settings.warm_requests;
}

/* So far only of the live release. An instance may crash before it has a request. */
static bool is_past(const struct judge *j, uint32_t metric, const struct judge_table *table)
{
	if (metric < JUDGE_METRIC_EXTRA)
		return j->new_requests == 0;
	return j->metrics[metric].new_requests <= 0 && table->new_requests == 0;
}

static void tick_metric(struct judge *j, uint32_t metric, const struct judge_table *tables,
			uint32_t count)
{
	if (!judge_metric_is_on(j, metric))
		return;
	for (uint32_t s = 0; s < count; s++) {
		struct judge_table *total = &j->totals[metric][s];
		if (is_past(j, metric, &tables[s]))
			break;
		total->new_requests += tables[s].new_requests;
		total->new_events += tables[s].new_events;
		total->live_requests += tables[s].live_requests;
		total->live_events += tables[s].live_events;
		if (metric == JUDGE_METRIC_ERRORS)
			judge_band_add(&j->band, &tables[s]);
	}
	judge_proportion_tick(&j->metrics[metric], tables, count);
}

/* While instances of the new release are cold, their answers are no evidence in either direction: the bets would be
 * lost to what is slow for a good reason, or to an edge that forgives it. */
static struct judge_table answers_of(const struct judge *j, const struct judge_cell *cell)
{
	return (struct judge_table){.new_requests = is_warm(j) ? answers(&cell->new_release) : 0,
				    .live_requests = answers(&cell->live_release)};
}

static struct judge_table latency_table(const struct judge_edge *edge,
					const struct judge_cell *cell,
					const struct judge_table *all)
{
	const struct judge_arm *a = &cell->new_release, *b = &cell->live_release;
	struct judge_table t = *all;
	t.live_events = judge_slower(b->slots, b->slot_count, edge->live_bucket);
	if (t.new_requests > 0)
		t.new_events = judge_slower(a->slots, a->slot_count, edge->new_bucket);
	return t;
}

static void tick_latency(struct judge *j, const struct judge_tick *tick)
{
	struct judge_table all[JUDGE_STRATA_MAX], tables[JUDGE_STRATA_MAX];
	for (uint32_t s = 0; s < tick->cell_count; s++)
		all[s] = answers_of(j, &tick->cells[s]);
	for (uint32_t i = 0; i < JUDGE_LATENCIES; i++) {
		const struct judge_edge *edge = &j->edges[i];
		if (!judge_metric_is_on(j, JUDGE_METRIC_LATENCY + i) || !edge->known)
			continue;
		for (uint32_t s = 0; s < tick->cell_count; s++)
			tables[s] = latency_table(edge, &tick->cells[s], &all[s]);
		tick_metric(j, JUDGE_METRIC_LATENCY + i, tables, tick->cell_count);
	}
	for (uint32_t s = 0; s < tick->cell_count; s++)
		judge_past_add(&j->past, tick->cells[s].live_release.slots,
			       tick->cells[s].live_release.slot_count);
}

/* An answer is slow beyond another edge from here on, and nothing is compared across. */
static void choose_edge(struct judge *j, uint32_t i)
{
	const struct judge_metric_settings *settings =
		&j->settings.metrics[JUDGE_METRIC_LATENCY + i];
	struct judge_edge *edge = &j->edges[i], before = *edge;
	judge_edge_choose(edge, &j->past, quantiles_bp[i], settings->scale, settings->slack_us);
	if (before.known && edge->live_bucket != before.live_bucket)
		judge_proportion_cut(&j->metrics[JUDGE_METRIC_LATENCY + i]);
}

static void choose_edges(struct judge *j)
{
	j->edges_known = true;
	for (uint32_t i = 0; i < JUDGE_LATENCIES; i++) {
		if (!judge_metric_is_on(j, JUDGE_METRIC_LATENCY + i))
			continue;
		choose_edge(j, i);
		j->edges_known &= j->edges[i].known;
	}
}

/* What is no longer recent becomes usual; trouble does not, however long it lasts. */
static void forget_live(struct judge *j)
{
	double kept = RECENT_KEPT_PER_SECOND, passed = judge_live_troubled(j) ? 0 : 1 - kept;
	j->usual_requests = j->usual_requests * USUAL_KEPT_PER_SECOND + j->recent_requests * passed;
	j->usual_errors = j->usual_errors * USUAL_KEPT_PER_SECOND + j->recent_errors * passed;
	j->recent_requests *= kept;
	j->recent_errors *= kept;
}

static void pass_time(struct judge *j, uint32_t elapsed_ms)
{
	j->time_ms += elapsed_ms;
	j->second_ms += elapsed_ms;
	if (j->second_ms < 1000)
		return;
	j->second_ms = 0;
	j->minute_ms += 1000;
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		if (judge_metric_is_on(j, m))
			judge_proportion_second(&j->metrics[m]);
	judge_members_second(j);
	sample_ratio_second(&j->division);
	judge_band_second(&j->band,
			  judge_dispersion_phi(&j->metrics[JUDGE_METRIC_ERRORS].dispersion));
	forget_live(j);
	if (j->minute_ms >= 60000) {
		j->minute_ms = 0;
		judge_past_minute(&j->past);
		choose_edges(j);
	} else if (!j->edges_known) {
		choose_edges(j);
	}
}

static void tick_measured(struct judge *j, const struct judge_tick *tick)
{
	for (uint32_t i = 0; i < JUDGE_EXTRAS; i++) {
		struct judge_table t = tick->extras[i];
		if (!j->settings.metrics[JUDGE_METRIC_EXTRA + i].proportion.counts)
			t = table_of(t.new_requests, t.new_events, t.live_requests, t.live_events);
		tick_metric(j, JUDGE_METRIC_EXTRA + i, &t, 1);
	}
	for (uint32_t i = 0; i < JUDGE_MEANS; i++)
		if (judge_metric_is_on(j, JUDGE_METRIC_MEAN + i))
			judge_mean_add(&j->means[i], &tick->means[i]);
}

void judge_tick(struct judge *j, const struct judge_tick *tick)
{
	struct judge_table errors[JUDGE_STRATA_MAX], refused[JUDGE_STRATA_MAX],
		hangs[JUDGE_STRATA_MAX];
	ASSERT(tick->cell_count > 0 && tick->cell_count <= JUDGE_STRATA_MAX);
	for (uint32_t s = 0; s < tick->cell_count; s++) {
		const struct judge_arm *a = &tick->cells[s].new_release;
		const struct judge_arm *b = &tick->cells[s].live_release;
		errors[s] = errors_table(a, b);
		refused[s] = table_of(a->requests, a->refused, b->requests, b->refused);
		hangs[s] = table_of(a->requests + a->hangs, a->hangs, b->requests + b->hangs,
				    b->hangs);
		for (uint32_t c = 0; c < JUDGE_ERROR_COUNT; c++)
			j->causes[c] += a->errors[c];
		if (j->new_requests == 0 && a->requests > 0)
			begin_warm(j);
		j->new_requests += a->requests;
		j->recent_requests += (double)b->requests;
		j->recent_errors += (double)errors_of(b);
	}
	judge_members_tick(j, tick, errors);
	tick_metric(j, JUDGE_METRIC_ERRORS, errors, tick->cell_count);
	tick_metric(j, JUDGE_METRIC_REFUSED, refused, tick->cell_count);
	tick_metric(j, JUDGE_METRIC_HANGS, hangs, tick->cell_count);
	tick_latency(j, tick);
	tick_measured(j, tick);
	sample_ratio_tick(&j->division, &tick->division);
	pass_time(j, tick->elapsed_ms);
}

void judge_step(struct judge *j)
{
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		if (judge_metric_is_on(j, m))
			judge_proportion_step(&j->metrics[m]);
}

/* Instances that start together share the requests: each brings its own to wait for. */
void judge_warm_up(struct judge *j)
{
	j->warm_from_ms = j->time_ms;
	if (j->warm_until_requests < j->new_requests)
		j->warm_until_requests = j->new_requests;
	j->warm_until_requests += j->settings.warm_requests;
}

double judge_share_of_odds(const struct judge *j, uint32_t metric)
{
	if (!judge_metric_is_on(j, metric))
		return 0;
	return j->weights[metric] *
	       (metric < JUDGE_METRIC_MEAN
			? judge_proportion_worse(&j->metrics[metric])
			: judge_mean_worse(&j->means[metric - JUDGE_METRIC_MEAN]));
}

double judge_odds(const struct judge *j)
{
	double odds = 0;
	for (uint32_t m = 0; m < JUDGE_METRIC_ALL; m++)
		odds += judge_share_of_odds(j, m);
	return odds;
}

bool judge_gates(const struct judge *j, uint32_t metric)
{
	bool alone = j->metrics[JUDGE_METRIC_ERRORS].live_requests <= 0;
	return judge_metric_is_on(j, metric) && j->settings.metrics[metric].gates &&
	       !(alone && j->settings.metrics[metric].proportion.common);
}

double judge_fine(const struct judge *j)
{
	double least = 0;
	bool some = false;
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		if (!judge_gates(j, m))
			continue;
		double fine = judge_proportion_fine(&j->metrics[m]);
		least = some && least < fine ? least : fine;
		some = true;
	}
	return some ? least : 1;
}

bool judge_live_troubled(const struct judge *j)
{
	if (j->recent_requests < RECENT_LEAST || j->usual_requests <= 0)
		return false;
	double now = j->recent_errors / j->recent_requests;
	return now > j->settings.trouble &&
	       now > TROUBLE_TIMES * j->usual_errors / j->usual_requests;
}
