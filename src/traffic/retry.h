/* SPDX-License-Identifier: Apache-2.0
 *
 * retry - whether a failed request may be sent once more, within a budget.
 *
 * WHAT  One more try for a request that got no byte of an answer and may be repeated: nothing of
 *       it was sent, or its method is idempotent and its body is still whole in memory. At most 20
 *       % of the active requests may be retries (with a floor of RETRY_FLOOR), so that retries
 *       cannot become a storm when everything fails.
 */
#ifndef TRAFFIC_RETRY_H
#define TRAFFIC_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_SHARE_BP = 2000, RETRY_FLOOR = 3, RETRY_TRIES = 1 };

/* Counted by a worker over all its requests. All zero bytes are the start. */
struct retry_budget {
	uint32_t active;  /* requests in progress, kept by the caller */
	uint32_t retries; /* of those, second tries */
};

struct retry_case {
	bool sent;       /* a byte of it may have reached a backend */
	bool answered;   /* a byte of an answer has come */
	bool idempotent; /* by its method */
	bool body_whole; /* no body, or all that was sent of it is still in memory */
	uint32_t tries;  /* retries made so far */
};

/* True: send it again, retry_done() when that try ends. */
bool retry_take(struct retry_budget *budget, const struct retry_case *c);
void retry_done(struct retry_budget *budget);

#endif
