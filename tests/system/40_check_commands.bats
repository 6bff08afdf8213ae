#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the command of a check may do: no more than the application that it is a part of.

load lib.bash

setup() {
	kit_setup
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	[ "$(id -u)" = 0 ] || skip "needs root"
	chmod 755 "$T"
	mkdir -m 777 "$T/out"
	INSTANCES=1
	STRATEGY='[{ check: smoke }, switch]'
	ENVIRONMENT_EXTRA='    analysis: off'
	SERVICE_EXTRA="$SERVICE_EXTRA
  user: nobody"
	checking ''
}

teardown() { kit_teardown; }

# checking KEYS: releases from now on have a check with these keys more
checking() { EXTRA="checks: { smoke: { run: sh \$RELEASE/smoke.sh, timeout: ${LIMIT:-60s}$1 } }"; }
# checked TAG: a release whose check runs what comes on standard input; $OUT is for it to write to
checked() {
	release "$1"
	printf 'OUT=%s\n' "$T/out" >"$T/rel/$1/smoke.sh"
	cat >>"$T/rel/$1/smoke.sh"
}
# Nothing with this in its command line runs.
nothing() { ! pgrep -f "$1" >/dev/null || { pgrep -af "$1"; false; }; }

@test "it is the application's user, in the release's directory, and can become nobody else" {
	up
	checked v1 <<-'SH'
		{ id -u; id -g; id -G; pwd; echo "$HOME $USER $RELEASE"; grep NoNewPrivs /proc/self/status; } >"$OUT/who"
		cat "$OUT/../state/davit.db" >/dev/null 2>&1 && exit 9
		ls "$OUT/../state" >/dev/null 2>&1 && exit 8
		exit 0
	SH
	deploy v1
	[ "$status" = 0 ]
	is "$(id -u nobody)" sed -n 1p "$T/out/who"
	is "$(id -g nobody)" sed -n 2p "$T/out/who"
	is "$(id -G nobody)" sed -n 3p "$T/out/who"
	is "$(sed 's/.* //; q' <(sed -n 5p "$T/out/who"))" sed -n 4p "$T/out/who"
	is "$(getent passwd nobody | cut -d: -f6) nobody" eval "sed -n 5p '$T/out/who' | cut -d' ' -f1,2"
	is 1 eval "sed -n 6p '$T/out/who' | cut -f2"
	is nobody stat -c %U "$T/out/who"
}

@test "a scan writes its report into a directory of its user; another one's file is no report" {
	checking ', sarif: dast.sarif'
	up
	checked v1 <<-'SH'
		stat -c '%U %a' . >"$OUT/place"
		printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[]}]}' >dast.sarif
	SH
	deploy v1
	[ "$status" = 0 ]
	is "nobody 700" cat "$T/out/place"
	printf '{"version":"2.1.0","runs":[]}' >"$T/out/of-root"
	checked v2 <<-'SH'
		ln "$OUT/of-root" dast.sarif || ln -s "$OUT/of-root" dast.sarif
	SH
	deploy v2
	[ "$status" = 11 ]
	says "The report of its scan is not there."
}

@test "a secret that is a file is for that user alone, and is gone with the command" {
	checking ', secrets: { TOKEN: { from: davit:smoke, as: file } }'
	up
	give() { printf %s "$2" | (cd "$T" && "$DAVIT" secrets set "$1" --app shop 3>&-); }
	exits 0 give smoke canary-58d2
	checked v1 <<-'SH'
		stat -c '%U %a' "$TOKEN" >"$OUT/file"
		stat -c '%U %a' "$(dirname "$TOKEN")" >>"$OUT/file"
		echo "$TOKEN" >"$OUT/name"
		sha256sum <"$TOKEN" >>"$OUT/name"
	SH
	deploy v1
	[ "$status" = 0 ]
	is "$(printf canary-58d2 | sha256sum)" sed -n 2p "$T/out/name"
	is "nobody 400,nobody 700," eval "tr '\n' , <'$T/out/file'"
	[ ! -e "$(head -1 "$T/out/name")" ]
	fails grep -srlaF canary-58d2 "$T/state" "$T/up.log"
}

@test "what it leaves running, forks without end, or writes without end is contained" {
	up
	# It leaves programs, also some that flee from its group.
	checked v1 <<-'SH'
		sleep 31536001 &
		setsid -f sh -c 'exec sleep 31536002'
		setsid env -i sh -c 'echo $$ >'"$OUT/fled"'; exec sleep 31536003' &
		until [ -s "$OUT/fled" ]; do :; done
	SH
	deploy v1
	[ "$status" = 0 ]
	nothing 'sleep 3153600[12]'
	# Without a mark only a control group holds it.
	if grep -q 'none can be made' <<<"$(davit doctor 2>&1)"; then kill "$(cat "$T/out/fled")"; else nothing 'sleep 31536003'; fi
	# It forks without end.
	LIMIT=3s checking ""
	checked v2 <<-'SH'
		bomb() { sleep 31536004 & bomb | bomb & }
		bomb
		sleep 31536004
	SH
	deploy v2
	[ "$status" = 11 ]
	nothing 'sleep 31536004'
	is v1 answering
	# It writes without end.
	checked v3 <<-'SH'
		exec yes "much more than anybody reads"
	SH
	deploy v3
	[ "$status" = 11 ]
	says "did not end within its time: m" # it may have been ended within a line
	nothing 'yes much more'
	[ "$(stat -c %s "$T/up.log")" -lt 1000000 ]
	is v1 answering
	exits 0 davit status
}

@test "an answer has the header, the JSON and the time that were expected, or it is said what came" {
	local page="$TOP/docs/how-to/checks.md"
	probing() { EXTRA="checks: { smoke: { get: /state, $1 } }"; }
	up
	probing "header: { Content-Type: application/json, X-Release: v1 }, json: { \$.release: v1, \"\$.parts[0].ready\": true }, within: 9s"
	release v1
	deploy v1
	[ "$status" = 0 ]
	probing "header: { X-Release: v1 }"
	release v2
	deploy v2
	[ "$status" = 11 ]
	says 'GET /state was answered with the header X-Release: "v2" instead of "v1".'
	probing "json: { \"\$.parts[1].ready\": true }"
	release v3
	deploy v3
	[ "$status" = 11 ]
	says 'GET /state was answered without $.parts[1].ready; "true" was expected there.'
	probing "within: 100ms"
	release v4 slow_ms=300
	deploy v4
	[ "$status" = 11 ]
	says "ms instead of within 100 ms."
	is v1 answering
	# The page has the same sentences, and its keys are valid.
	grep -q 'was answered with the header .* instead of' "$page"
	sed -n '/^```yaml/,/^```/p' "$page" | grep -v '^```' >"$T/davit.yaml"
	exits 0 env -C "$T" "$DAVIT" validate
}
