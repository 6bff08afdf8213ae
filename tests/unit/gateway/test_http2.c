/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/http2.c: how long the head of a stream may take, and its client to take its answer. What else HTTP/2 is, is in tests/conformance. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "rig.h"

enum { HEADER_MS = 300, PACE_MS = 5000 };

#define BEGIN "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
/* GET / of host "a", whole; and the same without END_HEADERS, or with the last byte of it missing. */
#define WHOLE(stream)                                    \
	"\0\0\6\1\5\0\0\0" stream "\x82\x86\x84\x01\x01" \
	"a"
#define OPEN(stream)                                     \
	"\0\0\6\1\1\0\0\0" stream "\x82\x86\x84\x01\x01" \
	"a"
#define CUT(stream)     "\0\0\6\1\5\0\0\0" stream "\x82\x86\x84\x01\x01"
#define NOTHING(stream) "\0\0\0\x09\0\0\0\0" stream

static struct rig *start(void)
{
	struct rig *rig = rig_start_one();
	rig->table->limits.header_ms = HEADER_MS;
	rig_apply(rig);
	return rig;
}

static void answer(struct rig *rig)
{
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	close(backend);
}

/* It ends, soon, and the last that it says is GOAWAY for ENHANCE_YOUR_CALM. */
static void ends_slow(struct rig *rig, int client)
{
	static const char goaway[] = "\7\0\0\0\0\0";
	char said[4096];
	size_t size = 0;
	ssize_t got;
	while ((got = recv(client, said + size, sizeof said - size, 0)) > 0)
		size += (size_t)got;
	assert_int_equal(got, 0);
	assert_true(size >= 17);
	assert_memory_equal(said + size - 17 + 3, goaway, sizeof goaway - 1);
	assert_int_equal(said[size - 1], 0xb);
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_SLOW_CLIENTS), 1);
	close(client);
}

static void a_head_that_is_never_whole_ends_its_connection(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} heads[] = {{BEGIN CUT("\1"), sizeof(BEGIN CUT("\1")) - 1},
		     {BEGIN OPEN("\1"), sizeof(BEGIN OPEN("\1")) - 1}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *rig = start();
		int client = rig_connect(rig);
		rig_send_bytes(client, heads[i].bytes, heads[i].size);
		ends_slow(rig, client);
		rig_stop(rig);
	}
}

static void nor_is_one_after_others_or_in_many_pieces(void **state)
{
	(void)state;
	struct rig *rig = start();
	int client = rig_connect(rig);
	rig_send_bytes(client, BEGIN WHOLE("\1"), sizeof(BEGIN WHOLE("\1")) - 1);
	answer(rig);
	rig_send_bytes(client, OPEN("\3"), sizeof(OPEN("\3")) - 1);
	/* Empty pieces of it win no time. */
	uint64_t begun_ms = rig_now_ms(), sent_ms = begun_ms;
	while (rig_worker(rig, COUNTERS_WORKER_SLOW_CLIENTS) == 0) {
		assert_true(rig_now_ms() < begun_ms + RIG_WAIT_MS);
		if (rig_now_ms() >= sent_ms + HEADER_MS / 3 &&
		    rig_now_ms() < begun_ms + 2 * HEADER_MS) {
			/* It may be closed by now. */
			(void)!send(client, NOTHING("\3"), sizeof(NOTHING("\3")) - 1, MSG_NOSIGNAL);
			sent_ms = rig_now_ms();
		}
		rig_yield();
	}
	assert_true(rig_now_ms() < begun_ms + 2 * HEADER_MS);
	close(client);
	rig_stop(rig);
}

static void whole_heads_have_no_such_limit(void **state)
{
	(void)state;
	struct rig *rig = start();
	int client = rig_connect(rig);
	rig_send_bytes(client, BEGIN WHOLE("\1"), sizeof(BEGIN WHOLE("\1")) - 1);
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	uint64_t until_ms = rig_now_ms() + 2 * HEADER_MS;
	RIG_WAIT_FOR(rig_now_ms() > until_ms);
	rig_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
	char said[4096];
	for (size_t size = 0; size < 4 || !memmem(said, size, "late", 4);) {
		ssize_t got = recv(client, said + size, sizeof said - size, 0);
		assert_true(got > 0);
		size += (size_t)got;
	}
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_SLOW_CLIENTS), 0);
	close(client);
	close(backend);
	rig_stop(rig);
}

/* How many streams are reset, by the whole frames that were said. */
static int resets(const char *said, size_t size)
{
	int count = 0;
	for (size_t at = 0; at + 9 <= size;) {
		const unsigned char *head = (const unsigned char *)said + at;
		count += head[3] == 3;
		at += 9 + ((size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
	}
	return count;
}

static void those_who_take_nothing_are_cut_together(void **state)
{
	/* INITIAL_WINDOW_SIZE: nothing may be sent. */
	static const char begin[] =
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\6\4\0\0\0\0\0\0\4\0\0\0\0" WHOLE("\1")
			WHOLE("\3") WHOLE("\5");
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send_bytes(client, begin, sizeof begin - 1);
	for (int i = 0; i < 3; i++) {
		int backend = rig_accept(rig, 1);
		rig_until(backend, "\r\n\r\n");
		rig_send(backend,
			 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nstuck");
		close(backend);
	}
	char said[4096];
	size_t size = 0;
	uint64_t begun_ms = rig_now_ms();
	while (resets(said, size) < 3) {
		ssize_t got = recv(client, said + size, sizeof said - size, MSG_DONTWAIT);
		assert_true(got != 0 && rig_now_ms() < begun_ms + 2 * PACE_MS - 500);
		size += got > 0 ? (size_t)got : 0;
		rig_yield();
	}
	assert_true(rig_now_ms() > begun_ms + PACE_MS / 2);
	close(client);
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_that_is_never_whole_ends_its_connection),
		cmocka_unit_test(nor_is_one_after_others_or_in_many_pieces),
		cmocka_unit_test(whole_heads_have_no_such_limit),
		cmocka_unit_test(those_who_take_nothing_are_cut_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
