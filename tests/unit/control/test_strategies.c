/* SPDX-License-Identifier: Apache-2.0
 * Whole rollouts, from the command to the end, by every strategy. */
#include <string.h>

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

static void live_with(const char *tag)
{
	world_release("prod", tag, world_yaml);
	uint32_t rollout = world_deploy("prod", tag);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_string_equal(world_live("prod"), tag);
}

static void goes_up_by(const char *strategy)
{
	live_with("v1");
	world_release("prod", "v2", world_yaml);
	uint32_t rollout = world_deploy_by("prod", "v2", strategy, "");
	assert_string_equal(world_until_end(rollout, 120000), "succeeded");
	const struct view_rollout *v = world_view(rollout);
	assert_string_equal(v->strategy, strategy);
	assert_int_equal(v->exit_code, 0);
	assert_string_equal(v->serving, "v2");
	assert_string_equal(v->why, "v2 is live in prod.");
	world_assert_at_rest("prod", "v2", 2);
	assert_int_equal(world_traffic("shop", "prod")->failed, 0);
}

static void a_first_release_goes_live(void **state)
{
	(void)state;
	live_with("v1");
	world_assert_at_rest("prod", "v1", 2);
}

static void a_first_release_is_checked_before_it_goes_live(void **state)
{
	(void)state;
	world_release("prod", "v1", world_yaml);
	uint32_t rollout = world_deploy_by("prod", "v1", "swap", "");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_true(world.check_run > 0);
	world_assert_at_rest("prod", "v1", 2);
}

static void canary_goes_up(void **state)
{
	(void)state;
	goes_up_by("quick");
}

static void blue_green_goes_up(void **state)
{
	(void)state;
	goes_up_by("swap");
}

static void rolling_goes_up(void **state)
{
	(void)state;
	goes_up_by("roll");
}

static void recreate_goes_up_and_parks_requests_meanwhile(void **state)
{
	(void)state;
	goes_up_by("again");
	assert_true(world_traffic("shop", "prod")->counters.held > 0);
}

static void a_mix_goes_up_and_its_shadow_gets_copies_only(void **state)
{
	(void)state;
	goes_up_by("mix");
	struct fake_environment *e = world_traffic("shop", "prod");
	assert_true(e->releases[1].counters.shadow_2xx >= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_first_release_goes_live, setup, teardown),
		cmocka_unit_test_setup_teardown(a_first_release_is_checked_before_it_goes_live,
						setup, teardown),
		cmocka_unit_test_setup_teardown(canary_goes_up, setup, teardown),
		cmocka_unit_test_setup_teardown(blue_green_goes_up, setup, teardown),
		cmocka_unit_test_setup_teardown(rolling_goes_up, setup, teardown),
		cmocka_unit_test_setup_teardown(recreate_goes_up_and_parks_requests_meanwhile,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_mix_goes_up_and_its_shadow_gets_copies_only,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
