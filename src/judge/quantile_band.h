/* SPDX-License-Identifier: Apache-2.0
 *
 * quantile_band - between which two latencies does the p99 lie, whenever one looks?
 *
 * WHAT  A confidence sequence for a quantile, from the counts of base/histogram.h: the chance that the
 *       true quantile is ever outside is at most alpha, over all looks together. For display; the judge
 *       itself compares the releases.
 *
 * HOW   The number of answers up to the true quantile is binomial, so the ranks that the test of
 *       beta_binomial.h does not exclude are the bounds. They are read off the histogram and rounded
 *       outward to the edges of their buckets, at most 3 % each.
 *
 * UNITS Microseconds, both ends included. QUANTILE_BAND_OPEN: the counts give no upper bound yet, or it
 *       is in the last bucket, which has none.
 *
 * RANGES quantile_bp in 1..9999, alpha in (0, 1), at most 1e11 counts. `expected` (above 0) is the number
 *       of answers about which the band is to be narrowest; choose it beforehand, not by what came.
 */
#ifndef JUDGE_QUANTILE_BAND_H
#define JUDGE_QUANTILE_BAND_H

#include <stdint.h>

#include "base/histogram.h"

#define QUANTILE_BAND_OPEN UINT64_MAX

struct quantile_band {
	uint64_t low_us, high_us;
};

/* 0 to QUANTILE_BAND_OPEN where nothing was counted. */
struct quantile_band quantile_band(const uint64_t counts[HISTOGRAM_BUCKETS], uint32_t quantile_bp,
				   double expected, double alpha);

#endif
