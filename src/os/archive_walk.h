/* SPDX-License-Identifier: Apache-2.0
 *
 * archive_walk - every entry beneath a directory, in a fixed order; and what a name may look like.
 *
 * HOW    Names of a directory are sorted by their bytes, a directory comes before what is in it. Nothing is
 *        followed out of the tree: directories are opened without following links.
 * OWNS   Everything in an item lives until the visit returns.
 * LIMITS ARCHIVE_ENTRIES_MAX, ARCHIVE_DEPTH_MAX, ARCHIVE_PATH_MAX (ERR_LIMIT). Internal to os/archive*.
 */
#ifndef OS_ARCHIVE_WALK_H
#define OS_ARCHIVE_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "os/archive.h"

struct archive_item {
	const char *path; /* from the root, "bin/server" */
	const char *name; /* in parent_fd */
	int parent_fd;
	const struct stat *st; /* not followed */
	const char *target;    /* of a symbolic link, else NULL */
};

typedef int (*archive_visit)(void *context, const struct archive_item *item, struct error *err);

/* `skip` (or NULL): true leaves an entry out, with all that is beneath it. */
int archive_walk(int dir_fd, bool (*skip)(const char *name), archive_visit visit, void *context,
		 struct error *err) MUST_CHECK;

/* Bring a name from an archive into the form "a/b/c" ("" for the root itself); ERR_INVALID or ERR_LIMIT and
 * a sentence that names it when it may not be in a tree. `ret_path` holds ARCHIVE_PATH_MAX + 1 bytes. */
int archive_path_clean(const char *name, char *ret_path, struct error *err) MUST_CHECK;

/* Does the target of a link at `path` stay inside, read as text? (The kernel has the last word: links may
 * lead through links.) */
bool archive_path_target_inside(const char *path, const char *target);

/* A name for a sentence: escaped and cut. Returns `to`. */
enum { ARCHIVE_SHOWN_SIZE = 160 };
const char *archive_path_show(const char *name, char to[ARCHIVE_SHOWN_SIZE]);

#endif
