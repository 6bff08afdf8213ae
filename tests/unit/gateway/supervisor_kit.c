/* SPDX-License-Identifier: Apache-2.0
 * supervisor_kit - see supervisor_kit.h. */
#include "../cmocka_all.h"

#include "supervisor_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/supervisor.h"
#include "gateway/worker_link.h"
#include "os/channel.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/memfd.h"
#include "os/random.h"

enum { KIT_LIFE_S = 100 };

static uint8_t bytes[CHANNEL_MESSAGE_MAX];

static int supervisor_role(char **argv)
{
	struct error err;
	uint64_t workers = 2;
	failpoint_from_environment();
	log_init("gateway", getenv("KIT_LOG") ? LOG_DEBUG : LOG_ERROR + 1);
	text_parse_u64(argv[3], 64, &workers);
	int dir_fd = open(argv[2], O_DIRECTORY | O_CLOEXEC);
	struct supervisor_options options = {
		.state_fd = dir_fd, .workers = (uint32_t)workers, .machine = "here"};
	int rc = gateway_supervisor_run(&options, &err);
	if (rc < 0)
		fprintf(stderr, "supervisor: %s\n", err.text);
	close(dir_fd);
	return rc < 0 ? 1 : 0;
}

int kit_role(int argc, char **argv)
{
	if (argc >= 3)
		alarm(KIT_LIFE_S); /* nothing outlives a test that failed */
	if (argc >= 2 && strcmp(argv[1], "gateway-worker") == 0)
		return gateway_worker_main(argc - 1, argv + 1);
	if (argc == 4 && strcmp(argv[1], "supervisor") == 0)
		return supervisor_role(argv);
	return -1;
}

/* Below those that the kernel gives to connections: what runs beside us would take it for one. */
uint16_t kit_free_port(void)
{
	enum { FIRST = 10240, COUNT = 9000 };
	for (;;) {
		uint16_t port = (uint16_t)(FIRST + random_below(COUNT));
		struct sockaddr_in a = {.sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		bool is_free = bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
		close(fd);
		if (is_free)
			return port;
	}
}

void kit_open(struct kit *kit, uint32_t workers)
{
	*kit = (struct kit){.channel = -1, .workers = workers, .load_pipe = -1};
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	text_copy(kit->dir, sizeof kit->dir, "/tmp/davit-gateway-XXXXXX");
	assert_non_null(mkdtemp(kit->dir));
	kit->dir_fd = open(kit->dir, O_DIRECTORY | O_CLOEXEC);
	kit->port = kit_free_port();
}

void kit_start(struct kit *kit, const char *failpoint)
{
	char workers[16];
	snprintf(workers, sizeof workers, "%u", kit->workers);
	kit->supervisor = fork();
	assert_true(kit->supervisor >= 0);
	if (kit->supervisor == 0) {
		if (failpoint)
			setenv("DAVIT_FAILPOINT", failpoint, 1);
		else
			unsetenv("DAVIT_FAILPOINT");
		execl(kit->program[0] ? kit->program : "/proc/self/exe", "test", "supervisor",
		      kit->dir, workers, (char *)NULL);
		_exit(127);
	}
}

void kit_other_build(struct kit *kit)
{
	static int builds;
	struct buf text;
	struct error err;
	char name[32];
	snprintf(name, sizeof name, "build-%d", ++builds);
	snprintf(kit->program, sizeof kit->program, "%s/%s", kit->dir, name);
	buf_init(&text, 64 << 20);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/exe", &text, &err), 0);
	assert_int_equal(file_write(kit->dir_fd, name, text.data, text.size, 0700, &err), 0);
	buf_done(&text);
}

/* One message, or false: the channel has ended. */
static bool hear(struct kit *kit, struct gateway_message *m, int *fds, size_t *count)
{
	struct pollfd p = {.fd = kit->channel, .events = POLLIN};
	struct error err;
	int size = ERR_RETRY;
	while (size == ERR_RETRY) {
		assert_int_equal(poll(&p, 1, KIT_DEADLINE_MS), 1);
		size = channel_receive(kit->channel, bytes, fds, count, &err);
	}
	if (size < 0)
		return false;
	assert_int_equal(gateway_message_read(bytes, (size_t)size, m, &err), 0);
	if (m->type == GATEWAY_STATUS || m->type == GATEWAY_WELCOME)
		kit->status = m->status;
	return true;
}

static void say(struct kit *kit, const struct gateway_message *m, const int *fds, size_t count)
{
	uint8_t out[GATEWAY_MESSAGE_MAX];
	struct error err;
	size_t size = gateway_message_write(m, out);
	if (channel_send(kit->channel, out, size, fds, count, &err) < 0)
		return; /* hear() tells that it has ended */
}

void kit_detach(struct kit *kit)
{
	if (kit->channel >= 0)
		close(kit->channel);
	kit->channel = -1;
	memfd_unmap(kit->counters, kit->counters_size);
	kit->counters = NULL;
}

static void take_welcome(struct kit *kit, const int *fds, size_t count)
{
	void *memory;
	struct error err;
	assert_int_equal(memfd_map(fds[0], counters_size(COUNTERS_PLACES), &memory,
				   &kit->counters_size, &err),
			 0);
	kit->counters = memory;
	kit->welcome_generation = 0;
	if (count == 2) {
		struct buf block;
		buf_init(&block, TABLE_BYTES_MAX);
		assert_int_equal(memfd_read_sealed(fds[1], TABLE_BYTES_MAX, &block, &err), 0);
		kit->welcome_generation = table_generation(block.data, block.size);
		buf_done(&block);
	}
	channel_close_fds(fds, count);
}

void kit_attach(struct kit *kit)
{
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	struct channel_peer peer;
	struct error err;
	for (;;) {
		struct gateway_message m = {.type = GATEWAY_ATTACH, .sequence = ++kit->sequence};
		int fds[CHANNEL_FDS_MAX];
		size_t count = 0;
		assert_true(clock_now_ms() < until);
		if (channel_connect(kit->dir_fd, GATEWAY_SOCKET, &kit->channel, &peer, &err) == 0) {
			say(kit, &m, NULL, 0);
			if (hear(kit, &m, fds, &count)) {
				assert_int_equal(m.type, GATEWAY_WELCOME);
				take_welcome(kit, fds, count);
				if (kit->status.newest > kit->generation)
					kit->generation = kit->status.newest;
				return;
			}
			close(kit->channel);
		}
		poll(NULL, 0, 2);
	}
}

void kit_await_end(struct kit *kit)
{
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (waitpid(kit->supervisor, NULL, WNOHANG) == 0) {
		assert_true(clock_now_ms() < until);
		poll(NULL, 0, 2);
	}
	kit->supervisor = 0;
	kit_detach(kit);
}

/* We are the subreaper of workers that a killed supervisor left. */
void kit_await_gone(pid_t pid)
{
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (kill(pid, 0) == 0) {
		assert_true(clock_now_ms() < until);
		waitpid(pid, NULL, WNOHANG);
		poll(NULL, 0, 2);
	}
}

void kit_kill(struct kit *kit)
{
	assert_true(kit->supervisor > 0);
	kill(kit->supervisor, SIGKILL);
	kit_await_end(kit);
}

void kit_close(struct kit *kit)
{
	pid_t pids[COUNTERS_PLACES];
	struct error err;
	assert_true(kit->supervisor > 0);
	if (kit->channel < 0)
		kit_attach(kit);
	uint32_t places = kit->counters->place_count;
	for (uint32_t i = 0; i < places; i++)
		pids[i] = (pid_t)counters_get(&kit->counters->workers[i].pid);
	kill(kit->supervisor, SIGTERM);
	kit_await_end(kit);
	for (uint32_t i = 0; i < places; i++)
		if (pids[i] > 0)
			kit_await_gone(pids[i]);
	assert_int_equal(faccessat(kit->dir_fd, GATEWAY_SOCKET, F_OK, 0), -1);
	close(kit->dir_fd);
	assert_int_equal(file_remove_tree(AT_FDCWD, kit->dir, &err), 0);
}

struct gateway_table *kit_table(struct kit *kit, const char *tag)
{
	struct gateway_table *t = table_new();
	t->generation = ++kit->generation;
	t->listener_count = t->environment_count = t->route_count = t->release_count = 1;
	snprintf(t->listeners[0].address, TABLE_ADDRESS_SIZE, "127.0.0.1:%u", kit->port);
	struct table_environment *e = &t->environments[0];
	table_environment_init(e);
	text_copy(e->app, sizeof e->app, "shop");
	text_copy(e->name, sizeof e->name, "prod");
	e->release_count = 1;
	e->document_epoch = 1;
	e->document_n = ++kit->n;
	text_copy(t->routes[0].path, TABLE_PATH_SIZE, "/");
	text_copy(t->routes[0].process, TABLE_NAME_SIZE, "web");
	text_copy(t->releases[0].tag, TABLE_NAME_SIZE, tag);
	t->releases[0].weight_bp = 10000;
	return t;
}

uint64_t kit_offer(struct kit *kit, const struct gateway_table *table)
{
	struct gateway_message m = {.type = GATEWAY_APPLY, .sequence = ++kit->sequence};
	struct buf block;
	struct error err;
	int fd;
	buf_init(&block, TABLE_BYTES_MAX);
	int rc = table_encode(table, &block, &err);
	if (rc < 0)
		fprintf(stderr, "kit_offer: %s\n", err.text);
	assert_int_equal(rc, 0);
	assert_int_equal(memfd_seal("table", block.data, block.size, &fd, &err), 0);
	buf_done(&block);
	m.generation = table->generation;
	say(kit, &m, &fd, 1);
	close(fd);
	return m.sequence;
}

bool kit_result(struct kit *kit, uint64_t sequence, struct gateway_result *ret_result)
{
	struct gateway_message m;
	int fds[CHANNEL_FDS_MAX];
	size_t count = 0;
	do {
		if (!hear(kit, &m, fds, &count))
			return false;
	} while (m.type != GATEWAY_RESULT || m.sequence != sequence);
	*ret_result = m.result;
	return true;
}

void kit_apply(struct kit *kit, const char *tag, struct gateway_result *ret_result)
{
	struct gateway_table *t = kit_table(kit, tag);
	assert_true(kit_result(kit, kit_offer(kit, t), ret_result));
	if (ret_result->code != 0)
		fprintf(stderr, "kit_apply: %s\n", ret_result->text);
	assert_int_equal(ret_result->code, 0);
	table_free(t);
}

void kit_await_status(struct kit *kit, uint32_t alive, uint64_t seen)
{
	struct gateway_message m = {.type = GATEWAY_ASK, .sequence = ++kit->sequence};
	int fds[CHANNEL_FDS_MAX];
	size_t count = 0;
	say(kit, &m, NULL, 0);
	do
		assert_true(hear(kit, &m, fds, &count));
	while (kit->status.alive != alive || kit->status.seen < seen);
}

pid_t kit_worker_pid(const struct kit *kit, uint32_t index)
{
	pid_t pid = (pid_t)counters_get(&kit->counters->workers[index].pid);
	assert_true(pid > 0); /* 0 would be this test's whole group: await the worker first */
	return pid;
}

static int open_client(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = 10};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A server that says it closes is asked on another connection next time. */
static int64_t ask(int fd, bool *ret_closes)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
	char answer[512];
	if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
		return -1;
	ssize_t n = recv(fd, answer, sizeof answer - 1, 0);
	if (n <= 0)
		return -1;
	answer[n] = '\0';
	const char *body = strstr(answer, "\r\n\r\n");
	*ret_closes = strstr(answer, "Connection: close") != NULL;
	return body ? strtoll(body + 4, NULL, 10) : -1;
}

int64_t kit_request(uint16_t port)
{
	int fd = open_client(port);
	bool closes;
	int64_t generation = fd < 0 ? KIT_REFUSED : ask(fd, &closes);
	if (fd >= 0)
		close(fd);
	return generation;
}

static volatile sig_atomic_t load_over;

static void end_load(int number)
{
	(void)number;
	load_over = 1;
}

static void run_load(uint16_t port, int report)
{
	uint64_t counts[2] = {0};
	int fds[KIT_CLIENTS];
	for (int i = 0; i < KIT_CLIENTS; i++)
		fds[i] = open_client(port);
	while (!load_over) {
		for (int i = 0; i < KIT_CLIENTS; i++) {
			bool closes = false, ok = fds[i] >= 0 && ask(fds[i], &closes) > 0;
			if (load_over)
				break; /* the signal may have cut it short */
			counts[ok ? 0 : 1]++;
			if (ok && !closes)
				continue;
			if (fds[i] >= 0)
				close(fds[i]);
			fds[i] = open_client(port);
		}
		poll(NULL, 0, 1);
	}
	_exit(write(report, counts, sizeof counts) == (ssize_t)sizeof counts ? 0 : 1);
}

void kit_load_start(struct kit *kit)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	kit->load = fork();
	assert_true(kit->load >= 0);
	if (kit->load == 0) {
		alarm(KIT_LIFE_S);
		signal(SIGUSR1, end_load);
		run_load(kit->port, fds[1]);
	}
	close(fds[1]);
	kit->load_pipe = fds[0];
}

void kit_load_stop(struct kit *kit, uint64_t *ret_answered, uint64_t *ret_failed)
{
	uint64_t counts[2];
	kill(kit->load, SIGUSR1);
	assert_int_equal(read(kit->load_pipe, counts, sizeof counts), sizeof counts);
	waitpid(kit->load, NULL, 0);
	close(kit->load_pipe);
	*ret_answered = counts[0];
	*ret_failed = counts[1];
}
