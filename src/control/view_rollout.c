/* SPDX-License-Identifier: Apache-2.0
 * view_rollout - one rollout as people see it: under way from what is in memory, ended from the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/brought.h"
#include "control/environment.h"
#include "control/infrastructure.h"
#include "control/known.h"
#include "control/migration.h"
#include "control/summary.h"
#include "control/view.h"
#include "control/view_judge.h"
#include "control/view_source.h"
#include "provider/ticks.h"
#include "store/git_tags.h"
#include "store/releases.h"
#include "store/rollouts.h"
#include "store/tag_pushes.h"

enum {
	EXIT_FINE = 0,
	EXIT_REJECTED = 13,
	EXIT_ROLLED_BACK = 11,
	EXIT_DEGRADED = 12,
	EXIT_CANCELLED = 15,
	EXIT_NOT_ALLOWED = 4
};

static uint32_t exit_code_of(const struct rollout *r, const char *kind)
{
	switch (r->status) {
	case ROLLOUT_REVERTED:
		/* A rollback that came back has left live what somebody wanted to be rid of. */
		return r->reason == REASON_OPERATOR || r->reason == REASON_NEWER ? EXIT_CANCELLED
		       : strcmp(kind, "rollback") == 0                           ? EXIT_DEGRADED
										 : EXIT_ROLLED_BACK;
	case ROLLOUT_REJECTED:
		return r->reason == REASON_BAD_LISTED ? EXIT_NOT_ALLOWED
		       : r->reason == REASON_FETCH    ? EXIT_ROLLED_BACK
						      : EXIT_REJECTED;
	case ROLLOUT_SUPERSEDED:
	case ROLLOUT_CANCELLED: return EXIT_CANCELLED;
	case ROLLOUT_STUCK: return EXIT_DEGRADED;
	case ROLLOUT_NONE:
	case ROLLOUT_QUEUED:
	case ROLLOUT_GATED:
	case ROLLOUT_RUNNING:
	case ROLLOUT_PAUSED:
	case ROLLOUT_REVERTING:
	case ROLLOUT_SUCCEEDED:
	case ROLLOUT_STATUS_COUNT: break;
	}
	return EXIT_FINE;
}

static void name_release(struct control *c, const char *hex, struct view_release *to)
{
	struct store_release row;
	struct error ignored;
	if (hex[0] && store_release_get(c->parts.store, hex, &row, NULL, &ignored) == 0) {
		text_copy(to->tag, sizeof to->tag, row.tag);
		text_copy(to->by, sizeof to->by, row.by);
		to->since_unix_ms = row.created_unix_ms;
	}
}

static const char *step_state(const struct rollout *r, uint32_t index, uint32_t count)
{
	if (r->status == ROLLOUT_SUCCEEDED || index < r->cursor)
		return "done";
	if (rollout_terminal(r))
		return r->status == ROLLOUT_REVERTED ? "done"
		       : index == r->cursor          ? "failed"
						     : "skipped";
	(void)count;
	return index == r->cursor && r->status != ROLLOUT_QUEUED && r->status != ROLLOUT_NONE
		       ? "active"
		       : "waiting";
}

static void show_steps(const struct source *s)
{
	const char *names[PROCESSES_MAX];
	struct view_rollout *v = s->view;
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		names[i] = s->environment ? s->environment->processes.name[i] : "";
	/* What was there before the turn, then what leads back. */
	uint32_t before = s->plan.reverts ? v->step_count : 0;
	for (uint32_t i = 0; i < before; i++)
		if (strcmp(v->steps[i].state, "active") == 0)
			text_copy(v->steps[i].state, VIEW_WORD_SIZE, "failed");
		else if (strcmp(v->steps[i].state, "waiting") == 0)
			text_copy(v->steps[i].state, VIEW_WORD_SIZE, "skipped");
	v->step_count = before;
	for (uint32_t i = 0; i < s->plan.step_count && v->step_count < VIEW_STEPS_MAX; i++) {
		const struct plan_step *from = &s->plan.steps[i];
		struct view_step *to = &v->steps[v->step_count++];
		memset(to, 0, sizeof *to);
		text_copy(to->op, sizeof to->op, plan_op_name(from->op));
		text_copy(to->label, sizeof to->label, from->label);
		plan_step_describe(&s->plan, i, names, to->text, sizeof to->text);
		text_copy(to->state, sizeof to->state,
			  step_state(&s->state, i, s->plan.step_count));
		to->for_ms = from->for_ms;
		to->at_most_ms = from->at_most_ms;
		to->weight_bp = from->op == PLAN_ROUTE ? from->weight_bp[PLAN_CANDIDATE] : 0;
	}
	v->step = before + s->state.cursor;
	v->plan_step = s->state.cursor;
}

static void show_track(const struct counts_track *track, const struct router_counters *base,
		       struct view_traffic *to)
{
	struct judge_counts counts;
	if (!track->present)
		return;
	analysis_counts(track, base, &counts);
	to->requests = counts.requests;
	to->errors = judge_errors(&counts);
	uint64_t total = histogram_total(counts.latency);
	if (total > 0) {
		to->p50_us = histogram_upper_us(histogram_quantile(counts.latency, total, 5000));
		to->p99_us = histogram_upper_us(histogram_quantile(counts.latency, total, 9900));
	}
	uint64_t over = track->now.completed + track->now.lost;
	to->in_flight = track->now.started > over ? track->now.started - over : 0;
}

static void show_share(struct view_traffic *fresh, const struct view_traffic *old)
{
	uint64_t all = fresh->requests + old->requests;
	if (all > 0)
		fresh->share_bp = (uint32_t)(fresh->requests * SHARE_FULL_BP / all);
}

bool environment_hold_numbers(const struct environment *e, const struct active_rollout *r,
			      struct view_numbers *ret_numbers)
{
	const struct analysis *a = &e->analysis;
	*ret_numbers = (struct view_numbers){.known = false};
	if (r != e->active || r->state.cursor >= r->plan.step_count ||
	    r->plan.steps[r->state.cursor].op != PLAN_HOLD || a->step != r->state.cursor ||
	    a->attempt != r->state.attempt)
		return false;
	ret_numbers->known = true;
	ret_numbers->held_ms = r->state.held_ms;
	show_track(&a->fresh, &a->fresh.base, &ret_numbers->new_traffic);
	show_track(&a->live, &a->live.base, &ret_numbers->old_traffic);
	show_share(&ret_numbers->new_traffic, &ret_numbers->old_traffic);
	const struct judge *judge = judging_judge(e);
	if (judge && judge->new_requests > 0) {
		ret_numbers->odds = view_judge_odds(judge_odds(judge));
		ret_numbers->fine = view_judge_odds(judge_fine(judge));
	}
	return true;
}

static uint32_t sum_of(const uint16_t counts[PROCESSES_MAX])
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		sum += counts[i];
	return sum;
}

static void show_live(const struct source *s)
{
	const struct environment *e = s->environment;
	const struct active_rollout *r = s->active;
	struct view_rollout *v = s->view;
	const struct analysis *a = &e->analysis;
	uint8_t slot = environment_find(&e->core, &r->state.release);
	show_track(&a->fresh, &a->fresh.began, &v->new_traffic);
	show_track(&a->live, &a->live.began, &v->old_traffic);
	show_share(&v->new_traffic, &v->old_traffic);
	if (slot != SLOT_NONE) {
		v->weight_bp = e->core.router.weight_bp[slot];
		v->new_ready = sum_of(e->core.sets[slot].seen.ready);
		v->new_want = sum_of(e->core.sets[slot].document.count);
	}
	if (e->core.stable != SLOT_NONE && e->core.stable != slot) {
		v->old_ready = sum_of(e->core.sets[e->core.stable].seen.ready);
		v->old_want = sum_of(e->core.sets[e->core.stable].document.count);
	}
	if (r->state.cursor < r->plan.step_count &&
	    r->plan.steps[r->state.cursor].op == PLAN_HOLD) {
		const struct plan_step *step = &r->plan.steps[r->state.cursor];
		v->hold_for_ms = step->for_ms;
		v->hold_held_ms = r->state.held_ms;
		v->hold_at_most_ms = step->at_most_ms;
		v->hold_at_least_requests = step->min_samples;
		v->hold_judged = judging_judge(e) && step->analyses & ANALYSIS_LIVE;
		if (environment_hold_numbers(e, r, &v->hold_numbers))
			v->hold_requests = v->hold_numbers.new_traffic.requests;
	}
	/* On the way back what was kept is shown: what is counted there has decided nothing. */
	if (!r->plan.reverts)
		view_judge_fill(e, &v->hold_numbers, &v->judge);
}

static int add_evidence(void *context, const struct store_evidence *row)
{
	struct view_rollout *v = context;
	if (v->evidence_count == VIEW_EVIDENCE_MAX) /* what came last says most */
		memmove(v->evidence, v->evidence + 1, sizeof v->evidence[0] * --v->evidence_count);
	struct view_evidence *to = &v->evidence[v->evidence_count++];
	to->step = row->step;
	to->attempt = row->attempt;
	to->at_unix_ms = row->at_unix_ms;
	to->numbers.known = false;
	to->said[0] = '\0';
	if (row->data)
		summary_read_numbers(row->data, &to->numbers, to->said);
	text_copy(to->verdict, sizeof to->verdict, row->verdict);
	text_copy(to->text, sizeof to->text, row->sentence);
	return 0;
}

static int add_transition(void *context, const struct store_transition *row)
{
	struct view_rollout *v = context;
	if (v->history_count == VIEW_HISTORY_MAX)
		memmove(v->history, v->history + 1, sizeof v->history[0] * --v->history_count);
	struct view_transition *to = &v->history[v->history_count++];
	to->seq = row->seq;
	to->at_unix_ms = row->at_unix_ms;
	text_copy(to->from, sizeof to->from, row->from);
	text_copy(to->to, sizeof to->to, row->to);
	text_copy(to->text, sizeof to->text, row->why);
	return 0;
}

static void show_gate(const struct source *s)
{
	struct view_gate *v = &s->view->gate;
	struct active_rollout *r = s->environment ? s->environment->active : NULL;
	struct error ignored;
	if (!s->active || s->active != r || !gating_asks(r))
		return;
	struct gating *g = mem_new(sizeof *g);
	if (gating_look(s->environment, r, g, &ignored) == 0) {
		v->waits = true;
		text_copy(v->hash, sizeof v->hash, g->hash);
		text_copy(v->text, sizeof v->text, g->sentence);
		text_copy(v->by, sizeof v->by, g->by);
		text_copy(v->from, sizeof v->from, g->rules.from ? g->rules.from : "");
		v->not_author = g->not_author;
		v->needed = g->rules.count;
		v->given = g->facts.yes;
		v->expires_unix_ms = g->rules.count > 0 && g->rules.expires_ms != UINT64_MAX
					     ? g->facts.asked_unix_ms + g->rules.expires_ms
					     : 0;
		v->soak_ms = g->rules.soak_ms;
		v->soaked_ms = g->facts.soaked_ms;
		v->opens_in_ms = g->facts.opens_in_ms;
		known_show(s->environment->control, r->candidate.hex, &v->findings);
		brought_show(s->environment, r, g->before, &v->brought);
		for (uint32_t i = 0; i < g->answer_count && i < VIEW_ANSWERS_MAX; i++) {
			struct view_answer *to = &v->answers[v->answer_count++];
			text_copy(to->person, sizeof to->person, g->answers[i].person);
			text_copy(to->verdict, sizeof to->verdict, g->answers[i].verdict);
			text_copy(to->reason, sizeof to->reason, g->answers[i].reason);
			to->at_unix_ms = g->answers[i].at_unix_ms;
		}
	}
	free(g);
}

static void show_infrastructure(const struct source *s)
{
	struct view_infrastructure *v = &s->view->infrastructure;
	struct store_infrastructure row;
	if (!s->environment || !infrastructure_read(s->environment, s->view->number, &row))
		return;
	v->planned = true;
	v->changes = row.changes;
	text_copy(v->digest, sizeof v->digest, row.digest);
	text_copy(v->summary, sizeof v->summary, row.summary);
}

static int fill_from_row(void *context, const struct store_rollout *row)
{
	struct source *s = context;
	struct view_rollout *v = s->view;
	char key[CONTROL_KEY_SIZE];
	v->number = row->number;
	text_copy(v->app, sizeof v->app, row->app);
	text_copy(v->environment, sizeof v->environment, row->environment);
	text_copy(v->kind, sizeof v->kind, row->kind);
	text_copy(v->strategy, sizeof v->strategy, row->strategy);
	text_copy(v->by, sizeof v->by, row->by);
	text_copy(v->reason, sizeof v->reason, row->reason);
	text_copy(v->new_release.release, sizeof v->new_release.release, row->new_release);
	text_copy(v->old_release.release, sizeof v->old_release.release, row->old_release);
	v->started_unix_ms = row->started_unix_ms ? row->started_unix_ms : row->created_unix_ms;
	v->ended_unix_ms = row->ended_unix_ms;
	v->verdict_to_zero_ms = row->verdict_to_zero_ms > 0 ? (uint64_t)row->verdict_to_zero_ms : 0;
	if (row->baseline)
		summary_read(row->baseline, v);
	s->have_plan = row->plan && plan_decode(&s->plan, row->plan, row->plan_size);
	(void)!rollout_decode(&s->state, row->state, row->state_size);
	snprintf(key, sizeof key, "%s/%s", row->app, row->environment);
	s->environment = environment_find_key(s->control, key);
	struct environment *e = s->environment;
	for (uint32_t i = 0; e && i <= e->queue_count; i++) {
		const struct active_rollout *r = i == e->queue_count ? e->active : e->queue[i];
		if (r && r->number == row->number)
			s->active = r;
	}
	return 0;
}

/* After a way back, or on it: an instance of the new release that went wrong, or any that is left of it. */
static void find_suspect(const struct source *s)
{
	struct view_rollout *v = s->view;
	struct runtime *runtime = s->control->parts.runtime;
	const struct instance_status *list;
	if (s->state.status != ROLLOUT_REVERTING && s->state.status != ROLLOUT_REVERTED &&
	    s->state.status != ROLLOUT_STUCK)
		return;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++) {
		bool done = migration_instance(&list[i]) && list[i].exit_known &&
			    list[i].exit_code == 0;
		if (strcmp(list[i].release, v->new_release.release) != 0 || done)
			continue;
		if (!v->suspect[0] || list[i].state == INSTANCE_FAILED || list[i].restarts > 0)
			text_copy(v->suspect, sizeof v->suspect, list[i].id);
	}
}

static int show_tag_push(struct control *c, uint32_t number, struct view_git_tag *to,
			 struct error *err)
{
	struct store_tag_push *push = mem_zero(1, sizeof *push);
	int found = store_tag_push_get(c->parts.store, number, push, err);
	if (found > 0) {
		text_copy(to->push_state, sizeof to->push_state, push->state);
		text_copy(to->push_to, sizeof to->push_to, push->remote);
		text_copy(to->push_text, sizeof to->push_text, push->why);
		to->push_tries = push->tries;
	}
	free(push);
	return found < 0 ? found : 0;
}

static int show_git_tag(struct control *c, uint32_t number, struct view_git_tag *to,
			struct error *err)
{
	struct store_git_tag *tag = mem_zero(1, sizeof *tag);
	int found = store_git_tag_get(c->parts.store, number, tag, err);
	if (found > 0) {
		text_copy(to->name, sizeof to->name, tag->name);
		text_copy(to->state, sizeof to->state, tag->state);
		text_copy(to->text, sizeof to->text, tag->why);
	}
	free(tag);
	return found < 0 ? found : show_tag_push(c, number, to, err);
}

static int fill(struct source *s, uint32_t number, struct error *err)
{
	struct control *c = s->control;
	struct view_rollout *v = s->view;
	int result = store_rollout_get(c->parts.store, number, fill_from_row, s, err);
	if (result < 0)
		return result;
	if (s->active) { /* what time has added up since the last commit */
		s->state = s->active->state;
		s->plan = s->active->plan;
		if (s->active->verdict_to_zero_ms > 0)
			v->verdict_to_zero_ms = (uint64_t)s->active->verdict_to_zero_ms;
		s->have_plan = true;
	}
	name_release(c, v->new_release.release, &v->new_release);
	name_release(c, v->old_release.release, &v->old_release);
	text_copy(v->state, sizeof v->state, rollout_status_name(s->state.status));
	v->attempt = s->state.attempt;
	v->ended = rollout_terminal(&s->state);
	v->exit_code = exit_code_of(&s->state, v->kind);
	uint64_t until = v->ended_unix_ms ? v->ended_unix_ms : env_wall_ms(c->parts.env);
	v->elapsed_ms = until > v->started_unix_ms ? until - v->started_unix_ms : 0;
	if (s->have_plan)
		show_steps(s);
	if (s->active && s->environment->active == s->active)
		show_live(s);
	else if (s->state.status == ROLLOUT_SUCCEEDED)
		v->weight_bp = SHARE_FULL_BP;
	result = store_evidence(c->parts.store, number, add_evidence, v, err);
	if (result == 0)
		result = store_transitions(c->parts.store, number, add_transition, v, err);
	if (result == 0)
		result = show_git_tag(c, number, &v->git_tag, err);
	const struct release_info *live =
		s->environment ? environment_release(s->environment, s->environment->core.stable)
			       : NULL;
	text_copy(v->serving, sizeof v->serving, live ? live->tag : "");
	find_suspect(s);
	show_gate(s);
	show_infrastructure(s);
	view_way_back(v, s->active && s->active->verdict_at_ms > 0);
	view_explain(s);
	return result;
}

static int first_number(void *context, const struct store_rollout *row)
{
	*(uint32_t *)context = row->number;
	return 1;
}

/* The rollout that an environment's name means: the one under way, else the last. */
static int number_of(struct control *c, const char *text, uint32_t *ret_number, struct error *err)
{
	char key[CONTROL_KEY_SIZE];
	uint64_t number;
	if (text_parse_u64(text, UINT32_MAX, &number)) {
		*ret_number = (uint32_t)number;
		return 0;
	}
	int result = control_resolve_environment(c, text, key, err);
	if (result < 0)
		return result;
	const struct environment *e = environment_find_key(c, key);
	*ret_number = e->active ? e->active->number : 0;
	if (*ret_number)
		return 0;
	struct store_rollout_filter filter = {.app = e->app, .environment = e->name, .limit = 1};
	result = store_rollouts(c->parts.store, &filter, first_number, ret_number, err);
	if (result < 0)
		return result;
	return *ret_number
		       ? 0
		       : error_set(err, ERR_NOT_FOUND, "Nothing was ever deployed to %s.", e->key);
}

int control_view_number(struct control *c, uint32_t number, struct view_rollout *ret_view,
			struct error *err)
{
	struct source *s = mem_zero(1, sizeof *s);
	s->control = c;
	s->view = ret_view;
	memset(ret_view, 0, sizeof *ret_view);
	int result = fill(s, number, err);
	free(s);
	return result;
}

int control_view_rollout(struct control *c, const char *rollout, struct view_rollout *ret_view,
			 struct error *err)
{
	uint32_t number;
	int result = number_of(c, rollout, &number, err);
	return result < 0 ? result : control_view_number(c, number, ret_view, err);
}

int control_read_ticks(struct control *c, uint32_t number, uint64_t *at, ticks_visit visit,
		       void *context, struct error *err)
{
	struct ticks *ticks = c->parts.ticks;
	if (!ticks)
		return error_set(err, ERR_NOT_FOUND, "This server keeps no ticks.");
	return ticks->ops->read(ticks, number, at, visit, context, err);
}
