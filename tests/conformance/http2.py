#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 at the gateway: what reaches the backend of each request, and what is refused; frames in and out of place; floods.

RFC 9113 unless said otherwise.
"""
import random, select, struct, sys, threading

try:
    from http2_kit import *
except ImportError as why:
    print("skipped: %s" % why)
    sys.exit(77)
from kit import Backend, Gateway, Report, echo, wait_for

LONG = 32 * 1024


def scripted(backend, stream):
    """What the target says."""
    while True:
        m = backend.read(stream)
        answer = ANSWERS.get(m.target.split(b"?")[0])
        if answer is None:
            echo(stream, m)
        elif answer[0] == b"cut":
            stream.sock.sendall(answer[1])
            raise Closed()
        else:
            stream.sock.sendall(answer[0])


ANSWERS = {
    b"/length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Big-Name: Yes\r\nConnection: x-gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\n\r\nhello",),
    b"/chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",),
    b"/trailer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n3\r\nabc\r\n0\r\ngrpc-status: 0\r\nX-More: a b\r\n\r\n",),
    b"/only-trailer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\ngrpc-status: 5\r\n\r\n",),
    b"/204": (b"HTTP/1.1 204 No Content\r\n\r\n",),
    b"/304": (b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 12\r\n\r\n",),
    b"/empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",),
    b"/hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",),
    b"/close": (b"cut", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"),
    b"/short": (b"cut", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
    b"/short-chunks": (b"cut", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    b"/large": (b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3000000,),
}


class Scene:
    def __init__(self):
        self.backend = Backend(scripted)
        self.gateway = Gateway([self.backend], workers=1)

    def connect(self, **more):
        return connect(self.gateway.port, **more)

    def serves(self):
        """Others are served as ever."""
        c = self.connect()
        assert c.ask(request(path="/length")).body == b"hello"
        c.close()

    def last(self):
        return self.backend.seen()[-1]


# ── what reaches the backend ─────────────────────────────────────────────────────────────────────────────

def field(name, value):
    return lambda m: m.get(name) == value


REACHES = [
    ("a request", request("GET", "/a?b=c"), None, lambda m: m.start == b"GET /a?b=c HTTP/1.1" and m.get(b"host") == b"one.test"),
    ("its Via says how it came (RFC 9110, 7.6.3)", request(), None, field(b"via", b"2.0 davit")),
    ("a method of its own", request("PROPFIND", "/"), None, lambda m: m.start.startswith(b"PROPFIND / ")),
    ("OPTIONS *", request("OPTIONS", "*"), None, lambda m: m.start == b"OPTIONS * HTTP/1.1"),
    ("cookies in pieces become one field (8.2.3)", request("GET", "/", ("cookie", "a=1"), ("x-a", "b"), ("cookie", "b=2"), ("cookie", "c=3")), None,
     lambda m: m.all(b"cookie") == [b"a=1; b=2; c=3"] and m.get(b"x-a") == b"b"),
    ("Host in place of :authority (8.3.1)", request("GET", "/", ("host", "two.test"), authority=None), None, field(b"host", b"two.test")),
    ("a Host that says the same (8.3.1)", request("GET", "/", ("host", "One.test")), None, field(b"host", b"one.test")),
    ("te: trailers ends here (8.2.2)", request("GET", "/", ("te", "trailers")), None, lambda m: m.get(b"x-request-id") is not None),
    ("an empty value", request("GET", "/", ("x-empty", "")), None, field(b"x-empty", b"")),
    ("a field twice stays twice", request("GET", "/", ("x-a", "1"), ("x-a", "2")), None, lambda m: m.all(b"x-a") == [b"1", b"2"]),
    ("a body with its length", request("POST", "/", ("content-length", "5")), b"hello", lambda m: m.get(b"content-length") == b"5" and m.body == b"hello"),
    ("a body without one goes in chunks", request("POST", "/"), b"hello", lambda m: m.get(b"transfer-encoding") == b"chunked" and m.body == b"hello"),
    ("an empty body without one", request("POST", "/"), b"", lambda m: m.body == b""),
    ("a length of nothing", request("POST", "/", ("content-length", "0")), None, lambda m: m.body == b""),
    ("a large body", request("PUT", "/"), b"0123456789" * 100000, lambda m: m.body == b"0123456789" * 100000),
    ("a large body with its length", request("PUT", "/", ("content-length", "1000000")), b"0123456789" * 100000, lambda m: len(m.body) == 1000000),
    ("who came is told, and no other", request("GET", "/", ("x-forwarded-for", "6.6.6.6")), None, lambda m: m.all(b"x-forwarded-for") == [b"127.0.0.1"]),
    ("fields in five frames (6.10)", request("GET", "/", ("x-a", "1" * 500)), None, lambda m: m.get(b"x-a") == b"1" * 500),
]

# ── what reaches nobody: (name, fields, ended, status or code of the reset) ──────────────────────────────

REFUSED = [
    ("a name in capitals (8.2.1)", request("GET", "/", ("X-A", "1")), "reset"),
    ("a name with a space (8.2.1)", request("GET", "/", ("x a", "1")), "reset"),
    ("a name with a colon (8.2.1)", request("GET", "/", ("x:a", "1")), "reset"),
    ("a name with CRLF (8.2.1)", request("GET", "/", ("x\r\nevil", "1")), "reset"),
    ("no name (8.2.1)", request("GET", "/", ("", "1")), "reset"),
    ("a value with CRLF (8.2.1)", request("GET", "/", ("x-a", "1\r\nevil: 1")), "reset"),
    ("a value with LF (8.2.1)", request("GET", "/", ("x-a", "1\nevil: 1")), "reset"),
    ("a value with CR (8.2.1)", request("GET", "/", ("x-a", "1\rb")), "reset"),
    ("a value with NUL (8.2.1)", request("GET", "/", ("x-a", "1\0b")), "reset"),
    ("a cookie with CRLF", request("GET", "/", ("cookie", "a=1\r\nevil: 1")), "reset"),
    ("a space in the path", request("GET", "/a b"), "reset"),
    ("CRLF in the path", request("GET", "/a HTTP/1.1\r\nevil: 1\r\nx: "), "reset"),
    ("a # in the path", request("GET", "/a#b"), "any"),
    ("an empty path (8.3.1)", request("GET", ""), "reset"),
    ("a path that is none", request("GET", "a"), "any"),
    ("* with GET", request("GET", "*"), "any"),
    ("a space in the method", request("GET /evil", "/"), "reset"),
    ("CRLF in the method", request("GET\r\nx", "/"), "reset"),
    ("an empty method", request("", "/"), "reset"),
    ("CRLF in the authority", request(authority="one.test\r\nevil: 1"), "reset"),
    ("a space in the authority", request(authority="one.test evil"), "reset"),
    ("somebody in the authority (8.3.1)", request(authority="me@one.test"), "any"),
    ("two Hosts", request("GET", "/", ("host", "a"), ("host", "b"), authority=None), "any"),
    ("no Host at all", request(authority=None), "any"),
    ("a Host that says another (8.3.1)", request("GET", "/", ("host", "two.test")), "reset"),
    ("another scheme", request(scheme="ftp"), "reset"),
    ("no method (8.3.1)", request(None), "reset"),
    ("no scheme (8.3.1)", request(scheme=None), "reset"),
    ("no path (8.3.1)", request(path=None), "reset"),
    ("two methods (8.3.1)", [(":method", "GET")] + request(), "reset"),
    ("two paths (8.3.1)", request() + [(":path", "/b")], "reset"),
    ("a pseudo-field after others (8.3)", request("GET", "/", ("x-a", "1"), (":authority", "b.test"), authority=None), "reset"),
    ("a pseudo-field of answers (8.3)", request() + [(":status", "200")], "reset"),
    ("a pseudo-field nobody knows (8.3)", request() + [(":evil", "1")], "reset"),
    (":protocol, which is not offered (RFC 8441)", [(":protocol", "websocket")] + request("CONNECT"), "reset"),
    ("CONNECT (8.5)", [(":method", "CONNECT"), (":authority", "one.test:443")], "any"),
    ("Connection (8.2.2)", request("GET", "/", ("connection", "close")), "reset"),
    ("Keep-Alive (8.2.2)", request("GET", "/", ("keep-alive", "timeout=5")), "reset"),
    ("Proxy-Connection (8.2.2)", request("GET", "/", ("proxy-connection", "close")), "reset"),
    ("Transfer-Encoding (8.2.2)", request("POST", "/", ("transfer-encoding", "chunked")), "reset"),
    ("transfer_encoding, which some take for it", request("POST", "/", ("transfer_encoding", "chunked")), "any"),
    ("Upgrade (8.2.2)", request("GET", "/", ("upgrade", "websocket")), "reset"),
    ("x_forwarded_for, which some take for another", request("GET", "/", ("x_forwarded_for", "6.6.6.6")), "any"),
    ("HTTP2-Settings", request("GET", "/", ("http2-settings", "AAA")), "any"),
    ("te: gzip (8.2.2)", request("GET", "/", ("te", "gzip")), "reset"),
    ("a length, and no body (8.1.1)", request("POST", "/", ("content-length", "5")), "reset"),
    ("two lengths", request("POST", "/", ("content-length", "0"), ("content-length", "0")), "any"),
    ("a list of lengths", request("POST", "/", ("content-length", "0, 0")), "any"),
    ("a length with a sign", request("POST", "/", ("content-length", "+0")), "any"),
    ("a length that is no number", request("POST", "/", ("content-length", "a")), "any"),
    ("more than 32 KB of fields", request("GET", "/", *[("x-%d" % i, "v" * 1000) for i in range(40)]), 431),
    ("more than 32 KB in one field", request("GET", "/", ("x-a", "v" * (LONG + 1))), 431),
    ("more than 100 fields", request("GET", "/", *[("x-%d" % i, "v") for i in range(120)]), 431),
    ("a target of more than 8 KB", request("GET", "/" + "a" * 9000), 414),
]


def reaches(scene, fields, body, good):
    c = scene.connect()
    pieces = 5 if any(n == "x-a" and len(v) > 100 for n, v in fields) else 1
    a = c.ask(fields, body, pieces=pieces)
    assert a.status == 200, (a.status, a.reset, c.goaway)
    assert good(scene.last()), (scene.last().start, scene.last().fields)
    c.close()


def refused(scene, fields, how):
    scene.backend.forget()
    c = scene.connect()
    a = c.ask(fields)
    if how == "reset":
        assert a.reset == PROTOCOL_ERROR or c.goaway, (a.status, a.reset)
    elif how == "any":
        assert a.reset is not None or c.goaway or 400 <= a.status < 600, (a.status, a.reset)
    else:
        assert a.status == how, (a.status, a.reset)
    if not c.goaway:
        assert c.ask(request(path="/length")).status == 200, "the connection goes on"
    assert [m.target for m in scene.backend.seen()] in ([b"/length"], []), scene.backend.seen()[0].start
    assert not scene.backend.broken, scene.backend.broken
    c.close()


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────

def answer(scene, path, status, body, trailer=(), method="GET", **more):
    c = scene.connect()
    a = c.ask(request(method, path))
    assert (a.status, a.body, a.reset) == (status, body, None), (a.status, a.body[:50], a.reset)
    assert a.trailer == list(trailer), a.trailer
    names = [n for n, _ in a.fields]
    assert names[0] == b":status" and all(n == n.lower() for n in names), names
    assert not {b"connection", b"keep-alive", b"transfer-encoding", b"x-gone"} & set(names), names
    for name, value in more.items():
        assert getattr(a, name) == value, getattr(a, name)
    c.close()


def broken_answer(scene, path):
    c = scene.connect()
    a = c.ask(request(path=path))
    assert a.reset == INTERNAL_ERROR and not a.ended, (a.reset, a.ended)
    assert c.ask(request(path="/length")).body == b"hello", "the connection goes on"
    c.close()


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────

def wrong_length(scene, length, body):
    scene.backend.forget()
    c = scene.connect()
    n = c.open(request("POST", "/", ("content-length", str(length))), end=False)
    c.data(n, body, end=True)
    a = c.wait(n)
    assert a.reset == PROTOCOL_ERROR or c.goaway, (a.status, a.reset)
    assert not scene.backend.seen(), "no whole request may reach anybody"
    c.close()


def padded(scene):
    c = scene.connect()
    n = c.open(request("POST", "/"), end=False)
    for piece in (b"hel", b"", b"lo"):
        c.data(n, piece, pad=100)
    c.data(n, b"", end=True, pad=0)
    assert c.wait(n).status == 200 and scene.last().body == b"hello"
    c.close()


def request_trailer(scene):
    c = scene.connect()
    n = c.open(request("POST", "/"), end=False)
    c.data(n, b"hello")
    c.open([("x-sum", "5"), ("host", "evil.test")], stream=n)
    assert c.wait(n).status == 200 and scene.last().body == b"hello"
    c.close()


def bad_trailer(scene, fields):
    scene.backend.forget()
    c = scene.connect()
    n = c.open(request("POST", "/"), end=False)
    c.data(n, b"hello")
    c.open(fields, stream=n)
    a = c.wait(n)
    assert a.reset is not None or c.goaway, a.status
    assert not scene.backend.seen()
    c.close()


def many_at_once(scene):
    """Bodies of all sizes, both ways, interleaved at random."""
    rng = random.Random(7)
    c = scene.connect()
    bodies = {}
    for _ in range(60):
        body = rng.randbytes(rng.choice((0, 1, 100, 5000, 40000)))
        n = c.open(request("POST", "/%d" % c.next_id), end=False)
        bodies[n] = (body, 0)
    left = dict(bodies)
    while left:
        n = rng.choice(list(left))
        body, at = left[n]
        size = min(rng.choice((1, 700, 16384)), len(body) - at)
        while c.room(n) < size:
            c.read()
        c.spend(n, size)
        done = at + size == len(body)
        c.data(n, body[at:at + size], end=done)
        if done:
            del left[n]
        else:
            left[n] = (body, at + size)
    for n, (body, _) in bodies.items():
        a = c.wait(n)
        assert a.status == 200 and a.body == b"POST /%d HTTP/1.1\n%s" % (n, body), (n, a.status, a.reset, len(a.body), len(body))
    c.close()


def window_of_one(scene):
    """Answers go out as the client lets them, and not a byte more."""
    c = scene.connect(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1})
    n = c.open(request(path="/length"))
    a = c.answers[n]
    for size in range(1, 6):
        c.until(lambda: len(a.body) == size)
        c.send(WindowUpdateFrame(n, window_increment=1))
    assert c.wait(n).body == b"hello"
    c.close()


def one_waits_others_go(scene):
    c = scene.connect(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1000})
    slow = c.open(request(path="/large"))
    c.until(lambda: len(c.answers[slow].body) == 1000)
    for _ in range(5):
        assert c.ask(request(path="/length")).body == b"hello"
    assert len(c.answers[slow].body) == 1000
    c.send(WindowUpdateFrame(slow, window_increment=1 << 24))
    assert len(c.wait(slow).body) == 3000000
    c.close()


def given_up(scene):
    """A client that gives a stream up takes no other with it."""
    c = scene.connect(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1000})
    n = c.open(request(path="/large"))
    c.until(lambda: c.answers[n].body)
    c.reset(n)
    assert c.ask(request(path="/length")).body == b"hello"
    c.close()
    scene.serves()


def answered_early(scene):
    """An answer before the request's end: all of it, then a reset without an error (8.1)."""
    c = scene.connect()
    n = c.open(request("POST", "/", ("content-length", "99999999999999999999")), end=False)
    a = c.wait(n)
    assert a.status in (400, 413) or a.reset == PROTOCOL_ERROR, (a.status, a.reset)
    n = c.open(request("CONNECT" if False else "POST", "/" + "a" * 9000), end=False)
    a = c.wait(n)
    assert a.status == 414 and a.ended, (a.status, a.reset)
    c.until(lambda: a.reset is not None)
    assert a.reset == NO_ERROR, a.reset
    c.close()


def continues(scene):
    c = scene.connect()
    n = c.open(request("POST", "/", ("expect", "100-continue"), ("content-length", "5")), end=False)
    c.body(n, b"hello")
    assert c.wait(n).status == 200 and scene.last().body == b"hello"
    c.close()


# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────

def goaway(scene, frames, *codes):
    """After these bytes the connection ends with one of the codes; who asks elsewhere is served."""
    c = scene.connect()
    for frame in frames:
        c.raw(frame if isinstance(frame, bytes) else frame.serialize())
    code = c.until_end()
    assert code in codes, "ended with %s" % code
    c.close()
    scene.serves()


def stays(scene, frames):
    c = scene.connect()
    for frame in frames:
        c.raw(frame)
    assert c.ask(request(path="/length")).body == b"hello"
    c.close()


def ping(scene):
    c = scene.connect()
    c.send(PingFrame(0, opaque_data=b"12345678"))
    c.until(lambda: c.pongs == 1)
    c.close()


def flood(scene, frames, *codes):
    """It is borne, or the connection ends; in any case others are served meanwhile."""
    c = scene.connect()

    def send():
        for data in frames:
            if c.ended:
                return
            c.raw(data)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    scene.serves()
    try:
        while sender.is_alive():
            c.stream.sock.settimeout(0.05)
            try:
                c.read()
            except (TimeoutError, OSError):
                pass
    except Closed:
        pass
    sender.join(DEADLINE_S)
    if codes:
        c.stream.sock.settimeout(DEADLINE_S)
        code = c.until_end()
        assert code in codes, "ended with %s" % code
    c.close()
    scene.serves()


def headers(c, fields):
    return c.encode(fields, huffman=False)


def rapid_resets():
    block = Encoder().encode(request(path="/large"), huffman=False)
    for i in range(3000):
        n = 2 * i + 1
        yield HeadersFrame(n, block if i == 0 else Encoder().encode(request(path="/large"), huffman=False),
                           flags=["END_HEADERS", "END_STREAM"]).serialize() + RstStreamFrame(n, error_code=CANCEL).serialize()


def continuations():
    yield raw_frame(1, 1, 1, b"")
    for _ in range(2000):
        yield raw_frame(9, 0, 1, b"\x00\x01a\x01b" * 100)


def fields_bomb():
    """A large value that is put into the table once, and named again 8,000 times."""
    encoder = Encoder()
    block = encoder.encode(request() + [("x-bomb", "v" * 3500)], huffman=False) + b"\xbe" * 8000
    yield raw_frame(1, 5, 1, block)


def too_many(scene):
    """No more than 100 at a time; the rest is refused, and may be asked again (5.1.2)."""
    c = scene.connect(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    c.until(lambda: "SettingsFrame" in c.seen)
    numbers = [c.open(request(path="/length")) for _ in range(110)]
    refused_ = numbers[100:]
    c.until(lambda: all(c.answers[n].reset is not None for n in refused_) or c.goaway)
    assert c.goaway or all(c.answers[n].reset == REFUSED_STREAM for n in refused_), [c.answers[n].reset for n in refused_]
    c.close()
    scene.serves()


def leaves(scene):
    """A gateway that ends lets what is under way come to its end, and says to open nothing more (6.8)."""
    own = Scene()
    c = own.connect(settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1000})
    n = c.open(request(path="/large"))
    c.until(lambda: c.answers[n].body)
    ended = threading.Thread(target=lambda: setattr(own, "status", own.gateway.stop()))
    ended.start()
    c.until(lambda: c.goaway)
    assert c.goaway == (0x7fffffff, NO_ERROR), c.goaway
    assert c.ask(request(path="/length"), None).body != b"nobody", "asked before it could know"
    c.send(WindowUpdateFrame(n, window_increment=1 << 24))
    assert len(c.wait(n).body) == 3000000
    assert c.until_end() == NO_ERROR
    ended.join(DEADLINE_S)
    assert own.status == 0, own.status


def stream_of_events(backend, stream):
    backend.read(stream)
    stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        stream.sock.sendall(b"9\r\ndata: 1\n\n\r\n")
        select.select([], [], [], 0.005)


def events_end(scene):
    """A stream of events ends between two of them, in good form, so that its client comes again."""
    gateway = Gateway([Backend(stream_of_events)], workers=1)
    c = connect(gateway.port)
    n = c.open(request())
    a = c.answers[n]
    c.until(lambda: len(a.body) > 20)
    ended = threading.Thread(target=gateway.stop)
    ended.start()
    assert c.wait(n).ended and a.body.endswith(b"\n\n") and a.reset is None, (a.reset, a.body[-20:])
    c.until_end()
    ended.join(DEADLINE_S)


def rules(scene):
    """Header rules, read-only and a cohort hold for streams as for connections of HTTP/1."""
    live, tried = Backend(scripted), Backend(scripted)
    releases = [{"tag": t, "weight": w, "processes": {"web": ["127.0.0.1:%d" % b.port]}} for t, w, b in
                (("v1", "99.99%", live), ("v2", "0.01%", tried))]
    gateway = Gateway([live], workers=1, releases=releases, read_only=True,
                      headers={"request": {"set": {"X-From": "davit"}, "remove": ["X-Evil"]}, "response": {"set": {"X-Said": "yes"}, "remove": ["X-Big-Name"]}},
                      cohort={"release": "v2", "rules": [{"cookie": "beta", "values": ["1"]}]})
    c = connect(gateway.port)
    a = c.ask(request("GET", "/length", ("x-evil", "1")))
    assert a.status == 200 and a.get(b"x-said") == [b"yes"] and not a.get(b"x-big-name"), a.fields
    assert live.seen()[-1].get(b"x-from") == b"davit" and not live.seen()[-1].get(b"x-evil")
    assert c.ask(request("GET", "/length", ("cookie", "a=b"), ("cookie", "beta=1"))).status == 200 and len(tried.seen()) == 1
    assert c.ask(request("POST", "/x"), b"y").status == 503 and len(live.seen()) == 1
    c.close()
    assert gateway.stop() == 0


def switched_off(scene):
    gateway = Gateway([scene.backend], workers=1, http2=False)
    stream = gateway.connect()
    stream.sock.sendall(PREFACE)
    assert stream.until(b"\r\n").startswith(b"HTTP/1.1 505 ")
    stream.sock.close()
    assert gateway.stop() == 0


def one_after_the_other(scene):
    own = Scene()
    c = own.connect()
    for i in range(3000):
        assert c.ask(request(path="/length")).body == b"hello", i
    c.close()
    assert len(own.backend.streams) == 1, "%d connections to the backend" % len(own.backend.streams)
    assert own.gateway.stop() == 0


def main():
    r, scene = Report(), Scene()
    for name, fields, body, good in REACHES:
        r.case(name, lambda: reaches(scene, fields, body, good))
    for name, fields, how in REFUSED:
        r.case("refused: " + name, lambda: refused(scene, fields, how))
    for path, status, body, more in (
            ("/length", 200, b"hello", {}), ("/chunks", 200, b"hello world", {}), ("/close", 200, b"all of it", {}),
            ("/trailer", 200, b"abc", {"trailer": [(b"grpc-status", b"0"), (b"x-more", b"a b")]}),
            ("/only-trailer", 200, b"", {"trailer": [(b"grpc-status", b"5")]}),
            ("/204", 204, b"", {}), ("/304", 304, b"", {}), ("/empty", 200, b"", {}), ("/hints", 200, b"ok", {"interim": [103]}),
            ("/large", 200, b"x" * 3000000, {})):
        r.case("an answer: " + path, lambda: answer(scene, path, status, body, **more))
    r.case("an answer to HEAD has a length and no body", lambda: answer(scene, "/head", 200, b"", method="HEAD"))
    for path in ("/short", "/short-chunks"):
        r.case("an answer that breaks off is reset: " + path, lambda: broken_answer(scene, path))
    r.case("a body shorter than its length (8.1.1)", lambda: wrong_length(scene, 10, b"hello"))
    r.case("a body longer than its length (8.1.1)", lambda: wrong_length(scene, 3, b"hello"))
    r.case("padding is not the body's (6.1)", lambda: padded(scene))
    r.case("a trailer passes, without what routes", lambda: request_trailer(scene))
    r.case("a trailer with a pseudo-field (8.1)", lambda: bad_trailer(scene, [(":path", "/b")]))
    r.case("a trailer with CRLF", lambda: bad_trailer(scene, [("x-a", "b\r\nevil: 1")]))
    r.case("a trailer with a length", lambda: bad_trailer(scene, [("transfer-encoding", "chunked")]))
    r.case("60 requests with bodies at once, in random pieces", lambda: many_at_once(scene))
    r.case("it is switched off", lambda: switched_off(scene))
    r.case("header rules, read-only, a cohort", lambda: rules(scene))
    r.case("3,000 requests on one connection", lambda: one_after_the_other(scene))
    r.case("a window of one byte (6.9)", lambda: window_of_one(scene))
    r.case("a stream that waits keeps no other (5.2)", lambda: one_waits_others_go(scene))
    r.case("a stream that is given up", lambda: given_up(scene))
    r.case("an answer before the request's end (8.1)", lambda: answered_early(scene))
    r.case("Expect: 100-continue", lambda: continues(scene))
    r.case("PING is answered (6.7)", lambda: ping(scene))
    block = Encoder().encode(request(), huffman=False)
    for name, frames, codes in (
            ("an even stream (5.1.1)", [raw_frame(1, 5, 2, block)], [PROTOCOL_ERROR]),
            ("DATA on an idle stream (5.1)", [raw_frame(0, 1, 7, b"x")], [PROTOCOL_ERROR]),
            ("DATA on stream 0 (6.1)", [raw_frame(0, 1, 0, b"x")], [PROTOCOL_ERROR]),
            ("HEADERS on stream 0 (6.2)", [raw_frame(1, 5, 0, block)], [PROTOCOL_ERROR]),
            ("a frame that is too large (4.2)", [raw_frame(0, 0, 1, b"x" * 16385)], [FRAME_SIZE_ERROR, PROTOCOL_ERROR]),
            ("PUSH_PROMISE of a client (8.4)", [raw_frame(5, 4, 1, b"\0\0\0\2" + block)], [PROTOCOL_ERROR]),
            ("CONTINUATION without HEADERS (6.10)", [raw_frame(9, 4, 1, block)], [PROTOCOL_ERROR]),
            ("another frame inside of fields (6.10)", [raw_frame(1, 1, 1, block[:5]), raw_frame(6, 0, 0, b"x" * 8)], [PROTOCOL_ERROR]),
            ("fields that cannot be read (RFC 7541)", [raw_frame(1, 5, 1, b"\xff\xff\xff\xff\xff")], [COMPRESSION_ERROR]),
            ("a window beyond 2^31 (6.9.1)", [WindowUpdateFrame(0, window_increment=(1 << 31) - 1)] * 2, [FLOW_CONTROL_ERROR]),
            ("a window's change of 0 (6.9)", [raw_frame(8, 0, 0, b"\0\0\0\0")], [PROTOCOL_ERROR]),
            ("RST_STREAM of an idle stream (6.4)", [raw_frame(3, 0, 9, b"\0\0\0\0")], [PROTOCOL_ERROR]),
            ("SETTINGS of 5 bytes (6.5)", [raw_frame(4, 0, 0, b"\0\0\0\0\0")], [FRAME_SIZE_ERROR]),
            ("SETTINGS with a wrong value (6.5.2)", [raw_frame(4, 0, 0, struct.pack(">HI", 2, 7))], [PROTOCOL_ERROR]),
            ("an initial window beyond 2^31 (6.5.2)", [raw_frame(4, 0, 0, struct.pack(">HI", 4, 1 << 31))], [FLOW_CONTROL_ERROR]),
            ("PING of 7 bytes (6.7)", [raw_frame(6, 0, 0, b"x" * 7)], [FRAME_SIZE_ERROR]),
            ("HTTP/1 in the middle", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 20], [FRAME_SIZE_ERROR, PROTOCOL_ERROR])):
        r.case("ends the connection: " + name, lambda: goaway(scene, frames, *codes))
    for name, frames in (
            ("a frame that nobody knows (4.1)", [raw_frame(0xbe, 0xff, 0, b"what?")]),
            ("flags that nobody knows (4.1)", [raw_frame(6, 0xfe, 0, b"x" * 8)]),
            ("PRIORITY of an idle stream (5.3.2)", [raw_frame(2, 0, 21, b"\0\0\0\0\x10")]),
            ("SETTINGS that nobody knows (6.5.2)", [raw_frame(4, 0, 0, struct.pack(">HI", 0xbabe, 7))])):
        r.case("passed over: " + name, lambda: stays(scene, frames))
    r.case("flood: streams opened and given up (CVE-2023-44487)", lambda: flood(scene, rapid_resets(), ENHANCE_YOUR_CALM, INTERNAL_ERROR, None))
    r.case("flood: fields without an end (CVE-2024-27316)", lambda: flood(scene, continuations(), ENHANCE_YOUR_CALM, INTERNAL_ERROR, PROTOCOL_ERROR, None))
    r.case("flood: a table that is unpacked (CVE-2016-6581)", lambda: flood(scene, fields_bomb()))
    r.case("flood: pings (CVE-2019-9512)", lambda: flood(scene, (raw_frame(6, 0, 0, b"x" * 8) * 100 for _ in range(300))))
    r.case("flood: settings (CVE-2019-9515)", lambda: flood(scene, (raw_frame(4, 0, 0) * 100 for _ in range(300))))
    r.case("flood: frames without anything in them (CVE-2019-9518)",
           lambda: flood(scene, [raw_frame(1, 4, 1, Encoder().encode(request("POST"), huffman=False))] + [raw_frame(0, 0, 1) * 1000] * 50))
    r.case("more streams than are allowed (5.1.2)", lambda: too_many(scene))
    r.case("a gateway that ends", lambda: leaves(scene))
    r.case("a stream of events when the gateway ends", lambda: events_end(scene))
    assert scene.gateway.stop() == 0
    r.end()


main()
