/* SPDX-License-Identifier: Apache-2.0
 * test_http1 - heads, valid and hostile, and what the parser makes of them. Every case is also fed byte by
 * byte and in two pieces, and must come out the same.
 *
 * A summary is "METHOD target [host=H] 1.x framing[=length] [ka] [up] [100] [te]" or, for a response,
 * "status 1.x framing[=length] [ka] [up] [interim]"; a failure is its status alone. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/http1.h"

struct sample {
	const char *text;
	size_t size;
	const char *want;
};

#define S(text, want)                        \
	{                                    \
		text, sizeof(text) - 1, want \
	}
#define G            "GET / HTTP/1.1\r\nHost: a\r\n"
#define P            "POST / HTTP/1.1\r\nHost: a\r\n"
#define LINE(line)   line "\r\nHost: a\r\n\r\n"
#define FIELD(field) G field "\r\n\r\n"
#define BODY(field)  P field "\r\n\r\n"
#define PLAIN        "GET / host=a 1.1 none ka"
#define OK(field)    "HTTP/1.1 200 OK\r\n" field "\r\n\r\n"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct sample requests[] = {
	/* -- request line -- */
	S("GET / HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN),
	S("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN),
	S("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
	S("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
	S("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
	S(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
	S("\tGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
	S("GET / HTTP/1.1\nHost: a\n\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a\r\n\n", "400"),
	S("GET / HTTP/1.1\rHost: a\r\n\r\n", "400"),
	S(LINE("GET  / HTTP/1.1"), "400"),
	S(LINE("GET /  HTTP/1.1"), "400"),
	S(LINE("GET / HTTP/1.1 "), "400"),
	S(LINE("GET\t/ HTTP/1.1"), "400"),
	S(LINE("GET /\tHTTP/1.1"), "400"),
	S(LINE("GET / x HTTP/1.1"), "400"),
	S(LINE("GET /"), "400"),
	S(LINE("GET / "), "400"),
	S(LINE("GET"), "400"),
	S(LINE("GET HTTP/1.1"), "400"),
	S(LINE("/ HTTP/1.1"), "400"),
	S(LINE("G\0T / HTTP/1.1"), "400"),
	S(LINE("G(T / HTTP/1.1"), "400"),
	S(LINE("GET: / HTTP/1.1"), "400"),
	S(LINE("\"GET\" / HTTP/1.1"), "400"),
	S(LINE("G\xc3\x89T / HTTP/1.1"), "400"),
	S("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"), /* a TLS hello */
	S("{\"json\": 1}\r\n\r\n", "400"),
	S(LINE("get / HTTP/1.1"), "OTHER / host=a 1.1 none ka"),
	S(LINE("PROPFIND / HTTP/1.1"), "OTHER / host=a 1.1 none ka"),
	S(LINE("M-SEARCH / HTTP/1.1"), "OTHER / host=a 1.1 none ka"),
	S(LINE("HEAD / HTTP/1.1"), "HEAD / host=a 1.1 none ka"),
	S(LINE("PUT / HTTP/1.1"), "PUT / host=a 1.1 none ka"),
	S(LINE("DELETE / HTTP/1.1"), "DELETE / host=a 1.1 none ka"),
	S(LINE("PATCH / HTTP/1.1"), "PATCH / host=a 1.1 none ka"),
	S(LINE("TRACE / HTTP/1.1"), "TRACE / host=a 1.1 none ka"),
	S(LINE("GETGETGETGETGETGETGETGETGETGETGE / HTTP/1.1"), "OTHER / host=a 1.1 none ka"),
	S(LINE("GETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1"), "501"),
	S(LINE("CONNECT a:443 HTTP/1.1"), "501"),
	S(LINE("CONNECT / HTTP/1.1"), "501"),
	/* -- versions -- */
	S(LINE("GET / HTTP/1.0"), "GET / host=a 1.0 none"),
	S("GET / HTTP/1.0\r\n\r\n", "GET / 1.0 none"),
	S(LINE("GET / HTTP/1.2"), "505"),
	S(LINE("GET / HTTP/0.9"), "505"),
	S(LINE("GET / HTTP/2.0"), "505"),
	S(LINE("GET / HTTP/3.0"), "505"),
	S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
	S(LINE("GET / HTTP/9.9"), "505"),
	S(LINE("GET / http/1.1"), "400"),
	S(LINE("GET / HTTP/1.10"), "400"),
	S(LINE("GET / HTTP/01.1"), "400"),
	S(LINE("GET / HTTP/1"), "400"),
	S(LINE("GET / HTTP/2"), "400"),
	S(LINE("GET / HTTP/1,1"), "400"),
	S(LINE("GET / HTTP/a.1"), "400"),
	S(LINE("GET / HTTP /1.1"), "400"),
	S(LINE("GET / HTTPS/1.1"), "400"),
	S(LINE("GET / ICAP/1.0"), "400"),
	S(LINE("GET / HTTP/1.1\0"), "400"),
	/* -- targets -- */
	S(LINE("GET /a/b.c?d=e&f HTTP/1.1"), "GET /a/b.c?d=e&f host=a 1.1 none ka"),
	S(LINE("GET /? HTTP/1.1"), "GET /? host=a 1.1 none ka"),
	S(LINE("GET /?a?b HTTP/1.1"), "GET /?a?b host=a 1.1 none ka"),
	S(LINE("GET //a HTTP/1.1"), "GET //a host=a 1.1 none ka"),
	S(LINE("GET /%00%0d%0a HTTP/1.1"), "GET /%00%0d%0a host=a 1.1 none ka"),
	S(LINE("GET /a|b{c}[d]\"<>^`\\ HTTP/1.1"), "GET /a|b{c}[d]\"<>^`\\ host=a 1.1 none ka"),
	S(LINE("GET /#a HTTP/1.1"), "400"),
	S(LINE("GET /a\x7f HTTP/1.1"), "400"),
	S(LINE("GET /a\x01 HTTP/1.1"), "400"),
	S(LINE("GET /a\0b HTTP/1.1"), "400"),
	S(LINE("GET /\xc3\xa9 HTTP/1.1"), "400"),
	S(LINE("GET /\xff HTTP/1.1"), "400"),
	S(LINE("GET /a\rb HTTP/1.1"), "400"),
	S(LINE("GET a HTTP/1.1"), "400"),
	S(LINE("GET a/b HTTP/1.1"), "400"),
	S(LINE("GET ?a HTTP/1.1"), "400"),
	S(LINE("GET * HTTP/1.1"), "400"),
	S(LINE("OPTIONS * HTTP/1.1"), "OPTIONS * host=a 1.1 none ka"),
	S(LINE("OPTIONS *a HTTP/1.1"), "400"),
	S(LINE("GET a:80 HTTP/1.1"), "400"),
	S(LINE("GET http://a/b?c HTTP/1.1"), "GET /b?c host=a 1.1 none ka"),
	S(LINE("GET HTTP://a/b HTTP/1.1"), "GET /b host=a 1.1 none ka"),
	S(LINE("GET https://a/ HTTP/1.1"), "GET / host=a 1.1 none ka"),
	S(LINE("GET http://a HTTP/1.1"), "GET  host=a 1.1 none ka"),
	S(LINE("GET http://a?q HTTP/1.1"), "GET ?q host=a 1.1 none ka"),
	S(LINE("OPTIONS http://a HTTP/1.1"), "OPTIONS  host=a 1.1 none ka"),
	S(LINE("GET http://A/ HTTP/1.1"), "GET / host=A 1.1 none ka"),
	S(LINE("GET http://b/ HTTP/1.1"), "400"),
	S(LINE("GET http://ab/ HTTP/1.1"), "400"),
	S("GET http://a/ HTTP/1.1\r\nHost: ab\r\n\r\n", "400"),
	S(LINE("GET http://a:80/ HTTP/1.1"), "400"), /* Host must be the same text */
	S(LINE("GET http:///a HTTP/1.1"), "400"),
	S(LINE("GET http:a HTTP/1.1"), "400"),
	S(LINE("GET http://u@a/ HTTP/1.1"), "400"),
	S(LINE("GET http://u:p@a/ HTTP/1.1"), "400"),
	S(LINE("GET ftp://a/ HTTP/1.1"), "400"),
	S(LINE("GET file:///etc/passwd HTTP/1.1"), "400"),
	S(LINE("GET javascript:x HTTP/1.1"), "400"),
	S("GET http://b:8080/x HTTP/1.0\r\n\r\n", "GET /x host=b:8080 1.0 none"),
	/* -- Host -- */
	S("GET / HTTP/1.1\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: \t \r\n\r\n", "400"),
	S(FIELD("Host: a"), "400"),
	S(FIELD("Host: b"), "400"),
	S(FIELD("hOST: b"), "400"),
	S("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nhost:a\r\n\r\n", PLAIN),
	S("GET / HTTP/1.1\r\nHOST:\t a \t\r\n\r\n", PLAIN),
	S("GET / HTTP/1.1\r\nHost: a.b-c_d.example:8080\r\n\r\n",
	  "GET / host=a.b-c_d.example:8080 1.1 none ka"),
	S("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET / host=a: 1.1 none ka"),
	S("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", "GET / host=127.0.0.1:1 1.1 none ka"),
	S("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / host=[::1]:80 1.1 none ka"),
	S("GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]\r\n\r\n",
	  "GET / host=[::ffff:1.2.3.4] 1.1 none ka"),
	S("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: []\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: [::1%25eth0]\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a:080000\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\nHost: a%00\r\n\r\n", "400"),
	/* -- fields -- */
	S(FIELD("A: b"), PLAIN),
	S(FIELD("A:b"), PLAIN),
	S(FIELD("A:"), PLAIN),
	S(FIELD("A: b\tc"), PLAIN),
	S(FIELD("A: \xc3\xa9\xff"), PLAIN),
	S(FIELD("!#$%&'*+-.^_`|~0: x"), PLAIN),
	S(FIELD("A : b"), "400"),
	S(FIELD("A\t: b"), "400"),
	S(FIELD(": b"), "400"),
	S(FIELD("A"), "400"),
	S(FIELD("A b"), "400"),
	S(FIELD("A(: b"), "400"),
	S(FIELD("A\0: b"), "400"),
	S(FIELD("A\x80: b"), "400"),
	S(FIELD("\"A\": b"), "400"),
	S(FIELD("A: b\r\n c"), "400"),
	S(FIELD("A: b\r\n\tc"), "400"),
	S("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"),
	S("GET / HTTP/1.1\r\n\tA: b\r\nHost: a\r\n\r\n", "400"),
	S(FIELD("A: b\r\n \r\nB: c"), "400"),
	S(FIELD("A: b\0c"), "400"),
	S(FIELD("A: b\rc"), "400"),
	S(FIELD("A: b\r"), "400"),
	S(FIELD("A: b\nB: c"), "400"),
	S(FIELD("A: b\x7f"), "400"),
	S(FIELD("A: b\x1b[31m"), "400"),
	S(FIELD("A: a long value, and then at its very end a bell\x07"), "400"),
	S(FIELD("A: \x0b"), "400"),
	S(FIELD("A: within \x7f the first word"), "400"),
	S(FIELD("A: within\x1fthe first word"), "400"),
	S(FIELD("A: within\tthe first word"), PLAIN),
	S(FIELD("Content_Length: 5"), "400"),
	S(FIELD("Transfer_Encoding: chunked"), "400"),
	S(FIELD("X_Forwarded_For: 1.1.1.1"), "400"),
	S(FIELD("X-Forwarded_For: 1.1.1.1"), "400"),
	S(FIELD("X_Davit_Shadow: 1"), "400"),
	S(FIELD("My_Own: 1"), PLAIN),
	/* -- framing -- */
	S(BODY("Content-Length: 5"), "POST / host=a 1.1 length=5 ka"),
	S(BODY("Content-Length:5 "), "POST / host=a 1.1 length=5 ka"),
	S(BODY("Content-Length: 0"), "POST / host=a 1.1 length=0 ka"),
	S(BODY("Content-Length: 007"), "POST / host=a 1.1 length=7 ka"),
	S(BODY("Content-Length: 9223372036854775807"),
	  "POST / host=a 1.1 length=9223372036854775807 ka"),
	S(BODY("Content-Length: 9223372036854775808"), "400"),
	S(BODY("Content-Length: 9999999999999999999"), "400"),
	S(BODY("Content-Length: 18446744073709551621"), "400"), /* 2^64 + 5 */
	S(BODY("Content-Length: 00000000000000000005"), "400"),
	S(BODY("Content-Length:"), "400"),
	S(BODY("Content-Length: -5"), "400"),
	S(BODY("Content-Length: +5"), "400"),
	S(BODY("Content-Length: 5 5"), "400"),
	S(BODY("Content-Length: 5,5"), "400"),
	S(BODY("Content-Length: 5, 5"), "400"),
	S(BODY("Content-Length: 0x5"), "400"),
	S(BODY("Content-Length: 5.0"), "400"),
	S(BODY("Content-Length: 5e1"), "400"),
	S(BODY("Content-Length: 1_0"), "400"),
	S(BODY("Content-Length: \xd9\xa5"), "400"),
	S(BODY("Content-Length: 5;"), "400"),
	S(BODY("Content-Length: \"5\""), "400"),
	S(BODY("Content-Length: abc"), "400"),
	S(BODY("Content-Length: \x0b"
	       "5"),
	  "400"),
	S(BODY("Content-Length: 5\r\nContent-Length: 5"), "400"),
	S(BODY("Content-Length: 5\r\nContent-Length: 6"), "400"),
	S(BODY("Content-Length: 5\r\ncontent-length: 5"), "400"),
	S(BODY("Content-Length : 5"), "400"),
	S(BODY("Content-Length\t: 5"), "400"),
	S(BODY("Content Length: 5"), "400"),
	S(BODY("Transfer-Encoding: chunked"), "POST / host=a 1.1 chunked ka"),
	S(BODY("transfer-encoding:CHUNKED"), "POST / host=a 1.1 chunked ka"),
	S(BODY("Transfer-Encoding: \tchunked\t "), "POST / host=a 1.1 chunked ka"),
	S(BODY("Transfer-Encoding: chunked\r\nContent-Length: 5"), "400"),
	S(BODY("Content-Length: 5\r\nTransfer-Encoding: chunked"), "400"),
	S(BODY("Content-Length: 0\r\nTransfer-Encoding: chunked"), "400"),
	S(BODY("Content-Length: 5\r\nTransfer-Encoding: identity"), "400"),
	S(BODY("Content-Length: 5\r\nTransfer-Encoding:"), "400"),
	S(BODY("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "400"),
	S(BODY("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), "400"),
	S(BODY("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), "400"),
	S(BODY("Transfer-Encoding: chunked, chunked"), "400"),
	S(BODY("Transfer-Encoding: gzip, chunked"), "400"),
	S(BODY("Transfer-Encoding: chunked, gzip"), "400"),
	S(BODY("Transfer-Encoding: chunked, identity"), "400"),
	S(BODY("Transfer-Encoding: identity, chunked"), "400"),
	S(BODY("Transfer-Encoding: ,chunked"), "400"),
	S(BODY("Transfer-Encoding: chunked,"), "400"),
	S(BODY("Transfer-Encoding: gzip"), "400"),
	S(BODY("Transfer-Encoding: identity"), "400"),
	S(BODY("Transfer-Encoding:"), "400"),
	S(BODY("Transfer-Encoding: xchunked"), "400"),
	S(BODY("Transfer-Encoding: chunkedx"), "400"),
	S(BODY("Transfer-Encoding: chunke"), "400"),
	S(BODY("Transfer-Encoding: \"chunked\""), "400"),
	S(BODY("Transfer-Encoding: chunked;q=1"), "400"),
	S(BODY("Transfer-Encoding: \x0b"
	       "chunked"),
	  "400"),
	S(BODY("Transfer-Encoding: chun\0ked"), "400"),
	S(BODY("Transfer-Encoding:\r\n chunked"), "400"),
	S(BODY("Transfer-Encoding\r\n: chunked"), "400"),
	S(BODY("Transfer-Encoding : chunked"), "400"),
	S(BODY("Transfer-Encoding: chunk\xc3\xa9"
	       "d"),
	  "400"),
	S(BODY("X: y\nTransfer-Encoding: chunked"), "400"),
	S(BODY("X: y\rTransfer-Encoding: chunked"), "400"),
	S("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
	S("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", "POST / 1.0 length=5"),
	S("POST / HTTP/1.0\r\n\r\n", "POST / 1.0 none"),
	S(FIELD("Content-Length: 5"), "GET / host=a 1.1 length=5 ka"),
	S("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "400"),
	S("TRACE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
	/* -- connection -- */
	S(FIELD("Connection: close"), "GET / host=a 1.1 none"),
	S(FIELD("Connection: CLOSE"), "GET / host=a 1.1 none"),
	S(FIELD("Connection: keep-alive"), PLAIN),
	S(FIELD("Connection: keep-alive, close"), "GET / host=a 1.1 none"),
	S(FIELD("Connection: keep-alive\r\nConnection: close"), "GET / host=a 1.1 none"),
	S(FIELD("Connection: ,, close ,"), "GET / host=a 1.1 none"),
	S(FIELD("Connection:"), PLAIN),
	S(FIELD("Connection: closed"), PLAIN),
	S(FIELD("Connection: a b"), "400"),
	S(FIELD("Connection: \"close\""), "400"),
	S("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / 1.0 none ka"),
	S("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET / 1.0 none"),
	S(BODY("Connection: content-length\r\nContent-Length: 5"), "POST / host=a 1.1 length=5 ka"),
	S(BODY("Connection: transfer-encoding\r\nTransfer-Encoding: chunked"),
	  "POST / host=a 1.1 chunked ka"),
	S(FIELD("Connection: host"), PLAIN),
	/* -- upgrade, expect, te -- */
	S(FIELD("Connection: Upgrade\r\nUpgrade: websocket"), "GET / host=a 1.1 none ka up"),
	S(FIELD("Connection: keep-alive, upgrade\r\nUpgrade: WebSocket"),
	  "GET / host=a 1.1 none ka up"),
	S(FIELD("Upgrade: websocket"), PLAIN),
	S(FIELD("Connection: upgrade"), PLAIN),
	S(FIELD("Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA"), PLAIN),
	S(FIELD("Connection: upgrade\r\nUpgrade: websocket, h2c"), PLAIN),
	S(FIELD("Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket"), PLAIN),
	S(FIELD("Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: h2c\r\nUpgrade: websocket"),
	  PLAIN),
	S(BODY("Connection: upgrade\r\nUpgrade: websocket"), "POST / host=a 1.1 none ka"),
	S(FIELD("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5"),
	  "GET / host=a 1.1 length=5 ka"),
	S("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "GET / 1.0 none"),
	S(BODY("Content-Length: 5\r\nExpect: 100-continue"), "POST / host=a 1.1 length=5 ka 100"),
	S(BODY("Content-Length: 5\r\nExpect: 100-Continue"), "POST / host=a 1.1 length=5 ka 100"),
	S(BODY("Transfer-Encoding: chunked\r\nExpect: 100-continue"),
	  "POST / host=a 1.1 chunked ka 100"),
	S(BODY("Content-Length: 0\r\nExpect: 100-continue"), "POST / host=a 1.1 length=0 ka"),
	S(FIELD("Expect: 100-continue"), PLAIN),
	S(BODY("Content-Length: 5\r\nExpect: 200-ok"), "417"),
	S(BODY("Content-Length: 5\r\nExpect:"), "417"),
	S("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
	  "POST / 1.0 length=5"),
	S(FIELD("TE: trailers\r\nConnection: TE"), "GET / host=a 1.1 none ka te"),
	S(FIELD("TE: gzip;q=0.5, Trailers"), "GET / host=a 1.1 none ka te"),
	S(FIELD("TE: gzip"), PLAIN),
	/* -- what follows belongs to the next message -- */
	S(G "\r\nGET /next HTTP/1.1\r\n", PLAIN),
	S(G "\r\n\0\0\0", PLAIN),
};

static const struct sample responses[] = {
	S(OK("Content-Length: 5"), "200 1.1 length=5 ka"),
	S(OK("Content-Length: 0"), "200 1.1 length=0 ka"),
	S(OK("Transfer-Encoding: chunked"), "200 1.1 chunked ka"),
	S(OK("A: b"), "200 1.1 close"),
	S("HTTP/1.1 200 OK\r\n\r\n", "200 1.1 close"),
	S("HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", "200 1.1 length=1 ka"),
	S("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", "200 1.1 length=1 ka"),
	S("HTTP/1.1 404 Not Found here\r\nContent-Length: 1\r\n\r\n", "404 1.1 length=1 ka"),
	S("HTTP/1.1 500 \xc3\xa9\r\nContent-Length: 1\r\n\r\n", "500 1.1 length=1 ka"),
	S("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "200 1.0 length=5"),
	S("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
	  "200 1.0 length=5 ka"),
	S("HTTP/1.0 200 OK\r\n\r\n", "200 1.0 close"),
	S("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", "200 1.0 close"),
	S(OK("Content-Length: 5\r\nConnection: close"), "200 1.1 length=5"),
	S("HTTP/1.1 204 No Content\r\n\r\n", "204 1.1 none ka"),
	S("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "204 1.1 none ka"),
	S("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204 1.1 none ka"),
	S("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "204 1.1 none ka"),
	S("HTTP/1.1 304 Not Modified\r\n\r\n", "304 1.1 none ka"),
	S("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 1.1 none=5 ka"),
	S("HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", "205 1.1 length=0 ka"),
	S("HTTP/1.1 100 Continue\r\n\r\n", "100 1.1 none ka interim"),
	S("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "103 1.1 none ka interim"),
	S("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", "100 1.1 none ka interim"),
	S("HTTP/1.1 599 x\r\nContent-Length: 0\r\n\r\n", "599 1.1 length=0 ka"),
	S("HTTP/1.1 600 x\r\n\r\n", "502"),
	S("HTTP/1.1 099 x\r\n\r\n", "502"),
	S("HTTP/1.1 20 x\r\n\r\n", "502"),
	S("HTTP/1.1 2000 x\r\n\r\n", "502"),
	S("HTTP/1.1 20x x\r\n\r\n", "502"),
	S("HTTP/1.1 -20 x\r\n\r\n", "502"),
	S("HTTP/1.1  200 OK\r\n\r\n", "502"),
	S("HTTP/1.1\t200 OK\r\n\r\n", "502"),
	S("HTTP/1.1 200\tOK\r\n\r\n", "502"),
	S("HTTP/1.1\r\n\r\n", "502"),
	S("HTTP/1.2 200 OK\r\n\r\n", "502"),
	S("HTTP/2 200\r\n\r\n", "502"),
	S("HTTP/2.0 200 OK\r\n\r\n", "502"),
	S("http/1.1 200 OK\r\n\r\n", "502"),
	S("ICY 200 OK\r\n\r\n", "502"),
	S("\r\nHTTP/1.1 200 OK\r\n\r\n", "502"),
	S(" HTTP/1.1 200 OK\r\n\r\n", "502"),
	S("<html>", "502"),
	S("HTTP/1.1 200 OK\nContent-Length: 5\n\n", "502"),
	S("HTTP/1.1 200 O\0K\r\n\r\n", "502"),
	S("HTTP/1.1 200 O\rK\r\n\r\n", "502"),
	S(OK("Content-Length: 5\r\nContent-Length: 5"), "502"),
	S(OK("Content-Length: 5\r\nContent-Length: 6"), "502"),
	S(OK("Content-Length: 5, 5"), "502"),
	S(OK("Content-Length: -1"), "502"),
	S(OK("Content-Length: 5\r\nTransfer-Encoding: chunked"), "502"),
	S(OK("Transfer-Encoding: gzip, chunked"), "502"),
	S(OK("Transfer-Encoding: identity"), "502"),
	S("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "502"),
	S(OK("A: b\r\n c"), "502"),
	S(OK("A : b"), "502"),
	S(OK("A: \0"), "502"),
	S(OK("Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 1"), "200 1.1 length=1 ka"),
	S("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "502"),
	S(OK("Content-Length: 5") "HTTP/1.1 200 OK\r\n", "200 1.1 length=5 ka"),
};

/* Answers to HEAD, and to a request that asked for an upgrade. */
static const struct sample head_responses[] = {
	S(OK("Content-Length: 5"), "200 1.1 none=5 ka"),
	S(OK("Transfer-Encoding: chunked"), "200 1.1 none ka"),
	S(OK("A: b"), "200 1.1 none ka"),
	S("HTTP/1.0 200 OK\r\n\r\n", "200 1.0 none"),
	S(OK("Content-Length: 5\r\nTransfer-Encoding: chunked"), "502"),
	S("HTTP/1.1 404 x\r\nContent-Length: 7\r\n\r\n", "404 1.1 none=7 ka"),
};

static const struct sample upgrade_responses[] = {
	S("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
	  "101 1.1 none ka up"),
	S("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", "502"),
	S("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n\r\n", "502"),
	S("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "502"),
	S("HTTP/1.0 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "502"),
	S("HTTP/1.1 100 Continue\r\n\r\n", "100 1.1 none ka interim"),
	S("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n", "403 1.1 length=2 ka"),
	S("HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: "
	  "2\r\n\r\n",
	  "200 1.1 length=2 ka"),
};

/* ---- running them ---- */

enum kind { REQUEST, RESPONSE, HEAD_RESPONSE, UPGRADE_RESPONSE };

static int parse(enum kind kind, struct http1_head *h, const char *data, size_t size)
{
	struct http1_asked asked = {kind == HEAD_RESPONSE, kind == UPGRADE_RESPONSE};
	return kind == REQUEST ? http1_parse_request(h, data, size, &http1_limits_default)
			       : http1_parse_response(h, data, size, &http1_limits_default, asked);
}

static const char *summarise(enum kind kind, const struct http1_head *h, const char *data, int rc,
			     char *to, size_t size)
{
	static const char *const methods[] = {
#define X(name) #name,
		HTTP1_METHODS(X)
#undef X
	};
	static const char *const framings[] = {"none", "length", "chunked", "close"};
	char start[256], host[128] = "", length[32] = "";
	if (rc <= 0) {
		snprintf(to, size, rc == 0 ? "more" : "%u", h->status);
		return to;
	}
	if (kind == REQUEST)
		snprintf(start, sizeof start, "%s %.*s%s%.*s", methods[h->method], h->path.size,
			 data + h->path.at, h->has_query ? "?" : "", h->query.size,
			 data + h->query.at);
	else
		snprintf(start, sizeof start, "%u", h->status);
	if (h->host.size)
		snprintf(host, sizeof host, " host=%.*s", h->host.size, data + h->host.at);
	if (h->has_length)
		snprintf(length, sizeof length, "=%llu", (unsigned long long)h->length);
	snprintf(to, size, "%s%s 1.%u %s%s%s%s%s%s%s", start, host, h->minor, framings[h->framing],
		 length, h->keep_alive ? " ka" : "", h->upgrade ? " up" : "",
		 h->expect_continue ? " 100" : "", h->te_trailers ? " te" : "",
		 h->interim ? " interim" : "");
	return to;
}

static bool same(const struct http1_head *a, int rc_a, const struct http1_head *b, int rc_b)
{
	if (rc_a != rc_b || a->status != b->status || a->reason != b->reason)
		return false;
	return rc_a < 0 ||
	       (memcmp(a, b, offsetof(struct http1_head, fields)) == 0 &&
		memcmp(a->fields, b->fields, a->field_count * sizeof a->fields[0]) == 0);
}

static void run(enum kind kind, const struct sample *s)
{
	struct http1_head whole, piece;
	char got[512];
	http1_head_init(&whole);
	int rc = parse(kind, &whole, s->text, s->size), part = 0;
	summarise(kind, &whole, s->text, rc, got, sizeof got);
	if (strcmp(got, s->want) != 0)
		fail_msg("\"%s\" gives \"%s\" (%s), not \"%s\"", s->text, got,
			 whole.reason ? whole.reason : "-", s->want);
	assert_true(rc >= 0 || whole.reason != NULL);

	http1_head_init(&piece);
	for (size_t i = 1; i <= s->size && part == 0; i++)
		part = parse(kind, &piece, s->text, i);
	if (!same(&whole, rc, &piece, part))
		fail_msg("\"%s\" byte by byte is not as at once: %d, %d", s->text, rc, part);

	for (size_t cut = 0; cut <= s->size; cut++) {
		http1_head_init(&piece);
		part = parse(kind, &piece, s->text, cut);
		part = parse(kind, &piece, s->text, s->size);
		if (!same(&whole, rc, &piece, part))
			fail_msg("\"%s\" cut at %zu is not as whole", s->text, cut);
	}
}

static void every_request_gives_what_its_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++)
		run(REQUEST, &requests[i]);
}

static void every_response_gives_what_its_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(responses); i++)
		run(RESPONSE, &responses[i]);
	for (size_t i = 0; i < COUNT(head_responses); i++)
		run(HEAD_RESPONSE, &head_responses[i]);
	for (size_t i = 0; i < COUNT(upgrade_responses); i++)
		run(UPGRADE_RESPONSE, &upgrade_responses[i]);
}

static void an_unfinished_head_asks_for_more(void **state)
{
	(void)state;
	static const char head[] = G "Connection: a\r\n\r\n";
	struct http1_head h;
	http1_head_init(&h);
	for (size_t i = 0; i < sizeof head - 1; i++)
		assert_int_equal(parse(REQUEST, &h, head, i), 0);
	assert_int_equal(parse(REQUEST, &h, head, sizeof head - 1), sizeof head - 1);
}

/* ---- limits: at the limit all is well, one above is refused ---- */

static char large[HTTP1_HEAD_MAX * 2];

static void expect_request(size_t size, const struct http1_limits *limits, int want,
			   unsigned status)
{
	struct http1_head h;
	http1_head_init(&h);
	int rc = http1_parse_request(&h, large, size, limits), part = 0;
	assert_int_equal(rc, want);
	assert_int_equal(h.status, status);
	http1_head_init(&h);
	for (size_t i = 1; i <= size && part == 0; i++)
		part = http1_parse_request(&h, large, i, limits);
	assert_int_equal(part, want);
	assert_int_equal(h.status, status);
}

static size_t build(size_t target, size_t fields, size_t value)
{
	size_t at = (size_t)snprintf(large, sizeof large, "GET /");
	memset(large + at, 'a', target - 1);
	at += target - 1;
	at += (size_t)snprintf(large + at, sizeof large - at, " HTTP/1.1\r\nHost: a\r\n");
	for (size_t i = 1; i < fields; i++) {
		at += (size_t)snprintf(large + at, sizeof large - at, "F: ");
		memset(large + at, 'b', value);
		at += value;
		at += (size_t)snprintf(large + at, sizeof large - at, "\r\n");
	}
	return at + (size_t)snprintf(large + at, sizeof large - at, "\r\n");
}

static void the_target_has_a_limit(void **state)
{
	(void)state;
	const struct http1_limits limits = {4096, 300, 10};
	size_t size = build(300, 1, 0);
	expect_request(size, &limits, (int)size, 0);
	expect_request(build(301, 1, 0), &limits, ERR_LIMIT, 414);
	expect_request(build(3000, 1, 0), &limits, ERR_LIMIT, 414);
	expect_request(build(5000, 1, 0), &limits, ERR_LIMIT, 414);
}

static void the_number_of_fields_has_a_limit(void **state)
{
	(void)state;
	size_t size = build(1, 100, 1);
	expect_request(size, &http1_limits_default, (int)size, 0);
	expect_request(build(1, 101, 1), &http1_limits_default, ERR_LIMIT, 431);
}

static void the_head_has_a_limit(void **state)
{
	(void)state;
	struct http1_limits limits = {1000, 300, 100};
	size_t size = build(1, 2, 1000 - 32);
	assert_int_equal(size, 1000);
	expect_request(1000, &limits, 1000, 0);
	expect_request(build(1, 2, 1001 - 32), &limits, ERR_LIMIT, 431);
	expect_request(build(1, 2, 30000), &limits, ERR_LIMIT, 431);
	limits.head_bytes = HTTP1_HEAD_MAX;
	size = build(1, 2, HTTP1_HEAD_MAX - 32);
	assert_int_equal(size, HTTP1_HEAD_MAX);
	expect_request(size, &limits, HTTP1_HEAD_MAX, 0);
	expect_request(build(1, 2, HTTP1_HEAD_MAX), &limits, ERR_LIMIT, 431);
}

static void connection_may_nominate_only_so_many(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		size_t at = (size_t)snprintf(large, sizeof large, G "Connection: close");
		for (int i = 0; i < HTTP1_NOMINATED_MAX + extra; i++)
			at += (size_t)snprintf(large + at, sizeof large - at, ", x");
		at += (size_t)snprintf(large + at, sizeof large - at, "\r\n\r\n");
		expect_request(at, &http1_limits_default, extra ? ERR_LIMIT : (int)at,
			       extra ? 431 : 0);
	}
}

static void a_response_head_has_a_limit(void **state)
{
	(void)state;
	struct http1_head h;
	http1_head_init(&h);
	memset(large, 'x', sizeof large);
	memcpy(large, "HTTP/1.1 200 ", 13);
	assert_int_equal(parse(RESPONSE, &h, large, 32 * 1024), ERR_LIMIT);
	assert_int_equal(h.status, 502);
}

/* ---- looking up ---- */

static void every_known_field_is_identified_by_its_name(void **state)
{
	(void)state;
	static const char *const names[] = {
#define X(name, text) text,
		HTTP1_FIELDS(X)
#undef X
	};
	for (size_t i = 1; i < COUNT(names); i++) {
		char upper[64] = "";
		size_t size = strlen(names[i]);
		for (size_t j = 0; j < size; j++)
			upper[j] = (char)(names[i][j] >= 'a' ? names[i][j] - 32 : names[i][j]);
		assert_int_equal(http1_field_identify(names[i], size), i);
		assert_int_equal(http1_field_identify(upper, size), i);
		assert_int_equal(http1_field_identify(upper, size - 1), HTTP1_FIELD_OTHER);
	}
	assert_int_equal(http1_field_identify("x-other", 7), HTTP1_FIELD_OTHER);
	assert_int_equal(http1_field_identify("", 0), HTTP1_FIELD_OTHER);
}

static void hop_by_hop_and_nominated_fields_are_marked(void **state)
{
	(void)state;
	static const char head[] =
		"GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nConnection: x-one, X-TWO\r\nx-two: 2\r\n"
		"Keep-Alive: 5\r\nProxy-Connection: a\r\nTE: gzip\r\nX-Three: 3\r\nCookie: "
		"c\r\n\r\n";
	static const bool hops[] = {true, true, true, true, true, true, true, false, false};
	struct http1_head h;
	http1_head_init(&h);
	assert_true(parse(REQUEST, &h, head, sizeof head - 1) > 0);
	assert_int_equal(h.field_count, COUNT(hops));
	for (uint16_t i = 0; i < h.field_count; i++)
		assert_int_equal(h.fields[i].hop, hops[i]);
	assert_non_null(http1_field_find(&h, HTTP1_FIELD_COOKIE));
	assert_null(http1_field_find(&h, HTTP1_FIELD_VIA));
	assert_ptr_equal(http1_field_named(&h, head, "x-three", 0), &h.fields[7]);
	assert_null(http1_field_named(&h, head, "x-three", 8));
}

static void cookies_are_found_whole(void **state)
{
	(void)state;
	static const char head[] = G "Cookie: ab=1; b=2;c=; d=x=y\r\nCookie: e=\"q\" ; b=3\r\n\r\n";
	static const struct {
		const char *name, *value;
	} rows[] = {{"ab", "1"}, {"b", "2"}, {"c", ""}, {"d", "x=y"}, {"e", "\"q\""}};
	struct http1_head h;
	struct http1_span value;
	http1_head_init(&h);
	assert_true(parse(REQUEST, &h, head, sizeof head - 1) > 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(http1_cookie_find(&h, head, rows[i].name, &value));
		assert_int_equal(value.size, strlen(rows[i].value));
		assert_memory_equal(head + value.at, rows[i].value, value.size);
	}
	assert_false(http1_cookie_find(&h, head, "a", &value));
	assert_false(http1_cookie_find(&h, head, "x", &value));
}

static void methods_know_whether_they_may_be_repeated(void **state)
{
	(void)state;
	assert_true(http1_method_idempotent(HTTP1_METHOD_PUT));
	assert_true(http1_method_idempotent(HTTP1_METHOD_GET));
	assert_false(http1_method_idempotent(HTTP1_METHOD_POST));
	assert_false(http1_method_idempotent(HTTP1_METHOD_OTHER));
	assert_false(http1_method_safe(HTTP1_METHOD_DELETE));
	assert_true(http1_method_safe(HTTP1_METHOD_HEAD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_gives_what_its_row_says),
		cmocka_unit_test(every_response_gives_what_its_row_says),
		cmocka_unit_test(an_unfinished_head_asks_for_more),
		cmocka_unit_test(the_target_has_a_limit),
		cmocka_unit_test(the_number_of_fields_has_a_limit),
		cmocka_unit_test(the_head_has_a_limit),
		cmocka_unit_test(connection_may_nominate_only_so_many),
		cmocka_unit_test(a_response_head_has_a_limit),
		cmocka_unit_test(every_known_field_is_identified_by_its_name),
		cmocka_unit_test(hop_by_hop_and_nominated_fields_are_marked),
		cmocka_unit_test(cookies_are_found_whole),
		cmocka_unit_test(methods_know_whether_they_may_be_repeated),
	};
	return cmocka_run_group_tests_name("wire/http1", tests, NULL, NULL);
}
