/* SPDX-License-Identifier: Apache-2.0
 * Tests of the worker's way of a request: gateway/client.c, exchange.c, forward.c, upstream.c, head.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "gateway/pool.h"
#include "rig.h"

#define GET "GET /x?y HTTP/1.1\r\nHost: shop\r\n\r\n"
#define OK  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void a_request_goes_to_a_backend_and_its_answer_back(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, "GET /x?y HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 6.6.6.6\r\n"
			 "X-Real-Ip: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nConnection: x-gone\r\n"
			 "X-Gone: 1\r\nX-Kept: 1\r\nX-Davit-Shadow: 1\r\n\r\n");
	int backend = rig_accept(rig, 1);
	const char *request = rig_until(backend, "\r\n\r\n");
	rig_assert_text(request, "GET /x?y HTTP/1.1\r\nHost: shop\r\n");
	rig_assert_text(request, "x-forwarded-for: 127.0.0.1\r\n");
	rig_assert_text(request, "x-forwarded-proto: http\r\n");
	rig_assert_text(request, "x-forwarded-host: shop\r\n");
	rig_assert_text(request, "x-request-id: ");
	rig_assert_text(request, "via: 1.1 davit\r\n");
	rig_assert_text(request, "X-Kept: 1\r\n");
	assert_null(strstr(request, "6.6.6.6"));
	assert_null(strstr(request, "X-Gone"));
	assert_null(strstr(request, "hadow"));
	rig_send(backend, OK);
	rig_assert_text(rig_until(client, "ok"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_COMPLETED) == 1);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_STATUS_2XX), 1);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_BYTES_OUT), 2);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void both_connections_are_used_again(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	for (int i = 0; i < 5; i++) {
		rig_until(backend, "\r\n\r\n");
		rig_send(backend, OK);
		rig_until(client, "ok");
		rig_send(client, GET);
	}
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "ok");
	assert_false(rig_pending(rig, 1));
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_ACCEPTED), 1);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_assert_text(rig_until(backend, "\r\n\r\n"), "GET /1 ");
	assert_true(rig_quiet(backend)); /* the second waits for the first answer */
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
	rig_assert_text(rig_until(backend, "\r\n\r\nabc"), "POST /2 ");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
	rig_assert_text(rig_until(backend, "\r\n\r\n"), "GET /3 ");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3");
	rig_until(client,
		  "\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2HTTP/1.1 200 OK\r\n"
		  "Content-Length: 1\r\n\r\n3");
	close(client);
	close(backend);
	rig_stop(rig);
}

static char *pattern(size_t size)
{
	char *bytes = malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)('a' + i * 7 % 26);
	bytes[size] = 0;
	return bytes;
}

static void large_bodies_pass_both_ways_unchanged(void **state)
{
	(void)state;
	enum { SIZE = 900000 };
	struct rig *rig = rig_start_one();
	char *bytes = pattern(SIZE);
	int client = rig_connect(rig);
	rig_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	for (size_t at = 0; at < SIZE; at += 100000) {
		rig_send_bytes(client, bytes + at, 100000);
		assert_memory_equal(rig_read(backend, 100000), bytes + at, 100000);
	}
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n");
	rig_until(client, "\r\n\r\n");
	for (size_t at = 0; at < SIZE; at += 100000) {
		rig_send_bytes(backend, bytes + at, 100000);
		assert_memory_equal(rig_read(client, 100000), bytes + at, 100000);
	}
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_COMPLETED) == 1);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_BYTES_IN), SIZE);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_BYTES_OUT), SIZE);
	rig_send(client, GET); /* and the connections are still good */
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "ok");
	free(bytes);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void chunked_bodies_are_framed_anew_both_ways(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "0003;x=y\r\nabc\r\n");
	int backend = rig_accept(rig, 1);
	rig_assert_text(rig_until(backend, "3\r\nabc\r\n"), "Transfer-Encoding: chunked\r\n");
	rig_send(client, "2\r\nde\r\n0\r\n\r\n");
	rig_until(backend, "2\r\nde\r\n0\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n05\r\nhel");
	rig_until(client, "hel");
	rig_send(backend, "lo\r\n0\r\nX-Sum: 1\r\n\r\n");
	rig_until(client, "lo\r\n0\r\nX-Sum: 1\r\n\r\n");
	rig_send(client, GET);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "ok");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_body_that_ends_with_its_connection_goes_out_in_chunks(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.0 200 OK\r\n\r\nabc");
	rig_assert_text(rig_until(client, "3\r\nabc\r\n"), "Transfer-Encoding: chunked\r\n");
	rig_send(backend, "defg");
	rig_until(client, "4\r\ndefg\r\n");
	close(backend);
	rig_until(client, "0\r\n\r\n");
	rig_send(client, GET); /* the client's connection goes on */
	backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "ok");
	close(client);
	close(backend);
	rig_stop(rig);
}

/* Its beginning fills the buffer to the last byte, before it is known that it wants chunks around it. */
static void a_body_that_fills_the_buffer_with_its_head_goes_out_in_chunks(void **state)
{
	static const char head[] = "HTTP/1.1 200\r\n\r\n";
	static char answer[BUFFER_USUAL + 1000];
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	memset(answer, 'x', sizeof(answer));
	memcpy(answer, head, sizeof(head) - 1);
	rig_send_bytes(backend, answer, sizeof(answer));
	close(backend);
	const char *got = rig_until(client, "\r\n0\r\n\r\n");
	size_t body = 0;
	for (const char *c = strstr(got, "\r\n\r\n"); *c; c++)
		body += *c == 'x';
	assert_int_equal(body, sizeof(answer) - (sizeof(head) - 1));
	close(client);
	rig_stop(rig);
}

static void an_old_client_gets_its_body_bare_and_a_closed_connection(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.0\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend,
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	const char *answer = rig_until(client, "\r\n\r\nabc");
	rig_assert_text(answer, "Connection: close\r\n");
	assert_null(strstr(answer, "chunked"));
	assert_true(rig_closed(client));
	close(client);
	close(backend);
	rig_stop(rig);
}

static void answers_without_a_body_are_not_waited_for(void **state)
{
	(void)state;
	static const char *const exchanges[][2] = {
		{"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
		 "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"},
		{GET, "HTTP/1.1 204 No Content\r\n\r\n"},
		{GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"},
	};
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig), backend = -1;
	for (size_t i = 0; i < 3; i++) {
		rig_send(client, exchanges[i][0]);
		if (backend < 0)
			backend = rig_accept(rig, 1);
		rig_until(backend, "\r\n\r\n");
		rig_send(backend, exchanges[i][1]);
		rig_until(client, "\r\n\r\n");
	}
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_client_that_asks_first_gets_its_100(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
			 "Expect: 100-continue\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_assert_text(rig_until(backend, "\r\n\r\n"), "Expect: 100-continue\r\n");
	rig_send(backend, "HTTP/1.1 100 Continue\r\n\r\n");
	rig_until(client, "HTTP/1.1 100 Continue\r\n\r\n");
	rig_send(client, "abc");
	rig_until(backend, "abc");
	rig_send(backend, OK);
	rig_until(client, "ok");
	rig_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
			 "Expect: 100-continue\r\n\r\n");
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
	rig_assert_text(rig_until(client, "\r\n\r\n"), "Connection: close\r\n");
	assert_true(rig_closed(client));
	close(client);
	close(backend);
	rig_stop(rig);
}

static void events_pass_as_they_come(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n");
	rig_until(client, "\r\n\r\n");
	for (int i = 0; i < 3; i++) {
		rig_send(backend, "9\r\ndata: 1\n\n\r\n");
		rig_until(client, "9\r\ndata: 1\n\n\r\n");
	}
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_websocket_becomes_a_tunnel_only_after_its_101(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client,
		 "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		 "Sec-WebSocket-Version: 13\r\n\r\nearly");
	int backend = rig_accept(rig, 1);
	const char *request = rig_until(backend, "\r\n\r\n");
	rig_assert_text(request, "Upgrade: websocket\r\n");
	rig_assert_text(request, "Sec-WebSocket-Key: dGhl");
	assert_true(rig_quiet(backend));
	rig_send(backend, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
			  "Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhello");
	rig_assert_text(rig_until(client, "hello"), "HTTP/1.1 101 ");
	rig_until(backend, "early");
	rig_send(client, "from client");
	rig_until(backend, "from client");
	rig_send(backend, "from backend");
	rig_until(client, "from backend");
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_UPGRADED), 1);
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_COMPLETED), 0);
	rig_apply(rig); /* a change of table does not touch it */
	rig_send(client, "again");
	rig_until(backend, "again");
	close(backend);
	assert_true(rig_closed(client));
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_TUNNELS_ENDED) == 1);
	close(client);
	rig_stop(rig);
}

static void what_is_not_http_is_refused_and_closed(void **state)
{
	(void)state;
	static const char *const requests[] = {"GET / HTTP/1.1\r\n\r\n",
					       "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
					       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
					       "1\r\nTransfer-Encoding: chunked\r\n\r\n",
					       "nonsense\r\n\r\n"};
	struct rig *rig = rig_start_one();
	for (size_t i = 0; i < 4; i++) {
		int client = rig_connect(rig);
		rig_send(client, requests[i]);
		const char *answer = rig_until(client, "\r\n\r\n");
		rig_assert_text(answer, "HTTP/1.1 400 ");
		rig_assert_text(answer, "Connection: close\r\n");
		rig_assert_text(answer, "X-Davit-Error: bad-request\r\n");
		rig_until(client, "\n");
		assert_true(rig_closed(client));
		close(client);
	}
	assert_false(rig_pending(rig, 1));
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_BAD_REQUESTS), 4);
	rig_stop(rig);
}

static void broken_answers_are_the_backends_fault(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\nContent-Length: 1\n\n1");
	rig_assert_text(rig_until(client, "\n\r\n"), "HTTP/1.1 502 ");
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_FAILED_ANSWER) == 1);
	close(backend);
	close(client);
	rig_stop(rig);
}

static void bytes_after_an_answer_reach_nobody(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
	rig_until(client, "\r\n\r\nok");
	assert_true(rig_closed(backend)); /* such a connection is not used again */
	close(backend);
	rig_send(client, GET);
	backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	rig_send(backend, "evil"); /* and neither is one that speaks unasked */
	assert_true(rig_closed(backend));
	close(client);
	close(backend);
	rig_stop(rig);
}

static void heads_and_bodies_may_come_byte_by_byte(void **state)
{
	(void)state;
	static const char request[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
	static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n" OK;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		rig_send_bytes(client, request + i, 1);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\nhi");
	for (size_t i = 0; i < sizeof(answer) - 1; i++)
		rig_send_bytes(backend, answer + i, 1);
	rig_until(client, "HTTP/1.1 100 Continue\r\n\r\n" OK);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void an_early_refusal_ends_the_clients_connection_in_good_form(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	char *bytes = pattern(100000);
	int client = rig_connect(rig);
	rig_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
	rig_assert_text(rig_until(client, "\r\n\r\nno"), "Connection: close\r\n");
	rig_send_bytes(client, bytes, 100000); /* still on its way: the answer is not lost by it */
	assert_true(rig_closed(client));
	assert_true(rig_closed(backend));
	assert_int_equal(rig_release(rig, 1, COUNTERS_RELEASE_STATUS_4XX), 1);
	free(bytes);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void an_answer_cut_short_ends_the_clients_connection(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
	rig_until(client, "123");
	close(backend);
	assert_true(rig_closed(client));
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_FAILED_RESET) == 1);
	close(client);
	rig_stop(rig);
}

static void a_client_that_leaves_costs_nobody_but_itself(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	struct linger reset = {.l_onoff = 1};
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	assert_true(rig_closed(backend));
	RIG_WAIT_FOR(rig_release(rig, 1, COUNTERS_RELEASE_CANCELLED) == 1);
	close(backend);
	rig_stop(rig);
}

static void a_slow_reader_slows_the_backend_down(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	char *bytes = pattern(65536);
	int client = rig_connect(rig);
	rig_send(client, GET);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
	struct timeval moment = {.tv_usec = 200000};
	setsockopt(backend, SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof(moment));
	size_t sent = 0;
	for (ssize_t put = 1; put > 0; sent += put > 0 ? (size_t)put : 0)
		put = send(backend, bytes, 65536, MSG_NOSIGNAL);
	assert_in_range(sent, 1, 60000000); /* it stands still before all is out */
	rig_until(client, "\r\n\r\n");
	for (size_t had = 0; had < sent; had += 8192)
		rig_read(client, sent - had < 8192 ? sent - had : 8192);
	free(bytes);
	close(client);
	close(backend);
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_to_a_backend_and_its_answer_back),
		cmocka_unit_test(both_connections_are_used_again),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(large_bodies_pass_both_ways_unchanged),
		cmocka_unit_test(chunked_bodies_are_framed_anew_both_ways),
		cmocka_unit_test(a_body_that_ends_with_its_connection_goes_out_in_chunks),
		cmocka_unit_test(a_body_that_fills_the_buffer_with_its_head_goes_out_in_chunks),
		cmocka_unit_test(an_old_client_gets_its_body_bare_and_a_closed_connection),
		cmocka_unit_test(answers_without_a_body_are_not_waited_for),
		cmocka_unit_test(a_client_that_asks_first_gets_its_100),
		cmocka_unit_test(events_pass_as_they_come),
		cmocka_unit_test(a_websocket_becomes_a_tunnel_only_after_its_101),
		cmocka_unit_test(what_is_not_http_is_refused_and_closed),
		cmocka_unit_test(broken_answers_are_the_backends_fault),
		cmocka_unit_test(bytes_after_an_answer_reach_nobody),
		cmocka_unit_test(heads_and_bodies_may_come_byte_by_byte),
		cmocka_unit_test(an_early_refusal_ends_the_clients_connection_in_good_form),
		cmocka_unit_test(an_answer_cut_short_ends_the_clients_connection),
		cmocka_unit_test(a_client_that_leaves_costs_nobody_but_itself),
		cmocka_unit_test(a_slow_reader_slows_the_backend_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
