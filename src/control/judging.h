/* SPDX-License-Identifier: Apache-2.0
 *
 * judging - the gateway's counts become ticks, and ticks become evidence: what an environment keeps for its judge.
 *
 * WHAT  Between rollouts the live release is watched, a tick a second, and the last ten minutes of it are kept (past.h). A
 *       rollout begins with a judge that is fed with these first, so that it knows how the live release is; then
 *       with both releases, ten times a second while the new one has requests. All that it is fed with is kept line
 *       by line (provider/ticks.h): a controller that is started in the middle feeds its judge with that and goes on.
 *
 * HOW   judging_watch() at every tick of the control; judging_began() where a rollout begins or is found at the start;
 *       judging_step() where a step is held; judging_decide() when a verdict is wanted.
 *
 * OWNS  The environment owns its judging; judging_free() when it goes.
 * SEE   judge/judge.h, control/tick_text.h
 */
#ifndef CONTROL_JUDGING_H
#define CONTROL_JUDGING_H

#include <stdbool.h>

#include "judge/judge.h"
#include "provider/runtime.h"

struct environment;
struct judging;

void judging_watch(struct environment *e);

/* For e->active. Without statistics (`analysis: off`, `method: rules`) there is no judge. */
void judging_began(struct environment *e);
void judging_ended(struct environment *e);

/* A step of the plan is held, from 1 on. Told again of the same one, as after a restart, it goes on. */
void judging_step(struct environment *e, uint32_t step);

/* True where one instance of the new release is sick (judge_sick()) and is to be replaced: which. From then on the
 * judge knows nothing of it. */
bool judging_replace(struct environment *e, char ret_instance[INSTANCE_ID_SIZE]);

/* The judge of the rollout that is under way, or NULL. */
const struct judge *judging_judge(const struct environment *e);
/* The route classes that it counts apart, as the strata of the judge: "" is what none of them names. */
uint32_t judging_class_count(const struct environment *e);
const char *judging_class(const struct environment *e, uint32_t class);

/* The live release's past, while it is watched; NULL: there is none. */
const struct past *judging_past(const struct environment *e);
/* What this environment has learned from false alarms, into the settings of a judge that is to begin. */
void judging_caution(const struct environment *e, struct judge_settings *settings);

void judging_free(struct judging *judging); /* NULL is allowed */

#endif
