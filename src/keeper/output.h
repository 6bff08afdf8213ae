/* SPDX-License-Identifier: Apache-2.0
 *
 * output - what the instance writes to its standard output and error, into its log.
 *
 * WHAT  The program writes into the FIFO `out.fifo` of the instance's directory, which it holds open for
 *       reading too: a keeper that dies never breaks its pipe, it only fills until the next one reads on.
 *       The keeper writes whole lines, each with the time, into `log`; past OUTPUT_FILE_BYTES that becomes
 *       log.1, and so on up to log.4. Secrets of the instance are masked in it. Lines of the program that look like errors (keeper/log_line.h) are
 *       counted on the way.
 *
 * OWNS  output_open() keeps descriptors until output_close().
 * ERRORS A log that cannot be written (a full disk) loses lines and says how many when it can again; it
 *       never stops the program.
 * LIMITS A line of more than OUTPUT_LINE_BYTES is broken in two. At most OUTPUT_TURN_BYTES are read a turn.
 */
#ifndef KEEPER_OUTPUT_H
#define KEEPER_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/loop.h"
#include "wire/mask.h"

enum {
	OUTPUT_FILE_BYTES = 8 * 1024 * 1024,
	OUTPUT_FILES = 4, /* old ones */
	OUTPUT_LINE_BYTES = 16 * 1024,
	OUTPUT_TURN_BYTES = 256 * 1024,
	OUTPUT_PIPE_BYTES = 1024 * 1024,
};

struct output {
	int dir_fd;
	int fifo_fd; /* ours: does not block */
	int log_fd;
	uint64_t log_bytes;
	uint64_t limit_bytes; /* OUTPUT_FILE_BYTES; tests take less */
	uint64_t lost;        /* lines */
	uint64_t log_errors;  /* lines, since output_open() */
	struct loop_watch *watch;
	/* `log_errors` has grown; from output_drain(). Set after output_open(), may be NULL. */
	void (*erred)(void *context);
	void *context;
	/* What must not be seen in the log; NULL: nothing. Both are output_mask()'s. */
	struct mask *mask;
	struct mask_stream *masked;
	char line[OUTPUT_LINE_BYTES];
	size_t line_size;
	bool continued; /* `line` goes on with one that was broken */
};

int output_open(struct output *output, struct loop *loop, int dir_fd, struct error *err) MUST_CHECK;
void output_close(struct output *output); /* writes what is there first */

/* Let a program of that user open it again by its name (-1: as it is). */
int output_give(struct output *output, uid_t uid, gid_t gid, struct error *err) MUST_CHECK;

/* A new descriptor for the program's end. */
int output_program_fd(struct output *output, int *ret_fd, struct error *err) MUST_CHECK;

/* From now on these values are masked, and no others: each mask_add() of the result. What it refuses is too short, or
 * too long, to be found. */
struct mask *output_mask(struct output *output);

/* Read what there is now. */
void output_drain(struct output *output);

/* A line of the keeper's own. */
void output_note(struct output *output, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
