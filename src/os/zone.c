/* SPDX-License-Identifier: Apache-2.0
 * zone - see zone.h for the contract. */
#include "os/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum { FILE_MAX = 64 * 1024, HEADER_SIZE = 44, TYPE_SIZE = 6, PATH_SIZE = 256 };

struct header {
	uint32_t ut_count, standard_count, leap_count, time_count, type_count, char_count;
};

static int64_t big_endian(const uint8_t *from, size_t size)
{
	uint64_t value = from[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | from[i];
	return (int64_t)value;
}

static bool read_header(const uint8_t *from, size_t left, struct header *to)
{
	if (left < HEADER_SIZE || memcmp(from, "TZif", 4) != 0 || from[4] < '2')
		return false;
	uint32_t *const fields[] = {&to->ut_count,   &to->standard_count, &to->leap_count,
				    &to->time_count, &to->type_count,     &to->char_count};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		int64_t value = big_endian(from + 20 + 4 * i, 4);
		if (value < 0 || value > FILE_MAX)
			return false;
		*fields[i] = (uint32_t)value;
	}
	return to->type_count > 0;
}

static size_t body_size(const struct header *h, size_t time_size)
{
	return h->time_count * (time_size + 1) + h->type_count * TYPE_SIZE + h->char_count +
	       h->leap_count * (time_size + 4) + h->standard_count + h->ut_count;
}

/* The first part of the file has times of 32 bits, for readers of old; the second one counts. */
static bool find_offset(const uint8_t *file, size_t size, int64_t unix_s, int32_t *ret_offset_s)
{
	struct header h;
	if (!read_header(file, size, &h))
		return false;
	size_t second = HEADER_SIZE + body_size(&h, 4);
	if (second > size || !read_header(file + second, size - second, &h) ||
	    size - second - HEADER_SIZE < body_size(&h, 8))
		return false;
	const uint8_t *times = file + second + HEADER_SIZE, *kinds = times + h.time_count * 8,
		      *types = kinds + h.time_count;
	uint32_t type = 0;
	for (uint32_t i = 0; i < h.time_count && big_endian(times + 8 * i, 8) <= unix_s; i++)
		type = kinds[i];
	if (type >= h.type_count)
		return false;
	*ret_offset_s = (int32_t)big_endian(types + type * TYPE_SIZE, 4);
	return true;
}

int zone_offset(const char *name, int64_t unix_s, int32_t *ret_offset_s, struct error *err)
{
	char path[PATH_SIZE];
	*ret_offset_s = 0;
	if (strcmp(name, "UTC") == 0)
		return 0;
	bool fits =
		(size_t)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name) < sizeof path;
	int fd = fits && !strstr(name, "..") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return error_set(
			err, ERR_NOT_FOUND,
			"This machine knows no time zone \"%s\"; install tzdata, or correct "
			"the name.",
			name);
	uint8_t *file = mem_zero(1, FILE_MAX);
	ssize_t size = read(fd, file, FILE_MAX);
	close(fd);
	bool good = size > 0 && find_offset(file, (size_t)size, unix_s, ret_offset_s);
	free(file);
	return good ? 0
		    : error_set(err, ERR_CORRUPT,
				"The file of the time zone \"%s\" cannot be read; install tzdata "
				"again.",
				name);
}
