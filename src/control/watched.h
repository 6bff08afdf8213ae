/* SPDX-License-Identifier: Apache-2.0
 *
 * watched - what the router counted of one release since a judge was fed last.
 *
 * WHAT  The numbers of a release, its classes and its instances: those when the last tick ended, and those of now. What
 *       began anew (another life of the router's counters, other classes) is no evidence: it becomes the base.
 *       Requests that are older than the release ever needs are hanging: a ring of what was started and answered,
 *       tick by tick, tells.
 *
 * HOW   watched_follow() says which release; watched_read() reads, as often as one likes; watched_arm(), watched_members()
 *       and watched_division() take what came since the last tick; watched_taken() ends the tick.
 *
 * OWNS  Counters on the heap, for their size: watched_init() and watched_free().
 * SEE   provider/router.h
 */
#ifndef CONTROL_WATCHED_H
#define CONTROL_WATCHED_H

#include <stdbool.h>

#include "control/environment.h"

enum {
	WATCHED_HANG_MOST_MS = 30000,
	WATCHED_RING = WATCHED_HANG_MOST_MS / CONTROL_TICK_MS + 2,
};

struct watched {
	struct release_id id;
	bool known;
	struct router_class_counters *last, *now;
	/* Requests started and answered for, at the ticks before: what is too old is hanging. */
	struct watched_started {
		uint64_t at_ms, started[JUDGE_STRATA_MAX];
	} ring[WATCHED_RING];
	uint32_t ring_next, ring_count;
	uint64_t hanging[JUDGE_STRATA_MAX];
	uint64_t hung[JUDGE_STRATA_MAX]; /* since the last tick: how many more than before */
	/* Its instances, each at a place that it keeps; what it had counted when the last tick ended, and has now. */
	uint32_t member_count;
	struct watched_member {
		char id[ROUTER_NAME_SIZE];
		uint64_t life, requests, errors, now_requests, now_errors;
	} members[JUDGE_INSTANCES_MAX];
};

void watched_init(struct watched *watched);
void watched_free(struct watched *watched);

/* Another release: what is known of the one before is forgotten. An empty id is nobody. */
void watched_follow(struct watched *watched, const struct release_id *id);

/* False: the router does not know this release (any more), or not just now. `hang_ms`: older requests are hanging. */
bool watched_read(struct environment *e, struct watched *watched, uint64_t now_ms,
		  uint64_t hang_ms);
/* Its instances. True: one of them is new. */
bool watched_read_members(struct environment *e, struct watched *watched);

/* Of a class, since the last tick: the latencies go to `slots`, which has room for HISTOGRAM_BUCKETS. Returns how many. */
uint32_t watched_arm(const struct watched *watched, uint32_t class, struct judge_slot *slots,
		     struct judge_arm *ret_arm);
uint32_t watched_members(const struct watched *watched, struct judge_member *ret_members);
/* What was divided by weight: with an outcome since the last tick, and under way without being too old. */
void watched_division(const struct watched *watched, uint64_t *ret_done, uint64_t *ret_open);
/* Has it answered, or got stuck, since the last tick? */
bool watched_did_something(const struct watched *watched);

void watched_taken(struct watched *watched);

#endif
