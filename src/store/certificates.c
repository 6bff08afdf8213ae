/* SPDX-License-Identifier: Apache-2.0
 * certificates - see certificates.h for the contract. */
#include "store/certificates.h"

#include "store/query.h"

void store_put_certificate(struct store *s, const struct store_certificate *c)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO certificate (app, environment, wanted, tried, failures, why)"
			 " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
			 " wanted = excluded.wanted, tried = excluded.tried,"
			 " failures = excluded.failures, why = excluded.why"))
		return;
	query_text(&q, c->app);
	query_text(&q, c->environment);
	query_text(&q, c->wanted);
	query_number(&q, c->tried_unix_ms);
	query_number(&q, c->failures);
	query_text(&q, c->why);
	query_run(&q);
}

int store_certificate_get(struct store *s, struct store_certificate *c, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   "SELECT wanted, tried, failures, why FROM certificate"
		   " WHERE app = ? AND environment = ?");
	query_text(&q, c->app);
	query_text(&q, c->environment);
	bool found = query_row(&q);
	if (found) {
		query_get_text(&q, c->wanted, sizeof c->wanted);
		c->tried_unix_ms = query_get_number(&q);
		c->failures = query_get_u32(&q);
		query_get_text(&q, c->why, sizeof c->why);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}
