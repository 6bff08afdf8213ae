/* SPDX-License-Identifier: Apache-2.0
 *
 * answer - see answer.h for the contract.
 */
#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

uint64_t digest_feed(uint64_t digest, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		digest = (digest ^ (uint8_t)bytes[i]) * 0x100000001b3ull;
	return digest;
}

void answer_start(struct answer *a)
{
	a->state = ANSWER_HEAD;
	a->head_size = 0;
	a->status = 0;
	a->keep_alive = true;
	a->chunked = a->has_length = false;
	a->left = 0;
	a->line_size = 0;
	a->body_bytes = 0;
	a->body_digest = DIGEST_START;
	a->id[0] = a->release[0] = a->instance[0] = a->told_digest[0] = '\0';
	a->request_digest[0] = a->request_bytes[0] = a->accept_key[0] = a->cookie[0] = '\0';
	a->reason[0] = '\0';
}

bool answer_over(const struct answer *a)
{
	return a->state == ANSWER_DONE || a->state == ANSWER_UPGRADED || a->state == ANSWER_BAD;
}

static void keep(char *to, size_t to_size, const char *from, size_t size)
{
	if (size >= to_size)
		size = to_size - 1;
	memcpy(to, from, size);
	to[size] = '\0';
}

static bool is(const char *name, size_t size, const char *want)
{
	return strlen(want) == size && strncasecmp(name, want, size) == 0;
}

static void take_length(struct answer *a, const char *value, size_t size)
{
	uint64_t length = 0;
	bool good = size > 0 && size <= 18 && !a->has_length;
	for (size_t i = 0; good && i < size; i++) {
		good = value[i] >= '0' && value[i] <= '9';
		length = length * 10 + (uint64_t)(value[i] - '0');
	}
	a->has_length = true;
	a->left = length;
	if (!good)
		a->state = ANSWER_BAD;
}

static void take_field(struct answer *a, const char *name, size_t name_size, const char *value,
		       size_t size)
{
	struct {
		const char *name;
		char *to;
	} kept[] = {
		{"X-Load-Id", a->id},
		{"X-Release", a->release},
		{"X-Instance", a->instance},
		{"X-Body-Digest", a->told_digest},
		{"X-Request-Digest", a->request_digest},
		{"X-Request-Bytes", a->request_bytes},
		{"Sec-WebSocket-Accept", a->accept_key},
		{"X-Davit-Error", a->reason},
	};
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (is(name, name_size, kept[i].name))
			keep(kept[i].to, ANSWER_NAME_MAX, value, size);
	if (is(name, name_size, "Content-Length"))
		take_length(a, value, size);
	else if (is(name, name_size, "Transfer-Encoding")) {
		if (!is(value, size, "chunked") || a->chunked)
			a->state = ANSWER_BAD;
		a->chunked = true;
	} else if (is(name, name_size, "Connection") && is(value, size, "close")) {
		a->keep_alive = false;
	} else if (is(name, name_size, "Set-Cookie")) {
		const char *end = memchr(value, ';', size);
		keep(a->cookie, sizeof a->cookie, value, end ? (size_t)(end - value) : size);
	}
}

/* One header line without its CRLF. */
static void take_line(struct answer *a, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size);
	if (!colon || colon == line || line[0] == ' ' || line[0] == '\t') {
		a->state = ANSWER_BAD;
		return;
	}
	const char *value = colon + 1, *end = line + size;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	take_field(a, line, (size_t)(colon - line), value, (size_t)(end - value));
}

/* After the head: which body follows. RFC 9112 section 6.3. */
static void choose_body(struct answer *a)
{
	if (a->chunked && a->has_length)
		a->state = ANSWER_BAD;
	else if (a->status == 101)
		a->state = ANSWER_UPGRADED;
	else if (a->status / 100 == 1)
		answer_start(a);
	else if (a->status == 204 || a->status == 304)
		a->state = ANSWER_DONE;
	else if (a->chunked)
		a->state = ANSWER_CHUNK_SIZE;
	else if (a->has_length)
		a->state = a->left > 0 ? ANSWER_LENGTH : ANSWER_DONE;
	else
		a->state = ANSWER_UNTIL_CLOSE;
}

/* `head` is whole, up to and with the empty line. */
static void read_head(struct answer *a)
{
	const char *at = a->head, *end = a->head + a->head_size - 2;
	const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
	if (a->head_size < 16 || memcmp(at, "HTTP/1.1 ", 9) != 0 || line_end - at < 12) {
		a->state = ANSWER_BAD;
		return;
	}
	for (int i = 9; i < 12; i++) {
		if (at[i] < '0' || at[i] > '9')
			a->state = ANSWER_BAD;
		a->status = a->status * 10 + (at[i] - '0');
	}
	at = line_end + 2;
	while (at < end && a->state != ANSWER_BAD) {
		line_end = memmem(at, (size_t)(a->head + a->head_size - at), "\r\n", 2);
		take_line(a, at, (size_t)(line_end - at));
		at = line_end + 2;
	}
	if (a->state != ANSWER_BAD)
		choose_body(a);
}

/* Returns the bytes consumed: up to the end of the head. */
static size_t feed_head(struct answer *a, const char *bytes, size_t size)
{
	size_t used = 0;
	while (used < size) {
		if (a->head_size == ANSWER_HEAD_MAX) {
			a->state = ANSWER_BAD;
			return size;
		}
		a->head[a->head_size++] = bytes[used++];
		if (a->head_size >= 4 && memcmp(a->head + a->head_size - 4, "\r\n\r\n", 4) == 0) {
			read_head(a);
			return used;
		}
	}
	return used;
}

static void take_body(struct answer *a, const char *bytes, size_t size)
{
	a->body_bytes += size;
	a->body_digest = digest_feed(a->body_digest, bytes, size);
	if (a->body)
		a->body(a->context, bytes, size);
}

/* Counted body bytes, of the whole or of a chunk. */
static size_t feed_counted(struct answer *a, const char *bytes, size_t size)
{
	if (size > a->left)
		size = (size_t)a->left;
	take_body(a, bytes, size);
	a->left -= size;
	if (a->left == 0)
		a->state = a->state == ANSWER_LENGTH ? ANSWER_DONE : ANSWER_CHUNK_END;
	return size;
}

/* A line of chunked framing is whole in `line`, without its CRLF. */
static void end_line(struct answer *a)
{
	a->line[a->line_size] = '\0';
	if (a->state == ANSWER_TRAILERS) {
		if (a->line_size == 0)
			a->state = ANSWER_DONE;
	} else if (a->state == ANSWER_CHUNK_END) {
		a->state = a->line_size == 0 ? ANSWER_CHUNK_SIZE : ANSWER_BAD;
	} else {
		size_t digits = strspn(a->line, "0123456789abcdefABCDEF");
		char after = a->line[digits];
		a->left = strtoull(a->line, NULL, 16);
		if (digits == 0 || digits > 16 || (after != '\0' && after != ';'))
			a->state = ANSWER_BAD;
		else
			a->state = a->left > 0 ? ANSWER_CHUNK_DATA : ANSWER_TRAILERS;
	}
	a->line_size = 0;
}

static size_t feed_line(struct answer *a, const char *bytes, size_t size)
{
	size_t used = 0;
	while (used < size) {
		char c = bytes[used++];
		if (c == '\n') {
			if (a->line_size == 0 || a->line[a->line_size - 1] != '\r') {
				a->state = ANSWER_BAD;
				return used;
			}
			a->line_size--;
			end_line(a);
			return used;
		}
		if (a->line_size == sizeof a->line - 1) {
			if (a->state != ANSWER_TRAILERS) {
				a->state = ANSWER_BAD;
				return used;
			}
			a->line_size--; /* a long trailer: only that it is not empty matters */
		}
		a->line[a->line_size++] = c;
	}
	return used;
}

size_t answer_feed(struct answer *a, const char *bytes, size_t size)
{
	size_t used = 0;
	while (used < size && !answer_over(a)) {
		switch (a->state) {
		case ANSWER_HEAD: used += feed_head(a, bytes + used, size - used); break;
		case ANSWER_LENGTH:
		case ANSWER_CHUNK_DATA: used += feed_counted(a, bytes + used, size - used); break;
		case ANSWER_CHUNK_SIZE:
		case ANSWER_CHUNK_END:
		case ANSWER_TRAILERS: used += feed_line(a, bytes + used, size - used); break;
		case ANSWER_UNTIL_CLOSE:
			take_body(a, bytes + used, size - used);
			used = size;
			break;
		case ANSWER_DONE:
		case ANSWER_UPGRADED:
		case ANSWER_BAD: return used;
		}
	}
	return used;
}

bool answer_closed(struct answer *a)
{
	if (a->state == ANSWER_UNTIL_CLOSE)
		a->state = ANSWER_DONE;
	return a->state == ANSWER_DONE;
}
