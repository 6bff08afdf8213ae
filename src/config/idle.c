/* SPDX-License-Identifier: Apache-2.0
 * idle - see idle.h for the contract. */
#include "config/idle.h"

#include <stdlib.h>
#include <string.h>

#include "config/keys.h"
#include "config/resolve.h"

static bool is_written(const struct schema_section *section, const void *base, const char *name)
{
	const struct schema_key *key = schema_find(section, name);
	uint32_t set;
	memcpy(&set, base, sizeof set);
	return key && (set & schema_bit(section, key));
}

static void refuse(struct reader *r, const struct yaml_node *node, const char *with)
{
	const char *key = node->key->text;
	reader_error(r, node->key, "\"%s\" counts only with %s; write that too, or remove \"%s\".",
		     key, with, key);
}

/* ---- analysis ---- */

static bool is_sequential(const struct app_analysis *all, const struct schema_section *section,
			  const void *base)
{
	(void)section;
	(void)base;
	return all->method == APP_JUDGE_SEQUENTIAL;
}

static bool is_kayenta(const struct app_analysis *all, const struct schema_section *section,
		       const void *base)
{
	(void)section;
	(void)base;
	return all->method == APP_JUDGE_MANN_WHITNEY;
}

static bool has_kpi(const struct app_analysis *all, const struct schema_section *section,
		    const void *base)
{
	(void)section;
	(void)base;
	return all->kpi_count > 0;
}

/* Errors have a maximum of their own where nothing else is judged. */
static bool has_plain_rule(const struct app_analysis *all, const struct schema_section *section,
			   const void *base)
{
	return is_written(section, base, "max") || is_written(section, base, "min") ||
	       (section == &schema_errors && all->method == APP_JUDGE_RULES);
}

static bool has_cpu_rule(const struct app_analysis *all, const struct schema_section *section,
			 const void *base)
{
	return is_sequential(all, section, base) || is_written(&schema_cpu, &all->cpu, "max");
}

static bool has_memory_rule(const struct app_analysis *all, const struct schema_section *section,
			    const void *base)
{
	return is_sequential(all, section, base) || is_written(&schema_memory, &all->memory, "max");
}

#define SEQUENTIAL "\"method: sequential\""

/* What a key of `analysis`, or of a section in it, needs. The first row that fits. */
static const struct need {
	const char *key;
	const struct schema_section *section; /* NULL: any */
	/* `all` and, in it, the struct of the key's section: with what the file says for all merged in. */
	bool (*met)(const struct app_analysis *all, const struct schema_section *section,
		    const void *base);
	const char *with;
} needs[] = {
	{"at_least", &schema_kpi, has_plain_rule, "\"max\" or \"min\""},
	{"at_least", NULL, has_plain_rule, "\"max\""},
	{"absolute", NULL, has_plain_rule, "\"max\""},
	{"false_alarms", NULL, is_sequential, SEQUENTIAL},
	{"wrong_passes", NULL, is_sequential, SEQUENTIAL},
	{"worse_by", NULL, is_sequential, SEQUENTIAL},
	{"or_points", NULL, is_sequential, SEQUENTIAL},
	{"or_by", NULL, is_sequential, SEQUENTIAL},
	{"pass_below", NULL, is_sequential, SEQUENTIAL},
	{"direction", NULL, is_sequential, SEQUENTIAL},
	{"refused", NULL, is_sequential, SEQUENTIAL},
	{"crashes", NULL, is_sequential, SEQUENTIAL},
	{"log_errors", NULL, is_sequential, SEQUENTIAL},
	{"cpu", NULL, has_cpu_rule, SEQUENTIAL " or a \"max\""},
	{"memory", NULL, has_memory_rule, SEQUENTIAL " or a \"max\""},
	{"kayenta", NULL, is_kayenta, "\"method: mann-whitney\""},
	{"scrape", NULL, has_kpi, "a \"kpi\""},
};

static const struct need *need_of(const struct schema_section *section, const char *key)
{
	for (uint32_t i = 0; i < COUNT(needs); i++)
		if (strcmp(needs[i].key, key) == 0 &&
		    (!needs[i].section || needs[i].section == section))
			return &needs[i];
	return NULL;
}

/* A section as each environment has it that its text is for. */
struct views {
	uint32_t count;
	const struct app_analysis *all[APP_ENVIRONMENTS_MAX];
	const void *base[APP_ENVIRONMENTS_MAX];
};

static bool is_met(const struct need *need, const struct schema_section *section,
		   const struct views *views)
{
	for (uint32_t i = 0; i < views->count; i++)
		if (need->met(views->all[i], section, views->base[i]))
			return true;
	return views->count == 0; /* another text took its place everywhere */
}

/* The same views of a section inside, or of the member of a map that has this name. */
static void look_inside(const struct views *views, const struct schema_key *key, const char *member,
			struct views *to)
{
	to->count = 0;
	for (uint32_t i = 0; i < views->count; i++) {
		const void *found = member ? NULL : schema_at(key, views->base[i]);
		uint32_t count = member ? schema_count(key, views->base[i]) : 0;
		for (uint32_t k = 0; k < count && !found; k++) {
			const struct app_kpi *item = schema_item(key, views->base[i], k);
			if (strcmp(item->name, member) == 0)
				found = item;
		}
		if (!found)
			continue;
		to->all[to->count] = views->all[i];
		to->base[to->count++] = found;
	}
}

static void check_section(struct reader *r, const struct yaml_node *map,
			  const struct schema_section *section, const struct views *views);

static void check_inside(struct reader *r, const struct yaml_node *node,
			 const struct schema_key *key, const struct views *views)
{
	struct views inner;
	if (key->type == SCHEMA_SECTION) {
		look_inside(views, key, NULL, &inner);
		check_section(r, node, key->section, &inner);
		return;
	}
	const struct yaml_node *member = key->type == SCHEMA_MAP ? node->first : NULL;
	for (; member; member = member->next) {
		look_inside(views, key, member->key->text, &inner);
		check_section(r, member, key->section, &inner);
	}
}

/* Short forms have no keys, and what they stand for is never idle. */
static void check_section(struct reader *r, const struct yaml_node *map,
			  const struct schema_section *section, const struct views *views)
{
	if (map->kind != YAML_MAP)
		return;
	for (const struct yaml_node *node = map->first; node; node = node->next) {
		const struct need *need = need_of(section, node->key->text);
		if (need && !is_met(need, section, views))
			refuse(r, node, need->with);
		else
			check_inside(r, node, schema_find(section, node->key->text), views);
	}
}

static void check_analysis(struct reader *r, const struct yaml_node *root, const struct app *app)
{
	struct app_analysis *merged = mem_zero(APP_ENVIRONMENTS_MAX, sizeof *merged);
	const struct yaml_node *all = yaml_get(root, "analysis");
	struct views views = {0};
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const struct app_environment *environment = &app->environments[i];
		const struct yaml_node *own = yaml_get(
			yaml_get(yaml_get(root, "environments"), environment->name), "analysis");
		merged[i] = app->analysis;
		schema_merge(&schema_analysis, &merged[i], &environment->analysis);
		views.all[views.count] = views.base[views.count] = &merged[i];
		views.count++;
		const struct views here = {.count = 1, .all = {&merged[i]}, .base = {&merged[i]}};
		if (own)
			check_section(r, own, &schema_analysis, &here);
	}
	if (all)
		check_section(r, all, &schema_analysis, &views);
	free(merged);
}

/* ---- checks ---- */

static void check_probe(struct reader *r, const struct yaml_node *probe)
{
	static const char *const keys[] = {"expect", "contains"};
	for (uint32_t i = 0; i < COUNT(keys); i++) {
		const struct yaml_node *node = yaml_get(probe, keys[i]);
		if (node && !yaml_get(probe, "get"))
			reader_error(
				r, node->key,
				"\"%s\" looks at the answer of \"get\"; remove it, for \"run\" "
				"passes when the command exits with 0.",
				keys[i]);
	}
}

static void check_probes(struct reader *r, const struct yaml_node *root)
{
	const struct yaml_node *checks = yaml_get(root, "checks");
	for (const struct yaml_node *node = checks ? checks->first : NULL; node;
	     node = node->next) {
		const struct yaml_node *list = yaml_get(node, "probes");
		list = list ? list : node;
		if (list->kind != YAML_LIST)
			check_probe(r, list);
		else
			for (const struct yaml_node *item = list->first; item; item = item->next)
				check_probe(r, item);
	}
}

/* ---- processes ---- */

/* Whether the process, or with NULL any, has a probe in the environment, or with NULL in any. */
static bool is_probed(const struct app *app, const struct app_environment *environment,
		      const char *name)
{
	struct app_process processes[APP_PROCESSES_MAX];
	bool found = false;
	for (uint32_t i = 0; !environment && i < app->environment_count; i++)
		found = found || is_probed(app, &app->environments[i], name);
	if (!environment)
		return found;
	uint32_t count = resolve_processes(app, environment, processes);
	for (uint32_t i = 0; i < count; i++) {
		const struct app_health *health = &processes[i].health;
		bool meant = !name || strcmp(processes[i].name, name) == 0;
		found = found || (meant && (health->path || health->tcp || health->grpc ||
					    health->command.set));
	}
	return found;
}

static void check_health(struct reader *r, const struct yaml_node *process, const struct app *app,
			 const struct app_environment *environment, const char *name)
{
	static const char *const keys[] = {"interval", "timeout", "passes", "fails"};
	const struct yaml_node *health = yaml_get(process, "health");
	if (!health || is_probed(app, environment, name))
		return;
	for (uint32_t i = 0; i < COUNT(keys); i++)
		if (yaml_get(health, keys[i]))
			refuse(r, yaml_get(health, keys[i]),
			       "a probe (\"path\", \"tcp\", \"grpc\" or \"command\")");
}

static void check_processes(struct reader *r, const struct yaml_node *holder, const struct app *app,
			    const struct app_environment *environment)
{
	const struct yaml_node *all = yaml_get(holder, "processes");
	for (const struct yaml_node *node = all ? all->first : NULL; node; node = node->next)
		check_health(r, node, app, environment, node->key->text);
}

static void check_environment(struct reader *r, const struct yaml_node *node, const struct app *app,
			      const struct app_environment *environment)
{
	static const char *const keys[] = {"sticky", "cohort", "hold", "requests", "tls"};
	struct app_process processes[APP_PROCESSES_MAX];
	uint32_t count = resolve_processes(app, environment, processes);
	bool serves = resolve_main_process(processes, count) != NULL;
	for (uint32_t i = 0; i < COUNT(keys) && !serves; i++)
		if (yaml_get(node, keys[i]))
			refuse(r, yaml_get(node, keys[i]), "a process that takes requests");
	check_processes(r, node, app, environment);
}

void check_idle(struct reader *r, const struct yaml_node *root, const struct app *app)
{
	check_analysis(r, root, app);
	check_probes(r, root);
	check_health(r, yaml_get(root, "service"), app, NULL, NULL);
	check_processes(r, root, app, NULL);
	for (uint32_t i = 0; i < app->environment_count; i++)
		check_environment(
			r, yaml_get(yaml_get(root, "environments"), app->environments[i].name), app,
			&app->environments[i]);
}
