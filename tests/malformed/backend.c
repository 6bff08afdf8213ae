/* SPDX-License-Identifier: Apache-2.0
 * backend - see backend.h for the contract.
 *
 * A gateway writes heads and chunks anew, in one form; so the reader here takes that form only. */
#include "backend.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "mangle.h"

enum { IN_MAX = 192 * 1024, LARGE_BODY = 100000, OUT_MAX = LARGE_BODY + 512 };

_Static_assert((int)OUT_MAX >= (int)MANGLE_MAX, "an answer fits");

enum reading { HEAD, LENGTH, CHUNKS, NO_END };

struct backend_peer {
	struct backend_peer *next, *prev;
	int fd;
	enum reading reading;
	size_t in_size, out_size, out_sent;
	uint64_t left; /* of a body with a length */
	uint64_t number;
	bool head_asked, upgrade, ends;
	char in[IN_MAX + 1];
	char out[OUT_MAX];
};

int backend_open(struct backend *b, int epoll_fd, uint64_t seed)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	struct epoll_event event = {.events = EPOLLIN};
	*b = (struct backend){.epoll_fd = epoll_fd, .seed = seed};
	b->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	event.data.ptr = &b->listen_fd;
	if (b->listen_fd < 0 || bind(b->listen_fd, (struct sockaddr *)&at, size) != 0 ||
	    listen(b->listen_fd, 1024) != 0 ||
	    getsockname(b->listen_fd, (struct sockaddr *)&at, &size) != 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, b->listen_fd, &event) != 0)
		return -1;
	return ntohs(at.sin_port);
}

static void close_peer(struct backend *b, struct backend_peer *p)
{
	*(p->prev ? &p->prev->next : &b->peers) = p->next;
	if (p->next)
		p->next->prev = p->prev;
	close(p->fd);
	free(p);
}

static bool wrong(struct backend *b, struct backend_peer *p, const char *why)
{
	if (!b->wrong) {
		size_t size = p->in_size < sizeof b->wrong_bytes - 1 ? p->in_size
								     : sizeof b->wrong_bytes - 1;
		memcpy(b->wrong_bytes, p->in, size);
		b->wrong = why;
	}
	p->ends = true;
	return false;
}

static void take(struct backend_peer *p, size_t size)
{
	p->in_size -= size;
	memmove(p->in, p->in + size, p->in_size);
}

/* The value of the one line that begins so, before `end`; NULL without one, or with two. */
static const char *value_of(const char *in, const char *end, const char *name, int *ret_count)
{
	const char *found = NULL;
	size_t size = strlen(name);
	*ret_count = 0;
	for (const char *line = in; line < end; line = strstr(line, "\r\n") + 2) {
		if (strncasecmp(line, name, size) != 0)
			continue;
		found = line + size;
		++*ret_count;
	}
	return *ret_count == 1 ? found : NULL;
}

static void answer(struct backend *b, struct backend_peer *p)
{
	uint64_t random = mangle_seed(b->seed, p->number, "kind");
	char tag[MANGLE_TAG_SIZE];
	int size;
	b->requests++;
	mangle_tag_write(b->seed, p->number, tag);
	if (random % 4 == 0 && p->number != 0) {
		p->out_size = mangle_answer(b->seed, p->number, p->out);
		p->ends = random / 4 % 32 != 0; /* it mostly ends there, for the sake of time */
		return;
	}
	int body = random / 4 % 64 == 0 ? LARGE_BODY : (int)(random / 256 % 200);
	if (p->upgrade)
		size = snprintf(p->out, OUT_MAX,
				"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
				"X-Case: %.24s\r\n\r\n",
				tag);
	else
		size = snprintf(p->out, OUT_MAX,
				"HTTP/1.1 200 OK\r\nX-Case: %.24s\r\nContent-Length: %d\r\n\r\n",
				tag, body);
	if (!p->upgrade && !p->head_asked) {
		memset(p->out + size, 'b', (size_t)body);
		size += body;
	}
	p->out_size = (size_t)size;
	if (p->upgrade)
		p->reading = NO_END;
}

/* A whole message is there: true when there may be another one. */
static bool message_over(struct backend *b, struct backend_peer *p)
{
	p->reading = HEAD;
	answer(b, p);
	return false; /* the next one when this is answered */
}

static bool read_head(struct backend *b, struct backend_peer *p)
{
	int hosts, lengths, codings, others;
	size_t at = 0;
	char *end = strstr(p->in, "\r\n\r\n");
	if (!end)
		return p->in_size == IN_MAX ? wrong(b, p, "a head without end") : false;
	if (strlen(p->in) < (size_t)(end - p->in))
		return wrong(b, p, "a NUL in a head");
	const char *line_end = strstr(p->in, "\r\n");
	if (line_end - p->in < 12 || memcmp(line_end - 9, " HTTP/1.1", 9) != 0)
		return wrong(b, p, "a request line that does not end with HTTP/1.1");
	for (const char *c = p->in; c < end; c++)
		if ((*c == '\n') != (c > p->in && c[-1] == '\r'))
			return wrong(b, p, "a line that does not end with CRLF");
	const char *fields = line_end + 2;
	value_of(fields, end, "host:", &hosts);
	const char *length = value_of(fields, end, "content-length:", &lengths);
	const char *coding = value_of(fields, end, "transfer-encoding:", &codings);
	if (hosts != 1 || lengths + codings > 1 ||
	    (coding && strncmp(coding, " chunked\r\n", 10) != 0))
		return wrong(b, p, "a head without one Host, or framed twice");
	p->head_asked = strncmp(p->in, "HEAD ", 5) == 0;
	value_of(fields, end, "upgrade:", &others);
	p->upgrade = others > 0;
	size_t size = (size_t)(end - p->in) + 4;
	p->number = 0;
	mangle_tag_find(b->seed, p->in, size, &at, &p->number);
	p->left = length ? strtoull(length, NULL, 10) : 0;
	p->reading = coding ? CHUNKS : LENGTH;
	take(p, size);
	return true;
}

static bool read_length(struct backend *b, struct backend_peer *p)
{
	size_t size = p->left < p->in_size ? (size_t)p->left : p->in_size;
	take(p, size);
	p->left -= size;
	return p->left == 0 ? message_over(b, p) : false;
}

/* One chunk, or the last with its trailer. */
static bool read_chunk(struct backend *b, struct backend_peer *p)
{
	char *end = memchr(p->in, '\n', p->in_size < 20 ? p->in_size : 20), *rest;
	if (!end)
		return p->in_size < 20 ? false : wrong(b, p, "a chunk's size without end");
	uint64_t size = strtoull(p->in, &rest, 16);
	if (rest == p->in || rest + 1 != end || *rest != '\r')
		return wrong(b, p, "a chunk's size that is no number");
	size_t head = (size_t)(end + 1 - p->in);
	if (size == 0) {
		char *over = strstr(rest, "\r\n\r\n");
		if (!over)
			return p->in_size < IN_MAX ? false : wrong(b, p, "a trailer without end");
		take(p, (size_t)(over + 4 - p->in));
		return message_over(b, p);
	}
	if (size > IN_MAX / 2) { /* its end never comes: none that long is sent */
		p->reading = NO_END;
		return true;
	}
	if (p->in_size < head + size + 2)
		return false;
	if (memcmp(p->in + head + size, "\r\n", 2) != 0)
		return wrong(b, p, "a chunk without its end");
	take(p, head + (size_t)size + 2);
	return true;
}

static void read_on(struct backend *b, struct backend_peer *p)
{
	bool more = true;
	while (more && !p->ends && p->out_size == 0) {
		p->in[p->in_size] = '\0';
		switch (p->reading) {
		case HEAD: more = p->in_size > 0 && read_head(b, p); break;
		case LENGTH: more = read_length(b, p); break;
		case CHUNKS: more = read_chunk(b, p); break;
		case NO_END:
			p->in_size = 0;
			more = false;
			break;
		}
	}
}

/* False when the connection is over. */
static bool write_on(struct backend_peer *p)
{
	while (p->out_sent < p->out_size) {
		ssize_t sent =
			send(p->fd, p->out + p->out_sent, p->out_size - p->out_sent, MSG_NOSIGNAL);
		if (sent < 0)
			return true;
		p->out_sent += (size_t)sent;
	}
	bool over = p->out_size > 0 && p->ends;
	p->out_size = p->out_sent = 0;
	return !over;
}

static void take_peers(struct backend *b)
{
	int fd, one = 1;
	while ((fd = accept4(b->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct backend_peer *p = malloc(sizeof *p);
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
					    .data.ptr = p};
		if (!p)
			abort();
		memset(p, 0, offsetof(struct backend_peer, in));
		p->fd = fd;
		p->next = b->peers;
		if (p->next)
			p->next->prev = p;
		b->peers = p;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	}
}

void backend_event(struct backend *b, struct backend_peer *peer, uint32_t events)
{
	bool ended = (events & (EPOLLERR | EPOLLHUP)) != 0;
	if (!peer) {
		take_peers(b);
		return;
	}
	for (;;) {
		ssize_t got = recv(peer->fd, peer->in + peer->in_size, IN_MAX - peer->in_size,
				   MSG_DONTWAIT);
		if (got == 0 && peer->in_size < IN_MAX)
			ended = true;
		if (got > 0)
			peer->in_size += (size_t)got;
		read_on(b, peer);
		bool answers = peer->out_size > 0;
		if (!write_on(peer))
			ended = true;
		if (ended || (got <= 0 && !answers))
			break;
	}
	if (ended || (peer->ends && peer->out_size == 0))
		close_peer(b, peer);
}

void backend_close(struct backend *b)
{
	while (b->peers)
		close_peer(b, b->peers);
	close(b->listen_fd);
}
