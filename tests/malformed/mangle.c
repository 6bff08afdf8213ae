/* SPDX-License-Identifier: Apache-2.0
 * mangle - see mangle.h for the contract. */
#include "mangle.h"

#include <stdio.h>
#include <string.h>

enum { CHANGES_MAX = 5, RUN_MAX = 40000, REPEAT_MAX = 150, RIGHT_ONE_IN = 16 };

#define TAG "X-Case: @\r\n" /* the @ is where the tag comes */

static const char *const requests[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n" TAG "\r\n",
	"GET /a/b?c=d HTTP/1.1\r\nHost: a:80\r\n" TAG
	"User-Agent: x\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
	"HEAD / HTTP/1.1\r\nHost: a\r\n" TAG "\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\n" TAG "Content-Length: 11\r\n\r\nhello world",
	"PUT /x HTTP/1.1\r\nHost: a\r\n" TAG
	"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	"POST /x HTTP/1.1\r\nHost: a\r\n" TAG
	"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: y\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\n" TAG
	"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
	"OPTIONS * HTTP/1.1\r\nHost: a\r\n" TAG "Max-Forwards: 3\r\n\r\n",
	"GET http://a/x HTTP/1.1\r\nHost: a\r\n" TAG "\r\n",
	"GET / HTTP/1.0\r\nHost: a\r\n" TAG "Connection: keep-alive\r\n\r\n",
	"GET /ws HTTP/1.1\r\nHost: a\r\n" TAG
	"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85\x01\x02\x03\x04xxxxx\x88\x80"
	"\x01\x02\x03\x04",
	"GET / HTTP/1.1\r\nHost: a\r\n" TAG
	"TE: trailers\r\nConnection: TE, x-y, close\r\nX-Y: z\r\nKeep-Alive: timeout=5\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [::1]:80\r\n" TAG
	"X-Forwarded-For: 1.2.3.4\r\nForwarded: for=x\r\nVia: 1.0 y\r\nX-Request-Id: z\r\n"
	"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\n" TAG
	"Content-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n" TAG "\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\n" TAG "\r\n\r\nDELETE /2 HTTP/1.1\r\nHost: a\r\n" TAG
	"\r\nGET /3 HTTP/1.1\r\nHost: a\r\n" TAG "\r\n",
};

static const char *const answers[] = {
	"HTTP/1.1 200 OK\r\n" TAG "Content-Length: 5\r\n\r\nhello",
	"HTTP/1.1 200 OK\r\n" TAG
	"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
	"HTTP/1.1 204 No Content\r\n" TAG "\r\n",
	"HTTP/1.1 304 Not Modified\r\n" TAG "ETag: \"x\"\r\nContent-Length: 5\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n" TAG "Content-Length: 0\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n" TAG
	"Connection: close\r\n\r\nhello",
	"HTTP/1.0 200 OK\r\n" TAG "\r\nhello",
	"HTTP/1.1 101 Switching Protocols\r\n" TAG
	"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello\x88\x00",
	"HTTP/1.1 200 OK\r\n" TAG "Content-Type: text/event-stream\r\nTransfer-Encoding: "
	"chunked\r\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n",
	"HTTP/1.1 503 Service Unavailable\r\n" TAG
	"Retry-After: 1\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nno",
};

/* What means something to a reader of HTTP. */
static const char *const words[] = {
	"\r\n",
	"\n",
	"\r",
	"\r\n\r\n",
	"\r\n ",
	"\r\n\t",
	"\0",
	" ",
	"\t",
	"\v",
	":",
	";",
	",",
	"=",
	"\"",
	"/",
	"?",
	"#",
	"%00",
	"\x7f",
	"\x80",
	"\xff",
	"HTTP/1.1",
	"HTTP/1.0",
	"HTTP/2.0",
	"GET ",
	"Host: b\r\n",
	"Content-Length: 5\r\n",
	"Content-Length: 0\r\n",
	"Content-Length : 7\r\n",
	"Content-Length:\r\n",
	"content_length: 3\r\n",
	"Transfer-Encoding: chunked\r\n",
	"Transfer-Encoding: identity\r\n",
	"Transfer-Encoding : chunked\r\n",
	"Transfer-Encoding:\n chunked\r\n",
	"Connection: close\r\n",
	"Connection: keep-alive\r\n",
	"Connection: content-length\r\n",
	"Connection: upgrade\r\nUpgrade: websocket\r\n",
	"Upgrade: h2c\r\n",
	"Expect: 100-continue\r\n",
	"TE: trailers\r\n",
	"0\r\n\r\n",
	"5\r\nhello\r\n",
	"ffffffffffffffff\r\n",
	"7fffffffffffffff\r\n",
	";a=b",
	"X-Davit-Preview: x\r\n",
	"Cookie: davit_unit=x\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
	"HTTP/1.1 101 x\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
};

static const char *const numbers[] = {
	"0",
	"1",
	"-1",
	"+5",
	"00",
	"0x5",
	"4294967296",
	"9223372036854775807",
	"9223372036854775808",
	"18446744073709551616",
	"99999999999999999999999",
	"5, 5",
	"1e9",
	"",
};

struct message {
	uint64_t random;
	char *data;
	size_t size;
};

uint64_t mangle_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t mangle_seed(uint64_t seed, uint64_t number, const char *use)
{
	uint64_t state = seed ^ number * UINT64_C(0xd1342543de82ef95);
	for (; *use; use++)
		state = mangle_random(&state) ^ (uint8_t)*use;
	return mangle_random(&state);
}

/* Below `end`, which is not 0. */
static size_t draw(struct message *m, size_t end)
{
	return (size_t)(mangle_random(&m->random) % end);
}

/* Exchange `gone` bytes at `at` for others; nothing where there is no room. */
static void splice(struct message *m, size_t at, size_t gone, const char *with, size_t size)
{
	if (m->size - gone + size > MANGLE_MAX)
		return;
	memmove(m->data + at + size, m->data + at + gone, m->size - at - gone);
	if (size)
		memcpy(m->data + at, with, size);
	m->size = m->size - gone + size;
}

static size_t word_size(const char *word)
{
	return *word ? strlen(word) : 1; /* the word of one NUL */
}

static void put_word(struct message *m)
{
	const char *word = words[draw(m, sizeof words / sizeof words[0])];
	size_t at = draw(m, m->size + 1), gone = draw(m, 3) ? 0 : 1;
	splice(m, at, gone < m->size - at ? gone : 0, word, word_size(word));
}

static void change_byte(struct message *m)
{
	size_t at = draw(m, m->size);
	m->data[at] = draw(m, 2) ? (char)(m->data[at] ^ 1 << draw(m, 8)) : (char)draw(m, 256);
}

static void cut_out(struct message *m)
{
	size_t at = draw(m, m->size), most = m->size - at < 40 ? m->size - at : 40;
	splice(m, at, 1 + draw(m, most), NULL, 0);
}

/* The line around a place: its beginning, and its size with its end. */
static size_t line_at(struct message *m, size_t place, size_t *ret_size)
{
	size_t from = place, to = place;
	while (from > 0 && m->data[from - 1] != '\n')
		from--;
	while (to < m->size && m->data[to] != '\n')
		to++;
	*ret_size = (to < m->size ? to + 1 : to) - from;
	return from;
}

static void repeat_line(struct message *m)
{
	char line[256];
	size_t size, at = line_at(m, draw(m, m->size), &size);
	size_t times = draw(m, 8) ? 1 : 1 + draw(m, REPEAT_MAX);
	if (size > sizeof line)
		return;
	memcpy(line, m->data + at, size);
	while (times--)
		splice(m, at, 0, line, size);
}

static void move_line(struct message *m)
{
	char line[256];
	size_t size, at = line_at(m, draw(m, m->size), &size), other;
	if (size > sizeof line || size == m->size)
		return;
	memcpy(line, m->data + at, size);
	splice(m, at, size, NULL, 0);
	at = line_at(m, draw(m, m->size), &other);
	splice(m, at, 0, line, size);
}

static void put_number(struct message *m)
{
	const char *number = numbers[draw(m, sizeof numbers / sizeof numbers[0])];
	size_t at = draw(m, m->size), end;
	while (at < m->size && !(m->data[at] >= '0' && m->data[at] <= '9'))
		at++;
	for (end = at; end < m->size && m->data[end] >= '0' && m->data[end] <= '9';)
		end++;
	splice(m, at, end - at, number, strlen(number));
}

static void change_case(struct message *m)
{
	size_t at = draw(m, m->size), end = at + 1 + draw(m, 20);
	for (; at < end && at < m->size; at++)
		if ((m->data[at] | 0x20) >= 'a' && (m->data[at] | 0x20) <= 'z')
			m->data[at] ^= 0x20;
}

static void put_run(struct message *m)
{
	static char run[RUN_MAX];
	static const char bytes[] = "a0 \t\r\n;,:/\xff";
	size_t size = draw(m, 8) ? 1 + draw(m, 300) : 1 + draw(m, RUN_MAX);
	memset(run, bytes[draw(m, sizeof bytes)], size);
	splice(m, draw(m, m->size + 1), 0, run, size);
}

static void cut_end(struct message *m)
{
	m->size = 1 + draw(m, m->size);
}

static void change(struct message *m)
{
	static void (*const changes[])(struct message *) = {
		put_word, put_word,   put_word,    put_word, change_byte, change_byte, cut_out,
		cut_out,  put_number, change_case, put_run,  repeat_line, move_line,   cut_end,
	};
	changes[draw(m, sizeof changes / sizeof changes[0])](m);
	if (m->size == 0)
		splice(m, 0, 0, "\r\n", 2);
}

static size_t mangle(uint64_t seed, uint64_t number, uint64_t random, const char *const *templates,
		     size_t count, char *to)
{
	struct message m = {random, to, 0};
	char tag[MANGLE_TAG_SIZE];
	const char *from = templates[draw(&m, count)];
	mangle_tag_write(seed, number, tag);
	for (; *from; from++) {
		if (*from == '@')
			splice(&m, m.size, 0, tag, sizeof tag);
		else
			m.data[m.size++] = *from;
	}
	if (draw(&m, RIGHT_ONE_IN) == 0)
		return m.size;
	for (size_t i = 1 + draw(&m, CHANGES_MAX); i > 0; i--)
		change(&m);
	return m.size;
}

size_t mangle_request(uint64_t seed, uint64_t number, char *to)
{
	return mangle(seed, number, mangle_seed(seed, number, "request"), requests,
		      sizeof requests / sizeof requests[0], to);
}

size_t mangle_answer(uint64_t seed, uint64_t number, char *to)
{
	return mangle(seed, number, mangle_seed(seed, number, "answer"), answers,
		      sizeof answers / sizeof answers[0], to);
}

void mangle_tag_write(uint64_t seed, uint64_t number, char to[MANGLE_TAG_SIZE])
{
	char text[MANGLE_TAG_SIZE + 1];
	snprintf(text, sizeof text, "%08x%016llx", (unsigned)(number & UINT32_MAX),
		 (unsigned long long)mangle_seed(seed, number & UINT32_MAX, "tag"));
	memcpy(to, text, MANGLE_TAG_SIZE);
}

bool mangle_tag_find(uint64_t seed, const char *data, size_t size, size_t *at, uint64_t *ret_number)
{
	for (; *at + MANGLE_TAG_SIZE <= size; ++*at) {
		char expected[MANGLE_TAG_SIZE];
		uint64_t number = 0;
		int digits = 0;
		for (; digits < 8; digits++) {
			char c = data[*at + (size_t)digits];
			bool digit = c >= '0' && c <= '9';
			if (!digit && !(c >= 'a' && c <= 'f'))
				break;
			number = number << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
		}
		if (digits < 8)
			continue;
		mangle_tag_write(seed, number, expected);
		if (memcmp(data + *at, expected, sizeof expected) != 0)
			continue;
		*at += sizeof expected;
		*ret_number = number;
		return true;
	}
	return false;
}
