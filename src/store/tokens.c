/* SPDX-License-Identifier: Apache-2.0
 * tokens - see tokens.h for the contract. */
#include "store/tokens.h"

#include "store/query.h"

#define COLUMNS "name, digest, shown, scopes, reach, by, created, expires, used"

void store_add_token(struct store *s, const struct store_token *token)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO token (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"))
		return;
	query_text(&q, token->name);
	query_blob(&q, token->digest.bytes, sizeof token->digest.bytes);
	query_text(&q, token->shown);
	query_number(&q, token->scopes);
	query_text(&q, token->reach);
	query_text(&q, token->by);
	query_number(&q, token->created_unix_ms);
	query_number(&q, token->expires_unix_ms);
	query_number(&q, token->used_unix_ms);
	query_run(&q);
}

void store_remove_token(struct store *s, const char *name)
{
	struct query q;
	if (!query_write(&q, s, "DELETE FROM token WHERE name = ?"))
		return;
	query_text(&q, name);
	query_run(&q);
}

void store_use_token(struct store *s, const char *name, uint64_t at_unix_ms)
{
	struct query q;
	if (!query_write(&q, s, "UPDATE token SET used = ? WHERE name = ?"))
		return;
	query_number(&q, at_unix_ms);
	query_text(&q, name);
	query_run(&q);
}

static void get_row(struct query *q, struct store_token *to)
{
	query_get_text(q, to->name, sizeof to->name);
	query_get_digest(q, &to->digest);
	query_get_text(q, to->shown, sizeof to->shown);
	to->scopes = query_get_u32(q);
	query_get_text(q, to->reach, sizeof to->reach);
	query_get_text(q, to->by, sizeof to->by);
	to->created_unix_ms = query_get_number(q);
	to->expires_unix_ms = query_get_number(q);
	to->used_unix_ms = query_get_number(q);
}

static int find_one(struct query *q, struct store_token *ret_token, struct error *err)
{
	int found = 0;
	if (query_row(q)) {
		get_row(q, ret_token);
		found = 1;
	}
	int code = query_finish(q, err);
	return code < 0 ? code : found;
}

int store_token_by_digest(struct store *s, const struct digest *digest,
			  struct store_token *ret_token, struct error *err)
{
	struct query q;
	query_read(&q, s, "SELECT " COLUMNS " FROM token WHERE digest = ?");
	query_blob(&q, digest->bytes, sizeof digest->bytes);
	return find_one(&q, ret_token, err);
}

int store_token_by_name(struct store *s, const char *name, struct store_token *ret_token,
			struct error *err)
{
	struct query q;
	query_read(&q, s, "SELECT " COLUMNS " FROM token WHERE name = ?");
	query_text(&q, name);
	return find_one(&q, ret_token, err);
}

int store_tokens(struct store *s, store_token_visit visit, void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s, "SELECT " COLUMNS " FROM token ORDER BY name");
	while (stopped == 0 && query_row(&q)) {
		struct store_token row;
		get_row(&q, &row);
		if (!q.corrupt)
			stopped = visit(context, &row);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}
