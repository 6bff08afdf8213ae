/* SPDX-License-Identifier: Apache-2.0
 * The word for how an environment stands to what it follows, and its sentence. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "control/drift.h"

static struct drift_facts facts;

static int set_up(void **state)
{
	(void)state;
	facts = (struct drift_facts){.of = "main",
				     .live = "aaaa",
				     .tip = "bbbb",
				     .trouble = "",
				     .counted = true,
				     .behind = 3,
				     .subject = "Fix the cart",
				     .way = {.build = 12,
					     .build_state = "passed",
					     .build_why = "",
					     .rollout_state = "",
					     .rollout_why = ""}};
	return 0;
}

static void is(enum drift_state state, const char *sentence)
{
	char text[DRIFT_SENTENCE_SIZE];
	drift_sentence(&facts, text);
	assert_string_equal(text, sentence);
	assert_string_equal(drift_state_name(drift_decide(&facts)), drift_state_name(state));
}

static void what_follows_nothing_or_is_the_same_says_nothing(void **state)
{
	(void)state;
	facts.tip = "aaaa";
	is(DRIFT_CURRENT, "");
	facts.counted = false; /* there is nothing to count */
	facts.rolled_back = true;
	facts.bad = "slow";
	is(DRIFT_CURRENT, "");
	facts.of = "";
	is(DRIFT_NONE, "");
}

static void what_is_not_known_is_no_drift(void **state)
{
	(void)state;
	facts.live = facts.tip = "";
	is(DRIFT_UNKNOWN, "nobody knows how it stands to main: what is live was not built here");
	facts.live = "aaaa";
	is(DRIFT_UNKNOWN, "nobody knows how it stands to main: git is being asked");
	facts.trouble = "The branch is gone.";
	is(DRIFT_UNKNOWN, "nobody knows how it stands to main: The branch is gone.");
	facts.tip = "bbbb";
	facts.counted = false;
	is(DRIFT_UNKNOWN, "nobody knows how it stands to main: The branch is gone.");
}

static void commits_are_counted_both_ways(void **state)
{
	(void)state;
	facts.way.deployed = true;
	is(DRIFT_BEHIND, "3 commits behind main (newest: Fix the cart)");
	facts.behind = 1;
	facts.subject = "";
	is(DRIFT_BEHIND, "1 commit behind main");
	facts.ahead = 2;
	is(DRIFT_APART, "2 commits of its own, 1 behind main");
	facts.behind = 0;
	is(DRIFT_AHEAD, "2 commits ahead of main");
	facts.ahead = 1;
	facts.rolled_back = true; /* to one that the branch does not have any more */
	is(DRIFT_AHEAD, "1 commit ahead of main");
}

static void a_rollback_counts_before_a_bad_release_and_that_before_the_rest(void **state)
{
	(void)state;
	facts.ahead = 1;
	facts.way.deployed = true;
	facts.bad = "";
	is(DRIFT_QUARANTINED, "1 commit of its own, 3 behind main (newest: Fix the cart), whose "
			      "release is marked bad here");
	facts.bad = "errors";
	facts.ahead = 0;
	is(DRIFT_QUARANTINED, "3 commits behind main (newest: Fix the cart), whose release is "
			      "marked bad here: errors");
	facts.rolled_back = true;
	is(DRIFT_ROLLED_BACK, "rolled back, 3 commits behind main (newest: Fix the cart), whose "
			      "release is marked bad here: errors");
	facts.bad = NULL;
	is(DRIFT_ROLLED_BACK, "rolled back, 3 commits behind main (newest: Fix the cart)");
}

static void build(uint32_t number, const char *state_name, const char *why, const char *says)
{
	char whole[DRIFT_SENTENCE_SIZE];
	facts.way.build = number;
	facts.way.build_state = state_name;
	facts.way.build_why = why;
	snprintf(whole, sizeof whole, "3 commits behind main: %s", says);
	is(DRIFT_BEHIND, whole);
}

static void it_says_how_far_the_build_came(void **state)
{
	(void)state;
	facts.subject = "";
	build(0, "", "", "no build of it was ordered (davit webhook)");
	build(7, "queued", "", "build 7 waits for its turn");
	build(7, "running", "", "build 7 is under way");
	build(7, "releasing", "", "build 7 is under way");
	build(7, "cancelling", "", "build 7 is under way");
	build(7, "failed", "The stage unit failed.", "build 7 failed: The stage unit failed.");
	build(7, "failed", "", "build 7 failed");
	build(7, "cancelled", "", "build 7 was cancelled");
	build(7, "superseded", "", "build 7 gave its place to a newer one");
	build(7, "passed", "", "build 7 passed, and does not go here");
	facts.way.rollout_why = "It is frozen.";
	build(7, "passed", "", "build 7 passed, and nothing went out: It is frozen.");
	facts.way.frozen_by = "ann";
	build(7, "passed", "", "build 7 passed, and nothing went out: It is frozen.");
	facts.way.rollout_why = "";
	build(7, "queued", "", "build 7 waits for its turn; frozen by ann");
}

static void and_then_how_far_the_rollout(void **state)
{
	(void)state;
	static const struct {
		const char *state, *says;
	} cases[] = {
		{"queued", "waits for its turn"}, {"gated", "waits"},
		{"running", "is on its way"},     {"paused", "is held"},
		{"reverting", "is taken back"},   {"stuck", "needs a person"},
		{"succeeded", "had brought it"},  {"reverted", "was taken back"},
		{"rejected", "was refused"},      {"superseded", "gave its place to a newer one"},
		{"cancelled", "was withdrawn"}};
	char whole[DRIFT_SENTENCE_SIZE];
	facts.subject = "";
	facts.way.rollout = 9;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		facts.way.rollout_state = cases[i].state;
		snprintf(whole, sizeof whole, "3 commits behind main: rollout 9 %s", cases[i].says);
		is(DRIFT_BEHIND, whole);
	}
	facts.way.rollout_state = "gated";
	facts.way.rollout_why = "1 of 2 persons said yes";
	is(DRIFT_BEHIND, "3 commits behind main: rollout 9 waits: 1 of 2 persons said yes");
}

static void a_long_text_is_cut(void **state)
{
	(void)state;
	char long_text[2000], text[DRIFT_SENTENCE_SIZE];
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	facts.of = facts.subject = facts.bad = facts.way.rollout_why = long_text;
	drift_sentence(&facts, text);
	assert_int_equal(strlen(text), DRIFT_SENTENCE_SIZE - 1);
	facts.of = "main";
	facts.way.build_state = "failed";
	facts.way.build_why = long_text;
	drift_sentence(&facts, text);
	assert_non_null(strstr(text, ": build 12 failed: xxx"));
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_follows_nothing_or_is_the_same_says_nothing),
		TEST(what_is_not_known_is_no_drift),
		TEST(commits_are_counted_both_ways),
		TEST(a_rollback_counts_before_a_bad_release_and_that_before_the_rest),
		TEST(it_says_how_far_the_build_came),
		TEST(and_then_how_far_the_rollout),
		TEST(a_long_text_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
