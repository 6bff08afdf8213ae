/* SPDX-License-Identifier: Apache-2.0
 *
 * http2 - see http2.h for the contract.
 *
 * A DATA frame's bytes are copied once, from the answer's buffer into the one that is written to the socket: what
 * libnghttp2 calls no copy.
 */
#include "gateway/http2.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/account.h"
#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/http2_stream.h"
#include "gateway/loop.h"
#include "gateway/tls.h"

enum { ROUNDS = 8, STATUS_SIZE = 3, PREFACE_LEAST = 16 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* What all connections of a worker have in common. */
struct http2_rules {
	nghttp2_session_callbacks *calls;
	nghttp2_option *option;
};

void http2_wake(struct http2 *h)
{
	if (!h->turning && !h->closing)
		worker_again(h->worker, h->client);
}

bool http2_busy(const struct http2 *h)
{
	return h->stream_count > 0;
}

/* ── what frames bring ────────────────────────────────────────────────────────────────────────────── */

static struct http2_stream *stream_of(nghttp2_session *session, int32_t id)
{
	return id ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

/* `s`: the stream that it was in, if any. */
static void count_fault(struct http2 *h, struct http2_stream *s)
{
	if (s)
		s->counted = true;
	account_worker(h->worker, COUNTERS_WORKER_BAD_REQUESTS);
	if (++h->faults == HTTP2_FAULTS)
		nghttp2_session_terminate_session(h->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int malformed(struct http2 *h, int32_t id)
{
	count_fault(h, stream_of(h->session, id));
	nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http2 *h = user;
	if (h->left)
		return 0; /* the client is told that it was not looked at */
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		nghttp2_session_set_stream_user_data(session, frame->hd.stream_id,
						     http2_stream_new(h, frame->hd.stream_id));
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
		     void *user)
{
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);
	(void)flags;
	if (!s || s->closed ||
	    http2_stream_field(s, (const char *)name, name_size, (const char *)value, value_size))
		return 0;
	return malformed(user, frame->hd.stream_id);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);
	bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	if (!s || s->closed)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && !http2_stream_headed(s, ended))
		malformed(user, s->id);
	if (frame->hd.type == NGHTTP2_DATA && ended)
		http2_stream_ended(s);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t size, void *user)
{
	struct http2_stream *s = stream_of(session, id);
	(void)flags;
	if (!s)
		nghttp2_session_consume_connection(session, size);
	else if (!http2_stream_data(s, data, size))
		malformed(user, id);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct http2_stream *s = stream_of(session, id);
	(void)code;
	(void)user;
	if (s)
		http2_stream_closed(s);
	return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
			    void *user)
{
	(void)code;
	count_fault(user, stream_of(session, frame->hd.stream_id));
	return 0;
}

/* Who has its answer before it sent all of its request need not send the rest. And a stream that libnghttp2 had to
 * reset for its body was one of a malformed request, though no call said so. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);
	if (s && !s->counted && frame->hd.type == NGHTTP2_RST_STREAM &&
	    frame->rst_stream.error_code == NGHTTP2_PROTOCOL_ERROR)
		count_fault(user, s);
	bool body = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
	if (s && body && frame->hd.flags & NGHTTP2_FLAG_END_STREAM && !s->body.ended)
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
	return 0;
}

/* ── answers ──────────────────────────────────────────────────────────────────────────────────────── */

static void submit_trailer(struct http2_stream *s)
{
	struct http2_field fields[CHUNKED_TRAILER_FIELDS];
	nghttp2_nv nv[CHUNKED_TRAILER_FIELDS];
	size_t count = http2_stream_trailer(s, fields, CHUNKED_TRAILER_FIELDS);
	http2_frames_fields(fields, count, nv);
	nghttp2_submit_trailer(s->http2->session, s->id, nv, count);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t capacity,
			 uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct http2_stream *s = source->ptr;
	bool last, trails = false;
	uint32_t size = http2_stream_available(s, &last);
	(void)session;
	(void)id;
	(void)to;
	(void)user;
	last = last && size <= capacity;
	if (size > capacity)
		size = (uint32_t)capacity;
	if (size == 0 && !last) {
		http2_stream_waits(s);
		return NGHTTP2_ERR_DEFERRED;
	}
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (!last)
		return (ssize_t)size;
	struct http2_field field;
	trails = http2_stream_trailer(s, &field, 1) > 0;
	*flags |= NGHTTP2_DATA_FLAG_EOF | (trails ? NGHTTP2_DATA_FLAG_NO_END_STREAM : 0);
	if (trails)
		submit_trailer(s);
	return (ssize_t)size;
}

static int send_body(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
		     size_t size, nghttp2_data_source *source, void *user)
{
	struct http2 *h = user;
	struct http2_stream *s = source->ptr;
	(void)session;
	(void)frame;
	if (size > 0 && !s->out)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* its exchange was cancelled */
	char *to = http2_frames_data(&h->out, head, size);
	if (!to)
		return NGHTTP2_ERR_WOULDBLOCK;
	http2_stream_copy(s, to, (uint32_t)size);
	return 0;
}

void http2_answer(struct http2_stream *s, unsigned status, const struct http2_field *fields,
		  size_t count, bool interim, bool bare)
{
	nghttp2_nv nv[HTTP2_ANSWER_FIELDS + 1];
	struct http2 *h = s->http2;
	char digits[STATUS_SIZE] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
				    (char)('0' + status % 10)};
	const struct http2_field code = {":status", digits, 7, STATUS_SIZE};
	nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_body};
	http2_frames_fields(&code, 1, nv);
	http2_frames_fields(fields, count, nv + 1);
	if (h->closing)
		return;
	if (interim)
		nghttp2_submit_headers(h->session, NGHTTP2_FLAG_NONE, s->id, NULL, nv, count + 1,
				       NULL);
	else
		nghttp2_submit_response(h->session, s->id, nv, count + 1, bare ? NULL : &body);
	http2_wake(h);
}

void http2_resume(struct http2_stream *s)
{
	if (s->http2->closing || s->closed)
		return;
	nghttp2_session_resume_data(s->http2->session, s->id); /* refused: it is not waiting */
	http2_wake(s->http2);
}

bool http2_window_is_shut(const struct http2_stream *s)
{
	nghttp2_session *session = s->http2->session;
	return nghttp2_session_get_remote_window_size(session) <= 0 ||
	       nghttp2_session_get_stream_remote_window_size(session, s->id) <= 0;
}

void http2_reset(struct http2_stream *s)
{
	if (s->http2->closing || s->closed)
		return;
	nghttp2_submit_rst_stream(s->http2->session, NGHTTP2_FLAG_NONE, s->id,
				  NGHTTP2_INTERNAL_ERROR);
	http2_wake(s->http2);
}

void http2_consume(struct http2_stream *s, uint32_t size)
{
	if (s->http2->closing)
		return;
	if (s->closed)
		nghttp2_session_consume_connection(s->http2->session, size);
	else
		nghttp2_session_consume(s->http2->session, s->id, size);
	http2_wake(s->http2);
}

/* ── the connection ───────────────────────────────────────────────────────────────────────────────── */

void http2_init(struct worker *w)
{
	struct http2_rules *rules = mem_zero(1, sizeof(*rules));
	w->http2_rules = rules;
	slab_init(&w->http2_streams, sizeof(struct http2_stream), sizeof(struct http2_stream));
	bool made = nghttp2_session_callbacks_new(&rules->calls) == 0 &&
		    nghttp2_option_new(&rules->option) == 0;
	ASSERT(made);
	nghttp2_session_callbacks_set_on_begin_headers_callback(rules->calls, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(rules->calls, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(rules->calls, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(rules->calls, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(rules->calls, on_stream_close);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(rules->calls,
								     on_invalid_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(rules->calls, on_sent);
	nghttp2_session_callbacks_set_send_data_callback(rules->calls, send_body);
	nghttp2_option_set_no_auto_window_update(rules->option, 1);
	nghttp2_option_set_stream_reset_rate_limit(rules->option, HTTP2_RESETS, HTTP2_RESETS_PER_S);
}

void http2_done(struct worker *w)
{
	nghttp2_session_callbacks_del(w->http2_rules->calls);
	nghttp2_option_del(w->http2_rules->option);
	free(w->http2_rules);
	slab_done(&w->http2_streams);
}

bool http2_is_preface(const char *data, size_t size)
{
	size_t whole = sizeof(preface) - 1;
	return size >= PREFACE_LEAST && memcmp(data, preface, size < whole ? size : whole) == 0;
}

bool http2_is_off(const struct worker *w, const struct client *c)
{
	int listener = c->listener->index;
	return w->live && listener >= 0 && w->live->http1_only[listener];
}

/* False: the connection is lost. */
static bool read_frames(struct http2 *h, const char *data, size_t size)
{
	ssize_t used = nghttp2_session_mem_recv(h->session, (const uint8_t *)data, size);
	if (used >= 0)
		return true;
	account_worker(h->worker, COUNTERS_WORKER_BAD_REQUESTS);
	h->error = used == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? NGHTTP2_PROTOCOL_ERROR
							: NGHTTP2_ENHANCE_YOUR_CALM;
	return false;
}

bool http2_begin(struct worker *w, struct client *c, const char *data, size_t size)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP2_STREAMS},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_LIST_MAX},
	};
	struct http2 *h = mem_zero(1, sizeof(*h));
	h->worker = w;
	h->client = c;
	h->ready_end = &h->ready;
	c->http2 = h;
	if (nghttp2_session_server_new2(&h->session, w->http2_rules->calls, h,
					w->http2_rules->option) != 0 ||
	    nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(settings[0])) != 0 ||
	    nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, HTTP2_WINDOW) !=
		    0 ||
	    !read_frames(h, data, size)) {
		client_close(w, c);
		return false;
	}
	if (w->draining)
		http2_ask_to_leave(w, c);
	return true;
}

void http2_ask_to_leave(struct worker *w, struct client *c)
{
	nghttp2_submit_shutdown_notice(c->http2->session);
	worker_again(w, c);
}

void http2_leave(struct worker *w, struct client *c)
{
	struct http2 *h = c->http2;
	if (h->left)
		return;
	h->left = true;
	nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(h->session), NGHTTP2_NO_ERROR,
			      NULL, 0);
	worker_again(w, c);
}

/* True: something came. */
static bool receive(struct worker *w, struct http2 *h)
{
	struct client *c = h->client;
	struct flow in = {.framing = HTTP1_FRAMING_CLOSE};
	if (!c->readable)
		return false;
	int got = client_take(w, c, &in);
	c->readable = got > 0 && (!in.drained || c->peer_ended);
	bool good = got == FLOW_WAIT || (got > 0 && read_frames(h, in.buffer->data, in.raw));
	flow_done(&in, &w->buffers);
	if (!good) {
		c->broken = got == FLOW_ERROR;
		client_close(w, c);
	}
	return got > 0;
}

static void turn_streams(struct worker *w, struct http2 *h)
{
	while (h->ready) {
		struct http2_stream *s = h->ready;
		h->ready = s->ready_next;
		if (!h->ready)
			h->ready_end = &h->ready;
		http2_stream_turn(w, s);
	}
}

/* Write what is in the buffer. False: the connection is lost. */
static bool write_out(struct http2 *h)
{
	struct client *c = h->client;
	struct http2_frames *f = &h->out;
	while (f->at < f->size && c->writable) {
		int put = client_write(c, f->out->data + f->at, f->size - f->at);
		if (put == FLOW_ERROR)
			return false;
		if (put == FLOW_WAIT)
			c->writable = false;
		else
			http2_frames_written(f, &h->worker->buffers, (uint32_t)put);
		c->moved_bytes += put > 0 ? (uint64_t)put : 0;
	}
	return true;
}

static bool send_frames(struct http2 *h)
{
	int more = 1;
	while (more > 0 && h->client->writable &&
	       (h->out.size || nghttp2_session_want_write(h->session))) {
		more = http2_frames_fill(&h->out, &h->worker->buffers, h->session);
		if (more < 0 || !write_out(h))
			return false;
	}
	if (!h->out.size)
		http2_frames_done(&h->out, &h->worker->buffers);
	return true;
}

/* Heads come one after the other (RFC 9113, 4.3): only the newest stream's can be under way. */
static bool head_is_open(const struct http2 *h)
{
	const struct http2_stream *s = h->streams;
	return s && !s->headed && !s->closed;
}

/* Each time that it took enough for its pace it has as long again. */
static uint64_t take_until(struct worker *w, struct http2 *h)
{
	uint32_t most_ms = w->live ? w->live->table->limits.header_ms : CLIENT_LINGER_MS;
	uint64_t least = w->live ? w->live->table->limits.body_bytes_per_s : 0;
	if (h->exchange_count > 0) {
		h->take_until_ms = 0;
	} else if (!h->take_until_ms || h->client->moved_bytes > least * most_ms / 1000) {
		h->client->moved_bytes = 0;
		h->take_until_ms = w->now_ms + most_ms;
	}
	return h->take_until_ms;
}

uint64_t http2_until(struct worker *w, struct http2 *h)
{
	if (!head_is_open(h))
		return take_until(w, h);
	if (h->head_of != h->streams->id) {
		h->head_of = h->streams->id;
		h->head_until_ms =
			w->now_ms + (w->live ? w->live->table->limits.header_ms : CLIENT_LINGER_MS);
	}
	return h->head_until_ms;
}

void http2_timeout(struct worker *w, struct http2 *h)
{
	if (!h->stream_count)
		return;
	account_worker(w, COUNTERS_WORKER_SLOW_CLIENTS);
	h->error = NGHTTP2_ENHANCE_YOUR_CALM;
	h->client->abort = h->out.size > 0; /* the kernel would keep it */
}

static void cancel_streams(struct worker *w, struct http2 *h)
{
	h->closing = true;
	for (struct http2_stream *s = h->streams; s; s = s->next)
		http2_stream_closed(s);
	turn_streams(w, h);
}

/* Both sides have said all that they will. */
static bool is_over(const struct http2 *h)
{
	bool said = h->out.size == 0 && !nghttp2_session_want_write(h->session);
	bool heard = !nghttp2_session_want_read(h->session) || (h->left && !h->stream_count);
	return said && heard;
}

void http2_drive(struct worker *w, struct client *c)
{
	struct http2 *h = c->http2;
	bool more = true;
	h->turning = true;
	for (int round = 0; more && round < ROUNDS; round++) {
		more = receive(w, h);
		if (c->closed)
			return;
		turn_streams(w, h);
		if (!send_frames(h)) {
			c->broken = true;
			client_close(w, c);
			return;
		}
		more |= h->ready != NULL;
	}
	h->turning = false;
	if (is_over(h)) {
		cancel_streams(w, h);
		client_exchange_over(w, c, false, false);
	} else if (more) {
		worker_again(w, c);
	}
}

void http2_free(struct worker *w, struct client *c)
{
	struct http2 *h = c->http2;
	h->turning = true;
	if (h->session && !h->closing && !c->broken) {
		nghttp2_session_terminate_session(h->session, h->error);
		c->writable = true;
		send_frames(h); /* if the socket takes it; else the end says it */
	}
	cancel_streams(w, h);
	buffer_give(&w->buffers, h->heading);
	http2_frames_done(&h->out, &w->buffers);
	nghttp2_session_del(h->session);
	c->http2 = NULL;
	free(h);
}
