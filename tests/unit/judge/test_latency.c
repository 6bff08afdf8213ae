/* SPDX-License-Identifier: Apache-2.0
 * Edges in the histograms: where a quantile of the past lies, and how much slower the new release may be. */
#include "../cmocka_all.h"

#include <string.h>

#include "chance.h"
#include "judge/latency.h"

static struct judge_past past;
static struct judge_edge edge;

static int setup(void **state)
{
	(void)state;
	memset(&past, 0, sizeof past);
	memset(&edge, 0, sizeof edge);
	return 0;
}

static void saw(uint64_t us, uint32_t count)
{
	struct judge_slot slot = {.bucket = histogram_index(us), .count = count};
	judge_past_add(&past, &slot, 1);
}

static void an_edge_is_the_end_of_the_bucket_that_holds_the_quantile(void **state)
{
	(void)state;
	saw(1000, 890);
	saw(50000, 100);
	saw(400000, 10);
	judge_edge_choose(&edge, &past, 9000, 1, 0);
	assert_true(edge.known);
	assert_int_equal(edge.live_bucket, histogram_index(50000));
	assert_int_equal(edge.live_us, histogram_upper_us(histogram_index(50000)));
	assert_int_equal(edge.new_bucket, edge.live_bucket);
	judge_edge_choose(&edge, &past, 5000, 1, 0);
	assert_int_equal(edge.live_bucket, histogram_index(1000));
}

/* The tolerated edge is never nearer than scale times the live one's: rounding is for the release. */
static void a_tolerance_is_rounded_up(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (uint32_t i = 0; i < 20000; i++) {
		double scale = 1 + chance_uniform(&seed);
		setup(NULL);
		saw(1 + chance_below(&seed, 10000000), 100);
		judge_edge_choose(&edge, &past, 5000, scale, 0);
		double wanted = (double)edge.live_us * scale;
		assert_true((double)histogram_upper_us(edge.new_bucket) + 1 > wanted);
		assert_true((double)histogram_lower_us(edge.new_bucket) <= wanted);
	}
}

/* What is scaled by no more than tolerated passes its edge no more often than the live release its own. */
static void a_release_within_the_scale_is_not_slower(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (uint64_t us = 5; us < 20000000; us += us / 7 + 1) {
		setup(NULL);
		saw(us, 1000);
		judge_edge_choose(&edge, &past, 9000, 1.09, 0);
		for (uint32_t i = 0; i < 50; i++) {
			uint64_t live = 1 + chance_below(&seed, 2 * us);
			struct judge_slot a = {histogram_index((uint64_t)((double)live * 1.09)), 1};
			struct judge_slot b = {histogram_index(live), 1};
			assert_true(judge_slower(&a, 1, edge.new_bucket) <=
				    judge_slower(&b, 1, edge.live_bucket));
		}
	}
}

static void a_quantile_needs_ten_answers_beyond_it(void **state)
{
	(void)state;
	saw(1000, 999);
	judge_edge_choose(&edge, &past, 9900, 1.09, 0);
	assert_false(edge.known);
	saw(1000, 1);
	judge_edge_choose(&edge, &past, 9900, 1.09, 0);
	assert_true(edge.known);
	judge_edge_choose(&edge, &past, 9990, 1.09,
			  0); /* too few: what was chosen before still holds */
	assert_true(edge.known);
}

/* 26 microseconds against 24 are nobody's business. */
static void a_slack_is_tolerated_where_it_is_more(void **state)
{
	(void)state;
	saw(24, 100);
	judge_edge_choose(&edge, &past, 5000, 1.09, 5000);
	assert_int_equal(edge.new_bucket, histogram_index(5024));
	saw(200000, 900);
	judge_edge_choose(&edge, &past, 5000, 1.09, 5000);
	assert_true(histogram_lower_us(edge.new_bucket) > 205000);
}

static void the_past_fades_by_half_in_ten_minutes(void **state)
{
	(void)state;
	saw(1000, 1000);
	for (uint32_t minute = 0; minute < 10; minute++)
		judge_past_minute(&past);
	assert_true(past.total > 480 && past.total < 520);
	assert_true(past.total == past.counts[histogram_index(1000)]);
}

static void slower_counts_what_is_in_later_buckets(void **state)
{
	(void)state;
	const struct judge_slot slots[] = {{10, 3}, {11, 4}, {12, 5}, {9, 1}};
	assert_int_equal(judge_slower(slots, 4, 10), 9);
	assert_int_equal(judge_slower(slots, 4, 12), 0);
	assert_int_equal(judge_slower(slots, 0, 0), 0);
}

static void the_last_bucket_is_a_fine_edge(void **state)
{
	(void)state;
	saw(UINT64_MAX, 1000);
	judge_edge_choose(&edge, &past, 5000, 2, 0);
	assert_true(edge.known);
	assert_int_equal(edge.live_bucket, HISTOGRAM_BUCKETS - 1);
	assert_int_equal(edge.new_bucket, HISTOGRAM_BUCKETS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_edge_is_the_end_of_the_bucket_that_holds_the_quantile,
				       setup),
		cmocka_unit_test_setup(a_tolerance_is_rounded_up, setup),
		cmocka_unit_test_setup(a_release_within_the_scale_is_not_slower, setup),
		cmocka_unit_test_setup(a_quantile_needs_ten_answers_beyond_it, setup),
		cmocka_unit_test_setup(a_slack_is_tolerated_where_it_is_more, setup),
		cmocka_unit_test_setup(the_past_fades_by_half_in_ten_minutes, setup),
		cmocka_unit_test_setup(slower_counts_what_is_in_later_buckets, setup),
		cmocka_unit_test_setup(the_last_bucket_is_a_fine_edge, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
