/* SPDX-License-Identifier: Apache-2.0
 * releases - from a release's stored configuration to what the core, the judge and the runtime want.
 *
 * A release carries one JSON object: "environments" has the resolved configuration of each environment
 * (canonical; its digest is part of the release's id), "text" the file as it was written. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/command.h"
#include "config/config.h"
#include "config/settings.h"
#include "control/environment.h"
#include "control/release_config.h"
#include "control/secrets.h"
#include "store/releases.h"

enum {
	RESTART_FIRST_MS = 100,
	RESTART_MOST_MS = 5000,
	RESTART_LIMIT = 5,
	RESTART_WINDOW_MS = 60000
};

void release_info_free(struct release_info *info)
{
	if (info->config)
		config_resolved_free(info->config);
	*info = (struct release_info){0};
}

int release_load(struct environment *e, const char *hex, struct release_info *ret_info,
		 struct error *err)
{
	struct release_info info = {0};
	struct store_release row;
	struct digest id;
	struct buf text;
	buf_init(&text, STORE_BLOB_MAX);
	int result = store_release_get(e->control->parts.store, hex, &row, &text, err);
	if (result == 0)
		result = release_config_resolved(buf_text(&text), text.size, e->name, &info.config,
						 err);
	buf_done(&text);
	if (result < 0)
		return result;
	ASSERT(digest_parse(row.id, &id));
	memcpy(info.id.bytes, id.bytes, sizeof info.id.bytes);
	text_copy(info.hex, sizeof info.hex, row.id);
	text_copy(info.tag, sizeof info.tag, row.tag);
	text_copy(info.artifact, sizeof info.artifact, row.artifact);
	text_copy(info.by, sizeof info.by, row.by);
	info.since_unix_ms = row.created_unix_ms;
	*ret_info = info;
	return 0;
}

int release_load_with(struct environment *e, const char *hex, const char *strategy,
		      struct release_info *ret_info, struct error *err)
{
	struct store_release row;
	struct buf text;
	int result = release_load(e, hex, ret_info, err);
	if (result < 0 || !strategy[0] ||
	    strcmp(ret_info->config->environment.strategy.name, strategy) == 0)
		return result;
	buf_init(&text, STORE_BLOB_MAX);
	struct resolved *other = NULL;
	result = store_release_get(e->control->parts.store, hex, &row, &text, err);
	if (result == 0)
		result = release_config_strategy(buf_text(&text), text.size, e->name, strategy,
						 &other, err);
	buf_done(&text);
	if (result < 0) {
		release_info_free(ret_info);
		return result;
	}
	config_resolved_free(ret_info->config);
	ret_info->config = other;
	return 0;
}

int release_origin(struct store *store, const char *hex, char ret_hex[DIGEST_HEX_SIZE],
		   struct error *err)
{
	struct store_release row;
	struct digest artifact, config, id;
	struct buf text;
	buf_init(&text, STORE_BLOB_MAX);
	int result = store_release_get(store, hex, &row, &text, err);
	if (result == 0)
		result = release_config_digest(buf_text(&text), text.size, &config, err);
	buf_done(&text);
	if (result < 0)
		return result;
	ASSERT(digest_parse(row.artifact, &artifact));
	id = config_release_id(&artifact, &config);
	digest_format(&id, ret_hex);
	return 0;
}

static uint32_t find_name(const struct process_names *names, const char *name)
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		if (strcmp(names->name[i], name) == 0)
			return i;
	return PROCESSES_MAX;
}

/* Does some release that is there have this process? */
static bool in_use(const struct environment *e, uint32_t index)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (e->core.sets[slot].process[index].count > 0 ||
		    e->core.sets[slot].document.count[index] > 0)
			return true;
	return false;
}

/* An index keeps its name for as long as a release that is there uses it; then a new name may have it. */
static int name_processes(const struct environment *e, const struct app_environment *env,
			  struct process_names *names, struct error *err)
{
	*names = e->processes;
	for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
		bool wanted = false;
		for (uint32_t p = 0; p < env->process_count; p++)
			wanted |= strcmp(env->processes[p].name, names->name[i]) == 0;
		if (!wanted && !in_use(e, i))
			names->name[i][0] = '\0';
	}
	for (uint32_t p = 0; p < env->process_count; p++) {
		const char *name = env->processes[p].name;
		if (find_name(names, name) != PROCESSES_MAX)
			continue;
		uint32_t free_one = find_name(names, "");
		if (free_one == PROCESSES_MAX)
			return error_set(err, ERR_LIMIT,
					 "Old and new release of %s together have more than %d "
					 "different processes; rename fewer at a time.",
					 e->key, PROCESSES_MAX);
		text_copy(names->name[free_one], sizeof names->name[0], name);
	}
	return 0;
}

static void fill_shapes(const struct app_environment *env, const struct process_names *names,
			struct process_shape shapes[PROCESSES_MAX])
{
	memset(shapes, 0, sizeof shapes[0] * PROCESSES_MAX);
	for (uint32_t i = 0; i < env->process_count; i++) {
		const struct app_process *process = &env->processes[i];
		shapes[find_name(names, process->name)] = (struct process_shape){
			.count = (uint16_t)process->instances,
			.traffic = process->serves,
			.handover = process->handover == APP_HANDOVER_STOP_FIRST
					    ? HANDOVER_STOP_FIRST
					    : HANDOVER_OVERLAP};
	}
}

enum { RESTART_ROOM_MS = 5000, KILL_ROOM_MS = 30000 };

int release_settings(const struct environment *e, const struct resolved *config,
		     struct process_names *ret_names, struct strategy_settings *ret_settings,
		     struct error *err)
{
	int result = config_strategy(config, ret_settings, err);
	if (result == 0)
		result = name_processes(e, &config->environment, ret_names, err);
	if (result < 0)
		return result;
	/* The runtime calls an instance ready when it has been healthy for min_healthy already. */
	ret_settings->ready_deadline_ms += ret_settings->min_ready_ms + RESTART_ROOM_MS;
	ret_settings->min_ready_ms = 0;
	ret_settings->stop_deadline_ms += KILL_ROOM_MS;
	fill_shapes(&config->environment, ret_names, ret_settings->process);
	return strategy_check(ret_settings, err);
}

void release_judge_rules(const struct resolved *config, struct judge_rules *ret_rules)
{
	config_rules(config, ret_rules);
}

/* --- instances */

const struct app_process *release_process(const struct resolved *config, const char *name)
{
	for (uint32_t i = 0; i < config->environment.process_count; i++)
		if (strcmp(config->environment.processes[i].name, name) == 0)
			return &config->environment.processes[i];
	return NULL;
}

static int signal_number(enum app_signal signal)
{
	switch (signal) {
	case APP_SIGNAL_TERM: return SIGTERM;
	case APP_SIGNAL_INT: return SIGINT;
	case APP_SIGNAL_QUIT: return SIGQUIT;
	case APP_SIGNAL_HUP: return SIGHUP;
	case APP_SIGNAL_USR1: return SIGUSR1;
	case APP_SIGNAL_USR2: return SIGUSR2;
	case APP_SIGNAL_COUNT: break;
	}
	return SIGTERM;
}

/* Words are split here; the keeper puts in $PORT and the other variables when it knows them. */
static int fill_command(const struct app_command *command, struct command_argv *words,
			struct instance_spec *spec, struct error *err)
{
	if (command->sh) {
		spec->script = command->sh;
		return 0;
	}
	int result = command_expand(command, NULL, 0, words, err);
	if (result < 0)
		return result;
	for (uint32_t i = 0; i < words->count; i++)
		spec->argv[i] = words->items[i];
	spec->expand = true;
	return 0;
}

static int fill_health(const struct app_process *process, struct command_argv *words,
		       struct instance_spec *spec, struct error *err)
{
	const struct app_health *from = &process->health;
	struct instance_health *to = &spec->health;
	to->interval_ms = from->interval_ms;
	to->timeout_ms = from->timeout_ms;
	to->passes = from->passes;
	to->fails = from->fails;
	to->min_healthy_ms = from->min_healthy_ms;
	to->deadline_ms = from->deadline_ms;
	if (from->path) {
		to->kind = process->speaks == APP_SPEAKS_HTTP2 ? INSTANCE_HEALTH_HTTP2
							       : INSTANCE_HEALTH_HTTP;
		to->path = from->path;
	} else if (from->grpc) {
		to->kind = INSTANCE_HEALTH_GRPC;
	} else if (from->tcp) {
		to->kind = INSTANCE_HEALTH_TCP;
	} else if (from->command.line || from->command.sh || from->command.args.count > 0) {
		to->kind = INSTANCE_HEALTH_COMMAND;
		int result = command_expand(&from->command, NULL, 0, words, err);
		for (uint32_t i = 0; result == 0 && i < words->count; i++)
			to->command[i] = words->items[i];
		return result;
	}
	return 0;
}

/* "NAME=value" of every variable; the texts live until the spec was handed over. */
static uint32_t fill_variables(const struct app_process *process, char **texts,
			       struct instance_spec *spec)
{
	uint32_t count = process->env.count;
	for (uint32_t i = 0; i < count; i++) {
		struct buf text;
		buf_init(&text, STORE_BLOB_MAX);
		buf_printf(&text, "%s=%s", process->env.items[i].name, process->env.items[i].value);
		texts[i] = buf_take(&text);
		spec->variables[i] = texts[i];
	}
	return count;
}

static void fill_process(const struct environment *e, const struct release_info *info,
			 const struct app_process *app, struct instance_spec *spec)
{
	spec->app = e->app;
	spec->environment = e->name;
	spec->release = info->hex;
	spec->tag = info->tag;
	spec->artifact = info->artifact;
	spec->user = app->user;
	spec->memory_bytes = app->limits.memory_bytes;
	spec->cpu_milli = app->limits.cpu_milli;
	spec->files = app->limits.files;
	spec->stop_signal = signal_number(app->stop.signal);
	spec->stop_timeout_ms = app->stop.timeout_ms;
	secrets_fill(app, spec);
	for (uint32_t i = 0; i < info->config->persist.count && i < INSTANCE_PERSIST_MAX; i++)
		spec->persist[i] = info->config->persist.items[i];
}

int release_start_instance(struct environment *e, uint8_t slot, uint32_t process, uint32_t number,
			   struct instance_version version, struct error *err)
{
	const struct release_info *info = &e->releases[slot];
	const struct app_process *app = release_process(info->config, e->processes.name[process]);
	struct runtime *runtime = e->control->parts.runtime;
	struct command_argv words = {0}, health_words = {0};
	char id[INSTANCE_ID_SIZE], *texts[APP_ENV_MAX];
	if (!app)
		return error_set(err, ERR_NOT_FOUND, "The release %s has no process \"%s\".",
				 info->tag, e->processes.name[process]);
	struct instance_spec spec = {
		.id = instance_id_of(e, slot, process, number, id),
		.process = e->processes.name[process],
		.slot = number,
		.traffic = app->serves,
		.restart = {RESTART_FIRST_MS, RESTART_MOST_MS, RESTART_LIMIT, RESTART_WINDOW_MS}};
	fill_process(e, info, app, &spec);
	uint32_t text_count = fill_variables(app, texts, &spec);
	int result = fill_command(&app->run, &words, &spec, err);
	if (result == 0)
		result = fill_health(app, &health_words, &spec, err);
	if (result == 0)
		result = runtime->ops->start(runtime, &spec, version, err);
	for (uint32_t i = 0; i < text_count; i++)
		free(texts[i]);
	command_argv_done(&words);
	command_argv_done(&health_words);
	return result;
}

const struct app_process *release_command_process(const struct release_info *info)
{
	const struct app_process *web = release_process(info->config, "web");
	return web ? web : &info->config->environment.processes[0];
}

int release_run_command(struct environment *e, const struct release_info *info,
			const struct release_command *what, struct instance_version version,
			struct error *err)
{
	const struct app_process *app = release_command_process(info);
	struct runtime *runtime = e->control->parts.runtime;
	struct command_argv words = {0};
	char *texts[APP_ENV_MAX];
	/* No restart: a limit of 0. */
	struct instance_spec spec = {.id = what->id, .process = what->name, .slot = what->slot};
	fill_process(e, info, app, &spec);
	uint32_t text_count = fill_variables(app, texts, &spec);
	for (uint32_t i = 0; what->variables[i]; i++)
		spec.variables[text_count + i] = what->variables[i];
	int result = fill_command(what->command, &words, &spec, err);
	if (result == 0)
		result = runtime->ops->start(runtime, &spec, version, err);
	for (uint32_t i = 0; i < text_count; i++)
		free(texts[i]);
	command_argv_done(&words);
	return result;
}
