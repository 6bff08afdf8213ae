/* SPDX-License-Identifier: Apache-2.0
 * test_decide - the judge's sentences: exact counts, what was expected, the odds. */
#include <stdio.h>
#include <string.h>

#include "../cmocka_all.h"
#include "judge/judge.h"

static struct judge judge;
static struct judge_result result;

static void feed(uint32_t ticks, struct judge_arm fresh, struct judge_arm live)
{
	struct judge_tick tick = {.elapsed_ms = 100, .cell_count = 1};
	tick.cells[0].new_release = fresh;
	tick.cells[0].live_release = live;
	for (uint32_t i = 0; i < ticks; i++)
		judge_tick(&judge, &tick);
}

static struct judge_arm arm(uint64_t requests, uint64_t errors)
{
	return (struct judge_arm){.requests = requests, .errors[JUDGE_ERROR_SERVER] = errors};
}

static void begin(void)
{
	struct judge_settings settings;
	judge_settings_default(&settings);
	judge_begin(&judge, &settings);
	/* The live release fails once in a thousand requests. */
	feed(50, arm(0, 0), arm(100, 0));
	for (int i = 0; i < 5; i++)
		feed(1, arm(0, 0), arm(100, 1));
	result = (struct judge_result){0};
}

static void decide(void)
{
	judge_decide(&judge, &result);
}

static void assert_says(const char *part)
{
	if (!strstr(result.sentence, part))
		fail_msg("\"%s\" does not say \"%s\"", result.sentence, part);
}

static void nothing_yet(void **state)
{
	(void)state;
	begin();
	decide();
	assert_int_equal(result.verdict, JUDGE_VERDICT_TOO_LITTLE);
	assert_string_equal(result.sentence, "the new release has had no request yet");
}

static void too_early_says_what_would_decide(void **state)
{
	(void)state;
	begin();
	feed(3, arm(10, 0), arm(90, 0));
	decide();
	assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
	assert_says("0 of 30 requests (0%) failed, none would have been expected; of the live "
		    "release 0 of 270 (0%); too early to say: the odds are ");
	assert_says(" that this release is fine (100 : 1 passes), and 1 : ");
	assert_says(" that it is worse (1,000 : 1 fails)");
}

static void a_bad_release_is_told_from_what_was_expected(void **state)
{
	(void)state;
	begin();
	do {
		feed(1, arm(10, 1), arm(90, 0));
		decide();
	} while (result.verdict == JUDGE_VERDICT_GO_ON && judge.new_requests < 1000);
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "errors");
	char counts[64];
	snprintf(counts, sizeof counts, "%u of %u requests (10%%) failed (%u answered 5xx), ",
		 (unsigned)judge.new_requests / 10, (unsigned)judge.new_requests,
		 (unsigned)judge.new_requests / 10);
	assert_int_equal(strncmp(result.sentence, counts, strlen(counts)), 0);
	assert_says(" would have been expected; of the live release 0 of ");
	assert_says("; the odds are ");
	assert_says(" : 1 that this release is worse");
}

static void every_cause_is_named(void **state)
{
	struct judge_arm bad = {.requests = 10,
				.errors = {[JUDGE_ERROR_SERVER] = 2, [JUDGE_ERROR_TIMEOUT] = 1}};
	(void)state;
	begin();
	feed(20, bad, arm(90, 0));
	decide();
	assert_says("60 of 200 requests (30%) failed (40 answered 5xx, 20 timed out), 0.");
}

static void a_fine_release_is_told_with_both_odds(void **state)
{
	(void)state;
	begin();
	struct judge_slot fast = {.bucket = 100, .count = 50};
	struct judge_arm quick = arm(50, 0);
	quick.slots = &fast;
	quick.slot_count = 1;
	feed(50, arm(0, 0), quick);
	do {
		feed(1, quick, quick);
		decide();
	} while (result.verdict == JUDGE_VERDICT_GO_ON && judge.new_requests < 20000);
	assert_int_equal(result.verdict, JUDGE_VERDICT_PASS);
	assert_says("requests (0%) failed, ");
	assert_says(" : 1 that this release is fine, and ");
	assert_says(" that it is worse");
}

static void without_a_live_release_that_is_said(void **state)
{
	struct judge_settings settings;
	(void)state;
	judge_settings_default(&settings);
	judge_begin(&judge, &settings);
	feed(10, arm(1, 0), arm(0, 0));
	decide();
	assert_says("0 of 10 requests (0%) failed; there is no live release to compare with; ");
}

/* Half of what its weight promises: whatever its answers are like, nobody knows whom they were taken from. */
static void a_division_that_is_off_lets_nothing_pass(void **state)
{
	struct judge_tick tick = {.elapsed_ms = 100, .cell_count = 1};
	(void)state;
	begin();
	tick.cells[0].new_release = arm(25, 0);
	tick.cells[0].live_release = arm(75, 0);
	tick.division = (struct sample_ratio_tick){.weight_bp = 2500};
	judge_tick(&judge, &tick);
	tick.division.new_done = 25;
	tick.division.live_done = 75;
	for (int i = 0; i < 100; i++)
		judge_tick(&judge, &tick);
	decide();
	assert_int_equal(result.verdict, JUDGE_VERDICT_PASS);
	tick.division.weight_bp = 5000;
	for (int i = 0; i < 101; i++)
		judge_tick(&judge, &tick);
	decide();
	assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
	assert_says("the new release completed 2,500 of 10,000 requests that were divided by "
		    "weight (25%), where its weight is 50%; the odds are over ");
	assert_says(" : 1 that the gateway does not divide as it was told; nothing passes before "
		    "it is understood");
	/* that it is bad is sure all the same: errors are compared within the moment */
	tick.cells[0].new_release = arm(25, 25);
	for (int i = 0; i < 10; i++)
		judge_tick(&judge, &tick);
	decide();
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
}

static void a_release_that_gets_nothing_of_its_share_is_told(void **state)
{
	struct judge_tick tick = {.elapsed_ms = 100, .cell_count = 1};
	(void)state;
	begin();
	tick.cells[0].live_release = arm(100, 0);
	tick.division = (struct sample_ratio_tick){.weight_bp = 1000, .live_done = 100};
	for (int i = 0; i < 20; i++)
		judge_tick(&judge, &tick);
	decide();
	assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
	assert_says("the new release completed 0 of 1,900 requests that were divided by weight "
		    "(0%), where its weight is 10%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_yet),
		cmocka_unit_test(too_early_says_what_would_decide),
		cmocka_unit_test(a_bad_release_is_told_from_what_was_expected),
		cmocka_unit_test(every_cause_is_named),
		cmocka_unit_test(a_fine_release_is_told_with_both_odds),
		cmocka_unit_test(without_a_live_release_that_is_said),
		cmocka_unit_test(a_division_that_is_off_lets_nothing_pass),
		cmocka_unit_test(a_release_that_gets_nothing_of_its_share_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
