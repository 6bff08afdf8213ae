/* SPDX-License-Identifier: Apache-2.0
 * check_secrets - see check.h. Whose secrets these are, and that none gets into a command line. */
#include <string.h>

#include "base/text.h"
#include "config/check.h"
#include "config/command.h"
#include "config/config.h"

/* APP_STAGE_SECRETS without its slash. */
static const char RESERVED[] = "stages";

/* Of "davit:prod/db" that is prod. One that is of all environments passes. */
static bool is_of(const char *from, const char *environment)
{
	const char *name = from + strlen("davit:"), *slash = strchr(name, '/');
	size_t size = slash ? (size_t)(slash - name) : 0;
	return !slash || (strlen(environment) == size && strncmp(name, environment, size) == 0);
}

/* A script gets it from its environment; words would show it to everybody who lists processes. */
static bool shows(const struct app_command *command, const char *variable)
{
	struct app_command words = *command;
	words.sh = NULL;
	return command_mentions(&words, variable);
}

static bool has_variable(const struct app_env *env, const char *name)
{
	for (uint32_t i = 0; i < env->count; i++)
		if (strcmp(env->items[i].name, name) == 0)
			return true;
	return false;
}

static void check_process(struct reader *r, const struct yaml_node *node, const char *environment,
			  const struct app_process *process)
{
	for (uint32_t i = 0; i < process->secret_count; i++) {
		const struct app_secret *secret = &process->secrets[i];
		if (!is_of(secret->from, environment))
			reader_error(r, node,
				     "The secret \"%s\" is not one of \"%s\", whose process \"%s\" "
				     "asks for it as %s; the environment that a name begins with "
				     "is the only one that gets it.",
				     secret->from, environment, process->name, secret->name);
		if (has_variable(&process->env, secret->name))
			reader_error(
				r, node,
				"%s of process \"%s\" is in \"env\" and in \"secrets\"; remove "
				"one of them.",
				secret->name, process->name);
		if (shows(&process->run, secret->name) ||
		    shows(&process->health.command, secret->name))
			reader_error(
				r, node,
				"A command of process \"%s\" names the secret $%s, and everybody "
				"on the machine sees command lines; let the program read the "
				"variable, or use \"sh\".",
				process->name, secret->name);
	}
}

void check_secrets(struct reader *r, const struct yaml_node *node,
		   const struct app_environment *environment, const struct app_process *processes,
		   uint32_t count)
{
	const struct yaml_node *at = yaml_get(node, "secrets");
	if (strcmp(environment->name, RESERVED) == 0)
		reader_error(r, node,
			     "No environment can be called \"%s\": secrets whose names begin so "
			     "are those of pipelines; give it another name.",
			     RESERVED);
	for (uint32_t i = 0; i < count; i++)
		check_process(r, at ? at : node, environment->name, &processes[i]);
}

/* ---- commands of checks ---- */

/* davit says these itself. */
static bool is_said(const char *variable)
{
	static const char *const names[] = {"URL", "PREVIEW", "RELEASE", "PATH"};
	bool said = false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		said = said || strcmp(variable, names[i]) == 0;
	return said;
}

static void check_probe(struct reader *r, const struct yaml_node *node, const char *environment,
			const char *check, const struct app_probe *probe)
{
	for (uint32_t i = 0; i < probe->secret_count; i++) {
		const struct app_secret *secret = &probe->secrets[i];
		if (!is_of(secret->from, environment))
			reader_error(
				r, node,
				"The secret \"%s\" is not one of \"%s\", whose check \"%s\" asks "
				"for it as %s; write that environment's in its \"check_secrets\".",
				secret->from, environment, check, secret->name);
		if (is_said(secret->name))
			reader_error(r, node,
				     "The check \"%s\" has a secret %s, which davit sets itself; "
				     "give it another name.",
				     check, secret->name);
		if (shows(&probe->run, secret->name))
			reader_error(
				r, node,
				"A command of the check \"%s\" names the secret $%s, and everybody "
				"on the machine sees command lines; let the program read the "
				"variable, or use \"sh\".",
				check, secret->name);
	}
}

void check_given(struct reader *r, const struct yaml_node *node, const struct resolved *resolved,
		 bool written_here)
{
	const struct yaml_node *at = yaml_get(node, "check_secrets");
	uint32_t commands = 0;
	for (uint32_t i = 0; i < resolved->check_count; i++) {
		const struct app_check *check = &resolved->checks[i];
		for (uint32_t k = 0; k < check->count && config_uses_check(resolved, check->name);
		     k++) {
			commands += !check->probes[k].get;
			check_probe(r, at ? at : node, resolved->name, check->name,
				    &check->probes[k]);
		}
	}
	if (written_here && commands == 0)
		reader_error(r, at,
			     "No check that runs in \"%s\" has a command to be given "
			     "\"check_secrets\"; name one in \"verify\" or in a \"check\" step, or "
			     "remove them.",
			     resolved->name);
}

void check_given_size(struct reader *r, const struct yaml_node *node, const struct app *app,
		      const struct app_environment *environment)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < app->check_count; i++)
		for (uint32_t k = 0; k < app->checks[i].count; k++)
			if (app->checks[i].probes[k].secret_count > most)
				most = app->checks[i].probes[k].secret_count;
	if (most + environment->check_secret_count > APP_CHECK_SECRETS_MAX)
		reader_error(
			r, node,
			"A command of a check may get up to %u secrets in \"%s\", more than %d; "
			"remove some.",
			most + environment->check_secret_count, environment->name,
			APP_CHECK_SECRETS_MAX);
}
