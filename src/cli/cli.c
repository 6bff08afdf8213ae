/* SPDX-License-Identifier: Apache-2.0
 * cli - see cli.h for the contract: the parser, help and errors, all from the table of commands. */
#include "cli/cli.h"

#include <jansson.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"

enum { COMMANDS_MAX = 64 };

const struct cli_option cli_global_options[] = {
	{"json", 0, NULL, "answers and errors as JSON (JSON Lines when following)"},
	{"state", 0, "DIR",
	 "the server's state directory (default: $DAVIT_STATE, ./.davit, /var/lib/davit)"},
	{"host", 0, "ADDRESS",
	 "a server elsewhere: ssh://[USER@]HOST[:PORT][/STATE/DIR], or https://HOST[:PORT] with a "
	 "token in $DAVIT_TOKEN (default: $DAVIT_HOST)"},
	{"no-color", 0, NULL, "no colours (as NO_COLOR in the environment)"},
	{"help", 'h', NULL, "this text"},
	{NULL, 0, NULL, NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

/* Takes what stands before the verb: `davit --state DIR status` is `davit status --state DIR`. */
void cli_verb_first(int argc, char **argv)
{
	int verb = 1;
	while (verb < argc && argv[verb][0] == '-') {
		const char *name = argv[verb][1] == '-' ? argv[verb] + 2 : "";
		const struct cli_option *o = cli_global_options;
		while (o->name && strcmp(o->name, name) != 0)
			o++;
		if (!o->name || strcmp(name, "help") == 0)
			return;
		verb += o->argument ? 2 : 1;
	}
	if (verb >= argc)
		return;
	char *word = argv[verb];
	memmove(argv + 2, argv + 1, sizeof argv[0] * (size_t)(verb - 1));
	argv[1] = word;
}

bool cli_help_wanted(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return false;
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

const char *cli_option(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < CLI_OPTIONS_MAX && cli->command->options[i].name; i++)
		if (strcmp(cli->command->options[i].name, name) == 0)
			return cli->values[i];
	ASSERT(!"an option of the command");
	return NULL;
}

const char *cli_arg(const struct cli *cli, uint32_t index)
{
	return index < cli->arg_count ? cli->args[index] : NULL;
}

int cli_exit_of(enum err code)
{
	switch (code) {
	case ERR_OK: return CLI_OK;
	case ERR_INVALID:
	case ERR_UNSUPPORTED: return CLI_USAGE;
	case ERR_NOT_FOUND: return CLI_NOT_FOUND;
	case ERR_DENIED: return CLI_DENIED;
	case ERR_CONFLICT: return CLI_CONFLICT;
	case ERR_UNAVAILABLE:
	case ERR_CLOSED: return CLI_UNREACHABLE;
	case ERR_TIMEOUT: return CLI_STILL_RUNNING;
	case ERR_LIMIT:
	case ERR_RETRY:
	case ERR_CORRUPT:
	case ERR_NO_SPACE:
	case ERR_INTERNAL: return CLI_UNEXPECTED;
	}
	return CLI_UNEXPECTED;
}

int cli_fail(const struct cli *cli, const struct error *err, const char *next)
{
	int code = cli_exit_of(err->code);
	if (cli && cli->json) {
		json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:i}", "schema", "davit.v1/error", "error",
				      err_name(err->code), "message", err->text, "where",
				      err->where, "exit_code", code);
		if (o && next)
			json_object_set_new(o, "next", json_string(next));
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
		return code;
	}
	if (err->where[0])
		fprintf(stderr, "davit: %s: %s\n", err->where, err->text);
	else
		fprintf(stderr, "davit: %s\n", err->text);
	if (next)
		fprintf(stderr, "Next: %s\n", next);
	return code;
}

static void print_options(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++) {
		char left[64];
		snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : " ",
			 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			 o->argument ? " " : "", o->argument ? o->argument : "");
		printf("  %-26s %s\n", left, o->help);
	}
}

void cli_print_help(const struct cli_command *c)
{
	printf("davit %s%s%s - %s\n", c->name, c->arguments[0] ? " " : "", c->arguments,
	       c->summary);
	if (c->examples[0])
		printf("\n%s\n", c->examples);
	if (c->details[0])
		printf("\n%s\n", c->details);
	if (c->options[0].name) {
		puts("\nOptions");
		print_options(c->options);
	}
	if (c->json)
		printf("\nWith --json\n  %s\n", c->json);
	puts("\nOptions of every command");
	print_options(cli_global_options);
}

void cli_print_overview(void)
{
	puts("davit lowers a release into production slowly, and hoists it back when it takes "
	     "water.\n\n"
	     "  davit init              # write a davit.yaml for this repository\n"
	     "  davit up                # run the server here, state in ./.davit\n"
	     "  davit deploy prod .     # put this directory live in prod, step by step\n"
	     "  davit rollback prod     # back to the last good release, at once\n\nCommands");
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));)
		printf("  %-12s %s\n", c->name, c->summary);
	puts("\n\"davit COMMAND --help\" explains one; \"man davit\" all of them.");
}

/* --- the parser */

static int bad_usage(const struct cli *cli, struct error *err)
{
	char next[80];
	snprintf(next, sizeof next, "davit %s --help", cli->command->name);
	return cli_fail(cli, err, next);
}

static bool global_switch(struct cli *cli, const char *name, const char *value)
{
	if (strcmp(name, "json") == 0)
		cli->json = true;
	else if (strcmp(name, "no-color") == 0)
		cli->colour = false;
	else if (strcmp(name, "state") == 0)
		cli->state = value;
	else if (strcmp(name, "host") == 0)
		cli->host = value;
	else
		return false;
	return true;
}

static const struct cli_option *find_option(const struct cli_option *options, const char *name,
					    size_t length, char letter)
{
	for (const struct cli_option *o = options; o->name; o++)
		if (letter ? o->letter == letter
			   : strlen(o->name) == length && strncmp(o->name, name, length) == 0)
			return o;
	return NULL;
}

static int unknown_option(const struct cli *cli, const char *text, struct error *err)
{
	const char *names[CLI_OPTIONS_MAX + 8];
	size_t count = 0;
	for (const struct cli_option *o = cli->command->options; o->name; o++)
		names[count++] = o->name;
	for (const struct cli_option *o = cli_global_options; o->name; o++)
		names[count++] = o->name;
	const char *meant = text_starts(text, "--") ? text_suggest(text + 2, names, count) : NULL;
	return meant ? error_set(err, ERR_INVALID, "davit %s has no option %s; did you mean --%s?",
				 cli->command->name, text, meant)
		     : error_set(err, ERR_INVALID, "davit %s has no option %s.", cli->command->name,
				 text);
}

static int take_repeated(struct cli *cli, const struct cli_option *o, const char *value,
			 struct error *err)
{
	if (!cli->command->repeats || strcmp(cli->command->repeats, o->name) != 0)
		return 0;
	if (cli->repeat_count == CLI_REPEATS_MAX)
		return error_set(err, ERR_LIMIT, "The option --%s is given more than %d times.",
				 o->name, CLI_REPEATS_MAX);
	cli->repeats[cli->repeat_count++] = value;
	return 0;
}

/* One option at argv[*at]; takes its argument too. */
static int take_option(struct cli *cli, int argc, char **argv, int *at, struct error *err)
{
	const char *text = argv[*at], *value = NULL;
	bool longer = text[1] == '-';
	const char *name = longer ? text + 2 : text + 1,
		   *equals = longer ? strchr(name, '=') : NULL;
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	char letter = longer ? 0 : name[0];
	if (!longer && length != 1)
		return unknown_option(cli, text, err);
	const struct cli_option *own = find_option(cli->command->options, name, length, letter),
				*global = find_option(cli_global_options, name, length, letter);
	const struct cli_option *o = own ? own : global;
	if (!o)
		return unknown_option(cli, text, err);
	if (o->argument) {
		value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
		if (!value)
			return error_set(err, ERR_INVALID, "The option --%s needs %s.", o->name,
					 o->argument);
	} else if (equals) {
		return error_set(err, ERR_INVALID, "The option --%s takes no value.", o->name);
	}
	if (!own) {
		(void)global_switch(cli, global->name, value);
		return 0;
	}
	cli->values[own - cli->command->options] = value ? value : "";
	return take_repeated(cli, own, value, err);
}

/* argv[0] is the verb. */
static int parse(struct cli *cli, int argc, char **argv, struct error *err)
{
	bool only_args = false;
	for (int i = 1; i < argc; i++) {
		if (!only_args && strcmp(argv[i], "--") == 0) {
			only_args = true;
			continue;
		}
		if (!only_args && argv[i][0] == '-' && argv[i][1] != '\0') {
			int result = take_option(cli, argc, argv, &i, err);
			if (result < 0)
				return result;
			continue;
		}
		if (cli->arg_count == CLI_ARGS_MAX)
			return error_set(err, ERR_INVALID, "That is more than %d arguments.",
					 CLI_ARGS_MAX);
		cli->args[cli->arg_count++] = argv[i];
	}
	if (cli->arg_count < cli->command->args_min)
		return error_set(err, ERR_INVALID, "davit %s needs %s.", cli->command->name,
				 cli->command->arguments);
	if (cli->arg_count > cli->command->args_max)
		return error_set(err, ERR_INVALID, "davit %s does not know what to do with \"%s\".",
				 cli->command->name, cli->args[cli->command->args_max]);
	return 0;
}

/* After the line was read. Nothing happens on this machine that was meant for another. */
static int choose_host(struct cli *cli, struct error *err)
{
	enum cli_place place = cli->command->place;
	const char *named = getenv("DAVIT_HOST");
	bool there = place == CLI_RUNS_THERE;
	if (there && cli->host && !text_starts(cli->host, "ssh://"))
		return error_set(err, ERR_INVALID,
				 "davit %s works on the server's own machine, and elsewhere runs "
				 "there by ssh: say --host ssh://….",
				 cli->command->name);
	if (cli->host && place != CLI_ASKS_SERVER && !there)
		return error_set(err, ERR_INVALID,
				 place == CLI_NO_SERVER
					 ? "davit %s needs no server: leave --host away."
					 : "davit %s works on the server's own machine alone: run "
					   "it there, without --host.",
				 cli->command->name);
	if (cli->host || !named || !named[0] || place == CLI_NO_SERVER)
		return 0;
	if ((place == CLI_SERVERS_MACHINE || (there && !text_starts(named, "ssh://"))) &&
	    !cli->state)
		return error_set(err, ERR_INVALID,
				 "davit %s works on the server's own machine alone, and DAVIT_HOST "
				 "names another: run it there, or unset DAVIT_HOST.",
				 cli->command->name);
	/* What is said on the line counts more than what the shell has. */
	cli->host = cli->state ? NULL : named;
	return 0;
}

static int unknown_command(const char *name)
{
	const char *names[COMMANDS_MAX];
	struct error err;
	size_t count = 0;
	for (const struct cli_command *c = NULL; (c = cli_command_next(c)) && count < COMMANDS_MAX;)
		names[count++] = c->name;
	const char *meant = text_suggest(name, names, count);
	if (meant)
		error_set(&err, ERR_INVALID, "There is no command \"%s\"; did you mean \"%s\"?",
			  name, meant);
	else
		error_set(&err, ERR_INVALID, "There is no command \"%s\".", name);
	return cli_fail(NULL, &err, "davit help");
}

static void look_around(struct cli *cli)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	setlocale(LC_CTYPE, "");
	cli->terminal = isatty(STDOUT_FILENO);
	cli->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	cli->colour =
		cli->terminal && !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0;
}

int cli_parse(const char *verb, int argc, char **argv, struct cli *ret_cli)
{
	struct error err;
	*ret_cli = (struct cli){.command = cli_command_find(verb)};
	ASSERT(ret_cli->command);
	look_around(ret_cli);
	int result = parse(ret_cli, argc, argv, &err);
	if (result == 0)
		result = choose_host(ret_cli, &err);
	return result < 0 ? bad_usage(ret_cli, &err) : CLI_OK;
}

int cli_main(int argc, char **argv)
{
	struct cli cli;
	signal(SIGPIPE, SIG_DFL);
	if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0) {
		const struct cli_command *about = argc > 2 ? cli_command_find(argv[2]) : NULL;
		if (argc > 2 && !about)
			return unknown_command(argv[2]);
		about ? cli_print_help(about) : cli_print_overview();
		return argc < 2 ? CLI_USAGE : CLI_OK;
	}
	const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
	const struct cli_command *command = cli_command_find(name);
	if (!command)
		return unknown_command(name);
	if (cli_help_wanted(argc, argv)) {
		cli_print_help(command);
		return CLI_OK;
	}
	int code = cli_parse(name, argc - 1, argv + 1, &cli);
	return code == CLI_OK ? command->run(&cli) : code;
}
