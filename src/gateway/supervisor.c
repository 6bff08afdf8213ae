/* SPDX-License-Identifier: Apache-2.0
 * supervisor - see supervisor.h for the contract, supervisor_state.h for its parts. */
#include "gateway/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "gateway/supervisor_state.h"
#include "os/listen.h"
#include "os/lock.h"
#include "os/memfd.h"
#include "os/random.h"

#define LOCK_FILE "gateway.lock"
#define PIDS_FILE "gateway.pids"

enum {
	LOCK_POLL_MS = 5,
	KILL_GRACE_MS = 500,    /* between a drain's deadline and the kill */
	PLACES_A_WORKER = 16,   /* as many builds may be on their way out at once */
	TABLE_RETRY_TICKS = 10, /* for a table on disk whose address was taken when we started */
};

uint64_t supervisor_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int supervisor_say(int fd, const struct gateway_message *message, const int *fds, size_t fd_count)
{
	uint8_t bytes[GATEWAY_MESSAGE_MAX];
	struct error err;
	size_t size = gateway_message_write(message, bytes);
	return channel_send(fd, bytes, size, fds, fd_count, &err);
}

int supervisor_hear(struct supervisor *s, int fd, struct gateway_message *ret_message, int *ret_fds,
		    size_t *ret_fd_count)
{
	struct error err;
	int size = channel_receive(fd, s->bytes, ret_fds, ret_fd_count, &err);
	if (size < 0)
		return size;
	int rc = gateway_message_read(s->bytes, (size_t)size, ret_message, &err);
	if (rc < 0) {
		log_event(LOG_WARNING, "gateway.message-refused", "why=\"%s\"", err.text);
		channel_close_fds(ret_fds, *ret_fd_count);
		return rc;
	}
	return 1;
}

struct gateway_status supervisor_status(const struct supervisor *s)
{
	struct gateway_status status = {
		.generation = s->in_force.table ? s->in_force.table->generation : 0,
		.newest = s->newest,
		.seen = UINT64_MAX,
		.workers = s->worker_count,
		.restarts = s->restarts,
		.pid = (uint32_t)getpid(),
		.uncounted = retired_uncounted(s),
	};
	for (uint32_t i = 0; i < s->worker_count; i++) {
		const struct post *p = &s->posts[i];
		if (p->uses && p->seen < status.seen)
			status.seen = p->seen;
		status.alive +=
			p->phase == POST_SERVING && p->seen != 0 && p->seen >= status.generation;
	}
	if (status.seen == UINT64_MAX)
		status.seen = 0;
	return status;
}

static int make_counters(struct supervisor *s, struct error *err)
{
	void *memory;
	uint64_t segment;
	uint32_t places = s->worker_count * PLACES_A_WORKER;
	if (places > COUNTERS_PLACES)
		places = COUNTERS_PLACES;
	s->counters_size = counters_size(places);
	int rc = memfd_share("davit-counters", s->counters_size, &s->counters_fd, &memory, err);
	if (rc < 0)
		return rc;
	random_bytes(&segment, sizeof segment);
	s->counters = memory;
	counters_format(s->counters, s->worker_count, places, segment, s->options->machine);
	retired_forget_places(s);
	if (s->in_force.table) /* of workers that count elsewhere: ours begin with it */
		counters_commit(s->counters, s->in_force.table->generation);
	return 0;
}

/* Bring the table on disk into force where it is not; it was decided before we came. */
static void begin_saved(struct supervisor *s)
{
	uint64_t standing = s->in_force.table ? s->in_force.table->generation : 0;
	if (s->saved.table && s->saved.table->generation > standing) {
		tables_begin(s, &s->saved, 0, true);
	} else {
		held_table_drop(&s->saved);
	}
}

static void recovered(struct supervisor *s)
{
	struct error err;
	s->recovering = false;
	retired_take_posts(s);
	for (uint32_t i = s->worker_count; i < SUPERVISOR_POSTS; i++)
		if (s->posts[i].phase != POST_NONE)
			post_kill(&s->posts[i], "there are more than there should be");
	if (!s->counters && make_counters(s, &err) < 0) {
		log_event(LOG_ERROR, "gateway.no-counters", "why=\"%s\"", err.text);
		loop_stop(s->loop);
		return;
	}
	s->newest = counters_active(s->counters);
	if (s->saved.table && s->saved.table->generation > s->newest)
		s->newest = s->saved.table->generation;
	for (uint32_t i = 0; i < s->socket_count; i++)
		s->sockets[i].in_force = false;
	for (uint32_t i = 0; s->in_force.table && i < s->in_force.table->listener_count; i++) {
		struct listening *socket = sockets_find(s, s->in_force.table->listeners[i].address);
		if (socket)
			socket->in_force = true;
	}
	/* Without a table, as one of another ABI, the sockets wait for the controller's. */
	if (s->in_force.table || retired_count(s) == 0)
		sockets_close_unused(s);
	for (uint32_t i = 0; i < s->worker_count; i++) {
		if (s->posts[i].phase == POST_WAITING)
			post_welcome(&s->posts[i]);
		else
			post_start(&s->posts[i]);
	}
	/* The workers' table is newer than the one on disk where our predecessor could not write it. */
	s->unkept = s->in_force.table &&
		    (!s->saved.table || s->saved.table->generation < s->in_force.table->generation);
	begin_saved(s);
	tables_tick(s);
	if (s->way.phase == WAY_FREE && s->offered_fd >= 0) {
		int fd = s->offered_fd;
		s->offered_fd = -1;
		tables_offer(s, fd, s->offered_sequence);
	}
	peers_welcome_controller(s);
}

void supervisor_recovery_check(struct supervisor *s)
{
	if (!s->recovering)
		return;
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++) {
		enum post_phase phase = s->posts[i].phase;
		if (phase == POST_AWAITED || phase == POST_HANDING)
			return;
	}
	recovered(s);
}

void supervisor_ended_check(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		if (s->posts[i].phase != POST_NONE)
			return;
	if (retired_count(s) == 0)
		loop_stop(s->loop);
}

static void kill_all(void *supervisor)
{
	struct supervisor *s = supervisor;
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		if (s->posts[i].phase != POST_NONE)
			post_kill(&s->posts[i], "the gateway ends");
	retired_kill(s);
}

static void on_term(void *supervisor, int number)
{
	struct supervisor *s = supervisor;
	log_event(LOG_INFO, "gateway.ends", "signal=%d", number);
	if (s->ending) {
		kill_all(s);
		return;
	}
	s->ending = true;
	for (uint32_t i = 0; i < s->socket_count; i++)
		s->sockets[i].in_force = false;
	sockets_close_unused(s);
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		if (s->posts[i].phase != POST_NONE)
			post_end(&s->posts[i]);
	retired_end(s);
	s->ending_deadline.fire = kill_all;
	s->ending_deadline.context = s;
	s->env->ops->timer_start(s->env, &s->ending_deadline, SUPERVISOR_QUIT_MS + KILL_GRACE_MS);
	supervisor_ended_check(s);
}

static void open_log(struct supervisor *s)
{
	int fd = open(s->options->access_log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		log_event(LOG_ERROR, "gateway.no-access-log", "file=\"%s\" why=\"%s\"",
			  s->options->access_log, strerror(errno));
		return;
	}
	if (s->access_log_fd >= 0)
		close(s->access_log_fd);
	s->access_log_fd = fd;
}

static int offer_file(struct supervisor *s, struct error *err)
{
	struct held_table next = {.fd = -1};
	struct gateway_table *table = table_new();
	int rc = s->options->table_read(s->options->table_file, table, err);
	table->generation = s->newest + 1;
	if (rc == 0)
		rc = held_table_make(&next, table, err);
	table_free(table);
	if (rc == 0 && (s->way.phase != WAY_FREE || !tables_ready(s))) {
		held_table_drop(&next);
		rc = error_set(err, ERR_RETRY, "The last table is still on its way: try again.");
	}
	if (rc == 0)
		tables_begin(s, &next, 0, true);
	return rc;
}

static void on_hangup(void *supervisor, int number)
{
	struct supervisor *s = supervisor;
	struct error err;
	(void)number;
	if (s->options->access_log) {
		open_log(s);
		for (uint32_t i = 0; i < s->worker_count; i++)
			if (s->posts[i].phase == POST_SERVING)
				post_setup(&s->posts[i]);
	}
	if (s->options->table_file && !s->ending && offer_file(s, &err) < 0)
		log_event(LOG_ERROR, "gateway.table-refused", "where=\"%s\" why=\"%s\"", err.where,
			  err.text);
}

static void tick(void *supervisor)
{
	struct supervisor *s = supervisor;
	static uint32_t ticks;
	s->env->ops->timer_start(s->env, &s->tick, SUPERVISOR_TICK_MS);
	tables_tick(s);
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		post_tick(&s->posts[i]);
	if (++ticks % TABLE_RETRY_TICKS == 0 && !s->in_force.table && !s->recovering &&
	    !s->ending && s->way.phase == WAY_FREE) {
		tables_load(s);
		begin_saved(s);
	}
}

/* The lock, from whoever has it: another supervisor of this directory is asked to leave. */
static int take_lock(struct supervisor *s, struct error *err)
{
	pid_t holder = 0;
	struct channel_peer peer;
	struct error ignored;
	struct gateway_message leave = {.type = GATEWAY_LEAVE};
	int dir = s->options->state_fd, fd = -1;
	int rc = lock_take(dir, LOCK_FILE, &s->lock_fd, &holder, err);
	if (rc != ERR_CONFLICT)
		return rc;
	if (channel_connect(dir, GATEWAY_SOCKET, &fd, &peer, &ignored) == 0) {
		if (supervisor_say(fd, &leave, NULL, 0) < 0)
			log_event(LOG_WARNING, "gateway.deaf", "pid=%d", (int)peer.pid);
		close(fd);
	}
	uint64_t start = process_start_of(holder);
	uint64_t began = env_now_ms(s->env);
	bool killed = false;
	while (rc == ERR_CONFLICT && env_now_ms(s->env) - began < 2 * SUPERVISOR_LEAVE_MS) {
		struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
		struct process deaf;
		nanosleep(&pause, NULL);
		rc = lock_take(dir, LOCK_FILE, &s->lock_fd, &holder, err);
		if (rc != ERR_CONFLICT || killed ||
		    env_now_ms(s->env) - began < SUPERVISOR_LEAVE_MS)
			continue;
		killed = true;
		if (process_adopt(holder, start, &deaf, &ignored) == 0) {
			log_event(LOG_WARNING, "gateway.deaf-killed", "pid=%d", (int)holder);
			process_signal(&deaf, SIGKILL);
			process_done(&deaf);
		}
	}
	return rc;
}

static int watch_signals(struct supervisor *s, struct error *err)
{
	bool alone = s->options->table_file != NULL;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	int rc = loop_signal_start(s->loop, SIGTERM, on_term, s, &s->term, err);
	if (rc == 0)
		rc = loop_signal_start(s->loop, SIGHUP, on_hangup, s, &s->hangup, err);
	if (rc == 0 && alone)
		rc = loop_signal_start(s->loop, SIGINT, on_term, s, &s->interrupt, err);
	return rc;
}

static int open_door(struct supervisor *s, struct error *err)
{
	if (s->options->state_fd < 0)
		return 0;
	int rc = take_lock(s, err);
	if (rc == 0)
		rc = channel_listen(s->options->state_fd, GATEWAY_SOCKET, &s->door_fd, err);
	if (rc == 0)
		rc = loop_watch_start(s->loop, s->door_fd, LOOP_READ, peers_door, s, &s->door, err);
	return rc;
}

static void supervisor_init(struct supervisor *s, const struct supervisor_options *options)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	s->options = options;
	s->worker_count = options->workers ? options->workers : cores > 0 ? (uint32_t)cores : 1;
	if (s->worker_count > COUNTERS_WORKERS)
		s->worker_count = COUNTERS_WORKERS;
	s->lock_fd = s->door_fd = s->access_log_fd = s->counters_fd = s->controller_fd = -1;
	s->in_force.fd = s->saved.fd = s->way.next.fd = s->offered_fd = -1;
	for (int i = 0; i < SUPERVISOR_STRANGERS; i++)
		s->strangers[i] = (struct stranger){.supervisor = s, .fd = -1};
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		post_init(s, i);
}

static int supervisor_start(struct supervisor *s, struct error *err)
{
	int rc = watch_signals(s, err);
	if (rc == 0)
		rc = open_door(s, err);
	if (rc < 0)
		return rc;
	s->recovering = true;
	if (s->options->access_log)
		open_log(s);
	tables_load(s);
	posts_read_pids(s);
	s->tick.fire = tick;
	s->tick.context = s;
	s->env->ops->timer_start(s->env, &s->tick, SUPERVISOR_TICK_MS);
	supervisor_recovery_check(s);
	if (!s->counters && !s->recovering)
		return error_set(err, ERR_NO_SPACE, "The gateway's shared memory cannot be made.");
	if (!s->options->table_file)
		return 0;
	rc = offer_file(s, err);
	if (rc == 0 && !s->in_force.table) { /* no worker has to be asked yet: it is decided */
		*err = s->refusal;
		rc = err->code;
	}
	return rc;
}

static void supervisor_free(struct supervisor *s)
{
	int dir = s->options->state_fd;
	if (s->ending && dir >= 0) {
		unlinkat(dir, PIDS_FILE, 0);
		unlinkat(dir, GATEWAY_SOCKET, 0);
	}
	peers_close(s);
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		post_let_go(&s->posts[i]);
	retired_let_go(s);
	for (uint32_t i = 0; i < s->socket_count; i++)
		close(s->sockets[i].fd);
	held_table_drop(&s->in_force);
	held_table_drop(&s->saved);
	held_table_drop(&s->way.next);
	memfd_unmap(s->counters, s->counters_size);
	loop_free(s->loop);
	int rest[] = {s->offered_fd, s->counters_fd, s->access_log_fd, s->lock_fd};
	for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
		if (rest[i] >= 0)
			close(rest[i]);
	free(s);
}

int gateway_supervisor_run(const struct supervisor_options *options, struct error *err)
{
	struct supervisor *s = mem_zero(1, sizeof *s);
	supervisor_init(s, options);
	int rc = loop_new(&s->loop, err);
	if (rc < 0) {
		free(s);
		return rc;
	}
	s->env = loop_env(s->loop);
	rc = supervisor_start(s, err);
	if (rc == 0) {
		log_event(LOG_INFO, "gateway.runs", "workers=%u", s->worker_count);
		loop_run(s->loop);
	}
	supervisor_free(s);
	return rc;
}
