/* SPDX-License-Identifier: Apache-2.0
 * taken_back - see taken_back.h for the contract. */
#include "store/taken_back.h"

#include "store/query.h"

#define OF_THESE                                                                        \
	" AND (b.commit_id = ?3 OR b.commit_id IN (SELECT commit_id FROM change WHERE " \
	"rollout = ?4))"

int store_taken_back(struct store *s, const char *app, const char *environment, const char *commit,
		     uint32_t rollout, store_taken_back_visit visit, void *context,
		     struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   "SELECT b.commit_id, b.subject, e.tag, 1 AS marked,"
		   " ifnull((SELECT max(number) FROM rollout AS r WHERE r.app = ?1"
		   "  AND r.environment = ?2 AND ((r.new_release = m.release"
		   "  AND r.state_name = 'reverted') OR (r.old_release = m.release"
		   "  AND r.kind = 'rollback' AND r.state_name = 'succeeded'))), 0) AS number,"
		   " m.reason FROM bad_mark AS m JOIN build AS b ON b.release = m.release"
		   " JOIN release AS e ON e.id = m.release"
		   " WHERE m.app = ?1 AND m.environment = ?2 AND m.cleared = 0"
		   " AND b.release <> ''" OF_THESE
		   " UNION SELECT b.commit_id, b.subject, e.tag, 0, r.number, r.reason"
		   " FROM rollout AS r JOIN build AS b ON b.release = r.old_release"
		   " JOIN release AS e ON e.id = r.old_release"
		   " WHERE r.app = ?1 AND r.environment = ?2 AND r.kind = 'rollback'"
		   " AND r.state_name = 'succeeded' AND b.release <> ''" OF_THESE
		   " ORDER BY marked DESC, number DESC LIMIT 100");
	query_text(&q, app);
	query_text(&q, environment);
	query_text(&q, commit);
	query_number(&q, rollout);
	while (stopped == 0 && query_row(&q)) {
		struct store_taken_back row;
		query_get_text(&q, row.commit, sizeof row.commit);
		query_get_text(&q, row.subject, sizeof row.subject);
		query_get_text(&q, row.tag, sizeof row.tag);
		row.marked = query_get_number(&q) != 0;
		row.rollout = query_get_u32(&q);
		query_get_text(&q, row.reason, sizeof row.reason);
		stopped = visit(context, &row);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}
