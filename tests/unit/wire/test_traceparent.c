/* SPDX-License-Identifier: Apache-2.0
 * Tests of wire/traceparent.h. */
#include "../cmocka_all.h"

#include <string.h>

#include "wire/traceparent.h"

#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct traceparent trace;

static bool reads(const char *text)
{
	return traceparent_read(text, strlen(text), &trace);
}

static void a_good_one_reads_and_writes_back(void **state)
{
	char back[TRACEPARENT_SIZE + 1];
	(void)state;
	assert_true(reads(GOOD));
	assert_string_equal(trace.trace, "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(trace.parent, "00f067aa0ba902b7");
	assert_int_equal(trace.flags, 1);
	traceparent_write(&trace, back);
	assert_string_equal(back, GOOD);
	traceparent_pass(&trace, 0);
	traceparent_write(&trace, back);
	assert_string_equal(back, "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01");
}

static void a_newer_version_is_read_as_far_as_it_is_known(void **state)
{
	(void)state;
	assert_true(reads("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
	assert_true(reads("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-else"));
	assert_false(reads("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what-else"));
}

static void what_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"00",
		GOOD "-",
		GOOD "0",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7-01",
		"0--4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(reads(bad[i]));
}

static void one_that_begins_here_is_good(void **state)
{
	char text[TRACEPARENT_SIZE + 1];
	(void)state;
	traceparent_begin(&trace, 0, 0);
	traceparent_pass(&trace, UINT64_MAX);
	traceparent_write(&trace, text);
	assert_string_equal(text, "00-00000000000000000000000000000001-ffffffffffffffff-00");
	assert_true(reads(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one_reads_and_writes_back),
		cmocka_unit_test(a_newer_version_is_read_as_far_as_it_is_known),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(one_that_begins_here_is_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
