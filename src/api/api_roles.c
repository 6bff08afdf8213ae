/* SPDX-License-Identifier: Apache-2.0
 * api_roles - who may what, beside what is live where. See routes.h. */
#include <stdio.h>
#include <string.h>

#include "api/routes.h"
#include "config/server.h"

/* "release-managers, bob" as a list. */
static json_t *list_of(char *names)
{
	json_t *list = json_array();
	char *rest = names, *one;
	while ((one = strsep(&rest, ",")))
		json_array_append_new(list, json_string(one + strspn(one, " ")));
	return list;
}

/* null: nobody is named for anything. */
static json_t *roles_of(const struct server *server, const char *key)
{
	json_t *may = json_null();
	char names[SERVER_ROLE_WORDS];
	for (uint32_t role = 0; role < SERVER_ROLE_COUNT; role++) {
		server_role_names(server, key, (enum server_role)role, names);
		if (!names[0])
			continue;
		if (json_is_null(may))
			may = json_object();
		json_object_set_new(may, server_role_word((enum server_role)role), list_of(names));
	}
	return may;
}

void add_roles_to_status(struct api *api, json_t *applications)
{
	const struct server *server =
		api->parts.server ? api->parts.server(api->parts.server_context) : NULL;
	const json_t *app;
	json_t *environment;
	char key[2 * CONTROL_KEY_SIZE];
	size_t i, k;
	json_array_foreach (applications, i, app)
		json_array_foreach (json_object_get(app, "environments"), k, environment) {
			snprintf(key, sizeof key, "%s/%s",
				 json_string_value(json_object_get(app, "app")),
				 json_string_value(json_object_get(environment, "name")));
			json_object_set_new(environment, "may", roles_of(server, key));
		}
}
