/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/check/command: real shells, what they are given and what is kept of what they say. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "drivers/check/command.h"
#include "os/cgroup.h"
#include "os/clock.h"

enum { WAIT_MS = 20000 };

static struct loop *loop;
static struct command *command;
static struct check *check;
static struct check_bounds bounds;
static struct process_end ended;
static bool over;
static char said[256];
static struct error err;
static const char *values[CHECK_SECRETS_MAX];
static size_t sizes[CHECK_SECRETS_MAX];

static int give(void *context, const struct check_secret *secret, struct buf *ret_value,
		struct error *error)
{
	size_t i = (size_t)(secret - check->secrets);
	(void)context;
	if (!values[i])
		return error_set(error, ERR_NOT_FOUND, "There is none.");
	buf_append(ret_value, values[i], sizes[i]);
	return 0;
}

static void on_end(void *context, const struct process_end *end)
{
	(void)context;
	ended = *end;
	over = true;
	loop_stop(loop);
}

static void on_late(void *context)
{
	(void)context;
	loop_stop(loop);
}

static void give_secret(const char *name, const char *value, size_t size, bool file)
{
	struct check_secret *secret = &check->secrets[check->secret_count];
	snprintf(secret->name, sizeof secret->name, "%s", name);
	secret->file = file;
	values[check->secret_count] = value;
	sizes[check->secret_count++] = size;
}

static int start(const char *script)
{
	static const char *const variables[] = {"PATH=/usr/bin:/bin", "URL=http://h", NULL};
	const struct command_spec spec = {.check = check,
					  .bounds = &bounds,
					  .memory = "davit-test-checks",
					  .variables = variables,
					  .secret = give,
					  .ended = on_end};
	snprintf(check->command, sizeof check->command, "%s", script);
	over = false;
	return command_start(loop, &spec, &command, &err);
}

static void wait_end(void)
{
	struct env *env = loop_env(loop);
	struct env_timer timer = {.fire = on_late};
	env->ops->timer_start(env, &timer, WAIT_MS);
	loop_run(loop);
	env->ops->timer_stop(env, &timer);
	assert_true(over);
	command_said(command, said, sizeof said);
}

static void run(const char *script, int code)
{
	if (start(script) < 0)
		fail_msg("%s", err.text);
	wait_end();
	assert_int_equal(ended.code, code);
}

static int setup(void **state)
{
	(void)state;
	check = mem_zero(1, sizeof *check);
	command = NULL;
	bounds = (struct check_bounds){.user = ""};
	return loop_new(&loop, &err);
}

static int teardown(void **state)
{
	(void)state;
	command_free(command);
	loop_free(loop);
	free(check);
	return 0;
}

static size_t open_files(void)
{
	size_t count = 0;
	DIR *all = opendir("/proc/self/fd");
	assert_non_null(all);
	while (readdir(all))
		count++;
	closedir(all);
	return count;
}

static void its_environment_is_what_it_was_given_and_no_more(void **state)
{
	(void)state;
	setenv("CANARY", "of the server", 1);
	run("test -z \"$CANARY\" && test \"$URL\" = http://h && test -n \"$DAVIT_CHECK\" && test "
	    "\"$(env | wc -l)\" = 4",
	    0);
	assert_string_equal(said, "");
	assert_null(command_mask(command));
}

static void what_it_says_is_kept_without_its_secrets(void **state)
{
	(void)state;
	give_secret("A", "hunter2-hunter2", 15, false);
	give_secret("B", "with\0zero", 9, true);
	run("echo one; echo \"$A\" >&2; printf 'in parts hunter2-'; sleep 0.1; echo hunter2; "
	    "printf 'file '; tr '\\0' 0 <\"$B\" | tr -d '\\n'; printf ' %s  \\n\\n' \"$A\"; exit 3",
	    3);
	assert_string_equal(said, "file with0zero ***");
	assert_string_equal(command_output(command),
			    "one\n***\nin parts ***\nfile with0zero ***  \n\n");
	char lines[64];
	command_last_lines(command, lines, sizeof lines);
	assert_string_equal(lines, "one\n***\nin parts ***\nfile with0zero ***  ");
	command_last_lines(command, lines, 36);
	assert_string_equal(lines, "in parts ***\nfile with0zero ***  ");
	command_last_lines(command, lines, 4);
	assert_string_equal(lines, "");
}

/* Also of a program that was started by one that closes what it does not know. */
static void a_file_is_there_as_long_as_the_command(void **state)
{
	size_t before = open_files();
	(void)state;
	give_secret("F", "of a file", 9, true);
	run("for fd in 3 4 5 6 7 8 9; do eval \"exec $fd>&-\"; done; echo \"$F\"; "
	    "(echo x >>\"$F\") 2>/dev/null && exit 9; test \"$(sh -c 'cat $F')\" = 'of a file'",
	    0);
	assert_true(strncmp(said, "/proc/", 6) == 0);
	command_free(command);
	command = NULL;
	assert_int_equal(open_files(), before);
}

static void the_end_of_much_is_kept(void **state)
{
	(void)state;
	give_secret("A", "hunter2-hunter2", 15, false);
	run("i=0; while [ $i -lt 3000 ]; do echo \"line $i\"; i=$((i + 1)); done; printf \"$A\"",
	    0);
	assert_string_equal(said, "***");
	assert_int_equal(strlen(command_output(command)), COMMAND_SAID_MAX);
}

static void what_it_leaves_behind_goes_with_it(void **state)
{
	(void)state;
	run("sleep 1000 & echo $!", 0);
	pid_t left = atoi(said);
	assert_true(left > 0);
	for (uint64_t end = clock_now_ms() + WAIT_MS; process_start_of(left) != 0;) {
		struct process_about about;
		if (process_look(left, &about) && about.zombie)
			break;
		assert_true(clock_now_ms() < end);
	}
}

static void one_that_is_killed_or_let_go_ends(void **state)
{
	(void)state;
	assert_int_equal(start("sleep 1000"), 0);
	command_kill(command);
	wait_end();
	assert_int_equal(ended.signal, SIGKILL);
	command_free(command);
	assert_int_equal(start("sleep 1000"), 0);
	command_free(command);
	command = NULL;
}

/* Gone when its end is told, whatever it did to get away. */
static void what_hides_from_its_group_goes_too(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			setenv("DAVIT_CGROUPS", "none", 1);
		run("setsid -f sh -c 'echo $$; exec sleep 1000'; sleep 0.2", 0);
		pid_t left = atoi(said);
		assert_true(left > 0);
		struct process_about about;
		assert_false(process_look(left, &about) && !about.zombie);
		command_free(command);
		command = NULL;
	}
	unsetenv("DAVIT_CGROUPS");
}

static void it_is_the_user_of_the_application_and_stays_it(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(bounds.user, sizeof bounds.user, "nobody");
	give_secret("F", "of a file", 9, true);
	run("id -un; id -G; echo $USER $HOME; grep NoNewPrivs /proc/self/status; cat \"$F\"; echo; "
	    "stat -c '%U %a' \"$F\" \"$(dirname \"$F\")\"; echo $F",
	    0);
	char home[64], text[512];
	struct process_user nobody;
	assert_int_equal(process_user_find("nobody", &nobody, &err), 0);
	snprintf(home, sizeof home, "%s", nobody.home);
	snprintf(text, sizeof text,
		 "nobody\n%u\nnobody %s\nNoNewPrivs:\t1\n***\nnobody 400\nnobody 700\n%s\n",
		 (unsigned)nobody.gid, home, said);
	assert_string_equal(command_output(command), text);
	assert_int_equal(access(said, F_OK), 0);
	command_free(command);
	command = NULL;
	assert_int_not_equal(access(said, F_OK), 0);
	snprintf(bounds.user, sizeof bounds.user, "no-such-user");
	assert_int_equal(start("true"), ERR_NOT_FOUND);
	command = NULL;
}

static void what_it_forks_is_bounded(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(bounds.user, sizeof bounds.user, "nobody");
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			setenv("DAVIT_CGROUPS", "none", 1);
		run("i=0; while [ $i -lt 600 ]; do sleep 1000 & i=$((i + 1)); done; echo all $i",
		    2);
		assert_non_null(strstr(command_output(command), "ork"));
		command_free(command);
		command = NULL;
	}
	unsetenv("DAVIT_CGROUPS");
}

static void what_it_takes_of_memory_is_bounded(void **state)
{
	(void)state;
	struct cgroup group;
	char note[CGROUP_NOTE_SIZE];
	cgroup_make("davit-check-test", &(struct cgroup_limits){.memory_bytes = 64u << 20}, &group,
		    note);
	cgroup_remove(&group);
	if (note[0])
		skip(); /* the machine does not let us */
	bounds.memory_bytes = 64u << 20;
	assert_int_equal(start("x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}"), 0);
	wait_end();
	assert_int_equal(ended.signal, SIGKILL);
	assert_true(command_out_of_memory(command));
}

static void what_cannot_be_given_is_said(void **state)
{
	static char long_one[CHECK_SECRET_MAX + 1];
	(void)state;
	memset(long_one, 'x', sizeof long_one);
	give_secret("A", NULL, 0, false);
	assert_int_equal(start("true"), ERR_NOT_FOUND);
	values[0] = "abc";
	sizes[0] = 3;
	assert_int_equal(start("true"), ERR_INVALID);
	assert_non_null(strstr(err.text, "cannot be masked"));
	values[0] = long_one;
	sizes[0] = sizeof long_one;
	assert_int_equal(start("true"), ERR_INVALID);
	values[0] = "with\0zero";
	sizes[0] = 9;
	assert_int_equal(start("true"), ERR_INVALID);
	assert_non_null(strstr(err.text, "as: file"));
	command = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_environment_is_what_it_was_given_and_no_more,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_says_is_kept_without_its_secrets, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_is_there_as_long_as_the_command, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_end_of_much_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_leaves_behind_goes_with_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_is_killed_or_let_go_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(what_hides_from_its_group_goes_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(it_is_the_user_of_the_application_and_stays_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_forks_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_takes_of_memory_is_bounded, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_given_is_said, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
