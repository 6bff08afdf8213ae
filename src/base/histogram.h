/* SPDX-License-Identifier: Apache-2.0
 *
 * histogram - where a latency is counted: log-linear buckets, one layout for those who count (gateway)
 *             and those who judge.
 *
 * WHAT  Up to 31 us every value has a bucket of its own; from there on each power of two is cut into 32
 *       buckets of equal width, so that a bucket is never wider than 1/32 (3.1 %) of its values. The
 *       last one also takes everything that is longer.
 * HOW   counts[histogram_index(us)]++ ; a quantile is the bucket that holds its rank. Counters are
 *       cumulative and never reset: subtract two snapshots bucket by bucket.
 * UNITS Microseconds.
 * LIMITS 698 buckets: 0 us to 60 s.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 5,
	HISTOGRAM_SUB = 1 << HISTOGRAM_SUB_BITS,
	HISTOGRAM_BUCKETS = 698,
	HISTOGRAM_QUANTILE_FULL_BP = 10000
};

static inline uint32_t histogram_index(uint64_t us)
{
	if (us < HISTOGRAM_SUB)
		return (uint32_t)us;
	uint32_t shift = 63u - (uint32_t)__builtin_clzll(us) - HISTOGRAM_SUB_BITS;
	uint64_t index = (uint64_t)shift * HISTOGRAM_SUB + (us >> shift);
	return index < HISTOGRAM_BUCKETS ? (uint32_t)index : HISTOGRAM_BUCKETS - 1;
}

/* The smallest value that is counted in bucket `index` (below HISTOGRAM_BUCKETS). */
static inline uint64_t histogram_lower_us(uint32_t index)
{
	if (index < 2 * HISTOGRAM_SUB)
		return index;
	uint32_t shift = index / HISTOGRAM_SUB - 1;
	return (uint64_t)(HISTOGRAM_SUB + index % HISTOGRAM_SUB) << shift;
}

/* The largest value that is counted in bucket `index`; of the last one, the largest of its width. */
static inline uint64_t histogram_upper_us(uint32_t index)
{
	return histogram_lower_us(index + 1) - 1;
}

static inline uint64_t histogram_total(const uint64_t counts[HISTOGRAM_BUCKETS])
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += counts[i];
	return total;
}

/*
 * The bucket that holds the quantile `quantile_bp` (9900 = p99) of `total` values: that of the
 * value with rank ceil(quantile * total), the first having rank 1. `total` is the sum of the counts
 * and not 0. Worked: 100 values 1..100 us, p99 has rank 99.
 */
static inline uint32_t histogram_quantile(const uint64_t counts[HISTOGRAM_BUCKETS], uint64_t total,
					  uint32_t quantile_bp)
{
	uint64_t whole = total / HISTOGRAM_QUANTILE_FULL_BP,
		 rest = total % HISTOGRAM_QUANTILE_FULL_BP;
	uint64_t rank = whole * quantile_bp + (rest * quantile_bp + HISTOGRAM_QUANTILE_FULL_BP -
					       1) / HISTOGRAM_QUANTILE_FULL_BP;
	uint64_t seen = 0;
	uint32_t index = 0;
	while (index < HISTOGRAM_BUCKETS - 1 && (seen += counts[index]) < rank)
		index++;
	return index;
}

#endif
