/* SPDX-License-Identifier: Apache-2.0
 * Tests of control/answer_diff.h: where two answers differ, and what of it is shown. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/answer_diff.h"
#include "link/shadow_pair.h"

static struct answer_rules rules;
static struct answer_differences found;

static bool compare(const char *live, const char *fresh)
{
	found.count = 0;
	return answer_diff_json(&rules, live, strlen(live), fresh, strlen(fresh), &found);
}

static void is(uint32_t at, const char *place, enum answer_kind kind, const char *live,
	       const char *fresh)
{
	assert_true(at < found.count);
	assert_string_equal(found.items[at].place, place);
	assert_int_equal(found.items[at].kind, kind);
	assert_string_equal(found.items[at].live, live);
	assert_string_equal(found.items[at].fresh, fresh);
}

static void what_says_the_same_is_the_same(void **state)
{
	(void)state;
	assert_true(
		compare("{\"a\": 1, \"b\": [1.0, true, null]}", " {\"b\":[1,true,null],\"a\":1}"));
	assert_int_equal(found.count, 0);
	assert_false(compare("{", "{}"));
	assert_false(compare("{}", "no JSON"));
	assert_int_equal(found.count, 0);
}

static void each_place_is_told_once_with_its_kind(void **state)
{
	(void)state;
	compare("{\"items\": [{\"price\": 1}, {\"price\": 2}], \"gone\": true, \"t\": 1, \"l\": "
		"[1]}",
		"{\"items\": [{\"price\": 3}, {\"price\": 4}], \"more\": \"x\", \"t\": \"1\", "
		"\"l\": []}");
	assert_int_equal(found.count, 5);
	is(0, "$.items[].price", ANSWER_VALUE, "1", "3");
	is(1, "$.gone", ANSWER_MISSING, "true", "");
	is(2, "$.t", ANSWER_TYPE, "1", "1");
	is(3, "$.l", ANSWER_LENGTH, "[1]", "[0]");
	is(4, "$.more", ANSWER_EXTRA, "", "x");
}

static void paths_to_be_ignored_are_left_out_with_all_below_them(void **state)
{
	(void)state;
	rules.ignore.count = 1;
	text_copy(rules.ignore.items[0], ANSWER_PLACE_SIZE, "$.at");
	compare("{\"at\": {\"day\": 1}, \"atoll\": 1}", "{\"at\": {\"day\": 2}, \"atoll\": 2}");
	assert_int_equal(found.count, 1);
	is(0, "$.atoll", ANSWER_VALUE, "1", "2");
	rules.ignore.count = 0;
}

static void secrets_are_never_shown(void **state)
{
	(void)state;
	rules.hide.count = rules.secret_count = 1;
	text_copy(rules.hide.items[0], ANSWER_PLACE_SIZE, "$.customer");
	text_copy(rules.secrets[0], ANSWER_SECRET_SIZE, "canary-58d2");
	compare("{\"customer\": {\"name\": \"Ann\"}, \"password\": \"x\", \"note\": \"is "
		"canary-58d2\", \"canary-58d2\": 1}",
		"{\"customer\": {\"name\": \"Bob\"}, \"password\": \"y\", \"note\": \"is other\", "
		"\"canary-58d2\": 2}");
	assert_int_equal(found.count, 4);
	is(0, "$.customer.name", ANSWER_VALUE, "***", "***");
	is(1, "$.password", ANSWER_VALUE, "***", "***");
	is(2, "$.note", ANSWER_VALUE, "***", "is other");
	is(3, "$.*", ANSWER_VALUE, "1", "2");
	rules.hide.count = rules.secret_count = 0;
}

static void deep_wide_and_long_ones_stay_within_bounds(void **state)
{
	(void)state;
	char deep[2][4096] = {"", ""}, wide[2][8192], name[300];
	for (int i = 0; i < 300; i++) {
		strcat(deep[0], "[");
		strcat(deep[1], "[");
	}
	strcat(deep[0], "1");
	strcat(deep[1], "2");
	for (int i = 0; i < 300; i++) {
		strcat(deep[0], "]");
		strcat(deep[1], "]");
	}
	assert_true(compare(deep[0], deep[1]));
	assert_int_equal(found.count, 1);
	for (int side = 0; side < 2; side++) {
		strcpy(wide[side], "{\"a\": 0");
		for (int i = 0; i < 100; i++)
			snprintf(wide[side] + strlen(wide[side]), 64, ", \"m%d\": %d", i, side);
		strcat(wide[side], "}");
	}
	compare(wide[0], wide[1]);
	assert_int_equal(found.count, ANSWER_DIFFERENCES_MAX);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	snprintf(wide[0], sizeof wide[0], "{\"%s\": \"%s\"}", name, name);
	snprintf(wide[1], sizeof wide[1], "{\"%s\": 1}", name);
	compare(wide[0], wide[1]);
	is(0, "$", ANSWER_VALUE, "", "");
}

static void heads_and_other_bodies_are_compared_too(void **state)
{
	static struct shadow_pair pair;
	(void)state;
	pair = (struct shadow_pair){.field_count = 2, .body_differs = true};
	text_copy(pair.fields[0].name, TABLE_NAME_SIZE, "location");
	text_copy(pair.fields[0].value[0], SHADOW_VALUE_SIZE, "/a");
	text_copy(pair.fields[0].value[1], SHADOW_VALUE_SIZE, "/b");
	text_copy(pair.fields[1].name, TABLE_NAME_SIZE, "set-cookie");
	text_copy(pair.fields[1].value[1], SHADOW_VALUE_SIZE, "session=1");
	pair.sides[0] = (struct shadow_side){
		.status = 200, .body = "text", .body_size = 4, .body_bytes = 4};
	pair.sides[1] = (struct shadow_side){
		.status = 500, .body = "{}", .body_size = 2, .body_bytes = 70000, .cut = true};
	answer_diff(&rules, &pair, &found);
	assert_int_equal(found.count, 4);
	is(0, "status", ANSWER_VALUE, "200", "500");
	is(1, "header location", ANSWER_VALUE, "/a", "/b");
	is(2, "header set-cookie", ANSWER_VALUE, "***", "***");
	is(3, "body", ANSWER_BYTES, "4 bytes", "70000 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_says_the_same_is_the_same),
		cmocka_unit_test(each_place_is_told_once_with_its_kind),
		cmocka_unit_test(paths_to_be_ignored_are_left_out_with_all_below_them),
		cmocka_unit_test(secrets_are_never_shown),
		cmocka_unit_test(deep_wide_and_long_ones_stay_within_bounds),
		cmocka_unit_test(heads_and_other_bodies_are_compared_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
