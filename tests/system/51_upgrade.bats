#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# davit is replaced by another build of itself while users are served, and in the middle of a rollout: nobody notices.
# UPGRADES=N for more of them than CI has time for.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

# serve PROGRAM
serve() {
	[ ! -e "$T/up.log" ] || cat "$T/up.log" >>"$T/up.before.log"
	: >"$T/up.log"
	(cd "$T" && exec "$1" serve --state "$T/state" >"$T/up.log" 2>&1 </dev/null 3>&- 4>&-) &
	up_pid=$!
	wait_for 15 "davit serve to say that it is ready" up_is_ready
}

leave() {
	kill -TERM "$up_pid"
	wait_for 10 "the launcher to leave" gone "$up_pid"
	wait "$up_pid" || true
	up_pid=''
}

# upgrade N: what a package's restart of the service does
upgrade() {
	cp "$DAVIT" "$T/davit-$1"
	leave
	serve "$T/davit-$1"
}

# Programs of the gateway's workers, one a line.
programs() {
	local worker
	while read -r _ _ worker _; do readlink "/proc/$worker/exe"; done <"$T/state/gateway.pids" | sed 's/.*\///' | sort -u
}

stop_all() {
	leave
	up
	down
}

# Users of HTTP/2 beside those of HTTP/1, who are told to leave and come again.
http2_start() {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/../conformance/http2_load.py" "$PORT" /up 2 4 >"$T/http2.json" 2>"$T/http2.err" 3>&- 4>&- &
	http2_pid=$!
}

http2_is_clean() {
	kill -TERM "$http2_pid"
	wait_for 15 "the users of HTTP/2 to leave" gone "$http2_pid"
	wait "$http2_pid" || true
	cat "$T/http2.json" "$T/http2.err"
	[ "$(jq '.failed + .hung' "$T/http2.json")" = 0 ]
	[ "$(jq .answered "$T/http2.json")" -gt 100 ]
	[ "$(jq .connections "$T/http2.json")" -gt 4 ] # each was told to leave at least once
}

@test "another build takes over under load, and in the middle of a canary: no request fails, no process is left" {
	STRATEGY='[{ canary: { steps: [20%], each: { at_least: 60s, at_most: 120s } } }, switch]'
	serve "$DAVIT"
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start
	http2_start
	for ((n = 1; n <= ${UPGRADES:-2}; n++)); do
		upgrade "$n"
		wait_for 15 "workers of davit-$n alone" holds "davit-$n" programs
		is v1.0.0 answering
	done
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	wait_for 20 "the weight to be 20 %" holds 2000 environment .candidate.weight_bp
	upgrade last
	wait_for 15 "workers of davit-last alone" holds davit-last programs
	is 2000 environment .candidate.weight_bp
	exits 0 davit promote prod
	wait_for 30 "v2 to be live" holds v2.0.0 live_tag
	wait_for 15 "the gateway to have it" holds v2.0.0 answering
	load_stop
	load_is_clean
	http2_is_clean
	stop_all
}
