/* SPDX-License-Identifier: Apache-2.0
 * api_sources - the repositories that are looked at. See routes.h. */
#include "api/routes.h"
#include "provider/sources.h"

static void add_time(json_t *o, const char *key, uint64_t unix_ms)
{
	if (unix_ms > 0)
		json_object_set_new(o, key, json_integer((json_int_t)unix_ms));
}

static void add_text(json_t *o, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(o, key, json_string(text));
}

static void add_source(void *context, const struct sources_row *row)
{
	json_t *o = json_object();
	json_object_set_new(o, "app", json_string(row->app));
	json_object_set_new(o, "git", json_string(row->git));
	json_object_set_new(o, "pushed", json_boolean(row->hosted));
	json_object_set_new(o, "poll_ms", json_integer((json_int_t)row->poll_ms));
	json_object_set_new(o, "state",
			    json_string(row->looking          ? "looking"
					: row->why[0]         ? "failed"
					: row->looked_unix_ms ? "seen"
							      : "pending"));
	json_object_set_new(o, "refs", json_integer(row->refs));
	add_time(o, "looked_unix_ms", row->looked_unix_ms);
	add_text(o, "why", row->why);
	add_text(o, "note", row->note);
	if (row->hook[0]) {
		json_t *hook = json_object();
		json_object_set_new(hook, "from", json_string(row->hook));
		json_object_set_new(hook, "taken", json_integer(row->taken));
		json_object_set_new(hook, "refused", json_integer(row->refused));
		add_time(hook, "taken_unix_ms", row->hooked_unix_ms);
		add_text(hook, "refusal", row->refusal);
		json_object_set_new(o, "webhook", hook);
	}
	json_array_append_new(context, o);
}

void get_sources(struct api *api, struct http_request *request)
{
	struct sources *sources = api->parts.sources;
	json_t *o = json_object(), *rows = json_array();
	if (sources)
		sources->ops->visit(sources, add_source, rows);
	json_object_set_new(o, "schema", json_string("davit.v1/sources"));
	json_object_set_new(o, "sources", rows);
	if (sources && sources->listen)
		json_object_set_new(o, "listen", json_string(sources->listen));
	answer_json(request, 200, o);
}

void post_source_look(struct api *api, struct http_request *request)
{
	struct sources *sources = api->parts.sources;
	const char *app = http_segment(request, 2);
	struct error err;
	int code = sources ? sources->ops->look(sources, app, &err)
			   : error_set(&err, ERR_NOT_FOUND, "No repository is looked at here.");
	if (code < 0) {
		answer_error(request, &err, "davit webhook");
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/source"));
	json_object_set_new(o, "app", json_string(app));
	json_object_set_new(o, "state", json_string("looking"));
	answer_json(request, 202, o);
}
