/* SPDX-License-Identifier: Apache-2.0
 *
 * environment - what davit wants and knows of one environment, whether or not a rollout is under way.
 *
 * WHAT  `struct environment_state` holds the documents, which release is stable, which is kept warm and
 *       for how long, and the flags. It is persisted with every rollout's transition and outlives them.
 *
 * HOW   While a rollout holds the environment (`rollout` != 0) only rollout_step() writes it. Otherwise
 *       standing_step() does (rollout.h): it re-asserts the documents, and retires by DRAIN, then STOP
 *       every release that is neither stable nor warm.
 *
 * TIME  None of its own: ticks add up.
 * SEE   rollout/rollout.h
 */
#ifndef ROLLOUT_ENVIRONMENT_H
#define ROLLOUT_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rollout/documents.h"

enum { ENVIRONMENT_ENCODED_MAX = 2048, ENVIRONMENT_REASSERT_MS = 1000 };

/* What the newest observation said of a set. Cleared at boot: nothing is known then. */
struct set_seen {
	bool applied;                   /* the current document has been applied */
	uint16_t ready[PROCESSES_MAX];  /* healthy and not draining */
	uint16_t failed[PROCESSES_MAX]; /* gave up restarting */
	uint16_t wrong;                 /* instances that report another release */
	bool replacing;                 /* one is missing on purpose */
};

struct environment_set {
	struct set_document document; /* document.release is empty: the slot is free */
	struct process_shape process[PROCESSES_MAX]; /* the release's full strength */
	struct set_seen seen;
	uint64_t drained_ms; /* standing retirement: time since the drain was acknowledged */
};

struct environment_state {
	uint64_t epoch;   /* of the controller that writes */
	uint64_t next_n;  /* next document version */
	uint64_t rollout; /* number of the rollout that holds it, 0 = free */
	struct environment_set sets[ENVIRONMENT_SETS_MAX];
	struct traffic_document router;
	uint8_t stable;        /* slot of the live release, or SLOT_NONE */
	uint8_t warm;          /* slot kept ready for an instant way back, or SLOT_NONE */
	uint64_t warm_left_ms; /* until it is retired */
	bool frozen;           /* no step that raises exposure may begin */
	bool standby;          /* another controller leads: no effects, no changes */
	uint64_t observed;     /* serial of the newest observation taken in */
	uint64_t reassert_ms;  /* since the documents were last sent */
};

void environment_init(struct environment_state *env);

/* Slot of a release, or SLOT_NONE. */
uint8_t environment_find(const struct environment_state *env, const struct release_id *release);

/* A slot without a release, or SLOT_NONE. */
uint8_t environment_find_free(const struct environment_state *env);

/* True if the slot's release could take all requests now, by the newest observation: its document asks
 * for full strength and at least three quarters of each process with traffic are ready. */
bool environment_set_able(const struct environment_state *env, uint8_t slot);

/* Canonical bytes; 0 when `size` is too small. ENVIRONMENT_ENCODED_MAX always fits. */
size_t environment_encode(const struct environment_state *env, void *to, size_t size);
bool environment_decode(struct environment_state *env, const void *bytes, size_t size);

/* What must always hold: shares sum to 10000 or 0, references point at sets that are there. */
bool environment_valid(const struct environment_state *env);

#endif
