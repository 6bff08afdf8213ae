/* SPDX-License-Identifier: Apache-2.0
 *
 * tunnel - what may last for days: a WebSocket after its 101, whose bytes pass both ways unread until both
 *          sides have ended; and, for its end alone, an answer that is a stream of events.
 *
 * HOW   tunnel_begin() when the 101 is known; the bytes then go the way of every body (gateway/forward.h).
 *       When the backend of a tunnel takes no new requests any more, the tunnel is recalled at a random
 *       instant within the environment's tunnel_drain_ms: between two frames of the client the backend is
 *       sent a Close frame, 1012 (service restart), as if the client had sent it. What the backend still
 *       had to say arrives, then its own Close, and the client comes back to another backend.
 *       A stream of events (in chunks) is ended in good form between two events: the client asks again,
 *       as every EventSource does.
 * TIME  A backend that does not close within TUNNEL_CLOSE_MS after that is left.
 */
#ifndef GATEWAY_TUNNEL_H
#define GATEWAY_TUNNEL_H

#include "gateway/exchange.h"

enum { TUNNEL_CLOSE_MS = 3000 };

/* The answer is a 101 with a head of `head_size` bytes; its new head lies in the worker's scratch memory,
 * `size` bytes long, when this returns it. */
uint32_t tunnel_begin(struct worker *w, struct exchange *x, uint32_t head_size);

/* Bytes of the client, ready since `from`, are to pass. */
void tunnel_pass(struct worker *w, struct exchange *x, uint32_t from);

/* A connection of TCP is there, whose timer runs: it is recalled as tunnels are, when `x->recall_ms` is due. */
void tunnel_last(struct worker *w, struct exchange *x);

/* The answer is a stream of events. */
void tunnel_stream(struct worker *w, struct exchange *x);

/* Chunks of its events have come and are ready. */
void tunnel_stream_passed(struct worker *w, struct exchange *x);

/* The stream is to end, if it is time: now, or between the next two events. */
enum turn tunnel_stream_timer(struct worker *w, struct exchange *x);

/* One side may have ended: tell the other, or end the exchange. */
enum turn tunnel_turn(struct worker *w, struct exchange *x);

enum turn tunnel_timer(struct worker *w, struct exchange *x);

/* After a change of table: recall those of both kinds whose backend is leaving. */
void tunnel_recall_all(struct worker *w);
/* The time that a drain has is another one: those that were to leave later leave within it. */
void tunnel_recall_again(struct worker *w);

#endif
