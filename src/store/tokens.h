/* SPDX-License-Identifier: Apache-2.0
 *
 * tokens - what programs elsewhere show to be let in, by the digest of each: the token itself is nowhere. See store.h for
 *          the rules that hold for every function of the store.
 *
 * WHAT  A token has a name of its own among those that there are. A revoked one is not there any more; the audit log
 *       knows of it.
 */
#ifndef STORE_TOKENS_H
#define STORE_TOKENS_H

#include "store/store.h"

enum { STORE_TOKEN_SHOWN = 16 };

struct store_token {
	char name[STORE_NAME_SIZE];
	struct digest digest;            /* of the token */
	char shown[STORE_TOKEN_SHOWN];   /* how it begins, for people */
	uint32_t scopes;                 /* bits; control/tokens.h */
	char reach[STORE_SENTENCE_SIZE]; /* "shop shop/prod", a blank between; "": everything */
	char by[STORE_WHO_SIZE];
	uint64_t created_unix_ms, expires_unix_ms;
	uint64_t used_unix_ms; /* to the minute; 0: never */
};

typedef int (*store_token_visit)(void *context, const struct store_token *token);

/* Both the name and the digest are new: CONFLICT otherwise. */
void store_add_token(struct store *s, const struct store_token *token);
void store_remove_token(struct store *s, const char *name);
void store_use_token(struct store *s, const char *name, uint64_t at_unix_ms);

/* 1 and the row, 0: there is none. */
MUST_CHECK int store_token_by_digest(struct store *s, const struct digest *digest,
				     struct store_token *ret_token, struct error *err);
MUST_CHECK int store_token_by_name(struct store *s, const char *name, struct store_token *ret_token,
				   struct error *err);
/* In order of their names. */
MUST_CHECK int store_tokens(struct store *s, store_token_visit visit, void *context,
			    struct error *err);

#endif
