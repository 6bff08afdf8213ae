/* SPDX-License-Identifier: Apache-2.0
 *
 * tag_pushing - a tag that a success made goes on to the repository elsewhere that the application is built from.
 *
 * WHAT  Where the server's own file says so (`push_tags` of a source): its address and its credentials are no affair of a
 *       commit. That it is wanted is written with the tag; it is pushed beside the loop once the tag is made, one at a
 *       time, and again after failures (retry.h) and crashes. What came of it stands in the audit log (`git.push`), with
 *       the rollout and in the server's log. Nothing of a rollout waits for it.
 *
 *       Of a release that was built from that repository no tag is made here: the copy of it is fetched over.
 */
#ifndef CONTROL_TAG_PUSHING_H
#define CONTROL_TAG_PUSHING_H

#include "control/control.h"
#include "store/git_tags.h"

/* Does the server's file ask for it? */
bool tag_pushing_asked(const struct control *c, const char *app);

/* Between control_begin() and control_commit(), with the tag's own row, where it is asked for. */
void tag_pushing_want(struct control *c, const char *app, const struct store_git_tag *tag);
/* The same, with the row of a tag that was made, or was not. */
void tag_pushing_follow(struct control *c, const struct store_git_tag *tag);

void tag_pushing_tick(struct control *c, uint64_t now_ms);
void tag_pushing_release(struct control *c); /* what is under way ends without the control */

/* What a try leads to: "pushed", "there", "refused", "given up", or "wanted" once more. PURE. */
const char *tag_pushing_state(int result, bool existed, bool late);

#endif
