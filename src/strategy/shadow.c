/* SPDX-License-Identifier: Apache-2.0
 * shadow - requests that the live release answers are copied to the candidate: compile_shadow(). */
#include "base/text.h"
#include "strategy/compiler.h"

void compile_shadow(struct compiler *c, const struct strategy_move *move)
{
	uint16_t count[PROCESSES_MAX];
	uint32_t share_bp = c->share_bp;

	if (!c->traffic || !c->live)
		return;
	compiler_counts(c, move->share_bp[0], count);
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) /* a shadow takes no work from anybody */
		if (!c->settings->process[p].traffic)
			count[p] = 0;
	compiler_grow(c, count);
	struct plan_step *on = compiler_route(c, share_bp);
	on->mirror = PLAN_CANDIDATE;
	on->mirror_bp = move->share_bp[0];
	compiler_label(on, "shadow");
	compiler_label(compiler_hold(c, move, ANALYSIS_SHADOW), "shadow");
	struct plan_step *off = compiler_route(c, share_bp);
	off->preview = PLAN_NONE;
	compiler_label(off, "shadow off");
}
