/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule - the epochs of a rollout that is foreseen; private to judge/power.c.
 *
 * WHAT  judge_power_begin() is here: it divides each step into epochs, and works out what an event is worth in each of
 *       them. judge_schedule_expect() adds the chances of one supposed release, judge_schedule_gate() after
 *       how many of its requests p90 is shown to be fine.
 */
#ifndef JUDGE_SCHEDULE_H
#define JUDGE_SCHEDULE_H

#include "judge/power.h"

enum { SCHEDULE_P99 = JUDGE_METRIC_LATENCY + 2 };
/* Of the live release's answers, this share is beyond its p99. */
static const double SCHEDULE_SLOW = 0.01;

void judge_schedule_expect(struct judge_power *power, const struct judge_power_release *release);

/* Its first instance, after so many requests and so much time. */
bool judge_schedule_warm(const struct judge_power *power, double requests, double seconds);

/* Requests of the new release; more than there are where p90 never passes, 0 where it is not asked. */
double judge_schedule_gate(const struct judge_power *power,
			   const struct judge_power_release *release);

#endif
