/* SPDX-License-Identifier: Apache-2.0
 *
 * counters - what the gateway's workers count, in memory that all share; and the word by which a table is committed.
 *
 * WHAT  One segment (a memfd): a header, then per worker a block of its own state, and per worker and
 *       stats slot a block of numbers. A worker writes only its own blocks. Numbers only grow and are
 *       never reset: readers keep what they read last and take differences.
 *       A release counts by route class (link/table.h; class 0 is every request that no class names), and nothing besides: its
 *       own numbers are the sum over its classes. Those that never counted are never touched: their pages do not exist.
 * HOW   The supervisor makes the segment (counters_format()) and passes it on by SCM_RIGHTS; everyone
 *       maps it and calls counters_check() once. A worker takes its place with counters_attach().
 *       Writes are relaxed single-writer stores; a reader may see one number a request earlier than
 *       another, never a torn or a smaller one.
 *       Commit: the supervisor stores a generation to `active_generation` (release) and wakes the
 *       workers; one that has it prepared uses it from the next request on and stores it to `seen`.
 *       In force is one that `seen` of every live worker has reached.
 * SLOTS A release (in an environment), a backend (an instance) and an environment keep their stats_slot
 *       from table to table. A slot that no table names any more may be given to another once `oldest`
 *       of every live worker has passed the last generation that named it: then no request counts into
 *       it any more. It keeps its numbers; whoever gives it away takes a snapshot as the new baseline.
 * PLACES More than workers that serve: while a build is replaced by another, workers of both count, each in its own.
 * A DEAD WORKER leaves requests that will never complete. counters_settle() adds the difference to `lost`, so that in
 *       flight = started - completed - lost is right again; so does whoever takes its place.
 * UNITS Histograms are in microseconds, base/histogram.h. Sizes are bytes.
 * SEE   link/table.h for the slots' limits, tests/unit/link/test_counters.c
 */
#ifndef LINK_COUNTERS_H
#define LINK_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/histogram.h"
#include "link/table.h"

enum {
	COUNTERS_ABI = 7,
	COUNTERS_WORKERS = 64, /* that serve */
	COUNTERS_PLACES = 128,
	COUNTERS_RELEASES = TABLE_RELEASES_MAX,
	COUNTERS_CLASSES = TABLE_ENVIRONMENT_CLASSES_MAX + 1,
	COUNTERS_BACKENDS = TABLE_BACKENDS_MAX,
	COUNTERS_ENVIRONMENTS = TABLE_ENVIRONMENTS_MAX,
};

/* Per class of a release. Every request that was given to it is started once and completed once.
 * Errors are 5XX, FAILED_*, NO_BACKEND, QUEUE_FULL and QUEUE_TIMEOUT; one that is REPEATED is the same client's blind second try. */
#define COUNTERS_RELEASE_FIELDS(X)                                                           \
	X(STARTED, started)       /* given to this release */                                \
	X(ANSWERED, answered)     /* the head of its answer came, or it failed before */     \
	X(COMPLETED, completed)   /* ended, however */                                       \
	X(LOST, lost)             /* in flight in a worker that died */                      \
	X(STATUS_1XX, status_1xx) /* by the release's own answer; 101 counts here */         \
	X(STATUS_2XX, status_2xx)                                                            \
	X(STATUS_3XX, status_3xx)                                                            \
	X(STATUS_4XX, status_4xx)                                                            \
	X(STATUS_5XX, status_5xx)                                                            \
	X(FAILED_CONNECT, failed_connect) /* no backend took the connection */               \
	X(FAILED_RESET, failed_reset)     /* connection lost before the answer was whole */  \
	X(FAILED_TIMEOUT, failed_timeout) /* no head, or no further byte, in time */         \
	X(FAILED_ANSWER, failed_answer)   /* what came is not HTTP, or beyond the limits */  \
	X(NO_BACKEND, no_backend)         /* it had no backend that may take a request */    \
	X(QUEUED, queued)                 /* waited for a connection to it */                \
	X(QUEUE_FULL, queue_full)         /* no place to wait: 503 */                        \
	X(QUEUE_TIMEOUT, queue_timeout)   /* waited too long: 503 */                         \
	X(QUEUE_GONE, queue_gone)         /* the client left while it waited */              \
	X(REPEATED, repeated)             /* of the errors: see traffic/repeat.h */          \
	X(DIVIDED, divided)               /* of STARTED: drawn by weight, each for itself */ \
	X(DIVIDED_DONE, divided_done)     /* of those: came to an outcome, or got lost */    \
	X(CANCELLED, cancelled)           /* the client went away first */                   \
	X(RETRIES, retries)               /* sent once more, to this release */              \
	X(RESCUED, rescued)               /* failed here, answered by the live release */    \
	X(SHIELDED, shielded)             /* 5xx here, answered by the live release */       \
	X(UPGRADED, upgraded)             /* became tunnels */                               \
	X(TUNNELS_ENDED, tunnels_ended)                                                      \
	X(BYTES_IN, bytes_in)             /* bodies from clients */                          \
	X(BYTES_OUT, bytes_out)           /* bodies to clients */                            \
	X(SHADOW_SENT, shadow_sent)       /* copies that this release got as a mirror */     \
	X(SHADOW_DROPPED, shadow_dropped) /* not copied, or given up: over the budget */     \
	X(SHADOW_2XX, shadow_2xx)                                                            \
	X(SHADOW_3XX, shadow_3xx)                                                            \
	X(SHADOW_4XX, shadow_4xx)                                                            \
	X(SHADOW_5XX, shadow_5xx)                                                            \
	X(SHADOW_FAILED, shadow_failed)                                                      \
	X(SHADOW_PAIRS, shadow_pairs)       /* both answers were whole, and are compared */  \
	X(SHADOW_DIFFER, shadow_differ)     /* of those: not the same */                     \
	X(SHADOW_UNPAIRED, shadow_unpaired) /* answered, and one of the two was not whole */ \
	X(SHADOW_UNTOLD, shadow_untold)     /* of the pairs: chosen, and nobody took them */ \
	X(NOISE_SENT, noise_sent)           /* copies for the live release itself */         \
	X(NOISE_PAIRS, noise_pairs)                                                          \
	X(NOISE_DIFFER, noise_differ)                                                        \
	X(NOISE_UNPAIRED, noise_unpaired)

/* Per environment: what happens before a release is chosen. */
#define COUNTERS_ENVIRONMENT_FIELDS(X)                                            \
	X(REQUESTS, requests)                                                     \
	X(HELD, held)                   /* had to wait */                         \
	X(HELD_RELEASED, held_released) /* waited, and then went to a release */  \
	X(HELD_TIMEOUT, held_timeout)   /* waited too long: 503 */                \
	X(HELD_GONE, held_gone)         /* the client left, or its worker died */ \
	X(HOLD_OVERFLOW, hold_overflow) /* no room to wait: 503 */                \
	X(MAINTENANCE, maintenance)     /* answered 503, read-only too */         \
	X(UNROUTED, unrouted)           /* no release has a process that serves the route */

/* Per backend. Tries, and copies for a mirror, are started and completed; of a request that was tried here last ANSWERED and
 * ERRORS say what its release counted: those of all its backends sum to the release's, but for requests that found none. */
#define COUNTERS_BACKEND_FIELDS(X)                                                          \
	X(STARTED, started)                                                                 \
	X(COMPLETED, completed)                                                             \
	X(LOST, lost)                                                                       \
	X(ANSWERED, answered)                                                               \
	X(ERRORS, errors)                                                                   \
	X(FAILED, failed) /* tries, of which another one may have been answered */          \
	X(FAILED_IN_A_ROW, failed_in_a_row) /* the one number here that goes down: state */ \
	X(EJECTED, ejected)                 /* times */                                     \
	X(CONNECTS, connects)

/* Per worker: what belongs to no environment. */
#define COUNTERS_WORKER_FIELDS(X)                                                               \
	X(ACCEPTED, accepted)                                                                   \
	X(CLOSED, closed)                                                                       \
	X(REFUSED, refused)               /* connections over a limit */                        \
	X(BAD_REQUESTS, bad_requests)     /* answered 4xx by the parser */                      \
	X(NO_ROUTE, no_route)             /* answered 404: no environment here has this host */ \
	X(SLOW_CLIENTS, slow_clients)     /* 408, or closed for their pace */                   \
	X(LOG_DROPPED, log_dropped)       /* access log lines that the log did not take */      \
	X(TLS_HANDSHAKES, tls_handshakes) /* that were completed */                             \
	X(TLS_RESUMED, tls_resumed)       /* of those: with a ticket */                         \
	X(TLS_FAILED, tls_failed)         /* handshakes that were not */

#define X(upper, lower) COUNTERS_RELEASE_##upper,
enum counters_release_field { COUNTERS_RELEASE_FIELDS(X) COUNTERS_RELEASE_COUNT };
#undef X
#define X(upper, lower) COUNTERS_ENVIRONMENT_##upper,
enum counters_environment_field { COUNTERS_ENVIRONMENT_FIELDS(X) COUNTERS_ENVIRONMENT_COUNT };
#undef X
#define X(upper, lower) COUNTERS_BACKEND_##upper,
enum counters_backend_field { COUNTERS_BACKEND_FIELDS(X) COUNTERS_BACKEND_COUNT };
#undef X
#define X(upper, lower) COUNTERS_WORKER_##upper,
enum counters_worker_field { COUNTERS_WORKER_FIELDS(X) COUNTERS_WORKER_COUNT };
#undef X

enum counters_histogram {
	COUNTERS_CONNECT, /* a new connection to a backend */
	COUNTERS_FIRST,   /* request taken to head of the answer */
	COUNTERS_TOTAL,   /* request taken to end of the answer; tunnels are not in it */
	COUNTERS_HISTOGRAM_COUNT
};

typedef _Atomic uint64_t counters_cell; /* written with counters_add() and counters_set() only */
struct counters_release_block {         /* of one class of it */
	_Alignas(64) counters_cell values[COUNTERS_RELEASE_COUNT];
};

struct counters_histogram_block { /* of one class of a release */
	_Alignas(64) counters_cell counts[COUNTERS_HISTOGRAM_COUNT][HISTOGRAM_BUCKETS];
};

struct counters_environment_block {
	_Alignas(64) counters_cell values[COUNTERS_ENVIRONMENT_COUNT];
};

struct counters_backend_block {
	_Alignas(64) counters_cell values[COUNTERS_BACKEND_COUNT];
};

struct counters_worker_block {
	_Alignas(64) counters_cell pid; /* 0 = nobody; stays after a death until it is settled */
	counters_cell prepared;         /* the newest generation that it could use */
	counters_cell seen;             /* the one it uses now */
	counters_cell oldest;           /* the oldest generation that a request of it still uses */
	counters_cell beat_ms;          /* monotonic, at least every 500 ms while it is well */
	counters_cell connections;      /* of clients, now */
	counters_cell values[COUNTERS_WORKER_COUNT];
	counters_cell counted[COUNTERS_RELEASES]; /* bit i: its class i has counted here */
	struct counters_environment_block environments[COUNTERS_ENVIRONMENTS];
	struct counters_backend_block backends[COUNTERS_BACKENDS];
	struct counters_release_block releases[COUNTERS_RELEASES][COUNTERS_CLASSES];
	struct counters_histogram_block histograms[COUNTERS_RELEASES][COUNTERS_CLASSES];
};

struct counters {
	_Alignas(64) char magic[8];
	uint32_t abi;
	uint32_t worker_count; /* that serve: bounds of all together are divided by it */
	uint32_t place_count;
	uint64_t size;
	uint64_t segment; /* random; tells a reader that it reads another gateway's life */
	char machine[TABLE_NAME_SIZE];
	_Alignas(64) counters_cell active_generation;
	struct counters_worker_block workers[];
};

static inline void counters_set(counters_cell *cell, uint64_t value)
{
	atomic_store_explicit(cell, value, memory_order_relaxed);
}

static inline uint64_t counters_get(const counters_cell *cell)
{
	return atomic_load_explicit((counters_cell *)cell, memory_order_relaxed);
}

/* Only by the cell's one writer. */
static inline void counters_add(counters_cell *cell, uint64_t amount)
{
	counters_set(cell, counters_get(cell) + amount);
}

/* Count for a class of a release: the worker of `block` alone. */
static inline void counters_count(struct counters_worker_block *block, uint32_t slot,
				  uint32_t class, enum counters_release_field field,
				  uint64_t amount)
{
	uint64_t counted = counters_get(&block->counted[slot]);
	if (!(counted >> class & 1))
		counters_set(&block->counted[slot], counted | UINT64_C(1) << class);
	counters_add(&block->releases[slot][class].values[field], amount);
}

/* A latency of a request that was counted before. */
static inline void counters_time(struct counters_worker_block *block, uint32_t slot, uint32_t class,
				 enum counters_histogram histogram, uint64_t us)
{
	counters_add(&block->histograms[slot][class].counts[histogram][histogram_index(us)], 1);
}

/* Bytes of a segment with so many places: mostly never touched, so that they cost nothing. */
size_t counters_size(uint32_t place_count);

/* Make counters_size() zero bytes a segment. */
void counters_format(struct counters *memory, uint32_t worker_count, uint32_t place_count,
		     uint64_t segment, const char *machine);

/* ERR_CORRUPT when it is not a segment of this ABI, or `size` is too small for it. */
int counters_check(const struct counters *memory, size_t size, struct error *err) MUST_CHECK;

/* counters_settle(), and the place is the process's. */
struct counters_worker_block *counters_attach(struct counters *memory, uint32_t place,
					      uint64_t pid);
/* The owner of the place is dead: what it left in flight goes to `lost`, and the place is nobody's. */
void counters_settle(struct counters *memory, uint32_t place);

/* The generation to use, with everything that was written before the commit. */
uint64_t counters_active(const struct counters *memory);
void counters_commit(struct counters *memory, uint64_t generation);

/* The least `seen` (and `oldest`) of the workers that have a pid; 0 when there is none. */
uint64_t counters_seen(const struct counters *memory);
uint64_t counters_oldest(const struct counters *memory);

/* What a reader keeps, and what may travel: the sum over the workers, or a difference of two sums. */
struct counters_release {
	uint64_t values[COUNTERS_RELEASE_COUNT];
	uint64_t histograms[COUNTERS_HISTOGRAM_COUNT][HISTOGRAM_BUCKETS];
};

struct counters_class { /* of a release: what a judge reads */
	uint64_t values[COUNTERS_RELEASE_COUNT];
	uint64_t first[HISTOGRAM_BUCKETS]; /* COUNTERS_FIRST */
};
struct counters_environment {
	uint64_t values[COUNTERS_ENVIRONMENT_COUNT];
};
struct counters_backend { /* FAILED_IN_A_ROW: the most of any worker */
	uint64_t values[COUNTERS_BACKEND_COUNT];
};

struct counters_totals {
	uint64_t connections; /* of clients, now */
	uint64_t values[COUNTERS_WORKER_COUNT];
};

void counters_sum_release(const struct counters *memory, uint32_t slot,
			  struct counters_release *ret_sum);
void counters_sum_class(const struct counters *memory, uint32_t slot, uint32_t class,
			struct counters_class *ret_sum);
void counters_sum_environment(const struct counters *memory, uint32_t slot,
			      struct counters_environment *ret_sum);
void counters_sum_backend(const struct counters *memory, uint32_t slot,
			  struct counters_backend *ret_sum);
void counters_sum_totals(const struct counters *memory, struct counters_totals *ret_sum);

/* now - base, field by field; a field that is smaller than its base (never, of one segment) gives 0. */
void counters_difference(const struct counters_release *now, const struct counters_release *base,
			 struct counters_release *ret_difference);
/* In flight now: started - completed - lost, never below 0. */
uint64_t counters_release_in_flight(const struct counters_release *sum);
uint64_t counters_backend_in_flight(const struct counters_backend *sum);

/* "started", "status_2xx", …: the names under which the numbers appear in JSON. */
const char *counters_release_name(enum counters_release_field field);
const char *counters_environment_name(enum counters_environment_field field);
const char *counters_backend_name(enum counters_backend_field field);
const char *counters_worker_name(enum counters_worker_field field);

#endif
