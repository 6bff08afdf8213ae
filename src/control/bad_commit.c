/* SPDX-License-Identifier: Apache-2.0
 * bad_commit - see bad_commit.h for the contract. */
#include "control/bad_commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "control/commits.h"
#include "control/environment.h"
#include "control/release_config.h"

enum { REASON_SHOWN = 200 };

/* --- decisions */

static const char *from_of(const struct bad_commit_step *steps, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(steps[i].name, name) == 0)
			return steps[i].from;
	return "";
}

bool bad_commit_leads(const struct bad_commit_step *steps, uint32_t count, const char *first,
		      const char *last)
{
	const char *at = last;
	for (uint32_t i = 0; i <= count && at[0]; i++) {
		if (strcmp(at, first) == 0)
			return true;
		at = from_of(steps, count, at);
	}
	return false;
}

bool bad_commit_refuses(const struct store_taken_back *row, const char *commit)
{
	return row->marked && strcmp(row->commit, commit) == 0;
}

void bad_commit_text(const struct store_taken_back *row, const char *environment, char *to,
		     size_t size)
{
	char text[2 * STORE_SENTENCE_SIZE + STORE_COMMIT_SIZE + STORE_NAME_SIZE + 64], took[40];
	snprintf(took, sizeof took, row->rollout > 0 ? "rollout %u took back" : "is marked bad",
		 row->rollout);
	snprintf(text, sizeof text, "commit %.12s (%.120s), which %s in %s%s%s", row->commit,
		 row->subject, took, environment, row->reason[0] ? ": " : "", row->reason);
	text_show(text, strlen(text), to, size);
}

/* --- the path of the release, by its own configuration */

struct path {
	uint32_t count;
	struct bad_commit_step steps[BAD_COMMIT_STEPS_MAX];
};

static int add_step(void *context, const char *name, const struct resolved *config)
{
	struct path *path = context;
	if (path->count == BAD_COMMIT_STEPS_MAX)
		return 1;
	struct bad_commit_step *step = &path->steps[path->count++];
	text_copy(step->name, sizeof step->name, name);
	text_copy(step->from, sizeof step->from,
		  config->environment.from ? config->environment.from : "");
	return 0;
}

static int read_path(struct store *store, const char *release, struct path *path, struct error *err)
{
	struct store_release row;
	struct buf json;
	buf_init(&json, STORE_BLOB_MAX);
	int result = store_release_get(store, release, &row, &json, err);
	if (result == 0)
		result = release_config_each(buf_text(&json), json.size, add_step, path, err);
	buf_done(&json);
	return result < 0 ? result : 0;
}

/* --- what is in the store */

struct looking {
	const char *commit, *environment; /* environment: that is looked at */
	bool found;
	struct store_taken_back row; /* that refuses it */
	char where[STORE_NAME_SIZE];
	struct view_bad_commits *shown; /* NULL: only what refuses is looked for */
};

static void show(struct looking *l, const struct store_taken_back *row)
{
	struct view_bad_commits *to = l->shown;
	for (uint32_t i = 0; i < to->count; i++)
		if (strcmp(to->items[i].commit, row->commit) == 0 &&
		    strcmp(to->items[i].environment, l->environment) == 0)
			return;
	if (to->count == VIEW_BAD_COMMITS_MAX) {
		to->more++;
		return;
	}
	struct view_bad_commit *item = &to->items[to->count++];
	text_copy(item->commit, sizeof item->commit, row->commit);
	text_copy(item->environment, sizeof item->environment, l->environment);
	item->rollout = row->rollout;
	item->marked = row->marked;
	bad_commit_text(row, l->environment, item->text, sizeof item->text);
}

static int see(void *context, const struct store_taken_back *row)
{
	struct looking *l = context;
	if (l->shown) {
		show(l, row);
		return 0;
	}
	if (!bad_commit_refuses(row, l->commit))
		return 0;
	l->found = true;
	l->row = *row;
	text_copy(l->where, sizeof l->where, l->environment);
	return 1;
}

/* In the environment itself first, then in those that it leads to. */
static int look(const struct environment *e, const char *release, uint32_t rollout,
		struct looking *l, struct error *err)
{
	struct store *store = e->control->parts.store;
	struct path *path = mem_zero(1, sizeof *path);
	int result = read_path(store, release, path, err);
	l->environment = e->name;
	if (result == 0)
		result = store_taken_back(store, e->app, e->name, l->commit, rollout, see, l, err);
	for (uint32_t i = 0; i < path->count && result == 0; i++) {
		l->environment = path->steps[i].name;
		if (strcmp(l->environment, e->name) != 0 &&
		    bad_commit_leads(path->steps, path->count, e->name, l->environment))
			result = store_taken_back(store, e->app, l->environment, l->commit, rollout,
						  see, l, err);
	}
	free(path);
	return result < 0 ? result : 0;
}

int bad_commit_check(struct environment *e, const struct store_release *release, struct error *err)
{
	struct store_build *build = mem_zero(1, sizeof *build);
	struct looking *l = mem_zero(1, sizeof *l);
	char reason[REASON_SHOWN];
	int result = commits_build(e->control->parts.store, release->id, build);
	l->commit = build->commit;
	if (result == 0)
		result = look(e, release->id, 0, l, err);
	else if (result == ERR_NOT_FOUND) /* it was not built here */
		result = 0;
	else
		error_set(err, (enum err)result,
			  "Which commit %s was built of cannot be read just now; try it again.",
			  release->tag);
	text_show(l->row.reason, strlen(l->row.reason), reason, sizeof reason);
	if (result == 0 && l->found)
		result =
			error_set(err, ERR_DENIED,
				  "%s is of commit %.12s, which is marked bad in %s/%s as %s (%s); "
				  "\"davit releases clear %s %s\" lifts that, \"davit deploy %s %s "
				  "--allow-bad\" goes all the same.",
				  release->tag, l->row.commit, e->app, l->where, l->row.tag, reason,
				  l->where, l->row.tag, e->name, release->tag);
	free(l);
	free(build);
	return result;
}

void bad_commit_show(const struct environment *e, const struct active_rollout *r,
		     struct view_bad_commits *to)
{
	struct store_build *build = mem_zero(1, sizeof *build);
	struct looking *l = mem_zero(1, sizeof *l);
	struct error ignored; /* what cannot be read is not shown */
	l->commit = build->commit;
	l->shown = to;
	if (commits_build(e->control->parts.store, r->candidate.hex, build) == 0 &&
	    look(e, r->candidate.hex, r->number, l, &ignored) < 0)
		*to = (struct view_bad_commits){.count = 0};
	free(l);
	free(build);
}
