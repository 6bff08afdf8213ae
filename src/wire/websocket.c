/* SPDX-License-Identifier: Apache-2.0
 * websocket - see websocket.h for the contract. */
#include "wire/websocket.h"

#include <string.h>

enum { OPCODE_CLOSE = 8, FINAL_BIT = 0x80, MASK_BIT = 0x80, MASK_SIZE = 4, BASE_SIZE = 2 };

void websocket_init(struct websocket *w)
{
	memset(w, 0, sizeof *w);
}

bool websocket_between(const struct websocket *w)
{
	return !w->broken && w->have == 0 && w->left == 0;
}

/* Size of the header that begins with the two bytes at `header`. */
static size_t header_size(const uint8_t *header)
{
	size_t size = BASE_SIZE + (header[1] & MASK_BIT ? MASK_SIZE : 0);
	unsigned length = header[1] & 0x7f;
	if (length == 126)
		return size + 2;
	return length == 127 ? size + 8 : size;
}

static uint64_t payload_size(const uint8_t *header)
{
	unsigned length = header[1] & 0x7f;
	size_t count = length == 126 ? 2 : length == 127 ? 8 : 0;
	uint64_t size = count ? 0 : length;
	for (size_t i = 0; i < count; i++)
		size = size << 8 | header[BASE_SIZE + i];
	return size;
}

/* The frame has passed whole: the next byte begins another. */
static void end_frame(struct websocket *w)
{
	if ((w->header[0] & 0x0f) == OPCODE_CLOSE)
		w->closed = true;
	w->have = 0;
}

/* Take one byte of a header; true when that ends a frame, as one without payload does. */
static bool take_header(struct websocket *w, uint8_t byte)
{
	w->header[w->have++] = byte;
	if (w->have < BASE_SIZE || w->have < header_size(w->header))
		return false;
	w->left = payload_size(w->header);
	if (w->left > INT64_MAX) {
		w->broken = true;
		return false;
	}
	if (w->left > 0)
		return false;
	end_frame(w);
	return true;
}

size_t websocket_advance(struct websocket *w, const void *data, size_t size, bool stop)
{
	const uint8_t *bytes = data;
	size_t at = 0;
	while (at < size && !w->broken) {
		bool ended = false;
		if (w->left > 0) {
			size_t part = size - at < w->left ? size - at : (size_t)w->left;
			at += part;
			w->left -= part;
			ended = w->left == 0;
			if (ended)
				end_frame(w);
		} else {
			ended = take_header(w, bytes[at++]);
		}
		if (ended && stop)
			return at;
	}
	return size;
}

size_t websocket_write_close(uint16_t code, const char *reason, const uint8_t mask[4],
			     uint8_t to[WEBSOCKET_CLOSE_MAX])
{
	size_t size = strlen(reason), at = BASE_SIZE;
	if (size > WEBSOCKET_REASON_MAX)
		size = WEBSOCKET_REASON_MAX;
	to[0] = FINAL_BIT | OPCODE_CLOSE;
	to[1] = (uint8_t)((size + 2) | (mask ? MASK_BIT : 0));
	if (mask) {
		memcpy(to + at, mask, MASK_SIZE);
		at += MASK_SIZE;
	}
	to[at] = (uint8_t)(code >> 8);
	to[at + 1] = (uint8_t)code;
	memcpy(to + at + 2, reason, size);
	for (size_t i = 0; mask && i < size + 2; i++)
		to[at + i] ^= mask[i % MASK_SIZE];
	return at + size + 2;
}
