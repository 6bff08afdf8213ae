/* SPDX-License-Identifier: Apache-2.0
 * reader - see reader.h for the contract. */
#include "config/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"

enum { SHOWN_MAX = 80, WORDS_MAX = 400, NAMES_MAX = 64 };

void reader_init(struct reader *r, const char *file, struct config_errors *errors)
{
	*r = (struct reader){.file = file, .errors = errors};
	errors->count = errors->left_out = 0;
}

void reader_error(struct reader *r, const struct yaml_node *at, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;
	if (r->errors->count == CONFIG_ERRORS_MAX) {
		r->errors->left_out++;
		return;
	}
	struct error *err = &r->errors->items[r->errors->count++];
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	*err = (struct error){0};
	error_set(err, ERR_INVALID, "%s", text);
	error_where(err, "%s:%u:%u", r->file, at->line, at->column);
}

static const char *show(const char *text, char to[SHOWN_MAX])
{
	return text_escape(text, strlen(text), to, SHOWN_MAX);
}

/* "environments.prod" or, at the top, what the file is called there. */
static const char *place(const struct reader *r, const struct schema_section *section)
{
	return r->path[0] ? r->path : section->title;
}

static size_t path_push(struct reader *r, const char *name)
{
	size_t before = strlen(r->path);
	snprintf(r->path + before, sizeof r->path - before, "%s%s", before > 0 ? "." : "", name);
	return before;
}

/* The last name of the path, "" at the top. */
static const char *last_name(const struct reader *r)
{
	const char *dot = strrchr(r->path, '.');
	return dot ? dot + 1 : r->path;
}

static const char *kind_words(const struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR && node->count == 0)
		return "an empty one";
	switch (node->kind) {
	case YAML_SCALAR: return "one value";
	case YAML_LIST: return "a list";
	case YAML_MAP: return "a mapping";
	}
	return "";
}

static const char *example_of(const struct schema_key *key)
{
	return key->example ? key->example : key->fallback ? key->fallback : "...";
}

static void wrong_kind(struct reader *r, const struct schema_key *key, const struct yaml_node *node)
{
	char words[WORDS_MAX];
	if (node->empty)
		reader_error(
			r, node,
			"\"%s\" has no value; remove the line, or write for example \"%s: %s\".",
			key->name, key->name, example_of(key));
	else
		reader_error(r, node, "\"%s\" must be %s, not %s; write for example \"%s: %s\".",
			     key->name, value_type_words(key, words, sizeof words),
			     kind_words(node), key->name, example_of(key));
}

static bool read_scalar(struct reader *r, const struct schema_key *key,
			const struct yaml_node *node, void *to)
{
	char why[VALUE_WHY_MAX];
	if (node->kind != YAML_SCALAR || node->empty) {
		wrong_kind(r, key, node);
		return false;
	}
	if (value_parse(key, node->text, to, why))
		return true;
	reader_error(r, node, "\"%s\" %s", key->name, why);
	return false;
}

static bool read_words(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
		       void *to)
{
	char why[VALUE_WHY_MAX];
	if ((key->flags & SCHEMA_ONE) && node->kind == YAML_SCALAR && !node->empty) {
		if (value_add(key, node->text, to, why))
			return true;
		reader_error(r, node, "\"%s\" %s", key->name, why);
		return false;
	}
	if (node->kind != YAML_LIST || node->count == 0) {
		wrong_kind(r, key, node);
		return false;
	}
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		if (item->kind != YAML_SCALAR || item->empty) {
			reader_error(r, item, "An item of \"%s\" must be one value, not %s.",
				     key->name, item->empty ? "nothing" : kind_words(item));
			return false;
		}
		if (!value_add(key, item->text, to, why)) {
			reader_error(r, item, "\"%s\" %s", key->name, why);
			return false;
		}
	}
	return true;
}

static bool check_name(struct reader *r, const struct schema_key *key, const struct yaml_node *node)
{
	char shown[SHOWN_MAX];
	if (!key->valid || key->valid(node->text))
		return true;
	reader_error(r, node, "A name in \"%s\" must be %s, not \"%s\".", key->name, key->shape,
		     show(node->text, shown));
	return false;
}

static bool read_env(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
		     struct app_env *to)
{
	char shown[SHOWN_MAX];
	bool good = true;
	if (node->kind != YAML_MAP) {
		wrong_kind(r, key, node);
		return false;
	}
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		if (!check_name(r, key, item->key)) {
			good = false;
		} else if (item->kind != YAML_SCALAR || item->empty) {
			reader_error(r, item, "The variable \"%s\" must be a text, not %s%s",
				     show(item->key->text, shown),
				     item->empty ? "nothing" : kind_words(item),
				     item->empty ? "; write \"\" for an empty one." : ".");
			good = false;
		} else if (to->count == key->max) {
			reader_error(r, item, "\"%s\" has more than %u variables; remove some.",
				     key->name, (unsigned)key->max);
			return false;
		} else {
			to->items[to->count++] =
				(struct app_variable){.name = item->key->text, .value = item->text};
		}
	}
	return good;
}

/* The second member of every struct that is kept by name. */
static void set_name(void *item, const char *name)
{
	struct app_check *named = item;
	_Static_assert(offsetof(struct app_check, name) == offsetof(struct app_process, name),
		       "named");
	_Static_assert(offsetof(struct app_check, name) == offsetof(struct app_strategy, name),
		       "named");
	_Static_assert(offsetof(struct app_check, name) == offsetof(struct app_environment, name),
		       "named");
	_Static_assert(offsetof(struct app_check, name) == offsetof(struct app_class, name),
		       "named");
	_Static_assert(offsetof(struct app_check, name) == offsetof(struct app_kpi, name), "named");
	named->name = name;
}

static bool read_member(struct reader *r, const struct schema_key *key,
			const struct yaml_node *node, void *base, uint32_t index)
{
	char label[SHOWN_MAX];
	uint32_t errors = r->errors->count + r->errors->left_out;
	if (key->type == SCHEMA_MAP && !check_name(r, key, node->key))
		return false;
	if (index == key->max) {
		reader_error(r, node, "\"%s\" has more than %u entries; remove some.", key->name,
			     (unsigned)key->max);
		return false;
	}
	void *item = schema_item(key, base, index);
	if (key->type == SCHEMA_MAP) {
		set_name(item, node->key->text);
		snprintf(label, sizeof label, "%s", node->key->text);
	} else {
		snprintf(label, sizeof label, "%u", index + 1);
	}
	size_t before = path_push(r, label);
	reader_section(r, key->section, node, item);
	r->path[before] = '\0';
	return errors == r->errors->count + r->errors->left_out;
}

static bool read_members(struct reader *r, const struct schema_key *key,
			 const struct yaml_node *node, void *base)
{
	uint32_t count = 0;
	bool good = true;
	bool single = key->type == SCHEMA_LIST && node->kind == YAML_MAP;
	enum yaml_kind wanted = key->type == SCHEMA_LIST ? YAML_LIST : YAML_MAP;
	if (single) {
		good = read_member(r, key, node, base, count++);
	} else if (node->kind != wanted || node->count == 0) {
		wrong_kind(r, key, node);
		return false;
	} else {
		for (const struct yaml_node *item = node->first; item; item = item->next) {
			good = read_member(r, key, item, base, count) && good;
			if (count == key->max)
				break;
			count++;
		}
	}
	memcpy((char *)base + key->count_offset, &count, sizeof count);
	return good;
}

static bool read_key(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
		     void *base)
{
	void *to = schema_at(key, base);
	uint32_t errors = r->errors->count + r->errors->left_out;
	size_t before;
	switch (key->type) {
	case SCHEMA_TEXT:
	case SCHEMA_NUMBER:
	case SCHEMA_REQUESTS:
	case SCHEMA_MILLI:
	case SCHEMA_DURATION:
	case SCHEMA_SHARE:
	case SCHEMA_SIZE:
	case SCHEMA_BOOL:
	case SCHEMA_CHOICE: return read_scalar(r, key, node, to);
	case SCHEMA_FLAGS:
	case SCHEMA_TEXTS:
	case SCHEMA_SHARES: return read_words(r, key, node, to);
	case SCHEMA_ENV: return read_env(r, key, node, to);
	case SCHEMA_SECTION:
		before = path_push(r, key->name);
		reader_section(r, key->section, node, to);
		r->path[before] = '\0';
		return errors == r->errors->count + r->errors->left_out;
	case SCHEMA_LIST:
	case SCHEMA_MAP:
		before = strlen(r->path);
		if (strcmp(last_name(r), key->name) != 0) /* a short form has no name of its own */
			path_push(r, key->name);
		read_members(r, key, node, base);
		r->path[before] = '\0';
		return errors == r->errors->count + r->errors->left_out;
	}
	return false;
}

static bool refuse_later(struct reader *r, const struct schema_section *section,
			 const struct yaml_node *key)
{
	for (uint32_t i = 0; i < section->later_count; i++) {
		const struct schema_later *later = &section->later[i];
		if (strcmp(later->name, key->text) != 0)
			continue;
		reader_error(r, key,
			     "\"%s\" in %s is not built yet in this version; remove it.%s%s",
			     later->name, place(r, section), later->hint ? " " : "",
			     later->hint ? later->hint : "");
		return true;
	}
	return false;
}

/* Returns the bit of the key that was probably meant, so that nobody asks for it as well. */
static uint32_t refuse_unknown(struct reader *r, const struct schema_section *section,
			       const struct yaml_node *key)
{
	const char *names[NAMES_MAX];
	char shown[SHOWN_MAX], list[WORDS_MAX] = "nothing";
	size_t count = 0, used = 0;
	for (uint32_t i = 0; i < section->count; i++) {
		names[count++] = section->keys[i].name;
		if (used < sizeof list)
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
						 i > 0 ? ", " : "", section->keys[i].name);
	}
	for (uint32_t i = 0; i < section->later_count && count < NAMES_MAX; i++)
		names[count++] = section->later[i].name;
	const char *near = text_suggest(key->text, names, count);
	show(key->text, shown);
	if (!near) {
		reader_error(r, key, "Unknown key \"%s\" in %s, which takes %s.", shown,
			     place(r, section), list);
		return 0;
	}
	reader_error(r, key, "Unknown key \"%s\" in %s; did you mean \"%s\"?", shown,
		     place(r, section), near);
	const struct schema_key *meant = schema_find(section, near);
	return meant ? schema_bit(section, meant) : 0;
}

static void check_one_of(struct reader *r, const struct schema_section *section,
			 const struct yaml_node *node, uint32_t written)
{
	char list[WORDS_MAX] = "";
	size_t used = 0;
	uint32_t chosen = written & section->one_of, left = section->one_of;
	bool many = (chosen & (chosen - 1)) != 0;
	if (!many && (chosen != 0 || !section->one_of_needed))
		return;
	for (uint32_t i = 0; i < section->count && used < sizeof list; i++) {
		if (!(left & 1u << i))
			continue;
		left &= ~(1u << i);
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
					 used == 0 ? ""
					 : left    ? ", "
						   : " or ",
					 section->keys[i].name);
	}
	reader_error(r, node,
		     many ? "%s takes only one of %s; remove the others." : "%s needs one of %s.",
		     place(r, section), list);
}

static void read_map(struct reader *r, const struct schema_section *section,
		     const struct yaml_node *node, void *base)
{
	uint32_t set = 0, written = 0;
	bool later = false, unknown = false;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		const struct schema_key *key = schema_find(section, item->key->text);
		if (key) {
			written |= schema_bit(section, key);
			if (read_key(r, key, item, base))
				set |= schema_bit(section, key);
		} else if (refuse_later(r, section, item->key)) {
			later = true;
		} else {
			written |= refuse_unknown(r, section, item->key);
			unknown = true;
		}
	}
	if (later) {
		memcpy(base, &set, sizeof set);
		return; /* what stands in for it may be what would be missing */
	}
	for (uint32_t i = 0; i < section->count; i++) {
		const struct schema_key *key = &section->keys[i];
		if ((key->flags & SCHEMA_REQUIRED) && !(written & 1u << i))
			reader_error(r, node,
				     "\"%s\" is missing in %s; add for example \"%s: %s\".",
				     key->name, place(r, section), key->name, example_of(key));
	}
	if (!unknown) /* the one that is needed may be among them */
		check_one_of(r, section, node, written);
	memcpy(base, &set, sizeof set);
}

/* A step without settings: `- switch`. */
static void read_bare_key(struct reader *r, const struct schema_section *section,
			  const struct yaml_node *node, void *base)
{
	const struct schema_key *key = schema_find(section, node->text);
	if (!key) {
		if (!refuse_later(r, section, node))
			refuse_unknown(r, section, node);
		return;
	}
	if (key->type != SCHEMA_SECTION || !key->section->may_be_empty) {
		reader_error(r, node, "\"%s\" needs a value; write for example \"%s: %s\".",
			     key->name, key->name, example_of(key));
		return;
	}
	uint32_t set = schema_bit(section, key);
	memcpy(base, &set, sizeof set);
}

static void read_short(struct reader *r, const struct schema_section *section, const char *name,
		       const struct yaml_node *node, void *base)
{
	const struct schema_key *key = schema_find(section, name);
	struct schema_key called = *key;
	char label[READER_PATH_MAX];
	uint32_t set = schema_bit(section, key);
	snprintf(label, sizeof label, "%s", last_name(r));
	if (label[0] > '9') /* what the person wrote, unless it is the number of a list's item */
		called.name = label;
	if (read_key(r, &called, node, base))
		memcpy(base, &set, sizeof set);
}

static bool has_own_key(const struct schema_section *section, const struct yaml_node *map)
{
	for (const struct yaml_node *item = map->first; item; item = item->next)
		if (schema_find(section, item->key->text))
			return true;
	return false;
}

static void read_form(struct reader *r, const struct schema_section *section,
		      const struct yaml_node *node, void *base)
{
	char words[WORDS_MAX];
	if (node->kind == YAML_SCALAR && node->empty && section->may_be_empty)
		return;
	if (node->kind == YAML_SCALAR && !node->empty && section->scalar_is_key) {
		read_bare_key(r, section, node, base);
	} else if (node->kind == YAML_SCALAR && !node->empty && section->scalar_key) {
		read_short(r, section, section->scalar_key, node, base);
	} else if (node->kind == YAML_LIST && section->list_key) {
		read_short(r, section, section->list_key, node, base);
	} else if (node->kind == YAML_MAP && section->map_key && node->count > 0 &&
		   !has_own_key(section, node)) {
		read_short(r, section, section->map_key, node, base);
	} else if (node->kind == YAML_MAP) {
		read_map(r, section, node, base);
	} else {
		snprintf(words, sizeof words, "a mapping%s%s",
			 section->list_key ? " or a list" : "",
			 section->scalar_key ? " or one value" : "");
		reader_error(r, node, "%s must be %s, not %s; see `davit docs%s%s`.",
			     place(r, section), words, node->empty ? "nothing" : kind_words(node),
			     r->path[0] ? " " : "", r->path[0] ? section->title : "");
	}
}

void reader_section(struct reader *r, const struct schema_section *section,
		    const struct yaml_node *node, void *base)
{
	char why[WORDS_MAX];
	uint32_t errors = r->errors->count + r->errors->left_out;
	read_form(r, section, node, base);
	if (errors == r->errors->count + r->errors->left_out && section->check &&
	    !section->check(base, why, sizeof why))
		reader_error(r, node, "%s: %s", place(r, section), why);
}
