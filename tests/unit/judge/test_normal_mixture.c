/* SPDX-License-Identifier: Apache-2.0
 * test_normal_mixture - the published formulas, what batches add up to, and seeded runs. */
#include "near.h"

#include <stdbool.h>

#include "judge/normal_mixture.h"

#define GOLDEN_ERROR 1e-5

/* Values and bounds of confseq's reference in R, at variance 100 and level 0.05. */
static void formulas_are_those_of_the_reference(void **state)
{
	(void)state;
	double two = normal_mixture_rho(100, 0.05), one = normal_mixture_rho(100, 2 * 0.05);
	assert_near(two, 12.60056, GOLDEN_ERROR);
	assert_near(normal_mixture_two_sided(10, 100, two), -0.6510052, GOLDEN_ERROR);
	assert_near(normal_mixture_two_sided(30.35209, 100, two), log(20), GOLDEN_ERROR);
	assert_near(normal_mixture_one_sided(10, 100, one), -0.06502391, GOLDEN_ERROR);
	assert_near(normal_mixture_one_sided(27.66071, 100, one), log(20), GOLDEN_ERROR);
}

static struct normal_batch batch(uint64_t requests, double mean, double variance)
{
	return (struct normal_batch){requests, mean, variance};
}

static void batches_add_up_as_by_hand(void **state)
{
	(void)state;
	struct normal_mixture test = normal_mixture_start(0.5, 1000, 0.01);
	struct normal_batch a = batch(10, 7, 4), b = batch(30, 5, 9);
	normal_mixture_add(&test, &a, &b); /* learns the variances, and no more */
	assert_int_equal(test.batches, 0);
	struct normal_batch c = batch(20, 8, 16), d = batch(60, 5, 1);
	normal_mixture_add(&test, &c, &d);
	assert_int_equal(test.batches, 1);
	assert_near(test.rho, normal_mixture_rho(1000 * 9, 0.02), 1e-9);
	assert_near(test.weight, 15, 0);
	assert_near(test.sum, 15 * (3 - 0.5), 1e-12);
	assert_near(test.variance, 15 * 15 * (4.0 / 20 + 9.0 / 60), 1e-12);
	/* next: the new release's last 16 is above all before; the live one's last 1 is below */
	struct normal_batch e = batch(1, 6, 0), f = batch(1, 6, 0);
	double live = (9.0 * 29 + 1.0 * 59) / (29 + 59);
	normal_mixture_add(&test, &e, &f);
	assert_near(test.variance - 15 * 15 * (4.0 / 20 + 9.0 / 60), 0.25 * (16 + live), 1e-12);
	assert_int_equal(test.new_release.requests, 21);
	assert_int_equal(test.live_release.requests, 61);
}

static void it_says_nothing_before_it_has_enough(void **state)
{
	(void)state;
	struct normal_mixture test = normal_mixture_start(0, 1000, 0.01);
	struct normal_batch bad = batch(6, 100, 1), live = batch(100, 1, 1);
	for (int i = 0; i < 34; i++) { /* 33 of them count: 198 requests */
		normal_mixture_add(&test, &bad, &live);
		assert_false(normal_mixture_ready(&test));
		assert_true(normal_mixture_log_e(&test) == 0);
		assert_true(normal_mixture_log_e_above(&test) == 0);
		struct normal_band band = normal_mixture_band(&test, 0.05);
		assert_true(isinf(band.low) && isinf(band.high));
	}
	normal_mixture_add(&test, &bad, &live);
	assert_true(normal_mixture_ready(&test));
	assert_true(normal_mixture_log_e_above(&test) > log(1e6));
	struct normal_mixture few = normal_mixture_start(0, 1000, 0.01);
	bad.requests = 1000;
	for (int i = 0; i < NORMAL_MIXTURE_BATCHES; i++) {
		normal_mixture_add(&few, &bad, &live);
		assert_false(normal_mixture_ready(&few));
	}
}

static void what_has_no_spread_or_no_partner_counts_for_nothing(void **state)
{
	(void)state;
	struct normal_mixture test = normal_mixture_start(0, 1000, 0.01);
	struct normal_batch still = batch(50, 3, 0), none = batch(0, 0, 0), some = batch(50, 4, 1);
	for (int i = 0; i < 100; i++)
		normal_mixture_add(&test, &still, &still);
	assert_int_equal(test.batches, 0);
	normal_mixture_add(&test, &some, &some);
	normal_mixture_add(&test, &none, &some);
	normal_mixture_add(&test, &some, &none);
	assert_int_equal(test.batches, 0);
	normal_mixture_add(&test, &some, &some);
	assert_int_equal(test.batches, 1);
}

static double uniform(uint64_t *random)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return ((double)(*random >> 32) + 0.5) / 4294967296.0;
}

/* A batch of log-normal values, as durations and baskets are. */
static struct normal_batch draw(uint64_t *random, uint64_t requests, double shift)
{
	double sum = 0, squares = 0;
	for (uint64_t i = 0; i < requests; i++) {
		double radius = sqrt(-2 * log(uniform(random)));
		double value = exp(0.5 * radius * cos(2 * M_PI * uniform(random))) + shift;
		sum += value;
		squares += value * value;
	}
	double n = (double)requests;
	return batch(requests, sum / n, (squares - sum * sum / n) / (n - 1));
}

struct outcome {
	bool above, two_sided, outside; /* ever */
	int batches;                    /* until `above` */
};

static struct outcome run(uint64_t *random, double shift, double tide)
{
	struct normal_mixture test = normal_mixture_start(0, 1000, 0.05);
	struct outcome o = {.batches = 0};
	for (int i = 0; i < 200; i++) {
		double both = i % 2 ? tide : 0; /* moves the two alike */
		struct normal_batch a = draw(random, 10, shift + both);
		struct normal_batch b = draw(random, 40, both);
		normal_mixture_add(&test, &a, &b);
		struct normal_band band = normal_mixture_band(&test, 0.05);
		o.outside |= band.low > shift || band.high < shift;
		o.two_sided |= normal_mixture_log_e(&test) >= log(20);
		o.batches += !o.above;
		o.above |= normal_mixture_log_e_above(&test) >= log(20);
	}
	return o;
}

/* Fixed seed; at a rate of 0.05, 26 of 300 have a chance of less than 1 in 200. */
static void looking_all_the_time_keeps_the_level(void **state)
{
	(void)state;
	uint64_t random = 4;
	int above = 0, two_sided = 0, outside = 0;
	for (int i = 0; i < 300; i++) {
		struct outcome o = run(&random, 0, 5);
		above += o.above;
		two_sided += o.two_sided;
		outside += o.outside;
	}
	assert_true(above < 26 && two_sided < 26 && outside < 26);
	assert_int_equal(two_sided, outside); /* the band is the test turned round */
}

static void a_shift_is_found(void **state)
{
	(void)state;
	uint64_t random = 5;
	int outside = 0;
	for (int i = 0; i < 50; i++) {
		struct outcome up = run(&random, 0.3, 5), down = run(&random, -0.3, 5);
		assert_true(up.above && up.two_sided && up.batches < 120);
		assert_true(!down.above && down.two_sided);
		outside += up.outside + down.outside;
	}
	assert_true(outside < 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formulas_are_those_of_the_reference),
		cmocka_unit_test(batches_add_up_as_by_hand),
		cmocka_unit_test(it_says_nothing_before_it_has_enough),
		cmocka_unit_test(what_has_no_spread_or_no_partner_counts_for_nothing),
		cmocka_unit_test(looking_all_the_time_keeps_the_level),
		cmocka_unit_test(a_shift_is_found),
	};
	return cmocka_run_group_tests_name("judge/normal_mixture", tests, NULL, NULL);
}
