/* SPDX-License-Identifier: Apache-2.0
 * Controls that die, stores that cannot write, routers that are away: the end is the one that was meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* Short steps: the tests below run it once for every instant at which a control may die. */
static const char short_yaml[] =
	"app: shop\n"
	"service:\n"
	"  run: bin/server --port $PORT\n"
	"  instances: 2\n"
	"  health: { path: /up, min_healthy: 100ms, deadline: 5s }\n"
	"  drain: { requests: 1s, websockets: 1s }\n"
	"  stop: { timeout: 1s }\n"
	"analysis: { method: rules, errors: { max: 2%, at_least: 20 requests }, hang: 2s }\n"
	"strategies:\n"
	"  brief: [{ canary: { steps: [50%], each: { at_least: 300ms, at_most: 20s } } }, switch,\n"
	"          { bake: 300ms }]\n"
	"  new: [recreate, { bake: 300ms }]\n"
	"  roll: [{ rolling: { batch: 50%, each: { at_least: 200ms, at_most: 20s } } }]\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: brief, keep_warm: 20s }\n";

static int setup(void **state)
{
	(void)state;
	world_open();
	world_release("prod", "v1", world_yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", world_yaml);
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

/* --- the store */

static void what_cannot_be_committed_is_not_done(void **state)
{
	(void)state;
	uint32_t applied = world_traffic("shop", "prod")->applied_count;
	world_break_store(true);
	assert_int_equal(world_deploy("prod", "v2"), 0);
	world_run(10000);
	assert_int_equal(world_traffic("shop", "prod")->applied_count, applied);
	assert_int_equal(world_instances("prod", "v2"), 0);
	world_break_store(false);
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

static void a_rollout_rests_while_the_store_is_broken_and_goes_on_by_itself(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world_run(500);
	uint32_t step = world_view(rollout)->step;
	world_break_store(true);
	world_run(30000);
	assert_int_equal(world_view(rollout)->step, step);
	assert_int_equal(world_weight("prod", "v2"), 1000);
	assert_true(world_command("prod", CONTROL_ABORT) < 0);
	assert_true(control_degraded(world.control)[0] != '\0');
	assert_string_equal(world_view(rollout)->state, "running");
	world_break_store(false);
	world_run(5000);
	assert_string_equal(control_degraded(world.control), "");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

static void a_verdict_is_not_lost_with_its_commit(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	world_run(500);
	world_break_store(true);
	world_behaviour("v2")->error_bp = SHARE_FULL_BP;
	world_run(1000);
	world_behaviour("v2")->error_bp = 0;
	world.rate_per_s = 0;
	world_run(5000);
	assert_string_equal(world_view(rollout)->state, "running");
	world_break_store(false);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_tells(world_view(rollout)->why, "answered 5xx");
}

static void an_environment_at_rest_does_not_write(void **state)
{
	(void)state;
	world_run(60000);
	world_break_store(true); /* the first commit would be noticed */
	world_run(60000);
	assert_string_equal(control_degraded(world.control), "");
	world_break_store(false);
}

/* --- the control dies */

/* What was counted before is still shown, and still counts for the judge of the whole rollout. */
static void counts_go_on_after_the_control_has_died(void **state)
{
	(void)state;
	world_run(5000); /* v1 has counts of its own from before */
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	world_run(1000);
	const struct view_rollout *v = world_view(rollout);
	uint64_t fresh = v->new_traffic.requests, old = v->old_traffic.requests;
	assert_true(fresh > 20 && old > 20);
	for (int i = 0; i < 3; i++) {
		world_kill();
		world_start();
		world_run(50);
		v = world_view(rollout);
		assert_in_range(v->new_traffic.requests, fresh, fresh + fresh / 2);
		assert_in_range(v->old_traffic.requests, old, old + old / 2);
	}
	/* A gateway that began anew meanwhile counts from 0. */
	struct fake_environment *traffic = world_traffic("shop", "prod");
	world_kill();
	for (uint32_t i = 0; i < traffic->release_count; i++)
		traffic->releases[i].counters = (struct router_counters){.life = 70 + i};
	world_start();
	world_run(50);
	assert_true(world_view(rollout)->new_traffic.requests < fresh);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

/* As if the store were of yesterday: the world has applied documents that it knows nothing of. */
static void outlive_the_store(uint64_t epochs, uint64_t documents)
{
	struct router_document *d = world_traffic("shop", "prod")->document;
	world_kill();
	d->version.epoch += epochs;
	d->version.n += documents << 20;
	for (size_t i = 0; i < world.instance_count; i++) {
		world.instances[i].status.applied.epoch += epochs;
		world.instances[i].status.applied.n += documents;
	}
	world_start();
}

static void a_store_from_a_backup_outdoes_what_runs(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	outlive_the_store(40, 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
	outlive_the_store(1, 1000); /* also of the very epoch that it takes next */
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_assert_at_rest("prod", "v1", 2);
}

static void a_control_that_starts_anew_goes_on_where_it_was(void **state)
{
	(void)state;
	static const char *const labels[] = {"10%", "50%", "bake"};
	uint32_t rollout = world_deploy("prod", "v2");
	for (size_t i = 0; i < 3; i++) {
		assert_true(world_until_label(rollout, labels[i], 60000));
		world_run(300);
		world_kill();
		world_run(3000); /* the world goes on without */
		world.runtime_settle_ms = 700;
		world_start();
		assert_string_equal(world_view(rollout)->steps[world_view(rollout)->step].label,
				    labels[i]);
	}
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
	assert_int_equal(world_traffic("shop", "prod")->failed, 0);
}

static void a_strategy_that_was_asked_for_survives_a_restart(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy_by("prod", "v2", "mix", "");
	assert_true(world_until_label(rollout, "shadow", 60000));
	world_kill();
	world_start();
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_string_equal(world_view(rollout)->strategy, "mix");
	world_assert_at_rest("prod", "v2", 2);
}

static void a_pause_survives_a_restart(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 60000));
	assert_int_equal(world_command("prod", CONTROL_PAUSE), 0);
	world_kill();
	world_start();
	world_run(30000);
	assert_string_equal(world_view(rollout)->state, "paused");
	assert_int_equal(world_command("prod", CONTROL_RESUME), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void what_waits_in_the_queue_survives_a_restart(void **state)
{
	(void)state;
	world_release("prod", "v3", world_yaml);
	uint32_t second = world_deploy("prod", "v2");
	assert_true(world_until_label(second, "10%", 60000));
	uint32_t third = world_deploy("prod", "v3");
	world_kill();
	world_start();
	assert_string_equal(world_until_end(second, 60000), "succeeded");
	assert_string_equal(world_until_end(third, 60000), "succeeded");
	world_assert_at_rest("prod", "v3", 2);
}

static void the_audit_log_survives_everything(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		world_kill();
		world_start();
	}
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 60000), "succeeded");
	world_assert_sane();
}

struct scenario {
	const char *strategy;
	bool bad, back;
	const char *end; /* live in the end */
};

/* CONTROL_EVERY=N: at each Nth instant only, where the others have been tried without a sanitizer already. */
static uint64_t every(void)
{
	const char *said = getenv("CONTROL_EVERY");
	uint64_t n = said ? strtoull(said, NULL, 10) : 0;
	return n ? n : 1;
}

/* One run, in which the control dies at the nth instant that has a name; false when there were fewer. */
static bool dies_at(const struct scenario *s, uint64_t nth)
{
	world_open();
	world_release("prod", "v1", short_yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", short_yaml);
	world_behaviour("v2")->error_bp = s->bad ? SHARE_FULL_BP : 0;
	world.failpoints = 0;
	world.failpoint_at = nth;
	uint32_t rollout = world_insist_deploy("prod", "v2", s->strategy, "one");
	const char *state = world_until_end(rollout, 120000);
	if (strcmp(state, s->bad ? "reverted" : "succeeded") != 0)
		fail_msg("killed at instant %llu it ends %s", (unsigned long long)nth, state);
	if (s->back) {
		uint32_t back = world_insist_rollback("prod", "two");
		assert_string_equal(world_until_end(back, 120000), "succeeded");
	}
	bool died = world.kills > 0;
	world_assert_at_rest("prod", s->end, 2);
	world_close();
	return died;
}

static void it_may_die_at_every_named_instant(void **state)
{
	(void)state;
	static const struct scenario scenarios[] = {
		{"brief", false, false, "v2"}, {"brief", false, true, "v1"},
		{"brief", true, false, "v1"},  {"new", false, false, "v2"},
		{"roll", false, false, "v2"},  {"new", true, false, "v1"},
	};
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
		uint64_t nth = 1 + i % every(); /* not the same ones in each scenario */
		while (dies_at(&scenarios[i], nth))
			nth += every();
		assert_true(nth > 60); /* there are that many, else this tests nothing */
	}
}

/* --- the router is away */

static void a_router_that_is_away_for_a_moment_holds_up_nothing_else(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world.router_down = true;
	world_run(6000);
	world.router_down = false;
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

static void a_router_that_stays_away_ends_the_attempt_when_it_is_back(void **state)
{
	(void)state;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world_run(1000);
	assert_int_equal(world_weight("prod", "v2"), 1000);
	world.router_down = true;
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	world_run(120000);
	assert_string_equal(world_view(rollout)->state, "stuck");
	assert_tells(world_view(rollout)->why, "davit keeps trying");
	world.router_down = false;
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_assert_at_rest("prod", "v1", 2);
}

static void a_router_that_lost_its_table_is_told_again(void **state)
{
	(void)state;
	struct fake_environment *e = world_traffic("shop", "prod");
	world_run(5000);
	free(e->document);
	e->document = NULL;
	world_run(5000);
	assert_non_null(e->document);
	world_assert_at_rest("prod", "v1", 2);
}

/* What an earlier control has put there is taken away by the next. */
static void a_listener_of_nobody_is_closed_after_a_restart(void **state)
{
	(void)state;
	world_close();
	world_open();
	world_release("prod", "v1", world_yaml);
	uint32_t rollout = world_deploy_by("prod", "v1", "swap", "");
	assert_true(world_until_label(rollout, "checks", 20000));
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	world.router_down = true;
	assert_true(world_until_state(rollout, "reverting", 1000));
	world_run(3000);
	world_kill();
	world_start();
	world.router_down = false;
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_assert_at_rest("prod", "", 0);
	assert_null(world_traffic("shop", "prod")->document);
}

/* --- instances nobody knows */

/* As a store that was restored from a copy of yesterday finds them. */
static void instances_of_a_release_that_is_not_there_are_ended(void **state)
{
	(void)state;
	struct instance_spec spec = {.id = "shop-prod-web-1-stranger",
				     .app = "shop",
				     .environment = "prod",
				     .release = "00000000000000000000000000000000"
						"00000000000000000000000000000000",
				     .tag = "v2",
				     .process = "web",
				     .slot = 1,
				     .traffic = true,
				     .artifact = "00000000000000000000000000000000"
						 "00000000000000000000000000000000",
				     .argv = {"x"},
				     .stop_signal = 15,
				     .stop_timeout_ms = 1000};
	if (world.runtime.ops->start(&world.runtime, &spec, (struct instance_version){1, 1},
				     &world.err) < 0)
		fail_msg("%s", world.err.text);
	assert_int_equal(world_instances("prod", "v2"), 1);
	world_assert_at_rest("prod", "v1", 2);
}

static void disk_full_at_the_start_of_instances(void **state)
{
	(void)state;
	world.runtime_refuses = true;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 120000), "reverted");
	assert_tells(world_view(rollout)->why, "The disk is full");
	world.runtime_refuses = false;
	world_assert_at_rest("prod", "v1", 2);
}

static bool stopped;

static void on_stopped(void *context)
{
	(void)context;
	stopped = true;
}

static void all_instances_stop_when_davit_up_ends(void **state)
{
	(void)state;
	stopped = false;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world.runtime_delay_ms = 300;
	control_stop_instances(world.control, on_stopped, NULL);
	world_run(10000);
	assert_true(stopped);
	assert_int_equal(world_instances("prod", "v1") + world_instances("prod", "v2"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_committed_is_not_done),
		TEST(a_rollout_rests_while_the_store_is_broken_and_goes_on_by_itself),
		TEST(a_verdict_is_not_lost_with_its_commit),
		TEST(an_environment_at_rest_does_not_write),
		TEST(counts_go_on_after_the_control_has_died),
		TEST(a_store_from_a_backup_outdoes_what_runs),
		TEST(a_control_that_starts_anew_goes_on_where_it_was),
		TEST(a_strategy_that_was_asked_for_survives_a_restart),
		TEST(a_pause_survives_a_restart),
		TEST(what_waits_in_the_queue_survives_a_restart),
		TEST(the_audit_log_survives_everything),
		cmocka_unit_test(it_may_die_at_every_named_instant),
		TEST(a_router_that_is_away_for_a_moment_holds_up_nothing_else),
		TEST(a_router_that_stays_away_ends_the_attempt_when_it_is_back),
		TEST(a_router_that_lost_its_table_is_told_again),
		TEST(a_listener_of_nobody_is_closed_after_a_restart),
		TEST(instances_of_a_release_that_is_not_there_are_ended),
		TEST(disk_full_at_the_start_of_instances),
		TEST(all_instances_stop_when_davit_up_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
