/* SPDX-License-Identifier: Apache-2.0
 * api_schedules - environments that are deployed to at times, as builds and the status show them. See routes.h. */
#include <string.h>

#include "api/routes.h"
#include "base/text.h"
#include "provider/sources.h"
#include "store/schedules.h"

struct wanted {
	struct sources *sources;
	const char *app, *environment; /* NULL: all */
	uint64_t now_unix_ms;
	json_t *list;
};

struct place {
	const char *repository;
	bool found;
};

static void see_source(void *context, const struct sources_row *row)
{
	struct place *place = context;
	place->found |= strcmp(row->repository, place->repository) == 0;
}

/* Nobody looks any longer at what the server's file names no more: nothing comes of its times. */
static bool is_looked_at(struct sources *sources, const char *repository)
{
	struct place place = {.repository = repository};
	sources->ops->visit(sources, see_source, &place);
	return place.found;
}

static int add_one(void *context, const struct store_schedule *row)
{
	static const char heads[] = "refs/heads/";
	const struct wanted *w = context;
	if ((w->app && strcmp(row->app, w->app) != 0) ||
	    (w->environment && strcmp(row->environment, w->environment) != 0) ||
	    !is_looked_at(w->sources, row->repository))
		return 0;
	bool due = row->due_unix_ms > 0 && row->due_unix_ms <= w->now_unix_ms;
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "app", row->app, "environment",
			      row->environment, "branch",
			      text_starts(row->ref, heads) ? row->ref + sizeof heads - 1 : row->ref,
			      "times", row->times, "zone", row->zone, "state",
			      row->due_unix_ms == 0 ? "failed"
			      : due                 ? "due"
						    : "waiting");
	ASSERT(o); /* all of it is UTF-8: the store has nothing else */
	if (row->due_unix_ms > 0)
		json_object_set_new(o, "next_unix_ms", json_integer((json_int_t)row->due_unix_ms));
	if (row->ran_unix_ms > 0) {
		json_object_set_new(o, "ran_unix_ms", json_integer((json_int_t)row->ran_unix_ms));
		json_object_set_new(o, "commit", json_string(row->last));
		json_object_set_new(o, "build", json_integer(row->build));
	}
	if (row->why[0])
		json_object_set_new(o, "why", json_string(row->why));
	json_array_append_new(w->list, o);
	return 0;
}

int add_schedules(struct api *api, const char *app, const char *environment, json_t *list,
		  struct error *err)
{
	const struct wanted w = {.sources = api->parts.sources,
				 .app = app,
				 .environment = environment,
				 .now_unix_ms = env_wall_ms(loop_env(api->parts.loop)),
				 .list = list};
	return w.sources ? store_schedules(api->parts.store, add_one, (void *)&w, err) : 0;
}

int add_schedules_to_status(struct api *api, json_t *applications, struct error *err)
{
	json_t *application, *environment, *list;
	size_t i, k;
	int code = 0;
	json_array_foreach (applications, i, application)
		json_array_foreach (json_object_get(application, "environments"), k, environment) {
			list = json_array();
			json_object_set_new(environment, "schedules", list);
			if (code == 0)
				code = add_schedules(
					api, json_string_value(json_object_get(application, "app")),
					json_string_value(json_object_get(environment, "name")),
					list, err);
		}
	return code;
}
