/* SPDX-License-Identifier: Apache-2.0
 * Tests of keeper/life: decisions, without a process or a clock. */
#include "../cmocka_all.h"
#include "keeper/life.h"

static struct error err;
static struct life life;

static const struct instance_spec spec = {
	.traffic = true,
	.health = {.kind = INSTANCE_HEALTH_HTTP,
		   .passes = 3,
		   .fails = 2,
		   .min_healthy_ms = 100,
		   .deadline_ms = 1000},
	.restart = {.first_ms = 10, .most_ms = 35, .limit = 4, .window_ms = 1000},
};

static int set_up(void **state)
{
	(void)state;
	life_init(&life, (struct instance_version){1, 1}, 1000);
	return 0;
}

static int want(enum instance_want what, uint64_t n)
{
	struct keeper_want wish = {.version = {1, n}, .want = what};
	return life_want(&life, &spec, &wish, &err);
}

static void probe(bool passed, int times, uint64_t at_ms)
{
	while (times-- > 0)
		life_probed(&life, &spec, passed, at_ms);
}

static void make_ready(uint64_t at_ms)
{
	life_started(&life, &spec, at_ms);
	probe(true, 3, at_ms);
	assert_int_equal(life_next(&life, &spec, at_ms + 100), LIFE_NOTHING);
	assert_int_equal(life_state(&life), INSTANCE_READY);
}

static void ready_takes_enough_probes_and_enough_time(void **state)
{
	(void)state;
	assert_int_equal(life_next(&life, &spec, 999), LIFE_NOTHING);
	assert_int_equal(life_next(&life, &spec, 1000), LIFE_START);
	life_started(&life, &spec, 1000);
	probe(true, 2, 1010);
	probe(false, 1, 1020); /* begins the count anew */
	probe(true, 2, 1030);
	assert_false(life.healthy);
	probe(true, 1, 1040);
	assert_true(life.healthy);
	assert_int_equal(life_wake_ms(&life, &spec), 1140);
	life_next(&life, &spec, 1139);
	assert_int_equal(life_state(&life), INSTANCE_RUNNING);
	life_next(&life, &spec, 1140);
	assert_int_equal(life_state(&life), INSTANCE_READY);
	assert_int_equal(life.ready_since_ms, 1140);
	assert_int_equal(life_wake_ms(&life, &spec), UINT64_MAX);
}

static void one_failed_probe_is_forgiven_two_are_not(void **state)
{
	(void)state;
	make_ready(1000);
	probe(false, 1, 1200);
	probe(true, 1, 1210);
	probe(false, 1, 1220);
	assert_int_equal(life_state(&life), INSTANCE_READY);
	probe(false, 1, 1230);
	assert_int_equal(life_state(&life), INSTANCE_UNHEALTHY);
	assert_int_equal(life.ready_since_ms, 0);
	assert_int_equal(life_next(&life, &spec, 2229), LIFE_NOTHING);
	assert_int_equal(life_next(&life, &spec, 2230),
			 LIFE_KILL); /* the deadline counts from then */
}

static void pauses_double_up_to_the_most_and_the_limit_ends_them(void **state)
{
	(void)state;
	static const uint64_t pauses[] = {10, 20, 35, 35};
	for (int i = 0; i < 4; i++) {
		life_started(&life, &spec, 1000);
		life_ended(&life, &spec, 1000);
		assert_int_equal(life_state(&life), INSTANCE_STARTING);
		assert_int_equal(life.due_ms, 1000 + pauses[i]);
	}
	life_started(&life, &spec, 1100);
	life_ended(&life, &spec, 1100);
	assert_int_equal(life_state(&life), INSTANCE_FAILED);
	assert_int_equal(life.restarts, 4);
	assert_int_equal(life_next(&life, &spec, 99999), LIFE_NOTHING);
}

static void what_can_never_run_is_given_up_at_once_unless_it_has_run(void **state)
{
	(void)state;
	life_refused(&life, &spec, 1000);
	assert_int_equal(life_state(&life), INSTANCE_FAILED);
	assert_int_equal(life.restarts, 0);
	set_up(NULL);
	life_started(&life, &spec, 1000);
	life_ended(&life, &spec, 1000);
	life_refused(&life, &spec, 1010); /* its file may be on its way back */
	assert_int_equal(life_state(&life), INSTANCE_STARTING);
	assert_int_equal(life.due_ms, 1030);
	set_up(NULL);
	assert_int_equal(want(INSTANCE_STOP, 2), 0);
	life_refused(&life, &spec, 1000);
	assert_int_equal(life_state(&life), INSTANCE_EXITED);
}

static void crashes_outside_the_window_are_forgotten(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		life_started(&life, &spec, 1000 + i * 1000);
		life_ended(&life, &spec, 1000 + i * 1000);
		assert_int_equal(life.due_ms, 1000 + i * 1000 + 10);
	}
	assert_int_equal(life.restarts, 100);
}

static void what_drains_or_stops_is_never_started_again(void **state)
{
	(void)state;
	make_ready(1000);
	assert_int_equal(want(INSTANCE_DRAIN, 2), 0);
	assert_int_equal(life_state(&life), INSTANCE_DRAINING);
	assert_int_equal(life_next(&life, &spec, 5000), LIFE_NOTHING);
	life_ended(&life, &spec, 5000);
	assert_int_equal(life_state(&life), INSTANCE_EXITED);
	set_up(NULL);
	life_started(&life, &spec, 1000);
	life_ended(&life, &spec, 1000); /* waits for its next start */
	assert_int_equal(want(INSTANCE_DRAIN, 2), 0);
	assert_int_equal(life_state(&life), INSTANCE_EXITED);
	assert_int_equal(life_next(&life, &spec, 99999), LIFE_NOTHING);
}

static void a_stop_is_carried_out_once_and_ends_it(void **state)
{
	(void)state;
	make_ready(1000);
	assert_int_equal(want(INSTANCE_STOP, 2), ERR_CONFLICT); /* not drained */
	assert_int_equal(life.applied.n, 1);
	assert_int_equal(want(INSTANCE_DRAIN, 2), 0);
	assert_int_equal(want(INSTANCE_STOP, 2), 0);
	assert_int_equal(life_next(&life, &spec, 1200), LIFE_STOP);
	life_ending(&life);
	assert_int_equal(life_state(&life), INSTANCE_STOPPING);
	assert_int_equal(life_next(&life, &spec, 1200), LIFE_NOTHING);
	assert_int_equal(want(INSTANCE_KEEP, 3), ERR_CONFLICT);
	life_ended(&life, &spec, 1300);
	assert_int_equal(life_state(&life), INSTANCE_EXITED);
	assert_int_equal(want(INSTANCE_KEEP, 3), ERR_CONFLICT);
}

static void only_what_serves_must_drain_before_a_stop(void **state)
{
	(void)state;
	life_started(&life, &spec, 1000); /* not ready */
	assert_int_equal(want(INSTANCE_STOP, 2), 0);
	set_up(NULL);
	make_ready(1000);
	struct keeper_want wish = {.version = {1, 2}, .want = INSTANCE_STOP, .undrained = true};
	assert_int_equal(life_want(&life, &spec, &wish, &err), 0);
	set_up(NULL);
	struct instance_spec worker = spec;
	worker.traffic = false;
	make_ready(1000);
	wish.undrained = false;
	assert_int_equal(life_want(&life, &worker, &wish, &err), 0);
}

static void versions_only_go_forward(void **state)
{
	(void)state;
	life_init(&life, (struct instance_version){2, 5}, 1000);
	struct keeper_want wish = {.version = {1, 99}, .want = INSTANCE_DRAIN};
	assert_int_equal(life_want(&life, &spec, &wish, &err), ERR_CONFLICT); /* an older epoch */
	wish.version = (struct instance_version){2, 4};
	assert_int_equal(life_want(&life, &spec, &wish, &err), ERR_CONFLICT);
	wish.version = (struct instance_version){2, 5};
	assert_int_equal(life_want(&life, &spec, &wish, &err), 0); /* further down, same document */
	wish.want = INSTANCE_KEEP;
	life_init(&life, (struct instance_version){2, 5}, 1000);
	life_started(&life, &spec, 1000);
	assert_int_equal(life_want(&life, &spec, &wish, &err), 0); /* again: nothing */
	wish = (struct keeper_want){.version = {2, 6}, .want = INSTANCE_DRAIN};
	assert_int_equal(life_want(&life, &spec, &wish, &err), 0);
	wish.want = INSTANCE_KEEP;
	assert_int_equal(life_want(&life, &spec, &wish, &err), ERR_CONFLICT); /* the contrary */
	wish.version.n = 7;
	assert_int_equal(life_want(&life, &spec, &wish, &err), 0);
	assert_int_equal(life_state(&life), INSTANCE_RUNNING);
}

static void without_probes_a_process_is_healthy_while_it_runs(void **state)
{
	(void)state;
	struct instance_spec plain = spec;
	plain.health = (struct instance_health){.kind = INSTANCE_HEALTH_NONE, .min_healthy_ms = 50};
	life_started(&life, &plain, 1000);
	assert_int_equal(life_next(&life, &plain, 1049), LIFE_NOTHING);
	assert_int_equal(life_state(&life), INSTANCE_RUNNING);
	assert_int_equal(life_next(&life, &plain, 1050), LIFE_NOTHING);
	assert_int_equal(life_state(&life), INSTANCE_READY);
	assert_int_equal(life_next(&life, &plain, 99999), LIFE_NOTHING);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_takes_enough_probes_and_enough_time),
		TEST(one_failed_probe_is_forgiven_two_are_not),
		TEST(pauses_double_up_to_the_most_and_the_limit_ends_them),
		TEST(what_can_never_run_is_given_up_at_once_unless_it_has_run),
		TEST(crashes_outside_the_window_are_forgotten),
		TEST(what_drains_or_stops_is_never_started_again),
		TEST(a_stop_is_carried_out_once_and_ends_it),
		TEST(only_what_serves_must_drain_before_a_stop),
		TEST(versions_only_go_forward),
		TEST(without_probes_a_process_is_healthy_while_it_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
