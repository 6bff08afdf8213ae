/* SPDX-License-Identifier: Apache-2.0
 * What people say while something is on its way, and after it. */
#include <stdio.h>
#include <string.h>

#include "world.h"

static int setup(void **state)
{
	(void)state;
	world_open();
	world_release("prod", "v1", world_yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", world_yaml);
	world_release("prod", "v3", world_yaml);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static void assert_tells(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static uint32_t rolling(const char *tag, const char *label)
{
	uint32_t rollout = world_deploy("prod", tag);
	assert_true(world_until_label(rollout, label, 60000));
	world_run(500);
	return rollout;
}

static void succeed(const char *tag)
{
	assert_string_equal(world_until_end(world_deploy("prod", tag), 60000), "succeeded");
}

/* --- commands to a rollout */

static void abort_goes_back_at_once(void **state)
{
	(void)state;
	uint32_t rollout = rolling("v2", "50%");
	assert_int_equal(world_weight("prod", "v2"), 5000);
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	world_run(40);
	assert_int_equal(world_weight("prod", "v2"), 0);
	assert_string_equal(world_until_end(rollout, 30000), "reverted");
	assert_int_equal(world_view(rollout)->exit_code, 15);
	assert_tells(world_view(rollout)->why, "abort by ann: so I say");
	assert_false(world_marked_bad("prod", "v2"));
	world_assert_at_rest("prod", "v1", 2);
	succeed("v2"); /* it may try again */
}

static void pause_holds_everything_and_resume_goes_on(void **state)
{
	(void)state;
	uint32_t rollout = rolling("v2", "10%");
	assert_int_equal(world_command("prod", CONTROL_PAUSE), 0);
	world_run(60000);
	assert_int_equal(world_weight("prod", "v2"), 1000);
	assert_string_equal(world_state("prod"), "paused");
	assert_int_equal(world_command("prod", CONTROL_PAUSE), ERR_CONFLICT);
	assert_int_equal(world_command("prod", CONTROL_RESUME), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

static void promote_ends_a_step_early(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	while (strcmp(world_view(rollout)->steps[world_view(rollout)->step].op, "hold") != 0)
		world_run(WORLD_BEAT_MS);
	assert_int_equal(world_command("prod", CONTROL_PROMOTE), 0);
	assert_true(world_until_label(rollout, "50%", 1000));
	const struct view_rollout *v = world_view(rollout);
	assert_string_equal(v->evidence[0].verdict, "skip");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void a_command_that_saw_an_earlier_state_is_refused(void **state)
{
	(void)state;
	uint32_t rollout = rolling("v2", "10%");
	struct control_caller caller = world_caller("");
	const struct view_rollout *v = world_view(rollout);
	struct control_expect expect = {.step = v->plan_step, .attempt = v->attempt};
	text_copy(expect.state, sizeof expect.state, v->state);
	assert_true(world_until_label(rollout, "50%", 10000));
	assert_int_equal(control_command(world.control, &caller, "prod", CONTROL_PROMOTE, "",
					 &expect, &world.err),
			 ERR_CONFLICT);
	assert_tells(world.err.text, "has moved on since you looked");
	assert_int_equal(control_command(world.control, &caller, "prod", CONTROL_ABORT, "", &expect,
					 &world.err),
			 0);
	assert_string_equal(world_until_end(rollout, 30000), "reverted");
}

static void a_command_where_nothing_rolls_is_refused(void **state)
{
	(void)state;
	assert_int_equal(world_command("prod", CONTROL_ABORT), ERR_CONFLICT);
	assert_int_equal(world_command("1", CONTROL_ABORT), ERR_CONFLICT);
	assert_int_equal(world_command("99", CONTROL_ABORT), ERR_CONFLICT);
	assert_int_equal(world_command("prood", CONTROL_ABORT), ERR_NOT_FOUND);
	assert_tells(world.err.text, "did you mean \"prod\"?");
}

/* --- deployments one after the other */

static void a_release_that_is_live_is_not_deployed_again(void **state)
{
	(void)state;
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_tells(world.err.text, "v1 is live in shop/prod already");
	rolling("v2", "10%");
	assert_int_equal(world_deploy("prod", "v2"), 0);
	assert_tells(world.err.text, "v2 is on its way to shop/prod already");
}

static void a_newer_release_waits(void **state)
{
	(void)state;
	uint32_t second = rolling("v2", "10%"), third = world_deploy("prod", "v3");
	assert_string_equal(world_view(third)->state, "queued");
	assert_tells(world_view(third)->why, "It waits for the rollout before it");
	assert_string_equal(world_until_end(second, 60000), "succeeded");
	assert_string_equal(world_until_end(third, 60000), "succeeded");
	world_assert_at_rest("prod", "v3", 2);
}

static void of_those_that_wait_only_the_newest_runs(void **state)
{
	(void)state;
	uint32_t second = rolling("v2", "10%"), third = world_deploy("prod", "v3");
	world_release("prod", "v4", world_yaml);
	uint32_t fourth = world_deploy("prod", "v4");
	assert_string_equal(world_view(third)->state, "superseded");
	assert_int_equal(world_view(third)->exit_code, 15);
	assert_string_equal(world_until_end(second, 60000), "succeeded");
	assert_string_equal(world_until_end(fourth, 60000), "succeeded");
	world_assert_at_rest("prod", "v4", 2);
}

static void one_that_waits_can_be_withdrawn(void **state)
{
	(void)state;
	uint32_t second = rolling("v2", "10%"), third = world_deploy("prod", "v3");
	char number[16];
	snprintf(number, sizeof number, "%u", third);
	assert_int_equal(world_command(number, CONTROL_ABORT), 0);
	assert_string_equal(world_view(third)->state, "cancelled");
	assert_string_equal(world_until_end(second, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

static void a_newer_release_supersedes_where_that_is_wanted(void **state)
{
	(void)state;
	world_release("fast", "v1", world_yaml);
	assert_string_equal(world_until_end(world_deploy("fast", "v1"), 60000), "succeeded");
	uint32_t second = world_deploy("fast", "v2");
	assert_true(world_until_label(second, "50%", 60000));
	uint32_t third = world_deploy("fast", "v3");
	assert_string_equal(world_view(second)->state, "reverting");
	assert_string_equal(world_until_end(second, 60000), "reverted");
	assert_int_equal(world_view(second)->exit_code, 15);
	assert_string_equal(world_until_end(third, 60000), "succeeded");
	assert_false(world_marked_bad("fast", "v2"));
	world_assert_at_rest("fast", "v3", 2);
}

/* What waits is compiled when it starts: by then it may have nothing to do. */
static void a_release_that_waited_and_is_live_meanwhile_is_withdrawn(void **state)
{
	(void)state;
	rolling("v2", "10%");
	uint32_t third = world_deploy("prod", "v1");
	assert_int_not_equal(third, 0);
	assert_int_equal(world_command("2", CONTROL_ABORT), 0);
	assert_string_equal(world_until_end(third, 60000), "cancelled");
	assert_tells(world_view(third)->why, "live there already");
	world_assert_at_rest("prod", "v1", 2);
}

static void two_environments_do_not_know_of_each_other(void **state)
{
	(void)state;
	world_release("staging", "v1", world_yaml);
	uint32_t staged = world_deploy("staging", "v1");
	uint32_t second = world_deploy("prod", "v2");
	world_behaviour("v2")->error_bp = SHARE_FULL_BP;
	assert_string_equal(world_until_end(second, 60000), "reverted");
	assert_string_equal(world_until_end(staged, 60000), "succeeded");
	assert_false(world_marked_bad("staging", "v2"));
	world_assert_at_rest("staging", "v1", 2);
	world_assert_at_rest("prod", "v1", 2);
}

/* Names that run together when they are put side by side. */
static void instances_of_environments_with_similar_names_are_not_confused(void **state)
{
	(void)state;
	static const char yaml[] =
		"app: shop\n"
		"service: { run: bin/server, health: { path: /up, min_healthy: 500ms } }\n"
		"processes: { web: {}, eu-web: { run: bin/x } }\n"
		"environments:\n"
		"  prod: { listen: \"127.0.0.1:1001\", strategy: recreate }\n"
		"  prod-eu: { listen: \"127.0.0.1:1002\", strategy: recreate }\n"
		"  a-rather-long-environment-1: { listen: \"127.0.0.1:1003\", strategy: recreate "
		"}\n"
		"  a-rather-long-environment-2: { listen: \"127.0.0.1:1004\", strategy: recreate "
		"}\n";
	static const char *const names[] = {"prod", "prod-eu", "a-rather-long-environment-1",
					    "a-rather-long-environment-2"};
	for (size_t i = 0; i < 4; i++) {
		world_release(names[i], "v9", yaml);
		uint32_t rollout = world_deploy(names[i], "v9");
		assert_string_equal(world_until_end(rollout, 600000), "succeeded");
		assert_string_equal(world_live(names[i]), "v9");
	}
	world_assert_sane();
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(world_instances(names[i], "v9"), 2);
}

/* --- rollback */

static void rollback_while_warm_is_a_route_at_once(void **state)
{
	(void)state;
	succeed("v2");
	world_run(5000);
	uint32_t rollout = world_rollback("prod", "");
	assert_int_not_equal(rollout, 0);
	world_run(200);
	assert_int_equal(world_weight("prod", "v1"), SHARE_FULL_BP);
	assert_string_equal(world_until_end(rollout, 30000), "succeeded");
	assert_string_equal(world_view(rollout)->kind, "rollback");
	world_assert_at_rest("prod", "v1", 2);
	assert_int_equal(world_traffic("shop", "prod")->failed, 0);
}

static void rollback_of_a_cold_release_starts_it_first(void **state)
{
	(void)state;
	succeed("v2");
	world_run(60000);
	assert_int_equal(world_instances("prod", "v1"), 0);
	uint32_t rollout = world_rollback("prod", "");
	assert_string_equal(world_until_end(rollout, 30000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
	assert_int_equal(world_traffic("shop", "prod")->failed, 0);
}

static void rollback_to_a_tag(void **state)
{
	(void)state;
	succeed("v2");
	succeed("v3");
	uint32_t rollout = world_rollback("prod", "v1");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
	assert_int_equal(world_rollback("prod", "v1"), 0);
	assert_tells(world.err.text, "v1 is live in shop/prod already");
	assert_int_equal(world_rollback("prod", "v7"), 0);
	assert_int_equal(world.err.code, ERR_NOT_FOUND);
}

static void rollback_while_something_is_on_its_way_turns_it_back(void **state)
{
	(void)state;
	static const char *const ways[] = {"", "v1"};
	for (size_t i = 0; i < 2; i++) {
		uint32_t rollout = rolling("v2", "50%");
		assert_int_equal(world_rollback("prod", ways[i]), rollout);
		assert_string_equal(world_until_end(rollout, 30000), "reverted");
		assert_int_equal(world_view(rollout)->exit_code, 15);
		assert_string_equal(world_live("prod"), "v1");
	}
	world_assert_at_rest("prod", "v1", 2);
}

static void rollback_to_a_third_release_does_not_wait(void **state)
{
	(void)state;
	succeed("v2");
	uint32_t third = rolling("v3", "50%"), back = world_rollback("prod", "v1");
	assert_string_equal(world_view(third)->state, "reverting");
	assert_string_equal(world_until_end(back, 60000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
}

/* Nobody who is in a hurry may undo a rollback by asking for it again. */
static void rollback_said_twice_is_one_rollback(void **state)
{
	(void)state;
	succeed("v2");
	world_run(60000);
	world_behaviour("v1")->start_ms = 3000;
	uint32_t rollout = world_rollback("prod", "");
	world_run(1000);
	assert_int_equal(world_rollback("prod", ""), rollout);
	assert_int_equal(world_rollback("prod", "v1"), rollout);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
}

static void nothing_earlier_nothing_to_go_back_to(void **state)
{
	(void)state;
	assert_int_equal(world_rollback("prod", ""), 0);
	assert_int_equal(world.err.code, ERR_NOT_FOUND);
	assert_tells(world.err.text, "has no earlier good release");
}

static void a_release_that_is_marked_bad_is_passed_over(void **state)
{
	(void)state;
	struct control_caller caller = world_caller("");
	succeed("v2");
	succeed("v3");
	assert_int_equal(control_mark_release(world.control, &caller, "v2", "prod", true,
					      "it lost orders", &world.err),
			 0);
	assert_string_equal(world_until_end(world_rollback("prod", ""), 60000), "succeeded");
	assert_string_equal(world_live("prod"), "v1");
}

/* A shared outage begins while the rollback has the requests already: it stays where a person wanted it. */
static void the_judge_does_not_undo_a_rollback(void **state)
{
	(void)state;
	world.rate_per_s = 20000;
	world.router_delay_ms = 200;
	succeed("v2");
	world_behaviour("v1")->error_bp = SHARE_FULL_BP;
	uint32_t rollout = world_rollback("prod", "");
	assert_string_equal(world_until_end(rollout, 30000), "succeeded");
	assert_string_equal(world_live("prod"), "v1");
	assert_false(world_marked_bad("prod", "v1"));
}

static void a_rollback_that_cannot_be_is_told_as_degraded(void **state)
{
	(void)state;
	succeed("v2");
	world_run(60000);
	world_behaviour("v1")->never_ready = true;
	uint32_t rollout = world_rollback("prod", "");
	assert_string_equal(world_until_end(rollout, 120000), "reverted");
	assert_int_equal(world_view(rollout)->exit_code, 12);
	world_assert_at_rest("prod", "v2", 2);
}

/* --- restart */

static void restart_replaces_every_instance_batch_by_batch(void **state)
{
	(void)state;
	char before[2][INSTANCE_ID_SIZE];
	for (size_t i = 0; i < 2; i++)
		text_copy(before[i], sizeof before[i], world.instances[i].status.id);
	uint32_t rollout = world_restart("prod");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
	for (size_t i = 0; i < 2; i++) {
		struct fake_instance *f = runtime_find(before[i]);
		assert_true(!f || instance_state_over(f->status.state));
	}
	assert_int_equal(world_traffic("shop", "prod")->failed, 0);
}

static void after_a_restart_rollback_goes_to_other_content(void **state)
{
	(void)state;
	succeed("v2");
	assert_string_equal(world_until_end(world_restart("prod"), 60000), "succeeded");
	assert_string_equal(world_until_end(world_rollback("prod", ""), 60000), "succeeded");
	assert_string_equal(world_live("prod"), "v1");
	world_assert_at_rest("prod", "v1", 2);
}

static void after_a_restart_the_same_release_is_still_the_same(void **state)
{
	(void)state;
	assert_string_equal(world_until_end(world_restart("prod"), 60000), "succeeded");
	const char *id = world_release("prod", "v1", world_yaml); /* its tag is its own */
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_tells(world.err.text, "is live in shop/prod already");
	assert_int_equal(world_deploy("prod", id), 0);
	assert_tells(world.err.text, "is live in shop/prod already");
}

static void a_restart_that_fails_leaves_what_was(void **state)
{
	(void)state;
	world_behaviour("v1")->crash_at_start = true;
	uint32_t rollout = world_restart("prod");
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_behaviour("v1")->crash_at_start = false;
	world_assert_at_rest("prod", "v1", 2);
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 60000), "succeeded");
}

/* --- maintenance */

static int maintenance(enum control_access access)
{
	struct control_caller caller = world_caller("");
	return control_maintenance(world.control, &caller, "prod", access, "", &world.err);
}

static void maintenance_answers_for_everybody(void **state)
{
	(void)state;
	assert_int_equal(maintenance(CONTROL_MAINTENANCE), 0);
	world_run(1000);
	assert_string_equal(world_state("prod"), "maintenance");
	assert_true(world_traffic("shop", "prod")->counters.maintenance > 100);
	assert_int_equal(maintenance(CONTROL_OPEN), 0);
	world_assert_at_rest("prod", "v1", 2);
}

static void read_only_goes_on_over_a_rollout_and_a_restart(void **state)
{
	(void)state;
	assert_int_equal(maintenance(CONTROL_READ_ONLY), 0);
	world_run(1000);
	assert_string_equal(world_state("prod"), "read-only");
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 600000), "succeeded");
	assert_string_equal(world_state("prod"), "read-only");
	world_kill();
	world_start();
	world_run(1000);
	assert_string_equal(world_state("prod"), "read-only");
	assert_int_equal(maintenance(CONTROL_OPEN), 0);
	world_run(1000);
	assert_string_equal(world_state("prod"), "serving");
}

static void every_strategy_works_during_maintenance(void **state)
{
	(void)state;
	assert_int_equal(maintenance(CONTROL_MAINTENANCE), 0);
	uint32_t rollout = world_deploy_by("prod", "v2", "again", "");
	/* Nobody can judge it now: the bake asks a person, and nothing else is in the way. */
	assert_true(world_until_state(rollout, "paused", 1200000));
	assert_int_equal(maintenance(CONTROL_OPEN), 0);
	assert_int_equal(world_command("prod", CONTROL_RESUME), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

/* --- requests that are repeated */

static void a_repeated_request_has_one_effect(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy_by("prod", "v2", "", "id-1");
	assert_int_equal(world_deploy_by("prod", "v2", "", "id-1"), rollout);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_int_equal(world_deploy_by("prod", "v2", "", "id-1"), rollout);
	assert_int_equal(world_deploy_by("prod", "v3", "", "id-1"), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);

	struct control_caller caller = world_caller("id-2");
	uint32_t first = 0, again = 0;
	assert_int_equal(control_restart(world.control, &caller, "prod", "", &first, &world.err),
			 0);
	assert_string_equal(world_until_end(first, 60000), "succeeded");
	assert_int_equal(control_restart(world.control, &caller, "prod", "", &again, &world.err),
			 0);
	assert_int_equal(first, again);

	caller = world_caller("id-3");
	struct control_back back = {.to = "", .reason = ""};
	assert_int_equal(
		control_rollback(world.control, &caller, "prod", &back, &first, &world.err), 0);
	assert_string_equal(world_until_end(first, 60000), "succeeded");
	assert_string_equal(world_live("prod"), "v1");
	assert_int_equal(
		control_rollback(world.control, &caller, "prod", &back, &again, &world.err), 0);
	assert_int_equal(first, again);
	world_assert_at_rest("prod", "v1", 2);
}

static void a_repeated_promote_passes_one_step(void **state)
{
	(void)state;
	struct control_caller caller = world_caller("id-4");
	struct control_expect any = {.any = true};
	world.rate_per_s = 0;
	uint32_t rollout = rolling("v2", "10%");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(control_command(world.control, &caller, "prod", CONTROL_PROMOTE,
						 "", &any, &world.err),
				 0);
		world_run(3000);
		const struct view_rollout *v = world_view(rollout);
		assert_string_equal(v->steps[v->step].label, "50%");
	}
}

/* --- what is counted */

static void take_view(void *context, const struct view_environment *v)
{
	*(struct view_environment *)context = *v;
}

static void classes_go_to_the_router_and_counts_come_back(void **state)
{
	(void)state;
	static struct view_environment v;
	char yaml[4096];
	const char *at = strstr(world_yaml, "analysis: { ");
	snprintf(yaml, sizeof yaml,
		 "%.*sanalysis: { classes: { pay: [/pay, /cart], api: [/api] }, %s",
		 (int)(at - world_yaml), world_yaml, at + strlen("analysis: { "));
	world_release("prod", "v9", yaml);
	succeed("v9");
	const struct router_document *d = world_traffic("shop", "prod")->document;
	assert_int_equal(d->class_count, 2);
	assert_string_equal(d->classes[0].name, "api");
	assert_string_equal(d->classes[1].name, "pay");
	assert_string_equal(d->classes[1].paths[1], "/cart");
	assert_int_equal(
		control_view_environments(world.control, "prod", take_view, &v, &world.err), 0);
	assert_int_equal(v.class_count, 3);
	assert_string_equal(v.classes[2].name, "pay");
	assert_true(v.traffic.requests > 100);
	assert_int_equal(v.classes[0].requests, v.traffic.requests);
	for (uint32_t i = 0; i < v.instance_count; i++)
		if (strcmp(v.instances[i].tag, "v9") == 0) {
			assert_true(v.instances[i].requests > 100);
			assert_int_equal(v.instances[i].errors, 0);
		}
}

static void what_the_file_says_of_requests_goes_to_the_router(void **state)
{
	(void)state;
	static const char key[] = "environments:\n  prod: { ";
	char yaml[4096];
	succeed("v2");
	const struct router_document *d = world_traffic("shop", "prod")->document;
	assert_int_equal(d->queue.requests_max, 100);
	assert_int_equal(d->queue.first_count, 1); /* the health check's path */
	assert_string_equal(d->queue.first[0], "/up");
	const char *at = strstr(world_yaml, key);
	assert_non_null(at);
	snprintf(yaml, sizeof yaml,
		 "%.*s%srequests: { connections: 7, queue: { most: 3, for: 2s, first: [/admin] } "
		 "}, %s",
		 (int)(at - world_yaml), world_yaml, key, at + strlen(key));
	world_release("prod", "v9", yaml);
	succeed("v9");
	d = world_traffic("shop", "prod")->document;
	assert_int_equal(d->queue.connections_max, 7);
	assert_int_equal(d->queue.requests_max, 3);
	assert_int_equal(d->queue.time_ms, 2000);
	assert_int_equal(d->queue.first_count, 1);
	assert_string_equal(d->queue.first[0], "/admin");
}

/* --- processes without traffic */

static const char worker_yaml[] =
	"app: shop\n"
	"processes:\n"
	"  worker: { run: bin/worker, instances: 4,"
	" health: { min_healthy: 500ms, deadline: 10s }, stop: { timeout: 1s } }\n"
	"strategies:\n"
	"  few: [{ canary: { steps: [25%], each: { at_least: 2s } } }, switch, { bake: 2s }]\n"
	"environments: { jobs: { strategy: few, keep_warm: 5s } }\n";

static void workers_go_by_instances_where_there_are_no_requests(void **state)
{
	(void)state;
	uint32_t most = 0;
	world_release("jobs", "w1", worker_yaml);
	assert_string_equal(world_until_end(world_deploy("jobs", "w1"), 60000), "succeeded");
	world_release("jobs", "w2", worker_yaml);
	uint32_t rollout = world_deploy("jobs", "w2");
	assert_true(world_until_label(rollout, "25%", 20000));
	world_run(1500);
	most = world_instances("jobs", "w2");
	assert_int_equal(most, 1); /* one of four is the canary */
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_run(60000);
	world_assert_sane();
	assert_int_equal(world_instances("jobs", "w1"), 0);
	assert_int_equal(world_instances("jobs", "w2"), 4);
	world_release("jobs", "w3", worker_yaml);
	world_behaviour("w3")->crash_at_start = true;
	rollout = world_deploy("jobs", "w3");
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_run(60000);
	assert_int_equal(world_instances("jobs", "w2"), 4);
	assert_int_equal(world_instances("jobs", "w3"), 0);
}

/* --- the names of processes */

/* An application may rename its processes as often as it likes; and looking at a plan changes nothing. */
static void processes_may_be_renamed_again_and_again(void **state)
{
	(void)state;
	char yaml[512], tag[16];
	static struct view_plan plan;
	for (int i = 0; i < 14; i++) {
		snprintf(yaml, sizeof yaml,
			 "app: shop\n"
			 "service: { run: bin/x, health: { min_healthy: 100ms } }\n"
			 "processes: { a%d: {}, b%d: {}, c%d: {} }\n"
			 "environments: { odd: { strategy: recreate, analysis: off, keep_warm: 1s "
			 "} }\n",
			 i, i, i);
		snprintf(tag, sizeof tag, "p%d", i);
		world.behaviour_count = 3;
		world_release("odd", tag, yaml);
		assert_int_equal(
			control_view_plan(world.control, "odd", tag, "", 0, &plan, &world.err), 0);
		if (i % 3 != 0)
			continue; /* only looked at */
		uint32_t rollout = world_deploy("odd", tag);
		assert_string_equal(world_until_end(rollout, 600000), "succeeded");
		world_run(60000);
		assert_int_equal(world_instances("odd", tag), 3);
	}
	world_assert_sane();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(abort_goes_back_at_once),
		TEST(pause_holds_everything_and_resume_goes_on),
		TEST(promote_ends_a_step_early),
		TEST(a_command_that_saw_an_earlier_state_is_refused),
		TEST(a_command_where_nothing_rolls_is_refused),
		TEST(a_release_that_is_live_is_not_deployed_again),
		TEST(a_newer_release_waits),
		TEST(of_those_that_wait_only_the_newest_runs),
		TEST(one_that_waits_can_be_withdrawn),
		TEST(a_newer_release_supersedes_where_that_is_wanted),
		TEST(a_release_that_waited_and_is_live_meanwhile_is_withdrawn),
		TEST(two_environments_do_not_know_of_each_other),
		TEST(instances_of_environments_with_similar_names_are_not_confused),
		TEST(rollback_while_warm_is_a_route_at_once),
		TEST(rollback_of_a_cold_release_starts_it_first),
		TEST(rollback_to_a_tag),
		TEST(rollback_while_something_is_on_its_way_turns_it_back),
		TEST(rollback_to_a_third_release_does_not_wait),
		TEST(rollback_said_twice_is_one_rollback),
		TEST(nothing_earlier_nothing_to_go_back_to),
		TEST(a_release_that_is_marked_bad_is_passed_over),
		TEST(the_judge_does_not_undo_a_rollback),
		TEST(a_rollback_that_cannot_be_is_told_as_degraded),
		TEST(restart_replaces_every_instance_batch_by_batch),
		TEST(after_a_restart_rollback_goes_to_other_content),
		TEST(after_a_restart_the_same_release_is_still_the_same),
		TEST(a_restart_that_fails_leaves_what_was),
		TEST(classes_go_to_the_router_and_counts_come_back),
		TEST(what_the_file_says_of_requests_goes_to_the_router),
		TEST(maintenance_answers_for_everybody),
		TEST(read_only_goes_on_over_a_rollout_and_a_restart),
		TEST(every_strategy_works_during_maintenance),
		TEST(a_repeated_request_has_one_effect),
		TEST(a_repeated_promote_passes_one_step),
		TEST(workers_go_by_instances_where_there_are_no_requests),
		TEST(processes_may_be_renamed_again_and_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
