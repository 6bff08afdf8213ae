/* SPDX-License-Identifier: Apache-2.0
 *
 * tick_text - what the judge is fed, as lines of JSON: kept per rollout, and read by `davit judge --replay`.
 *
 * WHAT  The first line says how it is judged (settings, names of the route classes), each other one what happened:
 *       a tick, a step that began, an instance that is warming up. Fed to a judge in this order they give the same
 *       evidence, bit for bit, on the same build and class of processor.
 *
 * HOW   tick_text_begin(), tick_text_tick() and tick_text_mark() append one line without its end. tick_text_feed()
 *       reads one line and does to a judge what it says; a first line makes the judge begin, under the settings that
 *       a caller may change before (`adjust`).
 *
 * FORMAT docs/reference/ticks.md. What is 0 is left out; settings that are left out are judge_settings_default()'s.
 * ERRORS tick_text_feed(): ERR_INVALID with what is wrong in the line, and the judge was not touched. Unknown members
 *       are passed over.
 * LIMITS TICK_TEXT_COUNT_MAX for every number and for the answers of a release, class and tick; a tick is at
 *       most TICK_TEXT_MS_MAX.
 */
#ifndef CONTROL_TICK_TEXT_H
#define CONTROL_TICK_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "judge/judge.h"

enum {
	TICK_TEXT_SLOTS_MAX = 2 * JUDGE_STRATA_MAX * HISTOGRAM_BUCKETS,
	TICK_TEXT_COUNT_MAX = 1000000,
	TICK_TEXT_MS_MAX = 60000,
	TICK_TEXT_NAME_SIZE = 65,
};

struct tick_text_head {
	uint32_t rollout;
	const char *new_tag, *live_tag;
	uint32_t class_count;
	const char *classes[JUDGE_STRATA_MAX];
};

void tick_text_begin(struct buf *to, const struct tick_text_head *head,
		     const struct judge_settings *settings);
void tick_text_tick(struct buf *to, const struct judge_tick *tick);

#define TICK_TEXT_LINES(X)                                                                \
	X(HEAD, "head")                                                                   \
	X(TICK, "tick")                                                                   \
	X(STEP, "step")       /* a step of the plan begins: its index */                  \
	X(WARM, "warm")       /* an instance of the new release begins to be warmed up */ \
	X(REPLACE, "replace") /* one was replaced: its place in the ticks */

enum tick_text_line {
#define X(name, text) TICK_TEXT_##name,
	TICK_TEXT_LINES(X)
#undef X
};

/* One of the last three, with its number (0 where it has none). */
void tick_text_mark(struct buf *to, enum tick_text_line what, uint32_t number);

struct tick_text_reader {
	struct judge *judge; /* the caller's */
	bool begun;
	void (*adjust)(void *context, struct judge_settings *settings); /* or NULL */
	void *context;
	/* Of the first line: */
	uint32_t rollout;
	char new_tag[TICK_TEXT_NAME_SIZE], live_tag[TICK_TEXT_NAME_SIZE];
	uint32_t class_count;
	char classes[JUDGE_STRATA_MAX][TICK_TEXT_NAME_SIZE];
	uint32_t step; /* the last that began, 0 before there is one */
	/* Of the last line: */
	enum tick_text_line line;
	uint32_t place;         /* of a replaced instance */
	struct judge_tick tick; /* of a tick */
	struct judge_slot slots[TICK_TEXT_SLOTS_MAX];
};

MUST_CHECK int tick_text_feed(struct tick_text_reader *reader, const char *line, size_t size,
			      struct error *err);

#endif
