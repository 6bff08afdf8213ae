/* SPDX-License-Identifier: Apache-2.0
 *
 * frame - see frame.h for the contract.
 */
#include "frame.h"

#include <string.h>

void frame_start(struct frame_reader *r)
{
	r->head_size = r->need = r->payload_size = 0;
	r->bad = false;
}

bool frame_at_boundary(const struct frame_reader *r)
{
	return r->head_size == 0;
}

/* How long the head is, as far as its first two bytes tell. */
static size_t head_length(const struct frame_reader *r)
{
	if (r->head_size < 2 || (r->head[1] & 0x7f) < 126)
		return 2;
	return (r->head[1] & 0x7f) == 126 ? 4 : 10;
}

static void read_head(struct frame_reader *r)
{
	uint64_t length = r->head[1] & 0x7f;
	if (length >= 126) {
		length = 0;
		for (size_t i = 2; i < head_length(r); i++)
			length = length << 8 | r->head[i];
	}
	/* Not final, reserved bits, masked by a server, or too long: none of it is our echo. */
	r->bad = (r->head[0] & 0xf0) != 0x80 || (r->head[1] & 0x80) != 0 ||
		 length > FRAME_PAYLOAD_MAX;
	r->need = r->bad ? 0 : (size_t)length;
}

size_t frame_feed(struct frame_reader *r, const char *bytes, size_t size, int *ret_opcode)
{
	size_t used = 0;
	*ret_opcode = -1;
	while (r->head_size < 2 || r->head_size < head_length(r)) {
		if (used == size)
			return used;
		r->head[r->head_size++] = (uint8_t)bytes[used++];
		if (r->head_size >= 2 && r->head_size == head_length(r))
			read_head(r);
	}
	if (r->bad)
		return size;
	size_t piece = r->need - r->payload_size;
	if (piece > size - used)
		piece = size - used;
	memcpy(r->payload + r->payload_size, bytes + used, piece);
	r->payload_size += piece;
	if (r->payload_size == r->need) {
		r->payload[r->need] = '\0';
		*ret_opcode = r->head[0] & 0x0f;
	}
	return used + piece;
}

unsigned frame_close_code(const struct frame_reader *r)
{
	if (r->payload_size < 2)
		return 1005;
	return (unsigned)(uint8_t)r->payload[0] << 8 | (uint8_t)r->payload[1];
}

size_t frame_write(uint8_t to[FRAME_WIRE_MAX], int opcode, const char *payload, size_t size,
		   uint32_t mask)
{
	size_t at = 0;
	uint8_t key[4] = {(uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8),
			  (uint8_t)mask};
	to[at++] = (uint8_t)(0x80 | opcode);
	if (size < 126) {
		to[at++] = (uint8_t)(0x80 | size);
	} else {
		to[at++] = 0x80 | 126;
		to[at++] = (uint8_t)(size >> 8);
		to[at++] = (uint8_t)size;
	}
	memcpy(to + at, key, sizeof key);
	at += sizeof key;
	for (size_t i = 0; i < size; i++)
		to[at++] = (uint8_t)payload[i] ^ key[i % 4];
	return at;
}
