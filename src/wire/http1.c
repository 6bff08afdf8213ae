/* SPDX-License-Identifier: Apache-2.0
 * http1 - see http1.h for the contract.
 *
 * A head is read line by line. A line is looked at once, when its LF is there; up to then only the search for
 * it goes on, from `seen_at`. So nothing but the position is carried over between calls, and whether the
 * bytes came at once or one by one cannot matter. What the fields mean is judged when all are there. */
#include "wire/http1.h"

#include <string.h>

#include "base/err.h"
#include "wire/chars.h"

enum phase { PHASE_START = 0, PHASE_FIELDS, PHASE_DONE, PHASE_INVALID, PHASE_LIMIT };

enum { VERSION_SIZE = 8 /* HTTP/1.1 */, LENGTH_DIGITS_MAX = 19, PORT_MAX = 65535 };

const struct http1_limits http1_limits_default = {32 * 1024, 8 * 1024, HTTP1_FIELD_MAX};

void http1_head_init(struct http1_head *h)
{
	memset(h, 0, offsetof(struct http1_head, fields));
}

static int fail(struct http1_head *h, unsigned status, const char *reason)
{
	h->phase = PHASE_INVALID;
	h->status = (uint16_t)status;
	h->reason = reason;
	return ERR_INVALID;
}

static int fail_limit(struct http1_head *h, unsigned status, const char *reason)
{
	fail(h, status, reason);
	h->phase = PHASE_LIMIT;
	return ERR_LIMIT;
}

static struct http1_span span(size_t at, size_t end)
{
	return (struct http1_span){(uint16_t)at, (uint16_t)(end - at)};
}

static bool span_is(const char *data, struct http1_span s, const char *lower)
{
	return chars_equal(data + s.at, s.size, lower, strlen(lower));
}

/* ---- lines ---- */

/* Find the end of the current line before `window`. 1: *ret_end is the place of its CRLF; 0: not there yet;
 * ERR_LIMIT: not within the window; ERR_INVALID: LF without CR. */
static int find_line(struct http1_head *h, const char *data, size_t size, size_t window,
		     size_t *ret_end)
{
	size_t stop = size < window ? size : window;
	const char *lf =
		h->seen_at < stop ? memchr(data + h->seen_at, '\n', stop - h->seen_at) : NULL;
	if (!lf) {
		h->seen_at = (uint16_t)stop;
		return size < window ? 0 : ERR_LIMIT;
	}
	size_t at = (size_t)(lf - data);
	if (at == h->line_at || data[at - 1] != '\r')
		return ERR_INVALID;
	*ret_end = at - 1;
	return 1;
}

static void next_line(struct http1_head *h, size_t end)
{
	h->line_at = (uint16_t)(end + 2);
	h->seen_at = h->line_at;
}

/* ---- the request line ---- */

static enum http1_method method_of(const char *text, size_t size)
{
	static const char *const names[] = {
#define X(name) #name,
		HTTP1_METHODS(X)
#undef X
	};
	for (unsigned i = HTTP1_METHOD_GET; i < HTTP1_METHOD_COUNT; i++)
		if (names[i][0] == text[0] && strlen(names[i]) == size &&
		    memcmp(names[i], text, size) == 0)
			return (enum http1_method)i;
	return HTTP1_METHOD_OTHER;
}

/* "HTTP/1.1" at `text`; 0, or the status to fail with. */
static unsigned parse_version(struct http1_head *h, const char *text, size_t size)
{
	if (size != VERSION_SIZE || memcmp(text, "HTTP/", 5) != 0 || !char_is_digit(text[5]) ||
	    text[6] != '.' || !char_is_digit(text[7]))
		return 400;
	if (text[5] != '1' || text[7] > '1')
		return 505;
	h->minor = (uint8_t)(text[7] - '0');
	return 0;
}

/* Host, or host and port: a name, an IPv4 address or an IPv6 address in brackets. */
static bool host_valid(const char *text, size_t size)
{
	size_t at = 0;
	if (size > 0 && text[0] == '[') {
		for (at = 1; at < size &&
			     (char_is(text[at], CHAR_HEX) || text[at] == ':' || text[at] == '.');)
			at++;
		if (at < 4 || at >= size || text[at++] != ']') /* "[::]" is the shortest */
			return false;
	} else {
		while (at < size && char_is(text[at], CHAR_HOST))
			at++;
		if (at == 0)
			return false;
	}
	if (at == size)
		return true;
	if (text[at++] != ':' || size - at > 5)
		return false;
	unsigned port = 0;
	for (; at < size; at++) {
		if (!char_is_digit(text[at]))
			return false;
		port = port * 10 + (unsigned)(text[at] - '0');
	}
	return port <= PORT_MAX;
}

static void split_query(struct http1_head *h, const char *data, size_t at, size_t end)
{
	const char *mark = memchr(data + at, '?', end - at);
	size_t path_end = mark ? (size_t)(mark - data) : end;
	h->path = span(at, path_end);
	h->has_query = mark != NULL;
	if (mark)
		h->query = span(path_end + 1, end);
}

static size_t scheme_size(const char *text, size_t size)
{
	if (size >= 7 && chars_equal(text, 7, "http://", 7))
		return 7;
	return size >= 8 && chars_equal(text, 8, "https://", 8) ? 8 : 0;
}

static int parse_target(struct http1_head *h, const char *data, size_t at, size_t end)
{
	h->target = span(at, end);
	if (data[at] == '/') {
		split_query(h, data, at, end);
		return 0;
	}
	if (end - at == 1 && data[at] == '*') {
		if (h->method != HTTP1_METHOD_OPTIONS)
			return fail(h, 400, "the target * is for OPTIONS only");
		h->path = h->target;
		return 0;
	}
	size_t scheme = scheme_size(data + at, end - at);
	if (!scheme)
		return fail(h, 400, "the target is neither a path nor an http URI");
	size_t from = at + scheme, to = from;
	while (to < end && data[to] != '/' && data[to] != '?')
		to++;
	if (!host_valid(data + from, to - from))
		return fail(h, 400, "the target's host is not valid");
	h->host = span(from, to);
	split_query(h, data, to, end);
	return 0;
}

static int parse_request_line(struct http1_head *h, const char *data, size_t end,
			      const struct http1_limits *limits)
{
	size_t start = h->line_at, at = start;
	while (char_is(data[at], CHAR_TOKEN)) /* stops at the CR, if not before */
		at++;
	if (at - start > HTTP1_METHOD_MAX)
		return fail_limit(h, 501, "the method is longer than any known");
	if (at == start || data[at] != ' ')
		return fail(h, 400, "the method is not a token followed by one space");
	h->method_text = span(start, at);
	h->method = (uint8_t)method_of(data + start, at - start);
	size_t target = ++at;
	while (char_is(data[at], CHAR_TARGET))
		at++;
	if (at - target > limits->target_bytes)
		return fail_limit(h, 414, "the target is too long");
	if (at == target || data[at] != ' ')
		return fail(h, 400,
			    "the target is empty, has a forbidden byte, or no version follows");
	unsigned status = parse_version(h, data + at + 1, end - at - 1);
	if (status)
		return fail(h, status,
			    status == 505 ? "the version is not HTTP/1.0 or HTTP/1.1"
					  : "the version is malformed");
	if (h->method == HTTP1_METHOD_CONNECT)
		return fail(h, 501, "CONNECT is for forward proxies");
	return parse_target(h, data, target, at);
}

/* ---- the status line ---- */

static int parse_status_line(struct http1_head *h, const char *data, size_t end)
{
	size_t at = h->line_at;
	if (end - at < VERSION_SIZE + 4 || data[at + VERSION_SIZE] != ' ' ||
	    parse_version(h, data + at, VERSION_SIZE) != 0)
		return fail(h, 502, "the status line does not begin with HTTP/1.0 or HTTP/1.1");
	const char *code = data + at + VERSION_SIZE + 1;
	size_t phrase = at + VERSION_SIZE + 4;
	if (code[0] < '1' || code[0] > '5' || !char_is_digit(code[1]) || !char_is_digit(code[2]))
		return fail(h, 502, "the status is not a number from 100 to 599");
	h->status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
	/* The space after the code may be missing with the phrase: common, and harmless here. */
	if (phrase < end && data[phrase++] != ' ')
		return fail(h, 502, "the status is not three digits");
	if (!chars_are_text(data + phrase, end - phrase))
		return fail(h, 502, "the reason phrase has a control byte");
	h->phrase = span(phrase, end);
	return 0;
}

/* ---- fields ---- */

static bool is_underscored(const char *name, size_t size)
{
	return memchr(name, '_', size) != NULL;
}

static int parse_field(struct http1_head *h, const char *data, size_t end,
		       const struct http1_limits *limits)
{
	size_t at = h->line_at, colon = at;
	while (char_is(data[colon], CHAR_TOKEN))
		colon++;
	if (colon == at)
		return fail(h, 400,
			    data[at] == ' ' || data[at] == '\t' ? "a field is folded"
								: "a field has no name");
	if (data[colon] != ':')
		return fail(h, 400, "a field's name is not a token followed by a colon");
	if (h->field_count >= limits->fields)
		return fail_limit(h, 431, "there are too many fields");
	size_t from = colon + 1, to = end;
	chars_trim(data, &from, &to);
	if (!chars_are_text(data + from, to - from))
		return fail(h, 400, "a field's value has a control byte");
	enum http1_field_id id = http1_field_identify(data + at, colon - at);
	/* Applications that turn names into variables cannot tell Content_Length from Content-Length. */
	if (id != HTTP1_FIELD_OTHER && is_underscored(data + at, colon - at))
		return fail(h, 400, "a field's name imitates a known one with an underscore");
	struct http1_field *f = &h->fields[h->field_count++];
	f->name = span(at, colon);
	f->value = span(from, to);
	f->id = (uint8_t)id;
	f->hop = false;
	return 0;
}

/* ---- what the fields mean ---- */

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
			*ret_element = span(from, to);
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
				return fail(h, 400, "Connection is not a list of names");
		if (span_is(data, word, "close"))
			m->connection |= CONNECTION_CLOSE;
		else if (span_is(data, word, "keep-alive"))
			m->connection |= CONNECTION_KEEP_ALIVE;
		else if (span_is(data, word, "upgrade"))
			m->connection |= CONNECTION_UPGRADE;
		else if (++m->nominated > HTTP1_NOMINATED_MAX)
			return fail_limit(h, 431, "Connection nominates too many fields");
		else
			nominate(h, data, word);
	}
	return 0;
}

static int read_length(struct http1_head *h, const char *data, struct http1_span value)
{
	uint64_t length = 0;
	if (value.size == 0 || value.size > LENGTH_DIGITS_MAX)
		return fail(h, 400, "Content-Length is empty or too long");
	for (size_t i = 0; i < value.size; i++) {
		char c = data[value.at + i];
		if (!char_is_digit(c))
			return fail(h, 400, "Content-Length is not a number");
		length = length * 10 + (uint64_t)(c - '0'); /* 19 digits fit */
	}
	if (length > INT64_MAX)
		return fail(h, 400, "Content-Length is out of range");
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
		return fail(h, 400, reason);
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
			return fail(h, 400, "Content-Length and Transfer-Encoding contradict");
		if (h->minor == 0)
			return fail(h, 400, "HTTP/1.0 has no Transfer-Encoding");
		if (!span_is(data, m->coding->value, "chunked"))
			return fail(h, 400, "Transfer-Encoding is not exactly chunked");
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
		return h->minor == 0 ? 0 : fail(h, 400, "HTTP/1.1 wants a Host");
	if (!host_valid(data + field->value.at, field->value.size))
		return fail(h, 400, "Host is not valid");
	if (h->host.size == 0) {
		h->host = field->value;
		return 0;
	}
	if (h->host.size != field->value.size)
		return fail(h, 400, "the target's host and Host differ");
	for (size_t i = 0; i < h->host.size; i++)
		if (char_lower(data[h->host.at + i]) != char_lower(data[field->value.at + i]))
			return fail(h, 400, "the target's host and Host differ");
	return 0;
}

static int judge_request(struct http1_head *h, const char *data)
{
	struct meaning m = {0};
	int rc = read_fields(h, data, &m);
	if (rc == 0)
		rc = read_host(h, data, m.host);
	if (rc < 0)
		return rc;
	if (h->method == HTTP1_METHOD_TRACE && h->framing != HTTP1_FRAMING_NONE)
		return fail(h, 400, "TRACE has no body");
	for (uint16_t i = 0; h->minor == 1 && i < h->field_count; i++) {
		if (h->fields[i].id != HTTP1_FIELD_EXPECT)
			continue;
		if (!span_is(data, h->fields[i].value, "100-continue"))
			return fail(h, 417, "Expect is not 100-continue");
		h->expect_continue = h->framing == HTTP1_FRAMING_CHUNKED || h->length > 0;
	}
	/* Only websocket is switched to; another protocol, h2c above all, would tunnel past our checks. */
	h->upgrade = h->upgrade && h->minor == 1 && (m.connection & CONNECTION_UPGRADE) &&
		     h->method == HTTP1_METHOD_GET && h->framing == HTTP1_FRAMING_NONE;
	return 0;
}

static int judge_response(struct http1_head *h, const char *data, struct http1_asked asked)
{
	struct meaning m = {0};
	int rc = read_fields(h, data, &m);
	if (rc < 0)
		return rc;
	h->interim = h->status < 200 && h->status != 101;
	h->upgrade = h->upgrade && h->status == 101 && h->minor == 1 && asked.upgrade &&
		     (m.connection & CONNECTION_UPGRADE);
	if (h->status == 101 && !h->upgrade)
		return fail(h, 502, "101 switches to something that was not asked for");
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

/* ---- the two parsers ---- */

/* Read fields up to the empty line: 1 when it was there. */
static int parse_fields(struct http1_head *h, const char *data, size_t size,
			const struct http1_limits *limits)
{
	for (;;) {
		size_t end;
		int rc = find_line(h, data, size, limits->head_bytes, &end);
		if (rc == 0)
			return 0;
		if (rc == ERR_LIMIT)
			return fail_limit(h, 431, "the head is too large");
		if (rc < 0)
			return fail(h, 400, "a line ends with LF alone");
		if (end == h->line_at) {
			next_line(h, end);
			return 1;
		}
		rc = parse_field(h, data, end, limits);
		if (rc < 0)
			return rc;
		next_line(h, end);
	}
}

static int start_request(struct http1_head *h, const char *data, size_t size,
			 const struct http1_limits *limits)
{
	size_t end, window;
	int rc;
	for (;;) {
		if (size <= h->line_at)
			return 0;
		/* Tell at once when it cannot be HTTP, a TLS hello above all. */
		if (data[h->line_at] != '\r' && !char_is(data[h->line_at], CHAR_TOKEN))
			return fail(h, 400, "this is not an HTTP request");
		window = (size_t)h->line_at + HTTP1_METHOD_MAX + limits->target_bytes +
			 VERSION_SIZE + 4;
		if (window > limits->head_bytes)
			window = limits->head_bytes;
		rc = find_line(h, data, size, window, &end);
		if (rc <= 0 || end != h->line_at)
			break;
		if (h->blank)
			return fail(h, 400, "there is more than one empty line before the request");
		h->blank = true;
		next_line(h, end);
	}
	if (rc == ERR_LIMIT)
		return fail_limit(h, 414, "the request line is too long");
	if (rc < 0)
		return fail(h, 400, "a line ends with LF alone");
	if (rc == 0)
		return 0;
	rc = parse_request_line(h, data, end, limits);
	if (rc < 0)
		return rc;
	next_line(h, end);
	h->phase = PHASE_FIELDS;
	return 1;
}

static int start_response(struct http1_head *h, const char *data, size_t size,
			  const struct http1_limits *limits)
{
	size_t end;
	if (size > 0 && data[0] != 'H')
		return fail(h, 502, "this is not an HTTP response");
	int rc = find_line(h, data, size, limits->head_bytes, &end);
	if (rc == 0)
		return 0;
	if (rc == ERR_LIMIT)
		return fail_limit(h, 502, "the status line is too long");
	if (rc < 0)
		return fail(h, 502, "a line ends with LF alone");
	rc = parse_status_line(h, data, end);
	if (rc < 0)
		return rc;
	next_line(h, end);
	h->phase = PHASE_FIELDS;
	return 1;
}

/* What a call on a finished or failed head returns again; 0 while it is open. */
static int settled(const struct http1_head *h)
{
	if (h->phase == PHASE_DONE)
		return h->line_at;
	if (h->phase == PHASE_INVALID)
		return ERR_INVALID;
	return h->phase == PHASE_LIMIT ? ERR_LIMIT : 0;
}

int http1_parse_request(struct http1_head *h, const char *data, size_t size,
			const struct http1_limits *limits)
{
	int rc = settled(h);
	if (rc != 0)
		return rc;
	rc = h->phase == PHASE_START ? start_request(h, data, size, limits) : 1;
	if (rc > 0)
		rc = parse_fields(h, data, size, limits);
	if (rc <= 0)
		return rc;
	rc = judge_request(h, data);
	if (rc < 0)
		return rc;
	h->phase = PHASE_DONE;
	return h->line_at;
}

int http1_parse_response(struct http1_head *h, const char *data, size_t size,
			 const struct http1_limits *limits, struct http1_asked asked)
{
	int rc = settled(h);
	if (rc != 0)
		return rc;
	rc = h->phase == PHASE_START ? start_response(h, data, size, limits) : 1;
	if (rc > 0)
		rc = parse_fields(h, data, size, limits);
	if (rc == 0)
		return 0;
	if (rc > 0)
		rc = judge_response(h, data, asked);
	if (rc < 0) {
		h->status = 502;
		return rc;
	}
	h->phase = PHASE_DONE;
	return h->line_at;
}
