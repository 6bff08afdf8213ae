#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Users of HTTP/2 until SIGTERM: http2_load.py PORT PATH CONNECTIONS STREAMS [tls]. Strict: what is reset, refused without a word, or lost with its
connection has failed; what a GOAWAY says was not processed is asked again (RFC 9113, 6.8). Prints its counts as JSON.
"""
import collections, json, signal, sys, threading

from http2_kit import *

TLS = sys.argv[5:] == ["tls"]
stopped = threading.Event()
lock = threading.Lock()
counts = collections.Counter()


def count(what):
    with lock:
        counts[what] += 1


def settle(c, waiting):
    """Take those that are over out of `waiting`."""
    for n in list(waiting):
        a = c.answers[n]
        if a.ended:
            count("answered" if a.status == 200 else "failed")
            if a.status != 200:
                print("answered", a.status, file=sys.stderr)
        elif a.reset is not None:
            count("again" if a.reset == REFUSED_STREAM else "failed")
        elif c.goaway_excludes(n):
            count("again")
        elif c.ended:
            count("failed")
        else:
            continue
        waiting.discard(n)
        c.answers.pop(n, None)


def one_connection(port, path, streams):
    c = connect(port, tls=TLS)
    count("connections")
    waiting = set()
    while not c.ended:
        while len(waiting) < streams and not c.goaway and not stopped.is_set():
            waiting.add(c.open(request("GET", path)))
        if not waiting:
            break
        try:
            c.read()
        except Closed:
            pass
        settle(c, waiting)
    settle(c, waiting)
    c.close()


def user(port, path, streams):
    while not stopped.is_set():
        try:
            one_connection(port, path, streams)
        except OSError as why:
            print(why, file=sys.stderr)
            count("failed")


def main():
    port, path, connections, streams = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    users = [threading.Thread(target=user, args=(port, path, streams)) for _ in range(connections)]
    for u in users:
        u.start()
    stopped.wait()
    for u in users:
        u.join(DEADLINE_S)
    counts["hung"] += sum(u.is_alive() for u in users)
    print(json.dumps({k: counts[k] for k in ("answered", "again", "failed", "hung", "connections")}))


main()
