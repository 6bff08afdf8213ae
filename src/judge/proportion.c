/* SPDX-License-Identifier: Apache-2.0
 * proportion - see proportion.h for the contract. */
#include "judge/proportion.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "judge/alternatives.h"

/* An upper bound at 99.9 % of a mean of which y events were seen (Wilson and Hilferty's cube). */
static const double BOUND_Z = 3.09;
/* Seconds that counts wait for the other side, at most, and without a request that make a release absent. */
enum { WAIT_S = 10, SILENT_S = 10, SILENT_REQUESTS = 10 };
/* A share near 1 that may be a little worse would have any odds. */
static const double MOST_ODDS = 20;

void judge_proportion_begin(struct judge_proportion *p,
			    const struct judge_proportion_settings *settings)
{
	*p = (struct judge_proportion){.settings = *settings, .greatest = 1};
	ASSERT(settings->ratio >= 1 && settings->fine_share < 1 &&
	       (settings->fine_ratio > 1 || settings->fine_ratio == 0));
	if (settings->common)
		judge_bets_begin(&p->by_ratio, COMMON_COUNT, COMMON_PARTS, settings->at_once);
	else
		judge_bets_begin(&p->by_ratio, RARE_COUNT, NULL, settings->at_once);
	judge_bets_begin(&p->by_points, RARE_COUNT, NULL, settings->at_once);
	judge_bets_begin(&p->alone, ALONE_COUNT, NULL, 0);
	judge_dispersion_begin(&p->dispersion, settings->counts);
}

double judge_events_bound(double y)
{
	double n = y + 1, root = 1 - 1 / (9 * n) + BOUND_Z / (3 * sqrt(n));
	return n * root * root * root;
}

/* The log-likelihood ratios of a tick by the binomial bound, added for each alternative. */
static void add_binomial(const struct judge_table *t, double r0, double points, double *logs)
{
	double x = (double)t->new_events, y = (double)t->live_events;
	double n = (double)t->new_requests, pi = n / (n + (double)t->live_requests);
	double at_null = log1p(pi * (r0 - 1));
	for (uint32_t i = 0; i < RARE_COUNT; i++) {
		double rest = log1p(pi * (r0 * RARE[i] - 1)) - at_null;
		double gain = log(RARE[i]) - rest;
		logs[i] += x * gain - y * rest;
		if (points > 0)
			logs[i] -= n * points * (exp(gain) - 1);
	}
}

/* Without an event only the tolerance has to be paid for: (theta(r) / theta(1) - 1) without a logarithm. */
static void add_quiet(const struct judge_table *t, double points, double *logs)
{
	double n = (double)t->new_requests, pi = n / (n + (double)t->live_requests);
	for (uint32_t i = 0; i < RARE_COUNT; i++)
		logs[i] -= n * points * (RARE[i] / (1 + pi * (RARE[i] - 1)) - 1);
}

static void scale(double *logs, uint32_t count, double phi)
{
	for (uint32_t i = 0; i < count; i++)
		logs[i] /= phi;
}

static bool compares(const struct judge_table *t)
{
	return t->new_requests > 0 && t->live_requests > 0;
}

static bool has_events(const struct judge_table *t)
{
	return t->new_events + t->live_events > 0;
}

/* As if the live release were the new one. */
static struct judge_table exchanged(const struct judge_table *t)
{
	return (struct judge_table){.new_requests = t->live_requests,
				    .new_events = t->live_events,
				    .live_requests = t->new_requests,
				    .live_events = t->new_events};
}

static void tick_worse(struct judge_proportion *p, const struct judge_table *tables, uint32_t count,
		       double phi)
{
	double ratio[JUDGE_BETS_MAX] = {0}, points[JUDGE_BETS_MAX] = {0};
	bool some = false, charged = false;
	for (uint32_t s = 0; s < count; s++) {
		struct judge_table t = p->settings.fewer ? exchanged(&tables[s]) : tables[s];
		if (!compares(&t))
			continue;
		if (!has_events(&t)) {
			charged |= p->settings.points > 0;
			add_quiet(&t, p->settings.points, points);
			continue;
		}
		some = true;
		add_binomial(&t, p->settings.ratio, 0, ratio);
		add_binomial(&t, 1, p->settings.points, points);
	}
	if (some) {
		scale(ratio, RARE_COUNT, phi);
		judge_bets_settle(&p->by_ratio, ratio);
	}
	if (some || charged) {
		scale(points, RARE_COUNT, phi);
		judge_bets_settle(&p->by_points, points);
	}
}

/* The odds ratio of two shares of which the worse is as much worse than the live release's as tolerated. */
static double tolerated_odds(const struct judge_proportion *p)
{
	double r0 = p->settings.ratio;
	if (r0 <= 1 || p->past_requests <= 0)
		return r0;
	double q = p->past_events / p->past_requests;
	double less = p->settings.fewer ? q / r0 : q, more = p->settings.fewer ? q : q * r0;
	if (more >= 1)
		return MOST_ODDS;
	double odds = r0 * (1 - less) / (1 - more);
	return odds < MOST_ODDS ? odds : MOST_ODDS;
}

static void tick_worse_common(struct judge_proportion *p, const struct judge_table *tables,
			      uint32_t count, double phi)
{
	double sum[COMMON_COUNT] = {0}, logs[COMMON_COUNT + 1], odds[COMMON_COUNT + 1];
	double null = tolerated_odds(p);
	uint32_t last = null > 1; /* at odds of 1 the logarithms are against the null already */
	for (uint32_t i = 0; i < COMMON_COUNT; i++)
		odds[i] = p->settings.fewer ? 1 / (null * COMMON[i]) : null * COMMON[i];
	odds[COMMON_COUNT] = p->settings.fewer ? 1 / null : null;
	for (uint32_t s = 0; s < count; s++) {
		judge_odds_logs(&tables[s], odds, COMMON_COUNT + last, logs);
		for (uint32_t i = 0; i < COMMON_COUNT; i++)
			sum[i] += logs[i] - (last ? logs[COMMON_COUNT] : 0);
	}
	scale(sum, COMMON_COUNT, phi);
	judge_bets_settle(&p->by_ratio, sum);
}

static bool live_is_absent(const struct judge_proportion *p)
{
	return p->silent_s >= SILENT_S &&
	       p->silent_s * p->past_requests >= SILENT_REQUESTS * p->past_s;
}

/* Is there a past to count on, and too little of the present to compare with? */
static bool speaks_alone(const struct judge_proportion *p)
{
	return !p->settings.fewer && p->past_requests > 0 &&
	       (p->past_events < RARE_EVENTS || live_is_absent(p));
}

/* What is tolerated of a live release that is as bad as its past allows. */
static double level_alone(const struct judge_proportion *p)
{
	double bound = judge_events_bound(p->past_events) / p->past_requests;
	double by_ratio = bound * p->settings.ratio, by_points = bound + p->settings.points;
	return by_ratio > by_points ? by_ratio : by_points;
}

static void tick_alone(struct judge_proportion *p, const struct judge_table *tables, uint32_t count,
		       double phi)
{
	double level = level_alone(p), logs[ALONE_COUNT] = {0};
	bool live_fails = false;
	for (uint32_t s = 0; s < count; s++) {
		const struct judge_table *t = &tables[s];
		double n = (double)t->new_requests, all = n + (double)t->live_requests;
		live_fails |= t->live_events > 0;
		if (t->new_requests == 0)
			continue;
		double most = t->live_requests > 0 ? log(all / n) * ALONE_SLACK : ALONE[2];
		for (uint32_t i = 0; i < ALONE_COUNT; i++) {
			double gain = ALONE[i] < most ? ALONE[i] : most;
			logs[i] += (double)t->new_events * gain - n * level * (exp(gain) - 1);
		}
	}
	for (uint32_t i = 0; i < ALONE_COUNT; i++)
		logs[i] = live_fails ? ALONE_LOST : logs[i] / phi;
	judge_bets_settle(&p->alone, logs);
}

static void tick_fine(struct judge_proportion *p, const struct judge_table *tables, uint32_t count,
		      double phi)
{
	double odds[JUDGE_FINE_MAX + 1], logs[JUDGE_FINE_MAX + 1];
	double r1 = p->settings.fine_ratio;
	uint32_t grid = 0;
	for (uint32_t i = 0; i < FINE_COUNT; i++)
		if (FINE[i] < r1)
			odds[grid++] = p->settings.fewer ? 1 / FINE[i] : FINE[i];
	odds[grid] = p->settings.fewer ? 1 / r1 : r1;
	for (uint32_t s = 0; s < count; s++) {
		if (!compares(&tables[s]) || !has_events(&tables[s]))
			continue;
		judge_odds_logs(&tables[s], odds, grid + 1, logs);
		for (uint32_t i = 0; i < grid; i++)
			p->fine[i] += (logs[i] - logs[grid]) / phi;
	}
}

static void tick_fine_alone(struct judge_proportion *p, const struct judge_table *tables,
			    uint32_t count, double phi)
{
	double p1 = p->settings.fine_share, n = 0, x = 0;
	for (uint32_t s = 0; s < count; s++) {
		n += (double)tables[s].new_requests;
		x += (double)tables[s].new_events;
	}
	for (uint32_t i = 0; i < 2; i++) {
		double q = FINE_ALONE[i] * p1;
		p->fine_alone[i] += (x * log(q / p1) + (n - x) * (log1p(-q) - log1p(-p1))) / phi;
	}
}

/* Since the new release had its first request. */
static void add_totals(struct judge_proportion *p, const struct judge_table *t)
{
	if (p->new_requests <= 0 && t->new_requests == 0)
		return;
	p->new_requests += (double)t->new_requests;
	p->new_events += (double)t->new_events;
	p->live_requests += (double)t->live_requests;
	p->live_events += (double)t->live_events;
	if (p->past_requests > 0)
		p->expected += (double)t->new_requests * p->past_events / p->past_requests;
}

/* Adds the tick to what waits, and takes out what is complete: both sides, or none to wait for. */
static uint32_t gather(struct judge_proportion *p, const struct judge_table *tables, uint32_t count,
		       struct judge_table *ret_ready)
{
	uint32_t ready = 0;
	bool at_once = p->waited_s >= WAIT_S || live_is_absent(p);
	ASSERT(count <= JUDGE_TABLES_MAX);
	for (uint32_t s = 0; s < count; s++) {
		struct judge_table *w = &p->waiting[s];
		w->new_requests += tables[s].new_requests;
		w->new_events += tables[s].new_events;
		w->live_requests += tables[s].live_requests;
		w->live_events += tables[s].live_events;
		if (!compares(w) && !at_once)
			continue;
		ret_ready[ready++] = *w;
		*w = (struct judge_table){0};
	}
	if (at_once)
		p->waited_s = 0;
	return ready;
}

static bool asks_fine(const struct judge_proportion_settings *settings)
{
	return !settings->counts && settings->fine_ratio > 1;
}

static void judge_tables(struct judge_proportion *p, const struct judge_table *tables,
			 uint32_t count, double phi)
{
	const struct judge_proportion_settings *settings = &p->settings;
	if (settings->common)
		tick_worse_common(p, tables, count, phi);
	else
		tick_worse(p, tables, count, phi);
	if (!settings->common && speaks_alone(p))
		tick_alone(p, tables, count, phi);
	if (asks_fine(settings))
		tick_fine(p, tables, count, phi);
	if (asks_fine(settings) && settings->fine_share > 0)
		tick_fine_alone(p, tables, count, phi);
}

void judge_proportion_learn(struct judge_proportion *p, uint64_t requests, uint64_t events)
{
	judge_dispersion_add(&p->dispersion, requests, events);
	p->past_requests += (double)requests;
	p->past_events += (double)events;
	if (requests > 0)
		p->silent_s = 0;
}

/* With the first request of the new release: who is going to decide? */
static void begin_alone(struct judge_proportion *p)
{
	p->alone_weight = ALONE_WEIGHT_LEAST;
	if (!speaks_alone(p))
		return;
	p->alone_weight = ALONE_WEIGHT;
	judge_bets_add(&p->alone, ALONE_MORE_AT_ONCE);
}

void judge_proportion_tick(struct judge_proportion *p, const struct judge_table *tables,
			   uint32_t count)
{
	struct judge_table ready[JUDGE_TABLES_MAX];
	double phi = judge_dispersion_phi(&p->dispersion);
	uint64_t new_requests = 0;
	for (uint32_t s = 0; s < count; s++) {
		new_requests += tables[s].new_requests;
		add_totals(p, &tables[s]);
	}
	if (new_requests > 0 && p->new_requests == (double)new_requests)
		begin_alone(p);
	uint32_t complete = gather(p, tables, count, ready);
	if (p->new_requests > 0 && complete > 0)
		judge_tables(p, ready, complete, phi);
	for (uint32_t s = 0; s < count; s++)
		judge_proportion_learn(p, tables[s].live_requests, tables[s].live_events);
	double worse = judge_proportion_worse(p);
	if (worse > p->greatest)
		p->greatest = worse;
}

void judge_proportion_cut(struct judge_proportion *p)
{
	judge_dispersion_cut(&p->dispersion);
	memset(p->waiting, 0, sizeof p->waiting);
}

void judge_proportion_second(struct judge_proportion *p)
{
	judge_dispersion_second(&p->dispersion);
	p->past_requests *= KEPT_PER_SECOND;
	p->past_events *= KEPT_PER_SECOND;
	p->past_s = p->past_s * KEPT_PER_SECOND + 1;
	p->silent_s++;
	p->waited_s++;
	if (p->new_requests == 0)
		return;
	judge_bets_second(&p->by_ratio);
	judge_bets_second(&p->by_points);
	judge_bets_second(&p->alone);
}

void judge_proportion_step(struct judge_proportion *p)
{
	judge_bets_add(&p->by_ratio, STEP_SHARE);
	judge_bets_add(&p->by_points, STEP_SHARE);
	judge_bets_add(&p->alone, STEP_SHARE);
}

double judge_proportion_worse(const struct judge_proportion *p)
{
	double ratio = judge_bets_wealth(&p->by_ratio);
	if (p->settings.common)
		return ratio;
	double points = judge_bets_wealth(&p->by_points);
	return (1 - p->alone_weight) * (ratio < points ? ratio : points) +
	       p->alone_weight * judge_bets_wealth(&p->alone);
}

static double mean_of(const double *logs, uint32_t count)
{
	double sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += exp(logs[i] > 400 ? 400 : logs[i]);
	return sum / count;
}

double judge_proportion_fine(const struct judge_proportion *p)
{
	uint32_t grid = 0;
	if (!asks_fine(&p->settings))
		return 1;
	for (uint32_t i = 0; i < FINE_COUNT; i++)
		grid += FINE[i] < p->settings.fine_ratio;
	double ratio = mean_of(p->fine, grid);
	if (p->settings.fine_share <= 0)
		return ratio;
	return (ratio + mean_of(p->fine_alone, 2)) / 2;
}
