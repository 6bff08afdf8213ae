/* SPDX-License-Identifier: Apache-2.0
 * Releases that are judged by Kayenta's judge: minutes as points, ten of them before it says anything. */
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { MINUTE_MS = 60000, POINTS = 10, LONGEST_MS = 40 * MINUTE_MS };

#define YAML(analysis, at_least)                                                                  \
	"app: shop\n"                                                                             \
	"service: { run: bin/server, instances: 4, health: { path: /up, min_healthy: 500ms } }\n" \
	"analysis: " analysis "\n"                                                                \
	"strategies:\n"                                                                           \
	"  quick:\n"                                                                              \
	"    - canary: { steps: [20%, 50%], each: { at_least: " at_least ", at_most: 15m } }\n"   \
	"    - switch\n"                                                                          \
	"    - bake: 2s\n"                                                                        \
	"environments:\n"                                                                         \
	"  prod: { listen: \"127.0.0.1:1001\", strategy: quick, keep_warm: 5s }\n"

static const char by_default[] = YAML("{ method: mann-whitney }", "2m");
static const char guarded[] = YAML("{ method: mann-whitney, errors: { max: 5% } }", "2m");
static const char with_critical[] =
	YAML("{ method: mann-whitney, kayenta: { critical: [p99] } }", "2m");

/* v1 is live; v2 is as good, with this configuration. */
static void begin(const char *yaml)
{
	world_open();
	world_release("prod", "v1", yaml);
	world.rate_per_s = 100;
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), MINUTE_MS), "succeeded");
	world_release("prod", "v2", yaml);
	world_behaviour("v1")->error_bp = 100;
	world_behaviour("v2")->error_bp = 100;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static void assert_tells(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void assert_ends(uint32_t rollout, const char *how)
{
	const char *end = world_until_end(rollout, LONGEST_MS);
	if (strcmp(end, how) != 0)
		fail_msg("%s: %s", end, world_view(rollout)->why);
}

/* To within a second of the first request that the new release has. */
static void begin_step(uint32_t rollout)
{
	assert_true(world_until_label(rollout, "20%", 2 * MINUTE_MS));
}

static void a_good_one_passes_when_there_are_enough_points(void **state)
{
	(void)state;
	begin(by_default);
	uint32_t rollout = world_deploy("prod", "v2");
	begin_step(rollout);
	world_run((POINTS - 1) * MINUTE_MS);
	assert_string_equal(world_state("prod"), "rolling");
	assert_tells(world_view(rollout)->why, "of the 10 points of 1m");
	assert_ends(rollout, "succeeded");
	const struct view_rollout *v = world_view(rollout);
	assert_true(v->evidence_count >= 2);
	assert_string_equal(v->evidence[0].verdict, "pass");
	assert_tells(v->evidence[0].text, "10 points of 1m: score 100 of 100, at least 95");
	world_assert_at_rest("prod", "v2", 4);
}

static void a_bad_one_is_taken_back_after_the_least_number_of_points(void **state)
{
	(void)state;
	begin(by_default);
	world_behaviour("v2")->error_bp = 1000;
	uint32_t rollout = world_deploy("prod", "v2");
	begin_step(rollout);
	uint64_t began_ms = world.now_ms;
	assert_ends(rollout, "reverted");
	assert_in_range(world.now_ms - began_ms, POINTS * MINUTE_MS, (POINTS + 1) * MINUTE_MS);
	assert_tells(world_view(rollout)->why, "10 points of 1m: score 50 of 100, below 75");
	assert_tells(world_view(rollout)->why, "High: errors by ");
	assert_true(world_marked_bad("prod", "v2"));
	world_assert_at_rest("prod", "v1", 4);
}

static void a_slower_one_is_taken_back(void **state)
{
	(void)state;
	begin(by_default);
	world_behaviour("v2")->latency_us = 8000;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_ends(rollout, "reverted");
	assert_tells(world_view(rollout)->why, "High: p50 by ");
	assert_tells(world_view(rollout)->why, "p99 by ");
}

static void a_marginal_one_holds_and_a_person_is_asked(void **state)
{
	(void)state;
	begin(by_default);
	world_behaviour("v2")->slow_bp = 500;
	uint32_t rollout = world_deploy("prod", "v2");
	begin_step(rollout);
	world_run((POINTS + 1) * MINUTE_MS);
	assert_string_equal(world_state("prod"), "rolling");
	assert_tells(world_view(rollout)->why, "score 83.33 of 100, between 75 and 95; High: p99");
	assert_ends(rollout, "paused");
	assert_int_equal(world_weight("prod", "v2"), 2000);
}

static void the_same_one_goes_back_where_that_metric_is_critical(void **state)
{
	(void)state;
	begin(with_critical);
	world_behaviour("v2")->slow_bp = 500;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_ends(rollout, "reverted");
	assert_tells(world_view(rollout)->why,
		     "score 0 of 100, below 75 because a critical metric");
}

static void plain_rules_that_are_written_do_not_wait_for_points(void **state)
{
	(void)state;
	begin(guarded);
	world_behaviour("v2")->error_bp = 5000;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, MINUTE_MS), "reverted");
}

static void without_requests_there_are_no_points(void **state)
{
	(void)state;
	begin(by_default);
	world.rate_per_s = 0;
	uint32_t rollout = world_deploy("prod", "v2");
	begin_step(rollout);
	world_run(POINTS * MINUTE_MS);
	assert_tells(world_view(rollout)->why, "0 of the 10 points");
	assert_ends(rollout, "paused");
}

static void a_step_passes_by_a_point_of_its_own(void **state)
{
	(void)state;
	begin(YAML("{ method: mann-whitney }", "2s"));
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", (POINTS + 2) * MINUTE_MS));
	world_run(MINUTE_MS - 5000);
	assert_int_equal(world_weight("prod", "v2"), 5000);
	assert_tells(world_view(rollout)->why, "the first point of this step takes 1m");
	world_run(10000);
	assert_int_not_equal(world_weight("prod", "v2"), 5000);
	assert_ends(rollout, "succeeded");
}

static void points_begin_anew_with_another_controller(void **state)
{
	(void)state;
	begin(by_default);
	uint32_t rollout = world_deploy("prod", "v2");
	begin_step(rollout);
	world_run((POINTS - 2) * MINUTE_MS);
	world_kill();
	world_start();
	world_run(3 * MINUTE_MS);
	assert_string_equal(world_state("prod"), "rolling");
	assert_tells(world_view(rollout)->why, "20%");
	assert_tells(world_view(rollout)->why, "of the 10 points");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_good_one_passes_when_there_are_enough_points),
		TEST(a_bad_one_is_taken_back_after_the_least_number_of_points),
		TEST(a_slower_one_is_taken_back),
		TEST(a_marginal_one_holds_and_a_person_is_asked),
		TEST(the_same_one_goes_back_where_that_metric_is_critical),
		TEST(plain_rules_that_are_written_do_not_wait_for_points),
		TEST(without_requests_there_are_no_points),
		TEST(a_step_passes_by_a_point_of_its_own),
		TEST(points_begin_anew_with_another_controller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
