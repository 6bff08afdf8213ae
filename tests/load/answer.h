/* SPDX-License-Identifier: Apache-2.0
 *
 * answer - one HTTP/1.1 response, read as it arrives: the judge's own parser.
 *
 * WHAT  Framing (Content-Length, chunked, until close), the headers the judge looks at, a running
 * digest of the body. It shares no code with src/wire or src/gateway, so that a bug there is not
 * excused here.
 *
 * HOW   answer_start(); answer_feed() with every piece that arrives, until answer_over(); when the
 * peer closes, answer_closed() says whether that ended the answer well. The body also goes to
 * `body`, when set, piece by piece (server-sent events are read there).
 *
 * LIMITS A head of at most ANSWER_HEAD_MAX bytes; a longer one is ANSWER_BAD.
 */
#ifndef LOAD_ANSWER_H
#define LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_HEAD_MAX = 16384, ANSWER_NAME_MAX = 64, ANSWER_COOKIE_MAX = 512 };

enum answer_state {
	ANSWER_HEAD,
	ANSWER_LENGTH,      /* `left` bytes of body to come */
	ANSWER_CHUNK_SIZE,  /* inside a chunk-size line */
	ANSWER_CHUNK_DATA,  /* `left` bytes of chunk to come */
	ANSWER_CHUNK_END,   /* the CRLF behind a chunk */
	ANSWER_TRAILERS,    /* behind the last chunk, up to the empty line */
	ANSWER_UNTIL_CLOSE, /* the body has no length */
	ANSWER_DONE,
	ANSWER_UPGRADED, /* 101: what follows is no longer HTTP */
	ANSWER_BAD,      /* breaks the protocol */
};

struct answer {
	enum answer_state state;
	char head[ANSWER_HEAD_MAX];
	size_t head_size;
	int status;
	bool keep_alive;
	bool chunked;
	bool has_length;
	uint64_t left;
	char line[64]; /* the chunk-size or trailer line being read */
	size_t line_size;
	uint64_t body_bytes;
	uint64_t body_digest;
	char id[ANSWER_NAME_MAX];             /* X-Load-Id, "" when absent; as are those below */
	char release[ANSWER_NAME_MAX];        /* X-Release: the service speaks */
	char instance[ANSWER_NAME_MAX];       /* X-Instance */
	char told_digest[ANSWER_NAME_MAX];    /* X-Body-Digest: of the answer's body */
	char request_digest[ANSWER_NAME_MAX]; /* X-Request-Digest: of the body that the service
						 received */
	char request_bytes[ANSWER_NAME_MAX];  /* X-Request-Bytes */
	char accept_key[ANSWER_NAME_MAX];     /* Sec-WebSocket-Accept */
	char reason[ANSWER_NAME_MAX];         /* X-Davit-Error: the gateway speaks, in a word */
	char cookie[ANSWER_COOKIE_MAX];       /* name=value of the last Set-Cookie */
	void (*body)(void *context, const char *bytes, size_t size);
	void *context;
};

/* Forget everything but `body` and `context`. */
void answer_start(struct answer *a);

/* Take bytes; returns how many belong to this answer (fewer than `size` once it is over). */
size_t answer_feed(struct answer *a, const char *bytes, size_t size);

/* The peer closed: ANSWER_UNTIL_CLOSE becomes ANSWER_DONE. Returns whether the answer is whole. */
bool answer_closed(struct answer *a);

bool answer_over(const struct answer *a); /* done, upgraded or bad */

/* FNV-1a, 64 bits: start with DIGEST_START, feed bytes. What both sides of the test compute. */
#define DIGEST_START 0xcbf29ce484222325ull
uint64_t digest_feed(uint64_t digest, const char *bytes, size_t size);

#endif
