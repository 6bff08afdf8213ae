/* SPDX-License-Identifier: Apache-2.0
 *
 * event - what goes into rollout_step() and what comes out of it: events, effects, answers.
 *
 * WHAT  Events are what the world or a person did; effects are what the shell has to do once the new
 *       state is committed; an answer is what a person who gave a command is told.
 * HOW   Only the fields that the list names for a kind are read; leave the others zero.
 * OWNS  Plain data, no pointers.
 * SEE   rollout/rollout.h
 */
#ifndef ROLLOUT_EVENT_H
#define ROLLOUT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "rollout/documents.h"

enum { ROLLOUT_EFFECTS_MAX = 20, ROLLOUT_HASH_SIZE = 32 };

#define ROLLOUT_STATUSES(X)                                                                   \
	X(NONE, "none")     /* not submitted */                                               \
	X(QUEUED, "queued") /* waits for the environment */                                   \
	X(GATED, "gated")   /* holds the environment, waits for an approval of the plan */    \
	X(RUNNING, "running")                                                                 \
	X(PAUSED, "paused")       /* traffic stays as it is; `reason` says what is needed */  \
	X(REVERTING, "reverting") /* runs the way back */                                     \
	X(STUCK, "stuck") /* keeps trying, needs a person; goes on by itself when it can */   \
	X(SUCCEEDED, "succeeded")                                                             \
	X(REVERTED, "reverted")     /* the release that was stable serves everything again */ \
	X(REJECTED, "rejected")     /* never began */                                         \
	X(SUPERSEDED, "superseded") /* never began: a newer one took its place */             \
	X(CANCELLED, "cancelled")   /* never began: a person withdrew it */

enum rollout_status {
#define X(name, text) ROLLOUT_##name,
	ROLLOUT_STATUSES(X)
#undef X
		ROLLOUT_STATUS_COUNT
};

#define ROLLOUT_REASONS(X)                                                               \
	X(NONE, "")                                                                      \
	X(OPERATOR, "a person asked for it")                                             \
	X(FROZEN, "deployments are frozen here")                                         \
	X(TOO_LITTLE, "there was too little evidence for a verdict in the time allowed") \
	X(INCONCLUSIVE, "the analysis came to no verdict again and again")               \
	X(ANALYSIS, "the analysis found the new release worse")                          \
	X(CRASHED, "instances of the new release were given up")                         \
	X(NEVER_READY, "the new release did not become ready in time")                   \
	X(UNHEALTHY, "the new release was ready and did not stay so")                    \
	X(WRONG_RELEASE, "an instance reports another release than it should run")       \
	X(ROUTER, "the gateway did not confirm the new shares in time")                  \
	X(INSTANCES, "instances could not be started or stopped in time")                \
	X(CAPACITY, "the instances that would remain are not enough")                    \
	X(STABLE_DOWN, "the live release does not become ready")                         \
	X(FETCH, "the release could not be fetched or verified")                         \
	X(HOOK, "a command of the plan failed")                                          \
	X(APPROVAL, "it was not approved")                                               \
	X(EXPIRED, "nobody answered in time")                                            \
	X(BAD_LISTED, "the release is marked bad here")                                  \
	X(NEWER, "a newer release takes its place")                                      \
	X(UNSTEADY, "the new release was ready and lost its readiness again and again")  \
	X(CHECK, "a check of the new release failed")

enum rollout_reason {
#define X(name, text) REASON_##name,
	ROLLOUT_REASONS(X)
#undef X
		REASON_COUNT
};

#define ROLLOUT_EVENTS(X)                                                                 \
	X(SUBMIT, "submit")   /* number, release, hash, bad_listed */                     \
	X(START, "start")     /* the environment is free; `plan` was compiled just now */ \
	X(APPROVE, "approve") /* GATED: hash; GATE: seen */                               \
	X(REJECT, "reject")                                                               \
	X(DRIFT, "drift")             /* hash: what is to be approved has changed */      \
	X(TICK, "tick")               /* elapsed_ms */                                    \
	X(OBSERVATION, "observation") /* observation */                                   \
	X(FETCHED, "fetched")         /* release, ok */                                   \
	X(EVIDENCE, "evidence")       /* step, attempt, verdict, guard, check */          \
	X(HOOKED, "hooked")           /* step, attempt, ok */                             \
	X(PAUSE, "pause")             /* seen */                                          \
	X(RESUME, "resume")           /* seen */                                          \
	X(PROMOTE, "promote")         /* seen: end this HOLD or GATE now */               \
	X(ABORT, "abort")                                                                 \
	X(NEWER, "newer") /* another release waits; supersede */                          \
	X(FREEZE, "freeze")                                                               \
	X(UNFREEZE, "unfreeze")                                                           \
	X(MAINTENANCE, "maintenance") /* access */                                        \
	X(BOOT, "boot")               /* epoch: this controller has started */            \
	X(LEASE_LOST, "lease-lost")                                                       \
	X(LEASE_WON, "lease-won") /* epoch */

enum rollout_event_kind {
#define X(name, text) EVENT_##name,
	ROLLOUT_EVENTS(X)
#undef X
		EVENT_COUNT
};

enum verdict { VERDICT_PASS = 0, VERDICT_FAIL, VERDICT_INCONCLUSIVE };

/* One set, as one look found it. A slot whose `release` is not the environment's is ignored. */
struct set_observation {
	struct release_id release;
	struct version applied;            /* of the set document that produced what follows */
	uint16_t exist[PROCESSES_MAX];     /* processes that are not known to be gone */
	uint16_t ready[PROCESSES_MAX];     /* healthy, not draining */
	uint16_t settled[PROCESSES_MAX];   /* of these, for at least the plan's min_ready_ms */
	uint16_t undrained[PROCESSES_MAX]; /* above the count, and not yet without requests */
	uint16_t failed[PROCESSES_MAX];    /* gave up restarting */
	uint16_t wrong;                    /* instances that report another release */
	bool replacing; /* a sick instance makes room for another: until that is ready, one is missing on purpose */
	bool refused; /* what the document wants cannot be started, and waiting changes nothing */
};

struct traffic_observation {
	struct version applied;                   /* by every worker */
	uint32_t served_bp[ENVIRONMENT_SETS_MAX]; /* what they serve, by slot of that version */
	uint32_t mirror_bp;
	uint8_t mirror, preview;
	bool park;
	enum traffic_access access;
};

struct observation {
	uint64_t serial;  /* rises with every look; an older one is ignored; begins anew at boot */
	uint32_t attempt; /* the rollout's when the look was taken */
	struct traffic_observation router;
	struct set_observation sets[ENVIRONMENT_SETS_MAX];
};

/* The state a person saw when giving a command; another state now: ANSWER_STALE. */
struct rollout_seen {
	enum rollout_status status;
	uint32_t cursor, attempt;
};

struct rollout_event {
	enum rollout_event_kind kind;
	uint64_t number;
	uint64_t epoch;
	uint64_t elapsed_ms;
	struct release_id release;
	uint8_t hash[ROLLOUT_HASH_SIZE];
	struct rollout_seen seen;
	uint32_t step, attempt;
	enum verdict verdict;
	bool guard; /* EVIDENCE: of the watch that runs all the time, not of this HOLD */
	bool check; /* EVIDENCE: a check has decided, not a comparison */
	bool ok, bad_listed, supersede;
	enum traffic_access access;
	struct observation observation;
};

#define ROLLOUT_EFFECTS(X)                                                                        \
	X(ROUTE, "route")       /* apply environment.router */                                    \
	X(SET, "set")           /* apply the set document of `slot` */                            \
	X(FETCH, "fetch")       /* make `release` present and verified; answer EVENT_FETCHED */   \
	X(ANALYSE, "analyse")   /* begin (step, attempt) of a HOLD; answer EVENT_EVIDENCE */      \
	X(HOOK, "hook")         /* run the command of (step, attempt); answer EVENT_HOOKED */     \
	X(EVIDENCE, "evidence") /* record why the cursor passes (step, attempt) */                \
	X(STABLE, "stable")     /* record that `release` is the live one now */                   \
	X(BAD, "bad")           /* mark `release` bad in this environment, for `reason` */        \
	X(GONE, "gone")         /* the last instance of `release` left: unpin, forget */          \
	X(NOTIFY, "notify")     /* tell: `from` -> `to`, for `reason`; one for each transition */ \
	X(FREE, "free")         /* the environment is free: start the next in the queue */

enum rollout_effect_kind {
#define X(name, text) EFFECT_##name,
	ROLLOUT_EFFECTS(X)
#undef X
		EFFECT_COUNT
};

/* Why a HOLD or GATE was passed. */
enum evidence_kind {
	EVIDENCE_TIME = 0,
	EVIDENCE_VERDICT,
	EVIDENCE_APPROVAL,
	EVIDENCE_SKIP,
	EVIDENCE_TOO_LITTLE
};

struct rollout_effect {
	enum rollout_effect_kind kind;
	uint8_t slot;              /* SET */
	struct release_id release; /* FETCH STABLE BAD GONE */
	uint32_t step, attempt;    /* ANALYSE HOOK EVIDENCE */
	enum evidence_kind evidence;
	enum rollout_status from, to;
	enum rollout_reason reason;
};

/* What a command is told. Anything but OK changed nothing. */
#define ROLLOUT_ANSWERS(X)                                                                 \
	X(NONE, "")                                                                        \
	X(OK, "Done.")                                                                     \
	X(STALE, "The rollout has moved on since you looked; look again, then repeat it.") \
	X(NOT_NOW, "The rollout is not in a state in which that means anything.")          \
	X(FINISHED, "The rollout has ended.")                                              \
	X(AFTER_MARK, "The new release is already the live one; use \"davit rollback\".")  \
	X(GOING_BACK, "The rollout is already going back, and nothing may hold that up.")  \
	X(FREEZE, "Deployments are frozen here.")                                          \
	X(BUSY, "Another rollout holds the environment.")                                  \
	X(OUTDATED, "The plan was made for another state of the environment; plan again.") \
	X(OTHER_PLAN, "The approval names another plan.")                                  \
	X(READ_ONLY, "Another controller leads; this one changes nothing.")

enum rollout_answer {
#define X(name, text) ANSWER_##name,
	ROLLOUT_ANSWERS(X)
#undef X
		ANSWER_COUNT
};

struct rollout_effects {
	enum rollout_answer answer;
	bool plan_replaced; /* persist `plan` too */
	uint32_t count;
	struct rollout_effect items[ROLLOUT_EFFECTS_MAX];
};

#endif
