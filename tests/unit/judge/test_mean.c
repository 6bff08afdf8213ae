/* SPDX-License-Identifier: Apache-2.0
 * Means of two releases: what is alike is never held against one; what is worse than tolerated is found and said. */
#include "../cmocka_all.h"

#include <string.h>

#include "chance.h"
#include "judge/judge.h"
#include "judge/samples.h"

static void samples_tell_what_one_varies_by(void **state)
{
	(void)state;
	struct judge_samples s = {0};
	assert_int_equal(judge_samples_batch(&s).requests, 0);
	/* 2 in 1, 4 in 1, 6 in 2: R = 3; residuals -1, 1, 0; 3/2 * 2 / 4 */
	judge_samples_add(&s, 1, 2);
	judge_samples_add(&s, 1, 4);
	judge_samples_add(&s, 2, 6);
	judge_samples_add(&s, 0, 100);
	judge_samples_add(&s, 1, NAN);
	struct normal_batch b = judge_samples_batch(&s);
	assert_int_equal(b.requests, 4);
	assert_true(fabs(b.mean - 3) < 1e-12 && fabs(b.variance - 0.75) < 1e-12);
}

/* Five seconds of requests, each of which takes about `mean`. */
static struct normal_batch act(uint64_t *seed, uint64_t a_second, double mean)
{
	struct judge_samples s = {0};
	for (int second = 0; second < 5; second++) {
		double sum = 0;
		for (uint64_t i = 0; i < a_second; i++)
			sum += -mean * log(chance_uniform(seed));
		judge_samples_add(&s, (double)a_second, sum);
	}
	return judge_samples_batch(&s);
}

static void run(struct judge_mean *m, uint64_t seed, int batches, double new_mean, double live_mean)
{
	for (int i = 0; i < batches; i++) {
		struct judge_mean_batch batch = {act(&seed, 5, new_mean),
						 act(&seed, 20, live_mean)};
		judge_mean_add(m, &batch);
	}
}

static const struct judge_mean_settings cpu = {
	.name = "cpu", .unit = JUDGE_UNIT_TIME, .weight = 0.1, .ratio = 1.25};
static const struct judge_mean_settings value = {
	.name = "value", .fewer = true, .weight = 0.1, .ratio = 0.9};

static void what_is_tolerated_is_not_held_against_it(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct judge_mean m;
		judge_mean_begin(&m, &cpu, 0.001);
		run(&m, seed, 120, 1250, 1000);
		assert_true(judge_mean_worse(&m) < 1000);
		judge_mean_begin(&m, &value, 0.001);
		run(&m, seed, 120, 9, 10);
		assert_true(judge_mean_worse(&m) < 1000);
	}
}

static void what_is_worse_is_found_and_said(void **state)
{
	(void)state;
	struct judge_mean m;
	char sentence[200];
	struct judge_line line = {.to = sentence, .size = sizeof sentence};
	judge_mean_begin(&m, &cpu, 0.001);
	run(&m, 1, 29, 2000, 1000);
	assert_true(fabs(judge_mean_worse(&m) - 1) < 1e-12); /* too early */
	run(&m, 2, 60, 2000, 1000);
	assert_true(judge_mean_worse(&m) > 1000);
	judge_mean_put(&line, &m);
	assert_non_null(strstr(sentence, "cpu: "));
	assert_non_null(strstr(sentence, " ms per request of the new release, "));
	judge_mean_begin(&m, &value, 0.001);
	run(&m, 3, 90, 5, 10);
	assert_true(judge_mean_worse(&m) > 1000);
	judge_mean_begin(&m, &value, 0.001);
	run(&m, 3, 90, 20, 10);
	assert_true(judge_mean_worse(&m) < 1);
}

static void one_that_never_varies_is_judged_too(void **state)
{
	(void)state;
	struct judge_mean m;
	const struct judge_mean_batch batch = {{10, 200e6, 0}, {40, 100e6, 0}};
	judge_mean_begin(&m, &cpu, 0.001);
	for (int i = 0; i < 40; i++)
		judge_mean_add(&m, &batch);
	assert_true(judge_mean_worse(&m) > 1000);
}

static void what_is_no_number_says_nothing(void **state)
{
	(void)state;
	struct judge_mean m, before;
	const struct judge_mean_batch batch = {{10, NAN, 0}, {40, 1, INFINITY}};
	judge_mean_begin(&m, &cpu, 0.001);
	before = m;
	judge_mean_add(&m, &batch);
	assert_memory_equal(&m, &before, sizeof m);
}

static void a_mean_fails_the_release_and_is_named(void **state)
{
	(void)state;
	static struct judge judge;
	struct judge_settings settings;
	struct judge_result result;
	uint64_t seed = 4;
	judge_settings_default(&settings);
	settings.means[JUDGE_MEAN_CPU] = cpu;
	judge_begin(&judge, &settings);
	for (int i = 0; i < 60; i++) {
		struct judge_tick tick = {.elapsed_ms = 1000, .cell_count = 1};
		tick.cells[0].new_release.requests = 25;
		tick.cells[0].live_release.requests = 100;
		tick.means[JUDGE_MEAN_CPU] =
			(struct judge_mean_batch){act(&seed, 5, 2000), act(&seed, 20, 1000)};
		judge_tick(&judge, &tick);
	}
	judge_decide(&judge, &result);
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "cpu");
	assert_non_null(strstr(result.sentence, "per request of the new release"));
}

static void numbers_have_three_digits(void **state)
{
	static const struct {
		enum judge_unit unit;
		double value;
		const char *text;
	} cases[] = {{JUDGE_UNIT_NUMBER, 0, "0"},
		     {JUDGE_UNIT_NUMBER, 0.03456, "0.0346"},
		     {JUDGE_UNIT_NUMBER, 2.5, "2.5"},
		     {JUDGE_UNIT_NUMBER, -12.34, "-12.3"},
		     {JUDGE_UNIT_NUMBER, 1239.6, "1,240"},
		     {JUDGE_UNIT_NUMBER, 2.003, "2"},
		     {JUDGE_UNIT_BYTES, 1023, "1,023 B"},
		     {JUDGE_UNIT_BYTES, 1.5 * 1024 * 1024, "1.5 MiB"},
		     {JUDGE_UNIT_TIME, 1900, "1.9 ms"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[40];
		struct judge_line line = {.to = text, .size = sizeof text};
		judge_unit_put(&line, cases[i].unit, cases[i].value);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_tell_what_one_varies_by),
		cmocka_unit_test(what_is_tolerated_is_not_held_against_it),
		cmocka_unit_test(what_is_worse_is_found_and_said),
		cmocka_unit_test(one_that_never_varies_is_judged_too),
		cmocka_unit_test(what_is_no_number_says_nothing),
		cmocka_unit_test(a_mean_fails_the_release_and_is_named),
		cmocka_unit_test(numbers_have_three_digits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
