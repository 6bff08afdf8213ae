# SPDX-License-Identifier: Apache-2.0
"""What is right passes unchanged: random requests and answers, in every framing, cut into random pieces, pipelined and
kept alive, must arrive with the same method, target, fields, body and trailers. SEED= repeats a run.
"""
import os, random, threading

from kit import Backend, Gateway, Report, read_body, read_head, Message, wait_for

ROUNDS, CLIENTS = 250, 4
METHODS = (b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"PROPFIND")
OWN = {b"host", b"content-length", b"transfer-encoding", b"connection", b"te", b"via", b"x-request-id", b"expect",
       b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"keep-alive", b"date", b"server", b"traceparent"}


def token(rng, size):
    return bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJ-0123456789") for _ in range(size))


def text(rng, size):
    out = bytes(rng.choice(b"abc XYZ\t019!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~\xc3\xa9") for _ in range(size))
    return out.strip(b" \t")


def some_fields(rng):
    return [(b"X-" + token(rng, rng.randint(1, 20)), text(rng, rng.choice((0, 1, 10, 200)))) for _ in range(rng.randint(0, 12))]


def some_body(rng):
    size = rng.choice((0, 1, 2, 100, 4000, 16384, 16385, 70000, 300000))
    return rng.randbytes(size)


def chunks(rng, body, trailers):
    out, at = b"", 0
    while at < len(body):
        size = min(rng.choice((1, 7, 100, 5000, 16384, 100000)), len(body) - at)
        zeros = b"0" * rng.choice((0, 0, 0, 3))
        extension = rng.choice((b"", b"", b";a=b")) if at < 1000 else b""
        out += b"%s%x%s\r\n%s\r\n" % (zeros, size, extension, body[at:at + size])
        at += size
    return out + b"0\r\n" + b"".join(b"%s: %s\r\n" % t for t in trailers) + b"\r\n"


def write_fields(rng, fields):
    return b"".join(b"%s:%s%s%s\r\n" % (n, rng.choice((b"", b" ", b" \t ")), v, rng.choice((b"", b"", b" "))) for n, v in fields)


def frame(rng, fields, body, chunked):
    """Head fields and bytes of a body; its trailers."""
    if chunked:
        trailers = [(b"X-T" + token(rng, 3), text(rng, 9)) for _ in range(rng.choice((0, 0, 1, 3)))]
        return write_fields(rng, fields + [(b"Transfer-Encoding", b"chunked")]), chunks(rng, body, trailers), trailers
    return write_fields(rng, fields + [(b"Content-Length", b"%d" % len(body))]), body, []


def in_pieces(rng, sock, raw):
    while raw:
        size = rng.choice((1, 2, 50, 1000, 20000, len(raw)))
        sock.sendall(raw[:size])
        raw = raw[size:]



def read_message(stream):
    start, fields = read_head(stream)
    message = Message(start, fields, b"")
    message.trailers = []
    if start.startswith(b"HTTP/1.1 1"):
        return message
    before = len(stream.taken)
    message.body = read_body(stream, message, start.startswith(b"HTTP/"))
    raw = stream.taken[before:]
    if message.all(b"transfer-encoding"):
        lines = raw[raw.rindex(b"\r\n0\r\n") + 5 if b"\r\n0\r\n" in raw else 3:].split(b"\r\n")
        message.trailers = [tuple(p.strip(b" \t") for p in l.split(b":", 1)) for l in lines if l]
    stream.taken = b""
    return message


def comparable(fields):
    return [(n, v) for n, v in fields if n.lower() not in OWN]


class Mirror:
    """The backend: checks each request against what its client said it would send, and answers at random."""

    def __init__(self):
        self.expected, self.wrong = {}, []

    def serve(self, backend, stream):
        rng = random.Random(id(stream))
        while True:
            got = read_message(stream)
            sent = self.expected.get(got.get(b"x-case"))
            if sent is None:
                self.wrong.append("an unknown request %r" % got.start)
                return
            for what, a, b in (("start", sent["start"], got.start), ("body", sent["body"], got.body),
                               ("trailers", sent["trailers"], got.trailers),
                               ("fields", comparable(sent["fields"]), comparable(got.fields))):
                if a != b:
                    self.wrong.append("%s of %r: %r became %r" % (what, got.start, a[:200], b[:200]))
            in_pieces(rng, stream.sock, sent["answer"])
            if sent["ends"]:
                return


def make_case(rng, number, backend):
    method, chunked = rng.choice(METHODS), rng.random() < 0.5
    body = some_body(rng) if rng.random() < 0.6 else b""
    fields = some_fields(rng) + [(b"X-Case", number)]
    target = b"/" + token(rng, rng.randint(0, 50)) + rng.choice((b"", b"?", b"?a=b&c", b"/%20?x=/"))
    head, raw_body, trailers = frame(rng, fields, body, chunked)
    if not body and not chunked and rng.random() < 0.5:
        head, raw_body = write_fields(rng, fields), b""
    request = b"%s %s HTTP/1.1\r\nhost: a:80\r\n%s\r\n%s" % (method, target, head, raw_body)

    answer_body, kind = some_body(rng), rng.choice(("length", "chunked", "close", "old"))
    answer_fields = some_fields(rng) + [(b"X-Case", number)]
    version = b"HTTP/1.0" if kind == "old" else b"HTTP/1.1"
    if kind in ("close", "old"):
        head, raw, answer_trailers = write_fields(rng, answer_fields), answer_body, []
    else:
        head, raw, answer_trailers = frame(rng, answer_fields, answer_body, kind == "chunked")
    phrase = text(rng, 8).replace(b"\t", b"-")
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" if rng.random() < 0.1 else b""
    backend.expected[number] = {
        "start": b"%s %s HTTP/1.1" % (method, target), "fields": fields, "body": body, "trailers": trailers,
        "answer": b"%s%s %d %s\r\n%s\r\n%s" % (interim, version, 200 + rng.randint(0, 3), phrase, head, raw),
        "ends": kind in ("close", "old"), "answer_body": answer_body, "answer_fields": answer_fields,
        "answer_trailers": answer_trailers}
    return request


def expect_answer(stream, sent):
    while True:
        got = read_message(stream)
        if not got.start.startswith(b"HTTP/1.1 1"):
            break
    for what, a, b in (("body", sent["answer_body"], got.body), ("trailers", sent["answer_trailers"], got.trailers),
                       ("fields", comparable(sent["answer_fields"]), comparable(got.fields))):
        assert a == b, "%s of the answer to %r: %r became %r" % (what, sent["start"], a[:200], b[:200])


def client(gateway, mirror, seed, wrong):
    rng = random.Random(seed)
    try:
        stream, number = gateway.connect(), 0
        while number < ROUNDS:
            batch = [b"%d-%d" % (seed, number + i) for i in range(rng.choice((1, 1, 1, 2, 5)))]
            number += len(batch)
            raw = b"".join(make_case(rng, n, mirror) for n in batch)
            sender = threading.Thread(target=in_pieces, args=(random.Random(seed + number), stream.sock, raw), daemon=True)
            sender.start()
            for n in batch:
                expect_answer(stream, mirror.expected[n])
            sender.join()
            if rng.random() < 0.1:
                stream.sock.close()
                stream = gateway.connect()
    except Exception as why:
        wrong.append("%s: %s" % (type(why).__name__, why))


def run(gateway, mirror, seed):
    wrong = []
    threads = [threading.Thread(target=client, args=(gateway, mirror, seed + i, wrong)) for i in range(CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not mirror.wrong, mirror.wrong[0]
    assert not wrong, wrong[0]


def main():
    report = Report()
    seed = int(os.environ.get("SEED", "1"))
    mirror = Mirror()
    gateway = Gateway([Backend(lambda b, s: mirror.serve(b, s)) for _ in range(2)], retry=False)
    report.case("%d random exchanges, SEED=%d" % (CLIENTS * ROUNDS, seed), lambda: run(gateway, mirror, seed))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))
    report.end()


if __name__ == "__main__":
    main()
