/* SPDX-License-Identifier: Apache-2.0
 *
 * frames - reads what a server of HTTP/2 sends, and says what of it is no HTTP/2 (RFC 9113).
 *
 * WHAT  Frames of their sizes, on streams that they may be on, in an order in which they may come: SETTINGS first, a head
 *       before its body, nothing after the end of a stream. Heads are decoded by libnghttp2: names in lower case, a status.
 * HOW   frames_read() with whatever came, as it comes; `seen` gets each value of a head.
 * OWNS  Zeroed memory is a reader; frames_done() frees what it has.
 */
#ifndef MALFORMED_FRAMES_H
#define MALFORMED_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMES_STREAMS = 64 }; /* the first ones are followed */

struct nghttp2_hd_inflater;

struct frames {
	struct nghttp2_hd_inflater *inflater;
	uint32_t head_of; /* a stream whose head goes on in CONTINUATION; 0: none */
	bool begun, head_ends;
	uint8_t streams[FRAMES_STREAMS]; /* what has come of each */
	unsigned head_status;            /* of the head that is being read */
	unsigned status;                 /* the last final one */
	unsigned ended;                  /* streams that were answered to their end */
	void (*seen)(void *context, const char *value, size_t size);
	void *context;
	size_t size;
	uint8_t frame[9 + 16384];
};

/* NULL, or what is wrong with it. */
const char *frames_read(struct frames *f, const char *data, size_t size);
void frames_done(struct frames *f);

#endif
