/* SPDX-License-Identifier: Apache-2.0
 * test_proxy2 - the header to the byte, as section 2.2 of the protocol lays it out. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/cidr.h"
#include "wire/proxy2.h"

#define SIGNATURE "\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a"

_Static_assert((int)PROXY2_ADDRESS_SIZE == (int)CIDR_ADDRESS_SIZE, "the same bytes");

static void check(const char *from, uint16_t from_port, const char *to, uint16_t to_port,
		  const char *expected, size_t size)
{
	struct proxy2 p = {.known = from != NULL, .from.port = from_port, .to.port = to_port};
	uint8_t bytes[PROXY2_MAX + 1];
	memset(bytes, 0xee, sizeof(bytes));
	if (from) {
		assert_true(cidr_address(from, p.from.address));
		assert_true(cidr_address(to, p.to.address));
	}
	assert_int_equal(proxy2_write(&p, bytes), size);
	assert_memory_equal(bytes, expected, size);
	assert_int_equal(bytes[size], 0xee);
}

static void ipv4_takes_12_bytes_of_addresses(void **state)
{
	static const char expected[] = SIGNATURE "\x21\x11\x00\x0c"
						 "\xc0\x00\x02\x01\xcb\x00\x71\x07"
						 "\xa6\x52\x15\x38";
	(void)state;
	check("192.0.2.1", 42578, "203.0.113.7", 5432, expected, sizeof(expected) - 1);
}

static void ipv6_takes_36(void **state)
{
	static const char expected[] =
		SIGNATURE "\x21\x21\x00\x24"
			  "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
			  "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xfe"
			  "\xff\xff\x00\x50";
	(void)state;
	check("2001:db8::1", 65535, "2001:db8::fffe", 80, expected, sizeof(expected) - 1);
}

static void of_both_families_it_is_one_of_ipv6(void **state)
{
	static const char expected[] =
		SIGNATURE "\x21\x21\x00\x24"
			  "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01"
			  "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
			  "\x00\x01\x00\x02";
	(void)state;
	check("192.0.2.1", 1, "2001:db8::1", 2, expected, sizeof(expected) - 1);
}

static void who_is_not_known_is_not_named(void **state)
{
	static const char expected[] = SIGNATURE "\x21\x00\x00\x00";
	(void)state;
	check(NULL, 0, NULL, 0, expected, sizeof(expected) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_takes_12_bytes_of_addresses),
		cmocka_unit_test(ipv6_takes_36),
		cmocka_unit_test(of_both_families_it_is_one_of_ipv6),
		cmocka_unit_test(who_is_not_known_is_not_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
