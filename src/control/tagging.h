/* SPDX-License-Identifier: Apache-2.0
 *
 * tagging - a release that succeeded in production is tagged in the repository that it was built from.
 *
 * WHAT  Where the environment says so (`tag`, by default where it is production), and only in a repository that is the
 *       server's own; one elsewhere gets it by tag_pushing.h. The tag is called as the release is, is annotated, and says where it went and who said yes. One
 *       that is there already stays where it is.
 *
 * HOW   That it is wanted is written down with the success; then it is made beside the loop, and again after a crash:
 *       the same tag, or one that is found. What came of it stands in the audit log (`git.tag`).
 */
#ifndef CONTROL_TAGGING_H
#define CONTROL_TAGGING_H

#include "control/control.h"
#include "rollout/rollout.h"

struct active_rollout;
struct environment;

/* Between control_begin() and control_commit(), with each change of a rollout's status. */
void tagging_want(struct environment *e, const struct active_rollout *r, enum rollout_status to);

void tagging_tick(struct control *c, uint64_t now_ms);
void tagging_release(struct control *c); /* what is under way ends without the control */

#endif
