/* SPDX-License-Identifier: Apache-2.0
 * judge_nulls - scenes in which the new release is as good: how often does the whole judge fail it,
 * or hold it because the requests seem not to be divided as promised? */
#include <math.h>
#include <stdio.h>

#include "judge_bench.h"

/* Of evidence that is none, 1 in L may ever reach L : 1. */
static const double levels[] = {20, 100, 1000};
static const double MISS = 0.05, SURELY = 0.001;

static void null_scene(const struct scene_kind *kind, uint32_t runs)
{
	struct judge_settings settings;
	uint32_t reached[3] = {0}, passed = 0, held = 0;
	bool broken = false;
	judge_settings_default(&settings);
	for (uint32_t r = 0; r < runs; r++) {
		struct verdict_run run;
		bench_rollout(kind, &settings, 500000 + r, 0, &run);
		for (uint32_t l = 0; l < 3; l++)
			reached[l] += run.greatest >= levels[l];
		passed += isfinite(run.passed_at_s) ? 1 : 0;
		held += run.held;
	}
	for (uint32_t l = 0; l < 3; l++)
		broken |= share_lower(reached[l], runs, SURELY) > 1 / levels[l];
	broken |= share_lower(held, runs, SURELY) > SAMPLE_RATIO_LEVEL;
	printf("| %-52s | %5u | %3u | %.3f %% | %5.2f %% | %5.2f %% | %.2f %% | %3.0f %% | %s |\n",
	       kind->name, runs, reached[2], 100 * share_upper(reached[2], runs, MISS),
	       100.0 * reached[1] / runs, 100.0 * reached[0] / runs, 100.0 * held / runs,
	       100.0 * passed / runs, broken ? "BROKEN" : "ok");
	fflush(stdout);
	bench_passed += !broken;
	bench_failed += broken;
}

void bench_nulls(void)
{
	printf("\nWorlds that look bad while the new release is as good (whole judge, defaults, 10 "
	       "ticks/s)\n\n"
	       "| world | runs | failed | at most, 95 %% | 100 : 1 | 20 : 1 | held | passed "
	       "| |\n|---|---|---|---|---|---|---|---|---|\n");
	for (uint32_t k = 0; k < SCENES; k++)
		null_scene(&scene_kinds[k], bench_runs(3000));
}
