/* SPDX-License-Identifier: Apache-2.0
 *
 * upstream - see upstream.h for the contract.
 *
 * A UNIX socket whose queue is full refuses with EAGAIN instead of waiting, as TCP does: we ask again every
 * few milliseconds until the connect timeout.
 */
#include "gateway/upstream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/histogram.h"
#include "gateway/http2_call.h"
#include "gateway/live.h"
#include "gateway/loop.h"

static void upstream_event(struct worker *w, struct source *source, uint32_t events);
static void upstream_timer(struct worker *w, struct timer *timer);

static void ignore_event(struct worker *w, struct source *source, uint32_t events)
{
	(void)w;
	(void)source;
	(void)events;
}

void upstream_close(struct worker *w, struct upstream *up)
{
	timer_stop(&w->wheel, &up->timer);
	close(up->fd);
	up->closed = true;
	up->source.event = ignore_event; /* events of this batch may still name it */
	up->next = w->dead_upstreams;
	w->dead_upstreams = up;
	up->backend->connections--;
	backend_unref(w, up->backend);
}

static struct upstream **idle_list(struct backend *b, bool apart)
{
	return apart ? &b->idle_apart : &b->idle;
}

static void unlink_idle(struct upstream *up)
{
	struct upstream **at = idle_list(up->backend, up->apart);
	while (*at != up)
		at = &(*at)->next;
	*at = up->next;
}

void upstream_close_idle(struct worker *w, struct backend *backend)
{
	backend->refs++;
	http2_upstream_close_idle(backend);
	for (int apart = 0; apart < 2; apart++) {
		struct upstream **list = idle_list(backend, apart);
		while (*list) {
			struct upstream *up = *list;
			*list = up->next;
			upstream_close(w, up);
		}
	}
	backend_unref(w, backend);
}

void upstream_release(struct worker *w, struct upstream *up, bool reusable)
{
	struct backend *b = up->backend;
	backend_gave(w, b);
	if (up->call) {
		http2_call_release(w, up->call);
		backend_unref(w, b);
		return;
	}
	bool wanted = b->entry && b->entry->ready && !w->draining;
	if (!reusable || !wanted) {
		upstream_close(w, up);
		return;
	}
	up->drive = NULL;
	up->fail = NULL;
	up->user = NULL;
	up->sent = false;
	up->reused = true;
	struct upstream **list = idle_list(b, up->apart);
	up->next = *list;
	*list = up;
	timer_set(&w->wheel, &up->timer, w->now_ms + UPSTREAM_IDLE_MS);
}

void upstream_deadline(struct worker *w, struct upstream *up, uint32_t after_ms)
{
	timer_set(&w->wheel, &up->timer, w->now_ms + after_ms);
}

static void connected(struct upstream *up)
{
	up->connecting = false;
	up->writable = true;
	counters_add(&up->backend->values[COUNTERS_BACKEND_CONNECTS], 1);
	up->connect_us = worker_now_us() - up->connect_us;
}

/* True when a connection is there or on its way. */
static bool try_connect(struct worker *w, struct upstream *up)
{
	const struct backend *b = up->backend;
	if (connect(up->fd, (const struct sockaddr *)&b->socket, b->socket_size) == 0) {
		connected(up);
		return true;
	}
	if (errno == EAGAIN) {
		timer_set(&w->wheel, &up->timer, w->now_ms + UPSTREAM_AGAIN_MS);
		return true;
	}
	if (errno != EINPROGRESS)
		return false;
	timer_set(&w->wheel, &up->timer, up->connect_until_ms);
	return true;
}

/* Whether there may be one more. A copy displaces nothing. */
static bool make_room(struct worker *w, struct backend *b, bool apart)
{
	struct upstream *idle = b->idle_apart ? b->idle_apart : b->idle;
	if (b->connections >= b->connections_max && !apart && idle) {
		unlink_idle(idle);
		upstream_close(w, idle);
	}
	return b->connections < b->connections_max;
}

static int new_upstream(struct worker *w, struct backend *b, const struct upstream_user *user,
			struct upstream **ret_up)
{
	if (!make_room(w, b, user->apart))
		return ERR_LIMIT;
	int fd = socket(b->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_LIMIT;
	int one = 1;
	if (b->socket.ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct upstream *up = slab_take(&w->upstreams);
	up->source.event = upstream_event;
	up->timer.fire = upstream_timer;
	up->backend = b;
	up->fd = fd;
	up->apart = user->apart;
	up->connecting = true;
	up->connect_us = worker_now_us();
	up->connect_until_ms = w->now_ms + user->connect_ms;
	b->refs++;
	b->connections++;
	if (!try_connect(w, up)) {
		upstream_close(w, up);
		return ERR_UNAVAILABLE;
	}
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.ptr = &up->source};
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		upstream_close(w, up);
		return ERR_LIMIT;
	}
	*ret_up = up;
	return 0;
}

int upstream_connect(struct worker *w, struct backend *b, const struct upstream_user *user,
		     struct upstream **ret_up)
{
	int failed = new_upstream(w, b, user, ret_up);
	if (failed)
		return failed;
	(*ret_up)->drive = user->drive;
	(*ret_up)->fail = user->fail;
	(*ret_up)->user = user->user;
	return 0;
}

/* Whether an idle connection has neither ended nor something to say. */
static bool quiet(const struct upstream *up)
{
	char byte;
	return recv(up->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static int take_http1(struct worker *w, struct backend *backend, const struct upstream_user *user,
		      struct upstream **ret_up)
{
	struct upstream *up = NULL;
	struct upstream **list = idle_list(backend, user->apart);
	while (!user->fresh && *list) {
		up = *list;
		*list = up->next;
		if (!user->proven || quiet(up))
			break;
		upstream_close(w, up);
		up = NULL;
	}
	if (up) {
		up->readable = false;
		up->drive = user->drive;
		up->fail = user->fail;
		up->user = user->user;
		*ret_up = up;
		return 0;
	}
	return upstream_connect(w, backend, user, ret_up);
}

int upstream_take(struct worker *w, struct backend *backend, const struct upstream_user *user,
		  struct upstream **ret_up)
{
	int failed = backend->http2 ? http2_upstream_take(w, backend, user, ret_up)
				    : take_http1(w, backend, user, ret_up);
	if (!failed)
		backend_took(backend);
	return failed;
}

int upstream_send(struct worker *w, struct upstream *up, struct flow *f, char *head,
		  uint32_t head_size)
{
	return up->call ? http2_call_send(w, up->call, f, head, head_size)
			: flow_send(f, &w->buffers, up->fd, head, head_size);
}

int upstream_receive(struct worker *w, struct upstream *up, struct flow *f)
{
	return up->call ? http2_call_receive(w, up->call, f) : flow_receive(f, &w->buffers, up->fd);
}

static void idle_event(struct worker *w, struct upstream *up, uint32_t events)
{
	/* An event of bytes that were already read with the last answer may still come. */
	if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && (!(events & EPOLLIN) || quiet(up)))
		return;
	unlink_idle(up);
	upstream_close(w, up);
}

static void upstream_event(struct worker *w, struct source *source, uint32_t events)
{
	struct upstream *up = (struct upstream *)source;
	if (!up->drive) {
		idle_event(w, up, events);
		return;
	}
	if (up->connecting) {
		int failed = 0;
		socklen_t size = sizeof(failed);
		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		getsockopt(up->fd, SOL_SOCKET, SO_ERROR, &failed, &size);
		if (failed) {
			up->fail(w, up, FAILURE_CONNECT);
			return;
		}
		struct sockaddr_storage peer;
		size = sizeof(peer);
		if (getpeername(up->fd, (struct sockaddr *)&peer, &size) != 0)
			return; /* a UNIX socket that still waits for its place in the queue */
		connected(up);
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		up->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		up->peer_ended = true;
	if (events & (EPOLLOUT | EPOLLERR))
		up->writable = true;
	up->drive(w, up);
}

static void upstream_timer(struct worker *w, struct timer *timer)
{
	struct upstream *up = (struct upstream *)((char *)timer - offsetof(struct upstream, timer));
	if (!up->drive) {
		unlink_idle(up);
		upstream_close(w, up);
		return;
	}
	if (!up->connecting) {
		up->fail(w, up, FAILURE_TIMEOUT);
		return;
	}
	bool waits = up->backend->socket.ss_family == AF_UNIX;
	if (w->now_ms < up->connect_until_ms && waits && try_connect(w, up)) {
		if (!up->connecting)
			up->drive(w, up);
		return;
	}
	up->fail(w, up, FAILURE_CONNECT);
}
