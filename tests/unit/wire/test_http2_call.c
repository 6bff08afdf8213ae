/* SPDX-License-Identifier: Apache-2.0
 * test_http2_call - a head of HTTP/1.1 as fields of HTTP/2, and an answer's fields as a head of HTTP/1.1. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/http2_call.h"

/* -- requests -- */

static const char *fields_of(const char *head)
{
	static char said[2048];
	static char data[2048];
	struct http2_field fields[HTTP2_CALL_FIELDS];
	size_t at = 0;
	memcpy(data, head, strlen(head));
	size_t count = http2_call_fields(data, strlen(head), fields, HTTP2_CALL_FIELDS);
	said[0] = 0;
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(said + at, sizeof said - at, "%.*s=%.*s|",
				       (int)fields[i].name_size, fields[i].name,
				       (int)fields[i].value_size, fields[i].value);
	return said;
}

static void a_request_becomes_fields(void **state)
{
	(void)state;
	assert_string_equal(
		fields_of("GET /x?y HTTP/1.1\r\nHost: a.test\r\nX-A: b\r\n\r\n"),
		":method=GET|:scheme=http|:path=/x?y|:authority=a.test|x-a=b|te=trailers|");
	assert_string_equal(fields_of("OPTIONS * HTTP/1.1\r\n\r\n"),
			    ":method=OPTIONS|:scheme=http|:path=*|:authority=|te=trailers|");
	assert_string_equal(fields_of("POST /a HTTP/1.1\r\nAccept: */*\r\nHost: "
				      "h\r\nContent-Length: 3\r\n\r\nabc"),
			    ":method=POST|:scheme=http|:path=/a|:authority=h|accept=*/"
			    "*|content-length=3|te=trailers|");
}

static void what_belongs_to_one_connection_stays(void **state)
{
	(void)state;
	assert_string_equal(
		fields_of("POST / HTTP/1.1\r\nHost: h\r\nConnection: TE\r\nTE: trailers\r\n"
			  "Transfer-Encoding: chunked\r\nUpgrade: websocket\r\n\r\n"),
		":method=POST|:scheme=http|:path=/|:authority=h|te=trailers|");
}

static void no_head_is_no_request(void **state)
{
	(void)state;
	assert_string_equal(fields_of("GET"), "");
	assert_string_equal(fields_of("GET /\r\n\r\n"), "");
	assert_string_equal(fields_of("\r\n\r\n"), "");
}

static void too_many_fields_are_cut(void **state)
{
	(void)state;
	char head[] = "GET / HTTP/1.1\r\nHost: h\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n";
	struct http2_field fields[7];
	assert_int_equal(http2_call_fields(head, sizeof head - 1, fields, 7), 6);
	assert_int_equal(http2_call_fields(head, sizeof head - 1, fields, 5), 0);
}

static void codes_of_grpc_have_a_status(void **state)
{
	(void)state;
	static const struct {
		const char *code;
		unsigned status;
	} known[] = {{"0", 200},  {"1", 499},  {"2", 500},
		     {"3", 400},  {"4", 504},  {"5", 404},
		     {"8", 429},  {"12", 501}, {"13", 500},
		     {"14", 503}, {"16", 401}, {"17", 500},
		     {"", 500},   {"x", 500},  {"0 ", 500},
		     {"-1", 500}, {"00", 200}, {"99999999999999999999", 500}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (http2_grpc_status(known[i].code, strlen(known[i].code)) != known[i].status)
			fail_msg("%s", known[i].code);
}

/* -- answers -- */

#define FIELDS_MAX 6

struct sample {
	const char *fields[FIELDS_MAX][2];
	bool ended, asked_head;
	const char *head; /* NULL: malformed */
};

static const struct sample samples[] = {
	{{{":status", "200"}, {"a", "b"}},
	 false,
	 false,
	 "HTTP/1.1 200 OK\r\na: b\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{{{":status", "200"}, {"content-length", "3"}},
	 false,
	 false,
	 "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"},
	{{{":status", "200"}, {"grpc-status", "5"}},
	 true,
	 false,
	 "HTTP/1.1 200 OK\r\ngrpc-status: 5\r\nContent-Length: 0\r\n\r\n"},
	{{{":status", "200"}}, true, true, "HTTP/1.1 200 OK\r\n\r\n"},
	{{{":status", "204"}}, true, false, "HTTP/1.1 204 No Content\r\n\r\n"},
	{{{":status", "304"}}, true, false, "HTTP/1.1 304 Not Modified\r\n\r\n"},
	{{{":status", "103"}, {"link", "x"}}, false, false, "HTTP/1.1 103 \r\nlink: x\r\n\r\n"},
	{{{":status", "200"}, {"x", ""}}, true, true, "HTTP/1.1 200 OK\r\nx: \r\n\r\n"},
	/* -- malformed -- */
	{{{"a", "b"}}, true, false, NULL},
	{{{NULL, NULL}}, true, false, NULL},
	{{{":status", "20"}}, true, false, NULL},
	{{{":status", "2x0"}}, true, false, NULL},
	{{{":status", "099"}}, true, false, NULL},
	{{{":status", "101"}}, false, false, NULL},
	{{{":status", "100"}}, true, false, NULL},
	{{{":status", "200"}, {":status", "200"}}, true, false, NULL},
	{{{":status", "200"}, {":path", "/"}}, true, false, NULL},
	{{{":status", "200"}, {"A", "b"}}, true, false, NULL},
	{{{":status", "200"}, {"a b", "c"}}, true, false, NULL},
	{{{":status", "200"}, {"", "c"}}, true, false, NULL},
	{{{":status", "200"}, {"a", "b\r\nc: d"}}, true, false, NULL},
	{{{":status", "200"}, {"a", "b\nc"}}, true, false, NULL},
	{{{":status", "200"}, {"connection", "close"}}, true, false, NULL},
	{{{":status", "200"}, {"transfer-encoding", "chunked"}}, true, false, NULL},
};

static void an_answer_becomes_a_head(void **state)
{
	(void)state;
	static char data[HTTP2_HEAD_SIZE];
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		const struct sample *s = &samples[i];
		struct http2_answer a;
		int failed = 0;
		http2_answer_init(&a, data);
		for (size_t f = 0; !failed && f < FIELDS_MAX && s->fields[f][0]; f++)
			failed = http2_answer_field(&a, s->fields[f][0], strlen(s->fields[f][0]),
						    s->fields[f][1], strlen(s->fields[f][1]));
		if (!failed)
			failed = http2_answer_end(&a, s->ended, s->asked_head);
		if (!s->head && failed != ERR_INVALID)
			fail_msg("sample %zu is taken: %.*s", i, (int)a.size, data);
		if (s->head &&
		    (failed || a.size != strlen(s->head) || memcmp(data, s->head, a.size) != 0))
			fail_msg("sample %zu: %d %.*s", i, failed, (int)a.size, data);
	}
}

static void fields_beyond_the_limit_are_refused(void **state)
{
	(void)state;
	static char data[HTTP2_HEAD_SIZE], value[1000];
	struct http2_answer a;
	int failed = 0, count = 0;
	memset(value, 'v', sizeof value);
	http2_answer_init(&a, data);
	assert_int_equal(http2_answer_field(&a, ":status", 7, "200", 3), 0);
	for (; !failed; count++)
		failed = http2_answer_field(&a, "x", 1, value, sizeof value);
	assert_int_equal(failed, ERR_LIMIT);
	assert_in_range(count, 30, 33);
	assert_int_equal(http2_answer_end(&a, false, false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_becomes_fields),
		cmocka_unit_test(what_belongs_to_one_connection_stays),
		cmocka_unit_test(no_head_is_no_request),
		cmocka_unit_test(too_many_fields_are_cut),
		cmocka_unit_test(codes_of_grpc_have_a_status),
		cmocka_unit_test(an_answer_becomes_a_head),
		cmocka_unit_test(fields_beyond_the_limit_are_refused),
	};
	return cmocka_run_group_tests_name("http2_call", tests, NULL, NULL);
}
