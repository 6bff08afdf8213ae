/* SPDX-License-Identifier: Apache-2.0
 * Where a rollback goes that is told no release, and commands whose ground moved while they waited. */
#include "world.h"

static int setup(void **state)
{
	(void)state;
	world_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static void live_with(const char *environment, const char *tag)
{
	world_release(environment, tag, world_yaml);
	uint32_t rollout = world_deploy(environment, tag);
	assert_string_equal(world_until_end(rollout, 120000), "succeeded");
	assert_string_equal(world_live(environment), tag);
}

static void go_back_to(const char *tag)
{
	uint32_t rollout = world_rollback("prod", "");
	assert_int_not_equal(rollout, 0);
	assert_string_equal(world_until_end(rollout, 120000), "succeeded");
	assert_string_equal(world_live("prod"), tag);
}

static void going_back_twice_does_not_bring_the_bad_release_again(void **state)
{
	(void)state;
	live_with("prod", "v1");
	live_with("prod", "v2");
	live_with("prod", "v3");
	go_back_to("v2");
	go_back_to("v1");
	assert_int_equal(world_rollback("prod", ""), 0);
	assert_int_equal(world.err.code, ERR_NOT_FOUND);
	uint32_t rollout = world_rollback("prod", "v3");
	assert_string_equal(world_until_end(rollout, 120000), "succeeded");
	assert_string_equal(world_live("prod"), "v3");
	go_back_to("v1"); /* v2 was left; v1 is what served before */
}

static void a_restart_is_not_what_one_goes_back_to(void **state)
{
	(void)state;
	live_with("prod", "v1");
	live_with("prod", "v2");
	uint32_t rollout = world_restart("prod");
	assert_string_equal(world_until_end(rollout, 120000), "succeeded");
	assert_string_equal(world_live("prod"), "v2");
	go_back_to("v1");
	assert_int_equal(world_rollback("prod", ""), 0);
}

static void deploying_what_is_live_again_takes_back_what_is_on_its_way(void **state)
{
	(void)state;
	live_with("fast", "v1");
	world_release("fast", "v2", world_yaml);
	uint32_t newer = world_deploy("fast", "v2");
	assert_true(world_until_label(newer, "10%", 60000));
	uint32_t again = world_deploy("fast", "v1");
	assert_int_not_equal(again, 0);
	assert_string_equal(world_until_end(newer, 60000), "reverted");
	assert_string_equal(world_until_end(again, 60000), "cancelled");
	assert_string_equal(world_live("fast"), "v1");
	world_assert_at_rest("fast", "v1", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(going_back_twice_does_not_bring_the_bad_release_again),
		TEST(a_restart_is_not_what_one_goes_back_to),
		TEST(deploying_what_is_live_again_takes_back_what_is_on_its_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
