/* SPDX-License-Identifier: Apache-2.0
 * api_log_search - a text in the logs of builds and of instances. See routes.h.
 *
 * Which directories are meant is found out in the loop; they are read in another thread, where the answer is written, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/admission.h"
#include "api/json.h"
#include "api/log_search.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/builds.h"
#include "control/view.h"
#include "store/builds.h"

enum { BUILDS_MAX = 2000, PLACES_FIRST = 32, LINES_DEFAULT = 100, AT_ONCE_MAX = 2 };

/* A directory of logs. */
struct place {
	char *path, *instance; /* instance NULL: of a build */
	uint32_t build;
};

struct search_job {
	struct search_job *next;
	struct api *api; /* NULL: it ended meanwhile */
	struct http_request *request;
	struct log_search search;
	char stage[STORE_NAME_SIZE]; /* this one alone, or "" */
	atomic_bool stop;
	size_t count, room;
	struct place *places;
	uint32_t builds, oldest; /* that were gone through, and the last of them */
	bool older;              /* there may be older ones */
	char *answer;
	/* While places are found. */
	char process[VIEW_WORD_SIZE], instance[96];
};

static void job_free(struct search_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		free(job->places[i].path);
		free(job->places[i].instance);
	}
	free(job->places);
	free(job);
}

static void add_place(struct search_job *job, const char *path, uint32_t build,
		      const char *instance)
{
	if (job->count == job->room) {
		job->room = job->room ? 2 * job->room : PLACES_FIRST;
		job->places = mem_grow(job->places, job->room * sizeof *job->places);
	}
	job->places[job->count++] =
		(struct place){.path = mem_copy_text(path),
			       .instance = instance ? mem_copy_text(instance) : NULL,
			       .build = build};
}

/* --- beside the loop */

static void search(void *context)
{
	struct search_job *job = context;
	struct log_search *s = &job->search;
	bool more = true;
	log_search_begin(s);
	for (size_t i = 0; i < job->count && more; i++) {
		const struct place *p = &job->places[i];
		more = p->instance ? log_search_instance(s, p->path, p->instance)
				   : log_search_build(s, p->path, p->build, job->stage);
	}
	if (more && job->older)
		snprintf(s->why, sizeof s->why,
			 "Not all logs were looked at: those of builds before %u are left.",
			 job->oldest);
	json_t *o = json_pack("{s:s,s:o,s:b,s:I,s:I}", "schema", "davit.v1/log-matches", "matches",
			      s->matches, "more", s->why[0] != '\0', "files", (json_int_t)s->files,
			      "bytes", (json_int_t)s->read);
	if (s->why[0])
		json_object_set_new(o, "why", json_string(s->why));
	job->answer = json_text(o, true);
	log_search_end(s);
}

static void searched(void *context)
{
	struct search_job *job = context;
	if (!job->api) {
		free(job->answer);
		job_free(job);
		return;
	}
	for (struct search_job **p = &job->api->searches; *p; p = &(*p)->next)
		if (*p == job) {
			*p = job->next;
			break;
		}
	struct error err;
	if (admission_still(job->api, http_who(job->request), &err) < 0) {
		free(job->answer);
		answer_error(job->request, &err, NULL);
	} else {
		http_answer(job->request, 200, job->answer);
	}
	job_free(job);
}

void release_searches(struct api *api)
{
	for (struct search_job *job = api->searches; job; job = job->next) {
		job->api = NULL;
		atomic_store(&job->stop, true);
	}
	api->searches = NULL;
}

/* --- in it */

static int read_parameters(struct api *api, struct http_request *request, struct search_job *job,
			   struct error *err)
{
	const char *text = http_query(request, "grep"), *since = http_query(request, "since"),
		   *limit = http_query(request, "limit");
	struct log_search *s = &job->search;
	uint64_t lines = LINES_DEFAULT, ago = 0;
	if (!text || !text[0] || !text_copy(s->text, sizeof s->text, text) ||
	    !text_is_printable(text))
		return error_set(
			err, ERR_INVALID,
			"\"grep\" is the text that is looked for, of 1 to %d bytes without "
			"control characters.",
			LOG_SEARCH_TEXT_SIZE - 1);
	if (since && (!text_parse_duration(since, &ago) || ago == 0))
		return error_set(err, ERR_INVALID,
				 "\"since\" is how long ago at most, such as 30m, 12h or 7d.");
	if (limit && (!text_parse_u64(limit, LOG_SEARCH_LINES_MAX, &lines) || lines == 0))
		return error_set(err, ERR_INVALID, "\"limit\" must be a number from 1 to %d.",
				 LOG_SEARCH_LINES_MAX);
	uint64_t now = env_wall_ms(loop_env(api->parts.loop));
	s->since_unix_ms = since ? (now > ago ? now - ago : 1) : 0;
	s->lines_max = (uint32_t)lines;
	s->ignore_case = http_query(request, "ignore_case") != NULL;
	s->stop = &job->stop;
	return 0;
}

static int check_room(const struct api *api, struct error *err)
{
	unsigned count = 0;
	for (const struct search_job *job = api->searches; job; job = job->next)
		count++;
	return count < AT_ONCE_MAX
		       ? 0
		       : error_set(err, ERR_RETRY,
				   "%d searches are under way, as many as there may be: "
				   "try again in a few seconds.",
				   AT_ONCE_MAX);
}

static struct search_job *job_new(struct api *api, struct http_request *request)
{
	struct error err;
	struct search_job *job = mem_zero(1, sizeof *job);
	job->api = api;
	job->request = request;
	int result = check_room(api, &err);
	if (result == 0)
		result = read_parameters(api, request, job, &err);
	if (result == 0)
		return job;
	answer_error(request, &err, "davit logs --help");
	job_free(job);
	return NULL;
}

static void begin(struct search_job *job, int result, const struct error *err, const char *next)
{
	struct api *api = job->api;
	if (result < 0) {
		answer_error(job->request, err, next);
		job_free(job);
		return;
	}
	job->next = api->searches;
	api->searches = job;
	http_later(job->request);
	loop_work(api->parts.loop, search, searched, job);
}

/* One that never began wrote nothing, and what ended before `since` nothing that is wanted. */
static int see_build(void *context, const struct store_build *b)
{
	struct search_job *job = context;
	const struct builds *builds = job->api->parts.builds;
	char path[2 * BUILDS_PATH_SIZE];
	job->builds++;
	job->oldest = b->number;
	bool old = b->ended_unix_ms > 0 && b->ended_unix_ms < job->search.since_unix_ms;
	if (b->starts > 0 && !old && builds &&
	    builds->ops->logs(builds, b->app, b->number, path, sizeof path))
		add_place(job, path, b->number, NULL);
	return 0;
}

void get_build_search(struct api *api, struct http_request *request)
{
	const char *stage = http_query(request, "stage");
	struct search_job *job = job_new(api, request);
	struct store_build *b;
	uint64_t number = 0;
	struct error err;
	if (!job)
		return;
	int result = text_parse_u64(http_segment(request, 2), UINT32_MAX, &number)
			     ? 0
			     : error_set(&err, ERR_INVALID, "A build has a number.");
	if (result == 0 && stage &&
	    !(text_is_name(stage) && text_copy(job->stage, sizeof job->stage, stage)))
		result = error_set(&err, ERR_INVALID, "There is no stage of that name.");
	b = mem_zero(1, sizeof *b);
	if (result == 0)
		result = store_build_get(api->parts.store, (uint32_t)number, b, &err);
	if (result == 0)
		result = see_build(job, b);
	if (result == 0 && job->count > 0)
		result = build_logs_gone(api, b, NULL, job->places[0].path, &err);
	free(b);
	begin(job, result, &err, "davit builds");
}

void get_log_search(struct api *api, struct http_request *request)
{
	const char *app = http_query(request, "app");
	struct search_job *job = job_new(api, request);
	struct error err;
	if (!job)
		return;
	int result = store_builds(api->parts.store, app, BUILDS_MAX, see_build, job, &err);
	job->older = job->builds == BUILDS_MAX && job->oldest > 1;
	begin(job, result, &err, "davit builds");
}

static void see_environment(void *context, const struct view_environment *e)
{
	struct search_job *job = context;
	for (uint32_t i = 0; i < e->instance_count; i++) {
		const struct view_instance *instance = &e->instances[i];
		char path[1200];
		if ((job->process[0] && strcmp(job->process, instance->process) != 0) ||
		    (job->instance[0] && strcmp(job->instance, instance->id) != 0))
			continue;
		snprintf(path, sizeof path, "%s/instances/%s", job->api->parts.state_directory,
			 instance->id);
		add_place(job, path, 0, instance->id);
	}
}

void get_instance_search(struct api *api, struct http_request *request)
{
	const char *process = http_query(request, "process"),
		   *instance = http_query(request, "instance");
	struct search_job *job = job_new(api, request);
	char environment[CONTROL_KEY_SIZE];
	struct error err;
	if (!job)
		return;
	text_copy(job->process, sizeof job->process, process ? process : "");
	text_copy(job->instance, sizeof job->instance, instance ? instance : "");
	int result = control_resolve_environment(api->parts.control, http_segment(request, 2),
						 environment, &err);
	if (result == 0)
		result = control_view_environments(api->parts.control, environment, see_environment,
						   job, &err);
	begin(job, result, &err, "davit status");
}
