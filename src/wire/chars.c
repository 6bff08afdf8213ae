/* SPDX-License-Identifier: Apache-2.0
 * chars - see chars.h for the contract. A value is the sum of the CHAR_ bits of its byte. */
#include "wire/chars.h"

#include <string.h>

/* clang-format off */
const uint8_t char_classes[256] = {
	 0,  0,  0,  0,  0,  0,  0,  0,  0,  4,  0,  0,  0,  0,  0,  0, /* 00 */
	 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* 10 */
	 4,  7,  6,  5,  7,  7,  7,  7,  6,  6,  7,  7,  6, 15, 15,  6, /* 20 */
	31, 31, 31, 31, 31, 31, 31, 31, 31, 31,  6,  6,  6,  6,  6,  6, /* 30 */
	 6, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 40 */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  6,  7, 15, /* 50 */
	 7, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 60 */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  7,  6,  7,  0, /* 70 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 80 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 90 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* a0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* b0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* c0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* d0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* e0 */
	 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* f0 */
};
/* clang-format on */

/* A bit in each byte of `x` that is below 0x20 or is 0x7f. A borrow may add bits above a true one, so zero
 * means clean, and anything else means look closer. */
static uint64_t suspicious(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	uint64_t low = (x - ones * 0x20) & ~x, y = x ^ (ones * 0x7f), del = (y - ones) & ~y;
	return (low | del) & tops;
}

bool chars_are_text(const char *data, size_t size)
{
	size_t at = 0;
	while (size - at >= 8) {
		uint64_t word;
		memcpy(&word, data + at, 8);
		if (suspicious(word))
			for (size_t i = 0; i < 8; i++)
				if (!char_is(data[at + i], CHAR_TEXT))
					return false;
		at += 8;
	}
	for (; at < size; at++)
		if (!char_is(data[at], CHAR_TEXT))
			return false;
	return true;
}

bool chars_equal(const char *data, size_t size, const char *lower, size_t lower_size)
{
	if (size != lower_size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (char_lower(data[i]) != lower[i])
			return false;
	return true;
}
