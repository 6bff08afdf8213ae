/* SPDX-License-Identifier: Apache-2.0
 * proxy2 - see proxy2.h for the contract. */
#include "wire/proxy2.h"

#include <string.h>

enum {
	SIGNATURE_SIZE = 12,
	HEAD_SIZE = SIGNATURE_SIZE + 4,
	VERSION_AND_LOCAL = 0x20,
	VERSION_AND_PROXY = 0x21,
	UNSPEC = 0x00,
	TCP_IPV4 = 0x11,
	TCP_IPV6 = 0x21,
	UNIX_STREAM = 0x31,
	UNIX_SIZE = 216, /* of both paths */
	TLV_HEAD = 3,
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

static unsigned get_u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* Bytes of addresses of a family and transport that may be told, or -1. */
static int addresses_size(unsigned command, unsigned family)
{
	if (command == VERSION_AND_LOCAL)
		return 0; /* whatever it says, it is not to be looked at */
	switch (family) {
	case UNSPEC: return 0;
	case TCP_IPV4: return 2 * IPV4_SIZE + 4;
	case TCP_IPV6: return 2 * PROXY2_ADDRESS_SIZE + 4;
	case UNIX_STREAM: return UNIX_SIZE;
	default: return -1;
	}
}

static void take_ends(const uint8_t *at, bool ipv4, struct proxy2 *to)
{
	size_t skip = ipv4 ? IPV4_AT : 0, size = PROXY2_ADDRESS_SIZE - skip;
	struct proxy2_end *ends[] = {&to->from, &to->to};
	for (int i = 0; i < 2; i++) {
		if (ipv4)
			memset(ends[i]->address + IPV4_AT - 2, 0xff, 2);
		memcpy(ends[i]->address + skip, at + (size_t)i * size, size);
		ends[i]->port = (uint16_t)get_u16(at + 2 * size + 2 * (size_t)i);
	}
	to->known = true;
}

static bool tlvs_whole(const uint8_t *at, size_t size)
{
	while (size >= TLV_HEAD && size - TLV_HEAD >= get_u16(at + 1)) {
		size_t whole = TLV_HEAD + get_u16(at + 1);
		at += whole;
		size -= whole;
	}
	return size == 0;
}

int proxy2_read(const uint8_t *data, size_t size, struct proxy2 *ret_proxy)
{
	size_t seen = size < SIGNATURE_SIZE ? size : SIGNATURE_SIZE;
	if (memcmp(data, signature, seen) != 0)
		return ERR_INVALID;
	unsigned command = size > SIGNATURE_SIZE ? data[SIGNATURE_SIZE] : VERSION_AND_PROXY;
	unsigned family = size > SIGNATURE_SIZE + 1 ? data[SIGNATURE_SIZE + 1] : UNSPEC;
	int least = addresses_size(command, family);
	if ((command != VERSION_AND_PROXY && command != VERSION_AND_LOCAL) || least < 0)
		return ERR_INVALID;
	if (size < HEAD_SIZE)
		return 0;
	size_t length = get_u16(data + SIGNATURE_SIZE + 2);
	if (length < (size_t)least || length > PROXY2_READ_MAX - HEAD_SIZE)
		return ERR_INVALID;
	if (size < HEAD_SIZE + length)
		return 0;
	const uint8_t *at = data + HEAD_SIZE;
	bool extends = command == VERSION_AND_PROXY && family != UNSPEC;
	if (extends && !tlvs_whole(at + least, length - (size_t)least))
		return ERR_INVALID;
	*ret_proxy = (struct proxy2){0};
	if (extends && family != UNIX_STREAM)
		take_ends(at, family == TCP_IPV4, ret_proxy);
	return (int)(HEAD_SIZE + length);
}
