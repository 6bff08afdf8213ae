# SPDX-License-Identifier: Apache-2.0
"""What the conformance tests share: a gateway of one environment, backends that do as a script says, raw
clients, and a strict HTTP/1.1 reader of our own that has nothing in common with davit's.

Nothing sleeps: everything waits for bytes, an end or a condition, with a deadline.
"""
import json, os, random, select, signal, socket, struct, subprocess, sys, tempfile, threading, time

DEADLINE_S = 10


class Closed(Exception):
    """The peer ended the connection before the message was whole."""


class Malformed(Exception):
    """These bytes are not HTTP/1.1 as a strict reader takes it."""


class Stream:
    """A socket with a buffer, read with a deadline."""

    def __init__(self, sock):
        self.sock, self.data, self.taken, self.reset = sock, b"", b"", False
        sock.settimeout(DEADLINE_S)

    def more(self):
        try:
            got = self.sock.recv(65536)
        except ConnectionResetError:
            got, self.reset = b"", True
        if not got:
            raise Closed()
        self.data += got

    def take(self, size):
        while len(self.data) < size:
            self.more()
        out, self.data = self.data[:size], self.data[size:]
        self.taken += out
        return out

    def until(self, mark, limit=1 << 20):
        while mark not in self.data:
            if len(self.data) > limit:
                raise Malformed("no end in sight")
            self.more()
        return self.take(self.data.index(mark) + len(mark))


TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Message:
    def __init__(self, start, fields, body):
        self.start, self.fields, self.body = start, fields, body

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name]

    def get(self, name):
        found = self.all(name)
        return found[0] if found else None

    @property
    def target(self):
        return self.start.split(b" ")[1]

    @property
    def status(self):
        return int(self.start.split(b" ")[1])


def read_head(stream):
    head = stream.until(b"\r\n\r\n")
    lines = head[:-4].split(b"\r\n")
    fields = []
    for line in lines:
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise Malformed("a control byte in %r" % line)
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name or any(c not in TOKEN for c in name):
            raise Malformed("not a field: %r" % line)
        fields.append((name, value.strip(b" \t")))
    return lines[0], fields


def read_chunked(stream):
    body = b""
    while True:
        line = stream.until(b"\r\n", 64)[:-2]
        if not line or any(c not in b"0123456789abcdefABCDEF" for c in line):
            raise Malformed("chunk size %r" % line)
        size = int(line, 16)
        if size == 0:
            break
        body += stream.take(size)
        if stream.take(2) != b"\r\n":
            raise Malformed("chunk without its CRLF")
    while stream.until(b"\r\n") != b"\r\n":
        pass
    return body


def read_body(stream, message, to_close):
    lengths, codings = message.all(b"content-length"), message.all(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Malformed("framed twice: %r" % (message.fields,))
    if codings:
        if codings[0] != b"chunked":
            raise Malformed("coding %r" % codings[0])
        return read_chunked(stream)
    if lengths:
        if not lengths[0].isdigit():
            raise Malformed("length %r" % lengths[0])
        return stream.take(int(lengths[0]))
    if not to_close:
        return b""
    try:
        while True:
            stream.more()
    except Closed:
        return stream.take(len(stream.data))


def read_request(stream):
    start, fields = read_head(stream)
    parts = start.split(b" ")
    if len(parts) != 3 or parts[2] != b"HTTP/1.1":
        raise Malformed("request line %r" % start)
    message = Message(start, fields, b"")
    if len(message.all(b"host")) != 1:
        raise Malformed("%d Hosts" % len(message.all(b"host")))
    message.body = read_body(stream, message, False)
    return message


def read_response(stream, head=False):
    while True:
        start, fields = read_head(stream)
        message = Message(start, fields, b"")
        if message.status >= 200 or message.status == 101:
            break
    if not head and message.status not in (101, 204, 304):
        message.body = read_body(stream, message, True)
    return message


def echo(connection, message):
    """The answer of an honest backend: what it was asked."""
    body = message.start + b"\n" + message.body
    connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return True


class Backend:
    """A listening socket; each connection is served by `serve(backend, stream)` on a thread of its own."""

    def __init__(self, serve=None):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.serve = serve or Backend.honest
        self.lock = threading.Lock()
        self.requests, self.broken, self.streams = [], [], []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = Stream(sock)
            with self.lock:
                self.streams.append(stream)
            threading.Thread(target=self.run, args=(stream,), daemon=True).start()

    def run(self, stream):
        try:
            self.serve(self, stream)
        except (Closed, OSError):
            pass
        except Malformed as why:
            with self.lock:
                self.broken.append(str(why))
        finally:
            stream.sock.close()

    def read(self, stream):
        message = read_request(stream)
        with self.lock:
            self.requests.append(message)
        return message

    def honest(self, stream):
        while True:
            echo(stream, self.read(stream))

    def seen(self):
        with self.lock:
            return list(self.requests)

    def forget(self):
        with self.lock:
            self.requests, self.broken = [], []


def free_port():
    # Below those that the kernel gives to connections: what runs beside us would take it for one.
    while True:
        port = random.randrange(10240, 19240)
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return port
        except OSError:
            continue


class Gateway:
    def __init__(self, backends, limits=None, trusted=None, workers=0, **environment):
        self.port = free_port()
        self.dir = tempfile.TemporaryDirectory()
        path = os.path.join(self.dir.name, "table.json")
        table = {"environments": [dict({
            "app": "shop", "name": "prod", "live": "v1",
            "routes": [{"listen": "127.0.0.1:%d" % self.port}],
            "releases": [{"tag": "v1", "weight": "100%", "processes": {
                "web": ["127.0.0.1:%d" % b.port for b in backends]}}]}, **environment)]}
        if limits:
            table["limits"] = limits
        if trusted:
            table["trusted"] = trusted
        with open(path, "w") as f:
            json.dump(table, f)
        here = os.path.dirname(os.path.abspath(__file__))
        davit = os.environ.get("DAVIT") or os.path.join(here, "../../build/davit")
        self.process = subprocess.Popen([davit, "gateway", "--table", path] + (["--workers", str(workers)] if workers else []))
        wait_for(self.answers, "the gateway to listen")

    def answers(self):
        if self.process.poll() is not None:
            raise SystemExit("the gateway ended with %d" % self.process.returncode)
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Stream(sock)

    def ask(self, raw):
        """Send, and read one answer on a connection of its own."""
        stream = self.connect()
        try:
            stream.sock.sendall(raw)
            return read_response(stream)
        finally:
            stream.sock.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.dir.cleanup()
        return status


def wait_for(condition, what):
    until = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError("waited %d s in vain for %s" % (DEADLINE_S, what))
        select.select([], [], [], 0.002)


def reset(sock):
    """Close with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Report:
    """Counts cases, and ends as every suite of davit does: "N passed, N failed"."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def case(self, name, run):
        try:
            run()
        except Exception as why:
            self.failed += 1
            print("not ok %s: %s: %s" % (name, type(why).__name__, why), flush=True)
        else:
            self.passed += 1
            print("ok %s" % name, flush=True)

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        sys.exit(1 if self.failed or not self.passed else 0)
