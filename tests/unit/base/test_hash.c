/* SPDX-License-Identifier: Apache-2.0
 * test_hash - the vector of the SipHash paper, appendix A, and FIPS 180-2's for SHA-256. */
#include "../cmocka_all.h"

#include "base/digest.h"
#include "base/hash.h"

static void siphash_gives_the_value_of_its_paper(void **state)
{
	(void)state;
	uint8_t key[16], message[15];
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		message[i] = i;
	assert_true(hash_keyed(key, message, 15) == 0xa129ca6149be45e5u);
}

static void sha256_of_abc(void **state)
{
	(void)state;
	char hex[DIGEST_HEX_SIZE];
	struct digest d = digest_of("abc", 3), back;
	digest_format(&d, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(digest_parse(hex, &back));
	assert_true(digest_equal(&d, &back));
	hex[5] = 'G';
	assert_false(digest_parse(hex, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_value_of_its_paper),
		cmocka_unit_test(sha256_of_abc),
	};
	return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
