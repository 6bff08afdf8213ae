/* SPDX-License-Identifier: Apache-2.0
 * supervisor_peers - see supervisor_state.h.
 *
 * Who connects is a stranger until the first message; a stranger is worth one slot and nothing else. */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "gateway/supervisor_state.h"

static void drop_controller(struct supervisor *s)
{
	loop_watch_stop(s->controller);
	s->controller = NULL;
	if (s->controller_fd >= 0)
		close(s->controller_fd);
	s->controller_fd = -1;
	s->attached = false;
}

static void tell(struct supervisor *s, const struct gateway_message *m, const int *fds,
		 size_t count)
{
	if (s->controller_fd >= 0 && s->attached &&
	    supervisor_say(s->controller_fd, m, fds, count) < 0)
		drop_controller(s); /* it comes back when it can read again */
}

void peers_tell_status(struct supervisor *s)
{
	struct gateway_message m = {.type = GATEWAY_STATUS, .status = supervisor_status(s)};
	tell(s, &m, NULL, 0);
}

void peers_tell_result(struct supervisor *s, uint64_t sequence, const struct gateway_result *result)
{
	struct gateway_message m = {
		.type = GATEWAY_RESULT, .sequence = sequence, .result = *result};
	if (sequence != 0)
		tell(s, &m, NULL, 0);
}

void peers_welcome_controller(struct supervisor *s)
{
	struct gateway_message m = {.type = GATEWAY_WELCOME,
				    .sequence = s->attach_sequence,
				    .status = supervisor_status(s)};
	int fds[2] = {s->counters_fd, s->in_force.fd};
	if (s->controller_fd < 0 || s->attached || s->recovering)
		return;
	s->attached = true;
	tell(s, &m, fds, s->in_force.fd >= 0 ? 2 : 1);
}

static void controller_says(struct supervisor *s, const struct gateway_message *m, int *fds,
			    size_t count)
{
	if (m->type == GATEWAY_APPLY && count == 1 && s->attached) {
		tables_offer(s, fds[0], m->sequence);
		return;
	}
	channel_close_fds(fds, count);
	if (m->type == GATEWAY_ASK && count == 0) {
		struct gateway_message answer = {.type = GATEWAY_STATUS,
						 .sequence = m->sequence,
						 .status = supervisor_status(s)};
		tell(s, &answer, NULL, 0);
	} else {
		drop_controller(s);
	}
}

static void controller_talks(void *supervisor, int events)
{
	struct supervisor *s = supervisor;
	(void)events;
	while (s->controller_fd >= 0) {
		struct gateway_message message;
		int fds[CHANNEL_FDS_MAX];
		size_t count;
		int rc = supervisor_hear(s, s->controller_fd, &message, fds, &count);
		if (rc == ERR_RETRY)
			return;
		if (rc > 0)
			controller_says(s, &message, fds, count);
		else
			drop_controller(s);
	}
}

static void attach(struct supervisor *s, int fd, uint64_t sequence)
{
	struct error err;
	drop_controller(s);
	s->controller_fd = fd;
	s->attach_sequence = sequence;
	if (loop_watch_start(s->loop, fd, LOOP_READ, controller_talks, s, &s->controller, &err) <
	    0) {
		drop_controller(s);
		return;
	}
	peers_welcome_controller(s);
}

/* The connection leaves the stranger's slot; it is closed, or somebody's from here on. */
static int leave_slot(struct stranger *stranger)
{
	int fd = stranger->fd;
	loop_watch_stop(stranger->talk);
	stranger->talk = NULL;
	stranger->fd = -1;
	return fd;
}

static void stranger_talks(void *slot, int events)
{
	struct stranger *stranger = slot;
	struct supervisor *s = stranger->supervisor;
	struct gateway_message message;
	int fds[CHANNEL_FDS_MAX];
	size_t count;
	(void)events;
	int rc = supervisor_hear(s, stranger->fd, &message, fds, &count);
	if (rc == ERR_RETRY)
		return;
	int fd = leave_slot(stranger);
	if (rc > 0 && message.type == GATEWAY_ATTACH && count == 0) {
		attach(s, fd, message.sequence);
	} else if (rc > 0 && message.type == GATEWAY_JOIN) {
		post_come_back(s, fd, stranger->pid, &message.join, fds, count);
		channel_close_fds(fds, count);
	} else {
		if (rc > 0)
			channel_close_fds(fds, count);
		close(fd);
		if (rc > 0 && message.type == GATEWAY_LEAVE) {
			log_event(LOG_INFO, "gateway.leaves", "to=%d", (int)stranger->pid);
			loop_stop(s->loop);
		}
	}
}

void peers_door(void *supervisor, int events)
{
	struct supervisor *s = supervisor;
	struct channel_peer peer;
	struct error err;
	int fd;
	(void)events;
	while (channel_accept(s->door_fd, &fd, &peer, &err) == 0) {
		struct stranger *slot = NULL;
		for (int i = 0; i < SUPERVISOR_STRANGERS && !slot; i++)
			if (s->strangers[i].fd < 0)
				slot = &s->strangers[i];
		if (!slot) {
			close(fd);
			continue;
		}
		slot->fd = fd;
		slot->pid = peer.pid;
		if (loop_watch_start(s->loop, fd, LOOP_READ, stranger_talks, slot, &slot->talk,
				     &err) < 0)
			close(leave_slot(slot));
	}
}

void peers_close(struct supervisor *s)
{
	drop_controller(s);
	for (int i = 0; i < SUPERVISOR_STRANGERS; i++)
		if (s->strangers[i].fd >= 0)
			close(leave_slot(&s->strangers[i]));
	loop_watch_stop(s->door);
	if (s->door_fd >= 0)
		close(s->door_fd);
	s->door_fd = -1;
}
