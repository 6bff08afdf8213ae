/* SPDX-License-Identifier: Apache-2.0
 * query - see query.h for the contract. */
#include "store/query.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static enum err code_of_result(int result, int number)
{
	switch (result & 0xff) {
	case SQLITE_FULL: return ERR_NO_SPACE;
	case SQLITE_IOERR:
		return number == ENOSPC || number == EDQUOT || number == EFBIG  ? ERR_NO_SPACE
		       : number == EACCES || number == EROFS || number == EPERM ? ERR_DENIED
										: ERR_INTERNAL;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH: return ERR_DENIED;
	case SQLITE_CANTOPEN:
		return number == ENOENT                      ? ERR_NOT_FOUND
		       : number == EACCES || number == EROFS ? ERR_DENIED
							     : ERR_INTERNAL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return ERR_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_CONSTRAINT: return ERR_CONFLICT;
	case SQLITE_TOOBIG:
	case SQLITE_NOMEM: return ERR_LIMIT;
	default: return ERR_INTERNAL;
	}
}

/* The system's error number behind an I/O error. SQLite keeps it a file: the log's or the database's. */
static int number_of(sqlite3 *db, int result)
{
	static const int files[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
	int number = 0;
	if ((result & 0xff) != SQLITE_IOERR)
		return sqlite3_system_errno(db);
	for (size_t i = 0; i < 2 && number == 0; i++) {
		sqlite3_file *file = NULL;
		if (sqlite3_file_control(db, "main", files[i], &file) == SQLITE_OK && file &&
		    file->pMethods)
			file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
	}
	return number;
}

int query_error(sqlite3 *db, int result, const char *path, struct error *err)
{
	int number = number_of(db, result);
	enum err code = code_of_result(result, number);
	const char *hint =
		code == ERR_NO_SPACE
			? " Nothing was changed: free space there, then try again; davit itself "
			  "goes on as soon as there is room."
		: code == ERR_DENIED
			? " Nothing was changed: make the file, its directory and its file "
			  "system writable for davit."
		: code == ERR_CORRUPT
			? " Stop davit, keep a copy of the file, and restore a backup."
			: "";
	bool of_system = (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN;
	return error_set(err, code, "The store \"%s\" failed: %s%s%s.%s", path, sqlite3_errmsg(db),
			 of_system && number ? ", " : "",
			 of_system && number ? strerror(number) : "", hint);
}

/* The statement of this text, prepared once and kept until the store is closed. */
static struct query_statement *statement_of(struct store *s, const char *sql, int *ret_result)
{
	for (size_t i = 0; i < s->statement_count; i++)
		if (s->statements[i].sql == sql)
			return &s->statements[i];
	ASSERT(s->statement_count < QUERY_STATEMENTS_MAX);
	struct query_statement *fresh = &s->statements[s->statement_count];
	*ret_result = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					 &fresh->prepared, NULL);
	/* Our own text against our own tables: only the disk or memory can fail here. */
	ASSERT(*ret_result != SQLITE_ERROR);
	if (*ret_result != SQLITE_OK)
		return NULL;
	fresh->sql = sql;
	fresh->busy = false;
	s->statement_count++;
	return fresh;
}

void query_read(struct query *q, struct store *s, const char *sql)
{
	*q = (struct query){.s = s, .result = SQLITE_OK};
	q->statement = statement_of(s, sql, &q->result);
	if (!q->statement)
		return;
	ASSERT(!q->statement->busy);
	q->statement->busy = true;
}

bool query_write(struct query *q, struct store *s, const char *sql)
{
	ASSERT(s->in_transaction);
	if (s->failure.code)
		return false;
	query_read(q, s, sql);
	return true;
}

static void note(struct query *q, int result)
{
	if (q->result == SQLITE_OK)
		q->result = result;
}

void query_text(struct query *q, const char *text)
{
	q->parameter++;
	if (!q->statement || !text)
		return; /* an unbound parameter is NULL */
	size_t size = strlen(text);
	if (size > STORE_BLOB_MAX)
		note(q, SQLITE_TOOBIG);
	else
		note(q, sqlite3_bind_text(q->statement->prepared, q->parameter, text, (int)size,
					  SQLITE_STATIC));
}

void query_blob(struct query *q, const void *bytes, size_t size)
{
	q->parameter++;
	if (!q->statement || !bytes)
		return;
	if (size > STORE_BLOB_MAX)
		note(q, SQLITE_TOOBIG);
	else
		note(q, sqlite3_bind_blob(q->statement->prepared, q->parameter, bytes, (int)size,
					  SQLITE_STATIC));
}

void query_signed(struct query *q, int64_t value)
{
	q->parameter++;
	if (q->statement)
		note(q, sqlite3_bind_int64(q->statement->prepared, q->parameter, value));
}

void query_number(struct query *q, uint64_t value)
{
	ASSERT(value <= INT64_MAX);
	query_signed(q, (int64_t)value);
}

bool query_row(struct query *q)
{
	if (q->result != SQLITE_OK || q->corrupt)
		return false;
	q->column = 0;
	int result = sqlite3_step(q->statement->prepared);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		note(q, result);
	return result == SQLITE_ROW;
}

int query_finish(struct query *q, struct error *err)
{
	int code = 0;
	if (q->result == SQLITE_TOOBIG)
		code = error_set(err, ERR_LIMIT,
				 "A value for the store is larger than the %d bytes that it takes.",
				 STORE_BLOB_MAX);
	else if (q->result != SQLITE_OK)
		code = query_error(q->s->db, q->result, q->s->path, err);
	else if (q->corrupt)
		code = error_set(
			err, ERR_CORRUPT,
			"The store \"%s\" holds a value that davit would never write; restore a "
			"backup.",
			q->s->path);
	if (q->statement) {
		sqlite3_reset(q->statement->prepared);
		sqlite3_clear_bindings(q->statement->prepared);
		q->statement->busy = false;
	}
	return code;
}

void query_run(struct query *q)
{
	while (query_row(q))
		;
	struct error err;
	if (query_finish(q, &err) < 0)
		q->s->failure = err;
}

void query_refuse(struct store *s, enum err code, const char *format, ...)
{
	ASSERT(s->in_transaction);
	if (s->failure.code)
		return;
	char text[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	error_set(&s->failure, code, "%s", text);
}

const char *query_get_long_text(struct query *q)
{
	return (const char *)sqlite3_column_text(q->statement->prepared, q->column++);
}

void query_get_text(struct query *q, char *to, size_t size)
{
	const char *text = query_get_long_text(q);
	if (!text_copy(to, size, text ? text : ""))
		q->corrupt = true;
}

const void *query_get_blob(struct query *q, size_t *ret_size)
{
	const void *bytes = sqlite3_column_blob(q->statement->prepared, q->column);
	*ret_size = (size_t)sqlite3_column_bytes(q->statement->prepared, q->column);
	q->column++;
	return bytes ? bytes : "";
}

void query_get_digest(struct query *q, struct digest *to)
{
	size_t size;
	const void *bytes = query_get_blob(q, &size);
	if (size == DIGEST_SIZE)
		memcpy(to->bytes, bytes, DIGEST_SIZE);
	else
		q->corrupt = true;
}

int64_t query_get_signed(struct query *q)
{
	return sqlite3_column_int64(q->statement->prepared, q->column++);
}

uint64_t query_get_number(struct query *q)
{
	int64_t value = query_get_signed(q);
	if (value < 0)
		q->corrupt = true;
	return value < 0 ? 0 : (uint64_t)value;
}

uint32_t query_get_u32(struct query *q)
{
	uint64_t value = query_get_number(q);
	if (value > UINT32_MAX)
		q->corrupt = true;
	return (uint32_t)value;
}
