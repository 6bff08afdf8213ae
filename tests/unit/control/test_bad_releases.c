/* SPDX-License-Identifier: Apache-2.0
 * Releases that are bad, each in its way: the live one serves on, and it is said why. */
#include <stdio.h>
#include <string.h>

#include "world.h"

static int setup(void **state)
{
	(void)state;
	world_open();
	world_release("prod", "v1", world_yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", world_yaml);
	return 0;
}

static int setup_empty(void **state)
{
	(void)state;
	world_open();
	world_release("prod", "v1", world_yaml);
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

/* What is common to all: back, marked, told, nothing left. */
static void comes_back(const char *strategy, const char *because)
{
	uint32_t rollout = world_deploy_by("prod", "v2", strategy, "");
	assert_string_equal(world_until_end(rollout, 240000), "reverted");
	const struct view_rollout *v = world_view(rollout);
	assert_int_equal(v->exit_code, 11);
	assert_true(v->ended);
	assert_string_equal(v->serving, "v1");
	assert_tells(v->why, "v2 was rolled back, v1 serves everything: ");
	assert_tells(v->why, because);
	assert_true(world_marked_bad("prod", "v2"));
	assert_int_equal(world_deploy("prod", "v2"), 0);
	assert_int_equal(world.err.code, ERR_DENIED);
	assert_tells(world.err.text, "v2 is marked bad in shop/prod");
	world_assert_at_rest("prod", "v1", 2);
}

static const char *const every_strategy[] = {"quick", "swap", "roll", "again", "mix"};

static void errors_under_traffic(void **state)
{
	(void)state;
	world_behaviour("v2")->error_bp = 1500;
	comes_back("quick", "more than 2% allowed");
	const struct view_rollout *v = world_view(2);
	assert_int_equal(v->evidence_count, 1);
	assert_string_equal(v->evidence[0].verdict, "fail");
	assert_tells(v->evidence[0].text, "answered 5xx");
	assert_true(v->verdict_to_zero_ms > 0 && v->verdict_to_zero_ms <= 20);
}

static void nothing_but_errors(void **state)
{
	(void)state;
	world_behaviour("v2")->error_bp = SHARE_FULL_BP;
	comes_back("roll", "(100%) of the new release, more than 2% allowed");
}

static void errors_that_begin_late(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "bake", 60000));
	world_behaviour("v2")->error_bp = 5000;
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_tells(world_view(rollout)->why, "more than 2% allowed");
	world_assert_at_rest("prod", "v1", 2);
}

static void requests_that_hang(void **state)
{
	(void)state;
	world_behaviour("v2")->hang_bp = SHARE_FULL_BP;
	comes_back("quick", "hang unanswered");
}

static void it_hangs_while_it_is_paused(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	world_run(500);
	assert_int_equal(world_command("prod", CONTROL_PAUSE), 0);
	world_behaviour("v2")->hang_bp = SHARE_FULL_BP;
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_assert_at_rest("prod", "v1", 2);
}

static void it_crashes_at_its_start(void **state)
{
	(void)state;
	world_behaviour("v2")->crash_at_start = true;
	comes_back("quick", "instances of the new release were given up");
	assert_tells(world_view(2)->why, "exited with status 3");
	assert_true(world_view(2)->verdict_to_zero_ms == 0); /* it never had a request */
}

static void a_crash_at_the_start_leaves_its_log(void **state)
{
	(void)state;
	world_behaviour("v2")->crash_at_start = true;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_run(10000);
	const char *suspect = world_view(rollout)->suspect;
	assert_string_not_equal(suspect, "");
	assert_non_null(runtime_find(suspect));
	assert_string_equal(runtime_find(suspect)->status.tag, "v2");
}

static void it_crashes_in_a_loop_under_load(void **state)
{
	(void)state;
	world_behaviour("v2")->crash_after_ms = 600;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 120000), "reverted");
	assert_int_equal(world_view(rollout)->exit_code, 11);
	world_assert_at_rest("prod", "v1", 2);
}

/* Too seldom for its keepers to give up, and without a request that could fail. */
static void it_crashes_now_and_then(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	assert_int_equal(world_command("prod", CONTROL_PAUSE), 0);
	world.rate_per_s = 0;
	world_behaviour("v2")->crash_after_ms = 15000;
	assert_string_equal(world_until_end(rollout, 120000), "reverted");
	assert_tells(world_view(rollout)->why, "lost its readiness again and again");
	assert_true(world_marked_bad("prod", "v2"));
	world_assert_at_rest("prod", "v1", 2);
}

static void it_never_becomes_ready(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof every_strategy / sizeof every_strategy[0]; i++) {
		char tag[8];
		snprintf(tag, sizeof tag, "bad%zu", i);
		world_behaviour(tag)->never_ready = true;
		world_release("prod", tag, world_yaml);
		uint32_t rollout = world_deploy_by("prod", tag, every_strategy[i], "");
		assert_string_equal(world_until_end(rollout, 120000), "reverted");
		assert_int_equal(world_view(rollout)->exit_code, 11);
		assert_true(world_marked_bad("prod", tag));
		world_assert_at_rest("prod", "v1", 2);
	}
}

static void a_check_fails(void **state)
{
	(void)state;
	world_behaviour("v2")->checks_fail = true;
	comes_back("swap", "GET /up was answered 500");
	const struct view_rollout *v = world_view(2);
	assert_string_equal(v->evidence[v->evidence_count - 1].said, "one line\nand \"another\"");
	assert_string_equal(v->history[v->history_count - 1].text,
			    "a check of the new release failed");
}

static void a_shadow_fails(void **state)
{
	(void)state;
	world_behaviour("v2")->error_bp = 2000;
	uint32_t rollout = world_deploy_by("prod", "v2", "mix", "");
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	/* No user has had an answer of it. */
	assert_int_equal(world_traffic("shop", "prod")->releases[1].counters.started, 0);
	world_assert_at_rest("prod", "v1", 2);
}

static void it_does_not_stop(void **state)
{
	(void)state;
	world_behaviour("v2")->error_bp = SHARE_FULL_BP;
	world_behaviour("v2")->stop_ms = 20000;
	comes_back("quick", "more than 2% allowed");
}

static void its_files_are_damaged(void **state)
{
	(void)state;
	world_behaviour("v2")->damaged = true;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 10000), "rejected");
	const struct view_rollout *v = world_view(rollout);
	assert_tells(v->why, "not those that were imported");
	assert_int_equal(v->exit_code, 11);
	world_assert_at_rest("prod", "v1", 2);
	/* The next one is not held up. */
	world_release("prod", "v3", world_yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v3"), 60000), "succeeded");
}

static void the_live_release_fails_as_well(void **state)
{
	(void)state;
	world_behaviour("v1")->error_bp = 1500;
	world_behaviour("v2")->error_bp = 1500;
	uint32_t rollout = world_deploy("prod", "v2");
	/* A shared outage is no reason to go back, and none to go on. */
	assert_true(world_until_state(rollout, "paused", 60000));
	world_behaviour("v1")->error_bp = world_behaviour("v2")->error_bp = 0;
	assert_false(world_marked_bad("prod", "v2"));
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
}

static void too_little_traffic_asks_a_person(void **state)
{
	(void)state;
	world.rate_per_s = 1;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_state(rollout, "paused", 60000));
	assert_tells(world_view(rollout)->why, "too little evidence");
	assert_int_equal(world_command("prod", CONTROL_PROMOTE), 0);
	assert_true(world_until_label(rollout, "50%", 10000));
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_int_equal(world_view(rollout)->exit_code, 15);
	assert_false(world_marked_bad("prod", "v2"));
	world_assert_at_rest("prod", "v1", 2);
}

static void a_first_release_that_crashes_leaves_an_empty_environment(void **state)
{
	(void)state;
	world_behaviour("v1")->crash_at_start = true;
	uint32_t rollout = world_deploy("prod", "v1");
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_null(strstr(world_view(rollout)->why, "nothing serves everything"));
	world_assert_at_rest("prod", "", 0);
	assert_null(world_traffic("shop", "prod")->document);
}

static void a_first_release_that_crashes_once_it_has_users_is_taken_away(void **state)
{
	(void)state;
	world_behaviour("v1")->start_ms = 300;
	uint32_t rollout = world_deploy_by("prod", "v1", "swap", "");
	assert_true(world_until_label(rollout, "checks", 20000));
	world_behaviour("v1")->crash_after_ms = 1;
	world_behaviour("v1")->start_ms = 0;
	assert_string_equal(world_until_end(rollout, 120000), "reverted");
	world_assert_at_rest("prod", "", 0);
	assert_null(world_traffic("shop", "prod")->document);
}

static void a_first_release_whose_port_is_taken_ends_cleanly(void **state)
{
	(void)state;
	text_copy(world.taken, sizeof world.taken, "127.0.0.1:8080");
	uint32_t rollout = world_deploy("prod", "v1");
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_tells(world_view(rollout)->why, "Port 8080 is taken by another program");
	assert_false(world_marked_bad("prod", "v1")); /* not its fault */
	world_assert_at_rest("prod", "", 0);
	world.taken[0] = '\0';
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
}

static void an_instance_of_the_live_release_that_gave_up_is_tried_again(void **state)
{
	(void)state;
	world_behaviour("v1")->crash_at_start = true;
	for (size_t i = 0; i < world.instance_count; i++)
		world.instances[i].status.state = INSTANCE_STARTING;
	world_run(10000);
	assert_int_equal(world.instances[0].status.state, INSTANCE_FAILED);
	world_run(10000); /* not at once: not in a hurry, and its log can be read meanwhile */
	assert_int_equal(world.instances[0].status.state, INSTANCE_FAILED);
	world_behaviour("v1")->crash_at_start = false;
	world_assert_at_rest("prod", "v1", 2);
}

static void copy_trouble(void *context, const struct view_environment *e)
{
	text_copy(context, VIEW_TEXT_SIZE, e->trouble);
}

static const char *trouble_of(const char *environment)
{
	static char text[VIEW_TEXT_SIZE];
	assert_int_equal(control_view_environments(world.control, environment, copy_trouble, text,
						   &world.err),
			 0);
	return text;
}

static void instances_that_cannot_be_made_are_told_by_their_reason(void **state)
{
	(void)state;
	world.runtime_refuses = true;
	uint32_t rollout = world_deploy("prod", "v2");
	world_run(3000);
	assert_tells(trouble_of("prod"), "The disk is full: no instance can be started.");
	assert_string_equal(world_until_end(rollout, 240000), "reverted");
	assert_tells(world_view(rollout)->why, "The disk is full: no instance can be started.");
	world.runtime_refuses = false;
	world_assert_at_rest("prod", "v1", 2);
	assert_string_equal(trouble_of("prod"), "");
}

static void what_can_never_be_started_ends_at_once(void **state)
{
	(void)state;
	world.runtime_denies = true;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 1000), "reverted");
	assert_tells(world_view(rollout)->why, "Only root can run a program as another user.");
	assert_false(world_marked_bad("prod", "v2"));
	world.runtime_denies = false;
	world_assert_at_rest("prod", "v1", 2);
}

int main(void)
{
#define BAD(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define FIRST(name) cmocka_unit_test_setup_teardown(name, setup_empty, teardown)
	const struct CMUnitTest tests[] = {
		BAD(errors_under_traffic),
		BAD(nothing_but_errors),
		BAD(errors_that_begin_late),
		BAD(requests_that_hang),
		BAD(it_hangs_while_it_is_paused),
		BAD(it_crashes_at_its_start),
		BAD(a_crash_at_the_start_leaves_its_log),
		BAD(it_crashes_in_a_loop_under_load),
		BAD(it_crashes_now_and_then),
		BAD(it_never_becomes_ready),
		BAD(instances_that_cannot_be_made_are_told_by_their_reason),
		BAD(what_can_never_be_started_ends_at_once),
		BAD(a_check_fails),
		BAD(a_shadow_fails),
		BAD(it_does_not_stop),
		BAD(its_files_are_damaged),
		BAD(the_live_release_fails_as_well),
		BAD(too_little_traffic_asks_a_person),
		FIRST(a_first_release_that_crashes_leaves_an_empty_environment),
		FIRST(a_first_release_that_crashes_once_it_has_users_is_taken_away),
		FIRST(a_first_release_whose_port_is_taken_ends_cleanly),
		BAD(an_instance_of_the_live_release_that_gave_up_is_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
