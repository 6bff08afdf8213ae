/* SPDX-License-Identifier: Apache-2.0
 * A store on a disk that is full, and really is: whatever goes back goes back, nothing else moves, and when
 * there is room everything goes on by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../small_disk.h"
#include "world.h"

static char directory[64], file[96];

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/davit-full-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/davit.db", directory);
	if (!small_disk_mount(directory, "16m")) {
		rmdir(directory);
		directory[0] = '\0';
		return 0;
	}
	world_open_on(file);
	world_release("prod", "v1", world_yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", world_yaml);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (!directory[0])
		return 0;
	world_close();
	assert_int_equal(umount(directory), 0);
	return rmdir(directory);
}

static uint32_t canary_of_v2(void)
{
	if (!directory[0])
		skip();
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	world_run(500);
	assert_int_equal(world_weight("prod", "v2"), 5000);
	return rollout;
}

static void assert_degraded(void)
{
	const char *text = control_degraded(world.control);
	if (!strstr(text, "full") || !strstr(text, "free"))
		fail_msg("\"%s\" does not say that the disk is full and what to do", text);
}

/* There is room again: nobody has to say so. */
static void recovers(void)
{
	small_disk_empty(directory);
	world_run(10000);
	assert_string_equal(control_degraded(world.control), "");
	world_assert_at_rest("prod", "v1", 2);
	world_release("prod", "v3", world_yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v3"), 60000), "succeeded");
	world_assert_at_rest("prod", "v3", 2);
	assert_int_equal(world_traffic("shop", "prod")->failed, 0);
	world_assert_sane();
}

static void an_abort_takes_the_candidate_out_and_ends(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	world_fill_disk(directory);
	world_run(10000);
	assert_degraded();
	assert_string_equal(world_view(rollout)->state, "running");
	assert_int_equal(world_weight("prod", "v2"), 5000);
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	world_run(300);
	assert_int_equal(world_weight("prod", "v2"), 0);
	assert_degraded();
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_degraded();
	recovers();
}

static void a_bad_verdict_takes_the_candidate_out_and_ends(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	world_fill_disk(directory);
	world_run(3000);
	assert_int_equal(world_weight("prod", "v2"), 5000);
	world_behaviour("v2")->error_bp = SHARE_FULL_BP;
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_int_equal(world_weight("prod", "v2"), 0);
	assert_non_null(strstr(world_view(rollout)->why, "answered 5xx"));
	assert_true(world_marked_bad("prod", "v2"));
	assert_degraded();
	small_disk_empty(directory);
	world_run(10000);
	assert_string_equal(control_degraded(world.control), "");
}

static void a_rollback_goes_all_the_way(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_run(60000); /* nothing is warm any more: the old release has to be started */
	world_fill_disk(directory);
	rollout = world_rollback("prod", "");
	assert_int_not_equal(rollout, 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
	assert_degraded();
	recovers();
}

static void a_rollback_passes_a_deployment_that_waits(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	world_release("prod", "v3", world_yaml);
	uint32_t waiting = world_deploy("prod", "v3");
	assert_int_not_equal(waiting, 0);
	world_fill_disk(directory);
	assert_int_equal(world_rollback("prod", ""), rollout);
	world_run(300);
	assert_int_equal(world_weight("prod", "v2"), 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_run(10000);
	assert_int_equal(world_instances("prod", "v3"), 0);
	small_disk_empty(directory);
	world_run(10000);
	world_assert_at_rest("prod", "v1", 2);
}

static void nothing_else_moves_and_it_is_said_in_one_sentence(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	world_fill_disk(directory);
	assert_int_equal(world_command("prod", CONTROL_PAUSE), ERR_NO_SPACE);
	assert_non_null(strstr(world.err.text, "Nothing was changed: free space there"));
	assert_degraded(); /* at once, not only when a tick finds out */
	assert_int_equal(world_command("prod", CONTROL_PROMOTE), ERR_NO_SPACE);
	assert_int_equal(world_deploy("prod", "v1"), 0);
	world_run(30000);
	assert_string_equal(world_view(rollout)->state, "running");
	assert_int_equal(world_weight("prod", "v2"), 5000);
	small_disk_empty(directory);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

static void what_the_reserve_has_left_is_not_for_others(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	world_fill_disk(directory);
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_int_equal(world_deploy("prod", "v2"), 0);
	assert_int_equal(world.err.code, ERR_NO_SPACE);
	assert_degraded();
	recovers();
}

static void a_reserve_that_somebody_else_took_is_told_and_waited_for(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	char reserve[128];
	snprintf(reserve, sizeof reserve, "%s-reserve", file);
	assert_int_equal(unlink(reserve), 0);
	world_fill_disk(directory);
	assert_int_equal(world_command("prod", CONTROL_ABORT), ERR_NO_SPACE);
	assert_degraded();
	world_run(5000);
	assert_string_equal(world_view(rollout)->state, "running");
	assert_int_equal(world_weight("prod", "v2"), 5000);
	small_disk_empty(directory);
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	recovers();
}

static void a_control_starts_on_a_full_disk_and_can_go_back(void **state)
{
	(void)state;
	uint32_t rollout = canary_of_v2();
	world_kill();
	world_fill_disk(directory);
	world_start();
	assert_non_null(world.control);
	assert_degraded();
	world_run(3000);
	assert_int_equal(world_weight("prod", "v2"), 5000);
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	recovers();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_abort_takes_the_candidate_out_and_ends),
		TEST(a_bad_verdict_takes_the_candidate_out_and_ends),
		TEST(a_rollback_goes_all_the_way),
		TEST(a_rollback_passes_a_deployment_that_waits),
		TEST(nothing_else_moves_and_it_is_said_in_one_sentence),
		TEST(what_the_reserve_has_left_is_not_for_others),
		TEST(a_reserve_that_somebody_else_took_is_told_and_waited_for),
		TEST(a_control_starts_on_a_full_disk_and_can_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
