/* SPDX-License-Identifier: Apache-2.0
 * guide - davit guide [FILE]: see guide.h for what it is. */
#include "cli/guide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/config_file.h"
#include "cli/guide_words.h"
#include "cli/verbs.h"

enum { DOCUMENT_MAX = 8 << 20, CELLS_MAX = 6 };

#define COUNT(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))

/* --- rows whose cells are put together */

struct row {
	unsigned count;
	struct buf cells[CELLS_MAX];
};

static struct buf *cell(struct row *row)
{
	ASSERT(row->count < CELLS_MAX);
	buf_init(&row->cells[row->count], GUIDE_TEXT_MAX);
	return &row->cells[row->count++];
}

static void put_row(struct writer *w, struct row *row)
{
	struct writer_cell cells[CELLS_MAX];
	for (unsigned i = 0; i < row->count; i++)
		cells[i] = (struct writer_cell){
			.text = row->cells[i].size > 0 ? buf_text(&row->cells[i]) : "-"};
	w->ops->row(w, cells, row->count);
	for (unsigned i = 0; i < row->count; i++)
		buf_done(&row->cells[i]);
	*row = (struct row){0};
}

static const struct app_environment *environment(const struct guide *g, uint32_t index)
{
	return &g->environments[index]->environment;
}

static const char *name_of(const struct guide *g, uint32_t index)
{
	return g->app->environments[index].name;
}

/* Where users are: what no other environment takes its releases from. */
static const char *last_environment(const struct guide *g)
{
	for (uint32_t i = g->app->environment_count; i-- > 0;) {
		bool followed = false;
		for (uint32_t k = 0; k < g->app->environment_count; k++)
			followed |= environment(g, k)->from &&
				    strcmp(environment(g, k)->from, name_of(g, i)) == 0;
		if (!followed && (environment(g, i)->from || g->app->environment_count == 1))
			return name_of(g, i);
	}
	return name_of(g, 0);
}

/* --- sections, in the order of reading */

static void put_place(struct buf *to, const struct app_environment *e)
{
	buf_puts(to, e->listen ? e->listen : "takes no requests");
	for (uint32_t i = 0; i < e->route_count; i++)
		if (e->routes[i].host && e->routes[i].host[0])
			buf_printf(to, ", %s%s", e->routes[i].host,
				   e->routes[i].path ? e->routes[i].path : "");
}

static void put_notes(struct buf *to, const struct app_environment *e)
{
	if (e->windows.set != 0)
		buf_printf(to, "only %s %s %s; ", e->windows.days ? e->windows.days : "every day",
			   e->windows.hours ? e->windows.hours : "all day", e->windows.zone);
	if (e->verify.count > 0) {
		buf_puts(to, "verified by ");
		guide_put_list(to, &e->verify, "");
		buf_puts(to, "; ");
	}
	buf_puts(to, "a newer release ");
	buf_puts(to, e->concurrency == APP_CONCURRENCY_QUEUE ? "waits" : "goes first");
	buf_printf(to, "; %u releases kept", e->retain);
}

static void write_environments(const struct guide *g, struct writer *w)
{
	static const char *const titles[] = {"environment", "what brings a release", "where",
					     "strategy", "notes"};
	struct row row = {0};
	w->ops->heading(w, 1, "Environments");
	w->ops->table(w, "", titles, COUNT(titles));
	for (uint32_t i = 0; i < g->app->environment_count; i++) {
		const struct app_environment *e = environment(g, i);
		buf_puts(cell(&row), name_of(g, i));
		guide_put_trigger(cell(&row), e);
		put_place(cell(&row), e);
		guide_put_strategy(cell(&row), &e->strategy);
		put_notes(cell(&row), e);
		put_row(w, &row);
	}
	w->ops->table_end(w);
}

static void write_workflow(const struct guide *g, struct writer *w)
{
	struct flow *flow = mem_zero(1, sizeof *flow);
	w->ops->heading(w, 1, "Workflow");
	guide_flow(g, flow);
	w->ops->flow(w, flow);
	free(flow);
}

static void write_hooks(struct writer *w, const struct app_hooks *hooks, struct buf *text)
{
	const struct app_command *commands[] = {&hooks->before_step, &hooks->after_step};
	for (uint32_t i = 0; i < COUNT(commands); i++) {
		if (commands[i]->set == 0)
			continue;
		buf_puts(text, i == 0 ? "before each of these: " : "after each of these: ");
		guide_put_command(text, commands[i]);
		w->ops->item(w, buf_text(text));
		buf_clear(text);
	}
}

static void write_infrastructure(struct writer *w, const struct app_infrastructure *pair)
{
	struct buf text;
	if (pair->set == 0)
		return;
	buf_init(&text, GUIDE_TEXT_MAX);
	buf_puts(&text, "what would change of the infrastructure: ");
	guide_put_command(&text, &pair->plan);
	if (pair->approve_changes)
		buf_puts(&text, ", and somebody says yes to it");
	w->ops->item(w, buf_text(&text));
	buf_clear(&text);
	buf_puts(&text, "these changes, and no others: ");
	guide_put_command(&text, &pair->apply);
	w->ops->item(w, buf_text(&text));
	buf_done(&text);
}

static void write_strategies(const struct guide *g, struct writer *w)
{
	struct buf text;
	buf_init(&text, GUIDE_TEXT_MAX);
	w->ops->heading(w, 1, "How a release goes out");
	for (uint32_t i = 0; i < g->app->environment_count; i++) {
		const struct app_environment *e = environment(g, i);
		buf_printf(&text, "%s: ", name_of(g, i));
		guide_put_strategy(&text, &e->strategy);
		w->ops->heading(w, 2, buf_text(&text));
		write_infrastructure(w, &e->infrastructure);
		for (uint32_t k = 0; k < e->strategy.count; k++) {
			buf_clear(&text);
			guide_put_step(&text, &e->strategy.steps[k]);
			w->ops->item(w, buf_text(&text));
		}
		buf_clear(&text);
		write_hooks(w, &e->hooks, &text);
		if (e->migrate.after.set != 0) {
			buf_puts(&text, e->migrate.ask
						? "then somebody is asked about the point of "
						  "no return; "
						: "then ");
			buf_puts(&text,
				 "it is live, the release before stops, and migrate.after runs");
		} else {
			buf_puts(&text, "then it is live; the release before stays ready for ");
			guide_put_duration(&text, e->keep_warm_ms);
		}
		w->ops->item(w, buf_text(&text));
		buf_clear(&text);
	}
	buf_done(&text);
}

static void write_pipeline(const struct guide *g, struct writer *w)
{
	static const char *const titles[] = {"stage", "what runs", "after", "what comes of it"};
	struct row row = {0};
	if (g->app->stage_count == 0)
		return;
	w->ops->heading(w, 1, "Pipeline");
	w->ops->paragraph(w,
			  "davit build --local runs it, each stage in a sandbox, in a clean copy "
			  "of the commit.");
	w->ops->table(w, "", titles, COUNT(titles));
	for (uint32_t i = 0; i < g->app->stage_count; i++) {
		struct app_stage stage;
		config_stage(g->app, i, &stage);
		buf_puts(cell(&row), stage.name);
		guide_put_command(cell(&row), &stage.run);
		guide_put_list(cell(&row), &stage.needs,
			       stage.finally ? "everything else" : "the commit");
		struct buf *made = cell(&row);
		guide_put_list(made, &stage.outputs, "");
		if (stage.archive.count > 0)
			buf_puts(made, made->size > 0 ? "; the archive" : "the archive");
		if (stage.junit)
			buf_printf(made, "%stests in %s", made->size > 0 ? "; " : "", stage.junit);
		if (stage.sarif)
			buf_printf(made, "%sfindings in %s, new ones block from %s",
				   made->size > 0 ? "; " : "", stage.sarif,
				   stage.block_at == 0   ? "low"
				   : stage.block_at == 1 ? "medium"
				   : stage.block_at == 2 ? "high"
							 : "critical");
		put_row(w, &row);
	}
	w->ops->table_end(w);
}

static void write_processes(const struct guide *g, struct writer *w)
{
	static const char *const titles[] = {"environment", "process", "what runs", "instances",
					     "healthy when"};
	struct row row = {0};
	w->ops->heading(w, 1, "What runs");
	w->ops->table(w, "", titles, COUNT(titles));
	for (uint32_t i = 0; i < g->app->environment_count; i++)
		for (uint32_t p = 0; p < environment(g, i)->process_count; p++) {
			const struct app_process *process = &environment(g, i)->processes[p];
			buf_puts(cell(&row), name_of(g, i));
			buf_puts(cell(&row), process->name);
			guide_put_command(cell(&row), &process->run);
			buf_printf(cell(&row), "%u", process->instances);
			struct buf *health = cell(&row);
			if (process->health.path)
				buf_printf(health, "GET %s answers", process->health.path);
			else if (process->health.grpc)
				buf_puts(health, "gRPC's health check says SERVING");
			else if (process->health.tcp)
				buf_puts(health, "its port takes a connection");
			else if (process->health.command.set != 0)
				guide_put_command(health, &process->health.command);
			else
				buf_puts(health, "it runs");
			put_row(w, &row);
		}
	w->ops->table_end(w);
}

static void write_checks(const struct guide *g, struct writer *w)
{
	static const char *const titles[] = {"check", "passes when", "used"};
	struct row row = {0};
	if (g->app->check_count == 0)
		return;
	w->ops->heading(w, 1, "Checks");
	w->ops->table(w, "", titles, COUNT(titles));
	for (uint32_t c = 0; c < g->app->check_count; c++) {
		const struct app_check *check = &g->app->checks[c];
		buf_puts(cell(&row), check->name);
		struct buf *probes = cell(&row), *used = cell(&row);
		for (uint32_t p = 0; p < check->count; p++) {
			buf_puts(probes, p > 0 ? "; " : "");
			guide_put_probe(probes, &check->probes[p]);
		}
		for (uint32_t i = 0; i < g->app->environment_count; i++) {
			const struct app_environment *e = environment(g, i);
			for (uint32_t k = 0; k < e->strategy.count; k++)
				if (e->strategy.steps[k].set == APP_STEP_CHECK &&
				    strcmp(e->strategy.steps[k].check, check->name) == 0)
					buf_printf(used, "%sbefore users come to %s",
						   used->size > 0 ? "; " : "", name_of(g, i));
			for (uint32_t k = 0; k < e->verify.count; k++)
				if (strcmp(e->verify.items[k], check->name) == 0)
					buf_printf(used, "%safter the deployment to %s",
						   used->size > 0 ? "; " : "", name_of(g, i));
		}
		put_row(w, &row);
	}
	w->ops->table_end(w);
}

static void put_errors(struct buf *to, const struct app_error_rule *errors)
{
	buf_puts(to, "errors (5xx, timeouts, broken connections), not more than ");
	guide_put_share(to, errors->worse_by_bp);
	buf_puts(to, " worse than the live release");
	if (errors->max_bp > 0) {
		buf_puts(to, ", and never above ");
		guide_put_share(to, errors->max_bp);
	}
}

static void write_watched(const struct guide *g, struct writer *w)
{
	static const char *const too_little[] = {"waits for a person", "goes back", "goes on"};
	struct buf text;
	buf_init(&text, GUIDE_TEXT_MAX);
	w->ops->heading(w, 1, "What is watched");
	for (uint32_t i = 0; i < g->app->environment_count; i++) {
		const struct app_analysis *a = &environment(g, i)->analysis;
		w->ops->heading(w, 2, name_of(g, i));
		w->ops->item(w, "health and crashes of every instance");
		if (a->state == APP_ANALYSIS_OFF)
			continue;
		put_errors(&text, &a->errors);
		w->ops->item(w, buf_text(&text));
		buf_clear(&text);
		if (a->latency.state != APP_ANALYSIS_OFF)
			w->ops->item(w, "latency, against the live release in the same moments");
		if (a->cpu.set != 0 && a->cpu.state != APP_ANALYSIS_OFF)
			w->ops->item(w, "processor time a request");
		if (a->memory.set != 0 && a->memory.state != APP_ANALYSIS_OFF)
			w->ops->item(w, "memory an instance");
		for (uint32_t k = 0; k < a->kpi_count; k++) {
			buf_printf(&text, "KPI %s", a->kpis[k].name);
			w->ops->item(w, buf_text(&text));
			buf_clear(&text);
		}
		if (a->when_too_little < COUNT(too_little)) {
			buf_printf(&text, "with too little traffic for a verdict the rollout %s",
				   too_little[a->when_too_little]);
			w->ops->item(w, buf_text(&text));
			buf_clear(&text);
		}
	}
	buf_done(&text);
	w->ops->paragraph(
		w, "While it goes out: davit watch ENVIRONMENT, davit why ENVIRONMENT, davit "
		   "logs ENVIRONMENT. Afterwards: davit history, davit dora.");
}

static void write_approvals(const struct guide *g, struct writer *w)
{
	static const char *const titles[] = {"environment", "who", "a no", "when"};
	struct row row = {0};
	bool any = false;
	for (uint32_t i = 0; i < g->app->environment_count; i++)
		any |= environment(g, i)->approve.set != 0 || environment(g, i)->windows.set != 0;
	if (!any)
		return;
	w->ops->heading(w, 1, "Approvals, and whom to ask");
	w->ops->table(w, "", titles, COUNT(titles));
	for (uint32_t i = 0; i < g->app->environment_count; i++) {
		const struct app_environment *e = environment(g, i);
		if (e->approve.set == 0 && e->windows.set == 0)
			continue;
		buf_puts(cell(&row), name_of(g, i));
		guide_put_approval(cell(&row), e);
		struct buf *no = cell(&row), *when = cell(&row);
		if (e->approve.set != 0)
			buf_printf(no, "it does not go out%s%s",
				   e->approve.on_reject == APP_ON_REJECT_ROLLBACK
					   ? ", and what production has comes back to "
					   : "",
				   e->approve.on_reject == APP_ON_REJECT_ROLLBACK ? e->from : "");
		if (e->windows.set != 0)
			buf_printf(
				when, "%s %s, %s", e->windows.days ? e->windows.days : "every day",
				e->windows.hours ? e->windows.hours : "all day", e->windows.zone);
		else
			buf_puts(when, "always");
		put_row(w, &row);
	}
	w->ops->table_end(w);
	w->ops->paragraph(w, "Who is in a group stands in the server's own file. Answer with davit "
			     "approve ENVIRONMENT or davit reject ENVIRONMENT.");
}

static void write_data(const struct guide *g, struct writer *w)
{
	struct buf text;
	bool any = g->app->persist.count > 0 || g->app->migrate.set != 0;
	if (!any)
		return;
	buf_init(&text, GUIDE_TEXT_MAX);
	w->ops->heading(w, 1, "Data");
	if (g->app->persist.count > 0) {
		buf_puts(&text, "releases share ");
		guide_put_list(&text, &g->app->persist, "");
		w->ops->item(w, buf_text(&text));
		buf_clear(&text);
	}
	if (g->app->migrate.before.set != 0) {
		buf_puts(&text, "before the first instance of a release starts: ");
		guide_put_command(&text, &g->app->migrate.before);
		w->ops->item(w, buf_text(&text));
		buf_clear(&text);
	}
	if (g->app->migrate.after.set != 0) {
		buf_puts(&text, "once it is live for good, the point of no return: ");
		guide_put_command(&text, &g->app->migrate.after);
		w->ops->item(w, buf_text(&text));
	}
	buf_done(&text);
}

static void write_rollback(const struct guide *g, struct writer *w)
{
	const char *prod = last_environment(g);
	struct buf text;
	buf_init(&text, GUIDE_TEXT_MAX);
	w->ops->heading(w, 1, "Rollback");
	w->ops->paragraph(
		w, "A release that does worse than the live one comes back by itself. By hand:");
	buf_printf(&text, "1. See what failed, and where: davit status, then davit why %s", prod);
	w->ops->item(w, buf_text(&text));
	buf_clear(&text);
	buf_printf(&text,
		   "2. Go back: davit rollback %s, or to a version: davit rollback %s --to v1.2.3",
		   prod, prod);
	if (g->app->migrate.after.set != 0)
		buf_puts(&text, "; beyond migrate.after it also wants --across-migration");
	w->ops->item(w, buf_text(&text));
	buf_clear(&text);
	buf_printf(&text,
		   "3. See that it is well: davit status %s (exit code 0 of the rollback says so, "
		   "12 that the service is degraded)",
		   prod);
	w->ops->item(w, buf_text(&text));
	buf_clear(&text);
	buf_puts(&text, "4. Learn from it: davit postmortem ROLLOUT has the facts; write why");
	w->ops->item(w, buf_text(&text));
	buf_done(&text);
}

static void write_tooling(const struct guide *g, struct writer *w)
{
	static const char *const titles[] = {"you want to", "type"};
	const char *prod = last_environment(g);
	const struct {
		const char *what, *format;
	} rows[] = {{"see what is live, and what moves", "davit status"},
		    {"see what a deployment would do", "davit plan %s VERSION"},
		    {"deploy", "davit deploy %s VERSION"},
		    {"hold it, go on, end it", "davit pause %s, davit resume %s, davit abort %s"},
		    {"let nothing go out for a while", "davit freeze %s --until TIME -m WHY"},
		    {"know who did what", "davit audit --verify"},
		    {"check a change of davit.yaml", "davit validate"}};
	struct row row = {0};
	w->ops->heading(w, 1, "Tooling");
	w->ops->table(w, "", titles, COUNT(titles));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_puts(cell(&row), rows[i].what);
		struct buf *type = cell(&row);
		for (const char *at = rows[i].format; *at; at++)
			if (text_starts(at, "%s"))
				buf_puts(type, prod), at++;
			else
				buf_append(type, at, 1);
		put_row(w, &row);
	}
	w->ops->table_end(w);
}

void guide_write(const struct guide *g, struct writer *w)
{
	struct buf title;
	buf_init(&title, GUIDE_TEXT_MAX);
	buf_printf(&title, "Deployment guide: %s", g->app->name);
	w->ops->begin(w, buf_text(&title));
	buf_done(&title);
	w->ops->paragraph(
		w, "Made by davit guide from davit.yaml. Change that, and make it again: so it "
		   "is never out of date.");
	write_environments(g, w);
	write_workflow(g, w);
	write_strategies(g, w);
	write_pipeline(g, w);
	write_processes(g, w);
	write_checks(g, w);
	write_watched(g, w);
	write_approvals(g, w);
	guide_write_roles(g, w);
	guide_write_production(g, w);
	guide_write_tags(g, w);
	guide_write_secrets(g, w);
	write_data(g, w);
	write_rollback(g, w);
	write_tooling(g, w);
	w->ops->end(w);
}

/* --- the verb */

static int resolve_all(struct guide *g, struct error *err)
{
	int result = 0;
	for (uint32_t i = 0; i < g->app->environment_count && result == 0; i++)
		result = config_resolve(g->app, g->app->environments[i].name, NULL,
					&g->environments[i], err);
	return result;
}

static int print_guide(const struct cli *cli, const struct guide *guide)
{
	struct buf text;
	struct writer w = {.ops = cli_option(cli, "html") ? &writer_html : &writer_markdown,
			   .to = &text};
	struct error err;
	int code = CLI_OK;
	buf_init(&text, DOCUMENT_MAX);
	guide_write(guide, &w);
	if (text.overflowed) {
		error_set(&err, ERR_LIMIT, "The guide is longer than %d bytes.", DOCUMENT_MAX);
		code = cli_fail(cli, &err, NULL);
	} else if (cli->json) {
		ask_print(json_pack("{s:s,s:s,s:s,s:s}", "schema", "davit.v1/guide", "app",
				    guide->app->name, "format",
				    cli_option(cli, "html") ? "html" : "markdown", "text",
				    buf_text(&text)));
	} else {
		fputs(buf_text(&text), stdout);
	}
	buf_done(&text);
	return code;
}

int verb_guide(struct cli *cli)
{
	const char *file = cli_arg(cli, 0) ? cli_arg(cli, 0) : "davit.yaml";
	struct guide guide = {0};
	struct app *app;
	struct error err;
	int code = config_file_open(cli, file, &app);
	if (code != CLI_OK)
		return code;
	guide.app = app;
	if (cli_option(cli, "server") &&
	    guide_server(cli_option(cli, "server"), &guide.server, &err) < 0)
		code = cli_fail(cli, &err, NULL);
	else
		code = resolve_all(&guide, &err) < 0 ? cli_fail(cli, &err, "davit validate")
						     : print_guide(cli, &guide);
	server_free(guide.server);
	for (uint32_t i = 0; i < app->environment_count; i++)
		config_resolved_free(guide.environments[i]);
	config_free(app);
	return code;
}
