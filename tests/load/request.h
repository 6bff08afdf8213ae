/* SPDX-License-Identifier: Apache-2.0
 *
 * request - one request of the schedule: what it asks, its bytes, and whether its answer is right.
 *
 * WHAT  Everything about request number N (sizes, framing, body bytes) follows from N and the run's
 * id, so that the judge needs no memory of what it sent. The service's side of the agreement:
 *
 *       every answer      X-Load-Id as received, X-Release, X-Instance
 *       GET /item/N?bytes=B&chunked=C    B bytes, framed as asked, X-Body-Digest of them
 *       POST /cart/N      X-Request-Digest and X-Request-Bytes of the body received, X-Body-Digest
 *       GET /slow?ms=M    as /item, after M milliseconds
 *       GET /events?n=K&ms=M&from=F   events "data: ID k" for k = F..K-1, M ms apart, then "data:
 * ID end" GET /ws           WebSocket: echoes text frames
 *
 *       A digest is FNV-1a 64 in 16 hex digits (answer.h).
 */
#ifndef LOAD_REQUEST_H
#define LOAD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "base/buf.h"
#include "tally.h"

enum {
	REQUEST_ID_MAX = 40,
	SSE_EVENTS = 5,
	SSE_GAP_MS = 40,
	SLOW_MAX_MS = 400,
	EXTRA_HEADERS_MAX = 8
};

struct request {
	uint64_t number;
	enum request_kind kind;
	int64_t intended_ns;
	unsigned attempts;   /* times it was put on a wire */
	unsigned next_event; /* SSE: the first event not yet seen; SSE_EVENTS + 1 once "end" was
				seen */
};

struct request_style { /* the same for a whole run */
	char run[16];  /* hex, random */
	char host[256];
	const char *headers[EXTRA_HEADERS_MAX]; /* "Name: value", NULL-terminated unless full */
	uint64_t max_bytes;                     /* no body above this */
};

/* "RUN-NUMBER"; returns `to`. */
const char *request_id(const struct request_style *s, uint64_t number, char to[REQUEST_ID_MAX]);

/* The number in an id of this run; false for any other text. */
bool request_number(const struct request_style *s, const char *id, uint64_t *ret_number);

/* Append the whole request, head and body, to `to`. `cookie` may be "". Returns after how many
 * bytes the sender is to pause (a body that arrives in pieces), 0 for not at all. */
size_t request_write(const struct request *r, const struct request_style *s, const char *cookie,
		     struct buf *to);

/* A whole 2xx answer with the right id: does its body say what it must? Not for WebSockets. */
bool request_body_right(const struct request *r, const struct request_style *s,
			const struct answer *a);

/* One line of an event stream, without its end. False when it is none that this request awaits. */
bool request_take_event(struct request *r, const struct request_style *s, const char *line);

#endif
