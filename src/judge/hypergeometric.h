/* SPDX-License-Identifier: Apache-2.0
 *
 * hypergeometric - given how many events two releases had together, how many fell on the new one?
 *
 * WHAT  With n_new and n_live requests and d events among them, the number x of events on the new release is
 *       hypergeometric when both have the same chance, whatever that chance is, and Fisher's noncentral
 *       hypergeometric at an odds ratio w. This file has the likelihood ratios between odds ratios.
 *
 * HOW   log L(w) = x log w - log Z(w), Z(w) = sum over x of C(n_new, x) C(n_live, d - x) w^x. The sums start at
 *       the largest term of w = 1 and go both ways by the ratio of neighbours, scaled as they grow.
 *       Exact in every direction, unlike the binomial form of ratio.h.
 *
 * COST  One multiplication per alternative and possible x: at most min(n_new, d) of them.
 * SEE   tests/unit/judge/test_hypergeometric.c: the expectation of every ratio is 1 at its null.
 */
#ifndef JUDGE_HYPERGEOMETRIC_H
#define JUDGE_HYPERGEOMETRIC_H

#include <stdint.h>

enum { JUDGE_ODDS_MAX = 12 };

/* Two releases in one tick. */
struct judge_table {
	uint64_t new_requests, new_events; /* events <= requests */
	uint64_t live_requests, live_events;
};

/* ret_logs[i] = log L(odds[i]) - log L(1). 0 where the table says nothing (no event, nothing but events, or one
 * side without a request). count <= JUDGE_ODDS_MAX; odds in 1/1000..1000. */
void judge_odds_logs(const struct judge_table *table, const double *odds, uint32_t count,
		     double *ret_logs);

#endif
