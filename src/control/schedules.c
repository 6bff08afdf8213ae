/* SPDX-License-Identifier: Apache-2.0
 * schedules - see schedules.h for the contract. */
#include "control/schedules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "config/schedule.h"
#include "config/server.h"
#include "control/builds.h"
#include "control/environment.h"

enum { LINE_SIZE = STORE_REF_SIZE + 4 };

_Static_assert((int)SCHEDULE_TEXT_SIZE <= (int)STORE_TIMES_SIZE, "a schedule fits its column");

/* --- rows */

struct rows {
	const char *app, *repository; /* NULL: all */
	uint32_t count, room;
	struct store_schedule *items;
};

static int add_row(void *context, const struct store_schedule *row)
{
	struct rows *rows = context;
	if ((rows->app && strcmp(row->app, rows->app) != 0) ||
	    (rows->repository && strcmp(row->repository, rows->repository) != 0))
		return 0;
	if (rows->count == rows->room) {
		rows->room = rows->room > 0 ? 2 * rows->room : 8;
		rows->items = mem_grow(rows->items, rows->room * sizeof *rows->items);
	}
	rows->items[rows->count++] = *row;
	return rows->count == SCHEDULES_MAX;
}

/* A visit may not write: first all, then one by one. */
static int read_rows(struct control *c, struct rows *rows, uint64_t due_unix_ms, struct error *err)
{
	struct store *store = c->parts.store;
	int code = due_unix_ms > 0 ? store_schedules_due(store, due_unix_ms, add_row, rows, err)
				   : store_schedules(store, add_row, rows, err);
	return code < 0 ? code : 0;
}

/* The next time after now; a row without one says why. */
static void plan(struct control *c, struct store_schedule *row)
{
	struct schedule schedule;
	struct error err;
	int64_t next = 0;
	bool fine = schedule_parse(row->times, &schedule);
	int code = !fine ? error_set(&err, ERR_INVALID, "\"%s\" is no schedule.", row->times)
			 : schedule_next(&schedule, row->zone, c->parts.zone_offset,
					 (int64_t)(env_wall_ms(c->parts.env) / 1000), &next, &err);
	row->due_unix_ms = code == 0 ? (uint64_t)next * 1000 : 0;
	if (code < 0)
		text_copy(row->why, sizeof row->why, err.text);
}

static int put(struct control *c, const struct store_schedule *row, struct error *err)
{
	control_begin(c, false);
	store_put_schedule(c->parts.store, row);
	return control_commit(c, err);
}

void schedules_begin(struct control *c)
{
	struct rows rows = {0};
	struct error err;
	int code = read_rows(c, &rows, 0, &err);
	for (uint32_t i = 0; code == 0 && i < rows.count; i++) {
		struct store_schedule *row = &rows.items[i];
		uint64_t due = row->due_unix_ms;
		if (due == 0)
			row->why[0] = '\0';
		plan(c, row);
		if (due == 0 || (row->due_unix_ms > 0 && row->due_unix_ms < due))
			code = put(c, row, &err);
	}
	if (code < 0)
		log_event(LOG_WARNING, "control.schedule", "error=\"%s\"", err.text);
	free(rows.items);
}

/* --- what a look found */

/* Is there a line "ID NAME" or " NAME" of this ref? */
static bool has_line(const char *lines, const char *ref)
{
	char line[LINE_SIZE];
	snprintf(line, sizeof line, " %s\n", ref);
	return strstr(lines, line) != NULL;
}

static bool same_place(const struct store_schedule *a, const struct store_schedule *b)
{
	return strcmp(a->ref, b->ref) == 0 && strcmp(a->environment, b->environment) == 0;
}

static void forget_old(struct control *c, const struct schedules_found *found,
		       const struct rows *rows)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		const struct store_schedule *row = &rows->items[i];
		bool wished = !has_line(found->read, row->ref);
		for (uint32_t k = 0; k < found->count && !wished; k++)
			wished = same_place(row, &found->rows[k]);
		bool gone = found->refs && !has_line(found->refs, row->ref);
		if (!wished || gone)
			store_forget_schedule(c->parts.store, row);
	}
}

/* What went out the last time stays known; a time that has come stays due unless the times have changed. */
static void put_wish(struct control *c, const struct schedules_found *found,
		     const struct rows *rows, const struct store_schedule *wish)
{
	struct store_schedule row = *wish;
	const struct store_schedule *old = NULL;
	for (uint32_t i = 0; i < rows->count && !old; i++)
		old = same_place(&rows->items[i], wish) ? &rows->items[i] : NULL;
	if (old)
		row = *old;
	text_copy(row.app, sizeof row.app, found->app);
	text_copy(row.repository, sizeof row.repository, found->repository);
	text_copy(row.tip, sizeof row.tip, wish->tip);
	if (!old || old->due_unix_ms == 0 || strcmp(old->times, wish->times) != 0 ||
	    strcmp(old->zone, wish->zone) != 0) {
		text_copy(row.times, sizeof row.times, wish->times);
		text_copy(row.zone, sizeof row.zone, wish->zone);
		row.why[0] = '\0';
		plan(c, &row);
	}
	store_put_schedule(c->parts.store, &row);
}

int schedules_take(struct control *c, const struct schedules_found *found, struct error *err)
{
	struct rows all = {0}, rows = {.app = found->app, .repository = found->repository};
	int code = read_rows(c, &all, 0, err);
	if (code == 0)
		code = read_rows(c, &rows, 0, err);
	if (code == 0 && all.count - rows.count + found->count > SCHEDULES_MAX)
		code = error_set(err, ERR_LIMIT,
				 "More than %d environments have a schedule here; remove some from "
				 "their davit.yaml.",
				 SCHEDULES_MAX);
	if (code == 0 && (rows.count > 0 || found->count > 0)) {
		control_begin(c, false);
		forget_old(c, found, &rows);
		for (uint32_t i = 0; i < found->count; i++)
			put_wish(c, found, &rows, &found->rows[i]);
		code = control_commit(c, err);
	}
	free(all.items);
	free(rows.items);
	return code;
}

/* --- the time has come */

enum schedules_act schedules_decide(const struct store_schedule *row, uint64_t looked_unix_ms,
				    const char *signed_only)
{
	if (row->due_unix_ms == 0 || row->due_unix_ms > looked_unix_ms)
		return SCHEDULES_WAIT;
	if (text_is_among(signed_only, row->environment))
		return SCHEDULES_DENIED;
	return strcmp(row->tip, row->last) == 0 ? SCHEDULES_KNOWN : SCHEDULES_GO;
}

/* One that was ordered for this time before a crash is that one, whatever has become of it. */
static int order(struct control *c, struct store_schedule *row, struct error *err)
{
	struct store_build *b = mem_zero(1, sizeof *b), *same = mem_zero(1, sizeof *same);
	struct control_caller caller = {.who = ""};
	const struct build_order wish = {.app = row->app,
					 .repository = row->repository,
					 .commit = row->tip,
					 .ref = row->ref,
					 .target = BUILD_TARGET_NAMED,
					 .environments = row->environment};
	text_copy(b->app, sizeof b->app, row->app);
	text_copy(b->repository, sizeof b->repository, row->repository);
	text_copy(b->commit, sizeof b->commit, row->tip);
	text_copy(b->ref, sizeof b->ref, row->ref);
	text_copy(b->wanted, sizeof b->wanted, row->environment);
	snprintf(caller.who, sizeof caller.who, "schedule:%s", row->app);
	int code = store_build_since(c->parts.store, b, row->due_unix_ms, same, err);
	row->build = same->number;
	if (code == ERR_NOT_FOUND)
		code = control_build(c, &caller, &wish, &row->build, err);
	FAILPOINT("schedules.after-order");
	free(b);
	free(same);
	return code;
}

static int serve(struct control *c, struct store_schedule *row, enum schedules_act act,
		 struct error *err)
{
	int code = act == SCHEDULES_GO ? order(c, row, err) : 0;
	if (code < 0)
		return code;
	row->why[0] = '\0';
	if (act == SCHEDULES_GO) {
		row->ran_unix_ms = env_wall_ms(c->parts.env);
		text_copy(row->last, sizeof row->last, row->tip);
		log_event(LOG_INFO, "control.schedule",
			  "app=%s environment=%s ref=\"%s\" commit=%s build=%u", row->app,
			  row->environment, row->ref, row->tip, row->build);
	} else if (act == SCHEDULES_KNOWN) {
		log_event(LOG_INFO, "control.schedule",
			  "app=%s environment=%s ref=\"%s\" commit=%s nothing=new", row->app,
			  row->environment, row->ref, row->tip);
	} else {
		snprintf(row->why, sizeof row->why,
			 "Only a signed tag brings a release to %s, says the server's own file, "
			 "and not a time.",
			 row->environment);
		log_event(LOG_WARNING, "control.schedule", "app=%s environment=%s error=\"%s\"",
			  row->app, row->environment, row->why);
	}
	plan(c, row);
	return put(c, row, err);
}

/* What had no next time, for the time zone could not be read, may have one again. */
static int plan_again(struct control *c, const char *app, const char *repository, struct error *err)
{
	struct rows rows = {.app = app, .repository = repository};
	int code = read_rows(c, &rows, 0, err);
	for (uint32_t i = 0; code == 0 && i < rows.count; i++) {
		struct store_schedule *row = &rows.items[i];
		if (row->due_unix_ms > 0)
			continue;
		row->why[0] = '\0';
		plan(c, row);
		if (row->due_unix_ms > 0)
			code = put(c, row, err);
	}
	free(rows.items);
	return code;
}

int schedules_run(struct control *c, const char *app, const char *repository,
		  uint64_t looked_unix_ms, struct error *err)
{
	struct rows rows = {.app = app, .repository = repository};
	const struct server *server =
		c->parts.server ? c->parts.server(c->parts.server_context) : NULL;
	char names[SERVER_NAMES_SIZE];
	struct error first;
	int result = plan_again(c, app, repository, err);
	if (result == 0)
		result = read_rows(c, &rows, looked_unix_ms, err);
	for (uint32_t i = 0; i < rows.count; i++) {
		struct store_schedule *row = &rows.items[i];
		enum schedules_act act =
			schedules_decide(row, looked_unix_ms, server_signed(server, app, names));
		int code = act == SCHEDULES_WAIT ? 0 : serve(c, row, act, &first);
		if (code < 0 && result == 0) {
			result = code;
			*err = first;
		}
	}
	free(rows.items);
	return result;
}
