/* SPDX-License-Identifier: Apache-2.0
 * test_run - from davit.yaml to jobs, with a builder and a clock of the test's own. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/run.h"

static uint64_t now;
static struct env_timer *timer;
static uint64_t timer_at;
static const struct builder_job *jobs[16];
static uint32_t job_count, stop_count, done_count;
static char stopped[64];
static struct config_errors errors;
static struct app *app;
static struct run *run;
static struct error err;

static uint64_t now_ms(struct env *env)
{
	(void)env;
	return now;
}

static void timer_start(struct env *env, struct env_timer *one, uint64_t after_ms)
{
	(void)env;
	timer = one;
	timer_at = now + after_ms;
}

static void timer_stop(struct env *env, struct env_timer *one)
{
	(void)env;
	(void)one;
	timer = NULL;
}

static const struct env_ops env_ops = {
	.now_ms = now_ms, .timer_start = timer_start, .timer_stop = timer_stop};
static struct env env = {&env_ops};

static void start(struct builder *builder, const struct builder_job *job)
{
	(void)builder;
	jobs[job_count++] = job;
}

static void stop(struct builder *builder, const char *stage)
{
	(void)builder;
	stop_count++;
	strncat(strncat(stopped, stage, 20), " ", 2);
}

static const struct builder_ops builder_ops = {start, stop};
static struct builder builder = {.ops = &builder_ops};

static void on_changed(void *context, uint32_t stage)
{
	(void)context;
	(void)stage;
}

static void on_line(void *context, uint32_t stage, const char *text, size_t size)
{
	(void)context;
	(void)stage;
	(void)text;
	(void)size;
}

static void on_done(void *context)
{
	(void)context;
	done_count++;
}

static const struct run_listener listener = {
	.changed = on_changed, .line = on_line, .done = on_done};

/* Before the beginning: a bit for each stage of which an earlier run had everything. */
static uint32_t made_before;

static void take_over(void)
{
	static const struct builder_result result = {.passed = true, .archived = true};
	for (uint32_t round = 0; round < run_count(run); round++)
		for (uint32_t i = 0; i < run_count(run); i++)
			if ((made_before & 1u << i) && run_can_take(run, i))
				run_take(run, i, 3, 70, &result);
}

static int begin(const char *pipeline, const struct run_settings *settings)
{
	char text[4096];
	snprintf(text, sizeof text,
		 "app: shop\nservice: { run: bin/x --port $PORT }\n%s\n"
		 "environments: { prod: { listen: 0.0.0.0:80 } }\n",
		 pipeline);
	now = 1000;
	job_count = stop_count = done_count = 0;
	stopped[0] = '\0';
	timer = NULL;
	assert_int_equal(config_load(text, strlen(text), "davit.yaml", &app, &errors), 0);
	int code = run_new(&env, &builder, app, settings, &listener, &run, &err);
	if (code == 0) {
		take_over();
		run_begin(run);
	} else {
		config_free(app);
	}
	return code;
}

static void end(uint32_t job, bool passed)
{
	struct builder_result result = {.passed = passed, .again = true};
	builder.listener.done(builder.listener.context, jobs[job], &result);
}

static void leave(void)
{
	run_free(run);
	config_free(app);
}

static const struct run_settings everything = {.branch = "main", .parallel = 4};

static void a_job_says_what_the_file_says(void **state)
{
	(void)state;
	assert_int_equal(
		begin("pipeline:\n"
		      "  unit:\n    run: [make, test]\n    env: { A: b c }\n    network: true\n"
		      "    services: { db: { run: x, ready: { run: y, deadline: 3s } } }\n"
		      "    cache: { key: [k], paths: [p] }\n    junit: r.xml\n    outputs: "
		      "[bin/]\n",
		      &everything),
		0);
	const struct builder_job *job = jobs[0];
	assert_int_equal(job_count, 1);
	assert_string_equal(job->stage, "unit");
	assert_int_equal(job->attempt, 1);
	assert_null(job->run.script);
	assert_string_equal(job->run.argv.items[1], "test");
	assert_string_equal(job->environment.items[0], "A=b c");
	assert_true(job->network);
	assert_string_equal(job->services[0].run.script, "x");
	assert_string_equal(job->services[0].ready.script, "y");
	assert_int_equal(job->services[0].deadline_ms, 3000);
	assert_string_equal(job->junit, "r.xml");
	assert_string_equal(job->outputs.items[0], "bin/");
	/* A default of the table: ten minutes. */
	assert_int_equal(timer_at, 1000 + 600000);
	end(0, true);
	assert_int_equal(done_count, 1);
	assert_int_equal(run_outcome(run), GRAPH_PASSED);
	leave();
}

static void outputs_come_from_all_that_it_stands_on_in_order(void **state)
{
	(void)state;
	assert_int_equal(begin("pipeline:\n  package: { run: x, needs: [unit] }\n"
			       "  unit: { run: x, needs: [compile] }\n  compile: { run: x }\n"
			       "  lint: { run: x }\n",
			       &everything),
			 0);
	assert_int_equal(job_count, 2);
	assert_string_equal(jobs[0]->stage, "compile");
	end(0, true);
	end(2, true);
	assert_string_equal(jobs[3]->stage, "package");
	assert_int_equal(jobs[3]->needs.count, 2);
	assert_string_equal(jobs[3]->needs.items[0], "compile");
	assert_string_equal(jobs[3]->needs.items[1], "unit");
	leave();
}

static void a_stage_whose_time_is_over_is_stopped_and_tried_again(void **state)
{
	(void)state;
	assert_int_equal(begin("pipeline:\n  a: { run: x, timeout: 2s, retry: 1 }\n", &everything),
			 0);
	now = 2999;
	timer->fire(timer->context);
	assert_int_equal(stop_count, 0);
	assert_int_equal(timer_at, 3000);
	now = 3000;
	timer->fire(timer->context);
	assert_int_equal(stop_count, 1);
	now = 3100;
	end(0, false);
	assert_int_equal(job_count, 2);
	assert_int_equal(jobs[1]->attempt, 2);
	assert_int_equal(timer_at, 5100);
	assert_int_equal(run_stage(run, 0).took_ms, 2100);
	leave();
}

static void a_cancelled_run_stops_what_runs(void **state)
{
	(void)state;
	assert_int_equal(begin("pipeline:\n  a: { run: x }\n  b: { run: x }\n", &everything), 0);
	run_cancel(run);
	assert_string_equal(stopped, "a b ");
	end(0, false);
	end(1, true);
	assert_int_equal(done_count, 1);
	assert_int_equal(run_outcome(run), GRAPH_CANCELLED);
	leave();
}

static void a_branch_decides_and_a_named_stage_is_wanted_anyhow(void **state)
{
	(void)state;
	static const char text[] =
		"pipeline:\n  a: { run: x, when: { branch: [main, release/] } }\n"
		"  b: { run: x, needs: [a] }\n  c: { run: x }\n"
		"  t: { run: x, when: { tag: [\"v*\", nightly], branch: [publish] } }\n";
	static const struct {
		const char *branch, *only, *tag;
		uint32_t jobs;
	} cases[] = {
		{"main", NULL, NULL, 2},   {"release/1", NULL, NULL, 2}, {"release", NULL, "", 2},
		{"", NULL, NULL, 2},       {"main", "a", NULL, 1},       {"other", "a", NULL, 1},
		{"other", "c", NULL, 1},   {"", NULL, "v1.2", 3},        {"", NULL, "nightly", 3},
		{"", NULL, "nightly2", 2}, {"publish", NULL, "", 3},     {"v1", NULL, "", 2}};
	static const char *const first[] = {"a", "a", "b", "b", "a", "a",
					    "c", "b", "b", "b", "b", "b"};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct run_settings settings = {.branch = cases[i].branch,
						      .tag = cases[i].tag,
						      .only = cases[i].only,
						      .parallel = 8};
		assert_int_equal(begin(text, &settings), 0);
		assert_int_equal(job_count, cases[i].jobs);
		assert_string_equal(jobs[0]->stage, first[i]);
		leave();
	}
	const struct run_settings unknown = {.branch = "", .only = "bb", .parallel = 1};
	assert_int_equal(begin(text, &unknown), ERR_NOT_FOUND);
	assert_int_equal(begin("", &everything), ERR_NOT_FOUND);
}

static void what_was_made_before_is_taken_where_all_that_it_needs_is(void **state)
{
	(void)state;
	static const char text[] = "pipeline:\n  d: { run: x, needs: [c], archive: [.] }\n"
				   "  c: { run: x, needs: [a, b] }\n"
				   "  b: { run: x, when: { branch: [main] } }\n  a: { run: x }\n"
				   "  last: { run: x, finally: true }";
	static const struct {
		uint32_t made;
		const char *begins; /* the first that runs */
		uint32_t taken;
	} cases[] = {
		{0, "a", 0},     {8, "c", 8},  {8 + 2, "d", 8 + 2}, {8 + 2 + 1, "last", 8 + 2 + 1},
		{2 + 1, "a", 0},               /* what they need is missing */
		{8 + 1, "c", 8}, {16, "a", 0}, /* it runs every time */
		{4, "a", 0},                   /* it is left out */
	};
	const struct run_settings settings = {.branch = "other", .parallel = 1};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		made_before = cases[i].made;
		assert_int_equal(begin(text, &settings), 0);
		assert_int_equal(job_count, 1);
		assert_string_equal(jobs[0]->stage, cases[i].begins);
		for (uint32_t k = 0; k < run_count(run); k++) {
			struct run_stage stage = run_stage(run, k);
			assert_int_equal(run_is_taken(run, k), (cases[i].taken >> k) & 1u);
			if (!run_is_taken(run, k))
				continue;
			assert_int_equal(stage.graph->state, GRAPH_PASSED);
			assert_int_equal(stage.graph->attempt, 3);
			assert_int_equal(stage.took_ms, 70);
			assert_true(stage.result->archived);
		}
		leave();
	}
	made_before = 0;
}

static void secrets_go_to_the_stage_that_names_them(void **state)
{
	(void)state;
	static const char text[] = "pipeline:\n"
				   "  a: { run: ./a, secrets: { TOKEN: davit:stages/np } }\n"
				   "  b: { run: ./b, secrets: { TOKEN: davit:stages/npm } }\n"
				   "  c: { run: ./c }\n";
	static const char *const given[] = {"stages/other=x", "stages/npm=a=b"};
	struct run_settings settings = {
		.branch = "main", .parallel = 4, .secrets = given, .secret_count = 2};
	assert_int_equal(begin(text, &settings), 0);
	assert_int_equal(job_count, 3);
	assert_string_equal(jobs[0]->refusal,
			    "There is no secret \"stages/np\" of shop; write it with: davit "
			    "secrets set stages/np --app shop");
	assert_null(jobs[1]->refusal);
	assert_int_equal(jobs[1]->secrets.count, 1);
	assert_string_equal(jobs[1]->secrets.items[0], "TOKEN=a=b");
	assert_int_equal(jobs[1]->environment.count, 0);
	assert_null(jobs[2]->refusal);
	assert_int_equal(jobs[2]->secrets.count, 0);
	leave();
	settings.secrets = NULL;
	settings.no_secrets = "There are none here.";
	assert_int_equal(begin(text, &settings), 0);
	assert_string_equal(jobs[1]->refusal, "There are none here.");
	assert_null(jobs[2]->refusal);
	leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_says_what_the_file_says),
		cmocka_unit_test(outputs_come_from_all_that_it_stands_on_in_order),
		cmocka_unit_test(secrets_go_to_the_stage_that_names_them),
		cmocka_unit_test(a_stage_whose_time_is_over_is_stopped_and_tried_again),
		cmocka_unit_test(a_cancelled_run_stops_what_runs),
		cmocka_unit_test(a_branch_decides_and_a_named_stage_is_wanted_anyhow),
		cmocka_unit_test(what_was_made_before_is_taken_where_all_that_it_needs_is),
	};
	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
