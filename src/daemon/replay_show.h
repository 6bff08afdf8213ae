/* SPDX-License-Identifier: Apache-2.0
 *
 * replay_show - a replay for people, in columns, or for programs, as JSON Lines.
 *
 * HOW   show_line() after every line that was replayed, show_end() after the last. Rows can be thinned out: one
 *       every so much observed time, and always that of the first FAIL and the last one.
 *
 * OUT   Standard output; docs/reference/ticks.md says what is in it.
 */
#ifndef DAEMON_REPLAY_SHOW_H
#define DAEMON_REPLAY_SHOW_H

#include "cli/command.h"
#include "daemon/replay.h"

struct show {
	const struct cli *cli;
	uint64_t every_ms; /* 0: each tick */
	uint64_t next_ms;
	bool titled;  /* the past and the names of the columns are written */
	bool pending; /* the last tick has no row yet */
	bool failed;  /* a row of the first FAIL is written */
};

void show_line(struct show *show, const struct replay *replay);
/* The verdict; returns the exit code that says the same. */
int show_end(struct show *show, const struct replay *replay);

#endif
