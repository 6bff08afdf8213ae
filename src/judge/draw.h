/* SPDX-License-Identifier: Apache-2.0
 *
 * draw - numbers by chance that are the same every time: the same seed, the same history.
 *
 * OWNS  A value.
 * COST  Some ten nanoseconds.
 */
#ifndef JUDGE_DRAW_H
#define JUDGE_DRAW_H

#include <stdint.h>

struct judge_draw {
	uint64_t state;
};

void judge_draw_begin(struct judge_draw *draw, uint64_t seed);

/* Above 0, below 1, evenly. */
double judge_draw_even(struct judge_draw *draw);

/* What judge_draw_events() wants to know beforehand: the chance that there is none. */
double judge_draw_none(double requests, double share);

/* How many of `requests` (whole) have an event of chance `share`. Exact where some 30 are expected or fewer, else by
 * the normal distribution. */
double judge_draw_events(struct judge_draw *draw, double requests, double share, double none);

#endif
