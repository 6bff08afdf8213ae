/* SPDX-License-Identifier: Apache-2.0
 * test_public_bugs - situations in which other deployment controllers failed in public. Each test is one
 * of their reports, told with davit's words; the report's number stands beside it. */
#include "bench.h"

/* argo-rollouts 3724 */
static void an_instance_that_dies_during_the_checks_stops_the_promotion(void **state)
{
	(void)state;
	b.settings.checks = true;
	strategy_default(&b.settings, STRATEGY_BLUE_GREEN);
	begin(&release_2);
	walk_to(PLAN_HOLD);
	verdict(VERDICT_PASS);
	b.world[1].unready = 1;
	look();
	look();
	assert_int_equal(op(), PLAN_HOLD);
	assert_int_equal(share(&release_2), 0);
	pass_time(b.settings.ready_deadline_ms);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_UNHEALTHY);
}

/* argo-rollouts 4728 */
static void a_newer_release_after_a_promote_meets_its_own_gates(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_PROMOTE);
	deliver((struct rollout_event){.kind = EVENT_NEWER, .supersede = true});
	walk_to_end();
	begin(&release_3);
	walk_to(PLAN_HOLD);
	assert_false(b.r.passed);
	look();
	assert_int_equal(op(), PLAN_HOLD);
	assert_int_equal(share(&release_3), 100);
}

/* argo-rollouts 3765 */
static void readiness_that_comes_and_goes_does_not_outwit_the_deadline(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_READY);
	for (uint64_t t = 0; t < b.settings.ready_deadline_ms; t += 1000) {
		struct observation o = observe();
		o.sets[1].ready[0] = (uint16_t)(t % 2000 == 0);
		o.sets[1].settled[0] = 0; /* never for min_ready_ms */
		deliver((struct rollout_event){.kind = EVENT_OBSERVATION, .observation = o});
		deliver((struct rollout_event){.kind = EVENT_TICK, .elapsed_ms = 1000});
	}
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_NEVER_READY);
}

/* argo-rollouts 4626, 4128 */
static void a_missing_artifact_ends_before_anything_moves(void **state)
{
	(void)state;
	begin(&release_2);
	b.router_silent = true;
	pass_time(b.settings.fetch_deadline_ms);
	ASSERT_STATUS(ROLLOUT_REJECTED, REASON_FETCH);
	assert_int_equal(share(&release_1), 10000);
}

/* argo-rollouts 4461 */
static void an_abort_right_after_a_promote_goes_back(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_PROMOTE);
	look();
	command(EVENT_ABORT);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_OPERATOR);
	assert_int_equal(share(&release_2), 0);
	walk_to_end();
	assert_int_equal(b.r.status, ROLLOUT_REVERTED);
}

/* argo-rollouts 3774 */
static void abort_retry_abort_drains_each_time(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		bool drained = false;
		begin(&release_2);
		walk_to(PLAN_HOLD);
		command(EVENT_ABORT);
		while (rollout_active(&b.r)) {
			drained = drained || op() == PLAN_DRAIN;
			if (op() == PLAN_STOP)
				assert_true(drained);
			look();
		}
		assert_int_equal(b.r.status, ROLLOUT_REVERTED);
		assert_true(drained);
	}
}

/* argo-rollouts 3617, 4390 */
static void a_third_release_at_thirty_percent_goes_back_to_the_live_one_first(void **state)
{
	(void)state;
	b.settings.moves[1].share_bp[0] = 3000;
	b.settings.moves[1].share_bp[1] = 4000;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	assert_int_equal(share(&release_2), 3000);
	deliver((struct rollout_event){.kind = EVENT_NEWER, .supersede = true});
	assert_int_equal(share(&release_1), 10000);
	assert_int_equal(b.env.sets[1].document.count[0],
			 2); /* not stopped before that is served */
	walk_to_end();
	begin(&release_3);
	assert_int_equal(b.fx.answer, ANSWER_OK);
}

/* argo-rollouts 3372, 3020 */
static void requests_return_to_a_shrunken_stable_only_as_it_grows(void **state)
{
	(void)state;
	strategy_default(&b.settings, STRATEGY_ROLLING);
	begin(&release_2);
	while (share(&release_2) < 7500)
		walk_to(PLAN_HOLD), verdict(VERDICT_PASS), pass_time(10000), look();
	while (op() != PLAN_HOLD)
		look();
	assert_true(b.env.sets[0].document.count[0] <= 2);
	b.world[0].unready = 0;
	command(EVENT_ABORT);
	assert_true(share(&release_1) <= 5000); /* what its ready instances can carry */
	while (op() != PLAN_READY)
		look();
	b.world[0].unready = 2;
	look();
	assert_int_equal(op(), PLAN_READY);
	assert_true(share(&release_1) <= 5000);
	b.world[0].unready = 0;
	look();
	assert_int_equal(share(&release_1), 10000);
}

/* argo-rollouts 1774, 995 */
static void a_fix_can_be_deployed_though_the_live_release_is_down(void **state)
{
	(void)state;
	b.world[0].unready = FULL;
	look();
	begin(&release_2);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
	assert_int_equal(share(&release_2), 10000);
}

/* argo-rollouts 1297 */
static void a_rollback_restores_the_size_that_release_had(void **state)
{
	(void)state;
	b.settings.process[0].count = 2; /* release 2 is configured smaller */
	begin(&release_2);
	walk_to_end();
	begin_rollback(&release_1);
	walk_to_end();
	assert_int_equal(b.env.sets[b.env.stable].document.count[0], FULL);
	assert_int_equal(b.env.sets[b.env.stable].process[0].count, FULL);
}

/* argo-rollouts 4973 */
static void nothing_revives_a_candidate_that_was_aborted(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_ABORT);
	walk_to_end();
	deliver((struct rollout_event){.kind = EVENT_BOOT, .epoch = 5});
	for (int i = 0; i < 5; i++) {
		pass_time(1000);
		look();
	}
	assert_int_equal(environment_find(&b.env, &release_2), SLOT_NONE);
}

/* argo-rollouts 1292, 2982 */
static void an_abort_when_nothing_runs_changes_nothing(void **state)
{
	(void)state;
	deliver((struct rollout_event){.kind = EVENT_ABORT});
	assert_int_equal(b.fx.answer, ANSWER_NOT_NOW);
	assert_int_equal(b.change, ROLLOUT_UNCHANGED);
	begin(&release_2);
	walk_to_end();
	struct rollout before = b.r;
	b.change = rollout_step(&b.plan, &b.env, &b.r, &(struct rollout_event){.kind = EVENT_ABORT},
				&b.fx);
	assert_int_equal(b.fx.answer, ANSWER_FINISHED);
	assert_memory_equal(&before, &b.r, sizeof before);
}

/* flagger 1898 */
static void a_release_that_fails_while_being_promoted_leaves_somebody_serving(void **state)
{
	(void)state;
	strategy_default(&b.settings, STRATEGY_BLUE_GREEN);
	begin(&release_2);
	walk_to(PLAN_HOLD);
	assert_int_equal(share(&release_2), 9900);
	b.world[1].failed = 1;
	look();
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_CRASHED);
	assert_int_equal(share(&release_1), 10000);
	assert_int_equal(b.env.sets[0].document.count[0], FULL);
}

/* flagger 1801 */
static void metrics_that_turn_bad_while_a_gate_waits_go_back(void **state)
{
	(void)state;
	struct error err;
	submit(&release_2);
	assert_int_equal(strategy_compile(&b.settings, &b.env, &release_2, &b.plan, &err), 0);
	b.plan.steps[4].op = PLAN_GATE;
	deliver((struct rollout_event){.kind = EVENT_START});
	walk_to(PLAN_GATE);
	deliver((struct rollout_event){.kind = EVENT_EVIDENCE,
				       .guard = true,
				       .attempt = b.r.attempt,
				       .verdict = VERDICT_FAIL});
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_ANALYSIS);
}

/* argo-rollouts "background analysis long running job"; flagger: metrics server away */
static void metrics_that_are_away_are_never_a_pass(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	for (uint32_t i = 0; i <= b.settings.inconclusive_max; i++)
		verdict(VERDICT_INCONCLUSIVE);
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_INCONCLUSIVE);
	assert_int_equal(share(&release_2), 100);
}

/* argo-rollouts 1203, 3220 */
static void a_late_verdict_of_an_earlier_attempt_moves_nothing(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	uint32_t old = b.r.attempt;
	command(EVENT_PAUSE);
	command(EVENT_RESUME);
	pass_time(b.plan.steps[b.r.cursor].for_ms);
	deliver((struct rollout_event){.kind = EVENT_EVIDENCE,
				       .step = b.r.cursor,
				       .attempt = old,
				       .verdict = VERDICT_PASS});
	look();
	assert_int_equal(op(), PLAN_HOLD);
}

/* flagger nginx/test-lifecycle */
static void the_live_release_again_is_no_rollout(void **state)
{
	(void)state;
	struct error err;
	assert_int_equal(strategy_compile(&b.settings, &b.env, &release_1, &b.plan, &err),
			 ERR_CONFLICT);
}

/* flagger nginx/test-lifecycle */
static void a_bad_release_runs_again_once_a_person_cleared_it(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	verdict(VERDICT_FAIL);
	walk_to_end();
	rollout_init(&b.r);
	deliver((struct rollout_event){
		.kind = EVENT_SUBMIT, .number = 50, .release = release_2, .bad_listed = true});
	ASSERT_STATUS(ROLLOUT_REJECTED, REASON_BAD_LISTED);
	begin(&release_2);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
}

/* argo-rollouts 4764; flagger 1816 */
static void every_change_of_state_is_told_once(void **state)
{
	(void)state;
	uint64_t told = 0;
	begin(&release_2);
	told += 1 + effects(EFFECT_NOTIFY); /* queued, then running */
	walk_to(PLAN_READY);
	b.world[1].unready = 4;
	for (uint64_t t = 0; t < b.settings.ready_deadline_ms; t += 5000) {
		pass_time(5000);
		told += effects(EFFECT_NOTIFY);
	}
	while (rollout_active(&b.r)) {
		look();
		told += effects(EFFECT_NOTIFY);
	}
	ASSERT_STATUS(ROLLOUT_REVERTED, REASON_NEVER_READY);
	assert_int_equal(told, b.r.transitions);
	assert_int_equal(told, 4);
}

/* argo-rollouts 2855, "controller restart" reports */
static void a_controller_that_dies_at_every_step_still_ends_the_same(void **state)
{
	(void)state;
	begin(&release_2);
	for (uint32_t i = 1; i < 500 && rollout_active(&b.r); i++) {
		uint32_t cursor = b.r.cursor;
		deliver((struct rollout_event){.kind = EVENT_BOOT, .epoch = b.env.epoch + 1});
		assert_int_equal(b.r.cursor, cursor);
		b.serial = 0;
		if (op() == PLAN_FETCH)
			deliver((struct rollout_event){
				.kind = EVENT_FETCHED, .release = release_2, .ok = true});
		else if (op() == PLAN_HOLD) {
			pass_time(b.plan.steps[b.r.cursor].for_ms);
			verdict(VERDICT_PASS);
		}
		look();
		assert_true(b.r.cursor <= cursor + 2); /* an answer and a look */
	}
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
}

/* argo-rollouts 747 */
static void a_check_that_passes_in_a_moment_is_still_recorded(void **state)
{
	(void)state;
	b.settings.checks = true;
	strategy_default(&b.settings, STRATEGY_BLUE_GREEN);
	begin(&release_2);
	walk_to(PLAN_HOLD);
	verdict(VERDICT_PASS); /* no time has passed at all */
	look();
	assert_int_equal(effects(EFFECT_EVIDENCE), 1);
	assert_int_equal(op(), PLAN_ROUTE);
}

/* argo-rollouts TestRolloutPauseDurationGreaterThanProgressDeadlineSeconds */
static void a_pause_longer_than_every_deadline_is_fine(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_PAUSE);
	for (int i = 0; i < 100; i++) {
		pass_time(3600000);
		look();
	}
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_OPERATOR);
	command(EVENT_RESUME);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
}

#define TEST(name) cmocka_unit_test_setup(name, bench_set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_instance_that_dies_during_the_checks_stops_the_promotion),
		TEST(a_newer_release_after_a_promote_meets_its_own_gates),
		TEST(readiness_that_comes_and_goes_does_not_outwit_the_deadline),
		TEST(a_missing_artifact_ends_before_anything_moves),
		TEST(an_abort_right_after_a_promote_goes_back),
		TEST(abort_retry_abort_drains_each_time),
		TEST(a_third_release_at_thirty_percent_goes_back_to_the_live_one_first),
		TEST(requests_return_to_a_shrunken_stable_only_as_it_grows),
		TEST(a_fix_can_be_deployed_though_the_live_release_is_down),
		TEST(a_rollback_restores_the_size_that_release_had),
		TEST(nothing_revives_a_candidate_that_was_aborted),
		TEST(an_abort_when_nothing_runs_changes_nothing),
		TEST(a_release_that_fails_while_being_promoted_leaves_somebody_serving),
		TEST(metrics_that_turn_bad_while_a_gate_waits_go_back),
		TEST(metrics_that_are_away_are_never_a_pass),
		TEST(a_late_verdict_of_an_earlier_attempt_moves_nothing),
		TEST(the_live_release_again_is_no_rollout),
		TEST(a_bad_release_runs_again_once_a_person_cleared_it),
		TEST(every_change_of_state_is_told_once),
		TEST(a_controller_that_dies_at_every_step_still_ends_the_same),
		TEST(a_check_that_passes_in_a_moment_is_still_recorded),
		TEST(a_pause_longer_than_every_deadline_is_fine),
	};
	return cmocka_run_group_tests_name("rollout/public_bugs", tests, NULL, NULL);
}
