#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Backends that speak HTTP/2: what reaches them of a request and clients of an answer, gRPC by its own library, backends that
break the rules or end in the middle."""
import collections, concurrent.futures, os, socket, struct, subprocess, tempfile, threading

from hpack import Decoder, Encoder
from hyperframe.frame import (ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame,
                              WindowUpdateFrame)

from http2_kit import CANCEL, Http2, PREFACE, PROTOCOL_ERROR, REFUSED_STREAM
from kit import Backend, Closed, Gateway, Report, free_port, reset, wait_for


class Call:
    def __init__(self, number):
        self.id, self.fields, self.body, self.trailer, self.ended, self.reset = number, None, b"", None, False, None

    def get(self, name):
        return [v for n, v in self.fields if n == name]


class Server:
    """One connection of HTTP/2 as a backend has it: reads frames, answers SETTINGS and PING, and gives windows unless told not to.
    `headed(server, call)` and `ended(server, call)` answer."""

    def __init__(self, stream, headed=None, ended=None, settings=None, windows=True):
        self.stream, self.headed, self.ended_call, self.windows = stream, headed, ended, windows
        self.decoder, self.encoder, self.calls, self.lock = Decoder(), Encoder(), {}, threading.RLock()
        self.room = collections.defaultdict(lambda: 65535)
        assert stream.take(len(PREFACE)) == PREFACE
        self.send(SettingsFrame(0, settings=settings or {}))

    def send(self, frame):
        with self.lock:
            self.stream.sock.sendall(frame.serialize())

    def fields(self, number, fields, end=False):
        with self.lock:
            frame = HeadersFrame(number, self.encoder.encode(fields, huffman=False), flags=["END_HEADERS"])
            if end:
                frame.flags.add("END_STREAM")
            self.send(frame)

    def data(self, number, body, end=False):
        for at in range(0, max(len(body), 1), 16384):
            frame = DataFrame(number, body[at:at + 16384])
            while min(self.room[0], self.room[number]) < len(frame.data):
                self.one()
            for whose in (0, number):
                self.room[whose] -= len(frame.data)
            if end and at + 16384 >= len(body):
                frame.flags.add("END_STREAM")
            self.send(frame)

    def answer(self, call, status=b"200", body=b"", more=()):
        self.fields(call.id, [(b":status", status)] + list(more), not body)
        if body:
            self.data(call.id, body, True)

    def reset(self, call, code):
        self.send(RstStreamFrame(call.id, error_code=code))

    def one(self):
        frame, size = Frame.parse_frame_header(memoryview(self.stream.take(9)))
        frame.parse_body(memoryview(self.stream.take(size)))
        self.note(frame)

    def run(self):
        while True:
            self.one()

    def note(self, frame):
        call = self.calls.setdefault(frame.stream_id, Call(frame.stream_id)) if frame.stream_id else None
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.send(SettingsFrame(0, flags=["ACK"]))
        elif isinstance(frame, PingFrame) and "ACK" not in frame.flags:
            self.send(PingFrame(0, frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, WindowUpdateFrame):
            self.room[frame.stream_id] += frame.window_increment
        elif isinstance(frame, RstStreamFrame):
            call.reset = frame.error_code
        elif isinstance(frame, HeadersFrame):
            fields = [(bytes(n), bytes(v)) for n, v in self.decoder.decode(frame.data, raw=True)]
            if call.fields is None:
                call.fields = fields
                if self.headed:
                    self.headed(self, call)
            else:
                call.trailer = fields
        elif isinstance(frame, DataFrame):
            call.body += frame.data
            if self.windows and frame.data:
                self.send(WindowUpdateFrame(0, window_increment=len(frame.data)))
                if "END_STREAM" not in frame.flags:
                    self.send(WindowUpdateFrame(frame.stream_id, window_increment=len(frame.data)))
        if call is not None and "END_STREAM" in getattr(frame, "flags", ()):
            call.ended = True
            if self.ended_call:
                self.ended_call(self, call)


def echo(server, call):
    """What it was asked, as the body of its answer, with a trailer."""
    said = b"\n".join(b"%s: %s" % f for f in call.fields) + b"\n\n" + call.body
    if call.trailer:
        said += b"\ntrailer: " + b"; ".join(b"%s=%s" % f for f in call.trailer)
    server.fields(call.id, [(b":status", b"200"), (b"x-from", b"backend")])
    server.data(call.id, said)
    server.fields(call.id, [(b"x-after", b"all")], True)


class Behind(Backend):
    """Each connection is a Server; they are kept."""

    def __init__(self, **how):
        self.servers = []

        def serve(backend, stream):
            server = Server(stream, **how)
            backend.servers.append(server)
            server.run()
        super().__init__(serve)


def table(*backends, **more):
    release = {"tag": "v1", "weight": "100%", "processes": {
        "web": [{"address": "127.0.0.1:%d" % b.port, "protocol": "http2"} for b in backends]}}
    return Gateway([], releases=[release], **more)


def with_backend(run, more=None, **how):
    def case():
        backend = Behind(**how)
        gateway = table(backend, workers=1, **(more or {}))
        try:
            run(gateway, backend)
        finally:
            assert gateway.stop() == 0
    return case


def ask(gateway, raw):
    return gateway.ask(raw)


def get(gateway, path=b"/", more=b""):
    return gateway.ask(b"GET " + path + b" HTTP/1.1\r\nHost: a.test\r\n" + more + b"\r\n")


def over2(gateway, **how):
    return Http2(gateway.connect().sock, **how)


ASK = [(":method", "GET"), (":scheme", "http"), (":authority", "a.test"), (":path", "/x?y")]
POST = [(":method", "POST")] + ASK[1:]

# ── what passes ──


def test_request_of_http1(gateway, backend):
    answer = get(gateway, b"/x?y", b"X-A: b\r\nConnection: x-gone\r\nX-Gone: 1\r\n")
    lines = answer.body.split(b"\n\n")[0].split(b"\n")
    assert lines[:4] == [b":method: GET", b":scheme: http", b":path: /x?y", b":authority: a.test"], lines
    names = [line.split(b": ")[0] for line in lines[4:]]
    assert b"x-a" in names and b"te" in names, names
    assert not {b"connection", b"x-gone", b"host", b"transfer-encoding"} & set(names), names
    assert answer.get(b"x-from") == b"backend" and answer.status == 200


def test_body_with_a_length(gateway, backend):
    answer = ask(gateway, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    assert answer.body.endswith(b"\n\nhello") and b"content-length: 5" in answer.body, answer.body


def test_body_in_chunks_with_a_trailer(gateway, backend):
    answer = ask(gateway, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-End: 1\r\n\r\n")
    assert answer.body.endswith(b"\n\nabcde\ntrailer: x-end=1"), answer.body


def test_trailer_of_the_answer(gateway, backend):
    stream = gateway.connect()
    stream.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.until(b"0\r\nx-after: all\r\n\r\n")
    h = over2(gateway)
    answer = h.wait(h.open(ASK))
    assert answer.status == 200 and answer.trailer == [(b"x-after", b"all")], answer.trailer
    assert answer.get(b"x-from") == [b"backend"]


def test_both_sides_http2(gateway, backend):
    h = over2(gateway)
    ids = [h.open(POST, end=False) for _ in range(20)]
    for number in ids:
        h.body(number, b"%d" % number)
    for number in ids:
        answer = h.wait(number)
        assert answer.body.endswith(b"\n\n%d" % number), (number, answer.body)


def test_one_connection_for_many(gateway, backend):
    h = over2(gateway)
    for number in [h.open(ASK) for _ in range(50)]:
        assert h.wait(number).status == 200
    for _ in range(10):
        assert get(gateway).status == 200
    assert len(backend.servers) == 1, len(backend.servers)


def test_large_bodies(gateway, backend):
    body = os.urandom(1 << 20)
    answer = ask(gateway, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert answer.body.endswith(b"\n\n" + body), len(answer.body)
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 50000]), body[i:i + 50000]) for i in range(0, len(body), 50000))
    answer = ask(gateway, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n")
    assert answer.body.endswith(b"\n\n" + body), len(answer.body)
    h = over2(gateway)
    number = h.open(POST, end=False)
    h.body(number, body)
    assert h.wait(number).body.endswith(b"\n\n" + body)


def answer_length(server, call):
    server.fields(call.id, [(b":status", b"200"), (b"content-length", b"5")], call.get(b":method") == [b"HEAD"])
    if call.get(b":method") != [b"HEAD"]:
        server.data(call.id, b"hello", True)


def test_length_stays(gateway, backend):
    assert get(gateway).get(b"content-length") == b"5" and get(gateway).body == b"hello"
    stream = gateway.connect()
    for _ in range(2):
        stream.sock.sendall(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"content-length: 5" in stream.until(b"\r\n\r\n").lower()


def answer_bare(server, call):
    server.answer(call, call.get(b":path")[0][1:], more=[(b"x-b", b"c")])


def test_answers_without_a_body(gateway, backend):
    for status in (200, 204, 304, 404, 500):
        answer = get(gateway, b"/%d" % status)
        assert answer.status == status and answer.body == b"" and answer.get(b"x-b") == b"c", (status, answer.start)


def answer_interim(server, call):
    server.fields(call.id, [(b":status", b"103"), (b"link", b"</a>")])
    server.answer(call, body=b"ok")


def test_interim(gateway, backend):
    stream = gateway.connect()
    stream.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert stream.until(b"\r\n\r\n").startswith(b"HTTP/1.1 103"), stream.data
    assert stream.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")


def continue_then(server, call):
    server.fields(call.id, [(b":status", b"100")])


def test_expect(gateway, backend):
    stream = gateway.connect()
    stream.sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert stream.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
    stream.sock.sendall(b"abc")
    stream.until(b"\n\nabc")


# ── what goes wrong ──


def bad_fields(server, call):
    """In an answer, by path."""
    kinds = {b"/name": [(b":status", b"200"), (b"A b", b"c")], b"/line": [(b":status", b"200"), (b"a", b"b\r\nc: d")],
             b"/none": [(b"a", b"b")], b"/twice": [(b":status", b"200"), (b":status", b"200")],
             b"/connection": [(b":status", b"200"), (b"connection", b"close")],
             b"/101": [(b":status", b"101")], b"/many": [(b":status", b"200")] + [(b"x-%d" % i, b"y") for i in range(150)],
             b"/large": [(b":status", b"200")] + [(b"x-%d" % i, b"y" * 900) for i in range(60)]}
    server.fields(call.id, kinds[call.get(b":path")[0]], False)


def test_malformed_answers(gateway, backend):
    for path in (b"/name", b"/line", b"/none", b"/twice", b"/connection", b"/101", b"/many", b"/large"):
        answer = get(gateway, path)
        assert answer.status == 502, (path, answer.start)
    assert len(backend.servers) <= 2, "one bad answer does not cost the connection"


def short_body(server, call):
    server.fields(call.id, [(b":status", b"200"), (b"content-length", b"10")])
    server.data(call.id, b"hello", True)


def test_short_body_is_no_whole_answer(gateway, backend):
    try:
        answer = get(gateway)
        raise AssertionError("taken as whole: %r" % answer.body)
    except Closed:
        pass
    h = over2(gateway)
    assert h.wait(h.open(ASK)).reset is not None


def cut_answer(server, call):
    server.fields(call.id, [(b":status", b"200")])
    server.data(call.id, b"hello")
    if call.get(b":path") == [b"/reset"]:
        server.reset(call, 2)
    else:
        server.stream.sock.shutdown(socket.SHUT_RDWR)


def test_cut_answers_are_seen_as_cut(gateway, backend):
    for path in (b"/reset", b"/end"):
        try:
            answer = get(gateway, path)
            raise AssertionError("taken as whole: %r" % answer.body)
        except Closed:
            pass
        h = over2(gateway)
        answer = h.wait(h.open(ASK[:3] + [(":path", path.decode())]))
        assert answer.reset is not None and not answer.ended, path


class Once:
    """The first call goes wrong, the others are answered."""

    def __init__(self, wrong):
        self.wrong, self.left = wrong, 1

    def __call__(self, server, call):
        if self.left:
            self.left -= 1
            self.wrong(server, call)
        else:
            server.answer(call, body=b"ok")


def refused(server, call):
    server.reset(call, REFUSED_STREAM)


def goes_away(server, call):
    server.send(GoAwayFrame(0, last_stream_id=0, error_code=0))
    server.stream.sock.shutdown(socket.SHUT_WR)


def dies(server, call):
    server.stream.sock.shutdown(socket.SHUT_RDWR)


def test_refused_is_repeated_whatever_its_method(gateway, backend):
    answer = ask(gateway, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    assert answer.status == 200 and answer.body == b"ok", answer.start


def test_get_is_repeated(gateway, backend):
    assert get(gateway).body == b"ok"


def test_post_is_not_repeated(gateway, backend):
    answer = ask(gateway, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    assert answer.status == 502, answer.start
    assert get(gateway).body == b"ok"


def hang(server, call):
    pass


def test_client_that_leaves_cancels(gateway, backend):
    h = over2(gateway)
    number = h.open(ASK)
    wait_for(lambda: backend.servers and 1 in backend.servers[0].calls, "the call")
    h.reset(number, CANCEL)
    wait_for(lambda: backend.servers[0].calls[1].reset == CANCEL, "its end at the backend")


def test_timeout(gateway, backend):
    assert get(gateway).status == 504
    wait_for(lambda: backend.servers[0].calls[1].reset is not None, "its end at the backend")


def one_at_a_time(server, call):
    with server.lock:
        server.answer(call, body=b"ok")


def test_as_many_as_the_backend_takes(gateway, backend):
    assert get(gateway).status == 200
    h = over2(gateway)
    for number in [h.open(ASK) for _ in range(30)]:
        assert h.wait(number).status == 200
    for server in backend.servers:
        assert server.calls, "a connection without a call"


def no_windows(server, call):
    server.answer(call, body=b"ok")


def test_no_window_does_not_stop_others(gateway, backend):
    """An upload that the backend gives no window for waits; what comes beside it on the same connection is answered."""
    big = gateway.connect()
    big.sock.settimeout(0.2)
    try:
        big.sock.sendall(b"POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 8000000)
    except socket.timeout:
        pass
    assert get(gateway).body == b"ok"
    reset(big.sock)
    assert get(gateway).body == b"ok"


def early(server, call):
    server.answer(call, b"413", b"too much")


def test_answer_before_the_end_of_the_request(gateway, backend):
    stream = gateway.connect()
    stream.sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc")
    assert stream.until(b"\r\n\r\n").startswith(b"HTTP/1.1 413")
    wait_for(lambda: backend.servers[0].calls[1].reset is not None, "the end of the upload")


def garbage(backend, stream):
    stream.take(24)
    stream.sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def test_backend_of_http1():
    backend = Backend(garbage)
    gateway = table(backend, workers=1)
    try:
        assert get(gateway).status == 502
    finally:
        assert gateway.stop() == 0


def test_nobody_listens():
    class Nobody:
        port = free_port()
    gateway = table(Nobody, workers=1)
    try:
        assert get(gateway).status == 502
        assert ask(gateway, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").status == 502
    finally:
        assert gateway.stop() == 0


# ── others' programs ──


def test_nghttpd():
    with tempfile.TemporaryDirectory() as place:
        with open(os.path.join(place, "file"), "wb") as f:
            f.write(os.urandom(2 << 20))
        with open(os.path.join(place, "small"), "wb") as f:
            f.write(os.urandom(3000))
        port = free_port()
        server = subprocess.Popen(["nghttpd", "--no-tls", "-d", place, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        class At:
            pass
        At.port = port

        def listens():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                return False
        wait_for(listens, "nghttpd to listen")
        gateway = table(At, limits={"backend_connections": 250})
        try:
            with open(os.path.join(place, "file"), "rb") as f:
                assert get(gateway, b"/file").body == f.read()
            url = "http://127.0.0.1:%d/" % gateway.port
            for count, how in ((600, ["-c6", "--h1", url + "small"]), (600, ["-c6", "-m5", url + "small"]), (40, ["-c2", "-m20", url + "file"])):
                said = subprocess.run(["h2load", "-n%d" % count] + how, capture_output=True, text=True, timeout=60).stdout
                assert "%d succeeded, 0 failed" % count in said, said
        finally:
            server.kill()
            server.wait()
            assert gateway.stop() == 0


def grpc_server(version):
    import grpc

    def unary(request, context):
        if request == b"fail":
            context.abort(grpc.StatusCode.INTERNAL, "as asked")
        return version + b":" + request

    def stream(request, context):
        for i in range(int(request)):
            yield version + b":%d" % i

    def gather(requests, context):
        return b"%d" % sum(len(r) for r in requests)

    def talk(requests, context):
        for r in requests:
            yield version + b":" + r

    def wait(request, context):
        left = threading.Event()

        def ended():
            server.cancelled += 1
            left.set()
        context.add_callback(ended)
        yield b"begun"
        left.wait(10)

    handlers = {"Unary": grpc.unary_unary_rpc_method_handler(unary), "Stream": grpc.unary_stream_rpc_method_handler(stream),
                "Gather": grpc.stream_unary_rpc_method_handler(gather), "Talk": grpc.stream_stream_rpc_method_handler(talk),
                "Wait": grpc.unary_stream_rpc_method_handler(wait)}
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    server.port = server.add_insecure_port("127.0.0.1:0")
    server.cancelled = 0
    server.start()
    return server


def test_grpc():
    import grpc
    backend = grpc_server(b"v1")
    gateway = table(backend, workers=1)
    try:
        with grpc.insecure_channel("127.0.0.1:%d" % gateway.port) as channel:
            unary = channel.unary_unary("/test.Echo/Unary")
            assert unary(b"hello", timeout=5) == b"v1:hello"
            assert [f.result(5) for f in [unary.future(b"%d" % i, timeout=5) for i in range(100)]] == [b"v1:%d" % i for i in range(100)]
            big = os.urandom(1 << 20) * 3
            assert unary(big, timeout=10) == b"v1:" + big
            assert list(channel.unary_stream("/test.Echo/Stream")(b"500", timeout=5)) == [b"v1:%d" % i for i in range(500)]
            assert channel.stream_unary("/test.Echo/Gather")(iter([b"x" * 1000] * 300), timeout=5) == b"300000"
            asked, turn = [b"a", b"b", b"c"], threading.Semaphore(1)

            def requests():
                for r in asked:
                    turn.acquire()
                    yield r
            got = []
            for answer in channel.stream_stream("/test.Echo/Talk")(requests(), timeout=5):
                got.append(answer)
                turn.release()
            assert got == [b"v1:a", b"v1:b", b"v1:c"], got
            try:
                unary(b"fail", timeout=5)
                raise AssertionError("no error")
            except grpc.RpcError as e:
                assert e.code() == grpc.StatusCode.INTERNAL and e.details() == "as asked", e
            try:
                channel.unary_unary("/test.Echo/Nothing")(b"", timeout=5)
                raise AssertionError("no error")
            except grpc.RpcError as e:
                assert e.code() == grpc.StatusCode.UNIMPLEMENTED, e
            waiting = channel.unary_stream("/test.Echo/Wait")(b"", timeout=10)
            assert next(waiting) == b"begun"
            waiting.cancel()
            wait_for(lambda: backend.cancelled == 1, "the call's end at the server")
    finally:
        backend.stop(None)
        assert gateway.stop() == 0


def main():
    report = Report()
    for run in (test_request_of_http1, test_body_with_a_length, test_body_in_chunks_with_a_trailer, test_trailer_of_the_answer, test_both_sides_http2,
                test_one_connection_for_many, test_large_bodies):
        report.case(run.__name__[5:], with_backend(run, ended=echo))
    quick = {"timeouts": {"answer": "300ms"}}
    for run, how in ((test_length_stays, {"ended": answer_length}), (test_answers_without_a_body, {"ended": answer_bare}),
                     (test_interim, {"ended": answer_interim}), (test_expect, {"headed": continue_then, "ended": echo}),
                     (test_malformed_answers, {"ended": bad_fields}), (test_short_body_is_no_whole_answer, {"ended": short_body}),
                     (test_cut_answers_are_seen_as_cut, {"ended": cut_answer}),
                     (test_refused_is_repeated_whatever_its_method, {"ended": Once(refused)}),
                     (test_refused_is_repeated_whatever_its_method, {"ended": Once(goes_away)}),
                     (test_get_is_repeated, {"ended": Once(dies)}), (test_post_is_not_repeated, {"ended": Once(dies)}),
                     (test_client_that_leaves_cancels, {"ended": hang}), (test_timeout, {"ended": hang, "more": quick}),
                     (test_as_many_as_the_backend_takes, {"ended": one_at_a_time, "settings": {SettingsFrame.MAX_CONCURRENT_STREAMS: 1}}),
                     (test_no_window_does_not_stop_others, {"ended": no_windows, "windows": False}),
                     (test_answer_before_the_end_of_the_request, {"headed": early})):
        report.case(run.__name__[5:], with_backend(run, **how))
    for run in (test_backend_of_http1, test_nobody_listens, test_nghttpd, test_grpc):
        report.case(run.__name__[5:], run)
    report.end()


main()
