#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `sarif` of a stage and of a check: what a scanner finds is compared with what was known, and blocks what is new.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	command -v flawfinder >/dev/null || skip "flawfinder is not installed"
	R=$T/repo
	mkdir -p "$R/src"
	chmod 755 "$T" "$R"
	git -C "$R" -c init.defaultBranch=main init -q
	git -C "$R" config user.name Tester
	git -C "$R" config user.email tester@example.com
	printf '#include <string.h>\nvoid one(char *to, const char *from)\n{\n\tstrcpy(to, from);\n}\n' >"$R/src/greet.c"
}

teardown() { kit_teardown; }

# scanning KEYS: a pipeline whose only scan has these keys; what it makes is committed
scanning() {
	EXTRA="pipeline:
  scan: { run: \"flawfinder --quiet --sarif src > found.sarif || true\", sarif: found.sarif$1 }
  package: { needs: [scan], archive: [src/] }"
	write_config "$R/davit.yaml"
	git -C "$R" add -A && git -C "$R" commit -q --allow-empty -m "A change"
}

build() { exits "$1" build_there "${@:2}"; }
build_there() { (cd "$R" && exec "$DAVIT" build --local "$@") </dev/null 3>&- 4>&-; }
scan() { jq -r "select(.schema == \"davit.v1/build\") | .stages[] | select(.stage == \"scan\") | $1" <<<"$output"; }

@test "a new finding fails the stage and says which, where; what is known, or let through for a time, does not" {
	scanning ''
	build 10
	says "1 new finding is blocked: 1 high"
	says "src/greet.c:4 (high)"
	[ ! -e "$T/state/build/release.tar" ]
	build 10 --json
	is 1 scan .findings.new
	is failed scan .state

	# What was found is the baseline, and a copy of it that is new still blocks.
	env -C "$R" flawfinder --quiet --sarif src >"$T/found.sarif" || true
	env -C "$R" "$DAVIT" scan convert --from sarif "$T/found.sarif" >"$R/baseline.sarif"
	scanning ', baseline: baseline.sarif'
	build 0
	says "findings: 0 new, 1 known"
	printf 'void two(char *to, const char *from)\n{\n\tstrcpy(to, from);\n}\n' >>"$R/src/greet.c"
	scanning ', baseline: baseline.sarif'
	build 10
	says "src/greet.c:8 (high)"
	scanning ', baseline: baseline.sarif, block_at: critical'
	build 0 --json
	is 1 scan .findings.new

	# A waiver counts until its day.
	printf 'waivers:\n  - { rule: FF1001, reason: checked, owner: ann, until: 2999-01-01 }\n' >"$R/waivers.yaml"
	scanning ''
	build 0
	says "2 waived"
	sed -i s/2999/2001/ "$R/waivers.yaml"
	scanning ''
	build 10
	says "2 new findings are blocked"
}

@test "a stage has the converters at hand" {
	printf 'int main(void)\n{\n\tint a[2];\n\ta[2] = 1;\n\treturn a[2];\n}\n' >"$R/src/bad.c"
	EXTRA='pipeline:
  scan:
    run: |
      cppcheck --xml -q --output-file=found.xml src/bad.c
      davit scan convert --from cppcheck found.xml > found.sarif
    sarif: found.sarif
  package: { needs: [scan], archive: [src/] }'
	write_config "$R/davit.yaml"
	git -C "$R" add -A && git -C "$R" commit -q -m "A change"
	build 10
	says "src/bad.c:4 (high)"
}

@test "no report, half of one, and a link to somewhere else are failures, never nothing found" {
	EXTRA='pipeline: { scan: { run: "true", sarif: found.sarif } }'
	write_config "$R/davit.yaml"
	git -C "$R" add -A && git -C "$R" commit -q -m none
	build 10
	says "The report of its scan is not there"
	EXTRA='pipeline: { scan: { run: "echo {} > found.sarif", sarif: found.sarif } }'
	write_config "$R/davit.yaml"
	git -C "$R" commit -qam half
	build 10
	says 'The scan "found.sarif" cannot be judged'
	EXTRA='pipeline: { scan: { run: "ln -s /etc/passwd found.sarif", sarif: found.sarif } }'
	write_config "$R/davit.yaml"
	git -C "$R" commit -qam link
	build 10
	says "The report of its scan is not there"
	echo nonsense >"$R/waivers.yaml"
	scanning ''
	build 10
	says "cannot be judged"
	ln -sf /etc/hostname "$R/baseline.sarif"
	rm "$R/waivers.yaml"
	scanning ', baseline: baseline.sarif'
	build 10
	says 'The baseline "baseline.sarif" cannot be read'
}

@test "a build in the server is stopped by a new finding as well, and by a scan that wrote nothing" {
	up
	STRATEGY='[switch]' INSTANCES=1
	scanning ''
	exits 10 env -C "$R" "$DAVIT" build --to prod
	says "src/greet.c:4 (high)"
	is failed jq -r .state <<<"$(davit builds 1 --json)"
	EXTRA='pipeline: { scan: { run: "true", sarif: found.sarif } }'
	write_config "$R/davit.yaml"
	git -C "$R" commit -qam none
	exits 10 env -C "$R" "$DAVIT" build --to prod
	says "The report of its scan is not there"
}

# scanned TAG FINDING: a release that scans itself once it is live; its scan finds this ("" = nothing, no report)
scanned() {
	STRATEGY='[switch]' INSTANCES=1
	EXTRA="checks: { dast: { run: \"\$RELEASE/dast \$URL\", sarif: dast.sarif, baseline: baseline.sarif } }"
	ENVIRONMENT_EXTRA='    verify: [dast]'
	release "$1"
	sarif known >"$T/rel/$1/baseline.sarif"
	{
		echo '#!/bin/sh'
		echo 'curl -sf "$1/up" >/dev/null || exit 1'
		[ -z "$2" ] || printf "cat >dast.sarif <<'S'\n%s\nS\n" "$(sarif known "$2")"
	} >"$T/rel/$1/dast"
	chmod +x "$T/rel/$1/dast"
}

# sarif RULE...: a report with a high finding of each rule
sarif() {
	printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":['
	local comma='' rule
	for rule; do
		printf '%s{"ruleId":"%s","level":"error","message":{"text":"%s"}}' "$comma" "$rule" "$rule"
		comma=,
	done
	printf ']}]}'
}

@test "a check that scans takes a release back for what is new, and for a report that is not there; it leaves nothing" {
	up
	scanned v1 known
	deploy v1
	[ "$status" = 0 ]
	scanned v2 injection
	deploy v2
	[ "$status" = 11 ]
	says "probe/injection at (no file) (high)"
	is v1 live_tag
	scanned v3 ''
	deploy v3
	[ "$status" = 11 ]
	says "The report of its scan is not there"
	is v1 live_tag
	is 0 eval "find '$T/state/checks' -mindepth 1 | wc -l"
	is 0 eval "find '$T/state/artifacts' -name dast.sarif | wc -l"
}
