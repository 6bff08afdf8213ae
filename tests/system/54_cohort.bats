#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whom a new release meets whatever its share: a cohort by header, cookie and network, by two real releases.
load lib.bash

# The release that answers each of 20 requests, once each.
met() {
	local i
	for ((i = 0; i < 20; i++)); do
		curl -s --max-time 5 -o /dev/null -D - "$@" "http://127.0.0.1:$PORT/item/1" | tr -d '\r' | awk -F': ' 'tolower($1) == "x-release" { print $2 }'
	done | sort -u | xargs
}

share_is() { holds "$1" environment .candidate.weight_bp; }

setup() {
	kit_setup
	# By itself no step ends in time.
	STRATEGY='[{ canary: { steps: [1%, 90%], each: { at_least: 10m, at_most: 1h } } }, switch, { bake: 10m }]'
	up
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
}

teardown() { kit_teardown; }

begin() {
	ENVIRONMENT_EXTRA="    cohort: { members: [{ header: X-Beta, is: [yes, '1'] }, { cookie: plan, is: beta }, { network: 127.0.0.2/31 }], only: $1 }"
	release v2.0.0
	davit deploy prod "$T/rel/v2.0.0" --as v2.0.0 --detach >/dev/null
	wait_for 20 "the first share" share_is 100
	wait_for 10 "the gateway to have it" holds v2.0.0 met -H 'X-Beta: yes'
}

@test "members meet the new release at 1%, others only with the switch" {
	begin true
	is v2.0.0 met -H 'x-beta: 1'
	is v2.0.0 met -b 'a=b; plan=beta'
	is v2.0.0 met --interface 127.0.0.3
	is v1.0.0 met
	is v1.0.0 met -H 'X-Beta: no' -b plan=betas --interface 127.0.0.4
	davit promote prod >/dev/null
	wait_for 20 "the second share" share_is 9000
	is v1.0.0 met
	is v2.0.0 met -b plan=beta
	# Nobody was drawn: nothing is wrong with how they are divided, and members are counted.
	is true rollout '.judge.division.off != true'
	is true environment '.traffic.requests > 0'
	davit promote prod >/dev/null
	wait_for 20 "the switch" share_is 9900
	wait_for 10 "others to meet it" holds v2.0.0 met -H 'X-Beta: no'
}

@test "without only others are divided by the share; after an abort members are served as everybody" {
	begin false
	davit promote prod >/dev/null
	wait_for 20 "the second share" share_is 9000
	wait_for 10 "others to be divided" holds 'v1.0.0 v2.0.0' met
	is v2.0.0 met -H 'X-Beta: 1'
	davit abort prod -m enough >/dev/null
	wait_for 20 "the way back" holds reverted rollout .state
	is v1.0.0 met -H 'X-Beta: 1'
}
