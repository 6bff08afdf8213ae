/* SPDX-License-Identifier: Apache-2.0
 * Tests of wire/query.c: values of a query, and paths that lead to no other host. */
#include <string.h>

#include "../cmocka_all.h"
#include "base/err.h"
#include "wire/query.h"

static char out[64];

static int value(const char *query, const char *name)
{
	return query_value(query, strlen(query), name, out, sizeof out);
}

static void a_value_is_found_by_its_name_and_decoded(void **state)
{
	(void)state;
	assert_int_equal(value("token=1.ab&to=/x", "token"), 4);
	assert_string_equal(out, "1.ab");
	assert_int_equal(value("token=1.ab&to=/x", "to"), 2);
	assert_string_equal(out, "/x");
	assert_int_equal(value("a&&to=%2Fb%3fc=1%26d+e", "to"), 10);
	assert_string_equal(out, "/b?c=1&d+e");
	assert_int_equal(value("to=&to=/x", "to"), 0);
	assert_string_equal(out, "");
	assert_int_equal(value("", "to"), ERR_NOT_FOUND);
	assert_int_equal(value("to", "to"), ERR_NOT_FOUND);
	assert_int_equal(value("xto=1&too=2", "to"), ERR_NOT_FOUND);
	assert_int_equal(value("to=%", "to"), ERR_INVALID);
	assert_int_equal(value("to=%2", "to"), ERR_INVALID);
	assert_int_equal(value("to=%2&b=1", "to"), ERR_INVALID);
	assert_int_equal(value("to=%zz", "to"), ERR_INVALID);
	assert_int_equal(value("to=a%00b", "to"), ERR_INVALID);
}

static void a_value_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	char small[4];
	assert_int_equal(query_value("a=123", 5, "a", small, sizeof small), 3);
	assert_int_equal(query_value("a=1234", 6, "a", small, sizeof small), ERR_LIMIT);
	assert_int_equal(query_local_path("/12", small, sizeof small), 3);
	assert_int_equal(query_local_path("/123", small, sizeof small), ERR_LIMIT);
	assert_int_equal(query_local_path("/ ", small, sizeof small), ERR_LIMIT);
}

static void only_paths_of_this_host_pass(void **state)
{
	static const char *const others[] = {"",
					     "x",
					     "http://evil.example/",
					     "//evil.example",
					     "///evil.example",
					     "/\\evil.example",
					     "\\\\evil.example",
					     "/a\\b",
					     "/\tevil",
					     "/\t/evil.example",
					     "/a\r\nSet-Cookie: a=b",
					     "/\x7f",
					     "javascript:alert(1)"};
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(query_local_path(others[i], out, sizeof out), ERR_INVALID);
	assert_int_equal(query_local_path("/", out, sizeof out), 1);
	assert_string_equal(out, "/");
	assert_int_equal(query_local_path("/a//b?x=http://c#d", out, sizeof out), 18);
	assert_string_equal(out, "/a//b?x=http://c#d");
	assert_int_equal(query_local_path("/caf\xc3\xa9 1", out, sizeof out), 14);
	assert_string_equal(out, "/caf%C3%A9%201");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_found_by_its_name_and_decoded),
		cmocka_unit_test(a_value_that_does_not_fit_is_refused),
		cmocka_unit_test(only_paths_of_this_host_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
