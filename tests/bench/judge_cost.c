/* SPDX-License-Identifier: Apache-2.0
 * judge_cost - what a tick costs, and what share and strength do to the decision. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "judge_bench.h"

enum { RUNS_MAX = 2000, COST_TICKS = 200000 };

static double requests[RUNS_MAX], seconds[RUNS_MAX], passes[RUNS_MAX];

/* A median that is never is none. */
static void print_median(double *values, uint32_t count)
{
	double median = bench_quantile(values, count, 0.5);
	if (isfinite(median))
		printf(" %.1f", median);
	else
		printf(" -");
}

struct outcome {
	uint32_t runs, failed, passed, held;
};

static struct outcome many(const struct scene_kind *kind, const struct judge_settings *settings,
			   double from_s, uint32_t runs)
{
	struct outcome o = {.runs = runs};
	for (uint32_t r = 0; r < runs; r++) {
		struct verdict_run run;
		bench_rollout(kind, settings, 1300000 + r, from_s, &run);
		bool passed = run.passed_at_s < run.failed_at_s;
		requests[r] = isfinite(run.failed_at_s) ? run.requests : INFINITY;
		seconds[r] = run.failed_at_s;
		passes[r] = run.passed_at_s;
		o.passed += passed;
		o.failed += !passed && isfinite(run.failed_at_s);
	}
	o.held = runs - o.passed - o.failed;
	return o;
}

static void share_table(const struct judge_settings *settings)
{
	static const struct {
		double rps, share;
	} rows[] = {{1000, 0.01}, {1000, 0.05}, {1000, 0.25}, {1000, 0.5},
		    {100, 0.1},   {10, 0.1},    {10, 0.5}};
	regression = (struct regression){0.001, 0.01, 0};
	printf("\n1 %% against 0.1 %%, by traffic and share (whole judge)\n\n"
	       "| requests/s | share | failed within an hour | median s | median requests "
	       "|\n|---|---|---|---|---|\n");
	for (uint32_t i = 0; i < 7; i++) {
		struct scene_kind kind = {"",   rows[i].rps, rows[i].share,
					  3600, false,       regression_tick};
		struct outcome o = many(&kind, settings, 0, bench_runs(400));
		uint32_t found = 0;
		for (uint32_t r = 0; r < o.runs; r++)
			found += isfinite(seconds[r]) ? 1 : 0;
		printf("| %g | %g %% | %.0f %% |", rows[i].rps, 100 * rows[i].share,
		       100.0 * found / o.runs);
		print_median(seconds, o.runs);
		printf(" |");
		print_median(requests, o.runs);
		printf(" |\n");
		fflush(stdout);
	}
}

static void decision_table(struct judge_settings settings)
{
	static const double shares[] = {0.0005, 0.001, 0.002, 0.003, 0.005, 0.01};
	static const double ratios[] = {2, 3, 5};
	struct judge_proportion_settings *errors =
		&settings.metrics[JUDGE_METRIC_ERRORS].proportion;
	struct scene_kind kind = {"", 1000, 0.01, 3600, false, regression_tick};
	errors->fine_share = 0;
	for (uint32_t i = 0; i < JUDGE_LATENCIES; i++)
		settings.metrics[JUDGE_METRIC_LATENCY + i].gates = false;
	printf("\nWhat comes first within an hour, errors only, 10 requests/s: failed / passed / "
	       "neither, median s to pass\n\n"
	       "| new release | 2x is not fine | 3x | 5x |\n|---|---|---|---|\n");
	for (uint32_t i = 0; i < 6; i++) {
		regression = (struct regression){0.001, shares[i], 0};
		printf("| %g %% |", 100 * shares[i]);
		for (uint32_t k = 0; k < 3; k++) {
			errors->fine_ratio = ratios[k];
			struct outcome o = many(&kind, &settings, 0, bench_runs(400));
			printf(" %.1f / %.1f / %.1f %%,", 100.0 * o.failed / o.runs,
			       100.0 * o.passed / o.runs, 100.0 * o.held / o.runs);
			print_median(passes, o.runs);
			printf(" |");
		}
		printf("\n");
		fflush(stdout);
	}
}

static double processor_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The ticks are drawn beforehand, and given again and again: only the judge is in the time. */
static double cost_of(double rps, double share, bool latency)
{
	enum { KEPT = 500 };
	static struct world world;
	static struct judge judge;
	static struct judge_tick ticks[KEPT];
	static struct judge_slot slots[KEPT][1024];
	static struct latency_law usual_law;
	struct judge_settings settings;
	latency_law_make(&usual_law, 1, 0, 0);
	judge_settings_default(&settings);
	judge_begin(&judge, &settings);
	world_begin(&world, 4, rps, share);
	world.new_side.law = world.live_side.law = latency ? &usual_law : NULL;
	for (uint32_t i = 0; i < KEPT; i++) {
		world_tick(&world, &ticks[i]);
		memcpy(slots[i], world.slots, world.slot_count * sizeof world.slots[0]);
		ticks[i].cells[0].new_release.slots = slots[i];
		ticks[i].cells[0].live_release.slots =
			slots[i] + ticks[i].cells[0].new_release.slot_count;
	}
	for (uint32_t i = 0; i < 6000; i++)
		judge_tick(&judge, &ticks[i % KEPT]);
	double from = processor_s();
	for (uint32_t i = 0; i < COST_TICKS; i++)
		judge_tick(&judge, &ticks[i % KEPT]);
	return (processor_s() - from) / COST_TICKS * 1e9;
}

void bench_cost(void)
{
	static const struct {
		double rps, share;
	} rows[] = {{10, 0.1}, {100, 0.1}, {1000, 0.01}, {1000, 0.1}, {5000, 0.5}};
	struct judge_settings settings;
	judge_settings_default(&settings);
	printf("\nProcessor time of a tick, ns (six metrics; a tick is 100 ms)\n\n"
	       "| requests/s | share | whole judge | a metric | rollouts on one processor "
	       "|\n|---|---|---|---|---|\n");
	for (uint32_t i = 0; i < 5; i++) {
		double ns = cost_of(rows[i].rps, rows[i].share, true);
		printf("| %g | %g %% | %.0f | %.0f | %.0f |\n", rows[i].rps, 100 * rows[i].share,
		       ns, ns / 6, 1e8 / ns);
		fflush(stdout);
	}
	if (bench_short)
		return;
	share_table(&settings);
	decision_table(settings);
}
