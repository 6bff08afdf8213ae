/* SPDX-License-Identifier: Apache-2.0
 * draw - see draw.h for the contract. */
#include "judge/draw.h"

#include <math.h>

static const double EXACT_TO = 30, TWO_PI = 6.283185307179586;

/* splitmix64: every seed is as good as any other. */
static uint64_t next(struct judge_draw *draw)
{
	uint64_t z = draw->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void judge_draw_begin(struct judge_draw *draw, uint64_t seed)
{
	draw->state = seed;
}

double judge_draw_even(struct judge_draw *draw)
{
	return ((double)(next(draw) >> 11) + 0.5) / 9007199254740992.0;
}

double judge_draw_none(double requests, double share)
{
	return share < 1 ? exp(requests * log1p(-share)) : 0;
}

static double draw_many(struct judge_draw *draw, double requests, double share)
{
	double mean = requests * share, deviation = sqrt(mean * (1 - share));
	double u = judge_draw_even(draw), v = judge_draw_even(draw);
	double events = floor(mean + deviation * sqrt(-2 * log(u)) * cos(TWO_PI * v) + 0.5);
	return events < 0 ? 0 : events > requests ? requests : events;
}

double judge_draw_events(struct judge_draw *draw, double requests, double share, double none)
{
	double events = 0;
	if (share <= 0 || requests <= 0)
		return 0;
	if (share >= 1)
		return requests;
	if (requests * share > EXACT_TO)
		return draw_many(draw, requests, share);
	double u = judge_draw_even(draw), chance = none, odds = share / (1 - share);
	for (; u > chance && events < requests; events++) {
		u -= chance;
		chance *= (requests - events) / (events + 1) * odds;
	}
	return events;
}
