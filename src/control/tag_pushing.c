/* SPDX-License-Identifier: Apache-2.0
 * tag_pushing - see tag_pushing.h for the contract. */
#include "control/tag_pushing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "control/environment.h"
#include "control/retry.h"
#include "provider/tag_push.h"
#include "store/audit.h"
#include "store/rollouts.h"
#include "store/tag_pushes.h"

enum { LOOK_MS = 1000, RETRY_MS = 5000, MINUTE_MS = 60 * 1000 };

const char *tag_pushing_state(int result, bool existed, bool late)
{
	if (result == 0)
		return existed ? "there" : "pushed";
	if (result == ERR_CONFLICT)
		return "refused";
	return late && result != ERR_CLOSED ? "given up" : "wanted";
}

/* --- what is wanted */

static const struct server_source *source_of(const struct control *c, const char *app)
{
	const struct server_source *source =
		c->parts.tag_pusher && c->parts.server
			? server_source_of(c->parts.server(c->parts.server_context), app)
			: NULL;
	return source && source->push_tags ? source : NULL;
}

bool tag_pushing_asked(const struct control *c, const char *app)
{
	return source_of(c, app) != NULL;
}

void tag_pushing_want(struct control *c, const char *app, const struct store_git_tag *tag)
{
	const struct server_source *source = source_of(c, app);
	if (!source)
		return;
	struct store_tag_push *push = mem_zero(1, sizeof *push);
	push->rollout = tag->rollout;
	push->at_unix_ms = push->due_unix_ms = env_wall_ms(c->parts.env);
	text_copy(push->app, sizeof push->app, app);
	text_copy(push->remote, sizeof push->remote, source->git);
	text_copy(push->state, sizeof push->state, "wanted");
	store_put_tag_push(c->parts.store, push);
	c->tag_push_due_ms = 0;
	free(push);
}

void tag_pushing_follow(struct control *c, const struct store_git_tag *tag)
{
	if (strcmp(tag->state, "refused") == 0)
		store_forget_tag_push(c->parts.store, tag->rollout);
	c->tag_push_due_ms = 0;
}

/* --- it is pushed */

struct tag_push_job {
	struct control *control; /* NULL: it is gone */
	struct tag_pusher *pusher;
	struct store_tag_push row;
	struct store_git_tag tag;
	char token_file[1024];
	struct tag_push push;
	int result;
	struct error err;
};

static int take_environment(void *context, const struct store_rollout *row)
{
	struct store_audit_entry *audit = context;
	text_copy(audit->environment, sizeof audit->environment, row->environment);
	return 0;
}

static void add_audit(struct control *c, const struct tag_push_job *job)
{
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env),
					  .rollout = job->row.rollout};
	struct error ignored; /* then the number says where it was */
	(void)!store_rollout_get(c->parts.store, job->row.rollout, take_environment, &audit,
				 &ignored);
	text_copy(audit.app, sizeof audit.app, job->row.app);
	text_copy(audit.who, sizeof audit.who, "davit");
	text_copy(audit.action, sizeof audit.action, "git.push");
	text_copy(audit.reason, sizeof audit.reason, job->tag.name);
	text_copy(audit.evidence, sizeof audit.evidence, job->row.why);
	store_add_audit(c->parts.store, &audit);
}

static void fill_outcome(struct control *c, struct tag_push_job *job)
{
	struct store_tag_push *row = &job->row;
	uint64_t now = env_wall_ms(c->parts.env);
	row->tries++;
	text_copy(row->state, sizeof row->state,
		  tag_pushing_state(job->result, job->push.existed,
				    retry_late(row->at_unix_ms, now)));
	if (job->result < 0)
		text_copy(row->why, sizeof row->why, job->err.text);
	else
		snprintf(row->why, sizeof row->why, "The tag %s %s %.300s.", job->tag.name,
			 job->push.existed ? "was there already, at the same commit, in"
					   : "was pushed to",
			 row->remote);
	row->due_unix_ms = now + retry_wait_ms(c->parts.env, row->tries, 0);
}

static void put_outcome(struct control *c, struct tag_push_job *job)
{
	struct store_tag_push *row = &job->row;
	struct error err;
	fill_outcome(c, job);
	bool over = strcmp(row->state, "wanted") != 0;
	control_begin(c, false);
	store_put_tag_push(c->parts.store, row);
	if (over)
		add_audit(c, job);
	c->tag_push_due_ms = 0; /* is there another one? */
	if (control_commit(c, &err) < 0) {
		log_event(LOG_WARNING, "control.tag_push", "rollout=%u error=\"%s\"", row->rollout,
			  err.text);
		c->tag_push_due_ms = env_now_ms(c->parts.env) + RETRY_MS;
		return;
	}
	/* Of failures the first and the last are told. */
	if (over || row->tries == 1)
		log_event(job->result < 0 ? LOG_WARNING : LOG_INFO, "control.tag_push",
			  "rollout=%u tag=%s state=\"%s\" tries=%u why=\"%s\"", row->rollout,
			  job->tag.name, row->state, row->tries, row->why);
	control_changed(c, row->rollout);
}

static void work(void *context)
{
	struct tag_push_job *job = context;
	job->result = job->pusher->ops->push(job->pusher, &job->push, &job->err);
}

static void finish(void *context)
{
	struct tag_push_job *job = context;
	if (job->control) {
		job->control->tag_push_job = NULL;
		put_outcome(job->control, job);
	}
	free(job);
}

/* The address is the one that the file has now: a repository may have moved. */
static void push(struct control *c, struct tag_push_job *job, const struct server_source *source)
{
	job->control = c;
	job->pusher = c->parts.tag_pusher;
	text_copy(job->row.remote, sizeof job->row.remote, source->git);
	text_copy(job->token_file, sizeof job->token_file,
		  source->token_file ? source->token_file : "");
	job->push = (struct tag_push){.git = job->row.remote,
				      .token_file = job->token_file[0] ? job->token_file : NULL,
				      .repository = job->tag.repository,
				      .commit = job->tag.commit,
				      .name = job->tag.name,
				      .message = job->tag.message,
				      .at_unix_s = job->tag.at_unix_ms / 1000};
	c->tag_push_job = job;
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return;
	}
	work(job);
	finish(job);
}

/* The server's file asks for it no more: it may be in the middle of being written. */
static void put_off(struct control *c, struct store_tag_push *row)
{
	struct error ignored;
	uint64_t now = env_wall_ms(c->parts.env);
	text_copy(row->state, sizeof row->state,
		  retry_late(row->at_unix_ms, now) ? "given up" : "wanted");
	text_copy(row->why, sizeof row->why,
		  "The server's file asks for no push of this application's tags any more.");
	row->due_unix_ms = now + MINUTE_MS;
	control_begin(c, false);
	store_put_tag_push(c->parts.store, row);
	(void)!control_commit(c, &ignored);
}

void tag_pushing_tick(struct control *c, uint64_t now_ms)
{
	struct error err;
	if (!c->parts.tag_pusher || c->tag_push_job || now_ms < c->tag_push_due_ms)
		return;
	struct tag_push_job *job = mem_zero(1, sizeof *job);
	int found = store_tag_push_next(c->parts.store, &job->row, &err);
	bool due = found > 0 && job->row.due_unix_ms <= env_wall_ms(c->parts.env);
	/* A success sets it again. */
	c->tag_push_due_ms = found == 0 ? UINT64_MAX : now_ms + (found < 0 ? RETRY_MS : LOOK_MS);
	if (due && store_git_tag_get(c->parts.store, job->row.rollout, &job->tag, &err) > 0) {
		const struct server_source *source = source_of(c, job->row.app);
		if (source) {
			push(c, job, source);
			return;
		}
		put_off(c, &job->row);
	}
	free(job);
}

void tag_pushing_release(struct control *c)
{
	if (c->tag_push_job)
		c->tag_push_job->control = NULL;
	c->tag_push_job = NULL;
}
