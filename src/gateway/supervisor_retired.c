/* SPDX-License-Identifier: Apache-2.0
 * supervisor_retired - see supervisor_state.h.
 *
 * A gateway is replaced by another build of itself without a word to its clients: the new supervisor takes the
 * sockets from the old workers, starts workers of its own at the same sockets, and when these serve the old
 * ones retire. Until then they go on as they were, so that a build that cannot serve does no harm. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/supervisor_state.h"

static bool is_free(const struct retired *r)
{
	return r->process.pid == 0;
}

static void let_go(struct retired *r)
{
	loop_watch_stop(r->death);
	if (r->channel_fd >= 0)
		close(r->channel_fd);
	process_done(&r->process);
	memset(r, 0, sizeof *r);
}

static void died(void *retired, int events)
{
	struct retired *r = retired;
	struct supervisor *s = r->supervisor;
	(void)events;
	log_event(LOG_INFO, "gateway.worker-retired", "pid=%d", (int)r->process.pid);
	if (s->counters && r->place < s->counters->place_count)
		counters_settle(s->counters, r->place);
	let_go(r);
	if (s->ending) {
		supervisor_ended_check(s);
		return;
	}
	posts_write_pids(s);
	peers_tell_status(s);
}

static struct retired *find_free(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		if (is_free(&s->retired[i]))
			return &s->retired[i];
	return NULL;
}

/* Takes the process and the channel. False: there is no room, and nothing was taken. */
static bool take(struct supervisor *s, struct process *process, uint32_t place, int channel_fd)
{
	struct retired *r = find_free(s);
	struct error err;
	if (!r)
		return false;
	*r = (struct retired){.supervisor = s,
			      .process = *process,
			      .place = place,
			      .channel_fd = channel_fd,
			      .told = channel_fd < 0};
	if (loop_watch_start(s->loop, process->pidfd, LOOP_READ, died, r, &r->death, &err) < 0) {
		memset(r, 0, sizeof *r);
		return false;
	}
	*process = PROCESS_NONE;
	return true;
}

void retired_take_posts(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_POSTS; i++) {
		struct post *p = &s->posts[i];
		if (p->phase != POST_WAITING || !p->other_build)
			continue;
		loop_watch_stop(p->death);
		loop_watch_stop(p->talk);
		p->death = p->talk = NULL;
		pid_t pid = p->process.pid;
		if (take(s, &p->process, p->place, p->channel_fd)) {
			log_event(LOG_INFO, "gateway.worker-outdated", "pid=%d", (int)pid);
			p->channel_fd = -1;
		} else {
			post_kill(p, "there are too many that retire already");
		}
		post_let_go(p);
	}
}

void retired_expect(struct supervisor *s, uint32_t place, pid_t pid, uint64_t start_ticks)
{
	struct process process;
	struct error err;
	if (process_adopt(pid, start_ticks, &process, &err) < 0)
		return;
	if (!take(s, &process, place, -1))
		process_done(&process);
}

/* RETIRE is understood whatever the ABI; DRAIN, where it is, does not wait for clients that are idle. */
static void say_end(const struct retired *r)
{
	static const enum gateway_message_type types[] = {GATEWAY_RETIRE, GATEWAY_DRAIN};
	for (size_t i = 0; i < 2 && !is_free(r) && r->channel_fd >= 0; i++) {
		struct gateway_message m = {.type = types[i], .deadline_ms = SUPERVISOR_QUIT_MS};
		supervisor_say(r->channel_fd, &m, NULL, 0);
	}
}

bool retired_come_back(struct supervisor *s, int fd, pid_t pid)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++) {
		struct retired *r = &s->retired[i];
		if (is_free(r) || r->process.pid != pid)
			continue;
		if (r->channel_fd >= 0)
			close(r->channel_fd);
		r->channel_fd = fd;
		r->told = false;
		if (s->ending)
			say_end(r);
		else
			retired_tell(s);
		return true;
	}
	return false;
}

/* Do our own workers serve, all of them? */
static bool ours_serve(const struct supervisor *s)
{
	if (!s->in_force.table || s->recovering)
		return false;
	for (uint32_t i = 0; i < s->worker_count; i++)
		if (s->posts[i].phase != POST_SERVING ||
		    s->posts[i].seen < s->in_force.table->generation)
			return false;
	return true;
}

static bool is_to_be_told(const struct retired *r)
{
	return !is_free(r) && !r->told && r->channel_fd >= 0;
}

/* It is written down first: one that retires speaks to nobody any more, and a supervisor that followed this one in
 * between and waited for it would end it for that. One that was not told comes back, and is told then. */
void retired_tell(struct supervisor *s)
{
	struct gateway_message m = {.type = GATEWAY_RETIRE, .deadline_ms = SUPERVISOR_RETIRE_MS};
	bool due[SUPERVISOR_RETIRED], any = false;
	if (s->ending || !ours_serve(s))
		return;
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++) {
		due[i] = is_to_be_told(&s->retired[i]);
		s->retired[i].told |= due[i];
		any |= due[i];
	}
	if (any)
		posts_write_pids(s);
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++) {
		struct retired *r = &s->retired[i];
		if (!due[i] || supervisor_say(r->channel_fd, &m, NULL, 0) == 0)
			continue;
		close(r->channel_fd); /* it comes back, or it is dead */
		r->channel_fd = -1;
	}
}

void retired_end(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		say_end(&s->retired[i]);
}

void retired_kill(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		if (!is_free(&s->retired[i]))
			process_signal(&s->retired[i].process, SIGKILL);
}

uint32_t retired_count(const struct supervisor *s)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		count += !is_free(&s->retired[i]);
	return count;
}

uint32_t retired_uncounted(const struct supervisor *s)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		count += !is_free(&s->retired[i]) && s->retired[i].place == POST_NO_PLACE;
	return count;
}

bool retired_has_place(const struct supervisor *s, uint32_t place)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		if (!is_free(&s->retired[i]) && s->retired[i].place == place)
			return true;
	return false;
}

void retired_forget_places(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		s->retired[i].place = POST_NO_PLACE;
}

void retired_write_pids(const struct supervisor *s, struct buf *to)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		if (!is_free(&s->retired[i]))
			buf_printf(to, "%s %u %d %llu\n", s->retired[i].told ? "retired" : "serves",
				   s->retired[i].place, (int)s->retired[i].process.pid,
				   (unsigned long long)s->retired[i].process.start);
}

void retired_let_go(struct supervisor *s)
{
	for (uint32_t i = 0; i < SUPERVISOR_RETIRED; i++)
		if (!is_free(&s->retired[i]))
			let_go(&s->retired[i]);
}
