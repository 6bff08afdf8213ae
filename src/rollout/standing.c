/* SPDX-License-Identifier: Apache-2.0
 * standing - standing_step() of rollout.h: an environment in which nothing is rolling. */
#include <string.h>

#include "base/err.h"
#include "rollout/turn.h"

/* True when slot's release has no business here any more. */
static bool is_leftover(const struct environment_state *env, uint8_t slot)
{
	return !release_id_empty(&env->sets[slot].document.release) && slot != env->stable &&
	       slot != env->warm && env->router.weight_bp[slot] == 0;
}

static bool all_zero(const uint16_t count[PROCESSES_MAX])
{
	static const uint16_t none[PROCESSES_MAX];
	return memcmp(count, none, sizeof none) == 0;
}

/* A warm release may go while the stable one has three quarters of its strength. */
static void stable_floor(const struct environment_state *env, uint16_t floor[PROCESSES_MAX])
{
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		const struct process_shape *shape =
			env->stable == SLOT_NONE ? NULL : &env->sets[env->stable].process[p];
		floor[p] = 0;
		if (shape != NULL && shape->traffic)
			floor[p] = (uint16_t)((3 * shape->count + 3) / 4);
	}
}

/* One move of a retirement: count 0 and drain, then stop, then forget. */
static void retire(struct turn *t, uint8_t slot)
{
	static const uint16_t none[PROCESSES_MAX];
	struct environment_set *set = &t->env->sets[slot];
	const struct set_observation *look = &t->event->observation.sets[slot];
	struct set_document wish = set->document;

	if (!all_zero(wish.count)) {
		uint16_t floor[PROCESSES_MAX];
		stable_floor(t->env, floor);
		if (!turn_can_spare(t->env, slot, none, floor))
			return;
		memset(wish.count, 0, sizeof wish.count);
		wish.surplus = SURPLUS_DRAIN;
		wish.standing = false;
		turn_write_set(t, slot, &wish);
	} else if (!set->seen.applied) {
		return;
	} else if (wish.surplus == SURPLUS_DRAIN) {
		if (!all_zero(look->undrained) && set->drained_ms < wish.drain_ms)
			return;
		wish.surplus = SURPLUS_STOP;
		turn_write_set(t, slot, &wish);
	} else if (all_zero(look->exist)) {
		turn_forget(t, slot);
	}
}

static void observe(struct turn *t)
{
	struct environment_state *env = t->env;

	if (!turn_take_observation(t))
		return;
	if (env->warm != SLOT_NONE && env->warm_left_ms == 0) {
		env->warm = SLOT_NONE;
		turn_changed(t);
	}
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (is_leftover(env, slot))
			retire(t, slot);
}

static void set_frozen(struct turn *t, bool frozen)
{
	if (t->env->frozen != frozen)
		turn_changed(t);
	t->env->frozen = frozen;
	t->out->answer = ANSWER_OK;
}

enum rollout_change standing_step(struct environment_state *env, const struct rollout_event *event,
				  struct rollout_effects *out)
{
	struct turn t = {.env = env, .event = event, .out = out};

	memset(out, 0, sizeof *out);
	ASSERT(env->rollout == 0 && environment_valid(env));
	if (env->standby && event->kind != EVENT_BOOT && event->kind != EVENT_LEASE_WON) {
		out->answer = ANSWER_READ_ONLY;
		return ROLLOUT_UNCHANGED;
	}
	switch (event->kind) {
	case EVENT_TICK:
		turn_tick_environment(&t, event->elapsed_ms < ROLLOUT_TICK_MAX_MS
						  ? event->elapsed_ms
						  : ROLLOUT_TICK_MAX_MS);
		break;
	case EVENT_OBSERVATION: observe(&t); break;
	case EVENT_FREEZE: set_frozen(&t, true); break;
	case EVENT_UNFREEZE: set_frozen(&t, false); break;
	case EVENT_MAINTENANCE: turn_access(&t, event->access); break;
	case EVENT_BOOT:
	case EVENT_LEASE_WON: turn_boot(&t, event->epoch); break;
	case EVENT_LEASE_LOST:
		env->standby = true;
		t.change = ROLLOUT_CHANGED;
		break;
	case EVENT_ABORT:
	case EVENT_PAUSE:
	case EVENT_RESUME:
	case EVENT_PROMOTE: out->answer = ANSWER_NOT_NOW; break;
	case EVENT_SUBMIT:
	case EVENT_START:
	case EVENT_APPROVE:
	case EVENT_REJECT:
	case EVENT_DRIFT:
	case EVENT_FETCHED:
	case EVENT_EVIDENCE:
	case EVENT_HOOKED:
	case EVENT_NEWER:
	case EVENT_COUNT: break;
	}
	ASSERT(environment_valid(env));
	return t.change;
}
