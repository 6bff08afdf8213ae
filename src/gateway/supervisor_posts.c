/* SPDX-License-Identifier: Apache-2.0
 * supervisor_posts - see supervisor_state.h.
 *
 * A worker is watched twice: its pidfd tells its death, its channel what it says. Whatever goes wrong on
 * the channel, the worker itself decides to come back; one that does not is killed by post_tick(). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "gateway/supervisor_state.h"
#include "os/file.h"
#include "os/memfd.h"

#define PIDS_FILE "gateway.pids"

enum {
	HUNG_TICKS = SUPERVISOR_HUNG_MS / SUPERVISOR_TICK_MS,
	ADOPT_TICKS = SUPERVISOR_ADOPT_MS / SUPERVISOR_TICK_MS,
	PIDS_MAX_BYTES = 64 * (SUPERVISOR_POSTS + SUPERVISOR_RETIRED),
};

void post_init(struct supervisor *s, uint32_t index)
{
	struct post *p = &s->posts[index];
	p->supervisor = s;
	p->process = PROCESS_NONE;
	p->channel_fd = -1;
	p->start.fire = post_start;
	p->start.context = p;
}

/* For a supervisor that follows this one. A lost file costs it time, nothing else. */
void posts_write_pids(struct supervisor *s)
{
	struct buf text;
	struct error err;
	if (s->options->state_fd < 0)
		return;
	buf_init(&text, PIDS_MAX_BYTES);
	buf_puts(&text, "");
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		if (s->posts[i].phase != POST_NONE)
			buf_printf(&text, "serves %u %d %llu\n", s->posts[i].place,
				   (int)s->posts[i].process.pid,
				   (unsigned long long)s->posts[i].process.start);
	retired_write_pids(s, &text);
	if (file_write(s->options->state_fd, PIDS_FILE, buf_text(&text), text.size, 0600, &err) < 0)
		log_event(LOG_WARNING, "gateway.pids", "why=\"%s\"", err.text);
	buf_done(&text);
}

/* Does it run another program than we do? A file that was replaced is another one, under the same name too. */
static bool other_build(pid_t pid)
{
	char path[32];
	struct stat theirs, ours;
	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	if (stat(path, &theirs) != 0 || stat("/proc/self/exe", &ours) != 0)
		return false;
	return theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino;
}

static struct post *free_post(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		if (s->posts[i].phase == POST_NONE)
			return &s->posts[i];
	return NULL;
}

struct known_worker {
	bool retired;
	uint32_t place;
	pid_t pid;
	uint64_t start;
};

/* One line of the file: the word, place, pid and start time. NULL at its end, or where it makes no sense. */
static const char *read_known(const char *line, struct known_worker *ret_worker)
{
	static const char serves[] = "serves ", retired[] = "retired ";
	char *end;
	ret_worker->retired = strncmp(line, retired, sizeof retired - 1) == 0;
	if (!ret_worker->retired && strncmp(line, serves, sizeof serves - 1) != 0)
		return NULL;
	line += ret_worker->retired ? sizeof retired - 1 : sizeof serves - 1;
	unsigned long place = strtoul(line, &end, 10);
	unsigned long pid = strtoul(end, &end, 10);
	ret_worker->start = strtoull(end, &end, 10);
	if (*end != '\n' || pid == 0 || pid > INT32_MAX || place > POST_NO_PLACE)
		return NULL;
	ret_worker->place = (uint32_t)place;
	ret_worker->pid = (pid_t)pid;
	return end + 1;
}

/* Those of our own build first: posts beyond the number of workers are empty once the others have left theirs. */
void posts_read_pids(struct supervisor *s)
{
	struct buf text;
	struct error err;
	struct known_worker k;
	buf_init(&text, PIDS_MAX_BYTES);
	bool there = s->options->state_fd >= 0 &&
		     file_read(s->options->state_fd, PIDS_FILE, &text, &err) == 0;
	for (int pass = 0; pass < 2 && there; pass++)
		for (const char *at = buf_text(&text); (at = read_known(at, &k));) {
			struct post *p = free_post(s);
			if (k.retired && pass == 0)
				retired_expect(s, k.place, k.pid, k.start);
			else if (!k.retired && other_build(k.pid) == (pass == 1) && p)
				post_expect(p, k.pid, k.start);
		}
	buf_done(&text);
}

static void drop_channel(struct post *p)
{
	loop_watch_stop(p->talk);
	p->talk = NULL;
	if (p->channel_fd >= 0)
		close(p->channel_fd);
	p->channel_fd = -1;
}

void post_let_go(struct post *p)
{
	drop_channel(p);
	loop_watch_stop(p->death);
	p->death = NULL;
	process_done(&p->process);
	p->phase = POST_NONE;
	p->supervisor->env->ops->timer_stop(p->supervisor->env, &p->start);
}

static void schedule_start(struct post *p)
{
	struct supervisor *s = p->supervisor;
	uint64_t lived = env_now_ms(s->env) - p->started_ms;
	if (lived >= SUPERVISOR_YOUNG_MS)
		p->pause_ms = 0;
	else if (p->pause_ms == 0)
		p->pause_ms = SUPERVISOR_PAUSE_FIRST_MS;
	else
		p->pause_ms = p->pause_ms * 2 < SUPERVISOR_PAUSE_MOST_MS ? p->pause_ms * 2
									 : SUPERVISOR_PAUSE_MOST_MS;
	s->env->ops->timer_start(s->env, &p->start, p->pause_ms);
}

static void died(void *post, int events)
{
	struct post *p = post;
	struct supervisor *s = p->supervisor;
	struct process_end end = {.code = -1};
	(void)events;
	if (p->child && process_ended(&p->process, &end))
		process_reap(&p->process);
	log_event(s->ending ? LOG_INFO : LOG_WARNING, "gateway.worker-ended",
		  "worker=%u pid=%d code=%d signal=%d", p->place, (int)p->process.pid, end.code,
		  end.signal);
	bool was_expected = s->recovering;
	if (s->counters && p->place < s->counters->place_count)
		counters_settle(s->counters, p->place);
	post_let_go(p);
	if (s->ending) {
		supervisor_ended_check(s);
		return;
	}
	posts_write_pids(s);
	tables_post_left(p);
	if (was_expected) {
		supervisor_recovery_check(s);
		return;
	}
	s->restarts++;
	schedule_start(p);
	peers_tell_status(s);
}

static int watch_process(struct post *p, bool child, struct error *err)
{
	p->child = child;
	p->uses = !child;
	p->idle_ticks = 0;
	p->seen = 0;
	p->started_ms = env_now_ms(p->supervisor->env);
	p->phase = POST_AWAITED;
	return loop_watch_start(p->supervisor->loop, p->process.pidfd, LOOP_READ, died, p,
				&p->death, err);
}

void post_expect(struct post *p, pid_t pid, uint64_t start_ticks)
{
	struct error err;
	if (process_adopt(pid, start_ticks, &p->process, &err) < 0)
		return; /* it has died as well */
	p->place = POST_NO_PLACE;
	p->other_build = other_build(pid);
	if (watch_process(p, false, &err) < 0)
		post_let_go(p);
}

void post_setup(struct post *p)
{
	struct supervisor *s = p->supervisor;
	struct gateway_message m = {.type = GATEWAY_SETUP, .index = p->place};
	int fds[2] = {s->counters_fd, s->access_log_fd};
	post_say(p, &m, fds, s->access_log_fd >= 0 ? 2 : 1);
}

/* Of another build it may not understand DRAIN, but does RETIRE, whatever its ABI. */
void post_end(struct post *p)
{
	struct gateway_message m = {.type = GATEWAY_RETIRE, .deadline_ms = SUPERVISOR_QUIT_MS};
	if (p->other_build)
		post_say(p, &m, NULL, 0);
	m.type = GATEWAY_DRAIN;
	post_say(p, &m, NULL, 0);
}

/* All its sockets are there, or it had none: it is one of ours now. */
static void joined(struct post *p)
{
	struct supervisor *s = p->supervisor;
	p->phase = POST_WAITING;
	p->idle_ticks = 0;
	if (s->ending) {
		post_end(p);
	} else if (s->recovering) {
		supervisor_recovery_check(s);
	} else {
		tables_post_back(p);
		peers_tell_status(s);
	}
}

static void take_sockets(struct post *p, const struct gateway_listen *listen, int *fds)
{
	struct supervisor *s = p->supervisor;
	for (uint32_t i = 0; i < listen->count; i++) {
		if (!s->recovering || sockets_find(s, listen->addresses[i]) ||
		    s->socket_count == SUPERVISOR_SOCKETS) {
			close(fds[i]); /* we have it already */
			continue;
		}
		struct listening *socket = &s->sockets[s->socket_count++];
		memset(socket, 0, sizeof *socket);
		text_copy(socket->address, sizeof socket->address, listen->addresses[i]);
		socket->fd = fds[i];
		socket->in_force = true;
	}
	p->sockets_left -= listen->count;
	if (p->sockets_left == 0)
		joined(p);
}

static void on_message(struct post *p, const struct gateway_message *m, int *fds, size_t count)
{
	if (m->type == GATEWAY_LISTEN && p->phase == POST_HANDING && count == m->listen.count &&
	    count <= p->sockets_left) {
		take_sockets(p, &m->listen, fds);
		return;
	}
	channel_close_fds(fds, count);
	if (m->type == GATEWAY_JOIN && m->join.fresh && p->phase == POST_AWAITED)
		joined(p);
	else if (m->type == GATEWAY_PREPARED && p->phase == POST_SERVING)
		tables_prepared(p, &m->result);
	else if (m->type == GATEWAY_SEEN && p->phase == POST_SERVING)
		tables_seen(p, m->generation);
	else
		post_kill(p, "it says what it should not");
}

static void talks(void *post, int events)
{
	struct post *p = post;
	struct supervisor *s = p->supervisor;
	(void)events;
	while (p->channel_fd >= 0) {
		struct gateway_message message;
		int fds[CHANNEL_FDS_MAX];
		size_t count;
		int rc = supervisor_hear(s, p->channel_fd, &message, fds, &count);
		if (rc == ERR_RETRY)
			return;
		if (rc > 0) {
			on_message(p, &message, fds, count);
			continue;
		}
		/* It ends, or it lost the thread and comes back. */
		drop_channel(p);
		p->phase = POST_AWAITED;
		p->idle_ticks = 0;
	}
}

static int take_channel(struct post *p, int fd, struct error *err)
{
	drop_channel(p);
	p->channel_fd = fd;
	return loop_watch_start(p->supervisor->loop, fd, LOOP_READ, talks, p, &p->talk, err);
}

/* The lowest place that nobody counts in. */
static int find_place(struct post *p, struct error *err)
{
	struct supervisor *s = p->supervisor;
	for (uint32_t place = 0; place < s->counters->place_count; place++) {
		bool taken = retired_has_place(s, place);
		for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
			taken |= s->posts[i].phase != POST_NONE && s->posts[i].place == place;
		if (taken)
			continue;
		p->place = place;
		p->other_build = false;
		return 0;
	}
	return error_set(err, ERR_LIMIT,
			 "All places are taken by workers that still end what they began.");
}

static int spawn(struct post *p, struct error *err)
{
	struct supervisor *s = p->supervisor;
	char index[16];
	int pair[2], rc = find_place(p, err);
	if (rc < 0)
		return rc;
	snprintf(index, sizeof index, "%u", p->place);
	const char *argv[] = {"/proc/self/exe", "gateway-worker",
			      s->options->state_fd >= 0 ? "state" : "alone", index, NULL};
	rc = channel_pair(pair, err);
	if (rc < 0)
		return rc;
	struct process_spec spec = {.argv = argv,
				    .input = pair[1],
				    .output = s->options->state_fd,
				    .errors = STDERR_FILENO};
	rc = process_spawn(&spec, &p->process, err);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	rc = watch_process(p, true, err);
	if (rc == 0)
		rc = take_channel(p, pair[0], err);
	return rc;
}

void post_start(void *post)
{
	struct post *p = post;
	struct supervisor *s = p->supervisor;
	struct error err;
	if (s->ending || p->phase != POST_NONE)
		return;
	if (spawn(p, &err) == 0) {
		log_event(LOG_INFO, "gateway.worker-started", "worker=%u pid=%d", p->place,
			  (int)p->process.pid);
		posts_write_pids(s);
		return;
	}
	log_event(LOG_ERROR, "gateway.worker-failed", "why=\"%s\"", err.text);
	if (p->process.pidfd >= 0)
		process_signal(&p->process, SIGKILL);
	post_let_go(p);
	p->started_ms = env_now_ms(s->env);
	schedule_start(p);
}

/* Whose worker is it? Its counters must be ours, or become ours. */
static int take_counters(struct supervisor *s, int fd, struct error *err)
{
	struct stat ours, theirs;
	void *memory;
	size_t size;
	if (s->counters) {
		if (fstat(s->counters_fd, &ours) != 0 || fstat(fd, &theirs) != 0 ||
		    ours.st_ino != theirs.st_ino)
			return error_set(err, ERR_CONFLICT, "its counters are not the gateway's");
		return 0;
	}
	int rc = memfd_map(fd, counters_size(COUNTERS_PLACES), &memory, &size, err);
	if (rc < 0)
		return rc;
	rc = counters_check(memory, size, err);
	if (rc < 0) {
		memfd_unmap(memory, size);
		return rc;
	}
	s->counters = memory;
	s->counters_size = size;
	s->counters_fd = dup(fd);
	s->worker_count = s->counters->worker_count;
	return 0;
}

static void hold_table(struct supervisor *s, int fd)
{
	struct held_table held = {.fd = -1};
	struct error err;
	int copy = dup(fd);
	if (copy < 0 || held_table_take(&held, copy, &err) < 0)
		return;
	bool newer = !s->in_force.table || held.table->generation > s->in_force.table->generation;
	if (s->recovering && newer) {
		held_table_drop(&s->in_force);
		s->in_force = held;
	} else {
		held_table_drop(&held);
	}
}

static struct post *post_of(struct supervisor *s, pid_t pid)
{
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++)
		if (s->posts[i].phase != POST_NONE && s->posts[i].process.pid == pid)
			return &s->posts[i];
	return NULL;
}

/* Two must never count in one place. */
static void kill_stray(pid_t pid)
{
	struct process stray;
	struct error err;
	if (process_adopt(pid, process_start_of(pid), &stray, &err) < 0)
		return;
	log_event(LOG_WARNING, "gateway.worker-stray", "pid=%d", (int)pid);
	process_signal(&stray, SIGKILL);
	process_done(&stray);
}

/* Where it counts. Of another build it may do so elsewhere: it is not to stay. */
static int take_place(struct post *p, uint32_t place, int counters_fd, struct error *err)
{
	struct supervisor *s = p->supervisor;
	int rc = take_counters(s, counters_fd, err);
	if (rc == 0 && place >= s->counters->place_count)
		rc = error_set(err, ERR_CORRUPT, "there is no such place");
	p->place = rc == 0 ? place : POST_NO_PLACE;
	return p->other_build ? 0 : rc;
}

/* A worker that outlived our predecessor, or lost the thread; takes `fd`, not the descriptors. */
void post_come_back(struct supervisor *s, int fd, pid_t pid, const struct gateway_join *join,
		    int *fds, size_t fd_count)
{
	struct error err;
	if (join->fresh || fd_count < 1 || fd_count > 2 || (pid_t)join->pid != pid) {
		close(fd);
		return;
	}
	if (retired_come_back(s, fd, pid))
		return;
	struct post *p = post_of(s, pid);
	if (!p && s->recovering && (p = free_post(s)))
		post_expect(p, pid, process_start_of(pid));
	if (!p || p->process.pid != pid) {
		close(fd);
		kill_stray(pid);
		return;
	}
	int rc = take_channel(p, fd, &err);
	if (rc == 0)
		rc = take_place(p, join->index, fds[0], &err);
	if (rc < 0) {
		post_kill(p, err.text);
		return;
	}
	if (fd_count == 2)
		hold_table(s, fds[1]);
	p->phase = POST_HANDING;
	p->idle_ticks = 0;
	p->sockets_left = join->listener_count;
	log_event(LOG_INFO, "gateway.worker-back", "worker=%u pid=%d", join->index, (int)pid);
	if (p->sockets_left == 0)
		joined(p);
}

void post_say(struct post *p, const struct gateway_message *message, const int *fds,
	      size_t fd_count)
{
	if (p->channel_fd >= 0 &&
	    supervisor_say(p->channel_fd, message, fds, fd_count) == ERR_RETRY)
		post_kill(p, "it does not read what it is told");
}

/* Its death comes from the loop, as any other. */
void post_kill(struct post *p, const char *why)
{
	log_event(LOG_ERROR, "gateway.worker-killed", "worker=%u pid=%d why=\"%s\"", p->place,
		  (int)p->process.pid, why);
	process_signal(&p->process, SIGKILL);
}

void post_tick(struct post *p)
{
	struct supervisor *s = p->supervisor;
	if (p->phase == POST_NONE)
		return;
	p->idle_ticks++;
	if (p->phase == POST_SERVING && s->counters) {
		uint64_t beat = counters_get(&s->counters->workers[p->place].beat_ms);
		if (beat != p->beat)
			p->idle_ticks = 0;
		p->beat = beat;
		if (p->idle_ticks >= HUNG_TICKS)
			post_kill(p, "it shows no life");
	} else if (p->phase != POST_WAITING && p->idle_ticks >= ADOPT_TICKS) {
		post_kill(p, "it does not speak to its supervisor");
	}
}
