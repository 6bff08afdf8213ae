/* SPDX-License-Identifier: Apache-2.0
 * gates - see gates.h for the contract. */
#include "store/gates.h"

#include "store/query.h"

void store_add_approval(struct store *s, const struct store_approval *a)
{
	struct query q;
	if (!query_write(
		    &q, s,
		    "INSERT INTO approval (rollout, person, identity, verdict, hash, reason, at)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?)"))
		return;
	query_number(&q, a->rollout);
	query_text(&q, a->person);
	query_text(&q, a->identity);
	query_text(&q, a->verdict);
	query_text(&q, a->hash);
	query_text(&q, a->reason);
	query_number(&q, a->at_unix_ms);
	query_run(&q);
}

int store_approvals(struct store *s, uint32_t rollout, store_approval_visit visit, void *context,
		    struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   "SELECT rollout, person, identity, verdict, hash, reason, at FROM approval"
		   " WHERE rollout = ? ORDER BY rowid");
	query_number(&q, rollout);
	while (stopped == 0 && query_row(&q)) {
		struct store_approval a;
		a.rollout = query_get_u32(&q);
		query_get_text(&q, a.person, sizeof a.person);
		query_get_text(&q, a.identity, sizeof a.identity);
		query_get_text(&q, a.verdict, sizeof a.verdict);
		query_get_text(&q, a.hash, sizeof a.hash);
		query_get_text(&q, a.reason, sizeof a.reason);
		a.at_unix_ms = query_get_number(&q);
		stopped = visit(context, &a);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

void store_put_freeze(struct store *s, const struct store_freeze *f)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO freeze (app, environment, reason, by, at, until)"
			 " VALUES (?, ?, ?, ?, ?, ?)"
			 " ON CONFLICT DO UPDATE SET reason = excluded.reason, by = excluded.by,"
			 " at = excluded.at, until = excluded.until"))
		return;
	query_text(&q, f->app);
	query_text(&q, f->environment);
	query_text(&q, f->reason);
	query_text(&q, f->by);
	query_number(&q, f->at_unix_ms);
	query_number(&q, f->until_unix_ms);
	query_run(&q);
}

void store_clear_freeze(struct store *s, const char *app, const char *environment)
{
	struct query q;
	if (!query_write(&q, s, "DELETE FROM freeze WHERE app = ? AND environment = ?"))
		return;
	query_text(&q, app);
	query_text(&q, environment);
	query_run(&q);
}

int store_freeze_find(struct store *s, const char *app, const char *environment,
		      struct store_freeze *ret_freeze, struct error *err)
{
	struct query q;
	int found = 0;
	query_read(&q, s,
		   "SELECT app, environment, reason, by, at, until FROM freeze"
		   " WHERE app = ? AND environment = ?");
	query_text(&q, app);
	query_text(&q, environment);
	if (query_row(&q)) {
		query_get_text(&q, ret_freeze->app, sizeof ret_freeze->app);
		query_get_text(&q, ret_freeze->environment, sizeof ret_freeze->environment);
		query_get_text(&q, ret_freeze->reason, sizeof ret_freeze->reason);
		query_get_text(&q, ret_freeze->by, sizeof ret_freeze->by);
		ret_freeze->at_unix_ms = query_get_number(&q);
		ret_freeze->until_unix_ms = query_get_number(&q);
		found = 1;
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}
