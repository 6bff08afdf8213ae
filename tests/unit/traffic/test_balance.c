/* SPDX-License-Identifier: Apache-2.0
 * test_balance - the choice among backends, together with the ejection it honours. */
#include "../cmocka_all.h"

#include "traffic/balance.h"

/* Knuth's linear generator, upper halves */
static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	uint64_t high = *state >> 32;
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return high << 32 | *state >> 32;
}

static const struct health sick = {.ejected_until_ms = 1000, .ejections = 1};

static void nobody_ready_nobody_chosen(void **state)
{
	(void)state;
	struct balance_backend b[3] = {0};
	assert_int_equal(balance_choose(b, 0, BALANCE_NONE, 1, 0), ERR_UNAVAILABLE);
	assert_int_equal(balance_choose(b, 3, BALANCE_NONE, 1, 0), ERR_UNAVAILABLE);
}

static void any_ready_one_is_found_wherever_it_lies(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (size_t count = 1; count <= 9; count++)
		for (size_t ready = 0; ready < count; ready++) {
			struct balance_backend b[9] = {0};
			b[ready].ready = true;
			b[ready].in_flight = 1000;
			if (ready %
			    2) /* doubtful, or the one that just failed: still the only one */
				b[ready].health = sick;
			for (int i = 0; i < 50; i++)
				assert_int_equal(balance_choose(b, count,
								i % 3 ? BALANCE_NONE : (int)ready,
								next_random(&seed), 0),
						 ready);
		}
}

static void full_ones_are_passed_over_and_waited_for(void **state)
{
	(void)state;
	struct balance_backend b[4] = {
		{.ready = true, .full = true},
		{.ready = true, .in_flight = 50},
		{.ready = true, .health = sick},
		{.ready = false},
	};
	uint64_t seed = 5;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(balance_choose(b, 4, BALANCE_NONE, next_random(&seed), 0), 1);
	assert_int_equal(balance_choose(b, 4, 1, 1, 0), ERR_LIMIT); /* not the one that failed */
	b[1].full = true;
	assert_int_equal(balance_choose(b, 4, BALANCE_NONE, 1, 0),
			 ERR_LIMIT); /* nor the doubtful */
	assert_int_equal(balance_choose(b, 4, BALANCE_NONE, 1, 1000),
			 2); /* until it is good again */
	b[0].ready = b[1].ready = false;
	assert_int_equal(balance_choose(b, 4, BALANCE_NONE, 1, 0), 2);
	assert_int_equal(balance_ready(b, 2, false, 0), 0);
	b[0].ready = true;
	assert_int_equal(balance_ready(b, 2, false, 0), 1); /* full is ready all the same */
}

static void unready_and_ejected_ones_get_nothing_while_others_can_serve(void **state)
{
	(void)state;
	struct balance_backend b[5] = {
		{.ready = true, .in_flight = 50}, {.ready = false}, {.ready = true, .health = sick},
		{.ready = true, .in_flight = 50}, {.ready = true},
	};
	uint64_t seed = 2;
	for (int i = 0; i < 10000; i++) {
		int chosen = balance_choose(b, 5, 4, next_random(&seed), 999);
		assert_true(chosen == 0 || chosen == 3);
	}
	int late = 0; /* after its time the ejected one is back */
	for (int i = 0; i < 1000; i++)
		late += balance_choose(b, 5, 4, next_random(&seed), 1000) == 2;
	assert_true(late > 0);
}

static void equal_backends_are_chosen_equally(void **state)
{
	(void)state;
	struct balance_backend b[7] = {0};
	uint32_t seen[7] = {0};
	uint64_t seed = 3;
	for (size_t i = 0; i < 7; i++)
		b[i].ready = i != 2; /* through the slow path as well */
	for (int i = 0; i < 600000; i++)
		seen[balance_choose(b, 7, BALANCE_NONE, next_random(&seed), 0)]++;
	assert_int_equal(seen[2], 0);
	for (size_t i = 0; i < 7; i++)
		if (i != 2)
			assert_in_range(seen[i], 98500, 101500);
}

static double share_of_the_last(struct balance_backend *b, size_t count, uint64_t now_ms)
{
	uint64_t seed = 7;
	int last = 0;
	for (int i = 0; i < 100000; i++)
		last += balance_choose(b, count, BALANCE_NONE, next_random(&seed), now_ms) ==
			(int)count - 1;
	return last / 100000.0;
}

static void one_that_joins_comes_to_its_share_slowly(void **state)
{
	(void)state;
	struct balance_backend b[4] = {{.ready = true}, {.ready = true}, {.ready = true}, {0}};
	for (int i = 0; i < 4; i++)
		b[i] = (struct balance_backend){.ready = true, .warms_ms = 10000};
	b[3].joined_ms = 50000;
	double first = share_of_the_last(b, 4, 50000), half = share_of_the_last(b, 4, 55000);
	assert_true(first > 0.02 && first < 0.03); /* a tenth of a quarter */
	assert_true(half > 0.12 && half < 0.15);   /* 55 % of it */
	double warm = share_of_the_last(b, 4, 60000);
	assert_true(warm > 0.245 && warm < 0.255);
	b[0].health = b[1].health = sick; /* through the slow path as well */
	for (int i = 0; i < 2; i++)
		b[i].health.ejected_until_ms = 60000;
	first = share_of_the_last(b, 4, 50000);
	assert_true(first > 0.045 && first < 0.055);
	for (int i = 0; i < 3; i++) /* all of them begin */
		b[i] = b[3];
	first = share_of_the_last(b, 4, 50000);
	assert_true(first > 0.245 && first < 0.255);
	b[0].ready = b[1].ready = b[2].ready = false;
	assert_int_equal(balance_choose(b, 4, BALANCE_NONE, 1, 50000), 3);
	b[3].joined_ms = 60000; /* a clock that is read once a batch may be behind */
	assert_int_equal(balance_warmth(&b[3], 50000), BALANCE_COLD);
}

static void the_less_busy_of_two_wins(void **state)
{
	(void)state;
	struct balance_backend b[2] = {{.ready = true, .in_flight = 3},
				       {.ready = true, .in_flight = 2}};
	uint64_t seed = 4;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(balance_choose(b, 2, BALANCE_NONE, next_random(&seed), 0), 1);
}

static void requests_in_flight_stay_even(void **state)
{
	(void)state;
	struct balance_backend b[10] = {0};
	uint64_t seed = 5;
	uint32_t most = 0, least = UINT32_MAX;
	for (size_t i = 0; i < 10; i++)
		b[i].ready = true;
	for (int i = 0; i < 10000; i++)
		b[balance_choose(b, 10, BALANCE_NONE, next_random(&seed), 0)].in_flight++;
	for (size_t i = 0; i < 10; i++) {
		most = b[i].in_flight > most ? b[i].in_flight : most;
		least = b[i].in_flight < least ? b[i].in_flight : least;
	}
	assert_true(most - least <= 10); /* one random choice would give about 190 */
}

static void five_failures_in_a_row_eject(void **state)
{
	(void)state;
	struct health h = {0};
	for (int i = 0; i < HEALTH_FAILURES - 1; i++)
		assert_false(health_failure(&h, 100, true));
	health_success(&h);
	for (int i = 0; i < HEALTH_FAILURES - 1; i++)
		assert_false(health_failure(&h, 100, true));
	assert_true(health_failure(&h, 100, true));
	assert_true(health_ejected(&h, 100));
	assert_true(health_ejected(&h, 100 + HEALTH_EJECT_MS - 1));
	assert_false(health_ejected(&h, 100 + HEALTH_EJECT_MS));
	assert_false(health_failure(&h, 200, true)); /* older requests are not charged twice */
	assert_int_equal(h.failures, 0);
}

static uint64_t eject(struct health *h, uint64_t now_ms)
{
	for (int i = 0; i < HEALTH_FAILURES - 1; i++)
		assert_false(health_failure(h, now_ms, true));
	assert_true(health_failure(h, now_ms, true));
	return h->ejected_until_ms - now_ms;
}

static void ejections_grow_to_a_cap_and_are_forgiven(void **state)
{
	(void)state;
	struct health h = {0};
	uint64_t now_ms = 5;
	for (uint64_t step = 1; step <= HEALTH_EJECT_STEPS + 3; step++) {
		uint64_t want = step < HEALTH_EJECT_STEPS ? step : HEALTH_EJECT_STEPS;
		assert_int_equal(eject(&h, now_ms), want * HEALTH_EJECT_MS);
		now_ms = h.ejected_until_ms;
	}
	now_ms += 4 * HEALTH_EJECT_MS; /* four steps of quiet: 10 - 4 + 1 */
	assert_int_equal(eject(&h, now_ms), 7 * HEALTH_EJECT_MS);
	now_ms = h.ejected_until_ms + 8 * (uint64_t)HEALTH_EJECT_MS; /* one more than there were */
	assert_int_equal(eject(&h, now_ms), HEALTH_EJECT_MS);
	now_ms = h.ejected_until_ms + 1000 * (uint64_t)HEALTH_EJECT_MS;
	assert_int_equal(eject(&h, now_ms), HEALTH_EJECT_MS);
}

static void without_leave_a_row_of_failures_ejects_nobody(void **state)
{
	(void)state;
	struct health h = {0};
	for (int i = 0; i < 100; i++)
		assert_false(health_failure(&h, 1, false));
	assert_false(health_ejected(&h, 1));
	assert_true(health_failure(&h, 1, true));
}

static void the_last_healthy_backend_is_never_ejected(void **state)
{
	(void)state;
	struct balance_backend b[4] = {{.ready = true}, {.ready = false}, {.ready = false}};
	assert_false(balance_may_eject(b, 3, 0, 0));
	b[1].ready = true;
	assert_true(balance_may_eject(b, 3, 0, 0));
	b[1].health = sick;
	assert_false(balance_may_eject(b, 3, 0, 0)); /* the other one is out already */
	assert_false(balance_may_eject(b, 3, 1, 0)); /* as is this */
	assert_false(balance_may_eject(b, 3, 2, 0)); /* and this takes no part */
}

static void at_most_half_of_the_ready_are_ejected(void **state)
{
	(void)state;
	for (size_t count = 2; count <= 12; count++) {
		struct balance_backend b[12] = {0};
		size_t ejected = 0;
		for (size_t i = 0; i < count; i++)
			b[i].ready = true;
		for (size_t i = 0; i < count; i++)
			if (balance_may_eject(b, count, i, 0)) {
				b[i].health = sick;
				ejected++;
			}
		assert_int_equal(ejected, count / 2);
		assert_int_equal(balance_ready(b, count, true, 0), count - ejected);
		assert_int_equal(balance_ready(b, count, false, 0), count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_ready_nobody_chosen),
		cmocka_unit_test(any_ready_one_is_found_wherever_it_lies),
		cmocka_unit_test(full_ones_are_passed_over_and_waited_for),
		cmocka_unit_test(unready_and_ejected_ones_get_nothing_while_others_can_serve),
		cmocka_unit_test(equal_backends_are_chosen_equally),
		cmocka_unit_test(one_that_joins_comes_to_its_share_slowly),
		cmocka_unit_test(the_less_busy_of_two_wins),
		cmocka_unit_test(requests_in_flight_stay_even),
		cmocka_unit_test(five_failures_in_a_row_eject),
		cmocka_unit_test(ejections_grow_to_a_cap_and_are_forgiven),
		cmocka_unit_test(without_leave_a_row_of_failures_ejects_nobody),
		cmocka_unit_test(the_last_healthy_backend_is_never_ejected),
		cmocka_unit_test(at_most_half_of_the_ready_are_ejected),
	};
	return cmocka_run_group_tests_name("traffic/balance", tests, NULL, NULL);
}
