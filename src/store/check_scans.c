/* SPDX-License-Identifier: Apache-2.0
 * check_scans - see check_scans.h for the contract. */
#include "store/check_scans.h"

#include "store/findings.h"
#include "store/query.h"

void store_put_check_scan(struct store *s, const struct store_check_scan *scan)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT OR REPLACE INTO check_scan (release, environment, name, position,"
			 " rollout, at, fresh, known, fixed, waived, suppressed, since, found)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"))
		return;
	query_text(&q, scan->release);
	query_text(&q, scan->environment);
	query_text(&q, scan->name);
	query_number(&q, scan->position);
	query_number(&q, scan->rollout);
	query_number(&q, scan->at_unix_ms);
	query_number(&q, scan->fresh);
	query_number(&q, scan->known);
	query_number(&q, scan->fixed);
	query_number(&q, scan->waived);
	query_number(&q, scan->suppressed);
	query_text(&q, scan->since);
	query_text(&q, scan->found);
	query_run(&q);
}

#define COLUMNS                                                                          \
	"SELECT release, environment, name, position, rollout, at, fresh, known, fixed," \
	" waived, suppressed, since, found FROM check_scan "

static void read_scan(struct query *q, struct store_check_scan *scan)
{
	query_get_text(q, scan->release, sizeof scan->release);
	query_get_text(q, scan->environment, sizeof scan->environment);
	query_get_text(q, scan->name, sizeof scan->name);
	scan->position = query_get_u32(q);
	scan->rollout = query_get_u32(q);
	scan->at_unix_ms = query_get_number(q);
	scan->fresh = query_get_u32(q);
	scan->known = query_get_u32(q);
	scan->fixed = query_get_u32(q);
	scan->waived = query_get_u32(q);
	scan->suppressed = query_get_u32(q);
	query_get_text(q, scan->since, sizeof scan->since);
	query_get_text(q, scan->found, sizeof scan->found);
}

int store_check_scan_find(struct store *s, const struct store_check_scan *which,
			  struct store_check_scan *ret_scan, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   COLUMNS "WHERE release = ? AND name = ? AND position = ?"
			   " ORDER BY environment = ? DESC, at DESC, rollout DESC LIMIT 1");
	query_text(&q, which->release);
	query_text(&q, which->name);
	query_number(&q, which->position);
	query_text(&q, which->environment);
	bool found = query_row(&q);
	if (found)
		read_scan(&q, ret_scan);
	int code = query_finish(&q, err);
	return code < 0 ? code
	       : found  ? 0
			: error_set(err, ERR_NOT_FOUND, "There is no such scan of the release.");
}

int store_check_scans(struct store *s, const char *release, store_check_scan_visit visit,
		      void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   COLUMNS "WHERE release = ? ORDER BY name, position, at DESC, rollout DESC");
	query_text(&q, release);
	while (stopped == 0 && query_row(&q)) {
		struct store_check_scan scan;
		read_scan(&q, &scan);
		stopped = visit(context, &scan);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

void store_forget_check_scans(struct store *s, uint32_t up_to)
{
	struct query q;
	if (!query_write(&q, s,
			 "DELETE FROM check_scan WHERE rollout <= ?"
			 " AND release NOT IN (SELECT release FROM stable)"))
		return;
	query_number(&q, up_to);
	query_run(&q);
	store_forget_unnamed_findings(s);
}
