/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_body - a body that came in frames of HTTP/2, as the bytes that HTTP/1.1 has of it.
 *
 * WHAT  http2_body_add() what frames bring, http2_body_line() a field of the trailer, `ended` once there comes no more;
 *       http2_body_take() hands it on: in chunks, with the trailer behind the last one, or bare.
 * OWNS  All zero bytes are an empty one; http2_body_done() gives its memory back.
 * LIMITS What is not taken: BUFFER_LARGE bytes, which flow-control's windows keep to; CHUNKED_TRAILER_MAX of a trailer.
 */
#ifndef GATEWAY_HTTP2_BODY_H
#define GATEWAY_HTTP2_BODY_H

#include "gateway/flow.h"
#include "wire/http1_write.h"

enum { HTTP2_CHUNK_EXTRA = HTTP1_CHUNK_HEAD_MAX + 2 }; /* bytes around a piece of a body */

struct http2_body {
	struct buffer *in; /* not yet taken; data[in_at..in_size) */
	struct buffer
		*tail; /* of one in chunks: the last one, and a trailer; data[tail_at..tail_size) */
	uint32_t in_at, in_size, tail_at, tail_size;
	bool ended; /* the other side has sent its last byte */
	bool given; /* and it was taken */
};

/* Give the memory back; what was not taken is lost. Returns how many bytes that were. */
uint32_t http2_body_done(struct http2_body *b, struct buffers *pool);

/* False: more than a window. */
bool http2_body_add(struct http2_body *b, struct buffers *pool, const uint8_t *data, size_t size);

/* False: no field, or too large a trailer. */
bool http2_body_line(struct http2_body *b, struct buffers *pool, const char *name, size_t name_size,
		     const char *value, size_t value_size);

/* Put what fits behind the flow's raw bytes. > 0: so many; FLOW_WAIT, or FLOW_END: it was all given before.
 * *ret_consumed: of the frames' bytes, for which the other side may send others. */
int http2_body_take(struct http2_body *b, struct buffers *pool, bool chunked, struct flow *f,
		    uint32_t *ret_consumed);

/* There is something to be taken now. */
bool http2_body_waits(const struct http2_body *b);

#endif
