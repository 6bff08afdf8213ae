/* SPDX-License-Identifier: Apache-2.0
 *
 * releases - what can be deployed, what must not be, and what has to be kept. See store.h for the
 *            rules that hold for every function of the store.
 *
 * WHAT   A release is immutable: id = SHA-256 over (artifact digest, resolved config), a tag is a
 *        name for it (given again, it moves). Stables are the releases that an environment
 *        had as its live one, in order. Bad marks are per environment and stay in the history when
 *        they are cleared.
 */
#ifndef STORE_RELEASES_H
#define STORE_RELEASES_H

#include "store/store.h"

struct store_release {
	char id[STORE_ID_SIZE];
	char app[STORE_NAME_SIZE];
	char tag[STORE_TAG_SIZE];
	char artifact[STORE_ID_SIZE];
	char config_digest[STORE_ID_SIZE];
	const char *config; /* resolved, JSON; NULL from store_release_get and _match */
	uint64_t created_unix_ms;
	char by[STORE_WHO_SIZE];
	uint64_t size_bytes;
	char source[STORE_SENTENCE_SIZE]; /* where it came from, for people */
};

typedef int (*store_release_visit)(void *context, const struct store_release *r);

/* The same release again (same id) changes nothing but gets the tag as well. */
void store_add_release(struct store *s, const struct store_release *r);

/* By full id; ERR_NOT_FOUND. `ret_config` (or NULL) gets the config's text. */
MUST_CHECK int store_release_get(struct store *s, const char *id, struct store_release *ret_release,
				 struct buf *ret_config, struct error *err);

/* By what a person writes: a tag, else at least STORE_PREFIX_MIN digits of an id. ERR_NOT_FOUND, or
 * ERR_CONFLICT when several releases begin so. */
enum { STORE_PREFIX_MIN = 6 };
MUST_CHECK int store_release_match(struct store *s, const char *app, const char *text,
				   struct store_release *ret_release, struct error *err);

/* Newest first, at most `limit`; app NULL = all. */
MUST_CHECK int store_releases(struct store *s, const char *app, uint32_t limit,
			      store_release_visit visit, void *context, struct error *err);

struct store_bad_mark {
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	char release[STORE_ID_SIZE];
	char reason[STORE_SENTENCE_SIZE];
	char by[STORE_WHO_SIZE];
	uint64_t at_unix_ms;
};

void store_add_bad_mark(struct store *s,
			const struct store_bad_mark *m); /* stands already: no change */
void store_clear_bad_mark(struct store *s, const char *app, const char *environment,
			  const char *release, const char *by, const char *reason,
			  uint64_t at_unix_ms);
/* 1 and `ret_mark` when a mark stands, 0 when none does. */
MUST_CHECK int store_bad_mark_find(struct store *s, const char *app, const char *environment,
				   const char *release, struct store_bad_mark *ret_mark,
				   struct error *err);
struct store_stable {
	char release[STORE_ID_SIZE];
	uint32_t rollout;    /* that made it live */
	uint64_t at_unix_ms; /* the last time it did */
	bool bad;            /* a bad mark stands in this environment */
	bool left; /* a rollback went from it to an older one, and it was not live since */
};

typedef int (*store_stable_visit)(void *context, const struct store_stable *stable);

/* The environment's live release is now this one (the MARK operation). */
void store_add_stable(struct store *s, const char *app, const char *environment,
		      const char *release, uint32_t rollout, uint64_t at_unix_ms);
/* Each release once, the one live now first, then what could be gone back to. */
MUST_CHECK int store_stables(struct store *s, const char *app, const char *environment,
			     uint32_t limit, store_stable_visit visit, void *context,
			     struct error *err);

/* The artifacts that a collection must keep: of the last `stables` of each environment, of rollouts that have not ended,
 * of releases made after `since_unix_ms`, and of the last STORE_BUILDS_KEPT builds of an application that made one: nobody
 * may have deployed them yet. */
enum { STORE_BUILDS_KEPT = 10 };
typedef int (*store_artifact_visit)(void *context, const struct digest *artifact);
MUST_CHECK int store_artifacts_kept(struct store *s, uint32_t stables, uint64_t since_unix_ms,
				    store_artifact_visit visit, void *context, struct error *err);

#endif
