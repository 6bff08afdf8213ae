/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "store/findings.h"

/* Build `number`, of release `release` ("": none), whose scan found `found`; its name. */
static const char *scanned(struct fixture *f, uint32_t number, const char *release,
			   const char *found)
{
	static char digest[STORE_ID_SIZE];
	struct store_build b = {.number = number, .app = "shop", .created_unix_ms = number};
	struct store_build_stage stage = {.build = number, .name = "scan", .scanned = true};
	text_copy(b.release, sizeof b.release, release);
	store_begin(f->s);
	store_put_build(f->s, &b);
	store_put_findings(f->s, found, strlen(found), stage.found);
	store_put_build_stage(f->s, &stage);
	must(store_commit(f->s, &f->err), &f->err);
	text_copy(digest, sizeof digest, stage.found);
	return digest;
}

static int found_of(struct fixture *f, const char *digest, const char *expected)
{
	struct buf text;
	buf_init(&text, STORE_BLOB_MAX);
	int result = store_findings_get(f->s, digest, &text, &f->err);
	if (result == 0)
		assert_string_equal(buf_text(&text), expected);
	buf_done(&text);
	return result;
}

static void a_set_is_there_once_under_the_name_of_its_bytes(void **state)
{
	struct fixture *f = *state;
	char first[STORE_ID_SIZE];
	text_copy(first, sizeof first, scanned(f, 1, "", "the same"));
	assert_string_equal(scanned(f, 2, "", "the same"), first);
	assert_string_not_equal(scanned(f, 3, "", "another"), first);
	store_close(f->s);
	open_again(f);
	assert_int_equal(found_of(f, first, "the same"), 0);
	first[0] = first[0] == '0' ? '1' : '0';
	assert_int_equal(found_of(f, first, ""), ERR_NOT_FOUND);
}

static void bytes_that_changed_are_no_set(void **state)
{
	struct fixture *f = *state;
	char digest[STORE_ID_SIZE];
	sqlite3 *db;
	text_copy(digest, sizeof digest, scanned(f, 1, "", "one finding"));
	store_close(f->s);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE found SET body = x'00'", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	open_again(f);
	assert_int_equal(found_of(f, digest, ""), ERR_CORRUPT);
}

static int count_found(void *context, const struct store_build_stage *stage)
{
	*(bool *)context = stage->found[0] != '\0';
	return 0;
}

static bool names_a_set(struct fixture *f, uint32_t build)
{
	bool names = false;
	must(store_build_stages(f->s, build, count_found, &names, &f->err), &f->err);
	return names;
}

static void old_builds_keep_theirs_where_their_release_was_live(void **state)
{
	struct fixture *f = *state;
	static const char live[] =
		"1111111111111111111111111111111111111111111111111111111111111111";
	char digests[4][STORE_ID_SIZE];
	text_copy(digests[0], STORE_ID_SIZE, scanned(f, 1, live, "of what was live"));
	text_copy(digests[1], STORE_ID_SIZE, scanned(f, 2, "", "of none"));
	text_copy(digests[2], STORE_ID_SIZE, scanned(f, 3, "", "of several"));
	text_copy(digests[3], STORE_ID_SIZE, scanned(f, 4, "", "of several"));
	store_begin(f->s);
	store_add_stable(f->s, "shop", "prod", live, 1, 100);
	store_forget_findings(f->s, 3);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(found_of(f, digests[0], "of what was live"), 0);
	assert_int_equal(found_of(f, digests[1], ""), ERR_NOT_FOUND);
	assert_int_equal(found_of(f, digests[3], "of several"), 0);
	/* What is gone is named by nobody: that would be an error for whoever compares with it. */
	assert_true(names_a_set(f, 1));
	assert_false(names_a_set(f, 2));
	assert_false(names_a_set(f, 3));
	assert_true(names_a_set(f, 4));
}

static void more_than_the_bound_is_not_taken(void **state)
{
	struct fixture *f = *state;
	char digest[STORE_ID_SIZE], *large = mem_zero(1, STORE_BLOB_MAX + 1);
	store_begin(f->s);
	store_put_findings(f->s, large, STORE_BLOB_MAX + 1, digest);
	assert_int_equal(store_commit(f->s, &f->err), ERR_LIMIT);
	free(large);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_set_is_there_once_under_the_name_of_its_bytes),
		STORE_TEST(bytes_that_changed_are_no_set),
		STORE_TEST(old_builds_keep_theirs_where_their_release_was_live),
		STORE_TEST(more_than_the_bound_is_not_taken),
	};
	return cmocka_run_group_tests_name("store/findings", tests, NULL, NULL);
}
