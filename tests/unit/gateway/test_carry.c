/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/carry.c: connections of TCP that are passed on whole. The worker and its backends are real; backend 0 is of
 * the release that is tried, 1 and 2 are the live one's. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/text.h"
#include "rig.h"

enum { NEW = 0, LIVE = 1, DRAIN_MS = 300, PIECE = 65536, BULK = 16 * 1024 * 1024 };

static struct rig *rig;

static struct table_environment *environment(void)
{
	return &rig->table->environments[0];
}

static int begin(void **state)
{
	*state = rig = rig_start_one();
	environment()->tcp = true;
	rig_apply(rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	rig_stop(rig);
	return 0;
}

static uint64_t count(uint32_t release, enum counters_release_field field)
{
	return rig_release(rig, release, field);
}

static void share(uint32_t of_new_bp)
{
	rig->table->backends[0].state = TABLE_BACKEND_READY;
	rig->table->releases[0].weight_bp = of_new_bp;
	rig->table->releases[1].weight_bp = 10000 - of_new_bp;
	rig_apply(rig);
}

static void bytes_pass_both_ways_and_each_side_ends_for_itself(void **state)
{
	(void)state;
	int client = rig_connect(rig);
	int backend = rig_accept(rig, LIVE); /* before the client has said anything */
	rig_send(backend, "hello\r\n");
	assert_string_equal(rig_read(client, 7), "hello\r\n");
	rig_send(client, "GET / HTTP/1.1\r\nX-Forwarded-For: as it is\r\n\r\n");
	rig_until(backend, "\r\n\r\n");
	shutdown(client, SHUT_WR);
	assert_true(rig_closed(backend)); /* its half */
	rig_send(backend, "the answer comes after that");
	close(backend);
	rig_until(client, "after that");
	assert_true(rig_closed(client));
	RIG_WAIT_FOR(count(LIVE, COUNTERS_RELEASE_COMPLETED) == 1);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_UPGRADED), 1);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_TUNNELS_ENDED), 1);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_FAILED_RESET), 0);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_BYTES_IN), 45);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_BYTES_OUT), 34);
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_REQUESTS), 1);
	close(client);
}

/* The other side does not take before all is sent that the buffers of everybody hold. */
static void who_does_not_take_holds_the_other_side(void **state)
{
	(void)state;
	static char piece[PIECE];
	int client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	size_t sent = 0, taken = 0;
	for (ssize_t put = 1; put > 0 && sent < BULK;) {
		put = send(backend, piece, sizeof(piece), MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += put > 0 ? (size_t)put : 0;
	}
	rig_send(client, "the other way is free");
	rig_until(backend, "is free");
	shutdown(backend, SHUT_WR);
	for (ssize_t got = 1; got > 0; taken += got > 0 ? (size_t)got : 0)
		got = recv(client, piece, sizeof(piece), 0);
	assert_int_equal(taken, sent);
	rig_send(client, "and lasts");
	rig_until(backend, "and lasts");
	close(client);
	assert_true(rig_closed(backend));
	close(backend);
}

static void connections_are_divided_by_weight(void **state)
{
	(void)state;
	enum { MANY = 64 };
	share(5000);
	for (int i = 0; i < MANY; i++) {
		int client = rig_connect(rig);
		RIG_WAIT_FOR(rig_pending(rig, NEW) || rig_pending(rig, LIVE));
		int backend = rig_accept(rig, rig_pending(rig, NEW) ? NEW : LIVE);
		rig_send(backend, "x");
		rig_read(client, 1);
		close(client);
		assert_true(rig_closed(backend));
		close(backend);
	}
	RIG_WAIT_FOR(count(NEW, COUNTERS_RELEASE_COMPLETED) +
			     count(LIVE, COUNTERS_RELEASE_COMPLETED) ==
		     MANY);
	assert_in_range(count(NEW, COUNTERS_RELEASE_STARTED), 8, MANY - 8);
	assert_int_equal(
		count(NEW, COUNTERS_RELEASE_DIVIDED) + count(LIVE, COUNTERS_RELEASE_DIVIDED), MANY);
}

static void the_live_release_takes_over_what_cannot_be_reached(void **state)
{
	(void)state;
	close(rig->backend_fds[NEW]);
	share(10000);
	int client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	rig_send(client, "hello");
	rig_until(backend, "hello");
	assert_int_equal(count(NEW, COUNTERS_RELEASE_FAILED_CONNECT), 1);
	assert_int_equal(count(NEW, COUNTERS_RELEASE_RESCUED), 1);
	close(client);
	assert_true(rig_closed(backend));
	close(backend);
	rig->backend_fds[NEW] = -1;
}

static void who_ends_it_without_a_byte_or_breaks_it_has_failed(void **state)
{
	(void)state;
	static const struct linger reset = {.l_onoff = 1};
	int client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	close(backend);
	assert_true(rig_closed(client));
	RIG_WAIT_FOR(count(LIVE, COUNTERS_RELEASE_FAILED_RESET) == 1);
	close(client);

	client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	rig_send(backend, "x");
	rig_read(client, 1);
	setsockopt(backend, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(backend);
	assert_true(rig_closed(client));
	RIG_WAIT_FOR(count(LIVE, COUNTERS_RELEASE_FAILED_RESET) == 2);
	close(client);

	client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	close(client); /* a look whether somebody listens is nobody's fault */
	assert_true(rig_closed(backend));
	close(backend);
	RIG_WAIT_FOR(count(LIVE, COUNTERS_RELEASE_COMPLETED) == 3);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_FAILED_RESET), 2);
}

static void one_that_is_kept_for_later_hangs_not_and_may_be_ended(void **state)
{
	(void)state;
	int client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_ANSWERED), 0);
	RIG_WAIT_FOR(count(LIVE, COUNTERS_RELEASE_ANSWERED) == 1);
	close(backend);
	assert_true(rig_closed(client));
	close(client);
	RIG_WAIT_FOR(count(LIVE, COUNTERS_RELEASE_COMPLETED) == 1);
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_FAILED_RESET), 0);
}

static void they_wait_for_a_release_and_for_a_place(void **state)
{
	(void)state;
	environment()->mode = TABLE_MODE_PARK;
	environment()->queue.connections_max = 1;
	rig_apply(rig);
	int first = rig_connect(rig);
	rig_send(first, "first");
	RIG_WAIT_FOR(rig_environment(rig, COUNTERS_ENVIRONMENT_HELD) == 1);
	environment()->mode = TABLE_MODE_SERVE;
	rig_apply(rig);
	int backend = rig_accept(rig, LIVE);
	rig_until(backend, "first");
	int second = rig_connect(rig);
	rig_send(second, "second");
	RIG_WAIT_FOR(count(LIVE, COUNTERS_RELEASE_QUEUED) == 1);
	close(first);
	assert_true(rig_closed(backend));
	close(backend);
	backend = rig_accept(rig, LIVE);
	rig_until(backend, "second");
	close(second);
	assert_true(rig_closed(backend));
	close(backend);
}

static void maintenance_lets_nobody_in(void **state)
{
	(void)state;
	environment()->mode = TABLE_MODE_MAINTENANCE;
	environment()->log = TABLE_LOG_TEXT;
	rig_apply(rig);
	int client = rig_connect(rig);
	assert_true(rig_closed(client));
	close(client);
	char line[2048] = "";
	for (size_t size = 0; !strchr(line, '\n'); line[size] = 0)
		size += (size_t)read(rig->log_fds[0], line + size, 1);
	rig_assert_text(line, "env=shop/prod client=127.0.0.1 method=TCP target=\"");
	rig_assert_text(line, " status=503 in=0 out=0 ");
	environment()->mode = TABLE_MODE_SERVE;
	environment()->read_only = true;
	rig_apply(rig);
	client = rig_connect(rig);
	assert_true(rig_closed(client));
	close(client);
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_MAINTENANCE), 2);
}

static void a_leaving_backend_keeps_its_connections_until_its_time_is_over(void **state)
{
	(void)state;
	environment()->timeouts.tunnel_drain_ms = DRAIN_MS;
	rig_apply(rig);
	int old = rig_connect(rig), backend = rig_accept(rig, LIVE);
	rig_send(backend, "x");
	rig_read(old, 1);
	uint64_t from_ms = rig_now_ms();
	rig->table->backends[1].state = TABLE_BACKEND_DRAINING;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	int client = rig_connect(rig), other = rig_accept(rig, 2);
	rig_send(old, "it goes on");
	rig_until(backend, "goes on");
	rig_send(backend, "so it does");
	rig_until(old, "it does");
	assert_true(rig_closed(backend));
	assert_true(rig_now_ms() >= from_ms + DRAIN_MS - DRAIN_MS / 5);
	assert_true(rig_closed(old));
	rig_send(client, "the other one is not concerned");
	rig_until(other, "concerned");
	assert_int_equal(count(LIVE, COUNTERS_RELEASE_FAILED_RESET), 0);
	close(client);
	assert_true(rig_closed(other));
	close(other), close(backend), close(old);
}

static void a_worker_that_retires_keeps_them_until_its_time_is_over(void **state)
{
	(void)state;
	environment()->timeouts.tunnel_drain_ms = 1;
	rig_apply(rig);
	int client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	rig_send(backend, "x");
	rig_read(client, 1);
	uint64_t from_ms = rig_now_ms();
	rig_retire(rig, DRAIN_MS);
	uint64_t due_ms = rig_now_ms() + 50;
	RIG_WAIT_FOR(counters_get(&rig->counters->workers[0].beat_ms) >= due_ms);
	rig_send(client, "it goes on");
	rig_until(backend, "goes on");
	assert_true(rig_closed(client));
	assert_true(rig_now_ms() >= from_ms + DRAIN_MS - DRAIN_MS / 5);
	assert_true(rig_closed(backend));
	close(client), close(backend);
}

static void a_backend_is_told_whose_connection_it_is(void **state)
{
	(void)state;
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	environment()->proxy_v2 = true;
	rig_apply(rig);
	int client = rig_connect(rig);
	assert_int_equal(getsockname(client, (struct sockaddr *)&from, &size), 0);
	rig_send(client, "hello");
	int backend = rig_accept(rig, LIVE);
	uint8_t header[28];
	memcpy(header, rig_read(backend, sizeof(header)), sizeof(header));
	assert_memory_equal(header + 12, "\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01", 12);
	assert_memory_equal(header + 24, &from.sin_port, 2);
	rig_until(backend, "hello");
	close(client);
	assert_true(rig_closed(backend));
	close(backend);
}

#define HEADER                                                             \
	"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x0c" \
	"\xc0\x00\x02\x01\xcb\x00\x71\x07\xa6\x52\x15\x38"

static void proxied_from(const char *network)
{
	text_copy(environment()->proxies[0], TABLE_NAME_SIZE, network);
	environment()->proxy_count = 1;
	environment()->log = TABLE_LOG_TEXT;
	rig_apply(rig);
}

static void a_proxy_in_front_says_whose_it_is(void **state)
{
	(void)state;
	environment()->proxy_v2 = true;
	proxied_from("127.0.0.0/8");
	int client = rig_connect(rig);
	rig_send_bytes(client, HEADER, 20);
	assert_true(rig_quiet(client) && !rig_pending(rig, LIVE));
	rig_send_bytes(client, &(HEADER "hello")[20], 13);
	int backend = rig_accept(rig, LIVE);
	assert_memory_equal(rig_read(backend, 28), HEADER,
			    28); /* and it goes on from one to the next */
	rig_until(backend, "hello");
	close(client);
	assert_true(rig_closed(backend));
	close(backend);
	char line[2048] = "";
	for (size_t size = 0; !strchr(line, '\n'); line[size] = 0)
		size += (size_t)read(rig->log_fds[0], line + size, 1);
	rig_assert_text(line, " client=192.0.2.1 method=TCP ");
	rig_assert_text(line, " in=5 ");
}

static void from_a_proxy_nothing_comes_without_a_header(void **state)
{
	(void)state;
	proxied_from("127.0.0.1");
	rig->table->limits.header_ms = 200;
	rig_apply(rig);
	static const char *const sent[] = {"GET / HTTP/1.1\r\n\r\n", "\r\n\r", ""};
	for (int i = 0; i < 3; i++) {
		int client = rig_connect(rig);
		rig_send(client, sent[i]);
		assert_true(rig_closed(client)); /* the last two once its time is over */
		close(client);
	}
	RIG_WAIT_FOR(rig_worker(rig, COUNTERS_WORKER_BAD_REQUESTS) == 1 &&
		     rig_worker(rig, COUNTERS_WORKER_SLOW_CLIENTS) == 2);
	assert_false(rig_pending(rig, LIVE));
}

static void from_elsewhere_no_header_is_read(void **state)
{
	(void)state;
	proxied_from("10.0.0.0/8");
	int client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	rig_send_bytes(client, HEADER, 28);
	assert_memory_equal(rig_read(backend, 28), HEADER, 28);
	close(client);
	assert_true(rig_closed(backend));
	close(backend);
}

static void a_quiet_one_is_closed(void **state)
{
	(void)state;
	environment()->timeouts.tunnel_idle_ms = 200;
	rig_apply(rig);
	int client = rig_connect(rig), backend = rig_accept(rig, LIVE);
	rig_send(backend, "x");
	rig_read(client, 1);
	assert_true(rig_closed(client));
	assert_true(rig_closed(backend));
	close(client), close(backend);
}

static void what_began_as_http_goes_nowhere_where_tcp_is_spoken_now(void **state)
{
	(void)state;
	environment()->tcp = false;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.1\r\n");
	RIG_WAIT_FOR(rig_worker(rig, COUNTERS_WORKER_ACCEPTED) == 1);
	uint64_t due_ms = rig_now_ms() + 20; /* its worker has read that */
	RIG_WAIT_FOR(counters_get(&rig->counters->workers[0].beat_ms) >= due_ms);
	environment()->tcp = true;
	rig_apply(rig);
	rig_send(client, "Host: shop\r\n\r\n");
	rig_assert_text(rig_until(client, "\r\n\r\n"), " 404 ");
	assert_false(rig_pending(rig, LIVE));
	close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
		T(bytes_pass_both_ways_and_each_side_ends_for_itself),
		T(who_does_not_take_holds_the_other_side),
		T(connections_are_divided_by_weight),
		T(the_live_release_takes_over_what_cannot_be_reached),
		T(who_ends_it_without_a_byte_or_breaks_it_has_failed),
		T(one_that_is_kept_for_later_hangs_not_and_may_be_ended),
		T(they_wait_for_a_release_and_for_a_place),
		T(maintenance_lets_nobody_in),
		T(a_leaving_backend_keeps_its_connections_until_its_time_is_over),
		T(a_worker_that_retires_keeps_them_until_its_time_is_over),
		T(a_backend_is_told_whose_connection_it_is),
		T(a_proxy_in_front_says_whose_it_is),
		T(from_a_proxy_nothing_comes_without_a_header),
		T(from_elsewhere_no_header_is_read),
		T(a_quiet_one_is_closed),
		T(what_began_as_http_goes_nowhere_where_tcp_is_spoken_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
