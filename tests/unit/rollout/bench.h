/* SPDX-License-Identifier: Apache-2.0
 *
 * bench - a rollout on a bench: helpers for tests that tell a story step by step.
 *
 * A bench has an environment in which release 1 is live with four ready instances of one process, and a
 * world that does at once what it is told: bench_look() observes exactly what the documents ask for, with
 * the differences that a test sets in `bench.world` before. */
#ifndef UNIT_ROLLOUT_BENCH_H
#define UNIT_ROLLOUT_BENCH_H

#include "../cmocka_all.h"

#include <string.h>

#include "rollout/rollout.h"
#include "strategy/strategy.h"

enum { FULL = 4 };

static const struct release_id release_1 = {{1}}, release_2 = {{2}}, release_3 = {{3}};

struct bench {
	struct strategy_settings settings;
	struct environment_state env;
	struct plan plan;
	struct rollout r;
	struct rollout_effects fx;
	enum rollout_change change;
	uint64_t serial;
	struct { /* of the slot's instances: how many the world lacks or adds */
		uint16_t unready, failed, undrained, lingering, wrong;
		bool silent; /* its documents are not applied */
		bool replacing;
		bool refused;
	} world[ENVIRONMENT_SETS_MAX];
	bool router_silent;
};

static struct bench b;

static void deliver(struct rollout_event event)
{
	bool holds = rollout_active(&b.r);
	if (holds || event.kind == EVENT_START || event.kind == EVENT_SUBMIT ||
	    (b.r.status == ROLLOUT_QUEUED && event.kind != EVENT_TICK))
		b.change = rollout_step(&b.plan, &b.env, &b.r, &event, &b.fx);
	else
		b.change = standing_step(&b.env, &event, &b.fx);
}

static uint32_t effects(enum rollout_effect_kind kind)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < b.fx.count; i++)
		count += b.fx.items[i].kind == kind;
	return count;
}

static struct observation observe(void)
{
	struct observation o = {.serial = ++b.serial, .attempt = b.r.attempt};

	if (!b.router_silent) {
		o.router.applied = b.env.router.version;
		memcpy(o.router.served_bp, b.env.router.weight_bp, sizeof o.router.served_bp);
		o.router.mirror_bp = b.env.router.mirror_bp;
		o.router.mirror = b.env.router.mirror;
		o.router.preview = b.env.router.preview;
		o.router.park = b.env.router.park;
		o.router.access = b.env.router.access;
	}
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++) {
		const struct set_document *document = &b.env.sets[i].document;
		struct set_observation *look = &o.sets[i];
		look->release = document->release;
		look->refused = b.world[i].refused;
		look->replacing = b.world[i].replacing;
		if (b.world[i].silent || document->version.n == 0)
			continue;
		look->applied = document->version;
		look->wrong = b.world[i].wrong;
		for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
			uint16_t count = document->count[p];
			uint16_t unready = b.world[i].unready < count ? b.world[i].unready : count;
			look->ready[p] = look->settled[p] = (uint16_t)(count - unready);
			look->exist[p] = count;
		}
		look->failed[0] = b.world[i].failed;
		look->undrained[0] = b.world[i].undrained;
		look->exist[0] = (uint16_t)(look->exist[0] + b.world[i].lingering);
	}
	return o;
}

static void look(void)
{
	deliver((struct rollout_event){.kind = EVENT_OBSERVATION, .observation = observe()});
}

static void pass_time(uint64_t ms)
{
	for (; ms > ROLLOUT_TICK_MAX_MS; ms -= ROLLOUT_TICK_MAX_MS)
		deliver((struct rollout_event){.kind = EVENT_TICK,
					       .elapsed_ms = ROLLOUT_TICK_MAX_MS});
	deliver((struct rollout_event){.kind = EVENT_TICK, .elapsed_ms = ms});
}

static struct rollout_seen seen(void)
{
	return (struct rollout_seen){b.r.status, b.r.cursor, b.r.attempt};
}

static void command(enum rollout_event_kind kind)
{
	deliver((struct rollout_event){.kind = kind, .seen = seen()});
}

static void verdict(enum verdict v)
{
	deliver((struct rollout_event){
		.kind = EVENT_EVIDENCE, .step = b.r.cursor, .attempt = b.r.attempt, .verdict = v});
}

static enum plan_op op(void)
{
	assert_true(b.r.cursor < b.plan.step_count);
	return b.plan.steps[b.r.cursor].op;
}

static uint32_t share(const struct release_id *release)
{
	uint8_t slot = environment_find(&b.env, release);
	return slot == SLOT_NONE ? 0 : b.env.router.weight_bp[slot];
}

/* Let everything go well until the cursor stands at `wanted` (with a share of `bp`), or fail. */
static void walk_to(enum plan_op wanted)
{
	for (uint32_t i = 0; i < 100 && b.r.status == ROLLOUT_RUNNING; i++) {
		if (op() == wanted)
			return;
		if (op() == PLAN_FETCH)
			deliver((struct rollout_event){
				.kind = EVENT_FETCHED, .release = b.r.release, .ok = true});
		if (op() == PLAN_HOLD) {
			pass_time(b.plan.steps[b.r.cursor].for_ms);
			verdict(VERDICT_PASS);
		}
		look();
	}
	fail_msg("the rollout does not come to %s", plan_op_name(wanted));
}

static void walk_to_end(void)
{
	for (uint32_t i = 0; i < 200 && rollout_active(&b.r); i++) {
		if (b.r.status == ROLLOUT_RUNNING && op() == PLAN_FETCH)
			deliver((struct rollout_event){
				.kind = EVENT_FETCHED, .release = b.r.release, .ok = true});
		else if (b.r.status == ROLLOUT_RUNNING && op() == PLAN_HOLD) {
			pass_time(b.plan.steps[b.r.cursor].for_ms);
			verdict(VERDICT_PASS);
		}
		look();
	}
	assert_true(rollout_terminal(&b.r));
}

static void bench_live(void)
{
	struct environment_set *set = &b.env.sets[0];

	set->document.release = release_1;
	set->document.count[0] = FULL;
	set->document.standing = true;
	set->document.version = (struct version){1, b.env.next_n++};
	set->process[0] = (struct process_shape){.count = FULL, .traffic = true};
	set->seen.applied = true;
	set->seen.ready[0] = FULL;
	b.env.stable = 0;
	b.env.router.weight_bp[0] = 10000;
	b.env.router.version = (struct version){1, b.env.next_n++};
}

static int bench_set_up(void **state)
{
	(void)state;
	memset(&b, 0, sizeof b);
	environment_init(&b.env);
	b.env.epoch = 1;
	strategy_settings_init(&b.settings);
	b.settings.process[0].count = FULL;
	strategy_default(&b.settings, STRATEGY_CANARY);
	bench_live();
	return 0;
}

static void submit(const struct release_id *release)
{
	rollout_init(&b.r);
	deliver((struct rollout_event){
		.kind = EVENT_SUBMIT, .number = 7 + b.serial, .release = *release});
}

static void begin(const struct release_id *release)
{
	struct error err;
	submit(release);
	assert_int_equal(strategy_compile(&b.settings, &b.env, release, &b.plan, &err), ERR_OK);
	deliver((struct rollout_event){.kind = EVENT_START});
}

static void begin_rollback(const struct release_id *release)
{
	struct error err;
	submit(release);
	assert_int_equal(strategy_compile_rollback(&b.settings, &b.env, release, &b.plan, &err),
			 ERR_OK);
	deliver((struct rollout_event){.kind = EVENT_START});
}

#define ASSERT_STATUS(expected, why)                                                            \
	do {                                                                                    \
		assert_string_equal(rollout_status_name(b.r.status),                            \
				    rollout_status_name(expected));                             \
		assert_string_equal(rollout_reason_name(b.r.reason), rollout_reason_name(why)); \
	} while (0)

#endif
