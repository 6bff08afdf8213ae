/* SPDX-License-Identifier: Apache-2.0
 * Which logs of builds go: by number, by size, and what is spared. */
#include <stdio.h>
#include <string.h>

#include "../cmocka_all.h"

#include "control/kept_logs.h"

enum { COUNT_MAX = 16 };

static const uint64_t NOW = 1000000, DAY_AGO = 900000;

/* Builds by number: those named here; every other one passed long ago. */
static struct {
	uint32_t failed[COUNT_MAX], running, asked;
	uint64_t failed_at;
} world;

static struct kept_log_build about(void *context, uint32_t number)
{
	struct kept_log_build build = {.ended = number != world.running, .ended_unix_ms = 1};
	(void)context;
	world.asked++;
	for (size_t i = 0; i < COUNT_MAX; i++)
		if (world.failed[i] == number)
			build = (struct kept_log_build){
				.ended = true, .failed = true, .ended_unix_ms = world.failed_at};
	return build;
}

/* The numbers that go, of builds 1 to `count` of so many bytes each, as they come from a directory. */
static const char *going(uint32_t count, uint64_t bytes, const struct server_logs *bounds)
{
	static char text[128];
	struct kept_log logs[COUNT_MAX];
	for (uint32_t i = 0; i < count; i++)
		logs[i] = (struct kept_log){.number = count - i, .bytes = bytes};
	size_t goes = kept_logs_choose(logs, count, bounds, NOW, about, NULL), used = 0, said = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < count; i++)
		if (logs[i].goes) {
			used += (size_t)snprintf(text + used, sizeof text - used, "%u ",
						 logs[i].number);
			said++;
		}
	assert_int_equal(said, goes);
	return text;
}

static int setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	world.failed_at = DAY_AGO;
	return 0;
}

static void the_newest_stay_and_nobody_is_asked_about_them(void **state)
{
	(void)state;
	const struct server_logs bounds = {.builds = 3, .bytes = 1000};
	assert_string_equal(going(3, 10, &bounds), "");
	assert_int_equal(world.asked, 0);
	assert_string_equal(going(5, 10, &bounds), "1 2 ");
	assert_int_equal(world.asked, 2);
	assert_string_equal(going(0, 10, &bounds), "");
}

static void above_the_bytes_the_oldest_go_until_it_fits(void **state)
{
	(void)state;
	const struct server_logs bounds = {.builds = 10, .bytes = 35};
	assert_string_equal(going(3, 10, &bounds), "");
	assert_string_equal(going(5, 10, &bounds), "1 2 ");
	assert_string_equal(going(4, 9, &bounds), "1 ");
}

static void one_that_alone_is_too_large_stays_while_it_is_the_newest(void **state)
{
	(void)state;
	const struct server_logs bounds = {.builds = 10, .bytes = 35};
	assert_string_equal(going(1, 50, &bounds), "");
	assert_string_equal(going(3, 50, &bounds), "1 2 ");
}

static void what_has_not_ended_stays(void **state)
{
	(void)state;
	const struct server_logs bounds = {.builds = 1, .bytes = 15};
	world.running = 2;
	assert_string_equal(going(4, 10, &bounds), "1 3 ");
}

static void one_that_failed_stays_for_its_time_but_not_above_the_bytes(void **state)
{
	(void)state;
	struct server_logs bounds = {.builds = 2, .bytes = 1000, .failed_ms = NOW - DAY_AGO + 1};
	world.failed[0] = 2;
	assert_string_equal(going(5, 10, &bounds), "1 3 ");
	bounds.failed_ms = NOW - DAY_AGO;
	assert_string_equal(going(5, 10, &bounds), "1 2 3 ");
	bounds.failed_ms = NOW;
	bounds.bytes = 35;
	assert_string_equal(going(5, 10, &bounds), "1 2 3 ");
	bounds.bytes = 40;
	assert_string_equal(going(5, 10, &bounds), "1 3 ");
}

#define KEPT_TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEPT_TEST(the_newest_stay_and_nobody_is_asked_about_them),
		KEPT_TEST(above_the_bytes_the_oldest_go_until_it_fits),
		KEPT_TEST(one_that_alone_is_too_large_stays_while_it_is_the_newest),
		KEPT_TEST(what_has_not_ended_stays),
		KEPT_TEST(one_that_failed_stays_for_its_time_but_not_above_the_bytes),
	};
	return cmocka_run_group_tests_name("control/kept_logs", tests, NULL, NULL);
}
