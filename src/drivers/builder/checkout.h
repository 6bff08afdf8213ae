/* SPDX-License-Identifier: Apache-2.0
 *
 * checkout - a commit of a git repository: which one a name means, a file of it, and a clean copy of all.
 *
 * WHAT  By the `git` command, with no shell, no configuration of the system or the user, no hooks, no pager, no
 *       network. Once the commit is known, only its id is used, in a repository of our own that borrows the objects:
 *       no configuration, filter or hook of the other one has any say. Submodules and LFS objects are not fetched.
 *
 * HOW   checkout_find() or checkout_at() first. Blocks; may run in any thread; `cancelled` ends it.
 * OWNS  Plain data, caller's memory.
 * ERRORS INVALID a name that is none, NOT_FOUND no such commit or file, UNSUPPORTED no git; what git says is quoted.
 * LIMITS Names: CHECKOUT_NAME_MAX of [A-Za-z0-9._/-], not beginning with "-" or holding ".."; HEAD~2 and the like
 *       are no names.
 */
#ifndef DRIVERS_BUILDER_CHECKOUT_H
#define DRIVERS_BUILDER_CHECKOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	CHECKOUT_NAME_MAX = 200,
	CHECKOUT_ID_SIZE = 65,
	CHECKOUT_PATH_SIZE = 1024,
	CHECKOUT_SUBJECT_SIZE = 120,
	CHECKOUT_AUTHOR_SIZE = 160,
	CHECKOUT_CHANGES_MAX = 64 << 10,
	CHECKOUT_FILES_MAX = 1000000,
};

#define CHECKOUT_BYTES_MAX (UINT64_C(8) << 30)

struct checkout {
	char top[CHECKOUT_PATH_SIZE];     /* of the working tree */
	char objects[CHECKOUT_PATH_SIZE]; /* absolute */
	char commit[CHECKOUT_ID_SIZE];
	char head[CHECKOUT_ID_SIZE];        /* what the working tree stands on */
	char branch[CHECKOUT_NAME_MAX + 1]; /* "": none, or one whose name is none we give on */
	char tag[CHECKOUT_NAME_MAX + 1];    /* that was named; "": it was no tag */
	char subject
		[CHECKOUT_SUBJECT_SIZE]; /* of the message: for people, escaped; so is the author */
	char author[CHECKOUT_AUTHOR_SIZE]; /* "Name <address>", cut where it is too long */
	char address
		[CHECKOUT_AUTHOR_SIZE]; /* of the author, whole; "": none, or one that does not fit */
	uint64_t committed_unix_s;
	const atomic_bool *cancelled; /* NULL: never */
};

bool checkout_is_name(const char *name);

/* `ref` is a branch, a tag, a commit's id or HEAD. */
int checkout_find(const char *directory, const char *ref, const atomic_bool *cancelled,
		  struct checkout *ret_checkout, struct error *err) MUST_CHECK;

/* The commit with the full id `commit` (or that a tag with this id is of) of the git directory `repository` (absolute; bare or not, whoever owns it): only
 * its objects are read, from the new directory `scratch`. There is no working tree: no checkout_changes(). */
int checkout_at(const char *repository, const char *commit, const char *scratch,
		const atomic_bool *cancelled, struct checkout *ret_checkout,
		struct error *err) MUST_CHECK;

bool checkout_is_id(const char *text); /* a full one */

/* A file at the top of the commit. */
int checkout_file(const struct checkout *checkout, const char *name, struct buf *to,
		  struct error *err) MUST_CHECK;

/* Every file of the commit into the new directory `to`; `scratch` is a new directory for git's own. Both absolute. LIMIT: it
 * has more than CHECKOUT_BYTES_MAX, or CHECKOUT_FILES_MAX files: a few bytes of git can be as large as one likes. */
int checkout_copy(const struct checkout *checkout, const char *scratch, const char *to,
		  struct error *err) MUST_CHECK;

/* What of the working tree is not in HEAD: "M  file" for each, NUL-terminated each. `scratch` as checkout_copy() left
 * it. ERR_INVALID also where git cannot say it without the repository's own configuration. */
int checkout_changes(const struct checkout *checkout, const char *scratch, struct buf *to,
		     struct error *err) MUST_CHECK;

#endif
