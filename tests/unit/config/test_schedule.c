/* SPDX-License-Identifier: Apache-2.0
 * Times of a week, against zones whose clocks are changed: each runs once a day, whatever the clocks show. */
#include <stdio.h>
#include <string.h>

#include "../cmocka_all.h"

#include "config/schedule.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY };

static const int64_t year_2026 = 1767225600, spring = 1774746000, autumn = 1792890000;
/* In Samoa the 30th of December 2011 was left out. */
static const int64_t samoa = 1325239200;

static int offset_of(const char *zone, int64_t unix_s, int32_t *ret_offset_s, struct error *err)
{
	*ret_offset_s = 0;
	if (strcmp(zone, "UTC") == 0)
		return 0;
	if (strcmp(zone, "Berlin") == 0)
		*ret_offset_s = unix_s >= spring && unix_s < autumn ? 2 * HOUR : HOUR;
	else if (strcmp(zone, "Apia") == 0)
		*ret_offset_s = unix_s < samoa ? -10 * HOUR : 14 * HOUR;
	else
		return error_set(err, ERR_NOT_FOUND, "There is no zone %s.", zone);
	return 0;
}

static int64_t next_of(const char *text, const char *zone, int64_t after_s)
{
	struct schedule schedule;
	struct error err;
	int64_t next;
	assert_true(schedule_parse(text, &schedule));
	assert_int_equal(schedule_next(&schedule, zone, offset_of, after_s, &next, &err), 0);
	assert_true(next > after_s);
	return next;
}

static int64_t local_of(const char *zone, int64_t unix_s)
{
	int32_t offset;
	struct error err;
	assert_int_equal(offset_of(zone, unix_s, &offset, &err), 0);
	return unix_s + offset;
}

static void the_next_one_is_that_of_a_plain_walk_through_the_minutes(void **state)
{
	(void)state;
	/* 2026 began on a Thursday. */
	for (int64_t t = 0, wanted; t < 2 * WEEK; t += 7 * MINUTE) {
		for (wanted = t / MINUTE * MINUTE + MINUTE;; wanted += MINUTE) {
			int64_t weekday = (wanted / DAY + 3) % 7, time = wanted % DAY;
			if ((weekday <= 2 && time == 2 * HOUR + 30 * MINUTE) ||
			    (weekday == 5 && time == 23 * HOUR + 59 * MINUTE) ||
			    (weekday == 6 && time == 0))
				break;
		}
		assert_int_equal(
			next_of("mon-wed 02:30; sat 23:59; sun 00:00", "UTC", year_2026 + t),
			year_2026 + wanted);
	}
}

static void each_day_of_a_year_has_its_time_once(void **state)
{
	(void)state;
	static const char *const times[] = {"00:00", "01:59", "02:00", "02:30",
					    "02:59", "03:00", "23:59"};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		int64_t at = year_2026 - HOUR - 1, day = local_of("Berlin", at + 1) / DAY - 1;
		for (int d = 0; d < 365; d++) {
			at = next_of(times[i], "Berlin", at);
			assert_int_equal(local_of("Berlin", at) / DAY, ++day);
		}
	}
}

static void a_time_that_the_clocks_skip_comes_as_much_later(void **state)
{
	(void)state;
	/* At 02:00 they show 03:00. */
	assert_int_equal(next_of("02:30", "Berlin", spring - HOUR), spring + 30 * MINUTE);
	assert_int_equal(next_of("01:59", "Berlin", spring - HOUR), spring - MINUTE);
	assert_int_equal(next_of("03:00", "Berlin", spring - HOUR), spring);
	assert_int_equal(next_of("02:30; 03:30", "Berlin", spring), spring + 30 * MINUTE);
	/* Both are the same instant, and that is one time. */
	assert_int_equal(next_of("02:30; 03:30", "Berlin", spring + 30 * MINUTE),
			 spring + DAY - 30 * MINUTE);
}

static void a_time_that_the_clocks_show_twice_counts_the_first_time(void **state)
{
	(void)state;
	/* At 03:00 they show 02:00. */
	assert_int_equal(next_of("02:30", "Berlin", autumn - HOUR), autumn - 30 * MINUTE);
	assert_int_equal(next_of("02:30", "Berlin", autumn - 30 * MINUTE),
			 autumn + DAY + 30 * MINUTE);
	assert_int_equal(next_of("02:30", "Berlin", autumn + 10 * MINUTE),
			 autumn + DAY + 30 * MINUTE);
	assert_int_equal(next_of("03:00", "Berlin", autumn - 30 * MINUTE), autumn + HOUR);
	assert_int_equal(next_of("02:00", "Berlin", autumn - 2 * HOUR), autumn - HOUR);
}

static void a_day_that_is_left_out_is_made_up_for(void **state)
{
	(void)state;
	/* The 29th ended where the 31st began. */
	int64_t at = next_of("12:00", "Apia", samoa - DAY);
	assert_int_equal(at, samoa - 12 * HOUR);
	at = next_of("12:00", "Apia", at);
	assert_int_equal(at, samoa + 12 * HOUR);
	assert_int_equal(next_of("12:00", "Apia", at), samoa + 36 * HOUR);
	/* It was a Friday. */
	assert_int_equal(next_of("fri 12:00", "Apia", samoa), samoa + 12 * HOUR);
}

static void a_month_or_a_leap_year_is_no_border(void **state)
{
	(void)state;
	const int64_t leap_day = 1709164800; /* 2024-02-29, a Thursday */
	assert_int_equal(next_of("00:00", "UTC", leap_day - 1), leap_day);
	assert_int_equal(next_of("00:00", "UTC", leap_day), leap_day + DAY);
	assert_int_equal(next_of("thu 00:00", "UTC", leap_day), leap_day + WEEK);
	assert_int_equal(next_of("fri-mon 06:00", "UTC", leap_day), leap_day + 30 * HOUR);
	assert_int_equal(next_of("00:00", "UTC", -1), 0);
	assert_int_equal(next_of("00:00", "UTC", -DAY - 1), -DAY);
	assert_int_equal(next_of("wed 12:00", "UTC", -3 * DAY), -DAY + 12 * HOUR);
}

static void a_zone_that_is_not_known_is_told(void **state)
{
	(void)state;
	struct schedule schedule;
	struct error err;
	int64_t next;
	assert_true(schedule_parse("02:30", &schedule));
	assert_int_equal(schedule_next(&schedule, "Mars", offset_of, 0, &next, &err),
			 ERR_NOT_FOUND);
}

static void what_is_no_time_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
					  "2:30",
					  "24:00",
					  "02:60",
					  "02:30 ",
					  " 02:30",
					  "mon",
					  "mon ",
					  "mon  02:30",
					  "monday 02:30",
					  "02:30 mon",
					  "mon- 02:30",
					  "02:30-03:00",
					  "* * * * *",
					  "30 2 * * 1-5",
					  "mon,tue,wed,thu,fri,sat,sun,mon,tue,wed 02:30"};
	struct schedule schedule;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(schedule_time_valid(bad[i]));
		assert_false(schedule_parse(bad[i], &schedule));
	}
	assert_true(schedule_time_valid("00:00"));
	assert_true(schedule_time_valid("mon,tue,wed,thu,fri,sat,sun 23:59"));
	assert_false(schedule_parse("02:30;03:30", &schedule));
	assert_false(schedule_parse("02:30; ", &schedule));
}

static void as_many_times_as_are_allowed_make_a_text_and_come_back(void **state)
{
	(void)state;
	char text[SCHEDULE_TEXT_SIZE], more[SCHEDULE_TEXT_SIZE + 8];
	struct schedule schedule;
	struct app_texts times = {.count = SCHEDULE_TIMES_MAX};
	for (int i = 0; i < SCHEDULE_TIMES_MAX; i++)
		times.items[i] = "mon-fri,sat,sun,mon,tue-thu,wed 02:30";
	assert_true(schedule_parse(schedule_text(&times, text), &schedule));
	assert_int_equal(schedule.count, SCHEDULE_TIMES_MAX);
	assert_int_equal(schedule.times[SCHEDULE_TIMES_MAX - 1].minute, 150);
	snprintf(more, sizeof more, "%s; 02:30", "02:30");
	for (int i = 2; i < SCHEDULE_TIMES_MAX; i++)
		strcat(more, "; 02:30");
	assert_true(schedule_parse(more, &schedule));
	strcat(more, "; 02:30");
	assert_false(schedule_parse(more, &schedule));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_one_is_that_of_a_plain_walk_through_the_minutes),
		cmocka_unit_test(each_day_of_a_year_has_its_time_once),
		cmocka_unit_test(a_time_that_the_clocks_skip_comes_as_much_later),
		cmocka_unit_test(a_time_that_the_clocks_show_twice_counts_the_first_time),
		cmocka_unit_test(a_day_that_is_left_out_is_made_up_for),
		cmocka_unit_test(a_month_or_a_leap_year_is_no_border),
		cmocka_unit_test(a_zone_that_is_not_known_is_told),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(as_many_times_as_are_allowed_make_a_text_and_come_back),
	};
	return cmocka_run_group_tests_name("config/schedule", tests, NULL, NULL);
}
