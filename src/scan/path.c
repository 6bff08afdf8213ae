/* SPDX-License-Identifier: Apache-2.0
 * path - see path.h for the contract. */
#include "scan/path.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Of a scan of what runs. A file is none: its URL was taken off, or is a strange name. */
static bool is_url(const char *path)
{
	const char *p = path;
	while (isalnum((unsigned char)*p) || (p > path && strchr("+-.", *p) && *p))
		p++;
	return p - path > 1 && text_starts(p, "://") && !text_starts(path, "file:");
}

bool path_is_absolute(const char *path)
{
	bool drive = isalpha((unsigned char)path[0]) && path[1] == ':' &&
		     (path[2] == '/' || path[2] == '\\');
	return path[0] == '/' || path[0] == '\\' || drive || is_url(path);
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Bytes that cannot be shown become percent escapes. False: too long. */
static bool put_escaped(const char *from, char to[FINDING_PATH_SIZE])
{
	size_t used = 0;
	for (const unsigned char *p = (const unsigned char *)from; *p; p++) {
		bool plain = *p >= 0x20 && *p < 0x7f;
		if (used + (plain ? 1 : 3) >= FINDING_PATH_SIZE)
			return false;
		used += (size_t)snprintf(to + used, FINDING_PATH_SIZE - used,
					 plain ? "%c" : "%%%02X", *p);
	}
	to[used] = '\0';
	return true;
}

bool path_of_name(const char *name, char to[FINDING_PATH_SIZE])
{
	if (!text_is_printable(name))
		return put_escaped(name, to);
	return text_copy(to, FINDING_PATH_SIZE, name);
}

static const char *without_scheme(const char *uri)
{
	if (text_starts(uri, "file://")) {
		uri += strlen("file://");
		const char *slash = strchr(uri, '/'); /* a host says nothing of the place */
		uri = slash ? slash : uri;
		bool drive = uri[0] == '/' && isalpha((unsigned char)uri[1]) && uri[2] == ':';
		return drive ? uri + 1 : uri;
	}
	return text_starts(uri, "file:/") ? uri + strlen("file:") : uri;
}

bool path_of_uri(const char *uri, char to[FINDING_PATH_SIZE])
{
	uri = without_scheme(uri);
	if (is_url(uri))
		return path_of_name(uri, to);
	size_t used = 0;
	bool whole = true;
	for (const char *p = uri; *p; p++) {
		if (used == FINDING_PATH_SIZE - 1)
			return false;
		int high = p[0] == '%' ? hex_value(p[1]) : -1,
		    low = high >= 0 ? hex_value(p[2]) : -1;
		to[used] = low >= 0 ? (char)(high * 16 + low) : *p;
		whole = whole && to[used++] != '\0';
		p += low >= 0 ? 2 : 0;
	}
	to[used] = '\0';
	return whole && text_is_printable(to) ? true : put_escaped(uri, to);
}

bool path_put_beneath(char path[FINDING_PATH_SIZE], const char *base)
{
	char whole[2 * FINDING_PATH_SIZE];
	if (path_is_absolute(path) || !base[0])
		return true;
	int length = snprintf(whole, sizeof whole, "%s/%s", base, path);
	if (length < 0 || length >= FINDING_PATH_SIZE)
		return false;
	memcpy(path, whole, (size_t)length + 1);
	return true;
}

/* Where the last name of what is written begins, 0 when there is none to take off. */
static bool drop_last(const char *path, size_t least, size_t *used)
{
	size_t at = *used;
	if (at == least)
		return false;
	while (at > least && path[at - 1] != '/')
		at--;
	if (*used - at == 2 && memcmp(path + at, "..", 2) == 0)
		return false;
	*used = at > least ? at - 1 : least;
	return true;
}

void path_normalise(char path[FINDING_PATH_SIZE], const char *root)
{
	if (is_url(path))
		return;
	for (char *p = path; *p; p++)
		if (*p == '\\')
			*p = '/';
	size_t least = path[0] == '/', used = least;
	for (const char *p = path, *end; *p; p = end) {
		p += strspn(p, "/");
		end = p + strcspn(p, "/");
		size_t size = (size_t)(end - p);
		bool up = size == 2 && memcmp(p, "..", 2) == 0;
		if (size == 0 || (size == 1 && p[0] == '.') ||
		    (up && (drop_last(path, least, &used) || least)))
			continue;
		if (used > least)
			path[used++] = '/';
		memmove(path + used, p, size);
		used += size;
	}
	path[used] = '\0';
	size_t size = root ? strlen(root) : 0;
	if (size > 0 && strncmp(path, root, size) == 0 && path[size] == '/')
		memmove(path, path + size + 1, used - size);
}

void path_put_uri(struct buf *to, const char *path)
{
	if (is_url(path)) {
		buf_puts(to, path);
		return;
	}
	if (path[0] == '/')
		buf_puts(to, "file://");
	else if (path_is_absolute(path))
		buf_puts(to, "file:///");
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		bool colon = *p == ':' && path_is_absolute(path);
		if (isalnum(*p) || strchr("-._~/", *p) || colon)
			buf_append(to, p, 1);
		else
			buf_printf(to, "%%%02X", *p);
	}
}
