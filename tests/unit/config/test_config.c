/* SPDX-License-Identifier: Apache-2.0
 * test_config - what an environment runs: merging, defaults, strategies, identity; and the documents that
 *               come from the same table. */
#include "../cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "corpus.h"

static const char four_lines[] = "app: shop\n"
				 "service: { run: bin/server --port $PORT, health: /up }\n"
				 "environments:\n"
				 "  prod: { listen: 0.0.0.0:8080 }\n";

static struct app *load(const char *text)
{
	struct app *app = NULL;
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	if (config_load(text, strlen(text), "davit.yaml", &app, errors) < 0)
		fail_msg("%s: %s", errors->items[0].where, errors->items[0].text);
	free(errors);
	return app;
}

/* One environment of a text; config_resolved_free() it. */
static struct resolved *resolve_as(const char *text, const char *environment, const char *strategy)
{
	struct resolved *resolved = NULL;
	struct error err = {0};
	struct app *app = load(text);
	if (config_resolve(app, environment, strategy, &resolved, &err) < 0)
		fail_msg("%s", err.text);
	config_free(app); /* a resolved one must not need it */
	return resolved;
}

static struct resolved *resolve(const char *text, const char *environment)
{
	return resolve_as(text, environment, NULL);
}

static const struct app_process *process(const struct resolved *resolved, const char *name)
{
	for (uint32_t i = 0; i < resolved->environment.process_count; i++)
		if (strcmp(resolved->environment.processes[i].name, name) == 0)
			return &resolved->environment.processes[i];
	return NULL;
}

static void four_lines_are_a_whole_file(void **state)
{
	(void)state;
	struct resolved *r = resolve(four_lines, "prod");
	const struct app_process *web = process(r, "web");
	assert_string_equal(r->app, "shop");
	assert_string_equal(r->environment.name, "prod");
	assert_string_equal(web->run.line, "bin/server --port $PORT");
	assert_string_equal(web->health.path, "/up");
	assert_int_equal(web->health.interval_ms, 1000);
	assert_int_equal(web->instances, 1);
	assert_true(web->serves);
	assert_int_equal(r->environment.route_count, 1);
	assert_string_equal(r->environment.routes[0].host, "");
	assert_string_equal(r->environment.routes[0].path, "/");
	assert_string_equal(r->environment.routes[0].to, "web");
	assert_string_equal(r->environment.strategy.name, "canary");
	const struct app_step_canary *canary = &r->environment.strategy.steps[0].canary;
	assert_int_equal(r->environment.strategy.steps[0].set, APP_STEP_CANARY);
	assert_int_equal(r->environment.strategy.count, 3);
	assert_int_equal(canary->steps.count, 3);
	assert_int_equal(canary->steps.items_bp[0], 100);
	assert_int_equal(canary->steps.items_bp[2], 5000);
	assert_int_equal(canary->each.at_least_ms, 120000);
	assert_int_equal(canary->each.at_most_ms, 900000);
	config_resolved_free(r);
}

static void without_analysis_the_shipped_statistics_judge(void **state)
{
	(void)state;
	struct judge_rules rules;
	static struct judge_settings shipped, settings;
	struct resolved *r = resolve(four_lines, "prod");
	config_rules(r, &rules);
	assert_true(rules.on);
	assert_false(rules.errors.on);
	assert_int_equal(rules.latency_count, 0);
	judge_settings_default(&shipped);
	assert_true(config_judge(r, &settings));
	for (int m = 0; m < JUDGE_METRIC_COUNT; m++) {
		const struct judge_metric_settings *a = &settings.metrics[m],
						   *b = &shipped.metrics[m];
		if (m == JUDGE_METRIC_EXTRA + JUDGE_EXTRA_CRASHES) {
			assert_string_equal(a->name, "crashes");
			assert_true(a->proportion.counts);
			assert_true(fabs(a->proportion.ratio - 2) < 1e-9);
			continue;
		}
		assert_string_equal(a->name, b->name);
		assert_true(fabs(a->proportion.ratio - b->proportion.ratio) < 1e-9);
		assert_true(fabs(a->proportion.points - b->proportion.points) < 1e-9);
		assert_true(fabs(a->proportion.fine_share - b->proportion.fine_share) < 1e-9);
		assert_true(fabs(a->scale - b->scale) < 1e-9);
	}
	assert_true(fabs(settings.alpha - shipped.alpha) < 1e-9);
	assert_true(fabs(settings.beta - shipped.beta) < 1e-9);
	config_resolved_free(r);
}

static void analysis_says_what_is_judged_and_how(void **state)
{
	(void)state;
	static struct judge_settings s;
	struct judge_rules rules;
	struct resolved *r = resolve(
		"app: shop\n"
		"service: { run: a, health: /up }\n"
		"analysis:\n"
		"  false_alarms: 1%\n"
		"  errors: { worse_by: 50%, or_points: 0.1, max: 0% }\n"
		"  refused: off\n"
		"  latency: { p99: { worse_by: 20%, max: 400ms }, p99.9: { worse_by: 5% } }\n"
		"environments:\n"
		"  prod: { listen: 127.0.0.1:1 }\n"
		"  dev: { listen: 127.0.0.1:2, analysis: { method: rules } }\n"
		"  quiet: { listen: 127.0.0.1:3, analysis: { latency: off } }\n",
		"prod");
	assert_true(config_judge(r, &s));
	assert_true(fabs(s.alpha - 0.01) < 1e-9);
	assert_true(fabs(s.metrics[JUDGE_METRIC_ERRORS].proportion.ratio - 1.5) < 1e-9);
	assert_true(fabs(s.metrics[JUDGE_METRIC_ERRORS].proportion.points - 0.001) < 1e-9);
	assert_string_equal(s.metrics[JUDGE_METRIC_REFUSED].name, "");
	assert_true(fabs(s.metrics[JUDGE_METRIC_LATENCY + 2].scale - 1.2) < 1e-9);
	assert_string_equal(s.metrics[JUDGE_METRIC_LATENCY + 3].name, "p99.9");
	config_rules(r, &rules);
	assert_true(rules.errors.on);
	assert_int_equal(rules.errors.max_bp, 0);
	assert_int_equal(rules.latency_count, 1);
	config_resolved_free(r);
}

static void kayenta_judges_only_where_it_is_asked_for(void **state)
{
	(void)state;
	struct config_kayenta k;
	static struct judge_settings s;
	struct judge_rules rules;
	const char *text = "app: shop\n"
			   "service: { run: a, health: /up }\n"
			   "analysis:\n"
			   "  method: mann-whitney\n"
			   "  kayenta: { tolerance: 10%, allowed_increase: 20%, critical: [p99] }\n"
			   "environments:\n"
			   "  prod: { listen: 127.0.0.1:1 }\n"
			   "  quiet: { listen: 127.0.0.1:2, analysis: { latency: off } }\n"
			   "  off: { listen: 127.0.0.1:3, analysis: off }\n"
			   "  other: { listen: 127.0.0.1:4, analysis: { method: sequential } }\n";
	struct resolved *r = resolve(text, "prod");
	assert_true(config_kayenta(r, &k));
	assert_false(config_judge(r, &s));
	config_rules(r, &rules);
	assert_false(rules.errors.on); /* a plain rule is there when it is written */
	assert_int_equal(k.interval_ms, 60000);
	assert_int_equal(k.points, 10);
	assert_true(k.thresholds.pass == 95 && k.thresholds.marginal == 75);
	for (int m = 0; m < CONFIG_KAYENTA_METRICS; m++) {
		const struct kayenta_settings *to = &k.metrics[m].settings;
		assert_false(k.metrics[m].muted);
		assert_int_equal(to->critical, m == CONFIG_KAYENTA_P99);
		assert_int_equal(to->direction, KAYENTA_INCREASE);
		assert_true(fabs(to->tolerance - 0.1) < 1e-9);
		assert_true(fabs(to->allowed_increase - 1.2) < 1e-9);
		assert_true(fabs(to->confidence - 0.98) < 1e-9);
	}
	config_resolved_free(r);
	r = resolve(text, "quiet");
	assert_true(config_kayenta(r, &k));
	assert_false(k.metrics[CONFIG_KAYENTA_ERRORS].muted);
	assert_true(k.metrics[CONFIG_KAYENTA_P50].muted && k.metrics[CONFIG_KAYENTA_P99].muted);
	config_resolved_free(r);
	r = resolve(text, "off");
	assert_false(config_kayenta(r, &k));
	config_resolved_free(r);
	r = resolve(text, "other");
	assert_false(config_kayenta(r, &k));
	assert_true(config_judge(r, &s));
	config_resolved_free(r);
}

static void what_is_measured_is_judged_as_it_is_written(void **state)
{
	(void)state;
	static struct judge_settings s;
	struct resolved *r = resolve("app: shop\n"
				     "service: { run: a, health: /up }\n"
				     "analysis:\n"
				     "  kpi:\n"
				     "    share: { count: a, of: b, worse_by: 20% }\n"
				     "    rate: { count: a, direction: lower }\n"
				     "    mean: { count: a, sum: b, worse_by: 100% }\n"
				     "  cpu: { worse_by: 50% }\n"
				     "  memory: off\n"
				     "  crashes: off\n"
				     "  log_errors: { worse_by: 10% }\n"
				     "environments: { prod: { listen: 127.0.0.1:1 } }\n",
				     "prod");
	assert_true(config_judge(r, &s));
	const struct judge_metric_settings *extras = &s.metrics[JUDGE_METRIC_EXTRA];
	/* By name: mean, rate, share. */
	const struct judge_metric_settings *rate = &extras[JUDGE_EXTRA_KPI + 1], *share = rate + 1;
	assert_string_equal(share->name, "share");
	assert_true(share->proportion.common && share->proportion.fewer && !share->gates);
	assert_true(fabs(share->proportion.ratio - 1.25) < 1e-9);
	assert_string_equal(rate->name, "rate");
	assert_true(rate->proportion.counts && !rate->proportion.fewer);
	assert_true(fabs(rate->proportion.ratio - 1.05) < 1e-9);
	assert_string_equal((rate - 1)->name, "");
	const struct judge_mean_settings *mean = &s.means[JUDGE_MEAN_KPI];
	assert_string_equal(mean->name, "mean");
	assert_true(mean->fewer);
	assert_true(fabs(mean->ratio - 0.05) < 1e-9);
	assert_string_equal(s.means[JUDGE_MEAN_CPU].name, "cpu");
	assert_true(fabs(s.means[JUDGE_MEAN_CPU].ratio - 1.5) < 1e-9);
	assert_int_equal(s.means[JUDGE_MEAN_CPU].unit, JUDGE_UNIT_TIME);
	assert_string_equal(s.means[JUDGE_MEAN_MEMORY].name, "");
	assert_string_equal(extras[JUDGE_EXTRA_CRASHES].name, "");
	assert_string_equal(extras[JUDGE_EXTRA_LOG_ERRORS].name, "log errors");
	assert_true(fabs(extras[JUDGE_EXTRA_LOG_ERRORS].proportion.ratio - 1.1) < 1e-9);
	config_resolved_free(r);
}

static void what_is_measured_is_off_unless_it_is_written_but_for_crashes(void **state)
{
	(void)state;
	struct resolved *r = resolve(four_lines, "prod");
	const struct app_analysis *a = &r->environment.analysis;
	assert_int_equal(a->kpi_count + a->cpu.set + a->memory.set + a->log_errors.set, 0);
	assert_int_equal(a->crashes.state, APP_ANALYSIS_ON);
	assert_int_equal(a->crashes.worse_by_bp, 10000);
	assert_string_equal(a->scrape.path, "/metrics");
	assert_int_equal(a->scrape.interval_ms, 1000);
	config_resolved_free(r);
}

static void a_kpi_is_a_rate_a_share_or_a_mean(void **state)
{
	(void)state;
	struct resolved *r = resolve(
		"app: shop\n"
		"service: { run: bin/server --port $PORT, health: /up }\n"
		"analysis:\n"
		"  kpi:\n"
		"    orders: orders_total\n"
		"    checkouts: { count: 'checkouts_total{kind=\"paid\"}', of: visits_total, min: "
		"0.02 }\n"
		"    value: { sum: v_sum, count: v_count, direction: lower, worse_by: 7% }\n"
		"  cpu: on\n"
		"  memory: { max: 64MiB }\n"
		"environments: { prod: { listen: 0.0.0.0:80, analysis: { cpu: off } } }\n",
		"prod");
	const struct app_analysis *a = &r->environment.analysis;
	const struct app_kpi *orders = &a->kpis[1], *share = &a->kpis[0], *mean = &a->kpis[2];
	assert_int_equal(a->kpi_count, 3); /* the canonical text sorts them by name */
	assert_string_equal(orders->name, "orders");
	assert_string_equal(orders->count, "orders_total");
	assert_true(!orders->of && !orders->sum && !(orders->set & (APP_KPI_MAX | APP_KPI_MIN)));
	assert_int_equal(orders->direction, APP_HIGHER);
	assert_int_equal(orders->worse_by_bp, 500);
	assert_int_equal(orders->at_least, 200);
	assert_string_equal(share->count, "checkouts_total{kind=\"paid\"}");
	assert_string_equal(share->of, "visits_total");
	assert_true(share->set & APP_KPI_MIN);
	assert_int_equal(share->min_milli, 20);
	assert_string_equal(mean->sum, "v_sum");
	assert_string_equal(mean->count, "v_count");
	assert_int_equal(mean->direction, APP_LOWER);
	assert_int_equal(a->cpu.state, APP_ANALYSIS_OFF);
	assert_int_equal(a->memory.worse_by_bp, 2500);
	assert_true(a->memory.max_bytes == 64 << 20);
	config_resolved_free(r);
}

static void what_is_nearer_to_the_process_wins(void **state)
{
	(void)state;
	struct resolved *r =
		resolve("app: shop\n"
			"service:\n"
			"  env: { A: service, B: service, C: service, D: service }\n"
			"  health: { path: /up, interval: 5s, passes: 7 }\n"
			"  instances: 2\n"
			"processes:\n"
			"  web: { run: w $PORT, env: { B: process, C: process, D: process },\n"
			"         health: { interval: 3s } }\n"
			"  api: { run: [a, $PORT], instances: 3 }\n"
			"environments:\n"
			"  prod:\n"
			"    listen: 0.0.0.0:80\n"
			"    env: { C: environment, D: environment }\n"
			"    processes: { web: { env: { D: here }, instances: 4 } }\n",
			"prod");
	const struct app_process *web = process(r, "web"), *api = process(r, "api");
	assert_int_equal(web->env.count, 4);
	assert_string_equal(web->env.items[0].value, "service");
	assert_string_equal(web->env.items[1].value, "process");
	assert_string_equal(web->env.items[2].value, "environment");
	assert_string_equal(web->env.items[3].value, "here");
	assert_string_equal(api->env.items[3].value, "environment");
	assert_int_equal(web->instances, 4);
	assert_int_equal(api->instances, 3);
	assert_int_equal(web->health.interval_ms, 3000);
	assert_int_equal(web->health.passes, 7);
	assert_string_equal(web->health.path, "/up");
	assert_int_equal(api->run.args.count, 2);
	assert_null(api->run.line);
	config_resolved_free(r);
}

static void another_kind_of_run_or_health_replaces_the_one_before(void **state)
{
	(void)state;
	struct resolved *r = resolve(
		"app: shop\n"
		"service: { run: bin/server $PORT, health: /up }\n"
		"processes: { web: { run: { sh: 'exec x $PORT' }, health: { tcp: true } } }\n"
		"environments: { prod: { listen: 0.0.0.0:80 } }\n",
		"prod");
	const struct app_process *web = process(r, "web");
	assert_null(web->run.line);
	assert_string_equal(web->run.sh, "exec x $PORT");
	assert_null(web->health.path);
	assert_true(web->health.tcp);
	config_resolved_free(r);
}

static void serves_follows_port_health_and_name(void **state)
{
	(void)state;
	struct resolved *r = resolve("app: shop\n"
				     "service: { health: /up }\n"
				     "processes:\n"
				     "  web: { run: bin/server }\n"
				     "  worker: { run: bin/worker }\n"
				     "  admin: { run: bin/admin, health: /ok }\n"
				     "  api: { run: bin/api $PORT }\n"
				     "  metrics: { run: bin/metrics, health: /m, serves: false }\n"
				     "environments: { prod: { listen: 0.0.0.0:80 } }\n",
				     "prod");
	assert_true(process(r, "web")->serves);
	assert_string_equal(process(r, "web")->health.path, "/up");
	assert_false(process(r, "worker")->serves);
	assert_null(process(r, "worker")->health.path);
	assert_true(process(r, "admin")->serves);
	assert_true(process(r, "api")->serves);
	assert_string_equal(process(r, "api")->health.path, "/up");
	assert_false(process(r, "metrics")->serves);
	assert_string_equal(process(r, "metrics")->health.path, "/m");
	assert_string_equal(r->environment.routes[0].to, "web");
	config_resolved_free(r);
}

static void an_application_of_workers_needs_no_address(void **state)
{
	(void)state;
	struct resolved *r = resolve("app: jobs\n"
				     "service: { run: bin/worker, instances: 3 }\n"
				     "environments: { prod: {} }\n",
				     "prod");
	assert_null(r->environment.listen);
	assert_int_equal(r->environment.route_count, 0);
	assert_false(process(r, "web")->serves);
	config_resolved_free(r);
}

static void a_smoke_check_goes_before_the_strategies_that_can_preview(void **state)
{
	(void)state;
	char text[1024];
	snprintf(text, sizeof text, "%schecks: { smoke: [{ get: / }] }\n", four_lines);
	static const char *const names[] = {"canary", "rolling", "blue-green", "shadow"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct resolved *r = resolve_as(text, "prod", names[i]);
		assert_string_equal(r->environment.strategy.name, names[i]);
		assert_int_equal(r->environment.strategy.steps[0].set, APP_STEP_CHECK);
		assert_string_equal(r->environment.strategy.steps[0].check, "smoke");
		config_resolved_free(r);
	}
	struct resolved *r = resolve_as(text, "prod", "recreate");
	assert_int_equal(r->environment.strategy.steps[0].set, APP_STEP_RECREATE);
	config_resolved_free(r);
}

static void a_strategy_may_be_a_name_one_step_or_a_list(void **state)
{
	(void)state;
	char text[1024];
	static const struct {
		const char *written, *name;
		uint32_t count, first;
	} cases[] = {
		{"slow", "slow", 3, APP_STEP_CANARY},
		{"{ rolling: { batch: 50% } }", "inline", 1, APP_STEP_ROLLING},
		{"[switch, { bake: 5m }]", "inline", 2, APP_STEP_SWITCH},
		{"{ name: mine, steps: [recreate] }", "mine", 1, APP_STEP_RECREATE},
		{"rolling", "rolling", 2, APP_STEP_ROLLING},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(text, sizeof text,
			 "app: shop\n"
			 "service: { run: bin/server $PORT }\n"
			 "strategies: { slow: [{ canary: { steps: [5%%] } }, switch, { bake: 1h }] "
			 "}\n"
			 "environments: { prod: { listen: 0.0.0.0:80, strategy: %s } }\n",
			 cases[i].written);
		struct resolved *r = resolve(text, "prod");
		assert_string_equal(r->environment.strategy.name, cases[i].name);
		assert_int_equal(r->environment.strategy.count, cases[i].count);
		assert_int_equal(r->environment.strategy.steps[0].set, cases[i].first);
		config_resolved_free(r);
	}
}

static void an_environment_changes_parts_of_the_analysis(void **state)
{
	(void)state;
	struct judge_rules rules;
	const char *text =
		"app: shop\n"
		"service: { run: bin/server $PORT }\n"
		"analysis: { errors: { max: 1%, at_least: 20 requests }, latency: { p99: { max: "
		"400ms } },\n"
		"            when_too_little: rollback }\n"
		"environments:\n"
		"  dev: { listen: 0.0.0.0:81, analysis: off }\n"
		"  prod: { listen: 0.0.0.0:80, analysis: { errors: { max: 0.5% }, hang: 30s,\n"
		"          latency: { p99.9: { max: 2s, absolute: true } } } }\n";
	struct resolved *r = resolve(text, "prod");
	config_rules(r, &rules);
	assert_true(rules.on);
	assert_int_equal(rules.errors.max_bp, 50);
	assert_int_equal(rules.errors.at_least, 20);
	assert_int_equal(rules.hang_ms, 30000);
	assert_int_equal(rules.when_too_little, JUDGE_WHEN_TOO_LITTLE_ROLLBACK);
	assert_int_equal(rules.latency_count, 2);
	assert_int_equal(rules.latency[0].quantile_bp, 9900);
	assert_int_equal(rules.latency[0].max_us, 400000);
	assert_int_equal(rules.latency[0].at_least, 500);
	assert_int_equal(rules.latency[1].quantile_bp, 9990);
	assert_true(rules.latency[1].absolute);
	config_resolved_free(r);
	r = resolve(text, "dev");
	config_rules(r, &rules);
	assert_false(rules.on);
	config_resolved_free(r);
}

static void production_is_where_releases_end_unless_it_is_said(void **state)
{
	static const char text[] =
		"app: shop\n"
		"service: { run: bin/server --port $PORT }\n"
		"environments:\n"
		"  dev: { listen: 127.0.0.1:8081 }\n"
		"  staging: { listen: 127.0.0.1:8082, from: dev }\n"
		"  prod: { listen: 127.0.0.1:8083, from: staging }\n"
		"  canada: { listen: 127.0.0.1:8084, from: staging, tag: false }\n"
		"  demo: { listen: 127.0.0.1:8085, from: dev, production: false }\n"
		"  shop: { listen: 127.0.0.1:8086, production: true }\n"
		"  marked: { listen: 127.0.0.1:8087, tag: true }\n";
	static const struct {
		const char *name;
		bool production, tag;
	} wanted[] = {{"dev", false, false},   {"staging", false, false}, {"prod", true, true},
		      {"canada", true, false}, {"demo", false, false},    {"shop", true, true},
		      {"marked", false, true}};
	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		struct resolved *r = resolve(text, wanted[i].name);
		assert_int_equal(r->environment.production, wanted[i].production);
		assert_int_equal(r->environment.tag, wanted[i].tag);
		config_resolved_free(r);
	}
}

static void the_canonical_text_reads_back_as_itself(void **state)
{
	(void)state;
	struct resolved *r = resolve("app: shop\n"
				     "service: { run: 'bin/server \"a b\" $PORT', env: { QUOTE: "
				     "\"\\\"\\\\ \\u00e9 \\n\" } }\n"
				     "environments: { prod: { listen: '[::]:80' } }\n",
				     "prod");
	struct resolved *again = NULL;
	struct error err = {0};
	struct buf first, second;
	buf_init(&first, CONFIG_ENCODED_MAX);
	buf_init(&second, CONFIG_ENCODED_MAX);
	config_encode(r, &first);
	assert_int_equal(config_decode(buf_text(&first), first.size, &again, &err), 0);
	config_encode(again, &second);
	assert_string_equal(buf_text(&first), buf_text(&second));
	assert_string_equal(process(again, "web")->env.items[0].value, "\"\\ \xc3\xa9 \n");
	buf_done(&first);
	buf_done(&second);
	config_resolved_free(r);
	config_resolved_free(again);
}

static void order_and_spelling_do_not_change_a_digest_but_values_do(void **state)
{
	(void)state;
	struct resolved *a = resolve(four_lines, "prod");
	struct resolved *b = resolve(
		"environments: { prod: { retain: 5, listen: '0.0.0.0:8080' } }\n"
		"service: { health: { path: /up, deadline: 1m }, run: bin/server --port $PORT }\n"
		"app: shop\n",
		"prod");
	struct resolved *c =
		resolve("app: shop\n"
			"service: { run: bin/server --port $PORT, health: /up }\n"
			"environments: { prod: { listen: 0.0.0.0:8080, retain: 6 } }\n",
			"prod");
	struct digest da = config_digest(a), db = config_digest(b), dc = config_digest(c);
	assert_true(digest_equal(&da, &db));
	assert_false(digest_equal(&da, &dc));
	struct digest ra = config_release_id(&dc, &da), rb = config_release_id(&da, &dc);
	assert_false(digest_equal(&ra, &rb));
	config_resolved_free(a);
	config_resolved_free(b);
	config_resolved_free(c);
}

static void a_stored_text_that_is_damaged_is_refused(void **state)
{
	(void)state;
	struct resolved *r = NULL;
	struct error err = {0};
	static const char *const bad[] = {"", "{", "{\"format\":\"2\"}",
					  "{\"format\":\"1\",\"app\":\"a\"}"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_true(config_decode(bad[i], strlen(bad[i]), &r, &err) < 0);
	assert_null(r);
}

static void an_unknown_environment_or_strategy_is_named(void **state)
{
	(void)state;
	struct app *app = load(four_lines);
	struct resolved *r = NULL;
	struct error err = {0};
	assert_int_equal(config_resolve(app, "prd", NULL, &r, &err), ERR_NOT_FOUND);
	assert_string_equal(err.text,
			    "There is no environment \"prd\" in the configuration; did you mean "
			    "\"prod\"?");
	assert_int_equal(config_resolve(app, "prod", "bluegreen", &r, &err), ERR_INVALID);
	assert_string_equal(err.text,
			    "There is no strategy \"bluegreen\"; did you mean \"blue-green\"?");
	config_free(app);
}

static void environments_may_share_an_address_by_host(void **state)
{
	(void)state;
	struct app *app = load("app: shop\n"
			       "service: { run: bin/server $PORT }\n"
			       "environments:\n"
			       "  a: { listen: 0.0.0.0:80, routes: [{ host: a.example.com }] }\n"
			       "  b: { listen: 0.0.0.0:80, routes: [{ host: b.example.com }] }\n"
			       "  c: { listen: 0.0.0.0:80 }\n");
	assert_int_equal(app->environment_count, 3);
	config_free(app);
}

static void a_file_at_its_largest_is_read_and_one_byte_more_is_not(void **state)
{
	(void)state;
	enum { LARGEST = 256 << 10 };
	char *text = mem_zero(1, LARGEST + 2);
	struct app *app = NULL;
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	memset(text, '#', LARGEST + 1);
	memcpy(text, four_lines, strlen(four_lines));
	assert_int_equal(config_load(text, LARGEST, "davit.yaml", &app, errors), 0);
	config_free(app);
	assert_int_equal(config_load(text, LARGEST + 1, "davit.yaml", &app, errors), ERR_LIMIT);
	assert_string_equal(errors->items[0].text, "The file is larger than 256 KiB.");
	free(text);
	free(errors);
}

static void variables_that_multiply_past_the_bound_are_refused(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, 1 << 20);
	buf_puts(&text, "app: shop\nservice:\n  env:\n");
	for (int i = 0; i < 60; i++)
		buf_printf(&text, "    V%d: %03000d\n", i, 0);
	buf_puts(&text, "processes: { a: { run: x $PORT }, b: { run: y } }\n"
			"environments: { prod: { listen: 0.0.0.0:80 } }\n");
	struct app *app = NULL;
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	assert_int_equal(config_load(buf_text(&text), text.size, "davit.yaml", &app, errors),
			 ERR_INVALID);
	assert_non_null(strstr(errors->items[0].text, "is larger than 256 KiB once"));
	buf_done(&text);
	free(errors);
}

static void a_key_is_explained_by_name_and_by_path(void **state)
{
	(void)state;
	struct buf text;
	struct error err = {0};
	buf_init(&text, 1 << 20);
	assert_int_equal(config_docs("health.interval", &text, &err), 0);
	assert_string_equal(buf_text(&text),
			    "service.health.interval\n"
			    "  a duration such as 30s, 5m or 1h30m, from 100ms to 10m; default 1s\n"
			    "  From one probe's start to the next.\n");
	assert_int_equal(config_docs("instnaces", &text, &err), ERR_NOT_FOUND);
	assert_string_equal(
		err.text,
		"There is no key \"instnaces\" in davit.yaml; did you mean \"instances\"?");
	assert_int_equal(config_docs("mirrors", &text, &err), ERR_UNSUPPORTED);
	buf_done(&text);
}

static void the_reference_page_is_what_the_table_says(void **state)
{
	(void)state;
	struct buf text;
	size_t size = 0;
	buf_init(&text, 1 << 20);
	config_reference(&text);
	char *page = corpus_read(CONFIG_REFERENCE, &size);
	assert_non_null(page);
	if (strcmp(page, buf_text(&text)) != 0)
		fail_msg("docs/reference/config.md is stale; write it anew: build/davit docs > %s",
			 "docs/reference/config.md");
	free(page);
	buf_done(&text);
}

static void the_json_schema_names_every_section(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, 1 << 20);
	config_schema_json(&text);
	assert_false(text.overflowed);
	static const char *const needles[] = {"\"$defs\"",
					      "\"process\"",
					      "\"health\"",
					      "\"canary\"",
					      "\"additionalProperties\": false",
					      "draft/2020-12"};
	for (size_t i = 0; i < sizeof needles / sizeof needles[0]; i++)
		assert_non_null(strstr(buf_text(&text), needles[i]));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_lines_are_a_whole_file),
		cmocka_unit_test(without_analysis_the_shipped_statistics_judge),
		cmocka_unit_test(analysis_says_what_is_judged_and_how),
		cmocka_unit_test(kayenta_judges_only_where_it_is_asked_for),
		cmocka_unit_test(what_is_measured_is_judged_as_it_is_written),
		cmocka_unit_test(what_is_measured_is_off_unless_it_is_written_but_for_crashes),
		cmocka_unit_test(a_kpi_is_a_rate_a_share_or_a_mean),
		cmocka_unit_test(what_is_nearer_to_the_process_wins),
		cmocka_unit_test(another_kind_of_run_or_health_replaces_the_one_before),
		cmocka_unit_test(serves_follows_port_health_and_name),
		cmocka_unit_test(an_application_of_workers_needs_no_address),
		cmocka_unit_test(a_smoke_check_goes_before_the_strategies_that_can_preview),
		cmocka_unit_test(a_strategy_may_be_a_name_one_step_or_a_list),
		cmocka_unit_test(an_environment_changes_parts_of_the_analysis),
		cmocka_unit_test(production_is_where_releases_end_unless_it_is_said),
		cmocka_unit_test(the_canonical_text_reads_back_as_itself),
		cmocka_unit_test(order_and_spelling_do_not_change_a_digest_but_values_do),
		cmocka_unit_test(a_stored_text_that_is_damaged_is_refused),
		cmocka_unit_test(an_unknown_environment_or_strategy_is_named),
		cmocka_unit_test(environments_may_share_an_address_by_host),
		cmocka_unit_test(a_file_at_its_largest_is_read_and_one_byte_more_is_not),
		cmocka_unit_test(variables_that_multiply_past_the_bound_are_refused),
		cmocka_unit_test(a_key_is_explained_by_name_and_by_path),
		cmocka_unit_test(the_reference_page_is_what_the_table_says),
		cmocka_unit_test(the_json_schema_names_every_section),
	};
	return cmocka_run_group_tests_name("config/config", tests, NULL, NULL);
}
