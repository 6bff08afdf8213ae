/* SPDX-License-Identifier: Apache-2.0
 *
 * guard - what a gateway checks for itself before it applies a router document, whoever sent it.
 *
 * WHAT  Refuses documents that make no sense (weights that do not sum to 10000, a mirror to
 *       nowhere), and turns the wanted weights into effective ones: weight of a release with no
 *       ready backend goes to those that have one. So a request is never refused by choice while
 *       any backend of its environment is ready, and a release that cannot serve gains no weight.
 *
 * HOW   guard_check() when a document arrives; guard_apply() then and whenever readiness changes,
 *       always from the wanted weights, so that they come back when the backends do. Weight moves
 *       to the releases that were to serve anyway, in proportion to their weights; only when none
 *       of those is ready, to the live release, else to the oldest that is ready.
 *
 * UNITS Weights in basis points. Releases newest first, as in traffic/split.h.
 *
 * ERRORS guard_check(): ERR_INVALID with a sentence. A refused document changes nothing.
 *
 * SEE   gateway/fence.h, which keeps older tables out.
 */
#ifndef TRAFFIC_GUARD_H
#define TRAFFIC_GUARD_H

#include "base/err.h"
#include "traffic/split.h"

struct guard_release {
	uint32_t weight_bp;
	uint32_t ready; /* backends that are ready */
};

enum { GUARD_NONE = -1 };

struct guard_document {
	bool parked; /* requests are held or refused, not routed: weights do not count */
	uint32_t count;
	struct guard_release release[SPLIT_RELEASE_MAX];
	int32_t live;       /* index of the proven release, or GUARD_NONE */
	int32_t mirror;     /* index of the release that gets shadow requests, or GUARD_NONE */
	uint32_t mirror_bp; /* 0 without a mirror */
};

int guard_check(const struct guard_document *d, struct error *err) MUST_CHECK;

enum guard_serving {
	GUARD_AS_WANTED = 0, /* effective weights are the wanted ones */
	GUARD_MOVED,         /* weight was moved: a release has none ready (log it, show it) */
	GUARD_PARKED,        /* hold requests, as wanted: all weights are 0 */
	GUARD_NONE_READY,    /* nothing can serve: wanted weights stand, requests may be held */
};

/* Effective weights; their sum is 10000 unless parked. `d` has passed guard_check(). */
enum guard_serving guard_apply(const struct guard_document *d, struct split *ret_split);

#endif
