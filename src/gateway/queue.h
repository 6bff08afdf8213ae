/* SPDX-License-Identifier: Apache-2.0
 *
 * queue - where requests wait for a connection to a backend, while each of their release is at its limit.
 *
 * WHAT  One queue for a release and process, of this worker: first in, first out. Those at and below the paths of
 *       table_queue.first go before the others, and have as many places of their own.
 * HOW   queue_enter() when balance_choose() says ERR_LIMIT, or others wait already (queue_before()). A connection that is
 *       given back makes the queues due, and the worker's loop turns them (queue_turn_all()): never whoever gave it
 *       back. A request that has not been given to its release yet is not counted in it while it waits; after a change
 *       of table it is routed anew, so that it never goes where an older one would have sent it.
 *       It leaves by its turn, by its deadline (503, Retry-After), or with its client.
 * TIME  The deadline is that of its first wait, however often it waits. QUEUE_LOOK_MS is how soon is seen what no
 *       connection tells: that a backend is no longer ejected.
 * LIMITS table_queue, per worker and queue: over it 503 and Retry-After, an error of the release as any other.
 */
#ifndef GATEWAY_QUEUE_H
#define GATEWAY_QUEUE_H

#include "gateway/exchange.h"

enum { QUEUE_LOOK_MS = 100, QUEUE_RETRY_AFTER_S = 1 };

/* Whether somebody waits before it where its release was chosen. */
bool queue_before(const struct worker *w, const struct exchange *x);

/* Let it wait, or answer it 503 when there is no place. */
enum turn queue_enter(struct worker *w, struct exchange *x);

/* Its deadline is over: it leaves, and is answered 503. */
enum turn queue_timeout(struct worker *w, struct exchange *x);

/* Its client is gone. */
void queue_gone(struct worker *w, struct exchange *x);

/* Let go what may go. */
void queue_turn_all(struct worker *w);
void queue_done_all(struct worker *w);

#endif
