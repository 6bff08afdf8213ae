/* SPDX-License-Identifier: Apache-2.0
 * schema - see schema.h for the contract. */
#include "store/schema.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/query.h"

#define ADDED_ONLY(table)                                                         \
	"CREATE TRIGGER " table "_stays BEFORE DELETE ON " table                  \
	" BEGIN SELECT RAISE(ABORT, 'rows of " table " are never deleted'); END;" \
	"CREATE TRIGGER " table "_is BEFORE UPDATE ON " table                     \
	" BEGIN SELECT RAISE(ABORT, 'rows of " table " are never changed'); END;"

/* STRICT: a column holds its type or the row is refused. Times are Unix milliseconds, 0 = never. */
static const char *const step_0[] = {
	"CREATE TABLE value (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT "
	"ROWID;"
	"CREATE TABLE environment (app TEXT NOT NULL, name TEXT NOT NULL, state BLOB NOT NULL,"
	"  config TEXT NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (app, name)) STRICT;"
	"CREATE TABLE release (id TEXT PRIMARY KEY CHECK (length(id) = 64), app TEXT NOT NULL,"
	"  tag TEXT NOT NULL, artifact BLOB NOT NULL CHECK (length(artifact) = 32),"
	"  config_digest TEXT NOT NULL CHECK (length(config_digest) = 64), config TEXT NOT NULL,"
	"  created INTEGER NOT NULL, by TEXT NOT NULL, size INTEGER NOT NULL, source TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX release_created ON release (app, created);"
	"CREATE TABLE tag (app TEXT NOT NULL, name TEXT NOT NULL, release TEXT NOT NULL"
	"  REFERENCES release (id), PRIMARY KEY (app, name)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE bad_mark (app TEXT NOT NULL, environment TEXT NOT NULL, release TEXT NOT "
	"NULL,"
	"  reason TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL,"
	"  cleared INTEGER NOT NULL DEFAULT 0, cleared_by TEXT NOT NULL DEFAULT '',"
	"  cleared_reason TEXT NOT NULL DEFAULT '') STRICT;"
	"CREATE UNIQUE INDEX bad_mark_stands ON bad_mark (app, environment, release)"
	"  WHERE cleared = 0;"
	"CREATE TABLE stable (app TEXT NOT NULL, environment TEXT NOT NULL, release TEXT NOT NULL,"
	"  rollout INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,"
	"  PRIMARY KEY (app, environment, release)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE pin (release TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT, WITHOUT ROWID;",
	"CREATE TABLE rollout (number INTEGER PRIMARY KEY, app TEXT NOT NULL,"
	"  environment TEXT NOT NULL, kind TEXT NOT NULL, strategy TEXT NOT NULL,"
	"  new_release TEXT NOT NULL, old_release TEXT NOT NULL, state_name TEXT NOT NULL,"
	"  status TEXT NOT NULL, plan BLOB NOT NULL, state BLOB NOT NULL, created INTEGER NOT NULL,"
	"  started INTEGER NOT NULL, ended INTEGER NOT NULL, by TEXT NOT NULL, reason TEXT NOT "
	"NULL,"
	"  verdict_to_zero INTEGER NOT NULL, baseline TEXT) STRICT;"
	"CREATE INDEX rollout_of ON rollout (app, environment, number);"
	"CREATE INDEX rollout_unended ON rollout (number) WHERE ended = 0;"
	"CREATE TABLE evidence (rollout INTEGER NOT NULL REFERENCES rollout (number),"
	"  step INTEGER NOT NULL, attempt INTEGER NOT NULL, source TEXT NOT NULL,"
	"  verdict TEXT NOT NULL, sentence TEXT NOT NULL, data TEXT, at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX evidence_of ON evidence (rollout);"
	"CREATE TABLE transition (rollout INTEGER NOT NULL REFERENCES rollout (number),"
	"  seq INTEGER NOT NULL, at INTEGER NOT NULL, from_state TEXT NOT NULL,"
	"  to_state TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (rollout, seq)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE outbox (id INTEGER PRIMARY KEY, rollout INTEGER NOT NULL,"
	"  seq INTEGER NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,"
	"  done INTEGER NOT NULL DEFAULT 0, UNIQUE (rollout, seq)) STRICT;"
	"CREATE INDEX outbox_open ON outbox (id) WHERE done = 0;"
	"CREATE TABLE audit (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL,"
	"  action TEXT NOT NULL, app TEXT NOT NULL, environment TEXT NOT NULL,"
	"  rollout INTEGER NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL,"
	"  hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT;"
	"CREATE TABLE audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL,"
	"  hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT;"
	"INSERT INTO audit_head VALUES (1, 0, zeroblob(32));"
	"CREATE TABLE answer (id TEXT PRIMARY KEY, request BLOB NOT NULL, status INTEGER NOT NULL,"
	"  body TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX answer_at ON answer (at);",
	ADDED_ONLY("evidence") ADDED_ONLY("transition") ADDED_ONLY("audit"),
	NULL,
};

/* What nothing ever wrote: documents are sent again until they are confirmed, and what a collection keeps
 * follows from the releases that were live. */
static const char *const step_1[] = {"DROP TABLE outbox; DROP TABLE pin", NULL};

/* Where a rollout's counting began, in the gateway's numbers. */
static const char *const step_2[] = {"ALTER TABLE rollout ADD COLUMN began BLOB", NULL};

/* What people said before a rollout began, and where nothing may go out. */
static const char *const step_3[] = {
	"CREATE TABLE approval (rollout INTEGER NOT NULL REFERENCES rollout (number),"
	"  person TEXT NOT NULL, identity TEXT NOT NULL, verdict TEXT NOT NULL, hash TEXT NOT NULL,"
	"  reason TEXT NOT NULL, at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX approval_of ON approval (rollout);"
	"CREATE TABLE freeze (app TEXT NOT NULL, environment TEXT NOT NULL, reason TEXT NOT NULL,"
	"  by TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL,"
	"  PRIMARY KEY (app, environment)) STRICT, WITHOUT ROWID;",
	ADDED_ONLY("approval"),
	NULL,
};

/* Builds of commits; committed is in Unix seconds, as git has it. */
static const char *const step_4[] = {
	"CREATE TABLE build (number INTEGER PRIMARY KEY, app TEXT NOT NULL,"
	"  repository TEXT NOT NULL, commit_id TEXT NOT NULL, ref TEXT NOT NULL,"
	"  wanted TEXT NOT NULL, by TEXT NOT NULL, state TEXT NOT NULL, release TEXT NOT NULL,"
	"  address TEXT NOT NULL, author TEXT NOT NULL, subject TEXT NOT NULL, committed INTEGER "
	"NOT NULL,"
	"  why TEXT NOT NULL, created INTEGER NOT NULL, started INTEGER NOT NULL,"
	"  ended INTEGER NOT NULL) STRICT;"
	"CREATE INDEX build_unended ON build (number) WHERE ended = 0;"
	"CREATE INDEX build_release ON build (release) WHERE release <> '';"
	"CREATE TABLE build_stage (build INTEGER NOT NULL REFERENCES build (number),"
	"  position INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,"
	"  attempt INTEGER NOT NULL, took INTEGER NOT NULL, tests INTEGER NOT NULL,"
	"  failed INTEGER NOT NULL, skipped INTEGER NOT NULL, why TEXT NOT NULL,"
	"  PRIMARY KEY (build, name)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE build_rollout (build INTEGER NOT NULL REFERENCES build (number),"
	"  environment TEXT NOT NULL, rollout INTEGER NOT NULL, why TEXT NOT NULL,"
	"  PRIMARY KEY (build, environment)) STRICT, WITHOUT ROWID;",
	NULL,
};

/* Where rollouts began what no release before them can live with. */
static const char *const step_5[] = {
	"CREATE TABLE crossing (rollout INTEGER PRIMARY KEY REFERENCES rollout (number),"
	"  app TEXT NOT NULL, environment TEXT NOT NULL, release TEXT NOT NULL,"
	"  at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX crossing_of ON crossing (app, environment);",
	ADDED_ONLY("crossing"),
	NULL,
};

/* Secrets are sealed (base/seal.h) before they come here. `mark` tells whether a key is the one. */
static const char *const step_6[] = {
	"CREATE TABLE secret (app TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,"
	"  sealed BLOB NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL,"
	"  PRIMARY KEY (app, name, version)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE secret_pin (app TEXT NOT NULL, environment TEXT NOT NULL,"
	"  release TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,"
	"  PRIMARY KEY (app, environment, release, name)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE secret_key (one INTEGER PRIMARY KEY CHECK (one = 1), mark BLOB NOT NULL)"
	" STRICT;",
	NULL,
};

/* What rollouts brought; committed is in Unix seconds. Which of them repair another one. And tags that are to be made
 * in repositories. */
static const char *const step_7[] = {
	"CREATE TABLE span (rollout INTEGER PRIMARY KEY REFERENCES rollout (number),"
	"  app TEXT NOT NULL, environment TEXT NOT NULL, repository TEXT NOT NULL,"
	"  old_commit TEXT NOT NULL, new_commit TEXT NOT NULL, pushed INTEGER NOT NULL,"
	"  state TEXT NOT NULL, count INTEGER NOT NULL, cut INTEGER NOT NULL,"
	"  why TEXT NOT NULL) STRICT;"
	"CREATE INDEX span_of ON span (app, environment);"
	"CREATE INDEX span_wanted ON span (rollout) WHERE state = 'wanted';"
	"CREATE TABLE change (rollout INTEGER NOT NULL REFERENCES span (rollout),"
	"  place INTEGER NOT NULL, commit_id TEXT NOT NULL, committed INTEGER NOT NULL,"
	"  merge INTEGER NOT NULL, address TEXT NOT NULL, author TEXT NOT NULL,"
	"  subject TEXT NOT NULL, PRIMARY KEY (rollout, place)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE repair (rollout INTEGER PRIMARY KEY REFERENCES rollout (number),"
	"  about INTEGER NOT NULL REFERENCES rollout (number)) STRICT;"
	"CREATE TABLE git_tag (rollout INTEGER PRIMARY KEY REFERENCES rollout (number),"
	"  repository TEXT NOT NULL, commit_id TEXT NOT NULL, name TEXT NOT NULL,"
	"  message TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL,"
	"  why TEXT NOT NULL) STRICT;"
	"CREATE INDEX git_tag_wanted ON git_tag (rollout) WHERE state = 'wanted';",
	ADDED_ONLY("repair"),
	NULL,
};

/* Builds that go on where another was, or give their place to a newer one. */
static const char *const step_8[] = {
	"ALTER TABLE build ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build ADD COLUMN successor INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_stage ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX build_of_ref ON build (app, ref, number);",
	NULL,
};

/* What git hosts sent, and was taken. */
static const char *const step_9[] = {
	"CREATE TABLE delivery (number INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL,"
	"  body BLOB NOT NULL, at INTEGER NOT NULL, UNIQUE (app, body)) STRICT;",
	NULL,
};

/* What is told to the hosts of repositories, and the numbers that they gave deployments. */
static const char *const step_10[] = {
	"CREATE TABLE report (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
	"  app TEXT NOT NULL, commit_id TEXT NOT NULL, context TEXT NOT NULL,"
	"  environment TEXT NOT NULL, production INTEGER NOT NULL, about INTEGER NOT NULL,"
	"  state TEXT NOT NULL, description TEXT NOT NULL, at INTEGER NOT NULL,"
	"  outcome TEXT NOT NULL, why TEXT NOT NULL, tries INTEGER NOT NULL,"
	"  due INTEGER NOT NULL) STRICT;"
	"CREATE INDEX report_of ON report (app, commit_id, context, kind, number);"
	"CREATE INDEX report_wanted ON report (due) WHERE outcome = 'wanted';"
	"CREATE TABLE host_deployment (rollout INTEGER PRIMARY KEY, number INTEGER NOT NULL)"
	" STRICT;",
	NULL,
};

/* What rollouts plan to change of the infrastructure. */
static const char *const step_11[] = {
	"CREATE TABLE infrastructure (rollout INTEGER PRIMARY KEY, changes INTEGER NOT NULL,"
	"  digest TEXT NOT NULL, summary TEXT NOT NULL, at INTEGER NOT NULL) STRICT;",
	NULL,
};

/* What scans of builds found: counts of each stage, and each set of findings once. */
static const char *const step_12[] = {
	"ALTER TABLE build_stage ADD COLUMN scanned INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_stage ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_stage ADD COLUMN known INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_stage ADD COLUMN fixed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_stage ADD COLUMN waived INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_stage ADD COLUMN suppressed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE build_stage ADD COLUMN since TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE build_stage ADD COLUMN found TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX build_stage_found ON build_stage (found) WHERE found <> '';"
	"CREATE TABLE found (digest TEXT PRIMARY KEY CHECK (length(digest) = 64),"
	"  body BLOB NOT NULL) STRICT;",
	NULL,
};

/* Who may speak to the API from elsewhere, and what other systems built. */
static const char *const step_13[] = {
	"CREATE TABLE token (name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE CHECK "
	"(length(digest) = 32),"
	"  shown TEXT NOT NULL, scopes INTEGER NOT NULL, reach TEXT NOT NULL, by TEXT NOT NULL,"
	"  created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL) STRICT;"
	"CREATE TABLE external (app TEXT NOT NULL, run TEXT NOT NULL, url TEXT NOT NULL,"
	"  build INTEGER NOT NULL UNIQUE, content BLOB NOT NULL CHECK (length(content) = 32),"
	"  PRIMARY KEY (app, run)) STRICT;",
	NULL,
};

/* What the checks of running releases found. */
static const char *const step_14[] = {
	"CREATE TABLE check_scan (release TEXT NOT NULL, environment TEXT NOT NULL,"
	"  name TEXT NOT NULL, position INTEGER NOT NULL, rollout INTEGER NOT NULL,"
	"  at INTEGER NOT NULL, fresh INTEGER NOT NULL, known INTEGER NOT NULL,"
	"  fixed INTEGER NOT NULL, waived INTEGER NOT NULL, suppressed INTEGER NOT NULL,"
	"  since TEXT NOT NULL, found TEXT NOT NULL,"
	"  PRIMARY KEY (release, environment, name, position)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX check_scan_found ON check_scan (found);",
	NULL,
};

/* Environments that are deployed to at times. */
static const char *const step_15[] = {
	"CREATE TABLE schedule (app TEXT NOT NULL, repository TEXT NOT NULL, ref TEXT NOT NULL,"
	"  environment TEXT NOT NULL, times TEXT NOT NULL, zone TEXT NOT NULL, tip TEXT NOT NULL,"
	"  due INTEGER NOT NULL, ran INTEGER NOT NULL, last TEXT NOT NULL, build INTEGER NOT NULL,"
	"  why TEXT NOT NULL, PRIMARY KEY (app, repository, ref, environment))"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX schedule_due ON schedule (due) WHERE due > 0;",
	NULL,
};

/* Tags that are pushed on to repositories elsewhere. */
static const char *const step_16[] = {
	"CREATE TABLE tag_push (rollout INTEGER PRIMARY KEY REFERENCES git_tag (rollout),"
	"  app TEXT NOT NULL, remote TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL,"
	"  why TEXT NOT NULL, tries INTEGER NOT NULL, due INTEGER NOT NULL) STRICT;"
	"CREATE INDEX tag_push_wanted ON tag_push (due) WHERE state = 'wanted';",
	NULL,
};

/* Certificates that are ordered from an authority. */
static const char *const step_17[] = {
	"CREATE TABLE certificate (app TEXT NOT NULL, environment TEXT NOT NULL,"
	"  wanted TEXT NOT NULL, tried INTEGER NOT NULL, failures INTEGER NOT NULL,"
	"  why TEXT NOT NULL, PRIMARY KEY (app, environment)) STRICT, WITHOUT ROWID;",
	NULL,
};

/* What the comparison of a shadow's answers found. */
static const char *const step_18[] = {
	"CREATE TABLE diffs (rollout INTEGER PRIMARY KEY, found BLOB NOT NULL) STRICT;",
	NULL,
};

const char *const *const schema_steps[STORE_VERSION] = {
	step_0,  step_1,  step_2,  step_3,  step_4,  step_5,  step_6,  step_7,  step_8, step_9,
	step_10, step_11, step_12, step_13, step_14, step_15, step_16, step_17, step_18};

/* Run a statement that answers with one number or text; `ret_text` may be NULL. */
static int ask(sqlite3 *db, const char *sql, int64_t *ret_number, char *ret_text, size_t size)
{
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (result != SQLITE_OK)
		return result;
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		*ret_number = sqlite3_column_int64(statement, 0);
		const unsigned char *text = sqlite3_column_text(statement, 0);
		if (ret_text)
			text_copy(ret_text, size, text ? (const char *)text : "");
	}
	int finalized = sqlite3_finalize(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : finalized;
}

/* 0 and the file's version, or why it is not for us. */
static int inspect(sqlite3 *db, const char *path, int version, int *ret_found, struct error *err)
{
	int64_t found = 0, id = 0, tables = 0;
	int result = ask(db, "PRAGMA user_version", &found, NULL, 0);
	if (result == SQLITE_OK)
		result = ask(db, "PRAGMA application_id", &id, NULL, 0);
	if (result == SQLITE_OK)
		result = ask(db, "SELECT count(*) FROM sqlite_schema", &tables, NULL, 0);
	if (result == SQLITE_BUSY)
		return error_set(
			err, ERR_CONFLICT,
			"The store \"%s\" is in use by another process; one davit at a time "
			"works on it.",
			path);
	if (result != SQLITE_OK)
		return query_error(db, result, path, err);
	if (tables > 0 && id != SCHEMA_APPLICATION_ID)
		return error_set(
			err, ERR_INVALID,
			"The file \"%s\" is a database, but not davit's; name another state "
			"directory.",
			path);
	if (found > version) {
		char writer[32] = "";
		int64_t ignored;
		(void)ask(db, "SELECT CAST(value AS TEXT) FROM value WHERE key = 'davit'", &ignored,
			  writer, sizeof writer);
		return error_set(
			err, ERR_UNSUPPORTED,
			"The store \"%s\" was written by a newer davit (schema %d, this one "
			"knows %d): use davit %s or newer.",
			path, (int)found, version, writer[0] ? writer : "of that version");
	}
	*ret_found = (int)found;
	return 0;
}

static uint32_t big_endian(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Is it ours, and of a version that we know, by the file's own header (SQLite's file format, 1.3)? */
static bool header_is_known(const char *path, int version)
{
	enum { HEADER_SIZE = 100, USER_VERSION_AT = 60, APPLICATION_ID_AT = 68 };
	unsigned char header[HEADER_SIZE];
	FILE *file = fopen(path, "re");
	size_t size = file ? fread(header, 1, sizeof header, file) : 0;
	if (file)
		fclose(file);
	return size == sizeof header &&
	       big_endian(header + APPLICATION_ID_AT) == (uint32_t)SCHEMA_APPLICATION_ID &&
	       big_endian(header + USER_VERSION_AT) <= (uint32_t)version;
}

/* file:PATH?immutable=1 reads the file without its log: no lock, nothing written. That is right for a file that
 * is refused, and only for that: one whose log was being moved into it when davit was killed, or the disk was
 * full, is whole only together with its log. */
int schema_probe(const char *path, int version, struct error *err)
{
	if (header_is_known(path, version))
		return 0;
	struct buf uri;
	buf_init(&uri, 3 * 4096 + 64);
	buf_puts(&uri, "file:");
	for (const char *c = path; *c; c++)
		if (*c == '%' || *c == '?' || *c == '#')
			buf_printf(&uri, "%%%02X", (unsigned)*c);
		else
			buf_append(&uri, c, 1);
	buf_puts(&uri, "?immutable=1");
	sqlite3 *db = NULL;
	int result =
		sqlite3_open_v2(buf_text(&uri), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	int found, code = 0;
	if (result == SQLITE_OK)
		code = inspect(db, path, version, &found, err);
	/* One that cannot be opened to read does not exist, or the real open will say why. */
	sqlite3_close(db);
	buf_done(&uri);
	return code;
}

int schema_prepare(sqlite3 *db, const char *path, const char *const *const *steps, int version,
		   struct error *err)
{
	int found;
	int code = inspect(db, path, version, &found, err);
	if (code < 0 || found == version)
		return code;
	int result = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (int i = found; i < version && result == SQLITE_OK; i++)
		for (const char *const *sql = steps[i]; *sql && result == SQLITE_OK; sql++)
			result = sqlite3_exec(db, *sql, NULL, NULL, NULL);
	char *finish = sqlite3_mprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;"
				       "INSERT INTO value VALUES ('davit', CAST('%q' AS BLOB))"
				       " ON CONFLICT DO UPDATE SET value = excluded.value; COMMIT",
				       version, SCHEMA_APPLICATION_ID, STORE_WRITER);
	ASSERT(finish);
	if (result == SQLITE_OK)
		result = sqlite3_exec(db, finish, NULL, NULL, NULL);
	sqlite3_free(finish);
	if (result != SQLITE_OK) {
		code = query_error(db, result, path, err);
		if (!sqlite3_get_autocommit(db))
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return error_prefix(err, "Bringing the store from schema %d to %d", found, version);
	}
	/* The version must stand in the file itself: an older davit looks there first. A checkpoint
	 * that fails loses nothing, the log still has it. */
	sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return code;
}
