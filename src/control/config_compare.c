/* SPDX-License-Identifier: Apache-2.0
 * config_compare - see config_compare.h for the contract. */
#include "control/config_compare.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { DEPTH_MAX = 16, REAL_DIGITS = 6 };

static const char HIDDEN[] = "set"; /* stands for a value that is not shown */

struct comparing {
	config_change_visit visit;
	void *context;
	char path[sizeof((struct config_change *)0)->key];
};

/* What is beneath these is a secret, or may be one. */
static bool hides(const char *key)
{
	static const char *const keys[] = {"env", "secrets", "headers"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void show(const json_t *value, bool hidden, char *to, size_t size)
{
	to[0] = '\0';
	if (!value)
		return;
	if (hidden) {
		text_copy(to, size, HIDDEN);
	} else if (json_is_string(value)) {
		const char *text = json_string_value(value);
		text_show(text[0] ? text : "\"\"", text[0] ? strlen(text) : 2, to, size);
	} else {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS |
						       JSON_REAL_PRECISION(REAL_DIGITS));
		text_show(text ? text : "", text ? strlen(text) : 0, to, size);
		free(text);
	}
}

static void tell(struct comparing *c, const json_t *before, const json_t *after, bool hidden)
{
	struct config_change change = {.hidden = hidden};
	text_show(c->path, strlen(c->path), change.key, sizeof change.key);
	show(before, hidden, change.from, sizeof change.from);
	show(after, hidden, change.to, sizeof change.to);
	c->visit(c->context, &change);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void compare(struct comparing *c, const json_t *before, const json_t *after, bool hidden,
		    unsigned depth);

static void compare_member(struct comparing *c, const char *key, const json_t *before,
			   const json_t *after, bool hidden, unsigned depth)
{
	size_t length = strlen(c->path);
	snprintf(c->path + length, sizeof c->path - length, "%s%s", length > 0 ? "." : "", key);
	compare(c, before, after, hidden || hides(key), depth + 1);
	c->path[length] = '\0';
}

/* Every key of either, once, in order. */
static void compare_objects(struct comparing *c, const json_t *before, const json_t *after,
			    bool hidden, unsigned depth)
{
	size_t count = 0, most = json_object_size(before) + json_object_size(after);
	const char **keys = mem_zero(most + 1, sizeof *keys);
	const json_t *both[] = {before, after};
	for (size_t k = 0; k < 2; k++)
		for (void *at = json_object_iter((json_t *)both[k]); at;
		     at = json_object_iter_next((json_t *)both[k], at))
			keys[count++] = json_object_iter_key(at);
	qsort(keys, count, sizeof *keys, by_name);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(keys[i], keys[i - 1]) != 0)
			compare_member(c, keys[i], json_object_get(before, keys[i]),
				       json_object_get(after, keys[i]), hidden, depth);
	free(keys);
}

static void compare_arrays(struct comparing *c, const json_t *before, const json_t *after,
			   bool hidden, unsigned depth)
{
	size_t a = json_array_size(before), b = json_array_size(after);
	char key[24];
	for (size_t i = 0; i < (a > b ? a : b); i++) {
		snprintf(key, sizeof key, "%zu", i);
		compare_member(c, key, json_array_get(before, i), json_array_get(after, i), hidden,
			       depth);
	}
}

/* Alike, or absent on one side, which counts as empty. */
static bool both_are(const json_t *before, const json_t *after, json_type type)
{
	return (before || after) && (!before || json_typeof(before) == type) &&
	       (!after || json_typeof(after) == type);
}

static void compare(struct comparing *c, const json_t *before, const json_t *after, bool hidden,
		    unsigned depth)
{
	if (before && after && json_equal(before, after))
		return;
	if (depth < DEPTH_MAX && both_are(before, after, JSON_OBJECT))
		compare_objects(c, before, after, hidden, depth);
	else if (depth < DEPTH_MAX && both_are(before, after, JSON_ARRAY))
		compare_arrays(c, before, after, hidden, depth);
	else
		tell(c, before, after, hidden);
}

bool config_compare(const char *before, const char *after, const char *environment,
		    config_change_visit visit, void *context)
{
	json_t *a = json_loads(before, 0, NULL), *b = json_loads(after, 0, NULL);
	const json_t *of_a = json_object_get(json_object_get(a, "environments"), environment),
		     *of_b = json_object_get(json_object_get(b, "environments"), environment);
	struct comparing c = {.visit = visit, .context = context};
	if (of_a && of_b)
		compare(&c, of_a, of_b, false, 0);
	bool compared = of_a && of_b;
	json_decref(a);
	json_decref(b);
	return compared;
}
