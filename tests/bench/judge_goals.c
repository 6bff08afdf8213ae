/* SPDX-License-Identifier: Apache-2.0
 * judge_goals - what the judge is to reach, and whether it does. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge_bench.h"

enum { RUNS_MAX = 2000 };
static const double SURELY = 0.001;

/* What many rollouts of the same kind came to. */
struct sample {
	uint32_t runs, failed, passed;
	double requests[RUNS_MAX], seconds[RUNS_MAX], pass_s[RUNS_MAX]; /* INFINITY: never */
	double failures;                                                /* of all */
};

static struct sample sample;

static void take_sample(const struct scene_kind *kind, const struct judge_settings *settings,
			double from_s, uint32_t runs)
{
	memset(&sample, 0, sizeof sample);
	sample.runs = runs;
	for (uint32_t r = 0; r < runs; r++) {
		struct verdict_run run;
		bench_rollout(kind, settings, 900000 + r, from_s, &run);
		bool failed = isfinite(run.failed_at_s);
		sample.failed += failed;
		sample.passed += isfinite(run.passed_at_s) ? 1 : 0;
		sample.failures += run.failures;
		sample.requests[r] = failed ? run.requests : INFINITY;
		sample.seconds[r] = run.failed_at_s;
		sample.pass_s[r] = run.passed_at_s;
	}
}

static void say(const char *goal, double measured, const char *unit, double bound, bool broken)
{
	const char *state = broken ? "BROKEN" : measured <= bound ? "ok" : "near";
	printf("| %-66s | %8.4g %-8s | %8.4g | %s |\n", goal, measured, unit, bound, state);
	fflush(stdout);
	bench_passed += !broken;
	bench_failed += broken;
}

/* "A share `quantile` of all rollouts needs at most `bound`": broken when the count of those above excludes it. */
static void say_quantile(const char *goal, double *values, double quantile, const char *unit,
			 double bound)
{
	uint32_t above = 0;
	for (uint32_t i = 0; i < sample.runs; i++)
		above += values[i] > bound;
	bool broken = share_lower(above, sample.runs, SURELY) > 1 - quantile;
	say(goal, bench_quantile(values, sample.runs, quantile), unit, bound, broken);
}

/* "At most this share of rollouts". */
static void say_share(const char *goal, uint32_t count, double bound)
{
	bool broken = share_lower(count, sample.runs, SURELY) > bound;
	say(goal, 100.0 * count / sample.runs, "%", 100 * bound, broken);
}

/* A mean has no exact bound; the seeds are fixed, and few runs are given a fifth. */
static void say_mean(const char *goal, double mean, const char *unit, double bound)
{
	say(goal, mean, unit, bound, mean > bound * (bench_short ? 1.2 : 1));
}

static void world_of(double live, double fresh, double from_s)
{
	regression = (struct regression){live, fresh, from_s};
}

static void detection_goals(const struct judge_settings *settings)
{
	struct scene_kind kind = {"", 1000, 0.01, 3600, false, regression_tick};
	world_of(0.001, 0.01, 0);
	take_sample(&kind, settings, 0, bench_runs(1000));
	say_quantile("1 % against 0.1 %: requests, median", sample.requests, 0.5, "requests", 900);
	say_quantile("1 % against 0.1 %: requests, 9 of 10", sample.requests, 0.9, "requests",
		     1750);
	say_mean("1 % against 0.1 %: failed requests, mean", sample.failures / sample.runs,
		 "failed", 10);
	world_of(0.001, 0.05, 0);
	take_sample(&kind, settings, 0, bench_runs(1000));
	say_quantile("5 %: requests, median", sample.requests, 0.5, "requests", 90);
	say_mean("5 %: failed requests, mean", sample.failures / sample.runs, "failed", 5);
	world_of(0.001, 0.5, 0);
	take_sample(&kind, settings, 0, bench_runs(1000));
	say_quantile("50 %: requests, median", sample.requests, 0.5, "requests", 6);
	say_quantile("50 % at 10 requests/s: seconds, median", sample.seconds, 0.5, "s", 1);
	kind.rps = 10000;
	take_sample(&kind, settings, 0, bench_runs(200));
	say_quantile("50 % at 100 requests/s: seconds, median", sample.seconds, 0.5, "s", 0.2001);
	kind.rps = 1000;
	world_of(0.001, 0.01, 1800);
	take_sample(&kind, settings, 1800, bench_runs(400));
	say_quantile("1 % after 30 healthy minutes: seconds, median", sample.seconds, 0.5, "s",
		     120);
}

static void silent_live_goals(const struct judge_settings *settings)
{
	static const double shares[] = {0.01, 0.05, 0.1, 0.25, 0.5};
	world_of(0, 0.01, 0);
	for (uint32_t i = 0; i < 5; i++) {
		struct scene_kind kind = {"", 1000, shares[i], 3600, false, regression_tick};
		char goal[80];
		snprintf(goal, sizeof goal,
			 "1 %% against none, %g %% of the traffic: requests, median",
			 100 * shares[i]);
		take_sample(&kind, settings, 0, bench_runs(400));
		say_quantile(goal, sample.requests, 0.5, "requests", 1000);
	}
}

static struct latency_law usual_law, other_law;
static double slower_from_s;

static void slower_tick(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	scene->world.live_side.law = &usual_law;
	scene->world.new_side.law = second < slower_from_s ? &usual_law : &other_law;
	world_tick(&scene->world, ret_tick);
}

/* Of a release that is warm, by its latencies alone. */
static void latency_goals(struct judge_settings settings)
{
	struct scene_kind kind = {"", 1000, 0.01, 1200, false, slower_tick};
	for (uint32_t m = 0; m < JUDGE_METRIC_LATENCY; m++)
		settings.metrics[m].name[0] = '\0';
	latency_law_make(&usual_law, 1, 0, 0);
	latency_law_make(&other_law, 1, 0.04, 1e6);
	settings.warm_requests = 0;
	take_sample(&kind, &settings, 0, bench_runs(400));
	say_quantile("4 % take a second longer: requests, median", sample.requests, 0.5, "requests",
		     250);
	kind.seconds = 3600;
	slower_from_s = 1800;
	take_sample(&kind, &settings, slower_from_s, bench_runs(200));
	say_quantile("the same after 30 healthy minutes: requests, median", sample.requests, 0.5,
		     "requests", 500);
	kind.seconds = 1200;
	slower_from_s = 0;
	latency_law_make(&other_law, 1.2, 0, 0);
	for (uint32_t i = 0; i < JUDGE_LATENCIES; i++) {
		settings.metrics[JUDGE_METRIC_LATENCY + i].scale = 1;
		settings.metrics[JUDGE_METRIC_LATENCY + i].slack_us = 0;
	}
	take_sample(&kind, &settings, 0, bench_runs(400));
	say_quantile("all take 20 % longer, none tolerated: requests, median", sample.requests, 0.5,
		     "requests", 550);
}

static void pass_goals(const struct judge_settings *settings)
{
	struct scene_kind kind = {"", 1000, 0.01, 1800, true, regression_tick};
	world_of(0.001, 0.001, 0);
	take_sample(&kind, settings, 0, bench_runs(400));
	say_quantile("as good, 10 requests/s: seconds to pass, median", sample.pass_s, 0.5, "s",
		     600);
	struct judge_settings comparing =
		*settings; /* three times as bad and no share that is fine by itself */
	comparing.metrics[JUDGE_METRIC_ERRORS].proportion.fine_share = 0;
	world_of(0.001, 0.003, 0);
	take_sample(&kind, &comparing, 0, bench_runs(400));
	say_share("three times as bad: passed before it is failed", sample.passed, settings->beta);
	world_of(0.001, 0.02, 0);
	take_sample(&kind, settings, 0, bench_runs(400));
	say_share("2 % errors: passed before it is failed", sample.passed, settings->beta);
}

/* One who was told both rates, on average, against ours alone and without a tolerance. */
static double requests_of(double weight, const struct judge_proportion_settings *s,
			  double oracle_odds, uint32_t runs)
{
	struct scene_kind kind = {"", 1000, 0.01, 3600, false, regression_tick};
	static struct scene scene;
	static struct judge_tick tick;
	static double needed[RUNS_MAX];
	double bad = 0.01 * 10 / (1 + 0.01 * 9);
	for (uint32_t r = 0; r < runs; r++) {
		struct judge_proportion p;
		double odds = 0, requests = 0;
		judge_proportion_begin(&p, s);
		scene_begin(&scene, &kind, 700000 + r);
		for (uint32_t i = 1;; i++) {
			bool started = scene.moment > -0.05;
			scene_tick(&scene, &tick);
			struct judge_arm *a = &tick.cells[0].new_release,
					 *b = &tick.cells[0].live_release;
			struct judge_table t = {a->requests, a->errors[0], b->requests,
						b->errors[0]};
			judge_proportion_tick(&p, &t, 1);
			if (i % TICKS_PER_SECOND == 0)
				judge_proportion_second(&p);
			requests += (double)t.new_requests;
			if (started)
				odds += (double)t.new_events * log(bad / 0.01) +
					(double)t.live_events * log((1 - bad) / 0.99);
			if (weight > 0 ? weight * judge_proportion_worse(&p) >= 1000
				       : odds >= log(oracle_odds))
				break;
		}
		needed[r] = requests;
	}
	return bench_quantile(needed, runs, 0.5);
}

static void efficiency_goals(void)
{
	uint32_t runs = bench_runs(1000);
	world_of(0.001, 0.01, 0);
	const struct judge_proportion_settings usual = {.ratio = 1.25, .points = 0.0002},
					       strict = {.ratio = 1},
					       at_once = {.ratio = 1, .at_once = 1};
	double oracle = requests_of(0, &usual, 1000, runs);
	say_mean("1 %: requests, ratio to one who was told; r0 = 1, all bet at once",
		 requests_of(1, &at_once, 0, runs) / oracle, "x", 1.35);
	say_mean("the same, and nearly half kept for later, as davit does",
		 requests_of(1, &strict, 0, runs) / oracle, "x", 1.5);
	say_mean("the same with the default tolerance", requests_of(1, &usual, 0, runs) / oracle,
		 "x", 1.75);
}

void bench_goals(void)
{
	struct judge_settings settings;
	judge_settings_default(&settings);
	printf("\nGoals (whole judge, defaults; live 0.1 %%, 1,000 requests/s, 1 %% of them new, "
	       "where nothing else is "
	       "said)\n\n| goal | measured | bound | |\n|---|---|---|---|\n");
	detection_goals(&settings);
	silent_live_goals(&settings);
	latency_goals(settings);
	pass_goals(&settings);
	efficiency_goals();
}
