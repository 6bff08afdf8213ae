/* SPDX-License-Identifier: Apache-2.0
 * commits - see commits.h for the contract. */
#include "store/commits.h"

#include "store/query.h"

void store_put_span(struct store *s, const struct store_span *p)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO span (rollout, app, environment, repository, old_commit,"
			 " new_commit, pushed, state, count, cut, why)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
			 " ON CONFLICT DO UPDATE SET state = excluded.state, count = "
			 "excluded.count, cut = excluded.cut, why = excluded.why"))
		return;
	query_number(&q, p->rollout);
	query_text(&q, p->app);
	query_text(&q, p->environment);
	query_text(&q, p->repository);
	query_text(&q, p->old_commit);
	query_text(&q, p->new_commit);
	query_number(&q, p->pushed_unix_ms);
	query_text(&q, p->state);
	query_number(&q, p->count);
	query_number(&q, p->cut);
	query_text(&q, p->why);
	query_run(&q);
}

void store_add_change(struct store *s, uint32_t rollout, uint32_t place,
		      const struct store_change *c)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT OR REPLACE INTO change (rollout, place, commit_id, committed,"
			 " merge, address, author, subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"))
		return;
	query_number(&q, rollout);
	query_number(&q, place);
	query_text(&q, c->id);
	query_number(&q, c->committed_unix_s);
	query_number(&q, c->merge);
	query_text(&q, c->address);
	query_text(&q, c->author);
	query_text(&q, c->subject);
	query_run(&q);
}

#define SPAN_COLUMNS                                                                            \
	"SELECT rollout, app, environment, repository, old_commit, new_commit, pushed, state, " \
	"count, cut, why FROM span "

static void read_span(struct query *q, struct store_span *p)
{
	p->rollout = query_get_u32(q);
	query_get_text(q, p->app, sizeof p->app);
	query_get_text(q, p->environment, sizeof p->environment);
	query_get_text(q, p->repository, sizeof p->repository);
	query_get_text(q, p->old_commit, sizeof p->old_commit);
	query_get_text(q, p->new_commit, sizeof p->new_commit);
	p->pushed_unix_ms = query_get_number(q);
	query_get_text(q, p->state, sizeof p->state);
	p->count = query_get_u32(q);
	p->cut = query_get_number(q) != 0;
	query_get_text(q, p->why, sizeof p->why);
}

static int one_span(struct query *q, struct store_span *ret_span, struct error *err)
{
	bool found = query_row(q);
	if (found)
		read_span(q, ret_span);
	int code = query_finish(q, err);
	return code < 0 ? code : found;
}

int store_span_get(struct store *s, uint32_t rollout, struct store_span *ret_span,
		   struct error *err)
{
	struct query q;
	query_read(&q, s, SPAN_COLUMNS "WHERE rollout = ?");
	query_number(&q, rollout);
	return one_span(&q, ret_span, err);
}

int store_span_wanted(struct store *s, struct store_span *ret_span, struct error *err)
{
	struct query q;
	query_read(&q, s, SPAN_COLUMNS "WHERE state = 'wanted' ORDER BY rollout LIMIT 1");
	return one_span(&q, ret_span, err);
}

int store_spans(struct store *s, const char *app, const char *environment, store_span_visit visit,
		void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s, SPAN_COLUMNS "WHERE app = ? AND environment = ? ORDER BY rollout DESC");
	query_text(&q, app);
	query_text(&q, environment);
	while (stopped == 0 && query_row(&q)) {
		struct store_span span;
		read_span(&q, &span);
		stopped = visit(context, &span);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

int store_changes(struct store *s, uint32_t rollout, store_change_visit visit, void *context,
		  struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   "SELECT commit_id, committed, merge, address, author, subject FROM change"
		   " WHERE rollout = ? ORDER BY place");
	query_number(&q, rollout);
	while (stopped == 0 && query_row(&q)) {
		struct store_change c;
		query_get_text(&q, c.id, sizeof c.id);
		c.committed_unix_s = query_get_number(&q);
		c.merge = query_get_number(&q) != 0;
		query_get_text(&q, c.address, sizeof c.address);
		query_get_text(&q, c.author, sizeof c.author);
		query_get_text(&q, c.subject, sizeof c.subject);
		stopped = visit(context, &c);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

/* The other columns are those of the row that min() found. */
int store_deliveries(struct store *s, const char *app, const char *environment,
		     store_delivery_visit visit, void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   "SELECT commit_id, min(change.rollout) AS first, merge, committed, pushed"
		   " FROM span JOIN change ON change.rollout = span.rollout"
		   " JOIN rollout ON rollout.number = span.rollout"
		   " WHERE span.app = ? AND span.environment = ?"
		   " AND rollout.state_name = 'succeeded'"
		   " GROUP BY commit_id ORDER BY first DESC, commit_id");
	query_text(&q, app);
	query_text(&q, environment);
	while (stopped == 0 && query_row(&q)) {
		struct store_delivery d;
		query_get_text(&q, d.id, sizeof d.id);
		d.rollout = query_get_u32(&q);
		d.merge = query_get_number(&q) != 0;
		d.committed_unix_s = query_get_number(&q);
		d.pushed_unix_ms = query_get_number(&q);
		stopped = visit(context, &d);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}
