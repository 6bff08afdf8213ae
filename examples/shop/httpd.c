/* SPDX-License-Identifier: Apache-2.0
 *
 * httpd - see httpd.h for the contract.
 */
#include "httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 192 * 1024, BACKLOG = 1024 };

static struct {
	http_handler handler;
	int stop_fd; /* an eventfd that nobody reads: once written, it stays readable */
	pthread_mutex_t lock;
	pthread_cond_t none_left;
	unsigned connections;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .stop_fd = -1};

int http_stop_fd(void)
{
	return server.stop_fd;
}

static void on_signal(int number)
{
	uint64_t one = 1;
	int before = errno;
	(void)number;
	if (write(server.stop_fd, &one, sizeof one) < 0)
		abort(); /* an eventfd takes at least one write */
	errno = before;
}

static bool stopping(void)
{
	struct pollfd p = {server.stop_fd, POLLIN, 0};
	return poll(&p, 1, 0) == 1;
}

/* Wait until there is something to read; false when the server stops first. */
static bool wait_readable(int fd)
{
	struct pollfd p[2] = {{fd, POLLIN, 0}, {server.stop_fd, POLLIN, 0}};
	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	return p[0].revents != 0;
}

bool http_write(int fd, const void *bytes, size_t size)
{
	for (const char *at = bytes; size > 0;) {
		ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		at += sent;
		size -= (size_t)sent;
	}
	return true;
}

static bool write_two(int fd, const char *a, size_t a_size, const char *b, size_t b_size)
{
	struct iovec parts[2] = {{(void *)a, a_size}, {(void *)b, b_size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = b_size > 0 ? 2 : 1};
	ssize_t sent;
	while ((sent = sendmsg(fd, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR)
		;
	if (sent < 0)
		return false;
	size_t done = (size_t)sent;
	if (done < a_size)
		return http_write(fd, a + done, a_size - done) && http_write(fd, b, b_size);
	return http_write(fd, b + (done - a_size), a_size + b_size - done);
}

const char *http_field(const struct http_exchange *x, const char *name)
{
	size_t size = strlen(name);
	for (const char *line = x->fields; *line != '\0'; line += strlen(line) + 2)
		if (strncasecmp(line, name, size) == 0 && line[size] == ':')
			return line + size + 1 + strspn(line + size + 1, " \t");
	return NULL;
}

uint64_t http_query(const struct http_exchange *x, const char *name, uint64_t otherwise)
{
	size_t size = strlen(name);
	for (const char *at = x->query; *at != '\0';) {
		if (strncmp(at, name, size) == 0 && at[size] == '=')
			return strtoull(at + size + 1, NULL, 10);
		at += strcspn(at, "&");
		at += *at == '&';
	}
	return otherwise;
}

void http_add(struct http_exchange *x, const char *name, const char *format, ...)
{
	char value[512];
	va_list args;
	va_start(args, format);
	vsnprintf(value, sizeof value, format, args);
	va_end(args);
	int size = snprintf(x->own_headers + x->own_size, sizeof x->own_headers - x->own_size,
			    "%s: %s\r\n", name, value);
	if (size > 0 && (size_t)size < sizeof x->own_headers - x->own_size)
		x->own_size += (size_t)size;
	x->own_headers[x->own_size] = '\0';
}

static const char *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 413: return "Content Too Large";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	default: return status < 500 ? "Refused" : "Internal Server Error";
	}
}

static int write_head(struct http_exchange *x, char *to, size_t size, int status, const char *type)
{
	if (stopping())
		x->keep_alive = false;
	return snprintf(to, size, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%s", status,
			reason(status), type, x->own_headers,
			x->keep_alive ? "" : "Connection: close\r\n");
}

void http_answer(struct http_exchange *x, int status, const char *type, const char *body,
		 size_t size)
{
	char head[HTTP_OWN_HEADERS_MAX + 512];
	int at = write_head(x, head, sizeof head, status, type);
	at += snprintf(head + at, sizeof head - (size_t)at, "Content-Length: %zu\r\n\r\n", size);
	if (!write_two(x->fd, head, (size_t)at, body, size))
		x->keep_alive = false;
}

void http_text(struct http_exchange *x, int status, const char *text)
{
	http_answer(x, status, "text/plain", text, strlen(text));
}

void http_begin(struct http_exchange *x, int status, const char *type)
{
	char head[HTTP_OWN_HEADERS_MAX + 512];
	int at = write_head(x, head, sizeof head, status, type);
	at += snprintf(head + at, sizeof head - (size_t)at, "Transfer-Encoding: chunked\r\n\r\n");
	if (!http_write(x->fd, head, (size_t)at))
		x->keep_alive = false;
}

bool http_chunk(struct http_exchange *x, const char *bytes, size_t size)
{
	char line[24];
	if (size == 0)
		return true;
	int at = snprintf(line, sizeof line, "%zx\r\n", size);
	bool good = write_two(x->fd, line, (size_t)at, bytes, size) && http_write(x->fd, "\r\n", 2);
	if (!good)
		x->keep_alive = false;
	return good;
}

void http_end(struct http_exchange *x)
{
	if (!http_write(x->fd, "0\r\n\r\n", 5))
		x->keep_alive = false;
}

/* Reading. `head` is the one buffer: the head, then what came with it. */

static bool receive(struct http_exchange *x)
{
	ssize_t size;
	while ((size = recv(x->fd, x->head + x->input_size, HTTP_HEAD_MAX - x->input_size, 0)) <
		       0 &&
	       errno == EINTR)
		;
	if (size <= 0)
		return false;
	x->input_size += (size_t)size;
	return true;
}

/* Cut the head into NUL-terminated lines. False when it is no request. */
static bool parse_head(struct http_exchange *x)
{
	char *line = x->head, *end = x->head + x->head_size - 2;
	char *next = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
	*next = '\0';
	x->method = line;
	x->path = strchr(line, ' ');
	char *version = x->path ? strchr(x->path + 1, ' ') : NULL;
	if (!version)
		return false;
	*x->path++ = '\0';
	*version++ = '\0';
	x->keep_alive = strcmp(version, "HTTP/1.1") == 0;
	x->query = x->path + strcspn(x->path, "?");
	if (*x->query == '?')
		*x->query++ = '\0';
	x->fields = next + 2;
	for (line = x->fields; line < end; line = next + 2) {
		next = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
		*next = '\0'; /* its LF stays: http_field() steps over both */
	}
	*end = '\0';
	const char *connection = http_field(x, "Connection");
	if (connection && strcasecmp(connection, "close") == 0)
		x->keep_alive = false;
	return true;
}

/* Returns 1 with a head in `x`, 0 when the connection ends here, -1 for a head that is too long. */
static int read_head(struct http_exchange *x)
{
	for (;;) {
		char *end = memmem(x->head, x->input_size, "\r\n\r\n", 4);
		if (end) {
			x->head_size = (size_t)(end - x->head) + 4;
			return 1;
		}
		if (x->input_size == HTTP_HEAD_MAX)
			return -1;
		if (x->input_size == 0 && !wait_readable(x->fd))
			return 0;
		if (!receive(x))
			return 0;
	}
}

struct source { /* the bytes behind the head: first those in the buffer, then the socket's */
	struct http_exchange *x;
	const char *at;
	size_t left;
	char piece[8192];
};

static bool refill(struct source *s)
{
	ssize_t size;
	while ((size = recv(s->x->fd, s->piece, sizeof s->piece, 0)) < 0 && errno == EINTR)
		;
	if (size <= 0)
		return false;
	s->at = s->piece;
	s->left = (size_t)size;
	return true;
}

static bool take(struct source *s, char *to, size_t size)
{
	while (size > 0) {
		if (s->left == 0 && !refill(s))
			return false;
		size_t piece = size < s->left ? size : s->left;
		memcpy(to, s->at, piece);
		s->at += piece;
		s->left -= piece;
		to += piece;
		size -= piece;
	}
	return true;
}

static bool take_line(struct source *s, char *to, size_t size)
{
	for (size_t at = 0; at < size; at++) {
		if (!take(s, to + at, 1))
			return false;
		if (to[at] == '\n') {
			to[at > 0 ? at - 1 : 0] = '\0';
			return true;
		}
	}
	return false;
}

/* Returns 200, 413 or 0 (the peer is gone). */
static int grow_body(struct source *s, size_t size)
{
	struct http_exchange *x = s->x;
	if (size > HTTP_BODY_MAX - x->body_size)
		return 413;
	char *grown = realloc(x->body, x->body_size + size + 1);
	if (!grown)
		return 413;
	x->body = grown;
	if (!take(s, x->body + x->body_size, size))
		return 0;
	x->body_size += size;
	x->body[x->body_size] = '\0';
	return 200;
}

static int read_chunks(struct source *s)
{
	char line[256];
	for (;;) {
		if (!take_line(s, line, sizeof line))
			return 0;
		size_t size = (size_t)strtoull(line, NULL, 16);
		if (size == 0)
			break;
		int status = grow_body(s, size);
		if (status != 200 || !take_line(s, line, sizeof line))
			return status == 200 ? 0 : status;
	}
	do
		if (!take_line(s, line, sizeof line))
			return 0;
	while (line[0] != '\0');
	return 200;
}

static int read_body(struct source *s)
{
	const char *length = http_field(s->x, "Content-Length");
	int status = grow_body(s, 0);
	if (status == 200 && http_field(s->x, "Transfer-Encoding"))
		return read_chunks(s);
	if (status == 200 && length)
		return grow_body(s, (size_t)strtoull(length, NULL, 10));
	return status;
}

/* One request and its answer. False when the connection is to be closed. */
static bool exchange(struct http_exchange *x)
{
	struct source s = {.x = x};
	x->own_size = x->body_size = 0;
	x->own_headers[0] = '\0';
	x->taken = false;
	int got = read_head(x);
	if (got == 0)
		return false;
	x->keep_alive = false;
	if (got < 0 || !parse_head(x)) {
		http_text(x, got < 0 ? 431 : 400, "That is no request I can read.\n");
		return false;
	}
	s.at = x->head + x->head_size;
	s.left = x->input_size - x->head_size;
	int status = read_body(&s);
	if (status == 0)
		return false;
	if (status == 413) {
		x->keep_alive = false;
		http_text(x, 413, "That body is too large.\n");
		return false;
	}
	server.handler(x);
	memmove(x->head, s.at, s.left); /* the start of the next request, if the client was quick */
	x->input_size = s.left;
	return x->keep_alive && !x->taken;
}

static void *serve_connection(void *context)
{
	int fd = (int)(intptr_t)context;
	struct http_exchange *x = calloc(1, sizeof *x);
	if (x) {
		x->fd = fd;
		while (exchange(x))
			;
		free(x->body);
		free(x);
	}
	close(fd);
	pthread_mutex_lock(&server.lock);
	if (--server.connections == 0)
		pthread_cond_signal(&server.none_left);
	pthread_mutex_unlock(&server.lock);
	return NULL;
}

static void start_connection(int fd, const pthread_attr_t *attributes)
{
	pthread_t thread;
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		   sizeof on); /* fails on UNIX sockets, as it may */
	pthread_mutex_lock(&server.lock);
	server.connections++;
	pthread_mutex_unlock(&server.lock);
	if (pthread_create(&thread, attributes, serve_connection, (void *)(intptr_t)fd) == 0)
		return;
	close(fd);
	pthread_mutex_lock(&server.lock);
	server.connections--;
	pthread_mutex_unlock(&server.lock);
}

int http_listen(const char *where)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	bool path = strchr(where, '/') != NULL;
	int on = 1;
	int fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons((uint16_t)strtoul(where, NULL, 10));
	snprintf(un.sun_path, sizeof un.sun_path, "%s", where);
	if (path)
		unlink(where);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	int rc = path ? bind(fd, (struct sockaddr *)&un, sizeof un)
		      : bind(fd, (struct sockaddr *)&in, sizeof in);
	if (rc == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static void wait_for_connections(unsigned grace_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += grace_ms / 1000;
	pthread_mutex_lock(&server.lock);
	while (server.connections > 0 &&
	       pthread_cond_timedwait(&server.none_left, &server.lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&server.lock);
}

void http_serve(int listener, http_handler handler, unsigned grace_ms)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_attr_t attributes;
	server.handler = handler;
	server.stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_cond_init(&server.none_left, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	while (wait_readable(listener)) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			start_connection(fd, &attributes);
	}
	close(listener);
	wait_for_connections(grace_ms);
}
