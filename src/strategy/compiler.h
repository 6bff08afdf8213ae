/* SPDX-License-Identifier: Apache-2.0
 *
 * compiler - what the moves of a strategy share while they become steps; private to strategy/.
 *
 * WHAT  One function for each kind of move, each in the file of that name, and the helpers they emit
 *       steps with. The compiler keeps how far the plan has come: instances started, instances of the
 *       live release left, share moved. A helper emits nothing when that far has been reached already.
 */
#ifndef STRATEGY_COMPILER_H
#define STRATEGY_COMPILER_H

#include <stdbool.h>
#include <stdint.h>

#include "rollout/plan.h"
#include "strategy/strategy.h"

struct compiler {
	const struct strategy_settings *settings;
	struct plan *plan;
	bool live;                       /* there is a live release to take over from */
	bool traffic;                    /* some process takes requests */
	bool full;                       /* out of steps … */
	struct plan_step spill;          /* … and what was written instead, for nobody to read */
	uint16_t started[PROCESSES_MAX]; /* of the candidate */
	uint16_t left[PROCESSES_MAX];    /* of the live release */
	uint32_t share_bp;               /* of the candidate */
	bool removes_last;               /* the live release's last batch leaves after MARK */
	uint32_t part; /* how many steps there were when the present part of the strategy began */
};

/* Moves. `next` is the move that follows, or NULL. */
void compile_check(struct compiler *c, const struct strategy_move *move,
		   const struct strategy_move *next);
void compile_shadow(struct compiler *c, const struct strategy_move *move);
void compile_canary(struct compiler *c, const struct strategy_move *move);
void compile_switch(struct compiler *c, const struct strategy_move *next);
void compile_rolling(struct compiler *c, const struct strategy_move *move);
void compile_recreate(struct compiler *c);
void compile_bake(struct compiler *c, const struct strategy_move *move);

struct plan_step *compiler_add(struct compiler *c, enum plan_op op, uint8_t release,
			       uint64_t deadline_ms);
void compiler_label(struct plan_step *step, const char *label);
void compiler_label_share(struct plan_step *step, uint32_t share_bp);

/* Instances that a share needs: rounded up, but a stop-first process moves whole instances only. */
void compiler_counts(const struct compiler *c, uint32_t share_bp, uint16_t count[PROCESSES_MAX]);

/* START and READY of at least `count`; stop-first processes of the live release give way first. */
void compiler_grow(struct compiler *c, const uint16_t count[PROCESSES_MAX]);

/* DRAIN and STOP of the live release down to `count`. */
void compiler_shrink_live(struct compiler *c, const uint16_t count[PROCESSES_MAX]);

/* ROUTE with this share for the candidate, the rest for the live release. */
struct plan_step *compiler_route(struct compiler *c, uint32_t share_bp);

/* HOOK of this name (STRATEGY_BEFORE, …). */
void compiler_hook(struct compiler *c, const char *name, uint64_t deadline_ms, bool exposes);

/* Around what becomes of one part of the strategy: the HOOKs that it is to have, if any. Parts follow one another. */
void compiler_part_begin(struct compiler *c, const char *label);
void compiler_part_end(struct compiler *c, const char *label);

struct plan_step *compiler_hold(struct compiler *c, const struct strategy_move *move,
				uint32_t analyses);

#endif
