# SPDX-License-Identifier: Apache-2.0
"""A backend that keeps exactly the bytes that reached it, message by message."""
from kit import Backend, read_request

# What the gateway adds to every request, each once (docs/reference/gateway-table.md).
ADDED = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id", b"traceparent", b"via")


def without_added(head):
    """A head's bytes, or a piece of one, without the gateway's own fields."""
    lines = head.split(b"\r\n")
    kept = [l for l in lines if l.partition(b":")[0].lower() not in ADDED]
    if head.endswith(b"\r\n\r\n") and len(lines) - len(kept) != len(ADDED):
        raise AssertionError("not all of %r are in %r, each once" % (ADDED, head))
    return b"\r\n".join(kept)


class Recorder(Backend):
    """Answers what it was asked; `added`: whoever sends adds the fields of davit."""

    def __init__(self, serve=None, added=True):
        self.whole, self.added = [], added
        super().__init__(serve or Recorder.answer)

    def read(self, stream):
        stream.taken = b""
        message = read_request(stream)
        with self.lock:
            self.requests.append(message)
            self.whole.append(stream.taken)
            stream.taken = b""
        return message

    def answer(self, stream):
        while True:
            message = self.read(stream)
            body = b"" if message.start.startswith(b"HEAD ") else message.start
            stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(message.start), body))

    def forget(self):
        with self.lock:
            self.requests, self.broken, self.whole = [], [], []
            for s in self.streams:
                s.taken = s.data = b""

    def reached(self):
        """All that came since forget(): whole messages in their order, then what is unfinished."""
        with self.lock:
            pieces = self.whole + [s.taken + s.data for s in self.streams]
        if not self.added:
            return b"".join(pieces)
        out = b""
        for piece in pieces:
            head, end, body = piece.partition(b"\r\n\r\n")
            out += without_added(head + end) + body
        return out
