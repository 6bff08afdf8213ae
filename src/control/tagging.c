/* SPDX-License-Identifier: Apache-2.0
 * tagging - see tagging.h for the contract. */
#include "control/tagging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/commits.h"
#include "control/environment.h"
#include "control/tag_pushing.h"
#include "provider/history.h"
#include "store/audit.h"
#include "store/gates.h"
#include "store/git_tags.h"
#include "store/rollouts.h"

enum { RETRY_MS = 5000, TRIES = 5, PERSONS_SIZE = 1024 };

/* --- what is wanted */

/* Each person once. */
static int add_person(void *context, const struct store_approval *a)
{
	char *to = context, whole[PERSONS_SIZE + 8], one[sizeof a->person + 4];
	if (strcmp(a->verdict, "no") == 0)
		return 0;
	snprintf(whole, sizeof whole, ", %s,", to);
	snprintf(one, sizeof one, ", %s,", a->person);
	size_t used = strlen(to);
	if (!strstr(whole, one) && used + strlen(a->person) + 3 < PERSONS_SIZE)
		snprintf(to + used, PERSONS_SIZE - used, "%s%s", used > 0 ? ", " : "", a->person);
	return 0;
}

static void write_message(const struct environment *e, const struct active_rollout *r,
			  struct store_git_tag *tag)
{
	char persons[PERSONS_SIZE] = "";
	struct error ignored;
	if (store_approvals(e->control->parts.store, r->number, add_person, persons, &ignored) < 0)
		persons[0] = '\0';
	snprintf(tag->message, sizeof tag->message,
		 "%s is live in %s\n\napplication: %s\nenvironment: %s\nrollout: %u\n"
		 "release: %s\nfiles: %s\napproved by: %s\n",
		 r->candidate.tag, e->key, e->app, e->name, r->number, r->candidate.hex,
		 r->candidate.artifact, persons[0] ? persons : "nobody was asked");
}

void tagging_want(struct environment *e, const struct active_rollout *r, enum rollout_status to)
{
	struct control *c = e->control;
	if (!c->parts.history || to != ROLLOUT_SUCCEEDED || strcmp(r->kind, "deploy") != 0 ||
	    !r->candidate.config->environment.tag)
		return;
	struct store_build *build = mem_zero(1, sizeof *build);
	struct store_git_tag *tag = mem_zero(1, sizeof *tag);
	bool built = commits_build(c->parts.store, r->candidate.hex, build) == 0;
	bool ours = built && text_starts(build->repository, c->parts.history->hosted);
	/* A copy of a repository elsewhere is fetched over: there is no place for a tag in it. */
	bool copied = built && text_starts(build->repository, c->parts.history->copies) &&
		      tag_pushing_asked(c, e->app);
	if (ours || copied) {
		tag->rollout = r->number;
		tag->at_unix_ms = env_wall_ms(c->parts.env);
		text_copy(tag->repository, sizeof tag->repository, build->repository);
		text_copy(tag->commit, sizeof tag->commit, build->commit);
		text_copy(tag->name, sizeof tag->name, r->candidate.tag);
		text_copy(tag->state, sizeof tag->state, ours ? "wanted" : "elsewhere");
		write_message(e, r, tag);
		store_put_git_tag(c->parts.store, tag);
		tag_pushing_want(c, e->app, tag);
		c->tag_due_ms = 0;
	}
	free(build);
	free(tag);
}

/* --- it is made */

struct tag_job {
	struct control *control; /* NULL: it is gone */
	struct history *history;
	struct store_git_tag row;
	struct history_tag tag;
	int result;
	struct error err;
};

static int take_place(void *context, const struct store_rollout *row)
{
	struct store_audit_entry *audit = context;
	text_copy(audit->app, sizeof audit->app, row->app);
	text_copy(audit->environment, sizeof audit->environment, row->environment);
	return 0;
}

static void add_audit(struct control *c, const struct store_git_tag *tag)
{
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env),
					  .rollout = tag->rollout};
	struct error ignored; /* then the number says where it was */
	(void)!store_rollout_get(c->parts.store, tag->rollout, take_place, &audit, &ignored);
	text_copy(audit.who, sizeof audit.who, "davit");
	text_copy(audit.action, sizeof audit.action, "git.tag");
	text_copy(audit.reason, sizeof audit.reason, tag->name);
	text_copy(audit.evidence, sizeof audit.evidence, tag->why);
	store_add_audit(c->parts.store, &audit);
}

/* What another try may change: a full disk, a lock that somebody holds. */
static bool may_try_again(struct control *c, const struct tag_job *job)
{
	return job->result < 0 && job->result != ERR_CONFLICT && job->result != ERR_DENIED &&
	       ++c->tag_tries < TRIES;
}

static void put_outcome(struct control *c, struct tag_job *job)
{
	struct store_git_tag *tag = &job->row;
	struct error err;
	c->tag_due_ms = env_now_ms(c->parts.env) + RETRY_MS;
	if (may_try_again(c, job))
		return;
	text_copy(tag->state, sizeof tag->state,
		  job->result < 0    ? "refused"
		  : job->tag.existed ? "there"
				     : "made");
	if (job->result < 0)
		text_copy(tag->why, sizeof tag->why, job->err.text);
	else
		snprintf(tag->why, sizeof tag->why, "The tag %s stands at commit %.12s.", tag->name,
			 tag->commit);
	control_begin(c, false);
	store_put_git_tag(c->parts.store, tag);
	tag_pushing_follow(c, tag);
	add_audit(c, tag);
	if (control_commit(c, &err) < 0) {
		log_event(LOG_WARNING, "control.tag", "rollout=%u error=\"%s\"", tag->rollout,
			  err.text);
		return;
	}
	log_event(job->result < 0 ? LOG_WARNING : LOG_INFO, "control.tag",
		  "rollout=%u state=%s why=\"%s\"", tag->rollout, tag->state, tag->why);
	c->tag_tries = 0;
	c->tag_due_ms = 0; /* is there another one? */
	control_changed(c, tag->rollout);
}

static void work(void *context)
{
	struct tag_job *job = context;
	job->result = job->history->ops->tag(job->history, &job->tag, &job->err);
}

static void finish(void *context)
{
	struct tag_job *job = context;
	if (job->control) {
		job->control->tag_job = NULL;
		put_outcome(job->control, job);
	}
	free(job);
}

static void make(struct control *c, const struct store_git_tag *row)
{
	struct tag_job *job = mem_zero(1, sizeof *job);
	job->control = c;
	job->history = c->parts.history;
	job->row = *row;
	job->tag = (struct history_tag){.repository = job->row.repository,
					.commit = job->row.commit,
					.name = job->row.name,
					.message = job->row.message,
					.at_unix_s = job->row.at_unix_ms / 1000};
	c->tag_job = job;
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return;
	}
	work(job);
	finish(job);
}

void tagging_tick(struct control *c, uint64_t now_ms)
{
	struct error err;
	/* The history answers one at a time. */
	if (!c->parts.history || c->tag_job || c->commits_job || c->drift_job ||
	    now_ms < c->tag_due_ms)
		return;
	struct store_git_tag *row = mem_zero(1, sizeof *row);
	int found = store_git_tag_wanted(c->parts.store, row, &err);
	/* A success sets it again. */
	c->tag_due_ms = found < 0 ? now_ms + RETRY_MS : UINT64_MAX;
	if (found > 0)
		make(c, row);
	free(row);
}

void tagging_release(struct control *c)
{
	if (c->tag_job)
		c->tag_job->control = NULL;
	c->tag_job = NULL;
}
