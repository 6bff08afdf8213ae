/* SPDX-License-Identifier: Apache-2.0
 *
 * http1_write - new heads from the model of a parsed one: what the gateway sends on.
 *
 * HOW   The start line, Host, Connection, Upgrade and the framing are made from the model; of the
 *       other fields name and value are carried over, one by one, unless they are hop-by-hop,
 *       dropped or replaced. The body that follows must have the framing the head says: a request
 *       keeps its own (chunked bodies go through chunked_pass()), a response has
 *       http1_response_framing().
 *
 * OWNS  The caller's memory. Nothing is terminated with a NUL.
 *
 * ERRORS ERR_LIMIT when `capacity` is too small; `to` is then undefined. capacity >= the parsed
 *       head's size + HTTP1_WRITE_EXTRA + the set fields is always enough.
 */
#ifndef WIRE_HTTP1_WRITE_H
#define WIRE_HTTP1_WRITE_H

#include "wire/http1.h"

enum {
	HTTP1_WRITE_EXTRA = 512,
	HTTP1_CHUNK_HEAD_MAX = 18, /* 16 digits and CRLF */
};

/* A field to be written instead of all that have its name; value == NULL only takes those out. Whoever
 * writes pairs of names and values himself leaves out what http1_set_has(), and then writes the set. */
struct http1_set {
	const char *name; /* lower case */
	const char *value;
	uint16_t name_size;
	uint16_t value_size;
};

struct http1_forward {
	const struct http1_set *set;
	uint32_t set_count;
	uint64_t drop;    /* bit (1 << enum http1_field_id): leave these fields out */
	const char *host; /* request: used when the request names none; NULL = empty */
	bool close;       /* write "Connection: close" */
	bool expect;      /* request: keep "Expect: 100-continue" */
	uint8_t minor;    /* response: the client's HTTP/1.x */
};

bool http1_set_has(const struct http1_set *set, uint32_t count, const char *name, size_t size);

/* Bytes written, or ERR_LIMIT. `h` and `data` as parsed; requests go out as HTTP/1.1. */
int http1_write_request(const struct http1_head *h, const char *data,
			const struct http1_forward *how, char *to, size_t capacity);
int http1_write_response(const struct http1_head *h, const char *data,
			 const struct http1_forward *how, char *to, size_t capacity);

/* Take the cookies of this name out of a head that was written here, and a Cookie field of which nothing else is left. Returns
 * the size that it has then. */
size_t http1_cut_cookie(char *head, size_t size, const char *name);

/* The framing http1_write_response() declares to a client of HTTP/1.`minor`: a chunked body goes
 * to 1.0 bare, until close; one that ends with its connection goes to 1.1 in chunks. */
enum http1_framing http1_response_framing(const struct http1_head *h, uint8_t minor);

/* A whole answer of our own: one sentence, or a text of `type`, with Retry-After where retry_after_s > 0,
 * and without the text (but with its length) for HEAD. */
struct http1_own {
	unsigned status;
	const char *text;
	size_t text_size; /* 0: `text` ends with a NUL */
	const char *type; /* NULL: plain text */
	uint32_t retry_after_s;
	bool close;
	bool head; /* the request was HEAD */
	bool bare; /* without a line end after the text */
};
int http1_write_own(const struct http1_own *own, char *to, size_t capacity);

/* "1f\r\n" for a chunk of `size` > 0 bytes; returns the bytes written. The chunk's data is followed
 * by CRLF, the last one by "0\r\n\r\n". */
size_t http1_write_chunk_head(uint64_t size, char to[HTTP1_CHUNK_HEAD_MAX]);

#endif
