/* SPDX-License-Identifier: Apache-2.0
 * test_url - paths below a prefix, hosts without their ports. */
#include "../cmocka_all.h"

#include <string.h>

#include "wire/url.h"

static void a_prefix_ends_at_a_segment(void **state)
{
	(void)state;
	static const struct {
		const char *path, *prefix;
		bool want;
	} rows[] = {
		{"/", "/", true},          {"/a", "/", true},         {"*", "/", true},
		{"/api", "/api", true},    {"/api/", "/api", true},   {"/api/x", "/api", true},
		{"/apix", "/api", false},  {"/ap", "/api", false},    {"/api", "/api/", true},
		{"/api/x", "/api/", true}, {"/apix", "/api/", false}, {"/API", "/api", false},
		{"/%61pi", "/api", false}, {"", "/", true},           {"/a/b", "/a/b", true},
		{"/x/a/b", "/a/b", false}, {"/a", "", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (url_path_under(rows[i].path, strlen(rows[i].path), rows[i].prefix,
				   strlen(rows[i].prefix)) != rows[i].want)
			fail_msg("%s under %s", rows[i].path, rows[i].prefix);
}

static void hosts_compare_without_case_port_and_last_dot(void **state)
{
	(void)state;
	static const struct {
		const char *authority, *name;
		bool want;
	} rows[] = {
		{"a.example", "a.example", true},
		{"A.Example:8080", "a.example", true},
		{"a.example.", "a.example", true},
		{"a.example.:80", "a.example", true},
		{"a.example:", "a.example", true},
		{"b.example", "a.example", false},
		{"a.example.org", "a.example", false},
		{"xa.example", "a.example", false},
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1:80", "10.0.0.1", true},
		{"[::1]:80", "[::1]", true},
		{"[::1]", "[::1]", true},
		{"", "a", false},
		{":80", "", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (url_host_is(rows[i].authority, strlen(rows[i].authority), rows[i].name,
				strlen(rows[i].name)) != rows[i].want)
			fail_msg("%s is %s", rows[i].authority, rows[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_ends_at_a_segment),
		cmocka_unit_test(hosts_compare_without_case_port_and_last_dot),
	};
	return cmocka_run_group_tests_name("wire/url", tests, NULL, NULL);
}
