/* SPDX-License-Identifier: Apache-2.0
 * infrastructure - see infrastructure.h for the contract. */
#include "store/infrastructure.h"

#include "store/query.h"

void store_add_infrastructure(struct store *s, const struct store_infrastructure *row)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO infrastructure (rollout, changes, digest, summary, at)"
			 " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"))
		return;
	query_number(&q, row->rollout);
	query_number(&q, row->changes);
	query_text(&q, row->digest);
	query_text(&q, row->summary);
	query_number(&q, row->at_unix_ms);
	query_run(&q);
}

int store_infrastructure_get(struct store *s, uint32_t rollout,
			     struct store_infrastructure *ret_row, struct error *err)
{
	struct query q;
	int found = 0;
	query_read(&q, s,
		   "SELECT rollout, changes, digest, summary, at FROM infrastructure"
		   " WHERE rollout = ?");
	query_number(&q, rollout);
	if (query_row(&q)) {
		ret_row->rollout = query_get_u32(&q);
		ret_row->changes = query_get_number(&q) != 0;
		query_get_text(&q, ret_row->digest, sizeof ret_row->digest);
		query_get_text(&q, ret_row->summary, sizeof ret_row->summary);
		ret_row->at_unix_ms = query_get_number(&q);
		found = 1;
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}
