/* SPDX-License-Identifier: Apache-2.0
 * builtin_pairs - see builtin_state.h for the contract.
 *
 * Workers connect here when they have something to tell. What does not fit into a socket they drop: this side may take
 * its time, and takes a few pairs a turn. */
#include <unistd.h>

#include "base/log.h"
#include "drivers/router/builtin_state.h"

enum { PAIRS_A_TURN = 16 };

static void drop(struct teller *t)
{
	loop_watch_stop(t->talk);
	if (t->fd >= 0)
		close(t->fd);
	*t = (struct teller){.fd = -1};
}

static void tells(void *context, int events)
{
	struct teller *t = context;
	struct builtin *b = t->builtin;
	static uint8_t bytes[CHANNEL_MESSAGE_MAX];
	static struct shadow_pair pair;
	(void)events;
	for (int i = 0; i < PAIRS_A_TURN; i++) {
		struct error err;
		int size = channel_receive(t->fd, bytes, NULL, NULL, &err);
		if (size == ERR_RETRY)
			return;
		if (size < 0 || shadow_pair_read(bytes, (size_t)size, &pair, &err) < 0) {
			drop(t);
			return;
		}
		if (b->router.compared)
			b->router.compared(b->router.context, &pair);
	}
}

static struct teller *free_place(struct builtin *b)
{
	for (uint32_t i = 0; i < BUILTIN_TELLERS; i++)
		if (b->tellers[i].fd < 0)
			return &b->tellers[i];
	return NULL;
}

static void come(void *context, int events)
{
	struct builtin *b = context;
	struct channel_peer peer;
	struct error err;
	int fd;
	(void)events;
	while (channel_accept(b->pairs_fd, &fd, &peer, &err) == 0) {
		struct teller *t = free_place(b);
		if (!t) {
			close(fd);
			continue;
		}
		*t = (struct teller){.builtin = b, .fd = fd};
		if (loop_watch_start(b->loop, fd, LOOP_READ, tells, t, &t->talk, &err) < 0)
			drop(t);
	}
}

void builtin_pairs_open(struct builtin *b)
{
	struct error err;
	b->pairs_fd = -1;
	for (uint32_t i = 0; i < BUILTIN_TELLERS; i++)
		b->tellers[i].fd = -1;
	int code = channel_listen(b->state_fd, SHADOW_SOCKET, &b->pairs_fd, &err);
	if (code == 0)
		code = loop_watch_start(b->loop, b->pairs_fd, LOOP_READ, come, b, &b->pairs, &err);
	if (code < 0)
		log_event(LOG_WARNING, "router.pairs", "error=\"%s\"", err.text);
}

void builtin_pairs_close(struct builtin *b)
{
	for (uint32_t i = 0; i < BUILTIN_TELLERS; i++)
		drop(&b->tellers[i]);
	loop_watch_stop(b->pairs);
	if (b->pairs_fd >= 0)
		close(b->pairs_fd);
}
