/* SPDX-License-Identifier: Apache-2.0
 * Tar archives byte by byte, so that a test can write what no tool would. */
#ifndef TESTS_UNIT_OS_TAR_H
#define TESTS_UNIT_OS_TAR_H

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

enum { TAR_BLOCK = 512 };

struct tar_entry {
	const char *name; /* NULL ends a list */
	char type;        /* '0' file, '1' hard link, '2' symbolic link, '5' directory, ... */
	const char *link;
	const char *data;
	const char *claims; /* the size field, when it is not data's; octal */
	unsigned mode;
};

static inline void tar_octal(char *to, size_t size, unsigned long value)
{
	char digits[32];
	snprintf(digits, sizeof digits, "%0*lo", (int)size - 1, value);
	memcpy(to, digits, size);
}

static inline void tar_add(struct buf *b, const struct tar_entry *e)
{
	char block[TAR_BLOCK] = {0};
	size_t size = e->data ? strlen(e->data) : 0, name = strlen(e->name);
	memcpy(block, e->name, name < 100 ? name : 100);
	tar_octal(block + 100, 8, e->mode ? e->mode : 0644);
	tar_octal(block + 108, 8, 0);
	tar_octal(block + 116, 8, 0);
	tar_octal(block + 124, 12, size);
	if (e->claims)
		memcpy(block + 124, e->claims, strlen(e->claims) + 1);
	tar_octal(block + 136, 12, 0);
	block[156] = e->type;
	if (e->link)
		memcpy(block + 157, e->link, strlen(e->link));
	memcpy(block + 257, "ustar", 6);
	memcpy(block + 263, "00", 2);
	memset(block + 148, ' ', 8);
	unsigned long sum = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)block[i];
	tar_octal(block + 148, 7, sum);
	buf_append(b, block, TAR_BLOCK);
	if (size) {
		char padding[TAR_BLOCK] = {0};
		buf_append(b, e->data, size);
		buf_append(b, padding, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
	}
}

static inline void tar_end(struct buf *b)
{
	char zeros[2 * TAR_BLOCK] = {0};
	buf_append(b, zeros, sizeof zeros);
}

#endif
