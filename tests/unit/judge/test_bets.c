/* SPDX-License-Identifier: Apache-2.0
 * A wealth that is bet: it begins at 1, a fair tick leaves its expectation, and the cash lasts. */
#include "../cmocka_all.h"

#include <math.h>

#include "judge/bets.h"

static void the_wealth_begins_at_one(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= JUDGE_BETS_MAX; count++) {
		struct judge_bets bets;
		judge_bets_begin(&bets, count, NULL, 0);
		assert_true(fabs(judge_bets_wealth(&bets) - 1) < 1e-12);
		for (uint32_t i = 1; i < count; i++)
			assert_true(bets.capital[i] == bets.capital[0]);
	}
}

/* Whatever is bet at once, and on what: two outcomes whose factors are fair leave the expectation at 1. */
static void any_division_begins_at_one_and_is_fair(void **state)
{
	(void)state;
	static const double parts[] = {1, 2, 1, 3}, likely[] = {0.3, 0.5, 0.7, 0.9},
			    NULL_CHANCE = 0.2;
	for (uint32_t i = 1; i <= 20; i++) {
		struct judge_bets bets, after[2];
		double factors[2][4];
		judge_bets_begin(&bets, 4, parts, i / 20.0);
		assert_true(fabs(judge_bets_wealth(&bets) - 1) < 1e-12);
		assert_true(fabs(bets.cash - (1 - i / 20.0)) < 1e-12);
		assert_true(fabs(bets.capital[3] - 3 * bets.capital[0]) < 1e-12);
		for (uint32_t k = 0; k < 4; k++) {
			factors[0][k] = likely[k] / NULL_CHANCE;
			factors[1][k] = (1 - likely[k]) / (1 - NULL_CHANCE);
		}
		for (uint32_t outcome = 0; outcome < 2; outcome++) {
			after[outcome] = bets;
			judge_bets_multiply(&after[outcome], factors[outcome]);
			judge_bets_second(&after[outcome]);
		}
		assert_true(fabs(NULL_CHANCE * judge_bets_wealth(&after[0]) +
				 (1 - NULL_CHANCE) * judge_bets_wealth(&after[1]) - 1) < 1e-12);
	}
}

/* Nothing is won or lost by moving cash. */
static void adding_moves_cash_and_never_more_than_there_is(void **state)
{
	(void)state;
	struct judge_bets bets;
	judge_bets_begin(&bets, 4, NULL, 0);
	judge_bets_add(&bets, 0.25);
	assert_true(fabs(bets.cash - 0.30) < 1e-12);
	judge_bets_add(&bets, 7);
	assert_true(bets.cash == 0);
	assert_true(fabs(judge_bets_wealth(&bets) - 1) < 1e-12);
}

static void each_bet_has_its_own_factor(void **state)
{
	(void)state;
	struct judge_bets bets;
	const double logs[] = {log(2), -log(2)};
	judge_bets_begin(&bets, 2, NULL, 0);
	double each = bets.capital[0], cash = bets.cash;
	judge_bets_settle(&bets, logs);
	assert_true(fabs(bets.capital[0] - 2 * each) < 1e-12);
	assert_true(fabs(bets.capital[1] - each / 2) < 1e-12);
	assert_true(bets.cash == cash);
}

static void a_day_of_seconds_never_ends_the_cash(void **state)
{
	(void)state;
	struct judge_bets bets;
	judge_bets_begin(&bets, 3, NULL, 0);
	double first = bets.cash;
	for (uint32_t s = 0; s < 1800; s++)
		judge_bets_second(&bets);
	double left = bets.cash;
	for (uint32_t s = 1800; s < 86400; s++)
		judge_bets_second(&bets);
	assert_true(left > 0.15 && left < first);
	assert_true(bets.cash > 0);
	assert_true(fabs(judge_bets_wealth(&bets) - 1) < 1e-9);
}

/* An hour that was fine has cost the old bets all they had; the new ones win as if nothing had been. */
static void what_begins_late_is_found_nearly_as_fast(void **state)
{
	(void)state;
	struct judge_bets bets;
	const double loss[] = {-0.05}, gain[] = {0.1};
	judge_bets_begin(&bets, 1, NULL, 0);
	for (uint32_t s = 0; s < 3600; s++) {
		judge_bets_settle(&bets, loss);
		judge_bets_second(&bets);
	}
	assert_true(judge_bets_wealth(&bets) < 1);
	uint32_t needed = 0;
	for (; judge_bets_wealth(&bets) < 1000; needed++) {
		judge_bets_settle(&bets, gain);
		judge_bets_second(&bets);
	}
	assert_true(needed > 77 &&
		    needed < 160); /* 77 from the start; 1,900 for the old bets alone */
}

static void a_bet_stays_within_its_limits(void **state)
{
	(void)state;
	struct judge_bets bets;
	const double logs[] = {1e6, -1e6};
	judge_bets_begin(&bets, 2, NULL, 0);
	for (uint32_t i = 0; i < 3; i++)
		judge_bets_settle(&bets, logs);
	assert_true(bets.capital[0] == 1e200 && bets.capital[1] == 1e-300);
	assert_true(isfinite(judge_bets_wealth(&bets)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wealth_begins_at_one),
		cmocka_unit_test(any_division_begins_at_one_and_is_fair),
		cmocka_unit_test(adding_moves_cash_and_never_more_than_there_is),
		cmocka_unit_test(each_bet_has_its_own_factor),
		cmocka_unit_test(a_day_of_seconds_never_ends_the_cash),
		cmocka_unit_test(what_begins_late_is_found_nearly_as_fast),
		cmocka_unit_test(a_bet_stays_within_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
