/* SPDX-License-Identifier: Apache-2.0
 *
 * file - files and directories beneath an open directory: read whole, replace whole, make, copy, remove.
 *
 * HOW   Names are relative to `dir_fd` (AT_FDCWD is allowed). file_write() gives the old content or the
 *       new one, also after a loss of power: it returns when the new one is on disk.
 * OWNS  Returned descriptors are the caller's to close; all are close-on-exec.
 * ERRORS The code of the system's error (ERR_NOT_FOUND, ERR_DENIED, ERR_NO_SPACE, ...) and a sentence with
 *       the name. file_write() that fails has changed nothing; file_copy_tree() removes what it began.
 * LIMITS FILE_DEPTH_MAX directories deep; deeper is ERR_LIMIT.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

enum { FILE_DEPTH_MAX = 64 };

static inline void file_close_auto(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* AUTO_CLOSE int fd = -1; is closed when it leaves its block. */
#define AUTO_CLOSE __attribute__((cleanup(file_close_auto)))

/* Append the whole file to `to`; ERR_LIMIT when it would pass the buffer's ceiling. */
int file_read(int dir_fd, const char *name, struct buf *to, struct error *err) MUST_CHECK;

/* The same for a plain file of which the name is not trusted: nothing outside of `dir_fd` is read, also not by way of
 * "..", an absolute name or a symbolic link (ERR_DENIED); what is no plain file is ERR_INVALID. */
int file_read_beneath(int dir_fd, const char *name, struct buf *to, struct error *err) MUST_CHECK;

/* Replace or create `name`: temporary file, fsync, rename, fsync of the directory. */
int file_write(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
	       struct error *err) MUST_CHECK;

/* fsync the directory that holds `name`: then a rename or a removal lasts. 0 or -errno. */
int file_sync_parent(int dir_fd, const char *name) MUST_CHECK;

int file_open_directory(int dir_fd, const char *path, int *ret_fd, struct error *err) MUST_CHECK;

/* Make `path` and what is missing above it. What is there already keeps its mode. */
int file_make_directories(int dir_fd, const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* Remove a file, or a directory with all that is in it. Symbolic links are removed, never followed,
 * and nothing outside is touched. Gone already is success. */
int file_remove_tree(int dir_fd, const char *name, struct error *err) MUST_CHECK;

/*
 * Copy the directory `from` to the new directory `to`: directories, files (sharing blocks where the file
 * system can) and symbolic links as they are; anything else is ERR_INVALID. Permission bits are kept and
 * the owner may write in addition; what is copied belongs to uid and gid (-1: leave them).
 */
int file_copy_tree(int from_dir_fd, const char *from, int to_dir_fd, const char *to, uid_t uid,
		   gid_t gid, struct error *err) MUST_CHECK;

#endif
