/* SPDX-License-Identifier: Apache-2.0
 * address - see address.h for the contract. */
#include "scan/address.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"

static const char SCHEME[] = "http://";
static const char SHOWN[] = "$URL";

/* Not a part of a longer number, before it or after it. */
static bool is_whole(const char *text, const char *at, size_t size)
{
	bool begins = at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '.');
	return begins && !isdigit((unsigned char)at[size]);
}

void address_hide(char *text, const char *address)
{
	size_t size = strlen(address), scheme = sizeof SCHEME - 1;
	char *at = text;
	ASSERT(size >= sizeof SHOWN);
	while ((at = strstr(at, address))) {
		char *begin = at;
		if (!is_whole(text, at, size)) {
			at++;
			continue;
		}
		if ((size_t)(at - text) >= scheme && memcmp(at - scheme, SCHEME, scheme) == 0)
			begin -= scheme;
		memcpy(begin, SHOWN, sizeof SHOWN - 1);
		begin += sizeof SHOWN - 1;
		memmove(begin, at + size, strlen(at + size) + 1);
		at = begin;
	}
}
