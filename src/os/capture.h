/* SPDX-License-Identifier: Apache-2.0
 *
 * capture - run a program to its end and have what it writes: for tools that answer a question.
 *
 * HOW   Blocks; may run in any thread. The program gets no input. At the deadline, when `cancelled` becomes true, and
 *       when it has ended, all of its process group is killed.
 * OWNS  `out` and `errors` are the caller's, made by buf_init(): their ceilings bound what is kept, and what is past
 *       them is read and thrown away (`overflowed`).
 * ERRORS INVALID and others: it cannot be run. TIMEOUT, CLOSED (cancelled). How it ended is no error.
 */
#ifndef OS_CAPTURE_H
#define OS_CAPTURE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/process.h"

struct capture {
	const char *const *argv;
	const char *const *environment; /* NULL: the caller's */
	const char *directory;          /* NULL: the caller's */
	uint64_t deadline_ms;
	const atomic_bool *cancelled; /* NULL: never */
};

int capture_run(const struct capture *capture, struct buf *out, struct buf *errors,
		struct process_end *ret_end, struct error *err) MUST_CHECK;

#endif
