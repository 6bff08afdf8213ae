/* SPDX-License-Identifier: Apache-2.0
 * evidence - what was seen, judged and answered: all that moves a rollout but time and people. See active.h. */
#include "rollout/active.h"

/* An instance of the candidate that gave up ends the attempt, whatever it waits for. */
static bool candidate_crashed(const struct turn *t)
{
	uint8_t slot = environment_find(t->env, &t->r->release);
	if (!retreat_possible(t) || slot == SLOT_NONE || !t->env->sets[slot].seen.applied)
		return false;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (t->env->sets[slot].seen.failed[p] > 0)
			return true;
	return false;
}

/* What can never be started need not be waited for. The release may be innocent: it is not marked bad. */
static bool start_refused(const struct turn *t)
{
	const struct plan_step *step = cursor_step(t);
	uint8_t slot = step_slot(t, step);
	return retreat_possible(t) && step->op == PLAN_START && t->r->issued && slot != SLOT_NONE &&
	       t->event->observation.sets[slot].refused;
}

/* Count it when a release that stood does so no more. What has not been looked at is not known to; what misses an
 * instance that is being replaced stands as before. */
static void count_fall(struct turn *t, uint8_t slot, bool *stood, uint32_t *falls)
{
	if (slot == SLOT_NONE || !t->env->sets[slot].seen.applied ||
	    t->env->sets[slot].seen.replacing)
		return;
	bool stands = step_at_strength(&t->env->sets[slot]);
	if (stands == *stood)
		return;
	*falls += *stood;
	*stood = stands;
	turn_changed(t);
}

/* A candidate that falls again and again is not fit, though it gets up each time; unless the live release falls as
 * often: then something else is to blame. */
static bool candidate_unsteady(struct turn *t)
{
	struct rollout *r = t->r;

	if (!retreat_possible(t) || t->plan->urgent)
		return false;
	count_fall(t, t->env->stable, &r->live_stood, &r->live_falls);
	if (r->ready_once)
		count_fall(t, environment_find(t->env, &r->release), &r->candidate_stood,
			   &r->candidate_falls);
	else
		r->candidate_stood = false; /* more instances are on their way */
	return r->candidate_falls >= ROLLOUT_FALLS_MAX && r->candidate_falls > r->live_falls;
}

void active_observe(struct turn *t)
{
	struct rollout *r = t->r;

	if (!turn_take_observation(t) || r->status == ROLLOUT_GATED)
		return;
	if (t->plan->reverts)
		retreat_take_back(t);
	if (candidate_crashed(t)) {
		retreat_begin(t, REASON_CRASHED, true);
		return;
	}
	if (candidate_unsteady(t)) {
		retreat_begin(t, REASON_UNSTEADY, true);
		return;
	}
	if (r->status == ROLLOUT_PAUSED || t->event->observation.attempt != r->attempt)
		return;
	if (start_refused(t)) {
		retreat_begin(t, REASON_INSTANCES, false);
		return;
	}
	const struct plan_step *step = cursor_step(t);
	if (!r->issued) {
		cursor_try_issue(t);
		if (r->issued)
			cursor_unstick(t);
		bool markable = step->op == PLAN_MARK && r->status == ROLLOUT_RUNNING;
		if (!markable || !step_complete(t, step))
			return;
		step_issue(t, step);
		cursor_advance(t);
		return;
	}
	if (step->op == PLAN_DRAIN && step_acked(t, step_slot(t, step)) && !r->acked) {
		r->acked = true;
		turn_changed(t);
	}
	if (!step_complete(t, step))
		return;
	cursor_unstick(t);
	cursor_advance(t);
}

void active_verdict(struct turn *t)
{
	const struct rollout_event *event = t->event;
	struct rollout *r = t->r;

	if ((r->status != ROLLOUT_RUNNING && r->status != ROLLOUT_PAUSED) || !retreat_possible(t))
		return;
	if (event->guard) {
		if (event->verdict == VERDICT_FAIL && event->attempt >= r->guard_attempt &&
		    event->attempt <= r->attempt)
			retreat_begin(t, REASON_ANALYSIS, true);
		return;
	}
	if (event->step != r->cursor || event->attempt != r->attempt ||
	    cursor_step(t)->op != PLAN_HOLD || !r->issued)
		return;
	if (event->verdict == VERDICT_FAIL) {
		retreat_begin(t, event->check ? REASON_CHECK : REASON_ANALYSIS, true);
	} else if (r->status == ROLLOUT_PAUSED) {
		return;
	} else if (event->verdict == VERDICT_PASS) {
		r->passed = true;
		r->passed_as = EVIDENCE_VERDICT;
		turn_changed(t);
	} else {
		cursor_new_attempt(r);
		turn_changed(t);
		if (++r->inconclusive > t->plan->inconclusive_max)
			cursor_pause(t, REASON_INCONCLUSIVE);
		else
			step_reissue(t, cursor_step(t));
	}
}

void active_fetched(struct turn *t)
{
	if (t->r->status != ROLLOUT_RUNNING || cursor_step(t)->op != PLAN_FETCH ||
	    !release_id_equal(&t->event->release, &t->r->release))
		return;
	if (t->event->ok)
		cursor_advance(t);
	else
		cursor_end(t, ROLLOUT_REJECTED, REASON_FETCH);
}

void active_hooked(struct turn *t)
{
	struct rollout *r = t->r;
	bool moving = r->status == ROLLOUT_RUNNING || r->status == ROLLOUT_REVERTING ||
		      r->status == ROLLOUT_STUCK;

	if (!moving || cursor_step(t)->op != PLAN_HOOK || t->event->step != r->cursor ||
	    t->event->attempt != r->attempt)
		return;
	if (t->event->ok) {
		cursor_unstick(t);
		cursor_advance(t);
	} else if (r->status != ROLLOUT_STUCK) {
		retreat_hook(t);
	}
}
