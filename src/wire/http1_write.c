/* SPDX-License-Identifier: Apache-2.0
 * http1_write - see http1_write.h for the contract. */
#include "wire/http1_write.h"

#include <string.h>

#include "base/err.h"
#include "wire/chars.h"

enum { DIGITS_MAX = 20 /* of a 64-bit number */ };

/* Bytes go to `to` while they fit; `full` remembers when one did not. */
struct sink {
	char *to;
	size_t size, capacity;
	bool full;
};

static void put(struct sink *s, const char *bytes, size_t size)
{
	if (size > s->capacity - s->size) {
		s->full = true;
		return;
	}
	memcpy(s->to + s->size, bytes, size);
	s->size += size;
}

static void put_text(struct sink *s, const char *text)
{
	put(s, text, strlen(text));
}

static void put_span(struct sink *s, const char *data, struct http1_span span)
{
	put(s, data + span.at, span.size);
}

static void put_number(struct sink *s, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put(s, digits + at, sizeof digits - at);
}

static int finish(const struct sink *s)
{
	return s->full ? ERR_LIMIT : (int)s->size;
}

bool http1_set_has(const struct http1_set *set, uint32_t count, const char *name, size_t size)
{
	for (uint32_t i = 0; i < count; i++)
		if (chars_equal(name, size, set[i].name, set[i].name_size))
			return true;
	return false;
}

static void put_fields(struct sink *s, const struct http1_head *h, const char *data,
		       const struct http1_forward *how)
{
	for (uint16_t i = 0; i < h->field_count; i++) {
		const struct http1_field *f = &h->fields[i];
		if (f->hop || (how->drop >> f->id & 1) ||
		    http1_set_has(how->set, how->set_count, data + f->name.at, f->name.size))
			continue;
		put_span(s, data, f->name);
		put(s, ": ", 2);
		put_span(s, data, f->value);
		put(s, "\r\n", 2);
	}
	for (uint32_t i = 0; i < how->set_count; i++) {
		const struct http1_set *set = &how->set[i];
		if (!set->value)
			continue;
		put(s, set->name, set->name_size);
		put(s, ": ", 2);
		put(s, set->value, set->value_size);
		put(s, "\r\n", 2);
	}
}

static void put_length(struct sink *s, uint64_t length)
{
	put_text(s, "Content-Length: ");
	put_number(s, length);
	put(s, "\r\n", 2);
}

static void put_target(struct sink *s, const struct http1_head *h, const char *data)
{
	if (h->path.size > 0)
		put_span(s, data, h->path);
	else /* an absolute target without a path: RFC 9112, 3.2.1 and 3.2.4 */
		put(s, h->method == HTTP1_METHOD_OPTIONS && !h->has_query ? "*" : "/", 1);
	if (h->has_query) {
		put(s, "?", 1);
		put_span(s, data, h->query);
	}
}

static void put_connection(struct sink *s, bool upgrade, bool trailers, bool close)
{
	if (upgrade)
		put_text(s, "Connection: upgrade\r\nUpgrade: websocket\r\n");
	else if (trailers)
		put_text(s, close ? "Connection: close, TE\r\nTE: trailers\r\n"
				  : "Connection: TE\r\nTE: trailers\r\n");
	else if (close)
		put_text(s, "Connection: close\r\n");
}

int http1_write_request(const struct http1_head *h, const char *data,
			const struct http1_forward *how, char *to, size_t capacity)
{
	struct sink s = {to, 0, capacity, false};
	put_span(&s, data, h->method_text);
	put(&s, " ", 1);
	put_target(&s, h, data);
	put_text(&s, " HTTP/1.1\r\nHost: ");
	if (h->host.size > 0)
		put_span(&s, data, h->host);
	else if (how->host)
		put_text(&s, how->host);
	put(&s, "\r\n", 2);
	put_fields(&s, h, data, how);
	put_connection(&s, h->upgrade, h->te_trailers, how->close);
	if (h->framing == HTTP1_FRAMING_CHUNKED)
		put_text(&s, "Transfer-Encoding: chunked\r\n");
	else if (h->framing == HTTP1_FRAMING_LENGTH)
		put_length(&s, h->length);
	if (how->expect && h->expect_continue)
		put_text(&s, "Expect: 100-continue\r\n");
	put(&s, "\r\n", 2);
	return finish(&s);
}

enum http1_framing http1_response_framing(const struct http1_head *h, uint8_t minor)
{
	if (h->framing == HTTP1_FRAMING_CHUNKED && minor == 0)
		return HTTP1_FRAMING_CLOSE;
	if (h->framing == HTTP1_FRAMING_CLOSE && minor == 1)
		return HTTP1_FRAMING_CHUNKED;
	return (enum http1_framing)h->framing;
}

static void put_status(struct sink *s, unsigned status)
{
	put_text(s, "HTTP/1.1 ");
	put_number(s, status);
	put(s, " ", 1);
}

int http1_write_response(const struct http1_head *h, const char *data,
			 const struct http1_forward *how, char *to, size_t capacity)
{
	struct sink s = {to, 0, capacity, false};
	enum http1_framing framing = http1_response_framing(h, how->minor);
	bool close = !h->interim && (how->close || framing == HTTP1_FRAMING_CLOSE);
	put_status(&s, h->status);
	put_span(&s, data, h->phrase);
	put(&s, "\r\n", 2);
	put_fields(&s, h, data, how);
	put_connection(&s, h->upgrade, false, close);
	if (!close && !h->interim && how->minor == 0)
		put_text(&s, "Connection: keep-alive\r\n");
	if (framing == HTTP1_FRAMING_CHUNKED)
		put_text(&s, "Transfer-Encoding: chunked\r\n");
	else if (h->has_length) /* also where no body follows: answers to HEAD, 304 */
		put_length(&s, h->length);
	put(&s, "\r\n", 2);
	return finish(&s);
}

int http1_write_own(const struct http1_own *own, char *to, size_t capacity)
{
	struct sink s = {to, 0, capacity, false};
	size_t size = own->text_size ? own->text_size : strlen(own->text);
	put_status(&s, own->status);
	put_text(&s, http1_status_text(own->status));
	put_text(&s, "\r\nContent-Type: ");
	put_text(&s, own->type ? own->type : "text/plain; charset=utf-8");
	put_text(&s, "\r\nCache-Control: no-store\r\n");
	if (own->retry_after_s > 0) {
		put_text(&s, "Retry-After: ");
		put_number(&s, own->retry_after_s);
		put(&s, "\r\n", 2);
	}
	put_connection(&s, false, false, own->close);
	put_length(&s, own->bare ? size : size + 1);
	put(&s, "\r\n", 2);
	if (!own->head) {
		put(&s, own->text, size);
		if (!own->bare)
			put(&s, "\n", 1);
	}
	return finish(&s);
}

size_t http1_write_chunk_head(uint64_t size, char to[HTTP1_CHUNK_HEAD_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t digits = 1, at;
	while (digits < 16 && size >> (4 * digits))
		digits++;
	for (at = 0; at < digits; at++)
		to[at] = hex[size >> (4 * (digits - 1 - at)) & 15];
	to[at++] = '\r';
	to[at++] = '\n';
	return at;
}

/* ---- cookies ---- */

/* Does the piece of a Cookie field begin with "NAME="? */
static bool is_cookie(const char *piece, size_t size, const char *name)
{
	size_t from = 0, to = size, name_size = strlen(name);
	chars_trim(piece, &from, &to);
	return to - from > name_size && piece[from + name_size] == '=' &&
	       memcmp(piece + from, name, name_size) == 0;
}

/* Keep the other cookies of a field's value; returns its size then, 0 when there are none. */
static size_t cut_value(char *value, size_t size, const char *name)
{
	size_t kept = 0;
	for (size_t at = 0; at < size;) {
		const char *semicolon = memchr(value + at, ';', size - at);
		size_t end = semicolon ? (size_t)(semicolon - value) : size;
		if (!is_cookie(value + at, end - at, name)) {
			while (kept == 0 && at < end && (value[at] == ' ' || value[at] == '\t'))
				at++;
			if (kept > 0)
				value[kept++] = ';';
			memmove(value + kept, value + at, end - at);
			kept += end - at;
		}
		at = end + 1;
	}
	return kept;
}

size_t http1_cut_cookie(char *head, size_t size, const char *name)
{
	static const char field[] = "cookie: ";
	size_t kept = 0, start = sizeof field - 1;
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(head + at, '\n', size - at);
		size_t line = newline ? (size_t)(newline - (head + at)) + 1 : size - at,
		       left = line;
		if (line > start + 2 && chars_equal(head + at, start, field, start)) {
			size_t value = line - start - 2;
			left = start + cut_value(head + at + start, value, name);
			memcpy(head + at + left, "\r\n", 2);
			left = left > start ? left + 2 : 0;
		}
		memmove(head + kept, head + at, left);
		kept += left;
		at += line;
	}
	return kept;
}
