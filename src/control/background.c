/* SPDX-License-Identifier: Apache-2.0
 * background - see background.h for the contract. */
#include "control/background.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "provider/artifact.h"
#include "store/releases.h"

enum { KEPT_MAX = 4096, GRACE_MS = 3600 * 1000 };

struct job {
	struct control *control; /* NULL: it is gone */
	struct job *next;
	void (*done)(struct job *job);
	struct artifact_store *artifacts;
	int result;
	struct error err;
	/* fetch */
	char key[CONTROL_KEY_SIZE];
	struct release_id release;
	struct digest digest;
	/* collect */
	uint32_t kept_count;
	struct digest *kept;
	struct artifact_collected collected;
};

static struct job *job_new(struct control *c, void (*done)(struct job *job))
{
	struct job *job = mem_zero(1, sizeof *job);
	job->control = c;
	job->done = done;
	job->artifacts = c->parts.artifacts;
	job->next = c->jobs;
	c->jobs = job;
	return job;
}

static void finish(void *context)
{
	struct job *job = context;
	if (job->control) {
		for (struct job **p = &job->control->jobs; *p; p = &(*p)->next)
			if (*p == job) {
				*p = job->next;
				break;
			}
		job->done(job);
	}
	free(job->kept);
	free(job);
}

static void begin(struct control *c, struct job *job, void (*work)(void *context))
{
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return;
	}
	work(job);
	finish(job);
}

void background_release(struct control *c)
{
	for (struct job *job = c->jobs; job; job = job->next)
		job->control = NULL;
	c->jobs = NULL;
}

/* --- fetch */

static void verify(void *context)
{
	struct job *job = context;
	struct artifact_info info;
	job->result = job->artifacts->ops->verify(job->artifacts, &job->digest, &info, &job->err);
}

static void fetched(struct job *job)
{
	struct environment *e = environment_find_key(job->control, job->key);
	struct rollout_event event = {
		.kind = EVENT_FETCHED, .release = job->release, .ok = job->result == 0};
	struct turn_note note = {.sentence = job->result == 0 ? NULL : job->err.text};
	if (!e || !e->active)
		return;
	environment_event(e, &event, &note);
	observe_request(e);
}

/* A step is issued again every second; one that reads gigabytes is not to be begun again each time. */
static bool under_way(const struct environment *e, const struct active_rollout *r)
{
	for (const struct job *job = e->control->jobs; job; job = job->next)
		if (job->done == fetched && strcmp(job->key, e->key) == 0 &&
		    release_id_equal(&job->release, &r->candidate.id))
			return true;
	return false;
}

void background_fetch(struct environment *e, const struct active_rollout *r)
{
	if (under_way(e, r))
		return;
	struct job *job = job_new(e->control, fetched);
	text_copy(job->key, sizeof job->key, e->key);
	job->release = r->candidate.id;
	ASSERT(digest_parse(r->candidate.artifact, &job->digest));
	begin(e->control, job, verify);
}

/* --- collect */

static int keep(void *context, const struct digest *artifact)
{
	struct job *job = context;
	if (job->kept_count == KEPT_MAX)
		return ERR_LIMIT;
	job->kept[job->kept_count++] = *artifact;
	return 0;
}

static void collect(void *context)
{
	struct job *job = context;
	job->result = job->artifacts->ops->collect(job->artifacts, job->kept, job->kept_count,
						   GRACE_MS, &job->collected, &job->err);
}

static void collected(struct job *job)
{
	job->control->collecting = false;
	if (job->result < 0)
		log_event(LOG_WARNING, "control.collect", "error=\"%s\"", job->err.text);
	else if (job->collected.removed > 0)
		log_event(LOG_INFO, "control.collect", "removed=%u kept=%u freed_bytes=%llu",
			  job->collected.removed, job->collected.kept,
			  (unsigned long long)job->collected.removed_bytes);
}

/* The most that any environment wants to be able to go back to. */
static uint32_t retained(const struct control *c)
{
	uint32_t most = 1;
	for (uint32_t i = 0; i < c->environment_count; i++) {
		const struct resolved *config = environment_traffic_config(c->environments[i]);
		if (config && config->environment.retain + 1 > most)
			most = config->environment.retain + 1;
	}
	return most;
}

void background_collect(struct control *c)
{
	struct error err;
	uint64_t now = env_wall_ms(c->parts.env);
	if (c->collecting)
		return;
	struct job *job = job_new(c, collected);
	job->kept = mem_zero(KEPT_MAX, sizeof *job->kept);
	c->collecting = true;
	if (store_artifacts_kept(c->parts.store, retained(c), now > GRACE_MS ? now - GRACE_MS : 0,
				 keep, job, &err) < 0) {
		/* More to keep than fits, or the store cannot be read: then nothing is removed. */
		job->result = ERR_LIMIT;
		error_set(&job->err, ERR_LIMIT,
			  "Nothing was removed: what must be kept is not known.");
		finish(job);
		return;
	}
	begin(c, job, collect);
}
