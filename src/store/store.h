/* SPDX-License-Identifier: Apache-2.0
 *
 * store - what the controller knows, in one SQLite file. src/store holds the only SQL of davit.
 *
 * WHAT   Environments, releases, rollouts with their evidence and transitions, the audit chain
 *        and answered requests. This header: opening, transactions, counters, environments.
 *        SEE releases.h (releases, bad marks), rollouts.h (rollouts, evidence, transitions) and
 *        audit.h (the chain, request ids).
 *
 * HOW   store_begin(s);
 *       store_put_rollout(s, &r); store_add_evidence(s, &e); store_add_audit(s, &a); ...
 *       if (store_commit(s, err) < 0) nothing was changed, and no effect may be carried out;
 *       Functions named put, add, clear, done and forget write and belong between begin and commit
 *       (a bug otherwise). They return nothing: the first failure stays until store_commit()
 *       reports it, what follows it does nothing. Readers work at any time, and inside a
 *       transaction see its writes. A visit function is called once a row; 0 goes on, anything
 *       else ends the walk and is returned. It may call other readers, but not the one it is
 *       called from, and no writer.
 *
 *       A full disk must not keep anybody from taking a bad release away from users. So the store holds
 *       room back (os/reserve.h: the file PATH-reserve) for transactions that cannot wait:
 *       do { store_begin_urgent(s); ...; code = store_commit(s, err); }
 *       while (code == ERR_NO_SPACE && store_spend_reserve(s));
 *       Once it is spent every other transaction fails with NO_SPACE, until there is room to make it
 *       again: store_room() looks, and so does every store_begin().
 *
 * OWNS   Pointers inside a record (state, plan, config, ...) are the caller's when written; inside
 *        a visit they live until it returns. All other fields are bounded arrays, NUL-terminated.
 *
 * TIME   The store reads no clock: every time is the caller's wall clock, Unix milliseconds, 0 =
 *        never.
 *
 * LIMITS One process has a store open (a second open is refused), from one thread; no handle
 *        crosses a fork. One connection writes and checkpoints, write-ahead log, synchronous=FULL:
 *        what store_commit() confirmed survives a power cut.
 *
 * ERRORS NO_SPACE disk full or quota, or the reserve is spent · DENIED read-only · CORRUPT damaged · CONFLICT a key exists
 *        already or another process has the store · LIMIT longer than a bound · INTERNAL the disk
 *        failed. After each of them the store goes on as of the last commit; when the disk failed
 *        in the very moment of committing, a crash before the next commit may bring that
 *        transaction back, whole.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

enum {
	STORE_NAME_SIZE = 48,        /* application, environment; see text_is_name() */
	STORE_WORD_SIZE = 32,        /* kinds, strategies, states, verdicts */
	STORE_TAG_SIZE = 129,        /* "v1.4.2" */
	STORE_WHO_SIZE = 129,        /* who did it */
	STORE_SENTENCE_SIZE = 1025,  /* reasons, status, evidence in words */
	STORE_REQUEST_ID_SIZE = 129, /* what a client chose */
	STORE_ID_SIZE = DIGEST_HEX_SIZE,
	STORE_BLOB_MAX = 4 << 20, /* bytes of one state, plan, config, payload, answer */
	STORE_VERSION = 19,       /* of the schema */
	/* Room for urgent transactions: a whole way back writes less than a tenth of it. */
	STORE_RESERVE_BYTES = 4 << 20,
};

struct store;

/* Open or create the file `path` (":memory:" for one that is never written, and needs no reserve). An older schema is
 * brought up to STORE_VERSION in one transaction; a newer one is refused, and the file not touched. Where there
 * is no room for the reserve it opens nevertheless, and takes urgent transactions as long as they fit. */
MUST_CHECK int store_open(const char *path, struct store **ret_store, struct error *err);
void store_close(struct store *s); /* NULL is allowed; an open transaction is rolled back */

void store_begin(struct store *s);
void store_begin_urgent(struct store *s);
MUST_CHECK int store_commit(struct store *s, struct error *err); /* on failure: rolled back */
void store_rollback(struct store *s);

/* Outside of a transaction: give the reserve up. False: there is none, so that trying again is in vain. */
bool store_spend_reserve(struct store *s);
/* 0: the reserve is there, and every transaction is taken. Otherwise only urgent ones, and it says what to do: NO_SPACE
 * without room for it, DENIED or UNAVAILABLE where something else is in its way. */
MUST_CHECK int store_room(struct store *s, struct error *err);

/* Does the file still hold together (SQLite's own check)? ERR_CORRUPT when not. */
MUST_CHECK int store_check(struct store *s, struct error *err);

/* Writes: the named counter plus one ("rollout" for rollout numbers, "epoch" for the leader's
 * epoch), from 1 on; 0 when the transaction has failed. */
uint64_t store_add_one(struct store *s, const char *counter);
/* Writes: the named counter is at least `least` from now on. */
void store_put_at_least(struct store *s, const char *counter, uint64_t least);

struct store_environment {
	char app[STORE_NAME_SIZE];
	char name[STORE_NAME_SIZE];
	const void *state; /* control's, opaque */
	size_t state_size;
	const char *config; /* resolved, JSON; put: NULL leaves what is there */
	uint64_t updated_unix_ms;
};

typedef int (*store_environment_visit)(void *context, const struct store_environment *e);

void store_put_environment(struct store *s, const struct store_environment *e);
/* In order of app and name. */
MUST_CHECK int store_environments(struct store *s, store_environment_visit visit, void *context,
				  struct error *err);

#endif
