/* SPDX-License-Identifier: Apache-2.0
 *
 * test_judge - the load generator's own parsers and sums, without a network.
 */
#include <stdio.h>
#include <string.h>

#include "../unit/cmocka_all.h"
#include "answer.h"
#include "frame.h"
#include "tally.h"

/* Feed in pieces of `step` bytes; returns the bytes that the answer took. */
static size_t feed(struct answer *a, const char *text, size_t step)
{
	size_t size = strlen(text), used = 0;
	answer_start(a);
	while (used < size && !answer_over(a)) {
		size_t piece = size - used < step ? size - used : step;
		used += answer_feed(a, text + used, piece);
	}
	return used;
}

static void an_answer_is_the_same_in_pieces_of_any_size(void **state)
{
	static const char text[] = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
				   "HTTP/1.1 200 OK\r\nx-release: v1\r\nX-Load-Id:  a-1 \r\n"
				   "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
				   "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n"
				   "HTTP";
	struct answer a = {0};
	(void)state;
	for (size_t step = 1; step < sizeof text; step++) {
		assert_int_equal(feed(&a, text, step), sizeof text - 5);
		assert_int_equal(a.state, ANSWER_DONE);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.release, "v1");
		assert_string_equal(a.id, "a-1");
		assert_false(a.keep_alive);
		assert_int_equal(a.body_bytes, 6);
		assert_true(a.body_digest == digest_feed(DIGEST_START, "hello!", 6));
	}
}

static void broken_framing_is_bad(void **state)
{
	static const char *const broken[] = {
		"HTTP/1.0 200 OK\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 1\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na",
	};
	struct answer a = {0};
	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		feed(&a, broken[i], 3);
		if (a.state != ANSWER_BAD)
			fail_msg("taken for good: %s", broken[i]);
	}
}

static void an_end_of_stream_is_the_end_of_a_body_without_a_length_only(void **state)
{
	struct answer a = {0};
	(void)state;
	feed(&a, "HTTP/1.1 200 OK\r\n\r\nsome", 64);
	assert_true(answer_closed(&a));
	feed(&a, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsome", 64);
	assert_false(answer_closed(&a));
	feed(&a, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n", 64);
	assert_false(answer_closed(&a));
}

static void a_frame_is_the_same_in_pieces_of_any_size(void **state)
{
	static char wire[4 + 300 + 4] = {(char)0x81, 126, 1, 44};
	struct frame_reader r;
	int opcode = -1;
	(void)state;
	memset(wire + 4, 'x', 300);
	memcpy(wire + 304, "\x88\x02\x03\xf4", 4);
	for (size_t step = 1; step < sizeof wire; step++) {
		size_t at = 0;
		frame_start(&r);
		for (opcode = -1; opcode < 0;)
			at += frame_feed(&r, wire + at,
					 sizeof wire - at < step ? sizeof wire - at : step,
					 &opcode);
		assert_int_equal(opcode, FRAME_TEXT);
		assert_int_equal(at, 304);
		assert_int_equal(strlen(r.payload), 300);
		frame_start(&r);
		assert_true(frame_at_boundary(&r));
		assert_int_equal(frame_feed(&r, wire + at, 4, &opcode), 4);
		assert_int_equal(opcode, FRAME_CLOSE);
		assert_int_equal(frame_close_code(&r), 1012);
	}
}

static void a_written_frame_unmasks_to_its_payload(void **state)
{
	uint8_t wire[FRAME_WIRE_MAX];
	(void)state;
	size_t size = frame_write(wire, FRAME_TEXT, "hello", 5, 0x01020304);
	assert_int_equal(size, 2 + 4 + 5);
	assert_int_equal(wire[0], 0x81);
	assert_int_equal(wire[1], 0x80 | 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(wire[6 + i] ^ wire[2 + i % 4], "hello"[i]);
}

static void a_quantile_is_within_a_thirtieth(void **state)
{
	static struct histogram h;
	(void)state;
	for (uint64_t us = 1; us <= 100000; us++)
		histogram_add(&h, us);
	double p50 = (double)histogram_quantile_us(&h, 0.5),
	       p99 = (double)histogram_quantile_us(&h, 0.99);
	assert_true(p50 >= 50000 && p50 < 50000 * 1.034);
	assert_true(p99 >= 99000 && p99 < 99000 * 1.034);
	assert_int_equal(histogram_quantile_us(&h, 1.0), 100000);
}

static void every_outcome_blames_one_and_gaps_are_seen(void **state)
{
	static struct tally t;
	(void)state;
	tally_init(&t, stdout, 0, 100);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		tally_outcome(&t, REQUEST_GET, (enum outcome)i, i == OUTCOME_OK ? 200 : 0, "", 0,
			      1000000);
	assert_int_equal(tally_blamed(&t, 's'), 2);
	assert_int_equal(tally_blamed(&t, 'd'), OUTCOME_COUNT - 3);
	tally_outcome(&t, REQUEST_GET, OUTCOME_OK, 200, "v1", 251000000, 451000000);
	assert_int_equal(t.max_gap_ns, 450000000);
	assert_int_equal(t.held, 1);
	assert_int_equal(t.releases[0].answers, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_the_same_in_pieces_of_any_size),
		cmocka_unit_test(broken_framing_is_bad),
		cmocka_unit_test(an_end_of_stream_is_the_end_of_a_body_without_a_length_only),
		cmocka_unit_test(a_frame_is_the_same_in_pieces_of_any_size),
		cmocka_unit_test(a_written_frame_unmasks_to_its_payload),
		cmocka_unit_test(a_quantile_is_within_a_thirtieth),
		cmocka_unit_test(every_outcome_blames_one_and_gaps_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
