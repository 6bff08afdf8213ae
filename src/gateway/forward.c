/* SPDX-License-Identifier: Apache-2.0
 *
 * forward - see forward.h for the contract.
 *
 * A socket counts as readable until a receive came back short: then the next event says so again. Where
 * the peer has already said that it ends, the end itself is still to be received.
 */
#include "gateway/forward.h"

#include <string.h>
#include <sys/socket.h>

#include "gateway/account.h"
#include "gateway/client.h"
#include "gateway/http2_call.h"
#include "gateway/http2_stream.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/pairing.h"
#include "gateway/shadow.h"
#include "gateway/tunnel.h"
#include "gateway/upstream.h"
#include "wire/http1_write.h"

static const struct table_timeouts *timeouts_of(const struct exchange *x)
{
	return &x->route->environment->timeouts;
}

/* For a connection to the backend that it is tried at next. */
static bool waits(const struct exchange *x)
{
	return x->phase == EXCHANGE_CONNECTING || x->phase == EXCHANGE_QUEUED;
}

enum turn forward_begin(struct worker *w, struct exchange *x)
{
	struct upstream *up = x->up;
	x->phase = EXCHANGE_FORWARDING;
	if (!up->reused && up->connect_us) {
		account_time(w, x, COUNTERS_CONNECT, up->connect_us);
		up->connect_us = 0;
	}
	uint32_t size = head_write_request(x, HEAD_REAL, w->scratch, SCRATCH_SIZE);
	up->sent = true;
	x->progress_ms = w->now_ms;
	int sent = upstream_send(w, up, &x->request, w->scratch, size);
	if (sent == FLOW_ERROR)
		return exchange_failed(w, x, FAILURE_RESET);
	up->writable = !flow_pending(&x->request);
	upstream_deadline(w, up, timeouts_of(x)->answer_ms);
	shadow_send(w, x);
	return TURN_ON;
}

/* ── to the backend ───────────────────────────────────────────────────────────────────────────────── */

/* What comes by HTTP/2 may get a chunk's bytes around it. */
static uint32_t usable_room(struct worker *w, struct flow *f, bool by_http2)
{
	uint32_t room = flow_room(f, &w->buffers);
	return by_http2 && room <= HTTP2_CHUNK_EXTRA ? 0 : room;
}

/* Room to receive into, at the price of the chance to send the request again. */
static uint32_t request_room(struct worker *w, struct exchange *x)
{
	struct flow *f = &x->request;
	bool by_http2 = x->client->stream != NULL;
	uint32_t room = usable_room(w, f, by_http2);
	if (room > 0 || !f->keep)
		return room;
	if (f->buffer->capacity < BUFFER_USUAL && flow_grow(f, &w->buffers))
		return usable_room(w, f, by_http2);
	x->whole = false;
	flow_forget(f);
	return usable_room(w, f, by_http2);
}

static enum turn body_broken(struct worker *w, struct exchange *x, unsigned status,
			     const char *reason, const char *text)
{
	account_worker(w, COUNTERS_WORKER_BAD_REQUESTS);
	if (x->answer_begun)
		return exchange_cancel(w, x);
	account_cancelled(w, x);
	return exchange_answer(
		w, x,
		&(struct head_own){
			.status = status, .reason = reason, .close = true, .text = text});
}

static enum turn receive_request(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	struct flow *f = &x->request;
	if (f->ended || !c->readable || !request_room(w, x))
		return TURN_BLOCKED;
	int got = client_take(w, c, f);
	if (got == FLOW_END && x->phase == EXCHANGE_TUNNEL) {
		c->readable = false;
		flow_source_ended(f, &w->buffers);
		return TURN_ON;
	}
	if (got == FLOW_END || got == FLOW_ERROR)
		return exchange_cancel(w, x);
	if (got == FLOW_WAIT) {
		c->readable = false;
		return TURN_BLOCKED;
	}
	c->readable = !f->drained || c->peer_ended;
	c->moved_bytes += (uint64_t)got;
	if (x->phase == EXCHANGE_TUNNEL) {
		uint32_t from = f->ready;
		x->progress_ms = w->now_ms;
		flow_take(f);
		tunnel_pass(w, x, from);
		return TURN_ON;
	}
	uint32_t from = f->ready;
	if (flow_take(f) < 0)
		return body_broken(w, x, 400, "bad-request", f->chunked.reason);
	uint32_t most = x->route->environment->body_max_bytes;
	if (most && f->body_bytes > most)
		return body_broken(w, x, 413, "body-limit", "The request's body is too large.");
	shadow_body(w, x, from);
	return TURN_ON;
}

static enum turn send_request(struct worker *w, struct exchange *x)
{
	struct upstream *up = x->up;
	struct flow *f = &x->request;
	if (!up->writable || !flow_pending(f))
		return TURN_BLOCKED;
	int sent = upstream_send(w, up, f, NULL, 0);
	up->writable = sent > 0 && !flow_pending(f);
	if (sent == FLOW_ERROR) {
		/* It may have answered before it closed: that answer counts. */
		up->readable = true;
		if (!f->ended)
			x->whole = false;
		x->cut = !f->ended;
		f->ended = true;
		f->sent = f->ready;
		f->head_sent = f->head_size;
		return TURN_ON;
	}
	if (sent <= 0)
		return TURN_BLOCKED;
	if (!x->answer_known)
		upstream_deadline(w, up, timeouts_of(x)->answer_ms);
	return TURN_ON;
}

static enum turn move_request(struct worker *w, struct exchange *x)
{
	enum turn sent = send_request(w, x);
	enum turn received = receive_request(w, x);
	if (received == TURN_ENDED || x->phase == EXCHANGE_OWN)
		return received;
	if (received == TURN_ON)
		sent = send_request(w, x);
	return sent == TURN_ON || received == TURN_ON ? TURN_ON : TURN_BLOCKED;
}

/* ── to the client ────────────────────────────────────────────────────────────────────────────────── */

static enum turn send_answer(struct worker *w, struct exchange *x, char *head, uint32_t size)
{
	struct client *c = x->client;
	int sent = client_put(w, c, &x->response, head, size);
	if (sent == FLOW_ERROR)
		return exchange_cancel(w, x);
	c->writable = !flow_pending(&x->response);
	c->moved_bytes += sent > 0 ? (uint64_t)sent : 0;
	return TURN_ON;
}

static void start_body(struct exchange *x, uint32_t head_size)
{
	struct flow *f = &x->response;
	enum http1_framing in = (enum http1_framing)x->answer.framing;
	enum http1_framing out = http1_response_framing(&x->answer, exchange_minor(x));
	flow_body(f, head_size, in, x->answer.length);
	f->wrap = in == HTTP1_FRAMING_CLOSE && out == HTTP1_FRAMING_CHUNKED;
	if (in == HTTP1_FRAMING_CHUNKED)
		chunked_init(&f->chunked, out == HTTP1_FRAMING_CHUNKED ? CHUNKED_FRAMED
					  : x->client->stream          ? CHUNKED_TRAILED
								       : CHUNKED_BARE);
	if (out == HTTP1_FRAMING_CLOSE)
		x->keep = false;
}

/* An answer before the request was whole: the rest may never come, or nobody wants it. A good answer may
 * also be the beginning of a conversation, and goes on. */
static bool ends_early(const struct exchange *x)
{
	bool silent = x->head.expect_continue && x->request.body_bytes == 0;
	return !x->request.ended && (silent || x->answer.status >= 300);
}

/* 1xx: passed on, to a client that can understand it. */
static enum turn interim(struct worker *w, struct exchange *x, uint32_t head_size)
{
	struct flow *f = &x->response;
	if (++x->interims > EXCHANGE_INTERIMS_MAX)
		return exchange_failed(w, x, FAILURE_ANSWER);
	if (x->head.minor > 0) {
		uint32_t size = head_write_answer(x, false, w->scratch, SCRATCH_SIZE);
		struct flow alone = {.framing = HTTP1_FRAMING_NONE};
		int sent = client_put(w, x->client, &alone, w->scratch, size);
		bool whole = !flow_pending(&alone);
		flow_done(&alone, &w->buffers);
		if (sent == FLOW_ERROR || !whole) /* a few bytes into an empty socket: it is gone */
			return exchange_cancel(w, x);
	}
	f->raw -= head_size;
	memmove(f->buffer->data, f->buffer->data + head_size, f->raw);
	http1_head_init(&x->answer);
	return TURN_ON;
}

static bool event_stream(const struct exchange *x)
{
	static const char type[] = "text/event-stream";
	const struct http1_field *f = http1_field_find(&x->answer, HTTP1_FIELD_CONTENT_TYPE);
	return f && f->value.size >= sizeof(type) - 1 &&
	       memcmp(x->response.buffer->data + f->value.at, type, sizeof(type) - 1) == 0;
}

/* How it went is said at its end, and until then it may be quiet for long. */
static bool is_grpc(const struct exchange *x)
{
	return x->up->call && x->up->call->grpc && x->answer.status == 200;
}

static enum turn final_answer(struct worker *w, struct exchange *x, uint32_t head_size)
{
	struct flow *f = &x->response;
	if (exchange_may_shield(w, x))
		return exchange_shield(w, x);
	x->answer_known = x->answer_begun = true;
	x->status = x->answer.status;
	if (is_grpc(x))
		account_begun(w, x);
	else
		account_head(w, x, x->answer.status);
	exchange_leave_budget(w, x);
	backend_succeeded(x->backend);
	flow_forget(&x->request);
	if (x->answer.upgrade && !flow_complete(&x->request))
		return exchange_failed(w, x, FAILURE_ANSWER);
	if (x->answer.upgrade)
		return send_answer(w, x, w->scratch, tunnel_begin(w, x, head_size));
	bool stream = event_stream(x);
	x->stream = is_grpc(x);
	if (x->pairing)
		pairing_head(x->pairing, PAIRING_LIVE, &x->answer, f->buffer->data);
	start_body(x, head_size);
	if (stream) {
		tunnel_stream(w, x);
		pairing_leave(w, x, PAIRING_LEFT); /* it may never end */
	}
	pairing_pass(w, x);
	if (w->draining || ends_early(x))
		x->keep = false;
	uint32_t size = head_write_answer(x, !x->keep, w->scratch, SCRATCH_SIZE);
	if (flow_take(f) < 0)
		return exchange_failed(w, x, FAILURE_ANSWER);
	if (x->lasting)
		tunnel_stream_passed(w, x);
	return send_answer(w, x, w->scratch, size);
}

static enum turn parse_answer(struct worker *w, struct exchange *x)
{
	struct flow *f = &x->response;
	struct http1_asked asked = {.head = x->head.method == HTTP1_METHOD_HEAD,
				    .upgrade = x->head.upgrade};
	enum turn turn = TURN_ON;
	while (turn == TURN_ON && !x->answer_known && f->raw > 0) {
		int size = http1_parse_response(&x->answer, f->buffer->data, f->raw,
						&http1_limits_default, asked);
		if (size < 0)
			return exchange_failed(w, x, FAILURE_ANSWER);
		if (size == 0) {
			bool room = f->raw < f->buffer->capacity || flow_grow(f, &w->buffers);
			ASSERT(room);
			return TURN_ON;
		}
		turn = x->answer.interim ? interim(w, x, (uint32_t)size)
					 : final_answer(w, x, (uint32_t)size);
	}
	return turn;
}

static enum turn source_ended(struct worker *w, struct exchange *x, int how)
{
	struct flow *f = &x->response;
	x->up->readable = false;
	if (x->answer_known && how == FLOW_END && flow_source_ended(f, &w->buffers)) {
		x->up_ended = true;
		return TURN_ON;
	}
	if (x->phase == EXCHANGE_TUNNEL) {
		f->ended = x->request.ended = true;
		x->up_ended = true;
		return TURN_ON;
	}
	return exchange_failed(w, x, FAILURE_RESET);
}

static enum turn receive_answer(struct worker *w, struct exchange *x)
{
	struct upstream *up = x->up;
	struct flow *f = &x->response;
	if (f->ended || !up->readable || !usable_room(w, f, up->call != NULL))
		return TURN_BLOCKED;
	int got = upstream_receive(w, up, f);
	if (got == FLOW_WAIT) {
		up->readable = false;
		return TURN_BLOCKED;
	}
	if (got == FLOW_END || got == FLOW_ERROR)
		return source_ended(w, x, got);
	up->readable = !f->drained || up->peer_ended;
	x->progress_ms = w->now_ms;
	if (!x->answer_known)
		return parse_answer(w, x);
	pairing_pass(w, x);
	if (flow_take(f) < 0)
		return exchange_failed(w, x, FAILURE_ANSWER);
	if (x->lasting && x->phase == EXCHANGE_FORWARDING)
		tunnel_stream_passed(w, x);
	return TURN_ON;
}

static enum turn finish(struct worker *w, struct exchange *x)
{
	struct flow *f = &x->response;
	bool request_done = flow_complete(&x->request) && !x->cut;
	bool reusable = x->phase == EXCHANGE_FORWARDING && request_done && x->answer.keep_alive &&
			x->answer.framing != HTTP1_FRAMING_CLOSE && f->raw == f->ready &&
			!x->up_ended;
	if (!request_done)
		x->keep = false;
	pairing_leave(w, x, PAIRING_WHOLE);
	if (is_grpc(x))
		account_status(w, x, x->up->call->grpc_status ? x->up->call->grpc_status : 500);
	exchange_detach(w, x, reusable);
	return exchange_end(w, x);
}

static enum turn move_answer(struct worker *w, struct exchange *x)
{
	struct flow *f = &x->response;
	enum turn turn = receive_answer(w, x);
	if (turn == TURN_ENDED || x->phase == EXCHANGE_OWN || waits(x))
		return turn;
	if (x->answer_known && x->client->writable && flow_pending(f)) {
		if (send_answer(w, x, NULL, 0) == TURN_ENDED)
			return TURN_ENDED;
		turn = TURN_ON;
	}
	if (turn == TURN_ON && x->answer_known && x->phase == EXCHANGE_FORWARDING)
		upstream_deadline(w, x->up,
				  x->stream ? timeouts_of(x)->tunnel_idle_ms
					    : timeouts_of(x)->idle_ms);
	return turn;
}

enum turn forward_pump(struct worker *w, struct exchange *x)
{
	for (int round = 0; round < FORWARD_ROUNDS; round++) {
		enum turn out = move_request(w, x);
		if (out == TURN_ENDED || x->phase == EXCHANGE_OWN)
			return out;
		enum turn in = move_answer(w, x);
		if (in == TURN_ENDED || x->phase == EXCHANGE_OWN || waits(x))
			return in;
		if (x->phase == EXCHANGE_TUNNEL) {
			if (tunnel_turn(w, x) == TURN_ENDED)
				return TURN_ENDED;
		} else if (x->answer_known && flow_complete(&x->response)) {
			return finish(w, x);
		}
		if (out != TURN_ON && in != TURN_ON) {
			flow_rest(&x->request, &w->buffers);
			if (x->answer_known)
				flow_rest(&x->response, &w->buffers);
			return TURN_BLOCKED;
		}
	}
	worker_again(w, x->client);
	return TURN_BLOCKED;
}
