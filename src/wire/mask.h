/* SPDX-License-Identifier: Apache-2.0
 *
 * mask - secret values out of a stream of bytes, before anybody reads it.
 *
 * WHAT  What a secret looks like in a log: as it is; each of its lines, when it has several; and each of these as
 *       base64 (plain and URL-safe, wherever it begins within three bytes, also broken into lines), in
 *       percent-encoding and in hex, upper or lower case. Whatever of the stream is one of these becomes "***".
 *       A second line of defence: a program that hides a secret on purpose can.
 *
 * HOW   mask_init(), mask_add() for each value; then mask_feed() with the stream as it comes, in pieces of any
 *       size, and mask_end() at its end. What could be the beginning of a secret is held back until it is known
 *       whether it is; everything else goes on at once. Where pieces are cut makes no difference.
 *
 * OWNS  Caller's memory; a struct mask is large and not changed by feeding, so that several streams share it.
 * LIMITS Values shorter than MASK_VALUE_MIN are too common to be found in a log: mask_add() refuses them, as it
 *       does longer ones than MASK_VALUE_MAX and what no longer fits into MASK_BYTES_MAX.
 */
#ifndef WIRE_MASK_H
#define WIRE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MASK_VALUE_MIN = 4,
	MASK_VALUE_MAX = 4096,
	MASK_BYTES_MAX = 512 << 10,
	MASK_PATTERNS_MAX = 4096,
	MASK_HELD_MAX = 64 << 10,
};

struct mask_pattern {
	uint32_t at; /* in `bytes` */
	uint16_t size;
	bool broken; /* may be broken into lines */
};

struct mask {
	uint32_t used, count;
	bool begins[256];       /* some pattern begins with this byte */
	uint8_t pairs[1 << 13]; /* a bit for each two bytes that one begins with */
	struct mask_pattern patterns[MASK_PATTERNS_MAX];
	uint8_t bytes[MASK_BYTES_MAX];
};

/* One stream; start with zeros. */
struct mask_stream {
	size_t size;
	uint8_t held[MASK_HELD_MAX];
};

typedef void (*mask_put)(void *context, const void *bytes, size_t size);

void mask_init(struct mask *mask);

/* False: it cannot be masked, see LIMITS; then nothing was added, and what holds it must not be shown. */
bool mask_add(struct mask *mask, const void *value, size_t size);

void mask_feed(const struct mask *mask, struct mask_stream *stream, const void *bytes, size_t size,
	       mask_put put, void *context);
void mask_end(const struct mask *mask, struct mask_stream *stream, mask_put put, void *context);

/* A whole text, in place: it never becomes longer. */
void mask_text(const struct mask *mask, char *text);

#endif
