#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a token, or nobody at all, cannot do with the API over the network: go further than it may by another way, outlive its
# end, fill the disk, or bring the server down.

load lib.bash

setup() {
	kit_setup
	API_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	STAGING_PORT=$(free_port)
	ENVIRONMENT_EXTRA="    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off }"
	BASE=http://127.0.0.1:$API_PORT
	write_server
}

teardown() { kit_teardown; }

write_server() {
	cat >"$T/server.yaml" <<-YAML
		api: { listen: "127.0.0.1:$API_PORT" }
		$1
	YAML
}
# token NAME OPTION...: into $T/NAME.token
token() {
	local name=$1
	shift
	(umask 077 && davit token create "$name" "$@" >"$T/$name.token" 2>"$T/token.err")
}
# api TOKEN METHOD PATH [BODY]: the status; the answer is in $T/answer
api() {
	curl -s --max-time 10 -o "$T/answer" -w '%{http_code}' -X "$2" \
		-H "Authorization: Bearer $(cat "$T/$1.token")" ${4+-d "$4"} "$BASE$3"
}
listens() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$BASE/v1/server")" = 401 ]; }
serve() {
	up --server "$T/server.yaml"
	wait_for 10 "the API to listen" listens
}
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
davit_pids() { echo "$up_pid"; pgrep -P "$up_pid"; }
controller() { pids_of controller; }
spooled() { for pid in $(davit_pids); do find "/proc/$pid/fd" -lname "$T/state/spool/*" 2>/dev/null; done; }
# say TEXT: a line more in the log of each instance
say() { for log in "$T"/state/instances/*/log; do echo "2026-11-27T07:00:00.000Z $1" >>"$log"; done; }
# follow TOKEN: the logs, into $T/followed
follow() {
	(exec curl -sN -H "Authorization: Bearer $(cat "$T/$1.token")" "$BASE/v1/environments/prod/logs?follow=1" \
		>"$T/followed" 2>&1 3>&- 4>&-) &
	follower=$!
	chaos_pids+=("$follower")
	wait_for 10 "lines" test -s "$T/followed"
}
# talk TOKEN COMMAND: POST maintenance, and in the middle of its body the command
talk() {
	python3 - "$API_PORT" "$(cat "$T/$1.token")" "${@:2}" <<'PYTHON'
import socket, subprocess, sys
port, token, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
s = socket.create_connection(("127.0.0.1", port))
body = b'{"on":true,"reason":"afterwards"}'
s.sendall(f"POST /v1/environments/prod/maintenance HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:5])
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
s.sendall(body[5:])
print(s.recv(4000).split()[1].decode())
PYTHON
}

@test "a way back leads to where the environment was, and asks nobody; anywhere else is a deployment" {
	write_server "people: { alice: [\"user:alice\"] }
groups: { managers: [alice] }
protect: { shop/staging: { approve: { by: [managers] } } }"
	serve
	token pager --scope rollback --for shop/prod
	token ci --scope release --for shop
	for v in v1 v2 v3; do
		release "$v"
		[ "$v" = v3 ] || exits 0 davit deploy prod "$T/rel/$v" --as "$v"
	done
	exits 0 davit releases mark-bad prod v1 -m "loses orders"
	tar -C "$T/rel/v3" -czf "$T/v3.tar.gz" .
	is 201 curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$T/ci.token")" -H "Davit-Config-Size: 0" \
		-T "$T/v3.tar.gz" -X POST "$BASE/v1/releases?app=shop&name=v3.tar.gz&tag=v3"
	is 409 api pager POST /v1/environments/prod/rollback '{"to":"v3"}'
	grep -q "never live" "$T/answer"
	is 403 api pager POST /v1/environments/prod/rollback '{"to":"v1"}'
	is 403 api pager POST /v1/environments/prod/rollback '{"across_migration":true}'
	exits 5 davit rollback prod --to v3
	says "davit deploy prod v3"
	# Who may deploy goes back to what was marked, too.
	exits 0 davit rollback prod --to v1
	is v1 live_in prod
}

@test "a build that goes out is made again by who may deploy alone, and none is ordered from elsewhere" {
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	mkdir "$T/repo"
	chmod 755 "$T" "$T/repo"
	git -C "$T/repo" init -q -b main
	EXTRA='pipeline: { package: { archive: [app] } }'
	write_config "$T/repo/davit.yaml"
	cp "$DAVIT_APP" "$T/repo/app"
	git -C "$T/repo" add -A
	git -C "$T/repo" -c user.name=Ann -c user.email=ann@example.com commit -qm First
	serve
	token builder --scope build
	(cd "$T/repo" && "$DAVIT" build --to staging </dev/null >/dev/null 2>&1 3>&-)
	is 403 api builder POST /v1/builds/1/again '{}'
	grep -q "scope deploy" "$T/answer"
	is 403 api builder POST /v1/builds \
		"{\"app\":\"shop\",\"commit\":\"$(git -C "$T/repo" rev-parse HEAD)\",\"ref\":\"refs/tags/v9\",\"triggered\":true}"
	is 1 jq '.builds | length' <(davit builds --json)
}

@test "what follows gets each line, and ends with its token" {
	serve
	release v1
	exits 0 davit deploy prod "$T/rel/v1" --as v1
	token ci
	follow ci
	for line in one two three; do
		say "$line"
		wait_for 10 "$line" grep -q "$line" "$T/followed"
	done
	kill "$follower"
	token short --expires 3s
	follow short
	wait_for 15 "its end" gone "$follower"
	# Admitted at the head, revoked before the end of the body.
	token gone --scope deploy
	is 401 talk gone "$DAVIT" token revoke gone
	is false environment .maintenance
	token stays --scope deploy
	is 200 talk stays true
	is true environment .maintenance
}

@test "a body that nobody asked for goes nowhere" {
	serve
	release v1
	exits 0 davit deploy prod "$T/rel/v1" --as v1
	token ci --scope kpi --for shop/prod
	# Only a release comes by file; anything else has a megabyte.
	curl -s -m 20 -H "Expect:" -H "Authorization: Bearer $(cat "$T/ci.token")" -H "Davit-Config-Size: 0" -o "$T/answer" \
		-w '%{http_code}' -T <(head -c 4M /dev/zero) -X POST "$BASE/v1/environments/shop%2Fprod/kpi" >"$T/status" || true
	is 413 cat "$T/status"
	is "" spooled
	# A stranger with more parameters than there can be is answered at the head.
	curl -s -m 20 -H "Expect:" -o /dev/null -w '%{http_code} %{size_upload}' -T /dev/zero -X POST \
		"$BASE/v1/status?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q" >"$T/status" || true
	is 414 cut -d ' ' -f 1 "$T/status"
	[ "$(cut -d ' ' -f 2 "$T/status")" -lt 100000000 ]
}

@test "the place goes and comes under those who ask, and nobody else notices" {
	serve
	release v1
	exits 0 davit deploy prod "$T/rel/v1" --as v1
	token ci --scope read,release
	local before
	before=$(controller)
	python3 - "$API_PORT" "$(cat "$T/ci.token")" 3>&- 4>&- <<'PYTHON' &
import socket, sys, threading, time
port, token, end = int(sys.argv[1]), sys.argv[2], time.time() + 25
def ask():
    while time.time() < end:
        try:
            s = socket.create_connection(("127.0.0.1", port), timeout=1)
            s.sendall(f"GET /v1/environments/prod/logs?follow=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            s.settimeout(0.2)
            s.recv(1000)
            s.close()
        except OSError:
            time.sleep(0.01)
for _ in range(8):
    threading.Thread(target=ask).start()
PYTHON
	chaos_pids+=($!)
	for _ in 1 2 3; do
		echo "{}" >"$T/server.yaml"
		wait_for 10 "it to be away" fails curl -s -o /dev/null "$BASE/v1/server"
		# An upload that is under way when its place goes is answered, or breaks off.
		write_server
		wait_for 10 "it to be back" listens
		curl -s -m 10 -o /dev/null -H "Authorization: Bearer $(cat "$T/ci.token")" -H "Davit-Config-Size: 0" --limit-rate 200k \
			-T <(tar -C "$T/rel/v1" -cf - .) -X POST "$BASE/v1/releases?app=shop&name=v.tar" 3>&- 4>&- &
		chaos_pids+=($!)
	done
	is "$before" controller
	kill "${chaos_pids[@]}" 2>/dev/null || true
	exits 0 davit status
	fails grep -qi "suspended connections" "$T/up.log"
}
