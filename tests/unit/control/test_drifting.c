/* SPDX-License-Identifier: Apache-2.0
 * How environments stand to what they follow: when git is asked, what is remembered, and what the store adds. */
#include <stdio.h>
#include <string.h>

#include "control/drifting.h"
#include "control/view.h"
#include "provider/history.h"
#include "store/builds.h"
#include "world.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server --port $PORT, health: { path: /up, "
	"interval: 1s, min_healthy: 500ms } }\n"
	"analysis: off\n"
	"strategies: { quick: [switch] }\n"
	"environments:\n"
	"  staging: { listen: \"127.0.0.1:8081\", strategy: quick, trigger: { branch: main } }\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, from: staging }\n"
	"  dev: { listen: \"127.0.0.1:8082\", strategy: quick, trigger: { tag: \"v*\" } }\n"
	"  lab: { listen: \"127.0.0.1:8083\", strategy: quick }\n";

/* --- a git that a test drives */

static struct {
	struct history history;
	uint32_t asked, counted;
	char tip; /* this digit over and over */
	char last[256];
	bool fails;
} script;

static int between(struct history *history, struct history_span *span, struct error *err)
{
	(void)history;
	(void)span;
	return error_set(err, ERR_INVALID, "Nobody needs it.");
}

/* Commits are numbered: 5 is two ahead of 3. */
static int standing(struct history *history, struct history_standing *s, struct error *err)
{
	(void)history;
	script.asked++;
	snprintf(script.last, sizeof script.last, "%s %s %.1s", s->repository, s->ref, s->commit);
	if (script.fails)
		s->tip[0] = '\0';
	if (script.fails)
		return error_set(err, ERR_NOT_FOUND, "The branch is gone.");
	if (s->ref[0]) {
		memset(s->tip, script.tip, 40);
		s->tip[40] = '\0';
	}
	s->same = s->known[0] && strcmp(s->known, s->tip) == 0;
	if (s->same)
		return 0;
	script.counted++;
	s->behind = s->tip[0] > s->commit[0] ? (uint32_t)(s->tip[0] - s->commit[0]) : 0;
	s->ahead = s->tip[0] < s->commit[0] ? (uint32_t)(s->commit[0] - s->tip[0]) : 0;
	text_copy(s->subject, sizeof s->subject, "A change");
	return 0;
}

static int setup(void **state)
{
	static const struct history_ops ops = {.between = between, .standing = standing};
	(void)state;
	memset(&script, 0, sizeof script);
	script.history =
		(struct history){.ops = &ops, .hosted = "/srv/hosted/", .copies = "/srv/copies/"};
	world_open();
	world.history = &script.history;
	world_kill();
	world_start();
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

/* A build of the commit that is its number over and over. */
static void put_build(uint32_t number, const char *ref, const char *state, const char *release,
		      const char *why)
{
	struct store_build b = {.number = number, .created_unix_ms = 5000 + number};
	memset(b.commit, '0' + (int)number, 40);
	text_copy(b.app, sizeof b.app, "shop");
	text_copy(b.repository, sizeof b.repository, "/srv/copies/shop.git");
	text_copy(b.ref, sizeof b.ref, ref);
	text_copy(b.state, sizeof b.state, state);
	text_copy(b.release, sizeof b.release, release);
	text_copy(b.why, sizeof b.why, why);
	store_begin(world.store);
	store_put_build(world.store, &b);
	assert_int_equal(store_commit(world.store, &world.err), 0);
}

/* Build and release `number` of main, which stands there. */
static void built(uint32_t number)
{
	char name[8];
	snprintf(name, sizeof name, "v%u", number);
	put_build(number, "refs/heads/main", "passed", world_release("staging", name, yaml), "");
	script.tip = (char)('0' + number);
	drifting_due(world.control, "shop");
}

static void live(const char *environment, const char *name)
{
	world_release(environment, name, yaml);
	assert_string_equal(world_until_end(world_deploy(environment, name), 60000), "succeeded");
	world_run(1000);
}

static void take_drift(void *context, const struct view_environment *e)
{
	*(struct view_drift *)context = e->drift;
}

static const struct view_drift *drift_of(const char *environment)
{
	static struct view_drift drift;
	assert_int_equal(control_view_environments(world.control, environment, take_drift, &drift,
						   &world.err),
			 0);
	return &drift;
}

static void is(const char *environment, const char *state, const char *text)
{
	const struct view_drift *d = drift_of(environment);
	assert_string_equal(d->text, text);
	assert_string_equal(drift_state_name(d->state), state);
}

/* --- */

static void the_tip_is_asked_for_when_something_happened_and_never_by_a_look(void **state)
{
	(void)state;
	built(1);
	live("staging", "v1");
	is("staging", "current", "");
	assert_string_equal(script.last, "/srv/copies/shop.git refs/heads/main 1");
	uint32_t asked = script.asked;
	script.tip = '4'; /* nobody has seen it */
	world_run(60000);
	is("staging", "current", "");
	assert_int_equal(script.asked, asked);
	drifting_due(world.control, "other");
	world_run(1000);
	assert_int_equal(script.asked, asked);
	drifting_due(world.control, "shop");
	world_run(1000);
	is("staging", "behind",
	   "3 commits behind main (newest: A change): no build of it was ordered (davit webhook)");
	assert_int_equal(drift_of("staging")->behind, 3);
	/* As long as both are the same, nothing is counted again. */
	uint32_t counted = script.counted;
	for (int i = 0; i < 5; i++) {
		drifting_due(world.control, "shop");
		world_run(1000);
	}
	assert_int_equal(script.counted, counted);
	assert_int_equal(drift_of("staging")->behind, 3);
	world_kill();
	world_start();
	is("staging", "", "");
	world_run(1000);
	assert_int_equal(drift_of("staging")->behind, 3);
	script.fails = true;
	drifting_due(world.control, "shop");
	world_run(1000);
	is("staging", "unknown", "nobody knows how it stands to main: The branch is gone.");
	script.fails = false;
	asked = script.asked;
	world_run(30000);
	assert_int_equal(script.asked, asked);
	world_run(60000);
	assert_int_equal(script.asked, asked + 1);
	assert_int_equal(drift_of("staging")->behind, 3);
}

static void the_store_says_how_far_the_newest_came(void **state)
{
	(void)state;
	struct store_build_rollout row = {.build = 2, .environment = "staging"};
	built(1);
	live("staging", "v1");
	put_build(2, "refs/heads/main", "queued", "", "");
	script.tip = '2';
	drifting_due(world.control, "shop");
	world_run(1000);
	is("staging", "behind",
	   "1 commit behind main (newest: A change): build 2 waits for its turn");
	put_build(2, "refs/heads/main", "failed", "", "The stage unit failed.");
	is("staging", "behind",
	   "1 commit behind main (newest: A change): build 2 failed: The stage unit failed.");
	built(2);
	text_copy(row.why, sizeof row.why, "Nothing may go there.");
	store_begin(world.store);
	store_put_build_rollout(world.store, &row);
	assert_int_equal(store_commit(world.store, &world.err), 0);
	world_run(1000);
	is("staging", "behind",
	   "1 commit behind main (newest: A change): build 2 passed, and nothing went out: Nothing "
	   "may go there.");
	/* What somebody pushes elsewhere is another affair. */
	put_build(3, "refs/heads/other", "failed", "", "");
	live("staging", "v2");
	is("staging", "current", "");
}

static void a_rollback_and_a_bad_release_are_named(void **state)
{
	(void)state;
	struct control_caller caller = {.who = "ann"};
	built(1);
	live("staging", "v1");
	built(2);
	live("staging", "v2");
	uint32_t back = world_rollback("staging", "");
	assert_string_equal(world_until_end(back, 60000), "succeeded");
	world_run(1000);
	is("staging", "rolled-back",
	   "rolled back, 1 commit behind main (newest: A change): rollout 2 had brought it");
	live("staging", "v2");
	is("staging", "current", "");
	built(3);
	assert_int_equal(control_mark_release(world.control, &caller, "v3", "staging", true,
					      "it is slow", &world.err),
			 0);
	world_run(1000);
	is("staging", "quarantined",
	   "1 commit behind main (newest: A change), whose release is marked bad here: it is slow: "
	   "build 3 passed, and does not go here");
	/* The branch was forced back. */
	script.tip = '1';
	drifting_due(world.control, "shop");
	world_run(1000);
	assert_int_equal(drift_of("staging")->state, DRIFT_AHEAD);
	assert_int_equal(drift_of("staging")->ahead, 1);
}

static void the_newest_tag_and_the_environment_before_are_followed_too(void **state)
{
	(void)state;
	char release[80];
	text_copy(release, sizeof release, world_release("dev", "v1", yaml));
	put_build(1, "refs/tags/v1", "passed", release, "");
	live("dev", "v1");
	is("dev", "current", "");
	put_build(2, "refs/tags/v2", "failed", "", "");
	put_build(3, "refs/tags/test", "failed", "", "");
	drifting_due(world.control, "shop");
	world_run(1000);
	is("dev", "behind", "1 commit behind v2 (newest: A change): build 2 failed");

	built(4);
	live("staging", "v4");
	live("prod", "v4");
	is("prod", "current", "");
	built(6);
	live("staging", "v6"); /* that alone is reason to look */
	is("prod", "behind", "2 commits behind staging (newest: A change)");
	assert_string_equal(script.last, "/srv/copies/shop.git  4");
}

static void of_commits_that_make_the_same_release_the_newest_is_live(void **state)
{
	(void)state;
	char release[80];
	built(1);
	live("staging", "v1");
	text_copy(release, sizeof release, world_release("staging", "v1", yaml));
	put_build(2, "refs/heads/main", "passed", release, ""); /* a comment was changed */
	script.tip = '2';
	drifting_due(world.control, "shop");
	world_run(1000);
	is("staging", "current", "");
	put_build(3, "refs/heads/main", "failed", "", "");
	script.tip = '3';
	drifting_due(world.control, "shop");
	world_run(1000);
	is("staging", "behind", "1 commit behind main (newest: A change): build 3 failed");
}

static void what_was_not_built_here_is_not_known(void **state)
{
	(void)state;
	live("lab", "uploaded");
	is("lab", "", "");
	live("staging", "uploaded");
	is("staging", "", ""); /* nobody knows of a main */
	put_build(1, "refs/heads/main", "failed", "", "");
	drifting_due(world.control, "shop");
	world_run(1000);
	is("staging", "unknown",
	   "nobody knows how it stands to main: what is live was not built here");
	assert_int_equal(script.asked, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_tip_is_asked_for_when_something_happened_and_never_by_a_look),
		TEST(the_store_says_how_far_the_newest_came),
		TEST(a_rollback_and_a_bad_release_are_named),
		TEST(the_newest_tag_and_the_environment_before_are_followed_too),
		TEST(of_commits_that_make_the_same_release_the_newest_is_live),
		TEST(what_was_not_built_here_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
