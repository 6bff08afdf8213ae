/* SPDX-License-Identifier: Apache-2.0
 * peers - see peers.h for the contract. */
#include "keeper/peers.h"

#include <fcntl.h>
#include <unistd.h>

#include "os/channel.h"

static const char socket_name[] = "keeper.sock";

static void drop(struct peer *peer)
{
	loop_watch_stop(peer->watch);
	peer->watch = NULL;
	close(peer->fd);
	peer->fd = -1;
}

/* A peer that cannot be reached is dropped; one that is slow gets the newest status later. */
static void send_to(struct peer *peer, const struct keeper_message *message)
{
	char bytes[KEEPER_MESSAGE_MAX];
	struct error err;
	int code =
		channel_send(peer->fd, bytes, keeper_message_write(message, bytes), NULL, 0, &err);
	if (code == ERR_RETRY && message->kind == KEEPER_STATUS) {
		peer->behind = true;
		loop_watch_change(peer->watch, LOOP_READ | LOOP_WRITE);
	} else if (code < 0) {
		drop(peer);
	}
}

static void send_status(struct peer *peer)
{
	struct keeper_message message = {.kind = KEEPER_STATUS,
					 .status = *peer->peers->status(peer->peers->context)};
	peer->behind = false;
	send_to(peer, &message);
}

static void receive(struct peer *peer)
{
	static char bytes[CHANNEL_MESSAGE_MAX]; /* one thread; too large for a stack */
	while (peer->fd >= 0) {
		struct error err;
		struct keeper_message message;
		int size = channel_receive(peer->fd, bytes, NULL, NULL, &err);
		if (size == ERR_RETRY)
			return;
		if (size < 0 || keeper_message_read(bytes, (size_t)size, &message, &err) < 0) {
			drop(peer);
			return;
		}
		peer->peers->arrived(peer->peers->context, peer, &message);
	}
}

static void on_peer(void *context, int events)
{
	struct peer *peer = context;
	if (events & (LOOP_READ | LOOP_GONE))
		receive(peer);
	if (peer->fd >= 0 && (events & LOOP_WRITE) && peer->behind) {
		loop_watch_change(peer->watch, LOOP_READ);
		send_status(peer);
	}
}

static struct peer *find_place(struct peers *peers)
{
	struct peer *oldest = &peers->list[0];
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers->list[i].fd < 0)
			return &peers->list[i];
		if (peers->list[i].since < oldest->since)
			oldest = &peers->list[i];
	}
	drop(oldest);
	return oldest;
}

static void on_connect(void *context, int events)
{
	struct peers *peers = context;
	int fd;
	struct channel_peer who;
	struct error err;
	(void)events;
	while (channel_accept(peers->listen_fd, &fd, &who, &err) == 0) {
		struct peer *peer = find_place(peers);
		*peer = (struct peer){.peers = peers, .fd = fd, .since = peers->count++};
		if (loop_watch_start(peers->loop, fd, LOOP_READ, on_peer, peer, &peer->watch,
				     &err) < 0)
			drop(peer);
	}
}

int peers_open(struct peers *peers, int dir_fd, struct error *err)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		peers->list[i].fd = -1;
	int code = channel_listen(dir_fd, socket_name, &peers->listen_fd, err);
	if (code == 0)
		code = loop_watch_start(peers->loop, peers->listen_fd, LOOP_READ, on_connect, peers,
					&peers->watch, err);
	return code;
}

void peers_end(struct peers *peers, int dir_fd)
{
	/* First the name: nobody is to knock at a door that closes. */
	unlinkat(dir_fd, socket_name, 0);
	loop_watch_stop(peers->watch);
	close(peers->listen_fd);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers->list[i].fd >= 0)
			drop(&peers->list[i]);
}

void peers_tell(struct peers *peers)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers->list[i].fd >= 0 && peers->list[i].watching)
			send_status(&peers->list[i]);
}

void peers_watch(struct peer *peer)
{
	peer->watching = true;
	send_status(peer);
}

void peers_answer(struct peer *peer, const struct keeper_message *message)
{
	if (peer->fd >= 0)
		send_to(peer, message);
}
