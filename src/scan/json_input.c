/* SPDX-License-Identifier: Apache-2.0
 * json_input - see json_input.h for the contract. */
#include "scan/json_input.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char bom[] = "\xef\xbb\xbf";

void json_input_place(struct json_input *in, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(in->place, sizeof in->place, format, args);
	va_end(args);
}

int json_input_refuse(struct json_input *in, enum err code, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	error_set(in->err, code, "%s", text);
	if (in->place[0])
		error_where(in->err, "%s: %s", in->name, in->place);
	else
		error_where(in->err, "%s", in->name);
	return code;
}

/* --- the bounds, before anything is built */

struct shape {
	size_t depth, containers, members;
};

static int count(struct json_input *in, struct shape *shape, char c)
{
	bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
	shape->containers += opens;
	shape->members += opens || c == ',';
	shape->depth += opens;
	if (closes && shape->depth > 0)
		shape->depth--;
	if (shape->depth > JSON_INPUT_DEPTH_MAX)
		return json_input_refuse(in, ERR_LIMIT,
					 "The report is nested more than %d levels deep.",
					 JSON_INPUT_DEPTH_MAX);
	if (shape->containers > JSON_INPUT_CONTAINERS_MAX ||
	    shape->members > JSON_INPUT_MEMBERS_MAX)
		return json_input_refuse(in, ERR_LIMIT,
					 "The report has more than %d lists and objects, or %d "
					 "values. Scan less at a time.",
					 JSON_INPUT_CONTAINERS_MAX, JSON_INPUT_MEMBERS_MAX);
	return 0;
}

static int check_shape(struct json_input *in, const char *text, size_t size)
{
	struct shape shape = {0};
	bool quoted = false;
	int status = 0;
	for (size_t i = 0; i < size && status == 0; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted && text[i] == '\\')
			i++;
		else if (!quoted)
			status = count(in, &shape, text[i]);
	}
	return status;
}

static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

int json_input_load(struct json_input *in, const char *text, size_t size, json_t **ret_root)
{
	json_error_t wrong;
	if (size >= sizeof bom - 1 && memcmp(text, bom, sizeof bom - 1) == 0) {
		text += sizeof bom - 1;
		size -= sizeof bom - 1;
	}
	if (size > SCAN_BYTES_MAX)
		return json_input_refuse(in, ERR_LIMIT, "The report is larger than %d bytes.",
					 SCAN_BYTES_MAX);
	if (is_blank(text, size))
		return json_input_refuse(in, ERR_INVALID,
					 "The report is empty: the scanner did not run.");
	int status = check_shape(in, text, size);
	if (status < 0)
		return status;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
	if (!root) {
		error_set(in->err, ERR_INVALID, "This is not JSON: %s.", wrong.text);
		error_where(in->err, "%s:%d:%d", in->name, wrong.line, wrong.column);
		return ERR_INVALID;
	}
	status = json_input_is_object(in, root, "The report");
	if (status < 0)
		json_decref(root);
	else
		*ret_root = root;
	return status;
}

/* --- members */

static int wrong_type(struct json_input *in, const char *key, const char *wanted)
{
	return json_input_refuse(in, ERR_INVALID, "\"%s\" is not %s.", key, wanted);
}

static json_t *get(const json_t *o, const char *key)
{
	json_t *value = json_object_get(o, key);
	return json_is_null(value) ? NULL : value;
}

int json_input_object(struct json_input *in, const json_t *o, const char *key, json_t **ret)
{
	*ret = get(o, key);
	return *ret && !json_is_object(*ret) ? wrong_type(in, key, "an object") : 0;
}

int json_input_array(struct json_input *in, const json_t *o, const char *key, json_t **ret)
{
	*ret = get(o, key);
	return *ret && !json_is_array(*ret) ? wrong_type(in, key, "a list") : 0;
}

int json_input_text(struct json_input *in, const json_t *o, const char *key, const char **ret)
{
	const json_t *value = get(o, key);
	*ret = json_string_value(value);
	if (*ret && in->hide) /* the tree is ours */
		in->hide->text(in->hide->context, (char *)(uintptr_t)*ret);
	return value && !*ret ? wrong_type(in, key, "text") : 0;
}

int json_input_count(struct json_input *in, const json_t *o, const char *key, uint32_t *ret)
{
	const json_t *value = get(o, key);
	json_int_t number = json_integer_value(value);
	if ((value && !json_is_integer(value)) || number > UINT32_MAX)
		return wrong_type(in, key, "a whole number of a sensible size");
	*ret = number > 0 ? (uint32_t)number : 0;
	return 0;
}

int json_input_bool(struct json_input *in, const json_t *o, const char *key, bool fallback,
		    bool *ret)
{
	const json_t *value = get(o, key);
	if (value && !json_is_boolean(value))
		return wrong_type(in, key, "true or false");
	*ret = value ? json_is_true(value) : fallback;
	return 0;
}

int json_input_is_object(struct json_input *in, const json_t *value, const char *what)
{
	return json_is_object(value)
		       ? 0
		       : json_input_refuse(in, ERR_INVALID, "%s is not an object.", what);
}
