/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_body - see http2_body.h for the contract.
 */
#include "gateway/http2_body.h"

#include <string.h>

#include "wire/http2_head.h"

static const char last_chunk[] = "0\r\n\r\n";

uint32_t http2_body_done(struct http2_body *b, struct buffers *pool)
{
	uint32_t untaken = b->in_size - b->in_at;
	buffer_give(pool, b->in);
	buffer_give(pool, b->tail);
	b->in = b->tail = NULL;
	b->in_at = b->in_size = 0;
	return untaken;
}

bool http2_body_waits(const struct http2_body *b)
{
	return b->in || (b->ended && !b->given);
}

/* Room for so many bytes behind what was not taken yet. */
static bool make_room(struct http2_body *b, struct buffers *pool, size_t size)
{
	uint32_t left = b->in_size - b->in_at;
	if (b->in && b->in->capacity - b->in_size >= size)
		return true;
	if (left + size > BUFFER_LARGE)
		return false; /* more than the window: libnghttp2 lets it not happen */
	struct buffer *other = buffer_take(pool, left + size);
	if (left)
		memcpy(other->data, b->in->data + b->in_at, left);
	buffer_give(pool, b->in);
	b->in = other;
	b->in_at = 0;
	b->in_size = left;
	return true;
}

bool http2_body_add(struct http2_body *b, struct buffers *pool, const uint8_t *data, size_t size)
{
	if (!make_room(b, pool, size))
		return false;
	memcpy(b->in->data + b->in_size, data, size);
	b->in_size += (uint32_t)size;
	return true;
}

/* The tail begins with the last chunk; an empty line is to follow. */
bool http2_body_line(struct http2_body *b, struct buffers *pool, const char *name, size_t name_size,
		     const char *value, size_t value_size)
{
	if (!b->tail) {
		b->tail = buffer_take(pool, CHUNKED_TRAILER_MAX + 8);
		memcpy(b->tail->data, "0\r\n", 3);
		b->tail_size = 3;
	}
	if (b->tail_size + name_size + value_size + 4 > CHUNKED_TRAILER_MAX)
		return false;
	int size = http2_trailer_line(name, name_size, value, value_size,
				      b->tail->data + b->tail_size);
	b->tail_size += size > 0 ? (uint32_t)size : 0;
	return size >= 0;
}

/* All that came of the body is taken: what is left is its end. > 0, FLOW_WAIT or FLOW_END. */
static int take_end(struct http2_body *b, bool chunked, char *to, uint32_t room)
{
	const char *tail = b->tail ? b->tail->data : last_chunk;
	if (!b->ended)
		return FLOW_WAIT;
	if (!chunked)
		b->given = true;
	if (b->given)
		return FLOW_END;
	if (b->tail && b->tail_at == 0) {
		memcpy(b->tail->data + b->tail_size, "\r\n", 2);
		b->tail_size += 2;
	}
	uint32_t size = (b->tail ? b->tail_size : (uint32_t)sizeof(last_chunk) - 1) - b->tail_at;
	if (size > room)
		size = room;
	memcpy(to, tail + b->tail_at, size);
	b->tail_at += size;
	b->given = b->tail_at == (b->tail ? b->tail_size : sizeof(last_chunk) - 1);
	return (int)size;
}

static uint32_t take_piece(struct http2_body *b, bool chunked, char *to, uint32_t room,
			   uint32_t *consumed)
{
	uint32_t size = b->in_size - b->in_at, most = chunked ? room - HTTP2_CHUNK_EXTRA : room;
	size_t head = 0;
	if (size > most)
		size = most;
	if (chunked)
		head = http1_write_chunk_head(size, to);
	memcpy(to + head, b->in->data + b->in_at, size);
	if (chunked)
		memcpy(to + head + size, "\r\n", 2);
	b->in_at += size;
	*consumed += size;
	return (uint32_t)head + size + (chunked ? 2 : 0);
}

int http2_body_take(struct http2_body *b, struct buffers *pool, bool chunked, struct flow *f,
		    uint32_t *ret_consumed)
{
	uint32_t room = flow_room(f, pool), got = 0;
	*ret_consumed = 0;
	while (b->in_at < b->in_size && room - got > HTTP2_CHUNK_EXTRA)
		got += take_piece(b, chunked, f->buffer->data + f->raw + got, room - got,
				  ret_consumed);
	if (b->in && b->in_at == b->in_size) {
		buffer_give(pool, b->in);
		b->in = NULL;
		b->in_at = b->in_size = 0;
	}
	int end = FLOW_WAIT;
	if (!b->in && room > got)
		end = take_end(b, chunked, f->buffer->data + f->raw + got, room - got);
	got += end > 0 ? (uint32_t)end : 0;
	f->raw += got;
	f->drained = !http2_body_waits(b);
	return got ? (int)got : end;
}
