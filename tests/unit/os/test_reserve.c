/* SPDX-License-Identifier: Apache-2.0
 * Tests of os/reserve.h, on a real file system that is full. */
#include "../cmocka_all.h"

#include "../small_disk.h"
#include "os/reserve.h"
#include "scratch.h"

enum { RESERVE = 256 << 10 };

static struct scratch dir;

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

/* The scratch directory becomes a disk of 1 MiB; its descriptor follows. */
static void mount_or_skip(void)
{
	if (!small_disk_mount(dir.path, "1m"))
		skip();
	close(dir.fd);
	dir.fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void unmount(void)
{
	close(dir.fd);
	assert_int_equal(umount(dir.path), 0);
	dir.fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_there(void)
{
	return faccessat(dir.fd, "room", F_OK, 0) == 0;
}

static void a_reserve_has_its_blocks_and_is_found_again(void **state)
{
	(void)state;
	struct error err;
	struct stat about;
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), 0);
	assert_int_equal(fstatat(dir.fd, "room", &about, 0), 0);
	assert_true(about.st_blocks * 512 >= RESERVE);
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), 0);
	assert_true(reserve_spend(dir.fd, "room"));
	assert_false(is_there());
	assert_false(reserve_spend(dir.fd, "room"));
}

static void one_without_blocks_is_filled(void **state)
{
	(void)state;
	struct error err;
	struct stat about;
	AUTO_CLOSE int fd = openat(dir.fd, "room", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, RESERVE), 0);
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), 0);
	assert_int_equal(fstatat(dir.fd, "room", &about, 0), 0);
	assert_true(about.st_blocks * 512 >= RESERVE);
}

static void what_was_given_up_can_be_written_and_is_not_taken_back(void **state)
{
	(void)state;
	struct error err;
	char *bytes = calloc(1, RESERVE);
	mount_or_skip();
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), 0);
	small_disk_fill(dir.path);
	assert_int_equal(file_write(dir.fd, "a", bytes, RESERVE, 0600, &err), ERR_NO_SPACE);
	assert_true(reserve_spend(dir.fd, "room"));
	/* As much is free as it takes, but then nothing would be left: it waits. */
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), ERR_NO_SPACE);
	assert_false(is_there());
	assert_int_equal(file_write(dir.fd, "a", bytes, RESERVE, 0600, &err), 0);
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), ERR_NO_SPACE);
	small_disk_empty(dir.path);
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), 0);
	unmount();
	free(bytes);
}

static void without_room_or_without_leave_there_is_none(void **state)
{
	(void)state;
	struct error err;
	mount_or_skip();
	small_disk_fill(dir.path);
	assert_int_equal(reserve_hold(dir.fd, "room", RESERVE, &err), ERR_NO_SPACE);
	assert_false(is_there());
	assert_int_equal(reserve_hold(dir.fd, "nowhere/room", RESERVE, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "\"nowhere/room\" cannot be made: No such file"));
	unmount();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_reserve_has_its_blocks_and_is_found_again),
		TEST(one_without_blocks_is_filled),
		TEST(what_was_given_up_can_be_written_and_is_not_taken_back),
		TEST(without_room_or_without_leave_there_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
