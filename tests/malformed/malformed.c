/* SPDX-License-Identifier: Apache-2.0
 *
 * malformed - a million malformed requests to a gateway, and malformed answers behind it; a verdict on what comes back.
 *
 * WHAT  Request N of a seed is always the same bytes, in the same pieces, with the same end: half closed, reset, or just left.
 *       After those of HTTP/1 come connections of HTTP/2, each a sequence of frames (mangle_http2.h).
 *       The gateway must answer with HTTP, frame by frame (frames.h), or end the connection, soon; never with what belongs to
 *       another request; and must send its backend nothing malformed. At the end its workers are those of the beginning, right requests are answered,
 *       and its own counters say that nothing is in flight.
 * HOW   First the port of the backend is printed: the gateway's table wants it. Then its port and the pid of its supervisor
 *       are read from standard input. Ends with "N passed, N failed"; exit 1 when something failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "frames.h"
#include "gateway_state.h"
#include "mangle.h"
#include "mangle_http2.h"

enum {
	CLIENTS_MAX = 96,
	STUCK_MS = 20000,
	END_MS = 10000,
	PIECES_MAX = 4,
	SHOWN_MAX = 5,
	RIGHT_AT_END = 200,
	ADDRESSES = 200, /* of clients: one has not enough ports for a million connections */
	TAIL = MANGLE_TAG_SIZE - 1,
	ANSWERS_MS = 20, /* so long streams of HTTP/2 have before their client says that it ends */
};

enum ending { END_HALF, END_RESET, END_LEFT };

struct client {
	int fd; /* -1: not in use */
	uint64_t number, since_ms, got;
	uint64_t sent_ms; /* HTTP/2: all was sent, and not half closed yet; 0: else */
	size_t size, sent, pieces[PIECES_MAX];
	int piece;
	enum ending ending;
	bool right;           /* a request that must be answered with 200 */
	bool http2;           /* a sequence of frames */
	bool wrong;           /* its fault is told */
	struct frames frames; /* of what came, where that is HTTP/2 */
	size_t tail;          /* of what came before, in front of `in` */
	char in[TAIL + 65536];
	char out[MANGLE_MAX];
};

struct run {
	int epoll_fd, port;
	uint64_t seed, next, open, failed, answered;
	struct backend backend;
	struct client clients[CLIENTS_MAX];
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void fault(struct run *r, const struct client *c, const char *why)
{
	if (r->failed++ >= SHOWN_MAX)
		return;
	printf("not ok request %" PRIu64 " of seed %" PRIu64 ": %s; it was:\n", c->number, r->seed,
	       why);
	for (size_t i = 0; i < c->size && i < 400; i++) {
		unsigned char b = (unsigned char)c->out[i];
		if (b == '\\' || b < ' ' || b > '~')
			printf("\\x%02x%s", b, b == '\n' ? "\n" : "");
		else
			putchar(b);
	}
	putchar('\n');
}

static void end_client(struct run *r, struct client *c)
{
	frames_done(&c->frames);
	close(c->fd);
	c->fd = -1;
	r->open--;
}

/* Without a tag it is answered well. */
static size_t right_request(char *to)
{
	return (size_t)snprintf(to, MANGLE_MAX, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

static size_t write_request(const struct run *r, struct client *c)
{
	if (c->right)
		return c->http2 ? mangle_http2_right(c->out) : right_request(c->out);
	return (c->http2 ? mangle_http2 : mangle_request)(r->seed, c->number, c->out);
}

static bool start_client(struct run *r, struct client *c, bool right, bool http2)
{
	uint64_t random = mangle_seed(r->seed, r->next, "client");
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)r->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl((uint32_t)(INADDR_LOOPBACK + 1 + r->next % ADDRESSES))};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.ptr = c};
	int one = 1;
	*c = (struct client){
		.number = r->next++, .since_ms = now_ms(), .right = right, .http2 = http2};
	c->size = write_request(r, c);
	c->ending = random % 256 == 0 ? END_LEFT : random % 16 == 1 ? END_RESET : END_HALF;
	for (int i = 0; i < PIECES_MAX; i++)
		c->pieces[i] = right || random >> 62 ? c->size : mangle_random(&random) % c->size;
	c->pieces[PIECES_MAX - 1] = c->size;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	r->open++;
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
	    (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) ||
	    epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0) {
		end_client(r, c);
		return false;
	}
	return true;
}

/* All is sent: end as the case wants it. */
static void sent_all(struct run *r, struct client *c)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
	struct linger reset = {.l_onoff = 1};
	if (c->ending == END_RESET && !c->right) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		end_client(r, c);
		return;
	}
	if (c->http2)
		c->sent_ms = now_ms();
	else if (c->right || c->ending == END_HALF)
		shutdown(c->fd, SHUT_WR);
	epoll_ctl(r->epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void send_on(struct run *r, struct client *c)
{
	size_t until = c->pieces[c->piece];
	if (until > c->sent) {
		ssize_t sent = send(c->fd, c->out + c->sent, until - c->sent, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			c->sent = c->size; /* refused before all was sent */
		if (sent > 0)
			c->sent += (size_t)sent;
	}
	if (c->sent >= until && c->piece < PIECES_MAX - 1)
		c->piece++;
	if (c->sent == c->size)
		sent_all(r, c);
}

static void look_for_tags(struct run *r, struct client *c, const char *data, size_t size)
{
	size_t at = 0;
	uint64_t number;
	while (mangle_tag_find(r->seed, data, size, &at, &number))
		if (number != c->number && number != 0)
			fault(r, c, "it was answered with what belongs to another request");
}

struct look {
	struct run *r;
	struct client *c;
};

static void seen(void *context, const char *value, size_t size)
{
	struct look *l = context;
	look_for_tags(l->r, l->c, value, size);
}

/* The same of frames; what is no HTTP/2 from its first byte on is an answer of HTTP/1 to a preface that was none. */
static void look_at_frames(struct run *r, struct client *c, size_t size)
{
	struct look l = {r, c};
	c->frames.seen = seen;
	c->frames.context = &l;
	const char *wrong = frames_read(&c->frames, c->in + c->tail, size);
	if (wrong && !c->wrong)
		fault(r, c, wrong);
	c->wrong = c->wrong || wrong;
	if (c->right && c->frames.ended && c->frames.status != 200)
		fault(r, c, "a right request was not answered with 200");
}

/* Look at what came: the beginning of an answer, and whose it is. */
static void look(struct run *r, struct client *c, size_t size)
{
	static const char begin[] = "HTTP/1.1 ";
	size_t all = c->tail + size;
	const char *fresh = c->in + c->tail;
	bool framed = c->http2 && (c->got ? c->frames.inflater != NULL : *fresh == '\0');
	if (framed)
		look_at_frames(r, c, size);
	for (size_t i = 0; !framed && c->got + i < sizeof begin - 1 && i < size; i++)
		if (fresh[i] != begin[c->got + i]) {
			fault(r, c, "the answer is no HTTP");
			break;
		}
	if (c->right && !c->http2 && c->got == 0 && size > 12 && memcmp(fresh + 9, "200", 3) != 0)
		fault(r, c, "a right request was not answered with 200");
	look_for_tags(r, c, c->in, all);
	r->answered += c->got == 0;
	c->got += size;
	c->tail = all < TAIL ? all : TAIL;
	memmove(c->in, c->in + all - c->tail, c->tail);
}

static void client_event(struct run *r, struct client *c, uint32_t events)
{
	if (c->fd >= 0 && events & EPOLLOUT && c->sent < c->size)
		send_on(r, c);
	while (c->fd >= 0 && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		ssize_t got = recv(c->fd, c->in + c->tail, sizeof c->in - TAIL, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			if (c->right && (c->http2 || c->got == 0))
				fault(r, c, "a right request was not answered");
			end_client(r, c);
			return;
		}
		look(r, c, (size_t)got);
		if (c->right && c->frames.ended)
			end_client(r, c);
	}
}

static void look_for_stuck(struct run *r)
{
	uint64_t now = now_ms();
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &r->clients[i];
		if (c->fd >= 0 && now > c->since_ms + STUCK_MS) {
			fault(r, c, "its connection is still open after 20 s");
			end_client(r, c);
		}
	}
}

/* Clients of HTTP/2 end later than the others, or their streams were cancelled before they are answered. */
static void half_close(struct run *r)
{
	uint64_t now = now_ms();
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &r->clients[i];
		if (c->fd < 0 || !c->sent_ms || c->right || c->ending != END_HALF ||
		    (now < c->sent_ms + ANSWERS_MS && !c->frames.ended))
			continue;
		c->sent_ms = 0;
		shutdown(c->fd, SHUT_WR);
	}
}

static void turn(struct run *r)
{
	struct epoll_event events[128];
	int count = epoll_wait(r->epoll_fd, events, 128, ANSWERS_MS / 2);
	half_close(r);
	for (int i = 0; i < count; i++) {
		char *what = events[i].data.ptr;
		if (what == (char *)&r->backend.listen_fd)
			backend_event(&r->backend, NULL, events[i].events);
		else if (what >= (char *)r->clients && what < (char *)(r->clients + CLIENTS_MAX))
			client_event(r, (struct client *)(void *)what, events[i].events);
		else
			backend_event(&r->backend, (struct backend_peer *)(void *)what,
				      events[i].events);
	}
}

/* Requests up to `end`, as many at a time as there are places. */
static void flood(struct run *r, uint64_t count, bool right, bool http2)
{
	uint64_t end = r->next + count;
	uint64_t looked_ms = now_ms();
	while (r->next < end || r->open > 0) {
		for (int i = 0; i < CLIENTS_MAX && r->next < end; i++)
			if (r->clients[i].fd < 0 &&
			    !start_client(r, &r->clients[i], right, http2)) {
				fault(r, &r->clients[i], "no connection to the gateway");
				break;
			}
		turn(r);
		if (now_ms() > looked_ms + 1000) {
			look_for_stuck(r);
			looked_ms = now_ms();
		}
	}
}

/* Malformed ones, and right ones after them; returns whether something was wrong. */
static bool send_all(struct run *r, uint64_t count, bool http2)
{
	uint64_t before = r->backend.requests;
	r->failed = r->answered = 0;
	flood(r, count, false, http2);
	flood(r, RIGHT_AT_END, true, http2);
	printf("%s of %" PRIu64 " malformed %s (seed %" PRIu64 "): %" PRIu64 " answered, %" PRIu64
	       " reached the backend\n",
	       r->failed ? "not ok" : "ok", count,
	       http2 ? "connections of HTTP/2" : "requests of HTTP/1", r->seed, r->answered,
	       r->backend.requests - before);
	return r->failed > 0;
}

static int verdict(struct run *r, int failed, const char *state, bool quiet)
{
	if (r->backend.wrong)
		printf("not ok the gateway sent %s: %s\n", r->backend.wrong,
		       r->backend.wrong_bytes);
	printf("%s %s\n", quiet ? "ok" : "not ok", state);
	failed += (r->backend.wrong != NULL) + !quiet;
	printf("%d passed, %d failed\n", 4 - failed, failed);
	return failed > 0;
}

int main(int argc, char **argv)
{
	static struct run r;
	struct gateway_state *state;
	struct rlimit files;
	char text[128];
	int pid;
	if (argc != 4) {
		fprintf(stderr,
			"usage: davit-malformed REQUESTS CONNECTIONS SEED <ports-and-pid\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	r.seed = strtoull(argv[3], NULL, 10);
	r.next = 1; /* 0 is the number of an answer to nobody knows what */
	r.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < CLIENTS_MAX; i++)
		r.clients[i].fd = -1;
	printf("%d\n", backend_open(&r.backend, r.epoll_fd, r.seed));
	fflush(stdout);
	if (scanf("%d %d", &r.port, &pid) != 2 || !(state = gateway_state_open(pid))) {
		fprintf(stderr, "davit-malformed: no port and pid of a gateway\n");
		return 2;
	}
	int failed = send_all(&r, strtoull(argv[1], NULL, 10), false) +
		     send_all(&r, strtoull(argv[2], NULL, 10), true);
	uint64_t until_ms = now_ms() + END_MS;
	bool quiet;
	while (!(quiet = gateway_state_quiet(state, text, sizeof text)) && now_ms() < until_ms)
		turn(&r);
	backend_close(&r.backend);
	gateway_state_close(state);
	return verdict(&r, failed, text, quiet);
}
