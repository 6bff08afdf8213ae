/* SPDX-License-Identifier: Apache-2.0
 * validate - davit validate [FILE], davit schema, davit docs [KEY]: what davit.yaml says and may say, without
 *            a server. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/ask.h"
#include "cli/config_file.h"
#include "cli/schedule_view.h"
#include "cli/verbs.h"
#include "config/schedule.h"
#include "os/zone.h"

enum { TEXT_MAX = 4 << 20 };

/* With the next time as this machine knows the zone; without one where it does not. */
static json_t *schedule_of(const struct app_trigger *trigger)
{
	char times[SCHEDULE_TEXT_SIZE];
	const char *zone = trigger->zone ? trigger->zone : "UTC";
	struct schedule schedule;
	struct error ignored;
	int64_t next;
	json_t *o = json_pack("{s:s,s:s,s:s}", "branch", trigger->branch.items[0], "times",
			      schedule_text(&trigger->schedule, times), "zone", zone);
	if (schedule_parse(times, &schedule) &&
	    schedule_next(&schedule, zone, zone_offset, time(NULL), &next, &ignored) == 0)
		json_object_set_new(o, "next_unix_ms", json_integer(next * 1000));
	return o;
}

/* A shadow whose copies are more than questions. */
static bool copies_changes(const struct app_strategy *strategy)
{
	const uint32_t questions = APP_METHOD_GET | APP_METHOD_HEAD | APP_METHOD_OPTIONS;
	for (uint32_t i = 0; i < strategy->count; i++)
		if (strategy->steps[i].set & APP_STEP_SHADOW &&
		    strategy->steps[i].shadow.methods & ~questions)
			return true;
	return false;
}

static json_t *environments_of(const struct app *app, struct error *err)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const struct app_environment *e = &app->environments[i];
		struct resolved *resolved;
		if (config_resolve(app, e->name, NULL, &resolved, err) < 0) {
			json_decref(list);
			return NULL;
		}
		const char *listen = resolved->environment.listen,
			   *strategy = resolved->environment.strategy.name;
		json_t *one =
			json_pack("{s:s,s:s,s:s}", "name", e->name, "listen", listen ? listen : "",
				  "strategy", strategy ? strategy : "its own");
		if (e->trigger.schedule.count > 0)
			json_object_set_new(one, "schedule", schedule_of(&e->trigger));
		if (copies_changes(&resolved->environment.strategy))
			json_object_set_new(one, "copies_changes", json_true());
		json_array_append_new(list, one);
		config_resolved_free(resolved);
	}
	return list;
}

static void print_schedules(const struct cli *cli, const json_t *environments)
{
	const json_t *e, *schedule;
	struct buf text;
	size_t i;
	buf_init(&text, TEXT_MAX);
	json_array_foreach (environments, i, e) {
		if (!(schedule = json_object_get(e, "schedule")))
			continue;
		buf_printf(&text, "%s: ", json_text_of(e, "name"));
		schedule_view_put(cli, &text, schedule);
		buf_puts(&text, json_number_of(schedule, "next_unix_ms") > 0
					? ".\n"
					: ", a time zone that this machine does not know.\n");
	}
	fputs(buf_text(&text), stdout);
	buf_done(&text);
}

static bool is_asked_for(const struct app *app, const char *name)
{
	for (uint32_t i = 0; i < app->strategy_count; i++)
		for (uint32_t k = 0; k < app->strategies[i].count; k++)
			if (app->strategies[i].steps[k].set & APP_STEP_CHECK &&
			    strcmp(app->strategies[i].steps[k].check, name) == 0)
				return true;
	return false;
}

/* Checks that no environment runs, and no strategy that can be asked for. */
static json_t *idle_checks_of(const struct app *app)
{
	json_t *list = json_array();
	for (uint32_t c = 0; c < app->check_count; c++) {
		const char *name = app->checks[c].name;
		bool used = is_asked_for(app, name);
		for (uint32_t i = 0; i < app->environment_count && !used; i++) {
			struct resolved *resolved;
			struct error ignored; /* they have all been resolved before */
			if (config_resolve(app, app->environments[i].name, NULL, &resolved,
					   &ignored) < 0)
				continue;
			used = config_uses_check(resolved, name);
			config_resolved_free(resolved);
		}
		if (!used)
			json_array_append_new(list, json_string(name));
	}
	return list;
}

static void print_idle(const json_t *checks)
{
	const json_t *name;
	size_t i;
	json_array_foreach (checks, i, name)
		printf("Warning: nothing runs the check \"%s\". Name it in \"verify\" of an "
		       "environment or in a \"check\" step of a strategy, or remove it.\n",
		       json_string_value(name));
}

static void print_copies(const json_t *environments)
{
	const json_t *e;
	size_t i;
	json_array_foreach (environments, i, e)
		if (json_object_get(e, "copies_changes"))
			printf("Warning: in %s a shadow copies requests that change something. The "
			       "new release does it too, with whatever it is connected to; see "
			       "how-to/shadow.md.\n",
			       json_text_of(e, "name"));
}

static void print_valid(const struct cli *cli, const char *file, const char *app,
			const json_t *environments, const json_t *idle)
{
	const json_t *e;
	size_t i;
	printf("%s is valid: %s to", file, app);
	json_array_foreach (environments, i, e) {
		const char *listen = json_string_value(json_object_get(e, "listen"));
		printf("%s %s (%s%s%s)", i > 0 ? "," : "",
		       json_string_value(json_object_get(e, "name")), listen, listen[0] ? ", " : "",
		       json_string_value(json_object_get(e, "strategy")));
	}
	printf(".\n");
	print_schedules(cli, environments);
	e = json_array_get(environments, 0);
	print_idle(idle);
	print_copies(environments);
	printf("Next: davit deploy %s .\n", json_string_value(json_object_get(e, "name")));
}

int verb_validate(struct cli *cli)
{
	const char *file = cli_arg(cli, 0) ? cli_arg(cli, 0) : "davit.yaml";
	struct app *app;
	struct error err;
	int code = config_file_open(cli, file, &app);
	if (code != CLI_OK)
		return code;
	json_t *environments = environments_of(app, &err), *idle = idle_checks_of(app);
	if (!environments)
		code = cli_fail(cli, &err, "davit docs KEY");
	else if (cli->json)
		ask_print(json_pack("{s:s,s:s,s:b,s:s,s:O,s:O}", "schema", "davit.v1/validate",
				    "file", file, "valid", 1, "app", app->name, "environments",
				    environments, "idle_checks", idle));
	else
		print_valid(cli, file, app->name, environments, idle);
	json_decref(environments);
	json_decref(idle);
	config_free(app);
	return code;
}

int verb_schema(struct cli *cli)
{
	struct buf text;
	(void)cli;
	buf_init(&text, TEXT_MAX);
	config_schema_json(&text);
	fputs(buf_text(&text), stdout);
	if (text.size > 0 && text.data[text.size - 1] != '\n')
		putchar('\n');
	buf_done(&text);
	return CLI_OK;
}

int verb_docs(struct cli *cli)
{
	const char *key = cli_arg(cli, 0);
	struct buf text;
	struct error err;
	int code = CLI_OK;
	buf_init(&text, TEXT_MAX);
	if (!key)
		config_reference(&text);
	else if (config_docs(key, &text, &err) < 0)
		code = cli_fail(cli, &err, "davit docs");
	if (code == CLI_OK && cli->json)
		ask_print(json_pack("{s:s,s:s,s:s}", "schema", "davit.v1/docs", "key",
				    key ? key : "", "text", buf_text(&text)));
	else if (code == CLI_OK)
		fputs(buf_text(&text), stdout);
	buf_done(&text);
	return code;
}
