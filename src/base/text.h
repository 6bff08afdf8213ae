/* SPDX-License-Identifier: Apache-2.0
 *
 * text - what people write (30s, 5%, 64MiB) to numbers and back; safe copies; suggestions.
 *
 * UNITS Durations are milliseconds, shares are basis points (5% = 500, 100% = 10000), sizes are bytes.
 * ERRORS A parser returns false and writes nothing when the whole text is not of its form or is out of
 *       range. There is no rounding: "0.005%" is refused, a basis point is the finest share.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARE_FULL_BP = 10000 };

bool text_parse_u64(const char *text, uint64_t max, uint64_t *ret_value);
bool text_parse_duration(const char *text,
			 uint64_t *ret_ms); /* 250ms 30s 5m 1h 2d, 1h30m; up to 366d */
bool text_parse_share(const char *text, uint32_t *ret_bp);   /* 0% .. 100%, at most two decimals */
bool text_parse_size(const char *text, uint64_t *ret_bytes); /* 512, 4KiB 64MiB 2GiB, kB MB GB */

/* Write the shortest form that parses back: "1m30s", "12.5%", "64MiB". Returns `to`. */
const char *text_format_duration(uint64_t ms, char *to, size_t size);
const char *text_format_share(uint32_t bp, char *to, size_t size);
const char *text_format_size(uint64_t bytes, char *to, size_t size);

/* Copy at most size-1 bytes and terminate. Returns false when it did not fit (it is then cut). */
bool text_copy(char *to, size_t size, const char *from);

/* `from` with control bytes, quotes and invalid UTF-8 as \xNN: what may be shown on a terminal. */
const char *text_escape(const char *from, size_t from_size, char *to, size_t size);
/* The same, with quotes and backslashes as they are: a sentence, for people. */
const char *text_show(const char *from, size_t from_size, char *to, size_t size);

/* May people be shown this character (a code point)? Not controls, what turns the direction of writing, or what is not
 * seen. */
bool text_shows(uint32_t character);

/* Is it UTF-8 of characters that may be shown? */
bool text_is_printable(const char *text);

bool text_starts(const char *text, const char *prefix);

/* Is it one of the names, which have a blank between? */
bool text_is_among(const char *names, const char *name);

/* The candidate nearest to `word` (edit distance at most 2, or a third of its length), or NULL. */
const char *text_suggest(const char *word, const char *const *candidates, size_t count);

/* [a-z][a-z0-9-]{0,39}: names of applications, environments and processes. */
bool text_is_name(const char *text);

/* RFC 3339 in UTC with milliseconds, "2026-11-23T04:49:00.123Z". Returns `to`. */
const char *text_format_time(uint64_t unix_ms, char *to, size_t size);

#endif
