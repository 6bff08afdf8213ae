/* SPDX-License-Identifier: Apache-2.0
 *
 * proportion - one metric that counts events among requests, judged against the live release: errors, answers
 *              slower than an edge, requests that hang, conversions.
 *
 * WHAT  From tick to tick: evidence that the new release is worse than tolerated (an e-process, bets.h), evidence
 *       that it is fine (another), the totals, and what people are shown.
 *
 * WORSE The new release is fine as long as its share of events p is at most r0 times the live one's, or at most
 *       d0 above it, at the same moment: p <= max(r0 q, q + d0), whatever q does. For each half an e-process; the
 *       evidence is the smaller of the two.
 *         r0: given d events in a tick, pi = n_new / (n_new + n_live), the number x on the new release has a
 *             binomial bound with theta(r) = pi r / (1 + pi (r - 1)), and
 *             l(r) = x log(theta(r) / theta(r0)) + (d - x) log((1 - theta(r)) / (1 - theta(r0))).
 *             Drift, outages of something shared, and day and night cancel: only the division is looked at.
 *             Valid for r >= r0 >= 1 (Hoeffding's convex order); not the other way round.
 *         d0: the same with r0 = 1, less n_new d0 (theta(r) / theta(1) - 1): what the tolerated events can add to
 *             the expectation, for E[g^x] of p = q + d0 is at most that of q times exp(n d0 (g - 1)).
 *       Where the counts are not rare (half of the requests are slower than the median), the exact form of
 *       hypergeometric.h takes the place of the binomial bound. It knows odds only: r0 becomes the odds ratio that it
 *       is at the share that the live release has had so far.
 *
 * FEWER (conversions) p >= q / r0 is fine. In the exact form by alternatives below 1 / r0; by the binomial bound
 *       with the two releases exchanged: is the live one's share at most r0 times the new one's? Nothing is said
 *       alone then: the past of a day and the present of a night differ in what people buy.
 *
 *       A half is believed as a whole: where neither holds for all of the time, both can be refuted.
 *
 * TABLES Where there is little traffic, a tick has requests of one release only, and says nothing. Its counts wait for
 *       the other one's, up to ten seconds: "the same moment" is as short as the traffic allows. When it ends is
 *       decided by requests, never by events, so the law of x holds.
 *
 * ALONE Where the live release has no request, or has had next to no event for long, the division says little: at
 *       a share of 50 % an error on the new side is worth log 2. Beside it runs
 *         l = x g - n a (e^g - 1),  null: p <= a,
 *       where a is an upper bound (99.9 %) of the live release's share in the past, and what is tolerated of it.
 *       Errors that begin on both sides at once, and happen to fall on the new one first, must not be taken for
 *       proof: g is at most 1.29 log(1 / pi), and with an event of the live release all that is bet here is lost.
 *       1,000 : 1 thus takes a row of events on the new side alone that has a chance of about 1 in 1,000 itself.
 *       The live release has no request when it had none for ten seconds, and for ten times as long as it usually
 *       needs for one.
 *
 * FINE  (the other direction) p < r1 q, by the exact form at odds r1, or p < p1: the mean of two e-processes.
 *       Whoever is at least as bad as both is passed with a probability of at most beta.
 *
 * SCATTER Each logarithm is divided by phi (dispersion.h), known before the tick.
 *
 * COST  About 0.3 us in a tick with an event, nothing without, and the exact form where asked for.
 * OWNS  A value without pointers; copy it as you like.
 */
#ifndef JUDGE_PROPORTION_H
#define JUDGE_PROPORTION_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/bets.h"
#include "judge/dispersion.h"
#include "judge/hypergeometric.h"

enum { JUDGE_FINE_MAX = 8, JUDGE_TABLES_MAX = 8 };

struct judge_proportion_settings {
	bool common;   /* events are not rare: the exact form, d0 = 0, and r0 as odds */
	bool counts;   /* events may outnumber requests (lines on a log): FINE is not asked */
	bool fewer;    /* the good direction is up: fewer events than the live release are worse */
	double ratio;  /* r0, 1..20 */
	double points; /* d0, a share, 0..1 */
	double fine_ratio; /* r1, > 1; 0: FINE is not asked */
	double fine_share; /* p1, a share below 1; 0: only the comparison counts */
	double at_once;    /* of the wealth, what is bet at the start, up to 1; 0: nearly half */
};

struct judge_proportion {
	struct judge_proportion_settings settings;
	struct judge_bets by_ratio, by_points, alone;
	double alone_weight;
	double fine[JUDGE_FINE_MAX]; /* logarithms */
	double fine_alone[2];
	struct judge_dispersion dispersion;
	struct judge_table
		waiting[JUDGE_TABLES_MAX]; /* counts of the strata that wait for their other side */
	uint32_t waited_s;                 /* since all of them were last judged */
	uint32_t silent_s;                 /* since the live release's last request */
	double past_requests, past_events, past_s; /* of the live release, forgotten slowly */
	double new_requests, new_events, live_requests, live_events; /* since the start */
	double expected; /* events that the new release would have had at the live one's share */
	double greatest; /* the most evidence there ever was */
};

void judge_proportion_begin(struct judge_proportion *p,
			    const struct judge_proportion_settings *settings);

/* One tick: tables[] are the strata, always the same ones, at most JUDGE_TABLES_MAX. */
void judge_proportion_tick(struct judge_proportion *p, const struct judge_table *tables,
			   uint32_t count);

/* What an event is has changed: nothing that was counted waits for, or is compared with, what comes. */
void judge_proportion_cut(struct judge_proportion *p);

/* A second of observed time is over. */
void judge_proportion_second(struct judge_proportion *p);

/* A new step has begun, with another share of the traffic. */
void judge_proportion_step(struct judge_proportion *p);

/* Of a time before the new release had any request: the live release's part of a tick. */
void judge_proportion_learn(struct judge_proportion *p, uint64_t requests, uint64_t events);

/* Against it, 1 = none. Odds of 1000 mean: were it fine, this would be seen once in 1,000 rollouts. */
double judge_proportion_worse(const struct judge_proportion *p);
/* For it, 1 = none, or not asked. */
double judge_proportion_fine(const struct judge_proportion *p);

#endif
