/* SPDX-License-Identifier: Apache-2.0
 * Builds that go on where another one was, and builds that give their place to a newer commit. */
#include <stdio.h>
#include <string.h>

#include "control/builds.h"
#include "store/builds.h"
#include "world.h"
#include "world_builds.h"

/* --- going on where one was */

static void one_that_is_built_again_goes_on_where_the_other_was_unless_it_is_to_begin(void **state)
{
	(void)state;
	struct control_caller caller = {.who = "bob"};
	uint32_t again = 0;
	order_ref("refs/heads/main", "staging");
	world_run(500);
	assert_int_equal(world_builder.origin, 0);
	builder_ends("failed", "", NULL);
	assert_int_equal(control_rebuild(world.control, &caller, 1, false, &again, &world.err), 0);
	/* Another order, for it does another thing. */
	assert_int_equal(control_rebuild(world.control, &caller, 1, true, &again, &world.err), 0);
	assert_int_equal(again, 3);
	world_run(500);
	assert_int_equal(world_builder.origin, 1);
	builder_ends("failed", "", NULL);
	world_run(500);
	assert_int_equal(world_builder.running, 3);
	assert_int_equal(world_builder.origin, 0);
	/* One that never began has nothing of its own: what it was to go on from counts. */
	assert_int_equal(control_rebuild(world.control, &caller, 2, false, &again, &world.err), 0);
	assert_int_equal(control_cancel_build(world.control, &caller, again, &world.err), 0);
	assert_int_equal(control_rebuild(world.control, &caller, again, false, &again, &world.err),
			 0);
	builder_ends("failed", "", NULL);
	world_run(500);
	assert_int_equal(world_builder.running, again);
	assert_int_equal(world_builder.origin, 2);
}

static void a_lost_builder_is_begun_again_but_not_for_ever(void **state)
{
	(void)state;
	order_ref("refs/heads/main", "staging");
	for (int i = 0; i < BUILDS_STARTS_MAX - 1; i++) {
		world_run(2000);
		assert_int_equal(world_builder.running, 1);
		builder_ends("lost", "", NULL);
		assert_string_equal(build_row(1)->state, "running");
		if (i == 3) {
			world_kill();
			world_start();
		}
	}
	world_run(2000);
	builder_ends("lost", "", NULL);
	world_run(2000);
	assert_string_equal(build_row(1)->state, "failed");
	assert_non_null(strstr(build_row(1)->why, "10 times"));
	assert_int_equal(world_builder.started, BUILDS_STARTS_MAX);
	assert_int_equal(world_builder.running, 0);
}

static void a_lost_builder_of_one_that_was_cancelled_is_its_end(void **state)
{
	(void)state;
	struct control_caller caller = {.who = "ann"};
	order_ref("refs/heads/main", "staging");
	world_run(500);
	assert_int_equal(control_cancel_build(world.control, &caller, 1, &world.err), 0);
	builder_ends("lost", "", NULL);
	assert_string_equal(build_row(1)->state, "cancelled");
}

/* --- newer commits */

static void first_release(const char *how)
{
	char text[1024];
	snprintf(
		text, sizeof text,
		"app: shop\n"
		"service: { run: bin/server --port $PORT, health: /up }\n"
		"strategies: { quick: [switch] }\n"
		"environments:\n"
		"  staging: { listen: \"127.0.0.1:8081\", strategy: quick, concurrency: supersede, "
		"trigger: { branch: main } }\n"
		"  prod: { listen: \"127.0.0.1:8080\", strategy: quick%s }\n",
		how);
	builder_file("davit.yaml", text);
	order_ref("refs/heads/main", NULL);
	world_run(500);
	builder_ends("passed", builder_archive("one"), "staging");
	world_run(20000);
	assert_string_equal(build_row(1)->state, "passed");
	order_commit('1', "refs/heads/main", NULL); /* 2 runs */
	world_run(500);
	assert_int_equal(world_builder.running, 2);
}

static void a_newer_commit_takes_the_place_of_one_that_waits(void **state)
{
	(void)state;
	first_release("");
	order_commit('2', "refs/heads/main", NULL);
	order_commit('2', "refs/heads/other", NULL); /* whose environments nobody knows */
	order_commit('2', "refs/heads/main", "staging");
	assert_int_equal(order_commit('3', "refs/heads/main", NULL), 6);
	assert_string_equal(build_row(3)->state, "superseded");
	assert_int_equal(build_row(3)->successor, 6);
	assert_non_null(strstr(build_row(3)->why, "Build 6"));
	assert_true(build_row(3)->ended_unix_ms > 0);
	assert_string_equal(build_row(2)->state, "running"); /* it has begun */
	assert_string_equal(build_row(4)->state, "queued");
	assert_string_equal(build_row(5)->state, "queued"); /* it goes elsewhere */
	assert_int_equal(order_commit('4', "refs/heads/main", "staging"), 7);
	assert_string_equal(build_row(5)->state, "superseded");
	order_commit('3', "refs/heads/other", NULL);
	assert_string_equal(build_row(4)->state, "queued");
	builder_ends("failed", "", NULL);
	world_run(500);
	assert_int_equal(world_builder.running, 4);
}

static void a_newer_commit_waits_behind_where_one_environment_has_a_queue(void **state)
{
	(void)state;
	first_release(", trigger: { branch: main }");
	order_commit('2', "refs/heads/main", NULL);
	order_commit('3', "refs/heads/main", NULL);
	order_commit('2', "refs/heads/main", "staging prod");
	order_commit('3', "refs/heads/main", "staging prod");
	order_commit('2', "refs/heads/main", "staging gone");
	order_commit('3', "refs/heads/main", "staging gone");
	for (uint32_t number = 3; number <= 8; number++)
		assert_string_equal(build_row(number)->state, "queued");
}

#define BUILDS_TEST(test) cmocka_unit_test_setup_teardown(test, builder_setup, builder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUILDS_TEST(
			one_that_is_built_again_goes_on_where_the_other_was_unless_it_is_to_begin),
		BUILDS_TEST(a_lost_builder_is_begun_again_but_not_for_ever),
		BUILDS_TEST(a_lost_builder_of_one_that_was_cancelled_is_its_end),
		BUILDS_TEST(a_newer_commit_takes_the_place_of_one_that_waits),
		BUILDS_TEST(a_newer_commit_waits_behind_where_one_environment_has_a_queue),
	};
	return cmocka_run_group_tests_name("control/builds_onward", tests, NULL, NULL);
}
