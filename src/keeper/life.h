/* SPDX-License-Identifier: Apache-2.0
 *
 * life - PURE: what an instance does next, from what is wanted of it and what has happened to it.
 *
 * WHAT  Holds the decisions of a keeper: start, start again after a growing pause, give up, healthy,
 *       ready, hung, over. keeper.c tells it what happened and does what it says.
 *
 * HOW   Every function gets the time; life_next() says what is due now, life_wake_ms() when to ask again.
 *       Starting is asked for by LIFE_START until life_started() or life_ended() has been told.
 *
 *       want keep:   a process that ends is started again, first after first_ms, then twice as long each
 *                    time, at most most_ms; one crash more than `limit` within the window: given up.
 *       want drain:  it runs on as it is, and is not started again.
 *       want stop:   it is to end now.
 *
 *       Healthy after `passes` probes in a row, unhealthy after `fails`; ready when healthy for
 *       min_healthy_ms; hung when not healthy for deadline_ms, which ends it as a crash.
 *
 * TIME  Milliseconds of one clock; 0 in a field is "not". The clock is the machine's since boot, so the
 *       struct may be kept across restarts of the keeper within one boot.
 */
#ifndef KEEPER_LIFE_H
#define KEEPER_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "link/instance.h"
#include "link/keeper_messages.h"

enum { LIFE_CRASHES_MAX = INSTANCE_RESTARTS_MAX + 1 };

enum life_phase {
	LIFE_WAITING, /* for due_ms, then a start */
	LIFE_RUNNING,
	LIFE_ENDING, /* the process is being ended */
	LIFE_OVER,   /* nothing is left and nothing will be started */
	LIFE_PHASE_COUNT
};

struct life {
	struct instance_version applied;
	enum instance_want want;
	enum life_phase phase;
	bool failed;  /* OVER: given up, not stopped as asked */
	bool healthy; /* of the process that runs */
	bool was_ready;
	uint32_t streak;     /* probes in a row that speak against `healthy` */
	uint64_t due_ms;     /* WAITING: when to start */
	uint64_t changed_ms; /* when `healthy` last changed, or the process started */
	uint64_t ready_since_ms;
	uint32_t restarts;
	uint32_t crash_count;
	uint64_t crashes_ms[LIFE_CRASHES_MAX]; /* the last ones, oldest first */
};

enum life_action {
	LIFE_NOTHING,
	LIFE_START,
	LIFE_STOP, /* signal it, give it its time, then end it */
	LIFE_KILL, /* hung: end it */
};

void life_init(struct life *life, struct instance_version version, uint64_t now_ms);

/* Something else is wanted. ERR_CONFLICT and unchanged when fenced or guarded (provider/runtime.h). */
int life_want(struct life *life, const struct instance_spec *spec, const struct keeper_want *want,
	      struct error *err) MUST_CHECK;

void life_started(struct life *life, const struct instance_spec *spec, uint64_t now_ms);
void life_probed(struct life *life, const struct instance_spec *spec, bool passed, uint64_t now_ms);
void life_ending(struct life *life); /* LIFE_STOP or LIFE_KILL is being done */
void life_ended(struct life *life, const struct instance_spec *spec,
		uint64_t now_ms);                          /* all of it */
void life_postponed(struct life *life, uint64_t until_ms); /* it could not be started just now */
/* It could not be started, for a reason that stays: what has never run is given up; what has is tried again as
 * after a crash, for its files may be on their way back. */
void life_refused(struct life *life, const struct instance_spec *spec, uint64_t now_ms);
void life_give_up(struct life *life); /* it can never be started */

enum life_action life_next(struct life *life, const struct instance_spec *spec, uint64_t now_ms);

/* The time from which life_next() may answer something else by itself; UINT64_MAX: never. */
uint64_t life_wake_ms(const struct life *life, const struct instance_spec *spec);

enum instance_state life_state(const struct life *life);

#endif
