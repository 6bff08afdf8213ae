/* SPDX-License-Identifier: Apache-2.0
 *
 * plan - the list of steps by which a release goes out or comes back.
 *
 * WHAT  Every strategy, and every way back, is a list of the same ten operations. strategy/ compiles
 *       them, rollout.h runs them, `davit plan` prints them. A plan does not change while it runs.
 *
 * HOW   A step names releases by their index in `releases`: 0 is the candidate, 1 the live release (may
 *       be empty), the rest are leftovers to be retired. Counts are one number a process and mean "at
 *       least" for START and READY, "at most" for DRAIN and STOP.
 *
 * OWNS  Plain data of about 20 KiB: keep it off small stacks. plan_encode() gives the canonical bytes,
 *       the same for the same plan on every machine; their SHA-256 is what an approval signs.
 *
 * UNITS Times are milliseconds, 0 = none unless said otherwise; shares are basis points.
 * LIMITS PLAN_STEPS_MAX steps; a compiler that needs more fails with ERR_LIMIT.
 */
#ifndef ROLLOUT_PLAN_H
#define ROLLOUT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rollout/documents.h"

enum {
	PLAN_STEPS_MAX = 128,
	PLAN_RELEASES_MAX = ENVIRONMENT_SETS_MAX,
	PLAN_LABEL_MAX = 24,
	PLAN_NAME_MAX = 48,
	PLAN_ENCODED_MAX = 24 * 1024,
	PLAN_STEP_TEXT_MAX = 256,
	PLAN_CANDIDATE = 0,
	PLAN_LIVE = 1,
	PLAN_NONE = 0xff, /* no release */
};

#define PLAN_OPS(X)                                                         \
	X(FETCH, "fetch") /* have the bytes, verified */                    \
	X(START, "start") /* at least count instances wanted */             \
	X(READY, "ready") /* wait until they are healthy for long enough */ \
	X(ROUTE, "route") /* who gets which share of the requests */        \
	X(HOLD, "hold")   /* let time pass and evidence gather */           \
	X(GATE, "gate")   /* wait for an approval */                        \
	X(DRAIN, "drain") /* no new requests for instances above count */   \
	X(STOP, "stop")   /* end instances above count */                   \
	X(MARK, "mark")   /* the candidate is the stable release now */     \
	X(HOOK, "hook")   /* run a command of the application */

enum plan_op {
#define X(name, text) PLAN_##name,
	PLAN_OPS(X)
#undef X
		PLAN_OP_COUNT
};

/* What a HOLD needs to have passed; several may be asked for, all must pass. */
enum {
	ANALYSIS_LIVE = 1u << 0,   /* errors and latency of real requests */
	ANALYSIS_CHECKS = 1u << 1, /* the environment's named checks, on the preview route */
	ANALYSIS_SHADOW = 1u << 2, /* answers to mirrored requests compared */
};

enum too_little { TOO_LITTLE_HOLD = 0, TOO_LITTLE_ROLLBACK, TOO_LITTLE_CONTINUE };

struct plan_step {
	enum plan_op op;
	uint8_t release;                       /* START READY DRAIN STOP MARK FETCH */
	uint16_t count[PROCESSES_MAX];         /* START READY DRAIN STOP */
	uint32_t weight_bp[PLAN_RELEASES_MAX]; /* ROUTE */
	uint32_t mirror_bp;                    /* ROUTE: share copied to `mirror` */
	uint8_t mirror, preview;               /* ROUTE: release or PLAN_NONE */
	bool park;                             /* ROUTE */
	bool exposes;                          /* HOOK: a freeze stops it */
	uint32_t analyses;                     /* HOLD: ANALYSIS_ bits; 0 = time alone */
	uint32_t min_samples;                  /* HOLD: requests a verdict needs */
	uint64_t for_ms;                       /* HOLD: lasts at least this long */
	uint64_t at_most_ms;        /* HOLD: without a verdict by then, `too_little` says */
	enum too_little too_little; /* HOLD */
	uint64_t deadline_ms;       /* all but HOLD: then the operation's own way out */
	uint64_t min_ready_ms;      /* READY: healthy for this long */
	char label[PLAN_LABEL_MAX]; /* for people: "10%", "bake"; may be empty */
};

struct plan_release {
	struct release_id id; /* empty: there is none (a first release has no live one) */
	struct process_shape process[PROCESSES_MAX];
};

struct plan {
	char strategy[PLAN_NAME_MAX]; /* "canary", "careful", "rollback" */
	bool reverts;        /* the way back of an ended attempt; never paused, frozen or aborted */
	bool urgent;         /* a rollback: a freeze does not stop it */
	bool needs_approval; /* waits in GATED before its first step */
	struct plan_release releases[PLAN_RELEASES_MAX];
	uint16_t floor
		[PROCESSES_MAX]; /* ready instances that DRAIN and STOP leave in the environment */
	uint64_t keep_warm_ms;   /* how long the old release stays ready after MARK */
	uint64_t ready_deadline_ms; /* also: how long a candidate that was ready may be unready */
	uint64_t min_ready_ms;
	uint64_t route_deadline_ms;
	uint64_t drain_ms;
	uint64_t stop_deadline_ms;
	uint64_t pause_ttl_ms;     /* a pause longer than this goes back; 0 = never */
	uint64_t approval_ttl_ms;  /* GATED longer than this is rejected; 0 = never */
	uint32_t retries_max;      /* repeats of a step before STUCK */
	uint32_t inconclusive_max; /* inconclusive verdicts of one HOLD before a person is asked */
	uint32_t step_count;
	struct plan_step steps[PLAN_STEPS_MAX];
};

/* Empty plan: no releases, no steps. */
void plan_init(struct plan *plan);

/* Append a step of `op` on `release` with every other field neutral; NULL when the plan is full. */
struct plan_step *plan_add(struct plan *plan, enum plan_op op, uint8_t release);

/* True when every step refers to what exists, shares add up, and no step after MARK raises exposure. */
bool plan_valid(const struct plan *plan);

/* True if some process of the candidate or of the live release takes requests. */
bool plan_has_traffic(const struct plan *plan);

/* Canonical bytes into `to`; returns their number, 0 when `size` is too small. */
size_t plan_encode(const struct plan *plan, void *to, size_t size);

/* Inverse; false (and an empty plan) for bytes that plan_encode() of this or an older davit did not
 * write, or that fail plan_valid(). */
bool plan_decode(struct plan *plan, const void *bytes, size_t size);

/* "route  candidate 10%, live 90%" into `to` (PLAN_STEP_TEXT_MAX fits all); returns `to`.
 * `names` gives the processes' names, or NULL for numbers. */
const char *plan_step_describe(const struct plan *plan, uint32_t step, const char *const *names,
			       char *to, size_t size);

const char *plan_op_name(enum plan_op op);

#endif
