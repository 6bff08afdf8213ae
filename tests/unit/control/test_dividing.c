/* SPDX-License-Identifier: Apache-2.0
 * A gateway that does not divide the requests as it was told: nothing passes, and nobody is blamed. One that does, is
 * left in peace, whatever else sends requests. */
#include <string.h>

#include "world.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server, instances: 4, health: { path: /up, min_healthy: 500ms } }\n"
	"strategies:\n"
	"  quick:\n"
	"    - canary: { steps: [10%, 50%], each: { at_least: 5s, at_most: 1m } }\n"
	"    - switch\n"
	"    - bake: 20s\n"
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

static void assert_goes_up(void)
{
	uint32_t rollout = world_deploy("prod", "v2");
	const char *end = world_until_end(rollout, 240000);
	if (strcmp(end, "succeeded") != 0)
		fail_msg("%s: %s", end, world_view(rollout)->why);
	assert_false(world_view(rollout)->judge.division.off);
}

static void what_is_divided_as_promised_is_counted_and_held_against_nobody(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 120000));
	world_run(4000);
	const struct view_division *d = &world_view(rollout)->judge.division;
	assert_true(d->known && !d->off && d->odds < 20 && d->phi >= 1);
	assert_int_equal(d->weight_bp, 5000);
	assert_in_range(d->requests, 2000, 4000);
	assert_in_range(d->new_requests, d->requests * 9 / 20, d->requests * 11 / 20);
	/* the old release's hundredth, while the new one bakes */
	assert_true(world_until_label(rollout, "bake", 120000));
	world_run(10000);
	d = &world_view(rollout)->judge.division;
	assert_true(d->known && !d->off);
	assert_int_equal(d->weight_bp, 9900);
	assert_string_equal(world_until_end(rollout, 240000), "succeeded");
}

static void a_wrong_division_holds_the_step_and_asks(void **state)
{
	(void)state;
	world.astray_bp = 3333;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world_run(10000);
	const struct view_rollout *v = world_view(rollout);
	assert_string_equal(v->state, "running");
	assert_true(v->judge.division.off && v->judge.division.odds >= 1000);
	assert_tells(v->judge.division.text, "the new release completed ");
	assert_tells(v->why, ", where its weight is 10%; the odds are ");
	assert_tells(v->why, " that the gateway does not divide as it was told; nothing passes "
			     "before it is understood");
	assert_string_equal(world_until_end(rollout, 120000), "paused");
	assert_int_equal(world_weight("prod", "v2"), 1000);
	assert_false(world_marked_bad("prod", "v2"));
	assert_string_equal(world_live("prod"), "v1");
}

/* It is still known to a control that was not there when it was found. */
static void a_control_that_died_holds_it_too(void **state)
{
	(void)state;
	world.astray_bp = 3333;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world_run(10000);
	assert_true(world_view(rollout)->judge.division.off);
	world.astray_bp = 0;
	world_kill();
	world_start();
	assert_true(world_view(rollout)->judge.division.off);
	world_run(1000);
	assert_true(world_view(rollout)->judge.division.off);
}

static void a_release_that_gets_nothing_is_no_quiet_service(void **state)
{
	(void)state;
	world.astray_bp = SHARE_FULL_BP;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world_run(5000);
	const struct view_rollout *v = world_view(rollout);
	assert_true(v->judge.known && v->judge.division.off);
	assert_tells(v->why, "the new release completed 0 of ");
	assert_string_equal(world_until_end(rollout, 120000), "paused");
}

static void what_goes_astray_in_the_bake_is_seen_by_the_hundredth_that_stays(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "bake", 240000));
	world.astray_bp = SHARE_FULL_BP; /* none stays with the old release */
	world_run(10000);
	const struct view_rollout *v = world_view(rollout);
	assert_true(v->judge.division.off);
	assert_int_equal(v->judge.division.weight_bp, 9900);
}

/* People who look at it before the others are no part of what is divided. */
static void previews_are_not_counted(void **state)
{
	(void)state;
	world.previews_bp = 1000;
	assert_goes_up();
}

/* Until the router says that a weight is in force, the one before may be. */
static void a_router_that_takes_its_time_raises_no_alarm(void **state)
{
	(void)state;
	world.table_delay_ms = 1500;
	assert_goes_up();
}

/* Requests under the weight before, and slow answers, are under way for long. */
static void requests_that_never_end_on_either_side_raise_no_alarm(void **state)
{
	(void)state;
	world_behaviour("v1")->hang_bp = world_behaviour("v2")->hang_bp = 5;
	world_run(60000);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 120000));
	world_run(4000);
	assert_true(world_view(rollout)->judge.division.known);
	assert_false(world_view(rollout)->judge.division.off);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_divided_as_promised_is_counted_and_held_against_nobody),
		TEST(a_wrong_division_holds_the_step_and_asks),
		TEST(a_control_that_died_holds_it_too),
		TEST(a_release_that_gets_nothing_is_no_quiet_service),
		TEST(what_goes_astray_in_the_bake_is_seen_by_the_hundredth_that_stays),
		TEST(previews_are_not_counted),
		TEST(a_router_that_takes_its_time_raises_no_alarm),
		TEST(requests_that_never_end_on_either_side_raise_no_alarm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
