/* SPDX-License-Identifier: Apache-2.0
 *
 * request - see request.h for the contract.
 */
#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fixed mixing of the number (splitmix64's finaliser): sizes that look random and are not. */
static uint64_t mixed(uint64_t number)
{
	uint64_t z = number + 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Most bodies are small, one in 16 is up to 20 kB, one in 64 up to 200 kB. */
static uint64_t body_bytes(const struct request_style *s, uint64_t number)
{
	uint64_t m = mixed(number), size = 1 + (m >> 16) % 2000;
	if (m % 64 == 0)
		size *= 100;
	else if (m % 16 == 0)
		size *= 10;
	return size < s->max_bytes ? size : s->max_bytes;
}

static bool chunked(uint64_t number)
{
	return mixed(number) >> 8 & 1;
}

static uint64_t slow_ms(uint64_t number)
{
	return 50 + (mixed(number) >> 32) % (SLOW_MAX_MS - 50);
}

const char *request_id(const struct request_style *s, uint64_t number, char to[REQUEST_ID_MAX])
{
	snprintf(to, REQUEST_ID_MAX, "%s-%" PRIu64, s->run, number);
	return to;
}

bool request_number(const struct request_style *s, const char *id, uint64_t *ret_number)
{
	size_t prefix = strlen(s->run);
	char *end;
	if (strncmp(id, s->run, prefix) != 0 || id[prefix] != '-')
		return false;
	*ret_number = strtoull(id + prefix + 1, &end, 10);
	return end != id + prefix + 1 && *end == '\0';
}

/* The body of POST `number`, piece [at, at + size). */
static void fill(uint64_t number, uint64_t at, char *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (char)('a' + (number * 31 + (at + i) * 7 + (at + i) / 26) % 26);
}

static uint64_t body_digest(uint64_t number, uint64_t bytes)
{
	char piece[4096];
	uint64_t digest = DIGEST_START;
	for (uint64_t at = 0; at < bytes; at += sizeof piece) {
		size_t size = bytes - at < sizeof piece ? (size_t)(bytes - at) : sizeof piece;
		fill(number, at, piece, size);
		digest = digest_feed(digest, piece, size);
	}
	return digest;
}

static void write_target(const struct request *r, const struct request_style *s, struct buf *to)
{
	switch (r->kind) {
	case REQUEST_GET:
		buf_printf(to, "GET /item/%" PRIu64 "?bytes=%" PRIu64 "&chunked=%d", r->number,
			   body_bytes(s, r->number), chunked(r->number));
		break;
	case REQUEST_POST: buf_printf(to, "POST /cart/%" PRIu64, r->number); break;
	case REQUEST_SLOW:
		buf_printf(to, "GET /slow?ms=%" PRIu64 "&bytes=%" PRIu64, slow_ms(r->number),
			   body_bytes(s, r->number));
		break;
	case REQUEST_SSE:
		buf_printf(to, "GET /events?n=%d&ms=%d&from=%u", SSE_EVENTS, SSE_GAP_MS,
			   r->next_event);
		break;
	case REQUEST_WS: buf_puts(to, "GET /ws"); break;
	case REQUEST_KIND_COUNT: abort();
	}
	buf_puts(to, " HTTP/1.1\r\n");
}

static void write_chunks(uint64_t number, uint64_t bytes, struct buf *to)
{
	char piece[8192];
	size_t step = 1 + (size_t)(mixed(number) >> 40) % sizeof piece;
	for (uint64_t at = 0; at < bytes; at += step) {
		size_t size = bytes - at < step ? (size_t)(bytes - at) : step;
		fill(number, at, piece, size);
		buf_printf(to, "%zx\r\n", size);
		buf_append(to, piece, size);
		buf_puts(to, "\r\n");
	}
	buf_puts(to, "0\r\n\r\n");
}

static void write_counted(uint64_t number, uint64_t bytes, struct buf *to)
{
	char piece[4096];
	for (uint64_t at = 0; at < bytes; at += sizeof piece) {
		size_t size = bytes - at < sizeof piece ? (size_t)(bytes - at) : sizeof piece;
		fill(number, at, piece, size);
		buf_append(to, piece, size);
	}
}

size_t request_write(const struct request *r, const struct request_style *s, const char *cookie,
		     struct buf *to)
{
	char id[REQUEST_ID_MAX];
	uint64_t bytes = body_bytes(s, r->number);
	write_target(r, s, to);
	buf_printf(to, "Host: %s\r\nX-Load-Id: %s\r\n", s->host, request_id(s, r->number, id));
	for (size_t i = 0; i < EXTRA_HEADERS_MAX && s->headers[i]; i++)
		buf_printf(to, "%s\r\n", s->headers[i]);
	if (cookie[0] != '\0')
		buf_printf(to, "Cookie: %s\r\n", cookie);
	if (r->kind == REQUEST_SSE)
		buf_puts(to, "Accept: text/event-stream\r\n");
	if (r->kind == REQUEST_WS) /* the key of RFC 6455 section 1.3: its accept value is known */
		buf_puts(
			to,
			"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
	if (r->kind != REQUEST_POST) {
		buf_puts(to, "\r\n");
		return 0;
	}
	buf_puts(to, "Content-Type: text/plain\r\n");
	if (chunked(r->number))
		buf_puts(to, "Transfer-Encoding: chunked\r\n\r\n");
	else
		buf_printf(to, "Content-Length: %" PRIu64 "\r\n\r\n", bytes);
	size_t head = to->size;
	if (chunked(r->number))
		write_chunks(r->number, bytes, to);
	else
		write_counted(r->number, bytes, to);
	return mixed(r->number) >> 12 & 7 ? 0 : head + (to->size - head) / 2;
}

static bool told(const char *hex, uint64_t digest)
{
	char want[20];
	snprintf(want, sizeof want, "%016" PRIx64, digest);
	return strcmp(hex, want) == 0;
}

bool request_body_right(const struct request *r, const struct request_style *s,
			const struct answer *a)
{
	uint64_t bytes = body_bytes(s, r->number);
	char want[24];
	switch (r->kind) {
	case REQUEST_GET:
	case REQUEST_SLOW: return a->body_bytes == bytes && told(a->told_digest, a->body_digest);
	case REQUEST_POST:
		snprintf(want, sizeof want, "%" PRIu64, bytes);
		return strcmp(a->request_bytes, want) == 0 &&
		       told(a->told_digest, a->body_digest) &&
		       told(a->request_digest, body_digest(r->number, bytes));
	case REQUEST_SSE: return r->next_event == SSE_EVENTS + 1;
	case REQUEST_WS:
	case REQUEST_KIND_COUNT: break;
	}
	return false;
}

bool request_take_event(struct request *r, const struct request_style *s, const char *line)
{
	char id[REQUEST_ID_MAX], want[REQUEST_ID_MAX + 24];
	if (strncmp(line, "data: ", 6) != 0)
		return true; /* the empty line, a comment, or another field */
	request_id(s, r->number, id);
	if (r->next_event < SSE_EVENTS)
		snprintf(want, sizeof want, "%s %u", id, r->next_event);
	else
		snprintf(want, sizeof want, "%s end", id);
	if (r->next_event > SSE_EVENTS || strcmp(line + 6, want) != 0)
		return false;
	r->next_event++;
	return true;
}
