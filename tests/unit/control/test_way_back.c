/* SPDX-License-Identifier: Apache-2.0
 * Where a rollback goes that is told no release, and commands whose ground moved while they waited. */
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

/* --- the four steps of it */

static void assert_step(const struct view_rollout *v, uint32_t index, const char *state,
			const char *text)
{
	const struct view_way_step *step = &v->way_back.steps[index];
	assert_true(v->way_back.known);
	assert_string_equal(step->state, state);
	if (!strstr(step->text, text))
		fail_msg("\"%s\" does not say \"%s\"", step->text, text);
}

static void by_hand_all_four_steps_have_their_times(void **state)
{
	(void)state;
	live_with("prod", "v1");
	live_with("prod", "v2");
	world.rate_per_s = 100;
	world.router_delay_ms = 30;
	uint64_t asked_ms = env_wall_ms(&world.env);
	uint32_t rollout = world_rollback("prod", "");
	const struct view_rollout *v = world_view(rollout);
	assert_step(v, VIEW_WAY_IDENTIFY, "done", "by ann: it hurts");
	assert_int_equal(v->way_back.steps[VIEW_WAY_IDENTIFY].at_unix_ms, asked_ms);
	assert_step(v, VIEW_WAY_SWITCH, "active", "no request for v2 any more");
	assert_step(v, VIEW_WAY_VALIDATE, "waiting", "v1 serves everything");
	assert_step(v, VIEW_WAY_POSTMORTEM, "waiting", "davit postmortem");
	while (world_weight("prod", "v2") > 0)
		world_step();
	world_run(200);
	v = world_view(rollout);
	assert_step(v, VIEW_WAY_SWITCH, "done", "v2");
	assert_step(v, VIEW_WAY_VALIDATE, "active", "v1");
	assert_string_equal(world_until_end(rollout, 120000), "succeeded");
	v = world_view(rollout);
	assert_true(v->verdict_to_zero_ms >= 30);
	assert_int_equal(v->way_back.steps[VIEW_WAY_SWITCH].took_ms, v->verdict_to_zero_ms);
	assert_int_equal(v->way_back.steps[VIEW_WAY_SWITCH].at_unix_ms,
			 asked_ms + v->verdict_to_zero_ms);
	assert_step(v, VIEW_WAY_VALIDATE, "done", "v1");
	assert_int_equal(v->way_back.steps[VIEW_WAY_VALIDATE].at_unix_ms, v->ended_unix_ms);
	assert_step(v, VIEW_WAY_POSTMORTEM, "done", "davit postmortem 3");
	assert_string_equal(v->next, "davit postmortem 3");
}

static void a_rollback_that_comes_back_has_not_switched(void **state)
{
	(void)state;
	live_with("prod", "v1");
	live_with("prod", "v2");
	world_behaviour("v1")->never_ready = true;
	world_run(60000); /* its warm instances are gone */
	uint32_t rollout = world_rollback("prod", "");
	assert_string_equal(world_until_end(rollout, 300000), "reverted");
	const struct view_rollout *v = world_view(rollout);
	assert_step(v, VIEW_WAY_SWITCH, "failed", "v2");
	assert_step(v, VIEW_WAY_VALIDATE, "failed", "v1");
	assert_int_equal(v->way_back.steps[VIEW_WAY_SWITCH].took_ms, 0);
	assert_int_equal(v->verdict_to_zero_ms, 0);
}

static void what_davit_takes_back_has_them_too_and_what_goes_out_has_none(void **state)
{
	(void)state;
	live_with("fast", "v1");
	assert_false(world_view(1)->way_back.known);
	world_release("fast", "v2", world_yaml);
	uint32_t rollout = world_deploy("fast", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	assert_false(world_view(rollout)->way_back.known);
	assert_int_equal(world_rollback("fast", ""), rollout);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	const struct view_rollout *v = world_view(rollout);
	assert_step(v, VIEW_WAY_IDENTIFY, "done", "it hurts");
	assert_step(v, VIEW_WAY_SWITCH, "done", "no request for v2 any more");
	assert_step(v, VIEW_WAY_VALIDATE, "done", "v1 serves everything");
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

static bool at_operation(uint32_t rollout, const char *op)
{
	const struct view_rollout *v = world_view(rollout);
	return v->step < v->step_count && strcmp(v->steps[v->step].op, op) == 0;
}

static void going_back_does_not_wait_until_the_old_release_has_drained(void **state)
{
	(void)state;
	live_with("prod", "v1");
	live_with("prod", "v2");
	live_with("prod", "v3");
	world_behaviour("v3")->hang_bp = 10000; /* its requests never end: it drains for long */
	world.rate_per_s = 100;
	world_run(500);
	uint32_t first = world_rollback("prod", "");
	while (!world_view(first)->ended && !at_operation(first, "drain"))
		world_step();
	assert_false(world_view(first)->ended);
	uint64_t asked_ms = world.now_ms;
	uint32_t second = world_rollback("prod", ""); /* v1: v3 is what is being left */
	assert_string_equal(world_until_end(first, 1000), "succeeded");
	while (world_weight("prod", "v1") < 10000 && world.now_ms < asked_ms + 60000)
		world_step();
	assert_true(world.now_ms < asked_ms + 1500);
	assert_string_equal(world_until_end(second, 60000), "succeeded");
	world_run(10000);
	world_assert_at_rest("prod", "v1", 2);
}

static void going_back_lets_nothing_begin_that_waited(void **state)
{
	(void)state;
	live_with("prod", "v1");
	world_release("prod", "v2", world_yaml);
	world_release("prod", "v3", world_yaml);
	uint32_t running = world_deploy_by("prod", "v2", "", "");
	assert_true(world_until_label(running, "10%", 60000));
	uint32_t waiting = world_deploy("prod", "v3");
	assert_int_equal(world_rollback("prod", ""), running);
	assert_string_equal(world_until_end(running, 60000), "reverted");
	assert_string_equal(world_until_end(waiting, 60000), "cancelled");
	world_assert_at_rest("prod", "v1", 2);
}

static struct fake_instance *instance(const char *tag, uint32_t slot)
{
	for (size_t i = 0; i < world.instance_count; i++)
		if (strcmp(world.instances[i].status.tag, tag) == 0 &&
		    world.instances[i].status.slot == slot)
			return &world.instances[i];
	fail_msg("%s has no instance %u", tag, slot);
	return NULL;
}

/* One became ready while a table was under way, and the next table, which lists it, is not in force yet when the
 * other gives up and all go back. */
static void what_a_table_under_way_lists_is_not_stopped_before(void **state)
{
	(void)state;
	live_with("prod", "v1");
	world_release("prod", "v2", world_yaml);
	world.table_delay_ms = 1500;
	runtime_crash(instance("v1", 1));
	world_run(60); /* the table that says so is on its way */
	uint32_t rollout = world_deploy_by("prod", "v2", "swap", "");
	for (int i = 0; i < 6; i++) {
		world_run(400);
		runtime_crash(instance("v2", 2));
	}
	assert_int_equal(instance("v2", 1)->status.state, INSTANCE_READY);
	assert_int_equal(instance("v2", 2)->status.state, INSTANCE_FAILED);
	world_run(3000);
	world.table_delay_ms = 0;
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_assert_at_rest("prod", "v1", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(going_back_twice_does_not_bring_the_bad_release_again),
		TEST(a_restart_is_not_what_one_goes_back_to),
		TEST(going_back_does_not_wait_until_the_old_release_has_drained),
		TEST(going_back_lets_nothing_begin_that_waited),
		TEST(deploying_what_is_live_again_takes_back_what_is_on_its_way),
		TEST(by_hand_all_four_steps_have_their_times),
		TEST(a_rollback_that_comes_back_has_not_switched),
		TEST(what_davit_takes_back_has_them_too_and_what_goes_out_has_none),
		TEST(what_a_table_under_way_lists_is_not_stopped_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
