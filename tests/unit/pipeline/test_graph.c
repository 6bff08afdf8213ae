/* SPDX-License-Identifier: Apache-2.0
 * test_graph - which stage starts when: the rules one by one, then random graphs against an oracle that knows only
 * what must hold, not how it is done. */
#include "../cmocka_all.h"

#include <string.h>

#include "pipeline/graph.h"

enum { A, B, C, D, ROUNDS = 20000, STEPS_MAX = 4000 };

static struct graph_plan plan;
static struct graph graph;
static struct graph_effects effects;

static int set_up(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof plan);
	plan.count = 3;
	plan.parallel = 8;
	return 0;
}

static void begin(void)
{
	graph_begin(&plan, &graph, &effects);
}

static void step(struct graph_event event)
{
	graph_step(&plan, &graph, &event, &effects);
}

static void end(uint8_t stage, enum graph_result result)
{
	step((struct graph_event){.kind = GRAPH_ENDED,
				  .stage = stage,
				  .attempt = graph.stages[stage].attempt,
				  .result = result});
}

static void tick(uint64_t ms)
{
	step((struct graph_event){.kind = GRAPH_TICK, .ms = ms});
}

static bool told(enum graph_effect_kind kind, uint8_t stage)
{
	for (uint32_t i = 0; i < effects.count; i++)
		if (effects.items[i].kind == kind && effects.items[i].stage == stage)
			return true;
	return false;
}

static void a_stage_starts_when_all_it_needs_have_passed(void **state)
{
	(void)state;
	plan.stages[C].needs = 1u << A | 1u << B;
	begin();
	assert_int_equal(effects.count, 2);
	end(A, GRAPH_RESULT_PASSED);
	assert_int_equal(effects.count, 0);
	end(B, GRAPH_RESULT_PASSED);
	assert_true(told(GRAPH_START, C));
	end(C, GRAPH_RESULT_PASSED);
	assert_true(told(GRAPH_DONE, 0));
	assert_int_equal(graph_outcome(&graph), GRAPH_PASSED);
}

static void no_more_run_at_once_than_may(void **state)
{
	(void)state;
	plan.parallel = 2;
	begin();
	assert_int_equal(effects.count, 2);
	end(B, GRAPH_RESULT_PASSED);
	assert_int_equal(effects.count, 1);
	assert_true(told(GRAPH_START, C));
}

static void after_a_failure_nothing_starts_and_what_runs_goes_on(void **state)
{
	(void)state;
	plan.stages[C].needs = 1u << B;
	begin();
	end(A, GRAPH_RESULT_FAILED);
	assert_int_equal(effects.count, 0);
	assert_int_equal(graph.stages[C].state, GRAPH_SKIPPED);
	assert_int_equal(graph.stages[C].blame, A);
	assert_int_equal(graph.stages[B].state, GRAPH_RUNNING);
	end(B, GRAPH_RESULT_PASSED);
	assert_true(told(GRAPH_DONE, 0));
	assert_int_equal(graph_outcome(&graph), GRAPH_FAILED);
}

static void a_failure_is_tried_again_as_often_as_was_said(void **state)
{
	(void)state;
	plan.count = 1;
	plan.stages[A].retry = 2;
	begin();
	end(A, GRAPH_RESULT_FAILED);
	assert_true(told(GRAPH_START, A));
	end(A, GRAPH_RESULT_FAILED);
	assert_int_equal(effects.items[0].attempt, 3);
	end(A, GRAPH_RESULT_FAILED);
	assert_true(told(GRAPH_DONE, 0));
	assert_int_equal(graph.stages[A].state, GRAPH_FAILED);
}

static void what_no_try_can_mend_is_not_tried_again(void **state)
{
	(void)state;
	plan.stages[A].retry = 5;
	begin();
	end(A, GRAPH_RESULT_BROKEN);
	assert_int_equal(graph.stages[A].state, GRAPH_FAILED);
}

static void time_runs_out_once_and_the_end_comes_later(void **state)
{
	(void)state;
	plan.count = 1;
	plan.stages[A].timeout_ms = 1000;
	begin();
	assert_int_equal(graph_next_ms(&plan, &graph), 1000);
	tick(999);
	assert_int_equal(effects.count, 0);
	assert_int_equal(graph_next_ms(&plan, &graph), 1);
	tick(1);
	assert_true(told(GRAPH_STOP, A));
	assert_int_equal(effects.items[0].why, GRAPH_STOP_TIMEOUT);
	tick(1000);
	assert_int_equal(effects.count, 0);
	assert_true(graph_next_ms(&plan, &graph) == UINT64_MAX);
	/* It handled the signal and left with 0: that does not make it a pass. */
	end(A, GRAPH_RESULT_PASSED);
	assert_int_equal(graph.stages[A].state, GRAPH_FAILED);
}

static void an_answer_for_another_attempt_changes_nothing(void **state)
{
	(void)state;
	plan.count = 1;
	plan.stages[A].retry = 1;
	begin();
	end(A, GRAPH_RESULT_FAILED);
	step((struct graph_event){
		.kind = GRAPH_ENDED, .stage = A, .attempt = 1, .result = GRAPH_RESULT_PASSED});
	assert_int_equal(graph.stages[A].state, GRAPH_RUNNING);
	assert_int_equal(graph.stages[A].attempt, 2);
}

static void what_is_left_out_counts_as_passed(void **state)
{
	(void)state;
	plan.stages[A].left_out = true;
	plan.stages[B].needs = 1u << A;
	plan.stages[C].needs = 1u << B;
	begin();
	assert_int_equal(graph.stages[A].state, GRAPH_SKIPPED);
	assert_true(told(GRAPH_START, B));
}

static void what_was_taken_over_has_passed_and_does_not_start(void **state)
{
	(void)state;
	plan.stages[A].taken = 2;
	plan.stages[B].taken = 1;
	plan.stages[B].left_out = true;
	plan.stages[C].needs = 1u << A | 1u << B;
	begin();
	assert_false(told(GRAPH_START, A));
	assert_false(told(GRAPH_START, B));
	assert_true(told(GRAPH_START, C));
	assert_int_equal(graph.stages[A].state, GRAPH_PASSED);
	assert_int_equal(graph.stages[A].attempt, 2);
	assert_int_equal(graph.stages[B].state,
			 GRAPH_SKIPPED); /* that it is left out counts more */
	end(A, GRAPH_RESULT_FAILED);     /* nobody may say so */
	assert_int_equal(graph.stages[A].state, GRAPH_PASSED);
	end(C, GRAPH_RESULT_PASSED);
	assert_int_equal(graph_outcome(&graph), GRAPH_PASSED);
}

static void a_run_of_nothing_is_done(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		plan.stages[i].left_out = true;
	begin();
	assert_true(told(GRAPH_DONE, 0));
	assert_int_equal(graph_outcome(&graph), GRAPH_PASSED);
}

static void finally_runs_last_also_after_a_failure(void **state)
{
	(void)state;
	plan.stages[A].finally = true;
	plan.stages[C].needs = 1u << B;
	begin();
	assert_false(told(GRAPH_START, A));
	end(B, GRAPH_RESULT_FAILED);
	assert_true(told(GRAPH_START, A));
	end(A, GRAPH_RESULT_PASSED);
	assert_true(told(GRAPH_DONE, 0));
	assert_int_equal(graph_outcome(&graph), GRAPH_FAILED);
}

static void finally_with_needs_waits_for_those_alone(void **state)
{
	(void)state;
	plan.stages[C].finally = true;
	plan.stages[C].needs = 1u << A;
	begin();
	end(A, GRAPH_RESULT_FAILED);
	assert_true(told(GRAPH_START, C));
	assert_int_equal(graph.stages[B].state, GRAPH_RUNNING);
}

static void a_finally_that_fails_fails_the_run(void **state)
{
	(void)state;
	plan.count = 2;
	plan.stages[B].finally = true;
	begin();
	end(A, GRAPH_RESULT_PASSED);
	end(B, GRAPH_RESULT_FAILED);
	assert_int_equal(graph_outcome(&graph), GRAPH_FAILED);
}

static void a_cancelled_run_stops_everything_and_starts_nothing(void **state)
{
	(void)state;
	plan.stages[A].retry = 3;
	plan.stages[B].needs = 1u << A;
	plan.stages[C].finally = true;
	begin();
	step((struct graph_event){.kind = GRAPH_CANCEL});
	assert_true(told(GRAPH_STOP, A));
	assert_int_equal(effects.count, 1);
	step((struct graph_event){.kind = GRAPH_CANCEL});
	assert_int_equal(effects.count, 0);
	end(A, GRAPH_RESULT_FAILED);
	assert_int_equal(effects.count, 1);
	assert_true(told(GRAPH_DONE, 0));
	assert_int_equal(graph_outcome(&graph), GRAPH_CANCELLED);
	assert_int_equal(graph.stages[C].state, GRAPH_CANCELLED);
}

static void what_ran_at_a_restart_runs_again_and_loses_no_try(void **state)
{
	(void)state;
	plan.count = 2;
	plan.stages[A].retry = 0;
	begin();
	end(B, GRAPH_RESULT_PASSED);
	step((struct graph_event){.kind = GRAPH_BOOT});
	assert_int_equal(effects.count, 1);
	assert_int_equal(effects.items[0].attempt, 2);
	assert_int_equal(graph.stages[A].failures, 0);
	end(A, GRAPH_RESULT_PASSED);
	assert_int_equal(graph_outcome(&graph), GRAPH_PASSED);
}

static void the_closure_is_all_that_a_stage_needs(void **state)
{
	(void)state;
	plan.count = 4;
	plan.stages[B].needs = 1u << A;
	plan.stages[C].needs = 1u << B;
	assert_int_equal(graph_closure(&plan, C), 1u << A | 1u << B | 1u << C);
	assert_int_equal(graph_closure(&plan, D), 1u << D);
}

/* --- random graphs */

static uint64_t seed;

static uint32_t below(uint32_t bound)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % bound;
}

static void make_random_plan(void)
{
	memset(&plan, 0, sizeof plan);
	plan.count = 1 + below(GRAPH_STAGES_MAX);
	plan.parallel = 1 + below(5);
	for (uint32_t i = 0; i < plan.count; i++) {
		struct graph_plan_stage *s = &plan.stages[i];
		s->finally = below(8) == 0;
		s->left_out = below(10) == 0;
		s->retry = below(3);
		s->timeout_ms = below(3) ? 0 : 1 + below(2000);
		for (uint32_t k = 0; k < i; k++)
			if (below(4) == 0 && (!plan.stages[k].finally || s->finally))
				s->needs |= 1u << k;
	}
}

/* What the world knows: which attempts run. Fed by the effects alone. */
static uint32_t world[GRAPH_STAGES_MAX];
static bool over;

static void must_hold_at_start(const struct graph_effect *effect)
{
	const struct graph_plan_stage *about = &plan.stages[effect->stage];
	assert_false(graph.cancelled);
	assert_false(about->left_out);
	for (uint32_t i = 0; i < plan.count; i++) {
		const struct graph_stage *other = &graph.stages[i];
		if (!(about->needs & 1u << i))
			continue;
		if (about->finally)
			assert_true(other->state >= GRAPH_PASSED);
		else
			assert_true(other->state == GRAPH_PASSED || plan.stages[i].left_out);
	}
	/* A first attempt after a failure: only of what runs last. */
	if (effect->attempt == 1 && graph.failed != GRAPH_NOBODY)
		assert_true(about->finally);
}

static void take_effects(void)
{
	for (uint32_t i = 0; i < effects.count; i++) {
		const struct graph_effect *effect = &effects.items[i];
		assert_false(over);
		if (effect->kind == GRAPH_DONE) {
			over = true;
		} else if (effect->kind == GRAPH_START) {
			assert_true(effect->attempt > world[effect->stage]);
			must_hold_at_start(effect);
			world[effect->stage] = effect->attempt;
		}
	}
	uint32_t running = 0;
	for (uint32_t i = 0; i < plan.count; i++)
		running += graph.stages[i].state == GRAPH_RUNNING;
	assert_true(running <= plan.parallel);
	assert_int_equal(over, graph.done);
	if (over)
		assert_int_equal(running, 0);
}

static uint32_t one_that_runs(void)
{
	uint32_t from = below(plan.count);
	for (uint32_t i = 0; i < plan.count; i++)
		if (graph.stages[(from + i) % plan.count].state == GRAPH_RUNNING)
			return (from + i) % plan.count;
	fail_msg("seed %llu: nothing runs, and it is not over", (unsigned long long)seed);
	return 0;
}

static void must_hold_at_the_end(void)
{
	bool failed = false;
	for (uint32_t i = 0; i < plan.count; i++) {
		const struct graph_stage *s = &graph.stages[i];
		failed |= s->state == GRAPH_FAILED;
		assert_true(s->state >= GRAPH_PASSED);
		assert_true(s->failures <= plan.stages[i].retry + 1);
		if (s->state == GRAPH_PASSED || s->state == GRAPH_FAILED)
			assert_true(s->attempt >= 1);
		if (s->state == GRAPH_SKIPPED && !plan.stages[i].left_out)
			assert_int_equal(graph.stages[s->blame].state, GRAPH_FAILED);
		/* What runs last ran, unless the run was cancelled or it was left out. */
		if (plan.stages[i].finally && !graph.cancelled && !plan.stages[i].left_out)
			assert_true(s->attempt >= 1);
		if (!graph.cancelled)
			assert_true(s->state != GRAPH_CANCELLED);
	}
	if (!graph.cancelled)
		assert_int_equal(graph_outcome(&graph), failed ? GRAPH_FAILED : GRAPH_PASSED);
}

static void every_random_graph_ends_and_keeps_the_rules(void **state)
{
	(void)state;
	uint32_t outcomes[GRAPH_STATE_COUNT] = {0};
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		seed = round * 0x9E3779B97F4A7C15u;
		uint32_t failing = below(12), steps = 0;
		memset(world, 0, sizeof world);
		over = false;
		make_random_plan();
		begin();
		take_effects();
		while (!over && steps++ < STEPS_MAX) {
			uint32_t what = below(40);
			if (what < 8)
				tick(below(500));
			else if (what == 8 && below(20) == 0)
				step((struct graph_event){.kind = GRAPH_CANCEL});
			else if (what == 9 && below(4) == 0)
				step((struct graph_event){.kind = GRAPH_BOOT});
			else if (what == 10)
				step((struct graph_event){.kind = GRAPH_ENDED,
							  .stage = (uint8_t)below(plan.count),
							  .attempt = below(3)});
			else
				end((uint8_t)one_that_runs(), below(12) < failing / 4
								      ? GRAPH_RESULT_FAILED
								      : GRAPH_RESULT_PASSED);
			take_effects();
		}
		assert_true(over);
		must_hold_at_the_end();
		outcomes[graph_outcome(&graph)]++;
	}
	/* The rounds are worth something only when they end in every way. */
	assert_true(outcomes[GRAPH_PASSED] > ROUNDS / 20);
	assert_true(outcomes[GRAPH_FAILED] > ROUNDS / 20);
	assert_true(outcomes[GRAPH_CANCELLED] > ROUNDS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_stage_starts_when_all_it_needs_have_passed, set_up),
		cmocka_unit_test_setup(no_more_run_at_once_than_may, set_up),
		cmocka_unit_test_setup(after_a_failure_nothing_starts_and_what_runs_goes_on,
				       set_up),
		cmocka_unit_test_setup(a_failure_is_tried_again_as_often_as_was_said, set_up),
		cmocka_unit_test_setup(what_no_try_can_mend_is_not_tried_again, set_up),
		cmocka_unit_test_setup(time_runs_out_once_and_the_end_comes_later, set_up),
		cmocka_unit_test_setup(an_answer_for_another_attempt_changes_nothing, set_up),
		cmocka_unit_test_setup(what_is_left_out_counts_as_passed, set_up),
		cmocka_unit_test_setup(what_was_taken_over_has_passed_and_does_not_start, set_up),
		cmocka_unit_test_setup(a_run_of_nothing_is_done, set_up),
		cmocka_unit_test_setup(finally_runs_last_also_after_a_failure, set_up),
		cmocka_unit_test_setup(finally_with_needs_waits_for_those_alone, set_up),
		cmocka_unit_test_setup(a_finally_that_fails_fails_the_run, set_up),
		cmocka_unit_test_setup(a_cancelled_run_stops_everything_and_starts_nothing, set_up),
		cmocka_unit_test_setup(what_ran_at_a_restart_runs_again_and_loses_no_try, set_up),
		cmocka_unit_test_setup(the_closure_is_all_that_a_stage_needs, set_up),
		cmocka_unit_test_setup(every_random_graph_ends_and_keeps_the_rules, set_up),
	};
	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
