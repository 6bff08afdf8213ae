/* SPDX-License-Identifier: Apache-2.0
 *
 * power - before a rollout: what will its steps see at this traffic, how soon, and at whose cost?
 *
 * WHAT  For a release of which the share of failing (or slow) answers is supposed: the chance that the judge catches it
 *       before the last step is over, after how many requests, and how many of them fail. For one that is as good
 *       as the live one: how long each step takes until it passes. And the smallest regression that is caught
 *       nearly always.
 *
 * HOW   judge_power_begin() with the steps and the traffic, then judge_power_run() for each release supposed.
 *       It plays JUDGE_POWER_RUNS rollouts with the bets of the judge itself (alternatives.h, bets.h), on numbers drawn
 *       by chance with seeds that never change: the same question has the same answer. A step is
 *       divided into epochs that grow with what was seen, 5 % each: first every request by itself, later many at
 *       once. Traffic and shares stay as they are, so an epoch is as good as its ticks.
 *       A step ends when its time is over and the release is shown to be fine, or at its latest moment: then it
 *       is held back for a person, unless the step goes on all the same.
 *
 * LIMITS Requests are taken to fail independently (phi is the least there is). One instance is taken to warm up. Of the
 *       metrics only errors, or those and p99, tell;
 *       p90, which a release has to pass too, is played once, with evenly spread answers. What is drawn from
 *       so many runs is known to some 3 % of all runs.
 * COST  At most some 10 ms a run of 16 steps; the value is about 1 MB, without pointers: keep it on the heap.
 * UNITS Shares are 0..1, times seconds.
 */
#ifndef JUDGE_POWER_H
#define JUDGE_POWER_H

#include "judge/judge.h"

enum {
	JUDGE_POWER_STEPS_MAX = 48,
	JUDGE_POWER_EPOCHS_MAX = 6144,
	JUDGE_POWER_RUNS = 200,
};

struct judge_power_step {
	double share; /* of the requests, for the new release: above 0, at most 1 */
	double at_least_s, at_most_s;
	bool judged;  /* false: time alone, at_least_s of it */
	bool goes_on; /* at the latest moment, without a verdict */
};

struct judge_power_traffic {
	double requests_per_s;
	double errors;                     /* the live release's share of them */
	double past_requests, past_errors; /* of the live release, that the judge begins with */
};

/* The new release, supposed. */
struct judge_power_release {
	double errors; /* its share of failing requests */
	double slow;   /* its share of answers beyond the live release's p99; 0 = as the live one */
};

struct judge_power_outcome {
	double caught, held, passed; /* chances; sum to 1 */
	double requests_median;      /* of those that are caught, until then; 0 = none is */
	double requests_most;        /* nine in ten of all are caught by then; 0 = fewer are */
	double exposed, failed;      /* requests, on average, whatever the end */
	double step_s
		[JUDGE_POWER_STEPS_MAX]; /* time in the step, on average, of those that passed it */
	double step_passed[JUDGE_POWER_STEPS_MAX]; /* chance that this step is passed */
};

struct judge_power_epoch {
	double fresh, live;     /* requests */
	double seconds, ends_s; /* ends_s: since the step began */
	double kept;            /* of the live release's past */
	double fresh_none, live_none, slow_none, live_slow_none;
	double quiet[JUDGE_BETS_MAX]; /* what the bets are worth after it without an event */
};

/* What one request with an event multiplies the bets by. */
struct judge_power_factors {
	double fresh[JUDGE_BETS_MAX], live[JUDGE_BETS_MAX];
};

struct judge_power_part {
	struct judge_power_step step;
	uint32_t first, end; /* epochs */
	struct judge_power_factors ratio, points, fine, slow;
	double alone[3]; /* logarithms of an event */
};

struct judge_power {
	struct judge_settings settings;
	struct judge_power_traffic traffic;
	double errors_weight, slow_weight;     /* of all metrics, that sum to 1 */
	double phi;                            /* settings.phi_least, at least 1 */
	struct judge_power_factors fine_alone; /* `live`: of a request without an error */
	uint32_t fine_count, step_count, epoch_count;
	struct judge_power_part parts[JUDGE_POWER_STEPS_MAX];
	struct judge_power_epoch epochs[JUDGE_POWER_EPOCHS_MAX];
};

/* Steps beyond JUDGE_POWER_STEPS_MAX are left out. requests_per_s above 0. */
void judge_power_begin(struct judge_power *power, const struct judge_settings *settings,
		       const struct judge_power_traffic *traffic,
		       const struct judge_power_step *steps, uint32_t step_count);

void judge_power_run(struct judge_power *power, const struct judge_power_release *release,
		     struct judge_power_outcome *ret_outcome);

/* The smallest share of errors that is caught with this chance; 0: not even a release that fails always. */
double judge_power_smallest(struct judge_power *power, double chance);

/* Does the judge look at the slowest answers (p99) at all? */
bool judge_power_sees_slow(const struct judge_power *power);

#endif
