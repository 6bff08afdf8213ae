/* SPDX-License-Identifier: Apache-2.0
 * Tests of frames.c: what is HTTP/2 of a server passes, in pieces of any size, and each fault is noticed. */
#include <string.h>

#include "../unit/cmocka_all.h"
#include "frames.h"

#define SETTINGS            "\0\0\0\4\0\0\0\0\0"
#define HEAD(flags, stream) "\0\0\1\1" flags "\0\0\0" stream "\x88" /* :status 200 */
#define DATA(flags, stream) "\0\0\1\0" flags "\0\0\0" stream "x"

static uint32_t values;

static void seen(void *context, const char *value, size_t size)
{
	(void)context;
	(void)value;
	values += size > 0;
}

static const char *verdict(const char *bytes, size_t size, size_t piece, struct frames *f)
{
	const char *wrong = NULL;
	*f = (struct frames){.seen = seen};
	for (size_t at = 0; at < size && !wrong; at += piece)
		wrong = frames_read(f, bytes + at, size - at < piece ? size - at : piece);
	frames_done(f);
	return wrong;
}

static void an_answer_passes_in_pieces_of_any_size(void **state)
{
	static const char answer[] = SETTINGS "\0\0\0\4\1\0\0\0\0" HEAD("\4", "\1") DATA("\0", "\1")
		DATA("\1", "\1") "\0\0\0\1\1\0\0\0\3\0\0\1\x09\4\0\0\0\3\x88"
				 "\0\0\4\3\0\0\0\0\5\0\0\0\1\0\0\x8\7\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static struct frames f;
	(void)state;
	for (size_t piece = 1; piece < sizeof answer; piece++) {
		values = 0;
		assert_null(verdict(answer, sizeof answer - 1, piece, &f));
		assert_int_equal(f.ended, 2);
		assert_int_equal(f.status, 200);
		assert_int_equal(values, 2);
	}
}

static void each_fault_is_noticed(void **state)
{
#define CASE(bytes)                      \
	{                                \
		bytes, sizeof(bytes) - 1 \
	}
	static const struct {
		const char *bytes;
		size_t size;
	} faults[] = {
		CASE(HEAD("\4", "\1")),
		CASE("HTTP/1.1 400 Bad Request\r\n"),
		CASE(SETTINGS HEAD("\4", "\2")),
		CASE(SETTINGS HEAD("\4", "\0")),
		CASE(SETTINGS DATA("\1", "\1")),
		CASE(SETTINGS HEAD("\5", "\1") DATA("\1", "\1")),
		CASE(SETTINGS HEAD("\5", "\1") HEAD("\5", "\1")),
		CASE(SETTINGS HEAD("\0", "\1") SETTINGS),
		CASE(SETTINGS "\0\0\1\x09\4\0\0\0\1\x88"),
		CASE(SETTINGS "\0\0\1\1\4\0\0\0\1\xff\xff"),
		CASE(SETTINGS "\0\0\1\1\4\0\0\0\1\x82"),
		CASE(SETTINGS "\0\0\6\1\4\0\0\0\1\x88\0\1A\1b"),
		CASE(SETTINGS "\0\0\3\3\0\0\0\0\1\0\0\0"),
		CASE(SETTINGS "\0\0\4\x8\0\0\0\0\0\0\0\0\0"),
		CASE(SETTINGS "\0\0\5\4\0\0\0\0\0\0\0\0\0\0"),
		CASE(SETTINGS "\0\0\7\6\0\0\0\0\0\0\0\0\0\0\0\0"),
		CASE(SETTINGS "\0\0\0\5\4\0\0\0\1"),
		CASE(SETTINGS "\0\x40\1\0\0\0\0\0\1x"),
	};
	static struct frames f;
	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		if (!verdict(faults[i].bytes, faults[i].size, faults[i].size, &f))
			fail_msg("fault %zu was not noticed", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_passes_in_pieces_of_any_size),
		cmocka_unit_test(each_fault_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
