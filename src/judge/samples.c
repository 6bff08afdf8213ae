/* SPDX-License-Identifier: Apache-2.0
 * samples - see samples.h for the contract. */
#include "judge/samples.h"

#include <math.h>

void judge_samples_add(struct judge_samples *s, double n, double y)
{
	if (!isfinite(n) || !isfinite(y) || n <= 0)
		return;
	s->count++;
	s->n += n;
	s->y += y;
	s->nn += n * n;
	s->ny += n * y;
	s->yy += y * y;
}

struct normal_batch judge_samples_batch(const struct judge_samples *s)
{
	if (s->n < 1)
		return (struct normal_batch){0};
	double mean = s->y / s->n;
	double squares = s->yy - 2 * mean * s->ny + mean * mean * s->nn;
	double variance = 0;
	if (s->count >= 2 && squares > 0)
		variance = s->count / (s->count - 1) * squares / s->n;
	return (struct normal_batch){
		.requests = (uint64_t)(s->n + 0.5), .mean = mean, .variance = variance};
}
