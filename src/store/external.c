/* SPDX-License-Identifier: Apache-2.0
 * external - see external.h for the contract. */
#include "store/external.h"

#include "store/query.h"

void store_add_external(struct store *s, const struct store_external *external)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO external (app, run, url, build, content)"
			 " VALUES (?, ?, ?, ?, ?)"))
		return;
	query_text(&q, external->app);
	query_text(&q, external->run);
	query_text(&q, external->url);
	query_number(&q, external->build);
	query_blob(&q, external->content.bytes, sizeof external->content.bytes);
	query_run(&q);
}

static int find_one(struct query *q, struct store_external *to, struct error *err)
{
	int found = 0;
	if (query_row(q)) {
		query_get_text(q, to->app, sizeof to->app);
		query_get_text(q, to->run, sizeof to->run);
		query_get_text(q, to->url, sizeof to->url);
		to->build = query_get_u32(q);
		query_get_digest(q, &to->content);
		found = 1;
	}
	int code = query_finish(q, err);
	return code < 0 ? code : found;
}

int store_external_find(struct store *s, const char *app, const char *run,
			struct store_external *ret_external, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   "SELECT app, run, url, build, content FROM external"
		   " WHERE app = ? AND run = ?");
	query_text(&q, app);
	query_text(&q, run);
	return find_one(&q, ret_external, err);
}

int store_external_of_build(struct store *s, uint32_t build, struct store_external *ret_external,
			    struct error *err)
{
	struct query q;
	query_read(&q, s, "SELECT app, run, url, build, content FROM external WHERE build = ?");
	query_number(&q, build);
	return find_one(&q, ret_external, err);
}
