/* SPDX-License-Identifier: Apache-2.0
 * crossings - see crossings.h for the contract. */
#include "store/crossings.h"

#include "store/query.h"

void store_add_crossing(struct store *s, const struct store_crossing *c)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO crossing (rollout, app, environment, release, at)"
			 " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"))
		return;
	query_number(&q, c->rollout);
	query_text(&q, c->app);
	query_text(&q, c->environment);
	query_text(&q, c->release);
	query_number(&q, c->at_unix_ms);
	query_run(&q);
}

int store_crossing_last(struct store *s, const char *app, const char *environment,
			struct store_crossing *ret_crossing, struct error *err)
{
	struct query q;
	int found = 0;
	query_read(&q, s,
		   "SELECT rollout, app, environment, release, at FROM crossing"
		   " WHERE app = ? AND environment = ? ORDER BY rollout DESC LIMIT 1");
	query_text(&q, app);
	query_text(&q, environment);
	if (query_row(&q)) {
		ret_crossing->rollout = query_get_u32(&q);
		query_get_text(&q, ret_crossing->app, sizeof ret_crossing->app);
		query_get_text(&q, ret_crossing->environment, sizeof ret_crossing->environment);
		query_get_text(&q, ret_crossing->release, sizeof ret_crossing->release);
		ret_crossing->at_unix_ms = query_get_number(&q);
		found = 1;
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}
