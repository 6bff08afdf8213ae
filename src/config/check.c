/* SPDX-License-Identifier: Apache-2.0
 * check - see check.h for the contract. */
#include "config/check.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/resolve.h"
#include "config/settings.h"

/* The nearest node that exists: an error without its key points at what should hold it. */
static const struct yaml_node *near_node(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);
	return node ? node : map;
}

static const struct yaml_node *item_node(const struct yaml_node *list, uint32_t index)
{
	if (!list || list->kind != YAML_LIST)
		return list; /* the short form of one item */
	const struct yaml_node *node = list->first;
	while (index-- > 0 && node->next)
		node = node->next;
	return node;
}

/* "; did you mean \"x\"?" or ".". */
static const char *suggestion(const char *word, const char *const *names, size_t count, char *to,
			      size_t size)
{
	const char *near = text_suggest(word, names, count);
	snprintf(to, size, near ? "; did you mean \"%s\"?" : ".", near);
	return to;
}

static bool knows(const char *const *names, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* ---- processes ---- */

static void check_runs(struct reader *r, const struct yaml_node *root, const struct app *app,
		       const struct app_process *processes, uint32_t count)
{
	const struct yaml_node *all = yaml_get(root, "processes");
	if (!yaml_get(root, "service") && !all) {
		reader_error(r, root,
			     "\"service\" is missing; add for example \"service: { run: bin/server "
			     "--port $PORT, health: /up }\".");
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		if (processes[i].run.set == 0)
			reader_error(
				r,
				app->process_count > 0 ? near_node(all, processes[i].name)
						       : near_node(root, "service"),
				"Process \"%s\" has no \"run\"; add the command that starts it.",
				processes[i].name);
}

static void check_overrides(struct reader *r, const struct yaml_node *node,
			    const struct app_environment *environment,
			    const struct app_process *processes, uint32_t count)
{
	const char *names[APP_PROCESSES_MAX];
	char hint[128];
	for (uint32_t i = 0; i < count; i++)
		names[i] = processes[i].name;
	const struct yaml_node *all = yaml_get(node, "processes");
	for (uint32_t i = 0; i < environment->process_count; i++) {
		const char *name = environment->processes[i].name;
		if (!knows(names, count, name))
			reader_error(r, yaml_get(all, name)->key,
				     "There is no process \"%s\" to change here%s", name,
				     suggestion(name, names, count, hint, sizeof hint));
	}
}

static void check_env_size(struct reader *r, const struct yaml_node *node, const struct app *app,
			   const struct app_environment *environment)
{
	/* Merging would silently leave out what does not fit; the sum is what could come together. */
	uint32_t most = 0;
	for (uint32_t i = 0; i < app->process_count; i++)
		if (app->processes[i].env.count > most)
			most = app->processes[i].env.count;
	uint32_t here = 0;
	for (uint32_t i = 0; i < environment->process_count; i++)
		if (environment->processes[i].env.count > here)
			here = environment->processes[i].env.count;
	uint32_t sum = app->service.env.count + most + environment->env.count + here;
	if (sum > APP_ENV_MAX)
		reader_error(r, node,
			     "A process of \"%s\" may get up to %u variables, more than %d; remove "
			     "some.",
			     environment->name, sum, APP_ENV_MAX);
	most = here = 0;
	for (uint32_t i = 0; i < app->process_count; i++)
		if (app->processes[i].secret_count > most)
			most = app->processes[i].secret_count;
	for (uint32_t i = 0; i < environment->process_count; i++)
		if (environment->processes[i].secret_count > here)
			here = environment->processes[i].secret_count;
	sum = app->service.secret_count + most + environment->secret_count + here;
	if (sum > APP_SECRETS_MAX)
		reader_error(r, node,
			     "A process of \"%s\" may get up to %u secrets, more than %d; remove "
			     "some.",
			     environment->name, sum, APP_SECRETS_MAX);
}

/* ---- strategies ---- */

static void check_step_names(struct reader *r, const struct yaml_node *node, const struct app *app,
			     const struct app_strategy *strategy)
{
	const char *names[APP_CHECKS_MAX];
	char hint[128];
	for (uint32_t i = 0; i < app->check_count; i++)
		names[i] = app->checks[i].name;
	const struct yaml_node *steps = yaml_get(node, "steps") ? yaml_get(node, "steps") : node;
	for (uint32_t i = 0; i < strategy->count; i++) {
		const char *name = strategy->steps[i].check;
		if (name && !knows(names, app->check_count, name))
			reader_error(r, near_node(item_node(steps, i), "check"),
				     "There is no check \"%s\" in checks%s", name,
				     suggestion(name, names, app->check_count, hint, sizeof hint));
	}
}

static void check_strategies(struct reader *r, const struct yaml_node *root, const struct app *app)
{
	const struct yaml_node *all = yaml_get(root, "strategies");
	for (uint32_t i = 0; i < app->strategy_count; i++) {
		const struct yaml_node *node = yaml_get(all, app->strategies[i].name);
		if (resolve_is_builtin(app->strategies[i].name))
			reader_error(
				r, node->key,
				"\"%s\" needs no definition and cannot have another; choose a name "
				"of its own.",
				app->strategies[i].name);
		check_step_names(r, node, app, &app->strategies[i]);
	}
}

/* Everything that only shows once the environment is put together. */
static void check_resolved(struct reader *r, const struct yaml_node *node, const struct app *app,
			   const struct app_environment *environment)
{
	struct resolved *resolved = NULL;
	struct strategy_settings settings;
	struct error err = {0};
	if (config_resolve(app, environment->name, NULL, &resolved, &err) < 0)
		reader_error(r, near_node(node, "strategy"), "%s", err.text);
	else if (config_strategy(resolved, &settings, &err) < 0)
		reader_error(r, near_node(node, "strategy"), "%s", err.text);
	if (resolved) {
		check_given(r, node, resolved, environment->check_secret_count > 0);
		check_cohort(r, node, resolved);
		check_tcp_resolved(r, node, resolved);
	}
	config_resolved_free(resolved);
}

/* ---- addresses and routes ---- */

static void check_routes(struct reader *r, const struct yaml_node *node,
			 const struct app_environment *environment,
			 const struct app_process *processes, uint32_t count)
{
	const char *names[APP_PROCESSES_MAX];
	char hint[128];
	const struct yaml_node *list = yaml_get(node, "routes");
	for (uint32_t i = 0; i < count; i++)
		names[i] = processes[i].name;
	for (uint32_t i = 0; i < environment->route_count; i++) {
		const struct app_route *route = &environment->routes[i];
		const struct yaml_node *at = item_node(list, i);
		uint32_t p = 0;
		while (p < count && route->to && strcmp(names[p], route->to) != 0)
			p++;
		if (p == count)
			reader_error(r, near_node(at, "to"),
				     "There is no process \"%s\" to route to%s", route->to,
				     suggestion(route->to, names, count, hint, sizeof hint));
		else if (route->to && !processes[p].serves)
			reader_error(
				r, near_node(at, "to"),
				"Process \"%s\" takes no requests; name $PORT in its \"run\", or "
				"write \"serves: true\".",
				route->to);
	}
}

static void check_listen(struct reader *r, const struct yaml_node *node,
			 const struct app_environment *environment,
			 const struct app_process *processes, uint32_t count)
{
	bool serves = resolve_main_process(processes, count) != NULL;
	if (serves && !environment->listen)
		reader_error(
			r, node,
			"\"listen\" is missing in environment \"%s\"; add for example \"listen: "
			"0.0.0.0:8080\".",
			environment->name);
	else if (!serves && environment->listen)
		reader_error(
			r, yaml_get(node, "listen"),
			"No process takes requests at \"%s\"; name $PORT in its \"run\", or write "
			"\"serves: true\".",
			environment->listen);
	else if (!serves && environment->route_count > 0)
		reader_error(
			r, yaml_get(node, "routes"),
			"No process takes requests; remove \"routes\", or write \"serves: true\".");
}

static const char *route_host(const struct app_environment *environment, uint32_t index)
{
	if (environment->route_count == 0)
		return "";
	return environment->routes[index].host ? environment->routes[index].host : "";
}

static const char *route_path(const struct app_environment *environment, uint32_t index)
{
	bool written = environment->route_count > 0 && environment->routes[index].path;
	return written ? environment->routes[index].path : "/";
}

static uint32_t route_total(const struct app_environment *environment)
{
	return environment->route_count > 0 ? environment->route_count : 1;
}

/* The same request must not have two places to go to: within an environment the same host and path,
 * between two on one address the same host. */
static bool routes_meet(const struct app_environment *a, uint32_t i,
			const struct app_environment *b, uint32_t k)
{
	if (strcmp(route_host(a, i), route_host(b, k)) != 0)
		return false;
	return a != b || strcmp(route_path(a, i), route_path(b, k)) == 0;
}

static void check_own_routes(struct reader *r, const struct yaml_node *node,
			     const struct app_environment *environment)
{
	const struct yaml_node *list = yaml_get(node, "routes");
	for (uint32_t i = 0; i < environment->route_count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (routes_meet(environment, i, environment, k))
				reader_error(r, item_node(list, i),
					     "Two routes are for %s%s and path \"%s\"; keep one.",
					     route_host(environment, i)[0] ? "host " : "any host",
					     route_host(environment, i),
					     route_path(environment, i));
}

static const char *port_of(const char *address)
{
	return strrchr(address, ':');
}

static bool is_wildcard(const char *address)
{
	return text_starts(address, "0.0.0.0:") || text_starts(address, "[::]:");
}

static bool share_address(struct reader *r, const struct yaml_node *node,
			  const struct app_environment *a, const struct app_environment *b)
{
	for (uint32_t i = 0; i < route_total(b); i++)
		for (uint32_t k = 0; k < route_total(a); k++) {
			if (!routes_meet(b, i, a, k))
				continue;
			const char *host = route_host(b, i);
			reader_error(
				r, yaml_get(node, "listen"),
				"Environments \"%s\" and \"%s\" both take %s%s at %s; give one "
				"routes with a host, or another port.",
				a->name, b->name, host[0] ? "host " : "requests for any host", host,
				b->listen);
			return true;
		}
	return false;
}

static bool share_tls(struct reader *r, const struct yaml_node *node,
		      const struct app_environment *a, const struct app_environment *b)
{
	if (check_has_tls(a) == check_has_tls(b))
		return false;
	reader_error(r, yaml_get(node, "listen"),
		     "Environments \"%s\" and \"%s\" share %s, but only \"%s\" has tls; give both "
		     "a certificate, or one of them another port.",
		     a->name, b->name, b->listen, check_has_tls(a) ? a->name : b->name);
	return true;
}

static bool share_protocol(struct reader *r, const struct yaml_node *node,
			   const struct app_environment *a, const struct app_environment *b)
{
	const struct app_environment *tcp = a->protocol == APP_PROTOCOL_TCP ? a : b;
	if (tcp->protocol != APP_PROTOCOL_TCP)
		return false;
	reader_error(r, yaml_get(node, "listen"),
		     "Environments \"%s\" and \"%s\" share %s, and connections of \"%s\" "
		     "(\"protocol: tcp\") name no host to tell them apart; give one another port.",
		     a->name, b->name, b->listen, tcp->name);
	return true;
}

static void check_shared_addresses(struct reader *r, const struct yaml_node *all,
				   const struct app *app)
{
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const struct app_environment *b = &app->environments[i];
		const struct yaml_node *node = yaml_get(all, b->name);
		for (uint32_t k = 0; k < i && b->listen; k++) {
			const struct app_environment *a = &app->environments[k];
			if (!a->listen || strcmp(port_of(a->listen), port_of(b->listen)) != 0)
				continue;
			if (strcmp(a->listen, b->listen) == 0) {
				if (share_protocol(r, node, a, b) || share_address(r, node, a, b) ||
				    share_tls(r, node, a, b))
					break;
			} else if (is_wildcard(a->listen) || is_wildcard(b->listen)) {
				reader_error(
					r, yaml_get(node, "listen"),
					"%s of \"%s\" overlaps with %s of \"%s\"; use one of the "
					"two for both, or another port.",
					b->listen, b->name, a->listen, a->name);
				break;
			}
		}
	}
}

static void check_environment(struct reader *r, const struct yaml_node *node, const struct app *app,
			      const struct app_environment *environment)
{
	struct app_process processes[APP_PROCESSES_MAX];
	uint32_t errors = r->errors->count;
	uint32_t count = resolve_processes(app, environment, processes);
	check_overrides(r, node, environment, processes, count);
	check_env_size(r, node, app, environment);
	check_secrets(r, node, environment, processes, count);
	check_given_size(r, node, app, environment);
	check_step_names(r, yaml_get(node, "strategy"), app, &environment->strategy);
	check_routes(r, node, environment, processes, count);
	check_own_routes(r, node, environment);
	check_listen(r, node, environment, processes, count);
	check_tls(r, node, environment);
	check_headers(r, node, environment);
	check_tcp(r, node, environment);
	if (errors == r->errors->count)
		check_resolved(r, node, app, environment);
}

void check_app(struct reader *r, const struct yaml_node *root, const struct app *app)
{
	struct app_process processes[APP_PROCESSES_MAX];
	const struct yaml_node *all = yaml_get(root, "environments");
	uint32_t count = resolve_processes(app, NULL, processes);
	check_runs(r, root, app, processes, count);
	check_strategies(r, root, app);
	check_pipeline(r, root, app);
	if (r->errors->count > 0)
		return; /* each environment would only say it again */
	for (uint32_t i = 0; i < app->environment_count; i++)
		check_environment(r, yaml_get(all, app->environments[i].name), app,
				  &app->environments[i]);
	check_shared_addresses(r, all, app);
	check_redirects(r, all, app);
	check_gates(r, root, app);
}
