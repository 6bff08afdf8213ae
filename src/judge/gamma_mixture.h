/* SPDX-License-Identifier: Apache-2.0
 *
 * gamma_mixture - how many crashes, or errors in the log, were to be expected, given that n came?
 *
 * WHAT  A confidence sequence for the expected count of one release up to now, from the count alone: the
 *       chance that the expectation is ever outside is at most alpha, over all looks together. Divide by
 *       requests or instance-seconds for a rate. For display; comparing two releases is another's work.
 *
 * HOW   Events come as a Poisson process, however uneven. The e-value of a supposed expectation is the
 *       likelihood of n under Gamma(strength, strength)-distributed multiples of it over that under it.
 *
 * RANGES n <= 1e11; strength in (0, 1e9]: near the count about which the band is to be narrowest divided
 *       by 2 log(1/alpha), chosen beforehand; 1 is good for rare events. alpha in (0, 1).
 */
#ifndef JUDGE_GAMMA_MIXTURE_H
#define JUDGE_GAMMA_MIXTURE_H

#include <stdint.h>

/* Log of the e-value against "n events were counted where `expected` (above 0) were to be expected". */
double gamma_mixture_log_e(uint64_t n, double expected, double strength);

struct gamma_mixture_band {
	double low, high; /* expected events; low is 0 where n is too small to exclude any */
};

struct gamma_mixture_band gamma_mixture_band(uint64_t n, double strength, double alpha);

#endif
