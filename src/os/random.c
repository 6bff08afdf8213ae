/* SPDX-License-Identifier: Apache-2.0
 * random - see random.h for the contract. */
#include "os/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/err.h"

void random_bytes(void *to, size_t size)
{
	uint8_t *at = to;
	while (size > 0) {
		ssize_t count = getrandom(at, size, 0);
		if (count < 0 && errno == EINTR)
			continue;
		ASSERT(count > 0);
		at += count;
		size -= (size_t)count;
	}
}

uint64_t random_below(uint64_t bound)
{
	ASSERT(bound > 0);
	uint64_t unfair =
		UINT64_MAX - UINT64_MAX % bound; /* from here up, low values come too often */
	uint64_t value;
	do
		random_bytes(&value, sizeof value);
	while (value >= unfair);
	return value % bound;
}

const char *random_hex(char *to, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	ASSERT(size > 0);
	random_bytes(to, size);
	for (size_t i = 0; i + 1 < size; i++)
		to[i] = digits[(unsigned char)to[i] & 15];
	to[size - 1] = '\0';
	return to;
}
