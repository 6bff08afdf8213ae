/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_upstream - connections to backends that speak HTTP/2 (with prior knowledge, in clear), by libnghttp2.
 *
 * WHAT  Several requests are on one connection. Each is to its user what a connection of HTTP/1.1 is: a struct upstream, without a
 *       socket, which gateway/upstream.h gives for a backend of which `http2` is true, and which takes a request and gives
 *       its answer as bytes of HTTP/1.1. gateway/http2_call.h has those; here are the frames.
 * HOW   The connection itself is a struct upstream whose user this is. What comes from it is only noted inside libnghttp2, and
 *       acted on when that has returned. A request goes to the first connection that takes one more, else to a new one; one
 *       that a backend wants to end (GOAWAY), or on which nothing came within a request's time, gets no more.
 * OWNS  The backend has the list; a connection lives until its socket and the last of its requests are gone.
 * TIME  One without requests is kept for UPSTREAM_IDLE_MS.
 * LIMITS HTTP2_UPSTREAM_CALLS at a time, given up ones that it was not told of among them, or what the backend allows if that is less; a backend's limit of connections bounds
 *       its requests at a time as well. Windows as in gateway/http2.h.
 * SOURCE RFC 9113; section 3.3 for prior knowledge.
 */
#ifndef GATEWAY_HTTP2_UPSTREAM_H
#define GATEWAY_HTTP2_UPSTREAM_H

#include "gateway/core.h"
#include "gateway/http2_frames.h"
#include "gateway/upstream.h"
#include "wire/http2_call.h"

enum { HTTP2_UPSTREAM_CALLS = 100 };

struct nghttp2_session;
struct http2_call;

struct http2_upstream {
	struct worker *worker;
	struct http2_upstream *next; /* of the backend */
	struct upstream *carrier;    /* NULL: lost */
	struct nghttp2_session *session;
	struct http2_call *calls; /* all */
	struct http2_call *ready, **ready_end;
	struct http2_answer answer; /* whose fields are being read */
	struct buffer *heading;     /* where it is made; NULL: none is */
	struct http2_frames out;
	uint32_t users;      /* calls that somebody has */
	uint32_t call_count; /* and those that libnghttp2 still knows */
	uint64_t idle_since_ms;
	uint64_t heard_ms; /* something came */
	bool turning;      /* in its own drive() */
	bool left;         /* gets no more calls */
	bool broken;       /* to be ended as soon as nobody is inside */
};

void http2_upstream_init(struct worker *w);
void http2_upstream_done(struct worker *w);

/* As upstream_take(). */
int http2_upstream_take(struct worker *w, struct backend *backend, const struct upstream_user *user,
			struct upstream **ret_up);

/* Those that nobody uses. */
void http2_upstream_close_idle(struct backend *backend);

/* ── of its calls (gateway/http2_call.h) ── */

/* Have what was given to libnghttp2 written: now, or when its turn is over. */
void http2_upstream_flush(struct http2_upstream *h);
/* A call has lost its user. */
void http2_upstream_left(struct http2_upstream *h);

#endif
