/* SPDX-License-Identifier: Apache-2.0
 *
 * schedules - environments that are deployed to at times, as the tips of their branches say, and what came of that. See
 *             store.h for the rules that hold for every function of the store.
 *
 * WHAT  One row for an environment of a branch of a repository. `last` is the commit that went out the last time: as long
 *       as the tip is that one, there is nothing to do.
 */
#ifndef STORE_SCHEDULES_H
#define STORE_SCHEDULES_H

#include "store/builds.h"

enum { STORE_TIMES_SIZE = 700, STORE_ZONE_SIZE = 64 };

struct store_schedule {
	char app[STORE_NAME_SIZE];
	char repository[STORE_PATH_SIZE];
	char ref[STORE_REF_SIZE];
	char environment[STORE_NAME_SIZE];
	char times[STORE_TIMES_SIZE]; /* config/schedule.h */
	char zone[STORE_ZONE_SIZE];
	char tip[STORE_COMMIT_SIZE];
	uint64_t due_unix_ms;          /* the next time; 0: none can be told, and `why` says it */
	uint64_t ran_unix_ms;          /* the last time; 0: none yet */
	char last[STORE_COMMIT_SIZE];  /* what went out then; "": nothing yet */
	uint32_t build;                /* its build */
	char why[STORE_SENTENCE_SIZE]; /* nothing goes out; "": all is well */
};

typedef int (*store_schedule_visit)(void *context, const struct store_schedule *schedule);

void store_put_schedule(struct store *s, const struct store_schedule *schedule);
void store_forget_schedule(struct store *s, const struct store_schedule *schedule);

/* In order of app, repository, ref and environment. */
MUST_CHECK int store_schedules(struct store *s, store_schedule_visit visit, void *context,
			       struct error *err);
/* Those whose time has come, at `now_unix_ms` or before. */
MUST_CHECK int store_schedules_due(struct store *s, uint64_t now_unix_ms,
				   store_schedule_visit visit, void *context, struct error *err);

#endif
