/* SPDX-License-Identifier: Apache-2.0
 *
 * rig - see rig.h. The worker's link to its supervisor is this file's own: the test's orders go through an
 *       eventfd, as the real one's go through a socket.
 */
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../link/gateway_example.h"
#include "gateway/worker.h"
#include "link/shadow_pair.h"
#include "os/clock.h"

/* ── the link's other end ─────────────────────────────────────────────────────────────────────────── */

struct worker_link {
	pthread_mutex_t lock;
	int event_fd;
	const struct worker_link_ops *ops;
	void *worker;
	struct gateway_table *table; /* to be prepared and committed */
	bool drain;
	uint32_t idle_ms; /* how long idle clients stay */
	uint32_t deadline_ms;
	int listener_fd;
	struct counters *counters;
	int result;
	struct error err;
};

static struct worker_link the_link;

void worker_link_start(struct worker_link *link, const struct worker_link_ops *ops, void *worker)
{
	link->ops = ops;
	link->worker = worker;
}

int worker_link_fd(const struct worker_link *link)
{
	return link->event_fd;
}

void worker_link_turn(struct worker_link *link)
{
	uint64_t value;
	ssize_t got = read(link->event_fd, &value, sizeof(value));
	(void)got;
	pthread_mutex_lock(&link->lock);
	struct gateway_table *table = link->table;
	bool drain = link->drain;
	link->table = NULL;
	link->drain = false;
	pthread_mutex_unlock(&link->lock);
	if (table) {
		uint64_t generation = table->generation;
		link->result = link->ops->prepare(link->worker, table, &link->listener_fd, false,
						  &link->err);
		if (link->result == 0) {
			counters_commit(link->counters, generation);
			link->ops->commit(link->worker, generation);
		}
	}
	if (drain)
		link->ops->drain(link->worker, link->deadline_ms, link->idle_ms);
}

static void wake(void)
{
	uint64_t one = 1;
	assert_int_equal(write(the_link.event_fd, &one, sizeof(one)), sizeof(one));
}

static void *run(void *context)
{
	struct rig *rig = context;
	struct error err;
	struct worker_setup setup = {.link = &the_link,
				     .counters = rig->counters,
				     .block = counters_attach(rig->counters, 0, 1),
				     .access_log_fd = rig->log_fds[1],
				     .state_fd = rig->state_fd};
	int result = gateway_worker_run(&setup, &err);
	return (void *)(intptr_t)result;
}

/* ── starting and stopping ────────────────────────────────────────────────────────────────────────── */

static int listen_somewhere(char address[TABLE_ADDRESS_SIZE])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(fd, 256), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(address, TABLE_ADDRESS_SIZE, "127.0.0.1:%u", ntohs(at.sin_port));
	return fd;
}

struct rig *rig_start(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	size_t size = counters_size(1);
	signal(SIGPIPE, SIG_IGN);
	rig->counters = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(rig->counters != MAP_FAILED);
	counters_format(rig->counters, 1, 1, 1, "here");
	rig->listen_fd = listen_somewhere(rig->address);
	for (int i = 0; i < RIG_BACKENDS; i++)
		rig->backend_fds[i] = listen_somewhere(rig->backend_addresses[i]);
	assert_int_equal(pipe(rig->log_fds), 0);
	strcpy(rig->state, "/tmp/davit-rig.XXXXXX");
	assert_non_null(mkdtemp(rig->state));
	rig->state_fd = open(rig->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rig->table = example_table(rig->address, rig->backend_addresses[0],
				   rig->backend_addresses[1], rig->backend_addresses[2]);
	rig->table->releases[0].weight_bp = 0;
	rig->table->releases[1].weight_bp = 10000;
	rig->table->generation = 0;
	the_link = (struct worker_link){.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
					.counters = rig->counters,
					.listener_fd = rig->listen_fd};
	pthread_mutex_init(&the_link.lock, NULL);
	assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
	rig_apply(rig);
	return rig;
}

struct rig *rig_start_one(void)
{
	struct rig *rig = rig_start();
	rig->table->backends[2].state = TABLE_BACKEND_DOWN;
	rig_apply(rig);
	return rig;
}

void rig_apply(struct rig *rig)
{
	struct gateway_table *copy = table_new();
	struct error err;
	rig->table->generation++;
	if (table_check(rig->table, &err) != 0)
		fail_msg("%s", err.text);
	memcpy(copy, rig->table, sizeof(*copy));
	pthread_mutex_lock(&the_link.lock);
	assert_null(the_link.table);
	the_link.table = copy;
	pthread_mutex_unlock(&the_link.lock);
	wake();
	RIG_WAIT_FOR(counters_get(&rig->counters->workers[0].seen) == rig->table->generation);
}

static void drain(uint32_t deadline_ms, uint32_t idle_ms)
{
	pthread_mutex_lock(&the_link.lock);
	the_link.drain = true;
	the_link.deadline_ms = deadline_ms;
	the_link.idle_ms = idle_ms;
	pthread_mutex_unlock(&the_link.lock);
	wake();
}

void rig_drain(struct rig *rig, uint32_t deadline_ms)
{
	(void)rig;
	drain(deadline_ms, WORKER_LINK_IDLE_MS);
}

void rig_retire(struct rig *rig, uint32_t deadline_ms)
{
	(void)rig;
	drain(deadline_ms, deadline_ms);
}

void rig_stop(struct rig *rig)
{
	void *result;
	rig_retire(rig, 0);
	pthread_join(rig->thread, &result);
	assert_int_equal((intptr_t)result, 0);
	for (uint32_t slot = 0; slot < 2; slot++) {
		static struct counters_release sum;
		counters_sum_release(rig->counters, slot, &sum);
		assert_int_equal(sum.values[COUNTERS_RELEASE_STARTED],
				 sum.values[COUNTERS_RELEASE_COMPLETED]);
		assert_int_equal(sum.values[COUNTERS_RELEASE_STARTED],
				 sum.values[COUNTERS_RELEASE_ANSWERED]);
	}
	for (uint32_t slot = 0; slot < RIG_BACKENDS; slot++) {
		struct counters_backend sum;
		counters_sum_backend(rig->counters, slot, &sum);
		assert_int_equal(counters_backend_in_flight(&sum), 0);
	}
	close(rig->listen_fd);
	for (int i = 0; i < RIG_BACKENDS; i++)
		close(rig->backend_fds[i]);
	unlinkat(rig->state_fd, SHADOW_SOCKET, 0);
	close(rig->state_fd);
	rmdir(rig->state);
	close(rig->log_fds[0]);
	close(rig->log_fds[1]);
	close(the_link.event_fd);
	munmap(rig->counters, counters_size(1));
	table_free(rig->table);
	free(rig);
}

/* ── clients and backends ─────────────────────────────────────────────────────────────────────────── */

static void set_deadline(int fd)
{
	struct timeval wait = {.tv_sec = RIG_WAIT_MS / 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

int rig_connect(struct rig *rig)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getsockname(rig->listen_fd, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, size), 0);
	set_deadline(fd);
	return fd;
}

bool rig_pending(struct rig *rig, int backend)
{
	struct pollfd p = {.fd = rig->backend_fds[backend], .events = POLLIN};
	return poll(&p, 1, 0) == 1;
}

int rig_accept(struct rig *rig, int backend)
{
	struct pollfd p = {.fd = rig->backend_fds[backend], .events = POLLIN};
	if (poll(&p, 1, RIG_WAIT_MS) != 1)
		fail_msg("nobody connects to backend %d", backend);
	int fd = accept4(rig->backend_fds[backend], NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	set_deadline(fd);
	return fd;
}

void rig_send_bytes(int fd, const void *bytes, size_t size)
{
	size_t sent = 0;
	while (sent < size) {
		ssize_t put = send(fd, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
		if (put <= 0)
			fail_msg("send: %s", strerror(errno));
		sent += (size_t)put;
	}
}

void rig_send(int fd, const char *text)
{
	rig_send_bytes(fd, text, strlen(text));
}

static char text[RIG_TEXT_SIZE];

const char *rig_until(int fd, const char *end)
{
	size_t size = 0;
	text[0] = 0;
	while (!strstr(text, end)) {
		/* a byte at a time: what follows belongs to the next call */
		ssize_t got = recv(fd, text + size, 1, 0);
		if (got <= 0 || size + 2 > sizeof(text))
			fail_msg("wanted \"%s\", got \"%s\" and then %s", end, text,
				 got == 0 ? "the end" : strerror(errno));
		text[++size] = 0;
	}
	return text;
}

const char *rig_read(int fd, size_t size)
{
	size_t had = 0;
	assert_true(size < sizeof(text));
	while (had < size) {
		ssize_t got = recv(fd, text + had, size - had, 0);
		if (got <= 0)
			fail_msg("wanted %zu bytes, got %zu and then %s", size, had,
				 got == 0 ? "the end" : strerror(errno));
		had += (size_t)got;
	}
	text[size] = 0;
	return text;
}

bool rig_closed(int fd)
{
	char byte;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (poll(&p, 1, RIG_CLOSE_MS) != 1)
		return false;
	ssize_t got = recv(fd, &byte, 1, 0);
	return got == 0 || (got < 0 && errno == ECONNRESET);
}

bool rig_quiet(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

uint64_t rig_release(struct rig *rig, uint32_t slot, enum counters_release_field field)
{
	static struct counters_release sum;
	counters_sum_release(rig->counters, slot, &sum);
	return sum.values[field];
}

uint64_t rig_class(struct rig *rig, uint32_t slot, uint32_t class,
		   enum counters_release_field field)
{
	static struct counters_class sum;
	counters_sum_class(rig->counters, slot, class, &sum);
	return sum.values[field];
}

uint64_t rig_backend(struct rig *rig, uint32_t slot, enum counters_backend_field field)
{
	struct counters_backend sum;
	counters_sum_backend(rig->counters, slot, &sum);
	return sum.values[field];
}

uint64_t rig_environment(struct rig *rig, enum counters_environment_field field)
{
	return counters_get(&rig->counters->workers[0].environments[0].values[field]);
}

uint64_t rig_worker(struct rig *rig, enum counters_worker_field field)
{
	return counters_get(&rig->counters->workers[0].values[field]);
}

uint64_t rig_now_ms(void)
{
	return clock_now_ms();
}

void rig_yield(void)
{
	poll(NULL, 0, 1); /* between two looks at the condition */
}
