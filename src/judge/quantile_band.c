/* SPDX-License-Identifier: Apache-2.0
 * quantile_band - see quantile_band.h for the contract. */
#include "judge/quantile_band.h"

#include <math.h>
#include <stdbool.h>

#include "base/err.h"
#include "judge/beta_binomial.h"

/* Of the whole numbers from `inside`, which is possible, to `end`, on one side of the mean: the last
 * possible one. The e-value grows with the distance from the mean. */
static uint64_t last_possible(const struct beta_binomial *test, uint64_t n, double threshold,
			      uint64_t inside, uint64_t end)
{
	if (beta_binomial_log_e(test, (double)end, (double)n) < threshold)
		return end;
	uint64_t outside = end;
	while (inside + 1 != outside && outside + 1 != inside) {
		uint64_t middle = inside < outside ? inside + (outside - inside) / 2
						   : outside + (inside - outside) / 2;
		if (beta_binomial_log_e(test, (double)middle, (double)n) < threshold)
			inside = middle;
		else
			outside = middle;
	}
	return inside;
}

/* The bucket that holds the value with this rank, the first having rank 1. */
static uint32_t bucket_of_rank(const uint64_t counts[HISTOGRAM_BUCKETS], uint64_t rank)
{
	uint64_t seen = 0;
	uint32_t index = 0;
	while (index < HISTOGRAM_BUCKETS - 1 && (seen += counts[index]) < rank)
		index++;
	return index;
}

struct quantile_band quantile_band(const uint64_t counts[HISTOGRAM_BUCKETS], uint32_t quantile_bp,
				   double expected, double alpha)
{
	ASSERT(quantile_bp > 0 && quantile_bp < HISTOGRAM_QUANTILE_FULL_BP);
	ASSERT(alpha > 0 && alpha < 1);
	struct quantile_band band = {.low_us = 0, .high_us = QUANTILE_BAND_OPEN};
	uint64_t n = histogram_total(counts);
	if (n == 0)
		return band;
	double share = (double)quantile_bp / HISTOGRAM_QUANTILE_FULL_BP;
	double threshold = log(1 / alpha);
	struct beta_binomial test =
		beta_binomial_around(share, beta_binomial_strength(expected, alpha));
	uint64_t mean = (uint64_t)(share * (double)n);
	/* So few and so many answers may be as fast as the true quantile, or faster. */
	uint64_t least = last_possible(&test, n, threshold, mean, 0);
	uint64_t most = last_possible(&test, n, threshold, mean, n);
	if (least > 0)
		band.low_us = histogram_lower_us(bucket_of_rank(counts, least));
	uint32_t above = most < n ? bucket_of_rank(counts, most + 1) : HISTOGRAM_BUCKETS - 1;
	if (above < HISTOGRAM_BUCKETS - 1)
		band.high_us = histogram_upper_us(above);
	return band;
}
