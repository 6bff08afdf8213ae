#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The judge is judged: against a server that breaks one promise at a time, the load generator must see it.
# DAVIT_LOAD names the binary.

setup() {
	here=$BATS_TEST_DIRNAME
	report=$BATS_TEST_TMPDIR/report
}

teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
}

# misbehave MODE [EVERY]: start the server; $port
misbehave() {
	exec {from}< <(exec python3 "$here/misbehave.py" "$@" 3>&-)
	server=$!
	read -r port <&"$from"
}

# load ARGS...: two seconds' worth of requests in a second; the summary is in $report
load() {
	status=0
	"$DAVIT_LOAD" --url "http://127.0.0.1:$port" --rate 100 --duration 1s --connections 8 --ws-connections 2 \
		--timeout 1s --max-bytes 500 --out "$report" "$@" || status=$?
}

count() {
	tail -n 1 "$report" | jq "$1"
}

# is JQ VALUE: the summary says so
is() {
	local got
	got=$(count "$1")
	[ "$got" = "$2" ] || {
		echo "$1 is $got, not $2"
		tail -n 1 "$report"
		return 1
	}
}

# blames OUTCOME: it alone was seen, davit is to blame, and the exit status says so
blames() {
	load --mix "${2:-get=1}" --expect-zero-davit-failures
	is ".failed.$1 > 0" true
	is ".failed_by_davit == .failed.$1" true
	is ".failed_by_service" 0
	[ "$status" = 1 ]
}

@test "a server that keeps every promise passes, with every kind of request" {
	misbehave none
	load --mix get=4,post=3,slow=1,sse=1,ws=1 --expect-zero-davit-failures
	[ "$status" = 0 ]
	is .sent 100
	is .ok 100
	is .failed_by_davit 0
	is .failed_by_service 0
	is .releases.v1.answers 100
}

@test "an answer that never comes is a timeout" {
	misbehave lose
	blames timeout
	is .ok 90
}

@test "an answer given twice is a duplicate" {
	misbehave twice
	blames duplicate
}

@test "an answer with an id nobody has is a wrong id" {
	misbehave wrong-id
	blames wrong_id
}

@test "an answer that was given before is a duplicate" {
	misbehave old-id
	blames duplicate
}

@test "an altered body is a bad body" {
	misbehave corrupt
	blames bad_body
}

@test "a shorter body than asked for is a bad body, though its digest is right" {
	misbehave short
	blames bad_body
}

@test "a body that the service received otherwise than sent is a bad body" {
	misbehave post-digest
	blames bad_body post=1
}

@test "an answer cut off is truncated" {
	misbehave truncate
	blames truncated
}

@test "a reused connection closed before a byte of the answer is an idle close, and a failure by default" {
	misbehave close
	blames idle_close
}

@test "an idle close is asked again only when that is allowed, and only what is idempotent" {
	misbehave close
	load --mix get=1 --allow-idle-close --expect-zero-davit-failures
	[ "$status" = 0 ]
	is ".connections.idle_retried > 0" true
	is .ok 100
	load --mix post=1 --allow-idle-close
	is ".failed.closed > 0" true
}

@test "a fresh connection closed before a byte of the answer is closed" {
	misbehave close 1
	blames closed
}

@test "a reset is a reset" {
	misbehave reset 1
	blames reset
}

@test "an error that a release signed is the service's" {
	misbehave error
	load --mix get=1 --expect-zero-davit-failures
	[ "$status" = 0 ]
	is .failed.service_5xx 10
	is .failed_by_service 10
	is .releases.v1.errors 10
	is .ok 90
}

@test "a refusal that a release signed is the service's" {
	misbehave refuse
	load --mix get=1
	is .failed_by_service 10
}

@test "an error that no release signed is davit's" {
	misbehave gateway
	blames gateway_5xx
	is .gateway_errors.reset 10
}

@test "a good answer that no release signed is davit's failure too" {
	misbehave unsigned
	blames gateway_other
}

@test "what is not HTTP is a protocol error" {
	misbehave garbage
	blames protocol
}

@test "two lengths are a protocol error" {
	misbehave two-lengths
	blames protocol
}

@test "nobody listens: every request failed to connect, and the run fails" {
	misbehave none
	kill "$server"
	wait "$server" 2>/dev/null || true
	blames connect
}

@test "a WebSocket moved on by 1012 loses nothing" {
	misbehave ws-moved 5
	load --mix ws=1 --expect-zero-davit-failures
	[ "$status" = 0 ]
	is .ok 100
	is ".ws.closed_clean > 0" true
	is ".ws.resent == .ws.closed_clean" true
}

@test "a WebSocket torn inside a frame is truncated" {
	misbehave ws-torn 5
	blames truncated ws=1
}

@test "a WebSocket closed with another code is a failure" {
	misbehave ws-error 5
	blames protocol ws=1
}

@test "an echo given twice is a duplicate" {
	misbehave ws-twice 5
	blames duplicate ws=1
}

@test "an altered echo is a bad body" {
	misbehave ws-wrong 5
	blames bad_body ws=1
}

@test "an event stream that ends cleanly before its time is resumed, and told" {
	misbehave sse-early
	load --mix sse=1 --expect-zero-davit-failures
	[ "$status" = 0 ]
	is .ok 100
	is ".sse.resumed > 0" true
}

@test "an event stream that is cut is truncated" {
	misbehave sse-torn
	blames truncated sse=1
}

@test "an event left out is a bad body" {
	misbehave sse-skip
	blames bad_body sse=1
}

@test "latency counts from the schedule: a stalled server is charged to all that were due" {
	misbehave lose 50
	load --mix get=1 --connections 1 --timeout 500ms --held-over 100ms
	is ".failed.timeout > 0" true
	is ".latency_ms.get.max > 400" true
	is ".held > 10" true
}

@test "each request is in the list of ids exactly once" {
	misbehave error
	load --mix get=1,post=1 --ids "$BATS_TEST_TMPDIR/ids"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ids")" = 100 ]
	[ "$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/ids" | sort -u | wc -l)" = 100 ]
	[ "$(grep -c ' service_5xx 500 v1 ' "$BATS_TEST_TMPDIR/ids")" = 10 ]
}

@test "wrong usage is told and ends with 2" {
	run "$DAVIT_LOAD" --url ftp://x
	[ "$status" = 2 ]
	run "$DAVIT_LOAD" --url http://127.0.0.1:1 --mix none=1
	[ "$status" = 2 ]
	[[ "$output" == *"not: none"* ]]
}
