/* SPDX-License-Identifier: Apache-2.0
 *
 * process - start a program, know it again for certain, signal it, learn how it ended.
 *
 * WHAT  A pid alone names nobody: it is used again. A process is (pid, start time) within one boot
 *       (os/clock.h, clock_boot_id()), and is signalled only through a pidfd that was opened first and
 *       compared afterwards.
 *
 * HOW   process_spawn() forks a child in a session of its own, prepares it and runs the program. With
 *       `held` the child waits just before that: the caller writes down who it is, then calls
 *       process_release(). If the caller dies in between, the child ends without having run anything.
 *       With `detached` the child is nobody's child that must be reaped (it belongs to init or the
 *       nearest subreaper), which suits what must outlive the caller.
 *
 * OWNS  A struct process holds descriptors: process_done(). The process itself runs on.
 *
 * ERRORS What went wrong before the program ran (no such file, no such directory, not permitted) is
 *       the error of process_spawn(), or of process_release() for a held one.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum { PROCESS_GROUPS_MAX = 64, PROCESS_CGROUPS_MAX = 4 };

/* Whom to run as. */
struct process_user {
	uid_t uid;
	gid_t gid;
	gid_t groups[PROCESS_GROUPS_MAX];
	size_t group_count;
	char home[256];
};

int process_user_find(const char *name, struct process_user *ret_user,
		      struct error *err) MUST_CHECK;

struct process_spec {
	const char *
		program; /* with a '/' a path from `directory`, else sought in PATH; NULL: argv[0] */
	const char *const *argv;
	const char *const *environment;  /* NULL: the caller's */
	const char *directory;           /* NULL: the caller's */
	int input, output, errors;       /* descriptors to be 0, 1, 2; -1: /dev/null */
	const struct process_user *user; /* NULL: the caller's */
	uint32_t files;                  /* RLIMIT_NOFILE; 0: the caller's */
	uint32_t processes;     /* RLIMIT_NPROC, of all that its user has; 0: the caller's */
	bool no_new_privileges; /* no program makes it more than it is */
	int cgroups[PROCESS_CGROUPS_MAX]; /* cgroup.procs files, open for writing */
	size_t cgroup_count;
	bool held;
	bool detached;
};

struct process {
	pid_t pid;
	uint64_t start; /* clock ticks since boot: with the pid, who it is */
	int pidfd;      /* readable when it has ended; -1: none */
	int gate;       /* of a held one, else -1 */
	int report;     /* where a held one tells what failed, else -1 */
};

#define PROCESS_NONE ((struct process){.pidfd = -1, .gate = -1, .report = -1})

int process_spawn(const struct process_spec *spec, struct process *ret_process,
		  struct error *err) MUST_CHECK;

/* Let a held child run its program. */
int process_release(struct process *process, struct error *err) MUST_CHECK;

/* Find a process that somebody else started. ERR_NOT_FOUND: it is gone, or the pid is another's now. */
int process_adopt(pid_t pid, uint64_t start, struct process *ret_process,
		  struct error *err) MUST_CHECK;

/* Close the descriptors; it is PROCESS_NONE afterwards. */
void process_done(struct process *process);

/* False when it has ended already, or may not be signalled. */
bool process_signal(const struct process *process, int number);

struct process_end {
	int code;   /* -1 if a signal ended it */
	int signal; /* 0 if it exited */
};

/* Has our child ended? Leaves it a zombie, so that its pid and its group still are its own. */
bool process_ended(const struct process *process, struct process_end *ret_end);

/* Take note of our child's end; waits for it if it has not come. */
void process_reap(const struct process *process);

/* Take note of the end of every child of ours but these; returns how many had ended. A subreaper needs
 * it for the orphans it is given. */
size_t process_reap_others(const pid_t *but, size_t but_count);

/* When it started, in clock ticks since boot; 0 when there is no such process. */
uint64_t process_start_of(pid_t pid);

/* Is there a program of this name in PATH that we may run? */
bool process_program_exists(const char *name);

/* What /proc says of a process. */
struct process_about {
	pid_t parent;
	pid_t group;
	pid_t session;
	uint64_t start;
	uint64_t cpu_ticks;    /* its own, and of the children that ended and were waited for */
	uint64_t memory_bytes; /* resident */
	bool zombie;
};

bool process_look(pid_t pid, struct process_about *ret_about);

#endif
