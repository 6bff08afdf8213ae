/* SPDX-License-Identifier: Apache-2.0
 *
 * normal_mixture - do the means of two releases differ? For measurements (revenue, size, duration) whose
 *                  values are not just yes or no.
 *
 * WHAT  A sequential test of "the new release's mean is at most `delta` above the live one's", and a band
 *       for the difference, both to be looked at after every batch. It rests on the central limit theorem:
 *       not exact, so it says nothing (log e 0, no band) before NORMAL_MIXTURE_REQUESTS requests and
 *       NORMAL_MIXTURE_BATCHES batches. Not for rare events, where counting errors is exact and faster.
 *
 * HOW   struct normal_mixture test = normal_mixture_start(0, 1000, 0.001);
 *       each 1 to 10 s:  normal_mixture_add(&test, &new_release, &live_release);
 *                        if (normal_mixture_log_e_above(&test) >= log(1 / alpha)) ...
 *       For "less than" negate the means that go in.
 *
 *       A batch counts by the difference of its means, so what moves both releases alike cancels. Its
 *       variance is foreseen: the larger of that of the last batch and that of all before, for each arm.
 *       The first batches with a spread in either arm only set the scale, and are not counted.
 *
 * UNITS Means in whatever is measured, variances in its square (the unbiased one, over n - 1).
 *       Means and variances are finite; a batch without requests in an arm counts for nothing.
 *
 * OWNS  Plain data: copy it, store it. Nothing else is kept.
 */
#ifndef JUDGE_NORMAL_MIXTURE_H
#define JUDGE_NORMAL_MIXTURE_H

#include <stdbool.h>
#include <stdint.h>

enum { NORMAL_MIXTURE_REQUESTS = 200, NORMAL_MIXTURE_BATCHES = 30 };

struct normal_batch {
	uint64_t requests;
	double mean;
	double variance; /* ignored below two requests */
};

struct normal_arm {
	uint64_t requests; /* in batches that counted */
	double last;       /* variance of the last batch that had one */
	double squares;    /* sum of squares about the means of their batches */
	double freedom;    /* requests less one, over the same batches */
};

struct normal_mixture {
	double delta;
	double expected, alpha; /* as given; they set rho with the first variances */
	double rho;             /* 0 until then */
	double sum;             /* weighted differences less delta */
	double weight;
	double variance; /* of `sum`, as foreseen */
	uint32_t batches;
	struct normal_arm new_release, live_release;
};

/*
 * `expected`: about how many requests of the smaller arm shall decide (1..1e11), at level `alpha` in
 * (0, 1); the test is quickest there and valid everywhere.
 */
struct normal_mixture normal_mixture_start(double delta, double expected, double alpha);

void normal_mixture_add(struct normal_mixture *test, const struct normal_batch *new_release,
			const struct normal_batch *live_release);

/* Both arms have had enough. */
bool normal_mixture_ready(const struct normal_mixture *test);

/* Log of the e-value against "at most delta above"; against "exactly delta above". 0 until ready. */
double normal_mixture_log_e_above(const struct normal_mixture *test);
double normal_mixture_log_e(const struct normal_mixture *test);

/* The differences that are possible at level alpha, at all times at once; the whole line until ready. */
struct normal_band {
	double low, high;
};

struct normal_band normal_mixture_band(const struct normal_mixture *test, double alpha);

/*
 * The formulas themselves: a sum `s` whose variance is `v` >= 0, and the rho (above 0) whose bounds are
 * narrowest at variance `v` and level alpha. A one-sided test spends its alpha on one side: ask for the
 * rho of 2 alpha.
 */
double normal_mixture_rho(double v, double alpha);
double normal_mixture_two_sided(double s, double v, double rho);
double normal_mixture_one_sided(double s, double v, double rho);

#endif
