/* SPDX-License-Identifier: Apache-2.0
 *
 * rollouts - runs of plans: where each stands, and why it went there. See store.h for the
 *            rules that hold for every function of the store.
 *
 * WHAT   Plan and state are the core's bytes and opaque here. Evidence and transitions are only
 *        ever added (the database itself refuses to change or delete them).
 */
#ifndef STORE_ROLLOUTS_H
#define STORE_ROLLOUTS_H

#include "store/store.h"

struct store_rollout {
	uint32_t number; /* from store_add_one(s, "rollout") */
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	char kind[STORE_WORD_SIZE];       /* "deploy", "rollback", ... */
	char strategy[STORE_WORD_SIZE];   /* "canary", ... */
	char new_release[STORE_ID_SIZE];  /* "" = none */
	char old_release[STORE_ID_SIZE];  /* "" = none */
	char state_name[STORE_WORD_SIZE]; /* "RUNNING", for lists */
	char status[STORE_SENTENCE_SIZE]; /* one sentence for people */
	const void *plan;                 /* put: NULL leaves what is there */
	size_t plan_size;
	const void *state;
	size_t state_size;
	uint64_t created_unix_ms;
	uint64_t started_unix_ms; /* 0: it waits */
	uint64_t ended_unix_ms;   /* 0: it has not ended */
	char by[STORE_WHO_SIZE];
	char reason[STORE_SENTENCE_SIZE];
	int64_t verdict_to_zero_ms; /* bad verdict -> weight 0 acknowledged; -1: does not apply */
	const void *began;          /* where its counting began; put: NULL leaves what is there */
	size_t began_size;          /* visit: 0 = none */
	const char *baseline;       /* JSON; put: NULL leaves what is there; visit: NULL = none */
};

typedef int (*store_rollout_visit)(void *context, const struct store_rollout *r);

/* Inserts, or updates all but number, app, environment and created_unix_ms. */
void store_put_rollout(struct store *s, const struct store_rollout *r);
MUST_CHECK int store_rollout_get(struct store *s, uint32_t number, store_rollout_visit visit,
				 void *context, struct error *err); /* ERR_NOT_FOUND */

struct store_rollout_filter {
	const char *app;         /* NULL: any */
	const char *environment; /* NULL: any */
	bool unended;            /* only those that have not ended */
	uint32_t before;         /* only numbers below; 0: all */
	uint32_t limit;          /* 0: no limit */
};

/* Newest first, except `unended`, which is oldest first: the order in which they are to run. */
MUST_CHECK int store_rollouts(struct store *s, const struct store_rollout_filter *filter,
			      store_rollout_visit visit, void *context, struct error *err);

/* A rollout brings the repair of what another one of its environment broke. Added once, after its own row. */
void store_add_repair(struct store *s, uint32_t rollout, uint32_t about);
typedef int (*store_repair_visit)(void *context, uint32_t rollout, uint32_t about);
MUST_CHECK int store_repairs(struct store *s, const char *app, const char *environment,
			     store_repair_visit visit, void *context, struct error *err);

struct store_evidence {
	uint32_t rollout;
	uint32_t step;
	uint32_t attempt;
	char source[STORE_WORD_SIZE];  /* "judge", "operator", "check", ... */
	char verdict[STORE_WORD_SIZE]; /* "pass", "fail", "inconclusive", "skip" */
	char sentence[STORE_SENTENCE_SIZE];
	const char *data; /* JSON, or NULL */
	uint64_t at_unix_ms;
};

typedef int (*store_evidence_visit)(void *context, const struct store_evidence *e);

void store_add_evidence(struct store *s, const struct store_evidence *e);
MUST_CHECK int store_evidence(struct store *s, uint32_t rollout, store_evidence_visit visit,
			      void *context, struct error *err); /* oldest first */

struct store_transition {
	uint32_t rollout;
	uint32_t seq; /* one a rollout, each once */
	uint64_t at_unix_ms;
	char from[STORE_WORD_SIZE];
	char to[STORE_WORD_SIZE];
	char why[STORE_SENTENCE_SIZE];
};

typedef int (*store_transition_visit)(void *context, const struct store_transition *t);

void store_add_transition(struct store *s, const struct store_transition *t);
MUST_CHECK int store_transitions(struct store *s, uint32_t rollout, store_transition_visit visit,
				 void *context, struct error *err); /* oldest first */

#endif
