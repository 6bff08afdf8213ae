# SPDX-License-Identifier: Apache-2.0
"""Answers of backends, right and wrong, one a line: what a backend sends, and what its client gets.

bad(name, sent, section)                   the client gets 502, and the backend's connection is dropped
cut(name, sent, received, section)         `received`, and then the client's connection ends: it cannot take that for whole
ok(name, sent, received, section, ends)    `received`, byte for byte, and no more

Keys: ask=    GET, HEAD, OLD (HTTP/1.0), OLD_KEPT, WS (asks for WebSocket)
      then=   what the backend does after it: "stays" or "ends"
`ends` is two words: the client's connection is then "open", "closed" or "reset", the backend's "kept" or "dropped"; the one is
shown by the client's next request, the other by which connection that comes on. Sections are of RFC 9112, 9110 where
it says so. No behaviour is here that hostile.py tries: that one looks after time and other clients.
"""
GET = b"GET /case HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD /case HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET /case HTTP/1.0\r\nHost: a\r\n\r\n"
OLD_KEPT = b"GET /case HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
WS = b"GET /case HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
S = b"HTTP/1.1 200 OK\r\n"
L2 = b"Content-Length: 2\r\n"
OK2 = L2 + b"\r\nok"
TE = b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"
KEEP = b"Connection: keep-alive\r\n"
CLOSE = b"Connection: close\r\n"
CASES = []


def text(value):
    """A name's part, printable."""
    return value.decode("latin-1").encode("unicode_escape").decode()


def ok(name, sent, received, section, ends="open kept", ask=GET, then="stays"):
    CASES.append((name, ask, sent, then, received, ends, section))


def bad(name, sent, section, ask=GET, then="stays"):
    CASES.append((name, ask, sent, then, 502, "open dropped", section))


def cut(name, sent, received, section, ask=GET, then="stays"):
    CASES.append((name, ask, sent, then, received, "closed dropped", section))


def same(name, sent, section, ends="open kept", ask=GET, then="stays"):
    ok(name, sent, sent, section, ends, ask, then)


# ---- the status line ----
for status in (b"200 OK", b"200 ", b"201 Created", b"203 x", b"206 x", b"226 x", b"299 a b\tc", b"300 x", b"404 \xe9", b"418 I'm", b"499 x", b"500 x",
               b"511 x", b"599 x"):
    same("status-%s" % text(status), b"HTTP/1.1 " + status + b"\r\n" + OK2, "4")
ok("status-no-phrase-no-space", b"HTTP/1.1 200\r\n" + OK2, b"HTTP/1.1 200 \r\n" + OK2, "4")
for first in (b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 2 00", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK", b"HTTP/1.1 600 OK", b"HTTP/1.1 099 OK",
              b"HTTP/1.1 -20 OK", b"HTTP/1.1 2x0 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1 200\tOK", b"HTTP/1.1 200OK", b"HTTP/1.2 200 OK", b"HTTP/3 200 OK",
              b"HTTP/1.10 200 OK", b"http/1.1 200 OK", b" HTTP/1.1 200 OK", b"\r\nHTTP/1.1 200 OK", b"ICY 200 OK", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP1.1 200 OK",
              b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\x7fK", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 OK\r", b"RTSP/1.0 200 OK", b"H", b"GET / HTTP/1.1"):
    bad("status-line-%s" % text(first), first + b"\r\n" + OK2, "4")

# ---- fields ----
for name, sent, received in (("empty", b"X:", b"X: "), ("tight", b"X:y", b"X: y"), ("blanks", b"X: \ty \t", b"X: y"), ("8-bit", b"X: \xe9", b"X: \xe9"),
                             ("underscore", b"X_Y: z", b"X_Y: z"), ("token", b"!#$%&'*+-.^_`|~: y", b"!#$%&'*+-.^_`|~: y"), ("twice", b"X: 1\r\nX: 2", b"X: 1\r\nX: 2"),
                             ("cookies", b"Set-Cookie: a=1\r\nset-cookie: b=2", b"Set-Cookie: a=1\r\nset-cookie: b=2"), ("large", b"X: " + b"y" * 30000, b"X: " + b"y" * 30000),
                             ("server", b"Server: x\r\nDate: y\r\nVia: 1.1 z", b"Server: x\r\nDate: y\r\nVia: 1.1 z")):
    ok("field-" + name, S + sent + b"\r\n" + OK2, S + received + b"\r\n" + OK2, "5")
ok("field-host-means-nothing", S + b"Host: b\r\n" + OK2, S + OK2, "9110 7.2")
same("field-99-more", S + b"X: y\r\n" * 99 + OK2, "5")
bad("field-100-more", S + b"X: y\r\n" * 100 + OK2, "5 strict")
bad("field-head-of-33k", S + b"X: " + b"y" * 33000 + b"\r\n" + OK2, "5 strict")
for name, sent in (("fold-tab", b"X: y\r\n\tz"), ("fold-first", b" X: y"), ("fold-length", b"Content-Length:\r\n 2"), ("no-colon", b"X"), ("no-name", b": y"), ("blank-colon", b"X : y"),
                   ("name-8-bit", b"\xe9: y"), ("name-space", b"X Y: z"), ("control", b"X: \x01"), ("del", b"X: \x7f"), ("cr", b"X: y\rz"), ("cr-cr", b"X: y\r"),
                   ("lf", b"X: y\nZ: 1"), ("nul-name", b"X\x00: y"), ("imitates-length", b"Content_Length: 2"), ("imitates-coding", b"Transfer_Encoding: chunked")):
    bad("field-" + name, S + sent + b"\r\n" + OK2, "5")

# ---- lengths ----
ok("length-zeros", S + b"Content-Length: 002\r\n\r\nok", S + OK2, "6.2")
ok("length-last", S + b"content-length:2\r\nX: y\r\n\r\nok", S + b"X: y\r\n" + OK2, "6.2")
same("length-0", S + b"Content-Length: 0\r\n\r\n", "6.2")
for value in (b"2, 2", b"2,3", b"+2", b"-2", b"0x2", b"2 2", b"", b"2.", b"2;", b"\"2\"", b"two", b"9223372036854775808", b"00000000000000000002", b"2\xa0", b"1e0"):
    bad("length-%s" % text(value), S + b"Content-Length: " + value + b"\r\n\r\nok", "6.3")
bad("length-twice-alike", S + L2 + OK2, "6.3 strict")
bad("length-of-old-twice", b"HTTP/1.0 200 OK\r\n" + L2 + OK2, "6.3 strict")
ok("length-crlf-after", S + OK2 + b"\r\n", S + OK2, "6.3", "open dropped")
ok("length-one-more", S + OK2 + b"!", S + OK2, "6.3", "open dropped")
ok("length-nul-more", S + OK2 + b"\x00" * 100, S + OK2, "6.3", "open dropped")
ok("length-second-answer", S + OK2 + S + OK2, S + OK2, "6.3", "open dropped")
ok("length-half-answer-more", S + OK2 + b"HTTP/1.1 200", S + OK2, "6.3", "open dropped")
cut("length-one-less", S + b"Content-Length: 3\r\n\r\nok", S + b"Content-Length: 3\r\n\r\nok", "8", then="ends")
cut("length-largest", S + b"Content-Length: 9223372036854775807\r\n\r\nok", S + b"Content-Length: 9223372036854775807\r\n\r\nok", "8", then="ends")
cut("length-nothing-of-it", S + L2 + b"\r\n", S + L2 + b"\r\n", "8", then="ends")

# ---- codings ----
ok("coding-case", S + b"transfer-ENCODING: \tCHUNKED \r\n\r\n" + LAST, S + TE + b"\r\n" + LAST, "6.1")
for value in (b"identity", b"gzip, chunked", b"chunked, chunked", b"chunked, gzip", b"xchunked", b"chunked;x", b"", b"\x0bchunked", b"chunked\x00", b"'chunked'", b"chunked,", b", chunked", b"chunk ed", b"deflate"):
    bad("coding-%s" % text(value), S + b"Transfer-Encoding: " + value + b"\r\n\r\n" + LAST, "6.1")
bad("coding-twice", S + TE + TE + b"\r\n" + LAST, "6.1 strict")
bad("coding-twice-other", S + TE + b"Transfer-Encoding: identity\r\n\r\n" + LAST, "6.1")
bad("coding-then-length-0", S + TE + b"Content-Length: 0\r\n\r\n" + LAST, "6.1 strict")
bad("coding-length-first", S + L2 + TE + b"\r\n" + LAST, "6.1 strict")
bad("coding-folded", S + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + LAST, "5.2")
bad("coding-blank-colon", S + b"Transfer-Encoding : chunked\r\n\r\n" + LAST, "5.1")

# ---- chunks ----
CH = S + TE + b"\r\n"
for name, sent, received in (("one", b"2\r\nok\r\n" + LAST, b"2\r\nok\r\n" + LAST), ("upper-case", b"A\r\n0123456789\r\n" + LAST, b"a\r\n0123456789\r\n" + LAST),
                             ("zeros", b"0002\r\nok\r\n000\r\n\r\n", b"02\r\nok\r\n0\r\n\r\n"), ("extension", b"2;a=b\r\nok\r\n0;c\r\n\r\n", b"2\r\nok\r\n" + LAST),
                             ("of-crlf", b"2\r\n\r\n\r\n" + LAST, b"2\r\n\r\n\r\n" + LAST), ("of-answer", b"%x\r\n%s\r\n" % (len(S + OK2), S + OK2) + LAST, b"%x\r\n%s\r\n" % (len(S + OK2), S + OK2) + LAST),
                             ("trailer", b"0\r\nX: y\r\n\r\n", b"0\r\nX: y\r\n\r\n"), ("trailer-tidied", b"0\r\nVia: 9\r\nX: y\r\nSet-Cookie: z\r\n\r\n", b"0\r\nX: y\r\n\r\n")):
    ok("chunk-" + name, CH + sent, CH + received, "7.1")
ok("chunk-crlf-after", CH + LAST + b"\r\n", CH + LAST, "7.1", "open dropped")
ok("chunk-second-last", CH + LAST + LAST, CH + LAST, "7.1", "open dropped")
ok("chunk-answer-after", CH + LAST + S + OK2, CH + LAST, "7.1", "open dropped")
ok("chunk-to-old", CH + b"2\r\nok\r\n" + LAST, S + CLOSE + b"\r\nok", "7.1", "closed kept", ask=OLD)
ok("chunk-to-old-kept", CH + b"2\r\nok\r\n0\r\nX: y\r\n\r\n", S + CLOSE + b"\r\nok", "7.1", "closed kept", ask=OLD_KEPT)
for name, sent in (("blank", b"2 \r\nok\r\n"), ("tab", b"2\t\r\nok\r\n"), ("hex-prefix", b"0x2\r\nok\r\n"), ("minus", b"-2\r\nok\r\n"), ("plus", b"+2\r\nok\r\n"), ("lf", b"2\nok\n"),
                   ("lf-after-data", b"2\r\nok\n0\r\n"), ("empty-size", b"\r\nok\r\n"), ("word", b"ok\r\n"), ("too-large", b"8000000000000000\r\nok\r\n"), ("17-digits", b"00000000000000002\r\nok\r\n"),
                   ("data-long", b"2\r\nokk\r\n"), ("data-short", b"3\r\nok\r\n" + LAST), ("extension-control", b"2;\x00\r\nok\r\n"), ("extension-of-257", b"2;" + b"e" * 257 + b"\r\nok\r\n"),
                   ("trailer-no-colon", b"0\r\nX\r\n\r\n"), ("trailer-folded", b"0\r\nX: y\r\n z\r\n\r\n"), ("trailer-length", b"0\r\nContent-Length: 0\r\n\r\n"), ("trailer-coding", b"0\r\nX: y\r\nTransfer-Encoding: x\r\n\r\n"), ("trailer-lf", b"0\r\nX: y\n\r\n"), ("trailer-of-40", b"0\r\n" + b"X: y\r\n" * 40 + b"\r\n")):
    cut("chunk-" + name, CH + sent, b"", "7.1")
cut("chunk-no-last", CH + b"2\r\nok\r\n", CH + b"2\r\nok\r\n", "8", then="ends")
cut("chunk-half-last", CH + b"2\r\nok\r\n0\r\n", CH + b"2\r\nok\r\n0\r\n", "8", then="ends")
cut("chunk-half", CH + b"5\r\nok", CH + b"5\r\nok", "8", then="ends")
ok("chunk-no-last-to-old", CH + b"2\r\nok\r\n", S + CLOSE + b"\r\nok", "8", "reset dropped", ask=OLD, then="ends")

# ---- answers that have no body ----
same("no-body-204", b"HTTP/1.1 204 x\r\n\r\n", "6.3")
ok("no-body-204-length-0", b"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 204 x\r\n\r\n", "9110 8.6")
ok("no-body-204-chunked", b"HTTP/1.1 204 x\r\n" + TE + b"\r\n", b"HTTP/1.1 204 x\r\n\r\n", "6.1")
ok("no-body-204-chunked-and-body", b"HTTP/1.1 204 x\r\n" + TE + b"\r\n2\r\nok\r\n" + LAST, b"HTTP/1.1 204 x\r\n\r\n", "6.3", "open dropped")
same("no-body-304", b"HTTP/1.1 304 x\r\nETag: \"y\"\r\n\r\n", "6.3")
same("no-body-304-length", b"HTTP/1.1 304 x\r\nContent-Length: 1000\r\n\r\n", "9110 15.4.5")
ok("no-body-304-chunked", b"HTTP/1.1 304 x\r\n" + TE + b"\r\n", b"HTTP/1.1 304 x\r\n\r\n", "6.1")
ok("no-body-304-chunked-and-body", b"HTTP/1.1 304 x\r\n" + TE + b"\r\n" + LAST, b"HTTP/1.1 304 x\r\n\r\n", "6.3", "open dropped")
same("no-body-205-length-0", b"HTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n", "9110 15.3.6")
same("no-body-head-length", S + b"Content-Length: 1000\r\n\r\n", "9110 9.3.2", ask=HEAD)
same("no-body-head-none", S + b"X: y\r\n\r\n", "9110 9.3.2", ask=HEAD)
ok("no-body-head-chunked", S + TE + b"\r\n", S + b"\r\n", "9110 9.3.2", ask=HEAD)
ok("no-body-head-chunked-and-body", S + TE + b"\r\n" + LAST, S + b"\r\n", "6.3", "open dropped", ask=HEAD)
same("no-body-head-404", b"HTTP/1.1 404 x\r\nContent-Length: 9\r\n\r\n", "9110 9.3.2", ask=HEAD)
bad("no-body-head-two-lengths", S + L2 + L2 + b"\r\n", "6.3", ask=HEAD)

# ---- interim answers ----
I = b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
same("interim-100-unasked", b"HTTP/1.1 100 Continue\r\n\r\n" + S + OK2, "9110 15.2")
same("interim-102", b"HTTP/1.1 102 x\r\n\r\n" + S + OK2, "9110 15.2")
same("interim-199", b"HTTP/1.1 199 x\r\nX: y\r\n\r\n" + S + OK2, "9110 15.2")
same("interim-16", I * 16 + S + OK2, "9110 15.2")
bad("interim-17-alone", b"HTTP/1.1 103 x\r\n\r\n" * 17, "9110 15.2 strict", ask=OLD_KEPT)
ok("interim-to-old", I + S + OK2, S + KEEP + OK2, "9110 15.2", ask=OLD_KEPT)
ok("interim-length", b"HTTP/1.1 103 x\r\nContent-Length: 0\r\n\r\n" + S + OK2, b"HTTP/1.1 103 x\r\n\r\n" + S + OK2, "9110 8.6")
ok("interim-connection", b"HTTP/1.1 103 x\r\nConnection: close\r\nKeep-Alive: y\r\n\r\n" + S + OK2, b"HTTP/1.1 103 x\r\n\r\n" + S + OK2, "9110 7.6.1")
bad("interim-then-garbage", I + b"hello", "4", ask=OLD_KEPT)
bad("interim-with-body", b"HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\nhello", "6.3", ask=OLD_KEPT)
bad("interim-bad", b"HTTP/1.1 103 x\r\nX : y\r\n\r\n" + S + OK2, "5.1")
bad("interim-then-end", I, "8", ask=OLD_KEPT, then="ends")
bad("switch-unasked", b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "9110 15.2.2")
bad("switch-no-upgrade", b"HTTP/1.1 101 x\r\nConnection: upgrade\r\n\r\n", "9110 7.8", ask=WS)
bad("switch-no-connection", b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", "9110 7.8", ask=WS)
bad("switch-to-other", b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "9110 7.8", ask=WS)
bad("switch-to-two", b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n", "9110 7.8", ask=WS)
bad("switch-of-old", b"HTTP/1.0 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "9110 7.8", ask=WS)
ok("switch-refused", b"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n" + OK2, S + OK2, "9110 7.8", ask=WS)

# ---- the end of a connection ----
ok("end-close", S + b"\r\nok", S + TE + b"\r\n2\r\nok\r\n" + LAST, "6.3", "open dropped", then="ends")
ok("end-close-empty", S + b"\r\n", S + TE + b"\r\n" + LAST, "6.3", "open dropped", then="ends")
ok("end-close-to-old", S + b"\r\nok", S + CLOSE + b"\r\nok", "6.3", "closed dropped", ask=OLD, then="ends")
ok("end-close-said", S + b"Connection: close\r\n\r\nok", S + TE + b"\r\n2\r\nok\r\n" + LAST, "9.6", "open dropped", then="ends")
ok("end-kept-to-old", S + OK2, S + KEEP + OK2, "9.3", "open kept", ask=OLD_KEPT)
ok("end-to-old", S + OK2, S + CLOSE + OK2, "9.3", "closed kept", ask=OLD)
ok("end-said-with-length", S + CLOSE + OK2, S + OK2, "9.6", "open dropped")
ok("end-said-in-list", S + b"Connection: x, CLOSE\r\nX: y\r\n" + OK2, S + OK2, "9.6", "open dropped")
ok("end-unsaid-with-length", S + OK2, S + OK2, "9.6", "open dropped", then="ends")
ok("end-of-1.0", b"HTTP/1.0 200 OK\r\n" + OK2, S + OK2, "9.3", "open dropped")
ok("end-of-1.0-kept", b"HTTP/1.0 200 OK\r\n" + KEEP + OK2, S + OK2, "9.3", "open kept")
ok("end-of-1.0-close", b"HTTP/1.0 200 OK\r\n\r\nok", S + TE + b"\r\n2\r\nok\r\n" + LAST, "6.3", "open dropped", then="ends")
bad("end-1.0-coding", b"HTTP/1.0 200 OK\r\n" + KEEP + TE + b"\r\n" + LAST, "6.1 strict")
bad("end-in-head", S + b"Content-Len", "8", ask=GET, then="ends")
bad("end-in-status", b"HTT", "8", then="ends")
bad("end-after-crlf", b"\r\n", "8", then="ends")

# ---- what belongs to one hop ----
for name, sent in (("keep-alive", b"Keep-Alive: timeout=5\r\nConnection: keep-alive\r\n"), ("nominated", b"X: y\r\nConnection: x\r\n"), ("nominated-length", b"Connection: content-length\r\n"),
                   ("proxy", b"Proxy-Authenticate: x\r\nProxy-Connection: close\r\n"), ("upgrade", b"Upgrade: h2c\r\nConnection: upgrade\r\n"), ("te", b"TE: trailers\r\n"), ("empty", b"Connection:\r\n")):
    ok("hop-" + name, S + sent + OK2, S + OK2, "9110 7.6.1")
bad("hop-not-a-list", S + b"Connection: a b\r\n" + OK2, "9110 7.6.1")
bad("hop-33-names", S + b"Connection: " + b",".join(b"n%d" % i for i in range(33)) + b"\r\n" + OK2, "9110 7.6.1 strict")
