/* SPDX-License-Identifier: Apache-2.0
 * The judge of a rollout under way: what it is fed with is kept, and a control that starts anew takes it up. */
#include <stdio.h>
#include <string.h>

#include "world.h"

#include "control/environment.h"
#include "control/judging.h"
#include "control/tick_text.h"

static const char yaml[] =
	"app: shop\n"
	"service:\n"
	"  run: bin/server --port $PORT\n"
	"  instances: 2\n"
	"  health: { path: /up, min_healthy: 100ms, deadline: 5s }\n"
	"  drain: { requests: 1s, websockets: 1s }\n"
	"  stop: { timeout: 1s }\n"
	"strategies:\n"
	"  steps: [{ canary: { steps: [10%, 50%], each: { at_least: 20s, at_most: 5m } } }, "
	"switch,\n"
	"          { bake: 2s }]\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: steps, keep_warm: 20s }\n";

static int setup(void **state)
{
	(void)state;
	world_open();
	world_release("prod", "v1", yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", yaml);
	world_behaviour("v1")->error_bp = 20;
	world_run(30000); /* of the live release alone: to learn from */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static const struct judge *judge_of_prod(void)
{
	assert_int_equal(world.control->environment_count, 1);
	return judging_judge(world.control->environments[0]);
}

/* Bit by bit, but for what lies between the members of a struct. */
static void assert_same_evidence(const struct judge *a, const struct judge *b)
{
	double odds[2] = {judge_odds(a), judge_odds(b)}, fine[2] = {judge_fine(a), judge_fine(b)};
	assert_memory_equal(&odds[0], &odds[1], sizeof odds[0]);
	assert_memory_equal(&fine[0], &fine[1], sizeof fine[0]);
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		const struct judge_proportion *p = &a->metrics[m], *q = &b->metrics[m];
		assert_memory_equal(p->by_ratio.capital, q->by_ratio.capital,
				    sizeof p->by_ratio.capital);
		assert_memory_equal(p->by_points.capital, q->by_points.capital,
				    sizeof p->by_points.capital);
		assert_memory_equal(p->alone.capital, q->alone.capital, sizeof p->alone.capital);
		assert_memory_equal(p->fine, q->fine, sizeof p->fine);
	}
	assert_memory_equal(a->totals, b->totals, sizeof a->totals);
	assert_memory_equal(&a->past, &b->past, sizeof a->past);
	assert_memory_equal(a->causes, b->causes, sizeof a->causes);
	double division[2] = {sample_ratio_odds(&a->division), sample_ratio_odds(&b->division)};
	assert_memory_equal(&division[0], &division[1], sizeof division[0]);
	assert_int_equal(a->division.new_done, b->division.new_done);
	assert_int_equal(a->new_requests, b->new_requests);
	assert_int_equal(a->time_ms, b->time_ms);
}

static void a_control_that_died_takes_up_its_judge_with_the_same_evidence(void **state)
{
	(void)state;
	static struct judge before;
	uint32_t rollout = world_deploy("prod", "v2");
	for (int i = 0; i < 2; i++) {
		assert_true(world_until_label(rollout, i == 0 ? "10%" : "50%", 120000));
		world_run(5000);
		assert_non_null(judge_of_prod());
		before = *judge_of_prod();
		assert_true(before.new_requests > 100 && judge_odds(&before) != 1);
		world_kill();
		world_start();
		assert_non_null(judge_of_prod());
		assert_same_evidence(judge_of_prod(), &before);
		world_run(3000);
		assert_true(judge_of_prod()->new_requests > before.new_requests);
	}
	assert_string_equal(world_until_end(rollout, 600000), "succeeded");
}

static void evidence_from_before_a_death_counts_afterwards(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 120000));
	world_behaviour("v2")->error_bp = 300;
	/* Each life is too short for a verdict; the evidence grows over all of them. */
	double odds = 1;
	while (strcmp(world_view(rollout)->state, "running") == 0) {
		odds = judge_odds(judge_of_prod());
		world_kill();
		world_start();
		assert_true(judge_odds(judge_of_prod()) == odds);
		world_run(300);
	}
	assert_true(odds > 2);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
}

struct replay {
	struct tick_text_reader reader;
	struct judge judge;
	struct judge_result failed; /* the first */
	uint32_t lines, steps;
};

static int replay_line(void *context, const char *line, size_t size, struct error *err)
{
	struct replay *r = context;
	struct judge_result result;
	int status = tick_text_feed(&r->reader, line, size, err);
	if (status < 0)
		return status;
	judge_decide(&r->judge, &result);
	if (result.verdict == JUDGE_VERDICT_FAIL && r->failed.verdict != JUDGE_VERDICT_FAIL)
		r->failed = result;
	r->lines++;
	r->steps += r->reader.line == TICK_TEXT_STEP;
	return 0;
}

static void what_was_kept_says_what_was_told(void **state)
{
	(void)state;
	static struct replay r;
	uint64_t at = 0;
	memset(&r, 0, sizeof r);
	r.reader.judge = &r.judge;
	uint32_t rollout = world_deploy("prod", "v2");
	world_behaviour("v2")->error_bp = 500;
	assert_string_equal(world_until_end(rollout, 300000), "reverted");
	world_run(100);
	const struct view_rollout *v = world_view(rollout);
	if (control_read_ticks(world.control, rollout, &at, replay_line, &r, &world.err) < 0)
		fail_msg("line %u: %s", r.lines + 1, world.err.text);
	assert_int_equal(r.reader.rollout, rollout);
	assert_string_equal(r.reader.new_tag, "v2");
	assert_string_equal(r.reader.live_tag, "v1");
	assert_int_equal(r.steps, 1);
	assert_int_equal(r.failed.verdict, JUDGE_VERDICT_FAIL);
	assert_non_null(strstr(v->why, r.failed.sentence));
	/* Every request of the new release is in it. */
	assert_int_equal(r.judge.new_requests, v->new_traffic.requests);
	assert_true(r.judge.time_ms >= 30000);
}

static void what_no_statistics_judged_is_not_kept(void **state)
{
	(void)state;
	static const char rules[] = "analysis: { method: rules }\n";
	char text[sizeof yaml + sizeof rules];
	uint64_t at = 0;
	snprintf(text, sizeof text, "%s%s", yaml, rules);
	world_release("prod", "v3", text);
	uint32_t rollout = world_deploy("prod", "v3");
	assert_string_equal(world_until_end(rollout, 300000), "succeeded");
	assert_int_equal(
		control_read_ticks(world.control, rollout, &at, replay_line, NULL, &world.err),
		ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_control_that_died_takes_up_its_judge_with_the_same_evidence),
		TEST(evidence_from_before_a_death_counts_afterwards),
		TEST(what_was_kept_says_what_was_told),
		TEST(what_no_statistics_judged_is_not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
