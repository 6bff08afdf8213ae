/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics - the interface to what instances count of themselves.
 *
 * WHAT  A scrape asks one instance once for its metrics page, and answers for each selector with the sum
 *       over all series it names: `orders_total{kind="paid"}` (wire/prometheus.h has the grammar).
 *
 * HOW   metrics_ops.scrape() returns at once; `done` is called exactly once, from the loop, never from within
 *       scrape(). cancel() is legal at any time before that; then `done` is not called. The caller asks again
 *       when its interval is over; a target that is still being asked is not asked twice (ERR_CONFLICT).
 *
 *       Counters begin at 0 with each process. The caller takes differences between two answers of one
 *       instance only while its id, its `restarts` and its pid (link/instance.h) are the same at both; else
 *       the second answer is a new beginning. A counter that went down although they are, was set back by
 *       the program itself, and is a new beginning too.
 *       A selector that no series had (`samples` 0) is a counter that has not counted yet, or never will:
 *       programs leave those out. Whether any instance ever had one tells which.
 *
 * OWNS  Everything in a request is copied. An answer is valid during the call.
 * TIME  METRICS_TIMEOUT_MS for all of it. `read_ms` is env_now_ms() of its last byte.
 *
 * ERRORS of a scrape, with a sentence: ERR_TIMEOUT; ERR_UNAVAILABLE: no connection, or it broke;
 *       ERR_DENIED: another status than 200; ERR_CORRUPT: not a metrics page; ERR_LIMIT: too large. There is
 *       no partial answer.
 *
 * LIMITS METRICS_BODY_MAX bytes a page, METRICS_SELECTORS_MAX selectors, METRICS_SCRAPES_MAX scrapes at a time.
 */
#ifndef PROVIDER_METRICS_H
#define PROVIDER_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	METRICS_SELECTORS_MAX = 32,
	METRICS_SCRAPES_MAX = 128,
	METRICS_BODY_MAX = 1 << 20,
	METRICS_TIMEOUT_MS = 1000,
	METRICS_ADDRESS_SIZE = 128,
	METRICS_PATH_SIZE = 1025, /* as davit.yaml bounds it */
};

struct metrics_request {
	const char *address; /* "127.0.0.1:20017" */
	const char *path;    /* begins with '/' */
	const char *const *selectors;
	size_t selector_count;
};

struct metrics_value {
	double sum; /* not finite when a sample is not */
	uint32_t samples;
};

struct metrics_answer {
	int code; /* 0, or why there are no values */
	const char *sentence;
	uint64_t read_ms;
	size_t count;
	struct metrics_value values[METRICS_SELECTORS_MAX]; /* in the order of the selectors */
};

typedef void (*metrics_done)(void *context, const struct metrics_answer *answer);

struct metrics;

struct metrics_ops {
	/* ERR_CONFLICT: this address and path are being asked. ERR_INVALID: a selector. ERR_LIMIT. */
	int (*scrape)(struct metrics *metrics, const struct metrics_request *request,
		      metrics_done done, void *context, uint64_t *ret_scrape, struct error *err);
	void (*cancel)(struct metrics *metrics, uint64_t scrape);
};

struct metrics {
	const struct metrics_ops *ops;
};

#endif
