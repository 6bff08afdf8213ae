/* SPDX-License-Identifier: Apache-2.0
 * A worker for the supervisor's tests: it answers every request with its table's generation, and does
 * what the first release's tag tells it: "refuse" a table when it is prepared, or "hang" then. */
#include "supervisor_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/worker.h"

enum { CLIENTS_MAX = 1024, EVENTS_MAX = 64 };

struct scripted {
	const struct worker_setup *setup;
	int epoll_fd;
	struct gateway_table *current, *prepared;
	int listeners[TABLE_LISTENERS_MAX], coming[TABLE_LISTENERS_MAX];
	uint32_t listener_count;
	int clients; /* descriptors */
	bool draining;
	uint64_t deadline_ms;
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int on_prepare(void *worker, struct gateway_table *table, const int *fds, bool saved,
		      struct error *err)
{
	struct scripted *w = worker;
	(void)saved;
	const char *tag = table->release_count ? table->releases[0].tag : "";
	while (strcmp(tag, "hang") == 0)
		pause();
	if (strcmp(tag, "refuse") == 0 || getenv("KIT_REFUSES")) {
		table_free(table);
		return error_set(err, ERR_INVALID, "The script says no.");
	}
	table_free(w->prepared);
	w->prepared = table;
	memcpy(w->coming, fds, sizeof(int) * table->listener_count);
	return 0;
}

static void watch(struct scripted *w, int fd, uint32_t kind)
{
	struct epoll_event event = {.events = EPOLLIN,
				    .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd};
	epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void stop_listening(struct scripted *w)
{
	for (uint32_t i = 0; i < w->listener_count; i++)
		epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, w->listeners[i], NULL);
	w->listener_count = 0;
}

static void use_prepared(struct scripted *w)
{
	if (!w->prepared || w->prepared->generation != counters_active(w->setup->counters))
		return;
	table_free(w->current);
	w->current = w->prepared;
	w->prepared = NULL;
	stop_listening(w);
	w->listener_count = w->current->listener_count;
	memcpy(w->listeners, w->coming, sizeof(int) * w->listener_count);
	for (uint32_t i = 0; i < w->listener_count; i++)
		watch(w, w->listeners[i], 1);
	counters_set(&w->setup->block->seen, w->current->generation);
	counters_set(&w->setup->block->oldest, w->current->generation);
}

static void on_commit(void *worker, uint64_t generation)
{
	(void)generation;
	use_prepared(worker);
}

static void on_drain(void *worker, uint32_t deadline_ms, uint32_t idle_ms)
{
	struct scripted *w = worker;
	(void)idle_ms;
	w->draining = true;
	w->deadline_ms = now_ms() + deadline_ms;
	stop_listening(w);
}

static const struct worker_link_ops ops = {
	.prepare = on_prepare, .commit = on_commit, .drain = on_drain};

static void serve(struct scripted *w, int fd)
{
	char request[4096], answer[256], body[64];
	ssize_t n = recv(fd, request, sizeof request, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		close(fd);
		w->clients--;
		return;
	}
	use_prepared(w);
	int size = snprintf(body, sizeof body, "%llu %u",
			    (unsigned long long)w->current->generation, w->setup->index);
	size = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s",
			size, w->draining ? "Connection: close\r\n" : "", body);
	counters_count(w->setup->block, 0, 0, COUNTERS_RELEASE_STARTED, 1);
	counters_count(w->setup->block, 0, 0, COUNTERS_RELEASE_COMPLETED, 1);
	if (send(fd, answer, (size_t)size, MSG_NOSIGNAL) != size || w->draining) {
		close(fd);
		w->clients--;
	}
}

int gateway_worker_run(const struct worker_setup *setup, struct error *err)
{
	struct scripted w = {.setup = setup, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	(void)err;
	worker_link_start(setup->link, &ops, &w);
	watch(&w, worker_link_fd(setup->link), 0);
	while (!w.draining || (w.clients > 0 && now_ms() < w.deadline_ms)) {
		struct epoll_event events[EVENTS_MAX];
		int count = epoll_wait(w.epoll_fd, events, EVENTS_MAX, w.draining ? 20 : 200);
		counters_set(&setup->block->beat_ms, now_ms());
		for (int i = 0; i < count; i++) {
			int fd = (int)(uint32_t)events[i].data.u64;
			uint64_t kind = events[i].data.u64 >> 32;
			if (kind == 0) {
				worker_link_turn(setup->link);
			} else if (kind == 2) {
				serve(&w, fd);
			} else {
				int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
				if (client >= 0) {
					w.clients++;
					watch(&w, client, 2);
				}
			}
		}
	}
	table_free(w.current);
	table_free(w.prepared);
	close(w.epoll_fd);
	return 0;
}
