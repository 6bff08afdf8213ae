/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_directory - a directory that is in memory alone, for what may never be on a disk: secrets as files.
 *
 * WHAT  Below /run as root, else below XDG_RUNTIME_DIR or /dev/shm, wherever that is a tmpfs. It is ours: /dev/shm is
 *       everybody's, and what somebody else has made there under that name is refused. Others may pass through it and
 *       see nothing, as what is in it may be for another user.
 * HOW   Two servers with two state directories need two names: memory_directory_name().
 * ERRORS UNSUPPORTED there is no tmpfs · DENIED somebody else may write there.
 */
#ifndef OS_MEMORY_DIRECTORY_H
#define OS_MEMORY_DIRECTORY_H

#include <stdbool.h>

#include "base/err.h"

enum { MEMORY_NAME_SIZE = 64, MEMORY_PATH_SIZE = 256 };

/* "davit-0-fe01-1234": of the state directory that `state_fd` is. */
void memory_directory_name(const char *prefix, int state_fd, char to[MEMORY_NAME_SIZE]);

/* Make it, or take what is ours under that name. */
MUST_CHECK int memory_directory_make(const char *name, char ret_path[MEMORY_PATH_SIZE],
				     struct error *err);

/* Where it is, or would be. False: nowhere, or what is there is not ours. */
bool memory_directory_find(const char *name, char ret_path[MEMORY_PATH_SIZE]);

#endif
