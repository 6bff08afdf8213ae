/* SPDX-License-Identifier: Apache-2.0
 *
 * process_state - what the files of the process driver share: the runtime, its instances, and what is done with
 *                 one of them by way of its keeper.
 *
 * HOW   By file: process.c is the interface and what an earlier controller left, process_keepers.c the list, the
 *       conversation with keepers, and their starts; damaged.c puts aside what cannot be read.
 * OWNS  The runtime owns its instances, and an instance its directory, its connection and its timer.
 */
#ifndef DRIVERS_RUNTIME_PROCESS_STATE_H
#define DRIVERS_RUNTIME_PROCESS_STATE_H

#include "drivers/runtime/damaged.h"
#include "drivers/runtime/delivery.h"
#include "drivers/runtime/measure.h"
#include "drivers/runtime/process.h"
#include "link/keeper_messages.h"
#include "os/process.h"

enum { REACH_FIRST_MS = 4 }; /* before a keeper that is starting is sought, and again; doubles */

struct process_runtime;

struct instance {
	struct process_runtime *owner;
	struct instance_status status; /* as the keeper told it last */
	struct instance_version spec_version;
	int dir_fd;
	int fd; /* the connection, or -1 */
	struct loop_watch *watch;
	struct env_timer timer; /* reach() */
	struct process keeper;  /* if we have started it */
	struct keeper_want wish;
	bool wishes; /* `wish` has not shown in the status yet */
	bool settled;
	uint32_t attempts; /* to reach it, since the last answer */
	uint32_t deaths;   /* of keepers, without a steady one in between */
	uint64_t spawned_ms;
	uint64_t sought_ms; /* since when it has been sought */
	struct measure measure;
};

struct process_runtime {
	struct runtime runtime; /* first */
	struct loop *loop;
	int state_fd;
	int instances_fd;
	struct delivery delivery;
	char program[4096];
	char path[4096];                              /* of D/instances */
	struct instance *list[RUNTIME_INSTANCES_MAX]; /* sorted by id */
	size_t count;
	struct instance_status *statuses; /* of the last observation */
	struct runtime_usage *usages;     /* of the last measurement */
	struct env_timer notice;
	bool noticed;                    /* the timer runs */
	char damaged[DAMAGED_NAME_SIZE]; /* put aside by us, the last of them; "" = none */
	char trouble[ERROR_TEXT_MAX];
};

void runtime_process_timer(struct process_runtime *r, struct env_timer *timer, uint64_t after_ms);
/* Announce a change a turn later: the owner may call us from there. */
void runtime_process_notice(struct process_runtime *r);
/* What the notice's timer calls; `context` is the runtime. */
void runtime_process_noticed(void *context);

struct instance *runtime_process_find(const struct process_runtime *r,
				      const char *id); /* or NULL */
/* There must be room. Takes over `dir_fd`. Nothing is sought until the instance's timer runs. */
struct instance *runtime_process_add(struct process_runtime *r, const struct instance_spec *spec,
				     struct instance_version version, int dir_fd);
/* Let go of it; it runs on. */
void runtime_process_drop(struct instance *i);

/* Send the wish that its status does not show yet, if there is one and a connection. */
void runtime_process_send_wish(struct instance *i);
/* What is written down of an instance. */
int runtime_process_read_spec(int dir_fd, struct instance_spec *ret_spec,
			      struct instance_version *ret_version, struct error *err) MUST_CHECK;

/* Its secrets are there when it begins. `first`: of this instance. A failpoint is for that one only. */
int runtime_process_spawn_keeper(struct instance *i, bool first, struct error *err) MUST_CHECK;

#endif
