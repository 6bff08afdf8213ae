/* SPDX-License-Identifier: Apache-2.0
 * retreat - turning round: from the decision to go back to the first step of the way back. See active.h. */
#include "rollout/active.h"

#include "base/err.h"
#include "base/text.h"
#include "rollout/revert.h"

/* A ROUTE that was not confirmed may still be on its way, or wait for a gateway that is away. Going back, the
 * candidate comes to no more than was confirmed: the rest is taken back as soon as the live release answers. */
void retreat_take_back(struct turn *t)
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
void retreat_begin(struct turn *t, enum rollout_reason reason, bool bad)
{
	ASSERT(!t->r->marked && !t->plan->reverts);
	if (bad)
		turn_emit(t, EFFECT_BAD)->release = t->r->release;
	if (bad)
		t->out->items[t->out->count - 1].reason = reason;
	retreat_take_back(t);
	revert_compile(t->plan, t->env);
	t->out->plan_replaced = true;
	t->r->unready_ms = 0;
	cursor_set_status(t, ROLLOUT_REVERTING, reason);
	cursor_enter(t, 0);
}

/* The step could not be done in time: once more, then a person is told; the trying goes on. */
void retreat_retry(struct turn *t, enum rollout_reason reason)
{
	struct rollout *r = t->r;

	r->waited_ms = 0;
	turn_changed(t);
	if (r->retries++ >= t->plan->retries_max)
		cursor_set_status(t, ROLLOUT_STUCK, reason);
	else
		turn_reassert(t);
}

bool retreat_possible(const struct turn *t)
{
	return !t->plan->reverts && !t->r->marked;
}

void retreat_or_retry(struct turn *t, enum rollout_reason reason, bool bad)
{
	if (retreat_possible(t))
		retreat_begin(t, reason, bad);
	else
		retreat_retry(t, reason);
}

void retreat_hook(struct turn *t)
{
	if (!t->r->marked || t->plan->reverts) {
		retreat_or_retry(t, REASON_HOOK, false);
		return;
	}
	t->r->retries++; /* tells the next try from this one */
	cursor_pause(t, REASON_HOOK);
}

enum rollout_reason retreat_reason(const struct turn *t, enum rollout_reason otherwise)
{
	uint8_t slot = environment_find(t->env, &t->plan->releases[PLAN_CANDIDATE].id);
	return slot != SLOT_NONE && t->env->sets[slot].seen.wrong > 0 ? REASON_WRONG_RELEASE
								      : otherwise;
}
