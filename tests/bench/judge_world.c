/* SPDX-License-Identifier: Apache-2.0
 * judge_world - see judge_world.h for the contract. */
#include "judge_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xoshiro256**, seeded by splitmix64. */
static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t dice_next(struct dice *dice)
{
	uint64_t *s = dice->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

void dice_seed(struct dice *dice, uint64_t seed)
{
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		dice->state[i] = z ^ (z >> 31);
	}
}

double dice_uniform(struct dice *dice)
{
	return ((double)(dice_next(dice) >> 11) + 0.5) * 0x1p-53;
}

static double dice_normal(struct dice *dice)
{
	double u = dice_uniform(dice), v = dice_uniform(dice);
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* Of a large mean the rounded normal law: how many requests there are is conditioned upon anyway. */
uint64_t dice_poisson(struct dice *dice, double mean)
{
	if (mean > 60) {
		double value = floor(mean + sqrt(mean) * dice_normal(dice) + 0.5);
		return value > 0 ? (uint64_t)value : 0;
	}
	double least = exp(-mean), product = dice_uniform(dice);
	uint64_t count = 0;
	while (product > least) {
		product *= dice_uniform(dice);
		count++;
	}
	return count;
}

/* Exact: from one success to the next in a single leap. */
uint64_t dice_binomial(struct dice *dice, uint64_t n, double p)
{
	if (p <= 0 || n == 0)
		return 0;
	if (p >= 1)
		return n;
	if (p > 0.5)
		return n - dice_binomial(dice, n, 1 - p);
	double per_failure = log1p(-p), at = -1;
	uint64_t count = 0;
	for (;;) {
		at += 1 + floor(log(dice_uniform(dice)) / per_failure);
		if (at >= (double)n)
			return count;
		count++;
	}
}

static const double P50_US = 50000, SIGMA = 0.7993; /* log(321 / 50) / 2.3263 */

static double lognormal_below(double us)
{
	return us <= 0 ? 0 : 0.5 * erfc(-log(us / P50_US) / SIGMA / M_SQRT2);
}

static double law_below(double us, double times, double slow_share, double slow_us)
{
	return (1 - slow_share) * lognormal_below(us / times) +
	       slow_share * lognormal_below((us - slow_us) / times);
}

void latency_law_make(struct latency_law *law, double times, double slow_share, double slow_us)
{
	static double mass[HISTOGRAM_BUCKETS];
	uint32_t poor[HISTOGRAM_BUCKETS], rich[HISTOGRAM_BUCKETS], poor_count = 0, rich_count = 0;
	double before = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double upper = (double)histogram_upper_us(i) + 1;
		double below = i + 1 < HISTOGRAM_BUCKETS
				       ? law_below(upper, times, slow_share, slow_us)
				       : 1;
		mass[i] = (below - before) * HISTOGRAM_BUCKETS;
		before = below;
		law->keep[i] = 1;
		law->other[i] = i;
		if (mass[i] < 1)
			poor[poor_count++] = i;
		else
			rich[rich_count++] = i;
	}
	while (poor_count > 0 && rich_count > 0) {
		uint32_t a = poor[--poor_count], b = rich[rich_count - 1];
		law->keep[a] = mass[a];
		law->other[a] = b;
		mass[b] -= 1 - mass[a];
		if (mass[b] < 1) {
			rich_count--;
			poor[poor_count++] = b;
		}
	}
}

uint32_t latency_law_draw(const struct latency_law *law, struct dice *dice)
{
	double at = dice_uniform(dice) * HISTOGRAM_BUCKETS;
	uint32_t bucket = (uint32_t)at;
	return at - bucket < law->keep[bucket] ? bucket : law->other[bucket];
}

void world_begin(struct world *world, uint64_t seed, double rps, double share)
{
	dice_seed(&world->dice, seed);
	world->rps = rps;
	world->share = share;
	world->new_side = world->live_side =
		(struct world_side){.errors = 0.001, .refused = 0, .cluster = 1};
	world->slot_count = 0;
}

void world_draw(struct world *world, const struct world_side *side, uint64_t requests,
		struct judge_arm *ret_arm)
{
	*ret_arm = (struct judge_arm){.slots = world->slots + world->slot_count};
	uint64_t incidents = dice_binomial(&world->dice, requests, side->errors / side->cluster);
	requests += incidents * (side->cluster - 1);
	ret_arm->requests = requests;
	ret_arm->errors[JUDGE_ERROR_SERVER] = incidents * side->cluster;
	ret_arm->refused = dice_binomial(&world->dice, requests, side->refused);
	if (side->law == NULL)
		return;
	if (world->slot_count + requests > WORLD_SLOTS) {
		fprintf(stderr, "bench_judge: a tick of more than %d requests\n", WORLD_SLOTS);
		exit(2);
	}
	for (uint64_t i = 0; i < requests; i++)
		world->slots[world->slot_count++] = (struct judge_slot){
			.bucket = latency_law_draw(side->law, &world->dice), .count = 1};
	ret_arm->slot_count = (uint32_t)requests;
}

void world_tick(struct world *world, struct judge_tick *ret_tick)
{
	double per_tick = world->rps / TICKS_PER_SECOND;
	ret_tick->elapsed_ms = 1000 / TICKS_PER_SECOND;
	ret_tick->cell_count = 1;
	world->slot_count = 0;
	world_draw(world, &world->new_side, dice_poisson(&world->dice, per_tick * world->share),
		   &ret_tick->cells[0].new_release);
	world_draw(world, &world->live_side,
		   dice_poisson(&world->dice, per_tick * (1 - world->share)),
		   &ret_tick->cells[0].live_release);
}

/* P(X <= k) of Bin(n, p). */
static double binomial_below(uint64_t k, uint64_t n, double p)
{
	double sum = 0, all = (double)n;
	for (uint64_t i = 0; i <= k; i++) {
		double at = (double)i;
		sum += exp(lgamma(all + 1) - lgamma(at + 1) - lgamma(all - at + 1) + at * log(p) +
			   (all - at) * log1p(-p));
	}
	return sum;
}

double share_upper(uint64_t k, uint64_t n, double miss)
{
	double low = 0, high = 1;
	if (k >= n)
		return 1;
	for (uint32_t i = 0; i < 60; i++) {
		double middle = (low + high) / 2;
		if (binomial_below(k, n, middle) > miss)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double share_lower(uint64_t k, uint64_t n, double miss)
{
	return k == 0 ? 0 : 1 - share_upper(n - k, n, miss);
}
