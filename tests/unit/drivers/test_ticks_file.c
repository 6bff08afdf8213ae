/* SPDX-License-Identifier: Apache-2.0
 * Ticks as files: what was added is read again, whatever happened in between. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../small_disk.h"

#include "base/buf.h"
#include "drivers/ticks/file.h"
#include "os/file.h"

static char directory[64];
static int state_fd;
static struct ticks *ticks;
static struct error err;

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/davit-ticks-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(file_open_directory(AT_FDCWD, directory, &state_fd, &err), 0);
	assert_int_equal(ticks_file_new(state_fd, &ticks, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ticks_file_free(ticks);
	close(state_fd);
	return file_remove_tree(AT_FDCWD, directory, &err);
}

static struct ticks_log *begin(uint32_t rollout)
{
	struct ticks_log *log;
	if (ticks->ops->begin(ticks, rollout, false, &log, &err) < 0)
		fail_msg("%s", err.text);
	return log;
}

static int add(struct ticks_log *log, const char *line)
{
	return ticks->ops->add(log, line, strlen(line), &err);
}

/* --- what is there: every line, followed by a bar */

static struct buf seen;
static uint32_t seen_most;

static int see(void *context, const char *line, size_t size, struct error *error)
{
	(void)context;
	(void)error;
	assert_int_equal(strlen(line), size);
	buf_printf(&seen, "%s|", line);
	return --seen_most == 0;
}

static int read_from(uint32_t rollout, uint64_t *at, uint32_t most)
{
	buf_done(&seen);
	buf_init(&seen, 1 << 20);
	seen_most = most;
	return ticks->ops->read(ticks, rollout, at, see, NULL, &err);
}

static void assert_lines(uint32_t rollout, const char *lines)
{
	uint64_t at = 0;
	assert_int_equal(read_from(rollout, &at, UINT32_MAX), 0);
	assert_string_equal(buf_text(&seen), lines);
	buf_done(&seen);
}

static const char *path_of(uint32_t rollout, char path[128])
{
	snprintf(path, 128, "%s/ticks/%010u.jsonl", directory, rollout);
	return path;
}

static void append_raw(uint32_t rollout, const char *text)
{
	char path[128];
	FILE *file = fopen(path_of(rollout, path), "a");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool is_kept(uint32_t rollout)
{
	char path[128];
	return access(path_of(rollout, path), F_OK) == 0;
}

/* --- tests */

static void what_was_added_is_read_in_its_order(void **state)
{
	(void)state;
	struct ticks_log *log = begin(7);
	assert_int_equal(add(log, "one"), 0);
	assert_int_equal(add(log, "two"), 0);
	assert_lines(7, "one|two|"); /* while it is open, too */
	assert_int_equal(add(log, ""), 0);
	ticks->ops->end(log);
	assert_lines(7, "one|two||");
}

static void a_log_is_read_on_from_where_the_last_reading_ended(void **state)
{
	(void)state;
	uint64_t at = 0;
	struct ticks_log *log = begin(7);
	assert_int_equal(add(log, "one"), 0);
	assert_int_equal(add(log, "two"), 0);
	assert_int_equal(read_from(7, &at, 1), 1);
	assert_string_equal(buf_text(&seen), "one|");
	assert_int_equal(read_from(7, &at, 9), 0);
	assert_string_equal(buf_text(&seen), "two|");
	assert_int_equal(read_from(7, &at, 9), 0);
	assert_string_equal(buf_text(&seen), "");
	assert_int_equal(add(log, "three"), 0);
	append_raw(7, "fo"); /* half of it is written */
	assert_int_equal(read_from(7, &at, 9), 0);
	assert_string_equal(buf_text(&seen), "three|");
	append_raw(7, "ur\n");
	assert_int_equal(read_from(7, &at, 9), 0);
	assert_string_equal(buf_text(&seen), "four|");
	buf_done(&seen);
	ticks->ops->end(log);
}

static void a_log_that_an_earlier_controller_left_is_gone_on_with(void **state)
{
	(void)state;
	struct ticks_log *log = begin(7);
	assert_int_equal(add(log, "one"), 0);
	ticks->ops->end(log);
	log = begin(7);
	assert_int_equal(add(log, "two"), 0);
	ticks->ops->end(log);
	assert_lines(7, "one|two|");
}

static void a_last_line_that_was_cut_is_dropped(void **state)
{
	(void)state;
	struct ticks_log *log = begin(7);
	assert_int_equal(add(log, "one"), 0);
	ticks->ops->end(log);
	append_raw(7, "{\"ms\":10");
	assert_lines(7, "one|");
	log = begin(7);
	assert_int_equal(add(log, "two"), 0);
	ticks->ops->end(log);
	assert_lines(7, "one|two|");
}

/* The last line end is further back than what is looked at at a time. */
static void a_long_line_that_was_cut_is_dropped_too(void **state)
{
	(void)state;
	enum { LONG = 150000 };
	char *cut = mem_new(LONG + 1);
	memset(cut, 'x', LONG);
	cut[LONG] = '\0';
	ticks->ops->end(begin(7));
	append_raw(7, cut);
	struct ticks_log *log = begin(7);
	assert_int_equal(add(log, "one"), 0);
	ticks->ops->end(log);
	assert_lines(7, "one|");
	append_raw(7, cut);
	log = begin(7);
	assert_int_equal(add(log, "two"), 0);
	ticks->ops->end(log);
	assert_lines(7, "one|two|");
	free(cut);
}

static void a_full_log_takes_nothing_more_and_stays_as_it_was(void **state)
{
	(void)state;
	char path[128];
	struct stat st;
	char *line = mem_new(TICKS_LINE_MAX + 2);
	memset(line, 'x', TICKS_LINE_MAX + 1);
	struct ticks_log *log = begin(7);
	assert_int_equal(ticks->ops->add(log, line, TICKS_LINE_MAX + 1, &err), ERR_LIMIT);
	uint64_t lines = 0;
	while (ticks->ops->add(log, line, TICKS_LINE_MAX, &err) == 0)
		lines++;
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(lines, TICKS_BYTES_MAX / (TICKS_LINE_MAX + 1));
	ticks->ops->end(log);
	log = begin(7); /* it is still full after a restart */
	assert_int_equal(ticks->ops->add(log, line, TICKS_LINE_MAX, &err), ERR_LIMIT);
	ticks->ops->end(log);
	assert_int_equal(stat(path_of(7, path), &st), 0);
	assert_int_equal(st.st_size, lines * (TICKS_LINE_MAX + 1));
	free(line);
}

static void the_newest_logs_are_kept(void **state)
{
	(void)state;
	enum { FIRST = 950, MORE = 3 }; /* numbers of three and of four digits */
	for (uint32_t n = FIRST; n < FIRST + TICKS_LOGS_MAX + MORE; n++)
		ticks->ops->end(begin(n));
	for (uint32_t n = FIRST; n < FIRST + TICKS_LOGS_MAX + MORE; n++)
		assert_int_equal(is_kept(n), n >= FIRST + MORE);
	uint64_t at = 0;
	assert_int_equal(read_from(FIRST, &at, 9), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "rollout 950"));
}

static void what_was_never_judged_is_not_found(void **state)
{
	(void)state;
	uint64_t at = 0;
	assert_int_equal(read_from(1, &at, 9), ERR_NOT_FOUND);
}

static void on_a_full_disk_the_log_stays_as_it_was(void **state)
{
	(void)state;
	enum { LONG = 6000 }; /* more than what is left of a page */
	char small[96], line[LONG + 1];
	struct ticks *full;
	struct ticks_log *log;
	int fd;
	snprintf(small, sizeof small, "%s/small", directory);
	assert_int_equal(mkdir(small, 0700), 0);
	if (!small_disk_mount(small, "1m"))
		skip();
	assert_int_equal(file_open_directory(AT_FDCWD, small, &fd, &err), 0);
	assert_int_equal(ticks_file_new(fd, &full, &err), 0);
	assert_int_equal(full->ops->begin(full, 7, false, &log, &err), 0);
	assert_int_equal(full->ops->add(log, "one", 3, &err), 0);
	small_disk_fill(small);
	memset(line, 'x', LONG);
	line[LONG] = '\0';
	assert_int_equal(full->ops->add(log, line, LONG, &err), ERR_NO_SPACE);
	small_disk_empty(small);
	assert_int_equal(full->ops->add(log, "two", 3, &err), 0);
	full->ops->end(log);
	struct ticks *usual = ticks;
	ticks = full;
	assert_lines(7, "one|two|");
	ticks = usual;
	ticks_file_free(full);
	close(fd);
	assert_int_equal(umount(small), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_added_is_read_in_its_order),
		TEST(a_log_is_read_on_from_where_the_last_reading_ended),
		TEST(a_log_that_an_earlier_controller_left_is_gone_on_with),
		TEST(a_last_line_that_was_cut_is_dropped),
		TEST(a_long_line_that_was_cut_is_dropped_too),
		TEST(a_full_log_takes_nothing_more_and_stays_as_it_was),
		TEST(the_newest_logs_are_kept),
		TEST(what_was_never_judged_is_not_found),
		TEST(on_a_full_disk_the_log_stays_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
