/* SPDX-License-Identifier: Apache-2.0
 * builds - see builds.h for the contract. */
#include "store/builds.h"

#include "store/query.h"

void store_put_build(struct store *s, const struct store_build *b)
{
	struct query q;
	if (!query_write(
		    &q, s,
		    "INSERT INTO build (number, app, repository, commit_id, ref, wanted, by, state,"
		    " release, address, author, subject, committed, why, created, started, ended,"
		    " origin, starts, successor)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		    " ON CONFLICT DO UPDATE SET state = excluded.state, wanted = excluded.wanted, "
		    "release = excluded.release,"
		    " address = excluded.address, author = excluded.author, subject = "
		    "excluded.subject,"
		    " committed = excluded.committed, why = excluded.why,"
		    " started = excluded.started, ended = excluded.ended,"
		    " starts = excluded.starts, successor = excluded.successor"))
		return;
	query_number(&q, b->number);
	query_text(&q, b->app);
	query_text(&q, b->repository);
	query_text(&q, b->commit);
	query_text(&q, b->ref);
	query_text(&q, b->wanted);
	query_text(&q, b->by);
	query_text(&q, b->state);
	query_text(&q, b->release);
	query_text(&q, b->address);
	query_text(&q, b->author);
	query_text(&q, b->subject);
	query_number(&q, b->committed_unix_s);
	query_text(&q, b->why);
	query_number(&q, b->created_unix_ms);
	query_number(&q, b->started_unix_ms);
	query_number(&q, b->ended_unix_ms);
	query_number(&q, b->origin);
	query_number(&q, b->starts);
	query_number(&q, b->successor);
	query_run(&q);
}

void store_put_build_stage(struct store *s, const struct store_build_stage *t)
{
	struct query q;
	if (!query_write(
		    &q, s,
		    "INSERT OR REPLACE INTO build_stage (build, position, name, state, attempt,"
		    " took, tests, failed, skipped, why, origin, scanned, fresh, known, fixed,"
		    " waived, suppressed, since, found)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"))
		return;
	query_number(&q, t->build);
	query_number(&q, t->position);
	query_text(&q, t->name);
	query_text(&q, t->state);
	query_number(&q, t->attempt);
	query_number(&q, t->took_ms);
	query_number(&q, t->tests);
	query_number(&q, t->failed);
	query_number(&q, t->skipped);
	query_text(&q, t->why);
	query_number(&q, t->origin);
	query_number(&q, t->scanned);
	query_number(&q, t->fresh);
	query_number(&q, t->known);
	query_number(&q, t->fixed);
	query_number(&q, t->waived);
	query_number(&q, t->suppressed);
	query_text(&q, t->since);
	query_text(&q, t->found);
	query_run(&q);
}

void store_end_build_stages(struct store *s, uint32_t build)
{
	struct query q;
	if (!query_write(&q, s,
			 "UPDATE build_stage SET state = 'cancelled' WHERE build = ?"
			 " AND state IN ('pending', 'running')"))
		return;
	query_number(&q, build);
	query_run(&q);
}

void store_put_build_rollout(struct store *s, const struct store_build_rollout *r)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT OR REPLACE INTO build_rollout (build, environment, rollout, why)"
			 " VALUES (?, ?, ?, ?)"))
		return;
	query_number(&q, r->build);
	query_text(&q, r->environment);
	query_number(&q, r->rollout);
	query_text(&q, r->why);
	query_run(&q);
}

#define BUILD_COLUMNS                                                                           \
	"SELECT number, app, repository, commit_id, ref, wanted, by, state, release, address, " \
	"author,"                                                                               \
	" subject, committed, why, created, started, ended, origin, starts, successor FROM "    \
	"build "

static void read_build(struct query *q, struct store_build *b)
{
	b->number = query_get_u32(q);
	query_get_text(q, b->app, sizeof b->app);
	query_get_text(q, b->repository, sizeof b->repository);
	query_get_text(q, b->commit, sizeof b->commit);
	query_get_text(q, b->ref, sizeof b->ref);
	query_get_text(q, b->wanted, sizeof b->wanted);
	query_get_text(q, b->by, sizeof b->by);
	query_get_text(q, b->state, sizeof b->state);
	query_get_text(q, b->release, sizeof b->release);
	query_get_text(q, b->address, sizeof b->address);
	query_get_text(q, b->author, sizeof b->author);
	query_get_text(q, b->subject, sizeof b->subject);
	b->committed_unix_s = query_get_number(q);
	query_get_text(q, b->why, sizeof b->why);
	b->created_unix_ms = query_get_number(q);
	b->started_unix_ms = query_get_number(q);
	b->ended_unix_ms = query_get_number(q);
	b->origin = query_get_u32(q);
	b->starts = query_get_u32(q);
	b->successor = query_get_u32(q);
}

static int one_build(struct query *q, struct store_build *ret_build, const char *what,
		     struct error *err)
{
	bool found = query_row(q);
	if (found)
		read_build(q, ret_build);
	int code = query_finish(q, err);
	return code < 0 ? code : found ? 0 : error_set(err, ERR_NOT_FOUND, "There is no %s.", what);
}

int store_builds_waiting(struct store *s, uint64_t *ret_count, struct error *err)
{
	struct query q;
	query_read(&q, s, "SELECT count(*) FROM build WHERE ended = 0");
	*ret_count = query_row(&q) ? query_get_number(&q) : 0;
	return query_finish(&q, err);
}

int store_build_next(struct store *s, struct store_build *ret_build, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS
		   "WHERE ended = 0 ORDER BY state = 'releasing' DESC, number LIMIT 1");
	return one_build(&q, ret_build, "build that waits", err);
}

int store_build_get(struct store *s, uint32_t number, struct store_build *ret_build,
		    struct error *err)
{
	struct query q;
	query_read(&q, s, BUILD_COLUMNS "WHERE number = ?");
	query_number(&q, number);
	return one_build(&q, ret_build, "such build; \"davit builds\" lists them", err);
}

int store_build_of_ref(struct store *s, const char *app, const char *repository, const char *ref,
		       struct store_build *ret_build, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS "WHERE app = ? AND ref = ? AND repository = ?"
				 " ORDER BY number DESC LIMIT 1");
	query_text(&q, app);
	query_text(&q, ref);
	query_text(&q, repository);
	return one_build(&q, ret_build, "build of this ref", err);
}

int store_build_same(struct store *s, const struct store_build *order,
		     struct store_build *ret_build, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS "WHERE ended = 0 AND app = ? AND repository = ? AND commit_id = ?"
				 " AND ref = ? AND wanted = ? AND origin = ?"
				 " AND state <> 'cancelling' ORDER BY number LIMIT 1");
	query_text(&q, order->app);
	query_text(&q, order->repository);
	query_text(&q, order->commit);
	query_text(&q, order->ref);
	query_text(&q, order->wanted);
	query_number(&q, order->origin);
	return one_build(&q, ret_build, "such build", err);
}

int store_build_since(struct store *s, const struct store_build *order, uint64_t since_unix_ms,
		      struct store_build *ret_build, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS "WHERE app = ? AND ref = ? AND repository = ? AND commit_id = ?"
				 " AND wanted = ? AND created >= ? ORDER BY number DESC LIMIT 1");
	query_text(&q, order->app);
	query_text(&q, order->ref);
	query_text(&q, order->repository);
	query_text(&q, order->commit);
	query_text(&q, order->wanted);
	query_number(&q, since_unix_ms);
	return one_build(&q, ret_build, "such build", err);
}

int store_build_last(struct store *s, const char *app, const char *ref,
		     struct store_build *ret_build, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS "WHERE app = ? AND ref = ? AND release <> ''"
				 " ORDER BY number DESC LIMIT 1");
	query_text(&q, app);
	query_text(&q, ref);
	return one_build(&q, ret_build, "build of this ref with a release", err);
}

int store_build_of_release(struct store *s, const char *release, struct store_build *ret_build,
			   struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS "WHERE release = ? AND release <> '' ORDER BY number LIMIT 1");
	query_text(&q, release);
	return one_build(&q, ret_build, "build of this release", err);
}

static int each_build(struct query *q, store_build_visit visit, void *context, struct error *err)
{
	int stopped = 0;
	while (stopped == 0 && query_row(q)) {
		struct store_build b;
		read_build(q, &b);
		stopped = visit(context, &b);
	}
	int code = query_finish(q, err);
	return code < 0 ? code : stopped;
}

int store_builds(struct store *s, const char *app, uint32_t limit, store_build_visit visit,
		 void *context, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS "WHERE ?1 IS NULL OR app = ?1 ORDER BY number DESC LIMIT ?2");
	query_text(&q, app);
	query_number(&q, limit);
	return each_build(&q, visit, context, err);
}

int store_builds_older(struct store *s, const struct store_build *newer, store_build_visit visit,
		       void *context, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   BUILD_COLUMNS "WHERE ended = 0 AND state = 'queued' AND app = ?"
				 " AND repository = ? AND ref = ? AND wanted = ?"
				 " AND commit_id <> ? ORDER BY number");
	query_text(&q, newer->app);
	query_text(&q, newer->repository);
	query_text(&q, newer->ref);
	query_text(&q, newer->wanted);
	query_text(&q, newer->commit);
	return each_build(&q, visit, context, err);
}

int store_build_stages(struct store *s, uint32_t build, store_build_stage_visit visit,
		       void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(
		&q, s,
		"SELECT build, position, name, state, attempt, took, tests, failed, skipped, why,"
		" origin, scanned, fresh, known, fixed, waived, suppressed, since, found"
		" FROM build_stage WHERE build = ? ORDER BY position");
	query_number(&q, build);
	while (stopped == 0 && query_row(&q)) {
		struct store_build_stage t;
		t.build = query_get_u32(&q);
		t.position = query_get_u32(&q);
		query_get_text(&q, t.name, sizeof t.name);
		query_get_text(&q, t.state, sizeof t.state);
		t.attempt = query_get_u32(&q);
		t.took_ms = query_get_number(&q);
		t.tests = query_get_u32(&q);
		t.failed = query_get_u32(&q);
		t.skipped = query_get_u32(&q);
		query_get_text(&q, t.why, sizeof t.why);
		t.origin = query_get_u32(&q);
		t.scanned = query_get_u32(&q) != 0;
		t.fresh = query_get_u32(&q);
		t.known = query_get_u32(&q);
		t.fixed = query_get_u32(&q);
		t.waived = query_get_u32(&q);
		t.suppressed = query_get_u32(&q);
		query_get_text(&q, t.since, sizeof t.since);
		query_get_text(&q, t.found, sizeof t.found);
		stopped = visit(context, &t);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}

int store_build_rollouts(struct store *s, uint32_t build, store_build_rollout_visit visit,
			 void *context, struct error *err)
{
	struct query q;
	int stopped = 0;
	query_read(&q, s,
		   "SELECT build, environment, rollout, why FROM build_rollout WHERE build = ?"
		   " ORDER BY environment");
	query_number(&q, build);
	while (stopped == 0 && query_row(&q)) {
		struct store_build_rollout r;
		r.build = query_get_u32(&q);
		query_get_text(&q, r.environment, sizeof r.environment);
		r.rollout = query_get_u32(&q);
		query_get_text(&q, r.why, sizeof r.why);
		stopped = visit(context, &r);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : stopped;
}
