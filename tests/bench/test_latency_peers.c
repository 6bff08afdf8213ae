/* SPDX-License-Identifier: Apache-2.0
 * test_latency_peers - the peers compute what their papers say, and look in the right direction. */
#include "../unit/judge/near.h"

#include <string.h>

#include "../unit/judge/chance.h"
#include "judge_latency_peers.h"
#include "judge_world.h"

/* 1 to 1,000 against the same a bit higher: p-values of confseq's reference in R. */
static void evidence_is_that_of_the_reference(void **state)
{
	enum { VALUES = 1000, BUCKETS = 1200 };
	static const struct {
		double quantile;
		uint32_t offset;
		double p_value;
	} cases[] = {{0.5, 70, 0.814704},
		     {0.5, 85, 0.0838055},
		     {0.5, 100, 0.0054947},
		     {0.9, 55, 0.0340463}};
	(void)state;
	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		uint64_t counts[2][BUCKETS] = {{0}};
		struct beta_binomial test =
			beta_binomial_around(cases[c].quantile, beta_binomial_strength(100, 0.05));
		for (uint32_t i = 1; i <= VALUES; i++)
			counts[0][i] = counts[1][i + cases[c].offset] = 1;
		struct quantile_arm a = {counts[0], VALUES, test}, b = {counts[1], VALUES, test};
		assert_near(exp(-quantile_arms_log_e(&a, &b, BUCKETS)), cases[c].p_value, 1e-5);
		assert_near(exp(-quantile_arms_log_e(&b, &a, BUCKETS)), cases[c].p_value, 1e-5);
	}
}

/* The closed form is a little wider than the reference, which finds its constant by a search. */
static void the_band_is_that_of_the_reference(void **state)
{
	static const double REFERENCE = 0.08204769;
	(void)state;
	double band = cdf_band(1000, 100, 0.05);
	assert_true(band >= REFERENCE && band < 1.01 * REFERENCE);
	assert_true(isinf(cdf_band(99, 100, 0.05)) && isfinite(cdf_band(100, 100, 0.05)));
}

static struct latency_law usual, other;

static void draw(const struct latency_law *law, struct dice *dice, uint32_t n,
		 struct judge_slot *slots, struct judge_arm *ret_arm)
{
	for (uint32_t i = 0; i < n; i++)
		slots[i] = (struct judge_slot){latency_law_draw(law, dice), 1};
	*ret_arm = (struct judge_arm){.slots = slots, .slot_count = n, .requests = n};
}

/* So many seconds of 10 requests of the new release and 90 of the live one; a bit for each peer that aborts. */
static uint32_t run_peers(uint64_t seed, uint32_t seconds)
{
	static struct latency_peer peers[LATENCY_PEERS];
	static struct latency_view view;
	struct judge_slot slots[100];
	struct dice dice;
	uint32_t aborted = 0;
	dice_seed(&dice, seed);
	memset(&view, 0, sizeof view);
	for (uint32_t p = 0; p < LATENCY_PEERS; p++)
		latency_peer_begin(&peers[p], &latency_peer_kinds[p]);
	for (uint32_t s = 0; s < seconds; s++) {
		struct judge_arm a, b;
		draw(&other, &dice, 10, slots, &a);
		draw(&usual, &dice, 90, slots + 10, &b);
		latency_view_add(&view, &a, &b);
		latency_view_second(&view);
		for (uint32_t p = 0; p < LATENCY_PEERS; p++)
			if (latency_peer_second(&peers[p], &view))
				aborted |= 1u << p;
		latency_view_minute(&view);
	}
	return aborted;
}

static const uint32_t ALL = (1u << LATENCY_PEERS) - 1;

static void they_find_what_is_slower(void **state)
{
	(void)state;
	latency_law_make(&usual, 1, 0, 0);
	latency_law_make(&other, 2, 0, 0);
	assert_int_equal(run_peers(1, 300), ALL);
	assert_int_equal(run_peers(1, 1), 0);
}

static void they_mind_nothing_that_is_faster(void **state)
{
	(void)state;
	latency_law_make(&usual, 1, 0, 0);
	latency_law_make(&other, 0.5, 0, 0);
	assert_int_equal(run_peers(2, 600), 0);
}

/* P(X >= k) of Bin(n, p). */
static double at_least(uint64_t n, uint64_t k, double p)
{
	double sum = 0;
	for (uint64_t i = k; i <= n; i++)
		sum += binomial_law(n, i, p);
	return sum;
}

/* Of two arms with the same law at most one pair in twenty may ever show 20 : 1, looked at after every answer. Were it
 * so, more than these would be seen with a chance of less than 1 in 1,000. */
static void evidence_of_nothing_stays_within_its_level(void **state)
{
	enum { RUNS = 300, ANSWERS = 400 };
	static const double quantiles[] = {0.5, 0.99};
	(void)state;
	latency_law_make(&usual, 1, 0, 0);
	for (uint32_t q = 0; q < 2; q++) {
		struct beta_binomial test =
			beta_binomial_around(quantiles[q], beta_binomial_strength(200, 0.05));
		uint64_t wrong = 0;
		for (uint64_t run = 0; run < RUNS; run++) {
			uint64_t counts[2][HISTOGRAM_BUCKETS] = {{0}};
			struct dice dice;
			bool ever = false;
			dice_seed(&dice, run);
			for (uint32_t n = 1; n <= ANSWERS; n++) {
				counts[0][latency_law_draw(&usual, &dice)]++;
				counts[1][latency_law_draw(&usual, &dice)]++;
				struct quantile_arm a = {counts[0], n, test},
						    b = {counts[1], n, test};
				ever |= quantile_arms_log_e(&a, &b, HISTOGRAM_BUCKETS) >= log(20);
			}
			wrong += ever;
		}
		assert_true(at_least(RUNS, wrong, 0.05) > 0.001);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_is_that_of_the_reference),
		cmocka_unit_test(the_band_is_that_of_the_reference),
		cmocka_unit_test(they_find_what_is_slower),
		cmocka_unit_test(they_mind_nothing_that_is_faster),
		cmocka_unit_test(evidence_of_nothing_stays_within_its_level),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
