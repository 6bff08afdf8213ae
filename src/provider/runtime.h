/* SPDX-License-Identifier: Apache-2.0
 *
 * runtime - the interface to what runs instances: a process on this machine today, another place later.
 *
 * WHAT  One instance is one running copy of one process of one release in one environment. The runtime
 *       starts it, probes it, starts it again when it crashes, drains it, stops it, and tells.
 *
 * HOW   Every call says what is wanted, of which instance, and by which version of the desired-state
 *       document. It returns at once; what became of it is in a later observation (`applied` at least
 *       that version). Each call may be repeated with the same version at will.
 *       Changes are announced by `changed`, from the loop, never from inside a call; several changes
 *       may be announced once.
 *
 * USAGE What instances use is not part of an observation: it is looked up when measure() is called. Numbers of
 *       one instance are comparable over time, and those of two instances with each other, only where the
 *       sources are the same. How often instances crashed and what they logged is in the observation
 *       (instance_crashes(), `log_errors`).
 *
 * FENCE An instance refuses a version older than the one it has applied, and at the same version it only
 *       moves keep -> drain -> stop. A newer `start` takes an instance that drains back into service,
 *       and begins anew one that is over; one that is stopping is refused until it is over.
 *
 * GUARD `stop` refuses an instance that is ready, has traffic and does not drain, unless told `undrained`:
 *       no document order, however it came about, can cut requests that way.
 *
 * OWNS  Specs are copied. The memory of an observation or a measurement is the runtime's and valid until the
 *       next call of it or the next turn of the loop.
 *
 * ERRORS 0 is "accepted". ERR_CONFLICT: fenced or guarded. ERR_NOT_FOUND: no such instance. ERR_NO_SPACE,
 *       ERR_LIMIT and others: nothing was changed, ask again later. A `start` that will be refused however
 *       often it is asked for: ERR_INVALID (the spec), ERR_DENIED, ERR_NOT_FOUND (its user), ERR_UNSUPPORTED.
 *
 * LIMITS RUNTIME_INSTANCES_MAX instances at a time.
 */
#ifndef PROVIDER_RUNTIME_H
#define PROVIDER_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

#include "link/instance.h"

enum { RUNTIME_INSTANCES_MAX = 1024 };

struct runtime;

enum runtime_source {
	RUNTIME_UNKNOWN,   /* no process runs, or it cannot be seen */
	RUNTIME_PROCESSES, /* a sum over its processes */
	RUNTIME_CGROUP,    /* what the kernel keeps for all of it */
};

struct runtime_usage {
	char id[INSTANCE_ID_SIZE];
	uint64_t at_ms; /* CLOCK_MONOTONIC, as everywhere */
	enum runtime_source cpu_source, memory_source;
	/* Of all its processes, over all its restarts. Never goes down while this controller runs, and stands
	 * still while the source is not known; where it begins means nothing: take differences. */
	uint64_t cpu_us;
	uint64_t memory_bytes;      /* now; without file cache that could go */
	uint64_t memory_peak_bytes; /* since its last start, with file cache; 0: not known */
	uint32_t machine_milli;     /* what its machine has: 4000 is four processors */
};

struct runtime_ops {
	const char *name;

	/* Have this instance running. `spec->id` names it; the spec of an id never changes. */
	int (*start)(struct runtime *runtime, const struct instance_spec *spec,
		     struct instance_version version, struct error *err);

	/* Let it finish what it has; do not start it again when it exits. */
	int (*drain)(struct runtime *runtime, const char *id, struct instance_version version,
		     struct error *err);

	/* End it: its stop signal, its timeout, then whatever is left of it by force. */
	int (*stop)(struct runtime *runtime, const char *id, struct instance_version version,
		    bool undrained, struct error *err);

	/* Remove the files of an instance that is over, its log with them. Gone already is success. */
	int (*forget)(struct runtime *runtime, const char *id, struct error *err);

	/* All instances there are, sorted by id. Returns their number. */
	size_t (*observe)(struct runtime *runtime, const struct instance_status **ret_statuses);

	/* What each of them uses at this instant; as many, in the same order. Costs a few reads of files for
	 * each, and a look at all processes of the machine where there are no cgroups: not to be called at
	 * every tick. */
	size_t (*measure)(struct runtime *runtime, const struct runtime_usage **ret_usages);

	/* False while instances that outlived the last controller are still being asked. An observation
	 * before that is not the whole truth. */
	bool (*settled)(struct runtime *runtime);

	/* A sentence on what a person should look at, or ""; valid until the next call. */
	const char *(*trouble)(struct runtime *runtime);

	/* Lets go of everything; the instances run on. */
	void (*free)(struct runtime *runtime);
};

/* What a driver's own struct begins with. */
struct runtime {
	const struct runtime_ops *ops;
	void (*changed)(void *context); /* set by the owner, may be NULL */
	void *context;
	/* Append the value of a secret of this spec; set by the owner, NULL: there are none. Asked whenever an instance
	 * is about to be started and its secrets are not there. ERR_NOT_FOUND and others: it is not started. */
	int (*secret)(void *context, const struct instance_spec *spec,
		      const struct instance_secret *secret, struct buf *ret_value,
		      struct error *err);
	void *secret_context;
};

#endif
