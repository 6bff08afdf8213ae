/* SPDX-License-Identifier: Apache-2.0
 * latency - see latency.h for the contract. */
#include "judge/latency.h"

static const double BEYOND_LEAST = 10, KEPT_PER_MINUTE = 0.933;

void judge_past_add(struct judge_past *past, const struct judge_slot *slots, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		past->counts[slots[i].bucket] += slots[i].count;
		past->total += slots[i].count;
	}
}

void judge_past_minute(struct judge_past *past)
{
	past->total = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		past->counts[i] *= KEPT_PER_MINUTE;
		past->total += past->counts[i];
	}
}

static uint32_t bucket_of(double us)
{
	return histogram_index((uint64_t)us);
}

void judge_edge_choose(struct judge_edge *edge, const struct judge_past *past, uint32_t quantile_bp,
		       double scale, double slack_us)
{
	double quantile = (double)quantile_bp / HISTOGRAM_QUANTILE_FULL_BP;
	if (past->total * (1 - quantile) < BEYOND_LEAST)
		return; /* what was chosen before still holds */
	double seen = 0;
	uint32_t bucket = 0;
	while (bucket < HISTOGRAM_BUCKETS - 1 &&
	       (seen += past->counts[bucket]) < quantile * past->total)
		bucket++;
	double us = (double)histogram_upper_us(bucket), tolerated = us * scale;
	if (tolerated < us + slack_us)
		tolerated = us + slack_us;
	*edge = (struct judge_edge){
		.known = true,
		.live_bucket = bucket,
		.live_us = histogram_upper_us(bucket),
		.new_bucket = tolerated > us ? bucket_of(tolerated) : bucket,
	};
}

uint64_t judge_slower(const struct judge_slot *slots, uint32_t count, uint32_t bucket)
{
	uint64_t slower = 0;
	/* Half of all answers are slower than the median, in no order: a branch would be guessed wrongly each second time. */
	for (uint32_t i = 0; i < count; i++)
		slower += slots[i].count & -(uint32_t)(slots[i].bucket > bucket);
	return slower;
}
