/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet - from what is wanted of a release's instances and what is there: what to start, drain, stop.
 *
 * WHAT  fleet_decide() compares one set document with the instances of that release and returns actions.
 *       It has no memory: the same input gives the same actions, so a decision may be repeated after a
 *       crash at any point, and the same instances are chosen again.
 *
 * HOW   An instance lives in a slot of its process: 0, 1, 2 … Slots below the document's count are
 *       wanted; those above are surplus, so that shrinking always takes the highest slot. Draining is a
 *       property of the document (a slot above the count), not of the instance: whatever restarts there
 *       still gets no requests, and a slot that is wanted again serves again.
 *
 *       A surplus instance is stopped only when it has drained: the router has confirmed that it gets no
 *       new requests, and its last one has ended or drain_ms have passed since that confirmation. This
 *       holds whatever the document says and whoever asks.
 *
 *       A sick instance is drained and stopped like a surplus one; then its slot is empty, and a new one
 *       starts there. One that nobody stands beside is left alone, unless it drains already: it is better
 *       than none.
 *
 *       Starting is for empty slots only: a slot whose instance is still stopping stays empty until it
 *       is gone. An instance that gave up restarting stays as it is, so that a candidate's failure can
 *       be seen; of a standing release it is removed after FLEET_RETRY_MS and started anew.
 *
 * OWNS  Caller's memory everywhere. `instances` may come in any order.
 * LIMITS At most FLEET_ACTIONS_MAX actions a call, stops and drains first; call again for the rest.
 */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FLEET_PROCESSES_MAX = 8,
	FLEET_SLOTS_MAX = 64,
	FLEET_ACTIONS_MAX = 64,
	FLEET_RETRY_MS = 30000,
	FLEET_SICK_DRAIN_MS = 30000, /* a sick instance finishes what it has within this, or less */
};

/* The part of a set document that concerns the instances (rollout/documents.h). */
struct fleet_wish {
	uint16_t count[FLEET_PROCESSES_MAX];
	bool stop_surplus; /* else surplus instances only drain */
	bool standing;
	uint64_t drain_ms;
};

enum fleet_state {
	FLEET_STARTING = 0, /* running, never healthy yet */
	FLEET_READY,        /* healthy */
	FLEET_UNREADY,      /* was healthy, is not; or waits to be restarted */
	FLEET_GAVE_UP,      /* failed too often; no process */
	FLEET_STOPPING,     /* told to end; the process may still be there */
};

struct fleet_instance {
	uint8_t process;
	uint16_t slot;
	enum fleet_state state;
	bool wrong; /* it reports another release than it should run */
	bool sick; /* to be replaced: drained and stopped as surplus is, though its slot is wanted */
	bool draining; /* taken out, or being taken out, of the router's table */
	bool removed;  /* every worker of the router has confirmed that */
	uint32_t in_flight;
	uint64_t removed_ms; /* since that confirmation */
	uint64_t ready_ms;   /* since it became healthy */
	uint64_t gave_up_ms; /* since it gave up */
};

enum fleet_action_kind {
	FLEET_START = 0, /* an instance in an empty slot */
	FLEET_DRAIN,     /* no new requests for it; it is not restarted if it ends */
	FLEET_SERVE,     /* wanted again: undo FLEET_DRAIN */
	FLEET_STOP,      /* end it and everything it left, then forget it */
};

struct fleet_action {
	enum fleet_action_kind kind;
	uint8_t process;
	uint16_t slot;
	uint32_t instance; /* index into `instances`; START: unused */
};

struct fleet_actions {
	uint32_t count;
	struct fleet_action items[FLEET_ACTIONS_MAX];
};

void fleet_decide(const struct fleet_wish *wish, const struct fleet_instance *instances,
		  uint32_t instance_count, struct fleet_actions *out);

/* The instances of one release, counted by process, as a set observation wants them. */
struct fleet_tally {
	uint16_t exist[FLEET_PROCESSES_MAX];     /* not known to be gone */
	uint16_t ready[FLEET_PROCESSES_MAX];     /* wanted, healthy, not draining */
	uint16_t settled[FLEET_PROCESSES_MAX];   /* of these, for min_ready_ms at least */
	uint16_t undrained[FLEET_PROCESSES_MAX]; /* surplus that may still have requests */
	uint16_t failed[FLEET_PROCESSES_MAX];    /* wanted, gave up */
	uint16_t wrong;
};

void fleet_count(const struct fleet_wish *wish, const struct fleet_instance *instances,
		 uint32_t instance_count, uint64_t min_ready_ms, struct fleet_tally *out);

/* True when it may be stopped without cutting a request that still has time: it can have none, or its
 * drain is over. */
bool fleet_drained(const struct fleet_instance *instance, uint64_t drain_ms);

#endif
