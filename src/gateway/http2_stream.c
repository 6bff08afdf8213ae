/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_stream - see http2_stream.h for the contract.
 */
#include "gateway/http2_stream.h"

#include <string.h>

#include "gateway/account.h"
#include "gateway/client.h"
#include "gateway/exchange.h"

static const char last_chunk[] = "0\r\n\r\n";

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
	buffer_give(&w->buffers, s->in);
	buffer_give(&w->buffers, s->tail);
	*(s->prev ? &s->prev->next : &h->streams) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	h->stream_count--;
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

/* Its tail begins with the last chunk; an empty line is to follow. */
static bool add_to_trailer(struct http2_stream *s, const char *name, size_t name_size,
			   const char *value, size_t value_size)
{
	if (!s->tail) {
		s->tail = buffer_take(&s->http2->worker->buffers, CHUNKED_TRAILER_MAX + 8);
		memcpy(s->tail->data, "0\r\n", 3);
		s->tail_size = 3;
	}
	if (s->tail_size + name_size + value_size + 4 > CHUNKED_TRAILER_MAX)
		return false;
	int size = http2_trailer_line(name, name_size, value, value_size,
				      s->tail->data + s->tail_size);
	s->tail_size += size > 0 ? (uint32_t)size : 0;
	return size >= 0;
}

bool http2_stream_field(struct http2_stream *s, const char *name, size_t name_size,
			const char *value, size_t value_size)
{
	struct http2 *h = s->http2;
	if (s->headed)
		return add_to_trailer(s, name, name_size, value, value_size);
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
	s->ended = ended;
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

/* Room for so many bytes behind what was not taken yet. */
static bool make_room(struct worker *w, struct http2_stream *s, size_t size)
{
	uint32_t left = s->in_size - s->in_at;
	if (s->in && s->in->capacity - s->in_size >= size)
		return true;
	if (left + size > BUFFER_LARGE)
		return false; /* more than the window: libnghttp2 lets it not happen */
	struct buffer *other = buffer_take(&w->buffers, left + size);
	if (left)
		memcpy(other->data, s->in->data + s->in_at, left);
	buffer_give(&w->buffers, s->in);
	s->in = other;
	s->in_at = 0;
	s->in_size = left;
	return true;
}

bool http2_stream_data(struct http2_stream *s, const uint8_t *data, size_t size)
{
	if (s->over || s->too_large || s->closed) { /* nobody wants it */
		http2_consume(s, (uint32_t)size);
		return true;
	}
	if (!make_room(s->http2->worker, s, size))
		return false;
	memcpy(s->in->data + s->in_size, data, size);
	s->in_size += (uint32_t)size;
	make_ready(s);
	return true;
}

void http2_stream_ended(struct http2_stream *s)
{
	s->ended = true;
	make_ready(s);
}

void http2_stream_closed(struct http2_stream *s)
{
	s->closed = true;
	make_ready(s);
}

/* All that came of the body is taken: what is left is its end. > 0, FLOW_WAIT or FLOW_END. */
static int take_end(struct http2_stream *s, bool chunked, char *to, uint32_t room)
{
	const char *tail = s->tail ? s->tail->data : last_chunk;
	if (!s->ended)
		return FLOW_WAIT;
	if (!chunked)
		s->given = true;
	if (s->given)
		return FLOW_END;
	if (s->tail && s->tail_at == 0) {
		memcpy(s->tail->data + s->tail_size, "\r\n", 2);
		s->tail_size += 2;
	}
	uint32_t size = (s->tail ? s->tail_size : (uint32_t)sizeof(last_chunk) - 1) - s->tail_at;
	if (size > room)
		size = room;
	memcpy(to, tail + s->tail_at, size);
	s->tail_at += size;
	s->given = s->tail_at == (s->tail ? s->tail_size : sizeof(last_chunk) - 1);
	return (int)size;
}

static uint32_t take_piece(struct http2_stream *s, bool chunked, char *to, uint32_t room)
{
	uint32_t size = s->in_size - s->in_at, most = chunked ? room - HTTP2_CHUNK_EXTRA : room;
	size_t head = 0;
	if (size > most)
		size = most;
	if (chunked)
		head = http1_write_chunk_head(size, to);
	memcpy(to + head, s->in->data + s->in_at, size);
	if (chunked)
		memcpy(to + head + size, "\r\n", 2);
	s->in_at += size;
	http2_consume(s, size);
	return (uint32_t)head + size + (chunked ? 2 : 0);
}

int http2_take(struct worker *w, struct client *c, struct flow *f)
{
	struct http2_stream *s = c->stream;
	uint32_t room = flow_room(f, &w->buffers), got = 0;
	bool chunked = c->x->head.framing == HTTP1_FRAMING_CHUNKED;
	while (s->in_at < s->in_size && room - got > HTTP2_CHUNK_EXTRA)
		got += take_piece(s, chunked, f->buffer->data + f->raw + got, room - got);
	if (s->in && s->in_at == s->in_size) {
		buffer_give(&w->buffers, s->in);
		s->in = NULL;
		s->in_at = s->in_size = 0;
	}
	int end = FLOW_WAIT;
	if (!s->in && room > got)
		end = take_end(s, chunked, f->buffer->data + f->raw + got, room - got);
	got += end > 0 ? (uint32_t)end : 0;
	f->raw += got;
	f->drained = !s->in && (!s->ended || s->given);
	return got ? (int)got : end;
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
		if (s->in || (s->ended && !s->given))
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
	uint32_t untaken = s->in_size - s->in_at;
	s->client = NULL;
	s->out = NULL;
	if (!s->over)
		http2_reset(s);
	s->over = true;
	if (untaken)
		http2_consume(s, untaken);
	buffer_give(&w->buffers, s->in);
	s->in = NULL;
	s->in_at = s->in_size = 0;
	make_ready(s); /* it may be the last that knows it */
}
