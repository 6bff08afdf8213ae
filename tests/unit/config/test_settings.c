/* SPDX-License-Identifier: Apache-2.0
 * test_settings - what davit.yaml says of a strategy reaches the compiler of plans unchanged. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/config.h"
#include "config/settings.h"

static struct strategy_settings settings;

/* The settings of environment prod; NULL, or the first error's sentence. */
static const char *load(const char *text, const char *strategy)
{
	static struct config_errors errors;
	static struct error err;
	struct app *app;
	struct resolved *resolved;
	const char *said = NULL;
	if (config_load(text, strlen(text), "davit.yaml", &app, &errors) < 0)
		return errors.items[0].text;
	err = (struct error){0};
	assert_int_equal(config_resolve(app, "prod", strategy, &resolved, &err), 0);
	if (config_strategy(resolved, &settings, &err) < 0)
		said = err.text;
	config_resolved_free(resolved);
	config_free(app);
	return said;
}

static const char with_smoke[] = "app: shop\n"
				 "service: { run: bin/server $PORT }\n"
				 "checks: { smoke: [{ get: / }] }\n"
				 "environments: { prod: { listen: 0.0.0.0:80 } }\n";

static void strategies_that_need_no_definition_are_those_of_the_compiler(void **state)
{
	(void)state;
	for (int kind = 0; kind < STRATEGY_KIND_COUNT; kind++) {
		struct strategy_settings ours, theirs;
		assert_null(load(with_smoke, strategy_kind_name((enum strategy_kind)kind)));
		ours = settings;
		strategy_settings_init(&theirs);
		strategy_default(&theirs, (enum strategy_kind)kind);
		assert_string_equal(ours.name, theirs.name);
		assert_int_equal(ours.move_count, theirs.move_count);
		for (uint32_t i = 0; i < ours.move_count; i++) {
			assert_int_equal(ours.moves[i].kind, theirs.moves[i].kind);
			assert_int_equal(ours.moves[i].share_count, theirs.moves[i].share_count);
			assert_memory_equal(ours.moves[i].share_bp, theirs.moves[i].share_bp,
					    sizeof ours.moves[i].share_bp);
			assert_int_equal(ours.moves[i].batch_bp, theirs.moves[i].batch_bp);
		}
	}
}

static void every_number_reaches_the_settings(void **state)
{
	(void)state;
	assert_null(
		load("app: shop\n"
		     "service:\n"
		     "  run: bin/server $PORT\n"
		     "  instances: 4\n"
		     "  health: { path: /up, deadline: 20s, min_healthy: 3s }\n"
		     "  drain: { requests: 10s, websockets: 40s }\n"
		     "  stop: { timeout: 7s }\n"
		     "processes:\n"
		     "  web: {}\n"
		     "  worker: { run: bin/worker, instances: 2, handover: stop-first }\n"
		     "analysis: { errors: { max: 3%, at_least: 70 }, latency: { p90: { max: 1s, "
		     "at_least: "
		     "90 } },\n"
		     "            when_too_little: continue }\n"
		     "environments:\n"
		     "  prod:\n"
		     "    listen: 0.0.0.0:80\n"
		     "    keep_warm: 3m\n"
		     "    strategy:\n"
		     "      - shadow: { share: 30%, until: { requests: 400, time: 6m } }\n"
		     "      - canary: { steps: [2%, 7.5%], each: { at_least: 5s, at_most: 9s } }\n"
		     "      - switch\n"
		     "      - bake: 11m\n",
		     NULL));
	assert_int_equal(settings.move_count, 4);
	const struct strategy_move *shadow = &settings.moves[0], *canary = &settings.moves[1];
	assert_int_equal(shadow->kind, STRATEGY_MOVE_SHADOW);
	assert_int_equal(shadow->share_bp[0], 3000);
	assert_int_equal(shadow->min_samples, 400);
	assert_int_equal(shadow->at_most_ms, 360000);
	assert_int_equal(canary->kind, STRATEGY_MOVE_CANARY);
	assert_int_equal(canary->share_count, 2);
	assert_int_equal(canary->share_bp[1], 750);
	assert_int_equal(canary->at_least_ms, 5000);
	assert_int_equal(canary->at_most_ms, 9000);
	assert_int_equal(canary->min_samples, 90);
	assert_int_equal(settings.moves[2].kind, STRATEGY_MOVE_SWITCH);
	assert_int_equal(settings.moves[3].kind, STRATEGY_MOVE_BAKE);
	assert_int_equal(settings.moves[3].at_least_ms, 660000);
	assert_int_equal(settings.process[0].count, 4);
	assert_true(settings.process[0].traffic);
	assert_int_equal(settings.process[1].count, 2);
	assert_false(settings.process[1].traffic);
	assert_int_equal(settings.process[1].handover, HANDOVER_STOP_FIRST);
	assert_int_equal(settings.process[2].count, 0);
	assert_int_equal(settings.too_little, TOO_LITTLE_CONTINUE);
	assert_int_equal(settings.ready_deadline_ms, 20000);
	assert_int_equal(settings.min_ready_ms, 3000);
	assert_int_equal(settings.drain_ms, 40000);
	assert_int_equal(settings.stop_deadline_ms, 12000);
	assert_int_equal(settings.keep_warm_ms, 180000);
	assert_true(settings.analysis);
	assert_false(settings.checks);
}

static void without_analysis_time_alone_decides(void **state)
{
	(void)state;
	assert_null(load("app: shop\n"
			 "service: { run: bin/server $PORT }\n"
			 "analysis: off\n"
			 "environments: { prod: { listen: 0.0.0.0:80 } }\n",
			 NULL));
	assert_false(settings.analysis);
	assert_int_equal(settings.moves[0].min_samples, 0);
}

static void workers_without_requests_are_not_judged_by_them(void **state)
{
	(void)state;
	assert_null(load("app: jobs\n"
			 "service: { run: bin/worker, instances: 4 }\n"
			 "environments: { prod: {} }\n",
			 NULL));
	assert_false(settings.analysis);
	assert_false(settings.process[0].traffic);
}

static void rolling_in_place_is_what_was_written(void **state)
{
	(void)state;
	assert_null(load("app: shop\n"
			 "service: { run: bin/server $PORT }\n"
			 "environments: { prod: { listen: 0.0.0.0:80,\n"
			 "  strategy: { rolling: { batch: 50%, surge: false } } } }\n",
			 NULL));
	assert_int_equal(settings.moves[0].batch_bp, 5000);
	assert_false(settings.moves[0].surge);
}

static void a_strategy_that_contradicts_itself_is_refused_with_the_file(void **state)
{
	(void)state;
	const char *said =
		load("app: shop\n"
		     "service: { run: bin/server $PORT, handover: stop-first }\n"
		     "environments: { prod: { listen: 0.0.0.0:80, strategy: canary } }\n",
		     NULL);
	assert_non_null(said);
	assert_non_null(strstr(said, "can only be deployed by \"recreate\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strategies_that_need_no_definition_are_those_of_the_compiler),
		cmocka_unit_test(every_number_reaches_the_settings),
		cmocka_unit_test(without_analysis_time_alone_decides),
		cmocka_unit_test(workers_without_requests_are_not_judged_by_them),
		cmocka_unit_test(rolling_in_place_is_what_was_written),
		cmocka_unit_test(a_strategy_that_contradicts_itself_is_refused_with_the_file),
	};
	return cmocka_run_group_tests_name("config/settings", tests, NULL, NULL);
}
