/* SPDX-License-Identifier: Apache-2.0
 *
 * http1 - the heads of HTTP/1.x messages: strict, resumable, without allocation or copies.
 *
 * WHAT  http1_parse_request() and http1_parse_response() turn a head into a table of offsets into
 *       the caller's buffer and a model of what it means: target, host, framing, keep-alive,
 *       upgrade. Whoever forwards writes a new head from the model (wire/http1_write.h) and never
 *       the bytes.
 *
 * HOW   Zero the state with http1_head_init(). Call the parser with the whole buffer from the
 *       head's first byte each time more has come in; it goes on where it stopped, so the total
 *       work is linear in the bytes. > 0: the head is that many bytes long, what follows is body.
 *       0: more is needed. < 0: `status` and `reason` say what to answer, and the connection must
 *       then be closed. The outcome does not depend on how the bytes were cut.
 *
 * OWNS  The caller's buffer, contiguous; it may move between calls, as the table holds offsets
 *       only.
 *
 * LIMITS struct http1_limits; the head at most HTTP1_HEAD_MAX, as offsets have 16 bits. At most
 *       HTTP1_NOMINATED_MAX names in Connection.
 *
 * ERRORS Reject by default. CRLF only (one empty line before a request is passed over), no
 *       folding, no control bytes, no space before a colon, no '#' or 8-bit bytes in a target,
 *       exactly one Host in 1.1, one Content-Length of digits, Transfer-Encoding exactly "chunked"
 *       and never with a Content-Length or in 1.0. Requests fail with 400, 414, 417, 431, 501 or
 *       505, responses with 502. ERR_INVALID, or ERR_LIMIT where a limit was met.
 *
 * SOURCE RFC 9110 (fields, methods, Connection), RFC 9112 (syntax, framing), RFC 3986 (host).
 *
 * SEE   tests/unit/wire/test_http1.c, tests/fuzz/fuzz_http1.c
 */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP1_HEAD_MAX = 65535,
	HTTP1_FIELD_MAX = 100,
	HTTP1_METHOD_MAX = 32,
	HTTP1_NOMINATED_MAX = 32,
};

struct http1_limits {
	uint32_t head_bytes;   /* of the whole head, 1..HTTP1_HEAD_MAX */
	uint32_t target_bytes; /* of a request's target */
	uint32_t fields;       /* 1..HTTP1_FIELD_MAX */
};

extern const struct http1_limits http1_limits_default; /* 32 KiB, 8 KiB, 100 */

/* Fields the gateway has to know. Everything else is HTTP1_FIELD_OTHER and looked up by name. */
#define HTTP1_FIELDS(X)                               \
	X(OTHER, "")                                  \
	X(HOST, "host")                               \
	X(CONNECTION, "connection")                   \
	X(CONTENT_LENGTH, "content-length")           \
	X(TRANSFER_ENCODING, "transfer-encoding")     \
	X(TE, "te")                                   \
	X(TRAILER, "trailer")                         \
	X(UPGRADE, "upgrade")                         \
	X(KEEP_ALIVE, "keep-alive")                   \
	X(PROXY_CONNECTION, "proxy-connection")       \
	X(PROXY_AUTHENTICATE, "proxy-authenticate")   \
	X(PROXY_AUTHORIZATION, "proxy-authorization") \
	X(HTTP2_SETTINGS, "http2-settings")           \
	X(EXPECT, "expect")                           \
	X(COOKIE, "cookie")                           \
	X(SET_COOKIE, "set-cookie")                   \
	X(AUTHORIZATION, "authorization")             \
	X(FORWARDED, "forwarded")                     \
	X(X_FORWARDED_FOR, "x-forwarded-for")         \
	X(X_FORWARDED_HOST, "x-forwarded-host")       \
	X(X_FORWARDED_PROTO, "x-forwarded-proto")     \
	X(X_FORWARDED_PORT, "x-forwarded-port")       \
	X(X_REAL_IP, "x-real-ip")                     \
	X(X_REQUEST_ID, "x-request-id")               \
	X(X_DAVIT_PREVIEW, "x-davit-preview")         \
	X(X_DAVIT_SHADOW, "x-davit-shadow")           \
	X(VIA, "via")                                 \
	X(CONTENT_TYPE, "content-type")               \
	X(RETRY_AFTER, "retry-after")

enum http1_field_id {
#define X(name, text) HTTP1_FIELD_##name,
	HTTP1_FIELDS(X)
#undef X
		HTTP1_FIELD_COUNT
};

#define HTTP1_METHODS(X) \
	X(OTHER) X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(OPTIONS) X(PATCH) X(TRACE) X(CONNECT)

enum http1_method {
#define X(name) HTTP1_METHOD_##name,
	HTTP1_METHODS(X)
#undef X
		HTTP1_METHOD_COUNT
};

enum http1_framing {
	HTTP1_FRAMING_NONE = 0, /* no body */
	HTTP1_FRAMING_LENGTH,   /* `length` bytes */
	HTTP1_FRAMING_CHUNKED,  /* wire/chunked.h */
	HTTP1_FRAMING_CLOSE,    /* a response that ends with its connection */
};

/* A piece of the caller's buffer. */
struct http1_span {
	uint16_t at;
	uint16_t size;
};

struct http1_field {
	struct http1_span name;
	struct http1_span value; /* without the white space around it */
	uint8_t id;              /* enum http1_field_id */
	bool hop; /* ends here: hop-by-hop by nature, framing, or nominated by Connection */
};

/* One head, of a request or a response. Plain data; fields[] beyond field_count is not initialised.
 */
struct http1_head {
	/* Where parsing stands. */
	uint16_t line_at; /* start of the line that is being read */
	uint16_t seen_at; /* searched for a line end up to here */
	uint8_t phase;
	bool blank; /* an empty line came before the request */

	/* On failure. */
	uint16_t status;    /* requests: what to answer; responses: 502, or the status received */
	const char *reason; /* one clause, static, for log and tests */

	/* Both kinds. */
	uint8_t minor;   /* the 0 or 1 of HTTP/1.x */
	uint8_t framing; /* enum http1_framing */
	bool keep_alive; /* the sender is ready for another message on this connection */
	bool upgrade;    /* request: asks for websocket; response: a 101 that agrees */
	bool has_length; /* a Content-Length was there (also in an answer to HEAD) */
	uint16_t field_count;
	uint64_t length; /* of the body as declared; 0 without has_length */

	/* Requests. */
	uint8_t method;                /* enum http1_method */
	bool expect_continue;          /* waits for 100 before it sends its body */
	bool te_trailers;              /* TE: trailers */
	struct http1_span method_text; /* as sent */
	struct http1_span target;      /* as sent */
	struct http1_span path;  /* "/..." or "*"; size 0 stands for "/" (absolute form only) */
	struct http1_span query; /* what follows '?', without it */
	bool has_query;          /* tells "/a?" from "/a" */
	struct http1_span
		host; /* of the absolute form, else of Host; with the port; size 0: none */

	/* Responses: the code is in `status`. */
	struct http1_span phrase; /* may be empty */
	bool interim;             /* 1xx but 101: the real answer is still to come */

	struct http1_field fields[HTTP1_FIELD_MAX];
};

/* What a response answers; its framing depends on it. */
struct http1_asked {
	bool head;    /* the request was HEAD */
	bool upgrade; /* the request had `upgrade` */
};

void http1_head_init(struct http1_head *h);

/* See HOW. `size` may be more than the head. CONNECT is answered with 501, as are long methods. */
int http1_parse_request(struct http1_head *h, const char *data, size_t size,
			const struct http1_limits *limits);
int http1_parse_response(struct http1_head *h, const char *data, size_t size,
			 const struct http1_limits *limits, struct http1_asked asked);

/* The first field of that kind or name from index `from` on (name in lower case), or NULL. */
const struct http1_field *http1_field_find(const struct http1_head *h, enum http1_field_id id);
const struct http1_field *http1_field_named(const struct http1_head *h, const char *data,
					    const char *name, uint16_t from);

/* The id a name stands for, whatever its case; '_' counts as '-'. HTTP1_FIELD_OTHER if none. */
enum http1_field_id http1_field_identify(const char *name, size_t size);

/* Methods that may be sent twice with the effect of once, and that change nothing. */
bool http1_method_idempotent(enum http1_method method);
bool http1_method_safe(enum http1_method method);

/* "Bad Gateway" for 502; "" for a code without a name of its own. */
const char *http1_status_text(unsigned status);

/* The value of the cookie `name` in the request's Cookie fields, byte for byte; false if none. */
bool http1_cookie_find(const struct http1_head *h, const char *data, const char *name,
		       struct http1_span *ret_value);

#endif
