/* SPDX-License-Identifier: Apache-2.0
 * api_external - builds that were made elsewhere are registered. See routes.h and control/external.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/external.h"
#include "control/tokens.h"
#include "provider/sources.h"

enum { BLOCK_AT_DEFAULT = 2 /* high */ };

static bool refuse(struct http_request *request, const char *key, const char *what)
{
	struct error err;
	error_set(&err, ERR_INVALID, "\"%s\" is %s.", key, what);
	answer_error(request, &err, NULL);
	return false;
}

/* 0 where it is not there. */
static bool take_number(struct http_request *request, const json_t *body, const char *key,
			uint64_t most, uint64_t *ret_number)
{
	const json_t *value = json_object_get(body, key);
	*ret_number = 0;
	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > most)
		return refuse(request, key, "a whole number, and not that large");
	*ret_number = (uint64_t)json_integer_value(value);
	return true;
}

static bool take_count(struct http_request *request, const json_t *body, const char *key,
		       uint32_t *ret_count)
{
	uint64_t number;
	bool fine = take_number(request, body, key, INT32_MAX, &number);
	*ret_count = (uint32_t)number;
	return fine;
}

/* The text of a file, as it is: the body's. NULL where it is not there. */
static bool take_file(struct http_request *request, const json_t *value, const char *key,
		      const char **ret_text)
{
	*ret_text = json_string_value(value);
	if (!value || json_is_null(value))
		return true;
	return (*ret_text && strlen(*ret_text) == json_string_length(value)) ||
	       refuse(request, key, "the text of a file, without NUL");
}

static bool take_reports(struct http_request *request, const json_t *from,
			 struct external_stage *to)
{
	const json_t *reports = json_object_get(from, "sarif"), *one;
	size_t i;
	if (!reports)
		return true;
	if (!json_is_array(reports) || json_array_size(reports) == 0 ||
	    json_array_size(reports) > SCAN_JOB_REPORTS_MAX)
		return refuse(request, "sarif", "a list of 1 to 16 reports");
	json_array_foreach (reports, i, one) {
		if (json_is_null(one))
			return refuse(request, "sarif", "a list of reports, and one is null");
		if (!take_file(request, one, "sarif", &to->reports[to->report_count++]))
			return false;
	}
	return true;
}

static bool take_severity(struct http_request *request, const json_t *from,
			  struct external_stage *to)
{
	static const char *const names[] = {"low", "medium", "high", "critical", NULL};
	char name[STORE_WORD_SIZE];
	to->block_at = BLOCK_AT_DEFAULT;
	if (!body_text(request, from, "block_at", name, sizeof name))
		return false;
	if (!name[0])
		return true;
	for (to->block_at = 0; names[to->block_at]; to->block_at++)
		if (strcmp(names[to->block_at], name) == 0)
			return true;
	return refuse(request, "block_at", "low, medium, high or critical");
}

static bool take_scan(struct http_request *request, const json_t *from, struct external_stage *to)
{
	if (!take_reports(request, from, to) || !take_severity(request, from, to) ||
	    !take_file(request, json_object_get(from, "baseline"), "baseline", &to->baseline) ||
	    !body_text(request, from, "baseline_name", to->baseline_name, sizeof to->baseline_name))
		return false;
	if (to->report_count == 0 && json_object_get(from, "block_at"))
		return refuse(request, "block_at", "of a report, and there is no \"sarif\"");
	if (!to->baseline == !to->baseline_name[0])
		return true;
	return refuse(request, "baseline", "there with \"baseline_name\", or neither is");
}

static bool take_stage(struct http_request *request, const json_t *from, struct external_stage *to)
{
	static const char *const known[] = {"stage",    "state",         "why",      "took_ms",
					    "tests",    "failed",        "skipped",  "sarif",
					    "block_at", "baseline_name", "baseline", NULL};
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)from, key, value)
	{
		const char *const *at = known;
		while (*at && strcmp(*at, key) != 0)
			at++;
		if (!*at)
			return refuse(request, key, "nothing that is known of a stage");
	}
	return body_text(request, from, "stage", to->name, sizeof to->name) &&
	       body_text(request, from, "state", to->state, sizeof to->state) &&
	       body_text(request, from, "why", to->why, sizeof to->why) &&
	       take_number(request, from, "took_ms", INT64_MAX, &to->took_ms) &&
	       take_count(request, from, "tests", &to->tests) &&
	       take_count(request, from, "failed", &to->failed) &&
	       take_count(request, from, "skipped", &to->skipped) && take_scan(request, from, to);
}

static bool take_stages(struct http_request *request, const json_t *body, struct external_build *to)
{
	const json_t *stages = json_object_get(body, "stages"), *one;
	size_t i;
	if (!stages)
		return true;
	if (!json_is_array(stages) || json_array_size(stages) > EXTERNAL_STAGES_MAX)
		return refuse(request, "stages", "a list of at most 64 stages");
	json_array_foreach (stages, i, one) {
		if (!json_is_object(one))
			return refuse(request, "stages", "a list of objects");
		if (!take_stage(request, one, &to->stages[to->stage_count++]))
			return false;
	}
	return true;
}

static bool take_state(struct http_request *request, const json_t *body, struct external_build *to)
{
	const char *state = json_string_value(json_object_get(body, "state"));
	to->failed = state && strcmp(state, "failed") == 0;
	if (to->failed || (state && strcmp(state, "passed") == 0))
		return true;
	return refuse(request, "state", "passed or failed");
}

static bool take_all(struct http_request *request, const json_t *body, struct external_build *to)
{
	return body_text(request, body, "app", to->app, sizeof to->app) &&
	       body_text(request, body, "run", to->run, sizeof to->run) &&
	       body_text(request, body, "url", to->url, sizeof to->url) &&
	       body_text(request, body, "commit", to->commit, sizeof to->commit) &&
	       body_text(request, body, "ref", to->ref, sizeof to->ref) &&
	       body_text(request, body, "author", to->author, sizeof to->author) &&
	       body_text(request, body, "address", to->address, sizeof to->address) &&
	       body_text(request, body, "subject", to->subject, sizeof to->subject) &&
	       body_text(request, body, "why", to->why, sizeof to->why) &&
	       body_text(request, body, "release", to->release, sizeof to->release) &&
	       body_text(request, body, "artifact", to->artifact, sizeof to->artifact) &&
	       body_text(request, body, "environments", to->environments,
			 sizeof to->environments) &&
	       body_flag(request, body, "triggered", false, &to->triggered) &&
	       take_number(request, body, "committed_unix_s", INT64_MAX, &to->committed_unix_s) &&
	       take_file(request, json_object_get(body, "waivers"), "waivers", &to->waivers) &&
	       take_state(request, body, to) && take_stages(request, body, to);
}

struct asker {
	struct api *api;
	const struct http_request *request;
};

/* To register is one scope, to send out another. */
static int may_send(void *context, const char *app, const char *environment, struct error *err)
{
	const struct asker *asker = context;
	struct token_grant grant;
	char key[2 * CONTROL_KEY_SIZE];
	int held =
		control_token_of(asker->api->parts.control, http_who(asker->request), &grant, err);
	if (held <= 0)
		return held;
	if (!(grant.scopes & TOKEN_DEPLOY))
		return error_set(err, ERR_DENIED,
				 "It would go to %s, and the token %s has not the scope deploy.",
				 environment, grant.name);
	held = admission_reaches(asker->api, asker->request, app, environment, err);
	snprintf(key, sizeof key, "%s/%s", app, environment);
	return held < 0 ? held
			: admission_role_in(asker->api, asker->request, key, SERVER_DEPLOY, err);
}

static int may_register(struct api *api, const struct http_request *request, const char *app,
			struct error *err)
{
	struct token_grant grant;
	int held = control_token_of(api->parts.control, http_who(request), &grant, err);
	if (held <= 0 || token_touches(&grant, app))
		return held < 0 ? held : 0;
	return admission_reaches(api, request, app, NULL, err);
}

/* What is said, whatever the order in which it is said. */
static struct digest digest_of_body(const json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
	struct digest digest = digest_of(text ? text : "", text ? strlen(text) : 0);
	free(text);
	return digest;
}

static void register_build(struct api *api, struct http_request *request,
			   struct external_build *build, const struct digest *content)
{
	struct control_caller caller = caller_of(request);
	struct asker asker = {.api = api, .request = request};
	struct sources *sources = api->parts.sources;
	struct error err, ignored;
	uint32_t number = 0;
	bool existed = false;
	int result = may_register(api, request, build->app, &err);
	if (result == 0 && repository_of(api, build->app, build->repository,
					 sizeof build->repository, &ignored) < 0)
		build->repository[0] = '\0'; /* then nothing is known of its commits */
	if (result == 0)
		result = control_register_build(api->parts.control, &caller, build, content,
						may_send, &asker, &number, &existed, &err);
	if (result < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	/* So that what its commit brings can be told; where nothing is looked at, nothing is lost. */
	if (sources && !existed)
		(void)!sources->ops->look(sources, build->app, &ignored);
	answer_build(api, request, number, existed ? 200 : 201);
}

void post_external_build(struct api *api, struct http_request *request)
{
	static const char *const fields[] = {
		"app",    "run",     "url",      "commit",           "ref",
		"author", "address", "subject",  "committed_unix_s", "state",
		"why",    "release", "artifact", "environments",     "triggered",
		"stages", "waivers", NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	struct external_build *build = mem_zero(1, sizeof *build);
	bool fine = take_all(request, body, build);
	struct digest content = digest_of_body(body);
	if (fine)
		register_build(api, request, build, &content);
	free(build);
	json_decref(body); /* the texts of files are its */
}
