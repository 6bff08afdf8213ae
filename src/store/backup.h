/* SPDX-License-Identifier: Apache-2.0
 *
 * backup - a consistent copy of the open store, taken in small steps beside its use.
 *
 * HOW    store_backup_begin(s, path, &b, err); while ((more = store_backup_step(b, pages, &left, &all, err)) > 0) ...;
 *        store_backup_end(b). Between two steps the store may be written: SQLite carries what changes over to pages
 *        that were copied already. The copy is that of the moment of the last step.
 *
 * OWNS   The copy is not on disk before its reader has synced it; the caller removes it, whole or not.
 * LIMITS One backup of a store at a time. It ends before the store is closed. No step inside of a transaction.
 * ERRORS NO_SPACE, DENIED, CORRUPT, INTERNAL as of the store; after one of them only store_backup_end() may follow.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/store.h"

struct store_backup;

/* `path` is made, and must not be there yet. */
MUST_CHECK int store_backup_begin(struct store *s, const char *path,
				  struct store_backup **ret_backup, struct error *err);
/* 1: there is more, 0: the copy is whole. `ret_left` and `ret_all` are pages. */
MUST_CHECK int store_backup_step(struct store_backup *b, uint32_t pages, uint32_t *ret_left,
				 uint32_t *ret_all, struct error *err);
void store_backup_end(struct store_backup *b); /* NULL is allowed */

#endif
