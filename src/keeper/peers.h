/* SPDX-License-Identifier: Apache-2.0
 *
 * peers - who is connected to the keeper: the controller's runtime driver, now and then a second one.
 *
 * HOW   Messages that arrive go to `arrived`, which answers with peers_answer(). peers_tell() sends the
 *       status to all that watch. A peer that takes nothing for a while gets the newest status when it
 *       does again, not all that it missed.
 * LIMITS PEERS_MAX connections; one more takes the place of the oldest.
 */
#ifndef KEEPER_PEERS_H
#define KEEPER_PEERS_H

#include <stdbool.h>

#include "link/keeper_messages.h"
#include "os/loop.h"

enum { PEERS_MAX = 8 };

struct peers;

struct peer {
	struct peers *peers;
	int fd; /* -1: free */
	struct loop_watch *watch;
	bool watching;
	bool behind; /* the newest status is still to be sent */
	uint64_t since;
};

struct peers {
	struct loop *loop;
	void (*arrived)(void *context, struct peer *peer, const struct keeper_message *message);
	const struct instance_status *(*status)(void *context);
	void *context;

	int listen_fd;
	struct loop_watch *watch;
	struct peer list[PEERS_MAX];
	uint64_t count; /* of connections, ever */
};

/* Fill in loop, arrived, status and context first. */
int peers_open(struct peers *peers, int dir_fd, struct error *err) MUST_CHECK;
void peers_end(struct peers *peers, int dir_fd);

void peers_tell(struct peers *peers);
void peers_watch(struct peer *peer); /* and tell it now */
void peers_answer(struct peer *peer, const struct keeper_message *message);

#endif
