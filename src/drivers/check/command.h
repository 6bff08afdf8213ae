/* SPDX-License-Identifier: Apache-2.0
 *
 * command - a command of a check: run by /bin/sh, given its secrets, and what it says kept without them.
 *
 * WHAT  A child in a group of its own with the variables that are given and no others. A secret becomes a variable: its
 *       value, or the path of a file in memory that is there as long as the command is, for its user alone. Of what it
 *       writes to its output and its errors the end is kept, with `***` in place of each secret (wire/mask.h).
 *       It is bounded (drivers/check/bounds.h); as another user than davit's it has HOME and USER of that one.
 *
 * HOW   command_start(); `ended` is called once, from the loop, when nothing of it runs any more and what it said is
 *       read; then command_said() and command_mask(), and command_free().
 * OWNS  Values live in the environment of the command, in the files and in the mask, and are overwritten where they were
 *       before. command_free() ends a command that runs, with all that it started.
 * LIMITS COMMAND_SAID_MAX bytes are kept.
 * ERRORS Those of `secret` and of bounds_make(); INVALID a value that cannot be masked, or cannot be a variable; others: no process or memory.
 */
#ifndef DRIVERS_CHECK_COMMAND_H
#define DRIVERS_CHECK_COMMAND_H

#include "os/loop.h"
#include "os/process.h"
#include "provider/check.h"
#include "wire/mask.h"

enum { COMMAND_VARIABLES_MAX = 8, COMMAND_SAID_MAX = 1024 };

struct command_spec {
	const struct check *check;
	const struct check_bounds *bounds; /* outlives the command */
	const char
		*memory; /* name of the directory in memory (os/memory_directory.h) of its files */
	const char *directory;
	const char *const *variables; /* "NAME=value", at most COMMAND_VARIABLES_MAX, then NULL */
	int (*secret)(void *context, const struct check_secret *secret, struct buf *ret_value,
		      struct error *err);
	void (*ended)(void *context, const struct process_end *end);
	void *context; /* of both */
};

struct command;

int command_start(struct loop *loop, const struct command_spec *spec, struct command **ret_command,
		  struct error *err) MUST_CHECK;

/* All of it, at once; `ended` is called all the same. */
void command_kill(struct command *command);

/* Was it ended because it used more memory than it may? */
bool command_out_of_memory(const struct command *command);

/* The last line that it wrote, for people; "": none. */
void command_said(const struct command *command, char *to, size_t size);

/* The last lines that it wrote, for people; lines that do not fit are left out, the first ones first. */
void command_last_lines(const struct command *command, char *to, size_t size);

/* All that is kept of what it wrote, as it came. */
const char *command_output(const struct command *command);

/* NULL: it was given no secret. */
const struct mask *command_mask(const struct command *command);

void command_free(struct command *command); /* NULL is allowed */

#endif
