/* SPDX-License-Identifier: Apache-2.0
 * The logs of builds as real directories: they are measured, and those that a bound leaves no room for go, whole. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "control/kept_logs.h"
#include "drivers/builds/process.h"
#include "os/file.h"

enum { FILE_BYTES = 256 * 1024, BUILDS = 5, FAILED = 2 };

static char directory[64];
static struct loop *loop;
static struct builds *builds;
static struct error err;

static void write_log(const char *name, size_t size)
{
	char path[160], *bytes = mem_zero(1, size);
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	memset(bytes, 'x', size);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	free(bytes);
}

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/davit-logs-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(loop_new(&loop, &err), 0);
	assert_int_equal(builds_process_new(loop, directory, &builds, &err), 0);
	for (uint32_t n = 1; n <= BUILDS; n++) {
		char name[80];
		snprintf(name, sizeof name, "%s/logs/%u", directory, n);
		assert_int_equal(mkdir(name, 0700), 0);
		snprintf(name, sizeof name, "logs/%u/unit.log", n);
		write_log(name, FILE_BYTES);
		snprintf(name, sizeof name, "logs/%u/package.log", n);
		write_log(name, 10);
	}
	write_log("logs/notes", FILE_BYTES); /* somebody's own */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	builds_process_cancel(builds);
	loop_free(loop);
	builds_process_free(builds);
	return file_remove_tree(AT_FDCWD, directory, &err);
}

struct logs {
	struct kept_log all[2 * BUILDS];
	size_t count;
};

static void add(void *context, uint32_t number, uint64_t bytes)
{
	struct logs *logs = context;
	assert_true(logs->count < 2 * BUILDS);
	logs->all[logs->count++] = (struct kept_log){.number = number, .bytes = bytes};
}

static struct kept_log_build about(void *context, uint32_t number)
{
	(void)context;
	return (struct kept_log_build){
		.ended = true, .failed = number == FAILED, .ended_unix_ms = 1};
}

static void forget_beyond(const struct server_logs *bounds)
{
	struct logs logs = {.count = 0};
	assert_int_equal(builds->ops->kept(builds, add, &logs, &err), 0);
	kept_logs_choose(logs.all, logs.count, bounds, 2, about, NULL);
	for (size_t i = 0; i < logs.count; i++)
		if (logs.all[i].goes)
			assert_int_equal(builds->ops->forget(builds, logs.all[i].number, &err), 0);
}

/* Of the builds that there still are. */
static const char *there(void)
{
	static char text[64];
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t n = 1; n <= BUILDS; n++) {
		char path[160];
		assert_true(builds->ops->logs(builds, "shop", n, path, sizeof path));
		if (access(path, F_OK) == 0)
			used += (size_t)snprintf(text + used, sizeof text - used, "%u ", n);
	}
	return text;
}

static void what_they_take_on_the_disk_is_measured(void **state)
{
	(void)state;
	struct logs logs = {.count = 0};
	assert_int_equal(builds->ops->kept(builds, add, &logs, &err), 0);
	assert_int_equal(logs.count, BUILDS);
	for (size_t i = 0; i < logs.count; i++) {
		assert_true(logs.all[i].bytes >= FILE_BYTES + 10);
		assert_true(logs.all[i].bytes < FILE_BYTES + 64 * 1024);
	}
}

static void those_beyond_the_number_go_and_one_that_failed_stays(void **state)
{
	(void)state;
	const struct server_logs bounds = {.builds = 2, .bytes = 1ull << 40, .failed_ms = 10};
	forget_beyond(&bounds);
	assert_string_equal(there(), "2 4 5 ");
}

static void those_beyond_the_bytes_go_and_nothing_beside_them(void **state)
{
	(void)state;
	const struct server_logs bounds = {.builds = 100, .bytes = 3 * FILE_BYTES, .failed_ms = 10};
	char path[160];
	struct stat notes;
	forget_beyond(&bounds);
	assert_string_equal(there(), "4 5 ");
	snprintf(path, sizeof path, "%s/logs/notes", directory);
	assert_int_equal(stat(path, &notes), 0);
}

static void what_is_gone_already_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(builds->ops->forget(builds, 1, &err), 0);
	assert_int_equal(builds->ops->forget(builds, 1, &err), 0);
	assert_string_equal(there(), "2 3 4 5 ");
}

#define LOGS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGS_TEST(what_they_take_on_the_disk_is_measured),
		LOGS_TEST(those_beyond_the_number_go_and_one_that_failed_stays),
		LOGS_TEST(those_beyond_the_bytes_go_and_nothing_beside_them),
		LOGS_TEST(what_is_gone_already_is_no_error),
	};
	return cmocka_run_group_tests_name("drivers/builds_process", tests, NULL, NULL);
}
