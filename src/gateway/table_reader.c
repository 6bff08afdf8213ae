/* SPDX-License-Identifier: Apache-2.0
 *
 * table_reader - see table_reader.h for the contract.
 */
#include "gateway/table_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void reader_refuse(struct table_reader *r, const char *key, const char *format, ...)
{
	char sentence[ERROR_TEXT_MAX];
	va_list args;
	if (r->failed)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	r->failed = error_set(r->err, ERR_INVALID, "%s", sentence);
	error_where(r->err, "%s: %s%s%s", r->file, r->path, r->path[0] && key[0] ? "." : "", key);
}

size_t reader_enter(struct table_reader *r, const char *key, size_t index)
{
	size_t size = strlen(r->path);
	snprintf(r->path + size, sizeof(r->path) - size, "%s%s[%zu]", size ? "." : "", key, index);
	return size;
}

void reader_leave(struct table_reader *r, size_t size)
{
	r->path[size] = 0;
}

bool reader_known_keys(struct table_reader *r, const json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;
	size_t count = 0;
	if (r->failed)
		return false;
	if (!json_is_object(object)) {
		reader_refuse(r, "", "This must be an object in braces.");
		return false;
	}
	while (keys[count])
		count++;
	json_object_foreach((json_t *)object, key, value)
	{
		size_t i = 0;
		while (i < count && strcmp(keys[i], key) != 0)
			i++;
		if (i < count)
			continue;
		const char *near = text_suggest(key, keys, count);
		reader_refuse(r, key, "There is no key \"%s\" here%s%s%s.", key,
			      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		return false;
	}
	return !r->failed;
}

const char *reader_string(struct table_reader *r, const json_t *object, const char *key, bool must)
{
	const json_t *value = json_object_get(object, key);
	if (value && !json_is_string(value))
		reader_refuse(r, key, "This must be a text in double quotes.");
	else if (!value && must)
		reader_refuse(r, key, "The key \"%s\" is missing.", key);
	return json_is_string(value) ? json_string_value(value) : NULL;
}

void reader_text(struct table_reader *r, const json_t *object, const char *key, bool must, char *to,
		 size_t size)
{
	const char *text = reader_string(r, object, key, must);
	if (text && !text_copy(to, size, text))
		reader_refuse(r, key, "This text is longer than %zu bytes.", size - 1);
}

void reader_u32(struct table_reader *r, const json_t *object, const char *key, uint32_t *to)
{
	const json_t *value = json_object_get(object, key);
	if (!value)
		return;
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
		reader_refuse(r, key, "This must be a whole number, not below 0.");
	else
		*to = (uint32_t)number;
}

void reader_bool(struct table_reader *r, const json_t *object, const char *key, bool *to)
{
	const json_t *value = json_object_get(object, key);
	if (value && !json_is_boolean(value))
		reader_refuse(r, key, "This must be true or false.");
	else if (value)
		*to = json_is_true(value);
}

void reader_duration(struct table_reader *r, const json_t *object, const char *key, uint32_t *to_ms)
{
	uint64_t ms;
	const char *text = reader_string(r, object, key, false);
	if (!text)
		return;
	if (!text_parse_duration(text, &ms) || ms > UINT32_MAX)
		reader_refuse(r, key, "\"%s\" is not a duration such as \"30s\" or \"5m\".", text);
	else
		*to_ms = (uint32_t)ms;
}

void reader_size(struct table_reader *r, const json_t *object, const char *key, uint32_t *to)
{
	uint64_t bytes;
	const char *text = reader_string(r, object, key, false);
	if (!text)
		return;
	if (!text_parse_size(text, &bytes) || bytes > UINT32_MAX)
		reader_refuse(r, key, "\"%s\" is not a size such as \"64MiB\", below 4GiB.", text);
	else
		*to = (uint32_t)bytes;
}

void reader_share(struct table_reader *r, const json_t *object, const char *key, uint32_t *to_bp)
{
	const char *text = reader_string(r, object, key, false);
	if (text && !text_parse_share(text, to_bp))
		reader_refuse(r, key, "\"%s\" is not a share such as \"12.5%%\".", text);
}

void reader_hex(struct table_reader *r, const json_t *object, const char *key, uint8_t *to,
		size_t size)
{
	const char *text = reader_string(r, object, key, false);
	if (!text)
		return;
	if (strlen(text) != 2 * size || strspn(text, "0123456789abcdef") != 2 * size) {
		reader_refuse(r, key, "This must be %zu lower-case hex digits.", 2 * size);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		char digits[3] = {text[2 * i], text[2 * i + 1], 0};
		to[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

const json_t *reader_array(struct table_reader *r, const json_t *object, const char *key, bool must)
{
	const json_t *value = json_object_get(object, key);
	if (value && !json_is_array(value))
		reader_refuse(r, key, "This must be a list in brackets.");
	else if (!value && must)
		reader_refuse(r, key, "The key \"%s\" is missing.", key);
	return json_is_array(value) ? value : NULL;
}

const json_t *reader_object(struct table_reader *r, const json_t *object, const char *key,
			    const char *const *keys)
{
	const json_t *value = json_object_get(object, key);
	if (!value)
		return NULL;
	size_t size = strlen(r->path);
	snprintf(r->path + size, sizeof(r->path) - size, "%s%s", size ? "." : "", key);
	bool good = reader_known_keys(r, value, keys);
	reader_leave(r, size);
	return good ? value : NULL;
}

uint16_t reader_listener(struct table_reader *r, const char *key, const char *address)
{
	struct gateway_table *t = r->table;
	for (uint32_t i = 0; i < t->listener_count; i++)
		if (strcmp(t->listeners[i].address, address) == 0)
			return (uint16_t)i;
	if (t->listener_count >= TABLE_LISTENERS_MAX) {
		reader_refuse(r, key, "There are more than %d of these.", TABLE_LISTENERS_MAX);
		return 0;
	}
	if (!text_copy(t->listeners[t->listener_count].address, TABLE_ADDRESS_SIZE, address))
		reader_refuse(r, key, "This address is longer than %d bytes.",
			      TABLE_ADDRESS_SIZE - 1);
	return (uint16_t)t->listener_count++;
}
