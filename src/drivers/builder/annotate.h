/* SPDX-License-Identifier: Apache-2.0
 *
 * annotate - a tag object of davit's own in a git directory.
 *
 * HOW   annotate_tag() makes it; asked the same twice, in any repository, it is the same object. annotate_find() says
 *       what a tag stands at. `ask` has directory, deadline and what cancels it; the name is a stranger's.
 * ERRORS As git_run(). INVALID of annotate_find(): there is no such tag, or it is at no commit.
 */
#ifndef DRIVERS_BUILDER_ANNOTATE_H
#define DRIVERS_BUILDER_ANNOTATE_H

#include "drivers/builder/checkout.h"
#include "drivers/builder/git.h"

struct annotation {
	const char *commit;
	const char *name;
	const char *message;
	uint64_t at_unix_s;
};

/* `git_dir` is "--git-dir=…". */
int annotate_tag(const struct git_ask *ask, const char *git_dir, const struct annotation *tag,
		 struct error *err) MUST_CHECK;

/* The commit that it is at, and (or NULL) the object that it is. */
int annotate_find(const struct git_ask *ask, const char *git_dir, const char *name,
		  char ret_commit[CHECKOUT_ID_SIZE], char *ret_object,
		  struct error *err) MUST_CHECK;

#endif
