/* SPDX-License-Identifier: Apache-2.0
 * fuzz_http1 - heads of requests and responses. The first byte says which kind, and where the input is cut.
 *
 * At once, cut once, and byte by byte must agree. What is accepted must be inside the buffer, must not hold what
 * a naive look at the lines finds suspicious, and must survive being written and parsed again unchanged. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"

#include "wire/http1_write.h"

enum kind { REQUEST, RESPONSE, RESPONSE_TO_HEAD, RESPONSE_TO_UPGRADE, KINDS };

static const struct http1_limits limits = {8192, 2048, HTTP1_FIELD_MAX};

static int parse(enum kind kind, struct http1_head *h, const char *data, size_t size)
{
	struct http1_asked asked = {kind == RESPONSE_TO_HEAD, kind == RESPONSE_TO_UPGRADE};
	return kind == REQUEST ? http1_parse_request(h, data, size, &limits)
			       : http1_parse_response(h, data, size, &limits, asked);
}

static void expect_same(const struct http1_head *a, int rc_a, const struct http1_head *b, int rc_b)
{
	EXPECT(rc_a == rc_b);
	if (rc_a < 0) {
		EXPECT(a->status == b->status && a->reason == b->reason && a->reason != NULL);
	} else if (rc_a > 0) {
		EXPECT(memcmp(a, b, offsetof(struct http1_head, fields)) == 0);
		EXPECT(memcmp(a->fields, b->fields, a->field_count * sizeof a->fields[0]) == 0);
	}
}

static void expect_inside(struct http1_span s, int head)
{
	EXPECT(s.at + s.size <= head);
}

/* Count lines that begin with `name`, as a careless reader would see them: by LF alone. */
static size_t count_lines(const char *data, size_t size, const char *name)
{
	size_t found = 0, length = strlen(name);
	for (size_t at = 0; at < size;) {
		const char *lf = memchr(data + at, '\n', size - at);
		size_t end = lf ? (size_t)(lf - data) : size;
		found += end - at >= length && strncasecmp(data + at, name, length) == 0;
		at = end + 1;
	}
	return found;
}

static void expect_harmless(enum kind kind, const struct http1_head *h, const char *data, int head)
{
	size_t size = (size_t)head;
	size_t lengths = count_lines(data, size, "content-length:");
	size_t codings = count_lines(data, size, "transfer-encoding:");
	size_t hosts = count_lines(data, size, "host:");
	EXPECT(memchr(data, '\0', size) == NULL);
	for (size_t i = 0; i < size; i++)
		EXPECT((data[i] == '\n') == (i > 0 && data[i - 1] == '\r'));
	EXPECT(lengths + codings <= 1 && h->has_length <= lengths);
	if (kind == REQUEST)
		EXPECT(h->has_length == lengths &&
		       (h->framing == HTTP1_FRAMING_CHUNKED) == codings);
	if (kind == REQUEST)
		EXPECT(hosts <= 1 && (hosts == 1 || h->minor == 0));
	if (h->framing == HTTP1_FRAMING_CHUNKED)
		EXPECT(h->minor == 1 && !h->has_length);
	EXPECT(h->length <= INT64_MAX);
	for (uint16_t i = 0; i < h->field_count; i++) {
		expect_inside(h->fields[i].name, head);
		expect_inside(h->fields[i].value, head);
	}
	expect_inside(h->method_text, head);
	expect_inside(h->path, head);
	expect_inside(h->query, head);
	expect_inside(h->host, head);
	expect_inside(h->phrase, head);
}

static int write_head(enum kind kind, const struct http1_head *h, const char *data, char *to,
		      size_t capacity)
{
	struct http1_forward how = {.minor = 1};
	return kind == REQUEST ? http1_write_request(h, data, &how, to, capacity)
			       : http1_write_response(h, data, &how, to, capacity);
}

/* Written and parsed again, it means the same; and written once more it is the same. */
static void expect_stable(enum kind kind, const struct http1_head *h, const char *data, int head)
{
	static char once[8192 + HTTP1_WRITE_EXTRA], twice[8192 + 2 * HTTP1_WRITE_EXTRA];
	static const struct http1_limits wide = {HTTP1_HEAD_MAX, HTTP1_HEAD_MAX / 2,
						 HTTP1_FIELD_MAX};
	struct http1_head again;
	struct http1_asked asked = {kind == RESPONSE_TO_HEAD, kind == RESPONSE_TO_UPGRADE};
	int size = write_head(kind, h, data, once, (size_t)head + HTTP1_WRITE_EXTRA);
	EXPECT(size > 0);
	http1_head_init(&again);
	int rc = kind == REQUEST ? http1_parse_request(&again, once, (size_t)size, &wide)
				 : http1_parse_response(&again, once, (size_t)size, &wide, asked);
	if (kind == REQUEST && h->host.size == 0) { /* 1.0 without a host, and none was given */
		EXPECT(rc < 0 && again.status == 400);
		return;
	}
	if (rc < 0 && h->field_count + 4 > HTTP1_FIELD_MAX)
		return; /* our own fields came on top */
	EXPECT(rc == size);
	EXPECT(again.method == h->method && again.upgrade == h->upgrade);
	if (kind == REQUEST)
		EXPECT(again.te_trailers == (h->te_trailers && !h->upgrade));
	EXPECT(again.interim == h->interim && again.status == h->status);
	EXPECT(again.framing ==
	       (kind == REQUEST ? h->framing : (uint8_t)http1_response_framing(h, 1)));
	EXPECT(again.has_length == h->has_length && again.length == h->length);
	size_t more = (size_t)write_head(kind, &again, once, twice, sizeof twice);
	EXPECT(more == (size_t)size && memcmp(once, twice, more) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_size)
{
	if (input_size < 1)
		return 0;
	enum kind kind = (enum kind)(input[0] % KINDS);
	const char *data = (const char *)input + 1;
	size_t size = input_size - 1, cut = size ? (input[0] / KINDS * 97u) % size : 0;
	struct http1_head whole, parts, bytes;
	http1_head_init(&whole);
	int rc = parse(kind, &whole, data, size), other = 0;

	http1_head_init(&parts);
	other = parse(kind, &parts, data, cut);
	if (other == 0)
		other = parse(kind, &parts, data, size);
	expect_same(&whole, rc, &parts, other);

	http1_head_init(&bytes);
	other = 0;
	for (size_t i = 1; i <= size && other == 0; i++)
		other = parse(kind, &bytes, data, i);
	expect_same(&whole, rc, &bytes, other);

	if (rc > 0) {
		struct http1_span cookie;
		EXPECT((size_t)rc <= size);
		expect_harmless(kind, &whole, data, rc);
		expect_stable(kind, &whole, data, rc);
		if (http1_cookie_find(&whole, data, "id", &cookie))
			expect_inside(cookie, rc);
	}
	return 0;
}
