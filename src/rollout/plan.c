/* SPDX-License-Identifier: Apache-2.0
 * plan - see plan.h for the contract. Bytes are in codec.c, the text for people in plan_text.c. */
#include "rollout/plan.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

static const char *const op_names[] = {
#define X(name, text) text,
	PLAN_OPS(X)
#undef X
};

const char *plan_op_name(enum plan_op op)
{
	ASSERT(op < PLAN_OP_COUNT);
	return op_names[op];
}

void plan_init(struct plan *plan)
{
	memset(plan, 0, sizeof *plan);
}

struct plan_step *plan_add(struct plan *plan, enum plan_op op, uint8_t release)
{
	if (plan->step_count == PLAN_STEPS_MAX)
		return NULL;
	struct plan_step *step = &plan->steps[plan->step_count++];
	memset(step, 0, sizeof *step);
	step->op = op;
	step->release = release;
	step->mirror = PLAN_NONE;
	step->preview = PLAN_NONE;
	return step;
}

bool plan_has_traffic(const struct plan *plan)
{
	for (uint32_t release = PLAN_CANDIDATE; release <= PLAN_LIVE; release++)
		for (uint32_t p = 0; p < PROCESSES_MAX; p++)
			if (plan->releases[release].process[p].traffic &&
			    plan->releases[release].process[p].count > 0)
				return true;
	return false;
}

static bool release_there(const struct plan *plan, uint8_t release)
{
	return release < PLAN_RELEASES_MAX && !release_id_empty(&plan->releases[release].id);
}

static bool route_valid(const struct plan *plan, const struct plan_step *step)
{
	uint32_t sum = 0;
	for (uint8_t i = 0; i < PLAN_RELEASES_MAX; i++) {
		if (step->weight_bp[i] > SHARE_FULL_BP)
			return false;
		if (step->weight_bp[i] > 0 && !release_there(plan, i))
			return false;
		sum += step->weight_bp[i];
	}
	if (sum != 0 && sum != SHARE_FULL_BP)
		return false;
	if ((step->mirror != PLAN_NONE) != (step->mirror_bp > 0) || step->mirror_bp > SHARE_FULL_BP)
		return false;
	return (step->mirror == PLAN_NONE || release_there(plan, step->mirror)) &&
	       (step->preview == PLAN_NONE || release_there(plan, step->preview));
}

static bool step_valid(const struct plan *plan, uint32_t index, bool marked)
{
	const struct plan_step *step = &plan->steps[index];
	if (step->op >= PLAN_OP_COUNT || memchr(step->label, '\0', sizeof step->label) == NULL)
		return false;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (step->count[p] > PROCESS_INSTANCES_MAX)
			return false;
	switch (step->op) {
	case PLAN_FETCH: return index == 0 && release_there(plan, step->release);
	case PLAN_START: return !marked && release_there(plan, step->release);
	case PLAN_MARK: return !marked && !plan->reverts && step->release == PLAN_CANDIDATE;
	case PLAN_READY:
	case PLAN_DRAIN:
	case PLAN_STOP: return release_there(plan, step->release);
	case PLAN_ROUTE: return !marked && route_valid(plan, step);
	case PLAN_HOLD: return step->too_little <= TOO_LITTLE_CONTINUE;
	case PLAN_GATE: return !plan->reverts;
	case PLAN_HOOK: return !(marked && step->exposes);
	case PLAN_OP_COUNT: break;
	}
	return false;
}

static bool releases_valid(const struct plan *plan)
{
	for (uint8_t i = 0; i < PLAN_RELEASES_MAX; i++) {
		for (uint32_t p = 0; p < PROCESSES_MAX; p++)
			if (plan->releases[i].process[p].count > PROCESS_INSTANCES_MAX ||
			    plan->releases[i].process[p].handover > HANDOVER_STOP_FIRST)
				return false;
		for (uint8_t j = 0; j < i; j++)
			if (release_there(plan, i) &&
			    release_id_equal(&plan->releases[i].id, &plan->releases[j].id))
				return false;
	}
	return release_there(plan, PLAN_CANDIDATE);
}

bool plan_valid(const struct plan *plan)
{
	bool marked = false;

	if (plan->step_count > PLAN_STEPS_MAX || !releases_valid(plan) ||
	    memchr(plan->strategy, '\0', sizeof plan->strategy) == NULL)
		return false;
	for (uint32_t i = 0; i < plan->step_count; i++) {
		if (!step_valid(plan, i, marked))
			return false;
		marked = marked || plan->steps[i].op == PLAN_MARK;
	}
	return true;
}
