/* SPDX-License-Identifier: Apache-2.0
 * api_releases - releases come in, are listed, are marked. See routes.h.
 *
 * The archive is unpacked in another thread: a rollout that must be aborted does not wait for it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/admission.h"
#include "api/json.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/release_file.h"
#include "control/view.h"
#include "provider/artifact.h"

enum { RELEASES_LIMIT = 200, FILE_NAME_SIZE = 256 };

struct import {
	struct import *next;
	struct api *api; /* NULL: the API ended while the archive was unpacked */
	struct artifact_store *artifacts;
	struct http_request *request;
	struct control_caller caller;
	struct control_release release;
	char *config;
	char app[CONTROL_KEY_SIZE];
	char config_name[FILE_NAME_SIZE];
	char file_name[FILE_NAME_SIZE];
	int fd;
	int result;
	struct error err;
};

/* A release that came without a configuration has its own: davit.yaml at its root. */
static int read_own_config(struct import *import)
{
	int result = release_file_read(import->artifacts, &import->release.artifact,
				       &import->config, &import->err);
	import->release.config_text = import->config;
	return result != ERR_NOT_FOUND ? result
				       : error_set(&import->err, ERR_NOT_FOUND,
						   "There is no davit.yaml, neither here nor in "
						   "the release; name one with "
						   "--config, or write one with \"davit init\".");
}

static void import_run(void *context)
{
	struct import *import = context;
	struct artifact_store *artifacts = import->artifacts;
	struct artifact_info info;
	import->result = artifacts->ops->import(artifacts, import->fd, import->file_name, &info,
						&import->err);
	if (import->result < 0)
		return;
	import->release.artifact = info.digest;
	if (!import->config)
		import->result = read_own_config(import);
	import->release.size_bytes = info.size_bytes;
	import->release.files = info.entries;
}

static void answer_release(struct import *import, const char *id, bool existed)
{
	char hex[DIGEST_HEX_SIZE];
	struct store_release row;
	struct error err;
	if (store_release_get(import->api->parts.store, id, &row, NULL, &err) < 0) {
		answer_error(import->request, &err, NULL);
		return;
	}
	json_t *o = json_of_release(&row);
	json_object_set_new(o, "schema", json_string("davit.v1/release"));
	json_object_set_new(o, "artifact",
			    json_string(digest_format(&import->release.artifact, hex)));
	json_object_set_new(o, "files", json_integer(import->release.files));
	json_object_set_new(o, "environment", json_string(import->release.environment));
	json_object_set_new(o, "existed", json_boolean(existed));
	answer_json(import->request, existed ? 200 : 201, o);
}

static void forget_import(struct import *import)
{
	for (struct import **p = &import->api->imports; *p; p = &(*p)->next)
		if (*p == import) {
			*p = import->next;
			return;
		}
}

void release_imports(struct api *api)
{
	for (struct import *import = api->imports; import; import = import->next)
		import->api = NULL;
	api->imports = NULL;
}

static void import_done(void *context)
{
	struct import *import = context;
	char id[DIGEST_HEX_SIZE];
	bool existed = false;
	int result = import->result;
	close(import->fd);
	if (!import->api) {
		free(import->config);
		free(import);
		return;
	}
	forget_import(import);
	if (result == 0) /* it took its time */
		result = admission_still(import->api, import->caller.who, &import->err);
	if (result == 0)
		result = control_add_release(import->api->parts.control, &import->caller,
					     &import->release, id, &existed, &import->err);
	if (result < 0)
		answer_error(import->request, &import->err, NULL);
	else
		answer_release(import, id, existed);
	free(import->config);
	free(import);
}

void post_release(struct api *api, struct http_request *request)
{
	const char *environment = http_query(request, "environment"),
		   *tag = http_query(request, "tag"), *name = http_query(request, "name"),
		   *config_name = http_query(request, "config"), *app = http_query(request, "app");
	struct error err;
	const struct buf *config = http_body(request);
	if ((!environment && !app) || http_upload(request) < 0 || config->size > RELEASE_FILE_MAX ||
	    strlen(buf_text(config)) != config->size) {
		error_set(&err, ERR_INVALID,
			  "A release needs ?environment= or ?app=, the header Davit-Config-Size (0 "
			  "to %d), "
			  "and a "
			  "body of configuration and archive.",
			  RELEASE_FILE_MAX);
		answer_error(request, &err, NULL);
		return;
	}
	char key[CONTROL_KEY_SIZE] = "";
	if (environment && admission_environment(api, request, environment, key, &err) < 0) {
		answer_error(request, &err, "davit status");
		return;
	}
	struct import *import = mem_zero(1, sizeof *import);
	import->api = api;
	import->request = request;
	import->caller = caller_of(request);
	text_copy(import->app, sizeof import->app, app ? app : "");
	import->release.app = import->app;
	import->config = config->size > 0 ? mem_copy_text(config->data) : NULL;
	import->fd = fcntl(http_upload(request), F_DUPFD_CLOEXEC, 0); /* it may outlive it */
	text_copy(import->file_name, sizeof import->file_name, name && name[0] ? name : "file");
	text_copy(import->config_name, sizeof import->config_name,
		  config_name && config_name[0] ? config_name : "davit.yaml");
	import->release.config_text = import->config;
	import->release.config_name = import->config_name;
	text_copy(import->release.environment, sizeof import->release.environment, key);
	if (tag && !text_copy(import->release.tag, sizeof import->release.tag, tag)) {
		error_set(&err, ERR_INVALID, "A tag has at most %zu characters.",
			  sizeof import->release.tag - 1);
		answer_error(request, &err, NULL);
		close(import->fd);
		free(import->config);
		free(import);
		return;
	}
	import->artifacts = api->parts.artifacts;
	import->next = api->imports;
	api->imports = import;
	http_later(request);
	loop_work(api->parts.loop, import_run, import_done, import);
}

struct listing {
	struct api *api;
	json_t *live; /* id -> names of the environments where it is live */
	json_t *releases;
	const char *only; /* "app/name", or NULL: the environments whose marks are shown */
	uint32_t environment_count;
	struct {
		char app[CONTROL_KEY_SIZE], name[CONTROL_KEY_SIZE];
	} environments[CONTROL_ENVIRONMENT_MAX];
	struct error err;
};

static void add_environment(void *context, const struct view_environment *e)
{
	struct listing *listing = context;
	json_t *names = json_object_get(listing->live, e->live.release);
	char key[CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", e->app, e->name);
	if ((!listing->only || strcmp(listing->only, key) == 0) &&
	    listing->environment_count < CONTROL_ENVIRONMENT_MAX) {
		uint32_t i = listing->environment_count++;
		text_copy(listing->environments[i].app, CONTROL_KEY_SIZE, e->app);
		text_copy(listing->environments[i].name, CONTROL_KEY_SIZE, e->name);
	}
	if (!e->live.release[0])
		return;
	if (!names)
		json_object_set_new(listing->live, e->live.release, names = json_array());
	json_array_append_new(names, json_string(e->name));
}

static json_t *bad_marks(struct listing *listing, const struct store_release *r)
{
	json_t *bad = json_array();
	for (uint32_t i = 0; i < listing->environment_count; i++) {
		struct store_bad_mark mark;
		if (strcmp(listing->environments[i].app, r->app) != 0 ||
		    store_bad_mark_find(listing->api->parts.store, r->app,
					listing->environments[i].name, r->id, &mark,
					&listing->err) != 1)
			continue;
		json_t *m = json_object();
		json_object_set_new(m, "environment", json_string(mark.environment));
		json_object_set_new(m, "reason", json_string(mark.reason));
		json_object_set_new(m, "by", json_string(mark.by));
		json_object_set_new(m, "at_unix_ms", json_integer((json_int_t)mark.at_unix_ms));
		json_array_append_new(bad, m);
	}
	return bad;
}

static int add_release(void *context, const struct store_release *r)
{
	struct listing *listing = context;
	json_t *o = json_of_release(r), *live = json_object_get(listing->live, r->id);
	json_object_set_new(o, "bad", bad_marks(listing, r));
	json_object_set_new(o, "live", live ? json_incref(live) : json_array());
	json_array_append_new(listing->releases, o);
	return 0;
}

void get_releases(struct api *api, struct http_request *request)
{
	const char *environment = http_query(request, "environment");
	char key[CONTROL_KEY_SIZE], app[CONTROL_KEY_SIZE];
	struct listing listing = {.api = api};
	struct error err;
	if (environment &&
	    control_resolve_environment(api->parts.control, environment, key, &err) < 0) {
		answer_error(request, &err, "davit status");
		return;
	}
	listing.releases = json_array();
	listing.live = json_object();
	if (environment) {
		listing.only = key;
		text_copy(app, sizeof app, key);
		*strchr(app, '/') = '\0';
	}
	int code = control_view_environments(api->parts.control, NULL, add_environment, &listing,
					     &err);
	if (code == 0)
		code = store_releases(api->parts.store, environment ? app : NULL, RELEASES_LIMIT,
				      add_release, &listing, &err);
	json_decref(listing.live);
	if (code < 0) {
		json_decref(listing.releases);
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/releases"));
	json_object_set_new(o, "releases", listing.releases);
	answer_json(request, 200, o);
}

void post_release_mark(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	bool bad = strcmp(http_segment(request, 3), "bad") == 0;
	char environment[CONTROL_KEY_SIZE], reason[CONTROL_REASON_SIZE];
	struct error err;
	static const char *const fields[] = {"environment", "reason", NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "environment", environment, sizeof environment) &&
		    body_text(request, body, "reason", reason, sizeof reason);
	json_decref(body);
	if (!fine)
		return;
	if (admission_reaches_named(api, request, environment, &err) < 0 ||
	    admission_role_in(api, request, environment, bad ? SERVER_ROLLBACK : SERVER_CLEAR,
			      &err) < 0 ||
	    control_mark_release(api->parts.control, &caller, http_segment(request, 2), environment,
				 bad, reason, &err) < 0) {
		answer_error(request, &err, "davit releases");
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/mark"));
	json_object_set_new(o, "bad", json_boolean(bad));
	answer_json(request, 200, o);
}
