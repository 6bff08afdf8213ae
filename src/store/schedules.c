/* SPDX-License-Identifier: Apache-2.0
 * schedules - see schedules.h for the contract. */
#include "store/schedules.h"

#include "store/query.h"

void store_put_schedule(struct store *s, const struct store_schedule *t)
{
	struct query q;
	if (!query_write(
		    &q, s,
		    "INSERT INTO schedule (app, repository, ref, environment, times, zone, tip,"
		    " due, ran, last, build, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		    " ON CONFLICT DO UPDATE SET times = excluded.times, zone = excluded.zone,"
		    " tip = excluded.tip, due = excluded.due, ran = excluded.ran,"
		    " last = excluded.last, build = excluded.build, why = excluded.why"))
		return;
	query_text(&q, t->app);
	query_text(&q, t->repository);
	query_text(&q, t->ref);
	query_text(&q, t->environment);
	query_text(&q, t->times);
	query_text(&q, t->zone);
	query_text(&q, t->tip);
	query_number(&q, t->due_unix_ms);
	query_number(&q, t->ran_unix_ms);
	query_text(&q, t->last);
	query_number(&q, t->build);
	query_text(&q, t->why);
	query_run(&q);
}

void store_forget_schedule(struct store *s, const struct store_schedule *t)
{
	struct query q;
	if (!query_write(&q, s,
			 "DELETE FROM schedule WHERE app = ? AND repository = ? AND ref = ?"
			 " AND environment = ?"))
		return;
	query_text(&q, t->app);
	query_text(&q, t->repository);
	query_text(&q, t->ref);
	query_text(&q, t->environment);
	query_run(&q);
}

#define SCHEDULE_COLUMNS                                                                         \
	"SELECT app, repository, ref, environment, times, zone, tip, due, ran, last, build, why" \
	" FROM schedule "
#define SCHEDULE_ORDER "ORDER BY app, repository, ref, environment"

static int each_schedule(struct query *q, store_schedule_visit visit, void *context,
			 struct error *err)
{
	int stopped = 0;
	while (stopped == 0 && query_row(q)) {
		struct store_schedule t;
		query_get_text(q, t.app, sizeof t.app);
		query_get_text(q, t.repository, sizeof t.repository);
		query_get_text(q, t.ref, sizeof t.ref);
		query_get_text(q, t.environment, sizeof t.environment);
		query_get_text(q, t.times, sizeof t.times);
		query_get_text(q, t.zone, sizeof t.zone);
		query_get_text(q, t.tip, sizeof t.tip);
		t.due_unix_ms = query_get_number(q);
		t.ran_unix_ms = query_get_number(q);
		query_get_text(q, t.last, sizeof t.last);
		t.build = query_get_u32(q);
		query_get_text(q, t.why, sizeof t.why);
		stopped = q->corrupt ? 0 : visit(context, &t);
	}
	int code = query_finish(q, err);
	return code < 0 ? code : stopped;
}

int store_schedules(struct store *s, store_schedule_visit visit, void *context, struct error *err)
{
	struct query q;
	query_read(&q, s, SCHEDULE_COLUMNS SCHEDULE_ORDER);
	return each_schedule(&q, visit, context, err);
}

int store_schedules_due(struct store *s, uint64_t now_unix_ms, store_schedule_visit visit,
			void *context, struct error *err)
{
	struct query q;
	query_read(&q, s, SCHEDULE_COLUMNS "WHERE due > 0 AND due <= ? " SCHEDULE_ORDER);
	query_number(&q, now_unix_ms);
	return each_schedule(&q, visit, context, err);
}
