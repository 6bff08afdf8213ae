/* SPDX-License-Identifier: Apache-2.0
 * Hours of a week, minute by minute against a plain statement of what is inside. */
#include <string.h>

#include "../cmocka_all.h"

#include "config/window.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY };

/* 1970-01-05 was a Monday. */
static const int64_t monday = 4 * DAY;

static void hours_are_inside_and_ends_are_outside(void **state)
{
	(void)state;
	struct window w;
	window_parse("mon-thu", "09:00-16:00", &w);
	for (int64_t t = 0; t < WEEK; t += MINUTE) {
		int64_t day = t / DAY, hour = t % DAY / HOUR;
		bool inside = day <= 3 && hour >= 9 && hour < 16;
		uint64_t wait = window_opens_in(&w, monday + t);
		assert_int_equal(wait == 0, inside);
		assert_int_equal(window_opens_in(&w, monday + t + (int64_t)wait), 0);
		if (wait > 0)
			assert_int_not_equal(window_opens_in(&w, monday + t + (int64_t)wait - 1),
					     0);
		assert_int_equal(window_opens_in(&w, monday + t + 2700 * (int64_t)WEEK), wait);
	}
}

static void an_end_before_the_begin_is_the_next_day(void **state)
{
	(void)state;
	struct window w;
	window_parse("sun", "22:00-04:00", &w);
	assert_int_equal(window_opens_in(&w, monday + 6 * DAY + 22 * HOUR), 0);
	assert_int_equal(window_opens_in(&w, monday + 7 * DAY + 4 * HOUR - 1), 0);
	assert_int_equal(window_opens_in(&w, monday + 7 * DAY + 4 * HOUR), 6 * DAY + 18 * HOUR);
	assert_int_not_equal(window_opens_in(&w, monday + 6 * DAY + 3 * HOUR), 0);
}

static void what_is_left_out_is_always_open(void **state)
{
	(void)state;
	struct window w;
	window_parse(NULL, NULL, &w);
	assert_int_equal(window_opens_in(&w, -12345), 0);
	window_parse("sat,sun", NULL, &w);
	assert_int_equal(window_opens_in(&w, monday), 5 * DAY);
	window_parse("fri-mon", "", &w);
	assert_int_equal(window_opens_in(&w, monday), 0);
	assert_int_equal(window_opens_in(&w, monday + DAY), 3 * DAY);
}

static void what_is_no_window_is_refused(void **state)
{
	(void)state;
	static const char *const days[] = {"", "monday", "mon-", "mon,", "-mon", "mon thu", "xxx"};
	static const char *const hours[] = {"",
					    "9-16",
					    "09:00",
					    "24:00-09:00",
					    "09:00-25:00",
					    "09:00-09:00",
					    "09:60-10:00",
					    "09:00-16:00 "};
	static const char *const zones[] = {"", "/etc/passwd", "../x", "a b", ".hidden", "A/../B"};
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
		assert_false(window_days_valid(days[i]));
	for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++)
		assert_false(window_hours_valid(hours[i]));
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		assert_false(window_zone_valid(zones[i]));
	assert_true(window_zone_valid("America/Port-au-Prince"));
	assert_true(window_hours_valid("00:00-24:00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_are_inside_and_ends_are_outside),
		cmocka_unit_test(an_end_before_the_begin_is_the_next_day),
		cmocka_unit_test(what_is_left_out_is_always_open),
		cmocka_unit_test(what_is_no_window_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
