/* SPDX-License-Identifier: Apache-2.0
 * reports - see reports.h for the contract. */
#include "control/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "control/commits.h"
#include "control/environment.h"
#include "control/retry.h"
#include "provider/host.h"
#include "rollout/rollout.h"
#include "store/reports.h"
#include "store/rollouts.h"

enum { KEY_SIZE = 160, LOOK_MS = 1000, RETRY_MS = 5000, MINUTE_MS = 60 * 1000 };

static const char *const states[] = {"waiting", "running",   "passed",
				     "failed",  "cancelled", "stuck"};

static const struct server_host_place *host_of(const struct control *c, const char *app)
{
	return c->parts.host && c->parts.server
		       ? server_host_of(c->parts.server(c->parts.server_context), app)
		       : NULL;
}

/* --- what is to be told */

static void want(struct control *c, struct store_report *report, enum host_state state)
{
	text_copy(report->state, sizeof report->state, states[state]);
	report->at_unix_ms = env_wall_ms(c->parts.env);
	store_add_report(c->parts.store, report);
	c->report_due_ms = 0;
}

static const struct {
	const char *state, *words;
	enum host_state told;
} build_states[] = {
	{"queued", "waits", HOST_WAITING},
	{"running", "is under way", HOST_RUNNING},
	{"releasing", "becomes a release", HOST_RUNNING},
	{"cancelling", "is being cancelled", HOST_RUNNING},
	{"passed", "passed", HOST_PASSED},
	{"failed", "failed", HOST_FAILED},
	{"cancelled", "was cancelled", HOST_CANCELLED},
	{"superseded", "gave its place to a newer commit", HOST_CANCELLED},
};

void reports_build(struct control *c, const struct store_build *b)
{
	struct store_report *report;
	size_t i = 0;
	if (!host_of(c, b->app))
		return;
	while (i + 1 < sizeof build_states / sizeof build_states[0] &&
	       strcmp(build_states[i].state, b->state) != 0)
		i++;
	report = mem_zero(1, sizeof *report);
	text_copy(report->kind, sizeof report->kind, "status");
	text_copy(report->app, sizeof report->app, b->app);
	text_copy(report->commit, sizeof report->commit, b->commit);
	text_copy(report->context, sizeof report->context, "davit/build");
	report->about = b->number;
	snprintf(report->description, sizeof report->description, "Build %u %s%s%s", b->number,
		 build_states[i].words, b->why[0] ? ": " : ".", b->why);
	want(c, report, build_states[i].told);
	free(report);
}

static enum host_state state_of(enum rollout_status status)
{
	switch (status) {
	case ROLLOUT_QUEUED:
	case ROLLOUT_GATED: return HOST_WAITING;
	case ROLLOUT_SUCCEEDED: return HOST_PASSED;
	case ROLLOUT_REVERTED: return HOST_FAILED;
	case ROLLOUT_STUCK: return HOST_STUCK;
	case ROLLOUT_REJECTED:
	case ROLLOUT_SUPERSEDED:
	case ROLLOUT_CANCELLED: return HOST_CANCELLED;
	case ROLLOUT_NONE:
	case ROLLOUT_RUNNING:
	case ROLLOUT_PAUSED:
	case ROLLOUT_REVERTING:
	case ROLLOUT_STATUS_COUNT: break;
	}
	return HOST_RUNNING;
}

static const char *words_of(enum rollout_status status)
{
	static const char *const words[ROLLOUT_STATUS_COUNT] = {
		[ROLLOUT_NONE] = "is known",
		[ROLLOUT_QUEUED] = "waits for its turn",
		[ROLLOUT_GATED] = "waits for a yes",
		[ROLLOUT_RUNNING] = "goes out",
		[ROLLOUT_PAUSED] = "is held",
		[ROLLOUT_REVERTING] = "is taken back",
		[ROLLOUT_STUCK] = "needs a person",
		[ROLLOUT_SUCCEEDED] = "is live",
		[ROLLOUT_REVERTED] = "was taken back",
		[ROLLOUT_REJECTED] = "was refused",
		[ROLLOUT_SUPERSEDED] = "gave its place to a newer release",
		[ROLLOUT_CANCELLED] = "was withdrawn"};
	return words[status];
}

void reports_rollout(struct environment *e, const struct active_rollout *r,
		     const struct rollout_effect *effect)
{
	struct control *c = e->control;
	const struct server_host_place *host = host_of(c, e->app);
	const char *clause = rollout_reason_text(effect->reason);
	struct store_build *build;
	struct store_report *report;
	if (!host)
		return;
	build = mem_zero(1, sizeof *build);
	report = mem_zero(1, sizeof *report);
	if (commits_build(c->parts.store, r->candidate.hex, build) == 0) {
		text_copy(report->app, sizeof report->app, e->app);
		text_copy(report->commit, sizeof report->commit, build->commit);
		snprintf(report->context, sizeof report->context, "davit/%s", e->name);
		text_copy(report->environment, sizeof report->environment, e->name);
		report->production = r->candidate.config->environment.production;
		report->about = r->number;
		snprintf(report->description, sizeof report->description, "%s %s%s%s.",
			 r->candidate.tag, words_of(effect->to), clause[0] ? ": " : "", clause);
		text_copy(report->kind, sizeof report->kind, "status");
		want(c, report, state_of(effect->to));
		text_copy(report->kind, sizeof report->kind, "deployment");
		if (host->kind == SERVER_GITHUB)
			want(c, report, state_of(effect->to));
	}
	free(build);
	free(report);
}

/* --- it is told */

struct report_job {
	struct control *control; /* NULL: it is gone */
	struct host *host;
	struct store_report row;
	char api[512], repository[256], token_file[1024], key[KEY_SIZE];
	struct host_message message;
	int result;
	struct error err;
};

static void fill_outcome(struct control *c, struct report_job *job)
{
	struct store_report *row = &job->row;
	uint64_t now = env_wall_ms(c->parts.env);
	bool late = retry_late(row->at_unix_ms, now);
	row->tries++;
	text_copy(row->why, sizeof row->why, job->result < 0 ? job->err.text : "");
	text_copy(row->outcome, sizeof row->outcome,
		  job->result == 0                    ? "told"
		  : job->result == ERR_RETRY && !late ? "wanted"
						      : "given up");
	row->due_unix_ms = now + retry_wait_ms(c->parts.env, row->tries, job->message.wait_s);
}

static void put_outcome(struct control *c, struct report_job *job)
{
	struct store_report *row = &job->row;
	struct error err;
	fill_outcome(c, job);
	control_begin(c, false);
	store_put_report(c->parts.store, row);
	if (job->message.number > 0)
		store_put_host_deployment(c->parts.store, row->about, job->message.number);
	if (control_commit(c, &err) < 0) {
		log_event(LOG_WARNING, "control.report", "error=\"%s\"", err.text);
		c->report_due_ms = env_now_ms(c->parts.env) + RETRY_MS;
		return;
	}
	c->report_due_ms = 0; /* is there another one? */
	if (job->result == 0)
		log_event(LOG_DEBUG, "control.report", "app=%s context=%s state=%s told=yes",
			  row->app, row->context, row->state);
	else if (row->tries == 1 || strcmp(row->outcome, "given up") == 0)
		log_event(LOG_WARNING, "control.report",
			  "app=%s context=%s state=%s outcome=\"%s\" error=\"%s\"", row->app,
			  row->context, row->state, row->outcome, row->why);
}

static void work(void *context)
{
	struct report_job *job = context;
	job->result = job->host->ops->tell(job->host, &job->message, &job->err);
}

static void finish(void *context)
{
	struct report_job *job = context;
	if (job->control) {
		job->control->report_job = NULL;
		put_outcome(job->control, job);
	}
	free(job);
}

static enum host_state state_named(const char *name)
{
	size_t i = 0;
	while (i + 1 < sizeof states / sizeof states[0] && strcmp(states[i], name) != 0)
		i++;
	return (enum host_state)i;
}

static int take_created(void *context, const struct store_rollout *row)
{
	*(uint64_t *)context = row->created_unix_ms;
	return 0;
}

/* The number of a rollout is this server's; with its time no other one has the same. */
static int fill_key(struct control *c, struct report_job *job, struct error *err)
{
	const struct store_report *row = &job->row;
	uint64_t created = 0;
	int code = store_host_deployment(c->parts.store, row->about, &job->message.number, err);
	if (code == 0)
		code = store_rollout_get(c->parts.store, row->about, take_created, &created, err);
	snprintf(job->key, sizeof job->key, "%s/%s rollout %u of %llu", row->app, row->environment,
		 row->about, (unsigned long long)created);
	return code;
}

static void fill_message(struct report_job *job, const struct server_host_place *host)
{
	static const enum host_kind kinds[SERVER_HOST_COUNT] = {[SERVER_GITHUB] = HOST_GITHUB,
								[SERVER_GITLAB] = HOST_GITLAB,
								[SERVER_GITEA] = HOST_GITEA};
	const struct store_report *row = &job->row;
	bool deployment = strcmp(row->kind, "deployment") == 0;
	uint64_t number = job->message.number;
	text_copy(job->api, sizeof job->api, host->api);
	text_copy(job->repository, sizeof job->repository, host->repository);
	text_copy(job->token_file, sizeof job->token_file, host->token_file);
	job->message = (struct host_message){.kind = kinds[host->kind],
					     .api = job->api,
					     .repository = job->repository,
					     .token_file = job->token_file,
					     .commit = row->commit,
					     .context = row->context,
					     .state = state_named(row->state),
					     .description = row->description,
					     .environment = deployment ? row->environment : "",
					     .production = row->production,
					     .key = job->key,
					     .number = number};
}

static void tell(struct control *c, const struct store_report *row,
		 const struct server_host_place *host)
{
	struct report_job *job = mem_zero(1, sizeof *job);
	job->control = c;
	job->host = c->parts.host;
	job->row = *row;
	job->result = strcmp(row->kind, "deployment") == 0 ? fill_key(c, job, &job->err) : 0;
	fill_message(job, host);
	c->report_job = job;
	if (job->result < 0) {
		job->result = ERR_RETRY;
		finish(job);
	} else if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
	} else {
		work(job);
		finish(job);
	}
}

/* The server's file names no host now: it may be in the middle of being written. */
static void put_off(struct control *c, struct store_report *row)
{
	struct error ignored;
	uint64_t now = env_wall_ms(c->parts.env);
	bool late = retry_late(row->at_unix_ms, now);
	text_copy(row->outcome, sizeof row->outcome, late ? "given up" : "wanted");
	text_copy(row->why, sizeof row->why,
		  "The server's file names no host of this application.");
	row->due_unix_ms = now + MINUTE_MS;
	control_begin(c, false);
	store_put_report(c->parts.store, row);
	(void)!control_commit(c, &ignored);
}

void reports_tick(struct control *c, uint64_t now_ms)
{
	struct store_report *row;
	struct error err;
	if (!c->parts.host || c->report_job || now_ms < c->report_due_ms)
		return;
	row = mem_zero(1, sizeof *row);
	int found = store_report_due(c->parts.store, env_wall_ms(c->parts.env), row, &err);
	c->report_due_ms = now_ms + LOOK_MS;
	const struct server_host_place *host = found > 0 ? host_of(c, row->app) : NULL;
	if (found > 0 && host)
		tell(c, row, host);
	else if (found > 0)
		put_off(c, row);
	free(row);
}

void reports_release(struct control *c)
{
	if (c->report_job)
		c->report_job->control = NULL;
	c->report_job = NULL;
}
