/* SPDX-License-Identifier: Apache-2.0
 * check_pipeline - see check.h for the contract. What only shows when the stages are seen together. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/check.h"
#include "config/value.h"

enum { HINT_MAX = 128, CIRCLE_MAX = 300 };

struct stages {
	struct reader *r;
	const struct yaml_node *all;
	const struct app *app;
	const char *names[APP_STAGES_MAX];
};

static const struct yaml_node *node_of(const struct stages *s, uint32_t stage, const char *key)
{
	const struct yaml_node *node = yaml_get(s->all, s->app->stages[stage].name);
	const struct yaml_node *value = yaml_get(node, key);
	return value ? value : node;
}

static const struct yaml_node *item_of(const struct yaml_node *list, uint32_t index)
{
	const struct yaml_node *node = list->kind == YAML_LIST ? list->first : list;
	while (index-- > 0 && node->next)
		node = node->next;
	return node;
}

/* Its place among the stages, or their number. */
static uint32_t find(const struct stages *s, const char *name)
{
	uint32_t i = 0;
	while (i < s->app->stage_count && strcmp(s->names[i], name) != 0)
		i++;
	return i;
}

static void check_need(const struct stages *s, uint32_t stage, uint32_t item)
{
	const struct app_stage *about = &s->app->stages[stage];
	const struct yaml_node *at = item_of(node_of(s, stage, "needs"), item);
	const char *name = about->needs.items[item];
	uint32_t needed = find(s, name);
	if (needed == s->app->stage_count) {
		const char *near = text_suggest(name, s->names, s->app->stage_count);
		char hint[HINT_MAX];
		snprintf(hint, sizeof hint, near ? "; did you mean \"%s\"?" : ".", near);
		reader_error(s->r, at, "There is no stage \"%s\" to need%s", name, hint);
	} else if (needed == stage) {
		reader_error(s->r, at, "Stage \"%s\" needs itself; remove it here.", name);
	} else if (s->app->stages[needed].finally && !about->finally) {
		reader_error(s->r, at,
			     "Stage \"%s\" runs last, so \"%s\" cannot need it; remove \"finally\" "
			     "there, or \"%s\" here.",
			     name, about->name, name);
	}
	for (uint32_t i = 0; i < item; i++)
		if (strcmp(about->needs.items[i], name) == 0)
			reader_error(s->r, at, "Stage \"%s\" is needed twice; keep one.", name);
}

/* What is about a report counts only with one, and who writes it is a script. */
static void check_scan(const struct stages *s, uint32_t stage)
{
	static const char *const keys[] = {"block_at", "baseline"};
	const struct app_stage *about = &s->app->stages[stage];
	const struct yaml_node *node = yaml_get(s->all, about->name);
	if (about->sarif && about->run.set == 0)
		reader_error(s->r, yaml_get(node, "sarif"),
			     "Stage \"%s\" has no \"run\" that could write the report; add the "
			     "script that runs the scanner.",
			     about->name);
	for (size_t i = 0; !about->sarif && i < sizeof keys / sizeof keys[0]; i++)
		if (yaml_get(node, keys[i]))
			reader_error(s->r, yaml_get(node, keys[i]),
				     "\"%s\" counts only with \"sarif\"; name the report that the "
				     "scanner writes, or remove \"%s\".",
				     keys[i], keys[i]);
}

/* "davit:stages/npm" and nothing else: what a branch can write here must not open what production has. */
static bool is_of_stages(const char *from)
{
	return value_is_secret(from) && text_starts(from, "davit:" APP_STAGE_SECRETS);
}

static void check_stage_secrets(const struct stages *s, uint32_t stage)
{
	const struct app_stage *about = &s->app->stages[stage];
	const struct yaml_node *node = yaml_get(yaml_get(s->all, about->name), "secrets");
	if (about->secrets.count > 0 && about->run.set == 0)
		reader_error(s->r, node,
			     "Stage \"%s\" has no \"run\" that could use a secret; add the "
			     "script, or remove \"secrets\".",
			     about->name);
	for (uint32_t i = 0; i < about->secrets.count; i++) {
		const struct app_variable *v = &about->secrets.items[i];
		const struct yaml_node *at = yaml_get(node, v->name);
		if (!is_of_stages(v->value))
			reader_error(
				s->r, at,
				"%s of stage \"%s\" must be \"davit:stages/\" and a name, such "
				"as \"davit:stages/npm\": a stage gets no other secrets, for "
				"whoever may push a branch can read them.",
				v->name, about->name);
		for (uint32_t k = 0; k < about->env.count; k++)
			if (strcmp(about->env.items[k].name, v->name) == 0)
				reader_error(s->r, at,
					     "%s of stage \"%s\" is in \"env\" and in \"secrets\"; "
					     "remove one of them.",
					     v->name, about->name);
	}
}

static void check_stage(const struct stages *s, uint32_t stage)
{
	const struct app_stage *about = &s->app->stages[stage];
	if (about->run.set == 0 && about->archive.count == 0)
		reader_error(s->r, node_of(s, stage, "name"),
			     "Stage \"%s\" has no \"run\"; add the script that it runs.",
			     about->name);
	for (uint32_t i = 0; i < about->needs.count; i++)
		check_need(s, stage, i);
	check_scan(s, stage);
	check_stage_secrets(s, stage);
	for (uint32_t i = 0; i < stage; i++)
		if (about->archive.count > 0 && s->app->stages[i].archive.count > 0) {
			reader_error(s->r, node_of(s, stage, "archive"),
				     "Stages \"%s\" and \"%s\" both make the archive; a pipeline "
				     "makes one: name all paths in one of them.",
				     s->names[i], about->name);
			break;
		}
}

/* Walk from stage to stage by what is not yet known to be free of circles: whoever comes back to a stage of its
 * own walk has found one. */
static bool walk(const struct stages *s, uint32_t stage, uint8_t state[APP_STAGES_MAX],
		 uint32_t *path, uint32_t depth)
{
	enum { UNSEEN, WALKING, FREE };
	const struct app_texts *needs = &s->app->stages[stage].needs;
	state[stage] = WALKING;
	path[depth++] = stage;
	for (uint32_t i = 0; i < needs->count; i++) {
		uint32_t needed = find(s, needs->items[i]);
		if (state[needed] == UNSEEN && walk(s, needed, state, path, depth))
			return true;
		if (state[needed] != WALKING)
			continue;
		char circle[CIRCLE_MAX] = "";
		size_t used = 0;
		uint32_t from = 0;
		while (path[from] != needed)
			from++;
		for (uint32_t k = from; k < depth && used < sizeof circle; k++)
			used += (size_t)snprintf(circle + used, sizeof circle - used, "%s needs ",
						 s->names[path[k]]);
		reader_error(
			s->r, item_of(node_of(s, stage, "needs"), i),
			"Stages wait for each other in a circle: %s%s; remove one of these needs.",
			circle, s->names[needed]);
		return true;
	}
	state[stage] = FREE;
	return false;
}

void check_pipeline(struct reader *r, const struct yaml_node *root, const struct app *app)
{
	struct stages s = {.r = r, .all = yaml_get(root, "pipeline"), .app = app};
	uint8_t state[APP_STAGES_MAX] = {0};
	uint32_t path[APP_STAGES_MAX], errors = r->errors->count;
	for (uint32_t i = 0; i < app->stage_count; i++)
		s.names[i] = app->stages[i].name;
	for (uint32_t i = 0; i < app->stage_count; i++)
		check_stage(&s, i);
	if (errors != r->errors->count)
		return;
	for (uint32_t i = 0; i < app->stage_count; i++)
		if (state[i] == 0 && walk(&s, i, state, path, 0))
			return;
}
