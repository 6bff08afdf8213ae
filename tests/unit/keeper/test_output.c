/* SPDX-License-Identifier: Apache-2.0
 * Tests of keeper/output: lines, rotation, and a program that outlives its reader. */
#include <signal.h>
#include <sys/resource.h>

#include "../cmocka_all.h"
#include "../os/scratch.h"
#include "keeper/output.h"

static struct scratch dir;
static struct error err;
static struct loop *loop;
static struct output out;

static int set_up(void **state)
{
	(void)state;
	scratch_make(&dir);
	return loop_new(&loop, &err) < 0 || output_open(&out, loop, dir.fd, &err) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	output_close(&out);
	loop_free(loop);
	scratch_remove(&dir);
	return 0;
}

static void read_log(const char *name, struct buf *text)
{
	buf_init(text, 64 << 20);
	assert_int_equal(file_read(dir.fd, name, text, &err), 0);
}

/* The lines without their times, each ended by '|'. */
static void assert_lines(const char *name, const char *expected)
{
	struct buf text, plain;
	read_log(name, &text);
	buf_init(&plain, 64 << 20);
	for (char *line = text.data; line && *line;) {
		char *end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(end - line >= 25 && line[23] == 'Z' && line[24] == ' ');
		buf_append(&plain, line + 25, (size_t)(end - line) - 25);
		buf_puts(&plain, "|");
		line = end + 1;
	}
	assert_string_equal(buf_text(&plain), expected);
	buf_done(&text);
	buf_done(&plain);
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	output_drain(&out);
}

static void each_line_has_its_time_and_the_last_one_is_kept(void **state)
{
	(void)state;
	int fd;
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	put(fd, "one\ntw");
	put(fd, "o\n\nthree");
	output_note(&out, "noted %d", 7);
	close(fd);
	output_close(&out);
	assert_lines("log", "one|two||davit: noted 7|three|");
	assert_int_equal(output_open(&out, loop, dir.fd, &err), 0);
}

static void a_line_that_is_too_long_is_broken(void **state)
{
	(void)state;
	int fd;
	struct buf text;
	char *line = mem_zero(1, OUTPUT_LINE_BYTES + 12);
	memset(line, 'x', OUTPUT_LINE_BYTES + 10);
	line[OUTPUT_LINE_BYTES + 10] = '\n';
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	put(fd, line);
	read_log("log", &text);
	char *end = strchr(text.data, '\n');
	assert_int_equal(end - text.data, 25 + OUTPUT_LINE_BYTES);
	assert_int_equal(strlen(end + 1), 25 + 10 + 1);
	buf_done(&text);
	free(line);
	close(fd);
}

static void a_full_log_makes_room_and_the_oldest_goes(void **state)
{
	(void)state;
	int fd;
	out.limit_bytes = 60; /* two lines */
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	for (int i = 0; i < 13; i++) {
		char line[16];
		snprintf(line, sizeof line, "line %d\n", i);
		put(fd, line);
	}
	assert_lines("log", "line 12|");
	assert_lines("log.1", "line 10|line 11|");
	assert_lines("log.4", "line 4|line 5|");
	assert_int_equal(faccessat(dir.fd, "log.5", F_OK, 0), -1);
	close(fd);
}

static void a_program_writes_on_while_nobody_reads(void **state)
{
	(void)state;
	int fd;
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	/* The keeper is killed: its descriptors close, nothing is cleaned up. */
	loop_watch_stop(out.watch);
	close(out.fifo_fd);
	close(out.log_fd);
	assert_int_equal(write(fd, "meanwhile\n", 10), 10); /* no SIGPIPE, no EPIPE */
	assert_int_equal(output_open(&out, loop, dir.fd, &err), 0);
	output_drain(&out);
	assert_lines("log", "meanwhile|");
	close(fd);
}

static void a_log_that_cannot_be_written_counts_what_it_lost(void **state)
{
	(void)state;
	int fd;
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	int good = out.log_fd;
	out.log_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	put(fd, "a\nb\n");
	close(out.log_fd);
	out.log_fd = good;
	put(fd, "c\n");
	assert_lines("log", "c|davit: 2 lines could not be written|");
	close(fd);
}

static int told; /* how often the count was said to have grown */

static void on_erred(void *context)
{
	assert_ptr_equal(context, &told);
	told++;
}

static void lines_that_look_like_errors_are_counted_however_they_arrive(void **state)
{
	(void)state;
	int fd;
	told = 0;
	out.erred = on_erred;
	out.context = &told;
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	put(fd, "all is well\nERR");
	assert_int_equal(out.log_errors + (uint64_t)told, 0);
	put(fd, "OR one\nERROR two\nfine\n");
	assert_int_equal(out.log_errors, 2);
	assert_int_equal(told, 1);
	output_note(&out, "ERROR of the keeper's own");
	put(fd, "fine\n");
	assert_int_equal(out.log_errors, 2);
	assert_int_equal(told, 1);
	close(fd);
}

static void a_broken_line_counts_once(void **state)
{
	(void)state;
	int fd;
	char *line = mem_zero(1, OUTPUT_LINE_BYTES + 32);
	memset(line, ' ', OUTPUT_LINE_BYTES);
	memcpy(line, "FATAL", 5);
	memcpy(line + OUTPUT_LINE_BYTES, "FATAL\n", 6);
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	put(fd, line);
	assert_int_equal(out.log_errors, 1);
	put(fd, "FATAL\n");
	assert_int_equal(out.log_errors, 2);
	free(line);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_line_that_fits_by_half_is_lost_whole(void **state)
{
	(void)state;
	struct rlimit before, tight;
	int fd;
	assert_int_equal(output_program_fd(&out, &fd, &err), 0);
	put(fd, "a\n");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = out.log_bytes + 30; /* its time and a few letters */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	put(fd, "much too long a line\n");
	assert_lines("log", "a|");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	put(fd, "b\n");
	assert_lines("log", "a|b|davit: 1 lines could not be written|");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_line_has_its_time_and_the_last_one_is_kept),
		TEST(a_line_that_is_too_long_is_broken),
		TEST(a_full_log_makes_room_and_the_oldest_goes),
		TEST(a_program_writes_on_while_nobody_reads),
		TEST(a_log_that_cannot_be_written_counts_what_it_lost),
		TEST(a_line_that_fits_by_half_is_lost_whole),
		TEST(lines_that_look_like_errors_are_counted_however_they_arrive),
		TEST(a_broken_line_counts_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
