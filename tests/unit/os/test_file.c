/* SPDX-License-Identifier: Apache-2.0
 * Tests of os/file and os/lock. */
#include <errno.h>
#include <sys/wait.h>

#include "../cmocka_all.h"
#include "os/lock.h"
#include "scratch.h"

static struct scratch dir;
static struct error err;

static int setup(void **state)
{
	(void)state;
	scratch_make(&dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove(&dir);
	return 0;
}

static void put(const char *name, const char *text, mode_t mode)
{
	assert_int_equal(file_write(dir.fd, name, text, strlen(text), mode, &err), 0);
}

static void assert_content(const char *name, const char *text)
{
	struct buf b;
	buf_init(&b, 1000);
	assert_int_equal(file_read(dir.fd, name, &b, &err), 0);
	assert_string_equal(buf_text(&b), text);
	buf_done(&b);
}

static void a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(void **state)
{
	(void)state;
	put("a", "one", 0600);
	put("a", "two", 0640);
	assert_content("a", "two");
	struct stat about;
	assert_int_equal(fstatat(dir.fd, "a", &about, 0), 0);
	assert_int_equal(about.st_mode & 0777, 0640);
	assert_int_equal(faccessat(dir.fd, "a.new", F_OK, 0), -1);
}

static void a_write_into_a_missing_directory_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(file_write(dir.fd, "no/a", "x", 1, 0600, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "no/a"));
}

static void a_name_that_is_not_trusted_leads_nowhere_else(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1000);
	put("a", "one", 0600);
	assert_int_equal(symlinkat("a", dir.fd, "in"), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir.fd, "out"), 0);
	assert_int_equal(mkfifoat(dir.fd, "pipe", 0600), 0);
	assert_int_equal(file_read_beneath(dir.fd, "a", &b, &err), 0);
	assert_int_equal(file_read_beneath(dir.fd, "in", &b, &err), 0);
	assert_string_equal(buf_text(&b), "oneone");
	assert_int_equal(file_read_beneath(dir.fd, "out", &b, &err), ERR_DENIED);
	assert_int_equal(file_read_beneath(dir.fd, "../a", &b, &err), ERR_DENIED);
	assert_int_equal(file_read_beneath(dir.fd, "/etc/passwd", &b, &err), ERR_DENIED);
	assert_int_equal(file_read_beneath(dir.fd, "pipe", &b, &err), ERR_INVALID);
	assert_int_equal(file_read_beneath(dir.fd, ".", &b, &err), ERR_INVALID);
	assert_int_equal(file_read_beneath(dir.fd, "none", &b, &err), ERR_NOT_FOUND);
	assert_string_equal(buf_text(&b), "oneone");
	buf_done(&b);
}

static void a_file_larger_than_the_buffer_is_refused(void **state)
{
	(void)state;
	struct buf b;
	put("a", "12345", 0600);
	buf_init(&b, 4);
	assert_int_equal(file_read(dir.fd, "a", &b, &err), ERR_LIMIT);
	buf_done(&b);
	buf_init(&b, 5);
	assert_int_equal(file_read(dir.fd, "a", &b, &err), 0);
	buf_done(&b);
}

static void directories_are_made_with_all_above_them(void **state)
{
	(void)state;
	assert_int_equal(file_make_directories(dir.fd, "a/b//c", 0755, &err), 0);
	assert_int_equal(file_make_directories(dir.fd, "a/b/c", 0755, &err), 0);
	put("a/file", "x", 0600);
	assert_int_equal(file_make_directories(dir.fd, "a/file", 0755, &err), ERR_CONFLICT);
	assert_true(file_make_directories(dir.fd, "a/file/d", 0755, &err) < 0);
}

static void removing_a_tree_does_not_follow_links_out_of_it(void **state)
{
	(void)state;
	char outside[128];
	assert_int_equal(file_make_directories(dir.fd, "keep", 0755, &err), 0);
	put("keep/file", "x", 0600);
	assert_int_equal(file_make_directories(dir.fd, "tree/sub", 0755, &err), 0);
	put("tree/sub/file", "x", 0400);
	snprintf(outside, sizeof outside, "%s/keep", dir.path);
	assert_int_equal(symlinkat(outside, dir.fd, "tree/link"), 0);
	assert_int_equal(fchmodat(dir.fd, "tree/sub", 0555, 0), 0);
	assert_int_equal(file_remove_tree(dir.fd, "tree", &err), 0);
	assert_int_equal(faccessat(dir.fd, "tree", F_OK, 0), -1);
	assert_content("keep/file", "x");
	assert_int_equal(file_remove_tree(dir.fd, "tree", &err), 0);
}

static void a_copied_tree_is_its_own_and_can_be_written(void **state)
{
	(void)state;
	struct stat about;
	assert_int_equal(file_make_directories(dir.fd, "from/bin", 0755, &err), 0);
	put("from/bin/run", "program", 0555);
	assert_int_equal(symlinkat("bin/run", dir.fd, "from/link"), 0);
	assert_int_equal(fchmodat(dir.fd, "from/bin", 0555, 0), 0);
	assert_int_equal(file_copy_tree(dir.fd, "from", dir.fd, "to", (uid_t)-1, (gid_t)-1, &err),
			 0);
	assert_content("to/bin/run", "program");
	assert_content("to/link", "program");
	assert_int_equal(fstatat(dir.fd, "to/bin/run", &about, 0), 0);
	assert_int_equal(about.st_mode & 0777, 0755);
	put("to/bin/run", "changed", 0755);
	assert_content("from/bin/run", "program");
}

static void a_copy_of_a_tree_with_a_device_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_int_equal(file_make_directories(dir.fd, "from", 0755, &err), 0);
	put("from/a", "x", 0600);
	assert_int_equal(mkfifoat(dir.fd, "from/fifo", 0600), 0);
	assert_int_equal(file_copy_tree(dir.fd, "from", dir.fd, "to", (uid_t)-1, (gid_t)-1, &err),
			 ERR_INVALID);
	assert_int_equal(faccessat(dir.fd, "to", F_OK, 0), -1);
}

static void a_lock_has_one_holder_whose_pid_is_told(void **state)
{
	(void)state;
	int fd, other;
	pid_t holder = -1;
	assert_int_equal(lock_take(dir.fd, "lock", &fd, &holder, &err), 0);
	assert_int_equal(lock_take(dir.fd, "lock", &other, &holder, &err), ERR_CONFLICT);
	assert_int_equal(holder, getpid());
	close(fd);
	assert_int_equal(lock_take(dir.fd, "lock", &fd, &holder, &err), 0);
	close(fd);
}

static void a_lock_is_free_once_its_holder_was_killed(void **state)
{
	(void)state;
	int fd, ready[2];
	pid_t holder = 0;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct error e;
		if (lock_take(dir.fd, "lock", &fd, &holder, &e) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	char byte;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lock_take(dir.fd, "lock", &fd, &holder, &err), ERR_CONFLICT);
	assert_int_equal(holder, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(lock_take(dir.fd, "lock", &fd, &holder, &err), 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it),
		TEST(a_write_into_a_missing_directory_changes_nothing),
		TEST(a_name_that_is_not_trusted_leads_nowhere_else),
		TEST(a_file_larger_than_the_buffer_is_refused),
		TEST(directories_are_made_with_all_above_them),
		TEST(removing_a_tree_does_not_follow_links_out_of_it),
		TEST(a_copied_tree_is_its_own_and_can_be_written),
		TEST(a_copy_of_a_tree_with_a_device_leaves_nothing_behind),
		TEST(a_lock_has_one_holder_whose_pid_is_told),
		TEST(a_lock_is_free_once_its_holder_was_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
