/* SPDX-License-Identifier: Apache-2.0
 * judge_tables - ours and the peers on the same traffic: false aborts, detection, late regressions, hard worlds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge_bench.h"
#include "judge_peers.h"

/* Ours: the errors alone, and as half of the default set. */
enum { OURS = 2, JUDGES = PEERS + OURS, RUNS_MAX = 4000 };
static const char *const our_names[OURS] = {"davit: errors alone, 0.001",
					    "davit: errors in the whole set, 0.001"};
static const double our_weights[OURS] = {1, 0.5};

struct column {
	double at_s[JUDGES][RUNS_MAX]; /* of those that aborted */
	uint32_t aborted[JUDGES];
	double failures[JUDGES], requests[JUDGES];
};

static struct column column;

static const char *name_of(uint32_t judge)
{
	return judge < PEERS ? peer_kinds[judge].name : our_names[judge - PEERS];
}

struct race {
	struct scene scene;
	struct judge_proportion ours;
	struct peer peers[PEERS];
	struct dice baseline;
	bool done[JUDGES];
	struct peer_second now;
	double failures, requests; /* of the new release since the regression */
};

static void finish(struct race *race, uint32_t judge, double bad_from_s)
{
	race->done[judge] = true;
	column.at_s[judge][column.aborted[judge]++] = race->scene.moment - bad_from_s;
	column.failures[judge] += race->failures;
	column.requests[judge] += race->requests;
}

static void add_tick(struct race *race, const struct judge_tick *tick, struct judge_table *tables)
{
	for (uint32_t s = 0; s < tick->cell_count; s++) {
		const struct judge_arm *a = &tick->cells[s].new_release,
				       *b = &tick->cells[s].live_release;
		tables[s] = (struct judge_table){a->requests, a->errors[JUDGE_ERROR_SERVER],
						 b->requests, b->errors[JUDGE_ERROR_SERVER]};
		race->now.counts.new_requests += tables[s].new_requests;
		race->now.counts.new_events += tables[s].new_events;
		race->now.counts.live_requests += tables[s].live_requests;
		race->now.counts.live_events += tables[s].live_events;
	}
}

/* A baseline as large as the new release, drawn out of what the live one did. */
static void end_second(struct race *race, double bad_from_s)
{
	const struct judge_table *t = &race->now.counts;
	uint32_t cluster = race->scene.world.live_side.cluster;
	double share = t->live_requests > 0 ? (double)t->live_events / (double)t->live_requests : 0;
	race->now.base_requests = t->new_requests;
	race->now.base_events =
		cluster * dice_binomial(&race->baseline, t->new_requests, share / cluster);
	for (uint32_t j = 0; j < PEERS; j++)
		if (!race->done[j] && peer_second(&race->peers[j], &race->now))
			finish(race, j, bad_from_s);
	race->now = (struct peer_second){0};
}

static bool all_done(const struct race *race)
{
	for (uint32_t j = 0; j < JUDGES; j++)
		if (!race->done[j])
			return false;
	return true;
}

static void run_race(const struct scene_kind *kind, uint64_t seed, double truth, double bad_from_s)
{
	static struct race race;
	static struct judge_tick tick;
	struct judge_settings settings;
	struct judge_table tables[JUDGE_STRATA_MAX];
	judge_settings_default(&settings);
	memset(&race, 0, sizeof race);
	scene_begin(&race.scene, kind, seed);
	dice_seed(&race.baseline, seed + 1000003);
	judge_proportion_begin(&race.ours, &settings.metrics[JUDGE_METRIC_ERRORS].proportion);
	for (uint32_t j = 0; j < PEERS; j++)
		peer_begin(&race.peers[j], &peer_kinds[j], truth);
	for (uint32_t i = 1; race.scene.moment < kind->seconds && !all_done(&race); i++) {
		bool learning = race.scene.moment < -0.05;
		double events = (double)race.now.counts.new_events,
		       requests = (double)race.now.counts.new_requests;
		scene_tick(&race.scene, &tick);
		add_tick(&race, &tick, tables);
		if (race.scene.moment > bad_from_s) {
			race.failures += (double)race.now.counts.new_events - events;
			race.requests += (double)race.now.counts.new_requests - requests;
		}
		judge_proportion_tick(&race.ours, tables, tick.cell_count);
		for (uint32_t j = 0; j < OURS && !learning; j++)
			if (!race.done[PEERS + j] &&
			    our_weights[j] * judge_proportion_worse(&race.ours) >=
				    1 / settings.alpha)
				finish(&race, PEERS + j, bad_from_s);
		if (i % TICKS_PER_SECOND > 0)
			continue;
		judge_proportion_second(&race.ours);
		if (learning)
			race.now = (struct peer_second){0};
		else
			end_second(&race, bad_from_s);
	}
}

static void fill_column(const struct scene_kind *kind, uint32_t runs, double truth,
			double bad_from_s)
{
	memset(&column, 0, sizeof column);
	for (uint32_t r = 0; r < runs; r++)
		run_race(kind, 100000 + r, truth, bad_from_s);
}

static void print_cell(uint32_t judge, uint32_t runs)
{
	uint32_t hits = column.aborted[judge];
	if (2 * hits < runs) {
		printf(" %5.1f %%                     |", 100.0 * hits / runs);
		return;
	}
	printf(" %5.1f %% %7.1f s %7.1f f. |", 100.0 * hits / runs,
	       bench_quantile(column.at_s[judge], hits, 0.5), column.failures[judge] / hits);
}

/* Columns are kept as text until all of them are there: a row is a judge. */
static void print_columns(const char *title, const struct scene_kind *kinds,
			  const struct regression *worlds, const char *const *heads, uint32_t count,
			  uint32_t runs)
{
	static struct column columns[5];
	printf("\n%s (%u runs a column: aborted, median time, mean of failed requests)\n\n| judge "
	       "|",
	       title, runs);
	for (uint32_t c = 0; c < count; c++) {
		regression = worlds[c];
		double truth = worlds[c].live > 0 ? worlds[c].fresh / worlds[c].live : 1;
		fill_column(&kinds[c], runs, truth, worlds[c].from_s);
		columns[c] = column;
		printf(" %s |", heads[c]);
	}
	printf("\n|---|");
	for (uint32_t c = 0; c < count; c++)
		printf("---|");
	printf("\n");
	for (uint32_t j = 0; j < JUDGES; j++) {
		printf("| %-46s |", name_of(j));
		for (uint32_t c = 0; c < count; c++) {
			column = columns[c];
			print_cell(j, runs);
		}
		printf("\n");
	}
	fflush(stdout);
}

static const struct scene_kind *kind_of(const char *part)
{
	for (uint32_t k = 0; k < SCENES; k++)
		if (strstr(scene_kinds[k].name, part) != NULL)
			return &scene_kinds[k];
	return NULL;
}

void bench_tables(void)
{
	static const char *const heads[] = {"as good", "0.3 %", "1 %", "5 %", "50 %"};
	static const struct regression worlds[] = {{0.001, 0.001, 0},
						   {0.001, 0.003, 0},
						   {0.001, 0.01, 0},
						   {0.001, 0.05, 0},
						   {0.001, 0.5, 0}};
	static const struct regression late[] = {{0.001, 0.01, 1800}, {0.001, 0.05, 1800}};
	static const struct regression good[3];
	static const char *const hard[] = {"shared outage", "drift tenfold", "clusters of 3"};
	struct scene_kind hour = {"", 1000, 0.01, 3600, false, regression_tick};
	struct scene_kind kinds[5] = {hour, hour, hour, hour, hour};
	print_columns(
		"Errors, live 0.1 %, 1,000 requests/s, 1 % of them on the new release, an hour",
		kinds, worlds, heads, 5, bench_runs(400));
	print_columns("The same, healthy for 30 minutes, times from then", kinds, late, heads + 2,
		      2, bench_runs(400));
	for (uint32_t c = 0; c < 3; c++) {
		kinds[c] = *kind_of(hard[c]);
		kinds[c].latency = false;
	}
	print_columns("Worlds in which the new release is as good", kinds, good, hard, 3,
		      bench_runs(400));
	bench_slower();
}
