/* SPDX-License-Identifier: Apache-2.0
 * Likelihood ratios of odds ratios: their expectation is 1 at their null, and they are those of the sum itself. */
#include "../cmocka_all.h"

#include <math.h>

#include "chance.h"
#include "judge/hypergeometric.h"

/* log of the sum over x of C(n, x) C(m, d - x) w^x. */
static double brute_log_z(const struct judge_table *t, double w)
{
	double n = (double)t->new_requests, m = (double)t->live_requests;
	double d = (double)(t->new_events + t->live_events), top = -INFINITY, sum = 0;
	double least = d > m ? d - m : 0, most = d < n ? d : n;
	for (double x = least; x <= most; x++)
		top = fmax(top, log_choose(n, x) + log_choose(m, d - x) + x * log(w));
	for (double x = least; x <= most; x++)
		sum += exp(log_choose(n, x) + log_choose(m, d - x) + x * log(w) - top);
	return top + log(sum);
}

static double brute_log(const struct judge_table *t, double w)
{
	return (double)t->new_events * log(w) - brute_log_z(t, w) + brute_log_z(t, 1);
}

/* 1/1000..1000, as many below 1 as above. */
static double some_odds(uint64_t *seed)
{
	return exp((2 * chance_uniform(seed) - 1) * log(1000));
}

/* E[L(w) / L(w0)] at w0 of a table with these sums. */
static double expectation(uint64_t n, uint64_t m, uint64_t d, double w, double w0)
{
	const double odds[] = {w, w0};
	uint64_t least = d > m ? d - m : 0, most = d < n ? d : n;
	double chance[16], total = 0, sum = 0, logs[2];
	for (uint64_t x = least; x <= most; x++) {
		chance[x - least] =
			exp(log_choose((double)n, (double)x) +
			    log_choose((double)m, (double)(d - x)) + (double)x * log(w0));
		total += chance[x - least];
	}
	for (uint64_t x = least; x <= most; x++) {
		struct judge_table t = {n, x, m, d - x};
		judge_odds_logs(&t, odds, 2, logs);
		sum += chance[x - least] / total * exp(logs[0] - logs[1]);
	}
	return sum;
}

static void the_expectation_is_one_in_both_directions(void **state)
{
	(void)state;
	uint64_t seed = 1;
	double worst = 0;
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t n = 1 + chance_below(&seed, 8), m = 1 + chance_below(&seed, 12);
		uint64_t d = chance_below(&seed, n + m + 1);
		double w = some_odds(&seed), w0 = some_odds(&seed);
		worst = fmax(worst, fabs(expectation(n, m, d, w, w0) - 1));
	}
	assert_true(worst < 1e-9);
}

static void a_ratio_is_that_of_the_sums(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (uint32_t i = 0; i < 2000; i++) {
		struct judge_table t = {.new_requests = 1 + chance_below(&seed, 300),
					.live_requests = 1 + chance_below(&seed, 3000)};
		double odds[3] = {some_odds(&seed), some_odds(&seed), 1}, logs[3];
		t.new_events = chance_below(&seed, t.new_requests + 1);
		t.live_events = chance_below(&seed, t.live_requests + 1);
		judge_odds_logs(&t, odds, 3, logs);
		for (uint32_t k = 0; k < 3; k++) {
			double want = brute_log(&t, odds[k]);
			assert_true(fabs(logs[k] - want) < 1e-7 * (1 + fabs(want)));
		}
	}
}

static void a_table_of_millions_does_not_overflow(void **state)
{
	(void)state;
	const struct judge_table t = {200000, 2000, 3000000, 20000};
	const double odds[] = {0.001, 0.5, 1.25, 30, 1000};
	double logs[5];
	judge_odds_logs(&t, odds, 5, logs);
	for (uint32_t i = 0; i < 5; i++) {
		double want = brute_log(&t, odds[i]);
		assert_true(isfinite(logs[i]));
		assert_true(fabs(logs[i] - want) < 1e-6 * (1 + fabs(want)));
	}
}

static void a_table_without_a_choice_says_nothing(void **state)
{
	(void)state;
	const struct judge_table tables[] = {
		{10, 0, 100, 0}, {10, 10, 100, 100}, {0, 0, 100, 7}, {10, 3, 0, 0}, {0}};
	const double odds[] = {0.1, 10};
	for (uint32_t i = 0; i < 5; i++) {
		double logs[2] = {1, 1};
		judge_odds_logs(&tables[i], odds, 2, logs);
		assert_true(logs[0] == 0 && logs[1] == 0);
	}
}

/* 3 of 10 against 1 of 90: Z(w) = sum C(10, x) C(90, 4 - x) w^x = 2555190, 1174800, 180225, 10800, 210. */
static void a_worked_number(void **state)
{
	(void)state;
	const struct judge_table t = {10, 3, 90, 1};
	const double odds[] = {2};
	double logs[1];
	judge_odds_logs(&t, odds, 1, logs);
	double z1 = 2555190.0 + 1174800 + 180225 + 10800 + 210;
	double z2 = 2555190.0 + 2 * 1174800 + 4 * 180225 + 8 * 10800 + 16 * 210;
	assert_true(fabs(logs[0] - (log(8) - log(z2 / z1))) < 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_expectation_is_one_in_both_directions),
		cmocka_unit_test(a_ratio_is_that_of_the_sums),
		cmocka_unit_test(a_table_of_millions_does_not_overflow),
		cmocka_unit_test(a_table_without_a_choice_says_nothing),
		cmocka_unit_test(a_worked_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
