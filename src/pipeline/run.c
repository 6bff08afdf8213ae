/* SPDX-License-Identifier: Apache-2.0
 * run - see run.h for the contract. Before each event the graph is told how much time has passed, so that a timeout
 * comes neither early nor twice. */
#include "pipeline/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/trigger.h"

struct stage {
	struct app_stage config;
	struct builder_job job;
	struct builder_result result;
	char *variables[APP_ENV_MAX];
	char *secrets[APP_STAGE_SECRETS_MAX]; /* overwritten when they go */
	char refusal[BUILDER_SENTENCE_SIZE];
	const char *needs[GRAPH_STAGES_MAX]; /* all of them, each after what it needs itself */
	uint64_t began_ms, took_ms;
};

struct run {
	struct env *env;
	struct builder *builder;
	struct run_listener listener;
	struct graph_plan plan;
	struct graph graph;
	struct env_timer timer;
	uint64_t last_ms; /* when the graph was told the time */
	struct stage stages[GRAPH_STAGES_MAX];
};

_Static_assert((int)APP_STAGES_MAX <= (int)GRAPH_STAGES_MAX &&
		       (int)APP_SERVICES_MAX <= (int)BUILDER_SERVICES_MAX,
	       "what a file may say, a run can do");

/* --- from davit.yaml */

static struct builder_texts texts_of(const struct app_texts *texts)
{
	return (struct builder_texts){.count = texts->count, .items = texts->items};
}

static struct builder_command command_of(const struct app_command *command)
{
	return (struct builder_command){.script = command->sh, .argv = texts_of(&command->args)};
}

/* The value of "davit:stages/npm"; NULL: it is not there. */
static const char *find_secret(const struct run_settings *settings, const char *from)
{
	const char *name = from + strlen("davit:");
	size_t size = strlen(name);
	for (uint32_t i = 0; settings->secrets && i < settings->secret_count; i++)
		if (strncmp(settings->secrets[i], name, size) == 0 &&
		    settings->secrets[i][size] == '=')
			return settings->secrets[i] + size + 1;
	return NULL;
}

/* One that is missing is missed when the stage's turn comes: the others may well run. */
static void give_secrets(struct stage *stage, const struct app *app,
			 const struct run_settings *settings)
{
	const struct app_env *wanted = &stage->config.secrets;
	for (uint32_t i = 0; i < wanted->count && !stage->refusal[0]; i++) {
		const struct app_variable *variable = &wanted->items[i];
		const char *value = find_secret(settings, variable->value),
			   *name = variable->value + strlen("davit:");
		if (!settings->secrets) {
			text_copy(stage->refusal, sizeof stage->refusal, settings->no_secrets);
		} else if (!value) {
			snprintf(
				stage->refusal, sizeof stage->refusal,
				"There is no secret \"%s\" of %s; write it with: davit secrets set "
				"%s --app %s",
				name, app->name, name, app->name);
		} else {
			size_t size = strlen(variable->name) + strlen(value) + 2;
			stage->secrets[i] = mem_new(size);
			snprintf(stage->secrets[i], size, "%s=%s", variable->name, value);
		}
	}
	stage->job.secrets = (struct builder_texts){.count = wanted->count,
						    .items = (const char *const *)stage->secrets};
	stage->job.refusal = stage->refusal[0] ? stage->refusal : NULL;
}

static void make_job(struct stage *stage)
{
	const struct app_stage *config = &stage->config;
	struct builder_job *job = &stage->job;
	for (uint32_t i = 0; i < config->env.count; i++) {
		const struct app_variable *variable = &config->env.items[i];
		size_t size = strlen(variable->name) + strlen(variable->value) + 2;
		stage->variables[i] = mem_new(size);
		snprintf(stage->variables[i], size, "%s=%s", variable->name, variable->value);
	}
	*job = (struct builder_job){
		.stage = config->name,
		.run = command_of(&config->run),
		.environment = {config->env.count, (const char *const *)stage->variables},
		.network = config->network,
		.service_count = config->service_count,
		.outputs = texts_of(&config->outputs),
		.cache_key = texts_of(&config->cache.key),
		.cache_paths = texts_of(&config->cache.paths),
		.junit = config->junit,
		.sarif = config->sarif,
		.baseline = config->baseline,
		.block_at = config->block_at,
		.archive = texts_of(&config->archive)};
	for (uint32_t i = 0; i < config->service_count; i++) {
		const struct app_service *service = &config->services[i];
		job->services[i] =
			(struct builder_service){.name = service->name,
						 .run = command_of(&service->run),
						 .ready_tcp = (uint16_t)service->ready.tcp,
						 .ready = command_of(&service->ready.run),
						 .deadline_ms = service->ready.deadline_ms};
	}
}

static uint32_t find(const struct run *run, const char *name)
{
	uint32_t i = 0;
	while (i < run->plan.count && strcmp(run->stages[i].config.name, name) != 0)
		i++;
	return i;
}

static bool is_wanted(const struct app_when *when, const char *branch, const char *tag)
{
	for (uint32_t i = 0; i < when->branch.count; i++)
		if (trigger_branch_is(when->branch.items[i], branch))
			return true;
	for (uint32_t i = 0; tag && tag[0] && i < when->tag.count; i++)
		if (trigger_tag_is(when->tag.items[i], tag))
			return true;
	return when->branch.count + when->tag.count == 0;
}

static void make_plan(struct run *run, const struct run_settings *settings)
{
	run->plan.parallel = settings->parallel;
	for (uint32_t i = 0; i < run->plan.count; i++) {
		const struct app_stage *config = &run->stages[i].config;
		struct graph_plan_stage *plan = &run->plan.stages[i];
		for (uint32_t k = 0; k < config->needs.count; k++)
			plan->needs |= 1u << find(run, config->needs.items[k]);
		plan->timeout_ms = config->timeout_ms;
		plan->retry = config->retry;
		plan->finally = config->finally;
		plan->left_out = !is_wanted(&config->when, settings->branch, settings->tag);
	}
}

/* Outputs come from everything that a stage stands on, not only from what it names. */
static void find_needs(struct run *run, uint32_t index)
{
	struct stage *stage = &run->stages[index];
	uint32_t all = graph_closure(&run->plan, index) & ~(1u << index), done = 0, count = 0;
	while (done != all)
		for (uint32_t i = 0; i < run->plan.count; i++) {
			uint32_t bit = 1u << i;
			if (!(all & ~done & bit) || (run->plan.stages[i].needs & ~done))
				continue;
			stage->needs[count++] = run->stages[i].config.name;
			done |= bit;
		}
	stage->job.needs = (struct builder_texts){.count = count, .items = stage->needs};
}

/* Who names a stage wants it, whatever its `when` says. */
static int take_only(struct run *run, const char *only, struct error *err)
{
	uint32_t stage = find(run, only);
	if (stage == run->plan.count) {
		const char *names[GRAPH_STAGES_MAX];
		for (uint32_t i = 0; i < run->plan.count; i++)
			names[i] = run->stages[i].config.name;
		const char *near = text_suggest(only, names, run->plan.count);
		return error_set(err, ERR_NOT_FOUND,
				 near ? "The pipeline has no stage \"%s\"; did you mean \"%s\"?"
				      : "The pipeline has no stage \"%s\".",
				 only, near);
	}
	uint32_t all = graph_closure(&run->plan, stage);
	for (uint32_t i = 0; i < run->plan.count; i++)
		run->plan.stages[i].left_out |= !(all & 1u << i);
	run->plan.stages[stage].left_out = false;
	return 0;
}

/* --- doing what the graph says */

static void give(struct run *run, const struct graph_event *event);

static void on_timer(void *context)
{
	const struct graph_event nothing = {.kind = GRAPH_TICK};
	give(context, &nothing);
}

static void start(struct run *run, const struct graph_effect *effect)
{
	struct stage *stage = &run->stages[effect->stage];
	stage->job.attempt = effect->attempt;
	stage->began_ms = env_now_ms(run->env);
	memset(&stage->result, 0, sizeof stage->result);
	builder_start(run->builder, &stage->job);
}

static void set_timer(struct run *run)
{
	uint64_t next = graph_next_ms(&run->plan, &run->graph);
	if (next == UINT64_MAX)
		run->env->ops->timer_stop(run->env, &run->timer);
	else
		run->env->ops->timer_start(run->env, &run->timer, next);
}

/* All that has changed is told when everything is as it will be. */
static void execute(struct run *run, const struct graph_effects *effects,
		    const struct graph *before)
{
	for (uint32_t i = 0; i < effects->count; i++) {
		const struct graph_effect *effect = &effects->items[i];
		if (effect->kind == GRAPH_START)
			start(run, effect);
		else if (effect->kind == GRAPH_STOP)
			builder_stop(run->builder, run->stages[effect->stage].config.name);
	}
	set_timer(run);
	for (uint32_t i = 0; i < run->plan.count; i++) {
		const struct graph_stage *a = &before->stages[i], *b = &run->graph.stages[i];
		if (a->state != b->state || a->attempt != b->attempt || a->stop != b->stop)
			run->listener.changed(run->listener.context, i);
	}
	if (run->graph.done && !before->done)
		run->listener.done(run->listener.context);
}

static void step(struct run *run, const struct graph_event *event)
{
	struct graph before = run->graph;
	struct graph_effects effects;
	graph_step(&run->plan, &run->graph, event, &effects);
	execute(run, &effects, &before);
}

static void give(struct run *run, const struct graph_event *event)
{
	uint64_t now = env_now_ms(run->env);
	const struct graph_event passed = {.kind = GRAPH_TICK, .ms = now - run->last_ms};
	run->last_ms = now;
	if (run->graph.done)
		return;
	step(run, &passed);
	if (event->kind != GRAPH_TICK)
		step(run, event);
}

static void on_line(void *context, const struct builder_job *job, const char *text, size_t size)
{
	struct run *run = context;
	run->listener.line(run->listener.context, find(run, job->stage), text, size);
}

static void on_done(void *context, const struct builder_job *job,
		    const struct builder_result *result)
{
	struct run *run = context;
	uint32_t index = find(run, job->stage);
	struct stage *stage = &run->stages[index];
	stage->result = *result;
	stage->took_ms += env_now_ms(run->env) - stage->began_ms;
	const struct graph_event event = {.kind = GRAPH_ENDED,
					  .stage = (uint8_t)index,
					  .attempt = job->attempt,
					  .result = result->passed  ? GRAPH_RESULT_PASSED
						    : result->again ? GRAPH_RESULT_FAILED
								    : GRAPH_RESULT_BROKEN};
	give(run, &event);
}

/* --- the interface */

int run_new(struct env *env, struct builder *builder, const struct app *app,
	    const struct run_settings *settings, const struct run_listener *listener,
	    struct run **ret_run, struct error *err)
{
	if (app->stage_count == 0)
		return error_set(
			err, ERR_NOT_FOUND,
			"davit.yaml has no \"pipeline\"; add one, for example \"pipeline: { "
			"compile: { run: make } }\".");
	struct run *run = mem_zero(1, sizeof *run);
	run->env = env;
	run->builder = builder;
	run->listener = *listener;
	run->timer = (struct env_timer){.fire = on_timer, .context = run};
	run->plan.count = app->stage_count;
	for (uint32_t i = 0; i < app->stage_count; i++) {
		config_stage(app, i, &run->stages[i].config);
		make_job(&run->stages[i]);
		give_secrets(&run->stages[i], app, settings);
	}
	make_plan(run, settings);
	for (uint32_t i = 0; i < app->stage_count; i++)
		find_needs(run, i);
	int code = settings->only ? take_only(run, settings->only, err) : 0;
	if (code < 0) {
		run_free(run);
		return code;
	}
	builder->listener = (struct builder_listener){on_line, on_done, run};
	*ret_run = run;
	return 0;
}

void run_free(struct run *run)
{
	if (!run)
		return;
	run->env->ops->timer_stop(run->env, &run->timer);
	for (uint32_t i = 0; i < run->plan.count; i++) {
		struct stage *stage = &run->stages[i];
		for (uint32_t k = 0; k < stage->config.env.count; k++)
			free(stage->variables[k]);
		for (uint32_t k = 0; k < APP_STAGE_SECRETS_MAX; k++) {
			if (stage->secrets[k])
				explicit_bzero(stage->secrets[k], strlen(stage->secrets[k]));
			free(stage->secrets[k]);
		}
	}
	free(run);
}

bool run_can_take(const struct run *run, uint32_t index)
{
	const struct graph_plan *plan = &run->plan;
	if (plan->stages[index].finally || plan->stages[index].left_out ||
	    plan->stages[index].taken > 0)
		return false;
	for (uint32_t i = 0; i < plan->count; i++)
		if ((plan->stages[index].needs & 1u << i) && !plan->stages[i].left_out &&
		    plan->stages[i].taken == 0)
			return false;
	return true;
}

bool run_is_taken(const struct run *run, uint32_t index)
{
	return run->plan.stages[index].taken > 0;
}

void run_take(struct run *run, uint32_t index, uint32_t attempt, uint64_t took_ms,
	      const struct builder_result *result)
{
	ASSERT(run_can_take(run, index) && attempt > 0);
	run->plan.stages[index].taken = attempt;
	run->stages[index].took_ms = took_ms;
	run->stages[index].result = *result;
}

void run_begin(struct run *run)
{
	struct graph before = {0};
	struct graph_effects effects;
	run->last_ms = env_now_ms(run->env);
	graph_begin(&run->plan, &run->graph, &effects);
	execute(run, &effects, &before);
}

void run_cancel(struct run *run)
{
	const struct graph_event event = {.kind = GRAPH_CANCEL};
	give(run, &event);
}

uint32_t run_count(const struct run *run)
{
	return run->plan.count;
}

struct run_stage run_stage(const struct run *run, uint32_t index)
{
	ASSERT(index < run->plan.count);
	const struct graph_stage *graph = &run->graph.stages[index];
	const struct stage *stage = &run->stages[index];
	bool blamed = graph->state == GRAPH_SKIPPED && graph->blame != GRAPH_NOBODY;
	uint64_t took = stage->took_ms;
	if (graph->state == GRAPH_RUNNING)
		took += env_now_ms(run->env) - stage->began_ms;
	return (struct run_stage){.name = stage->config.name,
				  .graph = graph,
				  .result = &stage->result,
				  .took_ms = took,
				  .blame = blamed ? run->stages[graph->blame].config.name : NULL};
}

enum graph_state run_outcome(const struct run *run)
{
	return graph_outcome(&run->graph);
}
