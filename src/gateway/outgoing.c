/* SPDX-License-Identifier: Apache-2.0
 *
 * outgoing - see outgoing.h for the contract.
 *
 * All buffers have the same capacity, and all but the last are full: so where the first unsent byte lies, and how much is in
 * the last one, follows from two numbers.
 */
#include "gateway/outgoing.h"

#include <string.h>
#include <sys/socket.h>

#include "gateway/head.h"
#include "gateway/pairing.h"

enum { PIECE = BUFFER_USUAL };

static bool more(struct worker *w, struct outgoing *o)
{
	if (w->pairing_bytes + PIECE > PAIRING_BYTES_MAX)
		return false;
	struct buffer *b = buffer_take(&w->buffers, PIECE);
	w->pairing_bytes += PIECE;
	o->last->next = b;
	o->last = b;
	o->room = PIECE;
	return true;
}

bool outgoing_head(struct worker *w, struct outgoing *o, const struct exchange *x)
{
	o->first = o->last = buffer_take(&w->buffers, PIECE);
	uint32_t size = head_write_request(x, HEAD_SHADOW, o->first->data, PIECE);
	o->size = size;
	o->room = PIECE - size;
	return size > 0;
}

bool outgoing_add(struct worker *w, struct outgoing *o, const char *bytes, size_t size)
{
	while (size > 0) {
		if (o->room == 0 && !more(w, o))
			return false;
		size_t n = size < o->room ? size : o->room;
		memcpy(o->last->data + PIECE - o->room, bytes, n);
		o->room -= (uint32_t)n;
		o->size += (uint32_t)n;
		bytes += n;
		size -= n;
	}
	return true;
}

bool outgoing_sent(const struct outgoing *o)
{
	return o->sent == o->size;
}

static void give_first(struct worker *w, struct outgoing *o)
{
	struct buffer *b = o->first;
	o->first = b->next;
	if (o->counted) /* the very first was in no budget */
		w->pairing_bytes -= PIECE;
	o->counted = true;
	buffer_give(&w->buffers, b);
}

bool outgoing_send(struct worker *w, struct outgoing *o, int fd)
{
	while (!outgoing_sent(o)) {
		uint32_t at = o->sent % PIECE, left = o->size - o->sent;
		uint32_t n = left < PIECE - at ? left : PIECE - at;
		int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (n < left ? MSG_MORE : 0);
		ssize_t put = send(fd, o->first->data + at, n, flags);
		if (put <= 0)
			return false;
		o->sent += (uint32_t)put;
		if (o->sent % PIECE == 0 || outgoing_sent(o))
			give_first(w, o);
		if ((uint32_t)put < n)
			return false;
	}
	return true;
}

void outgoing_done(struct worker *w, struct outgoing *o)
{
	while (o->first)
		give_first(w, o);
}
