/* SPDX-License-Identifier: Apache-2.0
 * test_strategy - what each strategy compiles to, as people read it; and what is refused. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "strategy/strategy.h"

static struct strategy_settings settings;
static struct environment_state env;
static struct plan plan;
static struct error err;
static const struct release_id release_1 = {{1}}, release_2 = {{2}}, release_3 = {{3}};

enum { WEB = 0, WORKER = 1 };

static void live(uint8_t slot, const struct release_id *id)
{
	struct environment_set *set = &env.sets[slot];
	set->document.release = *id;
	set->document.version = (struct version){1, env.next_n++};
	memcpy(set->process, settings.process, sizeof set->process);
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		set->document.count[p] = set->seen.ready[p] = set->process[p].count;
}

static int set_up(void **state)
{
	(void)state;
	environment_init(&env);
	env.epoch = 1;
	strategy_settings_init(&settings);
	settings.process[WEB].count = 4;
	live(0, &release_1);
	env.stable = 0;
	env.router.weight_bp[0] = 10000;
	env.router.version = (struct version){1, env.next_n++};
	return 0;
}

/* Compare with `expected`, one step a line; print what there is where it differs. */
static void assert_steps(const char *expected)
{
	static const char *const names[PROCESSES_MAX] = {"web", "worker"};
	static char text[PLAN_STEPS_MAX * PLAN_STEP_TEXT_MAX];
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < plan.step_count; i++) {
		char line[PLAN_STEP_TEXT_MAX];
		plan_step_describe(&plan, i, names, line, sizeof line);
		used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", line);
	}
	assert_string_equal(text, expected);
}

static void compile(void)
{
	int result = strategy_compile(&settings, &env, &release_2, &plan, &err);
	if (result < 0)
		fail_msg("%s", err.text);
	assert_true(plan_valid(&plan));
}

static void blue_green_stands_beside_is_checked_and_switches(void **state)
{
	(void)state;
	settings.checks = true;
	strategy_default(&settings, STRATEGY_BLUE_GREEN);
	compile();
	assert_steps("fetch  candidate\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  live 100%\n"
		     "hold   at least 0s, at most 5m, checks on the preview address\n"
		     "route  candidate 99%, live 1%\n"
		     "hold   at least 5m, at most 20m, 50 requests, against the live release\n"
		     "route  candidate 100%\n"
		     "mark   candidate\n");
	assert_int_equal(plan.steps[3].preview, PLAN_CANDIDATE);
	assert_int_equal(plan.steps[7].preview, PLAN_NONE);
}

static void canary_raises_share_and_instances_and_holds_each(void **state)
{
	(void)state;
	strategy_default(&settings, STRATEGY_CANARY);
	compile();
	assert_steps("fetch  candidate\n"
		     "start  candidate web 1 of 4\n"
		     "ready  candidate web 1 of 4\n"
		     "route  candidate 1%, live 99%\n"
		     "hold   at least 2m, at most 15m, 50 requests, against the live release\n"
		     "route  candidate 10%, live 90%\n"
		     "hold   at least 2m, at most 15m, 50 requests, against the live release\n"
		     "start  candidate web 2 of 4\n"
		     "ready  candidate web 2 of 4\n"
		     "route  candidate 50%, live 50%\n"
		     "hold   at least 2m, at most 15m, 50 requests, against the live release\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 99%, live 1%\n"
		     "hold   at least 5m, at most 20m, 50 requests, against the live release\n"
		     "route  candidate 100%\n"
		     "mark   candidate\n");
}

static void rolling_with_surge_starts_before_it_stops(void **state)
{
	(void)state;
	strategy_default(&settings, STRATEGY_ROLLING);
	settings.moves[1].batch_bp = 5000;
	settings.move_count = 2;
	compile();
	assert_steps("fetch  candidate\n"
		     "start  candidate web 2 of 4\n"
		     "ready  candidate web 2 of 4\n"
		     "route  candidate 50%, live 50%\n"
		     "hold   at least 10s, at most 15m, 50 requests, against the live release\n"
		     "drain  live web 2 of 4\n"
		     "stop   live web 2 of 4\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "hold   at least 10s, at most 15m, 50 requests, against the live release\n"
		     "mark   candidate\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n");
	assert_int_equal(plan.floor[WEB], 4);
}

static void rolling_without_surge_never_has_more_than_it_had(void **state)
{
	(void)state;
	strategy_default(&settings, STRATEGY_ROLLING);
	settings.moves[1].batch_bp = 5000;
	settings.moves[1].surge = false;
	settings.move_count = 2;
	settings.analysis = false;
	compile();
	assert_steps("fetch  candidate\n"
		     "drain  live web 2 of 4\n"
		     "stop   live web 2 of 4\n"
		     "start  candidate web 2 of 4\n"
		     "ready  candidate web 2 of 4\n"
		     "route  candidate 50%, live 50%\n"
		     "hold   at least 10s\n"
		     "route  candidate 100%\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "hold   at least 10s\n"
		     "mark   candidate\n");
	assert_int_equal(plan.floor[WEB], 2);
}

static void recreate_fetches_first_and_lets_requests_wait(void **state)
{
	(void)state;
	strategy_default(&settings, STRATEGY_RECREATE);
	compile();
	assert_steps("fetch  candidate\n"
		     "route  live 100%, requests wait\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "hold   at least 5m, at most 20m, 50 requests, against the live release\n"
		     "mark   candidate\n");
}

static void shadow_only_reports_if_told_so(void **state)
{
	(void)state;
	strategy_default(&settings, STRATEGY_SHADOW);
	settings.move_count = 2;
	settings.report_only = true;
	compile();
	assert_steps("fetch  candidate\n"
		     "start  candidate web 1 of 4\n"
		     "ready  candidate web 1 of 4\n"
		     "route  live 100%, copy 10% to candidate\n"
		     "hold   at least 2m, at most 15m, 50 requests, answers to copied requests\n"
		     "route  live 100%\n"
		     "drain  candidate web 0 of 4\n"
		     "stop   candidate web 0 of 4\n");
}

static void shadow_is_a_prefix_of_what_follows(void **state)
{
	(void)state;
	strategy_default(&settings, STRATEGY_SHADOW);
	compile();
	assert_int_equal(plan.steps[3].mirror_bp, 1000);
	assert_int_equal(plan.steps[5].mirror, PLAN_NONE);
	assert_int_equal(plan.steps[6].weight_bp[PLAN_CANDIDATE], 100);
	assert_int_equal(plan.steps[plan.step_count - 1].op, PLAN_MARK);
}

static void a_mix_is_any_sequence(void **state)
{
	(void)state;
	settings.checks = true;
	settings.analysis = false;
	settings.move_count = 4;
	settings.moves[0] = strategy_move_default(STRATEGY_MOVE_CHECK);
	settings.moves[1] = strategy_move_default(STRATEGY_MOVE_CANARY);
	settings.moves[1].share_count = 1;
	settings.moves[1].share_bp[0] = 2500;
	settings.moves[2] = strategy_move_default(STRATEGY_MOVE_SWITCH);
	settings.moves[3] = strategy_move_default(STRATEGY_MOVE_BAKE);
	compile();
	assert_steps("fetch  candidate\n"
		     "start  candidate web 1 of 4\n"
		     "ready  candidate web 1 of 4\n"
		     "route  live 100%\n"
		     "hold   at least 0s, at most 5m, checks on the preview address\n"
		     "route  candidate 25%, live 75%\n"
		     "hold   at least 2m\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "hold   at least 5m\n"
		     "mark   candidate\n");
}

static void workers_that_stop_first_move_whole_and_late(void **state)
{
	(void)state;
	settings.process[WORKER] =
		(struct process_shape){.count = 1, .handover = HANDOVER_STOP_FIRST};
	live(0, &release_1);
	strategy_default(&settings, STRATEGY_BLUE_GREEN);
	settings.move_count = 2;
	compile();
	assert_steps("fetch  candidate\n"
		     "start  candidate web 4 of 4, worker 0 of 1\n"
		     "ready  candidate web 4 of 4, worker 0 of 1\n"
		     "drain  live web 4 of 4, worker 0 of 1\n"
		     "stop   live web 4 of 4, worker 0 of 1\n"
		     "start  candidate web 4 of 4, worker 1 of 1\n"
		     "ready  candidate web 4 of 4, worker 1 of 1\n"
		     "route  candidate 100%\n"
		     "mark   candidate\n");
}

static void an_application_without_requests_has_no_routes(void **state)
{
	(void)state;
	settings.process[WEB].traffic = false;
	live(0, &release_1);
	strategy_default(&settings, STRATEGY_CANARY);
	settings.move_count = 3;
	settings.moves[1].share_count = 1;
	settings.moves[1].share_bp[0] = 5000;
	compile();
	assert_steps("fetch  candidate\n"
		     "start  candidate web 2 of 4\n"
		     "ready  candidate web 2 of 4\n"
		     "hold   at least 2m, at most 15m, 50 requests, against the live release\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "mark   candidate\n");
}

static void the_first_release_needs_no_detours(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < STRATEGY_KIND_COUNT; kind++) {
		environment_init(&env);
		strategy_default(&settings, (enum strategy_kind)kind);
		settings.moves[settings.move_count - 1].at_least_ms = 0;
		settings.analysis = false;
		if (kind == STRATEGY_ROLLING)
			settings.moves[1].at_least_ms = 0;
		compile();
		assert_string_equal(plan_op_name(plan.steps[1].op), "start");
		assert_int_equal(plan.steps[1].count[WEB], 4);
		assert_int_equal(plan.steps[3].weight_bp[PLAN_CANDIDATE], 10000);
		assert_int_equal(plan.steps[plan.step_count - 1].op, PLAN_MARK);
	}
}

static void a_migration_stands_around_all_of_it(void **state)
{
	(void)state;
	settings.migrate_before = settings.migrate_after = settings.migrate_asks = true;
	strategy_default(&settings, STRATEGY_BLUE_GREEN);
	settings.analysis = false;
	compile();
	assert_steps("fetch  candidate\n"
		     "hook   run migrate.before\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "hold   at least 5m\n"
		     "gate   wait for an approval\n"
		     "mark   candidate\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n"
		     "hook   run migrate.after\n");
	assert_int_equal(plan.keep_warm_ms, 0);
	environment_init(&env); /* nobody to go back to: nothing to ask */
	compile();
	for (uint32_t i = 0; i < plan.step_count; i++)
		assert_int_not_equal(plan.steps[i].op, PLAN_GATE);
	assert_int_equal(plan.steps[plan.step_count - 1].op, PLAN_HOOK);
}

static void commands_stand_around_each_step(void **state)
{
	(void)state;
	settings.before_step = settings.after_step = true;
	settings.step_deadline_ms = 7000;
	strategy_default(&settings, STRATEGY_CANARY);
	settings.moves[1].share_count = 2;
	settings.analysis = false;
	compile();
	assert_steps("fetch  candidate\n"
		     "hook   run before_step: 1%\n"
		     "start  candidate web 1 of 4\n"
		     "ready  candidate web 1 of 4\n"
		     "route  candidate 1%, live 99%\n"
		     "hold   at least 2m\n"
		     "hook   run after_step: 1%\n"
		     "hook   run before_step: 10%\n"
		     "route  candidate 10%, live 90%\n"
		     "hold   at least 2m\n"
		     "hook   run after_step: 10%\n"
		     "hook   run before_step: switch\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "hook   run after_step: switch\n"
		     "hook   run before_step: bake\n"
		     "hold   at least 5m\n"
		     "hook   run after_step: bake\n"
		     "mark   candidate\n");
	assert_true(plan.steps[1].exposes);
	assert_false(plan.steps[6].exposes);
	assert_int_equal(plan.steps[1].deadline_ms, 7000);

	/* The checks that are not there are no step; the last hundredth of the requests is one. */
	settings.after_step = false;
	settings.analysis = settings.checks = true;
	strategy_default(&settings, STRATEGY_BLUE_GREEN);
	compile();
	assert_steps("fetch  candidate\n"
		     "hook   run before_step: check\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  live 100%\n"
		     "hold   at least 0s, at most 5m, checks on the preview address\n"
		     "hook   run before_step: switch\n"
		     "route  candidate 99%, live 1%\n"
		     "hook   run before_step: bake\n"
		     "hold   at least 5m, at most 20m, 50 requests, against the live release\n"
		     "hook   run before_step: 100%\n"
		     "route  candidate 100%\n"
		     "mark   candidate\n");
}

static void infrastructure_comes_before_all_but_the_files(void **state)
{
	(void)state;
	settings.infrastructure = settings.migrate_before = settings.before_step = true;
	settings.infrastructure_deadline_ms = 9000;
	settings.analysis = false;
	strategy_default(&settings, STRATEGY_BLUE_GREEN);
	settings.move_count = 2;
	compile();
	assert_steps("fetch  candidate\n"
		     "hook   run infrastructure.plan\n"
		     "gate   wait for an approval\n"
		     "hook   run infrastructure.apply\n"
		     "hook   run migrate.before\n"
		     "hook   run before_step: switch\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "mark   candidate\n");
	assert_int_equal(plan.steps[1].deadline_ms, 9000);
	assert_true(plan.steps[3].exposes);
}

/* While requests wait for recreate nobody waits for a command. */
static void commands_stand_outside_of_what_holds_requests(void **state)
{
	(void)state;
	settings.before_step = settings.after_step = true;
	settings.analysis = false;
	strategy_default(&settings, STRATEGY_RECREATE);
	settings.move_count = 1;
	compile();
	assert_steps("fetch  candidate\n"
		     "hook   run before_step: recreate\n"
		     "route  live 100%, requests wait\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "hook   run after_step: recreate\n"
		     "mark   candidate\n");
}

static void no_command_is_in_a_way_back(void **state)
{
	(void)state;
	settings.before_step = settings.after_step = true;
	settings.migrate_before = settings.migrate_after = settings.infrastructure = true;
	assert_int_equal(strategy_compile_rollback(&settings, &env, &release_2, &plan, &err), 0);
	for (uint32_t i = 0; i < plan.step_count; i++)
		assert_int_not_equal(plan.steps[i].op, PLAN_HOOK);
}

static void a_third_release_leaves_first(void **state)
{
	(void)state;
	live(2, &release_3);
	env.warm = 2;
	strategy_default(&settings, STRATEGY_CANARY);
	compile();
	assert_int_equal(plan.steps[1].op, PLAN_DRAIN);
	assert_int_equal(plan.steps[2].op, PLAN_STOP);
	assert_memory_equal(&plan.releases[plan.steps[1].release].id, &release_3, sizeof release_3);
}

static void a_warm_candidate_is_used_not_removed(void **state)
{
	(void)state;
	live(2, &release_2);
	env.warm = 2;
	strategy_default(&settings, STRATEGY_CANARY);
	compile();
	assert_int_equal(plan.steps[1].op, PLAN_START);
}

static void a_rollback_to_ready_instances_is_a_route_first(void **state)
{
	(void)state;
	live(2, &release_3);
	env.warm = 2;
	assert_int_equal(strategy_compile_rollback(&settings, &env, &release_3, &plan, &err), 0);
	assert_steps("route  candidate 100%\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "mark   candidate\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n");
	assert_true(plan.urgent);
}

static void a_rollback_to_a_cold_release_starts_it_first(void **state)
{
	(void)state;
	assert_int_equal(strategy_compile_rollback(&settings, &env, &release_3, &plan, &err), 0);
	assert_steps("fetch  candidate\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "mark   candidate\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n");
}

static void a_rollback_of_a_recreated_release_does_not_overlap(void **state)
{
	(void)state;
	settings.process[WEB].handover = HANDOVER_STOP_FIRST;
	live(0, &release_1);
	assert_int_equal(strategy_compile_rollback(&settings, &env, &release_3, &plan, &err), 0);
	assert_steps("fetch  candidate\n"
		     "route  candidate 100%, requests wait\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n"
		     "start  candidate web 4 of 4\n"
		     "ready  candidate web 4 of 4\n"
		     "route  candidate 100%\n"
		     "mark   candidate\n"
		     "drain  live web 0 of 4\n"
		     "stop   live web 0 of 4\n");
}

static void refused(int code, const char *with)
{
	assert_int_equal(strategy_check(&settings, &err), code);
	if (strstr(err.text, with) == NULL)
		fail_msg("\"%s\" does not speak of \"%s\"", err.text, with);
}

static void what_contradicts_itself_is_refused_with_a_sentence(void **state)
{
	(void)state;
	strategy_default(&settings, STRATEGY_CANARY);
	settings.moves[1].share_bp[1] = 50;
	refused(ERR_INVALID, "rise");
	strategy_default(&settings, STRATEGY_CANARY);
	settings.moves[1].at_most_ms = 1;
	refused(ERR_INVALID, "at_most");
	strategy_default(&settings, STRATEGY_ROLLING);
	settings.moves[1].batch_bp = 999;
	refused(ERR_INVALID, "10%");
	strategy_default(&settings, STRATEGY_BLUE_GREEN);
	settings.moves[2] = strategy_move_default(STRATEGY_MOVE_CANARY);
	refused(ERR_INVALID, "\"bake\"");
	strategy_default(&settings, STRATEGY_CANARY);
	settings.moves[2] = strategy_move_default(STRATEGY_MOVE_ROLLING);
	refused(ERR_INVALID, "switch");
	strategy_default(&settings, STRATEGY_CANARY);
	settings.report_only = true;
	refused(ERR_INVALID, "reports");
	settings.report_only = false;
	settings.process[WEB].handover = HANDOVER_STOP_FIRST;
	refused(ERR_INVALID, "recreate");
	settings.process[WEB] = (struct process_shape){.count = PROCESS_INSTANCES_MAX + 1};
	refused(ERR_LIMIT, "64");
	settings.process[WEB].count = 0;
	refused(ERR_INVALID, "process");
	settings.move_count = 0;
	refused(ERR_INVALID, "steps");
}

static void a_plan_that_would_be_too_long_is_refused(void **state)
{
	(void)state;
	settings.process[WEB].count = 64;
	live(0, &release_1);
	settings.move_count = 0;
	for (uint32_t i = 0; i < 2; i++) {
		struct strategy_move move = strategy_move_default(STRATEGY_MOVE_CANARY);
		move.share_count = STRATEGY_SHARES_MAX;
		for (uint32_t k = 0; k < STRATEGY_SHARES_MAX; k++)
			move.share_bp[k] = 300 * (k + 1) + i * 4900;
		settings.moves[settings.move_count++] = move;
	}
	assert_int_equal(strategy_compile(&settings, &env, &release_2, &plan, &err), ERR_LIMIT);
}

static void the_longest_rolling_update_still_fits(void **state)
{
	(void)state;
	settings.process[WEB].count = 64;
	settings.process[WORKER] =
		(struct process_shape){.count = 64, .handover = HANDOVER_STOP_FIRST};
	live(0, &release_1);
	strategy_default(&settings, STRATEGY_ROLLING);
	settings.moves[1].batch_bp = 1000;
	settings.checks = true;
	settings.before_step = settings.after_step = true;
	settings.migrate_before = settings.migrate_after = settings.infrastructure = true;
	compile();
	assert_true(plan.step_count <= PLAN_STEPS_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blue_green_stands_beside_is_checked_and_switches),
		TEST(canary_raises_share_and_instances_and_holds_each),
		TEST(rolling_with_surge_starts_before_it_stops),
		TEST(rolling_without_surge_never_has_more_than_it_had),
		TEST(recreate_fetches_first_and_lets_requests_wait),
		TEST(shadow_only_reports_if_told_so),
		TEST(shadow_is_a_prefix_of_what_follows),
		TEST(a_mix_is_any_sequence),
		TEST(workers_that_stop_first_move_whole_and_late),
		TEST(an_application_without_requests_has_no_routes),
		TEST(the_first_release_needs_no_detours),
		TEST(a_migration_stands_around_all_of_it),
		TEST(commands_stand_around_each_step),
		TEST(infrastructure_comes_before_all_but_the_files),
		TEST(commands_stand_outside_of_what_holds_requests),
		TEST(no_command_is_in_a_way_back),
		TEST(a_third_release_leaves_first),
		TEST(a_warm_candidate_is_used_not_removed),
		TEST(a_rollback_to_ready_instances_is_a_route_first),
		TEST(a_rollback_to_a_cold_release_starts_it_first),
		TEST(a_rollback_of_a_recreated_release_does_not_overlap),
		TEST(what_contradicts_itself_is_refused_with_a_sentence),
		TEST(a_plan_that_would_be_too_long_is_refused),
		TEST(the_longest_rolling_update_still_fits),
	};
	return cmocka_run_group_tests_name("strategy/strategy", tests, NULL, NULL);
}
