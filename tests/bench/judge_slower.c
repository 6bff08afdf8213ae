/* SPDX-License-Identifier: Apache-2.0
 * judge_slower - ours and the peers on the same latencies: who finds which slowness, and how soon. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge_bench.h"
#include "judge_latency_peers.h"

/* Ours: four judges, and a row for each level that is asked of one. */
enum { OURS = 5, OUR_JUDGES = 4, ROWS = LATENCY_PEERS + OURS, RUNS_MAX = 400, HALF_AN_HOUR = 1800 };
static const struct {
	bool alone, tolerant;
} our_judges[OUR_JUDGES] = {{true, true}, {true, false}, {false, true}, {false, false}};

static const struct {
	const char *name;
	uint32_t judge;
	double alpha;
} our_rows[OURS] = {{"davit: latencies alone, none tolerated, 0.01", 1, 0.01},
		    {"davit: latencies alone, none tolerated, 0.001", 1, 0.001},
		    {"davit: latencies alone, 9 % tolerated, 0.001", 0, 0.001},
		    {"davit: whole set, none tolerated, 0.001", 3, 0.001},
		    {"davit: whole set, 9 % tolerated, 0.001", 2, 0.001}};

static const struct {
	const char *name;
	double times, slow_share, slow_us;
} columns[] = {{"as good", 1, 0, 0},
	       {"4 % take 1 s longer", 1, 0.04, 1e6},
	       {"2 % take 1 s longer", 1, 0.02, 1e6},
	       {"1.5 times as long", 1.5, 0, 0},
	       {"1.2 times as long", 1.2, 0, 0},
	       {"1.1 times as long", 1.1, 0, 0}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static struct latency_law usual_law, other_law;
static double found_at_s[COLUMNS][ROWS][RUNS_MAX];
static uint32_t found[COLUMNS][ROWS];

struct race {
	struct scene scene;
	struct judge ours[OUR_JUDGES];
	struct latency_view view;
	struct latency_peer peers[LATENCY_PEERS];
	bool done[ROWS];
};

static void slower_tick(struct scene *scene, double second, struct judge_tick *ret_tick)
{
	scene->world.live_side.law = &usual_law;
	scene->world.new_side.law = second < 0 ? &usual_law : &other_law;
	world_tick(&scene->world, ret_tick);
}

/* Of a release that is warm. */
static void our_settings(uint32_t judge, struct judge_settings *ret_settings)
{
	judge_settings_default(ret_settings);
	ret_settings->warm_requests = 0;
	for (uint32_t m = 0; m < JUDGE_METRIC_LATENCY && our_judges[judge].alone; m++)
		ret_settings->metrics[m].name[0] = '\0';
	for (uint32_t i = 0; i < JUDGE_LATENCIES && !our_judges[judge].tolerant; i++) {
		ret_settings->metrics[JUDGE_METRIC_LATENCY + i].scale = 1;
		ret_settings->metrics[JUDGE_METRIC_LATENCY + i].slack_us = 0;
	}
}

static void begin(struct race *race, const struct scene_kind *kind, uint64_t seed)
{
	memset(race, 0, sizeof *race);
	scene_begin(&race->scene, kind, seed);
	for (uint32_t j = 0; j < OUR_JUDGES; j++) {
		struct judge_settings settings;
		our_settings(j, &settings);
		judge_begin(&race->ours[j], &settings);
		judge_warm_up(&race->ours[j]);
		judge_warm_up(&race->ours[j]);
	}
	for (uint32_t p = 0; p < LATENCY_PEERS; p++)
		latency_peer_begin(&race->peers[p], &latency_peer_kinds[p]);
}

static void finish(struct race *race, uint32_t column, uint32_t row)
{
	race->done[row] = true;
	found_at_s[column][row][found[column][row]++] = race->scene.moment;
}

static bool is_asked(const struct race *race, uint32_t judge)
{
	for (uint32_t o = 0; o < OURS; o++)
		if (our_rows[o].judge == judge && !race->done[LATENCY_PEERS + o])
			return true;
	return false;
}

static bool all_done(const struct race *race)
{
	for (uint32_t r = 0; r < ROWS; r++)
		if (!race->done[r])
			return false;
	return true;
}

static void ask_ours(struct race *race, uint32_t column)
{
	for (uint32_t o = 0; o < OURS; o++)
		if (!race->done[LATENCY_PEERS + o] &&
		    judge_odds(&race->ours[our_rows[o].judge]) >= 1 / our_rows[o].alpha)
			finish(race, column, LATENCY_PEERS + o);
}

static void ask_peers(struct race *race, uint32_t column)
{
	latency_view_second(&race->view);
	for (uint32_t p = 0; p < LATENCY_PEERS; p++)
		if (!race->done[p] && latency_peer_second(&race->peers[p], &race->view))
			finish(race, column, p);
	latency_view_minute(&race->view);
}

static void run_race(const struct scene_kind *kind, uint32_t column, uint64_t seed)
{
	static struct race race;
	static struct judge_tick tick;
	begin(&race, kind, seed);
	memset(&tick, 0, sizeof tick);
	for (uint32_t i = 1; race.scene.moment < kind->seconds && !all_done(&race); i++) {
		bool learning = race.scene.moment < -0.05;
		scene_tick(&race.scene, &tick);
		for (uint32_t j = 0; j < OUR_JUDGES; j++)
			if (is_asked(&race, j))
				judge_tick(&race.ours[j], &tick);
		if (learning)
			continue;
		latency_view_add(&race.view, &tick.cells[0].new_release,
				 &tick.cells[0].live_release);
		ask_ours(&race, column);
		if (i % TICKS_PER_SECOND == 0)
			ask_peers(&race, column);
	}
}

static void print_row(uint32_t row, uint32_t runs)
{
	printf("| %-52s |", row < LATENCY_PEERS ? latency_peer_kinds[row].name
						: our_rows[row - LATENCY_PEERS].name);
	for (uint32_t c = 0; c < COLUMNS; c++) {
		uint32_t hits = found[c][row];
		if (2 * hits < runs)
			printf(" %5.1f %%           |", 100.0 * hits / runs);
		else
			printf(" %5.1f %% %7.1f s |", 100.0 * hits / runs,
			       bench_quantile(found_at_s[c][row], hits, 0.5));
	}
	printf("\n");
}

void bench_slower(void)
{
	struct scene_kind kind = {"", 1000, 0.01, HALF_AN_HOUR, false, slower_tick};
	uint32_t runs = bench_runs(200);
	printf("\nLatencies, p50 50 ms, p99 321 ms, 10 requests/s of the new release, half an hour "
	       "(%u "
	       "runs a column: found, median time of those)\n\n| judge |",
	       runs);
	latency_law_make(&usual_law, 1, 0, 0);
	memset(found, 0, sizeof found);
	for (uint32_t c = 0; c < COLUMNS; c++) {
		latency_law_make(&other_law, columns[c].times, columns[c].slow_share,
				 columns[c].slow_us);
		for (uint32_t r = 0; r < runs; r++)
			run_race(&kind, c, 1700000 + r);
		printf(" %s |", columns[c].name);
	}
	printf("\n|---|");
	for (uint32_t c = 0; c < COLUMNS; c++)
		printf("---|");
	printf("\n");
	for (uint32_t r = 0; r < ROWS; r++)
		print_row(r, runs);
	fflush(stdout);
}
