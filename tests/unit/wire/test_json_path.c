/* SPDX-License-Identifier: Apache-2.0
 * Tests of wire/json_path. */
#include <string.h>

#include "../cmocka_all.h"
#include "wire/json_path.h"

static void a_path_is_read_step_by_step(void **state)
{
	const char *at = ".services[12].x-name";
	struct json_step step;
	(void)state;
	assert_true(json_path_valid("$.services[12].x-name"));
	assert_true(json_path_next(&at, &step));
	assert_int_equal(step.size, 8);
	assert_memory_equal(step.name, "services", 8);
	assert_true(json_path_next(&at, &step));
	assert_null(step.name);
	assert_int_equal(step.index, 12);
	assert_true(json_path_next(&at, &step));
	assert_memory_equal(step.name, "x-name", 6);
	assert_string_equal(at, "");
	assert_false(json_path_next(&at, &step));
}

static void what_is_no_path_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "a",
					  "$a",
					  "$.",
					  "$..a",
					  "$.a.",
					  "$[",
					  "$[]",
					  "$[x]",
					  "$[1",
					  "$[1]x",
					  "$[-1]",
					  "$.a b",
					  "$[1000000]",
					  "$.a]",
					  "$['a']",
					  "$.a[*]",
					  "$.\x01",
					  "$[99999999999999999999]"};
	char deep[3 * JSON_PATH_STEPS_MAX + 8] = "$";
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(json_path_valid(bad[i]));
	assert_true(json_path_valid("$"));
	assert_true(json_path_valid("$[0][999999].\xc3\xa4"));
	for (int i = 0; i < JSON_PATH_STEPS_MAX; i++)
		strcat(deep, ".a");
	assert_true(json_path_valid(deep));
	assert_false(json_path_valid(strcat(deep, ".a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_read_step_by_step),
		cmocka_unit_test(what_is_no_path_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
