/* SPDX-License-Identifier: Apache-2.0
 * test_http2_head - fields of HTTP/2 as a head of HTTP/1.1 and back. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/http2_head.h"

#define GET                                                                 \
	{":method", "GET"}, {":scheme", "https"}, {":authority", "a.test"}, \
	{                                                                   \
		":path", "/x?y"                                             \
	}
#define FIELDS_MAX 10

struct sample {
	const char *fields[FIELDS_MAX][2];
	bool ended;
	const char *head; /* NULL: malformed */
};

static const struct sample samples[] = {
	{{GET}, true, "GET /x?y HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{{{":path", "/"}, {":authority", "b"}, {":scheme", "http"}, {":method", "PUT"}},
	 true,
	 "PUT / HTTP/1.1\r\nHost: b\r\n\r\n"},
	{{GET, {"accept", "*/*"}, {"x-a", ""}},
	 true,
	 "GET /x?y HTTP/1.1\r\nHost: a.test\r\naccept: */*\r\nx-a: \r\n\r\n"},
	{{GET}, false, "GET /x?y HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{{GET, {"content-length", "3"}},
	 false,
	 "GET /x?y HTTP/1.1\r\nHost: a.test\r\ncontent-length: 3\r\n\r\n"},
	{{GET, {"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c"}},
	 true,
	 "GET /x?y HTTP/1.1\r\nHost: a.test\r\ncookie: a=1; b=2; c\r\nx: y\r\n\r\n"},
	{{GET, {"host", "A.TEST"}}, true, "GET /x?y HTTP/1.1\r\nHost: a.test\r\n\r\n"},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "h"}},
	 true,
	 "GET / HTTP/1.1\r\nhost: h\r\n\r\n"},
	{{{":method", "CONNECT"}, {":authority", "a:443"}}, true, "CONNECT a:443 HTTP/1.1\r\n\r\n"},
	{{GET, {"te", "Trailers"}},
	 true,
	 "GET /x?y HTTP/1.1\r\nHost: a.test\r\nte: Trailers\r\n\r\n"},
	/* -- malformed -- */
	{{{":method", "GET"}, {":scheme", "http"}}, true, NULL},
	{{{":method", "GET"}, {":path", "/"}}, true, NULL},
	{{{":scheme", "http"}, {":path", "/"}}, true, NULL},
	{{{"x", "y"}}, true, NULL},
	{{GET, {":path", "/b"}}, true, NULL},
	{{GET, {":status", "200"}}, true, NULL},
	{{GET, {":", "200"}}, true, NULL},
	{{GET, {"x", "y"}, {":scheme", "http"}}, true, NULL},
	{{{":method", "G T"}}, true, NULL},
	{{{":method", ""}}, true, NULL},
	{{{":path", "/ HTTP/1.1\r\nx: y"}}, true, NULL},
	{{{":path", "/\x7f"}}, true, NULL},
	{{{":authority", "a b"}}, true, NULL},
	{{{":method", "GET"}, {":scheme", "ftp"}, {":path", "/"}}, true, NULL},
	{{GET, {"host", "b.test"}}, true, NULL},
	{{GET, {"", "y"}}, true, NULL},
	{{GET, {"X", "y"}}, true, NULL},
	{{GET, {"x y", "y"}}, true, NULL},
	{{GET, {"x:", "y"}}, true, NULL},
	{{GET, {"x", "y\r\nz: 1"}}, true, NULL},
	{{GET, {"x", "y\n"}}, true, NULL},
	{{GET, {"x", "\r"}}, true, NULL},
	{{GET, {"connection", "close"}}, true, NULL},
	{{GET, {"transfer-encoding", "chunked"}}, true, NULL},
	{{GET, {"transfer_encoding", "chunked"}}, true, NULL},
	{{GET, {"upgrade", "h2c"}}, true, NULL},
	{{GET, {"keep-alive", "1"}}, true, NULL},
	{{GET, {"proxy-connection", "1"}}, true, NULL},
	{{GET, {"http2-settings", ""}}, true, NULL},
	{{GET, {"te", "gzip"}}, true, NULL},
};

static char memory[HTTP2_HEAD_SIZE];

static int give(struct http2_request *r, const struct sample *s)
{
	http2_request_init(r, memory);
	for (size_t i = 0; i < FIELDS_MAX && s->fields[i][0]; i++) {
		const char *name = s->fields[i][0], *value = s->fields[i][1];
		int failed = http2_request_field(r, name, strlen(name), value, strlen(value));
		if (failed)
			return failed;
	}
	return http2_request_end(r, s->ended);
}

static void requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct http2_request r;
		int failed = give(&r, &samples[i]);
		if (!samples[i].head) {
			if (failed != ERR_INVALID)
				fail_msg("sample %zu is taken", i);
			continue;
		}
		assert_int_equal(failed, 0);
		assert_int_equal(r.size, strlen(samples[i].head));
		assert_memory_equal(r.data, samples[i].head, r.size);
	}
}

static void nul_in_a_value(void **state)
{
	struct http2_request r;
	(void)state;
	assert_int_equal(give(&r, &samples[0]), 0);
	http2_request_init(&r, memory);
	assert_int_equal(http2_request_field(&r, ":method", 7, "GET", 3), 0);
	assert_int_equal(http2_request_field(&r, ":scheme", 7, "http", 4), 0);
	assert_int_equal(http2_request_field(&r, ":path", 5, "/", 1), 0);
	assert_int_equal(http2_request_field(&r, "x", 1, "a\0b", 3), ERR_INVALID);
}

/* The largest that is counted fits into the memory, whatever its shape. */
static void limits(void **state)
{
	static char large[HTTP2_LIST_MAX];
	struct http2_request r;
	(void)state;
	memset(large, 'a', sizeof(large));
	large[0] = '/';
	http2_request_init(&r, memory);
	assert_int_equal(http2_request_field(&r, ":method", 7, "GET", 3), 0);
	assert_int_equal(http2_request_field(&r, ":scheme", 7, "http", 4), 0);
	uint32_t left = HTTP2_LIST_MAX - r.list_size - 5 - 32;
	assert_int_equal(http2_request_field(&r, ":path", 5, large, left + 1), ERR_LIMIT);
	assert_int_equal(http2_request_field(&r, ":path", 5, large, left), 0);
	assert_int_equal(http2_request_field(&r, "x", 1, "", 0), ERR_LIMIT);
	assert_int_equal(http2_request_end(&r, false), 0);
	http2_request_init(&r, memory);
	assert_int_equal(http2_request_field(&r, ":method", 7, "GET", 3), 0);
	assert_int_equal(http2_request_field(&r, ":scheme", 7, "http", 4), 0);
	assert_int_equal(http2_request_field(&r, ":path", 5, "/", 1), 0);
	int failed = 0, count = 0;
	while (!failed) {
		failed = http2_request_field(&r, "cookie", 6, "a", 1);
		count++;
	}
	assert_int_equal(failed, ERR_LIMIT);
	assert_true(count > 800);
	assert_int_equal(http2_request_end(&r, true), 0);
}

static void answers(void **state)
{
	char head[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
		      "Connection: close\r\nX-EMPTY:\r\nTransfer-Encoding: chunked\r\n"
		      "Set-Cookie:  a=B \r\n\r\nbody: no field\r\n\r\n";
	struct http2_field fields[8];
	unsigned status;
	(void)state;
	size_t size = http2_answer_size(head, sizeof(head) - 1, &status);
	assert_int_equal(status, 503);
	assert_string_equal(head + size, "body: no field\r\n\r\n");
	char *lines = strchr(head, '\n') + 1;
	size -= (size_t)(lines - head);
	assert_int_equal(http2_fields(lines, size, fields, 8), 3);
	assert_memory_equal(fields[0].name, "content-type", fields[0].name_size);
	assert_memory_equal(fields[0].value, "text/plain", fields[0].value_size);
	assert_int_equal(fields[1].name_size, 7);
	assert_int_equal(fields[1].value_size, 0);
	assert_memory_equal(fields[2].name, "set-cookie", fields[2].name_size);
	assert_int_equal(fields[2].value_size, 3);
	assert_memory_equal(fields[2].value, "a=B", 3);
	assert_int_equal(http2_fields(lines, size, fields, 2), 2);
}

static void trailers(void **state)
{
	char line[64];
	(void)state;
	assert_int_equal(http2_trailer_line("grpc-status", 11, "0", 1, line), 16);
	assert_memory_equal(line, "grpc-status: 0\r\n", 16);
	assert_int_equal(http2_trailer_line("host", 4, "a", 1, line), 0);
	assert_int_equal(http2_trailer_line("content-length", 14, "1", 1, line), 0);
	assert_int_equal(http2_trailer_line("x", 1, "a\r\nb", 4, line), ERR_INVALID);
	assert_int_equal(http2_trailer_line(":path", 5, "/", 1, line), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests), cmocka_unit_test(nul_in_a_value),
		cmocka_unit_test(limits),   cmocka_unit_test(answers),
		cmocka_unit_test(trailers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
