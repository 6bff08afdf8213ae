/* SPDX-License-Identifier: Apache-2.0
 * test_preview_token - a token holds for its key, its release and its time, and for nothing else. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/preview_token.h"

static const uint8_t key[PREVIEW_KEY_SIZE] = "a key of sixteen",
		     other[PREVIEW_KEY_SIZE] = "one of another!";

static bool holds(const char *token, uint64_t now_s)
{
	return preview_token_holds(key, "5c1f", token, strlen(token), now_s);
}

static void a_token_holds_until_it_ends(void **state)
{
	(void)state;
	char token[PREVIEW_TOKEN_SIZE];
	preview_token_make(key, "5c1f", 1000, token);
	assert_int_equal(strlen(token), 4 + 1 + 32);
	assert_true(strncmp(token, "1000.", 5) == 0);
	assert_null(strstr(token, "5c1f"));
	assert_true(holds(token, 0));
	assert_true(holds(token, 999));
	assert_false(holds(token, 1000));
	assert_false(holds(token, UINT64_MAX));
	preview_token_make(key, "5c1f", UINT64_MAX, token);
	assert_true(holds(token, 1000));
}

static void it_is_of_one_release_and_one_key(void **state)
{
	(void)state;
	static const uint8_t none[PREVIEW_KEY_SIZE];
	char token[PREVIEW_TOKEN_SIZE];
	size_t size = strlen(preview_token_make(key, "5c1f", 1000, token));
	assert_false(preview_token_holds(key, "5c1e", token, size, 1));
	assert_false(preview_token_holds(key, "", token, size, 1));
	assert_false(preview_token_holds(other, "5c1f", token, size, 1));
	preview_token_make(none, "5c1f", 1000, token);
	assert_false(preview_token_holds(none, "5c1f", token, size, 1));
	preview_token_make(key, "", 1000, token);
	assert_false(preview_token_holds(key, "", token, size, 1));
}

static void nothing_of_it_can_be_changed(void **state)
{
	(void)state;
	char token[PREVIEW_TOKEN_SIZE];
	size_t size = strlen(preview_token_make(key, "5c1f", 1000, token));
	for (size_t i = 0; i < size; i++)
		for (int bit = 0; bit < 8; bit++) {
			token[i] ^= (char)(1 << bit);
			assert_false(preview_token_holds(key, "5c1f", token, size, 1));
			token[i] ^= (char)(1 << bit);
		}
	for (size_t part = 0; part < size; part++)
		assert_false(preview_token_holds(key, "5c1f", token, part, 1));
	assert_true(preview_token_holds(key, "5c1f", token, size, 1));
}

static void what_looks_like_one_is_none(void **state)
{
	(void)state;
	char token[PREVIEW_TOKEN_SIZE], text[128];
	preview_token_make(key, "5c1f", 1000, token);
	static const char *const around[][2] = {{"0", ""}, {"+", ""}, {" ", ""}, {"", " "},
						{"", "0"}, {"9", ""}, {".", ""}, {"1.", ""}};
	for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
		snprintf(text, sizeof text, "%s%s%s", around[i][0], token, around[i][1]);
		assert_false(holds(text, 1));
	}
	snprintf(text, sizeof text, "99999999999999999999%s", token + 4);
	assert_false(holds(text, 1));
	assert_false(holds(token + 4, 1));
	assert_false(holds("", 1));
}

static void keys_are_made_apart(void **state)
{
	(void)state;
	uint8_t a[PREVIEW_KEY_SIZE], b[PREVIEW_KEY_SIZE];
	preview_key(key, a);
	preview_key(other, b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_memory_not_equal(a, key, sizeof a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_holds_until_it_ends),
		cmocka_unit_test(it_is_of_one_release_and_one_key),
		cmocka_unit_test(nothing_of_it_can_be_changed),
		cmocka_unit_test(what_looks_like_one_is_none),
		cmocka_unit_test(keys_are_made_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
