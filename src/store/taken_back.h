/* SPDX-License-Identifier: Apache-2.0
 *
 * taken_back - commits that were live, or on their way, and had to go: by a bad mark that stands for a release that was
 *              built of one, or by a rollback from such a release. See store.h for the rules that hold for every function
 *              of the store.
 */
#ifndef STORE_TAKEN_BACK_H
#define STORE_TAKEN_BACK_H

#include "store/commits.h"

struct store_taken_back {
	char commit[STORE_COMMIT_SIZE];
	char subject[STORE_SENTENCE_SIZE];
	char tag[STORE_TAG_SIZE]; /* of the release */
	bool marked;              /* a bad mark stands; else a person went back from it */
	uint32_t rollout;         /* that took it back; 0: somebody marked it by hand */
	char reason[STORE_SENTENCE_SIZE];
};

typedef int (*store_taken_back_visit)(void *context, const struct store_taken_back *row);

/* Of the environment: `commit` itself, and those that `rollout` (0: none) brings, as far as git has named them. Marks
 * first, then the newest rollback first; a commit may come more than once. */
MUST_CHECK int store_taken_back(struct store *s, const char *app, const char *environment,
				const char *commit, uint32_t rollout, store_taken_back_visit visit,
				void *context, struct error *err);

#endif
