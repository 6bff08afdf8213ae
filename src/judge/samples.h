/* SPDX-License-Identifier: Apache-2.0
 *
 * samples - many small sums become one batch: its mean, and how much one of what it is over varies.
 *
 * WHAT  Processor time and requests of an instance in a second; the value of orders and their number between two
 *       looks. A mean of such is a ratio of two sums, and what it varies by is seen in how the samples miss it:
 *       Var(Y / N) = k / (k - 1) sum (y - R n)^2 / N^2 for R = Y / N and k samples.
 *
 * OWNS  A value; all zero is empty.
 */
#ifndef JUDGE_SAMPLES_H
#define JUDGE_SAMPLES_H

#include "judge/normal_mixture.h"

struct judge_samples {
	double count; /* k */
	double n, y, nn, ny, yy;
};

/* `y` in all, over `n` of what the mean is over. Nothing is added where n is not above 0 or y is not finite. */
void judge_samples_add(struct judge_samples *samples, double n, double y);

/* The batch, all zero where there is none. */
struct normal_batch judge_samples_batch(const struct judge_samples *samples);

#endif
