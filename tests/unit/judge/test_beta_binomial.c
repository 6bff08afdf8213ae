/* SPDX-License-Identifier: Apache-2.0
 * test_beta_binomial - published values of the same mixture, expectations that are exactly 1, and bands. */
#include "near.h"

#include <stdbool.h>

#include "judge/beta_binomial.h"
#include "judge/special.h"

#define GOLDEN_ERROR 1e-5

/* 625 requests of a share of 0.2 have the variance 100. With the strength that is best there at level
 * 0.05, and for one side at twice that, these are values and bounds of confseq's reference in R. */
static void log_e_is_that_of_the_reference(void **state)
{
	(void)state;
	struct beta_binomial two = beta_binomial_around(0.2, beta_binomial_strength(625, 0.05));
	struct beta_binomial one = beta_binomial_around(0.2, beta_binomial_strength(625, 2 * 0.05));
	assert_near(beta_binomial_log_e(&two, 125 + 10, 625), -0.6941012, GOLDEN_ERROR);
	assert_near(beta_binomial_log_e(&two, 125 + 31.4308, 625), log(20), 2e-4);
	assert_near(beta_binomial_log_e_above(&one, 125 + 10, 625), -0.07134019, GOLDEN_ERROR);
	assert_near(beta_binomial_log_e_above(&one, 125 + 28.41238, 625), log(20), 2e-4);
	/* two of two are the most there can be, and no evidence yet */
	assert_true(beta_binomial_log_e_above(&one, 2, 2) < log(20));
}

/* The bands are confseq's too; its optimum for 50 requests is at level 0.05. */
static void bands_are_those_of_the_reference(void **state)
{
	(void)state;
	static const struct {
		double x, n, best_at, low, high;
	} cases[] = {
		{700, 1000, 100, 0.651629, 0.745949},
		{15, 50, 50, 0.129556, 0.511896},
		{5, 50, 50, 0.013021, 0.269264},
		{1, 50, 50, 0, 0.13489},
		{1, 2, 50, 0, 1},
		{100, 200, 1, 0.328923, 0.671076},
		{0, 1, 50, 0, 1},
		{1, 1, 50, 0, 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double strength = beta_binomial_strength(cases[i].best_at, 0.05);
		struct beta_binomial_band band =
			beta_binomial_band(cases[i].x, cases[i].n, strength, 0.05);
		assert_near(band.low, cases[i].low, GOLDEN_ERROR);
		assert_near(band.high, cases[i].high, GOLDEN_ERROR);
	}
}

static void bands_are_rounded_outward(void **state)
{
	(void)state;
	double threshold = log(1 / 0.01);
	for (double x = 1; x < 100000; x *= 3) {
		struct beta_binomial_band band = beta_binomial_band(x, 100000, 100, 0.01);
		struct beta_binomial high = beta_binomial_around(band.high, 100);
		assert_true(band.low < x / 100000 && band.high > x / 100000);
		if (band.low > 0) {
			struct beta_binomial low = beta_binomial_around(band.low, 100);
			assert_true(beta_binomial_log_e(&low, x, 100000) >= threshold);
		}
		assert_true(beta_binomial_log_e(&high, x, 100000) >= threshold);
	}
}

static void without_counts_every_share_is_possible(void **state)
{
	(void)state;
	struct beta_binomial_band band = beta_binomial_band(0, 0, 100, 0.05);
	struct beta_binomial test = beta_binomial_around(0.3, 100);
	assert_true(band.low == 0 && band.high == 1);
	assert_near(beta_binomial_log_e(&test, 0, 0), 0, 1e-13);
	assert_near(beta_binomial_log_e_above(&test, 0, 0), 0, 1e-13);
}

/*
 * Three arms of which the first two have the weight 0.4 are two tests in a chain: the first against the
 * rest, then the second against the third. With one imagined request an arm, their sum is the
 * Dirichlet-multinomial evidence that ssrm's tests assert.
 */
static void chains_are_the_dirichlet_multinomial(void **state)
{
	(void)state;
	static const struct {
		double count[3];      /* so far */
		double with, without; /* log marginal likelihoods */
	} cases[] = {
		{{1, 0, 0}, -1.0986122886681096, -0.916290731874155},
		{{1, 1, 0}, -2.4849066497880004, -1.83258146374831},
		{{2, 1, 0}, -3.401197381662155, -2.748872195622465},
		{{2, 2, 0}, -4.499809670330265, -3.66516292749662},
		{{2, 2, 1}, -6.4457198193855785, -5.27460083993072},
		{{20, 17, 9}, -7.028201432058012, -4.0776406466061985},
		{{38, 38, 17}, -11.947847738358888, -8.265946861099877},
		{{42, 44, 21}, -15.471401950257842, -11.610743519545139},
		{{60, 63, 32}, -19.96484521090386, -15.781031228536165},
	};
	struct beta_binomial first = {.theta0 = 0.4, .a = 1, .b = 2};
	struct beta_binomial second = {.theta0 = 0.4 / 0.6, .a = 1, .b = 1};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double rest = cases[i].count[1] + cases[i].count[2];
		double log_e =
			beta_binomial_log_e(&first, cases[i].count[0], cases[i].count[0] + rest) +
			beta_binomial_log_e(&second, cases[i].count[1], rest);
		assert_near(log_e, cases[i].with - cases[i].without, 1e-12);
	}
}

/* What the e-value is on the average over x of n, if the share is theta. */
static double expected(const struct beta_binomial *test, int n, double theta, bool one_sided)
{
	double sum = 0;
	for (int x = 0; x <= n; x++) {
		double log_chance = x * log(theta) + (n - x) * log1p(-theta) - log(n + 1) -
				    log_beta(x + 1, n - x + 1);
		double log_e = one_sided ? beta_binomial_log_e_above(test, x, n)
					 : beta_binomial_log_e(test, x, n);
		sum += exp(log_chance + log_e);
	}
	return sum;
}

static void the_average_under_the_null_is_one(void **state)
{
	(void)state;
	static const double shares[] = {0.01, 0.05, 0.25, 0.5, 0.9};
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		struct beta_binomial test = beta_binomial_around(shares[i], 100);
		for (int n = 1; n <= 3000; n = n * 5 + 1) {
			assert_near(expected(&test, n, shares[i], false), 1, 1e-9);
			assert_near(expected(&test, n, shares[i], true), 1, 1e-9);
			assert_true(expected(&test, n, 0.9 * shares[i], true) < 1);
		}
	}
}

static void one_side_sees_only_its_side(void **state)
{
	(void)state;
	struct beta_binomial above = beta_binomial_around(0.1, 100);
	struct beta_binomial below = beta_binomial_around(0.9, 100); /* of the rest */
	assert_true(beta_binomial_log_e_above(&above, 200, 1000) > log(1000));
	assert_true(beta_binomial_log_e_above(&above, 20, 1000) < 0);
	assert_true(beta_binomial_log_e_above(&below, 1000 - 20, 1000) > log(1000));
	assert_true(beta_binomial_log_e(&above, 20, 1000) > log(1000));
	/* nearly the factor 2 that two sides cost */
	assert_near(beta_binomial_log_e_above(&above, 200, 1000) -
			    beta_binomial_log_e(&above, 200, 1000),
		    log(2), 0.2);
}

static void many_requests_keep_their_digits(void **state)
{
	(void)state;
	struct beta_binomial test = beta_binomial_around(0.25, 100);
	double n = 4e10, at_mean = beta_binomial_log_e(&test, n / 4, n);
	/* at the mean the evidence is half the log of (prior + n) / prior, against */
	assert_near(at_mean, -0.5 * log1p(n / 100), 0.01);
	assert_true(beta_binomial_log_e(&test, n / 4 + 10 * sqrt(n), n) > log(1e6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_e_is_that_of_the_reference),
		cmocka_unit_test(bands_are_those_of_the_reference),
		cmocka_unit_test(bands_are_rounded_outward),
		cmocka_unit_test(without_counts_every_share_is_possible),
		cmocka_unit_test(chains_are_the_dirichlet_multinomial),
		cmocka_unit_test(the_average_under_the_null_is_one),
		cmocka_unit_test(one_side_sees_only_its_side),
		cmocka_unit_test(many_requests_keep_their_digits),
	};
	return cmocka_run_group_tests_name("judge/beta_binomial", tests, NULL, NULL);
}
