/* SPDX-License-Identifier: Apache-2.0
 * Tests of the process runtime under faults: controllers and keepers that are killed at any time. */
#include "drivers/runtime/damaged.h"
#include "runtime_fixture.h"

/* A client in a process of its own: asks fifty times and on, and exits with the number of failures. */
static pid_t start_client(uint16_t port, int *ret_stop)
{
	int stop[2];
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct pollfd ends = {.fd = stop[0], .events = POLLIN};
		int failed = 0, asked = 0;
		close(stop[1]);
		while (asked < 50 || poll(&ends, 1, 0) == 0) {
			failed += ask_port(port, "/") == 0;
			asked++;
		}
		_exit(failed < 255 ? failed : 255);
	}
	close(stop[0]);
	*ret_stop = stop[1];
	return pid;
}

static int client_failures(pid_t pid, int stop)
{
	int status = 0;
	close(stop);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool replaced(const char *id, pid_t keeper)
{
	pid_t now = keeper_of(id);
	reap();
	return now != 0 && now != keeper;
}

static void a_killed_keeper_costs_no_request_and_is_replaced(void **state)
{
	(void)state;
	start_ready("web");
	struct instance_status before = *look("web");
	int stop;
	pid_t client = start_client(port_of("web"), &stop);
	for (int round = 0; round < 3; round++) {
		pid_t keeper = keeper_of("web");
		kill(keeper, SIGKILL);
		UNTIL(replaced("web", keeper));
		UNTIL(is("web", INSTANCE_READY));
	}
	assert_int_equal(client_failures(client, stop), 0);
	const struct instance_status *s = look("web");
	assert_int_equal(s->pid, before.pid);
	assert_int_equal(s->ready_since_ms, before.ready_since_ms);
	assert_int_equal(s->restarts, 0);
	assert_int_equal(port_of("web"),
			 ask_port(port_of("web"), "/") == s->pid ? port_of("web") : 0);
}

static void what_an_adopted_program_writes_is_logged_on(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("job", "");
	struct buf log;
	buf_init(&log, 1 << 20);
	spec.traffic = false;
	spec.health = (struct instance_health){.kind = INSTANCE_HEALTH_NONE};
	spec.argv[0] = NULL;
	spec.script = "i=0; while :; do i=$((i+1)); echo line $i || exit 9; sleep 0.01; done";
	start_spec(&spec);
	UNTIL(is("job", INSTANCE_READY));
	pid_t pid = look("job")->pid, keeper = keeper_of("job");
	kill(keeper, SIGKILL);
	UNTIL(replaced("job", keeper));
	UNTIL((buf_clear(&log), file_read(dir.fd, "instances/job/log", &log, &err) == 0 &&
					strstr(buf_text(&log), "goes on under a new keeper")));
	const char *adopted = strstr(buf_text(&log), "goes on");
	size_t seen = (size_t)(adopted - log.data);
	UNTIL((buf_clear(&log), file_read(dir.fd, "instances/job/log", &log, &err) == 0 &&
					strstr(log.data + seen, "Z line ")));
	assert_int_equal(look("job")->pid, pid);
	buf_done(&log);
}

static void an_adopted_program_is_stopped_with_all_it_started(void **state)
{
	(void)state;
	static const char *const kinds[] = {NULL, "v1", "none"};
	for (uint64_t i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof id, "web-%u", (unsigned)i);
		if (kinds[i])
			setenv("DAVIT_CGROUPS", kinds[i], 1);
		struct instance_spec spec = spec_of(id, "stubborn");
		start_spec(&spec);
		UNTIL(is(id, INSTANCE_READY));
		pid_t keeper = keeper_of(id);
		kill(keeper, SIGKILL);
		UNTIL(replaced(id, keeper));
		UNTIL(is(id, INSTANCE_READY));
		assert_int_equal(runtime->ops->stop(runtime, id, at(2), true, &err), 0);
		UNTIL((reap(), is(id, INSTANCE_EXITED)));
		assert_false(look(id)->exit_known);
		UNTIL((reap(), count_processes() == 0));
	}
}

static void a_program_that_died_with_its_keeper_is_started_again(void **state)
{
	(void)state;
	start_ready("web");
	uint16_t port = port_of("web");
	pid_t pid = look("web")->pid;
	kill(keeper_of("web"), SIGSTOP); /* so that it cannot see the program die */
	kill(pid, SIGKILL);
	kill(keeper_of("web"), SIGKILL);
	UNTIL((reap(), is("web", INSTANCE_READY) && look("web")->pid != pid));
	assert_int_equal(port_of("web"), port);
	assert_int_equal(look("web")->restarts, 1);
	assert_int_equal(ask_port(port, "/"), look("web")->pid);
}

static void the_next_controller_finds_everything_as_it_was(void **state)
{
	(void)state;
	start_ready("a");
	start_ready("b");
	assert_int_equal(runtime->ops->drain(runtime, "b", at(2), &err), 0);
	UNTIL(is("b", INSTANCE_DRAINING));
	struct instance_status a = *look("a"), b = *look("b");
	int stop;
	pid_t client = start_client(port_of("a"), &stop);
	close_runtime();
	open_runtime();
	assert_false(runtime->ops->settled(runtime));
	UNTIL(runtime->ops->settled(runtime));
	assert_true(is("a", INSTANCE_READY));
	assert_true(is("b", INSTANCE_DRAINING));
	assert_int_equal(look("a")->pid, a.pid);
	assert_int_equal(look("b")->pid, b.pid);
	assert_int_equal(look("a")->ready_since_ms, a.ready_since_ms);
	assert_int_equal(look("b")->applied.n, 2);
	assert_int_equal(client_failures(client, stop), 0);
}

static void keepers_work_on_without_a_controller(void **state)
{
	(void)state;
	start_ready("web");
	uint16_t port = port_of("web");
	pid_t pid = look("web")->pid;
	close_runtime();
	kill(pid, SIGKILL);
	int now = 0;
	assert_true(WAIT_FOR((now = ask_port(port, "/")) != 0 && now != pid));
	open_runtime();
	UNTIL(is("web", INSTANCE_READY));
	assert_int_equal(look("web")->pid, now);
	assert_int_equal(look("web")->restarts, 1);
}

static void keepers_that_died_without_a_controller_are_replaced_by_the_next(void **state)
{
	(void)state;
	start_ready("web");
	pid_t pid = look("web")->pid, keeper = keeper_of("web");
	close_runtime();
	kill(keeper, SIGKILL);
	assert_true(WAIT_FOR((reap(), kill(keeper, 0) != 0)));
	open_runtime();
	UNTIL(is("web", INSTANCE_READY));
	assert_int_equal(look("web")->pid, pid);
	assert_int_not_equal(keeper_of("web"), keeper);
}

static void an_instance_that_is_over_is_known_from_its_record(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("web", "");
	spec.argv[0] = "false";
	spec.argv[1] = NULL;
	spec.restart.limit = 1;
	start_spec(&spec);
	UNTIL(is("web", INSTANCE_FAILED));
	pid_t keeper = keeper_of("web");
	UNTIL((reap(), kill(keeper, 0) != 0)); /* told to, it leaves at once */
	close_runtime();
	open_runtime();
	UNTIL(runtime->ops->settled(runtime));
	assert_true(is("web", INSTANCE_FAILED));
	assert_int_equal(look("web")->exit_code, 1);
	assert_int_equal(look("web")->restarts, 1);
	assert_int_equal(keeper_of("web"), keeper); /* nobody was started to ask */
}

static void after_a_reboot_it_is_started_anew(void **state)
{
	(void)state;
	start_ready("web");
	pid_t pid = look("web")->pid, keeper = keeper_of("web");
	close_runtime();
	kill(keeper, SIGKILL);
	kill(pid, SIGKILL);
	assert_true(WAIT_FOR((reap(), kill(keeper, 0) != 0 && kill(pid, 0) != 0)));
	/* Another boot, in which the pid belongs to somebody else: us. */
	struct buf text;
	char own[64], other[64];
	buf_init(&text, 1 << 16);
	assert_int_equal(file_read(dir.fd, "instances/web/state", &text, &err), 0);
	char *boot = strstr(text.data, clock_boot_id());
	assert_non_null(boot);
	boot[0] = boot[0] == '0' ? '1' : '0';
	snprintf(own, sizeof own, "\"pid\": %d,", (int)pid);
	snprintf(other, sizeof other, "\"pid\": %d,", (int)getpid());
	char *at_pid = strstr(text.data, own);
	assert_non_null(at_pid);
	struct buf changed;
	buf_init(&changed, 1 << 16);
	buf_append(&changed, text.data, (size_t)(at_pid - text.data));
	buf_puts(&changed, other);
	buf_puts(&changed, at_pid + strlen(own));
	assert_int_equal(
		file_write(dir.fd, "instances/web/state", changed.data, changed.size, 0600, &err),
		0);
	open_runtime();
	UNTIL(is("web", INSTANCE_READY));
	assert_int_not_equal(look("web")->pid, getpid());
	assert_int_equal(look("web")->restarts, 0);
	buf_done(&text);
	buf_done(&changed);
}

static void a_keeper_killed_at_any_named_instant_loses_nothing(void **state)
{
	(void)state;
	static const char *const names[] = {"keeper.after-spec", "keeper.before-start",
					    "keeper.after-record", "keeper.after-start"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char id[16];
		snprintf(id, sizeof id, "web-%zu", i);
		setenv("DAVIT_FAILPOINT", names[i], 1);
		start_ready(id);
		unsetenv("DAVIT_FAILPOINT");
		UNTIL((reap(), count_processes() == i + 1));
		assert_int_equal(ask_port(port_of(id), "/"), look(id)->pid);
	}
}

static void a_controller_killed_between_spec_and_keeper_has_started_it(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		char id[16];
		int status;
		snprintf(id, sizeof id, "web-%d", i);
		pid_t controller = fork();
		if (controller == 0) {
			setenv("DAVIT_FAILPOINT", i ? "runtime.after-spawn" : "runtime.after-spec",
			       1);
			failpoint_from_environment();
			unsetenv("DAVIT_FAILPOINT");
			struct instance_spec spec = spec_of(id, "serve");
			_exit(runtime->ops->start(runtime, &spec, at(1), &err) < 0);
		}
		waitpid(controller, &status, 0);
		assert_true(WIFSIGNALED(status));
		close_runtime();
		open_runtime();
		UNTIL((reap(), is(id, INSTANCE_READY)));
		assert_int_equal(count_processes(), (size_t)i + 1);
	}
}

static void a_directory_without_a_spec_is_removed(void **state)
{
	(void)state;
	close_runtime();
	assert_int_equal(file_make_directories(dir.fd, "instances/half", 0711, &err), 0);
	assert_int_equal(file_make_directories(dir.fd, "instances/.gone-1/x", 0711, &err), 0);
	open_runtime();
	assert_int_equal(faccessat(dir.fd, "instances/half", F_OK, 0), -1);
	assert_int_equal(faccessat(dir.fd, "instances/.gone-1", F_OK, 0), -1);
	assert_null(look("half"));
}

static void a_damaged_instance_is_ended_and_its_slot_is_free_again(void **state)
{
	(void)state;
	for (int killed = 0; killed < 2; killed++) { /* with its keeper alive, and without */
		start_ready("web");
		if (killed)
			kill(keeper_of("web"), SIGKILL);
		close_runtime();
		assert_int_equal(
			file_write(dir.fd, "instances/web/spec.json", "{\"cut", 5, 0600, &err), 0);
		open_runtime();
		assert_null(look("web"));
		assert_int_equal(faccessat(dir.fd, "instances/web", F_OK, 0), -1);
		UNTIL((reap(), count_processes() == 0));
		assert_non_null(strstr(runtime->ops->trouble(runtime), "instances/.damaged-web"));
		assert_int_equal(faccessat(dir.fd, "instances/.damaged-web/log", F_OK, 0), 0);
		assert_int_equal(file_remove_tree(dir.fd, "instances/.damaged-web", &err), 0);
		assert_string_equal(runtime->ops->trouble(runtime), "");
	}
	start_ready("web");
}

/* By its cgroup where there is one, else by its mark: who it is stands in no file any more. */
static void one_whose_record_is_lost_too_is_ended(void **state)
{
	(void)state;
	for (int marked = 0; marked < 2; marked++) {
		if (marked)
			setenv("DAVIT_CGROUPS", "none", 1);
		start_ready("web");
		kill(keeper_of("web"), SIGKILL);
		close_runtime();
		assert_int_equal(
			file_write(dir.fd, "instances/web/spec.json", "{\"cut", 5, 0600, &err), 0);
		assert_int_equal(file_write(dir.fd, "instances/web/state", "{\"cut", 5, 0600, &err),
				 0);
		open_runtime();
		UNTIL((reap(), count_processes() == 0));
		assert_null(look("web"));
		unsetenv("DAVIT_CGROUPS");
		/* It is told again after the next start. */
		close_runtime();
		open_runtime();
		assert_non_null(strstr(runtime->ops->trouble(runtime), "instances/.damaged-web"));
		assert_int_equal(file_remove_tree(dir.fd, "instances/.damaged-web", &err), 0);
		assert_string_equal(runtime->ops->trouble(runtime), "");
	}
}

static void a_keeper_without_a_record_starts_anew_and_leaves_no_second_program(void **state)
{
	(void)state;
	setenv("DAVIT_CGROUPS", "none", 1);
	start_ready("web");
	int before = look("web")->pid;
	pid_t keeper = keeper_of("web");
	kill(keeper, SIGSTOP); /* it would write its record again */
	assert_int_equal(file_write(dir.fd, "instances/web/state", "{\"cut", 5, 0600, &err), 0);
	kill(keeper, SIGKILL);
	UNTIL((reap(), is("web", INSTANCE_READY) && look("web")->pid != before));
	UNTIL((reap(), count_processes() == 1));
	unsetenv("DAVIT_CGROUPS");
}

static void of_many_damaged_instances_the_last_ones_are_kept(void **state)
{
	(void)state;
	char name[64];
	close_runtime();
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof name, "instances/web-%d", i);
		assert_int_equal(file_make_directories(dir.fd, name, 0711, &err), 0);
		snprintf(name, sizeof name, "instances/web-%d/spec.json", i);
		assert_int_equal(file_write(dir.fd, name, "?", 1, 0600, &err), 0);
	}
	open_runtime();
	int kept = 0;
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof name, "instances/web-%d", i);
		assert_int_equal(faccessat(dir.fd, name, F_OK, 0), -1);
		snprintf(name, sizeof name, "instances/.damaged-web-%d", i);
		kept += faccessat(dir.fd, name, F_OK, 0) == 0;
	}
	assert_int_equal(kept, DAMAGED_KEPT_MAX);
}

static void a_second_keeper_leaves_at_once(void **state)
{
	(void)state;
	start_ready("web");
	pid_t keeper = keeper_of("web");
	char path[128];
	snprintf(path, sizeof path, "%s/instances/web", dir.path);
	const char *const argv[] = {KEEPER_PROGRAM, "keeper", "--dir", path, NULL};
	struct process_spec spec = {.argv = argv, .input = -1, .output = -1, .errors = -1};
	struct process second;
	struct process_end end = {.code = -1};
	assert_int_equal(process_spawn(&spec, &second, &err), 0);
	assert_true(WAIT_FOR(process_ended(&second, &end)));
	assert_int_equal(end.code, 0);
	process_reap(&second);
	process_done(&second);
	assert_int_equal(keeper_of("web"), keeper);
	assert_int_equal(ask_port(port_of("web"), "/"), look("web")->pid);
}

static void a_wish_reaches_the_keeper_though_it_was_killed_meanwhile(void **state)
{
	(void)state;
	start_ready("web");
	kill(keeper_of("web"), SIGKILL);
	assert_int_equal(runtime->ops->drain(runtime, "web", at(2), &err), 0);
	UNTIL((reap(), is("web", INSTANCE_DRAINING) && look("web")->applied.n == 2));
	kill(keeper_of("web"), SIGKILL);
	UNTIL((reap(), is("web", INSTANCE_DRAINING)));
	assert_int_equal(runtime->ops->stop(runtime, "web", at(3), false, &err), 0);
	UNTIL((reap(), is("web", INSTANCE_EXITED)));
	assert_int_equal(look("web")->applied.n, 3);
}

/* ---- blows at random ---- */

enum { BLOWS = 120, CREW = 4 };

struct fate {
	char id[16];
	enum instance_want want;
	bool there;
};

/* The same numbers each time; DAVIT_TEST_SEED chooses others. */
static unsigned chance(unsigned below)
{
	static uint64_t seed;
	if (seed == 0) {
		const char *given = getenv("DAVIT_TEST_SEED");
		seed = given ? strtoull(given, NULL, 10) + 1 : 0x9e3779b97f4a7c15u;
	}
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 33) % below);
}

static void ask_for(struct fate *f)
{
	struct instance_spec spec = spec_of(f->id, chance(2) ? "stubborn" : "serve");
	spec.restart.limit = INSTANCE_RESTARTS_MAX;
	document++;
	int code = 0;
	if (!f->there || f->want != INSTANCE_STOP) {
		f->want = f->there && chance(3) == 0 ? INSTANCE_DRAIN : INSTANCE_KEEP;
		code = f->want == INSTANCE_KEEP
			       ? runtime->ops->start(runtime, &spec, at(document), &err)
			       : runtime->ops->drain(runtime, f->id, at(document), &err);
		f->there = true;
	}
	if (f->want == INSTANCE_DRAIN && chance(2)) {
		code = runtime->ops->stop(runtime, f->id, at(++document), true, &err);
		f->want = INSTANCE_STOP;
	}
	if (code < 0 && code != ERR_CONFLICT)
		fail_msg("%s: %s", f->id, err.text);
}

static int ask_again(const struct fate *f)
{
	struct instance_spec spec = spec_of(f->id, "serve");
	document++;
	switch (f->want) {
	case INSTANCE_KEEP: return runtime->ops->start(runtime, &spec, at(document), &err);
	case INSTANCE_DRAIN: return runtime->ops->drain(runtime, f->id, at(document), &err);
	case INSTANCE_STOP: return runtime->ops->stop(runtime, f->id, at(document), true, &err);
	case INSTANCE_WANT_COUNT: break;
	}
	return 0;
}

static void strike(struct fate *f)
{
	const struct instance_status *s = f->there ? look(f->id) : NULL;
	pid_t keeper = s ? keeper_of(f->id) : 0;
	switch (chance(5)) {
	case 0:
	case 1: ask_for(f); break;
	case 2:
		if (keeper > 0 && !instance_state_over(s->state))
			kill(keeper, SIGKILL);
		break;
	case 3:
		if (s && s->pid > 0)
			kill(s->pid, SIGKILL);
		break;
	default:
		if (chance(3) == 0) {
			close_runtime();
			open_runtime();
			UNTIL((reap(), runtime->ops->settled(runtime)));
		}
		break;
	}
}

static bool as_wanted(const struct fate *f)
{
	const struct instance_status *s = f->there ? look(f->id) : NULL;
	if (!s)
		return !f->there;
	/* What was told to drain while it was stopping has ended all the same. */
	return f->want == INSTANCE_KEEP ? s->state == INSTANCE_READY
	       : f->want == INSTANCE_DRAIN
		       ? s->state == INSTANCE_DRAINING || s->state == INSTANCE_EXITED
		       : s->state == INSTANCE_EXITED;
}

static void many_blows_at_random_leave_what_is_wanted_and_nothing_else(void **state)
{
	(void)state;
	struct fate crew[CREW] = {0};
	for (int i = 0; i < CREW; i++)
		snprintf(crew[i].id, sizeof crew[i].id, "web-%d", i);
	for (int i = 0; i < BLOWS; i++) {
		strike(&crew[chance(CREW)]);
		for (unsigned turns = chance(8); turns > 0; turns--)
			turn();
		reap();
	}
	/* Wishes die with a controller that could not send them: the next one has them written down, and
	 * asks again. */
	for (int i = 0; i < CREW; i++) {
		if (crew[i].there)
			UNTIL((reap(), ask_again(&crew[i]) == 0));
		UNTIL((reap(), as_wanted(&crew[i])));
	}
	size_t running = 0;
	for (int i = 0; i < CREW; i++) {
		const struct instance_status *s = crew[i].there ? look(crew[i].id) : NULL;
		if (s && s->state == INSTANCE_READY)
			assert_int_equal(ask_port(port_of(crew[i].id), "/"), s->pid);
		running += s && s->pid > 0;
	}
	/* Each program, and the daemon of a stubborn one. */
	assert_true(count_processes() <= 2 * running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_killed_keeper_costs_no_request_and_is_replaced),
		TEST(what_an_adopted_program_writes_is_logged_on),
		TEST(an_adopted_program_is_stopped_with_all_it_started),
		TEST(a_program_that_died_with_its_keeper_is_started_again),
		TEST(the_next_controller_finds_everything_as_it_was),
		TEST(keepers_work_on_without_a_controller),
		TEST(keepers_that_died_without_a_controller_are_replaced_by_the_next),
		TEST(an_instance_that_is_over_is_known_from_its_record),
		TEST(after_a_reboot_it_is_started_anew),
		TEST(a_keeper_killed_at_any_named_instant_loses_nothing),
		TEST(a_controller_killed_between_spec_and_keeper_has_started_it),
		TEST(a_directory_without_a_spec_is_removed),
		TEST(a_damaged_instance_is_ended_and_its_slot_is_free_again),
		TEST(one_whose_record_is_lost_too_is_ended),
		TEST(a_keeper_without_a_record_starts_anew_and_leaves_no_second_program),
		TEST(of_many_damaged_instances_the_last_ones_are_kept),
		TEST(a_second_keeper_leaves_at_once),
		TEST(many_blows_at_random_leave_what_is_wanted_and_nothing_else),
		TEST(a_wish_reaches_the_keeper_though_it_was_killed_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
