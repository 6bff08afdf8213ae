#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# gRPC: releases that speak HTTP/2, by gRPC's own library on both sides. What frames may do is in tests/conformance/http2_behind.py.

load lib.bash

setup() {
	kit_setup
	calls_pid=''
	/usr/bin/python3 -c 'import grpc' 2>/dev/null || skip "python3-grpcio is not installed"
	cat >"$T/server.py" <<'PYTHON'
# Echo with its version: calls of one message, and of many both ways. "bad" fails a third of them by its status of gRPC alone.
import concurrent.futures, itertools, os, signal, sys, grpc
version, count = sys.argv[1].encode(), itertools.count()
def one(request, context):
    if version == b"bad" and next(count) % 3 == 0:
        context.abort(grpc.StatusCode.INTERNAL, "a bad release")
    return version + b":" + request
def many(requests, context):
    for request in requests:
        yield version + b":" + request
server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {
    "One": grpc.unary_unary_rpc_method_handler(one), "Many": grpc.stream_stream_rpc_method_handler(many)}),))
check = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x02" if version == b"sick" else b"\x08\x01")
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check}),))
assert server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
server.start()
signal.sigwait([signal.SIGTERM])
server.stop(5).wait()
PYTHON
	cat >"$T/calls.py" <<'PYTHON'
# Calls one after the other on a channel that stays, and short conversations: a line for each, the version or how it failed.
import os, sys, time, grpc
port, out, stop = sys.argv[1], open(sys.argv[2], "w", buffering=1), sys.argv[3]
with grpc.insecure_channel("127.0.0.1:" + port) as channel:
    one, many = channel.unary_unary("/test.Echo/One"), channel.stream_stream("/test.Echo/Many")
    while not os.path.exists(stop):
        for said in ([b"a"], [b"a", b"b", b"c"]):
            try:
                got = [one(said[0], timeout=5)] if len(said) == 1 else list(many(iter(said), timeout=5))
                version = got[0].partition(b":")[0]
                print(version.decode() if got == [version + b":" + s for s in said] else "wrong", file=out)
            except grpc.RpcError as e:
                print("failed", e.code().name, file=out)
        time.sleep(0.003)
PYTHON
}
teardown() {
	touch "$T/stop"
	[ -z "$calls_pid" ] || wait "$calls_pid" || true
	kit_teardown
}

# service TAG [VERSION]: a release whose server says so
service() {
	mkdir -p "$T/rel/$1"
	cp "$T/server.py" "$T/rel/$1"
	cat >"$T/rel/$1/davit.yaml" <<YAML
app: echo
service:
  run: /usr/bin/python3 server.py ${2:-$1}
  speaks: http2
  health: { grpc: true, interval: 100ms, passes: 2, min_healthy: 200ms, deadline: ${DEADLINE:-30s} }
  drain: { requests: 5s }
strategies:
  test: $STRATEGY
environments:
  prod:
    listen: 127.0.0.1:$PORT
    strategy: test
    analysis: { method: rules, errors: { max: 10%, at_least: 20 } }
YAML
}
calls_start() { # VERSION that answers
	rm -f "$T/stop"
	/usr/bin/python3 "$T/calls.py" "$PORT" "$T/calls" "$T/stop" 3>&- 4>&- &
	calls_pid=$!
	wait_for 10 "the first calls" grep -q "${1:-v1}" "$T/calls"
}
calls_stop() {
	touch "$T/stop"
	wait "$calls_pid"
	calls_pid=''
}

@test "gRPC: a canary without a failed call, and one that fails by its statuses of gRPC alone comes back" {
	up
	service v1
	service v2
	service v3 bad
	deploy v1
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	calls_start
	deploy v2
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	wait_for 5 "v2 for all" holds v2 tail -n 1 "$T/calls"
	calls_stop
	fails grep -E 'failed|wrong' "$T/calls"
	is true jq -n "$(grep -c v2 "$T/calls") > 20"

	calls_start v2
	deploy v3
	[ "$status" = 11 ] || { echo "$status: $output" && false; }
	is v2 live_tag
	wait_for 5 "v2 again" holds v2 tail -n 1 "$T/calls"
	calls_stop
	grep -q "failed INTERNAL" "$T/calls"
	fails grep -E 'failed [^I]|wrong' "$T/calls"
}

@test "gRPC: a release that does not say SERVING gets no user" {
	STRATEGY=$FAST_BLUE_GREEN
	up
	service v1
	deploy v1
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	DEADLINE=1s service v2 sick
	deploy v2
	[ "$status" -ne 0 ]
	exits 0 davit why prod
	says "The health check of gRPC says NOT_SERVING."
	is v1 live_tag
}

@test "HTTP/2: a health path and checks are asked for by it, and clients of HTTP/1.1 are served" {
	STRATEGY='[{ check: smoke }, switch]'
	up
	service v1
	echo fine >"$T/rel/v1/up"
	printf 'checks:\n  smoke: [{ get: /up, contains: fine }]\n' >>"$T/rel/v1/davit.yaml"
	sed -i 's|run: .*|run: nghttpd --no-tls -a 127.0.0.1 -d . $PORT|; s|grpc: true|path: /up|' "$T/rel/v1/davit.yaml"
	deploy v1
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	is fine curl -s "http://127.0.0.1:$PORT/up"
}

@test "gRPC: a shadow gets copies of calls, and what it answers is compared" {
	STRATEGY='[ { shadow: { share: 100%, methods: [POST], body: 64KiB, until: { requests: 50, time: 20s } } }, switch ]'
	up
	service v1
	service v2
	deploy v1
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	calls_start
	deploy v2
	[ "$status" = 0 ] || { cat "$T/deploy.err" && false; }
	calls_stop
	fails grep -E 'failed|wrong' "$T/calls"
	exits 0 davit diffs prod --json
	is true jq '.copies.pairs >= 20 and .copies.failed == 0 and .copies.differ == .copies.pairs and .places[0].place == "body"' <<<"$output"
}
