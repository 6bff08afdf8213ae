/* SPDX-License-Identifier: Apache-2.0
 * special - see special.h for the contract. */
#include "judge/special.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "base/err.h"

static const double LOG_SQRT_2PI = 0.91893853320467274178;
static const double STIRLING_FROM = 10.0; /* from here on eight terms are exact to the last bit */

/* log Γ(x) less the leading terms of Stirling's formula, x >= STIRLING_FROM: 1/12x - 1/360x³ + … */
static double stirling_rest(double x)
{
	static const double terms[] = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
				       1.0 / 1188, -691.0 / 360360, 1.0 / 156,  -3617.0 / 122400};
	double square = 1 / (x * x), sum = 0;
	for (size_t i = sizeof terms / sizeof terms[0]; i-- > 0;)
		sum = sum * square + terms[i];
	return sum / x;
}

/* log Γ(2 + z), |z| <= 1/2, by its Taylor series, which is exact at its zero:
 * (1 - γ) z + Σ (-z)^k (ζ(k) - 1) / k. */
static double log_gamma_near_2(double z)
{
	static const double one_less_euler = 0.42278433509846713939;
	static const double terms[] = {
		/* (ζ(k) - 1) / k from k = 2 */
		0.3224670334241132,     0.067352301053198102,   0.020580808427784546,
		0.0073855510286739857,  0.0028905103307415234,  0.001192753911703261,
		0.00050966952474304245, 0.00022315475845357939, 9.9457512781808531e-05,
		4.4926236738133142e-05, 2.0507212775670691e-05, 9.4394882752683967e-06,
		4.3748667899074882e-06, 2.0392157538013662e-06, 9.5514121304074194e-07,
		4.4924691987645662e-07, 2.1207184805554665e-07, 1.0043224823968099e-07,
		4.7698101693639804e-08, 2.2711094608943164e-08, 1.0838659214896955e-08,
		5.1834750419700466e-09, 2.4836745438024785e-09, 1.1921401405860912e-09,
		5.7313672416788623e-10, 2.7595228851242334e-10, 1.3304764374244489e-10,
		6.4229645638380996e-11,
	};
	double sum = 0;
	for (size_t i = sizeof terms / sizeof terms[0]; i-- > 0;)
		sum = sum * -z + terms[i];
	return z * one_less_euler + z * z * sum;
}

double log_gamma(double x)
{
	ASSERT(isfinite(x) && x > 0);
	if (x >= STIRLING_FROM)
		return (x - 0.5) * log(x) - x + LOG_SQRT_2PI + stirling_rest(x);
	if (x < 0.5)
		return -log(x) - log1p(x) + log_gamma_near_2(x);
	if (x < 1.5)
		return -log1p(x - 1) + log_gamma_near_2(x - 1);
	double product = 1;
	while (x > 2.5) {
		x -= 1;
		product *= x;
	}
	return log(product) + log_gamma_near_2(x - 2);
}

double log_beta(double a, double b)
{
	double small = fmin(a, b), large = fmax(a, b);
	if (large < STIRLING_FROM)
		return log_gamma(small) + log_gamma(large) - log_gamma(small + large);
	double sum = small + large;
	double rest = stirling_rest(large) - stirling_rest(sum);
	double shrink = log1p(-small / sum); /* log(large / sum) */
	if (small < STIRLING_FROM)
		return log_gamma(small) - small * log(sum) + small + (large - 0.5) * shrink + rest;
	return (small - 0.5) * log(small / sum) + large * shrink - 0.5 * log(large) + LOG_SQRT_2PI +
	       rest + stirling_rest(small);
}

/* A factor of Lentz's continued fraction that is exactly 0 would stop it. */
static double off_zero(double x)
{
	return fabs(x) < DBL_MIN ? DBL_MIN : x;
}

/* The continued fraction of I_x(a, b) by Lentz's method; x <= (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
	enum { STEPS_MAX = 1000000 }; /* ten times what a = b = 1e12 takes at its mean */
	double c = 1, d = 1 / off_zero(1 - (a + b) * x / (a + 1)), value = d;
	for (int m = 1; m <= STEPS_MAX; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		d = 1 / off_zero(1 + even * d);
		c = off_zero(1 + even / c);
		value *= c * d;
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 / off_zero(1 + odd * d);
		c = off_zero(1 + odd / c);
		value *= c * d;
		if (fabs(c * d - 1) < 4 * DBL_EPSILON)
			break;
	}
	return value;
}

/* log I_x(a, b) where x is not far above the mean. */
static double log_lower_beta(double a, double b, double x)
{
	return a * log(x) + b * log1p(-x) - log(a) - log_beta(a, b) + log(beta_fraction(a, b, x));
}

double log_incomplete_beta(double a, double b, double x)
{
	ASSERT(a > 0 && a <= 1e12 && b > 0 && b <= 1e12 && x >= 0 && x <= 1);
	if (x == 0)
		return -INFINITY;
	if (x == 1)
		return 0;
	if (x <= (a + 1) / (a + b + 2))
		return fmin(log_lower_beta(a, b, x), 0);
	double upper = exp(fmin(log_lower_beta(b, a, 1 - x), 0));
	return upper < 1 ? log1p(-upper) : -INFINITY;
}

double log_normal_cdf(double z)
{
	ASSERT(isfinite(z));
	if (z > 0)
		return log1p(-erfc(z * M_SQRT1_2) / 2);
	if (z > -30)
		return log(erfc(-z * M_SQRT1_2) / 2);
	double s = 1 / (z * z); /* Φ(z) = φ(z)/|z| · (1 - s + 3s² - 15s³ + …) */
	double series = -s * (1 - s * (3 - s * (15 - s * (105 - s * 945))));
	return -z * z / 2 - log(-z) - LOG_SQRT_2PI + log1p(series);
}

double normal_quantile(double p)
{
	enum { STEPS_MAX = 64 };
	ASSERT(p > 0 && p < 1);
	if (p > 0.5)
		return -normal_quantile(1 - p);
	/* log Φ is concave: Newton's steps from the left of the root never pass it. */
	double z = -sqrt(-2 * log(p));
	for (int i = 0; i < STEPS_MAX; i++) {
		double log_cdf = log_normal_cdf(z);
		double slope = exp(-z * z / 2 - LOG_SQRT_2PI - log_cdf);
		double step = (log(p) - log_cdf) / slope;
		z += step;
		if (fabs(step) <= 4 * DBL_EPSILON * fabs(z))
			break;
	}
	return z;
}
