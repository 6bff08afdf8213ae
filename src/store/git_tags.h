/* SPDX-License-Identifier: Apache-2.0
 *
 * git_tags - tags that are to be made in repositories, for rollouts that succeeded. See store.h for the rules that hold
 *            for every function of the store.
 *
 * WHAT  WANTED is written with the success; it becomes MADE, THERE (it was at this commit already), or REFUSED with the
 *       reason, and stays so. ELSEWHERE from the start: it is only made where it is pushed to (tag_pushes.h).
 */
#ifndef STORE_GIT_TAGS_H
#define STORE_GIT_TAGS_H

#include "store/builds.h"

enum { STORE_MESSAGE_SIZE = 2048 };

struct store_git_tag {
	uint32_t rollout;
	char repository[STORE_PATH_SIZE];
	char commit[STORE_COMMIT_SIZE];
	char name[STORE_TAG_SIZE];
	char message[STORE_MESSAGE_SIZE];
	uint64_t at_unix_ms;
	char state[STORE_WORD_SIZE]; /* "wanted", "made", "there", "refused", "elsewhere" */
	char why[STORE_SENTENCE_SIZE];
};

void store_put_git_tag(struct store *s, const struct store_git_tag *tag);
/* 1 and `ret_tag`, or 0: there is none. */
MUST_CHECK int store_git_tag_get(struct store *s, uint32_t rollout, struct store_git_tag *ret_tag,
				 struct error *err);
/* The first that is wanted. */
MUST_CHECK int store_git_tag_wanted(struct store *s, struct store_git_tag *ret_tag,
				    struct error *err);

/* 1: davit itself made this tag of this commit, or is about to; 0: not. */
MUST_CHECK int store_git_tag_ours(struct store *s, const char *repository, const char *name,
				  const char *commit, struct error *err);

#endif
