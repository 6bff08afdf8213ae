/* SPDX-License-Identifier: Apache-2.0
 * cidr - see cidr.h for the contract. */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

enum { FOUR_AT = 12, FOUR_BITS = 32, ALL_BITS = 128 };

bool cidr_address(const char *text, uint8_t ret_address[CIDR_ADDRESS_SIZE])
{
	uint8_t bytes[CIDR_ADDRESS_SIZE] = {[10] = 0xff, [11] = 0xff};
	bool four = strchr(text, ':') == NULL;
	if (inet_pton(four ? AF_INET : AF_INET6, text, four ? bytes + FOUR_AT : bytes) != 1)
		return false;
	memcpy(ret_address, bytes, sizeof bytes);
	return true;
}

bool cidr_parse(const char *text, struct cidr *ret_network)
{
	char address[CIDR_TEXT_SIZE];
	struct cidr network = {.bits = ALL_BITS};
	uint64_t bits = 0;
	if (!text_copy(address, sizeof address, text))
		return false;
	char *slash = strchr(address, '/');
	if (slash)
		*slash = '\0';
	bool four = strchr(address, ':') == NULL;
	if (!cidr_address(address, network.address))
		return false;
	if (slash) {
		if (!text_parse_u64(slash + 1, four ? FOUR_BITS : ALL_BITS, &bits))
			return false;
		network.bits = (uint8_t)(four ? ALL_BITS - FOUR_BITS + bits : bits);
	}
	*ret_network = network;
	return true;
}

bool cidr_holds(const struct cidr *network, const uint8_t address[CIDR_ADDRESS_SIZE])
{
	uint32_t whole = network->bits / 8, rest = network->bits % 8;
	if (memcmp(network->address, address, whole) != 0)
		return false;
	if (!rest)
		return true;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));
	return ((network->address[whole] ^ address[whole]) & mask) == 0;
}
