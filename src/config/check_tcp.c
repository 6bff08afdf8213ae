/* SPDX-License-Identifier: Apache-2.0
 * check_tcp - see check.h for the contract. */
#include "config/check.h"

static void refuse(struct reader *r, const struct yaml_node *at, const char *why)
{
	if (at)
		reader_error(r, at->key ? at->key : at,
			     "%s, and \"protocol: tcp\" passes connections on unread; remove "
			     "\"%s\", or serve by HTTP.",
			     why, at->key ? at->key->text : "it");
}

/* Keys of an environment, and of its `requests`, that look into requests. */
static const struct {
	const char *key, *why;
} environment_keys[] =
	{
		{"sticky", "A visitor is known by a cookie or a header"},
		{"cohort", "A cohort is known by its requests"},
		{"tls", "HTTPS is ended here for HTTP alone"},
},
  request_keys[] = {
	  {"shield", "Only a request can be answered a second time"},
	  {"answer", "Only a request has an answer to wait for"},
	  {"body_max", "Only a request has a body"},
	  {"http2", "HTTP/2 is HTTP"},
	  {"headers", "Header fields are those of HTTP"},
	  {"maintenance", "Only a request can be answered with a page"},
};

static void check_routes(struct reader *r, const struct yaml_node *list)
{
	static const char *const keys[] = {"host", "path"};
	if (!list || list->kind != YAML_LIST)
		return;
	for (const struct yaml_node *route = list->first; route; route = route->next) {
		for (uint32_t i = 0; i < 2; i++)
			refuse(r, yaml_get(route, keys[i]), "Hosts and paths are those of HTTP");
		if (route != list->first)
			reader_error(r, route,
				     "Connections of \"protocol: tcp\" go to one process; keep "
				     "one route.");
	}
}

void check_tcp(struct reader *r, const struct yaml_node *node,
	       const struct app_environment *environment)
{
	const struct yaml_node *requests = yaml_get(node, "requests");
	if (environment->protocol != APP_PROTOCOL_TCP) {
		const struct yaml_node *at = yaml_get(node, "tcp");
		if (at)
			reader_error(r, at->key,
				     "\"tcp\" counts only with \"protocol: tcp\"; write that too, "
				     "or remove \"tcp\".");
		return;
	}
	for (uint32_t i = 0; i < sizeof environment_keys / sizeof environment_keys[0]; i++)
		refuse(r, yaml_get(node, environment_keys[i].key), environment_keys[i].why);
	for (uint32_t i = 0; i < sizeof request_keys / sizeof request_keys[0]; i++)
		refuse(r, yaml_get(requests, request_keys[i].key), request_keys[i].why);
	refuse(r, yaml_get(yaml_get(requests, "queue"), "first"), "Paths are those of HTTP");
	check_routes(r, yaml_get(node, "routes"));
}

void check_tcp_resolved(struct reader *r, const struct yaml_node *node,
			const struct resolved *resolved)
{
	const struct app_environment *here = &resolved->environment;
	if (here->protocol != APP_PROTOCOL_TCP)
		return;
	if (here->analysis.class_count > 0)
		reader_error(r, yaml_get(node, "protocol"),
			     "\"classes\" of \"analysis\" tell requests apart by their paths, and "
			     "\"protocol: tcp\" passes connections on unread; remove one of both.");
	for (uint32_t i = 0; i < here->process_count; i++) {
		if (here->processes[i].speaks == APP_SPEAKS_HTTP2)
			reader_error(r, yaml_get(node, "protocol"),
				     "Process \"%s\" speaks http2, and \"protocol: tcp\" passes "
				     "connections on unread; remove one of both.",
				     here->processes[i].name);
		if (here->processes[i].serves && here->processes[i].health.path)
			reader_error(
				r, yaml_get(node, "protocol"),
				"The health of \"%s\" is asked by HTTP at %s; write \"health: { "
				"tcp: true }\", or a \"command\".",
				here->processes[i].name, here->processes[i].health.path);
	}
}
