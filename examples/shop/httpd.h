/* SPDX-License-Identifier: Apache-2.0
 *
 * httpd - a small HTTP/1.1 server: a thread a connection, keep-alive, bodies counted and chunked.
 *
 * WHAT  Enough for a service behind a gateway: it trusts that the gateway has checked what it
 * forwards, but bounds everything it reads.
 *
 * HOW   http_listen(), then http_serve() until SIGTERM or SIGINT: no new connection is taken, idle
 * ones are closed, a request that runs is answered (with "Connection: close"), then http_serve()
 * returns. The handler is called on the connection's thread and must call one of the answering
 * functions.
 *
 * LIMITS HTTP_HEAD_MAX for a request's head, HTTP_BODY_MAX for its body: beyond, 431 and 413.
 */
#ifndef SHOP_HTTPD_H
#define SHOP_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HEAD_MAX = 16384, HTTP_BODY_MAX = 8 << 20, HTTP_OWN_HEADERS_MAX = 2048 };

struct http_exchange {
	int fd;
	char *method, *path, *query; /* query is "" when there is none */
	char *body;                  /* NUL-terminated, never NULL */
	size_t body_size;
	char own_headers[HTTP_OWN_HEADERS_MAX]; /* what http_add() collected */
	size_t own_size;
	bool keep_alive; /* the handler may clear it */
	bool taken;      /* the handler spoke another protocol: close without a word */
	char head[HTTP_HEAD_MAX + 1];
	size_t head_size, input_size; /* `head` also holds what came behind the head */
	char *fields; /* the header lines, each ended by NUL and LF, then an empty one */
};

typedef void (*http_handler)(struct http_exchange *x);

/* `where` is a port of 127.0.0.1, or the path of a UNIX socket. Returns the listening socket or -1.
 */
int http_listen(const char *where);

/* Serve until SIGTERM or SIGINT, then until the last request has ended, at most `grace_ms`. */
void http_serve(int listener, http_handler handler, unsigned grace_ms);

/* Readable (poll for POLLIN) from the moment the server was told to stop. */
int http_stop_fd(void);

const char *http_field(const struct http_exchange *x, const char *name); /* NULL when absent */
uint64_t http_query(const struct http_exchange *x, const char *name, uint64_t otherwise);

void http_add(struct http_exchange *x, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void http_answer(struct http_exchange *x, int status, const char *type, const char *body,
		 size_t size);
void http_text(struct http_exchange *x, int status, const char *text);

/* A body of unknown length: begin, any number of chunks, end. */
void http_begin(struct http_exchange *x, int status, const char *type);
bool http_chunk(struct http_exchange *x, const char *bytes,
		size_t size); /* false: the peer is gone */
void http_end(struct http_exchange *x);

bool http_write(int fd, const void *bytes, size_t size);

#endif
