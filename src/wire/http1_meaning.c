/* SPDX-License-Identifier: Apache-2.0
 * http1_meaning - what the fields of a head mean: framing, connection, host, upgrade. See http1_parse.h for the
 * contract. */
#include <string.h>

#include "base/err.h"
#include "wire/chars.h"
#include "wire/http1_parse.h"

enum { LENGTH_DIGITS_MAX = 19 };

static bool span_is(const char *data, struct http1_span s, const char *lower)
{
	return chars_equal(data + s.at, s.size, lower, strlen(lower));
}

enum { CONNECTION_CLOSE = 1, CONNECTION_KEEP_ALIVE = 2, CONNECTION_UPGRADE = 4 };

struct meaning {
	const struct http1_field *host, *length, *coding, *upgrade;
	unsigned connection; /* CONNECTION_ bits */
	unsigned nominated;  /* names in Connection that are not those */
};

/* The next element of a comma list in [*at, end); false at the end. Empty elements are passed over. */
static bool next_element(const char *data, size_t *at, size_t end, struct http1_span *ret_element)
{
	while (*at < end) {
		const char *comma = memchr(data + *at, ',', end - *at);
		size_t from = *at, to = comma ? (size_t)(comma - data) : end;
		*at = to + 1;
		chars_trim(data, &from, &to);
		if (from < to) {
			*ret_element = http1_span_of(from, to);
			return true;
		}
	}
	return false;
}

static void nominate(struct http1_head *h, const char *data, struct http1_span name)
{
	for (uint16_t i = 0; i < h->field_count; i++) {
		struct http1_field *f = &h->fields[i];
		if (f->name.size != name.size)
			continue;
		size_t at = 0;
		while (at < name.size &&
		       char_lower(data[f->name.at + at]) == char_lower(data[name.at + at]))
			at++;
		if (at == name.size)
			f->hop = true;
	}
}

static int read_connection(struct http1_head *h, const char *data, struct http1_span value,
			   struct meaning *m)
{
	struct http1_span word;
	size_t at = value.at;
	while (next_element(data, &at, (size_t)value.at + value.size, &word)) {
		for (size_t i = 0; i < word.size; i++)
			if (!char_is(data[word.at + i], CHAR_TOKEN))
				return http1_fail(h, 400, "Connection is not a list of names");
		if (span_is(data, word, "close"))
			m->connection |= CONNECTION_CLOSE;
		else if (span_is(data, word, "keep-alive"))
			m->connection |= CONNECTION_KEEP_ALIVE;
		else if (span_is(data, word, "upgrade"))
			m->connection |= CONNECTION_UPGRADE;
		else if (++m->nominated > HTTP1_NOMINATED_MAX)
			return http1_fail_limit(h, 431, "Connection nominates too many fields");
		else
			nominate(h, data, word);
	}
	return 0;
}

static int read_length(struct http1_head *h, const char *data, struct http1_span value)
{
	uint64_t length = 0;
	if (value.size == 0 || value.size > LENGTH_DIGITS_MAX)
		return http1_fail(h, 400, "Content-Length is empty or too long");
	for (size_t i = 0; i < value.size; i++) {
		char c = data[value.at + i];
		if (!char_is_digit(c))
			return http1_fail(h, 400, "Content-Length is not a number");
		length = length * 10 + (uint64_t)(c - '0'); /* 19 digits fit */
	}
	if (length > INT64_MAX)
		return http1_fail(h, 400, "Content-Length is out of range");
	h->length = length;
	h->has_length = true;
	return 0;
}

static bool lists_trailers(const char *data, struct http1_span value)
{
	struct http1_span word;
	size_t at = value.at;
	while (next_element(data, &at, (size_t)value.at + value.size, &word))
		if (span_is(data, word, "trailers"))
			return true;
	return false;
}

/* Keep the field of a kind that may be there once only. */
static int once(struct http1_head *h, const struct http1_field **slot, const struct http1_field *f,
		const char *reason)
{
	if (*slot)
		return http1_fail(h, 400, reason);
	*slot = f;
	return 0;
}

static int read_field(struct http1_head *h, const char *data, struct http1_field *f,
		      struct meaning *m)
{
	int rc = 0;
	if (f->id == HTTP1_FIELD_OTHER)
		return 0;
	if (f->id == HTTP1_FIELD_HOST) {
		rc = once(h, &m->host, f, "there is more than one Host");
	} else if (f->id == HTTP1_FIELD_CONTENT_LENGTH) {
		rc = once(h, &m->length, f, "there is more than one Content-Length");
		if (rc == 0)
			rc = read_length(h, data, f->value);
	} else if (f->id == HTTP1_FIELD_TRANSFER_ENCODING) {
		rc = once(h, &m->coding, f, "there is more than one Transfer-Encoding");
	} else if (f->id == HTTP1_FIELD_UPGRADE) {
		h->upgrade = !m->upgrade && span_is(data, f->value, "websocket");
		m->upgrade = f;
	} else if (f->id == HTTP1_FIELD_CONNECTION) {
		rc = read_connection(h, data, f->value, m);
	} else if (f->id == HTTP1_FIELD_TE) {
		h->te_trailers |= lists_trailers(data, f->value);
	} else if (f->id != HTTP1_FIELD_KEEP_ALIVE && f->id != HTTP1_FIELD_PROXY_CONNECTION &&
		   f->id != HTTP1_FIELD_PROXY_AUTHENTICATE &&
		   f->id != HTTP1_FIELD_PROXY_AUTHORIZATION &&
		   f->id != HTTP1_FIELD_HTTP2_SETTINGS && f->id != HTTP1_FIELD_EXPECT) {
		return 0;
	}
	f->hop = true;
	return rc;
}

/* Framing fields, alike in requests and responses. */
static int read_framing(struct http1_head *h, const char *data, const struct meaning *m)
{
	if (m->coding) {
		if (m->length)
			return http1_fail(h, 400,
					  "Content-Length and Transfer-Encoding contradict");
		if (h->minor == 0)
			return http1_fail(h, 400, "HTTP/1.0 has no Transfer-Encoding");
		if (!span_is(data, m->coding->value, "chunked"))
			return http1_fail(h, 400, "Transfer-Encoding is not exactly chunked");
		h->framing = HTTP1_FRAMING_CHUNKED;
	} else if (m->length) {
		h->framing = HTTP1_FRAMING_LENGTH;
	}
	return 0;
}

static int read_fields(struct http1_head *h, const char *data, struct meaning *m)
{
	for (uint16_t i = 0; i < h->field_count; i++) {
		int rc = read_field(h, data, &h->fields[i], m);
		if (rc < 0)
			return rc;
	}
	h->keep_alive = !(m->connection & CONNECTION_CLOSE) &&
			(h->minor == 1 || (m->connection & CONNECTION_KEEP_ALIVE));
	return read_framing(h, data, m);
}

static int read_host(struct http1_head *h, const char *data, const struct http1_field *field)
{
	if (!field)
		return h->minor == 0 ? 0 : http1_fail(h, 400, "HTTP/1.1 wants a Host");
	if (!http1_host_valid(data + field->value.at, field->value.size))
		return http1_fail(h, 400, "Host is not valid");
	if (h->host.size == 0) {
		h->host = field->value;
		return 0;
	}
	if (h->host.size != field->value.size)
		return http1_fail(h, 400, "the target's host and Host differ");
	for (size_t i = 0; i < h->host.size; i++)
		if (char_lower(data[h->host.at + i]) != char_lower(data[field->value.at + i]))
			return http1_fail(h, 400, "the target's host and Host differ");
	return 0;
}

int http1_judge_request(struct http1_head *h, const char *data)
{
	struct meaning m = {0};
	int rc = read_fields(h, data, &m);
	if (rc == 0)
		rc = read_host(h, data, m.host);
	if (rc < 0)
		return rc;
	if (h->method == HTTP1_METHOD_TRACE && h->framing != HTTP1_FRAMING_NONE)
		return http1_fail(h, 400, "TRACE has no body");
	for (uint16_t i = 0; h->minor == 1 && i < h->field_count; i++) {
		if (h->fields[i].id != HTTP1_FIELD_EXPECT)
			continue;
		if (!span_is(data, h->fields[i].value, "100-continue"))
			return http1_fail(h, 417, "Expect is not 100-continue");
		h->expect_continue = h->framing == HTTP1_FRAMING_CHUNKED || h->length > 0;
	}
	/* Only websocket is switched to; another protocol, h2c above all, would tunnel past our checks. */
	h->upgrade = h->upgrade && h->minor == 1 && (m.connection & CONNECTION_UPGRADE) &&
		     h->method == HTTP1_METHOD_GET && h->framing == HTTP1_FRAMING_NONE;
	return 0;
}

int http1_judge_response(struct http1_head *h, const char *data, struct http1_asked asked)
{
	struct meaning m = {0};
	int rc = read_fields(h, data, &m);
	if (rc < 0)
		return rc;
	h->interim = h->status < 200 && h->status != 101;
	h->upgrade = h->upgrade && h->status == 101 && h->minor == 1 && asked.upgrade &&
		     (m.connection & CONNECTION_UPGRADE);
	if (h->status == 101 && !h->upgrade)
		return http1_fail(h, 502, "101 switches to something that was not asked for");
	if (h->status < 200 || h->status == 204) {
		h->framing = HTTP1_FRAMING_NONE; /* whatever it declares: RFC 9112, 6.3 */
		h->has_length = false;
		h->length = 0;
	} else if (h->status == 304 || asked.head) {
		h->framing = HTTP1_FRAMING_NONE;
	} else if (h->framing == HTTP1_FRAMING_NONE) {
		h->framing = HTTP1_FRAMING_CLOSE;
		h->keep_alive = false;
	}
	return 0;
}
