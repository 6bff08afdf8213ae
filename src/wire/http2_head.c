/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_head - see http2_head.h for the contract.
 *
 * Pseudo-fields come first, so that their values wait at the memory's beginning until the first line can be made of
 * them, behind them, and is then moved to the front. Cookies may come in pieces, and HTTP/1.1 has one field of them.
 */
#include "wire/http2_head.h"

#include <string.h>

#include "base/err.h"
#include "wire/chars.h"

enum { FIELD_EXTRA = 32 };

void http2_request_init(struct http2_request *r, char *data)
{
	*r = (struct http2_request){.data = data};
}

static bool is(const char *name, size_t size, const char *what)
{
	return size == strlen(what) && memcmp(name, what, size) == 0;
}

static bool same(const char *a, size_t a_size, const char *b, size_t b_size)
{
	for (size_t i = 0; i < a_size && i < b_size; i++)
		if (char_lower(a[i]) != char_lower(b[i]))
			return false;
	return a_size == b_size;
}

/* A byte that would end a line, or be taken for an end by somebody. */
static bool has_line_end(const char *value, size_t size)
{
	return memchr(value, '\r', size) || memchr(value, '\n', size) || memchr(value, 0, size);
}

static bool is_token(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!char_is(text[i], CHAR_TOKEN))
			return false;
	return size > 0;
}

/* Of a pseudo-field: it becomes a word of the first line, or the value of Host. */
static bool is_word(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return size > 0;
}

static bool is_name(const char *name, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			return false;
	return is_token(name, size);
}

static void put(struct http2_request *r, const char *text, size_t size)
{
	ASSERT(r->size + size <= HTTP2_HEAD_SIZE);
	memcpy(r->data + r->size, text, size);
	r->size += (uint32_t)size;
}

static void put_text(struct http2_request *r, const char *text)
{
	put(r, text, strlen(text));
}

static void put_span(struct http2_request *r, struct http1_span span)
{
	put(r, r->data + span.at, span.size);
}

static int read_pseudo(struct http2_request *r, const char *name, size_t name_size,
		       const char *value, size_t value_size)
{
	struct http1_span *to = is(name, name_size, ":method")      ? &r->method
				: is(name, name_size, ":scheme")    ? &r->scheme
				: is(name, name_size, ":authority") ? &r->authority
				: is(name, name_size, ":path")      ? &r->path
								    : NULL;
	bool good = to == &r->method ? is_token(value, value_size) : is_word(value, value_size);
	if (!to || r->begun || to->size || !good)
		return ERR_INVALID;
	*to = (struct http1_span){.at = (uint16_t)r->size, .size = (uint16_t)value_size};
	put(r, value, value_size);
	return 0;
}

static bool is_connect(const struct http2_request *r)
{
	return is(r->data + r->method.at, r->method.size, "CONNECT");
}

static int begin(struct http2_request *r)
{
	uint32_t start = r->size;
	const char *scheme = r->data + r->scheme.at;
	bool connect = is_connect(r);
	bool http = is(scheme, r->scheme.size, "https") || is(scheme, r->scheme.size, "http");
	if (r->method.size == 0 || (!connect && (r->path.size == 0 || !http)))
		return ERR_INVALID;
	put_span(r, r->method);
	put_text(r, " ");
	uint32_t host_at = r->size;
	put_span(r, connect ? r->authority : r->path);
	put_text(r, " HTTP/1.1\r\n");
	if (r->authority.size && !connect) { /* a third copy of it would find no room */
		put_text(r, "Host: ");
		host_at = r->size;
		put_span(r, r->authority);
		put_text(r, "\r\n");
	}
	memmove(r->data, r->data + start, r->size - start);
	r->size -= start;
	r->authority.at = (uint16_t)(host_at - start);
	r->begun = true;
	return 0;
}

static void put_field(struct http2_request *r, const char *name, size_t name_size,
		      const char *value, size_t value_size)
{
	put(r, name, name_size);
	put_text(r, ": ");
	put(r, value, value_size);
	put_text(r, "\r\n");
}

/* A piece of the cookies: the first makes a line, the others go to its end. */
static void put_cookie(struct http2_request *r, const char *value, size_t size)
{
	if (!r->cookie_end) {
		put_field(r, "cookie", 6, value, size);
		r->cookie_end = r->size - 2;
		return;
	}
	char *at = r->data + r->cookie_end;
	ASSERT(r->size + size + 2 <= HTTP2_HEAD_SIZE);
	memmove(at + size + 2, at, r->size - r->cookie_end);
	memcpy(at, "; ", 2);
	memcpy(at + 2, value, size);
	r->size += (uint32_t)size + 2;
	r->cookie_end += (uint32_t)size + 2;
}

static bool of_one_connection(enum http1_field_id id)
{
	return id == HTTP1_FIELD_CONNECTION || id == HTTP1_FIELD_TRANSFER_ENCODING ||
	       id == HTTP1_FIELD_UPGRADE || id == HTTP1_FIELD_KEEP_ALIVE ||
	       id == HTTP1_FIELD_PROXY_CONNECTION || id == HTTP1_FIELD_HTTP2_SETTINGS;
}

int http2_request_field(struct http2_request *r, const char *name, size_t name_size,
			const char *value, size_t value_size)
{
	if (name_size + value_size + FIELD_EXTRA > HTTP2_LIST_MAX - r->list_size)
		return ERR_LIMIT;
	r->list_size += (uint32_t)(name_size + value_size + FIELD_EXTRA);
	if (name_size > 0 && name[0] == ':')
		return read_pseudo(r, name, name_size, value, value_size);
	if (!http2_is_field(name, name_size, value, value_size))
		return ERR_INVALID;
	int failed = r->begun ? 0 : begin(r);
	if (failed)
		return failed;
	enum http1_field_id id = http1_field_identify(name, name_size);
	if (of_one_connection(id) ||
	    (id == HTTP1_FIELD_TE && !same(value, value_size, "trailers", 8)))
		return ERR_INVALID;
	if (id == HTTP1_FIELD_HOST && r->authority.size)
		return same(value, value_size, r->data + r->authority.at, r->authority.size)
			       ? 0
			       : ERR_INVALID;
	r->has_length |= id == HTTP1_FIELD_CONTENT_LENGTH;
	if (id == HTTP1_FIELD_COOKIE)
		put_cookie(r, value, value_size);
	else
		put_field(r, name, name_size, value, value_size);
	return 0;
}

int http2_request_end(struct http2_request *r, bool ended)
{
	int failed = r->begun ? 0 : begin(r);
	if (failed)
		return failed;
	if (!ended && !r->has_length)
		put_text(r, "Transfer-Encoding: chunked\r\n");
	put_text(r, "\r\n");
	return 0;
}

bool http2_of_one_connection(const char *name, size_t name_size)
{
	return of_one_connection(http1_field_identify(name, name_size));
}

bool http2_is_field(const char *name, size_t name_size, const char *value, size_t value_size)
{
	return is_name(name, name_size) && !has_line_end(value, value_size);
}

int http2_trailer_line(const char *name, size_t name_size, const char *value, size_t value_size,
		       char *to)
{
	if (!http2_is_field(name, name_size, value, value_size))
		return ERR_INVALID;
	if (http1_field_identify(name, name_size) != HTTP1_FIELD_OTHER)
		return 0;
	return (int)http2_line(name, name_size, value, value_size, to);
}

size_t http2_line(const char *name, size_t name_size, const char *value, size_t value_size,
		  char *to)
{
	memcpy(to, name, name_size);
	memcpy(to + name_size, ": ", 2);
	memcpy(to + name_size + 2, value, value_size);
	memcpy(to + name_size + 2 + value_size, "\r\n", 2);
	return name_size + value_size + 4;
}

/* ── answers ──────────────────────────────────────────────────────────────────────────────────────── */

static void make_small(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
}

/* Around a value, where HTTP/2 allows none. */
static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

size_t http2_fields(char *data, size_t size, struct http2_field *fields, size_t max)
{
	size_t count = 0;
	for (char *line = data, *end; count < max; line = end + 1) {
		end = memchr(line, '\n', size - (size_t)(line - data));
		char *colon = end ? memchr(line, ':', (size_t)(end - line)) : NULL;
		if (!colon)
			break; /* the empty line, or nothing more */
		const char *value = colon + 1, *value_end = end - 1;
		while (value < value_end && is_blank(*value))
			value++;
		while (value < value_end && is_blank(value_end[-1]))
			value_end--;
		make_small(line, (size_t)(colon - line));
		fields[count] = (struct http2_field){.name = line,
						     .name_size = (uint32_t)(colon - line),
						     .value = value,
						     .value_size = (uint32_t)(value_end - value)};
		if (!of_one_connection(http1_field_identify(line, (size_t)(colon - line))))
			count++;
	}
	return count;
}

size_t http2_answer_size(const char *data, size_t size, unsigned *ret_status)
{
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	ASSERT(end && size > 12);
	*ret_status = (unsigned)(data[9] - '0') * 100 + (unsigned)(data[10] - '0') * 10 +
		      (unsigned)(data[11] - '0');
	return (size_t)(end - data) + 4;
}
