/* SPDX-License-Identifier: Apache-2.0
 * test_cli - the parser: what a wrong line is answered with, and what a right one means. */
#include "../cmocka_all.h"
#include "capture.h"
#include "cli/command.h"

static void a_typo_in_a_command_is_answered_with_what_was_meant(void **state)
{
	(void)state;
	assert_int_equal(DAVIT("depoly", "prod"), CLI_USAGE);
	assert_true(err_says("did you mean \"deploy\"?"));
	assert_string_equal(captured_out, "");
	assert_int_equal(DAVIT("zzzzzzzz"), CLI_USAGE);
	assert_false(err_says("did you mean"));
	assert_int_equal(DAVIT("help", "stauts"), CLI_USAGE);
	assert_true(err_says("\"status\""));
}

static void a_command_is_never_guessed_from_its_beginning(void **state)
{
	(void)state;
	assert_int_equal(DAVIT("stat"), CLI_USAGE);
	assert_int_equal(DAVIT("version", "--js"), CLI_USAGE);
}

static void a_typo_in_an_option_is_answered_with_what_was_meant(void **state)
{
	(void)state;
	assert_int_equal(DAVIT("deploy", "prod", "--stategy", "x"), CLI_USAGE);
	assert_true(err_says("did you mean --strategy?"));
	assert_int_equal(DAVIT("version", "--jsno"), CLI_USAGE);
	assert_true(err_says("did you mean --json?"));
	assert_int_equal(DAVIT("version", "-q"), CLI_USAGE);
	assert_true(err_says("no option -q"));
}

static void an_option_takes_its_value_after_a_space_or_an_equals_sign(void **state)
{
	(void)state;
	/* The value is looked at before any server is: so it was taken. */
	assert_int_equal(DAVIT("history", "--limit", "none"), CLI_USAGE);
	assert_true(err_says("not \"none\""));
	assert_int_equal(DAVIT("history", "--limit=none"), CLI_USAGE);
	assert_true(err_says("not \"none\""));
	assert_int_equal(DAVIT("history", "-n", "none"), CLI_USAGE);
	assert_true(err_says("not \"none\""));
	assert_int_equal(DAVIT("history", "--limit"), CLI_USAGE);
	assert_true(err_says("--limit needs N"));
	assert_int_equal(DAVIT("version", "--json=yes"), CLI_USAGE);
	assert_true(err_says("takes no value"));
}

/* A report that was named and is not looked at would count as clean. */
static void an_option_that_repeats_keeps_each_value(void **state)
{
	char *line[] = {"register", "--sarif", "a", "--run=1", "--sarif=b", "--run", "2"};
	struct cli cli;
	(void)state;
	assert_int_equal(cli_parse("register", 7, line, &cli), CLI_OK);
	assert_int_equal(cli.repeat_count, 2);
	assert_string_equal(cli.repeats[0], "a");
	assert_string_equal(cli.repeats[1], "b");
	assert_string_equal(cli_option(&cli, "run"), "2");
	char *many[1 + 2 * (CLI_REPEATS_MAX + 1)] = {"register"};
	for (size_t i = 0; i <= CLI_REPEATS_MAX; i++) {
		many[1 + 2 * i] = "--sarif";
		many[2 + 2 * i] = "x";
	}
	assert_int_not_equal(cli_parse("register", sizeof many / sizeof many[0], many, &cli),
			     CLI_OK);
}

static void too_few_and_too_many_arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(DAVIT("plan", "prod"), CLI_USAGE);
	assert_true(err_says("davit plan needs ENV VERSION"));
	assert_int_equal(DAVIT("version", "again"), CLI_USAGE);
	assert_true(err_says("\"again\""));
	assert_int_equal(DAVIT("releases", "mark-bad", "prod"), CLI_USAGE);
	assert_int_equal(DAVIT("releases", "prod", "v1"), CLI_USAGE);
	assert_int_equal(DAVIT("maintenance", "prod", "--on", "--off"), CLI_USAGE);
	assert_int_equal(DAVIT("maintenance", "prod", "--read-only", "--off"), CLI_USAGE);
	assert_int_equal(DAVIT("preview", "prod", "--for", "soon"), CLI_USAGE);
}

static void after_two_dashes_everything_is_an_argument(void **state)
{
	(void)state;
	assert_int_equal(DAVIT("docs", "--", "--json"), CLI_NOT_FOUND);
	assert_true(err_says("\"--json\""));
	const char *argv[] = {"davit", "exec", "prod", "--", "ls", "--help"};
	assert_false(cli_help_wanted(6, (char **)(uintptr_t)argv));
	argv[3] = "x";
	assert_true(cli_help_wanted(6, (char **)(uintptr_t)argv));
}

static void help_is_data_and_a_bare_davit_is_a_usage_error(void **state)
{
	(void)state;
	assert_int_equal(DAVIT("--help"), CLI_OK);
	assert_true(out_says("deploy"));
	assert_string_equal(captured_err, "");
	assert_int_equal(DAVIT("help", "deploy"), CLI_OK);
	assert_true(out_says("--strategy NAME"));
	assert_int_equal(DAVIT("deploy", "-h"), CLI_OK);
	assert_true(out_says("--strategy NAME"));
	assert_int_equal(davit((const char *const[]){NULL}), CLI_USAGE);
}

static void an_error_is_json_where_json_was_asked_for(void **state)
{
	(void)state;
	assert_int_equal(DAVIT("docs", "--json", "no-such-key"), CLI_NOT_FOUND);
	assert_true(out_says("{\"schema\":\"davit.v1/error\",\"error\":\"not-found\""));
	assert_true(out_says("\"exit_code\":3"));
	assert_string_equal(captured_err, "");
}

static void without_a_server_the_way_to_start_one_is_named(void **state)
{
	(void)state;
	static const char *const verbs[] = {"status", "releases", "history", "audit"};
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		assert_int_equal(DAVIT(verbs[i], "--state", "/nonexistent/davit"), CLI_UNREACHABLE);
		assert_true(err_says("davit up"));
		assert_string_equal(captured_out, "");
	}
}

static void no_colour_is_written_where_no_terminal_is(void **state)
{
	(void)state;
	assert_int_not_equal(DAVIT("doctor", "--state", "/nonexistent/davit"), CLI_USAGE);
	assert_true(out_says("kernel"));
	assert_null(strchr(captured_out, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_typo_in_a_command_is_answered_with_what_was_meant),
		cmocka_unit_test(a_command_is_never_guessed_from_its_beginning),
		cmocka_unit_test(a_typo_in_an_option_is_answered_with_what_was_meant),
		cmocka_unit_test(an_option_takes_its_value_after_a_space_or_an_equals_sign),
		cmocka_unit_test(an_option_that_repeats_keeps_each_value),
		cmocka_unit_test(too_few_and_too_many_arguments_are_refused),
		cmocka_unit_test(after_two_dashes_everything_is_an_argument),
		cmocka_unit_test(help_is_data_and_a_bare_davit_is_a_usage_error),
		cmocka_unit_test(an_error_is_json_where_json_was_asked_for),
		cmocka_unit_test(without_a_server_the_way_to_start_one_is_named),
		cmocka_unit_test(no_colour_is_written_where_no_terminal_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
