/* SPDX-License-Identifier: Apache-2.0
 * api_secrets - values come in and never go out again. See routes.h.
 *
 * A value is the body as it is, not a field of JSON: it is in one place, which is overwritten afterwards. */
#include <stdio.h>
#include <string.h>

#include "api/admission.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/secrets.h"
#include "store/secrets.h"

/* --- rotation */

struct restarts {
	struct api *api;
	const struct control_caller *caller;
	const char *name;
	json_t *restarted, *left;
};

static json_t *pair(const char *environment, const char *key, json_t *value)
{
	json_t *o = json_object();
	json_object_set_new(o, "environment", json_string(environment));
	json_object_set_new(o, key, value);
	return o;
}

/* The request's id and the environment make the restart's: a rotation that is asked for again restarts nothing twice. */
static void restart(void *context, const struct secret_use *use)
{
	struct restarts *r = context;
	struct control_caller caller = *r->caller;
	struct error err;
	uint32_t rollout = 0;
	char key[CONTROL_KEY_SIZE], reason[CONTROL_REASON_SIZE], id[2 * CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", use->app, use->environment);
	if (use->pinned || use->checks) {
		json_array_append_new(
			r->left,
			pair(key, "why",
			     json_string(
				     use->pinned
					     ? "its release keeps the version it went out with"
					     : "only its checks use it, when a release comes")));
		return;
	}
	if (caller.request_id[0]) {
		snprintf(id, sizeof id, "%s %s", caller.request_id, key);
		struct digest digest = digest_of(id, strlen(id));
		digest_format(&digest, caller.request_id);
	}
	snprintf(reason, sizeof reason, "the secret %s was rotated", r->name);
	if (control_restart(r->api->parts.control, &caller, key, reason, &rollout, &err) < 0)
		json_array_append_new(r->left, pair(key, "why", json_string(err.text)));
	else
		json_array_append_new(r->restarted, pair(key, "rollout", json_integer(rollout)));
}

static void answer_set(struct api *api, struct http_request *request,
		       const struct secret_order *order, uint32_t version)
{
	struct control_caller caller = caller_of(request);
	const char *rotate = http_query(request, "restart");
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/secret"));
	json_object_set_new(o, "app", json_string(order->app));
	json_object_set_new(o, "name", json_string(order->name));
	json_object_set_new(o, "version", json_integer(version));
	if (rotate && strcmp(rotate, "true") == 0) {
		struct restarts r = {.api = api,
				     .caller = &caller,
				     .name = order->name,
				     .restarted = json_array(),
				     .left = json_array()};
		control_secret_uses(api->parts.control, order->app, order->name, restart, &r);
		json_object_set_new(o, "restarted", r.restarted);
		json_object_set_new(o, "left", r.left);
	}
	answer_json(request, 200, o);
}

void post_secret(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	const char *app = http_query(request, "app"), *name = http_query(request, "name");
	const struct buf *value = http_body(request);
	struct secret_order order = {.app = app ? app : "",
				     .name = name ? name : "",
				     .value = value->data,
				     .size = value->size};
	struct error err;
	uint32_t version;
	if (control_set_secret(api->parts.control, &caller, &order, &version, &err) < 0)
		answer_error(request, &err, NULL);
	else
		answer_set(api, request, &order, version);
}

void post_secret_remove(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	static const char *const fields[] = {"app", "name", NULL};
	char app[CONTROL_KEY_SIZE], name[SECRETS_NAME_SIZE];
	struct error err;
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "app", app, sizeof app) &&
		    body_text(request, body, "name", name, sizeof name);
	json_decref(body);
	if (!fine)
		return;
	if (admission_reaches(api, request, app, NULL, &err) < 0 ||
	    control_remove_secret(api->parts.control, &caller, app, name, &err) < 0) {
		answer_error(request, &err, "davit secrets list");
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/secret"));
	json_object_set_new(o, "app", json_string(app));
	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "version", json_integer(0));
	answer_json(request, 200, o);
}

/* --- the list */

struct list {
	struct api *api;
	json_t *secrets;
};

static void add_use(void *context, const struct secret_use *use)
{
	json_t *o = json_object();
	json_object_set_new(o, "environment", json_string(use->environment));
	json_object_set_new(o, "version", json_string(use->pinned ? "pinned" : "latest"));
	json_object_set_new(o, "by", json_string(use->checks ? "checks" : "processes"));
	json_array_append_new(context, o);
}

static int add_secret(void *context, const struct store_secret *secret)
{
	struct list *list = context;
	json_t *o = json_object(), *uses = json_array();
	json_object_set_new(o, "app", json_string(secret->app));
	json_object_set_new(o, "name", json_string(secret->name));
	json_object_set_new(o, "version", json_integer(secret->version));
	json_object_set_new(o, "by", json_string(secret->by));
	json_object_set_new(o, "set_unix_ms", json_integer((json_int_t)secret->at_unix_ms));
	control_secret_uses(list->api->parts.control, secret->app, secret->name, add_use, uses);
	json_object_set_new(o, "used", uses);
	json_array_append_new(list->secrets, o);
	return 0;
}

void get_secrets(struct api *api, struct http_request *request)
{
	struct list list = {.api = api, .secrets = json_array()};
	struct error err;
	if (store_secrets(api->parts.store, add_secret, &list, &err) < 0) {
		json_decref(list.secrets);
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/secrets"));
	json_object_set_new(o, "secrets", list.secrets);
	answer_json(request, 200, o);
}
