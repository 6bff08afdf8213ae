/* SPDX-License-Identifier: Apache-2.0
 * Tags that go on to a repository elsewhere: which, when again, and what a crash leaves. */
#include <stdio.h>
#include <string.h>

#include "control/retry.h"
#include "control/tag_pushing.h"
#include "provider/history.h"
#include "provider/tag_push.h"
#include "store/builds.h"
#include "store/git_tags.h"
#include "store/tag_pushes.h"
#include "world.h"

static const char yaml[] = "app: shop\n"
			   "service: { run: bin/server --port $PORT, health: { path: /up, "
			   "interval: 1s, min_healthy: 500ms } }\n"
			   "analysis: off\n"
			   "strategies: { quick: [switch] }\n"
			   "environments:\n"
			   "  prod: { listen: \"127.0.0.1:8080\", strategy: quick, tag: true }\n";

#define SOURCE(extra) \
	"sources: { shop: { git: \"https://h/shop.git\", token_file: /t" extra " } }\n"

static const char asks[] = SOURCE(", push_tags: true"), asks_not[] = SOURCE("");

/* --- a git that a test drives */

static struct {
	struct history history;
	struct tag_pusher pusher;
	enum err tag_fails, fails;
	bool there;
	uint32_t tags, tries;
	uint64_t tried_ms[256];
	char last[1024];
} script;

static int between(struct history *history, struct history_span *span, struct error *err)
{
	(void)history;
	(void)span;
	return error_set(err, ERR_INVALID, "Nobody asks.");
}

static int tag(struct history *history, struct history_tag *wanted, struct error *err)
{
	(void)history;
	(void)wanted;
	script.tags++;
	return script.tag_fails ? error_set(err, script.tag_fails, "It cannot be.") : 0;
}

static int push(struct tag_pusher *pusher, struct tag_push *p, struct error *err)
{
	(void)pusher;
	if (script.tries < 256)
		script.tried_ms[script.tries] = world.now_ms;
	script.tries++;
	snprintf(script.last, sizeof script.last, "%s %s %s %.2s %s at %llu: %.20s", p->git,
		 p->token_file ? p->token_file : "-", p->repository, p->commit, p->name,
		 (unsigned long long)p->at_unix_s, p->message);
	p->existed = script.there;
	return script.fails ? error_set(err, script.fails, "The other end says no.") : 0;
}

static int setup(void **state)
{
	static const struct history_ops ops = {.between = between, .tag = tag};
	static const struct tag_pusher_ops pusher_ops = {.push = push};
	(void)state;
	memset(&script, 0, sizeof script);
	script.history =
		(struct history){.ops = &ops, .hosted = "/srv/hosted/", .copies = "/srv/copies/"};
	script.pusher.ops = &pusher_ops;
	world_open();
	world.history = &script.history;
	world.tag_pusher = &script.pusher;
	world_kill();
	world_start();
	world_server(asks);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_assert_sane();
	world_close();
	world.history = NULL;
	world.tag_pusher = NULL;
	return 0;
}

/* A success of what was built from `repository`: its rollout. */
static uint32_t succeeded(const char *name, uint32_t number, const char *repository)
{
	struct store_build b = {.number = number, .created_unix_ms = 5000 + number};
	text_copy(b.release, sizeof b.release, world_release("prod", name, yaml));
	memset(b.commit, '0' + (int)number, 40);
	text_copy(b.app, sizeof b.app, "shop");
	text_copy(b.repository, sizeof b.repository, repository);
	text_copy(b.state, sizeof b.state, "passed");
	store_begin(world.store);
	store_put_build(world.store, &b);
	assert_int_equal(store_commit(world.store, &world.err), 0);
	uint32_t rollout = world_deploy("prod", name);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	return rollout;
}

static const char *push_of(uint32_t rollout)
{
	static struct store_tag_push row;
	int found = store_tag_push_get(world.store, rollout, &row, &world.err);
	assert_true(found >= 0);
	return found == 0 ? "none" : row.state;
}

static int count_push(void *context, const struct store_audit_entry *e)
{
	*(uint32_t *)context += strcmp(e->action, "git.push") == 0;
	return 0;
}

static uint32_t audited(void)
{
	const struct store_audit_filter all = {.app = NULL};
	uint32_t count = 0;
	assert_int_equal(store_audit(world.store, &all, count_push, &count, &world.err), 0);
	return count;
}

/* --- */

static void what_a_try_leads_to(void **state)
{
	(void)state;
	assert_string_equal(tag_pushing_state(0, false, false), "pushed");
	assert_string_equal(tag_pushing_state(0, true, true), "there");
	assert_string_equal(tag_pushing_state(ERR_CONFLICT, false, false), "refused");
	assert_string_equal(tag_pushing_state(ERR_INVALID, false, false), "wanted");
	assert_string_equal(tag_pushing_state(ERR_DENIED, false, false), "wanted");
	assert_string_equal(tag_pushing_state(ERR_TIMEOUT, false, true), "given up");
	assert_string_equal(tag_pushing_state(ERR_CLOSED, false, true), "wanted");
}

static void a_tag_goes_on_once_it_is_made_and_once_only(void **state)
{
	(void)state;
	uint32_t rollout = succeeded("v1", 1, "/srv/hosted/shop.git");
	world_run(1000);
	assert_int_equal(script.tags, 1);
	assert_int_equal(script.tries, 1);
	if (strncmp(script.last, "https://h/shop.git /t /srv/hosted/shop.git 11 v1 at ", 52) != 0)
		fail_msg("%s", script.last);
	assert_non_null(strstr(script.last, ": v1 is live in shop/p"));
	assert_string_equal(push_of(rollout), "pushed");
	assert_string_equal(world_view(rollout)->git_tag.state, "made");
	assert_string_equal(world_view(rollout)->git_tag.push_state, "pushed");
	assert_string_equal(world_view(rollout)->git_tag.push_text,
			    "The tag v1 was pushed to https://h/shop.git.");
	world_kill();
	world_start();
	world_run(60000);
	assert_int_equal(script.tries, 1);
	assert_int_equal(audited(), 1);
}

static void of_a_copy_the_tag_is_only_made_elsewhere(void **state)
{
	(void)state;
	script.there = true;
	uint32_t rollout = succeeded("v1", 1, "/srv/copies/shop.git");
	world_run(1000);
	assert_int_equal(script.tags, 0);
	assert_int_equal(script.tries, 1);
	assert_string_equal(push_of(rollout), "there");
	assert_string_equal(world_view(rollout)->git_tag.state, "elsewhere");
}

static void nothing_goes_where_nobody_asked_for_it(void **state)
{
	(void)state;
	uint32_t rollout = succeeded("v1", 1, "/home/ann/shop/.git");
	assert_string_equal(push_of(rollout), "none");
	world_server(asks_not);
	rollout = succeeded("v2", 2, "/srv/hosted/shop.git");
	assert_string_equal(push_of(rollout), "none");
	rollout = succeeded("v3", 3, "/srv/copies/shop.git");
	assert_string_equal(world_view(rollout)->git_tag.state, "");
	world_run(60000);
	assert_int_equal(script.tags, 1);
	assert_int_equal(script.tries, 0);
}

static void a_tag_that_was_not_made_goes_nowhere(void **state)
{
	(void)state;
	script.tag_fails = ERR_CONFLICT;
	uint32_t rollout = succeeded("v1", 1, "/srv/hosted/shop.git");
	world_run(60000);
	assert_int_equal(script.tries, 0);
	assert_string_equal(push_of(rollout), "none");
	assert_string_equal(world_view(rollout)->git_tag.state, "refused");
}

static void failures_are_tried_again_later_and_later_and_the_rollout_stays(void **state)
{
	(void)state;
	script.fails = ERR_INVALID;
	uint32_t rollout = succeeded("v1", 1, "/srv/hosted/shop.git");
	world_run(3600 * 1000);
	assert_string_equal(push_of(rollout), "wanted");
	assert_string_equal(world_view(rollout)->state, "succeeded");
	assert_string_equal(world_view(rollout)->git_tag.push_text, "The other end says no.");
	assert_true(script.tries > 8 && script.tries < 16);
	assert_true(script.tried_ms[1] - script.tried_ms[0] < 8000);
	for (uint32_t i = 2; i < 8; i++)
		assert_true(script.tried_ms[i] - script.tried_ms[i - 1] >
			    script.tried_ms[i - 1] - script.tried_ms[i - 2]);
	assert_true(script.tried_ms[script.tries - 1] - script.tried_ms[script.tries - 2] >=
		    RETRY_MAX_S * 1000);
	/* One that fails holds up no other. */
	uint32_t tries = script.tries;
	script.fails = ERR_OK;
	uint32_t next = succeeded("v2", 2, "/srv/hosted/shop.git");
	world_run(1000);
	assert_string_equal(push_of(next), "pushed");
	/* After a restart at its time, not at once. */
	world_kill();
	world_start();
	world_run(1000);
	assert_int_equal(script.tries, tries + 1);
	world_run((uint64_t)RETRY_MAX_S * 2 * 1000);
	assert_string_equal(push_of(rollout), "pushed");
	assert_int_equal(audited(), 2);
}

static void it_is_given_up_after_days(void **state)
{
	(void)state;
	script.fails = ERR_TIMEOUT;
	uint32_t rollout = succeeded("v1", 1, "/srv/hosted/shop.git");
	world_run(3600 * 1000);
	assert_string_equal(push_of(rollout), "wanted");
	/* Days are as if they had been: each of them would be a million turns. */
	struct store_tag_push push;
	assert_int_equal(store_tag_push_get(world.store, rollout, &push, &world.err), 1);
	push.at_unix_ms -= (uint64_t)RETRY_DAYS * 24 * 60 * 60 * 1000 - 2 * 3600 * 1000;
	store_begin(world.store);
	store_forget_tag_push(world.store, rollout);
	store_put_tag_push(world.store, &push);
	assert_int_equal(store_commit(world.store, &world.err), 0);
	world_run(1800 * 1000);
	assert_string_equal(push_of(rollout), "wanted");
	world_run(3600 * 1000);
	assert_string_equal(push_of(rollout), "given up");
	uint32_t tries = script.tries;
	script.fails = ERR_OK;
	world_run(3600 * 1000);
	assert_int_equal(script.tries, tries);
	assert_int_equal(audited(), 1);
}

static void another_tag_there_is_told_and_not_tried_again(void **state)
{
	(void)state;
	script.fails = ERR_CONFLICT;
	uint32_t rollout = succeeded("v1", 1, "/srv/hosted/shop.git");
	world_run(3600 * 1000);
	assert_int_equal(script.tries, 1);
	assert_string_equal(push_of(rollout), "refused");
	assert_string_equal(world_view(rollout)->git_tag.push_text, "The other end says no.");
}

static void a_crash_before_the_push_pushes_and_a_file_without_it_waits(void **state)
{
	(void)state;
	char first[sizeof script.last];
	script.fails = ERR_CLOSED;
	uint32_t rollout = succeeded("v1", 1, "/srv/copies/shop.git");
	world_run(1000);
	text_copy(first, sizeof first, script.last);
	world_kill();
	script.fails = ERR_OK;
	world_server(asks_not);
	world_start();
	world_run(3600 * 1000);
	assert_int_equal(script.tries, 1);
	assert_string_equal(push_of(rollout), "wanted");
	world_server(asks);
	world_run(2 * 60 * 1000);
	assert_string_equal(push_of(rollout), "pushed");
	assert_string_equal(script.last, first); /* so that it is the same object */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_try_leads_to),
		TEST(a_tag_goes_on_once_it_is_made_and_once_only),
		TEST(of_a_copy_the_tag_is_only_made_elsewhere),
		TEST(nothing_goes_where_nobody_asked_for_it),
		TEST(a_tag_that_was_not_made_goes_nowhere),
		TEST(failures_are_tried_again_later_and_later_and_the_rollout_stays),
		TEST(it_is_given_up_after_days),
		TEST(another_tag_there_is_told_and_not_tried_again),
		TEST(a_crash_before_the_push_pushes_and_a_file_without_it_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
