/* SPDX-License-Identifier: Apache-2.0
 * compiler - see compiler.h for the contract. */
#include "strategy/compiler.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

enum { AT_MOST_LEAST_MS = 15 * 60 * 1000, AT_MOST_FACTOR = 4 };

struct plan_step *compiler_add(struct compiler *c, enum plan_op op, uint8_t release,
			       uint64_t deadline_ms)
{
	struct plan_step *step = plan_add(c->plan, op, release);
	if (step == NULL) {
		c->full = true;
		step = &c->spill;
	}
	step->deadline_ms = deadline_ms;
	return step;
}

void compiler_label(struct plan_step *step, const char *label)
{
	text_copy(step->label, sizeof step->label, label);
}

void compiler_label_share(struct plan_step *step, uint32_t share_bp)
{
	text_format_share(share_bp, step->label, sizeof step->label);
}

void compiler_counts(const struct compiler *c, uint32_t share_bp, uint16_t count[PROCESSES_MAX])
{
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		const struct process_shape *shape = &c->settings->process[p];
		uint32_t exact = shape->count * share_bp;
		bool whole = shape->handover == HANDOVER_STOP_FIRST && c->live;
		count[p] = (uint16_t)(whole ? exact / SHARE_FULL_BP
					    : (exact + SHARE_FULL_BP - 1) / SHARE_FULL_BP);
	}
}

void compiler_shrink_live(struct compiler *c, const uint16_t count[PROCESSES_MAX])
{
	const struct strategy_settings *s = c->settings;
	bool less = false;

	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		less = less || count[p] < c->left[p];
		if (count[p] < c->left[p])
			c->left[p] = count[p];
	}
	if (!c->live || !less)
		return;
	struct plan_step *drain =
		compiler_add(c, PLAN_DRAIN, PLAN_LIVE, s->drain_ms + s->stop_deadline_ms);
	memcpy(drain->count, c->left, sizeof drain->count);
	struct plan_step *stop = compiler_add(c, PLAN_STOP, PLAN_LIVE, s->stop_deadline_ms);
	memcpy(stop->count, c->left, sizeof stop->count);
}

/* What stop-first processes of the live release may keep beside `count` new instances. */
static void give_way(struct compiler *c, const uint16_t count[PROCESSES_MAX])
{
	uint16_t keep[PROCESSES_MAX];

	memcpy(keep, c->left, sizeof keep);
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		const struct process_shape *shape = &c->settings->process[p];
		if (shape->handover != HANDOVER_STOP_FIRST || count[p] <= c->started[p])
			continue;
		uint16_t room = (uint16_t)(shape->count - count[p]);
		keep[p] = room < keep[p] ? room : keep[p];
	}
	compiler_shrink_live(c, keep);
}

void compiler_grow(struct compiler *c, const uint16_t count[PROCESSES_MAX])
{
	const struct strategy_settings *s = c->settings;
	bool more = false;

	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		more = more || count[p] > c->started[p];
	if (!more)
		return;
	give_way(c, count);
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (count[p] > c->started[p])
			c->started[p] = count[p];
	struct plan_step *start = compiler_add(c, PLAN_START, PLAN_CANDIDATE, s->ready_deadline_ms);
	memcpy(start->count, c->started, sizeof start->count);
	struct plan_step *ready = compiler_add(c, PLAN_READY, PLAN_CANDIDATE, s->ready_deadline_ms);
	memcpy(ready->count, c->started, sizeof ready->count);
	ready->min_ready_ms = s->min_ready_ms;
}

struct plan_step *compiler_route(struct compiler *c, uint32_t share_bp)
{
	struct plan_step *step =
		compiler_add(c, PLAN_ROUTE, PLAN_NONE, c->settings->route_deadline_ms);
	step->weight_bp[PLAN_CANDIDATE] = share_bp;
	step->weight_bp[PLAN_LIVE] = SHARE_FULL_BP - share_bp;
	if (share_bp < SHARE_FULL_BP)
		step->preview = PLAN_CANDIDATE;
	c->share_bp = share_bp;
	compiler_label_share(step, share_bp);
	return step;
}

void compiler_hook(struct compiler *c, const char *name, uint64_t deadline_ms, bool exposes)
{
	struct plan_step *hook = compiler_add(c, PLAN_HOOK, PLAN_NONE, deadline_ms);
	hook->exposes = exposes;
	compiler_label(hook, name);
}

static void add_part_hook(struct compiler *c, const char *prefix, const char *label, bool exposes)
{
	struct plan_step *hook =
		compiler_add(c, PLAN_HOOK, PLAN_NONE, c->settings->step_deadline_ms);
	size_t size = strlen(prefix);

	hook->exposes = exposes;
	ASSERT(size + strlen(label) < sizeof hook->label);
	compiler_label(hook, prefix);
	text_copy(hook->label + size, sizeof hook->label - size, label);
}

void compiler_part_begin(struct compiler *c, const char *label)
{
	if (c->settings->before_step)
		add_part_hook(c, STRATEGY_BEFORE_STEP, label, true);
	c->part = c->plan->step_count;
}

void compiler_part_end(struct compiler *c, const char *label)
{
	bool empty = c->plan->step_count == c->part;

	if (empty && c->settings->before_step && !c->full)
		c->plan->step_count--;
	else if (!empty && c->settings->after_step)
		add_part_hook(c, STRATEGY_AFTER_STEP, label, false);
}

struct plan_step *compiler_hold(struct compiler *c, const struct strategy_move *move,
				uint32_t analyses)
{
	struct plan_step *step = compiler_add(c, PLAN_HOLD, PLAN_NONE, 0);
	uint64_t at_most_ms = move->at_least_ms * AT_MOST_FACTOR;

	step->analyses = analyses;
	step->for_ms = move->at_least_ms;
	step->min_samples = analyses == 0 ? 0 : move->min_samples;
	step->too_little = c->settings->too_little;
	if (analyses == 0)
		return step;
	if (at_most_ms < AT_MOST_LEAST_MS)
		at_most_ms = AT_MOST_LEAST_MS;
	step->at_most_ms = move->at_most_ms > 0 ? move->at_most_ms : at_most_ms;
	return step;
}
