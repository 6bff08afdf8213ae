/* SPDX-License-Identifier: Apache-2.0
 *
 * rig - one real worker on a thread of the test, with the test as its supervisor, its clients and its
 *       backends. Everything the test does waits with a deadline; nothing sleeps.
 */
#ifndef TESTS_GATEWAY_RIG_H
#define TESTS_GATEWAY_RIG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/counters.h"
#include "link/table.h"

enum { RIG_BACKENDS = 3, RIG_WAIT_MS = 5000, RIG_CLOSE_MS = 2000, RIG_TEXT_SIZE = 1 << 20 };

struct rig {
	struct counters *counters;
	int listen_fd;
	int backend_fds[RIG_BACKENDS]; /* they listen; 0 is v2's, 1 and 2 are v1's */
	char address[TABLE_ADDRESS_SIZE];
	char backend_addresses[RIG_BACKENDS][TABLE_ADDRESS_SIZE];
	struct gateway_table *table; /* change it, then rig_apply() */
	pthread_t thread;
	int log_fds[2]; /* a pipe: the access log */
	char state[32]; /* a directory, */
	int state_fd;   /* where a test may be the controller */
};

/* A worker that serves example_table(): v2 with weight 0, v1 with all. */
struct rig *rig_start(void);

/* As above, but backend 1 alone is ready, as most tests want one backend. */
struct rig *rig_start_one(void);
void rig_apply(struct rig *rig); /* returns when the worker uses it */
void rig_drain(struct rig *rig, uint32_t deadline_ms);
void rig_retire(struct rig *rig,
		uint32_t deadline_ms); /* the same, and waits for clients that are idle */
void rig_stop(struct rig *rig);        /* drain, and check that nothing is in flight */

int rig_connect(struct rig *rig);
int rig_accept(struct rig *rig, int backend);   /* a connection of the worker to a backend */
bool rig_pending(struct rig *rig, int backend); /* is there one to accept, now */

void rig_send(int fd, const char *text);
void rig_send_bytes(int fd, const void *bytes, size_t size);

/* Read until `end` has come; returns all that was read, in memory that the next call uses again. */
const char *rig_until(int fd, const char *end);
const char *rig_read(int fd, size_t size); /* exactly that many bytes */
bool rig_closed(
	int fd); /* the peer ends it soon, without another byte: sooner than an idle timeout would */
bool rig_quiet(int fd); /* nothing to read now */

uint64_t rig_release(struct rig *rig, uint32_t slot, enum counters_release_field field);
uint64_t rig_class(struct rig *rig, uint32_t slot, uint32_t class,
		   enum counters_release_field field);
uint64_t rig_backend(struct rig *rig, uint32_t slot, enum counters_backend_field field);
uint64_t rig_environment(struct rig *rig, enum counters_environment_field field);
uint64_t rig_worker(struct rig *rig, enum counters_worker_field field);

#define RIG_WAIT_FOR(condition)                               \
	do {                                                  \
		uint64_t until_ = rig_now_ms() + RIG_WAIT_MS; \
		while (!(condition)) {                        \
			assert_true(rig_now_ms() < until_);   \
			rig_yield();                          \
		}                                             \
	} while (0)

uint64_t rig_now_ms(void);
void rig_yield(void);

#define rig_assert_text(text, part)                                \
	do {                                                       \
		const char *text_ = (text);                        \
		if (!strstr(text_, part))                          \
			fail_msg("no \"%s\" in: %s", part, text_); \
	} while (0)

#endif
