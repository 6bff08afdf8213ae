/* SPDX-License-Identifier: Apache-2.0
 * Does the new release complete its share? A division as promised is called wrong as seldom as promised, whatever the
 * weights and the users do; a wrong one is found soon. */
#include <stdbool.h>
#include <string.h>

#include "../cmocka_all.h"

#include "chance.h"
#include "judge/sample_ratio.h"

enum { TICKS = 10, USERS = 200 };

/* A gateway that divides by `truth` what it says it divides by `weight_bp`. */
struct traffic {
	uint64_t seed;
	uint64_t requests; /* a tick */
	uint32_t weight_bp;
	double truth;
	uint64_t cluster; /* so many requests share a draw; 0 = none do */
	uint64_t divided;
	double greatest; /* the odds reached this */
};

static void tick(struct sample_ratio *ratio, struct traffic *t)
{
	uint64_t cluster = t->cluster > 0 ? t->cluster : 1;
	struct sample_ratio_tick tick = {
		.weight_bp = t->weight_bp,
		.new_done = cluster * chance_binomial(&t->seed, t->requests / cluster, t->truth)};
	tick.live_done = t->requests / cluster * cluster - tick.new_done;
	sample_ratio_tick(ratio, &tick);
	t->divided += tick.new_done + tick.live_done;
}

static void seconds(struct sample_ratio *ratio, struct traffic *t, uint32_t count)
{
	for (uint32_t s = 0; s < count && !sample_ratio_is_off(ratio); s++) {
		for (uint32_t i = 0; i < TICKS; i++)
			tick(ratio, t);
		sample_ratio_second(ratio);
		double odds = sample_ratio_odds(ratio);
		t->greatest = odds > t->greatest ? odds : t->greatest;
	}
}

/* Of `runs` in which nothing is wrong, 1 in 20 may ever reach 20 : 1, and next to none the level. */
static void assert_within_its_level(const char *what, uint32_t runs, uint32_t reached20,
				    uint32_t off)
{
	double most = runs / 20.0 + 4 * sqrt(runs / 20.0);
	if (reached20 > most || off > 3)
		fail_msg("%s: %u of %u runs reached 20 : 1, %u were called wrong", what, reached20,
			 runs, off);
}

static void null_world(const char *what, const struct traffic *world, uint32_t length)
{
	enum { RUNS = 400 };
	uint32_t reached20 = 0, off = 0;
	for (uint32_t r = 0; r < RUNS; r++) {
		struct sample_ratio ratio;
		struct traffic t = *world;
		t.seed = 1000 * r + 7;
		sample_ratio_begin(&ratio);
		seconds(&ratio, &t, length);
		reached20 += t.greatest >= 20;
		off += sample_ratio_is_off(&ratio);
	}
	assert_within_its_level(what, RUNS, reached20, off);
}

static void a_division_as_promised_is_called_wrong_as_seldom_as_promised(void **state)
{
	(void)state;
	null_world("10%", &(struct traffic){.requests = 50, .weight_bp = 1000, .truth = 0.1}, 60);
	null_world("half", &(struct traffic){.requests = 20, .weight_bp = 5000, .truth = 0.5}, 60);
	null_world("99%", &(struct traffic){.requests = 50, .weight_bp = 9900, .truth = 0.99}, 60);
	null_world("1 bp", &(struct traffic){.requests = 50, .weight_bp = 1, .truth = 0.0001}, 60);
	/* what is tolerated may last for ever */
	null_world("9 of 10%", &(struct traffic){.requests = 50, .weight_bp = 1000, .truth = 0.09},
		   60);
	null_world("11 of 10%", &(struct traffic){.requests = 50, .weight_bp = 1000, .truth = 0.11},
		   60);
}

static void the_level_is_that_of_all_steps_together(void **state)
{
	(void)state;
	enum { RUNS = 300 };
	static const uint32_t weights[] = {100, 500, 1000, 2500, 5000, 9900};
	uint32_t reached20 = 0, off = 0;
	for (uint32_t r = 0; r < RUNS; r++) {
		struct sample_ratio ratio;
		struct traffic t = {.seed = 900 + r, .requests = 50};
		sample_ratio_begin(&ratio);
		for (uint32_t k = 0; k < sizeof weights / sizeof *weights; k++) {
			t.weight_bp = weights[k];
			/* the worst that is tolerated, now and then */
			t.truth = weights[k] / 10000.0 * (k % 2 && k < 5 ? 0.9 : 1);
			seconds(&ratio, &t, 30);
		}
		reached20 += t.greatest >= 20;
		off += sample_ratio_is_off(&ratio);
	}
	assert_within_its_level("steps", RUNS, reached20, off);
}

struct user {
	bool is_new;
	uint64_t left; /* requests that it still sends */
};

/* What the gateway counts of users who stay with a release: the one request of each that was drawn. */
static void sticky_tick(struct sample_ratio *ratio, struct user users[USERS], uint64_t *seed)
{
	struct sample_ratio_tick tick = {.weight_bp = 1000};
	for (uint32_t i = 0; i < USERS; i++) {
		if (users[i].left-- > 0)
			continue;
		/* some send one request, some a thousand */
		users[i].left = (uint64_t)pow(1000, chance_uniform(seed));
		users[i].is_new = chance_uniform(seed) < 0.1;
		users[i].is_new ? tick.new_done++ : tick.live_done++;
	}
	sample_ratio_tick(ratio, &tick);
}

static void heavy_users_who_stay_with_a_release_raise_no_alarm(void **state)
{
	(void)state;
	enum { RUNS = 300 };
	uint32_t reached20 = 0, off = 0;
	for (uint32_t r = 0; r < RUNS; r++) {
		struct sample_ratio ratio;
		struct user users[USERS] = {{0}};
		uint64_t seed = 31 * r + 5;
		double greatest = 0;
		sample_ratio_begin(&ratio);
		for (uint32_t i = 1; i <= 60 * TICKS; i++) {
			sticky_tick(&ratio, users, &seed);
			if (i % TICKS > 0)
				continue;
			sample_ratio_second(&ratio);
			greatest = fmax(greatest, sample_ratio_odds(&ratio));
		}
		reached20 += greatest >= 20;
		off += greatest >= 1 / SAMPLE_RATIO_LEVEL;
	}
	assert_within_its_level("users", RUNS, reached20, off);
}

/* Twenty requests a draw: after half a minute that is known, whatever the weight is by then. */
static void draws_that_many_requests_share_are_no_more_evidence_than_one(void **state)
{
	(void)state;
	enum { RUNS = 300 };
	uint32_t reached20 = 0, off = 0;
	for (uint32_t r = 0; r < RUNS; r++) {
		struct sample_ratio ratio;
		struct traffic t = {.seed = 77 * r,
				    .requests = 100,
				    .weight_bp = 500,
				    .truth = 0.05,
				    .cluster = 20};
		sample_ratio_begin(&ratio);
		for (uint32_t i = 1; i <= 30 * TICKS; i++) {
			tick(&ratio, &t);
			if (i % TICKS == 0)
				sample_ratio_second(&ratio);
		}
		t.weight_bp = 2500;
		t.truth = 0.25;
		tick(&ratio, &t);
		seconds(&ratio, &t, 60);
		reached20 += t.greatest >= 20;
		off += sample_ratio_is_off(&ratio);
	}
	assert_within_its_level("clusters", RUNS, reached20, off);
}

/* The median of so many requests until it is found, the greatest of 100 runs at most. */
static void assert_found(uint32_t weight_bp, double truth, uint64_t median)
{
	enum { RUNS = 101 };
	uint32_t soon = 0;
	for (uint32_t r = 0; r < RUNS; r++) {
		struct sample_ratio ratio;
		struct traffic t = {
			.seed = r, .requests = 5, .weight_bp = weight_bp, .truth = truth};
		sample_ratio_begin(&ratio);
		seconds(&ratio, &t, 600);
		assert_true(sample_ratio_is_off(&ratio));
		soon += t.divided <= median;
	}
	if (soon <= RUNS / 2)
		fail_msg("%u bp, %g: only %u of %d runs needed %llu requests at most", weight_bp,
			 truth, soon, RUNS, (unsigned long long)median);
}

static void a_division_that_is_off_by_a_third_is_found_soon(void **state)
{
	(void)state;
	assert_found(5000, 1.0 / 3, 500);
	assert_found(5000, 2.0 / 3, 500);
	assert_found(2500, 0.25 * 2 / 3, 1400);
	assert_found(1000, 0.1 * 2 / 3, 3500); /* 230 of the new release's */
	assert_found(1000, 0, 250);
	assert_found(1000, 1, 60);
	assert_found(9900, 0.97, 1100); /* thrice what should stay with the old release */
}

static void what_is_under_way_and_young_is_held_against_nobody(void **state)
{
	(void)state;
	struct sample_ratio ratio;
	sample_ratio_begin(&ratio);
	/* 1% before, half now; all of it takes as long as forty ticks */
	sample_ratio_tick(&ratio,
			  &(struct sample_ratio_tick){5000, .new_open = 40, .live_open = 3960});
	for (uint64_t i = 1; i <= 40; i++) {
		struct sample_ratio_tick t = {5000, .new_done = 1, .live_done = 99};
		t.new_open = 40 + 49 * i;
		t.live_open = 3960 - 49 * i;
		sample_ratio_tick(&ratio, &t);
		assert_true(sample_ratio_odds(&ratio) < 2);
	}
	assert_true(sample_ratio_known(&ratio) && !sample_ratio_is_off(&ratio));
	/* a new release that takes so long, beside a live one that answers at once */
	sample_ratio_begin(&ratio);
	sample_ratio_tick(&ratio, &(struct sample_ratio_tick){5000});
	for (uint64_t i = 1; i <= 40; i++)
		sample_ratio_tick(&ratio, &(struct sample_ratio_tick){5000, .live_done = 50,
								      .new_open = 50 * i});
	assert_true(sample_ratio_known(&ratio) && sample_ratio_odds(&ratio) < 2);
}

static void a_release_that_swallows_requests_does_not_complete_its_share(void **state)
{
	(void)state;
	struct sample_ratio ratio;
	sample_ratio_begin(&ratio);
	sample_ratio_tick(&ratio, &(struct sample_ratio_tick){5000});
	for (uint32_t i = 0; i < 30; i++) /* those of the last second are not too old yet */
		sample_ratio_tick(&ratio,
				  &(struct sample_ratio_tick){5000, .live_done = 5,
							      .new_open = i < 10 ? 5 * i : 50});
	assert_true(sample_ratio_is_off(&ratio));
}

static void without_a_division_nothing_is_asked(void **state)
{
	(void)state;
	struct sample_ratio ratio;
	static const uint32_t weights[] = {0, 10000}; /* not certain; all of it */
	sample_ratio_begin(&ratio);
	for (uint32_t i = 0; i < 200; i++) {
		sample_ratio_tick(&ratio,
				  &(struct sample_ratio_tick){weights[i % 2], .live_done = 100});
		sample_ratio_second(&ratio);
	}
	assert_false(sample_ratio_known(&ratio));
	assert_true(sample_ratio_odds(&ratio) == 1);
}

/* What is counted in the tick of the change may be of before it. */
static void another_weight_begins_anew(void **state)
{
	(void)state;
	struct sample_ratio ratio;
	struct traffic wrong = {.seed = 1, .requests = 50, .weight_bp = 1000, .truth = 0.5};
	sample_ratio_begin(&ratio);
	seconds(&ratio, &wrong, 60);
	assert_true(sample_ratio_is_off(&ratio));
	sample_ratio_tick(&ratio, &(struct sample_ratio_tick){2500, .live_done = 5000});
	assert_false(sample_ratio_known(&ratio) || sample_ratio_is_off(&ratio));
	assert_int_equal(ratio.stretch, 2);
	struct traffic right = {.seed = 1, .requests = 50, .weight_bp = 2500, .truth = 0.25};
	seconds(&ratio, &right, 60);
	assert_false(sample_ratio_is_off(&ratio));
	wrong.weight_bp = 2500;
	seconds(&ratio, &wrong, 60);
	assert_true(sample_ratio_is_off(&ratio));
}

/* The control was not there, or the gateway is being told again. */
static void a_moment_in_which_nothing_is_certain_changes_nothing(void **state)
{
	(void)state;
	struct sample_ratio ratio;
	struct traffic wrong = {.seed = 1, .requests = 50, .weight_bp = 5000, .truth = 0.3};
	sample_ratio_begin(&ratio);
	seconds(&ratio, &wrong, 60);
	struct sample_ratio before = ratio;
	assert_true(sample_ratio_is_off(&ratio));
	for (uint32_t i = 0; i < 50; i++) {
		sample_ratio_tick(&ratio, &(struct sample_ratio_tick){.live_done = 1000});
		sample_ratio_second(&ratio);
	}
	assert_true(sample_ratio_is_off(&ratio));
	/* what is under way by then may be of the pause */
	sample_ratio_tick(&ratio, &(struct sample_ratio_tick){5000, .new_done = 900, .new_open = 3,
							      .live_open = 4});
	assert_int_equal(ratio.new_done, before.new_done);
	assert_int_equal(ratio.stretch, 1);
	assert_true(sample_ratio_odds(&ratio) < sample_ratio_odds(&before));
	/* it does not outlive its weight */
	sample_ratio_tick(&ratio, &(struct sample_ratio_tick){10000});
	assert_false(sample_ratio_is_off(&ratio));
}

/* Hours in which all was well are no credit. */
static void a_division_that_goes_wrong_late_is_found_as_soon(void **state)
{
	(void)state;
	struct sample_ratio ratio;
	struct traffic t = {.seed = 8, .requests = 50, .weight_bp = 5000, .truth = 0.5};
	sample_ratio_begin(&ratio);
	seconds(&ratio, &t, 5 * SAMPLE_RATIO_STRETCH_S);
	assert_int_equal(ratio.stretch, 6);
	t.truth = 1.0 / 3;
	t.divided = 0;
	seconds(&ratio, &t, 60);
	assert_true(sample_ratio_is_off(&ratio) && t.divided < 3000);
	/* and stays found as long as it lasts */
	for (uint32_t i = 0; i < 2 * SAMPLE_RATIO_STRETCH_S; i++) {
		tick(&ratio, &t);
		sample_ratio_second(&ratio);
	}
	assert_true(sample_ratio_is_off(&ratio) && ratio.stretch == 6);
}

static void it_says_what_was_counted(void **state)
{
	(void)state;
	struct sample_ratio ratio;
	char text[512];
	struct judge_line line = {.to = text, .size = sizeof text};
	sample_ratio_begin(&ratio);
	sample_ratio_tick(&ratio, &(struct sample_ratio_tick){1000});
	for (uint32_t i = 0; i < 4; i++)
		sample_ratio_tick(&ratio, &(struct sample_ratio_tick){1000, .new_done = 103,
								      .live_done = 2397});
	sample_ratio_put(&line, &ratio);
	const char *before = "the new release completed 412 of 10,000 requests that were divided "
			     "by weight (4.12%), where its weight is 10%; the odds are over ",
		   *after = " : 1 that the gateway does not divide as it was told; nothing passes "
			    "before it is understood";
	assert_true(strncmp(text, before, strlen(before)) == 0);
	assert_non_null(strstr(text, after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_division_as_promised_is_called_wrong_as_seldom_as_promised),
		cmocka_unit_test(the_level_is_that_of_all_steps_together),
		cmocka_unit_test(heavy_users_who_stay_with_a_release_raise_no_alarm),
		cmocka_unit_test(draws_that_many_requests_share_are_no_more_evidence_than_one),
		cmocka_unit_test(a_division_that_is_off_by_a_third_is_found_soon),
		cmocka_unit_test(what_is_under_way_and_young_is_held_against_nobody),
		cmocka_unit_test(a_release_that_swallows_requests_does_not_complete_its_share),
		cmocka_unit_test(without_a_division_nothing_is_asked),
		cmocka_unit_test(another_weight_begins_anew),
		cmocka_unit_test(a_moment_in_which_nothing_is_certain_changes_nothing),
		cmocka_unit_test(a_division_that_goes_wrong_late_is_found_as_soon),
		cmocka_unit_test(it_says_what_was_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
