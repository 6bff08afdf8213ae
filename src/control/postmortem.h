/* SPDX-License-Identifier: Apache-2.0
 *
 * postmortem - the facts of a rollout for its post-mortem, from the store and its ticks; and the drafts that davit
 *              writes by itself.
 *
 * WHAT  A draft is written when a rollout that users have met was taken back, or a person went back from what was
 *       live. The audit entry "postmortem" stands in the transaction that ends the rollout; the file follows, and is
 *       written at the next start where a crash came between.
 *
 * HOW   control_postmortem() reads the store, judges the ticks again beside the loop, and calls `done` in a later turn
 *       (0); where no background was given, before it returns (1). The same records give the same facts.
 * OWNS  The facts are `done`'s until it returns. `done` is never called once the control is freed.
 * ERRORS NOT_FOUND no such rollout · CONFLICT it has not ended · as the store fails.
 * SEE   report/postmortem.h, docs/postmortem.md
 */
#ifndef CONTROL_POSTMORTEM_H
#define CONTROL_POSTMORTEM_H

#include "control/control.h"
#include "report/postmortem.h"
#include "rollout/rollout.h"

struct environment;
struct active_rollout;
struct ticks;

typedef void (*postmortem_done)(void *context, const struct postmortem *facts);

/* `rollout` is a number or an environment. */
MUST_CHECK int control_postmortem(struct control *c, const char *rollout, postmortem_done done,
				  void *context, struct error *err);

/* --- the parts, for control/ and its tests */

/* All but the ticks. */
MUST_CHECK int postmortem_facts(struct control *c, uint32_t number, struct postmortem *facts,
				struct error *err);
/* What was before: commit, build, findings, the environment before; into the lines that are there. `brought_by`: the
 * rollout that brought the bad release; 0 = it is not known. */
void postmortem_add_before(struct control *c, uint32_t brought_by, struct postmortem *facts);
/* Judge the ticks again; what is not kept leaves `facts->ticks.known` false. Needs nothing of the control. */
void postmortem_add_ticks(struct postmortem *facts, struct ticks *ticks);

/* Is a draft due of a rollout that ends so? */
bool postmortem_is_due(const struct active_rollout *r, enum rollout_status to);
/* Write the draft of a rollout that has ended, beside the loop. */
void postmortem_draft(struct control *c, uint32_t number);
/* At the start: drafts of which the files are missing. */
void postmortem_catch_up(struct control *c);
/* Jobs under way forget the control. */
void postmortem_release(struct control *c);

#endif
