/* SPDX-License-Identifier: Apache-2.0
 * Tests of os/loop, os/clock and os/random. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/random.h"

static struct error err;
static struct loop *loop;

static int setup(void **state)
{
	(void)state;
	return loop_new(&loop, &err);
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

struct seen {
	struct env_timer timer;
	int count;
	uint64_t at_ms;
	struct loop_watch *watch;
	int events;
	int fd;
};

static void fire(void *context)
{
	struct seen *seen = context;
	seen->at_ms = clock_now_ms();
	if (++seen->count == 3)
		loop_stop(loop);
	else
		loop_env(loop)->ops->timer_start(loop_env(loop), &seen->timer, 10);
}

static void a_timer_fires_no_earlier_than_asked_and_can_be_started_again(void **state)
{
	(void)state;
	struct seen seen = {.timer = {.fire = fire, .context = &seen}};
	struct env *env = loop_env(loop);
	uint64_t began = clock_now_ms();
	env->ops->timer_start(env, &seen.timer, 10);
	loop_run(loop);
	assert_int_equal(seen.count, 3);
	assert_true(seen.at_ms - began >= 29); /* libuv counts whole milliseconds */
	env->ops->timer_stop(env, &seen.timer);
	env->ops->timer_stop(env, &seen.timer);
}

static void on_ready(void *context, int events)
{
	struct seen *seen = context;
	char byte;
	seen->events |= events;
	if (events & LOOP_READ)
		seen->count += (int)(read(seen->fd, &byte, 1) == 1);
	if (events & LOOP_GONE) {
		loop_watch_stop(seen->watch);
		loop_stop(loop);
	}
}

static void a_watch_sees_bytes_and_the_end_of_the_peer(void **state)
{
	(void)state;
	int pair[2];
	assert_int_equal(pipe(pair), 0);
	struct seen seen = {.fd = pair[0]};
	assert_int_equal(
		loop_watch_start(loop, pair[0], LOOP_READ, on_ready, &seen, &seen.watch, &err), 0);
	assert_int_equal(write(pair[1], "ab", 2), 2);
	close(pair[1]);
	loop_run(loop);
	assert_int_equal(seen.count, 2);
	assert_true(seen.events & LOOP_GONE);
	close(pair[0]);
}

static void on_signal(void *context, int number)
{
	*(int *)context = number;
	loop_stop(loop);
}

static void a_signal_arrives_in_the_loop(void **state)
{
	(void)state;
	int number = 0;
	struct loop_signal *signal;
	assert_int_equal(loop_signal_start(loop, SIGUSR1, on_signal, &number, &signal, &err), 0);
	kill(getpid(), SIGUSR1);
	loop_run(loop);
	assert_int_equal(number, SIGUSR1);
	loop_signal_stop(signal);
}

static void random_numbers_stay_below_their_bound_and_reach_it(void **state)
{
	(void)state;
	int seen[3] = {0};
	for (int i = 0; i < 300; i++) {
		uint64_t value = random_below(3);
		assert_true(value < 3);
		seen[value]++;
	}
	assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
	char a[33], b[33];
	assert_string_not_equal(random_hex(a, sizeof a), random_hex(b, sizeof b));
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
}

static void the_boot_id_is_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(strlen(clock_boot_id()), 36);
	assert_string_equal(clock_boot_id(), loop_env(loop)->ops->boot_id(loop_env(loop)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_timer_fires_no_earlier_than_asked_and_can_be_started_again),
		TEST(a_watch_sees_bytes_and_the_end_of_the_peer),
		TEST(a_signal_arrives_in_the_loop),
		TEST(random_numbers_stay_below_their_bound_and_reach_it),
		TEST(the_boot_id_is_the_kernels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
