#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a check's scanner finds in a release that runs is held against what it found in the last good release of production:
# new, existing, fixed. The scanner writes what the release's own file says, RULE LEVEL PATH on each line.

load lib.bash

setup() {
	kit_setup
	INSTANCES=1
	STRATEGY='[switch]'
	STAGING=$(free_port)
	checking ''
}

teardown() { kit_teardown; }

# checking KEYS [KEYS]: releases from now on have a scan with these keys, and prod has these
checking() {
	EXTRA="checks: { dast: [{ get: /up }, { run: sh \$RELEASE/scan.sh, sarif: dast.sarif$1 }] }"
	ENVIRONMENT_EXTRA="    production: true
    analysis: off
    verify: [dast]
${2:-}
  staging: { listen: 127.0.0.1:$STAGING, strategy: test, analysis: off, verify: [dast] }"
}

# scanned TAG [FINDING...]: a release in which the scanner finds these
scanned() {
	local tag=$1
	release "$tag"
	shift
	printf '%s\n' "$@" | grep . >"$T/rel/$tag/found" || true
	cat >"$T/rel/$tag/scan.sh" <<-'SH'
		comma='' results=''
		while read -r rule level path; do
			results="$results$comma{\"ruleId\":\"$rule\",\"level\":\"$level\",\"message\":{\"text\":\"$rule seen at $URL $TOKEN\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"$URL$path$TOKEN\"}}}]}"
			comma=,
		done <"$RELEASE/found"
		printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[%s]}]}' "$results" >dast.sarif
	SH
}
# goes CODE ENVIRONMENT TAG: it is deployed there
goes() { exits "$1" davit deploy "$2" "$T/rel/$3" --as "$3"; }
# What the last rollout of prod was judged by.
told() { davit why "${1:-prod}" --json | jq -r '[.evidence[] | .text][-1]'; }
tells() { [[ $(told "${2:-prod}") == *"$1"* ]] || { told "${2:-prod}"; false; }; }

@test "new, existing and fixed are what they are since the release that is live in production" {
	up
	# Nothing to compare with: it says so, and everything is new.
	scanned v1 "one error /a"
	goes 11 prod v1
	says '1 new finding is blocked: 1 high. The worst: probe/one at $URL/a (high).'
	says "(1 new, 0 existing, 0 fixed, 0 waived, compared with nothing, for no release is live in production yet)"
	checking ', block_at: critical'
	scanned v2 "one error /a" "two error /b"
	goes 0 prod v2
	tells "dast: 2 new, 0 existing, 0 fixed, 0 waived, compared with nothing, for no release is live in production yet."
	# What production has blocks nobody, also where it is high, though the instance listens elsewhere.
	checking ''
	scanned v3 "one error /a"
	goes 0 prod v3
	tells "All 2 smoke checks passed at 127.0.0.1:"
	tells "; dast: 0 new, 1 existing, 1 fixed, 0 waived since v2 (prod)."
	scanned v4 "one error /a" "two error /b"
	goes 11 prod v4
	says '1 new finding is blocked: 1 high. The worst: probe/two at $URL/b (high).'
	says "(1 new, 1 existing, 0 fixed, 0 waived since v3 (prod))"
	is v3 live_tag
	# After a rollback production is what it was, also for a server that has just started.
	exits 0 davit rollback prod
	is v2 live_tag
	down
	up
	exits 0 davit releases clear prod v4 --reason "it was no worse"
	goes 0 prod v4
	tells "dast: 0 new, 2 existing, 0 fixed, 0 waived since v2 (prod)."
}

@test "a release in staging is held against production, and what staging found is what counts there" {
	up
	checking ', block_at: critical'
	scanned v1 "one error /a"
	goes 0 prod v1
	checking ''
	scanned v2 "one error /a" "low note /b"
	goes 0 staging v2
	tells "dast: 1 new, 1 existing, 0 fixed, 0 waived since v1 (prod)." staging
	# It is live in staging only.
	scanned v3 "one error /a" "low note /b" "two error /c"
	goes 11 staging v3
	says "(2 new, 1 existing, 0 fixed, 0 waived since v1 (prod))"
	goes 0 prod v2
	scanned v4 "low note /b"
	goes 0 staging v4
	tells "dast: 0 new, 1 existing, 1 fixed, 0 waived since v2 (prod)." staging
}

@test "what was waived is new when the waiver is over, and a secret that is another makes the same finding" {
	up
	exits 0 eval 'printf canary-one-11 | (cd "$T" && "$DAVIT" secrets set scan --app shop 3>&-)'
	checking ', secrets: { TOKEN: davit:scan }'
	waive() { printf 'waivers:\n  - { rule: one, reason: checked, owner: ann, until: %s }\n' "$2" >"$T/rel/$1/waivers.yaml"; }
	scanned v1 "one error /a" "low note /b"
	waive v1 2999-01-01
	goes 0 prod v1
	tells "dast: 1 new, 0 existing, 0 fixed, 1 waived, compared with nothing"
	exits 0 eval 'printf canary-two-222 | (cd "$T" && "$DAVIT" secrets set scan --app shop 3>&-)'
	scanned v2 "low note /b" "one error /a"
	waive v2 2999-01-01
	goes 0 prod v2
	tells "dast: 0 new, 1 existing, 0 fixed, 1 waived since v1 (prod)."
	scanned v3 "low note /b" "one error /a"
	waive v3 2001-01-01
	goes 11 prod v3
	says 'probe/one at $URL/a*** (high)'
	says "(1 new, 1 existing, 0 fixed, 0 waived since v2 (prod))"
	fails grep -rqaF canary "$T/state" "$T/up.log"
}

@test "a baseline of the release comes first; what is no scan is a failure, never nothing found" {
	up
	scanned v1
	goes 0 prod v1
	tells "dast: 0 new, 0 existing, 0 fixed, 0 waived, compared with nothing, for no release is live in production yet."
	checking ', baseline: baseline.sarif'
	scanned v2 "one error /a"
	# shellcheck disable=SC2016 # as reports have it
	printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[%s]}]}' \
		'{"ruleId":"one","level":"error","message":{"text":"one seen at $URL "},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"$URL/a"}}}]}' >"$T/rel/v2/baseline.sarif"
	goes 0 prod v2
	tells "dast: 0 new, 1 existing, 0 fixed, 0 waived since baseline.sarif."
	# It is kept all the same. A scan that is new has nothing to be compared with.
	checking ''
	scanned v3 "one error /a"
	goes 0 prod v3
	tells "dast: 0 new, 1 existing, 0 fixed, 0 waived since v2 (prod)."
	EXTRA="checks: { dast: { run: sh \$RELEASE/scan.sh, sarif: dast.sarif }, again: { run: sh \$RELEASE/scan.sh, sarif: dast.sarif } }"
	ENVIRONMENT_EXTRA=${ENVIRONMENT_EXTRA//"[dast]"/"[dast, again]"}
	scanned v4 "one error /a"
	goes 11 prod v4
	says "(1 new, 0 existing, 0 fixed, 0 waived, compared with nothing, for nothing is kept of what this check found in v3 (prod))"
	checking ''
	for broken in true 'echo {} >dast.sarif' ': >dast.sarif' 'echo {"version":"2.1.0","runs":[]} >dast.sarif' 'exit 1'; do
		release v5
		echo "$broken" >"$T/rel/v5/scan.sh"
		exits 11 davit deploy prod "$T/rel/v5"
		is v3 live_tag
	done
	scanned v6
	goes 0 prod v6
	tells "dast: 0 new, 0 existing, 1 fixed, 0 waived since v3 (prod)."
}

@test "what is kept and is no longer whole is an error, never clean, and a backup has it" {
	damage() {
		python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute(sys.argv[2])
db.commit()' "$T/state/davit.db" "$1"
	}
	up
	scanned v1 "low note /a"
	goes 0 prod v1
	exits 0 davit backup b.tar
	down
	damage "UPDATE found SET body = substr(body, 1, length(body) - 1)"
	up
	scanned v2 "low note /a"
	goes 11 prod v2
	says "What this check found in v1 (prod) is no longer in the server's store as it was kept"
	says 'name a "baseline" in the check'
	down
	damage "DELETE FROM found"
	up
	scanned v3 "low note /a"
	goes 11 prod v3
	says "is no longer in the server's store as it was kept"
	down
	exits 0 davit restore --force b.tar
	up
	wait_for 20 "v1 to be live" holds v1 live_tag
	scanned v4 "low note /a"
	goes 0 prod v4
	tells "dast: 0 new, 1 existing, 0 fixed, 0 waived since v1 (prod)."
}

@test "whoever approves is shown what the scan of staging found" {
	up
	scanned v1 "low note /a"
	goes 0 prod v1
	checking '' '    approve: { count: 1 }'
	scanned v2 "low note /a" "other note /b"
	goes 0 staging v2
	exits 0 davit deploy prod v2 --detach
	wait_for 10 "the question" holds gated rollout .state
	is '1 1 0 0 v1 (prod)' rollout '.gate.findings | "\(.new) \(.existing) \(.fixed) \(.waived) \(.since)"'
	exits 15 env -C "$T" script -qec "'$DAVIT' approve prod" /dev/null
	says "findings   1 new, 1 existing, 0 fixed, 0 waived  checks, compared with v1 (prod)"
}
