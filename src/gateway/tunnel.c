/* SPDX-License-Identifier: Apache-2.0
 *
 * tunnel - see tunnel.h for the contract.
 */
#include "gateway/tunnel.h"

#include <string.h>
#include <sys/socket.h>

#include "gateway/account.h"
#include "gateway/loop.h"
#include "gateway/upstream.h"

enum { MASK_SIZE = 4, LAST_CHUNK_SIZE = 5 };

static const struct table_timeouts *timeouts_of(const struct exchange *x)
{
	return &x->route->environment->timeouts;
}

static void set_timer(struct worker *w, struct exchange *x)
{
	uint64_t until_ms = x->progress_ms + timeouts_of(x)->tunnel_idle_ms;
	if (x->recall_ms && x->recall_ms < until_ms)
		until_ms = x->recall_ms;
	timer_set(&w->wheel, &x->client->timer, until_ms);
}

/* Of a worker that drains, too: three quarters of its time leave room for a Close's answer. A connection of TCP, which is not
 * told to come back, has all of it: its backend is not leaving. */
static uint64_t time_to_leave(const struct worker *w, const struct exchange *x)
{
	uint64_t within_ms = timeouts_of(x)->tunnel_drain_ms;
	if (w->draining) {
		uint64_t left_ms =
			w->drain_until_ms > w->now_ms ? w->drain_until_ms - w->now_ms : 0;
		if (x->tcp)
			return left_ms;
		left_ms = left_ms / 4 * 3;
		return within_ms && within_ms < left_ms ? within_ms : left_ms;
	}
	return x->backend->entry && x->backend->entry->ready ? 0 : within_ms;
}

static void recall(struct worker *w, struct exchange *x)
{
	uint64_t within_ms = x->recall_ms ? 0 : time_to_leave(w, x);
	if (!within_ms)
		return;
	/* A connection of TCP cannot be told to come back: it has its time, but for a tenth of it at most. */
	uint64_t random = worker_random(w);
	x->recall_ms = w->now_ms +
		       (x->tcp ? within_ms - random % (within_ms / 10 + 1) : random % within_ms);
	if (x->phase == EXCHANGE_TUNNEL)
		set_timer(w, x);
	else if (x->recall_ms < x->client->timer.deadline_ms)
		timer_set(&w->wheel, &x->client->timer, x->recall_ms);
}

static bool due(const struct worker *w, const struct exchange *x)
{
	return x->recall_ms && w->now_ms >= x->recall_ms;
}

static void count(struct worker *w, struct exchange *x)
{
	x->lasting = true;
	w->lasting_count++;
}

void tunnel_last(struct worker *w, struct exchange *x)
{
	count(w, x);
	recall(w, x);
}

/* ── streams of events ────────────────────────────────────────────────────────────────────────────── */

void tunnel_stream(struct worker *w, struct exchange *x)
{
	bool ends = x->answer.framing == HTTP1_FRAMING_CHUNKED &&
		    x->response.chunked.form != CHUNKED_BARE;
	x->stream = true;
	if (!ends)
		return; /* no end in good form: it lasts until its backend ends it */
	count(w, x);
	recall(w, x);
}

static void end_stream(struct worker *w, struct exchange *x)
{
	struct flow *f = &x->response;
	f->ended = x->client->stream;
	x->up_ended = true; /* its connection is not used again: the backend goes on talking */
	if (f->ended)
		return;
	if (!f->buffer || f->buffer->capacity - f->ready < LAST_CHUNK_SIZE)
		flow_room(f, &w->buffers);
	if (f->buffer->capacity - f->ready < LAST_CHUNK_SIZE)
		return;
	memcpy(f->buffer->data + f->ready, "0\r\n\r\n", LAST_CHUNK_SIZE);
	f->ready += LAST_CHUNK_SIZE;
	f->raw = f->ready;
	f->ended = true;
}

void tunnel_stream_passed(struct worker *w, struct exchange *x)
{
	static const char end[] =
		"\n\n\r\n"; /* of an event, and of its chunk where chunks go out */
	const struct flow *f = &x->response;
	uint32_t size = x->client->stream ? 2 : sizeof(end) - 1;
	x->between_events = !f->ended && f->raw == f->ready && f->ready >= size &&
			    chunked_between(&f->chunked) &&
			    memcmp(f->buffer->data + f->ready - size, end, size) == 0;
	if (x->between_events && due(w, x))
		end_stream(w, x);
}

enum turn tunnel_stream_timer(struct worker *w, struct exchange *x)
{
	if (!due(w, x) || !x->between_events || x->response.ended)
		return TURN_BLOCKED;
	end_stream(w, x);
	return TURN_ON;
}

/* ── WebSockets ───────────────────────────────────────────────────────────────────────────────────── */

uint32_t tunnel_begin(struct worker *w, struct exchange *x, uint32_t head_size)
{
	uint32_t size = head_write_answer(x, false, w->scratch, SCRATCH_SIZE);
	x->phase = EXCHANGE_TUNNEL;
	x->keep = false;
	x->progress_ms = w->now_ms;
	count(w, x);
	account_release(w, x, COUNTERS_RELEASE_UPGRADED, 1);
	websocket_init(&x->frames);
	flow_forget(&x->request);
	flow_body(&x->request, 0, HTTP1_FRAMING_CLOSE, 0);
	flow_take(&x->request);
	tunnel_pass(w, x, 0);
	flow_body(&x->response, head_size, HTTP1_FRAMING_CLOSE, 0);
	flow_take(&x->response);
	upstream_deadline(w, x->up, UINT32_MAX); /* the client's timer looks after both */
	set_timer(w, x);
	recall(w, x);
	return size;
}

/* Put the Close frame behind what is ready; nothing of the client passes after it. */
static void say_close(struct worker *w, struct exchange *x)
{
	uint8_t frame[WEBSOCKET_CLOSE_MAX], mask[MASK_SIZE];
	struct flow *f = &x->request;
	uint64_t random = worker_random(w);
	memcpy(mask, &random, sizeof(mask));
	if (!f->buffer || f->buffer->capacity - f->ready < sizeof(frame))
		flow_room(f, &w->buffers);
	if (f->buffer->capacity - f->ready < sizeof(frame))
		return; /* no room: when the next bytes pass there will be */
	size_t size = websocket_write_close(WEBSOCKET_SERVICE_RESTART, "", mask, frame);
	memcpy(f->buffer->data + f->ready, frame, size);
	f->ready += (uint32_t)size;
	f->raw = f->ready;
	f->ended = true;
	x->said_close = true;
	x->up_shut = true; /* the backend is still to answer */
	x->recall_ms = w->now_ms + TUNNEL_CLOSE_MS;
	set_timer(w, x);
}

void tunnel_pass(struct worker *w, struct exchange *x, uint32_t from)
{
	struct flow *f = &x->request;
	bool ends = due(w, x) && !x->said_close;
	if (f->ready > from) {
		size_t passed = websocket_advance(&x->frames, f->buffer->data + from,
						  f->ready - from, ends);
		if (ends && websocket_between(&x->frames))
			f->ready = f->raw = from + (uint32_t)passed;
	}
	if (ends && websocket_between(&x->frames) && !x->frames.closed)
		say_close(w, x);
}

enum turn tunnel_turn(struct worker *w, struct exchange *x)
{
	(void)w;
	if (flow_complete(&x->response))
		return exchange_end(w, x);
	if (flow_complete(&x->request) && !x->up_shut) {
		x->up_shut = true;
		shutdown(x->up->fd, SHUT_WR);
	}
	return TURN_BLOCKED;
}

enum turn tunnel_timer(struct worker *w, struct exchange *x)
{
	if (w->now_ms >= x->progress_ms + timeouts_of(x)->tunnel_idle_ms)
		return exchange_end(w, x);
	if (due(w, x)) {
		if (x->said_close)
			return exchange_end(w, x); /* it was given its time */
		tunnel_pass(w, x, x->request.ready);
		if (!x->said_close) /* in the middle of a frame: its end says it */
			timer_set(&w->wheel, &x->client->timer, w->now_ms + TUNNEL_CLOSE_MS);
		return TURN_ON;
	}
	set_timer(w, x);
	return TURN_BLOCKED;
}

void tunnel_recall_again(struct worker *w)
{
	for (struct client *c = w->all_clients; c && w->lasting_count; c = c->next)
		if (c->x && c->x->lasting && !c->x->said_close &&
		    c->x->recall_ms > w->now_ms + time_to_leave(w, c->x))
			c->x->recall_ms = 0;
	tunnel_recall_all(w);
}

void tunnel_recall_all(struct worker *w)
{
	if (!w->lasting_count)
		return;
	for (struct client *c = w->all_clients; c; c = c->next)
		if (c->x && c->x->lasting)
			recall(w, c->x);
}
