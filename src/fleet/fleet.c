/* SPDX-License-Identifier: Apache-2.0
 * fleet - see fleet.h for the contract. Surplus first, then what is missing. */
#include "fleet/fleet.h"

#include <string.h>

#include "base/err.h"

static void act(struct fleet_actions *out, enum fleet_action_kind kind, uint8_t process,
		uint16_t slot, uint32_t instance)
{
	if (out->count == FLEET_ACTIONS_MAX)
		return;
	out->items[out->count++] = (struct fleet_action){
		.kind = kind, .process = process, .slot = slot, .instance = instance};
}

bool fleet_drained(const struct fleet_instance *instance, uint64_t drain_ms)
{
	return instance->draining && instance->removed &&
	       (instance->in_flight == 0 || instance->removed_ms >= drain_ms);
}

/* Two instances in one slot can only be the trace of a crash between two records; the first stays. */
static bool is_double(const struct fleet_instance *instances, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (instances[i].process == instances[index].process &&
		    instances[i].slot == instances[index].slot &&
		    instances[i].state != FLEET_STOPPING)
			return true;
	return false;
}

static void decide_surplus(const struct fleet_wish *wish, const struct fleet_instance *instance,
			   uint32_t index, bool stop, struct fleet_actions *out)
{
	if (!instance->draining)
		act(out, FLEET_DRAIN, instance->process, instance->slot, index);
	else if (stop && fleet_drained(instance, wish->drain_ms))
		act(out, FLEET_STOP, instance->process, instance->slot, index);
}

static void decide_wanted(const struct fleet_wish *wish, const struct fleet_instance *instance,
			  uint32_t index, struct fleet_actions *out)
{
	bool retry = wish->standing && instance->state == FLEET_GAVE_UP &&
		     instance->gave_up_ms >= FLEET_RETRY_MS;
	if (retry)
		act(out, FLEET_STOP, instance->process, instance->slot, index);
	else if (instance->draining)
		act(out, FLEET_SERVE, instance->process, instance->slot, index);
}

/* Is another one of its process ready, which may take its requests? What drains has none to lose: the document that
 * let it drain cannot take that back, so the sooner a new one starts there, the better. */
static bool has_stand_in(const struct fleet_instance *instances, uint32_t count, uint32_t index)
{
	if (instances[index].draining)
		return true;
	for (uint32_t i = 0; i < count; i++)
		if (i != index && instances[i].process == instances[index].process &&
		    instances[i].state == FLEET_READY && !instances[i].sick &&
		    !instances[i].draining)
			return true;
	return false;
}

void fleet_decide(const struct fleet_wish *wish, const struct fleet_instance *instances,
		  uint32_t instance_count, struct fleet_actions *out)
{
	bool taken[FLEET_PROCESSES_MAX][FLEET_SLOTS_MAX];
	struct fleet_wish hurried = *wish;

	if (hurried.drain_ms > FLEET_SICK_DRAIN_MS)
		hurried.drain_ms = FLEET_SICK_DRAIN_MS;
	memset(taken, 0, sizeof taken);
	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < instance_count; i++) {
		const struct fleet_instance *instance = &instances[i];
		ASSERT(instance->process < FLEET_PROCESSES_MAX && instance->slot < FLEET_SLOTS_MAX);
		taken[instance->process][instance->slot] = true;
		if (instance->state == FLEET_STOPPING)
			continue;
		bool ill = instance->sick && has_stand_in(instances, instance_count, i);
		bool spare = is_double(instances, i);
		if (ill)
			decide_surplus(&hurried, instance, i, true, out);
		else if (spare || instance->slot >= wish->count[instance->process])
			decide_surplus(wish, instance, i, spare || wish->stop_surplus, out);
		else
			decide_wanted(wish, instance, i, out);
	}
	for (uint8_t process = 0; process < FLEET_PROCESSES_MAX; process++)
		for (uint16_t slot = 0; slot < wish->count[process] && slot < FLEET_SLOTS_MAX;
		     slot++)
			if (!taken[process][slot])
				act(out, FLEET_START, process, slot, 0);
}

void fleet_count(const struct fleet_wish *wish, const struct fleet_instance *instances,
		 uint32_t instance_count, uint64_t min_ready_ms, struct fleet_tally *out)
{
	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < instance_count; i++) {
		const struct fleet_instance *instance = &instances[i];
		uint8_t p = instance->process;
		bool wanted = instance->slot < wish->count[p] && !is_double(instances, i);
		out->exist[p]++;
		if (instance->wrong)
			out->wrong++;
		if (!wanted && instance->state != FLEET_STOPPING &&
		    !fleet_drained(instance, wish->drain_ms))
			out->undrained[p]++;
		if (wanted && instance->state == FLEET_GAVE_UP)
			out->failed[p]++;
		if (wanted && instance->state == FLEET_READY && !instance->draining) {
			out->ready[p]++;
			if (instance->ready_ms >= min_ready_ms)
				out->settled[p]++;
		}
	}
}
