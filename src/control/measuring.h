/* SPDX-License-Identifier: Apache-2.0
 *
 * measuring - what instances use, log and count of themselves, for an environment's judge.
 *
 * WHAT  Once a second the crashes and the errors in the logs of the instances of both releases; while a rollout is
 *       judged that asks for it, their processor time and memory too, and at `scrape.interval` their metrics pages.
 *       Numbers are differences within one life of an instance (its id, `restarts` and pid, and the router's life):
 *       what was missed, or began anew, is no evidence for or against anybody.
 *
 * HOW   measuring_began() and measuring_ended() with a rollout, measuring_watch() at every tick of the control,
 *       measuring_take() when a tick is made for the judge: it gets what came since the one before.
 *       measuring_fails() are the plain rules: `max` and `min` of a KPI, of `cpu` and `memory`.
 *
 *       Processor time and memory are those of instances that take requests. A batch of processor time counts only
 *       where an instance of the new release has at least a quarter of the requests of one of the live release: what
 *       a program does by itself would be too much of it.
 *
 * OWNS  The environment owns its measuring; measuring_free() when it goes.
 * LIMITS MEASURING_INSTANCES_MAX instances of both releases; more are not looked at. Counts that nobody has taken yet
 *       are lost with the controller, and so are the sums that the plain rules look at.
 * SEE   provider/metrics.h, provider/runtime.h, control/kpis.h
 */
#ifndef CONTROL_MEASURING_H
#define CONTROL_MEASURING_H

#include <stdbool.h>

#include "control/control.h"
#include "judge/judge.h"

struct environment;
struct measuring;

enum { MEASURING_INSTANCES_MAX = 64, MEASURING_BATCH_MS = 5000 };

void measuring_began(struct environment *e);
void measuring_ended(struct environment *e);
void measuring_watch(struct environment *e);
void measuring_take(struct environment *e, struct judge_tick *tick);

/* True: one of the plain rules is broken; which, and the sentence. */
bool measuring_fails(const struct environment *e, struct judge_result *ret_result);

/* Counts of a KPI that somebody else knows; control_kpi() of control.h. */
MUST_CHECK int measuring_push(struct environment *e, const char *request_id,
			      const struct control_kpi *kpi, bool *ret_counted, struct error *err);

void measuring_free(struct measuring *measuring); /* NULL is allowed */

#endif
