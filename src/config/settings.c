/* SPDX-License-Identifier: Apache-2.0
 * settings - see settings.h and config.h for the contracts. */
#include "config/settings.h"

#include "base/text.h"
#include "config/config.h"

_Static_assert((int)APP_PROCESSES_MAX == (int)PROCESSES_MAX, "a process has one number everywhere");
_Static_assert((int)APP_STEPS_MAX <= (int)STRATEGY_MOVES_MAX, "every step is a move");
_Static_assert((int)APP_WEIGHTS_MAX <= (int)STRATEGY_SHARES_MAX, "every weight is a share");

/* Requests before every plain rule can speak; latency rules may need more than errors. The statistics know themselves
 * when they have seen enough. */
static uint32_t samples_needed(const struct resolved *resolved)
{
	struct judge_rules rules;
	config_rules(resolved, &rules);
	uint32_t most = rules.errors.on ? rules.errors.at_least : 0;
	for (uint32_t i = 0; i < rules.latency_count; i++)
		if (rules.latency[i].at_least > most)
			most = rules.latency[i].at_least;
	return rules.on ? most : 0;
}

static struct strategy_move make_move(const struct app_step *step, uint32_t samples)
{
	struct strategy_move move;
	switch (step->set) {
	case APP_STEP_CHECK: return strategy_move_default(STRATEGY_MOVE_CHECK);
	case APP_STEP_SHADOW:
		move = strategy_move_default(STRATEGY_MOVE_SHADOW);
		move.share_count = 1;
		move.share_bp[0] = step->shadow.share_bp;
		move.min_samples = step->shadow.until.requests;
		move.at_least_ms = 0;
		move.at_most_ms = step->shadow.until.time_ms;
		return move;
	case APP_STEP_CANARY:
		move = strategy_move_default(STRATEGY_MOVE_CANARY);
		move.share_count = step->canary.steps.count;
		for (uint32_t i = 0; i < move.share_count; i++)
			move.share_bp[i] = step->canary.steps.items_bp[i];
		move.at_least_ms = step->canary.each.at_least_ms;
		move.at_most_ms = step->canary.each.at_most_ms;
		break;
	case APP_STEP_ROLLING:
		move = strategy_move_default(STRATEGY_MOVE_ROLLING);
		move.batch_bp = step->rolling.batch_bp;
		move.surge = step->rolling.surge;
		move.at_least_ms = step->rolling.each.at_least_ms;
		move.at_most_ms = step->rolling.each.at_most_ms;
		break;
	case APP_STEP_RECREATE: return strategy_move_default(STRATEGY_MOVE_RECREATE);
	case APP_STEP_SWITCH: return strategy_move_default(STRATEGY_MOVE_SWITCH);
	case APP_STEP_BAKE:
		move = strategy_move_default(STRATEGY_MOVE_BAKE);
		move.at_least_ms = step->bake_ms;
		move.at_most_ms = 0; /* the strategy's own bound, in relation to its length */
		break;
	default: ASSERT(!"exactly one kind of step");
	}
	move.min_samples = samples;
	return move;
}

/* What comes on top of a bound that a person wrote, before it counts as exceeded. */
enum { SLACK_MS = 5000 };

static enum too_little too_little_of(const struct judge_rules *rules)
{
	switch (rules->when_too_little) {
	case JUDGE_WHEN_TOO_LITTLE_HOLD: return TOO_LITTLE_HOLD;
	case JUDGE_WHEN_TOO_LITTLE_ROLLBACK: return TOO_LITTLE_ROLLBACK;
	case JUDGE_WHEN_TOO_LITTLE_CONTINUE: return TOO_LITTLE_CONTINUE;
	case JUDGE_WHEN_TOO_LITTLE_COUNT: break;
	}
	ASSERT(!"one of three");
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* One bound for all processes of a step: the longest of theirs. */
static void take_processes(const struct app_environment *environment, struct strategy_settings *to)
{
	to->ready_deadline_ms = to->drain_ms = to->stop_deadline_ms = to->min_ready_ms = 0;
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		to->process[i] = (struct process_shape){0};
	for (uint32_t i = 0; i < environment->process_count; i++) {
		const struct app_process *process = &environment->processes[i];
		to->process[i] = (struct process_shape){
			.count = (uint16_t)process->instances,
			.traffic = process->serves,
			.handover = process->handover == APP_HANDOVER_STOP_FIRST
					    ? HANDOVER_STOP_FIRST
					    : HANDOVER_OVERLAP};
		to->ready_deadline_ms = larger(to->ready_deadline_ms, process->health.deadline_ms);
		to->min_ready_ms = larger(to->min_ready_ms, process->health.min_healthy_ms);
		to->drain_ms = larger(to->drain_ms, larger(process->drain.requests_ms,
							   process->drain.websockets_ms));
		to->stop_deadline_ms =
			larger(to->stop_deadline_ms, process->stop.timeout_ms + SLACK_MS);
	}
}

static bool serves(const struct app_environment *environment)
{
	for (uint32_t i = 0; i < environment->process_count; i++)
		if (environment->processes[i].serves)
			return true;
	return false;
}

static uint64_t check_time(const struct resolved *resolved)
{
	uint64_t longest = 0;
	for (uint32_t i = 0; i < resolved->check_count; i++) {
		uint64_t sum = 0;
		for (uint32_t k = 0; k < resolved->checks[i].count; k++)
			sum += resolved->checks[i].probes[k].timeout_ms;
		longest = larger(longest, sum);
	}
	return longest;
}

/* The first part that has users must last until Kayenta's judge speaks, or it ends without a verdict every time. */
static int check_kayenta(const struct resolved *resolved, const struct strategy_settings *settings,
			 struct error *err)
{
	struct config_kayenta kayenta;
	char interval[32], bound[32];
	bool wanted = settings->analysis && settings->too_little != TOO_LITTLE_CONTINUE &&
		      config_kayenta(resolved, &kayenta);
	for (uint32_t i = 0; wanted && i < settings->move_count; i++) {
		const struct strategy_move *move = &settings->moves[i];
		if (move->kind != STRATEGY_MOVE_CANARY && move->kind != STRATEGY_MOVE_ROLLING)
			continue;
		if (kayenta.points * kayenta.interval_ms < move->at_most_ms)
			break;
		return error_set(
			err, ERR_INVALID,
			"kayenta: %u points of %s do not fit into \"at_most\" (%s), the longest "
			"time "
			"of the strategy's first part with users; raise that, or lower \"points\".",
			kayenta.points,
			text_format_duration(kayenta.interval_ms, interval, sizeof interval),
			text_format_duration(move->at_most_ms, bound, sizeof bound));
	}
	return 0;
}

/* Whatever the strategy was chosen by: the file, or whoever deploys. */
static int check_protocol(const struct app_environment *environment, struct error *err)
{
	const struct app_strategy *strategy = &environment->strategy;
	for (uint32_t i = 0; i < strategy->count; i++)
		if (environment->protocol == APP_PROTOCOL_TCP &&
		    (strategy->steps[i].set & APP_STEP_SHADOW))
			return error_set(err, ERR_INVALID,
					 "The strategy \"%s\" copies requests (shadow), and "
					 "\"protocol: tcp\" "
					 "passes connections on unread; use another one, such as "
					 "\"canary\".",
					 strategy->name);
	return 0;
}

int config_strategy(const struct resolved *resolved, struct strategy_settings *ret_settings,
		    struct error *err)
{
	const struct app_environment *environment = &resolved->environment;
	const struct app_strategy *strategy = &environment->strategy;
	struct judge_rules rules;
	config_rules(resolved, &rules);
	strategy_settings_init(ret_settings);
	text_copy(ret_settings->name, sizeof ret_settings->name, strategy->name);
	ret_settings->move_count = strategy->count;
	for (uint32_t i = 0; i < strategy->count; i++)
		ret_settings->moves[i] = make_move(&strategy->steps[i], samples_needed(resolved));
	take_processes(environment, ret_settings);
	ret_settings->checks = resolved->check_count > 0;
	ret_settings->verify_count = environment->verify.count;
	ret_settings->analysis =
		rules.on && serves(environment); /* workers have no requests to judge */
	ret_settings->too_little = too_little_of(&rules);
	if (resolved->check_count > 0)
		ret_settings->check_deadline_ms = check_time(resolved) + SLACK_MS;
	ret_settings->keep_warm_ms = environment->keep_warm_ms;
	ret_settings->migrate_before = environment->migrate.before.set != 0;
	ret_settings->migrate_after = environment->migrate.after.set != 0;
	ret_settings->migrate_asks = environment->migrate.ask;
	if (environment->migrate.set != 0)
		ret_settings->migrate_deadline_ms = environment->migrate.timeout_ms;
	ret_settings->before_step = environment->hooks.before_step.set != 0;
	ret_settings->after_step = environment->hooks.after_step.set != 0;
	if (environment->hooks.set != 0)
		ret_settings->step_deadline_ms = environment->hooks.timeout_ms;
	ret_settings->infrastructure = environment->infrastructure.set != 0;
	ret_settings->infrastructure_deadline_ms = environment->infrastructure.timeout_ms;
	int result = check_protocol(environment, err);
	if (result == 0)
		result = check_kayenta(resolved, ret_settings, err);
	return result < 0 ? result : strategy_check(ret_settings, err);
}
