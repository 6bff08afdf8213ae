/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_head - a request's fields of HTTP/2 as a head of HTTP/1.1, and an answer's head as fields of HTTP/2.
 *
 * WHAT  What came by HTTP/2 goes to backends by HTTP/1.1, and there bytes divide what frames have divided here. So the head
 *       that is made has one line for each field and no other: a name that is no token, or a value with a byte that
 *       ends a line, is an error and no request. All else is for wire/http1.h to judge, which reads that head
 *       as it would a client's.
 * HOW   http2_request_init(), http2_request_field() for each field in its order, http2_request_end(). A request
 *       whose end has not come with its fields and that says no length goes on in chunks.
 * OWNS  The caller's memory.
 * ERRORS ERR_INVALID: malformed, for which the stream is reset; ERR_LIMIT: more than HTTP2_LIST_MAX
 *       bytes of fields, to be answered with 431.
 * SOURCE RFC 9113, sections 8.1 to 8.3.
 */
#ifndef WIRE_HTTP2_HEAD_H
#define WIRE_HTTP2_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/http1.h"

enum {
	HTTP2_LIST_MAX = 32768, /* as RFC 9113, 6.5.2 counts: name, value and 32 for each field */
	HTTP2_HEAD_SIZE = 2 * HTTP2_LIST_MAX, /* always holds a request's head while it is made */
	HTTP2_ANSWER_FIELDS = HTTP1_FIELD_MAX + 60,
};

struct http2_request {
	char *data; /* HTTP2_HEAD_SIZE bytes */
	uint32_t size;
	uint32_t list_size;
	struct http1_span method, scheme, authority, path;
	uint32_t cookie_end; /* behind the value of the one Cookie line; 0 = none yet */
	bool begun;          /* the first line is written: no pseudo-field may come */
	bool has_length;
};

void http2_request_init(struct http2_request *r, char *data);
int http2_request_field(struct http2_request *r, const char *name, size_t name_size,
			const char *value, size_t value_size);

/* The head is data[0..size). `ended`: no body and no trailer follow. */
int http2_request_end(struct http2_request *r, bool ended);

struct http2_field {
	const char *name, *value;
	uint32_t name_size, value_size;
};

/* A name in small letters and a value that is one line, whatever reads it. */
bool http2_is_field(const char *name, size_t name_size, const char *value, size_t value_size);

/* Fields that HTTP/2 has no use for, and that would say something about the next connection. */
bool http2_of_one_connection(const char *name, size_t name_size);

/* "name: value" and a line end, `to` of name_size + value_size + 4 bytes, which are returned. */
size_t http2_line(const char *name, size_t name_size, const char *value, size_t value_size,
		  char *to);

/* One field of a trailer as a line of a chunked one, `to` of name_size + value_size + 4 bytes. 0: it may not stand there, and
 * is left out; ERR_INVALID: it is no field. */
int http2_trailer_line(const char *name, size_t name_size, const char *value, size_t value_size,
		       char *to);

/* Read the lines "Name: value" in data[0..size), names becoming small letters; without those that belong to one connection
 * of HTTP/1. Returns how many fields there are, at most `max`. */
size_t http2_fields(char *data, size_t size, struct http2_field *fields, size_t max);

/* The size of the head of an answer that we wrote ourselves, at the beginning of data[0..size), and its code. */
size_t http2_answer_size(const char *data, size_t size, unsigned *ret_status);

#endif
