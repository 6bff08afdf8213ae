/* SPDX-License-Identifier: Apache-2.0
 * test_histogram - every latency has one bucket, and the bucket knows its edges. */
#include "../cmocka_all.h"

#include "base/histogram.h"

static void buckets_follow_each_other_without_gap_or_overlap(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		assert_int_equal(histogram_index(histogram_lower_us(i)), i);
		assert_int_equal(histogram_index(histogram_upper_us(i)), i);
		if (i > 0)
			assert_int_equal(histogram_lower_us(i), histogram_upper_us(i - 1) + 1);
	}
}

static void a_bucket_is_at_most_one_thirty_second_wide(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < HISTOGRAM_BUCKETS; i++)
		assert_true((histogram_upper_us(i) - histogram_lower_us(i)) * 32 <
			    histogram_lower_us(i));
}

static void sixty_seconds_and_more_fall_into_the_last_bucket(void **state)
{
	(void)state;
	assert_int_equal(histogram_index(60000000), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_index(58000000), HISTOGRAM_BUCKETS - 3);
	assert_int_equal(histogram_index(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void a_quantile_is_the_value_of_its_rank(void **state)
{
	(void)state;
	uint64_t counts[HISTOGRAM_BUCKETS] = {0};
	for (uint64_t us = 1; us <= 100; us++)
		counts[histogram_index(us)]++;
	assert_int_equal(histogram_total(counts), 100);
	assert_int_equal(histogram_quantile(counts, 100, 9900), histogram_index(99));
	assert_int_equal(histogram_quantile(counts, 100, 5000), histogram_index(50));
	assert_int_equal(histogram_quantile(counts, 100, 10000), histogram_index(100));
	assert_int_equal(histogram_quantile(counts, 100, 1), histogram_index(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_each_other_without_gap_or_overlap),
		cmocka_unit_test(a_bucket_is_at_most_one_thirty_second_wide),
		cmocka_unit_test(sixty_seconds_and_more_fall_into_the_last_bucket),
		cmocka_unit_test(a_quantile_is_the_value_of_its_rank),
	};
	return cmocka_run_group_tests_name("base/histogram", tests, NULL, NULL);
}
