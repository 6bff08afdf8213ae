/* SPDX-License-Identifier: Apache-2.0
 *
 * pack - bounded little-endian writer and reader: the one way in which davit turns structs into bytes
 *        that outlive a process or cross between two.
 *
 * HOW   Write in order, read in the same order, check `ok` once at the end. A reader that ran past its
 *       end returns zeros from there on and has ok == false.
 * OWNS  The caller's memory on both sides. Texts are u16 length + bytes, no NUL inside.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packer {
	uint8_t *data;
	size_t capacity;
	size_t size; /* bytes written */
	bool ok;
};

void pack_init(struct packer *p, void *memory, size_t capacity);
void pack_u8(struct packer *p, uint8_t value);
void pack_u16(struct packer *p, uint16_t value);
void pack_u32(struct packer *p, uint32_t value);
void pack_u64(struct packer *p, uint64_t value);
void pack_bytes(struct packer *p, const void *bytes, size_t size); /* raw, no length */
void pack_text(struct packer *p, const char *text);

struct unpacker {
	const uint8_t *data;
	size_t size;
	size_t at;
	bool ok;
};

void unpack_init(struct unpacker *u, const void *data, size_t size);
uint8_t unpack_u8(struct unpacker *u);
uint16_t unpack_u16(struct unpacker *u);
uint32_t unpack_u32(struct unpacker *u);
uint64_t unpack_u64(struct unpacker *u);
bool unpack_bool(struct unpacker *u); /* 0 or 1; anything else is not ok */
void unpack_bytes(struct unpacker *u, void *to, size_t size);
void unpack_text(struct unpacker *u, char *to, size_t to_size); /* not ok when it does not fit */
bool unpack_end(const struct unpacker *u);                      /* ok, and every byte was read */

#endif
