/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "base/buf.h"
#include "config/trigger.h"

static const struct app_trigger trigger = {
	.branch = {3, {"main", "release/", "a.b"}},
	.tag = {2, {"v*", "nightly"}},
};

static void a_branch_matches_whole_or_as_all_that_is_below(void **state)
{
	(void)state;
	assert_true(trigger_matches(&trigger, "refs/heads/main"));
	assert_true(trigger_matches(&trigger, "refs/heads/release/1.2"));
	assert_false(trigger_matches(&trigger, "refs/heads/mainly"));
	assert_false(trigger_matches(&trigger, "refs/heads/release"));
	assert_false(trigger_matches(&trigger, "refs/heads/aXb"));
	assert_false(trigger_matches(&trigger, "refs/heads/feature/main"));
}

static void a_tag_matches_whole_or_by_its_beginning(void **state)
{
	(void)state;
	assert_true(trigger_matches(&trigger, "refs/tags/v1.2.3"));
	assert_true(trigger_matches(&trigger, "refs/tags/v"));
	assert_true(trigger_matches(&trigger, "refs/tags/nightly"));
	assert_false(trigger_matches(&trigger, "refs/tags/nightly2"));
	assert_false(trigger_matches(&trigger, "refs/tags/main"));
}

static void what_has_times_waits_for_them(void **state)
{
	(void)state;
	static const struct app_trigger timed = {.branch = {1, {"main"}},
						 .schedule = {1, {"02:30"}}};
	assert_false(trigger_matches(&timed, "refs/heads/main"));
	assert_true(trigger_names(&timed, "refs/heads/main"));
	assert_true(trigger_is_timed(&timed, "refs/heads/main"));
	assert_false(trigger_is_timed(&timed, "refs/heads/other"));
	assert_false(trigger_is_timed(&trigger, "refs/heads/main"));
	assert_true(trigger_names(&trigger, "refs/heads/main"));
}

static void neither_is_the_other_and_nothing_else_is_either(void **state)
{
	(void)state;
	const struct app_trigger none = {.set = 0};
	assert_false(trigger_matches(&trigger, "refs/heads/v1.2.3"));
	assert_false(trigger_matches(&trigger, "refs/notes/main"));
	assert_false(trigger_matches(&trigger, "main"));
	assert_false(trigger_matches(&trigger, ""));
	assert_false(trigger_matches(&none, "refs/heads/main"));
}

static void only_a_ref_without_a_trigger_learns_from_the_first_branch_that_has_one(void **state)
{
	(void)state;
	struct app *app = mem_zero(1, sizeof *app);
	app->environment_count = 4;
	app->environments[0].trigger.branch = (struct app_texts){1, {"release/"}};
	app->environments[1].trigger.branch = (struct app_texts){1, {"main"}};
	app->environments[2].trigger.branch = (struct app_texts){1, {"develop"}};
	app->environments[3].trigger.tag = (struct app_texts){1, {"v*"}};
	assert_string_equal(trigger_fallback(app, "refs/heads/feature"), "main");
	assert_string_equal(trigger_fallback(app, ""), "main");
	assert_string_equal(trigger_fallback(app, "refs/tags/nightly"), "main");
	assert_null(trigger_fallback(app, "refs/heads/main"));
	assert_null(trigger_fallback(app, "refs/heads/develop"));
	assert_null(trigger_fallback(app, "refs/heads/release/1"));
	assert_null(trigger_fallback(app, "refs/tags/v1"));
	app->environments[1].trigger.schedule = (struct app_texts){1, {"02:30"}};
	assert_null(trigger_fallback(app, "refs/heads/main"));
	assert_string_equal(trigger_fallback(app, "refs/heads/feature"), "main");
	app->environment_count = 1;
	assert_null(trigger_fallback(app, "refs/heads/feature"));
	free(app);
}

static void the_environments_of_a_file_are_told_as_far_as_there_is_room(void **state)
{
	(void)state;
	char to[32], little[6];
	struct app *app = mem_zero(1, sizeof *app);
	app->environment_count = 3;
	app->environments[0].name = "dev";
	app->environments[0].trigger.branch = (struct app_texts){1, {"main"}};
	app->environments[1].name = "load";
	app->environments[2].name = "staging";
	app->environments[2].trigger.branch = (struct app_texts){1, {"main"}};
	assert_true(trigger_environments(app, "refs/heads/main", to, sizeof to));
	assert_string_equal(to, "dev, staging");
	assert_true(trigger_environments(app, "refs/heads/main", little, sizeof little));
	assert_string_equal(little, "dev, ");
	app->environments[2].trigger.schedule = (struct app_texts){1, {"02:30"}};
	assert_true(trigger_environments(app, "refs/heads/main", to, sizeof to));
	assert_string_equal(to, "dev");
	assert_true(trigger_timed_environments(app, "refs/heads/main", to, sizeof to));
	assert_string_equal(to, "staging");
	assert_false(trigger_timed_environments(app, "refs/heads/other", to, sizeof to));
	assert_false(trigger_environments(app, "refs/heads/other", to, sizeof to));
	assert_string_equal(to, "");
	free(app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_branch_matches_whole_or_as_all_that_is_below),
		cmocka_unit_test(a_tag_matches_whole_or_by_its_beginning),
		cmocka_unit_test(what_has_times_waits_for_them),
		cmocka_unit_test(neither_is_the_other_and_nothing_else_is_either),
		cmocka_unit_test(
			only_a_ref_without_a_trigger_learns_from_the_first_branch_that_has_one),
		cmocka_unit_test(the_environments_of_a_file_are_told_as_far_as_there_is_room),
	};
	return cmocka_run_group_tests_name("config/trigger", tests, NULL, NULL);
}
