/* SPDX-License-Identifier: Apache-2.0
 * test_cidr - networks are read exactly, or refused; who is in them. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/cidr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool within(const char *network, const char *address)
{
	struct cidr c;
	uint8_t bytes[CIDR_ADDRESS_SIZE];
	assert_true(cidr_parse(network, &c));
	assert_true(cidr_address(address, bytes));
	return cidr_holds(&c, bytes);
}

static void the_bits_of_the_mask_decide(void **state)
{
	(void)state;
	static const struct {
		const char *network, *in, *out;
	} cases[] = {
		{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
		{"10.1.2.3/8", "10.0.0.1", "9.255.255.255"},
		{"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
		{"192.0.2.4/31", "192.0.2.5", "192.0.2.6"},
		{"192.0.2.7", "192.0.2.7", "192.0.2.6"},
		{"192.0.2.7/32", "192.0.2.7", "192.0.2.5"},
		{"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
		{"2001:db8::/29", "2001:dbf::1", "2001:dc0::"},
		{"::1", "::1", "::2"},
		{"0.0.0.0/0", "255.1.2.3", "2001:db8::1"},
		/* What a socket of both families says of a client of IPv4. */
		{"10.0.0.0/8", "::ffff:10.1.1.1", "::ffff:11.1.1.1"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(within(cases[i].network, cases[i].in));
		assert_false(within(cases[i].network, cases[i].out));
	}
	assert_true(within("::/0", "10.0.0.1"));
}

static void what_is_no_network_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",       "10.0.0.0/", "10.0.0.0/33", "10.0.0/8",    "10.0.0.0/-1", "10.0.0.0/8x",
		"::/129", "host/8",    "/8",          "10.0.0.0 /8", "unix",        "1.2.3.4/8/8"};
	struct cidr c, before;
	memset(&before, 7, sizeof before);
	for (size_t i = 0; i < COUNT(bad); i++) {
		c = before;
		assert_false(cidr_parse(bad[i], &c));
		assert_memory_equal(&c, &before, sizeof c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_bits_of_the_mask_decide),
					   cmocka_unit_test(what_is_no_network_is_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
