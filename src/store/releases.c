/* SPDX-License-Identifier: Apache-2.0
 * releases - see releases.h for the contract. */
#include "store/releases.h"

#include <string.h>

#include "store/query.h"

static void put_tag(struct store *s, const struct store_release *r)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO tag (app, name, release) VALUES (?, ?, ?)"
			 " ON CONFLICT DO UPDATE SET release = excluded.release"))
		return;
	query_text(&q, r->app);
	query_text(&q, r->tag);
	query_text(&q, r->id);
	query_run(&q);
}

void store_add_release(struct store *s, const struct store_release *r)
{
	struct digest artifact;
	struct query q;
	if (!digest_parse(r->artifact, &artifact)) {
		query_refuse(s, ERR_INVALID, "\"%s\" is not the digest of an artifact.",
			     r->artifact);
		return;
	}
	if (!query_write(
		    &q, s,
		    "INSERT INTO release (id, app, tag, artifact, config_digest, config, created,"
		    " by, size, source) VALUES (?, ?, ?, ?, ?, ifnull(?, '{}'), ?, ?, ?, ?)"
		    " ON CONFLICT DO UPDATE SET tag = excluded.tag"))
		return;
	query_text(&q, r->id);
	query_text(&q, r->app);
	query_text(&q, r->tag);
	query_blob(&q, artifact.bytes, DIGEST_SIZE);
	query_text(&q, r->config_digest);
	query_text(&q, r->config);
	query_number(&q, r->created_unix_ms);
	query_text(&q, r->by);
	query_number(&q, r->size_bytes);
	query_text(&q, r->source);
	query_run(&q);
	if (r->tag[0])
		put_tag(s, r);
}

#define RELEASE_COLUMNS                                                                         \
	"SELECT id, app, tag, artifact, config_digest, created, by, size, source, config FROM " \
	"release "

static void read_release(struct query *q, struct store_release *r)
{
	struct digest artifact = {0};
	query_get_text(q, r->id, sizeof r->id);
	query_get_text(q, r->app, sizeof r->app);
	query_get_text(q, r->tag, sizeof r->tag);
	query_get_digest(q, &artifact);
	digest_format(&artifact, r->artifact);
	query_get_text(q, r->config_digest, sizeof r->config_digest);
	r->created_unix_ms = query_get_number(q);
	query_get_text(q, r->by, sizeof r->by);
	r->size_bytes = query_get_number(q);
	query_get_text(q, r->source, sizeof r->source);
	r->config = query_get_long_text(q);
}

/* Reads the first row, and finishes. Returns the number of rows, at most 2. */
static int read_one(struct query *q, struct store_release *ret_release, struct buf *ret_config,
		    struct error *err)
{
	struct store_release r;
	int rows = 0;
	if (query_row(q)) {
		read_release(q, &r);
		if (ret_config)
			buf_puts(ret_config, r.config ? r.config : "");
		r.config = NULL;
		rows = query_row(q) ? 2 : 1;
	}
	int code = query_finish(q, err);
	if (code == 0 && rows > 0)
		*ret_release = r;
	return code < 0 ? code : rows;
}

int store_release_get(struct store *s, const char *id, struct store_release *ret_release,
		      struct buf *ret_config, struct error *err)
{
	struct query q;
	query_read(&q, s, RELEASE_COLUMNS "WHERE id = ?");
	query_text(&q, id);
	int rows = read_one(&q, ret_release, ret_config, err);
	if (rows == 0)
		return error_set(err, ERR_NOT_FOUND, "There is no release \"%s\".", id);
	return rows < 0 ? rows : 0;
}

static int match_prefix(struct store *s, const char *app, const char *text,
			struct store_release *ret_release, struct error *err)
{
	struct query q;
	size_t length = strlen(text);
	int rows = 0;
	if (length >= STORE_PREFIX_MIN && length < STORE_ID_SIZE &&
	    strspn(text, "0123456789abcdef") == length) {
		/* 'g' is the first character after every digit of an id. */
		query_read(&q, s,
			   RELEASE_COLUMNS
			   "WHERE app = ?1 AND id >= ?2 AND id < ?2 || 'g' LIMIT 2");
		query_text(&q, app);
		query_text(&q, text);
		rows = read_one(&q, ret_release, NULL, err);
	}
	if (rows > 1)
		return error_set(
			err, ERR_CONFLICT,
			"Several releases of \"%s\" begin with \"%s\": write more of the id.", app,
			text);
	return rows;
}

int store_release_match(struct store *s, const char *app, const char *text,
			struct store_release *ret_release, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   RELEASE_COLUMNS
		   "WHERE id = (SELECT release FROM tag WHERE app = ? AND name = ?)");
	query_text(&q, app);
	query_text(&q, text);
	int rows = read_one(&q, ret_release, NULL, err);
	if (rows == 0)
		rows = match_prefix(s, app, text, ret_release, err);
	if (rows == 0)
		return error_set(
			err, ERR_NOT_FOUND,
			"There is no release \"%s\" of \"%s\"; `davit releases` lists them.", text,
			app);
	return rows < 0 ? rows : 0;
}

int store_releases(struct store *s, const char *app, uint32_t limit, store_release_visit visit,
		   void *context, struct error *err)
{
	struct query q;
	int answer = 0;
	query_read(&q, s,
		   RELEASE_COLUMNS "WHERE ?1 IS NULL OR app = ?1"
				   " ORDER BY created DESC, rowid DESC LIMIT ?2");
	query_text(&q, app);
	query_number(&q, limit);
	while (answer == 0 && query_row(&q)) {
		struct store_release r;
		read_release(&q, &r);
		if (!q.corrupt)
			answer = visit(context, &r);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : answer;
}

void store_add_bad_mark(struct store *s, const struct store_bad_mark *m)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO bad_mark (app, environment, release, reason, by, at)"
			 " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"))
		return;
	query_text(&q, m->app);
	query_text(&q, m->environment);
	query_text(&q, m->release);
	query_text(&q, m->reason);
	query_text(&q, m->by);
	query_number(&q, m->at_unix_ms);
	query_run(&q);
}

void store_clear_bad_mark(struct store *s, const char *app, const char *environment,
			  const char *release, const char *by, const char *reason,
			  uint64_t at_unix_ms)
{
	struct query q;
	if (!query_write(&q, s,
			 "UPDATE bad_mark SET cleared = ?, cleared_by = ?, cleared_reason = ?"
			 " WHERE app = ? AND environment = ? AND release = ? AND cleared = 0"))
		return;
	query_number(&q, at_unix_ms);
	query_text(&q, by);
	query_text(&q, reason);
	query_text(&q, app);
	query_text(&q, environment);
	query_text(&q, release);
	query_run(&q);
}

static void read_mark(struct query *q, struct store_bad_mark *m)
{
	query_get_text(q, m->app, sizeof m->app);
	query_get_text(q, m->environment, sizeof m->environment);
	query_get_text(q, m->release, sizeof m->release);
	query_get_text(q, m->reason, sizeof m->reason);
	query_get_text(q, m->by, sizeof m->by);
	m->at_unix_ms = query_get_number(q);
}

int store_bad_mark_find(struct store *s, const char *app, const char *environment,
			const char *release, struct store_bad_mark *ret_mark, struct error *err)
{
	struct query q;
	struct store_bad_mark m;
	bool found = false;
	query_read(&q, s,
		   "SELECT app, environment, release, reason, by, at FROM bad_mark"
		   " WHERE app = ? AND environment = ? AND release = ? AND cleared = 0");
	query_text(&q, app);
	query_text(&q, environment);
	query_text(&q, release);
	if (query_row(&q)) {
		read_mark(&q, &m);
		found = true;
	}
	int code = query_finish(&q, err);
	if (code == 0 && found)
		*ret_mark = m;
	return code < 0 ? code : found;
}

void store_add_stable(struct store *s, const char *app, const char *environment,
		      const char *release, uint32_t rollout, uint64_t at_unix_ms)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO stable (app, environment, release, rollout, at, seq)"
			 " VALUES (?1, ?2, ?3, ?4, ?5, (SELECT ifnull(max(seq), 0) + 1 FROM stable"
			 "  WHERE app = ?1 AND environment = ?2))"
			 " ON CONFLICT DO UPDATE SET rollout = excluded.rollout, at = excluded.at,"
			 " seq = excluded.seq"))
		return;
	query_text(&q, app);
	query_text(&q, environment);
	query_text(&q, release);
	query_number(&q, rollout);
	query_number(&q, at_unix_ms);
	query_run(&q);
}

int store_stables(struct store *s, const char *app, const char *environment, uint32_t limit,
		  store_stable_visit visit, void *context, struct error *err)
{
	struct query q;
	int answer = 0;
	/* A restart gives the same content a second id: tag and artifact tell what a rollback left. */
	query_read(
		&q, s,
		"SELECT s.release, s.rollout, s.at, EXISTS (SELECT 1 FROM bad_mark AS m"
		"  WHERE m.app = s.app AND m.environment = s.environment"
		"  AND m.release = s.release AND m.cleared = 0),"
		" EXISTS (SELECT 1 FROM rollout AS r JOIN release AS o ON o.id = r.old_release"
		"  JOIN release AS t ON t.id = r.new_release"
		"  WHERE r.app = s.app AND r.environment = s.environment"
		"  AND r.number > s.rollout AND r.kind = 'rollback'"
		"  AND r.state_name IN ('succeeded', 'running', 'stuck') AND t.created <= o.created"
		"  AND o.tag = n.tag AND o.artifact = n.artifact)"
		" FROM stable AS s LEFT JOIN release AS n ON n.id = s.release"
		" WHERE s.app = ? AND s.environment = ? ORDER BY s.seq DESC LIMIT ?");
	query_text(&q, app);
	query_text(&q, environment);
	query_number(&q, limit);
	while (answer == 0 && query_row(&q)) {
		struct store_stable stable;
		query_get_text(&q, stable.release, sizeof stable.release);
		stable.rollout = query_get_u32(&q);
		stable.at_unix_ms = query_get_number(&q);
		stable.bad = query_get_number(&q) != 0;
		stable.left = query_get_number(&q) != 0;
		if (!q.corrupt)
			answer = visit(context, &stable);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : answer;
}

int store_artifacts_kept(struct store *s, uint32_t stables, uint64_t since_unix_ms,
			 store_artifact_visit visit, void *context, struct error *err)
{
	struct query q;
	int answer = 0;
	query_read(
		&q, s,
		"SELECT DISTINCT artifact FROM release WHERE created >= ?1"
		" OR id IN (SELECT new_release FROM rollout WHERE ended = 0)"
		" OR id IN (SELECT old_release FROM rollout WHERE ended = 0)"
		" OR id IN (SELECT release FROM (SELECT release, row_number() OVER"
		"  (PARTITION BY app, environment ORDER BY seq DESC) AS nth FROM stable)"
		"  WHERE nth <= ?2)"
		" OR id IN (SELECT release FROM (SELECT release, row_number() OVER"
		"  (PARTITION BY app ORDER BY number DESC) AS nth FROM build WHERE release <> '')"
		"  WHERE nth <= ?3)");
	query_number(&q, since_unix_ms);
	query_number(&q, stables);
	query_number(&q, STORE_BUILDS_KEPT);
	while (answer == 0 && query_row(&q)) {
		struct digest artifact = {0};
		query_get_digest(&q, &artifact);
		if (!q.corrupt)
			answer = visit(context, &artifact);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : answer;
}
