# SPDX-License-Identifier: Apache-2.0
"""The tables of requests and of answers, against the real gateway and a backend that keeps every byte.

    tests/conformance/table.py [NAME...]      only the cases whose names begin so
"""
import socket, sys, time

import desync, table_requests, table_responses
from kit import Closed, DEADLINE_S, Gateway, Malformed, Report, read_response, wait_for
from recorder import Recorder

NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"


def methods_of(sent):
    """Of the requests in these bytes, as far as the answers' framing needs it: which are HEAD."""
    return [sent[:4] == b"HEAD"] + [False] * 20


def try_request(gateway, backend, sent, answer, reached):
    *statuses, end = answer.split()
    statuses = [int(s) for s in statuses]
    backend.forget()
    client = gateway.connect()
    try:
        client.sock.sendall(sent)
        got = []
        if end == "cut":
            wait_for(lambda: len(backend.reached()) >= len(reached), "%r at the backend" % reached[-40:])
            client.sock.shutdown(socket.SHUT_WR)
        for head in methods_of(sent)[:len(statuses)]:
            try:
                got.append(read_response(client, head).status)
            except Closed:
                break
        assert got == statuses, "answered %s" % got
        now = backend.reached()
        assert now == reached, "what reached the backend is %r" % now
        if end == "open":
            client.sock.sendall(NEXT)
            after = read_response(client)
            assert (after.status, after.body) == (200, b"GET /next HTTP/1.1"), "the next request got %d %r" % (after.status, after.body)
        else:
            try:
                client.more()
            except Closed:
                pass
            assert client.data == b"", "and more came: %r" % client.data
    finally:
        client.sock.close()
    assert not backend.broken, "the backend could not read: %s" % backend.broken


class Scripted(Recorder):
    """Answers /case with the bytes of the case, everything else as a recorder."""

    def __init__(self):
        super().__init__(Scripted.act)
        self.script, self.ends, self.last = b"", False, None

    def act(self, stream):
        while True:
            message = self.read(stream)
            if message.target != b"/case":
                self.last = stream
                stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
                continue
            self.first = stream
            stream.sock.sendall(self.script)
            if self.ends:
                return


def take_all(client, expected):
    """What came, up to the number of bytes that are expected, or the end."""
    try:
        while len(client.data) < expected:
            client.more()
    except Closed:
        pass
    data, client.data = client.data, b""
    return data


def try_answer(gateway, backend, ask, sent, then, received, ends):
    client_end, backend_end = ends.split()
    backend.script, backend.ends, backend.first, backend.last = sent, then == "ends", None, None
    client = gateway.connect()
    try:
        client.sock.sendall(ask)
        if received == 502:
            got = read_response(client, ask[:4] == b"HEAD")
            assert (got.status, got.get(b"x-davit-error")) in ((502, b"answer"), (502, b"reset")), "the client got %d %r" % (got.status, got.body)
        else:
            got = take_all(client, len(received))
            assert got == received, "the client got %r" % got
        if client_end in ("closed", "reset"):
            try:
                client.more()
            except Closed:
                pass
            assert client.data == b"", "and more came: %r" % client.data
            assert client.reset == (client_end == "reset"), "the client %s a reset" % ("got" if client.reset else "did not get")
        else:
            client.sock.sendall(NEXT)
            after = read_response(client)
            assert (after.status, after.body) == (200, b"next"), "the next request got %d %r" % (after.status, after.body)
    finally:
        client.sock.close()
    if client_end in ("closed", "reset"):
        assert gateway.ask(NEXT).body == b"next", "another client was not served"
    assert (backend.first is backend.last) == (backend_end == "kept"), "the backend's connection was %s" % (
        "kept" if backend.first is backend.last else "dropped")


def every_case_is_another():
    seen = {sent: "desync.py" for _, sent, _ in desync.vectors()}
    for name, sent, *_ in table_requests.CASES:
        assert sent not in seen, "%s has the bytes of %s" % (name, seen[sent])
        seen[sent] = name


def requests(report, wanted):
    backend = Recorder()
    gateway = Gateway([backend])
    report.case("every case sends other bytes", every_case_is_another)
    for name, sent, answer, reached, section in table_requests.CASES:
        if wanted(name):
            report.case("%s (%s)" % (name, section), lambda: try_request(gateway, backend, sent, answer, reached))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))


def responses(report, wanted):
    backend = Scripted()
    gateway = Gateway([backend], workers=1)
    for name, ask, sent, then, received, ends, section in table_responses.CASES:
        if wanted(name):
            report.case("answer %s (%s)" % (name, section), lambda: try_answer(gateway, backend, ask, sent, then, received, ends))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))


def main():
    report = Report()
    names = tuple(sys.argv[1:])
    wanted = lambda name: not names or name.startswith(names)
    requests(report, wanted)
    responses(report, wanted)
    report.end()


if __name__ == "__main__":
    main()
