/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_peers - how others decide, written anew from what their documentation says, to be measured beside ours.
 *
 * WHAT  A peer sees one second after the other and says when it would abort. What it gets is better than what it has
 *       in practice: no delay of metrics, no scraping, a baseline of its own of the same size where it wants one.
 * HOW   peer_begin(), peer_second() until it returns true.
 */
#ifndef BENCH_JUDGE_PEERS_H
#define BENCH_JUDGE_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/hypergeometric.h"
#include "judge/kayenta.h"

struct peer_second {
	struct judge_table counts;
	uint64_t base_requests,
		base_events; /* a baseline: the live release, in the size of the new one */
};

struct peer;

struct peer_kind {
	const char *name;
	bool (*second)(struct peer *peer, const struct peer_second *now);
	double setting;
};

enum { PEERS = 11 };
extern const struct peer_kind peer_kinds[PEERS];

struct peer {
	const struct peer_kind *kind;
	double truth; /* how many times as bad it is: the oracle is told */
	uint32_t seconds, failures;
	struct judge_table minute, sum;
	uint64_t base_requests, base_events; /* this minute */
	double log_odds;
	struct kayenta_series experiment, control;
};

void peer_begin(struct peer *peer, const struct peer_kind *kind, double truth);
/* It would abort now. */
bool peer_second(struct peer *peer, const struct peer_second *now);

#endif
