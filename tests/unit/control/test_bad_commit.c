/* SPDX-License-Identifier: Apache-2.0
 * Commits that had to go: which releases stay out because of one, and what whoever approves is told. */
#include <stdio.h>
#include <string.h>

#include "control/bad_commit.h"
#include "control/builds.h"
#include "provider/history.h"
#include "world.h"
#include "world_builds.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server --port $PORT, health: { path: /up, "
	"interval: 1s, min_healthy: 500ms } }\n"
	"analysis: off\n"
	"strategies: { quick: [switch] }\n"
	"environments:\n"
	"  dev: { listen: \"127.0.0.1:8083\", strategy: quick }\n"
	"  staging: { listen: \"127.0.0.1:8081\", strategy: quick, from: dev }\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, from: staging%s }\n"
	"  demo: { listen: \"127.0.0.1:8084\", strategy: quick, from: dev }\n";

/* --- the decisions */

static void only_what_leads_to_an_environment_is_behind_it(void **state)
{
	(void)state;
	static const struct bad_commit_step steps[] = {
		{"dev", ""},     {"staging", "dev"}, {"prod", "staging"},
		{"demo", "dev"}, {"asia", "europe"}, {"europe", "asia"},
	};
	assert_true(bad_commit_leads(steps, 6, "dev", "prod"));
	assert_true(bad_commit_leads(steps, 6, "staging", "prod"));
	assert_true(bad_commit_leads(steps, 6, "prod", "prod"));
	assert_false(bad_commit_leads(steps, 6, "prod", "staging"));
	assert_false(bad_commit_leads(steps, 6, "demo", "prod"));
	assert_false(bad_commit_leads(steps, 6, "dev", "asia")); /* a circle ends */
	assert_false(bad_commit_leads(steps, 6, "prod", "nowhere"));
	assert_false(bad_commit_leads(NULL, 0, "dev", "prod"));
	assert_true(bad_commit_leads(NULL, 0, "prod", "prod"));
}

static void a_mark_of_this_commit_refuses_and_nothing_else(void **state)
{
	(void)state;
	struct store_taken_back row = {.commit = "aaaa", .marked = true};
	assert_true(bad_commit_refuses(&row, "aaaa"));
	assert_false(bad_commit_refuses(&row, "aaab"));
	row.marked = false;
	assert_false(bad_commit_refuses(&row, "aaaa"));
}

static void the_words_say_who_took_it_back_and_where(void **state)
{
	(void)state;
	struct store_taken_back row = {.commit = "3f1c0b7a92d4e5f6",
				       .subject = "Greet",
				       .rollout = 7,
				       .reason = "it leaks"};
	char text[200];
	bad_commit_text(&row, "prod", text, sizeof text);
	assert_string_equal(
		text, "commit 3f1c0b7a92d4 (Greet), which rollout 7 took back in prod: it leaks");
	row.rollout = 0;
	row.reason[0] = '\0';
	bad_commit_text(&row, "prod", text, sizeof text);
	assert_string_equal(text, "commit 3f1c0b7a92d4 (Greet), which is marked bad in prod");
}

/* --- in the world */

static struct {
	struct history history;
	const char *commits[3]; /* that lie between any two */
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
	(void)err;
	for (uint32_t i = 0; i < 3 && script.commits[i]; i++) {
		struct history_commit *c = &span->commits[span->count++];
		*c = (struct history_commit){.committed_unix_s = 1000};
		text_copy(c->id, sizeof c->id, script.commits[i]);
		text_copy(c->subject, sizeof c->subject, "A change");
	}
	return 0;
}

static void asks_in_prod(bool asks)
{
	char text[sizeof yaml + 64];
	snprintf(text, sizeof text, yaml, asks ? ", approve: { count: 1 }" : "");
	builder_file("davit.yaml", text);
}

static int setup(void **state)
{
	static const struct history_ops ops = {.between = between, .standing = standing};
	memset(&script, 0, sizeof script);
	script.history =
		(struct history){.ops = &ops, .hosted = "/srv/hosted/", .copies = "/srv/copies/"};
	int result = builder_setup(state);
	world.history = &script.history;
	world_kill();
	world_start();
	asks_in_prod(false);
	return result;
}

static int teardown(void **state)
{
	int result = builder_teardown(state);
	world.history = NULL;
	return result;
}

/* A commit is built, with bytes of its own each time. Its release. */
static const char *built(char commit)
{
	static uint32_t times;
	char content[32];
	snprintf(content, sizeof content, "%c in build %u", commit, times++);
	uint32_t number = order_commit(commit, "refs/heads/main", "dev");
	world_run(500);
	builder_ends("passed", builder_archive(content), NULL);
	world_run(60000);
	return build_row(number)->release;
}

static void goes(const char *release, const char *environment)
{
	uint32_t rollout = world_deploy(environment, release);
	if (rollout == 0)
		fail_msg("refused: %s", world.err.text);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void all_the_way(char commit, char release[DIGEST_HEX_SIZE])
{
	text_copy(release, DIGEST_HEX_SIZE, built(commit));
	goes(release, "staging");
	goes(release, "prod");
}

static void mark(const char *release, const char *environment, bool bad)
{
	struct control_caller caller = {.who = "ann"};
	assert_int_equal(control_mark_release(world.control, &caller, release, environment, bad,
					      "it leaks", &world.err),
			 0);
}

static void refused(const char *environment, const char *release, const char *says)
{
	assert_int_equal(world_deploy(environment, release), 0);
	assert_int_equal(world.err.code, ERR_DENIED);
	if (!strstr(world.err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", world.err.text, says);
}

static void a_commit_that_was_bad_in_production_stays_out_behind_it_too(void **state)
{
	(void)state;
	char first[DIGEST_HEX_SIZE], bad[DIGEST_HEX_SIZE], again[DIGEST_HEX_SIZE];
	all_the_way('1', first);
	all_the_way('2', bad);
	mark(bad, "shop/prod", true);
	/* Built once more it is another release; the build goes nowhere, and says why. */
	text_copy(again, sizeof again, built('2'));
	assert_string_not_equal(again, bad);
	assert_string_equal(world_live("dev"), "v0.0.2");
	refused("dev", again, "v0.0.3 is of commit 212345678901");
	refused("dev", again, "marked bad in shop/prod as v0.0.2 (it leaks)");
	refused("dev", again, "\"davit releases clear prod v0.0.2\" lifts that");
	refused("staging", again, "\"davit deploy staging v0.0.3 --allow-bad\"");
	refused("prod", again, "marked bad in shop/prod");
	/* What does not lead there is not concerned, but for the way through dev. */
	assert_int_equal(world_deploy("demo", again), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);
	/* Another commit goes out, and so does this one once the mark is gone. */
	goes(built('3'), "staging");
	mark(bad, "shop/prod", false);
	goes(again, "dev");
}

static void somebody_who_insists_gets_it_out(void **state)
{
	(void)state;
	char first[DIGEST_HEX_SIZE], bad[DIGEST_HEX_SIZE];
	all_the_way('1', first);
	all_the_way('2', bad);
	mark(bad, "shop/prod", true);
	struct control_caller caller = world_caller("");
	struct control_deploy deploy = {.reason = "because", .allow_bad = true};
	uint32_t rollout = 0;
	text_copy(deploy.release, sizeof deploy.release, built('2'));
	assert_int_equal(
		control_deploy(world.control, &caller, "dev", &deploy, &rollout, &world.err), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void what_was_bad_beside_the_way_says_nothing_of_it(void **state)
{
	(void)state;
	char first[DIGEST_HEX_SIZE], second[DIGEST_HEX_SIZE];
	all_the_way('1', first);
	text_copy(second, sizeof second, built('2'));
	goes(second, "demo");
	mark(second, "shop/demo", true);
	goes(second, "staging");
	goes(second, "prod");
}

static const struct view_bad_commits *told(char commit)
{
	char release[DIGEST_HEX_SIZE];
	asks_in_prod(true);
	text_copy(release, sizeof release, built(commit));
	goes(release, "staging");
	world_run(2000);
	struct view_rollout *view = mem_new(sizeof *view);
	assert_int_equal(control_view_rollout(world.control, "shop/prod", view, &world.err), 0);
	uint32_t rollout = view->number;
	free(view);
	assert_string_equal(world_view(rollout)->state, "gated");
	return &world_view(rollout)->gate.brought.bad_commits;
}

static void a_child_of_what_somebody_went_back_from_is_told(void **state)
{
	(void)state;
	char first[DIGEST_HEX_SIZE], bad[DIGEST_HEX_SIZE];
	all_the_way('1', first);
	all_the_way('2', bad);
	uint32_t back = world_rollback("shop/prod", "");
	assert_string_equal(world_until_end(back, 60000), "succeeded");
	script.commits[0] = "3123456789012345678901234567890123456789";
	script.commits[1] = "2123456789012345678901234567890123456789";
	const struct view_bad_commits *told_of = told('3');
	assert_int_equal(told_of->count, 1);
	assert_int_equal(told_of->items[0].rollout, back);
	assert_false(told_of->items[0].marked);
	assert_int_equal(told_of->items[0].commit[0], '2');
	assert_non_null(strstr(told_of->items[0].text, "took back in prod: it hurts"));
}

static void a_mark_comes_before_the_rollback_and_the_same_commit_is_told_once(void **state)
{
	(void)state;
	char first[DIGEST_HEX_SIZE], bad[DIGEST_HEX_SIZE];
	all_the_way('1', first);
	all_the_way('2', bad);
	uint32_t back = world_rollback("shop/prod", "");
	assert_string_equal(world_until_end(back, 60000), "succeeded");
	mark(bad, "shop/prod", true);
	script.commits[0] = "2123456789012345678901234567890123456789";
	const struct view_bad_commits *told_of = told('3');
	assert_int_equal(told_of->count, 1);
	assert_true(told_of->items[0].marked);
	assert_int_equal(told_of->items[0].rollout, back);
	assert_non_null(strstr(told_of->items[0].text, "it leaks"));
}

static void what_does_not_contain_it_is_told_nothing(void **state)
{
	(void)state;
	char first[DIGEST_HEX_SIZE], bad[DIGEST_HEX_SIZE];
	all_the_way('1', first);
	all_the_way('2', bad);
	uint32_t back = world_rollback("shop/prod", "");
	assert_string_equal(world_until_end(back, 60000), "succeeded");
	script.commits[0] = "3123456789012345678901234567890123456789";
	assert_int_equal(told('3')->count, 0);
}

/* The one that was tried first is taken back while another build of its commit waits for its turn. */
static void what_was_marked_while_it_waited_does_not_begin(void **state)
{
	(void)state;
	char first[DIGEST_HEX_SIZE], one[DIGEST_HEX_SIZE], two[DIGEST_HEX_SIZE];
	all_the_way('1', first);
	text_copy(one, sizeof one, built('4'));
	text_copy(two, sizeof two, built('4'));
	goes(one, "staging");
	goes(two, "staging");
	assert_true(world_deploy("prod", one) > 0);
	uint32_t waits = world_deploy("prod", two);
	assert_true(waits > 0);
	assert_string_equal(world_view(waits)->state, "queued");
	mark(one, "shop/prod", true);
	assert_string_equal(world_until_end(waits, 120000), "cancelled");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_leads_to_an_environment_is_behind_it),
		cmocka_unit_test(a_mark_of_this_commit_refuses_and_nothing_else),
		cmocka_unit_test(the_words_say_who_took_it_back_and_where),
		TEST(a_commit_that_was_bad_in_production_stays_out_behind_it_too),
		TEST(somebody_who_insists_gets_it_out),
		TEST(what_was_bad_beside_the_way_says_nothing_of_it),
		TEST(a_child_of_what_somebody_went_back_from_is_told),
		TEST(a_mark_comes_before_the_rollback_and_the_same_commit_is_told_once),
		TEST(what_was_marked_while_it_waited_does_not_begin),
		TEST(what_does_not_contain_it_is_told_nothing),
	};
	return cmocka_run_group_tests_name("control/bad_commit", tests, NULL, NULL);
}
