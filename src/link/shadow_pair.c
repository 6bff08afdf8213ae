/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow_pair - see shadow_pair.h for the contract.
 */
#include "link/shadow_pair.h"

#include <string.h>

#include "base/pack.h"

static void write_side(struct packer *p, const struct shadow_side *side)
{
	pack_u16(p, side->status);
	pack_u64(p, side->first_us);
	pack_u64(p, side->body_bytes);
	pack_u8(p, side->cut);
	pack_u32(p, side->body_size);
	pack_bytes(p, side->body, side->body_size);
}

size_t shadow_pair_write(const struct shadow_pair *pair, void *to, size_t capacity)
{
	struct packer p;
	pack_init(&p, to, capacity);
	pack_u8(&p, SHADOW_PAIR_ABI);
	pack_text(&p, pair->app);
	pack_text(&p, pair->environment);
	pack_bytes(&p, pair->release.bytes, sizeof(pair->release.bytes));
	pack_u8(&p, pair->noise);
	pack_text(&p, pair->method);
	pack_text(&p, pair->path);
	pack_u8(&p, pair->body_differs);
	pack_u8(&p, (uint8_t)pair->field_count);
	for (uint32_t i = 0; i < pair->field_count; i++) {
		pack_text(&p, pair->fields[i].name);
		pack_text(&p, pair->fields[i].value[0]);
		pack_text(&p, pair->fields[i].value[1]);
	}
	write_side(&p, &pair->sides[0]);
	write_side(&p, &pair->sides[1]);
	return p.ok ? p.size : 0;
}

static void read_side(struct unpacker *u, struct shadow_side *side)
{
	side->status = unpack_u16(u);
	side->first_us = unpack_u64(u);
	side->body_bytes = unpack_u64(u);
	side->cut = unpack_bool(u);
	side->body_size = unpack_u32(u);
	if (side->body_size > SHADOW_BODY_MAX || side->body_size > u->size - u->at ||
	    side->body_size > side->body_bytes)
		u->ok = false;
	if (!u->ok) {
		side->body_size = 0;
		return;
	}
	side->body = (const char *)u->data + u->at;
	u->at += side->body_size;
}

int shadow_pair_read(const void *bytes, size_t size, struct shadow_pair *ret_pair,
		     struct error *err)
{
	struct unpacker u;
	unpack_init(&u, bytes, size);
	memset(ret_pair, 0, sizeof(*ret_pair));
	if (unpack_u8(&u) != SHADOW_PAIR_ABI)
		u.ok = false;
	unpack_text(&u, ret_pair->app, sizeof(ret_pair->app));
	unpack_text(&u, ret_pair->environment, sizeof(ret_pair->environment));
	unpack_bytes(&u, ret_pair->release.bytes, sizeof(ret_pair->release.bytes));
	ret_pair->noise = unpack_bool(&u);
	unpack_text(&u, ret_pair->method, sizeof(ret_pair->method));
	unpack_text(&u, ret_pair->path, sizeof(ret_pair->path));
	ret_pair->body_differs = unpack_bool(&u);
	ret_pair->field_count = unpack_u8(&u);
	if (ret_pair->field_count > SHADOW_FIELDS_MAX)
		ret_pair->field_count = 0, u.ok = false;
	for (uint32_t i = 0; i < ret_pair->field_count; i++) {
		struct shadow_field *f = &ret_pair->fields[i];
		unpack_text(&u, f->name, sizeof(f->name));
		unpack_text(&u, f->value[0], sizeof(f->value[0]));
		unpack_text(&u, f->value[1], sizeof(f->value[1]));
	}
	read_side(&u, &ret_pair->sides[0]);
	read_side(&u, &ret_pair->sides[1]);
	if (!unpack_end(&u))
		return error_set(err, ERR_CORRUPT, "That is not a pair of answers.");
	return 0;
}

bool shadow_field_hidden(const char *name)
{
	static const char *const parts[] = {"cookie", "authoriz",  "authenticat", "token",
					    "secret", "session",   "api-key",     "apikey",
					    "passw",  "credential"};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]))
			return true;
	return false;
}
