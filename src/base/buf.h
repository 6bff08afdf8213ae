/* SPDX-License-Identifier: Apache-2.0
 *
 * buf - a growing byte buffer with a ceiling.
 *
 * HOW   buf_init(&b, max); buf_printf(&b, ...); use b.data, b.size; buf_done(&b). The content is always
 *       followed by a NUL that is not counted, so it reads as a string.
 *
 * LIMITS Past `max` bytes nothing more is added and `overflowed` stays set: check it once, at the end.
 *       A real allocation failure aborts (the process is restarted by its parent).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* never NULL after the first append; NUL-terminated */
	size_t size;
	size_t capacity;
	size_t max;
	bool overflowed;
	bool secret; /* memory that it leaves behind is overwritten first */
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* frees; the buffer may be used again after buf_init() */
void buf_wipe(struct buf *b);  /* overwrites, then frees, whatever `secret` says */
void buf_clear(struct buf *b); /* empties, keeps the memory */
void buf_append(struct buf *b, const void *bytes, size_t size);
void buf_puts(struct buf *b, const char *text);
/* In single quotes: a word for /bin/sh, whatever it is. */
void buf_put_shell_word(struct buf *b, const char *word);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
void buf_drop(struct buf *b, size_t count); /* remove `count` bytes from the front */
const char *buf_text(const struct buf *b);  /* "" when empty, never NULL */
char *buf_take(struct buf *b);              /* the caller frees; the buffer is empty afterwards */

/* malloc, calloc, realloc and strdup that never return NULL. */
void *mem_new(size_t size) __attribute__((malloc));
void *mem_zero(size_t count, size_t size) __attribute__((malloc));
void *mem_grow(void *old, size_t size);
char *mem_copy_text(const char *text) __attribute__((malloc));

#endif
