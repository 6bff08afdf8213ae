/* SPDX-License-Identifier: Apache-2.0
 *
 * builtin_state - what the parts of the builtin router share; nobody else includes it.
 *
 * WHAT  builtin.c          requests and their answers
 *       builtin_gateway.c  the supervisor: connection, tables, what it serves
 *       builtin_observe.c  what is in force, and the numbers
 *       builtin_pairs.c    answers to mirrored requests, as workers tell of them (link/shadow_pair.h)
 *       builtin_table.c    documents to tables and back
 *
 * OWNS  Everything hangs on struct builtin, on the heap until the router is freed.
 */
#ifndef DRIVERS_ROUTER_BUILTIN_STATE_H
#define DRIVERS_ROUTER_BUILTIN_STATE_H

#include "base/env.h"
#include "drivers/router/builtin.h"
#include "drivers/router/builtin_table.h"
#include "link/counters.h"
#include "link/gateway_messages.h"
#include "link/shadow_pair.h"
#include "os/channel.h"

/* What the controller asked, and how to answer. */
struct request {
	bool asked;
	bool gone;                        /* the environment is to be forgotten */
	struct router_document *document; /* NULL when it is */
	router_done_fn *done;             /* NULL: the answer has been given, or nobody wants one */
	void *context;
	uint64_t until_ms;
	uint64_t order; /* oldest first */
};

struct environment {
	struct environment *next;
	char app[ROUTER_NAME_SIZE];
	char name[ROUTER_NAME_SIZE];
	struct router_document *standing; /* NULL = none */
	bool read_back; /* from a table: the controller has not sent it in this life */
	struct request waiting;
	struct request under_way;
};

/* An answer that waits for the next turn of the loop. */
struct answer {
	struct answer *next;
	router_done_fn *done; /* or */
	router_observed_fn *observed;
	void *context;
	char app[ROUTER_NAME_SIZE];
	char environment[ROUTER_NAME_SIZE];
	struct error error;
	uint32_t seen_us;
};

enum { BUILTIN_TELLERS = COUNTERS_WORKERS + 8 }; /* some of workers that are ending */

/* A worker that tells of pairs. */
struct teller {
	struct builtin *builtin;
	int fd; /* -1 = free */
	struct loop_watch *talk;
};

struct builtin {
	struct router router; /* first */
	struct loop *loop;
	struct env *env;
	int state_fd;
	struct env_timer tick;
	struct env_timer deliver;
	struct answer *answers, **answers_end;

	int channel_fd; /* -1 = not connected */
	struct loop_watch *talk;
	bool welcome;
	bool settled;
	struct gateway_status status;
	size_t counters_size;
	struct counters *counters; /* NULL until handed over */

	struct gateway_table *table; /* in force, as far as we know; NULL = none */
	uint64_t seen_generation;    /* of it or an older one: all workers use at least that */
	bool send_again;             /* the gateway has an older table than we know of */
	struct places places;
	struct gateway_table *sent;   /* under way; NULL = none */
	struct environment *changing; /* whose request it carries, or NULL */
	uint64_t sent_sequence;
	uint64_t generation; /* the newest ever used */
	uint64_t sequence;
	uint64_t order;
	struct environment *environments;
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	int pairs_fd; /* where workers come to tell; -1 = it could not be opened */
	struct loop_watch *pairs;
	struct teller tellers[BUILTIN_TELLERS];
};

static inline struct builtin *builtin_of(struct router *router)
{
	return (struct builtin *)router;
}

struct environment *builtin_find(struct builtin *b, const char *app, const char *name);
struct environment *builtin_get(struct builtin *b, const char *app,
				const char *name); /* or makes it */
void builtin_changed(struct builtin *b);

/* The request is over; its document may stay in use. `why` is NULL for success. */
void builtin_answer(struct builtin *b, struct environment *e, struct request *r,
		    const struct error *why, uint32_t seen_us);
void builtin_request_drop(struct request *r);
void builtin_pump(struct builtin *b); /* send what waits, if it can be sent */

void builtin_connect(struct builtin *b);
void builtin_lose(struct builtin *b);
/* The documents that stand, with the one under way of `asking` in the place of its own, as a table. */
int builtin_send(struct builtin *b, const struct environment *asking, struct error *err) MUST_CHECK;

void builtin_pairs_open(struct builtin *b);
void builtin_pairs_close(struct builtin *b);

int builtin_not_there(struct error *err);
const struct table_environment *builtin_in_table(const struct builtin *b, const char *app,
						 const char *name);
int builtin_observation(struct builtin *b, const char *app, const char *name,
			struct router_observation *ret_observation, struct error *err) MUST_CHECK;
int builtin_counters(struct router *router, const char *app, const char *environment,
		     const struct digest *release, struct router_counters *ret_counters,
		     struct error *err);
int builtin_class_counters(struct router *router, const char *app, const char *environment,
			   const struct digest *release, struct router_class_counters *ret_counters,
			   struct error *err);
int builtin_backend_counters(struct router *router, const char *app, const char *environment,
			     const struct digest *release,
			     struct router_backend_counters *ret_counters, struct error *err);
int builtin_environment_counters(struct router *router, const char *app, const char *environment,
				 struct router_environment_counters *ret_counters,
				 struct error *err);
int builtin_totals(struct router *router, struct router_totals *ret_totals, struct error *err);

#endif
