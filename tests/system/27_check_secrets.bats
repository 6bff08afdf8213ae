#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Secrets of the commands of checks: given to those that name them, and found nowhere else.

load lib.bash

CANARY=canary-58d2-smoke-p4ssw0rd/and+mores
OTHER=canary-c0de-prod-token-of-a-scanner

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY='[{ check: smoke }, switch]'
	ENVIRONMENT_EXTRA='    analysis: off'
}

teardown() { kit_teardown; }

# checking KEYS: releases from now on have a check with these keys more
checking() { EXTRA="checks: { smoke: { run: sh \$RELEASE/smoke.sh, timeout: 60s$1 } }"; }
# checked TAG SCRIPT: a release whose check runs this
checked() {
	release "$1"
	printf '%s\n' "$2" >"$T/rel/$1/smoke.sh"
}
give() { printf %s "$2" | (cd "$T" && "$DAVIT" secrets "${3:-set}" "$1" --app shop 3>&-); }
digest() { printf %s "$1" | sha256sum | cut -c1-64; }

# Not a byte of it in the state directory, in any command line, or in what davit said.
nowhere() {
	fails grep -srlaF "$1" "$T/state" "$T/up.log"
	fails grep -srlaF "$(printf %s "$1" | base64 -w 0 | cut -c1-36)" "$T/state" "$T/up.log"
	fails grep -slaF "$1" /proc/[0-9]*/cmdline
}
holders() { grep -slaF "$1" /proc/[0-9]*/environ; }

@test "a command that names a secret gets it, in memory alone, and what it says is kept without it" {
	up
	exits 0 give smoke "$CANARY"
	exits 0 give prod/token "$OTHER"
	ENVIRONMENT_EXTRA="$ENVIRONMENT_EXTRA
    check_secrets: { TOKEN: { from: davit:prod/token, as: file } }"
	checking ', secrets: { PASSWORD: davit:smoke }'
	# shellcheck disable=SC2016 # for the check
	checked v1 'echo "$(printf %s "$PASSWORD" | sha256sum) $(sha256sum <"$TOKEN") $TOKEN" >'"$T/given"'
until [ -e '"$T/go"' ]; do sleep 0.1; done
echo "knows $PASSWORD" >&2
echo "and $(cat "$TOKEN"), $(printf %s "$PASSWORD" | base64)"
[ -e '"$T/fine"' ]'
	(deploy v1) &
	local deployment=$!
	wait_for 20 "the check to run" test -s "$T/given"
	is "$(digest "$CANARY") $(digest "$OTHER")" awk '{ print $1, $3 }' "$T/given"
	# While it runs as well: in the environment of the command, and of nothing that davit is or starts beside it.
	nowhere "$CANARY"
	nowhere "$OTHER"
	holders "$CANARY" >"$T/holders" || true # some are gone meanwhile
	[ -s "$T/holders" ]
	for holder in $(cut -d/ -f3 "$T/holders"); do
		grep -qE '^(sh|sleep)$' "/proc/$holder/comm" || [ ! -e "/proc/$holder" ]
	done
	is 0 eval "holders '$OTHER' | wc -l"
	touch "$T/go"
	wait "$deployment" || true
	is reverted rollout .state
	exits 0 davit why prod --json
	says 'ended with status 1: and ***, ***.'
	is 'knows ***,and ***, ***' jq -r '[.evidence[].said // empty][-1] | gsub("\n"; ",")' <<<"$output"
	exits 0 davit why prod
	says '    | knows ***'
	says "a check of the new release failed"
	grep -q 'said="knows ...\\x0aand' "$T/up.log"
	nowhere "$CANARY"
	nowhere "$OTHER"
	is 0 eval "holders '$CANARY' | wc -l"
	[ ! -e "$(awk '{ print $5 }' "$T/given")" ]
	# It passes, and nothing is said of it.
	touch "$T/fine"
	exits 0 davit releases clear prod v1 --reason "the check was wrong"
	deploy v1
	[ "$status" = 0 ]
	exits 0 davit secrets list
	says "(checks)"
	exits 0 give smoke other-password rotate
	says "shop/prod is not restarted: only its checks use it"
	nowhere "$CANARY"
}

@test "what a scan says of a secret is kept without it, also when its report is cut off" {
	up
	exits 0 give smoke "$CANARY"
	checking ', secrets: { PASSWORD: davit:smoke }, sarif: dast.sarif'
	# shellcheck disable=SC2016 # for the check
	local begin='{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[{"ruleId":"leak of '
	checked v1 "printf '%s%s' '$begin' \"\$PASSWORD\" >dast.sarif"
	deploy v1
	[ "$status" = 11 ]
	says "The scan"
	fails grep -q canary <<<"$output$(cat "$T/deploy.err")"
	nowhere "${CANARY:0:11}"
	# shellcheck disable=SC2016 # for the check
	checked v2 "printf '%s%s%s%s%s' '$begin' \"\$PASSWORD\" '\",\"level\":\"error\",\"message\":{\"text\":\"x\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"http://h/?p=' \"\$PASSWORD\" '\"}}}]}]}]}' >dast.sarif"
	deploy v2
	[ "$status" = 11 ]
	says "The worst: probe/leak of *** at http://h/?p=*** (high)."
	nowhere "$CANARY"
}

@test "each environment gives its own; no release's check gets what another one's names" {
	ENVIRONMENT_EXTRA="$ENVIRONMENT_EXTRA
    check_secrets: { PASSWORD: davit:prod/smoke }
  dev: { listen: 127.0.0.1:$(free_port), strategy: test, analysis: off, check_secrets: { PASSWORD: davit:dev/smoke } }"
	up
	exits 0 give prod/smoke "$CANARY"
	exits 0 give dev/smoke "$OTHER"
	checking ', secrets: { PASSWORD: davit:smoke }'
	checked v1 'env >'"$T"'/env.$$'
	exits 0 davit deploy dev "$T/rel/v1" --as v1
	grep -qx "PASSWORD=$OTHER" "$T"/env.*
	fails grep -qF "$CANARY" "$T"/env.*
	rm "$T"/env.*
	deploy v1
	[ "$status" = 0 ]
	grep -qx "PASSWORD=$CANARY" "$T"/env.*
	fails grep -qF "$OTHER" "$T"/env.*
	# The next release's check names none.
	ENVIRONMENT_EXTRA='    analysis: off'
	checking ''
	checked v2 'env >'"$T"'/none.$$'
	deploy v2
	[ "$status" = 0 ]
	fails grep -q canary "$T"/none.*
	fails grep -q PASSWORD "$T"/none.*
}

@test "latest is the newest when the check runs; pinned is what the release had first" {
	up
	exits 0 give smoke one-one
	exits 0 give ca ca-one
	checking ', secrets: { NEW: davit:smoke, OLD: { from: davit:ca, version: pinned } }'
	# shellcheck disable=SC2016 # for the check
	for tag in v1 v2; do checked $tag 'echo "$NEW $OLD" >>'"$T/given"; done
	deploy v1
	[ "$status" = 0 ]
	exits 0 give smoke two-two
	exits 0 give ca ca-two
	deploy v2
	[ "$status" = 0 ]
	deploy v1
	[ "$status" = 0 ]
	is "one-one ca-one,two-two ca-two,two-two ca-one," eval 'tr "\n" , <"$T/given"'
}

@test "what is missing, of another environment or cannot be masked is refused before anything begins" {
	up
	checking ', secrets: { PASSWORD: davit:smoke }'
	checked v1 true
	exits 3 davit deploy prod "$T/rel/v1" --as v1
	says 'There is no secret "smoke" of shop; write it with: davit secrets set smoke --app shop'
	exits 0 give smoke abc
	exits 2 davit deploy prod "$T/rel/v1" --as v1
	says "A command of a check takes secrets of 4 to 4096 bytes"
	exits 0 give smoke abcd
	deploy v1
	[ "$status" = 0 ]
	# With a byte 0 it can be a file, and no variable.
	printf 'with\0zero' >"$T/zero"
	exits 0 eval '(cd "$T" && "$DAVIT" secrets set smoke --app shop <"$T/zero" 3>&-)'
	checked v2 true
	deploy v2
	[ "$status" = 11 ]
	says 'The secret PASSWORD has a byte 0 and cannot be a variable; give it with "as: file".'
	checking ', secrets: { PASSWORD: davit:dev/smoke }'
	release v3
	exits 2 davit validate "$T/rel/v3/davit.yaml"
	says 'The secret "davit:dev/smoke" is not one of "prod", whose check "smoke" asks for it'
	checking ', secrets: { PASSWORD: davit:stages/npm }'
	release v4
	exits 2 davit validate "$T/rel/v4/davit.yaml"
	says 'The secret "davit:stages/npm" is not one of "prod"'
}
