/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/shadow.c and outgoing.c: requests with bodies are copied once they are whole, within bounds, and their
 * users wait for nothing. The worker and its backends are real; backend 0 is the mirror. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "rig.h"

#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define NO   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"
#define HEAD "POST /cart HTTP/1.1\r\nHost: shop\r\n"

enum { SHADOW, LIVE };

static struct rig *rig;
static int client, live, shadow;

static struct table_mirror *mirror(void)
{
	return &rig->table->environments[0].mirror;
}

static uint64_t count(enum counters_release_field field)
{
	return rig_release(rig, SHADOW, field);
}

static int begin(void **state)
{
	*state = rig = rig_start_one();
	mirror()->release = SHADOW;
	mirror()->share_bp = mirror()->noise_bp = 10000;
	mirror()->methods |= TABLE_METHOD_POST;
	rig_apply(rig);
	client = rig_connect(rig);
	live = shadow = -1;
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
	put_away(&client);
	put_away(&live);
	put_away(&shadow);
	rig_stop(rig);
	return 0;
}

/* The live release has got so much of a request, up to `until`. */
static void reaches_live(const char *until)
{
	if (live < 0)
		live = rig_accept(rig, LIVE);
	rig_until(live, until);
}

/* It answers, and so does the mirror; the user has the live one's answer. */
static void answer(const char *live_says, const char *shadow_says)
{
	rig_send(live, live_says);
	rig_until(client, "\r\n\r\nok");
	if (!shadow_says)
		return;
	uint64_t before = count(COUNTERS_RELEASE_SHADOW_PAIRS);
	rig_send(shadow, shadow_says);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_PAIRS) == before + 1);
}

static void a_body_is_copied_once_it_is_whole(void **state)
{
	(void)state;
	rig_send(client, HEAD "Content-Length: 6\r\nExpect: 100-continue\r\n\r\n");
	reaches_live("\r\n\r\n");
	rig_send(client, "abc");
	reaches_live("abc");
	assert_false(rig_pending(rig, SHADOW));
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_SENT), 0);
	rig_send(client, "def");
	shadow = rig_accept(rig, SHADOW);
	const char *copy = rig_until(shadow, "\r\n\r\nabcdef");
	rig_assert_text(copy, "POST /cart HTTP/1.1\r\n");
	rig_assert_text(copy, "x-davit-shadow: 1\r\n");
	assert_null(strcasestr(copy, "expect:"));
	answer(OK, NO);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 1);
	/* What it does is done once by each release: no noise is asked for. */
	assert_int_equal(count(COUNTERS_RELEASE_NOISE_SENT), 0);
	assert_false(rig_pending(rig, LIVE));
	rig_send(client, HEAD "Content-Length: 1\r\n\r\nx"); /* at once, on the same connections */
	reaches_live("\r\n\r\nx");
	rig_until(shadow, "\r\n\r\nx");
	answer(OK, OK);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_SENT), 2);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 1);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DROPPED), 0);
}

static void chunks_go_on_as_they_came(void **state)
{
	(void)state;
	rig_send(client, HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	reaches_live("3\r\nabc\r\n");
	rig_send(client, "2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n");
	reaches_live("X-Sum: 5\r\n\r\n");
	shadow = rig_accept(rig, SHADOW);
	rig_assert_text(rig_until(shadow, "X-Sum: 5\r\n\r\n"), "3\r\nabc\r\n2\r\nde\r\n0\r\n");
	answer(OK, OK);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 0);
}

static char *big_body(size_t size)
{
	char *body = malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		body[i] = (char)('a' + i * i % 23);
	body[size] = 0;
	return body;
}

/* A kernel's buffers take less than this. */
static void a_mirror_that_does_not_read_keeps_nobody(void **state)
{
	(void)state;
	enum { SIZE = 1000000 };
	char head[128], *body = big_body(SIZE);
	mirror()->body_max = TABLE_MIRROR_BODY_MAX;
	rig_apply(rig);
	int small = 4096; /* what it has taken without reading */
	setsockopt(rig->backend_fds[SHADOW], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	snprintf(head, sizeof(head), HEAD "Content-Length: %d\r\n\r\n", SIZE);
	rig_send(client, head);
	reaches_live("\r\n\r\n");
	for (size_t sent = 0; sent < SIZE; sent += SIZE / 10) {
		rig_send_bytes(client, body + sent, SIZE / 10);
		assert_memory_equal(rig_read(live, SIZE / 10), body + sent, SIZE / 10);
	}
	shadow = rig_accept(rig, SHADOW);
	rig_send(live, OK);
	rig_until(client, "\r\n\r\nok");
	rig_send(client, "DELETE / HTTP/1.1\r\nHost: shop\r\n\r\n"); /* the connection goes on */
	reaches_live("\r\n\r\n");
	rig_send(live, OK);
	rig_until(client, "\r\n\r\nok");
	rig_until(shadow, "\r\n\r\n");
	assert_memory_equal(rig_read(shadow, SIZE), body, SIZE);
	rig_send(shadow, OK);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_PAIRS) == 1);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 0);
	free(body);
}

static void a_mirror_that_never_reads_is_given_up(void **state)
{
	(void)state;
	enum { SIZE = 1000000 };
	char head[128], *body = big_body(SIZE);
	mirror()->body_max = TABLE_MIRROR_BODY_MAX;
	rig->table->environments[0].timeouts.answer_ms = 300;
	rig_apply(rig);
	int small = 4096;
	setsockopt(rig->backend_fds[SHADOW], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	snprintf(head, sizeof(head), HEAD "Content-Length: %d\r\n\r\n", SIZE);
	rig_send(client, head);
	reaches_live("\r\n\r\n");
	for (size_t sent = 0; sent < SIZE; sent += SIZE / 10) {
		rig_send_bytes(client, body + sent, SIZE / 10);
		rig_read(live, SIZE / 10);
	}
	answer(OK, NULL);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_FAILED) == 1);
	free(body);
}

static void a_body_over_the_bound_is_not_copied(void **state)
{
	(void)state;
	mirror()->body_max = 8;
	rig_apply(rig);
	rig_send(client, HEAD "Content-Length: 9\r\n\r\n"); /* it says so */
	reaches_live("\r\n\r\n");
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_DROPPED) == 1);
	rig_send(client, "123456789");
	reaches_live("123456789");
	answer(OK, NULL);
	rig_send(client, HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"); /* it comes */
	reaches_live("1\r\na\r\n");
	rig_send(client, "1\r\nb\r\n0\r\n\r\n");
	reaches_live("0\r\n\r\n");
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_DROPPED) == 2);
	answer(OK, NULL);
	assert_false(rig_pending(rig, SHADOW));
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_SENT), 0);
}

static void what_is_not_whole_never_reaches_the_mirror(void **state)
{
	(void)state;
	rig_send(client, HEAD "Content-Length: 6\r\n\r\nabc"); /* the client leaves */
	reaches_live("abc");
	put_away(&client);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_DROPPED) == 1);
	put_away(&live);
	client = rig_connect(rig);
	rig_send(client, HEAD "Content-Length: 6\r\n\r\nabc"); /* nobody wants the rest */
	reaches_live("abc");
	rig_send(live, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	rig_until(client, "\r\n\r\n");
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_DROPPED) == 2);
	assert_false(rig_pending(rig, SHADOW));
}

static void by_another_table_nothing_is_sent(void **state)
{
	(void)state;
	rig_send(client, HEAD "Content-Length: 6\r\n\r\nabc");
	reaches_live("abc");
	mirror()->release = TABLE_NONE;
	rig_apply(rig);
	rig_send(client, "def");
	reaches_live("def");
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_DROPPED) == 1);
	answer(OK, NULL);
	assert_false(rig_pending(rig, SHADOW));
}

static void all_bodies_together_have_a_bound(void **state)
{
	(void)state;
	enum { CLIENTS = 12, SIZE = 1000000, FIT = (8 << 20) / SIZE };
	int clients[CLIENTS], lives[CLIENTS];
	char head[128], *body = big_body(SIZE);
	mirror()->body_max = TABLE_MIRROR_BODY_MAX;
	rig_apply(rig);
	snprintf(head, sizeof(head), HEAD "Content-Length: %d\r\n\r\n", SIZE);
	for (int i = 0; i < CLIENTS; i++) { /* all but the last byte */
		clients[i] = rig_connect(rig);
		rig_send(clients[i], head);
		lives[i] = rig_accept(rig, LIVE);
		rig_until(lives[i], "\r\n\r\n");
		for (size_t sent = 0; sent < SIZE - 100; sent += 99990) {
			rig_send_bytes(clients[i], body + sent, 99990);
			rig_read(lives[i], 99990);
		}
	}
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DROPPED), CLIENTS - FIT);
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_DROPPED) == CLIENTS);
	rig_send(client, HEAD "Content-Length: 1\r\n\r\nx"); /* all of it is free again */
	reaches_live("\r\n\r\nx");
	shadow = rig_accept(rig, SHADOW);
	rig_until(shadow, "\r\n\r\nx");
	answer(OK, OK);
	for (int i = 0; i < CLIENTS; i++)
		close(lives[i]);
	free(body);
}

static void an_answer_that_comes_before_the_body_is_no_hurry(void **state)
{
	(void)state;
	rig_send(client, HEAD "Content-Length: 6\r\n\r\nabc");
	reaches_live("abc");
	rig_send(live, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
	rig_until(client, "\r\n\r\no");
	rig_send(client, "def");
	reaches_live("def");
	shadow = rig_accept(rig, SHADOW);
	rig_until(shadow, "\r\n\r\nabcdef");
	rig_send(live, "k");
	rig_until(client, "k");
	rig_send(shadow, OK);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_PAIRS) == 1);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_is_copied_once_it_is_whole),
		TEST(chunks_go_on_as_they_came),
		TEST(a_mirror_that_does_not_read_keeps_nobody),
		TEST(a_mirror_that_never_reads_is_given_up),
		TEST(a_body_over_the_bound_is_not_copied),
		TEST(what_is_not_whole_never_reaches_the_mirror),
		TEST(by_another_table_nothing_is_sent),
		TEST(all_bodies_together_have_a_bound),
		TEST(an_answer_that_comes_before_the_body_is_no_hurry),
	};
	return cmocka_run_group_tests_name("shadow_body", tests, NULL, NULL);
}
