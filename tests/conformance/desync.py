# SPDX-License-Identifier: Apache-2.0
"""Request smuggling: for every hostile request, either nothing reaches the backend and the client is refused and
disconnected, or what reaches the backend is read alike by readers of every temper.

The backend keeps the raw bytes that it got. They are read once strictly, and then by careless readers, each with
a habit that real servers have or had. If any of them counts other requests, davit has let a desync through.
"""
import itertools, re, socket

from kit import Backend, Closed, Gateway, Report, Stream, read_response, wait_for

G = b"GET / HTTP/1.1\r\nHost: a\r\n"
P = b"POST / HTTP/1.1\r\nHost: a\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def length(size):
    return b"Content-Length: %d\r\n" % size


def hidden_in_chunk():
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)


def vectors():
    """(name, bytes, must it be refused). What need not be refused must be read alike by everyone."""
    end = b"\r\n"
    # both framings, in all orders and disguises
    for te in (b"Transfer-Encoding: chunked", b"transfer-encoding: CHUNKED", b"Transfer-Encoding:\tchunked"):
        yield "cl-te", P + length(6) + te + end + end + b"0\r\n\r\nG", True
        yield "te-cl", P + te + end + length(4) + end + hidden_in_chunk(), True
        yield "te-cl-0", P + te + end + length(0) + end + hidden_in_chunk(), True
    for disguise in (b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b" Transfer-Encoding: chunked",
                     b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity",
                     b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: chunked, chunked",
                     b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding:\x0bchunked",
                     b"Transfer-Encoding: chunked\x0b", b"Transfer-Encoding: \x00chunked",
                     b"Transfer-Encoding: chunked\x00", b"Transfer-Encoding:\n chunked",
                     b"Transfer-Encoding:\r\n chunked", b"X: y\nTransfer-Encoding: chunked",
                     b"X: y\rTransfer-Encoding: chunked", b"Transfer_Encoding: chunked",
                     b"Transfer-Encoding: \"chunked\"", b"Transfer-Encoding: chunked;a=b",
                     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                     b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
                     b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
                     b"Transfer-Encoding:\xa0chunked", b"Transfer-\xc4\xb1ncoding: chunked",
                     b"Transfer\xadEncoding: chunked", b"Transfer-Encoding: chun\tked",
                     b"Transfer-Encoding:", b"Transfer-Encoding: ,chunked", b"Transfer-Encoding: chunked,"):
        yield "te-disguised", P + length(5) + disguise + end + end + hidden_in_chunk(), True
        yield "te-disguised-alone", P + disguise + end + end + hidden_in_chunk(), True
    # lengths
    for value in (b"5, 5", b"5,5", b"+5", b"-5", b"0x5", b"5 5", b"5.", b"5e0", b"", b"5\x00", b"\x0b5", b"5_",
                  b"18446744073709551621", b"99999999999999999999", b"\"5\"", b"five", b"5;", b"\xd9\xa5", b"5\t5"):
        yield "length", P + b"Content-Length: " + value + end + end + b"hello" + HIDDEN, True
    yield "length-twice", P + length(5) + length(5) + end + b"hello", True
    yield "length-twice-other", P + length(5) + length(5 + len(HIDDEN)) + end + b"hello" + HIDDEN, True
    for disguise in (b"Content-Length : 5", b"Content-Length\t: 5", b" Content-Length: 5", b"Content_Length: 5",
                     b"Content-Length:\r\n 5", b"Content-Length\x00: 5", b"X: y\nContent-Length: 5"):
        yield "length-disguised", P + disguise + end + end + b"hello", True
    # HTTP/1.0 and bodies
    yield "1.0-chunked", b"POST / HTTP/1.0\r\nHost: a\r\n" + CHUNKED + end + hidden_in_chunk(), True
    yield "1.0-no-length", b"POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", False
    yield "get-body", G + length(len(HIDDEN)) + end + HIDDEN, False
    yield "get-chunked", G + CHUNKED + end + hidden_in_chunk(), False
    yield "head-body", G.replace(b"GET", b"HEAD") + length(len(HIDDEN)) + end + HIDDEN, False
    yield "trace-body", G.replace(b"GET", b"TRACE") + length(len(HIDDEN)) + end + HIDDEN, True
    # Connection takes framing away
    for name in (b"content-length", b"Content-Length, close", b"keep-alive, content-length"):
        yield "nominated-length", P + b"Connection: " + name + end + length(len(HIDDEN)) + end + HIDDEN, False
    yield "nominated-coding", P + b"Connection: transfer-encoding\r\n" + CHUNKED + end + hidden_in_chunk(), False
    yield "nominated-host", G + b"Connection: host\r\n\r\n", False
    yield "nominated-many", G + b"Connection: " + b",".join(b"x%d" % i for i in range(1000)) + end + end, True
    # chunked bodies
    for body in (b"5 \r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
                 b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n",
                 b"5;a\nhello\r\n0\r\n\r\n", b"5;a\rb\r\nhello\r\n0\r\n\r\n", b"5;\x00\r\nhello\r\n0\r\n\r\n",
                 b"ffffffffffffffff\r\n", b"10000000000000005\r\nhello\r\n0\r\n\r\n", b"-1\r\n", b"\r\n", b"g\r\n",
                 b"5\r\nhelloX\r\n0\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\r\nA: b\n\r\n", b"0\r\nA : b\r\n\r\n",
                 b"0\r\n b\r\n\r\n", b"0\r\nGET /hidden HTTP/1.1\r\n\r\n", b"5;" + b"e" * 300 + b"\r\nhello\r\n0\r\n\r\n",
                 b"0\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\nHost: evil\r\n\r\n",
                 b"0\r\n" + b"A: b\r\n" * 100 + b"\r\n", b"0\r\nA: " + b"x" * 20000 + b"\r\n\r\n"):
        yield "chunk-bad", P + CHUNKED + end + body, True
    for body in (hidden_in_chunk(), b"005\r\nhello\r\n000\r\n\r\n", b"5;a=b\r\nhello\r\n0;c\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nA: b\r\n\r\n", b"1\r\n\n\r\n2\r\n\r\n\r\n0\r\n\r\n",
                 b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"[:-len(b"0\r\n\r\n")] + b"0\r\n\r\n"):
        yield "chunk-good", P + CHUNKED + end + body, None
    # lines and fields
    yield "bare-lf", b"GET / HTTP/1.1\nHost: a\n\n", True
    yield "bare-lf-end", b"GET / HTTP/1.1\r\nHost: a\r\n\n" + HIDDEN, True
    yield "bare-lf-field", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", True
    yield "bare-cr", b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", True
    yield "cr-cr-lf", b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", True
    yield "fold", G + b"X: y\r\n z\r\n\r\n", True
    yield "fold-first", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", True
    yield "fold-empty", G + b"X: y\r\n \r\n" + HIDDEN, True
    yield "nul", G + b"X: \x00\r\n\r\n", True
    yield "no-colon", G + b"X\r\n\r\n", True
    yield "no-name", G + b": x\r\n\r\n", True
    yield "space-name", G + b"X Y: z\r\n\r\n", True
    yield "second-host", G + b"Host: b\r\n\r\n", True
    yield "no-host", b"GET / HTTP/1.1\r\n\r\n", True
    yield "empty-host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", True
    for host in (b"a, b", b"a b", b"a/b", b"a@b", b"a?b", b"a#b", b"[::1", b"a:b", b"a:99999", b"\xc3\xa9"):
        yield "bad-host", b"GET / HTTP/1.1\r\nHost: " + host + end + end, True
    # request lines
    for line in (b"GET /", b"GET / HTTP/0.9", b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET  / HTTP/1.1", b"GET /  HTTP/1.1",
                 b"GET\t/ HTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET /a b HTTP/1.1", b"GET /\x00 HTTP/1.1",
                 b"GET /\x80 HTTP/1.1", b"GET /#x HTTP/1.1", b"GET hidden HTTP/1.1", b"GET http://b/ HTTP/1.1",
                 b"GET http://a@b/ HTTP/1.1", b"GET file:///x HTTP/1.1", b"GET * HTTP/1.1", b"GE(T / HTTP/1.1",
                 b"CONNECT a:80 HTTP/1.1", b"PRI * HTTP/2.0", b"GET / http/1.1", b"GET / HTTP/1.1\x00", b"{}"):
        yield "line", line + end + b"Host: a\r\n\r\n", True
    for line in (b"GET /x?y=/z HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET http://a/x HTTP/1.1", b"get / HTTP/1.1",
                 b"GET //x HTTP/1.1", b"GET /%0d%0aX:%20y HTTP/1.1"):
        yield "line-good", line + end + b"Host: a\r\n\r\n", False
    yield "crlf-first", b"\r\n" + G + end, False
    yield "crlf-twice", b"\r\n\r\n" + G + end, True
    # upgrades that are none
    yield "h2c", G + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n", False
    yield "websocket-post", P + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + length(len(HIDDEN)) + end + HIDDEN, False
    yield "websocket-refused", G + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n", False
    yield "expect-other", P + b"Expect: 200-ok\r\n" + length(5) + end + b"hello", True
    yield "expect-get", G + b"Expect: 100-continue\r\n\r\n", False


# ---- readers of every temper: each turns all the bytes of a connection into a list of request lines ----

def careless(raw, lf, te_first, folds, trims, first_length):
    out = []
    while raw.strip(b"\r\n"):
        raw = raw.lstrip(b"\r\n")
        match = re.search(rb"\r?\n\r?\n" if lf else rb"\r\n\r\n", raw)
        if not match:
            return out + [b"unfinished"]
        head, raw = raw[:match.start()], raw[match.end():]
        if folds:
            head = re.sub(rb"\r?\n[ \t]+", b" ", head)
        lines = re.split(rb"\r?\n" if lf else rb"\r\n", head)
        out.append(lines[0])
        lengths, chunked = [], False
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            name = name.strip().lower().replace(b"_", b"-") if trims else name.lower()
            if name == b"content-length":
                number = re.match(rb"\s*\+?(\d+)", value)
                lengths.append(int(number[1]) if number else 0)
            if name == b"transfer-encoding" and b"chunked" in value.lower():
                chunked = True
        if chunked and (te_first or not lengths):
            while True:
                match = re.match(rb"\s*(?:0x)?([0-9a-fA-F]+)[^\n]*\n", raw)
                if not match:
                    return out + [b"bad chunk"]
                size, raw = int(match[1], 16), raw[match.end():]
                if size == 0:
                    match = re.match(rb"(?:[^\r\n]+\r?\n)*\r?\n", raw)
                    raw = raw[match.end():] if match else b""
                    break
                raw = raw[size:]
                raw = re.sub(rb"^\r?\n", b"", raw, count=1)
        elif lengths:
            raw = raw[lengths[0 if first_length else -1]:]
    return out


def read_by_all(raw):
    return {tuple(careless(raw, *habits)) for habits in itertools.product((False, True), repeat=5)}


class Recorder(Backend):
    """An honest backend that keeps, per connection, all the bytes that came."""

    def raw(self):
        with self.lock:
            return [s.taken + s.data for s in self.streams]

    def fresh(self):
        with self.lock:
            self.streams = [s for s in self.streams if s.sock.fileno() >= 0]
            for s in self.streams:
                s.taken = b""
        self.forget()


def try_vector(gateway, backend, number, raw, refused):
    backend.fresh()
    client = gateway.connect()
    try:
        client.sock.sendall(raw)
        client.sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # refused so early that the rest could not be sent
    answers, ended = [], False
    try:
        while True:
            answers.append(read_response(client, raw.startswith(b"HEAD")))
    except Closed:
        ended = True
    client.sock.close()
    assert ended, "the gateway did not end the connection"
    # A request of somebody else must get its own answer, over whatever connection is in the pool now.
    mark = b"/after-%d" % number
    after = gateway.ask(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % mark)
    assert after.status == 200 and after.body.startswith(b"GET " + mark), "another client got %r" % after.body
    seen = [m for m in backend.seen() if m.target != mark]
    assert not backend.broken, "the backend could not read: %s" % backend.broken
    assert not any(m.target == b"/hidden" for m in seen), "a hidden request reached the backend"
    for bytes_in in backend.raw():
        readings = read_by_all(bytes_in)
        assert len(readings) <= 1, "readers disagree: %r" % readings
    if refused:
        assert [a.status // 100 for a in answers][-1:] in ([4], [5]), "not refused: %r" % [a.status for a in answers]
        assert answers[-1].status not in (502, 503, 504), "it was let through to the backend: %d" % answers[-1].status
    elif refused is False:
        assert len(answers) >= 1 and answers[0].status == 200, "not served: %r" % [a.status for a in answers]
        assert len(answers) == len(seen) or raw.startswith(b"HEAD"), "%d answers to %d requests" % (len(answers), len(seen))


def main():
    report = Report()
    backend = Recorder()
    gateway = Gateway([backend])
    for number, (name, raw, refused) in enumerate(vectors()):
        report.case("%03d %s %r" % (number, name, raw[:60]), lambda: try_vector(gateway, backend, number, raw, refused))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))
    report.end()


if __name__ == "__main__":
    main()
