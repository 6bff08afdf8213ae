#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs of other people, made to find what is wrong with a server: slowhttptest, testssl, and WebSockets by
python3-websockets at both ends. With `long` testssl looks for everything, and slowhttptest has ten times the clients."""
import asyncio, json, os, shutil, subprocess, sys, tempfile, threading, time

try:
    import websockets
except ImportError as why:
    print("skipped: %s" % why)
    sys.exit(77)
for program in ("slowhttptest", "testssl"):
    if not shutil.which(program):
        print("skipped: %s is not installed" % program)
        sys.exit(77)
from kit import *

LONG = sys.argv[1:] == ["long"]
CLIENTS = 1000 if LONG else 100
HEADER_S, IDLE_S = 2, 3
GOOD_S = 3  # that a good client waits at most, on a machine that is busy with all of this
CUT_S = 20  # all of them must be gone after that
FILES = tempfile.TemporaryDirectory()
G = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"
# What a certificate that we have made ourselves explains, what the application has to say, and the machine's openssl.
EXPLAINED = ("cert_chain_of_trust", "cert_trust", "cert_revocation", "cert_validityPeriod", "cert_expirationStatus",
             "cert_ocsp", "OCSP_stapling", "DNS_CAArecord", "certificate_transparency", "overall_grade", "cert_notAfter",
             "cert_commonName_wo_SNI", "engine_problem", "security_headers")


def serve(backend, stream):
    while True:
        message = backend.read(stream)
        if message.target.startswith(b"/large"):
            stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4000000)
        else:
            echo(stream, message)


# ---- slowhttptest ----
SLOW = {
    "slow heads": ["-H", "-i", "1"],
    "slow bodies": ["-B", "-i", "1", "-s", "100000", "-x", "10"],
    "ranges without end": ["-R", "-a", "1", "-b", "3000"],
    "slow readers": ["-X", "-n", "1", "-z", "1024", "-w", "256", "-y", "512", "-k", "3"],
}


def slow(gateway, name):
    """Begun together with the others; it ends when none of its clients is connected any more."""
    url = "http://127.0.0.1:%d/%s" % (gateway.port, "large" if name == "slow readers" else "x")
    said = open(os.path.join(FILES.name, name), "w+")
    return said, subprocess.Popen(
        ["slowhttptest", *SLOW[name], "-c", str(CLIENTS), "-r", str(CLIENTS), "-l", str(CUT_S), "-p", "4", "-v", "1", "-u", url],
        stdout=said, stderr=subprocess.STDOUT, cwd=FILES.name)


def all_were_cut(said, process):
    process.wait(3 * CUT_S)
    said.seek(0)
    text = said.read()
    assert "No open connections left" in text, "after %d s: %s" % (CUT_S, text[-400:])


def good_clients(gateway, running):
    """As long as the attacks last; the slowest answer."""
    asked, slowest = 0, 0
    while any(process.poll() is None for _, process in running.values()):
        began = time.monotonic()
        assert gateway.ask(G).status == 200
        slowest, asked = max(slowest, time.monotonic() - began), asked + 1
        select.select([], [], [], 0.01)
    assert asked > 100, "only %d" % asked
    assert slowest < GOOD_S, "a good client waited %.2f s" % slowest


def attacks(report):
    backend = Backend(serve)
    gateway = Gateway([backend], limits={"header": "%ds" % HEADER_S, "client_idle": "%ds" % IDLE_S,
                                         "body_bytes_per_s": 10000}, timeouts={"answer": "5s"})
    running = {name: slow(gateway, name) for name in SLOW}
    report.case("good clients beside %d slow ones" % (CLIENTS * len(SLOW)), lambda: good_clients(gateway, running))
    for name in SLOW:
        report.case("slowhttptest: %s are cut" % name, lambda: all_were_cut(*running[name]))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))


# ---- testssl ----
def certificate():
    key, cert = os.path.join(FILES.name, "key.pem"), os.path.join(FILES.name, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "60", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key,
                    "-out", cert], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return {"certificate": cert, "key": key, "hsts": "180d"}


def look(gateway, parts):
    out = os.path.join(FILES.name, "testssl.json")
    subprocess.run(["testssl", "--warnings", "off", "--color", "0", "--nodns", "none", "--ip", "127.0.0.1", "--jsonfile", out,
                    *parts, "localhost:%d" % gateway.port], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=900 if LONG else 60)
    with open(out) as f:
        found = json.load(f)
    os.unlink(out)
    return found


def findings(gateway, parts):
    """testssl has little patience where a machine is busy, and says so: then it looks once more."""
    found = look(gateway, parts)
    hurried = any(one["severity"] == "WARN" and "connect problem" in one["finding"] for one in found)
    return look(gateway, parts) if hurried else found


def tls_is_sound(gateway):
    found = findings(gateway, [] if LONG else ["-p", "-S", "-h"])
    names = {one["id"]: one["finding"] for one in found}
    bad = ["%(id)s %(severity)s: %(finding)s" % one for one in found
           if one["severity"] not in ("OK", "INFO", "LOW") and not one["id"].startswith(EXPLAINED)]
    assert not bad, "; ".join(bad)
    assert "not offered" in names["TLS1"] and "not offered" in names["TLS1_1"] and "offered" in names["TLS1_3"], names
    assert any(name.startswith("HSTS") for name in names), "it did not come to the head of an answer: %s" % sorted(names)


# ---- WebSockets ----
async def speak(gateway):
    async with websockets.connect("ws://127.0.0.1:%d/echo" % gateway.port, max_size=1 << 22, subprotocols=["a", "b"],
                                  compression="deflate") as ws:
        assert ws.subprotocol == "b", ws.subprotocol
        assert ws.response_headers.get("Sec-WebSocket-Extensions", "").startswith("permessage-deflate")
        for message in ("", "text \u00e9", b"", b"\0\xff" * 1000, "x" * 70000, os.urandom(1 << 20)):
            await ws.send(message)
            assert await ws.recv() == message
        await ws.send(part for part in ["in ", "three ", "parts"])  # fragments
        assert await ws.recv() == "in three parts"
        await asyncio.wait_for(await ws.ping(b"are you there"), DEADLINE_S)
        await asyncio.gather(*(ws.send(str(i)) for i in range(500)))
        assert [await ws.recv() for _ in range(500)] == [str(i) for i in range(500)]
        await ws.send("close me")
        try:
            await ws.recv()
            raise AssertionError("it is not closed")
        except websockets.ConnectionClosed as end:
            assert end.code == 4321 and end.reason == "as you like", (end.code, end.reason)


async def echo_frames(ws, path=None):
    async for message in ws:
        if message == "close me":
            await ws.close(4321, "as you like")
            return
        await ws.send(message)


class WebSocketBackend:
    """python3-websockets on a thread of its own."""

    def __init__(self):
        self.loop, self.port = asyncio.new_event_loop(), 0
        threading.Thread(target=self.run, daemon=True).start()
        wait_for(lambda: self.port, "the backend to listen")

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(websockets.serve(echo_frames, "127.0.0.1", 0, max_size=1 << 22,
                                                               subprotocols=["b"]))
        self.port = server.sockets[0].getsockname()[1]
        self.loop.run_forever()


def many_web_sockets(gateway):
    async def all_of_them():
        await asyncio.wait_for(asyncio.gather(*(speak(gateway) for _ in range(8))), 30)
    asyncio.run(all_of_them())


def main():
    report = Report()
    sockets = Gateway([WebSocketBackend()])
    report.case("WebSockets of python3-websockets: compressed, in fragments, large, closed by the server",
                lambda: many_web_sockets(sockets))
    report.case("that gateway ends in order", lambda: wait_for(lambda: sockets.stop() == 0, "its end"))
    behind_tls = Gateway([Backend(serve)], tls=certificate())
    checked = threading.Thread(target=lambda: report.case("testssl finds nothing above LOW", lambda: tls_is_sound(behind_tls)))
    checked.start()
    attacks(report)
    checked.join()
    report.case("the gateway behind TLS ends in order", lambda: wait_for(lambda: behind_tls.stop() == 0, "its end"))
    report.end()


if __name__ == "__main__":
    main()
