/* SPDX-License-Identifier: Apache-2.0
 * test_rules - a verdict needs data, an abort needs a reason of the release's own. */
#include "../cmocka_all.h"

#include <string.h>

#include "judge/rules.h"

static struct judge_rules rules;
static struct judge_window window;

static int setup(void **state)
{
	(void)state;
	judge_rules_default(&rules);
	memset(&window, 0, sizeof window);
	return 0;
}

static struct judge_result apply(void)
{
	struct judge_result result;
	judge_rules_apply(&rules, &window, &result);
	return result;
}

static void answers(struct judge_counts *counts, uint64_t total, uint64_t server_errors,
		    uint64_t us)
{
	counts->requests += total;
	counts->answered += total;
	counts->errors[JUDGE_ERROR_SERVER] += server_errors;
	counts->latency[histogram_index(us)] += total;
}

static void more_errors_than_allowed_fail_with_exact_counts(void **state)
{
	(void)state;
	answers(&window.new_release, 240, 12, 1000);
	answers(&window.live_release, 4800, 1, 1000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "errors");
	assert_string_equal(
		result.sentence,
		"errors 12 of 240 requests (5%) of the new release, more than 2% allowed; "
		"the live release had 1 of 4,800 (0.02%); 12 answered 5xx");
}

static void a_maximum_itself_is_allowed(void **state)
{
	(void)state;
	answers(&window.new_release, 100, 2, 1000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_PASS);
	assert_string_equal(result.rule, "");
	assert_string_equal(result.sentence,
			    "errors 2 of 100 requests (2%) of the new release, within 2% allowed");
	window.new_release.errors[JUDGE_ERROR_SERVER] = 3;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void one_request_less_than_at_least_is_too_little(void **state)
{
	(void)state;
	answers(&window.new_release, 49, 0, 1000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_TOO_LITTLE);
	assert_string_equal(result.sentence,
			    "too little traffic to judge errors: the new release has "
			    "seen 49 of the 50 requests it takes");
	window.new_release.errors[JUDGE_ERROR_SERVER] =
		1; /* all others good, that is what is allowed */
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
	answers(&window.new_release, 1, 0, 1000);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_PASS);
}

static void what_no_good_request_can_mend_fails_before_at_least(void **state)
{
	(void)state;
	window.new_release.requests = 3;
	window.new_release.errors[JUDGE_ERROR_HUNG] = 1;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
	window.new_release.errors[JUDGE_ERROR_HUNG] = 2;
	answers(&window.live_release, 400, 0, 1000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(
		result.sentence,
		"errors 2 of 2 requests (100%) of the new release, more than 2% allowed even if "
		"all "
		"others of the 50 it takes were good; the live release had 0 of 400 (0%); "
		"2 hang unanswered");
}

static void a_live_release_that_fails_as_well_is_waited_for(void **state)
{
	(void)state;
	window.new_release.errors[JUDGE_ERROR_HUNG] = 10; /* a fifth of the 50, at least */
	answers(&window.live_release, 20, 1, 1000);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
	answers(&window.live_release, 80, 14, 1000); /* 15 %: half again as bad is no news */
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
	window.new_release.errors[JUDGE_ERROR_HUNG] = 12;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
	window.new_release.errors[JUDGE_ERROR_HUNG] = 10;
	rules.errors.absolute = true;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void no_data_is_never_a_pass(void **state)
{
	(void)state;
	rules.errors.at_least = 0;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
	answers(&window.live_release, 100000, 0, 1000);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
	window.new_release.requests = 1000; /* sent, none with an outcome yet */
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
}

static void requests_that_hang_are_errors_before_any_answer(void **state)
{
	(void)state;
	window.new_release.requests = 80;
	window.new_release.errors[JUDGE_ERROR_HUNG] = 60;
	answers(&window.live_release, 4000, 0, 1000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(
		result.sentence,
		"errors 60 of 60 requests (100%) of the new release, more than 2% allowed; "
		"the live release had 0 of 4,000 (0%); 60 hang unanswered");
}

static void every_cause_counts_and_is_named(void **state)
{
	(void)state;
	answers(&window.new_release, 96, 1, 1000);
	window.new_release.errors[JUDGE_ERROR_TIMEOUT] = 1;
	window.new_release.errors[JUDGE_ERROR_CONNECT] = 1;
	window.new_release.errors[JUDGE_ERROR_RESET] = 1;
	window.new_release.errors[JUDGE_ERROR_HUNG] = 1;
	assert_int_equal(judge_outcomes(&window.new_release), 100);
	assert_int_equal(judge_errors(&window.new_release), 5);
	assert_non_null(strstr(apply().sentence,
			       "; 1 answered 5xx, 1 timed out, 1 could not connect, "
			       "1 broke off, 1 hang unanswered"));
}

static void a_shared_outage_neither_aborts_nor_passes(void **state)
{
	(void)state;
	answers(&window.new_release, 100, 30, 1000);
	answers(&window.live_release, 1000, 320, 1000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_GO_ON);
	assert_string_equal(result.rule, "errors");
	assert_non_null(strstr(result.sentence, "both are in trouble"));
	rules.errors.absolute = true;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void an_outage_of_the_live_release_does_not_excuse_a_much_worse_new_one(void **state)
{
	(void)state;
	answers(&window.new_release, 100, 30, 1000);
	answers(&window.live_release, 1000, 200, 1000); /* 30% is 1.5 times 20% */
	assert_int_equal(apply().verdict, JUDGE_VERDICT_GO_ON);
	window.live_release.errors[JUDGE_ERROR_SERVER] = 199;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void a_live_release_within_its_maximum_excuses_nothing(void **state)
{
	(void)state;
	answers(&window.new_release, 1000, 25, 1000);
	answers(&window.live_release, 1000, 20, 1000);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void a_handful_of_live_requests_excuses_nothing(void **state)
{
	(void)state;
	answers(&window.new_release, 100, 100, 1000);
	answers(&window.live_release, 49, 49, 1000);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void a_slow_release_fails_its_latency_rule(void **state)
{
	(void)state;
	rules.latency[0] =
		(struct judge_latency_rule){.quantile_bp = 9900, .at_least = 100, .max_us = 400000};
	rules.latency_count = 1;
	answers(&window.new_release, 98, 0, 20000);
	answers(&window.live_release, 12000, 0, 20000);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_TOO_LITTLE);
	assert_string_equal(apply().rule, "p99");
	answers(&window.new_release, 2, 0, 800000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "p99");
	assert_string_equal(result.sentence,
			    "p99 786 ms over 100 answers of the new release, more than 400 ms "
			    "allowed; the live release had 19.9 ms over 12,000");
}

static void the_width_of_a_bucket_is_not_held_against_a_release(void **state)
{
	(void)state;
	rules.latency[0] =
		(struct judge_latency_rule){.quantile_bp = 5000, .at_least = 50, .max_us = 400000};
	rules.latency_count = 1;
	answers(&window.new_release, 100, 0, 399999);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_PASS);
	rules.latency[0].max_us = histogram_lower_us(histogram_index(399999)) - 1;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void a_slow_live_release_excuses_an_equally_slow_new_one(void **state)
{
	(void)state;
	rules.latency[0] =
		(struct judge_latency_rule){.quantile_bp = 9000, .at_least = 50, .max_us = 400000};
	rules.latency_count = 1;
	answers(&window.new_release, 100, 0, 900000);
	answers(&window.live_release, 100, 0, 850000);
	assert_int_equal(apply().verdict, JUDGE_VERDICT_GO_ON);
	rules.latency[0].absolute = true;
	assert_int_equal(apply().verdict, JUDGE_VERDICT_FAIL);
}

static void the_gravest_rule_decides(void **state)
{
	(void)state;
	rules.latency[0] =
		(struct judge_latency_rule){.quantile_bp = 5000, .at_least = 50, .max_us = 1000};
	rules.latency_count = 1;
	answers(&window.new_release, 60, 30, 5000);
	answers(&window.live_release, 60, 30, 100);
	struct judge_result result = apply(); /* errors are shared, slowness is not */
	assert_int_equal(result.verdict, JUDGE_VERDICT_FAIL);
	assert_string_equal(result.rule, "p50");
}

static void rules_that_are_off_pass_and_say_so(void **state)
{
	(void)state;
	rules.on = false;
	answers(&window.new_release, 100, 100, 1000);
	struct judge_result result = apply();
	assert_int_equal(result.verdict, JUDGE_VERDICT_PASS);
	assert_string_equal(result.sentence,
			    "analysis is off: nothing is judged, only time passes");
}

static void quantiles_have_their_usual_names(void **state)
{
	(void)state;
	char name[JUDGE_RULE_NAME_MAX];
	assert_string_equal(judge_quantile_name(5000, name), "p50");
	assert_string_equal(judge_quantile_name(9990, name), "p99.9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
		T(more_errors_than_allowed_fail_with_exact_counts),
		T(a_maximum_itself_is_allowed),
		T(one_request_less_than_at_least_is_too_little),
		T(what_no_good_request_can_mend_fails_before_at_least),
		T(a_live_release_that_fails_as_well_is_waited_for),
		T(no_data_is_never_a_pass),
		T(requests_that_hang_are_errors_before_any_answer),
		T(every_cause_counts_and_is_named),
		T(a_shared_outage_neither_aborts_nor_passes),
		T(an_outage_of_the_live_release_does_not_excuse_a_much_worse_new_one),
		T(a_live_release_within_its_maximum_excuses_nothing),
		T(a_handful_of_live_requests_excuses_nothing),
		T(a_slow_release_fails_its_latency_rule),
		T(the_width_of_a_bucket_is_not_held_against_a_release),
		T(a_slow_live_release_excuses_an_equally_slow_new_one),
		T(the_gravest_rule_decides),
		T(rules_that_are_off_pass_and_say_so),
		T(quantiles_have_their_usual_names),
#undef T
	};
	return cmocka_run_group_tests_name("judge/rules", tests, NULL, NULL);
}
