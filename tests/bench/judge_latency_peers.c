/* SPDX-License-Identifier: Apache-2.0
 * judge_latency_peers - see judge_latency_peers.h for the contract. */
#include "judge_latency_peers.h"

#include <math.h>

static const double PEER_ALPHA = 0.01;
enum { MINUTE_S = 60, P50_BP = 5000, P99_BP = 9900 };

static void count_slots(struct latency_counts *counts, const struct judge_slot *slots, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		counts->buckets[slots[i].bucket] += slots[i].count;
		counts->total += slots[i].count;
	}
}

void latency_view_add(struct latency_view *view, const struct judge_arm *new_release,
		      const struct judge_arm *live_release)
{
	uint32_t n = new_release->slot_count, m = live_release->slot_count;
	count_slots(&view->new_all, new_release->slots, n);
	count_slots(&view->live_all, live_release->slots, m);
	count_slots(&view->new_minute, new_release->slots, n);
	count_slots(&view->live_minute, live_release->slots, m);
	count_slots(&view->base_minute, live_release->slots, n < m ? n : m);
}

void latency_view_second(struct latency_view *view)
{
	view->seconds++;
}

static bool minute_is_over(const struct latency_view *view)
{
	return view->seconds % MINUTE_S == 0;
}

void latency_view_minute(struct latency_view *view)
{
	if (minute_is_over(view))
		view->new_minute = view->live_minute = view->base_minute =
			(struct latency_counts){0};
}

/* As a monitoring system reads it off a histogram: on a straight line through the bucket that holds it. */
static double p99_ms(const struct latency_counts *counts)
{
	uint32_t bucket = histogram_quantile(counts->buckets, counts->total, P99_BP);
	double below = 0, rank = 0.99 * (double)counts->total;
	for (uint32_t i = 0; i < bucket; i++)
		below += (double)counts->buckets[i];
	double low = (double)histogram_lower_us(bucket), high = (double)histogram_upper_us(bucket);
	return (low + (high - low) * (rank - below) / (double)counts->buckets[bucket]) / 1000;
}

/* A minute with a p99 above 500 ms is a failed check; three of them abort. */
static bool threshold(struct latency_peer *peer, const struct latency_view *view)
{
	if (!minute_is_over(view) || view->new_minute.total == 0)
		return false;
	peer->failures += p99_ms(&view->new_minute) > 500;
	return peer->failures >= 3;
}

/* Every minute one point of each side, and all points judged again; from five points on. */
static bool kayenta_says_high(struct latency_peer *peer, const struct latency_view *view,
			      const struct latency_counts *against)
{
	struct kayenta_settings settings = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	settings.direction = KAYENTA_INCREASE;
	if (!minute_is_over(view) || view->new_minute.total == 0 || against->total == 0 ||
	    peer->experiment.count == SAMPLE_MAX)
		return false;
	peer->experiment.points[peer->experiment.count++] = p99_ms(&view->new_minute);
	peer->control.points[peer->control.count++] = p99_ms(against);
	if (peer->experiment.count < 5)
		return false;
	struct kayenta_series experiment = peer->experiment, control = peer->control;
	return kayenta_classify(&settings, &experiment, &control).class == KAYENTA_HIGH;
}

static bool kayenta_baseline(struct latency_peer *peer, const struct latency_view *view)
{
	return kayenta_says_high(peer, view, &view->base_minute);
}

static bool kayenta_production(struct latency_peer *peer, const struct latency_view *view)
{
	return kayenta_says_high(peer, view, &view->live_minute);
}

double cdf_band(uint64_t n, double from, double alpha)
{
	double all = (double)n;
	if (all < from)
		return INFINITY;
	return 0.85 * sqrt((log1p(log(all / from)) + 0.8 * log(1612 / alpha)) / all);
}

/* Do the bands of both leave room for no law in common? Only where the new release has more slow answers. */
static bool cdf_bands(struct latency_peer *peer, const struct latency_view *view)
{
	static const double FROM = 100;
	const struct latency_counts *a = &view->new_all, *b = &view->live_all;
	double reach =
		cdf_band(a->total, FROM, PEER_ALPHA / 2) + cdf_band(b->total, FROM, PEER_ALPHA / 2);
	double seen_a = 0, seen_b = 0;
	(void)peer;
	for (uint32_t i = 0; isfinite(reach) && i < HISTOGRAM_BUCKETS; i++) {
		seen_a += (double)a->buckets[i];
		seen_b += (double)b->buckets[i];
		if (seen_b / (double)b->total - seen_a / (double)a->total > reach)
			return true;
	}
	return false;
}

/* So many answers would be at most q where there is least against q. */
static double likeliest(const struct quantile_arm *arm)
{
	double n = (double)arm->total, p = arm->test.theta0;
	return fmin(n * p + 0.5 - p, n);
}

static double least_against(const struct quantile_arm *arm, uint64_t from, uint64_t to)
{
	double at = fmax((double)from, fmin(likeliest(arm), (double)to));
	return beta_binomial_log_e(&arm->test, at, (double)arm->total);
}

/* Below both quantiles both arms have less and less against q, above both more and more. */
double quantile_arms_log_e(const struct quantile_arm *a, const struct quantile_arm *b,
			   uint32_t buckets)
{
	double least = INFINITY, best_a = likeliest(a), best_b = likeliest(b);
	uint64_t seen_a = 0, seen_b = 0;
	for (uint32_t i = 0; i < buckets; i++) {
		uint64_t from_a = seen_a, from_b = seen_b;
		seen_a += a->counts[i];
		seen_b += b->counts[i];
		if ((double)seen_a < best_a && (double)seen_b < best_b)
			continue;
		least = fmin(least,
			     least_against(a, from_a, seen_a) + least_against(b, from_b, seen_b));
		if ((double)from_a >= best_a && (double)from_b >= best_b)
			break;
	}
	return least;
}

static bool quantile_is_above(const struct latency_view *view, uint32_t quantile_bp, double alpha)
{
	/* The tests are quickest about here: a hundred seconds of the world of the table. */
	static const double NEW_EXPECTED = 1000, LIVE_EXPECTED = 99000;
	const struct latency_counts *a = &view->new_all, *b = &view->live_all;
	double quantile = (double)quantile_bp / HISTOGRAM_QUANTILE_FULL_BP;
	if (a->total == 0 || b->total == 0 ||
	    histogram_quantile(a->buckets, a->total, quantile_bp) <=
		    histogram_quantile(b->buckets, b->total, quantile_bp))
		return false;
	struct quantile_arm arms[2] = {
		{a->buckets, a->total,
		 beta_binomial_around(quantile, beta_binomial_strength(NEW_EXPECTED, alpha))},
		{b->buckets, b->total,
		 beta_binomial_around(quantile, beta_binomial_strength(LIVE_EXPECTED, alpha))}};
	return quantile_arms_log_e(&arms[0], &arms[1], HISTOGRAM_BUCKETS) >= log(1 / alpha);
}

static bool quantile_ab(struct latency_peer *peer, const struct latency_view *view)
{
	(void)peer;
	return quantile_is_above(view, P50_BP, PEER_ALPHA / 2) ||
	       quantile_is_above(view, P99_BP, PEER_ALPHA / 2);
}

const struct latency_peer_kind latency_peer_kinds[LATENCY_PEERS] = {
	{"threshold: p99 > 500 ms, 3 minutes", threshold},
	{"Mann-Whitney of p99 each minute from 5, own baseline", kayenta_baseline},
	{"Mann-Whitney of p99 each minute from 5, production", kayenta_production},
	{"CDF bands, 0.01", cdf_bands},
	{"quantile A/B of p50 and p99, 0.01", quantile_ab},
};

void latency_peer_begin(struct latency_peer *peer, const struct latency_peer_kind *kind)
{
	*peer = (struct latency_peer){.kind = kind};
}

bool latency_peer_second(struct latency_peer *peer, const struct latency_view *view)
{
	return peer->kind->second(peer, view);
}
