/* SPDX-License-Identifier: Apache-2.0
 *
 * active - a rollout that holds its environment; private to rollout/.
 *
 * WHAT  What rollout.c, which hands events out, and the files that handle them share. Each works on one turn
 *       (turn.h) and changes nothing but its structs.
 * HOW   cursor.c is the only one that changes the status and the cursor, retreat.c the only one that replaces
 *       the plan. time.c, evidence.c and commands.c decide when; step.c knows what a step is.
 */
#ifndef ROLLOUT_ACTIVE_H
#define ROLLOUT_ACTIVE_H

#include "rollout/turn.h"

/* --- cursor.c */

const struct plan_step *cursor_step(const struct turn *t); /* the current one */
void cursor_set_status(struct turn *t, enum rollout_status to, enum rollout_reason reason);
void cursor_pause(struct turn *t, enum rollout_reason reason);

/* Give the environment up, if it was held. */
void cursor_end(struct turn *t, enum rollout_status status, enum rollout_reason reason);

/* Write the step's documents, unless a guard forbids it for now. */
void cursor_try_issue(struct turn *t);

/* What was evidence for the attempt before is none any more. */
void cursor_new_attempt(struct rollout *r);

/* Stand at this step, whatever was before; behind the last one the rollout ends. */
void cursor_enter(struct turn *t, uint32_t cursor);

/* The current step is complete: record why, go to the next. */
void cursor_advance(struct turn *t);

void cursor_begin(struct turn *t); /* leave GATED or QUEUED for the first step */
void cursor_leave_pause(
	struct turn *t);           /* a new attempt of the step, of which nothing is asked again */
void cursor_go_on(struct turn *t); /* leave PAUSED: a new attempt, asked for again */
void cursor_unstick(struct turn *t); /* leave STUCK, if it is: something has moved */

/* --- retreat.c */

/* Not on the way back already, and before MARK. */
bool retreat_possible(const struct turn *t);

/* Go back by a fresh plan. `bad`: the release itself is to blame. Only where retreat_possible(). */
void retreat_begin(struct turn *t, enum rollout_reason reason, bool bad);

/* The step could not be done in time: once more, then a person is told; the trying goes on. */
void retreat_retry(struct turn *t, enum rollout_reason reason);

/* Begin a retreat where that is possible, else retry. */
void retreat_or_retry(struct turn *t, enum rollout_reason reason, bool bad);

/* Going back, the candidate comes to no more than what was confirmed. */
void retreat_take_back(struct turn *t);

/* REASON_WRONG_RELEASE when instances report another release, else `otherwise`. */
enum rollout_reason retreat_reason(const struct turn *t, enum rollout_reason otherwise);

/* The command of a HOOK failed, or took too long: back where that is possible. Behind MARK it is not: then the
 * rollout waits for a person, who has it run again (resume), goes on without it (promote), or goes back. */
void retreat_hook(struct turn *t);

/* --- time.c: EVENT_TICK */

void active_tick(struct turn *t);

/* --- evidence.c: EVENT_OBSERVATION, EVENT_EVIDENCE, EVENT_FETCHED, EVENT_HOOKED */

void active_observe(struct turn *t);
void active_verdict(struct turn *t);
void active_fetched(struct turn *t);
void active_hooked(struct turn *t);

/* --- commands.c: what people say */

/* The event's command was given by somebody who saw the state as it is. */
bool command_seen(const struct turn *t);

enum rollout_answer command_pause(struct turn *t);
enum rollout_answer command_resume(struct turn *t);
enum rollout_answer command_promote(struct turn *t, enum evidence_kind kind);
enum rollout_answer command_abort(struct turn *t);
enum rollout_answer command_approve(struct turn *t);
enum rollout_answer command_reject(struct turn *t);

#endif
