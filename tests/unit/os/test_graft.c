/* SPDX-License-Identifier: Apache-2.0
 * test_graft - between two trees of strangers: what is copied, and that nothing ever leads out of either. */
#include "../cmocka_all.h"

#include <errno.h>
#include <sys/stat.h>

#include "os/graft.h"
#include "scratch.h"

static struct scratch from, to, outside;
static struct graft graft;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	scratch_make(&from);
	scratch_make(&to);
	scratch_make(&outside);
	graft = (struct graft){.uid = (uid_t)-1,
			       .gid = (gid_t)-1,
			       .links_inside = true,
			       .bytes_max = 1000,
			       .entries_max = 20};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(&from);
	scratch_remove(&to);
	scratch_remove(&outside);
	return 0;
}

static void put(struct scratch *s, const char *name, const char *text, mode_t mode)
{
	assert_int_equal(file_write(s->fd, name, text, strlen(text), mode, &err), 0);
	assert_int_equal(fchmodat(s->fd, name, mode, 0), 0);
}

static void make(struct scratch *s, const char *name)
{
	assert_int_equal(mkdirat(s->fd, name, 0755), 0);
}

static void holds(struct scratch *s, const char *name, const char *text)
{
	struct buf b;
	buf_init(&b, 4096);
	assert_int_equal(file_read(s->fd, name, &b, &err), 0);
	assert_string_equal(buf_text(&b), text);
	buf_done(&b);
}

static bool is_there(struct scratch *s, const char *name)
{
	return faccessat(s->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int copy(const char *path)
{
	graft.bytes = graft.entries = 0;
	return graft_copy(&graft, from.fd, to.fd, path, &err);
}

static void a_tree_is_copied_with_its_times_and_without_odd_bits(void **state)
{
	(void)state;
	struct stat about;
	make(&from, "bin");
	make(&from, "bin/deep");
	put(&from, "bin/server", "program", 04755);
	put(&from, "bin/deep/data", "data", 0600);
	assert_int_equal(symlinkat("../bin/server", from.fd, "bin/link"), 0);
	const struct timespec times[2] = {{1000, 0}, {2000, 5000}};
	assert_int_equal(utimensat(from.fd, "bin/server", times, 0), 0);
	assert_int_equal(copy("bin/"), 0);
	holds(&to, "bin/link", "program");
	holds(&to, "bin/deep/data", "data");
	assert_int_equal(fstatat(to.fd, "bin/server", &about, 0), 0);
	assert_int_equal(about.st_mode & 07777, 0755);
	assert_int_equal(about.st_mtim.tv_sec, 2000);
	assert_int_equal(fstatat(to.fd, "bin/deep/data", &about, 0), 0);
	assert_int_equal(about.st_mode & 07777, 0644);
	/* All of it again, over what is there. */
	assert_int_equal(copy("."), 0);
	holds(&to, "bin/server", "program");
}

static void a_path_comes_alone_and_what_is_there_stays(void **state)
{
	(void)state;
	make(&from, "a");
	make(&from, "a/b");
	put(&from, "a/b/one", "1", 0644);
	put(&from, "a/b/two", "2", 0644);
	make(&to, "a");
	put(&to, "a/kept", "k", 0644);
	assert_int_equal(copy("a/b/one"), 0);
	holds(&to, "a/b/one", "1");
	holds(&to, "a/kept", "k");
	assert_false(is_there(&to, "a/b/two"));
	assert_int_equal(copy("missing/x"), ERR_NOT_FOUND);
	assert_int_equal(copy("a/none"), ERR_NOT_FOUND);
}

static void links_on_the_way_are_followed_on_neither_side(void **state)
{
	(void)state;
	put(&outside, "secret", "s", 0644);
	/* Out of the source: refused. */
	assert_int_equal(symlinkat(outside.path, from.fd, "dir"), 0);
	assert_int_equal(copy("dir/secret"), ERR_INVALID);
	assert_false(is_there(&to, "dir/secret"));
	/* In the target: the link gives way to a directory. */
	assert_int_equal(unlinkat(from.fd, "dir", 0), 0);
	make(&from, "dir");
	put(&from, "dir/secret", "mine", 0644);
	assert_int_equal(unlinkat(to.fd, "dir", AT_REMOVEDIR) == 0 || errno == ENOENT, 1);
	assert_int_equal(symlinkat(outside.path, to.fd, "dir"), 0);
	assert_int_equal(copy("dir"), 0);
	holds(&outside, "secret", "s");
	holds(&to, "dir/secret", "mine");
	/* So does a link where a file goes. */
	char target[96];
	snprintf(target, sizeof target, "%s/secret", outside.path);
	put(&from, "file", "new", 0644);
	assert_int_equal(symlinkat(target, to.fd, "file"), 0);
	assert_int_equal(copy("file"), 0);
	holds(&outside, "secret", "s");
	holds(&to, "file", "new");
}

static void links_that_lead_out_are_refused_where_that_matters(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("/etc/passwd", from.fd, "absolute"), 0);
	make(&from, "a");
	assert_int_equal(symlinkat("../../x", from.fd, "a/parent"), 0);
	assert_int_equal(copy("absolute"), ERR_INVALID);
	assert_int_equal(copy("a/parent"), ERR_INVALID);
	graft.links_inside = false;
	assert_int_equal(copy("."), 0);
	assert_true(is_there(&to, "absolute"));
}

static void a_fifo_and_names_that_lead_out_are_refused(void **state)
{
	(void)state;
	int fd = -1;
	assert_int_equal(mkfifoat(from.fd, "fifo", 0644), 0);
	assert_int_equal(copy("fifo"), ERR_INVALID);
	assert_int_equal(graft_open(from.fd, "fifo", &fd, &err), ERR_INVALID);
	assert_int_equal(copy("../x"), ERR_INVALID);
	assert_int_equal(copy("/etc/passwd"), ERR_INVALID);
	assert_int_equal(graft_open(from.fd, "../x", &fd, &err), ERR_INVALID);
	assert_int_equal(symlinkat("/etc/passwd", from.fd, "link"), 0);
	assert_true(graft_open(from.fd, "link", &fd, &err) < 0);
}

static void too_much_is_refused(void **state)
{
	(void)state;
	char text[1100];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	put(&from, "large", text, 0644);
	assert_int_equal(copy("large"), ERR_LIMIT);
	make(&from, "many");
	for (int i = 0; i < 25; i++) {
		char name[16];
		snprintf(name, sizeof name, "many/%d", i);
		put(&from, name, "", 0644);
	}
	assert_int_equal(copy("many"), ERR_LIMIT);
}

static void a_deep_and_forbidden_tree_is_removed(void **state)
{
	(void)state;
	char here[256];
	assert_non_null(getcwd(here, sizeof here));
	make(&from, "tree");
	assert_int_equal(chdir(from.path) || chdir("tree"), 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(mkdir("d", 0755), 0);
		int fd = open("f", O_WRONLY | O_CREAT, 0);
		assert_true(fd >= 0);
		close(fd);
		assert_int_equal(chdir("d"), 0);
	}
	assert_int_equal(chmod(".", 0), 0);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(symlinkat(outside.path, from.fd, "tree/out"), 0);
	put(&outside, "kept", "k", 0644);
	assert_true(graft_measure(from.fd, UINT64_MAX) > 250 * 4096);
	assert_true(graft_measure(from.fd, 10000) < 30000);
	assert_int_equal(graft_remove(from.fd, "tree", &err), 0);
	assert_false(is_there(&from, "tree"));
	holds(&outside, "kept", "k");
	assert_int_equal(graft_remove(from.fd, "tree", &err), 0);
	assert_int_equal(symlinkat(outside.path, from.fd, "link"), 0);
	assert_int_equal(graft_remove(from.fd, "link", &err), 0);
	holds(&outside, "kept", "k");
}

int main(void)
{
#define GRAFT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		GRAFT_TEST(a_tree_is_copied_with_its_times_and_without_odd_bits),
		GRAFT_TEST(a_path_comes_alone_and_what_is_there_stays),
		GRAFT_TEST(links_on_the_way_are_followed_on_neither_side),
		GRAFT_TEST(links_that_lead_out_are_refused_where_that_matters),
		GRAFT_TEST(a_fifo_and_names_that_lead_out_are_refused),
		GRAFT_TEST(too_much_is_refused),
		GRAFT_TEST(a_deep_and_forbidden_tree_is_removed),
	};
	return cmocka_run_group_tests_name("graft", tests, NULL, NULL);
}
