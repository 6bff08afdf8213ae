/* SPDX-License-Identifier: Apache-2.0
 * encode - the canonical text of a resolved configuration; see config.h for the contract.
 *
 * Keys are sorted and every character beyond ASCII is escaped, so that one configuration has one text. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/reader.h"
#include "config/schema.h"
#include "config/value.h"
#include "config/yaml.h"

static json_t *encode_section(const struct schema_section *section, const void *base);

static json_t *must(json_t *value)
{
	ASSERT(value); /* no memory, or a text that is not UTF-8, which the reader refuses */
	return value;
}

static void put(json_t *object, const char *name, json_t *value)
{
	int status = json_object_set_new(object, name, must(value));
	ASSERT(status == 0);
}

static void add(json_t *array, json_t *value)
{
	int status = json_array_append_new(array, must(value));
	ASSERT(status == 0);
}

static json_t *encode_text(const void *from)
{
	const char *text;
	memcpy(&text, from, sizeof text);
	return json_string(text);
}

static json_t *encode_words(const struct schema_key *key, const void *from)
{
	json_t *array = must(json_array());
	if (key->type == SCHEMA_TEXTS) {
		const struct app_texts *texts = from;
		for (uint32_t i = 0; i < texts->count; i++)
			add(array, json_string(texts->items[i]));
	} else if (key->type == SCHEMA_SHARES) {
		const struct app_shares *shares = from;
		char text[VALUE_TEXT_MAX];
		for (uint32_t i = 0; i < shares->count; i++)
			add(array, json_string(value_format(key, &shares->items_bp[i], text)));
	} else {
		uint32_t flags;
		memcpy(&flags, from, sizeof flags);
		for (uint32_t i = 0; key->choices[i]; i++)
			if (flags & 1u << i)
				add(array, json_string(key->choices[i]));
	}
	return array;
}

static json_t *encode_env(const struct app_env *env)
{
	json_t *object = must(json_object());
	for (uint32_t i = 0; i < env->count; i++)
		put(object, env->items[i].name, json_string(env->items[i].value));
	return object;
}

static json_t *encode_items(const struct schema_key *key, const void *base)
{
	bool named = key->type == SCHEMA_MAP;
	json_t *all = must(named ? json_object() : json_array());
	for (uint32_t i = 0; i < schema_count(key, base); i++) {
		const void *item = schema_item(key, base, i);
		if (named)
			put(all, ((const struct app_check *)item)->name,
			    encode_section(key->section, item));
		else
			add(all, encode_section(key->section, item));
	}
	return all;
}

static json_t *encode_key(const struct schema_key *key, const void *base)
{
	char text[VALUE_TEXT_MAX];
	const void *from = schema_at(key, base);
	switch (key->type) {
	case SCHEMA_TEXT: return encode_text(from);
	case SCHEMA_NUMBER:
	case SCHEMA_REQUESTS:
		return json_integer((json_int_t)strtoul(value_format(key, from, text), NULL, 10));
	case SCHEMA_BOOL: return json_boolean(value_format(key, from, text)[0] == 't');
	case SCHEMA_MILLI:
	case SCHEMA_DURATION:
	case SCHEMA_SHARE:
	case SCHEMA_SIZE:
	case SCHEMA_CHOICE: return json_string(value_format(key, from, text));
	case SCHEMA_FLAGS:
	case SCHEMA_TEXTS:
	case SCHEMA_SHARES: return encode_words(key, from);
	case SCHEMA_ENV: return encode_env(from);
	case SCHEMA_SECTION: return encode_section(key->section, from);
	case SCHEMA_LIST:
	case SCHEMA_MAP: return encode_items(key, base);
	}
	return NULL;
}

/* A list or mapping without members says nothing, and the reader wants none. */
static bool is_empty(const struct schema_key *key, const void *base)
{
	uint32_t count;
	if (key->type == SCHEMA_LIST || key->type == SCHEMA_MAP)
		return schema_count(key, base) == 0;
	if (key->type != SCHEMA_ENV && key->type != SCHEMA_TEXTS)
		return false;
	memcpy(&count, schema_at(key, base), sizeof count);
	return count == 0;
}

static json_t *encode_section(const struct schema_section *section, const void *base)
{
	json_t *object = must(json_object());
	uint32_t set;
	memcpy(&set, base, sizeof set);
	for (uint32_t i = 0; i < section->count; i++)
		if ((set & 1u << i) && !is_empty(&section->keys[i], base))
			put(object, section->keys[i].name, encode_key(&section->keys[i], base));
	return object;
}

static int append(const char *bytes, size_t size, void *to)
{
	buf_append(to, bytes, size);
	return 0;
}

void config_encode(const struct resolved *resolved, struct buf *to)
{
	json_t *root = encode_section(&schema_resolved, resolved);
	int status = json_dump_callback(root, append, to,
					JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII);
	ASSERT(status == 0);
	json_decref(root);
}

int config_decode(const char *text, size_t size, struct resolved **ret_resolved, struct error *err)
{
	struct yaml *tree;
	struct config_errors errors;
	struct reader reader;
	int status = yaml_parse(text, size, "configuration", &tree, err);
	if (status < 0)
		return status;
	struct resolved *resolved = mem_zero(1, sizeof *resolved);
	resolved->memory = tree;
	reader_init(&reader, "configuration", &errors);
	reader_section(&reader, &schema_resolved, tree->root, resolved);
	if (errors.count > 0) {
		*err = errors.items[0];
		config_resolved_free(resolved);
		return err->code;
	}
	struct app_environment *environment = &resolved->environment;
	environment->name = resolved->name;
	for (uint32_t i = 0; i < environment->route_count; i++)
		if (!environment->routes[i].host)
			environment->routes[i].host = "";
	*ret_resolved = resolved;
	return 0;
}

void config_resolved_free(struct resolved *resolved)
{
	if (!resolved)
		return;
	yaml_free(resolved->memory);
	free(resolved);
}

struct digest config_digest(const struct resolved *resolved)
{
	struct buf text;
	buf_init(&text, CONFIG_ENCODED_MAX);
	config_encode(resolved, &text);
	struct digest digest = digest_of(buf_text(&text), text.size);
	buf_done(&text);
	return digest;
}

struct digest config_release_id(const struct digest *artifact, const struct digest *configuration)
{
	uint8_t both[2 * DIGEST_SIZE];
	memcpy(both, artifact->bytes, DIGEST_SIZE);
	memcpy(both + DIGEST_SIZE, configuration->bytes, DIGEST_SIZE);
	return digest_of(both, sizeof both);
}
