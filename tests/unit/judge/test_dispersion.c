/* SPDX-License-Identifier: Apache-2.0
 * How much more the events scatter than chance: about 1 when nothing hangs together, about the size of clusters. */
#include "../cmocka_all.h"

#include "chance.h"
#include "judge/dispersion.h"

enum { REQUESTS = 1000 };

/* One second of 1,000 requests: incidents of `cluster` events each. */
static void second(struct judge_dispersion *d, uint64_t *seed, double share, uint64_t cluster)
{
	uint64_t incidents = chance_binomial(seed, REQUESTS, share / (double)cluster);
	judge_dispersion_add(d, REQUESTS, incidents * cluster);
	judge_dispersion_second(d);
}

static double mean_phi(double share, uint64_t cluster, uint32_t seconds)
{
	double sum = 0;
	for (uint64_t run = 0; run < 50; run++) {
		struct judge_dispersion d;
		uint64_t seed = run;
		judge_dispersion_begin(&d, false);
		for (uint32_t s = 0; s < seconds; s++)
			second(&d, &seed, share, cluster);
		sum += judge_dispersion_phi(&d) / 50;
	}
	return sum;
}

static void independent_events_have_about_one(void **state)
{
	(void)state;
	double phi = mean_phi(0.002, 1, 600);
	assert_true(phi >= 1 && phi < 1.1);
}

static void clusters_of_three_have_about_three(void **state)
{
	(void)state;
	double phi = mean_phi(0.006, 3, 600);
	assert_true(phi > 2.7 && phi < 3.5);
}

static void a_drift_that_both_have_does_not_matter(void **state)
{
	(void)state;
	struct judge_dispersion d;
	uint64_t seed = 3;
	judge_dispersion_begin(&d, false);
	for (uint32_t s = 0; s < 1800; s++)
		second(&d, &seed, 0.001 * pow(10, s / 1800.0), 1);
	assert_true(judge_dispersion_phi(&d) < 1.3);
}

/* A user who fails for five seconds, ten times a second: seconds next to each other hardly differ. */
static void slow_clusters_show_in_longer_stretches(void **state)
{
	(void)state;
	struct judge_dispersion d;
	uint64_t seed = 4, failing[5] = {0};
	judge_dispersion_begin(&d, false);
	for (uint32_t s = 0; s < 1800; s++) {
		uint64_t events = 0;
		failing[s % 5] = chance_binomial(&seed, 10, 0.01);
		for (uint32_t i = 0; i < 5; i++)
			events += 10 * failing[i];
		judge_dispersion_add(&d, REQUESTS, events);
		judge_dispersion_second(&d);
	}
	double phi = judge_dispersion_phi(&d);
	assert_true(phi > 30 && phi < 75); /* 50; seconds alone would say 10 */
}

/* The share jumps to twenty times as much for five minutes, and back. */
static void an_outage_of_something_shared_does_not_blunt_it(void **state)
{
	(void)state;
	struct judge_dispersion d;
	uint64_t seed = 5;
	judge_dispersion_begin(&d, false);
	for (uint32_t s = 0; s < 1500; s++)
		second(&d, &seed, s >= 600 && s < 900 ? 0.021 : 0.001, 1);
	assert_true(judge_dispersion_phi(&d) < 3);
}

/* Every minute an event is something else, and its share another: nothing of that is scatter. */
static void what_is_counted_anew_does_not_scatter(void **state)
{
	(void)state;
	struct judge_dispersion cut, whole;
	uint64_t seed = 8, same = 8;
	judge_dispersion_begin(&cut, false);
	judge_dispersion_begin(&whole, false);
	for (uint32_t s = 0; s < 1800; s++) {
		double share = s / 60 % 2 == 0 ? 0.5 : 0.48;
		second(&cut, &seed, share, 1);
		second(&whole, &same, share, 1);
		if (s % 60 == 59)
			judge_dispersion_cut(&cut);
	}
	assert_true(judge_dispersion_phi(&cut) < 1.2);
	assert_true(judge_dispersion_phi(&whole) > 5);
}

static void backends_that_differ_count_too(void **state)
{
	(void)state;
	struct judge_dispersion same, different;
	const uint64_t requests[] = {100, 100, 100};
	judge_dispersion_begin(&same, false);
	judge_dispersion_begin(&different, false);
	uint64_t seed = 6;
	for (uint32_t s = 0; s < 600; s++) {
		uint64_t alike[3], one_fails[3] = {0};
		for (uint32_t i = 0; i < 3; i++)
			alike[i] = chance_binomial(&seed, 100, 0.01);
		one_fails[s % 3] = 3;
		judge_dispersion_between(&same, requests, alike, 3);
		judge_dispersion_between(&different, requests, one_fails, 3);
	}
	assert_true(judge_dispersion_phi(&same) < 1.2);
	double phi = judge_dispersion_phi(&different);
	assert_true(phi > 2.7 && phi < 3.3);
}

/* Lines on a log: more of them than requests. */
static void counts_without_a_bound_are_poisson(void **state)
{
	(void)state;
	struct judge_dispersion d;
	uint64_t seed = 7;
	judge_dispersion_begin(&d, true);
	for (uint32_t s = 0; s < 600; s++) {
		judge_dispersion_add(&d, 10, chance_binomial(&seed, 10000, 0.005));
		judge_dispersion_second(&d);
	}
	assert_true(judge_dispersion_phi(&d) < 1.3);
}

static void nothing_seen_is_one(void **state)
{
	(void)state;
	struct judge_dispersion d;
	const uint64_t none[2] = {0, 0};
	judge_dispersion_begin(&d, false);
	assert_true(judge_dispersion_phi(&d) == 1);
	judge_dispersion_between(&d, none, none, 2);
	for (uint32_t s = 0; s < 3000000; s++) { /* a month without an error */
		judge_dispersion_add(&d, 10, 0);
		judge_dispersion_second(&d);
	}
	assert_true(judge_dispersion_phi(&d) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(independent_events_have_about_one),
		cmocka_unit_test(clusters_of_three_have_about_three),
		cmocka_unit_test(a_drift_that_both_have_does_not_matter),
		cmocka_unit_test(slow_clusters_show_in_longer_stretches),
		cmocka_unit_test(an_outage_of_something_shared_does_not_blunt_it),
		cmocka_unit_test(what_is_counted_anew_does_not_scatter),
		cmocka_unit_test(backends_that_differ_count_too),
		cmocka_unit_test(counts_without_a_bound_are_poisson),
		cmocka_unit_test(nothing_seen_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
