/* SPDX-License-Identifier: Apache-2.0
 * hypergeometric - see hypergeometric.h for the contract. */
#include "judge/hypergeometric.h"

#include <math.h>
#include <stdbool.h>

#include "base/err.h"

static const double SCALE_ABOVE = 1e200, SCALE_BY = 1e-200, NOTHING = 1e-18;

/* Z(w) / (term of the mode at w = 1), for each w: sum[i] * exp(shift[i]). */
struct sums {
	uint32_t count;
	const double *odds;
	double term[JUDGE_ODDS_MAX + 1], sum[JUDGE_ODDS_MAX + 1], shift[JUDGE_ODDS_MAX + 1];
};

static void rescale(struct sums *s)
{
	for (uint32_t i = 0; i <= s->count; i++) {
		if (s->sum[i] < SCALE_ABOVE)
			continue;
		s->sum[i] *= SCALE_BY;
		s->term[i] *= SCALE_BY;
		s->shift[i] -= log(SCALE_BY);
	}
}

/* One more x, up or down: `ratio` of its term to its neighbour's at w = 1. False when those that follow are nothing:
 * terms rise to one top and fall. Place `count` is w = 1. */
static bool add_term(struct sums *s, double ratio, bool up)
{
	bool matters = false;
	double largest = 0;
	for (uint32_t i = 0; i <= s->count; i++) {
		double odds = i < s->count ? s->odds[i] : 1;
		s->term[i] *= up ? ratio * odds : ratio / odds;
		s->sum[i] += s->term[i];
		matters |= s->term[i] > s->sum[i] * NOTHING;
		largest = s->sum[i] > largest ? s->sum[i] : largest;
	}
	if (largest > SCALE_ABOVE)
		rescale(s);
	return matters;
}

static void begin_side(struct sums *s)
{
	for (uint32_t i = 0; i <= s->count; i++)
		s->term[i] = exp(-s->shift[i]);
}

void judge_odds_logs(const struct judge_table *t, const double *odds, uint32_t count,
		     double *ret_logs)
{
	double n = (double)t->new_requests, m = (double)t->live_requests;
	double d = (double)(t->new_events + t->live_events);
	struct sums s = {.count = count, .odds = odds};
	ASSERT(count <= JUDGE_ODDS_MAX && t->new_events <= t->new_requests &&
	       t->live_events <= t->live_requests);
	for (uint32_t i = 0; i < count; i++)
		ret_logs[i] = 0;
	if (d < 1 || d >= n + m || n < 1 || m < 1)
		return;
	double least = d > m ? d - m : 0, greatest = d < n ? d : n;
	double mode = floor((n + 1) * (d + 1) / (n + m + 2));
	mode = mode < least ? least : mode > greatest ? greatest : mode;
	for (uint32_t i = 0; i <= count; i++)
		s.sum[i] = 1;
	begin_side(&s);
	for (double x = mode; x < greatest; x++)
		if (!add_term(&s, (n - x) * (d - x) / ((x + 1) * (m - d + x + 1)), true))
			break;
	begin_side(&s);
	for (double x = mode; x > least; x--)
		if (!add_term(&s, x * (m - d + x) / ((n - x + 1) * (d - x + 1)), false))
			break;
	double central = log(s.sum[count]) + s.shift[count];
	for (uint32_t i = 0; i < count; i++)
		ret_logs[i] = ((double)t->new_events - mode) * log(odds[i]) -
			      (log(s.sum[i]) + s.shift[i] - central);
}
