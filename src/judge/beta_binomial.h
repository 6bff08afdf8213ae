/* SPDX-License-Identifier: Apache-2.0
 *
 * beta_binomial - is a share what it should be? A sequential test of x of n against a fixed share.
 *
 * WHAT  The e-value is the likelihood of the counts under Beta(a, b)-distributed shares over that under
 *       `theta0`. It may be looked at after every request: the chance that it ever reaches 1/alpha while
 *       the share is theta0 is at most alpha. It is what the test of the sample ratio is made of: x = what
 *       the new release completed, n = what both did, theta0 = its weight.
 *
 * HOW   struct beta_binomial test = beta_binomial_around(weight, 100);
 *       if (beta_binomial_log_e(&test, x, n) >= log(1 / alpha)) ...
 *       For "less than theta0" ask beta_binomial_log_e_above() about the rest: 1 - theta0, n - x.
 *       When theta0 changes, begin a test anew with the counts from there, and add the logs.
 *
 * RANGES theta0 in (0, 1), a and b in (0, 1e9]; 0 <= x <= n <= 1e11. Counts are doubles because the bounds
 *       of quantile_band and of shares ask about fractions too. Errors stay below 1e-15 * n.
 *
 * COST  A fraction of a microsecond; _above() takes about sqrt(n) steps of ten nanoseconds.
 */
#ifndef JUDGE_BETA_BINOMIAL_H
#define JUDGE_BETA_BINOMIAL_H

struct beta_binomial {
	double theta0;
	double a, b; /* the alternative: so many successes and failures, imagined beforehand */
};

/* An alternative around theta0, worth `strength` imagined requests. 100 suits shifts of some percents of
 * a share and more; a large one (10,000) finds small shifts late and large ones late as well. */
struct beta_binomial beta_binomial_around(double theta0, double strength);

/* The strength whose bounds are narrowest after about `n` requests at level `alpha`. */
double beta_binomial_strength(double n, double alpha);

/* Log of the e-value against "the share is theta0". */
double beta_binomial_log_e(const struct beta_binomial *test, double x, double n);

/* Log of the e-value against "the share is at most theta0": no shortfall counts as evidence. */
double beta_binomial_log_e_above(const struct beta_binomial *test, double x, double n);

/* The shares that x of n leave possible at level alpha, at all times at once: [0, 1] for n = 0. */
struct beta_binomial_band {
	double low, high;
};

struct beta_binomial_band beta_binomial_band(double x, double n, double strength, double alpha);

#endif
