/* SPDX-License-Identifier: Apache-2.0
 * What scans of running releases are compared with, and which of theirs is kept. */
#include <stdio.h>
#include <string.h>

#include "control/known.h"
#include "world.h"

static const char shop[] =
	"app: shop\n"
	"service: { run: bin/server --port $PORT, health: { path: /up, "
	"interval: 1s, min_healthy: 500ms } }\n"
	"analysis: off\n"
	"checks: { dast: [{ get: /up }, { run: bin/scan, sarif: dast.sarif }] }\n"
	"strategies: { quick: [switch] }\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, production: true, verify: [dast] "
	"}\n"
	"  staging: { listen: \"127.0.0.1:8082\", strategy: quick, verify: [dast] }\n";

/* It rolls out, and its scan finds this; what that was to be compared with. */
static const char *goes(const char *environment, const char *tag, const char *finds)
{
	char id[DIGEST_HEX_SIZE];
	text_copy(id, sizeof id, world_release(environment, tag, shop));
	world.check_finds = finds;
	world.check_told[0] = '\0';
	assert_string_equal(world_until_end(world_deploy(environment, id), 60000), "succeeded");
	return world.check_told;
}

static int setup(void **state)
{
	(void)state;
	world_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static void a_scan_is_known_by_its_check_and_its_place(void **state)
{
	(void)state;
	goes("staging", "v1", "one");
	assert_string_equal(world.check.checks[0].name, "dast");
	assert_string_equal(world.check.checks[1].sarif, "dast.sarif");
	assert_int_equal(world.check.checks[1].scan, 0);
}

static void what_staging_finds_counts_when_it_is_live_in_production(void **state)
{
	(void)state;
	assert_string_equal(goes("staging", "v1", "one"), "?no release is live in production yet");
	/* Nor does what is live elsewhere. */
	assert_string_equal(goes("staging", "v2", "two"), "?no release is live in production yet");
	/* Before it is good itself it is compared with what was before. */
	assert_string_equal(goes("prod", "v2", "two in prod"),
			    "?no release is live in production yet");
	assert_string_equal(goes("staging", "v3", "three"), "v2 (prod)=two");
	assert_string_equal(goes("prod", "v3", "three in prod"), "v2 (prod)=two in prod");
	world_kill();
	world_start();
	assert_string_equal(goes("staging", "v4", "four"), "v3 (prod)=three");
	assert_string_equal(world_until_end(world_rollback("prod", ""), 60000), "succeeded");
	assert_string_equal(goes("staging", "v5", "five"), "v2 (prod)=two");
}

/* Where it was not scanned in this environment, the last one counts. */
static void another_environments_scan_is_better_than_none(void **state)
{
	(void)state;
	goes("prod", "v1", "one in prod");
	assert_string_equal(goes("staging", "v2", "two"), "v1 (prod)=one in prod");
}

static void a_release_that_was_never_scanned_has_nothing(void **state)
{
	(void)state;
	goes("prod", "v1", NULL);
	assert_string_equal(goes("staging", "v2", "two"), "v1 (prod)?");
}

static void what_failed_or_was_marked_bad_is_no_measure(void **state)
{
	struct control_caller caller = {.who = "ann"};
	char id[DIGEST_HEX_SIZE];
	(void)state;
	goes("prod", "v1", "one");
	goes("prod", "v2", "two");
	text_copy(id, sizeof id, world_release("prod", "v2", shop));
	assert_int_equal(control_mark_release(world.control, &caller, id, "shop/prod", true,
					      "it leaks", &world.err),
			 0);
	world_behaviour("v3")->checks_fail = true;
	text_copy(id, sizeof id, world_release("prod", "v3", shop));
	world.check_finds = "three";
	assert_string_equal(world_until_end(world_deploy("prod", id), 60000), "reverted");
	assert_string_equal(goes("prod", "v4", "four"), "v1 (prod)=one");
}

/* To be shown to whoever approves. */
static void the_newest_counts_of_each_scan_are_shown(void **state)
{
	struct view_findings shown;
	char id[DIGEST_HEX_SIZE];
	(void)state;
	text_copy(id, sizeof id, world_release("staging", "v1", shop));
	known_show(world.control, id, &shown);
	assert_false(shown.scanned);
	goes("staging", "v1", "one");
	goes("prod", "v1", "one");
	known_show(world.control, id, &shown);
	assert_true(shown.scanned);
	assert_int_equal(shown.build, 0);
	assert_int_equal(shown.fresh, 1);
	assert_int_equal(shown.known, 2);
	assert_int_equal(shown.fixed, 3);
	assert_int_equal(shown.waived, 4);
	assert_string_equal(shown.since, "something");
}

#define KNOWN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KNOWN_TEST(a_scan_is_known_by_its_check_and_its_place),
		KNOWN_TEST(what_staging_finds_counts_when_it_is_live_in_production),
		KNOWN_TEST(another_environments_scan_is_better_than_none),
		KNOWN_TEST(a_release_that_was_never_scanned_has_nothing),
		KNOWN_TEST(what_failed_or_was_marked_bad_is_no_measure),
		KNOWN_TEST(the_newest_counts_of_each_scan_are_shown),
	};
	return cmocka_run_group_tests_name("control/known_checks", tests, NULL, NULL);
}
