/* SPDX-License-Identifier: Apache-2.0
 *
 * flow - see flow.h for the contract.
 *
 * A body that ends with its connection and goes out in chunks needs room around it: as many bytes are held
 * back from every receive, so that a chunk's head, its end and the last chunk always fit. Its first bytes may have
 * come with the answer's head, before that was known: then the head makes way, which is nowhere shorter than that.
 */
#include "gateway/flow.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/err.h"
#include "wire/http1_write.h"

enum { CHUNK_END_SIZE = 2, LAST_CHUNK_SIZE = 5, WRAP_RESERVE = HTTP1_CHUNK_HEAD_MAX + 7 };

void flow_body(struct flow *f, uint32_t head_size, enum http1_framing framing, uint64_t length)
{
	ASSERT(head_size <= f->raw);
	f->sent = f->ready = head_size;
	f->framing = (uint8_t)framing;
	f->left = length;
	f->body_bytes = 0;
	f->ended =
		framing == HTTP1_FRAMING_NONE || (framing == HTTP1_FRAMING_LENGTH && length == 0);
}

void flow_done(struct flow *f, struct buffers *pool)
{
	buffer_give(pool, f->buffer);
	buffer_give(pool, f->head);
	f->buffer = f->head = NULL;
	f->sent = f->ready = f->raw = f->head_sent = f->head_size = 0;
}

bool flow_pending(const struct flow *f)
{
	return f->sent < f->ready || f->head_sent < f->head_size;
}

bool flow_complete(const struct flow *f)
{
	return f->ended && !flow_pending(f);
}

/* Move what is not sent yet to the front. */
static void compact(struct flow *f)
{
	if (f->sent == 0 || f->keep)
		return;
	if (f->raw > f->sent)
		memmove(f->buffer->data, f->buffer->data + f->sent, f->raw - f->sent);
	f->ready -= f->sent;
	f->raw -= f->sent;
	f->sent = 0;
}

uint32_t flow_room(struct flow *f, struct buffers *pool)
{
	if (!f->buffer)
		f->buffer = buffer_take(pool, BUFFER_USUAL);
	if (f->grow && f->sent == f->raw && !f->keep && f->buffer->capacity < BUFFER_LARGE) {
		buffer_give(pool, f->buffer);
		f->buffer = buffer_take(pool, BUFFER_LARGE);
		f->sent = f->ready = f->raw = 0;
	}
	if (f->sent == f->raw || f->buffer->capacity - f->raw < f->buffer->capacity / 2)
		compact(f);
	uint32_t reserve = f->wrap ? WRAP_RESERVE : 0;
	uint32_t room = f->buffer->capacity - f->raw;
	return room > reserve ? room - reserve : 0;
}

void flow_forget(struct flow *f)
{
	f->keep = false;
	if (f->buffer)
		compact(f);
}

void flow_rest(struct flow *f, struct buffers *pool)
{
	if (!f->buffer || f->keep || f->sent < f->raw)
		return;
	buffer_give(pool, f->buffer);
	f->buffer = NULL;
	f->sent = f->ready = f->raw = 0;
}

static void change_buffer(struct flow *f, struct buffers *pool, size_t capacity)
{
	struct buffer *other = buffer_take(pool, capacity);
	memcpy(other->data, f->buffer->data, f->raw);
	buffer_give(pool, f->buffer);
	f->buffer = other;
}

bool flow_grow(struct flow *f, struct buffers *pool)
{
	if (f->buffer->capacity >= BUFFER_LARGE)
		return false;
	change_buffer(f, pool, (size_t)f->buffer->capacity + 1);
	return true;
}

void flow_shrink(struct flow *f, struct buffers *pool)
{
	if (f->buffer && f->buffer->capacity > BUFFER_SMALL && f->raw <= BUFFER_SMALL)
		change_buffer(f, pool, f->raw);
}

static int system_result(void)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return FLOW_WAIT;
	return FLOW_ERROR;
}

int flow_receive(struct flow *f, struct buffers *pool, int fd)
{
	uint32_t room = flow_room(f, pool);
	ASSERT(room > 0);
	ssize_t got = recv(fd, f->buffer->data + f->raw, room, 0);
	if (got < 0)
		return system_result();
	if (got == 0)
		return FLOW_END;
	f->raw += (uint32_t)got;
	f->drained = (uint32_t)got < room;
	f->grow = !f->drained; /* there is more than the buffer takes at a time */
	return (int)got;
}

static int take_chunked(struct flow *f)
{
	size_t used = 0, size = 0;
	char *data = f->buffer->data + f->ready;
	uint64_t before = f->chunked.body_bytes;
	int result = chunked_pass(&f->chunked, data, f->raw - f->ready, &used, &size);
	if (result < 0)
		return result;
	uint32_t left = f->raw - f->ready - (uint32_t)used;
	if (used > size && left > 0)
		memmove(data + size, data + used, left);
	f->body_bytes += f->chunked.body_bytes - before;
	f->ready += (uint32_t)size;
	f->raw = f->ready + left;
	f->ended = result == 1;
	return 0;
}

static void take_wrapped(struct flow *f)
{
	char head[HTTP1_CHUNK_HEAD_MAX];
	uint32_t size = f->raw - f->ready;
	if (size == 0)
		return;
	uint32_t head_size = (uint32_t)http1_write_chunk_head(size, head);
	if (f->buffer->capacity - f->raw < WRAP_RESERVE)
		compact(f);
	ASSERT(f->buffer->capacity - f->raw >= head_size + CHUNK_END_SIZE + LAST_CHUNK_SIZE);
	char *data = f->buffer->data + f->ready;
	memmove(data + head_size, data, size);
	memcpy(data, head, head_size);
	memcpy(data + head_size + size, "\r\n", CHUNK_END_SIZE);
	f->body_bytes += size;
	f->ready += head_size + size + CHUNK_END_SIZE;
	f->raw = f->ready;
}

int flow_take(struct flow *f)
{
	uint32_t size = f->raw - f->ready;
	if (f->ended || size == 0)
		return 0;
	switch ((enum http1_framing)f->framing) {
	case HTTP1_FRAMING_NONE: return 0;
	case HTTP1_FRAMING_LENGTH:
		if (size > f->left)
			size = (uint32_t)f->left;
		f->left -= size;
		f->ended = f->left == 0;
		break;
	case HTTP1_FRAMING_CHUNKED: return take_chunked(f);
	case HTTP1_FRAMING_CLOSE:
		if (f->wrap) {
			take_wrapped(f);
			return 0;
		}
		break;
	}
	f->ready += size;
	f->body_bytes += size;
	return 0;
}

bool flow_source_ended(struct flow *f, struct buffers *pool)
{
	if (f->ended)
		return true;
	if (f->framing != HTTP1_FRAMING_CLOSE)
		return false;
	if (f->wrap) {
		flow_room(f, pool);
		ASSERT(f->buffer->capacity - f->ready >= LAST_CHUNK_SIZE);
		memcpy(f->buffer->data + f->ready, "0\r\n\r\n", LAST_CHUNK_SIZE);
		f->ready += LAST_CHUNK_SIZE;
		f->raw = f->ready;
	}
	f->ended = true;
	return true;
}

/* What the socket did not take of a head that lies in the worker's scratch memory. */
static void save_head(struct flow *f, struct buffers *pool, const char *head, uint32_t size,
		      uint32_t sent)
{
	f->head = buffer_take(pool, size - sent);
	f->head_size = size - sent;
	f->head_sent = 0;
	memcpy(f->head->data, head + sent, f->head_size);
}

void flow_sent(struct flow *f, struct buffers *pool, const char *head, uint32_t head_size,
	       uint32_t taken)
{
	bool saved = f->head_sent < f->head_size;
	if (saved)
		head_size = f->head_size - f->head_sent;
	uint32_t of_head = taken < head_size ? taken : head_size;
	if (saved)
		f->head_sent += of_head;
	else if (of_head < head_size)
		save_head(f, pool, head, head_size, of_head);
	if (f->head && f->head_sent == f->head_size) {
		buffer_give(pool, f->head);
		f->head = NULL;
		f->head_sent = f->head_size = 0;
	}
	f->sent += taken - of_head;
}

uint32_t flow_gather(const struct flow *f, const char *head, uint32_t head_size, char *to,
		     uint32_t capacity)
{
	bool saved = f->head_sent < f->head_size;
	ASSERT(!head || !saved);
	if (saved) {
		head = f->head->data + f->head_sent;
		head_size = f->head_size - f->head_sent;
	}
	uint32_t size = head ? head_size : 0, body = f->ready - f->sent;
	if (size > capacity)
		size = capacity;
	if (size)
		memcpy(to, head, size);
	if (body > capacity - size)
		body = capacity - size;
	if (body)
		memcpy(to + size, f->buffer->data + f->sent, body);
	return size + body;
}

int flow_send(struct flow *f, struct buffers *pool, int fd, const char *head, uint32_t head_size)
{
	struct iovec parts[2];
	struct msghdr message = {.msg_iov = parts};
	bool saved = f->head_sent < f->head_size;
	ASSERT(!head || !saved);
	if (saved) {
		head = f->head->data + f->head_sent;
		head_size = f->head_size - f->head_sent;
	}
	if (!head)
		head_size = 0;
	if (head_size)
		parts[message.msg_iovlen++] =
			(struct iovec){.iov_base = (void *)head, .iov_len = head_size};
	if (f->sent < f->ready)
		parts[message.msg_iovlen++] = (struct iovec){.iov_base = f->buffer->data + f->sent,
							     .iov_len = f->ready - f->sent};
	if (!message.msg_iovlen)
		return 0;
	ssize_t put = sendmsg(fd, &message, MSG_NOSIGNAL);
	int result = put < 0 ? system_result() : (int)put;
	if (result == FLOW_ERROR)
		return result;
	flow_sent(f, pool, head, head_size, put < 0 ? 0 : (uint32_t)put);
	return result;
}
