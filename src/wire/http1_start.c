/* SPDX-License-Identifier: Apache-2.0
 * http1_start - the first line of a head: of a request with its target, of a response with its status. See
 * http1_parse.h for the contract. */
#include <string.h>

#include "base/err.h"
#include "wire/chars.h"
#include "wire/http1_parse.h"

enum { PORT_MAX = 65535 };

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
	if (size != HTTP1_VERSION_SIZE || memcmp(text, "HTTP/", 5) != 0 ||
	    !char_is_digit(text[5]) || text[6] != '.' || !char_is_digit(text[7]))
		return 400;
	if (text[5] != '1' || text[7] > '1')
		return 505;
	h->minor = (uint8_t)(text[7] - '0');
	return 0;
}

bool http1_host_valid(const char *text, size_t size)
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
	h->path = http1_span_of(at, path_end);
	h->has_query = mark != NULL;
	if (mark)
		h->query = http1_span_of(path_end + 1, end);
}

static size_t scheme_size(const char *text, size_t size)
{
	if (size >= 7 && chars_equal(text, 7, "http://", 7))
		return 7;
	return size >= 8 && chars_equal(text, 8, "https://", 8) ? 8 : 0;
}

static int parse_target(struct http1_head *h, const char *data, size_t at, size_t end)
{
	h->target = http1_span_of(at, end);
	if (data[at] == '/') {
		split_query(h, data, at, end);
		return 0;
	}
	if (end - at == 1 && data[at] == '*') {
		if (h->method != HTTP1_METHOD_OPTIONS)
			return http1_fail(h, 400, "the target * is for OPTIONS only");
		h->path = h->target;
		return 0;
	}
	size_t scheme = scheme_size(data + at, end - at);
	if (!scheme)
		return http1_fail(h, 400, "the target is neither a path nor an http URI");
	size_t from = at + scheme, to = from;
	while (to < end && data[to] != '/' && data[to] != '?')
		to++;
	if (!http1_host_valid(data + from, to - from))
		return http1_fail(h, 400, "the target's host is not valid");
	h->host = http1_span_of(from, to);
	split_query(h, data, to, end);
	return 0;
}

int http1_parse_request_line(struct http1_head *h, const char *data, size_t end,
			     const struct http1_limits *limits)
{
	size_t start = h->line_at, at = start;
	while (char_is(data[at], CHAR_TOKEN)) /* stops at the CR, if not before */
		at++;
	if (at - start > HTTP1_METHOD_MAX)
		return http1_fail_limit(h, 501, "the method is longer than any known");
	if (at == start || data[at] != ' ')
		return http1_fail(h, 400, "the method is not a token followed by one space");
	h->method_text = http1_span_of(start, at);
	h->method = (uint8_t)method_of(data + start, at - start);
	size_t target = ++at;
	while (char_is(data[at], CHAR_TARGET))
		at++;
	if (at - target > limits->target_bytes)
		return http1_fail_limit(h, 414, "the target is too long");
	if (at == target || data[at] != ' ')
		return http1_fail(
			h, 400, "the target is empty, has a forbidden byte, or no version follows");
	unsigned status = parse_version(h, data + at + 1, end - at - 1);
	if (status)
		return http1_fail(h, status,
				  status == 505 ? "the version is not HTTP/1.0 or HTTP/1.1"
						: "the version is malformed");
	if (h->method == HTTP1_METHOD_CONNECT)
		return http1_fail(h, 501, "CONNECT is for forward proxies");
	return parse_target(h, data, target, at);
}

/* ---- the status line ---- */

int http1_parse_status_line(struct http1_head *h, const char *data, size_t end)
{
	size_t at = h->line_at;
	if (end - at < HTTP1_VERSION_SIZE + 4 || data[at + HTTP1_VERSION_SIZE] != ' ' ||
	    parse_version(h, data + at, HTTP1_VERSION_SIZE) != 0)
		return http1_fail(h, 502,
				  "the status line does not begin with HTTP/1.0 or HTTP/1.1");
	const char *code = data + at + HTTP1_VERSION_SIZE + 1;
	size_t phrase = at + HTTP1_VERSION_SIZE + 4;
	if (code[0] < '1' || code[0] > '5' || !char_is_digit(code[1]) || !char_is_digit(code[2]))
		return http1_fail(h, 502, "the status is not a number from 100 to 599");
	h->status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
	/* The space after the code may be missing with the phrase: common, and harmless here. */
	if (phrase < end && data[phrase++] != ' ')
		return http1_fail(h, 502, "the status is not three digits");
	if (!chars_are_text(data + phrase, end - phrase))
		return http1_fail(h, 502, "the reason phrase has a control byte");
	h->phrase = http1_span_of(phrase, end);
	return 0;
}
