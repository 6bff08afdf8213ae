/* SPDX-License-Identifier: Apache-2.0
 * noise - see noise.h for the contract. */
#include "judge/noise.h"

#include <math.h>

#include "base/err.h"

static double share(const struct judge_noise_counts *c)
{
	return ((double)c->differ + 0.5) / ((double)c->pairs + 1);
}

/* Of `differ` of `pairs` at this share, which is neither 0 nor 1. */
static double log_likelihood(const struct judge_noise_counts *c, double at)
{
	return (double)c->differ * log(at) + (double)(c->pairs - c->differ) * log1p(-at);
}

static void add(struct judge_noise_counts *to, const struct judge_noise_counts *from)
{
	ASSERT(from->differ <= from->pairs);
	to->pairs += from->pairs;
	to->differ += from->differ;
}

bool judge_noise_block_full(uint64_t fresh_pairs, uint64_t noise_pairs)
{
	return fresh_pairs >= JUDGE_NOISE_BLOCK && noise_pairs >= 1;
}

void judge_noise_settle(struct judge_noise *place, const struct judge_noise_counts *fresh,
			const struct judge_noise_counts *noise)
{
	double a = share(&place->fresh), b = share(&place->noise);
	double n = (double)fresh->pairs, m = (double)noise->pairs;
	if (place->known && a > b && n > 0 && m > 0) {
		double c = (n * a + m * b) / (n + m);
		place->log_evidence += log_likelihood(fresh, a) + log_likelihood(noise, b) -
				       log_likelihood(fresh, c) - log_likelihood(noise, c);
	}
	add(&place->fresh, fresh);
	add(&place->noise, noise);
	place->known = place->known || fresh->differ > 0 || noise->differ > 0;
}

static bool matters(const struct judge_noise *p)
{
	if (p->fresh.pairs == 0 || p->noise.pairs == 0)
		return false;
	return (double)p->fresh.differ * (double)p->noise.pairs >=
		       JUDGE_NOISE_RATIO * (double)p->noise.differ * (double)p->fresh.pairs &&
	       p->fresh.differ > 0;
}

void judge_noise_report(const struct judge_noise *const *places, uint32_t count, bool *ret_reported)
{
	ASSERT(count <= JUDGE_NOISE_PLACES);
	double least = INFINITY;
	for (uint32_t k = 1; k <= count; k++) {
		double needed = log(JUDGE_NOISE_PLACES / (k * JUDGE_NOISE_ALPHA));
		uint32_t reach = 0;
		for (uint32_t i = 0; i < count; i++)
			reach += places[i]->log_evidence >= needed;
		if (reach >= k)
			least = needed;
	}
	for (uint32_t i = 0; i < count; i++)
		ret_reported[i] = places[i]->log_evidence >= least && matters(places[i]);
}
