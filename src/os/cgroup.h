/* SPDX-License-Identifier: Apache-2.0
 *
 * cgroup - a control group for one instance: to end all of it at once, and to limit it.
 *
 * WHAT  Killing needs cgroup v2 (cgroup.kill) or v1's freezer; limits need the memory and cpu
 *       controllers of either. A machine may have them in different hierarchies (v1 and v2 mixed), one
 *       may be writable and another not: each purpose is served by what is there, or not at all.
 *
 * HOW   cgroup_make() makes a directory in each hierarchy that is useful, beneath the cgroup this process
 *       is in. Its children join by cgroup_join_fds() before they run. cgroup_text() is a record from
 *       which cgroup_open() finds it again in another process.
 *       The environment variable DAVIT_CGROUPS=v2|v1|none restricts what is used to kill; limits follow.
 *
 * ERRORS No cgroup at all is not an error: `kill` is CGROUP_NONE then. What of the limits could not be
 *       had is told in a sentence.
 */
#ifndef OS_CGROUP_H
#define OS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum cgroup_kill { CGROUP_NONE, CGROUP_V2, CGROUP_FREEZER };

enum {
	CGROUP_DIRS_MAX = 4,
	CGROUP_PATH_SIZE = 512,
	CGROUP_TEXT_SIZE = CGROUP_DIRS_MAX * (CGROUP_PATH_SIZE + 1),
	CGROUP_NOTE_SIZE = 256,
};

struct cgroup {
	enum cgroup_kill kill;                        /* how directory 0 ends its processes */
	char dirs[CGROUP_DIRS_MAX][CGROUP_PATH_SIZE]; /* [0] is for killing, if any of them is */
	size_t dir_count;
};

struct cgroup_limits {
	uint64_t memory_bytes; /* 0: none */
	uint32_t cpu_milli;    /* 0: none */
	uint32_t processes;    /* 0: none; a bound that cannot be set is no more than that */
};

/*
 * Make it, or take what is left under that name. `ret_note` says which limit could not be set ("" if all
 * were); it has CGROUP_NOTE_SIZE bytes.
 */
void cgroup_make(const char *name, const struct cgroup_limits *limits, struct cgroup *ret_cgroup,
		 char *ret_note);

const char *cgroup_text(const struct cgroup *cgroup, char to[CGROUP_TEXT_SIZE]);
void cgroup_open(const char *text, struct cgroup *ret_cgroup);

/* Open the files by which a child joins; returns their number, at most CGROUP_DIRS_MAX. Close them. */
size_t cgroup_join_fds(const struct cgroup *cgroup, int to[CGROUP_DIRS_MAX]);

/* Its processes, at most `max` of them. None when `kill` is CGROUP_NONE. */
size_t cgroup_list(const struct cgroup *cgroup, pid_t *to, size_t max);

/* SIGKILL to everything in it, also to what is being forked. */
void cgroup_end(const struct cgroup *cgroup);

/* A number that the kernel keeps for it: all that is in the file `name`, or what follows `field` there. False
 * and nothing written when none of its directories has it. */
bool cgroup_number(const struct cgroup *cgroup, const char *name, const char *field,
		   uint64_t *ret_value);

/* How often the kernel has killed a process of it for want of memory. */
uint64_t cgroup_oom_kills(const struct cgroup *cgroup);

/* Remove its directories. False while a process is left in one. */
bool cgroup_remove(const struct cgroup *cgroup);

#endif
