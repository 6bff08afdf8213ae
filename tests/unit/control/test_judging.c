/* SPDX-License-Identifier: Apache-2.0
 * Releases that are judged by statistics: the live one is what they are compared with. */
#include <stdio.h>
#include <string.h>

#include "control/environment.h"
#include "world.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server, instances: 4, health: { path: /up, min_healthy: 500ms } }\n"
	"strategies:\n"
	"  quick:\n"
	"    - canary: { steps: [10%, 50%], each: { at_least: 2s, at_most: 2m } }\n"
	"    - switch\n"
	"    - bake: 2s\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:1001\", strategy: quick, keep_warm: 5s }\n";

static int setup(void **state)
{
	(void)state;
	world_open();
	world_release("prod", "v1", yaml);
	world.rate_per_s = 1000;
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", yaml);
	world_behaviour("v1")->error_bp = 10;
	world_behaviour("v2")->error_bp = 10;
	world_run(60000); /* so that the live release is known */
	return 0;
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

static void one_that_is_as_good_goes_up(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 240000), "succeeded");
	const struct view_rollout *v = world_view(rollout);
	assert_true(v->evidence_count >= 3);
	assert_string_equal(v->evidence[0].verdict, "pass");
	assert_tells(v->evidence[0].text, "that this release is fine");
	world_assert_at_rest("prod", "v2", 4);
}

static void a_little_worse_is_caught_before_many_have_seen_it(void **state)
{
	(void)state;
	world_behaviour("v2")->error_bp = 300;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 240000), "reverted");
	const struct view_rollout *v = world_view(rollout);
	assert_tells(v->why, " would have been expected; of the live release ");
	assert_tells(v->why, "that this release is worse");
	assert_true(v->new_traffic.requests < 1500);
	assert_true(world_marked_bad("prod", "v2"));
	world_assert_at_rest("prod", "v1", 4);
}

static void slower_is_worse(void **state)
{
	(void)state;
	world_behaviour("v2")->latency_us = 60000;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 240000), "reverted");
	assert_tells(world_view(rollout)->why, "longer than");
	world_assert_at_rest("prod", "v1", 4);
}

static void what_both_have_is_not_held_against_the_new_one(void **state)
{
	(void)state;
	world_behaviour("v1")->error_bp = world_behaviour("v2")->error_bp = 150;
	world_run(60000);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 240000), "succeeded");
}

static void a_live_release_in_trouble_blames_nobody_and_passes_nobody(void **state)
{
	(void)state;
	world_behaviour("v1")->error_bp = world_behaviour("v2")->error_bp = 1000;
	world_run(60000);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 240000), "paused");
	assert_int_equal(world_view(rollout)->new_traffic.requests > 1000, true);
}

static void nothing_passes_without_requests(void **state)
{
	(void)state;
	world.rate_per_s = 0;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 240000), "paused");
}

static void one_sick_instance_is_replaced_and_the_release_goes_up(void **state)
{
	(void)state;
	world_behaviour("v2")->sick_slot = 2;
	uint32_t rollout = world_deploy("prod", "v2");
	const struct environment *e = world.control->environments[0];
	for (uint32_t i = 0; i < 2400 && e->active; i++) {
		world_run(100);
		/* It is missed for a while, but it has not fallen. */
		assert_int_equal(e->active ? e->active->state.candidate_falls : 0, 0);
	}
	const char *end = world_until_end(rollout, 240000);
	if (strcmp(end, "succeeded") != 0)
		fail_msg("%s: %s", end, world_view(rollout)->why);
	const struct fake_instance *now = NULL;
	for (size_t i = 0; i < world.instance_count; i++)
		if (strcmp(world.instances[i].status.tag, "v2") == 0 &&
		    world.instances[i].status.slot == 2)
			now = &world.instances[i];
	assert_non_null(now);
	assert_true(world_behaviour("v2")->sick_pid > 0);
	assert_int_not_equal(now->status.pid, world_behaviour("v2")->sick_pid);
	world_assert_at_rest("prod", "v2", 4);
}

static void all_of_them_sick_is_a_bad_release(void **state)
{
	(void)state;
	world_behaviour("v2")->error_bp = 5000;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 240000), "reverted");
	assert_true(world_view(rollout)->new_traffic.errors < 50);
	world_assert_at_rest("prod", "v1", 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_that_is_as_good_goes_up),
		TEST(a_little_worse_is_caught_before_many_have_seen_it),
		TEST(slower_is_worse),
		TEST(what_both_have_is_not_held_against_the_new_one),
		TEST(a_live_release_in_trouble_blames_nobody_and_passes_nobody),
		TEST(nothing_passes_without_requests),
		TEST(one_sick_instance_is_replaced_and_the_release_goes_up),
		TEST(all_of_them_sick_is_a_bad_release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
