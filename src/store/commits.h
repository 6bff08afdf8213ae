/* SPDX-License-Identifier: Apache-2.0
 *
 * commits - what a rollout brings: the commits between the release that was live before and its own. See store.h for the
 *           rules that hold for every function of the store.
 *
 * WHAT  A span is written with the start of the rollout, WANTED; when git has told what lies between it is KNOWN, with its
 *       commits, or UNKNOWN with the reason. A rollout without a span has nothing before it, or no commit is known of
 *       one of the two releases.
 */
#ifndef STORE_COMMITS_H
#define STORE_COMMITS_H

#include "store/builds.h"

struct store_span {
	uint32_t rollout;
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	char repository[STORE_PATH_SIZE];
	char old_commit[STORE_COMMIT_SIZE], new_commit[STORE_COMMIT_SIZE];
	uint64_t pushed_unix_ms;     /* the new one was known at this time */
	char state[STORE_WORD_SIZE]; /* "wanted", "known", "unknown" */
	uint32_t count;
	bool cut; /* there are more than `count` */
	char why[STORE_SENTENCE_SIZE];
};

/* One of the commits. */
struct store_change {
	char id[STORE_COMMIT_SIZE];
	uint64_t committed_unix_s;
	bool merge;
	char address[STORE_WHO_SIZE + 64]; /* of the author; "": it cannot be told */
	char author[STORE_SENTENCE_SIZE], subject[STORE_SENTENCE_SIZE];
};

/* A commit, and the first rollout that brought it for good. */
struct store_delivery {
	char id[STORE_COMMIT_SIZE];
	uint32_t rollout;
	bool merge;
	uint64_t committed_unix_s, pushed_unix_ms;
};

typedef int (*store_span_visit)(void *context, const struct store_span *span);
typedef int (*store_change_visit)(void *context, const struct store_change *change);
typedef int (*store_delivery_visit)(void *context, const struct store_delivery *delivery);

void store_put_span(struct store *s, const struct store_span *span);
/* The place counts from 0, the newest first. */
void store_add_change(struct store *s, uint32_t rollout, uint32_t place,
		      const struct store_change *change);

/* 1 and `ret_span`, or 0: there is none. */
MUST_CHECK int store_span_get(struct store *s, uint32_t rollout, struct store_span *ret_span,
			      struct error *err);
/* The first that is wanted. */
MUST_CHECK int store_span_wanted(struct store *s, struct store_span *ret_span, struct error *err);
/* Of an environment, the newest first. */
MUST_CHECK int store_spans(struct store *s, const char *app, const char *environment,
			   store_span_visit visit, void *context, struct error *err);
MUST_CHECK int store_changes(struct store *s, uint32_t rollout, store_change_visit visit,
			     void *context, struct error *err);
/* Each commit once, with the first rollout that succeeded with it; of the newest rollouts first. */
MUST_CHECK int store_deliveries(struct store *s, const char *app, const char *environment,
				store_delivery_visit visit, void *context, struct error *err);

#endif
