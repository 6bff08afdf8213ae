/* SPDX-License-Identifier: Apache-2.0
 *
 * latency - "slower than nine tenths of the live release's answers": edges in the histograms.
 *
 * WHAT  For one quantile of the live release an edge, chosen from its past, and how many answers of a tick are
 *       slower. Those are events among requests, and proportion.h judges them: no mean, no normal distribution, and a
 *       tail that grows is found from the few answers that are in it.
 *
 * HOW   The edge is the upper end of the bucket that holds the quantile. A new release may be `scale` times as
 *       slow, or `slack_us` slower where that is more (an instance with less to do is slower by microseconds, for
 *       its caches are colder): its edge is so much longer, rounded up to a bucket's end. Where no answer becomes more than
 *       scale times slower, at most as many of them pass their edge (P(L > u) of a scaled L), so the null holds.
 *       An edge is chosen anew every minute from what is remembered (half of it forgotten in ten minutes), before
 *       the tick that is judged by it: any such choice is fair.
 *
 * LIMITS A quantile is not judged before the past has ten answers beyond it: 1,000 for p99.
 */
#ifndef JUDGE_LATENCY_H
#define JUDGE_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"

/* So many answers in this bucket. A tick has few of them. */
struct judge_slot {
	uint32_t bucket;
	uint32_t count;
};

struct judge_past {
	double total;
	double counts[HISTOGRAM_BUCKETS];
};

struct judge_edge {
	bool known;
	uint32_t live_bucket, new_bucket; /* an answer in a later bucket is slower */
	uint64_t live_us;
};

void judge_past_add(struct judge_past *past, const struct judge_slot *slots, uint32_t count);
/* A minute is over. */
void judge_past_minute(struct judge_past *past);

/* Choose the edge of this quantile (9900 = p99); unknown while the past is too short. */
void judge_edge_choose(struct judge_edge *edge, const struct judge_past *past, uint32_t quantile_bp,
		       double scale, double slack_us);

/* How many of them are slower than `bucket`. */
uint64_t judge_slower(const struct judge_slot *slots, uint32_t count, uint32_t bucket);

#endif
