/* SPDX-License-Identifier: Apache-2.0
 *
 * table_reader - values out of the JSON of a gateway's table, with the path of each in what is refused.
 *
 * HOW   A reader that has failed does nothing more: every step can be written down without looking back, and
 *       the first sentence is the one that is reported. A key that is not there leaves what it would set.
 * OWNS  The caller owns all; a reader has no memory of its own.
 * ERRORS ERR_INVALID in `err`, at "FILE: environments[0].tls.key".
 * SEE   gateway/table_file.h
 */
#ifndef GATEWAY_TABLE_READER_H
#define GATEWAY_TABLE_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "link/table.h"

enum { TABLE_READER_PATH_SIZE = 160 };

struct table_reader {
	const char *file;
	struct gateway_table *table;
	struct error *err;
	int failed;
	char path[TABLE_READER_PATH_SIZE]; /* of the value that is being read */
};

/* Fail with this sentence about `key` of what the path names; "" for that itself. */
void reader_refuse(struct table_reader *r, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Go one step down in the path; returns where reader_leave() cuts it again. */
size_t reader_enter(struct table_reader *r, const char *key, size_t index);
void reader_leave(struct table_reader *r, size_t size);

/* `object` is an object and has no key but these (ended by NULL). */
bool reader_known_keys(struct table_reader *r, const json_t *object, const char *const *keys);

/* The value under `key`, or NULL; with `must` a missing one is refused. */
const char *reader_string(struct table_reader *r, const json_t *object, const char *key, bool must);
const json_t *reader_array(struct table_reader *r, const json_t *object, const char *key,
			   bool must);

/* An object under `key` that has no key but these, or NULL. */
const json_t *reader_object(struct table_reader *r, const json_t *object, const char *key,
			    const char *const *keys);

void reader_text(struct table_reader *r, const json_t *object, const char *key, bool must, char *to,
		 size_t size);
void reader_u32(struct table_reader *r, const json_t *object, const char *key, uint32_t *to);
void reader_bool(struct table_reader *r, const json_t *object, const char *key, bool *to);
void reader_duration(struct table_reader *r, const json_t *object, const char *key,
		     uint32_t *to_ms);
void reader_size(struct table_reader *r, const json_t *object, const char *key, uint32_t *to);
void reader_share(struct table_reader *r, const json_t *object, const char *key, uint32_t *to_bp);

/* The listener of this address in the table, which gets one where it has none. */
uint16_t reader_listener(struct table_reader *r, const char *key, const char *address);

/* Exactly `size` bytes in lower-case hex digits. */
void reader_hex(struct table_reader *r, const json_t *object, const char *key, uint8_t *to,
		size_t size);

#endif
