/* SPDX-License-Identifier: Apache-2.0
 *
 * replay - a judge is fed again with a log of ticks: what it says after each of them, under the settings of then or
 *          under others.
 *
 * HOW   replay_begin(), then replay_line() with every line; after each the struct says what is true now. What there
 *       is before the new release does anything is the live one's past: the judge learns from it, and time counts
 *       from its end.
 *
 * OWNS  A value without pointers but to the caller's line; large: keep it on the heap.
 * UNITS Times are observed ones, in milliseconds. Counts are of all classes together.
 * ERRORS replay_line(): those of tick_text_feed(); the line was not judged then.
 * SEE   control/tick_text.h, replay_show.h
 */
#ifndef DAEMON_REPLAY_H
#define DAEMON_REPLAY_H

#include "control/tick_text.h"

/* Settings that take the place of the log's. Shares; below 0: as they were. */
struct replay_changes {
	double alpha, beta;
	double worse_by, or_points, pass_below; /* of errors: 0.25 = 1.25 times; 0.0002; 0.02 */
};

extern const struct replay_changes replay_as_it_was;

struct replay_counts {
	uint64_t requests, errors;
};

struct replay {
	struct replay_changes changes;
	struct judge judge;
	struct judge_settings was; /* what the log was judged with */
	struct tick_text_reader reader;
	struct judge_result result;       /* after the last line */
	bool began;                       /* the new release has done something */
	uint64_t past_ms;                 /* before that */
	struct replay_counts past;        /* of the live release then, */
	struct replay_counts fresh, live; /* and of both since */
	bool failed;
	struct judge_result failure; /* the first */
	uint64_t failed_ms;
};

void replay_begin(struct replay *replay, const struct replay_changes *changes);
MUST_CHECK int replay_line(struct replay *replay, const char *line, size_t size, struct error *err);

/* Since the new release began. */
uint64_t replay_time_ms(const struct replay *replay);

#endif
