/* SPDX-License-Identifier: Apache-2.0
 *
 * sweep - find and end all that a program has started, whatever it did to get away.
 *
 * WHAT  What belongs to an instance: the processes in its cgroup; those in the session its first process
 *       made (a session's id is not used again while a member lives, and none is older than its leader);
 *       those that carry its mark in their environment; and, unless spared, the caller's own children,
 *       which orphans of the instance become when the caller is their subreaper.
 *
 * HOW   Once cheaply by cgroup, where there is one; the walk through /proc is for the rest.
 *       sweep_end() sends SIGKILL and does not wait: call it again until sweep_count() is 0.
 *       Zombies do not count; the caller reaps its own.
 */
#ifndef OS_SWEEP_H
#define OS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "os/cgroup.h"
#include "os/process.h"

struct sweep {
	const struct cgroup *cgroup;
	pid_t session;       /* 0: none */
	uint64_t start;      /* of the session's leader */
	const char *mark;    /* "NAME=value" of its environment; NULL: none */
	bool spare_children; /* the caller's own children are not the instance's */
};

size_t sweep_count(const struct sweep *sweep);
void sweep_end(const struct sweep *sweep);

/* Send a signal to every process of the leader's own process group. */
void sweep_signal_group(const struct sweep *sweep, int number);

/* Does any process of the leader's own process group still run? */
bool sweep_group_lives(const struct sweep *sweep);

#endif
