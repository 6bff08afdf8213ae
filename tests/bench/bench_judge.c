/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_judge - how often the judge is wrong, how fast it is right, and what others do with the same traffic.
 *
 * HOW   bench_judge [short] [tables|nulls|goals|cost]...   (default: all, at full length: some twenty minutes)
 * Closes with "N passed, N failed".
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge_bench.h"

bool bench_short;
uint32_t bench_passed, bench_failed;
struct regression regression;

uint32_t bench_runs(uint32_t full)
{
	if (!bench_short)
		return full;
	return full / 30 > 20 ? full / 30 : 20;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double bench_quantile(double *values, uint32_t count, double quantile)
{
	if (count == 0)
		return INFINITY;
	qsort(values, count, sizeof *values, ascending);
	return values[(uint32_t)(quantile * count)];
}

void regression_tick(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	bool bad = second >= regression.from_s;
	scene->world.live_side.errors = regression.live;
	scene->world.new_side.errors = bad ? regression.fresh : regression.live;
	world_tick(&scene->world, ret_tick);
}

static void count_new(const struct judge_tick *tick, struct verdict_run *run)
{
	for (uint32_t s = 0; s < tick->cell_count; s++) {
		run->requests += (double)tick->cells[s].new_release.requests;
		run->failures += (double)tick->cells[s].new_release.errors[JUDGE_ERROR_SERVER];
	}
}

void bench_rollout(const struct scene_kind *kind, const struct judge_settings *settings,
		   uint64_t seed, double bad_from_s, struct verdict_run *ret_run)
{
	static struct scene scene;
	static struct judge judge;
	static struct judge_tick tick;
	*ret_run = (struct verdict_run){.failed_at_s = INFINITY, .passed_at_s = INFINITY};
	judge_begin(&judge, settings);
	judge_warm_up(&judge);
	judge_warm_up(&judge);
	scene_begin(&scene, kind, seed);
	memset(&tick, 0, sizeof tick);
	while (scene.moment < kind->seconds) {
		double second = scene.moment;
		scene_tick(&scene, &tick);
		judge_tick(&judge, &tick);
		if (second < 0)
			continue;
		if (second >= bad_from_s)
			count_new(&tick, ret_run);
		double odds = judge_odds(&judge);
		ret_run->held |= judge.second_ms == 0 && sample_ratio_is_off(&judge.division);
		ret_run->greatest = fmax(ret_run->greatest, odds);
		if (isinf(ret_run->passed_at_s) && judge_fine(&judge) >= 1 / settings->beta)
			ret_run->passed_at_s = scene.moment - bad_from_s;
		if (odds >= 1 / settings->alpha) {
			ret_run->failed_at_s = scene.moment - bad_from_s;
			return;
		}
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {{"tables", bench_tables},
		     {"nulls", bench_nulls},
		     {"goals", bench_goals},
		     {"cost", bench_cost}};
	bool some = false;
	for (int i = 1; i < argc; i++)
		bench_short |= strcmp(argv[i], "short") == 0;
	for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
		for (int i = 1; i < argc; i++) {
			if (strcmp(argv[i], parts[p].name) != 0)
				continue;
			parts[p].run();
			some = true;
		}
	}
	for (size_t p = 0; !some && p < sizeof parts / sizeof parts[0]; p++)
		parts[p].run();
	printf("%u passed, %u failed\n", bench_passed, bench_failed);
	return bench_failed > 0 || bench_passed + bench_failed == 0;
}
