/* SPDX-License-Identifier: Apache-2.0
 *
 * http1_parse - what the files of the http1 parser have in common; nobody else includes it.
 *
 * WHAT  http1.c finds the lines and splits fields, http1_start.c reads the first line, http1_meaning.c judges
 *       the fields when all are there.
 * HOW   The line to read begins at h->line_at and ends at `end`, where its CRLF stands: a byte that no class of
 *       wire/chars.h has, so that a loop over a class stops there.
 * ERRORS 0, or what http1_fail() returned: ERR_INVALID, ERR_LIMIT.
 *
 * SEE   wire/http1.h
 */
#ifndef WIRE_HTTP1_PARSE_H
#define WIRE_HTTP1_PARSE_H

#include "wire/http1.h"

enum { HTTP1_VERSION_SIZE = 8 /* HTTP/1.1 */ };

/* Fail for good with `status`; the reason is static text. */
int http1_fail(struct http1_head *h, unsigned status, const char *reason);
int http1_fail_limit(struct http1_head *h, unsigned status, const char *reason);

static inline struct http1_span http1_span_of(size_t at, size_t end)
{
	return (struct http1_span){(uint16_t)at, (uint16_t)(end - at)};
}

int http1_parse_request_line(struct http1_head *h, const char *data, size_t end,
			     const struct http1_limits *limits);
int http1_parse_status_line(struct http1_head *h, const char *data, size_t end);

/* Host, or host and port: a name, an IPv4 address or an IPv6 address in brackets. */
bool http1_host_valid(const char *text, size_t size);

/* All fields are there: set what they mean. */
int http1_judge_request(struct http1_head *h, const char *data);
int http1_judge_response(struct http1_head *h, const char *data, struct http1_asked asked);

#endif
