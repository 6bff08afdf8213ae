/* SPDX-License-Identifier: Apache-2.0
 * graph - see graph.h for the contract. Each event changes what it is about, then settle() looks at what can start
 * now: it is the only place where a stage leaves "pending". */
#include "pipeline/graph.h"

#include <string.h>

#include "base/err.h"

static void emit(struct graph_effects *effects, enum graph_effect_kind kind, uint32_t stage,
		 const struct graph_stage *s)
{
	ASSERT(effects->count < GRAPH_EFFECTS_MAX);
	effects->items[effects->count++] = (struct graph_effect){.kind = kind,
								 .stage = (uint8_t)stage,
								 .attempt = s ? s->attempt : 0,
								 .why = s ? s->stop : 0};
}

static void start(struct graph *graph, uint32_t stage, struct graph_effects *effects)
{
	struct graph_stage *s = &graph->stages[stage];
	s->state = GRAPH_RUNNING;
	s->stop = GRAPH_STOP_NOT;
	s->attempt++;
	s->elapsed_ms = 0;
	emit(effects, GRAPH_START, stage, s);
}

static bool has_ended(const struct graph_stage *s)
{
	return s->state != GRAPH_PENDING && s->state != GRAPH_RUNNING;
}

/* It did what those that need it wait for, or was not to do it. */
static bool satisfies(const struct graph_stage *s)
{
	return s->state == GRAPH_PASSED || (s->state == GRAPH_SKIPPED && s->blame == GRAPH_NOBODY);
}

static bool is_ready(const struct graph_plan *plan, const struct graph *graph, uint32_t stage)
{
	const struct graph_plan_stage *about = &plan->stages[stage];
	bool last = about->finally && about->needs == 0;
	for (uint32_t i = 0; i < plan->count; i++) {
		bool waits = last ? !plan->stages[i].finally : (about->needs & 1u << i) != 0;
		const struct graph_stage *other = &graph->stages[i];
		if (waits && !(about->finally ? has_ended(other) : satisfies(other)))
			return false;
	}
	return true;
}

static uint32_t running(const struct graph_plan *plan, const struct graph *graph)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < plan->count; i++)
		count += graph->stages[i].state == GRAPH_RUNNING;
	return count;
}

/* After a failure or a cancellation: those that will not start any more. */
static void give_up(const struct graph_plan *plan, struct graph *graph)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		struct graph_stage *s = &graph->stages[i];
		if (s->state != GRAPH_PENDING)
			continue;
		if (graph->cancelled) {
			s->state = GRAPH_CANCELLED;
		} else if (graph->failed != GRAPH_NOBODY && !plan->stages[i].finally) {
			s->state = GRAPH_SKIPPED;
			s->blame = graph->failed;
		}
	}
}

static void settle(const struct graph_plan *plan, struct graph *graph,
		   struct graph_effects *effects)
{
	give_up(plan, graph);
	uint32_t busy = running(plan, graph);
	bool over = busy == 0;
	for (uint32_t i = 0; i < plan->count; i++) {
		struct graph_stage *s = &graph->stages[i];
		if (s->state != GRAPH_PENDING)
			continue;
		if (busy < plan->parallel && is_ready(plan, graph, i)) {
			start(graph, i, effects);
			busy++;
		}
		over = false;
	}
	if (over && !graph->done) {
		graph->done = true;
		emit(effects, GRAPH_DONE, 0, NULL);
	}
}

static void ended(const struct graph_plan *plan, struct graph *graph,
		  const struct graph_event *event, struct graph_effects *effects)
{
	struct graph_stage *s = &graph->stages[event->stage];
	if (s->state != GRAPH_RUNNING || s->attempt != event->attempt)
		return;
	if (event->result == GRAPH_RESULT_PASSED && s->stop == GRAPH_STOP_NOT) {
		s->state = GRAPH_PASSED;
	} else if (graph->cancelled) {
		s->state = GRAPH_CANCELLED;
	} else if (event->result != GRAPH_RESULT_BROKEN &&
		   s->failures++ < plan->stages[event->stage].retry) {
		start(graph, event->stage, effects); /* it keeps its place among those that run */
	} else {
		s->state = GRAPH_FAILED;
		if (graph->failed == GRAPH_NOBODY)
			graph->failed = event->stage;
	}
}

static void stop(struct graph *graph, uint32_t stage, enum graph_stop why,
		 struct graph_effects *effects)
{
	struct graph_stage *s = &graph->stages[stage];
	if (s->state != GRAPH_RUNNING || s->stop != GRAPH_STOP_NOT)
		return;
	s->stop = why;
	emit(effects, GRAPH_STOP, stage, s);
}

static void tick(const struct graph_plan *plan, struct graph *graph, uint64_t ms,
		 struct graph_effects *effects)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		struct graph_stage *s = &graph->stages[i];
		uint64_t most = plan->stages[i].timeout_ms;
		if (s->state != GRAPH_RUNNING)
			continue;
		s->elapsed_ms += ms;
		if (most > 0 && s->elapsed_ms >= most)
			stop(graph, i, GRAPH_STOP_TIMEOUT, effects);
	}
}

static void boot(const struct graph_plan *plan, struct graph *graph, struct graph_effects *effects)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		struct graph_stage *s = &graph->stages[i];
		if (s->state != GRAPH_RUNNING)
			continue;
		if (graph->cancelled)
			s->state = GRAPH_CANCELLED; /* what ran has ended with the one who ran it */
		else
			start(graph, i, effects);
	}
}

void graph_begin(const struct graph_plan *plan, struct graph *graph, struct graph_effects *effects)
{
	ASSERT(plan->count <= GRAPH_STAGES_MAX && plan->parallel >= 1);
	memset(graph, 0, sizeof *graph);
	graph->failed = GRAPH_NOBODY;
	effects->count = 0;
	for (uint32_t i = 0; i < plan->count; i++) {
		graph->stages[i].blame = GRAPH_NOBODY;
		if (plan->stages[i].left_out) {
			graph->stages[i].state = GRAPH_SKIPPED;
		} else if (plan->stages[i].taken > 0) {
			graph->stages[i].state = GRAPH_PASSED;
			graph->stages[i].attempt = plan->stages[i].taken;
		}
	}
	settle(plan, graph, effects);
}

void graph_step(const struct graph_plan *plan, struct graph *graph, const struct graph_event *event,
		struct graph_effects *effects)
{
	effects->count = 0;
	if (graph->done)
		return;
	switch (event->kind) {
	case GRAPH_ENDED:
		ASSERT(event->stage < plan->count);
		ended(plan, graph, event, effects);
		break;
	case GRAPH_TICK: tick(plan, graph, event->ms, effects); break;
	case GRAPH_CANCEL:
		graph->cancelled = true;
		for (uint32_t i = 0; i < plan->count; i++)
			stop(graph, i, GRAPH_STOP_CANCEL, effects);
		break;
	case GRAPH_BOOT: boot(plan, graph, effects); break;
	}
	settle(plan, graph, effects);
}

uint32_t graph_closure(const struct graph_plan *plan, uint32_t stage)
{
	uint32_t all = 1u << stage, before = 0;
	while (all != before) {
		before = all;
		for (uint32_t i = 0; i < plan->count; i++)
			if (all & 1u << i)
				all |= plan->stages[i].needs;
	}
	return all;
}

enum graph_state graph_outcome(const struct graph *graph)
{
	if (!graph->done)
		return GRAPH_RUNNING;
	return graph->cancelled                ? GRAPH_CANCELLED
	       : graph->failed != GRAPH_NOBODY ? GRAPH_FAILED
					       : GRAPH_PASSED;
}

uint64_t graph_next_ms(const struct graph_plan *plan, const struct graph *graph)
{
	uint64_t next = UINT64_MAX;
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct graph_stage *s = &graph->stages[i];
		uint64_t most = plan->stages[i].timeout_ms;
		if (s->state != GRAPH_RUNNING || s->stop != GRAPH_STOP_NOT || most == 0)
			continue;
		uint64_t left = most > s->elapsed_ms ? most - s->elapsed_ms : 0;
		next = left < next ? left : next;
	}
	return next;
}

const char *graph_state_name(enum graph_state state)
{
	static const char *const names[GRAPH_STATE_COUNT] = {
		[GRAPH_PENDING] = "pending", [GRAPH_RUNNING] = "running",
		[GRAPH_PASSED] = "passed",   [GRAPH_FAILED] = "failed",
		[GRAPH_SKIPPED] = "skipped", [GRAPH_CANCELLED] = "cancelled",
	};
	ASSERT(state < GRAPH_STATE_COUNT);
	return names[state];
}
