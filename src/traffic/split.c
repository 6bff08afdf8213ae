/* SPDX-License-Identifier: Apache-2.0
 * split - see split.h for the contract. */
#include "traffic/split.h"

uint32_t split_point(uint64_t hash)
{
	return (uint32_t)((hash >> 32) * SPLIT_FULL_BP >> 32);
}

static int release_at(const struct split *s, uint32_t point)
{
	uint32_t end = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		end += s->weight_bp[i];
		if (point < end)
			return (int)i;
	}
	return ERR_UNAVAILABLE;
}

int split_choose(const struct split *s, uint64_t random)
{
	return release_at(s, split_point(random));
}

int split_choose_sticky(const struct split *s, const uint8_t salt[HASH_KEY_SIZE], const void *unit,
			size_t size)
{
	return release_at(s, split_point(hash_keyed(salt, unit, size)));
}

bool split_mirrored(uint32_t mirror_bp, const uint8_t salt[HASH_KEY_SIZE], const void *request_id,
		    size_t size)
{
	return mirror_bp > 0 && split_point(hash_keyed(salt, request_id, size)) < mirror_bp;
}
