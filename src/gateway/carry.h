/* SPDX-License-Identifier: Apache-2.0
 *
 * carry - a client's connection that is passed on whole, for what is not HTTP.
 *
 * WHAT  An exchange whose request is all that the client sends, and whose answer all that its backend does. It goes the
 *       way of a request: its environment's mode, a release by weight, the least busy of two backends, a queue where they
 *       are at their limit of connections, another backend or the live release where one cannot be reached. Nothing is
 *       read of the client before a backend is there.
 * HOW   A listener of an environment with `tcp` makes one of each connection (carry_begins()). Both directions have a
 *       bounded buffer, and end each for itself: the end of one is passed on, and the other lasts.
 *       It is counted as answered with the first byte of its backend, or when both sides have been silent for
 *       CARRY_QUIET_MS: a client may keep it for later, and nothing hangs. A backend that cannot be reached, breaks it, or
 *       ends it without a byte, is an error of its release; not while the client has ended its side, nor of one that both
 *       have kept for later.
 *       From a network of `proxies` it begins with a header of the PROXY protocol (wire/proxy2.h), which has as long as the
 *       head of a request: its client is the one of the header. With `proxy_v2` its backend gets such a header first.
 *       What cannot be carried is closed with a reset: there is nothing that could be said.
 * TIME  Closed when nothing passes for tunnel_idle_ms, or for CARRY_LAST_MS after its backend ended its side. Where the
 *       backend takes nothing new any more, it has tunnel_drain_ms to end by itself, less up to a tenth, so that not all
 *       clients come back at once (gateway/tunnel.h). In a worker that is to end, it has the worker's time.
 */
#ifndef GATEWAY_CARRY_H
#define GATEWAY_CARRY_H

#include "gateway/exchange.h"

enum { CARRY_LAST_MS = 30000, CARRY_QUIET_MS = 1000 };

/* Whether the client's listener passes connections on. */
bool carry_begins(const struct worker *w, const struct client *client);

/* Go on as long as it is not known whose it is, then give it to a release. */
enum turn carry_begin(struct worker *w, struct exchange *x);

/* Give it to a release, the first time or after it has waited. */
enum turn carry_dispatch(struct worker *w, struct exchange *x);

/* Its backend is there. */
enum turn carry_connected(struct worker *w, struct exchange *x);

/* Move what can be moved. */
enum turn carry_on(struct worker *w, struct exchange *x);

/* It cannot be carried; the log has `status`, as a request would have got it. */
enum turn carry_refuse(struct worker *w, struct exchange *x, unsigned status);

enum turn carry_timer(struct worker *w, struct exchange *x);

#endif
