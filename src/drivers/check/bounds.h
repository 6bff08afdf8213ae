/* SPDX-License-Identifier: Apache-2.0
 *
 * bounds - as whom a check's command runs, how much it may use, and the end of all that it has started.
 *
 * WHAT  A command is what the commit says, and the commit may be hostile. It runs as the user of the application, with no
 *       way to become another one, in a control group with a bound for memory, processor and processes. Where davit
 *       is not root, or the application has no user, it is davit's own, and the rest holds as far as the machine lets it.
 *       What it has started is found by its control group, its session and a mark in its environment (os/sweep.h).
 *
 * HOW   bounds_make(), bounds_fill() for the process that is about to be started, bounds_filled() when it was; after its
 *       first process has ended, or to end it, bounds_clear() until that says that nothing is left; bounds_done().
 * ERRORS of making: NOT_FOUND there is no such user · DENIED davit is not root and a user is wanted.
 */
#ifndef DRIVERS_CHECK_BOUNDS_H
#define DRIVERS_CHECK_BOUNDS_H

#include "os/cgroup.h"
#include "os/process.h"
#include "provider/check.h"

enum { BOUNDS_MARK_SIZE = 64 };

struct bounds {
	const struct check_bounds *wanted;
	bool other; /* another user than davit's */
	struct process_user user;
	struct cgroup cgroup;
	char mark[BOUNDS_MARK_SIZE]; /* "DAVIT_CHECK=…", of its environment */
	bool out_of_memory; /* the kernel has killed one of it for want of memory; seen by bounds_clear() */
};

int bounds_make(const struct check_bounds *wanted, struct bounds *ret_bounds,
		struct error *err) MUST_CHECK;

void bounds_fill(const struct bounds *bounds, struct process_spec *spec);
void bounds_filled(struct process_spec *spec);

/* SIGKILL to all of it; `process` is its first one, and not reaped. True: nothing of it is left, but for that one's zombie. */
bool bounds_clear(struct bounds *bounds, const struct process *process);

void bounds_done(struct bounds *bounds);

#endif
