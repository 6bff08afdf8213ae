# SPDX-License-Identifier: Apache-2.0
"""Requests, right and wrong, one a line: what is sent, what is answered, and which bytes reach the backend.

no(name, sent, status, section)          refused with that status, closed, and nothing reaches the backend
ok(name, sent, reached, section, answer) passed on; `reached` without the fields that the gateway adds

`answer` is the statuses of all answers and then what becomes of the client's connection:
    open    the next request on it is answered
    closed  the gateway ends it
    cut     the gateway waits for the rest; when the client ends instead, there is no answer
Sections are of RFC 9112 (9110 where it says so, 3986 for hosts). Where the gateway is stricter than the text, the line
says "strict". Smuggling by disguised framing fields is in desync.py; no bytes are in both.
"""
G = b"GET / HTTP/1.1\r\nHost: a\r\n"
P = b"POST / HTTP/1.1\r\nHost: a\r\n"
L5 = b"Content-Length: 5\r\n"
TE = b"Transfer-Encoding: chunked\r\n"
E = b"\r\n"
LAST = b"0\r\n\r\n"
NEXT = b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
CASES = []


def text(value):
    """A name's part, printable."""
    return value.decode("latin-1").encode("unicode_escape").decode()


def no(name, sent, status, section):
    CASES.append((name, sent, "%d closed" % status, b"", section))


def ok(name, sent, reached, section, answer="200 open"):
    CASES.append((name, sent, answer, reached, section))


def line(first):
    return first + b"\r\nHost: a\r\n\r\n"


def host(value):
    return b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % value


def chunks(*lines):
    """A POST whose body is these lines."""
    return P + TE + E + b"".join(one + E for one in lines)


# ---- the request line ----
ok("method-mixed-case", line(b"Get / HTTP/1.1"), line(b"Get / HTTP/1.1"), "9110 9.1")
ok("method-unknown", line(b"FROB / HTTP/1.1"), line(b"FROB / HTTP/1.1"), "9110 9.1")
ok("method-all-of-a-token", line(b"!#$%&'*+-.^_`|~9a / HTTP/1.1"), line(b"!#$%&'*+-.^_`|~9a / HTTP/1.1"), "9110 5.6.2")
ok("method-of-32", line(b"A" * 32 + b" / HTTP/1.1"), line(b"A" * 32 + b" / HTTP/1.1"), "3")
no("method-of-33", line(b"A" * 33 + b" / HTTP/1.1"), 501, "3 strict")
no("method-colon", line(b"GET: / HTTP/1.1"), 400, "9110 5.6.2")
no("method-slash", line(b"GET/ / HTTP/1.1"), 400, "9110 5.6.2")
no("method-quoted", line(b'"GET" / HTTP/1.1'), 400, "9110 5.6.2")
no("method-8-bit", line(b"G\xc9T / HTTP/1.1"), 400, "9110 5.6.2")
no("method-del", line(b"GET\x7f / HTTP/1.1"), 400, "9110 5.6.2")
no("method-nul", line(b"GET\x00 / HTTP/1.1"), 400, "9110 5.6.2")
no("method-comma", line(b"GET,POST / HTTP/1.1"), 400, "9110 5.6.2")
no("method-braces", line(b"G{E}T / HTTP/1.1"), 400, "9110 5.6.2")
no("method-connect-path", line(b"CONNECT / HTTP/1.1"), 501, "9110 9.3.6")
no("line-vertical-tab", line(b"GET\x0b/\x0bHTTP/1.1"), 400, "3 strict")
no("line-form-feed", line(b"GET /\x0cHTTP/1.1"), 400, "3 strict")
no("line-tab-before-version", line(b"GET /\tHTTP/1.1"), 400, "3 strict")
no("line-cr-inside", line(b"GET /\rx HTTP/1.1"), 400, "2.2")
no("line-cr-for-space", line(b"GET\r/ HTTP/1.1"), 400, "2.2")
no("line-no-break-space", line(b"GET\xa0/ HTTP/1.1"), 400, "3")
no("line-target-missing", line(b"GET HTTP/1.1"), 400, "3")
no("line-target-empty", line(b"GET  HTTP/1.1"), 400, "3")
no("line-four-words", line(b"GET / x HTTP/1.1"), 400, "3")
no("line-field-first", b"Host: a\r\nGET / HTTP/1.1\r\n\r\n", 400, "3")
no("line-lf-before", b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "2.2 strict")
no("line-cr-before", b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "2.2")
no("line-cr-cr-lf-before", b"\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "2.2")
no("line-bom", b"\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "3")
no("line-nul-before", b"\x00GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "3")
no("line-tls-hello", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n", 400, "3")
no("line-socks", b"\x05\x01\x00", 400, "3")
no("line-proxy-protocol", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + G + E, 400, "3")
no("line-status", b"HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", 400, "3")

# ---- targets ----
for target in (b"/a/../b", b"/a/./b", b"/a//b", b"/%2e%2e/x", b"/%00", b"/%", b"/%zz", b"/a;b=c", b"/a:b@c", b"/~a!$&'()*+,=",
               b"/?", b"/?a?b", b"/?/../", b"/?a=http://b/", b"/a|b", b"/\"<>^`{}\\", b"/*", b"/" + b"a" * 8191):
    ok("target-%s" % text(target[:20]), line(b"GET %s HTTP/1.1" % target), line(b"GET %s HTTP/1.1" % target), "3.2.1")
no("target-of-8193", line(b"GET /" + b"a" * 8192 + b" HTTP/1.1"), 414, "3")
no("target-del", line(b"GET /\x7f HTTP/1.1"), 400, "3.2")
no("target-esc", line(b"GET /\x1b HTTP/1.1"), 400, "3.2")
no("target-utf-8", line(b"GET /\xc3\xa9 HTTP/1.1"), 400, "3.2")
no("target-fragment-in-query", line(b"GET /?a#b HTTP/1.1"), 400, "3.2.1")
no("target-query-alone", line(b"GET ?a HTTP/1.1"), 400, "3.2")
no("target-backslash", line(b"GET \\x HTTP/1.1"), 400, "3.2")
no("target-dot", line(b"GET . HTTP/1.1"), 400, "3.2")
no("target-percent-slash", line(b"GET %2f HTTP/1.1"), 400, "3.2")
no("target-authority", line(b"GET a:80 HTTP/1.1"), 400, "3.2.3")
no("target-asterisk-and-more", line(b"OPTIONS *x HTTP/1.1"), 400, "3.2.4")
no("target-asterisk-post", line(b"POST * HTTP/1.1"), 400, "3.2.4")
ok("absolute-no-path", line(b"GET http://a HTTP/1.1"), line(b"GET / HTTP/1.1"), "3.2.2")
ok("absolute-query-no-path", line(b"GET http://a?q HTTP/1.1"), line(b"GET /?q HTTP/1.1"), "3.2.2")
ok("absolute-scheme-case", line(b"GET HTTP://a/x HTTP/1.1"), line(b"GET /x HTTP/1.1"), "3.2.2")
ok("absolute-https", line(b"GET https://a/x HTTP/1.1"), line(b"GET /x HTTP/1.1"), "3.2.2")
ok("absolute-host-case", line(b"GET http://A/x HTTP/1.1"), b"GET /x HTTP/1.1\r\nHost: A\r\n\r\n", "3.2.2")
ok("absolute-1.0", b"GET http://a/x HTTP/1.0\r\n\r\n", line(b"GET /x HTTP/1.1"), "3.2.2", "200 closed")
ok("absolute-options", line(b"OPTIONS http://a HTTP/1.1"), line(b"OPTIONS * HTTP/1.1"), "3.2.4")
ok("absolute-options-path", line(b"OPTIONS http://a/ HTTP/1.1"), line(b"OPTIONS / HTTP/1.1"), "3.2.4")
ok("absolute-path-with-scheme", line(b"GET /http://b/ HTTP/1.1"), line(b"GET /http://b/ HTTP/1.1"), "3.2.1")
no("absolute-no-host", b"GET http://a/ HTTP/1.1\r\n\r\n", 400, "3.2.2")
no("absolute-port-differs", line(b"GET http://a:81/ HTTP/1.1"), 400, "3.2.2 strict")
no("absolute-empty-host", line(b"GET http:///x HTTP/1.1"), 400, "9110 4.2.1")
no("absolute-fragment", line(b"GET http://a/#f HTTP/1.1"), 400, "3.2.2")
no("absolute-other-scheme", line(b"GET ftp://a/ HTTP/1.1"), 400, "3.2.2")
no("absolute-one-slash", line(b"GET http:/a HTTP/1.1"), 400, "3.2.2")
no("absolute-no-slash", line(b"GET http:a HTTP/1.1"), 400, "3.2.2")
no("absolute-host-with-space", line(b"GET http://a b/ HTTP/1.1"), 400, "3.2.2")

# ---- versions ----
for version, status in ((b"HTTP/1.1x", 400), (b"HTTP/01.1", 400), (b"HTTP/1.01", 400), (b"HTTP/11", 400), (b"HTTP/1,1", 400),
                        (b"HTTP/1.", 400), (b"HTTP/.1", 400), (b"HTTPS/1.1", 400), (b"Http/1.1", 400), (b"HTTP/1.1\t", 400),
                        (b"HTTP /1.1", 400), (b"HTTP/ 1.1", 400), (b"HTTP-1.1", 400), (b"HTTP/1.1/", 400), (b"HTTP/-1.1", 400),
                        (b"HTTP/x.y", 400), (b"HTTP/3.0", 505), (b"HTTP/1.9", 505), (b"HTTP/0.0", 505), (b"HTTP/9.9", 505)):
    no("version-%s" % text(version), line(b"GET / " + version), status, "2.3")
ok("version-1.0", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", line(b"GET / HTTP/1.1"), "2.3", "200 closed")
ok("version-1.0-no-host", b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: \r\n\r\n", "3.2", "200 closed")
ok("version-1.0-kept", b"GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", line(b"GET / HTTP/1.1"), "9.3", "200 open")
ok("version-1.0-kept-and-closed", b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", line(b"GET / HTTP/1.1"), "9.3", "200 closed")
ok("version-1.0-body", b"POST / HTTP/1.0\r\nHost: a\r\n" + L5 + b"\r\nhello", P + L5 + b"\r\nhello", "6.3", "200 closed")
ok("version-1.0-second-is-not-read", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n" + NEXT, G + E, "9.3", "200 closed")
no("version-1.0-two-hosts", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "3.2")
no("version-1.0-two-lengths", b"POST / HTTP/1.0\r\nHost: a\r\n" + L5 + b"Content-Length: 6\r\n\r\nhello", 400, "6.3")
no("version-1.0-bad-host", b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400, "3.2")

# ---- fields ----
for name, sent, reached in (("empty", b"X:", b"X: "), ("no-space", b"X:y", b"X: y"), ("tabs", b"X:\t y \t", b"X: y"),
                            ("inner-space", b"X: a  b\tc", b"X: a  b\tc"), ("8-bit", b"X: \xe9\xff", b"X: \xe9\xff"),
                            ("colon", b"X: :y: ", b"X: :y:"), ("quote", b'X: "y', b'X: "y'), ("two", b"X: y\r\nX: z", b"X: y\r\nX: z"),
                            ("order", b"B: 1\r\nA: 2\r\nB: 3", b"B: 1\r\nA: 2\r\nB: 3"), ("digit-name", b"1: y", b"1: y"),
                            ("token-name", b"!#$%&'*+-.^_`|~: y", b"!#$%&'*+-.^_`|~: y"), ("underscore", b"X_Y: z", b"X_Y: z"),
                            ("name-of-1000", b"N" * 1000 + b": y", b"N" * 1000 + b": y"), ("of-20000", b"X: " + b"y" * 20000, b"X: " + b"y" * 20000),
                            ("looks-like-line", b"X: GET /hidden HTTP/1.1", b"X: GET /hidden HTTP/1.1")):
    ok("field-" + name, G + sent + E + E, G + reached + E + E, "5")
ok("field-98-more", G + b"X: y\r\n" * 99 + E, G + b"X: y\r\n" * 99 + E, "5")
no("field-100-more", G + b"X: y\r\n" * 100 + E, 431, "9110 5.4")
no("field-heads-of-32k", G + (b"X: " + b"y" * 995 + E) * 33 + E, 431, "9110 5.4")
for code in (1, 7, 8, 11, 12, 27, 31, 127):
    no("field-control-%d" % code, G + b"X: y%cz\r\n\r\n" % code, 400, "9110 5.5")
no("field-control-at-end", G + b"X: y\x01\r\n\r\n", 400, "9110 5.5")
no("field-cr-before-crlf", G + b"X: y\r\r\n\r\n", 400, "9110 5.5")
no("field-cr-alone-ends-head", G + b"X: y\r\r" + NEXT, 400, "2.2")
no("field-space-before-colon", G + b"X : y\r\n\r\n", 400, "5.1")
no("field-tab-before-colon", G + b"X\t: y\r\n\r\n", 400, "5.1")
no("field-name-8-bit", G + b"X\xe9: y\r\n\r\n", 400, "5.1")
no("field-name-paren", G + b"X(: y\r\n\r\n", 400, "5.1")
no("field-name-quote", G + b'"X": y\r\n\r\n', 400, "5.1")
no("field-name-slash", G + b"X/Y: y\r\n\r\n", 400, "5.1")
no("field-name-at", G + b"@X: y\r\n\r\n", 400, "5.1")
no("field-name-nul", G + b"X\x00: y\r\n\r\n", 400, "5.1")
no("field-name-cr", G + b"X\r: y\r\n\r\n", 400, "2.2")
no("field-fold-tab", G + b"X: y\r\n\tz\r\n\r\n", 400, "5.2")
no("field-fold-host", b"GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", 400, "5.2")
no("field-fold-second", G + b"X: y\r\nY: z\r\n  \t\r\n\r\n", 400, "5.2")
no("field-lf-ends-head", G + b"X: y\n\r\n", 400, "2.2 strict")
no("field-second-request-line", G + b"GET /hidden HTTP/1.1\r\n\r\n", 400, "5")
no("field-imitates-forwarded", G + b"X_Forwarded_For: 1\r\n\r\n", 400, "5 strict")
no("field-imitates-host", G + b"hOsT: b\r\n\r\n", 400, "3.2")

# ---- Host ----
for value in (b"a:80", b"a:", b"a:65535", b"a:080", b"A.B-c_d", b"a.", b"127.0.0.1:8080", b"[::1]", b"[::1]:80", b"[fe80::1:2]", b"xn--a"):
    ok("host-%s" % text(value), host(value), host(value), "3.2")
ok("host-blanks", b"GET / HTTP/1.1\r\nhOST:\t a \t\r\n\r\n", host(b"a"), "3.2")
ok("host-last", b"GET / HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n", G + b"X: y\r\n\r\n", "3.2")
for value in (b"a:65536", b"a:-1", b"a:8 0", b"a:80:80", b"a:0x50", b"[]", b"[::g]", b"[::1]x", b"[::1]:", b"[::1]]", b"::1", b"%61", b"a,b",
              b"a;b", b"http://a", b"a\tb", b"a\\b", b"a:80/", b"*", b"(a)", b"a'b", b":80", b"@"):
    if value == b"[::1]:":
        ok("host-[::1]:", host(value), host(value), "3986 3.2.3")
    else:
        no("host-%s" % text(value), host(value), 400, "3.2")
no("host-twice-alike", G + b"Host: a\r\n\r\n", 400, "3.2")
no("host-twice-empty", G + b"Host:\r\n\r\n", 400, "3.2")
no("host-space-before-colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "3.2")

# ---- Content-Length ----
ok("length-0", P + b"Content-Length: 0\r\n\r\n", P + b"Content-Length: 0\r\n\r\n", "6.2")
ok("length-zeros", P + b"Content-Length: 0005\r\n\r\nhello", P + L5 + b"\r\nhello", "6.2")
ok("length-blanks", P + b"Content-Length: \t5 \r\n\r\nhello", P + L5 + b"\r\nhello", "6.2")
ok("length-name-case", P + b"CONTENT-LENGTH:5\r\n\r\nhello", P + L5 + b"\r\nhello", "5.1")
ok("length-then-next", P + L5 + b"\r\nhello" + NEXT, P + L5 + b"\r\nhello" + NEXT, "6.2", "200 200 open")
ok("length-too-small", P + L5 + b"\r\nhello(" + NEXT, P + L5 + b"\r\nhello", "6.3", "200 400 closed")
ok("length-too-small-by-a-token", P + L5 + b"\r\nhello!" + NEXT, P + L5 + b"\r\nhello!" + NEXT, "6.3", "200 200 open")
ok("length-looks-chunked", P + L5 + b"\r\n" + LAST, P + L5 + b"\r\n" + LAST, "6.2")
ok("length-too-large", P + L5 + b"\r\nhell", P + L5 + b"\r\nhell", "8", "cut")
ok("length-largest", P + b"Content-Length: 9223372036854775807\r\n\r\nx", P + b"Content-Length: 9223372036854775807\r\n\r\nx", "6.2", "cut")
ok("length-none", P + E, P + E, "6.3")
ok("length-crlf-after-body", P + L5 + b"\r\nhello\r\n" + NEXT, P + L5 + b"\r\nhello" + NEXT, "2.2", "200 200 open")
for value in (b"9223372036854775808", b"5,", b",5", b"5;q=1", b"0b11", b"5'", b"1_0", b"1 0", b"5\x0b", b"5\xa0", b"NaN", b"-0", b"+0", b"0,0", b"5\xc2\xb2",
              b"00000000000000000005", b"1,000", b"5/1", b"5%", b"(5)"):
    no("length-%s" % text(value), P + b"Content-Length: " + value + b"\r\n\r\nhello", 400, "6.2")
no("length-twice-zero", P + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400, "6.3 strict")
no("length-twice-cases", P + b"content-length: 5\r\nCONTENT-LENGTH: 5\r\n\r\nhello", 400, "6.3 strict")
no("length-empty-and-5", P + b"Content-Length:\r\nContent-Length: 5\r\n\r\nhello", 400, "6.3")
no("length-imitated-beside", P + L5 + b"Content_Length: 6\r\n\r\nhello!", 400, "6.3 strict")
no("length-get-negative", G + b"Content-Length: -5\r\n\r\nhello", 400, "6.2")

# ---- Transfer-Encoding ----
ok("coding-blanks", P + b"Transfer-Encoding:\t chunked \t\r\n\r\n" + LAST, P + TE + E + LAST, "6.1")
ok("coding-case", P + b"TRANSFER-encoding: CHunked\r\n\r\n" + LAST, P + TE + E + LAST, "7")
ok("coding-of-content", P + b"Content-Encoding: chunked\r\n" + L5 + b"\r\nhello", P + b"Content-Encoding: chunked\r\n" + L5 + b"\r\nhello", "9110 8.4")
ok("coding-other-name", P + b"X-Transfer-Encoding: chunked\r\n" + L5 + b"\r\nhello", P + b"X-Transfer-Encoding: chunked\r\n" + L5 + b"\r\nhello", "6.1")
ok("coding-te-trailers", G + b"TE: trailers\r\n\r\n", G + b"Connection: TE\r\nTE: trailers\r\n\r\n", "9110 10.1.4")
ok("coding-te-gzip", G + b"TE: gzip;q=0.5, trailers;q=0\r\n\r\n", G + E, "9110 10.1.4")
ok("coding-te-chunked", G + b"TE: chunked\r\n\r\n", G + E, "9110 10.1.4")
for value in (b"identity", b"gzip", b"chunked, gzip", b"deflate, chunked", b"chunkedx", b"chunk", b"c hunked", b"chunked\xa0", b"chunked;q=1", b"'chunked'",
              b"[chunked]", b"chunked/1", b"CHUNKED, CHUNKED", b"trailers", b"null", b"0"):
    no("coding-%s" % text(value), P + b"Transfer-Encoding: " + value + b"\r\n\r\n" + LAST, 400, "6.1")
no("coding-and-length-0", P + TE + b"Content-Length: 0\r\n\r\n" + LAST, 400, "6.1 strict")
no("coding-get-and-length", G + TE + b"Content-Length: 0\r\n\r\n" + LAST, 400, "6.1 strict")
no("coding-and-empty-length", P + TE + b"Content-Length:\r\n\r\n" + LAST, 400, "6.1")
no("coding-twice-alike", P + TE + TE + E + LAST, 400, "6.1 strict")
no("coding-imitated-beside", P + L5 + b"Transfer_Encoding: chunked\r\n\r\n" + LAST, 400, "6.1 strict")

# ---- chunks ----
def chunk(name, sent_lines, reached_lines, answer="200 open"):
    ok("chunk-" + name, chunks(*sent_lines), chunks(*reached_lines), "7.1", answer)


END = (b"0", b"")
chunk("upper-case", (b"A", b"0123456789") + END, (b"a", b"0123456789") + END)
chunk("zeros", (b"0000000000000005", b"hello") + END, (b"05", b"hello") + END)
chunk("extension-empty", (b"5;", b"hello") + END, (b"5", b"hello") + END)
chunk("extension-blanks", (b"5; a = b", b"hello") + END, (b"5", b"hello") + END)
chunk("extension-quoted", (b'5;a="b;c"', b"hello") + END, (b"5", b"hello") + END)
chunk("extension-8-bit", (b"5;\xe9", b"hello") + END, (b"5", b"hello") + END)
chunk("extension-hex", (b"5;ff", b"hello") + END, (b"5", b"hello") + END)
chunk("extension-of-256", (b"5;" + b"e" * 256, b"hello") + END, (b"5", b"hello") + END)
chunk("extension-at-end", (b"5", b"hello", b"0;a=b", b""), (b"5", b"hello") + END)
chunk("two", (b"5", b"hello", b"1", b"!") + END, (b"5", b"hello", b"1", b"!") + END)
chunk("of-crlf", (b"2", b"\r\n") + END, (b"2", b"\r\n") + END)
chunk("of-last-chunk", (b"5", b"0\r\n\r\n") + END, (b"5", b"0\r\n\r\n") + END)
chunk("of-request", (b"%x" % len(NEXT), NEXT) + END, (b"%x" % len(NEXT), NEXT) + END)
chunk("trailer", (b"0", b"X-T: y", b""), (b"0", b"X-T: y", b""))
chunk("trailer-host", (b"0", b"Host: b", b""), (b"0", b""))
chunk("trailer-forwarded", (b"0", b"X-Forwarded-For: 1.2.3.4", b"Via: x", b""), (b"0", b""))
chunk("trailer-authorization", (b"0", b"Authorization: x", b"Cookie: y", b""), (b"0", b""))
chunk("data-missing", (b"5",), (b"5",), "cut")
chunk("end-missing", (b"5", b"hello"), (b"5", b"hello"), "cut")
chunk("trailer-unfinished", (b"0", b"X-T: y"), (b"0", b"X-T: y"), "cut")
ok("chunk-largest", chunks(b"7fffffffffffffff") + b"x", chunks(b"7fffffffffffffff") + b"x", "7.1", "cut")
ok("chunk-then-next", chunks(*END) + NEXT, chunks(*END) + NEXT, "7.1", "200 200 open")
ok("chunk-second-last", chunks(*END) + LAST, chunks(*END), "7.1", "200 400 closed")
for name, lines in (("blank-before-semicolon", (b"5 ;a=b", b"hello") + END), ("tab-after-size", (b"5\t", b"hello") + END), ("vertical-tab", (b"5\x0b", b"hello") + END),
                    ("blank-before-size", (b" 5", b"hello") + END), ("quoted-size", (b'"5"', b"hello") + END), ("comma", (b"5,5", b"hello") + END),
                    ("underscore", (b"0_5", b"hello") + END), ("hex-suffix", (b"5h", b"hello") + END), ("hex-prefix", (b"0X5", b"hello") + END),
                    ("float", (b"5.0", b"hello") + END), ("minus-0", (b"-0", b"")), ("too-large", (b"8000000000000000", b"hello") + END),
                    ("wraps-32", (b"100000000000000005", b"hello") + END), ("17-zeros", (b"0" * 17, b"")), ("data-short", (b"5", b"hell") + END),
                    ("data-long", (b"4", b"hello") + END), ("empty-size", (b"", b"5", b"hello") + END), ("extension-only", (b";a", b"hello") + END),
                    ("extension-control", (b"5;\x01", b"hello") + END), ("extension-of-257", (b"5;" + b"e" * 257, b"hello") + END),
                    ("extensions-of-257", (b"1;" + b"e" * 128, b"x", b"1;" + b"e" * 129, b"x") + END), ("nul-after-size", (b"5\x00", b"hello") + END),
                    ("trailer-no-name", (b"0", b": y", b"")), ("trailer-control", (b"0", b"X: \x01", b"")), ("trailer-tab-colon", (b"0", b"X\t: y", b"")),
                    ("trailer-length", (b"0", b"content-length: 5", b"X-T: y", b"")), ("trailer-coding", (b"0", b"Transfer-Encoding: chunked", b"")),
                    ("trailer-imitated", (b"0", b"Content_Length: 5", b"")), ("trailer-fold", (b"0", b"X: y", b" z", b"")), ("trailer-nul-name", (b"0", b"\x00: y", b"")), ("trailer-of-40", (b"0",) + (b"X: y",) * 40 + (b"",)),
                    ("end-with-data", (b"0", b"hello", b""))):
    no("chunk-" + name, chunks(*lines), 400, "7.1")
no("chunk-cr-after-size", P + TE + b"\r\n5\r\rhello\r\n0\r\n\r\n", 400, "7.1")
no("chunk-lf-after-data", P + TE + b"\r\n5\r\nhello\n\r0\r\n\r\n", 400, "7.1")
no("chunk-lf-in-extension", P + TE + b"\r\n5;a\n\r\nhello\r\n0\r\n\r\n", 400, "7.1.1")
no("chunk-trailer-lf", P + TE + b"\r\n0\r\nX: y\n\r\n", 400, "7.1.2 strict")
no("chunk-trailer-cr", P + TE + b"\r\n0\r\nX: y\r\r\n\r\n", 400, "7.1.2")

# ---- Connection, and what belongs to one hop ----
ok("hop-close", G + b"Connection: close\r\n\r\n", G + E, "9.6", "200 closed")
ok("hop-close-second-not-read", G + b"Connection: close\r\n\r\n" + NEXT, G + E, "9.6", "200 closed")
ok("hop-close-case", G + b"CONNECTION: CLOSE\r\n\r\n", G + E, "9.6", "200 closed")
ok("hop-close-in-list", G + b"Connection: x, Close\r\nX: y\r\n\r\n", G + E, "9.6", "200 closed")
ok("hop-two-lines", G + b"Connection: x\r\nConnection: y\r\nX: 1\r\nY: 2\r\nZ: 3\r\n\r\n", G + b"Z: 3\r\n\r\n", "9110 7.6.1")
ok("hop-nominated-before", G + b"X: 1\r\nConnection: X\r\nx: 2\r\n\r\n", G + E, "9110 7.6.1")
ok("hop-nominated-cookie", G + b"Cookie: a=b\r\nConnection: cookie\r\n\r\n", G + E, "9110 7.6.1")
ok("hop-empty", G + b"Connection:\r\n\r\n", G + E, "9110 7.6.1")
ok("hop-commas", G + b"Connection: ,, ,\t,keep-alive,\r\n\r\n", G + E, "9110 5.6.1")
ok("hop-keep-alive", G + b"Keep-Alive: timeout=5\r\nConnection: keep-alive\r\n\r\n", G + E, "9110 7.6.1")
ok("hop-proxy", G + b"Proxy-Connection: close\r\nProxy-Authorization: x\r\n\r\n", G + E, "9110 7.6.1")
ok("hop-upgrade-unasked", G + b"Upgrade: websocket\r\n\r\n", G + E, "9110 7.8")
ok("hop-upgrade-other", G + b"Connection: upgrade\r\nUpgrade: irc/6.9\r\n\r\n", G + E, "9110 7.8")
ok("hop-upgrade-two", G + b"Connection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n", G + E, "9110 7.8")
ok("hop-upgrade-1.0", b"GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", G + E, "9110 7.8", "200 closed")
ok("hop-trailer-stays", G + b"Trailer: x\r\n\r\n", G + b"Trailer: x\r\n\r\n", "9110 6.6.2")
ok("hop-32-names", G + b"Connection: " + b",".join(b"n%d" % i for i in range(32)) + b"\r\nN7: x\r\n\r\n", G + E, "9110 7.6.1")
no("hop-33-names", G + b"Connection: " + b",".join(b"n%d" % i for i in range(33)) + b"\r\n\r\n", 431, "9110 7.6.1 strict")
no("hop-two-words", G + b"Connection: a b\r\n\r\n", 400, "9110 7.6.1")
no("hop-quoted", G + b'Connection: "close"\r\n\r\n', 400, "9110 7.6.1")
no("hop-8-bit", G + b"Connection: clos\xe9\r\n\r\n", 400, "9110 7.6.1")

# ---- Expect, and requests behind each other ----
ok("expect-case", P + b"Expect: 100-Continue\r\n" + L5 + b"\r\nhello", P + L5 + b"Expect: 100-continue\r\n\r\nhello", "9110 10.1.1")
ok("expect-1.0", b"POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n" + L5 + b"\r\nhello", P + L5 + b"\r\nhello", "9110 10.1.1", "200 closed")
ok("expect-no-body", P + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", P + b"Content-Length: 0\r\n\r\n", "9110 10.1.1")
no("expect-more", P + b"Expect: 100-continue, x\r\n" + L5 + b"\r\nhello", 417, "9110 10.1.1")
no("expect-empty", P + b"Expect:\r\n" + L5 + b"\r\nhello", 417, "9110 10.1.1")
no("expect-second-other", P + b"Expect: 100-continue\r\nExpect: x\r\n" + L5 + b"\r\nhello", 417, "9110 10.1.1")
ok("pipe-two", G + E + NEXT, G + E + NEXT, "9.3.2", "200 200 open")
ok("pipe-head", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT, "9.3.2", "200 200 open")
ok("pipe-crlf-between", G + E + E + NEXT, G + E + NEXT, "2.2", "200 200 open")
ok("pipe-second-bad", G + E + b"GET /hidden HTTP/1.1\r\nHost: a b\r\n\r\n", G + E, "9.3.2", "200 400 closed")
ok("pipe-second-garbage", G + E + b"\x00\x01", G + E, "9.3.2", "200 400 closed")
ok("pipe-second-closes", G + E + NEXT[:-2] + b"Connection: close\r\n\r\n" + G + E, G + E + NEXT, "9.3.2", "200 200 closed")
ok("pipe-get-length-0", G + b"Content-Length: 0\r\n\r\n" + NEXT, G + b"Content-Length: 0\r\n\r\n" + NEXT, "9.3.2", "200 200 open")
ok("pipe-ten", (G + E) * 10, (G + E) * 10, "9.3.2", "200 " * 10 + "open")
ok("pipe-second-unfinished", G + E + b"GET / HTTP/1.1\r\nHo", G + E, "9.3.2", "200 cut")
ok("pipe-head-with-length", b"HEAD / HTTP/1.1\r\nHost: a\r\n" + L5 + b"\r\nhello" + NEXT, b"HEAD / HTTP/1.1\r\nHost: a\r\n" + L5 + b"\r\nhello" + NEXT, "6.3", "200 200 open")
ok("unfinished-line", b"GET / HTT", b"", "8", "cut")
ok("unfinished-fields", G, b"", "8", "cut")
ok("unfinished-nothing", b"\r\n", b"", "8", "cut")

# ---- methods that ask for a way ----
ok("trace", line(b"TRACE / HTTP/1.1"), line(b"TRACE / HTTP/1.1"), "9110 9.3.8")
ok("delete-body", b"DELETE / HTTP/1.1\r\nHost: a\r\n" + L5 + b"\r\nhello", b"DELETE / HTTP/1.1\r\nHost: a\r\n" + L5 + b"\r\nhello", "9110 9.3.5")
ok("options-body", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n" + L5 + b"\r\nhello", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n" + L5 + b"\r\nhello", "9110 9.3.7")
no("trace-chunked", b"TRACE / HTTP/1.1\r\nHost: a\r\n" + TE + E + LAST, 400, "9110 9.3.8")
