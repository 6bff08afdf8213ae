/* SPDX-License-Identifier: Apache-2.0
 * reports - see reports.h for the contract. */
#include "store/reports.h"

#include "store/query.h"

/* Of a deployment each rollout is one of its own. */
#define SAME_KEY                                                          \
	"app = ?1 AND commit_id = ?2 AND context = ?3 AND kind = ?4 AND " \
	"(kind = 'status' OR about = ?5)"

static void bind_key(struct query *q, const struct store_report *r)
{
	query_text(q, r->app);
	query_text(q, r->commit);
	query_text(q, r->context);
	query_text(q, r->kind);
	query_number(q, r->about);
}

static void forget(struct store *s, const struct store_report *r)
{
	struct query q;
	/* What the last one says already stays the last one. */
	if (!query_write(&q, s,
			 "DELETE FROM report WHERE outcome = 'wanted' AND " SAME_KEY
			 " AND NOT (state = ?6 AND description = ?7 AND number ="
			 " (SELECT max(number) FROM report WHERE " SAME_KEY "))"))
		return;
	bind_key(&q, r);
	query_text(&q, r->state);
	query_text(&q, r->description);
	query_run(&q);
	if (!query_write(&q, s,
			 "DELETE FROM report WHERE number <="
			 " (SELECT max(number) FROM report) - ?"))
		return;
	query_number(&q, STORE_REPORTS_KEPT);
	query_run(&q);
}

void store_add_report(struct store *s, const struct store_report *r)
{
	struct query q;
	forget(s, r);
	if (!query_write(&q, s,
			 "INSERT INTO report (app, commit_id, context, kind, about, state,"
			 " description, environment, production, at, outcome, why, tries, due)"
			 " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'wanted', '', 0, ?10"
			 " WHERE NOT EXISTS (SELECT 1 FROM report WHERE state = ?6 AND"
			 " description = ?7 AND number ="
			 " (SELECT max(number) FROM report WHERE " SAME_KEY "))"))
		return;
	bind_key(&q, r);
	query_text(&q, r->state);
	query_text(&q, r->description);
	query_text(&q, r->environment);
	query_number(&q, r->production);
	query_number(&q, r->at_unix_ms);
	query_run(&q);
}

void store_put_report(struct store *s, const struct store_report *r)
{
	struct query q;
	if (!query_write(&q, s,
			 "UPDATE report SET outcome = ?, why = ?, tries = ?, due = ?"
			 " WHERE number = ?"))
		return;
	query_text(&q, r->outcome);
	query_text(&q, r->why);
	query_number(&q, r->tries);
	query_number(&q, r->due_unix_ms);
	query_number(&q, r->number);
	query_run(&q);
}

#define REPORT_COLUMNS                                                                         \
	"SELECT number, kind, app, commit_id, context, environment, production, about, state," \
	" description, at, outcome, why, tries, due FROM report AS one "

static void get_report(struct query *q, struct store_report *r)
{
	r->number = query_get_number(q);
	query_get_text(q, r->kind, sizeof r->kind);
	query_get_text(q, r->app, sizeof r->app);
	query_get_text(q, r->commit, sizeof r->commit);
	query_get_text(q, r->context, sizeof r->context);
	query_get_text(q, r->environment, sizeof r->environment);
	r->production = query_get_number(q) != 0;
	r->about = query_get_u32(q);
	query_get_text(q, r->state, sizeof r->state);
	query_get_text(q, r->description, sizeof r->description);
	r->at_unix_ms = query_get_number(q);
	query_get_text(q, r->outcome, sizeof r->outcome);
	query_get_text(q, r->why, sizeof r->why);
	r->tries = query_get_u32(q);
	r->due_unix_ms = query_get_number(q);
}

int store_report_due(struct store *s, uint64_t now_unix_ms, struct store_report *ret_report,
		     struct error *err)
{
	struct query q;
	query_read(&q, s,
		   REPORT_COLUMNS "WHERE outcome = 'wanted' AND due <= ? ORDER BY number LIMIT 1");
	query_number(&q, now_unix_ms);
	bool found = query_row(&q);
	if (found)
		get_report(&q, ret_report);
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}

int store_reports(struct store *s, const char *app, const char *commit, store_report_visit visit,
		  void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   REPORT_COLUMNS "WHERE app = ? AND commit_id = ? AND number ="
				  " (SELECT max(number) FROM report WHERE app = one.app AND"
				  "  commit_id = one.commit_id AND context = one.context AND"
				  "  kind = one.kind) ORDER BY number");
	query_text(&q, app);
	query_text(&q, commit);
	while (stopped == 0 && query_row(&q)) {
		struct store_report r;
		get_report(&q, &r);
		stopped = visit(context, &r);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

void store_put_host_deployment(struct store *s, uint32_t rollout, uint64_t number)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO host_deployment (rollout, number) VALUES (?, ?)"
			 " ON CONFLICT DO UPDATE SET number = excluded.number"))
		return;
	query_number(&q, rollout);
	query_number(&q, number);
	query_run(&q);
}

int store_host_deployment(struct store *s, uint32_t rollout, uint64_t *ret_number,
			  struct error *err)
{
	struct query q;
	query_read(&q, s, "SELECT number FROM host_deployment WHERE rollout = ?");
	query_number(&q, rollout);
	*ret_number = query_row(&q) ? query_get_number(&q) : 0;
	return query_finish(&q, err);
}
