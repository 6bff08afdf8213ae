/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../os/scratch.h"
#include "../os/tar.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "drivers/artifact/local.h"

struct place {
	struct scratch scratch;
	char directory[96];
	struct artifact_store *store;
	struct error err;
};

static void must(int code, const struct error *err)
{
	if (code < 0)
		fail_msg("%s: %s", err_name((enum err)code), err->text);
}

static int set_up(void **state)
{
	struct place *p = mem_zero(1, sizeof *p);
	scratch_make(&p->scratch);
	snprintf(p->directory, sizeof p->directory, "%s/artifacts", p->scratch.path);
	must(artifact_local_new(p->directory, &p->store, &p->err), &p->err);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	artifact_local_free(p->store);
	scratch_remove(&p->scratch);
	free(p);
	return 0;
}

/* A tar of bin/server with this content, and a link. */
static int tar_of(const char *content)
{
	struct buf b;
	buf_init(&b, 1 << 24);
	tar_add(&b, &(struct tar_entry){"bin/server", '0', .data = content, .mode = 0755});
	tar_add(&b, &(struct tar_entry){"server", '2', .link = "bin/server"});
	tar_end(&b);
	int fd = memfd_create("archive", MFD_CLOEXEC);
	assert_int_equal(write(fd, b.data, b.size), b.size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	buf_done(&b);
	return fd;
}

static struct artifact_info import(struct place *p, const char *content)
{
	struct artifact_info info;
	int fd = tar_of(content);
	must(p->store->ops->import(p->store, fd, NULL, &info, &p->err), &p->err);
	close(fd);
	return info;
}

/* How many names the directory of artifacts holds, hidden ones included. */
static size_t names(const struct place *p)
{
	size_t count = 0;
	DIR *dir = opendir(p->directory);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

static void an_imported_tree_is_read_only_and_named_by_its_digest(void **state)
{
	struct place *p = *state;
	char path[256], file[300], hex[DIGEST_HEX_SIZE];
	struct artifact_info info = import(p, "#!/bin/sh\n"), again;
	struct stat st;
	assert_int_equal(info.entries, 3);
	assert_int_equal(info.size_bytes, 10);
	must(p->store->ops->path(p->store, &info.digest, path, sizeof path, &p->err), &p->err);
	assert_string_equal(path + strlen(path) - 64, digest_format(&info.digest, hex));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	snprintf(file, sizeof file, "%s/bin/server", path);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	must(p->store->ops->verify(p->store, &info.digest, &again, &p->err), &p->err);
	assert_int_equal(again.size_bytes, 10);
	assert_int_equal(p->store->ops->path(p->store, &info.digest, path, 70, &p->err), ERR_LIMIT);
	info.digest.bytes[0] ^= 1;
	assert_int_equal(p->store->ops->path(p->store, &info.digest, path, sizeof path, &p->err),
			 ERR_NOT_FOUND);
	assert_int_equal(p->store->ops->verify(p->store, &info.digest, &again, &p->err),
			 ERR_NOT_FOUND);
}

static void the_same_again_is_the_same_artifact(void **state)
{
	struct place *p = *state;
	struct artifact_info one = import(p, "x"), two = import(p, "x"), other = import(p, "y");
	assert_true(digest_equal(&one.digest, &two.digest));
	assert_false(digest_equal(&one.digest, &other.digest));
	assert_int_equal(names(p), 2);
}

static void an_archive_through_a_pipe_is_the_same_artifact(void **state)
{
	struct place *p = *state;
	struct artifact_info one = import(p, "x"), two;
	int fds[2], fd = tar_of("x");
	char bytes[8192];
	ssize_t size = read(fd, bytes, sizeof bytes);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, (size_t)size), size);
	close(fds[1]);
	must(p->store->ops->import(p->store, fds[0], "up.tar", &two, &p->err), &p->err);
	assert_true(digest_equal(&one.digest, &two.digest));
	close(fds[0]);
	close(fd);
	assert_int_equal(names(p), 1);
}

static void one_file_becomes_an_artifact(void **state)
{
	struct place *p = *state;
	struct artifact_info info;
	char path[256];
	int fd = memfd_create("file", MFD_CLOEXEC);
	assert_int_equal(write(fd, "\177ELF", 4), 4);
	lseek(fd, 0, SEEK_SET);
	must(p->store->ops->import(p->store, fd, "server", &info, &p->err), &p->err);
	assert_int_equal(info.entries, 1);
	must(p->store->ops->path(p->store, &info.digest, path, sizeof path, &p->err), &p->err);
	close(fd);
}

static void what_is_refused_leaves_nothing_behind(void **state)
{
	struct place *p = *state;
	struct artifact_info info;
	struct buf b;
	buf_init(&b, 1 << 20);
	tar_add(&b, &(struct tar_entry){"good", '0', .data = "x"});
	tar_add(&b, &(struct tar_entry){"../evil", '0', .data = "x"});
	tar_end(&b);
	int fd = memfd_create("archive", MFD_CLOEXEC);
	assert_int_equal(write(fd, b.data, b.size), b.size);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(p->store->ops->import(p->store, fd, NULL, &info, &p->err), ERR_INVALID);
	assert_int_equal(names(p), 0);
	assert_int_equal(faccessat(p->scratch.fd, "evil", F_OK, 0), -1);
	close(fd);
	buf_done(&b);
}

static void a_changed_file_is_found_and_an_import_repairs_it(void **state)
{
	struct place *p = *state;
	struct artifact_info info = import(p, "right"), again;
	char path[256], file[300];
	must(p->store->ops->path(p->store, &info.digest, path, sizeof path, &p->err), &p->err);
	snprintf(file, sizeof file, "%s/bin/server", path);
	assert_int_equal(chmod(file, 0755), 0);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fputs("wrong", f);
	fclose(f);
	assert_int_equal(p->store->ops->verify(p->store, &info.digest, &again, &p->err),
			 ERR_CORRUPT);
	again = import(p, "right");
	assert_true(digest_equal(&info.digest, &again.digest));
	must(p->store->ops->verify(p->store, &info.digest, &again, &p->err), &p->err);
	assert_int_equal(names(p), 1);
}

static void collection_removes_what_is_neither_kept_nor_young(void **state)
{
	struct place *p = *state;
	struct artifact_collected c;
	struct digest keep[2] = {import(p, "one").digest, import(p, "three").digest};
	struct digest lost = import(p, "four!").digest;
	struct artifact_info info;
	must(p->store->ops->collect(p->store, keep, 2, 60000, &c, &p->err), &p->err);
	assert_int_equal(c.removed, 0);
	assert_int_equal(c.kept, 3);
	assert_int_equal(c.kept_bytes, 3 + 5 + 5);
	must(p->store->ops->collect(p->store, keep, 2, 0, &c, &p->err), &p->err);
	assert_int_equal(c.removed, 1);
	assert_int_equal(c.removed_bytes, 5);
	assert_int_equal(c.kept, 2);
	assert_int_equal(p->store->ops->verify(p->store, &lost, &info, &p->err), ERR_NOT_FOUND);
	must(p->store->ops->verify(p->store, &keep[1], &info, &p->err), &p->err);
	assert_int_equal(names(p), 2);
}

static void an_import_of_an_old_artifact_makes_it_young_again(void **state)
{
	struct place *p = *state;
	struct artifact_collected c;
	struct digest digest = import(p, "x").digest;
	char path[256];
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	must(p->store->ops->path(p->store, &digest, path, sizeof path, &p->err), &p->err);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	import(p, "x");
	must(p->store->ops->collect(p->store, NULL, 0, 60000, &c, &p->err), &p->err);
	assert_int_equal(c.kept, 1);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	must(p->store->ops->collect(p->store, NULL, 0, 60000, &c, &p->err), &p->err);
	assert_int_equal(c.removed, 1);
}

static const char *deadly;

static void die_at(const char *name)
{
	if (strcmp(name, deadly) == 0)
		kill(getpid(), SIGKILL);
}

static void a_kill_leaves_all_or_nothing_and_a_collection_cleans_up(void **state)
{
	struct place *p = *state;
	static const char *const points[] = {"artifact.before-publish", "artifact.after-publish"};
	for (size_t i = 0; i < 2; i++) {
		struct artifact_collected c;
		deadly = points[i];
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			failpoint_hook = die_at;
			import(p, "x");
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(names(p), 1); /* what came in, or the artifact */
		must(p->store->ops->collect(p->store, NULL, 0, 60000, &c, &p->err), &p->err);
		assert_int_equal(c.kept, i);
		assert_int_equal(names(p), i);
	}
}

static void a_collection_leaves_an_import_alone_that_goes_on(void **state)
{
	struct place *p = *state;
	struct artifact_collected c;
	struct artifact_info info;
	int fds[2], fd = tar_of("x");
	char bytes[8192];
	ssize_t size = read(fd, bytes, sizeof bytes);
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) { /* waits for the end of the pipe */
		close(fds[1]);
		_exit(p->store->ops->import(p->store, fds[0], NULL, &info, &p->err) == 0 ? 0 : 1);
	}
	close(fds[0]);
	assert_true(WAIT_FOR(names(p) > 0));
	must(p->store->ops->collect(p->store, NULL, 0, 0, &c, &p->err), &p->err);
	assert_int_equal(write(fds[1], bytes, (size_t)size), size);
	close(fds[1]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(names(p), 1);
	close(fd);
}

static void a_full_disk_fails_the_import_and_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct artifact_store *store;
	struct artifact_info info;
	char path[128];
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", p->directory, "tmpfs", 0, "size=256k") < 0)
		skip();
	snprintf(path, sizeof path, "%s/here", p->directory);
	must(artifact_local_new(path, &store, &p->err), &p->err);
	char *large = mem_zero(1, 400001);
	memset(large, 'x', 400000);
	int fd = tar_of(large), small = tar_of("x");
	assert_int_equal(store->ops->import(store, fd, NULL, &info, &p->err), ERR_NO_SPACE);
	close(fd);
	must(store->ops->import(store, small, NULL, &info, &p->err), &p->err); /* room again */
	close(small);
	size_t count = 0;
	DIR *dir = opendir(path);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	closedir(dir);
	assert_int_equal(count, 1);
	artifact_local_free(store);
	assert_int_equal(umount(p->directory), 0);
	free(large);
}

enum { THREADS = 4, ROUNDS = 10 };

static void *import_in_thread(void *context)
{
	struct place *p = context;
	struct error err;
	for (int i = 0; i < ROUNDS; i++) {
		struct artifact_info info;
		struct artifact_collected c;
		char content[16];
		snprintf(content, sizeof content, "version %d", i % 3);
		int fd = tar_of(content);
		int code = p->store->ops->import(p->store, fd, NULL, &info, &err);
		close(fd);
		if (code < 0 || p->store->ops->verify(p->store, &info.digest, &info, &err) < 0)
			return (void *)"import";
		if (p->store->ops->collect(p->store, NULL, 0, 60000, &c, &err) < 0)
			return (void *)"collect";
	}
	return NULL;
}

static void threads_import_and_collect_at_once(void **state)
{
	struct place *p = *state;
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, import_in_thread, p), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(names(p), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_imported_tree_is_read_only_and_named_by_its_digest),
		TEST(the_same_again_is_the_same_artifact),
		TEST(an_archive_through_a_pipe_is_the_same_artifact),
		TEST(one_file_becomes_an_artifact),
		TEST(what_is_refused_leaves_nothing_behind),
		TEST(a_changed_file_is_found_and_an_import_repairs_it),
		TEST(collection_removes_what_is_neither_kept_nor_young),
		TEST(an_import_of_an_old_artifact_makes_it_young_again),
		TEST(a_kill_leaves_all_or_nothing_and_a_collection_cleans_up),
		TEST(a_collection_leaves_an_import_alone_that_goes_on),
		TEST(a_full_disk_fails_the_import_and_leaves_nothing),
		TEST(threads_import_and_collect_at_once),
	};
	return cmocka_run_group_tests_name("drivers/artifact_local", tests, NULL, NULL);
}
