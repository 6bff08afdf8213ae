/* SPDX-License-Identifier: Apache-2.0
 * environment - see environment.h for the contract. What happens while nothing is rolling is in
 * standing.c, the bytes are in codec.c. */
#include "rollout/environment.h"

#include <string.h>

#include "base/text.h"

void environment_init(struct environment_state *env)
{
	memset(env, 0, sizeof *env);
	env->next_n = 1;
	env->router.mirror = SLOT_NONE;
	env->router.preview = SLOT_NONE;
	env->stable = SLOT_NONE;
	env->warm = SLOT_NONE;
}

uint8_t environment_find(const struct environment_state *env, const struct release_id *release)
{
	if (release_id_empty(release))
		return SLOT_NONE;
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (release_id_equal(&env->sets[slot].document.release, release))
			return slot;
	return SLOT_NONE;
}

uint8_t environment_find_free(const struct environment_state *env)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (release_id_empty(&env->sets[slot].document.release))
			return slot;
	return SLOT_NONE;
}

bool environment_set_able(const struct environment_state *env, uint8_t slot)
{
	const struct environment_set *set = &env->sets[slot];

	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		uint32_t full = set->process[p].count;
		if (set->document.count[p] < full)
			return false;
		if (set->process[p].traffic && full > 0 && 4u * set->seen.ready[p] < 3 * full)
			return false;
	}
	return true;
}

static bool slot_there(const struct environment_state *env, uint8_t slot)
{
	return slot == SLOT_NONE || (slot < ENVIRONMENT_SETS_MAX &&
				     !release_id_empty(&env->sets[slot].document.release));
}

bool environment_valid(const struct environment_state *env)
{
	uint64_t sum = 0;

	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		const struct set_document *document = &env->sets[slot].document;
		sum += env->router.weight_bp[slot];
		if (env->router.weight_bp[slot] > 0 && !slot_there(env, slot))
			return false;
		if (document->version.n >= env->next_n || document->version.epoch > env->epoch)
			return false;
		for (uint8_t other = 0; other < slot; other++)
			if (!release_id_empty(&document->release) &&
			    release_id_equal(&document->release,
					     &env->sets[other].document.release))
				return false;
	}
	return (sum == 0 || sum == SHARE_FULL_BP) && env->router.version.n < env->next_n &&
	       slot_there(env, env->stable) && slot_there(env, env->warm) &&
	       slot_there(env, env->router.mirror) && slot_there(env, env->router.preview);
}
