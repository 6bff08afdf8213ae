/* SPDX-License-Identifier: Apache-2.0
 * test_mask - a secret in every form, cut at every place, is never seen. */
#include "../cmocka_all.h"

#include <string.h>

#include "wire/mask.h"

enum { OUT_MAX = 1 << 16 };

static struct mask mask;
static struct mask_stream stream;
static char out[OUT_MAX];
static size_t out_size;

static void take(void *context, const void *bytes, size_t size)
{
	(void)context;
	assert_true(out_size + size < OUT_MAX);
	memcpy(out + out_size, bytes, size);
	out_size += size;
	out[out_size] = '\0';
}

static int set_up(void **state)
{
	(void)state;
	mask_init(&mask);
	return 0;
}

static void secret(const char *value)
{
	assert_true(mask_add(&mask, value, strlen(value)));
}

static void feed(const char *text, size_t size)
{
	mask_feed(&mask, &stream, text, size, take, NULL);
}

static void begin(void)
{
	stream.size = out_size = 0;
	out[0] = '\0';
}

/* In two pieces, cut at every place; and byte by byte. */
static void becomes(const char *text, const char *wanted)
{
	size_t size = strlen(text);
	for (size_t cut = 0; cut <= size; cut++) {
		begin();
		feed(text, cut);
		feed(text + cut, size - cut);
		mask_end(&mask, &stream, take, NULL);
		assert_string_equal(out, wanted);
	}
	begin();
	for (size_t i = 0; i < size; i++)
		feed(text + i, 1);
	mask_end(&mask, &stream, take, NULL);
	assert_string_equal(out, wanted);
}

static void a_secret_becomes_stars_wherever_it_is_cut(void **state)
{
	(void)state;
	secret("hunter2!");
	becomes("the password is hunter2!, not hunter3!", "the password is ***, not hunter3!");
	becomes("hunter2!", "***");
	becomes("hunter2!hunter2!", "******");
	becomes("hunter2", "hunter2");
}

static void every_encoding_is_found(void **state)
{
	(void)state;
	secret("pa/ss wo+rd?");
	becomes("x pa/ss wo+rd? y", "x *** y");
	becomes("x pa%2Fss%20wo%2Brd%3F y", "x *** y");
	becomes("x pa%2fss%20wo%2brd%3f y", "x *** y");
	becomes("x pa/ss%20wo%2Brd%3F y", "x *** y");
	becomes("x 70612f737320776f2b72643f y", "x *** y");
	becomes("x 70612F737320776F2B72643F y", "x *** y");
	becomes("x cGEvc3Mgd28rcmQ/ y", "x *** y");
	becomes("x cGEvc3Mgd28rcmQ_ y", "x *** y"); /* URL-safe */
}

/* As curl, node and python print what they were answered. */
static void a_string_of_json_is_one(void **state)
{
	(void)state;
	secret("a\"b\\c/d\te\x01");
	becomes("x \"a\\\"b\\\\c/d\\te\\u0001\" y", "x \"***\" y");
	becomes("x \"a\\\"b\\\\c\\/d\\te\\u0001\" y", "x \"***\" y");
	secret("one line\nand two");
	becomes("\"one line\\nand two\"", "\"***\"");
}

/* echo -n "user:SECRET" | base64, with one, two and three bytes before it. */
static void base64_is_found_wherever_it_begins(void **state)
{
	(void)state;
	secret("correct horse");
	becomes("YWJjY29ycmVjdCBob3JzZQ==", "YWJj***Q=="); /* abc: the last letter is padding's */
	begin();
	feed("YWNvcnJlY3QgaG9yc2U=", 20); /* "a" before it */
	mask_end(&mask, &stream, take, NULL);
	assert_null(strstr(out, "nJlY3QgaG9y"));
	assert_non_null(strstr(out, "***"));
	begin();
	feed("YWJjb3JyZWN0IGhvcnNl", 20); /* "ab" before it */
	mask_end(&mask, &stream, take, NULL);
	assert_null(strstr(out, "3JyZWN0IGhvcn"));
	assert_non_null(strstr(out, "***"));
}

static void base64_that_is_broken_into_lines_is_found(void **state)
{
	(void)state;
	secret("correct horse");
	becomes("Y29ycmVj\ndCBob3JzZQ==", "***Q==");
	becomes("Y29ycmVj\r\ndCBob3JzZQ==", "***Q==");
}

static void each_line_of_a_secret_is_one(void **state)
{
	(void)state;
	secret("-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\r\nabc\nq83vEjRWeJ\n");
	becomes("key: MIIEpAIBAAKCAQEA7", "key: ***");
	becomes("1 q83vEjRWeJ\n2 abc\n", "1 ***\n2 abc\n"); /* too short to be one */
	becomes("-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\r\nabc\nq83vEjRWeJ\nx", "***x");
}

static void what_overlaps_is_covered_whole(void **state)
{
	(void)state;
	secret("abcdef");
	secret("defghi");
	becomes("1 abcdefghi 2", "1 *** 2");
	becomes("1 abcdef 2 defghi", "1 *** 2 ***");
}

static void the_longer_one_wins(void **state)
{
	(void)state;
	secret("token");
	secret("token-of-production");
	becomes("token-of-production", "***");
	becomes("token-of-prod", "***-of-prod");
}

static void only_what_may_be_a_secret_is_held_back(void **state)
{
	(void)state;
	secret("hunter2!");
	begin();
	feed("Password: hun", 13);
	assert_string_equal(out, "Password: ");
	feed("dreds", 5);
	assert_string_equal(out, "Password: hundreds");
}

static void what_cannot_be_masked_is_refused(void **state)
{
	(void)state;
	static char large[MASK_VALUE_MAX + 1];
	assert_false(mask_add(&mask, "abc", 3));
	memset(large, 'x', sizeof large);
	assert_false(mask_add(&mask, large, sizeof large));
	/* Values that are all different, until it is full: none of those before is forgotten. */
	int taken = 0;
	for (; taken < 100; taken++) {
		memset(large, 'a' + taken % 26, 2000);
		large[taken] = '#';
		if (!mask_add(&mask, large, 2000))
			break;
	}
	assert_true(taken > 5 && taken < 100);
	memset(large, 'a', 2000);
	large[0] = '#';
	large[2000] = '\0';
	begin();
	feed(large, 2000);
	mask_end(&mask, &stream, take, NULL);
	assert_string_equal(out, "***");
}

static void without_secrets_everything_goes_on_at_once(void **state)
{
	(void)state;
	begin();
	feed("anything\0at all", 15);
	assert_int_equal(out_size, 15);
}

static void a_text_is_masked_in_place(void **state)
{
	(void)state;
	secret("hunter2!");
	secret("abcd");
	static const char *const texts[][2] = {
		{"", ""},
		{"hunter2!", "***"},
		{"ab abcd hunter2!abcd, abc", "ab *** ******, abc"},
		{"http://h/?p=hunter2%21&q=68756e7465723221", "http://h/?p=***&q=***"}};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char text[64];
		strcpy(text, texts[i][0]);
		mask_text(&mask, text);
		assert_string_equal(text, texts[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_secret_becomes_stars_wherever_it_is_cut, set_up),
		cmocka_unit_test_setup(every_encoding_is_found, set_up),
		cmocka_unit_test_setup(a_string_of_json_is_one, set_up),
		cmocka_unit_test_setup(base64_is_found_wherever_it_begins, set_up),
		cmocka_unit_test_setup(base64_that_is_broken_into_lines_is_found, set_up),
		cmocka_unit_test_setup(each_line_of_a_secret_is_one, set_up),
		cmocka_unit_test_setup(what_overlaps_is_covered_whole, set_up),
		cmocka_unit_test_setup(the_longer_one_wins, set_up),
		cmocka_unit_test_setup(only_what_may_be_a_secret_is_held_back, set_up),
		cmocka_unit_test_setup(what_cannot_be_masked_is_refused, set_up),
		cmocka_unit_test_setup(without_secrets_everything_goes_on_at_once, set_up),
		cmocka_unit_test_setup(a_text_is_masked_in_place, set_up),
	};
	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
