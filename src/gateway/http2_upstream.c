/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_upstream - see http2_upstream.h for the contract.
 */
#include "gateway/http2_upstream.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "gateway/http2.h"
#include "gateway/http2_call.h"
#include "gateway/live.h"

enum { ROUNDS = 64 /* of one connection before others have their turn: a whole window */ };

/* ── what frames bring ────────────────────────────────────────────────────────────────────────────── */

static struct http2_call *call_of(nghttp2_session *session, int32_t id)
{
	return id ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static int malformed(struct http2_call *c)
{
	c->malformed = true;
	http2_call_ready(c);
	nghttp2_submit_rst_stream(c->http2->session, NGHTTP2_FLAG_NONE, c->id,
				  NGHTTP2_PROTOCOL_ERROR);
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
		     void *user)
{
	struct http2_call *c = call_of(session, frame->hd.stream_id);
	(void)flags;
	(void)user;
	if (!c || c->closed || c->malformed ||
	    http2_call_field(c, (const char *)name, name_size, (const char *)value, value_size))
		return 0;
	return malformed(c);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http2_call *c = call_of(session, frame->hd.stream_id);
	bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	(void)user;
	if (!c || c->closed || c->malformed)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && !http2_call_headed(c, ended))
		malformed(c);
	if (frame->hd.type == NGHTTP2_DATA && ended) {
		c->body.ended = true;
		http2_call_ready(c);
	}
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t size, void *user)
{
	struct http2_call *c = call_of(session, id);
	(void)flags;
	(void)user;
	if (!c)
		nghttp2_session_consume_connection(session, size);
	else if (!http2_call_data(c, data, size))
		malformed(c);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct http2_call *c = call_of(session, id);
	(void)user;
	if (!c)
		return 0;
	c->closed = true;
	c->refused = code == NGHTTP2_REFUSED_STREAM;
	http2_call_ready(c);
	return 0;
}

static int send_body(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
		     size_t size, nghttp2_data_source *source, void *user)
{
	struct http2_upstream *h = user;
	(void)session;
	(void)frame;
	char *to = http2_frames_data(&h->out, head, size);
	if (!to)
		return NGHTTP2_ERR_WOULDBLOCK;
	http2_call_copy(source->ptr, to, (uint32_t)size);
	return 0;
}

void http2_upstream_init(struct worker *w)
{
	slab_init(&w->http2_calls, sizeof(struct http2_call), sizeof(struct http2_call));
	bool made = nghttp2_session_callbacks_new(&w->upstream_callbacks) == 0 &&
		    nghttp2_option_new(&w->upstream_option) == 0;
	ASSERT(made);
	nghttp2_session_callbacks *calls = w->upstream_callbacks;
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
	nghttp2_session_callbacks_set_send_data_callback(calls, send_body);
	nghttp2_option_set_no_auto_window_update(w->upstream_option, 1);
}

void http2_upstream_done(struct worker *w)
{
	nghttp2_session_callbacks_del(w->upstream_callbacks);
	nghttp2_option_del(w->upstream_option);
	slab_done(&w->http2_calls);
}

/* ── the connection ───────────────────────────────────────────────────────────────────────────────── */

static void free_upstream(struct http2_upstream *h)
{
	struct buffers *pool = &h->worker->buffers;
	buffer_give(pool, h->heading);
	http2_frames_done(&h->out, pool);
	nghttp2_session_del(h->session);
	free(h);
}

/* Each tells its user, who may do anything but end the connection. */
static void turn_calls(struct http2_upstream *h)
{
	while (h->ready) {
		struct http2_call *c = h->ready;
		h->ready = c->ready_next;
		if (!h->ready)
			h->ready_end = &h->ready;
		http2_call_turn(h->worker, c);
	}
}

static bool write_out(struct http2_upstream *h)
{
	struct http2_frames *f = &h->out;
	while (f->at < f->size && h->carrier->writable) {
		ssize_t put =
			send(h->carrier->fd, f->out->data + f->at, f->size - f->at, MSG_NOSIGNAL);
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (put < 0)
			h->carrier->writable = false;
		else
			http2_frames_written(f, &h->worker->buffers, (uint32_t)put);
	}
	return true;
}

static void send_frames(struct http2_upstream *h)
{
	int more = 1;
	while (more > 0 && h->carrier->writable &&
	       (h->out.size || nghttp2_session_want_write(h->session))) {
		more = http2_frames_fill(&h->out, &h->worker->buffers, h->session);
		if (more < 0 || !write_out(h)) {
			h->broken = true;
			return;
		}
	}
	if (!h->out.size)
		http2_frames_done(&h->out, &h->worker->buffers);
}

/* True: something came. */
static bool receive(struct http2_upstream *h)
{
	struct worker *w = h->worker;
	if (!h->carrier->readable || h->broken)
		return false;
	struct flow in = {.framing = HTTP1_FRAMING_CLOSE};
	int got = flow_receive(&in, &w->buffers, h->carrier->fd);
	h->carrier->readable = got > 0 && (!in.drained || h->carrier->peer_ended);
	if (got > 0)
		h->heard_ms = w->now_ms;
	if (got == FLOW_END || got == FLOW_ERROR ||
	    (got > 0 &&
	     nghttp2_session_mem_recv(h->session, (const uint8_t *)in.buffer->data, in.raw) < 0))
		h->broken = true;
	flow_done(&in, &w->buffers);
	return got > 0;
}

static void unlink_upstream(struct http2_upstream *h)
{
	struct http2_upstream **at = &h->carrier->backend->http2_upstreams;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
}

/* The socket is gone: whoever still waits for something is told, and it is freed with the last of them. */
static void end_upstream(struct http2_upstream *h)
{
	struct worker *w = h->worker;
	h->turning = h->broken = h->left = true;
	unlink_upstream(h);
	upstream_close(w, h->carrier);
	h->carrier = NULL;
	for (struct http2_call *c = h->calls; c; c = c->next) {
		c->closed = true;
		http2_call_ready(c);
	}
	turn_calls(h);
	h->turning = false;
	if (!h->calls)
		free_upstream(h);
}

static bool is_wanted(const struct http2_upstream *h)
{
	const struct backend *b = h->carrier->backend;
	return b->entry && b->entry->ready && !h->worker->draining && !h->left;
}

/* Nobody uses it, and nobody will. */
static bool is_over(const struct http2_upstream *h)
{
	bool idle = h->worker->now_ms >= h->idle_since_ms + UPSTREAM_IDLE_MS;
	return !h->users && (idle || !is_wanted(h));
}

/* Look at it soon, or when nobody has wanted it for long. */
static void set_timer(struct http2_upstream *h)
{
	struct worker *w = h->worker;
	bool soon = h->broken || h->ready || h->carrier->readable || !is_wanted(h);
	if (h->carrier->connecting)
		return; /* the timer is that of connecting */
	if (soon)
		timer_set(&w->wheel, &h->carrier->timer, w->now_ms);
	else
		timer_set(&w->wheel, &h->carrier->timer, w->now_ms + UPSTREAM_IDLE_MS);
}

static void begin_calls(struct http2_upstream *h)
{
	for (struct http2_call *c = h->calls; c; c = c->next) {
		if (!c->up || !c->up->connecting)
			continue;
		timer_stop(&h->worker->wheel, &c->up->timer);
		c->up->connecting = false;
		c->up->writable = true;
		c->up->connect_us = h->carrier->connect_us;
		http2_call_ready(c);
	}
}

static void drive(struct http2_upstream *h)
{
	bool more = true;
	if (h->carrier->connecting)
		return;
	h->turning = true;
	begin_calls(h);
	for (int round = 0; more && round < ROUNDS && !h->broken; round++) {
		more = receive(h);
		turn_calls(h);
		if (!h->broken)
			send_frames(h);
		more |= h->ready != NULL;
	}
	h->turning = false;
	bool ended =
		!nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session);
	if (h->broken || ended || is_over(h))
		end_upstream(h);
	else if (more || !h->users)
		set_timer(h);
}

static void carrier_drive(struct worker *w, struct upstream *carrier)
{
	(void)w;
	drive(carrier->user);
}

/* It could not be made; or its timer says that it is time to look. */
static void carrier_fail(struct worker *w, struct upstream *carrier, enum failure why)
{
	struct http2_upstream *h = carrier->user;
	(void)w;
	if (why == FAILURE_CONNECT)
		end_upstream(h);
	else
		drive(h);
}

void http2_upstream_flush(struct http2_upstream *h)
{
	if (h->turning || h->broken || h->carrier->connecting)
		return;
	send_frames(h);
	if (h->broken || h->ready)
		set_timer(h);
}

void http2_upstream_left(struct http2_upstream *h)
{
	h->idle_since_ms = h->worker->now_ms;
	if (!h->carrier && !h->turning) {
		turn_calls(h);
		if (!h->calls)
			free_upstream(h);
		return;
	}
	if (!h->carrier || h->turning)
		return;
	http2_upstream_flush(h);
	if (!h->users)
		set_timer(h);
}

/* ── taking one ───────────────────────────────────────────────────────────────────────────────────── */

static bool takes_more(struct http2_upstream *h, const struct upstream_user *user)
{
	uint32_t allowed = nghttp2_session_get_remote_settings(
		h->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
	char byte;
	if (h->left || h->broken || h->carrier->apart != user->apart ||
	    h->call_count >= HTTP2_UPSTREAM_CALLS || h->users >= allowed ||
	    !nghttp2_session_check_request_allowed(h->session))
		return false;
	/* What comes while nobody has asked for anything is most of all its end. */
	return h->carrier->connecting || h->users || !user->proven ||
	       (recv(h->carrier->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

static int connect_new(struct worker *w, struct backend *b, const struct upstream_user *user,
		       struct http2_upstream **ret_h)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_LIST_MAX},
	};
	struct http2_upstream *h = mem_zero(1, sizeof(*h));
	const struct upstream_user carried = {.drive = carrier_drive,
					      .fail = carrier_fail,
					      .user = h,
					      .connect_ms = user->connect_ms,
					      .apart = user->apart};
	h->worker = w;
	h->ready_end = &h->ready;
	bool made = nghttp2_session_client_new2(&h->session, w->upstream_callbacks, h,
						w->upstream_option) == 0 &&
		    nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
					    sizeof(settings) / sizeof(settings[0])) == 0 &&
		    nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0,
							  HTTP2_WINDOW) == 0;
	ASSERT(made);
	int failed = upstream_connect(w, b, &carried, &h->carrier);
	if (failed) {
		free_upstream(h);
		return failed;
	}
	h->next = b->http2_upstreams;
	b->http2_upstreams = h;
	*ret_h = h;
	return 0;
}

int http2_upstream_take(struct worker *w, struct backend *backend, const struct upstream_user *user,
			struct upstream **ret_up)
{
	struct http2_upstream *h = backend->http2_upstreams;
	while (h && !takes_more(h, user))
		h = h->next;
	int failed = h ? 0 : connect_new(w, backend, user, &h);
	if (failed)
		return failed;
	*ret_up = http2_call_new(h, user)->up;
	return 0;
}

void http2_upstream_close_idle(struct backend *backend)
{
	struct http2_upstream *next;
	for (struct http2_upstream *h = backend->http2_upstreams; h; h = next) {
		next = h->next;
		if (!h->users && !h->turning)
			end_upstream(h);
	}
}
