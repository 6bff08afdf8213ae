/* SPDX-License-Identifier: Apache-2.0
 * Tests of judge/power.h: what is foreseen against what the judge itself does, tick by tick. */
#include <stdlib.h>

#include "judge/draw.h"
#include "judge/power.h"
#include "judge/propose.h"
#include "judge/special.h"
#include "near.h"

enum { TICKS_PER_S = 10, JUDGED_RUNS = 200 };
static const double RATE = 1000, LIVE_ERRORS = 0.001, HOUR = 3600;

static struct judge_power_traffic traffic(double rate, double errors)
{
	double past = rate * 433; /* what is left of ten minutes, half of it forgotten */
	return (struct judge_power_traffic){.requests_per_s = rate,
					    .errors = errors,
					    .past_requests = past,
					    .past_errors = past * errors};
}

static struct judge_power_outcome foresee(const struct judge_settings *settings, double rate,
					  double live, const struct judge_power_step *steps,
					  uint32_t count, double errors, double slow)
{
	struct judge_power *power = malloc(sizeof *power);
	struct judge_power_outcome outcome;
	struct judge_power_traffic today = traffic(rate, live);
	assert_non_null(power);
	judge_power_begin(power, settings, &today, steps, count);
	judge_power_run(power, &(struct judge_power_release){errors, slow}, &outcome);
	free(power);
	return outcome;
}

static const struct judge_power_step one_percent = {
	.share = 0.01, .at_least_s = 3600, .at_most_s = 3600, .judged = true};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static uint64_t draw(struct judge_draw *from, double requests, double share)
{
	return (uint64_t)judge_draw_events(from, requests, share, judge_draw_none(requests, share));
}

/* One tick of a real rollout: how many requests of the new release it had. */
static uint64_t play_tick(struct judge *judge, struct judge_draw *from, double share, double errors,
			  double rate, double live)
{
	double each = rate / TICKS_PER_S;
	struct judge_tick tick = {.elapsed_ms = 1000 / TICKS_PER_S, .cell_count = 1};
	struct judge_cell *cell = &tick.cells[0];
	cell->new_release.requests = draw(from, each, share);
	cell->live_release.requests = (uint64_t)each - cell->new_release.requests;
	cell->new_release.errors[JUDGE_ERROR_SERVER] =
		draw(from, (double)cell->new_release.requests, errors);
	cell->live_release.errors[JUDGE_ERROR_SERVER] =
		draw(from, (double)cell->live_release.requests, live);
	judge_tick(judge, &tick);
	return cell->new_release.requests;
}

/* Median requests until the judge itself fails such a release. */
static double judged(const struct judge_settings *settings, double share, double rate, double live,
		     double errors)
{
	struct judge *judge = malloc(sizeof *judge);
	double after[JUDGED_RUNS];
	assert_non_null(judge);
	for (uint32_t i = 0; i < JUDGED_RUNS; i++) {
		struct judge_draw from;
		judge_draw_begin(&from, 1000 + i);
		judge_begin(judge, settings);
		for (uint32_t s = 0; s < 600; s++) { /* the past */
			struct judge_tick tick = {.elapsed_ms = 1000, .cell_count = 1};
			tick.cells[0].live_release.requests = (uint64_t)rate;
			tick.cells[0].live_release.errors[JUDGE_ERROR_SERVER] =
				draw(&from, rate, live);
			judge_tick(judge, &tick);
		}
		after[i] = 0;
		judge_step(judge);
		for (uint32_t t = 0; t < HOUR * TICKS_PER_S; t++) {
			after[i] += (double)play_tick(judge, &from, share, errors, rate, live);
			if (judge_odds(judge) >= 1 / settings->alpha)
				break;
		}
	}
	free(judge);
	qsort(after, JUDGED_RUNS, sizeof *after, compare);
	return after[JUDGED_RUNS / 2];
}

static void assert_agrees(double rate, double live, double errors, double share)
{
	struct judge_settings settings;
	judge_settings_default(&settings);
	struct judge_power_step step = one_percent;
	step.share = share;
	double is = foresee(&settings, rate, live, &step, 1, errors, 0).requests_median;
	double want = judged(&settings, share, rate, live, errors);
	assert_near(is, want, 0.2 * want); /* each is a median of 200 runs: 5 % by chance */
}

static void a_release_that_fails_1_percent_is_foreseen_as_it_is_judged(void **state)
{
	(void)state;
	assert_agrees(RATE, LIVE_ERRORS, 0.01, 0.01);
}

static void a_release_that_fails_5_percent_is_foreseen_as_it_is_judged(void **state)
{
	(void)state;
	assert_agrees(RATE, LIVE_ERRORS, 0.05, 0.01);
}

static void so_it_is_at_half_of_the_traffic(void **state)
{
	(void)state;
	assert_agrees(100, LIVE_ERRORS, 0.01, 0.5);
}

static void so_it_is_where_the_live_release_never_fails(void **state)
{
	(void)state;
	assert_agrees(100, 0, 0.01, 0.1);
}

/* --- latency */

enum { SLOTS_MAX = 64 };

/* An answer as the design of the judge has it: half of them within 50 ms, 99 % within 321 ms. */
static uint64_t latency_us(struct judge_draw *from)
{
	return (uint64_t)(50000 * exp(0.8 * normal_quantile(judge_draw_even(from))));
}

static void answer(struct judge_draw *from, uint64_t count, double later, struct judge_arm *arm,
		   struct judge_slot slots[SLOTS_MAX])
{
	arm->requests = count;
	arm->slots = slots;
	for (uint64_t i = 0; i < count && arm->slot_count < SLOTS_MAX; i++) {
		uint64_t us = latency_us(from) + (judge_draw_even(from) < later ? 1000000 : 0);
		slots[arm->slot_count++] =
			(struct judge_slot){.bucket = histogram_index(us), .count = 1};
	}
}

static void answer_tick(struct judge *judge, struct judge_draw *from, uint64_t fresh, uint64_t live,
			double later)
{
	struct judge_slot slots[2][SLOTS_MAX];
	struct judge_tick tick = {.elapsed_ms = 1000 / TICKS_PER_S, .cell_count = 1};
	answer(from, fresh, later, &tick.cells[0].new_release, slots[0]);
	answer(from, live, 0, &tick.cells[0].live_release, slots[1]);
	judge_tick(judge, &tick);
}

/* Median requests until the judge fails a release of which 4 % of the answers come a second later. */
static double judged_slow(const struct judge_settings *settings)
{
	enum { RUNS = 60, EACH = 20 };
	struct judge *past = malloc(sizeof *past), *judge = malloc(sizeof *judge);
	struct judge_draw from;
	double after[RUNS];
	assert_true(past && judge);
	judge_draw_begin(&from, 7);
	judge_begin(past, settings);
	for (uint32_t t = 0; t < 600 * TICKS_PER_S; t++)
		answer_tick(past, &from, 0, EACH, 0);
	for (uint32_t i = 0; i < RUNS; i++) {
		*judge = *past;
		after[i] = 0;
		judge_warm_up(judge);
		judge_step(judge);
		while (judge_odds(judge) < 1 / settings->alpha && after[i] < 1e5) {
			uint64_t fresh = draw(&from, EACH, 0.05);
			answer_tick(judge, &from, fresh, EACH - fresh, 0.04);
			after[i] += (double)fresh;
		}
	}
	free(past);
	free(judge);
	qsort(after, RUNS, sizeof *after, compare);
	return after[RUNS / 2];
}

static void a_slow_tail_is_foreseen_as_it_is_judged(void **state)
{
	(void)state;
	struct judge_settings settings;
	struct judge_power_step step = one_percent;
	step.share = 0.05;
	judge_settings_default(&settings);
	/* Of the 96 % others 0.7 % are beyond the edge, which is 9 % further away. */
	double is = foresee(&settings, 20 * TICKS_PER_S, 0, &step, 1, 0, 0.047).requests_median;
	double want = judged_slow(&settings);
	assert_near(is, want, 0.2 * want); /* each is a median of 200 runs: 5 % by chance */
}

static void the_simulated_medians_of_the_judge_are_reached(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	struct judge_power_outcome o =
		foresee(&settings, RATE, LIVE_ERRORS, &one_percent, 1, 0.01, 0);
	assert_near(o.requests_median, 870, 0.15 * 870);
	assert_near(o.requests_most, 1674, 0.15 * 1674);
	assert_near(o.failed, 9.5, 1.5);
	assert_near(o.caught, 1, 0);
	o = foresee(&settings, RATE, LIVE_ERRORS, &one_percent, 1, 0.05, 0);
	assert_near(o.requests_median, 82, 0.15 * 82);
	assert_near(o.failed, 4.7, 1);
}

static void the_same_question_has_the_same_answer(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	struct judge_power_outcome a =
		foresee(&settings, 20, LIVE_ERRORS, &one_percent, 1, 0.01, 0);
	struct judge_power_outcome b =
		foresee(&settings, 20, LIVE_ERRORS, &one_percent, 1, 0.01, 0);
	assert_memory_equal(&a, &b, sizeof a);
	assert_near(a.caught + a.held + a.passed, 1, 1e-9);
}

static void a_tail_of_four_percent_is_caught_by_p99_alone(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	struct judge_power_outcome o =
		foresee(&settings, RATE, LIVE_ERRORS, &one_percent, 1, LIVE_ERRORS, 0.04);
	assert_near(o.caught, 1, 0.01);
	assert_true(o.requests_median > 300 && o.requests_median < 1000);
	settings.metrics[JUDGE_METRIC_LATENCY + 2].name[0] = '\0';
	o = foresee(&settings, RATE, LIVE_ERRORS, &one_percent, 1, LIVE_ERRORS, 0.04);
	assert_near(o.caught, 0, 0.02);
}

static struct judge_power_step canary(double share)
{
	return (struct judge_power_step){
		.share = share, .at_least_s = 120, .at_most_s = 900, .judged = true};
}

static void a_good_release_passes_when_it_is_shown_to_be_fine(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	struct judge_power_step steps[] = {canary(0.01), canary(0.1), canary(0.5)};
	/* 330 requests show that fewer than 2 % fail. */
	struct judge_power_outcome o = foresee(&settings, 100, 0.001, steps, 3, 0.001, 0);
	assert_true(o.passed > 0.97);
	assert_true(o.step_s[0] > 250 && o.step_s[0] < 420);
	assert_near(o.step_s[1], 120, 5);
	assert_near(o.step_s[2], 120, 5);
	/* With all the traffic in the world the time of the steps is what it takes. */
	o = foresee(&settings, 10000, 0.001, steps, 3, 0.001, 0);
	assert_near(o.step_s[0], 120, 1);
}

static void where_instances_differ_by_themselves_it_takes_longer(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	double usual =
		foresee(&settings, RATE, LIVE_ERRORS, &one_percent, 1, 0.01, 0).requests_median;
	settings.phi_least = 2;
	struct judge_power_outcome o =
		foresee(&settings, RATE, LIVE_ERRORS, &one_percent, 1, 0.01, 0);
	assert_true(o.requests_median > 1.5 * usual && o.requests_median < 3 * usual);
	double want = judged(&settings, 0.01, RATE, LIVE_ERRORS, 0.01);
	assert_near(o.requests_median, want, 0.15 * want);
}

static void with_too_little_traffic_a_release_is_held_back_not_caught(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	struct judge_power_step steps[] = {canary(0.01), canary(0.1)};
	struct judge_power_outcome o = foresee(&settings, 1, 0.001, steps, 2, 0.01, 0);
	assert_near(o.held, 1, 0.01);
	steps[0].goes_on = steps[1].goes_on = true;
	o = foresee(&settings, 1, 0.001, steps, 2, 0.01, 0);
	assert_near(o.held, 0, 0);
	assert_true(o.passed > 0.9);
}

static void more_traffic_sees_smaller_regressions(void **state)
{
	(void)state;
	struct judge_settings settings;
	struct judge_power *power = malloc(sizeof *power);
	struct judge_power_step steps[] = {canary(0.01), canary(0.1), canary(0.5)};
	double last = 1;
	assert_non_null(power);
	judge_settings_default(&settings);
	for (double rate = 10; rate <= 10000; rate *= 10) {
		struct judge_power_outcome o;
		struct judge_power_traffic today = traffic(rate, LIVE_ERRORS);
		judge_power_begin(power, &settings, &today, steps, 3);
		double smallest = judge_power_smallest(power, 0.9);
		assert_true(smallest < last && smallest > 1.25 * LIVE_ERRORS);
		judge_power_run(power, &(struct judge_power_release){.errors = smallest}, &o);
		assert_near(o.caught, 0.9, 0.1);
		last = smallest;
	}
	free(power);
}

static void steps_beyond_the_room_and_requests_without_end_are_divided_all_the_same(void **state)
{
	(void)state;
	struct judge_settings settings;
	struct judge_power_step steps[JUDGE_POWER_STEPS_MAX + 1];
	judge_settings_default(&settings);
	for (uint32_t i = 0; i <= JUDGE_POWER_STEPS_MAX; i++)
		steps[i] = (struct judge_power_step){.share = 1, .at_least_s = 1e6};
	struct judge_power_outcome o =
		foresee(&settings, 1e6, 0, steps, JUDGE_POWER_STEPS_MAX + 1, 1, 0);
	assert_near(o.caught, 1, 0);
	assert_true(o.requests_median < 20);
}

static struct judge_proposal propose(double rate, double errors)
{
	struct judge_settings settings;
	struct judge_power *power = malloc(sizeof *power);
	struct judge_power_traffic today = traffic(rate, LIVE_ERRORS);
	struct judge_proposal proposal;
	assert_non_null(power);
	judge_settings_default(&settings);
	judge_propose(power, &settings, &today, errors, &proposal);
	free(power);
	return proposal;
}

static void proposed_steps_catch_what_they_are_for(void **state)
{
	(void)state;
	for (double rate = 2; rate < 3000; rate *= 6)
		for (double errors = 0.003; errors < 0.1; errors *= 3) {
			struct judge_proposal p = propose(rate, errors);
			assert_true(p.found);
			assert_true(p.outcome.caught >= 0.9);
			assert_int_equal(p.slow, p.steps[0].at_least_s > PROPOSE_TIME_S);
		}
}

static void the_smallest_share_that_is_fast_enough_is_proposed(void **state)
{
	(void)state;
	assert_near(propose(1000, 0.01).steps[0].share, 0.01, 0);
	assert_near(propose(20, 0.01).steps[0].share, 0.05, 0);
	assert_near(propose(2, 0.01).steps[0].share, 0.5, 0);
	assert_true(propose(2, 0.01).slow);
	assert_int_equal(propose(2, 0.01).step_count, 1);
	assert_int_equal(propose(1000, 0.01).step_count, 3);
}

static void nothing_is_proposed_for_what_is_tolerated(void **state)
{
	(void)state;
	assert_false(propose(1000, 0.0012).found);
	assert_false(propose(1000, 0.0001).found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_that_fails_1_percent_is_foreseen_as_it_is_judged),
		cmocka_unit_test(a_release_that_fails_5_percent_is_foreseen_as_it_is_judged),
		cmocka_unit_test(so_it_is_at_half_of_the_traffic),
		cmocka_unit_test(so_it_is_where_the_live_release_never_fails),
		cmocka_unit_test(a_slow_tail_is_foreseen_as_it_is_judged),
		cmocka_unit_test(the_simulated_medians_of_the_judge_are_reached),
		cmocka_unit_test(the_same_question_has_the_same_answer),
		cmocka_unit_test(a_tail_of_four_percent_is_caught_by_p99_alone),
		cmocka_unit_test(a_good_release_passes_when_it_is_shown_to_be_fine),
		cmocka_unit_test(where_instances_differ_by_themselves_it_takes_longer),
		cmocka_unit_test(with_too_little_traffic_a_release_is_held_back_not_caught),
		cmocka_unit_test(more_traffic_sees_smaller_regressions),
		cmocka_unit_test(
			steps_beyond_the_room_and_requests_without_end_are_divided_all_the_same),
		cmocka_unit_test(proposed_steps_catch_what_they_are_for),
		cmocka_unit_test(the_smallest_share_that_is_fast_enough_is_proposed),
		cmocka_unit_test(nothing_is_proposed_for_what_is_tolerated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
