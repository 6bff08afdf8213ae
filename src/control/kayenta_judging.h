/* SPDX-License-Identifier: Apache-2.0
 *
 * kayenta_judging - the gateway's counts become Kayenta's points, and points become a verdict: the judge of
 *                   `method: mann-whitney`, in the place of judging.h's.
 *
 * WHAT  At the end of each interval (`kayenta: { interval: 1m }`) both releases get a point of each metric: the share
 *       of requests that failed in it, in percent, and p50, p90 and p99 of its latencies, in microseconds. A release
 *       without an answer in it has no point. All points since the new release had its first request count, over
 *       steps and pauses; of more than SAMPLE_MAX the newest. Once both releases have `points` of them, every interval
 *       is judged:
 *         FAIL        the score is below `marginal`.
 *         GO_ON       below `pass`: the step holds.
 *         PASS        `pass` or more.
 *       Before that it is TOO_LITTLE. The sentence has the score and which metrics are High, by the estimated shift.
 *
 * HOW   analysis_rollout_began() calls kayenta_judging_began(), analysis_begin() kayenta_judging_step(); analysis_tick() calls kayenta_judging_tick() when the
 *       counts have been read, and kayenta_judging_decide() when a verdict is wanted.
 *
 * OWNS  The environment owns it, until its next rollout begins. Nothing is stored: with a controller that is started
 *       in the middle of a rollout the points begin anew, and no step passes before there are enough again.
 * LIMITS How many requests were answered is no metric: the releases have other shares of the traffic. A request that
 *       hangs counts when the gateway gives it up.
 * SEE   judge/kayenta.h
 */
#ifndef CONTROL_KAYENTA_JUDGING_H
#define CONTROL_KAYENTA_JUDGING_H

#include <stdbool.h>

#include "judge/rules.h"

struct environment;
struct kayenta_judging;

/* For e->active, whatever its method. */
void kayenta_judging_began(struct environment *e);
void kayenta_judging_tick(struct environment *e);
/* A step is held: it passes by a judgement of its own. The interval under way begins anew. */
void kayenta_judging_step(struct environment *e);

/* The latest judgement. False, and nothing set: this rollout has another judge, or none. */
bool kayenta_judging_decide(const struct environment *e, struct judge_result *ret_result);

void kayenta_judging_free(struct kayenta_judging *judging); /* NULL is allowed */

#endif
