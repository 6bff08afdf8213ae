/* SPDX-License-Identifier: Apache-2.0
 * http1 - see http1.h for the contract.
 *
 * A head is read line by line. A line is looked at once, when its LF is there; up to then only the search for
 * it goes on, from `seen_at`. So nothing but the position is carried over between calls, and whether the
 * bytes came at once or one by one cannot matter. What the fields mean is judged when all are there
 * (http1_meaning.c). */
#include "wire/http1.h"

#include <string.h>

#include "base/err.h"
#include "wire/chars.h"
#include "wire/http1_parse.h"

enum phase { PHASE_START = 0, PHASE_FIELDS, PHASE_DONE, PHASE_INVALID, PHASE_LIMIT };

const struct http1_limits http1_limits_default = {32 * 1024, 8 * 1024, HTTP1_FIELD_MAX};

void http1_head_init(struct http1_head *h)
{
	memset(h, 0, offsetof(struct http1_head, fields));
}

int http1_fail(struct http1_head *h, unsigned status, const char *reason)
{
	h->phase = PHASE_INVALID;
	h->status = (uint16_t)status;
	h->reason = reason;
	return ERR_INVALID;
}

int http1_fail_limit(struct http1_head *h, unsigned status, const char *reason)
{
	http1_fail(h, status, reason);
	h->phase = PHASE_LIMIT;
	return ERR_LIMIT;
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
		return http1_fail(h, 400,
				  data[at] == ' ' || data[at] == '\t' ? "a field is folded"
								      : "a field has no name");
	if (data[colon] != ':')
		return http1_fail(h, 400, "a field's name is not a token followed by a colon");
	if (h->field_count >= limits->fields)
		return http1_fail_limit(h, 431, "there are too many fields");
	size_t from = colon + 1, to = end;
	chars_trim(data, &from, &to);
	if (!chars_are_text(data + from, to - from))
		return http1_fail(h, 400, "a field's value has a control byte");
	enum http1_field_id id = http1_field_identify(data + at, colon - at);
	/* Applications that turn names into variables cannot tell Content_Length from Content-Length. */
	if (id != HTTP1_FIELD_OTHER && is_underscored(data + at, colon - at))
		return http1_fail(h, 400, "a field's name imitates a known one with an underscore");
	struct http1_field *f = &h->fields[h->field_count++];
	f->name = http1_span_of(at, colon);
	f->value = http1_span_of(from, to);
	f->id = (uint8_t)id;
	f->hop = false;
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
			return http1_fail_limit(h, 431, "the head is too large");
		if (rc < 0)
			return http1_fail(h, 400, "a line ends with LF alone");
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
			return http1_fail(h, 400, "this is not an HTTP request");
		window = (size_t)h->line_at + HTTP1_METHOD_MAX + limits->target_bytes +
			 HTTP1_VERSION_SIZE + 4;
		if (window > limits->head_bytes)
			window = limits->head_bytes;
		rc = find_line(h, data, size, window, &end);
		if (rc <= 0 || end != h->line_at)
			break;
		if (h->blank)
			return http1_fail(h, 400,
					  "there is more than one empty line before the request");
		h->blank = true;
		next_line(h, end);
	}
	if (rc == ERR_LIMIT)
		return http1_fail_limit(h, 414, "the request line is too long");
	if (rc < 0)
		return http1_fail(h, 400, "a line ends with LF alone");
	if (rc == 0)
		return 0;
	rc = http1_parse_request_line(h, data, end, limits);
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
		return http1_fail(h, 502, "this is not an HTTP response");
	int rc = find_line(h, data, size, limits->head_bytes, &end);
	if (rc == 0)
		return 0;
	if (rc == ERR_LIMIT)
		return http1_fail_limit(h, 502, "the status line is too long");
	if (rc < 0)
		return http1_fail(h, 502, "a line ends with LF alone");
	rc = http1_parse_status_line(h, data, end);
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
	rc = http1_judge_request(h, data);
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
		rc = http1_judge_response(h, data, asked);
	if (rc < 0) {
		h->status = 502;
		return rc;
	}
	h->phase = PHASE_DONE;
	return h->line_at;
}
