/* SPDX-License-Identifier: Apache-2.0
 * answer_diff - see answer_diff.h for the contract. */
#include "control/answer_diff.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "provider/router.h"

static const char HIDDEN[] = "***";

struct comparison {
	const struct answer_rules *rules;
	struct answer_differences *to;
	char place[ANSWER_PLACE_SIZE]; /* of what is looked at */
	size_t place_size;
	uint32_t depth;
	uint32_t hidden; /* so many levels above, and this one, are secret by their name */
};

const char *answer_kind_text(enum answer_kind kind)
{
	static const char *const texts[] = {
#define X(name, text) text,
		ANSWER_KINDS(X)
#undef X
	};
	return texts[kind];
}

/* At one of these paths, or below it. */
static bool below(const struct answer_paths *paths, const char *place)
{
	for (uint32_t i = 0; i < paths->count; i++) {
		size_t size = strlen(paths->items[i]);
		if (strncmp(place, paths->items[i], size) == 0 &&
		    (place[size] == '\0' || place[size] == '.' || place[size] == '['))
			return true;
	}
	return false;
}

static bool name_is_secret(const char *name)
{
	char lower[64];
	size_t i = 0;
	for (; name[i] && i < sizeof lower - 1; i++)
		lower[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
	lower[i] = '\0';
	return shadow_field_hidden(lower);
}

static bool has_secret(const struct answer_rules *rules, const char *text)
{
	for (uint32_t i = 0; i < rules->secret_count; i++)
		if (strstr(text, rules->secrets[i]))
			return true;
	return false;
}

/* Cut at the beginning of a character; what is not printable becomes "?". */
static void show_text(const char *text, char to[ANSWER_VALUE_SIZE])
{
	size_t n = strlen(text);
	bool cut = n >= ANSWER_VALUE_SIZE;
	if (cut) {
		n = ANSWER_VALUE_SIZE - 4;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	text_copy(to + n, ANSWER_VALUE_SIZE - n, cut ? "..." : "");
}

static void show(const struct comparison *c, const json_t *value, char to[ANSWER_VALUE_SIZE])
{
	to[0] = '\0';
	if (!value)
		return;
	if (c->hidden > 0 || below(&c->rules->hide, c->place))
		text_copy(to, ANSWER_VALUE_SIZE, HIDDEN);
	else if (json_is_object(value))
		snprintf(to, ANSWER_VALUE_SIZE, "{%zu}", json_object_size(value));
	else if (json_is_array(value))
		snprintf(to, ANSWER_VALUE_SIZE, "[%zu]", json_array_size(value));
	else if (json_is_integer(value))
		snprintf(to, ANSWER_VALUE_SIZE, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(to, ANSWER_VALUE_SIZE, "%.15g", json_real_value(value));
	else if (!json_is_string(value))
		text_copy(to, ANSWER_VALUE_SIZE,
			  json_is_null(value)   ? "null"
			  : json_is_true(value) ? "true"
						: "false");
	else if (has_secret(c->rules, json_string_value(value)))
		text_copy(to, ANSWER_VALUE_SIZE, HIDDEN);
	else
		show_text(json_string_value(value), to);
}

static bool told(const struct answer_differences *to, const char *place, enum answer_kind kind)
{
	for (uint32_t i = 0; i < to->count; i++)
		if (to->items[i].kind == kind && strcmp(to->items[i].place, place) == 0)
			return true;
	return false;
}

static struct answer_difference *add(struct answer_differences *to, const char *place,
				     enum answer_kind kind)
{
	if (to->count == ANSWER_DIFFERENCES_MAX || told(to, place, kind))
		return NULL;
	struct answer_difference *d = &to->items[to->count++];
	memset(d, 0, sizeof *d);
	text_copy(d->place, sizeof d->place, place);
	d->kind = kind;
	return d;
}

static void add_values(const struct comparison *c, enum answer_kind kind, const json_t *live,
		       const json_t *fresh)
{
	struct answer_difference *d = add(c->to, c->place, kind);
	if (!d)
		return;
	show(c, live, d->live);
	show(c, fresh, d->fresh);
}

static bool same_scalar(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b) && !(json_is_integer(a) && json_is_integer(b)))
		return fabs(json_number_value(a) - json_number_value(b)) == 0;
	return json_equal(a, b);
}

static bool same_type(const json_t *a, const json_t *b)
{
	return json_typeof(a) == json_typeof(b) || (json_is_number(a) && json_is_number(b)) ||
	       (json_is_boolean(a) && json_is_boolean(b));
}

static void compare(struct comparison *c, json_t *live, json_t *fresh);

/* Go down by `step`; false: there is no room for it, and nothing changed. */
static bool enter(struct comparison *c, const char *step, const char *name)
{
	size_t step_size = strlen(step), name_size = strlen(name);
	if (c->place_size + step_size + name_size >= sizeof c->place)
		return false;
	memcpy(c->place + c->place_size, step, step_size);
	memcpy(c->place + c->place_size + step_size, name, name_size + 1);
	c->place_size += step_size + name_size;
	c->depth++;
	return true;
}

static void leave(struct comparison *c, size_t size)
{
	c->place[size] = '\0';
	c->place_size = size;
	c->depth--;
}

/* A name that a path cannot have stands for all of its kind. */
static const char *step_name(const struct answer_rules *rules, const char *name)
{
	if (has_secret(rules, name))
		return "*";
	for (const char *at = name; *at; at++)
		if (strchr(".[]", *at) || iscntrl((unsigned char)*at))
			return "*";
	return name[0] ? name : "*";
}

static void compare_member(struct comparison *c, const char *name, json_t *live, json_t *fresh)
{
	size_t size = c->place_size;
	bool secret = name_is_secret(name);
	if (!enter(c, ".", step_name(c->rules, name))) {
		if (!live || !fresh || !json_equal(live, fresh))
			add_values(c, ANSWER_VALUE, NULL, NULL);
		return;
	}
	c->hidden += secret;
	if (!below(&c->rules->ignore, c->place)) {
		if (live && fresh)
			compare(c, live, fresh);
		else
			add_values(c, live ? ANSWER_MISSING : ANSWER_EXTRA, live, fresh);
	}
	c->hidden -= secret;
	leave(c, size);
}

static void compare_objects(struct comparison *c, json_t *live, json_t *fresh)
{
	const char *name;
	json_t *value;
	json_object_foreach(live, name, value)
		compare_member(c, name, value, json_object_get(fresh, name));
	json_object_foreach(fresh, name, value) if (!json_object_get(live, name))
		compare_member(c, name, NULL, value);
}

static void compare_lists(struct comparison *c, json_t *live, json_t *fresh)
{
	size_t size = c->place_size, a = json_array_size(live), b = json_array_size(fresh);
	if (a != b)
		add_values(c, ANSWER_LENGTH, live, fresh);
	if (!enter(c, "[]", "")) {
		if (!json_equal(live, fresh))
			add_values(c, ANSWER_VALUE, NULL, NULL);
		return;
	}
	if (!below(&c->rules->ignore, c->place))
		for (size_t i = 0; i < a && i < b; i++)
			compare(c, json_array_get(live, i), json_array_get(fresh, i));
	leave(c, size);
}

static void compare(struct comparison *c, json_t *live, json_t *fresh)
{
	if (!same_type(live, fresh))
		add_values(c, ANSWER_TYPE, live, fresh);
	else if (c->depth >= ANSWER_DEPTH_MAX || !(json_is_object(live) || json_is_array(live))) {
		if (!same_scalar(live, fresh))
			add_values(c, ANSWER_VALUE, live, fresh);
	} else if (json_is_object(live))
		compare_objects(c, live, fresh);
	else
		compare_lists(c, live, fresh);
}

bool answer_diff_json(const struct answer_rules *rules, const char *live, size_t live_size,
		      const char *fresh, size_t fresh_size, struct answer_differences *to)
{
	json_t *a = json_loadb(live, live_size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	json_t *b =
		a ? json_loadb(fresh, fresh_size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
	struct comparison c = {.rules = rules, .to = to, .place = "$", .place_size = 1};
	bool both = a && b;
	if (both)
		compare(&c, a, b);
	json_decref(a);
	json_decref(b);
	return both;
}

static void diff_field(const struct answer_rules *rules, const struct shadow_field *f,
		       struct answer_differences *to)
{
	char place[ANSWER_PLACE_SIZE];
	bool hidden = shadow_field_hidden(f->name);
	snprintf(place, sizeof place, "header %s", f->name);
	struct answer_difference *d = add(to, place, ANSWER_VALUE);
	char *shown[2] = {d ? d->live : NULL, d ? d->fresh : NULL};
	for (int i = 0; d && i < 2; i++) {
		if (hidden || has_secret(rules, f->value[i]))
			text_copy(shown[i], ANSWER_VALUE_SIZE, HIDDEN);
		else
			show_text(f->value[i], shown[i]);
	}
}

void answer_diff(const struct answer_rules *rules, const struct shadow_pair *pair,
		 struct answer_differences *ret_differences)
{
	const struct shadow_side *live = &pair->sides[0], *fresh = &pair->sides[1];
	struct answer_difference *d;
	ret_differences->count = 0;
	if (live->status != fresh->status && (d = add(ret_differences, "status", ANSWER_VALUE))) {
		snprintf(d->live, sizeof d->live, "%u", live->status);
		snprintf(d->fresh, sizeof d->fresh, "%u", fresh->status);
	}
	for (uint32_t i = 0; i < pair->field_count; i++)
		diff_field(rules, &pair->fields[i], ret_differences);
	if (!pair->body_differs)
		return;
	if (!live->cut && !fresh->cut &&
	    answer_diff_json(rules, live->body, live->body_size, fresh->body, fresh->body_size,
			     ret_differences))
		return;
	if ((d = add(ret_differences, "body", ANSWER_BYTES))) {
		snprintf(d->live, sizeof d->live, "%llu bytes",
			 (unsigned long long)live->body_bytes);
		snprintf(d->fresh, sizeof d->fresh, "%llu bytes",
			 (unsigned long long)fresh->body_bytes);
	}
}
