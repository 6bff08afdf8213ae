/* SPDX-License-Identifier: Apache-2.0
 * test_http1_write - heads as they are sent on. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/http1_write.h"

struct row {
	const char *in;
	struct http1_forward how;
	struct http1_asked asked;
	const char *out;
};

#define SET(name, value)                                         \
	{                                                        \
		name, value, sizeof(name) - 1, sizeof(value) - 1 \
	}

static const struct http1_set own[] = {
	SET("x-forwarded-for", "10.0.0.1"),
	{"x-davit-release", NULL, 15, 0},
};

static const struct row requests[] = {
	{"GET /a?b HTTP/1.1\r\nhost:  a \r\nA:b\r\nC:  d e \r\n\r\n",
	 {0},
	 {0},
	 "GET /a?b HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d e\r\n\r\n"},
	{"GET http://b/x?y HTTP/1.1\r\nHost: b\r\n\r\n",
	 {0},
	 {0},
	 "GET /x?y HTTP/1.1\r\nHost: b\r\n\r\n"},
	{"GET http://b HTTP/1.1\r\nHost: b\r\n\r\n", {0}, {0}, "GET / HTTP/1.1\r\nHost: b\r\n\r\n"},
	{"GET http://b?q HTTP/1.1\r\nHost: b\r\n\r\n",
	 {0},
	 {0},
	 "GET /?q HTTP/1.1\r\nHost: b\r\n\r\n"},
	{"OPTIONS http://b HTTP/1.1\r\nHost: b\r\n\r\n",
	 {0},
	 {0},
	 "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"},
	{"OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n",
	 {0},
	 {0},
	 "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"},
	{"GET / HTTP/1.0\r\n\r\n", {0}, {0}, "GET / HTTP/1.1\r\nHost: \r\n\r\n"},
	{"GET / HTTP/1.0\r\n\r\n", {.host = "app"}, {0}, "GET / HTTP/1.1\r\nHost: app\r\n\r\n"},
	{"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	 {.host = "app", .close = true},
	 {0},
	 "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
	{"POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 007\r\n\r\n",
	 {0},
	 {0},
	 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n"},
	{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
	 {0},
	 {0},
	 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
	{"POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n",
	 {0},
	 {0},
	 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
	 {0},
	 {0},
	 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"},
	{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
	 {.expect = true},
	 {0},
	 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"},
	/* hop-by-hop, and what Connection nominates, but never framing or Host */
	{"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x-a, host, content-length\r\nX-A: "
	 "1\r\n"
	 "X-B: 2\r\nKeep-Alive: 3\r\nTE: gzip\r\nProxy-Connection: 4\r\nUpgrade: h2c\r\n"
	 "HTTP2-Settings: 5\r\nProxy-Authorization: 6\r\nContent-Length: 0\r\n\r\n",
	 {0},
	 {0},
	 "GET / HTTP/1.1\r\nHost: a\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n"},
	{"GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
	 {0},
	 {0},
	 "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n"},
	{"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nA: b\r\n\r\n",
	 {0},
	 {0},
	 "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
	/* set, replaced, taken out, dropped */
	{"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 7\r\n"
	 "X-Davit-Release: mine\r\nForwarded: for=6\r\nA: b\r\n\r\n",
	 {.set = own, .set_count = 2, .drop = (uint64_t)1 << HTTP1_FIELD_FORWARDED},
	 {0},
	 "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nx-forwarded-for: 10.0.0.1\r\n\r\n"},
};

static const struct row responses[] = {
	{"HTTP/1.1 200 OK\r\nA:b\r\nContent-Length: 5\r\n\r\n",
	 {.minor = 1},
	 {0},
	 "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n"},
	{"HTTP/1.0 200 Fine so far\r\nContent-Length: 5\r\n\r\n",
	 {.minor = 1},
	 {0},
	 "HTTP/1.1 200 Fine so far\r\nContent-Length: 5\r\n\r\n"},
	{"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
	 {.minor = 1},
	 {0},
	 "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	 {.minor = 0},
	 {0},
	 "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
	{"HTTP/1.0 200 OK\r\n\r\n",
	 {.minor = 1},
	 {0},
	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"HTTP/1.0 200 OK\r\n\r\n",
	 {.minor = 0},
	 {0},
	 "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
	 {.minor = 0},
	 {0},
	 "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
	 {.minor = 1, .close = true},
	 {0},
	 "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
	 {.minor = 1},
	 {.head = true},
	 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
	{"HTTP/1.1 304 Same\r\nETag: x\r\n\r\n",
	 {.minor = 1},
	 {0},
	 "HTTP/1.1 304 Same\r\nETag: x\r\n\r\n"},
	{"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n",
	 {.minor = 1},
	 {0},
	 "HTTP/1.1 204 No\r\n\r\n"},
	{"HTTP/1.1 103 Early\r\nLink: </a>\r\nConnection: link2\r\n\r\n",
	 {.minor = 1, .close = true},
	 {0},
	 "HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n"},
	{"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\nA: b\r\n\r\n",
	 {.minor = 1},
	 {.upgrade = true},
	 "HTTP/1.1 101 Go\r\nA: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
	{"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: x\r\nX: y\r\n"
	 "Content-Length: 0\r\n\r\n",
	 {.minor = 1},
	 {0},
	 "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"},
};

static void check_row(const struct row *r, bool request)
{
	static char to[4096];
	struct http1_head h;
	size_t want = strlen(r->out);
	http1_head_init(&h);
	int rc = request ? http1_parse_request(&h, r->in, strlen(r->in), &http1_limits_default)
			 : http1_parse_response(&h, r->in, strlen(r->in), &http1_limits_default,
						r->asked);
	assert_true(rc > 0);
	for (size_t capacity = 0; capacity <= want; capacity++) {
		char *exact = malloc(capacity + 1);
		rc = request ? http1_write_request(&h, r->in, &r->how, exact, capacity)
			     : http1_write_response(&h, r->in, &r->how, exact, capacity);
		if (capacity == want && rc > 0)
			memcpy(to, exact, want);
		free(exact);
		if (capacity < want)
			assert_int_equal(rc, ERR_LIMIT);
	}
	if (rc != (int)want || memcmp(to, r->out, want) != 0)
		fail_msg("wanted \"%s\", got \"%.*s\"", r->out, rc > 0 ? rc : 0, to);
}

static void requests_are_written_from_the_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
		check_row(&requests[i], true);
}

static void responses_are_written_from_the_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++)
		check_row(&responses[i], false);
}

static void a_head_with_everything_fits_the_promised_capacity(void **state)
{
	(void)state;
	static char in[16384], out[16384 + HTTP1_WRITE_EXTRA];
	size_t at = (size_t)snprintf(in, sizeof in,
				     "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n"
				     "Expect: 100-continue\r\n"
				     "Content-Length: 9223372036854775807\r\n");
	for (int i = 4; i < HTTP1_FIELD_MAX; i++)
		at += (size_t)snprintf(in + at, sizeof in - at, "a:\r\n");
	at += (size_t)snprintf(in + at, sizeof in - at, "\r\n");
	struct http1_forward how = {.close = true, .expect = true};
	struct http1_head h;
	http1_head_init(&h);
	assert_int_equal(http1_parse_request(&h, in, at, &http1_limits_default), at);
	assert_true(http1_write_request(&h, in, &how, out, at + HTTP1_WRITE_EXTRA) > 0);
}

static void own_answers_are_whole(void **state)
{
	(void)state;
	static const struct {
		struct http1_own own;
		const char *want;
	} rows[] = {
		{{.status = 503, .text = "Busy.", .retry_after_s = 5},
		 "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
		 "Cache-Control: no-store\r\nRetry-After: 5\r\nContent-Length: 6\r\n\r\nBusy.\n"},
		{{.status = 400, .text = "Bad.", .close = true, .head = true},
		 "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
		 "Cache-Control: no-store\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char to[512];
		size_t want = strlen(rows[i].want);
		assert_int_equal(http1_write_own(&rows[i].own, to, sizeof to), want);
		assert_memory_equal(to, rows[i].want, want);
		assert_int_equal(http1_write_own(&rows[i].own, to, want - 1), ERR_LIMIT);
	}
}

static void chunk_sizes_are_plain_hexadecimal(void **state)
{
	(void)state;
	static const uint64_t sizes[] = {1,   9,   10,    15,           16,
					 255, 256, 65535, 0x123456789a, UINT64_MAX};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char to[HTTP1_CHUNK_HEAD_MAX], want[32];
		size_t size = (size_t)snprintf(want, sizeof want, "%llx\r\n",
					       (unsigned long long)sizes[i]);
		assert_int_equal(http1_write_chunk_head(sizes[i], to), size);
		assert_memory_equal(to, want, size);
	}
}

static void cookies_of_a_name_are_cut_and_no_others(void **state)
{
	(void)state;
	static const struct {
		const char *fields, *left;
	} cases[] = {
		{"Cookie: p=1\r\n", ""},
		{"Cookie: p=1; a=b\r\n", "Cookie: a=b\r\n"},
		{"Cookie: a=b; p=1\r\n", "Cookie: a=b\r\n"},
		{"Cookie: a=b; p=1; c=d\r\n", "Cookie: a=b; c=d\r\n"},
		{"cOOkie: a=b;p=1;c=d;e=f\r\n", "cOOkie: a=b;c=d;e=f\r\n"},
		{"Cookie: p=1; p=2;p=\r\n", ""},
		{"Cookie: p=1;\r\n", ""},
		{"Cookie: ; p=1 ; a=b\r\n", "Cookie: a=b\r\n"},
		{"Cookie: a=p=1; pp=1; ap=1; p; P=1\r\n", "Cookie: a=p=1; pp=1; ap=1; p; P=1\r\n"},
		{"Cookie: p=1\r\nX: p=1\r\nCookie: a=b\r\n", "X: p=1\r\nCookie: a=b\r\n"},
		{"Set-Cookie: p=1\r\nCookies: p=1\r\n", "Set-Cookie: p=1\r\nCookies: p=1\r\n"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char head[256], want[256];
		int size =
			snprintf(head, sizeof head, "GET /p=1 HTTP/1.1\r\n%s\r\n", cases[i].fields);
		snprintf(want, sizeof want, "GET /p=1 HTTP/1.1\r\n%s\r\n", cases[i].left);
		size_t left = http1_cut_cookie(head, (size_t)size, "p");
		assert_true(left <= (size_t)size);
		head[left] = '\0';
		assert_string_equal(head, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_written_from_the_model),
		cmocka_unit_test(responses_are_written_from_the_model),
		cmocka_unit_test(a_head_with_everything_fits_the_promised_capacity),
		cmocka_unit_test(own_answers_are_whole),
		cmocka_unit_test(chunk_sizes_are_plain_hexadecimal),
		cmocka_unit_test(cookies_of_a_name_are_cut_and_no_others),
	};
	return cmocka_run_group_tests_name("wire/http1_write", tests, NULL, NULL);
}
