/* SPDX-License-Identifier: Apache-2.0
 * One metric of events among requests: no tick is worth more than it costs where the release is fine, by enumeration
 * of all that can happen in it; and what is not fine is found. */
#include "../cmocka_all.h"

#include <string.h>

#include "chance.h"
#include "judge/proportion.h"

static const struct judge_proportion_settings usual = {
	.ratio = 1.25, .points = 0.0002, .fine_ratio = 3, .fine_share = 0.02};

/* What to take the expectation of: a factor of one tick. */
typedef double (*reading_fn)(const struct judge_proportion *before,
			     const struct judge_proportion *after);

static double most_of(const struct judge_bets *before, const struct judge_bets *after, uint32_t i)
{
	return after->capital[i] / before->capital[i];
}

static uint32_t place; /* which alternative */

static double by_ratio(const struct judge_proportion *before, const struct judge_proportion *after)
{
	return most_of(&before->by_ratio, &after->by_ratio, place);
}

static double by_points(const struct judge_proportion *before, const struct judge_proportion *after)
{
	return most_of(&before->by_points, &after->by_points, place);
}

static double alone(const struct judge_proportion *before, const struct judge_proportion *after)
{
	return most_of(&before->alone, &after->alone, place);
}

static double fine(const struct judge_proportion *before, const struct judge_proportion *after)
{
	return exp(after->fine[place] - before->fine[place]);
}

static double fine_alone(const struct judge_proportion *before,
			 const struct judge_proportion *after)
{
	return exp(after->fine_alone[place] - before->fine_alone[place]);
}

/* E of a tick with n and m requests, whose events have the chances p and q. */
static double expectation(const struct judge_proportion *before, reading_fn reading, uint64_t n,
			  uint64_t m, double p, double q)
{
	double sum = 0;
	for (uint64_t x = 0; x <= n; x++) {
		for (uint64_t y = 0; y <= m; y++) {
			struct judge_proportion after = *before;
			struct judge_table t = {n, x, m, y};
			judge_proportion_tick(&after, &t, 1);
			sum += binomial_law(n, x, p) * binomial_law(m, y, q) *
			       reading(before, &after);
		}
	}
	return sum;
}

/* As if the live release scattered so much. */
static void set_phi(struct judge_proportion *p, double phi)
{
	p->dispersion.between =
		(struct judge_scatter){.squares = 1e6 * phi, .variances = 1e6, .pairs = 1e9};
}

struct dice_case {
	uint64_t n, m;
	double q;
	struct judge_proportion_settings settings;
	struct judge_proportion before;
};

static void throw_case(struct dice_case *c, uint64_t *seed)
{
	c->n = 1 + chance_below(seed, 5);
	c->m = 1 + chance_below(seed, 7);
	c->q = exp(log(1e-4) * chance_uniform(seed)) / 2;
	c->settings = usual;
	c->settings.ratio = 1 + chance_uniform(seed) * (chance_uniform(seed) < 0.5 ? 0.5 : 19);
	c->settings.points = chance_uniform(seed) < 0.3 ? 0 : 0.05 * chance_uniform(seed);
	c->settings.fine_ratio = 1.1 + 5 * chance_uniform(seed);
	judge_proportion_begin(&c->before, &c->settings);
	judge_proportion_learn(&c->before, 1000, 50);
	if (chance_uniform(seed) < 0.5)
		set_phi(&c->before, 1 + 5 * chance_uniform(seed));
}

static void a_release_that_is_as_bad_as_tolerated_wins_nothing(void **state)
{
	(void)state;
	uint64_t seed = 1;
	double worst = 0;
	for (uint32_t i = 0; i < 6000; i++) {
		struct dice_case c;
		throw_case(&c, &seed);
		place = (uint32_t)chance_below(&seed, 6);
		double p = c.settings.ratio * c.q, above = c.q + c.settings.points;
		if (p <= 1)
			worst = fmax(worst, expectation(&c.before, by_ratio, c.n, c.m, p, c.q));
		worst = fmax(worst, expectation(&c.before, by_points, c.n, c.m, above, c.q));
	}
	assert_true(worst > 0.99); /* it comes near: the null's edge is in there */
	assert_true(worst <= 1 + 1e-9);
}

static void nor_does_one_that_is_better(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (uint32_t i = 0; i < 1000; i++) {
		struct dice_case c;
		throw_case(&c, &seed);
		place = (uint32_t)chance_below(&seed, 6);
		double p = c.q * chance_uniform(&seed);
		assert_true(expectation(&c.before, by_ratio, c.n, c.m, p, c.q) <= 1 + 1e-9);
		assert_true(expectation(&c.before, by_points, c.n, c.m, p, c.q) <= 1 + 1e-9);
	}
}

/* Where events are common the exact form is asked: equal chances win exactly nothing. */
static void common_events_of_equal_chance_win_nothing(void **state)
{
	(void)state;
	uint64_t seed = 3;
	for (uint32_t i = 0; i < 2000; i++) {
		struct dice_case c;
		throw_case(&c, &seed);
		bool fewer = chance_uniform(&seed) < 0.5;
		struct judge_proportion_settings common = {
			.common = true, .fewer = fewer, .ratio = 1, .fine_ratio = 2};
		judge_proportion_begin(&c.before, &common);
		place = (uint32_t)chance_below(&seed, 5);
		double q = chance_uniform(&seed), p = fewer ? q + (1 - q) * 0.2 : q * 0.8;
		assert_true(fabs(expectation(&c.before, by_ratio, c.n, c.m, q, q) - 1) < 1e-9);
		assert_true(expectation(&c.before, by_ratio, c.n, c.m, p, q) <= 1 + 1e-9);
	}
}

/* What may be so much worse is turned into odds at the share that the live release has had: 1000 and 400 here. */
static void common_events_as_bad_as_tolerated_win_nothing(void **state)
{
	(void)state;
	uint64_t seed = 5;
	for (uint32_t i = 0; i < 2000; i++) {
		struct dice_case c;
		throw_case(&c, &seed);
		bool fewer = chance_uniform(&seed) < 0.5;
		double ratio = 1 + chance_uniform(&seed), q = 0.4,
		       p = fewer ? q / ratio : q * ratio;
		struct judge_proportion_settings common = {
			.common = true, .fewer = fewer, .ratio = ratio, .fine_ratio = 2};
		judge_proportion_begin(&c.before, &common);
		judge_proportion_learn(&c.before, 1000, 400);
		place = (uint32_t)chance_below(&seed, 5);
		double better = fewer ? p + (1 - p) * 0.2 : p * 0.8;
		assert_true(fabs(expectation(&c.before, by_ratio, c.n, c.m, p, q) - 1) < 1e-9);
		assert_true(expectation(&c.before, by_ratio, c.n, c.m, better, q) <= 1 + 1e-9);
	}
}

/* Fewer of what is rare: the live release has at most so many times what the new one has. */
static void as_few_as_tolerated_win_nothing(void **state)
{
	(void)state;
	uint64_t seed = 6;
	double worst = 0;
	for (uint32_t i = 0; i < 3000; i++) {
		struct dice_case c;
		throw_case(&c, &seed);
		c.settings.counts = c.settings.fewer = true;
		c.settings.points = 0;
		judge_proportion_begin(&c.before, &c.settings);
		place = (uint32_t)chance_below(&seed, 6);
		double p = c.q, q = c.q * c.settings.ratio;
		if (q <= 1)
			worst = fmax(worst, expectation(&c.before, by_ratio, c.n, c.m, p, q));
		assert_true(expectation(&c.before, by_ratio, c.n, c.m, p, p / 2) <= 1 + 1e-9);
	}
	assert_true(worst > 0.99 && worst <= 1 + 1e-9);
}

static void fewer_events_are_found(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (int common = 0; common < 2; common++) {
		const struct judge_proportion_settings settings = {.common = common,
								   .counts = !common,
								   .fewer = true,
								   .ratio = 1 / 0.95,
								   .fine_ratio = 3};
		struct judge_proportion p;
		judge_proportion_begin(&p, &settings);
		for (int second = 0; second < 600; second++) {
			struct judge_table t = {50, chance_binomial(&seed, 50, 0.1), 150,
						chance_binomial(&seed, 150, 0.2)};
			judge_proportion_tick(&p, &t, 1);
			judge_proportion_second(&p);
		}
		assert_true(judge_proportion_worse(&p) > 1000);
	}
}

/* The upper bounds at 99.9 % of a Poisson mean of which 0..4 were seen. */
static void alone_a_release_within_the_past_wins_nothing(void **state)
{
	static const double bounds[] = {6.9078, 9.2334, 11.2289, 13.0622, 14.7941};
	(void)state;
	uint64_t seed = 4;
	for (uint32_t i = 0; i < 3000; i++) {
		struct dice_case c;
		uint64_t events = chance_below(&seed, 5),
			 requests = 200 + chance_below(&seed, 10000);
		throw_case(&c, &seed);
		judge_proportion_begin(&c.before, &c.settings);
		judge_proportion_learn(&c.before, requests, events);
		judge_proportion_tick(&c.before, &(struct judge_table){1, 0, 1, 0}, 1);
		double q = bounds[events] / (double)(requests + 1);
		double p = fmax(c.settings.ratio * q, q + c.settings.points);
		place = (uint32_t)chance_below(&seed, 3);
		if (p <= 1) {
			double e = expectation(&c.before, alone, c.n, c.m, p,
					       chance_uniform(&seed) * q);
			assert_true(e <= 1 + 1e-9);
		}
	}
}

static void a_bad_release_is_called_fine_with_a_chance_of_beta_at_most(void **state)
{
	(void)state;
	uint64_t seed = 5;
	double worst = 0;
	for (uint32_t i = 0; i < 6000; i++) {
		struct dice_case c;
		throw_case(&c, &seed);
		double p = c.settings.fine_ratio * c.q;
		place = (uint32_t)chance_below(&seed, 4);
		if (c.settings.fine_ratio > 1.25 && p <= 1)
			worst = fmax(worst, expectation(&c.before, fine, c.n, c.m, p, c.q));
		place %= 2;
		worst = fmax(worst, expectation(&c.before, fine_alone, c.n, c.m,
						0.02 + 0.2 * chance_uniform(&seed), c.q));
	}
	assert_true(worst > 0.99);
	assert_true(worst <= 1 + 1e-9);
}

static void events_that_scatter_count_for_less(void **state)
{
	(void)state;
	const struct judge_table t = {100, 5, 1000, 1};
	struct judge_proportion plain, scattered;
	judge_proportion_begin(&plain, &usual);
	judge_proportion_learn(&plain, 100000, 100);
	scattered = plain;
	set_phi(&scattered, 3);
	judge_proportion_tick(&plain, &t, 1);
	judge_proportion_tick(&scattered, &t, 1);
	for (uint32_t i = 0; i < 6; i++) {
		double each = 0.45 / 6;
		assert_true(fabs(log(scattered.by_ratio.capital[i] / each) * 3 -
				 log(plain.by_ratio.capital[i] / each)) < 0.01);
	}
}

static double after_ticks(const struct judge_proportion_settings *settings,
			  const struct judge_table *t, uint32_t ticks)
{
	struct judge_proportion p;
	judge_proportion_begin(&p, settings);
	judge_proportion_learn(&p, 1000000, 1000);
	for (uint32_t i = 0; i < ticks; i++)
		judge_proportion_tick(&p, t, 1);
	assert_true(p.greatest >= judge_proportion_worse(&p));
	return judge_proportion_worse(&p);
}

static void what_is_not_tolerated_is_found(void **state)
{
	(void)state;
	struct judge_table ten_times_as_bad = {100, 1, 10000, 10};
	struct judge_table as_bad = {1000, 1, 10000, 10};
	assert_true(after_ticks(&usual, &ten_times_as_bad, 20) > 1000);
	assert_true(after_ticks(&usual, &as_bad, 200) < 2);
}

/* Three times as bad, but within the points; more points than tolerated, but within the ratio. */
static void either_half_excuses(void **state)
{
	(void)state;
	struct judge_proportion_settings s = usual;
	struct judge_table thrice = {1000, 3, 10000, 10};
	s.points = 0.003;
	assert_true(after_ticks(&s, &thrice, 1000) < 2);
	s.points = 0;
	assert_true(after_ticks(&s, &thrice, 1000) > 1000);
	s.ratio = 4;
	assert_true(after_ticks(&s, &thrice, 1000) < 2);
}

/* With one request a tick, on either side in turn, the sides meet all the same. */
static void counts_wait_for_the_other_side(void **state)
{
	(void)state;
	const struct judge_table fresh = {1, 1, 0, 0}, live = {0, 0, 1, 0};
	struct judge_proportion p;
	judge_proportion_begin(&p, &usual);
	judge_proportion_learn(&p, 1000, 50);
	for (uint32_t i = 0; i < 20; i++) {
		judge_proportion_tick(&p, &fresh, 1);
		judge_proportion_tick(&p, &live, 1);
	}
	assert_true(judge_bets_wealth(&p.by_ratio) > 1000);
	assert_true(p.new_requests == 20 && p.live_requests == 20);
}

/* A shared outage at a trickle: errors of the new release fall into ticks without a request of the live one. */
static void an_outage_at_a_trickle_is_no_proof(void **state)
{
	(void)state;
	uint64_t seed = 9;
	for (uint32_t run = 0; run < 200; run++) {
		struct judge_proportion p;
		judge_proportion_begin(&p, &usual);
		judge_proportion_learn(&p, 3000, run % 2 == 0 ? 0 : 3);
		for (uint32_t i = 0; i < 3000; i++) {
			struct judge_table t = {.new_requests = chance_below(&seed, 2),
						.live_requests = chance_below(&seed, 2)};
			t.new_events = chance_binomial(&seed, t.new_requests, 0.03);
			t.live_events = chance_binomial(&seed, t.live_requests, 0.03);
			judge_proportion_tick(&p, &t, 1);
			if (i % 10 == 9)
				judge_proportion_second(&p);
		}
		assert_true(p.greatest < 1000);
	}
}

static uint32_t requests_until_found(uint32_t live_per_tick, uint32_t gap_s)
{
	struct judge_proportion p;
	judge_proportion_begin(&p, &usual);
	for (uint32_t s = 0; s < 60; s++) {
		judge_proportion_learn(&p, 100, 0);
		judge_proportion_second(&p);
	}
	for (uint32_t s = 0; s < gap_s; s++)
		judge_proportion_second(&p);
	for (uint32_t n = 1; n < 10000; n++) {
		struct judge_table t = {.new_requests = 1,
					.new_events = n % 20 == 0,
					.live_requests = live_per_tick};
		judge_proportion_tick(&p, &t, 1);
		if (n % 10 == 0)
			judge_proportion_second(&p);
		if (judge_proportion_worse(&p) >= 1000)
			return n;
	}
	return UINT32_MAX;
}

/* Recreate: the live release is gone, but its past is known. */
static void without_a_live_release_its_past_is_the_measure(void **state)
{
	(void)state;
	assert_true(requests_until_found(0, 15) <= 400);
	assert_true(requests_until_found(0, 0) <= 400); /* ten seconds pass first */
	assert_true(requests_until_found(1, 0) <= 400);
}

/* Nothing is known of a live release that was never seen. */
static void without_a_past_nothing_is_said(void **state)
{
	(void)state;
	const struct judge_table t = {10, 10, 0, 0};
	struct judge_proportion p;
	judge_proportion_begin(&p, &usual);
	for (uint32_t i = 0; i < 1000; i++) {
		judge_proportion_tick(&p, &t, 1);
		judge_proportion_second(&p);
	}
	assert_true(judge_proportion_worse(&p) <= 1 + 1e-9);
	assert_true(judge_proportion_fine(&p) < 1);
}

static void the_past_is_the_live_releases_alone_and_fades(void **state)
{
	(void)state;
	struct judge_proportion p;
	const struct judge_table t = {50, 5, 100, 2};
	judge_proportion_begin(&p, &usual);
	judge_proportion_learn(&p, 1000, 10);
	assert_true(p.past_requests == 1000 && p.past_events == 10);
	judge_proportion_tick(&p, &t, 1);
	assert_true(p.past_requests == 1100 && p.past_events == 12);
	assert_true(p.expected == 0.5); /* 50 requests at what was 1 % before them */
	for (uint32_t s = 0; s < 600; s++)
		judge_proportion_second(&p);
	assert_true(fabs(p.past_requests - 550) < 1);
}

static void a_step_brings_new_bets_and_no_new_wealth(void **state)
{
	(void)state;
	struct judge_proportion p;
	judge_proportion_begin(&p, &usual);
	double cash = p.by_ratio.cash, worse = judge_proportion_worse(&p);
	judge_proportion_step(&p);
	assert_true(fabs(cash - p.by_ratio.cash - 0.05) < 1e-12);
	assert_true(fabs(judge_proportion_worse(&p) - worse) < 1e-12);
}

/* Strata: each compares with its own. The new release has the fragile routes, and no more errors in them. */
static void strata_are_not_mixed(void **state)
{
	(void)state;
	const struct judge_table tables[2] = {{10, 0, 9000, 9}, {90, 9, 1000, 100}};
	const struct judge_table mixed = {100, 9, 10000, 109};
	struct judge_proportion apart, together;
	judge_proportion_begin(&apart, &usual);
	judge_proportion_begin(&together, &usual);
	for (uint32_t i = 0; i < 50; i++) {
		judge_proportion_tick(&apart, tables, 2);
		judge_proportion_tick(&together, &mixed, 1);
	}
	assert_true(judge_proportion_worse(&apart) < 2);
	assert_true(judge_proportion_worse(&together) > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_that_is_as_bad_as_tolerated_wins_nothing),
		cmocka_unit_test(nor_does_one_that_is_better),
		cmocka_unit_test(common_events_of_equal_chance_win_nothing),
		cmocka_unit_test(common_events_as_bad_as_tolerated_win_nothing),
		cmocka_unit_test(as_few_as_tolerated_win_nothing),
		cmocka_unit_test(fewer_events_are_found),
		cmocka_unit_test(alone_a_release_within_the_past_wins_nothing),
		cmocka_unit_test(a_bad_release_is_called_fine_with_a_chance_of_beta_at_most),
		cmocka_unit_test(events_that_scatter_count_for_less),
		cmocka_unit_test(what_is_not_tolerated_is_found),
		cmocka_unit_test(either_half_excuses),
		cmocka_unit_test(counts_wait_for_the_other_side),
		cmocka_unit_test(an_outage_at_a_trickle_is_no_proof),
		cmocka_unit_test(without_a_live_release_its_past_is_the_measure),
		cmocka_unit_test(without_a_past_nothing_is_said),
		cmocka_unit_test(the_past_is_the_live_releases_alone_and_fades),
		cmocka_unit_test(a_step_brings_new_bets_and_no_new_wealth),
		cmocka_unit_test(strata_are_not_mixed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
