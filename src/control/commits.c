/* SPDX-License-Identifier: Apache-2.0
 * commits - see commits.h for the contract. */
#include "control/commits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "control/environment.h"
#include "provider/history.h"
#include "store/builds.h"

enum { RETRY_MS = 5000, SHORT_ID = 12 };

int commits_build(struct store *store, const char *release, struct store_build *ret_build)
{
	char origin[DIGEST_HEX_SIZE];
	struct error ignored;
	int result = release_origin(store, release, origin, &ignored);
	return result < 0 ? result : store_build_of_release(store, origin, ret_build, &ignored);
}

/* --- what is to be found out */

void commits_want(struct environment *e, const struct active_rollout *r)
{
	struct control *c = e->control;
	if (!c->parts.history || strcmp(r->kind, "deploy") != 0 || !r->old_hex[0])
		return;
	struct store_build *builds = mem_zero(2, sizeof *builds);
	struct store_span *span = mem_zero(1, sizeof *span);
	if (commits_build(c->parts.store, r->old_hex, &builds[0]) == 0 &&
	    commits_build(c->parts.store, r->candidate.hex, &builds[1]) == 0) {
		span->rollout = r->number;
		span->pushed_unix_ms = builds[1].created_unix_ms;
		text_copy(span->app, sizeof span->app, e->app);
		text_copy(span->environment, sizeof span->environment, e->name);
		text_copy(span->repository, sizeof span->repository, builds[1].repository);
		text_copy(span->old_commit, sizeof span->old_commit, builds[0].commit);
		text_copy(span->new_commit, sizeof span->new_commit, builds[1].commit);
		text_copy(span->state, sizeof span->state, "wanted");
		store_put_span(c->parts.store, span);
		c->commits_due_ms = 0;
	}
	free(builds);
	free(span);
}

/* --- git is asked */

struct commits_job {
	struct control *control; /* NULL: it is gone */
	struct history *history;
	struct store_span row;
	struct history_span span;
	struct history_commit commits[HISTORY_COMMITS_MAX];
	int result;
	struct error err;
};

static void put_changes(struct store *store, const struct commits_job *job)
{
	struct store_change *change = mem_zero(1, sizeof *change);
	for (uint32_t i = 0; i < job->span.count; i++) {
		const struct history_commit *from = &job->commits[i];
		text_copy(change->id, sizeof change->id, from->id);
		change->committed_unix_s = from->committed_unix_s;
		change->merge = from->merge;
		text_copy(change->address, sizeof change->address, from->address);
		text_copy(change->author, sizeof change->author, from->author);
		text_copy(change->subject, sizeof change->subject, from->subject);
		store_add_change(store, job->row.rollout, i, change);
	}
	free(change);
}

static void put_answer(struct control *c, struct commits_job *job)
{
	struct store *store = c->parts.store;
	struct error err;
	bool known = job->result == 0;
	text_copy(job->row.state, sizeof job->row.state, known ? "known" : "unknown");
	if (known) {
		job->row.count = job->span.count;
		job->row.cut = job->span.cut;
	} else {
		text_copy(job->row.why, sizeof job->row.why, job->err.text);
	}
	control_begin(c, false);
	store_put_span(store, &job->row);
	if (known)
		put_changes(store, job);
	if (control_commit(c, &err) < 0) {
		log_event(LOG_WARNING, "control.commits", "rollout=%u error=\"%s\"",
			  job->row.rollout, err.text);
		c->commits_due_ms = env_now_ms(c->parts.env) + RETRY_MS;
	} else {
		log_event(LOG_INFO, "control.commits", "rollout=%u state=%s count=%u why=\"%s\"",
			  job->row.rollout, job->row.state, job->row.count, job->row.why);
		c->commits_due_ms = 0; /* is there another one? */
	}
}

static void work(void *context)
{
	struct commits_job *job = context;
	job->result = job->history->ops->between(job->history, &job->span, &job->err);
}

static void finish(void *context)
{
	struct commits_job *job = context;
	if (job->control) {
		job->control->commits_job = NULL;
		put_answer(job->control, job);
	}
	free(job);
}

static void ask(struct control *c, const struct store_span *row)
{
	struct commits_job *job = mem_zero(1, sizeof *job);
	job->control = c;
	job->history = c->parts.history;
	job->row = *row;
	job->span = (struct history_span){.repository = job->row.repository,
					  .old_commit = job->row.old_commit,
					  .new_commit = job->row.new_commit,
					  .commits = job->commits};
	c->commits_job = job;
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return;
	}
	work(job);
	finish(job);
}

void commits_tick(struct control *c, uint64_t now_ms)
{
	struct error err;
	if (!c->parts.history || c->commits_job || c->tag_job || c->drift_job ||
	    now_ms < c->commits_due_ms)
		return;
	struct store_span *row = mem_zero(1, sizeof *row);
	int found = store_span_wanted(c->parts.store, row, &err);
	/* The start of a rollout sets it again. */
	c->commits_due_ms = found < 0 ? now_ms + RETRY_MS : UINT64_MAX;
	if (found > 0)
		ask(c, row);
	free(row);
}

void commits_release(struct control *c)
{
	if (c->commits_job)
		c->commits_job->control = NULL;
	c->commits_job = NULL;
}

/* --- who wrote them */

struct search {
	const struct server *server;
	const char *person;
	enum authorship found;
	char *what;
};

static int see_author(struct search *s, const char *id, const char *address, const char *subject)
{
	char identity[sizeof((struct store_change *)0)->address + 8];
	snprintf(identity, sizeof identity, "mail:%s", address);
	if (address[0] && strcmp(server_person(s->server, identity), s->person) != 0)
		return 0;
	s->found = address[0] ? AUTHOR_OF_COMMIT : AUTHOR_UNTOLD;
	snprintf(s->what, AUTHORSHIP_SIZE,
		 address[0] ? "wrote commit %.*s of it (%.120s)"
			    : "may have written commit %.*s of it (%.120s), for its author has no "
			      "address that can be told",
		 SHORT_ID, id, subject);
	return 1;
}

static int see_change(void *context, const struct store_change *change)
{
	return see_author(context, change->id, change->address, change->subject);
}

static void untold(struct search *s, const char *why)
{
	s->found = AUTHOR_UNTOLD;
	text_copy(s->what, AUTHORSHIP_SIZE, why);
}

/* Those before the one that was built. */
static void search_span(struct store *store, uint32_t rollout, struct search *s)
{
	struct store_span *span = mem_zero(1, sizeof *span);
	struct error ignored;
	int there = store_span_get(store, rollout, span, &ignored);
	if (there > 0 && strcmp(span->state, "wanted") == 0)
		untold(s, "may have written some of it: git is still asked which commits it has; "
			  "say it again in a moment");
	else if (there > 0 && strcmp(span->state, "unknown") == 0)
		untold(s, "may have written some of it: git could not tell which commits it has");
	else if (there < 0 ||
		 (there > 0 && store_changes(store, rollout, see_change, s, &ignored) < 0))
		untold(s, "may have written some of it: the store cannot be read just now");
	else if (there > 0 && s->found == AUTHOR_OF_NONE && span->cut)
		untold(s, "may have written some of it: it has more commits than davit reads");
	free(span);
}

enum authorship commits_author(const struct environment *e, const struct active_rollout *r,
			       const char *person, char ret_what[AUTHORSHIP_SIZE])
{
	struct control *c = e->control;
	struct search search = {.server = c->parts.server ? c->parts.server(c->parts.server_context)
							  : NULL,
				.person = person,
				.what = ret_what};
	struct store_build *build = mem_zero(1, sizeof *build);
	int result = commits_build(c->parts.store, r->candidate.hex, build);
	ret_what[0] = '\0';
	if (result == 0)
		(void)see_author(&search, build->commit, build->address, build->subject);
	else if (result != ERR_NOT_FOUND) /* that is: it was not built here */
		untold(&search, "may have written some of it: the store cannot be read just now");
	if (result == 0 && search.found == AUTHOR_OF_NONE)
		search_span(c->parts.store, r->number, &search);
	free(build);
	return search.found;
}
