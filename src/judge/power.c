/* SPDX-License-Identifier: Apache-2.0
 * power - see power.h for the contract. Here: the rollouts that are played; schedule.c divides their steps. */
#include "judge/power.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "judge/alternatives.h"
#include "judge/draw.h"
#include "judge/schedule.h"

/* p99 has an edge once ten answers are beyond it. */
static const double SLOW_PAST_LEAST = 1000;
/* Each of the many questions of judge_power_smallest() is answered by half of the runs. */
enum { SEARCH_RUNS = JUDGE_POWER_RUNS / 2 };
static const double PRODUCT_MIN = 1e-300, PRODUCT_MAX = 1e200;

/* One rollout that is played. */
struct play {
	struct judge_draw draw;
	struct judge_bets ratio, points, alone, slow;
	double fine[FINE_COUNT], fine_alone[FINE_ALONE_COUNT];
	double past_requests, past_errors, alone_weight;
	double seconds, requests, failed;
};

enum ending { CAUGHT, HELD, PASSED };

bool judge_power_sees_slow(const struct judge_power *power)
{
	return power->slow_weight > 0;
}

static void begin_play(const struct judge_power *p, uint32_t seed, struct play *play)
{
	*play = (struct play){.past_requests = p->traffic.past_requests,
			      .past_errors = p->traffic.past_errors};
	judge_draw_begin(&play->draw, seed);
	judge_bets_begin(&play->ratio, RARE_COUNT, NULL, 0);
	judge_bets_begin(&play->points, RARE_COUNT, NULL, 0);
	judge_bets_begin(&play->alone, ALONE_COUNT, NULL, 0);
	judge_bets_begin(&play->slow, COMMON_COUNT, COMMON_PARTS,
			 p->settings.metrics[SCHEDULE_P99].proportion.at_once);
	for (uint32_t i = 0; i < FINE_COUNT; i++)
		play->fine[i] = 1;
	for (uint32_t i = 0; i < FINE_ALONE_COUNT; i++)
		play->fine_alone[i] = 1;
	play->alone_weight = play->past_errors < RARE_EVENTS && play->past_requests > 0
				     ? ALONE_WEIGHT
				     : ALONE_WEIGHT_LEAST;
}

static void begin_step(struct play *play)
{
	judge_bets_add(&play->ratio, STEP_SHARE);
	judge_bets_add(&play->points, STEP_SHARE);
	judge_bets_add(&play->alone, STEP_SHARE);
	judge_bets_add(&play->slow, STEP_SHARE);
}

/* factors *= events ^ count */
static void raise_by(double *factors, const double *events, uint32_t size, double count)
{
	double base[JUDGE_BETS_MAX];
	memcpy(base, events, size * sizeof *base);
	for (uint64_t left = (uint64_t)count; left > 0; left >>= 1) {
		for (uint32_t i = 0; left & 1 && i < size; i++)
			factors[i] *= base[i];
		for (uint32_t i = 0; i < size; i++)
			base[i] *= base[i];
	}
}

static void settle(struct judge_bets *bets, const struct judge_power_factors *f,
		   const double *quiet, double fresh, double live)
{
	double factors[JUDGE_BETS_MAX];
	for (uint32_t i = 0; i < bets->count; i++)
		factors[i] = quiet ? quiet[i] : 1;
	raise_by(factors, f->fresh, bets->count, fresh);
	raise_by(factors, f->live, bets->count, live);
	judge_bets_multiply(bets, factors);
}

/* What is tolerated of a live release that is as bad as its past allows. */
static double level_alone(const struct judge_power *p, const struct play *play)
{
	const struct judge_proportion_settings *errors =
		&p->settings.metrics[JUDGE_METRIC_ERRORS].proportion;
	double bound = judge_events_bound(play->past_errors) / play->past_requests;
	return fmax(bound * errors->ratio, bound + errors->points);
}

static void settle_alone(const struct judge_power *p, const struct judge_power_part *part,
			 struct play *play, double n, double x, double y)
{
	double logs[ALONE_COUNT], level = level_alone(p, play);
	for (uint32_t i = 0; i < ALONE_COUNT; i++) {
		double gain = part->alone[i];
		logs[i] = (x * gain - n * level * (exp(gain) - 1)) / p->phi;
		if (y > 0)
			logs[i] = ALONE_LOST;
	}
	judge_bets_settle(&play->alone, logs);
}

static void bound(double *products, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		products[i] = products[i] < PRODUCT_MIN   ? PRODUCT_MIN
			      : products[i] > PRODUCT_MAX ? PRODUCT_MAX
							  : products[i];
}

static void settle_fine(const struct judge_power *p, const struct judge_power_part *part,
			struct play *play, const struct judge_power_epoch *e, double x, double y)
{
	if (e->live > 0) {
		raise_by(play->fine, part->fine.fresh, p->fine_count, x);
		raise_by(play->fine, part->fine.live, p->fine_count, y);
		bound(play->fine, p->fine_count);
	}
	raise_by(play->fine_alone, p->fine_alone.fresh, FINE_ALONE_COUNT, x);
	raise_by(play->fine_alone, p->fine_alone.live, FINE_ALONE_COUNT, e->fresh - x);
	bound(play->fine_alone, FINE_ALONE_COUNT);
}

static bool speaks_alone(const struct play *play, const struct judge_power_epoch *e)
{
	return play->past_requests > 0 && (play->past_errors < RARE_EVENTS || e->live <= 0);
}

/* While it is cold its latencies are no evidence. */
static void play_slow(const struct judge_power *p, const struct judge_power_part *part,
		      const struct judge_power_epoch *e, double share, struct play *play)
{
	double x = judge_draw_events(&play->draw, e->fresh, share, e->slow_none);
	double y = judge_draw_events(&play->draw, e->live, SCHEDULE_SLOW, e->live_slow_none);
	bool counts = judge_schedule_warm(p, play->requests, play->seconds) &&
		      play->past_requests >= SLOW_PAST_LEAST;
	if (e->live > 0 && x + y > 0 && counts)
		settle(&play->slow, &part->slow, NULL, x, y);
	judge_bets_seconds(&play->slow, e->seconds);
}

static void play_epoch(const struct judge_power *p, const struct judge_power_part *part,
		       const struct judge_power_epoch *e, const struct judge_power_release *release,
		       struct play *play)
{
	double x = judge_draw_events(&play->draw, e->fresh, release->errors, e->fresh_none);
	double y = judge_draw_events(&play->draw, e->live, p->traffic.errors, e->live_none);
	if (e->live > 0 && x + y > 0)
		settle(&play->ratio, &part->ratio, NULL, x, y);
	if (e->live > 0)
		settle(&play->points, &part->points, e->quiet, x, y);
	if (speaks_alone(play, e))
		settle_alone(p, part, play, e->fresh, x, y);
	settle_fine(p, part, play, e, x, y);
	if (release->slow > 0 && judge_power_sees_slow(p))
		play_slow(p, part, e, release->slow, play);
	judge_bets_seconds(&play->ratio, e->seconds);
	judge_bets_seconds(&play->points, e->seconds);
	judge_bets_seconds(&play->alone, e->seconds);
	play->past_requests = (play->past_requests + e->live) * e->kept;
	play->past_errors = (play->past_errors + y) * e->kept;
	play->requests += e->fresh;
	play->failed += x;
	play->seconds += e->seconds;
}

static bool is_caught(const struct judge_power *p, const struct play *play)
{
	double ratio = judge_bets_wealth(&play->ratio), points = judge_bets_wealth(&play->points);
	double worse = (1 - play->alone_weight) * (ratio < points ? ratio : points) +
		       play->alone_weight * judge_bets_wealth(&play->alone);
	double odds = p->errors_weight * worse + p->slow_weight * judge_bets_wealth(&play->slow);
	return odds >= 1 / p->settings.alpha;
}

static double mean_of(const double *values, uint32_t count)
{
	double sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += values[i];
	return sum / count;
}

static bool is_fine(const struct judge_power *p, const struct play *play, double gate)
{
	double fine = mean_of(play->fine, p->fine_count);
	if (p->settings.metrics[JUDGE_METRIC_ERRORS].proportion.fine_share > 0)
		fine = (fine + mean_of(play->fine_alone, FINE_ALONE_COUNT)) / 2;
	return play->requests >= gate && fine >= 1 / p->settings.beta;
}

/* Plays one step; *ret_passed: it need not be held back. */
static bool play_step(const struct judge_power *p, const struct judge_power_part *part,
		      const struct judge_power_release *release, double gate, struct play *play,
		      bool *ret_passed, double *ret_seconds)
{
	const struct judge_power_step *step = &part->step;
	*ret_passed = !step->judged || step->goes_on;
	*ret_seconds = step->judged ? step->at_most_s : step->at_least_s;
	begin_step(play);
	for (uint32_t i = part->first; i < part->end; i++) {
		const struct judge_power_epoch *e = &p->epochs[i];
		play_epoch(p, part, e, release, play);
		if (is_caught(p, play))
			return true;
		if (!step->judged || e->ends_s < step->at_least_s || !is_fine(p, play, gate))
			continue;
		*ret_passed = true;
		*ret_seconds = e->ends_s;
		return false;
	}
	return false;
}

static enum ending play_steps(const struct judge_power *p,
			      const struct judge_power_release *release, double gate,
			      struct play *play, struct judge_power_outcome *to)
{
	for (uint32_t s = 0; s < p->step_count; s++) {
		bool passed;
		double seconds;
		if (play_step(p, &p->parts[s], release, gate, play, &passed, &seconds))
			return CAUGHT;
		if (!passed)
			return HELD;
		to->step_passed[s]++;
		to->step_s[s] += seconds;
	}
	return PASSED;
}

/* `sorted` has room for one more. */
static void insert(double *sorted, uint32_t count, double value)
{
	uint32_t at = count;
	for (; at > 0 && sorted[at - 1] > value; at--)
		sorted[at] = sorted[at - 1];
	sorted[at] = value;
}

/* Plays at most `runs`, and no more once `missed_most` and one were not caught. Returns how many were played. */
static uint32_t play_runs(struct judge_power *p, const struct judge_power_release *release,
			  uint32_t runs, uint32_t missed_most, double *caught_after,
			  struct judge_power_outcome *to)
{
	uint32_t run = 0, endings[PASSED + 1] = {0};
	double gate = judge_schedule_gate(p, release);
	judge_schedule_expect(p, release);
	*to = (struct judge_power_outcome){0};
	while (run < runs && run - endings[CAUGHT] <= missed_most) {
		struct play play;
		begin_play(p, ++run, &play);
		enum ending ending = play_steps(p, release, gate, &play, to);
		if (ending == CAUGHT)
			insert(caught_after, endings[CAUGHT], play.requests);
		endings[ending]++;
		to->exposed += play.requests;
		to->failed += play.failed;
	}
	to->caught = endings[CAUGHT];
	to->held = endings[HELD];
	to->passed = endings[PASSED];
	return run;
}

void judge_power_run(struct judge_power *p, const struct judge_power_release *release,
		     struct judge_power_outcome *to)
{
	double caught_after[JUDGE_POWER_RUNS];
	double runs = play_runs(p, release, JUDGE_POWER_RUNS, JUDGE_POWER_RUNS, caught_after, to);
	uint32_t caught = (uint32_t)to->caught, most = JUDGE_POWER_RUNS * 9 / 10;
	to->requests_median = caught > 0 ? caught_after[caught / 2] : 0;
	to->requests_most = caught >= most ? caught_after[most - 1] : 0;
	to->caught /= runs;
	to->held /= runs;
	to->passed /= runs;
	to->exposed /= runs;
	to->failed /= runs;
	for (uint32_t s = 0; s < p->step_count; s++) {
		if (to->step_passed[s] > 0)
			to->step_s[s] /= to->step_passed[s];
		to->step_passed[s] /= runs;
	}
}

static bool catches(struct judge_power *p, double errors, double chance)
{
	struct judge_power_outcome outcome;
	double caught_after[SEARCH_RUNS];
	uint32_t missed_most = (uint32_t)((1 - chance) * SEARCH_RUNS + 0.5);
	uint32_t runs = play_runs(p, &(struct judge_power_release){.errors = errors}, SEARCH_RUNS,
				  missed_most, caught_after, &outcome);
	return runs - (uint32_t)outcome.caught <= missed_most;
}

double judge_power_smallest(struct judge_power *p, double chance)
{
	static const double LEAST = 1e-5, NEAR = 1.05;
	double low = p->traffic.errors > LEAST ? p->traffic.errors : LEAST, high = 1;
	if (!catches(p, high, chance))
		return 0;
	while (high > low * NEAR) {
		double middle = sqrt(low * high);
		if (catches(p, middle, chance))
			high = middle;
		else
			low = middle;
	}
	return high;
}
