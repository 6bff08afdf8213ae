/* SPDX-License-Identifier: Apache-2.0
 * hypergeometric - see hypergeometric.h for the contract. */
#include "judge/hypergeometric.h"

#include <math.h>
#include <stdbool.h>

#include "base/err.h"

static const double SCALE_ABOVE = 1e200, SCALE_BY = 1e-200, NOTHING = 1e-18;
/* Odds are taken in lanes of four, and terms eight by eight: what compilers make one instruction of, and no look at
 * the sums after each. Eight terms grow by at most 1000^8, far less than there is above SCALE_ABOVE. */
enum { LANES = 4, GROUPS_MAX = (JUDGE_ODDS_MAX + LANES) / LANES, TERMS = 8 };

/* Z(w) / (term of the mode at w = 1), for each w: sum[i] * exp(shift[i]). Place `count` is w = 1, and so are those
 * that fill the last group. */
struct sums {
	uint32_t groups;
	double odds[GROUPS_MAX * LANES], factor[GROUPS_MAX * LANES]; /* odds, or 1 / odds */
	double term[GROUPS_MAX * LANES], sum[GROUPS_MAX * LANES], shift[GROUPS_MAX * LANES];
};

static void rescale(struct sums *s, uint32_t i)
{
	s->sum[i] *= SCALE_BY;
	s->term[i] *= SCALE_BY;
	s->shift[i] -= log(SCALE_BY);
}

/* One more x: `ratio` of its term to its neighbour's at w = 1. */
static void add_term(struct sums *s, double ratio)
{
	for (uint32_t g = 0; g < s->groups; g++) {
		double *term = s->term + g * LANES, *sum = s->sum + g * LANES;
		const double *factor = s->factor + g * LANES;
		for (uint32_t i = 0; i < LANES; i++) {
			term[i] *= ratio * factor[i];
			sum[i] += term[i];
		}
	}
}

/* False when the terms that follow are nothing: they rise to one top and fall. One that has fallen so far is 0 from
 * then on, for numbers too small for a full mantissa are slow. */
static bool go_on(struct sums *s)
{
	bool matters = false;
	for (uint32_t i = 0; i < s->groups * LANES; i++) {
		if (s->term[i] <= s->sum[i] * NOTHING)
			s->term[i] = 0;
		else
			matters = true;
		if (s->sum[i] > SCALE_ABOVE)
			rescale(s, i);
	}
	return matters;
}

static void begin_side(struct sums *s, bool up)
{
	for (uint32_t i = 0; i < s->groups * LANES; i++) {
		s->term[i] = exp(-s->shift[i]);
		s->factor[i] = up ? s->odds[i] : 1 / s->odds[i];
	}
}

static void begin_sums(struct sums *s, const double *odds, uint32_t count)
{
	s->groups = (count + LANES) / LANES;
	for (uint32_t i = 0; i < s->groups * LANES; i++) {
		s->odds[i] = i < count ? odds[i] : 1;
		s->sum[i] = 1;
		s->shift[i] = 0;
	}
}

/* The terms of x + 1, x + 2 .. greatest, of n and m requests with d events. */
static void add_up(struct sums *s, double n, double m, double d, double x, double greatest)
{
	begin_side(s, true);
	do {
		double end = x + TERMS < greatest ? x + TERMS : greatest;
		for (; x < end; x++)
			add_term(s, (n - x) * (d - x) / ((x + 1) * (m - d + x + 1)));
	} while (go_on(s) && x < greatest);
}

static void add_down(struct sums *s, double n, double m, double d, double x, double least)
{
	begin_side(s, false);
	do {
		double end = x - TERMS > least ? x - TERMS : least;
		for (; x > end; x--)
			add_term(s, x * (m - d + x) / ((n - x + 1) * (d - x + 1)));
	} while (go_on(s) && x > least);
}

void judge_odds_logs(const struct judge_table *t, const double *odds, uint32_t count,
		     double *ret_logs)
{
	double n = (double)t->new_requests, m = (double)t->live_requests;
	double d = (double)(t->new_events + t->live_events);
	struct sums s;
	ASSERT(count <= JUDGE_ODDS_MAX && t->new_events <= t->new_requests &&
	       t->live_events <= t->live_requests);
	for (uint32_t i = 0; i < count; i++)
		ret_logs[i] = 0;
	if (d < 1 || d >= n + m || n < 1 || m < 1)
		return;
	double least = d > m ? d - m : 0, greatest = d < n ? d : n;
	double mode = floor((n + 1) * (d + 1) / (n + m + 2));
	mode = mode < least ? least : mode > greatest ? greatest : mode;
	begin_sums(&s, odds, count);
	add_up(&s, n, m, d, mode, greatest);
	add_down(&s, n, m, d, mode, least);
	double central = log(s.sum[count]) + s.shift[count];
	for (uint32_t i = 0; i < count; i++)
		ret_logs[i] = ((double)t->new_events - mode) * log(odds[i]) -
			      (log(s.sum[i]) + s.shift[i] - central);
}
