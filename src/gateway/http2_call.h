/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_call - one request to a backend by HTTP/2, as a connection of HTTP/1.1 that carries one request.
 *
 * HOW   gateway/http2_upstream.h calls what frames bring about; gateway/upstream.h calls http2_call_send() and
 *       http2_call_receive(), which stand for a socket's, and http2_call_release().
 * OWNS  Its connection has it; it lives until both libnghttp2 and its user have done with it.
 */
#ifndef GATEWAY_HTTP2_CALL_H
#define GATEWAY_HTTP2_CALL_H

#include "gateway/http2_body.h"
#include "gateway/http2_upstream.h"

struct http2_call {
	struct http2_upstream *http2;
	struct http2_call *next, *prev;
	struct http2_call *ready_next;
	struct upstream *up; /* its user's; NULL: released */
	int32_t id;          /* 0: not submitted yet */
	uint64_t asked_ms;
	bool ready;           /* on that list */
	bool closed;          /* libnghttp2 knows it no more */
	bool refused;         /* and its backend has not looked at it */
	bool malformed;       /* its answer is no HTTP */
	bool begun;           /* something of an answer came */
	bool answered;        /* its last head is whole: fields that come now are a trailer's */
	bool asked_head;      /* the request is HEAD */
	bool chunked;         /* the answer's body is handed on in chunks */
	bool grpc;            /* the answer is one of gRPC */
	uint16_t grpc_status; /* its end, as a status of HTTP; 0: not known */
	bool out_chunked, out_ended; /* so comes the request's; and all of it is here */
	bool blocked;                /* its user has more of the request than found room */
	struct buffer *head;         /* of the answer, not yet taken; data[head_at..head_size) */
	struct buffer *out; /* of the request's body, not yet sent; data[out_at..out_size) */
	uint32_t head_at, head_size, out_at, out_size;
	struct http2_body body; /* of the answer */
	struct chunked chunks;  /* of the request's */
};

struct http2_call *http2_call_new(struct http2_upstream *h, const struct upstream_user *user);

/* ── what frames bring ── */

void http2_call_ready(struct http2_call *c);
/* One field more; false: the answer is malformed, as for the next two. */
bool http2_call_field(struct http2_call *c, const char *name, size_t name_size, const char *value,
		      size_t value_size);
/* The fields are whole. */
bool http2_call_headed(struct http2_call *c, bool ended);
bool http2_call_data(struct http2_call *c, const uint8_t *data, size_t size);

/* Bytes of the request's body that can go out, and whether none will follow them. */
uint32_t http2_call_available(const struct http2_call *c, bool *ret_last);
void http2_call_copy(struct http2_call *c, char *to, uint32_t size);
/* The trailer's fields, in the call's memory; 0: none. */
size_t http2_call_trailer(struct http2_call *c, struct http2_field *fields, size_t max);

/* Tell its user of what came; it may be gone after that. */
void http2_call_turn(struct worker *w, struct http2_call *c);

/* ── as a connection ── */

/* As flow_send() and flow_receive(). */
int http2_call_send(struct worker *w, struct http2_call *c, struct flow *f, char *head,
		    uint32_t head_size);
int http2_call_receive(struct worker *w, struct http2_call *c, struct flow *f);
void http2_call_release(struct worker *w, struct http2_call *c);

#endif
