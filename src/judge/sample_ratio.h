/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_ratio - does the new release complete the share of the requests that its weight promises?
 *
 * WHAT  A sequential test of the division itself. What both releases did is only comparable where chance alone said who
 *       of them got a request; and one that swallows requests has no errors to count. It says nothing of whether a
 *       release is good: that it is wrong is a reason to hold and to look, never one to take a release back.
 *
 * HOW   sample_ratio_begin(); sample_ratio_tick() with what was divided by weight, and came to an outcome, in a tick;
 *       sample_ratio_second() where a second of observed time is over. sample_ratio_odds() at any time;
 *       sample_ratio_is_off() where they reach 1 / SAMPLE_RATIO_LEVEL. While the gateway divides as it was told, the
 *       chance that they ever do is at most that, over all steps and looks of a rollout together.
 *
 *       A stretch is a time with one weight. Each has a test of its own (beta_binomial.h), half of it against "too few"
 *       and half against "too many", and the k-th stretch has 1 / (k (k + 1)) of the level. So what a step has found
 *       ends with the step, for somebody has looked then, and one that was fine long ago forgives nothing later. For
 *       the same reason a stretch in which all was well ends after SAMPLE_RATIO_STRETCH_S.
 *
 *       Tolerated is a share within 10 % of the weight, or of the rest where that is less: 9 to 11 % where it is 10 %,
 *       98.9 to 99.1 % where it is 99 %. Chance is no reason for a tolerance. But what a comparison within ticks loses
 *       by so little is nothing; and a gateway that counts a little apart would hold all rollouts of a busy service.
 *
 *       What is under way, and not too old, counts as done by whichever release that speaks for the division: so
 *       neither the requests of the weight before nor those of a slow release look like a wrong one. What is too old
 *       (it hangs) does not count as done.
 *
 *       Where requests are divided in clusters, as by clients that stay where they were, they are no independent
 *       draws: the dispersion of the division is learnt from the seconds before (dispersion.h), and a request counts
 *       as 1/phi of one. What the gateway counts as divided was drawn for the one request (account.h); this is for
 *       what shares such a draw all the same.
 *
 * UNITS Weights in basis points of both releases together. LIMITS counts up to 1e11 a stretch.
 * COST  A tick some nanoseconds; the odds about sqrt(requests) steps of ten nanoseconds.
 */
#ifndef JUDGE_SAMPLE_RATIO_H
#define JUDGE_SAMPLE_RATIO_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/dispersion.h"
#include "judge/line.h"

#define SAMPLE_RATIO_LEVEL     0.001 /* of a rollout */
#define SAMPLE_RATIO_TOLERANCE 0.1   /* of the smaller share */
enum { SAMPLE_RATIO_STRETCH_S = 600 };

struct sample_ratio_tick {
	/* The new release's. All of it: one of both gets every request. 0: what was in force in this tick is not
	 * certain, and it counts for nothing. */
	uint32_t weight_bp;
	uint64_t new_done, live_done; /* divided by weight, with an outcome in this tick */
	uint64_t new_open, live_open; /* still without one at its end, and not too old */
};

struct sample_ratio {
	uint32_t weight_bp; /* of the stretch under way; 0 = there is none */
	uint32_t stretch;   /* its number, from 1 */
	uint64_t seconds;   /* of it */
	bool paused;        /* it goes on with the next tick that has its weight */
	uint64_t new_done, live_done;
	double new_counted, live_counted; /* the same in independent requests: over phi */
	uint64_t new_before, live_before; /* were under way when it began, and where it went on */
	uint64_t new_left, live_left;     /* were under way where it paused */
	uint64_t new_open, live_open;     /* are under way */
	struct judge_dispersion dispersion;
};

void sample_ratio_begin(struct sample_ratio *ratio);
void sample_ratio_tick(struct sample_ratio *ratio, const struct sample_ratio_tick *tick);
void sample_ratio_second(struct sample_ratio *ratio);

/* Is there a stretch with a request? */
bool sample_ratio_known(const struct sample_ratio *ratio);
/* Against "the gateway divides as it was told", of the stretch under way; 1 without one, 1e300 at most. */
double sample_ratio_odds(const struct sample_ratio *ratio);
bool sample_ratio_is_off(const struct sample_ratio *ratio);

/* "the new release completed 412 of 10,000 requests that were divided by weight (4.12%), where its weight is 10%; the
 * odds are 5,000 : 1 that the gateway does not divide as it was told; nothing passes before it is understood" */
void sample_ratio_put(struct judge_line *line, const struct sample_ratio *ratio);

#endif
