/* SPDX-License-Identifier: Apache-2.0
 *
 * lock - one process at a time: a lock on a file that names its holder.
 *
 * HOW   lock_take() when the process starts; close the descriptor, or end, to give it back. The kernel
 *       gives it back at any end of the process, also kill -9. The file stays.
 *       lock_wait() is for what is held for milliseconds only.
 */
#ifndef OS_LOCK_H
#define OS_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Take the lock `name` in `dir_fd` without waiting.
 *   ret_fd      holds the lock while it is open (close-on-exec)
 *   ret_holder  written when the answer is ERR_CONFLICT: the holder's pid, 0 if it has not said
 */
int lock_take(int dir_fd, const char *name, int *ret_fd, pid_t *ret_holder,
	      struct error *err) MUST_CHECK;

/* Does anybody hold it? Asking takes it from nobody. */
bool lock_held(int dir_fd, const char *name);

/* Take it as soon as it is free. */
int lock_wait(int dir_fd, const char *name, int *ret_fd, struct error *err) MUST_CHECK;

#endif
