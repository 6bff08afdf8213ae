/* SPDX-License-Identifier: Apache-2.0
 *
 * alternatives - what the judge bets on; private to judge/.
 *
 * WHAT  The constants that proportion.c judges with and power.c foresees with: one source, so that a plan promises what
 *       a rollout does.
 */
#ifndef JUDGE_ALTERNATIVES_H
#define JUDGE_ALTERNATIVES_H

enum { RARE_COUNT = 6, COMMON_COUNT = 5, ALONE_COUNT = 3, FINE_COUNT = 8, FINE_ALONE_COUNT = 2 };

/* Alternatives, as multiples of what is tolerated. Few: each has a part of the wealth, and neighbours help. */
static const double RARE[RARE_COUNT] = {1.7, 3, 6, 12, 40, 400};
static const double COMMON[COMMON_COUNT] = {1.2, 1.6, 2.5, 5, 15};
/* Their parts: all answers are a little slower, which the median shows, or a few are much slower, which p99 does. */
static const double COMMON_PARTS[COMMON_COUNT] = {1, 2, 1, 3, 1};
/* What a release may be that is fine, as multiples of the live one; those below r1 are used. */
static const double FINE[FINE_COUNT] = {0.25, 0.5, 0.8, 1, 1.25, 1.6, 2, 2.5};
/* The same where the live release has no events: as parts of p1. */
static const double FINE_ALONE[FINE_ALONE_COUNT] = {0.1, 0.3};

/* Of the evidence, what is said alone: where it is to speak from the start, and elsewhere. */
static const double ALONE_WEIGHT = 0.7, ALONE_WEIGHT_LEAST = 0.02;
/* Bet there at once, beside what bets.c does: what comes late is not its business. */
static const double ALONE_MORE_AT_ONCE = 0.3;
/* What an event is worth there, at most, beside what it is worth by the division. */
static const double ALONE_SLACK = 1.29;
/* The live release fails too: what is left of the bets. */
static const double ALONE_LOST = -30;
static const double ALONE[ALONE_COUNT] = {1.099, 2.303, 3.912}; /* log 3, log 10, log 50 */
static const double STEP_SHARE = 0.05;
/* Half of the live release's past is forgotten in ten minutes. */
static const double KEPT_PER_SECOND = 0.998845;
/* "Next to no event": fewer than this in what is remembered. */
static const double RARE_EVENTS = 5;

/* An upper bound at 99.9 % of a mean of which y events were seen (Wilson and Hilferty's cube). */
double judge_events_bound(double y);

#endif
