/* SPDX-License-Identifier: Apache-2.0
 * mix - strategy_compile() of strategy.h: any list of moves, one after the other, then MARK. */
#include <string.h>

#include "base/text.h"
#include "strategy/compiler.h"

enum { RETRIES_MAX = 2 };

#define STRATEGY_ALL \
	"100%" /* the part that is in every strategy, where the others have left something */

static void fill_terms(struct plan *plan, const struct strategy_settings *s)
{
	text_copy(plan->strategy, sizeof plan->strategy, s->name);
	plan->keep_warm_ms = s->migrate_after ? 0 : s->keep_warm_ms; /* it could not serve */
	plan->ready_deadline_ms = s->ready_deadline_ms;
	plan->min_ready_ms = s->min_ready_ms;
	plan->route_deadline_ms = s->route_deadline_ms;
	plan->drain_ms = s->drain_ms;
	plan->stop_deadline_ms = s->stop_deadline_ms;
	plan->pause_ttl_ms = s->pause_ttl_ms;
	plan->retries_max = RETRIES_MAX;
	plan->inconclusive_max = s->inconclusive_max;
}

/* Candidate, live release, and whatever else still has instances here. */
static void fill_releases(struct plan *plan, const struct strategy_settings *s,
			  const struct environment_state *env, const struct release_id *candidate)
{
	uint8_t next = PLAN_LIVE + 1;

	plan->releases[PLAN_CANDIDATE].id = *candidate;
	memcpy(plan->releases[PLAN_CANDIDATE].process, s->process, sizeof s->process);
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		const struct environment_set *set = &env->sets[slot];
		bool mine = release_id_equal(&set->document.release, candidate);
		if (release_id_empty(&set->document.release) || mine ||
		    (slot != env->stable && next == PLAN_RELEASES_MAX))
			continue;
		struct plan_release *release =
			&plan->releases[slot == env->stable ? PLAN_LIVE : next++];
		release->id = set->document.release;
		memcpy(release->process, set->process, sizeof release->process);
	}
}

static const struct strategy_move *find_move(const struct strategy_settings *s,
					     enum strategy_move_kind kind)
{
	for (uint32_t i = 0; i < s->move_count; i++)
		if (s->moves[i].kind == kind)
			return &s->moves[i];
	return NULL;
}

/* What must stay ready of each process while instances of the live release leave. */
static void fill_floor(struct plan *plan, const struct strategy_settings *s)
{
	const struct strategy_move *rolling = find_move(s, STRATEGY_MOVE_ROLLING);
	bool recreate = find_move(s, STRATEGY_MOVE_RECREATE) != NULL;

	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		struct process_shape *fresh = &plan->releases[PLAN_CANDIDATE].process[p];
		const struct process_shape *live = &plan->releases[PLAN_LIVE].process[p];
		uint32_t floor = fresh->count < live->count ? fresh->count : live->count;
		if (rolling != NULL && !rolling->surge && floor > 0) {
			uint32_t batch = (fresh->count * rolling->batch_bp + SHARE_FULL_BP - 1) /
					 SHARE_FULL_BP;
			floor = floor > batch ? floor - batch : 1;
		}
		if (recreate)
			fresh->handover = HANDOVER_STOP_FIRST; /* on the way back too */
		if (fresh->handover == HANDOVER_STOP_FIRST)
			floor = 0;
		plan->floor[p] = (uint16_t)floor;
	}
}

/* Leftovers go first, so that at most two releases run side by side. */
static void remove_leftovers(struct compiler *c)
{
	const struct strategy_settings *s = c->settings;

	for (uint8_t i = PLAN_LIVE + 1; i < PLAN_RELEASES_MAX; i++) {
		if (release_id_empty(&c->plan->releases[i].id))
			continue;
		compiler_add(c, PLAN_DRAIN, i, s->drain_ms + s->stop_deadline_ms);
		compiler_add(c, PLAN_STOP, i, s->stop_deadline_ms);
	}
}

static void compile_move(struct compiler *c, uint32_t index)
{
	const struct strategy_settings *s = c->settings;
	const struct strategy_move *move = &s->moves[index];
	const struct strategy_move *next = index + 1 < s->move_count ? &s->moves[index + 1] : NULL;

	bool parts = move->kind == STRATEGY_MOVE_CANARY ||
		     (move->kind == STRATEGY_MOVE_ROLLING && c->live); /* it begins them itself */

	if (!parts)
		compiler_part_begin(c, strategy_move_name(move->kind));
	switch (move->kind) {
	case STRATEGY_MOVE_CHECK:
		if (s->checks)
			compile_check(c, move, next);
		break;
	case STRATEGY_MOVE_SHADOW: compile_shadow(c, move); break;
	case STRATEGY_MOVE_CANARY:
		if (c->live)
			compile_canary(c, move);
		break;
	case STRATEGY_MOVE_SWITCH: compile_switch(c, next); break;
	case STRATEGY_MOVE_ROLLING:
		if (c->live)
			compile_rolling(c, move);
		else /* nobody's instances to replace, and nobody to be compared with */
			compile_switch(c, next);
		break;
	case STRATEGY_MOVE_RECREATE: compile_recreate(c); break;
	case STRATEGY_MOVE_BAKE:
		/* A first release has nobody to be compared with and nothing to go back to: it is live. */
		if (c->live)
			compile_bake(c, move);
		else if (c->share_bp == 0)
			compile_switch(c, move);
		break;
	case STRATEGY_MOVE_COUNT: break;
	}
	if (!parts)
		compiler_part_end(c, strategy_move_name(move->kind));
}

static void finish(struct compiler *c)
{
	static const uint16_t none[PROCESSES_MAX];
	const struct strategy_settings *s = c->settings;
	bool report = s->report_only && c->live;

	if (report) {
		compiler_add(c, PLAN_DRAIN, PLAN_CANDIDATE, s->drain_ms + s->stop_deadline_ms);
		compiler_add(c, PLAN_STOP, PLAN_CANDIDATE, s->stop_deadline_ms);
		return;
	}
	uint16_t full[PROCESSES_MAX];
	compiler_part_begin(c, STRATEGY_ALL);
	compiler_counts(c, SHARE_FULL_BP, full);
	compiler_grow(c, full);
	if (c->traffic && c->share_bp < SHARE_FULL_BP)
		compiler_route(c, SHARE_FULL_BP);
	compiler_part_end(c, STRATEGY_ALL);
	struct strategy_move once = strategy_move_default(STRATEGY_MOVE_CHECK);
	once.at_most_ms = s->check_deadline_ms;
	for (uint32_t i = 0; i < s->verify_count && c->traffic; i++)
		compiler_label(compiler_hold(c, &once, ANALYSIS_CHECKS), "verify");
	if (s->migrate_after && s->migrate_asks && c->live)
		compiler_label(compiler_add(c, PLAN_GATE, PLAN_NONE, 0), STRATEGY_AFTER);
	struct plan_step *mark = compiler_add(c, PLAN_MARK, PLAN_CANDIDATE, s->ready_deadline_ms);
	compiler_label(mark, "live");
	if (c->removes_last || s->migrate_after)
		compiler_shrink_live(c, none);
	if (s->migrate_after)
		compiler_hook(c, STRATEGY_AFTER, s->migrate_deadline_ms, false);
}

/* Nobody is asked where nothing changes: then the gate opens by itself. */
static void compile_infrastructure(struct compiler *c)
{
	uint64_t deadline_ms = c->settings->infrastructure_deadline_ms;

	compiler_hook(c, STRATEGY_INFRA_PLAN, deadline_ms, true);
	compiler_label(compiler_add(c, PLAN_GATE, PLAN_NONE, 0), STRATEGY_INFRA_GATE);
	compiler_hook(c, STRATEGY_INFRA_APPLY, deadline_ms, true);
}

int strategy_compile(const struct strategy_settings *settings, const struct environment_state *env,
		     const struct release_id *candidate, struct plan *ret_plan, struct error *err)
{
	int result = strategy_check(settings, err);
	struct compiler c = {.settings = settings, .plan = ret_plan};

	if (result < 0)
		return result;
	if (env->stable != SLOT_NONE && environment_find(env, candidate) == env->stable)
		return error_set(err, ERR_CONFLICT, "This release is live there already.");
	plan_init(ret_plan);
	fill_terms(ret_plan, settings);
	fill_releases(ret_plan, settings, env, candidate);
	fill_floor(ret_plan, settings);
	c.live = env->stable != SLOT_NONE;
	c.traffic = plan_has_traffic(ret_plan);
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		c.left[p] = ret_plan->releases[PLAN_LIVE].process[p].count;
	compiler_add(&c, PLAN_FETCH, PLAN_CANDIDATE, settings->fetch_deadline_ms);
	if (settings->infrastructure)
		compile_infrastructure(&c);
	if (settings->migrate_before)
		compiler_hook(&c, STRATEGY_BEFORE, settings->migrate_deadline_ms, true);
	remove_leftovers(&c);
	for (uint32_t i = 0; i < settings->move_count; i++)
		compile_move(&c, i);
	finish(&c);
	if (c.full)
		return error_set(err, ERR_LIMIT,
				 "The strategy comes to more than %d steps; use fewer shares.",
				 PLAN_STEPS_MAX);
	ASSERT(plan_valid(ret_plan));
	return ERR_OK;
}
