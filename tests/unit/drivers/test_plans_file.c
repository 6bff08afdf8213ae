/* SPDX-License-Identifier: Apache-2.0
 * Plans of infrastructure as files: taken away from whoever wrote them, and the same or not at all afterwards. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "drivers/plans/file.h"
#include "os/file.h"

static char directory[64], path[PLANS_PATH_SIZE];
static int state_fd;
static struct plans *plans;
static struct digest digest;
static struct error err;

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/davit-plans-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(file_open_directory(AT_FDCWD, directory, &state_fd, &err), 0);
	assert_int_equal(plans_file_new(state_fd, directory, &plans, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plans_file_free(plans);
	close(state_fd);
	return file_remove_tree(AT_FDCWD, directory, &err);
}

static void write_plan(const char *text)
{
	assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), 0600, &err), 0);
}

static int seal(uint32_t rollout)
{
	return plans->ops->seal(plans, rollout, NULL, &digest, &err);
}

static int open_plan(uint32_t rollout)
{
	return plans->ops->open(plans, rollout, &digest, path, &err);
}

static void what_was_written_comes_back_as_it_was_sealed(void **state)
{
	struct digest expected = digest_of("two machines", 12);
	struct stat st;
	(void)state;
	assert_int_equal(plans->ops->ask(plans, 42, NULL, path, &err), 0);
	assert_int_equal(seal(42), ERR_NOT_FOUND); /* nothing is there yet */
	write_plan("two machines");
	assert_int_equal(seal(42), 0);
	assert_memory_equal(digest.bytes, expected.bytes, sizeof expected.bytes);
	write_plan("nine machines"); /* whoever wrote it goes on writing */
	assert_int_equal(open_plan(42), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0440);
	struct buf content;
	buf_init(&content, 100);
	assert_int_equal(file_read(AT_FDCWD, path, &content, &err), 0);
	assert_string_equal(buf_text(&content), "two machines");
	buf_done(&content);

	assert_int_equal(chmod(path, 0600), 0);
	write_plan("nine machines");
	assert_int_equal(open_plan(42), ERR_CORRUPT);
	assert_non_null(strstr(err.text, "is not what was approved"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_plan(42), ERR_NOT_FOUND);
}

static void another_try_begins_with_an_empty_directory(void **state)
{
	(void)state;
	assert_int_equal(plans->ops->ask(plans, 1, NULL, path, &err), 0);
	write_plan("of the first try");
	assert_int_equal(plans->ops->ask(plans, 1, NULL, path, &err), 0);
	assert_int_equal(seal(1), ERR_NOT_FOUND);
}

static void what_is_no_plain_file_or_too_large_is_refused(void **state)
{
	(void)state;
	assert_int_equal(plans->ops->ask(plans, 1, NULL, path, &err), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_true(seal(1) < 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(seal(1) < 0);
	assert_int_equal(unlink(path), 0);
	write_plan("");
	assert_int_equal(truncate(path, PLANS_BYTES_MAX + 1), 0);
	assert_int_equal(seal(1), ERR_LIMIT);
}

static void nothing_stays_of_one_that_is_over(void **state)
{
	(void)state;
	assert_int_equal(plans->ops->ask(plans, 1, NULL, path, &err), 0);
	write_plan("a plan");
	assert_int_equal(seal(1), 0);
	assert_int_equal(plans->ops->forget(plans, 1, &err), 0);
	assert_int_equal(plans->ops->forget(plans, 1, &err), 0);
	assert_int_equal(faccessat(state_fd, "plans/0000000001", F_OK, 0), -1);
	assert_int_equal(open_plan(1), ERR_NOT_FOUND);
}

static void the_newest_are_kept(void **state)
{
	(void)state;
	for (uint32_t rollout = 1; rollout <= PLANS_KEPT + 3; rollout++) {
		assert_int_equal(plans->ops->ask(plans, rollout, NULL, path, &err), 0);
		write_plan("a plan");
		assert_int_equal(seal(rollout), 0);
	}
	assert_int_equal(plans->ops->ask(plans, PLANS_KEPT + 4, NULL, path, &err), 0);
	assert_int_equal(open_plan(3), ERR_NOT_FOUND);
	assert_int_equal(open_plan(4), 0);
	/* Nor do the directories of those that are over stay. */
	snprintf(path, sizeof path, "%s/plans/0000000003", directory);
	assert_int_equal(access(path, F_OK), -1);
}

static void the_last_words_are_those_of_the_command(void **state)
{
	static const char log[] = "2026-11-26T23:57:22.000Z davit: started as process 4\n"
				  "2026-11-26T23:57:22.500Z first\n"
				  "2026-11-26T23:57:22.503Z second, and more\n"
				  "2026-11-26T23:57:22.600Z davit: It exited with 2.\n"
				  "cut";
	char text[64], few[100];
	(void)state;
	plans->ops->words(plans, "i-1", text, sizeof text);
	assert_string_equal(text, "");
	assert_int_equal(file_make_directories(state_fd, "instances/i-1", 0700, &err), 0);
	assert_int_equal(file_write(state_fd, "instances/i-1/log", log, sizeof log - 1, 0600, &err),
			 0);
	char all[256];
	plans->ops->words(plans, "i-1", all, sizeof all);
	assert_string_equal(all, "first\nsecond, and more\n");
	plans->ops->words(plans, "i-1", few, sizeof few); /* whole lines, the last ones */
	assert_string_equal(few, "second, and more\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_was_written_comes_back_as_it_was_sealed),
		TEST(another_try_begins_with_an_empty_directory),
		TEST(what_is_no_plain_file_or_too_large_is_refused),
		TEST(nothing_stays_of_one_that_is_over),
		TEST(the_newest_are_kept),
		TEST(the_last_words_are_those_of_the_command),
	};
	return cmocka_run_group_tests_name("drivers/plans_file", tests, NULL, NULL);
}
