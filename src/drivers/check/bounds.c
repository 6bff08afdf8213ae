/* SPDX-License-Identifier: Apache-2.0
 * bounds - see bounds.h for the contract. */
#include "drivers/check/bounds.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/sweep.h"

static void make_cgroup(struct bounds *b)
{
	static uint32_t last;
	char name[64],
		ignored[CGROUP_NOTE_SIZE]; /* davit doctor says what this machine cannot bound */
	const struct cgroup_limits limits = {.memory_bytes = b->wanted->memory_bytes
								     ? b->wanted->memory_bytes
								     : CHECK_MEMORY_BYTES,
					     .cpu_milli = b->wanted->cpu_milli,
					     .processes = CHECK_PROCESSES};
	last++;
	snprintf(name, sizeof name, "davit-check-%d-%u", (int)getpid(), last);
	snprintf(b->mark, sizeof b->mark, "DAVIT_CHECK=%d-%u-%llu", (int)getpid(), last,
		 (unsigned long long)clock_now_ms());
	cgroup_make(name, &limits, &b->cgroup, ignored);
}

int bounds_make(const struct check_bounds *wanted, struct bounds *ret_bounds, struct error *err)
{
	struct bounds b = {.wanted = wanted, .other = wanted->user[0] != '\0'};
	if (b.other && geteuid() != 0)
		return error_set(err, ERR_DENIED,
				 "Only root can run a command as user \"%s\": start davit as root, "
				 "or remove `user` from davit.yaml.",
				 wanted->user);
	int code = b.other ? process_user_find(wanted->user, &b.user, err) : 0;
	if (code < 0)
		return code;
	make_cgroup(&b);
	*ret_bounds = b;
	return 0;
}

void bounds_fill(const struct bounds *b, struct process_spec *spec)
{
	uint64_t bound;
	spec->files = b->wanted->files;
	spec->cgroup_count = cgroup_join_fds(&b->cgroup, spec->cgroups);
	if (!b->other)
		return;
	spec->user = &b->user;
	spec->no_new_privileges = true;
	/* Counts what else the user has running: only where nothing better can be had. */
	if (!cgroup_number(&b->cgroup, "pids.max", NULL, &bound))
		spec->processes = CHECK_PROCESSES;
}

void bounds_filled(struct process_spec *spec)
{
	for (size_t i = 0; i < spec->cgroup_count; i++)
		close(spec->cgroups[i]);
	spec->cgroup_count = 0;
}

bool bounds_clear(struct bounds *b, const struct process *process)
{
	/* davit's other children are instances' keepers and builds. */
	const struct sweep sweep = {.cgroup = &b->cgroup,
				    .session = process->pid > 0 ? process->pid : 0,
				    .start = process->start,
				    .mark = b->mark,
				    .spare_children = true};
	b->out_of_memory = b->out_of_memory || cgroup_oom_kills(&b->cgroup) > 0;
	sweep_end(&sweep);
	return sweep_count(&sweep) == 0 && cgroup_remove(&b->cgroup);
}

void bounds_done(struct bounds *b)
{
	cgroup_remove(&b->cgroup);
	*b = (struct bounds){.cgroup = {.kill = CGROUP_NONE}};
}
