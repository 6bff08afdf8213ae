/* SPDX-License-Identifier: Apache-2.0
 *
 * tag_pushes - tags (git_tags.h) that are to be pushed to repositories elsewhere. See store.h for the rules that hold for
 *              every function of the store.
 *
 * WHAT  WANTED is written with the tag, and is due once that is made; it becomes PUSHED, THERE (it was at this commit
 *       already), or REFUSED or GIVEN UP with the reason, and stays so.
 */
#ifndef STORE_TAG_PUSHES_H
#define STORE_TAG_PUSHES_H

#include "store/git_tags.h"

enum { STORE_REMOTE_SIZE = 1024 };

struct store_tag_push {
	uint32_t rollout;
	char app[STORE_NAME_SIZE];
	char remote[STORE_REMOTE_SIZE]; /* the address that it went to, or was to go to */
	uint64_t at_unix_ms;            /* it is wanted since */
	char state[STORE_WORD_SIZE];    /* "wanted", "pushed", "there", "refused", "given up" */
	char why[STORE_SENTENCE_SIZE];  /* what came of it, or why the last try failed */
	uint32_t tries;
	uint64_t due_unix_ms; /* of one that is wanted */
};

void store_put_tag_push(struct store *s, const struct store_tag_push *push);
/* There is none any more: its tag was not made. */
void store_forget_tag_push(struct store *s, uint32_t rollout);
/* 1 and `ret_push`, or 0: there is none. */
MUST_CHECK int store_tag_push_get(struct store *s, uint32_t rollout,
				  struct store_tag_push *ret_push, struct error *err);
/* The first that is due of those whose tag is made; 1, or 0: there is none. It may be due later. */
MUST_CHECK int store_tag_push_next(struct store *s, struct store_tag_push *ret_push,
				   struct error *err);
/* 1: a tag of this application with this name, at this commit, was pushed by davit, or is to be; 0: not. */
MUST_CHECK int store_tag_push_ours(struct store *s, const char *app, const char *name,
				   const char *commit, struct error *err);

#endif
