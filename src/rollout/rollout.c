/* SPDX-License-Identifier: Apache-2.0
 * rollout - see rollout.h for the contract. Read from the end: rollout_step() hands an event to one function
 * of its kind; these move the cursor with advance(), leave it with pause(), revert() or end(). */
#include "rollout/rollout.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "rollout/revert.h"
#include "rollout/turn.h"

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

static const struct plan_step *current(const struct turn *t)
{
	ASSERT(t->r->cursor < t->plan->step_count);
	return &t->plan->steps[t->r->cursor];
}

static void set_status(struct turn *t, enum rollout_status to, enum rollout_reason reason)
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

static void end(struct turn *t, enum rollout_status status, enum rollout_reason reason)
{
	bool held = rollout_active(t->r);

	set_status(t, status, reason);
	if (!held)
		return;
	t->env->rollout = 0;
	turn_forget_unused(t);
	turn_emit(t, EFFECT_FREE);
}

static void pause(struct turn *t, enum rollout_reason reason)
{
	t->r->paused_ms = 0;
	set_status(t, ROLLOUT_PAUSED, reason);
}

/* Write the step's documents, unless a guard forbids it for now. */
static void try_issue(struct turn *t)
{
	const struct plan_step *step = current(t);
	enum block block = step_blocked(t, step);

	if (block == BLOCK_FROZEN && t->r->status == ROLLOUT_RUNNING)
		pause(t, REASON_FROZEN);
	else if (block == BLOCK_NONE && step->op != PLAN_MARK)
		step_issue(t, step);
}

static void new_attempt(struct rollout *r)
{
	r->attempt++;
	r->passed = false;
	r->acked = false;
	r->acked_ms = 0;
}

static void enter_step(struct turn *t, uint32_t cursor)
{
	struct rollout *r = t->r;

	r->cursor = cursor;
	new_attempt(r);
	r->issued = false;
	r->retries = 0;
	r->inconclusive = 0;
	r->held_ms = 0;
	r->waited_ms = 0;
	turn_changed(t);
	if (cursor < t->plan->step_count)
		try_issue(t);
	else if (t->plan->reverts)
		end(t, ROLLOUT_REVERTED, r->reason);
	else
		end(t, ROLLOUT_SUCCEEDED, REASON_NONE);
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

static void advance(struct turn *t)
{
	const struct plan_step *step = current(t);
	struct rollout *r = t->r;

	if (step->op == PLAN_HOLD || step->op == PLAN_GATE) {
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
	enter_step(t, r->cursor + 1);
}

/* A ROUTE that was not confirmed may still be on its way, or wait for a gateway that is away. Going back, the
 * candidate comes to no more than was confirmed: the rest is taken back as soon as the live release answers. */
static void take_back(struct turn *t)
{
	const struct environment_state *env = t->env;
	uint8_t from = environment_find(env, &t->r->release), to = env->stable;
	struct traffic_document wish = env->router;

	if (from == SLOT_NONE || to == SLOT_NONE)
		return;
	bool mirrors = wish.mirror == from;
	bool more = wish.weight_bp[from] > t->r->confirmed_bp && turn_serves(env, to);
	if (mirrors) {
		wish.mirror = SLOT_NONE;
		wish.mirror_bp = 0;
	}
	if (more) {
		wish.weight_bp[from] = t->r->confirmed_bp;
		wish.weight_bp[to] = SHARE_FULL_BP - t->r->confirmed_bp;
	}
	if (mirrors || more)
		turn_write_router(t, &wish);
}

/* Go back by a fresh plan. `bad`: the release itself is to blame. */
static void revert(struct turn *t, enum rollout_reason reason, bool bad)
{
	ASSERT(!t->r->marked && !t->plan->reverts);
	if (bad)
		turn_emit(t, EFFECT_BAD)->release = t->r->release;
	if (bad)
		t->out->items[t->out->count - 1].reason = reason;
	take_back(t);
	revert_compile(t->plan, t->env);
	t->out->plan_replaced = true;
	t->r->unready_ms = 0;
	set_status(t, ROLLOUT_REVERTING, reason);
	enter_step(t, 0);
}

/* The step could not be done in time: once more, then a person is told; the trying goes on. */
static void retry(struct turn *t, enum rollout_reason reason)
{
	struct rollout *r = t->r;

	r->waited_ms = 0;
	turn_changed(t);
	if (r->retries++ >= t->plan->retries_max)
		set_status(t, ROLLOUT_STUCK, reason);
	else
		turn_reassert(t);
}

static bool revertible(const struct turn *t)
{
	return !t->plan->reverts && !t->r->marked;
}

static void fail_step(struct turn *t, enum rollout_reason reason, bool bad)
{
	if (revertible(t))
		revert(t, reason, bad);
	else
		retry(t, reason);
}

static enum rollout_reason unwell_reason(const struct turn *t, enum rollout_reason otherwise)
{
	uint8_t slot = environment_find(t->env, &t->plan->releases[PLAN_CANDIDATE].id);
	return slot != SLOT_NONE && t->env->sets[slot].seen.wrong > 0 ? REASON_WRONG_RELEASE
								      : otherwise;
}

/* Without its drain a stop would be no better; both are the standing state's from here on. */
static void leave_removal(struct turn *t, const struct plan_step *step)
{
	uint32_t next = t->r->cursor + 1;
	bool pair = step->op == PLAN_DRAIN && next < t->plan->step_count &&
		    t->plan->steps[next].op == PLAN_STOP &&
		    t->plan->steps[next].release == step->release;
	enter_step(t, pair ? next + 1 : next);
}

/* A drain or stop that was held up or not confirmed. What nobody waits for may be left to the standing
 * state of the environment. */
static void removal_timeout(struct turn *t, const struct plan_step *step)
{
	bool blocked = !t->r->issued;

	if (revertible(t) && step->release == PLAN_LIVE)
		revert(t, blocked ? REASON_CAPACITY : REASON_INSTANCES, false);
	else if (blocked && !t->plan->reverts)
		leave_removal(t, step);
	else
		retry(t, blocked ? REASON_CAPACITY : REASON_INSTANCES);
}

static void step_timeout(struct turn *t, const struct plan_step *step)
{
	switch (step->op) {
	case PLAN_FETCH: end(t, ROLLOUT_REJECTED, REASON_FETCH); break;
	case PLAN_START: fail_step(t, REASON_INSTANCES, false); break;
	case PLAN_READY:
		fail_step(t,
			  t->plan->reverts ? REASON_STABLE_DOWN
					   : unwell_reason(t, REASON_NEVER_READY),
			  true);
		break;
	case PLAN_ROUTE:
		if (t->r->issued)
			fail_step(t, REASON_ROUTER, false);
		else
			fail_step(t, t->plan->reverts ? REASON_STABLE_DOWN : REASON_UNHEALTHY,
				  true);
		break;
	case PLAN_GATE:
		if (!t->r->passed)
			pause(t, REASON_EXPIRED);
		break;
	case PLAN_DRAIN:
	case PLAN_STOP: removal_timeout(t, step); break;
	case PLAN_MARK: fail_step(t, unwell_reason(t, REASON_UNHEALTHY), true); break;
	case PLAN_HOOK: fail_step(t, REASON_HOOK, false); break;
	case PLAN_HOLD:
	case PLAN_OP_COUNT: break;
	}
}

static void hold_timeout(struct turn *t, const struct plan_step *step)
{
	switch (step->too_little) {
	case TOO_LITTLE_HOLD: pause(t, REASON_TOO_LITTLE); break;
	case TOO_LITTLE_ROLLBACK: fail_step(t, REASON_TOO_LITTLE, false); break;
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

	if (!revertible(t) || !r->ready_once || step_candidate_well(t)) {
		r->unready_ms = 0;
		return false;
	}
	if (t->env->observed == 0)
		return false; /* nobody has looked since the start: not known is not unwell */
	r->unready_ms += elapsed_ms;
	if (r->unready_ms < t->plan->ready_deadline_ms)
		return false;
	revert(t, unwell_reason(t, REASON_UNHEALTHY), true);
	return true;
}

static void running_tick(struct turn *t, uint64_t elapsed_ms)
{
	const struct plan_step *step = current(t);
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

static void on_tick(struct turn *t)
{
	struct rollout *r = t->r;
	uint64_t elapsed_ms = t->event->elapsed_ms < ROLLOUT_TICK_MAX_MS ? t->event->elapsed_ms
									 : ROLLOUT_TICK_MAX_MS;

	turn_tick_environment(t, elapsed_ms);
	r->running_ms += elapsed_ms;
	if (r->status == ROLLOUT_GATED) {
		r->waited_ms += elapsed_ms;
		if (t->plan->approval_ttl_ms > 0 && r->waited_ms >= t->plan->approval_ttl_ms)
			end(t, ROLLOUT_REJECTED, REASON_EXPIRED);
	} else if (r->status == ROLLOUT_PAUSED) {
		r->paused_ms += elapsed_ms;
		if (watch_tick(t, elapsed_ms))
			return;
		if (t->plan->pause_ttl_ms > 0 && r->paused_ms >= t->plan->pause_ttl_ms &&
		    r->reason != REASON_FROZEN && revertible(t))
			revert(t, REASON_EXPIRED, false);
	} else {
		running_tick(t, elapsed_ms);
	}
}

/* An instance of the candidate that gave up ends the attempt, whatever it waits for. */
static bool candidate_crashed(const struct turn *t)
{
	uint8_t slot = environment_find(t->env, &t->r->release);
	if (!revertible(t) || slot == SLOT_NONE || !t->env->sets[slot].seen.applied)
		return false;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (t->env->sets[slot].seen.failed[p] > 0)
			return true;
	return false;
}

/* What can never be started need not be waited for. The release may be innocent: it is not marked bad. */
static bool start_refused(const struct turn *t)
{
	const struct plan_step *step = current(t);
	uint8_t slot = step_slot(t, step);
	return revertible(t) && step->op == PLAN_START && t->r->issued && slot != SLOT_NONE &&
	       t->event->observation.sets[slot].refused;
}

static void unstick(struct turn *t)
{
	if (t->r->status != ROLLOUT_STUCK)
		return;
	t->r->waited_ms = 0;
	t->r->retries = 0;
	set_status(t, t->plan->reverts ? ROLLOUT_REVERTING : ROLLOUT_RUNNING, t->r->reason);
}

static void on_observation(struct turn *t)
{
	struct rollout *r = t->r;

	if (!turn_take_observation(t) || r->status == ROLLOUT_GATED)
		return;
	if (t->plan->reverts)
		take_back(t);
	if (candidate_crashed(t)) {
		revert(t, REASON_CRASHED, true);
		return;
	}
	if (r->status == ROLLOUT_PAUSED || t->event->observation.attempt != r->attempt)
		return;
	if (start_refused(t)) {
		revert(t, REASON_INSTANCES, false);
		return;
	}
	const struct plan_step *step = current(t);
	if (!r->issued) {
		try_issue(t);
		if (r->issued)
			unstick(t);
		bool markable = step->op == PLAN_MARK && r->status == ROLLOUT_RUNNING;
		if (!markable || !step_complete(t, step))
			return;
		step_issue(t, step);
		advance(t);
		return;
	}
	if (step->op == PLAN_DRAIN && step_acked(t, step_slot(t, step)) && !r->acked) {
		r->acked = true;
		turn_changed(t);
	}
	if (!step_complete(t, step))
		return;
	unstick(t);
	advance(t);
}

static void on_verdict(struct turn *t)
{
	const struct rollout_event *event = t->event;
	struct rollout *r = t->r;

	if ((r->status != ROLLOUT_RUNNING && r->status != ROLLOUT_PAUSED) || !revertible(t))
		return;
	if (event->guard) {
		if (event->verdict == VERDICT_FAIL && event->attempt >= r->guard_attempt &&
		    event->attempt <= r->attempt)
			revert(t, REASON_ANALYSIS, true);
		return;
	}
	if (event->step != r->cursor || event->attempt != r->attempt ||
	    current(t)->op != PLAN_HOLD || !r->issued)
		return;
	if (event->verdict == VERDICT_FAIL) {
		revert(t, REASON_ANALYSIS, true);
	} else if (r->status == ROLLOUT_PAUSED) {
		return;
	} else if (event->verdict == VERDICT_PASS) {
		r->passed = true;
		r->passed_as = EVIDENCE_VERDICT;
		turn_changed(t);
	} else {
		new_attempt(r);
		turn_changed(t);
		if (++r->inconclusive > t->plan->inconclusive_max)
			pause(t, REASON_INCONCLUSIVE);
		else
			step_reissue(t, current(t));
	}
}

static void on_fetched(struct turn *t)
{
	if (t->r->status != ROLLOUT_RUNNING || current(t)->op != PLAN_FETCH ||
	    !release_id_equal(&t->event->release, &t->r->release))
		return;
	if (t->event->ok)
		advance(t);
	else
		end(t, ROLLOUT_REJECTED, REASON_FETCH);
}

static void on_hooked(struct turn *t)
{
	struct rollout *r = t->r;
	bool moving = r->status == ROLLOUT_RUNNING || r->status == ROLLOUT_REVERTING ||
		      r->status == ROLLOUT_STUCK;

	if (!moving || current(t)->op != PLAN_HOOK || t->event->step != r->cursor ||
	    t->event->attempt != r->attempt)
		return;
	if (t->event->ok) {
		unstick(t);
		advance(t);
	} else if (r->status != ROLLOUT_STUCK) {
		fail_step(t, REASON_HOOK, false);
	}
}

static bool seen_is_current(const struct turn *t)
{
	const struct rollout_seen *seen = &t->event->seen;
	return seen->status == t->r->status && seen->cursor == t->r->cursor &&
	       seen->attempt == t->r->attempt;
}

static void go_on(struct turn *t)
{
	struct rollout *r = t->r;

	new_attempt(r);
	r->guard_attempt = r->attempt;
	r->waited_ms = 0;
	r->inconclusive = 0;
	set_status(t, ROLLOUT_RUNNING, REASON_NONE);
	if (r->issued)
		step_reissue(t, current(t));
	else
		try_issue(t);
}

static enum rollout_answer command_pause(struct turn *t)
{
	if (t->r->status == ROLLOUT_REVERTING || t->r->status == ROLLOUT_STUCK)
		return ANSWER_GOING_BACK;
	if (t->r->status != ROLLOUT_RUNNING)
		return ANSWER_NOT_NOW;
	if (t->r->marked)
		return ANSWER_AFTER_MARK;
	pause(t, REASON_OPERATOR);
	return ANSWER_OK;
}

static enum rollout_answer command_resume(struct turn *t)
{
	if (t->r->status != ROLLOUT_PAUSED)
		return ANSWER_NOT_NOW;
	if (t->r->reason == REASON_FROZEN && t->env->frozen)
		return ANSWER_FREEZE;
	go_on(t);
	return ANSWER_OK;
}

/* A person's "go on" is evidence of its own kind; it passes nothing but the hold or gate it was said at. */
static enum rollout_answer command_promote(struct turn *t, enum evidence_kind kind)
{
	struct rollout *r = t->r;
	bool paused = r->status == ROLLOUT_PAUSED && r->reason != REASON_FROZEN;

	if (r->status != ROLLOUT_RUNNING && !paused)
		return r->status == ROLLOUT_REVERTING || r->status == ROLLOUT_STUCK
			       ? ANSWER_GOING_BACK
			       : ANSWER_NOT_NOW;
	enum plan_op op = current(t)->op;
	if (op != PLAN_GATE && (op != PLAN_HOLD || kind == EVIDENCE_APPROVAL))
		return ANSWER_NOT_NOW;
	if (paused)
		go_on(t);
	r->passed = true;
	r->passed_as = kind;
	turn_changed(t);
	return ANSWER_OK;
}

static enum rollout_answer command_abort(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->status == ROLLOUT_QUEUED || r->status == ROLLOUT_GATED)
		end(t, ROLLOUT_CANCELLED, REASON_OPERATOR);
	else if (t->plan->reverts)
		return ANSWER_GOING_BACK;
	else if (r->marked)
		return ANSWER_AFTER_MARK;
	else
		revert(t, REASON_OPERATOR, false);
	return ANSWER_OK;
}

static void begin(struct turn *t)
{
	set_status(t, ROLLOUT_RUNNING, REASON_NONE);
	enter_step(t, 0);
}

static enum rollout_answer command_approve(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->status != ROLLOUT_GATED)
		return seen_is_current(t) ? command_promote(t, EVIDENCE_APPROVAL) : ANSWER_STALE;
	if (memcmp(t->event->hash, r->plan_hash, ROLLOUT_HASH_SIZE) != 0)
		return ANSWER_OTHER_PLAN;
	if (t->env->frozen && !t->plan->urgent)
		return ANSWER_FREEZE;
	begin(t);
	return ANSWER_OK;
}

static enum rollout_answer command_reject(struct turn *t)
{
	struct rollout *r = t->r;
	bool waiting = r->status == ROLLOUT_RUNNING || r->status == ROLLOUT_PAUSED;

	if (r->status == ROLLOUT_GATED)
		end(t, ROLLOUT_REJECTED, REASON_APPROVAL);
	else if (!waiting || current(t)->op != PLAN_GATE || !revertible(t))
		return ANSWER_NOT_NOW;
	else if (!seen_is_current(t))
		return ANSWER_STALE;
	else
		revert(t, REASON_APPROVAL, false);
	return ANSWER_OK;
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

/* All that is left is to see the old release off. The environment at rest does that as well. */
static bool clearing_away(const struct turn *t)
{
	enum plan_op op = current(t)->op;
	return op == PLAN_DRAIN || op == PLAN_STOP;
}

static void on_newer(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->status == ROLLOUT_QUEUED || r->status == ROLLOUT_GATED)
		end(t, ROLLOUT_SUPERSEDED, REASON_NEWER);
	else if ((r->status == ROLLOUT_RUNNING || r->status == ROLLOUT_PAUSED) &&
		 t->event->supersede && revertible(t) && !t->plan->urgent)
		revert(t, REASON_NEWER, false);
	else if (r->marked && t->event->supersede && clearing_away(t))
		end(t, ROLLOUT_SUCCEEDED, REASON_NONE);
}

static void on_freeze(struct turn *t, bool frozen)
{
	if (t->env->frozen != frozen)
		turn_changed(t);
	t->env->frozen = frozen;
	t->out->answer = ANSWER_OK;
	if (frozen && t->r->status == ROLLOUT_RUNNING && !t->r->issued)
		try_issue(t);
	if (!frozen && t->r->status == ROLLOUT_PAUSED && t->r->reason == REASON_FROZEN)
		go_on(t);
}

/* What was in flight when the controller ended is asked for again; what a person said still stands. */
static void on_boot(struct turn *t)
{
	struct rollout *r = t->r;
	bool verdict = r->passed && (r->passed_as == EVIDENCE_VERDICT);
	bool passed = r->passed && !verdict;

	turn_boot(t, t->event->epoch);
	new_attempt(r);
	r->passed = passed;
	if (r->status >= ROLLOUT_RUNNING && r->status != ROLLOUT_PAUSED && r->issued && !passed)
		step_reissue(t, current(t));
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
	if (t->plan->needs_approval)
		set_status(t, ROLLOUT_GATED, REASON_NONE);
	else
		begin(t);
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
		set_status(t, ROLLOUT_REJECTED, REASON_BAD_LISTED);
	else
		set_status(t, ROLLOUT_QUEUED, REASON_NONE);
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
	bool current_view = seen_is_current(t);

	switch (t->event->kind) {
	case EVENT_TICK: on_tick(t); break;
	case EVENT_OBSERVATION: on_observation(t); break;
	case EVENT_FETCHED: on_fetched(t); break;
	case EVENT_EVIDENCE: on_verdict(t); break;
	case EVENT_HOOKED: on_hooked(t); break;
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
	case EVENT_MAINTENANCE: turn_maintenance(t, t->event->ok); break;
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
