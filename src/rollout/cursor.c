/* SPDX-License-Identifier: Apache-2.0
 * cursor - where a rollout stands: its status, its step, and how both change. See active.h. */
#include "rollout/active.h"

#include "base/err.h"
#include "base/text.h"

const struct plan_step *cursor_step(const struct turn *t)
{
	ASSERT(t->r->cursor < t->plan->step_count);
	return &t->plan->steps[t->r->cursor];
}

void cursor_set_status(struct turn *t, enum rollout_status to, enum rollout_reason reason)
{
	struct rollout_effect *effect = turn_emit(t, EFFECT_NOTIFY);
	effect->from = t->r->status;
	effect->to = to;
	effect->reason = reason;
	t->r->status = to;
	t->r->reason = reason;
	t->r->transitions++;
	turn_changed(t);
}

void cursor_end(struct turn *t, enum rollout_status status, enum rollout_reason reason)
{
	bool held = rollout_active(t->r);

	cursor_set_status(t, status, reason);
	if (!held)
		return;
	t->env->rollout = 0;
	turn_forget_unused(t);
	turn_emit(t, EFFECT_FREE);
}

void cursor_pause(struct turn *t, enum rollout_reason reason)
{
	t->r->paused_ms = 0;
	cursor_set_status(t, ROLLOUT_PAUSED, reason);
}

/* Write the step's documents, unless a guard forbids it for now. */
void cursor_try_issue(struct turn *t)
{
	const struct plan_step *step = cursor_step(t);
	enum block block = step_blocked(t, step);

	if (block == BLOCK_FROZEN && t->r->status == ROLLOUT_RUNNING)
		cursor_pause(t, REASON_FROZEN);
	else if (block == BLOCK_NONE && step->op != PLAN_MARK)
		step_issue(t, step);
}

void cursor_new_attempt(struct rollout *r)
{
	r->attempt++;
	r->passed = false;
	r->acked = false;
	r->acked_ms = 0;
}

void cursor_enter(struct turn *t, uint32_t cursor)
{
	struct rollout *r = t->r;

	r->cursor = cursor;
	cursor_new_attempt(r);
	r->issued = false;
	r->retries = 0;
	r->inconclusive = 0;
	r->held_ms = 0;
	r->waited_ms = 0;
	turn_changed(t);
	if (cursor < t->plan->step_count)
		cursor_try_issue(t);
	else if (t->plan->reverts)
		cursor_end(t, ROLLOUT_REVERTED, r->reason);
	else
		cursor_end(t, ROLLOUT_SUCCEEDED, REASON_NONE);
}

/* The set has no instances any more and nothing asks for one. */
static void forget_stopped(struct turn *t, const struct plan_step *step)
{
	uint8_t slot = step_slot(t, step);
	if (slot == SLOT_NONE || slot == t->env->stable || t->env->router.weight_bp[slot] > 0)
		return;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (t->env->sets[slot].document.count[p] > 0 ||
		    t->event->observation.sets[slot].exist[p] > 0)
			return;
	turn_forget(t, slot);
}

void cursor_advance(struct turn *t)
{
	const struct plan_step *step = cursor_step(t);
	struct rollout *r = t->r;

	if (step->op == PLAN_HOLD || step->op == PLAN_GATE ||
	    (step->op == PLAN_HOOK && r->passed)) {
		struct rollout_effect *effect = turn_emit(t, EFFECT_EVIDENCE);
		effect->step = r->cursor;
		effect->attempt = r->attempt;
		effect->evidence = r->passed ? r->passed_as : EVIDENCE_TIME;
	}
	if (step->op == PLAN_READY && step->release == PLAN_CANDIDATE)
		r->ready_once = true;
	if (step->op == PLAN_ROUTE) /* who waits is nobody's */
		r->confirmed_bp = step->park ? SHARE_FULL_BP : step->weight_bp[PLAN_CANDIDATE];
	if (step->op == PLAN_STOP && t->event->kind == EVENT_OBSERVATION)
		forget_stopped(t, step);
	cursor_enter(t, r->cursor + 1);
}

void cursor_unstick(struct turn *t)
{
	if (t->r->status != ROLLOUT_STUCK)
		return;
	t->r->waited_ms = 0;
	t->r->retries = 0;
	cursor_set_status(t, t->plan->reverts ? ROLLOUT_REVERTING : ROLLOUT_RUNNING, t->r->reason);
}

void cursor_leave_pause(struct turn *t)
{
	struct rollout *r = t->r;

	cursor_new_attempt(r);
	r->guard_attempt = r->attempt;
	r->waited_ms = 0;
	r->inconclusive = 0;
	cursor_set_status(t, ROLLOUT_RUNNING, REASON_NONE);
}

void cursor_go_on(struct turn *t)
{
	cursor_leave_pause(t);
	if (t->r->issued)
		step_reissue(t, cursor_step(t));
	else
		cursor_try_issue(t);
}

void cursor_begin(struct turn *t)
{
	cursor_set_status(t, ROLLOUT_RUNNING, REASON_NONE);
	cursor_enter(t, 0);
}
