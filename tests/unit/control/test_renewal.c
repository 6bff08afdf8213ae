/* SPDX-License-Identifier: Apache-2.0
 * When a certificate is ordered, and when people are warned. */
#include "../cmocka_all.h"

#include "control/renewal.h"

#define HOUR 3600000ull
#define DAY  (24 * HOUR)

static const uint64_t now = 1000 * DAY;

static struct renewal of_days(uint64_t age, uint64_t life)
{
	return (struct renewal){.held = true,
				.from_unix_ms = now - age * DAY,
				.until_unix_ms = now - age * DAY + life * DAY};
}

static bool due(struct renewal r)
{
	return renewal_due_unix_ms(&r) <= now;
}

static void the_first_one_is_ordered_at_once(void **state)
{
	(void)state;
	assert_int_equal(renewal_due_unix_ms(&(struct renewal){.chance = 999}), 0);
}

static void it_is_renewed_after_two_thirds_of_its_time(void **state)
{
	(void)state;
	assert_false(due(of_days(59, 90)));
	assert_true(due(of_days(60, 90)));
	assert_true(due(of_days(89, 90)));
	assert_true(due(of_days(91, 90)));
	assert_false(due(of_days(3, 6)));
	assert_true(due(of_days(4, 6)));
	struct renewal lost = of_days(1, 90);
	lost.held = false; /* its hosts are others now */
	assert_true(due(lost));
}

static void certificates_of_one_day_are_not_renewed_at_one_instant(void **state)
{
	(void)state;
	uint64_t least = UINT64_MAX, most = 0;
	for (uint32_t chance = 0; chance < 1000; chance++) {
		struct renewal r = of_days(0, 90);
		r.chance = chance * 4294967;
		uint64_t at = renewal_due_unix_ms(&r);
		least = at < least ? at : least;
		most = at > most ? at : most;
		assert_int_equal(at, renewal_due_unix_ms(&r));
	}
	assert_true(most <= now + 60 * DAY && least >= now + 57 * DAY);
	assert_true(most - least > 2 * DAY);
}

static void after_a_failure_it_waits_longer_each_time(void **state)
{
	(void)state;
	uint64_t before = 0;
	uint32_t within_an_hour = 1;
	for (uint32_t failures = 1; failures < 100; failures++) {
		struct renewal r = {.tried_unix_ms = now, .failures = failures};
		uint64_t pause = renewal_due_unix_ms(&r) - now;
		assert_true(pause >= before && pause <= RENEWAL_MOST_MS);
		before = pause;
	}
	assert_int_equal(before, RENEWAL_MOST_MS);
	for (uint64_t t = 0, failures = 1; t < HOUR; failures++) {
		struct renewal r = {.tried_unix_ms = now + t, .failures = (uint32_t)failures};
		t = renewal_due_unix_ms(&r) - now;
		within_an_hour += t < HOUR;
	}
	assert_true(within_an_hour < 5); /* Let's Encrypt: five failed validations for a host */
	struct renewal r = {.tried_unix_ms = now, .failures = 1, .chance = 999};
	assert_in_range(renewal_due_unix_ms(&r) - now, RENEWAL_FIRST_MS,
			RENEWAL_FIRST_MS * 11 / 10);
}

static void what_was_just_ordered_is_not_ordered_again(void **state)
{
	(void)state;
	struct renewal r = {.tried_unix_ms = now - 1}; /* and its file is gone already */
	assert_int_equal(renewal_due_unix_ms(&r), now - 1 + RENEWAL_LEAST_MS);
	r = of_days(0, 90);
	r.tried_unix_ms = now;
	assert_int_equal(renewal_due_unix_ms(&r), now + 60 * DAY);
}

static void a_failure_does_not_make_it_earlier(void **state)
{
	(void)state;
	struct renewal r = of_days(10, 90);
	r.tried_unix_ms = now - 5 * DAY;
	r.failures = 3;
	assert_false(due(r));
}

static void people_are_warned_in_time(void **state)
{
	(void)state;
	struct renewal r = of_days(70, 90);
	assert_int_equal(renewal_age(&r, true, now), RENEWAL_FRESH);
	assert_int_equal(renewal_age(&r, false, now), RENEWAL_FRESH);
	r = of_days(77, 90);
	assert_int_equal(renewal_age(&r, true, now), RENEWAL_SOON);
	assert_int_equal(renewal_age(&r, false, now), RENEWAL_SOON);
	r = of_days(350, 365);
	assert_int_equal(renewal_age(&r, false, now), RENEWAL_FRESH);
	r = of_days(352, 365);
	assert_int_equal(renewal_age(&r, false, now), RENEWAL_SOON);
	r = of_days(6, 7);
	assert_int_equal(renewal_age(&r, false, now), RENEWAL_FRESH);
	r = of_days(7, 7);
	assert_int_equal(renewal_age(&r, false, now), RENEWAL_EXPIRED);
	r = (struct renewal){0};
	assert_int_equal(renewal_age(&r, true, now), RENEWAL_EXPIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_one_is_ordered_at_once),
		cmocka_unit_test(it_is_renewed_after_two_thirds_of_its_time),
		cmocka_unit_test(certificates_of_one_day_are_not_renewed_at_one_instant),
		cmocka_unit_test(after_a_failure_it_waits_longer_each_time),
		cmocka_unit_test(what_was_just_ordered_is_not_ordered_again),
		cmocka_unit_test(a_failure_does_not_make_it_earlier),
		cmocka_unit_test(people_are_warned_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
