/* SPDX-License-Identifier: Apache-2.0
 *
 * stage_log - what a stage writes: secrets masked, cut into lines, each with its time, into a file and to a listener.
 *
 * HOW   stage_log_open(), stage_log_take() with the bytes as they come, stage_log_close() writes what is left.
 *       stage_log_note() is a line of davit's own; what it repeats of the stage's words is masked as they are.
 * ERRORS A file that cannot be written (a full disk) loses lines; it never stops the stage.
 * LIMITS BUILDER_LINE_MAX a line, `bytes_max` for the file; what comes then is thrown away, and the listener is not
 *       called for it: `full` says so, once, in a last line.
 */
#ifndef DRIVERS_BUILDER_STAGE_LOG_H
#define DRIVERS_BUILDER_STAGE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "provider/builder.h"
#include "wire/mask.h"

struct stage_log {
	int fd;
	uint64_t bytes, bytes_max;
	bool full;
	const struct mask *mask; /* NULL: nothing is secret */
	struct mask_stream *stream;
	void (*line)(void *context, const char *text, size_t size);
	void *context;
	size_t size;
	char text[BUILDER_LINE_MAX];
};

/* `name` in `dir_fd`, begun anew or, with `append`, gone on with. `log` needs mask, bytes_max, line and context. */
int stage_log_open(struct stage_log *log, int dir_fd, const char *name, bool append,
		   struct error *err) MUST_CHECK;
void stage_log_take(struct stage_log *log, const void *bytes, size_t size);
void stage_log_note(struct stage_log *log, const char *text);
void stage_log_close(struct stage_log *log);

#endif
