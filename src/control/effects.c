/* SPDX-License-Identifier: Apache-2.0
 * effects - carry out what a committed turn decided.
 *
 * Everything here is idempotent: documents are sent again every second and at boot, so an effect that a
 * crash swallowed is carried out a little later. */
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "control/background.h"
#include "control/commands.h"
#include "control/infrastructure.h"
#include "control/migration.h"

/* The next rollout needs the directories of instances that are over; until then their logs stay for
 * whoever wants to know why. */
static void forget_ended(struct environment *e)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	char(*ids)[INSTANCE_ID_SIZE] = mem_zero(count + 1, sizeof *ids);
	size_t ended = 0;
	struct error err;
	for (size_t i = 0; i < count; i++)
		if (instance_of(e, &list[i]) && instance_state_over(list[i].state) &&
		    (list[i].state == INSTANCE_EXITED || instance_surplus(e, &list[i])))
			memcpy(ids[ended++], list[i].id, sizeof ids[0]);
	for (size_t i = 0; i < ended; i++)
		if (runtime->ops->forget(runtime, ids[i], &err) < 0)
			log_event(LOG_WARNING, "control.forget", "instance=%s error=\"%s\"", ids[i],
				  err.text);
	free(ids);
}

static void rollout_free(struct active_rollout *r)
{
	if (!r)
		return;
	release_info_free(&r->candidate);
	free(r);
}

/* A queued rollout that ended (superseded, cancelled) leaves the queue. */
static void sweep_queue(struct environment *e)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < e->queue_count; i++) {
		struct active_rollout *r = e->queue[i];
		if (rollout_terminal(&r->state)) {
			uint32_t number = r->number;
			rollout_free(r);
			control_changed(e->control, number);
		} else {
			e->queue[kept++] = r;
		}
	}
	e->queue_count = kept;
}

/* A restart brings nothing new that would have to be judged: batch by batch, each as soon as it is ready. */
static void plainly_rolling(struct strategy_settings *settings)
{
	strategy_default(settings, STRATEGY_ROLLING);
	settings->analysis = false;
	for (uint32_t i = 0; i < settings->move_count; i++)
		if (settings->moves[i].kind == STRATEGY_MOVE_ROLLING) {
			settings->moves[0] = settings->moves[i];
			settings->moves[0].at_least_ms = 0;
			settings->move_count = 1;
		}
}

static int compile(struct environment *e, struct active_rollout *r, struct process_names *ret_names,
		   struct error *err)
{
	struct strategy_settings settings;
	int result = release_settings(e, r->candidate.config, ret_names, &settings, err);
	if (result < 0)
		return result;
	if (strcmp(r->kind, "restart") == 0) {
		plainly_rolling(&settings);
		settings.migrate_before = settings.migrate_after = false;
		settings.before_step = settings.after_step = settings.infrastructure = false;
	}
	result = strcmp(r->kind, "rollback") == 0
			 ? strategy_compile_rollback(&settings, &e->core, &r->candidate.id,
						     &r->plan, err)
			 : strategy_compile(&settings, &e->core, &r->candidate.id, &r->plan, err);
	r->plan.needs_approval = gating_wanted(e, r);
	return result;
}

/* What cannot be planned any more never begins; the sentence says why. It is freed with that. */
static bool withdraw(struct environment *e, struct active_rollout *r, const struct error *why)
{
	struct rollout_event event = {.kind = EVENT_ABORT};
	struct turn_note note = {.sentence = why->text};
	uint32_t number = r->number;
	struct error err;
	if (environment_turn(e, r, &event, &note, NULL, &err) == 0)
		return true;
	log_event(LOG_ERROR, "control.plan", "environment=%s rollout=%u error=\"%s\"", e->key,
		  number, err.text);
	return false;
}

/* What was marked bad while it waited does not begin. */
static int check_marks(struct environment *e, const struct active_rollout *r, struct error *err)
{
	return strcmp(r->kind, "deploy") == 0 && !r->allow_bad
		       ? command_check_bad(e, r->candidate.hex, err)
		       : 0;
}

/* False: not committed, or not now; it waits where it was. It may have ended when this returns: then it has
 * been freed. */
static bool begin(struct environment *e, struct active_rollout *r,
		  const struct process_names *names)
{
	struct process_names before = e->processes;
	struct rollout_event start = {.kind = EVENT_START, .number = r->number};
	enum rollout_answer answer = ANSWER_NONE;
	const struct release_info *live = environment_release(e, e->core.stable);
	struct error err;
	text_copy(r->old_hex, sizeof r->old_hex, live ? live->hex : "");
	r->started_unix_ms = env_wall_ms(e->control->parts.env);
	memmove(e->queue, e->queue + 1, sizeof e->queue[0] * --e->queue_count);
	e->active = r;
	e->processes = *names;
	analysis_rollout_began(e);
	if (environment_turn(e, r, &start, NULL, &answer, &err) == 0 && answer == ANSWER_OK)
		return true;
	r->started_unix_ms = 0;
	r->old_hex[0] = '\0';
	e->active = NULL;
	e->processes = before;
	memmove(e->queue + 1, e->queue, sizeof e->queue[0] * e->queue_count++);
	e->queue[0] = r;
	return false;
}

/* Whoever goes back does not wait for what is on its way; else the newer release's configuration says, but a
 * migration that has come behind MARK is not cut off. */
static bool supersedes(const struct environment *e, const struct active_rollout *r)
{
	return strcmp(r->kind, "rollback") == 0 ||
	       (r->candidate.config->environment.concurrency == APP_CONCURRENCY_SUPERSEDE &&
		!(e->active && migration_ahead(e->active)));
}

/* Of those that wait only the newest will ever run. Said at every tick while one waits: a crash may have come
 * between its place in the queue and this. */
static void make_way(struct environment *e)
{
	struct active_rollout *newest = e->queue[e->queue_count - 1];
	struct rollout_event newer = {.kind = EVENT_NEWER, .supersede = supersedes(e, newest)};
	while (e->queue[0] != newest) {
		uint32_t waiting = e->queue_count;
		struct error err;
		if (environment_turn(e, e->queue[0], &newer, NULL, NULL, &err) < 0 ||
		    e->queue_count == waiting)
			break;
	}
	/* What waits to be approved has not begun: the newer one takes its place in any case. */
	newer.supersede |= e->active && infrastructure_at_gate(e->active);
	if (e->active && (newer.supersede || e->active->state.status == ROLLOUT_GATED))
		environment_event(e, &newer, NULL);
}

/* Is there one, and can it be committed, as far as we know? */
static bool may_begin(const struct environment *e)
{
	return e->queue_count > 0 &&
	       (!e->control->degraded || control_kind_urgent(e->queue[e->queue_count - 1]->kind));
}

void environment_start_next(struct environment *e)
{
	struct control *c = e->control;
	if (may_begin(e))
		make_way(e);
	while (!e->active && e->core.rollout == 0 && may_begin(e)) {
		struct active_rollout *r = e->queue[0];
		uint32_t number = r->number;
		struct process_names names;
		struct error err;
		if (check_marks(e, r, &err) < 0 || compile(e, r, &names, &err) < 0) {
			if (!withdraw(e, r, &err))
				return;
			continue;
		}
		if (!begin(e, r, &names))
			return;
		control_changed(c, number);
	}
}

static void rollout_ended(struct environment *e)
{
	struct active_rollout *r = e->active;
	if (!r || !rollout_terminal(&r->state))
		return;
	uint32_t number = r->number;
	analysis_cancel(e);
	infrastructure_forget(e, r);
	e->active = NULL;
	e->control->offers_due |= r->state.status == ROLLOUT_SUCCEEDED;
	rollout_free(r);
	background_collect(e->control);
	control_changed(e->control, number);
}

static void execute(struct environment *e, struct active_rollout *r,
		    const struct rollout_effect *effect)
{
	switch (effect->kind) {
	case EFFECT_ROUTE: routing_send(e); break;
	case EFFECT_SET: instances_assert(e, effect->slot); break;
	case EFFECT_FETCH: break; /* the caller's */
	case EFFECT_ANALYSE: analysis_begin(e, effect->step, effect->attempt); break;
	case EFFECT_NOTIFY:
		if (effect->from == ROLLOUT_QUEUED && r == e->active)
			forget_ended(e);
		if (effect->to == ROLLOUT_REVERTING && effect->from != ROLLOUT_STUCK)
			r->verdict_at_ms =
				routing_serves_candidate(e) ? env_now_ms(e->control->parts.env) : 0;
		if (effect->to == ROLLOUT_REVERTING)
			analysis_cancel(e);
		control_changed(e->control, r->number);
		break;
	case EFFECT_STABLE: routing_send(e); break;
	case EFFECT_HOOK: /* migration_tick() starts it */
	case EFFECT_EVIDENCE:
	case EFFECT_BAD:
	case EFFECT_GONE:
	case EFFECT_FREE: /* rows, written with the turn; the queue is looked at below */
	case EFFECT_COUNT: break;
	}
}

void effects_execute(struct environment *e, struct active_rollout *r,
		     const struct rollout_effects *effects)
{
	const struct rollout_effect *fetching = NULL;
	for (uint32_t i = 0; i < effects->count; i++) {
		if (effects->items[i].kind == EFFECT_FETCH)
			fetching = &effects->items[i];
		else
			execute(e, r, &effects->items[i]);
		FAILPOINT("control.between-effects");
	}
	/* A fetch may answer at once, with a turn of its own: it comes last. */
	if (fetching)
		background_fetch(e, r);
	if (r && r == e->active && rollout_terminal(&r->state))
		rollout_ended(e);
	sweep_queue(e);
	if (effects->count > 0)
		observe_request(e);
}
