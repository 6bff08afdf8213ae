/* SPDX-License-Identifier: Apache-2.0
 * schedule - see schedule.h for the contract, and power.h for judge_power_begin(). */
#include "judge/schedule.h"

#include <math.h>

#include "base/err.h"
#include "judge/alternatives.h"
#include "judge/draw.h"

static const double GROWTH = 0.05;
static const double TICKS_PER_S = 10;
enum { P90 = JUDGE_METRIC_LATENCY + 1 };

static double weight_of(const struct judge_settings *s, uint32_t metric)
{
	double sum = 0;
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		sum += s->metrics[m].name[0] ? s->metrics[m].weight : 0;
	return s->metrics[metric].name[0] ? s->metrics[metric].weight / sum : 0;
}

/* --- what an event is worth */

/* What is judged at once is small: the tick in which a request of the new release fails has more of its requests than
 * others, and that in which one of the live release fails fewer. A tick of one release alone waits for the next. */
struct division {
	double fresh, live; /* the new release's share in the tick of such a request, on average */
	double deviation, fresh_least; /* a tick with such a request has at least that one */
};

static struct division division_of(const struct judge_power *p, double share)
{
	double others = 1 - share;
	if (others <= 0)
		return (struct division){.fresh = 1, .live = 1};
	double both = 1 / share + 1 / others - 1; /* requests until each has one */
	double tick = fmax(p->traffic.requests_per_s / TICKS_PER_S, both);
	double complete = (1 - pow(others, tick)) * (1 - pow(share, tick));
	double fresh = (share + others / tick) * complete;
	return (struct division){.fresh = fresh,
				 .live = share * (1 - fresh) / others,
				 .deviation = sqrt(share * others / tick),
				 .fresh_least = complete / tick};
}

static double rest_at(double share, double null, double r)
{
	return log1p(share * (null * r - 1)) - log1p(share * (null - 1));
}

static double rest_of(double share, double deviation, double least, double null, double r)
{
	double low = fmax(share - deviation, least), high = fmin(share + deviation, 1);
	return (rest_at(low, null, r) + rest_at(high, null, r)) / 2;
}

/* By the division of the requests: alternative r times `null` against `null`. */
static void weigh(const struct division *d, double phi, double null, double r, uint32_t i,
		  struct judge_power_factors *to)
{
	to->fresh[i] =
		exp((log(r) - rest_of(d->fresh, d->deviation, d->fresh_least, null, r)) / phi);
	to->live[i] = exp(-rest_of(d->live, d->deviation, 0, null, r) / phi);
}

static void fill_factors(const struct judge_power *p, struct judge_power_part *part)
{
	const struct judge_proportion_settings *errors =
		&p->settings.metrics[JUDGE_METRIC_ERRORS].proportion;
	struct division d = division_of(p, part->step.share);
	double r1 = errors->fine_ratio;
	double most =
		part->step.share < 1 ? log(1 / d.fresh) * ALONE_SLACK : ALONE[ALONE_COUNT - 1];
	for (uint32_t i = 0; i < RARE_COUNT; i++) {
		weigh(&d, p->phi, errors->ratio, RARE[i], i, &part->ratio);
		weigh(&d, p->phi, 1, RARE[i], i, &part->points);
	}
	for (uint32_t i = 0; i < COMMON_COUNT; i++)
		weigh(&d, p->phi, 1, COMMON[i], i, &part->slow);
	for (uint32_t i = 0; i < p->fine_count; i++)
		weigh(&d, p->phi, r1, FINE[i] / r1, i, &part->fine);
	for (uint32_t i = 0; i < ALONE_COUNT; i++)
		part->alone[i] = ALONE[i] < most ? ALONE[i] : most;
}

/* Of a share p1 of errors against a part of it. */
static void fill_fine_alone(struct judge_power *p)
{
	double p1 = p->settings.metrics[JUDGE_METRIC_ERRORS].proportion.fine_share;
	for (uint32_t i = 0; i < FINE_ALONE_COUNT; i++) {
		p->fine_alone.fresh[i] = pow(FINE_ALONE[i], 1 / p->phi);
		p->fine_alone.live[i] = pow((1 - FINE_ALONE[i] * p1) / (1 - p1), 1 / p->phi);
	}
}

/* --- epochs */

/* So many epochs has a step of `requests` of the new release, growing like this: all single ones, and the others. */
static double epochs_of(double requests, double growth)
{
	double single = 1 / growth;
	return requests <= single ? requests : single + log(requests / single) / log1p(growth) + 2;
}

static double growth_of(double requests, uint32_t budget)
{
	double growth = GROWTH;
	while (epochs_of(requests, growth) + 2 > budget && growth < 1e6)
		growth *= 1.25;
	return growth;
}

static double next_of(double done, double growth, double border, double all)
{
	double next = done + fmax(1, floor(done * growth));
	if (done < border && next > border)
		next = border;
	return next > all ? all : next;
}

/* Whole requests; what is left over belongs to the epochs after it. */
static void add_epoch(struct judge_power *p, struct judge_power_part *part, double done,
		      double next)
{
	const struct judge_power_step *step = &part->step;
	double points = p->settings.metrics[JUDGE_METRIC_ERRORS].proportion.points;
	double rate = p->traffic.requests_per_s * step->share;
	double others = step->share < 1 ? (1 - step->share) / step->share : 0;
	struct judge_power_epoch *e = &p->epochs[p->epoch_count++];
	*e = (struct judge_power_epoch){.fresh = next - done,
					.live = floor(next * others) - floor(done * others),
					.seconds = (next - done) / rate,
					.ends_s = next / rate};
	e->kept = exp(e->seconds * log(KEPT_PER_SECOND));
	for (uint32_t i = 0; i < RARE_COUNT; i++)
		e->quiet[i] =
			exp(-e->fresh * points * (pow(part->points.fresh[i], p->phi) - 1) / p->phi);
}

static void divide(struct judge_power *p, struct judge_power_part *part)
{
	const struct judge_power_step *step = &part->step;
	double rate = p->traffic.requests_per_s * step->share;
	double all = floor(rate * (step->judged ? step->at_most_s : step->at_least_s));
	double border = ceil(rate * step->at_least_s), done = 0;
	uint32_t budget = JUDGE_POWER_EPOCHS_MAX / p->step_count;
	double growth = growth_of(all, budget);
	part->first = p->epoch_count;
	while (done < all && p->epoch_count - part->first < budget) {
		bool last = p->epoch_count - part->first + 1 == budget;
		double next = last ? all : next_of(done, growth, border, all);
		add_epoch(p, part, done, next);
		done = next;
	}
	part->end = p->epoch_count;
}

void judge_power_begin(struct judge_power *p, const struct judge_settings *settings,
		       const struct judge_power_traffic *traffic,
		       const struct judge_power_step *steps, uint32_t step_count)
{
	ASSERT(traffic->requests_per_s > 0);
	double fine_ratio = settings->metrics[JUDGE_METRIC_ERRORS].proportion.fine_ratio;
	p->settings = *settings;
	p->traffic = *traffic;
	p->errors_weight = weight_of(settings, JUDGE_METRIC_ERRORS);
	p->slow_weight = weight_of(settings, SCHEDULE_P99);
	p->phi = settings->phi_least > 1 ? settings->phi_least : 1;
	fill_fine_alone(p);
	p->fine_count = p->epoch_count = 0;
	p->step_count = step_count < JUDGE_POWER_STEPS_MAX ? step_count : JUDGE_POWER_STEPS_MAX;
	for (uint32_t i = 0; i < FINE_COUNT; i++)
		p->fine_count += FINE[i] < fine_ratio;
	for (uint32_t s = 0; s < p->step_count; s++) {
		ASSERT(steps[s].share > 0 && steps[s].share <= 1);
		p->parts[s] = (struct judge_power_part){.step = steps[s]};
		fill_factors(p, &p->parts[s]);
		divide(p, &p->parts[s]);
	}
}

/* --- one supposed release */

void judge_schedule_expect(struct judge_power *p, const struct judge_power_release *release)
{
	for (uint32_t i = 0; i < p->epoch_count; i++) {
		struct judge_power_epoch *e = &p->epochs[i];
		e->fresh_none = judge_draw_none(e->fresh, release->errors);
		e->live_none = judge_draw_none(e->live, p->traffic.errors);
		e->slow_none = judge_draw_none(e->fresh, release->slow);
		e->live_slow_none = judge_draw_none(e->live, SCHEDULE_SLOW);
	}
}

/* Events that fall evenly: those of the requests after `done`, up to `next`. */
static uint64_t evenly(double done, double next, double share)
{
	return (uint64_t)(floor(next * share + 0.5) - floor(done * share + 0.5));
}

bool judge_schedule_warm(const struct judge_power *p, double requests, double seconds)
{
	return requests >= p->settings.warm_requests || seconds * 1000 >= p->settings.warm_ms;
}

double judge_schedule_gate(const struct judge_power *p, const struct judge_power_release *release)
{
	static const double LIVE = 0.1;
	const struct judge_metric_settings *p90 = &p->settings.metrics[P90];
	/* What is beyond p99 is beyond p90 too; the others are as they are. */
	double slow = release->slow > SCHEDULE_SLOW ? release->slow : SCHEDULE_SLOW;
	double share = slow + (1 - slow) * (LIVE - SCHEDULE_SLOW) / (1 - SCHEDULE_SLOW);
	double fresh = 0, live = 0, seconds = 0;
	struct judge_proportion shown;
	if (!p90->name[0] || !p90->gates)
		return 0;
	judge_proportion_begin(&shown, &p90->proportion);
	shown.dispersion.least = p->phi;
	for (uint32_t i = 0; i < p->epoch_count; i++) {
		const struct judge_power_epoch *e = &p->epochs[i];
		struct judge_table t = {.new_requests = (uint64_t)e->fresh,
					.new_events = evenly(fresh, fresh + e->fresh, share),
					.live_requests = (uint64_t)e->live,
					.live_events = evenly(live, live + e->live, LIVE)};
		if (judge_schedule_warm(p, fresh, seconds))
			judge_proportion_tick(&shown, &t, 1);
		fresh += e->fresh;
		live += e->live;
		seconds += e->seconds;
		if (judge_proportion_fine(&shown) >= 1 / p->settings.beta)
			return fresh;
	}
	return fresh + 1;
}
