/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow - see shadow.h for the contract.
 */
#include "gateway/shadow.h"

#include <string.h>

#include "gateway/account.h"
#include "gateway/head.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/upstream.h"

static void end_shadow(struct worker *w, struct shadow *s, bool reusable)
{
	if (s->up)
		upstream_release(w, s->up, reusable);
	backend_ended(s->backend);
	backend_unref(w, s->backend);
	buffer_give(&w->buffers, s->out);
	flow_done(&s->response, &w->buffers);
	live_unref(w, s->live);
	w->shadows_in_flight--;
	slab_give(&w->shadows, s);
}

static void fail_shadow(struct worker *w, struct shadow *s)
{
	account_shadow(w, s->release, s->class, COUNTERS_RELEASE_SHADOW_FAILED);
	end_shadow(w, s, false);
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
	if (hundred >= 2 && hundred <= 5)
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

/* True when the shadow is over. */
static bool receive(struct worker *w, struct shadow *s)
{
	struct flow *f = &s->response;
	while (s->up->readable) {
		f->sent = f->ready; /* nobody wants the body */
		int got = flow_receive(f, &w->buffers, s->up->fd);
		if (got == FLOW_WAIT) {
			s->up->readable = false;
			return false;
		}
		if (got < 0) {
			if (s->head_known && got == FLOW_END && flow_source_ended(f, &w->buffers))
				end_shadow(w, s, false);
			else
				fail_shadow(w, s);
			return true;
		}
		s->up->readable = !f->drained || s->up->peer_ended;
		int known = s->head_known ? 1 : take_head(w, s);
		if (known > 0 && !s->head_known) {
			s->head_known = true;
			count_status(w, s);
		}
		if (known < 0 || (known > 0 && flow_take(f) < 0) ||
		    f->body_bytes > SHADOW_ANSWER_MAX) {
			if (s->head_known)
				end_shadow(w, s, false);
			else
				fail_shadow(w, s);
			return true;
		}
		if (s->head_known && f->ended) {
			end_shadow(w, s,
				   s->answer.keep_alive && f->raw == f->ready &&
					   s->answer.framing != HTTP1_FRAMING_CLOSE);
			return true;
		}
	}
	return false;
}

static void shadow_drive(struct worker *w, struct upstream *up)
{
	struct shadow *s = up->user;
	if (up->connecting)
		return;
	if (s->out && up->writable) {
		ssize_t put = send(up->fd, s->out->data + s->out_sent, s->out_size - s->out_sent,
				   MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put > 0)
			s->out_sent += (uint32_t)put;
		up->writable = put > 0 && s->out_sent == s->out_size;
		if (s->out_sent == s->out_size) {
			buffer_give(&w->buffers, s->out);
			s->out = NULL;
			upstream_deadline(w, up, s->answer_ms);
		}
	}
	receive(w, s);
}

static bool sampled(const struct worker *w, const struct exchange *x)
{
	const struct table_environment *e = x->route->environment;
	static const uint16_t bits[HTTP1_METHOD_COUNT] = {
		[HTTP1_METHOD_GET] = TABLE_METHOD_GET,
		[HTTP1_METHOD_HEAD] = TABLE_METHOD_HEAD,
		[HTTP1_METHOD_OPTIONS] = TABLE_METHOD_OPTIONS,
	};
	(void)w;
	if (e->mirror.release == TABLE_NONE || e->mirror.share_bp == 0 || x->mirrored ||
	    e->live == TABLE_NONE || x->release_index != e->live - e->first_release)
		return false;
	return (e->mirror.methods & bits[x->head.method]) && !x->head.upgrade &&
	       x->head.framing == HTTP1_FRAMING_NONE &&
	       split_mirrored(e->mirror.share_bp, e->mirror.salt, x->request_id,
			      strlen(x->request_id));
}

static struct shadow *new_shadow(struct worker *w, struct exchange *x,
				 const struct table_release *release, struct backend *backend)
{
	struct shadow *s = slab_take(&w->shadows);
	http1_head_init(&s->answer);
	s->live = live_ref(x->live);
	s->release = release;
	s->class = x->class;
	s->backend = backend;
	s->head_asked = x->head.method == HTTP1_METHOD_HEAD;
	s->answer_ms = x->route->environment->timeouts.answer_ms;
	s->backend->refs++;
	backend_started(s->backend);
	w->shadows_in_flight++;
	s->out = buffer_take(&w->buffers, BUFFER_USUAL);
	s->out_size = head_write_request(x, HEAD_SHADOW, s->out->data, s->out->capacity);
	return s;
}

void shadow_send(struct worker *w, struct exchange *x)
{
	if (!sampled(w, x))
		return;
	x->mirrored = true;
	const struct table_environment *e = x->route->environment;
	const struct table_release *release = &x->live->table->releases[e->mirror.release];
	const struct live_pool *pool = &x->route->pools[e->mirror.release - e->first_release];
	int chosen = balance_choose(pool->entries, pool->count, BALANCE_NONE, worker_random(w),
				    w->now_ms);
	if (chosen < 0 || w->shadows_in_flight >= e->mirror.in_flight_max) {
		account_shadow(w, release, x->class, COUNTERS_RELEASE_SHADOW_DROPPED);
		return;
	}
	struct shadow *s = new_shadow(w, x, release, pool->backends[chosen]);
	struct upstream_user user = {.drive = shadow_drive,
				     .fail = shadow_fail,
				     .user = s,
				     .connect_ms = e->timeouts.connect_ms};
	if (s->out_size == 0 || upstream_take(w, s->backend, &user, &s->up) != 0) {
		account_shadow(w, release, x->class, COUNTERS_RELEASE_SHADOW_DROPPED);
		end_shadow(w, s, false);
		return;
	}
	account_shadow(w, release, x->class, COUNTERS_RELEASE_SHADOW_SENT);
	shadow_drive(w, s->up);
}
