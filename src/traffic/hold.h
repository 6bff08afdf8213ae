/* SPDX-License-Identifier: Apache-2.0
 *
 * hold - the bounds of holding requests while an environment is parked, and the pace of letting
 *       them go.
 *
 * HOW   hold_admit() for a request that finds no backend; it then waits in the caller's queue,
 *       first in, first out, until hold_due() says how many may go, or its deadline passes (answer
 *       503 with Retry-After). Every admitted one is given back once, by hold_leave(). Letting go
 *       is paced so that a backend that has just started does not meet all of them in one instant.
 *
 * TIME  `now_ms` is monotonic and the caller's.
 *
 * LIMITS struct hold_limits; at a limit hold_admit() refuses, and the answer is 503 with
 *       Retry-After.
 */
#ifndef TRAFFIC_HOLD_H
#define TRAFFIC_HOLD_H

#include <stdbool.h>
#include <stdint.h>

struct hold_limits {
	uint32_t count;   /* requests held at once */
	uint64_t bytes;   /* of their heads and buffered bodies */
	uint64_t wait_ms; /* longest wait of one */
	uint32_t per_s;   /* let go per second; 0 = all at once */
	uint32_t burst;   /* let go at once at the beginning; at least 1 */
};

extern const struct hold_limits hold_limits_default; /* 10000, 64 MiB, 30 s, 2000/s, 64 */

struct hold {
	uint32_t count;
	uint64_t bytes;
	bool going; /* being let go, at the pace of the tokens */
	uint64_t paced_at_ms;
	uint64_t millitokens; /* a request takes 1000 */
};

/* All zero bytes are an empty hold. Admit one of `bytes`; false at a limit. On true,
 * `ret_deadline_ms` is when it must be answered with 503. */
bool hold_admit(struct hold *h, const struct hold_limits *limits, uint64_t bytes, uint64_t now_ms,
		uint64_t *ret_deadline_ms);

/* One leaves, for whatever reason, with the bytes it was admitted with. */
void hold_leave(struct hold *h, uint64_t bytes);

/* While requests may go: how many of those held may go now. Call hold_leave() for each that goes.
 * When it is less than h->count, call again in *ret_again_ms. */
uint32_t hold_due(struct hold *h, const struct hold_limits *limits, uint64_t now_ms,
		  uint64_t *ret_again_ms);

/* Parked again: the next letting go starts with a fresh burst. */
void hold_park(struct hold *h);

#endif
