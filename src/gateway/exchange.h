/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange - one request from its first byte to the last one of its answer.
 *
 * WHAT  HEAD → (HELD) → (QUEUED) → CONNECTING → FORWARDING → (TUNNEL), or OWN where davit answers itself. A try that
 *       fails before a byte of an answer goes to another backend of the release once, if it may be
 *       repeated (traffic/retry.h; a connection that cannot be made does not count as a try, up to
 *       EXCHANGE_CONNECTS_MAX). When a release that is not the live one has failed for good, the request
 *       is rescued by the live one, and the failure stays with the former.
 * HOW   exchange_drive() goes on as far as it can. Everything that may end the exchange returns a turn.
 */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "gateway/core.h"
#include "gateway/head.h"

enum {
	EXCHANGE_CONNECTS_MAX = 3,
	EXCHANGE_INTERIMS_MAX = 16,
	EXCHANGE_PACE_MS = 5000, /* how often a client's pace is looked at */
};

/* The 0 or 1 of HTTP/1.x that the answer's body is framed by: in a stream of HTTP/2 nothing has to be put around it, as for
 * clients of 1.0. */
uint8_t exchange_minor(const struct exchange *x);

/* Begin with the client's surplus, or with nothing. */
struct exchange *exchange_new(struct worker *w, struct client *client);
enum turn exchange_drive(struct worker *w, struct exchange *x);

/* Route (again) and go on: for a new request, and for one that was held. */
enum turn exchange_dispatch(struct worker *w, struct exchange *x);

/* Give it to a backend of x->release, or let it wait for one. */
enum turn exchange_try(struct worker *w, struct exchange *x);

/* The connection that it was given is there. */
enum turn exchange_begin(struct worker *w, struct exchange *x);

/* The present try failed. */
enum turn exchange_failed(struct worker *w, struct exchange *x, enum failure why);

/* The present try was answered with 5xx, of which the client has nothing yet: may the live release take it over? Then
 * exchange_shield() counts the answer where it came from, and gives the request to the live release. */
bool exchange_may_shield(struct worker *w, const struct exchange *x);
enum turn exchange_shield(struct worker *w, struct exchange *x);

/* Answer it ourselves; a backend is let go. */
enum turn exchange_answer(struct worker *w, struct exchange *x, const struct head_own *own);

/* The client is gone: drop everything. The client itself is closed too. */
enum turn exchange_cancel(struct worker *w, struct exchange *x);

/* Give everything back that it holds; its client has none then. */
void exchange_free(struct worker *w, struct exchange *x);

/* It is over: account, log, give everything back, and let the client go on or close it. */
enum turn exchange_end(struct worker *w, struct exchange *x);

/* The client's timer came. */
enum turn exchange_timer(struct worker *w, struct exchange *x);

/* A second try that has its answer is a retry no longer: a stream or a tunnel may last for days. */
void exchange_leave_budget(struct worker *w, struct exchange *x);

/* Let the upstream go. */
void exchange_detach(struct worker *w, struct exchange *x, bool reusable);

#endif
