/* SPDX-License-Identifier: Apache-2.0
 *
 * tally - what happened to every request: outcomes, latencies, who answered; and the report.
 *
 * WHAT  Every request ends in exactly one outcome. Each outcome has one to blame: nobody, the
 * service (its answer carries X-Release and is an error) or davit (all else: no answer, a broken
 * one, a wrong one, an error answer that no release signed).
 *
 * UNITS Latency runs from the moment the schedule meant the request to be sent, not from when it
 * was sent: a stall of the server is charged to every request that should have gone out meanwhile.
 *
 * HOW   tally_outcome() a request; tally_second() writes one JSON line of what changed since the
 * last; tally_summary() writes the last line, {"summary":true,...}.
 */
#ifndef LOAD_TALLY_H
#define LOAD_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define REQUEST_KINDS(X) X(GET, "get") X(POST, "post") X(SLOW, "slow") X(SSE, "sse") X(WS, "ws")

enum request_kind {
#define X(name, text) REQUEST_##name,
	REQUEST_KINDS(X)
#undef X
		REQUEST_KIND_COUNT
};

/* name, key in the report, whom to blame: 0 nobody, 's' the service, 'd' davit */
#define OUTCOMES(X)                                                                                \
	X(OK, "ok", 0)                                                                             \
	X(SERVICE_5XX, "service_5xx", 's')     /* signed by a release */                           \
	X(SERVICE_OTHER, "service_other", 's') /* signed, neither 2xx nor 5xx */                   \
	X(GATEWAY_5XX, "gateway_5xx", 'd')     /* 5xx that no release signed */                    \
	X(GATEWAY_OTHER, "gateway_other", 'd') /* any other answer that no release signed */       \
	X(CONNECT, "connect", 'd')             /* refused, or not accepted in time */              \
	X(RESET, "reset", 'd')                 /* RST or another socket error */                   \
	X(CLOSED, "closed", 'd')               /* end of stream before any byte of the answer */   \
	X(IDLE_CLOSE, "idle_close", 'd')       /* as CLOSED, idempotent, on a reused connection */ \
	X(TRUNCATED, "truncated", 'd')         /* end of stream inside the answer */               \
	X(TIMEOUT, "timeout", 'd')                                                                 \
	X(WRONG_ID, "wrong_id", 'd')   /* the answer of another request */                         \
	X(DUPLICATE, "duplicate", 'd') /* an answer that was already given, or never asked for */  \
	X(BAD_BODY, "bad_body", 'd')   /* length, digest or events are not what was sent */        \
	X(PROTOCOL, "protocol", 'd')   /* not HTTP, not WebSocket */                               \
	X(UNSENT, "unsent", 'd')       /* no connection became free before the end */

enum outcome {
#define X(name, text, blame) OUTCOME_##name,
	OUTCOMES(X)
#undef X
		OUTCOME_COUNT
};

enum { TALLY_BUCKETS = 1280, TALLY_RELEASES = 32, TALLY_REASONS = 24, TALLY_NAME = 64 };

struct histogram { /* microseconds, log-linear, 32 steps an octave: 3 % wide */
	uint64_t count;
	uint64_t max_us;
	uint64_t buckets[TALLY_BUCKETS];
};

struct release_tally {
	char name[TALLY_NAME];
	uint64_t answers; /* every answer signed by it, of any status */
	uint64_t errors;  /* of those, 5xx */
	uint64_t second_answers, second_errors;
	uint64_t first_ms, last_ms; /* since the start */
};

struct reason_tally { /* the gateway's own error answers, by its word for why */
	char name[TALLY_NAME];
	uint64_t count;
};

struct tally {
	FILE *out;
	int64_t start_ns;
	uint64_t held_over_ms;
	uint64_t scheduled, sent, answered, held;
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t kinds[REQUEST_KIND_COUNT];
	struct histogram all[REQUEST_KIND_COUNT], second;
	struct release_tally releases[TALLY_RELEASES];
	size_t release_count;
	struct reason_tally reasons[TALLY_REASONS];
	size_t reason_count;
	int64_t last_ok_ns, max_gap_ns, max_gap_at_ns;
	/* Not failures, but told: */
	uint64_t connections;  /* opened */
	uint64_t idle_closed;  /* closed by the peer while nothing was asked */
	uint64_t idle_retried; /* with --allow-idle-close: sent again on a fresh connection */
	uint64_t ws_opened, ws_closed_clean, ws_closed_boundary, ws_resent, sse_resumed;
	uint64_t cookies, sticky_flips; /* with --users */
	struct {
		uint64_t sent, ok, by_service, by_davit;
	} before; /* at the last tally_second() */
};

void tally_init(struct tally *t, FILE *out, int64_t start_ns, uint64_t held_over_ms);

/* A request has ended. `release` is "" where no release signed; `intended_ns` and `now_ns` are
 * monotonic. */
void tally_outcome(struct tally *t, enum request_kind kind, enum outcome outcome, int status,
		   const char *release, int64_t intended_ns, int64_t now_ns);

/* Besides: an error answer that the gateway made itself, for `reason` ("" when it did not say). */
void tally_reason(struct tally *t, const char *reason);

uint64_t tally_blamed(const struct tally *t, char blame);
const char *outcome_name(enum outcome outcome);
const char *request_kind_name(enum request_kind kind);

void tally_second(struct tally *t, int64_t now_ns, size_t waiting, size_t in_flight);
void tally_summary(struct tally *t, int64_t now_ns);

void histogram_add(struct histogram *h, uint64_t us);
uint64_t histogram_quantile_us(const struct histogram *h, double q); /* 0 when empty */

#endif
