/* SPDX-License-Identifier: Apache-2.0
 *
 * drifting - how each environment stands to what it follows in git: the facts of drift.h.
 *
 * WHAT  What an environment follows is the ref of the newest build that its trigger wanted, in a repository that davit
 *       holds or copies; without a trigger, what is live in the environment that it comes after (`from`). The tip of a
 *       branch is read there; of tags the newest one that was built counts.
 *
 * HOW   Git is asked beside the loop, one environment at a time, and only after something happened: a build, a look that
 *       found a ref moved (drifting_due()), another release that is live; what it cannot say it is asked again after a minute. Who asks for the status reads what is
 *       remembered, and the store. Nothing of it is kept: after a restart git is asked again.
 * LIMITS Of an application's builds the newest DRIFTING_BUILDS_MAX are looked through.
 */
#ifndef CONTROL_DRIFTING_H
#define CONTROL_DRIFTING_H

#include "control/control.h"
#include "control/view_drift.h"

struct environment;

enum { DRIFTING_BUILDS_MAX = 200 };

/* Something happened to the repository or the builds of this application. */
void drifting_due(struct control *c, const char *app);

void drifting_tick(struct control *c);
void drifting_release(struct control *c); /* what is under way ends without the control */

void drifting_show(struct environment *e, struct view_drift *ret_view);

#endif
