/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/standalone.h: the table of a file, read again, refused, ended. */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/standalone.h"
#include "os/clock.h"
#include "supervisor_kit.h"

static char directory[] = "/tmp/davit-standalone-XXXXXX";
static char table_file[64], log_file[64];

static void write_file(const char *text)
{
	FILE *file = fopen(table_file, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void write_table(uint16_t port)
{
	char text[512];
	snprintf(text, sizeof text,
		 "{\"environments\":[{\"app\":\"shop\",\"name\":\"prod\",\"routes\":"
		 "[{\"listen\":\"127.0.0.1:%u\"}],\"releases\":[{\"tag\":\"v1\","
		 "\"weight\":\"100%%\",\"processes\":{\"web\":[\"127.0.0.1:9\"]}}]}]}",
		 port);
	write_file(text);
}

static pid_t start(const char *access_log)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 2);
		execl("/proc/self/exe", "test", "standalone", table_file, access_log, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void await_generation(uint16_t port, int64_t generation)
{
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (kit_request(port) != generation) {
		assert_true(clock_now_ms() < until);
		poll(NULL, 0, 2);
	}
}

static int await_exit(pid_t pid)
{
	int status;
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		assert_true(clock_now_ms() < until);
		poll(NULL, 0, 2);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_file_is_served_read_again_and_kept_when_the_next_is_bad(void **state)
{
	(void)state;
	uint16_t first = kit_free_port(), second;
	write_table(first);
	pid_t pid = start("");
	await_generation(first, 1);
	second = kit_free_port();
	write_table(second);
	kill(pid, SIGHUP);
	await_generation(second, 2);
	await_generation(first, KIT_REFUSED); /* it is closed a moment after the commit */
	write_file("{\"environments\": oops");
	kill(pid, SIGHUP);
	write_table(second);
	kill(pid, SIGHUP); /* two signals may arrive as one: the last good file decides */
	await_generation(second, 3);
	kill(pid, SIGTERM);
	assert_int_equal(await_exit(pid), 0);
	assert_int_equal(kit_request(second), KIT_REFUSED);
}

static void a_bad_file_or_a_taken_port_ends_it_at_once(void **state)
{
	(void)state;
	uint16_t port = kit_free_port();
	write_file("{\"environments\": oops");
	assert_int_equal(await_exit(start("")), 1);
	write_table(port);
	pid_t pid = start("");
	await_generation(port, 1);
	assert_int_equal(await_exit(start("")), 1);
	assert_int_equal(kit_request(port), 1);
	kill(pid, SIGINT);
	assert_int_equal(await_exit(pid), 0);
}

static void workers_end_with_a_supervisor_that_is_killed(void **state)
{
	(void)state;
	uint16_t port = kit_free_port();
	write_table(port);
	pid_t pid = start("");
	await_generation(port, 1);
	kill(pid, SIGKILL);
	assert_int_equal(await_exit(pid), -1);
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (kit_request(port) != KIT_REFUSED)
		assert_true(clock_now_ms() < until);
}

static void the_access_log_is_opened_anew_at_hangup(void **state)
{
	(void)state;
	uint16_t port = kit_free_port();
	char moved[80];
	write_table(port);
	pid_t pid = start(log_file);
	await_generation(port, 1);
	assert_int_equal(access(log_file, F_OK), 0);
	snprintf(moved, sizeof moved, "%s.1", log_file);
	assert_int_equal(rename(log_file, moved), 0);
	kill(pid, SIGHUP);
	await_generation(port, 2);
	assert_int_equal(access(log_file, F_OK), 0);
	kill(pid, SIGTERM);
	assert_int_equal(await_exit(pid), 0);
	unlink(moved);
	unlink(log_file);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(table_file, sizeof table_file, "%s/table.json", directory);
	snprintf(log_file, sizeof log_file, "%s/access.log", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(table_file);
	return rmdir(directory);
}

int main(int argc, char **argv)
{
	struct error err;
	int role = kit_role(argc, argv);
	if (role >= 0)
		return role;
	if (argc == 4 && strcmp(argv[1], "standalone") == 0) {
		struct standalone_options options = {.table_file = argv[2],
						     .workers = 2,
						     .access_log = argv[3][0] ? argv[3] : NULL};
		alarm(100);
		return gateway_standalone_run(&options, &err) < 0 ? 1 : 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_served_read_again_and_kept_when_the_next_is_bad),
		cmocka_unit_test(a_bad_file_or_a_taken_port_ends_it_at_once),
		cmocka_unit_test(workers_end_with_a_supervisor_that_is_killed),
		cmocka_unit_test(the_access_log_is_opened_anew_at_hangup),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
