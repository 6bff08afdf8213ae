/* SPDX-License-Identifier: Apache-2.0
 * The digest against the words of FIPS 180-4 and RFC 4231. */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void in_pieces_it_is_what_it_is_whole(void **state)
{
	(void)state;
	char whole[DIGEST_HEX_SIZE];
	struct digest digest = digest_of("abc", 3);
	assert_string_equal(digest_format(&digest, whole),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	struct digest again;
	assert_true(digest_parse(whole, &again));
	assert_true(digest_equal(&digest, &again));
	again.bytes[DIGEST_SIZE - 1] ^= 1;
	assert_false(digest_equal(&digest, &again));
	whole[0] = 'B';
	assert_false(digest_parse(whole, &again));
}

static void a_key_makes_it_what_rfc_4231_says(void **state)
{
	(void)state;
	static const char text[] = "what do ya want for nothing?";
	char hex[DIGEST_HEX_SIZE];
	struct digest keyed = digest_keyed("Jefe", 4, text, strlen(text));
	assert_string_equal(digest_format(&keyed, hex),
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	unsigned char key[131];
	memset(key, 0xaa, sizeof key);
	static const char larger[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	keyed = digest_keyed(key, sizeof key, larger, strlen(larger));
	assert_string_equal(digest_format(&keyed, hex),
			    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_pieces_it_is_what_it_is_whole),
		cmocka_unit_test(a_key_makes_it_what_rfc_4231_says),
	};
	return cmocka_run_group_tests_name("base/digest", tests, NULL, NULL);
}
