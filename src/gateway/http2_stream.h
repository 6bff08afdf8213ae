/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_stream - a stream of HTTP/2 as a client that speaks HTTP/1.1.
 *
 * HOW   gateway/http2.h calls what frames bring about. Those calls come from inside libnghttp2, so that they only note
 *       what came; http2_stream_turn() acts on it. gateway/client.h calls the rest, which stands for
 *       a connection's receiving, sending and closing.
 * OWNS  The connection has its streams; a stream lives until both libnghttp2 and its exchange have done with it.
 *       `out` is the flow of the exchange's answer, taken from when frames go out.
 */
#ifndef GATEWAY_HTTP2_STREAM_H
#define GATEWAY_HTTP2_STREAM_H

#include "gateway/http2.h"
#include "gateway/http2_body.h"

struct http2_stream {
	struct http2 *http2;
	struct http2_stream *next, *prev;
	struct http2_stream *ready_next;
	struct client *client; /* NULL: its exchange has not begun, or is over */
	struct flow *out;      /* NULL: no answer yet, or all of it is here */
	int32_t id;
	bool ready;          /* on that list */
	bool answered;       /* a final answer has begun */
	bool over;           /* the exchange has given all of it */
	bool closed;         /* libnghttp2 knows it no more */
	bool headed;         /* its first fields are whole: what comes now is a trailer's */
	bool too_large;      /* they were more than we take */
	bool counted;        /* as one of a malformed request */
	struct buffer *head; /* of its request; NULL: its exchange has it */
	uint32_t head_size;
	struct http2_body body; /* of its request */
};

/* ── what frames bring ── */

struct http2_stream *http2_stream_new(struct http2 *h, int32_t id);
/* One field more. False: the stream is malformed, as it is for the next two. */
bool http2_stream_field(struct http2_stream *s, const char *name, size_t name_size,
			const char *value, size_t value_size);
/* The fields are whole. */
bool http2_stream_headed(struct http2_stream *s, bool ended);
bool http2_stream_data(struct http2_stream *s, const uint8_t *data, size_t size);
void http2_stream_ended(struct http2_stream *s);
void http2_stream_closed(struct http2_stream *s);

/* Bytes of the answer's body that can go out, and whether none will follow them. */
uint32_t http2_stream_available(const struct http2_stream *s, bool *ret_last);
/* There are none: it takes what comes next, though a part of a trailer may lie there already. */
void http2_stream_waits(struct http2_stream *s);
/* Copy them; call only for that many. */
void http2_stream_copy(struct http2_stream *s, char *to, uint32_t size);
/* The trailer's fields, in memory of the answer's; 0: none. */
size_t http2_stream_trailer(struct http2_stream *s, struct http2_field *fields, size_t max);

/* Go on with its exchange; it may be gone after that. */
void http2_stream_turn(struct worker *w, struct http2_stream *s);

/* ── as a client's connection ── */

int http2_take(struct worker *w, struct client *c, struct flow *f);
int http2_put(struct worker *w, struct client *c, struct flow *f, char *head, uint32_t head_size);
/* Its exchange is over with a whole answer; and: however it ended, the client is closed. */
void http2_stream_over(struct worker *w, struct client *c);
void http2_stream_left(struct worker *w, struct client *c);

#endif
