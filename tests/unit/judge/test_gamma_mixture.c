/* SPDX-License-Identifier: Apache-2.0
 * test_gamma_mixture - averages that are exactly 1, small cases by hand, and the ends of bands. */
#include "near.h"

#include "judge/gamma_mixture.h"
#include "judge/special.h"

static void small_cases_by_hand(void **state)
{
	(void)state;
	/* strength 1: e^L n! / (1 + L)^(n + 1) */
	assert_near(gamma_mixture_log_e(0, 3, 1), 3 - log(4), 1e-15);
	assert_near(gamma_mixture_log_e(1, 3, 1), 3 - 2 * log(4), 1e-15);
	assert_near(gamma_mixture_log_e(4, 3, 1), 3 + log(24) - 5 * log(4), 1e-14);
	/* strength 2: e^L 2^2 (n + 1)! / (2 + L)^(n + 2) */
	assert_near(gamma_mixture_log_e(3, 5, 2), 5 + log(4 * 24) - 5 * log(7), 1e-14);
}

static void the_average_under_the_null_is_one(void **state)
{
	(void)state;
	static const double means[] = {0.01, 0.7, 5, 60}, strengths[] = {0.3, 1, 20};
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 3; k++) {
			double sum = 0;
			for (uint64_t n = 0; n < 20000; n++)
				sum += exp((double)n * log(means[i]) - means[i] -
					   log_gamma((double)n + 1) +
					   gamma_mixture_log_e(n, means[i], strengths[k]));
			assert_near(sum, 1, 1e-8);
		}
}

static void bands_end_where_the_evidence_begins(void **state)
{
	(void)state;
	double threshold = log(1 / 0.05);
	for (uint64_t n = 1; n < 100000000000; n = n * 7 + 1) {
		struct gamma_mixture_band band = gamma_mixture_band(n, 3, 0.05);
		assert_true(band.low < (double)n && band.high > (double)n);
		assert_near(gamma_mixture_log_e(n, band.high, 3), threshold, 1e-3);
		assert_true(gamma_mixture_log_e(n, band.high, 3) >= threshold);
		if (n == 1) { /* one event excludes no expectation, however small */
			assert_true(band.low == 0);
			continue;
		}
		assert_near(gamma_mixture_log_e(n, band.low, 3), threshold, 1e-3);
		assert_true(gamma_mixture_log_e(n, band.low, 3) >= threshold);
	}
}

static void no_event_still_bounds_from_above(void **state)
{
	(void)state;
	struct gamma_mixture_band band = gamma_mixture_band(0, 1, 0.05);
	assert_true(band.low == 0);
	/* L - log(1 + L) = log 20 */
	assert_near(band.high - log1p(band.high), log(20), 1e-9);
	assert_near(band.high, 4.74, 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_cases_by_hand),
		cmocka_unit_test(the_average_under_the_null_is_one),
		cmocka_unit_test(bands_end_where_the_evidence_begins),
		cmocka_unit_test(no_event_still_bounds_from_above),
	};
	return cmocka_run_group_tests_name("judge/gamma_mixture", tests, NULL, NULL);
}
