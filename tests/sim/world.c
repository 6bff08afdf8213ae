/* SPDX-License-Identifier: Apache-2.0
 * world - the router, the runtime with its instances, and the channel to them.
 *
 * Both keep the highest version they have applied and refuse the rest. The runtime runs the real
 * fleet_decide(), and may be cut off between two actions. */
#include <string.h>

#include "sim.h"
#include "traffic/guard.h"

static int order(struct version a, struct version b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

uint32_t world_ready(const struct sim *s, uint8_t release, uint32_t process)
{
	uint32_t ready = 0;
	for (uint32_t slot = 0; slot < SIM_SLOTS; slot++) {
		const struct instance *i = &s->instance[release][process][slot];
		ready += i->exists && i->state == FLEET_READY && !i->draining;
	}
	return ready;
}

bool world_empty(const struct sim *s, uint8_t release)
{
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		for (uint32_t slot = 0; slot < SIM_SLOTS; slot++)
			if (s->instance[release][p][slot].exists)
				return false;
	return true;
}

static bool answers(const struct sim *s, uint8_t release)
{
	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		if (s->settings.process[p].traffic && s->settings.process[p].count > 0 &&
		    world_ready(s, release, p) == 0)
			return false;
	return true;
}

static bool same_route(const struct traffic_document *a, const struct traffic_document *b)
{
	return memcmp(a->weight_bp, b->weight_bp, sizeof a->weight_bp) == 0 &&
	       a->mirror_bp == b->mirror_bp && a->mirror == b->mirror && a->preview == b->preview &&
	       a->park == b->park && a->access == b->access;
}

static bool same_set(const struct set_document *a, const struct set_document *b)
{
	return memcmp(a->count, b->count, sizeof a->count) == 0 && a->surplus == b->surplus &&
	       a->standing == b->standing && a->drain_ms == b->drain_ms;
}

/* The gateway's own guard (src/traffic), fed with what is really ready. */
static struct guard_document guard_document(const struct sim *s)
{
	const struct traffic_document *route = &s->route_applied;
	struct guard_document d = {.parked = route->park || route->access == ACCESS_CLOSED,
				   .count = ENVIRONMENT_SETS_MAX,
				   .live = GUARD_NONE,
				   .mirror = GUARD_NONE};
	uint32_t sum = 0;

	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++) {
		uint8_t release = sim_release_index(&s->route_slots[i]);
		sum += d.release[i].weight_bp = route->weight_bp[i];
		d.release[i].ready = release != 0xff && answers(s, release);
	}
	d.parked = d.parked || sum == 0;
	if (route->mirror != SLOT_NONE) {
		d.mirror = route->mirror;
		d.mirror_bp = route->mirror_bp;
	}
	return d;
}

/* I-4: while anybody can answer, every request goes to somebody who can. */
static void serve(struct sim *s)
{
	struct guard_document d = guard_document(s);
	struct split split;
	uint32_t sum = 0, wanted_ready = 0;
	bool anybody = false;

	guard_apply(&d, &split);
	for (uint32_t i = 0; i < d.count; i++) {
		sum += split.weight_bp[i];
		anybody = anybody || d.release[i].ready;
		wanted_ready += d.release[i].ready ? d.release[i].weight_bp : 0;
	}
	for (uint32_t i = 0; i < d.count && !d.parked; i++) {
		if (anybody && split.weight_bp[i] > 0 && !d.release[i].ready)
			sim_fail(s, "I-4: requests reach a release that cannot answer");
		if (wanted_ready == 10000 && split.weight_bp[i] != d.release[i].weight_bp)
			sim_fail(s, "I-1: the gateway serves other shares than it was told");
		if (wanted_ready > 0 && split.weight_bp[i] > 0 && d.release[i].weight_bp == 0)
			sim_fail(s, "I-2: the gateway gives a share to a release that has none");
	}
	if (sum != (d.parked ? 0 : 10000))
		sim_fail(s, "I-1: the gateway's shares sum to %u", sum);
}

/* The fence of a table: newer ones are taken, the same one is confirmed, all others are refused. */
static void receive_route(struct sim *s, const struct message *m)
{
	int c = order(m->route.version, s->route_applied.version);
	struct error err;

	if (c < 0) {
		s->oracle.refused++;
	} else if (c == 0) {
		if (!same_route(&m->route, &s->route_applied))
			sim_fail(s, "I-25: one router version with two contents");
	} else {
		s->route_applied = m->route;
		memcpy(s->route_slots, m->slots, sizeof m->slots);
		struct guard_document d = guard_document(s);
		if (guard_check(&d, &err) < 0)
			sim_fail(s, "I-1: the gateway refuses: %s", err.text);
	}
	serve(s);
}

void world_receive(struct sim *s, const struct message *m)
{
	if (m->kind == MESSAGE_ROUTE) {
		receive_route(s, m);
		return;
	}
	uint8_t release = sim_release_index(&m->set.release);
	struct set_document *applied = &s->set_applied[release];
	int c = order(m->set.version, applied->version);
	if (c < 0)
		s->oracle.refused++;
	else if (c == 0 && !same_set(&m->set, applied))
		sim_fail(s, "I-25: one set version with two contents");
	else if (c > 0)
		*applied = m->set;
}

void world_send(struct sim *s, const struct message *m)
{
	if (s->message_count == SIM_MESSAGES) {
		uint32_t lost = sim_below(s, SIM_MESSAGES);
		s->messages[lost] = s->messages[--s->message_count];
	}
	s->messages[s->message_count++] = *m;
}

static struct fleet_wish wish_of(const struct set_document *set)
{
	struct fleet_wish wish = {.stop_surplus = set->surplus == SURPLUS_STOP,
				  .standing = set->standing,
				  .drain_ms = set->drain_ms};
	memcpy(wish.count, set->count, sizeof wish.count);
	return wish;
}

static uint32_t list(const struct sim *s, uint8_t release, struct fleet_instance *to)
{
	uint32_t count = 0;
	for (uint8_t p = 0; p < SIM_PROCESSES; p++)
		for (uint16_t slot = 0; slot < SIM_SLOTS; slot++) {
			const struct instance *i = &s->instance[release][p][slot];
			if (!i->exists)
				continue;
			to[count++] = (struct fleet_instance){.process = p,
							      .slot = slot,
							      .state = i->state,
							      .wrong = i->wrong,
							      .draining = i->draining,
							      .removed = i->removed,
							      .in_flight = i->in_flight,
							      .removed_ms = i->removed_ms,
							      .ready_ms = i->ready_ms,
							      .gave_up_ms = i->gave_up_ms};
		}
	return count;
}

static void start(struct sim *s, uint8_t release, uint8_t p, uint16_t slot)
{
	if (slot >= SIM_SLOTS || s->instance[release][p][slot].exists) {
		sim_fail(s, "I-18: release %u starts a second instance in slot %u", release, slot);
		return;
	}
	s->instance[release][p][slot] = (struct instance){.exists = true,
							  .wrong = s->quality[release] == LIES &&
								   slot == 0 && sim_chance(s, 30)};
	sim_say(s, "  world: release %u starts %u/%u", release, p, slot);
}

void world_decide(struct sim *s, uint8_t release, uint32_t actions_max)
{
	struct fleet_instance instances[SIM_PROCESSES * SIM_SLOTS];
	struct fleet_actions actions;
	struct fleet_wish wish = wish_of(&s->set_applied[release]);

	fleet_decide(&wish, instances, list(s, release, instances), &actions);
	for (uint32_t n = 0; n < actions.count && n < actions_max; n++) {
		const struct fleet_action *a = &actions.items[n];
		struct instance *i = &s->instance[release][a->process][a->slot];
		switch (a->kind) {
		case FLEET_START: start(s, release, a->process, a->slot); break;
		case FLEET_DRAIN: i->draining = true; break;
		case FLEET_SERVE:
			i->draining = i->removed = false;
			i->removed_ms = 0;
			break;
		case FLEET_STOP:
			oracle_stopping(s, release, a->process, a->slot);
			sim_say(s, "  world: release %u stops %u/%u", release, a->process, a->slot);
			i->state = FLEET_STOPPING;
			break;
		}
	}
	oracle_world(s);
}

/* The instance's process ends by itself. Its keeper starts it again, unless it drains. */
static void crash(struct sim *s, uint8_t release, struct instance *i)
{
	if (i->draining) {
		*i = (struct instance){0};
	} else if (++i->restarts >= 3 ? s->quality[release] == CRASHES || sim_chance(s, 30)
				      : sim_chance(s, 4)) {
		i->state = FLEET_GAVE_UP;
		i->gave_up_ms = 0;
		i->in_flight = 0;
	} else {
		i->wrong = i->wrong || (s->quality[release] == LIES && sim_chance(s, 50));
		i->state = i->ready_ms > 0 ? FLEET_UNREADY : FLEET_STARTING;
		i->ready_ms = 0;
		i->in_flight = 0;
	}
}

static void progress(struct sim *s, uint8_t release, struct instance *i)
{
	enum quality quality = s->quality[release];

	if (i->draining && !i->removed) {
		i->removed = true;
		i->removed_ms = 0;
	} else if (i->draining && i->in_flight > 0 && !sim_chance(s, 20)) {
		i->in_flight--;
	}
	switch (i->state) {
	case FLEET_STARTING:
	case FLEET_UNREADY:
		if (quality == CRASHES && sim_chance(s, 50))
			crash(s, release, i);
		else if (quality != NEVER_READY) {
			i->state = FLEET_READY;
			i->ready_ms = 0;
			i->in_flight = i->draining ? i->in_flight : sim_below(s, 4);
		}
		break;
	case FLEET_READY:
		if (quality == FLAPS && sim_chance(s, 40))
			i->state = FLEET_UNREADY;
		else if (quality == LIES && sim_chance(s, 2))
			i->wrong = true;
		else if (s->faults && sim_chance(s, quality == CRASHES ? 60 : s->instance_crash))
			crash(s, release, i);
		break;
	case FLEET_STOPPING: *i = (struct instance){0}; break;
	case FLEET_GAVE_UP: break;
	}
}

/* Something that all instances of a release need is away for a moment. */
static void outage(struct sim *s)
{
	uint8_t release = (uint8_t)sim_below(s, SIM_RELEASES);

	for (uint32_t p = 0; p < SIM_PROCESSES; p++)
		for (uint32_t slot = 0; slot < SIM_SLOTS; slot++)
			if (s->instance[release][p][slot].state == FLEET_READY &&
			    s->instance[release][p][slot].exists)
				crash(s, release, &s->instance[release][p][slot]);
	sim_say(s, "  world: outage of release %u", release);
}

void world_act(struct sim *s)
{
	if (sim_chance(s, s->outage))
		outage(s);

	uint8_t release = (uint8_t)sim_below(s, SIM_RELEASES);
	uint32_t p = sim_below(s, SIM_PROCESSES);

	for (uint32_t slot = 0; slot < SIM_SLOTS; slot++)
		if (s->instance[release][p][slot].exists && sim_chance(s, 60))
			progress(s, release, &s->instance[release][p][slot]);
}

void world_settle(struct sim *s)
{
	for (uint32_t i = 0; i < s->message_count; i++)
		world_receive(s, &s->messages[i]);
	s->message_count = 0;
	for (uint8_t release = 0; release < SIM_RELEASES; release++) {
		for (uint32_t p = 0; p < SIM_PROCESSES; p++)
			for (uint32_t slot = 0; slot < SIM_SLOTS; slot++)
				if (s->instance[release][p][slot].exists)
					progress(s, release, &s->instance[release][p][slot]);
		if (s->set_applied[release].version.n > 0)
			world_decide(s, release, UINT32_MAX);
	}
}

void world_age(struct sim *s, uint64_t elapsed_ms)
{
	s->now_ms += elapsed_ms;
	for (uint32_t release = 0; release < SIM_RELEASES; release++)
		for (uint32_t p = 0; p < SIM_PROCESSES; p++)
			for (uint32_t slot = 0; slot < SIM_SLOTS; slot++) {
				struct instance *i = &s->instance[release][p][slot];
				if (!i->exists)
					continue;
				if (i->removed)
					i->removed_ms += elapsed_ms;
				if (i->state == FLEET_READY)
					i->ready_ms += elapsed_ms;
				if (i->state == FLEET_GAVE_UP)
					i->gave_up_ms += elapsed_ms;
			}
}

void world_report_router(struct sim *s)
{
	const struct traffic_document *d = &s->route_applied;
	struct router_report *r = &s->router_report;

	serve(s);
	*r = (struct router_report){.there = true};
	r->traffic.applied = d->version;
	memcpy(r->traffic.served_bp, d->weight_bp, sizeof d->weight_bp);
	r->traffic.mirror_bp = d->mirror_bp;
	r->traffic.mirror = d->mirror;
	r->traffic.preview = d->preview;
	r->traffic.park = d->park;
	r->traffic.access = d->access;
	memcpy(r->slots, s->route_slots, sizeof r->slots);
}

void world_report_set(struct sim *s, uint8_t release)
{
	struct fleet_instance instances[SIM_PROCESSES * SIM_SLOTS];
	struct fleet_wish wish = wish_of(&s->set_applied[release]);
	struct set_report *r = &s->set_report[release];
	struct fleet_tally tally;

	fleet_count(&wish, instances, list(s, release, instances), s->settings.min_ready_ms,
		    &tally);
	oracle_report(s, release, &tally);
	r->there = true;
	r->set.release = sim_release_id(release);
	r->set.applied = s->set_applied[release].version;
	memcpy(r->set.exist, tally.exist, sizeof tally.exist);
	memcpy(r->set.ready, tally.ready, sizeof tally.ready);
	memcpy(r->set.settled, tally.settled, sizeof tally.settled);
	memcpy(r->set.undrained, tally.undrained, sizeof tally.undrained);
	memcpy(r->set.failed, tally.failed, sizeof tally.failed);
	r->set.wrong = tally.wrong;
}
