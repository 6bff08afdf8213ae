/* SPDX-License-Identifier: Apache-2.0
 *
 * graft - copy files and directories from a tree that a stranger wrote into another, and stay inside of both.
 *
 * WHAT  A path ("bin/", "a/b.txt", "." for all of it) is copied to the same path of the other tree. Every directory
 *       on the way is opened without following a link, on both sides. What stands in its place there is replaced;
 *       directories are merged. Regular files (executable or not), directories and symbolic links are copied, with
 *       the times of files, so that `make` finds what it made; anything else is refused. Setuid and other bits are
 *       dropped.
 *
 * HOW   One struct graft for all that is copied into one tree: its limits hold for the sum.
 * OWNS  Nothing. Blocks; may run in any thread. Nobody may write to either tree meanwhile.
 * ERRORS NOT_FOUND there is no such path, INVALID what no tree may hold, LIMIT past a bound; the sentence names the
 *       path. A part may have been copied then.
 */
#ifndef OS_GRAFT_H
#define OS_GRAFT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct graft {
	uid_t uid; /* (uid_t)-1: leave it */
	gid_t gid;
	bool links_inside; /* refuse links that lead out of the tree */
	uint64_t bytes_max;
	uint64_t entries_max;
	uint64_t bytes, entries; /* so far; start with 0 */
};

int graft_copy(struct graft *graft, int from_fd, int to_fd, const char *path,
	       struct error *err) MUST_CHECK;

/* Open a regular file of a tree for reading, no link on the way. */
int graft_open(int tree_fd, const char *path, int *ret_fd, struct error *err) MUST_CHECK;

/* Remove what a stranger made, however deep and whatever its permissions. Gone already is success. */
int graft_remove(int dir_fd, const char *name, struct error *err) MUST_CHECK;

/* What a tree takes on the disk, each entry at least a block; stops counting above `enough`. */
uint64_t graft_measure(int tree_fd, uint64_t enough);

#endif
