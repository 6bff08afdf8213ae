/* SPDX-License-Identifier: Apache-2.0
 * beta_binomial - see beta_binomial.h for the contract. */
#include "judge/beta_binomial.h"

#include <math.h>
#include <stdbool.h>

#include "base/err.h"
#include "judge/special.h"

static const double COUNT_MAX = 1e11, PRIOR_MAX = 1e9, STRENGTH_MIN = 1e-3;

struct beta_binomial beta_binomial_around(double theta0, double strength)
{
	return (struct beta_binomial){
		.theta0 = theta0, .a = strength * theta0, .b = strength * (1 - theta0)};
}

double beta_binomial_strength(double n, double alpha)
{
	ASSERT(n > 0 && n <= COUNT_MAX && alpha > 0 && alpha < 1);
	double evidence = 2 * log(1 / alpha);
	return fmax(n / (evidence + log1p(evidence)) - 1, STRENGTH_MIN);
}

static void check(const struct beta_binomial *test, double x, double n)
{
	ASSERT(test->theta0 > 0 && test->theta0 < 1);
	ASSERT(test->a > 0 && test->a <= PRIOR_MAX && test->b > 0 && test->b <= PRIOR_MAX);
	ASSERT(x >= 0 && x <= n && n <= COUNT_MAX);
}

double beta_binomial_log_e(const struct beta_binomial *test, double x, double n)
{
	check(test, x, n);
	double under_null = x * log(test->theta0) + (n - x) * log1p(-test->theta0);
	return log_beta(test->a + x, test->b + n - x) - log_beta(test->a, test->b) - under_null;
}

/* The alternative cut to the shares above theta0: before and after x of n. */
double beta_binomial_log_e_above(const struct beta_binomial *test, double x, double n)
{
	double rest = 1 - test->theta0;
	return beta_binomial_log_e(test, x, n) +
	       log_incomplete_beta(test->b + n - x, test->a + x, rest) -
	       log_incomplete_beta(test->b, test->a, rest);
}

/* Where, between a share that x of n leave possible and an end that they do not, possible ends: the
 * last impossible one that bisection finds, so that rounding only widens. */
static double band_end(double x, double n, double strength, double threshold, double end)
{
	enum { BISECTIONS = 60 };
	double inside = x / n, outside = end;
	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (inside + outside) / 2;
		if (middle <= 0 || middle >= 1)
			break;
		struct beta_binomial test = beta_binomial_around(middle, strength);
		bool possible = beta_binomial_log_e(&test, x, n) < threshold;
		if (possible)
			inside = middle;
		else
			outside = middle;
	}
	return outside;
}

struct beta_binomial_band beta_binomial_band(double x, double n, double strength, double alpha)
{
	ASSERT(x >= 0 && x <= n && n <= COUNT_MAX && alpha > 0 && alpha < 1);
	struct beta_binomial_band all = {.low = 0, .high = 1};
	if (n < 1)
		return all;
	double threshold = log(1 / alpha);
	return (struct beta_binomial_band){
		.low = x > 0 ? band_end(x, n, strength, threshold, 0) : 0,
		.high = x < n ? band_end(x, n, strength, threshold, 1) : 1,
	};
}
