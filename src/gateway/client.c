/* SPDX-License-Identifier: Apache-2.0
 *
 * client - see client.h for the contract.
 */
#include "gateway/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/account.h"
#include "gateway/exchange.h"
#include "gateway/http2_stream.h"
#include "gateway/loop.h"
#include "gateway/tls.h"

enum { ACCEPT_PAUSE_MS = 100, DRAIN_IDLE_MS = 500 };

/* How many connections one address has; there only while it has some. */
struct address_count {
	struct address_count *next;
	uint32_t bucket;
	uint32_t count;
	char address[INET6_ADDRSTRLEN];
};

static void ignore_event(struct worker *w, struct source *source, uint32_t events)
{
	(void)w;
	(void)source;
	(void)events;
}

/* ── connections per address ──────────────────────────────────────────────────────────────────────── */

static struct address_count *count_address(struct worker *w, const char *address)
{
	uint32_t bucket =
		(uint32_t)(hash_keyed(w->hash_key, address, strlen(address)) % ADDRESS_BUCKETS);
	struct address_count *a = w->addresses[bucket];
	while (a && strcmp(a->address, address) != 0)
		a = a->next;
	if (!a) {
		a = slab_take(&w->address_counts);
		text_copy(a->address, sizeof(a->address), address);
		a->bucket = bucket;
		a->next = w->addresses[bucket];
		w->addresses[bucket] = a;
	}
	a->count++;
	return a;
}

static void uncount_address(struct worker *w, struct address_count *a)
{
	if (!a || --a->count)
		return;
	struct address_count **at = &w->addresses[a->bucket];
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	slab_give(&w->address_counts, a);
}

/* ── one connection ───────────────────────────────────────────────────────────────────────────────── */

static void unlink_again(struct worker *w, struct client *c)
{
	if (!c->queued_again)
		return;
	struct client **at = &w->again;
	while (*at && *at != c)
		at = &(*at)->again;
	if (!*at)
		at = &w->again_now;
	while (*at != c)
		at = &(*at)->again;
	*at = c->again;
	c->queued_again = false;
}

static void set_busy(struct worker *w, struct client *c)
{
	if (!c->idle)
		return;
	*(c->idle_prev ? &c->idle_prev->idle_next : &w->idle_first) = c->idle_next;
	*(c->idle_next ? &c->idle_next->idle_prev : &w->idle_last) = c->idle_prev;
	c->idle = false;
}

static void set_idle(struct worker *w, struct client *c)
{
	if (c->idle)
		return;
	c->idle = true;
	c->idle_since_ms = w->now_ms;
	c->idle_next = NULL;
	c->idle_prev = w->idle_last;
	*(w->idle_last ? &w->idle_last->idle_next : &w->idle_first) = c;
	w->idle_last = c;
}

static void close_connection(struct worker *w, struct client *c)
{
	if (c->http2)
		http2_free(w, c);
	tls_say_end(c);
	tls_free(w, c);
	if (c->abort)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
			   sizeof(struct linger));
	close(c->fd);
	uncount_address(w, c->from);
	w->client_count--;
	account_worker(w, COUNTERS_WORKER_CLOSED);
	counters_set(&w->block->connections, w->client_count);
}

void client_close(struct worker *w, struct client *c)
{
	ASSERT(!c->x && !c->closed);
	timer_stop(&w->wheel, &c->timer);
	set_busy(w, c);
	if (c->stream)
		http2_stream_left(w, c);
	else
		close_connection(w, c);
	unlink_again(w, c);
	buffer_give(&w->buffers, c->surplus);
	c->closed = true;
	c->source.event = ignore_event;
	if (c->prev)
		c->prev->next = c->next;
	else
		w->all_clients = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->next = w->dead_clients;
	w->dead_clients = c;
	worker_accept_more(w);
}

int client_take(struct worker *w, struct client *c, struct flow *f)
{
	if (c->stream)
		return http2_take(w, c, f);
	return c->tls ? tls_receive(w, c, f) : flow_receive(f, &w->buffers, c->fd);
}

int client_put(struct worker *w, struct client *c, struct flow *f, char *head, uint32_t head_size)
{
	if (c->stream)
		return http2_put(w, c, f, head, head_size);
	return c->tls ? tls_send(w, c, f, head, head_size)
		      : flow_send(f, &w->buffers, c->fd, head, head_size);
}

int client_write(struct client *c, const char *data, uint32_t size)
{
	if (c->tls)
		return tls_write(c, data, size);
	ssize_t put = send(c->fd, data, size, MSG_NOSIGNAL);
	if (put < 0)
		return errno == EAGAIN || errno == EINTR ? FLOW_WAIT : FLOW_ERROR;
	return (int)put;
}

/* Throw away what still comes, so that the answer before it arrives. */
static void linger(struct worker *w, struct client *c)
{
	while (c->readable) {
		ssize_t got = recv(c->fd, w->scratch, SCRATCH_SIZE, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN) {
			c->readable = false;
			return;
		}
		if (got <= 0) {
			client_close(w, c);
			return;
		}
	}
}

static void start_linger(struct worker *w, struct client *c)
{
	c->lingering = true;
	shutdown(c->fd, SHUT_WR);
	timer_set(&w->wheel, &c->timer, w->now_ms + CLIENT_LINGER_MS);
}

void client_exchange_over(struct worker *w, struct client *c, bool keep, bool clean)
{
	c->used = true;
	if (c->stream) {
		http2_stream_over(w, c);
		return;
	}
	if (keep) {
		uint32_t idle_ms =
			w->live ? w->live->table->limits.client_idle_ms : CLIENT_LINGER_MS;
		if (w->draining)
			idle_ms = DRAIN_IDLE_MS;
		timer_set(&w->wheel, &c->timer, w->now_ms + idle_ms);
		return;
	}
	if (clean && !c->readable) {
		client_close(w, c);
		return;
	}
	tls_say_end(c);
	start_linger(w, c);
}

/* True when requests can be read. */
static bool secured(struct worker *w, struct client *c)
{
	switch (tls_handshake(w, c)) {
	case 1:
		if (w->draining)
			c->fresh_until_ms = w->now_ms + DRAIN_IDLE_MS;
		return !tls_speaks_http2(c) || http2_begin(w, c, NULL, 0);
	case FLOW_WAIT: return false;
	case FLOW_END: start_linger(w, c); return false;
	default: client_close(w, c); return false;
	}
}

/* One with requests under way is looked after by their timers, but before the head of one is whole and behind its last byte
 * there is none; and an idle one by its own. */
static void drive_http2(struct worker *w, struct client *c)
{
	http2_drive(w, c);
	if (c->closed || c->lingering)
		return;
	if (http2_busy(c->http2)) {
		uint64_t until_ms = http2_until(w, c->http2);
		if (until_ms)
			timer_set(&w->wheel, &c->timer, until_ms);
		else
			timer_stop(&w->wheel, &c->timer);
		set_busy(w, c);
	} else if (!c->idle && c->http2->used) {
		timer_set(&w->wheel, &c->timer,
			  w->now_ms + (w->live ? w->live->table->limits.client_idle_ms
					       : CLIENT_LINGER_MS));
		set_idle(w, c);
	}
}

void client_drive(struct worker *w, struct client *c)
{
	for (int i = 0; i < CLIENT_REQUEST_BUDGET; i++) {
		if (c->closed)
			return;
		if (c->lingering) {
			linger(w, c);
			return;
		}
		if (c->tls && !c->secure && !secured(w, c))
			return;
		if (c->http2) {
			drive_http2(w, c);
			return;
		}
		if (!c->x) {
			if (!c->readable && !c->surplus) {
				set_idle(w, c);
				return;
			}
			set_busy(w, c);
			exchange_new(w, c);
		}
		if (exchange_drive(w, c->x) == TURN_BLOCKED)
			return;
	}
	worker_again(w, c);
}

static void client_event(struct worker *w, struct source *source, uint32_t events)
{
	struct client *c = (struct client *)source;
	/* Both sides of a connection of TCP may have ended while bytes are still to be read. */
	bool lost = events & EPOLLERR || (events & EPOLLHUP && !(c->x && c->x->tcp));
	if (lost) {
		if (c->x)
			exchange_cancel(w, c->x);
		else
			client_close(w, c);
		return;
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
		c->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP))
		c->peer_ended = true;
	if (events & EPOLLOUT)
		c->writable = true;
	if (c->tls) /* either way may have waited for the other */
		c->readable = c->writable = true;
	client_drive(w, c);
}

static void client_timer(struct worker *w, struct timer *timer)
{
	struct client *c = (struct client *)((char *)timer - offsetof(struct client, timer));
	if (!c->x) {
		if (c->tls && !c->secure)
			account_worker(w, COUNTERS_WORKER_TLS_FAILED);
		if (c->http2)
			http2_timeout(w, c->http2);
		client_close(w, c);
		return;
	}
	if (exchange_timer(w, c->x) != TURN_BLOCKED)
		client_drive(w, c);
}

/* ── accepting ────────────────────────────────────────────────────────────────────────────────────── */

static void name_peer(struct client *c, const struct sockaddr_storage *peer)
{
	const void *bytes = NULL;
	if (peer->ss_family == AF_INET)
		bytes = &((const struct sockaddr_in *)peer)->sin_addr;
	else if (peer->ss_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)peer)->sin6_addr;
	if (!bytes || !inet_ntop(peer->ss_family, bytes, c->address, sizeof(c->address)))
		text_copy(c->address, sizeof(c->address), "unix");
}

static struct client *new_client(struct worker *w, struct listener *l, int fd)
{
	struct client *c = slab_take(&w->clients);
	c->source.event = client_event;
	c->timer.fire = client_timer;
	c->listener = l;
	c->fd = fd;
	c->readable = c->writable = true; /* the request is often there already */
	c->next = w->all_clients;
	if (c->next)
		c->next->prev = c;
	w->all_clients = c;
	return c;
}

struct client *client_of_stream(struct worker *w, struct http2_stream *s)
{
	const struct client *connection = s->http2->client;
	struct client *c = new_client(w, connection->listener, -1);
	text_copy(c->address, sizeof(c->address), connection->address);
	c->stream = s;
	return c;
}

struct client *client_connection(struct client *c)
{
	return c->stream ? c->stream->http2->client : c;
}

static void take_client(struct worker *w, struct listener *l, int fd,
			const struct sockaddr_storage *peer)
{
	int one = 1;
	struct client *c = new_client(w, l, fd);
	name_peer(c, peer);
	w->client_count++;
	account_worker(w, COUNTERS_WORKER_ACCEPTED);
	counters_set(&w->block->connections, w->client_count);
	const struct table_limits *limits = &w->live->table->limits;
	timer_set(&w->wheel, &c->timer, w->now_ms + limits->header_ms);
	if (limits->per_address_max) {
		c->from = count_address(w, c->address);
		if (c->from->count > limits->per_address_max) {
			account_worker(w, COUNTERS_WORKER_REFUSED);
			client_close(w, c);
			return;
		}
	}
	if (peer->ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.ptr = &c->source};
	if (!tls_accept(w, c) || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		client_close(w, c);
		return;
	}
	client_drive(w, c);
}

static bool room_for_clients(const struct worker *w)
{
	return w->client_count < w->live->table->limits.connections_max &&
	       !buffers_scarce(&w->buffers);
}

/* The client that has been idle longest makes room for one that waits. */
static void shed(struct worker *w, const struct listener *l)
{
	struct client *c = w->idle_first;
	struct pollfd waiting = {.fd = l->fd, .events = POLLIN};
	if (c && poll(&waiting, 1, 0) == 1 &&
	    w->client_count >= w->live->table->limits.connections_max &&
	    w->now_ms >= c->idle_since_ms + CLIENT_SHED_MS)
		client_close(w, c);
}

static void watch(struct worker *w, struct listener *l, bool on)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = &l->source};
	if (l->watched == on)
		return;
	if (epoll_ctl(w->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->fd, &event) == 0)
		l->watched = on;
}

static void pause_accept(struct worker *w)
{
	w->accept_paused = true;
	for (struct listener *l = w->listeners; l; l = l->next)
		watch(w, l, false);
	timer_set(&w->wheel, &w->accept_timer, w->now_ms + ACCEPT_PAUSE_MS);
}

static void resume_accept(struct worker *w)
{
	timer_stop(&w->wheel, &w->accept_timer);
	w->accept_paused = false;
	for (struct listener *l = w->listeners; l; l = l->next)
		watch(w, l, l->index >= 0);
}

void worker_accept_more(struct worker *w)
{
	if (w->accept_paused && !w->draining && room_for_clients(w))
		resume_accept(w);
}

/* Room or not: if somebody waits, an idle client may make room. */
static void accept_timer(struct worker *w, struct timer *timer)
{
	(void)timer;
	if (!w->draining)
		resume_accept(w);
}

static void listener_event(struct worker *w, struct source *source, uint32_t events)
{
	struct listener *l = (struct listener *)source;
	(void)events;
	for (int i = 0; i < CLIENT_ACCEPT_BUDGET && l->watched; i++) {
		struct sockaddr_storage peer = {.ss_family = AF_UNIX};
		socklen_t size = sizeof(peer);
		if (!room_for_clients(w))
			shed(w, l);
		if (!room_for_clients(w)) {
			pause_accept(
				w); /* they wait in the system's queue, for another worker too */
			return;
		}
		int fd = accept4(l->fd, (struct sockaddr *)&peer, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_client(w, l, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			account_worker(w, COUNTERS_WORKER_REFUSED);
			pause_accept(w);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static struct listener *find_listener(struct worker *w, const char *address)
{
	for (struct listener *l = w->listeners; l; l = l->next)
		if (strcmp(l->address, address) == 0)
			return l;
	struct listener *l = mem_zero(1, sizeof(*l));
	text_copy(l->address, sizeof(l->address), address);
	l->source.event = listener_event;
	l->fd = -1;
	l->next = w->listeners;
	w->listeners = l;
	return l;
}

void client_init(struct worker *w)
{
	slab_init(&w->address_counts, sizeof(struct address_count), sizeof(struct address_count));
	w->accept_timer.fire = accept_timer;
}

void client_done(struct worker *w)
{
	slab_done(&w->address_counts);
	while (w->listeners) {
		struct listener *l = w->listeners;
		w->listeners = l->next;
		free(l);
	}
}

void client_listen(struct worker *w)
{
	const struct gateway_table *t = w->live->table;
	for (struct listener *l = w->listeners; l; l = l->next)
		l->index = -1;
	for (uint32_t i = 0; i < t->listener_count; i++) {
		struct listener *l = find_listener(w, t->listeners[i].address);
		l->index = (int)i;
		if (l->fd != w->live->listener_fds[i])
			watch(w, l, false);
		l->fd = w->live->listener_fds[i];
	}
	for (struct listener *l = w->listeners; l; l = l->next)
		watch(w, l, l->index >= 0 && !w->accept_paused && !w->draining);
}

void client_listen_stop(struct worker *w)
{
	for (struct listener *l = w->listeners; l; l = l->next)
		watch(w, l, false);
}
