/* SPDX-License-Identifier: Apache-2.0
 *
 * websocket - where the frames of a passing WebSocket stream begin and end, and the frame that
 *       closes one.
 *
 * WHAT  The gateway passes WebSockets through unread. To end one politely when its backend is
 *       drained it must put a Close frame between two others: one tracker per direction knows
 *       where that is.
 *
 * HOW   Give every byte that passes to websocket_advance(). A control frame may stand between the
 *       fragments of a message, so any boundary between frames will do.
 *
 * ERRORS A length of 2^63 or more makes the stream `broken`: boundaries are unknown from there on.
 *
 * SOURCE RFC 6455, sections 5.2, 5.5.1 and 7.4.
 */
#ifndef WIRE_WEBSOCKET_H
#define WIRE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WEBSOCKET_CLOSE_MAX = 131,  /* a Close frame with mask and the longest reason */
	WEBSOCKET_REASON_MAX = 123, /* bytes */
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_SERVICE_RESTART = 1012,
};

struct websocket {
	uint64_t left; /* payload bytes of the frame that is passing */
	uint8_t header[14];
	uint8_t have; /* bytes of the header seen; 0 and left == 0: between frames */
	bool closed;  /* a Close frame has passed whole */
	bool broken;
};

void websocket_init(struct websocket *w);

/* Go over data[0..size) and return how many bytes were passed: all, or with `stop` up to the first
 * end of a frame. A broken stream passes whole. */
size_t websocket_advance(struct websocket *w, const void *data, size_t size, bool stop);

/* True between two frames, where another may be put in. */
bool websocket_between(const struct websocket *w);

/* Write a Close frame: masked with `mask` (4 random bytes) towards a server, bare with NULL towards
 * a client. `reason` is cut to WEBSOCKET_REASON_MAX. Returns its size. */
size_t websocket_write_close(uint16_t code, const char *reason, const uint8_t mask[4],
			     uint8_t to[WEBSOCKET_CLOSE_MAX]);

#endif
