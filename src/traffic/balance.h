/* SPDX-License-Identifier: Apache-2.0
 *
 * balance - which backend of a release takes a request: of two random ones, the one with fewer
 *       requests in flight; and one that has just joined the others comes to its share slowly.
 *
 * HOW   `b` is the contiguous run of one release's backends, in the worker's own memory. Backends
 *       that are not ready (by the table) are never chosen. Ejected ones (by traffic/health.h) are
 *       chosen only when no other is ready: a doubtful backend is better than none. Who sends a
 *       request raises in_flight when it has chosen, and lowers it when the request ends.
 *       Full ones are passed over for those as good that are not; to wait for a good one is better than to go to a
 *       doubtful one.
 *
 *       One that is cold (its caches are empty, its code is not yet compiled) is passed over with a chance that
 *       falls from BALANCE_COLD to nothing within `warms_ms`, where the other one of the two is warmer. So those that
 *       start together share as ever, and a cold one that is alone takes everything.
 *
 * SOURCE Mitzenmacher, "The power of two choices in randomized load balancing", 2001.
 *
 * LIMITS Any count; the cost is constant while most are ready, else one pass.
 */
#ifndef TRAFFIC_BALANCE_H
#define TRAFFIC_BALANCE_H

#include <stddef.h>

#include "base/err.h"
#include "traffic/health.h"

/* Of BALANCE_WARM, what a backend gets of its share at its first instant. */
enum { BALANCE_WARM = 1024, BALANCE_COLD = BALANCE_WARM / 10 };

struct balance_backend {
	bool ready; /* by the table: in service, passes its probes, not draining */
	bool full;  /* as many connections are in use as there may be */
	uint32_t in_flight;
	uint32_t warms_ms;  /* how long it takes to be warm; 0: it is */
	uint64_t joined_ms; /* when it got ready beside others */
	struct health health;
};

enum { BALANCE_NONE = -1 };

/* The index of the chosen one, ERR_UNAVAILABLE when none is ready, or ERR_LIMIT when all that it would be chosen among
 * are full.
 *
 * `avoid` is the index of a backend that just failed this request, or BALANCE_NONE; it is taken only
 * when it is the last one ready. `random` is a uniform 64-bit number. */
int balance_choose(const struct balance_backend *b, size_t count, int avoid, uint64_t random,
		   uint64_t now_ms);

/* Of BALANCE_WARM, how warm it is. */
uint32_t balance_warmth(const struct balance_backend *b, uint64_t now_ms);

/* Whether backend `index` may be ejected: with it, at most half of the ready ones are; so never the
 * last that is ready and not ejected. */
bool balance_may_eject(const struct balance_backend *b, size_t count, size_t index,
		       uint64_t now_ms);

/* Backends that are ready; with `healthy_only`, and not ejected. */
size_t balance_ready(const struct balance_backend *b, size_t count, bool healthy_only,
		     uint64_t now_ms);

#endif
