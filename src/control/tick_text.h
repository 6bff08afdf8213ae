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
 * FORMAT docs/reference/ticks.md. What is 0 is left out.
 * ERRORS tick_text_feed(): ERR_INVALID with what is wrong in the line. Unknown members are passed over.
 */
#ifndef CONTROL_TICK_TEXT_H
#define CONTROL_TICK_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "judge/judge.h"

enum { TICK_TEXT_SLOTS_MAX = 2 * JUDGE_STRATA_MAX * HISTOGRAM_BUCKETS };

struct tick_text_head {
	uint32_t rollout;
	const char *new_tag, *live_tag;
	uint32_t class_count;
	const char *classes[JUDGE_STRATA_MAX];
};

void tick_text_begin(struct buf *to, const struct tick_text_head *head,
		     const struct judge_settings *settings);
void tick_text_tick(struct buf *to, const struct judge_tick *tick);
/* "step", "warm", or "replace N": the instance at that place has been replaced. */
void tick_text_mark(struct buf *to, const char *mark);

struct tick_text_reader {
	struct judge *judge; /* the caller's */
	bool begun;
	void (*adjust)(void *context, struct judge_settings *settings); /* or NULL */
	void *context;
	uint32_t class_count;
	char classes[JUDGE_STRATA_MAX][JUDGE_NAME_SIZE];
	/* Of the last line: */
	bool ticked;
	struct judge_tick tick;
	struct judge_slot slots[TICK_TEXT_SLOTS_MAX];
};

MUST_CHECK int tick_text_feed(struct tick_text_reader *reader, const char *line, size_t size,
			      struct error *err);

#endif
