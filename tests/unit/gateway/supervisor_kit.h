/* SPDX-License-Identifier: Apache-2.0
 *
 * supervisor_kit - a gateway supervisor in a directory of its own, a controller's end to talk to it, and
 *                  clients that keep asking; for tests and benchmarks.
 *
 * HOW   The test's main() gives kit_role() the first word: the same binary is supervisor and worker.
 */
#ifndef TESTS_SUPERVISOR_KIT_H
#define TESTS_SUPERVISOR_KIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "link/counters.h"
#include "link/gateway_messages.h"
#include "link/table.h"

enum { KIT_DEADLINE_MS = 15000, KIT_CLIENTS = 8, KIT_REFUSED = -2 };

struct kit {
	char dir[64];
	char program[96]; /* of the supervisor; "" = this one */
	int dir_fd;
	pid_t supervisor; /* 0 = none */
	uint32_t workers;
	int channel; /* -1 = not attached */
	uint64_t sequence;
	uint64_t generation;
	uint64_t n; /* version of the router document */
	uint16_t port;
	struct gateway_status status; /* the last one heard */
	struct counters *counters;
	size_t counters_size;
	uint64_t welcome_generation; /* of the table that came with WELCOME; 0 = none */
	pid_t load;
	int load_pipe;
};

/* Be what the arguments say; returns -1 for "the test itself", else the exit code. */
int kit_role(int argc, char **argv);

void kit_open(struct kit *kit, uint32_t workers);
void kit_start(struct kit *kit, const char *failpoint); /* the supervisor; NULL = none */
void kit_other_build(struct kit *kit);                  /* the next one is another file */
void kit_attach(struct kit *kit);                       /* and wait for WELCOME */
void kit_detach(struct kit *kit);
void kit_kill(struct kit *kit);      /* -9, the supervisor alone */
void kit_await_end(struct kit *kit); /* of the supervisor, by itself */
void kit_await_gone(pid_t pid);
void kit_close(struct kit *kit); /* SIGTERM; checks that nothing is left */

/* A table with one environment on the kit's port; `tag` of its only release. */
struct gateway_table *kit_table(struct kit *kit, const char *tag);
uint64_t kit_offer(struct kit *kit, const struct gateway_table *table); /* returns its sequence */
/* Wait for the RESULT of `sequence`; false when the supervisor went away instead. */
bool kit_result(struct kit *kit, uint64_t sequence, struct gateway_result *ret_result);
/* kit_table(), kit_offer(), kit_result(), all well. */
void kit_apply(struct kit *kit, const char *tag, struct gateway_result *ret_result);
void kit_await_status(struct kit *kit, uint32_t alive, uint64_t seen);

/* Ask once on a new connection: the generation that answered, KIT_REFUSED when nobody listens, or -1. */
int64_t kit_request(uint16_t port);
pid_t kit_worker_pid(const struct kit *kit, uint32_t index);
uint16_t kit_free_port(void);

/* Clients on kept connections, asking all the time, each next as soon as it has its answer. */
void kit_load_start(struct kit *kit);
void kit_load_stop(struct kit *kit, uint64_t *ret_answered, uint64_t *ret_failed);

#endif
