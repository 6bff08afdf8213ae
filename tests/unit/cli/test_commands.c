/* SPDX-License-Identifier: Apache-2.0
 * test_commands - the table of verbs is whole, and everything that is made from it says all of it. */
#include <ctype.h>

#include "../cmocka_all.h"
#include "capture.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/man.h"

static void every_verb_that_was_promised_is_there(void **state)
{
	static const char *const verbs[] = {
		"init",     "up",          "serve",   "deploy",   "plan",       "status",
		"watch",    "why",         "promote", "pause",    "resume",     "abort",
		"rollback", "releases",    "config",  "history",  "logs",       "exec",
		"restart",  "maintenance", "audit",   "validate", "scan",       "schema",
		"docs",     "doctor",      "gateway", "version",  "completion", "postmortem",
		"dora",     "approve",     "reject",  "freeze",   "unfreeze",   "build"};
	(void)state;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (!cli_command_find(verbs[i]))
			fail_msg("there is no davit %s", verbs[i]);
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		char example[64];
		snprintf(example, sizeof example, "  davit %s", c->name);
		if (strncmp(c->examples, example, strlen(example)) != 0)
			fail_msg("davit %s: the first example is not of it", c->name);
		if (!c->summary[0] || strlen(c->summary) > 64 ||
		    c->summary[strlen(c->summary) - 1] == '.')
			fail_msg("davit %s: the summary is no short clause", c->name);
		if (c->run && !c->json)
			fail_msg("davit %s: nothing is said of --json", c->name);
		if (c->args_min > c->args_max || (c->args_max > 0) != (c->arguments[0] != '\0'))
			fail_msg("davit %s: arguments and their number differ", c->name);
	}
}

static void no_option_hides_another(void **state)
{
	(void)state;
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		assert_null(c->options[CLI_OPTIONS_MAX - 1].name);
		for (const struct cli_option *o = c->options; o->name; o++) {
			for (const struct cli_option *p = o + 1; p->name; p++)
				if (strcmp(o->name, p->name) == 0 ||
				    (o->letter && o->letter == p->letter))
					fail_msg("davit %s: --%s and --%s", c->name, o->name,
						 p->name);
			for (const struct cli_option *p = cli_global_options; p->name; p++)
				if (strcmp(o->name, p->name) == 0 ||
				    (o->letter && o->letter == p->letter))
					fail_msg("davit %s: --%s is global", c->name, o->name);
		}
	}
}

/* Help, the man page, the reference, and the completions of three shells. */
static void every_option_is_in_all_that_is_made_of_the_table(void **state)
{
	static const char *const shells[] = {"bash", "zsh", "fish"};
	struct buf scripts[3], reference;
	(void)state;
	buf_init(&reference, MAN_PAGE_MAX);
	reference_cli(&reference);
	for (size_t i = 0; i < 3; i++) {
		buf_init(&scripts[i], COMPLETION_MAX);
		assert_true(completion_script(shells[i], &scripts[i]));
		assert_false(scripts[i].overflowed);
	}
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		struct buf page;
		buf_init(&page, MAN_PAGE_MAX);
		man_command(c, &page);
		assert_int_equal(DAVIT("help", c->name), CLI_OK);
		for (const struct cli_option *o = c->options; o->name; o++) {
			char words[6][160];
			snprintf(words[0], sizeof words[0], "--%s", o->name);
			snprintf(words[1], sizeof words[1], "Fl -%s%s%s\n", o->name,
				 o->argument ? " Ar " : "", o->argument ? o->argument : "");
			snprintf(words[2], sizeof words[2], "`--%s%s%s`", o->name,
				 o->argument ? " " : "", o->argument ? o->argument : "");
			snprintf(words[3], sizeof words[3], "--%s ", o->name);
			snprintf(words[4], sizeof words[4], "'--%s[", o->name);
			snprintf(words[5], sizeof words[5], "from %s' -l %s", c->name, o->name);
			if (!out_says(words[0]) || !strstr(page.data, words[1]) ||
			    !strstr(reference.data, words[2]))
				fail_msg("davit %s: --%s is in no help, page or reference", c->name,
					 o->name);
			for (size_t i = 0; i < 3; i++)
				if (!strstr(scripts[i].data, words[3 + i]))
					fail_msg("davit %s: %s does not complete --%s", c->name,
						 shells[i], o->name);
		}
		buf_done(&page);
	}
	for (size_t i = 0; i < 3; i++)
		buf_done(&scripts[i]);
	buf_done(&reference);
}

static void every_verb_is_in_the_overview_and_completed(void **state)
{
	struct buf bash, page;
	char words[80];
	(void)state;
	buf_init(&bash, COMPLETION_MAX);
	buf_init(&page, MAN_PAGE_MAX);
	assert_true(completion_script("bash", &bash));
	assert_false(completion_script("tcsh", &bash));
	man_davit(&page);
	assert_int_equal(DAVIT("help"), CLI_OK);
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		snprintf(words, sizeof words, "  %s ", c->name);
		assert_true(out_says(words));
		snprintf(words, sizeof words, "\t%s)\n", c->name);
		assert_non_null(strstr(bash.data, words));
		snprintf(words, sizeof words, ".It Xr davit-%s 1\n", c->name);
		assert_non_null(strstr(page.data, words));
	}
	buf_done(&bash);
	buf_done(&page);
}

static void every_exit_code_is_explained_once(void **state)
{
	static const enum cli_exit codes[] = {
		CLI_OK,        CLI_UNEXPECTED,    CLI_USAGE,       CLI_NOT_FOUND, CLI_DENIED,
		CLI_CONFLICT,  CLI_UNREACHABLE,   CLI_ROLLED_BACK, CLI_DEGRADED,  CLI_REJECTED,
		CLI_CANCELLED, CLI_STILL_RUNNING, CLI_DETACHED};
	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		int count = 0;
		for (const struct cli_exit_meaning *e = cli_exits; e->name; e++)
			count += e->code == codes[i];
		assert_int_equal(count, 1);
	}
}

static void text_in_a_page_is_no_macro_and_keeps_its_lines_short(void **state)
{
	struct buf page;
	(void)state;
	buf_init(&page, MAN_PAGE_MAX);
	man_put_text(&page,
		     ".Dd is a macro. Here it is none.\nA \\ and --json, in `bold words` too.");
	assert_string_equal(page.data, "\\&.Dd is a macro.\nHere it is none.\n.Pp\n"
				       "A \\e and \\-\\-json, in \\fBbold words\\fR too.\n");
	buf_clear(&page);
	for (int i = 0; i < 40; i++)
		man_put_text(
			&page,
			"one-of-many many-words-with-dashes and so on and on and on and on and on "
			"and on, davit.yaml e.g. in `a b c d e f g` etc. etc.");
	for (char *line = page.data, *end; (end = strchr(line, '\n')); line = end + 1)
		assert_true(end - line <= 80);
	buf_done(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_that_was_promised_is_there),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(no_option_hides_another),
		cmocka_unit_test(every_option_is_in_all_that_is_made_of_the_table),
		cmocka_unit_test(every_verb_is_in_the_overview_and_completed),
		cmocka_unit_test(every_exit_code_is_explained_once),
		cmocka_unit_test(text_in_a_page_is_no_macro_and_keeps_its_lines_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
