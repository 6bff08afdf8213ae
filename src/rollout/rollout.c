/* SPDX-License-Identifier: Apache-2.0
 * rollout - see rollout.h for the contract. Read from the end: rollout_step() hands an event to one function
 * of its kind; those for most events are declared in active.h. */
#include "rollout/rollout.h"

#include <string.h>

#include "base/err.h"
#include "rollout/active.h"

void rollout_init(struct rollout *r)
{
	memset(r, 0, sizeof *r);
}

bool rollout_terminal(const struct rollout *r)
{
	return r->status >= ROLLOUT_SUCCEEDED && r->status < ROLLOUT_STATUS_COUNT;
}

bool rollout_active(const struct rollout *r)
{
	return r->status >= ROLLOUT_GATED && r->status <= ROLLOUT_STUCK;
}

static void on_drift(struct turn *t)
{
	if (t->r->status != ROLLOUT_GATED)
		return;
	ASSERT(plan_valid(t->plan));
	memcpy(t->r->plan_hash, t->event->hash, ROLLOUT_HASH_SIZE);
	t->r->attempt++;
	t->r->waited_ms = 0;
	t->out->plan_replaced = true;
	turn_changed(t);
}

/* All that is left is to see the old release off, which the environment at rest does as well, and a command that
 * whoever supersedes does not want any more. */
static bool clearing_away(const struct turn *t)
{
	enum plan_op op = cursor_step(t)->op;
	return op == PLAN_DRAIN || op == PLAN_STOP || op == PLAN_HOOK;
}

static void on_newer(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->status == ROLLOUT_QUEUED || r->status == ROLLOUT_GATED)
		cursor_end(t, ROLLOUT_SUPERSEDED, REASON_NEWER);
	else if ((r->status == ROLLOUT_RUNNING || r->status == ROLLOUT_PAUSED) &&
		 t->event->supersede && retreat_possible(t) && !t->plan->urgent)
		retreat_begin(t, REASON_NEWER, false);
	else if (r->marked && t->event->supersede && clearing_away(t))
		cursor_end(t, ROLLOUT_SUCCEEDED, REASON_NONE);
}

static void on_freeze(struct turn *t, bool frozen)
{
	if (t->env->frozen != frozen)
		turn_changed(t);
	t->env->frozen = frozen;
	t->out->answer = ANSWER_OK;
	if (frozen && t->r->status == ROLLOUT_RUNNING && !t->r->issued)
		cursor_try_issue(t);
	if (!frozen && t->r->status == ROLLOUT_PAUSED && t->r->reason == REASON_FROZEN)
		cursor_go_on(t);
}

/* What was in flight when the controller ended is asked for again; what a person said still stands. */
static void on_boot(struct turn *t)
{
	struct rollout *r = t->r;
	bool verdict = r->passed && (r->passed_as == EVIDENCE_VERDICT);
	bool passed = r->passed && !verdict;

	turn_boot(t, t->event->epoch);
	cursor_new_attempt(r);
	r->passed = passed;
	if (r->status >= ROLLOUT_RUNNING && r->status != ROLLOUT_PAUSED && r->issued && !passed)
		step_reissue(t, cursor_step(t));
}

static enum rollout_answer start_check(const struct turn *t)
{
	const struct plan *plan = t->plan;
	const struct environment_state *env = t->env;
	static const struct release_id nobody;
	const struct release_id *stable =
		env->stable == SLOT_NONE ? &nobody : &env->sets[env->stable].document.release;

	if (env->rollout != 0)
		return ANSWER_BUSY;
	if (env->frozen && !plan->urgent)
		return ANSWER_FREEZE;
	if (!release_id_equal(&plan->releases[PLAN_CANDIDATE].id, &t->r->release) ||
	    !release_id_equal(&plan->releases[PLAN_LIVE].id, stable))
		return ANSWER_OUTDATED;
	if (environment_find(env, &t->r->release) == SLOT_NONE &&
	    environment_find_free(env) == SLOT_NONE)
		return ANSWER_BUSY;
	return ANSWER_OK;
}

static enum rollout_answer on_start(struct turn *t)
{
	ASSERT(plan_valid(t->plan) && !t->plan->reverts);
	enum rollout_answer answer = start_check(t);
	if (answer != ANSWER_OK)
		return answer;
	uint8_t slot = environment_find(t->env, &t->r->release);
	if (slot == SLOT_NONE)
		slot = environment_find_free(t->env);
	struct environment_set *set = &t->env->sets[slot];
	set->document.release = t->r->release;
	memcpy(set->process, t->plan->releases[PLAN_CANDIDATE].process, sizeof set->process);
	t->env->rollout = t->r->number;
	t->r->running_ms = 0;
	t->r->guard_attempt = t->r->attempt;
	t->r->confirmed_bp = 0;
	t->r->candidate_stood = t->r->live_stood = false;
	t->r->candidate_falls = t->r->live_falls = 0;
	if (t->plan->needs_approval)
		cursor_set_status(t, ROLLOUT_GATED, REASON_NONE);
	else
		cursor_begin(t);
	return ANSWER_OK;
}

static void on_submit(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->status != ROLLOUT_NONE)
		return;
	ASSERT(t->event->number != 0 && !release_id_empty(&t->event->release));
	r->number = t->event->number;
	r->release = t->event->release;
	memcpy(r->plan_hash, t->event->hash, ROLLOUT_HASH_SIZE);
	if (t->event->bad_listed)
		cursor_set_status(t, ROLLOUT_REJECTED, REASON_BAD_LISTED);
	else
		cursor_set_status(t, ROLLOUT_QUEUED, REASON_NONE);
}

/* A rollout that waits for the environment knows few events and leaves the environment alone. */
static void waiting_step(struct turn *t)
{
	switch (t->event->kind) {
	case EVENT_START: t->out->answer = on_start(t); break;
	case EVENT_ABORT: t->out->answer = command_abort(t); break;
	case EVENT_NEWER: on_newer(t); break;
	case EVENT_PAUSE:
	case EVENT_RESUME:
	case EVENT_PROMOTE:
	case EVENT_APPROVE:
	case EVENT_REJECT: t->out->answer = ANSWER_NOT_NOW; break;
	case EVENT_SUBMIT:
	case EVENT_DRIFT:
	case EVENT_TICK:
	case EVENT_OBSERVATION:
	case EVENT_FETCHED:
	case EVENT_EVIDENCE:
	case EVENT_HOOKED:
	case EVENT_FREEZE:
	case EVENT_UNFREEZE:
	case EVENT_MAINTENANCE:
	case EVENT_BOOT:
	case EVENT_LEASE_LOST:
	case EVENT_LEASE_WON:
	case EVENT_COUNT: break;
	}
}

static void active_step(struct turn *t)
{
	bool current_view = command_seen(t);

	switch (t->event->kind) {
	case EVENT_TICK: active_tick(t); break;
	case EVENT_OBSERVATION: active_observe(t); break;
	case EVENT_FETCHED: active_fetched(t); break;
	case EVENT_EVIDENCE: active_verdict(t); break;
	case EVENT_HOOKED: active_hooked(t); break;
	case EVENT_APPROVE: t->out->answer = command_approve(t); break;
	case EVENT_REJECT: t->out->answer = command_reject(t); break;
	case EVENT_DRIFT: on_drift(t); break;
	case EVENT_PAUSE: t->out->answer = current_view ? command_pause(t) : ANSWER_STALE; break;
	case EVENT_RESUME: t->out->answer = current_view ? command_resume(t) : ANSWER_STALE; break;
	case EVENT_PROMOTE:
		t->out->answer = current_view ? command_promote(t, EVIDENCE_SKIP) : ANSWER_STALE;
		break;
	case EVENT_ABORT: t->out->answer = command_abort(t); break;
	case EVENT_NEWER: on_newer(t); break;
	case EVENT_FREEZE: on_freeze(t, true); break;
	case EVENT_UNFREEZE: on_freeze(t, false); break;
	case EVENT_MAINTENANCE: turn_access(t, t->event->access); break;
	case EVENT_BOOT:
	case EVENT_LEASE_WON: on_boot(t); break;
	case EVENT_LEASE_LOST:
		t->env->standby = true;
		turn_changed(t);
		break;
	case EVENT_START: t->out->answer = ANSWER_NOT_NOW; break;
	case EVENT_SUBMIT:
	case EVENT_COUNT: break;
	}
}

static bool is_command(enum rollout_event_kind kind)
{
	return kind == EVENT_PAUSE || kind == EVENT_RESUME || kind == EVENT_PROMOTE ||
	       kind == EVENT_ABORT || kind == EVENT_APPROVE || kind == EVENT_REJECT ||
	       kind == EVENT_START;
}

enum rollout_change rollout_step(struct plan *plan, struct environment_state *env,
				 struct rollout *r, const struct rollout_event *event,
				 struct rollout_effects *out)
{
	struct turn t = {.plan = plan, .env = env, .r = r, .event = event, .out = out};

	memset(out, 0, sizeof *out);
	ASSERT(environment_valid(env));
	if (env->standby && event->kind != EVENT_BOOT && event->kind != EVENT_LEASE_WON) {
		out->answer = ANSWER_READ_ONLY;
		return ROLLOUT_UNCHANGED;
	}
	if (r->status == ROLLOUT_NONE) {
		if (event->kind == EVENT_SUBMIT)
			on_submit(&t);
	} else if (rollout_terminal(r)) {
		if (is_command(event->kind))
			out->answer = ANSWER_FINISHED;
	} else if (r->status == ROLLOUT_QUEUED) {
		waiting_step(&t);
	} else {
		ASSERT(env->rollout == r->number);
		active_step(&t);
	}
	ASSERT(environment_valid(env));
	return t.change;
}
