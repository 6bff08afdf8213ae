/* SPDX-License-Identifier: Apache-2.0
 *
 * worker - see worker.h for the contract.
 *
 * A batch of events, then the timers, then those clients whose turn was over, then what the link brought
 * about, then the closed objects' memory: in this order nothing is touched after it was freed.
 */
#include "gateway/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "gateway/access_log.h"
#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/http2.h"
#include "gateway/http2_upstream.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/pairing.h"
#include "gateway/queue.h"
#include "gateway/room.h"
#include "gateway/tls_site.h"
#include "gateway/tunnel.h"
#include "gateway/upstream.h"
#include "os/clock.h"
#include "os/random.h"

enum { EVENTS_MAX = 128, BEAT_MS = 250, DRAIN_STEP_MS = 20 };

struct link_source {
	struct source source;
	struct worker_link *link;
};

uint64_t worker_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t worker_random(struct worker *w)
{
	if (!w->random_left) {
		random_bytes(w->random, sizeof(w->random));
		w->random_left = RANDOM_POOL;
	}
	return w->random[--w->random_left];
}

void worker_again(struct worker *w, struct client *c)
{
	if (c->queued_again || c->closed)
		return;
	c->queued_again = true;
	c->again = w->again;
	w->again = c;
}

void worker_refresh(struct worker *w)
{
	uint64_t active = counters_active(w->counters);
	if (!w->live || w->live->table->generation != active)
		live_activate(w, active);
}

static int link_prepare(void *worker, struct gateway_table *table, const int *listener_fds,
			bool saved, struct error *err)
{
	return live_prepare(worker, table, listener_fds, saved, err);
}

static void link_commit(void *worker, uint64_t generation)
{
	struct worker *w = worker;
	worker_refresh(w);
	ASSERT(w->live && w->live->table->generation >= generation);
	client_listen(w);
}

/* Again with other times when whoever waited for clients is to end. */
static void link_drain(void *worker, uint32_t deadline_ms, uint32_t idle_ms)
{
	struct worker *w = worker;
	w->drain_until_ms = w->now_ms + deadline_ms;
	w->drain_idle_ms = w->now_ms + idle_ms;
	if (w->draining) {
		tunnel_recall_again(w);
		return;
	}
	w->draining = true;
	client_listen_stop(w);
	for (uint32_t i = 0; i < COUNTERS_BACKENDS; i++)
		if (w->backends[i])
			upstream_close_idle(w, w->backends[i]);
	for (struct client *c = w->all_clients; c; c = c->next)
		if (c->http2)
			http2_ask_to_leave(w, c);
	tunnel_recall_all(w);
}

static void close_idle_clients(struct worker *w)
{
	struct client *next;
	for (struct client *c = w->all_clients; c; c = next) {
		next = c->next;
		bool shakes = c->tls && !c->secure; /* its timer looks after that */
		if (c->x || c->lingering || shakes || w->now_ms < c->fresh_until_ms)
			continue;
		if (c->http2)
			http2_leave(w, c);
		else if (!c->stream)
			client_close(w, c);
	}
}

static void close_all_clients(struct worker *w)
{
	while (w->all_clients) {
		struct client *c = w->all_clients;
		if (c->x)
			exchange_cancel(w, c->x);
		else
			client_close(w, c);
	}
}

/* Who retires gets no tables any more. Once there is a newer one, what an idle client asks next is for who has it: here
 * it would go to instances that may be gone. */
static void end_idle_of_the_past(struct worker *w)
{
	uint64_t soon_ms = w->now_ms + WORKER_LINK_IDLE_MS;
	if (w->live && counters_active(w->counters) > w->live->table->generation &&
	    soon_ms < w->drain_idle_ms)
		w->drain_idle_ms = soon_ms;
}

/* True when the worker may end. */
static bool drained(struct worker *w)
{
	if (!w->draining)
		return false;
	end_idle_of_the_past(w);
	if (w->now_ms >= w->drain_idle_ms)
		close_idle_clients(w);
	if (w->now_ms >= w->drain_until_ms)
		close_all_clients(w);
	return w->client_count == 0 &&
	       (w->shadows_in_flight == 0 || w->now_ms >= w->drain_until_ms);
}

static void run_again(struct worker *w)
{
	w->again_now = w->again;
	w->again = NULL;
	while (w->again_now) {
		struct client *c = w->again_now;
		w->again_now = c->again;
		c->queued_again = false;
		client_drive(w, c);
	}
}

static void bury(struct worker *w)
{
	while (w->dead_clients) {
		struct client *c = w->dead_clients;
		w->dead_clients = c->next;
		slab_give(&w->clients, c);
	}
	while (w->dead_upstreams) {
		struct upstream *up = w->dead_upstreams;
		w->dead_upstreams = up->next;
		slab_give(&w->upstreams, up);
	}
}

static void turn(struct worker *w)
{
	struct epoll_event events[EVENTS_MAX];
	uint32_t sleep_ms =
		w->again || w->queues_due ? 0 : wheel_sleep_ms(&w->wheel, w->now_ms, BEAT_MS);
	if (w->draining && w->now_ms + BEAT_MS >= w->drain_idle_ms && sleep_ms > DRAIN_STEP_MS)
		sleep_ms = DRAIN_STEP_MS;
	int count = epoll_wait(w->epoll_fd, events, EVENTS_MAX, (int)sleep_ms);
	ASSERT(count >= 0 || errno == EINTR);
	w->now_ms = clock_now_ms();
	counters_set(&w->block->beat_ms, w->now_ms);
	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;
		source->event(w, source, events[i].events);
	}
	wheel_turn(&w->wheel, w, w->now_ms);
	if (w->again)
		run_again(w);
	if (w->table_changed) {
		w->table_changed = false;
		room_turn_all(w);
		tunnel_recall_all(w);
		w->queues_due = true;
	}
	if (w->queues_due)
		queue_turn_all(w);
	bury(w);
}

static void link_event(struct worker *w, struct source *source, uint32_t events)
{
	struct link_source *l = (struct link_source *)source;
	(void)w;
	(void)events;
	worker_link_turn(l->link);
}

static struct worker *new_worker(const struct worker_setup *setup)
{
	struct worker *w = mem_zero(1, sizeof(*w));
	w->index = setup->index;
	w->worker_count = setup->counters->worker_count;
	w->counters = setup->counters;
	w->block = setup->block;
	w->now_ms = clock_now_ms();
	wheel_init(&w->wheel, w->now_ms);
	slab_init(&w->clients, sizeof(struct client), sizeof(struct client));
	slab_init(&w->exchanges, sizeof(struct exchange), offsetof(struct exchange, head));
	slab_init(&w->upstreams, sizeof(struct upstream), sizeof(struct upstream));
	slab_init(&w->shadows, sizeof(struct shadow), offsetof(struct shadow, answer));
	slab_init(&w->pairings, sizeof(struct pairing), sizeof(struct pairing));
	w->state_fd = setup->state_fd;
	w->tell_fd = -1;
	client_init(w);
	tls_init(w);
	http2_init(w);
	http2_upstream_init(w);
	random_bytes(w->hash_key, sizeof(w->hash_key));
	access_log_init(w, setup->access_log_fd);
	return w;
}

static void free_worker(struct worker *w)
{
	access_log_flush(w);
	for (uint32_t i = 0; i < COUNTERS_BACKENDS; i++)
		if (w->backends[i])
			upstream_close_idle(w, w->backends[i]);
	bury(w);
	live_done(w);
	bury(w);
	room_done_all(w);
	queue_done_all(w);
	client_done(w);
	http2_done(w);
	http2_upstream_done(w);
	slab_done(&w->clients);
	slab_done(&w->exchanges);
	slab_done(&w->upstreams);
	slab_done(&w->shadows);
	slab_done(&w->pairings);
	pairing_done(w);
	buffers_done(&w->buffers);
	close(w->epoll_fd);
	free(w);
}

int gateway_worker_run(const struct worker_setup *setup, struct error *err)
{
	static const struct worker_link_ops ops = {
		.prepare = link_prepare, .commit = link_commit, .drain = link_drain};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		return error_errno(err, errno, "The gateway worker cannot watch its connections");
	struct link_source link = {.source.event = link_event, .link = setup->link};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &link.source};
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, worker_link_fd(setup->link), &event) != 0) {
		close(epoll_fd);
		return error_errno(err, errno, "The gateway worker cannot watch its supervisor");
	}
	struct worker *w = new_worker(setup);
	w->epoll_fd = epoll_fd;
	worker_link_start(setup->link, &ops, w);
	while (!drained(w))
		turn(w);
	free_worker(w);
	return 0;
}
