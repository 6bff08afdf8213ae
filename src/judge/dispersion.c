/* SPDX-License-Identifier: Apache-2.0
 * dispersion - see dispersion.h for the contract. */
#include "judge/dispersion.h"

#include <math.h>

/* What is believed before anything was seen weighs as much as some ten events. */
static const double PRIOR = 5;
/* Half of what was seen is forgotten in half an hour. */
static const double KEPT_PER_SECOND = 0.999615;

void judge_dispersion_begin(struct judge_dispersion *d, bool counts)
{
	*d = (struct judge_dispersion){.least = 1,
				       .counts = counts,
				       .squares = PRIOR,
				       .variances = PRIOR,
				       .between_squares = PRIOR,
				       .between_variances = PRIOR};
}

void judge_dispersion_add(struct judge_dispersion *d, uint64_t requests, uint64_t events)
{
	d->requests += (double)requests;
	d->events += (double)events;
}

/* The variance of one request's events at this share. */
static double scatter(const struct judge_dispersion *d, double share)
{
	return d->counts ? share : share * (1 - share);
}

void judge_dispersion_second(struct judge_dispersion *d)
{
	double n = d->requests + d->last_requests, y = d->events + d->last_events;
	if (d->requests > 0 && d->last_requests > 0) {
		double share = y / n, difference = d->events - d->requests * share;
		d->squares = d->squares * KEPT_PER_SECOND + difference * difference;
		d->pairs = d->pairs * KEPT_PER_SECOND + 1;
		d->variances = d->variances * KEPT_PER_SECOND +
			       d->requests * d->last_requests / n * scatter(d, share);
	}
	d->last_requests = d->requests;
	d->last_events = d->events;
	d->requests = d->events = 0;
}

void judge_dispersion_between(struct judge_dispersion *d, const uint64_t *requests,
			      const uint64_t *events, uint32_t count)
{
	double n = 0, y = 0;
	for (uint32_t i = 0; i < count; i++) {
		n += (double)requests[i];
		y += (double)events[i];
	}
	if (n < 1)
		return;
	double share = y / n;
	d->between_squares *= KEPT_PER_SECOND;
	d->between_variances *= KEPT_PER_SECOND;
	d->between_pairs = d->between_pairs * KEPT_PER_SECOND + count - 1;
	for (uint32_t i = 0; i < count; i++) {
		double difference = (double)events[i] - (double)requests[i] * share;
		d->between_squares += difference * difference;
		d->between_variances +=
			(double)requests[i] * scatter(d, share) * (1 - (double)requests[i] / n);
	}
}

/* Chance alone would lift half of all good estimates above 1; one standard error is forgiven. */
static double estimate(double squares, double variances, double pairs)
{
	return squares / variances - sqrt(3 / (pairs + 1));
}

double judge_dispersion_phi(const struct judge_dispersion *d)
{
	double in_time = estimate(d->squares, d->variances, d->pairs);
	double between = estimate(d->between_squares, d->between_variances, d->between_pairs);
	double phi = in_time > between ? in_time : between;
	return phi > d->least ? phi : d->least;
}
