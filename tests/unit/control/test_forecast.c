/* SPDX-License-Identifier: Apache-2.0
 * Tests of control/forecast.h: what a plan says about what the judge will see. */
#include <stdio.h>
#include <string.h>

#include "world.h"

static struct view_plan plan;

static int setup(void **state)
{
	(void)state;
	world_open();
	world_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static const char *yaml(const char *analysis, const char *strategy)
{
	static char text[1024];
	snprintf(text, sizeof text,
		 "app: shop\n"
		 "service: { run: bin/server --port $PORT, health: { path: /up, min_healthy: 100ms "
		 "} }\n"
		 "analysis: %s\n"
		 "environments: { prod: { listen: \"127.0.0.1:8080\", strategy: %s, keep_warm: 1s "
		 "} }\n",
		 analysis, strategy);
	return text;
}

static const char canary[] =
	"[{ canary: { steps: [10%, 50%], each: { at_least: 1m, at_most: 10m } } }, switch]";

/* v1 is live and has had so many requests a second for two minutes; v2 is there to be planned. */
static void go_live(const char *analysis, uint64_t rate_per_s, uint32_t error_bp)
{
	world.rate_per_s = rate_per_s;
	world_behaviour("v1")->error_bp = error_bp;
	world_release("prod", "v1", yaml("off", "[recreate]"));
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 600000), "succeeded");
	world_release("prod", "v2", yaml(analysis, canary));
	world_run(120000);
}

static void look(const char *strategy, uint32_t for_errors_bp)
{
	memset(&plan, 0, sizeof plan);
	if (control_view_plan(world.control, "prod", "v2", strategy, for_errors_bp, &plan,
			      &world.err) < 0)
		fail_msg("%s", world.err.text);
}

static bool noted(const char *text)
{
	for (uint32_t i = 0; i < plan.note_count; i++)
		if (strstr(plan.notes[i], text))
			return true;
	return false;
}

static void a_plan_tells_what_would_be_caught(void **state)
{
	(void)state;
	go_live("on", 40, 50);
	look("", 0);
	const struct view_forecast *f = &plan.forecast;
	assert_true(f->known);
	assert_true(f->requests_per_s > 35 && f->requests_per_s < 45);
	assert_true(f->live_errors_ppm > 3000 && f->live_errors_ppm < 7000);
	assert_true(f->supposed_count >= 3);
	const struct view_supposed *five = &f->supposed[f->supposed_count - 2];
	const struct view_supposed *slow = &f->supposed[f->supposed_count - 1];
	assert_int_equal(five->errors_ppm, 50000);
	assert_true(five->caught_bp > 8000);
	assert_true(five->after_requests > 50 && five->failed_requests > 2);
	assert_int_equal(five->caught_bp + five->held_bp + five->passed_bp, 10000);
	assert_int_equal(slow->slow_bp, 400);
	assert_true(f->sees_ppm > f->live_errors_ppm && f->sees_ppm < 100000);
	assert_false(f->proposal.asked);
}

static void a_good_release_takes_longer_than_the_least_where_traffic_is_small(void **state)
{
	(void)state;
	go_live("on", 20, 0);
	look("", 0);
	assert_true(plan.forecast.good_ms > plan.least_ms + 60000);
	assert_true(plan.forecast.good_ms < plan.most_ms);
	uint64_t longest_ms = 0;
	for (uint32_t i = 0; i < plan.step_count; i++)
		if (plan.steps[i].expected_ms > longest_ms)
			longest_ms = plan.steps[i].expected_ms;
	assert_true(longest_ms > 60000);
}

static void what_is_not_known_is_said(void **state)
{
	(void)state;
	go_live("on", 0, 0);
	look("", 0);
	assert_false(plan.forecast.known);
	assert_true(noted("no traffic now"));
	look("", 100);
	assert_true(plan.forecast.proposal.asked && !plan.forecast.proposal.found);
	assert_non_null(strstr(plan.forecast.proposal.sentence, "no traffic now"));
}

static void without_statistics_nothing_is_foreseen(void **state)
{
	(void)state;
	go_live("{ method: rules }", 40, 0);
	look("", 0);
	assert_false(plan.forecast.known);
	assert_true(noted("not judged by statistics"));
}

static void
a_strategy_without_a_common_step_foresees_nothing_and_proposes_all_the_same(void **state)
{
	(void)state;
	go_live("on", 40, 0);
	look("recreate", 200);
	assert_true(plan.forecast.proposal.found);
}

/* What is proposed can be pasted: it is a configuration, and a plan of it catches what was asked for. */
static void a_proposal_can_be_pasted_and_keeps_its_word(void **state)
{
	(void)state;
	char text[2048];
	go_live("on", 100, 10);
	look("", 300);
	const struct view_proposal *p = &plan.forecast.proposal;
	assert_true(p->asked && p->found);
	assert_true(p->supposed.caught_bp >= 9000);
	snprintf(text, sizeof text,
		 "app: shop\n"
		 "service: { run: bin/server --port $PORT, health: { path: /up, min_healthy: 100ms "
		 "} }\n"
		 "environments: { prod: { listen: \"127.0.0.1:8080\", strategy: proposed } }\n%s",
		 p->yaml);
	world_release("prod", "v3", text);
	assert_int_equal(control_view_plan(world.control, "prod", "v3", "", 300, &plan, &world.err),
			 0);
	bool seen = false;
	for (uint32_t i = 0; i < plan.forecast.supposed_count; i++)
		if (plan.forecast.supposed[i].errors_ppm == 30000) {
			seen = true;
			assert_true(plan.forecast.supposed[i].caught_bp >= 9000);
		}
	assert_true(seen);
}

static void too_little_traffic_for_a_proposal_is_said_with_its_time(void **state)
{
	(void)state;
	go_live("on", 2, 0);
	look("", 30);
	assert_true(plan.forecast.proposal.found);
	assert_non_null(strstr(plan.forecast.proposal.sentence, "Traffic is small: at 2 requests"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_plan_tells_what_would_be_caught),
		TEST(a_good_release_takes_longer_than_the_least_where_traffic_is_small),
		TEST(what_is_not_known_is_said),
		TEST(without_statistics_nothing_is_foreseen),
		TEST(a_strategy_without_a_common_step_foresees_nothing_and_proposes_all_the_same),
		TEST(a_proposal_can_be_pasted_and_keeps_its_word),
		TEST(too_little_traffic_for_a_proposal_is_said_with_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
