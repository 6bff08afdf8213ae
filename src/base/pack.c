/* SPDX-License-Identifier: Apache-2.0
 * pack - see pack.h for the contract. */
#include "base/pack.h"

#include <string.h>

void pack_init(struct packer *p, void *memory, size_t capacity)
{
	*p = (struct packer){.data = memory, .capacity = capacity, .ok = true};
}

void pack_bytes(struct packer *p, const void *bytes, size_t size)
{
	if (!p->ok || size > p->capacity - p->size) {
		p->ok = false;
		return;
	}
	if (size > 0)
		memcpy(p->data + p->size, bytes, size);
	p->size += size;
}

static void pack_number(struct packer *p, uint64_t value, size_t size)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	pack_bytes(p, bytes, size);
}

void pack_u8(struct packer *p, uint8_t value)
{
	pack_number(p, value, 1);
}

void pack_u16(struct packer *p, uint16_t value)
{
	pack_number(p, value, 2);
}

void pack_u32(struct packer *p, uint32_t value)
{
	pack_number(p, value, 4);
}

void pack_u64(struct packer *p, uint64_t value)
{
	pack_number(p, value, 8);
}

void pack_text(struct packer *p, const char *text)
{
	size_t length = strlen(text);
	if (length > UINT16_MAX) {
		p->ok = false;
		return;
	}
	pack_u16(p, (uint16_t)length);
	pack_bytes(p, text, length);
}

void unpack_init(struct unpacker *u, const void *data, size_t size)
{
	*u = (struct unpacker){.data = data, .size = size, .ok = true};
}

void unpack_bytes(struct unpacker *u, void *to, size_t size)
{
	if (!u->ok || size > u->size - u->at) {
		u->ok = false;
		memset(to, 0, size);
		return;
	}
	if (size > 0)
		memcpy(to, u->data + u->at, size);
	u->at += size;
}

static uint64_t unpack_number(struct unpacker *u, size_t size)
{
	uint8_t bytes[8] = {0};
	uint64_t value = 0;
	unpack_bytes(u, bytes, size);
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

uint8_t unpack_u8(struct unpacker *u)
{
	return (uint8_t)unpack_number(u, 1);
}

uint16_t unpack_u16(struct unpacker *u)
{
	return (uint16_t)unpack_number(u, 2);
}

uint32_t unpack_u32(struct unpacker *u)
{
	return (uint32_t)unpack_number(u, 4);
}

uint64_t unpack_u64(struct unpacker *u)
{
	return unpack_number(u, 8);
}

bool unpack_bool(struct unpacker *u)
{
	uint8_t value = unpack_u8(u);
	if (value > 1)
		u->ok = false;
	return value == 1;
}

void unpack_text(struct unpacker *u, char *to, size_t to_size)
{
	size_t length = unpack_u16(u);
	to[0] = '\0';
	if (!u->ok || length >= to_size) {
		u->ok = false;
		return;
	}
	unpack_bytes(u, to, length);
	to[length] = '\0';
	if (!u->ok || memchr(to, '\0', length) != NULL) {
		u->ok = false;
		to[0] = '\0';
	}
}

bool unpack_end(const struct unpacker *u)
{
	return u->ok && u->at == u->size;
}
