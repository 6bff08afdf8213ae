/* SPDX-License-Identifier: Apache-2.0
 *
 * worker_link - a worker's end of the conversation with its supervisor: tables, listening sockets, the
 *               wish to drain; and the way back to a supervisor that was started anew.
 *
 * HOW   gateway_worker_main() is what the supervisor executes. It waits for SETUP and hands a struct
 *       worker_setup to gateway_worker_run() (gateway/worker.h). The worker gives the link its ops,
 *       watches worker_link_fd() for reading, level-triggered, and calls worker_link_turn() then: all
 *       callbacks come from inside that. The link never blocks.
 *         prepare   a table that may come into force (`saved`: it was on disk when the machine came up).
 *                   Build what serving it needs. Only the newest
 *                   prepared one can be committed; one that was prepared before it and never committed
 *                   is dropped. Failure: the table is refused for the whole gateway, with your sentence.
 *         commit    counters_active() has it: use it, if a request has not made you do so already,
 *                   and stop watching (EPOLL_CTL_DEL) listening sockets that it does not name: they are
 *                   closed on return, but stay open in other processes. Wake what is parked.
 *                   `seen` must have been stored when it returns; the link then tells the supervisor.
 *         drain     accept nothing any more, finish what there is until the deadline, then return from
 *                   gateway_worker_run(). May come twice, with a shorter deadline.
 *       The same table may be prepared and committed again, after a supervisor came back.
 *
 * OWNS  The table given to prepare() is the worker's (table_free()), even when it fails. Listening sockets
 *       stay the link's. The setup's memory and descriptors live until gateway_worker_run() returns.
 *
 * TIME  Without its supervisor a worker serves on, and tries to reach a new one every
 *       WORKER_LINK_RETRY_MS. It drains by itself when there can be none: the state directory is removed,
 *       or it never had one (`davit gateway --table`) and its supervisor is gone.
 *
 * SEE   link/gateway_messages.h, gateway/supervisor.h, tests/unit/gateway/test_supervisor.c
 */
#ifndef GATEWAY_WORKER_LINK_H
#define GATEWAY_WORKER_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "link/counters.h"
#include "link/table.h"

enum {
	WORKER_LINK_RETRY_MS = 20,
	WORKER_LINK_ORPHAN_DRAIN_MS =
		10000, /* the deadline of the drain that a worker decides on */
	WORKER_LINK_IDLE_MS =
		500, /* for a request that is on its way, in a drain that does not wait for clients */
};

struct worker_link;

struct worker_link_ops {
	/* listener_fds[i] is the socket of table->listeners[i]. */
	int (*prepare)(void *worker, struct gateway_table *table, const int *listener_fds,
		       bool saved, struct error *err);
	void (*commit)(void *worker, uint64_t generation);
	/* End with the last client, at the latest after deadline_ms. Idle connections stay for idle_ms: whoever asks
	 * meanwhile gets an answer, and is told that it was the last one. No listening socket is there afterwards. */
	void (*drain)(void *worker, uint32_t deadline_ms, uint32_t idle_ms);
};

struct worker_setup {
	struct worker_link *link;
	uint32_t index; /* its place in the counters; already taken by counters_attach() */
	struct counters *counters;
	struct counters_worker_block *block;
	int access_log_fd; /* -1 = there is none */
	int state_fd;      /* the state directory; -1 = it has none */
};

/* What `davit gateway-worker ...` is; argv[0] is "gateway-worker". Returns the exit code. */
int gateway_worker_main(int argc, char **argv);

/* Begin: the link starts to read, and to call. `ops` must stay. */
void worker_link_start(struct worker_link *link, const struct worker_link_ops *ops, void *worker);

int worker_link_fd(const struct worker_link *link);
void worker_link_turn(struct worker_link *link);

#endif
