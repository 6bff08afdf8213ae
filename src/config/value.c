/* SPDX-License-Identifier: Apache-2.0
 * value - see value.h for the contract. */
#include "config/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "config/app.h"
#include "wire/chars.h"
#include "wire/json_path.h"
#include "wire/prometheus.h"

enum {
	SHOWN_MAX = 80,
	TEXT_LENGTH_MAX = 4096,
	HOST_MAX = 253,
	LABEL_MAX = 63,
	PORT_MAX = 65535,
	PREFIX_MAX = 255
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool value_is_line(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return *text != '\0';
}

bool value_is_address(const char *text)
{
	char host[64];
	unsigned char bytes[16];
	uint64_t port;
	const char *colon = strrchr(text, ':');
	if (!colon || (size_t)(colon - text) >= sizeof host ||
	    !text_parse_u64(colon + 1, PORT_MAX, &port) || port == 0 || colon[1] == '0')
		return false;
	size_t length = (size_t)(colon - text);
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] != '[')
		return inet_pton(AF_INET, host, bytes) == 1;
	if (length < 3 || host[length - 1] != ']')
		return false;
	host[length - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, bytes) == 1;
}

bool value_is_host(const char *text)
{
	size_t label = 0;
	if (strlen(text) > HOST_MAX)
		return false;
	for (const char *p = text;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > LABEL_MAX || p[-1] == '-')
				return false;
			if (*p == '\0')
				return true;
			label = 0;
		} else if (is_lower(*p) || is_digit(*p) || (*p == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
}

bool value_is_url_path(const char *text)
{
	if (text[0] != '/')
		return false;
	for (const char *p = text; *p; p++)
		if (*p <= 0x20 || *p == 0x7f || *p == '#' || *p == '"' || *p == '<' || *p == '>')
			return false;
	return true;
}

bool value_is_prefix(const char *text)
{
	size_t size = strlen(text);
	return value_is_url_path(text) && size <= PREFIX_MAX && !strchr(text, '?') &&
	       (size == 1 || text[size - 1] != '/');
}

bool value_is_selector(const char *text)
{
	struct prometheus_selector selector;
	const char *reason;
	size_t at;
	return prometheus_selector_read(text, &selector, &reason, &at) == 0;
}

bool value_is_user(const char *text)
{
	if (!is_lower(text[0]) && text[0] != '_')
		return false;
	for (const char *p = text; *p; p++)
		if (!is_lower(*p) && !is_digit(*p) && *p != '_' && *p != '-')
			return false;
	return true;
}

bool value_is_token(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!is_letter(*p) && !is_digit(*p) && *p != '_' && *p != '-')
			return false;
	return *text != '\0';
}

bool value_is_file(const char *text)
{
	return text[0] == '/' && text[1] && value_is_line(text) && !strpbrk(text, "\"\\");
}

bool value_is_inside(const char *text)
{
	if (!value_is_line(text) || text[0] == '/')
		return false;
	for (const char *part = text; part;) {
		const char *end = strchr(part, '/');
		size_t length = end ? (size_t)(end - part) : strlen(part);
		bool dots = (length == 1 && part[0] == '.') ||
			    (length == 2 && part[0] == '.' && part[1] == '.');
		if (dots || (length == 0 && end))
			return false;
		part = end ? end + 1 : NULL;
	}
	return strcmp(text, ".davit") != 0 && !text_starts(text, ".davit/");
}

bool value_is_variable(const char *text)
{
	if (!is_letter(text[0]) && text[0] != '_')
		return false;
	for (const char *p = text; *p; p++)
		if (!is_letter(*p) && !is_digit(*p) && *p != '_')
			return false;
	return strcmp(text, "PORT") != 0 && !text_starts(text, "DAVIT_");
}

bool value_is_given(const char *text)
{
	return value_is_variable(text) && strlen(text) <= 120;
}

bool value_is_header(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!char_is(*p, CHAR_TOKEN))
			return false;
	return text[0] && strlen(text) <= 120;
}

bool value_is_field(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return false;
	return value_is_header(text) && strlen(text) <= 90;
}

bool value_is_diff_path(const char *text)
{
	const char *at = text + 1;
	if (text[0] != '$' || !*at || strlen(text) > 110)
		return false;
	while (*at) {
		size_t name = *at == '.' ? strcspn(at + 1, ".[]") : 0;
		if (at[0] == '[' && at[1] == ']')
			at += 2;
		else if (name > 0)
			at += name + 1;
		else
			return false;
	}
	return value_is_line(text);
}

bool value_is_json_path(const char *text)
{
	return strlen(text) <= 120 && json_path_valid(text);
}

bool value_is_secret(const char *text)
{
	char name[100];
	if (!text_starts(text, "davit:"))
		return false;
	text += strlen("davit:");
	const char *slash = strchr(text, '/');
	if (!slash)
		return text_is_name(text);
	size_t size = (size_t)(slash - text);
	if (size >= sizeof name)
		return false;
	memcpy(name, text, size);
	name[size] = '\0';
	return text_is_name(name) && text_is_name(slash + 1);
}

static bool parse_requests(const char *text, uint64_t *ret)
{
	char digits[24];
	const char *space = strchr(text, ' ');
	if (!space)
		return text_parse_u64(text, UINT32_MAX, ret);
	size_t length = (size_t)(space - text);
	if (length >= sizeof digits ||
	    (strcmp(space, " requests") != 0 && strcmp(space, " request") != 0))
		return false;
	memcpy(digits, text, length);
	digits[length] = '\0';
	return text_parse_u64(digits, UINT32_MAX, ret);
}

/* "1.5" as 1500. */
static bool parse_milli(const char *text, uint64_t *ret)
{
	uint64_t whole = 0, part = 0, scale = 1000;
	const char *p = text;
	if (!is_digit(*p))
		return false;
	for (; is_digit(*p) && whole < UINT32_MAX / 1000; p++)
		whole = whole * 10 + (uint64_t)(*p - '0');
	if (*p == '.' && is_digit(p[1]))
		for (p++; is_digit(*p) && scale > 1; p++) {
			scale /= 10;
			part += (uint64_t)(*p - '0') * scale;
		}
	*ret = whole * 1000 + part;
	return *p == '\0';
}

static bool parse_choice(const struct schema_key *key, const char *text, uint64_t *ret)
{
	for (uint64_t i = 0; key->choices[i]; i++)
		if (strcmp(key->choices[i], text) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

/* Every scalar but a text, as a number; false when it is not of its form. */
static bool parse_number(const struct schema_key *key, const char *text, uint64_t *ret)
{
	uint32_t share;
	switch (key->type) {
	case SCHEMA_NUMBER: return text_parse_u64(text, UINT32_MAX, ret);
	case SCHEMA_REQUESTS: return parse_requests(text, ret);
	case SCHEMA_MILLI: return parse_milli(text, ret);
	case SCHEMA_DURATION: return text_parse_duration(text, ret);
	case SCHEMA_SIZE: return text_parse_size(text, ret);
	case SCHEMA_SHARES:
	case SCHEMA_SHARE:
		if (!text_parse_share(text, &share))
			return false;
		*ret = share;
		return true;
	case SCHEMA_BOOL:
		*ret = strcmp(text, "true") == 0;
		return *ret || strcmp(text, "false") == 0;
	case SCHEMA_FLAGS:
	case SCHEMA_CHOICE: return parse_choice(key, text, ret);
	case SCHEMA_TEXT:
	case SCHEMA_TEXTS:
	case SCHEMA_ENV:
	case SCHEMA_SECTION:
	case SCHEMA_LIST:
	case SCHEMA_MAP: break;
	}
	ASSERT(!"a scalar");
}

static void store(const struct schema_key *key, uint64_t value, void *to)
{
	uint32_t narrow = (uint32_t)value;
	bool flag = value != 0;
	if (key->type == SCHEMA_BOOL)
		memcpy(to, &flag, sizeof flag);
	else if (key->type == SCHEMA_DURATION || key->type == SCHEMA_SIZE)
		memcpy(to, &value, sizeof value);
	else
		memcpy(to, &narrow, sizeof narrow);
}

static uint64_t fetch(const struct schema_key *key, const void *from)
{
	uint32_t narrow;
	uint64_t wide;
	bool flag;
	if (key->type == SCHEMA_BOOL) {
		memcpy(&flag, from, sizeof flag);
		return flag;
	}
	if (key->type == SCHEMA_DURATION || key->type == SCHEMA_SIZE) {
		memcpy(&wide, from, sizeof wide);
		return wide;
	}
	memcpy(&narrow, from, sizeof narrow);
	return narrow;
}

static bool has_bounds(const struct schema_key *key)
{
	return key->max > 0 && key->type != SCHEMA_CHOICE && key->type != SCHEMA_FLAGS;
}

/* A bare number where a unit is missing is the most frequent slip: offer the unit. */
static void suggest(const struct schema_key *key, const char *text, char *why)
{
	uint64_t number;
	const char *near = NULL;
	size_t used = strlen(why), count = 0;
	if (key->choices) {
		while (key->choices[count])
			count++;
		near = text_suggest(text, key->choices, count);
	}
	if (near) {
		snprintf(why + used, VALUE_WHY_MAX - used, "; did you mean \"%s\"?", near);
		return;
	}
	bool bare = text_parse_u64(text, UINT32_MAX, &number);
	const char *unit = !bare                                                     ? NULL
			   : key->type == SCHEMA_DURATION                            ? "s"
			   : key->type == SCHEMA_SHARE || key->type == SCHEMA_SHARES ? "%"
										     : NULL;
	if (unit)
		snprintf(why + used, VALUE_WHY_MAX - used, "; did you mean \"%s%s\"?", text, unit);
	else
		snprintf(why + used, VALUE_WHY_MAX - used, ".");
}

static bool fail(const struct schema_key *key, const char *text, const char *words, char *why)
{
	char shown[SHOWN_MAX];
	text_escape(text, strlen(text), shown, sizeof shown);
	snprintf(why, VALUE_WHY_MAX, "must be %s, not \"%s\"", words, shown);
	suggest(key, text, why);
	return false;
}

static bool parse_text(const struct schema_key *key, const char *text, void *to, char *why)
{
	size_t max = key->max && key->type == SCHEMA_TEXT ? (size_t)key->max : TEXT_LENGTH_MAX;
	const char *shape = key->shape ? key->shape : "a text of one line";
	bool fits = key->valid ? key->valid(text) : value_is_line(text);
	if (!fits)
		return fail(key, text, shape, why);
	if (strlen(text) > max) {
		snprintf(why, VALUE_WHY_MAX, "is %zu characters long; shorten it to %zu.",
			 strlen(text), max);
		return false;
	}
	memcpy(to, &text, sizeof text);
	return true;
}

bool value_parse(const struct schema_key *key, const char *text, void *to, char why[VALUE_WHY_MAX])
{
	char words[256];
	uint64_t value = 0;
	if (key->type == SCHEMA_TEXT)
		return parse_text(key, text, to, why);
	if (!parse_number(key, text, &value))
		return fail(key, text, value_type_words(key, words, sizeof words), why);
	if (has_bounds(key) && (value < key->min || value > key->max))
		return fail(key, text, value_bounds_words(key, words, sizeof words), why);
	store(key, value, to);
	return true;
}

static void join_choices(const struct schema_key *key, char *to, size_t size)
{
	size_t used = strlen(to);
	for (size_t i = 0; key->choices[i] && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s%s",
					 i == 0                ? ""
					 : key->choices[i + 1] ? ", "
							       : " or ",
					 key->choices[i]);
}

static bool add_share(const struct schema_key *key, uint32_t share_bp, struct app_shares *to,
		      char *why)
{
	uint32_t last_bp = to->count > 0 ? to->items_bp[to->count - 1] : 0;
	char shown[VALUE_TEXT_MAX], before[VALUE_TEXT_MAX];
	if (share_bp <= last_bp) {
		snprintf(why, VALUE_WHY_MAX,
			 "must rise from step to step: %s does not come after %s; put them in "
			 "order.",
			 text_format_share(share_bp, shown, sizeof shown),
			 text_format_share(last_bp, before, sizeof before));
		return false;
	}
	if (to->count == key->max) {
		snprintf(why, VALUE_WHY_MAX, "has more than %" PRIu64 " items; remove some.",
			 key->max);
		return false;
	}
	to->items_bp[to->count++] = share_bp;
	return true;
}

bool value_add(const struct schema_key *key, const char *text, void *to, char why[VALUE_WHY_MAX])
{
	char words[256];
	uint64_t value = 0;
	if (key->type == SCHEMA_TEXTS) {
		struct app_texts *texts = to;
		if (texts->count == key->max) {
			snprintf(why, VALUE_WHY_MAX,
				 "has more than %" PRIu64 " items; remove some.", key->max);
			return false;
		}
		if (!parse_text(key, text, &texts->items[texts->count], why))
			return false;
		texts->count++;
		return true;
	}
	snprintf(words, sizeof words, "made of %s",
		 key->choices ? "" : "shares such as 5% or 0.5%");
	if (key->choices)
		join_choices(key, words, sizeof words);
	if (!parse_number(key, text, &value))
		return fail(key, text, words, why);
	if (key->type == SCHEMA_SHARES)
		return add_share(key, (uint32_t)value, to, why);
	store(key, fetch(key, to) | 1u << value, to);
	return true;
}

/* 1500 as "1.5". */
static const char *format_milli(uint64_t value, char *to, size_t size)
{
	snprintf(to, size, "%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
	for (size_t length = strlen(to); to[length - 1] == '0' || to[length - 1] == '.'; length--) {
		bool whole = to[length - 1] == '.';
		to[length - 1] = '\0';
		if (whole)
			break;
	}
	return to;
}

static const char *format_number(const struct schema_key *key, uint64_t value, char *to,
				 size_t size)
{
	switch (key->type) {
	case SCHEMA_DURATION: return text_format_duration(value, to, size);
	case SCHEMA_SHARES:
	case SCHEMA_SHARE: return text_format_share((uint32_t)value, to, size);
	case SCHEMA_SIZE: return text_format_size(value, to, size);
	case SCHEMA_BOOL: snprintf(to, size, "%s", value ? "true" : "false"); return to;
	case SCHEMA_CHOICE: snprintf(to, size, "%s", key->choices[value]); return to;
	case SCHEMA_MILLI: return format_milli(value, to, size);
	case SCHEMA_NUMBER:
	case SCHEMA_REQUESTS: snprintf(to, size, "%" PRIu64, value); return to;
	case SCHEMA_FLAGS:
	case SCHEMA_TEXT:
	case SCHEMA_TEXTS:
	case SCHEMA_ENV:
	case SCHEMA_SECTION:
	case SCHEMA_LIST:
	case SCHEMA_MAP: break;
	}
	ASSERT(!"a number");
}

const char *value_format(const struct schema_key *key, const void *from, char to[VALUE_TEXT_MAX])
{
	return format_number(key, fetch(key, from), to, VALUE_TEXT_MAX);
}

const char *value_type_words(const struct schema_key *key, char *to, size_t size)
{
	static const char *const words[] = {
		[SCHEMA_TEXT] = "a text",
		[SCHEMA_NUMBER] = "a whole number",
		[SCHEMA_REQUESTS] = "a number of requests such as 50",
		[SCHEMA_MILLI] = "a number with at most three decimals such as 1.5",
		[SCHEMA_DURATION] = "a duration such as 30s, 5m or 1h30m",
		[SCHEMA_SHARE] = "a share such as 5% or 0.5%",
		[SCHEMA_SIZE] = "a size such as 64MiB or 2GiB",
		[SCHEMA_BOOL] = "true or false",
		[SCHEMA_CHOICE] = "",
		[SCHEMA_FLAGS] = "a list of ",
		[SCHEMA_TEXTS] = "a list of texts",
		[SCHEMA_SHARES] = "a list of rising shares such as [1%, 10%, 50%]",
		[SCHEMA_ENV] = "a mapping of names to texts",
		[SCHEMA_SECTION] = "a mapping",
		[SCHEMA_LIST] = "a list",
		[SCHEMA_MAP] = "a mapping of names",
	};
	snprintf(to, size, "%s",
		 key->type == SCHEMA_TEXT && key->shape ? key->shape : words[key->type]);
	if (key->choices)
		join_choices(key, to, size);
	if (key->type == SCHEMA_SECTION)
		snprintf(to, size, "%s%sa mapping", key->section->scalar_key ? "one value or " : "",
			 key->section->list_key ? "a list or " : "");
	return to;
}

const char *value_bounds_words(const struct schema_key *key, char *to, size_t size)
{
	char low[VALUE_TEXT_MAX], high[VALUE_TEXT_MAX];
	to[0] = '\0';
	if (!has_bounds(key))
		return to;
	if (key->type == SCHEMA_TEXT) {
		snprintf(to, size, "at most %" PRIu64 " characters", key->max);
	} else if (key->type >= SCHEMA_FLAGS) {
		snprintf(to, size, "at most %" PRIu64, key->max);
	} else {
		format_number(key, key->min, low, sizeof low);
		format_number(key, key->max, high, sizeof high);
		snprintf(to, size, "from %s to %s", low, high);
	}
	return to;
}
