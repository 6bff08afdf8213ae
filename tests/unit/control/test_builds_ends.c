/* SPDX-License-Identifier: Apache-2.0
 * Builds that are cancelled, whose control dies, or whose store cannot write, with a builder of the test's own: nothing is
 * lost, and nothing goes out twice or after all. test_builds.c has the rest. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "control/builds.h"
#include "store/builds.h"
#include "world.h"

enum { STARTS_MAX = 32, HELD_MAX = 8 };

static struct {
	uint32_t start_count, starts[STARTS_MAX], cancelled;
} seen;

static char directory[32], archive[64], config[64];

static int known(struct builds *builds, const char *app, const char *stage, const void *bytes,
		 size_t size, struct error *err)
{
	(void)builds;
	(void)app;
	(void)bytes;
	(void)size;
	(void)err;
	assert_null(stage); /* nothing is live */
	return 0;
}

static int start(struct builds *builds, const struct builds_order *order, struct error *err)
{
	(void)builds;
	(void)err;
	assert_true(seen.start_count < STARTS_MAX);
	seen.starts[seen.start_count++] = order->number;
	return 0;
}

static void cancel(struct builds *builds, uint32_t number)
{
	(void)builds;
	seen.cancelled = number;
}

static bool find_logs(const struct builds *builds, const char *app, uint32_t number, char *to,
		      size_t size)
{
	(void)builds;
	(void)app;
	(void)number;
	(void)to;
	(void)size;
	return false;
}

static int kept(struct builds *builds, void (*each)(void *context, uint32_t number, uint64_t bytes),
		void *context, struct error *err)
{
	(void)builds;
	(void)each;
	(void)context;
	(void)err;
	return 0;
}

static int forget(struct builds *builds, uint32_t number, struct error *err)
{
	(void)builds;
	(void)err;
	fail_msg("there are no logs of build %u", number);
	return 0;
}

static const struct builds_ops ops = {known, start, cancel, find_logs, kept, forget};
static struct builds fake = {.ops = &ops};

/* What is done beside the loop waits until the test lets it go on. */
static struct {
	void (*work)(void *job);
	void (*done)(void *job);
	void *job;
} held[HELD_MAX];
static uint32_t held_count;

static void hold(void *context, void (*work)(void *job), void (*done)(void *job), void *job)
{
	(void)context;
	assert_true(held_count < HELD_MAX);
	held[held_count].work = work;
	held[held_count].done = done;
	held[held_count++].job = job;
}

/* All that has come so far. */
static void let_go(void)
{
	uint32_t count = held_count;
	for (uint32_t i = 0; i < count; i++) {
		held[i].work(held[i].job);
		held[i].done(held[i].job);
	}
	memmove(held, held + count, (held_count - count) * sizeof held[0]);
	held_count -= count;
}

static void restart(void)
{
	world_kill();
	world_start();
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	(void)state;
	text_copy(directory, sizeof directory, "/tmp/davit-builds-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(archive, sizeof archive, "%s/release.tar", directory);
	snprintf(config, sizeof config, "%s/davit.yaml", directory);
	write_file(archive, "files");
	write_file(config, world_yaml);
	memset(&seen, 0, sizeof seen);
	held_count = 0;
	world_open();
	world_behaviour("release.tar"); /* the archive's name is the files' */
	world.builds = &fake;
	world.files = directory;
	restart();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	unlink(archive);
	unlink(config);
	rmdir(directory);
	return 0;
}

/* --- short ways */

static int order_of(unsigned commit, const char *environments, uint32_t *ret_number)
{
	char id[41];
	const struct control_caller caller = world_caller("");
	snprintf(id, sizeof id, "%040x", commit);
	const struct build_order order = {.app = "shop",
					  .repository = "/srv/shop.git",
					  .commit = id,
					  .ref = "refs/heads/main",
					  .target = environments[0] ? BUILD_TARGET_NAMED
								    : BUILD_TARGET_NONE,
					  .environments = environments};
	return control_build(world.control, &caller, &order, ret_number, &world.err);
}

static uint32_t order(unsigned commit, const char *environments)
{
	uint32_t number = 0;
	assert_int_equal(order_of(commit, environments, &number), 0);
	return number;
}

static int cancel_build(uint32_t number)
{
	const struct control_caller caller = world_caller("");
	return control_cancel_build(world.control, &caller, number, &world.err);
}

static void done(uint32_t number, const char *how)
{
	struct builds_outcome outcome = {.subject = "Greet", .why = "It ended so."};
	text_copy(outcome.state, sizeof outcome.state, how);
	if (strcmp(how, "passed") == 0)
		text_copy(outcome.archive, sizeof outcome.archive, archive);
	fake.listener.done(fake.listener.context, number, &outcome);
}

static struct store_build row_of(uint32_t number)
{
	struct store_build b;
	assert_int_equal(store_build_get(world.store, number, &b, &world.err), 0);
	return b;
}

static void put_row(const struct store_build *b)
{
	store_begin(world.store);
	store_put_build(world.store, b);
	assert_int_equal(store_commit(world.store, &world.err), 0);
}

static void assert_state(uint32_t number, const char *state)
{
	struct store_build b = row_of(number);
	assert_string_equal(b.state, state);
}

static void assert_started(uint32_t times, uint32_t last)
{
	world_run(300);
	assert_int_equal(seen.start_count, times);
	if (times > 0)
		assert_int_equal(seen.starts[times - 1], last);
}

static int count_rollout(void *context, const struct store_rollout *r)
{
	(void)r;
	(*(uint32_t *)context)++;
	return 0;
}

static uint32_t rollouts(void)
{
	const struct store_rollout_filter all = {.limit = 100};
	uint32_t count = 0;
	assert_int_equal(store_rollouts(world.store, &all, count_rollout, &count, &world.err), 0);
	return count;
}

struct told {
	uint32_t count;
	struct store_build_rollout rows[4];
};

static int see_rollout(void *context, const struct store_build_rollout *row)
{
	struct told *told = context;
	told->rows[told->count++] = *row;
	return 0;
}

static struct told told_of(uint32_t number)
{
	struct told told = {.count = 0};
	assert_int_equal(store_build_rollouts(world.store, number, see_rollout, &told, &world.err),
			 0);
	return told;
}

/* --- the queue */

static void an_order_is_there_after_a_restart_and_its_place_too(void **state)
{
	(void)state;
	order(1, "");
	order(2, "");
	restart();
	assert_started(1, 1);
	done(1, "failed");
	restart();
	assert_started(2, 2);
}

/* --- what goes out */

static void a_refusal_is_told_and_the_others_get_it(void **state)
{
	(void)state;
	uint32_t number = order(1, "nowhere prod");
	assert_started(1, number);
	done(number, "passed");
	struct told told = told_of(number);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.rows[0].environment, "nowhere");
	assert_int_equal(told.rows[0].rollout, 0);
	assert_true(told.rows[0].why[0] != '\0');
	assert_int_equal(told.rows[1].rollout, 1);
	assert_string_equal(told.rows[1].why, "");
}

/* --- the control dies */

static void killed_while_it_runs_it_is_begun_again_and_goes_out_once(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	restart();
	assert_started(2, number);
	world.beside = hold;
	restart();
	let_go(); /* logs are looked at */
	assert_started(3, number);
	done(number, "passed");
	assert_int_equal(held_count, 1);
	world_kill(); /* while the archive is read */
	let_go();
	world.beside = NULL;
	world_start();
	assert_started(4, number);
	done(number, "passed");
	assert_state(number, "passed");
	assert_int_equal(rollouts(), 1);
}

static void killed_while_it_goes_out_nothing_goes_out_twice(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	done(number, "passed");
	assert_int_equal(rollouts(), 1);
	/* Killed after the deploy, once before and once after it was written to the build. */
	for (int i = 0; i < 2; i++) {
		struct store_build b = row_of(number);
		struct store_build_rollout row = told_of(number).rows[0];
		text_copy(b.state, sizeof b.state, "releasing");
		b.ended_unix_ms = 0;
		put_row(&b);
		store_begin(world.store);
		if (i == 0)
			row.rollout = 0;
		else /* long ago: its request is forgotten */
			store_forget_answers(world.store, UINT32_MAX * UINT64_C(1000));
		store_put_build_rollout(world.store, &row);
		assert_int_equal(store_commit(world.store, &world.err), 0);
		restart();
		world_run(300);
		assert_state(number, "passed");
		assert_int_equal(told_of(number).rows[0].rollout, 1);
		assert_int_equal(rollouts(), 1);
	}
	assert_int_equal(seen.start_count, 1); /* nor is it built again */
}

/* --- it is cancelled */

static void one_that_waits_is_cancelled_at_once(void **state)
{
	(void)state;
	order(1, "");
	order(2, "");
	assert_started(1, 1);
	assert_int_equal(cancel_build(2), 0);
	assert_state(2, "cancelled");
	assert_int_equal(seen.cancelled, 0);
	done(1, "failed");
	assert_started(1, 1);
	assert_int_equal(cancel_build(2), ERR_CONFLICT);
	assert_int_equal(cancel_build(9), ERR_NOT_FOUND);
}

static void one_that_runs_is_told_to_end(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	assert_int_equal(cancel_build(number), 0);
	assert_int_equal(seen.cancelled, number);
	assert_int_equal(cancel_build(number), 0);
	/* Who wants it after all gets a build of its own. */
	assert_int_not_equal(order(1, "prod"), number);
	done(number, "cancelled");
	assert_state(number, "cancelled");
	assert_started(2, number + 1);
}

static void one_that_died_of_it_is_cancelled_and_no_failure(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	assert_int_equal(cancel_build(number), 0);
	done(number, "failed");
	struct store_build b = row_of(number);
	assert_string_equal(b.state, "cancelled");
	assert_string_equal(b.why, "");
}

static void a_cancelled_one_does_not_go_out_though_it_had_just_passed(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	assert_int_equal(cancel_build(number), 0);
	done(number, "passed");
	assert_state(number, "cancelled");
	assert_int_equal(rollouts(), 0);
}

static void a_cancelled_one_is_not_begun_again_after_a_restart(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	assert_int_equal(cancel_build(number), 0);
	restart();
	assert_started(1, number);
	assert_state(number, "cancelled");
	assert_int_equal(rollouts(), 0);
}

static void one_whose_archive_is_read_is_too_late_to_cancel(void **state)
{
	(void)state;
	world.beside = hold;
	restart();
	let_go(); /* logs are looked at */
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	done(number, "passed");
	assert_int_equal(cancel_build(number), ERR_CONFLICT);
	let_go();
	assert_state(number, "passed");
	assert_int_equal(rollouts(), 1);
	while (held_count > 0)
		let_go(); /* the files of the release, and logs again */
	world.beside = NULL;
}

/* --- the store cannot write */

static void an_order_that_cannot_be_committed_is_none(void **state)
{
	(void)state;
	uint32_t number = 0;
	world_break_store(true);
	assert_true(order_of(1, "prod", &number) < 0);
	assert_started(0, 0);
	world_break_store(false);
	assert_started(0, 0);
}

static void an_end_that_cannot_be_committed_is_built_again(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	world_break_store(true);
	done(number, "passed");
	world_run(20000);
	assert_int_equal(seen.start_count, 1);
	world_break_store(false);
	world_run(20000);
	assert_int_equal(seen.start_count, 2);
	done(number, "passed");
	assert_state(number, "passed");
	assert_int_equal(rollouts(), 1);
}

static void a_store_that_cannot_write_is_no_refusal(void **state)
{
	(void)state;
	uint32_t number = order(1, "prod");
	assert_started(1, number);
	world_release("prod", "v1", world_yaml);
	struct store_build b = row_of(number);
	struct store_release release;
	assert_int_equal(store_release_match(world.store, "shop", "v1", &release, &world.err), 0);
	text_copy(b.state, sizeof b.state, "releasing");
	memcpy(b.release, release.id, sizeof b.release);
	text_copy(b.wanted, sizeof b.wanted, "prod");
	put_row(&b);
	restart();
	world_break_store(true);
	world_run(20000);
	assert_int_equal(told_of(number).count, 0);
	assert_state(number, "releasing");
	world_break_store(false);
	world_run(20000);
	assert_state(number, "passed");
	assert_int_equal(told_of(number).rows[0].rollout, 1);
	assert_int_equal(rollouts(), 1);
}

#define BUILD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUILD_TEST(an_order_is_there_after_a_restart_and_its_place_too),
		BUILD_TEST(a_refusal_is_told_and_the_others_get_it),
		BUILD_TEST(killed_while_it_runs_it_is_begun_again_and_goes_out_once),
		BUILD_TEST(killed_while_it_goes_out_nothing_goes_out_twice),
		BUILD_TEST(one_that_waits_is_cancelled_at_once),
		BUILD_TEST(one_that_runs_is_told_to_end),
		BUILD_TEST(one_that_died_of_it_is_cancelled_and_no_failure),
		BUILD_TEST(a_cancelled_one_does_not_go_out_though_it_had_just_passed),
		BUILD_TEST(a_cancelled_one_is_not_begun_again_after_a_restart),
		BUILD_TEST(one_whose_archive_is_read_is_too_late_to_cancel),
		BUILD_TEST(an_order_that_cannot_be_committed_is_none),
		BUILD_TEST(an_end_that_cannot_be_committed_is_built_again),
		BUILD_TEST(a_store_that_cannot_write_is_no_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
