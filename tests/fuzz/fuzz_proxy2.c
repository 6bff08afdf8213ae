/* SPDX-License-Identifier: Apache-2.0
 * fuzz_proxy2 - headers of the PROXY protocol. One that is read is read from exactly its bytes, none of its beginnings is
 * refused, and what was read of it is written and read again as the same. */
#include <string.h>

#include "fuzz.h"

#include "wire/proxy2.h"

static void same(const struct proxy2_end *a, const struct proxy2_end *b)
{
	EXPECT(memcmp(a->address, b->address, sizeof(a->address)) == 0 && a->port == b->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy2 p, again;
	uint8_t header[PROXY2_MAX];
	int taken = proxy2_read(data, size, &p);
	size_t whole = taken > 0 ? (size_t)taken : size;
	EXPECT(taken == 0 || taken == ERR_INVALID || whole <= size);
	EXPECT(taken != 0 || size < PROXY2_READ_MAX);
	if (taken == ERR_INVALID)
		return 0;
	for (size_t part = 0; part < whole; part++)
		EXPECT(proxy2_read(data, part, &again) == 0);
	if (taken == 0)
		return 0;
	EXPECT(proxy2_read(data, whole, &again) == taken);
	size_t written = proxy2_write(&p, header);
	EXPECT(written <= whole || !p.known);
	EXPECT(proxy2_read(header, written, &again) == (int)written);
	EXPECT(again.known == p.known);
	same(&again.from, &p.from);
	same(&again.to, &p.to);
	return 0;
}
