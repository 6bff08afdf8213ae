/* SPDX-License-Identifier: Apache-2.0
 * commands - what people ask of a rollout that runs, and what they are told. See active.h. */
#include "rollout/active.h"

#include <string.h>

bool command_seen(const struct turn *t)
{
	const struct rollout_seen *seen = &t->event->seen;
	return seen->status == t->r->status && seen->cursor == t->r->cursor &&
	       seen->attempt == t->r->attempt;
}

enum rollout_answer command_pause(struct turn *t)
{
	if (t->r->status == ROLLOUT_REVERTING || t->r->status == ROLLOUT_STUCK)
		return ANSWER_GOING_BACK;
	if (t->r->status != ROLLOUT_RUNNING)
		return ANSWER_NOT_NOW;
	if (t->r->marked)
		return ANSWER_AFTER_MARK;
	cursor_pause(t, REASON_OPERATOR);
	return ANSWER_OK;
}

enum rollout_answer command_resume(struct turn *t)
{
	if (t->r->status != ROLLOUT_PAUSED)
		return ANSWER_NOT_NOW;
	if (t->r->reason == REASON_FROZEN && t->env->frozen)
		return ANSWER_FREEZE;
	cursor_go_on(t);
	return ANSWER_OK;
}

/* A person's "go on" is evidence of its own kind; it passes nothing but the hold or gate it was said at. */
enum rollout_answer command_promote(struct turn *t, enum evidence_kind kind)
{
	struct rollout *r = t->r;
	bool paused = r->status == ROLLOUT_PAUSED && r->reason != REASON_FROZEN;

	if (r->status != ROLLOUT_RUNNING && !paused)
		return r->status == ROLLOUT_REVERTING || r->status == ROLLOUT_STUCK
			       ? ANSWER_GOING_BACK
			       : ANSWER_NOT_NOW;
	enum plan_op op = cursor_step(t)->op;
	bool failed = op == PLAN_HOOK && paused && r->marked; /* and may be left undone */
	if (op != PLAN_GATE && ((op != PLAN_HOLD && !failed) || kind == EVIDENCE_APPROVAL))
		return ANSWER_NOT_NOW;
	if (failed)
		cursor_leave_pause(t); /* it is not run again */
	else if (paused)
		cursor_go_on(t);
	r->passed = true;
	r->passed_as = kind;
	turn_changed(t);
	return ANSWER_OK;
}

enum rollout_answer command_abort(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->status == ROLLOUT_QUEUED || r->status == ROLLOUT_GATED)
		cursor_end(t, ROLLOUT_CANCELLED, REASON_OPERATOR);
	else if (t->plan->reverts)
		return ANSWER_GOING_BACK;
	else if (r->marked)
		return ANSWER_AFTER_MARK;
	else
		retreat_begin(t, REASON_OPERATOR, false);
	return ANSWER_OK;
}

enum rollout_answer command_approve(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->status != ROLLOUT_GATED)
		return command_seen(t) ? command_promote(t, EVIDENCE_APPROVAL) : ANSWER_STALE;
	if (memcmp(t->event->hash, r->plan_hash, ROLLOUT_HASH_SIZE) != 0)
		return ANSWER_OTHER_PLAN;
	if (t->env->frozen && !t->plan->urgent)
		return ANSWER_FREEZE;
	cursor_begin(t);
	return ANSWER_OK;
}

enum rollout_answer command_reject(struct turn *t)
{
	struct rollout *r = t->r;
	bool waiting = r->status == ROLLOUT_RUNNING || r->status == ROLLOUT_PAUSED;

	if (r->status == ROLLOUT_GATED)
		cursor_end(t, ROLLOUT_REJECTED, REASON_APPROVAL);
	else if (!waiting || cursor_step(t)->op != PLAN_GATE || !retreat_possible(t))
		return ANSWER_NOT_NOW;
	else if (!command_seen(t))
		return ANSWER_STALE;
	else
		retreat_begin(t, REASON_APPROVAL, false);
	return ANSWER_OK;
}
