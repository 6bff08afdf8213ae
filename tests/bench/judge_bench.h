/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_bench - the parts of bench_judge: tables for people, and goals that must hold.
 *
 * WHAT  Everything is drawn from fixed seeds, so a build gives the same numbers again. A goal is `ok` when what was
 *       measured is within its bound; BROKEN, and counted in bench_failed, when the exact binomial bound of what was
 *       counted excludes it; else `near`: more runs would tell.
 */
#ifndef BENCH_JUDGE_BENCH_H
#define BENCH_JUDGE_BENCH_H

#include "judge_scenes.h"

extern bool bench_short; /* a few runs of everything, for CI */
extern uint32_t bench_passed, bench_failed;

uint32_t bench_runs(uint32_t full); /* a thirtieth where short, at least 20 */
double bench_quantile(double *values, uint32_t count,
		      double quantile); /* sorts; INFINITY where empty */

/* One rollout of a scene under the whole judge. */
struct verdict_run {
	double failed_at_s, passed_at_s; /* since the regression began; INFINITY: never */
	double requests, failures;       /* of the new release, from there until it was failed */
	double greatest;                 /* odds against it */
	bool held; /* it was said that the requests are not divided as promised */
};

void bench_rollout(const struct scene_kind *kind, const struct judge_settings *settings,
		   uint64_t seed, double bad_from_s, struct verdict_run *ret_run);

/* What a regression looks like: scene_tick functions of these read it. */
struct regression {
	double live, fresh; /* shares of errors */
	double from_s;      /* the new release is as the live one before */
};

extern struct regression regression;
void regression_tick(struct scene *scene, double second, struct judge_tick *ret_tick);

void bench_tables(void);
void bench_slower(void); /* the table of latencies, which is one of them */
void bench_nulls(void);
void bench_goals(void);
void bench_cost(void);

#endif
