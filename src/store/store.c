/* SPDX-License-Identifier: Apache-2.0
 * store - see store.h for the contract. */
#include "store/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/reserve.h"
#include "store/query.h"
#include "store/schema.h"

enum { RESERVE_NAME_MAX = 8192 };

/* EXCLUSIVE before the first read: no other process can open the file, so that nobody else can
 * write or checkpoint (SQLite before 3.51.3 may lose data when two connections do), and the log
 * needs no shared memory file. FULL: the log is synced at every commit. */
static int configure(sqlite3 *db)
{
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, STORE_BLOB_MAX + 65536);
	return sqlite3_exec(db,
			    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON;"
			    "PRAGMA cell_size_check = ON",
			    NULL, NULL, NULL);
}

static int use_log(sqlite3 *db)
{
	return sqlite3_exec(db,
			    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			    "PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 8388608",
			    NULL, NULL, NULL);
}

static int open_database(const char *path, sqlite3 **db, struct error *err)
{
	int result = sqlite3_open_v2(
		path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	ASSERT(*db); /* NULL only without memory */
	if (result == SQLITE_OK)
		result = configure(*db);
	if (result != SQLITE_OK)
		return query_error(*db, result, path, err);
	/* Until it is known to be ours a close must leave its log as it is. */
	sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	int code = schema_prepare(*db, path, schema_steps, STORE_VERSION, err);
	if (code < 0)
		return code;
	sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	result = use_log(*db);
	return result == SQLITE_OK ? 0 : query_error(*db, result, path, err);
}

static int hold_reserve(struct store *s, struct error *err)
{
	if (s->reserve_held || !s->reserve)
		return 0;
	int code = reserve_hold(AT_FDCWD, s->reserve, STORE_RESERVE_BYTES, err);
	s->reserve_held = code == 0;
	return code;
}

bool store_spend_reserve(struct store *s)
{
	ASSERT(!s->in_transaction);
	s->reserve_held = false;
	return s->reserve && reserve_spend(AT_FDCWD, s->reserve);
}

int store_room(struct store *s, struct error *err)
{
	struct error why;
	int code = hold_reserve(s, &why);
	if (code == 0)
		return 0;
	if (code == ERR_NO_SPACE)
		return error_set(
			err, ERR_NO_SPACE,
			"The disk of the store \"%s\" is full: free %d MiB there, and davit "
			"goes on by itself; until then it only takes releases back.",
			s->path, 2 * STORE_RESERVE_BYTES >> 20);
	return error_set(err, code == ERR_DENIED ? ERR_DENIED : ERR_UNAVAILABLE,
			 "The store's reserve for a full disk is missing: %s Mend that, and davit "
			 "goes on by itself; until then it only takes releases back.",
			 why.text);
}

static void name_reserve(struct store *s)
{
	struct buf name;
	buf_init(&name, RESERVE_NAME_MAX);
	buf_printf(&name, "%s-reserve", s->path);
	s->reserve = mem_copy_text(buf_text(&name));
	buf_done(&name);
}

int store_open(const char *path, struct store **ret_store, struct error *err)
{
	bool in_memory = strcmp(path, ":memory:") == 0;
	if (!in_memory) {
		int code = schema_probe(path, STORE_VERSION, err);
		if (code < 0)
			return code;
	}
	sqlite3 *db = NULL;
	int code = open_database(path, &db, err);
	if (code < 0) {
		sqlite3_close(db);
		return code;
	}
	struct store *s = mem_zero(1, sizeof *s);
	s->db = db;
	s->path = mem_copy_text(path);
	if (!in_memory)
		name_reserve(s);
	struct error said; /* by store_room(), where it matters */
	int held = hold_reserve(s, &said);
	(void)held;
	*ret_store = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->statement_count; i++)
		sqlite3_finalize(s->statements[i].prepared);
	ASSERT(sqlite3_close(s->db) == SQLITE_OK); /* rolls back what is open */
	free(s->reserve);
	free(s->path);
	free(s);
}

/* BEGIN, COMMIT, ROLLBACK: a statement without rows. */
static int command(struct store *s, const char *sql, struct error *err)
{
	struct query q;
	query_read(&q, s, sql);
	while (query_row(&q))
		;
	return query_finish(&q, err);
}

static const char begin_sql[] = "BEGIN IMMEDIATE";
static const char commit_sql[] = "COMMIT";
static const char rollback_sql[] = "ROLLBACK";

void store_begin_urgent(struct store *s)
{
	ASSERT(!s->in_transaction);
	s->in_transaction = true;
	s->failure.code = ERR_OK;
	struct error err;
	if (command(s, begin_sql, &err) < 0)
		s->failure = err;
}

/* What is left of a reserve that was spent belongs to those who cannot wait. */
void store_begin(struct store *s)
{
	struct error full;
	bool room = store_room(s, &full) == 0;
	store_begin_urgent(s);
	if (!room)
		s->failure = full;
}

/* SQLite has rolled back by itself already after some failures (disk full, I/O). */
static void undo(struct store *s)
{
	struct error ignored;
	if (!sqlite3_get_autocommit(s->db))
		(void)command(s, rollback_sql, &ignored);
	ASSERT(sqlite3_get_autocommit(s->db));
	s->in_transaction = false;
}

int store_commit(struct store *s, struct error *err)
{
	ASSERT(s->in_transaction);
	if (s->failure.code == ERR_OK) {
		struct error failed;
		if (command(s, commit_sql, &failed) < 0)
			s->failure = failed;
	}
	if (s->failure.code == ERR_OK) {
		s->in_transaction = false;
		return 0;
	}
	undo(s);
	*err = s->failure;
	return err->code;
}

void store_rollback(struct store *s)
{
	ASSERT(s->in_transaction);
	undo(s);
}

int store_check(struct store *s, struct error *err)
{
	struct query q;
	char answer[ERROR_TEXT_MAX / 2] = "";
	query_read(&q, s, "PRAGMA quick_check(1)");
	if (query_row(&q)) {
		const char *text = query_get_long_text(&q);
		text_copy(answer, sizeof answer, text ? text : "");
	}
	int code = query_finish(&q, err);
	if (code < 0 || strcmp(answer, "ok") == 0)
		return code;
	return error_set(
		err, ERR_CORRUPT,
		"The store \"%s\" is damaged (%s): stop davit, keep a copy of the file, and "
		"restore a backup.",
		s->path, answer);
}

uint64_t store_add_one(struct store *s, const char *counter)
{
	struct query q;
	uint64_t value = 0;
	if (!query_write(&q, s,
			 "INSERT INTO counter (name, value) VALUES (?, 1)"
			 " ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value"))
		return 0;
	query_text(&q, counter);
	if (query_row(&q))
		value = query_get_number(&q);
	query_run(&q);
	return s->failure.code ? 0 : value;
}

void store_put_at_least(struct store *s, const char *counter, uint64_t least)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO counter (name, value) VALUES (?, ?)"
			 " ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"))
		return;
	query_text(&q, counter);
	query_number(&q, least);
	query_run(&q);
}

void store_put_environment(struct store *s, const struct store_environment *e)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO environment (app, name, state, config, updated)"
			 " VALUES (?1, ?2, ?3, ifnull(?4, '{}'), ?5)"
			 " ON CONFLICT DO UPDATE SET state = excluded.state,"
			 " config = ifnull(?4, config), updated = excluded.updated"))
		return;
	query_text(&q, e->app);
	query_text(&q, e->name);
	query_blob(&q, e->state, e->state_size);
	query_text(&q, e->config);
	query_number(&q, e->updated_unix_ms);
	query_run(&q);
}

int store_environments(struct store *s, store_environment_visit visit, void *context,
		       struct error *err)
{
	struct query q;
	int answer = 0;
	query_read(&q, s,
		   "SELECT app, name, state, config, updated FROM environment ORDER BY app, name");
	while (answer == 0 && query_row(&q)) {
		struct store_environment e;
		query_get_text(&q, e.app, sizeof e.app);
		query_get_text(&q, e.name, sizeof e.name);
		e.state = query_get_blob(&q, &e.state_size);
		e.config = query_get_long_text(&q);
		e.updated_unix_ms = query_get_number(&q);
		if (!q.corrupt)
			answer = visit(context, &e);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : answer;
}
