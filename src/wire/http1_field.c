/* SPDX-License-Identifier: Apache-2.0
 * http1_field - the tables of http1.h: known fields, methods, status codes; look-ups in a parsed head. */
#include <string.h>

#include "wire/chars.h"
#include "wire/http1.h"

enum { KNOWN_SIZE_MAX = 19, KNOWN_PER_SIZE = 3 };

struct text {
	const char *text;
	uint8_t size;
};

static const struct text known[] = {
#define X(name, text) {text, sizeof(text) - 1},
	HTTP1_FIELDS(X)
#undef X
};

/* The candidates by length, so that most names are told apart by that alone. A test goes over all names. */
static const uint8_t by_size[KNOWN_SIZE_MAX + 1][KNOWN_PER_SIZE] = {
	[2] = {HTTP1_FIELD_TE},
	[3] = {HTTP1_FIELD_VIA},
	[4] = {HTTP1_FIELD_HOST},
	[6] = {HTTP1_FIELD_COOKIE, HTTP1_FIELD_EXPECT},
	[7] = {HTTP1_FIELD_UPGRADE, HTTP1_FIELD_TRAILER},
	[9] = {HTTP1_FIELD_FORWARDED, HTTP1_FIELD_X_REAL_IP},
	[10] = {HTTP1_FIELD_CONNECTION, HTTP1_FIELD_KEEP_ALIVE, HTTP1_FIELD_SET_COOKIE},
	[11] = {HTTP1_FIELD_RETRY_AFTER},
	[12] = {HTTP1_FIELD_CONTENT_TYPE, HTTP1_FIELD_X_REQUEST_ID},
	[13] = {HTTP1_FIELD_AUTHORIZATION},
	[14] = {HTTP1_FIELD_CONTENT_LENGTH, HTTP1_FIELD_HTTP2_SETTINGS, HTTP1_FIELD_X_DAVIT_SHADOW},
	[15] = {HTTP1_FIELD_X_FORWARDED_FOR, HTTP1_FIELD_X_DAVIT_PREVIEW},
	[16] = {HTTP1_FIELD_PROXY_CONNECTION, HTTP1_FIELD_X_FORWARDED_HOST,
		HTTP1_FIELD_X_FORWARDED_PORT},
	[17] = {HTTP1_FIELD_TRANSFER_ENCODING, HTTP1_FIELD_X_FORWARDED_PROTO},
	[18] = {HTTP1_FIELD_PROXY_AUTHENTICATE},
	[19] = {HTTP1_FIELD_PROXY_AUTHORIZATION},
};

static bool looks_like(const char *name, const struct text *field)
{
	for (size_t i = 0; i < field->size; i++) {
		char c = char_lower(name[i]);
		if ((c == '_' ? '-' : c) != field->text[i])
			return false;
	}
	return true;
}

enum http1_field_id http1_field_identify(const char *name, size_t size)
{
	if (size > KNOWN_SIZE_MAX)
		return HTTP1_FIELD_OTHER;
	for (size_t i = 0; i < KNOWN_PER_SIZE && by_size[size][i]; i++)
		if (looks_like(name, &known[by_size[size][i]]))
			return (enum http1_field_id)by_size[size][i];
	return HTTP1_FIELD_OTHER;
}

const struct http1_field *http1_field_find(const struct http1_head *h, enum http1_field_id id)
{
	for (uint16_t i = 0; i < h->field_count; i++)
		if (h->fields[i].id == id)
			return &h->fields[i];
	return NULL;
}

const struct http1_field *http1_field_named(const struct http1_head *h, const char *data,
					    const char *name, uint16_t from)
{
	size_t size = strlen(name);
	for (uint16_t i = from; i < h->field_count; i++) {
		const struct http1_span *s = &h->fields[i].name;
		if (chars_equal(data + s->at, s->size, name, size))
			return &h->fields[i];
	}
	return NULL;
}

bool http1_method_safe(enum http1_method method)
{
	return method == HTTP1_METHOD_GET || method == HTTP1_METHOD_HEAD ||
	       method == HTTP1_METHOD_OPTIONS || method == HTTP1_METHOD_TRACE;
}

bool http1_method_idempotent(enum http1_method method)
{
	return http1_method_safe(method) || method == HTTP1_METHOD_PUT ||
	       method == HTTP1_METHOD_DELETE;
}

const char *http1_status_text(unsigned status)
{
	static const struct {
		uint16_t status;
		const char *text;
	} names[] = {
		{100, "Continue"},
		{101, "Switching Protocols"},
		{200, "OK"},
		{204, "No Content"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].status == status)
			return names[i].text;
	return "";
}

/* Find `name` in one Cookie value: "a=1; b=2". */
static bool find_in(const char *data, struct http1_span in, const char *name, size_t name_size,
		    struct http1_span *ret_value)
{
	size_t at = in.at, end = at + in.size;
	while (at < end) {
		const char *semicolon = memchr(data + at, ';', end - at);
		size_t stop = semicolon ? (size_t)(semicolon - data) : end, from = at, to = stop;
		chars_trim(data, &from, &to);
		if (to - from > name_size && data[from + name_size] == '=' &&
		    memcmp(data + from, name, name_size) == 0) {
			*ret_value = (struct http1_span){(uint16_t)(from + name_size + 1),
							 (uint16_t)(to - from - name_size - 1)};
			return true;
		}
		at = stop + 1;
	}
	return false;
}

bool http1_cookie_find(const struct http1_head *h, const char *data, const char *name,
		       struct http1_span *ret_value)
{
	size_t size = strlen(name);
	for (uint16_t i = 0; i < h->field_count; i++)
		if (h->fields[i].id == HTTP1_FIELD_COOKIE &&
		    find_in(data, h->fields[i].value, name, size, ret_value))
			return true;
	return false;
}
