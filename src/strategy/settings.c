/* SPDX-License-Identifier: Apache-2.0
 * settings - defaults and checks of strategy.h. */
#include <string.h>

#include "base/text.h"
#include "strategy/strategy.h"

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	BATCH_LEAST_BP = SHARE_FULL_BP / STRATEGY_BATCHES_MAX,
};

static const char *const kind_names[] = {
#define X(name, text) text,
	STRATEGY_KINDS(X)
#undef X
};

static const char *const move_names[] = {
#define X(name, text) text,
	STRATEGY_MOVES(X)
#undef X
};

const char *strategy_kind_name(enum strategy_kind kind)
{
	ASSERT(kind < STRATEGY_KIND_COUNT);
	return kind_names[kind];
}

const char *strategy_move_name(enum strategy_move_kind kind)
{
	ASSERT(kind < STRATEGY_MOVE_COUNT);
	return move_names[kind];
}

void strategy_settings_init(struct strategy_settings *settings)
{
	memset(settings, 0, sizeof *settings);
	settings->process[0] = (struct process_shape){.count = 1, .traffic = true};
	settings->analysis = true;
	settings->too_little = TOO_LITTLE_HOLD;
	settings->inconclusive_max = 3;
	settings->control_bp = 100;
	settings->fetch_deadline_ms = 10 * MINUTE_MS;
	settings->ready_deadline_ms = MINUTE_MS;
	settings->min_ready_ms = 10 * SECOND_MS;
	settings->check_deadline_ms = 5 * MINUTE_MS;
	settings->route_deadline_ms = 10 * SECOND_MS;
	settings->drain_ms = 30 * SECOND_MS;
	settings->stop_deadline_ms = 35 * SECOND_MS;
	settings->keep_warm_ms = 10 * MINUTE_MS;
	settings->migrate_deadline_ms = 15 * MINUTE_MS;
	settings->step_deadline_ms = 5 * MINUTE_MS;
}

struct strategy_move strategy_move_default(enum strategy_move_kind kind)
{
	struct strategy_move move = {.kind = kind, .min_samples = 50};

	switch (kind) {
	case STRATEGY_MOVE_CANARY:
		move.share_count = 3;
		move.share_bp[0] = 100;
		move.share_bp[1] = 1000;
		move.share_bp[2] = 5000;
		move.at_least_ms = 2 * MINUTE_MS;
		break;
	case STRATEGY_MOVE_SHADOW:
		move.share_count = 1;
		move.share_bp[0] = 1000;
		move.at_least_ms = 2 * MINUTE_MS;
		break;
	case STRATEGY_MOVE_ROLLING:
		move.batch_bp = 2500;
		move.surge = true;
		move.at_least_ms = 10 * SECOND_MS;
		break;
	case STRATEGY_MOVE_BAKE: move.at_least_ms = 5 * MINUTE_MS; break;
	case STRATEGY_MOVE_CHECK: move.min_samples = 0; break;
	case STRATEGY_MOVE_SWITCH:
	case STRATEGY_MOVE_RECREATE:
	case STRATEGY_MOVE_COUNT: break;
	}
	return move;
}

void strategy_default(struct strategy_settings *settings, enum strategy_kind kind)
{
	enum { END = STRATEGY_MOVE_COUNT };
	static const enum strategy_move_kind lists[STRATEGY_KIND_COUNT][STRATEGY_MOVES_MAX] = {
		[STRATEGY_BLUE_GREEN] = {STRATEGY_MOVE_CHECK, STRATEGY_MOVE_SWITCH,
					 STRATEGY_MOVE_BAKE, (enum strategy_move_kind)END},
		[STRATEGY_CANARY] = {STRATEGY_MOVE_CHECK, STRATEGY_MOVE_CANARY,
				     STRATEGY_MOVE_SWITCH, STRATEGY_MOVE_BAKE,
				     (enum strategy_move_kind)END},
		[STRATEGY_ROLLING] = {STRATEGY_MOVE_CHECK, STRATEGY_MOVE_ROLLING,
				      STRATEGY_MOVE_BAKE, (enum strategy_move_kind)END},
		[STRATEGY_RECREATE] = {STRATEGY_MOVE_RECREATE, STRATEGY_MOVE_BAKE,
				       (enum strategy_move_kind)END},
		[STRATEGY_SHADOW] = {STRATEGY_MOVE_CHECK, STRATEGY_MOVE_SHADOW,
				     STRATEGY_MOVE_CANARY, STRATEGY_MOVE_SWITCH, STRATEGY_MOVE_BAKE,
				     (enum strategy_move_kind)END},
	};

	text_copy(settings->name, sizeof settings->name, strategy_kind_name(kind));
	settings->move_count = 0;
	for (uint32_t i = 0; lists[kind][i] != (enum strategy_move_kind)END; i++)
		settings->moves[settings->move_count++] = strategy_move_default(lists[kind][i]);
}

static int check_shares(const struct strategy_move *move, struct error *err)
{
	uint32_t before = 0;

	if (move->share_count < 1 || move->share_count > STRATEGY_SHARES_MAX)
		return error_set(err, ERR_INVALID, "A %s needs 1 to %d shares.",
				 strategy_move_name(move->kind), STRATEGY_SHARES_MAX);
	for (uint32_t i = 0; i < move->share_count; i++) {
		if (move->share_bp[i] > SHARE_FULL_BP || move->share_bp[i] <= before)
			return error_set(
				err, ERR_INVALID,
				"The shares of a %s must rise from step to step, up to 100%%.",
				strategy_move_name(move->kind));
		before = move->share_bp[i];
	}
	return ERR_OK;
}

static int check_move(const struct strategy_move *move, struct error *err)
{
	if (move->at_most_ms > 0 && move->at_most_ms < move->at_least_ms)
		return error_set(err, ERR_INVALID,
				 "A %s may last \"at_most\" less than it must last \"at_least\".",
				 strategy_move_name(move->kind));
	if (move->kind == STRATEGY_MOVE_CANARY || move->kind == STRATEGY_MOVE_SHADOW)
		return check_shares(move, err);
	if (move->kind == STRATEGY_MOVE_ROLLING &&
	    (move->batch_bp < BATCH_LEAST_BP || move->batch_bp > SHARE_FULL_BP))
		return error_set(err, ERR_INVALID,
				 "A batch of a rolling update is 10%% to 100%% of the instances.");
	return ERR_OK;
}

/* Moves that take the candidate to all requests. */
static bool completes(enum strategy_move_kind kind)
{
	return kind == STRATEGY_MOVE_SWITCH || kind == STRATEGY_MOVE_ROLLING ||
	       kind == STRATEGY_MOVE_RECREATE;
}

static int check_order(const struct strategy_settings *s, struct error *err)
{
	bool complete = false, shared = false;

	for (uint32_t i = 0; i < s->move_count; i++) {
		enum strategy_move_kind kind = s->moves[i].kind;
		bool alone = kind == STRATEGY_MOVE_ROLLING || kind == STRATEGY_MOVE_RECREATE;
		if (complete && kind != STRATEGY_MOVE_BAKE)
			return error_set(err, ERR_INVALID,
					 "After \"%s\" all requests are on the new release; only "
					 "\"bake\" can follow, not \"%s\".",
					 strategy_move_name(s->moves[i - 1].kind),
					 strategy_move_name(kind));
		if (shared && alone)
			return error_set(err, ERR_INVALID,
					 "\"%s\" cannot follow \"canary\": instances of both "
					 "releases serve already; use \"switch\".",
					 strategy_move_name(kind));
		complete = complete || completes(kind);
		shared = shared || kind == STRATEGY_MOVE_CANARY;
	}
	if (s->report_only &&
	    (complete || shared || s->moves[s->move_count - 1].kind != STRATEGY_MOVE_SHADOW))
		return error_set(
			err, ERR_INVALID,
			"A strategy that only reports ends with \"shadow\" and gives the new "
			"release no requests.");
	return ERR_OK;
}

static int check_processes(const struct strategy_settings *s, struct error *err)
{
	bool recreate = false, any = false;

	for (uint32_t i = 0; i < s->move_count; i++)
		recreate = recreate || s->moves[i].kind == STRATEGY_MOVE_RECREATE;
	for (uint32_t p = 0; p < PROCESSES_MAX; p++) {
		const struct process_shape *shape = &s->process[p];
		if (shape->count > PROCESS_INSTANCES_MAX)
			return error_set(err, ERR_LIMIT, "A process can have at most %d instances.",
					 PROCESS_INSTANCES_MAX);
		any = any || shape->count > 0;
		if (shape->count > 0 && shape->traffic && shape->handover == HANDOVER_STOP_FIRST &&
		    !recreate)
			return error_set(err, ERR_INVALID,
					 "A process that takes requests and has to stop before its "
					 "successor starts can only be deployed by \"recreate\".");
	}
	if (!any)
		return error_set(err, ERR_INVALID,
				 "At least one process needs an instance, or nothing would run.");
	return ERR_OK;
}

int strategy_check(const struct strategy_settings *settings, struct error *err)
{
	if (settings->move_count < 1 || settings->move_count > STRATEGY_MOVES_MAX)
		return error_set(err, ERR_INVALID, "A strategy has 1 to %d steps.",
				 STRATEGY_MOVES_MAX);
	if (settings->control_bp > SHARE_FULL_BP / 2)
		return error_set(
			err, ERR_INVALID,
			"The old release keeps at most half of the requests while baking.");
	for (uint32_t i = 0; i < settings->move_count; i++) {
		int result = check_move(&settings->moves[i], err);
		if (result < 0)
			return result;
	}
	int result = check_order(settings, err);
	return result < 0 ? result : check_processes(settings, err);
}
