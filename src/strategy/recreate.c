/* SPDX-License-Identifier: Apache-2.0
 * recreate - the old one has to be gone before the new one may start: compile_recreate().
 *
 * The gateway holds requests meanwhile. The bytes are fetched before that begins, so that the gap is as short
 * as the two processes allow. */
#include "base/text.h"
#include "strategy/compiler.h"

void compile_recreate(struct compiler *c)
{
	static const uint16_t none[PROCESSES_MAX];
	uint16_t count[PROCESSES_MAX];

	if (c->traffic && c->live) {
		struct plan_step *park = compiler_route(c, c->share_bp);
		park->preview = PLAN_NONE;
		park->park = true;
		compiler_label(park, "hold requests");
	}
	compiler_shrink_live(c, none);
	compiler_counts(c, SHARE_FULL_BP, count);
	compiler_grow(c, count);
	if (c->traffic)
		compiler_route(c, SHARE_FULL_BP);
}
