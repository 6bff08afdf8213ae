/* SPDX-License-Identifier: Apache-2.0
 * test_scan - davit scan: exit codes, and that what a report says cannot command the terminal. */
#include <stdlib.h>

#include "../cmocka_all.h"
#include "capture.h"
#include "cli/command.h"

static char path[] = "/tmp/davit-scan-cli.XXXXXX";

static void report(const char *results)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"T\"}},"
		"\"results\":[%s]}]}",
		results);
	fclose(file);
}

static int begin(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? 1 : close(fd);
}

static int end(void **state)
{
	(void)state;
	return remove(path);
}

static void exit_codes_say_pass_blocked_or_no_scan(void **state)
{
	(void)state;
	report("");
	assert_int_equal(DAVIT("scan", "check", path), CLI_OK);
	assert_true(out_says("pass: No new finding is high or worse."));
	report("{\"ruleId\":\"R\",\"level\":\"error\"}");
	assert_int_equal(DAVIT("scan", "check", path), CLI_BLOCKED);
	assert_true(out_says("blocked: 1 new finding is blocked: 1 high."));
	assert_int_equal(DAVIT("scan", "check", path, "--block-at", "critical"), CLI_OK);
	assert_int_equal(DAVIT("scan", "check", path, "--block-at", "none"), CLI_OK);
	assert_int_equal(DAVIT("scan", "check", path, "--block-at", "none", "--at-most", "high=0"),
			 CLI_BLOCKED);
	assert_int_equal(DAVIT("scan", "check", path, "--against", path), CLI_OK);
	assert_int_equal(DAVIT("scan", "check", path, "--json"), CLI_BLOCKED);
	assert_true(out_says("\"exit_code\":14"));
	assert_int_equal(DAVIT("scan", "check", "/nowhere.sarif"), CLI_USAGE);
	assert_int_equal(DAVIT("scan", "check", path, "--against", "/nowhere.sarif"), CLI_USAGE);
	assert_int_equal(DAVIT("scan", "check", path, "--block-at", "huge"), CLI_USAGE);
	assert_int_equal(DAVIT("scan", "look", path), CLI_USAGE);
	assert_int_equal(DAVIT("scan", "convert", path), CLI_USAGE);
	assert_int_equal(DAVIT("scan", "convert", "--from", "trivy", path), CLI_USAGE);
	assert_int_equal(DAVIT("scan", "convert", "--from", "cppcheck", path), CLI_USAGE);
	report("7");
	assert_int_equal(DAVIT("scan", "check", path), CLI_USAGE);
}

static void what_a_report_says_is_shown_as_what_it_is(void **state)
{
	(void)state;
	report("{\"ruleId\":\"R\\u001b[2J\",\"message\":{\"text\":\"a\\u0007\\u202eb\\nsecond\"},"
	       "\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"x\\u001b]0;"
	       "y\"}}}],"
	       "\"level\":\"error\"}");
	assert_int_equal(DAVIT("scan", "check", path), CLI_BLOCKED);
	assert_true(out_says("R\\x1b[2J"));
	assert_true(out_says("a\\x07"));
	assert_true(out_says("x%1B]0;y"));
	assert_false(out_says("\033"));
	assert_false(out_says("\a"));
	assert_false(out_says("\xe2\x80\xae"));
	assert_false(out_says("second"));
}

static void only_new_ones_are_shown_unless_all_are_asked_for(void **state)
{
	(void)state;
	report("{\"ruleId\":\"KNOWN\"}");
	assert_int_equal(DAVIT("scan", "check", path, "--against", path), CLI_OK);
	assert_false(out_says("KNOWN"));
	assert_true(out_says("0 new, 1 existing"));
	assert_int_equal(DAVIT("scan", "check", path, "--against", path, "--all"), CLI_OK);
	assert_true(out_says("KNOWN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes_say_pass_blocked_or_no_scan),
		cmocka_unit_test(what_a_report_says_is_shown_as_what_it_is),
		cmocka_unit_test(only_new_ones_are_shown_unless_all_are_asked_for),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
