/* SPDX-License-Identifier: Apache-2.0
 * mangle_http2 - see mangle_http2.h for the contract. */
#include "mangle_http2.h"

#include <string.h>

#include "mangle.h"

enum { CHANGES_MAX = 5, FRAMES_MAX = 64, HEAD_SIZE = 9, REQUESTS_MAX = 4, RIGHT_ONE_IN = 16 };
enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };
enum { CONTINUATION = 9, TYPES = 12 }; /* and two that nobody knows */
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct sequence {
	uint64_t random;
	char *data;
	size_t size;
	const char *tag; /* NULL: none */
};

static size_t draw(struct sequence *s, size_t end)
{
	return (size_t)(mangle_random(&s->random) % end);
}

static void splice(struct sequence *s, size_t at, size_t gone, const char *with, size_t size)
{
	if (s->size - gone + size > MANGLE_MAX)
		return;
	memmove(s->data + at + size, s->data + at + gone, s->size - at - gone);
	if (size)
		memcpy(s->data + at, with, size);
	s->size = s->size - gone + size;
}

static void put_number(char *to, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (char)(value >> 8 * (bytes - 1 - i));
}

static void put_frame(struct sequence *s, size_t at, unsigned type, unsigned flags, uint32_t stream,
		      const char *payload, size_t size)
{
	char head[HEAD_SIZE];
	put_number(head, (uint32_t)size, 3);
	head[3] = (char)type;
	head[4] = (char)flags;
	put_number(head + 5, stream, 4);
	splice(s, at, 0, head, sizeof head);
	splice(s, at + sizeof head, 0, payload, size);
}

static void add_frame(struct sequence *s, unsigned type, unsigned flags, uint32_t stream,
		      const char *payload, size_t size)
{
	put_frame(s, s->size, type, flags, stream, payload, size);
}

/* ---- right frames ---- */

struct block {
	char data[600];
	size_t size;
};

static void put(struct block *b, const char *bytes, size_t size)
{
	memcpy(b->data + b->size, bytes, size);
	b->size += size;
}

/* A literal field (RFC 7541, 6.2): with a new name, into the dynamic table, not, or never. */
static void put_field(struct sequence *s, struct block *b, const char *name, const char *value,
		      size_t value_size)
{
	static const char kinds[] = {0x40, 0x00, 0x10};
	char size = (char)strlen(name);
	put(b, &kinds[draw(s, sizeof kinds)], 1);
	put(b, &size, 1);
	put(b, name, strlen(name));
	size = (char)value_size;
	put(b, &size, 1);
	put(b, value, value_size);
}

static const char *const extra[][2] = {
	{"cookie", "a=b; c=d"},
	{"user-agent", "x"},
	{"te", "trailers"},
	{"accept", "*/*"},
	{"x-long", "0123456789012345678901234567890123456789"},
	{"x-forwarded-for", "1.2.3.4"},
	{"x-davit-preview", "x"},
	{"expect", "100-continue"},
};

static void put_head(struct sequence *s, struct block *b, bool body)
{
	put(b, body ? "\x83" : "\x82", 1); /* POST, GET */
	put(b, draw(s, 2) ? "\x86" : "\x87", 1);
	if (draw(s, 2))
		put(b, "\x84", 1);
	else
		put(b, "\x04\x04/a?b", 6);
	if (draw(s, 2)) /* www.example.com, by Huffman's code (RFC 7541, C.4.1) */
		put(b, "\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff", 14);
	else
		put(b,
		    "\x01\x01"
		    "a",
		    3);
	if (s->tag)
		put_field(s, b, "x-case", s->tag, MANGLE_TAG_SIZE);
	for (size_t i = draw(s, 4); i > 0; i--) {
		const char *const *field = extra[draw(s, sizeof extra / sizeof extra[0])];
		put_field(s, b, field[0], field[1], strlen(field[1]));
	}
	if (body && draw(s, 2))
		put_field(s, b, "content-length", "11", 2);
}

/* HEADERS, in up to three frames, with padding and a priority or not. */
static void add_head(struct sequence *s, uint32_t stream, const struct block *b, unsigned flags)
{
	char payload[sizeof b->data + 16];
	size_t first = draw(s, 3) ? b->size : draw(s, b->size), size = 0, pad = 0;
	if (draw(s, 4) == 0) {
		pad = draw(s, 8);
		payload[size++] = (char)pad;
		flags |= PADDED;
	}
	if (draw(s, 4) == 0) {
		put_number(payload + size, (uint32_t)draw(s, 9), 4);
		payload[size + 4] = (char)draw(s, 256);
		size += 5;
		flags |= HAS_PRIORITY;
	}
	memcpy(payload + size, b->data, first);
	size += first;
	memset(payload + size, 0, pad);
	add_frame(s, HEADERS, flags | (first == b->size ? END_HEADERS : 0), stream, payload,
		  size + pad);
	while (first < b->size) {
		size_t more = 1 + draw(s, b->size - first);
		add_frame(s, CONTINUATION, first + more == b->size ? END_HEADERS : 0, stream,
			  b->data + first, more);
		first += more;
	}
}

static void add_body(struct sequence *s, uint32_t stream)
{
	static const char text[] = "\x03hello world\0\0\0";
	struct block trailer = {.size = 0};
	if (draw(s, 3) == 0)
		add_frame(s, DATA, 0, stream, NULL, 0);
	if (draw(s, 3) == 0) {
		add_frame(s, DATA, PADDED, stream, text, sizeof text - 1);
		put_field(s, &trailer, "x-trailer", "y", 1);
		add_head(s, stream, &trailer, END_STREAM);
		return;
	}
	add_frame(s, DATA, 0, stream, text + 1, 5);
	add_frame(s, DATA, END_STREAM, stream, text + 6, 6);
}

/* What may stand between requests: settings, windows, pings, priorities, and frames that nobody knows. */
static void add_between(struct sequence *s, uint32_t stream)
{
	static const char settings[] = "\0\1\0\0\0\0"
				       "\0\4\0\1\0\0"
				       "\0\5\0\0\x80\0"
				       "\0\2\0\0\0\0"
				       "\x77\x77\0\0\0\1";
	char payload[8] = {0};
	switch (draw(s, 8)) {
	case 0: add_frame(s, SETTINGS, 0, 0, settings + 6 * draw(s, 5), 6); break;
	case 1: add_frame(s, SETTINGS, ACK, 0, NULL, 0); break;
	case 2: add_frame(s, PING, draw(s, 2) ? ACK : 0, 0, "01234567", 8); break;
	case 3:
		put_number(payload, 1 + (uint32_t)draw(s, 100000), 4);
		add_frame(s, WINDOW_UPDATE, 0, 0, payload, 4);
		break;
	case 4:
		put_number(payload, (uint32_t)draw(s, 9) & ~1u, 4);
		add_frame(s, PRIORITY, 0, stream, payload, 5);
		break;
	case 5: add_frame(s, 0xf0, 0xff, stream, "unknown", 7); break;
	case 6:
		put_number(payload + 4, (uint32_t)draw(s, 14), 4);
		if (draw(s, 4) == 0)
			add_frame(s, GOAWAY, 0, 0, payload, 8);
		break;
	default: break;
	}
}

static void add_request(struct sequence *s, uint32_t stream)
{
	struct block head = {.size = 0};
	char code[4] = {0, 0, 0, 8};
	bool body = draw(s, 2);
	put_head(s, &head, body);
	add_head(s, stream, &head, body ? 0 : END_STREAM);
	if (draw(s, 8) == 0)
		add_frame(s, RST_STREAM, 0, stream, code, 4);
	else if (body)
		add_body(s, stream);
}

static void add_sequence(struct sequence *s)
{
	splice(s, 0, 0, preface, sizeof preface - 1);
	add_frame(s, SETTINGS, 0, 0, NULL, 0);
	for (uint32_t i = 0, count = 1 + (uint32_t)draw(s, REQUESTS_MAX); i < count; i++) {
		add_between(s, 2 * i + 1);
		add_request(s, 2 * i + 1);
	}
}

/* ---- changes ---- */

struct frame {
	size_t at, size; /* with its head */
};

/* One of the frames, as their lengths say now; the preface, where there is none. */
static struct frame pick(struct sequence *s)
{
	struct frame frames[FRAMES_MAX] = {{0, s->size}};
	size_t count = 0, at = sizeof preface - 1;
	while (at + HEAD_SIZE <= s->size && count < FRAMES_MAX) {
		const unsigned char *head = (const unsigned char *)s->data + at;
		size_t size = HEAD_SIZE + ((size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
		if (size > s->size - at)
			size = s->size - at;
		frames[count++] = (struct frame){at, size};
		at += size;
	}
	return frames[count ? draw(s, count) : 0];
}

static bool has_head(struct frame f)
{
	return f.at > 0 && f.size >= HEAD_SIZE;
}

static void change_length(struct sequence *s)
{
	static const uint32_t lengths[] = {0, 1, 3, 4, 5, 7, 8, 9, 16384, 16385, 65536, 0xffffff};
	struct frame f = pick(s);
	if (!has_head(f))
		return;
	uint32_t length = (uint32_t)f.size - HEAD_SIZE;
	put_number(s->data + f.at,
		   draw(s, 2) ? lengths[draw(s, sizeof lengths / sizeof lengths[0])]
			      : length + (uint32_t)draw(s, 7) - 3,
		   3);
}

static void change_type(struct sequence *s)
{
	struct frame f = pick(s);
	if (has_head(f))
		s->data[f.at + 3] = (char)draw(s, TYPES);
}

static void change_flags(struct sequence *s)
{
	struct frame f = pick(s);
	if (has_head(f))
		s->data[f.at + 4] = (char)(draw(s, 4) ? s->data[f.at + 4] ^ 1 << draw(s, 8)
						      : (int)draw(s, 256));
}

static void change_stream(struct sequence *s)
{
	static const uint32_t streams[] = {0, 1,  2,          3,          5,
					   7, 99, 0x7fffffff, 0x80000001, 0xffffffff};
	struct frame f = pick(s);
	if (has_head(f))
		put_number(s->data + f.at + 5, streams[draw(s, sizeof streams / sizeof streams[0])],
			   4);
}

/* Of a payload: one of HPACK's turning points, a bit, or any byte. */
static void change_payload(struct sequence *s)
{
	static const char bytes[] = "\x00\x0f\x10\x1f\x20\x3f\x40\x7f\x80\x81\xbe\xbf\xff\r\n:A ";
	struct frame f = pick(s);
	if (f.size <= HEAD_SIZE)
		return;
	char *at = s->data + f.at + HEAD_SIZE + draw(s, f.size - HEAD_SIZE);
	switch (draw(s, 3)) {
	case 0: *at = bytes[draw(s, sizeof bytes - 1)]; break;
	case 1: *at = (char)(*at ^ 1 << draw(s, 8)); break;
	default: *at = (char)draw(s, 256); break;
	}
}

/* Bytes put in or taken out of a payload, and its length with them, so that what follows stays in its place. */
static void change_size(struct sequence *s)
{
	static const char more[] = "\x00\x01x\x01y\x88\xff\xff\xff\xff\x0f\x3f\xe1\x1f\x00:\x00";
	struct frame f = pick(s);
	if (f.size <= HEAD_SIZE)
		return;
	size_t body = f.size - HEAD_SIZE, place = draw(s, body), gone = draw(s, 4);
	size_t size = draw(s, sizeof more);
	if (gone > body - place)
		gone = body - place;
	splice(s, f.at + HEAD_SIZE + place, gone, more, size);
	put_number(s->data + f.at, (uint32_t)(body - gone + size), 3);
}

static void put_odd_frame(struct sequence *s)
{
	static const uint32_t numbers[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 65536};
	char payload[16];
	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (char)draw(s, 256);
	put_number(payload, draw(s, 2) ? 0x00010000u << draw(s, 4) : (uint32_t)draw(s, 7) << 16, 4);
	put_number(payload + draw(s, 3), numbers[draw(s, sizeof numbers / sizeof numbers[0])], 4);
	put_frame(s, pick(s).at, (unsigned)draw(s, TYPES),
		  (unsigned)(draw(s, 2) ? draw(s, 256) : 0), (uint32_t)draw(s, 8), payload,
		  draw(s, sizeof payload + 1));
}

static void repeat_frame(struct sequence *s)
{
	static char copy[MANGLE_MAX];
	struct frame f = pick(s);
	size_t times = draw(s, 8) ? 1 : 1 + draw(s, 150);
	if (f.size > 512)
		return;
	memcpy(copy, s->data + f.at, f.size);
	while (times--)
		splice(s, f.at, 0, copy, f.size);
}

static void move_frame(struct sequence *s)
{
	char copy[512];
	struct frame f = pick(s);
	if (f.size > sizeof copy || f.at == 0)
		return;
	memcpy(copy, s->data + f.at, f.size);
	splice(s, f.at, f.size, NULL, 0);
	splice(s, pick(s).at, 0, copy, f.size);
}

static void drop_frame(struct sequence *s)
{
	struct frame f = pick(s);
	splice(s, f.at, f.size, NULL, 0);
}

static void change_byte(struct sequence *s)
{
	if (s->size)
		s->data[draw(s, s->size)] ^= (char)(1 << draw(s, 8));
}

static void cut_end(struct sequence *s)
{
	s->size = s->size ? 1 + draw(s, s->size) : 0;
}

static void change(struct sequence *s)
{
	static void (*const changes[])(struct sequence *) = {
		change_length,  change_length, change_type,  change_flags,   change_flags,
		change_stream,  change_stream, change_size,  change_payload, change_payload,
		change_payload, change_size,   repeat_frame, put_odd_frame,  put_odd_frame,
		move_frame,     drop_frame,    change_byte,  cut_end,
	};
	changes[draw(s, sizeof changes / sizeof changes[0])](s);
}

size_t mangle_http2(uint64_t seed, uint64_t number, char *to)
{
	char tag[MANGLE_TAG_SIZE];
	struct sequence s = {.random = mangle_seed(seed, number, "http2"), .data = to, .tag = tag};
	mangle_tag_write(seed, number, tag);
	add_sequence(&s);
	if (draw(&s, RIGHT_ONE_IN) != 0)
		for (size_t i = 1 + draw(&s, CHANGES_MAX); i > 0; i--)
			change(&s);
	if (s.size == 0)
		splice(&s, 0, 0, preface, sizeof preface - 1);
	return s.size;
}

size_t mangle_http2_right(char *to)
{
	struct sequence s = {.data = to};
	splice(&s, 0, 0, preface, sizeof preface - 1);
	add_frame(&s, SETTINGS, 0, 0, NULL, 0);
	add_frame(&s, HEADERS, END_HEADERS | END_STREAM, 1,
		  "\x82\x86\x84\x01\x01"
		  "a",
		  6);
	return s.size;
}
