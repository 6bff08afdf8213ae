/* SPDX-License-Identifier: Apache-2.0
 * A log of ticks judged again: what is counted, when it fails, and what other settings change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

#include "daemon/replay.h"

static struct replay *r;
static struct error err;

static int setup(void **state)
{
	(void)state;
	r = mem_zero(1, sizeof *r);
	replay_begin(r, &replay_as_it_was);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(r);
	return 0;
}

static void line(const char *text)
{
	if (replay_line(r, text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

static void begin(void)
{
	line("{\"davit\":\"ticks/1\"}");
	line("{\"ms\":40000,\"new\":[{}],\"live\":[{\"n\":3000,\"5xx\":4}]}");
	line("{\"ms\":20000,\"new\":[{}],\"live\":[{\"n\":3000,\"timeouts\":2}]}");
}

static void fails_one_in_ten(uint32_t times)
{
	for (uint32_t i = 0; i < times; i++)
		line("{\"ms\":1000,\"new\":[{\"n\":20,\"5xx\":1,\"resets\":1}],\"live\":[{\"n\":80}"
		     "]}");
}

static void counts_and_time_begin_with_the_new_release(void **state)
{
	(void)state;
	begin();
	assert_false(r->began);
	assert_int_equal(r->result.verdict, JUDGE_VERDICT_TOO_LITTLE);
	fails_one_in_ten(2);
	line("{\"mark\":\"step\"}");
	assert_int_equal(r->past_ms, 60000);
	assert_int_equal(r->past.requests, 6000);
	assert_int_equal(r->past.errors, 6);
	assert_int_equal(replay_time_ms(r), 2000);
	assert_int_equal(r->fresh.requests, 40);
	assert_int_equal(r->fresh.errors, 4);
	assert_int_equal(r->live.requests, 160);
	assert_int_equal(r->live.errors, 0);
}

static void classes_are_counted_together(void **state)
{
	(void)state;
	line("{\"davit\":\"ticks/1\"}");
	line("{\"ms\":100,\"new\":[{},{\"n\":2,\"hung\":1}],\"live\":[{\"n\":5},{\"n\":3,"
	     "\"connects\":2}]}");
	assert_true(r->began);
	assert_int_equal(r->fresh.requests, 2);
	assert_int_equal(r->fresh.errors, 1);
	assert_int_equal(r->live.requests, 8);
	assert_int_equal(r->live.errors, 2);
	assert_int_equal(replay_time_ms(r), 100);
}

static void a_request_that_hangs_is_something_that_it_did(void **state)
{
	(void)state;
	begin();
	line("{\"ms\":1000,\"new\":[{\"hangs\":1}],\"live\":[{\"n\":80}]}");
	assert_true(r->began);
	assert_int_equal(replay_time_ms(r), 1000);
}

/* How many of these ticks it takes. */
static uint32_t until_it_fails(void)
{
	uint32_t ticks = 0;
	while (!r->failed) {
		assert_true(judge_odds(&r->judge) < 1 / r->judge.settings.alpha && ticks < 100);
		fails_one_in_ten(1);
		ticks++;
	}
	assert_true(judge_odds(&r->judge) >= 1 / r->judge.settings.alpha);
	return ticks;
}

static void the_first_failure_is_kept(void **state)
{
	(void)state;
	char counts[64];
	begin();
	uint32_t ticks = until_it_fails();
	struct judge_result first = r->failure;
	assert_int_equal(r->failed_ms, 1000 * ticks);
	assert_int_equal(first.verdict, JUDGE_VERDICT_FAIL);
	snprintf(counts, sizeof counts, "%u of %u requests (10%%) failed", 2 * ticks, 20 * ticks);
	assert_non_null(strstr(first.sentence, counts));
	fails_one_in_ten(3);
	assert_int_equal(r->failed_ms, 1000 * ticks);
	assert_string_equal(r->failure.sentence, first.sentence);
	assert_string_not_equal(r->result.sentence, first.sentence);
}

static void other_settings_give_other_verdicts(void **state)
{
	(void)state;
	struct replay_changes changes = replay_as_it_was;
	begin();
	uint32_t usual = until_it_fails();
	changes.alpha = 0.00001;
	replay_begin(r, &changes);
	begin();
	assert_true(until_it_fails() > usual);
	assert_true(r->was.alpha == 0.001 && r->judge.settings.alpha == 0.00001);
	assert_true(r->was.beta == r->judge.settings.beta);
}

static void every_setting_is_changed(void **state)
{
	(void)state;
	const struct replay_changes changes = {0.02, 0.03, 0.5, 0.04, 0};
	replay_begin(r, &changes);
	begin();
	const struct judge_settings *now = &r->judge.settings;
	const struct judge_proportion_settings *errors =
		&now->metrics[JUDGE_METRIC_ERRORS].proportion;
	assert_true(now->alpha == 0.02 && now->beta == 0.03 && errors->ratio == 1.5 &&
		    errors->points == 0.04 && errors->fine_share == 0);
	errors = &r->was.metrics[JUDGE_METRIC_ERRORS].proportion;
	assert_true(errors->ratio == 1.25 && errors->points == 0.0002 &&
		    errors->fine_share == 0.02);
	fails_one_in_ten(3);
	assert_false(
		r->failed); /* 10 % is what 4 points and half again tolerate, not yet shown to be more */
}

static void a_line_that_is_wrong_is_not_judged(void **state)
{
	(void)state;
	begin();
	fails_one_in_ten(1);
	assert_int_equal(replay_line(r, "{}", 2, &err), ERR_INVALID);
	assert_int_equal(r->fresh.requests, 20);
	assert_int_equal(replay_time_ms(r), 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(counts_and_time_begin_with_the_new_release),
		TEST(classes_are_counted_together),
		TEST(a_request_that_hangs_is_something_that_it_did),
		TEST(the_first_failure_is_kept),
		TEST(other_settings_give_other_verdicts),
		TEST(every_setting_is_changed),
		TEST(a_line_that_is_wrong_is_not_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
