/* SPDX-License-Identifier: Apache-2.0
 * turn - one event becomes one transition: copy, decide, commit, and only then act.
 *
 * This is the only place that writes an environment's core state, and the only one that may call
 * rollout_step(). A commit that fails leaves everything as it was: the event is lost, and that is fine,
 * because the world will be observed again and a person is told. On a full disk the turns of a way back are
 * committed from the store's reserve. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/pack.h"
#include "base/text.h"
#include "control/commands.h"
#include "control/commits.h"
#include "control/environment.h"
#include "control/hook.h"
#include "control/migration.h"
#include "control/postmortem.h"
#include "control/reports.h"
#include "control/summary.h"
#include "control/tagging.h"
#include "store/audit.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum { ENVIRONMENT_BLOB_MAX = 8192, ENVIRONMENT_BLOB_VERSION = 1, DEGRADED_RETRY_MS = 1000 };

static uint64_t wall_ms(const struct environment *e)
{
	return env_wall_ms(e->control->parts.env);
}

void environment_put(struct environment *e, const struct environment_state *state)
{
	uint8_t memory[ENVIRONMENT_BLOB_MAX], core[ENVIRONMENT_ENCODED_MAX];
	struct packer p;
	size_t core_size = environment_encode(state, core, sizeof core);
	ASSERT(core_size > 0);
	pack_init(&p, memory, sizeof memory);
	pack_u32(&p, ENVIRONMENT_BLOB_VERSION);
	pack_u32(&p, PROCESSES_MAX);
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		pack_text(&p, e->processes.name[i]);
	pack_bytes(&p, e->salt, sizeof e->salt);
	pack_bytes(&p, e->sign_key, sizeof e->sign_key);
	pack_bytes(&p, e->mirror_salt, sizeof e->mirror_salt);
	pack_u64(&p, e->config_revision);
	pack_u32(&p, (uint32_t)core_size);
	pack_bytes(&p, core, core_size);
	ASSERT(p.ok);
	struct store_environment row = {
		.state = memory, .state_size = p.size, .updated_unix_ms = wall_ms(e)};
	text_copy(row.app, sizeof row.app, e->app);
	text_copy(row.name, sizeof row.name, e->name);
	store_put_environment(e->control->parts.store, &row);
}

static const char *who_of(const struct turn_note *note)
{
	return note && note->caller ? note->caller->who : "davit";
}

static void put_rollout(struct environment *e, const struct active_rollout *r,
			const struct rollout *state, const struct plan *plan, bool with_plan,
			const char *summary)
{
	static uint8_t plan_bytes[PLAN_ENCODED_MAX], began_bytes[ANALYSIS_BEGAN_SIZE];
	uint8_t state_bytes[ROLLOUT_ENCODED_MAX];
	struct store_rollout row = {.number = r->number,
				    .created_unix_ms = r->created_unix_ms,
				    .started_unix_ms = r->started_unix_ms,
				    .verdict_to_zero_ms = r->verdict_to_zero_ms,
				    .baseline = summary};
	row.state = state_bytes;
	row.state_size = rollout_encode(state, state_bytes, sizeof state_bytes);
	if (with_plan) {
		row.plan = plan_bytes;
		row.plan_size = plan_encode(plan, plan_bytes, sizeof plan_bytes);
		ASSERT(row.plan_size > 0);
	}
	if (r == e->active && e->analysis.began_unsaved) {
		analysis_write_began(&e->analysis, began_bytes);
		row.began = began_bytes;
		row.began_size = sizeof began_bytes;
	}
	if (rollout_terminal(state))
		row.ended_unix_ms = wall_ms(e);
	text_copy(row.app, sizeof row.app, e->app);
	text_copy(row.environment, sizeof row.environment, e->name);
	text_copy(row.kind, sizeof row.kind, r->kind);
	text_copy(row.strategy, sizeof row.strategy, r->strategy);
	text_copy(row.new_release, sizeof row.new_release, r->candidate.hex);
	text_copy(row.old_release, sizeof row.old_release, r->old_hex);
	text_copy(row.state_name, sizeof row.state_name, rollout_status_name(state->status));
	text_copy(row.status, sizeof row.status, r->sentence);
	text_copy(row.by, sizeof row.by, r->by);
	text_copy(row.reason, sizeof row.reason, r->reason);
	store_put_rollout(e->control->parts.store, &row);
}

static void put_audit(struct environment *e, uint32_t rollout, const char *who, const char *action,
		      const char *reason, const char *sentence)
{
	struct store_audit_entry row = {.at_unix_ms = wall_ms(e), .rollout = rollout};
	text_copy(row.who, sizeof row.who, who);
	text_copy(row.action, sizeof row.action, action);
	text_copy(row.app, sizeof row.app, e->app);
	text_copy(row.environment, sizeof row.environment, e->name);
	text_copy(row.reason, sizeof row.reason, reason ? reason : "");
	text_copy(row.evidence, sizeof row.evidence, sentence ? sentence : "");
	store_add_audit(e->control->parts.store, &row);
}

static bool is_about_instances(enum rollout_reason reason)
{
	return reason == REASON_CRASHED || reason == REASON_NEVER_READY ||
	       reason == REASON_UNHEALTHY || reason == REASON_UNSTEADY ||
	       reason == REASON_INSTANCES || reason == REASON_STABLE_DOWN;
}

/* Why a change of status happened, in a sentence. */
static void describe(const struct environment *e, const struct active_rollout *r,
		     const struct rollout_effect *effect, const struct turn_note *note, char *to,
		     size_t size)
{
	const char *clause = rollout_reason_text(effect->reason);
	const char *whose = effect->reason == REASON_STABLE_DOWN ? r->old_hex : r->candidate.hex;
	const char *command = migration_name(&r->plan, r->state.cursor);
	const char *around = hook_step(&r->plan, r->state.cursor);
	char trouble[SENTENCE_SIZE];
	if (effect->reason == REASON_ROUTER && e->route_failed) {
		text_copy(to, size, e->route_error);
		return;
	}
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (effect->reason == REASON_INSTANCES && e->refused[slot][0]) {
			text_copy(to, size, e->refused[slot]);
			return;
		}
	if (note && note->sentence && note->sentence[0])
		text_copy(to, size, note->sentence);
	else if (note && note->caller && note->action)
		snprintf(to, size, "%s by %s%s%s", note->action, note->caller->who,
			 note->reason && note->reason[0] ? ": " : "",
			 note->reason ? note->reason : "");
	else if (effect->reason == REASON_HOOK && command) /* that it failed comes with a note */
		snprintf(to, size, "%s%s%s did not end in its time; see: davit logs %s/%s", command,
			 around[0] ? " " : "", around, e->name, command);
	else if (is_about_instances(effect->reason) &&
		 instances_trouble(e, whose, trouble, sizeof trouble))
		snprintf(to, size, "%s (%s)", clause, trouble);
	else
		text_copy(to, size, clause[0] ? clause : "the plan says so");
}

static void put_transition(struct environment *e, struct active_rollout *r,
			   const struct rollout_effect *effect, const struct turn_note *note)
{
	struct store_transition row = {.rollout = r->number, .at_unix_ms = wall_ms(e)};
	row.seq = ++r->transition_seq;
	text_copy(row.from, sizeof row.from, rollout_status_name(effect->from));
	text_copy(row.to, sizeof row.to, rollout_status_name(effect->to));
	describe(e, r, effect, note, row.why, sizeof row.why);
	store_add_transition(e->control->parts.store, &row);
	put_audit(e, r->number, who_of(note), "rollout.state", rollout_status_name(effect->to),
		  row.why);
	text_copy(r->sentence, sizeof r->sentence, row.why);
}

static const char *evidence_word(enum evidence_kind kind)
{
	switch (kind) {
	case EVIDENCE_TIME: return "time";
	case EVIDENCE_VERDICT: return "pass";
	case EVIDENCE_APPROVAL: return "approval";
	case EVIDENCE_SKIP: return "skip";
	case EVIDENCE_TOO_LITTLE: return "too-little";
	}
	return "time";
}

static void put_evidence(struct environment *e, const struct active_rollout *r, uint32_t step,
			 uint32_t attempt, const char *verdict, const struct turn_note *note,
			 const char *otherwise)
{
	struct store_evidence row = {
		.rollout = r->number, .step = step, .attempt = attempt, .at_unix_ms = wall_ms(e)};
	struct view_numbers numbers;
	struct buf data;
	const char *said = note && note->said ? note->said : "";
	bool counted = step == r->state.cursor && attempt == r->state.attempt &&
		       environment_hold_numbers(e, r, &numbers);
	buf_init(&data, STORE_BLOB_MAX);
	if (counted || said[0]) {
		summary_write_numbers(counted ? &numbers : NULL, said, &data);
		row.data = data.data;
	}
	text_copy(row.source, sizeof row.source,
		  note && note->source ? note->source : who_of(note));
	text_copy(row.verdict, sizeof row.verdict, verdict);
	text_copy(row.sentence, sizeof row.sentence,
		  note && note->sentence && note->sentence[0] ? note->sentence : otherwise);
	store_add_evidence(e->control->parts.store, &row);
	buf_done(&data);
}

static void put_bad(struct environment *e, const struct active_rollout *r,
		    const struct rollout_effect *effect, const struct turn_note *note)
{
	struct store_bad_mark row = {.at_unix_ms = wall_ms(e)};
	text_copy(row.app, sizeof row.app, e->app);
	text_copy(row.environment, sizeof row.environment, e->name);
	text_copy(row.release, sizeof row.release, r->candidate.hex);
	describe(e, r, effect, note, row.reason, sizeof row.reason);
	text_copy(row.by, sizeof row.by, who_of(note));
	store_add_bad_mark(e->control->parts.store, &row);
}

/* A draft is promised in the transaction that ends the rollout; postmortem_catch_up() keeps the promise after a crash. */
static void put_postmortem(struct environment *e, const struct active_rollout *r,
			   enum rollout_status to)
{
	char command[40];
	if (!e->control->parts.postmortems || !postmortem_is_due(r, to))
		return;
	snprintf(command, sizeof command, "davit postmortem %u", r->number);
	put_audit(e, r->number, "davit", "postmortem", command, "");
}

/* Effects that are nothing but rows: they are part of the transaction. */
static void put_effects(struct environment *e, struct active_rollout *r,
			const struct rollout_effects *effects, const struct turn_note *note)
{
	for (uint32_t i = 0; r && i < effects->count; i++) {
		const struct rollout_effect *effect = &effects->items[i];
		if (effect->kind == EFFECT_NOTIFY) {
			put_transition(e, r, effect, note);
			put_postmortem(e, r, effect->to);
			tagging_want(e, r, effect->to);
			reports_rollout(e, r, effect);
		} else if (effect->kind == EFFECT_EVIDENCE)
			put_evidence(e, r, effect->step, effect->attempt,
				     evidence_word(effect->evidence), note,
				     effect->evidence == EVIDENCE_TIME
					     ? "The time of the step is over."
				     : e->analysis.result.sentence[0] ? e->analysis.result.sentence
								      : "Passed.");
		else if (effect->kind == EFFECT_BAD)
			put_bad(e, r, effect, note);
		else if (effect->kind == EFFECT_STABLE)
			store_add_stable(e->control->parts.store, e->app, e->name, r->candidate.hex,
					 r->number, wall_ms(e));
	}
}

/* Slots follow the core: what is known of a release that got one is read from the store. */
void environment_follow_slots(struct environment *e)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		struct release_info *info = &e->releases[slot];
		const struct release_id *id = &e->core.sets[slot].document.release;
		struct digest digest;
		char hex[DIGEST_HEX_SIZE];
		struct error err;
		if (release_id_equal(&info->id, id))
			continue;
		release_info_free(info);
		e->asserted[slot] = (struct version){0};
		e->refused[slot][0] = '\0';
		if (release_id_empty(id))
			continue;
		memcpy(digest.bytes, id->bytes, sizeof digest.bytes);
		if (release_load(e, digest_format(&digest, hex), info, &err) < 0)
			log_event(LOG_ERROR, "control.release", "environment=%s error=\"%s\"",
				  e->key, err.text);
	}
}

struct change {
	struct plan *plan;
	struct environment_state core;
	struct rollout rollout;
	struct rollout_effects effects;
	enum rollout_change kind;
};

static void decide(struct environment *e, struct active_rollout *r,
		   const struct rollout_event *event, struct change *change)
{
	change->core = e->core;
	if (r) {
		*change->plan = r->plan;
		change->rollout = r->state;
		change->kind = rollout_step(change->plan, &change->core, &change->rollout, event,
					    &change->effects);
	} else {
		change->kind = standing_step(&change->core, event, &change->effects);
	}
}

/* What the document gives to the release of this rollout. */
static uint32_t weight_of(const struct environment_state *core, const struct rollout *r)
{
	uint8_t slot = environment_find(core, &r->release);
	return slot == SLOT_NONE ? 0 : core->router.weight_bp[slot];
}

static void put_weight(struct environment *e, const struct active_rollout *r,
		       const struct change *change)
{
	uint32_t was = weight_of(&e->core, &r->state),
		 is = weight_of(&change->core, &change->rollout);
	char share[16], sentence[SENTENCE_SIZE];
	if (was == is)
		return;
	text_format_share(is, share, sizeof share);
	snprintf(sentence, sizeof sentence, "%s of the requests are given to %s.", share,
		 r->candidate.tag[0] ? r->candidate.tag : "the new release");
	put_audit(e, r->number, "davit", "rollout.weight", share, sentence);
}

/* What would be lost with this change: the steps that a way back replaces, and counts that live in the
 * gateway's memory. Empty when nothing is. */
static void summarise(struct environment *e, struct active_rollout *r, const struct change *change,
		      struct buf *to)
{
	struct error ignored;
	if (!r || r->state.status == change->rollout.status || r->state.status == ROLLOUT_NONE)
		return;
	struct view_rollout *view = mem_new(sizeof *view);
	if (r == e->active)
		analysis_read(e);
	if (control_view_number(e->control, r->number, view, &ignored) == 0) {
		/* Once the plan is the way back its steps are read from it; the earlier ones are kept. */
		if (r->plan.reverts)
			view->step_count -= r->plan.step_count < view->step_count
						    ? r->plan.step_count
						    : view->step_count;
		summary_write(view, to);
	}
	free(view);
}

/* Going back from a release is what a full disk must not stop, from the command or the verdict to the last
 * instance that ends; a rollback is one all the way, and so is making way for it; a start is what any of
 * them needs first. */
static bool is_urgent(const struct active_rollout *r, const struct rollout_event *event,
		      const struct change *change)
{
	if (event->kind == EVENT_BOOT || event->kind == EVENT_ABORT ||
	    (event->kind == EVENT_NEWER && event->supersede))
		return true;
	return r && (change->rollout.status == ROLLOUT_REVERTING || change->plan->reverts ||
		     control_kind_urgent(r->kind));
}

static void put_change(struct environment *e, struct active_rollout *r,
		       const struct rollout_event *event, const struct turn_note *note,
		       const struct change *change, const struct buf *summary)
{
	if (note && note->action) {
		put_audit(e, r ? r->number : 0, who_of(note), note->action, note->reason,
			  note->sentence);
		if (note->request)
			command_answered(e->control, note->caller, note->request,
					 r ? r->number : 0);
	}
	if (r && event->kind == EVENT_EVIDENCE && event->verdict != VERDICT_PASS)
		put_evidence(e, r, event->step, event->attempt,
			     event->verdict == VERDICT_FAIL ? "fail" : "inconclusive", note, "");
	/* Rows of a rollout refer to its own row, which has to be there before them. */
	if (r && event->kind == EVENT_SUBMIT)
		put_rollout(e, r, &change->rollout, change->plan, false, NULL);
	if (r && event->kind == EVENT_SUBMIT && r->fixes != 0)
		store_add_repair(e->control->parts.store, r->number, r->fixes);
	put_effects(e, r, &change->effects, note);
	if (r)
		put_weight(e, r, change);
	if (r && event->kind == EVENT_START)
		commits_want(e, r);
	if (r)
		migration_put(e, r, change->plan, &change->rollout);
	if (r)
		put_rollout(e, r, &change->rollout, change->plan,
			    change->effects.plan_replaced || event->kind == EVENT_START,
			    summary->size > 0 ? summary->data : NULL);
	environment_put(e, &change->core);
}

static int commit(struct environment *e, struct active_rollout *r,
		  const struct rollout_event *event, const struct turn_note *note,
		  const struct change *change, struct error *err)
{
	bool urgent = is_urgent(r, event, change);
	uint32_t seq_before = r ? r->transition_seq : 0;
	char sentence_before[SENTENCE_SIZE];
	int result;
	text_copy(sentence_before, sizeof sentence_before, r ? r->sentence : "");
	struct buf summary;
	buf_init(&summary, STORE_BLOB_MAX);
	summarise(e, r, change, &summary);
	if (r && r == e->active)
		analysis_read(e); /* before traffic that this turn brings can be counted */
	FAILPOINT("control.before-commit");
	do {
		control_begin(e->control, urgent);
		put_change(e, r, event, note, change, &summary);
		result = control_commit(e->control, err);
		if (result < 0 && r) {
			r->transition_seq = seq_before;
			text_copy(r->sentence, sizeof r->sentence, sentence_before);
		}
	} while (control_again(e->control, urgent, result));
	FAILPOINT("control.after-commit");
	if (result == 0 && r && r == e->active)
		e->analysis.began_unsaved = false;
	buf_done(&summary);
	return result;
}

static void log_transitions(const struct environment *e, const struct active_rollout *r,
			    const struct rollout_effects *effects)
{
	for (uint32_t i = 0; r && i < effects->count; i++)
		if (effects->items[i].kind == EFFECT_NOTIFY)
			log_event(LOG_INFO, "rollout.state",
				  "environment=%s rollout=%u from=%s to=%s why=\"%s\"", e->key,
				  r->number, rollout_status_name(effects->items[i].from),
				  rollout_status_name(effects->items[i].to), r->sentence);
}

/* Time that only added up is committed now and then, where it counts for something. */
static bool time_is_due(const struct environment *e, const struct active_rollout *r, uint64_t now)
{
	bool soon = r || e->control->degraded;
	if (!soon && e->core.warm == SLOT_NONE)
		return false;
	return now - e->persisted_ms >= (soon ? CONTROL_PERSIST_MS : CONTROL_PERSIST_IDLE_MS);
}

/* Must this be committed before it counts? What was merely seen need not: it will be seen again. Time does, so
 * that none passes while nothing can be written; the store is then tried once a second. */
static int commit_if_due(struct environment *e, struct active_rollout *r,
			 const struct rollout_event *event, const struct turn_note *note,
			 struct change *change, struct error *err)
{
	struct control *c = e->control;
	uint64_t now = env_now_ms(c->parts.env);
	bool must = change->kind == ROLLOUT_CHANGED || (note && note->action);
	bool due = event->kind == EVENT_TICK && time_is_due(e, r, now);
	if (!must && !due)
		return 0;
	/* Where only others cannot commit, the time of a way back goes on. */
	if (!must && c->degraded && !is_urgent(r, event, change) &&
	    now - c->degraded_ms < DEGRADED_RETRY_MS)
		return error_set(err, ERR_RETRY, "%s", c->degraded_text);
	int result = commit(e, r, event, note, change, err);
	if (result < 0)
		c->degraded_ms = now;
	else
		e->persisted_ms = now;
	return result;
}

static int apply(struct environment *e, struct active_rollout *r, const struct rollout_event *event,
		 const struct turn_note *note, struct change *change, struct error *err)
{
	int result = commit_if_due(e, r, event, note, change, err);
	if (result < 0)
		return result;
	bool moved = r && (r->state.attempt != change->rollout.attempt ||
			   r->state.status != change->rollout.status);
	e->core = change->core;
	if (r) {
		r->plan = *change->plan;
		r->state = change->rollout;
		r->exposed |= weight_of(&e->core, &r->state) > 0;
		if (moved && postmortem_is_due(r, r->state.status)) {
			if (e->draft) /* the one before it ended within the same tick */
				postmortem_draft(e->control, e->draft);
			e->draft = r->number;
		}
	}
	environment_follow_slots(e);
	log_transitions(e, r, &change->effects);
	effects_execute(e, r, &change->effects);
	FAILPOINT("control.after-effects");
	if (moved)
		observe_request(e);
	return 0;
}

int environment_turn(struct environment *e, struct active_rollout *r,
		     const struct rollout_event *event, const struct turn_note *note,
		     enum rollout_answer *ret_answer, struct error *err)
{
	struct change change = {.plan = mem_new(sizeof *change.plan)};
	int result = 0;
	decide(e, r, event, &change);
	bool refused = change.effects.answer != ANSWER_NONE && change.effects.answer != ANSWER_OK;
	if (change.kind != ROLLOUT_UNCHANGED || (note && note->action && !refused))
		result = apply(e, r, event, note, &change, err);
	if (result == 0 && ret_answer)
		*ret_answer = change.effects.answer;
	free(change.plan);
	return result;
}

void environment_event(struct environment *e, const struct rollout_event *event,
		       const struct turn_note *note)
{
	struct error err;
	struct control *c = e->control;
	if (!c->stopping && environment_turn(e, e->active, event, note, NULL, &err) < 0)
		control_degrade(c, &err);
}
