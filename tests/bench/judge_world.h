/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_world - traffic that nobody sent: what two releases answer, tick after tick, from a seed.
 *
 * WHAT  Random numbers and laws of latency; struct world, which draws one tick of 100 ms for both releases; and
 *       exact bounds of what was counted.
 * HOW   world_begin(), set the fields, world_tick() again and again. A scenario changes the fields between ticks,
 *       or draws a side of its own with world_draw().
 * UNITS Shares are 0..1, latencies microseconds. The same seed gives the same traffic.
 * OWNS  A world owns the slots that its tick points into, until the next tick. It is large: one at a time.
 */
#ifndef BENCH_JUDGE_WORLD_H
#define BENCH_JUDGE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/judge.h"

struct dice {
	uint64_t state[4];
};

void dice_seed(struct dice *dice, uint64_t seed);
double dice_uniform(struct dice *dice); /* in (0, 1) */
uint64_t dice_poisson(struct dice *dice, double mean);
uint64_t dice_binomial(struct dice *dice, uint64_t n, double p);

/* Lognormal, of which a part takes longer by a fixed time: by buckets, drawn by the alias method. */
struct latency_law {
	double keep[HISTOGRAM_BUCKETS];
	uint32_t other[HISTOGRAM_BUCKETS];
};

/* p50 50 ms and p99 321 ms, all of it `times` as long, and `slow_share` of it longer by slow_us. */
void latency_law_make(struct latency_law *law, double times, double slow_share, double slow_us);
uint32_t latency_law_draw(const struct latency_law *law, struct dice *dice);

enum { WORLD_SLOTS = 1 << 14, TICKS_PER_SECOND = 10 };

struct world_side {
	double errors;  /* share that fails */
	double refused; /* share that is answered 4xx */
	uint32_t
		cluster; /* a client that fails tries again, so many requests fail together; 1 = none does */
	const struct latency_law *law; /* NULL: no latencies */
};

struct world {
	struct dice dice;
	double rps;   /* of both releases together */
	double share; /* of them, on the new release */
	struct world_side new_side, live_side;
	uint32_t slot_count;
	struct judge_slot slots[WORLD_SLOTS];
};

void world_begin(struct world *world, uint64_t seed, double rps, double share);
/* One tick in cell 0 of `tick`, which is emptied before. */
void world_tick(struct world *world, struct judge_tick *ret_tick);
/* A release's part: so many requests by this side's laws. */
void world_draw(struct world *world, const struct world_side *side, uint64_t requests,
		struct judge_arm *ret_arm);

/* Bounds of a share of which k of n were seen, exact (Clopper and Pearson): the true share is above
 * the upper one, or below the lower one, with `miss` at most. */
double share_upper(uint64_t k, uint64_t n, double miss);
double share_lower(uint64_t k, uint64_t n, double miss);

#endif
