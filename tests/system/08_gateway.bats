#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The gateway alone against raw sockets: tests/conformance.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

conforms() { # script
	DAVIT=$DAVIT run python3 "$BATS_TEST_DIRNAME/../conformance/$1.py"
	grep -v '^ok ' <<<"$output"
	[ "$status" -eq 0 ]
}

@test "no request can be smuggled past the gateway" { conforms desync; }
@test "a broken or hostile backend harms nobody but its own client" { conforms hostile; }
@test "slow and greedy clients are cut off while others are served" { conforms slow; }
@test "nobody is believed what only davit may say" { conforms spoof; }
@test "random exchanges in every framing pass unchanged" { conforms transparent; }

# ids KIND [OUTCOME]: so many requests of the load
ids() { awk -v kind="$1" -v outcome="${2:-}" '$2 == kind && (outcome == "" || $3 == outcome) { n++ } END { print n + 0 }' "$T/load.ids"; }
ran_for() { [ "$(wc -l <"$T/load.json")" -ge "$1" ]; } # seconds: the load writes a line in each
class() { environment ".classes[] | select(.name == \"$1\") | $2"; }

@test "classes, instances and the load generator have counted the same" {
	EXTRA='analysis: { classes: { items: [/item, /nowhere], posts: [/cart] } }'
	up
	release v1.0.0 errors_bp=1000
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start --mix get=70,post=20,slow=10
	wait_for 20 "enough requests" ran_for 4
	load_stop
	is 0 load .failed_by_davit
	wait_for 5 "the last request to be over" is 0 environment .traffic.in_flight
	is "$(ids get)" class items .requests
	is "$(ids get service_5xx)" class items .errors
	is "$(ids post)" class posts .requests
	is "$(ids post service_5xx)" class posts .errors
	is "$(ids slow)" class "" .requests
	is "$(ids slow service_5xx)" class "" .errors
	is true environment '.classes | map(.errors > 3) | all'
	is 0 environment '.classes | map(.repeated) | add' # no target was sent twice
	is true environment '(.classes | map(.requests) | add) == .traffic.requests and (.classes | map(.errors) | add) == .traffic.errors'
	is true environment '(.instances | map(.requests) | add) == .traffic.requests and (.instances | map(.errors) | add) == .traffic.errors'
}
