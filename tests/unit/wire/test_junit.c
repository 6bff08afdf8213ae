/* SPDX-License-Identifier: Apache-2.0
 * test_junit - what test runners write, and what nobody should. */
#include "../cmocka_all.h"

#include <string.h>

#include "wire/junit.h"

static struct junit junit;
static const char *why;

static bool is_read(const char *text)
{
	why = NULL;
	return junit_read(text, strlen(text), &junit, &why);
}

static void cases_are_counted_wherever_they_stand(void **state)
{
	(void)state;
	assert_true(is_read(
		"<?xml version=\"1.0\"?>\n<!-- two runs -->\n<testsuites><testsuite tests=\"99\">"
		"<testcase classname=\"cart\" name=\"adds\"/><testcase name=\"takes\">"
		"<failure message=\"2 &lt; 3\">&amp;</failure><error/></testcase></testsuite>"
		"<testsuite><testsuite><testcase name='slow'><skipped/></testcase></testsuite>"
		"</testsuite></testsuites>"));
	assert_int_equal(junit.tests, 3);
	assert_int_equal(junit.failed, 1);
	assert_int_equal(junit.skipped, 1);
	assert_int_equal(junit.name_count, 1);
	assert_string_equal(junit.names[0], "takes");
}

static void names_have_their_class_and_known_entities(void **state)
{
	(void)state;
	assert_true(is_read("<t><testcase name=\"a &lt;b&gt; &#65;&#x20ac; &nbsp; &\" "
			    "classname=\"x.y\"><error/></testcase></t>"));
	assert_string_equal(junit.names[0], "x.y.a <b> A\xe2\x82\xac &nbsp; &");
}

static void what_looks_like_a_tag_in_text_is_none(void **state)
{
	(void)state;
	assert_true(is_read("<t><testcase name=\"a\"><system-out><![CDATA[<failure></t>]]>"
			    "</system-out><!-- <failure/> --></testcase></t>"));
	assert_int_equal(junit.tests, 1);
	assert_int_equal(junit.failed, 0);
}

static void an_empty_suite_is_no_error(void **state)
{
	(void)state;
	assert_true(is_read("<testsuites/>"));
	assert_int_equal(junit.tests, 0);
}

static void broken_files_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "is no XML"},
		{"PASS: all", "is no XML"},
		{"<testsuite><testcase name=\"a\">", "is not closed"},
		{"</testsuite>", "closes what was not opened"},
		{"<t a></t>", "has an attribute without a value"},
		{"<t a=b></t>", "has an attribute without quotes"},
		{"<t a=\"b></t>", "has a quote that is not closed"},
		{"<t", "ends within a tag"},
		{"<t></t", "ends within a tag"},
		{"<", "has a tag without a name"},
		{"<t><!-- </t>", "has a comment that is not closed"},
		{"<!DOCTYPE t [<!ENTITY a \"b\">]><t>&a;</t>", "declares entities of its own"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_false(is_read(cases[i].text));
		assert_string_equal(why, cases[i].why);
	}
}

static void more_failures_than_names_are_counted(void **state)
{
	(void)state;
	char text[8192] = "<t>";
	for (int i = 0; i < 30; i++)
		strcpy(text + strlen(text), "<testcase name=\"x\"><failure/></testcase>");
	strcpy(text + strlen(text), "</t>");
	assert_true(is_read(text));
	assert_int_equal(junit.failed, 30);
	assert_int_equal(junit.name_count, JUNIT_FAILED_MAX);
}

static void a_long_name_is_cut_and_depth_is_bounded(void **state)
{
	(void)state;
	char text[2048];
	memset(text, 0, sizeof text);
	strcpy(text, "<t><testcase name=\"");
	memset(text + strlen(text), 'x', 1000);
	strcpy(text + strlen(text), "\"><failure/></testcase></t>");
	assert_true(is_read(text));
	assert_int_equal(strlen(junit.names[0]), JUNIT_NAME_SIZE - 1);
	memset(text, 0, sizeof text);
	for (int i = 0; i <= JUNIT_DEPTH_MAX; i++)
		strcpy(text + strlen(text), "<a>");
	assert_false(is_read(text));
	assert_string_equal(why, "is too deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_are_counted_wherever_they_stand),
		cmocka_unit_test(names_have_their_class_and_known_entities),
		cmocka_unit_test(what_looks_like_a_tag_in_text_is_none),
		cmocka_unit_test(an_empty_suite_is_no_error),
		cmocka_unit_test(broken_files_are_refused_with_a_reason),
		cmocka_unit_test(more_failures_than_names_are_counted),
		cmocka_unit_test(a_long_name_is_cut_and_depth_is_bounded),
	};
	return cmocka_run_group_tests_name("junit", tests, NULL, NULL);
}
