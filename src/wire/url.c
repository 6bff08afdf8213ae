/* SPDX-License-Identifier: Apache-2.0
 * url - see url.h for the contract. */
#include "wire/url.h"

#include <string.h>

#include "wire/chars.h"

bool url_path_under(const char *path, size_t path_size, const char *prefix, size_t prefix_size)
{
	if (prefix_size > 0 && prefix[prefix_size - 1] == '/')
		prefix_size--;
	if (path_size < prefix_size || memcmp(path, prefix, prefix_size) != 0)
		return false;
	return path_size == prefix_size || prefix_size == 0 || path[prefix_size] == '/';
}

bool url_host_is(const char *authority, size_t size, const char *name, size_t name_size)
{
	size_t end = size;
	while (end > 0 && char_is_digit(authority[end - 1]))
		end--;
	/* Digits after a colon are a port; a bare IPv6 address cannot occur, it wears brackets. */
	if (end > 0 && authority[end - 1] == ':')
		size = end - 1;
	if (size > 0 && authority[size - 1] == '.')
		size--;
	return chars_equal(authority, size, name, name_size);
}
