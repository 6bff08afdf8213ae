/* SPDX-License-Identifier: Apache-2.0
 * fuzz_http2_head - fields of HTTP/2, of a request or of an answer: a byte of size and a name, a byte of size and a value, and so on.
 *
 * What is taken must have one line for each field that was given and no other, and what the parser of HTTP/1 reads in it must
 * be what was given. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#include "wire/http2_call.h"

static const struct http1_limits limits = {HTTP1_HEAD_MAX, HTTP1_HEAD_MAX, HTTP1_FIELD_MAX};

static size_t count_ends(const char *data, size_t size)
{
	size_t found = 0;
	for (size_t i = 0; i < size; i++) {
		EXPECT(data[i] != 0 && (data[i] != '\r' || (i + 1 < size && data[i + 1] == '\n')));
		EXPECT(data[i] != '\n' || (i > 0 && data[i - 1] == '\r'));
		found += data[i] == '\n';
	}
	return found;
}

/* The next piece of at most 255 bytes. */
static size_t piece(const uint8_t **data, size_t *size, const char **ret_text)
{
	size_t length = **data;
	(*data)++;
	(*size)--;
	if (length > *size)
		length = *size;
	*ret_text = (const char *)*data;
	*data += length;
	*size -= length;
	return length;
}

static void expect_head(const struct http2_request *r, size_t lines, bool ended)
{
	static struct http1_head h;
	EXPECT(r->size <= HTTP2_HEAD_SIZE);
	size_t ends = count_ends(r->data, r->size);
	size_t framing = !ended && !r->has_length;
	bool host = r->authority.size > 0 && memcmp(r->data, "CONNECT ", 8) != 0;
	EXPECT(ends == lines + framing + 2 + host); /* the first, and the empty one */
	http1_head_init(&h);
	int size = http1_parse_request(&h, r->data, r->size, &limits);
	EXPECT(size < 0 || (uint32_t)size == r->size);
	if (size < 0)
		return;
	EXPECT(h.field_count == lines + framing + host);
	EXPECT(h.minor == 1);
	EXPECT(ended || h.framing != HTTP1_FRAMING_NONE || h.has_length);
}

/* A backend's fields: the same, with the first line alone. */
static int answer(const uint8_t *data, size_t size, bool ended, bool asked_head)
{
	static char memory[HTTP2_HEAD_SIZE];
	static struct http1_head h;
	struct http2_answer a;
	size_t lines = 0;
	http2_answer_init(&a, memory);
	while (size > 1) {
		const char *name, *value = "";
		size_t name_size = piece(&data, &size, &name);
		size_t value_size = size ? piece(&data, &size, &value) : 0;
		if (http2_answer_field(&a, name, name_size, value, value_size) != 0)
			return 0;
		lines += name[0] != ':';
	}
	uint32_t before = a.size;
	if (http2_answer_end(&a, ended, asked_head) != 0)
		return 0;
	EXPECT(a.size <= HTTP2_HEAD_SIZE);
	bool framed = a.size > before + 2;
	EXPECT(count_ends(a.data, a.size) == lines + framed + 2);
	http1_head_init(&h);
	struct http1_asked asked = {.head = asked_head};
	int read = http1_parse_response(&h, a.data, a.size, &limits, asked);
	EXPECT(read < 0 || ((uint32_t)read == a.size && h.field_count == lines + framed));
	EXPECT(read < 0 || h.framing != HTTP1_FRAMING_CLOSE); /* where it ends is always said */
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[HTTP2_HEAD_SIZE];
	struct http2_request r;
	size_t lines = 0;
	bool cookie = false;
	if (size == 0)
		return 0;
	bool ended = data[0] & 1;
	if (data[0] & 2)
		return answer(data + 1, size - 1, ended, data[0] & 4);
	data++;
	size--;
	http2_request_init(&r, memory);
	while (size > 1) {
		const char *name, *value = "";
		size_t name_size = piece(&data, &size, &name);
		size_t value_size = size ? piece(&data, &size, &value) : 0;
		if (http2_request_field(&r, name, name_size, value, value_size) != 0)
			return 0;
		enum http1_field_id id = http1_field_identify(name, name_size);
		if (name[0] == ':' || (id == HTTP1_FIELD_HOST && r.authority.size) ||
		    (id == HTTP1_FIELD_COOKIE && cookie))
			continue;
		cookie |= id == HTTP1_FIELD_COOKIE;
		lines++;
	}
	if (http2_request_end(&r, ended) == 0)
		expect_head(&r, lines, ended);
	return 0;
}
