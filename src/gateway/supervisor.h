/* SPDX-License-Identifier: Apache-2.0
 *
 * supervisor - the gateway's supervisor: holds the listening sockets, the counters and the last table,
 *              keeps the workers running, and brings a new table into force in all of them at once.
 *
 * WHAT  One process, one loop, no request ever passes through it. It serves on without a controller; its
 *       workers serve on without it.
 *
 * HOW   Files in the state directory: gateway.sock (link/gateway_messages.h), gateway.lock (one supervisor
 *       at a time), gateway.pids (the workers, for a successor), table (the last table in force),
 *       table.reserve (room for the next one).
 *       A new table: fenced against the one in force (gateway/fence.h), its new listeners opened, sent to
 *       all workers, and when every one is prepared: written to disk, committed, the workers woken,
 *       and answered when each has seen it. Until the commit any failure changes nothing.
 *       A table that the disk does not take, not even with the reserve, comes into force nevertheless: it
 *       may be the one that takes a bad release away from users. Then the older one is removed from disk,
 *       durably and before the commit, so that it never comes back, and writing is tried again at every
 *       tick; whoever starts meanwhile after all workers died has no table, and waits for the controller's.
 *       (docs/adr/0004-room-for-the-way-back.md)
 *       One table at a time; one more waits, a newer one takes its place.
 *       Started again after a kill -9: the workers that are alive come back and hand over the sockets and
 *       the counters; only when none is alive are they made anew. Then the table on disk is brought into
 *       force, and missing workers are started.
 *       A worker that dies is replaced: at once, or after a pause that grows while it dies young. One that
 *       shows no life for SUPERVISOR_HUNG_MS is killed: nobody may keep a table from the others.
 *
 *       Started as another build of davit than the workers that come back: they hand over the sockets and serve on,
 *       until workers of this build serve at the same sockets; then they retire, which no client notices. They count
 *       on in the same counters, unless these have another ABI. A build that cannot serve changes nothing.
 *
 *       Started beside one that still runs (its launcher was killed): the old one is told to leave, and
 *       its workers are taken over in the same way. Only one that does not react is killed.
 *
 * TIME  SIGTERM: all workers drain, at most for SUPERVISOR_QUIT_MS, then everything ends; a second one
 *       does not wait. SIGINT is ignored, for Ctrl-C reaches a whole process group; standalone it means
 *       SIGTERM. SIGHUP opens the access log anew, and standalone reads the table again.
 *
 * ERRORS A table is refused with ERR_CONFLICT (older than what holds), ERR_DENIED (an address cannot be
 *       listened on), ERR_TIMEOUT (a worker did not answer), or what a worker said.
 * LIMITS COUNTERS_WORKERS workers.
 * SEE   gateway/standalone.h, tests/unit/gateway/test_supervisor.c, tests/bench/bench_commit.c
 */
#ifndef GATEWAY_SUPERVISOR_H
#define GATEWAY_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "link/table.h"

enum {
	SUPERVISOR_ADOPT_MS = 5000,   /* for workers that are alive to come back; most take 20 ms */
	SUPERVISOR_PREPARE_MS = 3000, /* for all workers to be prepared */
	SUPERVISOR_HUNG_MS = 5000,    /* without a sign of life */
	SUPERVISOR_QUIT_MS = 10000,   /* drain at SIGTERM */
	SUPERVISOR_RETIRE_MS = 600000, /* for the clients of workers of another build to go */
	SUPERVISOR_LEAVE_MS = 2000,    /* for another supervisor to leave */
	SUPERVISOR_TICK_MS = 500,
	SUPERVISOR_RESERVE_BYTES = TABLE_BYTES_MAX, /* for the largest table */
	SUPERVISOR_YOUNG_MS = 1000,                 /* a worker that dies before has died young */
	SUPERVISOR_PAUSE_FIRST_MS = 100,
	SUPERVISOR_PAUSE_MOST_MS = 5000,
};

struct supervisor_options {
	int state_fd;     /* the state directory; -1 = none: nothing is kept, workers end with it */
	uint32_t workers; /* 0 = one a core */
	const char *access_log; /* a file, appended to; NULL = none */
	const char *machine;    /* this machine's name, "" if it has none */
	/* Standalone: the table to serve, read again at SIGHUP, and what reads it; NULL else. */
	const char *table_file;
	int (*table_read)(const char *file, struct gateway_table *ret_table, struct error *err);
};

/*
 * Run until told to end. 0 after an orderly end; ERR_CONFLICT when another supervisor does not give the
 * state directory up; standalone also what is wrong with the first table.
 */
int gateway_supervisor_run(const struct supervisor_options *options, struct error *err) MUST_CHECK;

#endif
