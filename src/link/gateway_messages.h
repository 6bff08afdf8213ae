/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_messages - what the controller, the gateway's supervisor and its workers say to each other over
 *                    os/channel.h.
 *
 * WHAT  The supervisor listens as D/gateway.sock. A connection's first message says who is there: ATTACH
 *       (the controller; the newest one has the word) or JOIN (a worker). Tables, counters, listening
 *       sockets and the access log travel beside a message as descriptors.
 *
 * HOW   controller                     supervisor                       each worker
 *         ATTACH            ──────────►
 *               ◄──────────  WELCOME [counters, table]
 *         APPLY [table]     ──────────►  LISTEN [sockets]   ──────────►
 *                                        PREPARE [table]    ──────────►
 *                                                           ◄──────────  PREPARED (or why not)
 *                                        the table is written to disk,
 *                                        its generation stored in the counters: from here on it holds
 *                                        COMMIT             ──────────►
 *                                                           ◄──────────  SEEN
 *               ◄──────────  RESULT
 *         ASK               ──────────►
 *               ◄──────────  STATUS (also unasked, when a worker dies or is back)
 *                                        DRAIN              ──────────►  (ends when it has drained)
 *                                        RETIRE             ──────────►  (the same, and waits for clients)
 *
 *       A worker that starts says JOIN with `fresh` and gets SETUP [counters, access log], LISTEN, PREPARE
 *       and COMMIT of the table in force. One whose supervisor died comes back with JOIN [counters]
 *       and hands the listening sockets over (LISTEN, until `listener_count` are there), and gets
 *       SETUP all the same.
 *       LEAVE comes from a supervisor that was started in the place of this one: it ends at once, and
 *       leaves its workers to the new one.
 *       A worker of another build of davit than its supervisor hands its sockets over too, and is told to RETIRE
 *       once workers of the supervisor's own build serve: it takes no new connection, answers with `Connection:
 *       close`, and ends with its last client. So JOIN, LISTEN, LEAVE and RETIRE have for good the form that they
 *       have here, and are read whatever the ABI; tables and counters of another ABI are those workers' own affair.
 *       PREPARE_SAVED is PREPARE of the table that was on disk when the machine came up: then a site whose
 *       certificate cannot be read is left out alone.
 *       COMMIT, DRAIN and RETIRE arrive at a descriptor that the worker's loop watches: they are its wake-up.
 *
 * UNITS An answer carries the `sequence` of its question; what nobody asked for carries 0. Times are
 *       microseconds where the name says so.
 * ERRORS gateway_message_read() gives ERR_UNSUPPORTED for another ABI and ERR_CORRUPT for everything else
 *       that is not exactly one message; the reader then ends the connection.
 * LIMITS GATEWAY_MESSAGE_MAX bytes; GATEWAY_LISTEN_MAX sockets in one LISTEN.
 * SEE   link/table.h, link/counters.h, gateway/supervisor.h, gateway/worker_link.h,
 *       tests/unit/link/test_gateway_messages.c, tests/fuzz/fuzz_gateway_messages.c
 */
#ifndef LINK_GATEWAY_MESSAGES_H
#define LINK_GATEWAY_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "link/table.h"

#define GATEWAY_SOCKET "gateway.sock" /* its name in the state directory */

enum {
	GATEWAY_ABI = 3,
	GATEWAY_MESSAGE_MAX = 4096,
	GATEWAY_LISTEN_MAX = 16,
	GATEWAY_TEXT_SIZE = ERROR_TEXT_MAX,
};

#define GATEWAY_MESSAGES(X)     \
	X(ATTACH, "attach")     \
	X(WELCOME, "welcome")   \
	X(APPLY, "apply")       \
	X(RESULT, "result")     \
	X(ASK, "ask")           \
	X(STATUS, "status")     \
	X(LEAVE, "leave")       \
	X(JOIN, "join")         \
	X(SETUP, "setup")       \
	X(LISTEN, "listen")     \
	X(PREPARE, "prepare")   \
	X(PREPARED, "prepared") \
	X(COMMIT, "commit")     \
	X(SEEN, "seen")         \
	X(DRAIN, "drain")       \
	X(RETIRE, "retire")     \
	X(PREPARE_SAVED, "prepare-saved")

enum gateway_message_type {
	GATEWAY_NONE,
#define X(name, text) GATEWAY_##name,
	GATEWAY_MESSAGES(X)
#undef X
		GATEWAY_MESSAGE_COUNT
};

/* How far the supervisor and its workers are. In WELCOME and STATUS. */
struct gateway_status {
	uint64_t generation; /* of the table in force; 0 = none yet */
	uint64_t newest;     /* that was ever accepted: the next one must be above */
	uint64_t seen;       /* every worker that serves uses this generation or a later one */
	uint32_t workers;    /* that there should be */
	uint32_t alive;      /* that serve */
	uint32_t restarts;   /* of workers, since this supervisor started */
	uint32_t pid;        /* of the supervisor */
	uint32_t
		uncounted; /* workers that retire and count elsewhere: what they have in flight is not known */
};

/* The answer to APPLY, and of a worker to PREPARE (there only code and text count). */
struct gateway_result {
	uint64_t generation;
	int32_t code;                 /* 0, or a negative enum err: then nothing has changed */
	uint32_t workers;             /* that have seen it */
	uint32_t prepare_us;          /* until all workers were prepared */
	uint32_t persist_us;          /* until the table was safe on disk */
	uint32_t seen_us;             /* from the commit until the last worker used it */
	char text[GATEWAY_TEXT_SIZE]; /* why not */
};

struct gateway_join {
	uint32_t index; /* the worker's place in the counters */
	uint32_t pid;
	bool fresh;              /* just started: it has nothing */
	uint32_t listener_count; /* sockets that it will hand over */
};

struct gateway_listen {
	uint32_t count; /* as many descriptors are beside the message, in this order */
	char addresses[GATEWAY_LISTEN_MAX][TABLE_ADDRESS_SIZE];
};

struct gateway_message {
	enum gateway_message_type type;
	uint64_t sequence;
	union {
		struct gateway_status status; /* WELCOME, STATUS */
		struct gateway_result result; /* RESULT, PREPARED */
		struct gateway_join join;
		struct gateway_listen listen;
		uint64_t generation;  /* APPLY, PREPARE, PREPARE_SAVED, COMMIT, SEEN */
		uint32_t index;       /* SETUP */
		uint32_t deadline_ms; /* DRAIN, RETIRE */
	};
};

/* The number of bytes written to `to`, which has room for GATEWAY_MESSAGE_MAX. */
size_t gateway_message_write(const struct gateway_message *message, void *to);

int gateway_message_read(const void *bytes, size_t size, struct gateway_message *ret_message,
			 struct error *err) MUST_CHECK;

const char *gateway_message_name(enum gateway_message_type type);

#endif
