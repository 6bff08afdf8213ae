/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_frames - frames of HTTP/2 on their way to a socket, of which one batch is written at once.
 *
 * HOW   http2_frames_fill() asks libnghttp2 for frames while there is room; its callback for DATA takes
 *       http2_frames_data() and puts the body's bytes there: they are copied once. Who has them written says
 *       http2_frames_written().
 * OWNS  All zero bytes have no frames; http2_frames_done() gives the buffer back, with what is in it.
 */
#ifndef GATEWAY_HTTP2_FRAMES_H
#define GATEWAY_HTTP2_FRAMES_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/pool.h"

struct http2_field;

struct http2_frames {
	struct buffer *out; /* data[at..size) is to be written; NULL: nothing is */
	uint32_t at, size;
	bool full; /* a frame found no room */
};

/* > 0: there may be more; 0: that was all; < 0: the session is broken. */
int http2_frames_fill(struct http2_frames *f, struct buffers *pool, nghttp2_session *session);

/* Begin a frame of DATA with libnghttp2's head for it. Returns where its `size` bytes are to be put, or NULL: no room. */
char *http2_frames_data(struct http2_frames *f, const uint8_t *head, size_t size);

/* So many bytes from data[at] on are written. */
void http2_frames_written(struct http2_frames *f, struct buffers *pool, uint32_t size);

/* Fields in libnghttp2's form, which points to the same memory: as many from `nv` on. */
void http2_frames_fields(const struct http2_field *fields, size_t count, nghttp2_nv *nv);

void http2_frames_done(struct http2_frames *f, struct buffers *pool);

#endif
