/* SPDX-License-Identifier: Apache-2.0
 * rollback - strategy_compile_rollback() of strategy.h: the way back as a rollout of its own.
 *
 * The steps come from the same compiler as those of an ended attempt (rollout/revert.h). */
#include <string.h>

#include "base/text.h"
#include "rollout/revert.h"
#include "strategy/strategy.h"

enum { RETRIES_MAX = 2 };

static void fill(struct plan *plan, const struct strategy_settings *s,
		 const struct environment_state *env, const struct release_id *target)
{
	const struct environment_set *live = &env->sets[env->stable];
	uint8_t slot = environment_find(env, target);

	text_copy(plan->strategy, sizeof plan->strategy, "rollback");
	plan->urgent = true;
	plan->releases[PLAN_CANDIDATE].id = *target;
	memcpy(plan->releases[PLAN_CANDIDATE].process,
	       slot == SLOT_NONE ? s->process : env->sets[slot].process, sizeof s->process);
	plan->releases[PLAN_LIVE].id = live->document.release;
	memcpy(plan->releases[PLAN_LIVE].process, live->process, sizeof live->process);
	plan->ready_deadline_ms = s->ready_deadline_ms;
	plan->min_ready_ms = s->min_ready_ms;
	plan->route_deadline_ms = s->route_deadline_ms;
	plan->drain_ms = s->drain_ms;
	plan->stop_deadline_ms = s->stop_deadline_ms;
	plan->retries_max = RETRIES_MAX;
}

int strategy_compile_rollback(const struct strategy_settings *settings,
			      const struct environment_state *env, const struct release_id *target,
			      struct plan *ret_plan, struct error *err)
{
	uint8_t slot = environment_find(env, target);

	if (env->stable == SLOT_NONE)
		return error_set(err, ERR_CONFLICT,
				 "Nothing is live there yet; use \"davit deploy\".");
	if (slot == env->stable)
		return error_set(err, ERR_CONFLICT, "This release is live there already.");
	plan_init(ret_plan);
	fill(ret_plan, settings, env, target);
	bool fits = true;
	if (slot == SLOT_NONE || !environment_set_able(env, slot)) {
		struct plan_step *fetch = plan_add(ret_plan, PLAN_FETCH, PLAN_CANDIDATE);
		fetch->deadline_ms = settings->fetch_deadline_ms;
	}
	fits = revert_append_return(ret_plan, env, PLAN_CANDIDATE, PLAN_LIVE);
	struct plan_step *mark = plan_add(ret_plan, PLAN_MARK, PLAN_CANDIDATE);
	fits = fits && mark != NULL;
	ASSERT(fits);
	mark->deadline_ms = settings->ready_deadline_ms;
	text_copy(mark->label, sizeof mark->label, "live");
	fits = revert_append_removal(ret_plan, PLAN_LIVE);
	ASSERT(fits && plan_valid(ret_plan));
	return ERR_OK;
}
