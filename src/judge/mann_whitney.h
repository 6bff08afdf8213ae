/* SPDX-License-Identifier: Apache-2.0
 *
 * mann_whitney - by how much are the points of one sample shifted against another, by their ranks?
 *
 * WHAT  The Mann-Whitney (Wilcoxon rank-sum) test turned into a confidence interval and an estimate for
 *       the shift x - y, by the normal approximation with corrections for ties and continuity: the numbers
 *       of R's wilcox.test(x, y, conf.int = TRUE, exact = FALSE), to its tolerance.
 *
 * HOW   mann_whitney_z(mu) falls as mu grows; the ends of the interval are where it meets the quantiles of
 *       the level, the estimate is where it meets 0, each found by Brent's method to an absolute 1e-4.
 *
 *       That 1e-4 is part of the method, and one of its faults: values below about 1e-2 (shares, seconds)
 *       lose their interval in it. One look only: intervals of repeated looks are wrong too often.
 *
 * RANGES 1 to SAMPLE_MAX sorted values a side, none beyond MANN_WHITNEY_VALUE_MAX.
 */
#ifndef JUDGE_MANN_WHITNEY_H
#define JUDGE_MANN_WHITNEY_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/sample.h"

#define MANN_WHITNEY_VALUE_MAX 1e300 /* differences of two stay finite */

struct mann_whitney_sample {
	const double *sorted;
	uint32_t count;
};

struct mann_whitney_shift {
	double low, high; /* the interval */
	double estimate;  /* the median of the differences, as Hodges and Lehmann have it */
};

/* The standardised rank sum of x - mu against y, less `quantile`. NAN where all of them are tied. */
double mann_whitney_z(const struct mann_whitney_sample *x, const struct mann_whitney_sample *y,
		      double mu, double quantile);

/* `confidence` in (0, 1). False, and nothing set, where all values are tied at an end of the range of
 * differences: there is no interval (one value against one, or two constants). */
bool mann_whitney_shift(const struct mann_whitney_sample *x, const struct mann_whitney_sample *y,
			double confidence, struct mann_whitney_shift *ret_shift);

/* The chance that a value of x is above one of y, ties counting half: the common language effect size. */
double mann_whitney_chance_above(const struct mann_whitney_sample *x,
				 const struct mann_whitney_sample *y);

#endif
