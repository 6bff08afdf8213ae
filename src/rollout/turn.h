/* SPDX-License-Identifier: Apache-2.0
 *
 * turn - one event being worked on; private to rollout/.
 *
 * WHAT  What the files of this folder share: the four structs of the turn, writing documents, sending
 *       them, and the rules by which a document may be written at all.
 * HOW   rollout.c dispatches events to states (active.h), step.c issues and completes single steps, documents are
 *       written here (turn.c) and nowhere else, so that a version rises exactly when a wish changes.
 */
#ifndef ROLLOUT_TURN_H
#define ROLLOUT_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "rollout/rollout.h"

struct turn {
	struct plan *plan; /* NULL in standing_step() */
	struct environment_state *env;
	struct rollout *r; /* NULL in standing_step() */
	const struct rollout_event *event;
	struct rollout_effects *out;
	enum rollout_change change;
};

struct rollout_effect *turn_emit(struct turn *t, enum rollout_effect_kind kind);
void turn_changed(struct turn *t);

/* Write a document if it says something new, and send it. The version is set here. */
void turn_write_router(struct turn *t, const struct traffic_document *wish);
void turn_write_set(struct turn *t, uint8_t slot, const struct set_document *wish);

/* Send every document again, and start the next interval. */
void turn_reassert(struct turn *t);

/* The part of an event that every environment handles alike; elapsed time is already capped. */
void turn_tick_environment(struct turn *t, uint64_t elapsed_ms);
bool turn_take_observation(struct turn *t); /* false: stale, ignore it */
void turn_access(struct turn *t, enum traffic_access access);
void turn_boot(struct turn *t, uint64_t epoch);

/* A release whose instances are gone: free its slot. */
void turn_forget(struct turn *t, uint8_t slot);

/* Free the slots of releases that never had an instance. */
void turn_forget_unused(struct turn *t);

/* True if each process with traffic has a ready instance. */
bool turn_serves(const struct environment_state *env, uint8_t slot);

/* True if the instances above `count` may leave: enough ready ones stay. */
bool turn_can_spare(const struct environment_state *env, uint8_t slot,
		    const uint16_t count[PROCESSES_MAX], const uint16_t floor[PROCESSES_MAX]);

/* step.c: the current step of a rollout. */
enum block { BLOCK_NONE = 0, BLOCK_FROZEN, BLOCK_WAIT };
uint8_t step_slot(const struct turn *t, const struct plan_step *step);
enum block step_blocked(const struct turn *t, const struct plan_step *step);
void step_issue(struct turn *t, const struct plan_step *step); /* writes, unconditionally */
void step_reissue(struct turn *t,
		  const struct plan_step *step); /* asks again: new attempt or boot */
bool step_complete(const struct turn *t, const struct plan_step *step);
bool step_acked(const struct turn *t, uint8_t slot);

/* Are as many instances ready as the set's document asks for? */
bool step_at_strength(const struct environment_set *set);

/* Is the candidate as strong as its document asks? Once it has been, HOLD and GATE do not pass without. */
bool step_candidate_well(const struct turn *t);

#endif
