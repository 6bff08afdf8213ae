/* SPDX-License-Identifier: Apache-2.0
 * rollouts - see rollouts.h for the contract. */
#include "store/rollouts.h"

#include "store/query.h"

void store_put_rollout(struct store *s, const struct store_rollout *r)
{
	struct query q;
	if (!query_write(
		    &q, s,
		    "INSERT INTO rollout VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
		    " ifnull(?10, x''), ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
		    " ?19)"
		    " ON CONFLICT DO UPDATE SET kind = excluded.kind, strategy = excluded.strategy,"
		    " new_release = excluded.new_release, old_release = excluded.old_release,"
		    " state_name = excluded.state_name, status = excluded.status,"
		    " plan = ifnull(?10, plan), state = excluded.state, started = excluded.started,"
		    " ended = excluded.ended, by = excluded.by, reason = excluded.reason,"
		    " verdict_to_zero = excluded.verdict_to_zero,"
		    " baseline = ifnull(?18, baseline), began = ifnull(?19, began)"))
		return;
	query_number(&q, r->number);
	query_text(&q, r->app);
	query_text(&q, r->environment);
	query_text(&q, r->kind);
	query_text(&q, r->strategy);
	query_text(&q, r->new_release);
	query_text(&q, r->old_release);
	query_text(&q, r->state_name);
	query_text(&q, r->status);
	query_blob(&q, r->plan, r->plan_size);
	query_blob(&q, r->state, r->state_size);
	query_number(&q, r->created_unix_ms);
	query_number(&q, r->started_unix_ms);
	query_number(&q, r->ended_unix_ms);
	query_text(&q, r->by);
	query_text(&q, r->reason);
	query_signed(&q, r->verdict_to_zero_ms);
	query_text(&q, r->baseline);
	query_blob(&q, r->began, r->began_size);
	query_run(&q);
}

#define ROLLOUT_COLUMNS                                                                          \
	"SELECT number, app, environment, kind, strategy, new_release, old_release, state_name," \
	" status, plan, state, created, started, ended, by, reason, verdict_to_zero, baseline,"  \
	" began FROM rollout "

static void read_rollout(struct query *q, struct store_rollout *r)
{
	r->number = query_get_u32(q);
	query_get_text(q, r->app, sizeof r->app);
	query_get_text(q, r->environment, sizeof r->environment);
	query_get_text(q, r->kind, sizeof r->kind);
	query_get_text(q, r->strategy, sizeof r->strategy);
	query_get_text(q, r->new_release, sizeof r->new_release);
	query_get_text(q, r->old_release, sizeof r->old_release);
	query_get_text(q, r->state_name, sizeof r->state_name);
	query_get_text(q, r->status, sizeof r->status);
	r->plan = query_get_blob(q, &r->plan_size);
	r->state = query_get_blob(q, &r->state_size);
	r->created_unix_ms = query_get_number(q);
	r->started_unix_ms = query_get_number(q);
	r->ended_unix_ms = query_get_number(q);
	query_get_text(q, r->by, sizeof r->by);
	query_get_text(q, r->reason, sizeof r->reason);
	r->verdict_to_zero_ms = query_get_signed(q);
	r->baseline = query_get_long_text(q);
	r->began = query_get_blob(q, &r->began_size);
}

static int visit_rollouts(struct query *q, store_rollout_visit visit, void *context,
			  size_t *ret_count, struct error *err)
{
	int answer = 0;
	*ret_count = 0;
	while (answer == 0 && query_row(q)) {
		struct store_rollout r;
		read_rollout(q, &r);
		++*ret_count;
		if (!q->corrupt)
			answer = visit(context, &r);
	}
	int code = query_finish(q, err);
	return code < 0 ? code : answer;
}

int store_rollout_get(struct store *s, uint32_t number, store_rollout_visit visit, void *context,
		      struct error *err)
{
	struct query q;
	size_t count;
	query_read(&q, s, ROLLOUT_COLUMNS "WHERE number = ?");
	query_number(&q, number);
	int code = visit_rollouts(&q, visit, context, &count, err);
	if (code == 0 && count == 0)
		return error_set(err, ERR_NOT_FOUND, "There is no rollout %u.", number);
	return code;
}

#define ROLLOUT_FILTER \
	"(?1 IS NULL OR app = ?1) AND (?2 IS NULL OR environment = ?2) AND number < ?3"

int store_rollouts(struct store *s, const struct store_rollout_filter *filter,
		   store_rollout_visit visit, void *context, struct error *err)
{
	struct query q;
	size_t count;
	query_read(&q, s,
		   filter->unended ? ROLLOUT_COLUMNS "WHERE ended = 0 AND " ROLLOUT_FILTER
						     " ORDER BY number LIMIT ?4"
				   : ROLLOUT_COLUMNS "WHERE " ROLLOUT_FILTER
						     " ORDER BY number DESC LIMIT ?4");
	query_text(&q, filter->app);
	query_text(&q, filter->environment);
	query_number(&q, filter->before ? filter->before : (uint64_t)UINT32_MAX + 1);
	query_signed(&q, filter->limit ? (int64_t)filter->limit : -1);
	return visit_rollouts(&q, visit, context, &count, err);
}

void store_add_repair(struct store *s, uint32_t rollout, uint32_t about)
{
	struct query q;
	if (!query_write(&q, s, "INSERT INTO repair (rollout, about) VALUES (?, ?)"))
		return;
	query_number(&q, rollout);
	query_number(&q, about);
	query_run(&q);
}

int store_repairs(struct store *s, const char *app, const char *environment,
		  store_repair_visit visit, void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   "SELECT repair.rollout, about FROM repair"
		   " JOIN rollout ON rollout.number = repair.rollout"
		   " WHERE app = ? AND environment = ? ORDER BY repair.rollout");
	query_text(&q, app);
	query_text(&q, environment);
	while (stopped == 0 && query_row(&q)) {
		uint32_t rollout = query_get_u32(&q);
		stopped = visit(context, rollout, query_get_u32(&q));
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

void store_add_evidence(struct store *s, const struct store_evidence *e)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO evidence (rollout, step, attempt, source, verdict, sentence,"
			 " data, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"))
		return;
	query_number(&q, e->rollout);
	query_number(&q, e->step);
	query_number(&q, e->attempt);
	query_text(&q, e->source);
	query_text(&q, e->verdict);
	query_text(&q, e->sentence);
	query_text(&q, e->data);
	query_number(&q, e->at_unix_ms);
	query_run(&q);
}

int store_evidence(struct store *s, uint32_t rollout, store_evidence_visit visit, void *context,
		   struct error *err)
{
	struct query q;
	int answer = 0;
	query_read(
		&q, s,
		"SELECT rollout, step, attempt, source, verdict, sentence, data, at FROM evidence"
		" WHERE rollout = ? ORDER BY rowid");
	query_number(&q, rollout);
	while (answer == 0 && query_row(&q)) {
		struct store_evidence e;
		e.rollout = query_get_u32(&q);
		e.step = query_get_u32(&q);
		e.attempt = query_get_u32(&q);
		query_get_text(&q, e.source, sizeof e.source);
		query_get_text(&q, e.verdict, sizeof e.verdict);
		query_get_text(&q, e.sentence, sizeof e.sentence);
		e.data = query_get_long_text(&q);
		e.at_unix_ms = query_get_number(&q);
		if (!q.corrupt)
			answer = visit(context, &e);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : answer;
}

void store_add_transition(struct store *s, const struct store_transition *t)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO transition (rollout, seq, at, from_state, to_state, why)"
			 " VALUES (?, ?, ?, ?, ?, ?)"))
		return;
	query_number(&q, t->rollout);
	query_number(&q, t->seq);
	query_number(&q, t->at_unix_ms);
	query_text(&q, t->from);
	query_text(&q, t->to);
	query_text(&q, t->why);
	query_run(&q);
}

int store_transitions(struct store *s, uint32_t rollout, store_transition_visit visit,
		      void *context, struct error *err)
{
	struct query q;
	int answer = 0;
	query_read(&q, s,
		   "SELECT rollout, seq, at, from_state, to_state, why FROM transition"
		   " WHERE rollout = ? ORDER BY seq");
	query_number(&q, rollout);
	while (answer == 0 && query_row(&q)) {
		struct store_transition t;
		t.rollout = query_get_u32(&q);
		t.seq = query_get_u32(&q);
		t.at_unix_ms = query_get_number(&q);
		query_get_text(&q, t.from, sizeof t.from);
		query_get_text(&q, t.to, sizeof t.to);
		query_get_text(&q, t.why, sizeof t.why);
		if (!q.corrupt)
			answer = visit(context, &t);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : answer;
}
