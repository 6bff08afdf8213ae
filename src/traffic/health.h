/* SPDX-License-Identifier: Apache-2.0
 *
 * health - passive health of one backend, as a gateway worker sees it from the requests that it
 *       sends.
 *
 * WHAT  After HEALTH_FAILURES gateway failures in a row (no connection, connection lost, no answer
 *       in time; never a status the application chose) the backend gets no new requests for 30 s,
 *       the next time for 60 s, up to HEALTH_EJECT_STEPS times 30 s. One success ends the row;
 *       each 30 s after an ejection without another take one step off the next. Active health
 *       (probes) is the keeper's, and reaches us as `ready` in the table.
 *
 * HOW   Whether an ejection is allowed is decided over all backends of a release:
 *       balance_may_eject().
 *
 * TIME  `now_ms` is monotonic and the caller's.
 */
#ifndef TRAFFIC_HEALTH_H
#define TRAFFIC_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HEALTH_FAILURES = 5,
	HEALTH_EJECT_MS = 30 * 1000,
	HEALTH_EJECT_STEPS = 10, /* the longest ejection is this many times HEALTH_EJECT_MS */
};

/* All zero bytes are a healthy backend. */
struct health {
	uint32_t failures;  /* in a row */
	uint32_t ejections; /* steps of penalty so far */
	uint64_t ejected_until_ms;
};

void health_success(struct health *h);

/* Count a failure. `may_eject` as balance_may_eject() says; without it the row goes on.
 * Returns true when this failure ejected the backend (log it, count it). */
bool health_failure(struct health *h, uint64_t now_ms, bool may_eject);

bool health_ejected(const struct health *h, uint64_t now_ms);

#endif
