#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many at once: requests that are held and then let go, WebSockets through a drain, weights that change under strict load.

many.py held|sockets|weights|tls=N. As large as the machine's limit of open files lets them be; CI runs a part of it.
"""
import atexit, collections, json, os, re, selectors, signal, socket, struct, subprocess, sys, tempfile, threading, time

from http2_kit import untrusting
from kit import Closed, Gateway, Report, Stream, free_port, read_response, wait_for

HELD_MAX_BYTES = 8192  # a held request may take so much of the gateway's memory
HOLD_S = 10
ASK = b"GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
FRAME = b"\x82\xfe" + struct.pack(">H", 1000) + b"\0\0\0\0" + b"x" * 1000  # from a client: masked, with zeros


started = []


@atexit.register
def stop_all():
    for process in started:
        process.kill()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


class App:
    """The application of the system tests."""

    def __init__(self, version):
        build = os.environ.get("BUILD") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build")
        self.port, self.dir = free_port(), tempfile.TemporaryDirectory()
        with open(os.path.join(self.dir.name, "release.conf"), "w") as f:
            f.write("version=%s\nport=%d\n" % (version, self.port))
        self.process = subprocess.Popen([os.path.join(build, "tests/system/app")], cwd=self.dir.name, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        started.append(self.process)
        wait_for(self.listens, "the application to listen")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()


class Table(Gateway):
    """A gateway whose table changes."""

    def __init__(self, *backends, **more):
        super().__init__(*backends, **more)
        started.append(self.process)

    def change(self, edit):
        path = os.path.join(self.dir.name, "table.json")
        with open(path) as f:
            table = json.load(f)
        edit(table)
        with open(path + ".new", "w") as f:
            json.dump(table, f)
        os.rename(path + ".new", path)
        self.process.send_signal(signal.SIGHUP)

    def memory(self):
        """Proportional bytes of all of its processes."""
        pids = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        total = 0
        for pid in pids:
            with open("/proc/%s/smaps_rollup" % pid) as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1)) * 1024
        return total


class Client:
    """One connection of many, which wait for what comes without a thread of their own."""

    def __init__(self, port, says):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.sendall(says)
        self.sock.setblocking(False)
        self.got, self.ended, self.at = b"", False, None

    def read(self):
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.got += data
        self.ended |= not data
        self.at = time.monotonic()


class Crowd:
    def __init__(self, port, size, says):
        self.selector, self.clients = selectors.DefaultSelector(), []
        for _ in range(size):
            c = Client(port, says)
            self.clients.append(c)
            self.selector.register(c.sock, selectors.EVENT_READ, c)

    def read(self, seconds):
        for key, _ in self.selector.select(seconds):
            key.data.read()
            if key.data.ended:
                self.selector.unregister(key.data.sock)

    def until(self, condition, seconds, what):
        until = time.monotonic() + seconds
        left = [c for c in self.clients if not condition(c)]
        while left:
            assert time.monotonic() < until, "%d of %d wait in vain for %s" % (len(left), len(self.clients), what)
            self.read(0.2)
            left = [c for c in left if not condition(c)]

    def during(self, seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.read(left)

    def close(self):
        for c in self.clients:
            c.sock.close()


def set_mode(mode):
    return lambda table: table["environments"][0].update(mode=mode)


def settled(gateway, crowd):
    """The gateway's memory once it does not move any more: whoever came first has been read, and is held."""
    before, now = 0, gateway.memory()
    while now != before:
        crowd.during(0.5)
        before, now = now, gateway.memory()
    return now


def held(size):
    """A recreate: its requests wait until there is somebody to ask again."""
    app = App("v1")
    gateway = Table([app], mode="park", hold={"requests": size + 10, "bytes": "256MiB", "time": "60s", "pace_per_s": 5000},
                    limits={"connections": 19000, "backend_connections": 256})
    few = size // 4  # what a gateway takes once, for the first of all, is not counted for the rest
    crowds, each = [Crowd(gateway.port, few, ASK)], []
    before = settled(gateway, crowds[0])
    crowds.append(Crowd(gateway.port, size - few, ASK))
    crowds[1].during(HOLD_S if size >= 10000 else 0.5)

    def parked():  # on a busy machine the last of them are read a little later
        each.append((gateway.memory() - before) / (size - few))
        return each[-1] <= HELD_MAX_BYTES
    try:
        wait_for(parked, "all to be held within %d bytes each" % HELD_MAX_BYTES)
    finally:
        print("# %d requests held, %d bytes each" % (size, each[-1]))
    assert not any(c.got or c.ended for crowd in crowds for c in crowd.clients), "somebody was answered while nobody served"
    gateway.change(set_mode("serve"))
    for crowd in crowds:
        crowd.until(lambda c: c.ended or b"\r\n\r\n" in c.got, 60, "an answer")
    statuses = sorted({c.got[:12] for crowd in crowds for c in crowd.clients})
    for crowd in crowds:
        crowd.close()
    assert statuses == [b"HTTP/1.1 200"], statuses
    assert gateway.stop() == 0
    app.stop()


def sockets(size):
    """WebSockets through a gateway's end: each with a Close of 1012 behind a whole frame, not all at once, none left."""
    app = App("v1")
    gateway = Table([app], limits={"connections": 19000, "backend_connections": 8192})
    crowd = Crowd(gateway.port, size, UPGRADE)
    crowd.until(lambda c: c.ended or c.got.endswith(b"\r\n\r\n"), 60, "its tunnel")
    for c in crowd.clients:
        c.sock.send(FRAME)
    crowd.until(lambda c: c.ended or len(c.got.partition(b"\r\n\r\n")[2]) >= 1004, 60, "its echo")
    assert not any(c.ended for c in crowd.clients), next(c.got for c in crowd.clients if c.ended)[:200]
    begun = time.monotonic()
    gateway.process.send_signal(signal.SIGTERM)
    crowd.until(lambda c: c.ended, 60, "its end")
    for c in crowd.clients:
        frames = c.got.partition(b"\r\n\r\n")[2]
        assert frames[1004:1008] == b"\x88" + frames[1005:1006] + struct.pack(">H", 1012), frames[1000:1020]
    ends = sorted(c.at - begun for c in crowd.clients)
    crowd.close()
    spread = ends[-size // 10] - ends[size // 10]
    assert spread > 0.2, "all but a fifth ended within %.2f s" % spread
    print("# %d WebSockets closed by 1012, within %.1f s" % (size, ends[-1]))
    assert gateway.process.wait(30) == 0
    app.stop()


def change_weights(gateway, changes):
    for i in range(changes):
        live = "v1" if i // 10 % 2 == 0 else "v2"  # every tenth change is a switch
        other = (i * 997) % 5000

        def edit(table):
            e = table["environments"][0]
            e["live"] = live
            for r in e["releases"]:
                bp = 10000 - other if r["tag"] == live else other
                r["weight"] = "%d.%02d%%" % (bp // 100, bp % 100)

        gateway.change(edit)
        time.sleep(0.02)  # what is measured here is change beside change, and not whether one is taken


def release(tag, app, weight):
    return {"tag": tag, "weight": weight, "processes": {"web": ["127.0.0.1:%d" % app.port]}}


def weights(changes):
    """A strict load of connections that are kept, streams and WebSockets while weights change and releases are switched."""
    apps = [App("v1"), App("v2")]
    gateway = Table([apps[0]], releases=[release("v1", apps[0], "90%"), release("v2", apps[1], "10%")])
    build = os.environ.get("BUILD") or "build"
    out, stop = os.path.join(gateway.dir.name, "load.json"), os.path.join(gateway.dir.name, "stop")
    load = subprocess.Popen([os.path.join(build, "tests/load/davit-load"), "--url", "http://127.0.0.1:%d" % gateway.port, "--rate", "300",
                             "--stop-file", stop, "--out", out, "--mix", "get=66,post=20,slow=4,sse=5,ws=5", "--connections", "48",
                             "--ws-connections", "6"])
    over2 = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "http2_load.py"), str(gateway.port),
                              "/up", "2", "4"], stdout=subprocess.PIPE, text=True)
    started.extend([load, over2])
    wait_for(lambda: os.path.exists(out) and os.path.getsize(out), "the load to run")
    change_weights(gateway, changes)
    open(stop, "w").close()
    load.wait(60)
    over2.terminate()
    two = json.loads(over2.communicate(timeout=60)[0])
    with open(out) as f:
        one = json.loads(f.read().splitlines()[-1])
    print("#", changes, "changes; HTTP/1:", {k: v for k, v in one.items() if isinstance(v, int)}, "HTTP/2:", two)
    assert load.returncode == 0, "the load has failures"
    assert two["failed"] == two["hung"] == 0 and two["answered"] > 0
    assert gateway.stop() == 0
    for app in apps:
        app.stop()


class Keeper(threading.Thread):
    """A user of HTTP/1.1 by TLS, whose connection stays until it is told that it ends."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.counts, self.stopped = port, collections.Counter(), False
        self.start()

    def run(self):
        while not self.stopped:
            try:
                sock = untrusting().wrap_socket(socket.create_connection(("127.0.0.1", self.port), 10))
                stream, answer = Stream(sock), None
                while not self.stopped and not (answer and answer.get(b"connection") == b"close"):
                    sock.sendall(ASK)
                    answer = read_response(stream)
                    self.counts["answered" if answer.status == 200 else "failed"] += 1
                sock.close()
            except (OSError, Closed) as why:
                self.counts["failed"] += 1
                print("# by TLS:", repr(why), flush=True)


def tls(changes):
    """The same by TLS: HTTP/1.1 on connections that stay, and HTTP/2 by ALPN."""
    apps = [App("v1"), App("v2")]
    with tempfile.TemporaryDirectory() as place:
        key, cert = os.path.join(place, "key"), os.path.join(place, "cert")
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=a", "-addext", "subjectAltName=DNS:a", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", cert], check=True, capture_output=True)
        gateway = Table([apps[0]], tls={"certificate": cert, "key": key},
                        releases=[release("v1", apps[0], "90%"), release("v2", apps[1], "10%")])
        keepers = [Keeper(gateway.port) for _ in range(4)]
        over2 = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "http2_load.py"), str(gateway.port),
                                  "/up", "2", "4", "tls"], stdout=subprocess.PIPE, text=True)
        started.append(over2)
        wait_for(lambda: all(k.counts["answered"] for k in keepers), "the load to run")
        change_weights(gateway, changes)
        for k in keepers:
            k.stopped = True
        for k in keepers:
            k.join(20)
        over2.terminate()
        two, one = json.loads(over2.communicate(timeout=60)[0]), sum((k.counts for k in keepers), collections.Counter())
        print("#", changes, "changes by TLS; HTTP/1:", dict(one), "HTTP/2:", two)
        assert one["failed"] == 0 and one["answered"] > 0
        assert two["failed"] == two["hung"] == 0 and two["answered"] > 0
        assert gateway.stop() == 0
    for app in apps:
        app.stop()


def main():
    report = Report()
    for what in sys.argv[1:]:
        name, _, size = what.partition("=")
        run = {"held": held, "sockets": sockets, "weights": weights, "tls": tls}[name]
        report.case(what, lambda: run(int(size)))
    report.end()


main()
