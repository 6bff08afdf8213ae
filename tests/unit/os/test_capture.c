/* SPDX-License-Identifier: Apache-2.0
 * test_capture - a program's answer, or its end. */
#include "../cmocka_all.h"

#include "os/capture.h"
#include "scratch.h"

static struct buf out, errors;
static struct process_end end;
static struct error err;

static int run(const char *script, uint64_t deadline_ms, const atomic_bool *cancelled)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	const struct capture capture = {
		.argv = argv, .deadline_ms = deadline_ms, .cancelled = cancelled};
	buf_init(&out, 100);
	buf_init(&errors, 100);
	return capture_run(&capture, &out, &errors, &end, &err);
}

static int tear_down(void **state)
{
	(void)state;
	buf_done(&out);
	buf_done(&errors);
	return 0;
}

static void both_streams_and_the_exit_code_are_told(void **state)
{
	(void)state;
	assert_int_equal(run("echo a; echo b >&2; read x; exit 3", SCRATCH_WAIT_MS, NULL), 0);
	assert_string_equal(buf_text(&out), "a\n");
	assert_string_equal(buf_text(&errors), "b\n");
	assert_int_equal(end.code, 3);
}

static void too_much_output_is_thrown_away(void **state)
{
	(void)state;
	assert_int_equal(run("yes | head -c 1000000", SCRATCH_WAIT_MS, NULL), 0);
	assert_true(out.overflowed);
	assert_true(out.size <= 100);
}

static void at_the_deadline_its_whole_group_is_killed(void **state)
{
	(void)state;
	assert_int_equal(run("trap '' TERM; sleep 1000 & echo $!; wait", 200, NULL), ERR_TIMEOUT);
	pid_t child = (pid_t)strtol(buf_text(&out), NULL, 10);
	struct process_about about;
	assert_true(child > 0);
	assert_true(WAIT_FOR(!process_look(child, &about) || about.zombie));
}

static void a_child_that_stays_does_not_keep_it_waiting(void **state)
{
	(void)state;
	uint64_t before = clock_now_ms();
	assert_int_equal(run("sleep 1000 & echo done", SCRATCH_WAIT_MS, NULL), 0);
	assert_string_equal(buf_text(&out), "done\n");
	assert_true(clock_now_ms() - before < SCRATCH_WAIT_MS / 2);
}

static void it_can_be_cancelled(void **state)
{
	(void)state;
	atomic_bool cancelled = true;
	assert_int_equal(run("sleep 1000", SCRATCH_WAIT_MS, &cancelled), ERR_CLOSED);
}

static void what_is_not_there_is_an_error(void **state)
{
	(void)state;
	const char *const argv[] = {"/nowhere/program", NULL};
	const struct capture capture = {.argv = argv, .deadline_ms = SCRATCH_WAIT_MS};
	buf_init(&out, 100);
	buf_init(&errors, 100);
	assert_int_equal(capture_run(&capture, &out, &errors, &end, &err), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(both_streams_and_the_exit_code_are_told, tear_down),
		cmocka_unit_test_teardown(too_much_output_is_thrown_away, tear_down),
		cmocka_unit_test_teardown(at_the_deadline_its_whole_group_is_killed, tear_down),
		cmocka_unit_test_teardown(a_child_that_stays_does_not_keep_it_waiting, tear_down),
		cmocka_unit_test_teardown(it_can_be_cancelled, tear_down),
		cmocka_unit_test_teardown(what_is_not_there_is_an_error, tear_down),
	};
	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
