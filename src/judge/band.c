/* SPDX-License-Identifier: Apache-2.0
 * band - see band.h for the contract. */
#include "judge/band.h"

#include <math.h>

static const double LOG_FIRST = -3.912, LOG_LAST = 6.908,
		    LOG_20 = 2.996; /* log of 1/50, 1000, 20 */

static double log_ratio(uint32_t step)
{
	return LOG_FIRST + (LOG_LAST - LOG_FIRST) * step / (JUDGE_BAND_STEPS - 1);
}

void judge_band_add(struct judge_band *band, const struct judge_table *table)
{
	band->second.new_requests += table->new_requests;
	band->second.new_events += table->new_events;
	band->second.live_requests += table->live_requests;
	band->second.live_events += table->live_events;
}

void judge_band_second(struct judge_band *band, double phi)
{
	struct judge_table t = band->second;
	double d = (double)(t.new_events + t.live_events) / phi;
	band->second = (struct judge_table){0};
	if (d <= 0 || t.new_requests == 0 || t.live_requests == 0)
		return;
	double pi = (double)t.new_requests / (double)(t.new_requests + t.live_requests);
	band->events += (double)t.new_events / phi;
	for (uint32_t i = 0; i < JUDGE_BAND_STEPS; i++)
		band->costs[i] += d * log1p(pi * (exp(log_ratio(i)) - 1));
}

static double likelihood(const struct judge_band *band, uint32_t step)
{
	return band->events * log_ratio(step) - band->costs[step];
}

void judge_band_read(const struct judge_band *band, double *ret_low, double *ret_ratio,
		     double *ret_high)
{
	uint32_t best = 0, low = JUDGE_BAND_STEPS, high = 0;
	for (uint32_t i = 1; i < JUDGE_BAND_STEPS; i++)
		if (likelihood(band, i) > likelihood(band, best))
			best = i;
	double top = likelihood(band, best), mean = 0;
	for (uint32_t i = 0; i < JUDGE_BAND_STEPS; i++)
		mean += exp(likelihood(band, i) - top) / JUDGE_BAND_STEPS;
	double floor = top + log(mean) - LOG_20;
	for (uint32_t i = 0; i < JUDGE_BAND_STEPS; i++) {
		if (likelihood(band, i) <= floor)
			continue;
		low = i < low ? i : low;
		high = i;
	}
	*ret_low = exp(log_ratio(low > 0 ? low - 1 : 0));
	*ret_ratio = exp(log_ratio(best));
	*ret_high = exp(log_ratio(high + 1 < JUDGE_BAND_STEPS ? high + 1 : high));
}
