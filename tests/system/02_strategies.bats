#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every strategy and a mix of them, there and back by rollback, under an open loop of keep-alive requests,
# bodies both ways, event streams and WebSockets. Not one request may fail because of davit.

load lib.bash
setup() { kit_setup; }
teardown() { kit_teardown; }

# there_and_back STRATEGY-TEXT
there_and_back() {
	STRATEGY=$1
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	is v2.0.0 live_tag
	is succeeded rollout .state
	exits 0 davit rollback prod --reason "for the test"
	is v1.0.0 live_tag
	load_stop
	load_is_clean
	is true load '.releases["v1.0.0"].answers > 0 and .releases["v2.0.0"].answers > 0'
	is 0 load .failed_by_service
	is 10000 environment .live.weight_bp
}

@test "canary, there and back, 0 failed" {
	there_and_back "$FAST_CANARY"
}

@test "blue-green, there and back, 0 failed" {
	there_and_back "$FAST_BLUE_GREEN"
}

@test "rolling, there and back, 0 failed" {
	INSTANCES=4 there_and_back "$FAST_ROLLING"
}

@test "recreate, there and back, 0 failed: requests wait while nothing runs" {
	there_and_back "$FAST_RECREATE"
	is true load '.held > 0'
}

@test "shadow, then all at once, there and back, 0 failed" {
	there_and_back "$FAST_SHADOW"
}

@test "a mix of shadow, canary and switch, there and back, 0 failed" {
	there_and_back "$FAST_MIX"
}

@test "a restart replaces every instance, 0 failed" {
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	before=$(environment '[.instances[].pid] | sort | @csv')
	load_start
	exits 0 davit restart prod
	load_stop
	load_is_clean
	after=$(environment '[.instances[].pid] | sort | @csv')
	[ "$before" != "$after" ]
}

@test "sticky: no user changes back and forth while the weight only rises" {
	ENVIRONMENT_EXTRA='    sticky: { cookie: davit_unit }'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start --users 200 --mix get=4,post=1
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	load_stop
	load_is_clean
	is 200 load .sticky.cookies
	# Each user moves over once, and stays.
	is true load '.sticky.flips <= 200'
}

@test "the share of a canary is what the weight says" {
	STRATEGY='[{ canary: { steps: [25%], each: { at_least: 5s, at_most: 30s } } }, switch]'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach
	wait_for 20 "the weight to be 25 %" holds 2500 environment .candidate.weight_bp
	"$DAVIT_LOAD" --url "http://127.0.0.1:$PORT" --rate 1000 --duration 3s --mix get=1 --out "$T/load.json"
	# 3000 requests at 25 %: five standard deviations are 119.
	is true load '.releases["v2.0.0"].answers > 631 and .releases["v2.0.0"].answers < 869'
	davit abort prod --reason "seen enough" || true
}

@test "every strategy's plan is made of the same few operations" {
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start # a canary without users pauses
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	load_stop
	for strategy in canary blue-green rolling recreate shadow; do
		exits 0 davit plan prod v1.0.0 --strategy "$strategy" --json
		jq -e '.steps | length > 3' <<<"$output"
		jq -e '[.steps[].op] | all(IN("fetch", "start", "ready", "route", "hold", "gate", "drain", "stop", "mark", "hook"))' <<<"$output"
		jq -e '[.steps[].op] | contains(["route", "mark"])' <<<"$output"
	done
}
