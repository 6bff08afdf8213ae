/* SPDX-License-Identifier: Apache-2.0
 *
 * band - how many times as bad is the new release, and between which bounds? For people's eyes.
 *
 * WHAT  A confidence sequence of the ratio p_new / p_live: with 95 % the true ratio is within the band at all times
 *       together, so it may be watched.
 * HOW   The log-likelihood of every ratio g on a grid, l(g) = X log g - sum of d log(1 + pi (g - 1)); those g are in
 *       the band for which the mean likelihood over the grid is less than 20 times theirs. Counts are taken together
 *       for a second.
 * LIMITS 1/50 to 1000 in 64 steps of 1.19.
 */
#ifndef JUDGE_BAND_H
#define JUDGE_BAND_H

#include "judge/hypergeometric.h"

enum { JUDGE_BAND_STEPS = 64 };

struct judge_band {
	struct judge_table second;
	double events; /* X */
	double costs[JUDGE_BAND_STEPS];
};

void judge_band_add(struct judge_band *band, const struct judge_table *table);
/* A second is over; phi as in dispersion.h. */
void judge_band_second(struct judge_band *band, double phi);
/* The band, and the likeliest ratio in it. Wide open (0.02 to 1000) where nothing was seen. */
void judge_band_read(const struct judge_band *band, double *ret_low, double *ret_ratio,
		     double *ret_high);

#endif
