/* SPDX-License-Identifier: Apache-2.0
 * What instances use, log and count of themselves decides about a release too. */
#include <stdio.h>
#include <string.h>

#include "world.h"

#define YAML(analysis)                                                                             \
	"app: shop\n"                                                                              \
	"service: { run: bin/server, instances: 8, health: { path: /up, min_healthy: 500ms },"     \
	" limits: { cpu: 1 } }\n"                                                                  \
	"analysis: " analysis "\n"                                                                 \
	"strategies:\n"                                                                            \
	"  slow: [ { canary: { steps: [50%], each: { at_least: 8m, at_most: 10m } } }, switch ]\n" \
	"environments:\n"                                                                          \
	"  prod: { listen: \"127.0.0.1:1001\", strategy: slow, keep_warm: 5s }\n"

static void begin(const char *yaml)
{
	world_open();
	world_release("prod", "v1", yaml);
	world.rate_per_s = 200;
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", yaml);
	world_run(60000);
}

static void assert_tells(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void assert_found(const char *part)
{
	uint32_t rollout = world_deploy("prod", "v2");
	const char *end = world_until_end(rollout, 700000);
	if (strcmp(end, "reverted") != 0)
		fail_msg("%s: %s", end, world_view(rollout)->why);
	assert_tells(world_view(rollout)->why, part);
	const struct view_judge *judge = &world_view(rollout)->judge;
	for (uint32_t i = 0; i < judge->mean_count; i++)
		if (text_starts(part, judge->means[i].name)) {
			assert_tells(judge->means[i].text, part);
			assert_true(judge->means[i].evidence > 1000 && judge->means[i].share > 0.5);
		}
	world_assert_at_rest("prod", "v1", 8);
	world_close();
}

static void assert_fine(void)
{
	uint32_t rollout = world_deploy("prod", "v2");
	const char *end = world_until_end(rollout, 900000);
	if (strcmp(end, "succeeded") != 0)
		fail_msg("%s: %s", end, world_view(rollout)->why);
	world_close();
}

/* The same of both. */
static void both_are(struct behaviour like)
{
	const char *tags[] = {"v1", "v2"};
	for (size_t i = 0; i < 2; i++) {
		struct behaviour *b = world_behaviour(tags[i]);
		char tag[sizeof b->tag];
		text_copy(tag, sizeof tag, b->tag);
		*b = like;
		text_copy(b->tag, sizeof b->tag, tag);
	}
}

static const char kpis[] =
	YAML("{ kpi: { checkouts: { count: bought_total, of: visits_total }, orders: bought_total,"
	     " value: { sum: value_sum, count: bought_total } }, log_errors: on, memory: on,"
	     " cpu: on }");

static void what_is_alike_passes(void **state)
{
	(void)state;
	begin(kpis);
	both_are((struct behaviour){.cpu_us = 2000,
				    .memory_bytes = 100 << 20,
				    .logs_bp = 100,
				    .buys_bp = 1000,
				    .value = 40});
	assert_fine();
}

static void instances_that_crash_are_found(void **state)
{
	(void)state;
	begin(YAML("{ state: on }"));
	world_behaviour("v2")->crash_unseen_ms = 5000;
	assert_found(" crashes in ");
}

static void errors_in_the_log_are_found(void **state)
{
	(void)state;
	begin(YAML("{ log_errors: on }"));
	both_are((struct behaviour){.logs_bp = 100});
	world_run(60000);
	world_behaviour("v2")->logs_bp = 600;
	assert_found(" log errors in ");
}

static void a_share_that_falls_is_found(void **state)
{
	(void)state;
	begin(YAML("{ kpi: { checkouts: { count: bought_total, of: visits_total } } }"));
	both_are((struct behaviour){.buys_bp = 3000});
	world_behaviour("v2")->buys_bp = 2000;
	assert_found("counted as checkouts");
}

static void a_rate_that_falls_is_found(void **state)
{
	(void)state;
	begin(YAML("{ kpi: { orders: bought_total } }"));
	both_are((struct behaviour){.buys_bp = 1000});
	world_behaviour("v2")->buys_bp = 300;
	assert_found(" orders in ");
}

static void more_of_what_is_good_is_no_harm(void **state)
{
	(void)state;
	begin(kpis);
	both_are((struct behaviour){.buys_bp = 1000, .value = 40});
	world_behaviour("v2")->buys_bp = 3000;
	world_behaviour("v2")->value = 80;
	assert_fine();
}

static void a_mean_that_falls_is_found(void **state)
{
	(void)state;
	begin(YAML("{ kpi: { value: { sum: value_sum, count: bought_total } } }"));
	both_are((struct behaviour){.buys_bp = 5000, .value = 40});
	world_behaviour("v2")->value = 20;
	assert_found("value: ");
}

static void twice_the_processor_time_is_found(void **state)
{
	(void)state;
	begin(YAML("{ cpu: on }"));
	both_are((struct behaviour){.cpu_us = 1000});
	world_behaviour("v2")->cpu_us = 2000;
	assert_found("cpu: 2 ms per request of the new release, 1 ms of the live one");
}

static void twice_the_memory_is_found(void **state)
{
	(void)state;
	begin(YAML("{ memory: on }"));
	both_are((struct behaviour){.memory_bytes = 100 << 20});
	world_behaviour("v2")->memory_bytes = 200 << 20;
	assert_found("memory: 200 MiB per instance of the new release, 100 MiB of the live one");
}

static void a_maximum_holds_whatever_the_live_release_does(void **state)
{
	(void)state;
	begin(YAML("{ method: rules, errors: { max: 2% }, memory: { max: 150MiB } }"));
	both_are((struct behaviour){.memory_bytes = 200 << 20});
	assert_found("uses 200 MiB, more than the 150 MiB allowed");
	begin(YAML("{ cpu: { max: 50% } }"));
	both_are((struct behaviour){.cpu_us = 60000});
	assert_found("more than the 50% allowed");
	begin(YAML("{ kpi: { checkouts: { count: bought_total, of: visits_total, min: 0.2 } } }"));
	both_are((struct behaviour){.buys_bp = 1000});
	assert_found("less than 0.2 allowed");
}

static void what_cannot_be_read_says_nothing(void **state)
{
	(void)state;
	begin(kpis);
	both_are((struct behaviour){.buys_bp = 1000, .value = 40});
	world_behaviour("v2")->no_page = true;
	assert_fine();
}

static int push(const char *release, const char *name, uint64_t count, uint64_t of, const char *id,
		bool *ret_counted)
{
	struct control_caller caller = world_caller(id);
	struct control_kpi kpi = {.count = count, .of = of, .has_of = true};
	text_copy(kpi.release, sizeof kpi.release, release);
	text_copy(kpi.name, sizeof kpi.name, name);
	return control_kpi(world.control, &caller, "prod", &kpi, ret_counted, &world.err);
}

static void counts_that_are_sent_are_judged(void **state)
{
	(void)state;
	bool counted;
	begin(YAML("{ kpi: { paid: { count: paid_total, of: asked_total } } }"));
	assert_int_equal(push("v1", "paid", 1, 2, "", &counted), 0);
	assert_false(counted);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	assert_int_equal(push("v1", "nothing", 1, 2, "", &counted), ERR_NOT_FOUND);
	assert_int_equal(push("v7", "paid", 1, 2, "", &counted), ERR_NOT_FOUND);
	assert_int_equal(push("v1", "paid", 3, 2, "", &counted), ERR_INVALID);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(push("v1", "paid", 30, 50, "", &counted), 0);
		assert_int_equal(push("v2", "paid", 30, 50, "", &counted), 0);
		/* Bad, but it is the same one again and again. */
		assert_int_equal(push("v2", "paid", 0, 50, "once", &counted), 0);
		assert_true(counted);
		world_run(1000);
	}
	assert_string_equal(world_view(rollout)->state, "running");
	for (int i = 0; i < 30; i++) {
		push("v1", "paid", 30, 50, "", &counted);
		push("v2", "paid", 10, 50, "", &counted);
		world_run(1000);
	}
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_tells(world_view(rollout)->why, "counted as paid");
	world_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_alike_passes),
		cmocka_unit_test(instances_that_crash_are_found),
		cmocka_unit_test(errors_in_the_log_are_found),
		cmocka_unit_test(a_share_that_falls_is_found),
		cmocka_unit_test(a_rate_that_falls_is_found),
		cmocka_unit_test(more_of_what_is_good_is_no_harm),
		cmocka_unit_test(a_mean_that_falls_is_found),
		cmocka_unit_test(twice_the_processor_time_is_found),
		cmocka_unit_test(twice_the_memory_is_found),
		cmocka_unit_test(a_maximum_holds_whatever_the_live_release_does),
		cmocka_unit_test(what_cannot_be_read_says_nothing),
		cmocka_unit_test(counts_that_are_sent_are_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
