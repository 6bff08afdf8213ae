/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/fence.h. */
#include "../cmocka_all.h"

#include "../link/gateway_example.h"
#include "gateway/fence.h"

static struct gateway_table *standing, *next;

static int set_up(void **state)
{
	(void)state;
	standing = example_table("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4");
	next = example_table("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4");
	standing->generation = 7;
	standing->environments[0].document_epoch = 3;
	standing->environments[0].document_n = 40;
	next->generation = 8;
	next->environments[0] = standing->environments[0];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	table_free(standing);
	table_free(next);
	return 0;
}

static int check(void)
{
	struct error err;
	return fence_check(standing, next, &err);
}

static void the_same_document_may_come_with_other_backends(void **state)
{
	(void)state;
	next->backends[0].state = TABLE_BACKEND_DRAINING;
	assert_int_equal(check(), 0);
}

static void a_generation_that_is_not_newer_is_refused(void **state)
{
	(void)state;
	next->generation = 7;
	assert_int_equal(check(), ERR_CONFLICT);
	next->generation = 6;
	assert_int_equal(check(), ERR_CONFLICT);
}

static void an_older_document_is_refused_and_the_epoch_comes_first(void **state)
{
	(void)state;
	next->environments[0].document_n = 39;
	assert_int_equal(check(), ERR_CONFLICT);
	next->environments[0].document_epoch = 2;
	next->environments[0].document_n = 1000;
	assert_int_equal(check(), ERR_CONFLICT);
	next->environments[0].document_epoch = 4;
	next->environments[0].document_n = 1;
	assert_int_equal(check(), 0);
}

static void a_newer_document_may_say_what_it_likes(void **state)
{
	(void)state;
	next->environments[0].document_n = 41;
	next->environments[0].mode = TABLE_MODE_PARK;
	next->releases[0].weight_bp = 0;
	next->releases[1].weight_bp = 10000;
	assert_int_equal(check(), 0);
}

static void the_same_document_may_not_say_something_else(void **state)
{
	(void)state;
	next->releases[0].weight_bp = 2000;
	next->releases[1].weight_bp = 8000;
	assert_int_equal(check(), ERR_CONFLICT);
	next->releases[0].weight_bp = 1000;
	next->releases[1].weight_bp = 9000;
	assert_int_equal(check(), 0);
	next->environments[0].mode = TABLE_MODE_MAINTENANCE;
	assert_int_equal(check(), ERR_CONFLICT);
	next->environments[0].mode = TABLE_MODE_SERVE;
	next->releases[0].id.bytes[0] = 99; /* another release with that weight */
	assert_int_equal(check(), ERR_CONFLICT);
}

static void a_release_without_weight_may_come_and_go(void **state)
{
	(void)state;
	standing->releases[0].weight_bp = next->releases[0].weight_bp = 0;
	standing->releases[1].weight_bp = next->releases[1].weight_bp = 10000;
	next->releases[0].id.bytes[0] = 99;
	assert_int_equal(check(), 0);
}

static void environments_may_come_and_go(void **state)
{
	(void)state;
	text_copy(next->environments[0].name, TABLE_NAME_SIZE, "staging");
	next->environments[0].document_epoch = 0;
	next->environments[0].document_n = 0;
	assert_int_equal(check(), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_same_document_may_come_with_other_backends),
		T(a_generation_that_is_not_newer_is_refused),
		T(an_older_document_is_refused_and_the_epoch_comes_first),
		T(a_newer_document_may_say_what_it_likes),
		T(the_same_document_may_not_say_something_else),
		T(a_release_without_weight_may_come_and_go),
		T(environments_may_come_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
