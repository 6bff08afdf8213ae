/* SPDX-License-Identifier: Apache-2.0
 *
 * upstream - connections to backends: making them, and keeping them for the next request.
 *
 * HOW   upstream_take() gives the connection that was used last, else begins a new one (`connecting`; the
 *       user's drive() is called when it is there). While it is in use, drive() is called whenever it
 *       became readable or writable, and fail() when it cannot be made, or at the deadline that
 *       upstream_deadline() sets. Neither is called from inside upstream_take(). The user receives and
 *       sends himself, by upstream_send() and upstream_receive(), and gives it back with upstream_release(). To a backend of
 *       HTTP/2 it is one request on a connection (gateway/http2_upstream.h), and nothing else about it is different.
 * TIME  An idle connection is kept for UPSTREAM_IDLE_MS: less than servers commonly keep theirs, so that a
 *       request seldom meets one that is being closed.
 * LIMITS backend.connections_max: at it an idle connection makes room for a new one that a user's request needs, first of
 *       those that carry copies. While as many are in use nobody gets one (the backend is full).
 * ERRORS upstream_take(): ERR_UNAVAILABLE when the connection is refused at once, ERR_LIMIT.
 */
#ifndef GATEWAY_UPSTREAM_H
#define GATEWAY_UPSTREAM_H

#include "gateway/core.h"

enum { UPSTREAM_IDLE_MS = 4000, UPSTREAM_AGAIN_MS = 2 };

struct upstream_user {
	void (*drive)(struct worker *w, struct upstream *up);
	void (*fail)(struct worker *w, struct upstream *up, enum failure why);
	void *user;
	uint32_t connect_ms;
	bool fresh;  /* not one that was used before */
	bool apart;  /* for copies: of connections that users never get, as they never get theirs */
	bool proven; /* look whether an idle one is still there: the request cannot be repeated */
};

int upstream_take(struct worker *w, struct backend *backend, const struct upstream_user *user,
		  struct upstream **ret_up);
void upstream_deadline(struct worker *w, struct upstream *up, uint32_t after_ms);
void upstream_release(struct worker *w, struct upstream *up, bool reusable);
void upstream_close_idle(struct worker *w, struct backend *backend);

/* As flow_send() and flow_receive(). */
int upstream_send(struct worker *w, struct upstream *up, struct flow *f, char *head,
		  uint32_t head_size);
int upstream_receive(struct worker *w, struct upstream *up, struct flow *f);

/* A connection of one's own, and its end: of those who carry several requests on it. */
int upstream_connect(struct worker *w, struct backend *b, const struct upstream_user *user,
		     struct upstream **ret_up);
void upstream_close(struct worker *w, struct upstream *up);

#endif
