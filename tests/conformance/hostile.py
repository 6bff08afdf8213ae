# SPDX-License-Identifier: Apache-2.0
"""Hostile and broken backends: whatever one does, its client gets an answer of its own or a cut connection, never
somebody else's bytes, in bounded time; and the next request is served as if nothing had been.

The path of a request says how the backend is to behave: /reset, /garbage and so on.
"""
import select, socket, threading, time

from kit import Backend, Closed, Gateway, Malformed, Report, Stream, echo, read_response, reset, wait_for

OK = b"HTTP/1.1 200 OK\r\n"
SECONDS = 2  # the gateway's timeouts for an answer and within one


class Behaviour:
    """One way to misbehave, and what the client may get: a status, or None for a cut connection."""

    def __init__(self, name, act, *allowed, ask=b""):
        self.name, self.act, self.allowed = name, act, allowed
        self.ask = ask or b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % name


def bytes_then(raw, stay):
    def act(stream):
        stream.sock.sendall(raw)
        return stay
    return act


def close(stream):
    return False


def rst(stream):
    reset(stream.sock)
    raise Closed()


def silent(stream):
    stream.until(b"never")  # until the gateway gives up


def endless(piece, first=OK):
    def act(stream):
        stream.sock.sendall(first)
        while True:
            stream.sock.sendall(piece)
    return act


def stall(raw):
    def act(stream):
        stream.sock.sendall(raw)
        stream.until(b"never")
    return act


POST = b"POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"

BEHAVIOURS = [
    Behaviour(b"close", close, 502),
    Behaviour(b"reset", rst, 502),
    Behaviour(b"silent", silent, 504),
    Behaviour(b"garbage", bytes_then(b"\x00\x01\x02 not http\r\n\r\n", True), 502),
    Behaviour(b"html", bytes_then(b"<html>hello</html>", False), 502),
    Behaviour(b"half-head", bytes_then(OK + b"Content-Le", False), 502),
    Behaviour(b"half-head-stall", stall(OK + b"Content-Le"), 504),
    Behaviour(b"endless-head", endless(b"X: y\r\n" * 100), 502),
    Behaviour(b"endless-field", endless(b"x" * 4096, OK + b"X: "), 502),
    Behaviour(b"endless-interim", endless(b"HTTP/1.1 102 Wait\r\n\r\n" * 10, b""), 502),
    Behaviour(b"two-lengths", bytes_then(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk", True), 502),
    Behaviour(b"length-and-coding", bytes_then(
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True), 502),
    Behaviour(b"coding-in-1.0", bytes_then(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True), 502),
    Behaviour(b"coding-gzip", bytes_then(OK + b"Transfer-Encoding: gzip\r\n\r\nx", False), 502),
    Behaviour(b"fold", bytes_then(OK + b"X: y\r\n z\r\nContent-Length: 0\r\n\r\n", True), 502),
    Behaviour(b"bare-lf", bytes_then(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", True), 502),
    Behaviour(b"nul", bytes_then(OK + b"X: \x00\r\nContent-Length: 0\r\n\r\n", True), 502),
    Behaviour(b"status-0", bytes_then(b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n", True), 502),
    Behaviour(b"status-999", bytes_then(b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n", True), 502),
    Behaviour(b"http-2", bytes_then(b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", True), 502),
    Behaviour(b"upgrade-unasked", bytes_then(
        b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nPOISON", True), 502),
    # an answer that cannot be completed: the client must be able to tell
    Behaviour(b"short", bytes_then(OK + b"Content-Length: 10\r\n\r\nhello", False), None),
    Behaviour(b"short-stall", stall(OK + b"Content-Length: 10\r\n\r\nhello"), None),
    Behaviour(b"short-chunked", bytes_then(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", False), None),
    Behaviour(b"bad-chunk", bytes_then(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", True), None),
    Behaviour(b"bad-chunk-end", bytes_then(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX", True), None),
    Behaviour(b"chunk-stall", stall(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe"), None),
    Behaviour(b"endless-extension", endless(
        b"x" * 4096, OK + b"Transfer-Encoding: chunked\r\n\r\n5;"), None),
    Behaviour(b"endless-trailer", endless(
        b"A: b\r\n" * 100, OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"), None),
    # a whole answer and more: the rest must go nowhere
    Behaviour(b"extra", bytes_then(OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 6\r\n\r\nPOISON", True), 200),
    Behaviour(b"extra-chunked", bytes_then(
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + OK + b"Content-Length: 6\r\n\r\nPOISON", True), 200),
    Behaviour(b"extra-204", bytes_then(b"HTTP/1.1 204 No\r\n\r\n" + OK + b"Content-Length: 6\r\n\r\nPOISON", True), 204),
    Behaviour(b"body-204", bytes_then(b"HTTP/1.1 204 No\r\nContent-Length: 6\r\n\r\nPOISON", True), 204),
    Behaviour(b"body-304", bytes_then(b"HTTP/1.1 304 Same\r\nContent-Length: 6\r\n\r\nPOISON", True), 304),
    Behaviour(b"body-head", bytes_then(OK + b"Content-Length: 6\r\n\r\nPOISON", True), 200,
              ask=b"HEAD /body-head HTTP/1.1\r\nHost: a\r\n\r\n"),
    # an answer before the request is whole
    Behaviour(b"early-close", bytes_then(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", False),
              413, 502, None, ask=POST % b"early-close" + b"x" * 100000),
    Behaviour(b"early-stay", bytes_then(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", True),
              403, ask=POST % b"early-stay" + b"x" * 100000),
    # odd, but right
    Behaviour(b"until-close", bytes_then(OK + b"\r\nhello", False), 200),
    Behaviour(b"old", bytes_then(b"HTTP/1.0 200 OK\r\n\r\nhello", False), 200),
    Behaviour(b"interim", bytes_then(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", True), 200),
]
BY_NAME = {b.name: b for b in BEHAVIOURS}


def serve(backend, stream):
    while True:
        head = stream.until(b"\r\n\r\n")
        name = head.split(b" ")[1].strip(b"/")
        if name in BY_NAME:
            if not BY_NAME[name].act(stream):
                return
            stream.data = b""
        else:
            body = head.split(b"\r\n")[0]
            stream.sock.sendall(OK + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def outcome(gateway, behaviour):
    client = gateway.connect()
    try:
        try:
            client.sock.sendall(behaviour.ask)
        except OSError:
            pass
        try:
            answer = read_response(client, behaviour.ask.startswith(b"HEAD"))
        except (Closed, Malformed):
            return None, b""
        return answer.status, answer.body + client.data
    finally:
        client.sock.close()


def try_behaviour(gateway, number, behaviour):
    began = time.monotonic()
    status, body = outcome(gateway, behaviour)
    took = time.monotonic() - began
    assert status in behaviour.allowed, "the client got %s, not %s" % (status, behaviour.allowed)
    assert b"POISON" not in body, "the client got what was not its own"
    assert took < 3 * SECONDS, "it took %.1f s" % took
    for turn in range(3):
        mark = b"GET /after-%d-%d HTTP/1.1" % (number, turn)
        after = gateway.ask(mark + b"\r\nHost: a\r\n\r\n")
        assert (after.status, after.body) == (200, mark), "the next client got %d %r" % (after.status, after.body)


def stray_answers_are_nobodys(gateway, backend):
    """A backend that speaks unasked, on a connection that lies in the pool."""
    for turn in range(20):
        mark = b"GET /stray-%d HTTP/1.1" % turn
        after = gateway.ask(mark + b"\r\nHost: a\r\n\r\n")
        assert (after.status, after.body) == (200, mark), "got %d %r" % (after.status, after.body)
        for stream in list(backend.streams):
            try:
                stream.sock.sendall(OK + b"Content-Length: 6\r\n\r\nPOISON")
            except OSError:
                pass


def good_clients_do_not_wait(gateway):
    """While a hundred requests hang at a silent backend, others are served at once."""
    hanging = [gateway.connect() for _ in range(100)]
    for client in hanging:
        client.sock.sendall(BY_NAME[b"silent"].ask)
    slowest = 0
    for turn in range(50):
        began = time.monotonic()
        assert gateway.ask(b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
        slowest = max(slowest, time.monotonic() - began)
    for client in hanging:
        assert read_response(client).status == 504
        client.sock.close()
    assert slowest < 1, "the slowest took %.2f s" % slowest


def main():
    report = Report()
    backend = Backend(serve)
    gateway = Gateway([backend], timeouts={"answer": "%ds" % SECONDS, "idle": "%ds" % SECONDS, "connect": "1s"})
    for number, behaviour in enumerate(BEHAVIOURS):
        report.case(behaviour.name.decode(), lambda: try_behaviour(gateway, number, behaviour))
    report.case("stray answers", lambda: stray_answers_are_nobodys(gateway, backend))
    report.case("good clients beside hanging ones", lambda: good_clients_do_not_wait(gateway))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))
    report.end()


if __name__ == "__main__":
    main()
