/* SPDX-License-Identifier: Apache-2.0
 *
 * secrets - what applications are given and nobody else may read, sealed. See store.h for the rules that hold for every
 *           function of the store.
 *
 * WHAT  A secret has versions, numbered from 1; a number is never used again, though all versions are removed. A pin
 *       says which version a release has in an environment. The mark tells whether a key is the one that seals.
 * OWNS  `sealed` is the caller's when written; inside a visit, or in `ret_sealed`, as store.h says.
 */
#ifndef STORE_SECRETS_H
#define STORE_SECRETS_H

#include "store/store.h"

struct store_secret {
	char app[STORE_NAME_SIZE];
	char name[STORE_WHO_SIZE]; /* "prod/db" */
	uint32_t version;
	char by[STORE_WHO_SIZE];
	uint64_t at_unix_ms;
};

typedef int (*store_secret_visit)(void *context, const struct store_secret *secret);

void store_add_secret(struct store *s, const struct store_secret *secret, const void *sealed,
		      size_t size);
/* `version` 0: the newest. 1 and the row, 0: there is none. */
MUST_CHECK int store_secret_find(struct store *s, const char *app, const char *name,
				 uint32_t version, struct store_secret *ret_secret,
				 struct buf *ret_sealed, struct error *err);
/* The newest version of each, in order of app and name. */
MUST_CHECK int store_secrets(struct store *s, store_secret_visit visit, void *context,
			     struct error *err);
/* Versions below this one that no release is pinned to; `all`: those too. */
void store_remove_secrets(struct store *s, const char *app, const char *name, uint32_t below,
			  bool all);

struct store_secret_pin {
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	char release[STORE_ID_SIZE];
	char name[STORE_WHO_SIZE];
	uint32_t version;
};

void store_put_secret_pin(struct store *s, const struct store_secret_pin *pin);
/* 1 and the version, 0: there is none. */
MUST_CHECK int store_secret_pin_find(struct store *s, const struct store_secret_pin *pin,
				     uint32_t *ret_version, struct error *err);

void store_put_secret_key_mark(struct store *s, const struct digest *mark);
/* 1 and the mark, 0: nothing was sealed yet. */
MUST_CHECK int store_secret_key_mark(struct store *s, struct digest *ret_mark, struct error *err);

#endif
