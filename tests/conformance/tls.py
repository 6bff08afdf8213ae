#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS at the gateway: which certificate, which versions, tickets, renewed files, and clients that mean harm."""
import json, os, signal, socket, ssl, subprocess, sys, tempfile, threading, time

try:
    from http2_kit import Http2, request
except ImportError as why:
    print("skipped: %s" % why)
    sys.exit(77)
from kit import *

FILES = tempfile.TemporaryDirectory()
GET = b"GET / HTTP/1.1\r\nHost: one.test\r\n\r\n"


def path(name):
    return os.path.join(FILES.name, name)


def certificate(name, host, key="ec"):
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["-newkey", "rsa:2048"]
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=" + host, "-addext",
                    "subjectAltName=DNS:" + host, *kind, "-keyout", path(name + ".new"), "-out", path(name + ".pem.new")],
                   check=True, capture_output=True)
    os.chmod(path(name + ".new"), 0o600)
    os.rename(path(name + ".new"), path(name + ".key"))
    os.rename(path(name + ".pem.new"), path(name + ".pem"))


def environment(name, port, backend, **more):
    return dict({"app": name, "name": "prod", "live": "v1",
                 "tls": {"certificate": path(name + ".pem"), "key": path(name + ".key"), "hsts": "180d"},
                 "routes": [{"listen": "127.0.0.1:%d" % port, "host": name + ".test"}],
                 "releases": [{"tag": "v1", "weight": "100%",
                               "processes": {"web": ["127.0.0.1:%d" % backend.port]}}]}, **more)


class Server(Gateway):
    def __init__(self, backend, limits=None, **more):
        self.port = free_port()
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "table.json")
        self.log = open(os.path.join(self.dir.name, "log"), "w+")
        table = {"environments": [environment("one", self.port, backend, **more), environment("two", self.port, backend)]}
        if limits:
            table["limits"] = limits
        with open(self.path, "w") as f:
            json.dump(table, f)
        davit = os.environ.get("DAVIT") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/davit")
        self.process = subprocess.Popen([davit, "gateway", "--table", self.path], stderr=self.log)
        wait_for(self.answers, "the gateway to listen")

    def logged(self, text):
        with open(self.log.name) as f:
            return text in f.read()

    def tls(self, host="one.test", context=None, session=None):
        context = context or trusting("one", "two")
        sock = socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)
        return Stream(context.wrap_socket(sock, server_hostname=host, session=session,
                                          suppress_ragged_eofs=False))


def trusting(*names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in names:
        context.load_verify_locations(path(name + ".pem"))
    return context


def ask(stream, raw=GET):
    stream.sock.sendall(raw)
    return read_response(stream)


def serial(server):
    stream = server.tls(context=unverified())
    try:
        return stream.sock.getpeercert(True)
    finally:
        stream.sock.close()


def unverified():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ended(stream):
    """The peer ends it, by whatever end."""
    try:
        while stream.sock.recv(65536):
            pass
    except ConnectionResetError:
        pass


def serves(server, backend):
    backend.forget()
    stream = server.tls()
    assert stream.sock.version() == "TLSv1.3", stream.sock.version()
    for _ in range(3):
        answer = ask(stream)
        assert answer.status == 200 and answer.get(b"strict-transport-security") == b"max-age=15552000", answer.fields
    assert [m.get(b"x-forwarded-proto") for m in backend.seen()] == [b"https"] * 3
    answer = ask(stream, b"GET /nowhere HTTP/1.1\r\nHost: three.test\r\nConnection: close\r\n\r\n")
    assert answer.status == 404, answer.start
    assert stream.sock.recv(1) == b"", "no close_notify"  # SSLEOFError without one


def large_bodies(server, backend):
    body = os.urandom(3 << 20)
    stream = server.tls()  # used by one thread alone: OpenSSL's connections are not for two
    answer = ask(stream, b"POST / HTTP/1.1\r\nHost: one.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.body.endswith(body) and len(answer.body) == len(body) + len("POST / HTTP/1.1\n")
    assert ask(stream).status == 200


def by_name(server, backend):
    for name in "one", "two":
        stream = server.tls(name + ".test", trusting(name))
        assert ask(stream, b"GET / HTTP/1.1\r\nHost: %s.test\r\n\r\n" % name.encode()).status == 200
    try:
        server.tls("three.test")
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("a certificate for three.test?")


def versions(server, backend):
    old = unverified()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        server.tls(context=old)
        raise AssertionError("TLS 1.1 is spoken")
    except ssl.SSLError:
        pass
    middle = trusting("one")
    middle.maximum_version = ssl.TLSVersion.TLSv1_2
    stream = server.tls(context=middle)
    assert stream.sock.version() == "TLSv1.2" and ask(stream).status == 200


def protocols(server, backend):
    for offered, chosen in ((["http/1.1"], "http/1.1"), (["http/1.1", "h2"], "h2"), (["h2"], "h2"), ([], None)):
        context = trusting("one")
        if offered:
            context.set_alpn_protocols(offered)
        stream = server.tls(context=context)
        assert stream.sock.selected_alpn_protocol() == chosen, (offered, stream.sock.selected_alpn_protocol())
        if chosen != "h2":
            assert ask(stream).status == 200
            continue
        a = Http2(stream.sock).ask(request("POST", "/x", scheme="https"), b"y" * 100000)
        assert a.status == 200 and len(a.body) > 100000 and a.get(b"strict-transport-security"), (a.status, a.fields)
        assert backend.seen()[-1].get(b"x-forwarded-proto") == b"https"
    without = Server(backend, http2=False)
    context = trusting("one")
    context.set_alpn_protocols(["h2", "http/1.1"])
    stream = without.tls(context=context)
    assert stream.sock.selected_alpn_protocol() == "http/1.1" and ask(stream).status == 200
    without.stop()
    context = trusting("one")
    context.set_alpn_protocols(["spdy/3"])
    try:
        server.tls(context=context)
        raise AssertionError("spdy is spoken")
    except ssl.SSLError:
        pass


def resumes(server, backend):
    context = trusting("one")
    first = server.tls(context=context)
    ask(first)
    for _ in range(8):  # whichever worker takes it
        again = server.tls(context=context, session=first.sock.session)
        assert ask(again).status == 200 and again.sock.session_reused
    context = trusting("one")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first = server.tls(context=context)
    ask(first)
    again = server.tls(context=context, session=first.sock.session)
    assert ask(again).status == 200 and not again.sock.session_reused, "a ticket of TLS 1.2"


def in_clear(server, backend):
    answer = server.ask(GET)
    assert answer.status == 400 and answer.get(b"x-davit-error") == b"not-tls", answer.fields


def garbage(server, backend):
    kept = server.tls()
    ask(kept)
    for raw in b"\x00" * 600, os.urandom(600), b"\x16\x03\x01\xff\xff" + b"\x41" * 400, b"\x16\x03\x01\x00\x04\x01\xff\xff\xff":
        stream = server.connect()
        stream.sock.sendall(raw)
        ended(stream)
    assert ask(kept).status == 200


def slow_handshake(server, backend):
    silent, slow = server.connect(), server.connect()
    slow.sock.sendall(b"\x16\x03\x01\x02\x00\x01")
    begun = time.monotonic()
    ended(silent)
    ended(slow)
    assert time.monotonic() - begun < 5
    assert ask(server.tls()).status == 200


def cut_body(server, backend):
    """A body whose end is neither there nor announced: it is an aborted request, and the backend sees that."""
    heard = threading.Event()
    def serve(self, stream):
        try:
            read_request(stream)
        except Closed:
            heard.set()
    cut = Backend(serve)
    other = Server(cut)
    stream = other.tls()
    stream.sock.sendall(b"POST / HTTP/1.1\r\nHost: one.test\r\nContent-Length: 100\r\n\r\nhalf")
    wait_for(lambda: cut.streams, "the backend to be asked")
    stream.sock.shutdown(socket.SHUT_WR)  # a FIN, and no close_notify
    assert heard.wait(DEADLINE_S), "the backend was not told"
    assert other.stop() == 0


def truncated_answer(server, backend):
    """An answer that ends with its connection and is cut short must not look whole."""
    def serve(self, stream):
        read_request(stream)
        stream.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        reset(stream.sock)
    other = Server(Backend(serve), retry=False)
    stream = other.tls()
    stream.sock.sendall(b"GET / HTTP/1.0\r\nHost: one.test\r\n\r\n")
    got = b""
    try:
        while True:
            more = stream.sock.recv(4096)
            if not more:
                raise AssertionError("it looks whole: %r" % got)
            got += more
    except (ssl.SSLEOFError, ConnectionResetError):
        pass
    assert other.stop() == 0


def renewed(server, backend):
    kept = server.tls()
    ask(kept)
    before = serial(server)
    certificate("one", "one.test", "rsa")
    # each worker looks for itself
    wait_for(lambda: all(serial(server) != before for _ in range(16)), "the new certificate")
    assert ask(server.tls()).status == 200
    assert ask(kept).status == 200, "a renewal ended a connection"


def broken_file(server, backend):
    before = serial(server)
    with open(path("one.pem"), "r+") as f:
        good = f.read()
        f.seek(0)
        f.truncate()
        f.write("nonsense\n")
    wait_for(lambda: server.logged("certificate-refused"), "a word about it in the log")
    for _ in range(8):
        assert serial(server) == before
    certificate("one", "one.test")
    # each worker looks for itself
    wait_for(lambda: all(serial(server) != before for _ in range(16)), "the mended file to be used")


def refused_tables(server, backend):
    davit = server.process.args[0]
    with open(server.path) as f:
        table = json.load(f)
    for e in table["environments"]:
        e["routes"][0]["listen"] = "127.0.0.1:%d" % free_port()
    name = os.path.join(server.dir.name, "other.json")
    with open(name, "w") as f:
        json.dump(table, f)

    def refuses(why):
        with open(os.path.join(server.dir.name, "refused"), "w+") as log:
            other = subprocess.Popen([davit, "gateway", "--table", name], stderr=log)
            try:
                wait_for(lambda: why in open(log.name).read(), "the refusal: " + why)
            finally:
                other.terminate()
                other.wait(DEADLINE_S)

    key, pem = path("two.key"), path("two.pem")
    os.chmod(key, 0o604)
    refuses("open to every user")
    os.chmod(key, 0o600)
    os.rename(key, key + ".kept")
    refuses("cannot be read")
    os.link(path("one.key"), key)
    refuses("does not belong")
    os.unlink(key)
    os.rename(key + ".kept", key)
    os.rename(pem, pem + ".kept")
    with open(pem, "w") as f:
        f.write("nonsense")
    refuses("not a certificate")
    os.rename(pem + ".kept", pem)


def main():
    certificate("one", "one.test")
    certificate("two", "two.test", "rsa")
    backend = Backend()
    server = Server(backend, limits={"header": "2s"})
    report = Report()
    for case in (serves, large_bodies, by_name, versions, protocols, resumes, in_clear, garbage, slow_handshake,
                 cut_body, truncated_answer, renewed, broken_file, refused_tables):
        report.case(case.__name__, lambda: case(server, backend))
    report.case("ends", lambda: server.stop() == 0 or 1 / 0)
    assert not backend.broken, backend.broken
    report.end()


main()
