/* SPDX-License-Identifier: Apache-2.0
 *
 * gates - what people said about a rollout before it began, and which environments are frozen. See store.h for the
 *         rules that hold for every function of the store.
 *
 * WHAT  Answers are only ever added. A freeze stands until it is lifted; its end in time is the caller's to act upon.
 */
#ifndef STORE_GATES_H
#define STORE_GATES_H

#include "store/store.h"

struct store_approval {
	uint32_t rollout;
	char person[STORE_WHO_SIZE];   /* as the server's file names them */
	char identity[STORE_WHO_SIZE]; /* the key or local user that spoke */
	char verdict[STORE_WORD_SIZE]; /* "yes", "no", "emergency" */
	char hash[STORE_ID_SIZE];      /* of what was approved */
	char reason[STORE_SENTENCE_SIZE];
	uint64_t at_unix_ms;
};

typedef int (*store_approval_visit)(void *context, const struct store_approval *approval);

void store_add_approval(struct store *s, const struct store_approval *approval);
MUST_CHECK int store_approvals(struct store *s, uint32_t rollout, store_approval_visit visit,
			       void *context, struct error *err); /* oldest first */

struct store_freeze {
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	char reason[STORE_SENTENCE_SIZE];
	char by[STORE_WHO_SIZE];
	uint64_t at_unix_ms, until_unix_ms; /* until 0: it is lifted by hand */
};

void store_put_freeze(struct store *s, const struct store_freeze *freeze); /* the last one counts */
void store_clear_freeze(struct store *s, const char *app, const char *environment);
/* 1 and `ret_freeze` when one stands, 0 when none does. */
MUST_CHECK int store_freeze_find(struct store *s, const char *app, const char *environment,
				 struct store_freeze *ret_freeze, struct error *err);

#endif
