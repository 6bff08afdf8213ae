/* SPDX-License-Identifier: Apache-2.0
 *
 * frame - WebSocket frames (RFC 6455 section 5), the client's side: reads unmasked, writes masked.
 *
 * LIMITS A payload of at most FRAME_PAYLOAD_MAX bytes, unfragmented: the echo service sends no
 * other.
 */
#ifndef LOAD_FRAME_H
#define LOAD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_PAYLOAD_MAX = 2048, FRAME_WIRE_MAX = FRAME_PAYLOAD_MAX + 16 };

enum { FRAME_TEXT = 1, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 };

struct frame_reader {
	uint8_t head[10];
	size_t head_size;
	size_t need; /* payload bytes of this frame; meaningful once the head is whole */
	char payload[FRAME_PAYLOAD_MAX + 1]; /* NUL-terminated when the frame is whole */
	size_t payload_size;
	bool bad;
};

void frame_start(struct frame_reader *r);

/* Take bytes up to the end of one frame. Returns how many were used; `*ret_opcode` is the frame's
 * opcode when it is whole (then call frame_start() before the next), else -1. */
size_t frame_feed(struct frame_reader *r, const char *bytes, size_t size, int *ret_opcode);

/* Nothing of a frame has arrived: an end of stream here loses no message of the peer. */
bool frame_at_boundary(const struct frame_reader *r);

/* The status code of a close frame's payload; 1005 when it has none. */
unsigned frame_close_code(const struct frame_reader *r);

/* Write a final, masked frame. `size` at most FRAME_PAYLOAD_MAX. Returns its length on the wire. */
size_t frame_write(uint8_t to[FRAME_WIRE_MAX], int opcode, const char *payload, size_t size,
		   uint32_t mask);

#endif
