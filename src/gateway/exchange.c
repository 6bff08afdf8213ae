/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange - see exchange.h for the contract.
 */
#include "gateway/exchange.h"

#include <string.h>

#include "gateway/access_log.h"
#include "gateway/account.h"
#include "gateway/carry.h"
#include "gateway/clear.h"
#include "gateway/client.h"
#include "gateway/closed.h"
#include "gateway/forward.h"
#include "gateway/http2.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/pairing.h"
#include "gateway/preview_link.h"
#include "gateway/queue.h"
#include "gateway/room.h"
#include "gateway/route.h"
#include "gateway/shadow.h"
#include "gateway/tunnel.h"
#include "gateway/upstream.h"
#include "wire/http1_write.h"

static const struct table_environment *environment_of(const struct exchange *x)
{
	return x->route->environment;
}

uint8_t exchange_minor(const struct exchange *x)
{
	return x->client->stream ? 0 : x->head.minor;
}

struct exchange *exchange_new(struct worker *w, struct client *client)
{
	struct exchange *x = slab_take(&w->exchanges);
	x->client = client;
	x->avoid = BALANCE_NONE;
	x->whole = true;
	http1_head_init(&x->head);
	http1_head_init(&x->answer);
	x->request.buffer = client->surplus;
	x->request.raw = client->surplus_size;
	if (client->surplus && w->live)
		timer_set(&w->wheel, &client->timer, w->now_ms + w->live->table->limits.header_ms);
	client->surplus = NULL;
	client->surplus_size = 0;
	client->x = x;
	return x;
}

/* ── the end ──────────────────────────────────────────────────────────────────────────────────────── */

static void leave_backend(struct worker *w, struct exchange *x)
{
	if (!x->backend)
		return;
	backend_ended(x->backend);
	backend_unref(w, x->backend);
	x->backend = NULL;
}

void exchange_detach(struct worker *w, struct exchange *x, bool reusable)
{
	if (x->up)
		upstream_release(w, x->up, reusable);
	x->up = NULL;
	leave_backend(w, x);
}

void exchange_leave_budget(struct worker *w, struct exchange *x)
{
	if (x->retried)
		retry_done(&w->retry);
	x->retried = false;
}

void exchange_free(struct worker *w, struct exchange *x)
{
	w->lasting_count -= x->lasting;
	shadow_leave(w, x);
	pairing_leave(w, x, PAIRING_LEFT);
	exchange_detach(w, x, false);
	exchange_leave_budget(w, x);
	if (x->active)
		w->retry.active--;
	if (x->room)
		room_leave(w, x, ROOM_GONE);
	if (x->queue)
		queue_gone(w, x);
	flow_done(&x->request, &w->buffers);
	flow_done(&x->response, &w->buffers);
	if (x->live)
		live_unref(w, x->live);
	x->client->x = NULL;
	slab_give(&w->exchanges, x);
}

enum turn exchange_cancel(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	account_cancelled(w, x);
	account_end(w, x);
	if (x->route)
		access_log_write(w, x);
	exchange_free(w, x);
	c->broken = true;
	client_close(w, c);
	return TURN_ENDED;
}

/* What follows the request in its buffer is the beginning of the next one. */
static void keep_surplus(struct exchange *x)
{
	struct flow *f = &x->request;
	uint32_t size = f->raw - f->ready;
	if (size == 0)
		return;
	memmove(f->buffer->data, f->buffer->data + f->ready, size);
	x->client->surplus = f->buffer;
	x->client->surplus_size = size;
	f->buffer = NULL;
	f->sent = f->ready = f->raw = 0;
}

enum turn exchange_end(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	bool whole_request = x->request.ended && x->head_size > 0 && !x->cut;
	bool keep = x->keep && whole_request;
	account_end(w, x);
	if (x->route)
		access_log_write(w, x);
	if (keep)
		keep_surplus(x);
	bool clean = whole_request && x->request.raw == x->request.ready;
	exchange_free(w, x);
	client_exchange_over(w, c, keep, clean);
	return TURN_ENDED;
}

/* ── answers of our own ───────────────────────────────────────────────────────────────────────────── */

static enum turn drive_own(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	if (c->writable && flow_pending(&x->response)) {
		int sent = client_put(w, c, &x->response, NULL, 0);
		if (sent == FLOW_ERROR)
			return exchange_cancel(w, x);
		c->moved_bytes += sent > 0 ? (uint64_t)sent : 0;
		c->writable = !flow_pending(&x->response);
	}
	return flow_pending(&x->response) ? TURN_BLOCKED : exchange_end(w, x);
}

enum turn exchange_answer(struct worker *w, struct exchange *x, const struct head_own *own)
{
	struct client *c = x->client;
	struct head_own what = *own;
	ASSERT(!x->answer_begun);
	if (x->tcp)
		return carry_refuse(w, x, own->status);
	account_end(w, x);
	exchange_detach(w, x, false);
	flow_done(&x->response, &w->buffers);
	x->phase = EXCHANGE_OWN;
	x->keep = x->head_size > 0 && x->head.keep_alive && x->request.ended && !own->close &&
		  !w->draining;
	what.close = !x->keep;
	x->status = (uint16_t)own->status;
	x->response.ended = true;
	x->answer_begun = true;
	timer_set(&w->wheel, &c->timer, w->now_ms + EXCHANGE_PACE_MS);
	uint32_t size = head_write_own(x, &what, w->scratch, SCRATCH_SIZE);
	int sent = client_put(w, c, &x->response, w->scratch, size);
	if (sent == FLOW_ERROR)
		return exchange_cancel(w, x);
	c->writable = !flow_pending(&x->response);
	return drive_own(w, x);
}

/* ── routing ──────────────────────────────────────────────────────────────────────────────────────── */

enum turn exchange_dispatch(struct worker *w, struct exchange *x)
{
	enum turn answered;
	if (x->tcp)
		return carry_dispatch(w, x);
	if (clear_dispatch(w, x, &answered))
		return answered;
	enum route_decision decision = route_choose(w, x);
	if (decision != ROUTE_NOWHERE && environment_of(x)->body_max_bytes &&
	    x->head.length > environment_of(x)->body_max_bytes)
		return exchange_answer(
			w, x,
			&(struct head_own){.status = 413,
					   .reason = "body-limit",
					   .close = true,
					   .text = "The request's body is too large."});
	switch (decision) {
	case ROUTE_RELEASE: break;
	case ROUTE_HOLD: return room_enter(w, x);
	case ROUTE_MAINTENANCE:
	case ROUTE_READ_ONLY: return closed_answer(w, x, decision == ROUTE_READ_ONLY);
	case ROUTE_LINK: return preview_link_answer(w, x);
	case ROUTE_UNSERVED:
		account_environment(w, environment_of(x), COUNTERS_ENVIRONMENT_UNROUTED);
		return exchange_answer(
			w, x,
			&(struct head_own){.status = 503,
					   .reason = "unserved",
					   .retry_after_s = 1,
					   .text = "No release serves this address."});
	case ROUTE_NOWHERE:
		account_worker(w, COUNTERS_WORKER_NO_ROUTE);
		return exchange_answer(
			w, x,
			&(struct head_own){.status = 404,
					   .reason = "no-route",
					   .text = "Nothing is served at this address."});
	}
	if (!x->active) {
		x->active = true;
		w->retry.active++;
	}
	x->client->moved_bytes = 0;
	x->paced_ms = w->now_ms;
	timer_set(&w->wheel, &x->client->timer, w->now_ms + EXCHANGE_PACE_MS);
	return exchange_try(w, x);
}

/* ── the head ─────────────────────────────────────────────────────────────────────────────────────── */

static enum turn bad_request(struct worker *w, struct exchange *x)
{
	account_worker(w, COUNTERS_WORKER_BAD_REQUESTS);
	unsigned status = x->head.status ? x->head.status : 400;
	return exchange_answer(w, x,
			       &(struct head_own){.status = status,
						  .reason = "bad-request",
						  .close = true,
						  .text = x->head.reason});
}

static enum turn head_complete(struct worker *w, struct exchange *x, uint32_t size)
{
	x->head_size = size;
	x->taken_us = worker_now_us();
	x->keep = x->head.keep_alive;
	x->request.keep = true;
	flow_body(&x->request, size, (enum http1_framing)x->head.framing, x->head.length);
	if (x->head.framing == HTTP1_FRAMING_CHUNKED)
		chunked_init(&x->request.chunked, CHUNKED_FRAMED);
	head_identify(w, x);
	access_log_note(x);
	if (flow_take(&x->request) < 0) {
		x->head.reason = x->request.chunked.reason;
		x->head.status = 400;
		return bad_request(w, x);
	}
	return exchange_dispatch(w, x);
}

/* Nothing of a request has come: the client is idle (again). */
static enum turn nothing_yet(struct worker *w, struct exchange *x, bool ended)
{
	struct client *c = x->client;
	exchange_free(w, x);
	if (ended)
		client_close(w, c);
	return TURN_ENDED;
}

/* A client in clear that knows beforehand that HTTP/2 is spoken here. */
static bool begins_http2(const struct worker *w, const struct exchange *x)
{
	const struct client *c = x->client;
	return !c->tls && !c->stream && !c->used && !http2_is_off(w, c) &&
	       http2_is_preface(x->request.buffer->data, x->request.raw);
}

static enum turn go_on_with_http2(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	struct buffer *came = x->request.buffer;
	uint32_t size = x->request.raw;
	x->request.buffer = NULL;
	exchange_free(w, x);
	bool begun = http2_begin(w, c, came->data, size);
	buffer_give(&w->buffers, came);
	return begun ? TURN_ON : TURN_ENDED;
}

static enum turn drive_head(struct worker *w, struct exchange *x)
{
	struct flow *f = &x->request;
	struct client *c = x->client;
	for (;;) {
		if (f->raw > 0) {
			int size = http1_parse_request(&x->head, f->buffer->data, f->raw,
						       &http1_limits_default);
			if (size < 0 && begins_http2(w, x))
				return go_on_with_http2(w, x);
			if (size < 0)
				return bad_request(w, x);
			if (size > 0)
				return head_complete(w, x, (uint32_t)size);
			bool room = f->raw < f->buffer->capacity || flow_grow(f, &w->buffers);
			ASSERT(room); /* the parser's limit is below the largest buffer */
		}
		if (!c->readable)
			break;
		bool first = f->raw == 0;
		int got = client_take(w, c, f);
		if (got == FLOW_END || got == FLOW_ERROR)
			return nothing_yet(w, x, true);
		if (got == FLOW_WAIT) {
			c->readable = false;
			break;
		}
		c->readable = !f->drained || c->peer_ended;
		if (first)
			timer_set(&w->wheel, &c->timer,
				  w->now_ms + (w->live ? w->live->table->limits.header_ms
						       : CLIENT_LINGER_MS));
	}
	return f->raw == 0 ? nothing_yet(w, x, false) : TURN_BLOCKED;
}

enum turn exchange_drive(struct worker *w, struct exchange *x)
{
	switch (x->phase) {
	case EXCHANGE_HEAD:
		return x->tcp || (x->request.raw == 0 && carry_begins(w, x->client))
			       ? carry_begin(w, x)
			       : drive_head(w, x);
	case EXCHANGE_HELD:
	case EXCHANGE_QUEUED: return x->client->peer_ended ? exchange_cancel(w, x) : TURN_BLOCKED;
	case EXCHANGE_CONNECTING: return x->up->connecting ? TURN_BLOCKED : exchange_begin(w, x);
	case EXCHANGE_CARRYING: return carry_on(w, x);
	case EXCHANGE_FORWARDING:
	case EXCHANGE_TUNNEL: return forward_pump(w, x);
	case EXCHANGE_OWN: return drive_own(w, x);
	}
	ASSERT(false);
}

/* It waits for 100 before it sends anything: as long as one waits for an answer, for many a backend says no 100. */
static bool asks_first(const struct worker *w, const struct exchange *x)
{
	return x->head.expect_continue && x->interims == 0 && x->request.body_bytes == 0 &&
	       w->now_ms - x->progress_ms < environment_of(x)->timeouts.answer_ms;
}

/* What goes out at the end of this turn does not wait for the client; but that others of its connection do, as when they
 * are reset, takes nothing from one that has no window. */
static bool goes_out(struct client *c)
{
	const struct client *connection = client_connection(c);
	return connection->queued_again && connection->writable &&
	       !(c->stream && http2_window_is_shut(c->stream));
}

static bool too_slow(const struct worker *w, const struct exchange *x)
{
	struct client *c = x->client;
	bool sends = x->phase == EXCHANGE_FORWARDING && !x->request.ended && !asks_first(w, x) &&
		     !flow_pending(&x->request) && !x->answer_begun;
	bool takes = flow_pending(&x->response) && !goes_out(c);
	uint64_t least =
		(uint64_t)w->live->table->limits.body_bytes_per_s * EXCHANGE_PACE_MS / 1000;
	return (sends || takes) && c->moved_bytes < least;
}

enum turn exchange_timer(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	switch (x->phase) {
	case EXCHANGE_HEAD:
		account_worker(w, COUNTERS_WORKER_SLOW_CLIENTS);
		return exchange_answer(w, x,
				       &(struct head_own){.status = 408,
							  .reason = "slow",
							  .close = true,
							  .text = "The request took too long."});
	case EXCHANGE_HELD:
		room_leave(w, x, ROOM_TIMEOUT);
		return exchange_answer(w, x,
				       &(struct head_own){.status = 503,
							  .reason = "hold-timeout",
							  .retry_after_s = 5,
							  .text = "The application is not ready."});
	case EXCHANGE_QUEUED: return queue_timeout(w, x);
	case EXCHANGE_TUNNEL: return tunnel_timer(w, x);
	case EXCHANGE_CARRYING: return carry_timer(w, x);
	case EXCHANGE_CONNECTING:
	case EXCHANGE_FORWARDING:
	case EXCHANGE_OWN: break;
	}
	if (x->lasting && tunnel_stream_timer(w, x) == TURN_ON)
		return TURN_ON;
	if (w->now_ms < x->paced_ms + EXCHANGE_PACE_MS) { /* the timer had another reason */
		timer_set(&w->wheel, &c->timer, x->paced_ms + EXCHANGE_PACE_MS);
		return TURN_BLOCKED;
	}
	if (too_slow(w, x)) {
		account_worker(w, COUNTERS_WORKER_SLOW_CLIENTS);
		/* What it has not taken would else stay in the kernel, for as long as it likes. */
		c->abort = flow_pending(&x->response);
		return exchange_cancel(w, x);
	}
	c->moved_bytes = 0;
	x->paced_ms = w->now_ms;
	timer_set(&w->wheel, &c->timer, w->now_ms + EXCHANGE_PACE_MS);
	return TURN_BLOCKED;
}
