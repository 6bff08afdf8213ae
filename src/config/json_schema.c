/* SPDX-License-Identifier: Apache-2.0
 * json_schema - davit.yaml as JSON Schema (draft 2020-12), for editors; see config.h.
 *
 * A section becomes one entry of $defs. What only a look at the whole file can tell (names that must
 * exist, addresses that overlap) is not in it: `davit validate` knows. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"

static json_t *section_ref(const struct schema_section *section, json_t *definitions);

static json_t *words_schema(const struct schema_key *key)
{
	json_t *values = json_array();
	bool on_off = false;
	for (size_t i = 0; key->choices[i]; i++) {
		json_array_append_new(values, json_string(key->choices[i]));
		on_off = on_off || strcmp(key->choices[i], "off") == 0;
	}
	if (on_off) { /* what an editor that reads YAML 1.1 takes the words for */
		json_array_append_new(values, json_true());
		json_array_append_new(values, json_false());
	}
	return json_pack("{s:o}", "enum", values);
}

static json_t *pattern(const char *expression)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", expression);
}

static json_t *list_of(json_t *items, const struct schema_key *key)
{
	json_t *list = json_pack("{s:s, s:o, s:i}", "type", "array", "items", items, "minItems", 1);
	if (key->max > 0)
		json_object_set_new(list, "maxItems", json_integer((json_int_t)key->max));
	return list;
}

static json_t *map_of(json_t *values, const struct schema_key *key)
{
	return json_pack("{s:s, s:o, s:I}", "type", "object", "additionalProperties", values,
			 "maxProperties", (json_int_t)key->max);
}

static json_t *scalar_words(void)
{
	return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *value_schema(const struct schema_key *key, json_t *definitions)
{
	json_t *item;
	switch (key->type) {
	case SCHEMA_TEXT:
		item = scalar_words();
		if (key->max > 0)
			json_object_set_new(item, "maxLength", json_integer((json_int_t)key->max));
		return item;
	case SCHEMA_NUMBER:
		return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
				 (json_int_t)key->min, "maximum", (json_int_t)key->max);
	case SCHEMA_REQUESTS:
		return json_pack("{s:[s,s], s:s}", "type", "integer", "string", "pattern",
				 "^[0-9]+( requests?)?$");
	case SCHEMA_MILLI:
		return json_pack("{s:[s,s], s:s}", "type", "number", "string", "pattern",
				 "^[0-9]+(\\.[0-9]{1,3})?$");
	case SCHEMA_DURATION:
		return pattern("^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$");
	case SCHEMA_SHARE: return pattern("^[0-9]{1,3}(\\.[0-9]{1,2})?%$");
	case SCHEMA_SIZE:
		return json_pack("{s:[s,s], s:s}", "type", "integer", "string", "pattern",
				 "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)?$");
	case SCHEMA_BOOL: return json_pack("{s:s}", "type", "boolean");
	case SCHEMA_CHOICE: return words_schema(key);
	case SCHEMA_FLAGS: return list_of(words_schema(key), key);
	case SCHEMA_TEXTS:
		item = list_of(scalar_words(), key);
		return key->flags & SCHEMA_ONE
			       ? json_pack("{s:[o,o]}", "anyOf", scalar_words(), item)
			       : item;
	case SCHEMA_SHARES: return list_of(pattern("^[0-9]{1,3}(\\.[0-9]{1,2})?%$"), key);
	case SCHEMA_ENV: return map_of(scalar_words(), key);
	case SCHEMA_SECTION: return section_ref(key->section, definitions);
	case SCHEMA_LIST: return list_of(section_ref(key->section, definitions), key);
	case SCHEMA_MAP: return map_of(section_ref(key->section, definitions), key);
	}
	return NULL;
}

static json_t *key_schema(const struct schema_key *key, json_t *definitions)
{
	json_t *schema = value_schema(key, definitions);
	json_object_set_new(schema, "description", json_string(key->doc));
	if (key->fallback)
		json_object_set_new(schema, "default", json_string(key->fallback));
	return schema;
}

static json_t *object_schema(const struct schema_section *section, json_t *definitions)
{
	json_t *properties = json_object(), *required = json_array();
	for (uint32_t i = 0; i < section->count; i++) {
		const struct schema_key *key = &section->keys[i];
		json_object_set_new(properties, key->name, key_schema(key, definitions));
		if (key->flags & SCHEMA_REQUIRED)
			json_array_append_new(required, json_string(key->name));
	}
	json_t *object = json_pack("{s:s, s:s, s:o, s:o, s:b}", "type", "object", "description",
				   section->doc, "properties", properties, "required", required,
				   "additionalProperties", 0);
	if (section->count > 0 && section->one_of == (1u << section->count) - 1) {
		json_object_set_new(object, "minProperties", json_integer(section->one_of_needed));
		json_object_set_new(object, "maxProperties", json_integer(1));
	}
	return object;
}

/* A key of a step that needs no settings may stand alone. */
static json_t *bare_keys(const struct schema_section *section)
{
	json_t *names = json_array();
	for (uint32_t i = 0; i < section->count; i++)
		if (section->keys[i].section && section->keys[i].section->may_be_empty)
			json_array_append_new(names, json_string(section->keys[i].name));
	return json_pack("{s:o}", "enum", names);
}

static json_t *short_form(const struct schema_section *section, const char *name,
			  json_t *definitions)
{
	return value_schema(schema_find(section, name), definitions);
}

static json_t *section_schema(const struct schema_section *section, json_t *definitions)
{
	json_t *forms = json_array();
	json_array_append_new(forms, object_schema(section, definitions));
	if (section->scalar_key)
		json_array_append_new(forms, short_form(section, section->scalar_key, definitions));
	if (section->list_key)
		json_array_append_new(forms, short_form(section, section->list_key, definitions));
	if (section->map_key)
		json_array_append_new(
			forms,
			section_ref(schema_find(section, section->map_key)->section, definitions));
	if (section->scalar_is_key)
		json_array_append_new(forms, bare_keys(section));
	if (section->may_be_empty)
		json_array_append_new(forms, json_pack("{s:s}", "type", "null"));
	return json_pack("{s:o}", "anyOf", forms);
}

static json_t *section_ref(const struct schema_section *section, json_t *definitions)
{
	if (!json_object_get(definitions, section->title)) {
		json_object_set_new(definitions, section->title, json_object());
		json_object_set_new(definitions, section->title,
				    section_schema(section, definitions));
	}
	return json_pack("{s:s+}", "$ref", "#/$defs/", section->title);
}

static int append(const char *bytes, size_t size, void *to)
{
	buf_append(to, bytes, size);
	return 0;
}

void config_schema_json(struct buf *to)
{
	json_t *definitions = json_object();
	json_t *root = object_schema(&schema_app, definitions);
	json_object_set_new(root, "$schema",
			    json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(root, "title", json_string("davit.yaml"));
	json_object_set_new(root, "$defs", definitions);
	int status = json_dump_callback(root, append, to, JSON_INDENT(2) | JSON_SORT_KEYS);
	ASSERT(status == 0);
	json_decref(root);
	buf_puts(to, "\n");
}
