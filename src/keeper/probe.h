/* SPDX-License-Identifier: Apache-2.0
 *
 * probe - asks an instance once whether it is healthy: HTTP, HTTP/2 and gRPC, TCP or a command.
 *
 * HOW   probe_start(); `done` is called exactly once, perhaps from within, unless probe_cancel()
 *       came first.
 *       An HTTP answer's status line decides; the rest is read and dropped, so that the server can end
 *       the conversation in peace.
 * TIME  No longer than the spec's timeout_ms.
 * LIMITS PROBE_ANSWER_BYTES of an answer are read.
 */
#ifndef KEEPER_PROBE_H
#define KEEPER_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "keeper/probe_http2.h"
#include "link/instance.h"
#include "os/loop.h"
#include "os/process.h"

enum { PROBE_ANSWER_BYTES = 64 * 1024, PROBE_LINE_BYTES = 64, PROBE_REQUEST_BYTES = 1024 };

struct probe {
	struct loop *loop;
	const struct instance_health *health;
	/* One probe ended. `sentence` says how, valid during the call. */
	void (*done)(void *context, bool passed, const char *sentence);
	void *context;

	/* The probe's own. */
	bool busy; /* started and not done */
	uint16_t port;
	int fd;
	struct loop_watch *watch;
	struct env_timer timer;
	struct process process;    /* of a command */
	struct probe_http2 *http2; /* NULL: by something else */
	char request[PROBE_REQUEST_BYTES];
	size_t request_size, request_sent;
	char line[PROBE_LINE_BYTES]; /* how the answer begins */
	size_t line_size, answer_size;
};

/* Fill in loop, health, done and context first. */
void probe_init(struct probe *probe);

/* HTTP, HTTP/2, gRPC and TCP. */
void probe_start_port(struct probe *probe, uint16_t port);

/* A command: `spec` is what to run it with. */
void probe_start_command(struct probe *probe, const struct process_spec *spec);

void probe_cancel(struct probe *probe); /* also when nothing is under way */

#endif
