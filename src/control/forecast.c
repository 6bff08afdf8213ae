/* SPDX-License-Identifier: Apache-2.0
 * forecast - see forecast.h for the contract. */
#include "control/forecast.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "config/config.h"
#include "control/environment.h"
#include "control/judging.h"
#include "control/past.h"
#include "judge/power.h"
#include "judge/propose.h"

/* Fewer requests of the live release say nothing about its errors. */
enum { PAST_LEAST = 100, PPM = 1000000, PPM_IN_BP = PPM / SHARE_FULL_BP };

static const double SUPPOSED_ERRORS[] = {0.003, 0.01, 0.05};
static const double SUPPOSED_SLOW = 0.04;

static uint32_t ppm_of(double share)
{
	return (uint32_t)(share * PPM + 0.5);
}

static uint32_t bp_of(double share)
{
	return (uint32_t)(share * SHARE_FULL_BP + 0.5);
}

/* Holds before the new release is the live one, in which it has some share. `ret_index`: of the plan's steps. */
static uint32_t steps_of(const struct plan *plan, struct judge_power_step *to, uint32_t *ret_index)
{
	uint32_t count = 0, weight_bp = 0;
	for (uint32_t i = 0; i < plan->step_count && plan->steps[i].op != PLAN_MARK; i++) {
		const struct plan_step *s = &plan->steps[i];
		if (s->op == PLAN_ROUTE)
			weight_bp = s->weight_bp[PLAN_CANDIDATE];
		if (s->op != PLAN_HOLD || weight_bp == 0 || count == JUDGE_POWER_STEPS_MAX)
			continue;
		ret_index[count] = i;
		to[count++] =
			(struct judge_power_step){.share = (double)weight_bp / SHARE_FULL_BP,
						  .at_least_s = (double)s->for_ms / 1000,
						  .at_most_s = (double)s->at_most_ms / 1000,
						  .judged = s->analyses & ANALYSIS_LIVE,
						  .goes_on = s->too_little == TOO_LITTLE_CONTINUE};
	}
	return count;
}

/* Rounded requests a second are none where there is one in two seconds: then the past tells. */
static bool read_traffic(const struct environment *e, struct judge_power_traffic *to)
{
	struct past_sum past = {0};
	if (judging_past(e))
		past_add_up(judging_past(e), &past);
	double rate = (double)e->requests_per_s;
	if (rate <= 0 && past.seconds > 0)
		rate = past.requests / past.seconds;
	*to = (struct judge_power_traffic){.requests_per_s = rate,
					   .errors = past.requests > 0 ? past.errors / past.requests
								       : 0,
					   .past_requests = past.remembered_requests,
					   .past_errors = past.remembered_errors};
	return past.requests >= PAST_LEAST;
}

static void show_supposed(const struct judge_power_release *release,
			  const struct judge_power_outcome *o, struct view_supposed *to)
{
	*to = (struct view_supposed){.errors_ppm = ppm_of(release->errors),
				     .slow_bp = bp_of(release->slow),
				     .caught_bp = bp_of(o->caught),
				     .held_bp = bp_of(o->held),
				     .passed_bp = bp_of(o->passed),
				     .after_requests = (uint64_t)o->requests_median,
				     .exposed_requests = (uint64_t)(o->exposed + 0.5),
				     .failed_requests = (uint64_t)(o->failed + 0.5)};
}

static void suppose(struct judge_power *power, double errors, double slow, struct view_forecast *to)
{
	struct judge_power_release release = {.errors = errors, .slow = slow};
	struct judge_power_outcome outcome;
	if (to->supposed_count == VIEW_SUPPOSED_MAX)
		return;
	judge_power_run(power, &release, &outcome);
	show_supposed(&release, &outcome, &to->supposed[to->supposed_count++]);
}

/* A release as good as the live one: how long it is in each step, and altogether with those that are time alone. */
static void suppose_good(struct judge_power *power, const struct plan *plan, const uint32_t *index,
			 struct view_plan *v)
{
	struct view_forecast *to = &v->forecast;
	struct judge_power_release release = {.errors = power->traffic.errors};
	struct judge_power_outcome outcome;
	uint64_t total_ms = 0;
	judge_power_run(power, &release, &outcome);
	show_supposed(&release, &outcome, &to->good);
	for (uint32_t s = 0; s < power->step_count; s++)
		v->steps[index[s]].expected_ms = (uint64_t)(outcome.step_s[s] * 1000);
	for (uint32_t i = 0; i < plan->step_count && plan->steps[i].op != PLAN_MARK; i++)
		if (plan->steps[i].op == PLAN_HOLD)
			total_ms += v->steps[i].expected_ms > 0 ? v->steps[i].expected_ms
								: plan->steps[i].for_ms;
	to->good_ms = outcome.passed >= 0.5 ? total_ms : 0;
}

static void put_step(struct buf *to, const struct judge_power_step *steps, uint32_t count)
{
	char text[32];
	const char *separator = "";
	buf_puts(to, "    - canary: { steps: [");
	for (uint32_t i = 0; i < count; i++) {
		buf_puts(to, separator);
		buf_puts(to, text_format_share(bp_of(steps[i].share), text, sizeof text));
		separator = ", ";
	}
	buf_puts(to, "], each: { at_least: ");
	buf_puts(to, text_format_duration((uint64_t)steps->at_least_s * 1000, text, sizeof text));
	buf_puts(to, ", at_most: ");
	buf_puts(to, text_format_duration((uint64_t)steps->at_most_s * 1000, text, sizeof text));
	buf_puts(to, " } }\n");
}

/* The first share has times of its own, the later ones have theirs together. */
static void put_yaml(const struct judge_proposal *p, struct view_proposal *to)
{
	struct buf yaml;
	buf_init(&yaml, sizeof to->yaml);
	buf_puts(&yaml, "strategies:\n  proposed:\n");
	put_step(&yaml, p->steps, 1);
	if (p->step_count > 1)
		put_step(&yaml, p->steps + 1, p->step_count - 1);
	buf_puts(&yaml, "    - switch\n    - bake: 5m\n");
	text_copy(to->yaml, sizeof to->yaml, buf_text(&yaml));
	buf_done(&yaml);
}

static void say_proposal(const struct judge_proposal *p, double rate, const char *share,
			 struct view_proposal *to)
{
	char time[40];
	if (!p->found) {
		snprintf(to->sentence, sizeof to->sentence,
			 "No share of the traffic shows in %d requests that a release fails %s: it "
			 "is "
			 "hardly more than the live release fails or analysis.errors tolerates.",
			 PROPOSE_REQUESTS_MOST, share);
		return;
	}
	text_format_duration((uint64_t)p->steps[0].at_least_s * 1000, time, sizeof time);
	if (p->slow)
		snprintf(to->sentence, sizeof to->sentence,
			 "Traffic is small: at %.3g requests a second it takes %s to catch a "
			 "release "
			 "that fails %s with %d%%, at a share of %.0f%%.",
			 rate, time, share, VIEW_SEES_BP / 100, p->steps[0].share * 100);
	else
		snprintf(to->sentence, sizeof to->sentence,
			 "At %.3g requests a second these steps catch a release that fails %s with "
			 "%d%% or more.",
			 rate, share, VIEW_SEES_BP / 100);
}

static void propose(struct judge_power *power, const struct judge_settings *settings,
		    const struct judge_power_traffic *traffic, uint32_t errors_bp,
		    struct view_proposal *to)
{
	struct judge_proposal p;
	struct judge_power_release release = {.errors = (double)errors_bp / SHARE_FULL_BP};
	char share[32];
	judge_propose(power, settings, traffic, release.errors, &p);
	to->found = p.found;
	say_proposal(&p, traffic->requests_per_s, text_format_share(errors_bp, share, sizeof share),
		     to);
	if (!p.found)
		return;
	to->good_ms = (uint64_t)(p.good_s * 1000);
	show_supposed(&release, &p.outcome, &to->supposed);
	put_yaml(&p, to);
}

/* Why nothing can be foreseen; NULL: it can. */
static const char *obstacle(const struct environment *e, bool judged, bool past, double rate)
{
	if (e->core.stable == SLOT_NONE)
		return "Nothing is foreseen: there is no live release to compare with.";
	if (!judged)
		return "Nothing is foreseen: this environment is not judged by statistics "
		       "(analysis.state, analysis.method).";
	if (rate <= 0)
		return "Nothing is foreseen: there is no traffic now.";
	if (!past)
		return "Nothing is foreseen: fewer than 100 requests to the live release are "
		       "remembered, too few to know its errors. Ask again in a while.";
	return NULL;
}

/* A release that is no worse than the live one is no regression. */
static void suppose_bad(struct judge_power *power, uint32_t asked_bp, struct view_forecast *to)
{
	double live = power->traffic.errors, asked = (double)asked_bp / SHARE_FULL_BP;
	bool known = asked_bp == 0;
	for (uint32_t i = 0; i < sizeof SUPPOSED_ERRORS / sizeof SUPPOSED_ERRORS[0]; i++) {
		double errors = SUPPOSED_ERRORS[i];
		known |= ppm_of(errors) == ppm_of(asked);
		if (errors > live)
			suppose(power, errors, 0, to);
	}
	if (!known)
		suppose(power, asked, 0, to);
	if (judge_power_sees_slow(power))
		suppose(power, live, SUPPOSED_SLOW, to);
	to->sees_ppm = ppm_of(judge_power_smallest(power, (double)VIEW_SEES_BP / SHARE_FULL_BP));
}

static void foresee(const struct judge_settings *settings,
		    const struct judge_power_traffic *traffic, const struct plan *plan,
		    uint32_t for_errors_bp, struct view_plan *v)
{
	struct judge_power_step steps[JUDGE_POWER_STEPS_MAX];
	uint32_t index[JUDGE_POWER_STEPS_MAX], count = steps_of(plan, steps, index);
	struct view_forecast *to = &v->forecast;
	struct judge_power *power = mem_new(sizeof *power);
	to->known = count > 0;
	if (to->known) {
		judge_power_begin(power, settings, traffic, steps, count);
		suppose_good(power, plan, index, v);
		suppose_bad(power, for_errors_bp, to);
	} else {
		view_add_note(v, "Nothing is foreseen: in no step of this strategy do both "
				 "releases serve.");
	}
	if (for_errors_bp > 0)
		propose(power, settings, traffic, for_errors_bp, &to->proposal);
	free(power);
}

void forecast_plan(const struct environment *e, const struct resolved *config,
		   const struct plan *plan, uint32_t for_errors_bp, struct view_plan *v)
{
	struct judge_settings settings;
	struct judge_power_traffic traffic;
	struct view_forecast *to = &v->forecast;
	bool judged = config_judge(config, &settings), past = read_traffic(e, &traffic);
	const char *why = obstacle(e, judged, past, traffic.requests_per_s);
	judging_caution(e, &settings);
	to->requests_per_s = traffic.requests_per_s;
	to->live_errors_ppm = ppm_of(traffic.errors);
	to->proposal.asked = for_errors_bp > 0;
	to->proposal.errors_ppm = for_errors_bp * PPM_IN_BP;
	if (!why) {
		foresee(&settings, &traffic, plan, for_errors_bp, v);
		return;
	}
	if (to->proposal.asked)
		text_copy(to->proposal.sentence, sizeof to->proposal.sentence, why);
	else
		view_add_note(v, why);
}
