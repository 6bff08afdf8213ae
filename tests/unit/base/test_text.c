/* SPDX-License-Identifier: Apache-2.0
 * test_text - what people write is read exactly, or refused. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void durations_parse_and_format_back(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {
		{"250ms", 250}, {"30s", 30000}, {"1h30m", 5400000}, {"2d", 172800000}, {"0s", 0}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t ms = 99;
		char back[40];
		assert_true(text_parse_duration(cases[i].text, &ms));
		assert_int_equal(ms, cases[i].ms);
		assert_string_equal(text_format_duration(ms, back, sizeof back), cases[i].text);
	}
}

static void what_is_not_a_duration_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",      "30",   "s",    "-1s",  "30 s",
					  "30s5m", "1.5h", "1s1s", "367d", "99999999999999999999s",
					  "5M"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint64_t ms = 99;
		assert_false(text_parse_duration(bad[i], &ms));
		assert_int_equal(ms, 99);
	}
}

static void shares_are_exact_basis_points(void **state)
{
	(void)state;
	uint32_t bp = 7;
	char back[16];
	assert_true(text_parse_share("12.5%", &bp));
	assert_int_equal(bp, 1250);
	assert_string_equal(text_format_share(bp, back, sizeof back), "12.5%");
	assert_true(text_parse_share("0.01%", &bp));
	assert_int_equal(bp, 1);
	assert_true(text_parse_share("100%", &bp));
	assert_int_equal(bp, 10000);
	static const char *const bad[] = {"",  "5",   "0.005%", "100.01%", "101%",
					  "%", "1.%", "1e1%",   " 5%"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_parse_share(bad[i], &bp));
}

static void sizes_know_both_unit_systems(void **state)
{
	(void)state;
	uint64_t bytes = 0;
	assert_true(text_parse_size("64MiB", &bytes));
	assert_int_equal(bytes, 64 << 20);
	assert_true(text_parse_size("2kB", &bytes));
	assert_int_equal(bytes, 2000);
	assert_false(text_parse_size("64mb", &bytes));
}

static void a_typo_finds_the_key_that_was_meant(void **state)
{
	(void)state;
	static const char *const keys[] = {"instances", "health", "drain", "env"};
	assert_string_equal(text_suggest("instnaces", keys, COUNT(keys)), "instances");
	assert_string_equal(text_suggest("helth", keys, COUNT(keys)), "health");
	assert_null(text_suggest("zzz", keys, COUNT(keys)));
}

static void hostile_text_is_shown_harmless(void **state)
{
	(void)state;
	char out[64];
	const char *bad = "a\x1b[2J\"\xc2\x9b\xe2\x80\xae\xff z\xc3\xa9";
	assert_string_equal(text_escape(bad, strlen(bad), out, sizeof out),
			    "a\\x1b[2J\\x22\\xc2\\x9b\\xe2\\x80\\xae\\xff z\xc3\xa9");
}

static void printable_text_is_utf8_without_anything_that_steers(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"a\n",          "\x1b",         "\x7f",         "\xc2\x9b", "\xe2\x80\xae",
		"\xff",         "\xc0\xaf",     "\xed\xa0\x80", "\xc3",     "\xe2\x80\x8b",
		"\xe2\x80\x8f", "\xe2\x81\xa6", "\xef\xbb\xbf", "\xd8\x9c", "\xf3\xa0\x81\x81"};
	assert_true(text_is_printable(""));
	assert_true(text_is_printable("\xe2\x80\x8c\xe2\x80\x8d")); /* joiners of letters */
	assert_true(text_is_printable("a \"b\\ \xc3\xa9 \xf0\x9f\x98\x80"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_is_printable(bad[i]));
}

static void time_is_rfc_3339(void **state)
{
	(void)state;
	char out[40];
	assert_string_equal(text_format_time(1709210096789, out, sizeof out),
			    "2024-02-29T12:34:56.789Z");
	assert_string_equal(text_format_time(0, out, sizeof out), "1970-01-01T00:00:00.000Z");
}

static void a_name_is_among_others_whole(void **state)
{
	(void)state;
	assert_true(text_is_among("prod", "prod"));
	assert_true(text_is_among("canada prod-2 prod", "prod"));
	assert_true(text_is_among("prod staging", "prod"));
	assert_false(text_is_among("prod-2 xprod", "prod"));
	assert_false(text_is_among("", "prod"));
	assert_false(text_is_among("prod", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_among_others_whole),
		cmocka_unit_test(durations_parse_and_format_back),
		cmocka_unit_test(what_is_not_a_duration_is_refused),
		cmocka_unit_test(shares_are_exact_basis_points),
		cmocka_unit_test(sizes_know_both_unit_systems),
		cmocka_unit_test(a_typo_finds_the_key_that_was_meant),
		cmocka_unit_test(hostile_text_is_shown_harmless),
		cmocka_unit_test(printable_text_is_utf8_without_anything_that_steers),
		cmocka_unit_test(time_is_rfc_3339),
	};
	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
