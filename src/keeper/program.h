/* SPDX-License-Identifier: Apache-2.0
 *
 * program - the running program of an instance: started or adopted, watched, ended with all it started.
 *
 * HOW   program_start() leaves it held at the gate: write its `process` down, then program_release(). Or
 *       program_adopt() one that an earlier keeper started. program_end() ends it; a program that ends by
 *       itself is cleaned up after in the same way. Either way `exited` is called when its first process
 *       has ended, and `gone` when nothing of it is left: no process, no cgroup.
 *
 *       Gracefully: the stop signal to its process group; when the first process has ended and the group
 *       is empty, or the time is up, SIGKILL to everything that can be found (os/sweep.h), again and
 *       again until nothing is found.
 *
 * OWNS  Everything in the struct is the caller's to read. After `gone` it may be started again.
 */
#ifndef KEEPER_PROGRAM_H
#define KEEPER_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "keeper/output.h"
#include "keeper/variables.h"
#include "link/instance_record.h"
#include "os/cgroup.h"
#include "os/loop.h"
#include "os/process.h"

struct program {
	/* Filled in by the owner before program_init(). */
	struct loop *loop;
	const struct instance_spec *spec;
	int dir_fd; /* the instance's directory */
	struct output *output;
	const struct process_user *user; /* NULL: as we are */
	char place[RECORD_PLACE_SIZE];
	char mark[RECORD_MARK_SIZE];
	void (*exited)(void *context);
	void (*gone)(void *context);
	void *context;

	struct process process; /* pid 0: none runs */
	bool ours;              /* our child; else adopted, and nobody tells us how it ended */
	bool ending;            /* program_end() was called, or it ended by itself */
	bool ended;             /* its first process has */
	struct process_end end; /* valid once `ended`, if `ours` */
	struct cgroup cgroup;
	char note[CGROUP_NOTE_SIZE]; /* a limit that could not be set; else "" */
	bool out_of_memory;          /* the kernel has killed for that, since it was started */

	/* The program's own. */
	char directory[PATH_MAX];
	struct variables variables;
	struct loop_watch *watch;
	struct env_timer timer;
	uint64_t kill_at_ms;
	uint64_t oom_kills;
};

void program_init(struct program *program);

int program_start(struct program *program, uint16_t port, struct error *err) MUST_CHECK;
/* After an error there is still something to clean up: `gone` will be called, but not `exited`. */
int program_release(struct program *program, struct error *err) MUST_CHECK;
/* Instead of program_release(): it has run nothing and will not. */
void program_discard(struct program *program);

/* ERR_NOT_FOUND: its first process is gone; what else it left is being ended, `gone` will be called. */
int program_adopt(struct program *program, const struct instance_record *record,
		  struct error *err) MUST_CHECK;

/* End what an earlier keeper has started and nothing else tells of: its record is lost. Does not wait. */
void program_sweep(const struct program *program);

/* At once, or by the spec's stop signal and timeout. May be called again to make it quicker. */
void program_end(struct program *program, bool at_once);

/* What to run a command with beside the program: as the same user, at the same place. Call
 * program_beside_done() after the spawn. */
void program_beside(struct program *program, const char *const *argv,
		    struct process_spec *ret_spec);
void program_beside_done(struct process_spec *spec);

#endif
