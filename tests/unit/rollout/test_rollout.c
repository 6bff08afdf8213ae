/* SPDX-License-Identifier: Apache-2.0
 * test_rollout - one example of each rule of the state table, readable as a story. The simulator looks for
 * the cases that nobody thought of. */
#include "bench.h"

static void a_release_marked_bad_is_rejected_at_once(void **state)
{
	(void)state;
	deliver((struct rollout_event){
		.kind = EVENT_SUBMIT, .number = 1, .release = release_2, .bad_listed = true});
	ASSERT_STATUS(ROLLOUT_REJECTED, REASON_BAD_LISTED);
	assert_int_equal(effects(EFFECT_NOTIFY), 1);
}

static void a_free_environment_lets_it_begin_with_the_fetch(void **state)
{
	(void)state;
	begin(&release_2);
	assert_int_equal(b.fx.answer, ANSWER_OK);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	assert_int_equal(op(), PLAN_FETCH);
	assert_int_equal(effects(EFFECT_FETCH), 1);
	assert_int_equal(b.env.rollout, b.r.number);
}

static void two_rollouts_cannot_hold_one_environment(void **state)
{
	(void)state;
	begin(&release_2);
	struct rollout first = b.r;
	submit(&release_3);
	deliver((struct rollout_event){.kind = EVENT_START});
	assert_int_equal(b.fx.answer, ANSWER_BUSY);
	ASSERT_STATUS(ROLLOUT_QUEUED, REASON_NONE);
	assert_int_equal(b.env.rollout, first.number);
}

static void a_plan_for_another_live_release_has_to_be_made_again(void **state)
{
	(void)state;
	struct error err;
	submit(&release_2);
	assert_int_equal(strategy_compile(&b.settings, &b.env, &release_2, &b.plan, &err), 0);
	b.env.sets[0].document.release = release_3;
	deliver((struct rollout_event){.kind = EVENT_START});
	assert_int_equal(b.fx.answer, ANSWER_OUTDATED);
	assert_int_equal(b.env.rollout, 0);
}

static void a_freeze_keeps_it_waiting(void **state)
{
	(void)state;
	deliver((struct rollout_event){.kind = EVENT_FREEZE});
	begin(&release_2);
	assert_int_equal(b.fx.answer, ANSWER_FREEZE);
	ASSERT_STATUS(ROLLOUT_QUEUED, REASON_NONE);
}

static void a_rollback_is_not_frozen(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to_end();
	deliver((struct rollout_event){.kind = EVENT_FREEZE});
	begin_rollback(&release_1);
	assert_int_equal(b.fx.answer, ANSWER_OK);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
	assert_int_equal(share(&release_1), 10000);
}

static void a_rollback_does_not_give_way_to_a_newer_release(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to_end();
	begin_rollback(&release_1);
	deliver((struct rollout_event){.kind = EVENT_NEWER, .supersede = true});
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
}

static void a_newer_release_replaces_one_that_waits(void **state)
{
	(void)state;
	submit(&release_2);
	deliver((struct rollout_event){.kind = EVENT_NEWER});
	ASSERT_STATUS(ROLLOUT_SUPERSEDED, REASON_NEWER);
	assert_int_equal(b.fx.count, 1);
}

static void a_waiting_rollout_can_be_cancelled(void **state)
{
	(void)state;
	submit(&release_2);
	command(EVENT_ABORT);
	ASSERT_STATUS(ROLLOUT_CANCELLED, REASON_OPERATOR);
}

static void begin_gated(void)
{
	struct error err;
	submit(&release_2);
	assert_int_equal(strategy_compile(&b.settings, &b.env, &release_2, &b.plan, &err), 0);
	b.plan.needs_approval = true;
	b.plan.approval_ttl_ms = 60000;
	b.r.plan_hash[0] = 5;
	deliver((struct rollout_event){.kind = EVENT_START});
	ASSERT_STATUS(ROLLOUT_GATED, REASON_NONE);
	assert_int_equal(effects(EFFECT_FETCH), 0);
}

static void an_approval_of_this_very_plan_lets_it_begin(void **state)
{
	(void)state;
	begin_gated();
	deliver((struct rollout_event){.kind = EVENT_APPROVE, .hash = {6}});
	assert_int_equal(b.fx.answer, ANSWER_OTHER_PLAN);
	ASSERT_STATUS(ROLLOUT_GATED, REASON_NONE);
	deliver((struct rollout_event){.kind = EVENT_APPROVE, .hash = {5}});
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
}

static void an_approval_is_void_once_the_plan_has_changed(void **state)
{
	(void)state;
	begin_gated();
	deliver((struct rollout_event){.kind = EVENT_DRIFT, .hash = {9}});
	deliver((struct rollout_event){.kind = EVENT_APPROVE, .hash = {5}});
	assert_int_equal(b.fx.answer, ANSWER_OTHER_PLAN);
	deliver((struct rollout_event){.kind = EVENT_APPROVE, .hash = {9}});
	assert_int_equal(b.fx.answer, ANSWER_OK);
}

static void a_rejected_plan_leaves_the_environment_free(void **state)
{
	(void)state;
	begin_gated();
	command(EVENT_REJECT);
	ASSERT_STATUS(ROLLOUT_REJECTED, REASON_APPROVAL);
	assert_int_equal(b.env.rollout, 0);
	assert_int_equal(environment_find(&b.env, &release_2), SLOT_NONE);
	assert_int_equal(effects(EFFECT_FREE), 1);
}

static void an_approval_that_nobody_gives_expires(void **state)
{
	(void)state;
	begin_gated();
	pass_time(59999);
	ASSERT_STATUS(ROLLOUT_GATED, REASON_NONE);
	pass_time(1);
	ASSERT_STATUS(ROLLOUT_REJECTED, REASON_EXPIRED);
}

static void a_failed_fetch_rejects_before_anything_was_touched(void **state)
{
	(void)state;
	struct version before = b.env.router.version;
	begin(&release_2);
	deliver((struct rollout_event){.kind = EVENT_FETCHED, .release = release_2, .ok = false});
	ASSERT_STATUS(ROLLOUT_REJECTED, REASON_FETCH);
	assert_int_equal(version_compare(b.env.router.version, before), 0);
	assert_int_equal(b.env.rollout, 0);
}

static void the_fetch_of_another_release_moves_nothing(void **state)
{
	(void)state;
	begin(&release_2);
	deliver((struct rollout_event){.kind = EVENT_FETCHED, .release = release_3, .ok = true});
	assert_int_equal(op(), PLAN_FETCH);
}

static void a_step_ends_on_one_observation_and_one_only(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_START);
	struct observation early = observe();
	look();
	assert_int_equal(op(), PLAN_READY);
	early.serial = ++b.serial; /* taken for START; says that all is ready */
	deliver((struct rollout_event){.kind = EVENT_OBSERVATION, .observation = early});
	assert_int_equal(op(), PLAN_READY);
	look();
	assert_int_equal(op(), PLAN_ROUTE);
}

static void a_document_that_was_not_applied_holds_the_cursor(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_ROUTE);
	b.router_silent = true;
	look();
	assert_int_equal(op(), PLAN_ROUTE);
	b.router_silent = false;
	look();
	assert_int_equal(op(), PLAN_HOLD);
}

static void documents_are_sent_again_every_second(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	deliver((struct rollout_event){.kind = EVENT_TICK, .elapsed_ms = 999});
	assert_int_equal(effects(EFFECT_ROUTE), 0);
	deliver((struct rollout_event){.kind = EVENT_TICK, .elapsed_ms = 1});
	assert_int_equal(effects(EFFECT_ROUTE), 1);
	assert_int_equal(effects(EFFECT_SET), 2);
}

static void a_hold_needs_time_and_a_verdict(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	uint32_t at = b.r.cursor;
	pass_time(b.plan.steps[at].for_ms);
	look();
	assert_int_equal(b.r.cursor, at);
	verdict(VERDICT_PASS);
	look();
	assert_int_equal(b.r.cursor, at + 1);
	assert_int_equal(effects(EFFECT_EVIDENCE), 1);
}

static void an_early_verdict_does_not_shorten_a_hold(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	verdict(VERDICT_PASS);
	look();
	assert_int_equal(op(), PLAN_HOLD);
}

static void a_clock_jump_does_not_shorten_a_hold(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	verdict(VERDICT_PASS);
	deliver((struct rollout_event){.kind = EVENT_TICK, .elapsed_ms = UINT64_MAX / 2});
	look();
	assert_int_equal(op(), PLAN_HOLD);
}

static void a_bad_verdict_goes_back_at_once_and_marks_the_release(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	assert_int_equal(share(&release_2), 100);
	verdict(VERDICT_FAIL);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_ANALYSIS);
	assert_true(b.fx.plan_replaced);
	assert_int_equal(effects(EFFECT_BAD), 1);
	assert_int_equal(op(), PLAN_ROUTE);
	assert_int_equal(share(&release_1), 10000);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_REVERTED, REASON_ANALYSIS);
	assert_int_equal(environment_find(&b.env, &release_2), SLOT_NONE);
}

static void a_check_that_fails_is_its_own_reason(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	deliver((struct rollout_event){.kind = EVENT_EVIDENCE,
				       .verdict = VERDICT_FAIL,
				       .check = true,
				       .step = b.r.cursor,
				       .attempt = b.r.attempt});
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_CHECK);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_REVERTED, REASON_CHECK);
}

static void without_a_verdict_it_is_asked_again_then_a_person(void **state)
{
	(void)state;
	b.settings.inconclusive_max = 1;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	uint32_t attempt = b.r.attempt;
	verdict(VERDICT_INCONCLUSIVE);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	assert_int_equal(b.r.attempt, attempt + 1);
	assert_int_equal(effects(EFFECT_ANALYSE), 1);
	verdict(VERDICT_INCONCLUSIVE);
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_INCONCLUSIVE);
}

static void too_little(enum too_little what)
{
	b.settings.too_little = what;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	pass_time(b.plan.steps[b.r.cursor].at_most_ms);
}

static void too_little_traffic_pauses(void **state)
{
	(void)state;
	too_little(TOO_LITTLE_HOLD);
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_TOO_LITTLE);
}

static void too_little_traffic_goes_back_if_told_so(void **state)
{
	(void)state;
	too_little(TOO_LITTLE_ROLLBACK);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_TOO_LITTLE);
	assert_int_equal(effects(EFFECT_BAD), 0);
}

static void too_little_traffic_goes_on_if_told_so_and_says_so(void **state)
{
	(void)state;
	too_little(TOO_LITTLE_CONTINUE);
	look();
	assert_int_equal(op(), PLAN_ROUTE);
	assert_int_equal(b.fx.items[0].kind, EFFECT_EVIDENCE);
	assert_int_equal(b.fx.items[0].evidence, EVIDENCE_TOO_LITTLE);
}

static void a_candidate_that_never_gets_ready_is_taken_back(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_READY);
	b.world[1].unready = 1;
	pass_time(b.settings.ready_deadline_ms);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_NEVER_READY);
	assert_int_equal(effects(EFFECT_BAD), 1);
}

static void a_router_that_does_not_confirm_is_not_the_releases_fault(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_ROUTE);
	pass_time(b.settings.route_deadline_ms);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_ROUTER);
	assert_int_equal(effects(EFFECT_BAD), 0);
}

/* At the first ROUTE, which the router does not confirm. */
static void walk_to_unconfirmed_route(void)
{
	begin(&release_2);
	walk_to(PLAN_ROUTE);
	assert_true(share(&release_2) > 0);
	b.router_silent = true;
	look();
	assert_int_equal(op(), PLAN_ROUTE);
}

static void a_share_that_was_not_confirmed_is_taken_back_before_the_way_back(void **state)
{
	(void)state;
	walk_to_unconfirmed_route();
	b.world[0].unready = 2; /* too few to take all at once, and they answer */
	look();
	command(EVENT_ABORT);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_OPERATOR);
	assert_int_equal(op(), PLAN_START);
	assert_int_equal(effects(EFFECT_ROUTE), 1);
	assert_int_equal(share(&release_2), 0);
	assert_int_equal(share(&release_1), 10000);
}

static void a_share_that_was_confirmed_stays_until_the_live_release_is_strong(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_ROUTE);
	uint32_t first = share(&release_2);
	look();
	walk_to(PLAN_ROUTE);
	assert_true(share(&release_2) > first);
	b.world[0].unready = 2;
	b.router_silent = true;
	look();
	command(EVENT_ABORT);
	assert_int_equal(op(), PLAN_START);
	assert_int_equal(share(&release_2), first);
	assert_int_equal(share(&release_1), 10000 - first);
}

static void after_a_restart_it_is_taken_back_once_the_live_release_is_seen(void **state)
{
	(void)state;
	walk_to_unconfirmed_route();
	deliver((struct rollout_event){.kind = EVENT_BOOT});
	b.serial = 0;
	command(EVENT_ABORT);
	assert_int_equal(op(), PLAN_START);
	assert_true(share(&release_2) > 0); /* nobody knows yet who could answer instead */
	b.world[0].silent = true;
	look();
	assert_true(share(&release_2) > 0);
	b.world[0].silent = false;
	b.world[0].unready = 3;
	look();
	assert_int_equal(share(&release_2), 0);
}

static void going_back_ends_a_mirror_at_once(void **state)
{
	(void)state;
	strategy_default(&b.settings, STRATEGY_SHADOW);
	begin(&release_2);
	walk_to(PLAN_ROUTE);
	assert_true(b.env.router.mirror_bp > 0);
	b.world[0].unready = FULL;
	look();
	command(EVENT_ABORT);
	assert_int_equal(op(), PLAN_START);
	assert_int_equal(b.env.router.mirror, SLOT_NONE);
	assert_int_equal(b.env.router.mirror_bp, 0);
}

static void fall_and_get_up(uint32_t slot)
{
	b.world[slot].unready = 1;
	look();
	b.world[slot].unready = 0;
	look();
}

static void a_candidate_that_falls_again_and_again_is_taken_back(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	for (uint32_t i = 1; i < ROLLOUT_FALLS_MAX; i++)
		fall_and_get_up(1);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	b.world[1].unready = 1;
	look();
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_UNSTEADY);
	assert_int_equal(effects(EFFECT_BAD), 1);
}

static void a_replaced_instance_is_no_fall(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	for (uint32_t i = 0; i <= ROLLOUT_FALLS_MAX; i++) {
		b.world[1].replacing = true;
		b.world[1].unready = 1;
		look();
		look();
		b.world[1].unready = 0;
		b.world[1].replacing = false;
		look();
	}
	assert_int_equal(b.r.candidate_falls, 0);
	fall_and_get_up(1); /* but this is */
	assert_int_equal(b.r.candidate_falls, 1);
}

static void falls_are_counted_over_pauses_and_restarts(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	fall_and_get_up(1);
	command(EVENT_PAUSE);
	fall_and_get_up(1);
	deliver((struct rollout_event){.kind = EVENT_BOOT});
	b.serial = 0;
	b.world[1].silent = true; /* nothing is known of it yet: that is no fall */
	look();
	b.world[1].silent = false;
	look();
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_OPERATOR);
	b.world[1].unready = 1;
	look();
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_UNSTEADY);
}

static void what_the_live_release_suffers_as_well_is_not_held_against_it(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	for (uint32_t i = 0; i <= ROLLOUT_FALLS_MAX; i++) {
		fall_and_get_up(0);
		fall_and_get_up(1);
	}
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	fall_and_get_up(1);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_UNSTEADY);
}

static void more_instances_are_no_fall(void **state)
{
	(void)state;
	begin(&release_2);
	for (uint32_t i = 0; i < 2; i++) { /* the second, then two more */
		walk_to(PLAN_START);
		b.world[1].unready = 1; /* the one that was started last */
		look();
		look();
		b.world[1].unready = 0;
		walk_to(PLAN_HOLD);
	}
	assert_int_equal(b.r.candidate_falls, 0);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
}

static void a_rollback_is_not_held_up_by_falls(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to_end();
	begin_rollback(&release_1);
	for (uint32_t i = 0; i <= ROLLOUT_FALLS_MAX && b.r.status == ROLLOUT_RUNNING; i++)
		fall_and_get_up(0);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
}

static void requests_do_not_move_to_a_release_that_is_not_ready(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_READY);
	struct observation o = observe();
	o.sets[1].ready[0] = 0; /* settled a moment ago, gone now */
	deliver((struct rollout_event){.kind = EVENT_OBSERVATION, .observation = o});
	assert_int_equal(op(), PLAN_ROUTE);
	assert_int_equal(share(&release_2), 0);
	look();
	assert_int_equal(share(&release_2), 100);
}

static void requests_that_wait_are_let_go_only_to_somebody(void **state)
{
	(void)state;
	strategy_default(&b.settings, STRATEGY_RECREATE);
	begin(&release_2);
	walk_to(PLAN_START);
	assert_true(b.env.router.park);
	command(EVENT_ABORT);
	while (op() != PLAN_READY)
		look();
	struct observation o = observe();
	o.sets[0].ready[0] = 0; /* settled a moment ago, gone now */
	deliver((struct rollout_event){.kind = EVENT_OBSERVATION, .observation = o});
	assert_int_equal(op(), PLAN_ROUTE);
	assert_true(b.env.router.park);
	look();
	assert_false(b.env.router.park);
	assert_int_equal(share(&release_1), 10000);
}

static void a_pause_leaves_the_traffic_and_a_resume_asks_anew(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	verdict(VERDICT_PASS);
	uint32_t attempt = b.r.attempt;
	command(EVENT_PAUSE);
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_OPERATOR);
	pass_time(3600000);
	look();
	assert_int_equal(share(&release_2), 100);
	command(EVENT_RESUME);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	assert_int_equal(b.r.attempt, attempt + 1);
	assert_false(b.r.passed);
	assert_int_equal(effects(EFFECT_ANALYSE), 1);
}

static void a_pause_ends_by_itself_where_it_is_told_to(void **state)
{
	(void)state;
	b.settings.pause_ttl_ms = 60000;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_PAUSE);
	pass_time(60000);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_EXPIRED);
}

static void a_person_who_saw_another_state_is_told_so(void **state)
{
	(void)state;
	begin(&release_2);
	struct rollout_seen before = seen();
	walk_to(PLAN_HOLD);
	deliver((struct rollout_event){.kind = EVENT_PROMOTE, .seen = before});
	assert_int_equal(b.fx.answer, ANSWER_STALE);
	assert_int_equal(b.change, ROLLOUT_UNCHANGED);
}

static void promote_ends_this_hold_and_no_other(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_PROMOTE);
	assert_int_equal(b.fx.answer, ANSWER_OK);
	look();
	assert_int_equal(op(), PLAN_ROUTE);
	walk_to(PLAN_HOLD);
	look();
	assert_int_equal(op(), PLAN_HOLD);
	assert_false(b.r.passed);
}

static void promote_does_not_skip_readiness(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_READY);
	command(EVENT_PROMOTE);
	assert_int_equal(b.fx.answer, ANSWER_NOT_NOW);
}

static void promote_goes_on_from_a_pause_that_needed_a_person(void **state)
{
	(void)state;
	too_little(TOO_LITTLE_HOLD);
	command(EVENT_PROMOTE);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	look();
	assert_int_equal(op(), PLAN_ROUTE);
}

static void an_abort_is_obeyed_whatever_was_seen(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	deliver((struct rollout_event){.kind = EVENT_ABORT});
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_OPERATOR);
	assert_int_equal(effects(EFFECT_BAD), 0);
	assert_int_equal(share(&release_2), 0);
}

static void going_back_cannot_be_paused_frozen_or_aborted(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_ABORT);
	command(EVENT_ABORT);
	assert_int_equal(b.fx.answer, ANSWER_GOING_BACK);
	command(EVENT_PAUSE);
	assert_int_equal(b.fx.answer, ANSWER_GOING_BACK);
	deliver((struct rollout_event){.kind = EVENT_FREEZE});
	deliver((struct rollout_event){.kind = EVENT_NEWER, .supersede = true});
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_OPERATOR);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_REVERTED, REASON_OPERATOR);
}

static void after_mark_an_abort_says_use_rollback(void **state)
{
	(void)state;
	strategy_default(&b.settings, STRATEGY_ROLLING);
	begin(&release_2);
	walk_to(PLAN_MARK);
	look();
	assert_int_equal(effects(EFFECT_STABLE), 1);
	assert_int_equal(op(), PLAN_DRAIN);
	command(EVENT_ABORT);
	assert_int_equal(b.fx.answer, ANSWER_AFTER_MARK);
	verdict(VERDICT_FAIL);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
}

static void a_freeze_stops_before_the_next_step_that_exposes(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	deliver((struct rollout_event){.kind = EVENT_FREEZE});
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	pass_time(b.plan.steps[b.r.cursor].for_ms);
	verdict(VERDICT_PASS);
	look();
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_FROZEN);
	assert_int_equal(share(&release_2), 100);
	command(EVENT_RESUME);
	assert_int_equal(b.fx.answer, ANSWER_FREEZE);
	deliver((struct rollout_event){.kind = EVENT_UNFREEZE});
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	assert_int_equal(share(&release_2), 1000);
}

static void a_freeze_stops_mark(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_MARK);
	deliver((struct rollout_event){.kind = EVENT_FREEZE});
	look();
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_FROZEN);
	assert_int_equal(b.env.stable, 0);
}

static void a_newer_release_supersedes_only_where_that_is_wanted(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	deliver((struct rollout_event){.kind = EVENT_NEWER});
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	deliver((struct rollout_event){.kind = EVENT_NEWER, .supersede = true});
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_NEWER);
	assert_int_equal(effects(EFFECT_BAD), 0);
}

static void stable_that_does_not_come_up_is_stuck_until_it_does(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	b.world[0].unready = FULL;
	look();
	command(EVENT_ABORT);
	assert_int_equal(share(&release_2), 100); /* nobody there to give it back to */
	look();
	assert_int_equal(op(), PLAN_READY);
	for (uint32_t i = 0; i <= b.plan.retries_max; i++)
		pass_time(b.settings.ready_deadline_ms);
	ASSERT_STATUS(ROLLOUT_STUCK, REASON_STABLE_DOWN);
	pass_time(3600000);
	ASSERT_STATUS(ROLLOUT_STUCK, REASON_STABLE_DOWN);
	b.world[0].unready = 0;
	look();
	assert_int_equal(b.r.status, ROLLOUT_REVERTING);
	walk_to_end();
	assert_int_equal(b.r.status, ROLLOUT_REVERTED);
	assert_int_equal(share(&release_1), 10000);
}

static void a_restart_renews_every_version_and_asks_again(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	uint64_t held = b.r.held_ms;
	uint32_t attempt = b.r.attempt;
	struct version router = b.env.router.version;
	verdict(VERDICT_PASS);
	deliver((struct rollout_event){.kind = EVENT_BOOT, .epoch = 9});
	assert_int_equal(b.env.epoch, 9);
	assert_int_equal(b.env.router.version.epoch, 9);
	assert_true(b.env.router.version.n > router.n);
	assert_int_equal(b.r.attempt, attempt + 1);
	assert_int_equal(b.r.held_ms, held);
	assert_false(b.r.passed);
	assert_int_equal(effects(EFFECT_ROUTE), 1);
	assert_int_equal(effects(EFFECT_SET), 2);
	assert_int_equal(effects(EFFECT_ANALYSE), 1);
}

static void without_the_lease_nothing_happens(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	deliver((struct rollout_event){.kind = EVENT_LEASE_LOST});
	command(EVENT_ABORT);
	assert_int_equal(b.fx.answer, ANSWER_READ_ONLY);
	assert_int_equal(b.change, ROLLOUT_UNCHANGED);
	deliver((struct rollout_event){.kind = EVENT_LEASE_WON, .epoch = 12});
	assert_int_equal(b.env.epoch, 12);
	command(EVENT_ABORT);
	assert_int_equal(b.fx.answer, ANSWER_OK);
}

static void mark_waits_for_an_instance_that_is_not_what_it_says(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_MARK);
	b.world[1].wrong = 1;
	look();
	assert_int_equal(b.env.stable, 0);
	for (uint32_t i = 0; i < 13 && b.r.status == ROLLOUT_RUNNING; i++)
		pass_time(5000);
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_WRONG_RELEASE);
}

static void hooks_are_asked_for_and_may_fail(void **state)
{
	(void)state;
	struct error err;
	submit(&release_2);
	assert_int_equal(strategy_compile(&b.settings, &b.env, &release_2, &b.plan, &err), 0);
	b.plan.steps[1] = (struct plan_step){
		.op = PLAN_HOOK, .release = PLAN_NONE, .mirror = PLAN_NONE, .preview = PLAN_NONE};
	deliver((struct rollout_event){.kind = EVENT_START});
	deliver((struct rollout_event){.kind = EVENT_FETCHED, .release = release_2, .ok = true});
	assert_int_equal(effects(EFFECT_HOOK), 1);
	deliver((struct rollout_event){.kind = EVENT_HOOKED, .step = 1, .attempt = 99, .ok = true});
	assert_int_equal(b.r.cursor, 1);
	deliver((struct rollout_event){.kind = EVENT_HOOKED, .step = 1, .attempt = b.r.attempt});
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_HOOK);
}

/* Live, and at the command of its migration that nothing goes back from. */
static void walk_behind_mark(void)
{
	b.settings.migrate_after = true;
	begin(&release_2);
	walk_to(PLAN_HOOK);
	assert_true(b.r.marked);
	assert_int_equal(effects(EFFECT_HOOK), 1);
}

static void hook_fails(void)
{
	deliver((struct rollout_event){
		.kind = EVENT_HOOKED, .step = b.r.cursor, .attempt = b.r.attempt});
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_HOOK);
}

static void a_command_behind_mark_that_fails_waits_for_a_person(void **state)
{
	(void)state;
	walk_behind_mark();
	uint32_t retries = b.r.retries;
	hook_fails();
	assert_int_equal(b.r.retries, retries + 1);
	pass_time(60000);
	look();
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_HOOK);
	command(EVENT_ABORT);
	assert_int_equal(b.fx.answer, ANSWER_AFTER_MARK);
	command(EVENT_RESUME);
	assert_int_equal(effects(EFFECT_HOOK), 1);
	deliver((struct rollout_event){
		.kind = EVENT_HOOKED, .step = b.r.cursor, .attempt = b.r.attempt, .ok = true});
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
}

static void a_command_behind_mark_may_be_left_undone_once_it_failed(void **state)
{
	(void)state;
	walk_behind_mark();
	command(EVENT_PROMOTE);
	assert_int_equal(b.fx.answer, ANSWER_NOT_NOW);
	hook_fails();
	command(EVENT_APPROVE);
	assert_int_equal(b.fx.answer, ANSWER_NOT_NOW);
	command(EVENT_PROMOTE);
	assert_int_equal(b.fx.answer, ANSWER_OK);
	assert_int_equal(effects(EFFECT_HOOK), 0);
	pass_time(b.settings.migrate_deadline_ms);
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	look();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
	assert_int_equal(effects(EFFECT_EVIDENCE), 1);
}

static void whoever_supersedes_does_not_wait_for_a_command_behind_mark(void **state)
{
	(void)state;
	walk_behind_mark();
	deliver((struct rollout_event){.kind = EVENT_NEWER});
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
	deliver((struct rollout_event){.kind = EVENT_NEWER, .supersede = true});
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
}

static void a_gate_opens_for_a_person_only(void **state)
{
	(void)state;
	struct error err;
	submit(&release_2);
	assert_int_equal(strategy_compile(&b.settings, &b.env, &release_2, &b.plan, &err), 0);
	b.plan.steps[4].op = PLAN_GATE; /* in place of the first hold */
	b.plan.steps[4].deadline_ms = 60000;
	deliver((struct rollout_event){.kind = EVENT_START});
	walk_to(PLAN_GATE);
	look();
	assert_int_equal(op(), PLAN_GATE);
	pass_time(60000);
	ASSERT_STATUS(ROLLOUT_PAUSED, REASON_EXPIRED);
	command(EVENT_APPROVE);
	look();
	assert_int_equal(op(), PLAN_ROUTE);
}

static void a_drain_ends_at_its_deadline_since_the_confirmation(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_ABORT);
	while (op() != PLAN_DRAIN)
		look();
	b.world[1].undrained = 1;
	b.world[1].silent = true;
	pass_time(b.settings.drain_ms); /* not confirmed: does not count */
	b.world[1].silent = false;
	look();
	assert_int_equal(op(), PLAN_DRAIN);
	pass_time(b.settings.drain_ms - 1);
	look();
	assert_int_equal(op(), PLAN_DRAIN);
	pass_time(1);
	look();
	assert_int_equal(op(), PLAN_STOP);
}

static void a_start_that_is_refused_for_good_is_not_waited_for(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_START);
	b.world[1].silent = b.world[1].refused = true;
	look();
	ASSERT_STATUS(ROLLOUT_REVERTING, REASON_INSTANCES);
	assert_int_equal(effects(EFFECT_BAD), 0); /* not its fault */
	b.world[1].silent = b.world[1].refused = false;
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_REVERTED, REASON_INSTANCES);
}

static void a_refusal_matters_only_while_it_starts(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	b.world[0].refused = b.world[1].refused = true;
	look();
	ASSERT_STATUS(ROLLOUT_RUNNING, REASON_NONE);
}

static void a_stop_that_does_not_end_is_stuck(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	command(EVENT_ABORT);
	while (op() != PLAN_STOP)
		look();
	b.world[1].lingering = 1;
	for (uint32_t i = 0; i <= b.plan.retries_max; i++)
		pass_time(b.settings.stop_deadline_ms);
	ASSERT_STATUS(ROLLOUT_STUCK, REASON_INSTANCES);
	b.world[1].lingering = 0;
	look();
	assert_int_equal(b.r.status, ROLLOUT_REVERTED);
}

static void the_old_release_stays_warm_and_then_leaves(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
	assert_int_equal(b.env.warm, 0);
	assert_int_equal(b.env.sets[0].document.count[0], FULL);
	pass_time(b.settings.keep_warm_ms);
	look();
	assert_int_equal(b.env.sets[0].document.count[0], 0);
	assert_int_equal(b.env.sets[0].document.surplus, SURPLUS_DRAIN);
	look();
	assert_int_equal(b.env.sets[0].document.surplus, SURPLUS_STOP);
	look();
	assert_int_equal(effects(EFFECT_GONE), 1);
	assert_int_equal(environment_find(&b.env, &release_1), SLOT_NONE);
}

static void a_rollback_to_a_warm_release_is_a_route_first(void **state)
{
	(void)state;
	begin(&release_2);
	walk_to_end();
	begin_rollback(&release_1);
	assert_int_equal(op(), PLAN_ROUTE);
	assert_int_equal(share(&release_1), 10000);
	walk_to_end();
	ASSERT_STATUS(ROLLOUT_SUCCEEDED, REASON_NONE);
	assert_int_equal(b.env.stable, environment_find(&b.env, &release_1));
	assert_int_equal(environment_find(&b.env, &release_2), SLOT_NONE);
}

static void maintenance_is_part_of_the_routers_document(void **state)
{
	(void)state;
	deliver((struct rollout_event){.kind = EVENT_MAINTENANCE, .access = ACCESS_CLOSED});
	assert_int_equal(b.env.router.access, ACCESS_CLOSED);
	begin(&release_2);
	walk_to_end();
	assert_int_equal(b.env.router.access, ACCESS_CLOSED);
	uint64_t n = b.env.router.version.n;
	deliver((struct rollout_event){.kind = EVENT_MAINTENANCE, .access = ACCESS_READS});
	assert_int_equal(b.env.router.access, ACCESS_READS);
	assert_true(b.env.router.version.n > n);
	deliver((struct rollout_event){.kind = EVENT_MAINTENANCE, .access = ACCESS_OPEN});
	assert_int_equal(b.env.router.access, ACCESS_OPEN);
}

static void everything_survives_its_bytes_and_nothing_shorter_does(void **state)
{
	(void)state;
	static uint8_t bytes[PLAN_ENCODED_MAX];
	static struct plan plan;
	struct environment_state env;
	struct rollout r;
	begin(&release_2);
	walk_to(PLAN_HOLD);
	size_t size = plan_encode(&b.plan, bytes, sizeof bytes);
	assert_true(plan_decode(&plan, bytes, size));
	assert_memory_equal(&plan, &b.plan, sizeof plan);
	for (size_t cut = 0; cut < size; cut++)
		assert_false(plan_decode(&plan, bytes, cut));
	size = environment_encode(&b.env, bytes, sizeof bytes);
	assert_true(size > 0 && size <= ENVIRONMENT_ENCODED_MAX);
	assert_true(environment_decode(&env, bytes, size));
	assert_int_equal(env.next_n, b.env.next_n);
	assert_false(environment_decode(&env, bytes, size - 1));
	size = rollout_encode(&b.r, bytes, sizeof bytes);
	assert_true(size > 0 && size <= ROLLOUT_ENCODED_MAX);
	assert_true(rollout_decode(&r, bytes, size));
	assert_memory_equal(&r, &b.r, sizeof r);
	bytes[2] = 1; /* a davit of yesterday, which did not keep the confirmed share */
	size_t yesterday = size - 14;
	assert_true(rollout_decode(&r, bytes, yesterday));
	assert_int_equal(r.confirmed_bp, 10000);
	assert_int_equal(r.transitions, b.r.transitions);
	bytes[2] = 99; /* a davit of tomorrow wrote this */
	assert_false(rollout_decode(&r, bytes, size));
}

#define TEST(name) cmocka_unit_test_setup(name, bench_set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_release_marked_bad_is_rejected_at_once),
		TEST(a_free_environment_lets_it_begin_with_the_fetch),
		TEST(two_rollouts_cannot_hold_one_environment),
		TEST(a_plan_for_another_live_release_has_to_be_made_again),
		TEST(a_freeze_keeps_it_waiting),
		TEST(a_rollback_is_not_frozen),
		TEST(a_rollback_does_not_give_way_to_a_newer_release),
		TEST(a_newer_release_replaces_one_that_waits),
		TEST(a_waiting_rollout_can_be_cancelled),
		TEST(an_approval_of_this_very_plan_lets_it_begin),
		TEST(an_approval_is_void_once_the_plan_has_changed),
		TEST(a_rejected_plan_leaves_the_environment_free),
		TEST(an_approval_that_nobody_gives_expires),
		TEST(a_failed_fetch_rejects_before_anything_was_touched),
		TEST(the_fetch_of_another_release_moves_nothing),
		TEST(a_step_ends_on_one_observation_and_one_only),
		TEST(a_document_that_was_not_applied_holds_the_cursor),
		TEST(documents_are_sent_again_every_second),
		TEST(a_hold_needs_time_and_a_verdict),
		TEST(an_early_verdict_does_not_shorten_a_hold),
		TEST(a_clock_jump_does_not_shorten_a_hold),
		TEST(a_bad_verdict_goes_back_at_once_and_marks_the_release),
		TEST(a_check_that_fails_is_its_own_reason),
		TEST(without_a_verdict_it_is_asked_again_then_a_person),
		TEST(too_little_traffic_pauses),
		TEST(too_little_traffic_goes_back_if_told_so),
		TEST(too_little_traffic_goes_on_if_told_so_and_says_so),
		TEST(a_candidate_that_never_gets_ready_is_taken_back),
		TEST(a_router_that_does_not_confirm_is_not_the_releases_fault),
		TEST(a_share_that_was_not_confirmed_is_taken_back_before_the_way_back),
		TEST(a_share_that_was_confirmed_stays_until_the_live_release_is_strong),
		TEST(after_a_restart_it_is_taken_back_once_the_live_release_is_seen),
		TEST(going_back_ends_a_mirror_at_once),
		TEST(a_candidate_that_falls_again_and_again_is_taken_back),
		TEST(a_replaced_instance_is_no_fall),
		TEST(falls_are_counted_over_pauses_and_restarts),
		TEST(what_the_live_release_suffers_as_well_is_not_held_against_it),
		TEST(more_instances_are_no_fall),
		TEST(a_rollback_is_not_held_up_by_falls),
		TEST(requests_do_not_move_to_a_release_that_is_not_ready),
		TEST(requests_that_wait_are_let_go_only_to_somebody),
		TEST(a_pause_leaves_the_traffic_and_a_resume_asks_anew),
		TEST(a_pause_ends_by_itself_where_it_is_told_to),
		TEST(a_person_who_saw_another_state_is_told_so),
		TEST(promote_ends_this_hold_and_no_other),
		TEST(promote_does_not_skip_readiness),
		TEST(promote_goes_on_from_a_pause_that_needed_a_person),
		TEST(an_abort_is_obeyed_whatever_was_seen),
		TEST(going_back_cannot_be_paused_frozen_or_aborted),
		TEST(after_mark_an_abort_says_use_rollback),
		TEST(a_freeze_stops_before_the_next_step_that_exposes),
		TEST(a_freeze_stops_mark),
		TEST(a_newer_release_supersedes_only_where_that_is_wanted),
		TEST(stable_that_does_not_come_up_is_stuck_until_it_does),
		TEST(a_restart_renews_every_version_and_asks_again),
		TEST(without_the_lease_nothing_happens),
		TEST(mark_waits_for_an_instance_that_is_not_what_it_says),
		TEST(hooks_are_asked_for_and_may_fail),
		TEST(a_command_behind_mark_that_fails_waits_for_a_person),
		TEST(a_command_behind_mark_may_be_left_undone_once_it_failed),
		TEST(whoever_supersedes_does_not_wait_for_a_command_behind_mark),
		TEST(a_gate_opens_for_a_person_only),
		TEST(a_drain_ends_at_its_deadline_since_the_confirmation),
		TEST(a_start_that_is_refused_for_good_is_not_waited_for),
		TEST(a_refusal_matters_only_while_it_starts),
		TEST(a_stop_that_does_not_end_is_stuck),
		TEST(the_old_release_stays_warm_and_then_leaves),
		TEST(a_rollback_to_a_warm_release_is_a_route_first),
		TEST(maintenance_is_part_of_the_routers_document),
		TEST(everything_survives_its_bytes_and_nothing_shorter_does),
	};
	return cmocka_run_group_tests_name("rollout/rollout", tests, NULL, NULL);
}
