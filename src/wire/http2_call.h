/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_call - a request's head of HTTP/1.1 as fields of HTTP/2, and the fields of its answer as a head of HTTP/1.1: the other way
 *              round than wire/http2_head.h, towards backends that speak HTTP/2.
 *
 * WHAT  The request's head is one that we wrote. The answer's comes from a backend: a name that is no token, or a value with
 *       a byte that ends a line, is an error; all else is for wire/http1.h to judge, which reads the head that is made.
 *       An answer that goes on and says no length goes on in chunks; one that ends with its fields and whose
 *       request would have let it have a body gets a length of 0.
 * HOW   Heads of 1xx are heads of their own before the last one: http2_answer_init(), http2_answer_field() for each field in
 *       its order and http2_answer_end(), for each.
 * OWNS  The caller's memory.
 * ERRORS ERR_INVALID: malformed; ERR_LIMIT: more than HTTP2_LIST_MAX bytes of fields.
 * SOURCE RFC 9113, sections 8.1 to 8.3.
 */
#ifndef WIRE_HTTP2_CALL_H
#define WIRE_HTTP2_CALL_H

#include "wire/http2_head.h"

enum { HTTP2_CALL_FIELDS = HTTP1_FIELD_MAX + 60 };

/* Of the head in data[0..size), names becoming small letters. Returns how many fields there are, at most `max`; 0: no head of
 * ours. `te: trailers` is always among them, for we pass them on. */
size_t http2_call_fields(char *data, size_t size, struct http2_field *fields, size_t max);

/* What a code of gRPC, the value of grpc-status, would be among those of HTTP: 200 for "0", 503 for "14"; 500 for no code. By
 * the table of google.rpc.Code. */
unsigned http2_grpc_status(const char *value, size_t size);

struct http2_answer {
	char *data; /* HTTP2_HEAD_SIZE bytes */
	uint32_t size;
	uint32_t list_size;
	uint16_t status; /* 0: not known yet */
	bool has_length;
};

void http2_answer_init(struct http2_answer *a, char *data);
int http2_answer_field(struct http2_answer *a, const char *name, size_t name_size,
		       const char *value, size_t value_size);

/* The head is data[0..size). `ended`: no body and no trailer follow; `asked_head`: the request was HEAD. */
int http2_answer_end(struct http2_answer *a, bool ended, bool asked_head);

/* Does a body follow in chunks, in the form that the head says? */
bool http2_answer_chunked(const struct http2_answer *a, bool ended);

#endif
