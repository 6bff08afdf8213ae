/* SPDX-License-Identifier: Apache-2.0
 * diffs - see diffs.h for the contract. */
#include "store/diffs.h"

#include "store/query.h"

void store_put_diffs(struct store *s, uint32_t rollout, const void *bytes, size_t size)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO diffs (rollout, found) VALUES (?, ?)"
			 " ON CONFLICT DO UPDATE SET found = excluded.found"))
		return;
	query_number(&q, rollout);
	query_blob(&q, bytes, size);
	query_run(&q);
	if (!query_write(&q, s,
			 "DELETE FROM diffs WHERE rollout <= (SELECT rollout FROM diffs"
			 " ORDER BY rollout DESC LIMIT 1 OFFSET ?)"))
		return;
	query_number(&q, STORE_DIFFS_KEPT);
	query_run(&q);
}

int store_diffs_get(struct store *s, uint32_t rollout, store_diffs_visit visit, void *context,
		    struct error *err)
{
	struct query q;
	query_read(&q, s, "SELECT found FROM diffs WHERE rollout = ?");
	query_number(&q, rollout);
	bool there = query_row(&q);
	if (there) {
		size_t size;
		const void *bytes = query_get_blob(&q, &size);
		visit(context, bytes, size);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : there;
}
