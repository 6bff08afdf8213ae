/* SPDX-License-Identifier: Apache-2.0
 * blue_green - everything at once: compile_check() and compile_switch() of compiler.h.
 *
 * Before a switch the candidate stands at full strength beside the live release, is checked on the preview
 * address where no user comes, and then takes all requests with one document. */
#include <string.h>

#include "base/text.h"
#include "strategy/compiler.h"

/* Stop-first processes of the live release work on while the candidate is only looked at. */
static void stand_beside(struct compiler *c, uint32_t share_bp)
{
	uint16_t count[PROCESSES_MAX];

	compiler_counts(c, share_bp, count);
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (c->live && c->settings->process[p].handover == HANDOVER_STOP_FIRST)
			count[p] = 0;
	compiler_grow(c, count);
}

void compile_check(struct compiler *c, const struct strategy_move *move,
		   const struct strategy_move *next)
{
	bool switches = !c->live || (next != NULL && next->kind == STRATEGY_MOVE_SWITCH);

	if (!c->traffic)
		return;
	stand_beside(c, switches ? SHARE_FULL_BP : 1);
	struct plan_step *route =
		compiler_add(c, PLAN_ROUTE, PLAN_NONE, c->settings->route_deadline_ms);
	route->weight_bp[PLAN_CANDIDATE] = c->share_bp;
	route->weight_bp[PLAN_LIVE] = c->live ? SHARE_FULL_BP - c->share_bp : 0;
	route->preview = PLAN_CANDIDATE;
	compiler_label(route, "preview");
	struct strategy_move once = *move;
	once.at_most_ms = c->settings->check_deadline_ms;
	compiler_label(compiler_hold(c, &once, ANALYSIS_CHECKS), "checks");
}

void compile_switch(struct compiler *c, const struct strategy_move *next)
{
	const struct strategy_settings *s = c->settings;
	uint16_t count[PROCESSES_MAX];
	bool compared = c->live && s->analysis && next != NULL && next->kind == STRATEGY_MOVE_BAKE;

	stand_beside(c, SHARE_FULL_BP);
	compiler_counts(c, SHARE_FULL_BP, count);
	compiler_grow(c, count);
	if (c->traffic)
		compiler_route(c, compared ? SHARE_FULL_BP - s->control_bp : SHARE_FULL_BP);
}
