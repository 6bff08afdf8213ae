/* SPDX-License-Identifier: Apache-2.0
 * postmortem_facts - what the store knows of a rollout that has ended, for its post-mortem. Only records are read,
 * nothing of now: the same records give the same facts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/config_compare.h"
#include "control/environment.h"
#include "control/postmortem.h"
#include "control/view.h"
#include "store/audit.h"
#include "store/commits.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum { SHARES_MAX = 512 };

/* What was given of the users' requests, from a moment on. */
struct share {
	uint64_t at_unix_ms;
	uint32_t bp;
};

struct gathering {
	struct control *control;
	struct postmortem *facts;
	struct view_rollout *view;
	bool rollback;
	uint32_t brought_by; /* of a rollback: the rollout that had made the bad release live */
	uint32_t share_count;
	struct share shares[SHARES_MAX]; /* newest first */
	uint32_t evidence_count;
	enum postmortem_finder last_fail;
	bool by_person; /* the way back was ordered by one */
	char command[POSTMORTEM_TEXT_SIZE];
	/* What the audit log has, newest first; then all of it, oldest first. */
	uint32_t line_count;
	struct postmortem_line lines[POSTMORTEM_LINES_MAX];
	uint32_t proof_count;
	struct postmortem_line proofs[POSTMORTEM_LINES_MAX]; /* evidence, oldest first */
};

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* --- the audit log */

static void take_share(struct gathering *g, const struct store_audit_entry *e)
{
	uint32_t bp;
	if (!is(e->action, "rollout.weight") || !text_parse_share(e->reason, &bp) ||
	    g->share_count == SHARES_MAX)
		return;
	if (e->rollout == g->facts->number)
		bp = g->rollback ? SHARE_FULL_BP - bp : bp;
	else if (e->rollout != g->brought_by || g->brought_by == 0)
		return;
	g->shares[g->share_count++] = (struct share){e->at_unix_ms, bp};
}

static void take_command(struct gathering *g, const struct store_audit_entry *e)
{
	bool person = !is(e->who, "davit");
	if (is(e->action, "rollout.state") && is(e->reason, "reverting"))
		g->by_person |= person;
	/* The newest command comes first, and is the one that counted. */
	if (person && (is(e->action, "abort") || is(e->action, "rollback")) && !g->command[0])
		text_copy(g->command, sizeof g->command,
			  e->reason[0] ? e->reason : "without a reason");
}

static void take_line(struct gathering *g, const struct store_audit_entry *e)
{
	struct postmortem *facts = g->facts;
	if (!facts->chain[0])
		digest_format(&e->hash, facts->chain);
	if (g->line_count == POSTMORTEM_LINES_MAX) {
		facts->lines_left_out++;
		return;
	}
	struct postmortem_line *line = &g->lines[g->line_count++];
	snprintf(line->event, sizeof line->event, "audit %llu", (unsigned long long)e->seq);
	line->at_unix_ms = e->at_unix_ms;
	line->by_person = !is(e->who, "davit");
	if (is(e->action, "rollout.state")) {
		snprintf(line->what, sizeof line->what, "becomes %.80s", e->reason);
		/* Of a person's command the sentence has the name. */
		text_copy(line->text, sizeof line->text, line->by_person ? "" : e->evidence);
	} else if (is(e->action, "rollout.weight")) {
		text_copy(line->what, sizeof line->what, "traffic");
		text_copy(line->text, sizeof line->text, e->evidence);
	} else {
		text_copy(line->what, sizeof line->what, e->action);
		text_copy(line->text, sizeof line->text, e->reason);
	}
}

static int add_entry(void *context, const struct store_audit_entry *e)
{
	struct gathering *g = context;
	take_share(g, e);
	if (e->rollout != g->facts->number || is(e->action, "postmortem"))
		return 0;
	take_command(g, e);
	take_line(g, e);
	return 0;
}

/* --- evidence */

static int add_proof(void *context, const struct store_evidence *e)
{
	struct gathering *g = context;
	bool failed = is(e->verdict, "fail");
	g->evidence_count++;
	if (failed)
		g->last_fail = is(e->source, "check") ? POSTMORTEM_BY_CHECK : POSTMORTEM_BY_JUDGE;
	if (g->proof_count == POSTMORTEM_LINES_MAX) {
		g->facts->lines_left_out++;
		return 0;
	}
	struct postmortem_line *line = &g->proofs[g->proof_count++];
	snprintf(line->event, sizeof line->event, "evidence %u", g->evidence_count);
	line->at_unix_ms = e->at_unix_ms;
	line->by_person =
		!is(e->source, "davit") && !is(e->source, "judge") && !is(e->source, "check");
	snprintf(line->what, sizeof line->what, "evidence: %.60s", e->verdict);
	text_copy(line->text, sizeof line->text, e->sentence);
	return 0;
}

/* Both lists in one; evidence comes before what it caused. What has no room is the oldest. */
static void merge_lines(struct gathering *g)
{
	struct postmortem *facts = g->facts;
	uint32_t a = g->line_count, b = g->proof_count, room = POSTMORTEM_LINES_MAX;
	uint32_t count = a + b < room ? a + b : room;
	facts->lines_left_out += a + b - count;
	facts->line_count = count;
	uint32_t next = 0; /* of the audit's lines, from the newest on */
	for (uint32_t i = count; i-- > 0;) {
		bool audit = next < a &&
			     (b == 0 || g->lines[next].at_unix_ms >= g->proofs[b - 1].at_unix_ms);
		facts->lines[i] = audit ? g->lines[next++] : g->proofs[--b];
	}
}

/* --- what is told of it */

/* A restarted release is the one that it was made of. */
static void take_commit(struct control *c, const char *release, struct postmortem_release *to)
{
	struct store_build *build = mem_zero(1, sizeof *build);
	char origin[DIGEST_HEX_SIZE];
	struct error ignored;
	if (release_origin(c->parts.store, release, origin, &ignored) == 0 &&
	    store_build_of_release(c->parts.store, origin, build, &ignored) == 0) {
		text_copy(to->commit, sizeof to->commit, build->commit);
		text_copy(to->author, sizeof to->author, build->author);
		text_copy(to->subject, sizeof to->subject, build->subject);
	}
	free(build);
}

static void take_release(struct control *c, const struct view_release *from,
			 struct postmortem_release *to, struct buf *config)
{
	struct store_release row;
	struct error ignored;
	text_copy(to->id, sizeof to->id, from->release);
	text_copy(to->tag, sizeof to->tag, from->tag);
	if (!from->release[0] ||
	    store_release_get(c->parts.store, from->release, &row, config, &ignored) < 0)
		return;
	take_commit(c, from->release, to);
	text_copy(to->artifact, sizeof to->artifact, row.artifact);
	text_copy(to->config, sizeof to->config, row.config_digest);
}

static void add_change(void *context, const struct config_change *from)
{
	struct postmortem *facts = context;
	if (facts->change_count == POSTMORTEM_CHANGES_MAX) {
		facts->changes_left_out++;
		return;
	}
	struct postmortem_change *to = &facts->changes[facts->change_count++];
	to->hidden = from->hidden;
	text_copy(to->key, sizeof to->key, from->key);
	text_copy(to->from, sizeof to->from, from->from);
	text_copy(to->to, sizeof to->to, from->to);
}

static void take_releases(struct gathering *g)
{
	struct view_rollout *v = g->view;
	struct postmortem *facts = g->facts;
	struct buf bad, back;
	buf_init(&bad, STORE_BLOB_MAX);
	buf_init(&back, STORE_BLOB_MAX);
	take_release(g->control, g->rollback ? &v->old_release : &v->new_release, &facts->bad,
		     &bad);
	take_release(g->control, g->rollback ? &v->new_release : &v->old_release, &facts->back,
		     &back);
	if (bad.size > 0 && back.size > 0)
		facts->compared = config_compare(buf_text(&back), buf_text(&bad),
						 facts->environment, add_change, facts);
	buf_done(&bad);
	buf_done(&back);
}

static int add_commit(void *context, const struct store_change *change)
{
	struct postmortem *facts = context;
	if (facts->commit_count == POSTMORTEM_COMMITS_MAX) {
		facts->commits_left_out++;
		return 0;
	}
	struct postmortem_commit *commit = &facts->commits[facts->commit_count++];
	text_copy(commit->id, sizeof commit->id, change->id);
	commit->committed_unix_ms = change->committed_unix_s * 1000;
	commit->merge = change->merge;
	text_copy(commit->subject, sizeof commit->subject, change->subject);
	return 0;
}

/* They are those of the rollout that brought the bad release, if it is the one before that came back. */
static void take_commits(struct gathering *g)
{
	struct store *store = g->control->parts.store;
	struct postmortem *facts = g->facts;
	struct store_span *span = mem_zero(1, sizeof *span);
	uint32_t rollout = g->rollback ? g->brought_by : facts->number;
	struct error ignored;
	facts->commits_known = store_span_get(store, rollout, span, &ignored) > 0 &&
			       is(span->state, "known") &&
			       is(span->new_commit, facts->bad.commit) &&
			       is(span->old_commit, facts->back.commit) &&
			       store_changes(store, rollout, add_commit, facts, &ignored) >= 0;
	facts->commits_cut = span->cut;
	free(span);
}

static void take_traffic(const struct view_traffic *from, struct postmortem_traffic *to)
{
	*to = (struct postmortem_traffic){from->requests, from->errors, from->p50_us, from->p99_us};
}

static void take_steps(struct gathering *g)
{
	struct view_rollout *v = g->view;
	struct postmortem *facts = g->facts;
	uint32_t weight_bp = 0;
	for (uint32_t i = 0; i < v->step_count; i++) {
		const struct view_step *s = &v->steps[i];
		if (is(s->op, "route"))
			weight_bp = s->weight_bp;
		if (is(s->state, "failed") && !facts->step[0])
			text_copy(facts->step, sizeof facts->step,
				  s->label[0] ? s->label : s->text);
		if (!is(s->op, "hold") || facts->step_count == POSTMORTEM_BANDS_MAX)
			continue;
		struct postmortem_step *step = &facts->steps[facts->step_count++];
		step->place = i;
		step->weight_bp = weight_bp;
		if (s->label[0])
			text_copy(step->label, sizeof step->label, s->label);
		else
			text_format_share(weight_bp, step->label, sizeof step->label);
	}
}

static void take_exposure(struct gathering *g)
{
	struct postmortem *facts = g->facts;
	double integral = 0;
	uint64_t until = facts->ended_unix_ms;
	static const double MINUTE_MS = 60000;
	/* From the newest back: each share held until the one after it was ordered. */
	for (uint32_t i = 0; i < g->share_count; i++) {
		const struct share *s = &g->shares[i];
		uint64_t for_ms = until > s->at_unix_ms ? until - s->at_unix_ms : 0;
		until = s->at_unix_ms;
		if (s->bp == 0)
			continue;
		facts->exposed_unix_ms = s->at_unix_ms;
		facts->exposed_ms += for_ms;
		integral += (double)for_ms * s->bp / SHARE_FULL_BP;
		if (s->bp > facts->weight_most_bp)
			facts->weight_most_bp = s->bp;
	}
	facts->exposure_minutes = integral / MINUTE_MS;
}

static void take_verdict(struct gathering *g)
{
	struct view_rollout *v = g->view;
	struct postmortem *facts = g->facts;
	const char *why = "";
	for (uint32_t i = 0; i < v->history_count; i++)
		if (is(v->history[i].to, "reverting")) {
			facts->verdict_unix_ms = v->history[i].at_unix_ms;
			why = v->history[i].text;
			break;
		}
	if (g->rollback) /* the command */
		facts->verdict_unix_ms =
			v->history_count > 0 ? v->history[0].at_unix_ms : facts->started_unix_ms;
	if (facts->verdict_unix_ms == 0)
		return;
	facts->finder = g->by_person || g->rollback ? POSTMORTEM_BY_PERSON
			: g->last_fail              ? g->last_fail
						    : POSTMORTEM_BY_DAVIT;
	text_copy(facts->verdict, sizeof facts->verdict,
		  facts->finder == POSTMORTEM_BY_PERSON ? g->command : why);
	/* A rollback that came back has left the bad release where it was. */
	facts->zero_ms = g->rollback && !is(facts->state, "succeeded") ? 0 : v->verdict_to_zero_ms;
	uint64_t zero_at = facts->verdict_unix_ms + facts->zero_ms;
	if (is(facts->state, g->rollback ? "succeeded" : "reverted") &&
	    facts->ended_unix_ms > zero_at)
		facts->validated_ms = facts->ended_unix_ms - zero_at;
}

/* Failures that the judge would have expected of each request: what `davit why` shows, learnt from the live release
 * moment by moment, and before. */
static bool judged_expectation(const struct view_rollout *v, double *ret_each)
{
	const struct view_judge *j = &v->judge;
	for (uint32_t m = 0; j->known && m < j->metric_count; m++)
		if (is(j->metrics[m].name, "errors") && j->metrics[m].expected >= 0 &&
		    j->metrics[m].counts.new_requests > 0) {
			*ret_each =
				j->metrics[m].expected / (double)j->metrics[m].counts.new_requests;
			return true;
		}
	return false;
}

static void take_counts(struct gathering *g)
{
	struct postmortem *facts = g->facts;
	take_traffic(&g->view->new_traffic, &facts->new_traffic);
	take_traffic(&g->view->old_traffic, &facts->live_traffic);
	facts->expected = -1;
	/* What a live release did before its rollback began was counted in no rollout. */
	facts->counted = !g->rollback;
	if (facts->counted && judged_expectation(g->view, &facts->expected))
		facts->expected *= (double)facts->new_traffic.requests;
	else if (facts->counted && facts->live_traffic.requests > 0)
		facts->expected = (double)facts->new_traffic.requests *
				  (double)facts->live_traffic.errors /
				  (double)facts->live_traffic.requests;
}

/* The newest before this one that made its old release live. */
static int find_bringer(void *context, const struct store_rollout *row)
{
	struct gathering *g = context;
	if (!is(row->state_name, "succeeded") ||
	    !is(row->new_release, g->view->old_release.release))
		return 0;
	g->brought_by = row->number;
	return 1;
}

static int read_records(struct gathering *g, struct error *err)
{
	struct store *store = g->control->parts.store;
	struct postmortem *facts = g->facts;
	struct store_rollout_filter earlier = {
		.app = facts->app, .environment = facts->environment, .before = facts->number};
	struct store_audit_filter audit = {.app = facts->app, .environment = facts->environment};
	int result = 0;
	if (g->rollback)
		result = store_rollouts(store, &earlier, find_bringer, g, err);
	if (result >= 0)
		result = store_audit(store, &audit, add_entry, g, err);
	return result < 0 ? result : store_evidence(store, facts->number, add_proof, g, err);
}

static void take_view(struct gathering *g)
{
	const struct view_rollout *v = g->view;
	struct postmortem *facts = g->facts;
	facts->number = v->number;
	text_copy(facts->app, sizeof facts->app, v->app);
	text_copy(facts->environment, sizeof facts->environment, v->environment);
	text_copy(facts->kind, sizeof facts->kind, v->kind);
	text_copy(facts->strategy, sizeof facts->strategy, v->strategy);
	text_copy(facts->state, sizeof facts->state, v->state);
	facts->started_unix_ms = v->started_unix_ms;
	facts->ended_unix_ms = v->ended_unix_ms;
	g->rollback = is(v->kind, "rollback");
}

static int gather(struct gathering *g, struct error *err)
{
	if (!g->view->ended)
		return error_set(err, ERR_CONFLICT,
				 "Rollout %u has not ended; its post-mortem can be written when it "
				 "has.",
				 g->view->number);
	take_view(g);
	int result = read_records(g, err);
	if (result < 0)
		return result;
	merge_lines(g);
	take_releases(g);
	take_commits(g);
	postmortem_add_before(g->control, g->rollback ? g->brought_by : g->facts->number, g->facts);
	take_steps(g);
	take_exposure(g);
	take_verdict(g);
	take_counts(g);
	return 0;
}

int postmortem_facts(struct control *c, uint32_t number, struct postmortem *facts,
		     struct error *err)
{
	struct gathering *g = mem_zero(1, sizeof *g);
	memset(facts, 0, sizeof *facts);
	g->control = c;
	g->facts = facts;
	g->view = mem_new(sizeof *g->view);
	int result = control_view_number(c, number, g->view, err);
	if (result == 0)
		result = gather(g, err);
	free(g->view);
	free(g);
	return result;
}
