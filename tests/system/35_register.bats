#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Builds that another system makes: registered once however often they are said, with their commits and tests; what goes out
# goes where it may.

load lib.bash

setup() {
	kit_setup
	API_PORT=$(free_port) STAGING_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off, trigger: { branch: main } }"
	BASE=http://127.0.0.1:$API_PORT
	echo "api: { listen: \"127.0.0.1:$API_PORT\" }" >"$T/server.yaml"
	R=$T/repo
	mkdir -p "$R/dist"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	write_config "$R/davit.yaml"
	cp "$R/davit.yaml" "$R/dist/"
	cp "$DAVIT_APP" "$R/dist/app"
	echo version=one >"$R/dist/release.conf"
	results 3 0
	commit First
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
commit() { g add -A && g commit -q --allow-empty -m "$1"; }
# results PASSED FAILED
results() {
	{
		echo "<testsuite>"
		for ((i = 0; i < $1; i++)); do echo "<testcase classname='a' name='p$i'/>"; done
		for ((i = 0; i < $2; i++)); do echo "<testcase classname='a' name='bad$i'><failure/></testcase>"; done
		echo "</testsuite>"
	} >"$R/results.xml"
}
serve() {
	up --server "$T/server.yaml"
	wait_for 10 "the API to listen" holds 401 curl -s -o /dev/null -w '%{http_code}' "$BASE/v1/server"
	(umask 077 && davit token create ci --scope "${1:-release,deploy}" --for "${2:-shop}" >"$T/ci.token" 2>/dev/null)
}
# ci COMMAND...: in the clone, as a step of another system
ci() {
	(cd "$R" && env -u DAVIT_STATE DAVIT_HOST="$BASE" DAVIT_TOKEN="$(cat "$T/ci.token")" GITHUB_ACTIONS=true \
		GITHUB_REPOSITORY=acme/shop GITHUB_RUN_ID="${RUN:-8123}" GITHUB_RUN_ATTEMPT=1 GITHUB_SHA="$(g rev-parse HEAD)" \
		GITHUB_REF="${REF:-refs/heads/main}" GITHUB_SERVER_URL=https://github.com "$@" </dev/null 3>&-)
}
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
rollouts() { davit history --json | jq '.rollouts | length'; }

@test "a step of another pipeline registers what it has built, and follows it out" {
	serve
	exits 0 ci "$DAVIT" register dist --junit results.xml --as v1 --triggered --watch
	is v1 live_in staging
	is passed build_of 1 .state
	is "$(g rev-parse HEAD)" build_of 1 .commit
	is refs/heads/main build_of 1 .ref
	is First build_of 1 .subject
	is 3 build_of 1 '.stages[0].tests.tests'
	is github/acme/shop/8123/1 build_of 1 .external.run
	is token:ci build_of 1 .by
	exits 0 davit builds 1
	says "https://github.com/acme/shop/actions/runs/8123"
	# The step is tried again.
	exits 0 ci "$DAVIT" register dist --junit results.xml --as v1 --triggered
	says "Build 1 of shop"
	is 1 rollouts
	# The same run with something else.
	results 4 0
	exits 5 ci "$DAVIT" register dist --junit results.xml --as v1 --triggered
	says "something else"
	# What another system has built is not built here.
	exits 2 davit build --again 1
	says "run again there"
	# A change has a lead time, from its own commit.
	echo version=two >"$R/dist/release.conf"
	commit Second
	RUN=8124 exits 0 ci "$DAVIT" register dist --junit results.xml --as v2 --to staging,prod --watch
	is v2 live_in prod
	is v2 live_in staging
	[ -z "$(davit_says_nothing)" ]
}

davit_says_nothing() { grep -E "error|warning" "$T/up.log" | grep -v "api.refused" || true; }

@test "what failed elsewhere is known, and goes nowhere" {
	serve
	results 3 2
	exits 10 ci "$DAVIT" register dist --junit results.xml --triggered
	is failed build_of 1 .state
	is 2 build_of 1 '.stages[0].tests.failed'
	is "a.bad0, a.bad1" build_of 1 '.stages[0].why'
	RUN=8 exits 0 ci "$DAVIT" register --failed "it does not compile" --triggered
	is "it does not compile" build_of 2 .why
	is 0 rollouts
	# Neither branch nor tag, and one that nobody waits for.
	results 1 0
	RUN=9 REF=refs/pull/7/merge exits 2 ci "$DAVIT" register dist --triggered
	says "Without a"
	RUN=9 REF=refs/heads/other exits 0 ci "$DAVIT" register dist --triggered
	says "No environment has a trigger"
	is 0 rollouts
	exits 2 env -C "$R" "$DAVIT" register dist --state "$T/state"
	says "no name"
}

@test "a token registers and sends what it may" {
	serve release shop/staging
	exits 4 ci "$DAVIT" register dist --triggered
	says "not the scope deploy"
	exits 0 ci "$DAVIT" register dist --as v1
	is 0 rollouts
	davit token revoke ci >/dev/null
	(umask 077 && davit token create ci --scope release,deploy --for shop/staging >"$T/ci.token" 2>/dev/null)
	RUN=2 exits 4 ci "$DAVIT" register dist --as v1 --to staging,prod
	says "reaches shop/staging alone"
	is 0 rollouts
	RUN=3 exits 0 ci "$DAVIT" register dist --as v1 --to staging --watch
	is v1 live_in staging
	sed -i 's/^app: shop/app: other/' "$R/dist/davit.yaml"
	RUN=4 exits 2 ci "$DAVIT" register dist --app shop
	says "The configuration is that of"
	RUN=5 exits 4 ci "$DAVIT" register dist --app other
}

@test "killed right after it was told, it goes out once" {
	serve
	exits 0 ci "$DAVIT" register dist --as v1 --to staging
	kill -9 "$(pids_of controller)"
	wait_for 20 "the controller" holds 1 rollouts
	exits 0 ci "$DAVIT" register dist --as v1 --to staging
	wait_for 20 "the release" holds v1 live_in staging
	is 1 rollouts
}

@test "what docs/how-to/another-ci.md tells people to type does what it says" {
	local page=docs/how-to/another-ci.md block
	serve
	davit token revoke ci >/dev/null
	typed() {
		page_block "$page" "$1" >"$T/block"
		(cd "$R" && exec env PATH="$BUILD:$PATH" bash -e -o pipefail "$T/block" </dev/null 3>&-)
	}
	export DAVIT_STATE=$T/state
	umask 077
	exits 0 typed token
	export DAVIT_HOST=$BASE DAVIT_TOKEN
	DAVIT_TOKEN=$(cat "$R/ci.token")
	unset DAVIT_STATE
	exits 0 typed register
	says passed
	echo version=two >"$R/dist/release.conf"
	commit Second
	exits 0 typed release
	exits 0 typed build
	unset DAVIT_HOST
	export DAVIT_STATE=$T/state
	wait_for 20 "the second" holds v0.0.2 answered
	export DAVIT_HOST=$BASE
	exits 0 typed back
	wait_for 20 "the way back" holds v0.0.1 answered
	page_has 5 "$page"
	unset DAVIT_HOST
}

answered() { curl -s --max-time 5 -o /dev/null -D - "http://127.0.0.1:$STAGING_PORT/item/1" | tr -d '\r' | awk -F': ' 'tolower($1) == "x-release" { print $2 }'; }
