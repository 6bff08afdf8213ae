#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The API over the network: who has a token may do what its scopes and its reach allow, and nothing else; what is done with
# it is done as over the socket.

load lib.bash

setup() {
	kit_setup
	API_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	STAGING_PORT=$(free_port)
	ENVIRONMENT_EXTRA="    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off }"
	BASE=https://127.0.0.1:$API_PORT
	authority
	certificate first
	write_server
	export DAVIT_CA_FILE=$T/ca.pem
}

teardown() { kit_teardown; }

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ca \
		-keyout "$T/ca.key" -out "$T/ca.pem" 2>/dev/null
}
# certificate NAME: server.pem and server.key, for CN=NAME at this address
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$T/new.key" \
		-out "$T/new.csr" 2>/dev/null
	openssl x509 -req -in "$T/new.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 \
		-extfile <(echo "subjectAltName=IP:127.0.0.1") -out "$T/new.pem" 2>/dev/null
	chmod 600 "$T/new.key"
	mv "$T/new.key" "$T/server.key" && mv "$T/new.pem" "$T/server.pem"
}
write_server() {
	cat >"$T/server.yaml" <<-YAML
		api: { listen: "127.0.0.1:$API_PORT", certificate: "$T/server.pem", key: "$T/server.key" }
		$1
	YAML
}
# token NAME OPTION...: into $T/NAME.token
token() {
	local name=$1
	shift
	(umask 077 && davit token create "$name" "$@" >"$T/$name.token" 2>"$T/token.err")
}
# with TOKEN COMMAND...: davit over the network, with nothing else than the token
with() {
	local name=$1
	shift
	(cd "$T" && env -u DAVIT_STATE DAVIT_TOKEN_FILE="$T/$name.token" DAVIT_HOST="$BASE" "$DAVIT" "$@" </dev/null 3>&-)
}
# api TOKEN METHOD PATH [BODY]: the status; the answer is in $T/answer
api() {
	curl -s --max-time 10 --cacert "$T/ca.pem" -o "$T/answer" -w '%{http_code}' -X "$2" \
		-H "Authorization: Bearer $(cat "$T/$1.token")" ${4+-d "$4"} "$BASE$3"
}
listens() { [ "$(curl -s --cacert "$T/ca.pem" -o /dev/null -w '%{http_code}' "$BASE/v1/server")" = 401 ]; }
subject() { openssl s_client -connect "127.0.0.1:$API_PORT" </dev/null 2>/dev/null | sed -n 's/^subject=CN = //p'; }
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
serve() {
	up --server "$T/server.yaml"
	wait_for 10 "the API to listen" listens
}

@test "a token does over the network what its scopes allow, and is found nowhere" {
	serve
	token deployer --scope deploy,release
	token reader
	token pager --scope rollback --expires 1h
	release v1
	release v2
	exits 0 with deployer deploy shop/prod "$T/rel/v1" --as v1
	is v1 live_in prod
	exits 0 with deployer deploy prod "$T/rel/v2" --as v2
	is v2 live_in prod
	# Who asked stands in the log.
	is token:deployer davit_audit '[.entries[] | select(.action == "deploy")][0].who'
	# One that reads does nothing, and says what it would need.
	exits 0 with reader status
	says v2
	exits 4 with reader rollback prod
	says "needs one of deploy,rollback"
	exits 0 with reader secrets list --json
	is 403 api reader POST "/v1/secrets?app=shop&name=mail" value
	exits 4 with pager deploy prod v1
	# A way back from a pipeline elsewhere.
	is 202 api pager POST /v1/environments/prod/rollback '{"reason":"the other pipeline says so"}'
	wait_for 20 "the way back" holds v1 live_in prod
	is token:pager davit_audit '[.entries[] | select(.action == "rollback")][0].who'
	# What belongs to the machine is no token's.
	exits 4 with deployer token create more
	says "No token does this"
	is 403 api deployer POST /v1/backup
	is 403 api deployer POST /v1/environments/prod/exec '{"command":"id"}'
	# Used, and shown without what it is.
	exits 0 davit token list
	says "used "
	nowhere deployer
}

davit_audit() { curl -s --unix-socket "$T/state/api.sock" http://davit/v1/audit | jq -r "$1"; }
# Neither in the state, nor in the log, nor in a command line.
nowhere() {
	local text
	text=$(cat "$T/$1.token")
	[ ${#text} = 70 ]
	fails grep -raqF "$text" "$T/state" "$T/up.log"
	fails grep -qlaF "$text" /proc/[0-9]*/cmdline
}

@test "a token is good until it ends, is revoked, or is not what was made" {
	serve
	token ci --scope read
	is 200 api ci GET /v1/status
	is 401 unauthorized
	is 401 unauthorized -H "Authorization: Bearer davit_0000"
	is 401 unauthorized -H "Authorization: Basic Y2k6Y2k="
	is 401 unauthorized -H "Authorization: Bearer $(tr 0-9a-f 1-9a-f0 <"$T/ci.token")"
	grep -q "WWW-Authenticate: Bearer" "$T/head"
	# A body of a stranger is not waited for.
	is 401 unauthorized -H "Davit-Config-Size: 0" -H "Transfer-Encoding: chunked" -T "$DAVIT_APP"
	exits 5 davit token create ci
	says "There is a token"
	exits 0 davit token revoke ci
	is 401 api ci GET /v1/status
	exits 4 with ci status
	says "davit token create"
	exits 3 davit token revoke ci
	exits 2 davit token create x --scope everything
	says "is no scope"
	exits 2 davit token create x --for shop/prod/more
	exits 2 davit token create x --expires 900d
	# One that has ended.
	token short --expires 1s
	wait_for 10 "its end" ended short
	exits 0 davit token list
	says "ended"
}

ended() { [ "$(api "$1" GET /v1/status)" = 401 ]; }
unauthorized() {
	curl -s --max-time 10 --cacert "$T/ca.pem" -D "$T/head" -o "$T/answer" -w '%{http_code}' "$@" "$BASE/v1/status"
}

@test "a token reaches the applications and environments that it was made for" {
	serve
	release v1
	exits 0 davit deploy prod "$T/rel/v1" --as v1
	token staging --scope deploy,release,build,approve --for shop/staging
	token all --scope deploy
	exits 0 with staging deploy shop/staging "$T/rel/v1" --as v1
	exits 0 with staging status staging
	is 403 api staging GET /v1/status
	is 403 api staging GET /v1/status?environment=prod
	is 403 api staging GET /v1/audit
	is 403 api staging GET /v1/rollouts/1
	is 200 api staging GET /v1/rollouts/2
	is 200 api staging GET "/v1/builds?app=shop"
	is 403 api staging GET "/v1/builds?app=other"
	is 403 api staging POST /v1/environments/prod/deploy '{"release":"v1"}'
	is 403 api staging POST /v1/environments/prod/freeze '{}'
	is 403 api staging POST /v1/rollouts/1/promote '{}'
	is 403 api staging POST /v1/releases/v1/bad '{"environment":"prod","reason":"x"}'
	is 403 api staging POST /v1/builds '{"app":"shop","commit":"1111111111111111111111111111111111111111"}'
	exits 4 with staging deploy prod "$T/rel/v1"
	says "reaches shop/staging alone"
	# The configuration that comes along cannot take it elsewhere.
	release v2
	sed -i 's/^app: shop/app: other/' "$T/rel/v2/davit.yaml"
	exits 2 with staging deploy shop/staging "$T/rel/v2"
	# Over the network no path of the server is taken.
	is 403 api all POST /v1/builds '{"app":"shop","repository":"/etc","commit":"1111111111111111111111111111111111111111"}'
}

@test "approval by a token is its holder's" {
	write_server "people: { release-bot: [\"token:bot\"] }
groups: { managers: [release-bot] }
protect: { shop/prod: { approve: { by: [managers] } } }"
	serve
	release v1
	token bot --scope approve
	token other --scope approve,deploy
	exits 0 davit deploy prod "$T/rel/v1" --as v1 --detach
	wait_for 10 "the gate" holds gated rollout .state
	is 403 api other POST /v1/rollouts/prod/approve '{}'
	is 200 api bot POST /v1/rollouts/prod/approve '{"reason":"tested elsewhere"}'
	wait_for 20 "the release" holds v1 live_in prod
}

@test "certificates change under a client; a token is not sent in clear; one listener that fails keeps nothing back" {
	serve
	token ci --scope read
	is first subject
	# A client that follows stays.
	release v1
	exits 0 davit deploy prod "$T/rel/v1" --as v1
	(cd "$T" && exec curl -sN --cacert "$T/ca.pem" -H "Authorization: Bearer $(cat "$T/ci.token")" \
		"$BASE/v1/environments/prod/logs?follow=1" >"$T/followed" 2>&1 3>&-) &
	chaos_pids+=($!)
	wait_for 10 "lines" test -s "$T/followed"
	certificate second
	wait_for 10 "the new certificate" holds second subject
	kill -0 "${chaos_pids[0]}"
	# Half of a change is none.
	echo "no certificate" >"$T/server.pem"
	wait_for 10 "it to be said" grep -q "api.listens.*error" "$T/up.log"
	is second subject
	exits 0 with ci status
	exits 2 env DAVIT_TOKEN=davit_1 "$DAVIT" --host http://192.0.2.1:80 status
	says "in clear"
	exits 4 env -u DAVIT_TOKEN "$DAVIT" --host "$BASE" status
	says DAVIT_TOKEN
	exits 6 env -u DAVIT_CA_FILE DAVIT_TOKEN_FILE="$T/ci.token" "$DAVIT" --host "$BASE" status
	says DAVIT_CA_FILE
	# Revoked, it follows no more.
	exits 0 davit token revoke ci
	wait_for 10 "the end of the stream" gone "${chaos_pids[0]}"
	# Away from the file, away from the network.
	echo "webhooks: { listen: \"127.0.0.1:$API_PORT\", certificate: \"$T/ca.pem\", key: \"$T/ca.key\" }" >"$T/server.yaml"
	wait_for 10 "the place to be the webhooks'" holds 404 hooked
}

hooked() { curl -sk -o /dev/null -w '%{http_code}' "$BASE/hooks/shop" -d '{}'; }

@test "what docs/how-to/tokens.md tells people to type does what it says" {
	local page=docs/how-to/tokens.md
	serve
	release v1
	release v2
	exits 0 davit deploy prod "$T/rel/v1" --as v1
	exits 0 davit deploy prod "$T/rel/v2" --as v2
	typed() {
		page_block "$page" "$1" | sed "s|https://deploy.example.com:8091|$BASE|" >"$T/block"
		(cd "$T" && exec env PATH="$BUILD:$PATH" CURL_CA_BUNDLE="$T/ca.pem" bash -e -o pipefail "$T/block" </dev/null 3>&-)
	}
	exits 0 typed make
	says "rollback  shop/prod"
	exits 0 env -u DAVIT_STATE bash -c "$(declare -f typed page_block); T=$T page=$page BASE=$BASE BATS_TEST_DIRNAME=$BATS_TEST_DIRNAME; typed use"
	is v1 live_in prod
	exits 0 davit deploy prod v2 --allow-bad
	exits 0 typed curl
	wait_for 20 "the way back" holds v1 live_in prod
	page_has 3 "$page"
}
