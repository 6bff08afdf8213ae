/* SPDX-License-Identifier: Apache-2.0
 *
 * special - the special functions that the tests of judge/ are made of, in logs.
 *
 * WHAT  Gamma, beta, the incomplete beta, the normal distribution and its inverse. libm's lgamma() writes
 *       to a global, and it has no incomplete beta at all.
 *
 * RANGES Arguments are finite and inside what is said below: anything else is a bug and asserts.
 *       Relative errors are those of the value returned, so near a zero of it they are exact as well,
 *       unless an absolute error is given.
 *
 * COST  Some tens of nanoseconds, but log_incomplete_beta(): see there.
 */
#ifndef JUDGE_SPECIAL_H
#define JUDGE_SPECIAL_H

/* log Γ(x), x > 0. Relative error below 1e-13. */
double log_gamma(double x);

/* log B(a, b), a and b > 0. Keeps its digits where Γ(a + b) is enormous: error below
 * 1e-12 * (1 + |value|). */
double log_beta(double a, double b);

/*
 * log I_x(a, b), the regularised incomplete beta: the log of the chance that a Beta(a, b) variable is at
 * most x. 0 <= x <= 1; a and b in (0, 1e12]. Returns -INFINITY at x = 0. Error below
 * 1e-12 * (1 + |a log x| + |b log(1 - x)|). Takes about sqrt(max(a, b)) steps where x is near the mean,
 * a few otherwise.
 */
double log_incomplete_beta(double a, double b, double x);

/* log Φ(z): does not underflow. Relative error below 1e-12. */
double log_normal_cdf(double z);

/* The z with Φ(z) = p, 0 < p < 1. */
double normal_quantile(double p);

#endif
