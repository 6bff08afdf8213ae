/* SPDX-License-Identifier: Apache-2.0
 * schema - see schema.h for the contract. What holds for every table; the tables are in keys.c. */
#include "config/schema.h"

#include <string.h>

#include "base/err.h"
#include "config/app.h"
#include "config/value.h"

const struct schema_key *schema_find(const struct schema_section *section, const char *name)
{
	for (uint32_t i = 0; i < section->count; i++)
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	return NULL;
}

uint32_t schema_bit(const struct schema_section *section, const struct schema_key *key)
{
	return 1u << (uint32_t)(key - section->keys);
}

size_t schema_size(const struct schema_key *key)
{
	switch (key->type) {
	case SCHEMA_TEXT: return sizeof(const char *);
	case SCHEMA_NUMBER:
	case SCHEMA_REQUESTS:
	case SCHEMA_MILLI:
	case SCHEMA_SHARE:
	case SCHEMA_CHOICE:
	case SCHEMA_FLAGS: return sizeof(uint32_t);
	case SCHEMA_DURATION:
	case SCHEMA_SIZE: return sizeof(uint64_t);
	case SCHEMA_BOOL: return sizeof(bool);
	case SCHEMA_TEXTS: return sizeof(struct app_texts);
	case SCHEMA_SHARES: return sizeof(struct app_shares);
	case SCHEMA_ENV: return sizeof(struct app_env);
	case SCHEMA_SECTION:
	case SCHEMA_LIST:
	case SCHEMA_MAP: break;
	}
	return 0;
}

void *schema_at(const struct schema_key *key, const void *base)
{
	return (char *)base + key->offset;
}

uint32_t schema_count(const struct schema_key *key, const void *base)
{
	uint32_t count;
	memcpy(&count, (const char *)base + key->count_offset, sizeof count);
	return count;
}

void *schema_item(const struct schema_key *key, const void *base, uint32_t index)
{
	return (char *)base + key->offset + index * key->item_size;
}

static void merge_env(struct app_env *base, const struct app_env *over)
{
	for (uint32_t i = 0; i < over->count; i++) {
		uint32_t at = 0;
		while (at < base->count && strcmp(base->items[at].name, over->items[i].name) != 0)
			at++;
		if (at == APP_ENV_MAX) /* the checks of a whole file refuse it before */
			continue;
		base->items[at] = over->items[i];
		if (at == base->count)
			base->count++;
	}
}

static const char *name_of(const void *item)
{
	const char *name;
	memcpy(&name, (const char *)item + sizeof(char *), sizeof name);
	return name;
}

static void merge_named(const struct schema_key *key, void *base, const void *over)
{
	uint32_t count = schema_count(key, base);
	for (uint32_t i = 0; i < schema_count(key, over); i++) {
		const void *item = schema_item(key, over, i);
		uint32_t at = 0;
		while (at < count &&
		       strcmp(name_of(schema_item(key, base, at)), name_of(item)) != 0)
			at++;
		if (at == key->max) /* the checks of a whole file refuse it before */
			continue;
		memcpy(schema_item(key, base, at), item, key->item_size);
		count += at == count;
	}
	memcpy((char *)base + key->count_offset, &count, sizeof count);
}

static void merge_key(const struct schema_key *key, void *base, const void *over)
{
	void *to = schema_at(key, base);
	const void *from = schema_at(key, over);
	uint32_t count;
	switch (key->type) {
	case SCHEMA_SECTION: schema_merge(key->section, to, from); return;
	case SCHEMA_ENV: merge_env(to, from); return;
	case SCHEMA_LIST:
	case SCHEMA_MAP:
		if (key->flags & SCHEMA_BY_NAME) {
			merge_named(key, base, over);
			return;
		}
		count = schema_count(key, over);
		memcpy(to, from, count * key->item_size);
		memcpy((char *)base + key->count_offset, &count, sizeof count);
		return;
	case SCHEMA_TEXT:
	case SCHEMA_NUMBER:
	case SCHEMA_REQUESTS:
	case SCHEMA_MILLI:
	case SCHEMA_DURATION:
	case SCHEMA_SHARE:
	case SCHEMA_SIZE:
	case SCHEMA_BOOL:
	case SCHEMA_CHOICE:
	case SCHEMA_FLAGS:
	case SCHEMA_TEXTS:
	case SCHEMA_SHARES: memcpy(to, from, schema_size(key)); return;
	}
}

static void clear_key(const struct schema_key *key, void *base)
{
	if (key->type == SCHEMA_SECTION)
		memset(schema_at(key, base), 0, sizeof(uint32_t));
	else
		memset(schema_at(key, base), 0, schema_size(key));
}

void schema_merge(const struct schema_section *section, void *base, const void *over)
{
	uint32_t written, set;
	memcpy(&written, over, sizeof written);
	memcpy(&set, base, sizeof set);
	for (uint32_t i = 0; i < section->count; i++) {
		uint32_t bit = 1u << i;
		/* One of several replaces whichever was there. */
		bool replaced = (section->one_of & bit) && (written & section->one_of) &&
				!(written & bit) && (set & bit);
		if (replaced) {
			clear_key(&section->keys[i], base);
			set &= ~bit;
		}
		if (written & bit)
			merge_key(&section->keys[i], base, over);
	}
	set |= written;
	memcpy(base, &set, sizeof set);
}

static bool is_list_of_words(const struct schema_key *key)
{
	return key->type == SCHEMA_FLAGS || key->type == SCHEMA_TEXTS || key->type == SCHEMA_SHARES;
}

/* The table's own text: a default that does not parse is a bug of the table. */
static void take_fallback(const struct schema_key *key, void *to)
{
	char why[VALUE_WHY_MAX], word[VALUE_TEXT_MAX];
	const char *at = key->fallback;
	if (!is_list_of_words(key)) {
		bool parsed = value_parse(key, at, to, why);
		ASSERT(parsed);
		return;
	}
	while (*at) {
		size_t length = strcspn(at, ",");
		ASSERT(length < sizeof word);
		memcpy(word, at, length);
		word[length] = '\0';
		bool added = value_add(key, word, to, why);
		ASSERT(added);
		at += length + strspn(at + length, ", ");
	}
}

void schema_defaults(const struct schema_section *section, void *base)
{
	uint32_t set;
	memcpy(&set, base, sizeof set);
	for (uint32_t i = 0; i < section->count; i++) {
		const struct schema_key *key = &section->keys[i];
		bool written = set & 1u << i;
		if (key->type == SCHEMA_SECTION && (written || !(key->flags & SCHEMA_OPTIONAL))) {
			schema_defaults(key->section, schema_at(key, base));
			set |= 1u << i;
		} else if (key->type == SCHEMA_LIST || key->type == SCHEMA_MAP) {
			for (uint32_t k = 0; k < schema_count(key, base); k++)
				schema_defaults(key->section, schema_item(key, base, k));
		} else if (!written && key->fallback) {
			take_fallback(key, schema_at(key, base));
			set |= 1u << i;
		}
	}
	memcpy(base, &set, sizeof set);
}
