/* SPDX-License-Identifier: Apache-2.0
 * Builds in the control: the order of the queue, what goes out, and what a crash between any two steps leaves. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/builds.h"
#include "store/builds.h"
#include "world.h"
#include "world_builds.h"

static int count_rollout(void *context, const struct store_build_rollout *r)
{
	*(uint32_t *)context += r->rollout > 0;
	return 0;
}

static int take_why(void *context, const struct store_build_rollout *r)
{
	text_copy(context, STORE_SENTENCE_SIZE, r->why);
	return 0;
}

static uint32_t rollouts_of(uint32_t number)
{
	uint32_t count = 0;
	assert_int_equal(
		store_build_rollouts(world.store, number, count_rollout, &count, &world.err), 0);
	return count;
}

static int count_deployment(void *context, const struct store_rollout *r)
{
	*(uint32_t *)context += strcmp(r->kind, "deploy") == 0;
	return 0;
}

static uint32_t deployments(void)
{
	uint32_t count = 0;
	struct store_rollout_filter all = {.limit = 100};
	assert_int_equal(store_rollouts(world.store, &all, count_deployment, &count, &world.err),
			 0);
	return count;
}

static void take_live(void *context, const struct view_environment *e)
{
	text_copy(context, CONTROL_TAG_SIZE, e->live.tag);
}

static const char *live(const char *environment)
{
	static char tag[CONTROL_TAG_SIZE];
	char key[CONTROL_KEY_SIZE];
	tag[0] = '\0';
	snprintf(key, sizeof key, "shop/%s", environment);
	assert_int_equal(control_view_environments(world.control, key, take_live, tag, &world.err),
			 0);
	return tag;
}

/* --- the queue */

static void one_is_built_at_a_time_in_the_order_in_which_they_came(void **state)
{
	(void)state;
	for (int i = 1; i <= 5; i++) {
		char ref[32];
		snprintf(ref, sizeof ref, "refs/heads/b%d", i);
		assert_int_equal(order_ref(ref, "staging"), i);
	}
	for (int i = 0; i < 5; i++) {
		world_run(500);
		assert_true(world_builder.running != 0);
		builder_ends("failed", "", NULL);
	}
	world_run(500);
	assert_string_equal(world_builder.order, "1 2 3 4 5 ");
	assert_int_equal(world_builder.running, 0);
}

static void the_same_order_has_one_place_while_it_waits_or_runs(void **state)
{
	(void)state;
	assert_int_equal(order_ref("refs/heads/main", "staging"), 1);
	assert_int_equal(order_ref("refs/heads/main", "staging"), 1);
	assert_int_equal(order_ref("refs/heads/main", "prod"), 2);
	world_run(500);
	assert_int_equal(order_ref("refs/heads/main", "staging"), 1);
	builder_ends("failed", "", NULL);
	assert_int_equal(order_ref("refs/heads/main", "staging"), 3);
}

static uint32_t order_once(char digit)
{
	char commit[] = "0123456789012345678901234567890123456789";
	struct control_caller caller = {.who = "sources"};
	const struct build_order order = {.app = "shop",
					  .repository = "/srv/shop.git",
					  .commit = commit,
					  .ref = "refs/heads/main",
					  .target = BUILD_TARGET_TRIGGERED,
					  .once = true};
	uint32_t number = 0;
	commit[0] = digit;
	assert_int_equal(control_build(world.control, &caller, &order, &number, &world.err), 0);
	return number;
}

static void who_looks_again_and_again_orders_once_until_the_ref_moves(void **state)
{
	(void)state;
	assert_int_equal(order_once('0'), 1);
	world_run(500);
	builder_ends("failed", "", NULL);
	assert_int_equal(order_once('0'), 1);
	assert_int_equal(order_once('1'), 2);
	world_run(500);
	builder_ends("failed", "", NULL);
	assert_int_equal(order_once('0'), 3); /* it has gone back there */
	assert_int_equal(order_ref("refs/heads/main", NULL), 3);
}

static void what_cannot_be_an_order_is_refused(void **state)
{
	(void)state;
	struct control_caller caller = {.who = "ann"};
	const struct build_order good = {.app = "shop",
					 .repository = "/srv/shop.git",
					 .commit = "0123456789012345678901234567890123456789",
					 .ref = "refs/heads/main"};
	struct build_order bad[8] = {good, good, good, good, good, good, good, good};
	uint32_t number;
	bad[0].app = "../shop";
	bad[1].repository = "shop.git";
	bad[2].commit = "0123";
	bad[3].ref = "main";
	bad[4].ref = "refs/heads/\nmain";
	bad[5].target = BUILD_TARGET_NAMED;
	bad[5].environments = "prod;rm";
	bad[6].ref = "refs/tags/shop/v1"; /* its release could not be called so */
	bad[7].ref = "refs/tags/v1.23456789012345678901234567890123456789012345678901234567890123";
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
			control_build(world.control, &caller, &bad[i], &number, &world.err),
			ERR_INVALID);
	world_run(500);
	assert_int_equal(world_builder.started, 0);
}

/* --- what goes out */

static void what_passes_becomes_a_release_and_goes_where_it_was_wanted(void **state)
{
	(void)state;
	order_ref("refs/heads/main", "staging prod");
	world_run(500);
	builder_ends("passed", builder_archive("one"), NULL);
	assert_string_equal(build_row(1)->state, "passed");
	assert_int_equal(strlen(build_row(1)->release), 64);
	assert_string_equal(build_row(1)->author, "Ann <ann@example.com>");
	assert_int_equal(rollouts_of(1), 2);
	assert_int_equal(deployments(), 2);
	assert_string_equal(world_until_end(2, 60000), "succeeded");
	assert_string_equal(live("prod"), "v0.0.1");
}

static void the_ref_decides_where_the_order_leaves_it(void **state)
{
	(void)state;
	order_ref("refs/tags/v1.4.0", NULL);
	order_ref("refs/heads/other", NULL);
	world_run(500);
	builder_ends("passed", builder_archive("one"), "prod");
	assert_string_equal(build_row(1)->wanted, "prod");
	assert_int_equal(rollouts_of(1), 1);
	assert_string_equal(world_until_end(1, 60000), "succeeded");
	assert_string_equal(live("prod"), "v1.4.0"); /* called by its tag */
	builder_ends("passed", builder_archive("two"), NULL);
	assert_string_equal(build_row(2)->state, "passed");
	assert_int_equal(rollouts_of(2), 0);
}

static void the_ref_decides_again_when_one_that_failed_is_built_again(void **state)
{
	(void)state;
	struct control_caller caller = {.who = "bob"};
	uint32_t again = 0;
	order_ref("refs/heads/main", NULL);
	world_run(500);
	builder_ends("failed", "", NULL);
	assert_int_equal(control_rebuild(world.control, &caller, 1, false, &again, &world.err), 0);
	world_run(500);
	builder_ends("passed", builder_archive("one"), "prod");
	assert_int_equal(rollouts_of(again), 1);
}

static void an_environment_that_there_is_not_is_told_and_not_made(void **state)
{
	(void)state;
	char why[STORE_SENTENCE_SIZE] = "";
	order_ref("refs/heads/main", "moon");
	world_run(500);
	builder_ends("passed", builder_archive("one"), NULL);
	assert_int_equal(store_build_rollouts(world.store, 1, take_why, why, &world.err), 0);
	assert_non_null(strstr(why, "moon"));
	assert_int_equal(deployments(), 0);
}

static void nothing_goes_out_of_what_failed_or_packed_nothing(void **state)
{
	(void)state;
	order_ref("refs/heads/main", "staging");
	order_ref("refs/heads/next", "staging");
	world_run(500);
	builder_ends("failed", builder_archive("one"), NULL);
	world_run(500);
	builder_ends("passed", "", NULL);
	world_run(5000);
	assert_string_equal(build_row(1)->state, "failed");
	assert_non_null(strstr(build_row(2)->why, "archive"));
	assert_int_equal(deployments(), 0);
}

static void a_builder_that_cannot_start_fails_the_build_and_the_next_one_follows(void **state)
{
	(void)state;
	order_ref("refs/heads/main", "staging");
	order_ref("refs/heads/next", "staging");
	world_builder.refuses = true; /* once */
	world_run(1000);
	assert_string_equal(build_row(1)->state, "failed");
	assert_non_null(strstr(build_row(1)->why, "No process"));
	assert_string_equal(world_builder.order, "2 ");
}

/* --- crashes */

static void one_that_ran_is_built_again_and_goes_out_once(void **state)
{
	(void)state;
	order_ref("refs/heads/main", "staging");
	world_run(500);
	world_kill();
	world_builder.running = 0;
	world_start();
	world_run(500);
	assert_string_equal(world_builder.order, "1 1 ");
	builder_ends("passed", builder_archive("one"), NULL);
	world_run(20000);
	assert_int_equal(deployments(), 1);
}

/* Written down as a release, and killed before all of it has gone out. */
static void one_that_was_released_is_not_built_again_and_goes_out_once(void **state)
{
	(void)state;
	struct store_build b;
	order_ref("refs/heads/main", "staging prod");
	world_run(500);
	builder_ends("passed", builder_archive("one"), NULL);
	world_run(100);
	for (int i = 0; i < 3; i++) {
		b = *build_row(1);
		text_copy(b.state, sizeof b.state, "releasing");
		b.ended_unix_ms = 0;
		store_begin(world.store);
		store_put_build(world.store, &b);
		assert_int_equal(store_commit(world.store, &world.err), 0);
		world_kill();
		world_start();
		world_run(500);
		assert_string_equal(build_row(1)->state, "passed");
	}
	world_run(20000);
	assert_string_equal(world_builder.order, "1 ");
	assert_int_equal(deployments(), 2);
	assert_int_equal(rollouts_of(1), 2);
}

static void while_the_store_cannot_commit_nothing_starts_and_nothing_is_lost(void **state)
{
	(void)state;
	order_ref("refs/heads/main", "staging");
	world_break_store(true);
	world_run(3000);
	assert_int_equal(world_builder.started, 0);
	world_break_store(false);
	world_run(20000);
	assert_int_equal(world_builder.started, 1);
	world_break_store(true);
	builder_ends("passed", builder_archive("one"), NULL);
	world_break_store(false);
	world_run(20000);
	assert_true(world_builder.started >= 1);
	if (world_builder.running)
		builder_ends("passed", builder_archive("one"), NULL);
	world_run(20000);
	assert_true(build_row(1)->ended_unix_ms > 0);
	assert_true(deployments() <= 1);
}

/* --- cancelled */

static void what_waits_is_cancelled_at_once_and_what_runs_by_its_builder(void **state)
{
	(void)state;
	struct control_caller caller = {.who = "bob"};
	order_ref("refs/heads/main", "staging");
	order_ref("refs/heads/next", "staging");
	world_run(500);
	assert_int_equal(control_cancel_build(world.control, &caller, 2, &world.err), 0);
	assert_string_equal(build_row(2)->state, "cancelled");
	assert_int_equal(control_cancel_build(world.control, &caller, 1, &world.err), 0);
	assert_int_equal(world_builder.cancelled, 1);
	assert_string_equal(build_row(1)->state, "cancelling");
	builder_ends("cancelled", "", NULL);
	assert_string_equal(build_row(1)->state, "cancelled");
	assert_int_equal(control_cancel_build(world.control, &caller, 1, &world.err), ERR_CONFLICT);
	world_run(1000);
	assert_int_equal(world_builder.started, 1);
	uint32_t again = 0;
	assert_int_equal(control_rebuild(world.control, &caller, 1, false, &again, &world.err), 0);
	assert_int_equal(again, 3);
	assert_int_equal(control_rebuild(world.control, &caller, 3, false, &again, &world.err),
			 ERR_CONFLICT);
}

/* --- what they wrote */

static const char *kept_logs(void)
{
	static char text[256];
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t n = 1; n <= 32; n++)
		for (uint32_t i = 0; i < world_builder.log_count; i++)
			if (world_builder.logs[i] == n)
				used += (size_t)snprintf(text + used, sizeof text - used, "%u ", n);
	return text;
}

static void ends(const char *state)
{
	order_ref("refs/heads/main", NULL);
	world_run(1000);
	builder_ends(state, "", NULL);
}

static void logs_are_kept_within_the_bounds_of_the_servers_file(void **state)
{
	(void)state;
	world_builder.log_bytes = 1 << 20;
	for (int i = 0; i < 5; i++)
		ends(i == 1 ? "failed" : "passed");
	assert_string_equal(kept_logs(), "1 2 3 4 5 "); /* there is no such file */
	world_server("logs: { builds: 3, failed: 1d }\n");
	world_kill(); /* at the beginning, too */
	world_start();
	assert_string_equal(kept_logs(), "2 3 4 5 ");
	ends("passed");
	assert_string_equal(kept_logs(), "2 4 5 6 ");
	world_server("logs: { bytes: 2MiB }\n");
	ends("passed");
	assert_string_equal(kept_logs(), "6 7 ");
}

#define BUILDS_TEST(test) cmocka_unit_test_setup_teardown(test, builder_setup, builder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUILDS_TEST(one_is_built_at_a_time_in_the_order_in_which_they_came),
		BUILDS_TEST(the_same_order_has_one_place_while_it_waits_or_runs),
		BUILDS_TEST(who_looks_again_and_again_orders_once_until_the_ref_moves),
		BUILDS_TEST(what_cannot_be_an_order_is_refused),
		BUILDS_TEST(what_passes_becomes_a_release_and_goes_where_it_was_wanted),
		BUILDS_TEST(the_ref_decides_where_the_order_leaves_it),
		BUILDS_TEST(the_ref_decides_again_when_one_that_failed_is_built_again),
		BUILDS_TEST(an_environment_that_there_is_not_is_told_and_not_made),
		BUILDS_TEST(nothing_goes_out_of_what_failed_or_packed_nothing),
		BUILDS_TEST(a_builder_that_cannot_start_fails_the_build_and_the_next_one_follows),
		BUILDS_TEST(one_that_ran_is_built_again_and_goes_out_once),
		BUILDS_TEST(one_that_was_released_is_not_built_again_and_goes_out_once),
		BUILDS_TEST(while_the_store_cannot_commit_nothing_starts_and_nothing_is_lost),
		BUILDS_TEST(what_waits_is_cancelled_at_once_and_what_runs_by_its_builder),
		BUILDS_TEST(logs_are_kept_within_the_bounds_of_the_servers_file),
	};
	return cmocka_run_group_tests_name("control/builds", tests, NULL, NULL);
}
