/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_call - see http2_call.h for the contract.
 */
#include "gateway/http2_call.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

static void call_timer(struct worker *w, struct timer *timer);

struct http2_call *http2_call_new(struct http2_upstream *h, const struct upstream_user *user)
{
	struct worker *w = h->worker;
	struct http2_call *c = slab_take(&w->http2_calls);
	struct upstream *up = slab_take(&w->upstreams);
	c->http2 = h;
	c->up = up;
	c->next = h->calls;
	if (c->next)
		c->next->prev = c;
	h->calls = c;
	h->users++;
	h->call_count++;
	up->call = c;
	up->fd = -1;
	up->backend = h->carrier->backend;
	up->backend->refs++;
	up->drive = user->drive;
	up->fail = user->fail;
	up->user = user->user;
	up->apart = user->apart;
	up->timer.fire = call_timer;
	up->connecting = h->carrier->connecting;
	up->writable = !up->connecting;
	up->reused = h->heard_ms > 0;
	if (up->connecting)
		timer_set(&w->wheel, &up->timer, w->now_ms + user->connect_ms);
	return c;
}

static void free_call(struct worker *w, struct http2_call *c)
{
	buffer_give(&w->buffers, c->head);
	buffer_give(&w->buffers, c->out);
	http2_body_done(&c->body, &w->buffers);
	*(c->prev ? &c->prev->next : &c->http2->calls) = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->http2->call_count--;
	slab_give(&w->http2_calls, c);
}

void http2_call_ready(struct http2_call *c)
{
	struct http2_upstream *h = c->http2;
	if (c->ready)
		return;
	c->ready = true;
	c->ready_next = NULL;
	*h->ready_end = c;
	h->ready_end = &c->ready_next;
}

static void consume(struct http2_call *c, uint32_t size)
{
	if (!size || c->http2->broken)
		return;
	if (c->closed)
		nghttp2_session_consume_connection(c->http2->session, size);
	else
		nghttp2_session_consume(c->http2->session, c->id, size);
	http2_upstream_flush(c->http2);
}

/* ── the answer ───────────────────────────────────────────────────────────────────────────────────── */

/* Whether it went well is said behind the body. */
static void note_grpc(struct http2_call *c, const char *name, size_t name_size, const char *value,
		      size_t value_size)
{
	static const char type[] = "application/grpc";
	if (!c->answered && name_size == 12 && memcmp(name, "content-type", 12) == 0)
		c->grpc = value_size >= sizeof(type) - 1 &&
			  memcmp(value, type, sizeof(type) - 1) == 0;
	else if (name_size == 11 && memcmp(name, "grpc-status", 11) == 0)
		c->grpc_status = (uint16_t)http2_grpc_status(value, value_size);
}

bool http2_call_field(struct http2_call *c, const char *name, size_t name_size, const char *value,
		      size_t value_size)
{
	struct http2_upstream *h = c->http2;
	struct buffers *pool = &h->worker->buffers;
	note_grpc(c, name, name_size, value, value_size);
	if (c->answered)
		return http2_body_line(&c->body, pool, name, name_size, value, value_size);
	if (!h->heading) {
		h->heading = buffer_take(pool, HTTP2_HEAD_SIZE);
		http2_answer_init(&h->answer, h->heading->data);
	}
	return http2_answer_field(&h->answer, name, name_size, value, value_size) == 0;
}

/* Behind one that was not taken yet: of 1xx. */
static bool keep_head(struct http2_call *c, struct buffers *pool, const struct http2_answer *a)
{
	uint32_t left = c->head_size - c->head_at;
	if (left + a->size > BUFFER_LARGE)
		return false;
	struct buffer *all = buffer_take(pool, left + a->size);
	if (left)
		memcpy(all->data, c->head->data + c->head_at, left);
	memcpy(all->data + left, a->data, a->size);
	buffer_give(pool, c->head);
	c->head = all;
	c->head_at = 0;
	c->head_size = left + a->size;
	return true;
}

bool http2_call_headed(struct http2_call *c, bool ended)
{
	struct http2_upstream *h = c->http2;
	struct buffers *pool = &h->worker->buffers;
	bool good = c->answered;
	if (!c->answered && h->heading) {
		good = http2_answer_end(&h->answer, ended, c->asked_head) == 0 &&
		       keep_head(c, pool, &h->answer);
		c->answered = good && h->answer.status >= 200;
		c->chunked = c->answered && http2_answer_chunked(&h->answer, ended);
		buffer_give(pool, h->heading);
		h->heading = NULL;
	}
	c->begun = true;
	c->body.ended |= ended;
	http2_call_ready(c);
	return good;
}

bool http2_call_data(struct http2_call *c, const uint8_t *data, size_t size)
{
	if (!c->up || c->closed || c->malformed) { /* nobody wants it */
		consume(c, (uint32_t)size);
		return true;
	}
	if (!http2_body_add(&c->body, &c->http2->worker->buffers, data, size))
		return false;
	http2_call_ready(c);
	return true;
}

static uint32_t take_head(struct http2_call *c, struct buffers *pool, struct flow *f)
{
	uint32_t room = flow_room(f, pool), size = c->head_size - c->head_at;
	if (size > room)
		size = room;
	memcpy(f->buffer->data + f->raw, c->head->data + c->head_at, size);
	f->raw += size;
	c->head_at += size;
	if (c->head_at == c->head_size) {
		buffer_give(pool, c->head);
		c->head = NULL;
		c->head_at = c->head_size = 0;
	}
	return size;
}

int http2_call_receive(struct worker *w, struct http2_call *c, struct flow *f)
{
	uint32_t got = c->head ? take_head(c, &w->buffers, f) : 0, consumed = 0;
	int more = FLOW_WAIT;
	if (!c->head)
		more = http2_body_take(&c->body, &w->buffers, c->chunked, f, &consumed);
	got += more > 0 ? (uint32_t)more : 0;
	bool cut = c->closed && !c->body.ended;
	f->drained = !c->head && !http2_body_waits(&c->body) && !cut;
	consume(c, consumed);
	if (got)
		return (int)got;
	return cut ? FLOW_ERROR : more;
}

/* ── the request ──────────────────────────────────────────────────────────────────────────────────── */

/* Bytes at the end of what is there that are not of the body but of its trailer. */
static uint32_t trailer_of(const struct http2_call *c)
{
	return c->out_chunked ? c->chunks.kept : 0;
}

uint32_t http2_call_available(const struct http2_call *c, bool *ret_last)
{
	*ret_last = c->out_ended;
	return c->out ? c->out_size - c->out_at - trailer_of(c) : 0;
}

static void give_out(struct http2_call *c)
{
	buffer_give(&c->http2->worker->buffers, c->out);
	c->out = NULL;
	c->out_at = c->out_size = 0;
}

void http2_call_copy(struct http2_call *c, char *to, uint32_t size)
{
	if (size)
		memcpy(to, c->out->data + c->out_at, size);
	c->out_at += size;
	if (c->out && c->out_at == c->out_size)
		give_out(c);
	if (c->blocked && c->up) {
		c->blocked = false;
		c->up->writable = true;
		http2_call_ready(c);
	}
}

size_t http2_call_trailer(struct http2_call *c, struct http2_field *fields, size_t max)
{
	uint32_t size = c->out ? trailer_of(c) : 0;
	return size ? http2_fields(c->out->data + c->out_size - size, size, fields, max) : 0;
}

/* Take what finds room of the request's body. Returns how many of the flow's bytes. */
static uint32_t take_body(struct worker *w, struct http2_call *c, struct flow *f)
{
	size_t used = f->ready - f->sent, kept;
	if (!c->out)
		c->out = buffer_take(&w->buffers, BUFFER_USUAL);
	if (c->out_at > 0) {
		memmove(c->out->data, c->out->data + c->out_at, c->out_size - c->out_at);
		c->out_size -= c->out_at;
		c->out_at = 0;
	}
	if (used > c->out->capacity - c->out_size)
		used = c->out->capacity - c->out_size;
	kept = used;
	if (used)
		memcpy(c->out->data + c->out_size, f->buffer->data + f->sent, used);
	bool last = false;
	if (c->out_chunked)
		last = chunked_pass(&c->chunks, c->out->data + c->out_size, kept, &used, &kept) ==
		       1;
	c->out_size += (uint32_t)kept;
	flow_sent(f, &w->buffers, NULL, 0, (uint32_t)used);
	c->out_ended = c->out_chunked ? c->out_ended || last : flow_complete(f);
	if (c->out_at == c->out_size)
		give_out(c);
	return (uint32_t)used;
}

/* As much as goes: what goes into frames at once makes room for more. */
static uint32_t send_body(struct worker *w, struct http2_call *c, struct flow *f)
{
	uint32_t all = 0, taken;
	do {
		taken = c->out_ended ? 0 : take_body(w, c, f);
		all += taken;
		if (c->id)
			nghttp2_session_resume_data(c->http2->session,
						    c->id); /* refused: it does not wait */
		http2_upstream_flush(c->http2);
	} while (taken && flow_pending(f) && !c->out && !c->closed);
	c->blocked = flow_pending(f);
	return all;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t capacity,
			 uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct http2_call *c = source->ptr;
	bool last;
	uint32_t size = http2_call_available(c, &last);
	(void)to;
	(void)user;
	last = last && size <= capacity;
	if (size > capacity)
		size = (uint32_t)capacity;
	if (size == 0 && !last)
		return NGHTTP2_ERR_DEFERRED;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY | (last ? NGHTTP2_DATA_FLAG_EOF : 0);
	struct http2_field fields[CHUNKED_TRAILER_FIELDS];
	size_t count = last ? http2_call_trailer(c, fields, CHUNKED_TRAILER_FIELDS) : 0;
	if (count == 0)
		return (ssize_t)size;
	nghttp2_nv nv[CHUNKED_TRAILER_FIELDS];
	http2_frames_fields(fields, count, nv);
	*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	nghttp2_submit_trailer(session, id, nv, count);
	return (ssize_t)size;
}

static bool submit(struct http2_call *c, const struct flow *f, char *head, uint32_t head_size)
{
	struct http2_field fields[HTTP2_CALL_FIELDS];
	nghttp2_nv nv[HTTP2_CALL_FIELDS];
	nghttp2_data_provider body = {.source.ptr = c, .read_callback = read_body};
	size_t count = http2_call_fields(head, head_size, fields, HTTP2_CALL_FIELDS);
	http2_frames_fields(fields, count, nv);
	c->asked_head =
		count > 0 && fields[0].value_size == 4 && memcmp(fields[0].value, "HEAD", 4) == 0;
	c->out_chunked = f->framing == HTTP1_FRAMING_CHUNKED;
	chunked_init(&c->chunks, CHUNKED_TRAILED);
	bool bare = f->framing == HTTP1_FRAMING_NONE;
	c->out_ended = bare;
	int32_t id =
		nghttp2_submit_request(c->http2->session, NULL, nv, count, bare ? NULL : &body, c);
	c->id = id > 0 ? id : 0;
	c->asked_ms = c->http2->worker->now_ms;
	return count > 0 && id > 0;
}

int http2_call_send(struct worker *w, struct http2_call *c, struct flow *f, char *head,
		    uint32_t head_size)
{
	if (c->closed || c->http2->broken)
		return FLOW_ERROR;
	if (head && !submit(c, f, head, head_size)) {
		c->closed = c->refused = c->http2->left =
			true; /* no number is left on this connection */
		http2_call_ready(c);
		return FLOW_ERROR;
	}
	if (head)
		flow_sent(f, &w->buffers, head, head_size, head_size);
	uint32_t sent = head_size + send_body(w, c, f);
	return sent ? (int)sent : FLOW_WAIT;
}

/* ── the call as a connection ─────────────────────────────────────────────────────────────────────── */

static void fail(struct worker *w, struct http2_call *c, enum failure why)
{
	c->up->fail(w, c->up, why);
}

static void call_timer(struct worker *w, struct timer *timer)
{
	struct upstream *up = (struct upstream *)((char *)timer - offsetof(struct upstream, timer));
	struct http2_call *c = up->call;
	if (!up->connecting && c->http2->heard_ms < c->asked_ms)
		c->http2->left = true; /* it may be that nobody is there any more */
	fail(w, c, up->connecting ? FAILURE_CONNECT : FAILURE_TIMEOUT);
}

void http2_call_turn(struct worker *w, struct http2_call *c)
{
	struct upstream *up = c->up;
	c->ready = false;
	if (!up) {
		if (c->closed)
			free_call(w, c);
	} else if (c->closed && (up->connecting || (c->refused && !c->begun))) {
		up->sent = false; /* nobody has looked at it */
		fail(w, c, FAILURE_CONNECT);
	} else if (c->malformed && !c->answered) {
		fail(w, c, FAILURE_ANSWER);
	} else {
		up->readable = c->head || c->closed || http2_body_waits(&c->body);
		up->drive(w, up);
	}
}

void http2_call_release(struct worker *w, struct http2_call *c)
{
	struct http2_upstream *h = c->http2;
	struct upstream *up = c->up;
	timer_stop(&w->wheel, &up->timer);
	up->closed = true;
	up->call = NULL;
	up->next = w->dead_upstreams;
	w->dead_upstreams = up;
	c->up = NULL;
	consume(c, http2_body_done(&c->body, &w->buffers));
	if (!c->closed && c->id && !h->broken)
		nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, c->id, NGHTTP2_CANCEL);
	else
		c->closed = true;
	if (c->closed)
		http2_call_ready(c);
	h->users--;
	http2_upstream_left(h);
}
