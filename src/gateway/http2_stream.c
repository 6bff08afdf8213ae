/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_stream - see http2_stream.h for the contract.
 */
#include "gateway/http2_stream.h"

#include <string.h>

#include "gateway/account.h"
#include "gateway/client.h"
#include "gateway/exchange.h"

/* It may be of a stream that turned out to be malformed in the middle. */
static void drop_heading(struct http2 *h)
{
	buffer_give(&h->worker->buffers, h->heading);
	h->heading = NULL;
}

struct http2_stream *http2_stream_new(struct http2 *h, int32_t id)
{
	drop_heading(h);
	struct http2_stream *s = slab_take(&h->worker->http2_streams);
	s->http2 = h;
	s->id = id;
	s->next = h->streams;
	if (s->next)
		s->next->prev = s;
	h->streams = s;
	h->stream_count++;
	h->used = true;
	return s;
}

static void free_stream(struct worker *w, struct http2_stream *s)
{
	struct http2 *h = s->http2;
	buffer_give(&w->buffers, s->head);
	uint32_t untaken = http2_body_done(&s->body, &w->buffers);
	if (untaken) /* given up before an exchange began */
		http2_consume(s, untaken);
	*(s->prev ? &s->prev->next : &h->streams) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	if (--h->stream_count == 0)
		h->take_until_ms = 0;
	slab_give(&w->http2_streams, s);
}

static void make_ready(struct http2_stream *s)
{
	struct http2 *h = s->http2;
	if (s->ready)
		return;
	s->ready = true;
	s->ready_next = NULL;
	*h->ready_end = s;
	h->ready_end = &s->ready_next;
	http2_wake(h);
}

/* ── the request ──────────────────────────────────────────────────────────────────────────────────── */

bool http2_stream_field(struct http2_stream *s, const char *name, size_t name_size,
			const char *value, size_t value_size)
{
	struct http2 *h = s->http2;
	if (s->headed)
		return http2_body_line(&s->body, &h->worker->buffers, name, name_size, value,
				       value_size);
	if (s->too_large)
		return true;
	if (!h->heading) {
		h->heading = buffer_take(&h->worker->buffers, HTTP2_HEAD_SIZE);
		http2_request_init(&h->request, h->heading->data);
	}
	int failed = http2_request_field(&h->request, name, name_size, value, value_size);
	s->too_large = failed == ERR_LIMIT;
	return !failed || s->too_large;
}

bool http2_stream_headed(struct http2_stream *s, bool ended)
{
	struct http2 *h = s->http2;
	struct buffers *pool = &h->worker->buffers;
	if (s->headed) {
		http2_stream_ended(s);
		return ended;
	}
	s->headed = true;
	s->body.ended = ended;
	int failed = s->too_large || !h->heading ? 0 : http2_request_end(&h->request, ended);
	bool good = !failed && (s->too_large || h->heading);
	if (good && !s->too_large) {
		s->head_size = h->request.size;
		s->head = buffer_take(pool, s->head_size);
		memcpy(s->head->data, h->request.data, s->head_size);
	}
	drop_heading(h);
	make_ready(s);
	return good;
}

bool http2_stream_data(struct http2_stream *s, const uint8_t *data, size_t size)
{
	if (s->over || s->too_large || s->closed) { /* nobody wants it */
		http2_consume(s, (uint32_t)size);
		return true;
	}
	if (!http2_body_add(&s->body, &s->http2->worker->buffers, data, size))
		return false;
	make_ready(s);
	return true;
}

void http2_stream_ended(struct http2_stream *s)
{
	s->body.ended = true;
	make_ready(s);
}

void http2_stream_closed(struct http2_stream *s)
{
	s->closed = true;
	make_ready(s);
}

int http2_take(struct worker *w, struct client *c, struct flow *f)
{
	struct http2_stream *s = c->stream;
	bool chunked = c->x->head.framing == HTTP1_FRAMING_CHUNKED;
	uint32_t consumed;
	int got = http2_body_take(&s->body, &w->buffers, chunked, f, &consumed);
	if (consumed)
		http2_consume(s, consumed);
	return got;
}

/* ── the answer ───────────────────────────────────────────────────────────────────────────────────── */

int http2_put(struct worker *w, struct client *c, struct flow *f, char *head, uint32_t head_size)
{
	struct http2_stream *s = c->stream;
	if (s->closed)
		return FLOW_ERROR;
	if (!head) {
		http2_resume(s);
		return 0;
	}
	struct http2_field fields[HTTP2_ANSWER_FIELDS];
	unsigned status;
	uint32_t size = (uint32_t)http2_answer_size(head, head_size, &status);
	char *lines = (char *)memchr(head, '\n', size) + 1;
	size_t count =
		http2_fields(lines, size - (size_t)(lines - head), fields, HTTP2_ANSWER_FIELDS);
	bool interim = status < 200;
	flow_sent(f, &w->buffers, head, head_size, size); /* what follows it is the body's */
	bool bare = !interim && flow_complete(f);
	if (!interim) {
		s->answered = true;
		s->out = bare ? NULL : f;
	}
	http2_answer(s, status, fields, count, interim, bare);
	return (int)size;
}

/* Bytes at the end of what is ready that are not of the body but of its trailer. */
static uint32_t trailer_of(const struct flow *f)
{
	return f->framing == HTTP1_FRAMING_CHUNKED ? f->chunked.kept : 0;
}

uint32_t http2_stream_available(const struct http2_stream *s, bool *ret_last)
{
	const struct flow *f = s->out;
	*ret_last = f ? f->ended : s->over;
	return f ? f->head_size - f->head_sent + f->ready - f->sent - trailer_of(f) : 0;
}

void http2_stream_waits(struct http2_stream *s)
{
	if (s->client)
		s->client->writable = true;
}

void http2_stream_copy(struct http2_stream *s, char *to, uint32_t size)
{
	struct worker *w = s->http2->worker;
	struct flow *f = s->out;
	if (!f)
		return;
	uint32_t copied = flow_gather(f, NULL, 0, to, size);
	ASSERT(copied == size);
	flow_sent(f, &w->buffers, NULL, 0, size);
	if (f->ended && f->ready - f->sent == trailer_of(f))
		f->sent = f->ready; /* that was read from here already */
	s->client->writable = true;
	s->client->moved_bytes += size;
	make_ready(s);
}

size_t http2_stream_trailer(struct http2_stream *s, struct http2_field *fields, size_t max)
{
	struct flow *f = s->out;
	uint32_t size = f ? trailer_of(f) : 0;
	return size ? http2_fields(f->buffer->data + f->ready - size, size, fields, max) : 0;
}

/* ── the stream as a client ───────────────────────────────────────────────────────────────────────── */

static void begin(struct worker *w, struct http2_stream *s)
{
	s->client = client_of_stream(w, s);
	s->http2->exchange_count++;
	s->client->surplus = s->head;
	s->client->surplus_size = s->head_size;
	s->head = NULL;
}

static void cancel(struct worker *w, struct client *c)
{
	c->broken = true;
	if (c->x)
		exchange_cancel(w, c->x);
	else
		client_close(w, c);
}

void http2_stream_turn(struct worker *w, struct http2_stream *s)
{
	s->ready = false;
	if (s->too_large && !s->answered && !s->closed) {
		static const struct http2_field reason = {"x-davit-error", "bad-request", 13, 11};
		account_worker(w, COUNTERS_WORKER_BAD_REQUESTS);
		s->answered = s->over = true;
		http2_answer(s, 431, &reason, 1, false, true);
	}
	if (s->head && !s->closed)
		begin(w, s);
	/* One that is closed for all of its answer has gone out is no cancelled one. */
	if (s->client && (!s->closed || (s->out && flow_complete(s->out)))) {
		if (http2_body_waits(&s->body))
			s->client->readable = true;
		client_drive(w, s->client);
	}
	if (s->client && s->closed)
		cancel(w, s->client);
	if (s->closed && !s->client && !s->ready)
		free_stream(w, s);
}

void http2_stream_over(struct worker *w, struct client *c)
{
	struct http2_stream *s = c->stream;
	s->over = true;
	s->out = NULL;
	if (!s->closed)
		http2_resume(s);
	client_close(w, c);
}

void http2_stream_left(struct worker *w, struct client *c)
{
	struct http2_stream *s = c->stream;
	uint32_t untaken = http2_body_done(&s->body, &w->buffers);
	s->client = NULL;
	s->http2->exchange_count--;
	s->out = NULL;
	if (!s->over)
		http2_reset(s);
	s->over = true;
	if (untaken)
		http2_consume(s, untaken);
	make_ready(s); /* it may be the last that knows it */
}
