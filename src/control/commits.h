/* SPDX-License-Identifier: Apache-2.0
 *
 * commits - which commits a rollout brings: those of its release that the one live before it did not have.
 *
 * WHAT  Where both releases were built here, that it is to be found out is written down with the start of the rollout,
 *       and what git says of it is added, with who wrote them. Until then, or where there are more than davit keeps,
 *       nobody can be told not to have written any.
 *
 * HOW   Beside the loop, one at a time; git is asked again after a crash. Nothing of a rollout waits for it but a yes
 *       where authors do not count (`approve.not_author`).
 */
#ifndef CONTROL_COMMITS_H
#define CONTROL_COMMITS_H

#include "control/control.h"
#include "store/commits.h"

struct active_rollout;
struct environment;

/* Between control_begin() and control_commit(), with the start of the rollout. */
void commits_want(struct environment *e, const struct active_rollout *r);

/* The build that a release came of; a restarted release is the one that it was made of. ERR_NOT_FOUND: none here. */
MUST_CHECK int commits_build(struct store *store, const char *release,
			     struct store_build *ret_build);

void commits_tick(struct control *c, uint64_t now_ms);
void commits_release(struct control *c); /* what is under way ends without the control */

enum authorship { AUTHOR_OF_NONE, AUTHOR_OF_COMMIT, AUTHOR_UNTOLD };

enum { AUTHORSHIP_SIZE = 256 };

/* Did this person write any of what the rollout brings? `ret_what`, unless of none, goes on after "... ": "wrote commit
 * 3f1c0b7a92d4 of it (Greet)", or why nobody can tell. */
enum authorship commits_author(const struct environment *e, const struct active_rollout *r,
			       const char *person, char ret_what[AUTHORSHIP_SIZE]);

#endif
