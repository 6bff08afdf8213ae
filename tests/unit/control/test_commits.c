/* SPDX-License-Identifier: Apache-2.0
 * The commits of a rollout in the control: what is asked for, what a crash leaves, who may not say yes; and the tag of
 * one that has succeeded. */
#include <stdio.h>
#include <string.h>

#include "control/commits.h"
#include "control/deployments.h"
#include "provider/history.h"
#include "store/builds.h"
#include "store/git_tags.h"
#include "world.h"

static const char yaml[] = "app: shop\n"
			   "service: { run: bin/server --port $PORT, health: { path: /up, "
			   "interval: 1s, min_healthy: 500ms } }\n"
			   "analysis: off\n"
			   "strategies: { quick: [switch] }\n"
			   "environments:\n"
			   "  prod: { listen: \"127.0.0.1:8080\", strategy: quick%s }\n";

static const char server_yaml[] = "people:\n"
				  "  ann: [\"user:ann\", \"mail:ann@example.com\"]\n"
				  "  bob: [\"user:bob\", \"mail:bob@example.com\"]\n"
				  "  eve: [\"user:eve\"]\n"
				  "groups: { managers: [ann, bob, eve] }\n";

/* --- a git that a test drives */

static struct {
	struct history history;
	uint32_t asked;
	char last[256];
	bool fails, cut;
	uint32_t count;
	const char *addresses[3];
	const char *repository; /* that releases are built from */
	uint32_t tags;          /* how often one was asked for */
	char message[1024];     /* of the last one */
	enum err tag_fails;
	bool tag_there;
} script;

static int between(struct history *history, struct history_span *span, struct error *err)
{
	(void)history;
	script.asked++;
	snprintf(script.last, sizeof script.last, "%s %.1s..%.1s", span->repository,
		 span->old_commit, span->new_commit);
	if (script.fails)
		return error_set(err, ERR_INVALID, "git cannot say it.");
	span->count = script.count;
	span->cut = script.cut;
	for (uint32_t i = 0; i < script.count; i++) {
		struct history_commit *c = &span->commits[i];
		*c = (struct history_commit){.committed_unix_s = i == 2 ? 0 : 1000 + i};
		snprintf(c->id, sizeof c->id, "%u", i + 1);
		text_copy(c->address, sizeof c->address, script.addresses[i]);
		text_copy(c->subject, sizeof c->subject, "A change");
	}
	return 0;
}

static int tag(struct history *history, struct history_tag *wanted, struct error *err)
{
	(void)history;
	script.tags++;
	snprintf(script.message, sizeof script.message, "%s %.1s %s at %llu: %s",
		 wanted->repository, wanted->commit, wanted->name,
		 (unsigned long long)wanted->at_unix_s, wanted->message);
	wanted->existed = script.tag_there;
	return script.tag_fails ? error_set(err, script.tag_fails, "It cannot be.") : 0;
}

static int setup(void **state)
{
	static const struct history_ops ops = {.between = between, .tag = tag};
	(void)state;
	memset(&script, 0, sizeof script);
	script.repository = "/srv/shop.git";
	script.history =
		(struct history){.ops = &ops, .hosted = "/srv/hosted/", .copies = "/srv/copies/"};
	world_open();
	world.history = &script.history;
	world_kill();
	world_start();
	world_server(server_yaml);
	text_copy(world.who, sizeof world.who, "dan"); /* who is no author */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_assert_sane();
	world_close();
	world.history = NULL;
	return 0;
}

/* A release that build `number` made of the commit that is this digit over and over, by Ann. */
static void built(const char *name, uint32_t number, const char *extra)
{
	char text[1024];
	struct store_build b = {.number = number, .created_unix_ms = 5000 + number};
	snprintf(text, sizeof text, yaml, extra);
	text_copy(b.release, sizeof b.release, world_release("prod", name, text));
	memset(b.commit, '0' + (int)number, 40);
	text_copy(b.app, sizeof b.app, "shop");
	text_copy(b.repository, sizeof b.repository, script.repository);
	text_copy(b.address, sizeof b.address, "ann@example.com");
	text_copy(b.subject, sizeof b.subject, "The one that is built");
	text_copy(b.state, sizeof b.state, "passed");
	store_begin(world.store);
	store_put_build(world.store, &b);
	assert_int_equal(store_commit(world.store, &world.err), 0);
}

static struct store_span span_of(uint32_t rollout)
{
	struct store_span span = {.state = "none"};
	assert_true(store_span_get(world.store, rollout, &span, &world.err) >= 0);
	return span;
}

static void live(const char *name)
{
	assert_string_equal(world_until_end(world_deploy("prod", name), 60000), "succeeded");
}

/* --- what is asked for */

static void only_what_lies_between_two_that_were_built_is_asked_for(void **state)
{
	(void)state;
	char text[1024];
	snprintf(text, sizeof text, yaml, "");
	built("v1", 1, "");
	live("v1"); /* nothing was before it */
	world_release("prod", "uploaded", text);
	live("uploaded");
	assert_int_equal(script.asked, 0);
	built("v2", 2, "");
	live("v2");
	assert_int_equal(script.asked, 0); /* for what was before is no commit */
	script.count = 2;
	script.addresses[0] = script.addresses[1] = "bob@example.com";
	built("v3", 3, "");
	uint32_t rollout = world_deploy("prod", "v3");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_int_equal(script.asked, 1);
	assert_string_equal(script.last, "/srv/shop.git 2..3");
	assert_string_equal(span_of(rollout).state, "known");
	assert_int_equal(span_of(rollout).pushed_unix_ms, 5003);
	/* Back: that brings nothing. */
	assert_true(world_rollback("prod", "") > 0);
	world_run(10000);
	assert_int_equal(script.asked, 1);
}

static void what_git_cannot_say_is_not_known_and_not_asked_again(void **state)
{
	(void)state;
	built("v1", 1, "");
	live("v1");
	script.fails = true;
	built("v2", 2, "");
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_run(60000);
	assert_int_equal(script.asked, 1);
	assert_string_equal(span_of(rollout).state, "unknown");
	assert_string_equal(span_of(rollout).why, "git cannot say it.");
}

static void a_crash_before_the_answer_asks_again(void **state)
{
	(void)state;
	built("v1", 1, "");
	live("v1");
	built("v2", 2, "");
	script.count = 1;
	script.addresses[0] = "bob@example.com";
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(span_of(rollout).state, "wanted");
	world_kill(); /* before its first tick */
	world_start();
	world_run(1000);
	assert_string_equal(span_of(rollout).state, "known");
	assert_int_equal(script.asked, 1);
	world_kill();
	world_start();
	world_run(60000);
	assert_int_equal(script.asked, 1);
}

/* --- who may not say yes */

static uint32_t asked_for(const char *first, const char *second)
{
	static const char asks[] = ", approve: { by: [managers] }";
	built("v1", 1, "");
	live("v1");
	script.count = 2;
	script.addresses[0] = first;
	script.addresses[1] = second;
	built("v2", 2, asks);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_state(rollout, "gated", 5000));
	world_run(1000);
	return rollout;
}

static void refused(const char *who, const char *says)
{
	assert_int_equal(world_answer("prod", who, CONTROL_ANSWER_YES), ERR_DENIED);
	if (!strstr(world.err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", world.err.text, says);
}

static void whoever_wrote_one_of_them_does_not_count(void **state)
{
	(void)state;
	uint32_t rollout = asked_for("ann@example.com", "BOB@example.com");
	refused("ann",
		"ann wrote commit 222222222222 of it (The one that is built), and shop/prod");
	refused("bob", "bob wrote commit 2 of it (A change)");
	assert_int_equal(world_answer("prod", "eve", CONTROL_ANSWER_YES), 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

static void nobody_counts_where_it_cannot_be_told(void **state)
{
	(void)state;
	script.cut = true;
	asked_for("ann@example.com", "ann@example.com");
	refused("eve", "it has more commits than davit reads");
}

static void nor_where_git_cannot_say_it(void **state)
{
	(void)state;
	script.fails = true;
	asked_for("ann@example.com", "ann@example.com");
	refused("eve", "git could not tell which commits it has");
}

static void nor_where_an_author_has_no_address(void **state)
{
	(void)state;
	asked_for("ann@example.com", "");
	refused("eve", "eve may have written commit 2 of it");
}

static void nor_before_git_has_answered(void **state)
{
	(void)state;
	built("v1", 1, "");
	live("v1");
	built("v2", 2, ", approve: { by: [managers] }");
	world_deploy("prod", "v2");
	refused("eve", "git is still asked which commits it has");
	world_run(1000);
	assert_int_equal(world_answer("prod", "eve", CONTROL_ANSWER_YES), 0);
}

/* --- lead time */

static void deployments_know_their_commits(void **state)
{
	(void)state;
	struct deployment_list *list = mem_new(sizeof *list);
	built("v1", 1, "");
	live("v1");
	script.count = 3;
	script.addresses[0] = script.addresses[1] = script.addresses[2] = "bob@example.com";
	built("v2", 2, "");
	live("v2");
	world_run(1000);
	assert_int_equal(control_deployments(world.control, "shop", "prod", list, &world.err), 0);
	assert_int_equal(list->count, 2);
	assert_true(list->releases[0].commits_known && !list->releases[1].commits_known);
	assert_int_equal(list->commit_count, 3);
	assert_int_equal(list->commits[2].made_unix_ms, 5002); /* its own time is not known */
	assert_int_equal(list->commits[0].deployment, list->items[0].id);
	assert_int_equal(list->commits[0].made_unix_ms, 1000000);
	assert_int_equal(list->commits[0].pushed_unix_ms, 5002);
	assert_string_equal(list->commit_ids[1], "2");
	free(list);
}

static int deploy_fixing(const char *name, uint32_t fixes, uint32_t *ret_rollout)
{
	struct control_caller caller = {.who = "dan"};
	struct control_deploy deploy = {.fixes = fixes};
	text_copy(deploy.release, sizeof deploy.release, name);
	return control_deploy(world.control, &caller, "prod", &deploy, ret_rollout, &world.err);
}

static void a_repair_is_one_of_what_was_deployed_here(void **state)
{
	(void)state;
	struct deployment_list *list = mem_new(sizeof *list);
	uint32_t rollout, broken;
	built("v1", 1, "");
	broken = world_deploy("prod", "v1");
	assert_string_equal(world_until_end(broken, 60000), "succeeded");
	assert_int_equal(control_deployments(world.control, "shop", "prod", list, &world.err), 0);
	assert_false(list->repairs_known);
	built("v2", 2, "");
	assert_int_equal(deploy_fixing("v2", 99, &rollout), ERR_NOT_FOUND);
	assert_int_equal(deploy_fixing("v2", broken, &rollout), 0);
	world_kill(); /* it is said with its first row */
	world_start();
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	uint32_t back = world_rollback("prod", "");
	assert_string_equal(world_until_end(back, 60000), "succeeded");
	assert_int_equal(deploy_fixing("v2", back, &rollout), ERR_INVALID);
	assert_non_null(strstr(world.err.text, "is no deployment to shop/prod that has begun"));
	assert_int_equal(control_deployments(world.control, "shop", "prod", list, &world.err), 0);
	assert_true(list->repairs_known);
	assert_int_equal(list->items[1].kind, DORA_HOTFIX);
	assert_int_equal(list->items[1].about, broken);
	assert_int_equal(list->items[0].about, list->items[1].id); /* back from the repair */
	free(list);
}

/* --- tags */

static struct store_git_tag tag_of(uint32_t rollout)
{
	struct store_git_tag row = {.state = "none"};
	assert_true(store_git_tag_get(world.store, rollout, &row, &world.err) >= 0);
	return row;
}

static uint32_t in_production(const char *name, uint32_t number, const char *extra)
{
	script.repository = "/srv/hosted/shop.git";
	built(name, number, extra);
	return world_deploy("prod", name);
}

static void a_success_is_tagged_once_and_says_what_and_who(void **state)
{
	(void)state;
	uint32_t rollout =
		in_production("v1", 1, ", production: true, approve: { by: [managers], count: 2 }");
	assert_true(world_until_state(rollout, "gated", 5000));
	assert_int_equal(world_answer("prod", "bob", CONTROL_ANSWER_YES), 0);
	assert_int_equal(world_answer("prod", "eve", CONTROL_ANSWER_YES), 0);
	assert_int_equal(script.tags, 0);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_run(60000);
	assert_int_equal(script.tags, 1);
	assert_non_null(strstr(script.message, "/srv/hosted/shop.git 1 v1 at "));
	assert_non_null(strstr(script.message, "v1 is live in shop/prod\n"));
	assert_non_null(strstr(script.message, "approved by: bob, eve\n"));
	assert_string_equal(tag_of(rollout).state, "made");
	/* Back to it, and a restart, are no new success. */
	world_kill();
	world_start();
	world_run(60000);
	assert_int_equal(script.tags, 1);
}

static void a_crash_before_the_tag_makes_it_again_the_same(void **state)
{
	(void)state;
	char first[sizeof script.message];
	script.tag_fails = ERR_INVALID; /* as where a lock is left */
	uint32_t rollout = in_production("v1", 1, ", tag: true");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_run(1000);
	assert_int_equal(script.tags, 1);
	assert_string_equal(tag_of(rollout).state, "wanted");
	text_copy(first, sizeof first, script.message);
	world_kill();
	script.tag_fails = (enum err)0;
	script.tag_there = true;
	world_start();
	world_run(1000);
	assert_int_equal(script.tags, 2);
	assert_string_equal(script.message, first);
	assert_string_equal(tag_of(rollout).state, "there");
}

static void what_cannot_be_tagged_is_told_and_tried_a_few_times(void **state)
{
	(void)state;
	script.tag_fails = ERR_INVALID;
	uint32_t rollout = in_production("v1", 1, ", tag: true");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_run(10 * 60000);
	assert_int_equal(script.tags, 5);
	assert_string_equal(tag_of(rollout).state, "refused");
	assert_string_equal(tag_of(rollout).why, "It cannot be.");
	assert_string_equal(world_view(rollout)->git_tag.text, "It cannot be.");
	/* Another tag is there: no try changes that. */
	script.tags = 0;
	script.tag_fails = ERR_CONFLICT;
	rollout = in_production("v2", 2, ", tag: true");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	world_run(60000);
	assert_int_equal(script.tags, 1);
	assert_string_equal(tag_of(rollout).state, "refused");
}

static void nothing_is_tagged_elsewhere(void **state)
{
	(void)state;
	assert_string_equal(world_until_end(in_production("v1", 1, ""), 60000), "succeeded");
	assert_string_equal(
		world_until_end(in_production("v2", 2, ", production: true, tag: false"), 60000),
		"succeeded");
	script.repository = "/home/ann/shop/.git"; /* is Ann's, not ours */
	built("v3", 3, ", tag: true");
	live("v3");
	assert_true(world_rollback("prod", "") > 0);
	world_run(60000);
	assert_int_equal(script.tags, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_what_lies_between_two_that_were_built_is_asked_for),
		TEST(what_git_cannot_say_is_not_known_and_not_asked_again),
		TEST(a_crash_before_the_answer_asks_again),
		TEST(whoever_wrote_one_of_them_does_not_count),
		TEST(nobody_counts_where_it_cannot_be_told),
		TEST(nor_where_git_cannot_say_it),
		TEST(nor_where_an_author_has_no_address),
		TEST(nor_before_git_has_answered),
		TEST(deployments_know_their_commits),
		TEST(a_repair_is_one_of_what_was_deployed_here),
		TEST(a_success_is_tagged_once_and_says_what_and_who),
		TEST(a_crash_before_the_tag_makes_it_again_the_same),
		TEST(what_cannot_be_tagged_is_told_and_tried_a_few_times),
		TEST(nothing_is_tagged_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
