/* SPDX-License-Identifier: Apache-2.0
 *
 * live - a table turned into what requests are routed by, and the backends that outlive tables.
 *
 * HOW   live_prepare() checks with the gateway's own guard and resolves addresses: after it nothing can
 *       fail any more. live_activate() makes the prepared table the current one, from which on backends'
 *       state is copied into its entries; idle connections to backends that take no new requests are
 *       closed. An exchange holds the table it was routed by (live_ref()).
 * OWNS  live_prepare() takes the table, also when it fails.
 */
#ifndef GATEWAY_LIVE_H
#define GATEWAY_LIVE_H

#include "gateway/core.h"

int live_prepare(struct worker *w, struct gateway_table *table, const int *listener_fds, bool saved,
		 struct error *err) MUST_CHECK;

/* Use the prepared table from now on, if it is the one in `generation`. False: it is not. */
bool live_activate(struct worker *w, uint64_t generation);

struct live *live_ref(struct live *live);
void live_unref(struct worker *w, struct live *live);
void live_done(struct worker *w); /* drop all that is still there */

void backend_unref(struct worker *w, struct backend *backend);

/* A request is given to the backend, or has left it. */
void backend_started(struct backend *backend);
void backend_ended(struct backend *backend);

/* One more of its connections is in use, or one fewer. */
void backend_took(struct backend *backend);
void backend_gave(struct worker *w, struct backend *backend);

/* How a try went, for passive health. `pool` is where it was chosen from. */
void backend_succeeded(struct backend *backend);
void backend_failed(struct worker *w, struct backend *backend, const struct live_pool *pool);

/* The route for a request's host and path on listener `index`, or NULL. */
const struct live_route *live_route_find(const struct live *live, int index, const char *host,
					 size_t host_size, const char *path, size_t path_size);

/* The class of a path, within the route's environment; 0 = no class names it. */
uint8_t live_class(const struct live_route *route, const char *path, size_t size);

/* Whether the peer is one of the trusted networks. */
bool live_trusts(const struct live *live, const char *address);

#endif
