#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Secrets of stages: given to the stage that names them, and found nowhere else; and who gets none.

load lib.bash

CANARY=canary-91b7-npm-s3cr3t-token

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	INSTANCES=1
	STRATEGY='[switch]'
	ENVIRONMENT_EXTRA='    analysis: off'
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	cp "$BUILD/tests/system/app" "$R/app"
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
in_repo() { (cd "$R" && "$DAVIT" "$@" </dev/null 3>&-); }
give() { printf %s "$2" | (cd "$T" && "$DAVIT" secrets set "$1" --app shop "${@:3}" 3>&-); }
build_of() { davit builds "$1" --json | jq -r "$2"; }

# publishing KEYS SCRIPT: a stage with these keys runs this file of the commit
publishing() {
	printf '%s\n' "$2" >"$R/publish.sh"
	EXTRA="pipeline:
  plain: { run: \"echo plain has [\$NPM]\" }
  publish: { needs: [plain], run: \"sh publish.sh\"$1 }
  package: { needs: [publish], archive: [app] }"
	write_config "$R/davit.yaml"
	g add -A && g commit -q --allow-empty -m "A change"
}

# Not a byte of it in the state directory, nor in any command line.
nowhere() {
	fails grep -srlaF "$1" "$T/state"
	fails grep -srlaF "$(printf %s "$1" | base64 -w 0 | cut -c1-36)" "$T/state"
	fails grep -slaF "$1" /proc/[0-9]*/cmdline
}

@test "a stage that names a secret gets it, in memory alone, and its log is cleared of it" {
	up
	exits 0 give stages/npm "$CANARY"
	says "those of every branch that may be pushed"
	exits 0 give prod/db canary-of-production
	# shellcheck disable=SC2016 # for the stage
	publishing ', secrets: { NPM: davit:stages/npm }' 'echo "digest $(printf %s "$NPM" | sha256sum)"
echo "has $NPM"
echo "as base64 $(printf %s "$NPM" | base64)"
printf %s "in parts ${NPM%-token}"
sleep 0.2
echo "-token"
env | grep -c canary
until [ -e go ]; do sleep 0.1; done'
	(in_repo build --to prod >"$T/build.log" 2>&1) &
	local builder=$!
	wait_for 20 "the stage to wait" eval 'davit logs build/1/publish | grep -qx "publish [^ ]* 1"'
	# While it runs as well: its environment has it and nothing else.
	nowhere "$CANARY"
	grep -slaF "$CANARY" /proc/[0-9]*/environ >"$T/holders" || true # some are gone meanwhile
	[ -s "$T/holders" ]
	for holder in $(cut -d/ -f3 "$T/holders"); do
		fails grep -qE '^davit(-fail.*)?$|bwrap' "/proc/$holder/comm"
	done
	touch "$T/state/builds/apps/shop/run/stages/publish/work/go"
	wait "$builder"
	exits 0 davit logs build/1/publish
	says "digest $(printf %s "$CANARY" | sha256sum | cut -c1-64)"
	says "has ***"
	says "as base64 ***"
	says "in parts ***"
	fails grep -F "$CANARY" <<<"$output"
	exits 0 davit logs build/1/plain
	says "plain has []"
	nowhere "$CANARY"
	fails grep -F "$CANARY" "$T/build.log" "$T/up.log"
	is 0 eval "grep -slaF '$CANARY' /proc/[0-9]*/environ | wc -l"
}

@test "no branch gets what production has, nor what is not there; without a server there are none" {
	up
	exits 0 give prod/db canary-of-production
	exits 0 give mail canary-of-all
	for name in prod/db mail; do
		publishing ", secrets: { NPM: davit:$name }" 'true'
		exits 2 in_repo build --to prod
		says 'a stage gets no other secrets'
	done
	# shellcheck disable=SC2016 # for the stage
	publishing ', secrets: { NPM: davit:stages/npm }' 'test "$NPM" = new-value'
	exits 10 in_repo build --to prod
	says 'There is no secret "stages/npm" of shop; write it with: davit secrets set stages/npm --app shop'
	is passed build_of 1 '.stages[] | select(.stage == "plain") | .state'
	exits 10 in_repo build --local
	says "It is given secrets, and only a server has them"
	# Each build has the newest value.
	exits 0 give stages/npm old-value
	exits 0 give stages/npm new-value
	exits 0 in_repo build --to prod
	# What a log cannot be cleared of is not taken; a process gets none of stages.
	exits 2 give stages/pin 123
	says "4 to 4096 bytes"
	printf 'with\0zero' >"$T/zero"
	exits 2 eval '(cd "$T" && "$DAVIT" secrets set stages/pin --app shop <"$T/zero" 3>&-)'
	ENVIRONMENT_EXTRA='    secrets: { NPM: davit:stages/npm }'
	publishing '' true
	exits 2 in_repo validate
	says 'The secret "davit:stages/npm" is not one of "prod"'
}

@test "the server's own file says which branches and tags get them" {
	echo 'secrets: { stages: { branch: main, tag: "v*" } }' >"$T/server.yaml"
	up --server "$T/server.yaml"
	exits 0 give stages/npm "$CANARY"
	# shellcheck disable=SC2016 # for the stage
	publishing ', secrets: { NPM: davit:stages/npm }' 'test -n "$NPM"'
	exits 0 in_repo build main --to prod
	g checkout -q -b feature
	exits 10 in_repo build feature --to prod
	says "The server's own file gives secrets to stages of other branches and tags only, and not to those of refs/heads/feature."
	g tag v1.0.0
	exits 0 in_repo build v1.0.0 --to prod
	printf 'secrets: { stages: {} }' >"$T/empty.yaml"
	down
	exits 1 timeout 10 "$DAVIT" up --state "$T/other" --server "$T/empty.yaml"
	says '"stages" names no branch and no tag'
}
