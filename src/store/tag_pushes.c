/* SPDX-License-Identifier: Apache-2.0
 * tag_pushes - see tag_pushes.h for the contract. */
#include "store/tag_pushes.h"

#include "store/query.h"

void store_put_tag_push(struct store *s, const struct store_tag_push *p)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO tag_push (rollout, app, remote, at, state, why, tries, due)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
			 " remote = excluded.remote, state = excluded.state, why = excluded.why,"
			 " tries = excluded.tries, due = excluded.due"))
		return;
	query_number(&q, p->rollout);
	query_text(&q, p->app);
	query_text(&q, p->remote);
	query_number(&q, p->at_unix_ms);
	query_text(&q, p->state);
	query_text(&q, p->why);
	query_number(&q, p->tries);
	query_number(&q, p->due_unix_ms);
	query_run(&q);
}

void store_forget_tag_push(struct store *s, uint32_t rollout)
{
	struct query q;
	if (!query_write(&q, s, "DELETE FROM tag_push WHERE rollout = ?"))
		return;
	query_number(&q, rollout);
	query_run(&q);
}

#define PUSH_COLUMNS                                                              \
	"SELECT p.rollout, p.app, p.remote, p.at, p.state, p.why, p.tries, p.due" \
	" FROM tag_push AS p JOIN git_tag AS t ON t.rollout = p.rollout "

static int one_push(struct query *q, struct store_tag_push *p, struct error *err)
{
	bool found = query_row(q);
	if (found) {
		p->rollout = query_get_u32(q);
		query_get_text(q, p->app, sizeof p->app);
		query_get_text(q, p->remote, sizeof p->remote);
		p->at_unix_ms = query_get_number(q);
		query_get_text(q, p->state, sizeof p->state);
		query_get_text(q, p->why, sizeof p->why);
		p->tries = query_get_u32(q);
		p->due_unix_ms = query_get_number(q);
	}
	int code = query_finish(q, err);
	return code < 0 ? code : found;
}

int store_tag_push_get(struct store *s, uint32_t rollout, struct store_tag_push *ret_push,
		       struct error *err)
{
	struct query q;
	query_read(&q, s, PUSH_COLUMNS "WHERE p.rollout = ?");
	query_number(&q, rollout);
	return one_push(&q, ret_push, err);
}

int store_tag_push_next(struct store *s, struct store_tag_push *ret_push, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   PUSH_COLUMNS "WHERE p.state = 'wanted' AND t.state <> 'wanted'"
				" ORDER BY p.due, p.rollout LIMIT 1");
	return one_push(&q, ret_push, err);
}

int store_tag_push_ours(struct store *s, const char *app, const char *name, const char *commit,
			struct error *err)
{
	struct query q;
	query_read(&q, s,
		   "SELECT p.rollout FROM tag_push AS p JOIN git_tag AS t ON t.rollout = p.rollout"
		   " WHERE p.app = ? AND t.name = ? AND t.commit_id = ? LIMIT 1");
	query_text(&q, app);
	query_text(&q, name);
	query_text(&q, commit);
	bool found = query_row(&q);
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}
