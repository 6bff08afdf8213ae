/* SPDX-License-Identifier: Apache-2.0
 * deliveries - see deliveries.h for the contract. */
#include "store/deliveries.h"

#include "store/query.h"

int store_delivery_find(struct store *s, const char *app, const struct digest *body,
			struct error *err)
{
	struct query q;
	query_read(&q, s, "SELECT number FROM delivery WHERE app = ? AND body = ?");
	query_text(&q, app);
	query_blob(&q, body->bytes, sizeof body->bytes);
	bool found = query_row(&q);
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}

void store_add_delivery(struct store *s, const char *app, const struct digest *body,
			uint64_t at_unix_ms)
{
	struct query q;
	if (!query_write(&q, s, "INSERT INTO delivery (app, body, at) VALUES (?, ?, ?)"))
		return;
	query_text(&q, app);
	query_blob(&q, body->bytes, sizeof body->bytes);
	query_number(&q, at_unix_ms);
	query_run(&q);
	if (!query_write(&q, s,
			 "DELETE FROM delivery WHERE app = ?1 AND number <="
			 " (SELECT number FROM delivery WHERE app = ?1 ORDER BY number DESC"
			 "  LIMIT 1 OFFSET ?2)"))
		return;
	query_text(&q, app);
	query_number(&q, STORE_DELIVERIES_KEPT);
	query_run(&q);
}
