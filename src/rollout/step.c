/* SPDX-License-Identifier: Apache-2.0
 * step - what each of the ten operations writes, what may hold it up, and when it is complete. See turn.h.
 *
 * step_blocked() is the only place where a guard stands: whatever issues a step, first or again, passes
 * through it. */
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "rollout/turn.h"

uint8_t step_slot(const struct turn *t, const struct plan_step *step)
{
	if (step->release >= PLAN_RELEASES_MAX)
		return SLOT_NONE;
	return environment_find(t->env, &t->plan->releases[step->release].id);
}

static uint8_t release_slot(const struct turn *t, uint8_t release)
{
	if (release >= PLAN_RELEASES_MAX)
		return SLOT_NONE;
	return environment_find(t->env, &t->plan->releases[release].id);
}

static struct traffic_document route_document(const struct turn *t, const struct plan_step *step)
{
	struct traffic_document wish = {.version = t->env->router.version,
					.mirror_bp = step->mirror_bp,
					.mirror = release_slot(t, step->mirror),
					.preview = release_slot(t, step->preview),
					.park = step->park,
					.access = t->env->router.access};
	for (uint8_t i = 0; i < PLAN_RELEASES_MAX; i++) {
		uint8_t slot = release_slot(t, i);
		ASSERT(step->weight_bp[i] == 0 || slot != SLOT_NONE);
		if (slot != SLOT_NONE)
			wish.weight_bp[slot] = step->weight_bp[i];
	}
	return wish;
}

/* Does the step show the candidate to more of the world than now? */
static bool raises_exposure(const struct turn *t, const struct plan_step *step)
{
	uint8_t candidate = release_slot(t, PLAN_CANDIDATE);

	switch (step->op) {
	case PLAN_START:
	case PLAN_MARK: return true;
	case PLAN_HOOK: return step->exposes;
	case PLAN_ROUTE:
		return candidate != SLOT_NONE &&
		       (step->weight_bp[PLAN_CANDIDATE] > t->env->router.weight_bp[candidate] ||
			(step->mirror == PLAN_CANDIDATE &&
			 (t->env->router.mirror != candidate ||
			  step->mirror_bp > t->env->router.mirror_bp)));
	case PLAN_FETCH:
	case PLAN_READY:
	case PLAN_HOLD:
	case PLAN_GATE:
	case PLAN_DRAIN:
	case PLAN_STOP:
	case PLAN_OP_COUNT: break;
	}
	return false;
}

/* Requests may only move towards a release that can answer them. */
static bool route_waits(const struct turn *t, const struct plan_step *step)
{
	struct traffic_document wish = route_document(t, step);

	if (wish.park)
		return false;
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		bool more = wish.weight_bp[slot] > t->env->router.weight_bp[slot];
		bool again = wish.weight_bp[slot] > 0 && t->env->router.park;
		if ((more || again) && !turn_serves(t->env, slot))
			return true;
	}
	return false;
}

enum block step_blocked(const struct turn *t, const struct plan_step *step)
{
	bool exempt = t->plan->urgent || t->plan->reverts;
	static const uint16_t no_floor[PROCESSES_MAX];
	bool live = step->release == PLAN_LIVE;
	uint8_t slot = step_slot(t, step);

	if (t->env->frozen && !exempt && raises_exposure(t, step))
		return BLOCK_FROZEN;
	if (step->op == PLAN_ROUTE && route_waits(t, step))
		return BLOCK_WAIT;
	if ((step->op == PLAN_DRAIN || step->op == PLAN_STOP) && slot != SLOT_NONE &&
	    !turn_can_spare(t->env, slot, step->count, live ? t->plan->floor : no_floor))
		return BLOCK_WAIT;
	return BLOCK_NONE;
}

/* START wants at least, DRAIN and STOP at most, what the step says. */
static void issue_counts(struct turn *t, const struct plan_step *step)
{
	uint8_t slot = step_slot(t, step);
	if (slot == SLOT_NONE)
		return; /* gone already */
	struct set_document wish = t->env->sets[slot].document;

	wish.drain_ms = t->plan->drain_ms;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		bool more = step->count[p] > wish.count[p];
		if (more == (step->op == PLAN_START))
			wish.count[p] = step->count[p];
	}
	wish.surplus = step->op == PLAN_DRAIN ? SURPLUS_DRAIN : SURPLUS_STOP;
	if (step->op == PLAN_DRAIN && slot == t->env->warm)
		t->env->warm = SLOT_NONE;
	if (step->op == PLAN_START && step->release == PLAN_CANDIDATE)
		t->r->ready_once = false;
	turn_write_set(t, slot, &wish);
}

/* The candidate is the stable release from here on, and the one before may be kept warm. */
static void mark(struct turn *t)
{
	struct environment_state *env = t->env;
	uint8_t slot = release_slot(t, PLAN_CANDIDATE);
	uint8_t old = env->stable;
	struct set_document wish = env->sets[slot].document;

	env->stable = slot;
	if (env->warm == slot)
		env->warm = SLOT_NONE;
	t->r->marked = true;
	wish.standing = true;
	turn_write_set(t, slot, &wish);
	if (old != SLOT_NONE && old != slot && t->plan->keep_warm_ms > 0 &&
	    environment_set_able(env, old)) {
		env->warm = old;
		env->warm_left_ms = t->plan->keep_warm_ms;
	}
	turn_emit(t, EFFECT_STABLE)->release = env->sets[slot].document.release;
	turn_changed(t);
}

static void emit_attempt(struct turn *t, enum rollout_effect_kind kind)
{
	struct rollout_effect *effect = turn_emit(t, kind);
	effect->step = t->r->cursor;
	effect->attempt = t->r->attempt;
}

void step_issue(struct turn *t, const struct plan_step *step)
{
	struct traffic_document route;

	switch (step->op) {
	case PLAN_ROUTE:
		route = route_document(t, step);
		turn_write_router(t, &route);
		break;
	case PLAN_START:
	case PLAN_DRAIN:
	case PLAN_STOP: issue_counts(t, step); break;
	case PLAN_FETCH:
	case PLAN_HOLD:
	case PLAN_HOOK: step_reissue(t, step); break;
	case PLAN_MARK:
		mark(t);
		break; /* once it is complete: there is nothing to wait for after */
	case PLAN_READY:
	case PLAN_GATE:
	case PLAN_OP_COUNT: break;
	}
	t->r->issued = true;
	turn_changed(t);
}

/* Documents are sent again by every re-assertion; questions have to be asked again. */
void step_reissue(struct turn *t, const struct plan_step *step)
{
	if (step->op == PLAN_FETCH)
		turn_emit(t, EFFECT_FETCH)->release = t->plan->releases[step->release].id;
	else if (step->op == PLAN_HOLD && step->analyses != 0)
		emit_attempt(t, EFFECT_ANALYSE);
	else if (step->op == PLAN_HOOK)
		emit_attempt(t, EFFECT_HOOK);
}

bool step_acked(const struct turn *t, uint8_t slot)
{
	return slot == SLOT_NONE || t->env->sets[slot].seen.applied;
}

static bool at_least(const uint16_t have[PROCESSES_MAX], const uint16_t want[PROCESSES_MAX])
{
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (have[p] < want[p])
			return false;
	return true;
}

static bool at_most(const uint16_t have[PROCESSES_MAX], const uint16_t want[PROCESSES_MAX])
{
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (have[p] > want[p])
			return false;
	return true;
}

static bool route_served(const struct turn *t)
{
	const struct traffic_document *wish = &t->env->router;
	const struct traffic_observation *look = &t->event->observation.router;

	if (version_compare(look->applied, wish->version) < 0)
		return false;
	for (uint32_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (look->served_bp[slot] != wish->weight_bp[slot])
			return false;
	return look->mirror_bp == wish->mirror_bp && look->mirror == wish->mirror &&
	       look->preview == wish->preview && look->park == wish->park &&
	       look->access == wish->access;
}

bool step_at_strength(const struct environment_set *set)
{
	return at_least(set->seen.ready, set->document.count);
}

bool step_candidate_well(const struct turn *t)
{
	uint8_t slot = release_slot(t, PLAN_CANDIDATE);
	if (slot == SLOT_NONE)
		return true;
	const struct environment_set *set = &t->env->sets[slot];
	return set->seen.wrong == 0 && step_at_strength(set);
}

static bool hold_over(const struct turn *t, const struct plan_step *step)
{
	const struct rollout *r = t->r;
	bool skipped = r->passed && r->passed_as == EVIDENCE_SKIP;
	bool judged = step->analyses == 0 || r->passed;
	return skipped || (judged && r->held_ms >= step->for_ms);
}

static bool mark_ready(const struct turn *t)
{
	uint8_t slot = release_slot(t, PLAN_CANDIDATE);
	const struct environment_set *set = &t->env->sets[slot];
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (set->document.count[p] < set->process[p].count)
			return false;
	return set->seen.applied && step_candidate_well(t) &&
	       (!plan_has_traffic(t->plan) || t->env->router.weight_bp[slot] == SHARE_FULL_BP);
}

bool step_complete(const struct turn *t, const struct plan_step *step)
{
	uint8_t slot = step_slot(t, step);
	static const struct set_observation nothing;
	const struct set_observation *look =
		slot == SLOT_NONE ? &nothing : &t->event->observation.sets[slot];
	static const uint16_t none[PROCESSES_MAX];
	bool well = !t->r->ready_once || step_candidate_well(t);

	switch (step->op) {
	case PLAN_START: return step_acked(t, slot);
	case PLAN_READY:
		return step_acked(t, slot) && at_least(look->settled, step->count) &&
		       (look->wrong == 0 || step->release == PLAN_LIVE);
	case PLAN_ROUTE: return route_served(t);
	case PLAN_HOLD: return hold_over(t, step) && well;
	case PLAN_GATE: return t->r->passed && well;
	case PLAN_DRAIN:
		return step_acked(t, slot) &&
		       (at_most(look->undrained, none) || t->r->acked_ms >= t->plan->drain_ms);
	case PLAN_STOP: return step_acked(t, slot) && at_most(look->exist, step->count);
	case PLAN_MARK: return mark_ready(t);
	case PLAN_HOOK: return t->r->passed; /* a person said so; else its answer ends it */
	case PLAN_FETCH:
	case PLAN_OP_COUNT: break;
	}
	return false;
}
