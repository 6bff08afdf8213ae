/* SPDX-License-Identifier: Apache-2.0
 * rolling - instance by instance, in batches: compile_rolling() of compiler.h.
 *
 * With surge a batch of new instances comes up before as many old ones leave; without, the old ones leave
 * first. Shares follow the instances. The last old batch leaves after MARK. */
#include "base/text.h"
#include "strategy/compiler.h"

struct batch {
	uint16_t fresh[PROCESSES_MAX];  /* new instances when it is done */
	uint16_t remain[PROCESSES_MAX]; /* old ones */
	uint32_t share_bp;
};

static uint32_t batch_size(uint32_t count, uint32_t batch_bp)
{
	return (count * batch_bp + SHARE_FULL_BP - 1) / SHARE_FULL_BP;
}

/* Batches until every process is replaced. */
static uint32_t batch_count(const struct compiler *c, uint32_t batch_bp)
{
	uint32_t batches = 1;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		uint32_t count = c->settings->process[p].count;
		uint32_t size = batch_size(count, batch_bp);
		if (size > 0 && (count + size - 1) / size > batches)
			batches = (count + size - 1) / size;
	}
	return batches;
}

static struct batch batch_make(const struct compiler *c, uint32_t batch_bp, uint32_t number,
			       uint32_t batches)
{
	struct batch batch = {.share_bp = SHARE_FULL_BP};

	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		const struct process_shape *shape = &c->settings->process[p];
		uint32_t old = c->plan->releases[PLAN_LIVE].process[p].count;
		uint32_t fresh = batch_size(shape->count, batch_bp) * number;
		if (fresh > shape->count || number == batches)
			fresh = shape->count;
		batch.fresh[p] = (uint16_t)fresh;
		if (number == batches)
			continue;
		uint32_t leave = shape->count == 0 ? 0 : old * fresh / shape->count;
		if (shape->traffic && leave >= old && old > 0)
			leave = old - 1; /* while it has a share somebody must answer */
		batch.remain[p] = (uint16_t)(old - leave);
		if (shape->traffic && shape->count > 0) {
			uint32_t share_bp = fresh * SHARE_FULL_BP / shape->count;
			batch.share_bp = share_bp < batch.share_bp ? share_bp : batch.share_bp;
		}
	}
	if (number < batches && batch.share_bp == SHARE_FULL_BP)
		batch.share_bp = SHARE_FULL_BP * number / batches;
	return batch;
}

static void hold(struct compiler *c, const struct strategy_move *move, uint32_t share_bp)
{
	compiler_label_share(compiler_hold(c, move, c->settings->analysis ? ANALYSIS_LIVE : 0),
			     share_bp);
}

static void batch_surge(struct compiler *c, const struct strategy_move *move,
			const struct batch *batch, bool last)
{
	compiler_grow(c, batch->fresh);
	if (c->traffic)
		compiler_route(c, batch->share_bp);
	hold(c, move, batch->share_bp);
	if (last)
		c->removes_last = true;
	else
		compiler_shrink_live(c, batch->remain);
}

/* Old ones leave first. In the last batch the new ones take all requests before that. */
static void batch_in_place(struct compiler *c, const struct strategy_move *move,
			   const struct batch *batch, bool last)
{
	if (c->traffic && last)
		compiler_route(c, batch->share_bp);
	compiler_shrink_live(c, batch->remain);
	compiler_grow(c, batch->fresh);
	if (c->traffic && !last)
		compiler_route(c, batch->share_bp);
	hold(c, move, batch->share_bp);
}

void compile_rolling(struct compiler *c, const struct strategy_move *move)
{
	uint32_t batches = batch_count(c, move->batch_bp);

	for (uint32_t number = 1; number <= batches; number++) {
		struct batch batch = batch_make(c, move->batch_bp, number, batches);
		char label[PLAN_LABEL_MAX];
		text_format_share(batch.share_bp, label, sizeof label);
		compiler_part_begin(c, label);
		if (move->surge || batches == 1)
			batch_surge(c, move, &batch, number == batches);
		else
			batch_in_place(c, move, &batch, number == batches);
		compiler_part_end(c, label);
	}
}
