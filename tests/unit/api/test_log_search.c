/* SPDX-License-Identifier: Apache-2.0
 * A text in files of logs: what is found, where, and which bound ends the search. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "api/log_search.h"
#include "base/buf.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"

enum { LONG_LINE = 300 * 1024 };

static char directory[64];
static atomic_bool stop;
static struct log_search s;
static struct error err;

static void write_file(const char *name, const char *bytes, size_t size)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/davit-search-XXXXXX");
	assert_non_null(mkdtemp(directory));
	atomic_store(&stop, false);
	s = (struct log_search){.lines_max = 10, .stop = &stop};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(s.matches);
	s.matches = NULL;
	return file_remove_tree(AT_FDCWD, directory, &err);
}

static bool look_for(const char *text, const char *stage)
{
	text_copy(s.text, sizeof s.text, text);
	json_decref(s.matches);
	log_search_begin(&s);
	bool more = log_search_build(&s, directory, 7, stage);
	log_search_end(&s);
	return more;
}

static const char *text_of(size_t index, const char *key)
{
	return json_string_value(json_object_get(json_array_get(s.matches, index), key));
}

static long long line_of(size_t index)
{
	return json_integer_value(json_object_get(json_array_get(s.matches, index), "line"));
}

static void a_line_is_named_by_stage_number_and_time(void **state)
{
	(void)state;
	write_text("unit.log", "2026-11-23T04:49:00.001Z all is well\n"
			       "2026-11-23T04:49:00.002Z a.c: error: no such thing\n");
	write_text("lint.log", "2026-11-23T04:48:00.000Z error here, too");
	write_text("other", "error\n");
	assert_true(look_for("error", ""));
	assert_int_equal(json_array_size(s.matches), 2);
	assert_string_equal(text_of(0, "stage"), "lint");
	assert_string_equal(text_of(1, "stage"), "unit");
	assert_int_equal(line_of(1), 2);
	assert_string_equal(text_of(1, "time"), "2026-11-23T04:49:00.002Z");
	assert_string_equal(text_of(1, "text"), "a.c: error: no such thing");
	assert_int_equal(s.files, 2);
	assert_true(look_for("error", "unit"));
	assert_int_equal(json_array_size(s.matches), 1);
}

static void it_is_no_pattern_and_the_time_is_not_looked_at(void **state)
{
	(void)state;
	write_text("unit.log", "2026-11-23T04:49:00.001Z axb Error a.b\n");
	assert_true(look_for("a.x", ""));
	assert_int_equal(json_array_size(s.matches), 0);
	assert_true(look_for("2026", ""));
	assert_int_equal(json_array_size(s.matches), 0);
	assert_true(look_for("error A.", ""));
	assert_int_equal(json_array_size(s.matches), 0);
	s.ignore_case = true;
	assert_true(look_for("error A.", ""));
	assert_int_equal(json_array_size(s.matches), 1);
	assert_string_equal(text_of(0, "text"), "axb Error a.b");
}

static void what_is_older_is_left_out(void **state)
{
	(void)state;
	write_text("unit.log", "2026-11-23T04:49:00.001Z one\n2026-11-23T04:49:00.002Z one\n");
	s.since_unix_ms = 1795409340002; /* the second's */
	assert_true(look_for("one", ""));
	assert_int_equal(json_array_size(s.matches), 1);
	assert_int_equal(line_of(0), 2);
	s.since_unix_ms = clock_wall_ms() + 3600000; /* the file is older than that */
	assert_true(look_for("one", ""));
	assert_int_equal(s.files, 0);
}

static void it_ends_when_as_many_are_found_as_were_asked_for(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 11; i++)
		buf_printf(&text, "2026-11-23T04:49:00.000Z number %d\n", i);
	write_file("unit.log", text.data, text.size);
	assert_false(look_for("number", ""));
	assert_int_equal(json_array_size(s.matches), 10);
	assert_non_null(strstr(s.why, "The first 10 lines"));
	s.lines_max = 11; /* they are all, and nobody says that there are more */
	assert_true(look_for("number", ""));
	assert_string_equal(s.why, "");
	buf_done(&text);
}

static void bytes_of_lines_that_are_found_are_bounded(void **state)
{
	(void)state;
	struct buf text;
	char line[LOG_SEARCH_LINE];
	buf_init(&text, 8 << 20);
	memset(line, 'x', sizeof line);
	for (int i = 0; i < 600; i++) {
		buf_append(&text, line, sizeof line);
		buf_puts(&text, "\n");
	}
	write_file("unit.log", text.data, text.size);
	s.lines_max = LOG_SEARCH_LINES_MAX;
	assert_false(look_for("xxx", ""));
	assert_in_range(json_array_size(s.matches), LOG_SEARCH_FOUND / LOG_SEARCH_LINE,
			LOG_SEARCH_FOUND / LOG_SEARCH_LINE + 1);
	assert_non_null(strstr(s.why, "there are more"));
	buf_done(&text);
}

static void of_a_long_line_the_part_is_shown_that_has_it(void **state)
{
	(void)state;
	char *line = mem_new(LONG_LINE);
	for (size_t i = 0; i + 1 < LONG_LINE; i += 2)
		memcpy(line + i, "\xc3\xa9", 2); /* é */
	memcpy(line + 100000, "needle", 6);
	line[LONG_LINE - 1] = '\n';
	write_file("unit.log", line, LONG_LINE);
	assert_true(look_for("needle", ""));
	assert_int_equal(json_array_size(s.matches), 1);
	assert_non_null(strstr(text_of(0, "text"), "\xc3\xa9needle\xc3\xa9"));
	assert_null(strstr(text_of(0, "text"), "\\x"));
	assert_true(json_is_true(json_object_get(json_array_get(s.matches, 0), "cut")));
	free(line);
}

static void bytes_that_are_no_text_are_shown_as_what_they_are(void **state)
{
	(void)state;
	write_file("unit.log", "\xff\0needle\n", 9);
	assert_true(look_for("needle", ""));
	assert_int_equal(json_array_size(s.matches), 1);
	assert_string_equal(text_of(0, "text"), "\\xff\\x00needle");
	assert_null(text_of(0, "time"));
}

static void lines_across_two_reads_are_whole(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, 4 << 20);
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "2026-11-23T04:49:00.000Z %d%s\n", i, i == 19999 ? " last" : "");
	write_file("unit.log", text.data, text.size);
	s.lines_max = LOG_SEARCH_LINES_MAX;
	assert_true(look_for("99", ""));
	size_t count = 0;
	for (int i = 0; i < 20000; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", i);
		count += strstr(number, "99") != NULL;
	}
	assert_int_equal(json_array_size(s.matches), count);
	assert_true(look_for(" last", ""));
	assert_int_equal(line_of(0), 20000);
	assert_int_equal(s.read, text.size);
	buf_done(&text);
}

static void an_instance_is_read_from_its_oldest_file_on(void **state)
{
	(void)state;
	write_text("log", "2026-11-23T04:49:00.000Z needle three\n");
	write_text("log.1", "2026-11-23T04:48:00.000Z needle two\n");
	write_text("log.4", "2026-11-23T04:47:00.000Z needle one\n");
	text_copy(s.text, sizeof s.text, "needle");
	log_search_begin(&s);
	assert_true(log_search_instance(&s, directory, "shop-prod-web-1"));
	log_search_end(&s);
	assert_int_equal(json_array_size(s.matches), 3);
	assert_string_equal(text_of(0, "text"), "needle one");
	assert_string_equal(text_of(2, "text"), "needle three");
	assert_string_equal(text_of(2, "instance"), "shop-prod-web-1");
}

static void one_for_which_nobody_waits_ends(void **state)
{
	(void)state;
	write_text("unit.log", "needle\n");
	atomic_store(&stop, true);
	assert_false(look_for("needle", ""));
	assert_int_equal(json_array_size(s.matches), 0);
}

static void links_and_what_is_not_there_are_not_followed(void **state)
{
	(void)state;
	char path[160];
	snprintf(path, sizeof path, "%s/unit.log", directory);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(look_for("root", ""));
	assert_int_equal(json_array_size(s.matches), 0);
	json_decref(s.matches);
	log_search_begin(&s);
	assert_true(log_search_build(&s, "/tmp/davit-not-there", 1, ""));
	assert_true(log_search_instance(&s, "/tmp/davit-not-there", "x"));
	log_search_end(&s);
}

#define SEARCH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEARCH_TEST(a_line_is_named_by_stage_number_and_time),
		SEARCH_TEST(it_is_no_pattern_and_the_time_is_not_looked_at),
		SEARCH_TEST(what_is_older_is_left_out),
		SEARCH_TEST(it_ends_when_as_many_are_found_as_were_asked_for),
		SEARCH_TEST(bytes_of_lines_that_are_found_are_bounded),
		SEARCH_TEST(of_a_long_line_the_part_is_shown_that_has_it),
		SEARCH_TEST(bytes_that_are_no_text_are_shown_as_what_they_are),
		SEARCH_TEST(lines_across_two_reads_are_whole),
		SEARCH_TEST(an_instance_is_read_from_its_oldest_file_on),
		SEARCH_TEST(one_for_which_nobody_waits_ends),
		SEARCH_TEST(links_and_what_is_not_there_are_not_followed),
	};
	return cmocka_run_group_tests_name("api/log_search", tests, NULL, NULL);
}
