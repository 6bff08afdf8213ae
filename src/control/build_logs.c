/* SPDX-License-Identifier: Apache-2.0
 * build_logs - see build_logs.h for the contract. */
#include "control/build_logs.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/server_logs.h"
#include "control/kept_logs.h"
#include "provider/builds.h"
#include "store/builds.h"

enum { LOGS_MAX = 100000, LOGS_FIRST = 64 };

struct log_job {
	struct control *control; /* NULL: it is gone */
	struct builds *builds;
	bool again;
	size_t count, room;
	struct kept_log *logs;
	size_t removed;
	uint64_t removed_bytes;
	int result; /* of the last that could not be done */
	struct error err;
};

static void begin(struct log_job *job, void (*work)(void *context), void (*done)(void *context))
{
	const struct control_parts *parts = &job->control->parts;
	if (parts->background) {
		parts->background(parts->background_context, work, done, job);
		return;
	}
	work(job);
	done(job);
}

static void job_free(struct log_job *job)
{
	free(job->logs);
	free(job);
}

static void add(void *context, uint32_t number, uint64_t bytes)
{
	struct log_job *job = context;
	if (job->count == LOGS_MAX)
		return; /* the rest is seen when these have gone */
	if (job->count == job->room) {
		job->room = job->room ? 2 * job->room : LOGS_FIRST;
		job->logs = mem_grow(job->logs, job->room * sizeof *job->logs);
	}
	job->logs[job->count++] = (struct kept_log){.number = number, .bytes = bytes};
}

static void measure(void *context)
{
	struct log_job *job = context;
	job->result = job->builds->ops->kept(job->builds, add, job, &job->err);
}

static void remove_chosen(void *context)
{
	struct log_job *job = context;
	for (size_t i = 0; i < job->count; i++) {
		if (!job->logs[i].goes)
			continue;
		int code = job->builds->ops->forget(job->builds, job->logs[i].number, &job->err);
		if (code < 0) {
			job->result = code;
			continue;
		}
		job->removed++;
		job->removed_bytes += job->logs[i].bytes;
	}
}

static void removed(void *context)
{
	struct log_job *job = context;
	struct control *c = job->control;
	bool again = job->again;
	if (job->result < 0)
		log_event(LOG_WARNING, "builds.logs", "error=\"%s\"", job->err.text);
	if (job->removed > 0)
		log_event(LOG_INFO, "builds.logs", "removed=%zu kept=%zu freed_bytes=%llu",
			  job->removed, job->count - job->removed,
			  (unsigned long long)job->removed_bytes);
	job_free(job);
	if (!c)
		return;
	c->log_job = NULL;
	if (again)
		build_logs_tidy(c);
}

/* One that the store does not know of, or not now, has not ended. */
static struct kept_log_build about(void *context, uint32_t number)
{
	struct control *c = context;
	struct kept_log_build build = {.ended = false};
	struct store_build *row = mem_new(sizeof *row);
	struct error ignored;
	if (store_build_get(c->parts.store, number, row, &ignored) == 0)
		build = (struct kept_log_build){.ended = row->ended_unix_ms > 0,
						.failed = strcmp(row->state, "failed") == 0,
						.ended_unix_ms = row->ended_unix_ms};
	free(row);
	return build;
}

static void measured(void *context)
{
	struct log_job *job = context;
	struct control *c = job->control;
	if (!c) {
		job_free(job);
		return;
	}
	const struct server_logs bounds =
		server_logs(c->parts.server ? c->parts.server(c->parts.server_context) : NULL);
	if (kept_logs_choose(job->logs, job->count, &bounds, env_wall_ms(c->parts.env), about, c) >
	    0)
		begin(job, remove_chosen, removed);
	else
		removed(job);
}

void build_logs_tidy(struct control *c)
{
	if (!c->parts.builds)
		return; /* what others have built wrote nothing here */
	if (c->log_job) {
		c->log_job->again = true;
		return;
	}
	struct log_job *job = mem_zero(1, sizeof *job);
	job->control = c;
	job->builds = c->parts.builds;
	c->log_job = job;
	begin(job, measure, measured);
}

void build_logs_release(struct control *c)
{
	if (c->log_job)
		c->log_job->control = NULL;
	c->log_job = NULL;
}
