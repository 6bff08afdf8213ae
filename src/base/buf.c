/* SPDX-License-Identifier: Apache-2.0
 * buf - see buf.h for the contract. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { BUF_FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
	if (b->secret && b->data)
		explicit_bzero(b->data, b->capacity);
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->capacity);
	buf_done(b);
}

void buf_clear(struct buf *b)
{
	b->size = 0;
	b->overflowed = false;
	if (b->data)
		b->data[0] = '\0';
}

/* What realloc() would leave in the heap. */
static char *move_secret(struct buf *b, size_t capacity)
{
	char *to = mem_new(capacity);
	if (!b->data)
		return to;
	memcpy(to, b->data, b->size + 1);
	explicit_bzero(b->data, b->capacity);
	free(b->data);
	return to;
}

static bool reserve(struct buf *b, size_t more)
{
	if (b->overflowed || more > b->max - b->size) {
		b->overflowed = true;
		return false;
	}
	size_t need = b->size + more + 1;
	if (need <= b->capacity)
		return true;
	size_t capacity = b->capacity ? b->capacity : BUF_FIRST;
	while (capacity < need)
		capacity *= 2;
	b->data = b->secret ? move_secret(b, capacity) : mem_grow(b->data, capacity);
	b->capacity = capacity;
	return true;
}

void buf_append(struct buf *b, const void *bytes, size_t size)
{
	if (!reserve(b, size))
		return;
	if (size > 0)
		memcpy(b->data + b->size, bytes, size);
	b->size += size;
	b->data[b->size] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	ASSERT(size >= 0);
	if (reserve(b, (size_t)size)) {
		vsnprintf(b->data + b->size, (size_t)size + 1, format, again);
		b->size += (size_t)size;
	}
	va_end(again);
}

void buf_put_shell_word(struct buf *b, const char *word)
{
	buf_puts(b, "'");
	for (; *word; word++)
		buf_append(b, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
	buf_puts(b, "'");
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

void buf_drop(struct buf *b, size_t count)
{
	ASSERT(count <= b->size);
	if (count == 0)
		return;
	memmove(b->data, b->data + count, b->size - count + 1);
	b->size -= count;
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *data = b->data ? b->data : mem_copy_text("");
	*b = (struct buf){.max = b->max};
	return data;
}

static void *checked(void *pointer)
{
	if (!pointer) {
		fputs("davit: out of memory\n", stderr);
		abort();
	}
	return pointer;
}

void *mem_new(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *mem_zero(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *old, size_t size)
{
	return checked(realloc(old, size ? size : 1));
}

char *mem_copy_text(const char *text)
{
	return checked(strdup(text));
}
