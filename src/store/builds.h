/* SPDX-License-Identifier: Apache-2.0
 *
 * builds - builds of commits: what was ordered, how far it is, what came of it. See store.h for the rules that hold for
 *          every function of the store.
 *
 * WHAT  A build is queued, running (or cancelling: it is to end), releasing, and then passed, failed, cancelled or
 *       superseded (a newer one took its place while it waited): ended.
 *       While it is releasing it has its release, and is not run again; what its rollouts are is added one by one.
 *       Rows are never deleted: they say which commit a release is.
 */
#ifndef STORE_BUILDS_H
#define STORE_BUILDS_H

#include "store/store.h"

enum { STORE_PATH_SIZE = 1025, STORE_COMMIT_SIZE = 65, STORE_REF_SIZE = 257 };

struct store_build {
	uint32_t number;
	char app[STORE_NAME_SIZE];
	char repository[STORE_PATH_SIZE];
	char commit[STORE_COMMIT_SIZE];
	char ref[STORE_REF_SIZE];
	char wanted
		[STORE_SENTENCE_SIZE]; /* environments, a blank between; "": those that the ref triggers */
	char by[STORE_WHO_SIZE];
	char state[STORE_WORD_SIZE];
	char release[STORE_ID_SIZE];       /* "": none yet */
	char address[STORE_WHO_SIZE + 64]; /* of the author; "": it cannot be told */
	char author[STORE_SENTENCE_SIZE], subject[STORE_SENTENCE_SIZE];
	uint64_t committed_unix_s;
	char why[STORE_SENTENCE_SIZE]; /* it failed */
	uint64_t created_unix_ms, started_unix_ms, ended_unix_ms;
	uint32_t origin;    /* the build whose stages that passed it takes over; 0: none */
	uint32_t starts;    /* how often it was begun */
	uint32_t successor; /* of a superseded one: the newer build; 0: none */
};

struct store_build_stage {
	uint32_t build, position;
	char name[STORE_NAME_SIZE];
	char state[STORE_WORD_SIZE];
	uint32_t attempt;
	uint64_t took_ms;
	uint32_t tests, failed, skipped;
	char why[STORE_SENTENCE_SIZE];
	uint32_t origin; /* of one that is taken over: the build that it ran in; 0: this one */
	/* Of its scan, by what became of each since the baseline. */
	bool scanned;
	uint32_t fresh, known, fixed, waived, suppressed;
	char since[STORE_TAG_SIZE]; /* the baseline, for people; "": there was none */
	char found[STORE_ID_SIZE];  /* what is kept of them: store/findings.h; "": nothing */
};

/* What was begun with the release in an environment: a rollout, or why there is none. */
struct store_build_rollout {
	uint32_t build;
	char environment[STORE_NAME_SIZE];
	uint32_t rollout; /* 0: none */
	char why[STORE_SENTENCE_SIZE];
};

typedef int (*store_build_visit)(void *context, const struct store_build *build);
typedef int (*store_build_stage_visit)(void *context, const struct store_build_stage *stage);
typedef int (*store_build_rollout_visit)(void *context, const struct store_build_rollout *rollout);

void store_put_build(struct store *s, const struct store_build *build);
void store_put_build_stage(struct store *s, const struct store_build_stage *stage);
/* The build has ended: a stage that had not, for what ran it was killed, is cancelled. */
void store_end_build_stages(struct store *s, uint32_t build);
void store_put_build_rollout(struct store *s, const struct store_build_rollout *rollout);

/* How many have not ended. */
MUST_CHECK int store_builds_waiting(struct store *s, uint64_t *ret_count, struct error *err);
/* The first one that is releasing, else the first that has not ended; ERR_NOT_FOUND: there is none. */
MUST_CHECK int store_build_next(struct store *s, struct store_build *ret_build, struct error *err);
MUST_CHECK int store_build_get(struct store *s, uint32_t number, struct store_build *ret_build,
			       struct error *err);
/* One that has not ended and is not being cancelled, of the same order; ERR_NOT_FOUND. */
MUST_CHECK int store_build_same(struct store *s, const struct store_build *order,
				struct store_build *ret_build, struct error *err);
/* The newest one of the same order that came at `since_unix_ms` or later, ended or not; ERR_NOT_FOUND. */
MUST_CHECK int store_build_since(struct store *s, const struct store_build *order,
				 uint64_t since_unix_ms, struct store_build *ret_build,
				 struct error *err);
/* Those that wait for a turn with the same order but for the commit, the oldest first. */
MUST_CHECK int store_builds_older(struct store *s, const struct store_build *newer,
				  store_build_visit visit, void *context, struct error *err);
/* The last build of an application's ref that a release came of; ERR_NOT_FOUND. */
MUST_CHECK int store_build_last(struct store *s, const char *app, const char *ref,
				struct store_build *ret_build, struct error *err);
/* The newest build that this ref of this repository was ordered for; ERR_NOT_FOUND. */
MUST_CHECK int store_build_of_ref(struct store *s, const char *app, const char *repository,
				  const char *ref, struct store_build *ret_build,
				  struct error *err);
/* The build that a release came of first; ERR_NOT_FOUND. */
MUST_CHECK int store_build_of_release(struct store *s, const char *release,
				      struct store_build *ret_build, struct error *err);
/* The newest first, of one application or (NULL) of all. */
MUST_CHECK int store_builds(struct store *s, const char *app, uint32_t limit,
			    store_build_visit visit, void *context, struct error *err);
MUST_CHECK int store_build_stages(struct store *s, uint32_t build, store_build_stage_visit visit,
				  void *context, struct error *err);
MUST_CHECK int store_build_rollouts(struct store *s, uint32_t build,
				    store_build_rollout_visit visit, void *context,
				    struct error *err);

#endif
