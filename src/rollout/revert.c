/* SPDX-License-Identifier: Apache-2.0
 * revert - see revert.h for the contract. */
#include "rollout/revert.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "rollout/turn.h"

struct way {
	struct plan *plan;
	const struct environment_state *env;
	uint8_t to, from;           /* releases of the plan */
	uint8_t to_slot, from_slot; /* of the environment, or SLOT_NONE */
	bool full;                  /* out of steps … */
	struct plan_step spill;     /* … and what was written instead, for nobody to read */
};

static struct plan_step *add(struct way *w, enum plan_op op, uint8_t release, uint64_t deadline_ms)
{
	struct plan_step *step = plan_add(w->plan, op, release);
	if (step == NULL) {
		w->full = true;
		return &w->spill;
	}
	step->deadline_ms = deadline_ms;
	return step;
}

static void add_route(struct way *w, uint32_t to_bp, bool park, const char *label)
{
	struct plan_step *step = add(w, PLAN_ROUTE, PLAN_NONE, w->plan->route_deadline_ms);
	step->weight_bp[w->to] = to_bp;
	step->weight_bp[w->from] += SHARE_FULL_BP - to_bp;
	step->park = park;
	text_copy(step->label, sizeof step->label, label);
}

static void add_counts(struct way *w, enum plan_op op, uint8_t release,
		       const uint16_t count[PROCESSES_MAX], uint64_t deadline_ms)
{
	struct plan_step *step = add(w, op, release, deadline_ms);
	memcpy(step->count, count, sizeof step->count);
	if (op == PLAN_READY)
		step->min_ready_ms = w->plan->min_ready_ms;
}

static uint64_t drain_deadline_ms(const struct plan *plan)
{
	return plan->drain_ms + plan->stop_deadline_ms;
}

/* How much of the requests its ready instances can take, in proportion. */
static uint32_t ready_share_bp(const struct way *w)
{
	const struct environment_set *set = &w->env->sets[w->to_slot];
	uint32_t share = SHARE_FULL_BP;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		const struct process_shape *shape = &set->process[p];
		uint32_t part = SHARE_FULL_BP;
		if (shape->traffic && shape->count > 0)
			part = set->seen.ready[p] * SHARE_FULL_BP / (uint32_t)shape->count;
		share = part < share ? part : share;
	}
	return share;
}

/* Instances of `from` that have to be gone before those of `to` may start. */
static bool find_exclusive(const struct way *w, uint16_t keep[PROCESSES_MAX], bool *ret_traffic)
{
	bool any = false;

	*ret_traffic = false;
	memset(keep, 0, sizeof(uint16_t) * PROCESSES_MAX);
	if (w->from_slot == SLOT_NONE)
		return false;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		const struct process_shape *shape = &w->plan->releases[w->to].process[p];
		uint16_t there = w->env->sets[w->from_slot].document.count[p];
		uint16_t have =
			w->to_slot == SLOT_NONE ? 0 : w->env->sets[w->to_slot].document.count[p];
		bool one_at_a_time =
			shape->handover == HANDOVER_STOP_FIRST ||
			w->plan->releases[w->from].process[p].handover == HANDOVER_STOP_FIRST;
		bool moves = one_at_a_time && there > 0 && have < shape->count;
		keep[p] = moves ? 0 : there;
		any = any || moves;
		*ret_traffic = *ret_traffic || (moves && shape->traffic);
	}
	return any;
}

bool revert_append_return(struct plan *plan, const struct environment_state *env, uint8_t to,
			  uint8_t from)
{
	struct way w = {.plan = plan, .env = env, .to = to, .from = from};
	uint16_t full[PROCESSES_MAX], keep[PROCESSES_MAX];
	bool traffic = plan_has_traffic(plan), park;
	const struct plan_release *target = &plan->releases[to];

	w.to_slot = environment_find(env, &target->id);
	w.from_slot = environment_find(env, &plan->releases[from].id);
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		full[p] = target->process[p].count;
	bool exclusive = find_exclusive(&w, keep, &park);
	bool able = w.to_slot != SLOT_NONE && !park && environment_set_able(env, w.to_slot) &&
		    turn_serves(env, w.to_slot);
	if (traffic && able) {
		add_route(&w, SHARE_FULL_BP, false, "back");
	} else if (traffic && w.to_slot != SLOT_NONE && !park && !env->router.park &&
		   w.from_slot != SLOT_NONE && env->router.weight_bp[w.from_slot] > 0 &&
		   ready_share_bp(&w) > env->router.weight_bp[w.to_slot]) {
		add_route(&w, ready_share_bp(&w), false, "part back");
	}
	if (exclusive) {
		if (park)
			add_route(&w, SHARE_FULL_BP, true, "hold requests");
		add_counts(&w, PLAN_DRAIN, from, keep, drain_deadline_ms(plan));
		add_counts(&w, PLAN_STOP, from, keep, plan->stop_deadline_ms);
	}
	add_counts(&w, PLAN_START, to, full, plan->ready_deadline_ms);
	add_counts(&w, PLAN_READY, to, full, plan->ready_deadline_ms);
	if (traffic && !able)
		add_route(&w, SHARE_FULL_BP, false, "back");
	return !w.full;
}

bool revert_append_removal(struct plan *plan, uint8_t release)
{
	static const uint16_t none[PROCESSES_MAX];
	struct way w = {.plan = plan};
	add_counts(&w, PLAN_DRAIN, release, none, drain_deadline_ms(plan));
	add_counts(&w, PLAN_STOP, release, none, plan->stop_deadline_ms);
	return !w.full;
}

void revert_compile(struct plan *plan, const struct environment_state *env)
{
	uint8_t candidate = environment_find(env, &plan->releases[PLAN_CANDIDATE].id);
	bool begun = candidate != SLOT_NONE && env->sets[candidate].document.version.n > 0;
	bool fits = true;

	memset(plan->steps, 0, sizeof plan->steps);
	memset(plan->floor, 0, sizeof plan->floor);
	memset(&plan->releases[PLAN_LIVE], 0,
	       sizeof plan->releases - sizeof plan->releases[PLAN_CANDIDATE]);
	plan->step_count = 0;
	plan->reverts = true;
	if (env->stable != SLOT_NONE) {
		struct plan_release *live = &plan->releases[PLAN_LIVE];
		live->id = env->sets[env->stable].document.release;
		memcpy(live->process, env->sets[env->stable].process, sizeof live->process);
		fits = revert_append_return(plan, env, PLAN_LIVE, PLAN_CANDIDATE);
	} else if (env->router.version.n > 0) {
		struct plan_step *step = plan_add(plan, PLAN_ROUTE, PLAN_NONE);
		step->deadline_ms = plan->route_deadline_ms;
		text_copy(step->label, sizeof step->label, "nobody");
	}
	if (begun)
		fits = revert_append_removal(plan, PLAN_CANDIDATE) && fits;
	ASSERT(fits && plan_valid(plan));
}
