/* SPDX-License-Identifier: Apache-2.0
 * dividing - see dividing.h for the contract. */
#include "control/dividing.h"

#include <string.h>

#include "base/text.h"

static bool is_of(const struct digest *digest, const struct release_id *id)
{
	return memcmp(digest->bytes, id->bytes, sizeof id->bytes) == 0;
}

static uint32_t sent_to(const struct environment *e, const struct release_id *id)
{
	for (uint32_t i = 0; i < e->sent->release_count; i++)
		if (is_of(&e->sent->releases[i].id, id))
			return e->sent->releases[i].weight_bp;
	return 0;
}

static uint32_t seen_of(const struct environment *e, const struct release_id *id)
{
	for (uint32_t i = 0; i < e->seen->release_count; i++)
		if (is_of(&e->seen->releases[i].id, id))
			return e->seen->releases[i].weight_bp;
	return 0;
}

/* While it is told of another backend, not every part uses what was sent; the weights stand all the same. */
static uint32_t in_force(const struct environment *e, uint32_t before_bp,
			 const struct release_id *new_release,
			 const struct release_id *live_release)
{
	if (!e->active || !e->sent || !e->seen_valid || e->sent->mode != ROUTER_SERVE ||
	    e->seen->mode != ROUTER_SERVE)
		return 0;
	uint32_t new_bp = sent_to(e, new_release), live_bp = sent_to(e, live_release);
	if (new_bp + live_bp != SHARE_FULL_BP || seen_of(e, new_release) != new_bp ||
	    seen_of(e, live_release) != live_bp)
		return 0;
	uint32_t weight_bp = new_bp > 0 ? new_bp : SHARE_FULL_BP;
	return e->seen->seen || weight_bp == before_bp ? weight_bp : 0;
}

void dividing_watch(const struct environment *e, struct dividing *d,
		    const struct release_id *new_release, const struct release_id *live_release)
{
	uint32_t weight_bp = in_force(e, d->weight_bp, new_release, live_release);
	d->changed |= weight_bp != d->weight_bp;
	d->weight_bp = weight_bp;
}

uint32_t dividing_take(struct dividing *d)
{
	uint32_t weight_bp = d->changed ? 0 : d->weight_bp;
	d->changed = false;
	return weight_bp;
}
