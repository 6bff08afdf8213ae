/* SPDX-License-Identifier: Apache-2.0
 *
 * audit - who did what, when and why, in a chain that shows tampering; and the answers given to
 *         requests. See store.h for the rules that hold for every function of the store.
 *
 * HOW    Entry n has hash(n) = SHA-256 over the packed fields of the entry and hash(n-1); entry 0
 *        is 32 zero bytes. A changed, missing, added or moved entry breaks the chain from there
 *        on. The number and hash of the last one are kept apart as the head, so that a cut tail
 *        shows; somebody who rewrites chain and head alike is caught by a head that was taken out
 *        before (store_audit_head()). The database refuses to change or delete entries in the
 *        ordinary way.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/store.h"

struct store_audit_entry {
	uint64_t seq; /* from 1; add: filled by the store */
	uint64_t at_unix_ms;
	char who[STORE_WHO_SIZE];
	char action[STORE_WORD_SIZE]; /* "deploy", "abort", "rollout.state", ... */
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	uint32_t rollout; /* 0: none */
	char reason[STORE_SENTENCE_SIZE];
	char evidence[STORE_SENTENCE_SIZE];
	struct digest hash; /* add: filled by the store */
};

typedef int (*store_audit_visit)(void *context, const struct store_audit_entry *e);

void store_add_audit(struct store *s, const struct store_audit_entry *e);

struct store_audit_filter {
	const char *app;         /* NULL: any */
	const char *environment; /* NULL: any */
	uint32_t rollout;        /* 0: any */
	uint64_t before;         /* only numbers below; 0: all */
	uint32_t limit;          /* 0: no limit */
};

MUST_CHECK int store_audit(struct store *s, const struct store_audit_filter *filter,
			   store_audit_visit visit, void *context,
			   struct error *err); /* newest first */

struct store_audit_head {
	uint64_t seq; /* 0: nothing yet */
	struct digest hash;
};

MUST_CHECK int store_audit_head(struct store *s, struct store_audit_head *ret_head,
				struct error *err);

/* Walk the whole chain, and check that it runs through `known` (a head taken earlier, or NULL). 0
 * and the head when whole; ERR_CORRUPT, a sentence and the number of the first entry that is wrong
 * otherwise. */
MUST_CHECK int store_audit_verify(struct store *s, const struct store_audit_head *known,
				  struct store_audit_head *ret_head, uint64_t *ret_broken,
				  struct error *err);

struct store_answer {
	char id[STORE_REQUEST_ID_SIZE]; /* the client's request id */
	struct digest request;          /* of what was asked: the same id must ask the same */
	uint32_t status;
	const char *body;
	uint64_t at_unix_ms;
};

typedef int (*store_answer_visit)(void *context, const struct store_answer *a);

void store_add_answer(struct store *s, const struct store_answer *a); /* ERR_CONFLICT: id exists */
/* 0: not asked before · 1: asked, and `visit` was called with the answer · ERR_CONFLICT: the id was
 * used for another request. */
MUST_CHECK int store_answer_find(struct store *s, const char *id, const struct digest *request,
				 store_answer_visit visit, void *context, struct error *err);
void store_forget_answers(struct store *s, uint64_t before_unix_ms);

#endif
