# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP/2 that sends what it is told, right or wrong: frames by python3-hyperframe, fields by python3-hpack.

It answers SETTINGS and PING as it has to, opens its windows widely unless told not to, and keeps what came by stream.
"""
import collections, socket, ssl, struct

from hpack import Decoder, Encoder
from hyperframe.frame import (ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame,
                              WindowUpdateFrame)

from kit import DEADLINE_S, Closed, Stream

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 0, 1, 2, 3, 5, 6, 7, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11


class Answer:
    def __init__(self):
        self.status, self.fields, self.body, self.trailer, self.interim = None, [], b"", [], []
        self.ended, self.reset = False, None

    def get(self, name):
        return [v for n, v in self.fields if n == name]


class Http2:
    """One connection. ended: the other side has closed it; goaway: (last stream, code), or None."""

    def __init__(self, sock, preface=PREFACE, settings=None, window=1 << 30):
        self.stream = Stream(sock)
        self.encoder, self.decoder = Encoder(), Decoder()
        self.answers = collections.defaultdict(Answer)
        self.next_id, self.goaways, self.ended, self.pongs, self.seen = 1, [], False, 0, []
        self.window = window
        self.frames = {}
        sock.sendall(preface)
        self.send(SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1 << 24} if settings is None else settings))
        if window:
            self.send(WindowUpdateFrame(0, window_increment=window))

    @property
    def goaway(self):
        return self.goaways[-1] if self.goaways else None

    # ── sending ──

    def send(self, frame):
        self.raw(frame.serialize())

    def raw(self, data):
        try:
            self.stream.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.ended = True

    def open(self, fields, end=True, stream=None, pieces=1, flags=()):
        """HEADERS, and CONTINUATION if in pieces; the stream's number."""
        number = stream or self.next_id
        self.next_id = max(self.next_id, number + 2)
        block = self.encoder.encode(fields, huffman=False)
        size = min(-(-len(block) // pieces), 16384) or 1
        parts = [block[i:i + size] for i in range(0, len(block), size)] or [b""]
        for i, part in enumerate(parts):
            frame = HeadersFrame(number, part) if i == 0 else ContinuationFrame(number, part)
            for flag in flags if i == 0 else ():
                frame.flags.add(flag)
            if i == 0 and end:
                frame.flags.add("END_STREAM")
            if i == len(parts) - 1:
                frame.flags.add("END_HEADERS")
            self.send(frame)
        return number

    def data(self, stream, body, end=False, pad=None):
        frame = DataFrame(stream, body)
        if end:
            frame.flags.add("END_STREAM")
        if pad is not None:
            frame.flags.add("PADDED")
            frame.pad_length = pad
        self.send(frame)

    def body(self, stream, body, end=True, size=16384):
        """Within the gateway's windows."""
        if not body:
            self.data(stream, b"", end)
        for at in range(0, len(body), size):
            piece = body[at:at + size]
            while self.room(stream) < len(piece):
                self.read()
                if self.answers[stream].reset is not None:
                    return
            self.spend(stream, len(piece))
            self.data(stream, piece, end and at + size >= len(body))

    def room(self, stream):
        return min(self.frames.get(0, 0) + 65535, self.frames.get(stream, 0) + 65535)

    def spend(self, stream, size):
        for number in (0, stream):
            self.frames[number] = self.frames.get(number, 0) - size

    def reset(self, stream, code=CANCEL):
        self.send(RstStreamFrame(stream, error_code=code))

    # ── receiving ──

    def read(self):
        """One frame. Closed when there are no more."""
        try:
            head = self.stream.take(9)
            frame, size = Frame.parse_frame_header(memoryview(head))
            frame.parse_body(memoryview(self.stream.take(size)))
        except Closed:
            self.ended = True
            raise
        self.seen.append(type(frame).__name__)
        self.note(frame)
        return frame

    def note(self, frame):
        a = self.answers[frame.stream_id] if frame.stream_id else None
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.send(SettingsFrame(0, flags=["ACK"]))
        elif isinstance(frame, PingFrame):
            self.pongs += "ACK" in frame.flags
        elif isinstance(frame, GoAwayFrame):
            self.goaways.append((frame.last_stream_id, frame.error_code))
        elif isinstance(frame, WindowUpdateFrame):
            self.frames[frame.stream_id] = self.frames.get(frame.stream_id, 0) + frame.window_increment
        elif isinstance(frame, RstStreamFrame):
            a.reset = frame.error_code
        elif isinstance(frame, HeadersFrame):
            self.note_fields(a, self.decoder.decode(frame.data, raw=True))
        elif isinstance(frame, DataFrame):
            a.body += frame.data
        if a is not None and "END_STREAM" in frame.flags:
            a.ended = True

    def note_fields(self, a, fields):
        fields = [(bytes(n), bytes(v)) for n, v in fields]
        status = int(dict(fields).get(b":status", 0))
        if a.status is None and 100 <= status < 200:
            a.interim.append(status)
        elif a.status is None:
            a.status, a.fields = status, fields
        else:
            a.trailer = fields

    def wait(self, stream):
        """Until the stream has ended, was reset, or the connection is gone."""
        a = self.answers[stream]
        while not a.ended and a.reset is None and not self.goaway_excludes(stream):
            try:
                self.read()
            except Closed:
                break
        return a

    def goaway_excludes(self, stream):
        return self.goaway is not None and (self.goaway[0] < stream or self.goaway[1] != NO_ERROR)

    def until(self, condition):
        while not condition():
            self.read()

    def until_end(self):
        """To the connection's end; the code of its last GOAWAY, or None."""
        try:
            while True:
                self.read()
        except Closed:
            return self.goaway[1] if self.goaway else None

    def ask(self, fields, body=None, **more):
        number = self.open(fields, end=body is None, **more)
        if body is not None:
            self.body(number, body)
        return self.wait(number)

    def close(self):
        self.stream.sock.close()


def request(method="GET", path="/", *fields, authority="one.test", scheme="http"):
    pseudo = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]
    return [(n, v) for n, v in pseudo if v is not None] + list(fields)


def untrusting(*protocols):
    """Takes any certificate: it is not what is tested."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def connect(port, tls=False, **more):
    sock = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Http2(untrusting("h2").wrap_socket(sock) if tls else sock, **more)


def raw_frame(kind, flags, stream, payload=b"", size=None):
    size = len(payload) if size is None else size
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream) + payload
