/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/queue.c: requests that wait for a connection, while as many are in use as there may be. The worker and
 * its backends are real; backend 1 is the live release's, and takes one connection, where a test says nothing else. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "rig.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { LIVE = 1, CLIENTS = 4 };

static struct rig *rig;
static int clients[CLIENTS];
static int backend; /* its one connection */

static struct table_queue *queue(void)
{
	return &rig->table->environments[0].queue;
}

static uint64_t count(enum counters_release_field field)
{
	return rig_release(rig, LIVE, field);
}

static int begin(void **state)
{
	*state = rig = rig_start_one();
	queue()->connections_max = 1;
	rig_apply(rig);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = rig_connect(rig);
	backend = -1;
	return 0;
}

static void put_away(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		put_away(&clients[i]);
	put_away(&backend);
	rig_stop(rig);
	return 0;
}

static void ask(int client, const char *path)
{
	char request[128];
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: shop\r\n\r\n", path);
	rig_send(clients[client], request);
}

/* The first request is in the backend, all others of the test wait. */
static void occupy(void)
{
	ask(0, "/0");
	backend = rig_accept(rig, LIVE);
	rig_assert_text(rig_until(backend, "\r\n\r\n"), "GET /0 ");
}

/* One more waits, behind all that do already. */
static void wait_in(int client, const char *path)
{
	uint64_t before = count(COUNTERS_RELEASE_QUEUED);
	ask(client, path);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_QUEUED) == before + 1);
}

static void answer(int client)
{
	rig_send(backend, OK);
	rig_until(clients[client], "\r\n\r\nok");
}

static void serve(int client, const char *path)
{
	rig_assert_text(rig_until(backend, "\r\n\r\n"), path);
	answer(client);
}

static void they_go_in_the_order_in_which_they_came(void **state)
{
	(void)state;
	occupy();
	wait_in(2, "/first");
	wait_in(1, "/second");
	wait_in(3, "/third");
	assert_true(rig_quiet(backend));
	answer(0);
	rig_assert_text(rig_until(backend, "\r\n\r\n"), "GET /first ");
	ask(0, "/last"); /* the queue is not empty: it takes nobody's turn */
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_QUEUED) == 4);
	answer(2);
	serve(1, "GET /second ");
	serve(3, "GET /third ");
	serve(0, "GET /last ");
	assert_false(rig_pending(rig, LIVE));
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_COMPLETED) == 5);
	assert_int_equal(count(COUNTERS_RELEASE_STATUS_2XX), 5);
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_REQUESTS), 5);
	assert_int_equal(rig_backend(rig, LIVE, COUNTERS_BACKEND_ERRORS), 0);
}

static void waiting_has_its_bounds(void **state)
{
	(void)state;
	queue()->requests_max = 1;
	queue()->time_ms = 100;
	rig_apply(rig);
	occupy();
	wait_in(1, "/b");
	ask(2, "/c");
	const char *refused = rig_until(clients[2], "\r\n\r\n");
	rig_assert_text(refused, "HTTP/1.1 503 ");
	rig_assert_text(refused, "X-Davit-Error: queue-full\r\n");
	rig_assert_text(refused, "Retry-After: 1\r\n");
	const char *late = rig_until(clients[1], "\r\n\r\n");
	rig_assert_text(late, "HTTP/1.1 503 ");
	rig_assert_text(late, "X-Davit-Error: queue-timeout\r\n");
	rig_assert_text(late, "Retry-After: 1\r\n");
	answer(0);
	assert_int_equal(count(COUNTERS_RELEASE_QUEUE_FULL), 1);
	assert_int_equal(count(COUNTERS_RELEASE_QUEUE_TIMEOUT), 1);
	assert_int_equal(count(COUNTERS_RELEASE_STARTED), 3);
	assert_int_equal(count(COUNTERS_RELEASE_NO_BACKEND), 0);
}

static void without_a_queue_it_is_answered_at_once(void **state)
{
	(void)state;
	queue()->requests_max = 0;
	rig_apply(rig);
	occupy();
	ask(1, "/");
	rig_assert_text(rig_until(clients[1], "\r\n\r\n"), "X-Davit-Error: queue-full\r\n");
	answer(0);
}

static void who_leaves_takes_no_turn(void **state)
{
	(void)state;
	occupy();
	wait_in(1, "/b");
	wait_in(2, "/c");
	put_away(&clients[1]);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_QUEUE_GONE) == 1);
	answer(0);
	serve(2, "GET /c ");
	assert_int_equal(count(COUNTERS_RELEASE_STARTED),
			 2); /* it never was given to the release */
	assert_int_equal(count(COUNTERS_RELEASE_CANCELLED), 0);
}

static void paths_that_are_named_go_first_and_have_places_of_their_own(void **state)
{
	(void)state;
	strcpy(queue()->first[0], "/up");
	queue()->first_count = 1;
	queue()->requests_max = 1;
	rig_apply(rig);
	occupy();
	wait_in(1, "/b");
	wait_in(2, "/up/deep");
	ask(3, "/upper"); /* is not below it */
	rig_assert_text(rig_until(clients[3], "\r\n\r\n"), "X-Davit-Error: queue-full\r\n");
	answer(0);
	serve(2, "GET /up/deep ");
	serve(1, "GET /b ");
}

static void another_backend_that_has_room_is_taken_instead(void **state)
{
	(void)state;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	ask(0, "/");
	ask(1, "/");
	int one = rig_accept(rig, 1), two = rig_accept(rig, 2);
	rig_until(one, "\r\n\r\n");
	rig_until(two, "\r\n\r\n");
	wait_in(2, "/c");
	rig_send(two, OK); /* whichever comes free */
	rig_assert_text(rig_until(two, "\r\n\r\n"), "GET /c ");
	rig_send(two, OK);
	rig_send(one, OK);
	for (int i = 0; i < 3; i++)
		rig_until(clients[i], "\r\n\r\nok");
	close(one);
	close(two);
}

static void by_a_new_table_those_who_wait_are_routed_anew(void **state)
{
	(void)state;
	occupy();
	wait_in(1, "/b");
	rig->table->releases[0].weight_bp = 10000;
	rig->table->releases[1].weight_bp = 0;
	rig_apply(rig);
	int other = rig_accept(rig, 0);
	rig_assert_text(rig_until(other, "\r\n\r\n"), "GET /b ");
	rig_send(other, OK);
	rig_until(clients[1], "\r\n\r\nok");
	answer(0);
	assert_int_equal(count(COUNTERS_RELEASE_STARTED), 1);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_STARTED), 1);
	close(other);
}

static void by_a_new_table_with_more_room_they_go_at_once(void **state)
{
	(void)state;
	occupy();
	wait_in(1, "/b");
	queue()->connections_max = 2;
	rig_apply(rig);
	int second = rig_accept(rig, LIVE);
	rig_assert_text(rig_until(second, "\r\n\r\n"), "GET /b ");
	rig_send(second, OK);
	rig_until(clients[1], "\r\n\r\nok");
	answer(0);
	close(second);
}

static void a_body_comes_along_when_its_turn_comes(void **state)
{
	(void)state;
	occupy();
	rig_send(clients[1], "POST /b HTTP/1.1\r\nHost: shop\r\nContent-Length: 6\r\n\r\nabc");
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_QUEUED) == 1);
	rig_send(clients[1], "def");
	answer(0);
	rig_until(backend, "\r\n\r\nabcdef");
	answer(1);
}

static void who_has_to_be_sent_again_waits_behind_the_others(void **state)
{
	(void)state;
	occupy();
	wait_in(1, "/b");
	put_away(&backend); /* in the middle of /0, which may be repeated */
	backend = rig_accept(rig, LIVE);
	serve(1, "GET /b ");
	put_away(&backend); /* a second try has a connection of its own: the idle one makes room */
	backend = rig_accept(rig, LIVE);
	serve(0, "GET /0 ");
	assert_int_equal(count(COUNTERS_RELEASE_RETRIES), 1);
	assert_int_equal(count(COUNTERS_RELEASE_STATUS_2XX), 2);
	assert_int_equal(count(COUNTERS_RELEASE_FAILED_RESET), 0);
}

static void an_idle_connection_for_copies_makes_room_for_a_user(void **state)
{
	(void)state;
	struct table_mirror *mirror = &rig->table->environments[0].mirror;
	queue()->connections_max = 2;
	mirror->release = 0;
	mirror->share_bp = mirror->noise_bp = 10000;
	rig_apply(rig);
	occupy();
	int shadow = rig_accept(rig, 0), again = rig_accept(rig, LIVE);
	rig_until(again, "\r\n\r\n");
	rig_send(again, OK);
	rig_send(shadow, OK);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_COMPLETED) == 0 &&
		     rig_release(rig, 0, COUNTERS_RELEASE_NOISE_SENT) == 1 &&
		     rig_backend(rig, LIVE, COUNTERS_BACKEND_COMPLETED) == 1);
	ask(1, "/b");
	int second = rig_accept(rig, LIVE);
	rig_assert_text(rig_until(second, "\r\n\r\n"), "GET /b ");
	assert_true(rig_closed(again));
	rig_send(second, OK);
	rig_until(clients[1], "\r\n\r\nok");
	answer(0);
	assert_int_equal(count(COUNTERS_RELEASE_QUEUED), 0);
	close(shadow);
	close(again);
	close(second);
}

static void a_worker_that_ends_leaves_nobody_waiting(void **state)
{
	(void)state;
	occupy();
	wait_in(1, "/b");
	rig_drain(rig, 0);
	assert_true(rig_closed(clients[1]));
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_QUEUE_GONE) == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_go_in_the_order_in_which_they_came),
		TEST(waiting_has_its_bounds),
		TEST(without_a_queue_it_is_answered_at_once),
		TEST(who_leaves_takes_no_turn),
		TEST(paths_that_are_named_go_first_and_have_places_of_their_own),
		TEST(another_backend_that_has_room_is_taken_instead),
		TEST(by_a_new_table_those_who_wait_are_routed_anew),
		TEST(by_a_new_table_with_more_room_they_go_at_once),
		TEST(a_body_comes_along_when_its_turn_comes),
		TEST(who_has_to_be_sent_again_waits_behind_the_others),
		TEST(an_idle_connection_for_copies_makes_room_for_a_user),
		TEST(a_worker_that_ends_leaves_nobody_waiting),
	};
	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
