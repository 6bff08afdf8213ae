/* SPDX-License-Identifier: Apache-2.0
 * backup - see backup.h for the contract. */
#include "store/backup.h"

#include <stdlib.h>

#include "base/buf.h"
#include "store/query.h"

struct store_backup {
	struct store *store;
	char *path;
	sqlite3 *copy;
	sqlite3_backup *backup;
};

int store_backup_begin(struct store *s, const char *path, struct store_backup **ret_backup,
		       struct error *err)
{
	ASSERT(!s->in_transaction);
	struct store_backup *b = mem_zero(1, sizeof *b);
	b->store = s;
	b->path = mem_copy_text(path);
	int result = sqlite3_open_v2(
		path, &b->copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		NULL);
	ASSERT(b->copy); /* NULL only without memory */
	/* Whoever takes the copy syncs it; one that is not whole is thrown away, and needs no journal. */
	if (result == SQLITE_OK)
		result = sqlite3_exec(b->copy,
				      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF;"
				      "PRAGMA journal_mode = OFF",
				      NULL, NULL, NULL);
	if (result == SQLITE_OK) {
		b->backup = sqlite3_backup_init(b->copy, "main", s->db, "main");
		if (!b->backup)
			result = sqlite3_errcode(b->copy);
	}
	if (result != SQLITE_OK) {
		int code = query_error(b->copy, result, path, err);
		store_backup_end(b);
		return code;
	}
	*ret_backup = b;
	return 0;
}

int store_backup_step(struct store_backup *b, uint32_t pages, uint32_t *ret_left, uint32_t *ret_all,
		      struct error *err)
{
	ASSERT(!b->store->in_transaction);
	int result = sqlite3_backup_step(b->backup, (int)pages);
	*ret_left = (uint32_t)sqlite3_backup_remaining(b->backup);
	*ret_all = (uint32_t)sqlite3_backup_pagecount(b->backup);
	if (result == SQLITE_OK)
		return 1;
	return result == SQLITE_DONE ? 0 : query_error(b->copy, result, b->path, err);
}

void store_backup_end(struct store_backup *b)
{
	if (!b)
		return;
	if (b->backup)
		sqlite3_backup_finish(b->backup); /* its failure was told by the step */
	ASSERT(sqlite3_close(b->copy) == SQLITE_OK);
	free(b->path);
	free(b);
}
