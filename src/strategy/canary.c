/* SPDX-License-Identifier: Apache-2.0
 * canary - rising shares, each held until its evidence is in: compile_canary() and compile_bake().
 *
 * The live release keeps its full strength: going back at any moment is a matter of shares. */
#include "base/text.h"
#include "strategy/compiler.h"

void compile_canary(struct compiler *c, const struct strategy_move *move)
{
	for (uint32_t i = 0; i < move->share_count; i++) {
		uint32_t share_bp = move->share_bp[i];
		uint16_t count[PROCESSES_MAX];
		char label[PLAN_LABEL_MAX];
		if (c->traffic && share_bp <= c->share_bp)
			continue;
		text_format_share(share_bp, label, sizeof label);
		compiler_part_begin(c, label);
		compiler_counts(c, share_bp, count);
		compiler_grow(c, count);
		if (c->traffic)
			compiler_route(c, share_bp);
		compiler_label_share(
			compiler_hold(c, move, c->settings->analysis ? ANALYSIS_LIVE : 0),
			share_bp);
		compiler_part_end(c, label);
	}
}

/* The old release keeps a small share for comparison until the bake is over. */
void compile_bake(struct compiler *c, const struct strategy_move *move)
{
	compiler_label(compiler_hold(c, move, c->settings->analysis ? ANALYSIS_LIVE : 0), "bake");
}
