/* SPDX-License-Identifier: Apache-2.0
 * test_convert - reports that the real tools wrote, against golden SARIF; and reports of scans that did not happen.
 * SCAN_WRITE_GOLDEN=1 writes the golden files anew: look at the difference before you commit it. */
#include "kit.h"

static const struct recorded {
	const char *tool, *file, *golden;
	convert_read *read;
	uint32_t count;
} recorded[] = {
	{"cppcheck", "cppcheck.xml", "cppcheck.golden", convert_cppcheck, 2},
	{"bandit", "bandit.json", "bandit.golden", convert_bandit, 5},
	{"shellcheck", "shellcheck.json", "shellcheck.golden", convert_shellcheck, 7},
	{"npm audit", "npm-audit.json", "npm-audit.golden", convert_npm_audit, 3},
	{"Flawfinder", "flawfinder.sarif", "flawfinder.golden", convert_sarif, 4},
};

static char *written(struct findings *list)
{
	findings_identify(list, NULL);
	json_t *document = sarif_write(list);
	char *text = json_dumps(document, JSON_INDENT(2));
	json_decref(document);
	return text;
}

static void expect_golden(const struct recorded *r, const char *text)
{
	char path[512];
	struct buf golden;
	snprintf(path, sizeof path, "%s/%s", SCAN_RECORDED, r->golden);
	if (getenv("SCAN_WRITE_GOLDEN")) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fprintf(file, "%s\n", text);
		fclose(file);
	}
	kit_file(path, &golden);
	assert_true(golden.size > 0 && golden.data[golden.size - 1] == '\n');
	golden.data[golden.size - 1] = '\0';
	assert_string_equal(text, golden.data);
	buf_done(&golden);
}

static void what_the_tools_write_becomes_sarif_that_reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
		const struct recorded *r = &recorded[i];
		struct findings list, again;
		struct error err;
		struct buf text;
		kit_recorded(r->file, &text);
		if (kit_read(r->read, buf_text(&text), &list, &err) < 0)
			fail_msg("%s: %s: %s", r->file, err.where, err.text);
		assert_int_equal(list.count, r->count);
		assert_int_equal(list.tool_count, 1);
		assert_string_equal(list.tools[0].name, r->tool);
		char *first = written(&list);
		expect_golden(r, first);
		assert_true(kit_read(convert_sarif, first, &again, &err) == 0);
		char *second = written(&again);
		assert_string_equal(first, second);
		for (uint32_t k = 0; k < list.count; k++)
			assert_string_equal(list.items[k].identity, again.items[k].identity);
		free(first);
		free(second);
		findings_done(&list);
		findings_done(&again);
		buf_done(&text);
	}
}

static void severities_are_the_documented_ones(void **state)
{
	struct findings list;
	struct error err;
	struct buf text;
	(void)state;
	kit_recorded("npm-audit.json", &text);
	assert_true(kit_read(convert_npm_audit, buf_text(&text), &list, &err) == 0);
	findings_sort(&list);
	for (uint32_t i = 0; i < list.count; i++) {
		const char *rule = list.items[i].rule;
		enum severity expected =
			strcmp(rule, "GHSA-xvch-5gv4-984h") == 0   ? SEVERITY_CRITICAL
			: strcmp(rule, "GHSA-vh95-rmgr-6w4m") == 0 ? SEVERITY_MEDIUM
								   : SEVERITY_HIGH;
		assert_int_equal(list.items[i].severity, expected);
		assert_string_equal(list.items[i].path, "package-lock.json");
	}
	findings_done(&list);
	buf_done(&text);
	/* What bandit is not sure of weighs less. */
	assert_true(kit_read(convert_bandit,
			     "{\"errors\":[],\"results\":[{\"test_id\":\"B1\",\"issue_severity\":"
			     "\"HIGH\",\"issue_confidence\":\"LOW\",\"filename\":\"./a.py\"}]}",
			     &list, &err) == 0);
	assert_int_equal(list.items[0].severity, SEVERITY_MEDIUM);
	assert_string_equal(list.items[0].path, "a.py");
	findings_done(&list);
}

static void nothing_found_is_something_else_than_no_scan(void **state)
{
	static const struct {
		convert_read *read;
		const char *text;
	} clean[] = {
		{convert_cppcheck,
		 "<?xml version=\"1.0\"?><results version=\"2\"><cppcheck version=\"2.10\"/>"
		 "<errors></errors></results>"},
		{convert_bandit, "{\"errors\":[],\"results\":[]}"},
		{convert_shellcheck, "{\"comments\":[]}"},
		{convert_npm_audit, "{\"auditReportVersion\":2,\"vulnerabilities\":{}}"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof clean / sizeof clean[0]; i++) {
		struct findings list;
		struct error err;
		assert_true(kit_read(clean[i].read, clean[i].text, &list, &err) == 0);
		assert_int_equal(list.count, 0);
		assert_int_equal(list.tool_count, 1);
		findings_done(&list);
		kit_refused(clean[i].read, "", "empty");
		kit_refused(clean[i].read, "no report", "This is not");
	}
	kit_refused(convert_bandit, "{}", "no report of bandit");
	kit_refused(
		convert_bandit,
		"{\"errors\":[{\"filename\":\"a.py\",\"reason\":\"syntax error\"}],\"results\":[]}",
		"syntax error");
	kit_refused(convert_shellcheck, "[]", "not an object");
	kit_refused(convert_npm_audit, "{\"error\":{\"code\":\"ENOLOCK\"}}", "failed");
	kit_refused(convert_npm_audit, "{\"advisories\":{}}", "auditReportVersion");
	kit_refused(convert_npm_audit, "{\"auditReportVersion\":2}", "vulnerabilities");
}

static void broken_xml_is_refused_and_expands_nothing(void **state)
{
	(void)state;
	kit_refused(convert_cppcheck, "<results version=\"2\"><errors>", "report:1");
	kit_refused(convert_cppcheck, "<results version=\"1\"></results>", "no report of cppcheck");
	kit_refused(convert_cppcheck, "<a/>", "no report of cppcheck");
	kit_refused(convert_cppcheck, "<results version=\"2\"></results>", "no <errors>");
	kit_refused(convert_cppcheck,
		    "<!DOCTYPE r [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
		    "<results version=\"2\"><errors>&b;</errors></results>",
		    "document type");
	kit_refused(convert_cppcheck,
		    "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><results version=\"2\"/>",
		    "document type");
	kit_refused(convert_cppcheck, "<results version=\"2\"><errors>&b;</errors></results>",
		    "This is not XML");
	kit_refused(convert_cppcheck,
		    "<results version=\"2\"><errors><error id=\"a\" "
		    "severity=\"new\"/></errors></results>",
		    "severity");
	kit_refused(convert_cppcheck,
		    "<results version=\"2\"><errors><error severity=\"error\"/></errors></results>",
		    "names no rule");
	kit_refused(
		convert_cppcheck,
		"<results version=\"2\"><errors><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
		"too deep");
}

static void a_format_that_is_not_there_is_told_those_that_are(void **state)
{
	convert_read *read = NULL;
	struct error err;
	(void)state;
	assert_int_equal(convert_format_find("bandit", &read, &err), 0);
	assert_ptr_equal(read, convert_bandit);
	assert_int_equal(convert_format_find("trivy", &read, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "cppcheck, bandit, shellcheck, npm-audit, sarif"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_tools_write_becomes_sarif_that_reads_back),
		cmocka_unit_test(severities_are_the_documented_ones),
		cmocka_unit_test(nothing_found_is_something_else_than_no_scan),
		cmocka_unit_test(broken_xml_is_refused_and_expands_nothing),
		cmocka_unit_test(a_format_that_is_not_there_is_told_those_that_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
