/* SPDX-License-Identifier: Apache-2.0
 * observe - one look at the world: what the gateway serves and what every instance is, at one instant.
 *
 * The gateway is asked; when its answer is here the instances are read in the same turn of the loop, and
 * both become one EVENT_OBSERVATION. Looks do not overlap: one that is wanted meanwhile follows. */
#include <string.h>

#include "control/environment.h"

static uint8_t slot_of_digest(const struct environment *e, const struct digest *id)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (memcmp(e->releases[slot].id.bytes, id->bytes, RELEASE_ID_SIZE) == 0)
			return slot;
	return SLOT_NONE;
}

static void look_at_router(const struct environment *e, struct traffic_observation *to)
{
	const struct router_observation *seen = e->seen;
	const struct traffic_document *wish = &e->core.router;
	to->mirror = to->preview = SLOT_NONE;
	if (!seen->seen)
		return; /* not every worker yet: nothing is known to be in force */
	to->applied = routing_core_version(seen->applied);
	for (uint32_t i = 0; i < seen->release_count; i++) {
		uint8_t slot = slot_of_digest(e, &seen->releases[i].id);
		if (slot == SLOT_NONE)
			continue;
		to->served_bp[slot] = seen->releases[i].weight_bp;
		if (seen->releases[i].mirror_bp > 0) {
			to->mirror = slot;
			to->mirror_bp = seen->releases[i].mirror_bp;
		}
	}
	to->preview = wish->preview;
	to->access = seen->mode == ROUTER_MAINTENANCE ? ACCESS_CLOSED
		     : seen->read_only                ? ACCESS_READS
						      : ACCESS_OPEN;
	if (seen->mode != ROUTER_SERVE && seen->mode == routing_mode(e)) {
		/* Nobody is served by shares then: the mode is all there is to see of the document. */
		to->park = wish->park;
		memcpy(to->served_bp, wish->weight_bp, sizeof to->served_bp);
	} else {
		to->park = seen->mode == ROUTER_PARK;
	}
}

/* An environment without a listener has no router: its document is in force as soon as it is written. */
static void pretend_router(const struct environment *e, struct traffic_observation *to)
{
	const struct traffic_document *d = &e->core.router;
	*to = (struct traffic_observation){.applied = d->version,
					   .mirror_bp = d->mirror_bp,
					   .mirror = d->mirror,
					   .preview = d->preview,
					   .park = d->park,
					   .access = d->access};
	memcpy(to->served_bp, d->weight_bp, sizeof to->served_bp);
}

static void look_at_sets(struct environment *e, struct observation *to)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		instances_observe(e, slot, &to->sets[slot]);
}

/* Every document was committed before it was sent. One that is newer than all that the store has written says that
 * the store is not the one that wrote it: it came from a backup. Whatever it sends would be refused, or be taken for
 * what was applied already. Returns the epoch of the newest such document, or 0. */
static uint64_t outdated_by(const struct environment *e, bool routed)
{
	struct runtime *runtime = e->control->parts.runtime;
	struct version newest = {e->core.epoch, e->core.next_n};
	const struct instance_status *list;
	uint64_t epoch = 0;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++) {
		struct version applied = {list[i].applied.epoch, list[i].applied.n};
		if (instance_of(e, &list[i]) && version_compare(applied, newest) >= 0 &&
		    applied.epoch > epoch)
			epoch = applied.epoch;
	}
	struct version applied = routing_core_version(e->seen->applied);
	if (routed && version_compare(applied, newest) >= 0 && applied.epoch > epoch)
		epoch = applied.epoch;
	return epoch;
}

static void deliver(struct environment *e, uint32_t attempt, bool routed)
{
	struct rollout_event event = {.kind = EVENT_OBSERVATION};
	struct observation *o = &event.observation;
	uint64_t known = outdated_by(e, routed);
	if (known > 0) {
		e->observed_ms = env_now_ms(e->control->parts.env);
		control_outdo(e->control, known);
		return;
	}
	/* The fleet acts on what was just seen, so that the counts below are those of the new orders. */
	instances_assert_all(e);
	o->serial = ++e->serial;
	o->attempt = attempt;
	if (routed)
		look_at_router(e, &o->router);
	else
		pretend_router(e, &o->router);
	look_at_sets(e, o);
	e->observed_ms = env_now_ms(e->control->parts.env);
	environment_event(e, &event, NULL);
	routing_send(e);
	environment_start_next(e);
}

static void on_observed(void *context, const struct router_answer *answer,
			const struct router_observation *observation)
{
	struct environment *e = context;
	struct control *c = e->control;
	e->observing = false;
	e->seen_valid = answer->code == 0;
	if (e->seen_valid)
		*e->seen = *observation;
	if (e->seen_valid && e->look_follows)
		e->route_unseen = false;
	if (e->seen_valid && !c->stopping && c->parts.runtime->ops->settled(c->parts.runtime))
		deliver(e, e->look_attempt, true);
	else
		e->observed_ms = env_now_ms(c->parts.env);
	if (e->observe_again) {
		e->observe_again = false;
		observe_request(e);
	}
}

void observe_request(struct environment *e)
{
	struct control *c = e->control;
	if (!c->started || c->stopping)
		return;
	if (e->observing) {
		e->observe_again = true;
		return;
	}
	if (!environment_traffic_config(e) || !routing_wanted(e)) {
		e->look_due = true; /* from the tick: a turn must not begin inside another */
		return;
	}
	e->observing = true;
	e->look_follows = !e->routing;
	e->look_attempt = e->active ? e->active->state.attempt : 0;
	c->parts.router->ops->observe(c->parts.router, e->app, e->name, on_observed, e);
}

void observe_unrouted(struct environment *e)
{
	struct control *c = e->control;
	e->look_due = false;
	e->seen_valid = false;
	if (c->parts.runtime->ops->settled(c->parts.runtime))
		deliver(e, e->active ? e->active->state.attempt : 0, false);
}
