/* SPDX-License-Identifier: Apache-2.0
 * The band of the ratio: it holds the true one at all times together, as often as it says. */
#include "../cmocka_all.h"

#include <stdbool.h>
#include <string.h>

#include "chance.h"
#include "judge/band.h"

enum { SECONDS = 900 };
static const uint64_t RUNS = 300;

static void second(struct judge_band *band, uint64_t *seed, double ratio)
{
	struct judge_table t = {.new_requests = 100, .live_requests = 900};
	t.new_events = chance_binomial(seed, 100, 0.005 * ratio);
	t.live_events = chance_binomial(seed, 900, 0.005);
	judge_band_add(band, &t);
	judge_band_second(band, 1);
}

/* P(X >= k) of Bin(n, p). */
static double at_least(uint64_t n, uint64_t k, double p)
{
	double sum = 0;
	for (uint64_t i = k; i <= n; i++)
		sum += binomial_law(n, i, p);
	return sum;
}

/* Missed means: outside at any of the 900 seconds. If 5 % of all runs may be, this many in 300 would be seen with a
 * chance of less than 1 in 1,000. */
static void the_true_ratio_stays_inside(void **state)
{
	static const double ratios[] = {0.3, 1, 4};
	(void)state;
	for (uint32_t r = 0; r < 3; r++) {
		uint64_t missed = 0;
		for (uint64_t run = 0; run < RUNS; run++) {
			struct judge_band band;
			uint64_t seed = run * 3 + r;
			bool outside = false;
			memset(&band, 0, sizeof band);
			for (uint32_t s = 0; s < SECONDS; s++) {
				double low, middle, high;
				second(&band, &seed, ratios[r]);
				if (s % 4 != 0)
					continue;
				judge_band_read(&band, &low, &middle, &high);
				outside |= ratios[r] < low || ratios[r] > high;
			}
			missed += outside;
		}
		assert_true(at_least(RUNS, missed, 0.05) > 0.001);
	}
}

static void it_closes_around_the_ratio(void **state)
{
	struct judge_band band;
	uint64_t seed = 1;
	double low, middle, high;
	(void)state;
	memset(&band, 0, sizeof band);
	for (uint32_t s = 0; s < 3600; s++)
		second(&band, &seed, 4);
	judge_band_read(&band, &low, &middle, &high);
	assert_true(low > 3 && low < 4 && high > 4 && high < 5.5);
	assert_true(middle >= low && middle <= high);
}

static void it_is_wide_open_where_nothing_was_seen(void **state)
{
	struct judge_band band;
	double low, middle, high;
	(void)state;
	memset(&band, 0, sizeof band);
	judge_band_second(&band, 1);
	judge_band_read(&band, &low, &middle, &high);
	assert_true(low < 0.0201 && high > 999);
}

static void events_that_scatter_keep_it_wide(void **state)
{
	struct judge_band plain, scattered;
	double low[2], middle[2], high[2];
	struct judge_table t = {100, 8, 900, 20};
	(void)state;
	memset(&plain, 0, sizeof plain);
	memset(&scattered, 0, sizeof scattered);
	judge_band_add(&plain, &t);
	judge_band_second(&plain, 1);
	judge_band_add(&scattered, &t);
	judge_band_second(&scattered, 3);
	judge_band_read(&plain, &low[0], &middle[0], &high[0]);
	judge_band_read(&scattered, &low[1], &middle[1], &high[1]);
	assert_true(low[1] < low[0] && high[1] > high[0]);
}

/* The drift of both is in neither. */
static void one_side_alone_moves_nothing(void **state)
{
	struct judge_band band, before;
	struct judge_table t = {0, 0, 900, 20};
	(void)state;
	memset(&band, 0, sizeof band);
	before = band;
	judge_band_add(&band, &t);
	judge_band_second(&band, 1);
	assert_memory_equal(&band, &before, sizeof band);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_true_ratio_stays_inside),
		cmocka_unit_test(it_closes_around_the_ratio),
		cmocka_unit_test(it_is_wide_open_where_nothing_was_seen),
		cmocka_unit_test(events_that_scatter_keep_it_wide),
		cmocka_unit_test(one_side_alone_moves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
