#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that keeps the load generator's agreement, except where MODE tells it to break it.

usage: misbehave.py MODE [EVERY]    prints its port, then serves until killed; every EVERYth request misbehaves
"""
import hashlib, base64, re, socket, struct, sys, threading, time

MODE, EVERY = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
lock, counter = threading.Lock(), 0
last_id = "none"


def digest(data):
    d = 0xcbf29ce484222325
    for byte in data:
        d = (d ^ byte) * 0x100000001b3 % 2 ** 64
    return "%016x" % d


class Stream:
    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise EOFError
        self.data += piece

    def until(self, mark):
        while mark not in self.data:
            self.more()
        head, self.data = self.data.split(mark, 1)
        return head

    def exactly(self, size):
        while len(self.data) < size:
            self.more()
        head, self.data = self.data[:size], self.data[size:]
        return head


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise EOFError


def read_request(stream):
    lines = stream.until(b"\r\n\r\n").decode().split("\r\n")
    fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    body = b""
    if "content-length" in fields:
        body = stream.exactly(int(fields["content-length"]))
    elif fields.get("transfer-encoding") == "chunked":
        while size := int(stream.until(b"\r\n"), 16):
            body += stream.exactly(size)
            stream.until(b"\r\n")
        stream.until(b"\r\n")
    method, target, _ = lines[0].split(" ")
    return method, target, fields, body


def answer(request_id, body, extra="", status="200 OK", told=None, is_signed=True):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}"
    if is_signed:
        head += f"X-Release: v1\r\nX-Load-Id: {request_id}\r\nX-Body-Digest: {told or digest(body)}\r\n"
    return head.encode() + b"\r\n" + body


def frame(opcode, payload):
    assert len(payload) < 65536
    length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack(">H", len(payload))
    return bytes([0x80 | opcode]) + length + payload


def read_frame(stream):
    first, size = stream.exactly(2)
    size &= 127
    if size == 126:
        size = struct.unpack(">H", stream.exactly(2))[0]
    mask = stream.exactly(4)
    return first & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(stream.exactly(size)))


def websocket(stream, fields):
    key = fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    stream.sock.sendall(("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                         f"X-Release: v1\r\nSec-WebSocket-Accept: {accept}\r\n\r\n").encode())
    for count in range(1, 10 ** 9):
        opcode, payload = read_frame(stream)
        if opcode == 8:
            return
        if count % EVERY or not MODE.startswith("ws-"):
            stream.sock.sendall(frame(1, payload))
        elif MODE == "ws-moved":
            stream.sock.sendall(frame(8, struct.pack(">H", 1012)))
            return
        elif MODE == "ws-torn":
            stream.sock.sendall(frame(1, payload)[:3])
            return
        elif MODE == "ws-error":
            stream.sock.sendall(frame(8, struct.pack(">H", 1011)))
            return
        elif MODE == "ws-twice":
            stream.sock.sendall(frame(1, payload) * 2)
        elif MODE == "ws-wrong":
            stream.sock.sendall(frame(1, payload + b"!"))


def events(stream, request_id, target, bad):
    count, start = (int(re.search(k + r"=(\d+)", target)[1]) for k in ("n", "from"))
    chunk = lambda text: b"%x\r\n%s\r\n" % (len(text), text)
    stream.sock.sendall(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Release: v1\r\nX-Load-Id: {request_id}\r\n\r\n".encode())
    for k in range(start, count + 1):
        if bad and MODE == "sse-early" and k == 2:
            break
        if bad and MODE == "sse-torn" and k == 2:
            raise EOFError
        if bad and MODE == "sse-skip" and k == 2:
            continue
        stream.sock.sendall(chunk(b"data: %s %s\n\n" % (request_id.encode(), b"end" if k == count else b"%d" % k)))
    stream.sock.sendall(b"0\r\n\r\n")


def misbehave(stream, request_id, body, extra):
    send = stream.sock.sendall
    good = answer(request_id, body, extra)
    if MODE == "lose":
        time.sleep(3600)
    elif MODE == "twice":
        send(good + good)
    elif MODE == "wrong-id":
        send(answer(request_id[:-1] + "x", body, extra))
    elif MODE == "old-id":
        send(answer(last_id, body, extra))
    elif MODE == "corrupt":
        send(answer(request_id, b"?" + body[1:], extra, told=digest(body)))
    elif MODE == "short":
        send(answer(request_id, body[:-1], extra))
    elif MODE == "truncate":
        send(good[:-1])
        raise EOFError
    elif MODE == "close":
        raise EOFError
    elif MODE == "reset":
        reset(stream.sock)
    elif MODE == "error":
        send(answer(request_id, b"", status="500 No"))
    elif MODE == "refuse":
        send(answer(request_id, b"", status="409 No"))
    elif MODE == "gateway":
        send(answer(request_id, b"", "X-Davit-Error: reset\r\n", status="502 No", is_signed=False))
    elif MODE == "unsigned":
        send(answer(request_id, body, is_signed=False))
    elif MODE == "garbage":
        send(b"SMTP 220 hello\r\n\r\n")
    elif MODE == "two-lengths":
        send(answer(request_id, body, extra + "Content-Length: 1\r\n"))
    elif MODE == "post-digest":
        send(answer(request_id, body, extra.replace("X-Request-Digest: ", "X-Request-Digest: 0")))
    else:
        send(good)


def serve(sock):
    global counter, last_id
    stream = Stream(sock)
    try:
        while True:
            method, target, fields, sent = read_request(stream)
            request_id = fields["x-load-id"]
            with lock:
                counter += 1
                bad = counter % EVERY == 0
            if target == "/ws":
                websocket(stream, fields)
                return
            if target.startswith("/events"):
                events(stream, request_id, target, bad)
                continue
            size = re.search(r"bytes=(\d+)", target)
            body, extra = b"x" * (int(size[1]) if size else 2), ""
            if method == "POST":
                extra = f"X-Request-Bytes: {len(sent)}\r\nX-Request-Digest: {digest(sent)}\r\n"
            if bad:
                misbehave(stream, request_id, body, extra)
            else:
                sock.sendall(answer(request_id, body, extra))
                last_id = request_id
    except (EOFError, ConnectionError):
        pass
    finally:
        sock.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=512)
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
