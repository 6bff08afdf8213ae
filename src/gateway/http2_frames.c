/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_frames - see http2_frames.h for the contract.
 */
#include "gateway/http2_frames.h"

#include <string.h>

#include "wire/http2_head.h"

enum { FRAME_HEAD_SIZE = 9, FRAME_MAX = FRAME_HEAD_SIZE + 16384 };

int http2_frames_fill(struct http2_frames *f, struct buffers *pool, nghttp2_session *session)
{
	const uint8_t *data;
	f->full = false;
	if (!f->out)
		f->out = buffer_take(pool, BUFFER_LARGE);
	while (f->out->capacity - f->size >= FRAME_MAX) {
		ssize_t size = nghttp2_session_mem_send(session, &data);
		if (size <= 0)
			return size < 0 ? -1 : f->full;
		memcpy(f->out->data + f->size, data, (size_t)size);
		f->size += (uint32_t)size;
	}
	return 1;
}

char *http2_frames_data(struct http2_frames *f, const uint8_t *head, size_t size)
{
	if (f->out->capacity - f->size < FRAME_HEAD_SIZE + size)
		f->full = true;
	if (f->full)
		return NULL;
	char *to = f->out->data + f->size;
	memcpy(to, head, FRAME_HEAD_SIZE);
	f->size += FRAME_HEAD_SIZE + (uint32_t)size;
	return to + FRAME_HEAD_SIZE;
}

void http2_frames_written(struct http2_frames *f, struct buffers *pool, uint32_t size)
{
	f->at += size;
	if (f->at == f->size)
		http2_frames_done(f, pool);
}

void http2_frames_done(struct http2_frames *f, struct buffers *pool)
{
	buffer_give(pool, f->out);
	*f = (struct http2_frames){.out = NULL};
}

void http2_frames_fields(const struct http2_field *fields, size_t count, nghttp2_nv *nv)
{
	for (size_t i = 0; i < count; i++)
		nv[i] = (nghttp2_nv){.name = (uint8_t *)fields[i].name,
				     .namelen = fields[i].name_size,
				     .value = (uint8_t *)fields[i].value,
				     .valuelen = fields[i].value_size};
}
