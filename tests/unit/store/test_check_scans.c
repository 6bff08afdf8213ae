/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "store/builds.h"
#include "store/check_scans.h"
#include "store/findings.h"

#define RELEASE(digit) digit digit digit digit digit digit digit digit
#define ONE            RELEASE("11111111")
#define TWO            RELEASE("22222222")
#define THREE          RELEASE("33333333")

static void scanned(struct fixture *f, const char *release, const char *environment,
		    uint32_t position, uint32_t rollout, const char *found)
{
	struct store_check_scan scan = {.position = position,
					.rollout = rollout,
					.at_unix_ms = 1000 * rollout,
					.fresh = 1,
					.known = 2,
					.fixed = 3,
					.waived = 4,
					.suppressed = 5,
					.name = "dast",
					.since = "v1 (prod)"};
	text_copy(scan.release, sizeof scan.release, release);
	text_copy(scan.environment, sizeof scan.environment, environment);
	store_begin(f->s);
	store_put_findings(f->s, found, strlen(found), scan.found);
	store_put_check_scan(f->s, &scan);
	must(store_commit(f->s, &f->err), &f->err);
}

/* The rollout whose scan it is; 0: there is none. */
static uint32_t find(struct fixture *f, const char *release, const char *environment,
		     uint32_t position)
{
	struct store_check_scan which = {.position = position, .name = "dast"}, scan;
	text_copy(which.release, sizeof which.release, release);
	text_copy(which.environment, sizeof which.environment, environment);
	int result = store_check_scan_find(f->s, &which, &scan, &f->err);
	assert_true(result == 0 || result == ERR_NOT_FOUND);
	return result == 0 ? scan.rollout : 0;
}

static bool is_kept(struct fixture *f, const char *found)
{
	char digest[STORE_ID_SIZE];
	struct digest d = digest_of(found, strlen(found));
	struct buf text;
	buf_init(&text, STORE_BLOB_MAX);
	int result = store_findings_get(f->s, digest_format(&d, digest), &text, &f->err);
	buf_done(&text);
	assert_true(result == 0 || result == ERR_NOT_FOUND);
	return result == 0;
}

static void a_scan_is_that_of_its_environment_else_the_newest(void **state)
{
	struct fixture *f = *state;
	scanned(f, ONE, "staging", 0, 1, "a");
	assert_int_equal(find(f, ONE, "prod", 0), 1);
	scanned(f, ONE, "prod", 0, 2, "b");
	assert_int_equal(find(f, ONE, "prod", 0), 2);
	assert_int_equal(find(f, ONE, "staging", 0), 1);
	assert_int_equal(find(f, ONE, "qa", 0), 2);
	/* Made again it is another one, and nothing else is. */
	scanned(f, ONE, "staging", 0, 3, "c");
	assert_int_equal(find(f, ONE, "staging", 0), 3);
	assert_int_equal(find(f, ONE, "staging", 1), 0);
	assert_int_equal(find(f, TWO, "staging", 0), 0);
}

static int count(void *context, const struct store_check_scan *scan)
{
	uint32_t *rollouts = context;
	*rollouts = *rollouts * 10 + scan->rollout;
	assert_int_equal(scan->fresh, 1);
	assert_int_equal(scan->known, 2);
	assert_int_equal(scan->fixed, 3);
	assert_int_equal(scan->waived, 4);
	assert_int_equal(scan->suppressed, 5);
	assert_string_equal(scan->since, "v1 (prod)");
	return 0;
}

static void the_scans_of_a_release_are_told_the_newest_of_each_first(void **state)
{
	struct fixture *f = *state;
	uint32_t rollouts = 0;
	scanned(f, ONE, "staging", 0, 1, "a");
	scanned(f, ONE, "staging", 1, 2, "a");
	scanned(f, ONE, "prod", 0, 3, "a");
	scanned(f, TWO, "prod", 0, 4, "a");
	store_close(f->s);
	open_again(f);
	must(store_check_scans(f->s, ONE, count, &rollouts, &f->err), &f->err);
	assert_int_equal(rollouts, 312);
}

static void what_was_never_live_is_forgotten_and_no_set_that_is_named(void **state)
{
	struct fixture *f = *state;
	struct store_build b = {.number = 1, .app = "shop", .created_unix_ms = 1};
	struct store_build_stage stage = {.build = 1, .name = "scan", .scanned = true};
	scanned(f, ONE, "prod", 0, 1, "of what was live");
	scanned(f, TWO, "prod", 0, 2, "of none");
	scanned(f, TWO, "prod", 1, 2, "of a build too");
	scanned(f, THREE, "prod", 0, 3, "of the last one");
	store_begin(f->s);
	store_add_stable(f->s, "shop", "prod", ONE, 1, 100);
	store_put_build(f->s, &b);
	store_put_findings(f->s, "of a build too", 14, stage.found);
	store_put_build_stage(f->s, &stage);
	store_forget_check_scans(f->s, 2);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(find(f, ONE, "prod", 0), 1);
	assert_int_equal(find(f, TWO, "prod", 0), 0);
	assert_int_equal(find(f, THREE, "prod", 0), 3);
	assert_true(is_kept(f, "of what was live") && is_kept(f, "of the last one"));
	assert_true(is_kept(f, "of a build too"));
	assert_false(is_kept(f, "of none"));
	/* Builds that forget theirs leave those of checks. */
	store_begin(f->s);
	store_forget_findings(f->s, 1);
	must(store_commit(f->s, &f->err), &f->err);
	assert_true(is_kept(f, "of what was live"));
	assert_false(is_kept(f, "of a build too"));
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_scan_is_that_of_its_environment_else_the_newest),
		STORE_TEST(the_scans_of_a_release_are_told_the_newest_of_each_first),
		STORE_TEST(what_was_never_live_is_forgotten_and_no_set_that_is_named),
	};
	return cmocka_run_group_tests_name("store/check_scans", tests, NULL, NULL);
}
