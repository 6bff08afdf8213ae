#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a stage's scanner finds is held against what the last good release of production had: new, existing, fixed. The
# scanner writes what the commit's own file says, RULE LEVEL PATH on each line.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	INSTANCES=1
	STRATEGY='[switch]'
	ENVIRONMENT_EXTRA='    production: true
    analysis: off'
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	cp "$BUILD/tests/system/app" "$R/app"
	cat >"$R/scan.sh" <<-'SH'
		comma='' results=''
		while read -r rule level path; do
			results="$results$comma{\"ruleId\":\"$rule\",\"level\":\"$level\",\"message\":{\"text\":\"$rule in line $$\"},\"partialFingerprints\":{\"primaryLocationLineHash\":\"$rule\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"$path\"}}}]}"
			comma=,
		done <found
		printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[%s]}]}' "$results" >scan.sarif
	SH
	scanning ''
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
in_repo() { (cd "$R" && "$DAVIT" "$@" </dev/null 3>&-); }
build_of() { davit builds "$1" --json | jq -r "$2"; }
findings_of() { build_of "$1" ".stages[] | select(.stage == \"scan\") | .findings | \"\(.new) \(.existing) \(.fixed) \(.waived) \(.since)\""; }
live() { live_tag; }

# scanning KEYS [STAGES]: the pipeline's scan has these keys; more stages after it
scanning() {
	EXTRA="pipeline:
  scan: { run: \"sh scan.sh\", sarif: scan.sarif$1 }
${2:-}
  package: { needs: [scan], archive: [app, found] }"
	write_config "$R/davit.yaml"
}

# build CODE [FINDING...]: a commit in which the scanner finds these
build() {
	local code=$1
	shift
	printf '%s\n' "$@" | grep . >"$R/found" || true
	g add -A && g commit -q --allow-empty -m "A change"
	exits "$code" in_repo build --to prod
}
# build_live TAG FINDING...: and what comes of it goes live
build_live() {
	build 0 "${@:2}"
	wait_for 20 "$1 to be live" holds "$1" live
}

@test "new, existing and fixed are what they are since the release that is live in production" {
	up
	# Nothing to compare with: it says so, and everything is new.
	build 10 "one error src/a.c"
	says "1 new finding is blocked"
	exits 0 davit logs build/1/scan
	says "compared with nothing, for no release is live in production yet, so that every finding is new: 1 new, 0 existing"
	says "davit: new, high: probe/one at src/a.c"
	scanning ', block_at: critical'
	build_live v0.0.1 "one error src/a.c" "two error src/b.c"
	is '2 0 0 0 ' findings_of 2
	is passed build_of 2 .state

	# What production has blocks nobody, also where it is high; what is gone is counted and named.
	scanning ''
	build_live v0.0.2 "one error src/a.c"
	says "findings: 0 new, 1 existing, 1 fixed since v0.0.1 (prod)"
	is '0 1 1 0 v0.0.1 (prod)' findings_of 3
	exits 0 davit logs build/3/scan
	says "compared with v0.0.1 (prod): 0 new, 1 existing, 1 fixed"
	says "davit: fixed, high: probe/two at src/b.c"
	build 10 "one error src/a.c" "two error src/b.c"
	says "1 new finding is blocked: 1 high. The worst: probe/two at src/b.c (high)."
	is '1 1 0 0 v0.0.2 (prod)' findings_of 4

	# After a rollback production is what it was, also for a server that has just started.
	exits 0 davit rollback prod
	wait_for 20 "v0.0.1 to be live" holds v0.0.1 live
	down
	up
	build 0 "one error src/a.c" "two error src/b.c"
	is '0 2 0 0 v0.0.1 (prod)' findings_of 5
}

@test "what was waived is new when the waiver is over, and no finding at all counts as one that production has" {
	up
	printf 'waivers:\n  - { rule: one, reason: checked, owner: ann, until: 2999-01-01 }\n' >"$R/waivers.yaml"
	build_live v0.0.1 "one error src/a.c" "low note src/b.c"
	is '1 0 0 1 ' findings_of 1
	build_live v0.0.2 "low note src/b.c" "one error src/a.c"
	is '0 1 0 1 v0.0.1 (prod)' findings_of 2
	sed -i s/2999/2001/ "$R/waivers.yaml"
	build 10 "one error src/a.c" "low note src/b.c"
	says "probe/one at src/a.c (high)"
	is '1 1 0 0 v0.0.2 (prod)' findings_of 3
	# Mended under the waiver it is fixed.
	build 0 "low note src/b.c"
	is '0 1 1 0 v0.0.2 (prod)' findings_of 4
}

@test "a release that was not built here is nothing to compare with; a baseline of the commit comes first" {
	up
	release v1
	deploy v1
	[ "$status" = 0 ]
	build 10 "one error src/a.c"
	exits 0 davit logs build/1/scan
	says "compared with nothing, for v1, the last good release of prod, was not built here"
	printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[%s]}]}' \
		'{"ruleId":"one","level":"error","message":{"text":"x"},"partialFingerprints":{"primaryLocationLineHash":"one"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/a.c"}}}]}' >"$R/baseline.sarif"
	scanning ', baseline: baseline.sarif'
	build_live v0.0.1 "one error src/a.c"
	is '0 1 0 0 baseline.sarif' findings_of 2
	# It is kept all the same, and a stage that is new has nothing to be compared with.
	scanning '' '  again: { run: "sh scan.sh", sarif: scan.sarif, block_at: critical }'
	build 0 "one error src/a.c"
	is '0 1 0 0 v0.0.1 (prod)' findings_of 3
	exits 0 davit logs build/3/again
	says "for nothing is kept of what this stage found in v0.0.1 (prod), so that every finding is new: 1 new"
}

@test "what is kept and is no longer whole is an error, never clean, and a backup has it" {
	up
	build_live v0.0.1 "low note src/a.c"
	exits 0 davit backup b.tar
	down
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE found SET body = substr(body, 1, length(body) - 1)")
db.commit()' "$T/state/davit.db"
	up
	build 10 "low note src/a.c"
	says "is no longer in the server's store as it was kept"
	says 'name a "baseline" in the stage'
	down
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("DELETE FROM found")
db.commit()' "$T/state/davit.db"
	up
	build 10 "low note src/a.c"
	says "is no longer in the server's store as it was kept"
	down
	exits 0 davit restore --force b.tar
	up
	wait_for 20 "v0.0.1 to be live" holds v0.0.1 live
	build 0 "low note src/a.c"
	says "0 new, 1 existing, 0 fixed since v0.0.1 (prod)"
}

@test "a scan that is taken over keeps what it found; whoever approves is shown it" {
	up
	scanning '' '  later: { run: "test -e go", needs: [scan] }'
	build 10 "low note src/a.c"
	g rm -q --cached found
	exits 10 in_repo build --again 1
	is taken build_of 2 '.stages[] | select(.stage == "scan") | .state'
	is '1 0 0 0 ' findings_of 2
	touch "$R/go"
	build_live v0.0.1 "low note src/a.c"
	# Now prod asks for an approval: the build goes there, and waits.
	ENVIRONMENT_EXTRA="$ENVIRONMENT_EXTRA
    approve: { count: 1 }"
	scanning '' '  later: { run: "test -e go", needs: [scan] }'
	build 0 "low note src/a.c" "other note src/a.c"
	wait_for 10 "the question" holds gated rollout .state
	is '1 1 0 0 v0.0.1 (prod)' rollout '.gate.findings | "\(.new) \(.existing) \(.fixed) \(.waived) \(.since)"'
	exits 15 env -C "$T" script -qec "'$DAVIT' approve prod" /dev/null
	says "findings   1 new, 1 existing, 0 fixed, 0 waived  build 4, compared with v0.0.1 (prod)"
}

# asked: what is shown at a terminal before the question; nothing is answered
asked() {
	exits 15 env -C "$T" script -qec "'$DAVIT' approve prod" /dev/null
}

@test "whoever approves is shown commits, tests, changed keys, and how the checks ended in the environment before" {
	up
	STAGING=$(free_port)
	printf '<testsuite><testcase name="a"/><testcase name="b"/><testcase name="c"><skipped/></testcase></testsuite>' >"$R/results.xml"
	through() {
		ENVIRONMENT_EXTRA="    from: staging
    approve: { count: 1, not_author: false }
    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING\", strategy: test, analysis: off$1 }"
		EXTRA="checks: { smoke: [{ get: /up, expect: 200 }] }
pipeline:
  unit: { run: \"true\", junit: results.xml }
  package: { needs: [unit], archive: [app] }"
		write_config "$R/davit.yaml"
		g add -A && g commit -q --allow-empty -m "$2"
		exits 0 in_repo build --to staging
		wait_for 20 "the question" holds gated rollout .state
	}
	through ', verify: [smoke]' 'The first one'
	is 'nothing is live here yet' rollout .gate.commits.why
	is '3 0 1' rollout '.gate.tests | "\(.run) \(.failed) \(.skipped)"'
	is 'pass' rollout .gate.checks.verdict
	asked
	says "which are new is not known: nothing is live here yet"
	says "The first one  Ann <ann@example.com>"
	says "tests      2 passed, 0 failed, 1 skipped, build 1"
	says "checks     pass in staging"
	exits 0 davit approve prod --yes -m "looks well"
	wait_for 20 "the first in prod" holds v0.0.1 live

	# A commit that checks nothing more and wants more instances does not look like the one before it.
	g commit -q --allow-empty -m "One between"
	INSTANCES=2
	through '' 'The second one'
	wait_for 10 "git to have said it" holds known rollout .gate.commits.state
	is '2' rollout '.gate.commits.list | length'
	is "$(g rev-parse HEAD)" rollout '.gate.commits.list[0].commit'
	is '0' rollout .gate.checks.steps
	asked
	says "commits    2 that the live release has not"
	says "The second one  Ann <ann@example.com>"
	says "One between  Ann <ann@example.com>"
	says "key differs from what is live"
	says "settings.processes.web.instances  1 "
	says "checks     none was made in staging"
	exits 0 davit why prod
	says "checks     none was made in staging"
}
