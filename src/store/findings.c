/* SPDX-License-Identifier: Apache-2.0
 * findings - see findings.h for the contract. */
#include "store/findings.h"

#include <string.h>

#include "store/query.h"

void store_put_findings(struct store *s, const void *bytes, size_t size,
			char ret_digest[STORE_ID_SIZE])
{
	struct query q;
	struct digest digest = digest_of(bytes, size);
	digest_format(&digest, ret_digest);
	if (size > STORE_BLOB_MAX) {
		query_refuse(s, ERR_LIMIT, "Findings of %zu bytes are more than can be kept.",
			     size);
		return;
	}
	if (!query_write(&q, s, "INSERT OR IGNORE INTO found (digest, body) VALUES (?, ?)"))
		return;
	query_text(&q, ret_digest);
	query_blob(&q, bytes, size);
	query_run(&q);
}

int store_findings_get(struct store *s, const char *digest, struct buf *to, struct error *err)
{
	struct query q;
	size_t size, before = to->size;
	query_read(&q, s, "SELECT body FROM found WHERE digest = ?");
	query_text(&q, digest);
	bool found = query_row(&q);
	if (found) {
		const void *bytes = query_get_blob(&q, &size);
		buf_append(to, bytes, size);
	}
	int code = query_finish(&q, err);
	if (code < 0)
		return code;
	if (!found)
		return error_set(err, ERR_NOT_FOUND, "The findings %.12s are not in the store.",
				 digest);
	char hex[DIGEST_HEX_SIZE];
	struct digest is = digest_of(buf_text(to) + before, to->size - before);
	return strcmp(digest_format(&is, hex), digest) == 0
		       ? 0
		       : error_set(err, ERR_CORRUPT,
				   "The findings %.12s in the store are not what was kept.",
				   digest);
}

void store_forget_findings(struct store *s, uint32_t up_to)
{
	struct query q;
	if (!query_write(&q, s,
			 "UPDATE build_stage SET found = '' WHERE found <> '' AND build <= ?"
			 " AND build NOT IN (SELECT number FROM build WHERE release <> ''"
			 " AND release IN (SELECT release FROM stable))"))
		return;
	query_number(&q, up_to);
	query_run(&q);
	store_forget_unnamed_findings(s);
}

void store_forget_unnamed_findings(struct store *s)
{
	struct query q;
	if (query_write(&q, s,
			"DELETE FROM found WHERE digest NOT IN"
			" (SELECT found FROM build_stage WHERE found <> '')"
			" AND digest NOT IN (SELECT found FROM check_scan)"))
		query_run(&q);
}
