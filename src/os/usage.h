/* SPDX-License-Identifier: Apache-2.0
 *
 * usage - what a program and all it has started use of the machine: processor time and memory.
 *
 * WHAT  From the program's cgroup where that keeps a number, else summed over its processes. Each of the two
 *       numbers says where it comes from; numbers of different sources are not to be compared:
 *
 *                   cgroup                                     processes
 *       cpu         of all that ever ran in it                 of those that run, and of their children that ended
 *       memory      without the file cache that is not in use  resident sets; pages they share count for each
 *
 *       A program's processes are those in its cgroup, if it has one that can be listed; else those in the
 *       session of its first process, and that one's descendants.
 *
 * HOW   usage_read() for each program, with the same struct usage_processes, which is filled once, when the
 *       first program needs it. usage_meter_take() makes of the readings one number that never goes down.
 *
 * OWNS  Start with a struct usage_processes of zeros; usage_processes_done() frees.
 * UNITS Microseconds of processor time, bytes. The kernel counts for processes in ticks of 10 ms.
 */
#ifndef OS_USAGE_H
#define OS_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/cgroup.h"
#include "os/process.h"

enum usage_source { USAGE_UNKNOWN, USAGE_PROCESSES, USAGE_CGROUP };

struct usage {
	enum usage_source cpu_source, memory_source; /* UNKNOWN: there is no such process */
	uint64_t cpu_us;
	uint64_t memory_bytes;
	uint64_t memory_peak_bytes; /* with all of its file cache; 0: nobody keeps it */
};

struct usage_process {
	pid_t pid;
	struct process_about about;
};

/* All processes of the machine at about one instant, by pid. */
struct usage_processes {
	bool read;
	struct usage_process *list;
	size_t count;
};

void usage_processes_done(struct usage_processes *all);

/* `leader` is the program's first process, which started at `start` (os/process.h). */
void usage_read(const struct cgroup *cgroup, pid_t leader, uint64_t start,
		struct usage_processes *all, struct usage *ret_usage);

/*
 * Processor time over several lives. A new life begins at 0. Within one a sum over processes may fall for one
 * reading, when a child ends while it is taken, or for good, when one ends whose parent does not wait: the
 * total stands still at the first, and grows on from the second.
 */
struct usage_meter {
	uint64_t life; /* the leader's start; zeros: nothing was read yet */
	enum usage_source source;
	uint64_t base_us, high_us; /* what is added to the readings, and the highest of them */
	uint32_t falls;            /* readings in a row below that */
};

void usage_meter_take(struct usage_meter *meter, uint64_t life, enum usage_source source,
		      uint64_t cpu_us);
uint64_t usage_meter_total(const struct usage_meter *meter);

#endif
