#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS at the gateway, by name: which certificate a client sees, who is sent from HTTP to HTTPS, and what an authority
that speaks ACME is answered."""
import base64, hashlib, http.client, json, os, re, socket, ssl, subprocess, sys, tempfile, time

from kit import *

FILES = tempfile.TemporaryDirectory()
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
ANSWER = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"


def path(name):
    return os.path.join(FILES.name, name)


def certificate(name, *hosts):
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=" + ",".join("DNS:" + host for host in hosts), "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-keyout", path(name + ".key"), "-out", path(name + ".pem")],
                   check=True, capture_output=True)
    os.chmod(path(name + ".key"), 0o600)


def write(name, text):
    with open(path(name + ".new"), "w") as f:
        f.write(text)
    os.rename(path(name + ".new"), path(name))


class Server:
    """Sites of one address, each (name, host, tls more); the certificate's files are called as the site is."""

    def __init__(self, backend, *sites):
        self.port, self.clear = free_port(), free_port()
        table = {"environments": [
            {"app": name, "name": "prod", "live": "v1",
             "tls": dict({"certificate": path(name + ".pem"), "key": path(name + ".key"), "hsts": "180d"}, **more,
                         **({"redirect": "127.0.0.1:%d" % self.clear} if "redirect" not in more else {})),
             "routes": [dict({"listen": "127.0.0.1:%d" % self.port}, **({"host": host} if host else {}))],
             "releases": [{"tag": "v1", "weight": "100%", "processes": {"web": ["127.0.0.1:%d" % backend.port]}}]}
            for name, host, more in sites]}
        write("table.json", json.dumps(table))
        davit = os.environ.get("DAVIT") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/davit")
        self.log = open(path("log"), "w+")
        self.process = subprocess.Popen([davit, "gateway", "--table", path("table.json")], stderr=self.log)
        wait_for(self.listens, "the gateway to listen")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.clear), DEADLINE_S).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        assert self.process.wait(DEADLINE_S) == 0

    def shown(self, name, protocols=()):
        """The certificate that a client sees, as OpenSSL tells it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(list(protocols))
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE_S) as sock, \
                context.wrap_socket(sock, server_hostname=name) as secure:
            self.protocol = secure.selected_alpn_protocol()
            der = secure.getpeercert(True)
            if self.protocol == "acme-tls/1":
                self.ends(secure)
        return subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-text"], input=der, check=True,
                              capture_output=True).stdout.decode()

    def ends(self, secure):
        try:
            secure.sendall(b"GET / HTTP/1.1\r\nHost: new.test\r\n\r\n")
            got = secure.recv(100)
        except OSError:
            got = b""
        assert got == b"", "a connection by acme-tls/1 carries requests"

    def ask(self, host, target="/item?n=1", method="GET", headers={}, port=None, connection=None):
        c = connection or http.client.HTTPConnection("127.0.0.1", port or self.clear, timeout=DEADLINE_S)
        c.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in dict({"Host": host}, **headers).items():
            c.putheader(name, value)
        c.endheaders()
        answer = c.getresponse()
        answer.text = answer.read()
        if not connection:
            c.close()
        return answer

    def refused(self, name, protocols=()):
        try:
            self.shown(name, protocols)
        except (ssl.SSLError, ConnectionResetError) as why:
            return str(why)
        raise AssertionError("%s was shown a certificate" % name)


def subject(text):
    return re.search(r"Subject: CN = (\S+)", text).group(1)


def names(backend):
    certificate("wild", "*.shop.test")
    certificate("exact", "pay.shop.test")
    server = Server(backend, ("wild", "a.shop.test", {}), ("exact", "pay.shop.test", {}))
    assert subject(server.shown("a.shop.test")) == "wild"
    assert subject(server.shown("pay.shop.test")) == "exact", "a wildcard came before the exact name"
    assert subject(server.shown("b.a.shop.test")) == "wild", "the first one, for a name of nobody"
    assert subject(server.shown(None)) == "wild"
    server.stop()
    server = Server(backend, ("wild", "a.shop.test", {}), ("exact", "pay.shop.test", {"unnamed": "shown"}))
    assert subject(server.shown("other.test")) == "exact" and subject(server.shown(None)) == "exact"
    assert subject(server.shown("x.shop.test")) == "wild"
    server.stop()
    server = Server(backend, ("wild", "a.shop.test", {"unnamed": "never"}), ("exact", "pay.shop.test", {"unnamed": "never"}))
    assert "UNRECOGNIZED_NAME" in server.refused("other.test").upper().replace(" ", "_")
    server.refused(None)
    assert subject(server.shown("pay.shop.test")) == "exact"
    server.stop()


def redirects(backend):
    certificate("shop", "shop.test")
    server = Server(backend, ("shop", "shop.test", {}), ("wild", None, {}))
    there = "https://shop.test:%d" % server.port
    backend.forget()
    connection = http.client.HTTPConnection("127.0.0.1", server.clear, timeout=DEADLINE_S)
    connection.connect()
    sock = connection.sock
    for host, target, to in (("shop.test", "/item?n=1", "/item?n=1"), ("SHOP.test:80", "/", "/"), ("shop.test.", "//evil.test/x", "//evil.test/x"),
                             ("shop.test", "/?", "/?"), ("shop.test", "http://shop.test/a", "/a"), ("shop.test", "http://shop.test", "/"),
                             ("shop.test", "/.well-known/acme-challenges/x", "/.well-known/acme-challenges/x")):
        for method in "GET", "HEAD", "POST", "DELETE":
            answer = server.ask(host, target, method, {"Content-Length": "0"} if method == "POST" else {}, connection=connection)
            assert answer.status == 308 and answer.headers["Location"] == there + to, (answer.status, answer.headers)
            assert answer.headers["Strict-Transport-Security"] is None and answer.headers["X-Davit-Error"] is None
            assert bool(answer.text) == (method != "HEAD") and answer.headers["Content-Length"] != "0"
            assert connection.sock is sock, "the connection was not kept"
    connection.close()
    assert server.ask("b.shop.test", "/").headers["Location"] == there.replace("shop.test", "b.shop.test") + "/"
    for host in "evil.test", "shop.test.evil.test", "127.0.0.1", "[::1]", "xshop.test", "a.b.shop.test", "shop.test@evil.test", ".", "":
        answer = server.ask(host)
        assert answer.status in (400, 421) and answer.headers["Location"] is None, (host, answer.status)
    answer = server.ask("shop.test", "http://evil.test/")
    assert answer.status in (400, 421) and answer.headers["Location"] is None, (answer.status, answer.headers["Location"])
    long = "/" + "x" * 6000
    assert server.ask("shop.test", long).headers["Location"] == there + long
    assert not backend.seen(), "a request in clear reached the application"
    server.stop()


def challenges(backend):
    directory = path("challenges")
    os.makedirs(directory, exist_ok=True)
    write("challenges/" + TOKEN, ANSWER)
    os.symlink("/etc/hostname", path("challenges/linked"))
    with open(path("challenges/large"), "w") as f:
        f.write("x" * 5000)
    more = {"challenges": directory}
    for suffix in ".pem", ".key":
        if os.path.exists(path("new" + suffix)):
            os.unlink(path("new" + suffix))
    server = Server(backend, ("new", "new.test", more), ("shop", "shop.test", {}))
    at = "/.well-known/acme-challenge/"
    # A site without a certificate: a stand-in, and both ways to ask.
    assert subject(server.shown("new.test")) == "davit"
    for method in "GET", "HEAD":
        answer = server.ask("new.test", at + TOKEN, method)
        assert (answer.status, answer.text) == (200, ANSWER.encode() if method == "GET" else b""), answer.text
        assert answer.headers["Content-Length"] == str(len(ANSWER)) and answer.headers["X-Davit-Error"] is None
    for token in "nobody", "linked", "large", "../" + TOKEN, "..", ".", "%2e%2e%2fkey", TOKEN + "/", "x" * 200, "alpn.new.test":
        answer = server.ask("new.test", at + token)
        assert answer.status == 404, (token, answer.status)
    assert server.ask("shop.test", at + TOKEN).status == 404, "another site's challenge"
    assert server.ask("evil.test", at + TOKEN).status == 421
    assert server.ask("new.test", at + TOKEN, "POST", {"Content-Length": "0"}).status == 308
    digest = hashlib.sha256(ANSWER.encode()).digest()
    write("challenges/alpn.new.test", base64.urlsafe_b64encode(digest).rstrip(b"=").decode())
    text = server.shown("new.test", ["acme-tls/1"])
    assert server.protocol == "acme-tls/1" and "DNS:new.test" in text
    assert re.search(r"1\.3\.6\.1\.5\.5\.7\.1\.31: critical\s+\S+", text), text
    for name, protocols in ("shop.test", ["acme-tls/1"]), (None, ["acme-tls/1"]):
        server.refused(name, protocols)
    server.shown("new.test", ["acme-tls/1", "http/1.1"])
    assert server.protocol == "http/1.1", "acme-tls/1 is offered alone"
    os.unlink(path("challenges/alpn.new.test"))
    server.refused("new.test", ["acme-tls/1"])
    # The certificate comes: by rename, one file for both.
    certificate("made", "new.test")
    os.rename(path("made.key"), path("new.key"))
    os.rename(path("made.pem"), path("new.pem"))
    wait_for(lambda: all(subject(server.shown("new.test")) == "made" for _ in range(8)), "the certificate")
    server.stop()


def main():
    backend, report = Backend(), Report()
    for case in names, redirects, challenges:
        report.case(case.__name__, lambda: case(backend))
    assert not backend.broken, backend.broken
    report.end()


main()
