/* SPDX-License-Identifier: Apache-2.0
 *
 * comparing - the answers to a shadow's copies, as the router tells of them, become what `davit diffs` shows.
 *
 * WHAT  Of a rollout whose plan mirrors requests: the gateway's counts with every tick, and each pair of answers that the
 *       router tells of (comparing_take()), while the rollout has not ended. Pairs whose bodies differ are looked into
 *       beside the loop, in the order in which they came. What was found is kept in the store (store/diffs.h), every
 *       COMPARING_KEEP_MS and at the rollout's end. A controller that is started in the middle goes on from there.
 * SECRETS Nothing of an answer is kept but what control/answer_diff.h shows of it. The values of the release's own secrets
 *       are read when the comparison begins, and wiped when nobody needs them any more.
 * LIMITS COMPARING_WAITING_MAX pairs wait to be looked into; one that comes then is counted as skipped.
 */
#ifndef CONTROL_COMPARING_H
#define CONTROL_COMPARING_H

#include "control/control.h"
#include "control/diffs.h"

enum { COMPARING_WAITING_MAX = 32, COMPARING_KEEP_MS = 5000 };

struct comparing;
struct environment;

/* ERR_NOT_FOUND: that rollout compared nothing, or what it found is kept no longer. `rollout` is a number or an
 * environment. */
MUST_CHECK int control_view_diffs(struct control *c, const char *rollout, struct diffs *ret_diffs,
				  struct error *err);

/* --- for control/ */
void comparing_tick(struct environment *e);
void comparing_take(void *control, const struct shadow_pair *pair); /* the router's `compared` */
void comparing_free(struct comparing *comparing);                   /* NULL is allowed */
void comparing_release(struct control *c); /* what is under way forgets it */

#endif
