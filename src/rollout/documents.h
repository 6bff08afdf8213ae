/* SPDX-License-Identifier: Apache-2.0
 *
 * documents - what the controller wants of the world, one full document per resource.
 *
 * WHAT  An environment has one router document (who gets which share) and, for each release that has
 *       or had instances in it, one set document (how many instances of each process). A document is
 *       never a change ("start two more") but always the whole wish ("four"), with a version.
 *
 * HOW   Whoever applies documents keeps the highest version it has applied, refuses an older one and
 *       one that is equal but different, and reports the version with everything it observes. A set is
 *       applied by fleet/, which decides what to start, drain and stop; the router document is turned
 *       into a gateway table. Instances of a release without a set document in the environment are
 *       unwanted: treat them as a set with no counts and SURPLUS_STOP.
 *
 * OWNS  Plain data, no pointers. Releases are named by their slot in the environment (0..3); a slot
 *       holds the release's id. Process index p means the same process name in every release of an
 *       environment; a release that lacks the process has count 0 there.
 *
 * UNITS Shares are basis points, 10000 = everything. Versions order by epoch, then n; n never repeats
 *       within an environment.
 *
 * SEE   rollout/environment.h for who writes these, fleet/fleet.h for who obeys a set.
 */
#ifndef ROLLOUT_DOCUMENTS_H
#define ROLLOUT_DOCUMENTS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ENVIRONMENT_SETS_MAX = 4,   /* candidate, stable, warm, leftover */
	PROCESSES_MAX = 8,          /* kinds of process of one application */
	PROCESS_INSTANCES_MAX = 64, /* instances of one process of one release */
	RELEASE_ID_SIZE = 32,
	SLOT_NONE = 0xff,
};

/* All zero: no release. */
struct release_id {
	uint8_t bytes[RELEASE_ID_SIZE];
};

struct version {
	uint64_t epoch; /* rises when a controller starts or takes the lease */
	uint64_t n;     /* rises with every document written */
};

enum handover {
	HANDOVER_OVERLAP = 0, /* old and new instances may run side by side */
	HANDOVER_STOP_FIRST,  /* the old one has to be gone before a new one starts */
};

/* What a release wants of one process when it is fully live. */
struct process_shape {
	uint16_t count; /* 0: the release does not have this process */
	bool traffic;   /* the gateway sends requests to it */
	enum handover handover;
};

enum surplus {
	SURPLUS_STOP = 0, /* instances above the count are stopped, each once it has drained */
	SURPLUS_DRAIN,    /* they get no new requests, and wait */
};

struct set_document {
	struct release_id release;
	struct version version; /* n = 0: never written */
	uint16_t count[PROCESSES_MAX];
	enum surplus surplus;
	bool standing;     /* a live release: an instance that gave up is tried again for ever */
	uint64_t drain_ms; /* longest drain of one instance, from the router's acknowledgement */
};

enum traffic_access {
	ACCESS_OPEN = 0,
	ACCESS_CLOSED, /* maintenance: requests are answered with its page */
	ACCESS_READS,  /* read-only: those that may change something are refused */
	ACCESS_COUNT
};

struct traffic_document {
	struct version version;
	uint32_t weight_bp[ENVIRONMENT_SETS_MAX]; /* by slot; sums to 10000, or to 0 */
	uint32_t mirror_bp;         /* share of the live requests that is copied … */
	uint8_t mirror;             /* … to this slot, or SLOT_NONE */
	uint8_t preview;            /* slot that preview requests reach, or SLOT_NONE */
	bool park;                  /* hold requests: nothing can serve for a moment */
	enum traffic_access access; /* of everybody but previews */
};

bool release_id_empty(const struct release_id *id);
bool release_id_equal(const struct release_id *a, const struct release_id *b);

/* Negative, 0 or positive as `a` is older than, equal to or newer than `b`. */
int version_compare(struct version a, struct version b);

#endif
