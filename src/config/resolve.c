/* SPDX-License-Identifier: Apache-2.0
 * resolve - see resolve.h and config.h for the contract.
 *
 * The merged structs share texts with the app. What leaves this file went through the canonical text
 * once, and so is by construction what a release will find when it is rolled back to. */
#include "config/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/command.h"
#include "config/keys.h"
#include "config/yaml.h"

enum { BUILTIN_STEPS_MAX = 4, BAKE_MS = 5 * 60 * 1000 };

/* Strategies that need no definition: the moves of strategy_default(), a test compares. A `smoke` check
 * goes before all but recreate, whose new release does not run beside the old one, and after all; defaults of each step
 * are in its table. */
static const struct builtin {
	const char *name;
	bool smoke;
	uint32_t count;
	struct app_step steps[BUILTIN_STEPS_MAX];
} builtins[] = {
	{"recreate",
	 false,
	 2,
	 {{.set = APP_STEP_RECREATE}, {.set = APP_STEP_BAKE, .bake_ms = BAKE_MS}}},
	{"rolling",
	 true,
	 2,
	 {{.set = APP_STEP_ROLLING}, {.set = APP_STEP_BAKE, .bake_ms = BAKE_MS}}},
	{"blue-green",
	 true,
	 2,
	 {{.set = APP_STEP_SWITCH}, {.set = APP_STEP_BAKE, .bake_ms = BAKE_MS}}},
	{"canary",
	 true,
	 3,
	 {{.set = APP_STEP_CANARY},
	  {.set = APP_STEP_SWITCH},
	  {.set = APP_STEP_BAKE, .bake_ms = BAKE_MS}}},
	{"shadow",
	 true,
	 4,
	 {{.set = APP_STEP_SHADOW},
	  {.set = APP_STEP_CANARY},
	  {.set = APP_STEP_SWITCH},
	  {.set = APP_STEP_BAKE, .bake_ms = BAKE_MS}}},
};

enum { BUILTIN_COUNT = sizeof builtins / sizeof builtins[0] };

static const struct builtin *find_builtin(const char *name)
{
	for (size_t i = 0; i < BUILTIN_COUNT; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

bool resolve_is_builtin(const char *strategy)
{
	return find_builtin(strategy) != NULL;
}

const struct app_environment *resolve_environment(const struct app *app, const char *name)
{
	for (uint32_t i = 0; i < app->environment_count; i++)
		if (strcmp(app->environments[i].name, name) == 0)
			return &app->environments[i];
	return NULL;
}

const struct app_strategy *resolve_strategy(const struct app *app, const char *name)
{
	for (uint32_t i = 0; i < app->strategy_count; i++)
		if (strcmp(app->strategies[i].name, name) == 0)
			return &app->strategies[i];
	return NULL;
}

void resolve_migrate(const struct app *app, const struct app_environment *environment,
		     struct app_migrate *to)
{
	*to = app->migrate;
	schema_merge(&schema_migrate, to, &environment->migrate);
}

void resolve_hooks(const struct app *app, const struct app_environment *environment,
		   struct app_hooks *to)
{
	*to = app->hooks;
	schema_merge(&schema_hooks, to, &environment->hooks);
}

static bool is_written(const struct schema_section *section, uint32_t set, const char *name)
{
	return set & schema_bit(section, schema_find(section, name));
}

static bool has_port_probe(const struct app_health *health)
{
	return health->path || health->tcp || health->grpc;
}

/* docs of `serves` say the rule. `own` is what the process says besides `service`. */
static void decide_serves(const struct app *app, const struct app_process *own, bool only,
			  struct app_process *process)
{
	bool web = only || strcmp(process->name, "web") == 0;
	bool inherits = !has_port_probe(&own->health) && has_port_probe(&process->health);
	if (!is_written(&schema_process, process->set, "serves")) {
		process->serves = command_mentions(&process->run, "PORT") ||
				  has_port_probe(&own->health) ||
				  (web && has_port_probe(&app->service.health));
		process->set |= schema_bit(&schema_process, schema_find(&schema_process, "serves"));
	}
	if (!process->serves && inherits && !only) {
		const struct schema_section *health =
			schema_find(&schema_process, "health")->section;
		process->health.path = NULL;
		process->health.tcp = process->health.grpc = false;
		process->health.set &= ~(schema_bit(health, schema_find(health, "path")) |
					 schema_bit(health, schema_find(health, "tcp")) |
					 schema_bit(health, schema_find(health, "grpc")));
	}
}

static const struct app_process *find_process(const struct app_process *processes, uint32_t count,
					      const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(processes[i].name, name) == 0)
			return &processes[i];
	return NULL;
}

uint32_t resolve_processes(const struct app *app, const struct app_environment *environment,
			   struct app_process to[APP_PROCESSES_MAX])
{
	bool only = app->process_count == 0;
	uint32_t count = only ? 1 : app->process_count;
	for (uint32_t i = 0; i < count; i++) {
		struct app_process own = {0};
		const char *name = only ? "web" : app->processes[i].name;
		const struct app_process *here = NULL;
		to[i] = app->service;
		to[i].name = name;
		if (!only)
			schema_merge(&schema_process, &own, &app->processes[i]);
		schema_merge(&schema_process, &to[i], &own);
		if (environment) {
			uint32_t env_bit =
				schema_bit(&schema_process, schema_find(&schema_process, "env"));
			uint32_t secrets_bit = schema_bit(&schema_process,
							  schema_find(&schema_process, "secrets"));
			struct app_process all = {.set = env_bit | secrets_bit,
						  .env = environment->env,
						  .secret_count = environment->secret_count};
			memcpy(all.secrets, environment->secrets, sizeof all.secrets);
			schema_merge(&schema_process, &to[i], &all);
			here = find_process(environment->processes, environment->process_count,
					    name);
		}
		if (here) {
			schema_merge(&schema_process, &own, here);
			schema_merge(&schema_process, &to[i], here);
		}
		decide_serves(app, &own, only, &to[i]);
	}
	return count;
}

const struct app_process *resolve_main_process(const struct app_process *processes, uint32_t count)
{
	const struct app_process *web = find_process(processes, count, "web");
	if (web && web->serves)
		return web;
	for (uint32_t i = 0; i < count; i++)
		if (processes[i].serves)
			return &processes[i];
	return NULL;
}

static bool has_smoke(const struct app *app)
{
	for (uint32_t i = 0; i < app->check_count; i++)
		if (strcmp(app->checks[i].name, "smoke") == 0)
			return true;
	return false;
}

static void fill_builtin(const struct app *app, const struct builtin *builtin,
			 struct app_strategy *to)
{
	to->name = builtin->name;
	to->count = 0;
	if (builtin->smoke && has_smoke(app))
		to->steps[to->count++] = (struct app_step){.set = APP_STEP_CHECK, .check = "smoke"};
	for (uint32_t i = 0; i < builtin->count; i++)
		to->steps[to->count++] = builtin->steps[i];
}

static int refuse_strategy(const struct app *app, const char *name, struct error *err)
{
	const char *known[APP_STRATEGIES_MAX + BUILTIN_COUNT];
	size_t count = 0;
	for (size_t i = 0; i < BUILTIN_COUNT; i++)
		known[count++] = builtins[i].name;
	for (uint32_t i = 0; i < app->strategy_count; i++)
		known[count++] = app->strategies[i].name;
	const char *near = text_suggest(name, known, count);
	if (near)
		return error_set(err, ERR_INVALID,
				 "There is no strategy \"%s\"; did you mean \"%s\"?", name, near);
	return error_set(
		err, ERR_INVALID,
		"There is no strategy \"%s\"; use recreate, rolling, blue-green, canary, shadow, "
		"or define it in strategies.",
		name);
}

/* `name` was asked for, or is NULL: then what the environment says. */
static int fill_strategy(const struct app *app, const char *name, struct app_strategy *to,
			 struct error *err)
{
	if (!name && to->count > 0) {
		to->name = to->name ? to->name : "inline";
	} else {
		name = name ? name : to->name ? to->name : "canary";
		const struct builtin *builtin = find_builtin(name);
		const struct app_strategy *defined = resolve_strategy(app, name);
		if (builtin) {
			fill_builtin(app, builtin, to);
		} else if (defined) {
			*to = *defined;
		} else {
			return refuse_strategy(app, name, err);
		}
	}
	to->set = (1u << schema_strategy.count) - 1;
	return 0;
}

/* What a built-in strategy does with a check called `smoke` once the release has all requests, unless `verify` says it. */
static void fill_verify(const struct app *app, struct app_environment *to)
{
	uint32_t bit = schema_bit(&schema_environment, schema_find(&schema_environment, "verify"));
	if (to->set & bit || !find_builtin(to->strategy.name) || !has_smoke(app))
		return;
	to->verify = (struct app_texts){.count = 1, .items = {"smoke"}};
	to->set |= bit;
}

static void fill_routes(struct app_environment *environment)
{
	const struct app_process *main_process =
		resolve_main_process(environment->processes, environment->process_count);
	if (!environment->listen)
		return;
	if (environment->route_count == 0)
		environment->route_count = 1; /* all zero: every host, every path */
	for (uint32_t i = 0; i < environment->route_count; i++) {
		struct app_route *route = &environment->routes[i];
		if (!route->to && main_process) {
			route->to = main_process->name;
			route->set |= schema_bit(
				schema_find(&schema_environment, "routes")->section,
				schema_find(schema_find(&schema_environment, "routes")->section,
					    "to"));
		}
	}
	environment->set |=
		schema_bit(&schema_environment, schema_find(&schema_environment, "routes"));
}

static void mark(struct app_environment *environment, const char *key)
{
	environment->set |= schema_bit(&schema_environment, schema_find(&schema_environment, key));
}

/* Where releases end: it comes from another, and none comes from it. */
static bool is_last(const struct app *app, const struct app_environment *environment)
{
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const char *from = app->environments[i].from;
		if (from && strcmp(from, environment->name) == 0)
			return false;
	}
	return environment->from != NULL;
}

static void decide_production(const struct app *app, struct app_environment *here)
{
	if (!is_written(&schema_environment, here->set, "production") && is_last(app, here)) {
		here->production = true;
		mark(here, "production");
	}
	if (!is_written(&schema_environment, here->set, "tag") && here->production) {
		here->tag = true;
		mark(here, "tag");
	}
}

/* Its judge's settings are there, defaults and all, exactly where it judges. */
static void settle_kayenta(struct app_analysis *analysis)
{
	uint32_t bit = schema_bit(&schema_analysis, schema_find(&schema_analysis, "kayenta"));
	analysis->set |= bit;
	if (analysis->method != APP_JUDGE_MANN_WHITNEY)
		analysis->set &= ~bit;
}

/* Each command of a check has then all that it is given here. */
static void give_checks(const struct app_environment *environment, struct resolved *to)
{
	const struct schema_section *section = schema_find(&schema_check, "probes")->section;
	struct app_probe all = {.set = schema_bit(section, schema_find(section, "secrets")),
				.secret_count = environment->check_secret_count};
	memcpy(all.secrets, environment->check_secrets, sizeof all.secrets);
	for (uint32_t i = 0; i < to->check_count && all.secret_count > 0; i++)
		for (uint32_t k = 0; k < to->checks[i].count; k++)
			if (!to->checks[i].probes[k].get)
				schema_merge(section, &to->checks[i].probes[k], &all);
}

bool config_uses_check(const struct resolved *resolved, const char *name)
{
	const struct app_environment *here = &resolved->environment;
	bool used = false;
	for (uint32_t i = 0; i < here->strategy.count; i++)
		used = used || (here->strategy.steps[i].set & APP_STEP_CHECK &&
				strcmp(here->strategy.steps[i].check, name) == 0);
	for (uint32_t i = 0; i < here->verify.count; i++)
		used = used || strcmp(here->verify.items[i], name) == 0;
	return used;
}

/* All of one environment, in a struct that shares texts with `app`. */
static int merge(const struct app *app, const struct app_environment *environment,
		 const char *strategy, struct resolved *to, struct error *err)
{
	struct app_environment *here = &to->environment;
	to->app = app->name;
	to->name = environment->name;
	to->persist = app->persist;
	to->check_count = app->check_count;
	memcpy(to->checks, app->checks, sizeof to->checks);
	*here = *environment;
	int status = fill_strategy(app, strategy, &here->strategy, err);
	if (status < 0)
		return status;
	mark(here, "strategy");
	if (strategy || environment->strategy.count == 0)
		fill_verify(app, here);
	here->process_count = resolve_processes(app, environment, here->processes);
	mark(here, "processes");
	here->env.count = 0; /* it is in each process now */
	here->set &= ~schema_bit(&schema_environment, schema_find(&schema_environment, "env"));
	here->secret_count = 0; /* as are these */
	here->set &= ~schema_bit(&schema_environment, schema_find(&schema_environment, "secrets"));
	give_checks(environment, to);
	here->check_secret_count = 0; /* and these in each command of a check */
	here->set &=
		~schema_bit(&schema_environment, schema_find(&schema_environment, "check_secrets"));
	here->analysis = app->analysis;
	schema_merge(&schema_analysis, &here->analysis, &environment->analysis);
	settle_kayenta(&here->analysis);
	resolve_migrate(app, environment, &here->migrate);
	if (here->migrate.set != 0)
		mark(here, "migrate");
	resolve_hooks(app, environment, &here->hooks);
	if (here->hooks.set != 0)
		mark(here, "hooks");
	fill_routes(here);
	if (here->protocol == APP_PROTOCOL_TCP)
		mark(here, "tcp");
	decide_production(app, here);
	to->set = (1u << schema_resolved.count) - 1;
	if (to->persist.count == 0)
		to->set &= ~schema_bit(&schema_resolved, schema_find(&schema_resolved, "persist"));
	if (to->check_count == 0)
		to->set &= ~schema_bit(&schema_resolved, schema_find(&schema_resolved, "checks"));
	schema_defaults(&schema_resolved, to);
	return 0;
}

int config_resolve(const struct app *app, const char *environment, const char *strategy,
		   struct resolved **ret_resolved, struct error *err)
{
	const char *names[APP_ENVIRONMENTS_MAX];
	const struct app_environment *found = resolve_environment(app, environment);
	if (!found) {
		for (uint32_t i = 0; i < app->environment_count; i++)
			names[i] = app->environments[i].name;
		const char *near = text_suggest(environment, names, app->environment_count);
		return error_set(err, ERR_NOT_FOUND,
				 "There is no environment \"%s\" in the configuration%s%s%s",
				 environment, near ? "; did you mean \"" : ".", near ? near : "",
				 near ? "\"?" : "");
	}
	struct resolved *merged = mem_zero(1, sizeof *merged);
	int status = merge(app, found, strategy, merged, err);
	if (status == 0) {
		struct buf text;
		buf_init(&text, CONFIG_ENCODED_MAX);
		config_encode(merged, &text);
		if (text.overflowed)
			status = error_set(
				err, ERR_LIMIT,
				"Environment \"%s\" is larger than 256 KiB once every process "
				"has its variables; shorten them.",
				environment);
		else
			status = config_decode(buf_text(&text), text.size, ret_resolved, err);
		buf_done(&text);
	}
	free(merged);
	return status;
}
