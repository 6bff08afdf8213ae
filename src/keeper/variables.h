/* SPDX-License-Identifier: Apache-2.0
 *
 * variables - the environment of an instance, and words with its variables put in.
 *
 * WHAT  PATH, HOME and the like from the keeper's own environment; then what the configuration says; then
 *       PORT (with traffic) and DAVIT_APP, DAVIT_ENVIRONMENT, DAVIT_PROCESS, DAVIT_SLOT, DAVIT_INSTANCE,
 *       DAVIT_RELEASE, DAVIT_VERSION and the mark by which davit knows its own. Later ones win.
 *
 * OWNS  variables_make() and variables_expand() allocate; variables_done() and words_done() free.
 * LIMITS A word grows to at most VARIABLES_WORD_BYTES; beyond, ERR_LIMIT.
 */
#ifndef KEEPER_VARIABLES_H
#define KEEPER_VARIABLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "link/instance.h"

enum {
	VARIABLES_MAX = INSTANCE_ENV_MAX + INSTANCE_SECRETS_MAX + 24,
	VARIABLES_WORD_BYTES = 128 * 1024
};

struct variables {
	char *list[VARIABLES_MAX + 1]; /* NULL-terminated "NAME=value" */
	size_t count;
	size_t open_count; /* what comes after is secret: no word of a command ever has it */
};

/* `home`: of the user it runs as, or NULL. `mark` is "NAME=value". */
void variables_make(struct variables *v, const struct instance_spec *spec, const char *home,
		    uint16_t port, const char *mark);
/* Add one that is secret. Takes over `variable`, "NAME=value". */
void variables_add_secret(struct variables *v, char *variable);
void variables_done(struct variables *v); /* overwrites what is secret */

struct words {
	char *list[INSTANCE_WORDS_MAX + 1];
};

/*
 * Copy `argv`, with $NAME replaced in each word where `expand` says so: NAME is A-Z, 0-9 and _, and one
 * of the variables that are not secret. Any other $ stays as it is.
 */
int words_expand(struct words *words, const char *const *argv, bool expand,
		 const struct variables *v, struct error *err) MUST_CHECK;
void words_done(struct words *words);

#endif
