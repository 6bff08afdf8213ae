/* SPDX-License-Identifier: Apache-2.0
 * mean - see mean.h for the contract. */
#include "judge/mean.h"

#include <math.h>

#include "base/err.h"

/* Of the smaller arm: what it takes 30 batches of some 30 requests to count. */
static const double EXPECTED = 1000;
static const double SCATTER = 0.05;
static const double MOST_LOG = 400, LARGEST = 1e12, MOST_VARIANCE = 1e48;
static const double KIB = 1024;

void judge_mean_begin(struct judge_mean *m, const struct judge_mean_settings *settings,
		      double alpha)
{
	ASSERT(settings->ratio > 0);
	*m = (struct judge_mean){.settings = *settings,
				 .test = normal_mixture_start(0, EXPECTED, alpha)};
}

static bool usable(const struct normal_batch *batch)
{
	return isfinite(batch->mean) && fabs(batch->mean) <= LARGEST * LARGEST &&
	       batch->variance >= 0 && batch->variance <= MOST_VARIANCE;
}

static struct normal_batch scaled(const struct normal_batch *batch, double by)
{
	double floor_of_mean = SCATTER * batch->mean;
	double least = (double)batch->requests * floor_of_mean * floor_of_mean;
	double variance = batch->variance > least ? batch->variance : least;
	return (struct normal_batch){.requests = batch->requests,
				     .mean = batch->mean * by,
				     .variance = variance * by * by};
}

void judge_mean_add(struct judge_mean *m, const struct judge_mean_batch *batch)
{
	const struct normal_batch *a = &batch->new_release, *b = &batch->live_release;
	double sign = m->settings.fewer ? -1 : 1;
	if (!usable(a) || !usable(b))
		return;
	struct normal_batch new_release = scaled(a, sign);
	struct normal_batch live_release = scaled(b, sign * m->settings.ratio);
	normal_mixture_add(&m->test, &new_release, &live_release);
	if (a->requests == 0 || b->requests == 0)
		return;
	m->new_requests += (double)a->requests;
	m->new_sum += (double)a->requests * a->mean;
	m->live_requests += (double)b->requests;
	m->live_sum += (double)b->requests * b->mean;
}

double judge_mean_worse(const struct judge_mean *m)
{
	double log_e = normal_mixture_log_e_above(&m->test);
	return exp(log_e < MOST_LOG ? log_e : MOST_LOG);
}

static void put_bytes(struct judge_line *line, double bytes)
{
	static const char *const names[] = {" B", " KiB", " MiB", " GiB", " TiB"};
	uint32_t unit = 0;
	for (; bytes >= KIB && unit < 4; unit++)
		bytes /= KIB;
	judge_line_number(line, bytes);
	judge_line_put(line, names[unit]);
}

void judge_unit_put(struct judge_line *line, enum judge_unit unit, double value)
{
	switch (unit) {
	case JUDGE_UNIT_TIME:
		judge_line_time(line, value > 0 && value < LARGEST ? (uint64_t)(value + 0.5) : 0);
		return;
	case JUDGE_UNIT_BYTES: put_bytes(line, value < LARGEST * LARGEST ? value : 0); return;
	case JUDGE_UNIT_NUMBER: judge_line_digits(line, value); return;
	case JUDGE_UNIT_COUNT: break;
	}
	ASSERT(!"a unit");
}

void judge_mean_put(struct judge_line *line, const struct judge_mean *m)
{
	static const char *const of_what[JUDGE_UNIT_COUNT] = {[JUDGE_UNIT_NUMBER] = "",
							      [JUDGE_UNIT_TIME] = " per request",
							      [JUDGE_UNIT_BYTES] = " per instance"};
	enum judge_unit unit = m->settings.unit;
	double a = m->new_requests > 0 ? m->new_sum / m->new_requests : 0;
	double b = m->live_requests > 0 ? m->live_sum / m->live_requests : 0;
	judge_line_put(line, m->settings.name);
	judge_line_put(line, ": ");
	judge_unit_put(line, unit, a);
	judge_line_put(line, of_what[unit]);
	judge_line_put(line, " of the new release, ");
	judge_unit_put(line, unit, b);
	judge_line_put(line, " of the live one");
}
