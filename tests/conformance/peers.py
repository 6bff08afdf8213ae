# SPDX-License-Identifier: Apache-2.0
"""The same requests and answers to davit and to its peers: HAProxy and nginx as gateways, node and h11 as ends.

What davit takes and two of the peers refuse is a failure, as is what two of them read alike and davit otherwise. A peer
that is not installed is left out, with a sentence; with fewer than two there is nothing to compare, and the run is
skipped (exit 77). That davit refuses more than they do is no failure: its rules are stricter on purpose.
"""
import json, os, re, shutil, signal, socket, subprocess, sys, tempfile, threading

import desync, table_requests, table_responses
from kit import Backend, Closed, Gateway, Malformed, Message, Report, Stream, free_port, read_body, read_head, read_response, wait_for
from recorder import Recorder

HASTE_S = 1  # a peer that says nothing for so long has nothing to say

# What two peers refuse and davit takes nevertheless, with the reason. Every name must be needed.
METHOD = "any token is a method (RFC 9110, 9.1); nginx and node know a list of them"
ACCEPTED = {
    "line-good get / HTTP/1.1": METHOD, "method-mixed-case": METHOD, "method-all-of-a-token": METHOD, "length-too-small-by-a-token": METHOD,
    "coding-blanks": "blanks around a value are no part of it (RFC 9110, 5.5); nginx and node compare with them",
    "answer interim-connection": "it is about the hop (RFC 9110, 7.6.1); nginx takes no 103, node ends at this one",
}

HAPROXY = """
global
    tune.bufsize 65536
defaults
    mode http
    timeout connect 2s
    timeout client 2s
    timeout server 2s
    retries 0
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    http-reuse never
    server one 127.0.0.1:{backend}
"""

NGINX = """
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log crit;
events {{ worker_connections 256; }}
http {{
    access_log off;
    large_client_header_buffers 4 64k;
    proxy_buffer_size 64k;
    proxy_buffers 8 64k;
    proxy_busy_buffers_size 128k;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{backend};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_ignore_client_abort on;
        }}
    }}
}}
"""

# Says every request that it has taken whole, and every connection that is over, as a line of JSON. Asked by a line
# with a port, it is a client and says what it got.
NODE = """
const http = require('http'), rl = require('readline');
const say = (what) => process.stdout.write(JSON.stringify(what) + '\\n');
const whole = (q, s) => { const b = []; q.on('data', (d) => b.push(d)); q.on('end', () => { s.end();
    say({ port: q.socket.remotePort, method: q.method, target: q.url, body: Buffer.concat(b).toString('hex') }); }); };
const server = http.createServer({ maxHeaderSize: 65536 }, whole);
server.on('upgrade', (q, socket) => { say({ port: socket.remotePort, method: q.method, target: q.url, body: '' });
    socket.end('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'); });
server.on('connection', (c) => { const port = c.remotePort; c.on('close', () => say({ port, over: true })); });
server.listen(0, '127.0.0.1', () => say({ listens: server.address().port }));
rl.createInterface({ input: process.stdin }).on('line', (line) => {
    const { port, method, headers } = JSON.parse(line);
    let said = false;
    const once = (what) => { if (!said) { said = true; say(what); } };
    const q = http.request({ port, host: '127.0.0.1', path: '/case', method, headers, agent: false, maxHeaderSize: 65536 }, (s) => {
        const b = []; s.on('data', (d) => b.push(d));
        s.on('end', () => once(s.complete ? { status: s.statusCode, body: Buffer.concat(b).toString('hex') } : { status: 0 }));
        s.on('error', () => once({ status: 0 })); });
    q.on('error', () => once({ status: 0 }));
    q.on('upgrade', (s, socket) => { socket.destroy(); once({ status: 101, body: '' }); });
    q.setTimeout(2000, () => q.destroy());
    q.end();
});
"""


def lenient_request(stream):
    """A request as a gateway hands it on, whatever its version says."""
    start, fields = read_head(stream)
    message = Message(start, fields, b"")
    message.body = read_body(stream, message, False)
    return message


class Origin(Backend):
    """Behind a gateway: keeps what comes, and answers it, or with the bytes of the case."""

    def __init__(self):
        self.script, self.ends = None, False
        super().__init__(Origin.act)

    def act(self, stream):
        while True:
            message = lenient_request(stream)
            with self.lock:
                self.requests.append(message)
            if message.target == b"/case" and self.script is not None:
                stream.sock.sendall(self.script)
                if self.ends:
                    return
            else:
                body = b"" if message.start.startswith(b"HEAD ") else b"ok"
                stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)


def reading(method, target, body):
    """A request as it was understood; whether the absolute form is kept is a matter of taste."""
    absolute = re.match(rb"(?i)https?://[^/?]*(.*)$", target)
    if absolute:
        target = absolute[1] if absolute[1][:1] == b"/" else b"*" if method == b"OPTIONS" and not absolute[1] else b"/" + absolute[1]
    return method, target, body


def to_the_end(port, sent, answers):
    """Send, read so many answers or as long as one comes, and end; our port. None: whoever is asked answers all that came
    before our end, so that can be said at once."""
    stream = Stream(socket.create_connection(("127.0.0.1", port), HASTE_S))
    stream.sock.settimeout(HASTE_S)
    ours = stream.sock.getsockname()[1]
    try:
        stream.sock.sendall(sent)
        if answers is None:
            stream.sock.shutdown(socket.SHUT_WR)
        while answers is None or len(re.findall(rb"HTTP/1\.1 [2-5]", stream.data)) < answers:
            stream.more()
    except (Closed, OSError):
        pass
    stream.sock.close()
    return ours


class Proxy:
    """A gateway between us and an origin of ours."""

    def __init__(self, name, start):
        self.name, self.origin = name, Origin()
        self.port, self.stop = start(self.origin)

    def messages(self, sent, answers):
        self.origin.forget()
        to_the_end(self.port, sent, answers)
        return [reading(*m.start.split(b" ")[:2], m.body) for m in self.origin.seen()]

    def answer(self, ask, sent, then):
        self.origin.script, self.origin.ends = sent, then == "ends"
        stream = Stream(socket.create_connection(("127.0.0.1", self.port), HASTE_S))
        stream.sock.settimeout(HASTE_S)
        try:
            stream.sock.sendall(ask)
            got = read_response(stream, ask[:4] == b"HEAD")
            return None if stream.reset or got.status in (502, 504) else (got.status, got.body)
        except (Closed, Malformed, OSError, ValueError):
            return None
        finally:
            stream.sock.close()


def started(command, port, directory):
    process = subprocess.Popen(command, cwd=directory.name, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens():
        if process.poll() is not None:
            raise SystemExit("%s ended with %d" % (command[0], process.returncode))
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False
    wait_for(listens, command[0])

    def stop():
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        directory.cleanup()
    return port, stop


def configured(program, template, *arguments):
    def start(origin):
        directory, port = tempfile.TemporaryDirectory(), free_port()
        path = os.path.join(directory.name, "config")
        with open(path, "w") as f:
            f.write(template.format(port=port, backend=origin.port, dir=directory.name))
        return started([program, *arguments, path], port, directory)
    return start


def davit(origin):
    gateway = Gateway([origin])
    return gateway.port, gateway.stop


class Node:
    name = "node"

    def __init__(self, program):
        self.process = subprocess.Popen([program, "-e", NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = self.hear()["listens"]
        self.feeder = Feeder()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("node ended")
        return json.loads(line)

    def messages(self, sent, answers):
        ours, out = to_the_end(self.port, sent, answers), []
        while True:
            said = self.hear()
            if said.get("over") and said["port"] == ours:
                return out
            if said.get("method") and said["port"] == ours:
                out.append(reading(said["method"].encode(), said["target"].encode(), bytes.fromhex(said["body"])))

    def answer(self, ask, sent, then):
        headers = {"Connection": "upgrade", "Upgrade": "websocket"} if b"websocket" in ask else {}
        port = self.feeder.feed(sent, then)
        self.process.stdin.write(json.dumps({"port": port, "method": ask.split(b" ")[0].decode(), "headers": headers}).encode() + b"\n")
        self.process.stdin.flush()
        said = self.hear()
        return (said["status"], bytes.fromhex(said["body"])) if said["status"] else None

    def stop(self):
        self.process.kill()
        self.process.wait()


class Feeder(Backend):
    """To a client that is a peer: one answer, whatever is asked."""

    def __init__(self):
        super().__init__(Feeder.act)
        self.script, self.ends = b"", False

    def feed(self, sent, then):
        self.script, self.ends = sent, then == "ends"
        return self.port

    def act(self, stream):
        stream.until(b"\r\n\r\n")
        stream.sock.sendall(self.script)
        if not self.ends:
            stream.until(b"\r\n\r\n")


class H11:
    name = "h11"

    def __init__(self, h11):
        self.h11 = h11

    def messages(self, sent, answers):
        h11, out = self.h11, []
        peer = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 17)
        peer.receive_data(sent)
        peer.receive_data(b"")
        try:
            while True:
                event = peer.next_event()
                if isinstance(event, h11.Request):
                    method, target, body = event.method, event.target, b""
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    out.append(reading(method, target, body))
                    peer.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                    peer.send(h11.EndOfMessage())
                    if peer.our_state is h11.MUST_CLOSE:
                        return out
                    peer.start_next_cycle()
                else:
                    return out
        except h11.ProtocolError:
            return out

    def answer(self, ask, sent, then):
        h11 = self.h11
        peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 17)
        fields = [("host", "a")] + ([("connection", "upgrade"), ("upgrade", "websocket")] if b"websocket" in ask else [])
        peer.send(h11.Request(method=ask.split(b" ")[0], target=b"/case", headers=fields))
        peer.send(h11.EndOfMessage())
        peer.receive_data(sent)
        if then == "ends":
            peer.receive_data(b"")
        try:
            while True:
                event = peer.next_event()
                if isinstance(event, h11.Response):
                    status, body = event.status_code, b""
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    return status, body
                elif isinstance(event, h11.InformationalResponse):
                    if event.status_code == 101:
                        return 101, b""
                else:
                    return None
        except h11.ProtocolError:
            return None

    def stop(self):
        pass


def find_peers():
    found = [Proxy(name, configured(program, template, *arguments)) for name, program, template, arguments in (
        ("haproxy", shutil.which("haproxy", path="/usr/sbin:" + os.environ["PATH"]), HAPROXY, ("-f",)),
        ("nginx", shutil.which("nginx", path="/usr/sbin:" + os.environ["PATH"]), NGINX, ("-c",))) if program]
    node = shutil.which("node") or shutil.which("nodejs")
    if node:
        found.append(Node(node))
    try:
        import h11
        found.append(H11(h11))
    except ImportError:
        pass
    for name in {"haproxy", "nginx", "node", "h11"} - {p.name for p in found}:
        print("# %s is not installed and is not compared with" % name)
    return found


def all_requests():
    for name, sent, _ in desync.vectors():
        yield "%s %s" % (name, table_requests.text(sent.split(b"\r\n")[0])), sent
    for name, sent, *_ in table_requests.CASES:
        yield name, sent


def by_each(ends, run):
    """What each of them makes of every case; all at a time."""
    out = {}

    def one(end):
        out[end.name] = run(end)
    threads = [threading.Thread(target=one, args=(end,)) for end in ends]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    missing = [end.name for end in ends if end.name not in out]
    assert not missing, "%s did not come to an end" % missing
    return out


def judge(name, ours, theirs, fewer):
    """`fewer(a, b)`: a refused something that b took."""
    refuse = [peer for peer, took in theirs.items() if fewer(took, ours)]
    if name in ACCEPTED:
        assert len(refuse) >= 2, "it need not be an exception any more"
        return
    assert len(refuse) < 2, "davit takes %r, which %s refuse" % (ours, " and ".join(refuse))
    otherwise = [(peer, took) for peer, took in theirs.items() if not fewer(took, ours) and not fewer(ours, took) and took != ours]
    for peer, took in otherwise:
        alike = [p for p, t in otherwise if t == took]
        assert len(alike) < 2, "%s read %r, davit %r" % (" and ".join(alike), took, ours)


def fewer_messages(theirs, ours):
    return len(theirs) < len(ours)


def no_answer(theirs, ours):
    return theirs is None and ours is not None


def compare(report, us, peers, cases, ask, fewer):
    """What davit refuses needs no second opinion. `ask(end, case, ours)`, where ours is what davit made of it, or None."""
    taken = []
    for name, case in cases:
        ours = ask(us, case, None)
        if ours:
            taken.append((name, case, ours))
    theirs = by_each(peers, lambda end: [ask(end, case, ours) for _, case, ours in taken])
    for i, (name, _, ours) in enumerate(taken):
        report.case(name, lambda: judge(name, ours, {p.name: theirs[p.name][i] for p in peers}, fewer))


def ask_request(end, sent, ours):
    return end.messages(sent, len(ours) if ours else None)


def main():
    peers = find_peers()
    if len(peers) < 2:
        print("skipped: fewer than two of HAProxy, nginx, node and python3-h11 are installed")
        sys.exit(77)
    report = Report()
    us = Proxy("davit", davit)
    compare(report, us, peers, all_requests(), ask_request, fewer_messages)
    compare(report, us, peers, (("answer " + name, (ask, sent, then)) for name, ask, sent, then, *_ in table_responses.CASES),
            lambda end, case, ours: end.answer(*case), no_answer)
    for end in [us] + peers:
        end.stop()
    report.end()


if __name__ == "__main__":
    main()
