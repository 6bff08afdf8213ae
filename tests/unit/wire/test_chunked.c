/* SPDX-License-Identifier: Apache-2.0
 * test_chunked - bodies in the chunked coding, and what is sent on instead. Every case is also fed byte by
 * byte and in two pieces; output and outcome must be the same. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/chunked.h"

struct sample {
	const char *text;
	size_t size;
	const char *framed; /* NULL: refused */
	const char *bare;
};

#define S(text, framed, bare)                        \
	{                                            \
		text, sizeof(text) - 1, framed, bare \
	}
#define BAD(text)                                  \
	{                                          \
		text, sizeof(text) - 1, NULL, NULL \
	}

static const struct sample samples[] = {
	S("0\r\n\r\n", "0\r\n\r\n", ""),
	S("5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
	S("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	  "hello world"),
	S("00005\r\nhello\r\n000\r\n\r\n", "05\r\nhello\r\n0\r\n\r\n", "hello"),
	S("A\r\n0123456789\r\n0\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
	S("0000000000000005\r\nhello\r\n0\r\n\r\n", "05\r\nhello\r\n0\r\n\r\n", "hello"),
	S("5;a=b\r\nhello\r\n0;x\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
	S("5;a=\"x;y\"\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
	S("5;\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
	S("2\r\n\r\n\r\n0\r\n\r\n", "2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
	S("10\r\n0123456789abcdef\r\n0\r\n\r\n", "10\r\n0123456789abcdef\r\n0\r\n\r\n",
	  "0123456789abcdef"),
	/* -- trailers -- */
	S("1\r\nx\r\n0\r\nA: b\r\n\r\n", "1\r\nx\r\n0\r\nA: b\r\n\r\n", "x"),
	S("0\r\nA:b\r\nC:\r\n\r\n", "0\r\nA:b\r\nC:\r\n\r\n", ""),
	S("0\r\nGrpc-Status: 0\r\nVia: x\r\n\r\n", "0\r\nGrpc-Status: 0\r\n\r\n", ""),
	S("0\r\nHost: b\r\nA: b\r\nX-Forwarded-For: 1\r\n\r\n", "0\r\nA: b\r\n\r\n", ""),
	S("0\r\nConnection: close\r\nCookie: a\r\nAuthorization: b\r\n\r\n", "0\r\n\r\n", ""),
	/* -- refused -- */
	BAD("\r\n"),
	BAD("\n"),
	BAD(" 5\r\nhello\r\n0\r\n\r\n"),
	BAD("5 \r\nhello\r\n0\r\n\r\n"),
	BAD("5\t\r\nhello\r\n0\r\n\r\n"),
	BAD("5 ;a\r\nhello\r\n0\r\n\r\n"),
	BAD("+5\r\nhello\r\n0\r\n\r\n"),
	BAD("-5\r\nhello\r\n0\r\n\r\n"),
	BAD("0x5\r\nhello\r\n0\r\n\r\n"),
	BAD("5_0\r\nhello\r\n0\r\n\r\n"),
	BAD("5,\r\nhello\r\n0\r\n\r\n"),
	BAD("5.\r\nhello\r\n0\r\n\r\n"),
	BAD("g\r\nhello\r\n0\r\n\r\n"),
	BAD(";a\r\nhello\r\n0\r\n\r\n"),
	BAD("5\nhello\r\n0\r\n\r\n"),
	BAD("5\rhello\r\n0\r\n\r\n"),
	BAD("5\r\r\nhello\r\n0\r\n\r\n"),
	BAD("5;a\nhello\r\n0\r\n\r\n"),
	BAD("5;a\rb\r\nhello\r\n0\r\n\r\n"),
	BAD("5;\0\r\nhello\r\n0\r\n\r\n"),
	BAD("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"),
	BAD("5\r\nhello0\r\n\r\n"),
	BAD("5\r\nhello\n0\r\n\r\n"),
	BAD("5\r\nhello\r0\r\n\r\n"),
	BAD("5\r\nhello!\r\n0\r\n\r\n"),
	BAD("5\r\nhell\r\n0\r\n\r\n"),
	BAD("5\r\nhello\r\n\r\n0\r\n\r\n"),
	BAD("8000000000000000\r\n"),
	BAD("ffffffffffffffff\r\n"),
	BAD("00000000000000005\r\n"),
	BAD("10000000000000005\r\n"), /* 2^64 + 5 */
	BAD("0\n\n"),
	BAD("0\r\n\n"),
	BAD("0\r\nA: b\n\r\n"),
	BAD("0\r\nA : b\r\n\r\n"),
	BAD("0\r\n A: b\r\n\r\n"),
	BAD("0\r\nA\r\n\r\n"),
	BAD("0\r\n: b\r\n\r\n"),
	BAD("0\r\nA: b\r\n c\r\n\r\n"),
	BAD("0\r\nA: \0\r\n\r\n"),
	BAD("0\r\nA: b\rc\r\n\r\n"),
	BAD("0\r\nGET / HTTP/1.1\r\n\r\n"),
	BAD("0\r\nA: b\r\nContent-Length: 5\r\n\r\n"),
	BAD("0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD("0\r\ncontent_length: 5\r\n\r\n"),
};

/* What came of a body that was fed in pieces: as a caller does it, with what was left put in front. */
struct outcome {
	int rc;
	size_t size, used;
	char bytes[16384];
};

static void feed(struct chunked *c, const char *text, size_t size, size_t first, size_t step,
		 struct outcome *o)
{
	char *buffer = malloc(size + 1); /* exact, for the sanitizer to see its end */
	size_t kept = 0, at = 0;
	*o = (struct outcome){0};
	while (o->rc == 0 && at < size) {
		size_t part = at == 0 ? first : step, used, done;
		part = part < size - at ? part : size - at;
		memcpy(buffer + kept, text + at, part);
		at += part;
		o->rc = chunked_pass(c, buffer, kept + part, &used, &done);
		assert_true(used <= kept + part && done <= used);
		assert_true(o->size + done <= sizeof o->bytes);
		memcpy(o->bytes + o->size, buffer, done);
		o->size += done;
		o->used += used;
		kept = kept + part - used;
		memmove(buffer, buffer + used, kept);
	}
	free(buffer);
}

static void check_form(const struct sample *s, enum chunked_form form, const char *want)
{
	static struct outcome o;
	for (size_t cut = 0; cut <= s->size; cut++) {
		struct chunked c;
		chunked_init(&c, form);
		/* cut 0: byte by byte; else two pieces, or one */
		feed(&c, s->text, s->size, cut ? cut : 1, cut ? s->size : 1, &o);
		if (!want) {
			if (o.rc != ERR_INVALID && o.rc != ERR_LIMIT)
				fail_msg("\"%s\" is not refused: %d", s->text, o.rc);
			assert_non_null(c.reason);
			continue;
		}
		if (o.rc != 1 || o.size != strlen(want) || memcmp(o.bytes, want, o.size) != 0)
			fail_msg("\"%s\" cut at %zu gives %d \"%.*s\" (%s)", s->text, cut, o.rc,
				 (int)o.size, o.bytes, c.reason ? c.reason : "-");
		assert_int_equal(o.used, s->size);
	}
}

static void every_body_gives_what_its_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		check_form(&samples[i], CHUNKED_FRAMED, samples[i].framed);
		check_form(&samples[i], CHUNKED_BARE, samples[i].bare);
	}
}

static void the_trailer_stays_behind_the_data(void **state)
{
	static const char text[] = "3\r\nabc\r\n2;x\r\nde\r\n0\r\nA: b\r\nHost: c\r\nD:e\r\n\r\n";
	static const struct sample sample = {text, sizeof(text) - 1, NULL, NULL};
	char data[sizeof(text)];
	size_t used, size;
	struct chunked c;
	(void)state;
	check_form(&sample, CHUNKED_TRAILED, "abcdeA: b\r\nD:e\r\n");
	memcpy(data, text, sizeof(text));
	chunked_init(&c, CHUNKED_TRAILED);
	assert_int_equal(chunked_pass(&c, data, sizeof(text) - 1, &used, &size), 1);
	assert_int_equal(c.kept, 11);
	assert_int_equal(c.body_bytes, 5);
}

static void what_follows_the_body_is_not_touched(void **state)
{
	(void)state;
	char data[] = "1;ext\r\nx\r\n0\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n";
	size_t used, size;
	struct chunked c;
	chunked_init(&c, CHUNKED_FRAMED);
	assert_int_equal(chunked_pass(&c, data, sizeof data - 1, &used, &size), 1);
	assert_string_equal(data + used, "GET / HTTP/1.1\r\n");
	assert_int_equal(c.body_bytes, 1);
	assert_int_equal(chunked_pass(&c, data + used, 5, &used, &size), 1);
	assert_int_equal(used, 0);
	assert_int_equal(size, 0);
}

static void a_failure_stays(void **state)
{
	(void)state;
	char data[] = "zz";
	size_t used, size;
	struct chunked c;
	chunked_init(&c, CHUNKED_FRAMED);
	assert_int_equal(chunked_pass(&c, data, 2, &used, &size), ERR_INVALID);
	memcpy(data, "0\r", 2);
	assert_int_equal(chunked_pass(&c, data, 2, &used, &size), ERR_INVALID);
}

/* ---- limits: at the limit all is well, one above is refused ---- */

static char large[65536];

static void expect(size_t size, int want)
{
	static struct outcome o;
	struct chunked c;
	chunked_init(&c, CHUNKED_FRAMED);
	feed(&c, large, size, size, 1, &o);
	assert_int_equal(o.rc, want);
	chunked_init(&c, CHUNKED_FRAMED);
	feed(&c, large, size, 1, 1, &o);
	assert_int_equal(o.rc, want);
}

static size_t append(size_t at, const char *text)
{
	size_t size = strlen(text);
	memcpy(large + at, text, size);
	return at + size;
}

static size_t fill(size_t at, size_t count)
{
	memset(large + at, 'e', count);
	return at + count;
}

static void extensions_are_bounded_over_the_whole_body(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		size_t at = 0;
		for (int i = 0; i < CHUNKED_EXTENSION_MAX + extra; i++)
			at = append(at, "1;e\r\nx\r\n");
		expect(append(at, "0\r\n\r\n"), extra ? ERR_LIMIT : 1);
	}
}

static void trailer_fields_are_bounded(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		size_t at = append(0, "0\r\n");
		for (int i = 0; i < CHUNKED_TRAILER_FIELDS + extra; i++)
			at = append(at, "A: b\r\n");
		expect(append(at, "\r\n"), extra ? ERR_LIMIT : 1);
	}
}

static void trailer_lines_are_bounded(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		size_t at = append(0, "0\r\nA:");
		at = append(fill(at, CHUNKED_TRAILER_LINE_MAX - 4 + extra), "\r\n\r\n");
		expect(at, extra ? ERR_LIMIT : 1);
	}
}

static void a_trailer_line_that_fills_the_room_of_one_is_refused_at_once(void **state)
{
	(void)state;
	size_t used, size;
	struct chunked c;
	for (size_t missing = 0; missing < 2; missing++) {
		size_t at = fill(append(0, "0\r\n"), CHUNKED_TRAILER_LINE_MAX - missing);
		chunked_init(&c, CHUNKED_FRAMED);
		assert_int_equal(chunked_pass(&c, large, at, &used, &size),
				 missing ? 0 : ERR_LIMIT);
	}
}

static void the_trailer_is_bounded(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		size_t at = append(0, "0\r\nA:");
		at = append(fill(at, CHUNKED_TRAILER_LINE_MAX - 4), "\r\nB:");
		at = append(fill(at, CHUNKED_TRAILER_LINE_MAX - 4 - 2 + extra), "\r\n\r\n");
		expect(at, extra ? ERR_LIMIT : 1);
	}
}

static void plain_chunks_are_not_moved_and_large_ones_pass_in_parts(void **state)
{
	(void)state;
	size_t at = append(0, "fff0\r\n"), used, size;
	struct chunked c;
	chunked_init(&c, CHUNKED_FRAMED);
	fill(at, 1000);
	assert_int_equal(chunked_pass(&c, large, at + 1000, &used, &size), 0);
	assert_int_equal(size, at + 1000);
	assert_int_equal(c.left, 0xfff0 - 1000);
	assert_int_equal(chunked_pass(&c, large, 0, &used, &size), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_gives_what_its_row_says),
		cmocka_unit_test(the_trailer_stays_behind_the_data),
		cmocka_unit_test(what_follows_the_body_is_not_touched),
		cmocka_unit_test(a_failure_stays),
		cmocka_unit_test(extensions_are_bounded_over_the_whole_body),
		cmocka_unit_test(trailer_fields_are_bounded),
		cmocka_unit_test(trailer_lines_are_bounded),
		cmocka_unit_test(a_trailer_line_that_fills_the_room_of_one_is_refused_at_once),
		cmocka_unit_test(the_trailer_is_bounded),
		cmocka_unit_test(plain_chunks_are_not_moved_and_large_ones_pass_in_parts),
	};
	return cmocka_run_group_tests_name("wire/chunked", tests, NULL, NULL);
}
