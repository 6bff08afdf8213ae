#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 against those who mean no good, or have bad luck: what one stream does costs the worker nothing, and no other
stream its answer. Each case has a gateway of its own.
"""
import select, socket, struct, sys, threading

try:
    from http2_kit import *
except ImportError as why:
    print("skipped: %s" % why)
    sys.exit(77)
from kit import Backend, Gateway, Report


def ends(gateway):
    """With all workers that it began with: it ends as it was told to."""
    c = connect(gateway.port)
    assert c.ask(request(path="/end")).status == 200
    c.close()
    assert gateway.stop() == 0


def long_connect():
    """The authority of CONNECT is what is asked for, too: of the longest one, all copies have room."""
    gateway = Gateway([Backend()], workers=1)
    witness = connect(gateway.port)
    witness.ask(request())
    c = connect(gateway.port)
    for size in (32000, 32680, 40000):
        a = c.ask([(":method", "CONNECT"), (":authority", "a" * size)])
        assert a.status and a.status >= 400, (size, a.status, a.reset, c.ended)
    assert witness.ask(request()).status == 200, "the same worker still serves"
    ends(gateway)


def trailer_in_pieces():
    """A trailer whose end comes later than its lines; around its values is no space (8.2.1)."""
    pieces, go = (b"3\r\nabc\r\n", b"0\r\nx-sum: 0 \r\n", b"x-more:\t1\r\n", b"\r\n"), threading.Semaphore(0)

    def serve(backend, stream):
        if backend.read(stream).target == b"/":
            stream.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in pieces:
                stream.sock.sendall(piece)
                assert go.acquire(timeout=5)
        stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    gateway = Gateway([Backend(serve)], workers=1)
    c = connect(gateway.port)
    n = c.open(request())
    c.until(lambda: c.answers[n].body == b"abc")
    for _ in pieces:
        go.release()
        for _ in range(20):  # turns of the gateway in which it sees that much of the answer and no more
            c.send(PingFrame(0, opaque_data=b"12345678"))
            pongs = c.pongs
            c.until(lambda: c.pongs > pongs or c.answers[n].ended)
    a = c.wait(n)
    assert a.ended and a.trailer == [(b"x-sum", b"0"), (b"x-more", b"1")], (a.ended, a.reset, a.trailer)
    ends(gateway)


def window_comes_back():
    """The body of a stream that is given up in the same breath leaves the connection's window."""
    gateway = Gateway([Backend()], workers=1)
    c = connect(gateway.port)
    c.ask(request())
    for _ in range(80):
        n = c.next_id
        c.next_id += 2
        head = raw_frame(1, 4, n, c.encoder.encode(request("POST", "/"), huffman=False))
        while c.frames.get(0, 0) + 65535 < 15000:
            c.read()
        c.spend(n, 15000)
        pongs = c.pongs
        c.raw(head + raw_frame(0, 0, n, b"x" * 15000) + raw_frame(3, 0, n, struct.pack(">I", CANCEL)))
        c.send(PingFrame(0, opaque_data=b"12345678"))
        c.until(lambda: c.pongs > pongs)
    assert len(c.ask(request("POST", "/"), b"y" * 500000).body) > 500000
    ends(gateway)


def made_you_reset(kind):
    """CVE-2025-8671: streams that the gateway has to reset, each when its request has begun to reach the application."""
    gateway = Gateway([Backend()], workers=1)
    c = connect(gateway.port)
    opened = 0
    try:
        while not c.goaway and not c.ended and opened < 1000:
            for _ in range(20):
                n = c.open(request("POST", "/", ("content-length", "1")), end=False)
                c.data(n, b"xx" if kind == "long" else b"", end=kind == "short")
                opened += 1
            c.send(PingFrame(0, opaque_data=b"12345678"))
            pongs = c.pongs
            c.until(lambda: c.pongs > pongs or c.goaway)
        assert c.until_end() == ENHANCE_YOUR_CALM, "%d streams of %s bodies, and it bears them" % (opened, kind)
    except Closed:
        assert c.goaway[1] == ENHANCE_YOUR_CALM, c.goaway
    ends(gateway)


def fields_without_end():
    """Slowloris: HEADERS whose CONTINUATION never comes."""
    gateway = Gateway([Backend()], workers=1, limits={"header": "300ms"})
    c = connect(gateway.port)
    c.until(lambda: len(c.seen) == 3)  # its SETTINGS are answered
    c.raw(raw_frame(1, 1, 1, Encoder().encode(request(), huffman=False)))
    c.stream.sock.settimeout(5)
    c.until_end()
    ends(gateway)


def nothing_read():
    """Answers without bodies that nobody takes from the socket: their exchanges are over, and the connection ends too."""
    big = b"".join(b"X-%d: %s\r\n" % (i, b"~" * 4000) for i in range(7))

    def serve(backend, stream):
        while True:
            fields = big if backend.read(stream).start.startswith(b"HEAD") else b""
            stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields + b"\r\n")

    gateway = Gateway([Backend(serve)], workers=1, limits={"header": "300ms"})
    c, encoder = connect(gateway.port, settings={}), Encoder()
    c.stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ended = select.poll()
    ended.register(c.stream.sock, select.POLLHUP | select.POLLERR)
    number = 1
    while not ended.poll(5 if number < 800 else 5000) and number < 800:
        c.raw(raw_frame(1, 5, number, encoder.encode(request("HEAD"), huffman=False)))
        number += 2
    assert ended.poll(0), "it is borne for ever"
    ends(gateway)


def main():
    r = Report()
    r.case("the longest authority of CONNECT", long_connect)
    r.case("a trailer in pieces", trailer_in_pieces)
    r.case("the window of a stream that is given up at once", window_comes_back)
    for kind in ("long", "short"):
        r.case("flood: bodies too %s, so that streams are reset (CVE-2025-8671)" % kind, lambda: made_you_reset(kind))
    r.case("fields that do not end (Slowloris)", fields_without_end)
    r.case("answers that nobody reads", nothing_read)
    r.end()


main()
