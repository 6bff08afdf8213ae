/* SPDX-License-Identifier: Apache-2.0
 *
 * chunked - the chunked transfer coding: checks a body and rewrites it in place in its one plain
 *       form.
 *
 * HOW   Feed what was read to chunked_pass(). It turns the bytes, in the same buffer, into what is
 *       to be sent on: CHUNKED_FRAMED keeps the chunks but writes every size anew, with one
 *       leading zero at most and no extensions (never longer than what came in, so a stream needs
 *       no second buffer); CHUNKED_BARE leaves only the data, CHUNKED_TRAILED the data and behind it the
 *       lines of the trailer, `kept` bytes of them. A body that is plain already is not
 *       moved. Trailer fields pass, except those that route or are hop-by-hop; one that frames is
 *       an error.
 *
 * OWNS  The caller's buffer. An unfinished trailer line is left in it (ret_used < size): call
 *       again with those bytes in front of the next ones. All else is always used up.
 *
 * ERRORS ERR_INVALID (syntax) and ERR_LIMIT; `reason` says which. Answer 400 or 502 and close:
 *       where the body ends is then unknown.
 *
 * LIMITS 16 hex digits a size and 2^63-1 in value, 256 bytes of extensions in the whole body,
 *       trailers of CHUNKED_TRAILER_MAX bytes and CHUNKED_TRAILER_FIELDS fields, lines of
 *       CHUNKED_TRAILER_LINE_MAX: the buffer must hold one line.
 *
 * SOURCE RFC 9112, section 7.1; RFC 9110, section 6.5.1.
 */
#ifndef WIRE_CHUNKED_H
#define WIRE_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHUNKED_DIGITS_MAX = 16,
	CHUNKED_EXTENSION_MAX = 256,
	CHUNKED_TRAILER_LINE_MAX = 4096,
	CHUNKED_TRAILER_MAX = 8192,
	CHUNKED_TRAILER_FIELDS = 32,
};

enum chunked_form { CHUNKED_FRAMED, CHUNKED_BARE, CHUNKED_TRAILED };

struct chunked {
	uint64_t left; /* bytes of data still to come in this chunk, or its size while being read */
	uint64_t body_bytes; /* data passed so far */
	const char *reason;  /* on failure: one clause, static */
	uint16_t extension_bytes;
	uint16_t trailer_bytes;
	uint16_t kept; /* bytes of trailer lines among what was passed; at its end */
	uint8_t trailer_fields;
	uint8_t digits;
	uint8_t phase;
	uint8_t form; /* enum chunked_form */
};

void chunked_init(struct chunked *c, enum chunked_form form);

/* Rewrite data[0..size): data[0..*ret_size) is then what to send. *ret_used bytes were taken; the rest
 * is an unfinished trailer line or, after the end, the next message. Returns 1 at the body's end, 0 when
 * more is to come, or an error. */
int chunked_pass(struct chunked *c, char *data, size_t size, size_t *ret_used, size_t *ret_size);

/* True where a chunk is over and the next has not begun: the body could end here. */
bool chunked_between(const struct chunked *c);

#endif
