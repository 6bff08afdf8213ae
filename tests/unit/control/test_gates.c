/* SPDX-License-Identifier: Apache-2.0
 * What stands between a release and an environment: approvals, the environment before, windows, freezes. */
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static const char server_yaml[] = "people:\n"
				  "  ann: [\"user:ann\"]\n"
				  "  bob: [\"user:bob\"]\n"
				  "  cat: [\"user:cat\"]\n"
				  "  eve: [\"user:eve\"]\n"
				  "groups: { managers: [ann, bob, cat] }\n";

#define SERVICE                                                                               \
	"app: shop\n"                                                                         \
	"service:\n"                                                                          \
	"  run: bin/server --port $PORT\n"                                                    \
	"  instances: 2\n"                                                                    \
	"  health: { path: /up, interval: 1s, min_healthy: 500ms, deadline: 10s }\n"          \
	"  drain: { requests: 2s, websockets: 2s }\n"                                         \
	"  stop: { timeout: 1s }\n"                                                           \
	"analysis: { method: rules, errors: { max: 2%, at_least: 50 requests }, hang: 2s }\n" \
	"strategies:\n"                                                                       \
	"  quick:\n"                                                                          \
	"    - canary: { steps: [10%, 50%], each: { at_least: 2s, at_most: 20s } }\n"         \
	"    - switch\n"

#define ENVIRONMENTS(prod)                                                                     \
	SERVICE "environments:\n"                                                              \
		"  staging: { listen: \"127.0.0.1:8081\", strategy: quick, keep_warm: 20s }\n" \
		"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, keep_warm: 20s, " prod \
		" }\n"

static const char approved[] = ENVIRONMENTS("approve: { by: [managers], count: 1, expires: 20m }");
static const char promoted[] = ENVIRONMENTS("from: staging, approve: { by: [managers] }");

static int setup(void **state)
{
	(void)state;
	world_open();
	world_server(server_yaml);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_assert_sane();
	world_close();
	return 0;
}

static void assert_tells(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* v1 is live in prod without a question, v2 waits for one. */
static uint32_t waiting(const char *yaml)
{
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", yaml);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_state(rollout, "gated", 5000));
	return rollout;
}

static const char *answer_state(uint32_t rollout)
{
	world_run(3000);
	return world_view(rollout)->state;
}

/* --- approvals */

static void nothing_begins_before_somebody_says_yes(void **state)
{
	(void)state;
	uint32_t rollout = waiting(approved);
	world_run(10 * MINUTE);
	assert_string_equal(world_view(rollout)->state, "gated");
	assert_int_equal(world_instances("prod", "v2"), 0);
	assert_tells(world_view(rollout)->why, "needs the approval of 1 person of managers");
	assert_tells(world_view(rollout)->next, "davit approve prod");
	assert_int_equal(world_answer("prod", "bob", CONTROL_ANSWER_YES), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_assert_at_rest("prod", "v2", 2);
}

static void who_made_it_or_is_a_stranger_does_not_count(void **state)
{
	(void)state;
	uint32_t rollout = waiting(approved);
	assert_int_equal(world_answer("prod", "ann", CONTROL_ANSWER_YES), ERR_DENIED);
	assert_tells(world.err.text, "another person");
	assert_int_equal(world_answer("prod", "eve", CONTROL_ANSWER_YES), ERR_DENIED);
	assert_tells(world.err.text, "members of managers");
	assert_int_equal(world_answer("prod", "eve", CONTROL_ANSWER_NO), ERR_DENIED);
	assert_string_equal(answer_state(rollout), "gated");
}

static void two_persons_are_two_persons(void **state)
{
	(void)state;
	uint32_t rollout = waiting(ENVIRONMENTS("approve: { by: [managers], count: 2 }"));
	assert_int_equal(world_answer("prod", "bob", CONTROL_ANSWER_YES), 0);
	assert_int_equal(world_answer("prod", "bob", CONTROL_ANSWER_YES), 0);
	assert_string_equal(answer_state(rollout), "gated");
	assert_int_equal(world_view(rollout)->gate.given, 1);
	assert_int_equal(world_answer("prod", "cat", CONTROL_ANSWER_YES), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void the_server_asks_for_more_than_the_commit(void **state)
{
	(void)state;
	char yaml[1024];
	snprintf(yaml, sizeof yaml,
		 "%sprotect: { shop/prod: { approve: { by: [managers], count: 2 } } }\n",
		 server_yaml);
	world_server(yaml);
	uint32_t rollout = 0;
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	rollout = world_deploy("prod", "v1");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_int_equal(world_view(rollout)->gate.needed, 2);
	world_answer("prod", "bob", CONTROL_ANSWER_YES);
	assert_string_equal(answer_state(rollout), "gated");
	world_answer("prod", "cat", CONTROL_ANSWER_YES);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

/* A commit that says nothing of where it comes from, or when, comes from there and then all the same. */
static void no_commit_leaves_the_way_that_the_server_says(void **state)
{
	(void)state;
	char yaml[1024];
	snprintf(yaml, sizeof yaml, "%sprotect: { shop/prod: { from: staging, soak: 5m } }\n",
		 server_yaml);
	world_server(yaml);
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_tells(world.err.text, "was never live in staging");
	assert_string_equal(world_until_end(world_deploy("staging", "v1"), 60000), "succeeded");
	uint32_t rollout = world_deploy("prod", "v1");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_tells(world_view(rollout)->why, "it has to stay good in staging for another");
	assert_string_equal(world_until_end(rollout, 6 * MINUTE), "succeeded");
	/* A longer soak of its own counts. */
	world_release("prod", "v2", ENVIRONMENTS("from: staging, soak: 20m"));
	assert_string_equal(world_until_end(world_deploy("staging", "v2"), 60000), "succeeded");
	rollout = world_deploy("prod", "v2");
	world_run(10 * MINUTE);
	assert_string_equal(world_view(rollout)->state, "gated");
	assert_string_equal(world_until_end(rollout, 12 * MINUTE), "succeeded");
}

/* A commit that leaves its checks or its analysis out stays where it is, whichever strategy it is sent by. */
static void no_commit_leaves_out_what_the_server_asks(void **state)
{
	(void)state;
	char yaml[1024];
	snprintf(yaml, sizeof yaml,
		 "%sprotect: { shop/prod: { verify: smoke, analysis: [errors, latency] } }\n",
		 server_yaml);
	world_server(yaml);
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_int_equal(world.err.code, ERR_DENIED);
	assert_tells(world.err.text, "v1 leaves out what the server's own file asks of shop/prod: "
				     "the check smoke (verify), latency (analysis)");
	assert_string_equal(world_until_end(world_deploy("staging", "v1"), 60000), "succeeded");
	world_release(
		"prod", "v2",
		ENVIRONMENTS(
			"verify: [smoke], analysis: { latency: { p99: { max: 1s } } }") "checks: { "
											"smoke: [{ "
											"get: /up "
											"}] }\n");
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 60000), "succeeded");
}

/* Who is only let in has to be somebody, and to be asked. */
static void a_guest_answers_where_he_is_named(void **state)
{
	(void)state;
	uint32_t rollout = waiting(approved);
	struct control_caller caller = {.who = "managers"};
	struct control_answer answer = {.verdict = CONTROL_ANSWER_YES, .guest = true};
	assert_int_equal(control_answer(world.control, &caller, "prod", &answer, &world.err),
			 ERR_DENIED);
	assert_tells(world.err.text, "people whom the server's own file names");
	text_copy(caller.who, sizeof caller.who, "bob");
	assert_int_equal(control_answer(world.control, &caller, "prod", &answer, &world.err), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	/* Where no group is asked, it is whoever may command the server: of guests, who may deploy. */
	world_release("prod", "v3", ENVIRONMENTS("approve: { count: 1, expires: 20m }"));
	rollout = world_deploy("prod", "v3");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_int_equal(control_answer(world.control, &caller, "prod", &answer, &world.err),
			 ERR_DENIED);
	char yaml[1024];
	snprintf(yaml, sizeof yaml, "%sprotect: { shop/prod: { deploy: [bob] } }\n", server_yaml);
	world_server(yaml);
	assert_int_equal(control_answer(world.control, &caller, "prod", &answer, &world.err), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

/* Who leaves the group before it begins has not said anything. */
static void a_yes_counts_while_the_person_may_say_it(void **state)
{
	(void)state;
	uint32_t rollout = waiting(ENVIRONMENTS("approve: { by: [managers], count: 2 }"));
	world_answer("prod", "bob", CONTROL_ANSWER_YES);
	world_server("people: { cat: [\"user:cat\"], dan: [\"user:dan\"] }\n"
		     "groups: { managers: [cat, dan] }\n");
	world_answer("prod", "cat", CONTROL_ANSWER_YES);
	assert_string_equal(answer_state(rollout), "gated");
	assert_int_equal(world_view(rollout)->gate.given, 1);
}

static void an_answer_to_something_else_is_refused(void **state)
{
	(void)state;
	uint32_t rollout = waiting(approved);
	struct control_caller bob = {.who = "bob"};
	struct control_answer answer = {.verdict = CONTROL_ANSWER_YES};
	memset(answer.hash, 'a', sizeof answer.hash - 1);
	assert_int_equal(control_answer(world.control, &bob, "prod", &answer, &world.err),
			 ERR_CONFLICT);
	text_copy(answer.hash, sizeof answer.hash, world_view(rollout)->gate.hash);
	assert_int_equal(control_answer(world.control, &bob, "prod", &answer, &world.err), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_int_equal(world_answer("prod", "bob", CONTROL_ANSWER_YES), ERR_CONFLICT);
}

static void a_no_ends_it(void **state)
{
	(void)state;
	uint32_t rollout = waiting(approved);
	assert_int_equal(world_answer("prod", "cat", CONTROL_ANSWER_NO), 0);
	assert_string_equal(world_until_end(rollout, 5000), "rejected");
	assert_int_equal(world_view(rollout)->exit_code, 13);
	assert_tells(world_view(rollout)->why, "rejected by cat: so I say");
	world_assert_at_rest("prod", "v1", 2);
}

static void no_answer_in_time_is_a_no(void **state)
{
	(void)state;
	uint32_t rollout = waiting(approved);
	world_run(19 * MINUTE);
	assert_string_equal(world_view(rollout)->state, "gated");
	world_run(2 * MINUTE);
	assert_string_equal(world_view(rollout)->state, "rejected");
	assert_tells(world_view(rollout)->why, "nobody approved it within");
}

static void an_emergency_takes_two(void **state)
{
	(void)state;
	uint32_t rollout = waiting(ENVIRONMENTS("approve: { by: [managers], count: 3 }"));
	struct control_caller bob = {.who = "bob"};
	struct control_answer silent = {.verdict = CONTROL_ANSWER_EMERGENCY};
	assert_int_equal(control_answer(world.control, &bob, "prod", &silent, &world.err),
			 ERR_INVALID);
	world_answer("prod", "bob", CONTROL_ANSWER_EMERGENCY);
	assert_string_equal(answer_state(rollout), "gated");
	world_answer("prod", "ann", CONTROL_ANSWER_EMERGENCY);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void what_waits_makes_way_for_going_back_and_for_newer(void **state)
{
	(void)state;
	uint32_t rollout = waiting(approved);
	assert_int_equal(world_restart("prod"), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);
	world_release("prod", "v3", approved);
	uint32_t newer = world_deploy("prod", "v3");
	assert_string_equal(world_until_end(rollout, 5000), "superseded");
	assert_true(world_until_state(newer, "gated", 5000));
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	assert_string_equal(world_until_end(newer, 5000), "cancelled");
}

static void answers_survive_the_controller(void **state)
{
	(void)state;
	uint32_t rollout = waiting(ENVIRONMENTS("approve: { by: [managers], count: 2 }"));
	world_answer("prod", "bob", CONTROL_ANSWER_YES);
	world_kill();
	world_start();
	world_run(2000);
	assert_string_equal(world_view(rollout)->state, "gated");
	assert_int_equal(world_view(rollout)->gate.given, 1);
	world_answer("prod", "cat", CONTROL_ANSWER_YES);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

/* --- the environment before */

static void what_was_not_good_before_does_not_come(void **state)
{
	(void)state;
	world_release("prod", "v1", promoted);
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);
	assert_tells(world.err.text, "davit deploy staging v1");
}

static uint32_t last_rollout(const char *environment)
{
	static struct view_rollout view;
	if (control_view_rollout(world.control, environment, &view, &world.err) < 0)
		return 0;
	return view.number;
}

static void what_is_good_is_offered_once(void **state)
{
	(void)state;
	world_release("staging", "v1", promoted);
	assert_string_equal(world_until_end(world_deploy("staging", "v1"), 60000), "succeeded");
	world_run(1000);
	uint32_t offered = last_rollout("prod");
	assert_true(world_until_state(offered, "gated", 5000));
	assert_tells(world_view(offered)->reason, "good in staging");
	assert_int_equal(world_answer("prod", "ann", CONTROL_ANSWER_YES), ERR_DENIED); /* made it */
	world_answer("prod", "cat", CONTROL_ANSWER_NO);
	assert_string_equal(world_until_end(offered, 5000), "rejected");
	world_kill();
	world_start();
	world_run(30000);
	assert_int_equal(last_rollout("prod"), offered);
	assert_true(world_deploy("prod", "v1") > offered); /* by hand it may come again */
}

/* So many failpoints are passed from the deployment to staging to the offer in prod. */
static uint64_t points_until_offered(void)
{
	world_release("staging", "v1", promoted);
	uint64_t before = world.failpoints;
	assert_int_not_equal(world_deploy("staging", "v1"), 0);
	world_run(30000);
	assert_true(world_until_state(last_rollout("prod"), "gated", 5000));
	return world.failpoints - before;
}

static void killed_at(uint64_t point)
{
	world_close();
	world_open();
	world_server(server_yaml);
	world_release("staging", "v1", promoted);
	world.failpoint_at = world.failpoints + point;
	world_insist_deploy("staging", "v1", "", "one");
	world_run(30000);
	uint32_t offered = last_rollout("prod");
	assert_true(world_until_state(offered, "gated", 5000));
	world.failpoint_at = world.failpoints + point % 8 + 1;
	world_answer("prod", "bob", CONTROL_ANSWER_YES);
	world_run(2000);
	if (strcmp(world_view(offered)->state, "gated") == 0)
		world_answer("prod", "bob", CONTROL_ANSWER_YES);
	assert_string_equal(world_until_end(offered, 60000), "succeeded");
	assert_int_equal(last_rollout("prod"), offered);
	assert_int_not_equal(world.kills, 0);
	world_assert_sane();
}

static void an_offer_survives_a_kill_at_any_point(void **state)
{
	(void)state;
	uint64_t points = points_until_offered();
	for (uint64_t point = 1; point <= points; point += points / 40 + 1)
		killed_at(point);
}

static void what_was_gone_back_to_is_not_offered(void **state)
{
	(void)state;
	for (int i = 1; i <= 2; i++) {
		char tag[8];
		snprintf(tag, sizeof tag, "v%d", i);
		world_release("staging", tag, promoted);
		assert_string_equal(world_until_end(world_deploy("staging", tag), 60000),
				    "succeeded");
		world_run(2000);
		world_answer("prod", "bob", CONTROL_ANSWER_NO);
		world_run(2000);
	}
	uint32_t last = last_rollout("prod");
	assert_string_equal(world_until_end(world_rollback("staging", ""), 60000), "succeeded");
	world_run(10000);
	assert_string_equal(world_live("staging"), "v1");
	assert_int_equal(last_rollout("prod"), last);
}

static void a_no_takes_the_environment_before_back(void **state)
{
	(void)state;
	static const char yaml[] =
		ENVIRONMENTS("from: staging, approve: { by: [managers], on_reject: rollback }");
	world_release("staging", "v1", yaml);
	world_deploy("staging", "v1");
	world_run(40000);
	world_answer("prod", "bob", CONTROL_ANSWER_YES);
	world_run(60000);
	assert_string_equal(world_live("prod"), "v1");
	world_release("staging", "v2", yaml);
	assert_string_equal(world_until_end(world_deploy("staging", "v2"), 60000), "succeeded");
	world_run(2000);
	world_answer("prod", "cat", CONTROL_ANSWER_NO);
	world_run(60000);
	assert_string_equal(world_live("prod"), "v1");
	assert_string_equal(world_live("staging"), "v1");
}

static void it_has_to_stay_good_for_a_while(void **state)
{
	(void)state;
	static const char yaml[] = ENVIRONMENTS("from: staging, soak: 5m");
	world_release("staging", "v1", yaml);
	assert_string_equal(world_until_end(world_deploy("staging", "v1"), 60000), "succeeded");
	world_run(5000);
	uint32_t rollout = world_deploy("prod", "v1");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_tells(world_view(rollout)->why, "has to stay good in staging for another 4m");
	world_run(4 * MINUTE);
	assert_string_equal(world_view(rollout)->state, "gated");
	world_run(70000);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void what_stops_being_good_meanwhile_does_not_come(void **state)
{
	(void)state;
	static const char yaml[] = ENVIRONMENTS("from: staging, soak: 5m");
	struct control_caller ann = world_caller("");
	world_release("staging", "v1", yaml);
	assert_string_equal(world_until_end(world_deploy("staging", "v1"), 60000), "succeeded");
	uint32_t rollout = world_deploy("prod", "v1");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_int_equal(control_mark_release(world.control, &ann, "v1", "staging", true, "slow",
					      &world.err),
			 0);
	assert_string_equal(world_until_end(rollout, 5000), "rejected");
	assert_tells(world_view(rollout)->why, "not good in staging any more");
}

/* --- windows */

/* Every day from then on, to the minute. */
static const char *window_yaml(uint64_t opens_in_ms, uint64_t long_ms)
{
	static char yaml[2048];
	uint64_t from = (env_wall_ms(&world.env) + opens_in_ms) / 60000 % 1440,
		 until = (from + long_ms / 60000) % 1440;
	char prod[128];
	snprintf(prod, sizeof prod, "windows: { hours: \"%02u:%02u-%02u:%02u\" }",
		 (unsigned)from / 60, (unsigned)from % 60, (unsigned)until / 60,
		 (unsigned)until % 60);
	snprintf(yaml, sizeof yaml,
		 "%senvironments:\n  prod: { listen: \"127.0.0.1:8080\", strategy: quick, %s }\n",
		 SERVICE, prod);
	return yaml;
}

static void it_begins_when_the_window_opens(void **state)
{
	(void)state;
	world_release("prod", "v1", window_yaml(10 * MINUTE, HOUR));
	uint32_t rollout = world_deploy("prod", "v1");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_tells(world_view(rollout)->why, "the window for releases opens in 9m");
	world_run(8 * MINUTE);
	assert_string_equal(world_view(rollout)->state, "gated");
	world_run(2 * MINUTE);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

/* Both have to be open: the one of the server's file opens later. */
static void the_servers_window_holds_as_well(void **state)
{
	(void)state;
	char yaml[1024];
	const char *own = window_yaml(10 * MINUTE, 6 * HOUR);
	uint64_t opens = env_wall_ms(&world.env) / 60000 + 30, ends = opens + 120;
	snprintf(yaml, sizeof yaml,
		 "%sprotect: { shop/prod: { windows: { hours: \"%02u:%02u-%02u:%02u\" } } }\n",
		 server_yaml, (unsigned)(opens / 60 % 24), (unsigned)(opens % 60),
		 (unsigned)(ends / 60 % 24), (unsigned)(ends % 60));
	world_server(yaml);
	world_release("prod", "v1", own);
	uint32_t rollout = world_deploy("prod", "v1");
	world_run(15 * MINUTE);
	assert_string_equal(world_view(rollout)->state, "gated");
	assert_string_equal(world_until_end(rollout, 20 * MINUTE), "succeeded");
	/* And alone, where the commit says nothing. */
	world_run(3 * HOUR);
	world_release("prod", "v2", ENVIRONMENTS("retain: 6"));
	rollout = world_deploy("prod", "v2");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_tells(world_view(rollout)->why, "the window for releases opens in");
}

static void outside_of_the_window_a_release_gets_no_more(void **state)
{
	(void)state;
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	uint64_t into = env_wall_ms(&world.env) % 60000; /* windows begin with a minute */
	world_run(60000 - into + 100);
	world_release("prod", "v2", window_yaml(0, 60000));
	uint32_t rollout = world_deploy("prod", "v2");
	world_run(50000);
	assert_string_equal(world_live("prod"), "v2"); /* quick enough */
	world_rollback("prod", "");
	world_run(30000); /* a rollback asks for no window */
	assert_string_equal(world_live("prod"), "v1");
	(void)rollout;
	world_behaviour("v3")->start_ms = 8000;
	into = env_wall_ms(&world.env) % 60000;
	world_run(60000 - into + 48000); /* the last seconds of a minute */
	world_release("prod", "v3", window_yaml(0, 60000));
	rollout = world_deploy("prod", "v3");
	world_run(60000);
	assert_true(world_weight("prod", "v3") < 10000);
	assert_string_equal(world_view(rollout)->state, "paused");
	assert_tells(world_view(rollout)->why, "frozen");
}

static void an_unknown_zone_is_refused_at_once(void **state)
{
	(void)state;
	world_release("prod", "v1", ENVIRONMENTS("windows: { days: mon, zone: Mars/Olympus }"));
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_tells(world.err.text, "Mars/Olympus");
}

/* --- freezes */

static void a_freeze_refuses_and_a_rollback_ignores_it(void **state)
{
	(void)state;
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	world_release("prod", "v2", ENVIRONMENTS("retain: 6"));
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 60000), "succeeded");
	assert_int_equal(world_freeze("prod", true, 0), 0);
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);
	assert_tells(world.err.text, "frozen (holidays, by ann)");
	world_kill();
	world_start();
	world_run(2000);
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_string_equal(world_until_end(world_rollback("prod", ""), 60000), "succeeded");
	assert_int_equal(world_freeze("prod", false, 0), 0);
	assert_int_equal(world_freeze("prod", false, 0), ERR_CONFLICT);
	world_release("prod", "v3", ENVIRONMENTS("retain: 7"));
	assert_string_equal(world_until_end(world_deploy("prod", "v3"), 60000), "succeeded");
}

static void a_freeze_ends_by_itself(void **state)
{
	(void)state;
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	assert_int_equal(world_freeze("prod", true, 10 * MINUTE), 0);
	world_run(9 * MINUTE);
	assert_int_equal(world_deploy("prod", "v1"), 0);
	world_run(2 * MINUTE);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
}

static void a_freeze_holds_what_is_under_way(void **state)
{
	(void)state;
	world_release("prod", "v1", ENVIRONMENTS("retain: 6"));
	world_release("prod", "v2", ENVIRONMENTS("retain: 7"));
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 30000));
	world_run(200);
	world_freeze("prod", true, 0);
	world_run(60000);
	assert_int_equal(world_weight("prod", "v2"), 1000);
	assert_string_equal(world_view(rollout)->state, "paused");
	world_freeze("prod", false, 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void an_offer_waits_for_the_end_of_a_freeze(void **state)
{
	(void)state;
	world_release("staging", "v1", promoted);
	world_release("prod", "v0", ENVIRONMENTS("retain: 6"));
	assert_string_equal(world_until_end(world_deploy("prod", "v0"), 60000), "succeeded");
	world_freeze("prod", true, 0);
	assert_string_equal(world_until_end(world_deploy("staging", "v1"), 60000), "succeeded");
	world_run(10000);
	assert_string_equal(world_live("prod"), "v0");
	world_freeze("prod", false, 0);
	world_run(2000);
	assert_int_equal(world_answer("prod", "bob", CONTROL_ANSWER_YES), 0);
	world_run(60000);
	assert_string_equal(world_live("prod"), "v1");
}

/* --- verify */

static void what_does_not_pass_its_checks_with_all_requests_goes_back(void **state)
{
	(void)state;
	static const char yaml[] =
		SERVICE "checks: { late: [{ get: /deep }] }\n"
			"environments:\n"
			"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, verify: [late] }\n";
	world_release("prod", "v1", yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", yaml);
	world_behaviour("v2")->checks_fail = true;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "verify", 60000));
	assert_int_equal(world_weight("prod", "v2"), 10000);
	world_run(100);
	assert_string_equal(world.check.checks[0].path, "/deep");
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	assert_true(world_marked_bad("prod", "v2"));
	world_assert_at_rest("prod", "v1", 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_begins_before_somebody_says_yes),
		TEST(who_made_it_or_is_a_stranger_does_not_count),
		TEST(two_persons_are_two_persons),
		TEST(the_server_asks_for_more_than_the_commit),
		TEST(a_yes_counts_while_the_person_may_say_it),
		TEST(an_answer_to_something_else_is_refused),
		TEST(a_no_ends_it),
		TEST(no_answer_in_time_is_a_no),
		TEST(an_emergency_takes_two),
		TEST(what_waits_makes_way_for_going_back_and_for_newer),
		TEST(answers_survive_the_controller),
		TEST(what_was_not_good_before_does_not_come),
		TEST(what_is_good_is_offered_once),
		TEST(an_offer_survives_a_kill_at_any_point),
		TEST(what_was_gone_back_to_is_not_offered),
		TEST(a_no_takes_the_environment_before_back),
		TEST(it_has_to_stay_good_for_a_while),
		TEST(what_stops_being_good_meanwhile_does_not_come),
		TEST(it_begins_when_the_window_opens),
		TEST(no_commit_leaves_the_way_that_the_server_says),
		TEST(no_commit_leaves_out_what_the_server_asks),
		TEST(a_guest_answers_where_he_is_named),
		TEST(the_servers_window_holds_as_well),
		TEST(outside_of_the_window_a_release_gets_no_more),
		TEST(an_unknown_zone_is_refused_at_once),
		TEST(a_freeze_refuses_and_a_rollback_ignores_it),
		TEST(a_freeze_ends_by_itself),
		TEST(a_freeze_holds_what_is_under_way),
		TEST(an_offer_waits_for_the_end_of_a_freeze),
		TEST(what_does_not_pass_its_checks_with_all_requests_goes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
