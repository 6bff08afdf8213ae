/* SPDX-License-Identifier: Apache-2.0
 * Tests of where the worker sends a request: gateway/route.c, live.c, room.c, shadow.c, and the second tries
 * of exchange.c. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "gateway/exchange.h"
#include "rig.h"

#define GET  "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct table_environment *environment(struct rig *rig)
{
	return &rig->table->environments[0];
}

/* One exchange over `client` with whatever connection the backend has. */
static void exchange(int client, int backend, const char *request)
{
	rig_send(client, request);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
}

static void weight(struct rig *rig, uint32_t v2_bp)
{
	rig->table->releases[0].weight_bp = v2_bp;
	rig->table->releases[1].weight_bp = 10000 - v2_bp;
	rig_apply(rig);
}

static void a_new_table_moves_the_next_request_of_an_open_connection(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int old = rig_accept(rig, 1);
	rig_until(old, "\r\n\r\n"); /* in flight while the table changes */
	weight(rig, 10000);
	assert_int_equal(counters_get(&rig->counters->workers[0].oldest),
			 rig->table->generation - 1);
	rig_send(old, OK);
	rig_until(client, "\r\n\r\nok");
	RIG_WAIT_FOR(counters_get(&rig->counters->workers[0].oldest) == rig->table->generation);
	rig_send(client, GET);
	int new = rig_accept(rig, 0);
	rig_until(new, "\r\n\r\n");
	rig_send(new, OK);
	rig_until(client, "\r\n\r\nok");
	/* The client has its answer an instant before its end is counted. */
	RIG_WAIT_FOR(rig_release(rig, 0, COUNTERS_RELEASE_COMPLETED) == 1);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_COMPLETED), 1);
	close(client);
	close(old);
	close(new);
	rig_stop(rig);
}

static void idle_connections_to_a_draining_backend_are_closed(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	rig->table->backends[1].state = TABLE_BACKEND_DRAINING;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	assert_true(rig_closed(backend));
	rig_send(client, GET);
	int other = rig_accept(rig, 2);
	rig_until(other, "\r\n\r\n");
	rig_send(other, OK);
	rig_until(client, "\r\n\r\nok");
	close(client);
	close(backend);
	close(other);
	rig_stop(rig);
}

static void a_connection_to_a_leaving_backend_ends_with_its_request(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig->table->backends[1].state = TABLE_BACKEND_DRAINING;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	assert_true(rig_closed(backend));
	assert_true(rig_quiet(client));
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_reused_connection_that_was_just_closed_costs_no_request(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	for (int i = 0; i < 2; i++) { /* taken, and then lost without an answer */
		rig_send(client, GET);
		rig_until(backend, "\r\n\r\n");
		close(backend);
		backend = rig_accept(rig, 1);
		rig_until(backend, "\r\n\r\n");
		rig_send(backend, OK);
		rig_until(client, "\r\n\r\nok");
	}
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_RETRIES), 2);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_FAILED_RESET), 0);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_post_is_not_sent_twice(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, POST);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\nabc");
	close(backend);
	rig_assert_text(rig_until(client, "\r\n\r\n"), "HTTP/1.1 502 ");
	assert_false(rig_pending(rig, 1));
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_FAILED_RESET), 1);
	close(client);
	rig_stop(rig);
}

static void a_put_with_its_whole_body_in_memory_is_sent_again(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, "PUT / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "3\r\nabc\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "3\r\nabc\r\n");
	close(backend);
	backend = rig_accept(rig, 1);
	rig_until(backend, "3\r\nabc\r\n");
	rig_send(client, "2\r\nde\r\n0\r\n\r\n");
	rig_until(backend, "2\r\nde\r\n0\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_refused_connection_goes_to_another_backend(void **state)
{
	(void)state;
	struct rig *rig = rig_start();
	close(rig->backend_fds[1]); /* nobody listens there any more */
	int client = rig_connect(rig), backend = -1;
	for (int i = 0; i < 20; i++) { /* POST too: nothing of it was sent */
		rig_send(client, POST);
		if (backend < 0)
			backend = rig_accept(rig, 2);
		rig_until(backend, "\r\n\r\nabc");
		rig_send(backend, OK);
		rig_until(client, "\r\n\r\nok");
	}
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_STATUS_2XX), 20);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_FAILED_CONNECT), 0);
	struct counters_backend sum;
	counters_sum_backend(rig->counters, 1, &sum);
	assert_int_equal(sum.values[COUNTERS_BACKEND_EJECTED],
			 sum.values[COUNTERS_BACKEND_FAILED] >= 5);
	assert_in_range(sum.values[COUNTERS_BACKEND_FAILED], 1, 5);
	close(client);
	close(backend);
	rig->backend_fds[1] = dup(rig->backend_fds[0]);
	rig_stop(rig);
}

static void the_live_release_rescues_what_a_canary_lost(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	weight(rig, 10000);
	int client = rig_connect(rig);
	rig_send(client, GET);
	for (int i = 0; i < 2; i++) { /* the try, and the second one */
		int canary = rig_accept(rig, 0);
		rig_until(canary, "\r\n\r\n");
		close(canary);
	}
	int live = rig_accept(rig, 1);
	rig_until(live, "\r\n\r\n");
	rig_send(live, OK);
	rig_until(client, "\r\n\r\nok");
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_FAILED_RESET), 1);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_RESCUED), 1);
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_COMPLETED) == 1);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_STATUS_2XX), 1);
	close(client);
	close(live);
	rig_stop(rig);
}

/* A canary that answers 500 to a request, once or behind its shield. */
static int ask_a_broken_canary(struct rig *rig, int client, const char *request)
{
	rig_send(client, request);
	int canary = rig_accept(rig, 0);
	rig_until(canary, request + strlen(request) - 4);
	rig_send(canary, "HTTP/1.1 500 Broken\r\nContent-Length: 6\r\n\r\nbroken");
	return canary;
}

static void the_shield_takes_over_what_a_canary_answers_with_500(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int live = -1, client = rig_connect(rig);
	rig->table->environments[0].shield = true;
	weight(rig, 10000);
	for (int i = 0; i < 3; i++) { /* each is news: nobody has seen a failure */
		int canary = ask_a_broken_canary(rig, client, GET);
		live = live < 0 ? rig_accept(rig, 1) : live;
		rig_until(live, "\r\n\r\n");
		rig_send(live, OK);
		assert_null(strstr(rig_until(client, "\r\n\r\nok"), "broken"));
		close(canary);
	}
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_COMPLETED) == 3);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_STATUS_5XX), 3);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_REPEATED), 0);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_COMPLETED), 3);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_SHIELDED), 3);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_RESCUED), 0);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_STATUS_2XX), 3);
	close(client);
	close(live);
	rig_stop(rig);
}

static void assert_unshielded(struct rig *rig, const char *request)
{
	int client = rig_connect(rig);
	int canary = ask_a_broken_canary(rig, client, request);
	rig_assert_text(rig_until(client, "\r\n\r\nbroken"), "HTTP/1.1 500 ");
	assert_false(rig_pending(rig, 1));
	close(canary);
	close(client);
}

/* What may not be done twice, what somebody wants to see, and what nobody asked a shield for. */
static void the_shield_leaves_what_is_not_its_own(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->environments[0].shield = true;
	weight(rig, 10000);
	assert_unshielded(rig, "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n");
	assert_unshielded(rig, "GET / HTTP/1.1\r\nHost: shop\r\nX-Davit-Preview: see-v2\r\n\r\n");
	rig->table->environments[0].shield = false;
	rig_apply(rig);
	assert_unshielded(rig, GET);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_SHIELDED), 0);
	rig_stop(rig);
}

/* A put whose body is in memory is sent again from its beginning; the live release's own 500 is shown. */
static void a_shielded_request_gets_what_the_live_release_says(void **state)
{
	static const char put[] =
		"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 7\r\n\r\nabc\r\n\r\n";
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->environments[0].shield = true;
	weight(rig, 10000);
	int client = rig_connect(rig);
	int canary = ask_a_broken_canary(rig, client, put);
	int live = rig_accept(rig, 1);
	rig_until(live, "\r\n\r\nabc\r\n\r\n");
	rig_send(live, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
	rig_assert_text(rig_until(client, "\r\n\r\nbusy"), "HTTP/1.1 503 ");
	close(client);
	close(canary);
	close(live);
	rig_stop(rig);
}

static void a_backend_that_joins_another_is_used_sparingly_at_first(void **state)
{
	enum { REQUESTS = 60 };
	int client, upstream[2] = {-1, -1}, seen[2] = {0, 0};
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->environments[0].slow_start_ms = 3600000;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	client = rig_connect(rig);
	for (int i = 0; i < REQUESTS; i++) {
		uint64_t before = rig_backend(rig, 2, COUNTERS_BACKEND_STARTED);
		rig_send(client, GET);
		RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_STARTED) == (uint64_t)i + 1);
		RIG_WAIT_FOR(rig_backend(rig, 1, COUNTERS_BACKEND_STARTED) +
				     rig_backend(rig, 2, COUNTERS_BACKEND_STARTED) ==
			     (uint64_t)i + 1);
		int at = rig_backend(rig, 2, COUNTERS_BACKEND_STARTED) > before;
		if (upstream[at] < 0)
			upstream[at] = rig_accept(rig, 1 + at);
		rig_until(upstream[at], "\r\n\r\n");
		rig_send(upstream[at], OK);
		rig_until(client, "\r\n\r\nok");
		seen[at]++;
	}
	assert_in_range(seen[1], 0, REQUESTS / 4); /* a twentieth is expected */
	close(client);
	close(upstream[0]);
	if (upstream[1] >= 0)
		close(upstream[1]);
	rig_stop(rig);
}

static void a_request_in_a_canary_that_is_taken_away_is_rescued(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	weight(rig, 10000);
	int client = rig_connect(rig);
	rig_send(client, GET);
	int canary = rig_accept(rig, 0);
	rig_until(canary, "\r\n\r\n");
	rig->table->backends[0].state = TABLE_BACKEND_DRAINING;
	weight(rig, 0);
	close(canary);
	int live = rig_accept(rig, 1);
	rig_until(live, "\r\n\r\n");
	rig_send(live, OK);
	rig_until(client, "\r\n\r\nok");
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_RESCUED), 1);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_NO_BACKEND), 0);
	close(client);
	close(live);
	rig_stop(rig);
}

static void retries_that_became_long_streams_leave_room_for_others(void **state)
{
	enum { STREAMS = 8 };
	int clients[STREAMS], backends[STREAMS];
	(void)state;
	struct rig *rig = rig_start_one();
	for (int i = 0; i < STREAMS; i++) {
		clients[i] = rig_connect(rig);
		rig_send(clients[i], GET);
		int lost = rig_accept(rig, 1);
		rig_until(lost, "\r\n\r\n");
		close(lost);
		backends[i] = rig_accept(rig, 1);
		rig_until(backends[i], "\r\n\r\n");
		rig_send(backends[i],
			 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
		rig_assert_text(rig_until(clients[i], "a\r\n"), "HTTP/1.1 200 ");
	}
	for (int i = 0; i < STREAMS; i++) {
		rig_send(backends[i], "0\r\n\r\n");
		rig_until(clients[i], "0\r\n\r\n");
		close(clients[i]);
		close(backends[i]);
	}
	rig_stop(rig);
}

static void a_backend_that_does_not_answer_costs_504(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->timeouts.answer_ms = 50;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	const char *answer = rig_until(client, "\r\n\r\n");
	rig_assert_text(answer, "HTTP/1.1 504 ");
	rig_assert_text(answer, "X-Davit-Error: timeout\r\n");
	assert_true(rig_closed(backend));
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_FAILED_TIMEOUT), 1);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void who_asks_first_and_then_sends_nothing_is_cut(void **state)
{
	(void)state;
	static const char ask[] =
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
	struct rig *rig = rig_start_one();
	environment(rig)->timeouts.answer_ms = 50;
	rig_apply(rig);
	int silent = rig_connect(rig), begun = rig_connect(rig);
	rig_send(silent, ask);
	int first = rig_accept(rig, 1);
	rig_until(first, "\r\n\r\n");
	rig_send(begun, ask);
	rig_send(begun, "hel");
	int second = rig_accept(rig, 1);
	rig_until(second, "\r\n\r\nhel");
	uint64_t until_ms = rig_now_ms() + 2 * EXCHANGE_PACE_MS + RIG_WAIT_MS;
	while (rig_worker(rig, COUNTERS_WORKER_SLOW_CLIENTS) < 2 && rig_now_ms() < until_ms)
		rig_yield();
	assert_true(rig_closed(silent));
	assert_true(rig_closed(begun));
	assert_true(rig_closed(first));
	assert_true(rig_closed(second));
	close(silent);
	close(begun);
	close(first);
	close(second);
	rig_stop(rig);
}

static void who_takes_nothing_is_cut_by_a_reset(void **state)
{
	(void)state;
	static char bytes[1 << 16];
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
	uint64_t until_ms = rig_now_ms() + 2 * EXCHANGE_PACE_MS + RIG_WAIT_MS;
	while (rig_worker(rig, COUNTERS_WORKER_SLOW_CLIENTS) < 1 && rig_now_ms() < until_ms) {
		(void)send(backend, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
		rig_yield();
	}
	ssize_t got;
	do
		got = recv(client, bytes, sizeof bytes, 0);
	while (got > 0);
	assert_int_equal(got, -1);
	assert_int_equal(errno, ECONNRESET);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void parked_requests_wait_and_go_where_the_new_table_says(void **state)
{
	(void)state;
	enum { CLIENTS = 20 };
	struct rig *rig = rig_start_one();
	int clients[CLIENTS];
	environment(rig)->mode = TABLE_MODE_PARK;
	rig_apply(rig);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = rig_connect(rig);
		rig_send(clients[i], i % 2 ? GET : POST);
	}
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD) == CLIENTS);
	close(clients[0]); /* one does not want to wait */
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD_GONE) == 1);
	assert_false(rig_pending(rig, 1));
	environment(rig)->mode = TABLE_MODE_SERVE;
	weight(rig, 10000);
	for (int i = 1; i < CLIENTS; i++) {
		int backend = rig_accept(rig, 0);
		rig_until(backend, "\r\n\r\n");
		rig_send(backend,
			 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
		close(backend);
	}
	for (int i = 1; i < CLIENTS; i++) {
		rig_until(clients[i], "ok");
		close(clients[i]);
	}
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD_RELEASED), CLIENTS - 1);
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_REQUESTS), CLIENTS);
	rig_stop(rig);
}

static void holding_has_its_bounds(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->mode = TABLE_MODE_PARK;
	environment(rig)->hold.requests_max = 2;
	environment(rig)->hold.time_ms = 100;
	rig_apply(rig);
	int a = rig_connect(rig), b = rig_connect(rig), c = rig_connect(rig);
	rig_send(a, GET);
	rig_send(b, GET);
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD) == 2);
	rig_send(c, GET);
	const char *answer = rig_until(c, "\r\n\r\n");
	rig_assert_text(answer, "HTTP/1.1 503 ");
	rig_assert_text(answer, "X-Davit-Error: hold-overflow\r\n");
	rig_assert_text(answer, "Retry-After: ");
	rig_assert_text(rig_until(a, "\r\n\r\n"), "X-Davit-Error: hold-timeout\r\n");
	rig_assert_text(rig_until(b, "\r\n\r\n"), "X-Davit-Error: hold-timeout\r\n");
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_HOLD_OVERFLOW), 1);
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD_TIMEOUT), 2);
	close(a);
	close(b);
	close(c);
	rig_stop(rig);
}

static void held_requests_are_let_go_at_a_pace(void **state)
{
	(void)state;
	enum { CLIENTS = 80, BURST = 64 };
	struct rig *rig = rig_start_one();
	int clients[CLIENTS];
	environment(rig)->mode = TABLE_MODE_PARK;
	environment(rig)->hold.pace_per_s = 100;
	rig_apply(rig);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = rig_connect(rig);
		rig_send(clients[i], GET);
	}
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD) == CLIENTS);
	environment(rig)->mode = TABLE_MODE_SERVE;
	uint64_t from_ms = rig_now_ms();
	rig_apply(rig);
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD_RELEASED) >= BURST);
	assert_true(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD_RELEASED) < CLIENTS);
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD_RELEASED) == CLIENTS);
	assert_true(rig_now_ms() - from_ms >= 100);
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	rig_stop(rig);
}

static void requests_wait_while_no_backend_is_ready(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->backends[0].state = TABLE_BACKEND_DOWN;
	rig->table->backends[1].state = TABLE_BACKEND_DOWN;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, GET);
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD) == 1);
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	int backend = rig_accept(rig, 2);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void maintenance_is_answered_but_a_preview_passes(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->mode = TABLE_MODE_MAINTENANCE;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, GET);
	rig_assert_text(rig_until(client, "\r\n\r\n"), "X-Davit-Error: maintenance\r\n");
	rig_until(client, "\n");
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nX-Davit-Preview: see-v2\r\n\r\n");
	int backend = rig_accept(rig, 0);
	assert_null(strstr(rig_until(backend, "\r\n\r\n"), "see-v2"));
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nX-Davit-Preview: see-v3\r\n\r\n");
	rig_assert_text(rig_until(client, "\r\n\r\n"), "X-Davit-Error: maintenance\r\n");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void hosts_and_paths_choose_the_route(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	struct table_route *r = &rig->table->routes[0];
	snprintf(r->host, sizeof(r->host), "shop.example");
	snprintf(r->path, sizeof(r->path), "/app");
	rig_apply(rig);
	int client = rig_connect(rig);
	static const char *const lost[] = {
		"GET /app HTTP/1.1\r\nHost: other.example\r\n\r\n",
		"GET /application HTTP/1.1\r\nHost: shop.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
	};
	for (size_t i = 0; i < 3; i++) {
		rig_send(client, lost[i]);
		rig_assert_text(rig_until(client, "\r\n\r\n"), "HTTP/1.1 404 ");
		rig_until(client, "\n");
	}
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_NO_ROUTE), 3);
	rig_send(client, "GET /app/x HTTP/1.1\r\nHost: SHOP.example:8080\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_sticky_visitor_stays_with_its_release(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	struct table_sticky *sticky = &environment(rig)->sticky;
	char cookie[128], request[512];
	sticky->on = true;
	snprintf(sticky->cookie, sizeof(sticky->cookie), "unit");
	sticky->key[0] = 1;
	weight(rig, 10000); /* it is given to v2 ... */
	int client = rig_connect(rig);
	rig_send(client, GET);
	int v2 = rig_accept(rig, 0);
	rig_until(v2, "\r\n\r\n");
	rig_send(v2, "HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: 2\r\n\r\nok");
	const char *answer = rig_until(client, "\r\n\r\nok");
	rig_assert_text(answer, "Set-Cookie: own=1\r\n");
	const char *at = strstr(answer, "Set-Cookie: unit=");
	assert_non_null(at);
	snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(at + 12, ";"), at + 12);
	/* ... whose weight shrinks: with the same cookie every request goes the same way */
	weight(rig, 5000);
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; %s\r\n\r\n",
		 cookie);
	uint64_t before = rig_release(rig, 0, COUNTERS_RELEASE_STARTED);
	int v1 = -1;
	for (int i = 0; i < 10; i++) {
		rig_send(client, request);
		uint64_t started = rig_release(rig, 1, COUNTERS_RELEASE_STARTED);
		RIG_WAIT_FOR(rig_release(rig, 0, COUNTERS_RELEASE_STARTED) +
				     rig_release(rig, 1, COUNTERS_RELEASE_STARTED) ==
			     before + (uint64_t)i + 1);
		(void)started;
		bool new = rig_release(rig, 0, COUNTERS_RELEASE_STARTED) > before;
		if (!new &&v1 < 0)
			v1 = rig_accept(rig, 1);
		rig_until(new ? v2 : v1, "\r\n\r\n");
		rig_send(new ? v2 : v1, OK);
		assert_null(strstr(rig_until(client, "\r\n\r\nok"), "Set-Cookie"));
	}
	uint64_t to_new = rig_release(rig, 0, COUNTERS_RELEASE_STARTED) - before;
	assert_true(to_new == 0 || to_new == 10);
	/* a forged cookie is none: a new one is given out */
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\n"
			 "Cookie: unit=0123456789abcdef.0123456789abcdef\r\n\r\n");
	RIG_WAIT_FOR(rig_release(rig, 0, COUNTERS_RELEASE_STARTED) +
			     rig_release(rig, 1, COUNTERS_RELEASE_STARTED) ==
		     before + 11);
	bool new = rig_release(rig, 0, COUNTERS_RELEASE_STARTED) > before + to_new;
	if (!new &&v1 < 0)
		v1 = rig_accept(rig, 1);
	rig_until(new ? v2 : v1, "\r\n\r\n");
	rig_send(new ? v2 : v1, OK);
	rig_assert_text(rig_until(client, "\r\n\r\nok"), "Set-Cookie: unit=");
	close(client);
	close(v2);
	if (v1 >= 0)
		close(v1);
	rig_stop(rig);
}

static void a_mirror_gets_copies_and_nobody_waits_for_it(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->mirror.release = 0;
	environment(rig)->mirror.share_bp = 10000;
	environment(rig)->mirror.in_flight_max = 2;
	environment(rig)->mirror.body_max = 0;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, GET);
	int live = rig_accept(rig, 1), shadow = rig_accept(rig, 0);
	rig_assert_text(rig_until(shadow, "\r\n\r\n"), "x-davit-shadow: 1\r\n");
	assert_null(strstr(rig_until(live, "\r\n\r\n"), "shadow"));
	rig_send(live, OK);
	rig_until(client, "\r\n\r\nok"); /* the shadow has not answered */
	rig_send(shadow, "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nlost");
	RIG_WAIT_FOR(rig_release(rig, 0, COUNTERS_RELEASE_SHADOW_5XX) == 1);
	exchange(client, live, POST); /* its method is not among those that are copied */
	exchange(client, live, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	for (int i = 0; i < 4; i++) /* two hang, the others are dropped */
		exchange(client, live, GET);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_SHADOW_SENT), 3);
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_SHADOW_DROPPED),
			 3); /* and the body */
	assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_STARTED), 0);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_STATUS_2XX), 7);
	int second = rig_accept(rig, 0);
	close(shadow);
	close(second);
	RIG_WAIT_FOR(rig_release(rig, 0, COUNTERS_RELEASE_SHADOW_FAILED) == 2);
	close(client);
	close(live);
	rig_stop(rig);
}

static void draining_finishes_what_there_is(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig), idle = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_drain(rig, 60000);
	assert_true(rig_closed(idle));
	rig_send(backend, OK);
	rig_assert_text(rig_until(client, "\r\n\r\nok"), "Connection: close\r\n");
	assert_true(rig_closed(client));
	close(client);
	close(idle);
	close(backend);
	rig_stop(rig);
}

static void whoever_retires_waits_for_clients_that_are_idle(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig), silent = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_assert_text(rig_until(client, "\r\n\r\nok"), "HTTP/1.1 200 OK\r\n");
	rig_retire(rig, 60000);
	uint64_t later_ms =
		rig_now_ms() + 2 * RIG_CLOSE_MS / 3; /* longer than one that does not wait */
	RIG_WAIT_FOR(counters_get(&rig->counters->workers[0].beat_ms) >= later_ms);
	assert_true(rig_quiet(client));
	rig_send(silent, GET);
	rig_send(client, GET);
	for (int i = 0; i < 2; i++) {
		int fresh = rig_accept(rig, 1);
		rig_until(fresh, "\r\n\r\n");
		rig_send(fresh, OK);
		close(fresh);
	}
	rig_assert_text(rig_until(client, "\r\n\r\nok"), "Connection: close\r\n");
	rig_assert_text(rig_until(silent, "\r\n\r\nok"), "Connection: close\r\n");
	assert_true(rig_closed(client));
	assert_true(rig_closed(silent));
	close(client);
	close(silent);
	close(backend);
	rig_stop(rig);
}

static void whoever_retires_lets_idle_clients_go_when_there_is_a_newer_table(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	rig_retire(rig, 60000);
	counters_commit(rig->counters, counters_active(rig->counters) + 1000);
	assert_true(rig_closed(client));
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_websocket_of_whoever_retires_is_closed_in_good_form(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->timeouts.tunnel_drain_ms = 1;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
			 "Upgrade: websocket\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
			  "Upgrade: websocket\r\n\r\n");
	rig_until(client, "\r\n\r\n");
	rig_retire(rig, 60000);
	const uint8_t *bytes = (const uint8_t *)rig_read(backend, 8);
	assert_int_equal(bytes[0], 0x88);
	assert_int_equal((bytes[6] ^ bytes[2]) << 8 | (bytes[7] ^ bytes[3]), 1012);
	rig_send_bytes(backend, "\x88\x02\x03\xf4", 4);
	close(backend);
	assert_memory_equal(rig_read(client, 4), "\x88\x02\x03\xf4", 4);
	assert_true(rig_closed(client));
	close(client);
	rig_stop(rig);
}

static void a_websocket_to_a_leaving_backend_is_closed_between_two_frames(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->timeouts.tunnel_drain_ms = 1;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
			 "Upgrade: websocket\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
			  "Upgrade: websocket\r\n\r\n");
	rig_until(client, "\r\n\r\n");
	rig_send_bytes(client, "\x81\x83mask12", 8); /* the third byte of "123" is missing */
	rig_read(backend, 8);
	rig->table->backends[1].state = TABLE_BACKEND_DRAINING;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	rig_send(backend, "still said");
	rig_until(client, "still said");
	uint64_t due_ms = rig_now_ms() + 50; /* the worker is past the instant of the recall */
	RIG_WAIT_FOR(counters_get(&rig->counters->workers[0].beat_ms) >= due_ms);
	rig_send_bytes(client, "3\x81\x80mask", 7); /* the rest, and a frame that is too late */
	const uint8_t *bytes = (const uint8_t *)rig_read(backend, 9);
	assert_int_equal(bytes[0], '3');
	assert_int_equal(bytes[1], 0x88);
	assert_int_equal(bytes[2], 0x82);
	assert_int_equal((bytes[7] ^ bytes[3]) << 8 | (bytes[8] ^ bytes[4]), 1012);
	assert_true(rig_quiet(backend));
	rig_send_bytes(backend, "\x88\x02\x03\xf4", 4);
	close(backend);
	assert_memory_equal(rig_read(client, 4), "\x88\x02\x03\xf4", 4);
	assert_true(rig_closed(client));
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_TUNNELS_ENDED) == 1);
	close(client);
	rig_stop(rig);
}

static void a_stream_from_a_leaving_backend_ends_between_two_events(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->timeouts.tunnel_drain_ms = 1;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
			  "5\r\ndata:\r\n"); /* an event in two chunks has begun */
	rig_until(client, "data:\r\n");
	rig->table->backends[1].state = TABLE_BACKEND_DRAINING;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	rig_send(backend, "2\r\n 2\r\n");
	rig_until(client, "2\r\n 2\r\n");
	assert_true(rig_quiet(client));
	rig_send(backend, "2\r\n\n\n\r\n");
	rig_until(client, "2\r\n\n\n\r\n0\r\n\r\n");
	assert_true(rig_closed(backend));
	rig_send(client, GET); /* on the same connection, to another backend */
	int other = rig_accept(rig, 2);
	rig_until(other, "\r\n\r\n");
	rig_send(other, OK);
	rig_until(client, "\r\n\r\nok");
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_FAILED_RESET), 0);
	close(client);
	close(backend);
	close(other);
	rig_stop(rig);
}

static void a_client_that_dawdles_over_its_head_is_told_so(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->limits.header_ms = 60;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET / HT");
	rig_assert_text(rig_until(client, "\r\n\r\n"), "HTTP/1.1 408 ");
	rig_until(client, "\n");
	assert_true(rig_closed(client));
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_SLOW_CLIENTS), 1);
	close(client);
	rig_stop(rig);
}

static void one_address_has_only_so_many_connections(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->limits.per_address_max = 2;
	rig_apply(rig);
	int a = rig_connect(rig), b = rig_connect(rig), c = rig_connect(rig);
	assert_true(rig_closed(c));
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_REFUSED), 1);
	close(a);
	RIG_WAIT_FOR(rig_worker(rig, COUNTERS_WORKER_CLOSED) == 2);
	int d = rig_connect(rig);
	rig_send(d, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(d, "\r\n\r\nok");
	close(b);
	close(c);
	close(d);
	close(backend);
	rig_stop(rig);
}

static void at_the_limit_the_longest_idle_client_makes_room(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->limits.connections_max = 2;
	rig_apply(rig);
	int first = rig_connect(rig);
	RIG_WAIT_FOR(rig_worker(rig, COUNTERS_WORKER_ACCEPTED) == 1);
	int second = rig_connect(rig), third = rig_connect(rig);
	assert_true(rig_closed(first)); /* after it has been idle for a while */
	rig_send(third, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(third, "\r\n\r\nok");
	assert_true(rig_quiet(second));
	close(first);
	close(second);
	close(third);
	close(backend);
	rig_stop(rig);
}

static void the_access_log_tells_a_request_in_a_line(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->log = TABLE_LOG_TEXT;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET /a\"b HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-1\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	char line[2048] = "";
	for (size_t size = 0; !strchr(line, '\n'); line[size] = 0)
		size += (size_t)read(rig->log_fds[0], line + size, 1);
	rig_assert_text(line, "env=shop/prod client=127.0.0.1 method=GET target=\"/a\\x22b\" ");
	rig_assert_text(line, " status=200 in=0 out=2 ");
	rig_assert_text(line, " release=\"v1\" instance=127.0.0.1:");
	rig_assert_text(line, " id=\"id-1\"\n");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void the_access_log_tells_it_in_json_too(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	environment(rig)->log = TABLE_LOG_JSON;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET /a\"b\\ HTTP/1.1\r\nHost: a\r\nX-Request-Id: \"\xff{\r\n"
			 "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
			 "tracestate: a=b\r\n\r\n");
	int backend = rig_accept(rig, 1);
	const char *request = rig_until(backend, "\r\n\r\n");
	rig_assert_text(request, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-");
	assert_null(strstr(request, "00f067aa0ba902b7")); /* the next one's parent is us */
	rig_assert_text(request, "tracestate: a=b\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	char line[8192] = "";
	for (size_t size = 0; !strchr(line, '\n'); line[size] = 0)
		size += (size_t)read(rig->log_fds[0], line + size, 1);
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "target")), "/a\"b\\");
	assert_string_equal(json_string_value(json_object_get(o, "id")), "\"\xc3\xbf{");
	assert_string_equal(json_string_value(json_object_get(o, "trace")),
			    "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(json_string_value(json_object_get(o, "release")), "v1");
	assert_int_equal(json_integer_value(json_object_get(o, "status")), 200);
	assert_int_equal(json_integer_value(json_object_get(o, "bytes_out")), 2);
	assert_true(json_integer_value(json_object_get(o, "first_us")) > 0);
	assert_true(json_is_false(json_object_get(o, "taken_over")));
	json_decref(o);
	close(client);
	close(backend);
	rig_stop(rig);
}

/* Two of them, or one that is none: the trace begins here, and what belonged to the other one is dropped. */
static void a_trace_that_is_no_good_begins_anew(void **state)
{
	static const char good[] =
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
	char request[512];
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	snprintf(request, sizeof(request),
		 "GET / HTTP/1.1\r\nHost: a\r\n%s%stracestate: a=b\r\n\r\n", good, good);
	rig_send(client, request);
	int backend = rig_accept(rig, 1);
	const char *seen = rig_until(backend, "\r\n\r\n");
	assert_null(strstr(seen, "4bf92f35"));
	assert_null(strstr(seen, "tracestate"));
	const char *first = strstr(seen, "traceparent: 00-");
	assert_non_null(first);
	assert_null(strstr(first + 1, "traceparent:"));
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	close(client);
	close(backend);
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_table_moves_the_next_request_of_an_open_connection),
		cmocka_unit_test(idle_connections_to_a_draining_backend_are_closed),
		cmocka_unit_test(a_connection_to_a_leaving_backend_ends_with_its_request),
		cmocka_unit_test(a_reused_connection_that_was_just_closed_costs_no_request),
		cmocka_unit_test(a_post_is_not_sent_twice),
		cmocka_unit_test(a_put_with_its_whole_body_in_memory_is_sent_again),
		cmocka_unit_test(a_refused_connection_goes_to_another_backend),
		cmocka_unit_test(the_live_release_rescues_what_a_canary_lost),
		cmocka_unit_test(the_shield_takes_over_what_a_canary_answers_with_500),
		cmocka_unit_test(the_shield_leaves_what_is_not_its_own),
		cmocka_unit_test(a_shielded_request_gets_what_the_live_release_says),
		cmocka_unit_test(a_backend_that_joins_another_is_used_sparingly_at_first),
		cmocka_unit_test(a_request_in_a_canary_that_is_taken_away_is_rescued),
		cmocka_unit_test(retries_that_became_long_streams_leave_room_for_others),
		cmocka_unit_test(a_backend_that_does_not_answer_costs_504),
		cmocka_unit_test(who_asks_first_and_then_sends_nothing_is_cut),
		cmocka_unit_test(who_takes_nothing_is_cut_by_a_reset),
		cmocka_unit_test(parked_requests_wait_and_go_where_the_new_table_says),
		cmocka_unit_test(holding_has_its_bounds),
		cmocka_unit_test(held_requests_are_let_go_at_a_pace),
		cmocka_unit_test(requests_wait_while_no_backend_is_ready),
		cmocka_unit_test(maintenance_is_answered_but_a_preview_passes),
		cmocka_unit_test(hosts_and_paths_choose_the_route),
		cmocka_unit_test(a_sticky_visitor_stays_with_its_release),
		cmocka_unit_test(a_mirror_gets_copies_and_nobody_waits_for_it),
		cmocka_unit_test(draining_finishes_what_there_is),
		cmocka_unit_test(whoever_retires_waits_for_clients_that_are_idle),
		cmocka_unit_test(whoever_retires_lets_idle_clients_go_when_there_is_a_newer_table),
		cmocka_unit_test(a_websocket_of_whoever_retires_is_closed_in_good_form),
		cmocka_unit_test(a_websocket_to_a_leaving_backend_is_closed_between_two_frames),
		cmocka_unit_test(a_stream_from_a_leaving_backend_ends_between_two_events),
		cmocka_unit_test(a_client_that_dawdles_over_its_head_is_told_so),
		cmocka_unit_test(one_address_has_only_so_many_connections),
		cmocka_unit_test(at_the_limit_the_longest_idle_client_makes_room),
		cmocka_unit_test(the_access_log_tells_a_request_in_a_line),
		cmocka_unit_test(the_access_log_tells_it_in_json_too),
		cmocka_unit_test(a_trace_that_is_no_good_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
