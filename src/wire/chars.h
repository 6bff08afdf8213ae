/* SPDX-License-Identifier: Apache-2.0
 *
 * chars - which bytes may stand where in HTTP/1.x, as one table; shared by the parsers of this
 *       folder.
 *
 * SOURCE RFC 9110, sections 5.5 and 5.6.2; RFC 9112, section 3.2.
 */
#ifndef WIRE_CHARS_H
#define WIRE_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHAR_TOKEN = 1,  /* names, methods */
	CHAR_TARGET = 2, /* visible ASCII but '#' */
	CHAR_TEXT = 4,   /* field values: all but controls, HTAB allowed */
	CHAR_HOST = 8,   /* letters, digits, '-', '.', '_' */
	CHAR_HEX = 16,
};

extern const uint8_t char_classes[256];

static inline bool char_is(char c, unsigned classes)
{
	return (char_classes[(uint8_t)c] & classes) != 0;
}

static inline bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline char char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Value of a CHAR_HEX. */
static inline unsigned char_hex(char c)
{
	return char_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(char_lower(c) - 'a') + 10;
}

/* True when data[0..size) is CHAR_TEXT throughout; eight bytes at a time. */
bool chars_are_text(const char *data, size_t size);

/* Compare without regard to case; `lower` is in lower case already. */
bool chars_equal(const char *data, size_t size, const char *lower, size_t lower_size);

/* Cut SP and HTAB off both ends of [*at, *end). */
static inline void chars_trim(const char *data, size_t *at, size_t *end)
{
	while (*at < *end && (data[*at] == ' ' || data[*at] == '\t'))
		++*at;
	while (*end > *at && (data[*end - 1] == ' ' || data[*end - 1] == '\t'))
		--*end;
}

#endif
