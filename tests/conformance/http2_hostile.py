#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 against those who mean no good, or have bad luck: what one stream does costs the worker nothing, and no other
stream its answer. Each case has a gateway of its own.
"""
import select, socket, struct, sys, threading

try:
    from http2_kit import *
except ImportError as why:
    print("skipped: %s" % why)
    sys.exit(77)
from kit import Backend, Gateway, Report


def ends(gateway):
    """With all workers that it began with: it ends as it was told to."""
    c = connect(gateway.port)
    assert c.ask(request(path="/end")).status == 200
    c.close()
    assert gateway.stop() == 0


def long_connect():
    """The authority of CONNECT is what is asked for, too: of the longest one, all copies have room."""
    gateway = Gateway([Backend()], workers=1)
    witness = connect(gateway.port)
    witness.ask(request())
    c = connect(gateway.port)
    for size in (32000, 32680, 40000):
        a = c.ask([(":method", "CONNECT"), (":authority", "a" * size)])
        assert a.status and a.status >= 400, (size, a.status, a.reset, c.ended)
    assert witness.ask(request()).status == 200, "the same worker still serves"
    ends(gateway)


def main():
    r = Report()
    r.case("the longest authority of CONNECT", long_connect)
    r.end()


main()
