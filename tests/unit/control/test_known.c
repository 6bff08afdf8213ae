/* SPDX-License-Identifier: Apache-2.0
 * What a builder is told of earlier scans: those of which release. */
#include <stdio.h>
#include <string.h>

#include "control/builds.h"
#include "store/builds.h"
#include "world.h"
#include "world_builds.h"

/* Both are production, and prod is first. */
static const char two[] =
	"app: shop\n"
	"service: { run: bin/server --port $PORT, health: { path: /up, "
	"interval: 1s, min_healthy: 500ms } }\n"
	"strategies: { quick: [switch] }\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, production: true }\n"
	"  asia: { listen: \"127.0.0.1:8081\", strategy: quick, production: true }\n"
	"  staging: { listen: \"127.0.0.1:8082\", strategy: quick }\n";

/* A build has started; its scan finds this. */
static void scans(const char *found)
{
	struct builds_stage stage = {.name = "scan",
				     .state = "passed",
				     .attempt = 1,
				     .scanned = true,
				     .fresh = 1,
				     .known = 2,
				     .fixed = 3,
				     .waived = 4,
				     .since = "something",
				     .found = found,
				     .found_size = strlen(found)};
	world_builder.builds.listener.stage(world_builder.builds.listener.context,
					    world_builder.running, 0, &stage);
}

/* A commit whose scan finds this goes to these environments, and is live there. */
static void goes_live(char digit, const char *environments, const char *found)
{
	uint32_t number = order_commit(digit, "refs/heads/main", environments);
	world_run(500);
	assert_int_equal(world_builder.running, number);
	scans(found);
	builder_ends("passed", builder_archive(found), NULL);
	world_run(60000);
	assert_string_equal(build_row(number)->state, "passed");
}

/* What the next build is told. */
static void next_is_told(char digit, const char *since, const char *known)
{
	order_commit(digit, "refs/heads/other", NULL);
	world_run(500);
	assert_string_equal(world_builder.since, since);
	assert_string_equal(world_builder.known, known);
	builder_ends("failed", "", NULL);
	world_run(500);
}

static int setup(void **state)
{
	int result = builder_setup(state);
	builder_file("davit.yaml", two);
	return result;
}

static void before_the_first_release_there_is_nothing(void **state)
{
	(void)state;
	next_is_told('1', "", "");
	assert_string_equal(world_builder.unknown, "no release is live in production yet");
	/* Nor does what is live elsewhere count. */
	goes_live('2', "staging", "of staging");
	next_is_told('3', "", "");
}

static void what_the_live_release_had_is_handed_over(void **state)
{
	(void)state;
	goes_live('1', "prod", "one");
	next_is_told('2', "v0.0.1 (prod)", "scan=one ");
	goes_live('3', "prod", "two");
	next_is_told('4', "v0.0.2 (prod)", "scan=two ");
	world_kill();
	world_start();
	next_is_told('5', "v0.0.2 (prod)", "scan=two ");
	/* After a rollback it is what production has again. */
	world_rollback("shop/prod", "");
	world_run(60000);
	next_is_told('6', "v0.0.1 (prod)", "scan=one ");
}

static void a_release_that_is_marked_bad_is_not_the_last_good_one(void **state)
{
	(void)state;
	struct control_caller caller = {.who = "ann"};
	goes_live('1', "prod", "one");
	goes_live('2', "prod", "two");
	assert_int_equal(control_mark_release(world.control, &caller, build_row(2)->release,
					      "shop/prod", true, "it leaks", &world.err),
			 0);
	next_is_told('3', "v0.0.1 (prod)", "scan=one ");
}

static void of_several_productions_the_one_that_moved_last_does_not_count(void **state)
{
	(void)state;
	goes_live('1', "prod asia", "one");
	goes_live('2', "asia", "two");
	next_is_told('3', "v0.0.1 (prod)", "scan=one ");
	goes_live('4', "prod", "three");
	next_is_told('5', "v0.0.2 (asia)", "scan=two ");
}

static void a_release_that_was_not_built_here_says_so(void **state)
{
	(void)state;
	char yaml[sizeof two];
	text_copy(yaml, sizeof yaml, two);
	const char *release = world_release("shop/prod", "v9", yaml);
	world_deploy("shop/prod", release);
	world_run(60000);
	next_is_told('1', "", "");
	assert_string_equal(world_builder.unknown,
			    "v9, the last good release of prod, was not built here");
}

#define KNOWN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, builder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KNOWN_TEST(before_the_first_release_there_is_nothing),
		KNOWN_TEST(what_the_live_release_had_is_handed_over),
		KNOWN_TEST(a_release_that_is_marked_bad_is_not_the_last_good_one),
		KNOWN_TEST(of_several_productions_the_one_that_moved_last_does_not_count),
		KNOWN_TEST(a_release_that_was_not_built_here_says_so),
	};
	return cmocka_run_group_tests_name("control/known", tests, NULL, NULL);
}
