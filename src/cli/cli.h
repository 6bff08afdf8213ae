/* SPDX-License-Identifier: Apache-2.0
 *
 * cli - the command line of davit: a client of the API and nothing else.
 *
 * HOW   cli_main() finds the verb in the table of commands (cli/commands.c), reads its options, runs it and
 *       returns the exit code of docs/reference/exit-codes.md.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

int cli_main(int argc, char **argv);

/* Put the verb before the options of every command that stand in front of it. */
void cli_verb_first(int argc, char **argv);

/* Is this "davit VERB --help" (or -h)? Then a verb that starts a process is not started. */
bool cli_help_wanted(int argc, char **argv);

#endif
