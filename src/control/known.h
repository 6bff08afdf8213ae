/* SPDX-License-Identifier: Apache-2.0
 *
 * known - what scans found before: of the last good release of production, for the builder to compare with; and of a
 *         release that waits for people, for them to see.
 *
 * WHAT  Production is what the live release's own configuration calls so. Of several such environments it is the one
 *       whose last good release has been live the longest: what only one of them has is not known in all. Good is what
 *       was made live, has no bad mark and was not rolled back from since. What is kept of it is what the first build
 *       that it came of found.
 */
#ifndef CONTROL_KNOWN_H
#define CONTROL_KNOWN_H

#include "control/environment.h"
#include "control/view_gate.h"
#include "store/builds.h"

struct known {
	char since[STORE_TAG_SIZE];        /* that release, for people; "": there is none, and */
	char unknown[STORE_SENTENCE_SIZE]; /* why, to go on after "for" */
};

/* Before the build starts. What is in the store but cannot be read is handed over as what it is: the stage that needs it
 * fails. */
MUST_CHECK int known_hand_over(struct control *c, const char *app, struct known *ret_known,
			       struct error *err);

/* The counts of all scans of the build that this release came of; a release that no build of here made has none. */
void known_show(struct control *c, const char *release, struct view_findings *to);

#endif
