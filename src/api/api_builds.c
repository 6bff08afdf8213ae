/* SPDX-License-Identifier: Apache-2.0
 * api_builds - commits are built: ordered, looked at, cancelled. See routes.h.
 *
 * The log of a stage is read from where the reader stopped: whoever follows asks again with `next`. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/admission.h"
#include "api/json.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/builds.h"
#include "control/tokens.h"
#include "store/external.h"
#include "store/reports.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 1000, LOG_PART = 256 * 1024 };

static json_t *json_of_build(const struct store_build *b)
{
	json_t *o = json_pack(
		"{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "number",
		(json_int_t)b->number, "app", b->app, "commit", b->commit, "ref", b->ref, "by",
		b->by, "state", b->state, "author", b->author, "subject", b->subject, "why", b->why,
		"created_unix_ms", (json_int_t)b->created_unix_ms, "started_unix_ms",
		(json_int_t)b->started_unix_ms, "ended_unix_ms", (json_int_t)b->ended_unix_ms);
	ASSERT(o); /* all of it is UTF-8: the store has nothing else */
	if (b->release[0])
		json_object_set_new(o, "release", json_string(b->release));
	if (b->origin > 0)
		json_object_set_new(o, "from_build", json_integer(b->origin));
	if (b->successor > 0)
		json_object_set_new(o, "superseded_by", json_integer(b->successor));
	return o;
}

static int add_stage(void *context, const struct store_build_stage *t)
{
	json_t *o =
		json_pack("{s:s,s:s,s:i,s:I,s:s}", "stage", t->name, "state", t->state, "attempt",
			  (int)t->attempt, "took_ms", (json_int_t)t->took_ms, "why", t->why);
	if (t->tests > 0)
		json_object_set_new(o, "tests",
				    json_pack("{s:i,s:i,s:i}", "tests", (int)t->tests, "failed",
					      (int)t->failed, "skipped", (int)t->skipped));
	if (t->scanned)
		json_object_set_new(o, "findings",
				    json_pack("{s:i,s:i,s:i,s:i,s:i,s:s}", "new", (int)t->fresh,
					      "existing", (int)t->known, "fixed", (int)t->fixed,
					      "waived", (int)t->waived, "suppressed",
					      (int)t->suppressed, "since", t->since));
	if (t->origin > 0)
		json_object_set_new(o, "from_build", json_integer(t->origin));
	json_array_append_new(context, o);
	return 0;
}

static int add_rollout(void *context, const struct store_build_rollout *r)
{
	json_t *o = json_pack("{s:s,s:s}", "environment", r->environment, "why", r->why);
	if (r->rollout > 0)
		json_object_set_new(o, "rollout", json_integer(r->rollout));
	json_array_append_new(context, o);
	return 0;
}

/* What the host of the repository was told of the commit. */
static int add_report(void *context, const struct store_report *r)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", r->kind, "context", r->context,
			      "state", r->state, "outcome", r->outcome, "why", r->why);
	json_array_append_new(context, o);
	return 0;
}

/* The build with its stages, what went out, and what was told of it. */
void answer_build(struct api *api, struct http_request *request, uint32_t number, unsigned status)
{
	struct store *store = api->parts.store;
	struct store_build *b = mem_zero(1, sizeof *b);
	struct store_release release;
	struct store_external external;
	json_t *stages = json_array(), *rollouts = json_array(), *told = json_array();
	struct error err;
	int result = store_build_get(store, number, b, &err);
	if (result == 0)
		result = store_build_stages(store, number, add_stage, stages, &err);
	if (result == 0)
		result = store_build_rollouts(store, number, add_rollout, rollouts, &err);
	if (result == 0)
		result = store_reports(store, b->app, b->commit, add_report, told, &err);
	if (result < 0) {
		answer_error(request, &err, "davit builds");
		json_decref(stages);
		json_decref(rollouts);
		json_decref(told);
	} else {
		json_t *o = json_of_build(b);
		json_object_set_new(o, "schema", json_string("davit.v1/server-build"));
		json_object_set_new(o, "stages", stages);
		json_object_set_new(o, "rollouts", rollouts);
		json_object_set_new(o, "told", told);
		if (store_external_of_build(store, number, &external, &err) == 1)
			json_object_set_new(
				o, "external",
				json_pack("{s:s, s:s}", "run", external.run, "url", external.url));
		if (b->release[0] &&
		    store_release_get(store, b->release, &release, NULL, &err) == 0)
			json_object_set_new(o, "tag", json_string(release.tag));
		answer_json(request, status, o);
	}
	free(b);
}

static bool number_of_build(struct http_request *request, uint32_t *ret_number)
{
	uint64_t number;
	struct error err;
	if (text_parse_u64(http_segment(request, 2), UINT32_MAX, &number)) {
		*ret_number = (uint32_t)number;
		return true;
	}
	error_set(&err, ERR_INVALID, "A build has a number.");
	answer_error(request, &err, "davit builds");
	return false;
}

void get_build(struct api *api, struct http_request *request)
{
	uint32_t number = 0;
	if (number_of_build(request, &number))
		answer_build(api, request, number, 200);
}

/* The one that this server has of the application: what it fetches, else what is pushed to it. */
int repository_of(struct api *api, const char *app, char *to, size_t size, struct error *err)
{
	static const char *const folders[] = {"sources", "repositories"};
	for (size_t i = 0; i < 2 && text_is_name(app); i++) {
		snprintf(to, size, "%s/%s/%s.git", api->parts.state_directory, folders[i], app);
		if (access(to, F_OK) == 0)
			return 0;
	}
	return error_set(err, ERR_NOT_FOUND,
			 "This server has no repository of \"%s\": name it under sources in the "
			 "server's file, or push to it (davit remote).",
			 app);
}

/* "@" is what the ref decides. */
static int check_wanted(struct api *api, const struct http_request *request,
			const struct store_build *b, struct error *err)
{
	char wanted[STORE_SENTENCE_SIZE], key[2 * CONTROL_KEY_SIZE], *rest = wanted, *one;
	int result = 0;
	text_copy(wanted, sizeof wanted, b->wanted);
	while (result == 0 && (one = strsep(&rest, " "))) {
		snprintf(key, sizeof key, "%s/%s", b->app, one);
		if (strcmp(one, "@") == 0)
			result = admission_role_anywhere(api, request, b->app, SERVER_DEPLOY, err);
		else if (one[0])
			result = admission_role_in(api, request, key, SERVER_DEPLOY, err);
	}
	return result;
}

/* It would go out again where it went, which is more than to build. */
static int check_again(struct api *api, const struct http_request *request, uint32_t number,
		       struct error *err)
{
	struct store_build *b = mem_zero(1, sizeof *b);
	int result = store_build_get(api->parts.store, number, b, err);
	if (result == 0 && b->wanted[0] && !admission_may(api, request, TOKEN_DEPLOY))
		result = error_set(
			err, ERR_DENIED,
			"Build %u goes out when it passes: to have it made again the token "
			"needs the scope deploy too.",
			number);
	if (result == 0)
		result = check_wanted(api, request, b, err);
	free(b);
	return result;
}

void post_build_command(struct api *api, struct http_request *request)
{
	struct control *control = api->parts.control;
	struct control_caller caller = caller_of(request);
	static const char *const fields[] = {"from_start", NULL};
	bool again = strcmp(http_segment(request, 3), "again") == 0, from_start = false;
	uint32_t number = 0;
	struct error err;
	if (!number_of_build(request, &number))
		return;
	if (again) {
		json_t *body = body_of(request, fields);
		bool fine = body && body_flag(request, body, "from_start", false, &from_start);
		json_decref(body);
		if (!fine)
			return;
	}
	int result = again ? check_again(api, request, number, &err) : 0;
	if (result == 0)
		result =
			again ? control_rebuild(control, &caller, number, from_start, &number, &err)
			      : control_cancel_build(control, &caller, number, &err);
	if (result < 0)
		answer_error(request, &err, "davit builds");
	else
		answer_build(api, request, number, again ? 201 : 200);
}

static int add_build(void *context, const struct store_build *b)
{
	json_array_append_new(context, json_of_build(b));
	return 0;
}

void get_builds(struct api *api, struct http_request *request)
{
	uint64_t limit;
	struct error err;
	if (!parameter_number(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
		return;
	const char *app = http_query(request, "app");
	json_t *builds = json_array(), *schedules = json_array();
	if (store_builds(api->parts.store, app, (uint32_t)limit, add_build, builds, &err) < 0 ||
	    add_schedules(api, app, NULL, schedules, &err) < 0) {
		json_decref(builds);
		json_decref(schedules);
		answer_error(request, &err, NULL);
		return;
	}
	answer_json(request, 200,
		    json_pack("{s:s,s:o,s:o}", "schema", "davit.v1/builds", "builds", builds,
			      "schedules", schedules));
}

/* --- logs */

/* Whole lines from `from` on, and where the next ones begin. */
static json_t *read_part(int fd, uint64_t from)
{
	char *bytes = mem_new(LOG_PART), *safe = mem_new(4 * LOG_PART + 1);
	ssize_t n = pread(fd, bytes, LOG_PART, (off_t)from);
	const char *last = n > 0 ? memrchr(bytes, '\n', (size_t)n) : NULL;
	size_t size = last ? (size_t)(last - bytes) + 1 : n == LOG_PART ? LOG_PART : 0;
	json_t *lines = json_array();
	for (size_t at = 0; at < size;) {
		const char *end = memchr(bytes + at, '\n', size - at);
		size_t length = end ? (size_t)(end - bytes) - at : size - at;
		/* A stranger's bytes; JSON takes no other than UTF-8. */
		json_t *line = json_stringn(bytes + at, length);
		json_array_append_new(lines,
				      line ? line
					   : json_string(text_escape(bytes + at, length, safe,
								     4 * LOG_PART + 1)));
		at += length + 1;
	}
	free(bytes);
	free(safe);
	return json_pack("{s:s,s:o,s:I}", "schema", "davit.v1/build-log", "lines", lines, "next",
			 (json_int_t)(from + size));
}

struct written {
	const char *stage; /* NULL: any */
	bool found;
};

static int see_written(void *context, const struct store_build_stage *t)
{
	struct written *w = context;
	w->found |= (!w->stage || strcmp(t->name, w->stage) == 0) &&
		    strcmp(t->state, "pending") != 0 && strcmp(t->state, "skipped") != 0;
	return 0;
}

int build_logs_gone(struct api *api, const struct store_build *b, const char *stage,
		    const char *directory, struct error *err)
{
	struct written written = {.stage = stage};
	if (b->ended_unix_ms == 0 || b->starts == 0 || access(directory, F_OK) == 0)
		return 0;
	int result = store_build_stages(api->parts.store, b->number, see_written, &written, err);
	return result == 0 && written.found
		       ? error_set(err, ERR_NOT_FOUND, "The log of build %u is no longer kept.",
				   b->number)
		       : result;
}

/* -1 where nothing was written (yet); ERR_NOT_FOUND where something was, and has gone since. */
static int open_log(struct api *api, const struct store_build *b, const char *stage, int *ret_fd,
		    struct error *err)
{
	struct builds *builds = api->parts.builds;
	char directory[2 * BUILDS_PATH_SIZE], path[2 * BUILDS_PATH_SIZE + STORE_NAME_SIZE + 8];
	*ret_fd = -1;
	if (!builds || !builds->ops->logs(builds, b->app, b->number, directory, sizeof directory))
		return 0;
	snprintf(path, sizeof path, "%s/%s.log", directory, stage);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *ret_fd >= 0 ? 0 : build_logs_gone(api, b, stage, directory, err);
}

void get_build_log(struct api *api, struct http_request *request)
{
	const char *stage = http_segment(request, 4);
	struct store_build *b;
	uint64_t from;
	uint32_t number = 0;
	struct error err;
	if (!number_of_build(request, &number) ||
	    !parameter_number(request, "from", 0, INT64_MAX, 0, &from))
		return;
	b = mem_zero(1, sizeof *b);
	int result = store_build_get(api->parts.store, number, b, &err), fd = -1;
	if (result == 0 && !text_is_name(stage))
		result = error_set(&err, ERR_INVALID, "There is no stage of that name.");
	if (result == 0)
		result = open_log(api, b, stage, &fd, &err);
	free(b);
	if (result < 0)
		answer_error(request, &err, "davit builds");
	else if (fd < 0)
		answer_json(request, 200,
			    json_pack("{s:s,s:[],s:I}", "schema", "davit.v1/build-log", "lines",
				      "next", (json_int_t)from));
	else
		answer_json(request, 200, read_part(fd, from));
	if (fd >= 0)
		close(fd);
}
