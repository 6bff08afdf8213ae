/* SPDX-License-Identifier: Apache-2.0
 * secrets - see secrets.h for the contract. */
#include "store/secrets.h"

#include <limits.h>

#include "store/query.h"

void store_add_secret(struct store *s, const struct store_secret *secret, const void *sealed,
		      size_t size)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO secret (app, name, version, sealed, by, at)"
			 " VALUES (?, ?, ?, ?, ?, ?)"))
		return;
	query_text(&q, secret->app);
	query_text(&q, secret->name);
	query_number(&q, secret->version);
	query_blob(&q, sealed, size);
	query_text(&q, secret->by);
	query_number(&q, secret->at_unix_ms);
	query_run(&q);
}

static void get_row(struct query *q, struct store_secret *to)
{
	query_get_text(q, to->app, sizeof to->app);
	query_get_text(q, to->name, sizeof to->name);
	to->version = query_get_u32(q);
	query_get_text(q, to->by, sizeof to->by);
	to->at_unix_ms = query_get_number(q);
}

int store_secret_find(struct store *s, const char *app, const char *name, uint32_t version,
		      struct store_secret *ret_secret, struct buf *ret_sealed, struct error *err)
{
	struct query q;
	size_t size;
	int found = 0;
	query_read(&q, s,
		   "SELECT app, name, version, by, at, sealed FROM secret"
		   " WHERE app = ? AND name = ? AND version BETWEEN ? AND ?"
		   " ORDER BY version DESC LIMIT 1");
	query_text(&q, app);
	query_text(&q, name);
	query_number(&q, version);
	query_number(&q, version > 0 ? version : UINT32_MAX);
	if (query_row(&q)) {
		get_row(&q, ret_secret);
		const void *sealed = query_get_blob(&q, &size);
		buf_append(ret_sealed, sealed, size);
		found = 1;
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}

int store_secrets(struct store *s, store_secret_visit visit, void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   "SELECT app, name, version, by, at FROM secret AS one WHERE version ="
		   " (SELECT max(version) FROM secret WHERE app = one.app AND name = one.name)"
		   " ORDER BY app, name");
	while (stopped == 0 && query_row(&q)) {
		struct store_secret row;
		get_row(&q, &row);
		if (!q.corrupt)
			stopped = visit(context, &row);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

void store_remove_secrets(struct store *s, const char *app, const char *name, uint32_t below,
			  bool all)
{
	struct query q;
	if (!query_write(&q, s,
			 "DELETE FROM secret WHERE app = ?1 AND name = ?2 AND version < ?3"
			 " AND (?4 OR version NOT IN (SELECT version FROM secret_pin"
			 "  WHERE app = ?1 AND name = ?2))"))
		return;
	query_text(&q, app);
	query_text(&q, name);
	query_number(&q, below);
	query_number(&q, all);
	query_run(&q);
}

void store_put_secret_pin(struct store *s, const struct store_secret_pin *pin)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO secret_pin (app, environment, release, name, version)"
			 " VALUES (?, ?, ?, ?, ?)"))
		return;
	query_text(&q, pin->app);
	query_text(&q, pin->environment);
	query_text(&q, pin->release);
	query_text(&q, pin->name);
	query_number(&q, pin->version);
	query_run(&q);
}

int store_secret_pin_find(struct store *s, const struct store_secret_pin *pin,
			  uint32_t *ret_version, struct error *err)
{
	struct query q;
	int found = 0;
	query_read(&q, s,
		   "SELECT version FROM secret_pin WHERE app = ? AND environment = ?"
		   " AND release = ? AND name = ?");
	query_text(&q, pin->app);
	query_text(&q, pin->environment);
	query_text(&q, pin->release);
	query_text(&q, pin->name);
	if (query_row(&q)) {
		*ret_version = query_get_u32(&q);
		found = 1;
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}

void store_put_secret_key_mark(struct store *s, const struct digest *mark)
{
	struct query q;
	if (!query_write(&q, s, "INSERT INTO secret_key (one, mark) VALUES (1, ?)"))
		return;
	query_blob(&q, mark->bytes, sizeof mark->bytes);
	query_run(&q);
}

int store_secret_key_mark(struct store *s, struct digest *ret_mark, struct error *err)
{
	struct query q;
	int found = 0;
	query_read(&q, s, "SELECT mark FROM secret_key");
	if (query_row(&q)) {
		query_get_digest(&q, ret_mark);
		found = 1;
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}
