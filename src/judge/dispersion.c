/* SPDX-License-Identifier: Apache-2.0
 * dispersion - see dispersion.h for the contract. */
#include "judge/dispersion.h"

#include <math.h>

/* What is believed before anything was seen weighs as much as some ten events, for ever. */
static const double PRIOR = 5;
/* Half of what was seen is forgotten in half an hour. */
static const double KEPT_PER_SECOND = 0.999615;
/* A single pair is believed up to so many times what was expected of it. */
static const double OUTLIER = 10;

static const uint32_t scale_seconds[JUDGE_DISPERSION_SCALES] = {1, 5, 30};

void judge_dispersion_begin(struct judge_dispersion *d, bool counts)
{
	*d = (struct judge_dispersion){.least = 1, .counts = counts};
}

void judge_dispersion_add(struct judge_dispersion *d, uint64_t requests, uint64_t events)
{
	for (uint32_t i = 0; i < JUDGE_DISPERSION_SCALES; i++) {
		d->scales[i].requests += (double)requests;
		d->scales[i].events += (double)events;
	}
}

/* The variance of one request's events at this share. */
static double variance_at(const struct judge_dispersion *d, double share)
{
	return d->counts ? share : share * (1 - share);
}

static void forget(struct judge_scatter *s, double kept)
{
	s->squares *= kept;
	s->variances *= kept;
	s->pairs *= kept;
}

static double ratio_of(const struct judge_scatter *s)
{
	return (PRIOR + s->squares) / (PRIOR + s->variances);
}

static void add_pair(struct judge_scatter *s, double kept, double square, double variance)
{
	forget(s, kept);
	double ratio = ratio_of(s), most = OUTLIER * (ratio > 1 ? ratio : 1) * variance;
	s->squares += square < most ? square : most;
	s->variances += variance;
	s->pairs += 1;
}

static void end_stretch(const struct judge_dispersion *d, struct judge_dispersion_scale *s,
			uint32_t seconds)
{
	double n = s->requests + s->last_requests, y = s->events + s->last_events;
	if (s->requests > 0 && s->last_requests > 0) {
		double share = y / n, difference = s->events - s->requests * share;
		add_pair(&s->scatter, pow(KEPT_PER_SECOND, seconds), difference * difference,
			 s->requests * s->last_requests / n * variance_at(d, share));
	}
	s->last_requests = s->requests;
	s->last_events = s->events;
	s->requests = s->events = 0;
}

void judge_dispersion_second(struct judge_dispersion *d)
{
	d->seconds++;
	for (uint32_t i = 0; i < JUDGE_DISPERSION_SCALES; i++)
		if (d->seconds % scale_seconds[i] == 0)
			end_stretch(d, &d->scales[i], scale_seconds[i]);
}

void judge_dispersion_cut(struct judge_dispersion *d)
{
	for (uint32_t i = 0; i < JUDGE_DISPERSION_SCALES; i++)
		d->scales[i] = (struct judge_dispersion_scale){.scatter = d->scales[i].scatter};
}

void judge_dispersion_between(struct judge_dispersion *d, const uint64_t *requests,
			      const uint64_t *events, uint32_t count)
{
	double n = 0, y = 0, squares = 0, variances = 0;
	for (uint32_t i = 0; i < count; i++) {
		n += (double)requests[i];
		y += (double)events[i];
	}
	if (n < 1)
		return;
	double share = y / n;
	for (uint32_t i = 0; i < count; i++) {
		double difference = (double)events[i] - (double)requests[i] * share;
		squares += difference * difference;
		variances +=
			(double)requests[i] * variance_at(d, share) * (1 - (double)requests[i] / n);
	}
	add_pair(&d->between, KEPT_PER_SECOND, squares, variances);
	d->between.pairs += count - 2;
}

/* Chance alone would lift half of all good estimates above 1; some is forgiven: 1.7 standard errors of a
 * phi of 1. */
static double estimate(const struct judge_scatter *s)
{
	return ratio_of(s) - sqrt(6 / (s->pairs + 1));
}

double judge_dispersion_phi(const struct judge_dispersion *d)
{
	double phi = estimate(&d->between);
	for (uint32_t i = 0; i < JUDGE_DISPERSION_SCALES; i++) {
		double in_time = estimate(&d->scales[i].scatter);
		phi = in_time > phi ? in_time : phi;
	}
	return phi > d->least ? phi : d->least;
}
