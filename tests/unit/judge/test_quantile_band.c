/* SPDX-License-Identifier: Apache-2.0
 * test_quantile_band - ranks against the published bound and against trying all, and coverage. */
#include "near.h"

#include <stdbool.h>
#include <string.h>

#include "judge/beta_binomial.h"
#include "judge/quantile_band.h"

static uint64_t counts[HISTOGRAM_BUCKETS];

/* `n` values, one a microsecond: the rank is the value. */
static void fill(uint64_t n)
{
	memset(counts, 0, sizeof counts);
	for (uint64_t us = 1; us <= n; us++)
		counts[histogram_index(us)]++;
}

static void ranks_are_those_of_the_published_bound(void **state)
{
	(void)state;
	fill(624);
	counts[0]++; /* 625 values, each one less than its rank */
	/* p20 of 625: 125 is the mean and 31.4308 the bound at 0.05, so 156 values may be up to it,
	 * and the 157th, which is 156 us, is not below it */
	struct quantile_band band = quantile_band(counts, 2000, 625, 0.05);
	assert_int_equal(band.high_us, histogram_upper_us(histogram_index(156)));
	assert_int_equal(histogram_lower_us(histogram_index(156)), 156);
}

/* The same, by trying every count. */
static struct quantile_band by_trial(uint64_t n, double share, double expected, double alpha)
{
	struct beta_binomial test =
		beta_binomial_around(share, beta_binomial_strength(expected, alpha));
	struct quantile_band band = {.low_us = 0, .high_us = QUANTILE_BAND_OPEN};
	bool found = false;
	for (uint64_t x = 0; x <= n; x++) {
		if (beta_binomial_log_e(&test, (double)x, (double)n) >= log(1 / alpha))
			continue;
		if (!found && x > 0)
			band.low_us = histogram_lower_us(histogram_index(x));
		found = true;
		band.high_us =
			x < n ? histogram_upper_us(histogram_index(x + 1)) : QUANTILE_BAND_OPEN;
	}
	return band;
}

static void ranks_are_those_of_trying_all(void **state)
{
	(void)state;
	static const uint32_t quantiles[] = {1, 2000, 5000, 9000, 9900, 9990, 9999};
	for (uint64_t n = 1; n < 5000; n = n * 2 + 1)
		for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
			fill(n);
			struct quantile_band is = quantile_band(counts, quantiles[i], 500, 0.01);
			struct quantile_band want = by_trial(n, quantiles[i] / 1e4, 500, 0.01);
			assert_int_equal(is.low_us, want.low_us);
			assert_int_equal(is.high_us, want.high_us);
		}
}

static void few_counts_leave_the_end_open(void **state)
{
	(void)state;
	memset(counts, 0, sizeof counts);
	struct quantile_band band = quantile_band(counts, 9900, 1000, 0.05);
	assert_true(band.low_us == 0 && band.high_us == QUANTILE_BAND_OPEN);
	fill(100);
	band = quantile_band(counts, 9900, 1000, 0.05);
	assert_true(band.low_us > 50 && band.low_us < 99);
	assert_true(band.high_us == QUANTILE_BAND_OPEN);
	fill(10000);
	band = quantile_band(counts, 9900, 10000, 0.05);
	assert_true(band.low_us > 9700 && band.low_us < 9900);
	assert_true(band.high_us > 9900 && band.high_us < 10500);
}

static void the_last_bucket_has_no_upper_edge(void **state)
{
	(void)state;
	memset(counts, 0, sizeof counts);
	counts[HISTOGRAM_BUCKETS - 1] = 1000;
	struct quantile_band band = quantile_band(counts, 5000, 1000, 0.05);
	assert_true(band.low_us == histogram_lower_us(HISTOGRAM_BUCKETS - 1));
	assert_true(band.high_us == QUANTILE_BAND_OPEN);
}

static void great_counts_are_read_quickly(void **state)
{
	(void)state;
	memset(counts, 0, sizeof counts);
	counts[histogram_index(20000)] = 60000000000;
	counts[histogram_index(40000)] = 40000000000;
	struct quantile_band band = quantile_band(counts, 9900, 1e6, 0.001);
	assert_int_equal(band.low_us, histogram_lower_us(histogram_index(40000)));
	assert_int_equal(band.high_us, histogram_upper_us(histogram_index(40000)));
}

/* 400 seeded runs of 2,000 values, looked at after each 20: alpha of them may ever exclude the truth;
 * 33 of 400 at 0.05 have a chance of less than 1 in 200. The seed is fixed, so this cannot flake. */
static void all_looks_together_cover_the_quantile(void **state)
{
	(void)state;
	uint64_t random = 20;
	int missed = 0;
	for (int run = 0; run < 400; run++) {
		bool out = false;
		memset(counts, 0, sizeof counts);
		for (int i = 1; i <= 2000; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			counts[histogram_index(1 + (random >> 33) % 1000)]++;
			if (i % 20 > 0)
				continue;
			struct quantile_band band = quantile_band(counts, 9000, 500, 0.05);
			out |= band.low_us > 900 || band.high_us < 900;
		}
		missed += out;
	}
	assert_true(missed < 33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_are_those_of_the_published_bound),
		cmocka_unit_test(ranks_are_those_of_trying_all),
		cmocka_unit_test(few_counts_leave_the_end_open),
		cmocka_unit_test(the_last_bucket_has_no_upper_edge),
		cmocka_unit_test(great_counts_are_read_quickly),
		cmocka_unit_test(all_looks_together_cover_the_quantile),
	};
	return cmocka_run_group_tests_name("judge/quantile_band", tests, NULL, NULL);
}
