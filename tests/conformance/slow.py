# SPDX-License-Identifier: Apache-2.0
"""Slow and greedy clients: they are cut off by deadlines for a whole phase, not for a read, and while they try, the
others are served and the gateway's memory stays bounded.
"""
import socket, threading, time

from kit import Backend, Closed, Gateway, Report, Stream, echo, read_response, wait_for

HEADER_S, IDLE_S, RATE = 2, 3, 10000
CUT_S = 30  # a client that is too slow for the rate must be gone after that
CROWD = 300
MEMORY_KB = 64 * 1024  # what the gateway may grow by under any of this

G = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"


def serve(backend, stream):
    while True:
        message = backend.read(stream)
        if message.target == b"/flood":
            stream.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            stream.sock.settimeout(2 * CUT_S)
            sent, block = 0, b"x" * 65536
            try:
                while sent < 1000000000:
                    sent += stream.sock.send(block)
                    backend.flooded = sent
            finally:
                backend.cut.set()
        echo(stream, message)


def resident_kb(gateway):
    """Of the gateway and all its workers."""
    total, pids = 0, [gateway.process.pid]
    for pid in pids:
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                pids += [int(c) for c in f.read().split()]
            with open("/proc/%d/status" % pid) as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))
        except OSError:
            pass
    return total


def drip(client, raw, pause_s, until_s):
    """Send byte by byte until it is over; the answer, or None when there was none, and how long it took."""
    began = time.monotonic()
    client.sock.settimeout(pause_s)
    for byte in range(len(raw)):
        try:
            client.sock.sendall(raw[byte:byte + 1])
        except OSError:
            break
        try:
            client.more()
            break
        except (socket.timeout, TimeoutError):
            pass
        except Closed:
            return None, time.monotonic() - began
        if time.monotonic() - began > until_s:
            raise AssertionError("still open after %d s" % until_s)
    client.sock.settimeout(10)
    try:
        return read_response(client).status, time.monotonic() - began
    except Closed:
        return None, time.monotonic() - began


def expect_good(gateway, count=20):
    """Requests of good clients; the slowest must not have waited for the bad ones."""
    slowest = 0
    for _ in range(count):
        began = time.monotonic()
        assert gateway.ask(G).status == 200
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1, "a good client waited %.2f s" % slowest


def a_head_must_be_there_in_time(gateway):
    status, took = drip(gateway.connect(), G[:-2] + b"X: y\r\n" * 1000, 0.05, HEADER_S * 3)
    assert status == 408, "got %s" % status
    assert HEADER_S * 0.8 < took < HEADER_S * 2.5, "it took %.1f s" % took


def a_crowd_of_slow_heads_holds_nobody_up(gateway):
    before = resident_kb(gateway)
    crowd = [gateway.connect() for _ in range(CROWD)]
    for client in crowd:
        client.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1000)
    expect_good(gateway)
    grown = resident_kb(gateway) - before
    assert grown < MEMORY_KB, "%d slow heads cost %d KB" % (CROWD, grown)
    for client in crowd:
        assert read_response(client).status == 408
        client.sock.close()


def silent_connections_are_closed(gateway):
    began = time.monotonic()
    crowd = [gateway.connect() for _ in range(CROWD)]
    expect_good(gateway)
    for client in crowd:
        try:
            client.more()
            assert False, "a silent client got %r" % client.data[:60]
        except Closed:
            pass
        client.sock.close()
    took = time.monotonic() - began
    assert took < IDLE_S * 3, "it took %.1f s" % took


def an_idle_kept_connection_is_closed(gateway):
    client = gateway.connect()
    client.sock.sendall(G)
    assert read_response(client).status == 200
    began = time.monotonic()
    try:
        client.more()
        assert False, "got %r" % client.data[:60]
    except Closed:
        pass
    took = time.monotonic() - began
    assert IDLE_S * 0.8 < took < IDLE_S * 2.5, "after %.1f s" % took


def a_body_must_come_at_a_rate(gateway):
    began = time.monotonic()
    client = gateway.connect()
    client.sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
    status, took = drip(client, b"x" * 1000, 0.1, 20)
    assert status in (408, None), "got %s" % status
    assert took < 15, "it took %.1f s" % took


def a_slow_reader_slows_the_backend_not_the_gateway(gateway, backend):
    before, backend.flooded, backend.cut = resident_kb(gateway), 0, threading.Event()
    client = gateway.connect()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.sendall(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
    client.until(b"\r\n\r\n")
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.5:  # until the backend stands still
        if backend.flooded != last:
            last, since = backend.flooded, time.monotonic()
    assert last < 32 << 20, "the backend could send %d bytes to nobody" % last
    grown = resident_kb(gateway) - before
    assert grown < MEMORY_KB // 8, "it cost %d KB" % grown
    expect_good(gateway)
    # It takes nothing any more: in the end the gateway gives it up, and with it the backend's connection.
    assert backend.cut.wait(CUT_S), "a client that takes nothing is still waited for after %d s" % CUT_S
    client.sock.close()


def pipelined_requests_without_reading_are_bounded(gateway):
    """Ten thousand requests in one go: answered in order once they are read, without a heap of answers."""
    count = 10000
    before = resident_kb(gateway)
    client = gateway.connect()
    raw = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(count))
    sender = threading.Thread(target=client.sock.sendall, args=(raw,), daemon=True)
    sender.start()
    expect_good(gateway)
    for i in range(count):
        answer = read_response(client)
        assert answer.body.startswith(b"GET /%d " % i), "answer %d is %r" % (i, answer.body[:40])
    grown = resident_kb(gateway) - before
    assert grown < MEMORY_KB // 8, "it cost %d KB" % grown
    sender.join(10)
    client.sock.close()


def large(gateway, raw, *statuses):
    client = gateway.connect()
    try:
        client.sock.sendall(raw)
    except OSError:
        pass
    try:
        status = read_response(client).status
    except Closed:
        status = None
    assert status in statuses, "got %s" % status
    client.sock.close()


def connections_that_break_off_leave_nothing(gateway, backend):
    """Half a request, then gone, a thousand times, at every place."""
    raw = b"POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + b"x" * 100
    for turn in range(1000):
        client = gateway.connect()
        client.sock.sendall(raw[:turn % len(raw)])
        client.sock.close()
    expect_good(gateway)
    backend.forget()
    whole = gateway.ask(raw.replace(b"/gone", b"/whole"))
    assert whole.status == 200 and whole.body.endswith(b"x" * 100)


def main():
    report = Report()
    backend = Backend(serve)
    gateway = Gateway([backend], limits={"header": "%ds" % HEADER_S, "client_idle": "%ds" % IDLE_S,
                                         "body_bytes_per_s": RATE}, body_max="2MiB")
    for run in (a_head_must_be_there_in_time, a_crowd_of_slow_heads_holds_nobody_up, silent_connections_are_closed,
                an_idle_kept_connection_is_closed, a_body_must_come_at_a_rate,
                pipelined_requests_without_reading_are_bounded):
        report.case(run.__name__.replace("_", " "), lambda: run(gateway))
    report.case("a slow reader slows the backend, not the gateway",
                lambda: a_slow_reader_slows_the_backend_not_the_gateway(gateway, backend))
    report.case("connections that break off leave nothing",
                lambda: connections_that_break_off_leave_nothing(gateway, backend))
    for name, raw, statuses in (
            ("a target of 64 KB", b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (414,)),
            ("a field of 64 KB", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 65536 + b"\r\n\r\n", (431,)),
            ("a thousand fields", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 1000 + b"\r\n", (431,)),
            ("a method of 1 KB", b"A" * 1024 + b" / HTTP/1.1\r\nHost: a\r\n\r\n", (501, 414)),
            ("a declared body over the limit",
             b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n", (413,)),
            ("a chunked body over the limit", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
             b"10000\r\n" + b"x" * 65536 + b"\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 40, (413, None))):
        report.case(name, lambda: large(gateway, raw, *statuses))
    report.case("good clients at the end", lambda: expect_good(gateway, 200))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))
    report.end()


if __name__ == "__main__":
    main()
