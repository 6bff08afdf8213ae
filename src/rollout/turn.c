/* SPDX-License-Identifier: Apache-2.0
 * turn - see turn.h for the contract. */
#include "rollout/turn.h"

#include <string.h>

#include "base/err.h"

struct rollout_effect *turn_emit(struct turn *t, enum rollout_effect_kind kind)
{
	ASSERT(t->out->count < ROLLOUT_EFFECTS_MAX);
	struct rollout_effect *effect = &t->out->items[t->out->count++];
	memset(effect, 0, sizeof *effect);
	effect->kind = kind;
	effect->slot = SLOT_NONE;
	return effect;
}

void turn_changed(struct turn *t)
{
	t->change = ROLLOUT_CHANGED;
}

static struct version next_version(struct environment_state *env)
{
	return (struct version){.epoch = env->epoch, .n = env->next_n++};
}

/* A document is sent once a turn, however often it was touched. */
static void send_router(struct turn *t)
{
	for (uint32_t i = 0; i < t->out->count; i++)
		if (t->out->items[i].kind == EFFECT_ROUTE)
			return;
	turn_emit(t, EFFECT_ROUTE);
}

static void send_set(struct turn *t, uint8_t slot)
{
	for (uint32_t i = 0; i < t->out->count; i++)
		if (t->out->items[i].kind == EFFECT_SET && t->out->items[i].slot == slot)
			return;
	turn_emit(t, EFFECT_SET)->slot = slot;
}

static bool router_equal(const struct traffic_document *a, const struct traffic_document *b)
{
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		if (a->weight_bp[i] != b->weight_bp[i])
			return false;
	return a->mirror_bp == b->mirror_bp && a->mirror == b->mirror && a->preview == b->preview &&
	       a->park == b->park && a->access == b->access;
}

void turn_write_router(struct turn *t, const struct traffic_document *wish)
{
	struct traffic_document *document = &t->env->router;
	if (document->version.n == 0 || !router_equal(document, wish)) {
		*document = *wish;
		document->version = next_version(t->env);
		turn_changed(t);
	}
	send_router(t);
}

static bool set_equal(const struct set_document *a, const struct set_document *b)
{
	return memcmp(a->count, b->count, sizeof a->count) == 0 && a->surplus == b->surplus &&
	       a->standing == b->standing && a->drain_ms == b->drain_ms;
}

void turn_write_set(struct turn *t, uint8_t slot, const struct set_document *wish)
{
	struct environment_set *set = &t->env->sets[slot];
	if (set->document.version.n == 0 || !set_equal(&set->document, wish)) {
		set->document = *wish;
		set->document.version = next_version(t->env);
		set->seen.applied = false;
		set->drained_ms = 0;
		turn_changed(t);
	}
	send_set(t, slot);
}

void turn_reassert(struct turn *t)
{
	t->env->reassert_ms = 0;
	if (t->env->router.version.n > 0)
		send_router(t);
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (t->env->sets[slot].document.version.n > 0)
			send_set(t, slot);
}

void turn_tick_environment(struct turn *t, uint64_t elapsed_ms)
{
	struct environment_state *env = t->env;
	if (env->warm != SLOT_NONE)
		env->warm_left_ms -=
			elapsed_ms < env->warm_left_ms ? elapsed_ms : env->warm_left_ms;
	for (uint32_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (env->sets[slot].seen.applied)
			env->sets[slot].drained_ms += elapsed_ms;
	env->reassert_ms += elapsed_ms;
	if (env->reassert_ms >= ENVIRONMENT_REASSERT_MS)
		turn_reassert(t);
	if (t->change == ROLLOUT_UNCHANGED)
		t->change = ROLLOUT_TIMED;
}

bool turn_take_observation(struct turn *t)
{
	struct environment_state *env = t->env;
	const struct observation *o = &t->event->observation;

	if (o->serial <= env->observed)
		return false;
	env->observed = o->serial;
	for (uint32_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		struct environment_set *set = &env->sets[slot];
		const struct set_observation *look = &o->sets[slot];
		memset(&set->seen, 0, sizeof set->seen);
		if (release_id_empty(&set->document.release) ||
		    !release_id_equal(&set->document.release, &look->release))
			continue;
		set->seen.applied = version_compare(look->applied, set->document.version) >= 0;
		memcpy(set->seen.ready, look->ready, sizeof set->seen.ready);
		memcpy(set->seen.failed, look->failed, sizeof set->seen.failed);
		set->seen.wrong = look->wrong;
		set->seen.replacing = look->replacing;
	}
	if (t->change == ROLLOUT_UNCHANGED)
		t->change = ROLLOUT_TIMED;
	return true;
}

void turn_access(struct turn *t, enum traffic_access access)
{
	struct traffic_document wish = t->env->router;
	wish.access = access;
	turn_write_router(t, &wish);
	t->out->answer = ANSWER_OK;
}

/* New epoch, same wishes: whoever still writes under the old epoch is refused from now on. */
void turn_boot(struct turn *t, uint64_t epoch)
{
	struct environment_state *env = t->env;

	env->epoch = epoch > env->epoch ? epoch : env->epoch + 1;
	env->standby = false;
	env->observed = 0;
	if (env->router.version.n > 0)
		env->router.version = next_version(env);
	for (uint32_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		struct environment_set *set = &env->sets[slot];
		memset(&set->seen, 0, sizeof set->seen);
		set->drained_ms = 0;
		if (set->document.version.n > 0)
			set->document.version = next_version(env);
	}
	turn_reassert(t);
	turn_changed(t);
}

void turn_forget(struct turn *t, uint8_t slot)
{
	struct environment_state *env = t->env;

	ASSERT(slot != env->stable && env->router.weight_bp[slot] == 0);
	if (env->router.mirror == slot || env->router.preview == slot) {
		struct traffic_document route = env->router;
		route.preview = SLOT_NONE;
		route.mirror = SLOT_NONE;
		route.mirror_bp = 0;
		turn_write_router(t, &route);
	}
	if (env->sets[slot].document.version.n > 0)
		turn_emit(t, EFFECT_GONE)->release = env->sets[slot].document.release;
	if (env->warm == slot)
		env->warm = SLOT_NONE;
	memset(&env->sets[slot], 0, sizeof env->sets[slot]);
	turn_changed(t);
}

void turn_forget_unused(struct turn *t)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (!release_id_empty(&t->env->sets[slot].document.release) &&
		    t->env->sets[slot].document.version.n == 0)
			turn_forget(t, slot);
}

bool turn_serves(const struct environment_state *env, uint8_t slot)
{
	const struct environment_set *set = &env->sets[slot];
	bool traffic = false;

	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		if (!set->process[p].traffic || set->process[p].count == 0)
			continue;
		traffic = true;
		if (set->seen.ready[p] == 0)
			return false;
	}
	return traffic;
}

/* Does another release that gets requests have a ready instance of process p? */
static bool served_elsewhere(const struct environment_state *env, uint8_t slot, uint32_t p)
{
	for (uint8_t other = 0; other < ENVIRONMENT_SETS_MAX; other++)
		if (other != slot && env->router.weight_bp[other] > 0 &&
		    env->sets[other].seen.ready[p] > 0)
			return true;
	return false;
}

bool turn_can_spare(const struct environment_state *env, uint8_t slot,
		    const uint16_t count[PROCESSES_MAX], const uint16_t floor[PROCESSES_MAX])
{
	const struct environment_set *set = &env->sets[slot];

	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		uint32_t ready = 0;
		if (set->seen.ready[p] <= count[p])
			continue;
		for (uint32_t other = 0; other < ENVIRONMENT_SETS_MAX; other++)
			ready += other == slot ? count[p] : env->sets[other].seen.ready[p];
		/* Without a share it is still what the router falls back on when nobody else is ready. */
		bool fallback = set->process[p].traffic && env->router.weight_bp[slot] == 0 &&
				env->stable != SLOT_NONE && !env->router.park &&
				!served_elsewhere(env, slot, p);
		if (fallback || ready < floor[p])
			return false;
	}
	return true;
}
