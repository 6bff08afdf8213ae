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

#define IPV4_ENDS "\xc0\x00\x02\x01\xcb\x00\x71\x07\xa6\x52\x15\x38"

/* What is read of it, and that none of its beginnings is more than a beginning. */
static struct proxy2 read_whole(const char *bytes, size_t size)
{
	struct proxy2 p, ignored;
	uint8_t more[PROXY2_READ_MAX + 1];
	memcpy(more, bytes, size);
	more[size] = 'x'; /* what comes after it is not its own */
	assert_int_equal(proxy2_read(more, size + 1, &p), size);
	for (size_t part = 0; part < size; part++)
		assert_int_equal(proxy2_read(more, part, &ignored), 0);
	return p;
}

#define READ(bytes) read_whole(bytes, sizeof(bytes) - 1)

static void what_is_written_is_read(void **state)
{
	(void)state;
	struct proxy2 p = READ(SIGNATURE "\x21\x11\x00\x0c" IPV4_ENDS);
	uint8_t address[CIDR_ADDRESS_SIZE];
	assert_true(p.known);
	assert_true(cidr_address("192.0.2.1", address));
	assert_memory_equal(p.from.address, address, sizeof(address));
	assert_true(cidr_address("203.0.113.7", address));
	assert_memory_equal(p.to.address, address, sizeof(address));
	assert_int_equal(p.from.port, 42578);
	assert_int_equal(p.to.port, 5432);
	p = READ(SIGNATURE "\x21\x11\x00\x13" IPV4_ENDS "\x02\x00\x01h\x04\x00\x00");
	assert_true(p.known); /* with two extensions */
	static const char ipv6[] =
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01";
	char header[52] = SIGNATURE "\x21\x21\x00\x24";
	memcpy(header + 16, ipv6, 16);
	p = read_whole(header, sizeof(header));
	assert_true(p.known);
	assert_memory_equal(p.from.address, ipv6, 16);
}

static void ends_may_be_left_unknown(void **state)
{
	(void)state;
	char paths[16 + 216] = SIGNATURE "\x21\x31\x00\xd8";
	assert_false(READ(SIGNATURE "\x21\x00\x00\x00").known);
	assert_false(READ(SIGNATURE "\x21\x00\x00\x03xyz").known);
	assert_false(READ(SIGNATURE "\x20\x00\x00\x00").known);
	assert_false(READ(SIGNATURE "\x20\x11\x00\x0c" IPV4_ENDS).known);
	assert_false(read_whole(paths, sizeof(paths)).known);
}

static void what_is_no_header_is_refused_at_the_byte_that_shows_it(void **state)
{
	static const struct {
		const char *bytes;
		size_t size, at; /* so many of them are a beginning still */
	} refused[] = {
#define REFUSED(bytes, at) {bytes, sizeof(bytes) - 1, at}
		REFUSED("PROXY TCP4 192.0.2.1 203.0.113.7 1 2\r\n", 0),
		REFUSED("\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0d", 11),
		REFUSED(SIGNATURE "\x11\x11\x00\x0c" IPV4_ENDS, 12), /* version 1 */
		REFUSED(SIGNATURE "\x22\x11\x00\x0c" IPV4_ENDS, 12), /* no such command */
		REFUSED(SIGNATURE "\x21\x12\x00\x0c" IPV4_ENDS, 13), /* datagrams */
		REFUSED(SIGNATURE "\x21\x41\x00\x0c" IPV4_ENDS, 13), /* no such family */
		REFUSED(SIGNATURE "\x21\x11\x00\x0b" IPV4_ENDS,
			15), /* too short for its addresses */
		REFUSED(SIGNATURE "\x21\x11\x03\xf1" IPV4_ENDS, 15), /* longer than is read */
		REFUSED(SIGNATURE "\x21\x11\x00\x0e" IPV4_ENDS "\x04\x00", 29),
		REFUSED(SIGNATURE "\x21\x11\x00\x0f" IPV4_ENDS "\x04\x00\x01", 30),
	};
	struct proxy2 p;
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const uint8_t *bytes = (const uint8_t *)refused[i].bytes;
		assert_int_equal(proxy2_read(bytes, refused[i].at, &p), 0);
		for (size_t part = refused[i].at + 1; part <= refused[i].size; part++)
			assert_int_equal(proxy2_read(bytes, part, &p), ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_takes_12_bytes_of_addresses),
		cmocka_unit_test(ipv6_takes_36),
		cmocka_unit_test(of_both_families_it_is_one_of_ipv6),
		cmocka_unit_test(who_is_not_known_is_not_named),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(ends_may_be_left_unknown),
		cmocka_unit_test(what_is_no_header_is_refused_at_the_byte_that_shows_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
