/* SPDX-License-Identifier: Apache-2.0
 *
 * build_show - a run of a pipeline, as people and as programs read it.
 *
 * WHAT  On a terminal every line that a stage writes, with the stage's name before it; without one a line for each
 *       change. At the end a table, the last lines of the stage that failed, and what to type next. With --json a line
 *       of JSON for each change and one for the end (docs/pipeline.md).
 *
 * HOW   build_show_begin(), then build_show_change() and build_show_line() as they come, build_show_end() once.
 * OWNS  A struct build_show keeps the last lines of each stage until build_show_done().
 */
#ifndef DAEMON_BUILD_SHOW_H
#define DAEMON_BUILD_SHOW_H

#include "cli/command.h"
#include "drivers/builder/checkout.h"
#include "pipeline/run.h"

enum { BUILD_SHOW_TAIL = 20 };

struct build_tail {
	uint32_t next, count;
	char *lines[BUILD_SHOW_TAIL];
};

struct build_show {
	const struct cli *cli;
	const struct checkout *checkout;
	const struct app *app;
	const struct run *run;
	const char *directory; /* BUILD */
	const char *archive;   /* where it is, once it is there; NULL: none */
	bool changes_known;
	uint32_t changes; /* that are not part of the commit */
	uint32_t width;   /* of the longest stage's name */
	struct build_tail tails[GRAPH_STAGES_MAX];
};

/* `changes` is what checkout_changes() says. */
void build_show_begin(struct build_show *show, const struct buf *changes);
void build_show_change(struct build_show *show, uint32_t stage);
void build_show_line(struct build_show *show, uint32_t stage, const char *text, size_t size);
/* Returns the exit code. */
int build_show_end(struct build_show *show);
void build_show_done(struct build_show *show);

#endif
