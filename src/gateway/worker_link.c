/* SPDX-License-Identifier: Apache-2.0
 * worker_link - see worker_link.h for the contract.
 *
 * The descriptor that the worker watches is an epoll of two: the channel, and a timer that runs only
 * while there is no supervisor. A channel on which something unexpected happens is given up and made
 * anew: the supervisor then sends everything again, which repairs whatever was misunderstood. */
#include "gateway/worker_link.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "gateway/worker.h"
#include "link/gateway_messages.h"
#include "os/channel.h"
#include "os/memfd.h"

enum { SETUP_WAIT_MS = 10000, SOCKETS_MAX = 2 * TABLE_LISTENERS_MAX };

struct socket {
	char address[TABLE_ADDRESS_SIZE];
	int fd;
	bool in_force;  /* named by the table in force, */
	bool in_coming; /* and by the one that is prepared */
};

struct worker_link {
	int epoll_fd;
	int timer_fd;
	int channel_fd; /* -1 = lost */
	int state_fd;   /* -1 = there is no way back to a supervisor */
	uint32_t index;
	int counters_fd;
	size_t counters_size;
	struct counters *counters;
	struct counters_worker_block *block;
	int access_log_fd;

	const struct worker_link_ops *ops;
	void *worker;
	bool draining;

	uint64_t in_force; /* generations; 0 = none */
	uint64_t coming;
	int in_force_fd; /* their blocks, for a successor of the supervisor; -1 = none */
	int coming_fd;
	uint32_t socket_count;
	struct socket sockets[SOCKETS_MAX];
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void watch(struct worker_link *link, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int code = epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	ASSERT(code == 0);
}

static void retry_timer(struct worker_link *link, bool on)
{
	struct timespec step = {.tv_nsec = on ? WORKER_LINK_RETRY_MS * 1000000L : 0};
	struct itimerspec value = {.it_interval = step, .it_value = step};
	timerfd_settime(link->timer_fd, 0, &value, NULL);
}

/* The sockets are closed as well: one that nobody accepts from would swallow connections. */
static void drain(struct worker_link *link, uint32_t deadline_ms, uint32_t idle_ms)
{
	link->draining = true;
	link->ops->drain(link->worker, deadline_ms, idle_ms);
	for (uint32_t i = 0; i < link->socket_count; i++)
		close_fd(&link->sockets[i].fd);
	link->socket_count = 0;
}

static void drain_orphan(struct worker_link *link, const char *why)
{
	if (link->draining)
		return;
	retry_timer(link, false);
	log_event(LOG_WARNING, "worker.orphan", "worker=%u why=\"%s\"", link->index, why);
	drain(link, WORKER_LINK_ORPHAN_DRAIN_MS, WORKER_LINK_IDLE_MS);
}

static void lose_channel(struct worker_link *link)
{
	close_fd(&link->channel_fd);
	if (link->draining)
		return;
	if (link->state_fd < 0)
		drain_orphan(link, "the supervisor is gone");
	else
		retry_timer(link, true);
}

static void say(struct worker_link *link, const struct gateway_message *message, const int *fds,
		size_t fd_count)
{
	uint8_t bytes[GATEWAY_MESSAGE_MAX];
	struct error err;
	if (link->channel_fd < 0)
		return;
	size_t size = gateway_message_write(message, bytes);
	if (channel_send(link->channel_fd, bytes, size, fds, fd_count, &err) < 0)
		lose_channel(link);
}

/* Close the sockets that no table names any more. */
static void sweep_sockets(struct worker_link *link)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < link->socket_count; i++) {
		struct socket *s = &link->sockets[i];
		if (s->in_force || s->in_coming)
			link->sockets[kept++] = *s;
		else
			close_fd(&s->fd);
	}
	link->socket_count = kept;
}

static struct socket *socket_find(struct worker_link *link, const char *address)
{
	for (uint32_t i = 0; i < link->socket_count; i++)
		if (strcmp(link->sockets[i].address, address) == 0)
			return &link->sockets[i];
	return NULL;
}

static void forget_coming(struct worker_link *link)
{
	link->coming = 0;
	close_fd(&link->coming_fd);
	for (uint32_t i = 0; i < link->socket_count; i++)
		link->sockets[i].in_coming = false;
}

static void take_sockets(struct worker_link *link, const struct gateway_listen *listen, int *fds)
{
	for (uint32_t i = 0; i < listen->count; i++) {
		struct socket *s = socket_find(link, listen->addresses[i]);
		if (s && s->in_force) {
			close(fds[i]); /* the same socket, from a supervisor that came back */
			continue;
		}
		if (!s && link->socket_count == SOCKETS_MAX) {
			close(fds[i]); /* prepare will miss it, and say so */
			continue;
		}
		if (s) {
			close(s->fd);
		} else {
			s = &link->sockets[link->socket_count++];
			memset(s, 0, sizeof *s);
			text_copy(s->address, sizeof s->address, listen->addresses[i]);
		}
		s->fd = fds[i];
	}
}

static void commit(struct worker_link *link)
{
	link->in_force = link->coming;
	close_fd(&link->in_force_fd);
	link->in_force_fd = link->coming_fd;
	link->coming_fd = -1;
	for (uint32_t i = 0; i < link->socket_count; i++)
		link->sockets[i].in_force = link->sockets[i].in_coming;
	link->ops->commit(link->worker, link->in_force);
	forget_coming(link);
	sweep_sockets(link);
}

/* A supervisor that died right after its commit could not say so. */
static void catch_up(struct worker_link *link)
{
	if (link->coming && counters_active(link->counters) == link->coming)
		commit(link);
}

static int prepare(struct worker_link *link, const struct gateway_message *question, int table_fd,
		   struct error *err)
{
	struct buf block;
	buf_init(&block, TABLE_BYTES_MAX);
	struct gateway_table *table = table_new();
	int fds[TABLE_LISTENERS_MAX];
	int rc = memfd_read_sealed(table_fd, TABLE_BYTES_MAX, &block, err);
	if (rc == 0)
		rc = table_decode(block.data, block.size, table, err);
	buf_done(&block);
	if (rc == 0 && table->generation != question->generation)
		rc = error_set(err, ERR_CORRUPT,
			       "The table is not of the generation it is said to be.");
	for (uint32_t i = 0; rc == 0 && i < table->listener_count; i++) {
		struct socket *s = socket_find(link, table->listeners[i].address);
		if (s) {
			s->in_coming = true;
			fds[i] = s->fd;
		} else {
			rc = error_set(err, ERR_INTERNAL, "The socket of \"%s\" has not arrived.",
				       table->listeners[i].address);
		}
	}
	if (rc < 0) {
		table_free(table);
		return rc;
	}
	return link->ops->prepare(link->worker, table, fds, question->type == GATEWAY_PREPARE_SAVED,
				  err);
}

static void on_prepare(struct worker_link *link, const struct gateway_message *question, int fd)
{
	struct gateway_message answer = {.type = GATEWAY_PREPARED, .sequence = question->sequence};
	struct error err;
	answer.result.generation = question->generation;
	catch_up(link);
	if (question->generation == link->in_force) {
		close(fd);
	} else {
		forget_coming(link);
		int rc = prepare(link, question, fd, &err);
		if (rc == 0) {
			counters_set(&link->block->prepared, question->generation);
			link->coming = question->generation;
			link->coming_fd = fd;
		} else {
			answer.result.code = rc;
			text_copy(answer.result.text, sizeof answer.result.text, err.text);
			forget_coming(link);
			close(fd);
		}
	}
	say(link, &answer, NULL, 0);
}

static void on_commit(struct worker_link *link, uint64_t generation)
{
	struct gateway_message seen = {.type = GATEWAY_SEEN, .generation = generation};
	if (generation == link->coming && generation != 0) {
		commit(link);
	} else if (generation ==
		   link->in_force) { /* what was prepared has been refused elsewhere */
		forget_coming(link);
		sweep_sockets(link);
	} else {
		log_event(LOG_WARNING, "worker.lost-thread", "worker=%u generation=%llu",
			  link->index, (unsigned long long)generation);
		lose_channel(link);
		return;
	}
	say(link, &seen, NULL, 0);
}

/* Again from a supervisor that came back, or when the log was opened anew: only the log matters. */
static void on_setup(struct worker_link *link, int *fds, size_t count)
{
	if (count == 2 && link->access_log_fd >= 0)
		dup3(fds[1], link->access_log_fd, O_CLOEXEC);
	channel_close_fds(fds, count);
}

static void on_message(struct worker_link *link, const struct gateway_message *m, int *fds,
		       size_t count)
{
	if (m->type == GATEWAY_LISTEN && count == m->listen.count) {
		take_sockets(link, &m->listen, fds);
	} else if ((m->type == GATEWAY_PREPARE || m->type == GATEWAY_PREPARE_SAVED) && count == 1) {
		on_prepare(link, m, fds[0]);
	} else if (m->type == GATEWAY_COMMIT && count == 0) {
		on_commit(link, m->generation);
	} else if (m->type == GATEWAY_SETUP) {
		on_setup(link, fds, count);
	} else if (m->type == GATEWAY_DRAIN && count == 0) {
		drain(link, m->deadline_ms, WORKER_LINK_IDLE_MS);
	} else if (m->type == GATEWAY_RETIRE && count == 0) {
		log_event(LOG_INFO, "worker.retires", "worker=%u", link->index);
		drain(link, m->deadline_ms, m->deadline_ms);
	} else {
		channel_close_fds(fds, count);
		lose_channel(link);
	}
}

static void read_channel(struct worker_link *link)
{
	while (link->channel_fd >= 0) {
		int fds[CHANNEL_FDS_MAX];
		size_t count;
		struct gateway_message message;
		struct error err;
		int size = channel_receive(link->channel_fd, link->bytes, fds, &count, &err);
		if (size == ERR_RETRY)
			return;
		if (size < 0) {
			lose_channel(link);
		} else if (gateway_message_read(link->bytes, (size_t)size, &message, &err) < 0) {
			channel_close_fds(fds, count);
			lose_channel(link);
		} else {
			on_message(link, &message, fds, count);
		}
	}
}

static void hand_over(struct worker_link *link)
{
	struct gateway_message m = {.type = GATEWAY_JOIN};
	int fds[GATEWAY_LISTEN_MAX] = {link->counters_fd, link->in_force_fd};
	uint32_t count = 0;
	m.join = (struct gateway_join){.index = link->index,
				       .pid = (uint32_t)getpid(),
				       .listener_count = link->socket_count};
	say(link, &m, fds, link->in_force_fd >= 0 ? 2 : 1);
	memset(&m, 0, sizeof m);
	m.type = GATEWAY_LISTEN;
	for (uint32_t i = 0; i < link->socket_count; i++) {
		fds[count] = link->sockets[i].fd;
		text_copy(m.listen.addresses[count++], TABLE_ADDRESS_SIZE,
			  link->sockets[i].address);
		if (count == GATEWAY_LISTEN_MAX || i + 1 == link->socket_count) {
			m.listen.count = count;
			say(link, &m, fds, count);
			count = 0;
		}
	}
}

static void reconnect(struct worker_link *link)
{
	struct stat status;
	struct channel_peer peer;
	struct error err;
	if (fstat(link->state_fd, &status) == 0 && status.st_nlink == 0) {
		drain_orphan(link, "the state directory is gone");
		return;
	}
	if (channel_connect(link->state_fd, GATEWAY_SOCKET, &link->channel_fd, &peer, &err) < 0)
		return;
	retry_timer(link, false);
	watch(link, link->channel_fd);
	catch_up(link);
	forget_coming(link);
	sweep_sockets(link);
	hand_over(link);
}

void worker_link_start(struct worker_link *link, const struct worker_link_ops *ops, void *worker)
{
	link->ops = ops;
	link->worker = worker;
	watch(link, link->channel_fd);
	watch(link, link->timer_fd);
}

int worker_link_fd(const struct worker_link *link)
{
	return link->epoll_fd;
}

void worker_link_turn(struct worker_link *link)
{
	uint64_t ticks;
	read_channel(link);
	if (read(link->timer_fd, &ticks, sizeof ticks) == (ssize_t)sizeof ticks &&
	    link->channel_fd < 0 && !link->draining) {
		reconnect(link);
		read_channel(link);
	}
}

/* Say JOIN and wait for SETUP: a worker can do nothing without its counters. */
static int join(struct worker_link *link, struct error *err)
{
	struct gateway_message m = {.type = GATEWAY_JOIN};
	int fds[CHANNEL_FDS_MAX];
	size_t count = 0;
	void *memory;
	m.join = (struct gateway_join){
		.index = link->index, .pid = (uint32_t)getpid(), .fresh = true};
	size_t size = gateway_message_write(&m, link->bytes);
	int rc = channel_send(link->channel_fd, link->bytes, size, NULL, 0, err);
	if (rc < 0)
		return rc;
	struct pollfd poll_fd = {.fd = link->channel_fd, .events = POLLIN};
	if (poll(&poll_fd, 1, SETUP_WAIT_MS) != 1)
		return error_set(err, ERR_TIMEOUT, "The gateway's supervisor does not answer.");
	rc = channel_receive(link->channel_fd, link->bytes, fds, &count, err);
	if (rc < 0)
		return rc;
	rc = gateway_message_read(link->bytes, (size_t)rc, &m, err);
	if (rc == 0 && (m.type != GATEWAY_SETUP || count < 1 || count > 2))
		rc = error_set(err, ERR_CORRUPT, "The gateway's supervisor said %s first.",
			       gateway_message_name(m.type));
	if (rc == 0)
		rc = memfd_map(fds[0], counters_size(COUNTERS_PLACES), &memory,
			       &link->counters_size, err);
	if (rc < 0) {
		channel_close_fds(fds, count);
		return rc;
	}
	link->counters = memory;
	link->counters_fd = fds[0];
	link->access_log_fd = count == 2 ? fds[1] : -1;
	rc = counters_check(link->counters, link->counters_size, err);
	if (rc == 0 && link->index >= link->counters->place_count)
		rc = error_set(err, ERR_CORRUPT, "There is no place %u for a worker.", link->index);
	return rc;
}

static void link_free(struct worker_link *link)
{
	for (uint32_t i = 0; i < link->socket_count; i++)
		close_fd(&link->sockets[i].fd);
	close_fd(&link->in_force_fd);
	close_fd(&link->coming_fd);
	close_fd(&link->access_log_fd);
	memfd_unmap(link->counters, link->counters_size);
	close_fd(&link->counters_fd);
	close_fd(&link->timer_fd);
	close_fd(&link->epoll_fd);
	close_fd(&link->channel_fd); /* last: its end tells the supervisor */
	free(link);
}

/* The supervisor gives the channel as descriptor 0 and the state directory as 1. */
static int link_new(char **argv, struct worker_link **ret_link)
{
	uint64_t index;
	bool alone = strcmp(argv[1], "alone") == 0;
	if ((!alone && strcmp(argv[1], "state") != 0) ||
	    !text_parse_u64(argv[2], COUNTERS_PLACES - 1, &index))
		return ERR_INVALID;
	struct worker_link *link = mem_zero(1, sizeof *link);
	link->channel_fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
	link->state_fd = alone ? -1 : fcntl(1, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, 0);
	dup2(null, 1);
	close(null);
	link->index = (uint32_t)index;
	link->counters_fd = link->access_log_fd = link->in_force_fd = link->coming_fd = -1;
	link->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	link->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	ASSERT(link->channel_fd >= 0 && link->epoll_fd >= 0 && link->timer_fd >= 0);
	*ret_link = link;
	return 0;
}

int gateway_worker_main(int argc, char **argv)
{
	struct worker_link *link;
	struct error err;
	signal(SIGPIPE, SIG_IGN);
	if (argc != 3 || link_new(argv, &link) < 0)
		return 2; /* nobody but the supervisor calls it */
	char name[32];
	snprintf(name, sizeof name, "gateway-worker %u", link->index);
	log_init(name, LOG_INFO);
	int rc = join(link, &err);
	if (rc == 0) {
		link->block = counters_attach(link->counters, link->index, (uint64_t)getpid());
		struct worker_setup setup = {.link = link,
					     .index = link->index,
					     .counters = link->counters,
					     .block = link->block,
					     .access_log_fd = link->access_log_fd,
					     .state_fd = link->state_fd};
		rc = gateway_worker_run(&setup, &err);
	}
	if (rc < 0)
		log_event(LOG_ERROR, "worker.failed", "worker=%u why=\"%s\"", link->index,
			  err.text);
	link_free(link);
	return rc < 0 ? 1 : 0;
}
