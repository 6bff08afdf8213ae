/* SPDX-License-Identifier: Apache-2.0
 *
 * strategy - from "how this environment wants its releases" to a plan.
 *
 * WHAT  A strategy is a list of moves. The five that need no definition are such lists too
 *       (strategy_default); a mix is one that somebody wrote. Every move compiles to the same ten
 *       operations, so whatever runs one plan runs all of them.
 *
 * HOW   config/ fills struct strategy_settings (strategy_settings_init() first: it puts in the safe
 *       defaults); control/ calls strategy_compile() at the moment the rollout gets the environment,
 *       because the plan depends on what is there: nothing live yet, a warm release to retire, the
 *       candidate itself still warm. `davit plan` calls it with the environment as it is now.
 *
 *       What the moves share: the live release keeps its full strength until MARK, except in rolling and
 *       recreate, so that going back is a matter of shares. Processes without traffic are moved as
 *       "n of N instances". A migration's first command runs before the first instance starts; its second behind
 *       MARK, when nothing of the live release runs any more, and a GATE stands before MARK: from there on nothing
 *       goes back by itself. Commands around each step stand before and after whatever becomes of a check, a shadow, each
 *       share of a canary, each batch of a rolling update, a recreate, a switch, a bake, and of the last share; where
 *       nothing becomes of it, they are left out. None of these commands is in a way back.
 *       A process that hands over stop-first moves with the last share only, or in
 *       whole instances before; one with traffic can only be recreated.
 *
 * UNITS Shares are basis points, times milliseconds, counts instances of one process.
 * ERRORS ERR_INVALID with a sentence for settings that contradict themselves; ERR_LIMIT when the plan
 *       would be longer than PLAN_STEPS_MAX.
 */
#ifndef STRATEGY_STRATEGY_H
#define STRATEGY_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rollout/environment.h"
#include "rollout/plan.h"

enum { STRATEGY_MOVES_MAX = 16, STRATEGY_SHARES_MAX = 16, STRATEGY_BATCHES_MAX = 10 };

/* Labels of the steps of a migration. */
#define STRATEGY_BEFORE "migrate.before"
#define STRATEGY_AFTER  "migrate.after"
/* Of infrastructure: it is planned, asked about, and changed, before anything of the candidate starts. */
#define STRATEGY_INFRA_PLAN  "infrastructure.plan"
#define STRATEGY_INFRA_GATE  "infrastructure"
#define STRATEGY_INFRA_APPLY "infrastructure.apply"
/* What the labels of the steps around a strategy's step begin with; its own name follows: "before_step: 10%". */
#define STRATEGY_BEFORE_STEP "before_step: "
#define STRATEGY_AFTER_STEP  "after_step: "

#define STRATEGY_KINDS(X)           \
	X(BLUE_GREEN, "blue-green") \
	X(CANARY, "canary")         \
	X(ROLLING, "rolling")       \
	X(RECREATE, "recreate")     \
	X(SHADOW, "shadow")

enum strategy_kind {
#define X(name, text) STRATEGY_##name,
	STRATEGY_KINDS(X)
#undef X
		STRATEGY_KIND_COUNT
};

#define STRATEGY_MOVES(X)                                                                 \
	X(CHECK, "check")       /* run the checks on the preview route */                 \
	X(SHADOW, "shadow")     /* copy requests to the candidate, compare its answers */ \
	X(CANARY, "canary")     /* shares, rising, each held */                           \
	X(SWITCH, "switch")     /* everything at once */                                  \
	X(ROLLING, "rolling")   /* replace the instances a batch at a time */             \
	X(RECREATE, "recreate") /* hold requests, stop the old, start the new */          \
	X(BAKE, "bake")         /* watch it for a while before it counts as good */

enum strategy_move_kind {
#define X(name, text) STRATEGY_MOVE_##name,
	STRATEGY_MOVES(X)
#undef X
		STRATEGY_MOVE_COUNT
};

struct strategy_move {
	enum strategy_move_kind kind;
	uint32_t share_count;                   /* CANARY: 1..STRATEGY_SHARES_MAX */
	uint32_t share_bp[STRATEGY_SHARES_MAX]; /* CANARY: strictly rising, 1..10000; SHADOW: [0] */
	uint64_t at_least_ms; /* each share, shadow, bake, batch: lasts this long … */
	uint64_t at_most_ms;  /* … and has a verdict by then; 0 = 4 × at_least, 15m or more */
	uint32_t min_samples; /* requests a verdict needs */
	uint32_t batch_bp;    /* ROLLING: instances replaced at once, 1000..10000 */
	bool surge;           /* ROLLING: new ones first, then old ones away */
};

struct strategy_settings {
	char name[PLAN_NAME_MAX]; /* "canary", "careful" */
	uint32_t move_count;
	struct strategy_move moves[STRATEGY_MOVES_MAX];
	struct process_shape process[PROCESSES_MAX]; /* of the candidate */
	bool checks; /* the environment has checks: CHECK runs them, else it is left out */
	uint32_t verify_count; /* so many checks once all requests go to it, one after the other */
	bool migrate_before;   /* HOOK before the first instance starts … */
	bool migrate_after; /* … and once nothing of the live release runs any more, behind MARK */
	bool migrate_asks;  /* GATE before that: it is the point of no return */
	uint64_t migrate_deadline_ms;        /* of each */
	bool infrastructure;                 /* HOOK, GATE, HOOK before everything but FETCH */
	uint64_t infrastructure_deadline_ms; /* of each HOOK */
	bool before_step, after_step;        /* HOOK around each step of the strategy */
	uint64_t step_deadline_ms;           /* of each */
	bool analysis;                       /* judge live requests; else holds are time alone */
	bool report_only; /* SHADOW last: report, then remove the candidate; nothing goes live */
	enum too_little too_little;
	uint32_t inconclusive_max;
	uint32_t
		control_bp; /* share the old release keeps while baking, for comparison; 0 = none */
	uint64_t fetch_deadline_ms;
	uint64_t ready_deadline_ms;
	uint64_t min_ready_ms;
	uint64_t check_deadline_ms;
	uint64_t route_deadline_ms;
	uint64_t drain_ms;         /* longest that a request may keep an old instance */
	uint64_t stop_deadline_ms; /* TERM, KILL and all */
	uint64_t keep_warm_ms;
	uint64_t pause_ttl_ms; /* 0 = a pause may last for ever */
};

/* Defaults for everything but processes and moves; one process 0, "web", with one instance. */
void strategy_settings_init(struct strategy_settings *settings);

/* Fill in name and moves of a strategy that needs no definition. */
void strategy_default(struct strategy_settings *settings, enum strategy_kind kind);

/* Neutral move of `kind` with its default times and shares. */
struct strategy_move strategy_move_default(enum strategy_move_kind kind);

/* Is this a strategy one can run? ERR_INVALID with a sentence if not. */
int strategy_check(const struct strategy_settings *settings, struct error *err) MUST_CHECK;

/* The plan that takes `candidate` live in `env` as it is now. ERR_CONFLICT when it is live already. */
int strategy_compile(const struct strategy_settings *settings, const struct environment_state *env,
		     const struct release_id *candidate, struct plan *ret_plan,
		     struct error *err) MUST_CHECK;

/* The plan that goes back to `target`, without its shares and holds: requests first where its instances
 * are ready, else start, wait, then requests. `settings` are those of the target's own configuration. */
int strategy_compile_rollback(const struct strategy_settings *settings,
			      const struct environment_state *env, const struct release_id *target,
			      struct plan *ret_plan, struct error *err) MUST_CHECK;

const char *strategy_kind_name(enum strategy_kind kind);
const char *strategy_move_name(enum strategy_move_kind kind);

#endif
