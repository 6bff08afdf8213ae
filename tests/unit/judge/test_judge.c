/* SPDX-License-Identifier: Apache-2.0
 * The whole judge: its verdicts, what it says of them, and what it never does. */
#include "../cmocka_all.h"

#include <string.h>

#include "chance.h"
#include "judge/judge.h"

static struct judge judge;
static uint64_t seed;
static struct judge_slot slots[4];

/* What one release does in a tick: of `requests`, so many fail; the rest is answered after `us`. */
struct part {
	uint64_t requests, errors, us;
};

static int setup(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	judge_begin(&judge, &settings);
	seed = 1;
	return 0;
}

/* Half of the answers take `us`, half of them three times as long: a median and a tail. */
static struct judge_arm arm_of(const struct part *part, struct judge_slot *to)
{
	struct judge_arm arm = {.requests = part->requests, .slots = to, .slot_count = 2};
	arm.errors[JUDGE_ERROR_SERVER] = part->errors;
	uint32_t slow = (uint32_t)chance_binomial(&seed, part->requests, 0.4);
	to[0] = (struct judge_slot){histogram_index(part->us), (uint32_t)part->requests - slow};
	to[1] = (struct judge_slot){histogram_index(part->us * 3), slow};
	return arm;
}

static void tick(const struct part *fresh, const struct part *live)
{
	struct judge_tick t = {.elapsed_ms = 100, .cell_count = 1};
	t.cells[0].new_release = arm_of(fresh, slots);
	t.cells[0].live_release = arm_of(live, slots + 2);
	judge_tick(&judge, &t);
}

/* A minute or more of the live release alone, 90 requests a tick, an error of 1,000. */
static void learn(double errors, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds * 10; i++)
		tick(&(struct part){0},
		     &(struct part){90, chance_binomial(&seed, 90, errors), 10000});
}

/* Both, until there is a verdict or the time is over. */
static struct judge_result run(double new_errors, double live_errors, uint64_t new_us,
			       uint32_t seconds)
{
	struct judge_result result = {.verdict = JUDGE_VERDICT_GO_ON};
	for (uint32_t i = 0; i < seconds * 10; i++) {
		struct part fresh = {10, chance_binomial(&seed, 10, new_errors), new_us};
		struct part live = {90, chance_binomial(&seed, 90, live_errors), 10000};
		tick(&fresh, &live);
		judge_decide(&judge, &result);
		if (result.verdict == JUDGE_VERDICT_FAIL || result.verdict == JUDGE_VERDICT_PASS)
			break;
	}
	return result;
}

static bool says(const struct judge_result *result, const char *text)
{
	return strstr(result->sentence, text) != NULL;
}

static void a_good_release_passes_with_exact_counts(void **state)
{
	(void)state;
	learn(0.001, 120);
	struct judge_result result = run(0.001, 0.001, 10000, 600);
	assert_int_equal(result.verdict, JUDGE_VERDICT_PASS);
	assert_string_equal(result.rule, "");
	assert_true(says(&result, " requests (") && says(&result, " would have been expected"));
	assert_true(says(&result, "; of the live release ") &&
		    says(&result, " that this release is fine"));
}

static void errors_fail_it_and_are_named(void **state)
{
	(void)state;
	learn(0.001, 120);
	struct judge_result result = run(0.05, 0.001, 10000, 600);
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "errors");
	assert_true(says(&result, " answered 5xx") && says(&result, " that this release is worse"));
	assert_true(judge.new_requests < 1000);
	assert_true(judge_odds(&judge) >= 1000);
}

static void slowness_fails_it_and_is_named(void **state)
{
	(void)state;
	learn(0.001, 120);
	struct judge_result result = run(0.001, 0.001, 20000, 600);
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_true(result.rule[0] == 'p');
	assert_true(says(&result, " took longer than "));
	assert_true(judge.new_requests < 1500);
}

static void without_a_request_there_is_too_little(void **state)
{
	(void)state;
	struct judge_result result;
	learn(0.001, 600);
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_TOO_LITTLE);
	assert_string_equal(result.sentence, "the new release has had no request yet");
}

/* Half of the answers are twice as slow: the median is now the one and now the other. No answer hangs on another. */
static void an_edge_that_moves_is_no_scatter(void **state)
{
	(void)state;
	uint32_t moved = 0, before = 0;
	for (uint32_t i = 0; i < 36000; i++) {
		uint32_t slow = (uint32_t)chance_binomial(&seed, 90, 0.5);
		struct judge_tick t = {.elapsed_ms = 100, .cell_count = 1};
		slots[0] = (struct judge_slot){histogram_index(10000), 90 - slow};
		slots[1] = (struct judge_slot){histogram_index(20000), slow};
		t.cells[0].live_release =
			(struct judge_arm){.requests = 90, .slot_count = 2, .slots = slots};
		judge_tick(&judge, &t);
		moved += judge.edges[0].live_bucket != before;
		before = judge.edges[0].live_bucket;
	}
	assert_true(moved > 3);
	assert_true(judge_dispersion_phi(&judge.metrics[JUDGE_METRIC_LATENCY].dispersion) < 1.3);
}

/* No request, however long; and few. */
static void missing_data_never_passes(void **state)
{
	(void)state;
	struct judge_result result;
	struct judge_tick t = {.elapsed_ms = 100, .cell_count = 1};
	for (uint32_t i = 0; i < 20000; i++)
		judge_tick(&judge, &t);
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_TOO_LITTLE);
	t.cells[0].live_release.requests = 90;
	for (uint32_t i = 0; i < 20000; i++)
		judge_tick(&judge, &t);
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_TOO_LITTLE);
	t.cells[0].new_release.requests = 1;
	for (uint32_t i = 0; i < 100; i++)
		judge_tick(&judge, &t);
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
}

/* Where speed has to be shown, too, requests without latencies show nothing. */
static void a_gate_without_data_lets_nothing_pass(void **state)
{
	(void)state;
	struct judge_settings settings;
	struct judge_result result;
	struct judge_tick t = {.elapsed_ms = 100, .cell_count = 1};
	judge_settings_default(&settings);
	settings.metrics[JUDGE_METRIC_LATENCY + 1].gates = true;
	judge_begin(&judge, &settings);
	t.cells[0].new_release.requests = 10;
	t.cells[0].live_release.requests = 90;
	for (uint32_t i = 0; i < 20000; i++)
		judge_tick(&judge, &t);
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
	assert_true(says(&result, "its speed cannot be judged"));
	assert_true(judge_fine(&judge) <= 1);
}

static void nothing_passes_in_doubt(void **state)
{
	(void)state;
	struct judge_result result;
	learn(0.001, 120);
	for (uint32_t i = 0; i < 100; i++)
		tick(&(struct part){10, 0, 10000}, &(struct part){90, 0, 10000});
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_PASS);
	while (judge_odds(&judge) < 20)
		tick(&(struct part){10, 0, 20000}, &(struct part){90, 0, 10000});
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
}

static void a_live_release_in_trouble_passes_nothing(void **state)
{
	(void)state;
	struct judge_result result;
	learn(0.001, 120);
	for (uint32_t i = 0; i < 12000; i++) {
		struct part fresh = {10, 0, 10000};
		struct part live = {90, chance_binomial(&seed, 90, 0.2), 10000};
		tick(&fresh, &live);
		judge_decide(&judge, &result);
		assert_true(result.verdict != JUDGE_VERDICT_FAIL);
		if (i < 100)
			continue;
		assert_true(
			judge_live_troubled(&judge)); /* all the time: it does not get used to it */
		assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
		assert_true(says(&result, "the live release itself is in trouble"));
	}
}

/* A release that takes requests and never answers has neither errors nor latencies. */
static void a_hang_fails_it(void **state)
{
	(void)state;
	struct judge_result result = {0};
	learn(0.001, 120);
	for (uint32_t i = 0; i < 600 && result.verdict != JUDGE_VERDICT_FAIL; i++) {
		struct judge_tick t = {.elapsed_ms = 100, .cell_count = 1};
		struct part live = {90, 0, 10000};
		t.cells[0].live_release = arm_of(&live, slots);
		t.cells[0].new_release.hangs = i % 10 == 0;
		judge_tick(&judge, &t);
		judge_decide(&judge, &result);
	}
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "hangs");
}

static uint64_t requests_to_fail(double new_errors, uint64_t live_per_tick)
{
	setup(NULL);
	learn(0, 120);
	if (live_per_tick == 0) { /* recreate: a gap of some seconds */
		for (uint32_t i = 0; i < 120; i++)
			tick(&(struct part){0}, &(struct part){0});
	}
	for (uint32_t i = 0; i < 5000; i++) {
		struct judge_result result;
		struct part fresh = {10, chance_binomial(&seed, 10, new_errors), 10000};
		tick(&fresh, &(struct part){live_per_tick, 0, 10000});
		judge_decide(&judge, &result);
		if (result.verdict == JUDGE_VERDICT_FAIL)
			return judge.new_requests;
	}
	return UINT64_MAX;
}

static void a_live_release_without_errors_is_a_measure_too(void **state)
{
	(void)state;
	assert_true(requests_to_fail(0.01, 990) < 1000);
	assert_true(requests_to_fail(0.01, 90) < 1500);
	assert_true(requests_to_fail(0.01, 10) < 2000);
	assert_true(requests_to_fail(0, 10) == UINT64_MAX);
}

static void recreate_is_judged_by_the_past(void **state)
{
	(void)state;
	assert_true(requests_to_fail(0.03, 0) < 1000);
	assert_true(requests_to_fail(0, 0) == UINT64_MAX);
	struct judge_result result;
	requests_to_fail(0.5, 0);
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_true(judge.new_requests <= 40);
}

/* Three times as slow for its first requests; ten minutes after the judge began. */
static void a_cold_start_is_forgiven(void **state)
{
	(void)state;
	learn(0.001, 600);
	for (uint32_t i = 0; i < 20; i++)
		tick(&(struct part){10, 0, 30000}, &(struct part){90, 0, 10000});
	struct judge_result result = run(0.001, 0.001, 10000, 600);
	assert_int_equal(result.verdict, JUDGE_VERDICT_PASS);
}

/* Nor does it cost anything: what is slow for good is found right after. */
static void slowness_that_stays_is_found_when_it_is_warm(void **state)
{
	(void)state;
	learn(0.001, 120);
	judge_warm_up(&judge);
	judge_warm_up(&judge);
	for (uint32_t i = 0; i < 39; i++) {
		tick(&(struct part){10, 0, 20000}, &(struct part){90, 0, 10000});
		assert_true(judge_odds(&judge) < 2);
	}
	for (uint32_t i = 0; i < 600 && judge_odds(&judge) < 1000; i++)
		tick(&(struct part){10, 0, 20000}, &(struct part){90, 0, 10000});
	assert_true(judge_odds(&judge) >= 1000);
	assert_true(judge.new_requests < 400 + 150);
}

static void what_a_client_repeats_is_one_incident(void **state)
{
	(void)state;
	struct judge_tick t = {.elapsed_ms = 100, .cell_count = 1};
	t.cells[0].new_release = (struct judge_arm){.requests = 10, .repeated = 2};
	t.cells[0].new_release.errors[JUDGE_ERROR_TIMEOUT] = 3;
	t.cells[0].live_release.requests = 90;
	judge_tick(&judge, &t);
	assert_int_equal(judge.totals[JUDGE_METRIC_ERRORS][0].new_events, 1);
	assert_int_equal(judge.totals[JUDGE_METRIC_ERRORS][0].new_requests, 8);
	assert_int_equal(judge.causes[JUDGE_ERROR_TIMEOUT], 3);
}

static void a_metric_of_its_own_counts(void **state)
{
	(void)state;
	struct judge_settings settings;
	struct judge_result result;
	const struct judge_proportion_settings crashes = {
		.counts = true, .ratio = 1.25, .points = 0.0002, .fine_ratio = 3};
	judge_settings_default(&settings);
	judge_settings_extra(&settings, 0, "crashes", &crashes, 0.2);
	judge_begin(&judge, &settings);
	learn(0.001, 60);
	for (uint32_t i = 0; i < 300; i++) {
		struct judge_tick t = {.elapsed_ms = 100, .cell_count = 1};
		t.extras[0] = (struct judge_table){10, 20, 90, 1}; /* more of them than requests */
		judge_tick(&judge, &t);
	}
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "crashes");
}

static void the_weights_sum_to_one_and_shares_to_the_odds(void **state)
{
	(void)state;
	double weights = 0, shares = 0;
	learn(0.001, 60);
	run(0.01, 0.001, 12000, 20);
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		weights += judge.weights[m];
		shares += judge_share_of_odds(&judge, m);
	}
	assert_true(fabs(weights - 1) < 1e-12);
	assert_true(fabs(shares / judge_odds(&judge) - 1) < 1e-12);
	assert_false(judge_metric_is_on(&judge, JUDGE_METRIC_EXTRA));
	assert_false(judge_metric_is_on(&judge, JUDGE_METRIC_LATENCY + 3));
}

/* A judge is a plain value: the same ticks give the same bits, and a copy goes on as if it were the first. */
static void the_same_ticks_give_the_same_bits(void **state)
{
	static struct judge first;
	(void)state;
	learn(0.001, 30);
	run(0.004, 0.001, 11000, 20);
	first = judge;
	setup(NULL);
	learn(0.001, 30);
	struct judge half = judge;
	uint64_t at = seed;
	run(0.004, 0.001, 11000, 20);
	assert_memory_equal(&judge, &first, sizeof judge);
	judge = half;
	seed = at;
	run(0.004, 0.001, 11000, 20);
	assert_memory_equal(&judge, &first, sizeof judge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_release_passes_with_exact_counts, setup),
		cmocka_unit_test_setup(errors_fail_it_and_are_named, setup),
		cmocka_unit_test_setup(slowness_fails_it_and_is_named, setup),
		cmocka_unit_test_setup(without_a_request_there_is_too_little, setup),
		cmocka_unit_test_setup(a_gate_without_data_lets_nothing_pass, setup),
		cmocka_unit_test_setup(nothing_passes_in_doubt, setup),
		cmocka_unit_test_setup(an_edge_that_moves_is_no_scatter, setup),
		cmocka_unit_test_setup(missing_data_never_passes, setup),
		cmocka_unit_test_setup(a_gate_without_data_lets_nothing_pass, setup),
		cmocka_unit_test_setup(nothing_passes_in_doubt, setup),
		cmocka_unit_test_setup(a_live_release_in_trouble_passes_nothing, setup),
		cmocka_unit_test_setup(a_hang_fails_it, setup),
		cmocka_unit_test_setup(a_live_release_without_errors_is_a_measure_too, setup),
		cmocka_unit_test_setup(recreate_is_judged_by_the_past, setup),
		cmocka_unit_test_setup(a_cold_start_is_forgiven, setup),
		cmocka_unit_test_setup(slowness_that_stays_is_found_when_it_is_warm, setup),
		cmocka_unit_test_setup(what_a_client_repeats_is_one_incident, setup),
		cmocka_unit_test_setup(a_metric_of_its_own_counts, setup),
		cmocka_unit_test_setup(the_weights_sum_to_one_and_shares_to_the_odds, setup),
		cmocka_unit_test_setup(the_same_ticks_give_the_same_bits, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
