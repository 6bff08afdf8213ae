/* SPDX-License-Identifier: Apache-2.0
 * What whoever is asked is shown of a rollout that waits: tests, commits, configuration, the environment before. */
#include <stdio.h>
#include <string.h>

#include "control/builds.h"
#include "control/config_compare.h"
#include "provider/history.h"
#include "world.h"
#include "world_builds.h"

#define SERVICE                                                          \
	"app: shop\n"                                                    \
	"service:\n"                                                     \
	"  run: bin/server --port $PORT\n"                               \
	"  health: { path: /up, interval: 1s, min_healthy: 500ms }\n"    \
	"  env: { TOKEN: 'hush-%s' }\n"                                  \
	"  instances: %u\n"                                              \
	"analysis: off\n"                                                \
	"strategies: { quick: [switch] }\n"                              \
	"checks: { smoke: [{ get: /up, expect: 200 }] }\n"               \
	"environments:\n"                                                \
	"  staging: { listen: \"127.0.0.1:8081\", strategy: quick%s }\n" \
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, from: staging%s }\n"

static struct {
	struct history history;
	bool fails;
	uint32_t count;
} script;

/* How an environment stands is no matter here. */
static int standing(struct history *history, struct history_standing *to, struct error *err)
{
	(void)history;
	(void)to;
	return error_set(err, ERR_INVALID, "Nobody asked.");
}

static int between(struct history *history, struct history_span *span, struct error *err)
{
	(void)history;
	if (script.fails)
		return error_set(err, ERR_INVALID, "git cannot say it.");
	span->count = script.count;
	for (uint32_t i = 0; i < script.count; i++) {
		struct history_commit *c = &span->commits[i];
		*c = (struct history_commit){.committed_unix_s = 1000 + i};
		snprintf(c->id, sizeof c->id, "%u", i + 1);
		snprintf(c->author, sizeof c->author, "Bob <bob@example.com>");
		snprintf(c->subject, sizeof c->subject, "Change %u", i + 1);
	}
	return 0;
}

static int setup(void **state)
{
	static const struct history_ops ops = {.between = between, .standing = standing};
	memset(&script, 0, sizeof script);
	script.history =
		(struct history){.ops = &ops, .hosted = "/srv/hosted/", .copies = "/srv/copies/"};
	script.count = 2;
	int result = builder_setup(state);
	world.history = &script.history;
	world_kill();
	world_start();
	return result;
}

static int teardown(void **state)
{
	int result = builder_teardown(state);
	world.history = NULL;
	return result;
}

static void configure(const char *token, uint32_t instances, const char *staging, const char *prod)
{
	char yaml[2048];
	snprintf(yaml, sizeof yaml, SERVICE, token, instances, staging, prod);
	builder_file("davit.yaml", yaml);
}

static void stage(uint32_t place, const char *name, uint32_t tests, uint32_t failed,
		  uint32_t skipped)
{
	struct builds_stage s = {.state = "passed",
				 .attempt = 1,
				 .tests = tests,
				 .failed = failed,
				 .skipped = skipped};
	text_copy(s.name, sizeof s.name, name);
	world_builder.builds.listener.stage(world_builder.builds.listener.context,
					    world_builder.running, place, &s);
}

/* A commit goes to an environment, and is live there or waits. Its release. */
static const char *goes_to(char digit, const char *environment)
{
	char content[] = "content of 0";
	content[11] = digit;
	uint32_t number = order_commit(digit, "refs/heads/main", environment);
	world_run(500);
	assert_int_equal(world_builder.running, number);
	stage(0, "unit", 40, 0, 2);
	stage(1, "lint", 0, 0, 0);
	stage(2, "pages", 8, 1, 0);
	builder_ends("passed", builder_archive(content), NULL);
	world_run(60000);
	return build_row(number)->release;
}

/* What was good in staging is offered to prod by itself. */
static const struct view_gate *asked(void)
{
	struct view_rollout *view = mem_new(sizeof *view);
	if (control_view_rollout(world.control, "shop/prod", view, &world.err) < 0)
		fail_msg("%s", world.err.text);
	uint32_t rollout = view->number;
	free(view);
	assert_true(world_until_state(rollout, "gated", 5000));
	world_run(1000);
	const struct view_gate *gate = &world_view(rollout)->gate;
	assert_true(gate->waits);
	return gate;
}

static const char checked[] = ", verify: [smoke]";
static const char approved[] = ", approve: { count: 1 }";

/* The first goes live in prod, the second waits there. */
static const struct view_gate *second_waits(void)
{
	char first[DIGEST_HEX_SIZE];
	configure("one", 2, checked, "");
	text_copy(first, sizeof first, goes_to('1', "staging"));
	assert_string_equal(world_until_end(world_deploy("prod", first), 60000), "succeeded");
	configure("two", 3, "", approved);
	goes_to('2', "staging");
	return asked();
}

static const struct view_change *change_of(const struct view_changes *changes, const char *part)
{
	for (uint32_t i = 0; i < changes->count; i++)
		if (strstr(changes->items[i].key, part))
			return &changes->items[i];
	fail_msg("\"%s\" is in no key that differs", part);
	return NULL;
}

static void tests_of_all_stages_are_added_up(void **state)
{
	(void)state;
	const struct view_tests *tests = &second_waits()->brought.tests;
	assert_int_equal(tests->build, 2);
	assert_int_equal(tests->stages, 2);
	assert_int_equal(tests->run, 48);
	assert_int_equal(tests->failed, 1);
	assert_int_equal(tests->skipped, 2);
}

static void commits_are_named_and_the_rest_is_counted(void **state)
{
	(void)state;
	script.count = VIEW_COMMITS_MAX + 3;
	const struct view_commits *commits = &second_waits()->brought.commits;
	assert_string_equal(commits->state, "known");
	assert_int_equal(commits->count, VIEW_COMMITS_MAX);
	assert_int_equal(commits->more, 3);
	assert_string_equal(commits->items[0].id, "1");
	assert_string_equal(commits->items[0].author, "Bob <bob@example.com>");
	assert_string_equal(commits->items[1].subject, "Change 2");
}

static void what_git_cannot_say_is_said_with_the_commit_that_was_built(void **state)
{
	(void)state;
	script.fails = true;
	const struct view_commits *commits = &second_waits()->brought.commits;
	assert_string_equal(commits->state, "unknown");
	assert_string_equal(commits->why, "git cannot say it.");
	assert_int_equal(commits->count, 1);
	assert_int_equal(commits->items[0].id[0], '2');
	assert_string_equal(commits->items[0].subject, "A change");
}

static void keys_that_differ_are_named_and_secrets_are_not(void **state)
{
	(void)state;
	const struct view_changes *changes = &second_waits()->brought.changes;
	assert_true(changes->compared);
	const struct view_change *instances = change_of(changes, "instances");
	assert_string_equal(instances->from, "2");
	assert_string_equal(instances->to, "3");
	const struct view_change *token = change_of(changes, "TOKEN");
	assert_true(token->hidden);
	assert_null(strstr(token->from, "hush"));
	assert_null(strstr(token->to, "hush"));
	change_of(changes, "approve");
}

static void checks_of_the_environment_before_are_told_and_so_is_that_there_were_none(void **state)
{
	(void)state;
	configure("one", 2, checked, approved);
	goes_to('1', "staging");
	const struct view_gate *gate = asked();
	assert_string_equal(gate->from, "staging");
	assert_int_equal(gate->brought.checks.steps, 1);
	assert_string_equal(gate->brought.checks.verdict, "pass");
	assert_int_equal(gate->brought.checks.rollout, 1);
	assert_true(gate->brought.checks.at_unix_ms > 0);
	/* Nothing is live yet: there is nothing to compare with. */
	assert_false(gate->brought.changes.compared);
	assert_string_equal(gate->brought.commits.state, "unknown");
	assert_string_equal(gate->brought.commits.why, "nothing is live here yet");
	world_answer("prod", "bob", CONTROL_ANSWER_YES);
	world_run(60000);
	/* The next commit checks nothing in staging. */
	configure("one", 2, "", approved);
	goes_to('2', "staging");
	gate = asked();
	assert_int_equal(gate->brought.checks.steps, 0);
	assert_string_equal(gate->brought.checks.verdict, "");
	assert_true(gate->brought.checks.rollout > 0);
}

static void a_release_from_elsewhere_says_what_is_not_known(void **state)
{
	(void)state;
	char yaml[2048];
	snprintf(yaml, sizeof yaml, SERVICE, "one", 1u, "", approved);
	const char *release = world_release("staging", "v9", yaml);
	assert_string_equal(world_until_end(world_deploy("staging", release), 60000), "succeeded");
	assert_true(world_deploy("prod", release) > 0);
	const struct view_gate *gate = asked();
	assert_int_equal(gate->brought.tests.build, 0);
	assert_string_equal(gate->brought.commits.why, "the release was not built here");
	assert_int_equal(gate->brought.commits.count, 0);
	assert_int_equal(world_answer("prod", "bob", CONTROL_ANSWER_YES), 0);
}

static void keep_last(void *context, const struct config_change *change)
{
	*(struct config_change *)context = *change;
}

/* What is cut in the middle of a character would be no text any more, and be left out where it is shown. */
static void a_long_value_is_cut_between_characters(void **state)
{
	(void)state;
	char after[1024] = "{\"environments\":{\"prod\":{\"a\":\"x";
	struct config_change change;
	for (uint32_t i = 0; i < 100; i++)
		strcat(after, "\xc3\xa4");
	strcat(after, "\"}}}");
	assert_true(config_compare("{\"environments\":{\"prod\":{}}}", after, "prod", keep_last,
				   &change));
	assert_string_equal(change.key, "a");
	assert_true(text_is_printable(change.to));
	assert_false(config_compare("{}", after, "prod", keep_last, &change));
}

#define BROUGHT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BROUGHT_TEST(tests_of_all_stages_are_added_up),
		BROUGHT_TEST(commits_are_named_and_the_rest_is_counted),
		BROUGHT_TEST(what_git_cannot_say_is_said_with_the_commit_that_was_built),
		BROUGHT_TEST(keys_that_differ_are_named_and_secrets_are_not),
		BROUGHT_TEST(
			checks_of_the_environment_before_are_told_and_so_is_that_there_were_none),
		BROUGHT_TEST(a_release_from_elsewhere_says_what_is_not_known),
		cmocka_unit_test(a_long_value_is_cut_between_characters),
	};
	return cmocka_run_group_tests_name("control/brought", tests, NULL, NULL);
}
