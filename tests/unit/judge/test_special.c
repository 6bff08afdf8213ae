/* SPDX-License-Identifier: Apache-2.0
 * test_special - against libm, against sums that are exact, and at the far ends. */
#include "near.h"

#include <math.h>

#include "judge/special.h"

static void log_gamma_agrees_with_libm(void **state)
{
	(void)state;
	for (double x = 1e-12; x < 1e12; x *= 1.0137) {
		int sign;
		double want = lgamma_r(x, &sign);
		/* libm itself is good to some bits; about 1 and 2 it is exact too */
		assert_near(log_gamma(x), want, 1e-13 * fabs(want));
	}
	for (double z = 1e-15; z < 0.5; z *= 1.7) {
		int sign;
		assert_near(log_gamma(1 + z), lgamma_r(1 + z, &sign), 1e-13 * z);
		assert_near(log_gamma(2 - z), lgamma_r(2 - z, &sign), 1e-13 * z);
	}
	assert_true(log_gamma(1) == 0 && log_gamma(2) == 0);
	assert_near(log_gamma(0.5), 0.57236494292470008707, 1e-16);
	assert_near(log_gamma(171), 706.57306224578736, 1e-12);
}

static void log_beta_keeps_its_digits(void **state)
{
	(void)state;
	assert_near(log_beta(2, 3), -log(12), 1e-15);
	assert_near(log_beta(12, 1), -log(12), 1e-14);
	/* B(a, 1) = 1/a, B(a, 2) = 1 / (a (a + 1)), however large a is */
	for (double a = 1e-6; a < 1e12; a *= 3.3) {
		assert_near(log_beta(a, 1), -log(a), 1e-14 * (1 + fabs(log(a))));
		assert_near(log_beta(2, a), -log(a) - log1p(a), 2e-14 * (1 + fabs(log(a))));
	}
	/* B(a, b + 1) = B(a, b) b / (a + b) */
	for (double a = 0.3; a < 1e9; a *= 7.1)
		for (double b = 0.2; b < 1e9; b *= 5.3)
			assert_near(log_beta(a, b + 1) - log_beta(a, b), -log1p(a / b),
				    1e-13 * (1 + fabs(log_beta(a, b))));
}

static double log_binomial(int x, int n, double p)
{
	return x * log(p) + (n - x) * log1p(-p) - log(n + 1) - log_beta(x + 1, n - x + 1);
}

/* P(X >= x) for X binomial, which is I_p(x, n - x + 1), by adding up. */
static double log_binomial_tail(int x, int n, double p)
{
	double sum = 0, scale = -INFINITY;
	for (int i = x; i <= n; i++)
		scale = fmax(scale, log_binomial(i, n, p));
	for (int i = n; i >= x; i--)
		sum += exp(log_binomial(i, n, p) - scale);
	return log(sum) + scale;
}

static void the_incomplete_beta_is_a_binomial_tail(void **state)
{
	(void)state;
	static const double shares[] = {0.001, 0.02, 0.3, 0.5, 0.77, 0.99};
	for (size_t k = 0; k < sizeof shares / sizeof shares[0]; k++)
		for (int n = 1; n <= 400; n += 57)
			for (int x = 1; x <= n; x += 1 + n / 9)
				assert_near(log_incomplete_beta(x, n - x + 1, shares[k]),
					    log_binomial_tail(x, n, shares[k]), 1e-11);
}

static void the_incomplete_beta_at_its_ends(void **state)
{
	(void)state;
	assert_true(isinf(log_incomplete_beta(2, 3, 0)));
	assert_true(log_incomplete_beta(2, 3, 1) == 0);
	assert_near(log_incomplete_beta(1, 1, 0.3), log(0.3), 1e-15);
	assert_near(log_incomplete_beta(3, 1, 1e-100), 3 * log(1e-100), 1e-12);
	/* far below what a double holds: I_x(a, b) ~ x^a / (a B(a, b)) */
	assert_near(log_incomplete_beta(1000, 2, 1e-3), 1000 * log(1e-3) + log(1001), 1e-3);
	/* the median of a symmetric one, at any size */
	for (double a = 0.1; a < 1e9; a *= 11)
		assert_near(log_incomplete_beta(a, a, 0.5), log(0.5), 1e-14 * (1 + a));
	/* both sides together are certain */
	for (double x = 0.01; x < 1; x += 0.07)
		assert_near(exp(log_incomplete_beta(7.5, 3.25, x)) +
				    exp(log_incomplete_beta(3.25, 7.5, 1 - x)),
			    1, 1e-14);
}

static void the_normal_distribution(void **state)
{
	(void)state;
	assert_near(log_normal_cdf(0), log(0.5), 1e-16);
	assert_near(log_normal_cdf(1.96), -0.025316284, 1e-6);
	assert_near(log_normal_cdf(-10), -53.231285150512470, 1e-12);
	assert_near(log_normal_cdf(-100), -5005.5242086942050, 1e-9);
	assert_true(log_normal_cdf(40) == 0);
	assert_true(log_normal_cdf(9) < 0);
	/* no step where the series takes over */
	double before = log_normal_cdf(nextafter(-30, 0)), after = log_normal_cdf(-30);
	assert_near(before, after, 1e-9);
}

static void normal_quantiles(void **state)
{
	(void)state;
	assert_near(normal_quantile(0.5), 0, 1e-16);
	assert_near(normal_quantile(0.975), 1.9599639845400536, 1e-14);
	assert_near(normal_quantile(0.01), -2.3263478740408412, 1e-14);
	assert_near(normal_quantile(1e-300), -37.0471, 1e-3);
	for (double p = 1e-200; p < 0.5; p *= 1.9)
		assert_near(log_normal_cdf(normal_quantile(p)), log(p), 1e-12 * fabs(log(p)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_gamma_agrees_with_libm),
		cmocka_unit_test(log_beta_keeps_its_digits),
		cmocka_unit_test(the_incomplete_beta_is_a_binomial_tail),
		cmocka_unit_test(the_incomplete_beta_at_its_ends),
		cmocka_unit_test(the_normal_distribution),
		cmocka_unit_test(normal_quantiles),
	};
	return cmocka_run_group_tests_name("judge/special", tests, NULL, NULL);
}
