/* SPDX-License-Identifier: Apache-2.0
 *
 * reports - what became of a commit, told to the host of its repository.
 *
 * WHAT  What is to be told is written in the transaction of the change itself, and told afterwards, one at a time: a host
 *       that is away delays nothing and misses nothing but what is out of date by then. Where the server's own file names
 *       no host of an application (config/server.h), nothing is written.
 *       Of builds and rollouts the state of the commit, under "davit/build" and "davit/ENVIRONMENT"; at GitHub rollouts
 *       are deployments as well.
 *
 * TIME  After a failure it is tried again as retry.h says.
 */
#ifndef CONTROL_REPORTS_H
#define CONTROL_REPORTS_H

#include "control/control.h"
#include "rollout/event.h"

struct active_rollout;
struct environment;
struct store_build;

/* Between control_begin() and control_commit(), with each change. */
void reports_build(struct control *c, const struct store_build *build);
void reports_rollout(struct environment *e, const struct active_rollout *r,
		     const struct rollout_effect *effect);

void reports_tick(struct control *c, uint64_t now_ms);
void reports_release(struct control *c); /* what is being told ends without the control */

#endif
