/* SPDX-License-Identifier: Apache-2.0
 *
 * builds - commits become releases: orders wait in a queue, one is built at a time, and what passes goes out.
 *
 * WHAT  An order is committed before anything is done, and keeps its place: the one that came first is built first. After
 *       the stages have passed the archive becomes a release, which is written down with the build; from then on it is
 *       not built again. Then it is deployed to each environment that is wanted, as `davit deploy` would, with a
 *       request id of its own: a crash between any two of these steps deploys nothing twice.
 *       A build that was under way when the controller or its builder died is begun again, and goes on with the stages
 *       that had not passed; after BUILDS_STARTS_MAX such beginnings it has failed.
 *       An older commit of a branch that still waits gives its place to a newer one where every environment that it
 *       goes to has `concurrency: supersede` (control/superseding.h).
 *
 * HOW   control_build() and the others are called by the API; the rest by control.c.
 * LIMITS BUILDS_QUEUE_MAX orders that have not ended.
 */
#ifndef CONTROL_BUILDS_H
#define CONTROL_BUILDS_H

#include "control/control.h"
#include "provider/builds.h"

struct store_build;

enum { BUILDS_QUEUE_MAX = 10000, BUILDS_FINDINGS_KEPT = 500, BUILDS_STARTS_MAX = 10 };

/* Where the release of a build goes. */
enum build_target { BUILD_TARGET_NONE, BUILD_TARGET_TRIGGERED, BUILD_TARGET_NAMED };

struct build_order {
	const char *app;
	const char *repository; /* the absolute path of a git directory on this machine */
	const char *commit;     /* full id */
	const char *ref;        /* "refs/heads/main", "refs/tags/v1.2.3" or "" */
	enum build_target target;
	const char *environments; /* of NAMED: a blank between */
	bool once; /* where the newest build of this ref of this repository is of this commit, that one is answered, ended or not */
};

/* Committed when it returns 0. An order that waits or runs already is not taken twice: its number is answered. */
MUST_CHECK int control_build(struct control *c, const struct control_caller *caller,
			     const struct build_order *order, uint32_t *ret_number,
			     struct error *err);
/* One that is being released can no longer be cancelled: its rollouts can. */
MUST_CHECK int control_cancel_build(struct control *c, const struct control_caller *caller,
				    uint32_t number, struct error *err);
/* The same order again. The stages that passed are taken from that build as far as they are kept, or all run anew. */
MUST_CHECK int control_rebuild(struct control *c, const struct control_caller *caller,
			       uint32_t number, bool from_start, uint32_t *ret_number,
			       struct error *err);

/* One that is releasing: its release is sent where it goes, and it has passed; or, where the store takes nothing, later. */
void builds_go_out(struct control *c, struct store_build *build);

void builds_begin(struct control *c);
void builds_tick(struct control *c, uint64_t now_ms); /* begins the next one when it is due */
void builds_release(struct control *c); /* what is under way ends without the control */

#endif
