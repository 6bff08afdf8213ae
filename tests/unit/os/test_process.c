/* SPDX-License-Identifier: Apache-2.0
 * Tests of os/process, os/cgroup and os/sweep with real processes. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../cmocka_all.h"
#include "os/process.h"
#include "os/sweep.h"
#include "scratch.h"

static struct scratch dir;
static struct error err;

static int setup(void **state)
{
	(void)state;
	scratch_make(&dir);
	unsetenv("DAVIT_CGROUPS");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove(&dir);
	return 0;
}

static struct process_spec words(const char *const *argv)
{
	return (struct process_spec){.argv = argv, .input = -1, .output = -1, .errors = -1};
}

static struct process_end await_end(struct process *p)
{
	struct process_end end = {0};
	assert_true(WAIT_FOR(process_ended(p, &end)));
	process_reap(p);
	process_done(p);
	return end;
}

static void exit_codes_and_signals_are_told_apart(void **state)
{
	(void)state;
	const char *const seven[] = {"/bin/sh", "-c", "exit 7", NULL};
	const char *const killed[] = {"/bin/sh", "-c", "kill -9 $$", NULL};
	struct process_spec spec = words(seven);
	struct process p;
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	struct process_end end = await_end(&p);
	assert_int_equal(end.code, 7);
	assert_int_equal(end.signal, 0);
	spec = words(killed);
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	end = await_end(&p);
	assert_int_equal(end.code, -1);
	assert_int_equal(end.signal, SIGKILL);
}

static void a_missing_program_is_a_sentence_not_a_process(void **state)
{
	(void)state;
	const char *const argv[] = {"./no-such-program", NULL};
	struct process_spec spec = words(argv);
	struct process p;
	assert_int_equal(process_spawn(&spec, &p, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "no-such-program"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	const char *const fine[] = {"true", NULL};
	spec = words(fine);
	spec.directory = "/no/such/directory";
	assert_int_equal(process_spawn(&spec, &p, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "directory"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void directory_environment_output_and_limits_reach_the_program(void **state)
{
	(void)state;
	const char *const argv[] = {"/bin/sh", "-c", "pwd; echo $A; ulimit -n; echo oops >&2",
				    NULL};
	const char *const environment[] = {"A=b c", "PATH=/bin:/usr/bin", NULL};
	struct process_spec spec = words(argv);
	int out = openat(dir.fd, "out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	spec.environment = environment;
	spec.directory = dir.path;
	spec.output = out;
	spec.errors = out;
	spec.files = 123;
	struct process p;
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	await_end(&p);
	close(out);
	struct buf b;
	char expected[256];
	buf_init(&b, 1000);
	assert_int_equal(file_read(dir.fd, "out", &b, &err), 0);
	snprintf(expected, sizeof expected, "%s\nb c\n123\noops\n", dir.path);
	assert_string_equal(buf_text(&b), expected);
	buf_done(&b);
}

static void no_descriptor_of_ours_reaches_the_program(void **state)
{
	(void)state;
	int leak = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
	char script[128];
	snprintf(script, sizeof script, "test ! -e /proc/self/fd/%d", leak);
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct process_spec spec = words(argv);
	struct process p;
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	assert_int_equal(await_end(&p).code, 0);
	close(leak);
}

static void a_held_child_runs_nothing_before_its_release(void **state)
{
	(void)state;
	const char *const argv[] = {"/bin/sh", "-c", "exit 3", NULL};
	struct process_spec spec = words(argv);
	struct process p;
	spec.held = true;
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	assert_true(p.pid > 0 && p.start > 0);
	struct process_end end;
	assert_false(process_ended(&p, &end));
	assert_int_equal(process_release(&p, &err), 0);
	assert_int_equal(await_end(&p).code, 3);
}

static void a_held_child_whose_parent_dies_never_runs(void **state)
{
	(void)state;
	char script[256];
	snprintf(script, sizeof script, "touch %s/ran", dir.path);
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	int told[2];
	assert_int_equal(pipe(told), 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t parent = fork();
	if (parent == 0) {
		struct process_spec spec = words(argv);
		struct process p;
		struct error e;
		spec.held = true;
		if (process_spawn(&spec, &p, &e) == 0 &&
		    write(told[1], &p.pid, sizeof p.pid) == sizeof p.pid)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	pid_t held;
	int status;
	assert_int_equal(read(told[0], &held, sizeof held), sizeof held);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(waitpid(held, &status, 0), held);
	assert_int_equal(WEXITSTATUS(status), 127);
	assert_int_equal(faccessat(dir.fd, "ran", F_OK, 0), -1);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(told[0]);
	close(told[1]);
}

static void a_detached_process_is_not_our_child(void **state)
{
	(void)state;
	const char *const argv[] = {"sleep", "1000", NULL};
	const char *const missing[] = {"/no/such", NULL};
	struct process_spec spec = words(argv);
	struct process p;
	spec.detached = true;
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	struct process_about about;
	assert_true(process_look(p.pid, &about));
	assert_int_not_equal(about.parent, getpid());
	assert_int_not_equal(about.session, getsid(0));
	assert_true(process_signal(&p, SIGKILL));
	assert_true(WAIT_FOR(!process_look(p.pid, &about) || about.zombie));
	process_done(&p);
	spec = words(missing);
	spec.detached = true;
	assert_int_equal(process_spawn(&spec, &p, &err), ERR_NOT_FOUND);
}

static void a_pid_with_another_start_time_is_another_process(void **state)
{
	(void)state;
	const char *const argv[] = {"sleep", "1000", NULL};
	struct process_spec spec = words(argv);
	struct process p, again;
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	assert_int_equal(process_adopt(p.pid, p.start, &again, &err), 0);
	process_done(&again);
	assert_int_equal(process_adopt(p.pid, p.start + 1, &again, &err), ERR_NOT_FOUND);
	assert_int_equal(process_adopt(0, 0, &again, &err), ERR_NOT_FOUND);
	process_signal(&p, SIGTERM);
	assert_int_equal(await_end(&p).signal, SIGTERM);
}

/* A tree that does what it can to survive: ignores TERM, leaves the session, forks twice. */
static const char escape[] =
	"trap '' TERM; (setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' &) ; "
	"(setsid setsid sleep 1000 &); while :; do sleep 1000; done";

static void sweep_with(const char *cgroups)
{
	if (cgroups)
		setenv("DAVIT_CGROUPS", cgroups, 1);
	struct cgroup cgroup;
	char note[CGROUP_NOTE_SIZE];
	char name[64];
	snprintf(name, sizeof name, "davit-test-%d", (int)getpid());
	cgroup_make(name, &(struct cgroup_limits){0}, &cgroup, note);
	if (cgroups && strcmp(cgroups, "none") != 0 && cgroup.kill == CGROUP_NONE)
		skip(); /* this machine has no such cgroup */
	const char *const argv[] = {"/bin/sh", "-c", escape, NULL};
	const char *const environment[] = {"PATH=/bin:/usr/bin", "MARK=sweep-test", NULL};
	struct process_spec spec = words(argv);
	spec.environment = environment;
	spec.cgroup_count = cgroup_join_fds(&cgroup, spec.cgroups);
	struct process p;
	assert_int_equal(process_spawn(&spec, &p, &err), 0);
	for (size_t i = 0; i < spec.cgroup_count; i++)
		close(spec.cgroups[i]);
	struct sweep sweep = {
		.cgroup = &cgroup, .session = p.pid, .start = p.start, .mark = "MARK=sweep-test"};
	assert_true(WAIT_FOR(sweep_count(&sweep) >= 4));
	process_signal(&p, SIGTERM);
	assert_true(sweep_group_lives(&sweep));
	sweep_end(&sweep);
	process_reap(&p);
	assert_true(WAIT_FOR((sweep_end(&sweep), sweep_count(&sweep) == 0)));
	assert_false(sweep_group_lives(&sweep));
	assert_true(WAIT_FOR(cgroup_remove(&cgroup)));
	process_done(&p);
}

static void nothing_survives_a_sweep_with_a_v2_cgroup(void **state)
{
	(void)state;
	sweep_with("v2");
}

static void nothing_survives_a_sweep_with_a_freezer(void **state)
{
	(void)state;
	sweep_with("v1");
}

static void nothing_survives_a_sweep_without_cgroups(void **state)
{
	(void)state;
	sweep_with("none");
}

static void a_cgroup_is_found_again_from_its_record(void **state)
{
	(void)state;
	struct cgroup cgroup, again;
	char note[CGROUP_NOTE_SIZE], text[CGROUP_TEXT_SIZE], copy[CGROUP_TEXT_SIZE];
	struct cgroup_limits limits = {.memory_bytes = 64 << 20, .cpu_milli = 500};
	char name[64];
	snprintf(name, sizeof name, "davit-test-%d", (int)getpid());
	cgroup_make(name, &limits, &cgroup, note);
	cgroup_open(cgroup_text(&cgroup, text), &again);
	assert_int_equal(again.kill, cgroup.kill);
	assert_string_equal(cgroup_text(&again, copy), text);
	assert_true(cgroup_remove(&again));
	assert_true(cgroup.dir_count > 0 || note[0]);
	for (size_t i = 0; i < cgroup.dir_count; i++)
		assert_int_equal(access(cgroup.dirs[i], F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exit_codes_and_signals_are_told_apart),
		TEST(a_missing_program_is_a_sentence_not_a_process),
		TEST(directory_environment_output_and_limits_reach_the_program),
		TEST(no_descriptor_of_ours_reaches_the_program),
		TEST(a_held_child_runs_nothing_before_its_release),
		TEST(a_held_child_whose_parent_dies_never_runs),
		TEST(a_detached_process_is_not_our_child),
		TEST(a_pid_with_another_start_time_is_another_process),
		TEST(nothing_survives_a_sweep_with_a_v2_cgroup),
		TEST(nothing_survives_a_sweep_with_a_freezer),
		TEST(nothing_survives_a_sweep_without_cgroups),
		TEST(a_cgroup_is_found_again_from_its_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
