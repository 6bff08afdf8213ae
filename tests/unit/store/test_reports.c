/* SPDX-License-Identifier: Apache-2.0
 * test_reports - of each commit and context only the newest is told; what was told stays known. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/reports.h"

static struct store *store;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	return store_open(":memory:", &store, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static void want(const char *kind, const char *context, uint32_t about, const char *state)
{
	struct store_report r = {
		.app = "shop", .commit = "c0ffee", .about = about, .at_unix_ms = 5};
	text_copy(r.kind, sizeof r.kind, kind);
	text_copy(r.context, sizeof r.context, context);
	text_copy(r.state, sizeof r.state, state);
	snprintf(r.description, sizeof r.description, "%u %s", about, state);
	store_begin(store);
	store_add_report(store, &r);
	assert_int_equal(store_commit(store, &err), 0);
}

/* What is due, "context about state" each; all of it is told then. */
static const char *tell_all(void)
{
	static char all[1000];
	struct store_report r;
	size_t used = 0;
	all[0] = '\0';
	while (store_report_due(store, 5, &r, &err) == 1) {
		used += (size_t)snprintf(all + used, sizeof all - used, "%s %u %s, ", r.context,
					 r.about, r.state);
		text_copy(r.outcome, sizeof r.outcome, "told");
		store_begin(store);
		store_put_report(store, &r);
		assert_int_equal(store_commit(store, &err), 0);
	}
	return all;
}

static void only_the_newest_of_a_context_is_told(void **state)
{
	(void)state;
	want("status", "davit/build", 1, "waiting");
	want("status", "davit/prod", 7, "waiting");
	want("status", "davit/build", 1, "running");
	want("status", "davit/build", 1, "passed");
	assert_string_equal(tell_all(), "davit/prod 7 waiting, davit/build 1 passed, ");
	want("status", "davit/build", 1, "passed"); /* as it was told */
	assert_string_equal(tell_all(), "");
	want("status", "davit/build", 2, "passed");
	want("status", "davit/build", 2, "passed");
	assert_string_equal(tell_all(), "davit/build 2 passed, ");
}

static void each_rollout_is_a_deployment_of_its_own(void **state)
{
	(void)state;
	uint64_t number;
	want("deployment", "davit/prod", 7, "running");
	want("deployment", "davit/prod", 8, "running");
	want("deployment", "davit/prod", 7, "failed");
	assert_string_equal(tell_all(), "davit/prod 8 running, davit/prod 7 failed, ");
	assert_int_equal(store_host_deployment(store, 7, &number, &err), 0);
	assert_int_equal(number, 0);
	store_begin(store);
	store_put_host_deployment(store, 7, 1234567890123);
	store_put_host_deployment(store, 7, 1234567890124);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(store_host_deployment(store, 7, &number, &err), 0);
	assert_int_equal(number, 1234567890124);
}

static void what_is_under_way_while_a_newer_one_comes_is_not_put_back(void **state)
{
	(void)state;
	struct store_report old;
	want("status", "davit/build", 1, "running");
	assert_int_equal(store_report_due(store, 5, &old, &err), 1);
	want("status", "davit/build", 1, "passed");
	text_copy(old.why, sizeof old.why, "away");
	store_begin(store);
	store_put_report(store, &old);
	assert_int_equal(store_commit(store, &err), 0);
	assert_string_equal(tell_all(), "davit/build 1 passed, ");
}

static void one_that_waits_is_due_later(void **state)
{
	(void)state;
	struct store_report r;
	want("status", "davit/build", 1, "running");
	assert_int_equal(store_report_due(store, 4, &r, &err), 0);
	assert_int_equal(store_report_due(store, 5, &r, &err), 1);
	r.due_unix_ms = 9;
	r.tries = 3;
	store_begin(store);
	store_put_report(store, &r);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(store_report_due(store, 8, &r, &err), 0);
	assert_int_equal(store_report_due(store, 9, &r, &err), 1);
	assert_int_equal(r.tries, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_newest_of_a_context_is_told),
		TEST(each_rollout_is_a_deployment_of_its_own),
		TEST(what_is_under_way_while_a_newer_one_comes_is_not_put_back),
		TEST(one_that_waits_is_due_later),
	};
	return cmocka_run_group_tests_name("store/reports", tests, NULL, NULL);
}
