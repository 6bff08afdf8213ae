/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/runtime/process and the keeper together, with real processes: what is asked for. */
#include "runtime_fixture.h"

static void an_instance_becomes_ready_and_answers_on_its_port(void **state)
{
	(void)state;
	start_ready("web-1");
	const struct instance_status *s = look("web-1");
	assert_true(s->pid > 0 && s->healthy && s->ready_since_ms > 0);
	assert_true(s->ready_since_ms <= clock_now_ms());
	assert_int_equal(s->applied.n, 1);
	assert_string_equal(s->artifact, HEX64);
	assert_string_equal(s->process, "web");
	assert_int_equal(ask_port(port_of("web-1"), "/"), s->pid);
}

static void instances_get_ports_of_their_own(void **state)
{
	(void)state;
	struct instance_spec a = spec_of("a", "serve"), b = spec_of("b", "serve"),
			     c = spec_of("c", "serve");
	start_spec(&a);
	start_spec(&b);
	start_spec(&c);
	UNTIL(is("a", INSTANCE_READY) && is("b", INSTANCE_READY) && is("c", INSTANCE_READY));
	assert_int_equal(ask_port(port_of("a"), "/"), look("a")->pid);
	assert_int_equal(ask_port(port_of("b"), "/"), look("b")->pid);
	assert_int_equal(ask_port(port_of("c"), "/"), look("c")->pid);
	const struct instance_status *list;
	assert_int_equal(runtime->ops->observe(runtime, &list), 3);
	assert_string_equal(list[0].id, "a");
	assert_string_equal(list[2].id, "c");
}

static void the_program_has_its_directory_variables_and_persistent_paths(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("job", "");
	struct buf out;
	spec.traffic = false;
	spec.health = (struct instance_health){.kind = INSTANCE_HEALTH_NONE};
	spec.argv[0] = NULL;
	spec.script = "cat text; echo $GREETING $DAVIT_APP $DAVIT_ENVIRONMENT $DAVIT_RELEASE; "
		      "echo kept >> storage/deep/file; echo changed > text; exec sleep 1000";
	spec.variables[0] = "GREETING=hello there";
	spec.persist[0] = "storage/deep/";
	start_spec(&spec);
	UNTIL(is("job", INSTANCE_READY));
	buf_init(&out, 1000);
	UNTIL((buf_clear(&out),
	       file_read(dir.fd, "persist/shop/prod/storage/deep/file", &out, &err) == 0 &&
		       strcmp(buf_text(&out), "kept\n") == 0));
	buf_clear(&out);
	assert_int_equal(file_read(dir.fd, "artifacts/" HEX64 "/text", &out, &err), 0);
	assert_string_equal(buf_text(&out), "artifact\n"); /* its own copy changed, not this */
	buf_clear(&out);
	UNTIL((buf_clear(&out), file_read(dir.fd, "instances/job/log", &out, &err) == 0 &&
					strstr(buf_text(&out), "hello there shop prod v1")));
	assert_non_null(strstr(buf_text(&out), "Z artifact\n"));
	buf_done(&out);
}

static void words_are_expanded_and_nothing_else(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("web", "");
	struct buf out;
	buf_init(&out, 4000);
	spec.argv[0] = "/bin/sh";
	spec.argv[1] = "-c";
	spec.argv[2] = "echo \"$0|$1\"; exec ./app serve";
	spec.argv[3] = "port=$PORT";
	spec.argv[4] = "$NOPE $ $lower ${X} $X$X";
	spec.argv[5] = NULL;
	spec.variables[0] = "X=$PORT";
	spec.expand = true;
	start_spec(&spec);
	UNTIL(is("web", INSTANCE_READY));
	char expected[128];
	snprintf(expected, sizeof expected, "port=%u|$NOPE $ $lower ${X} $PORT$PORT",
		 port_of("web"));
	UNTIL((buf_clear(&out), file_read(dir.fd, "instances/web/log", &out, &err) == 0 &&
					strstr(buf_text(&out), expected)));
	buf_done(&out);
}

static void lines_that_look_like_errors_are_counted_in_the_status(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("job", "");
	spec.traffic = false;
	spec.health = (struct instance_health){.kind = INSTANCE_HEALTH_NONE};
	spec.argv[0] = NULL;
	spec.script = "echo ERROR one; echo fine; echo '{\"level\":\"error\"}'; "
		      "while [ ! -e more ]; do sleep 0.01; done; echo FATAL three; exec sleep 1000";
	start_spec(&spec);
	UNTIL(is("job", INSTANCE_READY) && look("job")->log_errors == 2);
	assert_int_equal(file_write(dir.fd, "instances/job/release/more", "", 0, 0644, &err), 0);
	UNTIL(look("job")->log_errors == 3);
	/* A new keeper begins to count anew. */
	assert_int_equal(kill(keeper_of("job"), SIGKILL), 0);
	UNTIL(look("job")->log_errors == 0);
}

static const struct runtime_usage *usage_of(const char *id)
{
	const struct runtime_usage *list;
	const struct instance_status *statuses;
	size_t count = runtime->ops->measure(runtime, &list);
	assert_int_equal(runtime->ops->observe(runtime, &statuses), count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(list[i].id, statuses[i].id);
		if (strcmp(list[i].id, id) == 0)
			return &list[i];
	}
	fail_msg("no usage of %s", id);
	return NULL;
}

static void what_an_instance_uses_is_measured(const char *cgroups)
{
	struct instance_spec spec = spec_of("job", ""), other = spec_of("idle", "");
	setenv("DAVIT_CGROUPS", cgroups, 1);
	spec.traffic = other.traffic = false;
	spec.health = other.health = (struct instance_health){.kind = INSTANCE_HEALTH_NONE};
	spec.argv[0] = other.argv[0] = NULL;
	spec.script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exec sleep 1000";
	other.script = "exec sleep 1000";
	start_spec(&spec);
	start_spec(&other);
	assert_int_equal(usage_of("job")->cpu_source, RUNTIME_UNKNOWN);
	UNTIL(is("job", INSTANCE_READY) && is("idle", INSTANCE_READY));
	UNTIL(usage_of("job")->cpu_us >= 20000);
	assert_true(usage_of("job")->cpu_source != RUNTIME_UNKNOWN);
	assert_true(usage_of("job")->memory_source != RUNTIME_UNKNOWN);
	assert_true(usage_of("job")->memory_bytes >= 64 * 1024);
	assert_true(usage_of("job")->at_ms <= clock_now_ms());
	assert_true(usage_of("idle")->cpu_us < usage_of("job")->cpu_us);
	/* It crashes and comes again: what it has used goes on. */
	uint64_t used = usage_of("job")->cpu_us;
	assert_int_equal(kill(look("job")->pid, SIGKILL), 0);
	bool held = true;
	UNTIL((held = held && usage_of("job")->cpu_us >= used,
	       look("job")->restarts == 1 && is("job", INSTANCE_READY)));
	assert_true(held); /* also while nothing ran */
	UNTIL(usage_of("job")->cpu_us >= used + 20000);
}

static void usage_is_measured_by_cgroup_v2(void **state)
{
	(void)state;
	what_an_instance_uses_is_measured("v2");
}

static void usage_is_measured_by_cgroup_v1(void **state)
{
	(void)state;
	what_an_instance_uses_is_measured("v1");
}

static void usage_is_measured_without_cgroups(void **state)
{
	(void)state;
	what_an_instance_uses_is_measured("none");
	assert_int_equal(usage_of("job")->cpu_source, RUNTIME_PROCESSES);
	assert_int_equal(usage_of("job")->memory_source, RUNTIME_PROCESSES);
}

static void a_crashing_program_is_started_again_and_given_up_in_the_end(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("web", "");
	spec.argv[0] = NULL;
	spec.script = "echo oops; exit 7";
	start_spec(&spec);
	uint64_t began = clock_now_ms();
	UNTIL(is("web", INSTANCE_FAILED));
	const struct instance_status *s = look("web");
	assert_int_equal(s->restarts, 4);
	assert_int_equal(instance_crashes(s), 5);
	assert_true(s->exit_known);
	assert_int_equal(s->exit_code, 7);
	assert_int_equal(s->pid, 0);
	assert_non_null(strstr(s->sentence, "exited with 7"));
	assert_true(clock_now_ms() - began >= 20 + 40 + 80 + 160); /* the pause doubles */
	/* The same document again changes nothing; a newer one begins it anew. */
	start_spec(&spec);
	turn();
	assert_true(is("web", INSTANCE_FAILED));
	document = 2;
	spec = spec_of("web", "serve");
	start_spec(&spec);
	UNTIL(is("web", INSTANCE_READY));
	assert_int_equal(look("web")->restarts, 0);
	assert_int_equal(look("web")->applied.n, 2);
}

/* Trying again would tell the same: it is over at once, and the sentence names the program. */
static void a_program_that_cannot_be_run_fails_at_once_with_its_name(void **state)
{
	(void)state;
	static const char *const programs[] = {"bin/nothing", "no-such-command", "./notes"};
	static const char *const reasons[] = {"No such file", "No such file", "Permission denied"};
	assert_int_equal(file_write(dir.fd, "artifacts/" HEX64 "/notes", "text", 4, 0644, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof id, "web-%zu", i);
		struct instance_spec spec = spec_of(id, "serve");
		spec.argv[0] = programs[i];
		spec.restart.limit = 5;
		spec.restart.first_ms = spec.restart.most_ms = 60000;
		start_spec(&spec);
		UNTIL(is(id, INSTANCE_FAILED));
		assert_int_equal(look(id)->restarts, 0);
		assert_non_null(strstr(look(id)->sentence, programs[i]));
		assert_non_null(strstr(look(id)->sentence, reasons[i]));
		assert_null(strstr(look(id)->sentence, "restarts"));
	}
}

static void a_crash_comes_back_on_the_same_port(void **state)
{
	(void)state;
	start_ready("web");
	uint16_t port = port_of("web");
	pid_t pid = look("web")->pid;
	kill(pid, SIGKILL);
	UNTIL(is("web", INSTANCE_READY) && look("web")->pid != pid);
	assert_int_equal(port_of("web"), port);
	assert_int_equal(look("web")->restarts, 1);
	assert_int_equal(look("web")->exit_signal, SIGKILL);
}

static void a_port_that_another_has_taken_is_given_up(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("web", "serve");
	spec.restart.first_ms = 400; /* time to take it */
	spec.restart.most_ms = 400;
	start_spec(&spec);
	UNTIL(is("web", INSTANCE_READY));
	uint16_t port = port_of("web");
	pid_t pid = look("web")->pid;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	kill(pid, SIGKILL);
	UNTIL(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	assert_int_equal(listen(fd, 1), 0);
	UNTIL(is("web", INSTANCE_READY) && look("web")->pid != pid);
	assert_int_not_equal(port_of("web"), port);
	assert_int_equal(ask_port(port_of("web"), "/"), look("web")->pid);
	close(fd);
}

static void stop_with(const char *cgroups)
{
	if (cgroups)
		setenv("DAVIT_CGROUPS", cgroups, 1);
	struct instance_spec spec = spec_of("web", "stubborn");
	start_spec(&spec);
	UNTIL(is("web", INSTANCE_READY));
	assert_true(count_processes() >= 2);
	assert_int_equal(runtime->ops->drain(runtime, "web", at(2), &err), 0);
	UNTIL(is("web", INSTANCE_DRAINING));
	assert_int_equal(runtime->ops->stop(runtime, "web", at(3), false, &err), 0);
	UNTIL(is("web", INSTANCE_EXITED));
	assert_int_equal(look("web")->exit_signal, SIGKILL);
	UNTIL((reap(), count_processes() == 0));
}

static void nothing_is_left_of_a_program_that_will_not_stop(void **state)
{
	(void)state;
	stop_with(NULL);
}

static void nor_with_a_freezer(void **state)
{
	(void)state;
	stop_with("v1");
}

static void nor_without_cgroups(void **state)
{
	(void)state;
	stop_with("none");
}

static void a_program_that_obeys_its_stop_signal_is_not_killed(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("job", "");
	spec.traffic = false;
	spec.health = (struct instance_health){.kind = INSTANCE_HEALTH_NONE};
	spec.argv[0] = NULL;
	spec.script = "trap 'exit 5' INT; touch started; while :; do sleep 0.01; done";
	spec.stop_signal = SIGINT;
	spec.stop_timeout_ms = 20000;
	start_spec(&spec);
	UNTIL(faccessat(dir.fd, "instances/job/release/started", F_OK, 0) == 0);
	assert_int_equal(runtime->ops->stop(runtime, "job", at(2), false, &err), 0);
	UNTIL(is("job", INSTANCE_EXITED));
	assert_int_equal(look("job")->exit_code, 5);
}

static void older_and_contrary_documents_are_refused(void **state)
{
	(void)state;
	document = 5;
	start_ready("web");
	struct instance_spec spec = spec_of("web", "serve");
	assert_int_equal(runtime->ops->drain(runtime, "web", at(4), &err), ERR_CONFLICT);
	assert_int_equal(runtime->ops->stop(runtime, "web", at(6), false, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.text, "drain"));
	assert_int_equal(runtime->ops->start(runtime, &spec, at(5), &err), 0);
	assert_int_equal(runtime->ops->drain(runtime, "web", at(6), &err), 0);
	assert_int_equal(runtime->ops->start(runtime, &spec, at(5), &err), ERR_CONFLICT);
	assert_int_equal(runtime->ops->start(runtime, &spec, at(6), &err), ERR_CONFLICT);
	UNTIL(is("web", INSTANCE_DRAINING) && look("web")->applied.n == 6);
	assert_int_equal(runtime->ops->start(runtime, &spec, at(6), &err), ERR_CONFLICT);
	/* A newer document may want it back. */
	assert_int_equal(runtime->ops->start(runtime, &spec, at(7), &err), 0);
	UNTIL(is("web", INSTANCE_READY) && look("web")->applied.n == 7);
	assert_int_equal(runtime->ops->forget(runtime, "web", &err), ERR_CONFLICT);
	assert_int_equal(runtime->ops->drain(runtime, "nobody", at(8), &err), ERR_NOT_FOUND);
	assert_int_equal(runtime->ops->drain(runtime, "web", at(8), &err), 0);
	assert_int_equal(runtime->ops->stop(runtime, "web", at(8), false, &err), 0);
	assert_int_equal(runtime->ops->start(runtime, &spec, at(9), &err), ERR_CONFLICT);
	UNTIL(is("web", INSTANCE_EXITED));
	assert_int_equal(look("web")->applied.n, 8);
}

static void a_document_that_asks_for_nothing_new_is_acknowledged(void **state)
{
	(void)state;
	start_ready("web");
	pid_t pid = look("web")->pid;
	document = 9;
	struct instance_spec spec = spec_of("web", "serve");
	start_spec(&spec);
	UNTIL(look("web")->applied.n == 9);
	assert_int_equal(look("web")->pid, pid);
	assert_true(is("web", INSTANCE_READY));
}

static void what_crashes_while_it_drains_is_not_started_again(void **state)
{
	(void)state;
	start_ready("web");
	assert_int_equal(runtime->ops->drain(runtime, "web", at(2), &err), 0);
	UNTIL(is("web", INSTANCE_DRAINING));
	kill(look("web")->pid, SIGKILL);
	UNTIL(is("web", INSTANCE_EXITED));
	assert_int_equal(look("web")->restarts, 0);
}

static void a_forgotten_instance_leaves_nothing_and_its_id_can_be_used_again(void **state)
{
	(void)state;
	start_ready("web");
	assert_int_equal(runtime->ops->stop(runtime, "web", at(2), true, &err), 0);
	UNTIL(is("web", INSTANCE_EXITED));
	assert_int_equal(runtime->ops->forget(runtime, "web", &err), 0);
	assert_null(look("web"));
	assert_int_equal(faccessat(dir.fd, "instances/web", F_OK, 0), -1);
	assert_int_equal(runtime->ops->forget(runtime, "web", &err), 0);
	document = 3;
	start_ready("web"); /* at once, while the old keeper may still be leaving */
	assert_int_equal(look("web")->applied.n, 3);
}

static void an_unhealthy_instance_is_seen_and_recovers(void **state)
{
	(void)state;
	start_ready("web");
	pid_t pid = look("web")->pid;
	assert_int_equal(file_write(dir.fd, "instances/web/release/sick", "", 0, 0600, &err), 0);
	UNTIL(is("web", INSTANCE_UNHEALTHY));
	assert_int_equal(look("web")->ready_since_ms, 0);
	assert_non_null(strstr(look("web")->sentence, "500"));
	assert_int_equal(unlinkat(dir.fd, "instances/web/release/sick", 0), 0);
	UNTIL(is("web", INSTANCE_READY));
	assert_int_equal(look("web")->pid, pid);
}

static void one_that_never_gets_healthy_is_ended_and_given_up(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("web", "");
	spec.argv[0] = "sleep";
	spec.argv[1] = "1000";
	spec.argv[2] = NULL;
	spec.health.deadline_ms = 60;
	spec.restart.limit = 1;
	start_spec(&spec);
	UNTIL(is("web", INSTANCE_FAILED));
	assert_int_equal(look("web")->restarts, 1);
	assert_int_equal(look("web")->exit_signal, SIGKILL);
}

static void tcp_and_commands_can_be_health_checks(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("tcp", "serve");
	spec.health.kind = INSTANCE_HEALTH_TCP;
	start_spec(&spec);
	UNTIL(is("tcp", INSTANCE_READY));
	struct instance_spec command = spec_of("command", "serve");
	command.health.kind = INSTANCE_HEALTH_COMMAND;
	command.health.command[0] = "test";
	command.health.command[1] = "-e";
	command.health.command[2] = "$WHERE/well";
	command.health.command[3] = NULL;
	command.variables[0] = "WHERE=.";
	command.expand = true;
	start_spec(&command);
	UNTIL(is("command", INSTANCE_RUNNING) &&
	      strstr(look("command")->sentence, "exited with 1"));
	assert_int_equal(file_write(dir.fd, "instances/command/release/well", "", 0, 0600, &err),
			 0);
	UNTIL(is("command", INSTANCE_READY));
}

static void a_health_command_that_hangs_fails_and_is_ended(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("web", "serve");
	spec.health.kind = INSTANCE_HEALTH_COMMAND;
	spec.health.command[0] = "sh";
	spec.health.command[1] = "-c";
	spec.health.command[2] = "sleep 1000 & sleep 1000";
	spec.health.timeout_ms = 50;
	start_spec(&spec);
	UNTIL(is("web", INSTANCE_RUNNING) && strstr(look("web")->sentence, "within 50 ms"));
	assert_true(count_processes() <= 4); /* the program, and one check at most */
}

static void a_user_is_taken_on_by_root_and_refused_otherwise(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("job", "");
	struct buf out;
	buf_init(&out, 4000);
	spec.user = "nobody";
	spec.traffic = false;
	spec.health = (struct instance_health){.kind = INSTANCE_HEALTH_NONE};
	spec.argv[0] = NULL;
	spec.script =
		"id -un; cd \"$PWD\" && echo kept > storage/file; touch mine; exec sleep 1000";
	spec.persist[0] = "storage";
	if (geteuid() != 0) {
		assert_int_equal(runtime->ops->start(runtime, &spec, at(1), &err), ERR_DENIED);
	} else {
		start_spec(&spec);
		UNTIL(faccessat(dir.fd, "instances/job/release/mine", F_OK, 0) == 0);
		UNTIL((buf_clear(&out), file_read(dir.fd, "instances/job/log", &out, &err) == 0 &&
						strstr(buf_text(&out), "Z nobody\n")));
		assert_int_equal(faccessat(dir.fd, "persist/shop/prod/storage/file", F_OK, 0), 0);
	}
	spec.id = "other";
	spec.user = "no-such-user";
	assert_true(runtime->ops->start(runtime, &spec, at(1), &err) < 0);
	assert_null(look("other"));
	buf_done(&out);
}

static void a_program_that_wants_too_much_memory_is_told_so(void **state)
{
	(void)state;
	struct instance_spec spec = spec_of("job", "");
	spec.traffic = false;
	spec.health =
		(struct instance_health){.kind = INSTANCE_HEALTH_NONE, .min_healthy_ms = 60000};
	spec.argv[0] = "tail"; /* reads all of it into memory before it says anything */
	spec.argv[1] = "/dev/zero";
	spec.argv[2] = NULL;
	spec.memory_bytes = 24 << 20;
	spec.restart.limit = 0;
	spec.files = 64;
	start_spec(&spec);
	UNTIL(look("job")->state == INSTANCE_FAILED || strstr(look("job")->sentence, "not set"));
	if (!is("job", INSTANCE_FAILED)) {
		/* No such cgroup here: it has said so. Do not wait for the machine to run out. */
		assert_int_equal(runtime->ops->stop(runtime, "job", at(2), true, &err), 0);
		return;
	}
	assert_int_equal(look("job")->exit_signal, SIGKILL);
	assert_non_null(strstr(look("job")->sentence, "more memory than its limit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_instance_becomes_ready_and_answers_on_its_port),
		TEST(instances_get_ports_of_their_own),
		TEST(the_program_has_its_directory_variables_and_persistent_paths),
		TEST(words_are_expanded_and_nothing_else),
		TEST(lines_that_look_like_errors_are_counted_in_the_status),
		TEST(usage_is_measured_by_cgroup_v2),
		TEST(usage_is_measured_by_cgroup_v1),
		TEST(usage_is_measured_without_cgroups),
		TEST(a_crashing_program_is_started_again_and_given_up_in_the_end),
		TEST(a_program_that_cannot_be_run_fails_at_once_with_its_name),
		TEST(a_crash_comes_back_on_the_same_port),
		TEST(a_port_that_another_has_taken_is_given_up),
		TEST(nothing_is_left_of_a_program_that_will_not_stop),
		TEST(nor_with_a_freezer),
		TEST(nor_without_cgroups),
		TEST(a_program_that_obeys_its_stop_signal_is_not_killed),
		TEST(older_and_contrary_documents_are_refused),
		TEST(a_document_that_asks_for_nothing_new_is_acknowledged),
		TEST(what_crashes_while_it_drains_is_not_started_again),
		TEST(a_forgotten_instance_leaves_nothing_and_its_id_can_be_used_again),
		TEST(an_unhealthy_instance_is_seen_and_recovers),
		TEST(one_that_never_gets_healthy_is_ended_and_given_up),
		TEST(tcp_and_commands_can_be_health_checks),
		TEST(a_health_command_that_hangs_fails_and_is_ended),
		TEST(a_program_that_wants_too_much_memory_is_told_so),
		TEST(a_user_is_taken_on_by_root_and_refused_otherwise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
