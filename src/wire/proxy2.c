/* SPDX-License-Identifier: Apache-2.0
 * proxy2 - see proxy2.h for the contract. */
#include "wire/proxy2.h"

#include <string.h>

enum {
	SIGNATURE_SIZE = 12,
	HEAD_SIZE = SIGNATURE_SIZE + 4,
	VERSION_AND_PROXY = 0x21,
	UNSPEC = 0x00,
	TCP_IPV4 = 0x11,
	TCP_IPV6 = 0x21,
	IPV4_SIZE = 4,
	IPV4_AT = PROXY2_ADDRESS_SIZE - IPV4_SIZE, /* within the 16 bytes */
};

static const uint8_t signature[SIGNATURE_SIZE] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
						  0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static bool is_ipv4(const struct proxy2_end *end)
{
	static const uint8_t mapped[IPV4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	return memcmp(end->address, mapped, sizeof(mapped)) == 0;
}

static uint8_t *put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

size_t proxy2_write(const struct proxy2 *p, uint8_t to[PROXY2_MAX])
{
	bool ipv4 = is_ipv4(&p->from) && is_ipv4(&p->to);
	size_t skip = ipv4 ? IPV4_AT : 0, size = PROXY2_ADDRESS_SIZE - skip;
	size_t length = p->known ? 2 * size + 4 : 0;
	memcpy(to, signature, SIGNATURE_SIZE);
	to[SIGNATURE_SIZE] = VERSION_AND_PROXY;
	to[SIGNATURE_SIZE + 1] = !p->known ? UNSPEC : ipv4 ? TCP_IPV4 : TCP_IPV6;
	uint8_t *at = put_u16(to + SIGNATURE_SIZE + 2, (unsigned)length);
	if (!p->known)
		return HEAD_SIZE;
	memcpy(at, p->from.address + skip, size);
	memcpy(at + size, p->to.address + skip, size);
	at = put_u16(at + 2 * size, p->from.port);
	put_u16(at, p->to.port);
	return HEAD_SIZE + length;
}
