/* SPDX-License-Identifier: Apache-2.0
 *
 * query - one use of one kept prepared statement; the only code that binds, steps and reads
 *         columns.
 *
 * HOW    Parameters are bound in order, columns are read in order.
 *        writer:  if (!query_write(&q, s, SQL)) return;  query_text(&q, x); ...; query_run(&q);
 *        reader:  query_read(&q, s, SQL); query_text(&q, x); while (query_row(&q)) {...}
 *                 return query_finish(&q, err);
 *        Every reader ends with query_finish(), also after an early stop; query_run() does it
 *        itself.
 * OWNS   Texts and blobs are borrowed, both ways: bound ones until the finish, read ones until the
 *        next row. `sql` must be a string literal: its address is the statement's name.
 * LIMITS Internal to src/store. A statement is used by one query at a time (a bug otherwise).
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <sqlite3.h>

#include "store/store.h"

enum { QUERY_STATEMENTS_MAX = 160 };

struct query_statement {
	const char *sql;
	sqlite3_stmt *prepared;
	bool busy;
};

struct store {
	sqlite3 *db;
	char *path;
	char *reserve;     /* the file's name; NULL: in memory, where nothing has to be held back */
	bool reserve_held; /* all of it is there */
	bool in_transaction;
	struct error failure; /* code 0: the transaction is good so far */
	size_t statement_count;
	struct query_statement statements[QUERY_STATEMENTS_MAX];
};

struct query {
	struct store *s;
	struct query_statement *statement;
	int parameter; /* the last one bound */
	int column;    /* the next one to read */
	int result;    /* the first SQLite failure, or SQLITE_OK */
	bool corrupt;  /* a column does not fit its field */
};

bool query_write(struct query *q, struct store *s, const char *sql); /* false: failed before */
void query_read(struct query *q, struct store *s, const char *sql);

void query_text(struct query *q, const char *text); /* NULL binds NULL */
void query_blob(struct query *q, const void *bytes, size_t size);
void query_number(struct query *q, uint64_t value);
void query_signed(struct query *q, int64_t value);

void query_run(struct query *q);
bool query_row(struct query *q);
int query_finish(struct query *q, struct error *err);

void query_get_text(struct query *q, char *to, size_t size);
const char *query_get_long_text(struct query *q); /* NULL where the column is */
const void *query_get_blob(struct query *q, size_t *ret_size);
void query_get_digest(struct query *q, struct digest *to);
uint64_t query_get_number(struct query *q);
uint32_t query_get_u32(struct query *q);
int64_t query_get_signed(struct query *q);

/* The transaction fails for a reason that is not SQLite's. */
void query_refuse(struct store *s, enum err code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What the connection's last failure `result` means to a caller. */
int query_error(sqlite3 *db, int result, const char *path, struct error *err);

#endif
