/* SPDX-License-Identifier: Apache-2.0
 *
 * mangle - malformed messages without end: a right one of HTTP/1, wronged a few times.
 *
 * WHAT  Message `number` of `seed` is always the same bytes. Most are one to five changes away from a right message: bytes
 *       that mean something put in, taken out or exchanged, lines doubled, swapped or cut, numbers at the edge of their range,
 *       framing fields of every disguise, long runs, the end missing. One of 16 is right.
 * TAG   Each has its number in a field `X-Case`, with a checksum: whoever finds a tag that is whole knows whose message it
 *       belongs to, whatever became of the rest.
 * OWNS  The caller's memory of MANGLE_MAX bytes. Pure: no clock, no allocation.
 */
#ifndef MALFORMED_MANGLE_H
#define MALFORMED_MANGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MANGLE_MAX = 96 * 1024, MANGLE_TAG_SIZE = 24 };

/* A stream of numbers from one; any value is a good beginning. */
uint64_t mangle_random(uint64_t *state);

/* The beginning of the stream of a case, one for each `use`. */
uint64_t mangle_seed(uint64_t seed, uint64_t number, const char *use);

size_t mangle_request(uint64_t seed, uint64_t number, char *to);
size_t mangle_answer(uint64_t seed, uint64_t number, char *to);

/* 24 hex digits, without a terminator. */
void mangle_tag_write(uint64_t seed, uint64_t number, char to[MANGLE_TAG_SIZE]);

/* The number of the first whole tag at or after data[*at], which is then behind it; false without one. */
bool mangle_tag_find(uint64_t seed, const char *data, size_t size, size_t *at,
		     uint64_t *ret_number);

#endif
