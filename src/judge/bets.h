/* SPDX-License-Identifier: Apache-2.0
 *
 * bets - a wealth that is bet against "the new release is fine", and grows only when it is not.
 *
 * WHAT  An e-process: it begins at 1, and while the release is fine its expectation never exceeds 1, however
 *       often it is looked at. So it reaches 1/alpha with a probability of at most alpha (Ville).
 *
 * HOW   A share of the wealth is bet at once, in parts on a grid of alternatives; the rest is cash. Each tick multiplies every bet by its likelihood ratio. From time to time some cash is added to the bets:
 *       what a healthy hour has cost the old bets does not delay the new ones, so that a regression that
 *       begins late is found nearly as fast as one at the start (an e-detector of fixed total budget,
 *       arXiv 2203.03532). The total is the wealth: cash and bets.
 *
 * OWNS  A value; copy it as you like.
 * UNITS Shares of the wealth at the start. Factors come as natural logarithms.
 * LIMITS A bet is kept within 1e-300..1e200: beyond, nothing changes any more.
 */
#ifndef JUDGE_BETS_H
#define JUDGE_BETS_H

#include <stdint.h>

enum { JUDGE_BETS_MAX = 8 };

struct judge_bets {
	uint32_t count; /* of alternatives */
	double cash, per_second;
	double capital[JUDGE_BETS_MAX];
	double parts[JUDGE_BETS_MAX]; /* of what is bet; sum to 1 */
};

/* `parts` of the alternatives, relative to each other; NULL: equal ones. at_once up to 1; 0: nearly half. */
void judge_bets_begin(struct judge_bets *bets, uint32_t count, const double *parts, double at_once);

/* Every alternative's capital times exp(log_factors[i]). */
void judge_bets_settle(struct judge_bets *bets, const double *log_factors);

/* The same with the factors themselves. */
void judge_bets_multiply(struct judge_bets *bets, const double *factors);

/* Bet up to this share of the first wealth anew, as far as there is cash. */
void judge_bets_add(struct judge_bets *bets, double share);

/* Once a second. For half an hour at an even pace, then ever less: the cash never ends. */
void judge_bets_second(struct judge_bets *bets);
/* Once for a longer time. */
void judge_bets_seconds(struct judge_bets *bets, double seconds);

double judge_bets_wealth(const struct judge_bets *bets);

#endif
