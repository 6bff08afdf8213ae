# SPDX-License-Identifier: Apache-2.0
"""Forged fields: what a client says about itself is not believed, and nobody gets onto a release that the weights do
not give him: not by a guessed preview token, not by a cookie of his own making.
"""
from kit import Backend, Gateway, Report, wait_for

LIE = b"6.6.6.6"
TOKEN = b"a-Preview-Token-0123456789"
BELIEVED = (b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"X-Forwarded-Port", b"X-Real-IP",
            b"Forwarded", b"X-Davit-Shadow", b"X-Davit-Preview")


def variants():
    """(name, fields of a request, may it be refused) - none of them may carry the lie to the backend."""
    for name in BELIEVED:
        yield name, b"%s: %s\r\n" % (name, LIE), False
        yield name + b" lower case", b"%s:%s\r\n" % (name.lower(), LIE), False
        yield name + b" twice", b"%s: %s\r\n%s: 7, %s\r\n" % (name, LIE, name.upper(), LIE), False
        yield name + b" nominated", b"Connection: %s\r\n%s: %s\r\n" % (name, name, LIE), False
        yield name + b" underscores", b"%s: %s\r\n" % (name.replace(b"-", b"_"), LIE), True
    yield b"Connection hides ours", b"Connection: x-forwarded-for, x-forwarded-proto, x-request-id, via, host\r\n", False
    yield b"Proxy-Connection", b"Proxy-Connection: keep-alive, %s\r\n" % LIE, False
    yield b"Keep-Alive", b"Keep-Alive: timeout=%s\r\n" % LIE, False
    yield b"Proxy-Authorization", b"Proxy-Authorization: Basic %s\r\n" % LIE, False
    yield b"Upgrade", b"Connection: upgrade\r\nUpgrade: %s\r\n" % LIE, False
    yield b"HTTP2-Settings", b"Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: %s\r\n" % LIE, False


def try_lie(gateway, backend, fields, may_refuse):
    backend.forget()
    answer = gateway.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
    if may_refuse and answer.status == 400:
        assert not backend.seen()
        return
    assert answer.status == 200, "got %d" % answer.status
    request, = backend.seen()
    shown = b"\n".join(n + b": " + v for n, v in request.fields if n.lower() != b"x-request-id")
    # A field that only looks like one of these to some frameworks must not get through either.
    assert LIE not in shown, "the backend was told %r" % shown
    assert request.all(b"x-forwarded-for") == [b"127.0.0.1"], request.all(b"x-forwarded-for")
    assert request.all(b"x-forwarded-proto") == [b"http"]
    assert request.all(b"x-forwarded-host") == [b"a"]
    assert request.all(b"host") == [b"a"]
    assert len(request.all(b"x-request-id")) == 1 and request.get(b"x-request-id")
    assert not request.all(b"x-davit-preview") and not request.all(b"x-davit-shadow")


def a_trusted_peer_is_believed():
    backend = Backend()
    gateway = Gateway([backend], trusted=["127.0.0.0/8"])
    try:
        gateway.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\r\n")
        request, = backend.seen()
        assert request.all(b"x-forwarded-for") == [b"6.6.6.6, 127.0.0.1"], request.all(b"x-forwarded-for")
        assert request.all(b"x-forwarded-proto") == [b"https"], request.all(b"x-forwarded-proto")
    finally:
        gateway.stop()


def releases(v1, v2, weight):
    def web(backend):
        return {"web": ["127.0.0.1:%d" % backend.port]}
    return [{"tag": "v2", "weight": "%d%%" % weight, "preview": TOKEN.decode(), "processes": web(v2)},
            {"tag": "v1", "weight": "%d%%" % (100 - weight), "processes": web(v1)}]


def guesses():
    yield from (b"", b"1", b"true", b"*", b"v2", b"%", TOKEN[:-1], TOKEN + b"0", TOKEN.lower(), TOKEN.upper(),
                b"\"" + TOKEN + b"\"", TOKEN + b", " + TOKEN, b"v2, " + TOKEN, TOKEN.replace(b"-", b"_"), b"a" * 4000)


def nobody_guesses_his_way_to_a_release(gateway, v2):
    for guess in guesses():
        v2.forget()
        for fields in (b"X-Davit-Preview: " + guess, b"X-Davit-Preview: x\r\nX-Davit-Preview: " + guess,
                       b"X-Davit-Release: " + guess, b"Cookie: X-Davit-Preview=" + guess):
            gateway.ask(b"GET /?X-Davit-Preview=" + guess[:64].replace(b" ", b"+").replace(b"\"", b"") +
                        b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n\r\n")
        assert not v2.seen(), "%r reached v2" % guess[:40]


def the_token_itself_works(gateway, v2):
    v2.forget()
    assert gateway.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-Davit-Preview: " + TOKEN + b"\r\n\r\n").status == 200
    request, = v2.seen()
    assert not request.all(b"x-davit-preview"), "the token was shown to the application"


def cookie_of(answer):
    for value in answer.all(b"set-cookie"):
        if value.startswith(b"unit="):
            return value.split(b";")[0][5:]
    return None


def only_our_own_cookie_makes_a_visitor(v1, v2):
    gateway = Gateway([], releases=releases(v1, v2, 50), sticky={"cookie": "unit", "key": "0123456789abcdef" * 2})

    def ask(cookie):
        return gateway.ask(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: unit=" + cookie + b"\r\n\r\n")

    try:
        real = cookie_of(gateway.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        assert real, "no cookie was set"
        v1.forget(), v2.forget()
        for _ in range(20):
            assert cookie_of(ask(real)) is None, "a good cookie was set again"
        assert not v1.seen() or not v2.seen(), "the visitor changed releases"
        forged = [b"", b"1", real[:-1], real + b"0", real.swapcase(), b"A" * len(real), real[::-1], b"x" * 4000]
        for at in range(len(real)):
            other = b"a" if real[at:at + 1] != b"a" else b"b"
            forged.append(real[:at] + other + real[at + 1:])
        for cookie in forged:
            if cookie != real:
                assert cookie_of(ask(cookie)), "a forged cookie was taken: %r" % cookie[:60]
    finally:
        gateway.stop()


def main():
    report = Report()
    backend, v2 = Backend(), Backend()
    gateway = Gateway([], releases=releases(backend, v2, 0))
    for name, fields, may_refuse in variants():
        report.case(name.decode(), lambda: try_lie(gateway, backend, fields, may_refuse))
    report.case("a trusted peer is believed", a_trusted_peer_is_believed)
    report.case("nobody guesses his way to a release", lambda: nobody_guesses_his_way_to_a_release(gateway, v2))
    report.case("the token itself works, and is not shown", lambda: the_token_itself_works(gateway, v2))
    report.case("only our own cookie makes a visitor", lambda: only_our_own_cookie_makes_a_visitor(backend, v2))
    report.case("the gateway ends in order", lambda: wait_for(lambda: gateway.stop() == 0, "its end"))
    report.end()


if __name__ == "__main__":
    main()
