/* SPDX-License-Identifier: Apache-2.0
 * Tests of judge/noise.c. */
#include <math.h>
#include <string.h>

#include "../cmocka_all.h"

#include "judge/noise.h"

/* splitmix64: the same everywhere. */
static uint64_t seed;
static double uniform(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static struct judge_noise_counts drawn(uint64_t pairs, double share)
{
	struct judge_noise_counts c = {.pairs = pairs};
	for (uint64_t i = 0; i < pairs; i++)
		c.differ += uniform() < share;
	return c;
}

static bool reported(const struct judge_noise *place)
{
	bool is;
	judge_noise_report(&place, 1, &is);
	return is;
}

/* Blocks of 9 and 1 until it is reported: how many it took; `most` when it never was. */
static uint32_t blocks_until(double fresh, double noise, uint32_t most)
{
	struct judge_noise place = {0};
	for (uint32_t i = 1; i <= most; i++) {
		struct judge_noise_counts f = drawn(9, fresh), n = drawn(1, noise);
		judge_noise_settle(&place, &f, &n);
		if (reported(&place))
			return i;
	}
	return most;
}

static void a_block_is_weighed_as_the_formula_says(void **state)
{
	(void)state;
	struct judge_noise place = {.fresh = {9, 4}, .noise = {3, 0}, .known = true};
	const struct judge_noise_counts f = {4, 3}, n = {2, 1};
	double a = 4.5 / 10, b = 0.5 / 4, c = (4 * a + 2 * b) / 6;
	double expected = pow(a, 3) * (1 - a) * b * (1 - b) / (pow(c, 4) * pow(1 - c, 2));
	judge_noise_settle(&place, &f, &n);
	assert_true(fabs(exp(place.log_evidence) - expected) < 1e-12);
	assert_int_equal(place.fresh.pairs, 13);
	assert_int_equal(place.noise.differ, 1);
}

/* Summed over everything that a block can bring: at a common share exactly 1, below it less. */
static double expectation(double p, double q)
{
	const struct judge_noise before = {.fresh = {20, 9}, .noise = {5, 1}, .known = true};
	static const double choose4[] = {1, 4, 6, 4, 1};
	double sum = 0;
	for (uint64_t y = 0; y <= 4; y++)
		for (uint64_t z = 0; z <= 1; z++) {
			struct judge_noise place = before;
			const struct judge_noise_counts f = {4, y}, n = {1, z};
			judge_noise_settle(&place, &f, &n);
			sum += choose4[y] * pow(p, (double)y) * pow(1 - p, (double)(4 - y)) *
			       (z ? q : 1 - q) * exp(place.log_evidence);
		}
	return sum;
}

static void its_expectation_is_at_most_1_while_nothing_is_wrong(void **state)
{
	(void)state;
	for (int i = 0; i <= 100; i++) {
		double p = i / 100.0;
		assert_true(expectation(p, p) <= 1 + 1e-9);
		for (int k = 0; k < i; k++)
			assert_true(expectation(k / 100.0, p) <= expectation(p, p) + 1e-9);
	}
	assert_true(expectation(0.6, 0.1) > 1);
}

static void what_made_a_place_known_does_not_count_for_it(void **state)
{
	(void)state;
	struct judge_noise place = {0};
	const struct judge_noise_counts all = {9, 9}, none = {1, 0};
	judge_noise_settle(&place, &all, &none);
	assert_true(place.known);
	assert_true(fabs(place.log_evidence) < 1e-12);
	judge_noise_settle(&place, &all, &none);
	assert_true(place.log_evidence > 1);
}

static void a_difference_is_reported_soon_and_noise_is_not(void **state)
{
	(void)state;
	seed = 1;
	assert_true(blocks_until(1, 0, 1000) <= 6);
	assert_true(blocks_until(0.3, 0, 1000) <= 60);
	assert_true(blocks_until(0.05, 0, 1000) <= 400);
	assert_true(blocks_until(1, 0.5, 1000) <= 100);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(blocks_until(1, 1, 300), 300); /* a time stamp */
		assert_int_equal(blocks_until(0.2, 0.2, 300), 300);
		assert_int_equal(blocks_until(0.01, 0.3, 300), 300);
	}
}

static void without_noise_nothing_is_said(void **state)
{
	(void)state;
	struct judge_noise place = {.fresh = {1000, 1000}, .log_evidence = 0, .known = true};
	assert_false(reported(&place));
	assert_false(judge_noise_block_full(1000, 0));
	assert_false(judge_noise_block_full(JUDGE_NOISE_BLOCK - 1, 1000));
	assert_true(judge_noise_block_full(JUDGE_NOISE_BLOCK, 1));
}

static void a_difference_that_hardly_matters_is_not_reported(void **state)
{
	(void)state;
	struct judge_noise place = {.fresh = {100000, 51000},
				    .noise = {100000, 50000},
				    .log_evidence = 100,
				    .known = true};
	assert_false(reported(&place));
	place.fresh.differ = 61000;
	assert_true(reported(&place));
}

static void many_with_evidence_need_less_of_it_each(void **state)
{
	(void)state;
	struct judge_noise strong = {
		.fresh = {10, 10}, .noise = {10, 0}, .log_evidence = log(3300)};
	const struct judge_noise *places[JUDGE_NOISE_PLACES];
	bool is[JUDGE_NOISE_PLACES];
	for (uint32_t i = 0; i < 2; i++)
		places[i] = &strong;
	judge_noise_report(places, 1, is);
	assert_false(is[0]); /* 64 / 0.01 */
	judge_noise_report(places, 2, is);
	assert_true(is[0] && is[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_weighed_as_the_formula_says),
		cmocka_unit_test(its_expectation_is_at_most_1_while_nothing_is_wrong),
		cmocka_unit_test(what_made_a_place_known_does_not_count_for_it),
		cmocka_unit_test(a_difference_is_reported_soon_and_noise_is_not),
		cmocka_unit_test(without_noise_nothing_is_said),
		cmocka_unit_test(a_difference_that_hardly_matters_is_not_reported),
		cmocka_unit_test(many_with_evidence_need_less_of_it_each),
	};
	return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
