/* SPDX-License-Identifier: Apache-2.0
 * api - see api.h for the contract. The table of routes is at the end; what a route does stands above it
 * or in api_*.c. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/admission.h"
#include "api/json.h"
#include "api/network.h"
#include "api/route_table.h"
#include "api/routes.h"
#include "base/text.h"
#include "config/server.h"
#include "control/tokens.h"
#include "control/view.h"
#include "control/view_exec.h"

#define REQUEST_ID_FIELD "Davit-Request-Id"

enum { AUDIT_LIMIT_MAX = 1000, AUDIT_LIMIT_DEFAULT = 200, NETWORK_MS = 1000 };

unsigned status_of_error(enum err code)
{
	switch (code) {
	case ERR_OK: return 200;
	case ERR_INVALID: return 400;
	case ERR_NOT_FOUND: return 404;
	case ERR_DENIED: return 403;
	case ERR_CONFLICT: return 409;
	case ERR_LIMIT: return 413;
	case ERR_NO_SPACE: return 507;
	case ERR_RETRY:
	case ERR_UNAVAILABLE: return 503;
	case ERR_TIMEOUT: return 504;
	case ERR_UNSUPPORTED: return 501;
	case ERR_CORRUPT:
	case ERR_CLOSED:
	case ERR_INTERNAL: return 500;
	}
	return 500;
}

void answer_json(struct http_request *request, unsigned status, json_t *object)
{
	http_answer(request, status, json_text(object, true));
}

void answer_error(struct http_request *request, const struct error *err, const char *next)
{
	answer_json(request, status_of_error(err->code), json_of_error(err, next));
}

struct control_caller caller_of(const struct http_request *request)
{
	struct control_caller caller = {.who = ""};
	const char *id = http_header(request, REQUEST_ID_FIELD);
	text_copy(caller.who, sizeof caller.who, http_who(request));
	text_copy(caller.request_id, sizeof caller.request_id, id ? id : "");
	return caller;
}

/* A field that nobody reads is a mistake that would not be noticed. */
static bool only_known(json_t *object, const char *const *fields, struct error *err)
{
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *const *field = fields;
		while (*field && strcmp(*field, json_object_iter_key(at)) != 0)
			field++;
		if (!*field) {
			error_set(err, ERR_INVALID, "The field \"%s\" means nothing here.",
				  json_object_iter_key(at));
			return false;
		}
	}
	return true;
}

json_t *body_of(struct http_request *request, const char *const *fields)
{
	const struct buf *body = http_body(request);
	struct error err;
	if (body->size == 0)
		return json_object();
	json_t *object = json_object_read(body->data, body->size, &err);
	if (object && only_known(object, fields, &err))
		return object;
	json_decref(object);
	answer_error(request, &err, NULL);
	return NULL;
}

bool body_text(struct http_request *request, const json_t *body, const char *key, char *to,
	       size_t size)
{
	const json_t *value = json_object_get(body, key);
	struct error err;
	to[0] = '\0';
	if (!value || json_is_null(value))
		return true;
	if (json_is_string(value) &&
	    strlen(json_string_value(value)) == json_string_length(value) &&
	    text_copy(to, size, json_string_value(value)) && text_is_printable(to))
		return true;
	error_set(&err, ERR_INVALID,
		  "The field \"%s\" must be a text of at most %zu bytes, without control "
		  "characters.",
		  key, size - 1);
	answer_error(request, &err, NULL);
	return false;
}

bool body_flag(struct http_request *request, const json_t *body, const char *key, bool needed,
	       bool *ret_flag)
{
	const json_t *value = json_object_get(body, key);
	struct error err;
	*ret_flag = json_is_true(value);
	if (json_is_boolean(value) || (!value && !needed))
		return true;
	error_set(&err, ERR_INVALID, "The field \"%s\" must be true or false.", key);
	answer_error(request, &err, NULL);
	return false;
}

bool parameter_number(struct http_request *request, const char *name, uint64_t least, uint64_t most,
		      uint64_t otherwise, uint64_t *ret_number)
{
	const char *text = http_query(request, name);
	struct error err;
	*ret_number = otherwise;
	if (!text || (text_parse_u64(text, most, ret_number) && *ret_number >= least))
		return true;
	error_set(&err, ERR_INVALID, "\"%s\" must be a number from %llu to %llu.", name,
		  (unsigned long long)least, (unsigned long long)most);
	answer_error(request, &err, NULL);
	return false;
}

void get_server(struct api *api, struct http_request *request)
{
	json_t *o = json_object();
	struct error err;
	const char *trouble = control_degraded(api->parts.control);
	/* The whole store is read for this: only for who asks. */
	if (!trouble[0] && http_query(request, "check") && store_check(api->parts.store, &err) < 0)
		trouble = err.text;
	json_object_set_new(o, "schema", json_string("davit.v1/server"));
	json_object_set_new(o, "version", json_string(api->parts.version));
	json_object_set_new(o, "pid", json_integer(getpid()));
	json_object_set_new(o, "state", json_string(api->parts.state_directory));
	json_object_set_new(o, "started_unix_ms", json_integer((json_int_t)api->started_unix_ms));
	json_object_set_new(o, "health", json_string(trouble[0] ? "degraded" : "ok"));
	if (trouble[0])
		json_object_set_new(o, "message", json_string(trouble));
	answer_json(request, 200, o);
}

/* status groups environments by application, in the order in which they come. */
static void add_environment(void *context, const struct view_environment *e)
{
	json_t *applications = context, *app = NULL, *environments;
	size_t count = json_array_size(applications);
	if (count > 0)
		app = json_array_get(applications, count - 1);
	if (!app || strcmp(json_string_value(json_object_get(app, "app")), e->app) != 0) {
		app = json_object();
		json_object_set_new(app, "app", json_string(e->app));
		json_object_set_new(app, "environments", json_array());
		json_array_append_new(applications, app);
	}
	environments = json_object_get(app, "environments");
	json_array_append_new(environments, json_of_environment(e));
}

void get_status(struct api *api, struct http_request *request)
{
	json_t *applications = json_array(), *o;
	struct error err;
	if (control_view_environments(api->parts.control, http_query(request, "environment"),
				      add_environment, applications, &err) < 0 ||
	    add_schedules_to_status(api, applications, &err) < 0) {
		json_decref(applications);
		answer_error(request, &err, "davit status");
		return;
	}
	add_roles_to_status(api, applications);
	o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/status"));
	json_object_set_new(o, "applications", applications);
	answer_json(request, 200, o);
}

static void answer_rollout(struct http_request *request, uint32_t rollout)
{
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/accepted"));
	json_object_set_new(o, "rollout", json_integer(rollout));
	answer_json(request, 202, o);
}

/* 0 where it is not there. */
static bool body_rollout(struct http_request *request, const json_t *body, const char *key,
			 uint32_t *ret_number)
{
	const json_t *value = json_object_get(body, key);
	struct error err;
	json_int_t number = json_integer_value(value);
	*ret_number = 0;
	if (!value)
		return true;
	if (!json_is_integer(value) || number < 1 || number > UINT32_MAX) {
		error_set(&err, ERR_INVALID, "\"%s\" must be the number of a rollout.", key);
		answer_error(request, &err, NULL);
		return false;
	}
	*ret_number = (uint32_t)number;
	return true;
}

void post_deploy(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	struct control_deploy deploy = {.release = ""};
	struct error err;
	uint32_t rollout = 0;
	static const char *const fields[] = {"release",   "strategy", "reason",
					     "allow_bad", "fixes",    NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "release", deploy.release, sizeof deploy.release) &&
		    body_text(request, body, "strategy", deploy.strategy, sizeof deploy.strategy) &&
		    body_text(request, body, "reason", deploy.reason, sizeof deploy.reason) &&
		    body_flag(request, body, "allow_bad", false, &deploy.allow_bad) &&
		    body_rollout(request, body, "fixes", &deploy.fixes);
	json_decref(body);
	if (!fine)
		return;
	if ((deploy.allow_bad &&
	     admission_role_in(api, request, http_segment(request, 2), SERVER_CLEAR, &err) < 0) ||
	    control_deploy(api->parts.control, &caller, http_segment(request, 2), &deploy, &rollout,
			   &err) < 0)
		answer_error(request, &err, NULL);
	else
		answer_rollout(request, rollout);
}

void post_rollback(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	char to[DIGEST_HEX_SIZE], reason[CONTROL_REASON_SIZE];
	struct control_back back = {.to = to, .reason = reason};
	struct error err;
	uint32_t rollout = 0;
	static const char *const fields[] = {"to", "reason", "across_migration", NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "to", to, sizeof to) &&
		    body_text(request, body, "reason", reason, sizeof reason) &&
		    body_flag(request, body, "across_migration", false, &back.across);
	json_decref(body);
	if (!fine)
		return;
	const char *environment = http_segment(request, 2);
	bool deploys = admission_may(api, request, TOKEN_DEPLOY);
	back.only_good = !deploys || !admission_plays(api, request, environment, SERVER_CLEAR);
	if (back.across &&
	    (!deploys || !admission_plays(api, request, environment, SERVER_DEPLOY))) {
		error_set(&err, ERR_DENIED,
			  "Beyond a migration goes back who may deploy, and %s may not.",
			  http_who(request));
		answer_error(request, &err, NULL);
		return;
	}
	if (control_rollback(api->parts.control, &caller, environment, &back, &rollout, &err) < 0)
		answer_error(request, &err, NULL);
	else
		answer_rollout(request, rollout);
}

void post_restart(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	char reason[CONTROL_REASON_SIZE];
	struct error err;
	uint32_t rollout = 0;
	static const char *const fields[] = {"reason", NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "reason", reason, sizeof reason);
	json_decref(body);
	if (!fine)
		return;
	if (control_restart(api->parts.control, &caller, http_segment(request, 2), reason, &rollout,
			    &err) < 0)
		answer_error(request, &err, NULL);
	else
		answer_rollout(request, rollout);
}

void post_maintenance(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	char reason[CONTROL_REASON_SIZE];
	struct error err;
	static const char *const fields[] = {"on", "read_only", "reason", NULL};
	bool on = false, reads = false;
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "reason", reason, sizeof reason) &&
		    body_flag(request, body, "on", true, &on) &&
		    body_flag(request, body, "read_only", false, &reads);
	json_decref(body);
	if (!fine)
		return;
	enum control_access access = !on     ? CONTROL_OPEN
				     : reads ? CONTROL_READ_ONLY
					     : CONTROL_MAINTENANCE;
	if (control_maintenance(api->parts.control, &caller, http_segment(request, 2), access,
				reason, &err) < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/maintenance"));
	json_object_set_new(o, "on", json_boolean(on));
	json_object_set_new(o, "read_only", json_boolean(access == CONTROL_READ_ONLY));
	answer_json(request, 200, o);
}

void get_plan(struct api *api, struct http_request *request)
{
	const char *release = http_query(request, "release"),
		   *strategy = http_query(request, "strategy"), *share = http_query(request, "for");
	uint32_t for_errors_bp = 0;
	struct error err;
	if (share && (!text_parse_share(share, &for_errors_bp) || for_errors_bp == 0)) {
		error_set(&err, ERR_INVALID,
			  "\"for\" is the share of failing requests that the steps are to catch, "
			  "above 0%% and up to 100%%, such as 1%%.");
		answer_error(request, &err, NULL);
		return;
	}
	struct view_plan *view = mem_zero(1, sizeof *view);
	if (control_view_plan(api->parts.control, http_segment(request, 2), release ? release : "",
			      strategy ? strategy : "", for_errors_bp, view, &err) < 0)
		answer_error(request, &err, "davit releases");
	else
		answer_json(request, 200, json_of_plan(view));
	free(view);
}

void get_config(struct api *api, struct http_request *request)
{
	struct buf config;
	struct error err;
	buf_init(&config, STORE_BLOB_MAX);
	if (control_live_config(api->parts.control, http_segment(request, 2), &config, &err) < 0)
		answer_error(request, &err, "davit status");
	else {
		json_t *o = json_object();
		json_object_set_new(o, "schema", json_string("davit.v1/config"));
		json_object_set_new(o, "config", json_loadb(config.data, config.size, 0, NULL));
		answer_json(request, 200, o);
	}
	buf_done(&config);
}

/* Where they are, not what they are: whoever may read the files runs the command. */
static void add_exec_secrets(struct api *api, const struct view_exec *view, json_t *to)
{
	char directory[4096];
	json_t *secrets = json_array();
	snprintf(directory, sizeof directory, "%s/instances/%s/secrets", api->parts.state_directory,
		 view->instance);
	for (uint32_t i = 0; i < view->secret_count; i++)
		json_array_append_new(secrets,
				      json_pack("{s:s, s:b}", "name", view->secrets[i].name, "file",
						view->secrets[i].file));
	json_object_set_new(to, "secrets", secrets);
	json_object_set_new(to, "secrets_directory", json_string(directory));
}

void post_exec(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	/* The command is run by whoever asks; here it is told to the log, as much of it as has room there. */
	char process[VIEW_WORD_SIZE], command[STORE_SENTENCE_SIZE];
	struct error err;
	static const char *const fields[] = {"process", "command", NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	const json_t *line = json_object_get(body, "command");
	text_escape(json_is_string(line) ? json_string_value(line) : "", json_string_length(line),
		    command, sizeof command);
	bool fine = body_text(request, body, "process", process, sizeof process);
	json_decref(body);
	if (!fine)
		return;
	struct view_exec *view = mem_zero(1, sizeof *view);
	if (control_exec(api->parts.control, &caller, http_segment(request, 2), process, command,
			 view, &err) < 0)
		answer_error(request, &err, "davit status");
	else {
		json_t *o = json_object(), *variables = json_array();
		json_object_set_new(o, "schema", json_string("davit.v1/exec"));
		json_object_set_new(o, "directory", json_string(view->directory));
		json_object_set_new(o, "user", json_string(view->user));
		for (uint32_t i = 0; i < view->variable_count; i++)
			json_array_append_new(variables, json_string(view->variables[i]));
		json_object_set_new(o, "variables", variables);
		add_exec_secrets(api, view, o);
		answer_json(request, 200, o);
	}
	free(view);
}

static int add_audit(void *context, const struct store_audit_entry *e)
{
	json_array_append_new(context, json_of_audit_entry(e));
	return 0;
}

void get_audit(struct api *api, struct http_request *request)
{
	struct store_audit_filter filter = {0};
	struct error err;
	uint64_t limit;
	if (!parameter_number(request, "limit", 1, AUDIT_LIMIT_MAX, AUDIT_LIMIT_DEFAULT, &limit) ||
	    !parameter_number(request, "before", 1, INT64_MAX, 0, &filter.before))
		return;
	filter.limit = (uint32_t)limit;
	json_t *entries = json_array(), *o;
	if (store_audit(api->parts.store, &filter, add_audit, entries, &err) < 0) {
		json_decref(entries);
		answer_error(request, &err, NULL);
		return;
	}
	o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/audit"));
	json_object_set_new(o, "entries", entries);
	answer_json(request, 200, o);
}

void get_audit_verify(struct api *api, struct http_request *request)
{
	struct store_audit_head head;
	char hex[DIGEST_HEX_SIZE];
	uint64_t broken = 0;
	struct error err;
	int result = store_audit_verify(api->parts.store, NULL, &head, &broken, &err);
	if (result < 0 && result != ERR_CORRUPT) {
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/audit-verify"));
	json_object_set_new(o, "whole", json_boolean(result == 0));
	if (result == 0) {
		json_object_set_new(o, "entries", json_integer((json_int_t)head.seq));
		json_object_set_new(o, "head", json_string(digest_format(&head.hash, hex)));
	} else {
		json_object_set_new(o, "broken", json_integer((json_int_t)broken));
		json_object_set_new(o, "message", json_string(err.text));
	}
	answer_json(request, 200, o);
}

/* What is cut may be the beginning of another id; what is not printable ends up in somebody's terminal. */
static bool request_id_valid(const struct http_request *request)
{
	const char *id = http_header(request, REQUEST_ID_FIELD);
	return !id || (strlen(id) < CONTROL_WHO_SIZE && text_is_printable(id));
}

static void dispatch(void *context, struct http_request *request)
{
	struct api *api = context;
	const struct route *route;
	struct error err;
	if (!request_id_valid(request)) {
		error_set(&err, ERR_INVALID,
			  REQUEST_ID_FIELD " has at most %d characters, and no control characters.",
			  CONTROL_WHO_SIZE - 1);
		answer_error(request, &err, NULL);
		return;
	}
	if (route_find(request, &route, &err) < 0 || admission_role(api, request, route, &err) < 0)
		answer_error(request, &err, NULL);
	else
		route->handle(api, request);
}

void api_wake(struct api *api)
{
	http_wake(api->http);
	network_wake(api->network);
}

static void rollout_changed(void *context, uint32_t rollout)
{
	(void)rollout;
	api_wake(context);
}

static bool is_gone(void *context, const char *who)
{
	struct api *api = context;
	struct token_grant grant;
	struct error err;
	return control_token_of(api->parts.control, who, &grant, &err) == ERR_DENIED;
}

void api_cut_gone(struct api *api)
{
	network_cut(api->network, is_gone, api);
}

/* Said once, also where it cannot be done: the group may come to be, and then the server's own file changes. */
static void keep_group(struct api *api, const struct server *server)
{
	const char *group = server && server->socket_group ? server->socket_group : "";
	if (!api->parts.share || strcmp(group, api->group) == 0)
		return;
	text_copy(api->group, sizeof api->group, group);
	api->parts.share(api->parts.share_context, group);
}

/* As the server's own file says now. */
static void keep_network(void *context)
{
	struct api *api = context;
	const struct server *server =
		api->parts.server ? api->parts.server(api->parts.server_context) : NULL;
	api_cut_gone(api);
	keep_group(api, server);
	network_keep(api->network, server && server->api.set != 0 ? &server->api : NULL);
	loop_env(api->parts.loop)
		->ops->timer_start(loop_env(api->parts.loop), &api->network_timer, NETWORK_MS);
}

int api_new(const struct api_parts *parts, struct api **ret_api, struct error *err)
{
	struct api *api = mem_zero(1, sizeof *api);
	api->parts = *parts;
	api->started_unix_ms = env_wall_ms(loop_env(parts->loop));
	snprintf(api->spool, sizeof api->spool, "%s/spool", parts->state_directory);
	struct http_options options = {.listen_fd = parts->listen_fd,
				       .spool = api->spool,
				       .handle = dispatch,
				       .admit_guest = admission_guest,
				       .takes_large = route_takes_large,
				       .context = api};
	int result = http_new(parts->loop, &options, &api->http, err);
	if (result < 0) {
		free(api);
		return result;
	}
	options.admit = admission_check;
	options.admit_guest = NULL;
	api->network = network_new(parts->loop, "api.listens", &options);
	api->network_timer = (struct env_timer){.fire = keep_network, .context = api};
	keep_network(api);
	control_subscribe(parts->control, rollout_changed, api);
	*ret_api = api;
	return 0;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	control_subscribe(api->parts.control, NULL, NULL);
	release_imports(api);
	release_checks(api);
	release_orders(api);
	release_searches(api);
	release_backup(api);
	loop_env(api->parts.loop)->ops->timer_stop(loop_env(api->parts.loop), &api->network_timer);
	network_free(api->network);
	http_free(api->http);
	free(api);
}
