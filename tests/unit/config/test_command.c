/* SPDX-License-Identifier: Apache-2.0
 * test_command - a run becomes exactly the argv that was meant, and never a shell's business. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "config/command.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct app_variable variables[] = {
	{"PORT", "8080"}, {"PORT_ADMIN", "9090"}, {"TWO", "a b"}, {"EVIL", "$PORT '; rm"}};

/* The words in [], one after the other. */
static const char *expand(const struct app_command *command)
{
	static char text[4096];
	struct command_argv argv;
	struct error err = {0};
	size_t used = 0;
	if (command_expand(command, variables, COUNT(variables), &argv, &err) < 0) {
		snprintf(text, sizeof text, "%s", err.text);
		return text;
	}
	for (uint32_t i = 0; i < argv.count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "[%s]", argv.items[i]);
	assert_null(argv.items[argv.count]);
	command_argv_done(&argv);
	return text;
}

static const char *expand_line(const char *line)
{
	struct app_command command = {.line = line};
	return expand(&command);
}

static void a_line_is_split_and_its_variables_put_in(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"bin/server --port $PORT", "[bin/server][--port][8080]"},
		{"  a\t b  ", "[a][b]"},
		{"a '' \"\" b", "[a][][][b]"},
		{"a 'b c' \"d e\" f\\ g", "[a][b c][d e][f g]"},
		{"a'b'\"c\"d", "[abcd]"},
		{"a \\$PORT '$PORT' \"$PORT\"", "[a][$PORT][$PORT][8080]"},
		{"$PORT_ADMIN $PORTS $PORT-1 x$PORT.", "[9090][$PORTS][8080-1][x8080.]"},
		{"$ $1 $port ${PORT} $$PORT", "[$][$1][$port][${PORT}][$8080]"},
		{"echo $TWO $EVIL", "[echo][a b][$PORT '; rm]"},
		{"echo '&&' \"|\" a;b", "[echo][&&][|][a;b]"},
		{"a \\\"b\\\\", "[a][\"b\\]"},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(expand_line(cases[i][0]), cases[i][1]);
}

static void what_cannot_be_split_is_refused(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"", "The line is empty; write the program to run."},
		{"a 'b", "The quote ' is not closed; add another one."},
		{"a \"b", "The quote \" is not closed; add another one."},
		{"a \\", "The line ends in a backslash; remove it."},
		{"a > b", "No shell runs this line, so \">\" would be an argument; write { sh: "
			  "'...' } for a "
			  "script, or quote it."},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = {0};
		assert_string_equal(expand_line(cases[i][0]), cases[i][1]);
		assert_true(command_check(cases[i][0], &err) < 0);
	}
}

static void words_have_a_bound(void **state)
{
	(void)state;
	char line[2 * COMMAND_WORDS_MAX + 4] = "";
	struct error err = {0};
	for (int i = 0; i < COMMAND_WORDS_MAX; i++)
		memcpy(line + 2 * i, "a ", 3);
	assert_int_equal(command_check(line, &err), 0);
	memcpy(line + 2 * COMMAND_WORDS_MAX, "a", 2);
	assert_int_equal(command_check(line, &err), ERR_LIMIT);
}

static void what_grows_too_long_by_its_variables_is_refused(void **state)
{
	(void)state;
	static char big[4096];
	static char line[64 * 3];
	memset(big, 'x', sizeof big - 1);
	const struct app_variable variable = {"B", big};
	for (size_t i = 0; i < 60; i++)
		memcpy(line + 3 * i, "$B ", 4);
	struct app_command command = {.line = line};
	struct command_argv argv;
	struct error err = {0};
	assert_int_equal(command_expand(&command, &variable, 1, &argv, &err), ERR_LIMIT);
}

static void arguments_are_words_as_they_are(void **state)
{
	(void)state;
	struct app_command command = {.args = {3, {"bin/server", "it's $PORT; && x", "$$TWO"}}};
	assert_string_equal(expand(&command), "[bin/server][it's 8080; && x][$a b]");
}

static void a_script_goes_to_the_shell_untouched(void **state)
{
	(void)state;
	struct app_command command = {.sh = "exec bin/server --port \"$PORT\""};
	assert_string_equal(expand(&command), "[/bin/sh][-c][exec bin/server --port \"$PORT\"]");
}

static void a_variable_is_found_where_it_is_named(void **state)
{
	(void)state;
	struct app_command line = {.line = "bin/server :$PORT"},
			   other = {.line = "bin/server $PORTS"};
	struct app_command script = {.sh = "exec bin/server ${PORT}"};
	struct app_command args = {.args = {2, {"a", "$PORT"}}};
	assert_true(command_mentions(&line, "PORT"));
	assert_false(command_mentions(&other, "PORT"));
	assert_true(command_mentions(&script, "PORT"));
	assert_true(command_mentions(&args, "PORT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_split_and_its_variables_put_in),
		cmocka_unit_test(what_cannot_be_split_is_refused),
		cmocka_unit_test(words_have_a_bound),
		cmocka_unit_test(what_grows_too_long_by_its_variables_is_refused),
		cmocka_unit_test(arguments_are_words_as_they_are),
		cmocka_unit_test(a_script_goes_to_the_shell_untouched),
		cmocka_unit_test(a_variable_is_found_where_it_is_named),
	};
	return cmocka_run_group_tests_name("config/command", tests, NULL, NULL);
}
