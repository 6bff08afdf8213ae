/* SPDX-License-Identifier: Apache-2.0
 * The evidence for people: what a rollout shows of the statistics while it goes, and afterwards. */
#include <string.h>

#include "control/view_judge.h"
#include "world.h"

static char yaml[4096];

/* The usual application, judged by statistics and not by plain rules. */
static int setup(void **state)
{
	static const char rules[] = "analysis: { method: rules, errors: { max: 2%, at_least: 50 "
				    "requests }, hang: 2s }\n";
	const char *at = strstr(world_yaml, rules);
	(void)state;
	assert_non_null(at);
	snprintf(yaml, sizeof yaml, "%.*sanalysis: { classes: { checkout: [/checkout] } }\n%s",
		 (int)(at - world_yaml), world_yaml, at + strlen(rules));
	world_open();
	world_release("prod", "v1", yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_run(30000); /* so that it is known how the live release is */
	world_release("prod", "v2", yaml);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static const struct view_metric *metric(const struct view_judge *v, const char *name)
{
	for (uint32_t i = 0; i < v->metric_count; i++)
		if (strcmp(v->metrics[i].name, name) == 0)
			return &v->metrics[i];
	fail_msg("there is no metric %s", name);
	return NULL;
}

static void a_release_under_way_shows_what_is_counted_of_it(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	world_run(1000);
	const struct view_rollout *v = world_view(rollout);
	const struct view_judge *j = &v->judge;
	assert_true(j->known && v->hold_judged);
	assert_true(j->odds > 0 && j->odds < 1.5);
	assert_true(j->fine >= 100);
	assert_int_equal(j->passed_bp, SHARE_FULL_BP);
	assert_int_equal(j->more_requests, 0);
	const struct view_metric *errors = metric(j, "errors");
	assert_string_equal(errors->tolerance, "1.25 times as many, or 0.02 points more");
	assert_true(errors->gates);
	assert_int_equal(errors->counts.new_events, 0);
	assert_true(errors->counts.new_requests > 0 && errors->counts.live_requests > 0);
	assert_string_equal(metric(j, "p90")->tolerance, "9% slower, or 5 ms");
	assert_true(metric(j, "p90")->edge_us > 0);
	assert_true(j->new_p50.low_us > 0 && j->new_p50.high_us >= j->new_p50.low_us);
	assert_int_equal(j->class_count, 2);
	assert_string_equal(j->classes[0].name, "");
	assert_string_equal(j->classes[1].name, "checkout");
	assert_int_equal(j->instance_count, 1);
	assert_true(v->hold_numbers.odds > 0);
	assert_true(v->evidence_count > 0 && v->evidence[0].numbers.odds > 0);
}

static void before_a_pass_it_says_how_much_is_needed(void **state)
{
	(void)state;
	bool told = false;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	for (int i = 0; i < 200 && !told; i++) {
		world_run(100);
		const struct view_rollout *v = world_view(rollout);
		if (!v->judge.known || v->judge.more_requests == 0)
			continue;
		told = true;
		assert_true(v->judge.fine >= 2 && v->judge.fine < 100);
		assert_in_range(v->judge.passed_bp, 1, SHARE_FULL_BP - 1);
		assert_true(v->judge.more_requests < 5000);
		assert_non_null(strstr(v->why, " more requests, "));
		assert_non_null(strstr(v->why, " at this traffic, decide it."));
	}
	assert_true(told);
}

/* What it was judged by stays as it was when it was judged, also for a control that is started later. */
static void a_bad_release_keeps_what_it_was_judged_by(void **state)
{
	struct view_judge before;
	(void)state;
	world_behaviour("v2")->error_bp = 3000;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_state(rollout, "reverting", 60000));
	before = world_view(rollout)->judge;
	assert_true(before.known && before.odds >= 1000);
	assert_string_equal(before.metrics[0].name, "errors");
	assert_true(before.metrics[0].share > 0.9);
	assert_true((double)before.metrics[0].counts.new_events > before.metrics[0].expected);
	assert_true(before.ratio_known && before.ratio_low > 1);
	assert_true(before.instance_count > 0 && before.instances[0].counts.new_events > 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_kill();
	world_start();
	world_run(1000);
	const struct view_rollout *v = world_view(rollout);
	assert_memory_equal(&v->judge, &before, sizeof before);
	assert_int_equal(v->evidence_count, 1);
	assert_true(v->evidence[0].numbers.odds >= 1000);
}

static void a_live_one_shows_what_it_passed_with(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	const struct view_judge *j = &world_view(rollout)->judge;
	assert_true(j->known && j->fine >= 100 && j->odds < 1000);
}

static void plain_rules_show_no_statistics(void **state)
{
	(void)state;
	world_release("prod", "v3", world_yaml);
	uint32_t rollout = world_deploy("prod", "v3");
	assert_true(world_until_label(rollout, "50%", 60000));
	assert_false(world_view(rollout)->judge.known);
	assert_false(world_view(rollout)->hold_judged);
	assert_true(world_view(rollout)->hold_numbers.odds == 0);
}

static void json_says_the_same(void **state)
{
	struct view_judge v = {.known = true, .odds = 2, .metric_count = 1}, back;
	(void)state;
	text_copy(v.metrics[0].name, sizeof v.metrics[0].name, "errors");
	v.metrics[0].expected = -1;
	v.mean_count = 1;
	v.means[0] =
		(struct view_mean){.name = "cpu", .text = "cpu: 2 ms", .evidence = 3, .share = 0.5};
	v.division = (struct view_division){.known = true,
					    .off = true,
					    .weight_bp = 1000,
					    .new_requests = 412,
					    .requests = 10000,
					    .odds = 5000,
					    .phi = 1.5,
					    .text = "the new release completed 412"};
	v.new_p50 = v.live_p50 = v.new_p99 = v.live_p99 =
		(struct view_band){.low_us = 5, .high_us = UINT64_MAX};
	json_t *json = view_judge_to_json(&v);
	view_judge_from_json(json, &back);
	assert_memory_equal(&v, &back, sizeof v);
	json_decref(json);
	json = view_judge_to_json(&(struct view_judge){0});
	assert_true(json_is_null(json));
	view_judge_from_json(json, &back);
	assert_false(back.known);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_release_under_way_shows_what_is_counted_of_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(before_a_pass_it_says_how_much_is_needed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_bad_release_keeps_what_it_was_judged_by, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_live_one_shows_what_it_passed_with, setup,
						teardown),
		cmocka_unit_test_setup_teardown(plain_rules_show_no_statistics, setup, teardown),
		cmocka_unit_test(json_says_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
