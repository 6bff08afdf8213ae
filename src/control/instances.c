/* SPDX-License-Identifier: Apache-2.0
 * instances - make what runs obey the set documents: fleet/ decides, the runtime does.
 *
 * Core and fleet count instances of a process from 0, people and the runtime from 1. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/command.h"
#include "control/environment.h"
#include "control/migration.h"
#include "fleet/fleet.h"

enum { HASH_SHORT = 12, WHOLE_MAX = 512, STRANGER_DRAIN_MS = 30000 };

uint32_t environment_process_index(const struct environment *e, const char *name)
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		if (strcmp(e->processes.name[i], name) == 0)
			return i;
	return PROCESSES_MAX;
}

const char *instance_id_of(const struct environment *e, uint8_t slot, uint32_t process,
			   uint32_t number, char to[INSTANCE_ID_SIZE])
{
	/* The names are for people: cut, and side by side, they may be those of another instance. */
	struct buf whole;
	char hex[DIGEST_HEX_SIZE];
	buf_init(&whole, WHOLE_MAX);
	buf_printf(&whole, "%s/%s/%s/%s", e->app, e->name, e->processes.name[process],
		   e->releases[slot].hex);
	struct digest digest = digest_of(buf_text(&whole), whole.size);
	buf_done(&whole);
	snprintf(to, INSTANCE_ID_SIZE, "%.24s-%.20s-%.20s-%u-%.*s", e->app, e->name,
		 e->processes.name[process], number, HASH_SHORT, digest_format(&digest, hex));
	return to;
}

bool instance_of(const struct environment *e, const struct instance_status *status)
{
	return strcmp(status->app, e->app) == 0 && strcmp(status->environment, e->name) == 0;
}

uint8_t instance_slot(const struct environment *e, const struct instance_status *status)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (e->releases[slot].hex[0] && strcmp(e->releases[slot].hex, status->release) == 0)
			return slot;
	return SLOT_NONE;
}

bool instance_surplus(const struct environment *e, const struct instance_status *s)
{
	uint8_t slot = instance_slot(e, s);
	uint32_t process = environment_process_index(e, s->process);
	return slot == SLOT_NONE || process == PROCESSES_MAX ||
	       s->slot > e->core.sets[slot].document.count[process];
}

static enum fleet_state fleet_state_of(const struct instance_status *s)
{
	switch (s->state) {
	case INSTANCE_STARTING:
	case INSTANCE_RUNNING: return s->restarts > 0 ? FLEET_UNREADY : FLEET_STARTING;
	case INSTANCE_READY: return FLEET_READY;
	case INSTANCE_UNHEALTHY: return FLEET_UNREADY;
	case INSTANCE_DRAINING: return s->healthy ? FLEET_READY : FLEET_UNREADY;
	case INSTANCE_FAILED: return FLEET_GAVE_UP;
	case INSTANCE_STOPPING:
	case INSTANCE_EXITED:
	case INSTANCE_STATE_COUNT: return FLEET_STOPPING;
	}
	return FLEET_STOPPING;
}

/* Since when the instance is out of every worker's table: from the observation that showed it first. */
static uint64_t removed_for_ms(struct environment *e, const char *id, bool removed)
{
	uint64_t now = env_now_ms(e->control->parts.env);
	for (uint32_t i = 0; i < e->drain_count; i++) {
		if (strcmp(e->drains[i].id, id) != 0)
			continue;
		if (removed)
			return now - e->drains[i].since_ms;
		e->drains[i] = e->drains[--e->drain_count];
		return 0;
	}
	if (!removed)
		return 0;
	if (e->drain_count == DRAINS_MAX)
		return 0; /* it waits until one of the others has gone */
	struct drain_clock *clock = &e->drains[e->drain_count++];
	text_copy(clock->id, sizeof clock->id, id);
	clock->since_ms = now;
	return 0;
}

/* A clock of what has gone would be taken for that of the next instance of that name. */
static void prune_clocks(struct environment *e)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	for (uint32_t i = e->drain_count; i-- > 0;) {
		bool there = false;
		for (size_t k = 0; k < count && !there; k++)
			there = strcmp(list[k].id, e->drains[i].id) == 0 &&
				!instance_state_over(list[k].state);
		if (!there)
			e->drains[i] = e->drains[--e->drain_count];
	}
}

static bool known_removed(const struct environment *e, const char *id)
{
	for (uint32_t i = 0; i < e->drain_count; i++)
		if (strcmp(e->drains[i].id, id) == 0)
			return true;
	return false;
}

static void to_fleet(struct environment *e, const struct instance_status *s,
		     struct fleet_instance *ret)
{
	*ret = (struct fleet_instance){.process = (uint8_t)environment_process_index(e, s->process),
				       .slot = (uint16_t)(s->slot - 1),
				       .state = fleet_state_of(s),
				       .draining = s->want != INSTANCE_KEEP};
	/* Once it drains it is to go, though it may have lost its readiness, or found it again, meanwhile. */
	bool found_sick = s->ready_since_ms > 0 && s->ready_since_ms <= e->sick_ms;
	ret->sick = strcmp(e->sick, s->id) == 0 && (ret->draining || found_sick);
	uint8_t set = instance_slot(e, s);
	uint64_t now = env_now_ms(e->control->parts.env);
	ret->wrong = set != SLOT_NONE && strcmp(s->artifact, e->releases[set].artifact) != 0;
	ret->ready_ms = s->ready_since_ms && now > s->ready_since_ms ? now - s->ready_since_ms : 0;
	bool listed = false, serving = false;
	for (uint32_t i = 0; e->seen_valid && i < e->seen->backend_count; i++)
		if (strcmp(e->seen->backends[i].instance, s->id) == 0) {
			listed = true;
			serving = e->seen->backends[i].state != ROUTER_BACKEND_DRAINING;
			ret->in_flight = (uint32_t)e->seen->backends[i].in_flight;
		}
	/* What takes no requests has none to finish. What does is removed when the gateway says so; a look from before
	 * a table that was under way does not say so, for that table may list it. */
	bool told = !e->route_unseen || known_removed(e, s->id);
	bool out = e->unrouted || (e->seen_valid && e->seen->seen && told && !(listed && serving));
	ret->removed = !s->traffic || !s->address[0] || (ret->draining && out);
	ret->removed_ms = removed_for_ms(e, s->id, ret->removed && ret->draining);
	if (s->state == INSTANCE_FAILED) /* the clock of an earlier boot says nothing */
		ret->gave_up_ms = s->state_since_ms && s->state_since_ms <= now
					  ? now - s->state_since_ms
					  : FLEET_RETRY_MS;
}

struct crew {
	uint32_t count;
	struct fleet_instance members[FLEET_PROCESSES_MAX * FLEET_SLOTS_MAX];
	char ids[FLEET_PROCESSES_MAX * FLEET_SLOTS_MAX][INSTANCE_ID_SIZE];
	struct version applied[FLEET_PROCESSES_MAX * FLEET_SLOTS_MAX];
};

/* The instances of one release that are there. Ended ones are not: their slot is empty. Of one that gave up
 * nothing is left but its files; where it is not wanted they stay, for whoever asks why, and it is not there. */
static void muster(struct environment *e, uint8_t slot, struct crew *crew)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	crew->count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct instance_status *s = &list[i];
		if (!instance_of(e, s) || instance_slot(e, s) != slot ||
		    s->state == INSTANCE_EXITED ||
		    (s->state == INSTANCE_FAILED && instance_surplus(e, s)) ||
		    environment_process_index(e, s->process) == PROCESSES_MAX || s->slot == 0 ||
		    s->slot > FLEET_SLOTS_MAX ||
		    crew->count == FLEET_PROCESSES_MAX * FLEET_SLOTS_MAX)
			continue;
		to_fleet(e, s, &crew->members[crew->count]);
		text_copy(crew->ids[crew->count], sizeof crew->ids[0], s->id);
		crew->applied[crew->count] = (struct version){s->applied.epoch, s->applied.n};
		crew->count++;
	}
}

static int start(struct environment *e, uint8_t slot, uint32_t process, uint32_t number,
		 struct instance_version version, struct error *err)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	char id[INSTANCE_ID_SIZE];
	instance_id_of(e, slot, process, number, id);
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].id, id) == 0 && list[i].state == INSTANCE_EXITED) {
			int result = runtime->ops->forget(runtime, id, err);
			if (result < 0)
				return result;
			if (strcmp(e->sick, id) == 0)
				e->sick[0] = '\0'; /* the next one is another */
			break;
		}
	return release_start_instance(e, slot, process, number, version, err);
}

static int act(struct environment *e, uint8_t slot, const struct crew *crew,
	       const struct fleet_action *action, struct instance_version version,
	       struct error *err)
{
	struct runtime *runtime = e->control->parts.runtime;
	switch (action->kind) {
	case FLEET_START:
	case FLEET_SERVE: return start(e, slot, action->process, action->slot + 1u, version, err);
	case FLEET_DRAIN:
		return runtime->ops->drain(runtime, crew->ids[action->instance], version, err);
	case FLEET_STOP:
		if (crew->members[action->instance].state == FLEET_GAVE_UP)
			return runtime->ops->forget(runtime, crew->ids[action->instance], err);
		return runtime->ops->stop(runtime, crew->ids[action->instance], version, false,
					  err);
	}
	return 0;
}

/* Every instance hears of the new version, also those of which nothing new is wanted: only then can an
 * observation say that the document has been applied. */
static bool tell_version(struct environment *e, uint8_t slot, const struct crew *crew,
			 struct version wanted, struct error *err)
{
	struct runtime *runtime = e->control->parts.runtime;
	struct instance_version version = {wanted.epoch, wanted.n};
	bool all = true;
	for (uint32_t i = 0; i < crew->count; i++) {
		const struct fleet_instance *m = &crew->members[i];
		const struct set_document *document = &e->core.sets[slot].document;
		if (version_compare(crew->applied[i], wanted) >= 0 || m->state == FLEET_GAVE_UP ||
		    m->state == FLEET_STOPPING)
			continue;
		bool surplus = m->slot >= document->count[m->process];
		int result = surplus ? runtime->ops->drain(runtime, crew->ids[i], version, err)
				     : start(e, slot, m->process, m->slot + 1u, version, err);
		all &= result == 0;
	}
	return all;
}

static struct fleet_wish wish_of(const struct set_document *document)
{
	struct fleet_wish wish = {.stop_surplus = document->surplus == SURPLUS_STOP,
				  .standing = document->standing,
				  .drain_ms = document->drain_ms};
	memcpy(wish.count, document->count, sizeof wish.count);
	return wish;
}

/* A disk gets room again, a table of instances too; who may not run as another user never may. */
static bool stays(enum err code)
{
	return code == ERR_DENIED || code == ERR_INVALID || code == ERR_NOT_FOUND ||
	       code == ERR_UNSUPPORTED;
}

/* It is tried again all the time: say it once. */
static void note_refusal(struct environment *e, uint8_t slot, const struct fleet_action *action,
			 const struct error *why)
{
	if (action->kind == FLEET_START && stays(why->code))
		e->refused_for_good[slot] = e->core.sets[slot].document.version;
	if (strcmp(e->refused[slot], why->text) != 0)
		log_event(LOG_WARNING, "control.instance", "environment=%s error=\"%s\"", e->key,
			  why->text);
	text_copy(e->refused[slot], sizeof e->refused[slot], why->text);
}

void instances_assert(struct environment *e, uint8_t slot)
{
	static struct crew crew;
	struct control *c = e->control;
	const struct set_document *document = &e->core.sets[slot].document;
	struct fleet_wish wish = wish_of(document);
	struct fleet_actions actions;
	struct error err;
	bool all = true;
	if (release_id_empty(&document->release) || !e->releases[slot].config || c->stopping ||
	    !c->parts.runtime->ops->settled(c->parts.runtime))
		return;
	muster(e, slot, &crew);
	fleet_decide(&wish, crew.members, crew.count, &actions);
	struct instance_version version = {document->version.epoch, document->version.n};
	for (uint32_t i = 0; i < actions.count; i++)
		if (act(e, slot, &crew, &actions.items[i], version, &err) < 0) {
			all = false;
			note_refusal(e, slot, &actions.items[i], &err);
		}
	all &= tell_version(e, slot, &crew, document->version, &err);
	if (all)
		e->refused[slot][0] = '\0';
	if (all && actions.count < FLEET_ACTIONS_MAX)
		e->asserted[slot] = document->version;
}

/* Some release here could not be read: then nobody can say whose an instance is not. */
static bool all_known(const struct environment *e)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (!release_id_equal(&e->core.sets[slot].document.release, &e->releases[slot].id))
			return false;
	return true;
}

/* What no set document accounts for, however it came here: it gets no requests, so it drains, and then it goes. */
static void end_stranger(struct environment *e, const struct instance_status *s)
{
	struct runtime *runtime = e->control->parts.runtime;
	struct fleet_instance member;
	struct error err;
	int result = 0;
	to_fleet(e, s, &member);
	if (s->want == INSTANCE_KEEP)
		result = runtime->ops->drain(runtime, s->id, s->applied, &err);
	else if (s->want == INSTANCE_DRAIN && fleet_drained(&member, STRANGER_DRAIN_MS))
		result = runtime->ops->stop(runtime, s->id, s->applied, false, &err);
	if (result < 0)
		log_event(LOG_DEBUG, "control.stranger", "environment=%s error=\"%s\"", e->key,
			  err.text);
}

static void end_strangers(struct environment *e)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	struct instance_status stranger;
	if (!all_known(e))
		return;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++) {
		if (!instance_of(e, &list[i]) || instance_slot(e, &list[i]) != SLOT_NONE ||
		    instance_state_over(list[i].state))
			continue;
		stranger = list[i];
		end_stranger(e, &stranger);
		count = runtime->ops->observe(runtime, &list);
	}
}

void instances_replace(struct environment *e, const char *id)
{
	text_copy(e->sick, sizeof e->sick, id);
	e->sick_ms = env_now_ms(e->control->parts.env);
	log_event(LOG_INFO, "control.replace", "environment=%s instance=%s", e->key, id);
	instances_assert_all(e);
}

void instances_assert_all(struct environment *e)
{
	prune_clocks(e);
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		instances_assert(e, slot);
	end_strangers(e);
}

/* Is a sick instance of this set being replaced? From the first look at it until the set is whole again. */
static bool watch_replacement(struct environment *e, uint8_t slot, const struct crew *crew,
			      const uint16_t ready[PROCESSES_MAX])
{
	const struct set_document *document = &e->core.sets[slot].document;
	bool sick = false, whole = true;
	for (uint32_t i = 0; i < crew->count; i++)
		sick |= crew->members[i].sick;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		whole &= ready[p] >= document->count[p];
	e->replacing[slot] = sick || (e->replacing[slot] && !whole);
	return e->replacing[slot];
}

/* A document has been applied when every instance that listens has taken note of its version. */
void instances_observe(struct environment *e, uint8_t slot, struct set_observation *to)
{
	static struct crew crew;
	const struct set_document *document = &e->core.sets[slot].document;
	struct fleet_wish wish = wish_of(document);
	struct fleet_tally tally;
	bool applied = version_compare(e->asserted[slot], document->version) >= 0;
	to->release = document->release;
	muster(e, slot, &crew);
	for (uint32_t i = 0; i < crew.count; i++)
		if (crew.members[i].state != FLEET_STOPPING &&
		    crew.members[i].state != FLEET_GAVE_UP)
			applied &= version_compare(crew.applied[i], document->version) >= 0;
	if (applied)
		to->applied = document->version;
	fleet_count(&wish, crew.members, crew.count, e->active ? e->active->plan.min_ready_ms : 0,
		    &tally);
	to->replacing = watch_replacement(e, slot, &crew, tally.ready);
	memcpy(to->exist, tally.exist, sizeof to->exist);
	memcpy(to->ready, tally.ready, sizeof to->ready);
	memcpy(to->settled, tally.settled, sizeof to->settled);
	memcpy(to->undrained, tally.undrained, sizeof to->undrained);
	memcpy(to->failed, tally.failed, sizeof to->failed);
	to->wrong = tally.wrong;
	to->refused = e->refused[slot][0] &&
		      version_compare(e->refused_for_good[slot], document->version) == 0;
}

bool instances_trouble(const struct environment *e, const char *release, char *to, size_t size)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list, *worst = NULL;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++) {
		const struct instance_status *s = &list[i];
		if (!instance_of(e, s) || strcmp(s->release, release) != 0 || !s->sentence[0] ||
		    s->state == INSTANCE_READY || migration_instance(s))
			continue;
		bool worse = !worst ||
			     (s->state == INSTANCE_FAILED && worst->state != INSTANCE_FAILED) ||
			     (s->restarts > worst->restarts && worst->state != INSTANCE_FAILED);
		if (worse)
			worst = s;
	}
	if (worst)
		snprintf(to, size, "%s %u: %s", worst->process, worst->slot, worst->sentence);
	return worst != NULL;
}
