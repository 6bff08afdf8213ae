/* SPDX-License-Identifier: Apache-2.0
 * members - see members.h and judge.h for the contracts. */
#include "judge/members.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "judge/special.h"

/* That so many of the errors fell on it by chance, over all instances together. */
static const double SICK_CHANCE = 0.01;
enum { REPLACED_MAX = 1 };

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static struct judge_table table_of(uint64_t n, uint64_t x, uint64_t m, uint64_t y)
{
	return (struct judge_table){.new_requests = n > x ? n : x,
				    .new_events = x,
				    .live_requests = m > y ? m : y,
				    .live_events = y};
}

/* Whoever comes later has missed what the others did: what the release did so far is evidence without it. */
static void admit(struct judge *j, uint32_t count)
{
	for (; j->suspect_count < count; j->suspect_count++) {
		struct judge_suspect *s = &j->suspects[j->suspect_count];
		memset(s, 0, sizeof *s);
		s->without = j->metrics[JUDGE_METRIC_ERRORS];
	}
}

static struct judge_table sum_of(const struct judge_table *tables, uint32_t count)
{
	struct judge_table sum = {0};
	for (uint32_t i = 0; i < count; i++) {
		sum.new_requests += tables[i].new_requests;
		sum.new_events += tables[i].new_events;
		sum.live_requests += tables[i].live_requests;
		sum.live_events += tables[i].live_events;
	}
	return sum;
}

static void tick_suspects(struct judge *j, const struct judge_tick *tick, struct judge_table all)
{
	for (uint32_t i = 0; i < j->suspect_count; i++) {
		struct judge_suspect *s = &j->suspects[i];
		struct judge_member own =
			i < tick->new_count ? tick->new_members[i] : (struct judge_member){0};
		struct judge_table without = table_of(less(all.new_requests, own.requests),
						      less(all.new_events, own.errors),
						      all.live_requests, all.live_events);
		s->requests += own.requests;
		s->errors += own.errors;
		judge_proportion_tick(&s->without, &without, 1);
	}
}

void judge_members_tick(struct judge *j, const struct judge_tick *tick,
			const struct judge_table *errors)
{
	ASSERT(tick->new_count <= JUDGE_INSTANCES_MAX && tick->live_count <= JUDGE_INSTANCES_MAX);
	admit(j, tick->new_count);
	if (j->suspect_count > 1)
		tick_suspects(j, tick, sum_of(errors, tick->cell_count));
	for (uint32_t i = 0; i < tick->live_count; i++) {
		j->live_second[i].requests += tick->live_members[i].requests;
		j->live_second[i].errors += tick->live_members[i].errors;
	}
	if (tick->live_count > j->live_second_count)
		j->live_second_count = tick->live_count;
}

void judge_members_second(struct judge *j)
{
	uint64_t requests[JUDGE_INSTANCES_MAX], errors[JUDGE_INSTANCES_MAX];
	for (uint32_t i = 0; i < j->suspect_count; i++) {
		judge_proportion_second(&j->suspects[i].without);
	}
	for (uint32_t i = 0; i < j->live_second_count; i++) {
		requests[i] = j->live_second[i].requests;
		errors[i] = j->live_second[i].errors;
	}
	if (j->live_second_count > 1)
		judge_dispersion_between(&j->metrics[JUDGE_METRIC_ERRORS].dispersion, requests,
					 errors, j->live_second_count);
	memset(j->live_second, 0, sizeof j->live_second);
	j->live_second_count = 0;
}

/* P(X >= x) of X binomial (d, share): terms from x on, by the ratio of neighbours. */
static double binomial_tail(double x, double d, double share)
{
	if (x <= 0)
		return 1;
	if (share <= 0 || share >= 1)
		return share <= 0 ? 0 : 1;
	double term = exp(log_gamma(d + 1) - log_gamma(x + 1) - log_gamma(d - x + 1) +
			  x * log(share) + (d - x) * log1p(-share));
	double sum = 0;
	for (; x <= d; x++) {
		sum += term;
		term *= (d - x) / (x + 1) * share / (1 - share);
	}
	return sum;
}

/* That of the release's errors so many fell on this instance. */
static double chance_of(const struct judge *j, uint32_t place)
{
	double requests = 0, errors = 0;
	for (uint32_t i = 0; i < j->suspect_count; i++) {
		requests += (double)j->suspects[i].requests;
		errors += (double)j->suspects[i].errors;
	}
	const struct judge_suspect *s = &j->suspects[place];
	return requests > 0
		       ? binomial_tail((double)s->errors, errors, (double)s->requests / requests)
		       : 1;
}

int judge_sick(const struct judge *j)
{
	double enough = 1 / j->settings.alpha, odds = judge_odds(j);
	if (odds < enough || j->suspect_count < 2 || j->replaced >= REPLACED_MAX)
		return -1;
	for (uint32_t i = 0; i < j->suspect_count; i++) {
		const struct judge_suspect *s = &j->suspects[i];
		double without =
			odds - judge_share_of_odds(j, JUDGE_METRIC_ERRORS) +
			j->weights[JUDGE_METRIC_ERRORS] * judge_proportion_worse(&s->without);
		if (without < enough && chance_of(j, i) * j->suspect_count <= SICK_CHANCE)
			return (int)i;
	}
	return -1;
}

void judge_replace(struct judge *j, uint32_t place)
{
	if (place >= j->suspect_count)
		return;
	j->metrics[JUDGE_METRIC_ERRORS] = j->suspects[place].without;
	j->replaced++;
	uint32_t count = j->suspect_count;
	j->suspect_count = 0;
	admit(j, count);
	judge_warm_up(j);
}
