/* SPDX-License-Identifier: Apache-2.0
 * Tests of traffic/repeat.c. */
#include "../cmocka_all.h"

#include "traffic/repeat.h"

enum { NEW = 3, LIVE = 7, OTHER = 9 };

static void the_same_request_within_a_second_is_a_repetition(void **state)
{
	(void)state;
	struct repeat r = {0};
	assert_false(repeat_failed(&r, NEW, 11, 5000));
	assert_true(repeat_failed(&r, NEW, 11, 5000));
	assert_true(repeat_failed(&r, NEW, 11, 5999));
}

static void a_repetition_does_not_renew_the_second(void **state)
{
	(void)state;
	struct repeat r = {0};
	uint32_t news = 0;
	for (uint64_t ms = 5000; ms < 15000; ms += 100)
		news += !repeat_failed(&r, NEW, 11, ms);
	assert_int_equal(news, 10); /* one a second, however often it fails */
}

static void another_request_is_news(void **state)
{
	(void)state;
	struct repeat r = {0};
	assert_false(repeat_failed(&r, NEW, 11, 5000));
	assert_false(repeat_failed(&r, NEW, 12, 5001));
	assert_true(repeat_failed(&r, NEW, 12, 5002));
	assert_false(repeat_failed(&r, NEW, 11, 5003)); /* only the last one is known */
}

static void releases_are_told_apart_and_two_are_remembered(void **state)
{
	(void)state;
	struct repeat r = {0};
	assert_false(repeat_failed(&r, NEW, 11, 5000));
	assert_false(repeat_failed(&r, LIVE, 11, 5001));
	assert_true(repeat_failed(&r, NEW, 11, 5002));
	assert_true(repeat_failed(&r, LIVE, 11, 5003));
	assert_false(repeat_failed(&r, OTHER, 11, 5004)); /* takes the place of NEW, the oldest */
	assert_true(repeat_failed(&r, LIVE, 11, 5005));
	assert_false(repeat_failed(&r, NEW, 11, 5006));
}

static void what_was_answered_in_between_is_news(void **state)
{
	(void)state;
	struct repeat r = {0};
	assert_false(repeat_failed(&r, NEW, 11, 5000));
	repeat_answered(&r, LIVE, 11);
	repeat_answered(&r, NEW, 12);
	assert_true(repeat_failed(&r, NEW, 11, 5001));
	repeat_answered(&r, NEW, 11);
	assert_false(repeat_failed(&r, NEW, 11, 5002));
	assert_true(repeat_failed(&r, NEW, 11, 5003));
}

static void nothing_is_remembered_at_first(void **state)
{
	(void)state;
	struct repeat r = {0};
	assert_false(repeat_failed(&r, 0, 0, 1)); /* as an entry of all zero bytes */
	assert_true(repeat_failed(&r, 0, 0, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_request_within_a_second_is_a_repetition),
		cmocka_unit_test(a_repetition_does_not_renew_the_second),
		cmocka_unit_test(another_request_is_news),
		cmocka_unit_test(releases_are_told_apart_and_two_are_remembered),
		cmocka_unit_test(what_was_answered_in_between_is_news),
		cmocka_unit_test(nothing_is_remembered_at_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
