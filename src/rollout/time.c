/* SPDX-License-Identifier: Apache-2.0
 * time - what the passing of time does: holds that last, deadlines, patience. See active.h. */
#include "rollout/active.h"

/* Without its drain a stop would be no better; both are the standing state's from here on. */
static void leave_removal(struct turn *t, const struct plan_step *step)
{
	uint32_t next = t->r->cursor + 1;
	bool pair = step->op == PLAN_DRAIN && next < t->plan->step_count &&
		    t->plan->steps[next].op == PLAN_STOP &&
		    t->plan->steps[next].release == step->release;
	cursor_enter(t, pair ? next + 1 : next);
}

/* A drain or stop that was held up or not confirmed. What nobody waits for may be left to the standing
 * state of the environment. */
static void removal_timeout(struct turn *t, const struct plan_step *step)
{
	bool blocked = !t->r->issued;

	if (retreat_possible(t) && step->release == PLAN_LIVE)
		retreat_begin(t, blocked ? REASON_CAPACITY : REASON_INSTANCES, false);
	else if (blocked && !t->plan->reverts)
		leave_removal(t, step);
	else
		retreat_retry(t, blocked ? REASON_CAPACITY : REASON_INSTANCES);
}

static void step_timeout(struct turn *t, const struct plan_step *step)
{
	switch (step->op) {
	case PLAN_FETCH: cursor_end(t, ROLLOUT_REJECTED, REASON_FETCH); break;
	case PLAN_START: retreat_or_retry(t, REASON_INSTANCES, false); break;
	case PLAN_READY:
		retreat_or_retry(t,
				 t->plan->reverts ? REASON_STABLE_DOWN
						  : retreat_reason(t, REASON_NEVER_READY),
				 true);
		break;
	case PLAN_ROUTE:
		if (t->r->issued)
			retreat_or_retry(t, REASON_ROUTER, false);
		else
			retreat_or_retry(
				t, t->plan->reverts ? REASON_STABLE_DOWN : REASON_UNHEALTHY, true);
		break;
	case PLAN_GATE:
		if (!t->r->passed)
			cursor_pause(t, REASON_EXPIRED);
		break;
	case PLAN_DRAIN:
	case PLAN_STOP: removal_timeout(t, step); break;
	case PLAN_MARK: retreat_or_retry(t, retreat_reason(t, REASON_UNHEALTHY), true); break;
	case PLAN_HOOK:
		if (!t->r->passed)
			retreat_hook(t);
		break;
	case PLAN_HOLD:
	case PLAN_OP_COUNT: break;
	}
}

static void hold_timeout(struct turn *t, const struct plan_step *step)
{
	switch (step->too_little) {
	case TOO_LITTLE_HOLD: cursor_pause(t, REASON_TOO_LITTLE); break;
	case TOO_LITTLE_ROLLBACK: retreat_or_retry(t, REASON_TOO_LITTLE, false); break;
	case TOO_LITTLE_CONTINUE:
		t->r->passed = true;
		t->r->passed_as = EVIDENCE_TOO_LITTLE;
		turn_changed(t);
		break;
	}
}

/* A candidate that was ready and is not any more, for longer than it may take to become so. */
static bool watch_tick(struct turn *t, uint64_t elapsed_ms)
{
	struct rollout *r = t->r;

	if (!retreat_possible(t) || !r->ready_once || step_candidate_well(t)) {
		r->unready_ms = 0;
		return false;
	}
	if (t->env->observed == 0)
		return false; /* nobody has looked since the start: not known is not unwell */
	r->unready_ms += elapsed_ms;
	if (r->unready_ms < t->plan->ready_deadline_ms)
		return false;
	retreat_begin(t, retreat_reason(t, REASON_UNHEALTHY), true);
	return true;
}

static void running_tick(struct turn *t, uint64_t elapsed_ms)
{
	const struct plan_step *step = cursor_step(t);
	struct rollout *r = t->r;

	r->waited_ms += elapsed_ms;
	if (step->op == PLAN_HOLD && r->issued)
		r->held_ms += elapsed_ms;
	if (step->op == PLAN_DRAIN && r->acked)
		r->acked_ms += elapsed_ms;
	if (t->env->reassert_ms == 0 && r->issued && !r->passed)
		step_reissue(t, step);
	if (watch_tick(t, elapsed_ms) || r->status == ROLLOUT_STUCK)
		return;
	if (step->op == PLAN_HOLD) {
		if (step->analyses != 0 && step->at_most_ms > 0 && !r->passed &&
		    r->waited_ms >= step->at_most_ms)
			hold_timeout(t, step);
	} else if (step->deadline_ms > 0 && r->waited_ms >= step->deadline_ms) {
		step_timeout(t, step);
	}
}

void active_tick(struct turn *t)
{
	struct rollout *r = t->r;
	uint64_t elapsed_ms = t->event->elapsed_ms < ROLLOUT_TICK_MAX_MS ? t->event->elapsed_ms
									 : ROLLOUT_TICK_MAX_MS;

	turn_tick_environment(t, elapsed_ms);
	r->running_ms += elapsed_ms;
	if (r->status == ROLLOUT_GATED) {
		r->waited_ms += elapsed_ms;
		if (t->plan->approval_ttl_ms > 0 && r->waited_ms >= t->plan->approval_ttl_ms)
			cursor_end(t, ROLLOUT_REJECTED, REASON_EXPIRED);
	} else if (r->status == ROLLOUT_PAUSED) {
		r->paused_ms += elapsed_ms;
		if (watch_tick(t, elapsed_ms))
			return;
		if (t->plan->pause_ttl_ms > 0 && r->paused_ms >= t->plan->pause_ttl_ms &&
		    r->reason != REASON_FROZEN && retreat_possible(t))
			retreat_begin(t, REASON_EXPIRED, false);
	} else {
		running_tick(t, elapsed_ms);
	}
}
