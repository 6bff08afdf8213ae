/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_latency_peers - how others decide by latencies, written anew from papers and documentation, to be measured
 *                       beside ours.
 *
 * WHAT  A peer looks once a second at what was counted so far, and says when it would abort. As in judge_peers.h it
 *       gets better data than in practice: no delay, and a baseline of its own of exactly the same size.
 * HOW   latency_view_add() for each tick; each second latency_view_second(), latency_peer_second() for each peer until
 *       it returns true, and latency_view_minute(), which begins a minute anew where one is over.
 * UNITS Histograms are those of base/histogram.h, microseconds. Quantiles and alphas are shares in (0, 1).
 */
#ifndef BENCH_JUDGE_LATENCY_PEERS_H
#define BENCH_JUDGE_LATENCY_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "judge/beta_binomial.h"
#include "judge/judge.h"
#include "judge/kayenta.h"

struct latency_counts {
	uint64_t total;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* What all of them see. */
struct latency_view {
	uint32_t seconds;
	struct latency_counts new_all, live_all; /* since the start */
	struct latency_counts new_minute, live_minute;
	struct latency_counts
		base_minute; /* as many answers of the live release as of the new one */
};

void latency_view_add(struct latency_view *view, const struct judge_arm *new_release,
		      const struct judge_arm *live_release);
void latency_view_second(struct latency_view *view);
void latency_view_minute(struct latency_view *view);

struct latency_peer;

struct latency_peer_kind {
	const char *name;
	bool (*second)(struct latency_peer *peer, const struct latency_view *view);
};

enum { LATENCY_PEERS = 5 };
extern const struct latency_peer_kind latency_peer_kinds[LATENCY_PEERS];

struct latency_peer {
	const struct latency_peer_kind *kind;
	uint32_t failures;                         /* checks that failed */
	struct kayenta_series experiment, control; /* p99 of each minute, ms */
};

void latency_peer_begin(struct latency_peer *peer, const struct latency_peer_kind *kind);
/* It would abort now. */
bool latency_peer_second(struct latency_peer *peer, const struct latency_view *view);

/*
 * By how much at most the shares below any latency differ from the true ones, at all times from `from` answers on
 * together, with a chance of 1 - alpha (Howard and Ramdas, theorem 2). INFINITY for less than `from` (at least 1).
 */
double cdf_band(uint64_t n, double from, double alpha);

/* One side of a comparison of a quantile: `test` is a beta_binomial_around() the quantile. */
struct quantile_arm {
	const uint64_t *counts; /* a bucket each */
	uint64_t total;
	struct beta_binomial test;
};

/*
 * Log of the evidence that the quantile differs between two arms, which may be looked at at any time: the least, over
 * all latencies q that may be the quantile of both, of what each arm has against q (Howard and Ramdas, theorem 5). In a
 * bucket each arm has q where it has least against it, which can only make the evidence smaller.
 */
double quantile_arms_log_e(const struct quantile_arm *a, const struct quantile_arm *b,
			   uint32_t buckets);

#endif
