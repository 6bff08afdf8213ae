/* SPDX-License-Identifier: Apache-2.0
 * test_kept - what stages made is found again as it was, or not at all, and has its bounds. */
#include "../cmocka_all.h"

#include <sys/stat.h>

#include "../os/scratch.h"
#include "drivers/builder/kept.h"
#include "os/graft.h"

static struct scratch scratch;
static struct error err;
static struct kept kept;

static void open_build(uint32_t number, const char *commit, const char *ref)
{
	kept_close(&kept);
	assert_int_equal(graft_remove(scratch.fd, "run", &err), 0);
	assert_int_equal(graft_remove(scratch.fd, "logs", &err), 0);
	assert_int_equal(graft_remove(scratch.fd, "findings", &err), 0);
	assert_int_equal(file_make_directories(scratch.fd, "findings", 0700, &err), 0);
	assert_int_equal(file_make_directories(scratch.fd, "run/outputs", 0700, &err), 0);
	assert_int_equal(file_make_directories(scratch.fd, "logs", 0700, &err), 0);
	assert_int_equal(kept_open(&kept, scratch.fd, number, commit, ref, &err), 0);
}

static int set_up(void **state)
{
	(void)state;
	kept.fd = -1;
	scratch_make(&scratch);
	open_build(1, "c1", "refs/heads/main");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kept_close(&kept);
	scratch_remove(&scratch);
	return 0;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(file_write(scratch.fd, name, text, strlen(text), 0644, &err), 0);
}

static void has(const char *name, const char *text)
{
	struct buf found;
	buf_init(&found, 1 << 20);
	if (file_read(scratch.fd, name, &found, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(buf_text(&found), text);
	buf_done(&found);
}

static bool is_there(const char *name)
{
	return faccessat(scratch.fd, name, F_OK, 0) == 0;
}

/* A stage of the open build has passed, with one file and perhaps an archive. */
static struct kept_stage passed(const char *stage, const char *content, const char *archive)
{
	struct kept_stage about = {.attempt = 2,
				   .took_ms = 345,
				   .tests = 7,
				   .skipped = 1,
				   .archived = archive != NULL};
	char name[64];
	snprintf(name, sizeof name, "run/outputs/%s", stage);
	assert_int_equal(file_make_directories(scratch.fd, name, 0755, &err), 0);
	snprintf(name, sizeof name, "run/outputs/%s/file", stage);
	put(name, content);
	snprintf(name, sizeof name, "logs/%s.log", stage);
	put(name, "what it wrote\n");
	if (archive)
		put("release.tar", archive);
	assert_int_equal(kept_save(&kept, stage, &about, &err), 0);
	return about;
}

static void what_passed_is_found_by_the_next_build_of_the_same_commit(void **state)
{
	(void)state;
	struct kept_stage about;
	passed("unit", "made", "an archive");
	has("run/outputs/unit/file", "made"); /* whoever reads it there sees no difference */
	open_build(2, "c1", "refs/heads/main");
	assert_false(kept_find(&kept, 2, "unit", &about));
	assert_false(kept_find(&kept, 0, "unit", &about));
	assert_false(kept_find(&kept, 1, "lint", &about));
	assert_true(kept_find(&kept, 1, "unit", &about));
	assert_int_equal(about.number, 1);
	assert_int_equal(about.attempt, 2);
	assert_int_equal(about.took_ms, 345);
	assert_int_equal(about.tests, 7);
	assert_int_equal(about.skipped, 1);
	put("release.tar", "that of another build");
	assert_int_equal(kept_take(&kept, "unit", &about, &err), 0);
	has("run/outputs/unit/file", "made");
	has("release.tar", "an archive");
	has("logs/unit.log", "what it wrote\n");
	/* It is one of this build now, and still knows where it ran. */
	assert_true(kept_find(&kept, 2, "unit", &about));
	assert_int_equal(about.number, 1);
	/* The next archive is a file of its own. */
	passed("pack", "", "a newer archive");
	assert_true(kept_find(&kept, 1, "unit", &about));
	assert_int_equal(kept_drop(&kept, "unit", &err), 0);
	assert_false(kept_find(&kept, 2, "unit", &about));
	assert_false(is_there("run/outputs/unit"));
	assert_true(kept_find(&kept, 1, "unit", &about));
}

static void what_a_scan_found_goes_with_its_stage(void **state)
{
	(void)state;
	struct kept_stage about, scan = {.attempt = 1,
					 .scanned = true,
					 .fresh = 1,
					 .known = 2,
					 .fixed = 3,
					 .waived = 4,
					 .suppressed = 5,
					 .since = "v1.2.3 (prod)"};
	put("findings/scan", "davit findings 1 0\n");
	assert_int_equal(file_make_directories(scratch.fd, "run/outputs/scan", 0755, &err), 0);
	assert_int_equal(kept_save(&kept, "scan", &scan, &err), 0);
	open_build(2, "c1", "refs/heads/main");
	assert_true(kept_find(&kept, 1, "scan", &about));
	assert_true(about.scanned);
	assert_int_equal(about.fresh, 1);
	assert_int_equal(about.known, 2);
	assert_int_equal(about.fixed, 3);
	assert_int_equal(about.waived, 4);
	assert_int_equal(about.suppressed, 5);
	assert_string_equal(about.since, "v1.2.3 (prod)");
	assert_int_equal(kept_take(&kept, "scan", &about, &err), 0);
	has("findings/scan", "davit findings 1 0\n");
	assert_true(kept_find(&kept, 2, "scan", &about));
	/* Without it the stage is none that passed. */
	put("kept/builds/1/scan.findings", "davit findings 1 1\n");
	assert_false(kept_find(&kept, 1, "scan", &about));
	assert_int_equal(unlinkat(scratch.fd, "kept/builds/1/scan.findings", 0), 0);
	assert_false(kept_find(&kept, 1, "scan", &about));
	assert_true(kept_find(&kept, 2, "scan", &about));
}

static void another_commit_or_ref_finds_nothing(void **state)
{
	(void)state;
	struct kept_stage about;
	passed("unit", "made", NULL);
	open_build(2, "c2", "refs/heads/main");
	assert_false(kept_find(&kept, 1, "unit", &about));
	open_build(3, "c1", "refs/heads/feature");
	assert_false(kept_find(&kept, 1, "unit", &about));
	open_build(4, "c1", "refs/heads/main");
	assert_true(kept_find(&kept, 1, "unit", &about));
}

static const char *file_of(const struct kept_stage *s, const char *name)
{
	static char path[160];
	char hex[DIGEST_HEX_SIZE];
	snprintf(path, sizeof path, "kept/outputs/unit-%s/%s", digest_format(&s->outputs, hex),
		 name);
	return path;
}

static const char *archive_of(const struct kept_stage *s)
{
	static char path[160];
	char hex[DIGEST_HEX_SIZE];
	snprintf(path, sizeof path, "kept/outputs/%s.tar", digest_format(&s->archive, hex));
	return path;
}

static void what_is_damaged_is_not_found(void **state)
{
	(void)state;
	struct kept_stage about, found;
	about = passed("unit", "made", "an archive");
	const char *name = file_of(&about, "file");
	put(name, "made ");
	assert_false(kept_find(&kept, 1, "unit", &found));
	put(name, "made");
	assert_true(kept_find(&kept, 1, "unit", &found));
	name = file_of(&about, "more");
	put(name, "");
	assert_false(kept_find(&kept, 1, "unit", &found));
	unlinkat(scratch.fd, name, 0);
	name = archive_of(&about);
	put(name, "an archivE");
	assert_false(kept_find(&kept, 1, "unit", &found));
	put(name, "an archive");
	assert_true(kept_find(&kept, 1, "unit", &found));
	unlinkat(scratch.fd, name, 0);
	assert_false(kept_find(&kept, 1, "unit", &found));
}

/* Whatever is cut or changed in the file that says so, it is refused or says the same digests. */
static void a_damaged_word_about_a_stage_is_none(void **state)
{
	(void)state;
	struct kept_stage about = passed("unit", "made", NULL), found;
	struct buf text;
	buf_init(&text, 4096);
	assert_int_equal(file_read(scratch.fd, "kept/builds/1/unit", &text, &err), 0);
	for (size_t size = 0; size < text.size; size++) {
		assert_int_equal(
			file_write(scratch.fd, "kept/builds/1/unit", text.data, size, 0600, &err),
			0);
		assert_false(kept_find(&kept, 1, "unit", &found));
	}
	for (size_t i = 0; i < text.size; i++) {
		char before = text.data[i];
		text.data[i] = '~';
		assert_int_equal(file_write(scratch.fd, "kept/builds/1/unit", text.data, text.size,
					    0600, &err),
				 0);
		assert_false(kept_find(&kept, 1, "unit", &found));
		text.data[i] = before;
	}
	assert_int_equal(
		file_write(scratch.fd, "kept/builds/1/unit", text.data, text.size, 0600, &err), 0);
	assert_true(kept_find(&kept, 1, "unit", &found));
	assert_true(digest_equal(&found.outputs, &about.outputs));
	buf_done(&text);
}

static void the_oldest_build_goes_first(void **state)
{
	(void)state;
	struct kept_stage found;
	char big[40001] = "";
	memset(big, 'x', sizeof big - 1);
	for (uint32_t number = 1; number <= 5; number++) {
		open_build(number, "c1", "refs/heads/main");
		big[0] = (char)('0' + number);
		passed("unit", big, "the same archive");
	}
	kept_bound(&kept, 3, UINT64_MAX);
	assert_false(kept_find(&kept, 2, "unit", &found));
	assert_true(kept_find(&kept, 3, "unit", &found));
	kept_bound(&kept, 3, 100000);
	assert_false(kept_find(&kept, 3, "unit", &found));
	assert_true(kept_find(&kept, 4, "unit", &found));
	assert_true(kept_find(&kept, 5, "unit", &found));
	kept_bound(&kept, 3, 0);
	assert_false(kept_find(&kept, 5, "unit", &found));
	assert_false(is_there("kept/builds/5"));
	int fd = openat(scratch.fd, "kept/outputs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(unlinkat(scratch.fd, "kept/outputs", AT_REMOVEDIR), 0); /* it is empty */
	close(fd);
}

int main(void)
{
#define KEPT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		KEPT_TEST(what_passed_is_found_by_the_next_build_of_the_same_commit),
		KEPT_TEST(what_a_scan_found_goes_with_its_stage),
		KEPT_TEST(another_commit_or_ref_finds_nothing),
		KEPT_TEST(what_is_damaged_is_not_found),
		KEPT_TEST(a_damaged_word_about_a_stage_is_none),
		KEPT_TEST(the_oldest_build_goes_first),
	};
	return cmocka_run_group_tests_name("drivers/kept", tests, NULL, NULL);
}
