/* SPDX-License-Identifier: Apache-2.0
 * test_seal - what is sealed opens with its key and under its name alone; every change is noticed. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/seal.h"

static const struct seal_key key = {{1, 2, 3}}, other = {{1, 2, 4}};
static const uint8_t nonce[SEAL_NONCE_SIZE] = {9, 8, 7};
static struct buf sealed, opened;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	buf_init(&sealed, 1 << 20);
	buf_init(&opened, 1 << 20);
	seal_close(&key, nonce, "shop prod/db 1", "postgres://me", 13, &sealed);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_done(&sealed);
	buf_wipe(&opened);
	return 0;
}

static int open_as(const struct seal_key *with, const char *about)
{
	return seal_open(with, about, sealed.data, sealed.size, &opened, &err);
}

static void it_opens_as_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(sealed.size, 13 + SEAL_OVERHEAD);
	assert_null(memmem(sealed.data, sealed.size, "postgres", 8));
	assert_int_equal(open_as(&key, "shop prod/db 1"), 0);
	assert_string_equal(buf_text(&opened), "postgres://me");
}

static void another_key_or_name_does_not_open_it(void **state)
{
	(void)state;
	assert_int_equal(open_as(&other, "shop prod/db 1"), ERR_CORRUPT);
	assert_int_equal(open_as(&key, "shop prod/db 2"), ERR_CORRUPT);
	assert_int_equal(opened.size, 0);
}

static void every_bit_counts(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < sealed.size * 8; bit++) {
		sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(open_as(&key, "shop prod/db 1"), ERR_CORRUPT);
		sealed.data[bit / 8] = (char)(sealed.data[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t size = 0; size < sealed.size; size++)
		assert_int_equal(
			seal_open(&key, "shop prod/db 1", sealed.data, size, &opened, &err),
			ERR_CORRUPT);
	assert_int_equal(open_as(&key, "shop prod/db 1"), 0);
}

/* As another implementation has it (Python's cryptography), so that what is in a store opens tomorrow as well. */
static void the_form_stays(void **state)
{
	static const uint8_t expected[] = {1,   9,   8,   7,   0,   0,   0,   0,  0,   0,   0,
					   0,   0,   120, 117, 191, 160, 43,  28, 198, 230, 211,
					   174, 211, 148, 40,  14,  9,   253, 68, 40,  251, 213,
					   202, 123, 95,  234, 51,  198, 105, 16, 186};
	(void)state;
	assert_int_equal(sealed.size, sizeof expected);
	assert_memory_equal(sealed.data, expected, sizeof expected);
}

static void marks_tell_values_apart(void **state)
{
	(void)state;
	struct digest a = seal_mark(&key, "a", 1), again = seal_mark(&key, "a", 1),
		      b = seal_mark(&key, "b", 1), elsewhere = seal_mark(&other, "a", 1);
	char hex[DIGEST_HEX_SIZE];
	assert_string_equal(digest_format(&a, hex),
			    "b937265e09a823d029109cd38c7ce6f3fcd10d381ce4402d0d49703f78a7b0fd");
	assert_true(digest_equal(&a, &again));
	assert_false(digest_equal(&a, &b));
	assert_false(digest_equal(&a, &elsewhere));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_opens_as_what_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_key_or_name_does_not_open_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(every_bit_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_form_stays, set_up, tear_down),
		cmocka_unit_test(marks_tell_values_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
