/* SPDX-License-Identifier: Apache-2.0
 * postmortem - see postmortem.h for the contract: who asks, what is done beside the loop, which drafts are written. */
#include "control/postmortem.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/environment.h"
#include "control/view.h"
#include "provider/postmortems.h"
#include "store/audit.h"
#include "store/rollouts.h"

struct postmortem_job {
	struct control *control; /* NULL: it is gone */
	struct postmortem_job *next;
	struct ticks *ticks;
	struct postmortems *files; /* NULL: it is only asked for */
	postmortem_done done;      /* or NULL */
	void *context;
	int result;
	struct error err;
	struct postmortem facts;
};

static void forget(struct postmortem_job *job)
{
	for (struct postmortem_job **p = &job->control->postmortem_jobs; *p; p = &(*p)->next)
		if (*p == job) {
			*p = job->next;
			return;
		}
}

void postmortem_release(struct control *c)
{
	for (struct postmortem_job *job = c->postmortem_jobs; job; job = job->next)
		job->control = NULL;
	c->postmortem_jobs = NULL;
}

static void work(void *context)
{
	struct postmortem_job *job = context;
	struct buf text;
	postmortem_add_ticks(&job->facts, job->ticks);
	if (!job->files)
		return;
	buf_init(&text, POSTMORTEM_BYTES_MAX);
	postmortem_write(&job->facts, POSTMORTEM_MARKDOWN, &text);
	job->result = job->files->ops->put(job->files, job->facts.number, buf_text(&text),
					   text.size, &job->err);
	buf_done(&text);
}

static void finish(void *context)
{
	struct postmortem_job *job = context;
	if (job->control) {
		forget(job);
		if (job->result < 0)
			log_event(LOG_WARNING, "postmortem.draft", "rollout=%u error=\"%s\"",
				  job->facts.number, job->err.text);
		else if (job->files)
			log_event(LOG_INFO, "postmortem.draft", "rollout=%u", job->facts.number);
		if (job->done)
			job->done(job->context, &job->facts);
	}
	free(job);
}

static int begin(struct control *c, uint32_t number, struct postmortems *files,
		 postmortem_done done, void *context, struct error *err)
{
	struct postmortem_job *job = mem_zero(1, sizeof *job);
	int result = postmortem_facts(c, number, &job->facts, err);
	if (result < 0) {
		free(job);
		return result;
	}
	job->control = c;
	job->ticks = c->parts.ticks;
	job->files = files;
	job->done = done;
	job->context = context;
	job->next = c->postmortem_jobs;
	c->postmortem_jobs = job;
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return 0;
	}
	work(job);
	finish(job);
	return 1;
}

int control_postmortem(struct control *c, const char *rollout, postmortem_done done, void *context,
		       struct error *err)
{
	struct view_rollout *view = mem_new(sizeof *view);
	int result = control_view_rollout(c, rollout, view, err);
	uint32_t number = view->number;
	free(view);
	return result < 0 ? result : begin(c, number, NULL, done, context, err);
}

bool postmortem_is_due(const struct active_rollout *r, enum rollout_status to)
{
	if (strcmp(r->kind, "rollback") == 0)
		return to == ROLLOUT_SUCCEEDED || to == ROLLOUT_REVERTED;
	return to == ROLLOUT_REVERTED && r->exposed;
}

void postmortem_draft(struct control *c, uint32_t number)
{
	struct error err;
	struct postmortems *files = c->parts.postmortems;
	if (!files || files->ops->has(files, number))
		return;
	if (begin(c, number, files, NULL, NULL, &err) < 0)
		log_event(LOG_WARNING, "postmortem.draft", "rollout=%u error=\"%s\"", number,
			  err.text);
}

struct missing {
	const struct postmortems *files;
	uint32_t seen, count;
	uint32_t numbers[TICKS_LOGS_MAX];
};

static int add_missing(void *context, const struct store_audit_entry *e)
{
	struct missing *m = context;
	if (strcmp(e->action, "postmortem") != 0)
		return 0;
	if (!m->files->ops->has(m->files, e->rollout))
		m->numbers[m->count++] = e->rollout;
	return ++m->seen == TICKS_LOGS_MAX;
}

void postmortem_catch_up(struct control *c)
{
	struct missing missing = {.files = c->parts.postmortems};
	struct store_audit_filter all = {0};
	struct error err;
	if (!missing.files)
		return;
	if (store_audit(c->parts.store, &all, add_missing, &missing, &err) < 0)
		log_event(LOG_WARNING, "postmortem.draft", "error=\"%s\"", err.text);
	for (uint32_t i = 0; i < missing.count; i++)
		postmortem_draft(c, missing.numbers[i]);
}
