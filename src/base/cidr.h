/* SPDX-License-Identifier: Apache-2.0
 *
 * cidr - networks as people write them, "10.0.0.0/8" and "2001:db8::/32" (RFC 4632, RFC 4291), and who is in them.
 *
 * WHAT  An address is 16 bytes; one of IPv4 is ::ffff:a.b.c.d, so that the two families never mix but there, where they
 *       are the same machine.
 * ERRORS A reader returns false for what is not of its form, and writes nothing then.
 */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>

enum { CIDR_ADDRESS_SIZE = 16, CIDR_TEXT_SIZE = 64 };

struct cidr {
	uint8_t bits; /* of the 128 */
	uint8_t address[CIDR_ADDRESS_SIZE];
};

/* An address alone is a network of one. Bits beyond the mask do not matter. */
bool cidr_parse(const char *text, struct cidr *ret_network);
bool cidr_address(const char *text, uint8_t ret_address[CIDR_ADDRESS_SIZE]);
bool cidr_holds(const struct cidr *network, const uint8_t address[CIDR_ADDRESS_SIZE]);

#endif
