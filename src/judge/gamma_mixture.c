/* SPDX-License-Identifier: Apache-2.0
 * gamma_mixture - see gamma_mixture.h for the contract. */
#include "judge/gamma_mixture.h"

#include <math.h>

#include "base/err.h"
#include "judge/special.h"

double gamma_mixture_log_e(uint64_t n, double expected, double strength)
{
	double count = (double)n;
	ASSERT(isfinite(expected) && expected > 0 && count <= 1e11);
	ASSERT(strength > 0 && strength <= 1e9);
	/* Γ(s + n) / Γ(s) as Γ(n) / B(s, n), which keeps its digits. */
	double rise = n > 0 ? log_gamma(count) - log_beta(strength, count) : 0;
	return rise - count * log(strength + expected) - strength * log1p(expected / strength) +
	       expected;
}

/* The e-value is least at `expected` = n and grows to both sides. */
static double band_end(uint64_t n, double strength, double threshold, double outside)
{
	enum { BISECTIONS = 60 };
	double inside = (double)n;
	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (inside + outside) / 2;
		if (middle > 0 && gamma_mixture_log_e(n, middle, strength) < threshold)
			inside = middle;
		else
			outside = middle;
	}
	return outside;
}

struct gamma_mixture_band gamma_mixture_band(uint64_t n, double strength, double alpha)
{
	ASSERT(alpha > 0 && alpha < 1);
	double threshold = log(1 / alpha);
	double far = (double)n + 1;
	while (gamma_mixture_log_e(n, far, strength) < threshold)
		far += far;
	return (struct gamma_mixture_band){
		.low = n > 0 ? band_end(n, strength, threshold, 0) : 0,
		.high = band_end(n, strength, threshold, far),
	};
}
