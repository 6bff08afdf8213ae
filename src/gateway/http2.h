/* SPDX-License-Identifier: Apache-2.0
 *
 * http2 - a client's connection that speaks HTTP/2, by libnghttp2.
 *
 * WHAT  Each of its streams is a client of its own (struct client, without a socket), whose request is handed to an
 *       exchange as a head of HTTP/1.1 and whose answer is taken from it as one: so all that is done with requests is
 *       done with these, and by the same code. gateway/http2_stream.h has the streams; here are the frames.
 * HOW   http2_begin() on a connection whose TLS has agreed on "h2", or that began with HTTP/2's preface. From then on
 *       client_drive() is http2_drive(): it reads frames, lets the streams go on that something came for, and
 *       writes frames. What streams have to say in a batch of events goes out together at its end.
 * OWNS  The client owns it; http2_free() cancels what is under way.
 * LIMITS HTTP2_STREAMS at a time; the window of a stream and of the connection bound what is kept of bodies;
 *       HTTP2_RESETS streams that the client gives up at once and HTTP2_RESETS_PER_S after that, and
 *       HTTP2_FAULTS malformed requests, end the connection. libnghttp2 bounds what else a client can make us
 *       keep: acknowledgements of pings and settings, CONTINUATION frames.
 * SOURCE RFC 9113; RFC 7301 for "h2".
 */
#ifndef GATEWAY_HTTP2_H
#define GATEWAY_HTTP2_H

#include "gateway/core.h"
#include "gateway/http2_frames.h"
#include "wire/http2_head.h"

enum {
	HTTP2_STREAMS = 100,
	HTTP2_STREAM_WINDOW = 65535,
	HTTP2_WINDOW = 1 << 20, /* so that a few bodies that nobody takes keep no others */
	HTTP2_RESETS = 400,
	HTTP2_RESETS_PER_S = 40,
	HTTP2_FAULTS = 100,
};

struct nghttp2_session;
struct http2_stream;

struct http2 {
	struct worker *worker; /* of the callbacks */
	struct client *client;
	struct nghttp2_session *session;
	struct http2_stream *streams; /* all */
	struct http2_stream *ready,
		**ready_end;          /* that something became possible for, in their order */
	struct http2_request request; /* of the stream whose fields are being read */
	struct buffer *heading;       /* where it is made; NULL: none is */
	struct http2_frames out;      /* that the socket did not take yet */
	uint32_t stream_count;
	uint32_t faults;
	int32_t head_of; /* the stream whose head was under way when that was looked at last */
	uint64_t head_until_ms; /* when it has to be whole */
	uint32_t error;         /* of RFC 9113, section 7: what the client is told at the end */
	uint32_t exchange_count;
	uint64_t
		take_until_ms; /* when what is left of streams without an exchange has to be taken */
	bool used;             /* a stream has begun */
	bool turning;          /* in http2_drive() */
	bool closing;          /* no frames any more */
	bool left;             /* it was told that no new stream is served */
};

void http2_init(struct worker *w);
void http2_done(struct worker *w);

/* Whether `data`, the first bytes of a connection, are the beginning of HTTP/2's preface, its first line at least. */
bool http2_is_preface(const char *data, size_t size);

/* Whether an environment at the client's listener wants none of it. */
bool http2_is_off(const struct worker *w, const struct client *c);

/* The client speaks HTTP/2 from here on; data[0..size) came of it already. False: it is closed. */
bool http2_begin(struct worker *w, struct client *c, const char *data, size_t size);
void http2_drive(struct worker *w, struct client *c);

/* The worker drains: ask the client to open no more streams here; later: it may not. */
void http2_ask_to_leave(struct worker *w, struct client *c);
void http2_leave(struct worker *w, struct client *c);

/* Has it requests under way? */
bool http2_busy(const struct http2 *h);

/* A stream's head has begun and is not whole, or all exchanges are over and the client has not taken their last frames: when
 * that has to be; 0: an exchange looks after it. The limit that a head of HTTP/1 has. */
uint64_t http2_until(struct worker *w, struct http2 *h);

/* The connection's time is over: say why, if it is for one of these. */
void http2_timeout(struct worker *w, struct http2 *h);

/* Of client_close(). */
void http2_free(struct worker *w, struct client *c);

/* ── of the streams (gateway/http2_stream.h) ── */

/* Something was given to libnghttp2 to be sent, or a stream can go on. */
void http2_wake(struct http2 *h);
/* `interim`: an answer of 1xx; `bare`: no body follows. */
void http2_answer(struct http2_stream *s, unsigned status, const struct http2_field *fields,
		  size_t count, bool interim, bool bare);
void http2_resume(struct http2_stream *s);
/* Its client has given no window for more of its body. */
bool http2_window_is_shut(const struct http2_stream *s);
void http2_reset(struct http2_stream *s);
/* Of the body `size` bytes are taken: the client may send as many more. */
void http2_consume(struct http2_stream *s, uint32_t size);

#endif
