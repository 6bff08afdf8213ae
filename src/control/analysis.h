/* SPDX-License-Identifier: Apache-2.0
 *
 * analysis - the gateway's counts become evidence: what is kept of them, and when it is looked at.
 *
 * WHAT  Of candidate and live release the latest counts, where the rollout's and the step's counting began, and
 *       enough of the past for a window of the last minute.
 *
 * HOW   analysis_rollout_began() at the start of a rollout, analysis_begin() for each attempt of a HOLD that wants
 *       evidence, analysis_tick() ten times a second: it sends EVENT_EVIDENCE when there is a verdict.
 *
 * OWNS  struct analysis is a part of struct environment.
 * SEE   judge/rules.h
 */
#ifndef CONTROL_ANALYSIS_H
#define CONTROL_ANALYSIS_H

#include "judge/rules.h"
#include "provider/router.h"
#include "rollout/documents.h"

struct environment;

enum {
	ANALYSIS_RING = 256,
	ANALYSIS_RECENT_MS = 60000,
	ANALYSIS_BEGAN_SIZE = 8 + 2 * sizeof(struct router_counters),
};

/* Cumulative counts of a release at one instant. */
struct counts_sample {
	uint64_t at_ms;
	uint64_t life;
	uint64_t started, answered, completed;
	uint64_t status_5xx, timeouts, connects, resets, overloads;
};

/* What the judge has of one release: where counting began, and enough of the past for its recent window. */
struct counts_track {
	struct release_id id; /* whose; empty: nobody's */
	bool present;
	struct router_counters now;
	struct router_counters base; /* when the step's analysis began */
	/* When the rollout began, for a controller before this one as well: what people are shown. life 0: it has
	 * not been read yet. */
	struct router_counters began;
	uint32_t ring_next, ring_count;
	struct counts_sample ring[ANALYSIS_RING];
};

struct analysis {
	bool running; /* evidence of (step, attempt) is wanted */
	uint32_t step, attempt;
	uint32_t wants; /* ANALYSIS_ bits of the HOLD */
	bool checks_passed;
	uint64_t check_run; /* under way, or 0 */
	uint64_t sampled_ms;
	struct counts_track fresh; /* the candidate */
	struct counts_track live;
	struct judge_result result; /* the latest */
	bool began_unsaved;         /* a track's `began` is not in the store yet */
};

void analysis_begin(struct environment *e, uint32_t step, uint32_t attempt);
void analysis_tick(struct environment *e);
void analysis_rollout_began(struct environment *e);
/* Read the counts as they are now: before they are shown or written down. */
void analysis_read(struct environment *e);
void analysis_cancel(struct environment *e);
/* Counts of a track since `base`, as the judge wants them. */
void analysis_counts(const struct counts_track *track, const struct router_counters *base,
		     struct judge_counts *ret_counts);

/* The `began` of both tracks as bytes, kept with the rollout (beginning.c). Bytes of another layout are passed over
 * when they are read. */
void analysis_write_began(const struct analysis *a, uint8_t to[ANALYSIS_BEGAN_SIZE]);
void analysis_read_began(struct analysis *a, const void *bytes, size_t size);

#endif
