/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_branch_matches_whole_or_as_all_that_is_below),
		cmocka_unit_test(a_tag_matches_whole_or_by_its_beginning),
		cmocka_unit_test(neither_is_the_other_and_nothing_else_is_either),
	};
	return cmocka_run_group_tests_name("config/trigger", tests, NULL, NULL);
}
