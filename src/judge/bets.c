/* SPDX-License-Identifier: Apache-2.0
 * bets - see bets.h for the contract. */
#include "judge/bets.h"

#include <math.h>

#include "base/err.h"

static const double AT_ONCE = 0.45, EVENLY_S = 2700, OF_THE_REST = 1.0 / 900;
static const double CAPITAL_MIN = 1e-300, CAPITAL_MAX = 1e200;

void judge_bets_begin(struct judge_bets *bets, uint32_t count, const double *parts, double at_once)
{
	double sum = 0, share = at_once > 0 ? at_once : AT_ONCE;
	ASSERT(count > 0 && count <= JUDGE_BETS_MAX && share <= 1);
	*bets = (struct judge_bets){
		.count = count, .cash = 1, .per_second = (1 - share) / EVENLY_S};
	for (uint32_t i = 0; i < count; i++)
		sum += parts ? parts[i] : 1;
	for (uint32_t i = 0; i < count; i++)
		bets->parts[i] = (parts ? parts[i] : 1) / sum;
	judge_bets_add(bets, share);
}

void judge_bets_multiply(struct judge_bets *bets, const double *factors)
{
	for (uint32_t i = 0; i < bets->count; i++) {
		double capital = bets->capital[i] * factors[i];
		if (capital < CAPITAL_MIN)
			capital = CAPITAL_MIN;
		bets->capital[i] = capital > CAPITAL_MAX ? CAPITAL_MAX : capital;
	}
}

void judge_bets_settle(struct judge_bets *bets, const double *log_factors)
{
	double factors[JUDGE_BETS_MAX];
	for (uint32_t i = 0; i < bets->count; i++)
		factors[i] = exp(log_factors[i]);
	judge_bets_multiply(bets, factors);
}

void judge_bets_add(struct judge_bets *bets, double share)
{
	if (share > bets->cash)
		share = bets->cash;
	bets->cash -= share;
	for (uint32_t i = 0; i < bets->count; i++)
		bets->capital[i] += share * bets->parts[i];
}

void judge_bets_second(struct judge_bets *bets)
{
	judge_bets_seconds(bets, 1);
}

void judge_bets_seconds(struct judge_bets *bets, double seconds)
{
	double rest = bets->cash * OF_THE_REST * seconds, even = bets->per_second * seconds;
	judge_bets_add(bets, rest < even ? rest : even);
}

double judge_bets_wealth(const struct judge_bets *bets)
{
	double wealth = bets->cash;
	for (uint32_t i = 0; i < bets->count; i++)
		wealth += bets->capital[i];
	return wealth;
}
