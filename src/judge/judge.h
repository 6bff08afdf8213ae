/* SPDX-License-Identifier: Apache-2.0
 *
 * judge - is the new release worse than the live one, is it fine, or is it too early to say?
 *
 * WHAT  Fed with what both releases did in the same moments, ten times a second; has at any time a verdict and the
 *       evidence for it. Nothing is lost by looking often, and nothing is gained by looking late: the chance that a
 *       release that is not worse than tolerated is ever judged bad is at most alpha, over all metrics, steps and looks
 *       together; that one which is much worse is called fine at most beta.
 *
 * HOW   judge_begin(); judge_tick() with the live release alone while there is nothing else, to learn how it is; with
 *       both once the new release has requests; judge_step() where a step begins; judge_decide() when asked.
 *       Each metric has an e-process (proportion.h, mean.h) and a weight; the weights sum to 1. The weighted mean is
 *       an e-process again, whatever the metrics have to do with each other:
 *         FAIL        the mean reaches 1/alpha.
 *         PASS        every metric that gates has shown, at 1/beta, that the new release is fine, and the mean is
 *                     below 20.
 *         GO_ON       neither; more requests will tell.
 *         TOO_LITTLE  neither, and the new release has had none or next to none.
 *       While instances of the new release are cold, their latencies count for nothing.
 *       A live release that is itself in trouble (its errors above `trouble`) is no measure: nothing passes then.
 *       Failing stays possible: the comparison is of the same moments. The same where the requests are not divided by
 *       weight as promised (sample_ratio.h): GO_ON, until that is understood.
 *
 * UNITS Ticks carry the observed time that passed; a gap is no time. Counts are of the tick, not cumulative.
 * OWNS  A value of about 60 KB without pointers. A tick's slots are the caller's.
 * SEE   proportion.h for the formulas; tests/bench/bench_judge.c for what they reach.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/band.h"
#include "judge/latency.h"
#include "judge/mean.h"
#include "judge/proportion.h"
#include "judge/rules.h"
#include "judge/sample_ratio.h"

enum {
	JUDGE_STRATA_MAX = JUDGE_TABLES_MAX,
	JUDGE_LATENCIES = 4,
	JUDGE_INSTANCES_MAX = 16,
	JUDGE_EXTRAS = 10,       /* crashes, log errors, eight of the application's own */
	JUDGE_EXTRA_CRASHES = 0, /* among milliseconds of instances */
	JUDGE_EXTRA_LOG_ERRORS = 1,
	JUDGE_EXTRA_KPI = 2,
	JUDGE_MEANS = 10, /* cpu, memory, eight of the application's own */
	JUDGE_MEAN_CPU = 0,
	JUDGE_MEAN_MEMORY = 1,
	JUDGE_MEAN_KPI = 2,
	JUDGE_NAME_SIZE = JUDGE_RULE_NAME_MAX
};

enum judge_metric_id {
	JUDGE_METRIC_ERRORS,
	JUDGE_METRIC_REFUSED, /* answers 400..499 */
	JUDGE_METRIC_HANGS,   /* without an answer for longer than the live release needs */
	JUDGE_METRIC_LATENCY, /* p50 p90 p99 p99.9 */
	JUDGE_METRIC_EXTRA = JUDGE_METRIC_LATENCY + JUDGE_LATENCIES,
	JUDGE_METRIC_COUNT = JUDGE_METRIC_EXTRA + JUDGE_EXTRAS,
	/* Means follow, where a metric only adds to the odds. */
	JUDGE_METRIC_MEAN = JUDGE_METRIC_COUNT,
	JUDGE_METRIC_ALL = JUDGE_METRIC_MEAN + JUDGE_MEANS
};

struct judge_metric_settings {
	char name[JUDGE_NAME_SIZE]; /* "errors", "p99", "checkouts"; "" = this metric is off */
	bool gates;                 /* a step passes only when it is shown to be fine */
	double weight;              /* relative to the others */
	double scale;               /* of a latency: tolerated slowness, 1.09 = 9 % */
	double slack_us;            /* or so much slower, where that is more */
	struct judge_proportion_settings proportion;
};

struct judge_settings {
	double alpha;   /* false alarms, per rollout: 0.001 */
	double beta;    /* wrong passes: 0.01 */
	double trouble; /* a share of errors of the live release that is trouble */
	uint32_t
		warm_requests; /* of the release, for each instance that begins: it is warm then, */
	uint32_t warm_ms;      /* or after so much time */
	double phi_least; /* 1, or more where instances of the live release were found to differ by themselves */
	struct judge_metric_settings metrics[JUDGE_METRIC_COUNT];
	struct judge_mean_settings means[JUDGE_MEANS];
};

/* What a release did in one tick, in one stratum. */
struct judge_arm {
	uint64_t requests; /* with an outcome */
	uint64_t errors[JUDGE_ERROR_COUNT];
	uint64_t refused;  /* 4xx */
	uint64_t repeated; /* of the errors: the same client, the same request, within a second */
	uint64_t hangs;    /* requests that have become too old without an answer */
	uint32_t slot_count;
	const struct judge_slot *slots; /* latencies of its answers */
};

struct judge_cell {
	struct judge_arm new_release, live_release;
};

/* One instance; what it answered is in its release's arms already. */
struct judge_member {
	uint64_t requests, errors;
};

struct judge_tick {
	uint32_t elapsed_ms; /* since the tick before, observed */
	uint32_t cell_count; /* strata, at least 1 */
	struct judge_cell cells[JUDGE_STRATA_MAX];
	struct judge_table extras[JUDGE_EXTRAS];    /* all zero where nothing was read */
	struct judge_mean_batch means[JUDGE_MEANS]; /* the same, where no batch ended */
	struct sample_ratio_tick division;          /* the same, where nothing was divided */
	/* By place, which an instance keeps; 0: not known, or more than there is room for. */
	uint32_t new_count, live_count;
	struct judge_member new_members[JUDGE_INSTANCES_MAX], live_members[JUDGE_INSTANCES_MAX];
};

/* One instance of the new release since there is another one beside it, and what the evidence of errors would be
 * without it. */
struct judge_suspect {
	uint64_t requests, errors;
	struct judge_proportion without;
};

struct judge {
	struct judge_settings settings;
	double weights[JUDGE_METRIC_ALL]; /* sum to 1 */
	struct judge_mean means[JUDGE_MEANS];
	struct judge_proportion metrics[JUDGE_METRIC_COUNT];
	struct judge_table totals[JUDGE_METRIC_COUNT][JUDGE_STRATA_MAX]; /* since the start */
	struct judge_band band;                                          /* of errors */
	struct sample_ratio division; /* of the requests between both */
	struct judge_past past;
	struct judge_edge edges[JUDGE_LATENCIES];
	bool edges_known;
	uint64_t time_ms, second_ms, minute_ms; /* observed; of the current second and minute */
	uint64_t warm_from_ms, warm_until_requests, new_requests;
	uint64_t causes[JUDGE_ERROR_COUNT];    /* of the new release, since the start */
	double recent_requests, recent_errors; /* of the live release, about the last minute */
	double usual_requests, usual_errors;   /* the same, before and without trouble */
	uint32_t suspect_count, replaced;
	struct judge_suspect suspects[JUDGE_INSTANCES_MAX];
	struct judge_member live_second[JUDGE_INSTANCES_MAX]; /* of the current second */
	uint32_t live_second_count;
};

/* errors 0.5, latency 0.3, the rest shares what is left; worse than 1.25 times and 0.02 points; 9 % slower. */
void judge_settings_default(struct judge_settings *ret_settings);

/* p99.9 too: it takes 10,000 answers of the live release. */
void judge_settings_slowest(struct judge_settings *settings);

/* A metric of the application's own, or crashes: `index` below JUDGE_EXTRAS. */
void judge_settings_extra(struct judge_settings *settings, uint32_t index, const char *name,
			  const struct judge_proportion_settings *proportion, double weight);

void judge_begin(struct judge *judge, const struct judge_settings *settings);
void judge_tick(struct judge *judge, const struct judge_tick *tick);
/* A step begins: another share of the traffic. */
void judge_step(struct judge *judge);
/* An instance of the new release is new: give it time. */
void judge_warm_up(struct judge *judge);

/*
 * One sick instance is no reason to take a release back: where the release would fail, but would not without one
 * instance, on which by chance so many of the errors would fall once in 100 times, its place is returned, once
 * a rollout. It is to be replaced, and the judge told by judge_replace(). Else -1.
 */
int judge_sick(const struct judge *judge);
/* Forget what this instance did. */
void judge_replace(struct judge *judge, uint32_t place);

/* The verdict, the metric that decided, and one sentence with its numbers. */
void judge_decide(const struct judge *judge, struct judge_result *ret_result);

/* Against the release, over all metrics: FAIL from 1/alpha on. */
double judge_odds(const struct judge *judge);
/* The least that gates have shown for it: PASS from 1/beta on. 1 where nothing gates. */
double judge_fine(const struct judge *judge);
/* What a metric's evidence adds to judge_odds(); below JUDGE_METRIC_ALL, as in judge_metric_name(). */
double judge_share_of_odds(const struct judge *judge, uint32_t metric);
/* Must it be shown to be fine? Without a live release there is no slowness, for there is nothing to be slower than. */
bool judge_gates(const struct judge *judge, uint32_t metric);
bool judge_metric_is_on(const struct judge *judge, uint32_t metric);
const char *judge_metric_name(const struct judge *judge, uint32_t metric); /* "" = it is off */
/* Is the live release itself in trouble? */
bool judge_live_troubled(const struct judge *judge);

#endif
