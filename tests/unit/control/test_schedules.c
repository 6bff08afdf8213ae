/* SPDX-License-Identifier: Apache-2.0
 * Environments that are deployed to at times: what is ordered when, what a crash leaves, and what is forgotten. */
#include <stdio.h>
#include <string.h>

#include "control/schedules.h"
#include "world.h"
#include "world_builds.h"

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

static const char repository[] = "/srv/shop.git";
static const char main_only[] = "abc refs/heads/main\n";

static uint64_t now(void)
{
	return env_wall_ms(&world.env);
}

/* Time goes by without a server. */
static void away(uint64_t ms)
{
	world_kill();
	world.now_ms += ms;
	world_start();
}

/* "HH:MM" of a time that is so many minutes ahead. */
static const char *in_minutes(uint64_t minutes)
{
	static char to[8];
	uint64_t minute = (now() / MINUTE_MS + minutes) % (24 * 60);
	snprintf(to, sizeof to, "%02u:%02u", (unsigned)(minute / 60), (unsigned)(minute % 60));
	return to;
}

static struct store_schedule wish(char digit, const char *environment, const char *times,
				  const char *zone)
{
	struct store_schedule row = {.app = ""};
	text_copy(row.ref, sizeof row.ref, "refs/heads/main");
	text_copy(row.environment, sizeof row.environment, environment);
	text_copy(row.times, sizeof row.times, times);
	text_copy(row.zone, sizeof row.zone, zone);
	text_copy(row.tip, sizeof row.tip, "0123456789012345678901234567890123456789");
	row.tip[0] = digit;
	return row;
}

static void take(const char *refs, const char *read, uint32_t count,
		 const struct store_schedule *rows)
{
	const struct schedules_found found = {.app = "shop",
					      .repository = repository,
					      .refs = refs,
					      .read = read,
					      .count = count,
					      .rows = rows};
	assert_int_equal(schedules_take(world.control, &found, &world.err), 0);
}

/* The tip of main moves, and its file says these times for one environment. */
static void moves(char digit, const char *environment, const char *times)
{
	struct store_schedule row = wish(digit, environment, times, "UTC");
	take(main_only, " refs/heads/main\n", 1, &row);
}

/* A look that begins and ends now. */
static void look(void)
{
	assert_int_equal(schedules_run(world.control, "shop", repository, now(), &world.err), 0);
}

static int take_first(void *context, const struct store_schedule *row)
{
	*(struct store_schedule *)context = *row;
	return 1;
}

static int count_one(void *context, const struct store_schedule *row)
{
	(void)row;
	++*(uint32_t *)context;
	return 0;
}

static const struct store_schedule *first(void)
{
	static struct store_schedule row;
	assert_int_equal(store_schedules(world.store, take_first, &row, &world.err), 1);
	return &row;
}

static uint32_t rows(void)
{
	uint32_t count = 0;
	assert_int_equal(store_schedules(world.store, count_one, &count, &world.err), 0);
	return count;
}

static int count_build(void *context, const struct store_build *b)
{
	(void)b;
	++*(uint32_t *)context;
	return 0;
}

static uint32_t builds(void)
{
	uint32_t count = 0;
	assert_int_equal(store_builds(world.store, NULL, 100, count_build, &count, &world.err), 0);
	return count;
}

static void the_tip_goes_out_at_its_time_to_the_environment_that_is_named(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	uint64_t due = first()->due_unix_ms;
	assert_true(due > now() && due <= now() + 5 * MINUTE_MS);
	look();
	assert_int_equal(builds(), 0);
	moves('2', "staging", first()->times);
	assert_int_equal(first()->due_unix_ms, due);
	away(due - now());
	look();
	assert_int_equal(builds(), 1);
	assert_string_equal(build_row(1)->wanted, "staging");
	assert_string_equal(build_row(1)->ref, "refs/heads/main");
	assert_string_equal(build_row(1)->by, "schedule:shop");
	assert_int_equal(build_row(1)->commit[0], '2');
	assert_int_equal(first()->build, 1);
	assert_int_equal(first()->due_unix_ms, due + DAY_MS);
	look();
	assert_int_equal(builds(), 1);
}

static void a_look_that_began_before_the_time_does_not_serve_it(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	away(5 * MINUTE_MS);
	assert_int_equal(schedules_run(world.control, "shop", repository, first()->due_unix_ms - 1,
				       &world.err),
			 0);
	assert_int_equal(builds(), 0);
	look();
	assert_int_equal(builds(), 1);
}

static void what_went_out_the_last_time_is_not_built_again(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	away(5 * MINUTE_MS);
	look();
	world_run(500);
	builder_ends("failed", "", NULL);
	away(DAY_MS);
	look();
	assert_int_equal(builds(), 1);
	assert_int_equal(first()->build, 1);
	assert_true(first()->due_unix_ms > now());
	moves('2', "staging", first()->times);
	away(DAY_MS);
	look();
	assert_int_equal(builds(), 2);
	assert_int_equal(build_row(2)->commit[0], '2');
}

static void days_without_a_server_are_made_up_for_once(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	away(9 * (uint64_t)DAY_MS);
	assert_true(first()->due_unix_ms < now());
	look();
	look();
	assert_int_equal(builds(), 1);
	assert_true(first()->due_unix_ms > now());
	assert_true(first()->due_unix_ms <= now() + DAY_MS);
}

static void a_crash_after_the_order_orders_nothing_twice(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	away(6 * MINUTE_MS);
	struct store_schedule before = *first();
	look();
	/* What is written after the order is lost; the build may even be over. */
	store_begin(world.store);
	store_put_schedule(world.store, &before);
	assert_int_equal(store_commit(world.store, &world.err), 0);
	world_run(500);
	builder_ends("failed", "", NULL);
	away(MINUTE_MS);
	look();
	assert_int_equal(builds(), 1);
	assert_int_equal(first()->build, 1);
	assert_true(first()->due_unix_ms > now());
}

static void other_times_count_from_now_on(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	away(6 * MINUTE_MS);
	moves('2', "staging", in_minutes(10));
	assert_true(first()->due_unix_ms > now());
	look();
	assert_int_equal(builds(), 0);
	away(10 * MINUTE_MS);
	look();
	assert_int_equal(builds(), 1);
}

static void what_is_not_said_any_longer_is_forgotten(void **state)
{
	(void)state;
	struct store_schedule both[] = {wish('1', "staging", "02:30", "UTC"),
					wish('1', "prod", "03:30", "UTC")};
	take(main_only, " refs/heads/main\n", 2, both);
	assert_int_equal(rows(), 2);
	/* Nothing was read: another branch has moved, or this one's file is wrong. */
	take("abc refs/heads/main\ndef refs/heads/other\n", " refs/heads/other\n", 0, NULL);
	assert_int_equal(rows(), 2);
	take(NULL, "", 0, NULL);
	assert_int_equal(rows(), 2);
	take(main_only, " refs/heads/main\n", 1, both);
	assert_int_equal(rows(), 1);
	assert_string_equal(first()->environment, "staging");
	/* The branch is gone, and one that is called nearly so is not it. */
	take("abc refs/heads/mainly\n", "", 0, NULL);
	assert_int_equal(rows(), 0);
	take(main_only, " refs/heads/main\n", 2, both);
	take(main_only, " refs/heads/main\n", 0, NULL);
	assert_int_equal(rows(), 0);
}

static void what_another_repository_says_is_its_own(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	const struct schedules_found other = {
		.app = "shop", .repository = "/srv/other.git", .refs = "", .read = ""};
	assert_int_equal(schedules_take(world.control, &other, &world.err), 0);
	assert_int_equal(rows(), 1);
	away(6 * MINUTE_MS);
	assert_int_equal(schedules_run(world.control, "shop", "/srv/other.git", now(), &world.err),
			 0);
	assert_int_equal(builds(), 0);
}

static void a_zone_that_is_not_known_is_told_until_it_is(void **state)
{
	(void)state;
	struct store_schedule row = wish('1', "staging", "02:30", "Mars/Olympus");
	take(main_only, " refs/heads/main\n", 1, &row);
	assert_int_equal(first()->due_unix_ms, 0);
	assert_string_equal(first()->why, "There is no time zone \"Mars/Olympus\".");
	away(DAY_MS);
	look();
	assert_int_equal(builds(), 0);
	row = wish('1', "staging", "02:30", "Europe/Berlin");
	take(main_only, " refs/heads/main\n", 1, &row);
	assert_true(first()->due_unix_ms > now());
	assert_int_equal(first()->due_unix_ms % DAY_MS, 90 * MINUTE_MS);
	assert_string_equal(first()->why, "");
}

/* Without a descriptor left, say, no zone is found for a moment. */
static void a_zone_that_could_not_be_read_once_is_read_at_the_next_look(void **state)
{
	(void)state;
	struct store_schedule row = wish('1', "staging", "02:30", "UTC");
	take(main_only, " refs/heads/main\n", 1, &row);
	row = *first();
	row.due_unix_ms = 0;
	text_copy(row.why, sizeof row.why, "There is no time zone.");
	store_begin(world.store);
	store_put_schedule(world.store, &row);
	assert_int_equal(store_commit(world.store, &world.err), 0);
	look();
	assert_true(first()->due_unix_ms > now());
	assert_string_equal(first()->why, "");
	assert_int_equal(builds(), 0);
}

static void a_clock_that_was_wrong_delays_nothing_for_years(void **state)
{
	(void)state;
	moves('1', "staging", in_minutes(5));
	struct store_schedule row = *first();
	uint64_t due = row.due_unix_ms;
	row.due_unix_ms += 4000 * (uint64_t)DAY_MS;
	store_begin(world.store);
	store_put_schedule(world.store, &row);
	assert_int_equal(store_commit(world.store, &world.err), 0);
	away(0);
	assert_int_equal(first()->due_unix_ms, due);
}

static void where_only_signed_tags_come_no_time_does(void **state)
{
	(void)state;
	world_server("allowed_signers: /etc/davit/allowed_signers\n"
		     "protect: { shop/staging: { signed_tags: true } }\n");
	moves('1', "staging", in_minutes(5));
	away(6 * MINUTE_MS);
	look();
	assert_int_equal(builds(), 0);
	assert_non_null(strstr(first()->why, "Only a signed tag brings a release to staging"));
	assert_true(first()->due_unix_ms > now());
}

static void what_is_decided_of_a_row(void **state)
{
	(void)state;
	struct store_schedule row = wish('1', "prod", "02:30", "UTC");
	row.due_unix_ms = 100;
	assert_int_equal(schedules_decide(&row, 99, ""), SCHEDULES_WAIT);
	assert_int_equal(schedules_decide(&row, 100, ""), SCHEDULES_GO);
	assert_int_equal(schedules_decide(&row, 100, "staging product"), SCHEDULES_GO);
	assert_int_equal(schedules_decide(&row, 100, "staging prod"), SCHEDULES_DENIED);
	assert_int_equal(schedules_decide(&row, 99, "prod"), SCHEDULES_WAIT);
	text_copy(row.last, sizeof row.last, row.tip);
	assert_int_equal(schedules_decide(&row, 100, ""), SCHEDULES_KNOWN);
	row.due_unix_ms = 0;
	assert_int_equal(schedules_decide(&row, 100, ""), SCHEDULES_WAIT);
}

#define SCHEDULES_TEST(test) cmocka_unit_test_setup_teardown(test, builder_setup, builder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHEDULES_TEST(the_tip_goes_out_at_its_time_to_the_environment_that_is_named),
		SCHEDULES_TEST(a_look_that_began_before_the_time_does_not_serve_it),
		SCHEDULES_TEST(what_went_out_the_last_time_is_not_built_again),
		SCHEDULES_TEST(days_without_a_server_are_made_up_for_once),
		SCHEDULES_TEST(a_crash_after_the_order_orders_nothing_twice),
		SCHEDULES_TEST(other_times_count_from_now_on),
		SCHEDULES_TEST(what_is_not_said_any_longer_is_forgotten),
		SCHEDULES_TEST(what_another_repository_says_is_its_own),
		SCHEDULES_TEST(a_zone_that_is_not_known_is_told_until_it_is),
		SCHEDULES_TEST(a_zone_that_could_not_be_read_once_is_read_at_the_next_look),
		SCHEDULES_TEST(a_clock_that_was_wrong_delays_nothing_for_years),
		SCHEDULES_TEST(where_only_signed_tags_come_no_time_does),
		cmocka_unit_test(what_is_decided_of_a_row),
	};
	return cmocka_run_group_tests_name("control/schedules", tests, NULL, NULL);
}
