/* SPDX-License-Identifier: Apache-2.0
 *
 * bad_commit - commits that had to go, in what is to go out: a release that was built of one is refused, also under another
 *              id; whoever approves is told of one among the commits that a rollout brings.
 *
 * WHAT  A bad mark in an environment holds for its commit there, and in every environment that leads to it by `from`: what
 *       was bad in production is not brought to staging again. `allow_bad` of a deployment lets it out all the same, and
 *       clearing the mark lifts it. Of descendants nobody can tell whether they mend it: that is a warning, and no more.
 *
 * HOW   Commits are those of builds of here; a release from elsewhere has none, and only its own mark holds.
 */
#ifndef CONTROL_BAD_COMMIT_H
#define CONTROL_BAD_COMMIT_H

#include "control/control.h"
#include "control/view_brought.h"
#include "store/releases.h"
#include "store/taken_back.h"

struct active_rollout;
struct environment;

/* ERR_DENIED, with the sentence that says what lifts it. */
MUST_CHECK int bad_commit_check(struct environment *e, const struct store_release *release,
				struct error *err);

void bad_commit_show(const struct environment *e, const struct active_rollout *r,
		     struct view_bad_commits *to);

/* --- the decisions, pure */

enum { BAD_COMMIT_STEPS_MAX = 64 };

struct bad_commit_step {
	char name[STORE_NAME_SIZE], from[STORE_NAME_SIZE]; /* from "": nothing is before it */
};

/* Is `first` `last`, or does it lead there? A circle leads nowhere. */
bool bad_commit_leads(const struct bad_commit_step *steps, uint32_t count, const char *first,
		      const char *last);

/* Does a release of this commit have to stay out? Not by what somebody went back from: that is no mark. */
bool bad_commit_refuses(const struct store_taken_back *row, const char *commit);

/* "commit 3f1c0b7a92d4 (Greet), which rollout 7 took back in prod: it leaks", to go on after "contains". */
void bad_commit_text(const struct store_taken_back *row, const char *environment, char *to,
		     size_t size);

#endif
