/* SPDX-License-Identifier: Apache-2.0
 *
 * command - a `run` of davit.yaml to the argv that a process is started with.
 *
 * WHAT  A line is split into words: blanks separate, '...' and "..." keep together, a backslash outside
 *       '...' takes the next character as it is. Then $NAME is put in where NAME is one of the given
 *       upper-case variables (the longest run of A-Z 0-9 _ counts); any other $ stays. What is put in is
 *       never split again, and in '...' nothing is put in. No shell, no wildcards.
 *       A script becomes /bin/sh -c SCRIPT, untouched: its variables reach it by the environment.
 *
 * OWNS  A command_argv owns its memory until command_argv_done().
 * ERRORS ERR_INVALID for a quote that is not closed, an empty line, or a word that only a shell
 *       understands (a lone | && || ; & > <); ERR_LIMIT past the bounds.
 */
#ifndef CONFIG_COMMAND_H
#define CONFIG_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/app.h"

enum { COMMAND_WORDS_MAX = APP_TEXTS_MAX, COMMAND_BYTES_MAX = 64 << 10 };

struct command_argv {
	uint32_t count;
	char *items[COMMAND_WORDS_MAX + 1]; /* NULL-terminated */
	char *memory;
};

/* Whether a line can be split. */
int command_check(const char *line, struct error *err) MUST_CHECK;

int command_expand(const struct app_command *command, const struct app_variable *variables,
		   size_t count, struct command_argv *ret_argv, struct error *err) MUST_CHECK;
void command_argv_done(struct command_argv *argv);

/* Whether the command names the variable: $PORT, in a script also ${PORT}. */
bool command_mentions(const struct app_command *command, const char *variable);

#endif
