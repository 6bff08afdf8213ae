/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/supervisor.h: real processes, a scripted worker, kill -9. */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../small_disk.h"
#include "gateway/supervisor.h"
#include "os/clock.h"
#include "supervisor_kit.h"

static struct gateway_result result;

/* What no table names (any more) is closed everywhere, in the workers a moment after the answer. */
static void await_refused(uint16_t port)
{
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (kit_request(port) != KIT_REFUSED)
		assert_true(clock_now_ms() < until);
}

static void a_table_is_in_force_in_all_workers_when_it_is_answered(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	assert_int_equal(kit.welcome_generation, 0);
	for (int i = 1; i <= 20; i++) {
		kit_apply(&kit, "v1", &result);
		assert_true(result.workers >= 1);
		for (uint32_t w = 0; w < 2; w++)
			if (counters_get(&kit.counters->workers[w].seen))
				assert_int_equal(counters_get(&kit.counters->workers[w].seen), i);
		assert_int_equal(kit_request(kit.port), i);
	}
	kit_await_status(&kit, 2, 20);
	kit_close(&kit);
}

static void a_refused_table_changes_nothing(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	uint16_t other = kit_free_port(), old = kit.port;
	kit.port = other;
	struct gateway_table *t = kit_table(&kit, "refuse");
	assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	assert_int_equal(result.code, ERR_INVALID);
	assert_string_equal(result.text, "The script says no.");
	assert_int_equal(kit_request(old), 1);
	await_refused(other);
	table_free(t);
	kit.port = old;
	for (int i = 0; i < 20; i++) {
		t = kit_table(&kit, "refuse");
		assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
		assert_int_equal(result.code, ERR_INVALID);
		table_free(t);
	}
	kit_apply(&kit, "v2", &result);
	assert_int_equal(kit_request(old), kit.generation);
	kit_await_status(&kit, 2, kit.generation);
	assert_int_equal(kit.status.restarts,
			 0); /* the second to refuse is as healthy as the first */
	kit_close(&kit);
}

static void a_taken_port_is_told_in_one_sentence_and_changes_nothing(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 1);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	uint16_t old = kit.port;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	int taken = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(taken, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(taken, 1), 0);
	assert_int_equal(getsockname(taken, (struct sockaddr *)&a, &size), 0);
	kit.port = ntohs(a.sin_port);
	struct gateway_table *t = kit_table(&kit, "v2");
	assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	assert_int_equal(result.code, ERR_DENIED);
	assert_non_null(strstr(result.text, "is taken by another program"));
	assert_int_equal(kit_request(old), 1);
	close(taken);
	t->generation = ++kit.generation;
	assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	assert_int_equal(result.code, 0);
	assert_int_equal(kit_request(kit.port), 3);
	await_refused(old);
	table_free(t);
	kit_close(&kit);
}

static void a_late_table_is_fenced_off(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 1);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_apply(&kit, "v1", &result);
	struct gateway_table *t = kit_table(&kit, "v1");
	t->generation = 2;
	assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	assert_int_equal(result.code, ERR_CONFLICT);
	t->generation = 3;
	t->environments[0].document_n = 1;
	assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	assert_int_equal(result.code, ERR_CONFLICT);
	assert_non_null(strstr(result.text, "comes too late"));
	t->environments[0].document_n = 2; /* the one in force, but it says something else */
	t->environments[0].mode = TABLE_MODE_PARK;
	assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	assert_int_equal(result.code, ERR_CONFLICT);
	assert_non_null(strstr(result.text, "something else"));
	assert_int_equal(kit_request(kit.port), 2);
	table_free(t);
	kit_close(&kit);
}

static void a_worker_that_hangs_keeps_no_table_from_the_others(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	pid_t victim = kit_worker_pid(&kit, 1);
	kill(victim, SIGSTOP);
	uint64_t began = clock_now_ms();
	struct gateway_table *t = kit_table(&kit, "v2");
	assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	assert_int_equal(result.code, ERR_TIMEOUT);
	while (result.code != 0) {
		assert_true(clock_now_ms() - began < KIT_DEADLINE_MS);
		t->generation = ++kit.generation;
		assert_true(kit_result(&kit, kit_offer(&kit, t), &result));
	}
	kit_await_status(&kit, 2, kit.generation);
	assert_int_not_equal(kit_worker_pid(&kit, 1), victim);
	table_free(t);
	kit_close(&kit);
}

static void workers_killed_under_load_are_replaced_and_fail_no_more_than_they_held(void **state)
{
	(void)state;
	struct kit kit;
	uint64_t answered, failed;
	enum { KILLS = 5 };
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	kit_load_start(&kit);
	for (uint32_t i = 0; i < KILLS; i++) {
		kill(kit_worker_pid(&kit, i % 2), SIGKILL);
		kit_await_status(&kit, 1, 0);
		kit_await_status(&kit, 2, kit.generation);
		kit_apply(&kit, "v1", &result);
	}
	kit_load_stop(&kit, &answered, &failed);
	assert_true(answered > KIT_CLIENTS);
	assert_true(failed <= KILLS * KIT_CLIENTS);
	assert_int_equal(kit.status.restarts, KILLS);
	kit_close(&kit);
}

static void a_supervisor_killed_under_load_fails_nobody_and_finds_everything_again(void **state)
{
	(void)state;
	struct kit kit;
	uint64_t answered, failed;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	pid_t worker = kit_worker_pid(&kit, 0);
	kit_load_start(&kit);
	for (int i = 0; i < 5; i++) {
		kit_kill(&kit);
		assert_int_equal(kit_request(kit.port), kit.generation);
		kit_start(&kit, NULL);
		kit_attach(&kit);
		assert_int_equal(kit.welcome_generation, kit.generation);
		assert_int_equal(kit_worker_pid(&kit, 0), worker);
		kit_apply(&kit, "v1", &result);
		kit_await_status(&kit, 2, kit.generation);
	}
	kit_load_stop(&kit, &answered, &failed);
	assert_true(answered > KIT_CLIENTS);
	assert_int_equal(failed, 0);
	kit_close(&kit);
}

/* Die at `failpoint` with a second table under way, come back, and serve either the old or the new. */
static void die_at(const char *failpoint, int64_t serves_after)
{
	struct kit kit;
	uint64_t answered, failed;
	kit_open(&kit, 2);
	kit_start(&kit, failpoint);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	kit_load_start(&kit);
	struct gateway_table *t = kit_table(&kit, "v2");
	assert_false(kit_result(&kit, kit_offer(&kit, t), &result));
	table_free(t);
	kit_await_end(&kit);
	assert_true(kit_request(kit.port) >= 1);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_await_status(&kit, 2, (uint64_t)serves_after);
	assert_int_equal(kit_request(kit.port), serves_after);
	kit_apply(&kit, "v3", &result);
	kit_load_stop(&kit, &answered, &failed);
	assert_int_equal(failed, 0);
	kit_close(&kit);
}

static void a_death_before_the_table_is_kept_leaves_the_old_one(void **state)
{
	(void)state;
	die_at("gateway.after-prepare:2", 1);
}

static void a_death_after_the_table_is_kept_brings_the_new_one(void **state)
{
	(void)state;
	die_at("gateway.after-persist:2", 2);
	die_at("gateway.before-commit:2", 2);
}

static void a_death_after_the_commit_brings_the_new_one(void **state)
{
	(void)state;
	die_at("gateway.after-commit:2", 2);
}

static void everything_killed_starts_again_with_the_table_on_disk(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	pid_t pids[2] = {kit_worker_pid(&kit, 0), kit_worker_pid(&kit, 1)};
	kit_kill(&kit);
	kill(pids[0], SIGKILL);
	kill(pids[1], SIGKILL);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_await_status(&kit, 2, 1);
	assert_int_equal(kit_request(kit.port), 1);
	kit_apply(&kit, "v2", &result);
	kit_close(&kit);
}

static void a_second_supervisor_takes_over_and_fails_nobody(void **state)
{
	(void)state;
	struct kit kit;
	uint64_t answered, failed;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	pid_t worker = kit_worker_pid(&kit, 0);
	kit_load_start(&kit);
	struct kit second = kit;
	second.channel = -1;
	second.counters = NULL;
	kit_start(&second, NULL);
	kit_await_end(&kit);
	kit_attach(&second);
	assert_int_equal(kit_worker_pid(&second, 0), worker);
	kit_apply(&second, "v2", &result);
	kit_load_stop(&second, &answered, &failed);
	assert_int_equal(failed, 0);
	kit_close(&second);
}

/* What comes after `kit`: its supervisor and workers run another file. */
static struct kit replaced_by_another_build(struct kit *kit)
{
	struct kit next = *kit;
	next.channel = -1;
	next.counters = NULL;
	kit_other_build(&next);
	kit_start(&next, NULL);
	kit_await_end(kit);
	kit_attach(&next);
	return next;
}

static uint64_t counted(const struct kit *kit)
{
	static struct counters_release sum;
	counters_sum_release(kit->counters, 0, &sum);
	assert_int_equal(counters_release_in_flight(&sum), 0);
	return sum.values[COUNTERS_RELEASE_STARTED];
}

static void another_build_replaces_the_workers_and_fails_nobody(void **state)
{
	enum { BUILDS = 5 };
	(void)state;
	struct kit kit;
	uint64_t answered, failed;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	kit_load_start(&kit);
	for (int build = 0; build < BUILDS; build++) {
		uint32_t first = build % 2 ? 2 : 0; /* places, where the last ones but one were */
		pid_t old[2] = {kit_worker_pid(&kit, first), kit_worker_pid(&kit, first + 1)};
		struct kit next = replaced_by_another_build(&kit);
		assert_int_equal(next.welcome_generation, kit.generation);
		kit_await_gone(old[0]);
		kit_await_gone(old[1]);
		kit_await_status(&next, 2, next.generation);
		kit_apply(&next, "v2", &result);
		assert_int_equal(result.workers, 2);
		assert_int_equal(next.status.uncounted, 0);
		kit = next;
	}
	kit_load_stop(&kit, &answered, &failed);
	assert_int_equal(failed, 0);
	assert_in_range(counted(&kit), answered,
			answered + 1); /* the end of the load may have cut one short */
	kit_close(&kit);
}

/* Workers of another build that have nothing to say to us but JOIN: their counters have another format. */
static void counters_of_another_format_are_left_to_who_has_them(void **state)
{
	(void)state;
	struct kit kit;
	uint64_t answered, failed;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	kit_load_start(&kit);
	pid_t old[2] = {kit_worker_pid(&kit, 0), kit_worker_pid(&kit, 1)};
	uint64_t segment = kit.counters->segment;
	kit.counters->abi++;
	struct kit next = replaced_by_another_build(&kit);
	kit_await_gone(old[0]);
	kit_await_gone(old[1]);
	kit_await_status(&next, 2, 1);
	assert_int_not_equal(next.counters->segment, segment);
	kit_apply(&next, "v2", &result);
	kit_load_stop(&next, &answered, &failed);
	assert_int_equal(failed, 0);
	kit_close(&next);
}

/* One that serves no table is no reason for those to leave that do. */
static void a_build_that_cannot_serve_changes_nothing(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	pid_t old[2] = {kit_worker_pid(&kit, 0), kit_worker_pid(&kit, 1)};
	setenv("KIT_REFUSES", "1", 1);
	struct kit next = replaced_by_another_build(&kit);
	unsetenv("KIT_REFUSES");
	for (int i = 0; i < 20; i++)
		assert_int_equal(kit_request(next.port), 1);
	assert_int_equal(kill(old[0], 0), 0);
	assert_int_equal(kill(old[1], 0), 0);
	struct kit last =
		replaced_by_another_build(&next); /* and the one that can takes over from them */
	kit_await_gone(old[0]);
	kit_await_gone(old[1]);
	kit_await_status(&last, 2, 1);
	assert_int_equal(kit_request(last.port), 1);
	kit_close(&last);
}

static void a_removed_state_directory_ends_orphaned_workers(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, 2, 1);
	pid_t pids[2] = {kit_worker_pid(&kit, 0), kit_worker_pid(&kit, 1)};
	kit_kill(&kit);
	for (const char *const *name = (const char *[]){"table", "table.reserve", "gateway.sock",
							"gateway.lock", "gateway.pids", NULL};
	     *name; name++)
		unlinkat(kit.dir_fd, *name, 0);
	assert_int_equal(rmdir(kit.dir), 0);
	kit_await_gone(pids[0]);
	kit_await_gone(pids[1]);
	close(kit.dir_fd);
}

static bool is_kept(const struct kit *kit)
{
	return faccessat(kit->dir_fd, "table", F_OK, 0) == 0;
}

static void await_kept(const struct kit *kit)
{
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (!is_kept(kit)) {
		assert_true(clock_now_ms() < until);
		poll(NULL, 0, 10);
	}
}

static void kill_everything(struct kit *kit)
{
	pid_t worker = kit_worker_pid(kit, 0);
	kit_kill(kit);
	kill(worker, SIGKILL);
	kit_await_gone(worker);
	kit_detach(kit);
}

static void a_table_that_cannot_be_kept_serves_and_no_older_one_comes_back(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 1);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	assert_true(is_kept(&kit));
	/* A directory in the place of the file that is written first: not even root gets past it. */
	assert_int_equal(mkdirat(kit.dir_fd, "table.new", 0700), 0);
	kit_apply(&kit, "v2", &result);
	assert_int_equal(kit_request(kit.port), 2);
	assert_false(is_kept(&kit));
	/* The workers hand it to a successor; where they died as well there is nothing that could be stale. */
	kit_kill(&kit);
	kit_detach(&kit);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	assert_int_equal(kit.welcome_generation, 2);
	assert_false(is_kept(&kit));
	kill_everything(&kit);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	assert_int_equal(kit.welcome_generation, 0);
	assert_int_equal(kit_request(kit.port), KIT_REFUSED);
	/* It is kept as soon as it can be, without a new one. */
	kit_apply(&kit, "v3", &result);
	assert_false(is_kept(&kit));
	assert_int_equal(unlinkat(kit.dir_fd, "table.new", AT_REMOVEDIR), 0);
	await_kept(&kit);
	kill_everything(&kit);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_await_status(&kit, 1, 3);
	assert_int_equal(kit_request(kit.port), 3);
	kit_close(&kit);
}

static void a_full_disk_takes_the_table_by_the_reserve(void **state)
{
	(void)state;
	struct kit kit;
	kit_open(&kit, 1);
	if (!small_disk_mount(kit.dir, "4m")) {
		close(kit.dir_fd);
		rmdir(kit.dir);
		skip();
	}
	close(kit.dir_fd);
	kit.dir_fd = open(kit.dir, O_DIRECTORY | O_CLOEXEC);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	assert_int_equal(faccessat(kit.dir_fd, "table.reserve", F_OK, 0), 0);
	small_disk_fill(kit.dir);
	kit_apply(&kit, "v2", &result);
	assert_int_equal(kit_request(kit.port), 2);
	assert_true(is_kept(&kit));
	assert_int_equal(faccessat(kit.dir_fd, "table.reserve", F_OK, 0), -1);
	/* And without one. */
	small_disk_fill(kit.dir);
	kit_apply(&kit, "v3", &result);
	assert_int_equal(kit_request(kit.port), 3);
	small_disk_empty(kit.dir);
	await_kept(&kit);
	kill_everything(&kit);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_await_status(&kit, 1, 3);
	assert_int_equal(umount2(kit.dir, MNT_DETACH), 0);
	kit_close(&kit);
}

int main(int argc, char **argv)
{
	int role = kit_role(argc, argv);
	if (role >= 0)
		return role;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_in_force_in_all_workers_when_it_is_answered),
		cmocka_unit_test(a_refused_table_changes_nothing),
		cmocka_unit_test(a_taken_port_is_told_in_one_sentence_and_changes_nothing),
		cmocka_unit_test(a_late_table_is_fenced_off),
		cmocka_unit_test(
			workers_killed_under_load_are_replaced_and_fail_no_more_than_they_held),
		cmocka_unit_test(
			a_supervisor_killed_under_load_fails_nobody_and_finds_everything_again),
		cmocka_unit_test(a_death_before_the_table_is_kept_leaves_the_old_one),
		cmocka_unit_test(a_death_after_the_table_is_kept_brings_the_new_one),
		cmocka_unit_test(a_death_after_the_commit_brings_the_new_one),
		cmocka_unit_test(everything_killed_starts_again_with_the_table_on_disk),
		cmocka_unit_test(a_second_supervisor_takes_over_and_fails_nobody),
		cmocka_unit_test(another_build_replaces_the_workers_and_fails_nobody),
		cmocka_unit_test(counters_of_another_format_are_left_to_who_has_them),
		cmocka_unit_test(a_build_that_cannot_serve_changes_nothing),
		cmocka_unit_test(a_removed_state_directory_ends_orphaned_workers),
		cmocka_unit_test(a_table_that_cannot_be_kept_serves_and_no_older_one_comes_back),
		cmocka_unit_test(a_full_disk_takes_the_table_by_the_reserve),
		cmocka_unit_test(a_worker_that_hangs_keeps_no_table_from_the_others),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
