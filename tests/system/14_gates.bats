#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# From one environment to the next: approvals signed with real ssh keys, the environment before, freezes, verification.

load lib.bash

setup() {
	kit_setup
	STAGING_PORT=$(free_port)
	INSTANCES=1
	STRATEGY=$FAST_CANARY
	ENVIRONMENT_EXTRA="    from: staging
    approve: { by: [managers], expires: 10m }
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off, verify: [smoke] }"
	EXTRA="checks: { smoke: [{ get: /up, expect: 200 }] }"
	ssh-keygen -q -t ed25519 -N '' -C bob -f "$T/bob" </dev/null
	ssh-keygen -q -t ed25519 -N '' -C eve -f "$T/eve" </dev/null
	write_server
}

teardown() { kit_teardown; }

fingerprint() { ssh-keygen -l -f "$T/$1.pub" | awk '{ print $2 }'; }

write_server() {
	cat >"$T/server.yaml" <<YAML
people:
  bob: ["ssh:$(fingerprint bob)"]
  eve: ["ssh:$(fingerprint eve)"]
groups: { managers: [bob] }
protect: { shop/prod: { approve: { by: [managers] } } }
YAML
}

to_staging() { exits 0 davit deploy staging "$T/rel/$1" --as "$1"; }

state_of_prod() { davit why prod --json | jq -r .state; }

live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }

@test "a release that is good in staging waits for prod, and goes out with a signed yes under load" {
	release v1
	up --server "$T/server.yaml"
	to_staging v1
	wait_for 10 "the offer" holds gated state_of_prod
	says v1
	exits 0 davit why prod
	says "needs the approval of 1 person of managers"
	says "davit approve prod"
	exits 0 davit approve prod --key "$T/bob" -m "saw it" --yes
	wait_for 30 "v1 in prod" holds v1 live_in prod

	release v2
	load_start
	to_staging v2
	wait_for 10 "the offer" holds gated state_of_prod
	exits 0 davit approve prod --key "$T/bob"
	exits 0 davit watch prod
	load_stop
	load_is_clean
	is v2 live_in prod
	exits 0 davit audit --json
	says "\"who\":\"bob\",\"action\":\"approve\""
	exits 0 davit audit --verify
}

@test "who is in no group, whose key is unknown, and who does not sign may not approve" {
	release v1
	up --server "$T/server.yaml"
	to_staging v1
	wait_for 10 "the offer" holds gated state_of_prod
	exits 4 davit approve prod --key "$T/eve"
	says "eve may not answer for shop/prod"
	exits 4 davit approve prod
	says "members of managers"
	exits 2 davit approve prod --key "$T/server.yaml"
	is gated state_of_prod

	# A signature for something else, by the right key.
	davit why prod --json >"$T/why.json"
	printf 'davit answer 1\nenvironment shop/prod\nrollout 1\nhash %s\nverdict approve\nreason \n' "$(jq -r .gate.hash "$T/why.json")" |
		ssh-keygen -q -Y sign -n davit -f "$T/bob" >"$T/signature"
	jq -n --rawfile s "$T/signature" --arg h "$(jq -r .gate.hash "$T/why.json")" '{hash: $h, signature: $s}' >"$T/body"
	curl -s --unix-socket "$T/state/api.sock" -d @"$T/body" "http://d/v1/rollouts/2/approve" >"$T/answer"
	is denied jq -r .error "$T/answer"
	is gated state_of_prod

	# What waits is bound to what was seen.
	curl -s --unix-socket "$T/state/api.sock" -d '{"hash":"0000"}' "http://d/v1/rollouts/2/approve" >"$T/answer"
	is denied jq -r .error "$T/answer"
}

@test "a no ends it with its own exit code, and a restart of the server forgets nothing" {
	release v1
	up --server "$T/server.yaml"
	to_staging v1
	wait_for 10 "the offer" holds gated state_of_prod
	kill -9 "$(pids_of controller)"
	wait_for 15 "the controller" holds gated state_of_prod
	exits 0 davit reject prod --key "$T/bob" -m "the price list is wrong"
	says "rejected by bob: the price list is wrong"
	exits 13 davit watch prod
	fails davit rollback prod
	is v1 live_in staging
}

@test "a broken server file keeps the last good one in force; one at the start is refused" {
	release v1
	up --server "$T/server.yaml"
	echo "groups: { managers: [nobody] }" >"$T/server.yaml"
	to_staging v1
	wait_for 10 "the offer" holds gated state_of_prod
	wait_for 10 "the log to say so" grep -q "nobody called" "$T/up.log"
	exits 0 davit approve prod --key "$T/bob"
	wait_for 30 "v1 in prod" holds v1 live_in prod
	down
	expect_run env -C "$T" timeout 20 "$DAVIT" up --server "$T/server.yaml"
	fails [ "$status" = 0 ]
	says "nobody called \"nobody\""
}

@test "an emergency skips the question and never readiness: what crashes gets no request, and goes back" {
	ENVIRONMENT_EXTRA='    approve: { by: [managers], expires: 10m }'
	EXTRA=''
	write_server
	sed -i 's/managers: \[bob\]/managers: [bob, eve]/' "$T/server.yaml"
	release v1
	release v2 crash_at_start=1
	up --server "$T/server.yaml"
	exits 0 davit deploy prod "$T/rel/v1" --as v1 --detach
	wait_for 10 "the question" holds gated state_of_prod
	exits 0 davit approve prod --key "$T/bob"
	exits 0 davit watch prod
	load_start
	exits 0 davit deploy prod "$T/rel/v2" --as v2 --detach
	wait_for 10 "the question" holds gated state_of_prod
	exits 0 davit approve prod --emergency --key "$T/bob" -m "orders are lost"
	is gated state_of_prod
	exits 0 davit approve prod --emergency --key "$T/eve" -m "orders are lost"
	exits 11 davit watch prod
	load_stop
	load_is_clean
	is null load '.releases.v2'
	is v1 live_in prod
	is 0 rollout .traffic.new.requests
	exits 0 davit releases prod
	says bad
	exits 0 davit audit --json
	says "\"who\":\"eve\",\"action\":\"emergency\""
}

@test "a freeze refuses a deployment and lets a rollback through" {
	ENVIRONMENT_EXTRA=''
	STRATEGY='[switch]'
	release v1
	release v2
	up
	deploy v1
	deploy v2
	exits 0 davit freeze prod --until 8h -m holidays
	says "davit unfreeze prod"
	exits 5 davit deploy prod v1
	says "frozen (holidays, by $(id -un))"
	exits 0 davit status
	says "frozen"
	exits 0 davit rollback prod
	is v1 live_in prod
	exits 2 davit freeze prod --until yesterday
	exits 0 davit unfreeze prod
	exits 5 davit unfreeze prod
	release v3
	deploy v3
	is 0 echo "$status"
}

@test "staging that does not pass its checks afterwards goes back" {
	release v1
	up --server "$T/server.yaml"
	to_staging v1
	EXTRA="checks: { smoke: [{ get: /up, expect: 200, contains: \"never there\" }] }"
	STRATEGY='[switch]'
	release v2
	exits 11 davit deploy staging "$T/rel/v2" --as v2
	says "never there"
	is v1 live_in staging
	exits 0 davit releases staging
	says bad
}
