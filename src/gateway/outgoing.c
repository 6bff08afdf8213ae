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
#include "gateway/upstream.h"

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
	o->size = o->head_size = size;
	o->framing = x->request.framing;
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

/* Bytes at `at` of the first buffer, `last`: and no others follow. */
static ssize_t put(struct worker *w, struct outgoing *o, struct upstream *up, uint32_t at,
		   uint32_t size, bool last)
{
	if (!up->call)
		return send(up->fd, o->first->data + at, size,
			    MSG_NOSIGNAL | MSG_DONTWAIT | (last ? 0 : MSG_MORE));
	uint32_t head_size = o->sent == 0 ? o->head_size : 0;
	struct flow body = {.buffer = o->first,
			    .sent = at + head_size,
			    .ready = at + size,
			    .raw = at + size,
			    .framing = o->framing,
			    .ended = last};
	return upstream_send(w, up, &body, head_size ? o->first->data : NULL, head_size);
}

bool outgoing_send(struct worker *w, struct outgoing *o, struct upstream *up)
{
	while (!outgoing_sent(o)) {
		uint32_t at = o->sent % PIECE, left = o->size - o->sent;
		uint32_t n = left < PIECE - at ? left : PIECE - at;
		ssize_t taken = put(w, o, up, at, n, n == left);
		if (taken <= 0)
			return false;
		o->sent += (uint32_t)taken;
		if (o->sent % PIECE == 0 || outgoing_sent(o))
			give_first(w, o);
		if ((uint32_t)taken < n)
			return false;
	}
	return true;
}

void outgoing_done(struct worker *w, struct outgoing *o)
{
	while (o->first)
		give_first(w, o);
}
