/* SPDX-License-Identifier: Apache-2.0
 *
 * command - what a verb of the command line is, and what every verb is given.
 *
 * WHAT  One row of cli/commands.c per verb: from it come the parser, --help, the man pages and the shell
 *       completion. A verb's code is in a file of its own.
 *
 * HOW   run() gets the parsed line, prints data on standard output and messages on standard error, and
 *       returns an exit code. cli_fail() prints an error as every verb does.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	CLI_OPTIONS_MAX = 16,
	CLI_ARGS_MAX = 64,
	CLI_REPEATS_MAX = 16,
};

/* The exit codes of the whole command line; see docs/reference/exit-codes.md. */
enum cli_exit {
	CLI_OK = 0,
	CLI_UNEXPECTED = 1,
	CLI_USAGE = 2,
	CLI_NOT_FOUND = 3,
	CLI_DENIED = 4,
	CLI_CONFLICT = 5,
	CLI_UNREACHABLE = 6,
	CLI_PIPELINE_FAILED = 10,
	CLI_ROLLED_BACK = 11,
	CLI_DEGRADED = 12,
	CLI_REJECTED = 13,
	CLI_BLOCKED = 14,
	CLI_CANCELLED = 15,
	CLI_STILL_RUNNING = 20,
	CLI_DETACHED = 130,
};

struct cli_exit_meaning {
	enum cli_exit code;
	const char *name, *meaning; /* NULL ends the list */
};
extern const struct cli_exit_meaning cli_exits[];

struct cli_option {
	const char *name;     /* "reason", without the dashes */
	char letter;          /* 0 = none */
	const char *argument; /* "TEXT", or NULL for a switch */
	const char *help;
};

struct cli;

/* Where a verb works with --host, or with DAVIT_HOST. */
enum cli_place {
	CLI_ASKS_SERVER = 0, /* it asks the server, wherever that is */
	CLI_SERVERS_MACHINE, /* on the machine of the server alone */
	CLI_RUNS_THERE,      /* the same; with ssh://… it is run there (cli/there.h) */
	CLI_NO_SERVER,       /* it needs none */
};

struct cli_command {
	const char *name;
	const char *arguments; /* "ENV [VERSION|PATH]" */
	const char *summary;   /* one line, no full stop */
	const char *details;   /* paragraphs for the man page; may be empty */
	const char *examples;  /* lines of "command  # what it does" */
	const char *json;      /* what --json prints; NULL: there is nothing to print */
	uint32_t args_min, args_max;
	struct cli_option options[CLI_OPTIONS_MAX]; /* ended by name NULL */
	const char *repeats; /* the option that may be given again; NULL: of each the last counts */
	enum cli_place place;
	int (*run)(struct cli *cli); /* NULL: started by daemon/ */
};

struct cli {
	const struct cli_command *command;
	bool json;
	bool colour;   /* standard output may be coloured */
	bool terminal; /* standard output is a terminal */
	bool utf8;
	const char *state; /* --state, or NULL */
	const char *host;  /* --host, else DAVIT_HOST, or NULL: the server is on this machine */
	uint32_t arg_count;
	const char *args[CLI_ARGS_MAX];
	const char *values[CLI_OPTIONS_MAX]; /* by the command's options; NULL = not given */
	uint32_t repeat_count;
	const char *repeats[CLI_REPEATS_MAX]; /* each value of the option that repeats */
};

/* The first one after NULL, NULL after the last; in the order of `davit help`. */
const struct cli_command *cli_command_next(const struct cli_command *before);
const struct cli_command *cli_command_find(const char *name);

/* Read the line of a verb of the table; argv[0] is the verb. What is wrong with it has been told when the answer
 * is not CLI_OK. */
int cli_parse(const char *verb, int argc, char **argv, struct cli *ret_cli);

/* The value of an option of the command, NULL when it was not given; "" for a switch that was. */
const char *cli_option(const struct cli *cli, const char *name);
/* Argument `index`, or NULL. */
const char *cli_arg(const struct cli *cli, uint32_t index);

/* Print the error as "davit: sentence" (as JSON with --json) and the next command; returns its exit code. */
int cli_fail(const struct cli *cli, const struct error *err, const char *next);
int cli_exit_of(enum err code);

/* Help texts, from the table. */
void cli_print_overview(void);
void cli_print_help(const struct cli_command *command);
extern const struct cli_option cli_global_options[];

#endif
