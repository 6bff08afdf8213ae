/* SPDX-License-Identifier: Apache-2.0
 *
 * there - a command that works on the server's machine alone is run there, by ssh: CLI_RUNS_THERE with --host ssh://….
 *
 * WHAT  The same command with the same options, its own standard error, and whatever input and output it is given. Words are
 *       quoted for the shell there. What ssh has to say (passwords, host keys, that nobody answers) it says itself.
 */
#ifndef CLI_THERE_H
#define CLI_THERE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

struct there {
	const char *const *args; /* instead of those of the line; NULL: those */
	size_t arg_count;
	const char *extra; /* one more option, as "--app=shop"; NULL: none */
	bool silent;       /* without --json */
	int in, out;       /* descriptors; -1: ours */
	bool no_input;     /* the command reads nothing, and takes nothing of ours */
};

/* Its exit code; CLI_UNREACHABLE where ssh did not get there (or the command ended with 255, as ssh does then). What was
 * wrong has been told. */
int there_run(const struct cli *cli, const struct there *how);

#endif
