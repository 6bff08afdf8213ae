/* SPDX-License-Identifier: Apache-2.0
 *
 * known - what scans found before: of the last good release of production, for the builder, for builds made elsewhere and for checks of what runs to
 *         compare with; and of a release that waits for people, for them to see.
 *
 * WHAT  Production is what the live release's own configuration calls so. Of several such environments it is the one
 *       whose last good release has been live the longest: what only one of them has is not known in all. Good is what
 *       was made live, has no bad mark and was not rolled back from since. What is kept of it is what the first build
 *       that it came of found, and what its checks found: in the environment that asks, else where they ran last.
 */
#ifndef CONTROL_KNOWN_H
#define CONTROL_KNOWN_H

#include "control/environment.h"
#include "control/view_gate.h"
#include "provider/check.h"
#include "store/builds.h"

#define KNOWN_NONE_YET "no release is live in production yet"

struct known {
	char since[STORE_TAG_SIZE];        /* that release, for people; "": there is none, and */
	char unknown[STORE_SENTENCE_SIZE]; /* why, to go on after "for" */
};

/* Before the build starts. What is in the store but cannot be read is handed over as what it is: the stage that needs it
 * fails. */
MUST_CHECK int known_hand_over(struct control *c, const char *app, struct known *ret_known,
			       struct error *err);

/* What this stage found in that release, for a build that was made elsewhere. `ret_kept`: it is in `to`, which was made with
 * STORE_BLOB_MAX; what is in the store but cannot be read is an error, and never nothing. */
MUST_CHECK int known_of_stage(struct control *c, const char *app, const char *stage,
			      struct known *ret_known, bool *ret_kept, struct buf *to,
			      struct error *err);

/* Of a check of the release that rolls out in this environment: the check runner's `base` and `found`. What is in the store
 * but cannot be read is an error, and never nothing. */
MUST_CHECK int known_of_check(void *environment, const struct check *check,
			      struct check_base *ret_base, struct error *err);
void known_keep_check(void *environment, const struct check *check,
		      const struct check_found *found);

/* --- for known_checks.c */
struct known_good {
	const struct environment *environment; /* NULL: there is none */
	char release[STORE_ID_SIZE];
	char tag[STORE_TAG_SIZE];
	uint64_t at_unix_ms;
};
MUST_CHECK int known_last_good(struct control *c, const char *app, struct known_good *ret_good,
			       struct error *err);
/* "v1.4.1 (prod)" */
void known_name(const struct known_good *good, char *to, size_t size);

/* The counts of all scans of the build that this release came of, and of its checks; a release that no build of here made
 * has only these. */
void known_show(struct control *c, const char *release, struct view_findings *to);

#endif
