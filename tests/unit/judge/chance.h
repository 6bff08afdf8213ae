/* SPDX-License-Identifier: Apache-2.0
 *
 * chance - random numbers from a seed, and exact laws of counts, for the tests of the judge.
 */
#ifndef UNIT_JUDGE_CHANCE_H
#define UNIT_JUDGE_CHANCE_H

#include <math.h>
#include <stdint.h>

static inline uint64_t chance_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* In (0, 1). */
static inline double chance_uniform(uint64_t *seed)
{
	return ((double)(chance_next(seed) >> 11) + 0.5) * 0x1p-53;
}

static inline uint64_t chance_below(uint64_t *seed, uint64_t limit)
{
	return (uint64_t)(chance_uniform(seed) * (double)limit);
}

/* How many of n happen: by waiting for the next one. */
static inline uint64_t chance_binomial(uint64_t *seed, uint64_t n, double p)
{
	double at = -1;
	uint64_t count = 0;
	if (p <= 0)
		return 0;
	for (;;) {
		at += 1 + floor(log(chance_uniform(seed)) / log1p(-p));
		if (at >= (double)n)
			return count;
		count++;
	}
}

static inline double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* P(X = k) of Bin(n, p). */
static inline double binomial_law(uint64_t n, uint64_t k, double p)
{
	double all = (double)n, at = (double)k;
	if (p <= 0)
		return k == 0 ? 1 : 0;
	return exp(log_choose(all, at) + at * log(p) + (all - at) * log1p(-p));
}

#endif
