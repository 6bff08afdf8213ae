/* SPDX-License-Identifier: Apache-2.0
 * check_gates - see check.h. The names of environments and checks that gates refer to. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/check.h"
#include "config/resolve.h"

static void check_verify(struct reader *r, const struct yaml_node *node, const struct app *app,
			 const struct app_environment *environment)
{
	const char *names[APP_CHECKS_MAX];
	for (uint32_t i = 0; i < app->check_count; i++)
		names[i] = app->checks[i].name;
	for (uint32_t i = 0; i < environment->verify.count; i++) {
		const char *name = environment->verify.items[i];
		bool known = false;
		for (uint32_t k = 0; k < app->check_count; k++)
			known |= strcmp(names[k], name) == 0;
		const char *meant = text_suggest(name, names, app->check_count);
		if (!known)
			reader_error(r, yaml_get(node, "verify"),
				     meant ? "There is no check \"%s\" in checks; did you mean "
					     "\"%s\"?"
					   : "There is no check \"%s\" in checks.",
				     name, meant);
	}
}

static void check_from(struct reader *r, const struct yaml_node *node, const struct app *app,
		       const struct app_environment *environment)
{
	const char *names[APP_ENVIRONMENTS_MAX];
	const struct app_environment *at = environment;
	for (uint32_t i = 0; i < app->environment_count; i++)
		names[i] = app->environments[i].name;
	const char *meant = text_suggest(environment->from, names, app->environment_count);
	if (!resolve_environment(app, environment->from)) {
		reader_error(r, yaml_get(node, "from"),
			     meant ? "There is no environment \"%s\"; did you mean \"%s\"?"
				   : "There is no environment \"%s\".",
			     environment->from, meant);
		return;
	}
	for (uint32_t steps = 0; at && at->from; steps++) {
		at = resolve_environment(app, at->from);
		if (at != environment && steps < app->environment_count)
			continue;
		if (at == environment)
			reader_error(r, yaml_get(node, "from"),
				     "A release could never come to \"%s\": \"from\" leads back to "
				     "it; name an environment that comes before.",
				     environment->name);
		return;
	}
}

/* What would have nothing to do. */
static void check_migrate(struct reader *r, const struct yaml_node *root,
			  const struct yaml_node *node, const struct app *app,
			  const struct app_environment *environment)
{
	struct app_migrate all = app->migrate;
	const struct yaml_node *at = yaml_get(node, "migrate"), *ask = yaml_get(at, "ask");
	if (environment)
		resolve_migrate(app, environment, &all);
	else
		at = yaml_get(root, "migrate"), ask = yaml_get(at, "ask");
	if (!at)
		return;
	if (all.before.set == 0 && all.after.set == 0)
		reader_error(r, at,
			     "\"migrate\" names no command; add \"before\" or \"after\"%s, or "
			     "remove it.",
			     environment ? " at the top of the file" : "");
	else if (ask && all.after.set == 0)
		reader_error(r, ask,
			     "\"ask\" is about the command of \"after\", and there is none; add "
			     "it, or remove \"ask\".");
}

static void check_hooks(struct reader *r, const struct yaml_node *root,
			const struct yaml_node *node, const struct app *app,
			const struct app_environment *environment)
{
	struct app_hooks all = app->hooks;
	const struct yaml_node *at = yaml_get(environment ? node : root, "hooks");
	if (environment)
		resolve_hooks(app, environment, &all);
	if (at && all.before_step.set == 0 && all.after_step.set == 0)
		reader_error(r, at,
			     "\"hooks\" names no command; add \"before_step\" or \"after_step\"%s, "
			     "or remove it.",
			     environment ? " at the top of the file" : "");
}

/* What times bring is the tip of a branch, of one. */
static void check_trigger(struct reader *r, const struct yaml_node *node,
			  const struct app_trigger *trigger)
{
	const struct yaml_node *at = yaml_get(node, "trigger");
	const char *branch = trigger->branch.count == 1 ? trigger->branch.items[0] : NULL;
	if (trigger->signed_only && trigger->tag.count == 0)
		reader_error(r, yaml_get(at, "signed"),
			     "\"signed\" is about tags, and \"trigger\" has no \"tag\"; "
			     "add one, or remove \"signed\".");
	if (trigger->schedule.count == 0) {
		if (trigger->zone)
			reader_error(
				r, yaml_get(at, "zone"),
				"\"zone\" is about \"schedule\", and there is none; add it, or "
				"remove \"zone\".");
		return;
	}
	if (trigger->tag.count > 0)
		reader_error(r, yaml_get(at, "tag"),
			     "An environment with a \"schedule\" gets what a branch is at that "
			     "time, and never a tag; remove one of both, or give the tag an "
			     "environment of its own.");
	else if (!branch || branch[strlen(branch) - 1] == '/')
		reader_error(r, yaml_get(at, "schedule"),
			     "\"schedule\" needs one branch, named in full, that is deployed at "
			     "its times; write it as in: trigger: { branch: main, schedule: "
			     "\"02:30\" }");
}

void check_gates(struct reader *r, const struct yaml_node *root, const struct app *app)
{
	const struct yaml_node *all = yaml_get(root, "environments");
	check_migrate(r, root, NULL, app, NULL);
	check_hooks(r, root, NULL, app, NULL);
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const struct app_environment *environment = &app->environments[i];
		const struct yaml_node *node = yaml_get(all, environment->name);
		check_verify(r, node, app, environment);
		check_migrate(r, root, node, app, environment);
		check_hooks(r, root, node, app, environment);
		check_trigger(r, node, &environment->trigger);
		if (environment->from) {
			check_from(r, node, app, environment);
			continue;
		}
		if (environment->soak_ms > 0)
			reader_error(r, yaml_get(node, "soak"),
				     "\"soak\" counts only with \"from\"; name the environment "
				     "where a release has to be good before, or remove \"soak\".");
		if (environment->approve.on_reject == APP_ON_REJECT_ROLLBACK)
			reader_error(r, yaml_get(yaml_get(node, "approve"), "on_reject"),
				     "\"on_reject: rollback\" takes the environment of \"from\" "
				     "back; name one, or remove \"on_reject\".");
	}
}
