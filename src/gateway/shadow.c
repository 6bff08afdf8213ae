/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow - see shadow.h for the contract.
 */
#include "gateway/shadow.h"

#include <string.h>

#include "gateway/account.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/outgoing.h"
#include "gateway/pairing.h"
#include "gateway/upstream.h"

static void end_shadow(struct worker *w, struct shadow *s, enum pairing_end end, bool reusable)
{
	pairing_over(w, s->pairing, s->side, end);
	if (s->up)
		upstream_release(w, s->up, reusable);
	if (s->backend) {
		backend_ended(s->backend);
		backend_unref(w, s->backend);
	}
	outgoing_done(w, &s->out);
	flow_done(&s->response, &w->buffers);
	live_unref(w, s->live);
	w->shadows_in_flight--;
	slab_give(&w->shadows, s);
}

static void fail_shadow(struct worker *w, struct shadow *s)
{
	bool counted = s->side == PAIRING_NEW;
	if (counted)
		account_shadow(w, s->release, s->class, COUNTERS_RELEASE_SHADOW_FAILED);
	end_shadow(w, s, counted ? PAIRING_GONE : PAIRING_LEFT, false);
}

static void shadow_fail(struct worker *w, struct upstream *up, enum failure why)
{
	(void)why;
	fail_shadow(w, up->user);
}

static void count_status(struct worker *w, const struct shadow *s)
{
	static const enum counters_release_field fields[] = {
		COUNTERS_RELEASE_SHADOW_2XX, COUNTERS_RELEASE_SHADOW_3XX,
		COUNTERS_RELEASE_SHADOW_4XX, COUNTERS_RELEASE_SHADOW_5XX};
	unsigned hundred = s->answer.status / 100;
	if (s->side == PAIRING_NEW && hundred >= 2 && hundred <= 5)
		account_shadow(w, s->release, s->class, fields[hundred - 2]);
}

/* Parse what came. < 0: not an answer; 1: its head is known; 0: more is needed. */
static int take_head(struct worker *w, struct shadow *s)
{
	struct flow *f = &s->response;
	for (;;) {
		int size = http1_parse_response(&s->answer, f->buffer->data, f->raw,
						&http1_limits_default,
						(struct http1_asked){.head = s->head_asked});
		if (size == 0)
			return f->raw < f->buffer->capacity || flow_grow(f, &w->buffers) ? 0 : -1;
		if (size < 0 || s->answer.upgrade)
			return -1;
		if (!s->answer.interim) {
			flow_body(f, (uint32_t)size, (enum http1_framing)s->answer.framing,
				  s->answer.length);
			if (s->answer.framing == HTTP1_FRAMING_CHUNKED)
				chunked_init(&f->chunked, CHUNKED_BARE);
			return 1;
		}
		f->raw -= (uint32_t)size;
		memmove(f->buffer->data, f->buffer->data + size, f->raw);
		http1_head_init(&s->answer);
		if (f->raw == 0)
			return 0;
	}
}

/* The head is there: what of the body came with it is taken with the rest. */
static void head_arrived(struct worker *w, struct shadow *s)
{
	s->head_known = true;
	count_status(w, s);
	pairing_head(s->pairing, s->side, &s->answer, s->response.buffer->data);
}

/* True: it is over. */
static bool take_body(struct worker *w, struct shadow *s)
{
	struct flow *f = &s->response;
	uint32_t from = f->ready;
	if (flow_take(f) < 0) {
		fail_shadow(w, s);
		return true;
	}
	pairing_body(w, s->pairing, s->side, f->buffer->data + from, f->ready - from);
	if (f->body_bytes > SHADOW_ANSWER_MAX) {
		end_shadow(w, s, PAIRING_LEFT, false);
		return true;
	}
	if (f->ended)
		end_shadow(w, s, PAIRING_WHOLE,
			   s->answer.keep_alive && f->raw == f->ready && outgoing_sent(&s->out) &&
				   s->answer.framing != HTTP1_FRAMING_CLOSE);
	return f->ended;
}

static void receive(struct worker *w, struct shadow *s)
{
	struct flow *f = &s->response;
	while (s->up->readable) {
		f->sent = f->ready; /* it goes nowhere */
		int got = upstream_receive(w, s->up, f);
		if (got == FLOW_WAIT) {
			s->up->readable = false;
			return;
		}
		if (got == FLOW_END && s->head_known && flow_source_ended(f, &w->buffers)) {
			end_shadow(w, s, PAIRING_WHOLE, false);
			return;
		}
		int known = got < 0 ? -1 : s->head_known ? 1 : take_head(w, s);
		if (known < 0) {
			fail_shadow(w, s);
			return;
		}
		s->up->readable = !f->drained || s->up->peer_ended;
		if (known > 0 && !s->head_known)
			head_arrived(w, s);
		if (known > 0 && take_body(w, s))
			return;
	}
}

static void shadow_drive(struct worker *w, struct upstream *up)
{
	struct shadow *s = up->user;
	if (up->connecting)
		return;
	if (!s->begun) {
		s->begun = true;
		pairing_ask(s->pairing, s->side);
		upstream_deadline(w, up, s->answer_ms); /* also of a mirror that does not read */
	}
	if (up->writable && !outgoing_sent(&s->out)) {
		up->writable = outgoing_send(w, &s->out, up);
		if (outgoing_sent(&s->out))
			upstream_deadline(w, up, s->answer_ms);
	}
	receive(w, s);
}

static bool sampled(const struct exchange *x)
{
	const struct table_environment *e = x->route->environment;
	static const uint16_t bits[HTTP1_METHOD_COUNT] = {
		[HTTP1_METHOD_GET] = TABLE_METHOD_GET,
		[HTTP1_METHOD_HEAD] = TABLE_METHOD_HEAD,
		[HTTP1_METHOD_OPTIONS] = TABLE_METHOD_OPTIONS,
		[HTTP1_METHOD_POST] = TABLE_METHOD_POST,
		[HTTP1_METHOD_PUT] = TABLE_METHOD_PUT,
		[HTTP1_METHOD_PATCH] = TABLE_METHOD_PATCH,
		[HTTP1_METHOD_DELETE] = TABLE_METHOD_DELETE,
	};
	if (e->mirror.release == TABLE_NONE || e->mirror.share_bp == 0 || x->mirrored ||
	    e->live == TABLE_NONE || x->release_index != e->live - e->first_release)
		return false;
	return (e->mirror.methods & bits[x->head.method]) && !x->head.upgrade &&
	       split_mirrored(e->mirror.share_bp, e->mirror.salt, x->request_id,
			      strlen(x->request_id));
}

/* A side of the pairing, and a copy for it, without its body. NULL: over a limit. */
static struct shadow *new_shadow(struct worker *w, struct exchange *x, struct pairing *p,
				 enum pairing_side side, uint16_t release_index)
{
	const struct table_environment *e = x->route->environment;
	if (w->shadows_in_flight >= e->mirror.in_flight_max)
		return NULL;
	struct shadow *s = slab_take(&w->shadows);
	http1_head_init(&s->answer);
	s->live = live_ref(x->live);
	s->release = p->release;
	s->release_index = release_index;
	s->class = x->class;
	s->side = side;
	s->pairing = p;
	s->head_asked = x->head.method == HTTP1_METHOD_HEAD;
	s->answer_ms = e->timeouts.answer_ms;
	w->shadows_in_flight++;
	pairing_expect(p, side);
	if (outgoing_head(w, &s->out, x))
		return s;
	end_shadow(w, s, PAIRING_GONE, false);
	return NULL;
}

static void count_sent(struct worker *w, const struct shadow *s)
{
	account_shadow(w, s->release, s->class,
		       s->side == PAIRING_NEW ? COUNTERS_RELEASE_SHADOW_SENT
					      : COUNTERS_RELEASE_NOISE_SENT);
}

/* Send it, whole, to a backend of its release. False: it was not sent, and is gone. */
static bool launch(struct worker *w, const struct exchange *x, struct shadow *s)
{
	const struct live_pool *pool = &x->route->pools[s->release_index];
	struct upstream_user user = {.drive = shadow_drive,
				     .fail = shadow_fail,
				     .user = s,
				     .connect_ms = x->route->environment->timeouts.connect_ms,
				     .proven = x->head.framing != HTTP1_FRAMING_NONE,
				     .apart = true};
	int chosen = balance_choose(pool->entries, pool->count, BALANCE_NONE, worker_random(w),
				    w->now_ms);
	int failed = ERR_LIMIT;
	if (chosen >= 0) {
		s->backend = pool->backends[chosen];
		s->backend->refs++;
		backend_started(s->backend);
		failed = upstream_take(w, s->backend, &user, &s->up);
	}
	if (failed == ERR_LIMIT) {
		end_shadow(w, s, PAIRING_GONE, false);
		return false;
	}
	count_sent(w, s);
	if (failed)
		fail_shadow(w, s);
	else
		shadow_drive(w, s->up);
	return true;
}

/* The request is not copied, or no longer: nothing of its answer is looked at. */
static void drop(struct worker *w, struct exchange *x)
{
	const struct table_release *release =
		x->copy ? x->copy->release
			: &x->live->table->releases[x->route->environment->mirror.release];
	uint8_t class = x->copy ? x->copy->class : x->class;
	account_shadow(w, release, class, COUNTERS_RELEASE_SHADOW_DROPPED);
	if (x->copy)
		end_shadow(w, x->copy, PAIRING_GONE, false);
	x->copy = NULL;
	pairing_leave(w, x, PAIRING_GONE);
}

/* What differs from the live release's own second answer is noise. */
static void send_again(struct worker *w, struct exchange *x)
{
	struct pairing *p = x->pairing;
	const struct table_environment *e = x->route->environment;
	bool safe = x->head.framing == HTTP1_FRAMING_NONE &&
		    http1_method_safe((enum http1_method)x->head.method);
	if (!safe || !p || !pairing_chosen(p) ||
	    split_point(worker_random(w)) >= e->mirror.noise_bp)
		return;
	struct shadow *s =
		new_shadow(w, x, p, PAIRING_AGAIN, (uint16_t)(e->live - e->first_release));
	if (s)
		launch(w, x, s);
}

/* Its body is whole. */
static void send_whole(struct worker *w, struct exchange *x)
{
	struct shadow *s = x->copy;
	x->copy = NULL;
	if (launch(w, x, s))
		send_again(w, x);
	else
		drop(w, x);
}

/* Whether what came of the body from there on still has room in its copy. */
static bool gather(struct worker *w, struct exchange *x, uint32_t from)
{
	const struct flow *f = &x->request;
	uint32_t size = f->ready - from;
	x->copy->body_bytes += size;
	return x->copy->body_bytes <= x->route->environment->mirror.body_max &&
	       outgoing_add(w, &x->copy->out, f->buffer->data + from, size);
}

void shadow_body(struct worker *w, struct exchange *x, uint32_t from)
{
	if (!x->copy)
		return;
	/* By another table the mirror may be a release that was taken back meanwhile. */
	if (x->copy->live != w->live || x->live != w->live || !gather(w, x, from)) {
		drop(w, x);
		return;
	}
	if (!x->request.ended)
		return;
	if (x->pairing &&
	    !x->answer_known) /* an answer's time begins with the end of its request */
		pairing_ask(x->pairing, PAIRING_LIVE);
	send_whole(w, x);
}

void shadow_leave(struct worker *w, struct exchange *x)
{
	if (x->copy)
		drop(w, x);
}

void shadow_send(struct worker *w, struct exchange *x)
{
	if (x->pairing) /* the user's request is sent once more: its time begins anew */
		pairing_ask(x->pairing, PAIRING_LIVE);
	if (!sampled(x))
		return;
	x->mirrored = true;
	const struct table_environment *e = x->route->environment;
	const struct table_release *release = &x->live->table->releases[e->mirror.release];
	bool fits = x->head.length <= e->mirror.body_max;
	struct pairing *p = fits ? pairing_new(w, x, release) : NULL;
	if (p)
		pairing_ask(p, PAIRING_LIVE);
	x->pairing = p;
	x->copy = p ? new_shadow(w, x, p, PAIRING_NEW,
				 (uint16_t)(e->mirror.release - e->first_release))
		    : NULL;
	if (!x->copy || !gather(w, x, x->head_size))
		drop(w, x);
	else if (x->request.ended)
		send_whole(w, x);
}
