/* SPDX-License-Identifier: Apache-2.0
 * query - see query.h for the contract. */
#include "wire/query.h"

#include <string.h>

#include "base/err.h"
#include "wire/chars.h"

static int decode(const char *from, size_t size, char *to, size_t capacity)
{
	size_t used = 0;
	for (size_t i = 0; i < size; i++) {
		char c = from[i];
		if (c == '%') {
			if (size - i < 3 || !char_is(from[i + 1], CHAR_HEX) ||
			    !char_is(from[i + 2], CHAR_HEX))
				return ERR_INVALID;
			c = (char)(char_hex(from[i + 1]) << 4 | char_hex(from[i + 2]));
			i += 2;
		}
		if (c == '\0')
			return ERR_INVALID;
		if (used + 1 >= capacity)
			return ERR_LIMIT;
		to[used++] = c;
	}
	to[used] = '\0';
	return (int)used;
}

int query_value(const char *query, size_t size, const char *name, char *to, size_t capacity)
{
	size_t name_size = strlen(name);
	for (size_t at = 0; at < size;) {
		const char *piece = query + at, *and = memchr(piece, '&', size - at);
		size_t piece_size = and? (size_t)(and-piece) : size - at;
		if (piece_size > name_size && piece[name_size] == '=' &&
		    memcmp(piece, name, name_size) == 0)
			return decode(piece + name_size + 1, piece_size - name_size - 1, to,
				      capacity);
		at += piece_size + 1;
	}
	return ERR_NOT_FOUND;
}

static bool is_local(const char *path)
{
	if (path[0] != '/' || path[1] == '/')
		return false;
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127 || *c == '\\')
			return false;
	return true;
}

int query_local_path(const char *path, char *to, size_t capacity)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t used = 0;
	if (!is_local(path))
		return ERR_INVALID;
	for (const char *c = path; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		bool plain = byte > ' ' && byte < 127;
		if (used + (plain ? 1 : 3) >= capacity)
			return ERR_LIMIT;
		if (plain) {
			to[used++] = *c;
			continue;
		}
		to[used++] = '%';
		to[used++] = hex[byte >> 4];
		to[used++] = hex[byte & 15];
	}
	to[used] = '\0';
	return (int)used;
}
