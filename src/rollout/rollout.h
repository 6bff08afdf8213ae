/* SPDX-License-Identifier: Apache-2.0
 *
 * rollout - runs a plan: the one function that decides what happens next.
 *
 * WHAT  rollout_step() maps (plan, environment, rollout, event) to (the same, changed) and effects. It
 *       does no I/O, reads no clock, allocates nothing, keeps no globals and is total: every event is
 *       legal in every state.
 *
 * HOW   The shell (control/) takes an event, copies the three structs, steps, commits copy and effects
 *       in one transaction, and only then carries the effects out. What happens twice or never arrives
 *       does no harm: effects say "apply the document of this slot", and every document is sent again
 *       each ENVIRONMENT_REASSERT_MS and at boot.
 *
 *       A step's cursor moves only on one observation, of the current attempt, that shows both "this
 *       document has been applied" and the step's own condition (FETCH and HOOK: on their answer). One
 *       observation moves it by one step at most. HOLD and GATE need evidence of exactly this attempt.
 *
 *       Going back is not undo: when a rollout turns to REVERTING, `plan` is overwritten by a fresh one,
 *       compiled from what the environment looks like now, and effects.plan_replaced is set. From then on
 *       the candidate's share never rises above the last one that the router confirmed: a ROUTE that it may
 *       not have heard of yet is taken back, at once or as soon as the live release is seen to answer.
 *
 *       One rollout holds an environment at a time. Queued ones wait with a struct rollout each;
 *       EFFECT_FREE tells when the next may get EVENT_START, with a plan compiled at that moment.
 *
 * TIME  Ticks carry the monotonic time that passed; it is added up here and persisted with the state, at
 *       most ROLLOUT_TICK_MAX_MS a tick, so that a crash, a clock jump or a stopped controller makes a
 *       hold longer, never shorter.
 * SEE   tests/sim, tests/unit/rollout
 */
#ifndef ROLLOUT_ROLLOUT_H
#define ROLLOUT_ROLLOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rollout/environment.h"
#include "rollout/event.h"
#include "rollout/plan.h"

enum {
	ROLLOUT_TICK_MAX_MS = 5000,
	ROLLOUT_FALLS_MAX =
		3, /* a candidate that fell so often, and oftener than the live release, goes back */
	ROLLOUT_ENCODED_MAX = 256,
};

struct rollout {
	uint64_t number; /* server-wide, never 0 once submitted */
	enum rollout_status status;
	enum rollout_reason reason; /* of PAUSED, REVERTING, STUCK and the ends but SUCCEEDED */
	struct release_id release;  /* the candidate */
	uint8_t plan_hash[ROLLOUT_HASH_SIZE]; /* what an approval has to name */
	uint32_t cursor;                      /* step of the plan that runs now */
	uint32_t attempt;       /* rises with every cursor move, resume, re-analysis and boot */
	uint32_t guard_attempt; /* oldest attempt whose guard verdicts still count */
	bool issued;            /* the step's documents are written (or its effect is out) */
	bool passed;            /* there is evidence for this attempt … */
	enum evidence_kind passed_as; /* … of this kind */
	bool acked;                   /* DRAIN: the document has been applied */
	bool ready_once;              /* the candidate has been ready at its present counts */
	bool marked;                  /* MARK is behind: only tidying is left */
	uint32_t confirmed_bp;        /* the candidate's share by the last ROUTE that is in force */
	/* A release falls when it was as strong as its document asks and is seen to be so no more: instances
	 * restarted, or lost their readiness. */
	bool candidate_stood, live_stood;     /* at the last look */
	uint32_t candidate_falls, live_falls; /* since the rollout began */
	uint32_t retries;                     /* of this step */
	uint32_t inconclusive;                /* verdicts of this HOLD */
	uint64_t held_ms;                     /* HOLD: time that counts */
	uint64_t waited_ms;                   /* in this step since it began or was resumed */
	uint64_t acked_ms;                    /* DRAIN: since it was applied */
	uint64_t unready_ms;                  /* candidate below its counts, without a break */
	uint64_t paused_ms;
	uint64_t running_ms;  /* since it left the queue */
	uint64_t transitions; /* changes of status so far */
};

enum rollout_change {
	ROLLOUT_UNCHANGED = 0, /* nothing to commit */
	ROLLOUT_TIMED,   /* only time was added up: committing it may wait for the next change */
	ROLLOUT_CHANGED, /* commit before the effects */
};

void rollout_init(struct rollout *r);

/*
 * Advance by one event. `out` is written in full.
 *   plan   in/out: what was compiled for `r`; ignored before EVENT_START and once `r` has ended. At
 *          EVENT_START it must satisfy plan_valid().
 *   env    in/out: at EVENT_START it must be free (env->rollout == 0), else the answer is ANSWER_BUSY.
 *          A rollout that does not hold the environment leaves it alone.
 */
enum rollout_change rollout_step(struct plan *plan, struct environment_state *env,
				 struct rollout *r, const struct rollout_event *event,
				 struct rollout_effects *out);

/* The same for an environment that no rollout holds. Knows TICK, OBSERVATION, FREEZE, UNFREEZE,
 * MAINTENANCE, BOOT and the LEASE events; the rest changes nothing. */
enum rollout_change standing_step(struct environment_state *env, const struct rollout_event *event,
				  struct rollout_effects *out);

bool rollout_terminal(const struct rollout *r);

/* True while `r` holds the environment: from EVENT_START to its end. */
bool rollout_active(const struct rollout *r);

/* Canonical bytes; 0 when `size` is too small. ROLLOUT_ENCODED_MAX always fits. */
size_t rollout_encode(const struct rollout *r, void *to, size_t size);
bool rollout_decode(struct rollout *r, const void *bytes, size_t size);

const char *rollout_status_name(enum rollout_status status);
const char *rollout_reason_name(enum rollout_reason reason); /* "NEVER_READY" */
const char *rollout_reason_text(enum rollout_reason reason); /* a clause for people */
const char *rollout_event_name(enum rollout_event_kind kind);
const char *rollout_effect_name(enum rollout_effect_kind kind);
const char *rollout_answer_text(enum rollout_answer answer); /* a sentence */

#endif
