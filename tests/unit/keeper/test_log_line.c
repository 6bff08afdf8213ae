/* SPDX-License-Identifier: Apache-2.0
 * Tests of keeper/log_line: what looks like an error, and what does not. */
#include "../cmocka_all.h"

#include <string.h>

#include "keeper/log_line.h"

static void lines_that_look_like_errors_are_told_from_others(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		bool error;
	} rows[] = {
		{"ERROR", true},
		{"2026-11-25 12:00:00,000 ERROR shop.cart: no such item", true},
		{"[ERROR] no such item", true},
		{"level=ERROR msg=x", true},
		{"ERROR:root:x", true},
		{"FATAL:  the database is not there", true},
		{"CRITICAL no space", true},
		{"PANIC: x", true},
		{"Exception in thread \"main\" java.lang.Error", true},
		{"Traceback (most recent call last):", true},
		{"{\"time\":1,\"level\":\"error\",\"msg\":\"x\"}", true},
		{"{\"level\" : \"fatal\"}", true},
		{"", false},
		{"no error, all is well", false},
		{"Error: written in another way", false},
		{"ERRORS=0", false},
		{"NO_ERROR", false},
		{"xERROR", false},
		{"ERROR2", false},
		{"java.lang.NullPointerException: x", false},
		{"{\"level\":\"info\",\"msg\":\"an error\"}", false},
		{"{\"level\":\"errors\"}", false},
		{"{\"level\"", false},
		{"{\"level\":", false},
		{"{\"level\":\"error", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (log_line_is_error(rows[i].line, strlen(rows[i].line)) != rows[i].error)
			fail_msg("%s", rows[i].line);
}

static void only_the_beginning_of_a_line_is_looked_at(void **state)
{
	(void)state;
	char line[LOG_LINE_BYTES + 20];
	memset(line, ' ', sizeof line);
	memcpy(line + LOG_LINE_BYTES - 5, "ERROR", 5);
	assert_true(log_line_is_error(line, sizeof line));
	assert_true(log_line_is_error(line, LOG_LINE_BYTES));
	assert_false(log_line_is_error(line, LOG_LINE_BYTES - 1));
	line[LOG_LINE_BYTES] = 'S';
	assert_false(log_line_is_error(line, sizeof line));
	memset(line, ' ', sizeof line);
	memcpy(line + LOG_LINE_BYTES - 4, "ERROR", 5);
	assert_false(log_line_is_error(line, sizeof line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_look_like_errors_are_told_from_others),
		cmocka_unit_test(only_the_beginning_of_a_line_is_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
